// Copyright (c) the terraform-provider-streamchat authors
// SPDX-License-Identifier: MPL-2.0

package lifecycle_test

import (
	"strings"
	"testing"
	"time"

	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/acctest"
	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/emulator"
)

// impatient gives up soon, so that a fault shows.
var impatient = config{"max_retries": 1, "request_timeout": "5s"}

const forever = emulator.Forever

// A failure is told apart from a fact: a deletion that did not go through is an
// error and leaves no record, unless Stream, which may have begun it, would not tell
// a subject that is gone from one that never was; then the record is all that knows
// of it. The next apply gets it done.
func TestFailedCreation(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		fault emulator.Fault
		says  string
		// begun: Stream may have carried it out, or has begun to.
		begun bool
		tasks bool // only where Stream has tasks
	}{
		"dropped before":  {fault: emulator.Fault{Kind: emulator.FaultDropBefore, Times: forever}, says: "Stream could not be reached", begun: true},
		"dropped after":   {fault: emulator.Fault{Kind: emulator.FaultDropAfter, Times: forever}, says: "Stream could not be reached", begun: true},
		"no answer":       {fault: emulator.Fault{Kind: emulator.FaultHang, Times: forever}, says: "Stream could not be reached", begun: true},
		"half an answer":  {fault: emulator.Fault{Kind: emulator.FaultStall, Times: forever}, says: "Stream could not be reached", begun: true},
		"half the JSON":   {fault: emulator.Fault{Kind: emulator.FaultTruncated, Times: forever}, says: "Unexpected answer from Stream", begun: true},
		"500":             {fault: emulator.Fault{Kind: emulator.Fault500, Times: forever}, says: "Stream's server failed", begun: true},
		"HTML 502":        {fault: emulator.Fault{Kind: emulator.FaultHTML502, Times: forever}, says: "Stream's server failed", begun: true},
		"HTML 200":        {fault: emulator.Fault{Kind: emulator.FaultHTML200}, says: "Unexpected answer from Stream", begun: true},
		"429 for ever":    {fault: emulator.Fault{Kind: emulator.Fault429, Times: forever}, says: "Stream's rate limit"},
		"redirect":        {fault: emulator.Fault{Kind: emulator.FaultRedirect307}, says: "Stream's address redirects"},
		"refused":         {fault: emulator.Fault{Kind: emulator.FaultCustom, Status: 403, ContentType: "application/json", Body: `{"code":17,"message":"not allowed, canary-4711","StatusCode":403}`}, says: "Stream refused the request"},
		"failing task":    {fault: emulator.Fault{Kind: emulator.FaultFailTask, Error: "canary-4711"}, says: "Deletion failed at Stream", begun: true, tasks: true},
		"failing subject": {fault: emulator.Fault{Kind: emulator.FaultFailUser, Error: "canary-4711"}, says: "Deletion failed at Stream", begun: true, tasks: true},
	} {
		t.Run(name, func(t *testing.T) {
			of := some
			if tt.tasks {
				of = only(func(n noun) bool { return n.task })
			} else if name == "500" || name == "dropped after" {
				of = nouns
			}
			each(t, of, func(w *world) {
				w.Secret("canary-4711")
				w.fault(tt.fault)
				c := w.block(w.hard)
				r := w.fails(tt.says, c)
				again := acctest.Create
				if tt.begun && w.forgets {
					again = acctest.Replace
					w.is("failed", true)
					if w.of(w.ids[0]) != "failed" || !w.list && !r.Warnings.Say("The failed deletion is kept on record") || strings.Contains(w.receipt(), "canary") {
						w.t.Errorf("kept as %v: %s", w.State(w.address).Values, r.Warnings)
					}
				} else {
					w.none()
				}
				w.s.ClearFaults()
				p := w.plan(c)
				if p.Action != again {
					w.t.Errorf("the next plan is to %s, want %s", p.Action, again)
				}
				if r := w.Apply(p); len(r.Errors) > 0 {
					w.t.Fatal(r.Errors)
				}
				w.is("completed", false)
				if !w.gone(w.s, w.ids[0]) {
					w.t.Error("it is still there")
				}
				w.nothing(c)
			}, impatient)
		})
	}
}

// What passes is waited out within one apply.
func TestPassingFault(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		fault emulator.Fault
		sent  int
	}{
		"429":              {emulator.Fault{Kind: emulator.Fault429, Times: 3}, 4},
		"429, no headers":  {emulator.Fault{Kind: emulator.FaultBare429, Times: 3}, 4},
		"429, plain text":  {emulator.Fault{Kind: emulator.FaultPlain429, Times: 3}, 4},
		"429 of an edge":   {emulator.Fault{Kind: emulator.FaultEdge429, Times: 3}, 4},
		"500":              {emulator.Fault{Kind: emulator.Fault500, Times: 2}, 3},
		"503":              {emulator.Fault{Kind: emulator.Fault503, Times: 2}, 3},
		"HTML 502":         {emulator.Fault{Kind: emulator.FaultHTML502, Times: 2}, 3},
		"dropped before":   {emulator.Fault{Kind: emulator.FaultDropBefore, Times: 2}, 3},
		"dropped after":    {emulator.Fault{Kind: emulator.FaultDropAfter, Times: 2}, 3},
		"cut off":          {emulator.Fault{Kind: emulator.FaultShortBody, Times: 2}, 3},
		"slow":             {emulator.Fault{Kind: emulator.FaultSlow, Delay: 20 * time.Second}, 1},
		"reset in a day":   {emulator.Fault{Kind: emulator.FaultResetFuture}, 1},
		"reset in past":    {emulator.Fault{Kind: emulator.FaultResetPast}, 1},
		"limit not told":   {emulator.Fault{Kind: emulator.FaultNoHeaders}, 1},
		"no proof at once": {emulator.Fault{Kind: emulator.FaultMissingUser}, 1},
	} {
		t.Run(name, func(t *testing.T) {
			of := []noun{users, channelBatch, messageNoun}
			if tt.fault.Kind == emulator.FaultMissingUser {
				of = []noun{users, userBatch} // a look-up and a probe settle it
			}
			each(t, of, func(w *world) {
				w.fault(tt.fault)
				w.apply(w.block(w.hard))
				w.is("completed", false)
				w.once(tt.sent)
				w.nothing(w.block(w.hard))
			}, nil)
		})
	}
}

// A look-up that says nothing, or of somebody else, stops it before the call.
func TestFailedLookUp(t *testing.T) {
	t.Parallel()
	for name, fault := range map[string]emulator.Fault{
		"empty object": {Kind: emulator.FaultCustom, Status: 200, ContentType: "application/json", Body: `{"duration":"1ms"}`, Times: forever},
		"HTML":         {Kind: emulator.FaultHTML200, Times: forever},
		"500":          {Kind: emulator.Fault500, Times: forever},
		"dropped":      {Kind: emulator.FaultDropBefore, Times: forever},
		"Not Found":    {Kind: emulator.FaultCustom, Status: 404, ContentType: "application/json", Body: `{"code":16,"message":"Request failed with error: \"Not Found\"","StatusCode":404}`, Times: forever},
	} {
		t.Run(name, func(t *testing.T) {
			each(t, []noun{users, channelBatch, messageNoun, truncations}, func(w *world) {
				fault := fault
				fault.Op = w.lookUp
				c := w.block(w.hard)
				p := w.plan(c)
				w.fault(fault)
				if broken := w.Plan(w.address, c); len(broken.Errors) == 0 {
					w.t.Error("a plan without a look-up passes")
				}
				if r := w.Apply(p); len(r.Errors) == 0 {
					w.t.Error("an apply without a look-up passes")
				}
				w.once(0)
				w.none()
			}, impatient)
		})
	}
}

// A timeout with the task still running is a warning. The record says submitted, so
// that every plan is an update until the end is known, and nothing is sent again.
func TestTimeout(t *testing.T) {
	each(t, only(func(n noun) bool { return n.task }), func(w *world) {
		c := w.block(with(w.hard, config{"timeouts": config{"create": "5m", "update": "5m"}}))
		r := w.apply(c)
		if !r.Warnings.Say("not finished") || !r.Warnings.Say("The timeout of this resource ended") {
			w.t.Errorf("warnings: %s", r.Warnings)
		}
		w.is("submitted", false)
		if w.of(w.ids[0]) != "submitted" {
			w.t.Errorf("the subject is %v", w.of(w.ids[0]))
		}
		for _, options := range [][]acctest.Option{nil, {acctest.NoRefresh}} {
			p := w.plan(c, options...)
			if p.Action != acctest.Update || p.Get("status") != acctest.Unknown || p.Get("irreversible") != true || !p.Warnings.Say("under way") {
				w.t.Errorf("%s %v %s", p.Action, p.Get("status"), p.Warnings)
			}
			if r := w.Apply(p); len(r.Errors) > 0 || !r.Warnings.Say("not finished") {
				w.t.Errorf("%s%s", r.Errors, r.Warnings)
			}
			w.is("submitted", false)
		}
		// The update waits as long as it takes.
		delete(c, "timeouts")
		c = with(c, config{"timeouts": config{"update": "2h"}})
		w.apply(c, acctest.NoRefresh)
		w.is("completed", false)
		w.once(1)
		w.nothing(c)
	}, nil, slowTasks)
}

// What nobody could look up after the call is submitted: the next run looks again.
func TestUnverified(t *testing.T) {
	each(t, nouns, func(w *world) {
		w.fault(emulator.Fault{Op: w.lookUp, Kind: emulator.Fault500, Behind: w.op, Times: forever})
		c := w.block(w.hard)
		if r := w.apply(c); !r.Warnings.Say("not finished") {
			w.t.Errorf("warnings: %s", r.Warnings)
		}
		w.is("submitted", false)
		if p := w.plan(c, acctest.NoRefresh); p.Action != acctest.Update {
			w.t.Errorf("the plan is to %s", p.Action)
		}
		w.s.ClearFaults()
		w.apply(c, acctest.NoRefresh)
		w.is("completed", false)
		w.once(1)
		w.nothing(c)
	}, impatient)
}

// submitted leaves a record whose task is still under way.
func (w *world) submitted(modes config) {
	w.t.Helper()
	w.apply(w.block(with(modes, config{"timeouts": config{"create": "1m", "update": "1m"}})))
	w.is("submitted", false)
	w.s.ResetRequests()
}

// A refresh that learns the end makes the plan an update, so that an apply saves it;
// nothing is sent.
func TestRefreshLearnsTheEnd(t *testing.T) {
	each(t, only(func(n noun) bool { return n.task }), func(w *world) {
		c := w.block(with(w.hard, config{"timeouts": config{"create": "1m", "update": "1m"}}))
		w.submitted(w.hard)
		time.Sleep(2 * time.Hour)
		p := w.plan(c)
		if p.Action != acctest.Update || p.Get("status") != acctest.Unknown || !p.Warnings.Say("Result not saved yet") {
			w.t.Errorf("%s %v: %s", p.Action, p.Get("status"), p.Warnings)
		}
		w.is("submitted", false) // a plan saves nothing
		w.s.ResetRequests()
		if r := w.Apply(p); len(r.Errors) > 0 {
			w.t.Error(r.Errors)
		}
		w.is("completed", false)
		w.quiet("saving what a refresh learned")
		w.nothing(c)
		w.nothing(c, acctest.NoRefresh)
	}, nil, slowTasks)
}

// The same of an end that is a failure: the next apply sends it again.
func TestRefreshLearnsOfAFailure(t *testing.T) {
	each(t, only(func(n noun) bool { return n.task }), func(w *world) {
		w.fault(emulator.Fault{Kind: emulator.FaultFailUser})
		c := w.block(with(w.hard, config{"timeouts": config{"create": "1m", "update": "2h"}}))
		w.submitted(w.hard)
		w.s.ClearFaults()
		time.Sleep(2 * time.Hour)
		if p := w.plan(c); p.Action != acctest.Update || p.Get("status") != acctest.Unknown {
			w.t.Errorf("%s %v", p.Action, p.Get("status"))
		}
		w.apply(c)
		w.is("completed", false)
		w.once(1)
		if !w.gone(w.s, w.ids[0]) {
			w.t.Error("it is still there")
		}
	}, nil, slowTasks)
}

// A task that Stream has forgotten proves nothing: looked up and sent again, and the
// record holds both.
func TestForgottenTask(t *testing.T) {
	each(t, only(func(n noun) bool { return n.task }), func(w *world) {
		w.apply(w.block(with(w.hard, config{"timeouts": config{"create": "1m"}})))
		task := w.s.Requests(w.op)[0].TaskID
		w.s.ForgetTask(task)
		c := w.block(with(w.hard, config{"timeouts": config{"update": "2h"}}))
		w.apply(c)
		w.is("completed", false)
		w.once(2)
		if !strings.Contains(w.receipt(), task) || !strings.Contains(w.receipt(), w.s.Requests(w.op)[1].TaskID) {
			w.t.Errorf("receipt: %s", w.receipt())
		}
		w.nothing(c)
	}, nil, slowTasks)
}

// A poll that fails is no result: submitted stays submitted.
func TestFailedPoll(t *testing.T) {
	each(t, []noun{users, channelBatch}, func(w *world) {
		w.fault(emulator.Fault{Op: "GetTask", Kind: emulator.FaultHTML200, Times: forever})
		c := w.block(w.hard)
		if r := w.apply(c); !r.Warnings.Say("not finished") {
			w.t.Errorf("warnings: %s", r.Warnings)
		}
		w.is("submitted", false)
		if p := w.Plan(w.address, c); len(p.Errors) > 0 || p.Action != acctest.Update || !p.Warnings.Say("Record not brought up to date") {
			w.t.Errorf("a refresh that cannot read the task: %s, %s %s", p.Action, p.Errors, p.Warnings)
		}
		w.apply(c, acctest.NoRefresh)
		w.is("submitted", false)
		w.s.ClearFaults()
		w.apply(c)
		w.is("completed", false)
		w.once(1)
	}, impatient)
}

// State that was changed by something else is refused, and nothing is sent.
func TestDamagedRecord(t *testing.T) {
	each(t, nouns, func(w *world) {
		c := w.block(w.hard)
		w.apply(c)
		for _, receipt := range []any{"", "{", `{"attempts":[{"status":"done"}]}`, `[]`} {
			w.Alter(w.address, func(v map[string]any) { v["receipt"] = receipt })
			w.refused("Damaged record", c)
			w.refused("Damaged record", c, acctest.NoRefresh)
		}
		w.once(1)
	}, nil)
}
