// Copyright (c) the terraform-provider-streamchat authors
// SPDX-License-Identifier: MPL-2.0

package stream

import (
	"context"
	"errors"
)

// Deactivation is how a user is deactivated.
type Deactivation struct {
	// MarkMessagesDeleted hides the user's messages as if they were deleted
	// softly; their text stays at Stream.
	MarkMessagesDeleted bool
}

// DeactivateUser keeps a user from connecting and hides them from queries, until
// they are reactivated (POST /users/{id}/deactivate, stream-api.md §9). It
// returns the user as Stream then has them. For a user who is deactivated
// already Stream changes nothing (§15, unproven; if it refuses instead, that is
// no error here). A user who was deleted or never existed is KindNotFound.
func (c *Client) DeactivateUser(ctx context.Context, id string, d Deactivation) (User, error) {
	body := struct {
		MarkMessagesDeleted bool `json:"mark_messages_deleted,omitempty"`
	}{d.MarkMessagesDeleted}
	return c.toggle(ctx, request{op: OpDeactivateUser, path: []string{id}, body: body}, true)
}

// Reactivation is how a user is reactivated.
type Reactivation struct {
	// RestoreMessages brings back the messages that the deactivation marked as
	// deleted, not those that were deleted one by one.
	RestoreMessages bool
}

// ReactivateUser ends a deactivation (POST /users/{id}/reactivate,
// stream-api.md §9) and returns the user as Stream then has them. No name is
// sent: the SDK always sends an empty one, which may clear the user's
// (stream-sdk-traps.md §5). A user who is active already is no error; one who
// was deleted or never existed is KindNotFound.
func (c *Client) ReactivateUser(ctx context.Context, id string, r Reactivation) (User, error) {
	body := struct {
		RestoreMessages bool `json:"restore_messages,omitempty"`
	}{r.RestoreMessages}
	return c.toggle(ctx, request{op: OpReactivateUser, path: []string{id}, body: body}, false)
}

// toggle sends the request and makes sure that the user is as it leaves them.
// Where the answer does not say so, a look-up decides: an earlier attempt whose
// answer was lost makes Stream refuse the next one.
func (c *Client) toggle(ctx context.Context, r request, deactivated bool) (User, error) {
	id := r.path[0]
	user, err := call(ctx, c, r, func(body []byte) (User, error) {
		user, err := decodeToggled(body, id)
		if err == nil && (user.DeactivatedAt != nil) != deactivated {
			err = shapeError("the user is not as the request should leave them")
		}
		return user, err
	})
	var e *Error
	if !errors.As(err, &e) || !unsettled(e) {
		return user, err
	}
	found, lookErr := c.UsersByID(ctx, []string{id})
	user, ok := found[id]
	if lookErr != nil || !ok || (user.DeactivatedAt != nil) != deactivated {
		return User{}, err
	}
	return user, nil
}

// unsettled reports that a look-up may prove a change that this error leaves
// open: its answer was lost, or Stream refused it as done already.
func unsettled(e *Error) bool {
	return e.Ambiguous || e.HTTPStatus != 0 && (e.Kind == KindInput || e.Kind == KindNotFound)
}

func decodeToggled(body []byte, id string) (User, error) {
	answer, _ := decodeObject(body)
	user, err := decodeUser(answer["user"])
	if err == nil && user.ID != id {
		err = shapeError("it is about another user")
	}
	return user, err
}

// DeactivateUsers begins the deactivation of 1 to 100 users and returns Stream's task
// (POST /users/deactivate, stream-api.md §9). Messages are left as they are. A user who
// was deleted or never existed fails the whole call: KindNotFound, and NamedUser says
// who it was.
func (c *Client) DeactivateUsers(ctx context.Context, ids []string) (taskID string, err error) {
	return c.toggleMany(ctx, OpDeactivateUsers, ids)
}

// ReactivateUsers begins the end of the deactivation of 1 to 100 users and returns
// Stream's task (POST /users/reactivate, stream-api.md §9).
func (c *Client) ReactivateUsers(ctx context.Context, ids []string) (taskID string, err error) {
	return c.toggleMany(ctx, OpReactivateUsers, ids)
}

func (c *Client) toggleMany(ctx context.Context, op Operation, ids []string) (taskID string, err error) {
	if err := checkBatch(op, ids); err != nil {
		return "", err
	}
	return call(ctx, c, request{op: op, body: map[string]any{"user_ids": ids}}, decodeTaskID)
}
