// Copyright (c) the terraform-provider-streamchat authors
// SPDX-License-Identifier: MPL-2.0

package emulator

import (
	"encoding/json"
	"slices"
	"time"
)

// The accessors below are for assertions. Each applies the effects of the tasks
// that are due, so that it sees what a request would see.

// UserState is what the emulator knows of a user.
type UserState struct {
	ID          string
	Role        string
	Name        string
	Deleted     bool
	HardDeleted bool // for good: nothing but the id is left
	Pruned      bool
	Deactivated bool
	Banned      bool
	// Custom are name, image and custom data, as the bytes that were sent.
	Custom map[string]json.RawMessage
	// Channels are the cids that the user is a member of, Owned those that the
	// user created; both include soft-deleted channels.
	Channels, Owned []string
	Messages        int
	Reactions       int
	Devices         int
	// RevokeTokensIssuedBefore is zero when it is not set.
	RevokeTokensIssuedBefore time.Time
	CreatedAt, DeletedAt     time.Time
	// FilesDeleted and CallsDeleted are what a deletion asked for beyond chat.
	FilesDeleted bool
	CallsDeleted string
}

func (e *Emulator) lock() func() {
	e.mu.Lock()
	e.settle(e.now())
	return e.mu.Unlock
}

func rawMap(o object) map[string]json.RawMessage {
	m := make(map[string]json.RawMessage, len(o))
	for _, f := range o {
		m[f.key] = slices.Clone(f.raw)
	}
	return m
}

// User is a user's state; false if the id was never used.
func (e *Emulator) User(id string) (UserState, bool) {
	defer e.lock()()
	u, ok := e.users[id]
	if !ok {
		return UserState{}, false
	}
	s := UserState{
		ID: u.id, Role: u.role, Name: u.fields.text("name"), Deleted: u.deletedAt != 0, HardDeleted: u.wiped,
		Pruned: u.pruned, Deactivated: u.deactivatedAt != 0, Banned: u.banned, Custom: rawMap(u.fields),
		Messages: u.messages.size(), Reactions: u.reactions.size(), Devices: len(u.devices),
		RevokeTokensIssuedBefore: u.revokeBefore.time(), CreatedAt: u.createdAt.time(), DeletedAt: u.deletedAt.time(),
		FilesDeleted: u.filesDeleted, CallsDeleted: u.callsDeleted,
	}
	for ch := range u.channels {
		s.Channels = append(s.Channels, ch.cid)
	}
	for ch := range u.owned {
		s.Owned = append(s.Owned, ch.cid)
	}
	slices.Sort(s.Channels)
	slices.Sort(s.Owned)
	return s, true
}

// ReactionState is a reaction.
type ReactionState struct {
	MessageID, UserID, Type string
	Score                   int
}

// MessageState is what the emulator knows of a message.
type MessageState struct {
	ID, CID, UserID, Text string
	// Type is "deleted" for a deleted message.
	Type      string
	Deleted   bool
	Pruned    bool
	Truncated bool
	ParentID  string
	Custom    map[string]json.RawMessage
	Reactions []ReactionState
	CreatedAt time.Time
}

// Message is a message's state; false if there is no such row.
func (e *Emulator) Message(id string) (MessageState, bool) {
	defer e.lock()()
	m, ok := e.messages[id]
	if !ok {
		return MessageState{}, false
	}
	s := MessageState{
		ID: m.id, CID: m.channel.cid, UserID: m.user.id, Text: m.text, Type: m.typ, Deleted: m.deletedAt != 0,
		Pruned: m.pruned, Truncated: m.cut() != 0, Custom: rawMap(m.fields), CreatedAt: m.createdAt.time(),
	}
	if s.Deleted {
		s.Type = "deleted"
	}
	if m.parent != nil {
		s.ParentID = m.parent.id
	}
	for _, r := range m.reactions {
		s.Reactions = append(s.Reactions, ReactionState{m.id, r.user.id, r.typ, r.score})
	}
	return s, true
}

// ChannelState is what the emulator knows of a channel.
type ChannelState struct {
	CID, Type, ID string
	CreatedByID   string
	Members       []string
	Messages      int // truncated ones included
	Deleted       bool
	TruncatedAt   time.Time
	Custom        map[string]json.RawMessage
}

// Channel is a channel's state; false if it never existed or was hard-deleted.
func (e *Emulator) Channel(cid string) (ChannelState, bool) {
	defer e.lock()()
	ch, ok := e.channels[cid]
	if !ok {
		return ChannelState{}, false
	}
	s := ChannelState{
		CID: ch.cid, Type: ch.typ, ID: ch.id, CreatedByID: ch.createdByID, Messages: ch.msgs.size(),
		Deleted: ch.deletedAt != 0, TruncatedAt: ch.truncatedAt.time(), Custom: rawMap(ch.fields),
	}
	for id := range ch.members {
		s.Members = append(s.Members, id)
	}
	slices.Sort(s.Members)
	return s, true
}

// PollState is what the emulator knows of a poll.
type PollState struct {
	ID, Name, CreatedByID string
	Options               []string
}

// Poll is a poll's state; false if there is none.
func (e *Emulator) Poll(id string) (PollState, bool) {
	defer e.lock()()
	p, ok := e.polls[id]
	if !ok {
		return PollState{}, false
	}
	s := PollState{ID: p.id, Name: p.name, CreatedByID: p.createdByID}
	for _, o := range p.options {
		s.Options = append(s.Options, o.text)
	}
	return s, true
}

// TaskState is what the emulator knows of a task.
type TaskState struct {
	ID, Op, Status string
	CreatedAt      time.Time
	DueAt          time.Time
}

// Task is a task's state, also of one that a fault made forgotten.
func (e *Emulator) Task(id string) (TaskState, bool) {
	defer e.lock()()
	t, ok := e.tasks[id]
	if !ok {
		return TaskState{}, false
	}
	status, _ := t.state(e.now())
	return TaskState{t.id, t.op, status, t.createdAt.time(), t.dueAt.time()}, true
}

// Totals counts what the app holds.
type Totals struct {
	Users, Channels, Messages, Polls, OpenTasks int
}

// Totals counts what the app holds; deleted users and soft-deleted channels and
// messages are counted, what was hard-deleted is not.
func (e *Emulator) Totals() Totals {
	defer e.lock()()
	t := Totals{Channels: len(e.channels), Messages: len(e.messages), Polls: len(e.polls), OpenTasks: len(e.open)}
	for _, u := range e.users {
		if !u.wiped {
			t.Users++
		}
	}
	return t
}

// Touch lets a user be active now, as somebody whose phone connects.
func (e *Emulator) Touch(id string) {
	defer e.lock()()
	if u := e.users[id]; u != nil {
		u.lastActive = e.now()
	}
}

// ForgetTask makes a task unknown, as Stream forgets old ones.
func (e *Emulator) ForgetTask(id string) {
	defer e.lock()()
	if t := e.tasks[id]; t != nil {
		t.forgotten = true
	}
}
