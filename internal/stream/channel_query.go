// Copyright (c) the terraform-provider-streamchat authors
// SPDX-License-Identifier: MPL-2.0

package stream

import (
	"context"
	"encoding/json"
	"slices"
	"time"
)

// ChannelsOfMember returns the cids of the channels that a user is a member of,
// the oldest first. Stream leaves deleted channels out, also soft-deleted ones.
func (c *Client) ChannelsOfMember(ctx context.Context, userID string) ([]string, error) {
	return c.channelsWhere(ctx, map[string]any{"members": map[string]any{"$in": []string{userID}}})
}

// ChannelsCreatedBy returns the cids of the channels that a user created, as
// ChannelsOfMember does.
func (c *Client) ChannelsCreatedBy(ctx context.Context, userID string) ([]string, error) {
	return c.channelsWhere(ctx, map[string]any{"created_by_id": map[string]any{"$eq": userID}})
}

// channelsWhere runs a query for any number of channels (POST /channels,
// stream-api.md §5.4). It pages by the creation time and not by an offset:
// that ends at 1,000, and a channel that is deleted in between would move the
// pages so that another is skipped. The offset only passes channels that were
// created in the same instant; where these are too many for it, as after an
// import, the rest comes by cid. Nothing but an empty page is the end, whatever
// page size Stream grants. An answer that does not get further is
// KindUnexpectedBody.
func (c *Client) channelsWhere(ctx context.Context, filter map[string]any) ([]string, error) {
	found, err := c.channelsWith(ctx, listing{}, filter)
	if err != nil {
		return nil, err
	}
	return found.cids(), nil
}

// listing is how many members and newest messages of each channel a query lists.
type listing struct{ members, messages int }

// channelsWith is channelsWhere with some of the members and messages of each.
func (c *Client) channelsWith(ctx context.Context, with listing, filter map[string]any) (channelSet, error) {
	found := channelSet{seen: map[string]bool{}}
	since, offset := "", 0
	for {
		page, err := c.channelRows(ctx, "created_at", with, offset, filter, from(since))
		if err != nil {
			return found, err
		}
		if len(page) == 0 {
			return found, nil
		}
		fresh := found.add(page)
		if last := page[len(page)-1].createdAt; fresh && last != since {
			since, offset = last, 0
		} else if offset += len(page); offset > maxOffset {
			break
		}
	}
	passed := map[string]bool{}
	for last := ""; ; {
		page, err := c.channelRows(ctx, "cid", with, 0, filter, from(since), behind(last))
		if err != nil {
			return found, err
		}
		if len(page) == 0 {
			return found, nil
		}
		found.add(page)
		if last = page[len(page)-1].CID; passed[last] {
			return found, unexpected(OpQueryChannels, 201, shapeError("the pages go round in circles"))
		}
		passed[last] = true
	}
}

// from are the channels that were created at a time, as Stream wrote it, or
// later; behind are those with a greater cid.
func from(createdAt string) map[string]any { return bound("created_at", "$gte", createdAt) }
func behind(cid string) map[string]any     { return bound("cid", "$gt", cid) }

func bound(field, operator, value string) map[string]any {
	if value == "" {
		return nil
	}
	return map[string]any{field: map[string]any{operator: value}}
}

// channelRows is a page of the channels that fit all conditions.
func (c *Client) channelRows(ctx context.Context, sort string, with listing, offset int, conditions ...map[string]any) ([]channelRow, error) {
	conditions = slices.DeleteFunc(conditions, func(c map[string]any) bool { return c == nil })
	filter := conditions[0]
	if len(conditions) > 1 {
		filter = map[string]any{"$and": conditions}
	}
	return call(ctx, c, request{op: OpQueryChannels, body: map[string]any{
		"filter_conditions": filter,
		"sort":              []any{map[string]any{"field": sort, "direction": 1}},
		"limit":             channelPage, "offset": offset,
		"state": with != listing{}, "watch": false, "presence": false, "message_limit": with.messages, "member_limit": with.members,
	}}, decodeChannelRows)
}

type channelRow struct {
	Membership
	createdAt string // as Stream wrote it, since a rounded time would skip channels
	at        time.Time
}

// channelSet is every channel of some pages, once.
type channelSet struct {
	rows []channelRow
	seen map[string]bool
}

func (s *channelSet) add(page []channelRow) (fresh bool) {
	for _, row := range page {
		if !s.seen[row.CID] {
			s.seen[row.CID], fresh = true, true
			s.rows = append(s.rows, row)
		}
	}
	return fresh
}

// cids are the oldest first.
func (s *channelSet) cids() []string {
	slices.SortStableFunc(s.rows, func(a, b channelRow) int { return a.at.Compare(b.at) })
	cids := make([]string, len(s.rows))
	for i, row := range s.rows {
		cids[i] = row.CID
	}
	return cids
}

func decodeChannelRows(body []byte) ([]channelRow, error) {
	answer, ok := decodeObject(body)
	if !ok {
		return nil, shapeError("the answer is not an object")
	}
	list, err := answer.list("channels")
	if err != nil {
		return nil, err
	}
	rows := make([]channelRow, len(list))
	for i, raw := range list {
		state, _ := decodeObject(raw)
		channel, ok := decodeObject(state["channel"])
		if !ok {
			return nil, shapeError("a row has no channel")
		}
		if rows[i].CID, err = channel.must("cid"); err != nil {
			return nil, err
		}
		if rows[i].createdAt, err = channel.must("created_at"); err != nil {
			return nil, err
		}
		at, err := channel.moment("created_at")
		if err != nil {
			return nil, err
		}
		if at != nil {
			rows[i].at = *at
		}
		var count *int
		if err := channel.into("member_count", &count, "a number"); err != nil {
			return nil, err
		}
		if rows[i].Count = -1; count != nil {
			rows[i].Count = *count
		}
		if rows[i].Members, err = decodeMemberIDs(state); err != nil {
			return nil, err
		}
		rows[i].All = rows[i].Count == len(rows[i].Members)
		owner, _ := decodeObject(channel["created_by"])
		if rows[i].Owner, err = owner.text("id"); err != nil {
			return nil, err
		}
		if rows[i].Wrote, err = decodeWrote(state); err != nil {
			return nil, err
		}
	}
	return rows, nil
}

// maxSearches bounds the calls of one ChannelsByMessages, besides two for each
// known channel: half a minute of Stream's limit.
const maxSearches = 150

// ChannelsByMessages searches for channels with messages of a user that are not
// among the known ones (GET /search, stream-api.md §6). all says whether the
// search came to an end within its bounds. It is no proof of absence either
// way: the search sees what its index holds by now, in channel types where it
// is enabled, without deleted messages, and in 500 channels at a time.
//
// It does not read through the user's messages, which may be a million, but
// asks for one page in each gap between known cids and cuts the gap at what it
// finds. Where a gap's answer holds known channels, which means that Stream
// sorts cids in another order, it follows the pages.
func (c *Client) ChannelsByMessages(ctx context.Context, userID string, known []string) (found []string, all bool, err error) {
	seen := make(map[string]bool, len(known))
	for _, cid := range known {
		seen[cid] = true
	}
	edges := slices.Sorted(slices.Values(known))
	gaps := []searchGap{}
	for i := range len(edges) + 1 {
		gaps = append(gaps, gapAt(edges, i))
	}
	for calls := 0; len(gaps) > 0; {
		gap := gaps[0]
		gaps = gaps[1:]
		for next, first := "", true; first || next != ""; first = false {
			if calls++; calls > maxSearches+2*len(known) {
				return found, false, nil
			}
			var page searchPage
			if page, err = c.searchMessages(ctx, userID, gap, next); err != nil {
				return found, false, err
			}
			var fresh []string
			for _, cid := range page.cids {
				if !seen[cid] {
					seen[cid] = true
					fresh = append(fresh, cid)
				}
			}
			if len(fresh) == 0 {
				next = page.next
				continue
			}
			found = append(found, fresh...)
			inner := slices.Sorted(slices.Values(fresh))
			for i := range len(inner) + 1 {
				between := gapAt(inner, i)
				if i == 0 {
					between.after = gap.after
				}
				if i == len(inner) {
					between.before = gap.before
				}
				gaps = append(gaps, between)
			}
			break
		}
	}
	return found, true, nil
}

// searchGap is the cids between two, "" being no bound.
type searchGap struct{ after, before string }

// gapAt is the gap before the i-th of sorted cids, or after the last.
func gapAt(cids []string, i int) (g searchGap) {
	if i > 0 {
		g.after = cids[i-1]
	}
	if i < len(cids) {
		g.before = cids[i]
	}
	return g
}

func (g searchGap) filter() map[string]any {
	cid := map[string]any{}
	if g.after != "" {
		cid["$gt"] = g.after
	}
	if g.before != "" {
		cid["$lt"] = g.before
	}
	if len(cid) == 0 {
		cid["$exists"] = true // Stream wants a filter on channels
	}
	return map[string]any{"cid": cid}
}

type searchPage struct {
	cids []string
	next string
}

func (c *Client) searchMessages(ctx context.Context, userID string, gap searchGap, next string) (searchPage, error) {
	query := map[string]any{
		"filter_conditions":         gap.filter(),
		"message_filter_conditions": map[string]any{"user.id": map[string]any{"$eq": userID}},
		"sort":                      []any{map[string]any{"field": "created_at", "direction": -1}},
		"limit":                     channelPage,
	}
	if next != "" {
		query["next"] = next
	}
	payload, err := json.Marshal(query)
	if err != nil {
		return searchPage{}, refuse(OpSearch, "the query cannot be encoded")
	}
	return call(ctx, c, request{op: OpSearch, query: map[string][]string{"payload": {string(payload)}}}, decodeSearch)
}

// FirstBy finds a message of one of some users in one of some channels, up to 100 each
// (GET /search, stream-api.md §6). What it does not find may be there all the same, as
// ChannelsByMessages says.
func (c *Client) FirstBy(ctx context.Context, userIDs, cids []string) (message Message, found bool, err error) {
	payload, err := json.Marshal(map[string]any{
		"filter_conditions":         map[string]any{"cid": map[string]any{"$in": cids}},
		"message_filter_conditions": map[string]any{"user.id": map[string]any{"$in": userIDs}},
		"limit":                     1,
	})
	if err != nil {
		return Message{}, false, refuse(OpSearch, "the query cannot be encoded")
	}
	messages, err := call(ctx, c, request{op: OpSearch, query: map[string][]string{"payload": {string(payload)}}}, func(body []byte) ([]Message, error) {
		answer, _ := decodeObject(body)
		results, err := answer.list("results")
		var messages []Message
		for _, raw := range results {
			row, _ := decodeObject(raw)
			var message Message
			if message, err = decodeRow(row["message"]); err != nil {
				break
			}
			messages = append(messages, message)
		}
		return messages, err
	})
	if err != nil || len(messages) == 0 {
		return Message{}, false, err
	}
	return messages[0], true, nil
}

func decodeSearch(body []byte) (searchPage, error) {
	answer, ok := decodeObject(body)
	if !ok {
		return searchPage{}, shapeError("the answer is not an object")
	}
	results, err := answer.list("results")
	if err != nil {
		return searchPage{}, err
	}
	var page searchPage
	for _, raw := range results {
		result, _ := decodeObject(raw)
		message, ok := decodeObject(result["message"])
		if !ok {
			return searchPage{}, shapeError("a result has no message")
		}
		cid, err := message.text("cid")
		if channel, ok := decodeObject(message["channel"]); ok && cid == "" {
			cid, err = channel.text("cid")
		}
		if err != nil || cid == "" {
			return searchPage{}, shapeError("a message has no cid")
		}
		page.cids = append(page.cids, cid)
	}
	page.next, err = answer.text("next")
	return page, err
}
