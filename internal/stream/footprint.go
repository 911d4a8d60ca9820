// Copyright (c) the terraform-provider-streamchat authors
// SPDX-License-Identifier: MPL-2.0

package stream

import (
	"context"
	"encoding/json"
	"net/url"
)

// ConversationsOf returns the cids of the channels that have exactly two
// members, a user being one of them, as ChannelsOfMember does: what a deletion
// of conversations takes (stream-api.md §2).
func (c *Client) ConversationsOf(ctx context.Context, userID string) ([]string, error) {
	return c.channelsWhere(ctx, map[string]any{
		"members":      map[string]any{"$in": []string{userID}},
		"member_count": map[string]any{"$eq": 2},
	})
}

// CountMessages counts the messages of a user that Stream's search finds, up to
// most (GET /search, stream-api.md §6). It is a lower bound: the search has no
// total, leaves deleted messages and some channels out, and its index lags.
func (c *Client) CountMessages(ctx context.Context, userID string, most int) (int, error) {
	ids, pages := map[string]bool{}, map[string]bool{}
	query := map[string]any{
		"filter_conditions":         searchGap{}.filter(),
		"message_filter_conditions": map[string]any{"user.id": map[string]any{"$eq": userID}},
		"sort":                      []any{map[string]any{"field": "created_at", "direction": -1}},
		"limit":                     MaxBatch,
	}
	for {
		payload, err := json.Marshal(query)
		if err != nil {
			return 0, refuse(OpSearch, "the query cannot be encoded")
		}
		next, err := call(ctx, c, request{op: OpSearch, query: url.Values{"payload": {string(payload)}}}, func(body []byte) (string, error) {
			return decodeMessageIDs(body, ids)
		})
		switch {
		case err != nil:
			return 0, err
		case next == "" || len(ids) >= most:
			return min(len(ids), most), nil
		case pages[next]:
			return 0, unexpected(OpSearch, 0, shapeError("the pages go round in circles"))
		}
		pages[next], query["next"] = true, next
	}
}

// decodeMessageIDs adds the ids of a page's messages, which may overlap with the
// page before, and returns where the next begins.
func decodeMessageIDs(body []byte, ids map[string]bool) (next string, err error) {
	answer, _ := decodeObject(body)
	results, err := answer.list("results")
	if err != nil {
		return "", err
	}
	for _, raw := range results {
		result, _ := decodeObject(raw)
		message, _ := decodeObject(result["message"])
		id, err := message.must("id")
		if err != nil {
			return "", err
		}
		ids[id] = true
	}
	return answer.text("next")
}
