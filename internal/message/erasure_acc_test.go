// Copyright (c) the terraform-provider-streamchat authors
// SPDX-License-Identifier: MPL-2.0

package message_test

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/hashicorp/terraform-plugin-testing/helper/resource"
	"github.com/hashicorp/terraform-plugin-testing/knownvalue"
	"github.com/hashicorp/terraform-plugin-testing/plancheck"
	"github.com/hashicorp/terraform-plugin-testing/statecheck"
	"github.com/hashicorp/terraform-plugin-testing/terraform"
	"github.com/hashicorp/terraform-plugin-testing/tfversion"

	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/acctest"
	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/emulator"
)

const dsr = "streamchat_message_erasure.dsr"

const seed = `{
  "users": [{"id": "alice"}, {"id": "bob"}],
  "channels": [{"cid": "messaging:room", "created_by_id": "alice", "members": ["alice", "bob"]}],
  "messages": [
    {"id": "m1", "cid": "messaging:room", "user_id": "alice", "text": "canary text"},
    {"id": "r1", "cid": "messaging:room", "user_id": "bob", "text": "reply", "parent_id": "m1"},
    {"id": "m2", "cid": "messaging:room", "user_id": "bob", "text": "kept"},
    {"id": "a/b c?d#e&ü", "cid": "messaging:room", "user_id": "bob", "text": "odd"}
  ],
  "reactions": [{"message_id": "m1", "user_id": "bob", "type": "like", "score": 1}]
}`

func start(t testing.TB) *acctest.Stream { return acctest.Seeded(t, seed) }

func erase(id string, hard bool, body string) string {
	return fmt.Sprintf("\nresource \"streamchat_message_erasure\" \"dsr\" {\n  message_id = %q\n  hard_delete = %t\n  %s\n}\n", id, hard, body)
}

var attr, steps = acctest.Attr, acctest.Steps

func is(name, value string) statecheck.StateCheck { return acctest.Is(dsr, name, value) }

func hard(want bool) statecheck.StateCheck {
	return acctest.Known(dsr, "hard_delete", knownvalue.Bool(want))
}

// original is what a back end still reads of a message.
func original(t *testing.T, s *acctest.Stream, id string) string {
	t.Helper()
	_, body := s.Call(t, http.MethodGet, "/messages/"+url.PathEscape(id)+"?show_deleted_message=true", "")
	return string(body)
}

func TestAccMessageErasure(t *testing.T) {
	t.Parallel()
	s := start(t)
	config := s.Config("", erase("m1", true, `request_id = "DSR-1"`))
	steps(t,
		resource.TestStep{
			Config: config,
			ConfigPlanChecks: resource.ConfigPlanChecks{PreApply: []plancheck.PlanCheck{
				plancheck.ExpectKnownValue(dsr, attr("irreversible"), knownvalue.Bool(true)),
				plancheck.ExpectKnownValue(dsr, attr("not_covered"), knownvalue.ListExact([]knownvalue.Check{
					knownvalue.StringExact("exports_kept_60_days"), knownvalue.StringExact("mentions_and_quotes"), knownvalue.StringExact("message_history"),
					knownvalue.StringExact("moderation_logs"), knownvalue.StringExact("polls"), knownvalue.StringExact("uploads"), knownvalue.StringExact("webhook_copies"),
				})),
				plancheck.ExpectUnknownValue(dsr, attr("status")),
			}},
			ConfigStateChecks: []statecheck.StateCheck{
				is("status", "completed"), is("found", "present"), is("outcome", "erased"), is("app_name", "Emulator"),
				statecheck.ExpectKnownValue(dsr, attr("task_id"), knownvalue.Null()), statecheck.ExpectKnownValue(dsr, attr("completed_at"), knownvalue.NotNull()),
			},
			Check: func(st *terraform.State) error {
				if receipt := st.RootModule().Resources[dsr].Primary.Attributes["receipt"]; strings.Contains(receipt, "m1") || strings.Contains(receipt, "canary") {
					return fmt.Errorf("receipt: %s", receipt)
				}
				s.ResetRequests()
				return nil
			},
		},
		resource.TestStep{Config: config, PlanOnly: true},
		resource.TestStep{Config: s.Config("", erase("m1", false, "")), ExpectError: acctest.Says("A deletion cannot be taken back")},
		resource.TestStep{Config: s.Config("", erase("m2", true, "")), ExpectError: acctest.Says("The subject of a record cannot change")},
	)
	if n := len(s.Requests()); n != 0 {
		t.Errorf("%d requests after the erasure", n)
	}
	for id, there := range map[string]bool{"m1": false, "r1": false, "m2": true} {
		if _, err := s.SDK.GetMessage(context.Background(), id); (err == nil) != there {
			t.Errorf("%s: %v", id, err)
		}
	}
	if u, _ := s.User("bob"); u.Reactions != 0 {
		t.Error("a reaction to it is left")
	}
}

// A soft deletion keeps the text at Stream; hard follows in place.
func TestAccMessageErasure_escalation(t *testing.T) {
	t.Parallel()
	s := start(t)
	steps(t,
		resource.TestStep{
			Config:            s.Config("", erase("m1", false, "")),
			ConfigStateChecks: []statecheck.StateCheck{is("status", "completed"), is("outcome", "marked_deleted"), hard(false), statecheck.ExpectKnownValue(dsr, attr("irreversible"), knownvalue.Bool(false))},
			Check: func(*terraform.State) error {
				m, err := s.SDK.GetMessage(context.Background(), "m1")
				if err != nil || m.Message.Type != "deleted" || !strings.Contains(original(t, s, "m1"), "canary text") {
					return fmt.Errorf("%+v, %w", m, err)
				}
				return nil
			},
		},
		resource.TestStep{
			Config:            s.Config("", erase("m1", true, "")),
			ConfigPlanChecks:  resource.ConfigPlanChecks{PreApply: []plancheck.PlanCheck{plancheck.ExpectResourceAction(dsr, plancheck.ResourceActionUpdate)}},
			ConfigStateChecks: []statecheck.StateCheck{is("status", "completed"), is("outcome", "erased"), is("found", "deleted"), hard(true)},
		},
	)
	if body := original(t, s, "m1"); strings.Contains(body, "canary") || !strings.Contains(body, `"code":16`) {
		t.Errorf("Stream still has %s", body)
	}
}

// What every erasure refuses is in package user; what validation alone refuses, in
// validate_test.go.
func TestAccMessageErasure_refusals(t *testing.T) {
	t.Parallel()
	s := start(t)
	s.Refused(t, map[string]acctest.Refusal{
		"misspelt":     {Body: erase("m11", true, ""), Says: "Stream does not find this message"},
		"no id":        {Body: erase("m1,m2", true, ""), Says: "Invalid message id"},
		"no mode":      {Body: strings.Replace(erase("m1", true, ""), "hard_delete = true", "", 1), Says: `argument "hard_delete" is required`},
		"unknown mode": {Body: `resource "terraform_data" "x" { input = true }` + strings.Replace(erase("m1", true, ""), "= true", "= terraform_data.x.output", 1), Says: "Mode not known in the plan"},
		"twice":        {Body: acctest.Twice(erase("m1", true, ""), "dsr"), Says: "The same subject twice"},
		"restore":      {Body: erase("m1", false, `on_destroy = "restore"`), Says: "value must be one of"},
	})
	if n := s.Count("DeleteMessage"); n != 0 {
		t.Errorf("%d delete calls came of refused plans", n)
	}
}

// What would be a path of its own is escaped.
func TestAccMessageErasure_oddID(t *testing.T) {
	t.Parallel()
	s := start(t)
	w := s.Workspace(t, "", erase("a/b c?d#e&ü", true, ""))
	w.Apply(0)
	w.Has(dsr, map[string]any{"outcome": "erased"})
	w.Plan(0)
	if n := s.Count("DeleteMessage"); n != 1 {
		t.Errorf("%d delete calls", n)
	}
}

func TestAccMessageErasure_missingIsRecorded(t *testing.T) {
	t.Parallel()
	w := start(t).Workspace(t, "", erase("ghost", true, `on_missing = "record"`))
	w.Apply(0)
	w.Has(dsr, map[string]any{"status": "completed", "found": "missing", "outcome": "not_found"})
	w.Plan(0)
}

// Stream answers at once, and only the look-up proves what it says.
func TestAccMessageErasure_failures(t *testing.T) {
	t.Parallel()
	const json = "application/json"
	tombstone := `{"message":{"id":"m1","type":"deleted","created_at":"2026-01-01T00:00:00Z"}}`
	for name, tt := range map[string]struct {
		fault emulator.Fault
		says  string
		kept  bool
	}{
		"not as deleted":      {emulator.Fault{Op: "DeleteMessage", Kind: emulator.FaultCustom, Status: 200, Body: strings.Replace(tombstone, "deleted", "regular", 1), ContentType: json}, "Unexpected answer", true},
		"said, not done":      {emulator.Fault{Op: "DeleteMessage", Kind: emulator.FaultCustom, Status: 200, Body: tombstone, ContentType: json}, "Deletion failed at Stream", false},
		"said gone, not gone": {emulator.Fault{Op: "DeleteMessage", Kind: emulator.FaultCustom, Status: 404, Body: `{"code":16,"message":"DeleteMessage failed with error: \"message with id m1 doesn't exist\"","StatusCode":404}`, ContentType: json}, "Deletion failed at Stream", false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := start(t)
			w := s.Workspace(t, "max_retries = 0", erase("m1", true, ""))
			s.AddFault(tt.fault)
			w.Apply(1, tt.says)
			if _, tainted := w.Record(dsr); tainted != tt.kept {
				t.Errorf("kept: %v, want %v", tainted, tt.kept)
			}
			s.ClearFaults()
			w.Apply(0)
			w.Has(dsr, map[string]any{"status": "completed", "outcome": "erased"})
			w.Plan(0)
			if _, ok := s.Message("m1"); ok {
				t.Error("the message is still there")
			}
		})
	}
}

// A look-up that cannot be made leaves the record open; the next run looks again
// and sends nothing.
func TestCLIUnverified(t *testing.T) {
	t.Parallel()
	s := start(t)
	w := s.Workspace(t, "max_retries = 0", erase("m1", true, acctest.UntilCompleted))
	// Before the call the plan looks up once and the apply twice, as it plans again.
	s.AddFault(emulator.Fault{Op: "GetMessage", Kind: emulator.Fault500, After: 3, Times: emulator.Forever})
	acctest.Expect(t, w.Run("apply", "-auto-approve"), 1, "Deletion submitted, not finished", "only the look-up that proves it is still to be made")
	if values, tainted := w.Record(dsr); values["status"] != "submitted" || values["outcome"] != nil || tainted {
		t.Errorf("state: %v, tainted %v", values, tainted)
	}
	acctest.Expect(t, w.Run("plan", "-refresh=false", "-detailed-exitcode"), 2, "Deletion under way")
	s.ClearFaults()
	acctest.Expect(t, w.Run("apply", "-auto-approve"), 0)
	values, _ := w.Record(dsr)
	if receipt := fmt.Sprint(values["receipt"]); values["status"] != "completed" || values["found"] != "present" || strings.Count(receipt, `"found"`) != 2 {
		t.Errorf("state: %v", values)
	}
	if n := s.Count("DeleteMessage"); n != 1 {
		t.Errorf("%d delete calls", n)
	}
}

func TestAccMessageErasure_reverted(t *testing.T) {
	t.Parallel()
	s := start(t)
	w := s.Workspace(t, "", erase("m1", false, ""))
	w.Apply(0)
	if status, body := s.Call(t, http.MethodPost, "/messages/m1/undelete", `{"undeleted_by":"alice"}`); status != http.StatusCreated {
		t.Fatalf("%d %s", status, body)
	}
	w.Plan(2)
	acctest.Expect(t, w.Run("apply", "-auto-approve", "-refresh-only"), 0)
	w.Has(dsr, map[string]any{"status": "reverted"})
	w.Apply(0)
	w.Has(dsr, map[string]any{"status": "completed", "found": "present"})
	w.Plan(0)
}

// A tombstone shows that the deletion was soft: hard is no claim then, but still
// to be done.
func TestAccMessageErasure_import(t *testing.T) {
	t.Parallel()
	s := start(t)
	for _, path := range []string{"/messages/m1?hard=true", "/messages/m2?hard=false"} {
		if status, body := s.Call(t, http.MethodDelete, path, ""); status != http.StatusOK {
			t.Fatalf("%d %s", status, body)
		}
	}
	s.ResetRequests()
	w := s.Workspace(t, "", "")
	for id, says := range map[string]string{"a/b c?d#e&ü": "Subject is not erased", "a,b": "Invalid message id"} {
		w.Write("", erase(id, true, "")+acctest.Importing(dsr, id))
		w.Plan(1, says)
	}
	w.Write("", erase("m1", true, "")+acctest.Importing(dsr, "m1"))
	w.Apply(0, "1 imported")
	w.Has(dsr, map[string]any{"status": "completed", "outcome": "adopted", "found": "missing", "hard_delete": true})
	w.Write("", erase("m1", true, ""))
	w.Plan(0)
	if n := s.Count("DeleteMessage"); n != 0 {
		t.Errorf("import sent %d deletions", n)
	}

	w = s.Workspace(t, "", erase("m2", false, "")+acctest.Importing(dsr, "m2"))
	w.Apply(0, "1 imported")
	w.Has(dsr, map[string]any{"outcome": "adopted", "found": "deleted", "hard_delete": false})
	w.Write("", erase("m2", true, ""))
	w.Apply(0, "0 added, 1 changed, 0 destroyed")
	w.Has(dsr, map[string]any{"outcome": "erased", "hard_delete": true})
	if n := s.Count("DeleteMessage"); n != 1 {
		t.Errorf("%d deletions for the tombstone", n)
	}
}

func TestAccMessageErasure_identity(t *testing.T) {
	t.Parallel()
	s := start(t)
	resource.UnitTest(t, resource.TestCase{
		ProtoV6ProviderFactories: acctest.Factories(),
		TerraformVersionChecks:   []tfversion.TerraformVersionCheck{tfversion.SkipBelow(tfversion.Version1_12_0)},
		Steps: []resource.TestStep{{
			Config:            s.Config("", erase("m1", true, "")),
			ConfigStateChecks: []statecheck.StateCheck{statecheck.ExpectIdentity(dsr, map[string]knownvalue.Check{"message_id": knownvalue.StringExact("m1")})},
		}},
	})
}
