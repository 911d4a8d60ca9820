// Copyright (c) the terraform-provider-streamchat authors
// SPDX-License-Identifier: MPL-2.0

// Package redact takes other people out of the export of one user, so that it can
// be handed to that user: their names, pictures, ids, words and custom fields.
// Ids become "participant 1", "participant 2" and so on, the same one everywhere.
//
// It goes by what an object is, not by where it stands, so that a field that
// Stream's API gains later is treated like those it has:
//
//   - an object that is a user, and not the subject, keeps nothing but its name;
//   - an object that belongs to somebody else (its user or creator is not the
//     subject, or it is a message that the subject did not write) keeps its type,
//     times and counts, and whatever of the subject's is inside it;
//   - all else is the subject's own and stays as the very bytes that Stream sent,
//     but for ids of other people, of their messages, and of channels.
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
	numbers map[string]int // of participants
	rooms   map[string]int // of conversations

	seed   maphash.Seed
	own    []uint64 // hashes of the subject's messages
	sorted bool
}

// New makes the redactor for the export of one user, the subject.
func New(subject string) *Redactor {
	return &Redactor{
		subject: subject, people: map[string]bool{}, numbers: map[string]int{}, rooms: map[string]int{}, seed: maphash.MakeSeed(),
	}
}

// Participants is how many people other than the subject have got a name.
func (r *Redactor) Participants() int { return len(r.numbers) }

// LearnPerson says that somebody of this id exists.
func (r *Redactor) LearnPerson(id string) {
	if id != "" && id != r.subject {
		r.people[id] = true
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
	r.learn(field, value)
}

func (r *Redactor) learn(key string, value gjson.Result) {
	switch {
	case value.Type == gjson.String:
		if holdsPerson(key) {
			r.LearnPerson(value.Str)
		}
	case value.IsObject():
		if id := value.Get("id"); id.Type == gjson.String && (isUserKey(key) || marked(value)) {
			r.LearnPerson(id.Str)
		}
		for name, member := range value.ForEach {
			r.learn(name.Str, member)
		}
	case value.IsArray():
		for _, element := range value.ForEach {
			r.learn(key, element)
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
		return r.mine(out, field, value)
	}
	// The export is the subject's, whatever an element says of its user.
	return r.members(out, field, value, true)
}

// Person is what somebody is called.
func (r *Redactor) Person(id string) string {
	if id == r.subject || id == "" {
		return id
	}
	n, ok := r.numbers[id]
	if !ok {
		n = len(r.numbers) + 1
		r.numbers[id] = n
	}
	return "participant " + strconv.Itoa(n)
}

// opaque are ids that machines made: they name nobody.
var opaque = regexp.MustCompile(`^(!members-[\w-]+|[0-9a-fA-F-]{16,})$`)

// CID is what a channel is called. The id of a channel often is made of those of
// its members, so it stays only where a machine made it.
func (r *Redactor) CID(cid string) string {
	kind, id, ok := strings.Cut(cid, ":")
	if !ok {
		kind, id = "", cid
	}
	if cid == "" || opaque.MatchString(id) {
		return cid
	}
	n, known := r.rooms[id]
	if !known {
		n = len(r.rooms) + 1
		r.rooms[id] = n
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
func (r *Redactor) mine(out []byte, key string, value gjson.Result) []byte {
	switch {
	case value.Type == gjson.String:
		return r.text(out, key, value)
	case value.IsObject():
		switch {
		case r.isUser(key, value):
			return r.user(out, key, value)
		case r.foreign(key, value):
			return r.members(out, key, value, false)
		}
		return r.members(out, key, value, true)
	case value.IsArray():
		out = append(out, '[')
		between := ""
		for _, element := range value.ForEach {
			out = r.mine(append(out, between...), key, element)
			between = ","
		}
		return append(out, ']')
	}
	return append(out, value.Raw...)
}

// members appends an object, the subject's or somebody else's.
func (r *Redactor) members(out []byte, key string, object gjson.Result, own bool) []byte {
	out = append(out, '{')
	between := ""
	for name, value := range object.ForEach {
		before := len(out)
		out = r.appendKey(append(out, between...), key, name, value)
		begun := len(out)
		if own {
			out = r.mine(out, name.Str, value)
		} else {
			out = r.theirs(out, name.Str, value)
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
func (r *Redactor) appendKey(out []byte, in string, name, value gjson.Result) []byte {
	raw := name.Raw
	if r.people[name.Str] && (holdsPerson(in) || value.IsObject() && !known[name.Str]) {
		raw = quote(r.Person(name.Str))
	}
	return append(append(out, raw...), ':')
}

// theirs appends what is left of something in an object of somebody else's: nothing,
// most of the time.
func (r *Redactor) theirs(out []byte, key string, value gjson.Result) []byte {
	switch {
	case value.IsObject():
		switch {
		case r.isUser(key, value):
			return r.user(out, key, value)
		case !r.foreign(key, value) && r.owner(value) == r.subject:
			return r.members(out, key, value, true)
		}
		begun := len(out)
		if out = r.members(out, key, value, false); len(out) == begun+2 {
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
			if out = r.theirs(out, key, element); len(out) == at {
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
		case key == "type" && kinds[value.Str], isTime(key, value.Str), machine[key] && uuid.MatchString(value.Str):
			return append(out, value.Raw...)
		case key == "id":
			return append(out, quote(r.Message(value.Str))...)
		case holdsPerson(key), isMessageKey(key), isChannelKey(key):
			return r.text(out, key, value)
		}
		return out
	case key == "score", key == "is_answer", strings.HasSuffix(key, "_count"):
		return append(out, value.Raw...)
	}
	return out
}

// text appends a string of the subject's own, or a reference.
func (r *Redactor) text(out []byte, key string, value gjson.Result) []byte {
	said := value.Str
	switch {
	case words[key]:
	case holdsPerson(key):
		said = r.Person(said)
	case isMessageKey(key):
		said = r.Message(said)
	case isChannelKey(key):
		said = r.CID(said)
	case r.people[author(said)]: // the id of a message, under a name that is not known
		said = r.Message(said)
	}
	if said == value.Str {
		return append(out, value.Raw...)
	}
	return append(out, quote(said)...)
}

// user appends a user: the subject's own, or a name.
func (r *Redactor) user(out []byte, key string, user gjson.Result) []byte {
	switch id := user.Get("id").Str; id {
	case r.subject:
		return r.members(out, key, user, true)
	case "":
		return append(out, "null"...)
	default:
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
