// Copyright (c) the terraform-provider-streamchat authors
// SPDX-License-Identifier: MPL-2.0

package erasure

import (
	"fmt"
	"strings"
	"sync"
)

// Ledger counts what one run of Terraform is about to erase. Terraform plans in
// one process and applies in another, and plans again inside apply, so it counts
// distinct subjects of one process.
type Ledger struct {
	// MaxErasures is the limit of distinct subjects; 0 is none.
	MaxErasures int
	// Probes is how many subjects a plan may probe one by one.
	Probes int

	mu      sync.Mutex
	erasing map[string]bool
	owners  map[string]bool // those who are to take over what others leave
	probed  int
}

// The kinds of subjects.
const (
	kindUser       = "user"
	kindChannel    = "channel"
	kindMessage    = "message"
	kindTruncation = "truncation"
)

func subjectKey(kind, id string) string { return kind + "\x00" + id }

// Erase counts a subject that is to be erased and refuses the one too many.
func (l *Ledger) Erase(kind, id string) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	key := subjectKey(kind, id)
	if l.erasing[key] {
		return nil
	}
	if l.owners[key] {
		return &Refusal{
			Summary: "Subject is a new owner",
			Detail: "Another resource of this run names this user as the new owner of what it leaves (new_channel_owner_id or new_call_owner_id). Nothing was sent for this one. " +
				"Name somebody else there, or erase this user in a later run.",
		}
	}
	if l.MaxErasures > 0 && len(l.erasing) >= l.MaxErasures {
		return &Refusal{
			Field: "max_erasures", Provider: true,
			Summary: "Too many erasures in one run",
			Detail: fmt.Sprintf("This run would newly erase more than %d distinct subjects, the provider's max_erasures. A plan sends nothing, and an apply nobody beyond that number. "+
				"If the number is meant, raise max_erasures in a reviewed change; if not, look for a runaway for_each.", l.MaxErasures),
		}
	}
	if l.erasing == nil {
		l.erasing = map[string]bool{}
	}
	l.erasing[key] = true
	return nil
}

// Inherit notes that a subject is to take over what another leaves, and refuses one
// whom this run erases: what they took over would go with them, or have no owner.
func (l *Ledger) Inherit(kind string, owner NewOwner) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	key := subjectKey(kind, owner.ID)
	if l.erasing[key] {
		return &Refusal{Field: owner.Field, Summary: "New owner is erased by this run", Detail: "Another resource of this run erases the user whom this attribute names. Nothing was sent for this one. Name somebody who stays."}
	}
	if l.owners == nil {
		l.owners = map[string]bool{}
	}
	l.owners[key] = true
	return nil
}

// users are those whom this run erases, as far as it is known by now.
func (l *Ledger) users() Run {
	l.mu.Lock()
	defer l.mu.Unlock()
	run := Run{Erases: func(id string) bool {
		l.mu.Lock()
		defer l.mu.Unlock()
		return l.erasing[subjectKey(kindUser, id)]
	}}
	for key := range l.erasing {
		if strings.HasPrefix(key, subjectKey(kindUser, "")) {
			run.Users++
		}
	}
	return run
}

func (l *Ledger) spendProbe() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.probed >= l.Probes {
		return false
	}
	l.probed++
	return true
}
