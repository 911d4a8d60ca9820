// Copyright (c) the terraform-provider-streamchat authors
// SPDX-License-Identifier: MPL-2.0

package emulator

import (
	"slices"
	"strings"
)

// channel is a channel with its members and messages.
type channel struct {
	typ, id, cid   string
	createdByID    string
	createdAt      stamp
	updatedAt      stamp
	deletedAt      stamp
	truncatedAt    stamp
	truncatedBy    string
	revivedAt      stamp // messages before it belong to the deleted channel
	frozen         bool
	disabled       bool
	team           string
	byDeactivation bool // deleted by its creator's deactivation
	gone           bool
	seq            uint64
	fields         object

	members map[string]*member
	order   bag[*member]
	msgs    bag[*message]
	pins    []*message
	pending []*message
	// unsorted: a message arrived that is older than the one before it.
	unsorted bool
}

func (ch *channel) isGone() bool { return ch.gone }

func channelRoutes() []route {
	return []route{
		newRoute("POST /channels", opQueryChannels, anyone, (*Emulator).queryChannels),
		newRoute("POST /channels/delete", opDeleteChannels, anyone, (*Emulator).deleteChannels),
		newRoute("POST /channels/{type}/query", opGetOrCreateDistinctChannel, anyone, (*Emulator).getOrCreateChannel),
		newRoute("POST /channels/{type}/{id}/query", opGetOrCreateChannel, anyone, (*Emulator).getOrCreateChannel),
		newRoute("POST /channels/{type}/{id}/truncate", opTruncateChannel, anyone, (*Emulator).truncateChannel),
		newRoute("POST /channels/{type}/{id}/message", opSendMessage, anyone, (*Emulator).sendMessage),
		newRoute("GET /channels/{type}/{id}/messages", opGetManyMessages, anyone, (*Emulator).getManyMessages),
		newRoute("GET /channels/{type}/{id}", opGetChannel, anyone, (*Emulator).getChannel),
		newRoute("POST /channels/{type}/{id}", opUpdateChannel, anyone, (*Emulator).updateChannel),
		newRoute("PATCH /channels/{type}/{id}", opUpdateChannelPartial, anyone, (*Emulator).updateChannelPartial),
		newRoute("DELETE /channels/{type}/{id}", opDeleteChannel, anyone, (*Emulator).deleteChannel),
		newRoute("GET /members", opQueryMembers, anyone, (*Emulator).queryMembers),
	}
}

func errNoChannel(cid string) error {
	return notFound("Can't find channel with id %s", cid) // unproven: dossier 15, the wording
}

// liveChannel is a channel that exists, is not deleted and may be seen by the
// caller.
func (c *call) liveChannel(cid string) (*channel, error) {
	ch, ok := c.e.channels[cid]
	if !ok || ch.deletedAt != 0 {
		return nil, errNoChannel(cid)
	}
	if !c.server && ch.members[c.actor.id] == nil && ch.createdByID != c.actor.id {
		return nil, notAllowed("User '%s' with role %s is not allowed to perform action %s in scope '%s'",
			c.actor.id, c.actor.role, c.op, ch.typ)
	}
	return ch, nil
}

func (c *call) pathChannel() (*channel, error) {
	return c.liveChannel(c.path("type") + ":" + c.path("id"))
}

func (e *Emulator) addChannel(typ, id, createdBy string, now stamp) *channel {
	ch := &channel{
		typ: typ, id: id, cid: typ + ":" + id, createdByID: createdBy,
		createdAt: now, updatedAt: now, seq: e.nextSeq(), members: map[string]*member{},
	}
	e.channels[ch.cid] = ch
	if u := e.users[createdBy]; u != nil {
		u.owned[ch] = true
	}
	return ch
}

// removeChannel is a hard deletion: nothing of the channel is left.
func (e *Emulator) removeChannel(ch *channel) {
	if ch.gone {
		return
	}
	ch.gone = true
	delete(e.channels, ch.cid)
	if u := e.users[ch.createdByID]; u != nil {
		delete(u.owned, ch)
	}
	for m := range ch.order.all() {
		delete(m.user.channels, ch)
	}
	for m := range ch.msgs.all() {
		e.removeMessage(m)
	}
	ch.members, ch.order, ch.msgs = nil, bag[*member]{}, bag[*message]{}
}

// visibleFrom is the time before which messages do not show.
func (ch *channel) visibleFrom() stamp { return max(ch.truncatedAt, ch.revivedAt) }

func (ch *channel) sortMessages() {
	if ch.unsorted {
		slices.SortStableFunc(ch.msgs.list, (*message).compare)
		ch.unsorted = false
	}
}

// lastMessageAt is the time of the newest message that shows.
func (ch *channel) lastMessageAt() stamp {
	ch.sortMessages()
	for m := range ch.msgs.newest() {
		if m.createdAt <= ch.visibleFrom() {
			break
		}
		if m.isPending() {
			continue
		}
		return m.createdAt
	}
	return 0
}

// latest are the newest messages of the channel itself, in the order of time.
func (ch *channel) latest(limit int, from stamp) []*message {
	ch.sortMessages()
	var list []*message
	if limit <= 0 {
		return nil
	}
	for m := range ch.msgs.newest() {
		if m.createdAt <= max(from, ch.visibleFrom()) {
			break
		}
		if m.isPending() || m.parent != nil && !m.showInChannel {
			continue
		}
		if list = append(list, m); len(list) == limit {
			break
		}
	}
	slices.Reverse(list)
	return list
}

func (ch *channel) distinct() bool { return strings.HasPrefix(ch.id, "!members-") }
