// Copyright (c) the terraform-provider-streamchat authors
// SPDX-License-Identifier: MPL-2.0

package emulator

import (
	"cmp"
	"net/http"
	"slices"
	"strings"
	"unicode/utf8"
)

const (
	maxText      = 5000
	maxMessageID = 255
)

// reservedMessageFields are Stream's own.
var reservedMessageFields = []string{
	"cid", "created_at", "updated_at", "deleted_at", "latest_reactions", "own_reactions", "reaction_counts",
	"reaction_scores", "reaction_groups", "reply_count", "deleted_reply_count", "quoted_message", "command",
	"shadowed", "thread_participants", "channel",
}

// messageData is what a request says about a message.
type messageData struct {
	id            string
	text          string
	typ           string
	userID        string
	user          object // upserted
	parentID      string
	quoted        string
	pollID        string
	mentioned     []string
	showInChannel bool
	silent        bool
	pin           pinState
	fields        object
}

func parseMessage(o object) (*messageData, error) {
	d := &messageData{}
	for _, f := range o {
		var err error
		switch f.key {
		case "id":
			err = decode(f.raw, &d.id)
		case "text":
			err = decode(f.raw, &d.text)
		case "type":
			err = decode(f.raw, &d.typ)
		case "user_id":
			err = decode(f.raw, &d.userID)
		case "user":
			err = decode(f.raw, &d.user)
		case "parent_id":
			err = decode(f.raw, &d.parentID)
		case "quoted_message_id":
			err = decode(f.raw, &d.quoted)
		case "poll_id":
			err = decode(f.raw, &d.pollID)
		case "mentioned_users":
			err = decode(f.raw, &d.mentioned)
		case "show_in_channel":
			err = decode(f.raw, &d.showInChannel)
		case "silent":
			err = decode(f.raw, &d.silent)
		case "pinned":
			err = decode(f.raw, &d.pin.pinned)
		case "pin_expires":
			d.pin.expires, err = parseStamp(f.raw)
		case "attachments":
			var list []object
			if err = decode(f.raw, &list); err == nil && len(list) > 0 {
				d.fields.set(f.key, f.raw)
			}
		case "html", "pinned_at", "pinned_by":
			// Follows from the rest.
		default:
			if !slices.Contains(reservedMessageFields, f.key) {
				d.fields.set(f.key, f.raw)
			} else if !isEmpty(f.raw) { // v6 sends them empty along
				err = bad("message.%s is a reserved field", f.key)
			}
		}
		if err != nil {
			return nil, err
		}
	}
	if utf8.RuneCountInString(d.text) > maxText {
		return nil, &apiError{http.StatusBadRequest, codeTooLong, "message text length limit of 5000 exceeded"}
	}
	return d, checkCustom(d.fields)
}

// sendMessage is POST /channels/{type}/{id}/message.
func (e *Emulator) sendMessage(c *call) error {
	var in struct {
		Message  *object `json:"message"`
		Pending  bool    `json:"pending"`
		Metadata object  `json:"pending_message_metadata"`
	}
	if err := c.bind(&in); err != nil {
		return err
	}
	if in.Message == nil {
		return bad("message is a required field")
	}
	ch, err := c.pathChannel()
	if err != nil {
		return err
	}
	d, err := parseMessage(*in.Message)
	if err != nil {
		return err
	}
	// The SDK's tests of unread counts send in the name of a random user_id and
	// Stream takes it. unproven: that the sender is a user from then on.
	if _, ok := e.users[d.userID]; !ok && d.userID != "" && len(d.user) == 0 {
		var id enc
		id.str(d.userID)
		d.user, d.userID = object{{"id", id.b}}, ""
	}
	m, err := e.draft(c, ch, d, "", "regular")
	if err != nil {
		return err
	}
	if in.Pending && c.server { // of an end user it is ignored. unproven
		m.pending = &pending{in.Metadata}
	}
	e.addMessage(m)
	c.out.key("message")
	c.out.message(e, m, c.callerID(""))
	c.out.pendingMetadata(m)
	return nil
}

// systemMessage is the draft of the message that goes along with a channel's
// update; nil if there is none.
func (c *call) systemMessage(ch *channel, o *object, by string) (*message, error) {
	if o == nil {
		return nil, nil
	}
	d, err := parseMessage(*o)
	if err != nil {
		return nil, err
	}
	return c.e.draft(c, ch, d, by, "system")
}

// draft makes a message of a request, in the name of by if it names nobody. The
// message is not in the channel yet: a request may still have more to do.
func (e *Emulator) draft(c *call, ch *channel, d *messageData, by, typ string) (*message, error) {
	m := &message{
		id: d.id, text: d.text, typ: cmp.Or(d.typ, typ), channel: ch, createdAt: c.now, updatedAt: c.now,
		fields: d.fields, quoted: d.quoted, pollID: d.pollID, silent: d.silent, showInChannel: d.showInChannel,
	}
	switch {
	case m.typ != "regular" && m.typ != "system":
		return nil, bad("message.type must be one of [regular system]")
	case len(m.id) > maxMessageID || strings.ContainsAny(m.id, ",%"):
		return nil, bad("message id %s is not valid", m.id)
	case e.messages[m.id] != nil:
		return nil, bad("a message with ID %s already exists", m.id)
	case m.pollID != "" && e.polls[m.pollID] == nil:
		return nil, errNoPoll(m.pollID)
	}
	if d.parentID != "" {
		m.parent = e.messages[d.parentID]
		if m.parent == nil || m.parent.channel != ch {
			return nil, errNoMessage(d.parentID)
		}
		if m.parent.parent != nil {
			return nil, &apiError{http.StatusBadRequest, 21, "a reply can not have replies"}
		}
		m.typ = "reply"
	}
	var err error
	if m.mentioned, err = e.existing("message", d.mentioned); err != nil {
		return nil, err
	}
	if len(d.user) > 0 {
		by = "" // the object says more
	}
	// Last, since it may create somebody.
	if m.user, err = c.named(cmp.Or(d.userID, by), d.user, "message.user"); err != nil {
		return nil, err
	}
	if m.id == "" {
		m.id = m.user.id + "-" + newID()
	}
	if d.pin.pinned {
		m.pinned, m.pinnedAt, m.pinnedBy, m.pinExpires = true, c.now, m.user.id, d.pin.expires
	}
	return m, nil
}
