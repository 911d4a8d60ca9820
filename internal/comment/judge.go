// Copyright (c) the terraform-provider-streamchat authors
// SPDX-License-Identifier: MPL-2.0

package comment

import (
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"time"

	tfjson "github.com/hashicorp/terraform-json"
)

const prefix = "streamchat_"

// Titles of the provider's warnings that say more of an act than its planned values.
const (
	underWay    = "Deletion under way"
	manyUnder   = "Deletions under way"
	notSaved    = "Result not saved yet"
	nothingDue  = "Nothing to delete"
	holdUnseen  = "Nobody has the hold field"
	restricted  = "Restricted now, erased later"
	restriction = "Restriction of processing"
	again       = "Restricted again"
	calledOff   = "Scheduled erasures called off"
	overdue     = "Deadline has passed"
	willBeLate  = "Erased after the deadline"
	targeted    = "Resource targeting is in effect" // the CLI's own
	weaker      = "Guards are weaker than those that were approved"
	notErased   = "Not erased: " // and why: a record that is due and changes nothing
)

// effect is what an apply does to people's data; they are listed in this order.
type effect int

const (
	unknown effect = iota // a resource that this version does not know
	gone
	due
	policy
	schedules
	restores
	callsOff
	reactivates
	unpolicy
	keeps
	restricts
	exports
	adopts
	resumes
	forgets
	drops
	books
	putsOff
	nothing effect = -1
)

// final reports that an act cannot be undone, or that nobody can tell.
func (e effect) final() bool { return e <= schedules && e != nothing }

// of says which record of its subject an act is about, where its effect does not.
func (e effect) of(typeName string) string {
	k, _ := kindOf(typeName)
	if k.record != "" && (e >= adopts || k.record == "action") {
		return " (" + k.record + ")"
	}
	return ""
}

// effects are what is said of all acts of one effect.
var effects = map[effect]struct{ title, says string }{
	unknown:     {"Not known to this comment", "This version does not know what these do. Read the plan itself, or use the comment of the provider's own release."},
	gone:        {"Goes for good", "Neither this provider nor Stream can bring it back."},
	due:         {"Erased now, as scheduled", "The day has come: nothing has changed since the erasure was scheduled. Neither this provider nor Stream can bring it back."},
	policy:      {"Goes for good, for everybody, from then on", "Stream itself hard-deletes what is older, beginning about 24 hours after the apply; no guard holds it back."},
	schedules:   {"Restricted now, gone for good when due", "The user is deactivated, by this apply unless it was before; the first apply at or after erase_at erases. Approve both: a pipeline that goes by -only-approved asks nobody again."},
	restores:    {"Brings users back", "The record leaves the state. Stream restores the user's metadata, not memberships."},
	callsOff:    {"Calls scheduled erasures off", "Nobody of these is erased. The user is reactivated and can connect again."},
	reactivates: {"Lifts restrictions", "The user is reactivated and can connect again."},
	unpolicy:    {"Removes a retention policy", "Nothing more is deleted by age; what it deleted stays deleted."},
	keeps:       {"Marked as deleted: the data stays at Stream", "This is not an erasure in the sense of the GDPR."},
	restricts:   {"Restricted", "The user cannot connect, and queries leave them out. All data stays, and others still see their messages."},
	exports:     {"Exported", "The file is written at apply; nothing of it is in the state."},
	adopts:      {"Adopted by import", "A record is made of what was done elsewhere. Nothing is deleted."},
	resumes:     {"Resumed", "Asks for the result of what was submitted before; sent again only if Stream no longer knows the task."},
	forgets:     {"Forgotten", "Only the record leaves the state, with its receipt. Nothing is sent to Stream, nothing comes back."},
	drops:       {"Records dropped", "Who left the list leaves the record as well (drop_removed_records), with what proves their erasure. Nothing is sent to Stream, nothing comes back."},
	books:       {"Bookkeeping", "Only what the record says changes. Nothing is sent to Stream."},
	putsOff:     {"Put off", "This plan does not say what becomes of these, and its apply does not touch them. Another plan follows, which needs a comment of its own."},
}

// kind is what this package knows of a type of resource.
type kind struct {
	one, many string                      // its subjects
	record    string                      // what it keeps of them
	subject   string                      // the attribute that names them
	judge     func(change) effect         // of a change that is no removal
	remove    func(change) effect         // of a removal by destroy
	later     func(change, effect) string // what removing the block would do
}

// kinds are all resources of the provider; a test compares them with it.
var kinds = map[string]kind{
	"streamchat_user_erasure":          {"user", "users", "erasure", "user_id", erase, unerase, afterErasure},
	"streamchat_user_erasure_batch":    {"user", "users", "erasure", "user_ids", erase, unerase, afterErasure},
	"streamchat_channel_erasure":       {"channel", "channels", "erasure", "cid", erase, unerase, afterErasure},
	"streamchat_channel_erasure_batch": {"channel", "channels", "erasure", "cids", erase, unerase, afterErasure},
	"streamchat_channel_truncation":    {"channel's messages", "channels' messages", "erasure", "cid", erase, unerase, afterErasure},
	"streamchat_message_erasure":       {"message", "messages", "erasure", "message_id", erase, unerase, afterErasure},
	"streamchat_user_deactivation":     {"user", "users", "restriction", "user_id", restrict, unrestrict, afterRestriction},
	"streamchat_user_export":           {"user", "users", "export", "user_id", export, forget, afterExport},
	"streamchat_channel_export":        {"channel", "channels", "export", "cids", export, forget, afterExport},
	"streamchat_retention_policy":      {"policy", "policies", "", "", setPolicy, removePolicy, afterPolicy},
}

// actions are all actions of the provider. They leave no record.
var actions = map[string]kind{
	"streamchat_deactivate_user": {"user", "users", "action", "user_id", func(change) effect { return restricts }, nil, afterAction},
	"streamchat_export_user":     {"user", "users", "action", "user_id", func(change) effect { return exports }, nil, afterAction},
}

func afterAction(change, effect) string { return "nothing: an action leaves no record" }

// kindOf is what is known of a type.
func kindOf(typeName string) (kind, bool) {
	if k, ok := kinds[typeName]; ok {
		return k, true
	}
	k, ok := actions[typeName]
	return k, ok
}

// change is one change of a plan, with what of it may be unknown.
type change struct {
	typeName      string
	action        effect // nothing, or anything else
	removed, kept bool   // destroyed; taken out of the state by a removed block
	created       bool   // also as the second half of a replacement
	replaces      bool   // a record
	doubles       bool   // the record that it replaces goes later or is forgotten: it hands nothing on
	updated       bool   // in place
	importing     bool
	moved         bool
	made          time.Time // the plan; zero where it does not say
	before, after map[string]any
	unknown       map[string]any
}

func changeOf(rc *tfjson.ResourceChange, made string) change {
	c := change{typeName: rc.Type, importing: rc.Change.Importing != nil, moved: rc.PreviousAddress != ""}
	c.made, _ = time.Parse(time.RFC3339, made)
	c.before, _ = rc.Change.Before.(map[string]any)
	c.after, _ = rc.Change.After.(map[string]any)
	c.unknown, _ = rc.Change.AfterUnknown.(map[string]any)
	a := rc.Change.Actions
	switch {
	case a.NoOp(), a.Read():
		c.action = nothing
	case a.Delete():
		c.removed = true
	case a.Forget():
		c.removed, c.kept = true, true
	case slices.Contains(a, tfjson.ActionCreate): // with a delete, or a forget where destroy = false
		c.created, c.replaces = true, len(a) > 1
		c.doubles = c.replaces && !a.DestroyBeforeCreate()
	case a.Update():
		c.updated = true
	}
	return c
}

// values are those that are planned, or those that are on record when nothing is.
func (c change) values() map[string]any {
	if c.removed {
		return c.before
	}
	return c.after
}

func (c change) text(name string) string {
	s, _ := c.values()[name].(string)
	return s
}

// acts reports that an apply does something: what will be known after it is its result.
func (c change) acts() bool { return c.created || c.unknown["status"] == true }

func (c change) subjects() []string {
	k, _ := kindOf(c.typeName)
	return c.texts(k.subject)
}

// texts are those of some attributes, before and after.
func (c change) texts(names ...string) (texts []string) {
	for _, values := range []map[string]any{c.before, c.after} {
		for _, name := range names {
			for _, v := range append(list(values[name]), values[name]) {
				if s, ok := v.(string); ok {
					texts = append(texts, s)
				}
			}
		}
	}
	slices.Sort(texts)
	return slices.Compact(texts)
}

// judge says what the change amounts to; said are the warnings about it.
func (c change) judge(said []diagnostic) act {
	k, known := kindOf(c.typeName)
	a := act{typeName: c.typeName, request: c.text("request_id"), app: c.text("app_name"), count: 1, labels: map[string]string{}}
	if labels, ok := c.values()["labels"].(map[string]any); ok {
		for name, value := range labels {
			a.labels[name] = fmt.Sprint(value)
		}
	}
	a.subjects = c.subjects()
	if subject, ok := c.values()["subject"].(string); ok && len(a.subjects) == 0 {
		a.pseudonym = clip(subject, 13)
	}
	switch {
	case !known:
		a.effect = unknown
	case c.kept:
		a.effect = forgets
	case c.removed:
		a.effect = k.remove(c)
	default:
		a.effect = k.judge(c)
		a.modes = modes(c)
	}
	a.effect = c.hear(a.effect, said)
	if !c.removed && known {
		a.later = k.later(c, a.effect)
	}
	a.facts = append(c.times(a.effect), c.befores(a.effect)...)
	for _, d := range said {
		switch d.Summary {
		case underWay, manyUnder, notSaved, overdue, willBeLate: // said already
		default:
			a.facts = append(a.facts, facts(d, len(said) > 1)...)
		}
	}
	a.approved = (a.effect == resumes || (a.effect == due || a.effect == keeps) && c.due()) && c.unchanged()
	a.approved = (a.approved || c.outlived()) && !slices.ContainsFunc(said, func(d diagnostic) bool {
		return slices.Contains([]string{calledOff, again, restricted, weaker}, d.Summary)
	})
	a.nameless = known && len(a.subjects) == 0
	if slices.Contains([]effect{gone, due, schedules, keeps}, a.effect) {
		for _, what := range list(c.after["not_covered"]) {
			a.stays = append(a.stays, fmt.Sprint(what))
		}
	}
	for _, name := range []string{"user_ids", "cids"} {
		if ids := list(c.values()[name]); ids != nil {
			a.count = len(ids)
		}
	}
	if results, ok := c.values()["results"].(map[string]any); ok && len(a.subjects) == 0 {
		a.count = len(results) // a batch that holds no ids
	}
	for _, name := range []string{"new_user_count", "new_channel_count"} {
		if n, ok := c.after[name].(float64); ok && a.effect.final() {
			a.count = int(n)
		}
	}
	if n := c.scheduled(); a.effect == due && n > 0 {
		a.count = n
	}
	return a
}

// hear takes what the provider's warnings say more of an act than its values.
func (c change) hear(e effect, said []diagnostic) effect {
	says := map[string]bool{}
	for _, d := range said {
		says[d.Summary] = true
		says["deletes"] = says["deletes"] || strings.HasPrefix(d.Summary, "Irreversible deletion") || strings.HasPrefix(d.Summary, "Deletions that keep")
	}
	switch {
	case e == schedules && says["deletes"]: // a record that is replaced is due
		return gone
	case e == unknown, says["deletes"], e == keeps && (says[restricted] || says[again]):
		return e
	case says[restricted], says[again]:
		return schedules
	case says[calledOff]:
		return callsOff
	case says[underWay], says[manyUnder], says[notSaved]:
		return resumes
	case says[nothingDue]:
		return books
	}
	return e
}

// subject is the word for whom or what an act is about.
func (a act) subject() string {
	if k, ok := kindOf(a.typeName); ok {
		return k.one
	}
	return a.typeName
}

func list(v any) []any {
	l, _ := v.([]any)
	return l
}

func erase(c change) effect {
	switch {
	case c.importing:
		return adopts
	case !c.acts():
		return books
	case c.resumes():
		return resumes
	case c.after["irreversible"] == false:
		return keeps
	case c.due() && c.unchanged():
		return due
	case c.after["grace_period"] != nil && (c.created || c.waits()):
		return schedules
	}
	return gone // also where the plan does not say
}

// resumes reports that all that is asked for was submitted before.
func (c change) resumes() bool {
	for _, name := range []string{"new_user_count", "new_channel_count"} {
		if n, ok := c.after[name].(float64); ok && n > 0 || c.unknown[name] == true {
			return false
		}
	}
	return !c.created && c.before["status"] == "submitted" && modes(c) == modes(change{after: c.before}) &&
		reflect.DeepEqual(c.before["grace_period"], c.after["grace_period"])
}

func unerase(c change) effect {
	if c.before["status"] == "scheduled" {
		named := c.before["user_id"] != nil || c.before["user_ids"] != nil // else nobody can be reactivated
		if found := c.before["found"]; named && found != "deactivated" && found != "deleted" {
			return callsOff
		}
		return forgets
	}
	if c.before["on_destroy"] == "restore" && c.before["irreversible"] == false && c.before["status"] == "completed" {
		return restores
	}
	return forgets
}

func afterErasure(c change, e effect) string {
	switch named := c.after["user_id"] != nil || c.after["user_ids"] != nil; {
	case c.first(e) && named:
		return "until it is erased, the erasure is called off, and whoever it deactivated is reactivated"
	case c.first(e):
		return "until it is erased, the erasure is called off, and the user stays deactivated: the record has no id by which to reactivate"
	case c.after["on_destroy"] == "restore":
		return "the user is brought back once this is completed (metadata only, no memberships)"
	}
	return "only the record goes; nothing comes back"
}

func restrict(c change) effect {
	if c.importing {
		return adopts
	}
	if !c.acts() {
		return books
	}
	return restricts
}

func unrestrict(c change) effect {
	if c.before["on_destroy"] == "forget" || c.before["found"] == "deactivated" || c.before["status"] != "deactivated" {
		return forgets
	}
	return reactivates
}

func afterRestriction(c change, _ effect) string {
	if c.after["on_destroy"] == "forget" {
		return "only the record goes; the user stays deactivated"
	}
	return "the user is reactivated"
}

func export(c change) effect {
	if c.created {
		return exports
	}
	return books
}

func forget(change) effect { return forgets }

func afterExport(change, effect) string { return "only the record goes; the file stays where it is" }

func setPolicy(c change) effect {
	if c.importing && c.action == nothing {
		return adopts
	}
	return policy
}

func removePolicy(change) effect { return unpolicy }

func afterPolicy(change, effect) string {
	return "Stream's policy is removed; what it deleted stays deleted"
}

// modes says how, in the configuration's own words.
func modes(c change) string {
	var said []string
	block, _ := c.after["delete"].(map[string]any)
	for _, name := range []string{"user", "messages", "conversations", "calls"} {
		if mode, ok := block[name].(string); ok {
			said = append(said, name+" "+mode)
		}
	}
	for _, name := range []string{"files", "polls"} {
		if block[name] == true {
			said = append(said, name)
		}
	}
	if hard, ok := c.after["hard_delete"].(bool); ok {
		said = append(said, map[bool]string{true: "hard", false: "soft"}[hard])
	}
	if before, ok := c.after["truncated_before"].(string); ok {
		said = append(said, "until "+before)
	}
	if name, ok := c.after["policy"].(string); ok {
		said = append(said, name+" "+ages(c))
	}
	return strings.Join(append(said, c.settings()...), ", ")
}

// usual are the settings that a reviewer is told of where they are not as usual.
var usual = map[string]any{
	"attachments": false, "audience": "controller", "clear_deleted_message_text": false, "export_users": false, "format": "json",
	"include_soft_deleted_channels": false, "include_truncated_messages": false, "mark_messages_deleted": false, "messages_since": nil, "messages_until": nil,
	"new_call_owner_id": nil, "new_channel_owner_id": nil, "not_active_since": nil, "on_missing": "fail", "overwrite": false, "restore_messages": false,
	"revoke_tokens": false, "skip_push": false,
}

// settings are those, in the configuration's own words; of an id only that there is one.
func (c change) settings() (said []string) {
	for _, name := range slices.Sorted(maps.Keys(usual)) {
		value, ids := c.after[name], strings.HasSuffix(name, "_id")
		switch text, _ := value.(string); {
		case !unset(c.unknown[name]):
			said = append(said, name+" not known yet")
		case value == nil, value == usual[name]:
		case text != "" && !ids:
			said = append(said, name+" "+text)
		default:
			said = append(said, name)
		}
	}
	if takes := strings.HasSuffix(c.typeName, "_export") && c.created || c.typeName == "streamchat_export_user"; takes && c.after["age_recipients"] == nil && unset(c.unknown["age_recipients"]) {
		said = append(said, "in the clear")
	}
	return said
}

func ages(c change) string {
	now, before := c.after["max_age_hours"], c.before["max_age_hours"]
	said := "after an age that is not known yet"
	if now != nil {
		said = fmt.Sprintf("after %v hours", now)
	}
	if before != nil && before != now {
		said += fmt.Sprintf(" (before: %v)", before)
	}
	return said
}

// facts are the lines of a warning that are about this subject. What cannot be undone is
// said once for all, and so is what goes: that is in the modes.
func facts(d diagnostic, titled bool) (lines []string) {
	body, _, _ := strings.Cut(d.Detail, "\n\n")
	for line := range strings.Lines(body) {
		line = strings.TrimSpace(line)
		if line != "" && !slices.ContainsFunc([]string{"The subject and request_id ", "This apply deactivates ", "The user is deactivated: "}, func(said string) bool { return strings.HasPrefix(line, said) }) {
			lines = append(lines, strings.TrimPrefix(line, "Subject: "))
		}
	}
	if d.Summary != restricted && d.Summary != restriction && (titled || !strings.HasPrefix(d.Summary, "Irreversible deletion")) {
		lines = append([]string{d.Summary + "."}, lines...)
	}
	return lines
}

// Kinds are the types of resources that the comment knows.
func Kinds() []string { return slices.Sorted(maps.Keys(kinds)) }

// Actions are the types of actions that it knows.
func Actions() []string { return slices.Sorted(maps.Keys(actions)) }
