// Copyright (c) the terraform-provider-streamchat authors
// SPDX-License-Identifier: MPL-2.0

package erasure

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"golang.org/x/text/unicode/norm"
)

// Approval is which guards and conditions stood when somebody approved an act that a later
// run may finish without asking again: what each says, by the name of its argument. A value
// that would name somebody is a fingerprint.
type Approval map[string][]string

// The arguments that guard an act.
const (
	holdField      = "hold_field"
	protectedRoles = "protected_roles"
	protectedUsers = "protected_user_ids"
	expectedFields = "expected_wo"
	notActiveSince = "not_active_since"
)

// Standing are the guards and conditions as they stand now.
func (e *Engine[S]) Standing(c *Conditions) Approval {
	a := Approval{}
	add := func(name, text string) {
		if text != "" {
			a[name] = append(a[name], norm.NFC.String(text))
		}
	}
	add(holdField, e.guards.HoldField)
	for _, role := range e.guards.ProtectedRoles {
		add(protectedRoles, role)
	}
	for _, id := range e.guards.ProtectedIDs {
		add(protectedUsers, e.pseudonyms.fingerprint(id))
	}
	if c != nil {
		for field, value := range c.Expected {
			add(expectedFields, field+" "+e.pseudonyms.fingerprint(field+"="+norm.NFC.String(value)))
		}
		if c.NotActiveSince != nil {
			add(notActiveSince, c.NotActiveSince.UTC().Format(time.RFC3339Nano))
		}
	}
	for _, values := range a {
		slices.Sort(values)
	}
	return a
}

// fingerprint tells one text from another. Without a key it is so short that it fits too
// many to name one of them.
func (p Pseudonyms) fingerprint(text string) string {
	const keyed, bare = 16, 2
	if p != "" {
		return Pseudonym(string(p), text)[:keyed]
	}
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:])[:bare]
}

// Weaker names what guards less now than when it was approved, sorted.
func (a Approval) Weaker(now Approval) (names []string) {
	for _, name := range slices.Sorted(maps.Keys(a)) {
		stands := func(value string) bool {
			return slices.ContainsFunc(now[name], func(n string) bool { return n == value || name == notActiveSince && !later(n, value) })
		}
		if len(now[name]) < len(a[name]) || slices.ContainsFunc(a[name], func(value string) bool { return !stands(value) }) {
			names = append(names, name)
		}
	}
	return names
}

// later compares two times; one that cannot be read is later than any.
func later(a, b string) bool {
	at, err := time.Parse(time.RFC3339Nano, a)
	than, wrong := time.Parse(time.RFC3339Nano, b)
	return err != nil || wrong != nil || at.After(than)
}

// Shown is the approval in a few words, for a plan.
func (a Approval) Shown() map[string]string {
	shown := make(map[string]string, len(a))
	for name, values := range a {
		shown[name] = strings.Join(values, ", ")
		if name == protectedUsers {
			sum := sha256.Sum256([]byte(shown[name]))
			shown[name] = fmt.Sprintf("%d (%x)", len(values), sum[:4])
		}
	}
	return shown
}

// ReceiptApproval is the approval in a receipt; nil where it holds none, as one of an earlier
// version.
func ReceiptApproval(receipt string) Approval {
	var r struct {
		Guards Approval `json:"guards"`
	}
	_ = json.Unmarshal([]byte(receipt), &r) // what cannot be read does not say
	return r.Guards
}
