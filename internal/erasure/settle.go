// Copyright (c) the terraform-provider-streamchat authors
// SPDX-License-Identifier: MPL-2.0

package erasure

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/stream"
)

// resume waits for the task of a submitted attempt and settles it.
func (e *Engine[S]) resume(ctx context.Context, id string, attempt Attempt[S]) (Attempt[S], error) {
	if attempt.TaskID == "" {
		return e.settle(ctx, id, attempt, carriedOut(id))
	}
	task, err := e.api.WaitTask(ctx, attempt.TaskID)
	if err != nil {
		return attempt, pending(err)
	}
	return e.settle(ctx, id, attempt, task)
}

// peek asks once for the task of a submitted attempt and settles it if it has
// ended. *[Pending] with no reason: it has not.
func (e *Engine[S]) peek(ctx context.Context, id string, attempt Attempt[S]) (Attempt[S], error) {
	if attempt.TaskID == "" {
		return e.settle(ctx, id, attempt, carriedOut(id))
	}
	task, err := e.peeks.do(ctx, attempt.TaskID, id, struct{}{})
	if stream.TaskGone(err) {
		err = stream.ErrTaskUnknown
	}
	if err != nil {
		return attempt, pending(err)
	}
	if !task.Terminal() {
		return attempt, &Pending{}
	}
	return e.settle(ctx, id, attempt, task)
}

// carriedOut stands for the task of a call without one: the answer to it already
// said that it was carried out.
func carriedOut(id string) stream.Task {
	return stream.Task{Status: stream.TaskCompleted, Results: map[string]stream.TaskResult{id: {Status: stream.ResultOK}}}
}

// runPeek asks for a task once for all whose refresh comes at the same time.
func (e *Engine[S]) runPeek(ctx context.Context, id string, members []*member[struct{}, stream.Task]) {
	task, err := e.api.Task(ctx, id)
	for _, m := range members {
		m.answer(task, err)
	}
}

func pending(err error) *Pending {
	if errors.Is(err, stream.ErrTaskUnknown) {
		return &Pending{TaskUnknown: true}
	}
	return &Pending{Err: at(StagePoll, err)}
}

// settle reads what an ended task says of one subject, and looks it up: only
// when both agree is the attempt completed.
func (e *Engine[S]) settle(ctx context.Context, id string, attempt Attempt[S], task stream.Task) (Attempt[S], error) {
	fail := func(kind FailureKind) (Attempt[S], error) {
		failure := &Failure{Kind: kind, TaskID: attempt.TaskID}
		attempt.Status, attempt.Error = StatusFailed, failure.Error()
		return attempt, failure
	}
	if task.Status != stream.TaskCompleted || task.Err != nil {
		return fail(FailureTask)
	}
	if task.Odd {
		return fail(FailureUntold)
	}
	if id = e.faces.id(id, attempt.TaskID, task.Results, e.pseudonyms); id == "" {
		// No entry has the pseudonym: there is none, or the operator's key is another one now.
		// Only the id can tell; until it is given, nothing is known.
		return attempt, &Pending{Nameless: true}
	}
	entry, listed := task.Results[id]
	if listed && (entry.Status != stream.ResultOK || entry.Error != "") {
		return fail(FailureSubject)
	}
	if !listed && !e.company.told(task, id, e.pseudonyms) {
		return fail(FailureUntold)
	}
	if attempt.isOlder(task) {
		listed = false // the task of another call proves nothing of this one
	}
	gone, lookedAt, err := e.gone(ctx, id, attempt)
	if err != nil {
		return attempt, &Pending{Err: err}
	}
	switch {
	case gone:
	case listed && e.Once:
		return attempt, &Pending{Unseen: true}
	case listed:
		return fail(FailureStillThere)
	default:
		return fail(FailureNoEntry)
	}
	if !listed {
		// Somebody who was deleted before looks the same whatever this call did.
		if attempt.Found == FoundDeleted {
			return fail(FailureNoEntry)
		}
		finding, err := e.deed.Probe(ctx, id)
		if err != nil {
			return attempt, &Pending{Err: at(StageProbe, err)}
		}
		if finding.Found != FoundDeleted {
			return fail(FailureNoEntry)
		}
	}
	attempt.Status, attempt.Outcome = StatusCompleted, (*attempt.Scope).Outcome()
	attempt.VerifiedAt, attempt.CompletedAt = &lookedAt, &lookedAt
	if ended := task.UpdatedAt.UTC(); !ended.IsZero() && attempt.plausible(ended, lookedAt) {
		attempt.CompletedAt = &ended
	}
	return attempt, nil
}

// clockSkew is how far Stream's clock and the provider's may be apart.
const clockSkew = time.Hour

// isOlder reports that a task was made long before the attempt's call.
func (a Attempt[S]) isOlder(task stream.Task) bool {
	return a.SubmittedAt != nil && !task.CreatedAt.IsZero() && task.CreatedAt.Before(a.SubmittedAt.Add(-clockSkew))
}

// plausible reports that a time of Stream's can be that of the attempt's end.
func (a Attempt[S]) plausible(t, now time.Time) bool {
	return (a.SubmittedAt == nil || !t.Before(a.SubmittedAt.Add(-clockSkew))) && !t.After(now.Add(clockSkew))
}

// gone looks the subject up until the attempt's effect shows, or has not shown once
// too often for a replica's lag.
func (e *Engine[S]) gone(ctx context.Context, id string, attempt Attempt[S]) (gone bool, at time.Time, err error) {
	for try := 1; ; try++ {
		finding, err := e.lookUps.do(ctx, struct{}{}, id, struct{}{})
		if err != nil {
			return false, finding.At, verifying(err)
		}
		if e.deed.Gone(finding, attempt) {
			return true, finding.At, nil
		}
		if try == verifyTries {
			return false, finding.At, nil
		}
		if err := e.clock.Sleep(ctx, verifyPause); err != nil {
			return false, finding.At, verifying(err)
		}
	}
}

func verifying(err error) error { return at(StageVerify, err) }

// back reports whether a subject is back at Stream after a completed deletion. It
// asks once and changes nothing.
func (e *Engine[S]) back(ctx context.Context, id string, completed Attempt[S]) (bool, error) {
	finding, err := e.LookUp(ctx, id)
	return err == nil && !e.deed.Gone(finding, completed), err
}

// Adopt examines a subject that was erased elsewhere and returns the record of
// that claim. It refuses one that is not gone. No deletion is sent.
func (e *Engine[S]) Adopt(ctx context.Context, id string) (Attempt[S], error) {
	app, err := e.app.Open(ctx)
	if err != nil {
		return Attempt[S]{}, err
	}
	finding, err := e.find(ctx, id, always)
	if err != nil {
		return Attempt[S]{}, err
	}
	switch {
	case finding.Found == FoundDeleted, finding.Found == FoundMissing && e.Forgets:
		attempt := e.adopted(finding, app)
		if s, ok := e.deed.(scopeReader[S]); ok {
			if scope, ok := s.ScopeOf(finding); ok {
				attempt.Scope = &scope
			}
		}
		return attempt, nil
	case finding.Found == FoundMissing:
		return Attempt[S]{}, &Refusal{
			Summary: "Subject not found",
			Detail:  e.Absence + " So there is no erasure to adopt. Check the spelling. Nothing was changed.",
		}
	default:
		return Attempt[S]{}, &Refusal{
			Summary: "Subject is not erased",
			Detail: "Stream still has this subject, so there is no erasure to adopt. Nothing was changed. " +
				"To erase it, remove the import and apply the resource block.",
		}
	}
}

// adopted is the record of what was done elsewhere.
func (e *Engine[S]) adopted(finding Finding, app stream.App) Attempt[S] {
	return Attempt[S]{
		Status: StatusCompleted, Found: finding.Found, Outcome: OutcomeAdopted,
		AppName: app.Name, AppID: app.ID, VerifiedAt: e.now(), ProviderVersion: e.version,
	}
}

// Restore brings restorable subjects of records back.
func (e *Engine[S]) Restore(ctx context.Context, batch Batch[S]) error {
	for _, record := range batch {
		if err := e.app.Holds(ctx, record.App()); err != nil {
			return err
		}
	}
	for chunk := range slices.Chunk(batch.IDs(), MaxSubjects) {
		if err := e.deed.Restore(ctx, chunk); err != nil {
			return at(StageRestore, err)
		}
	}
	return nil
}
