// Copyright (c) the terraform-provider-streamchat authors
// SPDX-License-Identifier: MPL-2.0

package emulator

import (
	"cmp"
	"slices"
)

// maxPinned is how many pinned messages come with a channel.
const maxPinned = 10

// pinState is what a request says about a pin.
type pinState struct {
	pinned  bool
	expires stamp
}

// pin pins or unpins a message. One that is pinned already keeps who pinned it
// and when.
func (e *Emulator) pin(m *message, p pinState, by string, now stamp) {
	if !p.pinned {
		m.unpin()
		return
	}
	if !m.pinned {
		m.pinned, m.pinnedAt, m.pinnedBy = true, now, by
	}
	m.pinExpires = p.expires
	e.notePin(m)
}

// notePin lets the channel and the clock know of a pinned message.
func (e *Emulator) notePin(m *message) {
	if !slices.Contains(m.channel.pins, m) {
		m.channel.pins = append(m.channel.pins, m)
	}
	if m.pinExpires != 0 && !slices.Contains(e.expiring, m) {
		e.expiring = append(e.expiring, m)
	}
}

func (m *message) unpin() {
	if !m.pinned {
		return
	}
	m.pinned, m.pinnedAt, m.pinnedBy, m.pinExpires = false, 0, "", 0
	m.channel.pins = slices.DeleteFunc(m.channel.pins, func(x *message) bool { return x == m })
}

// expirePins takes off the pins whose time has passed.
func (e *Emulator) expirePins(now stamp) {
	e.expiring = slices.DeleteFunc(e.expiring, func(m *message) bool {
		if m.pinExpires > now {
			return false
		}
		if m.pinExpires != 0 { // it may have become a pin that stays
			m.unpin()
		}
		return true
	})
}

// pinnedMessages are the messages that were pinned last, the latest first.
// unproven: the order, and that deleted ones are not among them.
func (ch *channel) pinnedMessages(from stamp) []*message {
	var list []*message
	for _, m := range ch.pins {
		if m.deletedAt == 0 && m.createdAt > max(from, ch.visibleFrom()) {
			list = append(list, m)
		}
	}
	slices.SortStableFunc(list, func(a, b *message) int { return cmp.Compare(b.pinnedAt, a.pinnedAt) })
	return page(list, 0, maxPinned)
}
