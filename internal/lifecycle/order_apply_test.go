// Copyright (c) the terraform-provider-streamchat authors
// SPDX-License-Identifier: MPL-2.0

package lifecycle_test

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/acctest"
)

// slow is a resource that whatever depends on it waits for.
var slow = acctest.Change{Address: "streamchat_user_deactivation.slow", Config: config{"user_id": "waiter-wim"}}

// laterHanna is an export of hanna-berg whose id no plan knows.
func laterHanna(t *testing.T) acctest.Change {
	t.Helper()
	return acctest.Change{Address: exportOfUser, Config: config{"user_id": acctest.Later("hanna-berg"), "path": filepath.Join(t.TempDir(), "x.json")}}
}

// written is how many messages hanna-berg has.
const written = 3

func applyWorld(t *testing.T, wait time.Duration) (*acctest.Stream, *acctest.Core) {
	t.Helper()
	s, core := reachWorld(t)
	s.Users(t, "waiter-wim")
	core.Provider["allow_unknown_subjects"] = true
	s.Before("POST /users/*/deactivate", 1, func() { time.Sleep(wait) })
	return s, core
}

// What no plan can compare is kept apart in the apply: a deletion waits for the export, and
// an export that comes too late never says that it is complete. Nobody else is kept waiting
// or called incomplete.
func TestExportsThatAPlanCannotCompare(t *testing.T) {
	t.Parallel()
	for name, act := range actForms {
		for _, first := range []string{"export", "deletion"} {
			acctest.Bubble(t, func(t *testing.T) {
				wait := time.Second
				if first == "deletion" {
					wait = time.Minute
				}
				s, core := applyWorld(t, wait)
				export, deletion := laterHanna(t), act.change()
				s.Before("GET /users/*/export", 1, func() { time.Sleep(10 * time.Second) })
				if first == "export" {
					deletion = after(deletion, slow.Address)
				} else {
					export = after(export, slow.Address)
				}
				plan := core.PlanAll(export, deletion, slow)
				if len(plan.Errors) > 0 {
					t.Fatalf("%s: %s", name, plan.Errors)
				}
				result := core.Apply(plan)
				record := core.State(exportOfUser)
				complete := record != nil && record.Get("complete") == true
				restricts := strings.Contains(name, "scheduled")
				switch {
				case complete && record.Get("message_count") != written:
					t.Errorf("%s, %s first: a complete export of %v messages", name, first, record.Get("message_count"))
				case name == "the person, scheduled" && first == "deletion": // refused, and taken by the next run
				case (first == "export" || !act.person || restricts) && (!complete || len(result.Errors) > 0):
					t.Errorf("%s, %s first: complete %v: %s", name, first, complete, result.Errors)
				case complete && first == "deletion" && act.person && !restricts:
					t.Errorf("%s: a deletion came first, and the export is complete", name)
				case record != nil && !complete:
					told, problem := core.Function("receipt_text", record.Get("receipt").(string))
					if problem != "" || !strings.Contains(fmt.Sprint(told), "It lacks what was deleted before it was taken") || !result.Warnings.Say("A deletion came before the export") {
						t.Errorf("%s: %s%v %s", name, problem, told, result.Warnings)
					}
				}
				if act.person && !restricts && first == "export" {
					if calls := s.Requests("ExportUser", "DeleteUsers", "DeleteChannels", "DeleteMessage", "TruncateChannel"); len(calls) < 2 || calls[len(calls)-1].Op == "ExportUser" {
						t.Errorf("%s: %v", name, calls)
					}
				}
			})
		}
	}
}

// An export that is still to be taken is not overtaken: the deletion is refused.
func TestDeletionBeforeAnExportThatIsToCome(t *testing.T) {
	t.Parallel()
	acctest.Bubble(t, func(t *testing.T) {
		s, core := applyWorld(t, time.Second)
		s.Before("GET /users", 3, func() { time.Sleep(20 * time.Second) }) // the export's look-up, in its plan
		deletion := acctest.Change{Address: "streamchat_message_erasure.a", Config: config{"message_id": acctest.Later("m-own"), "hard_delete": true}}
		result := core.Run(laterHanna(t), deletion)
		record := core.State(exportOfUser)
		if record == nil || record.Get("complete") != true || record.Get("message_count") != written {
			t.Errorf("export %v: %s", record, result.Errors)
		}
	})
}

// Forms of an export that have no plan tell what came before them.
func TestUnplannedExportsBesideDeletions(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		act  string
		late bool
	}{
		"their channel": {"the channel", true}, "themselves": {"the person", true}, "the partner": {"the partner", true}, "a message they liked": {"a message they liked", true},
	} {
		for _, form := range []string{"data", "ephemeral"} {
			acctest.Bubble(t, func(t *testing.T) {
				_, core := applyWorld(t, time.Minute)
				act := actForms[tt.act].change()
				read := acctest.Change{Address: form + ".streamchat_user_export.x", Config: config{"user_id": "hanna-berg"}, After: []string{slow.Address}}
				plan := core.PlanAll(read, act, slow)
				if len(plan.Errors) > 0 {
					t.Fatalf("%s: %s", name, plan.Errors)
				}
				result := core.Apply(plan)
				if len(result.Errors) > 0 {
					t.Fatalf("%s, %s: %s", form, name, result.Errors)
				}
				if warned := result.Warnings.Say("A deletion came before the export"); warned != tt.late || plan.Changes[read.Address].Get("complete") == true {
					t.Errorf("%s, %s: warned %v: %v", form, name, warned, plan.Changes[read.Address].After)
				}
			})
		}
	}
}

// An action that says that it comes first, and does not, writes nothing.
func TestExportActionAfterTheDeletion(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"the person", "the partner", "the channel", "a stranger"} {
		for _, ahead := range []bool{true, false} {
			acctest.Bubble(t, func(t *testing.T) {
				s, core := reachWorld(t)
				act := actForms[name].change()
				file := filepath.Join(t.TempDir(), "x.json")
				action := acctest.Change{Address: exportByAction, Config: config{"user_id": "hanna-berg", "path": file, "before_erasure": true}}
				acctest.Triggered(act.Address, ahead)(&action)
				result := core.Run(act, action)
				late := !ahead // also a stranger's: nobody has compared them
				if result.Errors.Say("The deletion came first") != late || !late && len(result.Errors) > 0 {
					t.Errorf("%s, ahead %v: %s", name, ahead, result.Errors)
				}
				if n := s.Count("ExportUser"); (n == 0) != late {
					t.Errorf("%s, ahead %v: %d exports", name, ahead, n)
				}
			})
		}
	}
}
