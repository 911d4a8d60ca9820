// Copyright (c) the terraform-provider-streamchat authors
// SPDX-License-Identifier: MPL-2.0

package acctest_test

import (
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
