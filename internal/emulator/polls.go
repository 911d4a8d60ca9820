// Copyright (c) the terraform-provider-streamchat authors
// SPDX-License-Identifier: MPL-2.0

package emulator

import (
	"cmp"
	"slices"
	"strings"
)

// poll is a poll. It survives its creator.
type poll struct {
	id          string
	createdByID string
	name        string
	description string
	visibility  string
	answers     bool
	suggestions bool
	unique      bool
	closed      bool
	maxVotes    int
	createdAt   stamp
	updatedAt   stamp
	options     []pollOption
	seq         uint64
	fields      object
}

type pollOption struct {
	id, text string
	fields   object
}

func pollRoutes() []route {
	return []route{
		newRoute("POST /polls", opCreatePoll, anyone, (*Emulator).createPoll),
		newRoute("POST /polls/query", opQueryPolls, anyone, (*Emulator).queryPolls),
		newRoute("GET /polls/{id}", opGetPoll, anyone, (*Emulator).getPoll),
		newRoute("DELETE /polls/{id}", opDeletePoll, anyone, (*Emulator).deletePoll),
	}
}

func errNoPoll(id string) error { return notFound("poll with id %s doesn't exist", id) }

func (e *Emulator) addPoll(p *poll) {
	p.seq = e.nextSeq()
	e.polls[p.id] = p
	e.pollsBy[p.createdByID] = append(e.pollsBy[p.createdByID], p)
}

func (e *Emulator) removePoll(p *poll) {
	delete(e.polls, p.id)
	rest := slices.DeleteFunc(e.pollsBy[p.createdByID], func(x *poll) bool { return x == p })
	e.pollsBy[p.createdByID] = rest
	if len(rest) == 0 {
		delete(e.pollsBy, p.createdByID)
	}
}

// parsePoll reads a poll; by is who created it.
func parsePoll(o object) (p *poll, userID string, user object, err error) {
	p = &poll{visibility: "public"}
	for _, f := range o {
		var err error
		switch f.key {
		case "id":
			err = decode(f.raw, &p.id)
		case "name":
			err = decode(f.raw, &p.name)
		case "description":
			err = decode(f.raw, &p.description)
		case "voting_visibility":
			err = decode(f.raw, &p.visibility)
		case "allow_answers":
			err = decode(f.raw, &p.answers)
		case "allow_user_suggested_options":
			err = decode(f.raw, &p.suggestions)
		case "enforce_unique_vote":
			err = decode(f.raw, &p.unique)
		case "is_closed":
			err = decode(f.raw, &p.closed)
		case "max_votes_allowed":
			err = decode(f.raw, &p.maxVotes)
		case "user_id":
			err = decode(f.raw, &userID)
		case "user":
			err = decode(f.raw, &user)
		case "options":
			p.options, err = parsePollOptions(f.raw)
		case "created_by_id", "created_at", "updated_at":
			err = bad("%s is a reserved field", f.key)
		default:
			p.fields.set(f.key, f.raw)
		}
		if err != nil {
			return nil, "", nil, err
		}
	}
	switch {
	case p.name == "":
		return nil, "", nil, bad("name is a required field")
	case len(p.id) > 255:
		return nil, "", nil, bad("id must be 255 characters or less")
	case p.visibility != "public" && p.visibility != "anonymous":
		return nil, "", nil, bad("voting_visibility must be one of [anonymous public]")
	case p.maxVotes < 0 || p.maxVotes > 10:
		return nil, "", nil, bad("max_votes_allowed must be 10 or less")
	}
	return p, userID, user, checkCustom(p.fields)
}

func parsePollOptions(raw []byte) ([]pollOption, error) {
	var list []object
	if err := decode(raw, &list); err != nil {
		return nil, err
	}
	var options []pollOption
	for _, o := range list {
		option := pollOption{id: cmp.Or(o.text("id"), newID()), text: o.text("text")}
		for _, f := range o {
			if f.key != "id" && f.key != "text" {
				option.fields.set(f.key, f.raw)
			}
		}
		options = append(options, option)
	}
	return options, nil
}

// createPoll is POST /polls.
func (e *Emulator) createPoll(c *call) error {
	o, err := parseObject(c.body)
	if err != nil {
		return errBadJSON()
	}
	p, userID, user, err := parsePoll(o)
	if err != nil {
		return err
	}
	if p.id == "" {
		p.id = newID()
	} else if e.polls[p.id] != nil {
		return bad("a poll with id %s already exists", p.id)
	}
	by, err := c.named(userID, user, "user")
	if err != nil {
		return err
	}
	p.createdByID, p.createdAt, p.updatedAt = by.id, c.now, c.now
	e.addPoll(p)
	c.out.key("poll")
	c.out.poll(e, p)
	return nil
}

// getPoll is GET /polls/{id}.
func (e *Emulator) getPoll(c *call) error {
	p := e.polls[c.path("id")]
	if p == nil {
		return errNoPoll(c.path("id"))
	}
	c.out.key("poll")
	c.out.poll(e, p)
	return nil
}

// deletePoll is DELETE /polls/{id}.
func (e *Emulator) deletePoll(c *call) error {
	by, err := c.actingUser(c.query.Get("user_id"), "user")
	if err != nil {
		return err
	}
	p := e.polls[c.path("id")]
	if p == nil {
		return errNoPoll(c.path("id"))
	}
	if !c.server && p.createdByID != by.id {
		return notAllowed("User '%s' with role %s is not allowed to perform action DeletePoll in scope '.app'", by.id, by.role)
	}
	e.removePoll(p)
	return nil
}

var pollSchema = &schema{
	noun: "polls",
	fields: map[string]fieldRule{
		"id":                           rule(kindString, opsEqIn...),
		"name":                         rule(kindString, opsEqIn...),
		"created_by_id":                rule(kindString, opsEqIn...),
		"voting_visibility":            rule(kindString, opsEq...),
		"is_closed":                    rule(kindBool, opsEq...),
		"allow_answers":                rule(kindBool, opsEq...),
		"allow_user_suggested_options": rule(kindBool, opsEq...),
		"max_votes_allowed":            rule(kindNumber, "$eq", "$gt", "$gte", "$lt", "$lte"),
		"created_at":                   rule(kindDate, "$eq", "$gt", "$gte", "$lt", "$lte"),
		"updated_at":                   rule(kindDate, "$eq", "$gt", "$gte", "$lt", "$lte"),
	},
	custom: rangeAnd("$autocomplete", "$contains", "$q"),
}

func (p *poll) value(field string) value {
	switch field {
	case "id":
		return textValue(p.id)
	case "name":
		return textValue(p.name)
	case "created_by_id":
		return textValue(p.createdByID)
	case "voting_visibility":
		return textValue(p.visibility)
	case "is_closed":
		return boolValue(p.closed)
	case "allow_answers":
		return boolValue(p.answers)
	case "allow_user_suggested_options":
		return boolValue(p.suggestions)
	case "max_votes_allowed":
		return intValue(p.maxVotes)
	case "created_at":
		return timeValue(p.createdAt)
	case "updated_at":
		return timeValue(p.updatedAt)
	}
	return customValue(p.fields.path(strings.TrimPrefix(field, "custom.")))
}

// queryPolls is POST /polls/query. A back end has to say for whom it asks.
func (e *Emulator) queryPolls(c *call) error {
	var in struct {
		Filter object     `json:"filter"`
		Sort   []sortSpec `json:"sort"`
		Limit  int        `json:"limit"`
		Next   string     `json:"next"`
	}
	if err := c.bind(&in); err != nil {
		return err
	}
	if _, err := c.actingUser(c.query.Get("user_id"), "user"); err != nil {
		return err
	}
	if in.Limit < 0 || in.Limit > 100 {
		return bad("limit must be 100 or less")
	}
	limit := cmp.Or(in.Limit, 10) // unproven: the default
	if err := checkSort(in.Sort, 5); err != nil {
		return err
	}
	f, err := pollSchema.parseFilter(in.Filter)
	if err != nil {
		return err
	}
	offset := 0
	if in.Next != "" {
		if offset, err = readCursor(in.Next); err != nil {
			return err
		}
	}
	found := e.findPolls(f)
	if len(in.Sort) == 0 {
		in.Sort = []sortSpec{{"created_at", -1}}
	}
	sortRows(found, in.Sort, (*poll).value, func(a, b *poll) int { return cmp.Compare(b.seq, a.seq) })
	c.out.key("polls").open('[')
	for _, p := range page(found, offset, limit) {
		c.out.poll(e, p)
	}
	c.out.shut(']')
	if offset+limit < len(found) {
		c.out.kstr("next", writeCursor(offset+limit))
	}
	return nil
}

func (e *Emulator) findPolls(f *filter) []*poll {
	var found []*poll
	look := func(p *poll) {
		if f.matches(p.value) {
			found = append(found, p)
		}
	}
	if ids, ok := f.pinned("created_by_id"); ok {
		for _, id := range unique(ids) {
			for _, p := range e.pollsBy[id] {
				look(p)
			}
		}
		return found
	}
	for _, p := range e.polls {
		look(p)
	}
	return found
}

func (e *enc) poll(em *Emulator, p *poll) {
	e.open('{')
	e.kstr("id", p.id)
	e.kstr("name", p.name)
	e.kstr("description", p.description)
	e.kstr("voting_visibility", p.visibility)
	e.kbool("enforce_unique_vote", p.unique)
	if p.maxVotes > 0 {
		e.kint("max_votes_allowed", p.maxVotes)
	}
	e.kbool("allow_user_suggested_options", p.suggestions)
	e.kbool("allow_answers", p.answers)
	e.kbool("is_closed", p.closed)
	e.kint("vote_count", 0)
	e.kint("answers_count", 0)
	e.key("options").open('[')
	for _, o := range p.options {
		e.open('{')
		e.kstr("id", o.id)
		e.kstr("text", o.text)
		e.fields(o.fields)
		e.shut('}')
	}
	e.shut(']')
	for _, k := range []string{"vote_counts_by_option", "latest_votes_by_option"} {
		e.key(k).raw([]byte("{}"))
	}
	for _, k := range []string{"latest_answers", "own_votes"} {
		e.key(k).raw([]byte("[]"))
	}
	e.kstr("created_by_id", p.createdByID)
	e.key("created_by")
	e.user(em.users[p.createdByID])
	e.ktime("created_at", p.createdAt)
	e.ktime("updated_at", p.updatedAt)
	e.fields(p.fields)
	e.shut('}')
}
