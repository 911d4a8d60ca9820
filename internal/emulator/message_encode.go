// Copyright (c) the terraform-provider-streamchat authors
// SPDX-License-Identifier: MPL-2.0

package emulator

import (
	"html"
)

// message writes a message as the endpoints of channels and messages return it.
func (e *enc) message(em *Emulator, m *message, caller string) {
	e.open('{')
	e.messageFields(em, m, caller, false)
	e.shut('}')
}

// messageFields writes a message's members; original shows a soft-deleted one
// as it was.
func (e *enc) messageFields(em *Emulator, m *message, caller string, original bool) {
	deletedAt := m.deletedAt
	if deletedAt == 0 {
		deletedAt = m.cut() // unproven: what a truncated message looks like
	}
	if original && !m.pruned {
		deletedAt = 0
	}
	e.messageHead(m, deletedAt)
	e.key("user")
	e.user(m.user)
	e.messageBody(em, m, caller, true)
	e.ktimeIf("deleted_at", deletedAt)
	if m.quoted != "" {
		if q := em.messages[m.quoted]; q != nil {
			e.key("quoted_message").open('{')
			e.messageHead(q, q.deletedAt)
			e.key("user")
			e.user(q.user)
			e.kstr("cid", q.channel.cid)
			e.ktime("created_at", q.createdAt)
			e.ktime("updated_at", q.updatedAt)
			e.shut('}')
		}
	}
	if p := em.polls[m.pollID]; p != nil {
		e.key("poll")
		e.poll(em, p)
	}
	e.fieldsExcept(m.fields, "attachments")
}

func (e *enc) messageHead(m *message, deletedAt stamp) {
	e.kstr("id", m.id)
	e.kstr("text", m.text)
	e.kstr("html", m.html())
	if deletedAt != 0 {
		e.kstr("type", "deleted")
	} else {
		e.kstr("type", m.typ)
	}
}

func (m *message) html() string {
	if m.text == "" {
		return ""
	}
	return "<p>" + html.EscapeString(m.text) + "</p>\n"
}

// messageBody writes what an export and the API have in common. In the export
// of a user nobody's objects are embedded.
func (e *enc) messageBody(em *Emulator, m *message, caller string, embed bool) {
	e.key("attachments")
	if raw, ok := m.fields.get("attachments"); ok {
		if e.resign != nil {
			raw = e.resign(raw)
		}
		e.raw(raw)
	} else {
		e.raw([]byte("[]"))
	}
	e.reactionSummary(m, caller, embed)
	live, deleted := 0, 0
	if m.replies != nil {
		for r := range m.replies.all() {
			if r.deletedAt == 0 {
				live++
			} else {
				deleted++
			}
		}
	}
	e.kint("reply_count", live)
	e.kint("deleted_reply_count", deleted)
	if m.parent != nil {
		e.kstr("parent_id", m.parent.id)
		e.kbool("show_in_channel", m.showInChannel)
	}
	e.kstr("cid", m.channel.cid)
	e.ktime("created_at", m.createdAt)
	e.ktime("updated_at", m.updatedAt)
	e.kbool("shadowed", false)
	e.key("mentioned_users").open('[')
	if embed {
		for _, u := range m.mentioned {
			if !u.wiped {
				e.user(u)
			}
		}
	}
	e.shut(']')
	e.kbool("silent", m.silent)
	e.kbool("pinned", m.pinned)
	e.ktimeOrNull("pinned_at", m.pinnedAt)
	e.key("pinned_by")
	if embed {
		e.user(em.users[m.pinnedBy])
	} else {
		e.null()
	}
	e.ktimeOrNull("pin_expires", m.pinExpires)
	if m.quoted != "" {
		e.kstr("quoted_message_id", m.quoted)
	}
	if m.pollID != "" {
		e.kstr("poll_id", m.pollID)
	}
}

func (e *enc) fieldsExcept(o object, but string) {
	for _, f := range o {
		if f.key != but {
			e.key(f.key).raw(f.raw)
		}
	}
}
