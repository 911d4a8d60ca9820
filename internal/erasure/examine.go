// Copyright (c) the terraform-provider-streamchat authors
// SPDX-License-Identifier: MPL-2.0

package erasure

import (
	"context"
)

// LookUp finds a subject and does nothing else, past the wrong-app guard. One
// that Stream's query leaves out is [FoundUnproven].
func (e *Engine[S]) LookUp(ctx context.Context, id string) (Finding, error) {
	if _, err := e.app.Open(ctx); err != nil {
		return Finding{}, err
	}
	finding, err := e.lookUps.do(ctx, struct{}{}, id, struct{}{})
	return finding, at(StageLookUp, err)
}

// preview examines a subject for a plan. When the plan's budget of probes is
// used up, a subject that the look-up leaves out comes back as [FoundUnproven];
// the apply proves it.
func (e *Engine[S]) preview(ctx context.Context, id string, scope S, record Record[S], o Options) (Finding, error) {
	finding, err := e.examine(ctx, id, scope, record, o, e.ledger.spendProbe)
	if err == nil && finding.Found == FoundMissing && !o.RecordMissing {
		err = e.missing()
	}
	if err == nil && e.Kind == kindUser && finding.Found != FoundMissing && !e.guards.Any() {
		finding.Reach, err = e.reach(ctx, id, reachKey[S]{scope: scope})
	}
	return finding, err
}

// examine runs the guards around a look-up. Where Stream forgets what it deleted,
// the record remembers.
func (e *Engine[S]) examine(ctx context.Context, id string, scope S, record Record[S], o Options, mayProbe func() bool) (Finding, error) {
	if err := e.guards.Identity(id); err != nil {
		return Finding{}, err
	}
	if err := e.ledger.Erase(e.Kind, id, record.Anew(scope) || record.Reverted && len(record.Attempts) > 0); err != nil {
		return Finding{}, err
	}
	if e.Kind == kindUser {
		e.ledger.leave(id, e.takes(scope))
	}
	if err := e.app.Holds(ctx, record.App()); err != nil {
		return Finding{}, err
	}
	finding, err := e.find(ctx, id, mayProbe)
	if err != nil {
		return Finding{}, err
	}
	if finding.Found == FoundMissing && e.Forgets && record.Sent() {
		finding.Found = FoundDeleted
	}
	if c, ok := e.deed.(checker[S]); ok {
		if err := c.Check(finding, scope); err != nil {
			return Finding{}, err
		}
	}
	finding.terms = terms{
		Conditions: o.Conditions, begun: record.Begun(), kept: record.kept(), repeats: record.repeats(scope),
		restricted: o.Grace > 0 && record.Scheduled() && record.Next(true, scope, e.Timing(o.Grace)) == Send,
	}
	return finding, e.admit(ctx, id, &finding, scope)
}

// admit runs the guards that need a look-up, and notes what goes along. Only people are
// asked what the guards want to know of people.
func (e *Engine[S]) admit(ctx context.Context, id string, finding *Finding, scope S) error {
	if e.Kind == kindUser && !finding.vouched(e.guards) {
		if err := e.guards.Finding(*finding); err != nil {
			return err
		}
	}
	if err := finding.terms.check(*finding); err != nil {
		return err
	}
	if err := e.checkNewOwners(ctx, id, scope); err != nil {
		return err
	}
	if err := e.spare(ctx, id, finding, scope); err != nil {
		return err
	}
	if e.Kind == kindUser {
		e.ledger.pass(id)
	}
	return nil
}

// vouched reports that somebody who is hidden was asked before: by this record, ahead of a
// deletion that hid them or that is repeated. Whom the probes of a plan do not reach the
// apply asks.
func (f Finding) vouched(g Guards) bool {
	return f.hidden() && (f.Found == FoundUnproven || f.terms.repeats || f.terms.kept.vouches(g))
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

// checkNewOwners refuses a new owner who is not there, or not for long: one whom
// this run erases.
func (e *Engine[S]) checkNewOwners(ctx context.Context, id string, scope S) error {
	for _, owner := range scope.NewOwners() {
		if owner.ID == id {
			return &Refusal{Field: owner.Field, Summary: "New owner is the erased user", Detail: "The new owner must be somebody else than the user to erase. Nothing was sent."}
		}
		if err := e.ledger.Inherit(e.Kind, owner); err != nil {
			return err
		}
		finding, err := e.lookUps.do(ctx, struct{}{}, owner.ID, struct{}{})
		if err != nil {
			return at(StageLookUp, err)
		}
		if finding.Found != FoundPresent {
			return &Refusal{Field: owner.Field, Summary: "New owner not found", Detail: "Stream has no active user with the id of the new owner. Nothing was sent. Name an existing, active user."}
		}
	}
	return nil
}

type lookUps func(ctx context.Context, _ struct{}, members []*member[struct{}, Finding])

// runLookUps answers many look-ups by one.
func (e *Engine[S]) runLookUps(lookUp func(context.Context, []string) (map[string]Finding, error)) lookUps {
	return func(ctx context.Context, _ struct{}, members []*member[struct{}, Finding]) {
		ids := make([]string, 0, len(members))
		seen := map[string]bool{}
		for _, m := range members {
			if !seen[m.id] {
				seen[m.id] = true
				ids = append(ids, m.id)
			}
		}
		found, err := lookUp(ctx, ids)
		at := *e.now()
		for _, m := range members {
			finding := found[m.id]
			finding.At = at
			m.answer(finding, err)
		}
	}
}

// Prove finds a subject like [Engine.LookUp] and probes one that the query
// leaves out, so that it is never [FoundUnproven]: for what has to know whether
// somebody was deleted or never existed. The guards of erasures do not apply.
func (e *Engine[S]) Prove(ctx context.Context, id string) (Finding, error) {
	finding, err := e.LookUp(ctx, id)
	if err != nil || finding.Found != FoundUnproven {
		return finding, err
	}
	finding, err = e.deed.Probe(ctx, id)
	return finding, at(StageProbe, err)
}

// missing is the refusal of a subject that is not there.
func (e *Engine[S]) missing() *Refusal {
	advice := "Check the spelling; "
	if e.Forgets {
		advice = "Check the spelling. If it was deleted by other means or by an interrupted run, import it; "
	}
	return &Refusal{Missing: true, Summary: "Subject not found", Detail: e.Absence + " Nothing was sent. " +
		advice + "if the record of a search without a result is what you want, set on_missing = \"record\"."}
}
