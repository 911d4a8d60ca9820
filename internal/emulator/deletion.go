// Copyright (c) the terraform-provider-streamchat authors
// SPDX-License-Identifier: MPL-2.0

package emulator

import (
	"slices"
)

// The delete modes of DeleteUsers.
const (
	modeNone    = ""
	modeSoft    = "soft"
	modePruning = "pruning"
	modeHard    = "hard"
)

// deletion is what a DeleteUsers call asks for.
type deletion struct {
	UserIDs         []string `json:"user_ids"`
	User            string   `json:"user"`
	Messages        string   `json:"messages"`
	Conversations   string   `json:"conversations"`
	Calls           string   `json:"calls"`
	Files           bool     `json:"files"`
	NewChannelOwner string   `json:"new_channel_owner_id"`
	NewCallOwner    string   `json:"new_call_owner_id"`
}

// deleteUsers is POST /users/delete: the users are marked deleted at once, their
// data goes when the task completes.
func (e *Emulator) deleteUsers(c *call) error {
	var in deletion
	if err := c.bind(&in); err != nil {
		return err
	}
	if err := in.check(e.opts.Strict); err != nil {
		return err
	}
	for _, id := range []string{in.NewChannelOwner, in.NewCallOwner} {
		if id == "" {
			continue
		}
		// unproven: dossier 15, an unknown new owner.
		if _, err := e.activeUser(id); err != nil {
			return err
		}
	}
	ids := unique(in.UserIDs)
	e.markDeleted(ids, in.User, c.now)
	t := e.startItemTask(c, ids, nil, func(done []string, at stamp) {
		e.erase(done, in, at)
	})
	c.out.kstr("task_id", t.id)
	return nil
}

func (d *deletion) check(strict bool) error {
	if n := len(d.UserIDs); n == 0 || n > maxIDs {
		// unproven: dossier 15, the text.
		return bad("user_ids must contain 1 to %d items", maxIDs)
	}
	three := []string{modeNone, modeSoft, modePruning, modeHard}
	two := []string{modeNone, modeSoft, modeHard}
	for _, m := range []struct {
		name, mode string
		allowed    []string
	}{
		{"user", d.User, three}, {"messages", d.Messages, three},
		{"conversations", d.Conversations, two}, {"calls", d.Calls, two},
	} {
		if !slices.Contains(m.allowed, m.mode) {
			return bad("%s must be one of %v", m.name, m.allowed[1:])
		}
	}
	// unproven: dossier 2 and 15, the rule is documented and was never seen
	// enforced.
	if strict && d.User == modeHard && (d.Messages != modeHard || d.Conversations != modeHard) {
		return bad("user: hard requires messages: hard and conversations: hard")
	}
	return nil
}

// markDeleted is the synchronous part: from now on the users are in no query
// and their ids are refused.
// unproven: dossier 15, ids that are unknown, already deleted or deactivated
// are accepted.
func (e *Emulator) markDeleted(ids []string, mode string, now stamp) {
	for _, id := range ids {
		u, ok := e.users[id]
		if !ok {
			continue
		}
		if u.deletedAt == 0 {
			u.deletedAt = now
		}
		if mode == modeHard {
			u.hard = true
		}
	}
}

// erase is the asynchronous part of a deletion. Each step is done for all users
// before the next: the membership of one is what makes the conversation of
// another.
func (e *Emulator) erase(ids []string, d deletion, at stamp) {
	var list []*user
	for _, id := range ids {
		if u, ok := e.users[id]; ok {
			list = append(list, u)
		}
	}
	for _, u := range list {
		e.eraseConversations(u, d.Conversations, at)
	}
	for _, u := range list {
		e.eraseMessages(u, d.Messages, at)
	}
	for _, u := range list {
		e.leaveChannels(u)
	}
	for _, u := range list {
		if d.User == modeHard {
			e.handOver(u, d.NewChannelOwner)
		}
		if d.Files {
			u.filesDeleted = true
			e.eraseUploads(u)
		}
		if d.Calls != modeNone {
			u.callsDeleted = d.Calls
		}
		e.eraseUser(u, d.User, at)
	}
}

func (e *Emulator) eraseConversations(u *user, mode string, at stamp) {
	if mode == modeNone {
		return
	}
	var list []*channel
	for ch := range u.channels {
		if len(ch.members) == 2 {
			list = append(list, ch)
		}
	}
	// unproven: dossier 15, escalation. A soft deletion has already taken the
	// user out of its conversations; a later one still knows them, as the
	// member's deleted_at in Stream's OpenAPI suggests.
	list = append(list, u.left...)
	for _, ch := range list {
		if mode == modeHard {
			e.removeChannel(ch)
		} else if !ch.isGone() && ch.deletedAt == 0 {
			ch.deletedAt = at
		}
	}
}

func (e *Emulator) eraseMessages(u *user, mode string, at stamp) {
	switch mode {
	case modeSoft:
		for m := range u.messages.all() {
			m.softDelete(at)
		}
	case modePruning, modeHard:
		for r := range u.reactions.all() {
			e.removeReaction(r)
		}
		for m := range u.messages.all() {
			if mode == modeHard {
				e.removeMessage(m)
			} else {
				e.pruneMessage(m, at)
			}
		}
	}
}

// leaveChannels ends the user's memberships, also for a soft deletion.
func (e *Emulator) leaveChannels(u *user) {
	for ch := range u.channels {
		if len(ch.members) == 2 && !ch.isGone() {
			for id := range ch.members {
				if other := e.users[id]; other != nil && !slices.Contains(other.left, ch) && other.deletedAt != 0 {
					other.left = append(other.left, ch)
				}
			}
		}
		ch.removeMember(u)
	}
}

// handOver gives the channels of a hard-deleted user a new owner.
func (e *Emulator) handOver(u *user, owner string) {
	next := e.users[owner]
	if owner == "" {
		owner = "delete-user-" + randomHex(7)
	}
	for ch := range u.owned {
		ch.createdByID = owner
		if next != nil {
			next.owned[ch] = true
		}
	}
	clear(u.owned)
}

func (e *Emulator) eraseUser(u *user, mode string, at stamp) {
	if u.deletedAt == 0 { // restored while the task was under way
		u.deletedAt = at
	}
	u.devices = nil // goes away with the user, in every mode
	switch mode {
	case modePruning:
		u.pruned = true
		u.fields, u.teams, u.language = nil, nil, ""
	case modeHard:
		u.hard, u.wiped = true, true
		u.fields, u.teams, u.language = nil, nil, ""
		u.lastActive, u.revokeBefore, u.deactivatedAt = 0, 0, 0
		u.banned, u.shadowBanned, u.invisible, u.role = false, false, false, "user"
	}
}

// deleteUser is DELETE /users/{id}, no longer in the spec and still served.
func (e *Emulator) deleteUser(c *call) error {
	u, err := e.liveUser(c.path("id")) // unproven: dossier 15, unknown and repeated
	if err != nil {
		return err
	}
	d := deletion{User: modeSoft}
	hard := c.flag("hard_delete")
	if hard {
		d.User = modeHard
	}
	if c.flag("mark_messages_deleted") {
		d.Messages = modeSoft
		if hard {
			// What was called a hard delete then: tombstones without text.
			d.Messages = modePruning
		}
	}
	if c.flag("delete_conversation_channels") {
		d.Conversations = modeSoft
		if hard {
			d.Conversations = modeHard
		}
	}
	ids := []string{u.id}
	e.markDeleted(ids, d.User, c.now)
	c.out.key("user").open('{')
	c.out.userFields(u)
	c.out.shut('}')
	t := e.startItemTask(c, ids, nil, func(done []string, at stamp) {
		e.erase(done, d, at)
	})
	c.out.kstr("task_id", t.id)
	return nil
}

// unique drops repetitions and keeps the order.
func unique(ids []string) []string {
	seen := make(map[string]bool, len(ids))
	var out []string
	for _, id := range ids {
		if !seen[id] {
			seen[id] = true
			out = append(out, id)
		}
	}
	return out
}
