// Copyright (c) the terraform-provider-streamchat authors
// SPDX-License-Identifier: MPL-2.0

package emulator

import (
	"cmp"
	"encoding/base64"
	"strconv"
	"strings"
)

// maxSearched is how many channels a search covers.
const maxSearched = 500

// searchRequest is the payload of GET /search.
type searchRequest struct {
	Query   string     `json:"query"`
	Filter  object     `json:"filter_conditions"`
	Message object     `json:"message_filter_conditions"`
	Sort    []sortSpec `json:"sort"`
	Limit   int        `json:"limit"`
	Offset  int        `json:"offset"`
	Next    string     `json:"next"`
}

func (in *searchRequest) check() error {
	switch {
	case len(in.Filter) == 0:
		return bad("filter_conditions is a required field")
	case in.Query == "" && len(in.Message) == 0:
		return bad("either query or message_filter_conditions must be provided")
	case in.Query != "" && len(in.Message) > 0:
		return bad("cannot use query with message_filter_conditions")
	case in.Offset != 0 && (len(in.Sort) > 0 || in.Next != ""):
		return bad("cannot use offset with next or sort parameters")
	case in.Offset < 0 || in.Offset > 1000:
		return bad("offset must be 1000 or less")
	case in.Limit < 0 || in.Limit > 1000:
		return bad("limit must be 1000 or less")
	}
	return checkSort(in.Sort, 5)
}

// search is GET /search: in the channels that the filter finds, by phrase or by
// a filter on messages.
func (e *Emulator) search(c *call) error {
	var in searchRequest
	if err := c.payload(&in); err != nil {
		return err
	}
	if err := in.check(); err != nil {
		return err
	}
	channels, err := channelSchema.parseFilter(in.Filter)
	if err != nil {
		return err
	}
	messages, err := messageSchema.parseFilter(in.Message)
	if err != nil {
		return err
	}
	offset, limit := in.Offset, cmp.Or(in.Limit, 10) // unproven: the default
	if in.Next != "" {
		if offset, err = readCursor(in.Next); err != nil {
			return err
		}
	}
	found := e.findMessages(page(c.findChannels(channels, nil, c.callerID("")), 0, maxSearched), messages, in.Query)
	if len(in.Sort) == 0 {
		in.Sort = []sortSpec{{"created_at", -1}}
	}
	sortRows(found, in.Sort, (*message).value, func(a, b *message) int { return b.compare(a) })

	c.out.key("results").open('[')
	for _, m := range page(found, offset, limit) {
		c.out.open('{')
		c.out.key("message").open('{')
		c.out.messageFields(e, m, c.callerID(""), false)
		c.out.key("channel")
		c.out.channel(e, m.channel)
		c.out.shut('}')
		c.out.shut('}')
	}
	c.out.shut(']')
	if in.Offset == 0 && offset+limit < len(found) {
		c.out.kstr("next", writeCursor(offset+limit))
	}
	return nil
}

// findMessages searches channels. Deleted, pending and system messages are not
// found.
func (e *Emulator) findMessages(channels []*channel, f *filter, phrase string) []*message {
	phrase = strings.ToLower(phrase)
	within := make(map[*channel]bool, len(channels))
	for _, ch := range channels {
		within[ch] = true
	}
	var found []*message
	look := func(list *bag[*message]) {
		for m := range list.all() {
			switch {
			case !within[m.channel], m.deletedAt != 0, m.isPending(), m.typ == "system", m.cut() != 0:
			case !strings.Contains(strings.ToLower(m.text), phrase):
			case !f.matches(m.value):
			default:
				found = append(found, m)
			}
		}
	}
	if users, ok := f.authors(); ok {
		for _, id := range unique(users) {
			if u := e.users[id]; u != nil {
				look(&u.messages)
			}
		}
		return found
	}
	for _, ch := range channels {
		look(&ch.msgs)
	}
	return found
}

// authors are the users whose messages alone can fit the filter.
func (f *filter) authors() ([]string, bool) {
	if list, ok := f.pinned("user.id"); ok {
		return list, true
	}
	return f.pinned("user_id")
}

// A cursor is opaque to the client.

func writeCursor(n int) string {
	return base64.RawURLEncoding.EncodeToString([]byte("n" + strconv.Itoa(n)))
}

func readCursor(s string) (int, error) {
	raw, err := base64.RawURLEncoding.DecodeString(s)
	if err != nil {
		return 0, bad("next is not valid")
	}
	digits, ok := strings.CutPrefix(string(raw), "n")
	n, err := strconv.Atoi(digits)
	if !ok || err != nil || n < 0 {
		return 0, bad("next is not valid")
	}
	return n, nil
}
