// Copyright (c) the terraform-provider-streamchat authors
// SPDX-License-Identifier: MPL-2.0

package retention_test

import (
	"testing"
	"time"

	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/acctest"
)

// What a new record finds of its predecessor is not somebody else's, and the predecessor does
// not take it along.
func TestRetentionPolicyOfAPredecessor(t *testing.T) {
	t.Parallel()
	block := func(hours int) acctest.Config {
		return acctest.Config{"policy": "old-messages", "max_age_hours": hours}
	}
	for name, play := range map[string]func(t *testing.T, core *acctest.Core, s *acctest.Stream) (last string){
		"replaced, created first": func(t *testing.T, core *acctest.Core, _ *acctest.Stream) string {
			good(t, core.Apply(core.Plan(address, block(9000), acctest.WithReplace, acctest.CreateBeforeDestroy)))
			if core.State(address).Deposed {
				t.Error("the older record is still there")
			}
			return address
		},
		"replaced": func(t *testing.T, core *acctest.Core, _ *acctest.Stream) string {
			good(t, core.Apply(core.Plan(address, block(9000), acctest.WithReplace)))
			return address
		},
		"renamed": func(t *testing.T, core *acctest.Core, _ *acctest.Stream) string {
			good(t, core.Run(acctest.Change{Address: address}, acctest.Change{Address: address + "2", Config: block(9000)}))
			return address + "2"
		},
		"renamed, the new one late": func(t *testing.T, core *acctest.Core, _ *acctest.Stream) string {
			good(t, core.Run(acctest.Change{Address: address}, acctest.Change{Address: address + "2", Config: block(9000), Late: 5 * time.Second}))
			return address + "2"
		},
		"renamed, the old one late": func(t *testing.T, core *acctest.Core, _ *acctest.Stream) string {
			good(t, core.Run(acctest.Change{Address: address, Late: 5 * time.Second}, acctest.Change{Address: address + "2", Config: block(9000)}))
			return address + "2"
		},
		"renamed, the new one planned first": func(t *testing.T, core *acctest.Core, _ *acctest.Stream) string {
			good(t, core.Run(acctest.Change{Address: address, After: []string{address + "2"}}, acctest.Change{Address: address + "2", Config: block(9000)}))
			return address + "2"
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			acctest.Bubble(t, func(t *testing.T) {
				s := acctest.InMemory(t)
				core := acctest.NewCore(t, s, nil)
				good(t, core.Run(acctest.Change{Address: address, Config: block(9000)}))
				last := play(t, core, s)
				if got := policies(t, s); got != "old-messages=9000" {
					t.Errorf("the app has %q", got)
				}
				if p := core.Plan(last, block(9000)); p.Action != acctest.NoOp {
					t.Errorf("the next plan is to %s: %s", p.Action, p.Warnings)
				}
				other := acctest.Change{Address: address + "3", Config: block(9000)}
				if p := core.PlanAll(acctest.Change{Address: last, Config: block(9000)}, other); !p.Errors.Say("The same policy twice") {
					t.Errorf("two blocks: %s%s", p.Errors, p.Warnings)
				}
				good(t, core.Run(acctest.Change{Address: last}))
				if got := policies(t, s); got != "" {
					t.Errorf("after the destroy the app has %q", got)
				}
			})
		})
	}
}

// Somebody else's policy of the same age is taken over, which the plan says; of another age it
// is refused.
func TestRetentionPolicyOfAnother(t *testing.T) {
	t.Parallel()
	acctest.Bubble(t, func(t *testing.T) {
		s := acctest.InMemory(t)
		core := acctest.NewCore(t, s, nil)
		setByHand(t, s, "old-messages", 9000)
		if p := core.Plan(address, acctest.Config{"policy": "old-messages", "max_age_hours": 9001}); !p.Errors.Say("Retention policy exists already") {
			t.Errorf("%s", p.Errors)
		}
		s.ResetRequests()
		r := core.Run(acctest.Change{Address: address, Config: acctest.Config{"policy": "old-messages", "max_age_hours": 9000}})
		if !r.Warnings.Say("Retention policy taken over") || s.Count("SetRetentionPolicy") != 0 {
			t.Errorf("%s%s", r.Errors, r.Warnings)
		}
	})
}

func good(t *testing.T, r *acctest.Result) {
	t.Helper()
	if len(r.Errors) > 0 {
		t.Fatal(r.Errors)
	}
}
