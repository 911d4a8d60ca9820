// Copyright (c) the terraform-provider-streamchat authors
// SPDX-License-Identifier: MPL-2.0

package erasure

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strings"
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

// statusRank orders statuses from done to worst.
var statusRank = map[Status]int{StatusCompleted: 0, StatusScheduled: 1, StatusReverted: 2, StatusSubmitted: 3, StatusFailed: 4}

// Status is that of the whole, against what is wanted: the worst of the subjects asked
// for and of every record, whoever asks for it. Who is completed but not as far as
// wanted is still to be sent. So it says completed only when nothing is open. Nobody who was
// released counts as done: where nobody else is on record or asked for, the whole is released.
func (b Batch[S]) Status(ids []string, scope S) Status {
	worst := StatusCompleted
	released, done := 0, 0
	count := func(status Status) {
		if statusRank[status] > statusRank[worst] {
			worst = status
		}
	}
	for _, record := range b {
		switch status := record.Current().Status; status {
		case "":
		case StatusReleased:
			released++
		default:
			done++ // or about to be, which then is the worst
			count(status)
		}
	}
	if released > 0 && done == 0 && len(ids) == 0 {
		return StatusReleased
	}
	for _, id := range ids {
		current := b[id].Current()
		if current.Status == "" || current.Status == StatusReleased || current.Status == StatusCompleted && Next(current, b[id].Raised(scope)) != Keep {
			count(StatusSubmitted) // not yet sent: the next apply goes on
		}
	}
	return worst
}

// Accepted is the wanted scope if Stream accepted it for all of these subjects that
// it accepted anything for, else the scope of one that is behind.
func (b Batch[S]) Accepted(ids []string, scope S) S {
	for _, id := range ids {
		if record := b[id]; len(record.Raised(scope)) > 0 {
			return *record.Current().Scope
		}
	}
	return scope
}

// Ahead is the scope of a subject for which more was done than a scope asks for, and
// in which modes; none when there is nobody.
func (b Batch[S]) Ahead(scope S) (done S, lowered []string) {
	for _, id := range b.IDs() {
		if current := b[id].Current(); current.Scope != nil {
			if lowered := scope.Compare(*current.Scope).Lowered; len(lowered) > 0 {
				return *current.Scope, lowered
			}
		}
	}
	return scope, nil
}

// Irreversible reports that something of what was sent goes for good.
func (b Batch[S]) Irreversible() bool {
	for _, record := range b {
		if current := record.Current(); current.Scope != nil && (*current.Scope).Irreversible() {
			return true
		}
	}
	return false
}

// Begun reports that Stream accepted something, or may have where only a record knows
// of it.
func (b Batch[S]) Begun(forgets bool) bool {
	for _, record := range b {
		if record.Begun() || forgets && record.Sent() {
			return true
		}
	}
	return false
}

// Left are the subjects on record whom nobody asks for any more, sorted.
func (b Batch[S]) Left(ids []string) []string {
	wanted := make(map[string]bool, len(ids))
	for _, id := range ids {
		wanted[id] = true
	}
	return slices.DeleteFunc(b.IDs(), func(id string) bool { return wanted[id] })
}

// grouping holds examined subjects back until a call's worth of them has come, or
// nobody else can: probes take their time, and calls are few. It does not wait for
// everybody, because a thousand probes take longer than many a run lives, and what was
// sent is what remains of it.
type grouping struct {
	size int // of a group

	mu        sync.Mutex
	examining int           // those who may still come
	waiting   int           // those in the open group
	ready     chan struct{} // closed when the open group goes on
}

// join waits until the caller's group is full or nobody else can come. done says
// that the caller is examined.
func (g *grouping) join(ctx context.Context, done func()) {
	g.mu.Lock()
	ready := g.ready
	if g.waiting++; g.waiting == g.size || g.examining == 0 {
		g.release()
	}
	g.mu.Unlock()
	done()
	select {
	case <-ready:
	case <-ctx.Done():
	}
}

func (g *grouping) examined() {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.examining--; g.examining == 0 {
		g.release()
	}
}

func (g *grouping) release() {
	close(g.ready)
	g.ready, g.waiting = make(chan struct{}), 0
}

// batchJSON is a batch's receipt. Subjects that were erased together have equal
// attempts, so that each distinct attempt is kept once.
type batchJSON[S Scope[S]] struct {
	Record     string            `json:"record"`
	ID         string            `json:"record_id,omitempty"`
	RequestID  string            `json:"request_id,omitempty"`
	Labels     map[string]string `json:"labels,omitempty"`
	Exports    []string          `json:"exports,omitempty"`
	NotCovered []string          `json:"not_covered"`
	Status     Status            `json:"status"`
	Counts     map[Status]int    `json:"counts"`
	Attempts   []Attempt[S]      `json:"attempts"`
	KeyCheck   string            `json:"pseudonym_key_check,omitempty"`
	Subjects   []subjectJSON     `json:"subjects"`
	// Restrictions are listed once, as attempts are.
	Restrictions []Restriction `json:"restrictions,omitempty"`
	Guards       Approval      `json:"guards,omitempty"`
	Deadlines
}

// subjectJSON is one subject: the attempts by their places in the list. The
// subjects are in the order of their sorted keys in state.
type subjectJSON struct {
	Subject  string `json:"subject,omitempty"`
	Attempts []int  `json:"attempts"`
	Reverted bool   `json:"reverted,omitempty"`
	// Restrictions are places in the list of those.
	Restrictions []int `json:"restrictions,omitempty"`
}

// Receipt is the batch as canonical JSON. status is that of the subjects that
// are still asked for; pseudonym stands for an id, or is empty.
func (b Batch[S]) Receipt(about About, status Status, pseudonym func(id string) string) string {
	r := batchJSON[S]{
		Record: about.Record, ID: about.ID, RequestID: about.RequestID, Labels: about.Labels, Exports: about.Exports, NotCovered: about.NotCovered,
		Status: status, KeyCheck: about.KeyCheck, Counts: map[Status]int{}, Attempts: []Attempt[S]{}, Subjects: []subjectJSON{}, Guards: about.Guards, Deadlines: about.Deadlines,
	}
	attempts, restrictions := places[Attempt[S]]{}, places[Restriction]{}
	keys := b.IDs()
	slices.SortFunc(keys, func(a, b string) int { return strings.Compare(Shown(a), Shown(b)) })
	for _, id := range keys {
		record := b[id]
		subject := subjectJSON{Subject: record.pseudonym(pseudonym(id)), Attempts: []int{}, Reverted: record.Reverted}
		for _, attempt := range record.Attempts {
			subject.Attempts = append(subject.Attempts, attempts.of(attempt, &r.Attempts))
		}
		for _, restriction := range record.Restrictions {
			subject.Restrictions = append(subject.Restrictions, restrictions.of(restriction, &r.Restrictions))
		}
		current := record.Current().Status
		if current == "" {
			current = StatusPending
		}
		r.Counts[current]++
		r.Subjects = append(r.Subjects, subject)
	}
	return Canonical(r)
}

// places tells where equal things stand in a list that holds each of them once.
type places[T any] map[string]int

func (p places[T]) of(thing T, list *[]T) int {
	key := string(mustEncode(thing))
	place, ok := p[key]
	if !ok {
		place = len(*list)
		p[key] = place
		*list = append(*list, thing)
	}
	return place
}

// picked are the things at some places of a list.
func picked[T any](list []T, places []int) (things []T, err error) {
	for _, place := range places {
		if place < 0 || place >= len(list) {
			return nil, errors.New("the receipt in state refers to an attempt that it does not hold")
		}
		things = append(things, list[place])
	}
	return things, nil
}

// ReadBatch reads a batch back from its receipt and the keys of the results in state: ids,
// or the pseudonyms of those whose ids were never stored.
func ReadBatch[S Scope[S]](receipt string, ids []string) (Batch[S], error) {
	var r batchJSON[S]
	if err := json.Unmarshal([]byte(receipt), &r); err != nil {
		return nil, errNoReceipt // not wrapped: its text would quote the state
	}
	if len(r.Subjects) != len(ids) {
		return nil, errors.New("the receipt in state is not that of the results beside it")
	}
	if err := checkAttempts(r.Attempts); err != nil {
		return nil, err
	}
	if err := checkRestrictions(r.Restrictions); err != nil {
		return nil, err
	}
	batch := make(Batch[S], len(ids))
	for i, id := range slices.Sorted(slices.Values(ids)) {
		record := Record[S]{Reverted: r.Subjects[i].Reverted, Pseudonym: r.Subjects[i].Subject}
		var err error
		if record.Attempts, err = picked(r.Attempts, r.Subjects[i].Attempts); err != nil {
			return nil, err
		}
		if record.Restrictions, err = picked(r.Restrictions, r.Subjects[i].Restrictions); err != nil {
			return nil, err
		}
		if id == record.Pseudonym {
			id = Veil(id)
		}
		batch[id] = record
	}
	return batch, nil
}
