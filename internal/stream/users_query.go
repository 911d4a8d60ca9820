// Copyright (c) the terraform-provider-streamchat authors
// SPDX-License-Identifier: MPL-2.0

package stream

import (
	"context"
	"encoding/json"
	"errors"
	"iter"
	"net/url"
	"slices"
)

// UserQuery asks for users by what they are.
type UserQuery struct {
	// Filter is a JSON object in Stream's query language; {} is everybody.
	Filter json.RawMessage
	// IncludeDeactivated finds deactivated users too. Deleted ones are never found.
	IncludeDeactivated bool
	// Sort is the order, at most 5 fields. None: by id, the only order in which
	// Stream can be read to the end.
	Sort []SortField
	// Limit is how many users are wanted; 0 is all.
	Limit int
}

// SortField is a field to sort by.
type SortField struct {
	Field      string `json:"field"`
	Descending bool   `json:"-"`
}

// MarshalJSON writes Stream's form: a direction of 1 or -1.
func (s SortField) MarshalJSON() ([]byte, error) {
	direction := 1
	if s.Descending {
		direction = -1
	}
	return json.Marshal(map[string]any{"field": s.Field, "direction": direction})
}

const (
	// MaxSortedUsers is how many users a sorted query can reach.
	MaxSortedUsers = maxOffset + MaxBatch
	maxSortFields  = 5
)

// ErrUnreachable is the cause of an error about a sorted query that more than
// [MaxSortedUsers] fit.
var ErrUnreachable = errors.New("more users fit than Stream gives in a chosen order")

var byID = SortField{Field: "id"}

// QueryUsers lists the users that fit, of all [Client.UserPages].
func (c *Client) QueryUsers(ctx context.Context, q UserQuery) (users []User, err error) {
	for page, err := range c.UserPages(ctx, q) {
		if err != nil {
			return nil, err
		}
		users = append(users, page...)
	}
	return users, nil
}

// UserPages lists the users that fit as they come, 100 a page (GET /users,
// stream-api.md §10); an error is the last that comes. Without a sort it pages by
// id and reads to the end, however many there are: to an empty page, since a short
// one proves nothing. With a sort it pages by offset; more than [MaxSortedUsers]
// are [ErrUnreachable], because part of an answer must not pass for the whole. A
// filter or a sort that Stream does not take is KindInput. No page is empty.
func (c *Client) UserPages(ctx context.Context, q UserQuery) iter.Seq2[[]User, error] {
	return func(yield func([]User, error) bool) {
		if err := c.eachPage(ctx, q, func(page []User) bool { return yield(page, nil) }); err != nil {
			yield(nil, err)
		}
	}
}

func (c *Client) eachPage(ctx context.Context, q UserQuery, take func([]User) bool) error {
	if _, ok := decodeObject(q.Filter); !ok {
		return refuse(OpQueryUsers, "the filter is not a JSON object")
	}
	sorted := len(q.Sort) > 0
	sort := slices.Clone(q.Sort)
	if len(sort) < maxSortFields && !slices.ContainsFunc(sort, func(s SortField) bool { return s.Field == byID.Field }) {
		sort = append(sort, byID) // pages of equals must not overlap
	}
	known := map[string]bool{}
	filter := q.Filter
	for offset := 0; ; offset += MaxBatch {
		payload := map[string]any{
			"filter_conditions": filter, "sort": sort, "limit": MaxBatch,
			"include_deactivated_users": q.IncludeDeactivated,
		}
		if sorted {
			if offset > maxOffset {
				failure := refuse(OpQueryUsers, ErrUnreachable.Error())
				failure.cause = ErrUnreachable
				return failure
			}
			payload["offset"] = offset
		}
		page, err := c.usersPage(ctx, payload)
		if err != nil {
			return err
		}
		var fresh []User
		for _, user := range page {
			if full := q.Limit > 0 && len(known) >= q.Limit; !full && !known[user.ID] {
				known[user.ID] = true
				fresh = append(fresh, user)
			}
		}
		if len(fresh) > 0 && !take(fresh) {
			return nil
		}
		switch {
		case q.Limit > 0 && len(known) >= q.Limit, len(page) == 0, sorted && len(page) < MaxBatch:
			return nil
		case !sorted && len(fresh) == 0:
			return unexpected(OpQueryUsers, 0, shapeError("the pages go round in circles"))
		}
		if !sorted {
			filter = after(q.Filter, page[len(page)-1].ID)
		}
	}
}

// after narrows a filter to the users behind an id.
func after(filter json.RawMessage, id string) json.RawMessage {
	behind := map[string]any{"id": map[string]any{"$gt": id}}
	narrowed := behind
	if conditions, _ := decodeObject(filter); len(conditions) > 0 {
		narrowed = map[string]any{"$and": []any{filter, behind}}
	}
	raw, _ := json.Marshal(narrowed) // valid JSON and a string always encode
	return raw
}

func (c *Client) usersPage(ctx context.Context, query map[string]any) ([]User, error) {
	payload, err := json.Marshal(query)
	if err != nil {
		return nil, refuse(OpQueryUsers, "the query cannot be encoded")
	}
	if len(url.QueryEscape(string(payload))) > maxPayload {
		return nil, refuse(OpQueryUsers, "the filter is too long for one request")
	}
	return call(ctx, c, request{op: OpQueryUsers, query: url.Values{"payload": {string(payload)}}}, func(body []byte) ([]User, error) {
		answer, _ := decodeObject(body)
		rows, err := answer.list("users")
		if err != nil {
			return nil, err
		}
		users := make([]User, len(rows))
		for i, raw := range rows {
			if users[i], err = decodeUser(raw); err != nil {
				return nil, err
			}
		}
		return users, nil
	})
}
