// Copyright (c) the terraform-provider-streamchat authors
// SPDX-License-Identifier: MPL-2.0

package resilience

import (
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/acctest"
	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/clock/clocktest"
	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/emulator"
)

// slow is for what waits for real limits: the provider keeps to Stream's, whatever
// the emulator's clock says.
func slow(t *testing.T) {
	t.Helper()
	if !*full {
		t.Skip("waits for real limits: -full")
	}
}

const (
	campaign = "streamchat_user_erasure_batch.campaign"
	hardly   = `delete { user = "hard" }`
)

func campaignOf(body string, ids ...string) string {
	list, err := json.Marshal(ids)
	if err != nil {
		panic(err)
	}
	return fmt.Sprintf("resource \"streamchat_user_erasure_batch\" \"campaign\" {\n  user_ids = %s\n  %s\n}\n", list, body)
}

// At its deadline a batch returns what is known; the next apply goes on.
func TestBatchAtItsDeadline(t *testing.T) {
	t.Parallel()
	slow(t)
	now := clocktest.New(time.Now())
	s := acctest.Start(t, func(o *emulator.Options) { o.Clock = now; o.TaskDelay = time.Minute })
	ids := make([]string, 150)
	for i := range ids {
		ids[i] = fmt.Sprintf("user-%03d", i)
	}
	s.Users(t, ids...)
	w := s.Workspace(t, "delete_calls_per_minute = 1\n  max_erasures = 200", campaignOf(hardly+"\n  timeouts = { create = \"4s\", update = \"4s\" }", ids...))
	acctest.Expect(t, w.Run("apply", "-auto-approve"), 0, "Batch not finished", "150 of 150 subjects are not finished")
	values, tainted := w.Record(campaign)
	counts := map[any]int{}
	results, _ := values["results"].(map[string]any)
	for _, r := range results {
		counts[r]++
	}
	if tainted || counts["submitted"] != 100 || counts["pending"] != 50 || values["status"] != "submitted" {
		t.Fatalf("tainted %v, counts %v, status %v", tainted, counts, values["status"])
	}
	now.Advance(2 * time.Minute)
	acctest.Expect(t, w.Run("apply", "-auto-approve"), 0)
	acctest.Expect(t, w.Run("plan", "-detailed-exitcode"), 2)
	now.Advance(2 * time.Minute)
	acctest.Expect(t, w.Run("apply", "-auto-approve"), 0)
	acctest.Expect(t, w.Run("plan", "-detailed-exitcode"), 0)
	sentOnce := map[string]int{}
	for _, r := range s.Requests("DeleteUsers") {
		for _, id := range r.UserIDs {
			sentOnce[id]++
		}
	}
	for _, id := range ids {
		if sentOnce[id] != 1 {
			t.Errorf("%s was sent %d times", id, sentOnce[id])
		}
	}
}

// An escalation that does not get to everybody is not told as one.
func TestBatchEscalationAtItsDeadline(t *testing.T) {
	t.Parallel()
	slow(t)
	now := clocktest.New(time.Now())
	s := acctest.Start(t, func(o *emulator.Options) { o.Clock = now; o.TaskDelay = -1 })
	ids := make([]string, 120)
	for i := range ids {
		ids[i] = fmt.Sprintf("user-%03d", i)
	}
	s.Users(t, ids...)
	const limits = "max_erasures = 200\n  delete_calls_per_minute = 2"
	w := s.Workspace(t, limits, campaignOf(`delete { user = "soft" }`, ids...))
	acctest.Expect(t, w.Run("apply", "-auto-approve"), 0)
	const slowly = "max_erasures = 200\n  delete_calls_per_minute = 1"
	w.Write(slowly, campaignOf(hardly+"\n  timeouts = { update = \"25s\" }", ids...))
	acctest.Expect(t, w.Run("apply", "-auto-approve"), 1, "Escalation not finished")
	values, tainted := w.Record(campaign)
	modes, _ := values["delete"].(map[string]any)
	if tainted || values["status"] != "submitted" || modes["user"] != "soft" || values["irreversible"] != true {
		t.Errorf("tainted %v, status %v, delete %v, irreversible %v", tainted, values["status"], modes, values["irreversible"])
	}
	s.ResetRequests()
	w.Write(limits, campaignOf(hardly, ids...))
	acctest.Expect(t, w.Run("apply", "-auto-approve"), 0)
	if calls := s.Requests("DeleteUsers"); len(calls) != 1 || len(calls[0].UserIDs) != 20 {
		t.Errorf("the next apply sent %d calls", len(calls))
	}
	values, _ = w.Record(campaign)
	if modes, _ := values["delete"].(map[string]any); modes["user"] != "hard" || values["status"] != "completed" || values["irreversible"] != true {
		t.Errorf("state %v", values["delete"])
	}
}
