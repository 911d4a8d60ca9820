// Copyright (c) the terraform-provider-streamchat authors
// SPDX-License-Identifier: MPL-2.0

package user_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/acctest"
	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/clock/clocktest"
	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/emulator"
)

// These tests run the CLI itself, for what plugin-testing cannot see: warnings,
// saved plans, exit codes, signals.

const untilCompleted = acctest.UntilCompleted

func record(t *testing.T, w *acctest.Workspace, address string) (values map[string]any, tainted bool) {
	t.Helper()
	return w.Record(address)
}

func eventually(t *testing.T, what string, happened func() bool) {
	t.Helper()
	acctest.Eventually(t, what, happened)
}

func TestCLIPlanShowsWhatWillBeGone(t *testing.T) {
	t.Parallel()
	s := acctest.Start(t)
	s.Users(t, "alice")
	w := s.Workspace(t, "", erase("alice", hardly))
	facts := []string{`conversations = "hard"`, `messages = "hard"`, `user = "hard"`, `files = true`, `polls = true`, `irreversible = true`, `not_covered = [`, `"calls"`}
	expect(t, w.Run("plan", "-out=saved"), 0, append(facts, "Warning: Irreversible deletion", "state present, role user", "cannot be undone")...)
	expect(t, w.Run("show", "saved"), 0, facts...)

	var plan struct {
		ResourceChanges []struct {
			Change struct {
				After        map[string]any
				AfterUnknown map[string]any `json:"after_unknown"`
			}
		} `json:"resource_changes"`
	}
	if err := json.Unmarshal([]byte(w.Run("show", "-json", "saved").Stdout), &plan); err != nil {
		t.Fatal(err)
	}
	change := plan.ResourceChanges[0].Change
	if got := fmt.Sprint(change.After["delete"]); got != "map[calls:<nil> conversations:hard files:true messages:hard polls:true user:hard]" || change.After["irreversible"] != true || len(change.After["not_covered"].([]any)) == 0 {
		t.Errorf("after: %v", change.After)
	}
	for _, name := range []string{"status", "found", "outcome", "task_id", "receipt", "verified_at"} {
		if change.AfterUnknown[name] != true {
			t.Errorf("%s is planned as known", name)
		}
	}

	expect(t, w.Run("apply", "saved"), 0, "1 added")
	if out := acctest.Output(w.Run("apply", "-auto-approve")); strings.Contains(out, "[id=") {
		t.Errorf("progress lines name the subject: %s", out)
	}
	s.ResetRequests()
	expect(t, w.Run("plan", "-detailed-exitcode"), 0, "No changes")
	if n := len(s.Requests()); n != 0 {
		t.Errorf("%d requests for the plan of a completed erasure", n)
	}
	expect(t, w.Run("plan", "-destroy"), 0, "Destroying forgets the record", "does not come back")
	expect(t, w.Run("destroy", "-auto-approve"), 0, "Record removed, data not restored")
	if n := len(s.Requests()); n != 0 {
		t.Errorf("%d requests for a destroy", n)
	}
}

// 30 erasures of one for_each at Terraform's own parallelism.
// Not beside others: how many come together depends on the machine.
func TestCLIThirtyErasures(t *testing.T) {
	s := acctest.Start(t, func(o *emulator.Options) { o.DeleteUsersLimit = 6; o.TaskDelay = 2 * time.Second })
	ids := make([]string, 30)
	for i := range ids {
		ids[i] = fmt.Sprintf("member-%02d", i)
	}
	s.Users(t, ids...)
	w := s.Workspace(t, "delete_calls_per_minute = 6", `
resource "streamchat_user_erasure" "dsr" {
  for_each = { for i in range(30) : format("DSR-%02d", i) => format("member-%02d", i) }
  user_id  = each.value
  delete { user = "hard" }`+untilCompleted+`
}`)
	expect(t, w.Run("apply", "-auto-approve"), 0, "30 added")
	if calls, most := s.Count("DeleteUsers"), s.MaxInWindow("DeleteUsers", time.Minute); calls > 6 || most > 6 {
		t.Errorf("%d delete calls, %d within a minute", calls, most)
	}
	tasks := map[string]int{}
	for _, r := range s.Requests("GetTask") {
		tasks[r.Path]++
	}
	for task, polls := range tasks {
		if polls > 8 {
			t.Errorf("%s was asked for %d times in 2 s: one poller is meant", task, polls)
		}
	}
	for _, r := range s.Requests() {
		if r.Status == 429 {
			t.Errorf("%s ran into its limit", r.Op)
		}
	}
	t.Logf("30 users: %d API calls, %d of them deletions, %d tasks", len(s.Requests()), s.Count("DeleteUsers"), len(tasks))
	s.ResetRequests()
	expect(t, w.Run("plan", "-detailed-exitcode"), 0, "No changes")
	if n := len(s.Requests()); n != 0 {
		t.Errorf("%d requests for the second plan", n)
	}
}

// A timeout with the task still running is a warning, not a taint.
func TestCLITimeout(t *testing.T) {
	t.Parallel()
	now := clocktest.New(time.Now())
	s := acctest.Start(t, func(o *emulator.Options) { o.Clock = now; o.TaskDelay = time.Hour })
	s.Users(t, "alice")
	w := s.Workspace(t, "", erase("alice", hardly+"\n  timeouts = { create = \"2s\", update = \"2s\" }"))
	expect(t, w.Run("apply", "-auto-approve"), 0, "Warning: Deletion submitted, not finished", "The timeout of this resource ended before the task did")
	expect(t, w.Run("apply", "-auto-approve"), 0, "Warning: Deletion submitted, not finished")
	if values, tainted := record(t, w, dsr); values["status"] != "submitted" || tainted {
		t.Errorf("state: %v, tainted %v", values, tainted)
	}
	now.Advance(2 * time.Hour)
	expect(t, w.Run("apply", "-auto-approve"), 0)
	if values, _ := record(t, w, dsr); values["status"] != "completed" {
		t.Errorf("state: %v", values)
	}
	if n := s.Count("DeleteUsers"); n != 1 {
		t.Errorf("%d delete calls", n)
	}
}

func TestCLIReplacementKeepsWhatTheRecordKnew(t *testing.T) {
	t.Parallel()
	s := acctest.Start(t)
	s.Users(t, "alice")
	w := s.Workspace(t, "", erase("alice", hardly))
	expect(t, w.Run("apply", "-auto-approve"), 0)
	before, _ := record(t, w, dsr)

	expect(t, w.Run("plan", "-replace="+dsr), 0, "will be replaced, as requested", `"completed" -> (known after apply)`)
	expect(t, w.Run("apply", "-auto-approve", "-replace="+dsr), 0)
	expect(t, w.Run("taint", dsr), 0)
	expect(t, w.Run("plan"), 0, "is tainted, so", "Warning: Replacing the record of an erasure", "its evidence is kept")
	expect(t, w.Run("apply", "-auto-approve"), 0)

	after, tainted := record(t, w, dsr)
	if tainted || after["receipt"] != before["receipt"] || after["task_id"] != before["task_id"] {
		t.Errorf("before %v\nafter %v", before, after)
	}
	if n := s.Count("DeleteUsers"); n != 1 {
		t.Errorf("%d delete calls", n)
	}
	// Less than was done cannot become a new record either.
	expect(t, w.Run("taint", dsr), 0)
	w.Write("", erase("alice", acctest.DeleteBlock(`user = "soft"`)))
	expect(t, w.Run("apply", "-auto-approve"), 1, "A deletion cannot be taken back")
	if after, tainted := record(t, w, dsr); !tainted || after["receipt"] != before["receipt"] {
		t.Errorf("evidence after a refused replacement: %v", after)
	}
}

func TestCLIRestoreOnDestroy(t *testing.T) {
	t.Parallel()
	now := clocktest.New(time.Now())
	s := acctest.Start(t, func(o *emulator.Options) { o.Clock = now; o.TaskDelay = time.Minute })
	s.Users(t, "alice")
	body := erase("alice", acctest.DeleteBlock(`user = "soft"`)+"\n  on_destroy = \"restore\"\n  timeouts = { create = \"1s\", update = \"2s\" }")
	w := s.Workspace(t, "", body)

	// In the middle of a replacement nothing is restored, finished or not.
	expect(t, w.Run("apply", "-auto-approve"), 0, "Deletion submitted, not finished")
	expect(t, w.Run("apply", "-auto-approve", "-replace="+dsr), 0)
	now.Advance(2 * time.Minute)
	expect(t, w.Run("apply", "-auto-approve"), 0)
	expect(t, w.Run("taint", dsr), 0)
	expect(t, w.Run("apply", "-auto-approve"), 0)
	if n := s.Count("RestoreUsers"); n != 0 {
		t.Errorf("%d restores in the middle of replacements", n)
	}
	if n := s.Count("DeleteUsers"); n != 1 {
		t.Errorf("%d delete calls", n)
	}

	expect(t, w.Run("plan", "-destroy"), 0, "asks Stream to bring the user back")
	expect(t, w.Run("destroy", "-auto-approve"), 0, "User restored", "memberships are not restored")
	if u, _ := s.User("alice"); u.Deleted {
		t.Error("alice was not restored")
	}
}

func TestCLIOrphanedBlockRestores(t *testing.T) {
	t.Parallel()
	s := acctest.Start(t)
	s.Users(t, "alice")
	w := s.Workspace(t, "", erase("alice", acctest.DeleteBlock(`user = "soft"`)+"\n  on_destroy = \"restore\""))
	expect(t, w.Run("apply", "-auto-approve"), 0)
	w.Write("", "")
	expect(t, w.Run("apply", "-auto-approve"), 0, "User restored")
}

// A plan approved on Friday meets Monday's world: guards run before the call.
func TestCLISavedPlan(t *testing.T) {
	t.Parallel()
	s := acctest.Start(t)
	s.Users(t, "alice")
	w := s.Workspace(t, `hold_field = "legal_hold"`, erase("alice", hardly))
	expect(t, w.Run("plan", "-out=friday"), 0)
	call(t, s, "PATCH", "/users", `{"users":[{"id":"alice","set":{"legal_hold":true}}]}`)
	expect(t, w.Run("apply", "friday"), 1, "Held user")
	if n := s.Count("DeleteUsers"); n != 0 {
		t.Errorf("%d delete calls for a held user", n)
	}
}

// With create_before_destroy the older record is destroyed after the newer one was
// made; that must not bring the user back.
func TestCLICreateBeforeDestroyRestoresNobody(t *testing.T) {
	t.Parallel()
	s := acctest.Start(t)
	s.Users(t, "alice")
	w := s.Workspace(t, "", erase("alice", acctest.DeleteBlock(`user = "soft"`)+"\n  on_destroy = \"restore\"\n  lifecycle {\n    create_before_destroy = true\n  }"))
	expect(t, w.Run("apply", "-auto-approve"), 0)
	expect(t, w.Run("apply", "-auto-approve", "-replace="+dsr), 0)
	if u, _ := s.User("alice"); !u.Deleted || s.Count("RestoreUsers") != 0 {
		t.Errorf("alice was restored by a replacement: %+v", u)
	}
}

// A restore that failed leaves no trace that a later replacement could take for a
// destroy.
func TestCLIFailedRestoreIsForgotten(t *testing.T) {
	t.Parallel()
	s := acctest.Start(t)
	s.Users(t, "alice")
	w := s.Workspace(t, "max_retries = 0", erase("alice", acctest.DeleteBlock(`user = "soft"`)+"\n  on_destroy = \"restore\""))
	expect(t, w.Run("apply", "-auto-approve"), 0)
	s.AddFault(emulator.Fault{Op: "RestoreUsers", Kind: emulator.Fault500})
	expect(t, w.Run("destroy", "-auto-approve"), 1)
	s.ResetRequests()
	expect(t, w.Run("apply", "-auto-approve", "-replace="+dsr), 0)
	if s.Count("RestoreUsers") != 0 || s.Count("DeleteUsers") != 0 {
		t.Errorf("a replacement made %d restores and %d deletions", s.Count("RestoreUsers"), s.Count("DeleteUsers"))
	}
	expect(t, w.Run("destroy", "-auto-approve"), 0, "User restored")
}

// A block that is renamed without a moved block keeps its evidence when Terraform
// drops the old name first, and is sent again, harmlessly, when it does not.
func TestCLIRenamedBlock(t *testing.T) {
	t.Parallel()
	s := acctest.Start(t)
	s.Users(t, "alice")
	w := s.Workspace(t, "", erase("alice", hardly))
	expect(t, w.Run("apply", "-auto-approve"), 0)
	w.Write("", strings.Replace(erase("alice", hardly), "dsr", "renamed", 1))
	expect(t, w.Run("apply", "-auto-approve"), 0)
	if values, _ := record(t, w, "streamchat_user_erasure.renamed"); values["status"] != "completed" {
		t.Errorf("state %v", values)
	}
}

// An heir who has left since does not block an escalation.
func TestCLIEscalationWithAnotherHeir(t *testing.T) {
	t.Parallel()
	s := acctest.Start(t)
	s.Users(t, "alice", "heir", "other")
	w := s.Workspace(t, "", erase("alice", acctest.DeleteBlock(`user = "soft"`)+"\n  new_channel_owner_id = \"heir\""))
	expect(t, w.Run("apply", "-auto-approve"), 0)
	hardDelete(t, s, "heir")
	w.Write("", erase("alice", hardly+"\n  new_channel_owner_id = \"other\""))
	expect(t, w.Run("apply", "-auto-approve"), 0)
	if values, _ := record(t, w, dsr); values["outcome"] != "erased" || values["new_channel_owner_id"] != "other" {
		t.Errorf("state %v", values)
	}
}

// A guard that says no in the middle of a replacement does not take the record.
func TestCLIReplacementRefusedAtApplyKeepsTheRecord(t *testing.T) {
	t.Parallel()
	s := acctest.Start(t)
	s.Users(t, "alice")
	body := erase("alice", acctest.DeleteBlock(`user = "soft"`))
	w := s.Workspace(t, "max_retries = 0", body)
	expect(t, w.Run("apply", "-auto-approve"), 0)
	before, _ := record(t, w, dsr)
	restore(t, s, "alice")
	expect(t, w.Run("taint", dsr), 0)
	expect(t, w.Run("plan", "-out=saved"), 0)
	s.AddFault(emulator.Fault{Op: "QueryUsers", Kind: emulator.Fault500, Times: emulator.Forever})
	s.AddFault(emulator.Fault{Op: "GetApp", Kind: emulator.Fault500, Times: emulator.Forever})
	r := w.Run("apply", "saved")
	expect(t, r, 1)
	t.Log(r.Stdout, r.Stderr)
	after, tainted := record(t, w, dsr)
	if !tainted || after["receipt"] == nil || after["task_id"] != before["task_id"] {
		t.Errorf("the record after a refused replacement: %v", after)
	}
}
