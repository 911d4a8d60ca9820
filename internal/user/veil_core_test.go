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

// A refresh knows no id, so it is a plan that finds somebody deleted: it changes nothing for
// it, because they may be brought back.
func TestRestrictionWithoutIDOfSomebodyDeleted(t *testing.T) {
	restriction(t, func(t *testing.T, s *acctest.Stream, core *acctest.Core, _ acctest.Config) {
		block := acctest.Config{"user_id_wo": restricted, "on_destroy": "forget"}
		plan := core.Plan(hold, block)
		if !plan.Warnings.Say("does not take this back") {
			t.Errorf("%s", plan.Warnings)
		}
		good(t, core.Apply(plan))
		quiet := func() {
			t.Helper()
			if plan := core.Plan(hold, block); plan.Action != acctest.NoOp || plan.Get("status") != "deactivated" || len(plan.Warnings) > 0 {
				t.Errorf("%s %v %s", plan.Action, plan.After, plan.Warnings)
			}
		}
		s.Call(t, "DELETE", "/users/"+restricted, "") // softly
		quiet()
		s.Call(t, "POST", "/users/restore", `{"user_ids": ["`+restricted+`"]}`)
		quiet()
		s.Call(t, "POST", "/users/"+restricted+"/reactivate", "{}")
		if plan := core.Plan(hold, block); plan.Action != acctest.Update || !plan.Warnings.Say("lifted outside of Terraform") {
			t.Errorf("%s %s", plan.Action, plan.Warnings)
		}
		if n := s.Count("DeactivateUser"); n != 1 {
			t.Errorf("%d deactivations, want 1", n)
		}
	})
}
