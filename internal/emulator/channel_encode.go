// Copyright (c) the terraform-provider-streamchat authors
// SPDX-License-Identifier: MPL-2.0

package emulator

// channelState writes a channel with its members and newest messages.
func (c *call) channelState(ch *channel, messageLimit, memberLimit int, caller string) {
	out := &c.out
	out.key("channel")
	out.channel(c.e, ch)
	mine := ch.members[caller]
	var from stamp
	if mine != nil {
		from = mine.hideBefore
	}
	out.key("messages").open('[')
	for _, m := range ch.latest(messageLimit, from) {
		out.message(c.e, m, caller)
	}
	out.shut(']')
	out.key("pinned_messages").open('[')
	if messageLimit > 0 {
		for _, m := range ch.pinnedMessages(from) {
			out.message(c.e, m, caller)
		}
	}
	out.shut(']')
	c.pendingMessages(ch, caller)
	out.key("threads").raw([]byte("[]"))
	out.key("read").raw([]byte("[]"))
	out.key("members").open('[')
	n := 0
	for m := range ch.order.all() {
		if n++; n > memberLimit {
			break
		}
		out.member(m)
	}
	out.shut(']')
	if mine != nil {
		out.key("membership")
		out.member(mine)
	}
	out.kint("watcher_count", 0)
}

func (e *enc) channel(em *Emulator, ch *channel) {
	e.open('{')
	e.kstr("id", ch.id)
	e.kstr("type", ch.typ)
	e.kstr("cid", ch.cid)
	e.ktimeIf("last_message_at", ch.lastMessageAt())
	e.ktime("created_at", ch.createdAt)
	e.ktime("updated_at", ch.updatedAt)
	e.ktimeIf("deleted_at", ch.deletedAt)
	e.ktimeIf("truncated_at", ch.truncatedAt)
	if ch.truncatedBy != "" {
		e.key("truncated_by")
		e.user(em.users[ch.truncatedBy])
	}
	e.key("created_by")
	e.owner(em, ch)
	e.kbool("frozen", ch.frozen)
	e.kbool("disabled", ch.disabled)
	e.kint("member_count", len(ch.members))
	if ch.team != "" {
		e.kstr("team", ch.team)
	}
	e.channelConfig(ch)
	e.fields(ch.fields)
	e.shut('}')
}

func (e *enc) channelConfig(ch *channel) {
	e.key("config").open('{')
	e.kstr("name", ch.typ)
	e.ktime("created_at", ch.createdAt)
	e.ktime("updated_at", ch.createdAt)
	e.kbool("search", true)
	e.kbool("reactions", true)
	e.kbool("replies", true)
	e.kint("max_message_length", maxText)
	e.key("commands").raw([]byte("[]"))
	e.shut('}')
}

// owner writes created_by. The stand-in of a hard-deleted owner is no user.
func (e *enc) owner(em *Emulator, ch *channel) {
	if u := em.users[ch.createdByID]; u != nil {
		e.user(u)
		return
	}
	e.open('{')
	e.kstr("id", ch.createdByID)
	e.kstr("role", "user")
	e.ktime("created_at", ch.createdAt)
	e.ktime("updated_at", ch.createdAt)
	e.kbool("banned", false)
	e.kbool("online", false)
	e.shut('}')
}

func (c *call) channelAndMembers(ch *channel) {
	c.out.key("channel")
	c.out.channel(c.e, ch)
	c.out.key("members").open('[')
	n := 0
	for m := range ch.order.all() {
		if n++; n > 100 {
			break
		}
		c.out.member(m)
	}
	c.out.shut(']')
}
