// Copyright (c) the terraform-provider-streamchat authors
// SPDX-License-Identifier: MPL-2.0

//go:build unix

package resilience

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/acctest"
	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/emulator"
)

// What holds when a scheduled erasure is called off, whatever cuts that run off or breaks it:
// nobody is erased, nobody stays deactivated, and the record stays until then.

// lifts is the operation that gives a subject back what its first stage took.
func (s subject) lifts() string { return strings.Replace(s.submit, "Deactivate", "Reactivate", 1) }

// calledOff expects that one more apply ends it.
func calledOff(t *testing.T, s *acctest.Stream, w *acctest.Workspace, sub subject) {
	t.Helper()
	s.ClearFaults()
	w.Apply(0)
	if values, _ := w.Record(sub.address); values != nil {
		t.Errorf("the record is still there: %v", values["status"])
	}
	ids := []string{"alice"}
	if sub.isBatch() {
		ids = batchIDs
	}
	for _, id := range ids {
		if u, ok := s.User(id); !ok || u.Deactivated || u.Deleted {
			t.Fatalf("deactivated %v, deleted %v", u.Deactivated, u.Deleted)
		}
	}
	if n := s.Count("DeleteUsers"); n != 0 {
		t.Errorf("%d deletions", n)
	}
}

func TestCallingOffIsCutOff(t *testing.T) {
	t.Parallel()
	for _, sub := range staged[:2] {
		for _, m := range []moment{
			{name: "sent, not carried out", op: subject.lifts, kind: emulator.FaultHangBefore},
			{name: "carried out, not answered", op: subject.lifts, kind: emulator.FaultHang},
			{name: "the task runs", op: pollOf, kind: emulator.FaultNotYet},
		} {
			for _, k := range kills {
				if m.op(sub) == "" || k.timeouts != "" {
					continue
				}
				name := strings.Join([]string{sub.name, m.name, k.name}, "/")
				if !*full && name != "user erasure, scheduled/carried out, not answered/SIGINT" && name != "user erasure batch, scheduled/the task runs/SIGKILL of the provider" {
					continue
				}
				t.Run(name, func(t *testing.T) {
					t.Parallel()
					s := start(t)
					const impatient = "request_timeout = \"4s\"\n  max_retries = 1\n  max_erasures = 1000"
					w := s.Installed(t, acctest.CLI(t), impatient, sub.block(""))
					w.Apply(0)
					copied, err := os.ReadFile(filepath.Join(w.Dir, "terraform.tfstate"))
					if err != nil {
						t.Fatal(err)
					}
					w.Write(impatient, "")
					acctest.Expect(t, w.Run("plan", "-out=first"), 0)
					s.ResetRequests()
					s.AddFault(emulator.Fault{Op: m.op(sub), Kind: m.kind, Times: emulator.Forever})
					p, err := w.Start("apply", "first")
					send(t, err)
					acctest.Eventually(t, "the run is at "+m.name, func() bool { return s.Count(m.op(sub)) > 0 })
					k.do(t, p)
					ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
					defer cancel()
					if _, err := p.Wait(ctx); err != nil {
						t.Fatal(err)
					}
					restored(t, w, copied)
					calledOff(t, s, w, sub)
				})
			}
		}
	}
}

func TestCallingOffIsBroken(t *testing.T) {
	t.Parallel()
	broken := []string{"429 in plain text, once", "429 without headers, once", "500, once", "500, always", "502 with a page of HTML, always", "JSON cut off, always",
		"connection dropped after the request is carried out, once", "connection dropped after the request is carried out, always",
		"connection dropped before the request is carried out, always", "slower than request_timeout, once", "200 with a page of HTML, Stream is not asked", "task failed"}
	seen := 0
	for _, f := range faults {
		if !slices.Contains(broken, f.name) {
			continue
		}
		seen++
		for _, sub := range staged[:2] {
			if strings.HasPrefix(f.name, "task") && !sub.isBatch() || !*full && f.name != "500, always" {
				continue
			}
			t.Run(f.name+"/"+sub.name, func(t *testing.T) {
				t.Parallel()
				s := start(t)
				c := faultCell{fault: f, sub: sub}
				w := s.Workspace(t, c.provider(""), sub.block(""))
				w.Apply(0)
				w.Write(c.provider(""), "")
				for _, does := range f.does {
					does.Op = sub.lifts()
					s.AddFault(does)
				}
				r := w.Run("apply", "-auto-approve", "-json")
				for _, d := range diagnostics(t, r) {
					for _, canary := range canaries {
						if strings.Contains(d.Summary+d.Detail, canary) {
							t.Errorf("a diagnostic gives away %q: %s", canary, d.Detail)
						}
					}
				}
				values, _ := w.Record(sub.address)
				if (values == nil) != (r.ExitCode == 0) {
					t.Errorf("exit code %d, record %v", r.ExitCode, values["status"])
				}
				if values == nil && sub.gone(s) {
					t.Error("the record is gone, and nobody was reactivated")
				}
				calledOff(t, s, w, sub)
			})
		}
	}
	if seen != len(broken) {
		t.Errorf("%d of %d faults are in the table", seen, len(broken))
	}
}

// stagedCanaries are erasures in two stages of canaries: by their ids, without, and many.
func stagedCanaries(grace string) string {
	return declared + fmt.Sprintf(`
resource "streamchat_user_erasure" "dsr" {
  user_id      = var.one.left
  request_id   = var.one.request
  labels       = { approver = var.one.label }
  received_at  = "2026-01-31"
  grace_period = %[1]q
  delete { user = "hard" }
}
resource "streamchat_user_erasure" "nameless" {
  user_id_wo   = var.one.soft
  grace_period = %[1]q
  delete { user = "hard" }
}
resource "streamchat_user_erasure_batch" "leavers" {
  user_ids     = var.users
  grace_period = %[1]q
  delete { user = "hard" }
}
`, grace)
}

// A life in two stages, with another's hand in it: nothing is printed, and plan files and
// the state hold no more than the interface names.
func TestLeaksInTwoStages(t *testing.T) {
	t.Parallel()
	s := aviary(t)
	c := newCage(t, s, stagedCanaries("720h"))
	c.quiet(0, "plan", "-out=first")
	c.planned("first")
	c.quiet(0, "apply", "first")
	c.quiet(0, "plan", "-detailed-exitcode")
	c.quiet(0, "apply", "-json", "-auto-approve", "-replace=streamchat_user_erasure.dsr", "-replace=streamchat_user_erasure.nameless")
	s.Call(t, http.MethodPost, "/users/canary-user-left/reactivate", `{}`)
	s.Call(t, http.MethodPost, "/users/canary-user-batch1/reactivate", `{}`)
	c.quiet(2, "plan", "-detailed-exitcode")
	c.quiet(0, "apply", "-auto-approve")
	c.Setenv("TF_VAR_users", `["canary-user-batch2"]`) // one is called off
	c.quiet(0, "apply", "-auto-approve")
	for op, address := range map[string]string{"ReactivateUser": "streamchat_user_erasure.dsr", "ReactivateUsers": "streamchat_user_erasure_batch.leavers"} {
		for i, spoil := range spoilt {
			if !*full && i > 0 {
				break
			}
			spoil.Op, spoil.Times = op, emulator.Forever
			s.AddFault(spoil)
			r := c.Run("destroy", "-auto-approve", "-target="+address)
			code := 1
			if r.ExitCode == 0 && spoil.Kind == emulator.FaultShortBody {
				code = 0 // carried out: a look-up may have proved it
			}
			// Of what is destroyed Terraform shows the values on record.
			c.ended(r, code, []string{"a destroy that fails"}, "user", "request", "label")
			s.ClearFaults()
		}
	}
	c.Setenv("TF_VAR_users", variables["users"])
	main, err := os.ReadFile(filepath.Join(c.Dir, "main.tf"))
	send(t, err)
	send(t, os.WriteFile(filepath.Join(c.Dir, "main.tf"), bytes.ReplaceAll(main, []byte(`"720h"`), []byte(`"1s"`)), 0o600))
	// The provider says which request a record answers that Terraform does not show.
	c.ended(c.Run("plan", "-out=second"), 0, []string{"plan of what is due"}, "request")
	c.planned("second")
	c.ended(c.Run("apply", "second"), 0, []string{"apply of what is due"}, "request")
	c.ended(c.Run("apply", "-auto-approve"), 0, []string{"apply of what is due by now"}, "request")
	if state, err := os.ReadFile(filepath.Join(c.Dir, "terraform.tfstate")); err != nil || strings.Contains(string(state), "canary-user-soft") {
		t.Errorf("the state has the id of the one who has none there: %v", err)
	}
}
