// Copyright (c) the terraform-provider-streamchat authors
// SPDX-License-Identifier: MPL-2.0

package user_test

import (
	"path/filepath"
	"testing"

	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/acctest"
)

// What an export and a restriction say of an id that is not stored: an ephemeral value that a
// plan does not know yet stands in no way of a record that needs it no more, and whoever is
// stored by the id must be named.
func TestPersonWithoutID(t *testing.T) {
	restriction(t, func(t *testing.T, s *acctest.Stream, core *acctest.Core, _ acctest.Config) {
		blocks := map[string]acctest.Config{
			exported: {"path": filepath.Join(t.TempDir(), "x.json")},
			hold:     {"on_destroy": "forget"},
		}
		by := func(address string, name string, id any) acctest.Config {
			c := acctest.Config{name: id}
			for k, v := range blocks[address] {
				c[k] = v
			}
			return c
		}
		for address := range blocks {
			good(t, core.Run(acctest.Change{Address: address, Config: by(address, "user_id_wo", restricted)}))
			if p := core.Plan(address, by(address, "user_id_wo", acctest.Later(restricted))); len(p.Errors) > 0 || p.Action != acctest.NoOp {
				t.Errorf("%s, not known yet: %s %s", address, p.Action, p.Errors)
			}
			if p := core.Plan(address, by(address, "user_id_wo", nil)); len(p.Errors) > 0 || p.Action != acctest.NoOp {
				t.Errorf("%s, left out: %s %s", address, p.Action, p.Errors)
			}
			if p := core.Plan(address, by(address, "user_id_wo", "maria-ortiz")); !p.Errors.Say("Another person or another pseudonym_key") {
				t.Errorf("%s of another person: %s", address, p.Errors)
			}
			good(t, core.Run(acctest.Change{Address: address, Config: by(address, "user_id", restricted)}))
			if p := core.Plan(address, by(address, "user_id", nil)); !p.Errors.Say("Nobody named") {
				t.Errorf("%s names nobody: %s %s", address, p.Action, p.Errors)
			}
		}
		if n := s.Count("ExportUser") + s.Count("DeactivateUser"); n != 2 {
			t.Errorf("%d calls, want one of each", n)
		}
	})
}

// A refresh knows no id, so it is a plan that finds somebody erased: as a known value, since
// nothing is sent for it. Terraform plans once more in the apply, and stops where that is not
// so any more.
func TestRestrictionWithoutIDOfSomebodyErased(t *testing.T) {
	restriction(t, func(t *testing.T, s *acctest.Stream, core *acctest.Core, _ acctest.Config) {
		block := acctest.Config{"user_id_wo": restricted, "on_destroy": "forget"}
		plan := core.Plan(hold, block)
		if !plan.Warnings.Say("does not take this back") {
			t.Errorf("%s", plan.Warnings)
		}
		good(t, core.Apply(plan))
		s.Call(t, "DELETE", "/users/"+restricted, "") // softly
		plan = core.Plan(hold, block)
		if plan.Action != acctest.Update || plan.Get("status") != "erased" || len(plan.Warnings) > 0 {
			t.Fatalf("%s %v %s", plan.Action, plan.After, plan.Warnings)
		}
		late := core.Fork()
		good(t, core.Apply(plan))
		if record := core.State(hold); record.Get("status") != "erased" || core.Plan(hold, acctest.Config{"on_destroy": "forget"}).Action != acctest.NoOp {
			t.Errorf("%+v", record)
		}
		plan = late.Plan(hold, block)
		s.Call(t, "POST", "/users/restore", `{"user_ids": ["`+restricted+`"]}`)
		if r := late.Apply(plan); !r.Errors.Say("Provider produced inconsistent final plan") || late.State(hold).Get("status") != "deactivated" {
			t.Errorf("%s %+v", r.Errors, late.State(hold))
		}
		if n := s.Count("DeactivateUser"); n != 1 {
			t.Errorf("%d deactivations, want 1", n)
		}
	})
}
