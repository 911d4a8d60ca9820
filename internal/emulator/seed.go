// Copyright (c) the terraform-provider-streamchat authors
// SPDX-License-Identifier: MPL-2.0

package emulator

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
)

// Seed fills the app from JSON, one object with the lists users, channels,
// messages, reactions and polls, each optional, in an order in which nothing is
// referred to before it is there:
//
//	{
//	  "users": [{"id": "alice", "role": "admin", "name": "Alice", "created_at": "2026-01-01T00:00:00Z",
//	             "age": 12345678901234567, "devices": [{"id": "d1", "push_provider": "apn"}]},
//	            {"id": "bob", "deactivated_at": "2026-02-01T00:00:00Z"}],
//	  "channels": [{"cid": "messaging:general", "created_by_id": "alice", "members": ["alice", "bob"], "name": "General"}],
//	  "messages": [{"id": "m1", "cid": "messaging:general", "user_id": "alice", "text": "hi"},
//	               {"id": "m2", "cid": "messaging:general", "user_id": "bob", "text": "hello", "parent_id": "m1"}],
//	  "reactions": [{"message_id": "m1", "user_id": "bob", "type": "like", "score": 1}],
//	  "polls": [{"id": "p1", "created_by_id": "alice", "name": "Lunch?", "options": [{"text": "Pizza"}]}]
//	}
//
// Every object may have created_at and updated_at (by default now); a user also
// last_active, deactivated_at, deleted_at, banned, shadow_banned and
// revoke_tokens_issued_before, a channel and a message deleted_at, a channel
// truncated_at. Fields without a meaning are custom data and kept byte for byte.
// A role that a user has is defined by it. Large files are read as a stream.
func (e *Emulator) Seed(r io.Reader) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	now := e.now()
	add := map[string]func(object, stamp) error{
		"users":     e.seedUser,
		"channels":  e.seedChannel,
		"messages":  e.seedMessage,
		"reactions": e.seedReaction,
		"polls":     e.seedPoll,
		"files":     e.seedFile,
	}
	dec := json.NewDecoder(r)
	if err := expect(dec, json.Delim('{')); err != nil {
		return err
	}
	for dec.More() {
		tok, err := dec.Token()
		if err != nil {
			return fmt.Errorf("seed: %w", err)
		}
		name, _ := tok.(string)
		seed, ok := add[name]
		if !ok {
			return fmt.Errorf("seed: unknown list %q, expected users, channels, messages, reactions, polls or files", name)
		}
		if err := expect(dec, json.Delim('[')); err != nil {
			return err
		}
		for n := 0; dec.More(); n++ {
			var o object
			if err := dec.Decode(&o); err != nil {
				return fmt.Errorf("seed: %s[%d]: %w", name, n, err)
			}
			if err := seed(o, now); err != nil {
				return fmt.Errorf("seed: %s[%d]: %w", name, n, err)
			}
		}
		if err := expect(dec, json.Delim(']')); err != nil {
			return err
		}
	}
	return expect(dec, json.Delim('}'))
}

func expect(dec *json.Decoder, want json.Delim) error {
	tok, err := dec.Token()
	if err != nil {
		return fmt.Errorf("seed: %w", err)
	}
	if tok != want {
		return fmt.Errorf("seed: found %v at byte %d, expected %v", tok, dec.InputOffset(), want)
	}
	return nil
}

// seedTimes takes the times out of a seed's object.
type seedTimes struct {
	o   *object
	err error
}

func (s *seedTimes) take(key string, def stamp) stamp {
	raw, ok := s.o.get(key)
	if !ok {
		return def
	}
	s.o.unset(key)
	at, err := parseStamp(raw)
	if err != nil && s.err == nil {
		s.err = fmt.Errorf("%s: %w", key, err)
	}
	return at
}

// takeInto decodes a member of a seed's object and removes it.
func takeInto(o *object, key string, v any) error {
	raw, ok := o.get(key)
	if !ok {
		return nil
	}
	o.unset(key)
	if err := json.Unmarshal(raw, v); err != nil {
		return fmt.Errorf("%s: %w", key, err)
	}
	return nil
}

func (e *Emulator) seedUser(o object, now stamp) error {
	t := seedTimes{o: &o}
	created := t.take("created_at", now)
	updated := t.take("updated_at", created)
	active := t.take("last_active", 0)
	deactivated := t.take("deactivated_at", 0)
	deleted := t.take("deleted_at", 0)
	revoked := t.take("revoke_tokens_issued_before", 0)
	if t.err != nil {
		return t.err
	}
	var devices []struct {
		ID       string `json:"id"`
		Provider string `json:"push_provider"`
		Name     string `json:"push_provider_name"`
	}
	var banned, shadow bool
	for key, v := range map[string]any{"devices": &devices, "banned": &banned, "shadow_banned": &shadow} {
		if err := takeInto(&o, key, v); err != nil {
			return err
		}
	}
	if role := o.text("role"); role != "" {
		e.roles[role] = true
	}
	up, err := e.parseUser(o.text("id"), o)
	if err != nil {
		return err
	}
	if e.users[up.id] != nil {
		return fmt.Errorf("the user %s is there already", up.id)
	}
	u := e.addUser(up.id, created)
	u.role, u.language, u.teams, u.invisible, u.fields = up.role, up.language, up.teams, up.invisible, up.fields
	u.updatedAt, u.lastActive, u.deactivatedAt, u.deletedAt = updated, active, deactivated, deleted
	u.revokeBefore, u.banned, u.shadowBanned = revoked, banned, shadow
	for _, d := range devices {
		u.devices = append(u.devices, device{d.ID, d.Provider, d.Name, created})
	}
	return nil
}

func (e *Emulator) seedChannel(o object, now stamp) error {
	t := seedTimes{o: &o}
	created := t.take("created_at", now)
	updated := t.take("updated_at", created)
	deleted := t.take("deleted_at", 0)
	truncated := t.take("truncated_at", 0)
	if t.err != nil {
		return t.err
	}
	var typ, id, cid string
	for key, v := range map[string]any{"type": &typ, "id": &id, "cid": &cid} {
		if err := takeInto(&o, key, v); err != nil {
			return err
		}
	}
	if typ == "" && id == "" {
		typ, id, _ = strings.Cut(cid, ":")
	}
	if !channelIDRule.MatchString(typ) || !channelIDRule.MatchString(strings.TrimPrefix(id, "!")) {
		return fmt.Errorf("the channel %s:%s has no valid type and id", typ, id)
	}
	data, err := parseChannelData(o)
	if err != nil {
		return err
	}
	if e.users[data.createdByID] == nil {
		return fmt.Errorf("the user %q in created_by_id does not exist", data.createdByID)
	}
	if e.channels[typ+":"+id] != nil {
		return fmt.Errorf("the channel %s:%s is there already", typ, id)
	}
	for _, m := range data.members {
		if e.users[m.UserID] == nil {
			return fmt.Errorf("the member %q does not exist", m.UserID)
		}
	}
	ch := e.addChannel(typ, id, data.createdByID, created)
	ch.updatedAt, ch.deletedAt, ch.truncatedAt = updated, deleted, truncated
	ch.team, ch.fields = data.team, data.fields
	ch.frozen = data.frozen != nil && *data.frozen
	ch.disabled = data.disabled != nil && *data.disabled
	for _, m := range data.members {
		ch.addMember(e.users[m.UserID], memberRole(m.Role), created)
	}
	return nil
}

func (e *Emulator) seedMessage(o object, now stamp) error {
	t := seedTimes{o: &o}
	created := t.take("created_at", now)
	updated := t.take("updated_at", created)
	deleted := t.take("deleted_at", 0)
	if t.err != nil {
		return t.err
	}
	var cid string
	if err := takeInto(&o, "cid", &cid); err != nil {
		return err
	}
	d, err := parseMessage(o)
	if err != nil {
		return err
	}
	m := &message{
		id: d.id, text: d.text, typ: orDefault(d.typ, "regular"), user: e.users[d.userID], channel: e.channels[cid],
		createdAt: created, updatedAt: updated, deletedAt: deleted, fields: d.fields, quoted: d.quoted,
		pollID: d.pollID, silent: d.silent, showInChannel: d.showInChannel,
	}
	switch {
	case m.user == nil:
		return fmt.Errorf("the user %q does not exist", d.userID)
	case m.channel == nil:
		return fmt.Errorf("the channel %q does not exist", cid)
	case m.id == "":
		m.id = d.userID + "-" + newID()
	case e.messages[m.id] != nil:
		return fmt.Errorf("the message %s is there already", m.id)
	}
	if d.pin.pinned {
		m.pinned, m.pinnedAt, m.pinnedBy, m.pinExpires = true, created, d.userID, d.pin.expires
	}
	for _, id := range d.mentioned {
		u := e.users[id]
		if u == nil {
			return fmt.Errorf("the mentioned user %q does not exist", id)
		}
		m.mentioned = append(m.mentioned, u)
	}
	if d.parentID != "" {
		if m.parent = e.messages[d.parentID]; m.parent == nil {
			return fmt.Errorf("the parent message %q does not exist", d.parentID)
		}
		m.typ = "reply"
	}
	e.addMessage(m)
	return nil
}

func (e *Emulator) seedReaction(o object, now stamp) error {
	t := seedTimes{o: &o}
	created := t.take("created_at", now)
	updated := t.take("updated_at", created)
	if t.err != nil {
		return t.err
	}
	r := &reaction{score: 1, createdAt: created, updatedAt: updated}
	var messageID, userID string
	for key, v := range map[string]any{
		"message_id": &messageID, "user_id": &userID, "type": &r.typ, "score": &r.score,
	} {
		if err := takeInto(&o, key, v); err != nil {
			return err
		}
	}
	r.message, r.user, r.fields = e.messages[messageID], e.users[userID], o
	switch {
	case r.message == nil:
		return fmt.Errorf("the message %q does not exist", messageID)
	case r.user == nil:
		return fmt.Errorf("the user %q does not exist", userID)
	case r.typ == "":
		return fmt.Errorf("a reaction to %s has no type", messageID)
	}
	e.addReaction(r)
	return nil
}

func (e *Emulator) seedPoll(o object, now stamp) error {
	t := seedTimes{o: &o}
	created := t.take("created_at", now)
	updated := t.take("updated_at", created)
	if t.err != nil {
		return t.err
	}
	var by string
	if err := takeInto(&o, "created_by_id", &by); err != nil {
		return err
	}
	p, _, _, err := parsePoll(o)
	if err != nil {
		return err
	}
	if p.id == "" {
		p.id = newID()
	}
	switch {
	case e.users[by] == nil:
		return fmt.Errorf("the user %q in created_by_id does not exist", by)
	case e.polls[p.id] != nil:
		return fmt.Errorf("the poll %s is there already", p.id)
	}
	p.createdByID, p.createdAt, p.updatedAt = by, created, updated
	e.addPoll(p)
	return nil
}
