// Copyright (c) the terraform-provider-streamchat authors
// SPDX-License-Identifier: MPL-2.0

package redact

import (
	"slices"
	"strings"
	"time"

	"github.com/tidwall/gjson"
)

// words are what the subject said, in fields that nothing is looked for in.
var words = map[string]bool{
	"text": true, "html": true, "mml": true, "original_text": true, "answer_text": true, "name": true, "title": true, "description": true,
}

// kind is what a field holds. In an object of Stream's the field's name says it, see
// shapes; in all others, the custom fields of whoever wrote them and what a later API
// adds, only the value does.
type kind string

const (
	custom    kind = "" // not Stream's, as far as is known
	root      kind = "export"
	user      kind = "user"
	message   kind = "message"
	draft     kind = "draft"
	written   kind = "draft's message" // by whoever has the draft
	reaction  kind = "reaction"
	groups    kind = "groups of reactions"
	group     kind = "group of reactions"
	poll      kind = "poll"
	ballots   kind = "votes by option"
	vote      kind = "vote"
	cast      kind = "own vote"
	reminder  kind = "reminder"
	location  kind = "location"
	channel   kind = "channel"
	member    kind = "member"
	userGroup kind = "group of users"
	device    kind = "device"
	mute      kind = "mute"
	attached  kind = "attachment" // whoever else is in it, it is the message's

	// Strings, and lists of them.
	userID    kind = "id of a user"
	messageID kind = "id of a message"
	cid       kind = "cid"
)

// shapes are the fields of Stream's objects that can hold another person, an object of
// theirs or a reference to one, from Stream's OpenAPI description of ExportUserResponse
// and all that it refers to. "*" is every field.
var shapes = map[kind]map[string]kind{
	root: {"user": user, "messages": message, "reactions": reaction},
	user: {"blocked_user_ids": userID, "devices": device, "mutes": mute, "channel_mutes": mute},
	message: {
		"user": user, "user_id": userID, "mentioned_users": user, "pinned_by": user, "thread_participants": user, "restricted_visibility": userID,
		"parent_id": messageID, "quoted_message_id": messageID, "quoted_message": message, "cid": cid, "channel": channel, "member": member,
		"latest_reactions": reaction, "own_reactions": reaction, "reaction_groups": groups, "poll": poll, "reminder": reminder,
		"shared_location": location, "draft": draft, "mentioned_groups": userGroup,
		"attachments": attached,
	},
	draft:    {"message": written, "parent_message": message, "quoted_message": message, "parent_id": messageID, "channel": channel, "channel_cid": cid},
	written:  {"attachments": attached, "mentioned_users": user, "parent_id": messageID, "quoted_message_id": messageID},
	reaction: {"user": user, "user_id": userID, "message_id": messageID},
	groups:   {"*": group},
	group:    {"latest_reactions_by": reaction},
	poll: {
		"created_by": user, "created_by_id": userID, "latest_answers": vote, "latest_votes_by_option": ballots, "own_votes": cast,
	},
	ballots:   {"*": vote},
	vote:      {"user": user, "user_id": userID},
	cast:      {"user": user, "user_id": userID},
	reminder:  {"user": user, "user_id": userID, "message": message, "message_id": messageID, "channel": channel, "channel_cid": cid},
	location:  {"user": user, "user_id": userID, "message": message, "message_id": messageID, "channel": channel, "channel_cid": cid},
	channel:   {"created_by": user, "created_by_id": userID, "truncated_by": user, "truncated_by_id": userID, "members": member, "cid": cid, "id": cid},
	member:    {"user": user, "user_id": userID, "deleted_messages": messageID},
	userGroup: {"created_by": userID, "members": member},
	device:    {"user": user, "user_id": userID},
	mute:      {"user": user, "target": user, "channel": channel},
}

// of is what a field of an object of this kind holds.
func (k kind) of(field string) kind {
	if all, ok := shapes[k]["*"]; ok {
		return all
	}
	return shapes[k][field]
}

// unowned are objects that are somebody else's unless they say that they are the
// subject's: votes are anonymous in some polls, and a channel is its creator's.
var unowned = map[kind]bool{vote: true, channel: true, userGroup: true, reaction: true}

// machine are fields of others' objects that hold ids which a machine made.
var machine = map[string]bool{"id": true, "poll_id": true, "option_id": true}

// kinds are the types of messages and attachments that Stream itself gives.
var kinds = map[string]bool{
	"regular": true, "reply": true, "deleted": true, "system": true, "ephemeral": true, "error": true,
	"image": true, "file": true, "video": true, "audio": true, "voiceRecording": true, "giphy": true,
}

// times and counts are fields of Stream's own that stay of others' objects; what else ends
// like them may be a custom field.
var (
	times = map[string]bool{
		"created_at": true, "updated_at": true, "deleted_at": true, "message_text_updated_at": true, "pinned_at": true, "remind_at": true, "end_at": true,
		"first_reaction_at": true, "last_reaction_at": true, "last_message_at": true,
	}
	counts = map[string]bool{
		"reply_count": true, "deleted_reply_count": true, "vote_count": true, "answers_count": true, "member_count": true, "message_count": true, "is_answer": true,
	}
)

func isTime(value string) bool {
	_, err := time.Parse(time.RFC3339Nano, value)
	return err == nil
}

// isUserKey reports that an object with an id under this name is called a user.
func isUserKey(key string) bool {
	switch key {
	case "user", "users", "target", "members", "participants", "moderator", "blocked_user":
		return true
	}
	return strings.HasSuffix(key, "_user") || strings.HasSuffix(key, "_users") || strings.HasSuffix(key, "_by") ||
		strings.HasSuffix(key, "_participants") || strings.HasSuffix(key, "_members")
}

// holdsPerson reports that a string under this name, or in a list there, is a
// user's id.
func holdsPerson(key string) bool {
	switch key {
	case "user_id", "user_ids", "restricted_visibility", "target_id":
		return true
	}
	return isUserKey(key) || strings.HasSuffix(key, "_user_id") || strings.HasSuffix(key, "_user_ids") ||
		strings.HasSuffix(key, "_by_id") || strings.HasSuffix(key, "_by_ids") || strings.HasSuffix(key, "_owner_id")
}

// isMessageKey reports that a string under this name is a message's id.
func isMessageKey(key string) bool {
	return key == "parent_id" || key == "message_id" || key == "message_ids" ||
		strings.HasSuffix(key, "_message_id") || strings.HasSuffix(key, "_message_ids")
}

// isChannelKey reports that a string under this name is a channel's id.
func isChannelKey(key string) bool {
	return key == "cid" || key == "cids" || key == "channel_id" || strings.HasSuffix(key, "_cid") || strings.HasSuffix(key, "_cids") ||
		strings.HasSuffix(key, "_channel_id")
}

// markers are fields that Stream gives with every user beside the id and the role.
var markers = []string{"banned", "online", "created_at", "teams", "shadow_banned", "last_active", "blocked_user_ids"}

// marked reports that an object looks like a user of Stream's. A member looks so too,
// but has no id of its own.
func marked(object gjson.Result) bool {
	return object.Get("id").Type == gjson.String && object.Get("role").Type == gjson.String &&
		slices.ContainsFunc(markers, func(name string) bool { return object.Get(name).Exists() })
}

// isUser reports that an object is a user: it stands where users do, looks like one,
// or has the id of somebody and a name, a picture, or nothing else.
func (r *Redactor) isUser(is kind, object gjson.Result) bool {
	id := object.Get("id")
	switch {
	case is == user, id.Type == gjson.String && marked(object):
		return true
	case is != custom && is != attached || id.Type != gjson.String:
		return false
	}
	return (r.people[id.Str] || id.Str == r.subject) &&
		(object.Get("name").Exists() || object.Get("image").Exists() || count(object) == 1)
}

func count(object gjson.Result) (n int) {
	for range object.ForEach {
		n++
	}
	return n
}

// foreign reports that an object belongs to somebody else.
func (r *Redactor) foreign(is kind, object gjson.Result) bool {
	owner := r.owner(is, object)
	switch {
	case is == attached:
		return false // what is attached to the subject's message is part of it
	case owner != "":
		return owner != r.subject
	case is == message:
		id := object.Get("id")
		return id.Type == gjson.String && !r.wrote(id.Str)
	}
	return unowned[is]
}

// owner is whose an object is, as far as it says: its user's, its creator's, or that of
// a user in it under whatever name. Who did something to it ("pinned_by") owns nothing.
// What is not Stream's only has an owner who is known.
func (r *Redactor) owner(is kind, object gjson.Result) string {
	for _, name := range []string{"user", "user_id", "created_by", "created_by_id"} {
		value := object.Get(name)
		id := value.Str
		if value.IsObject() {
			id = value.Get("id").Str
		}
		if id != "" && (is != custom && is != attached || id == r.subject || r.people[id]) {
			return id
		}
	}
	owner := ""
	if is == attached {
		return owner
	}
	for name, value := range object.ForEach {
		if !value.IsObject() || is.of(name.Str) == user && name.Str != "user" || strings.HasSuffix(name.Str, "_by") || name.Str == "custom" || !marked(value) {
			continue
		}
		if owner = value.Get("id").Str; owner == r.subject {
			return owner
		}
	}
	if by := author(object.Get("id").Str); owner == "" && is == custom && r.people[by] {
		return by // a message
	}
	return owner
}
