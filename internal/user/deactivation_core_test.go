// Copyright (c) the terraform-provider-streamchat authors
// SPDX-License-Identifier: MPL-2.0

package user_test

import (
	"context"
	"testing"

	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/acctest"
	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/emulator"
)

const restricted = "waters-malone"

// restriction is a core with a user to restrict, and a block for it.
func restriction(t *testing.T, test func(t *testing.T, s *acctest.Stream, core *acctest.Core, block acctest.Config)) {
	t.Helper()
	t.Parallel()
	acctest.Bubble(t, func(t *testing.T) {
		s := acctest.InMemory(t)
		s.Fill(t, `{
			"users": [{"id": "waters-malone", "name": "Malone"}, {"id": "maria-ortiz"}],
			"channels": [{"cid": "messaging:both", "created_by_id": "maria-ortiz", "members": ["waters-malone", "maria-ortiz"]}],
			"messages": [{"id": "m1", "cid": "messaging:both", "user_id": "waters-malone", "text": "hi"}]
		}`)
		test(t, s, acctest.NewCore(t, s, acctest.Config{"max_retries": 1}), acctest.Config{"user_id": restricted})
	})
}

func good(t *testing.T, r *acctest.Result) {
	t.Helper()
	if len(r.Errors) > 0 {
		t.Fatal(r.Errors)
	}
}

func inForce(t *testing.T, s *acctest.Stream, core *acctest.Core) {
	t.Helper()
	record := core.State(hold)
	if u, _ := s.User(restricted); record == nil || record.Tainted || record.Get("status") != "deactivated" || !u.Deactivated {
		t.Fatalf("record %+v, at Stream %+v", record, u)
	}
}

func TestDeactivationLifecycle(t *testing.T) {
	restriction(t, func(t *testing.T, s *acctest.Stream, core *acctest.Core, block acctest.Config) {
		plan := core.Plan(hold, block)
		if plan.Action != acctest.Create || plan.Get("status") != acctest.Unknown || !plan.Warnings.Say("Restriction of processing") {
			t.Errorf("%s %v %s", plan.Action, plan.After, plan.Warnings)
		}
		good(t, core.Apply(plan))
		inForce(t, s, core)
		if id := core.State(hold).Identity["user_id"]; id != restricted {
			t.Errorf("identity %v", id)
		}
		if plan := core.Plan(hold, block); plan.Action != acctest.NoOp {
			t.Errorf("the second plan is to %s", plan.Action)
		}
		for _, replace := range []func(){
			func() { good(t, core.Apply(core.Plan(hold, block, acctest.WithReplace))) },
			func() { core.Taint(hold); good(t, core.Apply(core.Plan(hold, block))) },
			func() {
				good(t, core.Apply(core.Plan(hold, block, acctest.WithReplace, acctest.CreateBeforeDestroy)))
			},
		} {
			replace()
			inForce(t, s, core)
		}
		if n := s.Count("ReactivateUser"); n != 0 {
			t.Errorf("replacements lifted the restriction %d times", n)
		}
		if _, err := s.SDK.ReactivateUser(context.Background(), restricted); err != nil {
			t.Fatal(err)
		}
		plan = core.Plan(hold, block)
		if plan.Action != acctest.Update || plan.Get("status") != acctest.Unknown || !plan.Warnings.Say("lifted outside of Terraform") {
			t.Errorf("%s %s", plan.Action, plan.Warnings)
		}
		good(t, core.Apply(plan))
		inForce(t, s, core)
		r := core.Run(acctest.Change{Address: hold})
		if u, _ := s.User(restricted); len(r.Errors) > 0 || !r.Warnings.Say("User reactivated") || core.State(hold) != nil || u.Deactivated {
			t.Errorf("%s%s, at Stream %+v", r.Errors, r.Warnings, u)
		}
	})
}

// Whatever goes wrong with the call, the record is there when the restriction is, and
// the next apply gets it done.
func TestDeactivationFailures(t *testing.T) {
	t.Parallel()
	for name, kind := range map[string]emulator.FaultKind{
		"500": emulator.Fault500, "dropped before": emulator.FaultDropBefore, "dropped after": emulator.FaultDropAfter,
		"HTML": emulator.FaultHTML502, "hang": emulator.FaultHang, "redirect": emulator.FaultRedirect301,
	} {
		t.Run(name, func(t *testing.T) {
			restriction(t, func(t *testing.T, s *acctest.Stream, core *acctest.Core, block acctest.Config) {
				plan := core.Plan(hold, block)
				s.AddFault(emulator.Fault{Op: "DeactivateUser", Kind: kind, Times: emulator.Forever})
				// Who is deactivated although the answer was lost is found so by the repeat.
				settled := kind == emulator.FaultDropAfter || kind == emulator.FaultHang
				if r := core.Apply(plan); len(r.Errors) == 0 != settled || core.State(hold) != nil != settled {
					t.Errorf("errors %s, record %v", r.Errors, core.State(hold))
				}
				s.ClearFaults()
				good(t, core.Run(acctest.Change{Address: hold, Config: block}))
				inForce(t, s, core)
			})
		})
	}
}

func TestDeactivationInterrupted(t *testing.T) {
	t.Parallel()
	for name, when := range map[string]func(*acctest.Stream, func()){
		"before the call": func(s *acctest.Stream, do func()) { s.Before("POST /users/*/deactivate", 1, do) },
		"after the call":  func(s *acctest.Stream, do func()) { s.After("POST /users/*/deactivate", 1, do) },
	} {
		t.Run(name, func(t *testing.T) {
			restriction(t, func(t *testing.T, s *acctest.Stream, core *acctest.Core, block acctest.Config) {
				plan := core.Plan(hold, block)
				when(s, core.Interrupt)
				core.Apply(plan)
				inForce(t, s, core)
				if plan := core.Plan(hold, block); plan.Action != acctest.NoOp {
					t.Errorf("the next plan is to %s", plan.Action)
				}
			})
		})
	}
}

// A destroy that fails keeps restriction and record; the next one lifts it.
func TestDeactivationFailedDestroy(t *testing.T) {
	restriction(t, func(t *testing.T, s *acctest.Stream, core *acctest.Core, block acctest.Config) {
		good(t, core.Run(acctest.Change{Address: hold, Config: block}))
		s.AddFault(emulator.Fault{Op: "ReactivateUser", Kind: emulator.Fault500, Times: emulator.Forever})
		if r := core.Run(acctest.Change{Address: hold}); len(r.Errors) == 0 {
			t.Error("no error")
		}
		inForce(t, s, core)
		s.ClearFaults()
		good(t, core.Run(acctest.Change{Address: hold}))
		if u, _ := s.User(restricted); u.Deactivated || core.State(hold) != nil {
			t.Errorf("at Stream %+v", u)
		}
	})
}

func TestDeactivationRefusals(t *testing.T) {
	restriction(t, func(t *testing.T, s *acctest.Stream, core *acctest.Core, block acctest.Config) {
		refused := func(says string, config acctest.Config, options ...acctest.Option) {
			t.Helper()
			if plan := core.Plan(hold, config, options...); !plan.Errors.Say(says) {
				t.Errorf("the plan does not say %q: %s", says, plan.Errors)
			}
		}
		refused("Subject not found", acctest.Config{"user_id": "ghost-nobody"})
		refused("Invalid user id", acctest.Config{"user_id": "a/b"})
		refused("User is not deactivated", block, acctest.ImportID(restricted))
		good(t, core.Run(acctest.Change{Address: hold, Config: block}))
		refused("The subject of a restriction cannot change", acctest.Config{"user_id": "maria-ortiz"})
		refused("Option of a restriction that is in force", acctest.Config{"user_id": restricted, "mark_messages_deleted": true})
		core.Forget(hold)
		good(t, core.Apply(core.Plan(hold, block, acctest.ImportIdentity(acctest.Config{"user_id": restricted}))))
		inForce(t, s, core)
	})
}
