// Copyright (c) the terraform-provider-streamchat authors
// SPDX-License-Identifier: MPL-2.0

package erasure

import (
	"context"
	"errors"
	"sync"
	"time"
)

// Step is what a record needs next.
type Step int

// The steps.
const (
	// Keep: nothing is to be done.
	Keep Step = iota
	// Claim: an adopted record takes over the modes of the configuration.
	Claim
	// Wait: a submitted task is to be polled.
	Wait
	// Send: the deletion is to be sent (again, or reaching further).
	Send
	// Restrict: the subject is to be restricted, ahead of a deletion in time.
	Restrict
	// Release: nobody wants the deletion any more that the subject was restricted for.
	Release
)

// Next decides what the record of a subject that is asked for needs so that the
// wanted scope is done. raised are the modes in which the scope reaches further.
func Next[S Scope[S]](current Attempt[S], raised []string) Step {
	switch current.Status {
	case StatusSubmitted:
		return Wait
	case StatusCompleted:
		switch {
		case current.Scope == nil:
			return Claim
		case len(raised) > 0:
			return Send
		default:
			return Keep
		}
	default:
		return Send
	}
}

// Next decides what a record needs. Of a subject that nobody asks for any more, only
// what is under way is followed to its end: nothing is sent.
func (r Record[S]) Next(wanted bool, scope S, t Timing) Step {
	step := r.next(wanted, scope, t)
	if t.Weaker && (step == Send || step == Restrict) && !r.Anew(scope) {
		return Keep
	}
	return step
}

// Anew reports that nobody can have approved before what is to be done for a record.
func (r Record[S]) Anew(scope S) bool {
	_, restricted := r.restriction()
	return len(r.Attempts) == 0 && !restricted || len(r.Raised(scope)) > 0
}

func (r Record[S]) next(wanted bool, scope S, t Timing) Step {
	if len(r.Attempts) == 0 && (t.Grace > 0 || !wanted) {
		return r.stage(wanted, t)
	}
	current := r.Current()
	if wanted {
		return Next(current, r.Raised(scope))
	}
	if current.Status == StatusSubmitted {
		return Wait
	}
	return Keep
}

// Raised are the modes in which a scope reaches further than what one subject's record
// says was done. In a batch some may be ahead of others; what reaches further is kept.
func (r Record[S]) Raised(scope S) []string {
	current := r.Current()
	if current.Scope == nil {
		return nil
	}
	return scope.Compare(*current.Scope).Raised
}

// Options are what an operator wants besides the scope.
type Options struct {
	// RecordMissing: a subject that never existed is recorded as not found, without a
	// call; otherwise it is refused.
	RecordMissing bool
	// Conditions must hold of every subject that is sent; nil where there are none.
	Conditions *Conditions
	// Grace is the time between the restriction and the deletion; 0: there is one stage.
	Grace time.Duration
	// Stays are those whose restriction another record holds: calling their deletion off
	// leaves them deactivated. Nil: nobody.
	Stays func(id string) bool
	// Inherits are those who are found restricted because another record of this run has left
	// its restriction; it is this record's own then. Nil: nobody.
	Inherits func(id string) bool
	// Direct: subjects are restricted one by one, by the call that answers at once.
	Direct bool
	// Weaker: see [Timing].
	Weaker bool
}

// Work lists what is to be done: the subjects asked for that are not as the scope
// wants them, and those whose deletion is under way, asked for or not.
func (b Batch[S]) Work(ids []string, scope S, t Timing) map[string]Step {
	work := map[string]Step{}
	for id, record := range b {
		if step := record.Next(false, scope, t); step != Keep {
			work[id] = step
		}
	}
	for _, id := range ids {
		step := b[id].Next(true, scope, t)
		if delete(work, id); step != Keep {
			work[id] = step
		}
	}
	return work
}

// Advance takes all subjects as far as they get now: waits for what was submitted,
// sends what was not and is asked for. It returns a grown copy of the batch, and errors
// by subject: see [Engine.erase]. An attempt of which nothing was sent leaves no trace.
func (e *Engine[S]) Advance(ctx context.Context, ids []string, scope S, batch Batch[S], o Options) (Batch[S], map[string]error) {
	e.UnderWay(batch)
	meet(&e.company, batch)
	timing := e.Timing(o.Grace)
	timing.Weaker = o.Weaker
	work := batch.Work(ids, scope, timing)
	wanted := make(map[string]bool, len(ids))
	grown := make(Batch[S], len(batch)+len(ids))
	for id, record := range batch {
		grown[id] = record
	}
	for _, id := range ids {
		wanted[id], grown[id] = true, batch[id]
	}
	var mu sync.Mutex
	var wg sync.WaitGroup
	errs := map[string]error{}
	groups := map[Step]*grouping{}
	for _, step := range work {
		kind := step.call()
		if groups[kind] == nil {
			groups[kind] = &grouping{size: e.Max, ready: make(chan struct{})}
		}
		groups[kind].examining++
	}
	for id, step := range work {
		all := groups[step.call()]
		wg.Go(func() {
			done := sync.OnceFunc(all.examined)
			defer done()
			if step == Wait {
				done() // is polled first, which may take long
			}
			a := advance[S]{e, id, scope, o, timing, wanted[id], func(ctx context.Context) { all.join(ctx, done) }}
			record, err := a.take(ctx, batch[id])
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

// UnderWay notes whose deletions, sent by an earlier run, may still end memberships in this
// one.
func (e *Engine[S]) UnderWay(batch Batch[S]) {
	if e.Kind != kindUser {
		return
	}
	for id, record := range batch {
		if current := record.Current(); current.Status == StatusSubmitted && current.Scope != nil {
			e.ledger.leave(id, e.takes(*current.Scope))
		}
	}
}

// advance is the way of one subject.
type advance[S Scope[S]] struct {
	*Engine[S]
	id     string
	scope  S
	o      Options
	timing Timing
	wanted bool
	gate   func(context.Context) // before the call
}

func (a advance[S]) take(ctx context.Context, record Record[S]) (Record[S], error) {
	switch record.Next(a.wanted, a.scope, a.timing) {
	case Keep:
		return record, nil
	case Claim:
		return record.Claimed(a.scope), nil
	case Restrict:
		return a.restrict(ctx, record)
	case Release:
		return a.release(ctx, record)
	case Wait:
		var refusal *Refusal
		if err := a.app.Holds(ctx, record.App()); errors.As(err, &refusal) {
			return record, err
		} else if err != nil {
			return record, &Pending{Err: err}
		}
		attempt, err := a.resume(ctx, a.id, record.Current())
		record = record.With(attempt)
		var p *Pending
		switch unknown := errors.As(err, &p) && p.TaskUnknown; {
		case unknown && !a.wanted:
			failure := &Failure{Kind: FailureForgotten, TaskID: attempt.TaskID}
			attempt.Status, attempt.Error = StatusFailed, failure.Error()
			return record.With(attempt), failure
		case unknown && a.timing.Weaker && !record.Anew(a.scope):
			return record, err // what stood for it when it was approved does not any more
		case unknown:
			// Only a new call can still prove the modes.
		case err != nil:
			return record, err
		case !a.wanted || len(record.Raised(a.scope)) == 0:
			return record, nil
		}
	}
	if _, veiled := Unveil(a.id); veiled {
		return record, notGiven()
	}
	attempt, err := a.erase(ctx, a.id, a.scope, record, a.o, a.gate)
	if attempt.Status != "" {
		record = record.With(attempt)
	}
	var refusal *Refusal
	if errors.As(err, &refusal) && refusal.Lifted && len(record.Attempts) == 0 {
		record.Reverted = true // nobody is erased who is not restricted: the period starts anew
		return a.restrict(ctx, record)
	}
	return record, err
}

// Preview examines subjects for a plan, as [Engine.Advance] does right before the
// call: what is found of each, and errors by subject.
func (e *Engine[S]) Preview(ctx context.Context, ids []string, scope S, batch Batch[S], o Options) (map[string]Finding, map[string]error) {
	return each(ids, func(id string) (Finding, error) { return e.preview(ctx, id, scope, batch[id], o) })
}

// each does something for all ids at once, so that requests are shared.
func each[R any](ids []string, do func(id string) (R, error)) (map[string]R, map[string]error) {
	var mu sync.Mutex
	var wg sync.WaitGroup
	results, errs := make(map[string]R, len(ids)), map[string]error{}
	for _, id := range ids {
		wg.Go(func() {
			result, err := do(id)
			mu.Lock()
			defer mu.Unlock()
			if err != nil {
				errs[id] = err
				return
			}
			results[id] = result
		})
	}
	wg.Wait()
	return results, errs
}

// Refresh asks once how records stand: for the tasks of those under way, for the
// return of those that can come back and, with verify, of all completed ones. It
// returns the records that changed, and errors by subject. One that is *[Unread] says
// nothing of other records, and is no reason to stop: what cannot be read proves nothing,
// and is asked again. Who wants to verify wants to know.
func (e *Engine[S]) Refresh(ctx context.Context, batch Batch[S], verify bool) (Batch[S], map[string]error) {
	meet(&e.company, batch)
	changed := Batch[S]{}
	fresh, errs := each(batch.Open(verify), func(id string) (*Record[S], error) {
		record, err := e.refresh(ctx, id, batch[id])
		if !verify {
			err = unread(err)
		}
		return record, err
	})
	for id, record := range fresh {
		if record != nil {
			changed[id] = *record
		}
	}
	return changed, errs
}

// Open lists the records that a refresh asks about.
func (b Batch[S]) Open(verify bool) (ids []string) {
	for id, record := range b {
		current := record.Current()
		_, veiled := Unveil(id) // a task tells who is meant; nobody else does
		if record.Scheduled() {
			if !veiled {
				ids = append(ids, id)
			}
			continue
		}
		completed := verify && current.Status == StatusCompleted && current.Outcome != OutcomeNotFound
		if current.Status == StatusSubmitted || !veiled && (current.Restorable() || completed) {
			ids = append(ids, id)
		}
	}
	return ids
}

// refresh returns the changed record, or nil.
func (e *Engine[S]) refresh(ctx context.Context, id string, record Record[S]) (*Record[S], error) {
	if err := e.app.Holds(ctx, record.App()); err != nil {
		return nil, err
	}
	if record.Scheduled() {
		return e.refreshScheduled(ctx, id, record)
	}
	current := record.Current()
	if current.Status != StatusSubmitted {
		back, err := e.back(ctx, id, current)
		if err != nil || !back {
			return nil, err
		}
		record.Reverted = true
		return &record, nil
	}
	attempt, err := e.peek(ctx, id, current)
	var p *Pending
	var failure *Failure
	switch {
	case errors.As(err, &p) && p.Err == nil:
		return nil, nil // still under way, or forgotten by Stream: for the apply
	case errors.As(err, &p) && ctx.Err() == nil:
		return nil, &Unread{p.Err}
	case errors.As(err, &p):
		return nil, p.Err
	case err != nil && !errors.As(err, &failure):
		return nil, err
	}
	record = record.With(attempt)
	return &record, nil
}
