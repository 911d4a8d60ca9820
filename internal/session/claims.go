// Copyright (c) the terraform-provider-streamchat authors
// SPDX-License-Identifier: MPL-2.0

package session

import (
	"context"
	"slices"
	"sync"
)

// Claims are the files and settings that the resources of one run are about, each of which
// has room for one.
type Claims struct {
	mu      sync.Mutex
	claimed map[claim]bool
}

type claim struct{ kind, id string }

// First notes that a resource is about something, and reports that no other one was before.
func (c *Claims) First(kind, id string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	key := claim{kind, id}
	first := !c.claimed[key]
	c.claimed = with(c.claimed, key, true)
	return first
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
