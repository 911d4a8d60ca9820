// Copyright (c) the terraform-provider-streamchat authors
// SPDX-License-Identifier: MPL-2.0

package stream

import (
	"context"
	"encoding/json"
	"net/url"
	"slices"
	"time"
)

// Membership is a channel with the people whose data is in it.
type Membership struct {
	CID string
	// Members are those whom Stream lists, All reports that there are no others. Count is
	// how many there are by Stream's own count; -1 where it does not say.
	Members []string
	All     bool
	Count   int
	// Owner is who created the channel, Wrote are the authors of its newest messages; where
	// they were asked for.
	Owner string
	Wrote []Wrote
}

// Wrote is somebody who wrote a message, and when.
type Wrote struct {
	ID string
	At time.Time
}

const (
	// maxListed is how many members a query of channels lists (stream-api.md §5.4).
	maxListed = 100
	// newestMessages is how many messages of each channel are read for their authors.
	newestMessages = 100
)

// SmallChannelsOf returns the channels of some users, up to 100, that have two to most
// members (POST /channels, stream-api.md §5.4), each with up to 100 of them.
func (c *Client) SmallChannelsOf(ctx context.Context, userIDs []string, most int) ([]Membership, error) {
	if err := checkBatch(OpQueryChannels, userIDs); err != nil {
		return nil, err
	}
	channels, err := c.channelsWith(ctx, listing{members: maxListed}, map[string]any{
		"members":      map[string]any{"$in": userIDs},
		"member_count": map[string]any{"$lte": most},
	})
	var found []Membership
	for _, row := range channels.rows {
		if !row.All || len(row.Members) >= 2 {
			found = append(found, row.Membership)
		}
	}
	return found, err
}

// PeopleOfChannels returns up to 100 channels by cid, with all of their members that
// Stream gives, their owners, and the authors of their newest messages. One that Stream
// does not find is left out.
func (c *Client) PeopleOfChannels(ctx context.Context, cids []string) (map[string]Membership, error) {
	if err := checkBatch(OpQueryChannels, cids); err != nil {
		return nil, err
	}
	channels, err := c.channelsWith(ctx, listing{maxListed, newestMessages}, map[string]any{"cid": map[string]any{"$in": cids}})
	if err != nil {
		return nil, err
	}
	found := map[string]Membership{}
	for _, row := range channels.rows {
		m := row.Membership
		if !m.All {
			if m, err = c.AllMembers(ctx, m); err != nil {
				return nil, err
			}
		}
		found[m.CID] = m
	}
	return found, nil
}

// AllMembers asks for all members of a channel of which a query of channels does not list
// as many as Stream counts (GET /members, stream-api.md §5.4). Where it counts more than it
// lists even then, or an offset does not reach the end, some stay unknown.
func (c *Client) AllMembers(ctx context.Context, m Membership) (Membership, error) {
	ids, all, err := c.membersOf(ctx, m.CID)
	for _, id := range m.Members {
		if !slices.Contains(ids, id) {
			ids = append(ids, id)
		}
	}
	m.Members, m.All = ids, all && m.Count <= len(ids)
	return m, err
}

// memberPage and maxMemberOffset are documented for GET /members (stream-api.md §5.4).
const (
	memberPage      = 100
	maxMemberOffset = 1000
)

// membersOf returns the ids of a channel's members (GET /members, stream-api.md §5.4), as
// far as an offset reaches. all says whether there are no more.
func (c *Client) membersOf(ctx context.Context, cid string) (ids []string, all bool, err error) {
	typ, id, ok := SplitCID(cid)
	if !ok {
		return nil, false, refuse(OpQueryMembers, "the cid is not of the form type:id")
	}
	for offset := 0; offset <= maxMemberOffset; offset += memberPage {
		payload, err := json.Marshal(map[string]any{
			"type": typ, "id": id, "filter_conditions": map[string]any{}, "limit": memberPage, "offset": offset,
			"sort": []any{map[string]any{"field": "created_at", "direction": 1}},
		})
		if err != nil {
			return nil, false, refuse(OpQueryMembers, "the query cannot be encoded")
		}
		ask := request{op: OpQueryMembers, query: url.Values{"payload": {string(payload)}}}
		page, err := call(ctx, c, ask, func(body []byte) ([]string, error) {
			answer, _ := decodeObject(body)
			return decodeMemberIDs(answer)
		})
		if err != nil {
			return nil, false, err
		}
		ids = append(ids, page...)
		if len(page) < memberPage {
			return ids, true, nil
		}
	}
	return ids, false, nil
}

// decodeMemberIDs reads the ids of the members in an answer, null for none.
func decodeMemberIDs(in object) ([]string, error) {
	if in.empty("members") {
		return nil, nil
	}
	rows, err := in.list("members")
	if err != nil {
		return nil, err
	}
	ids := make([]string, len(rows))
	for i, raw := range rows {
		row, _ := decodeObject(raw)
		if ids[i], err = row.text("user_id"); err != nil {
			return nil, err
		}
		if ids[i] != "" {
			continue
		}
		user, _ := decodeObject(row["user"])
		if ids[i], err = user.must("id"); err != nil {
			return nil, err
		}
	}
	return ids, nil
}

// decodeWrote reads the authors of the messages in a channel's state, each with the time of
// their earliest one; an author whom Stream does not name is "".
func decodeWrote(state object) ([]Wrote, error) {
	if state.empty("messages") {
		return nil, nil
	}
	rows, err := state.list("messages")
	if err != nil {
		return nil, err
	}
	var wrote []Wrote
	for _, raw := range rows {
		row, _ := decodeObject(raw)
		author, err := row.author()
		if err != nil {
			return nil, err
		}
		w := Wrote{ID: author}
		at, err := row.moment("created_at")
		if err != nil {
			return nil, err
		}
		if at != nil {
			w.At = *at
		}
		if i := slices.IndexFunc(wrote, func(o Wrote) bool { return o.ID == w.ID }); i < 0 {
			wrote = append(wrote, w)
		} else if w.At.Before(wrote[i].At) {
			wrote[i] = w
		}
	}
	return wrote, nil
}
