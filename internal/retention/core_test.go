// Copyright (c) the terraform-provider-streamchat authors
// SPDX-License-Identifier: MPL-2.0

package retention_test

import (
	"testing"

	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/acctest"
)

// Nobody approves a policy or an age that the plan does not know: not of a new policy, of one that
// changes, or of one that takes another's place.
func TestUnknownAge(t *testing.T) {
	t.Parallel()
	acctest.Bubble(t, func(t *testing.T) {
		const address, says = "streamchat_retention_policy.x", "Mode not known in the plan"
		s := acctest.InMemory(t)
		core := acctest.NewCore(t, s, nil)
		refused := func(block acctest.Config, options ...acctest.Option) {
			t.Helper()
			if p := core.Plan(address, block, options...); !p.Errors.Say(says) {
				t.Errorf("%s%s", p.Errors, p.Warnings)
			}
		}
		unknown := acctest.Config{"policy": "old-messages", "max_age_hours": acctest.Unknown}
		refused(unknown)
		if r := core.Run(acctest.Change{Address: address, Config: acctest.Config{"policy": "old-messages", "max_age_hours": 8760}}); len(r.Errors) > 0 {
			t.Fatal(r.Errors)
		}
		refused(unknown)
		refused(unknown, acctest.WithReplace)
		refused(acctest.Config{"policy": "inactive-channels", "max_age_hours": acctest.Unknown})
		refused(acctest.Config{"policy": acctest.Unknown, "max_age_hours": 8760})
		if n := s.Count("SetRetentionPolicy"); n != 1 {
			t.Errorf("%d policies were set", n)
		}
	})
}
