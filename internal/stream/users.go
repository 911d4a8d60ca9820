// Copyright (c) the terraform-provider-streamchat authors
// SPDX-License-Identifier: MPL-2.0

package stream

import (
	"context"
	"encoding/json"
	"errors"
	"iter"
	"maps"
	"net/url"
	"slices"
	"time"
)

// User is a row of Stream's user query (stream-api.md §9, v1 dialect).
type User struct {
	ID   string
	Role string
	// Times are UTC, nil when Stream did not give them.
	CreatedAt, UpdatedAt, LastActive, DeactivatedAt, DeletedAt *time.Time

	Banned bool
	Teams  []string
	// Fields is the whole row by key, Stream's fields and the flattened custom
	// ones, as Stream sent them.
	Fields map[string]json.RawMessage
}

// OwnField reports that a field of a user is Stream's own, not a custom one.
func OwnField(name string) bool { return ownFields[name] }

// ownFields are Stream's own fields of a user: FullUserResponse and
// UserResponse of the OpenAPI.
var ownFields = map[string]bool{
	"avg_response_time": true, "ban_expires": true, "banned": true, "blocked_user_ids": true,
	"bypass_moderation": true, "channel_mutes": true, "created_at": true, "custom": true,
	"deactivated_at": true, "deleted_at": true, "devices": true, "id": true, "image": true,
	"invisible": true, "language": true, "last_active": true, "last_engaged_at": true,
	"latest_hidden_channels": true, "mutes": true, "name": true, "online": true,
	"privacy_settings": true, "push_notifications": true, "revoke_tokens_issued_before": true,
	"role": true, "shadow_banned": true, "teams": true, "teams_role": true,
	"total_unread_count": true, "unread_channels": true, "unread_count": true,
	"unread_threads": true, "updated_at": true,
}

// Custom returns the fields that are not Stream's own: flattened on the row as
// Stream sends them today, or in an object "custom" as its specification has
// it (stream-api.md §0). A field in both places is taken from the row.
func (u User) Custom() map[string]json.RawMessage {
	custom := map[string]json.RawMessage{}
	if nested, ok := decodeObject(u.Fields["custom"]); ok {
		maps.Copy(custom, nested)
	} else if raw, ok := u.Fields["custom"]; ok && string(raw) != "null" {
		custom["custom"] = raw
	}
	for key, value := range u.Fields {
		if !ownFields[key] {
			custom[key] = value
		}
	}
	return custom
}

// UsersByID looks users up, deactivated ones included (GET /users,
// stream-api.md §10). The map has no entry for an id that is deleted or never
// existed: a query cannot tell these apart, see ProbeUser. Any number of ids,
// in queries of at most 100. An answer that lacks the list, or that holds
// users nobody asked for, is KindUnexpectedBody.
func (c *Client) UsersByID(ctx context.Context, ids []string) (map[string]User, error) {
	if slices.Contains(ids, "") {
		return nil, refuse(OpQueryUsers, "an id is empty")
	}
	users := make(map[string]User, len(ids))
	for chunk := range userQueries(ids) {
		payload, err := json.Marshal(usersQuery(chunk))
		if err != nil {
			return nil, refuse(OpQueryUsers, "the query cannot be encoded")
		}
		found, err := call(ctx, c, request{op: OpQueryUsers, query: url.Values{"payload": {string(payload)}}},
			func(body []byte) (map[string]User, error) { return decodeUsers(body, chunk) })
		if err != nil {
			return nil, err
		}
		maps.Copy(users, found)
	}
	return users, nil
}

func usersQuery(ids []string) map[string]any {
	return map[string]any{
		"filter_conditions":         map[string]any{"id": map[string]any{"$in": ids}},
		"include_deactivated_users": true,
		"limit":                     MaxBatch,
	}
}

// userQueries cuts ids, without repeats, into what fits one query.
func userQueries(ids []string) iter.Seq[[]string] {
	return func(yield func([]string) bool) {
		const frame = 160 // the query around the ids, escaped
		var chunk []string
		size := frame
		seen := make(map[string]bool, len(ids))
		for _, id := range ids {
			if seen[id] {
				continue
			}
			seen[id] = true
			quoted, _ := json.Marshal(id) // a string always encodes
			cost := len(url.QueryEscape(string(quoted) + ","))
			if len(chunk) > 0 && (len(chunk) == MaxBatch || size+cost > maxPayload) {
				if !yield(chunk) {
					return
				}
				chunk, size = nil, frame
			}
			chunk = append(chunk, id)
			size += cost
		}
		if len(chunk) > 0 {
			yield(chunk)
		}
	}
}

func decodeUsers(body []byte, asked []string) (map[string]User, error) {
	answer, ok := decodeObject(body)
	if !ok {
		return nil, shapeError("the answer is not an object")
	}
	rows, err := answer.list("users")
	if err != nil {
		return nil, err
	}
	users := make(map[string]User, len(rows))
	for _, raw := range rows {
		user, err := decodeUser(raw)
		if err != nil {
			return nil, err
		}
		if !slices.Contains(asked, user.ID) {
			return nil, shapeError("there is a user who was not asked for")
		}
		users[user.ID] = user
	}
	return users, nil
}

func decodeUser(raw []byte) (User, error) {
	row, ok := decodeObject(raw)
	if !ok {
		return User{}, shapeError("a user is not an object")
	}
	// Guards ask these fields: two answers to one question are none.
	if !once(raw) || !once(row["custom"]) {
		return User{}, shapeError("a user holds a field twice")
	}
	user := User{Fields: row}
	var err error
	if user.ID, err = row.must("id"); err != nil {
		return User{}, err
	}
	if user.Role, err = row.text("role"); err != nil {
		return User{}, err
	}
	for key, into := range map[string]**time.Time{
		"created_at": &user.CreatedAt, "updated_at": &user.UpdatedAt, "last_active": &user.LastActive,
		"deactivated_at": &user.DeactivatedAt, "deleted_at": &user.DeletedAt,
	} {
		if *into, err = row.moment(key); err != nil {
			return User{}, err
		}
	}
	if err := row.into("banned", &user.Banned, "true or false"); err != nil {
		return User{}, err
	}
	if err := row.into("teams", &user.Teams, "a list of texts"); err != nil {
		return User{}, err
	}
	return user, nil
}

// Presence is what Stream says about a user id.
type Presence string

// The presences.
const (
	PresencePresent     Presence = "present"
	PresenceDeactivated Presence = "deactivated"
	PresenceDeleted     Presence = "deleted" // soft, pruned or hard: Stream does not say
	PresenceMissing     Presence = "missing" // never existed
)

// ProbeUser asks for the one thing that tells a deleted user from one who
// never existed: a partial update that changes nothing (PATCH /users,
// stream-api.md §4 and §9). Only Stream's own sentence about that very id is
// believed; anything else is an error.
func (c *Client) ProbeUser(ctx context.Context, id string) (Presence, error) {
	if id == "" {
		return "", refuse(OpUpdateUsersPartial, "the id is empty")
	}
	_, err := call(ctx, c, partialUpdate([]string{id}, map[string]any{}), func(body []byte) (struct{}, error) {
		_, err := decodeUpdated(body, []string{id})
		return struct{}{}, err
	})
	if err == nil {
		return PresencePresent, nil
	}
	var e *Error
	if !errors.As(err, &e) || e.Kind != KindNotFound {
		return "", err
	}
	switch named, verdict := e.verdict(); {
	case named != id:
	case verdict == "does not exist":
		return PresenceMissing, nil
	case verdict == "was deleted":
		return PresenceDeleted, nil
	case verdict == "was deactivated":
		return PresenceDeactivated, nil
	}
	e.Kind, e.detail = KindUnexpectedBody, "it does not say whether the user was deleted or never existed"
	return "", e
}

// partialUpdate is a PATCH /users with the same change for all.
func partialUpdate(ids []string, set map[string]any) request {
	type update struct {
		ID    string         `json:"id"`
		Set   map[string]any `json:"set"`
		Unset []string       `json:"unset"`
	}
	updates := make([]update, 0, len(ids))
	for _, id := range ids {
		updates = append(updates, update{id, set, []string{}})
	}
	return request{op: OpUpdateUsersPartial, body: map[string]any{"users": updates}}
}

// decodeUpdated gives the users of an answer to an update, which must hold every one.
func decodeUpdated(body []byte, ids []string) (updated []object, err error) {
	answer, _ := decodeObject(body)
	users, ok := decodeObject(answer["users"])
	if !ok {
		return nil, shapeError("users is not an object")
	}
	for _, id := range ids {
		user, ok := decodeObject(users[id])
		if !ok {
			return nil, shapeError("a user is missing in it")
		}
		updated = append(updated, user)
	}
	return updated, nil
}

// UserDeletion is what a deletion takes along (stream-api.md §2). The modes
// are "soft", "pruning" (user and messages only) or "hard"; "" leaves a field
// out of the request, which for User means soft and for the others untouched.
type UserDeletion struct {
	User, Messages, Conversations, Calls string
	// Files deletes all that the user uploaded.
	Files                             bool
	NewChannelOwnerID, NewCallOwnerID string
}

// DeleteUsers begins the deletion of 1 to 100 users and returns Stream's task
// (POST /users/delete, stream-api.md §2). The users are marked deleted at
// once, their data goes with the task. Ids that do not exist are accepted by
// Stream. A failure with Ambiguous set may have begun the deletion; repeating
// is safe and was done up to MaxRetries times already.
func (c *Client) DeleteUsers(ctx context.Context, ids []string, deletion UserDeletion) (taskID string, err error) {
	if err := checkBatch(OpDeleteUsers, ids); err != nil {
		return "", err
	}
	body := struct {
		UserIDs           []string `json:"user_ids"`
		User              string   `json:"user,omitempty"`
		Messages          string   `json:"messages,omitempty"`
		Conversations     string   `json:"conversations,omitempty"`
		Calls             string   `json:"calls,omitempty"`
		Files             bool     `json:"files,omitempty"`
		NewChannelOwnerID string   `json:"new_channel_owner_id,omitempty"`
		NewCallOwnerID    string   `json:"new_call_owner_id,omitempty"`
	}{
		ids, deletion.User, deletion.Messages, deletion.Conversations, deletion.Calls,
		deletion.Files, deletion.NewChannelOwnerID, deletion.NewCallOwnerID,
	}
	return call(ctx, c, request{op: OpDeleteUsers, body: body}, decodeTaskID)
}

func decodeTaskID(body []byte) (string, error) {
	answer, ok := decodeObject(body)
	if !ok {
		return "", shapeError("the answer is not an object")
	}
	return answer.must("task_id")
}

// checkBatch refuses what Stream would: it takes 1 to 100 ids.
func checkBatch(op Operation, ids []string) error {
	switch {
	case len(ids) == 0:
		return refuse(op, "there are no ids")
	case len(ids) > MaxBatch:
		return refuse(op, "there are more than 100 ids")
	case slices.Contains(ids, ""):
		return refuse(op, "an id is empty")
	}
	return nil
}

// RestoreUsers brings back 1 to 100 soft-deleted users, without memberships
// (POST /users/restore, stream-api.md §9). A user who is not deleted is
// KindInput.
func (c *Client) RestoreUsers(ctx context.Context, ids []string) error {
	if err := checkBatch(OpRestoreUsers, ids); err != nil {
		return err
	}
	_, err := call(ctx, c, request{op: OpRestoreUsers, body: map[string]any{"user_ids": ids}}, accept)
	var e *Error
	if !errors.As(err, &e) || !e.Ambiguous || e.Kind != KindInput || !e.says("is not deleted") {
		return err
	}
	// An earlier attempt may have restored them, but the sentence names one user
	// only: look whether all are back.
	found, lookErr := c.UsersByID(ctx, ids)
	if lookErr != nil {
		return err
	}
	for _, id := range ids {
		if _, ok := found[id]; !ok {
			return err
		}
	}
	return nil
}

// RevokeTokens makes the tokens invalid that were issued to 1 to 100 users
// before the time, which is sent in UTC with microseconds (PATCH /users,
// stream-api.md §9; the SDK cuts it to seconds). Every user must exist and be
// active: one that does not is KindNotFound and NamedUser says which. An answer
// that lacks one of them, or says another time of them, is KindUnexpectedBody.
func (c *Client) RevokeTokens(ctx context.Context, ids []string, before time.Time) error {
	if err := checkBatch(OpUpdateUsersPartial, ids); err != nil {
		return err
	}
	const field = "revoke_tokens_issued_before"
	set := map[string]any{field: timestamp(before)}
	_, err := call(ctx, c, partialUpdate(ids, set), func(body []byte) (struct{}, error) {
		users, err := decodeUpdated(body, ids)
		if err != nil {
			return struct{}{}, err
		}
		for _, user := range users {
			at, err := user.moment(field)
			if err == nil && at != nil && at.Before(before.Truncate(time.Second)) {
				err = shapeError("a user's tokens are not revoked up to that time")
			}
			if err != nil {
				return struct{}{}, err
			}
		}
		return struct{}{}, nil
	})
	return err
}
