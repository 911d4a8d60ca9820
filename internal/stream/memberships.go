// Copyright (c) the terraform-provider-streamchat authors
// SPDX-License-Identifier: MPL-2.0

package stream

import (
	"context"
	"encoding/json"
	"net/url"
)

// Membership is a channel with its members.
type Membership struct {
	CID     string
	Members []string
}

// maxListed is how many members a query of channels lists (stream-api.md §5.4).
const maxListed = 100

// SmallChannelsOf returns the channels of some users, up to 100, that have between two
// and most members, 100 at the most (POST /channels, stream-api.md §5.4). A channel whose
// members Stream does not list in full is KindUnexpectedBody: half of them says nothing.
func (c *Client) SmallChannelsOf(ctx context.Context, userIDs []string, most int) ([]Membership, error) {
	if err := checkBatch(OpQueryChannels, userIDs); err != nil {
		return nil, err
	}
	channels, err := c.channelsWith(ctx, maxListed, map[string]any{
		"members":      map[string]any{"$in": userIDs},
		"member_count": map[string]any{"$lte": min(most, maxListed)},
	})
	var found []Membership
	for _, row := range channels.rows {
		if err == nil && (row.count == nil || len(row.members) != *row.count) {
			err = unexpected(OpQueryChannels, 201, shapeError("a channel does not list all of its members"))
		}
		if len(row.members) >= 2 {
			found = append(found, Membership{row.cid, row.members})
		}
	}
	return found, err
}

// MembersOfChannels returns the ids of the members of up to 100 channels, by cid. A channel
// of which Stream does not give all is in incomplete; one that it does not find is in
// neither.
func (c *Client) MembersOfChannels(
	ctx context.Context, cids []string,
) (members map[string][]string, incomplete map[string]bool, err error) {
	if err := checkBatch(OpQueryChannels, cids); err != nil {
		return nil, nil, err
	}
	members, incomplete = map[string][]string{}, map[string]bool{}
	channels, err := c.channelsWith(ctx, maxListed, map[string]any{"cid": map[string]any{"$in": cids}})
	for _, row := range channels.rows {
		members[row.cid] = row.members
		if err == nil && (row.count == nil || len(row.members) != *row.count) {
			var all bool
			members[row.cid], all, err = c.membersOf(ctx, row.cid)
			incomplete[row.cid] = !all
		}
	}
	return members, incomplete, err
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
