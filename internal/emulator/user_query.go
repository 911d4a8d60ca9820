// Copyright (c) the terraform-provider-streamchat authors
// SPDX-License-Identifier: MPL-2.0

package emulator

import (
	"slices"
	"strings"
)

var userSchema = &schema{
	noun: "users",
	fields: map[string]fieldRule{
		"id":                rule(kindString, rangeAnd("$ne", "$nin", "$autocomplete")...),
		"name":              rule(kindString, rangeAnd("$autocomplete")...),
		"username":          rule(kindString, "$autocomplete", "$eq"),
		"role":              rule(kindString, opsRange...),
		"last_active":       rule(kindDate, opsRange...),
		"created_at":        rule(kindDate, opsRange...),
		"updated_at":        rule(kindDate, opsRange...),
		"teams":             rule(kindStrings, "$contains", "$eq", "$in"),
		"email":             rule(kindString, opsEqIn...),
		"language":          rule(kindString, opsEq...),
		"banned":            rule(kindBool, opsEqNe...),
		"shadow_banned":     rule(kindBool, opsEqNe...),
		"bypass_moderation": rule(kindBool, opsEqNe...),
	},
	custom: rangeAnd("$contains"),
}

func (u *user) value(field string) value {
	switch field {
	case "id":
		return textValue(u.id)
	case "role":
		return textValue(u.role)
	case "language":
		return textValue(u.language)
	case "teams":
		return listValue(u.teams)
	case "banned":
		return boolValue(u.banned)
	case "shadow_banned":
		return boolValue(u.shadowBanned)
	case "created_at":
		return timeValue(u.createdAt)
	case "updated_at":
		return timeValue(u.updatedAt)
	case "last_active":
		return timeValue(u.lastActive)
	}
	return customValue(u.fields.path(strings.TrimPrefix(field, "custom.")))
}

// queryUsers is GET /users. Deleted users are never among the results.
func (e *Emulator) queryUsers(c *call) error {
	var in struct {
		Filter      object     `json:"filter_conditions"`
		Sort        []sortSpec `json:"sort"`
		Limit       *int       `json:"limit"`
		Offset      int        `json:"offset"`
		Deactivated bool       `json:"include_deactivated_users"`
	}
	if err := c.payload(&in); err != nil {
		return err
	}
	if err := checkSort(in.Sort, 5); err != nil {
		return err
	}
	limit := 30 // unproven: dossier 10, the default is unknown
	if in.Limit != nil && *in.Limit != 0 {
		limit = *in.Limit
	}
	switch {
	case limit < 0 || limit > 100:
		return bad("limit must be 100 or less")
	case in.Offset < 0 || in.Offset > 1000:
		return bad("offset must be 1000 or less")
	}
	f, err := userSchema.parseFilter(in.Filter)
	if err != nil {
		return err
	}

	byID := len(in.Sort) == 1 && in.Sort[0] == sortSpec{"id", 1}
	var found []*user
	for u := range e.userCandidates(f) {
		if u.deletedAt != 0 || u.deactivatedAt != 0 && !in.Deactivated || !f.matches(u.value) {
			continue
		}
		found = append(found, u)
		if byID && len(found) == in.Offset+limit {
			break // the candidates come in this order
		}
	}
	if len(in.Sort) == 0 {
		// unproven: the default order.
		in.Sort = []sortSpec{{"created_at", -1}}
	}
	sortRows(found, in.Sort, (*user).value, func(a, b *user) int { return strings.Compare(a.id, b.id) })
	c.out.key("users").open('[')
	for _, u := range page(found, in.Offset, limit) {

		c.out.fullUser(u)
	}
	c.out.shut(']')
	return nil
}

// userCandidates are the users that can fit the filter, in the order of their
// ids.
func (e *Emulator) userCandidates(f *filter) func(func(*user) bool) {
	ids, exact := f.pinned("id")
	if exact {
		ids = slices.Clone(ids)
		slices.Sort(ids)
		ids = slices.Compact(ids)
	} else {
		ids = e.userIDs.sorted()
		if bound, ok := f.above("id"); ok {
			i, _ := slices.BinarySearch(ids, bound)
			ids = ids[i:]
		}
	}
	return func(yield func(*user) bool) {
		for _, id := range ids {
			if u, ok := e.users[id]; ok && !yield(u) {
				return
			}
		}
	}
}

// sortedIDs is a list of ids that is sorted when it is read.
type sortedIDs struct {
	list  []string
	dirty bool
}

func (s *sortedIDs) add(id string) {
	s.dirty = s.dirty || len(s.list) > 0 && s.list[len(s.list)-1] > id
	s.list = append(s.list, id)
}

func (s *sortedIDs) sorted() []string {
	if s.dirty {
		slices.Sort(s.list)
		s.dirty = false
	}
	return s.list
}
