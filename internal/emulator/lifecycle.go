// Copyright (c) the terraform-provider-streamchat authors
// SPDX-License-Identifier: MPL-2.0

package emulator

import "strings"

// restoreUsers is POST /users/restore: the metadata of soft-deleted users comes
// back, their memberships do not.
func (e *Emulator) restoreUsers(c *call) error {
	var in struct {
		UserIDs []string `json:"user_ids"`
	}
	if err := c.bind(&in); err != nil {
		return err
	}
	if len(in.UserIDs) == 0 || len(in.UserIDs) > maxIDs {
		return bad("user_ids must contain 1 to %d items", maxIDs)
	}
	for _, id := range in.UserIDs {
		u, ok := e.users[id]
		if !ok {
			// unproven: dossier 9 has no sample of an unknown id.
			return notFound("the user %s does not exist", id)
		}
		// unproven: dossier 9, only soft-deleted users can be restored; the
		// text for a hard-deleted one is not recorded.
		if u.deletedAt == 0 || u.hard {
			return bad(`user "%s" is not deleted, it can't be restored`, id)
		}
	}
	for _, id := range in.UserIDs {
		u := e.users[id]
		u.deletedAt = 0
		u.updatedAt = c.now
		u.left = nil
	}
	return nil
}

type deactivation struct {
	UserIDs             []string `json:"user_ids"`
	MarkMessagesDeleted bool     `json:"mark_messages_deleted"`
	MarkChannelsDeleted bool     `json:"mark_channels_deleted"`
	CreatedByID         string   `json:"created_by_id"`
}

// deactivateUser is POST /users/{id}/deactivate.
func (e *Emulator) deactivateUser(c *call) error {
	var in deactivation
	if err := c.bind(&in); err != nil {
		return err
	}
	u, err := e.liveUser(c.path("id"))
	if err != nil {
		return err
	}
	if err := e.checkActor(in.CreatedByID); err != nil {
		return err
	}
	e.deactivate(u, in, c.now)
	c.out.key("user")
	c.out.fullUser(u)
	return nil
}

// checkActor: created_by_id has to name a user, if it names anything.
func (e *Emulator) checkActor(id string) error {
	if id == "" {
		return nil
	}
	_, err := e.activeUser(id)
	return err
}

func (e *Emulator) deactivate(u *user, in deactivation, at stamp) {
	if u.deactivatedAt != 0 {
		return // unproven: dossier 15, once more changes nothing
	}
	u.deactivatedAt = at
	u.updatedAt = at
	if in.MarkMessagesDeleted {
		for m := range u.messages.all() {
			if m.deletedAt == 0 {
				m.softDelete(at)
				m.byDeactivation = true
			}
		}
	}
	if in.MarkChannelsDeleted {
		for ch := range u.owned {
			if ch.deletedAt == 0 {
				ch.deletedAt = at
				ch.byDeactivation = true
			}
		}
	}
}

// deactivateUsers is POST /users/deactivate, a task.
func (e *Emulator) deactivateUsers(c *call) error {
	var in deactivation
	if err := c.bind(&in); err != nil {
		return err
	}
	list, err := e.batch(in.UserIDs, in.CreatedByID)
	if err != nil {
		return err
	}
	t := e.startTask(c, func(at stamp) {
		for _, u := range list {
			if u.deletedAt == 0 {
				e.deactivate(u, in, at)
			}
		}
	}, usersResult(list))
	c.out.kstr("task_id", t.id)
	return nil
}

func (e *Emulator) batch(ids []string, by string) ([]*user, error) {
	if len(ids) == 0 || len(ids) > maxIDs {
		return nil, bad("user_ids must contain 1 to %d items", maxIDs)
	}
	if err := e.checkActor(by); err != nil {
		return nil, err
	}
	var list []*user
	for _, id := range unique(ids) {
		u, err := e.liveUser(id)
		if err != nil {
			return nil, err
		}
		list = append(list, u)
	}
	return list, nil
}

// usersResult is the result of the tasks that change users.
// unproven: dossier 8, for ReactivateUsers.
func usersResult(list []*user) func(*call, *enc) {
	return func(_ *call, out *enc) {
		out.open('{')
		out.key("users").open('[')
		for _, u := range list {
			out.fullUser(u)
		}
		out.shut(']')
		out.shut('}')
	}
}

type reactivation struct {
	UserIDs         []string `json:"user_ids"`
	RestoreMessages bool     `json:"restore_messages"`
	RestoreChannels bool     `json:"restore_channels"`
	Name            string   `json:"name"`
	CreatedByID     string   `json:"created_by_id"`
}

// reactivateUser is POST /users/{id}/reactivate.
func (e *Emulator) reactivateUser(c *call) error {
	var in reactivation
	if err := c.bind(&in); err != nil {
		return err
	}
	u, err := e.liveUser(c.path("id"))
	if err != nil {
		return err
	}
	if err := e.checkActor(in.CreatedByID); err != nil {
		return err
	}
	if u.deactivatedAt == 0 {
		return bad("user %s is not deactivated", u.id) // unproven: dossier 15, the code
	}
	// An empty name, which v6 always sends, is no name.
	if in.Name != "" {
		if e.app.uniqueNames() && e.nameTaken(in.Name, u) {
			return &apiError{400, codeDuplicate, "username '" + in.Name + "' already exists"}
		}
		u.fields = u.fields.clone()
		u.fields.set("name", appendString(nil, in.Name))
	}
	e.reactivate(u, in, c.now)
	c.out.key("user")
	c.out.fullUser(u)
	return nil
}

func (e *Emulator) nameTaken(name string, but *user) bool {
	for _, u := range e.users {
		if u != but && u.deletedAt == 0 && strings.EqualFold(u.fields.text("name"), name) {
			return true
		}
	}
	return false
}

func (e *Emulator) reactivate(u *user, in reactivation, at stamp) {
	if u.deactivatedAt == 0 {
		return
	}
	u.deactivatedAt = 0
	u.updatedAt = at
	if in.RestoreMessages {
		for m := range u.messages.all() {
			// Messages that were deleted one by one stay deleted.
			if m.byDeactivation {
				m.undelete()
			}
		}
	}
	if in.RestoreChannels {
		for ch := range u.owned {
			if ch.byDeactivation {
				ch.deletedAt, ch.byDeactivation = 0, false
			}
		}
	}
}

// reactivateUsers is POST /users/reactivate, a task.
func (e *Emulator) reactivateUsers(c *call) error {
	var in reactivation
	if err := c.bind(&in); err != nil {
		return err
	}
	list, err := e.batch(in.UserIDs, in.CreatedByID)
	if err != nil {
		return err
	}
	t := e.startTask(c, func(at stamp) {
		for _, u := range list {
			if u.deletedAt == 0 {
				e.reactivate(u, in, at)
			}
		}
	}, usersResult(list))
	c.out.kstr("task_id", t.id)
	return nil
}
