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
	newUser       string // from a nested object: created if missing
	parentID      string
	quoted        string
	pollID        string
	mentioned     []string
	showInChannel bool
	silent        bool
	pinned        bool
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
			var u struct {
				ID string `json:"id"`
			}
			err = decode(f.raw, &u)
			d.newUser = u.ID
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
			err = decode(f.raw, &d.pinned)
		case "attachments":
			var list []object
			if err = decode(f.raw, &list); err == nil && len(list) > 0 {
				d.fields.set(f.key, f.raw)
			}
		case "html", "pinned_at", "pin_expires", "pinned_by":
			// Follows from the rest.
		default:
			if slices.Contains(reservedMessageFields, f.key) {
				err = bad("message.%s is a reserved field", f.key)
			}
			d.fields.set(f.key, f.raw)
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
		Message *object `json:"message"`
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
	m, err := e.post(c, ch, *in.Message, "", "regular")
	if err != nil {
		return err
	}
	c.out.key("message")
	c.out.message(e, m, c.callerID(""))
	return nil
}

// post adds a message from a request, in the name of by if it names nobody.
func (e *Emulator) post(c *call, ch *channel, o object, by, typ string) (*message, error) {
	d, err := parseMessage(o)
	if err != nil {
		return nil, err
	}
	if d.typ == "" {
		d.typ = typ
	}
	if d.typ != "regular" && d.typ != "system" {
		return nil, bad("message.type must be one of [regular system]")
	}
	var author *user
	switch {
	case !c.server:
		author = c.actor
	case d.userID == "" && d.newUser != "":
		author, err = e.userOrNew(d.newUser, c.now)
	default:
		author, err = c.actingUser(cmp.Or(d.userID, by), "message.user")
	}
	if err != nil {
		return nil, err
	}
	switch {
	case d.id == "":
		d.id = author.id + "-" + newID()
	case len(d.id) > maxMessageID || strings.ContainsAny(d.id, ",%"):
		return nil, bad("message id %s is not valid", d.id)
	case e.messages[d.id] != nil:
		return nil, bad("a message with ID %s already exists", d.id)
	}
	m := &message{
		id: d.id, text: d.text, typ: d.typ, user: author, channel: ch, createdAt: c.now, updatedAt: c.now,
		fields: d.fields, quoted: d.quoted, pollID: d.pollID, silent: d.silent, showInChannel: d.showInChannel,
	}
	if d.pinned {
		m.pinned, m.pinnedAt, m.pinnedBy = true, c.now, author.id
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
	if d.pollID != "" && e.polls[d.pollID] == nil {
		return nil, errNoPoll(d.pollID)
	}
	if m.mentioned, err = e.existing("message", d.mentioned); err != nil {
		return nil, err
	}
	e.addMessage(m)
	return m, nil
}
