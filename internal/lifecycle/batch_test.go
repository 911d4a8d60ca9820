// Copyright (c) the terraform-provider-streamchat authors
// SPDX-License-Identifier: MPL-2.0

package lifecycle_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/acctest"
	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/emulator"
)

// lastCall is whom the last delete call named.
func (w *world) lastCall() []string {
	calls := w.calls()
	if len(calls) == 0 {
		return nil
	}
	return calls[len(calls)-1]
}

func (w *world) results() map[string]any {
	results, _ := w.get("results").(map[string]any)
	return results
}

// reason is why a subject failed, wherever the batch keeps it.
func (w *world) reason(id string) any {
	if m, ok := w.results()[id].(map[string]any); ok {
		return m["error"]
	}
	return w.get("failures", id)
}

// A batch grows in place: only the new one is sent, and the plan keeps the results of
// the others.
func TestBatchGrows(t *testing.T) {
	each(t, batches, func(w *world) {
		a, b, c := w.ids[0], w.ids[1], w.ids[2]
		w.apply(w.block(w.hard, b, a))
		if got := w.lastCall(); len(got) != 2 {
			w.t.Errorf("sent %v", got)
		}
		w.apply(w.block(w.hard, a, b)) // another order is no work
		w.once(1)
		p := w.plan(w.block(w.hard, c, a, b))
		if p.Action != acctest.Update || p.Get("results", a) == acctest.Unknown || p.Get("results", c) == nil || !p.Warnings.Say("1 of 3 are sent") {
			w.t.Errorf("%s %v: %s", p.Action, p.Get("results"), p.Warnings)
		}
		if r := w.Apply(p); len(r.Errors) > 0 {
			w.t.Fatal(r.Errors)
		}
		w.is("completed", false)
		if got := w.lastCall(); !slices.Equal(got, []string{c}) {
			w.t.Errorf("sent %v", got)
		}
		w.once(2)
		if len(w.results()) != 3 {
			w.t.Errorf("results: %v", w.results())
		}
	}, nil)
}

// One who leaves the list keeps the entry, unless the operator says so.
func TestBatchShrinks(t *testing.T) {
	each(t, batches, func(w *world) {
		a, b := w.ids[0], w.ids[1]
		w.apply(w.block(w.hard, a, b))
		w.s.ResetRequests()
		less := w.block(w.hard, b)
		w.apply(less)
		w.is("completed", false)
		if w.of(a) != "completed" || w.of(b) != "completed" {
			w.t.Errorf("results: %v", w.results())
		}
		w.nothing(less)
		w.apply(with(less, config{"drop_removed_records": true}))
		if w.of(a) != nil || w.of(b) != "completed" {
			w.t.Errorf("results: %v", w.results())
		}
		w.nothing(with(less, config{"drop_removed_records": true}))
		w.quiet("a list that shrinks")
	}, nil)
}

// A list that a query of the living feeds runs empty: the evidence stays.
func TestBatchRunsEmpty(t *testing.T) {
	each(t, batches, func(w *world) {
		w.apply(w.block(w.hard))
		w.s.ResetRequests()
		empty := with(w.block(w.hard), config{w.subject: []string{}})
		w.apply(empty)
		w.is("completed", false)
		if w.of(w.ids[0]) != "completed" {
			w.t.Errorf("results: %v", w.results())
		}
		w.nothing(empty)
		w.quiet("a list that runs empty")
	}, nil)
}

// Who fails does not take the others down; the others are not sent again, through
// the taint or without it.
func TestBatchPartialFailure(t *testing.T) {
	t.Parallel()
	for _, untaint := range []bool{false, true} {
		t.Run(fmt.Sprint("untaint ", untaint), func(t *testing.T) {
			each(t, batches, func(w *world) {
				a, b, c := w.ids[0], w.ids[1], w.ids[2]
				w.fault(emulator.Fault{Kind: emulator.FaultFailUser, UserID: b, Error: "canary-4711"})
				w.Secret("canary-4711")
				all := w.block(w.hard, a, b, c)
				r := w.fails("Deletion failed at Stream", all)
				if !r.Errors.Say(fmt.Sprintf("1 of 3: %s[1]", w.subject)) {
					w.t.Errorf("errors: %s", r.Errors)
				}
				w.is("failed", true)
				if w.of(a) != "completed" || w.of(b) != "failed" || w.of(c) != "completed" || w.reason(b) == nil || strings.Contains(fmt.Sprint(w.reason(b)), "canary") {
					w.t.Errorf("results: %v", w.results())
				}
				if untaint {
					w.Untaint(w.address)
					if p := w.plan(all); p.Action != acctest.Update {
						w.t.Errorf("%s", p.Action)
					}
				}
				w.apply(all)
				w.is("completed", false)
				if got := w.lastCall(); !slices.Equal(got, []string{b}) || w.of(c) != "completed" {
					w.t.Errorf("sent %v, results %v", got, w.results())
				}
				w.once(2)
				w.nothing(all)
			}, nil)
		})
	}
}

// One who leaves while the batch is tainted keeps the evidence too.
func TestBatchShrinksWhileTainted(t *testing.T) {
	each(t, batches, func(w *world) {
		a, b, c := w.ids[0], w.ids[1], w.ids[2]
		w.fault(emulator.Fault{Kind: emulator.FaultFailUser, UserID: b})
		w.fails("Deletion failed at Stream", w.block(w.hard, a, b, c))
		w.apply(w.block(w.hard, a, b))
		w.is("completed", false)
		if got := w.lastCall(); !slices.Equal(got, []string{b}) || w.of(c) != "completed" {
			w.t.Errorf("sent %v, results %v", got, w.results())
		}
	}, nil)
}

// At its deadline a batch returns what is known, the rest pending; the next apply
// goes on and sends nobody twice.
func TestBatchAtItsDeadline(t *testing.T) {
	t.Parallel()
	acctest.Bubble(t, func(t *testing.T) {
		w := newWorld(t, userBatch, config{"delete_calls_per_minute": 1, "max_erasures": 200}, func(o *emulator.Options) { o.TaskDelay = 50 * time.Second })
		ids := make([]string, 110)
		for i := range ids {
			ids[i] = fmt.Sprintf("leaver-%03d", i)
		}
		w.s.Users(t, ids...)
		c := w.block(with(w.hard, config{"timeouts": config{"create": "30s", "update": "70s"}}), ids...)
		p := w.plan(c)
		if !p.Warnings.Say("at least 1m0s") {
			t.Errorf("warnings: %s", p.Warnings)
		}
		if r := w.Apply(p); len(r.Errors) > 0 || !r.Warnings.Say("110 of 110 subjects are not finished") {
			t.Errorf("%s%s", r.Errors, r.Warnings)
		}
		w.is("submitted", false)
		counts := map[any]int{}
		for _, entry := range w.results() {
			counts[word(entry)]++
		}
		if counts["submitted"] != 100 || counts["pending"] != 10 {
			t.Errorf("counts %v", counts)
		}
		for range 4 {
			w.apply(c)
		}
		w.is("completed", false)
		w.nothing(c)
		w.once(2)
		if a, b := len(w.calls()[0]), len(w.calls()[1]); a+b != 110 {
			t.Errorf("calls of %d and %d", a, b)
		}
	})
}

// A hundred and fifty fit into two calls; one more later is one more.
func TestBatchChunks(t *testing.T) {
	t.Parallel()
	acctest.Bubble(t, func(t *testing.T) {
		w := newWorld(t, userBatch, config{"max_erasures": 1000})
		ids := make([]string, 151)
		for i := range ids {
			ids[i] = fmt.Sprintf("leaver-%03d", i)
		}
		w.s.Users(t, ids...)
		w.apply(w.block(w.hard, ids[:150]...))
		w.once(2)
		w.apply(w.block(w.hard, ids...))
		w.once(3)
		if got := w.lastCall(); !slices.Equal(got, ids[150:]) {
			t.Errorf("sent %v", got)
		}
	})
}

// An escalation that does not get to everybody is not told as one.
func TestBatchEscalationThatFailsForOne(t *testing.T) {
	each(t, batches, func(w *world) {
		a, b := w.ids[0], w.ids[1]
		w.apply(w.block(w.soft, a, b))
		w.fault(emulator.Fault{Kind: emulator.FaultFailUser, UserID: b})
		w.fails("Deletion failed at Stream", w.block(w.hard, a, b))
		w.is("failed", false)
		if w.modes() != "soft" || w.get("irreversible") != true || w.of(a) != "completed" || w.of(b) != "failed" {
			w.t.Errorf("modes %v, irreversible %v, results %v", w.modes(), w.get("irreversible"), w.results())
		}
		w.apply(w.block(w.hard, a, b))
		w.is("completed", false)
		if got := w.lastCall(); !slices.Equal(got, []string{b}) || w.modes() != "hard" {
			w.t.Errorf("sent %v, modes %v", got, w.modes())
		}
		w.nothing(w.block(w.hard, a, b))
	}, nil)
}

// The same at a deadline: some have it, the others wait for the next apply.
func TestBatchEscalationAtItsDeadline(t *testing.T) {
	t.Parallel()
	acctest.Bubble(t, func(t *testing.T) {
		w := newWorld(t, userBatch, config{"delete_calls_per_minute": 1, "max_erasures": 200}, func(o *emulator.Options) { o.TaskDelay = -1 })
		ids := make([]string, 104)
		for i := range ids {
			ids[i] = fmt.Sprintf("leaver-%03d", i)
		}
		w.s.Users(t, ids...)
		w.apply(w.block(w.soft, ids...))
		w.s.ResetRequests()
		w.fails("Escalation not finished", w.block(with(w.hard, config{"timeouts": config{"update": "30s"}}), ids...))
		w.is("submitted", false)
		if w.modes() != "soft" || w.get("irreversible") != true {
			t.Errorf("modes %v, irreversible %v", w.modes(), w.get("irreversible"))
		}
		w.apply(w.block(w.hard, ids...))
		w.is("completed", false)
		w.once(2)
		if a, b := len(w.calls()[0]), len(w.calls()[1]); a != 100 || b != 4 || w.modes() != "hard" {
			t.Errorf("calls of %d and %d, modes %v", a, b, w.modes())
		}
	})
}

// A batch that is asked for less through a taint keeps what it knows.
func TestBatchCannotBeLoweredThroughATaint(t *testing.T) {
	each(t, batches, func(w *world) {
		a, b := w.ids[0], w.ids[1]
		w.fault(emulator.Fault{Kind: emulator.FaultFailUser, UserID: b})
		w.fails("Deletion failed at Stream", w.block(w.hard, a, b))
		w.refused("A deletion cannot be taken back", w.block(w.soft, a, b))
		w.Run(acctest.Change{Address: w.address, Config: w.block(w.soft, a, b), NoRefresh: true})
		if w.modes() != "hard" || w.of(a) != "completed" || w.of(b) != "failed" {
			w.t.Errorf("modes %v, results %v", w.modes(), w.results())
		}
		w.once(1)
	}, nil)
}

func TestBatchRefusals(t *testing.T) {
	each(t, batches, func(w *world) {
		many := make([]string, 1001)
		for i := range many {
			many[i] = fmt.Sprintf("%s%d", w.ids[0], i)
		}
		w.refused("at most 1000", w.block(w.hard, many...))
		w.refused("The same subject twice", w.block(w.hard, w.ids[0], w.ids[1], w.ids[0]))
		w.refused(fmt.Sprintf("1 of 2: %s[1]", w.subject), w.block(w.hard, w.ids[0], w.ghost))
		w.refused("Subject not known in the plan", with(w.block(w.hard), config{w.subject: acctest.Unknown}))
		w.refused("Subject not known in the plan", with(w.block(w.hard), config{w.subject: []any{w.ids[0], acctest.Unknown}}))
		w.refused("cannot be imported", w.block(w.hard), acctest.ImportID(w.ids[0]))
	}, nil)
}

// Everybody who could be restored is.
func TestBatchRestores(t *testing.T) {
	t.Parallel()
	acctest.Bubble(t, func(t *testing.T) {
		w := newWorld(t, userBatch, nil)
		w.apply(w.block(with(w.soft, config{"on_destroy": "restore", "on_missing": "record"}), w.ids[0], w.ids[1], w.ghost))
		w.is("completed", false)
		w.apply(nil)
		for _, id := range w.ids[:2] {
			if u, _ := w.s.User(id); u.Deleted {
				t.Errorf("%s is not back", id)
			}
		}
		for _, r := range w.s.Requests("RestoreUsers") {
			if slices.Contains(r.UserIDs, w.ghost) {
				t.Errorf("restored: %v", r.UserIDs)
			}
		}
	})
}
