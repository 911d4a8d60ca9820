// Copyright (c) the terraform-provider-streamchat authors
// SPDX-License-Identifier: MPL-2.0

package function

import (
	"encoding/json"
	"time"

	"golang.org/x/text/language"
	"golang.org/x/text/message"

	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/erasure"
)

// kind is a kind of record: its title, and what one and many of its subjects are called.
type kind struct {
	title, one, many string
	asks             func(scope) []string
	// tell tells of a record that is no erasure.
	tell func(*letter, receipt)
}

var kinds = map[string]kind{
	"streamchat_user_erasure":          {title: "Erasure of a user", one: "user", asks: asksOfUser},
	"streamchat_user_erasure_batch":    {title: "Erasure of users", one: "user", many: "users", asks: asksOfUser},
	"streamchat_channel_erasure":       {title: "Erasure of a channel", one: "channel", asks: asksOfChannel},
	"streamchat_channel_erasure_batch": {title: "Erasure of channels", one: "channel", many: "channels", asks: asksOfChannel},
	"streamchat_channel_truncation":    {title: "Erasure of the messages of a channel", one: "channel", asks: asksOfTruncation},
	"streamchat_message_erasure":       {title: "Erasure of a message", one: "message", asks: asksOfMessage},
	"streamchat_user_deactivation":     {title: "Restriction of the processing of a user's data", tell: (*letter).restriction},
	"streamchat_retention_policy":      {title: "Deletion by age", tell: (*letter).retention},
	"streamchat_user_export":           {title: "Export of a user's data", tell: (*letter).export},
	"streamchat_channel_export":        {title: "Export of channels", tell: (*letter).export},
}

// verdicts say how a whole stands. Only those of done may sound like it.
var verdicts = map[standing]string{
	undone: "**No longer in force.** The deletion was carried out, but it has been undone since: the data that was only marked as deleted is visible at Stream again.",
	open:   "**Not finished.** It cannot be said yet that the data is gone: the end of the deletion is not known, or it has not begun.",
	failed: "**Failed.** What was asked has not been confirmed, so the data must be taken to be there still.",
}

var outcomes = map[erasure.Outcome]string{
	erasure.OutcomeErased:        "**Erased.** What was asked is gone for good. A look-up afterwards agreed with what Stream reported.",
	erasure.OutcomePruned:        "**Erased in part.** What was asked was carried out. What it left is listed below.",
	erasure.OutcomeMarkedDeleted: "**Marked as deleted, not erased.** Nobody sees it any more, but Stream keeps the data.",
	erasure.OutcomeNotFound:      "**Nothing was deleted.** Stream said that what was to be deleted had never existed.",
	calledOff:                    "**Called off.** Nothing was deleted: the erasure was taken back before its day.",
	erasure.OutcomeAdopted:       "**Deleted by other means.** Stream showed it as gone when the record was made. Nothing was sent by it, and how far that deletion went is the operator's statement.",
}

// sums say the same of some of many.
var sums = map[erasure.Outcome]string{
	erasure.OutcomeErased: "erased for good", erasure.OutcomePruned: "erased in part", erasure.OutcomeMarkedDeleted: "marked as deleted, not erased",
	erasure.OutcomeNotFound: "had never existed, so that nothing was deleted", erasure.OutcomeAdopted: "deleted by other means",
	calledOff: "called off, so that nothing was deleted",
}

const (
	otherOutcome = "**Carried out.** Stream reported the end. What it amounts to is a word that this version does not know; it stands in the receipt."
	otherSum     = "carried out, in a way that this version has no words for"
)

var standings = map[standing]string{
	scheduled: "cannot connect any more, not erased yet", lifted: "restricted before, active again, not erased", undone: "undone since", open: "not finished", failed: "failed",
}

var findings = map[erasure.Found]string{
	erasure.FoundDeactivated: "Before that, the account was deactivated.",
	erasure.FoundDeleted:     "It had been deleted before; the deletion was repeated, because only Stream's answer proves how far it goes.",
	erasure.FoundMissing:     "Stream no longer found it before that.",
}

// left says what a deletion leaves at Stream, and why.
var left = map[string]string{
	"user_data":            "the user's account data: the account was only marked as deleted",
	"messages":             "the user's messages: this erasure leaves them",
	"message_content":      "the content of the messages: they were only marked as deleted",
	"conversations":        "conversations between two people: this erasure leaves them",
	"conversation_content": "the content of conversations between two people: they were only marked as deleted",
	"calls":                "video calls between two people: this erasure leaves them",
	"call_content":         "the data of video calls between two people: they were only marked as deleted",
	"uploads":              "files and images that were uploaded: they are kept apart from the rest, and this deletion does not reach them",
	"polls":                "polls: they outlive who made them, and this deletion does not reach them",
	"campaigns":            "campaigns that the user sent: Stream keeps them with the app",
	"exports_kept_60_days": "copies that were made as exports: Stream keeps the files for up to 60 days, and then deletes them",
	"group_channels":       "group channels that the user was in or created: they belong to the others too, and go on under another owner",
	"mentions_and_quotes":  "mentions and quotes in what others wrote: that is the others' text",
	"message_history":      "earlier versions of edited messages, where the app keeps them: Stream offers no way to delete them",
	"moderation_logs":      "records of moderation (what was reported and decided): Stream keeps them apart",
	"poll_votes":           "votes in other people's polls: they belong to the result",
	"webhook_copies":       "what the operator's own systems received from Stream: it is not at Stream any more, and has to be deleted there",
	"channel_data":         "the channel itself, with its name, its own fields and its members",
	"users":                "the people who were in the channel: their accounts are not part of it",
	"later_messages":       "messages that were written later",
	"reactions":            "the reactions to the message: it was only marked as deleted",
	"replies":              "the replies to the message: it was only marked as deleted",
}

// modes are what becomes of something.
var modes = map[erasure.Mode]string{
	erasure.Hard: "removed for good", erasure.Pruning: "emptied of its content, and marked as deleted", erasure.Soft: "only marked as deleted; Stream keeps the data",
}

func mode(m erasure.Mode) string {
	if words, ok := modes[m]; ok {
		return words
	}
	return "deleted in a way that this version has no words for"
}

func hardness(hard bool) string {
	if hard {
		return mode(erasure.Hard)
	}
	return mode(erasure.Soft)
}

func asksOfUser(s scope) (asked []string) {
	add := func(what string, m erasure.Mode) {
		if m != erasure.Untouched {
			asked = append(asked, what+": "+mode(m))
		}
	}
	add("the user's account", s.User)
	add("the user's messages", s.Messages)
	add("conversations with exactly one other person, with what both wrote", s.Conversations)
	add("video calls with exactly one other person", s.Calls)
	for _, part := range []struct {
		asked bool
		words string
	}{
		{s.Files, "files and images that the user uploaded: " + mode(erasure.Hard)},
		{s.Polls, "polls that the user created: " + mode(erasure.Hard)},
		{s.RevokeTokens, "the user's access: withdrawn before the deletion"},
	} {
		if part.asked {
			asked = append(asked, part.words)
		}
	}
	return asked
}

func asksOfChannel(s scope) []string {
	return []string{"the channel, with the messages, reactions and memberships of everybody in it: " + hardness(s.Hard)}
}

func asksOfMessage(s scope) []string {
	if s.Hard {
		return []string{"the message, with its reactions and all replies to it: " + hardness(true)}
	}
	return []string{"the message: " + hardness(false)}
}

func asksOfTruncation(s scope) []string {
	until := "that was in the channel when the deletion was sent"
	if !s.Before.IsZero() {
		until = "that was written in the channel up to " + s.Before.String()
	}
	return []string{"every message " + until + ", whoever wrote it: " + hardness(s.Hard)}
}

// moment is a time of a receipt; zero where there is none, or none that can be read.
type moment struct{ time.Time }

// UnmarshalJSON implements json.Unmarshaler.
func (m *moment) UnmarshalJSON(raw []byte) error {
	var text string
	if json.Unmarshal(raw, &text) != nil {
		return nil //nolint:nilerr // what is no time is left out
	}
	m.Time, _ = time.Parse(time.RFC3339Nano, text)
	return nil
}

// String is the time for a person.
func (m moment) String() string { return m.UTC().Format("2 January 2006, 15:04 UTC") }

// on is " on DATE", or nothing.
func on(m moment) string {
	if m.IsZero() {
		return ""
	}
	return " on " + m.String()
}

var english = message.NewPrinter(language.English)

// number is a number with its noun.
func number[N int | int64](n N, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return english.Sprintf("%d", n) + " " + many
}
