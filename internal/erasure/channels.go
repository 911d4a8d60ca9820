// Copyright (c) the terraform-provider-streamchat authors
// SPDX-License-Identifier: MPL-2.0

package erasure

import (
	"context"
	"errors"
	"slices"
	"time"

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
	peopleLister
}

// Channels is the [Deed] of deleting channels.
type Channels struct {
	simple[ChannelScope]
	API ChannelAPI
}

var (
	_ Deed[ChannelScope]    = Channels{}
	_ reacher[ChannelScope] = Channels{}
)

type peopleLister interface {
	PeopleOfChannels(ctx context.Context, cids []string) (map[string]stream.Membership, error)
}

// Reach implements reacher: what is written in a channel is its members', and of those who
// wrote it and left; the channel itself is its owner's. Stream has no list of all authors:
// those of the newest messages are seen.
func (c Channels) Reach(ctx context.Context, cids []string, _ ChannelScope, _ Run) (map[string]Reach, error) {
	channels, err := c.API.PeopleOfChannels(ctx, cids)
	found := make(map[string]Reach, len(channels))
	for cid, channel := range channels {
		reach := written(channel, time.Time{})
		if channel.Owner != "" {
			reach.Others = append(reach.Others, channel.Owner)
		}
		found[cid] = reach
	}
	return found, err
}

// written are those whose messages up to a time, or all, go with those of a channel.
func written(channel stream.Membership, until time.Time) Reach {
	reach := Reach{Others: slices.Clone(channel.Members), Incomplete: !channel.All}
	for _, wrote := range channel.Wrote {
		switch {
		case !until.IsZero() && wrote.At.After(until):
		case wrote.ID == "":
			reach.Incomplete = true
		default:
			reach.Others = append(reach.Others, wrote.ID)
		}
	}
	return reach
}

// Traits implements [Deed].
func (Channels) Traits() Traits {
	return Traits{
		Kind: kindChannel, Max: MaxSubjects, Forgets: true, Hides: true, Call: stream.OpDeleteChannels,
		Absence: "Stream does not find this channel: it never existed, or it was deleted before, softly or hard (Stream does not tell).",
	}
}

// Gone implements [Deed]. A hard-deleted channel is in no query; a deleted one that
// still is was not deleted hard.
func (Channels) Gone(f Finding, a Attempt[ChannelScope]) bool {
	return f.Found == FoundMissing || f.Found == FoundDeleted && (a.Scope == nil || !(*a.Scope).Hard)
}

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

// Submit implements [Deed]. That Stream knows none of several channels might
// also be its answer to one that it does not know, so only of a single one it is
// taken to mean that it is gone, softly and hard.
func (c Channels) Submit(ctx context.Context, subjects []Subject, scope ChannelScope) (Accepted, error) {
	task, err := c.API.DeleteChannels(ctx, IDs(subjects), scope.Hard)
	switch {
	case !stream.NoneOfThem(err):
		return Accepted{Task: task}, err
	case len(subjects) > 1:
		return Accepted{}, errors.Join(errApart, err)
	default:
		return Accepted{}, nil
	}
}
