// Copyright (c) the terraform-provider-streamchat authors
// SPDX-License-Identifier: MPL-2.0

package erasure

import (
	"context"
	"errors"
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
)

// Next decides what a record needs so that the wanted scope is done. The
// comparison is that of the wanted scope with the one on record.
func Next[S Scope[S]](current Attempt[S], c Comparison) Step {
	switch current.Status {
	case StatusSubmitted:
		return Wait
	case StatusCompleted:
		switch {
		case current.Scope == nil:
			return Claim
		case len(c.Raised) > 0:
			return Send
		default:
			return Keep
		}
	default:
		return Send
	}
}

// Advance takes a record (which may be empty) as far as it gets now: waits for
// what was submitted, sends what was not. It returns the grown record, and an
// error as [Engine.Erase] does; the record then is what is known so far. An
// attempt of which nothing was sent leaves no trace in it.
func (e *Engine[S]) Advance(ctx context.Context, id string, scope S, c Comparison, record Record[S], recordMissing bool) (Record[S], error) {
	return e.advance(ctx, id, scope, c, record, recordMissing, func(context.Context) {})
}

func (e *Engine[S]) advance(ctx context.Context, id string, scope S, c Comparison, record Record[S], recordMissing bool, gate func(context.Context)) (Record[S], error) {
	current := record.Current()
	switch Next(current, c) {
	case Keep:
		return record, nil
	case Claim:
		return record.Claimed(scope), nil
	case Wait:
		attempt, err := e.Resume(ctx, id, current)
		record = record.With(attempt)
		var p *Pending
		switch {
		case errors.As(err, &p) && p.TaskUnknown:
			// Only a new call can still prove the modes.
		case err != nil:
			return record, err
		case len(c.Raised) == 0:
			return record, nil
		}
	}
	attempt, err := e.erase(ctx, id, scope, record, recordMissing, gate)
	if attempt.Status != "" {
		record = record.With(attempt)
	}
	return record, err
}

// Refresh asks once how a record stands: for the task of a submitted one, for
// the return of a restorable one. It returns the changed record, or nil.
func (e *Engine[S]) Refresh(ctx context.Context, id string, record Record[S]) (*Record[S], error) {
	current := record.Current()
	switch {
	case current.Status == StatusSubmitted:
		attempt, err := e.Peek(ctx, id, current)
		var p *Pending
		var failure *Failure
		switch {
		case errors.As(err, &p) && p.Err == nil:
			return nil, nil // still under way, or forgotten by Stream: for the apply
		case errors.As(err, &p):
			return nil, p.Err
		case err != nil && !errors.As(err, &failure):
			return nil, err
		}
		record = record.With(attempt)
		return &record, nil
	case current.Scope != nil && current.Restorable((*current.Scope).Irreversible()):
		back, err := e.Back(ctx, id, *current.Scope)
		if err != nil || !back {
			return nil, err
		}
		record.Reverted = true
		return &record, nil
	default:
		return nil, nil
	}
}
