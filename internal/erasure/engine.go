// Copyright (c) the terraform-provider-streamchat authors
// SPDX-License-Identifier: MPL-2.0

package erasure

import (
	"context"
	"errors"
	"math"
	"time"

	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/clock"
	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/stream"
)

// MaxSubjects is how many subjects one call of Stream's takes: deletions and
// look-ups alike (stream-api.md §2, §10).
const MaxSubjects = 100

const (
	// lookUpWindow and submitWindow are how long the first caller waits for company.
	lookUpWindow = 50 * time.Millisecond
	submitWindow = 200 * time.Millisecond
	// freshFinding is how old a look-up may be at the call; an older one is made again.
	freshFinding = 5 * time.Second
	// verifyTries and verifyPause are the patience with a replica that lags behind the
	// task's end (stream-api.md §14.7).
	verifyTries = 5
	verifyPause = time.Second
)

// Subject is a member of a delete call and what was found of it.
type Subject struct {
	ID      string
	Finding Finding
}

// IDs are the ids of subjects, in their order.
func IDs(subjects []Subject) []string {
	ids := make([]string, len(subjects))
	for i, s := range subjects {
		ids[i] = s.ID
	}
	return ids
}

// Prepared is what the steps before a delete call did for one subject.
type Prepared struct {
	Err            error
	PollsUnchecked bool
}

// Accepted is Stream's yes to a delete call.
type Accepted struct {
	// Task is the id of the task that carries it out; none when the answer already
	// says that it is done.
	Task string
	// Since is the time that the effect must show, by Stream's clock; zero where the
	// look-up shows no time.
	Since time.Time
}

// Traits are the facts about one kind of deletion.
type Traits struct {
	// Kind names it for the ledger, e.g. "user".
	Kind string
	// Absence says in a sentence what it means that a subject was not found.
	Absence string
	// Max is how many subjects one call takes, at most [MaxSubjects].
	Max int
	// Forgets: Stream does not tell a deleted subject of this kind from one that
	// never existed, so that only a record knows of a deletion that was begun.
	Forgets bool
	// Hides: of a subject that was deleted Stream does not say any more whose data goes
	// with what is left of it.
	Hides bool
	// Proves: a look-up tells what was deleted for good from what is only hidden.
	Proves bool
	// Once: a second call would take what was written since the first, so that one which
	// Stream has confirmed is not repeated, whatever a look-up shows.
	Once bool
	// Call is the delete call, for whose limit the engine waits.
	Call stream.Operation
}

// Deed is one kind of deletion at Stream. Implementations only translate: all
// waiting, joining and judging is the engine's.
type Deed[S Scope[S]] interface {
	Traits() Traits
	// LookUp finds up to [MaxSubjects] ids; an id left out is not known to be
	// anything yet.
	LookUp(ctx context.Context, ids []string) (map[string]Finding, error)
	// Probe tells what an id is that the look-up left out: deleted, missing or,
	// behind a lagging replica, there after all; anything else is an error.
	Probe(ctx context.Context, id string) (Finding, error)
	// Gone reports that a look-up after an accepted attempt shows its effect.
	Gone(f Finding, a Attempt[S]) bool
	// Prepare does what the scope wants done before the call. A subject whose
	// entry has an error is not sent.
	Prepare(ctx context.Context, subjects []Subject, scope S) map[string]Prepared
	// Submit sends the call. errApart asks for each subject in a call of its own.
	Submit(ctx context.Context, subjects []Subject, scope S) (Accepted, error)
	// Restore undoes what is restorable, for up to [MaxSubjects] subjects.
	Restore(ctx context.Context, ids []string) error
}

// A checker is a [Deed] that knows from a look-up that Stream would not carry a
// scope out as it is meant.
type checker[S any] interface {
	Check(f Finding, scope S) error
}

// A scopeReader is a [Deed] whose look-up of a subject deleted elsewhere shows with
// what scope, so that nobody needs to claim one.
type scopeReader[S any] interface {
	ScopeOf(f Finding) (scope S, ok bool)
}

// API is what the engine itself needs of Stream: tasks and the limits of calls.
type API interface {
	Task(ctx context.Context, id string) (stream.Task, error)
	WaitTask(ctx context.Context, id string) (stream.Task, error)
	AwaitTurn(ctx context.Context, op stream.Operation) error
}

var errApart = errors.New("the subjects cannot be told apart in one call")

// Engine carries out one kind of deletion for all resources of a process.
type Engine[S Scope[S]] struct {
	Traits
	// Memory is what this run has seen of the subjects' records.
	Memory *Memory[S]

	deed Deed[S]
	api  API
	// pseudonyms and faces lead from ids to pseudonyms and back.
	pseudonyms Pseudonyms
	faces      faces
	company    company
	guards     Guards
	ledger     *Ledger
	order      *Order
	app        *AppGate
	clock      clock.Clock
	version    string

	sending chan struct{} // one batch at a time, so that a turn is not taken by another scope
	lookUps batcher[struct{}, struct{}, Finding]
	people  batcher[struct{}, struct{}, Finding]
	reaches batcher[reachKey[S], struct{}, Reach]
	submits batcher[S, Finding, submission]
	peeks   batcher[string, struct{}, stream.Task]
	toggles batcher[toggle[S], Finding, toggled]
}

type submission struct {
	Accepted
	at             time.Time
	pollsUnchecked bool
}

// Config is what an engine is made of.
type Config[S Scope[S]] struct {
	Deed Deed[S]
	API  API
	// People looks users up who are no subjects, for the guards.
	People  func(ctx context.Context, ids []string) (map[string]Finding, error)
	Guards  Guards
	Ledger  *Ledger
	Order   *Order
	App     *AppGate
	Clock   clock.Clock
	Version string // of the provider, for the record
	// Pseudonyms stand for subjects.
	Pseudonyms Pseudonyms
}

// New makes an engine.
func New[S Scope[S]](c Config[S]) *Engine[S] {
	e := &Engine[S]{
		Traits: c.Deed.Traits(), Memory: &Memory[S]{pseudonyms: c.Pseudonyms}, pseudonyms: c.Pseudonyms,
		deed: c.Deed, api: c.API, guards: c.Guards, ledger: c.Ledger, order: c.Order, app: c.App, clock: c.Clock, version: c.Version,
		sending: make(chan struct{}, 1),
	}
	e.lookUps = batcher[struct{}, struct{}, Finding]{clock: c.Clock, window: lookUpWindow, max: MaxSubjects, run: e.runLookUps(c.Deed.LookUp)}
	e.people = batcher[struct{}, struct{}, Finding]{clock: c.Clock, window: lookUpWindow, max: MaxSubjects, run: e.runLookUps(c.People)}
	e.reaches = batcher[reachKey[S], struct{}, Reach]{clock: c.Clock, window: lookUpWindow, max: MaxSubjects, run: e.runReach}
	window := submitWindow
	if e.Max == 1 {
		window = 0 // nobody to wait for
	}
	e.submits = batcher[S, Finding, submission]{clock: c.Clock, window: window, max: e.Max, turn: e.turn, run: e.runSubmits}
	e.toggles = batcher[toggle[S], Finding, toggled]{clock: c.Clock, window: submitWindow, max: MaxSubjects, run: e.runToggles}
	e.peeks = batcher[string, struct{}, stream.Task]{clock: c.Clock, window: lookUpWindow, max: math.MaxInt, run: e.runPeek}
	return e
}

// now is the provider's clock, at the precision the record keeps.
func (e *Engine[S]) now() *time.Time {
	now := e.clock.Now().UTC().Truncate(time.Millisecond)
	return &now
}
