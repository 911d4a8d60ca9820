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
	// pseudonyms make one of a subject's id and its pseudonym.
	pseudonyms Pseudonyms

	mu    sync.Mutex
	seen  Batch[S]
	going Batch[S] // whose destroy has begun
	left  []*legacy[S]
}

// legacy is what a Delete left for a Create in the same run.
type legacy[S Scope[S]] struct {
	resource string
	id       string // the record's, for one heir alone
	replaced bool   // not destroyed: a Create of the same resource follows
	claimed  bool
	batch    Batch[S]
}

// Remember notes records that are in state.
func (m *Memory[S]) Remember(batch Batch[S]) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.seen == nil {
		m.seen = Batch[S]{}
	}
	for id, record := range batch {
		m.seen[m.pseudonyms.Key(id)] = record
	}
}

// Recall gives the records that this run has seen of some subjects.
func (m *Memory[S]) Recall(ids []string) Batch[S] {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.of(m.seen, ids)
}

// Going notes records whose destroy has begun and waits; no plan sees them.
func (m *Memory[S]) Going(batch Batch[S]) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.going == nil {
		m.going = Batch[S]{}
	}
	for id, record := range batch {
		m.going[m.pseudonyms.Key(id)] = record
	}
}

// TakeOver gives the records of some subjects whose destroy has begun, or that this run has
// seen: those of a block that now has another name.
func (m *Memory[S]) TakeOver(ids []string) Batch[S] {
	m.mu.Lock()
	defer m.mu.Unlock()
	found := m.of(m.seen, ids)
	maps.Copy(found, m.of(m.going, ids))
	return found
}

// HandOver leaves the records of a deleted resource, whose [About.ID] is id. replaced: it
// was not destroyed, so that a Create of the same resource follows.
func (m *Memory[S]) HandOver(resource, id string, batch Batch[S], replaced bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.seen == nil {
		m.seen = Batch[S]{}
	}
	for id, record := range batch {
		m.seen[m.pseudonyms.Key(id)] = record
	}
	m.left = append(m.left, &legacy[S]{resource: resource, id: id, replaced: replaced, batch: batch})
}

// IsAwaited reports that records of some of these subjects were left: then the run is
// past the Delete of a replacement, and an error before its Create would lose them.
func (m *Memory[S]) IsAwaited(ids []string) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, l := range m.left {
		if !l.claimed && len(m.shared(l.batch, ids)) > 0 {
			return true
		}
	}
	return false
}

// Collect picks up the records that were left of these subjects. whole: with those of
// the others that were on the same record; and where no record shares a subject, those
// of a replaced resource of the same type, for its list may have changed altogether.
// Where it is open whose they are, everybody gets them: a doubled proof harms nobody. id is
// that of the record that lives on, "" where none does: one of the same type, once.
func (m *Memory[S]) Collect(resource string, ids []string, whole bool) (found Batch[S], id string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	found = Batch[S]{}
	for _, l := range m.left {
		shared := m.shared(l.batch, ids)
		if l.claimed || len(shared) == 0 {
			continue
		}
		id = l.heir(resource, id)
		rest := Batch[S]{}
		for key, record := range l.batch {
			switch subject, asked := shared[key]; {
			case asked:
				found[subject] = record
			case whole && l.resource == resource:
				found[key] = record
			default:
				rest[key] = record
			}
		}
		l.batch = rest
		l.claimed = len(l.batch) == 0
	}
	if len(found) > 0 || !whole {
		return found, id
	}
	for _, l := range m.left {
		if l.replaced && l.resource == resource {
			maps.Copy(found, l.batch)
			id = l.heir(resource, id)
		}
	}
	return found, id
}

// heir gives the record's id to the first that goes on with it, and has none yet.
func (l *legacy[S]) heir(resource, id string) string {
	if l.resource == resource && id == "" {
		id, l.id = l.id, ""
	}
	return id
}

// of are the records of some subjects, by the ids that are asked for, out of those that
// lie under their keys of pseudonyms.
func (m *Memory[S]) of(records Batch[S], ids []string) Batch[S] {
	some := Batch[S]{}
	for _, id := range ids {
		if record, ok := records[m.pseudonyms.Key(id)]; ok {
			some[id] = record
		}
	}
	return some
}

// shared are the keys of records that are about some subjects, each with the id that is
// asked for.
func (m *Memory[S]) shared(records Batch[S], ids []string) map[string]string {
	keys := make(map[string]string, len(records))
	for key := range records {
		keys[m.pseudonyms.Key(key)] = key
	}
	shared := map[string]string{}
	for _, id := range ids {
		if key, ok := keys[m.pseudonyms.Key(id)]; ok {
			shared[key] = id
		}
	}
	return shared
}
