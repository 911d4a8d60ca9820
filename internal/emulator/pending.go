// Copyright (c) the terraform-provider-streamchat authors
// SPDX-License-Identifier: MPL-2.0

package emulator

import "slices"

// maxPending is how many pending messages come with a channel.
const maxPending = 100

// pending is what a message has that waits for its commit. Until then its author
// alone sees it, as the documentation of pending messages says.
// unproven: exports and deletions treat it like any other message.
type pending struct{ metadata object }

func (m *message) isPending() bool { return m.pending != nil }

// committed refuses what cannot be done to a pending message.
// unproven: the wording and the code.
func (m *message) committed(what string) error {
	if m.isPending() {
		return bad("pending messages cannot be %s", what)
	}
	return nil
}

func (m *message) settlePending() {
	m.pending = nil
	m.channel.pending = slices.DeleteFunc(m.channel.pending, func(x *message) bool { return x == m })
}

// commitMessage is POST /messages/{id}/commit.
func (e *Emulator) commitMessage(c *call) error {
	m, err := c.seen(c.path("id"))
	if err != nil {
		return err
	}
	if !m.isPending() {
		return bad("message with id %s is not pending", m.id) // unproven: wording and code
	}
	m.settlePending()
	c.out.key("message")
	c.out.message(e, m, "")
	return nil
}

// pendingMessages writes the messages of the caller that wait, the newest of
// them in the order of time.
// unproven: the order.
func (c *call) pendingMessages(ch *channel, caller string) {
	var list []*message
	for _, m := range ch.pending {
		if m.user.id == caller {
			list = append(list, m)
		}
	}
	c.out.key("pending_messages").open('[')
	for _, m := range list[max(0, len(list)-maxPending):] {
		c.out.open('{')
		c.out.key("message")
		c.out.message(c.e, m, caller)
		c.out.key("metadata").raw(m.pending.metadata.bytes())
		c.out.shut('}')
	}
	c.out.shut(']')
}

func (e *enc) pendingMetadata(m *message) {
	if m.isPending() && len(m.pending.metadata) > 0 {
		e.key("pending_message_metadata").raw(m.pending.metadata.bytes())
	}
}
