// Copyright (c) the terraform-provider-streamchat authors
// SPDX-License-Identifier: MPL-2.0

package emulator

import "encoding/json"

// member is a user's membership of a channel.
type member struct {
	user       *user
	role       string // member, moderator, owner
	invited    bool
	acceptedAt stamp // of the invite
	rejectedAt stamp
	createdAt  stamp
	updatedAt  stamp
	hideBefore stamp // history hidden from this member
	gone       bool
}

func (m *member) isGone() bool { return m.gone }

func (ch *channel) addMember(u *user, role string, now stamp) *member {
	if m := ch.members[u.id]; m != nil {
		if role != "" {
			m.role = role
		}
		return m
	}
	if role == "" {
		role = "member"
		if u.id == ch.createdByID {
			role = "owner"
		}
	}
	m := &member{user: u, role: role, createdAt: now, updatedAt: now}
	ch.members[u.id] = m
	ch.order.add(m)
	u.channels[ch] = m
	return m
}

func (ch *channel) removeMember(u *user) {
	m := ch.members[u.id]
	if m == nil {
		return
	}
	m.gone = true
	delete(ch.members, u.id)
	delete(u.channels, ch)
	ch.order.lost()
}

func (e *enc) member(m *member) {
	e.open('{')
	e.kstr("user_id", m.user.id)
	e.key("user")
	e.user(m.user)
	e.kstr("status", "member")
	if m.invited {
		e.kbool("invited", true)
	}
	e.ktimeIf("invite_accepted_at", m.acceptedAt)
	e.ktimeIf("invite_rejected_at", m.rejectedAt)
	e.ktime("created_at", m.createdAt)
	e.ktime("updated_at", m.updatedAt)
	e.kbool("banned", false)
	e.kbool("shadow_banned", false)
	e.kstr("role", m.role)
	if m.role == "moderator" {
		e.kbool("is_moderator", true)
		e.kstr("channel_role", "channel_moderator")
	} else {
		e.kstr("channel_role", "channel_member")
	}
	e.kbool("notifications_muted", false)
	e.shut('}')
}

// memberList is a list of members in a request: ids, or objects with user_id.
type memberList []memberRef

type memberRef struct {
	UserID string `json:"user_id"`
	Role   string `json:"channel_role"`
}

// UnmarshalJSON takes a string for an object with user_id.
func (m *memberRef) UnmarshalJSON(data []byte) error {
	if len(data) > 0 && data[0] == '"' {
		return json.Unmarshal(data, &m.UserID)
	}
	type plain memberRef
	return json.Unmarshal(data, (*plain)(m))
}

func (l memberList) ids() []string {
	var ids []string
	for _, m := range l {
		ids = append(ids, m.UserID)
	}
	return ids
}

func memberRole(channelRole string) string {
	if channelRole == "channel_moderator" {
		return "moderator"
	}
	return ""
}

// existing are the users of a list of members; all of them have to exist.
func (e *Emulator) existing(action string, ids []string) ([]*user, error) {
	var list []*user
	var missing []string
	for _, id := range ids {
		if _, ok := e.users[id]; !ok {
			missing = append(missing, id)
			continue
		}
		u, err := e.activeUser(id)
		if err != nil {
			return nil, err
		}
		list = append(list, u)
	}
	if missing != nil {
		return nil, bad("The following users are involved in channel %s operation, but don't exist: %v. "+
			"Please create the user objects before setting up the channel.", action, missing)
	}
	return list, nil
}

var memberSchema = &schema{
	noun: "members",
	fields: map[string]fieldRule{
		"user_id":             rule(kindString, opsRange...),
		"id":                  rule(kindString, opsRange...),
		"name":                rule(kindString, "$autocomplete", "$eq", "$in", "$q"),
		"cid":                 rule(kindString, opsEq...),
		"channel_role":        rule(kindString, opsEqIn...),
		"is_moderator":        rule(kindBool, opsEq...),
		"banned":              rule(kindBool, opsEq...),
		"joined":              rule(kindBool, opsEq...),
		"invite":              rule(kindString, opsEq...),
		"created_at":          rule(kindDate, opsRange...),
		"updated_at":          rule(kindDate, opsRange...),
		"last_active":         rule(kindDate, "$eq", "$gt", "$gte", "$lt", "$lte"),
		"notifications_muted": rule(kindBool, opsEq...),
		"user.email":          rule(kindString, "$autocomplete", "$eq", "$in", "$q"),
		"user.nd_deactivated": rule(kindBool, opsEq...),
	},
	custom: rangeAnd("$autocomplete", "$contains", "$q"),
}

// answerInvite. unproven: whoever rejects stays among the members.
func (m *member) answerInvite(accept bool, now stamp) {
	m.acceptedAt, m.rejectedAt = now, 0
	if !accept {
		m.acceptedAt, m.rejectedAt = 0, now
	}
	m.updatedAt = now
}

func (m *member) invite() value {
	switch {
	case m.acceptedAt != 0:
		return textValue("accepted")
	case m.rejectedAt != 0:
		return textValue("rejected")
	case m.invited:
		return textValue("pending")
	}
	return value{}
}

func (m *member) value(field string) value {
	switch field {
	case "user_id", "id":
		return textValue(m.user.id)
	case "name":
		return m.user.value("name")
	case "user.email":
		return m.user.value("email")
	case "last_active":
		return m.user.value("last_active")
	case "channel_role":
		if m.role == "moderator" {
			return textValue("channel_moderator")
		}
		return textValue("channel_member")
	case "is_moderator":
		return boolValue(m.role == "moderator")
	case "banned", "notifications_muted":
		return boolValue(false)
	case "joined":
		return boolValue(!m.invited || m.acceptedAt != 0)
	case "invite":
		return m.invite()
	case "user.nd_deactivated":
		return boolValue(m.user.deactivatedAt != 0)
	case "created_at":
		return timeValue(m.createdAt)
	case "updated_at":
		return timeValue(m.updatedAt)
	}
	return value{}
}

// queryMembers is GET /members.
func (e *Emulator) queryMembers(c *call) error {
	var in struct {
		Type    string     `json:"type"`
		ID      string     `json:"id"`
		Members memberList `json:"members"`
		Filter  object     `json:"filter_conditions"`
		Sort    []sortSpec `json:"sort"`
		Limit   int        `json:"limit"`
		Offset  int        `json:"offset"`
	}
	if err := c.payload(&in); err != nil {
		return err
	}
	if in.Limit < 0 || in.Limit > 300 {
		return bad("limit must be 300 or less")
	}
	if in.Offset < 0 || in.Offset > 10_000 {
		return bad("offset must be 10000 or less")
	}
	if err := checkSort(in.Sort, 1); err != nil {
		return err
	}
	f, err := memberSchema.parseFilter(in.Filter)
	if err != nil {
		return err
	}
	if in.ID == "" && len(in.Members) > 0 {
		return bad("members of a channel without id are not emulated")
	}
	ch, err := c.liveChannel(in.Type + ":" + in.ID)
	if err != nil {
		return err
	}
	limit := in.Limit
	if limit == 0 {
		limit = 100 // unproven: dossier 5.4, v6 always sends 0 when unset
	}
	var found []*member
	for m := range ch.order.all() {
		if f.matches(m.value) {
			found = append(found, m)
		}
	}
	if len(in.Sort) == 0 {
		in.Sort = []sortSpec{{"created_at", 1}}
	}
	sortRows(found, in.Sort, (*member).value, func(a, b *member) int { return 0 })
	c.out.key("members").open('[')
	for _, m := range page(found, in.Offset, limit) {
		c.out.member(m)
	}
	c.out.shut(']')
	return nil
}
