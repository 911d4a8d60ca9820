// Copyright (c) the terraform-provider-streamchat authors
// SPDX-License-Identifier: MPL-2.0

// Package redact takes other people out of the export of one user, so that it can
// be handed to that user: their names, pictures, ids, words and custom fields.
// Ids become "participant 1", "participant 2" and so on, the same one everywhere.
//
//   - An object that is a user, and not the subject, keeps nothing but its name.
//   - An object that belongs to somebody else (its user or creator is not the
//     subject, or it is a message that the subject did not write) keeps its type,
//     Stream's times and counts, and whatever of the subject's is inside it.
//   - All else is the subject's own and stays as the very bytes that Stream sent,
//     but for ids of other people, of their messages, and of channels.
//
// Where Stream itself puts others is known by the names of its fields, see package fields. In
// the subject's custom fields and in fields that Stream's API gains later, which
// nothing tells apart, a name proves nothing: there only a value that looks like a user
// of Stream's counts, or one that is the id of somebody of whom the export knows. So a
// custom field survives, whatever it is called ("approved_by": "me"), unless it holds
// such an object or, under the name of a reference, such an id.
//
// What the subject wrote is theirs, also where the text names somebody.
//
// It takes two passes: [Redactor.Learn] of everything, then [Redactor.Append].
package redact

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"hash/maphash"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/tidwall/gjson"
)

// Redactor keeps what it has to know of one export: the people in it, and which
// messages are the subject's, in eight bytes each.
type Redactor struct {
	subject string
	people  map[string]bool
	numbers map[string]int  // of participants
	rooms   map[string]int  // numbers of conversations
	known   map[string]bool // the conversations of which Stream's own fields speak

	changes int // made so far: what has none stays as it is, white space and all

	seed   maphash.Seed
	own    []uint64 // hashes of the subject's messages
	sorted bool
}

// New makes the redactor for the export of one user, the subject.
func New(subject string) *Redactor {
	return &Redactor{
		subject: subject, people: map[string]bool{}, numbers: map[string]int{}, rooms: map[string]int{}, known: map[string]bool{}, seed: maphash.MakeSeed(),
	}
}

// Participants is how many people other than the subject have got a name.
func (r *Redactor) Participants() int { return len(r.numbers) }

// LearnPerson says that somebody of this id exists.
func (r *Redactor) LearnPerson(id string) {
	if id != "" && id != r.subject && !r.people[id] {
		r.people[strings.Clone(id)] = true // not a part of the record, which would stay with it
	}
}

// Learn looks at one member of the export, or at one element of a member that is a
// list, before the first Append. field is the member's name.
func (r *Redactor) Learn(field string, value gjson.Result) {
	if field == "messages" {
		if id := value.Get("id"); id.Type == gjson.String {
			r.own, r.sorted = append(r.own, maphash.String(r.seed, id.Str)), false
		}
	}
	r.learn(root.Of(field), value)
}

func (r *Redactor) learn(is kind, value gjson.Result) {
	switch {
	case value.Type == gjson.String:
		switch is {
		case user, userID, member:
			r.LearnPerson(value.Str)
		case cid:
			if id := room(value.Str); !r.known[id] {
				r.known[strings.Clone(id)] = true
			}
		}
	case value.IsObject():
		if id := value.Get("id"); id.Type == gjson.String && (is == user || marked(value)) {
			r.LearnPerson(id.Str)
		}
		for name, member := range value.ForEach {
			r.learn(is.Of(name.Str), member)
		}
	case value.IsArray():
		for _, element := range value.ForEach {
			r.learn(is, element)
		}
	}
}

// Append appends a member of the export, or an element of one, without other
// people. field is the member's name.
func (r *Redactor) Append(out []byte, field string, value gjson.Result) []byte {
	if !r.sorted {
		slices.Sort(r.own)
		r.sorted = true
	}
	if !value.IsObject() {
		return r.mine(out, root.Of(field), field, value)
	}
	// The export is the subject's, whatever an element says of its user.
	return r.members(out, root.Of(field), field, value, true)
}

// Done frees what only Append needs, after the last one.
func (r *Redactor) Done() { r.own = nil }

// Person is what somebody is called.
func (r *Redactor) Person(id string) string {
	if id == r.subject || id == "" {
		return id
	}
	n, ok := r.numbers[id]
	if !ok {
		n = len(r.numbers) + 1
		r.numbers[strings.Clone(id)] = n
	}
	return "participant " + strconv.Itoa(n)
}

// opaque are ids of channels that machines made: they name nobody. Two ids of people that
// are numbers or hex, put together, look much like them, so digits alone or with more
// dashes than a UUID has are none.
var opaque = regexp.MustCompile(`^(!members-[\w-]+|[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}|[0-9a-fA-F]{16,})$`)

var digits = regexp.MustCompile(`^[0-9]+$`)

// room is the id of a channel without its type.
func room(cid string) string {
	if _, id, ok := strings.Cut(cid, ":"); ok {
		return id
	}
	return cid
}

// CID is what a channel is called. The id of a channel often is made of those of
// its members, or is that of one, so it stays only where a machine made it for the channel.
func (r *Redactor) CID(cid string) string {
	kind, _, ok := strings.Cut(cid, ":")
	id := room(cid)
	if cid == "" || opaque.MatchString(id) && !digits.MatchString(id) && !r.people[id] {
		return cid
	}
	n, known := r.rooms[id]
	if !known {
		n = len(r.rooms) + 1
		r.rooms[strings.Clone(id)] = n
	}
	name := "conversation-" + strconv.Itoa(n)
	if !ok {
		return name
	}
	return kind + ":" + name
}

const uuidLength = 36

var uuid = regexp.MustCompile(`^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$`)

// author is whose id a message's id begins with, as Stream and its SDKs make them,
// or "".
func author(id string) string {
	if at := len(id) - uuidLength - 1; at > 0 && id[at] == '-' && uuid.MatchString(id[at+1:]) {
		return id[:at]
	}
	return ""
}

// Message is what a reference to a message says: the id of one of the subject's, and
// of others' a name that is the same everywhere, since their ids hold their
// authors'.
func (r *Redactor) Message(id string) string {
	if id == "" || r.wrote(id) {
		return id
	}
	mac := hmac.New(sha256.New, []byte(r.subject))
	mac.Write([]byte(id))
	return "message-" + hex.EncodeToString(mac.Sum(nil)[:8])
}

// wrote reports that a message is the subject's.
func (r *Redactor) wrote(id string) bool {
	if author(id) == r.subject {
		return true
	}
	_, found := slices.BinarySearch(r.own, maphash.String(r.seed, id))
	return found
}

// mine appends what is the subject's own.
func (r *Redactor) mine(out []byte, is kind, key string, value gjson.Result) []byte {
	begun, changes := len(out), r.changes
	switch {
	case value.Type == gjson.String:
		return r.text(out, is, key, value)
	case value.IsObject():
		switch {
		case r.isUser(is, value):
			return r.user(out, key, value)
		case r.foreign(is, value):
			return r.members(out, is, key, value, false)
		}
		out = r.members(out, is, key, value, true)
	case value.IsArray():
		out = append(out, '[')
		between := ""
		for _, element := range value.ForEach {
			out = r.mine(append(out, between...), is, key, element)
			between = ","
		}
		out = append(out, ']')
	}
	if r.changes == changes {
		out = append(out[:begun], value.Raw...)
	}
	return out
}

// members appends an object, the subject's or somebody else's.
func (r *Redactor) members(out []byte, is kind, key string, object gjson.Result, own bool) []byte {
	if !own {
		r.changes++
	}
	out = append(out, '{')
	between := ""
	for name, value := range object.ForEach {
		before := len(out)
		out = r.appendKey(append(out, between...), is, key, name, value)
		begun := len(out)
		if own {
			out = r.mine(out, is.Of(name.Str), name.Str, value)
		} else {
			out = r.theirs(out, is.Of(name.Str), name.Str, value)
		}
		if len(out) == begun {
			out = out[:before]
			continue
		}
		between = ","
	}
	return append(out, '}')
}

// appendKey appends a name and its colon. Some objects have a member a person.
func (r *Redactor) appendKey(out []byte, in kind, key string, name, value gjson.Result) []byte {
	raw := name.Raw
	if in == custom && r.people[name.Str] &&
		(holdsPerson(key) || value.IsObject() && (r.isUser(custom, value) || r.foreign(custom, value))) {
		raw = quote(r.Person(name.Str))
		r.changes++
	}
	return append(append(out, raw...), ':')
}

// theirs appends what is left of something in an object of somebody else's: nothing,
// most of the time.
func (r *Redactor) theirs(out []byte, is kind, key string, value gjson.Result) []byte {
	switch {
	case value.IsObject():
		switch {
		case r.isUser(is, value), isUserKey(key) && value.Get("id").Type == gjson.String:
			return r.user(out, key, value)
		case !r.foreign(is, value) && r.owner(is, value) == r.subject:
			return r.members(out, is, key, value, true)
		}
		begun := len(out)
		if out = r.members(out, is, key, value, false); len(out) == begun+2 {
			return out[:begun]
		}
		return out
	case value.IsArray():
		begun := len(out)
		out = append(out, '[')
		between := ""
		for _, element := range value.ForEach {
			before := len(out)
			out = append(out, between...)
			at := len(out)
			if out = r.theirs(out, is, key, element); len(out) == at {
				out = out[:before]
				continue
			}
			between = ","
		}
		if len(out) == begun+1 {
			return out[:begun]
		}
		return append(out, ']')
	case value.Type == gjson.Null:
		return out
	case value.Type == gjson.String:
		switch {
		case is == cid, isChannelKey(key):
			return append(out, quote(r.CID(value.Str))...)
		case key == "type" && kinds[value.Str], times[key] && isTime(value.Str), machine[key] && uuid.MatchString(value.Str) && !r.people[value.Str]:
			return append(out, value.Raw...)
		case holdsPerson(key):
			return append(out, quote(r.Person(value.Str))...)
		case key == "id", isMessageKey(key):
			return append(out, quote(r.Message(value.Str))...)
		}
		return out
	case counts[key]:
		return append(out, value.Raw...)
	}
	return out
}

// text appends a string of the subject's own, or a reference.
func (r *Redactor) text(out []byte, is kind, key string, value gjson.Result) []byte {
	said := value.Str
	switch {
	case is == user, is == userID, is == member:
		said = r.Person(said)
	case is == messageID:
		said = r.Message(said)
	case is == cid:
		said = r.CID(said)
	case words[key]:
	case holdsPerson(key) && r.people[said]:
		said = r.Person(said)
	case isChannelKey(key) && r.known[room(said)]:
		said = r.CID(said)
	case r.people[author(said)]: // the id of a message, under a name that is not known
		said = r.Message(said)
	}
	if said == value.Str {
		return append(out, value.Raw...)
	}
	r.changes++
	return append(out, quote(said)...)
}

// user appends a user: the subject's own, or a name.
func (r *Redactor) user(out []byte, key string, object gjson.Result) []byte {
	switch id := object.Get("id").Str; id {
	case r.subject:
		return r.members(out, user, key, object, true)
	case "":
		r.changes++
		return append(out, "null"...)
	default:
		r.changes++
		return append(append(append(out, `{"id":`...), quote(r.Person(id))...), '}')
	}
}

func quote(s string) string {
	quoted, err := json.Marshal(s)
	if err != nil {
		return `""` // no string fails
	}
	return string(quoted)
}
