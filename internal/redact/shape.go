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

// known are fields of Stream's own that are no user's id, whoever is called so.
var known = map[string]bool{
	"user": true, "channel": true, "message": true, "poll": true, "custom": true, "member": true, "moderation": true, "reminder": true,
	"shared_location": true, "draft": true, "quoted_message": true, "parent_message": true, "i18n": true, "reaction_counts": true,
	"reaction_scores": true, "reaction_groups": true, "privacy_settings": true, "push_notifications": true, "teams_role": true,
	"image_labels": true, "config": true, "giphy": true, "created_by": true, "pinned_by": true,
}

// machine are fields of others' objects that hold ids which a machine made.
var machine = map[string]bool{"id": true, "poll_id": true, "option_id": true}

// kinds are the types of messages and attachments that Stream itself gives.
var kinds = map[string]bool{
	"regular": true, "reply": true, "deleted": true, "system": true, "ephemeral": true, "error": true,
	"image": true, "file": true, "video": true, "audio": true, "voiceRecording": true, "giphy": true,
}

// isTime reports that a string says when something was.
func isTime(key, value string) bool {
	_, err := time.Parse(time.RFC3339Nano, value)
	return err == nil && strings.HasSuffix(key, "_at")
}

// isUserKey reports that an object with an id under this name is a user.
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

// markers are fields that nothing but a user has.
var markers = []string{
	"role", "online", "banned", "shadow_banned", "last_active", "teams", "invisible", "privacy_settings", "push_notifications",
	"blocked_user_ids", "deactivated_at", "revoke_tokens_issued_before",
}

// marked reports that an object looks like a user of Stream's. A member has markers
// too, but no id of its own.
func marked(object gjson.Result) bool {
	if object.Get("id").Type != gjson.String {
		return false
	}
	for name := range object.ForEach {
		if slices.Contains(markers, name.Str) {
			return true
		}
	}
	return false
}

// isUser reports that an object is a user: it stands where users do, looks like one,
// or has the id of somebody and a name, a picture, or nothing else.
func (r *Redactor) isUser(key string, object gjson.Result) bool {
	id := object.Get("id")
	if id.Type != gjson.String {
		return key == "user" && r.owner(object) == ""
	}
	if isUserKey(key) || marked(object) {
		return true
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

// isMessage reports that an object under this name is a message.
func isMessage(key string) bool {
	return key == "message" || key == "messages" || key == "replies" || strings.HasSuffix(key, "_message") || strings.HasSuffix(key, "_messages")
}

// foreign reports that an object belongs to somebody else.
func (r *Redactor) foreign(key string, object gjson.Result) bool {
	owner := r.owner(object)
	if owner == "" && isMessage(key) {
		id := object.Get("id")
		return id.Type == gjson.String && !r.wrote(id.Str)
	}
	return owner != "" && owner != r.subject
}

// owner is whose an object is, as far as it says: its user's, its creator's, or that of
// a user in it under whatever name. Who did something to it ("pinned_by") owns nothing.
func (r *Redactor) owner(object gjson.Result) string {
	for _, name := range []string{"user", "user_id", "created_by", "created_by_id"} {
		switch value := object.Get(name); {
		case value.Type == gjson.String && value.Str != "":
			return value.Str
		case value.IsObject() && value.Get("id").Str != "":
			return value.Get("id").Str
		}
	}
	owner := ""
	for name, value := range object.ForEach {
		if !value.IsObject() || strings.HasSuffix(name.Str, "_by") || name.Str == "custom" || name.Str == "target" || !marked(value) {
			continue
		}
		if owner = value.Get("id").Str; owner == r.subject {
			return owner
		}
	}
	return owner
}
