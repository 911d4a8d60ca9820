// Copyright (c) the terraform-provider-streamchat authors
// SPDX-License-Identifier: MPL-2.0

package acctest_test

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/acctest"
)

func TestCore(t *testing.T) {
	t.Parallel()
	acctest.Bubble(t, func(t *testing.T) {
		s := acctest.InMemory(t)
		s.Users(t, "waters-malone")
		core := acctest.NewCore(t, s, nil)
		const address = "streamchat_user_erasure.x"
		config := acctest.Config{"user_id": "waters-malone", "delete": acctest.Config{"user": "hard"}}
		plan := core.Plan(address, config)
		if len(plan.Errors) > 0 || plan.Action != acctest.Create || plan.Get("status") != acctest.Unknown || plan.Get("delete", "messages") != "hard" || !plan.Warnings.Say("Irreversible deletion") {
			t.Fatalf("plan: %s %v %v %v", plan.Action, plan.After, plan.Errors, plan.Warnings)
		}
		if result := core.Apply(plan); len(result.Errors) > 0 {
			t.Fatal(result.Errors)
		}
		record := core.State(address)
		if record.Get("status") != "completed" || record.Get("outcome") != "erased" || record.Tainted || record.Identity["user_id"] != "waters-malone" {
			t.Fatalf("state: %+v", record)
		}
		if plan := core.Plan(address, config); plan.Action != acctest.NoOp || len(plan.Errors) > 0 {
			t.Errorf("second plan: %s %v", plan.Action, plan.Errors)
		}
		read, diags := core.Data("streamchat_user", acctest.Config{"user_id": "waters-malone", "probe": true})
		if len(diags) > 0 || read["status"] != "deleted" {
			t.Errorf("data source: %v %s", read, diags)
		}
		if plan := core.Plan(address, nil); plan.Action != acctest.Delete || len(core.Apply(plan).Errors) > 0 || core.State(address) != nil {
			t.Errorf("destroy: %s %v %v", plan.Action, plan.Errors, core.State(address))
		}
	})
}

// A data source that waits for a change is read in the apply, what an ephemeral resource
// gives is there for write-only arguments, and an action goes before its trigger.
func TestCoreBeside(t *testing.T) {
	t.Parallel()
	acctest.Bubble(t, func(t *testing.T) {
		s := acctest.InMemory(t)
		s.Users(t, "waters-malone", "maria-ortiz")
		core := acctest.NewCore(t, s, acctest.Config{"allow_unknown_subjects": true})
		const (
			data, export, action = "data.streamchat_users.all", "ephemeral.streamchat_user_export.copy", "action.streamchat_export_user.first"
			held, one, many      = "streamchat_user_deactivation.a", "streamchat_user_erasure.b", "streamchat_user_erasure_batch.c"
		)
		first := acctest.Change{Address: action, Config: acctest.Config{"user_id": "maria-ortiz", "before_erasure": true, "path": filepath.Join(t.TempDir(), "copy.json")}}
		acctest.Triggered(one, true)(&first)
		plan := core.PlanAll(
			first,
			acctest.Change{Address: held, Config: acctest.Config{"user_id": "waters-malone"}},
			acctest.Change{Address: data, Config: acctest.Config{"filter": `{"id":"waters-malone"}`, "include_deactivated": true}, After: []string{held}},
			acctest.Change{Address: many, Config: acctest.Config{"user_ids": acctest.Ref(data, "user_ids"), "delete": acctest.Config{"user": "soft"}}},
			acctest.Change{Address: export, Config: acctest.Config{"user_id": "maria-ortiz"}},
			acctest.Change{Address: one, Config: acctest.Config{
				"user_id": "maria-ortiz", "expected_wo": acctest.Config{"name": "Name of maria-ortiz"}, "delete": acctest.Config{"user": "soft"},
			}},
		)
		if len(plan.Errors) > 0 || plan.Changes[data].Action != acctest.Read || plan.Changes[many].Get("user_ids") != acctest.Unknown || plan.Changes[action].Action != acctest.Invoke {
			t.Fatalf("%s %+v", plan.Errors, plan.Changes[data])
		}
		if r := core.Apply(plan); len(r.Errors) > 0 {
			t.Fatal(r.Errors)
		}
		if got := core.State(many).Get("user_ids", 0); got != "waters-malone" {
			t.Errorf("the batch is about %v", got)
		}
		order := ""
		for _, r := range s.Requests("ExportUser", "DeleteUsers") {
			if slices.Contains(r.UserIDs, "maria-ortiz") {
				order += r.Op + " "
			}
		}
		if before, _, deleted := strings.Cut(order, "DeleteUsers"); !deleted || before == "" {
			t.Errorf("order: %s", order)
		}
	})
}
