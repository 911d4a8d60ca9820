// Copyright (c) the terraform-provider-streamchat authors
// SPDX-License-Identifier: MPL-2.0

package emulator

import (
	"slices"
)

// updateChannel is POST /channels/{type}/{id}: data replaces the custom data,
// the lists change the membership.
func (e *Emulator) updateChannel(c *call) error {
	var in struct {
		Data          *object    `json:"data"`
		AddMembers    memberList `json:"add_members"`
		RemoveMembers []string   `json:"remove_members"`
		AddModerators []string   `json:"add_moderators"`
		Demote        []string   `json:"demote_moderators"`
		Invites       memberList `json:"invites"`
		AssignRoles   memberList `json:"assign_roles"`
		HideHistory   bool       `json:"hide_history"`
		Message       *object    `json:"message"`
		UserID        string     `json:"user_id"`
	}
	if err := c.bind(&in); err != nil {
		return err
	}
	ch, err := c.pathChannel()
	if err != nil {
		return err
	}
	if len(in.AddMembers) > maxIDs || len(in.RemoveMembers) > maxIDs {
		return bad("at most %d members can be added or removed", maxIDs)
	}
	var data *channelData
	if in.Data != nil {
		if data, err = parseChannelData(*in.Data); err != nil {
			return err
		}
	}
	added, err := e.existing("update", in.AddMembers.ids())
	if err != nil {
		return err
	}
	invited, err := e.existing("update", in.Invites.ids())
	if err != nil {
		return err
	}
	if data != nil {
		ch.fields = data.fields
		if data.frozen != nil {
			ch.frozen = *data.frozen
		}
		if data.disabled != nil {
			ch.disabled = *data.disabled
		}
	}
	for i, u := range added {
		m := ch.addMember(u, memberRole(in.AddMembers[i].Role), c.now)
		if in.HideHistory {
			m.hideBefore = c.now
		}
	}
	for _, u := range invited {
		ch.addMember(u, "", c.now).invited = true
	}
	for _, id := range in.RemoveMembers {
		if m := ch.members[id]; m != nil {
			ch.removeMember(m.user)
		}
	}
	roles := map[string]string{}
	for _, a := range in.AssignRoles {
		roles[a.UserID] = "member"
		if a.Role == "channel_moderator" {
			roles[a.UserID] = "moderator"
		}
	}
	for _, id := range in.AddModerators {
		roles[id] = "moderator"
	}
	for _, id := range in.Demote {
		roles[id] = "member"
	}
	for id, role := range roles {
		if m := ch.members[id]; m != nil {
			m.role, m.updatedAt = role, c.now
		}
	}
	ch.updatedAt = c.now
	if in.Message != nil {
		if _, err := e.post(c, ch, *in.Message, in.UserID, "system"); err != nil {
			return err
		}
	}
	c.channelAndMembers(ch)
	return nil
}

// updateChannelPartial is PATCH /channels/{type}/{id}.
func (e *Emulator) updateChannelPartial(c *call) error {
	var in struct {
		Set   object   `json:"set"`
		Unset []string `json:"unset"`
	}
	if err := c.bind(&in); err != nil {
		return err
	}
	ch, err := c.pathChannel()
	if err != nil {
		return err
	}
	fields := ch.fields.clone()
	for _, f := range in.Set {
		if slices.Contains(reservedChannelFields, f.key) {
			return bad("%s is a reserved field", f.key)
		}
		switch f.key {
		case "frozen":
			err = decode(f.raw, &ch.frozen)
		case "disabled":
			err = decode(f.raw, &ch.disabled)
		default:
			fields.setPath(f.key, f.raw)
		}
		if err != nil {
			return err
		}
	}
	for _, k := range in.Unset {
		fields.unsetPath(k)
	}
	if err := checkCustom(fields); err != nil {
		return err
	}
	ch.fields, ch.updatedAt = fields, c.now
	c.channelAndMembers(ch)
	return nil
}
