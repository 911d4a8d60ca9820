// Copyright (c) the terraform-provider-streamchat authors
// SPDX-License-Identifier: MPL-2.0

package erasure

import (
	"maps"
	"sync"
)

// Memory is what one run of Terraform has seen of the records of one kind of
// subject. Terraform gives the plan of a replacement no prior state, and its Create
// nothing of what its Delete dropped: the run remembers both.
type Memory[S Scope[S]] struct {
	mu      sync.Mutex
	seen    Batch[S]
	holders map[string]map[string]bool // by subject, the records that are about it
	written map[string]bool
	left    []*legacy[S]
}

// legacy is what a Delete left for a Create in the same run.
type legacy[S Scope[S]] struct {
	resource string
	replaced bool // not destroyed: a Create of the same resource follows
	claimed  bool
	batch    Batch[S]
}

// Remember notes records that are in state. holder stands for the resource that holds
// them.
func (m *Memory[S]) Remember(batch Batch[S], holder string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.seen == nil {
		m.seen, m.holders = Batch[S]{}, map[string]map[string]bool{}
	}
	maps.Copy(m.seen, batch)
	for id := range batch {
		if m.holders[id] == nil {
			m.holders[id] = map[string]bool{}
		}
		m.holders[id][holder] = true
	}
}

// HeldElsewhere reports that another resource than the holder has a record of the
// subject.
func (m *Memory[S]) HeldElsewhere(id, holder string) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	for other := range m.holders[id] {
		if other != holder {
			return true
		}
	}
	return false
}

// Recall gives the records that this run has seen of some subjects.
func (m *Memory[S]) Recall(ids []string) Batch[S] {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.seen.of(ids)
}

// MarkWritten notes that this run has begun to write the record of subjects anew, so
// that the destroy of an older record (a renamed block, create_before_destroy) does
// not undo what the newer one stands for.
func (m *Memory[S]) MarkWritten(ids []string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.written == nil {
		m.written = map[string]bool{}
	}
	for _, id := range ids {
		m.written[id] = true
	}
}

// WasWritten reports that this run writes another record of the subject.
func (m *Memory[S]) WasWritten(id string) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.written[id]
}

// HandOver leaves the records of a deleted resource. replaced: it was not destroyed,
// so that a Create of the same resource follows.
func (m *Memory[S]) HandOver(resource string, batch Batch[S], replaced bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.seen == nil {
		m.seen, m.holders = Batch[S]{}, map[string]map[string]bool{}
	}
	maps.Copy(m.seen, batch)
	m.left = append(m.left, &legacy[S]{resource: resource, replaced: replaced, batch: batch})
}

// IsAwaited reports that records of some of these subjects were left: then the run is
// past the Delete of a replacement, and an error before its Create would lose them.
func (m *Memory[S]) IsAwaited(ids []string) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, l := range m.left {
		if !l.claimed && len(l.batch.of(ids)) > 0 {
			return true
		}
	}
	return false
}

// Collect picks up the records that were left of these subjects. whole: with those of
// the others that were on the same record; and where no record shares a subject, those
// of a replaced resource of the same type, for its list may have changed altogether.
// Where it is open whose they are, everybody gets them: a doubled proof harms nobody.
func (m *Memory[S]) Collect(resource string, ids []string, whole bool) Batch[S] {
	m.mu.Lock()
	defer m.mu.Unlock()
	found := Batch[S]{}
	for _, l := range m.left {
		shared := l.batch.of(ids)
		if l.claimed || len(shared) == 0 {
			continue
		}
		if whole && l.resource == resource {
			shared = l.batch
		}
		maps.Copy(found, shared)
		l.batch = maps.Clone(l.batch)
		maps.DeleteFunc(l.batch, func(id string, _ Record[S]) bool { _, taken := shared[id]; return taken })
		l.claimed = len(l.batch) == 0
	}
	if len(found) > 0 || !whole {
		return found
	}
	for _, l := range m.left {
		if l.replaced && l.resource == resource {
			maps.Copy(found, l.batch)
		}
	}
	return found
}
