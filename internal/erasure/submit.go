// Copyright (c) the terraform-provider-streamchat authors
// SPDX-License-Identifier: MPL-2.0

package erasure

import (
	"context"
	"errors"
	"maps"
	"slices"
	"strings"

	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/stream"
)

// turn waits for the limit with nobody else between the wait and the call: what
// goes before a call (tokens, polls, guards) must not happen minutes before it.
func (e *Engine[S]) turn(ctx context.Context) (release func(), err error) {
	release = func() {}
	select {
	case e.sending <- struct{}{}:
	case <-ctx.Done():
		return release, ctx.Err()
	}
	if err := e.api.AwaitTurn(ctx, e.Call); err != nil {
		<-e.sending
		return release, err
	}
	return func() { <-e.sending }, nil
}

// erase examines the subject once more and sends the deletion, once, through a gate
// between the two. record is what is known of earlier attempts. The error tells what
// the attempt is worth:
//
//   - nil: completed, to be recorded;
//   - *[Pending]: submitted, to be recorded;
//   - *[Failure]: submitted and failed;
//   - *[StageError] of StageSubmit: tried and failed (an ambiguous *stream.Error
//     may have been accepted all the same; a repeat finds out and does no harm);
//   - any other *[StageError], *[Refusal], a context's error: nothing was sent,
//     and the attempt has no status.
//
// recordMissing: a subject that never existed is recorded as not found, without
// a call; otherwise it is refused.
func (e *Engine[S]) erase(ctx context.Context, id string, scope S, record Record[S], o Options, gate func(context.Context)) (Attempt[S], error) {
	attempt := Attempt[S]{Scope: &scope, ProviderVersion: e.version}
	finding, err := e.examine(ctx, id, scope, record, o, always)
	if err != nil {
		return attempt, err
	}
	attempt.Found = finding.Found
	app, err := e.app.Open(ctx)
	if err != nil {
		return attempt, err
	}
	attempt.AppName, attempt.AppID = app.Name, app.ID
	if finding.Found == FoundMissing {
		return e.absent(attempt, o)
	}
	gate(ctx)
	if e.order != nil {
		end, err := e.order.await(ctx, e.act([]string{id}, scope))
		if err != nil {
			return attempt, err
		}
		defer end()
	}
	if attempt.Kept, err = e.keep(ctx, id, scope, finding); err != nil {
		return attempt, err
	}
	sent, err := e.submits.do(ctx, scope, id, finding)
	if err != nil {
		return e.notAccepted(ctx, id, attempt, err)
	}
	attempt.Status, attempt.TaskID, attempt.PollsUnchecked = StatusSubmitted, sent.Task, sent.pollsUnchecked
	attempt.SubmittedAt = &sent.at
	if !sent.Since.IsZero() {
		attempt.EffectiveAt = &sent.Since
	}
	if record.hasTask(sent.Task) {
		// The task of an earlier call is no answer to this one.
		attempt.TaskID, attempt.Status, attempt.AnswerLost = "", StatusFailed, true
		failure := &Failure{Kind: FailureNoEntry}
		attempt.Error = failure.Error()
		return attempt, failure
	}
	return e.resume(ctx, id, attempt)
}

// absent records that nobody was found, where the operator wants that.
func (e *Engine[S]) absent(attempt Attempt[S], o Options) (Attempt[S], error) {
	if !o.RecordMissing {
		return attempt, e.missing()
	}
	now := e.now()
	attempt.Status, attempt.Outcome = StatusCompleted, OutcomeNotFound
	attempt.CompletedAt, attempt.VerifiedAt = now, now
	return attempt, nil
}

// notAccepted says what an attempt is worth whose call ended with an error. A
// refusal is a claim: Stream may have carried out what it then refuses, or an earlier
// call whose answer was lost may have, so a look-up settles it.
func (e *Engine[S]) notAccepted(ctx context.Context, id string, attempt Attempt[S], err error) (Attempt[S], error) {
	var stage *StageError
	var lost *answerLost
	if errors.As(err, &lost) {
		attempt.Status, attempt.Error, attempt.AnswerLost = StatusFailed, "the answer to the call was lost", true
		return attempt, err
	}
	if !errors.As(err, &stage) || stage.Stage != StageSubmit {
		return attempt, err
	}
	var api *stream.Error
	errors.As(err, &api)
	// Interrupted or timed out while it waited for its turn: not sent.
	if api != nil && !api.Ambiguous && (api.Kind == stream.KindCanceled || api.Kind == stream.KindRateLimited) {
		return attempt, err
	}
	attempt.Status, attempt.Error = StatusFailed, err.Error()
	attempt.AnswerLost = api != nil && api.Ambiguous
	if api == nil || api.Kind != stream.KindNotFound && api.Kind != stream.KindInput || attempt.Found == FoundDeleted {
		return attempt, err
	}
	finding, lookErr := e.find(ctx, id, always)
	switch {
	case lookErr != nil:
		attempt.AnswerLost = true // nobody knows
	case finding.Found == FoundPresent || finding.Found == FoundDeactivated:
	case e.Proves:
		sentAt := e.now()
		attempt.Status, attempt.Error, attempt.AnswerLost, attempt.SubmittedAt = StatusSubmitted, "", false, sentAt
		return e.resume(ctx, id, attempt)
	default:
		attempt.AnswerLost = true // gone, but nothing proves the modes
	}
	return attempt, err
}

// runSubmits prepares and sends one batch. A subject that Stream refuses by name
// is answered alone, so that it does not take the others down; so are those that
// one call cannot tell apart.
func (e *Engine[S]) runSubmits(ctx context.Context, scope S, members []*member[Finding, submission]) {
	subjects := make([]Subject, len(members))
	for i, m := range members {
		subjects[i] = Subject{ID: m.id, Finding: m.value}
	}
	refusals := e.guardAgain(ctx, subjects, scope)
	prepared := e.prepare(ctx, remaining(subjects, refusals), scope)
	left := map[string][]*member[Finding, submission]{}
	var sending []Subject
	for i, m := range members {
		if err := errors.Join(refusals[m.id], prepared[m.id].Err); err != nil {
			m.answer(submission{}, err)
			continue
		}
		if left[m.id] == nil {
			sending = append(sending, subjects[i])
		}
		left[m.id] = append(left[m.id], m)
	}
	answer := func(s Subject, accepted Accepted, err error) {
		for _, m := range left[s.ID] {
			m.answer(submission{accepted, *e.now(), prepared[s.ID].PollsUnchecked}, err)
		}
	}
	for calls := [][]Subject{sending}; len(calls) > 0; calls = calls[1:] {
		subjects := calls[0]
		if len(subjects) == 0 {
			continue
		}
		accepted, err := e.submit(ctx, subjects, scope)
		e.company.add(accepted.Task, IDs(subjects)...)
		var changed guardsChanged
		named := namedIn(err, subjects)
		switch {
		case errors.As(err, &changed):
			for _, s := range subjects {
				if refusal := changed[s.ID]; refusal != nil {
					answer(s, Accepted{}, refusal)
				}
			}
			calls = append(calls, remaining(subjects, changed))
		case len(subjects) > 1 && named >= 0:
			answer(subjects[named], Accepted{}, err)
			calls = append(calls, slices.Delete(slices.Clone(subjects), named, named+1))
		case len(subjects) > 1 && errors.Is(err, errApart):
			calls = slices.AppendSeq(calls, slices.Chunk(subjects, 1))
		default:
			for _, s := range subjects {
				answer(s, accepted, err)
			}
		}
	}
}

// watched is a context under which the guards look right before every attempt of a change.
func (e *Engine[S]) watched(ctx context.Context, subjects []Subject, scope S) context.Context {
	return stream.BeforeEach(ctx, func(ctx context.Context) error {
		if refusals := e.guardAgain(ctx, subjects, scope); len(refusals) > 0 {
			return refusals
		}
		return nil
	})
}

// prepare does what goes before the call, without those whom a guard refuses meanwhile.
func (e *Engine[S]) prepare(ctx context.Context, subjects []Subject, scope S) map[string]Prepared {
	refused := map[string]Prepared{}
	for {
		prepared := e.deed.Prepare(e.watched(ctx, subjects, scope), subjects, scope)
		changed := changedIn(prepared)
		if len(changed) == 0 {
			maps.Copy(refused, prepared)
			return refused
		}
		for id, err := range changed {
			refused[id] = Prepared{Err: err}
		}
		subjects = remaining(subjects, changed)
	}
}

// changedIn are the refusals among what stood in the way of preparations.
func changedIn(prepared map[string]Prepared) (changed guardsChanged) {
	for _, p := range prepared {
		if errors.As(p.Err, &changed) {
			return changed
		}
	}
	return nil
}

// submit sends one call.
func (e *Engine[S]) submit(ctx context.Context, subjects []Subject, scope S) (accepted Accepted, err error) {
	err = e.guarded(ctx, subjects, scope, StageSubmit, func(ctx context.Context) (err error) {
		accepted, err = e.deed.Submit(ctx, subjects, scope)
		return err
	})
	if e.Kind == kindUser {
		e.ledger.sent()
	}
	return accepted, err
}

// guarded does what changes something at Stream. The guards run again right before every
// attempt of it; whom they refuse then is told by [guardsChanged].
func (e *Engine[S]) guarded(ctx context.Context, subjects []Subject, scope S, stage Stage, do func(context.Context) error) error {
	err := do(e.watched(ctx, subjects, scope))
	var changed guardsChanged
	if !errors.As(err, &changed) {
		return at(stage, err)
	}
	var api *stream.Error
	if errors.As(err, &api) && api.Ambiguous { // an earlier attempt of the call lost its answer
		for id, err := range changed {
			var refusal *Refusal
			if errors.As(err, &refusal) {
				said := *refusal
				said.Detail = strings.ReplaceAll(said.Detail, "Nothing was sent.",
					"It was not sent again, but an earlier attempt of the call lost its answer, so that Stream may have carried it out: plan again to see.")
				err = &said
			}
			changed[id] = &answerLost{err}
		}
	}
	return changed
}

// answerLost is a refusal that came after an attempt which Stream may have carried out.
type answerLost struct{ refusal error }

func (e *answerLost) Error() string {
	return e.refusal.Error() + " An earlier attempt of the call lost its answer."
}

// Unwrap gives the refusal.
func (e *answerLost) Unwrap() error { return e.refusal }

// guardsChanged are the refusals, by subject, that stopped a call at the last moment.
type guardsChanged map[string]error

func (guardsChanged) Error() string { return "the guards refuse what they let through before" }

// guardAgain looks subjects up once more whose look-up is not fresh, because the
// call had to wait (for its turn, after a refusal, before a repeat): somebody may be
// held or promoted since. What goes along is looked up anew as soon as the run has sent
// anything or has more subjects. What it finds takes the place of the earlier finding.
func (e *Engine[S]) guardAgain(ctx context.Context, subjects []Subject, scope S) guardsChanged {
	var ask, stale []string
	places := map[string]int{}
	now, version := e.clock.Now(), e.ledger.version()
	for i, s := range subjects {
		f := s.Finding
		there := f.Found == FoundPresent || f.Found == FoundDeactivated
		old := now.Sub(f.At) > freshFinding
		if there && old {
			ask = append(ask, s.ID)
		}
		if there && old || e.guards.Any() && (old || f.run != version) {
			stale, places[s.ID] = append(stale, s.ID), i
		}
	}
	if len(stale) == 0 {
		return nil
	}
	var found map[string]Finding
	if len(ask) > 0 {
		var err error
		if found, err = e.deed.LookUp(ctx, ask); err != nil {
			return changedFor(stale, at(StageLookUp, err))
		}
	}
	lookedAt := *e.now()
	seen, refusals := each(stale, func(id string) (Finding, error) {
		f := subjects[places[id]].Finding
		switch now, listed := found[id]; {
		case listed:
			now.terms = f.terms
			f = now
		case slices.Contains(ask, id):
			f.gone = true // who is deleted does not change any more
		}
		f.At = lookedAt
		return f, e.admit(ctx, id, &f, scope)
	})
	for id, f := range seen {
		subjects[places[id]].Finding = f
	}
	return refusals
}

func changedFor(ids []string, err error) guardsChanged {
	changed := guardsChanged{}
	for _, id := range ids {
		changed[id] = err
	}
	return changed
}

func remaining(subjects []Subject, without guardsChanged) []Subject {
	return slices.DeleteFunc(slices.Clone(subjects), func(s Subject) bool { return without[s.ID] != nil })
}

// namedIn is the index of the subject that a refusal of Stream's names, or -1.
func namedIn(err error, subjects []Subject) int {
	var e *stream.Error
	if !errors.As(err, &e) || e.Ambiguous {
		return -1
	}
	name := e.NamedUser()
	if name == "" {
		return -1
	}
	return slices.IndexFunc(subjects, func(s Subject) bool { return s.ID == name })
}
