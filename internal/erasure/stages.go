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

// An erasure may have two stages: its subject is restricted now (at Stream: deactivated,
// which can be taken back) and erased by the first run after a period. A record is in the
// first stage while it has a restriction and no attempt.

// Restriction is the first stage of an erasure. A later one stands for an earlier one
// that was lifted elsewhere.
type Restriction struct {
	// Found is what was there before. Only who was present is called for, and is given
	// back what the call took.
	Found   Found  `json:"found"`
	TaskID  string `json:"task_id,omitempty"`
	AppName string `json:"app_name,omitempty"`
	AppID   string `json:"app_id,omitempty"`
	// SubmittedAt is when the period begins: Stream's yes to the call, or the look-up of
	// somebody who was restricted already.
	SubmittedAt *time.Time `json:"submitted_at"`
	// VerifiedAt is when a look-up showed that it is in force; nil when that is not known.
	VerifiedAt *time.Time `json:"verified_at,omitempty"`
	// AnswerLost: the call ended without Stream's answer.
	AnswerLost bool `json:"answer_lost,omitempty"`
	// ReleasedAt is when the deletion was called off; Reactivated: by a call, whose task
	// that is.
	ReleasedAt      *time.Time `json:"released_at,omitempty"`
	Reactivated     bool       `json:"reactivated,omitempty"`
	ReleaseTaskID   string     `json:"release_task_id,omitempty"`
	ProviderVersion string     `json:"provider_version,omitempty"`
}

// Timing says whether there are two stages, and what time it is.
type Timing struct {
	Grace time.Duration // 0: there is one
	Now   time.Time
	// Weaker: less guards now than when it was approved, so that nothing approved then is sent.
	Weaker bool
}

// Timing is that of now.
func (e *Engine[S]) Timing(grace time.Duration) Timing {
	return Timing{Grace: grace, Now: e.clock.Now()}
}

// checkRestrictions refuses what this version does not write.
func checkRestrictions(restrictions []Restriction) error {
	for _, r := range restrictions {
		if r.SubmittedAt == nil || r.Found != FoundPresent && r.Found != FoundDeactivated && r.Found != FoundDeleted {
			return errors.New("the receipt in state holds a restriction that this version does not know")
		}
	}
	return nil
}

// restriction is the one in force.
func (r Record[S]) restriction() (Restriction, bool) {
	n := len(r.Restrictions)
	if n == 0 || r.Restrictions[n-1].ReleasedAt != nil {
		return Restriction{}, false
	}
	return r.Restrictions[n-1], true
}

// Scheduled reports that the subject is in the first stage: restricted, and nothing was
// tried that deletes.
func (r Record[S]) Scheduled() bool {
	_, open := r.restriction()
	return open && len(r.Attempts) == 0
}

// Reactivates reports that calling the deletion off needs a call: the restriction is this
// record's own.
func (r Record[S]) Reactivates() bool {
	open, _ := r.restriction()
	return r.Scheduled() && open.Found == FoundPresent
}

// Takes makes the restriction in force the record's own: it was that of another record of the
// operator's, which is dropped. took is false where there is nothing to take.
func (r Record[S]) Takes() (_ Record[S], took bool) {
	open, _ := r.restriction()
	if !r.Scheduled() || r.Reverted || open.Found != FoundDeactivated {
		return r, false
	}
	open.Found = FoundPresent
	return r.restrictedBy(open), true
}

// Restricted reports that a restriction stands behind a record, or did.
func (r Record[S]) Restricted() bool { return len(r.Restrictions) > 0 }

// Restricted reports that somebody of a batch is in the first stage.
func (b Batch[S]) Restricted() bool { return len(b.Scheduled()) > 0 }

// Scheduled are the records in the first stage.
func (b Batch[S]) Scheduled() Batch[S] {
	scheduled := Batch[S]{}
	for id, record := range b {
		if record.Scheduled() {
			scheduled[id] = record
		}
	}
	return scheduled
}

// EraseAt is when the next of those who are scheduled may be erased; where nobody is any
// more, when the last might. Nil where nobody was ever scheduled.
func (b Batch[S]) EraseAt(grace time.Duration) (at *time.Time) {
	scheduled := b.Restricted()
	for _, record := range b {
		n := len(record.Restrictions)
		if n == 0 || scheduled && (!record.Scheduled() || record.Reverted) || record.Current().Status == StatusReleased {
			continue
		}
		then := record.Restrictions[n-1].SubmittedAt.Add(grace)
		if at == nil || scheduled && then.Before(*at) || !scheduled && then.After(*at) {
			at = &then
		}
	}
	return at
}

// stage decides what a record without an attempt needs.
func (r Record[S]) stage(wanted bool, t Timing) Step {
	open, ok := r.restriction()
	switch {
	case !wanted && ok:
		return Release
	case !wanted:
		return Keep
	case !ok || r.Reverted || open.VerifiedAt == nil:
		return Restrict
	case t.Now.Before(open.SubmittedAt.Add(t.Grace)):
		return Keep
	default:
		return Send
	}
}

// call is the sort of calls that a step leads to: subjects whose steps lead to the same
// share calls.
func (s Step) call() Step {
	if s == Restrict || s == Release {
		return s
	}
	return Send
}

// restricted is how a record without an attempt stands.
func restricted[S Scope[S]](r Record[S]) Attempt[S] {
	n := len(r.Restrictions)
	if n == 0 {
		return Attempt[S]{}
	}
	last := r.Restrictions[n-1]
	current := Attempt[S]{Found: last.Found, AppName: last.AppName, AppID: last.AppID, ProviderVersion: last.ProviderVersion, Status: StatusScheduled}
	switch {
	case last.ReleasedAt != nil:
		current.Status = StatusReleased
	case r.Reverted:
		current.Status = StatusReverted
	case last.VerifiedAt == nil && last.AnswerLost:
		current.Status = StatusFailed // nobody knows that Stream accepted it
	case last.VerifiedAt == nil:
		current.Status = StatusSubmitted
	}
	return current
}

// restrictedBy adds a restriction, or replaces the one that it goes on with.
func (r Record[S]) restrictedBy(next Restriction) Record[S] {
	n := len(r.Restrictions)
	if n > 0 {
		if last := r.Restrictions[n-1]; last.ReleasedAt == nil && last.SubmittedAt.Equal(*next.SubmittedAt) && last.TaskID == next.TaskID {
			n--
		}
	}
	r.Restrictions, r.Reverted = append(r.Restrictions[:n:n], next), false
	return r
}

// A restricter is a [Deed] whose subjects can be restricted, and given back what that took.
type restricter[S any] interface {
	// Restrict restricts up to [MaxSubjects] subjects by a task, or a single one directly.
	// refused are those who were left out.
	Restrict(ctx context.Context, subjects []Subject, scope S, direct bool) (task string, refused map[string]Prepared, err error)
	// Release lifts it.
	Release(ctx context.Context, ids []string, direct bool) (task string, err error)
}

// toggle is a call that restricts or releases.
type toggle[S any] struct {
	scope   S
	release bool
}

type toggled struct {
	task string
	at   time.Time
}

var errNoStages = errors.New("this kind of subject cannot be restricted")

// toggle joins subjects into calls, or makes one for this one alone.
func (a advance[S]) toggle(ctx context.Context, key toggle[S], finding Finding) (toggled, error) {
	a.gate(ctx)
	if !a.o.Direct {
		return a.toggles.do(ctx, key, a.id, finding)
	}
	m := &member[Finding, toggled]{id: a.id, value: finding, ctx: ctx, done: make(chan struct{})}
	a.sendToggle(ctx, key, []*member[Finding, toggled]{m}, true)
	return m.result, m.err
}

func (e *Engine[S]) runToggles(ctx context.Context, key toggle[S], members []*member[Finding, toggled]) {
	e.sendToggle(ctx, key, members, false)
}

// sendToggle sends one call. Somebody whom Stream, or a guard at the last moment, refuses by
// name is answered alone.
func (e *Engine[S]) sendToggle(ctx context.Context, key toggle[S], members []*member[Finding, toggled], direct bool) {
	for len(members) > 0 {
		subjects := make([]Subject, len(members))
		for i, m := range members {
			subjects[i] = Subject{ID: m.id, Finding: m.value}
		}
		task, refused, err := e.toggleAll(ctx, key, subjects, direct)
		var changed guardsChanged
		switch named := namedIn(err, subjects); {
		case errors.As(err, &changed):
			for i, m := range members {
				if m.value = subjects[i].Finding; changed[m.id] != nil {
					m.answer(toggled{}, changed[m.id])
				}
			}
			members = slices.DeleteFunc(slices.Clone(members), func(m *member[Finding, toggled]) bool { return changed[m.id] != nil })
			continue
		case len(members) > 1 && named >= 0:
			members[named].answer(toggled{}, err)
			members = slices.Delete(slices.Clone(members), named, named+1)
			continue
		}
		now := *e.now()
		for _, m := range members {
			if r := refused[m.id].Err; r != nil {
				m.answer(toggled{}, r)
				continue
			}
			m.answer(toggled{task, now}, err)
		}
		return
	}
}

// toggleAll restricts subjects, past the guards, or releases them.
func (e *Engine[S]) toggleAll(ctx context.Context, key toggle[S], subjects []Subject, direct bool) (task string, refused map[string]Prepared, err error) {
	deed, ok := e.deed.(restricter[S])
	switch {
	case !ok:
		return "", nil, at(StageRestrict, errNoStages)
	case key.release:
		task, err = deed.Release(ctx, IDs(subjects), direct)
		return task, nil, at(StageRelease, err)
	}
	err = e.guarded(ctx, subjects, key.scope, StageRestrict, func(ctx context.Context) (err error) {
		task, refused, err = deed.Restrict(ctx, subjects, key.scope, direct)
		return err
	})
	return task, refused, err
}

// restrict is the first stage of one subject.
func (a advance[S]) restrict(ctx context.Context, record Record[S]) (Record[S], error) {
	if _, veiled := Unveil(a.id); veiled {
		return record, notGiven()
	}
	finding, err := a.examine(ctx, a.id, a.scope, record, a.o, always)
	if err != nil {
		return record, err
	}
	app, err := a.app.Open(ctx)
	if err != nil {
		return record, err
	}
	next := Restriction{Found: finding.Found, AppName: app.Name, AppID: app.ID, ProviderVersion: a.version, SubmittedAt: a.now()}
	switch open, ok := record.restriction(); {
	case finding.Found == FoundMissing:
		attempt, err := a.absent(Attempt[S]{Scope: &a.scope, Found: finding.Found, AppName: app.Name, AppID: app.ID, ProviderVersion: a.version}, a.o)
		if err == nil {
			record = record.With(attempt)
		}
		return record, err
	case finding.Found == FoundDeactivated && ok && !record.Reverted:
		return a.inForce(ctx, record, open) // an earlier run did not learn that
	case finding.Found != FoundPresent: // there is nothing to take away
		next.VerifiedAt = next.SubmittedAt
		if finding.Found == FoundDeactivated && a.o.Inherits != nil && a.o.Inherits(a.id) {
			next.Found = FoundPresent
		}
		return record.restrictedBy(next), nil
	}
	sent, err := a.toggle(ctx, toggle[S]{scope: a.scope}, finding)
	var api *stream.Error
	var stage *StageError
	tried := errors.As(err, &stage) && stage.Stage == StageRestrict
	if next.AnswerLost = tried && errors.As(err, &api) && api.Ambiguous; err != nil && !next.AnswerLost {
		return record, err
	}
	next.TaskID = sent.task
	if err == nil {
		next.SubmittedAt = &sent.at
	}
	record, unproven := a.inForce(ctx, record.restrictedBy(next), next)
	if unproven != nil && err != nil {
		return record, err
	}
	return record, unproven
}

// inForce waits until a look-up shows a restriction.
func (a advance[S]) inForce(ctx context.Context, record Record[S], r Restriction) (Record[S], error) {
	at, err := a.shows(ctx, StageRestrict, r.TaskID, func(f Finding) bool { return f.Found == FoundDeactivated })
	if err != nil {
		return record, err
	}
	r.VerifiedAt = &at
	return record.restrictedBy(r), nil
}

// shows waits for a task and then until the look-up shows its effect. What the task says
// is not asked: the look-up does not err, and a task may be forgotten.
func (a advance[S]) shows(ctx context.Context, stage Stage, task string, effect func(Finding) bool) (time.Time, error) {
	if task != "" {
		if _, err := a.api.WaitTask(ctx, task); err != nil && !errors.Is(err, stream.ErrTaskUnknown) {
			return time.Time{}, &Pending{Err: at(stage, err)}
		}
	}
	for try := 1; ; try++ {
		finding, err := a.lookUps.do(ctx, struct{}{}, a.id, struct{}{})
		switch {
		case err != nil:
			return time.Time{}, &Pending{Err: at(stage, err)}
		case effect(finding):
			return finding.At, nil
		case try == verifyTries:
			return time.Time{}, notSeen(stage)
		}
		if err := a.clock.Sleep(ctx, verifyPause); err != nil {
			return time.Time{}, &Pending{Err: at(stage, err)}
		}
	}
}

// release calls the deletion of one subject off. Of a pseudonym nobody can be
// reactivated: the record says that nobody was.
func (a advance[S]) release(ctx context.Context, record Record[S]) (Record[S], error) {
	if err := a.app.Holds(ctx, record.App()); err != nil {
		return record, err
	}
	open, _ := record.restriction()
	released := func() Record[S] {
		open.ReleasedAt = a.now()
		record.Restrictions = append(record.Restrictions[:len(record.Restrictions)-1:len(record.Restrictions)-1], open)
		record.Reverted = false
		return record
	}
	if _, veiled := Unveil(a.id); veiled {
		return released(), nil
	}
	finding, err := a.find(ctx, a.id, always)
	if err != nil {
		return record, err
	}
	if a.o.Stays != nil && a.o.Stays(a.id) || open.Found != FoundPresent || finding.Found != FoundDeactivated {
		return released(), nil
	}
	sent, err := a.toggle(ctx, toggle[S]{release: true}, finding)
	if err != nil {
		return record, err
	}
	if _, err := a.shows(ctx, StageRelease, sent.task, func(f Finding) bool { return f.Found == FoundPresent }); err != nil {
		return record, err
	}
	open.Reactivated, open.ReleaseTaskID = true, sent.task
	return released(), nil
}

// refreshScheduled asks how somebody stands who is to be erased later. Who is found deleted
// stays scheduled: somebody else's deletion proves no modes, and may be taken back.
func (e *Engine[S]) refreshScheduled(ctx context.Context, id string, record Record[S]) (*Record[S], error) {
	finding, err := e.LookUp(ctx, id)
	if err != nil {
		return nil, err
	}
	open, _ := record.restriction()
	switch {
	case finding.Found == FoundPresent && open.VerifiedAt != nil && !record.Reverted:
		record.Reverted = true
	case finding.Found == FoundDeactivated && open.VerifiedAt == nil:
		open.VerifiedAt = &finding.At
		record = record.restrictedBy(open)
	default:
		return nil, nil
	}
	return &record, nil
}

// notSeen is the refusal to go on from a call that has no effect.
func notSeen(stage Stage) *Refusal {
	said := "Stream accepted the call, but a look-up does not show its effect: the user is "
	if stage == StageRelease {
		return &Refusal{Summary: "Reactivation not in force", Detail: said + "still deactivated. The record is kept, and nothing was deleted. Run apply again."}
	}
	return &Refusal{Summary: "Deactivation not in force", Detail: said + "still active. Nothing was deleted, nor will be before it is in force. Run apply again."}
}

// notRestricted is the refusal of somebody who was reactivated before the day.
func notRestricted() *Refusal {
	return &Refusal{
		Lifted: true, Summary: "Not restricted any more",
		Detail: "The erasure was scheduled and is due, but the user is active again, by other means. Nothing was sent. " +
			"Plan again, with a refresh: the next apply restricts the user again, and the period starts anew.",
	}
}
