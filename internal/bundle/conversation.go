// Copyright (c) the terraform-provider-streamchat authors
// SPDX-License-Identifier: MPL-2.0

package bundle

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

// conversation is a channel that the person wrote in.
type conversation struct {
	cid, real string // as it is shown, and as Stream knows it
	name      string
	with      string // who else is in it
	messages  int64
	period
	order int // in the index, from 1
	pages []page
}

// page is one of the files that a conversation's messages are on.
type page struct {
	file string
	period
}

// period is from when to when messages are.
type period struct{ first, last time.Time }

func (p *period) add(at time.Time) {
	if at.IsZero() {
		return
	}
	if p.first.IsZero() || at.Before(p.first) {
		p.first = at
	}
	if at.After(p.last) {
		p.last = at
	}
}

const (
	maxNamed = 5   // members of a conversation are named
	maxTitle = 200 // runes of its own name
)

// nameConversations asks what the conversations are called, and puts them in the order of
// the index: the one that was written in last comes first.
func (m *maker) nameConversations() error {
	list := slices.SortedFunc(maps.Values(m.cids), func(a, b *conversation) int {
		return cmp.Or(b.last.Compare(a.last), strings.Compare(a.cid, b.cid))
	})
	m.list, m.result.Conversations = list, len(list)
	var known map[string]Channel // nil: not known
	if m.Channels != nil && len(list) > 0 {
		cids := make([]string, 0, len(list))
		for _, c := range list {
			cids = append(cids, c.real)
		}
		var err error
		if known, err = m.Channels(m.ctx, cids); err != nil {
			return err
		}
		m.result.Unnamed = known == nil
	}
	for i, c := range list {
		c.order = i + 1
		channel, there := known[c.real]
		absent := "no longer there"
		if known == nil {
			absent = ""
		}
		m.name(c, channel, there, absent)
		m.size += 2 * asHTML([]byte(c.name+c.with)) // in the list and above its messages
	}
	return nil
}

// name says what a conversation is called. Its name is whose who made it: another's is
// not said to the person. absent is what is said of one that was not found.
func (m *maker) name(c *conversation, channel Channel, there bool, absent string) {
	switch {
	case channel.Name != "" && (m.redact == nil || channel.CreatedBy == m.Subject):
		c.name = clip(channel.Name, maxTitle)
	case m.redact != nil:
		c.name = fmt.Sprintf("Conversation %d", c.order)
	default:
		c.name = c.cid
	}
	if !there {
		c.with = absent
		return
	}
	others := channel.MemberCount
	var names []string
	for _, member := range channel.Members {
		switch {
		case member.ID == m.Subject:
			others--
		case len(names) == maxNamed:
		case m.redact != nil:
			names = append(names, m.redact.Person(member.ID))
		default:
			names = append(names, clip(cmp.Or(member.Name, member.ID), maxLinkName))
		}
	}
	slices.Sort(names)
	if more := others - len(names); more > 0 && len(names) > 0 {
		names = append(names, fmt.Sprintf("%d more", more))
	}
	if len(names) > 0 {
		c.with = "with " + strings.Join(names, ", ")
	}
	if c.name == c.cid && len(names) == 1 && m.redact == nil {
		c.name, c.with = "Conversation "+c.with, c.cid
	}
}
