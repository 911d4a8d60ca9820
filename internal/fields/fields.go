// Copyright (c) the terraform-provider-streamchat authors
// SPDX-License-Identifier: MPL-2.0

// Package fields knows which fields of what Stream exports can hold other people: one
// table, for whoever takes them out.
package fields

import "maps"

// Kind is what a field holds. In an object of Stream's the field's name says it; in all
// others, the custom fields of whoever wrote them and what a later API adds, only the value
// does.
type Kind string

// The kinds.
const (
	Custom    Kind = "" // not Stream's, as far as is known
	Export    Kind = "export"
	User      Kind = "user"
	Message   Kind = "message"
	Draft     Kind = "draft"
	Written   Kind = "draft's message" // by whoever has the draft
	Reaction  Kind = "reaction"
	Groups    Kind = "groups of reactions"
	Group     Kind = "group of reactions"
	Poll      Kind = "poll"
	Ballots   Kind = "votes by option"
	Vote      Kind = "vote"
	Cast      Kind = "own vote"
	Reminder  Kind = "reminder"
	Location  Kind = "location"
	Channel   Kind = "channel"
	Member    Kind = "member"
	UserGroup Kind = "group of users"
	Device    Kind = "device"
	Mute      Kind = "mute"
	Attached  Kind = "attachment" // whoever else is in it, it is the message's

	// Strings, and lists of them.
	UserID    Kind = "id of a user"
	MessageID Kind = "id of a message"
	CID       Kind = "cid"
)

// shapes are the fields of Stream's objects that can hold another person, an object of
// theirs or a reference to one, from Stream's OpenAPI description of ExportUserResponse
// and all that it refers to. "*" is every field.
var shapes = map[Kind]map[string]Kind{
	Export: {"user": User, "messages": Message, "reactions": Reaction},
	User:   {"blocked_user_ids": UserID, "devices": Device, "mutes": Mute, "channel_mutes": Mute},
	Message: {
		"user": User, "user_id": UserID, "mentioned_users": User, "pinned_by": User, "thread_participants": User, "restricted_visibility": UserID,
		"parent_id": MessageID, "quoted_message_id": MessageID, "quoted_message": Message, "cid": CID, "channel": Channel, "member": Member,
		"latest_reactions": Reaction, "own_reactions": Reaction, "reaction_groups": Groups, "poll": Poll, "reminder": Reminder,
		"shared_location": Location, "draft": Draft, "mentioned_groups": UserGroup,
		"attachments": Attached,
	},
	Draft:    {"message": Written, "parent_message": Message, "quoted_message": Message, "parent_id": MessageID, "channel": Channel, "channel_cid": CID},
	Written:  {"attachments": Attached, "mentioned_users": User, "parent_id": MessageID, "quoted_message_id": MessageID},
	Reaction: {"user": User, "user_id": UserID, "message_id": MessageID},
	Groups:   {"*": Group},
	Group:    {"latest_reactions_by": Reaction},
	Poll: {
		"created_by": User, "created_by_id": UserID, "latest_answers": Vote, "latest_votes_by_option": Ballots, "own_votes": Cast,
	},
	Ballots:   {"*": Vote},
	Vote:      {"user": User, "user_id": UserID},
	Cast:      {"user": User, "user_id": UserID},
	Reminder:  {"user": User, "user_id": UserID, "message": Message, "message_id": MessageID, "channel": Channel, "channel_cid": CID},
	Location:  {"user": User, "user_id": UserID, "message": Message, "message_id": MessageID, "channel": Channel, "channel_cid": CID},
	Channel:   {"created_by": User, "created_by_id": UserID, "truncated_by": User, "truncated_by_id": UserID, "members": Member, "cid": CID, "id": CID},
	Member:    {"user": User, "user_id": UserID, "deleted_messages": MessageID},
	UserGroup: {"created_by": UserID, "members": Member},
	Device:    {"user": User, "user_id": UserID},
	Mute:      {"user": User, "target": User, "channel": Channel},
}

// Of is what a field of an object of this kind holds.
func (k Kind) Of(field string) Kind {
	if all, ok := shapes[k]["*"]; ok {
		return all
	}
	return shapes[k][field]
}

// Fields are the fields of an object of this kind that can hold another person.
func (k Kind) Fields() map[string]Kind { return maps.Clone(shapes[k]) }
