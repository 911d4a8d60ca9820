// Copyright (c) the terraform-provider-streamchat authors
// SPDX-License-Identifier: MPL-2.0

package stream

import (
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

func decodeCards(body []byte) (map[string]ChannelCard, error) {
	var answer struct {
		Channels []struct {
			Channel struct {
				CID         string
				Name        any
				CreatedBy   struct{ ID string } `json:"created_by"`
				MemberCount int                 `json:"member_count"`
			}
			Members []struct {
				UserID string `json:"user_id"`
				User   struct {
					ID   string
					Name any
				}
			}
		}
	}
	if json.Unmarshal(body, &answer) != nil { // its error would quote the answer
		return nil, shapeError("the channels are not what they should be")
	}
	cards := map[string]ChannelCard{}
	for _, row := range answer.Channels {
		card := ChannelCard{CreatedBy: row.Channel.CreatedBy.ID, MemberCount: row.Channel.MemberCount}
		card.Name, _ = row.Channel.Name.(string)
		for _, m := range row.Members {
			member := MemberCard{ID: m.User.ID}
			if member.ID == "" {
				member.ID = m.UserID
			}
			member.Name, _ = m.User.Name.(string)
			card.Members = append(card.Members, member)
		}
		card.MemberCount = max(card.MemberCount, len(card.Members))
		cards[row.Channel.CID] = card
	}
	return cards, nil
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
