// Copyright (c) the terraform-provider-streamchat authors
// SPDX-License-Identifier: MPL-2.0

package session

import "sync"

// Notes are what one run remembers of the records of a resource type, by subject.
type Notes struct {
	mu      sync.Mutex
	seen    map[string]any
	left    map[string]any
	written map[string]bool
}

// Remember notes a record that is in state.
func (n *Notes) Remember(id string, record any) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.seen = with(n.seen, id, record)
}

// Recall gives the record that this run has seen.
func (n *Notes) Recall(id string) (record any, ok bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	record, ok = n.seen[id]
	return record, ok
}

// HandOver leaves the record of a deleted resource for a Create in this run.
func (n *Notes) HandOver(id string, record any) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.left = with(n.left, id, record)
}

// Collect picks up what was left, once.
func (n *Notes) Collect(id string) (record any, ok bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	record, ok = n.left[id]
	delete(n.left, id)
	return record, ok
}

// MarkWritten notes that this run has begun to write a record of the subject anew.
func (n *Notes) MarkWritten(id string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.written = with(n.written, id, true)
}

// WasWritten reports that this run writes another record of the subject.
func (n *Notes) WasWritten(id string) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.written[id]
}

func with[K comparable, V any](m map[K]V, key K, value V) map[K]V {
	if m == nil {
		m = map[K]V{}
	}
	m[key] = value
	return m
}
