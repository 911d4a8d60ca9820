// Copyright (c) the terraform-provider-streamchat authors
// SPDX-License-Identifier: MPL-2.0

package emulator

import (
	"encoding/json"
	"slices"
	"strings"
)

// getMessage is GET /messages/{id}.
func (e *Emulator) getMessage(c *call) error {
	m, err := c.seen(c.path("id"))
	if err != nil {
		return err
	}
	c.out.key("message").open('{')
	c.out.messageFields(e, m, c.callerID(c.query.Get("user_id")), c.server && c.flag("show_deleted_message"))
	c.out.key("channel")
	c.out.channel(e, m.channel)
	c.out.shut('}')
	c.out.pendingMetadata(m)
	return nil
}

// getManyMessages is GET /channels/{type}/{id}/messages?ids=a,b.
func (e *Emulator) getManyMessages(c *call) error {
	ch, err := c.pathChannel()
	if err != nil {
		return err
	}
	ids := c.query.Get("ids")
	if ids == "" {
		return bad("ids is a required field")
	}
	c.out.key("messages").open('[')
	for _, id := range unique(strings.Split(ids, ",")) {
		if m := e.messages[id]; m != nil && m.channel == ch && (c.server || !m.isPending() || m.user == c.actor) {
			c.out.message(e, m, c.callerID(""))
		}
	}
	c.out.shut(']')
	return nil
}

// getReplies is GET /messages/{id}/replies.
func (e *Emulator) getReplies(c *call) error {
	m, err := c.seen(c.path("id"))
	if err != nil {
		return err
	}
	limit := c.number("limit", 25)
	if limit < 0 || limit > 300 {
		return bad("limit must be 300 or less")
	}
	var list []*message
	if m.replies != nil {
		for r := range m.replies.all() {
			if !r.isPending() {
				list = append(list, r)
			}
		}
	}
	slices.SortStableFunc(list, (*message).compare)
	for param, keep := range map[string]func(order int) bool{
		"id_lt":  func(o int) bool { return o < 0 },
		"id_lte": func(o int) bool { return o <= 0 },
		"id_gt":  func(o int) bool { return o > 0 },
		"id_gte": func(o int) bool { return o >= 0 },
	} {
		id := c.query.Get(param)
		if id == "" {
			continue
		}
		pivot := e.messages[id]
		if pivot == nil {
			return errNoMessage(id)
		}
		list = slices.DeleteFunc(list, func(r *message) bool { return !keep(r.compare(pivot)) })
	}
	// The newest page, unless it is asked for what comes after a message.
	if len(list) > limit && c.query.Get("id_gt") == "" && c.query.Get("id_gte") == "" {
		list = list[len(list)-limit:]
	}
	c.out.key("messages").open('[')
	for _, r := range page(list, 0, limit) {
		c.out.message(e, r, c.callerID(""))
	}
	c.out.shut(']')
	return nil
}

var messageSchema = &schema{
	noun: "messages",
	fields: map[string]fieldRule{
		"id":                 rule(kindString, opsRange...),
		"text":               rule(kindString, rangeAnd("$any", "$autocomplete", "$q")...),
		"type":               rule(kindString, opsRange...),
		"cid":                rule(kindString, opsRange...),
		"parent_id":          rule(kindString, opsRange...),
		"user.id":            rule(kindString, opsEqIn...),
		"user_id":            rule(kindString, opsEqIn...),
		"mentioned_users.id": rule(kindStrings, "$contains"),
		"created_at":         rule(kindDate, opsRange...),
		"updated_at":         rule(kindDate, opsRange...),
		"reply_count":        rule(kindNumber, opsRange...),
		"pinned":             rule(kindBool, opsEq...),
		"attachments":        rule(kindStrings, "$exists"),
		"attachments.type":   rule(kindStrings, opsEqIn...),
	},
	custom: []string{"$eq", "$gt", "$gte", "$in", "$lt", "$lte"},
}

func (m *message) value(field string) value {
	switch field {
	case "id":
		return textValue(m.id)
	case "text":
		return textValue(m.text)
	case "type":
		return textValue(m.typ)
	case "cid":
		return textValue(m.channel.cid)
	case "user.id", "user_id":
		return textValue(m.user.id)
	case "parent_id":
		if m.parent == nil {
			return value{kind: kindString}
		}
		return textValue(m.parent.id)
	case "created_at":
		return timeValue(m.createdAt)
	case "updated_at":
		return timeValue(m.updatedAt)
	case "pinned":
		return boolValue(m.pinned)
	case "reply_count":
		if m.replies == nil {
			return intValue(0)
		}
		return intValue(m.replies.size())
	case "mentioned_users.id":
		var ids []string
		for _, u := range m.mentioned {
			ids = append(ids, u.id)
		}
		return listValue(ids)
	case "attachments.type":
		raw, _ := m.fields.get("attachments")
		var list []struct {
			Type string `json:"type"`
		}
		_ = json.Unmarshal(raw, &list)
		var types []string
		for _, a := range list {
			types = append(types, a.Type)
		}
		return listValue(types)
	}
	return customValue(m.fields.path(strings.TrimPrefix(field, "custom.")))
}
