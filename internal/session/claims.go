// Copyright (c) the terraform-provider-streamchat authors
// SPDX-License-Identifier: MPL-2.0

package session

import (
	"context"
	"slices"
	"sync"
)

// Claims tell who in a plan is about what, so that no two resources are about the same.
type Claims struct {
	mu sync.Mutex
	by map[claim]Claimant
}

type claim struct{ kind, id string }

// Claimant is a resource's plan.
type Claimant struct {
	// Config stands for its configuration.
	Config string
	// Update: it has a prior state. Terraform plans a replacement twice, first as an
	// update and then as a creation, with the same configuration.
	Update bool
}

// First notes that a resource is about something (a subject, a file) and reports whether
// it is the only one in this run.
func (c *Claims) First(kind, id string, by Claimant) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	key := claim{kind, id}
	earlier, claimed := c.by[key]
	if claimed && (by.Update || !earlier.Update || earlier.Config != by.Config) {
		return false
	}
	if c.by == nil {
		c.by = map[claim]Claimant{}
	}
	c.by[key] = by
	return true
}

// Locks let operations on one subject follow each other: a Delete and a Create of it run
// side by side in Terraform when a block is renamed.
type Locks struct {
	mu    sync.Mutex
	locks map[claim]chan struct{}
}

// Lock keeps other operations of the run away from some subjects, whether their ids are
// known or only their pseudonyms; see [Locks.Lock].
func (s *Session) Lock(ctx context.Context, kind string, ids []string) (unlock func(), err error) {
	keys := make([]string, len(ids))
	for i, id := range ids {
		keys[i] = s.Pseudonyms.Key(id)
	}
	return s.Locks.Lock(ctx, kind, keys)
}

// Lock waits for all of some subjects. The caller unlocks them by what it returns, also
// after an error, which is the context's.
func (l *Locks) Lock(ctx context.Context, kind string, ids []string) (unlock func(), err error) {
	var held []chan struct{}
	unlock = func() {
		for _, lock := range held {
			<-lock
		}
	}
	for _, id := range slices.Compact(slices.Sorted(slices.Values(ids))) { // one order: no deadlock
		lock := l.of(claim{kind, id})
		select {
		case lock <- struct{}{}:
			held = append(held, lock)
		case <-ctx.Done():
			return unlock, ctx.Err()
		}
	}
	return unlock, nil
}

func (l *Locks) of(key claim) chan struct{} {
	l.mu.Lock()
	defer l.mu.Unlock()
	lock, ok := l.locks[key]
	if !ok {
		lock = make(chan struct{}, 1)
		if l.locks == nil {
			l.locks = map[claim]chan struct{}{}
		}
		l.locks[key] = lock
	}
	return lock
}
