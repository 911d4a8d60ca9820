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

// What the contract says and the lifecycle does not do yet.

// saysTruncated is a Stream that answers as if it had truncated, and has not.
func (w *world) saysTruncated() {
	w.t.Helper()
	body := fmt.Sprintf(`{"channel":{"cid":%q,"truncated_at":%q},"duration":"1ms"}`, w.ids[0], time.Now().UTC().Add(time.Second).Format(time.RFC3339Nano))
	w.fault(emulator.Fault{Kind: emulator.FaultCustom, Status: 201, ContentType: "application/json", Body: body})
}

// A truncation is proven by its own time: one of before proves nothing.
func TestTruncationIsNotProvenByAnEarlierOne(t *testing.T) {
	t.Parallel()
	for name, again := range map[string]func(w *world) (config, config){
		"by others":            func(w *world) (config, config) { return nil, w.block(w.hard) },
		"soft to hard":         func(w *world) (config, config) { return w.block(w.soft), w.block(w.hard) },
		"soft again by others": func(w *world) (config, config) { return nil, w.block(w.soft) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			acctest.Bubble(t, func(t *testing.T) {
				w := newWorld(t, truncations, nil)
				before, c := again(w)
				if before != nil {
					w.apply(before)
				} else {
					post(t, w.s, "/channels/messaging/atelier/truncate", `{"hard_delete":false}`)
					w.s.ResetRequests()
				}
				time.Sleep(time.Hour)
				p := w.plan(c)
				w.saysTruncated()
				if r := w.Apply(p); !r.Warnings.Say("a look-up does not show it") {
					t.Errorf("warnings: %s", r.Warnings)
				}
				w.is("submitted", false)
				w.s.ClearFaults()
				sent := w.s.Count("TruncateChannel")
				w.apply(c)
				w.is("submitted", false)
				if got := w.s.Count("TruncateChannel"); got != sent {
					t.Error("it was sent again, and took what was written since")
				}
				post(t, w.s, "/channels/messaging/atelier/truncate", `{"hard_delete":true}`) // shows at last
				w.apply(c)
				w.is("completed", false)
			})
		})
	}
}

// Who was begun and leaves the list is still an obligation: polled to its end, and
// the whole is not completed before.
func TestBatchObligationUnderWay(t *testing.T) {
	t.Parallel()
	for name, after := range map[string]func(w *world) []string{
		"one leaves":     func(w *world) []string { return w.ids[:1] },
		"all leave":      func(*world) []string { return []string{} },
		"others instead": func(w *world) []string { return w.ids[2:] },
	} {
		t.Run(name, func(t *testing.T) {
			each(t, batches, func(w *world) {
				short := config{"timeouts": config{"create": "1m", "update": "1m"}}
				w.apply(w.block(with(w.hard, short), w.ids[:2]...))
				c := with(w.block(with(w.hard, short)), config{w.subject: after(w)})
				for _, options := range [][]acctest.Option{nil, {acctest.NoRefresh}} {
					if p := w.plan(c, options...); p.Action != acctest.Update {
						w.t.Errorf("the plan is to %s", p.Action)
					}
				}
				w.apply(c)
				w.is("submitted", false)
				w.apply(c, acctest.NoRefresh)
				w.is("submitted", false)
				time.Sleep(3 * time.Hour)
				w.apply(c)
				w.is("completed", false)
				for _, id := range w.ids[:2] {
					if w.of(id) != "completed" {
						w.t.Errorf("%s is %v", id, w.of(id))
					}
				}
				if got := slices.Concat(w.calls()...); len(got) != len(slices.Compact(slices.Sorted(slices.Values(got)))) {
					w.t.Errorf("sent %v", got)
				}
				w.nothing(c)
			}, nil, slowTasks)
		})
	}
}

// Who failed and leaves the list is not sent again, but keeps the whole at failed,
// with a word about it, until listed again or given up.
func TestBatchObligationFailed(t *testing.T) {
	each(t, batches, func(w *world) {
		a, b := w.ids[0], w.ids[1]
		w.fault(emulator.Fault{Kind: emulator.FaultFailUser, UserID: b})
		w.fails("Deletion failed at Stream", w.block(w.hard, a, b))
		w.Untaint(w.address)
		w.s.ResetRequests()
		p := w.plan(w.block(w.hard, a))
		r := w.Apply(p)
		if w.get("status") != "failed" || w.of(b) != "failed" || w.sent() != 0 {
			w.t.Errorf("status %v, %v, sent %d", w.get("status"), w.results(), w.sent())
		}
		if len(p.Warnings)+len(r.Warnings)+len(r.Errors) == 0 {
			w.t.Error("nothing is said of one who failed and left")
		}
		given := w.plan(with(w.block(w.hard, a), config{"drop_removed_records": true}))
		if len(given.Warnings) == 0 {
			w.t.Error("a failure is dropped without a word")
		}
		w.Apply(w.plan(w.block(w.hard, a, b)))
		w.is("completed", false)
		if got := w.lastCall(); !slices.Equal(got, []string{b}) {
			w.t.Errorf("sent %v", got)
		}
	}, nil)
}

// Dropping what is open or failed is said in the plan.
func TestBatchDropsWithAWord(t *testing.T) {
	each(t, batches, func(w *world) {
		short := config{"timeouts": config{"create": "1m", "update": "1m"}}
		w.apply(w.block(with(w.hard, short), w.ids[:2]...))
		p := w.plan(w.block(with(w.hard, with(short, config{"drop_removed_records": true})), w.ids[0]))
		titles := map[string]bool{}
		for _, d := range p.Warnings {
			titles[d.Summary] = true
		}
		if len(titles) < 2 { // one that it is under way, one that evidence goes
			w.t.Errorf("warnings: %s", p.Warnings)
		}
	}, nil, slowTasks)
}

// A tainted batch whose new list has nobody of the old one keeps what it knows.
func TestTaintedBatchWithOthersInstead(t *testing.T) {
	each(t, batches, func(w *world) {
		a, b, c := w.ids[0], w.ids[1], w.ids[2]
		w.fault(emulator.Fault{Kind: emulator.FaultFailUser, UserID: b})
		w.fails("Deletion failed at Stream", w.block(w.hard, a, b))
		w.Run(acctest.Change{Address: w.address, Config: w.block(w.hard, c)})
		if w.of(a) != "completed" || w.of(b) == nil || w.of(c) != "completed" {
			w.t.Errorf("results: %v", w.results())
		}
	}, nil)
}

// A batch may grow in the run that replaces it.
func TestReplacedBatchGrows(t *testing.T) {
	each(t, batches, func(w *world) {
		w.apply(w.block(w.hard, w.ids[0]))
		w.apply(w.block(w.hard, w.ids[:2]...), acctest.WithReplace)
		w.is("completed", false)
		if got := w.lastCall(); !slices.Equal(got, w.ids[1:2]) || len(w.results()) != 2 {
			w.t.Errorf("sent %v, results %v", got, w.results())
		}
	}, nil)
}

// An empty list is a batch with nobody in it yet.
func TestBatchOfNobody(t *testing.T) {
	each(t, batches, func(w *world) {
		empty := with(w.block(w.hard), config{w.subject: []string{}})
		w.apply(empty)
		w.once(0)
		w.nothing(empty)
		w.apply(w.block(w.hard))
		w.is("completed", false)
		w.once(1)
	}, nil)
}

// abroad is another app that holds the same subjects.
func (w *world) abroad() *acctest.Stream {
	other := acctest.InMemory(w.t, func(o *emulator.Options) { o.AppName = "Production"; o.TaskDelay = 2 * time.Second })
	other.Fill(w.t, seed)
	w.Switch(other)
	return other
}

// A record belongs to its app: with the credentials of another one nothing is polled,
// sent again, escalated or restored.
func TestRecordBelongsToItsApp(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		of     []noun
		slow   bool
		before func(w *world) config
		then   func(w *world) config
	}{
		"under way": {only(func(n noun) bool { return n.task }), true,
			func(w *world) config { return w.block(with(w.hard, config{"timeouts": config{"create": "1m"}})) }, func(w *world) config { return w.block(w.hard) }},
		"escalated": {nouns, false, func(w *world) config { return w.block(w.soft) }, func(w *world) config { return w.block(w.hard) }},
		"kept soft": {only(func(n noun) bool { return n.back != nil }), false, func(w *world) config { return w.block(w.soft) }, func(w *world) config { return w.block(w.soft) }},
		"restored":  {[]noun{users, userBatch}, false, func(w *world) config { return w.block(with(w.soft, restoring)) }, func(*world) config { return nil }},
	} {
		t.Run(name, func(t *testing.T) {
			each(t, tt.of, func(w *world) {
				w.apply(tt.before(w))
				other := w.abroad()
				for _, options := range [][]acctest.Option{nil, {acctest.NoRefresh}} {
					p := w.Plan(w.address, tt.then(w), options...)
					if r := w.Apply(p); len(r.Errors) == 0 && p.Action != acctest.NoOp {
						w.t.Error("no error in the other app")
					}
				}
				if n := other.Count(w.op) + other.Count("RestoreUsers"); n != 0 {
					w.t.Errorf("%d calls in the other app", n)
				}
				if w.State(w.address) == nil {
					w.t.Error("the record is gone")
				}
			}, nil, func(o *emulator.Options) {
				if tt.slow {
					o.TaskDelay = time.Hour
				}
			})
		})
	}
}

// A tainted record is planned without its state, and without a refresh nobody knows whose
// it is: its Delete does, and keeps it.
func TestTaintedRecordBelongsToItsApp(t *testing.T) {
	each(t, nouns, func(w *world) {
		w.apply(w.block(w.hard))
		w.Taint(w.address)
		other := w.abroad()
		r := w.Apply(w.Plan(w.address, w.block(w.hard), acctest.NoRefresh))
		if n := other.Count(w.op); n != 0 || !r.Errors.Say("Record of another app") || w.State(w.address) == nil {
			w.t.Errorf("%d calls in the other app, %s, record %v", n, r.Errors, w.State(w.address))
		}
	}, nil)
}

// A plan that was made for one app is not applied in another.
func TestSavedPlanBelongsToItsApp(t *testing.T) {
	each(t, nouns, func(w *world) {
		p := w.plan(w.block(w.hard))
		other := w.abroad()
		if r := w.Apply(p); len(r.Errors) == 0 {
			w.t.Error("no error in the other app")
		}
		if n := other.Count(w.op); n != 0 {
			w.t.Errorf("%d calls in the other app", n)
		}
	}, nil)
}

// The wrong-app guard is a plan's too, also of a plan that only waits.
func TestWrongAppInAPlanThatWaits(t *testing.T) {
	each(t, only(func(n noun) bool { return n.task }), func(w *world) {
		w.submitted(w.hard)
		w.Provider["expected_app_name"] = "Production"
		w.refused("Wrong app", w.block(w.hard))
		w.refused("Wrong app", w.block(w.hard), acctest.NoRefresh)
	}, nil, slowTasks)
}

// A renamed block is destroyed and created side by side: nobody is restored, and the
// evidence lives on under the new name, also where Stream forgets.
func TestRenamedBlockKeepsTheRecord(t *testing.T) {
	each(t, only(func(n noun) bool { return n.name != "truncation" }), func(w *world) {
		w.apply(w.block(w.hard))
		receipt := w.receipt()
		renamed := strings.TrimSuffix(w.address, "x") + "renamed"
		r := w.Run(acctest.Change{Address: w.address}, acctest.Change{Address: renamed, Config: w.block(w.hard)})
		record := w.State(renamed)
		if len(r.Errors) > 0 || record.Get("status") != "completed" || record.Get("receipt") != receipt {
			w.t.Errorf("%s, %v, sent %d", r.Errors, record.Get("status"), w.sent())
		}
	}, nil)
}

func TestRenamedBlockRestoresNobody(t *testing.T) {
	each(t, []noun{users, userBatch}, func(w *world) {
		w.apply(w.block(with(w.soft, restoring)))
		renamed := strings.TrimSuffix(w.address, "x") + "renamed"
		r := w.Run(acctest.Change{Address: w.address}, acctest.Change{Address: renamed, Config: w.block(with(w.soft, restoring))})
		u, _ := w.s.User(w.ids[0])
		if n := w.s.Count("RestoreUsers"); len(r.Errors) > 0 || n != 0 || !u.Deleted || w.State(renamed).Get("status") != "completed" {
			w.t.Errorf("%s, %d restores, deleted %v, record %v", r.Errors, n, u.Deleted, w.State(renamed).Get("status"))
		}
	}, nil)
}

// What create_before_destroy left behind in an interrupted run restores nobody whose
// newer record stands.
func TestDeposedRecordRestoresNobody(t *testing.T) {
	each(t, []noun{users, userBatch}, func(w *world) {
		c := w.block(with(w.soft, restoring))
		w.apply(c)
		p := w.plan(c, acctest.WithReplace, acctest.CreateBeforeDestroy)
		w.s.After("GET /tasks/*", 1, w.Interrupt)
		w.Apply(p)
		if record := w.State(w.address); record == nil || !record.Deposed {
			w.t.Fatalf("nothing is deposed: %+v", record)
		}
		r := w.apply(c)
		u, _ := w.s.User(w.ids[0])
		if n := w.s.Count("RestoreUsers"); n != 0 || !u.Deleted || w.State(w.address).Deposed {
			w.t.Errorf("%d restores, deleted %v: %s", n, u.Deleted, r.Warnings)
		}
		w.is("completed", false)
	}, nil)
}

// The guards run before every attempt: who is promoted or held while a call waits is
// not erased by its repeat.
func TestGuardsBeforeEveryAttempt(t *testing.T) {
	t.Parallel()
	for name, fault := range map[string]emulator.Fault{
		"after a 429":     {Kind: emulator.Fault429},
		"after a 500":     {Kind: emulator.Fault500, Times: 5},
		"after no answer": {Kind: emulator.FaultHangBefore},
	} {
		t.Run(name, func(t *testing.T) {
			each(t, []noun{users, userBatch}, func(w *world) {
				p := w.plan(w.block(w.hard))
				w.fault(fault)
				w.s.Before(w.call, 1, func() { patch(w.t, w.s, `{"users":[{"id":"waters-malone","set":{"role":"admin"}}]}`) })
				if r := w.Apply(p); !r.Errors.Say("Protected role") {
					w.t.Errorf("errors: %s", r.Errors)
				}
				if u, _ := w.s.User("waters-malone"); u.Deleted {
					w.t.Error("an admin was erased")
				}
			}, config{"protected_roles": []string{"admin"}})
		})
	}
}

// Who is named as the new owner is not erased in the same run.
func TestNewOwnerIsErasedInTheSameRun(t *testing.T) {
	t.Parallel()
	acctest.Bubble(t, func(t *testing.T) {
		w := newWorld(t, users, nil)
		p := w.PlanAll(
			acctest.Change{Address: w.address, Config: with(w.block(w.hard), config{"new_channel_owner_id": w.ids[1]})},
			acctest.Change{Address: w.address + "2", Config: w.block(w.hard, w.ids[1])},
		)
		if len(p.Errors) == 0 {
			t.Errorf("no error: %s", p.Warnings)
		}
	})
}

// Time that is none is refused before a plan.
func TestTimeoutsOfNothing(t *testing.T) {
	each(t, nouns, func(w *world) {
		for _, d := range []string{"0s", "-5m"} {
			p := w.Plan(w.address, w.block(with(w.hard, config{"timeouts": config{"create": d}})))
			if len(p.Errors) == 0 {
				w.t.Errorf("%s passes", d)
			}
		}
	}, nil)
}
