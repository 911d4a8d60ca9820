// Copyright (c) the terraform-provider-streamchat authors
// SPDX-License-Identifier: MPL-2.0

package emulator

import (
	"crypto/sha256"
	"encoding/hex"
	"regexp"
	"slices"
	"strings"
)

var channelIDRule = regexp.MustCompile(`^[\w-]{1,64}$`)

// reservedChannelFields are Stream's own.
var reservedChannelFields = []string{
	"id", "type", "cid", "created_at", "updated_at", "deleted_at", "last_message_at", "member_count",
	"message_count", "config", "truncated_at", "truncated_by", "own_capabilities", "messages", "read", "watchers",
}

// channelData is the data of a new or updated channel.
type channelData struct {
	createdByID string
	createdBy   object // upserted
	members     memberList
	invites     memberList
	team        string
	frozen      *bool
	disabled    *bool
	fields      object
}

func parseChannelData(o object) (*channelData, error) {
	d := &channelData{}
	for _, f := range o {
		var err error
		switch f.key {
		case "created_by":
			err = decode(f.raw, &d.createdBy)
		case "created_by_id":
			err = decode(f.raw, &d.createdByID)
		case "members":
			err = decode(f.raw, &d.members)
		case "invites":
			err = decode(f.raw, &d.invites)
		case "team":
			err = decode(f.raw, &d.team)
		case "frozen":
			err = decode(f.raw, &d.frozen)
		case "disabled":
			err = decode(f.raw, &d.disabled)
		default:
			if slices.Contains(reservedChannelFields, f.key) {
				err = bad("%s is a reserved field", f.key)
			}
			d.fields.set(f.key, f.raw)
		}
		if err != nil {
			return nil, err
		}
	}
	return d, checkCustom(d.fields)
}

// getOrCreateChannel is POST /channels/{type}/{id}/query and, for a channel
// that is its members, POST /channels/{type}/query.
func (e *Emulator) getOrCreateChannel(c *call) error {
	var in struct {
		Data     object `json:"data"`
		State    bool   `json:"state"`
		Messages struct {
			Limit *int `json:"limit"`
		} `json:"messages"`
		Members struct {
			Limit *int `json:"limit"`
		} `json:"members"`
	}
	if err := c.bind(&in); err != nil {
		return err
	}
	data, err := parseChannelData(in.Data)
	if err != nil {
		return err
	}
	ch, err := e.channelFor(c, data)
	if err != nil {
		return err
	}
	messageLimit, memberLimit := orNumber(in.Messages.Limit, 25), orNumber(in.Members.Limit, 100)
	if !in.State {
		messageLimit, memberLimit = 0, 0
	}
	caller := ""
	if !c.server {
		caller = c.actor.id
	}
	c.channelState(ch, messageLimit, memberLimit, caller)
	return nil
}

// channelFor finds the channel that a request names, revives it or makes it.
func (e *Emulator) channelFor(c *call, data *channelData) (*channel, error) {
	typ, id := c.path("type"), c.path("id")
	distinct := id == ""
	if distinct {
		var err error
		if id, err = c.distinctID(data); err != nil {
			return nil, err
		}
	}
	cid := typ + ":" + id
	if ch := e.channels[cid]; ch != nil {
		if ch.deletedAt == 0 {
			return c.liveChannel(cid)
		}
		// A soft-deleted channel comes back, without its messages.
		ch.deletedAt, ch.byDeactivation = 0, false
		ch.revivedAt = c.now
		ch.updatedAt = c.now
		return ch, nil
	}
	switch {
	case strings.Contains(id, ":"):
		return nil, bad("invalid channel id, can't contain the : character")
	case strings.Contains(id, "!") && !distinct:
		return nil, bad("Cannot create a channel with a '!' in the ID, this is a reserved character.")
	case !channelIDRule.MatchString(typ), !channelIDRule.MatchString(strings.TrimPrefix(id, "!")):
		return nil, bad("channel type or id is not valid")
	}
	return e.createChannel(c, typ, id, data)
}

// distinctID is the id of the channel that its members make up.
func (c *call) distinctID(data *channelData) (string, error) {
	ids := slices.Concat(data.members.ids(), data.invites.ids())
	if !c.server {
		ids = append(ids, c.actor.id)
	}
	if len(ids) == 0 {
		return "", bad("data.members is required for a channel without id")
	}
	ids = unique(ids)
	slices.Sort(ids)
	sum := sha256.Sum256([]byte(strings.Join(ids, ",")))
	return "!members-" + hex.EncodeToString(sum[:20]), nil
}

func (e *Emulator) createChannel(c *call, typ, id string, data *channelData) (*channel, error) {
	if c.server && len(data.createdBy) == 0 && data.createdByID == "" {
		return nil, bad("either data.created_by or data.created_by_id must be provided when using server side auth.")
	}
	members, err := e.existing("create", data.members.ids())
	if err != nil {
		return nil, err
	}
	invited, err := e.existing("create", data.invites.ids())
	if err != nil {
		return nil, err
	}
	owner, err := e.creator(c, data) // last, since it may create them
	if err != nil {
		return nil, err
	}
	ch := e.addChannel(typ, id, owner.id, c.now)
	ch.fields, ch.team = data.fields, data.team
	ch.frozen = data.frozen != nil && *data.frozen
	ch.disabled = data.disabled != nil && *data.disabled
	for i, u := range members {
		ch.addMember(u, memberRole(data.members[i].Role), c.now)
	}
	for _, u := range invited {
		ch.addMember(u, "", c.now).invited = true
	}
	if !c.server {
		ch.addMember(c.actor, "owner", c.now)
	}
	return ch, nil
}

// creator is who creates a channel.
func (e *Emulator) creator(c *call, data *channelData) (*user, error) {
	switch {
	case !c.server:
		return c.actor, nil
	case len(data.createdBy) > 0:
		return e.nestedUser(data.createdBy, c.now)
	}
	list, err := e.existing("create", []string{data.createdByID})
	if err != nil {
		return nil, err
	}
	return list[0], nil
}
