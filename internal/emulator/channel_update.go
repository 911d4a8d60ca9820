// Copyright (c) the terraform-provider-streamchat authors
// SPDX-License-Identifier: MPL-2.0

package emulator

import (
	"cmp"
	"slices"
)

// channelUpdate is the body of POST /channels/{type}/{id}, and what it refers to.
type channelUpdate struct {
	Data          *object    `json:"data"`
	AddMembers    memberList `json:"add_members"`
	RemoveMembers []string   `json:"remove_members"`
	AddModerators []string   `json:"add_moderators"`
	Demote        []string   `json:"demote_moderators"`
	Invites       memberList `json:"invites"`
	Accept        bool       `json:"accept_invite"`
	Reject        bool       `json:"reject_invite"`
	AssignRoles   memberList `json:"assign_roles"`
	HideHistory   bool       `json:"hide_history"`
	Message       *object    `json:"message"`
	UserID        string     `json:"user_id"`
	User          object     `json:"user"`

	data       *channelData
	added      []*user
	invited    []*user
	moderators []*user
	by         *user // nil if the request names nobody
	message    *message
}

// updateChannel is POST /channels/{type}/{id}: data replaces the custom data,
// the lists change the membership. One bad part fails all of it.
func (e *Emulator) updateChannel(c *call) error {
	var up channelUpdate
	if err := c.bind(&up); err != nil {
		return err
	}
	ch, err := c.pathChannel()
	if err != nil {
		return err
	}
	if err := up.check(c, ch); err != nil {
		return err
	}
	up.apply(ch, c.now)
	if up.message != nil {
		e.addMessage(up.message)
	}
	c.channelAndMembers(ch)
	if up.message != nil {
		c.out.key("message")
		c.out.message(e, up.message, up.message.user.id)
	}
	return nil
}

// check resolves what the update refers to.
func (up *channelUpdate) check(c *call, ch *channel) (err error) {
	if len(up.AddMembers) > maxIDs || len(up.RemoveMembers) > maxIDs {
		return bad("at most %d members can be added or removed", maxIDs)
	}
	if up.Data != nil {
		if up.data, err = parseChannelData(*up.Data); err != nil {
			return err
		}
	}
	if up.added, err = c.e.existing("update", up.AddMembers.ids()); err != nil {
		return err
	}
	if up.invited, err = c.e.existing("update", up.Invites.ids()); err != nil {
		return err
	}
	if up.moderators, err = c.e.existing("update", up.AddModerators); err != nil {
		return err
	}
	if up.by, err = c.namedIfAny(up.UserID, up.User, "user"); err != nil {
		return err
	}
	by := ""
	if up.by != nil {
		by = up.by.id
	}
	if up.Accept || up.Reject {
		if by == "" {
			return bad("either user or user_id must be provided when using server side auth.")
		}
		// unproven: not in the dossier.
		if m := ch.members[by]; m == nil || !m.invited {
			return bad("the user %s is not invited to the channel", by)
		}
	}
	up.message, err = c.systemMessage(ch, up.Message, by)
	return err
}

func (up *channelUpdate) apply(ch *channel, now stamp) {
	ch.updatedAt = now
	if up.data != nil {
		ch.fields = up.data.fields
		if up.data.frozen != nil {
			ch.frozen = *up.data.frozen
		}
		if up.data.disabled != nil {
			ch.disabled = *up.data.disabled
		}
	}
	for i, u := range up.added {
		m := ch.addMember(u, memberRole(up.AddMembers[i].Role), now)
		if up.HideHistory {
			m.hideBefore = now
		}
	}
	for _, u := range up.invited {
		ch.addMember(u, "", now).invited = true
	}
	for _, u := range up.moderators {
		ch.addMember(u, "", now) // whoever was no member becomes one
	}
	switch {
	case up.Accept:
		ch.members[up.by.id].answerInvite(true, now)
	case up.Reject:
		ch.members[up.by.id].answerInvite(false, now)
	}
	for _, id := range up.RemoveMembers {
		if m := ch.members[id]; m != nil {
			ch.removeMember(m.user)
		}
	}
	for id, role := range up.roles() {
		if m := ch.members[id]; m != nil {
			m.role, m.updatedAt = role, now
		}
	}
}

// roles are the roles that the update gives, by user.
func (up *channelUpdate) roles() map[string]string {
	roles := map[string]string{}
	for _, a := range up.AssignRoles {
		roles[a.UserID] = cmp.Or(memberRole(a.Role), "member")
	}
	for _, id := range up.AddModerators {
		roles[id] = "moderator"
	}
	for _, id := range up.Demote {
		roles[id] = "member"
	}
	return roles
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
