// Copyright (c) the terraform-provider-streamchat authors
// SPDX-License-Identifier: MPL-2.0

package lifecycle_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/acctest"
	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/emulator"
)

// What was seen is not what was done, and nobody who was called off counts as done.

var elsewhere = map[string]string{
	"soft":    `{"user_ids":[%q],"user":"soft"}`,
	"pruning": `{"user_ids":[%q],"user":"pruning","messages":"pruning"}`,
	"hard":    `{"user_ids":[%q],"user":"hard","messages":"hard","conversations":"hard"}`,
}

// Somebody else's deletion in the period completes nothing: it proves no modes, and the call
// is sent on the day.
func TestStagesDeletedElsewhere(t *testing.T) {
	t.Parallel()
	for how, body := range elsewhere {
		for _, own := range []string{"soft", "hard"} {
			t.Run(fmt.Sprintf("%s, by others %s", own, how), func(t *testing.T) {
				each(t, stagedNouns, func(w *world) {
					modes := map[string]config{"soft": w.soft, "hard": w.hard}[own]
					c := w.later(modes, w.ids[0])
					w.apply(c)
					post(w.t, w.s, "/users/delete", fmt.Sprintf(body, w.ids[0]))
					time.Sleep(time.Minute)
					w.s.ResetRequests()
					w.nothing(c)
					w.nothing(c, acctest.NoRefresh)
					w.apply(with(c, config{"request_id": "DSR-1"}))
					w.is("scheduled", false)
					w.once(0)
					time.Sleep(month)
					w.apply(with(c, config{"request_id": "DSR-1"}))
					w.once(1)
					w.is("completed", false)
					if own == "hard" && !w.gone(w.s, w.ids[0]) {
						w.t.Error("the record says hard, and Stream still has the data")
					}
					w.nothing(with(c, config{"request_id": "DSR-1"}))
				}, nil)
			})
		}
	}
}

// Who left the list was called off, whatever somebody else did to them meanwhile.
func TestStagesDeletedElsewhereThenOffTheList(t *testing.T) {
	t.Parallel()
	for how, body := range elsewhere {
		t.Run(how, func(t *testing.T) {
			each(t, []noun{userBatch, veiled(userBatch)}, func(w *world) {
				a, b := w.ids[0], w.ids[1]
				w.apply(w.later(w.hard, a, b))
				post(w.t, w.s, "/users/delete", fmt.Sprintf(body, a))
				time.Sleep(time.Minute)
				w.apply(w.later(w.hard, b))
				if got := w.of(a); got != "released" {
					w.t.Errorf("who was called off is %v", got)
				}
				w.is("scheduled", false)
			}, nil)
		})
	}
}

// A batch whose people were all called off is not completed, and the plan says what a query
// does that no longer finds whom it fed.
func TestBatchOfReleased(t *testing.T) {
	t.Parallel()
	for _, drop := range []bool{false, true} {
		t.Run(fmt.Sprint("dropping ", drop), func(t *testing.T) {
			each(t, []noun{userBatch, veiled(userBatch)}, func(w *world) {
				keep := config{"drop_removed_records": drop}
				c := with(w.later(w.hard, w.ids[0], w.ids[1]), keep)
				w.apply(c)
				none := with(w.later(w.hard), with(keep, config{w.subject: []string{}}))
				p := w.plan(none)
				if !p.Warnings.Say("Everybody who was scheduled left the list") || !p.Warnings.Say("include_deactivated") {
					w.t.Errorf("%s", p.Warnings)
				}
				if r := w.Apply(p); len(r.Errors) > 0 {
					w.t.Fatal(r.Errors)
				}
				if got := w.get("status"); !drop && got != "released" {
					w.t.Errorf("status %v", got)
				}
				w.nothing(none)
				some := with(w.later(w.hard, w.ids[0]), keep)
				w.apply(some)
				w.is("scheduled", false)
				w.nothing(some)
			}, nil)
		})
	}
	t.Run("one of two", func(t *testing.T) {
		each(t, []noun{userBatch}, func(w *world) {
			w.apply(w.later(w.hard, w.ids[0], w.ids[1]))
			if p := w.plan(w.later(w.hard, w.ids[0])); p.Warnings.Say("Everybody who was scheduled") {
				w.t.Errorf("%s", p.Warnings)
			}
		}, nil)
	})
}

// A destroy that could restore nobody, because another block has come, still says what it
// drops.
func TestForgottenCountsWhatItDrops(t *testing.T) {
	each(t, []noun{userBatch}, func(w *world) {
		c := with(w.block(w.soft, w.ids[0]), restoring)
		w.apply(c)
		w.fault(emulator.Fault{Kind: emulator.FaultFailUser, UserID: w.ids[1], Times: forever})
		w.Run(acctest.Change{Address: w.address, Config: with(w.block(w.soft, w.ids[0], w.ids[1]), restoring)})
		w.s.ClearFaults()
		if w.of(w.ids[1]) != "failed" {
			w.t.Fatalf("%v", w.results())
		}
		r := w.Run(acctest.Change{Address: w.address}, acctest.Change{Address: users.address, Config: users.block(userSoft, w.ids[0])})
		if len(r.Errors) > 0 || !r.Warnings.Say("A deletion is failed") && !r.Warnings.Say("A deletion failed") {
			w.t.Errorf("%s%s", r.Errors, r.Warnings)
		}
	}, nil)
}
