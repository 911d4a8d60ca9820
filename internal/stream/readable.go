// Copyright (c) the terraform-provider-streamchat authors
// SPDX-License-Identifier: MPL-2.0

package stream

import (
	"cmp"
	"context"
	"encoding/json"
	"maps"
	"net/url"
	"slices"
	"time"
)

// What a person is shown of their data, and no decision rests on.

// ChannelCard is what a channel is called, who made it and who is in it.
type ChannelCard struct {
	Name, CreatedBy string
	Members         []MemberCard // the first of them
	MemberCount     int
}

// MemberCard is a member of a channel.
type MemberCard struct{ ID, Name string }

const cardMembers = 8

// ChannelCards looks up what channels are called. One that is gone has no entry, nor
// has a cid that is none.
func (c *Client) ChannelCards(ctx context.Context, cids []string) (map[string]ChannelCard, error) {
	cids = slices.DeleteFunc(slices.Sorted(slices.Values(cids)), func(cid string) bool {
		_, _, ok := SplitCID(cid)
		return !ok
	})
	cards := map[string]ChannelCard{}
	for chunk := range slices.Chunk(slices.Compact(cids), channelPage) {
		found, err := call(ctx, c, request{op: OpQueryChannels, body: map[string]any{
			"filter_conditions": map[string]any{"cid": map[string]any{"$in": chunk}},
			"limit":             channelPage,
			"state":             true, "watch": false, "presence": false, "message_limit": 0, "member_limit": cardMembers,
		}}, decodeCards)
		if err != nil {
			return nil, err
		}
		maps.Copy(cards, found)
	}
	return cards, nil
}

// decodeCards takes what it can read: a name that is no text is none.
func decodeCards(body []byte) (map[string]ChannelCard, error) {
	answer, _ := decodeObject(body)
	rows, err := answer.list("channels")
	if err != nil {
		return nil, err
	}
	cards := map[string]ChannelCard{}
	for _, raw := range rows {
		row, _ := decodeObject(raw)
		channel, _ := decodeObject(row["channel"])
		cid, err := channel.must("cid")
		if err != nil {
			return nil, err
		}
		owner, _ := decodeObject(channel["created_by"])
		card := ChannelCard{Name: channel.said("name"), CreatedBy: owner.said("id")}
		var members []json.RawMessage
		if row.into("members", &members, "a list") != nil || channel.into("member_count", &card.MemberCount, "a number") != nil {
			return nil, shapeError("the members of a channel are not what they should be")
		}
		for _, raw := range members {
			member, _ := decodeObject(raw)
			user, _ := decodeObject(member["user"])
			card.Members = append(card.Members, MemberCard{ID: cmp.Or(user.said("id"), member.said("user_id")), Name: user.said("name")})
		}
		card.MemberCount = max(card.MemberCount, len(card.Members))
		cards[cid] = card
	}
	return cards, nil
}

// said is the string at key, "" where there is none.
func (o object) said(key string) string {
	s, _ := o.text(key)
	return s
}

// MessageJSON is a message as Stream sends it, a soft-deleted one with its content.
// Stream signs the links to its files anew for every reading.
func (c *Client) MessageJSON(ctx context.Context, id string) ([]byte, error) {
	if !ValidMessageID(id) {
		return nil, refuse(OpGetMessage, "the id is none that a message can have")
	}
	query := url.Values{"show_deleted_message": {"true"}}
	return call(ctx, c, request{op: OpGetMessage, path: []string{id}, query: query}, func(body []byte) ([]byte, error) {
		answer, ok := decodeObject(body)
		if !ok || len(answer["message"]) == 0 {
			return nil, shapeError("there is no message")
		}
		return answer["message"], nil
	})
}

// FileSettings is how files are fetched that are not Stream's API: like its calls.
type FileSettings struct {
	Base      *url.URL
	Timeout   time.Duration
	Retries   int
	UserAgent string
}

// FileSettings are those of the client.
func (c *Client) FileSettings() FileSettings {
	return FileSettings{Base: c.base, Timeout: c.transport.timeout, Retries: c.transport.retries, UserAgent: c.transport.userAgent}
}
