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

// Two stages: restricted now, erased by the first apply after the period.

const month = 30 * 24 * time.Hour

var stagedNouns = []noun{users, userBatch, veiled(users), veiled(userBatch)}

// later is a configuration with a period.
func (w *world) later(modes config, ids ...string) config {
	return with(w.block(modes, ids...), config{"grace_period": "720h"})
}

// restricted expects who is deactivated at Stream.
func (w *world) restricted(want bool, ids ...string) {
	w.t.Helper()
	for _, id := range ids {
		if u, _ := w.s.User(id); u.Deactivated != want || u.Deleted {
			w.t.Errorf("deactivated %v, deleted %v, want %v, false", u.Deactivated, u.Deleted, want)
		}
	}
}

func (w *world) toggles() int {
	return w.s.Count("DeactivateUser") + w.s.Count("DeactivateUsers") + w.s.Count("ReactivateUser") + w.s.Count("ReactivateUsers")
}

func TestStages(t *testing.T) {
	each(t, stagedNouns, func(w *world) {
		id := w.ids[0]
		c := w.later(w.hard)
		p := w.plan(c)
		if p.Action != acctest.Create || !p.Warnings.Say("Restricted now, erased later") || p.Warnings.Say("Irreversible deletion") {
			w.t.Errorf("%s: %s", p.Action, p.Warnings)
		}
		if r := w.Apply(p); len(r.Errors) > 0 {
			w.t.Fatal(r.Errors)
		}
		w.is("scheduled", false)
		w.once(0)
		w.restricted(true, id)
		if w.of(id) != "scheduled" || !strings.Contains(w.receipt(), `"restrictions":[{`) || w.get("irreversible") != true {
			w.t.Errorf("%v %s", w.of(id), w.receipt())
		}
		direct := w.s.Count("DeactivateUser")
		if w.list && (direct != 0 || w.s.Count("DeactivateUsers") != 1) || !w.list && direct != 1 {
			w.t.Errorf("%d direct calls", direct)
		}
		due, err := time.Parse(time.RFC3339, fmt.Sprint(w.get("erase_at")))
		if err != nil || time.Until(due) > month || time.Until(due) < month-time.Hour {
			w.t.Errorf("erase_at %v", w.get("erase_at"))
		}
		w.s.ResetRequests()
		w.nothing(c)
		if n := w.s.Count("QueryUsers"); n != 1 {
			w.t.Errorf("%d look-ups for a plan without changes", n)
		}
		time.Sleep(time.Until(due) - time.Minute)
		w.nothing(c)
		w.nothing(c, acctest.NoRefresh)
		time.Sleep(2 * time.Minute)
		for _, o := range [][]acctest.Option{{acctest.NoRefresh}, nil} {
			if p = w.plan(c, o...); p.Action != acctest.Update || p.Get("status") != acctest.Unknown || !p.Warnings.Say("Irreversible deletion") {
				w.t.Errorf("%s: %s", p.Action, p.Warnings)
			}
		}
		if r := w.Apply(p); len(r.Errors) > 0 {
			w.t.Fatal(r.Errors)
		}
		w.is("completed", false)
		w.once(1)
		if !w.gone(w.s, id) || !strings.Contains(w.receipt(), `"restrictions":[{`) || w.get("erase_at") != due.Format(time.RFC3339Nano) {
			w.t.Errorf("erase_at %v, %s", w.get("erase_at"), w.receipt())
		}
		if w.veiled {
			w.hidden()
		}
		w.nothing(c)
	}, nil)
}

// Any change of a scheduled record may become its erasure: a plan made before the day and
// applied after it erases, and the other way round it stays.
func TestStagesChangedAcrossTheDay(t *testing.T) {
	each(t, stagedNouns, func(w *world) {
		c := w.later(w.hard)
		w.apply(c)
		changed := with(c, config{"request_id": "DSR-1"})
		p := w.plan(changed)
		for _, name := range []string{"status", "receipt", "erase_at"} {
			if p.Get(name) != acctest.Unknown {
				w.t.Errorf("%s is planned as %v", name, p.Get(name))
			}
		}
		if r := w.Apply(p); len(r.Errors) > 0 {
			w.t.Fatal(r.Errors)
		}
		w.is("scheduled", false)
		w.nothing(changed)
		p = w.plan(with(c, config{"request_id": "DSR-2"}))
		time.Sleep(month + time.Hour)
		if r := w.Apply(p); len(r.Errors) > 0 {
			w.t.Fatal(r.Errors)
		}
		w.is("completed", false)
		w.once(1)
	}, nil)
}

// The period and the modes may be changed while nothing was deleted.
func TestStagesChangeTheirMind(t *testing.T) {
	each(t, stagedNouns, func(w *world) {
		w.apply(w.later(w.hard))
		first := w.get("erase_at")
		w.apply(w.later(w.soft)) // less, and more again
		if w.modes() != "soft" || w.get("irreversible") != false {
			w.t.Errorf("modes %v", w.modes())
		}
		w.apply(w.later(w.hard))
		if w.modes() != "hard" || w.get("erase_at") != first || w.get("irreversible") != true {
			w.t.Errorf("modes %v, erase_at %v", w.modes(), w.get("erase_at"))
		}
		w.apply(with(w.later(w.hard), config{"grace_period": "1000h"}))
		if w.get("erase_at") == first || w.toggles() != 1 {
			w.t.Errorf("erase_at %v, %d calls", w.get("erase_at"), w.toggles())
		}
		time.Sleep(month + time.Hour)
		w.nothing(with(w.later(w.hard), config{"grace_period": "1000h"}))
		w.once(0)
		r := w.apply(w.block(w.hard))
		if !r.Warnings.Say("Irreversible deletion") {
			w.t.Errorf("%s", r.Warnings)
		}
		w.is("completed", false)
		w.once(1)
		w.nothing(w.block(w.hard))
	}, nil)
}

// A destroy before the day is the undo; who was deactivated before stays so, and of a
// pseudonym nobody can be reactivated, which the plan says.
func TestStagesDestroyed(t *testing.T) {
	t.Parallel()
	for _, before := range []bool{false, true} {
		t.Run(fmt.Sprint("deactivated before ", before), func(t *testing.T) {
			each(t, stagedNouns, func(w *world) {
				id := w.ids[0]
				if before {
					post(w.t, w.s, "/users/"+id+"/deactivate", "{}")
				}
				w.apply(w.later(w.hard))
				w.is("scheduled", false)
				says := "reactivates the user"
				switch {
				case w.veiled && before:
					says = "Destroying cannot reactivate anybody"
				case w.veiled:
					says = "Destroying cannot reactivate anybody"
				case before:
					says = "the user stays deactivated"
				}
				w.s.ResetRequests()
				r := w.apply(nil)
				if !r.Warnings.Say(says) {
					w.t.Errorf("%s", r.Warnings)
				}
				w.none()
				w.restricted(before || w.veiled, id)
				if n := w.toggles(); (n == 0) != (before || w.veiled) {
					w.t.Errorf("%d calls", n)
				}
			}, nil)
		})
	}
}

// Neither a replacement nor a rename lifts a restriction, and the period goes on.
func TestStagesReplaced(t *testing.T) {
	each(t, stagedNouns, func(w *world) {
		c := w.later(w.hard)
		w.apply(c)
		due := w.get("erase_at")
		time.Sleep(time.Hour)
		w.apply(c, acctest.WithReplace)
		w.is("scheduled", false)
		w.Taint(w.address)
		w.apply(c)
		w.is("scheduled", false)
		if w.get("erase_at") != due {
			w.t.Errorf("erase_at %v, was %v", w.get("erase_at"), due)
		}
		w.Move(w.address, w.address+"2")
		w.address += "2"
		w.nothing(c)
		// renamed without moved: destroyed and created side by side
		r := w.Run(acctest.Change{Address: w.address, Config: nil}, acctest.Change{Address: w.address + "3", Config: c})
		if len(r.Errors) > 0 {
			w.t.Fatal(r.Errors)
		}
		w.none()
		w.address += "3"
		w.is("scheduled", false)
		if w.get("erase_at") != due {
			w.t.Errorf("erase_at %v, was %v", w.get("erase_at"), due)
		}
		w.restricted(true, w.ids[0])
		if n := w.toggles(); n != 1 {
			w.t.Errorf("%d calls", n)
		}
		time.Sleep(month)
		w.apply(c)
		w.is("completed", false)
	}, nil)
}

// Renamed without moved, when it is due: the new block's plan does not promise that nothing
// is deleted.
func TestStagesRenamedWhenDue(t *testing.T) {
	each(t, stagedNouns, func(w *world) {
		c := w.later(w.hard)
		w.apply(c)
		time.Sleep(month + time.Hour)
		r := w.Run(acctest.Change{Address: w.address, Config: nil}, acctest.Change{Address: w.address + "2", Config: c})
		if len(r.Errors) > 0 || !r.Warnings.Say("Irreversible deletion") {
			w.t.Errorf("%s%s", r.Errors, r.Warnings)
		}
		w.address += "2"
		w.is("completed", false)
		w.once(1)
	}, nil)
}

// Renamed and taken to another app: the namesake there, who is deactivated too, is nobody's.
func TestStagesRenamedIntoAnotherApp(t *testing.T) {
	each(t, stagedNouns, func(w *world) {
		c := w.later(w.hard)
		w.apply(c)
		time.Sleep(month + time.Hour)
		other := w.abroad()
		for _, id := range w.ids {
			post(w.t, other, "/users/"+id+"/deactivate", "{}")
		}
		r := w.Run(acctest.Change{Address: w.address, Config: nil}, acctest.Change{Address: w.address + "2", Config: c})
		if n := other.Count("DeleteUsers"); n != 0 || !r.Errors.Say("Record of another app") {
			w.t.Errorf("%d calls in the other app: %s%s", n, r.Errors, r.Warnings)
		}
	}, nil)
}

// Who was deactivated before is not given back: the plan says so, and what to do if it was a
// run that was killed.
func TestStagesKilledBefore(t *testing.T) {
	each(t, []noun{users, userBatch}, func(w *world) {
		c := w.later(w.hard)
		p := w.plan(c)
		w.s.After(w.restricts(), 1, w.Kill)
		w.Apply(p)
		time.Sleep(time.Minute) // a batch's task ends
		if p = w.plan(c); !p.Warnings.Say("reactivate them (POST /users/ID/reactivate) and plan again") {
			w.t.Errorf("%s", p.Warnings)
		}
		post(w.t, w.s, "/users/"+w.ids[0]+"/reactivate", "{}")
		w.apply(c)
		w.is("scheduled", false)
		w.apply(nil)
		w.restricted(false, w.ids[0])
	}, nil)
}

// Somebody new in a scheduled batch is erased last: it is their day that may be too late.
func TestStagesLateForOne(t *testing.T) {
	t.Parallel()
	acctest.Bubble(t, func(t *testing.T) {
		w := newWorld(t, userBatch, nil)
		c := func(ids ...string) config {
			return with(w.later(w.hard, ids...), config{"received_at": time.Now().Format(time.DateOnly)})
		}
		if r := w.apply(c(w.ids[0])); r.Warnings.Say("Erased after the deadline") {
			t.Errorf("%s", r.Warnings)
		}
		first := c(w.ids...)
		time.Sleep(48 * time.Hour)
		if p := w.plan(first); !p.Warnings.Say("Erased after the deadline") {
			t.Errorf("%s", p.Warnings)
		}
	})
}

// Who is active again is restricted again, and the period starts anew.
func TestStagesUndoneElsewhere(t *testing.T) {
	each(t, stagedNouns, func(w *world) {
		id := w.ids[0]
		c := w.later(w.hard)
		w.apply(c)
		time.Sleep(month - time.Hour)
		post(w.t, w.s, "/users/"+id+"/reactivate", "{}")
		p := w.plan(c)
		if p.Action != acctest.Update || !p.Warnings.Say("Restricted again") {
			w.t.Errorf("%s: %s", p.Action, p.Warnings)
		}
		time.Sleep(2 * time.Hour) // due by now, were it not for the reactivation
		if r := w.Apply(p); len(r.Errors) > 0 {
			w.t.Fatal(r.Errors)
		}
		w.is("scheduled", false)
		w.once(0)
		w.restricted(true, id)
		w.nothing(c)
		if n := strings.Count(w.receipt(), `"submitted_at"`); n < 2 {
			w.t.Errorf("the receipt forgets the first restriction: %s", w.receipt())
		}
		time.Sleep(month - time.Hour)
		w.nothing(c)
	}, nil)
}

// Reactivated between the refresh and the call: nobody is erased who is not restricted.
func TestStagesNeverErasedActive(t *testing.T) {
	each(t, []noun{users, userBatch}, func(w *world) {
		id := w.ids[0]
		c := w.later(w.hard)
		w.apply(c)
		time.Sleep(month + time.Hour)
		p := w.plan(c)
		w.s.After("GET /users", 1, func() {
			post(w.t, w.s, "/users/"+id+"/reactivate", "{}")
		})
		w.Apply(p)
		w.is("scheduled", false)
		w.once(0)
		w.restricted(true, id)
	}, nil)
}

// A batch: who leaves the list is reactivated, who is new is scheduled, a hold stops one and
// lets the others go.
func TestStagesLists(t *testing.T) {
	t.Parallel()
	for _, drop := range []bool{false, true} {
		t.Run(fmt.Sprint("dropping ", drop), func(t *testing.T) {
			each(t, []noun{userBatch, veiled(userBatch)}, func(w *world) {
				a, b, c := w.ids[0], w.ids[1], w.ids[2]
				more := config{"drop_removed_records": drop}
				w.apply(with(w.later(w.hard, a, b), more))
				time.Sleep(24 * time.Hour)
				p := w.plan(with(w.later(w.hard, b, c), more))
				if !p.Warnings.Say("Scheduled erasures called off") || !p.Warnings.Say("Restricted now, erased later") {
					w.t.Errorf("%s", p.Warnings)
				}
				if r := w.Apply(p); len(r.Errors) > 0 {
					w.t.Fatal(r.Errors)
				}
				w.is("scheduled", false)
				w.restricted(w.veiled, a)
				w.restricted(true, b, c)
				if got := w.of(a); drop && got != nil || !drop && got != "released" {
					w.t.Errorf("who left is %v", got)
				}
				w.nothing(with(w.later(w.hard, b, c), more))
				time.Sleep(month - time.Hour) // b is due, c a day later
				w.apply(with(w.later(w.hard, b, c), more))
				w.is("scheduled", false)
				if w.of(b) != "completed" || w.of(c) != "scheduled" {
					w.t.Errorf("%v", w.results())
				}
				w.nothing(with(w.later(w.hard, b, c), more))
				time.Sleep(24 * time.Hour)
				w.apply(with(w.later(w.hard, b, c), more))
				if w.get("status") != "completed" || w.of(c) != "completed" {
					w.t.Errorf("%v", w.results())
				}
				w.once(2)
				w.nothing(with(w.later(w.hard, b, c), more))
			}, nil)
		})
	}
}

func TestStagesHeld(t *testing.T) {
	each(t, []noun{userBatch, veiled(userBatch)}, func(w *world) {
		a, b := w.ids[0], w.ids[1]
		c := w.later(w.hard, a, b)
		w.apply(c)
		// Stream updates nobody who is deactivated.
		post(w.t, w.s, "/users/"+a+"/reactivate", "{}")
		post(w.t, w.s, "/users", fmt.Sprintf(`{"users":{%q:{"id":%q,"hold":true}}}`, a, a))
		post(w.t, w.s, "/users/"+a+"/deactivate", "{}")
		time.Sleep(month + time.Hour)
		p := w.plan(c)
		if !p.Warnings.Say("Not erased: Held user") || !p.Warnings.Say("Irreversible deletions") {
			w.t.Errorf("%s", p.Warnings)
		}
		if r := w.Apply(p); !r.Errors.Say("Held user") {
			w.t.Errorf("%s", r.Errors)
		}
		w.is("scheduled", false)
		if w.of(a) != "scheduled" || w.of(b) != "completed" {
			w.t.Errorf("%v", w.results())
		}
		w.once(1)
		if p := w.plan(c); p.Action != acctest.NoOp || !p.Warnings.Say("Not erased: Held user") {
			w.t.Errorf("%s: %s", p.Action, p.Warnings)
		}
		w.restricted(true, a)
	}, config{"hold_field": "hold"})
}

// A thousand by one batch: ten calls to restrict them, five to give half of them back, and
// five on the day.
func TestStagesThousand(t *testing.T) {
	t.Parallel()
	acctest.Bubble(t, func(t *testing.T) {
		w := newWorld(t, userBatch, config{"max_erasures": 1000})
		ids := make([]string, 1000)
		for i := range ids {
			ids[i] = fmt.Sprintf("leaver-%04d", i)
		}
		w.s.Users(t, ids...)
		w.apply(w.later(w.hard, ids...))
		w.is("scheduled", false)
		if n := w.s.Count("DeactivateUsers"); n != 10 || w.toggles() != 10 {
			t.Errorf("%d calls, %d in all", n, w.toggles())
		}
		w.s.ResetRequests()
		w.nothing(w.later(w.hard, ids...))
		if n := w.s.Count("QueryUsers"); n != 10 {
			t.Errorf("%d look-ups", n)
		}
		half := ids[500:]
		w.apply(w.later(w.hard, half...))
		if n := w.s.Count("ReactivateUsers"); n != 5 {
			t.Errorf("%d calls", n)
		}
		w.restricted(false, ids[:500]...)
		w.restricted(true, half...)
		w.nothing(w.later(w.hard, half...))
		time.Sleep(month + time.Hour)
		w.apply(w.later(w.hard, half...))
		if w.get("status") != "completed" {
			t.Errorf("status %v", w.get("status"))
		}
		counts := map[any]int{}
		for _, entry := range w.results() {
			counts[entry]++
		}
		if counts["released"] != 500 || counts["erased"] != 500 {
			t.Errorf("%v", counts)
		}
		w.once(5)
		w.nothing(w.later(w.hard, half...))
	})
}

// stageMoments are those of both stages.
var stageMoments = map[string]func(w *world, do func()){
	"before the look-up": func(w *world, do func()) { w.s.Before("GET /app", 1, do) },
	"in the plan":        func(w *world, do func()) { w.s.After(w.look, 1, do) },
	"after the look-up":  func(w *world, do func()) { w.s.After(w.look, 2, do) },
	"before the call":    func(w *world, do func()) { w.s.Before(w.restricts(), 1, do) },
	"after the call":     func(w *world, do func()) { w.s.After(w.restricts(), 1, do) },
	"after a poll":       func(w *world, do func()) { w.s.After("GET /tasks/*", 1, do) },
	"while it is shown":  func(w *world, do func()) { w.s.After(w.look, 3, do) },
	"before the erasure": func(w *world, do func()) { w.s.Before(w.call, 1, do) },
	"after the erasure":  func(w *world, do func()) { w.s.After(w.call, 1, do) },
}

func (w *world) restricts() string {
	if w.list {
		return "POST /users/deactivate"
	}
	return "POST /users/*/deactivate"
}

// Interrupted or killed at any moment of both stages: nothing is lost, nobody is erased early
// or without having been restricted, and the next run ends it.
func TestStagesInterrupted(t *testing.T) {
	t.Parallel()
	for name, when := range stageMoments {
		for _, kill := range []bool{false, true} {
			t.Run(fmt.Sprint(name, ", kill ", kill), func(t *testing.T) {
				each(t, []noun{users, userBatch}, func(w *world) {
					stop := w.Interrupt
					if kill {
						stop = w.Kill
					}
					c := w.later(w.hard)
					p := w.plan(c)
					when(w, stop)
					w.Apply(p)
					w.once(0)
					w.apply(c)
					w.is("scheduled", false)
					w.restricted(true, w.ids[0])
					w.once(0)
					w.nothing(c)
					time.Sleep(month + time.Hour)
					p = w.plan(c)
					when(w, stop)
					w.Apply(p)
					if record := w.State(w.address); record == nil || record.Tainted {
						w.t.Fatalf("%+v", record)
					}
					w.apply(c)
					w.is("completed", false)
					if !w.gone(w.s, w.ids[0]) || !strings.Contains(w.receipt(), `"restrictions":[{`) {
						w.t.Errorf("%s", w.receipt())
					}
					w.nothing(c)
				}, nil, func(o *emulator.Options) { o.TaskDelay = 3 * time.Second })
			})
		}
	}
}

// An undo that is interrupted goes on.
func TestStagesUndoInterrupted(t *testing.T) {
	t.Parallel()
	for _, kill := range []bool{false, true} {
		t.Run(fmt.Sprint("kill ", kill), func(t *testing.T) {
			each(t, []noun{users, userBatch}, func(w *world) {
				stop := w.Interrupt
				if kill {
					stop = w.Kill
				}
				path := "POST /users/*/reactivate"
				if w.list {
					path = "POST /users/reactivate"
				}
				w.apply(w.later(w.hard))
				p := w.plan(nil)
				w.s.After(path, 1, stop)
				w.Apply(p)
				w.apply(nil)
				w.none()
				w.restricted(false, w.ids[0])
				w.once(0)
			}, nil)
		})
	}
}

// A call whose answer is lost is known by its effect.
func TestStagesLostAnswers(t *testing.T) {
	t.Parallel()
	for _, kind := range []string{"drop", "500"} {
		t.Run(kind, func(t *testing.T) {
			each(t, []noun{users, userBatch}, func(w *world) {
				op := "DeactivateUser"
				if w.list {
					op += "s"
				}
				c := w.later(w.hard)
				p := w.plan(c)
				fault := emulator.Fault{Op: op, Kind: emulator.Fault500, Times: forever}
				if kind == "drop" {
					fault.Kind = emulator.FaultDropAfter
				}
				w.fault(fault)
				r := w.Apply(p)
				w.s.ClearFaults()
				if kind == "500" && len(r.Errors) == 0 {
					w.t.Error("no error")
				}
				w.once(0)
				w.apply(c)
				w.is("scheduled", false)
				w.restricted(true, w.ids[0])
				w.apply(nil)
				w.restricted(false, w.ids[0])
			}, impatient)
		})
	}
}

// Who is deleted between the look-up and the call does not take the others down.
func TestStagesPartialFailure(t *testing.T) {
	each(t, []noun{userBatch}, func(w *world) {
		a, b := w.ids[0], w.ids[1]
		c := w.later(w.hard, a, b)
		p := w.plan(c)
		w.s.Before(w.restricts(), 1, func() { post(w.t, w.s, "/users/delete", fmt.Sprintf(`{"user_ids":[%q],"user":"soft"}`, b)) })
		if r := w.Apply(p); len(r.Errors) == 0 {
			w.t.Error("no error")
		}
		w.s.ResetRequests()
		if w.of(a) != "scheduled" || w.of(b) != "pending" || !w.State(w.address).Tainted {
			w.t.Errorf("%v", w.results())
		}
		w.restricted(true, a)
		w.apply(c)
		w.is("scheduled", false)
		w.once(0)
		if n := w.toggles(); n != 0 {
			w.t.Errorf("%d calls", n)
		}
		time.Sleep(month + time.Hour)
		w.apply(c)
		w.is("completed", false)
		w.nothing(c)
	}, nil)
}

// At the second stage the id must be given again, and not before.
func TestStagesVeiledLeftOut(t *testing.T) {
	each(t, veiledNouns, func(w *world) {
		c := w.later(w.hard)
		w.apply(c)
		w.nothing(w.left(c))
		w.apply(with(w.left(c), config{"request_id": "DSR-9"}))
		w.is("scheduled", false)
		w.hidden()
		time.Sleep(month + time.Hour)
		w.refused("Give the id again", w.left(c))
		w.apply(c)
		w.is("completed", false)
		w.hidden()
		w.nothing(w.left(c))
	}, nil)
}

// Deadlines are known in the plan, and missing one is said.
func TestDeadlines(t *testing.T) {
	each(t, []noun{users, userBatch}, func(w *world) {
		for value, due := range map[string]string{
			"2026-01-31": "2026-02-28T23:59:59Z", "2026-03-15T10:00:00Z": "2026-04-15T10:00:00Z", "2024-01-30": "2024-02-29T23:59:59Z", "2025-12-31T23:30:00+02:00": "2026-01-31T21:30:00Z",
		} {
			if p := w.plan(with(w.block(w.hard), config{"received_at": value})); p.Get("due_at") != due {
				w.t.Errorf("%s is due %v, want %s", value, p.Get("due_at"), due)
			}
		}
		for _, value := range []string{"", "yesterday", "2026-02-30", "31.01.2026", "2017-12-31", "0001-01-01", "2017-12-31T23:59:59Z", "10000-01-01"} {
			if d := w.Validate(w.address, with(w.block(w.hard), config{"received_at": value})); !d.Say("Invalid received_at") {
				w.t.Errorf("%q: %s", value, d)
			}
		}
		for _, value := range []string{"", "soon", "0s", "-1h", "30d", "1000000h"} {
			if d := w.Validate(w.address, with(w.block(w.hard), config{"grace_period": value})); !d.Say("Invalid grace_period") {
				w.t.Errorf("%q: %s", value, d)
			}
		}
		w.refused("Mode not known in the plan", with(w.block(w.hard), config{"grace_period": acctest.Unknown}))
		for _, value := range []string{"2026-11-04", "2026-11-03T09:00:01Z", "2027-01-05", "2062-01-05", "9999-12-01", "9999-12-31", "9999-12-31T00:00:00Z", "9999-12-31T23:59:59-12:00"} {
			w.refused("Invalid received_at", with(w.block(w.hard), config{"received_at": value}))
			w.fails("Invalid received_at", with(w.block(w.hard), config{"received_at": acctest.Later(value)}))
		}
		w.once(0)
		for _, value := range []string{"2026-11-03", "2026-11-03T09:00:00Z", "2018-01-01"} {
			w.plan(with(w.block(w.hard), config{"received_at": value}))
		}
		day := func(t time.Time) string { return t.UTC().Format(time.DateOnly) }
		c := with(w.later(w.hard), config{"received_at": day(time.Now().AddDate(0, 0, -10))})
		if r := w.apply(c); !r.Warnings.Say("Erased after the deadline") {
			w.t.Errorf("%s", r.Warnings)
		}
		if !strings.Contains(w.receipt(), `"due_at":"`) || !strings.Contains(w.receipt(), `"received_at":"`) || !strings.Contains(w.receipt(), `"erase_at":"`) {
			w.t.Errorf("%s", w.receipt())
		}
		time.Sleep(25 * 24 * time.Hour)
		if p := w.plan(c); p.Action != acctest.NoOp || !p.Warnings.Say("Deadline has passed") {
			w.t.Errorf("%s: %s", p.Action, p.Warnings)
		}
		time.Sleep(month)
		w.apply(c)
		if p := w.plan(c); p.Action != acctest.NoOp || len(p.Warnings) > 0 {
			w.t.Errorf("%s: %s", p.Action, p.Warnings)
		}
		c = with(c, config{"received_at": "2026-01-01"})
		w.apply(c)
		if !strings.Contains(w.receipt(), `"due_at":"2026-02-01T23:59:59Z"`) {
			w.t.Errorf("%s", w.receipt())
		}
		w.nothing(c)
	}, nil)
}

// Tokens are revoked before the restriction.
func TestStagesTokens(t *testing.T) {
	each(t, []noun{users, userBatch}, func(w *world) {
		w.apply(with(w.later(w.hard), config{"revoke_tokens": true}))
		var order []string
		for _, r := range w.s.Requests("UpdateUsersPartial", "DeactivateUser", "DeactivateUsers") {
			order = append(order, r.Op)
		}
		if len(order) != 2 || order[0] != "UpdateUsersPartial" {
			w.t.Errorf("%v", order)
		}
		time.Sleep(month + time.Hour)
		w.apply(with(w.later(w.hard), config{"revoke_tokens": true}))
		w.is("completed", false)
	}, nil)
}

// Who is deleted before is not restricted, and not deleted further before the day; who never
// was is refused, or recorded.
func TestStagesNobodyToRestrict(t *testing.T) {
	each(t, []noun{users, userBatch}, func(w *world) {
		gone := w.ids[0]
		post(w.t, w.s, "/users/delete", fmt.Sprintf(`{"user_ids":[%q],"user":"soft"}`, gone))
		time.Sleep(time.Minute)
		w.s.ResetRequests()
		w.refused("Subject not found", w.later(w.hard, w.ghost))
		c := w.later(w.hard, gone)
		w.apply(c)
		w.is("scheduled", false)
		w.nothing(c)
		w.once(0)
		time.Sleep(month + time.Hour)
		w.apply(c)
		w.is("completed", false)
		w.once(1)
		if w.toggles() != 0 {
			w.t.Errorf("%d calls", w.toggles())
		}
		w.Forget(w.address)
		c = with(w.later(w.hard, w.ghost), config{"on_missing": "record"})
		w.apply(c)
		w.is("completed", false)
		w.nothing(c)
		if got := slices.Contains(w.calls()[0], w.ghost); got {
			w.t.Error("somebody who never was is sent")
		}
	}, nil)
}

// A replacement that creates first lifts nothing either.
func TestStagesReplacedCreateFirst(t *testing.T) {
	each(t, stagedNouns, func(w *world) {
		c := w.later(w.hard)
		w.apply(c)
		w.apply(c, acctest.WithReplace, acctest.CreateBeforeDestroy)
		w.is("scheduled", false)
		w.restricted(true, w.ids[0])
		w.once(0)
		if n := w.toggles(); n != 1 {
			w.t.Errorf("%d calls", n)
		}
		w.nothing(c)
		time.Sleep(month + time.Hour)
		w.apply(c)
		w.is("completed", false)
	}, nil)
}
