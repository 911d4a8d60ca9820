// Copyright (c) the terraform-provider-streamchat authors
// SPDX-License-Identifier: MPL-2.0

package emulator

import (
	"cmp"
	"slices"
)

// reaction is a user's reaction to a message.
type reaction struct {
	message   *message
	user      *user
	typ       string
	score     int
	createdAt stamp
	updatedAt stamp
	fields    object
	gone      bool
}

func (r *reaction) isGone() bool { return r.gone }

func reactionRoutes() []route {
	return []route{
		newRoute("POST /messages/{id}/reaction", opSendReaction, anyone, (*Emulator).sendReaction),
		newRoute("DELETE /messages/{id}/reaction/{type}", opDeleteReaction, anyone, (*Emulator).deleteReaction),
		newRoute("GET /messages/{id}/reactions", opGetReactions, anyone, (*Emulator).getReactions),
	}
}

// addReaction sets the user's reaction of a type: there is one of each type.
func (e *Emulator) addReaction(r *reaction) *reaction {
	for _, old := range r.message.reactions {
		if old.user == r.user && old.typ == r.typ {
			old.score, old.updatedAt, old.fields = r.score, r.updatedAt, r.fields
			return old
		}
	}
	r.message.reactions = append(r.message.reactions, r)
	r.user.reactions.add(r)
	return r
}

func (e *Emulator) removeReaction(r *reaction) {
	if r.gone {
		return
	}
	r.gone = true
	r.user.reactions.lost()
	r.message.reactions = slices.DeleteFunc(r.message.reactions, func(x *reaction) bool { return x == r })
}

// dropReactions removes all reactions of a message.
func (e *Emulator) dropReactions(m *message) {
	for _, r := range m.reactions {
		if !r.gone {
			r.gone = true
			r.user.reactions.lost()
		}
	}
	m.reactions = nil
}

var reservedReactionFields = []string{"message_id", "created_at", "updated_at"}

// sendReaction is POST /messages/{id}/reaction.
func (e *Emulator) sendReaction(c *call) error {
	var in struct {
		Reaction      object `json:"reaction"`
		EnforceUnique bool   `json:"enforce_unique"`
	}
	if err := c.bind(&in); err != nil {
		return err
	}
	m, err := c.seen(c.path("id"))
	if err != nil {
		return err
	}
	if err := m.standing(); err != nil {
		return err
	}
	r, err := c.parseReaction(in.Reaction)
	if err != nil {
		return err
	}
	r.message = m
	if in.EnforceUnique {
		for _, old := range slices.Clone(m.reactions) {
			if old.user == r.user {
				e.removeReaction(old)
			}
		}
	}
	r = e.addReaction(r)
	c.out.key("message")
	c.out.message(e, m, r.user.id)
	c.out.key("reaction")
	c.out.reaction(r, true)
	return nil
}

func (c *call) parseReaction(o object) (*reaction, error) {
	r := &reaction{score: 1, createdAt: c.now, updatedAt: c.now}
	var userID string
	var user object
	for _, f := range o {
		var err error
		switch f.key {
		case "type":
			err = decode(f.raw, &r.typ)
		case "score":
			err = decode(f.raw, &r.score)
		case "user_id":
			err = decode(f.raw, &userID)
		case "user":
			err = decode(f.raw, &user)
		default:
			// v6 sends an empty message_id along.
			if !slices.Contains(reservedReactionFields, f.key) {
				r.fields.set(f.key, f.raw)
			}
		}
		if err != nil {
			return nil, err
		}
	}
	if r.typ == "" || len(r.typ) > 30 {
		return nil, bad("reaction.type must have 1 to 30 characters")
	}
	if err := checkCustom(r.fields); err != nil {
		return nil, err
	}
	var err error
	r.user, err = c.named(userID, user, "reaction.user")
	return r, err
}

// deleteReaction is DELETE /messages/{id}/reaction/{type}.
func (e *Emulator) deleteReaction(c *call) error {
	m, err := c.seen(c.path("id"))
	if err != nil {
		return err
	}
	u := c.actor
	if c.server {
		// The reactions of a deactivated user can still be removed.
		id := c.query.Get("user_id")
		if id == "" {
			return bad("user_id is a required field")
		}
		if u, err = e.liveUser(id); err != nil {
			return err
		}
	}
	i := slices.IndexFunc(m.reactions, func(r *reaction) bool { return r.user == u && r.typ == c.path("type") })
	if i < 0 {
		return notFound("reaction of type %s by user %s doesn't exist", c.path("type"), u.id)
	}
	r := m.reactions[i]
	e.removeReaction(r)
	c.out.key("message")
	c.out.message(e, m, u.id)
	c.out.key("reaction")
	c.out.reaction(r, true)
	return nil
}

// getReactions is GET /messages/{id}/reactions.
func (e *Emulator) getReactions(c *call) error {
	m, err := c.seen(c.path("id"))
	if err != nil {
		return err
	}
	limit, offset := c.number("limit", 10), c.number("offset", 0)
	if limit < 0 || limit > 300 || offset < 0 || offset > 1000 {
		return bad("limit must be 300 or less and offset 1000 or less")
	}
	list := slices.Clone(m.reactions)
	slices.Reverse(list) // the newest first
	c.out.key("reactions").open('[')
	for _, r := range page(list, offset, limit) {
		c.out.reaction(r, true)
	}
	c.out.shut(']')
	return nil
}

func (e *enc) reaction(r *reaction, embed bool) {
	e.open('{')
	e.kstr("message_id", r.message.id)
	e.kstr("user_id", r.user.id)
	e.key("user")
	if embed {
		e.user(r.user)
	} else {
		e.null()
	}
	e.kstr("type", r.typ)
	e.kint("score", r.score)
	e.ktime("created_at", r.createdAt)
	e.ktime("updated_at", r.updatedAt)
	e.fields(r.fields)
	e.shut('}')
}

// reactionGroup sums up the reactions of a type.
type reactionGroup struct {
	typ         string
	count, sum  int
	first, last stamp
}

func (m *message) reactionGroups() []*reactionGroup {
	var groups []*reactionGroup
	for _, r := range m.reactions {
		i := slices.IndexFunc(groups, func(g *reactionGroup) bool { return g.typ == r.typ })
		if i < 0 {
			groups = append(groups, &reactionGroup{typ: r.typ, first: r.createdAt})
			i = len(groups) - 1
		}
		g := groups[i]
		g.count++
		g.sum += r.score
		g.last = max(g.last, r.createdAt)
	}
	slices.SortFunc(groups, func(a, b *reactionGroup) int { return cmp.Compare(a.typ, b.typ) })
	return groups
}

// reactionSummary writes the reactions of a message. In the export of a user
// the lists are empty.
func (e *enc) reactionSummary(m *message, caller string, embed bool) {
	groups := m.reactionGroups()
	e.key("latest_reactions").open('[')
	if embed {
		for i := len(m.reactions) - 1; i >= max(0, len(m.reactions)-10); i-- {
			e.reaction(m.reactions[i], true)
		}
	}
	e.shut(']')
	e.key("own_reactions").open('[')
	if embed && caller != "" {
		for _, r := range m.reactions {
			if r.user.id == caller {
				e.reaction(r, true)
			}
		}
	}
	e.shut(']')
	if !embed && len(groups) == 0 {
		e.knull("reaction_counts") // as in the sample of an export
	} else {
		e.key("reaction_counts").open('{')
		for _, g := range groups {
			e.kint(g.typ, g.count)
		}
		e.shut('}')
	}
	e.key("reaction_scores").open('{')
	for _, g := range groups {
		e.kint(g.typ, g.sum)
	}
	e.shut('}')
	if len(groups) == 0 {
		e.knull("reaction_groups")
		return
	}
	e.key("reaction_groups").open('{')
	for _, g := range groups {
		e.key(g.typ).open('{')
		e.kint("count", g.count)
		e.kint("sum_scores", g.sum)
		e.ktime("first_reaction_at", g.first)
		e.ktime("last_reaction_at", g.last)
		e.shut('}')
	}
	e.shut('}')
}
