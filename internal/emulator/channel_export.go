// Copyright (c) the terraform-provider-streamchat authors
// SPDX-License-Identifier: MPL-2.0

package emulator

import (
	"cmp"
	"encoding/json"
	"slices"
	"strings"
)

// channelExport is one channel of an ExportChannels request.
type channelExport struct {
	Type  string          `json:"type"`
	ID    string          `json:"id"`
	CID   string          `json:"cid"`
	Since json.RawMessage `json:"messages_since"`
	Until json.RawMessage `json:"messages_until"`

	ch           *channel
	since, until stamp
}

// channelExports is the body of POST /export_channels.
type channelExports struct {
	Channels      []*channelExport `json:"channels"`
	ClearDeleted  bool             `json:"clear_deleted_message_text"`
	ExportUsers   bool             `json:"export_users"`
	SoftDeleted   bool             `json:"include_soft_deleted_channels"`
	Truncated     bool             `json:"include_truncated_messages"`
	Version       string           `json:"version"`
	Format        string           `json:"format"`
	IncludeFields []string         `json:"include_fields"`
}

// exportChannels is POST /export_channels.
func (e *Emulator) exportChannels(c *call) error {
	var in channelExports
	if err := c.bind(&in); err != nil {
		return err
	}
	if len(in.Channels) == 0 || len(in.Channels) > maxExportChannels {
		return bad("channels must contain 1 to %d items", maxExportChannels)
	}
	version := cmp.Or(in.Version, "v1")
	switch {
	case version != "v1" && version != "v2":
		return bad("version must be one of [v1 v2]")
	case in.Format != "" && in.Format != "json":
		return bad("the format %s is not emulated", in.Format)
	}
	for _, x := range in.Channels {
		if x == nil {
			return errBadJSON()
		}
		if err := x.find(e, in.SoftDeleted); err != nil {
			return err
		}
	}
	if version == "v2" {
		e.exportTask(c, "channels", "jsonl", "application/x-ndjson", func(out *enc) { in.writeV2(e, out) })
	} else {
		e.exportTask(c, "channels", "json", typeJSON, func(out *enc) { in.writeV1(e, out) })
	}
	return nil
}

// find resolves what is to be exported.
func (x *channelExport) find(e *Emulator, softDeleted bool) (err error) {
	cid := x.CID
	if cid == "" {
		cid = x.Type + ":" + x.ID
	}
	x.ch = e.channels[cid]
	// unproven: dossier 15, the error's text; also that a soft-deleted channel
	// is unknown unless it is asked for.
	if x.ch == nil || x.ch.deletedAt != 0 && !softDeleted {
		return errNoChannel(cid)
	}
	if x.since, err = parseStamp(x.Since); err != nil {
		return err
	}
	x.until, err = parseStamp(x.Until)
	return err
}

// messages are the channel's messages that the export has.
func (x *channelExport) messages(truncated bool) []*message {
	x.ch.sortMessages()
	var list []*message
	for m := range x.ch.msgs.all() {
		switch {
		case m.cut() != 0 && !truncated:
		case x.since != 0 && m.createdAt < x.since:
		case x.until != 0 && m.createdAt > x.until:
		default:
			list = append(list, m)
		}
	}
	return list
}

// write writes a message. Soft-deleted ones are there with their text unless it
// is to be cleared. unproven: dossier 7.3.
func (in *channelExports) write(e *Emulator, out *enc, m *message) {
	if in.ClearDeleted && m.deletedAt != 0 {
		clone := *m
		clone.text = ""
		m = &clone
	}
	out.message(e, m, "")
}

// writeV1 writes one JSON array of channels.
func (in *channelExports) writeV1(e *Emulator, out *enc) {
	out.open('[')
	for _, x := range in.Channels {
		out.open('{')
		out.key("channel")
		out.channel(e, x.ch)
		out.key("messages").open('[')
		list := x.messages(in.Truncated)
		for _, m := range list {
			in.write(e, out, m)
		}
		out.shut(']')
		out.key("members").open('[')
		for m := range x.ch.order.all() {
			out.member(m)
		}
		out.shut(']')
		if in.ExportUsers {
			// unproven: dossier 7.3, where v1 puts the users.
			out.key("users").open('[')
			for _, u := range e.exportedUsers(x.ch, list) {
				out.user(u)
			}
			out.shut(']')
		}
		out.shut('}')
	}
	out.shut(']')
}

// writeV2 writes one line per entity.
func (in *channelExports) writeV2(e *Emulator, out *enc) {
	for _, x := range in.Channels {
		list := x.messages(in.Truncated)
		if in.ExportUsers {
			for _, u := range e.exportedUsers(x.ch, list) {
				e.exportLine(out, "user", func() { out.user(u) })
			}
		}
		e.exportLine(out, "channel", func() { out.channel(e, x.ch) })
		for m := range x.ch.order.all() {
			e.exportLine(out, "member", func() { out.member(m) })
		}
		for _, m := range list {
			e.exportLine(out, "message", func() { in.write(e, out, m) })
			for _, r := range m.reactions {
				e.exportLine(out, "reaction", func() { out.reaction(r, true) })
			}
		}
	}
}

// exportedUsers are the members and authors of a channel, by id.
func (e *Emulator) exportedUsers(ch *channel, list []*message) []*user {
	set := map[*user]bool{}
	for m := range ch.order.all() {
		set[m.user] = true
	}
	for _, m := range list {
		set[m.user] = !m.user.wiped
	}
	var users []*user
	for u, ok := range set {
		if ok {
			users = append(users, u)
		}
	}
	slices.SortFunc(users, func(a, b *user) int { return strings.Compare(a.id, b.id) })
	return users
}
