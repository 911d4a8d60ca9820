// Copyright (c) the terraform-provider-streamchat authors
// SPDX-License-Identifier: MPL-2.0

package erasure

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"sync"
)

// Batch is the evidence of many subjects' erasures, by id.
type Batch[S Scope[S]] map[string]Record[S]

// IDs are the subjects on record, sorted.
func (b Batch[S]) IDs() []string {
	ids := make([]string, 0, len(b))
	for id := range b {
		ids = append(ids, id)
	}
	slices.Sort(ids)
	return ids
}

// Status is the status of some subjects as a whole, against what is wanted: the
// worst of theirs. Who is completed but not as far as wanted is still to be sent.
func (b Batch[S]) Status(ids []string, scope S) Status {
	worst := StatusCompleted
	rank := map[Status]int{StatusCompleted: 0, StatusReverted: 1, StatusSubmitted: 2, StatusFailed: 3}
	for _, id := range ids {
		status := b[id].Current().Status
		if status == "" || status == StatusCompleted && Next(b[id].Current(), Against(scope, b[id])) != Keep {
			status = StatusSubmitted // not yet sent: the next apply goes on
		}
		if rank[status] > rank[worst] {
			worst = status
		}
	}
	return worst
}

// Accepted is the wanted scope if Stream accepted it for all of these subjects that
// it accepted anything for, else the scope of one that is behind.
func (b Batch[S]) Accepted(ids []string, scope S) S {
	for _, id := range ids {
		if current := b[id].Current(); current.Scope != nil && len(scope.Compare(*current.Scope).Raised) > 0 {
			return *current.Scope
		}
	}
	return scope
}

// Untouched reports that nothing was done for anybody.
func (b Batch[S]) Untouched() bool {
	for _, record := range b {
		if len(record.Attempts) > 0 {
			return false
		}
	}
	return true
}

// AdvanceAll takes all subjects as far as they get now, as [Engine.Advance] does
// for each. It returns a grown copy of the batch, and errors by subject.
func (e *Engine[S]) AdvanceAll(ctx context.Context, ids []string, scope S, batch Batch[S], recordMissing bool) (Batch[S], map[string]error) {
	var (
		mu    sync.Mutex
		wg    sync.WaitGroup
		grown = make(Batch[S], len(batch)+len(ids))
		errs  = map[string]error{}
	)
	for id, record := range batch {
		grown[id] = record
	}
	all := &muster{size: e.deed.Max(), examining: len(ids), gone: make(chan struct{})}
	for _, id := range ids {
		wg.Go(func() {
			done := sync.OnceFunc(all.examined)
			defer done()
			if batch[id].Current().Status == StatusSubmitted {
				done() // is polled first, which may take long
			}
			gate := func(ctx context.Context) { all.join(ctx, done) }
			record, err := e.advance(ctx, id, scope, Against(scope, batch[id]), batch[id], recordMissing, gate)
			mu.Lock()
			defer mu.Unlock()
			grown[id] = record
			if err != nil {
				errs[id] = err
			}
		})
	}
	wg.Wait()
	return grown, errs
}

// muster lets those who are examined go on in groups that fill a call: probes take
// their time, and calls are few. It does not wait for everybody, because a thousand
// probes take longer than many a run lives, and what was sent is what remains of it.
type muster struct {
	size int // of a group

	mu        sync.Mutex
	examining int           // those who may still come
	waiting   int           // those in the open group
	gone      chan struct{} // closed when the open group goes on
}

// join waits until the caller's group is full or nobody else can come. done says
// that the caller is examined.
func (m *muster) join(ctx context.Context, done func()) {
	m.mu.Lock()
	gone := m.gone
	if m.waiting++; m.waiting == m.size || m.examining == 0 {
		m.release()
	}
	m.mu.Unlock()
	done()
	select {
	case <-gone:
	case <-ctx.Done():
	}
}

func (m *muster) examined() {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.examining--; m.examining == 0 {
		m.release()
	}
}

func (m *muster) release() {
	close(m.gone)
	m.gone, m.waiting = make(chan struct{}), 0
}

// Against compares a scope with what one subject's record says was done. In a
// batch some subjects may be ahead of others; what reaches further is kept.
func Against[S Scope[S]](scope S, record Record[S]) Comparison {
	current := record.Current()
	if current.Scope == nil {
		return Comparison{}
	}
	return Comparison{Raised: scope.Compare(*current.Scope).Raised}
}

// batchJSON is a batch's receipt. Subjects that were erased together have equal
// attempts, so that each distinct attempt is kept once.
type batchJSON[S any] struct {
	Record     string            `json:"record"`
	RequestID  string            `json:"request_id,omitempty"`
	Labels     map[string]string `json:"labels,omitempty"`
	NotCovered []string          `json:"not_covered"`
	Status     Status            `json:"status"`
	Counts     map[Status]int    `json:"counts"`
	Attempts   []Attempt[S]      `json:"attempts"`
	Subjects   []subjectJSON     `json:"subjects"`
}

// subjectJSON is one subject: the attempts by their places in the list. The
// subjects are in the order of their sorted ids.
type subjectJSON struct {
	Subject  string `json:"subject,omitempty"`
	Attempts []int  `json:"attempts"`
	Reverted bool   `json:"reverted,omitempty"`
}

// Receipt is the batch as canonical JSON. status is that of the subjects that
// are still asked for; pseudonym stands for an id, or is empty.
func (b Batch[S]) Receipt(about Receipt, status Status, pseudonym func(id string) string) string {
	r := batchJSON[S]{
		Record: about.Record, RequestID: about.RequestID, Labels: about.Labels, NotCovered: about.NotCovered,
		Status: status, Counts: map[Status]int{}, Attempts: []Attempt[S]{}, Subjects: []subjectJSON{},
	}
	places := map[string]int{}
	for _, id := range b.IDs() {
		record := b[id]
		subject := subjectJSON{Subject: record.pseudonym(pseudonym(id)), Attempts: []int{}, Reverted: record.Reverted}
		for _, attempt := range record.Attempts {
			key := string(mustEncode(attempt))
			place, ok := places[key]
			if !ok {
				place = len(r.Attempts)
				places[key] = place
				r.Attempts = append(r.Attempts, attempt)
			}
			subject.Attempts = append(subject.Attempts, place)
		}
		current := record.Current().Status
		if current == "" {
			current = StatusPending
		}
		r.Counts[current]++
		r.Subjects = append(r.Subjects, subject)
	}
	return canonical(r)
}

// ReadBatch reads a batch back from its receipt and the ids on record.
func ReadBatch[S Scope[S]](receipt string, ids []string) (Batch[S], error) {
	var r batchJSON[S]
	if err := json.Unmarshal([]byte(receipt), &r); err != nil {
		return nil, errNoReceipt // err quotes
	}
	if len(r.Subjects) != len(ids) {
		return nil, errors.New("the receipt in state is not that of the results beside it")
	}
	if err := known(r.Attempts); err != nil {
		return nil, err
	}
	batch := make(Batch[S], len(ids))
	for i, id := range slices.Sorted(slices.Values(ids)) {
		record := Record[S]{Reverted: r.Subjects[i].Reverted, Pseudonym: r.Subjects[i].Subject}
		for _, place := range r.Subjects[i].Attempts {
			if place < 0 || place >= len(r.Attempts) {
				return nil, errors.New("the receipt in state refers to an attempt that it does not hold")
			}
			record.Attempts = append(record.Attempts, r.Attempts[place])
		}
		batch[id] = record
	}
	return batch, nil
}
