// Copyright (c) the terraform-provider-streamchat authors
// SPDX-License-Identifier: MPL-2.0

package emulator

import "strings"

// subjects are the user ids and cids that a request names, for the log and for
// faults that strike one subject.
type subjects struct{ ids, cids []string }

func (s *subjects) add(ids ...string) {
	for _, id := range ids {
		if id != "" {
			s.ids = append(s.ids, id)
		}
	}
}

func namedSubjects(c *call) (ids, cids []string) {
	var s subjects
	switch id := c.path("id"); {
	case id == "":
	case strings.HasPrefix(c.r.URL.Path, "/users/"):
		s.add(id)
	case strings.HasPrefix(c.r.URL.Path, "/channels/"):
		s.cids = append(s.cids, c.path("type")+":"+id)
	}
	s.add(c.query.Get("user_id"))
	data := c.body
	if p := c.query.Get("payload"); p != "" {
		data = []byte(p)
	}
	if body, err := parseObject(data); err == nil {
		s.addBody(c.op, body)
	}
	return unique(s.ids), s.cids
}

// addBody looks at each part on its own: one of an unexpected type hides nothing
// else.
func (s *subjects) addBody(op string, body object) {
	s.add(body.text("user_id"))
	for _, key := range []string{"message", "reaction"} {
		raw, _ := body.get(key)
		if inner, err := parseObject(raw); err == nil {
			s.add(inner.text("user_id"))
			user, _ := inner.get("user")
			if u, err := parseObject(user); err == nil {
				s.add(u.text("id"))
			}
		}
	}
	if raw, ok := body.get("user_ids"); ok {
		s.add(filterStrings(raw)...)
	}
	if raw, ok := body.get("cids"); ok {
		s.cids = append(s.cids, filterStrings(raw)...)
	}
	switch op {
	case opQueryUsers:
		raw, _ := body.get("filter_conditions")
		if f, err := parseObject(raw); err == nil {
			raw, _ = f.get("id")
			s.add(filterStrings(raw)...)
		}
	case opUpdateUsers:
		raw, _ := body.get("users")
		users, _ := parseObject(raw)
		for _, u := range users {
			s.add(u.key)
		}
	case opUpdateUsersPartial:
		raw, _ := body.get("users")
		var users []object
		_ = decode(raw, &users)
		for _, u := range users {
			s.add(u.text("id"))
		}
	}
}
