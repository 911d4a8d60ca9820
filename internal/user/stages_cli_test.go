// Copyright (c) the terraform-provider-streamchat authors
// SPDX-License-Identifier: MPL-2.0

package user_test

import (
	"strings"
	"testing"

	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/acctest"
)

// Two stages as the CLI drives them: scheduled, unchanged, renamed, called off; scheduled
// again, and erased because the period is taken away.
func TestCLIStages(t *testing.T) {
	t.Parallel()
	s := acctest.Start(t)
	s.Users(t, "alice")
	later := hardly + "\n  grace_period = \"720h\"\n  received_at = \"2026-01-31\""
	w := s.Workspace(t, "", erase("alice", later))
	expect(t, w.Run("plan"), 0, "Restricted now, erased later", "2026-02-28T23:59:59Z", "Deadline has passed")
	expect(t, w.Run("apply", "-auto-approve"), 0)
	w.Has(dsr, map[string]any{"status": "scheduled", "found": "present", "due_at": "2026-02-28T23:59:59Z"})
	expect(t, w.Run("plan", "-detailed-exitcode"), 0, "No changes")
	renamed := dsr + "2"
	w.Write("", strings.Replace(erase("alice", later), `"dsr"`, `"dsr2"`, 1))
	if !strings.HasSuffix(dsr, ".dsr") {
		t.Fatalf("the block is called %s", dsr)
	}
	expect(t, w.Run("apply", "-auto-approve"), 0)
	w.Has(renamed, map[string]any{"status": "scheduled", "found": "present"})
	if n := s.Count("ReactivateUser"); n != 0 {
		t.Errorf("a rename sent %d reactivations", n)
	}
	expect(t, w.Run("apply", "-auto-approve", "-replace="+renamed), 0)
	if u, _ := s.User("alice"); !u.Deactivated {
		t.Errorf("at Stream: %+v", u)
	}
	expect(t, w.Run("destroy", "-auto-approve"), 0, "Destroying calls the erasure off and reactivates the user", "Erasure called off, user reactivated")
	if u, _ := s.User("alice"); u.Deactivated || u.Deleted || s.Count("DeleteUsers") != 0 {
		t.Errorf("at Stream: %+v", u)
	}
	w.Write("", erase("alice", later))
	expect(t, w.Run("apply", "-auto-approve"), 0)
	w.Write("", erase("alice", hardly))
	expect(t, w.Run("apply", "-auto-approve"), 0, "Irreversible deletion")
	w.Has(dsr, map[string]any{"status": "completed", "outcome": "erased", "found": "deactivated"})
	expect(t, w.Run("plan", "-detailed-exitcode"), 0, "No changes")
}
