// Copyright (c) the terraform-provider-streamchat authors
// SPDX-License-Identifier: MPL-2.0

package erasure

import (
	"fmt"
	"maps"
	"slices"
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
	erasing map[string]bool // true: newly, which counts
	anew    int
	owners  map[string]bool // those who are to take over what others leave
	probed  int
	// leaving are the users whose memberships this run ends, each with whether their
	// conversations go too; through those of whom the guards let it.
	leaving map[string]bool
	through map[string]bool
	// changes counts what may change the reach of those who are still to come.
	changes int
}

// The kinds of subjects.
const (
	kindUser       = "user"
	kindChannel    = "channel"
	kindMessage    = "message"
	kindTruncation = "truncation"
)

func subjectKey(kind, id string) string { return kind + "\x00" + id }

// Erase notes a subject that is to be erased, and refuses the one too many. anew: it counts;
// of another an earlier run was approved, and counted it.
func (l *Ledger) Erase(kind, id string, anew bool) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	key := subjectKey(kind, id)
	if counted, noted := l.erasing[key]; noted && (counted || !anew) {
		return nil
	}
	if l.owners[key] {
		return &Refusal{
			Summary: "Subject is a new owner",
			Detail: "Another resource of this run names this user as the new owner of what it leaves (new_channel_owner_id or new_call_owner_id). Nothing was sent for this one. " +
				"Name somebody else there, or erase this user in a later run.",
		}
	}
	if anew && l.MaxErasures > 0 && l.anew >= l.MaxErasures {
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
	l.erasing[key] = anew
	if anew {
		l.anew++
	}
	return nil
}

// Inherit notes that a subject is to take over what another leaves, and refuses one
// whom this run erases: what they took over would go with them, or have no owner.
func (l *Ledger) Inherit(kind string, owner NewOwner) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	key := subjectKey(kind, owner.ID)
	if _, erased := l.erasing[key]; erased {
		return &Refusal{Field: owner.Field, Summary: "New owner is erased by this run", Detail: "Another resource of this run erases the user whom this attribute names. Nothing was sent for this one. Name somebody who stays."}
	}
	if l.owners == nil {
		l.owners = map[string]bool{}
	}
	l.owners[key] = true
	return nil
}

// leave notes that this run ends the memberships of a user, also by a deletion that is
// under way, and whether it takes their conversations.
func (l *Ledger) leave(id string, takes bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if took, known := l.leaving[id]; known && (took || !takes) {
		return
	}
	if l.leaving == nil {
		l.leaving = map[string]bool{}
	}
	l.leaving[id] = takes
	l.changes++
}

// pass notes that the guards let a user be erased.
func (l *Ledger) pass(id string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.through == nil {
		l.through = map[string]bool{}
	}
	l.through[id] = true
}

func (l *Ledger) passed(id string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.through[id]
}

// sent notes that a call went to Stream which ends memberships.
func (l *Ledger) sent() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.changes++
}

// version is another one whenever a reach that was looked up before may be out of date.
func (l *Ledger) version() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.changes
}

// run is who is erased by this run, as far as it is known by now.
func (l *Ledger) run() Run {
	l.mu.Lock()
	defer l.mu.Unlock()
	leaving := maps.Clone(l.leaving)
	return Run{
		Taking: slices.Contains(slices.Collect(maps.Values(leaving)), true),
		Users:  len(leaving),
		Erases: func(id string) bool { _, ok := leaving[id]; return ok },
		Takes:  func(id string) bool { return leaving[id] },
	}
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
