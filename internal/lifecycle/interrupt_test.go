// Copyright (c) the terraform-provider-streamchat authors
// SPDX-License-Identifier: MPL-2.0

package lifecycle_test

import (
	"testing"

	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/acctest"
)

// at is a moment of an apply.
type at struct {
	name string
	// when arms a hook.
	when func(w *world, do func())
	// sent: the deletion is at Stream then.
	sent bool
	// tasks: only where there are tasks.
	tasks bool
}

var moments = []at{
	{name: "before the look-up", when: func(w *world, do func()) { w.s.Before("GET /app", 1, do) }},
	{name: "in the plan of the apply", when: func(w *world, do func()) { w.s.After(w.look, 1, do) }},
	{name: "after the look-up", when: func(w *world, do func()) { w.s.After(w.look, 2, do) }},
	{name: "before the call", when: func(w *world, do func()) { w.s.Before(w.call, 1, do) }, sent: true},
	{name: "after the call", when: func(w *world, do func()) { w.s.After(w.call, 1, do) }, sent: true},
	{name: "before a poll", when: func(w *world, do func()) { w.s.Before("GET /tasks/*", 1, do) }, sent: true, tasks: true},
	{name: "after a poll", when: func(w *world, do func()) { w.s.After("GET /tasks/*", 1, do) }, sent: true, tasks: true},
}

// An interrupt saves what was submitted, untainted, with its task; the next run asks
// for the result and sends nothing. Before the call nothing is sent and nothing kept.
func TestInterruptedCreation(t *testing.T) {
	t.Parallel()
	for _, m := range moments {
		t.Run(m.name, func(t *testing.T) {
			each(t, only(func(n noun) bool { return n.task || !m.tasks }), func(w *world) {
				c := w.block(w.hard)
				p := w.plan(c)
				m.when(w, w.Interrupt)
				r := w.Apply(p)
				if !r.Errors.Say("execution halted") {
					w.t.Errorf("it was not interrupted: %s", r.Errors)
				}
				if !m.sent {
					w.none()
					w.once(0)
					w.apply(c)
				} else {
					if !r.Warnings.Say("not finished") {
						w.t.Errorf("%s%s", r.Errors, r.Warnings)
					}
					w.is("submitted", false)
					if task := w.s.Requests(w.op)[0].TaskID; w.task && !w.list && w.get("task_id") != task {
						w.t.Errorf("task %v, want %s", w.get("task_id"), task)
					}
					w.apply(c)
				}
				w.is("completed", false)
				w.once(1)
				w.nothing(c)
			}, nil)
		})
	}
}

// An interrupt of an escalation keeps the modes that Stream accepted.
func TestInterruptedEscalation(t *testing.T) {
	t.Parallel()
	for _, m := range moments {
		t.Run(m.name, func(t *testing.T) {
			of := nouns
			if m.name != "before the call" {
				of = some
			}
			each(t, of, func(w *world) {
				if m.tasks && !w.task {
					return
				}
				w.apply(w.block(w.soft))
				c := w.block(w.hard)
				p := w.plan(c)
				m.when(w, w.Interrupt)
				r := w.Apply(p)
				if !r.Errors.Say("execution halted") {
					w.t.Errorf("it was not interrupted: %s", r.Errors)
				}
				if m.sent {
					w.is("submitted", false)
				} else {
					w.once(1)
					if w.State(w.address).Tainted || w.modes() != "soft" {
						w.t.Errorf("%+v", w.State(w.address))
					}
				}
				w.apply(c)
				w.is("completed", false)
				w.once(2)
				if w.modes() != "hard" || !w.gone(w.s, w.ids[0]) {
					w.t.Errorf("modes %v", w.modes())
				}
				w.nothing(c)
			}, nil)
		})
	}
}

// An interrupt in the middle of a replacement keeps the evidence where its second
// half has begun.
func TestInterruptedReplacement(t *testing.T) {
	t.Parallel()
	for _, m := range moments[:1] {
		t.Run(m.name, func(t *testing.T) {
			each(t, nouns, func(w *world) {
				w.apply(w.block(w.soft))
				c := w.block(w.hard)
				p := w.plan(c, acctest.WithReplace)
				m.when(w, w.Interrupt)
				w.Apply(p)
				record := w.State(w.address)
				if record == nil || w.of(w.ids[0]) != "completed" || w.modes() != "soft" {
					w.t.Fatalf("%+v", record)
				}
				w.apply(c)
				w.is("completed", false)
				w.once(2)
			}, nil)
		})
	}
}

// A provider that is killed loses its answer; the next run finds the subject deleted
// and proves it by one more call.
func TestKilled(t *testing.T) {
	t.Parallel()
	for _, m := range moments {
		t.Run(m.name, func(t *testing.T) {
			each(t, []noun{users, userBatch, truncations}, func(w *world) {
				if m.tasks && !w.task {
					return
				}
				c := w.block(w.hard)
				p := w.plan(c)
				m.when(w, w.Kill)
				if r := w.Apply(p); !r.Errors.Say("Plugin did not respond") {
					w.t.Errorf("it was not killed: %s", r.Errors)
				}
				w.none()
				w.apply(c)
				w.is("completed", false)
				if !w.gone(w.s, w.ids[0]) {
					w.t.Error("it is still there")
				}
				w.nothing(c)
			}, nil)
		})
	}
}

// Of an update the record of before stays.
func TestKilledEscalation(t *testing.T) {
	each(t, nouns, func(w *world) {
		w.apply(w.block(w.soft))
		c := w.block(w.hard)
		p := w.plan(c)
		w.s.After(w.call, 1, w.Kill)
		w.Apply(p)
		w.is("completed", false)
		if w.modes() != "soft" {
			w.t.Errorf("modes %v", w.modes())
		}
		w.apply(c)
		w.is("completed", false)
		if w.modes() != "hard" || !w.gone(w.s, w.ids[0]) {
			w.t.Errorf("modes %v", w.modes())
		}
		w.nothing(c)
	}, nil)
}
