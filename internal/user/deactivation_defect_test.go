// Copyright (c) the terraform-provider-streamchat authors
// SPDX-License-Identifier: MPL-2.0

package user_test

import (
	"testing"

	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/acctest"
	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/emulator"
)

// A destroy that failed leaves no trace that a later replacement could take for one:
// replacing does not lift the restriction in between.
func TestDeactivationFailedDestroyIsForgotten(t *testing.T) {
	restriction(t, func(t *testing.T, s *acctest.Stream, core *acctest.Core, block acctest.Config) {
		good(t, core.Run(acctest.Change{Address: hold, Config: block}))
		s.AddFault(emulator.Fault{Op: "ReactivateUser", Kind: emulator.Fault500, Times: emulator.Forever})
		if r := core.Run(acctest.Change{Address: hold}); len(r.Errors) == 0 {
			t.Error("no error")
		}
		s.ClearFaults()
		s.ResetRequests()
		good(t, core.Apply(core.Plan(hold, block, acctest.WithReplace)))
		inForce(t, s, core)
		if n := s.Count("ReactivateUser"); n != 0 {
			t.Errorf("a replacement lifted the restriction %d times", n)
		}
	})
}

// The same of a destroy by a provider that was killed in it, or that was interrupted.
func TestDeactivationHaltedDestroyIsForgotten(t *testing.T) {
	t.Parallel()
	for name, halt := range map[string]func(*acctest.Core){"interrupt": (*acctest.Core).Interrupt, "kill": (*acctest.Core).Kill} {
		t.Run(name, func(t *testing.T) {
			restriction(t, func(t *testing.T, s *acctest.Stream, core *acctest.Core, block acctest.Config) {
				good(t, core.Run(acctest.Change{Address: hold, Config: block}))
				plan := core.Plan(hold, nil)
				s.Before("GET /app", 1, func() { halt(core) })
				if r := core.Apply(plan); len(r.Errors) == 0 {
					t.Error("no error")
				}
				if core.State(hold) == nil { // it got through, so the restriction must be lifted
					if u, _ := s.User(restricted); u.Deactivated || s.Count("ReactivateUser") != 1 {
						t.Errorf("the record is gone and the user is %+v", u)
					}
					return
				}
				s.ResetRequests()
				good(t, core.Apply(core.Plan(hold, block, acctest.WithReplace)))
				inForce(t, s, core)
				if n := s.Count("ReactivateUser"); n != 0 {
					t.Errorf("a replacement lifted the restriction %d times", n)
				}
			})
		})
	}
}
