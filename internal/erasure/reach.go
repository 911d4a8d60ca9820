// Copyright (c) the terraform-provider-streamchat authors
// SPDX-License-Identifier: MPL-2.0

package erasure

import (
	"context"
	"slices"
)

// Reach is whom and what else the deletion of one subject touches.
type Reach struct {
	// Conversations are the cids of the two-member channels that go with a user.
	Conversations []string
	// Others are the ids of other people whose data goes: the other members of the
	// conversations, the members of a channel, the author of a message.
	Others []string
	// Shrinking are the cids of channels of more members of whom this run leaves two or
	// fewer, so that the next erasure takes them for a conversation.
	Shrinking []string
	// Incomplete: there are more others than Stream lists.
	Incomplete bool
	// Channel is the cid of the channel that a message is in; Reactions: it has some, of
	// others too, which go with it.
	Channel   string
	Reactions bool
}

// A reacher is a [Deed] that takes other people's data along.
type reacher[S any] interface {
	// Reach tells of up to [MaxSubjects] ids what goes with them; nothing of an id left
	// out. leaves says who else is erased by this run, up to how many.
	Reach(ctx context.Context, ids []string, scope S, run Run) (map[string]Reach, error)
}

// Run is who is erased by this run.
type Run struct {
	// Users is how many users there are.
	Users  int
	Erases func(userID string) bool
}

type reachKey[S any] struct {
	scope S
	plan  bool
}

// Reach looks up what goes with a subject.
func (e *Engine[S]) Reach(ctx context.Context, id string, scope S) (Reach, error) {
	return e.reach(ctx, id, scope, false)
}

// reach looks up what goes with a subject, in a plan also what the run as a whole leaves.
func (e *Engine[S]) reach(ctx context.Context, id string, scope S, plan bool) (Reach, error) {
	if _, ok := e.deed.(reacher[S]); !ok {
		return Reach{}, nil
	}
	reach, err := e.reaches.do(ctx, reachKey[S]{scope, plan}, id, struct{}{})
	return reach, at(StageReach, err)
}

func (e *Engine[S]) runReach(ctx context.Context, key reachKey[S], members []*member[struct{}, Reach]) {
	ids := make([]string, len(members))
	for i, m := range members {
		ids[i] = m.id
	}
	run := Run{Erases: func(id string) bool { return slices.Contains(ids, id) }}
	if key.plan {
		run = e.ledger.users()
	}
	var found map[string]Reach
	var err error
	if r, ok := e.deed.(reacher[S]); ok {
		found, err = r.Reach(ctx, slices.Compact(slices.Sorted(slices.Values(ids))), key.scope, run)
	}
	for _, m := range members {
		m.answer(found[m.id], err)
	}
}

// spare refuses a deletion that takes the data of somebody who is protected or on hold.
func (e *Engine[S]) spare(ctx context.Context, id string, scope S) error {
	if !e.guards.Any() {
		return nil
	}
	reach, err := e.reach(ctx, id, scope, false)
	if err != nil {
		return err
	}
	if reach.Incomplete {
		return &Refusal{
			Summary: "Guards cannot be checked",
			Detail: "More people are members of what this deletion takes than Stream lists, so that protected users and holds among them cannot be seen. Nothing was sent. " +
				"Delete it by other means after a look, or take the guards off in a reviewed change.",
		}
	}
	_, errs := each(reach.Others, func(other string) (struct{}, error) { return struct{}{}, e.spareOne(ctx, other) })
	for _, err := range errs {
		return err
	}
	return nil
}

func (e *Engine[S]) spareOne(ctx context.Context, id string) error {
	err := e.guards.Identity(id)
	if err == nil && e.guards.Look() {
		var finding Finding
		if finding, err = e.people.do(ctx, struct{}{}, id, struct{}{}); err != nil {
			return at(StageReach, err)
		}
		err = e.guards.Finding(finding)
	}
	refusal, ok := err.(*Refusal) //nolint:errorlint // the guards return nothing else
	if !ok {
		return err
	}
	return &Refusal{
		Summary: refusal.Summary + " among those whose data goes too",
		Detail:  "This deletion takes the data of somebody else with it (the other member of a conversation, a member of the channel, the author of the message). About that person: " + refusal.Detail,
	}
}
