// Copyright (c) the terraform-provider-streamchat authors
// SPDX-License-Identifier: MPL-2.0

package stream

import (
	"context"
	"encoding/json"
	"errors"
	"net/url"
	"slices"
)

// Poll is a poll and who made it.
type Poll struct {
	ID, CreatedByID string
}

// PollsCreatedBy lists all polls of any number of creators, 100 creators a
// query and 100 polls a page (POST /polls/query, stream-api.md §11). Stream
// wants a user to ask as. A poll of somebody who was not asked for is
// KindUnexpectedBody: the caller is going to delete what it gets.
func (c *Client) PollsCreatedBy(ctx context.Context, creators []string, asUser string) ([]Poll, error) {
	if asUser == "" {
		return nil, refuse(OpQueryPolls, "there is no user to ask as")
	}
	var polls []Poll
	known := map[string]bool{}
	for chunk := range slices.Chunk(creators, MaxBatch) {
		wanted := map[string]bool{}
		for _, id := range chunk {
			if id == "" {
				return nil, refuse(OpQueryPolls, "an id is empty")
			}
			wanted[id] = true
		}
		seen := map[string]bool{}
		for next := ""; ; {
			page, err := call(ctx, c, pollsRequest(chunk, asUser, next), func(body []byte) (pollsPage, error) {
				return decodePolls(body, wanted)
			})
			if err != nil {
				return nil, err
			}
			for _, p := range page.polls {
				if !known[p.ID] {
					known[p.ID] = true
					polls = append(polls, p)
				}
			}
			if next = page.next; next == "" {
				break
			}
			if seen[next] {
				return nil, unexpected(OpQueryPolls, 0, shapeError("the pages go round in circles"))
			}
			seen[next] = true
		}
	}
	return polls, nil
}

func pollsRequest(creators []string, asUser, next string) request {
	body := map[string]any{
		"filter": map[string]any{"created_by_id": map[string]any{"$in": creators}},
		"limit":  MaxBatch,
	}
	if next != "" {
		body["next"] = next
	}
	return request{op: OpQueryPolls, query: url.Values{"user_id": {asUser}}, body: body}
}

type pollsPage struct {
	polls []Poll
	next  string
}

func decodePolls(body []byte, wanted map[string]bool) (pollsPage, error) {
	answer, ok := decodeObject(body)
	if !ok {
		return pollsPage{}, shapeError("the answer is not an object")
	}
	rows, err := answer.list("polls")
	if err != nil {
		return pollsPage{}, err
	}
	page := pollsPage{polls: make([]Poll, 0, len(rows))}
	if page.next, err = answer.text("next"); err != nil {
		return pollsPage{}, err
	}
	for _, raw := range rows {
		row, ok := decodeObject(raw)
		if !ok {
			return pollsPage{}, shapeError("a poll is not an object")
		}
		var p Poll
		if p.ID, err = row.must("id"); err != nil {
			return pollsPage{}, err
		}
		if p.CreatedByID, err = row.must("created_by_id"); err != nil {
			return pollsPage{}, err
		}
		if !wanted[p.CreatedByID] {
			return pollsPage{}, shapeError("there is a poll of somebody who was not asked for")
		}
		page.polls = append(page.polls, p)
	}
	return page, nil
}

// DeletePoll deletes a poll in the name of userID (DELETE /polls/{id},
// stream-api.md §11). A poll that is gone is KindNotFound, unless an earlier
// attempt of this very call may have deleted it. A userID that Stream will not
// act for is KindInput, not KindNotFound: the poll is still there.
func (c *Client) DeletePoll(ctx context.Context, pollID, userID string) error {
	if userID == "" {
		return refuse(OpDeletePoll, "there is no user to act as")
	}
	_, err := call(ctx, c, request{
		op: OpDeletePoll, path: []string{pollID}, query: url.Values{"user_id": {userID}},
	}, accept)
	var e *Error
	if !errors.As(err, &e) || e.Kind != KindNotFound {
		return err
	}
	if id, _ := e.verdict(); id != "" {
		e.Kind, e.detail = KindInput, "this is about the user to act as, not about the poll"
		return e
	}
	if e.Ambiguous {
		return nil
	}
	return e
}

// AnyActiveUser is some active user of the app, on whose behalf a server may list
// what Stream only lists for a user; "" when there is none.
func (c *Client) AnyActiveUser(ctx context.Context) (string, error) {
	users, err := c.QueryUsers(ctx, UserQuery{Filter: json.RawMessage(`{}`), Limit: 1})
	if err != nil || len(users) == 0 {
		return "", err
	}
	return users[0].ID, nil
}
