// Copyright (c) the terraform-provider-streamchat authors
// SPDX-License-Identifier: MPL-2.0

package erasure

import (
	"context"
	"errors"

	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/stream"
)

// ChannelScope is the scope of a channel's erasure (stream-api.md §5.1).
type ChannelScope struct{ Hardness }

// NotCovered implements [Scope]; the facts are in stream-api.md §2, §5 and §11.
func (s ChannelScope) NotCovered() []string {
	return s.leaving([]string{
		"exports_kept_60_days", "message_history", "moderation_logs", "polls", "uploads", "users", "webhook_copies",
	}, "channel_data", "message_content")
}

// Compare implements [Scope].
func (s ChannelScope) Compare(recorded ChannelScope) Comparison { return s.compare(recorded.Hardness) }

// ChannelAPI is what the deletion of channels needs of Stream's API.
type ChannelAPI interface {
	ChannelsByCID(ctx context.Context, cids []string) (map[string]stream.Channel, error)
	DeleteChannels(ctx context.Context, cids []string, hard bool) (string, error)
	AwaitTurn(ctx context.Context, op stream.Operation) error
}

// Channels is the [Deed] of deleting channels.
type Channels struct {
	simple[ChannelScope]
	API ChannelAPI
}

var _ Deed[ChannelScope] = Channels{}

// Kind implements [Deed].
func (Channels) Kind() string { return "channel" }

// Absence implements [Deed].
func (Channels) Absence() string {
	return "Stream does not find this channel: it never existed, or it was deleted before, softly or hard (Stream does not tell)."
}

// Max implements [Deed].
func (Channels) Max() int { return MaxSubjects }

// Forgets implements [Deed].
func (Channels) Forgets() bool { return true }

// Gone implements [Deed].
func (Channels) Gone(f Finding, _ ChannelScope) bool { return f.Found != FoundPresent }

// LookUp implements [Deed].
func (c Channels) LookUp(ctx context.Context, cids []string) (map[string]Finding, error) {
	return lookUpChannels(ctx, c.API, cids)
}

func lookUpChannels(ctx context.Context, api interface {
	ChannelsByCID(context.Context, []string) (map[string]stream.Channel, error)
}, cids []string) (map[string]Finding, error) {
	channels, err := api.ChannelsByCID(ctx, cids)
	if err != nil {
		return nil, err
	}
	found := make(map[string]Finding, len(cids))
	for _, cid := range cids {
		channel, ok := channels[cid]
		switch {
		case !ok:
			found[cid] = Finding{Found: FoundMissing}
		case channel.DeletedAt != nil:
			found[cid] = Finding{Found: FoundDeleted, Channel: &channel}
		default:
			found[cid] = Finding{Found: FoundPresent, CreatedAt: channel.CreatedAt, LastActive: channel.LastMessageAt, Channel: &channel}
		}
	}
	return found, nil
}

// Turn implements [Deed].
func (c Channels) Turn(ctx context.Context) error {
	return c.API.AwaitTurn(ctx, stream.OpDeleteChannels)
}

// Submit implements [Deed]. That Stream knows none of several channels might
// also be its answer to one that it does not know, so only of a single one it is
// taken to mean that it is gone, softly and hard.
func (c Channels) Submit(ctx context.Context, cids []string, scope ChannelScope) (string, error) {
	task, err := c.API.DeleteChannels(ctx, cids, scope.Hard)
	switch {
	case !stream.NoneOfThem(err):
		return task, err
	case len(cids) > 1:
		return "", errors.Join(errApart, err)
	default:
		return "", nil
	}
}
