// Copyright (c) the terraform-provider-streamchat authors
// SPDX-License-Identifier: MPL-2.0

package erasure

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"sync/atomic"

	"golang.org/x/text/unicode/norm"
)

// Guards are the provider's refusals. They run in plan and again right before
// the call, and fail closed.
type Guards struct {
	ProtectedIDs   []string
	ProtectedRoles []string
	HoldField      string
	// HoldSeen is set once somebody who was looked up has the hold field, whatever
	// its value: a name that nobody has may be misspelt, and protects nobody.
	HoldSeen *atomic.Bool
}

// Look reports that the guards need to see who somebody is.
func (g Guards) Look() bool { return len(g.ProtectedRoles) > 0 || g.HoldField != "" }

// Any reports that there is anything to guard.
func (g Guards) Any() bool { return g.Look() || len(g.ProtectedIDs) > 0 }

// Identity refuses what needs no look-up.
func (g Guards) Identity(id string) error {
	if slices.Contains(g.ProtectedIDs, id) {
		return &Refusal{
			Summary: "Protected user",
			Detail: "The provider's protected_user_ids lists this user, so it cannot be erased. Nothing was sent. " +
				"Remove the block, or take the user off the list in a reviewed change.",
		}
	}
	return nil
}

// Finding refuses somebody by what was found of them. No fact, no pass: what a guard needs
// and cannot be read is a refusal, also of somebody deleted, whose profile Stream hides.
// Texts are compared in one normal form, since Terraform gives its configuration in NFC and
// Stream keeps what it was sent.
func (g Guards) Finding(f Finding) error {
	if f.Found == FoundMissing || !g.Look() {
		return nil
	}
	same := func(a, b string) bool { return norm.NFC.String(a) == norm.NFC.String(b) }
	held := false
	for name, values := range f.Custom {
		if g.HoldField == "" || !same(name, g.HoldField) {
			continue
		}
		if g.HoldSeen != nil {
			g.HoldSeen.Store(true)
		}
		held = held || slices.ContainsFunc(values, truthy)
	}
	switch {
	case f.hidden():
		return &Refusal{
			Summary: cannotCheck,
			Detail: "Stream does not list this user, who was deleted before, so that what protected_roles or hold_field need to know of them cannot be read. Nothing was sent. " +
				"Find out by other means; then take these guards off for this one in a reviewed change (a provider alias without them).",
		}
	case f.Bare || len(g.ProtectedRoles) > 0 && f.Role == "":
		return &Refusal{
			Summary: cannotCheck,
			Detail: "Stream has this user, but does not say what protected_roles or hold_field need to know of them. Nothing was sent. " +
				"Plan again in a moment; if it stays so, ask Stream's support.",
		}
	case slices.ContainsFunc(g.ProtectedRoles, func(role string) bool { return same(role, f.Role) }):
		return &Refusal{
			Summary: "Protected role",
			Detail: "This user has a role that the provider's protected_roles lists, so it cannot be erased. Nothing was sent. " +
				"Remove the block, change the user's role at Stream, or take the role off the list in a reviewed change.",
		}
	case held:
		return &Refusal{
			Summary: "Held user",
			Detail: fmt.Sprintf("The user's custom field %q (the provider's hold_field) says that this user's data is on hold. Nothing was sent. "+
				"Lift the hold at Stream when the law allows, then plan again.", g.HoldField),
		}
	}
	return nil
}

// hidden: nobody says more of the user than that they are not there any more.
func (f Finding) hidden() bool {
	return f.User == nil && (f.Found == FoundDeleted || f.Found == FoundUnproven)
}

// truthy reads a JSON value as a yes or no: absent, null, false, 0 and "" are no,
// anything else holds.
func truthy(raw json.RawMessage) bool {
	raw = bytes.TrimSpace(raw)
	if len(raw) == 0 {
		return false
	}
	var v any
	if err := json.Unmarshal(raw, &v); err != nil {
		return true
	}
	switch v := v.(type) {
	case nil:
		return false
	case bool:
		return v
	case float64:
		return v != 0
	case string:
		return v != ""
	default:
		return true
	}
}
