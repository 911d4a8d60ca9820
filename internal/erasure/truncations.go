// Copyright (c) the terraform-provider-streamchat authors
// SPDX-License-Identifier: MPL-2.0

package erasure

import (
	"context"
	"time"

	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/stream"
)

// TruncationScope is the scope of truncating a channel (stream-api.md §5.3).
type TruncationScope struct {
	Hardness
	// Before is the time up to which messages go, as [Instant] writes it; empty is
	// the time of the call.
	Before   string `json:"truncated_before,omitempty"`
	SkipPush bool   `json:"skip_push,omitempty"`
}

// Instant writes a time so that equal times are equal texts, as exactly as Stream
// keeps them.
func Instant(t time.Time) string {
	return t.UTC().Truncate(time.Microsecond).Format(time.RFC3339Nano)
}

// until is the time in Before, or zero.
func (s TruncationScope) until() time.Time {
	t, _ := time.Parse(time.RFC3339Nano, s.Before) // written by Instant
	return t
}

// NotCovered implements [Scope]; the facts are in stream-api.md §5.3, §6 and §11.
func (s TruncationScope) NotCovered() []string {
	return s.leaving([]string{
		"channel_data", "exports_kept_60_days", "later_messages", "message_history", "moderation_logs", "polls", "uploads", "users", "webhook_copies",
	}, "message_content")
}

// Compare implements [Scope].
func (s TruncationScope) Compare(recorded TruncationScope) Comparison {
	c := s.compare(recorded.Hardness)
	if s.Before != recorded.Before {
		c.Altered = append(c.Altered, "truncated_before")
	}
	if s.SkipPush != recorded.SkipPush {
		c.Altered = append(c.Altered, "skip_push")
	}
	return c
}

// TruncationAPI is what the truncation of channels needs of Stream's API.
type TruncationAPI interface {
	ChannelsByCID(ctx context.Context, cids []string) (map[string]stream.Channel, error)
	TruncateChannel(ctx context.Context, cid string, t stream.Truncation) (stream.Channel, error)
	AwaitTurn(ctx context.Context, op stream.Operation) error
}

// Truncations is the [Deed] of erasing a channel's messages and keeping the
// channel.
type Truncations struct {
	atOnce[TruncationScope]
	API TruncationAPI
}

var (
	_ Deed[TruncationScope]    = Truncations{}
	_ checker[TruncationScope] = Truncations{}
)

// Kind implements [Deed].
func (Truncations) Kind() string { return "truncation" }

// Absence implements [Deed].
func (Truncations) Absence() string {
	return "Stream does not find this channel: it never existed, or it was deleted (Stream does not tell), so there is nothing to truncate."
}

// Forgets implements [Deed]: a truncated channel is there to be looked at.
func (Truncations) Forgets() bool { return false }

// Check refuses what Stream refuses too, before anybody approves it, and a time
// that has not come: messages that nobody has written yet would be hidden.
func (Truncations) Check(f Finding, scope TruncationScope) error {
	if f.Found != FoundPresent || scope.Before == "" {
		return nil
	}
	const field = "truncated_before"
	switch until := scope.until(); {
	case until.After(f.At):
		return &Refusal{Field: field, Summary: "Truncation reaches into the future", Detail: "truncated_before has not come yet, so messages that nobody has written yet would go with it. Nothing was sent. Give a time that has passed, or leave it out to erase what is there."}
	case f.Channel != nil && f.Channel.TruncatedAt != nil && until.Truncate(time.Second).Before(f.Channel.TruncatedAt.Truncate(time.Second)):
		return &Refusal{Field: field, Summary: "Channel was truncated further already", Detail: "The channel was truncated up to a later time than truncated_before, and Stream takes only later ones. Nothing was sent. Give a later time or leave it out; to erase single messages for good use streamchat_message_erasure."}
	}
	return nil
}

// Gone implements [Deed]. Times are compared by the second: Stream may keep them
// less exactly than they were given.
func (Truncations) Gone(f Finding, scope TruncationScope) bool {
	if f.Found != FoundPresent || f.Channel == nil {
		return true
	}
	at := f.Channel.TruncatedAt
	return at != nil && !at.Before(scope.until().Truncate(time.Second))
}

// LookUp implements [Deed].
func (t Truncations) LookUp(ctx context.Context, cids []string) (map[string]Finding, error) {
	return lookUpChannels(ctx, t.API, cids)
}

// Turn implements [Deed].
func (t Truncations) Turn(ctx context.Context) error {
	return t.API.AwaitTurn(ctx, stream.OpTruncateChannel)
}

// Submit implements [Deed].
func (t Truncations) Submit(ctx context.Context, cids []string, scope TruncationScope) (string, error) {
	_, err := t.API.TruncateChannel(ctx, cids[0], stream.Truncation{Hard: scope.Hard, SkipPush: scope.SkipPush, Until: scope.until()})
	return "", err
}
