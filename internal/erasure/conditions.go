// Copyright (c) the terraform-provider-streamchat authors
// SPDX-License-Identifier: MPL-2.0

package erasure

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"time"

	"golang.org/x/text/unicode/norm"

	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/stream"
)

// Conditions are what an operator says must be true of a subject right before the call:
// is this the person who asked? They are never recorded.
type Conditions struct {
	// Expected are values of the user's fields, custom ones included.
	Expected map[string]string
	// NotActiveSince refuses whoever was active later; nil refuses nobody.
	NotActiveSince *time.Time
	// Open: some of what is expected is only known at apply.
	Open bool
}

// terms are the conditions for one subject. Begun: a deletion under the same record was
// sent before, so that the subject was checked then.
type terms struct {
	*Conditions
	begun bool
	// restricted: the subject must not be active.
	restricted bool
	// kept and repeats are what the record knows of somebody who was deleted before.
	kept    *Kept
	repeats bool
}

// check refuses a subject of whom the conditions are not true. No fact, no pass; the
// refusals quote no value.
func (c terms) check(f Finding) error {
	if c.restricted && f.Found == FoundPresent {
		return notRestricted()
	}
	if c.Conditions == nil {
		return nil
	}
	there := f.Found == FoundPresent || f.Found == FoundDeactivated
	if len(c.Expected) > 0 && !there && !c.begun && f.Found == FoundDeleted {
		return &Refusal{
			Field: "expected_wo", Summary: "Person cannot be checked",
			Detail: "Stream says that this user was deleted before, so that their fields cannot be compared with expected_wo. Nothing was sent. " +
				"If you know that this is the person who asked, leave expected_wo out and apply again: the deletion is then sent once more, which deletes what is left.",
		}
	}
	if c.NotActiveSince != nil && !there && !c.begun && f.Found == FoundDeleted {
		return &Refusal{
			Field: "not_active_since", Summary: "Person cannot be checked",
			Detail: "Stream says that this user was deleted before, so that nobody can tell whether they were active after the time in not_active_since. Nothing was sent. " +
				"If they are to be erased all the same, leave them out of this list and give them a block without it: the deletion is then sent once more, which deletes what is left.",
		}
	}
	if !there {
		return nil
	}
	for _, field := range slices.Sorted(maps.Keys(c.Expected)) {
		if !f.has(field, c.Expected[field]) {
			return &Refusal{
				Field: "expected_wo", Summary: "Another person than expected",
				Detail: fmt.Sprintf("The user's field %q is not what expected_wo says it must be, or Stream does not say what it is. Nothing was sent. "+
					"Find out whether the id is that of the person who asked; correct the id, or the expected value.", field),
			}
		}
	}
	if c.NotActiveSince == nil {
		return nil
	}
	const title = "Active since"
	switch {
	case f.User == nil:
		return &Refusal{
			Field: "not_active_since", Summary: title,
			Detail: "Stream has this user, but does not say when they were active last, so that not_active_since cannot be checked. Nothing was sent. Plan again in a moment.",
		}
	case f.LastActive != nil && f.LastActive.After(*c.NotActiveSince):
		return &Refusal{
			Field: "not_active_since", Summary: title,
			Detail: "This user was active after the time in not_active_since. Nothing was sent. " +
				"Take the user off, or move the time in a reviewed change.",
		}
	}
	return nil
}

// has reports that all that Stream holds in a field of a user is a value, compared as text
// and in one normal form.
func (f Finding) has(field, value string) bool {
	if f.User == nil {
		return false
	}
	held := f.Custom[field]
	if raw, ok := f.User.Fields[field]; ok && stream.OwnField(field) {
		held = []json.RawMessage{raw}
	}
	return len(held) > 0 && !slices.ContainsFunc(held, func(raw json.RawMessage) bool {
		says := string(raw)
		if text := (*string)(nil); json.Unmarshal(raw, &text) == nil && text != nil {
			says = *text
		}
		return norm.NFC.String(says) != norm.NFC.String(value)
	})
}
