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
	peopleLister
	TruncateChannel(ctx context.Context, cid string, t stream.Truncation) (stream.Channel, error)
}

// Truncations is the [Deed] of erasing a channel's messages and keeping the
// channel.
type Truncations struct {
	simple[TruncationScope]
	API TruncationAPI
}

var (
	_ Deed[TruncationScope]    = Truncations{}
	_ checker[TruncationScope] = Truncations{}
	_ reacher[TruncationScope] = Truncations{}
)

// Reach implements reacher: the messages go, and the channel stays its owner's.
func (t Truncations) Reach(ctx context.Context, cids []string, scope TruncationScope, _ Run) (map[string]Reach, error) {
	channels, err := t.API.PeopleOfChannels(ctx, cids)
	found := make(map[string]Reach, len(channels))
	for cid, channel := range channels {
		found[cid] = written(channel, scope.until())
	}
	return found, err
}

// Traits implements [Deed]. A truncated channel is there to be looked at.
func (Truncations) Traits() Traits {
	return Traits{
		Kind: kindTruncation, Max: 1, Once: true, Call: stream.OpTruncateChannel,
		Absence: "Stream does not find this channel: it never existed, or it was deleted (Stream does not tell), so there is nothing to truncate.",
	}
}

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

// Gone implements [Deed]: the channel shows the truncation that Stream's answer told
// of. Any earlier one would prove nothing. Times are compared by the second: Stream may
// keep them less exactly than it says.
func (Truncations) Gone(f Finding, a Attempt[TruncationScope]) bool {
	if f.Found != FoundPresent || f.Channel == nil {
		return true
	}
	var since time.Time
	if a.Scope != nil {
		since = (*a.Scope).until().Truncate(time.Second)
	}
	if a.EffectiveAt != nil {
		since = *a.EffectiveAt
	}
	at := f.Channel.TruncatedAt
	return at != nil && !at.Before(since)
}

// LookUp implements [Deed].
func (t Truncations) LookUp(ctx context.Context, cids []string) (map[string]Finding, error) {
	return lookUpChannels(ctx, t.API, cids)
}

// Submit implements [Deed]. Of a truncation up to now the channel has to show a later
// time than before.
func (t Truncations) Submit(ctx context.Context, subjects []Subject, scope TruncationScope) (Accepted, error) {
	s := subjects[0]
	var known *time.Time
	if s.Finding.Channel != nil {
		known = s.Finding.Channel.TruncatedAt
	}
	channel, err := t.API.TruncateChannel(ctx, s.ID, stream.Truncation{Hard: scope.Hard, SkipPush: scope.SkipPush, Until: scope.until(), Known: known})
	if err != nil || channel.TruncatedAt == nil {
		return Accepted{}, err
	}
	since := channel.TruncatedAt.UTC().Truncate(time.Second)
	if scope.Before == "" && known != nil && !since.After(*known) {
		since = known.Add(time.Microsecond)
	}
	return Accepted{Since: since}, nil
}
