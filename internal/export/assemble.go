// Copyright (c) the terraform-provider-streamchat authors
// SPDX-License-Identifier: MPL-2.0

package export

import (
	"encoding/binary"
	"encoding/json"
	"hash/maphash"
	"io"

	"github.com/tidwall/gjson"

	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/fields"
	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/privatefile"
)

// assembler makes the export of one user, the subject, out of channel exports:
//
//	a := newAssembler(w, "alice", dir)
//	defer a.close()
//	a.user(row)           // once
//	a.file(r)             // for every channel export
//	a.reactions(ctx, lookUp) // once, last
//
// It takes what the subject wrote, in any number of messages in the same memory,
// and lets go of everything else before it can reach a disk: others' messages,
// and inside the subject's own messages other people's objects. What it keeps
// has the form of Stream's own export (stream-api.md §7.1): fields in their order
// and as the very bytes that Stream sent, but for
//
//   - a user: null; lists of reactions: empty; the people in mentioned_users and the
//     groups in mentioned_groups: their ids alone;
//   - whole messages (quoted, of a draft), polls, channels, thread_participants: left
//     out (the ids of the first two stay), and so is a reminder, a location or a member
//     that is not the subject's.
type assembler struct {
	w       *writer
	subject string
	spool   privatefile.Spool
	out     []byte // one message or reaction

	foreign    int64 // messages of others
	authorless int64
	unread     int64 // messages of which not all reactions could be read

	seen map[uint64]bool // reactions of v2 files, which come twice
	seed maphash.Seed
}

// Records of the spool.
const (
	spoolReaction byte = 'r'
	spoolLookUp   byte = 'l' // total, message id
	spoolListed   byte = 'd' // a reaction that the look-up before may hold as well
)

// newAssembler writes the export of the subject with w. Reactions, which come
// after all messages in the JSON, wait in memory and, when they are many, in an
// encrypted temporary file in dir; with dir "" they are [ErrTooLarge] then.
func newAssembler(w *writer, subject, dir string) *assembler {
	return &assembler{w: w, subject: subject, spool: privatefile.Spool{Dir: dir}, seed: maphash.MakeSeed()}
}

// close removes what is temporary.
func (a *assembler) close() error { return a.spool.Close() }

// rewrite says what becomes of a field.
type rewrite int

const (
	keep rewrite = iota
	leaveOut
	nobody // null, or the ids of a list
	makeEmpty
	onlyIDs
	within
	ifOwn
)

// rewrites say what becomes of what a field holds; what is not in them is the subject's.
var rewrites = map[fields.Kind]rewrite{
	fields.User: nobody, fields.UserGroup: onlyIDs, fields.Reaction: makeEmpty, fields.Groups: within, fields.Group: within,
	fields.Message: leaveOut, fields.Draft: leaveOut, fields.Written: leaveOut, fields.Poll: leaveOut, fields.Ballots: leaveOut,
	fields.Vote: leaveOut, fields.Cast: leaveOut, fields.Channel: leaveOut, fields.Device: leaveOut, fields.Mute: leaveOut,
	fields.Reminder: ifOwn, fields.Location: ifOwn, fields.Member: ifOwn,
}

// leftOut are fields that go whatever they hold: of a user those that a row of a user query
// has and the user of an export has not, FullUserResponse without UserResponse
// (stream-api.md §9).
var leftOut = map[fields.Kind]map[string]bool{
	fields.User: {
		"channel_mutes": true, "devices": true, "latest_hidden_channels": true, "mutes": true,
		"total_unread_count": true, "unread_channels": true, "unread_count": true, "unread_threads": true,
	},
	fields.Message: {"thread_participants": true},
}

// rewrite copies an object of the subject's to a.out.
func (a *assembler) rewrite(is fields.Kind, object gjson.Result) {
	a.out = a.object(a.out[:0], is, object)
}

func (a *assembler) object(out []byte, is fields.Kind, object gjson.Result) []byte {
	out = append(out, '{')
	between := ""
	for key, value := range object.ForEach {
		of := is.Of(key.Str)
		rule := rewrites[of]
		if leftOut[is][key.Str] || rule == ifOwn && !a.owns(of, value) {
			rule = leaveOut
		}
		if rule == leaveOut {
			continue
		}
		out = append(append(append(out, between...), key.Raw...), ':')
		between = ","
		switch {
		case rule == keep || value.Type == gjson.Null:
			out = append(out, value.Raw...)
		case rule == makeEmpty:
			out = append(out, "[]"...)
		case rule == onlyIDs, rule == nobody && value.IsArray():
			out = appendIDs(out, value)
		case (rule == within || rule == ifOwn) && value.IsObject():
			out = a.object(out, of, value)
		default:
			out = append(out, "null"...)
		}
	}
	return append(out, '}')
}

// owns reports that what a message of the subject's holds is theirs too. A member is its
// author's unless it says otherwise.
func (a *assembler) owns(is fields.Kind, value gjson.Result) bool {
	by := value.Get("user_id").Str
	if by == "" {
		by = idOf(value.Get("user"))
	}
	return value.Type == gjson.Null || value.IsObject() && (by == a.subject || by == "" && is == fields.Member)
}

// appendIDs appends a list of users, objects or ids, as one of {"id":…}.
func appendIDs(out []byte, users gjson.Result) []byte {
	out = append(out, '[')
	between := ""
	for _, user := range elements(users) {
		id := idOf(user)
		if user.Type == gjson.String {
			id = user.Str
		}
		quoted, err := json.Marshal(id)
		if id == "" || err != nil {
			continue
		}
		out = append(append(append(append(out, between...), `{"id":`...), quoted...), '}')
		between = ","
	}
	return append(out, ']')
}

// idOf is the id of a user, "" for anything else.
func idOf(user gjson.Result) string {
	if !user.IsObject() {
		return ""
	}
	return user.Get("id").Str
}

// elements are the elements of an array, none of anything else.
func elements(list gjson.Result) []gjson.Result {
	if !list.IsArray() {
		return nil
	}
	return list.Array()
}

// user writes the subject, a row of a user query.
func (a *assembler) user(row []byte) error {
	user := gjson.ParseBytes(row)
	if !user.IsObject() {
		return &ParseError{Problem: "the user is not an object"}
	}
	a.rewrite(fields.User, user)
	return a.w.user(a.out)
}

// file takes a channel export's file, v1 or v2 (stream-api.md §7.3), as a
// stream. Errors are *ParseError, the reader's and the writer's own.
func (a *assembler) file(r io.Reader) error {
	f := newChannelFile(r)
	f.message, f.reaction = a.message, a.line
	if err := f.read(); err != nil {
		return err
	}
	// Stream's form must have changed when nobody wrote any of the messages.
	if a.authorless > 0 && a.foreign == 0 && a.w.counts.Messages == 0 {
		return f.fail("no message of the channel export names its author")
	}
	return nil
}

// message takes one message of a channel export.
func (a *assembler) message(message gjson.Result, v2 bool) error {
	if !message.IsObject() {
		return &ParseError{Problem: "a message is not an object"}
	}
	author := idOf(message.Get("user"))
	if author == "" {
		author = message.Get("user_id").Str
	}
	switch author {
	case a.subject:
		a.rewrite(fields.Message, message)
		if err := a.w.message(a.out); err != nil {
			return err
		}
	case "":
		a.authorless++
	default:
		a.foreign++
	}
	return a.listed(message, v2)
}

// listed keeps the subject's reactions among those that a message lists, and
// notes the message when it has more.
func (a *assembler) listed(message gjson.Result, v2 bool) error {
	id, latest, kind := message.Get("id").Str, message.Get("latest_reactions"), spoolReaction
	if total := sum(message.Get("reaction_counts")); total > length(latest) && id != "" {
		kind = spoolListed
		note := append(binary.AppendUvarint(nil, uint64(total)), id...) //nolint:gosec // sum is never negative
		if err := a.spool.Add(spoolLookUp, note); err != nil {
			return err
		}
	}
	types := map[string]bool{}
	for _, reaction := range append(elements(latest), elements(message.Get("own_reactions"))...) {
		by, of, err := whose(reaction)
		if err != nil {
			return err
		}
		if by != a.subject || types[of] {
			continue
		}
		types[of] = true
		if err := a.keepReaction(kind, reaction, id, of, v2); err != nil {
			return err
		}
	}
	return nil
}

// sum adds up the counts in an object. It is never negative.
func sum(counts gjson.Result) (total int64) {
	if !counts.IsObject() {
		return 0
	}
	for _, n := range counts.ForEach {
		total += min(max(n.Int(), 0), 1<<30)
	}
	return total
}

// line takes a reaction that a v2 file lists by itself.
func (a *assembler) line(reaction gjson.Result) error {
	by, of, err := whose(reaction)
	if err != nil || by != a.subject {
		return err
	}
	return a.keepReaction(spoolReaction, reaction, reaction.Get("message_id").Str, of, true)
}

// whose tells whose a reaction is and of which type.
func whose(reaction gjson.Result) (by, of string, err error) {
	if !reaction.IsObject() {
		return "", "", &ParseError{Problem: "a reaction is not an object"}
	}
	if by = reaction.Get("user_id").Str; by == "" {
		by = idOf(reaction.Get("user"))
	}
	return by, reaction.Get("type").Str, nil
}

// keepReaction spools a reaction, one of a v2 file unless it came before.
func (a *assembler) keepReaction(kind byte, reaction gjson.Result, messageID, of string, v2 bool) error {
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
	a.rewrite(fields.Reaction, reaction)
	return a.spool.Add(kind, a.out)
}
