// Copyright (c) the terraform-provider-streamchat authors
// SPDX-License-Identifier: MPL-2.0

package emulator

import (
	"cmp"
)

// message is a message in a channel.
type message struct {
	id        string
	text      string
	typ       string // regular, reply or system; deleted follows from deletedAt
	user      *user
	channel   *channel
	createdAt stamp
	updatedAt stamp
	deletedAt stamp
	pinnedAt  stamp
	pending   *pending
	// pinExpires is 0 for a pin that stays.
	pinExpires stamp
	seq        uint64
	parent     *message
	replies    *bag[*message]
	reactions  []*reaction
	// fields are attachments, custom data and whatever else has no meaning here.
	fields    object
	mentioned []*user
	quoted    string
	pollID    string
	pinnedBy  string

	gone           bool
	pruned         bool
	silent         bool
	showInChannel  bool
	pinned         bool
	byDeactivation bool // deleted with its author's deactivation
}

func (m *message) isGone() bool { return m.gone }

// compare orders messages by time and, within a microsecond, by arrival.
func (m *message) compare(o *message) int {
	return cmp.Or(cmp.Compare(m.createdAt, o.createdAt), cmp.Compare(m.seq, o.seq))
}

func messageRoutes() []route {
	return []route{
		newRoute("GET /messages/{id}", opGetMessage, anyone, (*Emulator).getMessage),
		newRoute("POST /messages/{id}", opUpdateMessage, anyone, (*Emulator).updateMessage),
		newRoute("PUT /messages/{id}", opUpdateMessagePartial, anyone, (*Emulator).updateMessagePartial),
		newRoute("DELETE /messages/{id}", opDeleteMessage, anyone, (*Emulator).deleteMessage),
		newRoute("POST /messages/{id}/undelete", opUndeleteMessage, serverOnly, (*Emulator).undeleteMessage),
		newRoute("POST /messages/{id}/commit", opCommitMessage, serverOnly, (*Emulator).commitMessage),
		newRoute("GET /messages/{id}/replies", opGetReplies, anyone, (*Emulator).getReplies),
		newRoute("GET /search", opSearch, anyone, (*Emulator).search),
	}
}

func (e *Emulator) addMessage(m *message) {
	m.seq = e.nextSeq()
	e.messages[m.id] = m
	m.user.messages.add(m)
	ch := m.channel
	if n := len(ch.msgs.list); n > 0 && m.createdAt < ch.msgs.list[n-1].createdAt {
		ch.unsorted = true
	}
	ch.msgs.add(m)
	if m.pinned {
		e.notePin(m)
	}
	if m.isPending() {
		ch.pending = append(ch.pending, m)
	}
	if m.parent != nil {
		if m.parent.replies == nil {
			m.parent.replies = &bag[*message]{}
		}
		m.parent.replies.add(m)
	}
}

// removeMessage is a hard deletion: the row goes, its reactions and replies too.
func (e *Emulator) removeMessage(m *message) {
	if m.gone {
		return
	}
	m.gone = true
	delete(e.messages, m.id)
	m.unpin()
	if m.isPending() {
		m.settlePending()
	}
	m.user.messages.lost()
	m.channel.msgs.lost()
	if m.parent != nil && m.parent.replies != nil {
		m.parent.replies.lost()
	}
	e.dropReactions(m)
	if m.replies != nil {
		for r := range m.replies.all() {
			e.removeMessage(r)
		}
		m.replies = nil
	}
}

// pruneMessage leaves a tombstone without content.
func (e *Emulator) pruneMessage(m *message, at stamp) {
	m.softDelete(at)
	m.byDeactivation = false
	m.pruned = true
	m.text, m.fields, m.mentioned, m.quoted, m.pollID = "", nil, nil, "", ""
	e.dropReactions(m)
}

func (m *message) softDelete(at stamp) {
	if m.deletedAt == 0 {
		m.deletedAt = at
		m.updatedAt = at
	}
}

func (m *message) undelete() { m.deletedAt, m.byDeactivation = 0, false }

// cut is when the message was truncated or left behind by its deleted channel;
// 0 if it shows.
func (m *message) cut() stamp {
	if from := m.channel.visibleFrom(); m.createdAt <= from {
		return from
	}
	return 0
}

// callerID is whose own reactions a message shows.
func (c *call) callerID(asked string) string {
	if !c.server {
		return c.actor.id
	}
	return asked
}

func errNoMessage(id string) error {
	return notFound("message with id %s doesn't exist", id)
}

// seen is the message of the path, if the caller may see it.
func (c *call) seen(id string) (*message, error) {
	m := c.e.messages[id]
	if m == nil {
		return nil, errNoMessage(id)
	}
	if m.isPending() && !c.server && m.user != c.actor {
		return nil, errNoMessage(id)
	}
	if !c.server && m.channel.members[c.actor.id] == nil {
		return nil, notAllowed("User '%s' with role %s is not allowed to perform action %s in scope '%s'",
			c.actor.id, c.actor.role, c.op, m.channel.typ)
	}
	return m, nil
}

// own is the message of the path, if the caller may change it.
func (c *call) own(id string) (*message, error) {
	m, err := c.seen(id)
	if err != nil {
		return nil, err
	}
	if !c.server && m.user != c.actor {
		return nil, notAllowed("User '%s' with role %s is not allowed to perform action %s in scope '%s'",
			c.actor.id, c.actor.role, c.op, m.channel.typ)
	}
	return m, nil
}

// standing refuses what cannot be done to a deleted message either.
func (m *message) standing() error {
	if err := m.alive(); err != nil {
		return err
	}
	if m.deletedAt != 0 {
		return bad("message with id %s has been deleted", m.id)
	}
	return nil
}

// alive refuses what cannot be done to the message of a deleted channel.
func (m *message) alive() error {
	if m.channel.deletedAt != 0 {
		return bad("the channel %s has been deleted", m.channel.cid) // the text's end is proven, dossier 5.2
	}
	return nil
}
