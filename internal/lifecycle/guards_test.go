// Copyright (c) the terraform-provider-streamchat authors
// SPDX-License-Identifier: MPL-2.0

package lifecycle_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/acctest"
	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/emulator"
)

// patch changes a user as a back end would.
func patch(t *testing.T, s *acctest.Stream, body string) {
	t.Helper()
	if status, answer := s.Call(t, "PATCH", "/users", body); status/100 != 2 {
		t.Fatalf("PATCH /users: %d %s", status, answer)
	}
}

// What the provider's guards refuse is an error of the plan, and nothing is sent.
func TestGuards(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		of       []noun
		provider config
		before   func(t *testing.T, s *acctest.Stream)
		says     string
	}{
		"protected id":   {of: []noun{users, userBatch}, provider: config{"protected_user_ids": []string{"waters-malone"}}, says: "Protected user"},
		"protected role": {of: []noun{users, userBatch}, provider: config{"protected_roles": []string{"user"}}, says: "Protected role"},
		"held": {
			of: []noun{users, userBatch}, provider: config{"hold_field": "legal_hold"}, says: "Held user",
			before: func(t *testing.T, s *acctest.Stream) {
				patch(t, s, `{"users":[{"id":"waters-malone","set":{"legal_hold":"case 17"}}]}`)
			},
		},
		"wrong app":  {of: nouns, provider: config{"expected_app_name": "Production"}, says: "Wrong app"},
		"bad secret": {of: nouns, provider: config{"api_secret": "wrong-secret"}, says: "Stream rejected the credentials"},
	} {
		t.Run(name, func(t *testing.T) {
			each(t, tt.of, func(w *world) {
				if tt.before != nil {
					tt.before(w.t, w.s)
				}
				w.refused(tt.says, w.block(w.hard))
				w.refused(tt.says, w.block(w.soft))
			}, tt.provider)
		})
	}
}

// A plan that was approved on Friday meets Monday's world: the guards run again
// before the call.
func TestGuardsAtApply(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		provider config
		weekend  func(t *testing.T, w *world)
		says     string
	}{
		"held": {config{"hold_field": "legal_hold"}, func(t *testing.T, w *world) {
			patch(t, w.s, `{"users":[{"id":"waters-malone","set":{"legal_hold":true}}]}`)
		}, "Held user"},
		"promoted": {config{"protected_roles": []string{"admin"}}, func(t *testing.T, w *world) {
			patch(t, w.s, `{"users":[{"id":"waters-malone","set":{"role":"admin"}}]}`)
		}, "Protected role"},
		"protected": {nil, func(_ *testing.T, w *world) { w.Provider["protected_user_ids"] = []string{"waters-malone"} }, "Protected user"},
		"other app": {nil, func(_ *testing.T, w *world) { w.Provider["expected_app_name"] = "Production" }, "Wrong app"},
		"lowered":   {nil, func(_ *testing.T, w *world) { w.Provider["max_erasures"] = 1 }, "Too many erasures"},
	} {
		t.Run(name, func(t *testing.T) {
			each(t, []noun{users, userBatch}, func(w *world) {
				changes := []acctest.Change{
					{Address: w.address, Config: w.block(w.hard)},
					{Address: w.address + "2", Config: w.block(w.hard, w.ids[1])},
				}
				if tt.says != "Too many erasures" {
					changes = changes[:1]
				}
				p := w.PlanAll(changes...)
				if len(p.Errors) > 0 {
					w.t.Fatal(p.Errors)
				}
				tt.weekend(w.t, w)
				if r := w.Apply(p); !r.Errors.Say(tt.says) {
					w.t.Errorf("it does not say %q: %s", tt.says, r.Errors)
				}
				if len(changes) == 1 {
					w.once(0)
					w.none()
				} else if got := slices.Concat(w.calls()...); len(got) > 1 {
					w.t.Errorf("sent %v", got)
				}
			}, tt.provider)
		})
	}
}

// max_erasures counts distinct subjects of a run; what is on record does not count.
func TestMaxErasures(t *testing.T) {
	each(t, nouns, func(w *world) {
		one := acctest.Change{Address: w.address, Config: w.block(w.hard)}
		two := acctest.Change{Address: w.address + "2", Config: w.block(w.hard, w.ids[1])}
		if p := w.PlanAll(one, two); !p.Errors.Say("Too many erasures in one run") {
			w.t.Errorf("errors: %s", p.Errors)
		}
		w.once(0)
		for _, changes := range [][]acctest.Change{{one}, {one, two}} {
			if r := w.Run(changes...); len(r.Errors) > 0 {
				w.t.Fatal(r.Errors)
			}
		}
		w.once(2)
	}, config{"max_erasures": 1})
}

// The same subject in two blocks of a run is an error, in whatever they stand.
func TestSameSubjectTwice(t *testing.T) {
	each(t, nouns, func(w *world) {
		p := w.PlanAll(acctest.Change{Address: w.address, Config: w.block(w.hard)}, acctest.Change{Address: w.address + "2", Config: w.block(w.hard)})
		if !p.Errors.Say("The same subject twice") {
			w.t.Errorf("errors: %s", p.Errors)
		}
		w.once(0)
	}, nil)
}

func TestSameSubjectAloneAndInABatch(t *testing.T) {
	t.Parallel()
	acctest.Bubble(t, func(t *testing.T) {
		w := newWorld(t, users, nil)
		p := w.PlanAll(acctest.Change{Address: users.address, Config: users.block(userHard)}, acctest.Change{Address: userBatch.address, Config: userBatch.block(userHard)})
		if !p.Errors.Say("The same subject twice") {
			t.Errorf("errors: %s", p.Errors)
		}
	})
}

// Who never was is an error of the plan, or a record without a call.
func TestMissing(t *testing.T) {
	each(t, nouns, func(w *world) {
		ghost := w.block(w.hard, w.ghost)
		w.refused("Subject not found", ghost)
		recorded := with(ghost, config{"on_missing": "record"})
		p := w.plan(recorded)
		if !w.list && !p.Warnings.Say("Nothing to delete") {
			w.t.Errorf("warnings: %s", p.Warnings)
		}
		if r := w.Apply(p); len(r.Errors) > 0 {
			w.t.Fatal(r.Errors)
		}
		w.is("completed", false)
		w.once(0)
		if got := w.get("outcome"); !w.list && got != "not_found" || w.of(w.ghost) != "completed" {
			w.t.Errorf("outcome %v, %v", got, w.of(w.ghost))
		}
		w.nothing(recorded)
	}, nil)
}

// Who was there in the plan and is not at the apply is not recorded as erased.
func TestMissingAtApply(t *testing.T) {
	each(t, []noun{users, channels, channelBatch, messageNoun}, func(w *world) {
		c := with(w.block(w.hard), config{w.subject: acctest.Later(w.ghost)})
		if w.list {
			c[w.subject] = acctest.Later([]string{w.ghost})
		}
		w.fails("Subject not found", c)
		w.none()
		w.once(0)
	}, config{"allow_unknown_subjects": true})
}

// What a plan does not know: a subject is an error unless the operator lets it pass,
// modes always are.
func TestUnknownValues(t *testing.T) {
	each(t, nouns, func(w *world) {
		c := w.block(w.hard)
		subject := with(c, config{w.subject: acctest.Later(c[w.subject])})
		w.refused("Subject not known in the plan", subject)
		w.Provider["allow_unknown_subjects"] = true
		for name, value := range w.hard {
			m, block := value.(config)
			if !block { // a block is never unknown as a whole
				w.refused("Mode not known in the plan", with(c, config{name: acctest.Unknown}))
			}
			for inner := range m {
				w.refused("Mode not known in the plan", with(c, config{name: with(m, config{inner: acctest.Unknown})}))
			}
		}
		p := w.plan(subject)
		if !p.Warnings.Say("only known at apply") || p.Get("irreversible") != true || p.Get("status") != acctest.Unknown {
			w.t.Errorf("%v: %s", p.After, p.Warnings)
		}
		if r := w.Apply(p); len(r.Errors) > 0 {
			w.t.Fatal(r.Errors)
		}
		w.is("completed", false)
		w.once(1)
		w.nothing(c)
	}, nil)
}

// A subject that becomes known is guarded at apply.
func TestUnknownSubjectIsGuardedAtApply(t *testing.T) {
	each(t, []noun{users, userBatch}, func(w *world) {
		c := w.block(w.hard)
		w.fails("Protected user", with(c, config{w.subject: acctest.Later(c[w.subject])}))
		w.once(0)
		w.none()
	}, config{"allow_unknown_subjects": true, "protected_user_ids": []string{"waters-malone"}})
}

// A provider whose configuration is not known yet leaves look-up and guards to the
// apply, and says so.
func TestProviderNotKnownInThePlan(t *testing.T) {
	each(t, nouns, func(w *world) {
		w.Provider["api_secret"] = acctest.Later(w.s.APISecret())
		p := w.plan(w.block(w.hard))
		if !p.Warnings.Say("Not looked up in the plan") {
			w.t.Errorf("warnings: %s", p.Warnings)
		}
		w.quiet("a plan without credentials")
		if r := w.Apply(p); len(r.Errors) > 0 {
			w.t.Fatal(r.Errors)
		}
		w.is("completed", false)
		w.nothing(w.block(w.hard))
	}, nil)
}

// Without credentials a plan fails, but one of what is final does not need any.
func TestMissingCredentials(t *testing.T) {
	each(t, nouns, func(w *world) {
		w.apply(w.block(w.hard))
		w.Provider["api_secret"], w.Provider["api_key"] = nil, nil
		w.nothing(w.block(w.hard))
		if p := w.Plan(w.address+"2", w.block(w.hard, w.ids[1])); !p.Errors.Say("Missing api_") {
			w.t.Errorf("errors: %s", p.Errors)
		}
		w.apply(nil)
		w.none()
	}, nil)
}

// A deletion that somebody else made before is repeated, since only Stream's answer
// proves the modes.
func TestAlreadyDeleted(t *testing.T) {
	each(t, []noun{users, userBatch, messageNoun}, func(w *world) {
		if w.op == users.op {
			post(w.t, w.s, "/users/delete", `{"user_ids":["waters-malone"],"user":"soft"}`)
		} else if status, answer := w.s.Call(w.t, "DELETE", "/messages/message-alpha?hard=false", ""); status != 200 {
			w.t.Fatalf("%d %s", status, answer)
		}
		w.s.ResetRequests()
		p := w.plan(w.block(w.hard))
		if !p.Warnings.Say("Already deleted") && !p.Warnings.Say("deleted before") {
			w.t.Errorf("warnings: %s", p.Warnings)
		}
		if r := w.Apply(p); len(r.Errors) > 0 {
			w.t.Fatal(r.Errors)
		}
		w.is("completed", false)
		w.once(1)
		if !w.gone(w.s, w.ids[0]) {
			w.t.Error("it is still there")
		}
	}, nil)
}

// An answer that could be about somebody else is an error, never a fact.
func TestProbeThatSaysSomethingElse(t *testing.T) {
	each(t, []noun{users, userBatch}, func(w *world) {
		w.fault(emulator.Fault{Op: "UpdateUsersPartial", Kind: emulator.FaultCustom, Status: 400, ContentType: "application/json", Body: `{"code":4,"message":"something else","StatusCode":400}`, Times: forever})
		p := w.Plan(w.address, with(w.block(w.hard, w.ghost), config{"on_missing": "record"}))
		if len(p.Errors) == 0 {
			w.t.Errorf("%s", p.Action)
		}
		w.once(0)
	}, nil)
}

// The new owner must be somebody who is there, and somebody else.
func TestNewOwner(t *testing.T) {
	each(t, []noun{users, userBatch}, func(w *world) {
		c := w.block(w.hard)
		w.refused("New owner not found", with(c, config{"new_channel_owner_id": w.ghost}))
		w.refused("New owner is the erased user", with(c, config{"new_channel_owner_id": "heir-active", "new_call_owner_id": "waters-malone"}))
	}, nil)
}

// Nobody is said to have the hold field only where nobody in the app has it, be it whom the
// plan looks up or somebody else; where Stream does not say, nothing is claimed.
func TestNobodyHasTheHoldField(t *testing.T) {
	each(t, []noun{users, userBatch}, func(w *world) {
		const says = "Nobody has the hold field"
		if p := w.plan(w.block(w.hard)); !p.Warnings.Say(says) {
			w.t.Errorf("nobody has it: %s", p.Warnings)
		}
		w.fault(emulator.Fault{Op: "QueryUsers", Kind: emulator.FaultCustom, Status: 400, ContentType: "application/json", Body: `{"code":4,"message":"no"}`, After: 1, Times: 1})
		if p := w.plan(w.block(w.hard)); p.Warnings.Say(says) {
			w.t.Errorf("nobody was asked: %s", p.Warnings)
		}
		w.s.ClearFaults()
		post(w.t, w.s, "/users", `{"users":{"heir-second":{"id":"heir-second","legal_hold":false}}}`)
		if p := w.plan(w.block(w.hard)); p.Warnings.Say(says) {
			w.t.Errorf("somebody else has it: %s", p.Warnings)
		}
	}, config{"hold_field": "legal_hold"})
}

// A destroy that finds others at work on whom it would restore says what of its record was
// never finished.
func TestDestroyCountsWhatItDrops(t *testing.T) {
	t.Parallel()
	acctest.Bubble(t, func(t *testing.T) {
		w := newWorld(t, userBatch, nil)
		w.fault(emulator.Fault{Op: "DeleteUsers", Kind: emulator.FaultFailUser, UserID: w.ids[1], Error: "no", Times: 1})
		c := w.block(with(w.soft, restoring), w.ids[:2]...)
		w.fails("Deletion failed at Stream", c)
		w.Untaint(w.address)
		renamed := strings.TrimSuffix(w.address, "x") + "renamed"
		r := w.Run(acctest.Change{Address: w.address}, acctest.Change{Address: renamed, Config: w.block(with(w.soft, restoring), w.ids[0])})
		if w.s.Count("RestoreUsers") != 0 || !r.Warnings.Say("failed; without the record") {
			t.Errorf("%d restored, %s%s", w.s.Count("RestoreUsers"), r.Errors, r.Warnings)
		}
	})
}
