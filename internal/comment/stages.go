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
)

// attributes are all of an erasure, of one or of many; a test compares them with the
// provider. True are those that only the provider writes and that an apply may change:
// whatever else differs, or is not known here, was not approved when the erasure was.
var attributes = map[string]bool{
	"completed_at": true, "erase_at": true, "failures": true, "found": true, "new_channel_count": true, "new_user_count": true, "outcome": true,
	"receipt": true, "results": true, "status": true, "submitted_at": true, "task_id": true, "verified_at": true,

	"app_id": false, "app_name": false, "channel_count": false, "cid": false, "cids": false, "delete": false, "drop_removed_records": false, "due_at": false,
	"expected_wo": false, "exports": false, "grace_period": false, "guards": false, "hard_delete": false, "irreversible": false, "labels": false, "message_id": false,
	"new_call_owner_id": false, "new_channel_owner_id": false, "not_active_since": false, "not_covered": false, "on_destroy": false, "on_missing": false,
	"received_at": false, "request_id": false, "revoke_tokens": false, "skip_push": false, "subject": false, "timeouts": false, "truncated_before": false,
	"user_count": false, "user_id": false, "user_id_wo": false, "user_ids": false, "user_ids_wo": false,
}

// unchanged reports that an update only changes what the provider itself writes: all of the
// configuration is known, and as it was.
func (c change) unchanged() bool {
	if !c.updated || c.moved || c.importing {
		return false
	}
	for _, values := range []map[string]any{c.before, c.after, c.unknown} {
		for name, value := range values {
			switch result, ok := attributes[name]; {
			case result, value == nil:
			case !ok, !unset(c.unknown[name]), !reflect.DeepEqual(c.before[name], c.after[name]):
				return false
			}
		}
	}
	return true
}

// outlived reports that an update only records of a restriction that the user was erased. A
// record that holds no id learns that in a plan, not in a refresh.
func (c change) outlived() bool {
	if c.typeName != "streamchat_user_deactivation" || !c.updated || c.moved || c.importing || !unset(c.unknown) ||
		c.before["status"] != "deactivated" || c.after["status"] != "erased" {
		return false
	}
	after := maps.Clone(c.after)
	after["status"] = c.before["status"]
	return reflect.DeepEqual(c.before, after)
}

// unset reports that nothing of an attribute is unknown.
func unset(value any) bool {
	switch v := value.(type) {
	case nil:
		return true
	case bool:
		return !v
	case map[string]any:
		return !slices.ContainsFunc(slices.Collect(maps.Values(v)), func(v any) bool { return !unset(v) })
	case []any:
		return !slices.ContainsFunc(v, func(v any) bool { return !unset(v) })
	}
	return false
}

// instant is an attribute's time; zero where there is none.
func instant(values map[string]any, name string) time.Time {
	text, _ := values[name].(string)
	at, _ := time.Parse(time.RFC3339, text)
	return at
}

// past reports that a time was over when the plan was made, of which a plan says the second
// alone: in doubt it was.
func (c change) past(at time.Time) bool { return at.Before(c.made.Add(time.Second)) }

// due reports that all of a scheduled record may be erased when the plan was made: nobody is
// new, was released or is active again.
func (c change) due() bool {
	at := instant(c.before, "erase_at")
	if c.before["status"] != "scheduled" || at.IsZero() || !c.past(at) {
		return false
	}
	before, many := c.before["results"].(map[string]any)
	after, _ := c.after["results"].(map[string]any)
	open, _ := c.unknown["results"].(map[string]any)
	if !many {
		return c.before["results"] == nil
	}
	for key, word := range before {
		if _, planned := after[key]; word == "scheduled" && (planned || open[key] != true) || word != "scheduled" && after[key] != word {
			return false
		}
	}
	for key := range open {
		if _, known := before[key]; !known {
			return false
		}
	}
	return len(after)+c.scheduled() == len(before)
}

// scheduled counts those of a batch.
func (c change) scheduled() (n int) {
	results, _ := c.before["results"].(map[string]any)
	for _, word := range results {
		if word == "scheduled" {
			n++
		}
	}
	return n
}

// dropped counts those whose records leave a batch with the list.
func (c change) dropped() (n int) {
	if !c.updated || c.after["drop_removed_records"] != true {
		return 0
	}
	before, _ := c.before["results"].(map[string]any)
	after, _ := c.after["results"].(map[string]any)
	open, _ := c.unknown["results"].(map[string]any)
	for key, word := range before {
		if _, kept := after[key]; !kept && open[key] != true && word != "pending" {
			n++
		}
	}
	return n
}

// waits reports that an update leaves a scheduled record scheduled, if it is applied when it
// was planned: another period moves the day.
func (c change) waits() bool {
	at := instant(c.before, "erase_at")
	was, now := period(c.before), period(c.after)
	return c.updated && c.before["status"] == "scheduled" && !at.IsZero() && !c.made.IsZero() && was > 0 && now > 0 && !c.past(at.Add(now-was))
}

func period(values map[string]any) time.Duration {
	text, _ := values["grace_period"].(string)
	d, _ := time.ParseDuration(text)
	return d
}

// first reports that an erasure stays in the first stage, or comes to it.
func (c change) first(e effect) bool {
	return e == schedules || e == keeps && period(c.after) > 0 && (c.created || c.waits())
}

// times are when an erasure happens, and by when it should.
func (c change) times(e effect) (facts []string) {
	at, erased := instant(c.before, "erase_at"), c.made
	switch scheduled := c.before["status"] == "scheduled"; {
	case c.removed && scheduled && c.kept:
		return []string{"it was scheduled: the user stays deactivated, and nobody erases them when it is time"}
	case c.removed && scheduled && e == forgets:
		return []string{"the scheduled erasure is called off, and the user stays deactivated"}
	case c.removed && scheduled:
		return []string{"the scheduled erasure is called off"}
	case c.removed || e > resumes:
		return nil
	case c.first(e) && scheduled && c.updated:
		erased = at.Add(period(c.after) - period(c.before))
		facts = append(facts, "erased by the first apply after "+erased.UTC().Format(time.RFC3339))
	case c.first(e):
		erased = erased.Add(period(c.after))
		facts = append(facts, "erased by the first apply that comes "+c.text("grace_period")+" after this one")
	case scheduled && c.due():
		facts = append(facts, "was to be erased by the first apply after "+at.UTC().Format(time.RFC3339))
	}
	if by := instant(c.after, "due_at"); !by.IsZero() {
		late := ""
		if erased.After(by) {
			late = ": LATE"
		}
		facts = append(facts, "answer due by "+by.UTC().Format(time.DateOnly)+late)
	}
	return facts
}

// befores are what an erasure comes after: exports, and the record that it replaces, of which
// the CLI drops what the provider has to say.
func (c change) befores(e effect) (facts []string) {
	if !slices.Contains([]effect{gone, due, schedules, keeps}, e) {
		return nil
	}
	switch n := len(list(c.after["exports"])); {
	case !unset(c.unknown["exports"]):
		facts = append(facts, "its export is taken by the same apply: nobody has looked at it")
	case n > 0:
		facts = append(facts, "goes after "+counted(n, "export", "exports"))
	case e != keeps:
		facts = append(facts, "no export goes before it")
	}
	if !c.replaces {
		return facts
	}
	was := fmt.Sprintf("replaces a record that was %v", c.before["status"])
	switch {
	case c.another():
		return append(facts, was+", of another subject: that record is forgotten, with its receipt")
	case c.doubles:
		return append(facts, was+", from which nothing is handed on: sent again in any case")
	case c.before["status"] == "completed":
		return append(facts, was+": the provider looks again. Who or what is gone stays on record, and nothing is sent; what is there again is sent again")
	}
	return append(facts, was+", from which the provider goes on: what was submitted is only asked for its result, what failed is sent again")
}

// another reports that a replacement is about somebody or something else.
func (c change) another() bool {
	many := strings.HasSuffix(c.typeName, "_batch") // another list goes on with the records
	for _, name := range []string{"user_id", "cid", "message_id", "subject"} {
		if was, is := c.before[name], c.after[name]; !many && was != nil && is != nil && was != is {
			return true
		}
	}
	return false
}
