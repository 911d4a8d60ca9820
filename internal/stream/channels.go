// Copyright (c) the terraform-provider-streamchat authors
// SPDX-License-Identifier: MPL-2.0

package stream

import (
	"context"
	"errors"
	"maps"
	"regexp"
	"slices"
	"strings"
	"time"
)

// Channel is what Stream says about a channel (stream-api.md §5.4).
type Channel struct {
	CID string
	// Times are UTC, nil when Stream did not give them.
	CreatedAt, LastMessageAt, DeletedAt, TruncatedAt *time.Time
	// Members is nil when Stream did not give the number.
	Members *int
}

// The parts of a cid (stream-api.md §13). A distinct channel's id is made by
// Stream and begins with "!".
var (
	channelType = regexp.MustCompile(`^[\w-]{1,64}$`)
	channelID   = regexp.MustCompile(`^!?[\w-]{1,64}$`)
)

// SplitCID takes a cid ("type:id") apart; ok is false when it is none.
func SplitCID(cid string) (typ, id string, ok bool) {
	typ, id, ok = strings.Cut(cid, ":")
	return typ, id, ok && channelType.MatchString(typ) && channelID.MatchString(id)
}

// checkCIDs refuses what Stream would take for something else.
func checkCIDs(op Operation, cids []string) error {
	for _, cid := range cids {
		if _, _, ok := SplitCID(cid); !ok {
			return refuse(op, "a cid is not of the form type:id")
		}
	}
	return nil
}

// ChannelsByCID looks channels up (POST /channels, stream-api.md §5.4). The map
// has no entry for a cid that was deleted, also softly, or never existed: Stream
// does not tell. Any number of cids, in queries of at most 30. An answer that
// lacks the list, or that holds channels nobody asked for, is
// KindUnexpectedBody.
func (c *Client) ChannelsByCID(ctx context.Context, cids []string) (map[string]Channel, error) {
	if err := checkCIDs(OpQueryChannels, cids); err != nil {
		return nil, err
	}
	channels := make(map[string]Channel, len(cids))
	for chunk := range slices.Chunk(slices.Compact(slices.Sorted(slices.Values(cids))), channelPage) {
		body := map[string]any{
			"filter_conditions": map[string]any{"cid": map[string]any{"$in": chunk}},
			"limit":             channelPage,
			"state":             false, "watch": false, "presence": false, "message_limit": 0, "member_limit": 0,
		}
		found, err := call(ctx, c, request{op: OpQueryChannels, body: body}, func(body []byte) (map[string]Channel, error) {
			return decodeChannels(body, chunk)
		})
		if err != nil {
			return nil, err
		}
		maps.Copy(channels, found)
	}
	return channels, nil
}

func decodeChannels(body []byte, asked []string) (map[string]Channel, error) {
	answer, ok := decodeObject(body)
	if !ok {
		return nil, shapeError("the answer is not an object")
	}
	rows, err := answer.list("channels")
	if err != nil {
		return nil, err
	}
	channels := make(map[string]Channel, len(rows))
	for _, raw := range rows {
		state, _ := decodeObject(raw)
		channel, err := decodeChannel(state["channel"])
		if err != nil {
			return nil, err
		}
		if !slices.Contains(asked, channel.CID) {
			return nil, shapeError("there is a channel that was not asked for")
		}
		channels[channel.CID] = channel
	}
	return channels, nil
}

func decodeChannel(raw []byte) (Channel, error) {
	row, ok := decodeObject(raw)
	if !ok {
		return Channel{}, shapeError("channel is not an object")
	}
	var channel Channel
	var err error
	if channel.CID, err = row.must("cid"); err != nil {
		return Channel{}, err
	}
	for key, into := range map[string]**time.Time{
		"created_at": &channel.CreatedAt, "last_message_at": &channel.LastMessageAt,
		"deleted_at": &channel.DeletedAt, "truncated_at": &channel.TruncatedAt,
	} {
		if *into, err = row.moment(key); err != nil {
			return Channel{}, err
		}
	}
	return channel, row.into("member_count", &channel.Members, "a number")
}

// DeleteChannels begins the deletion of 1 to 100 channels and returns Stream's
// task (POST /channels/delete, stream-api.md §5.1; the SDK takes an answer
// without a task for success). The queries miss the channels at once; a hard
// deletion's data goes with the task. When Stream knows none of them, deleted
// softly or not, the error is one that [NoneOfThem] recognises.
func (c *Client) DeleteChannels(ctx context.Context, cids []string, hard bool) (taskID string, err error) {
	if err := checkBatch(OpDeleteChannels, cids); err != nil {
		return "", err
	}
	if err := checkCIDs(OpDeleteChannels, cids); err != nil {
		return "", err
	}
	return call(ctx, c, request{op: OpDeleteChannels, body: map[string]any{"cids": cids, "hard_delete": hard}}, decodeTaskID)
}

// NoneOfThem reports Stream's word that it knows none of the channels of a
// DeleteChannels call.
func NoneOfThem(err error) bool {
	var e *Error
	return errors.As(err, &e) && e.Kind == KindNotFound && e.Op == OpDeleteChannels && e.says("channels not found")
}

// Truncation is what truncating a channel takes (stream-api.md §5.3).
type Truncation struct {
	Hard     bool
	SkipPush bool
	// Until is the time up to which messages go; zero is the time of the call.
	Until time.Time
	// Known is when the channel was truncated before, as far as the caller knows.
	Known *time.Time
}

// TruncateChannel removes a channel's messages and keeps the channel
// (POST /channels/{type}/{id}/truncate, stream-api.md §5.3). There is no task to
// ask for: the messages show no longer once the answer is here, and Stream drops
// the rows of a hard truncation in its own time. The answer must hold the channel
// with the time of a truncation, and none before the time that was asked for. A
// channel that Stream does not find is KindNotFound.
//
// Sent twice up to the time of the call, it would take what was written in between:
// after an answer that was lost it is repeated up to the time that the channel shows.
func (c *Client) TruncateChannel(ctx context.Context, cid string, t Truncation) (Channel, error) {
	channel, err := c.truncate(ctx, cid, t)
	asked := !t.Until.IsZero()
	var lost *Error
	for n := 1; n <= c.transport.retries && errors.As(err, &lost) && lost.Ambiguous && lost.Retryable && lost.Kind != KindRateLimited; n++ {
		if c.transport.clock.Sleep(ctx, max(jitter(backoff(retryDelay, maxRetryDelay, n)), lost.after)) != nil {
			return channel, err
		}
		found, lookErr := c.ChannelsByCID(ctx, []string{cid})
		if lookErr != nil {
			return channel, err
		}
		if shown := found[cid].TruncatedAt; !asked && shown != nil && (t.Known == nil || shown.After(*t.Known)) {
			t.Until = *shown
		}
		channel, err = c.truncate(ctx, cid, t)
		err = lost.before(err)
	}
	return channel, err
}

func (c *Client) truncate(ctx context.Context, cid string, t Truncation) (Channel, error) {
	typ, id, ok := SplitCID(cid)
	if !ok {
		return Channel{}, refuse(OpTruncateChannel, "the cid is not of the form type:id")
	}
	body := map[string]any{"hard_delete": t.Hard, "skip_push": t.SkipPush}
	if !t.Until.IsZero() {
		body["truncated_at"] = timestamp(t.Until)
	}
	return call(ctx, c, request{op: OpTruncateChannel, path: []string{typ, id}, body: body}, func(body []byte) (Channel, error) {
		answer, _ := decodeObject(body)
		channel, err := decodeChannel(answer["channel"])
		switch {
		case err != nil:
			return Channel{}, err
		case channel.CID != cid:
			return Channel{}, shapeError("the answer is about another channel")
		case channel.TruncatedAt == nil:
			return Channel{}, shapeError("the channel has no time of a truncation")
		case channel.TruncatedAt.Before(t.Until.Truncate(time.Second)):
			return Channel{}, shapeError("the channel was not truncated as far as was asked for")
		}
		return channel, nil
	})
}

// timestamp writes a time as Stream does: UTC, microseconds.
func timestamp(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000000Z") }
