// Copyright (c) the terraform-provider-streamchat authors
// SPDX-License-Identifier: MPL-2.0

package erasure

import (
	"context"
	"errors"
	"math"
	"slices"
	"time"

	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/clock"
	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/stream"
)

// MaxSubjects is how many subjects one call of Stream's takes: deletions and
// look-ups alike (stream-api.md §2, §10).
const MaxSubjects = stream.MaxBatch

const (
	lookUpWindow = 50 * time.Millisecond
	submitWindow = 200 * time.Millisecond
	// A replica may lag behind the task's end (stream-api.md §14.7).
	// A finding older than this is looked up again before the call.
	freshFinding = 5 * time.Second
	verifyTries  = 5
	verifyPause  = time.Second
)

// Subject is a member of a delete call and what was found of it.
type Subject struct {
	ID      string
	Finding Finding
}

// Prepared is what the steps before a delete call did for one subject.
type Prepared struct {
	Err            error
	PollsUnchecked bool
}

// Deed is one kind of deletion at Stream. Implementations only translate: all
// waiting, joining and judging is the engine's.
type Deed[S any] interface {
	// Kind names the deed for the ledger, e.g. "user".
	Kind() string
	// Absence says in a sentence what it means that a subject was not found.
	Absence() string
	// Max is how many subjects one call takes, at most [MaxSubjects].
	Max() int
	// Forgets: Stream does not tell a deleted subject of this kind from one that
	// never existed.
	Forgets() bool
	// Gone reports that a look-up after the deletion shows its effect.
	Gone(f Finding, scope S) bool
	// LookUp finds up to [MaxSubjects] ids; an id left out is not known to be
	// anything yet.
	LookUp(ctx context.Context, ids []string) (map[string]Finding, error)
	// Probe tells what an id is that the look-up left out: deleted or missing,
	// else an error.
	Probe(ctx context.Context, id string) (Finding, error)
	// Prepare does what the scope wants done before the call. A subject whose
	// entry has an error is not sent.
	Prepare(ctx context.Context, subjects []Subject, scope S) map[string]Prepared
	// Turn waits until a call would be let through.
	Turn(ctx context.Context) error
	// Submit sends the call and returns the id of its task; none when the answer
	// already says that it is done. errApart asks for each subject in a call of its
	// own.
	Submit(ctx context.Context, ids []string, scope S) (task string, err error)
	// Restore undoes what is restorable, for up to [MaxSubjects] subjects.
	Restore(ctx context.Context, ids []string) error
}

// A checker is a [Deed] that knows from a look-up that Stream would not carry a
// scope out as it is meant.
type checker[S any] interface {
	Check(f Finding, scope S) error
}

// A shower is a [Deed] whose look-up of a subject deleted elsewhere shows with
// what scope, so that nobody needs to claim one.
type shower[S any] interface {
	Shows(f Finding) (scope S, ok bool)
}

var errApart = errors.New("the subjects cannot be told apart in one call")

// Engine carries out one kind of deletion for all resources of a process.
type Engine[S Scope[S]] struct {
	deed    Deed[S]
	guards  Guards
	ledger  *Ledger
	app     *AppGate
	clock   clock.Clock
	version string

	sending chan struct{} // one batch at a time, so that a turn is not taken by another scope
	lookUps batcher[struct{}, struct{}, Finding]
	submits batcher[S, Finding, submission]
	peeks   batcher[string, struct{}, stream.Task]
	tasks   TaskAPI
}

// TaskAPI is what settling an erasure needs of Stream's API.
type TaskAPI interface {
	Task(ctx context.Context, id string) (stream.Task, error)
	WaitTask(ctx context.Context, id string) (stream.Task, error)
}

type submission struct {
	task           string
	at             time.Time
	pollsUnchecked bool
}

// Config is what an engine is made of.
type Config[S Scope[S]] struct {
	Deed    Deed[S]
	Tasks   TaskAPI
	Guards  Guards
	Ledger  *Ledger
	App     *AppGate
	Clock   clock.Clock
	Version string // of the provider, for the record
}

// New makes an engine.
func New[S Scope[S]](c Config[S]) *Engine[S] {
	e := &Engine[S]{deed: c.Deed, tasks: c.Tasks, guards: c.Guards, ledger: c.Ledger, app: c.App, clock: c.Clock, version: c.Version}
	e.lookUps = batcher[struct{}, struct{}, Finding]{clock: c.Clock, window: lookUpWindow, max: MaxSubjects, run: e.runLookUps}
	e.sending = make(chan struct{}, 1)
	window := submitWindow
	if c.Deed.Max() == 1 {
		window = 0 // nobody to wait for
	}
	e.submits = batcher[S, Finding, submission]{clock: c.Clock, window: window, max: c.Deed.Max(), turn: e.turn, run: e.runSubmits}
	e.peeks = batcher[string, struct{}, stream.Task]{clock: c.Clock, window: lookUpWindow, max: math.MaxInt, run: e.runPeek}
	return e
}

// turn waits for the limit with nobody else between the wait and the call: what
// goes before a call (tokens, polls, guards) must not happen minutes before it.
func (e *Engine[S]) turn(ctx context.Context) (release func(), err error) {
	release = func() {}
	select {
	case e.sending <- struct{}{}:
	case <-ctx.Done():
		return release, ctx.Err()
	}
	if err := e.deed.Turn(ctx); err != nil {
		<-e.sending
		return release, err
	}
	return func() { <-e.sending }, nil
}

// Claim refuses a second resource that wants to create the subject's record.
func (e *Engine[S]) Claim(id string) error {
	if e.ledger.First(e.deed.Kind(), id) {
		return nil
	}
	return &Refusal{
		Summary: "The same subject twice",
		Detail: "Another resource of this plan erases the same subject. Nothing was sent for this one. " +
			"Keep one of the two blocks, so that there is one record of one erasure.",
	}
}

// LookUp finds a subject and does nothing else, past the wrong-app guard. One
// that Stream's query leaves out is [FoundUnproven].
func (e *Engine[S]) LookUp(ctx context.Context, id string) (Finding, error) {
	if _, err := e.app.Name(ctx); err != nil {
		return Finding{}, err
	}
	finding, err := e.lookUps.do(ctx, struct{}{}, id, struct{}{})
	return finding, at(StageLookUp, err)
}

// Preview examines a subject for a plan. When the plan's budget of probes is
// used up, a subject that the look-up leaves out comes back as [FoundUnproven];
// the apply proves it.
func (e *Engine[S]) Preview(ctx context.Context, id string, scope S, record Record[S]) (Finding, error) {
	return e.examine(ctx, id, scope, record, e.ledger.spendProbe)
}

// examine runs the guards around a look-up. Where Stream forgets what it deleted,
// the record remembers.
func (e *Engine[S]) examine(ctx context.Context, id string, scope S, record Record[S], mayProbe func() bool) (Finding, error) {
	if err := e.guards.Identity(id); err != nil {
		return Finding{}, err
	}
	if err := e.ledger.Erase(e.deed.Kind(), id); err != nil {
		return Finding{}, err
	}
	if _, err := e.app.Name(ctx); err != nil {
		return Finding{}, err
	}
	finding, err := e.find(ctx, id, mayProbe)
	if err != nil {
		return Finding{}, err
	}
	if finding.Found == FoundMissing && e.deed.Forgets() && record.Sent() {
		finding.Found = FoundDeleted
	}
	if c, ok := e.deed.(checker[S]); ok {
		if err := c.Check(finding, scope); err != nil {
			return Finding{}, err
		}
	}
	if err := e.guards.Finding(finding); err != nil {
		return Finding{}, err
	}
	return finding, e.checkHeirs(ctx, id, scope)
}

// find looks a subject up and, where the look-up leaves it out, probes it.
func (e *Engine[S]) find(ctx context.Context, id string, mayProbe func() bool) (Finding, error) {
	finding, err := e.lookUps.do(ctx, struct{}{}, id, struct{}{})
	if err != nil {
		return Finding{}, at(StageLookUp, err)
	}
	if finding.Found != FoundUnproven || !mayProbe() {
		return finding, nil
	}
	finding, err = e.deed.Probe(ctx, id)
	return finding, at(StageProbe, err)
}

func always() bool { return true }

func (e *Engine[S]) checkHeirs(ctx context.Context, id string, scope S) error {
	for _, heir := range scope.Heirs() {
		if heir.ID == id {
			return &Refusal{Field: heir.Field, Summary: "Heir is the erased user", Detail: "The new owner must be somebody else than the user to erase. Nothing was sent."}
		}
		finding, err := e.lookUps.do(ctx, struct{}{}, heir.ID, struct{}{})
		if err != nil {
			return at(StageLookUp, err)
		}
		if finding.Found != FoundPresent {
			return &Refusal{Field: heir.Field, Summary: "New owner not found", Detail: "Stream has no active user with the id of the new owner. Nothing was sent. Name an existing, active user."}
		}
	}
	return nil
}

func (e *Engine[S]) runLookUps(ctx context.Context, _ struct{}, members []*member[struct{}, Finding]) {
	ids := make([]string, 0, len(members))
	seen := map[string]bool{}
	for _, m := range members {
		if !seen[m.id] {
			seen[m.id] = true
			ids = append(ids, m.id)
		}
	}
	found, err := e.deed.LookUp(ctx, ids)
	at := *e.now()
	for _, m := range members {
		finding := found[m.id]
		finding.At = at
		m.answer(finding, err)
	}
}

// Erase examines the subject once more and sends the deletion, once. record is
// what is known of earlier attempts. The error
// tells what the attempt is worth:
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
func (e *Engine[S]) Erase(ctx context.Context, id string, scope S, record Record[S], recordMissing bool) (Attempt[S], error) {
	return e.erase(ctx, id, scope, record, recordMissing, func(context.Context) {})
}

// erase is Erase with a gate between the examination and the call.
func (e *Engine[S]) erase(ctx context.Context, id string, scope S, record Record[S], recordMissing bool, gate func(context.Context)) (Attempt[S], error) {
	attempt := Attempt[S]{Scope: &scope, ProviderVersion: e.version}
	finding, err := e.examine(ctx, id, scope, record, always)
	if err != nil {
		return attempt, err
	}
	attempt.Found = finding.Found
	if attempt.AppName, err = e.app.Name(ctx); err != nil {
		return attempt, err
	}
	if finding.Found == FoundMissing {
		if !recordMissing {
			return attempt, e.Missing()
		}
		now := e.now()
		attempt.Status, attempt.Outcome = StatusCompleted, OutcomeNotFound
		attempt.CompletedAt, attempt.VerifiedAt = now, now
		return attempt, nil
	}
	gate(ctx)
	sent, err := e.submits.do(ctx, scope, id, finding)
	if err != nil {
		var stage *StageError
		if errors.As(err, &stage) && stage.Stage == StageSubmit {
			var api *stream.Error
			errors.As(err, &api)
			// Interrupted or timed out while it waited for its turn: not sent.
			waiting := api != nil && !api.Ambiguous && (api.Kind == stream.KindCanceled || api.Kind == stream.KindRateLimited)
			if !waiting {
				attempt.Status, attempt.Error = StatusFailed, err.Error()
				attempt.AnswerLost = api != nil && api.Ambiguous
			}
		}
		return attempt, err
	}
	attempt.Status, attempt.TaskID, attempt.PollsUnchecked = StatusSubmitted, sent.task, sent.pollsUnchecked
	attempt.SubmittedAt = &sent.at
	return e.Resume(ctx, id, attempt)
}

// Missing is the refusal of a subject that is not there.
func (e *Engine[S]) Missing() *Refusal {
	advice := "Check the spelling; "
	if e.deed.Forgets() {
		advice = "Check the spelling. If it was deleted by other means or by an interrupted run, import it; "
	}
	return &Refusal{Summary: "Subject not found", Detail: e.deed.Absence() + " Nothing was sent. " +
		advice + "if the record of a search without a result is what you want, set on_missing = \"record\"."}
}

// Absence says in a sentence what it means that a subject was not found.
func (e *Engine[S]) Absence() string { return e.deed.Absence() }

// Forgets: Stream does not tell a deleted subject from one that never existed, so
// that only a record knows of a deletion that was begun.
func (e *Engine[S]) Forgets() bool { return e.deed.Forgets() }

// Resume waits for the task of a submitted attempt and settles it.
func (e *Engine[S]) Resume(ctx context.Context, id string, attempt Attempt[S]) (Attempt[S], error) {
	if attempt.TaskID == "" {
		return e.settle(ctx, id, attempt, carriedOut(id))
	}
	task, err := e.tasks.WaitTask(ctx, attempt.TaskID)
	if err != nil {
		return attempt, pending(err)
	}
	return e.settle(ctx, id, attempt, task)
}

// Peek asks once for the task of a submitted attempt and settles it if it has
// ended. *[Pending] with no reason: it has not.
func (e *Engine[S]) Peek(ctx context.Context, id string, attempt Attempt[S]) (Attempt[S], error) {
	if attempt.TaskID == "" {
		return e.settle(ctx, id, attempt, carriedOut(id))
	}
	task, err := e.peeks.do(ctx, attempt.TaskID, id, struct{}{})
	if stream.IsNotFound(err) {
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
	task, err := e.tasks.Task(ctx, id)
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
	entry, listed := task.Results[id]
	if listed && entry.Status != stream.ResultOK {
		return fail(FailureSubject)
	}
	gone, lookedAt, err := e.gone(ctx, id, *attempt.Scope)
	if err != nil {
		return attempt, &Pending{Err: err}
	}
	if !gone {
		if listed {
			return fail(FailureStillThere)
		}
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
	if !task.UpdatedAt.IsZero() {
		updated := task.UpdatedAt.UTC()
		attempt.CompletedAt = &updated
	}
	return attempt, nil
}

// gone looks the subject up until it is no longer found, or has been found once
// too often for a replica's lag.
func (e *Engine[S]) gone(ctx context.Context, id string, scope S) (gone bool, at time.Time, err error) {
	for try := 1; ; try++ {
		finding, err := e.lookUps.do(ctx, struct{}{}, id, struct{}{})
		if err != nil {
			return false, finding.At, verifying(err)
		}
		if e.deed.Gone(finding, scope) {
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

// Back reports whether a subject is back at Stream after a deletion with a
// restorable scope: the drift of a soft deletion. It asks once and changes nothing.
func (e *Engine[S]) Back(ctx context.Context, id string, scope S) (bool, error) {
	finding, err := e.LookUp(ctx, id)
	return err == nil && !e.deed.Gone(finding, scope), err
}

// Adopt examines a subject that was erased elsewhere and returns the record of
// that claim. It refuses one that is not gone. No deletion is sent.
func (e *Engine[S]) Adopt(ctx context.Context, id string) (Attempt[S], error) {
	name, err := e.app.Name(ctx)
	if err != nil {
		return Attempt[S]{}, err
	}
	finding, err := e.find(ctx, id, always)
	if err != nil {
		return Attempt[S]{}, err
	}
	switch {
	case finding.Found == FoundDeleted, finding.Found == FoundMissing && e.deed.Forgets():
		attempt := Attempt[S]{
			Status: StatusCompleted, Found: finding.Found, Outcome: OutcomeAdopted,
			AppName: name, VerifiedAt: e.now(), ProviderVersion: e.version,
		}
		if s, ok := e.deed.(shower[S]); ok {
			if scope, ok := s.Shows(finding); ok {
				attempt.Scope = &scope
			}
		}
		return attempt, nil
	case finding.Found == FoundMissing:
		return Attempt[S]{}, &Refusal{
			Summary: "Subject not found",
			Detail:  e.deed.Absence() + " So there is no erasure to adopt. Check the spelling. Nothing was changed.",
		}
	default:
		return Attempt[S]{}, &Refusal{
			Summary: "Subject is not erased",
			Detail: "Stream still has this subject, so there is no erasure to adopt. Nothing was changed. " +
				"To erase it, remove the import and apply the resource block.",
		}
	}
}

// Restore brings restorable subjects back, up to [MaxSubjects].
func (e *Engine[S]) Restore(ctx context.Context, ids ...string) error {
	if _, err := e.app.Name(ctx); err != nil {
		return err
	}
	return at(StageRestore, e.deed.Restore(ctx, ids))
}

// runSubmits prepares and sends one batch. A subject that Stream refuses by name
// is answered alone, so that it does not take the others down; so are those that
// one call cannot tell apart.
func (e *Engine[S]) runSubmits(ctx context.Context, scope S, members []*member[Finding, submission]) {
	subjects := make([]Subject, len(members))
	for i, m := range members {
		subjects[i] = Subject{ID: m.id, Finding: m.value}
	}
	refusals := e.guardAgain(ctx, subjects)
	prepared := e.deed.Prepare(ctx, remaining(subjects, refusals), scope)
	left := map[string][]*member[Finding, submission]{}
	var ids []string
	for _, m := range members {
		if err := errors.Join(refusals[m.id], prepared[m.id].Err); err != nil {
			m.answer(submission{}, err)
			continue
		}
		if left[m.id] == nil {
			ids = append(ids, m.id)
		}
		left[m.id] = append(left[m.id], m)
	}
	for calls := [][]string{ids}; len(calls) > 0; calls = calls[1:] {
		ids := calls[0]
		if len(ids) == 0 {
			continue
		}
		task, err := e.deed.Submit(ctx, ids, scope)
		err = at(StageSubmit, err)
		refused := namedIn(err, ids)
		switch {
		case len(ids) > 1 && refused >= 0:
			for _, m := range left[ids[refused]] {
				m.answer(submission{}, err)
			}
			calls = append(calls, append(ids[:refused:refused], ids[refused+1:]...))
		case len(ids) > 1 && errors.Is(err, errApart):
			calls = slices.AppendSeq(calls, slices.Chunk(ids, 1))
		default:
			sentAt := *e.now()
			for _, id := range ids {
				for _, m := range left[id] {
					m.answer(submission{task: task, at: sentAt, pollsUnchecked: prepared[id].PollsUnchecked}, err)
				}
			}
		}
	}
}

// guardAgain looks subjects up once more whose examination is not fresh, because
// the call had to wait for its turn: somebody may be held or promoted since.
func (e *Engine[S]) guardAgain(ctx context.Context, subjects []Subject) map[string]error {
	var stale []string
	now := *e.now()
	for _, s := range subjects {
		if f := s.Finding; now.Sub(f.At) > freshFinding && (f.Found == FoundPresent || f.Found == FoundDeactivated) {
			stale = append(stale, s.ID)
		}
	}
	if len(stale) == 0 {
		return nil
	}
	refusals := map[string]error{}
	found, err := e.deed.LookUp(ctx, stale)
	for _, id := range stale {
		switch f, ok := found[id]; {
		case err != nil:
			refusals[id] = at(StageLookUp, err)
		case ok:
			if err := e.guards.Finding(f); err != nil {
				refusals[id] = err
			}
		}
	}
	return refusals
}

func remaining(subjects []Subject, without map[string]error) []Subject {
	return slices.DeleteFunc(slices.Clone(subjects), func(s Subject) bool { return without[s.ID] != nil })
}

// namedIn is the index of the id that a refusal of Stream's names, or -1.
func namedIn(err error, ids []string) int {
	var e *stream.Error
	if !errors.As(err, &e) || e.Ambiguous {
		return -1
	}
	if name := e.NamedUser(); name != "" {
		for i, id := range ids {
			if id == name {
				return i
			}
		}
	}
	return -1
}

// now is the provider's clock, at the precision the record keeps.
func (e *Engine[S]) now() *time.Time {
	now := e.clock.Now().UTC().Truncate(time.Millisecond)
	return &now
}
