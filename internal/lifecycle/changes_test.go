// Copyright (c) the terraform-provider-streamchat authors
// SPDX-License-Identifier: MPL-2.0

package lifecycle_test

import (
	"maps"
	"strings"
	"testing"
	"time"

	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/acctest"
	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/emulator"
)

// Further modes are one more call, in place, and the record keeps the earlier one.
func TestEscalation(t *testing.T) {
	each(t, nouns, func(w *world) {
		steps := []config{w.soft, w.hard}
		if w.op == users.op {
			steps = []config{w.soft, userPruning, w.hard}
		}
		outcomes := map[int]string{2: "marked_deleted", 3: "pruned"}
		for i, modes := range steps {
			p := w.plan(w.block(modes))
			want := acctest.Update
			if i == 0 {
				want = acctest.Create
			}
			last := i == len(steps)-1
			if p.Action != want || p.Get("irreversible") != (i > 0) {
				w.t.Errorf("step %d is to %s, irreversible %v", i, p.Action, p.Get("irreversible"))
			}
			if i > 0 && !p.Warnings.Say("Irreversible deletion") {
				w.t.Errorf("step %d warns: %s", i, p.Warnings)
			}
			if r := w.Apply(p); len(r.Errors) > 0 {
				w.t.Fatal(r.Errors)
			}
			w.is("completed", false)
			w.once(i + 1)
			if w.gone(w.s, w.ids[0]) != last {
				w.t.Errorf("gone after step %d: %v", i, !last)
			}
			if last {
				break
			}
			if got := w.get("outcome"); !w.list && got != outcomes[i+2] {
				w.t.Errorf("outcome %v", got)
			}
			w.nothing(w.block(modes))
		}
		if got := w.get("outcome"); !w.list && got != "erased" {
			w.t.Errorf("outcome %v", got)
		}
		if n := strings.Count(w.receipt(), `"submitted_at"`); n < len(steps) {
			w.t.Errorf("%d attempts in the receipt: %s", n, w.receipt())
		}
		w.nothing(w.block(w.hard))
	}, nil)
}

// A failed escalation is an error that is saved, untainted, with the modes that
// Stream accepted; the next apply sends it again.
func TestFailedEscalation(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		fault emulator.Fault
		says  string
		tasks bool
		kept  string // the status of the record then
	}{
		"500":             {fault: emulator.Fault{Kind: emulator.Fault500, Times: forever}, says: "Stream's server failed", kept: "failed"},
		"dropped":         {fault: emulator.Fault{Kind: emulator.FaultDropAfter, Times: forever}, says: "Stream could not be reached", kept: "failed"},
		"failing subject": {fault: emulator.Fault{Kind: emulator.FaultFailUser}, says: "Deletion failed at Stream", tasks: true, kept: "failed"},
		"failing task":    {fault: emulator.Fault{Kind: emulator.FaultFailTask}, says: "Deletion failed at Stream", tasks: true, kept: "failed"},
		"redirect":        {fault: emulator.Fault{Kind: emulator.FaultRedirect301}, says: "Stream's address redirects", kept: "failed"},
		"look-up fails":   {fault: emulator.Fault{Op: "look-up", Kind: emulator.Fault500, Times: forever}, says: "Stream's server failed", kept: "completed"},
	} {
		t.Run(name, func(t *testing.T) {
			of := some
			if tt.tasks {
				of = only(func(n noun) bool { return n.task })
			} else if name == "500" {
				of = nouns
			}
			each(t, of, func(w *world) {
				w.apply(w.block(w.soft))
				soft, hard := w.block(w.soft), w.block(w.hard)
				p := w.plan(hard)
				f := tt.fault
				if f.Op == "look-up" {
					f.Op = w.lookUp
				}
				w.fault(f)
				if r := w.Apply(p); !r.Errors.Say(tt.says) {
					w.t.Errorf("it does not say %q: %s", tt.says, r.Errors)
				}
				w.is(tt.kept, false)
				if w.modes() != "soft" || w.get("irreversible") != false {
					w.t.Errorf("modes %v, irreversible %v", w.modes(), w.get("irreversible"))
				}
				w.s.ClearFaults()
				if p := w.plan(soft, acctest.NoRefresh); tt.kept == "failed" && p.Action != acctest.Update {
					w.t.Errorf("back to soft is to %s", p.Action)
				}
				w.apply(hard)
				w.is("completed", false)
				if w.modes() != "hard" || w.get("irreversible") != true || !w.gone(w.s, w.ids[0]) {
					w.t.Errorf("modes %v, gone %v", w.modes(), w.gone(w.s, w.ids[0]))
				}
				w.nothing(hard)
			}, impatient)
		})
	}
}

// While the earlier call is under way, a further one is not sent.
func TestEscalationOfWhatIsUnderWay(t *testing.T) {
	each(t, only(func(n noun) bool { return n.task }), func(w *world) {
		w.submitted(w.soft)
		hard := w.block(with(w.hard, config{"timeouts": config{"update": "1m"}}))
		p := w.plan(hard)
		r := w.Apply(p)
		w.once(0)
		if w.list {
			if !r.Errors.Say("Escalation not finished") {
				w.t.Errorf("%s%s", r.Errors, r.Warnings)
			}
		} else if !r.Errors.Say("Earlier deletion still under way") {
			w.t.Errorf("%s%s", r.Errors, r.Warnings)
		}
		w.is("submitted", false)
		if w.modes() != "soft" {
			w.t.Errorf("modes %v", w.modes())
		}
		w.apply(w.block(with(w.hard, config{"timeouts": config{"update": "4h"}})))
		w.is("completed", false)
		w.once(1)
		if w.modes() != "hard" || !w.gone(w.s, w.ids[0]) {
			w.t.Errorf("modes %v", w.modes())
		}
	}, nil, slowTasks)
}

// Less than was done, another subject, another option of the call: errors of the
// plan, refreshed or not.
func TestRefusedChanges(t *testing.T) {
	each(t, nouns, func(w *world) {
		first := w.block(w.hard)
		if w.other != nil {
			first = with(first, w.other[0])
		}
		w.apply(first)
		receipt := w.receipt()
		for _, options := range [][]acctest.Option{nil, {acctest.NoRefresh}, {acctest.WithReplace}} {
			w.refused("A deletion cannot be taken back", with(first, w.soft), options...)
			if !w.list {
				says := "The subject of a record cannot change"
				if w.veiled {
					says = "Another person"
				}
				w.refused(says, with(first, config{w.subject: w.ids[1]}), options...)
			}
			if w.other != nil {
				w.refused("Option of a deletion that was already sent", with(first, w.other[1]), options...)
			}
		}
		if w.op == users.op {
			w.refused("A deletion cannot be taken back", with(first, userPruning))
			w.refused("Option of a deletion that was already sent", with(first, config{"revoke_tokens": true}))
			w.refused("A deletion cannot be taken back", with(first, config{"delete": config{"user": "hard", "files": false}}))
		}
		w.Taint(w.address)
		w.refused("A deletion cannot be taken back", with(first, w.soft))
		if r := w.Run(acctest.Change{Address: w.address, Config: with(first, w.soft), NoRefresh: true}); len(r.Errors) == 0 {
			w.t.Error("it can, through a taint and without a refresh")
		}
		if w.receipt() != receipt || w.modes() != "hard" {
			w.t.Errorf("the record after refused changes: %s", w.receipt())
		}
		w.once(1)
	}, nil)
}

// With a further mode another option may come along: it belongs to the new call.
func TestOptionOfAnEscalation(t *testing.T) {
	each(t, only(func(n noun) bool { return n.other != nil }), func(w *world) {
		w.apply(with(w.block(w.soft), w.other[0]))
		w.apply(with(w.block(w.hard), w.other[1]))
		w.is("completed", false)
		w.once(2)
		w.nothing(with(w.block(w.hard), w.other[1]))
	}, nil)
}

// A replacement goes on from what the record knew: a task is polled, a failure sent
// again, a completed one kept, and nothing is restored in between.
func TestReplacementOfWhatIsUnderWay(t *testing.T) {
	each(t, only(func(n noun) bool { return n.task }), func(w *world) {
		w.submitted(w.hard)
		c := w.block(with(w.hard, config{"timeouts": config{"create": "2h"}}))
		p := w.plan(c, acctest.WithReplace)
		if p.Action != acctest.Replace {
			w.t.Errorf("%s", p.Action)
		}
		if r := w.Apply(p); len(r.Errors) > 0 {
			w.t.Fatal(r.Errors)
		}
		w.is("completed", false)
		w.once(0)
		w.nothing(c)
	}, nil, slowTasks)
}

func TestReplacementOfATaintedOneUnderWay(t *testing.T) {
	each(t, only(func(n noun) bool { return n.task }), func(w *world) {
		w.submitted(w.hard)
		w.Taint(w.address)
		c := w.block(with(w.hard, config{"timeouts": config{"create": "1m"}}))
		w.apply(c) // times out again: submitted, and no longer tainted
		w.is("submitted", false)
		w.once(0)
		time.Sleep(2 * time.Hour)
		w.Taint(w.address)
		if w.forgets {
			// Terraform shows the record of a tainted resource to nobody but a refresh.
			w.refused("Subject not found", c, acctest.NoRefresh)
			w.apply(c)
		} else {
			w.apply(c, acctest.NoRefresh)
		}
		w.is("completed", false)
		w.once(0)
	}, nil, slowTasks)
}

// A replacement that reaches further sends that, once.
func TestReplacementWithAnEscalation(t *testing.T) {
	each(t, nouns, func(w *world) {
		w.apply(w.block(w.soft))
		w.apply(w.block(w.hard), acctest.WithReplace)
		w.is("completed", false)
		w.once(2)
		if !w.gone(w.s, w.ids[0]) {
			w.t.Error("it is still there")
		}
	}, nil)
}

// A replacement of which either half fails keeps what was known: the first, when it cannot
// read whose app this is, the record itself.
func TestReplacementThatFailsKeepsTheRecord(t *testing.T) {
	t.Parallel()
	for name, first := range map[string]bool{"first half": true, "second half": false} {
		t.Run(name, func(t *testing.T) {
			each(t, nouns, func(w *world) {
				w.apply(w.block(w.soft))
				receipt := w.receipt()
				p := w.plan(w.block(w.hard), acctest.WithReplace)
				op := w.lookUp
				if first {
					op = "GetApp"
				}
				w.fault(emulator.Fault{Op: op, Kind: emulator.Fault500, Times: forever})
				if r := w.Apply(p); len(r.Errors) == 0 {
					w.t.Error("no error")
				}
				record := w.State(w.address)
				if record == nil || record.Tainted == first || w.modes() != "soft" || !w.list && w.receipt() != receipt || w.of(w.ids[0]) != "completed" {
					w.t.Fatalf("the record: %+v", record)
				}
				w.once(1)
				w.s.ClearFaults()
				w.apply(w.block(w.hard))
				w.is("completed", false)
				w.once(2)
			}, impatient)
		})
	}
}

// With create_before_destroy the newer record is made first, by somebody who has not
// seen the older one: repeated, which does no harm, and nothing is undone. Where
// Stream forgets, the apply refuses and the record stays.
func TestCreateBeforeDestroy(t *testing.T) {
	each(t, only(func(n noun) bool { return n.name != "truncation" }), func(w *world) {
		c := w.block(w.soft)
		if w.op == users.op && !w.veiled {
			c["on_destroy"] = "restore"
		}
		w.apply(c)
		r := w.Apply(w.plan(c, acctest.WithReplace, acctest.CreateBeforeDestroy))
		if unseen := w.op == channels.op; r.Errors.Say("Subject not found") != unseen || len(r.Errors) > 0 != unseen {
			w.t.Errorf("errors: %s", r.Errors)
		}
		w.is("completed", false)
		if w.State(w.address).Deposed || w.s.Count("RestoreUsers") != 0 {
			w.t.Errorf("restored: %s", r.Warnings)
		}
		if u, ok := w.s.User(w.ids[0]); ok && !u.Deleted {
			w.t.Error("the user is back")
		}
	}, nil)
}

// A subject that is back after a soft deletion is drift: the next apply deletes it
// again.
func TestReverted(t *testing.T) {
	each(t, only(func(n noun) bool { return n.back != nil }), func(w *world) {
		c := w.block(w.soft)
		w.apply(c)
		w.nothing(c)
		w.back(w.t, w.s, w.ids[0])
		if !w.veiled { // only a plan knows whom to look up
			w.nothing(c, acctest.NoRefresh)
		}
		p := w.plan(c)
		if p.Action != acctest.Update || p.Get("status") != acctest.Unknown || !w.list && !p.Warnings.Say("Deleted again") {
			w.t.Errorf("%s: %s", p.Action, p.Warnings)
		}
		if r := w.Apply(p); len(r.Errors) > 0 {
			w.t.Fatal(r.Errors)
		}
		w.is("completed", false)
		w.once(2)
		w.nothing(c)
	}, nil)
}

// Who is back is sent again by a replacement too.
func TestRevertedThenReplaced(t *testing.T) {
	each(t, only(func(n noun) bool { return n.back != nil }), func(w *world) {
		c := w.block(w.soft)
		w.apply(c)
		w.back(w.t, w.s, w.ids[0])
		w.apply(c, acctest.WithReplace)
		w.is("completed", false)
		w.once(2)
		w.nothing(c)
	}, nil)
}

// Destroying forgets, and says when something is still under way.
func TestDestroyOfWhatIsUnderWay(t *testing.T) {
	each(t, only(func(n noun) bool { return n.task }), func(w *world) {
		w.submitted(w.hard)
		p := w.plan(nil)
		if !p.Warnings.Say("Destroying forgets the record") || !p.Warnings.Say("still under way") {
			w.t.Errorf("the plan warns: %s", p.Warnings)
		}
		if r := w.Apply(p); len(r.Errors) > 0 || !r.Warnings.Say("Record removed") || !r.Warnings.Say("still under way") {
			w.t.Errorf("%s%s", r.Errors, r.Warnings)
		}
		w.none()
		w.once(0)
	}, nil, slowTasks)
}

var restoring = config{"on_destroy": "restore"}

// on_destroy = "restore" brings a restorable user back, and only a real destroy does.
func TestRestore(t *testing.T) {
	each(t, []noun{users, userBatch}, func(w *world) {
		c := w.block(with(w.soft, restoring))
		w.refused("Nothing to restore", w.block(with(w.hard, restoring)))
		w.apply(c)
		w.apply(c, acctest.WithReplace)
		w.Taint(w.address)
		w.apply(c)
		if n := w.s.Count("RestoreUsers"); n != 0 {
			w.t.Errorf("%d restores in the middle of replacements", n)
		}
		w.once(1)
		p := w.plan(nil)
		if !p.Warnings.Say("asks Stream to bring the user back") {
			w.t.Errorf("the plan warns: %s", p.Warnings)
		}
		if r := w.Apply(p); len(r.Errors) > 0 || !r.Warnings.Say("User restored") {
			w.t.Errorf("%s%s", r.Errors, r.Warnings)
		}
		w.none()
		if u, _ := w.s.User(w.ids[0]); u.Deleted {
			w.t.Error("the user is not back")
		}
	}, nil)
}

// A restore that failed keeps the record and leaves no trace that a later
// replacement could take for a destroy.
func TestFailedRestoreIsForgotten(t *testing.T) {
	each(t, []noun{users, userBatch}, func(w *world) {
		c := w.block(with(w.soft, restoring))
		w.apply(c)
		w.fault(emulator.Fault{Op: "RestoreUsers", Kind: emulator.Fault500, Times: forever})
		w.fails("Stream's server failed", nil)
		w.is("completed", false)
		w.s.ClearFaults()
		w.s.ResetRequests()
		w.apply(c, acctest.WithReplace)
		if w.s.Count("RestoreUsers") != 0 || w.sent() != 0 {
			w.t.Errorf("a replacement made %d restores and %d deletions", w.s.Count("RestoreUsers"), w.sent())
		}
		w.apply(nil)
		if u, _ := w.s.User(w.ids[0]); u.Deleted {
			w.t.Error("the user is not back")
		}
	}, impatient)
}

// A destroy that was planned and not applied leaves no trace either.
func TestPlannedDestroyLeavesNoTrace(t *testing.T) {
	each(t, []noun{users, userBatch}, func(w *world) {
		c := w.block(with(w.soft, restoring))
		w.apply(c)
		w.plan(nil)
		w.apply(c, acctest.WithReplace)
		if w.s.Count("RestoreUsers") != 0 {
			w.t.Error("restored by a replacement")
		}
	}, nil)
}

// Bookkeeping that changes while a record is open does not get lost.
func TestBookkeepingOfAnOpenRecord(t *testing.T) {
	each(t, only(func(n noun) bool { return n.task }), func(w *world) {
		w.submitted(w.hard)
		c := w.block(w.hard)
		maps.Copy(c, config{"request_id": "DSR-9", "timeouts": config{"update": "2h"}})
		w.apply(c)
		w.is("completed", false)
		if !strings.Contains(w.receipt(), `"DSR-9"`) || w.get("request_id") != "DSR-9" {
			w.t.Errorf("receipt: %s", w.receipt())
		}
		w.nothing(c)
	}, nil, slowTasks)
}
