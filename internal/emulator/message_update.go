// Copyright (c) the terraform-provider-streamchat authors
// SPDX-License-Identifier: MPL-2.0

package emulator

import (
	"cmp"
	"slices"
)

// updateMessage is POST /messages/{id}: it replaces the message's data.
func (e *Emulator) updateMessage(c *call) error {
	var in struct {
		Message *object `json:"message"`
	}
	if err := c.bind(&in); err != nil {
		return err
	}
	if in.Message == nil {
		return bad("message is a required field")
	}
	m, err := c.own(c.path("id"))
	if err != nil {
		return err
	}
	if err := cmp.Or(m.standing(), m.committed("updated")); err != nil {
		return err
	}
	d, err := parseMessage(*in.Message)
	if err != nil {
		return err
	}
	mentioned, err := e.existing("message", d.mentioned)
	if err != nil {
		return err
	}
	by, err := c.named(d.userID, d.user, "message.user")
	if err != nil {
		return err
	}
	m.text, m.fields, m.mentioned, m.silent, m.updatedAt = d.text, d.fields, mentioned, d.silent, c.now
	e.pin(m, d.pin, by.id, c.now)
	c.out.key("message")
	c.out.message(e, m, c.callerID(""))
	return nil
}

// updateMessagePartial is PUT /messages/{id}.
func (e *Emulator) updateMessagePartial(c *call) error {
	var in struct {
		Set    object   `json:"set"`
		Unset  []string `json:"unset"`
		UserID string   `json:"user_id"`
		User   object   `json:"user"`
	}
	if err := c.bind(&in); err != nil {
		return err
	}
	m, err := c.own(c.path("id"))
	if err != nil {
		return err
	}
	if err := cmp.Or(m.standing(), m.committed("updated")); err != nil {
		return err
	}
	next := messageData{text: m.text, fields: m.fields.clone(), pin: pinState{m.pinned, m.pinExpires}}
	if err := next.patch(in.Set, in.Unset); err != nil {
		return err
	}
	by, err := c.namedIfAny(in.UserID, in.User, "user")
	if err != nil {
		return err
	}
	if by == nil {
		by = m.user
	}
	m.fields, m.text, m.updatedAt = next.fields, next.text, c.now
	e.pin(m, next.pin, by.id, c.now)
	c.out.key("message")
	c.out.message(e, m, c.callerID(in.UserID))
	return nil
}

// patch changes parts of a message.
func (d *messageData) patch(set object, unset []string) error {
	for _, f := range set {
		var err error
		switch {
		case f.key == "text":
			err = decode(f.raw, &d.text)
		case f.key == "pinned":
			err = decode(f.raw, &d.pin.pinned)
		case f.key == "pin_expires":
			d.pin.expires, err = parseStamp(f.raw)
		case f.key == "id" || slices.Contains(reservedMessageFields, f.key):
			err = bad("message.%s is a reserved field", f.key)
		default:
			d.fields.setPath(f.key, f.raw)
		}
		if err != nil {
			return err
		}
	}
	for _, k := range unset {
		switch k {
		case "pinned":
			d.pin.pinned = false
		case "pin_expires":
			d.pin.expires = 0
		default:
			d.fields.unsetPath(k)
		}
	}
	return checkCustom(d.fields)
}

// deleteMessage is DELETE /messages/{id}. Both modes return the message as
// deleted.
func (e *Emulator) deleteMessage(c *call) error {
	m, err := c.own(c.path("id"))
	if err != nil {
		return err
	}
	if by := c.query.Get("deleted_by"); by != "" && c.server {
		if _, err := e.activeUser(by); err != nil {
			return err
		}
	}
	if c.flag("delete_for_me") {
		return bad("delete_for_me is not emulated")
	}
	hard := c.flag("hard")
	if !hard {
		if err := cmp.Or(m.alive(), m.committed("soft deleted")); err != nil {
			return err
		}
	}
	// unproven: dossier 15, a second soft deletion leaves the same tombstone.
	m.softDelete(c.now)
	m.byDeactivation = false
	c.out.key("message")
	c.out.message(e, m, c.callerID(""))
	if hard {
		e.removeMessage(m)
	}
	return nil
}

// undeleteMessage is POST /messages/{id}/undelete.
func (e *Emulator) undeleteMessage(c *call) error {
	var in struct {
		By string `json:"undeleted_by"`
	}
	if err := c.bind(&in); err != nil {
		return err
	}
	m, err := c.seen(c.path("id"))
	if err != nil {
		return err
	}
	if in.By == "" {
		return bad("undeleted_by is a required field")
	}
	if _, err := e.activeUser(in.By); err != nil {
		return err
	}
	if err := m.alive(); err != nil {
		return err
	}
	switch {
	case m.deletedAt == 0 || m.pruned:
		return bad("message with id %s is not deleted", m.id)
	case m.parent != nil && m.parent.deletedAt != 0:
		return bad("the parent message %s has been deleted", m.parent.id)
	}
	m.undelete()
	m.updatedAt = c.now
	c.out.key("message")
	c.out.message(e, m, in.By)
	return nil
}
