// Copyright (c) the terraform-provider-streamchat authors
// SPDX-License-Identifier: MPL-2.0

package emulator

import (
	"encoding/json"
	"net/http"
	"regexp"
	"slices"
	"time"
)

// user is a user, or what is left of one: an id that was deleted stays taken.
type user struct {
	id            string
	role          string
	language      string
	teams         []string
	invisible     bool
	banned        bool
	shadowBanned  bool
	createdAt     stamp
	updatedAt     stamp
	lastActive    stamp
	deactivatedAt stamp
	deletedAt     stamp
	revokeBefore  stamp
	hard          bool // hard deleted, or about to be: it cannot be restored
	wiped         bool // nothing but the id is left
	pruned        bool
	filesDeleted  bool
	callsDeleted  string
	fields        object // name, image and custom data as they were sent

	devices   []device
	channels  map[*channel]*member
	owned     map[*channel]bool
	messages  bag[*message]
	reactions bag[*reaction]
	// left are the two-member channels that a deletion took the user out of.
	left []*channel
}

var userIDRule = regexp.MustCompile(`^[@\w-]{1,255}$`)

var builtinRoles = []string{"user", "admin", "guest", "anonymous", "moderator", "global_admin", "global_moderator"}

// reservedUserFields are Stream's own.
var reservedUserFields = []string{
	"created_at", "updated_at", "last_active", "deleted_at", "deactivated_at", "banned", "shadow_banned",
	"ban_expires", "online", "mutes", "channel_mutes", "devices", "unread_count", "total_unread_count",
	"unread_channels", "unread_threads", "blocked_user_ids",
}

// maxCustom is how much custom data an object may have.
const maxCustom = 5 * 1024

// maxIDs is how many ids a batch may have.
const maxIDs = 100

func userRoutes() []route {
	return []route{
		newRoute("POST /users", opUpdateUsers, anyone, (*Emulator).updateUsers),
		newRoute("PATCH /users", opUpdateUsersPartial, anyone, (*Emulator).updateUsersPartial),
		newRoute("GET /users", opQueryUsers, anyone, (*Emulator).queryUsers),
		newRoute("POST /users/delete", opDeleteUsers, serverOnly, (*Emulator).deleteUsers),
		newRoute("POST /users/restore", opRestoreUsers, serverOnly, (*Emulator).restoreUsers),
		newRoute("POST /users/deactivate", opDeactivateUsers, serverOnly, (*Emulator).deactivateUsers),
		newRoute("POST /users/reactivate", opReactivateUsers, serverOnly, (*Emulator).reactivateUsers),
		newRoute("POST /users/{id}/deactivate", opDeactivateUser, serverOnly, (*Emulator).deactivateUser),
		newRoute("POST /users/{id}/reactivate", opReactivateUser, serverOnly, (*Emulator).reactivateUser),
		newRoute("DELETE /users/{id}", opDeleteUser, serverOnly, (*Emulator).deleteUser),
	}
}

// addUser makes a user of an id that was never used.
func (e *Emulator) addUser(id string, now stamp) *user {
	u := &user{
		id: id, role: "user", createdAt: now, updatedAt: now,
		channels: map[*channel]*member{}, owned: map[*channel]bool{},
	}
	e.users[id] = u
	e.userIDs.add(id)
	return u
}

// nestedUser upserts the user of an object inside another request.
// unproven: that someone who exists changes by it, and keeps what it leaves out;
// dossier 4 has only that it creates whoever is missing.
func (e *Emulator) nestedUser(o object, now stamp) (*user, error) {
	up, err := e.parseUser(o.text("id"), o)
	if err != nil {
		return nil, err
	}
	if _, ok := e.users[up.id]; !ok {
		u := e.addUser(up.id, now)
		u.replace(up, now)
		return u, nil
	}
	u, err := e.activeUser(up.id)
	if err != nil {
		return nil, err
	}
	set := o.clone()
	set.unset("id")
	if len(set) == 0 {
		return u, nil
	}
	next := *u
	next.fields = u.fields.clone()
	if err := e.patchUser(&next, set, nil, true); err != nil {
		return nil, err
	}
	next.updatedAt = now
	*u = next
	return u, nil
}

func (u *user) replace(up *userUpdate, now stamp) {
	u.role, u.language, u.teams, u.invisible, u.fields = up.role, up.language, up.teams, up.invisible, up.fields
	u.updatedAt = now
}

// userUpdate is what an upsert makes of a user.
type userUpdate struct {
	id        string
	role      string
	language  string
	teams     []string
	invisible bool
	fields    object
}

func (e *Emulator) parseUser(key string, o object) (*userUpdate, error) {
	up := &userUpdate{role: "user"} // unproven: whether an upsert without role resets it
	for _, f := range o {
		var err error
		switch f.key {
		case "id":
			err = decode(f.raw, &up.id)
		case "role":
			if err = decode(f.raw, &up.role); err == nil {
				err = e.checkRole(up.role)
			}
		case "language":
			err = decode(f.raw, &up.language)
		case "teams":
			err = decode(f.raw, &up.teams)
		case "invisible":
			err = decode(f.raw, &up.invisible)
		case "name", "image":
			var s string
			if err = decode(f.raw, &s); err == nil {
				up.fields.set(f.key, f.raw)
			}
		case "revoke_tokens_issued_before":
			err = bad("%s is a reserved field", f.key)
		default:
			if slices.Contains(reservedUserFields, f.key) {
				err = bad("%s is a reserved field", f.key)
			}
			up.fields.set(f.key, f.raw)
		}
		if err != nil {
			return nil, err
		}
	}
	if up.id == "" {
		up.id = key
	}
	switch {
	case up.id != key:
		return nil, bad("user id %q does not match its key %q", up.id, key)
	case !userIDRule.MatchString(up.id):
		return nil, bad("user id %q is not valid", up.id)
	}
	return up, checkCustom(up.fields)
}

func checkCustom(o object) error {
	if o.size() > maxCustom {
		// The code is proven by the suite of 2021, the wording is not.
		return &apiError{http.StatusRequestEntityTooLarge, codeTooBig, "custom data is larger than 5KB"}
	}
	return nil
}

func (e *Emulator) checkRole(role string) error {
	if !e.roles[role] {
		return bad("role %q provided but not defined", role)
	}
	return nil
}

// updateUsers is POST /users: it replaces whole users. One bad user fails the
// batch.
func (e *Emulator) updateUsers(c *call) error {
	var in struct {
		Users object `json:"users"`
	}
	if err := c.bind(&in); err != nil {
		return err
	}
	if len(in.Users) == 0 || len(in.Users) > maxIDs {
		return bad("users must contain 1 to %d items", maxIDs)
	}
	ups := make([]*userUpdate, 0, len(in.Users))
	for _, f := range in.Users {
		o, err := parseObject(f.raw)
		if err != nil {
			return errBadJSON()
		}
		up, err := e.parseUser(f.key, o)
		if err != nil {
			return err
		}
		if err := e.mayUpdate(c, up.id); err != nil {
			return err
		}
		if _, ok := e.users[up.id]; ok {
			u, err := e.activeUser(up.id)
			if err != nil {
				return err
			}
			if !c.server && up.role != u.role {
				if _, sent := o.get("role"); sent {
					return notAllowed("User '%s' is not allowed to change the role", c.actor.id)
				}
				up.role = u.role
			}
		}
		ups = append(ups, up)
	}
	c.out.key("users").open('{')
	for _, up := range ups {
		u, ok := e.users[up.id]
		if !ok {
			u = e.addUser(up.id, c.now)
		}
		u.replace(up, c.now)
		c.out.key(u.id)
		c.out.fullUser(u)
	}
	c.out.shut('}')
	c.out.kstr("membership_deletion_task_id", "")
	return nil
}

// mayUpdate: an end user changes nobody but themselves.
func (e *Emulator) mayUpdate(c *call, id string) error {
	if !c.server && c.actor.id != id {
		return notAllowed("User '%s' is not allowed to update user '%s'", c.actor.id, id)
	}
	return nil
}

// updateUsersPartial is PATCH /users.
func (e *Emulator) updateUsersPartial(c *call) error {
	var in struct {
		Users []struct {
			ID    string   `json:"id"`
			Set   object   `json:"set"`
			Unset []string `json:"unset"`
		} `json:"users"`
	}
	if err := c.bind(&in); err != nil {
		return err
	}
	if len(in.Users) == 0 || len(in.Users) > maxIDs {
		return bad("users must contain 1 to %d items", maxIDs)
	}
	var list []*user
	var results []user
	for _, p := range in.Users {
		if err := e.mayUpdate(c, p.ID); err != nil {
			return err
		}
		u, err := e.activeUser(p.ID)
		if err != nil {
			return err
		}
		next := *u
		next.fields = u.fields.clone()
		if err := e.patchUser(&next, p.Set, p.Unset, c.server); err != nil {
			return err
		}
		// unproven: a PATCH that sets and unsets nothing is accepted and
		// leaves updated_at alone.
		if len(p.Set)+len(p.Unset) > 0 {
			next.updatedAt = c.now
		}
		list, results = append(list, u), append(results, next)
	}
	c.out.key("users").open('{')
	for i, u := range list {
		*u = results[i]
		c.out.key(u.id)
		c.out.fullUser(u)
	}
	c.out.shut('}')
	c.out.kstr("membership_deletion_task_id", "")
	return nil
}

func (e *Emulator) patchUser(u *user, set object, unset []string, server bool) error {
	for _, f := range set {
		var err error
		switch f.key {
		case "id":
			err = bad("id is a reserved field")
		case "role":
			if !server {
				return notAllowed("User '%s' is not allowed to change the role", u.id)
			}
			if err = decode(f.raw, &u.role); err == nil {
				err = e.checkRole(u.role)
			}
		case "language":
			err = decode(f.raw, &u.language)
		case "teams":
			u.teams = nil
			err = decode(f.raw, &u.teams)
		case "invisible":
			err = decode(f.raw, &u.invisible)
		case "revoke_tokens_issued_before":
			if !server {
				return notAllowed("User '%s' is not allowed to revoke tokens", u.id)
			}
			u.revokeBefore, err = parseStamp(f.raw)
		case "name", "image":
			var s string
			if err = decode(f.raw, &s); err == nil {
				u.fields.set(f.key, f.raw)
			}
		default:
			if slices.Contains(reservedUserFields, f.key) {
				return bad("%s is a reserved field", f.key)
			}
			u.fields.setPath(f.key, f.raw)
		}
		if err != nil {
			return err
		}
	}
	for _, key := range unset {
		switch {
		case key == "id" || key == "role" || slices.Contains(reservedUserFields, key):
			return bad("%s is a reserved field", key)
		case key == "language":
			u.language = ""
		case key == "teams":
			u.teams = nil
		case key == "invisible":
			u.invisible = false
		case key == "revoke_tokens_issued_before":
			u.revokeBefore = 0
		default:
			u.fields.unsetPath(key)
		}
	}
	return checkCustom(u.fields)
}

// parseStamp reads an RFC 3339 time; null is none.
func parseStamp(raw json.RawMessage) (stamp, error) {
	if isNull(raw) {
		return 0, nil
	}
	var t time.Time
	if err := json.Unmarshal(raw, &t); err != nil {
		return 0, bad("invalid time, expected RFC3339")
	}
	return stampOf(t), nil
}
