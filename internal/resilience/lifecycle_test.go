// Copyright (c) the terraform-provider-streamchat authors
// SPDX-License-Identifier: MPL-2.0

package resilience

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/acctest"
	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/emulator"
	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/tfcli"
)

// What Terraform itself may do to a record, and what the world may do between a
// plan and its apply.

// erasures are the subjects that keep a record of an erasure.
func erasures() []subject {
	var all []subject
	for _, s := range subjects {
		if s.isErasure() {
			all = append(all, s)
		}
	}
	return all
}

func (s subject) completed(t *testing.T, stream *acctest.Stream, w *acctest.Workspace) map[string]any {
	t.Helper()
	values, tainted := w.Record(s.address)
	if values["status"] != "completed" || tainted || !s.gone(stream) {
		t.Fatalf("the record says %v, tainted %v; gone at Stream: %v", values["status"], tainted, s.gone(stream))
	}
	return values
}

// Nothing that Terraform does to a completed record sends anything, and its
// evidence stays.
func TestCompletedRecordIsFinal(t *testing.T) {
	t.Parallel()
	for _, sub := range erasures() {
		t.Run(sub.name, func(t *testing.T) {
			t.Parallel()
			s := start(t)
			block := sub.block(sub.untilDone())
			w := s.Workspace(t, "max_erasures = 1000", block)
			acctest.Expect(t, w.Run("apply", "-auto-approve"), 0)
			before := sub.completed(t, s, w)
			s.ResetRequests()
			same := func(what, address string) {
				t.Helper()
				values, tainted := w.Record(address)
				if tainted || values["receipt"] != before["receipt"] {
					t.Errorf("%s changed the record", what)
				}
			}

			acctest.Expect(t, w.Run("plan", "-detailed-exitcode", "-refresh=false"), 0)
			if r := w.Run("plan", "-refresh-only"); !strings.Contains(r.Stdout, "No changes") {
				t.Errorf("a refresh changes a completed record:\n%s", acctest.Output(r))
			}
			if n := len(s.Requests()); n != 0 {
				t.Errorf("plans of a completed record made %d calls", n)
			}
			acctest.Expect(t, w.Run("apply", "-auto-approve", "-replace="+sub.address), 0)
			same("-replace", sub.address)
			acctest.Expect(t, w.Run("taint", sub.address), 0)
			acctest.Expect(t, w.Run("apply", "-auto-approve"), 0)
			same("taint", sub.address)

			moved := strings.Replace(sub.address, ".", ".moved_", 1)
			kind, name, _ := strings.Cut(sub.address, ".")
			w.Write("max_erasures = 1000", strings.Replace(block, fmt.Sprintf("%q %q", kind, name), fmt.Sprintf("%q %q", kind, "moved_"+name), 1)+
				fmt.Sprintf("moved {\n  from = %s\n  to   = %s\n}\n", sub.address, moved))
			acctest.Expect(t, w.Run("plan"), 0, "has moved to")
			acctest.Expect(t, w.Run("apply", "-auto-approve"), 0)
			same("moved", moved)

			w.Write("", fmt.Sprintf("removed {\n  from = %s\n  lifecycle {\n    destroy = false\n  }\n}\n", moved))
			acctest.Expect(t, w.Run("apply", "-auto-approve"), 0)
			if values, _ := w.Record(moved); values != nil {
				t.Error("a removed record is still there")
			}
			if n := s.Count(sub.submit); n != 0 {
				t.Errorf("it was sent %d times more", n)
			}
		})
	}
}

// A restriction and a policy are settings: they stand, whatever Terraform does to
// their records but destroy them.
func TestSettingStands(t *testing.T) {
	t.Parallel()
	for _, sub := range subjects {
		if !sub.untimed {
			continue
		}
		t.Run(sub.name, func(t *testing.T) {
			t.Parallel()
			s := start(t)
			w := s.Workspace(t, "", sub.block(""))
			stands := func(what, address string) {
				t.Helper()
				values, tainted := w.Record(address)
				if status, _ := values["status"].(string); values == nil || tainted || status != sub.done || !sub.gone(s) {
					t.Errorf("%s left %v, tainted %v; at Stream: %v", what, values, tainted, sub.gone(s))
				}
			}
			w.Apply(0)
			stands("apply", sub.address)
			w.Plan(0)
			if r := w.Run("plan", "-refresh-only"); !strings.Contains(r.Stdout, "No changes") {
				t.Errorf("a refresh changes what stands:\n%s", acctest.Output(r))
			}
			acctest.Expect(t, w.Run("apply", "-auto-approve", "-replace="+sub.address), 0)
			stands("-replace", sub.address)
			acctest.Expect(t, w.Run("taint", sub.address), 0)
			w.Apply(0)
			stands("taint", sub.address)
			if n := s.Count("ReactivateUser"); n != 0 {
				t.Errorf("the restriction was lifted %d times in between", n)
			}

			s.ResetRequests()
			kind, name, _ := strings.Cut(sub.address, ".")
			moved := kind + ".moved_" + name
			w.Write("", strings.Replace(sub.block(""), name, "moved_"+name, 1)+fmt.Sprintf("moved {\n  from = %s\n  to   = %s\n}\n", sub.address, moved))
			w.Apply(0)
			stands("moved", moved)
			w.Write("", fmt.Sprintf("removed {\n  from = %s\n  lifecycle {\n    destroy = false\n  }\n}\n", moved))
			w.Apply(0)
			if values, _ := w.Record(moved); values != nil || !sub.gone(s) {
				t.Errorf("removed: %v; at Stream: %v", values, sub.gone(s))
			}
			if n := s.Count(sub.submit); n != 0 {
				t.Errorf("it was sent %d times more", n)
			}
		})
	}
}

// A run that only refreshes fetches the result of a task, and submits nothing.
func TestRefreshOnlyFetchesTheResult(t *testing.T) {
	t.Parallel()
	for _, sub := range erasures() {
		if sub.poll == "" {
			continue
		}
		t.Run(sub.name, func(t *testing.T) {
			t.Parallel()
			s := start(t)
			s.AddFault(emulator.Fault{Op: sub.poll, Kind: emulator.FaultNotYet, Times: emulator.Forever})
			w := s.Workspace(t, "max_erasures = 1000", sub.block("timeouts = { create = \"2s\" }"))
			acctest.Expect(t, w.Run("apply", "-auto-approve"), 0, "not finished")
			acctest.Expect(t, w.Run("plan", "-detailed-exitcode"), 2, "will be updated in-place")
			acctest.Expect(t, w.Run("plan", "-detailed-exitcode", "-refresh=false"), 2, "will be updated in-place")
			s.ClearFaults()
			sent := s.Count(sub.submit)
			acctest.Expect(t, w.Run("apply", "-auto-approve", "-refresh-only"), 0)
			sub.completed(t, s, w)
			acctest.Expect(t, w.Run("plan", "-detailed-exitcode"), 0)
			if n := s.Count(sub.submit); n != sent {
				t.Errorf("%d calls, %d before the refresh", n, sent)
			}
		})
	}
}

// A plan that is approved on Friday and applied on Monday tells what was found on
// Monday.
func TestSavedPlanMeetsAnotherWorld(t *testing.T) {
	t.Parallel()
	deletes := func(t *testing.T, s *acctest.Stream) {
		if status, body := s.Call(t, http.MethodPost, "/users/delete", `{"user_ids":["alice"],"user":"hard","messages":"hard","conversations":"hard"}`); status/100 != 2 {
			t.Fatalf("%d %s", status, body)
		}
		s.ResetRequests()
	}
	for name, tt := range map[string]struct {
		id, more string
		before   func(t *testing.T, s *acctest.Stream)
		weekend  func(t *testing.T, s *acctest.Stream)
		found    string
		outcome  string
	}{
		"gone meanwhile":        {id: "alice", weekend: deletes, found: "deleted", outcome: "erased"},
		"deactivated meanwhile": {id: "alice", weekend: func(t *testing.T, s *acctest.Stream) { s.Call(t, http.MethodPost, "/users/alice/deactivate", `{}`) }, found: "deactivated", outcome: "erased"},
		"registered meanwhile":  {id: "carol", more: "on_missing = \"record\"", weekend: func(t *testing.T, s *acctest.Stream) { s.Users(t, "carol") }, found: "present", outcome: "erased"},
		"restored meanwhile": {
			id: "alice", found: "present", outcome: "erased",
			before: func(t *testing.T, s *acctest.Stream) {
				s.Call(t, http.MethodPost, "/users/delete", `{"user_ids":["alice"],"user":"soft"}`)
			},
			weekend: func(t *testing.T, s *acctest.Stream) {
				s.Call(t, http.MethodPost, "/users/restore", `{"user_ids":["alice"]}`)
			},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := start(t)
			if tt.before != nil {
				tt.before(t, s)
			}
			w := s.Workspace(t, "", fmt.Sprintf("resource \"streamchat_user_erasure\" \"dsr\" {\n  user_id = %q\n  delete { user = \"hard\" }\n  %s\n}\n", tt.id, tt.more))
			acctest.Expect(t, w.Run("plan", "-out=friday"), 0)
			tt.weekend(t, s)
			acctest.Expect(t, w.Run("apply", "friday"), 0)
			values, _ := w.Record("streamchat_user_erasure.dsr")
			if values["status"] != "completed" || values["found"] != tt.found || values["outcome"] != tt.outcome {
				t.Errorf("the record says %v, found %v, outcome %v", values["status"], values["found"], values["outcome"])
			}
			if u, ok := s.User(tt.id); !ok || !u.HardDeleted {
				t.Errorf("at Stream: %+v", u)
			}
			acctest.Expect(t, w.Run("plan", "-detailed-exitcode"), 0)
		})
	}
}

// A task that Stream has forgotten since the plan is not taken for a result: the
// user is looked up and sent again.
func TestSavedPlanMeetsAForgottenTask(t *testing.T) {
	t.Parallel()
	s := start(t)
	s.AddFault(emulator.Fault{Op: "GetTask", Kind: emulator.FaultNotYet, Times: emulator.Forever})
	sub := subjects[0]
	w := s.Workspace(t, "", sub.block("timeouts = { create = \"1s\" }\n"+sub.untilDone()))
	acctest.Expect(t, w.Run("apply", "-auto-approve"), 1)
	acctest.Expect(t, w.Run("plan", "-out=friday"), 0)
	values, _ := w.Record(sub.address)
	task, _ := values["task_id"].(string)
	s.ClearFaults()
	s.ForgetTask(task)
	acctest.Expect(t, w.Run("apply", "friday"), 0)
	after := sub.completed(t, s, w)
	if receipt, _ := after["receipt"].(string); after["found"] != "deleted" || !strings.Contains(receipt, `"found":"present"`) || !strings.Contains(receipt, task) {
		t.Errorf("found %v, receipt %v", after["found"], after["receipt"])
	}
	if n := carriedOut(s, sub); n != 2 {
		t.Errorf("sent %d times", n)
	}
	acctest.Expect(t, w.Run("plan", "-detailed-exitcode"), 0)
}

// Two runs at once that no lock keeps apart: both end well, each with its record,
// and a subject is sent once by each at most. Each has a state of its own, as two
// pipelines with two copies would: two runs that write one local file may tear it,
// which is Terraform's affair.
func TestTwoAppliesAtOnce(t *testing.T) {
	t.Parallel()
	states := []string{"one.tfstate", "two.tfstate"}
	for _, sub := range []subject{subjects[0], subjects[1]} {
		t.Run(sub.name, func(t *testing.T) {
			t.Parallel()
			s := start(t)
			w := s.Workspace(t, "max_erasures = 1000", sub.block(sub.untilDone()))
			release := make(chan struct{})
			s.AddFault(emulator.Fault{Op: sub.submit, Kind: emulator.FaultHang, Times: emulator.Forever, Release: release})
			ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
			defer cancel()
			var runs []*tfcli.Process
			for _, state := range states {
				p, err := w.Start("apply", "-auto-approve", "-lock=false", "-state="+state)
				if err != nil {
					t.Fatal(err)
				}
				runs = append(runs, p)
			}
			acctest.Eventually(t, "both have sent", func() bool { return carriedOut(s, sub) >= 2 })
			close(release)
			for _, p := range runs {
				r, err := p.Wait(ctx)
				if err != nil {
					t.Fatal(err)
				}
				acctest.Expect(t, r, 0)
			}
			if n := carriedOut(s, sub); n > 2 {
				t.Errorf("sent %d times", n)
			}
			for _, state := range states {
				if values, tainted := w.RecordIn(state, sub.address); values["status"] != completed || tainted || !sub.gone(s) {
					t.Errorf("%s says %v, tainted %v; gone at Stream: %v", state, values["status"], tainted, sub.gone(s))
				}
				acctest.Expect(t, w.Run("plan", "-detailed-exitcode", "-state="+state), 0)
			}
		})
	}
}
