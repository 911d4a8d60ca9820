// Copyright (c) the terraform-provider-streamchat authors
// SPDX-License-Identifier: MPL-2.0

package redact

import (
	"slices"
	"strings"
	"time"

	"github.com/tidwall/gjson"

	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/fields"
)

// words are what the subject said, in fields that nothing is looked for in.
var words = map[string]bool{
	"text": true, "html": true, "mml": true, "original_text": true, "answer_text": true, "name": true, "title": true, "description": true,
}

// kind is what a field holds.
type kind = fields.Kind

const (
	custom    = fields.Custom
	root      = fields.Export
	user      = fields.User
	message   = fields.Message
	draft     = fields.Draft
	written   = fields.Written
	reaction  = fields.Reaction
	groups    = fields.Groups
	group     = fields.Group
	poll      = fields.Poll
	ballots   = fields.Ballots
	vote      = fields.Vote
	cast      = fields.Cast
	reminder  = fields.Reminder
	location  = fields.Location
	channel   = fields.Channel
	member    = fields.Member
	userGroup = fields.UserGroup
	device    = fields.Device
	mute      = fields.Mute
	attached  = fields.Attached
	userID    = fields.UserID
	messageID = fields.MessageID
	cid       = fields.CID
)

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
		if !value.IsObject() || is.Of(name.Str) == user && name.Str != "user" || strings.HasSuffix(name.Str, "_by") || name.Str == "custom" || !marked(value) {
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
