// Copyright (c) the terraform-provider-streamchat authors
// SPDX-License-Identifier: MPL-2.0

package export

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"hash/maphash"
	"io"
	"strings"
)

// lookUps is how many messages' reactions are looked up at a time.
const lookUps = 8

// LookUp reads all reactions of the subject to a message that has more than a
// channel export lists; total is how many of everybody it has. all is false when
// some could not be read. An error ends the assembly.
type LookUp func(ctx context.Context, messageID string, total int) (reactions []json.RawMessage, all bool, err error)

// Assembler makes the export of one user, the subject, out of channel exports:
//
//	a := export.NewAssembler(w, "alice", dir)
//	defer a.Close()
//	a.User(row)           // once
//	a.File(r)             // for every channel export
//	a.Reactions(ctx, lookUp) // once, last
//
// It takes what the subject wrote, in any number of messages in the same memory,
// and lets go of everything else before it can reach a disk: others' messages,
// and inside the subject's own messages other people's objects. What it keeps
// has the form of Stream's own export (stream-api.md §7.1): fields in their order
// and as the very bytes that Stream sent, but for
//
//   - user and pinned_by: null; latest_reactions and own_reactions: empty; the
//     people in mentioned_users: their ids alone;
//   - quoted_message, poll, channel and thread_participants: left out (the ids of
//     the first two stay).
type Assembler struct {
	w       *Writer
	subject string
	spool   spool
	out     []byte // one message or reaction

	foreign    int64 // messages of others
	authorless int64
	lookUps    int64
	unread     int64

	seen map[uint64]bool // reactions of v2 files, which come twice
	seed maphash.Seed
}

// Records of the spool.
const (
	spoolReaction byte = 'r'
	spoolLookUp   byte = 'l' // total, message id
	spoolListed   byte = 'd' // a reaction that the look-up before may hold as well
)

// NewAssembler writes the export of the subject with w. Reactions, which come
// after all messages in the JSON, wait in memory and, when they are many, in an
// encrypted temporary file in dir; with dir "" they are [ErrTooLarge] then.
func NewAssembler(w *Writer, subject, dir string) *Assembler {
	return &Assembler{w: w, subject: subject, spool: spool{dir: dir}, seed: maphash.MakeSeed()}
}

// Close removes what is temporary.
func (a *Assembler) Close() error { return a.spool.close() }

// LookedUp is how many messages' reactions were looked up, and of how many of
// these not all could be read.
func (a *Assembler) LookedUp() (messages, unread int64) { return a.lookUps, a.unread }

// rowOnly are the fields that a row of a user query has and the user of an
// export has not: FullUserResponse without UserResponse (stream-api.md §9). Some
// are about other people.
var rowOnly = map[string]rewrite{
	"channel_mutes": leaveOut, "devices": leaveOut, "latest_hidden_channels": leaveOut, "mutes": leaveOut,
	"total_unread_count": leaveOut, "unread_channels": leaveOut, "unread_count": leaveOut, "unread_threads": leaveOut,
}

// User writes the subject, a row of a user query.
func (a *Assembler) User(row []byte) error {
	s := &scanner{data: row}
	s.space()
	if s.peek() != '{' {
		return s.fail("the user is not an object")
	}
	if err := a.rewrite(s, rowOnly, nil); err != nil {
		return err
	}
	return a.w.User(a.out)
}

// rewrite says what becomes of a field.
type rewrite int

const (
	keep rewrite = iota
	leaveOut
	makeNull
	makeEmpty
	onlyIDs
)

var messageRewrites = map[string]rewrite{
	"user": makeNull, "pinned_by": makeNull, "latest_reactions": makeEmpty, "own_reactions": makeEmpty,
	"mentioned_users": onlyIDs, "quoted_message": leaveOut, "poll": leaveOut, "channel": leaveOut,
	"thread_participants": leaveOut,
}

var reactionRewrites = map[string]rewrite{"user": makeNull}

// rewrite copies the object at the scanner's position to a.out. look, when not
// nil, sees every member first.
func (a *Assembler) rewrite(s *scanner, rules map[string]rewrite, look func(name string, value []byte) error) error {
	a.out = append(a.out[:0], '{')
	err := s.object(func(key []byte) error {
		start := s.pos
		if err := s.value(); err != nil {
			return err
		}
		value, name := s.data[start:s.pos], keyName(key)
		if look != nil {
			if err := look(name, value); err != nil {
				return err
			}
		}
		rule := rules[name]
		if rule == leaveOut {
			return nil
		}
		if len(a.out) > 1 {
			a.out = append(a.out, ',')
		}
		a.out = append(append(a.out, key...), ':')
		switch isNull := string(value) == "null"; {
		case rule == makeNull:
			value = []byte("null")
		case rule == makeEmpty && !isNull:
			value = []byte("[]")
		case rule == onlyIDs && !isNull:
			value = idsOf(value)
		}
		a.out = append(a.out, value...)
		return nil
	})
	a.out = append(a.out, '}')
	return err
}

// keyName is what a key, with its quotes, spells.
func keyName(key []byte) string {
	inner := string(key[1 : len(key)-1])
	if strings.IndexByte(inner, '\\') >= 0 {
		_ = json.Unmarshal(key, &inner) // valid: it was scanned
	}
	return inner
}

// text is a JSON string's text; ok is false for anything else.
func text(raw []byte) (s string, ok bool) {
	if len(raw) < 2 || raw[0] != '"' {
		return "", false
	}
	return keyName(raw), true
}

// fieldText is the text of a member of an object, "" where there is none.
func fieldText(object []byte, name string) (found string) {
	s := &scanner{data: object}
	if s.peek() != '{' {
		return ""
	}
	_ = s.object(func(key []byte) error { // valid: it was scanned
		start := s.pos
		if err := s.value(); err != nil {
			return err
		}
		if keyIs(key, name) {
			found, _ = text(object[start:s.pos])
		}
		return nil
	})
	return found
}

// elements are the elements of an array, none of anything else.
func elements(array []byte) (list [][]byte) {
	s := &scanner{data: array}
	if s.peek() != '[' {
		return nil
	}
	_ = s.array(func() error { // valid: it was scanned
		start := s.pos
		err := s.value()
		list = append(list, array[start:s.pos])
		return err
	})
	return list
}

// idsOf turns a list of users, objects or ids, into one of {"id":…}.
func idsOf(users []byte) []byte {
	out := []byte{'['}
	for _, u := range elements(users) {
		id, isText := text(u)
		if !isText {
			id = fieldText(u, "id")
		}
		quoted, err := json.Marshal(id)
		if id == "" || err != nil {
			continue
		}
		if len(out) > 1 {
			out = append(out, ',')
		}
		out = append(append(append(out, `{"id":`...), quoted...), '}')
	}
	return append(out, ']')
}

// message takes one message of a channel export.
func (a *Assembler) message(raw []byte, v2 bool) error {
	s := &scanner{data: raw}
	if s.peek() != '{' {
		return s.fail("a message is not an object")
	}
	var id, userID, embedded string
	var latest, own []byte
	total := 0
	err := a.rewrite(s, messageRewrites, func(name string, value []byte) error {
		switch name {
		case "id":
			id, _ = text(value)
		case "user_id":
			userID, _ = text(value)
		case "user":
			embedded = fieldText(value, "id")
		case "latest_reactions":
			latest = value
		case "own_reactions":
			own = value
		case "reaction_counts":
			total = sum(value)
		}
		return nil
	})
	if err != nil {
		return err
	}
	author := embedded
	if author == "" {
		author = userID
	}
	switch author {
	case a.subject:
		if err := a.w.Message(a.out); err != nil {
			return err
		}
	case "":
		a.authorless++
	default:
		a.foreign++
	}
	return a.listed(id, elements(latest), elements(own), total, v2)
}

// sum adds up the counts in an object.
func sum(counts []byte) (total int) {
	var byType map[string]json.Number
	if json.Unmarshal(counts, &byType) != nil {
		return 0
	}
	for _, n := range byType {
		if i, err := n.Int64(); err == nil && i > 0 {
			total += int(min(i, 1<<30))
		}
	}
	return total
}

// listed keeps the subject's reactions among those that a message lists, and
// notes the message when it has more.
func (a *Assembler) listed(messageID string, latest, own [][]byte, total int, v2 bool) error {
	kind := spoolReaction
	if total > len(latest) && messageID != "" {
		kind = spoolListed
		if err := a.spool.add(spoolLookUp, append(binary.AppendUvarint(nil, uint64(total)), messageID...)); err != nil { //nolint:gosec // sum is never negative
			return err
		}
	}
	types := map[string]bool{}
	for _, list := range [][][]byte{latest, own} {
		for _, raw := range list {
			by, of, err := a.reaction(raw)
			if err != nil {
				return err
			}
			if by != a.subject || types[of] {
				continue
			}
			types[of] = true
			if err := a.keepReaction(kind, messageID, of, v2); err != nil {
				return err
			}
		}
	}
	return nil
}

// reaction rewrites a reaction to a.out and tells whose and of which type it is.
func (a *Assembler) reaction(raw []byte) (by, of string, err error) {
	s := &scanner{data: raw}
	if s.peek() != '{' {
		return "", "", s.fail("a reaction is not an object")
	}
	embedded := ""
	err = a.rewrite(s, reactionRewrites, func(name string, value []byte) error {
		switch name {
		case "user_id":
			by, _ = text(value)
		case "user":
			embedded = fieldText(value, "id")
		case "type":
			of, _ = text(value)
		}
		return nil
	})
	if by == "" {
		by = embedded
	}
	return by, of, err
}

// keepReaction spools a.out, in a v2 file unless it did so before.
func (a *Assembler) keepReaction(kind byte, messageID, of string, v2 bool) error {
	if v2 {
		key := maphash.String(a.seed, messageID+"\x00"+of)
		if a.seen[key] {
			return nil
		}
		if a.seen == nil {
			a.seen = map[uint64]bool{}
		}
		a.seen[key] = true
	}
	return a.spool.add(kind, a.out)
}

// File takes a channel export's file, v1 or v2 (stream-api.md §7.3), as a
// stream. Errors are *ParseError, the reader's and the writer's own.
func (a *Assembler) File(r io.Reader) error {
	f := newChannelFile(r)
	f.message, f.reaction = a.message, a.line
	if err := f.read(); err != nil {
		return err
	}
	// Stream's form must have changed when nobody wrote any of the messages.
	if a.authorless > 0 && a.foreign == 0 && a.w.counts.messages == 0 {
		return f.fail("no message of the channel export names its author")
	}
	return nil
}

// line takes a reaction that a v2 file lists by itself.
func (a *Assembler) line(data []byte) error {
	by, of, err := a.reaction(data)
	if err != nil || by != a.subject {
		return err
	}
	return a.keepReaction(spoolReaction, fieldText(data, "message_id"), of, true)
}

// lookedUp is a look-up under way.
type lookedUp struct {
	ready     chan struct{}
	reactions []json.RawMessage
	all       bool
	err       error
}

// Reactions writes the subject's reactions: those that were listed, and by
// lookUp, several at a time, those of messages that have more. No file can
// follow.
func (a *Assembler) Reactions(ctx context.Context, lookUp LookUp) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	type step struct {
		kind   byte
		record []byte
		result *lookedUp
	}
	steps := make(chan step, lookUps)
	var spoolErr error
	go func() {
		defer close(steps)
		busy := make(chan struct{}, lookUps)
		spoolErr = a.spool.each(func(kind byte, record []byte) error {
			next := step{kind: kind}
			if kind == spoolLookUp {
				total, n := binary.Uvarint(record)
				id := string(record[n:])
				next.result = &lookedUp{ready: make(chan struct{})}
				select {
				case busy <- struct{}{}:
				case <-ctx.Done():
					return ctx.Err()
				}
				go func(r *lookedUp) {
					r.reactions, r.all, r.err = lookUp(ctx, id, int(total)) //nolint:gosec // it was an int
					<-busy
					close(r.ready)
				}(next.result)
			} else {
				next.record = append([]byte(nil), record...)
			}
			select {
			case steps <- next:
				return nil
			case <-ctx.Done():
				return ctx.Err()
			}
		})
	}()
	write := func(next step, known map[string]bool) (map[string]bool, error) {
		switch next.kind {
		case spoolReaction:
			return nil, a.w.Reaction(next.record)
		case spoolListed:
			if _, of, err := a.reaction(next.record); err != nil || known[of] {
				return known, err
			}
			return known, a.w.Reaction(next.record)
		}
		<-next.result.ready
		if next.result.err != nil {
			return nil, next.result.err
		}
		a.lookUps++
		if !next.result.all {
			a.unread++
		}
		known = map[string]bool{}
		for _, raw := range next.result.reactions {
			by, of, err := a.reaction(raw)
			if err != nil {
				return nil, fmt.Errorf("a reaction that was looked up: %w", err)
			}
			if by != a.subject || known[of] {
				continue
			}
			known[of] = true
			if err := a.w.Reaction(a.out); err != nil {
				return nil, err
			}
		}
		return known, nil
	}
	var failure error
	var known map[string]bool
	for next := range steps {
		if failure != nil {
			continue // until the spool's reader has noticed
		}
		if known, failure = write(next, known); failure != nil {
			cancel()
		}
	}
	if failure != nil {
		return failure
	}
	return spoolErr
}
