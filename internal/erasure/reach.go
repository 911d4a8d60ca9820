// Copyright (c) the terraform-provider-streamchat authors
// SPDX-License-Identifier: MPL-2.0

package erasure

import (
	"context"
	"errors"
	"slices"
)

// Reach is whom and what else the deletion of one subject touches.
type Reach struct {
	// Conversations are the cids of the two-member channels that go with a user.
	Conversations []string `json:"conversations,omitempty"`
	// Ending are the cids of channels of more members that this run itself takes for a
	// conversation, in whatever order its deletions go: of their members it erases all but
	// one or none.
	Ending []string `json:"ending,omitempty"`
	// Others are the ids of everybody else whose data goes: the other members of these
	// channels, the members, owner and authors of a channel, the author of a message.
	Others []string `json:"others,omitempty"`
	// Shrinking are the cids of channels of more members of whom this run leaves two or
	// fewer, so that the next erasure takes them for a conversation.
	Shrinking []string `json:"shrinking,omitempty"`
	// Incomplete: there are more others than Stream lists.
	Incomplete bool `json:"incomplete,omitempty"`
	// Channel is the cid of the channel that a message is in; Reactions: it has some, of
	// others too, which go with it.
	Channel   string `json:"-"`
	Reactions bool   `json:"-"`
}

// with joins what is touched.
func (r Reach) with(more Reach) Reach {
	r.Conversations, r.Ending = slices.Concat(r.Conversations, more.Conversations), slices.Concat(r.Ending, more.Ending)
	r.Others, r.Shrinking = slices.Concat(r.Others, more.Others), slices.Concat(r.Shrinking, more.Shrinking)
	r.Incomplete = r.Incomplete || more.Incomplete
	return r
}

// A reacher is a [Deed] that takes other people's data along.
type reacher[S any] interface {
	// Reach tells of up to [MaxSubjects] ids what goes with them; nothing of an id left
	// out.
	Reach(ctx context.Context, ids []string, scope S, run Run) (map[string]Reach, error)
}

// A taker is a [Deed] some of whose scopes take nobody else's data along.
type taker[S any] interface {
	Takes(scope S) bool
}

// takes reports that a scope takes other people's data along.
func (e *Engine[S]) takes(scope S) bool {
	t, ok := e.deed.(taker[S])
	return !ok || t.Takes(scope)
}

// Run is who is erased by this run, as far as it is known by now.
type Run struct {
	// Users is how many users there are.
	Users  int
	Erases func(userID string) bool
	// Takes: the user is erased with their conversations; Taking: somebody is.
	Takes  func(userID string) bool
	Taking bool
	// Guarded: guards want to know of everybody.
	Guarded bool
	// Whole: the question is what would go if the subjects' conversations went too.
	Whole bool
}

type reachKey[S any] struct {
	scope S
	whole bool
}

// Reach looks up what goes with a subject.
func (e *Engine[S]) Reach(ctx context.Context, id string, scope S) (Reach, error) {
	return e.reach(ctx, id, reachKey[S]{scope: scope})
}

// reach looks up what goes with a subject.
func (e *Engine[S]) reach(ctx context.Context, id string, key reachKey[S]) (Reach, error) {
	if _, ok := e.deed.(reacher[S]); !ok {
		return Reach{}, nil
	}
	reach, err := e.reaches.do(ctx, key, id, struct{}{})
	return reach, at(StageReach, err)
}

func (e *Engine[S]) runReach(ctx context.Context, key reachKey[S], members []*member[struct{}, Reach]) {
	ids := make([]string, len(members))
	for i, m := range members {
		ids[i] = m.id
	}
	run := e.ledger.run()
	run.Whole, run.Guarded = key.whole, e.guards.Any()
	var found map[string]Reach
	var err error
	if r, ok := e.deed.(reacher[S]); ok {
		found, err = r.Reach(ctx, slices.Compact(slices.Sorted(slices.Values(ids))), key.scope, run)
	}
	for _, m := range members {
		m.answer(found[m.id], err)
	}
}

// Kept is what a deletion leaves on record, when guards stand, of what a further one under
// the same record takes along: a deletion, also a soft one, ends memberships and hides the
// profile. It names people, so that it is in no receipt.
type Kept struct {
	Reach Reach `json:"reach"`
	// Asked are those of them whom the same run erased, past the guards.
	Asked []string `json:"asked,omitempty"`
	// HoldField and ProtectedRoles are what was asked of the subject itself, who cannot
	// change any more.
	HoldField      string   `json:"hold_field,omitempty"`
	ProtectedRoles []string `json:"protected_roles,omitempty"`
}

// vouches reports that somebody who is hidden now was asked all that the guards ask.
func (k *Kept) vouches(g Guards) bool {
	return k != nil && (g.HoldField == "" || g.HoldField == k.HoldField) &&
		!slices.ContainsFunc(g.ProtectedRoles, func(role string) bool { return !slices.Contains(k.ProtectedRoles, role) })
}

// Kept is what is kept of a batch beside its receipt, by the keys of the records: as long as
// a further deletion could take something along, and never of somebody whose id is not kept
// either, where it would name anybody. veiled: no ids are kept.
func (b Batch[S]) Kept(veiled bool) map[string]Kept {
	all := map[string]Kept{}
	for id, record := range b {
		kept := record.kept()
		if _, covered := Unveil(id); kept == nil || record.Current().Outcome == OutcomeErased || (veiled || covered) && !kept.Reach.nobody() {
			continue
		}
		all[id] = *kept
	}
	return all
}

func (r Reach) nobody() bool {
	return len(r.Conversations)+len(r.Ending)+len(r.Shrinking)+len(r.Others) == 0
}

// Beside gives records back what was kept beside their receipt.
func (b Batch[S]) Beside(kept map[string]Kept, pseudonyms Pseudonyms) {
	for id, record := range b {
		k, ok := kept[id]
		if !ok {
			k, ok = kept[pseudonyms.Key(id)]
		}
		if n := len(record.Attempts); ok && n > 0 {
			record.Attempts = slices.Clone(record.Attempts)
			record.Attempts[n-1].Kept = &k
			b[id] = record
		}
	}
}

// Guarded reports that only a record tells the guards whose data a deletion took along.
func (e *Engine[S]) Guarded() bool { return e.Hides && e.guards.Any() }

// keep looks up what a deletion hides from a later one.
func (e *Engine[S]) keep(ctx context.Context, id string, scope S, f Finding) (*Kept, error) {
	if !e.Hides || !e.guards.Any() || f.Found != FoundPresent && f.Found != FoundDeactivated {
		return f.terms.kept, nil
	}
	kept := &Kept{Reach: f.Reach, HoldField: e.guards.HoldField, ProtectedRoles: e.guards.ProtectedRoles}
	var err error
	if !e.takes(scope) {
		kept.Reach, err = e.reach(ctx, id, reachKey[S]{scope, true})
	}
	for _, other := range kept.Reach.Others {
		if e.ledger.passed(other) {
			kept.Asked = append(kept.Asked, other)
		}
	}
	return kept, err
}

// spare refuses a deletion that takes the data of somebody who is protected or on hold,
// and notes what it takes.
func (e *Engine[S]) spare(ctx context.Context, id string, f *Finding, scope S) error {
	if !e.guards.Any() || f.Found == FoundMissing || f.Found == FoundUnproven {
		return nil
	}
	f.run = e.ledger.version()
	var err error
	if !f.gone { // else what was read of them last stands
		if f.Reach, err = e.reach(ctx, id, reachKey[S]{scope: scope}); err != nil {
			return err
		}
		if f.Found == FoundDeleted && e.Hides && e.takes(scope) {
			switch kept := f.terms.kept; {
			case kept != nil:
				f.Reach = f.Reach.with(kept.Reach)
			case !f.terms.repeats:
				return hidden()
			}
		}
	}
	if f.Reach.Incomplete {
		return &Refusal{
			Summary: cannotCheck,
			Detail: "More people are members of what this deletion takes than Stream lists, so that protected users and holds among them cannot be seen. Nothing was sent. " +
				"Delete it by other means after a look, or take the guards off in a reviewed change.",
		}
	}
	people := slices.Compact(slices.Sorted(slices.Values(f.Reach.Others)))
	_, errs := each(people, func(other string) (struct{}, error) { return struct{}{}, e.spareOne(ctx, other, f.terms.kept) })
	for _, other := range people {
		if err := errs[other]; err != nil {
			return err
		}
	}
	return nil
}

const cannotCheck = "Guards cannot be checked"

// hidden is the refusal of what was deleted before, by whomever.
func hidden() *Refusal {
	return &Refusal{
		Summary: cannotCheck,
		Detail: "This was deleted before, and Stream does not say any more whose data goes with what is left of it, so that protected users and holds among them cannot be seen. Nothing was sent. " +
			"Find out by other means who they are; then take the guards off for this one in a reviewed change (a provider alias without them). If all of it is gone already, import it: that records your claim and sends nothing.",
	}
}

func (e *Engine[S]) spareOne(ctx context.Context, id string, kept *Kept) error {
	err := e.guards.Identity(id)
	if err == nil && e.guards.Look() {
		var finding Finding
		if finding, err = e.people.do(ctx, struct{}{}, id, struct{}{}); err != nil {
			return at(StageReach, err)
		}
		asked := e.ledger.passed(id) || kept.vouches(e.guards) && slices.Contains(kept.Asked, id)
		if finding.hidden() && asked {
			return nil // erased by this run or with the subject, past the guards
		}
		err = e.guards.Finding(finding)
	}
	var refusal *Refusal
	if !errors.As(err, &refusal) {
		return err
	}
	return &Refusal{
		Summary: refusal.Summary + " among those whose data goes too",
		Detail:  "This deletion takes the data of somebody else with it (the other member of a conversation, also of a channel of which this run erases all others; a member, the owner or an author of a channel; the author of the message). About that person: " + refusal.Detail,
	}
}
