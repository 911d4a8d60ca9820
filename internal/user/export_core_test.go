// Copyright (c) the terraform-provider-streamchat authors
// SPDX-License-Identifier: MPL-2.0

package user_test

import (
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/acctest"
)

// An erasure that names an export which the plan cannot know is let through beside this one:
// it waits for it, and does not take the person away while Stream exports them.
func TestExportKeepsTheErasureWaiting(t *testing.T) {
	restriction(t, func(t *testing.T, s *acctest.Stream, core *acctest.Core, _ acctest.Config) {
		s.Before("GET /users/*/export", 1, func() { time.Sleep(10 * time.Second) })
		s.Before("POST /users/*/deactivate", 1, func() { time.Sleep(time.Second) })
		const erasure = "streamchat_user_erasure.dsr"
		good(t, core.Run(
			acctest.Change{Address: exported, Config: acctest.Config{"user_id": restricted, "path": filepath.Join(t.TempDir(), "x.json")}},
			acctest.Change{Address: hold, Config: acctest.Config{"user_id": "maria-ortiz"}},
			acctest.Change{Address: erasure, Config: acctest.Config{
				"user_id": restricted, "delete": acctest.Config{"user": "hard"}, "exports": []any{acctest.Later("an earlier one")},
				"request_id": acctest.Ref(hold, "deactivated_at"), // it starts while the export is under way
			}},
		))
		if got := core.State(erasure).Get("status"); core.State(exported) == nil || got != "completed" {
			t.Errorf("export %v, erasure %v", core.State(exported), got)
		}
		var order []string
		for _, r := range s.Requests("ExportUser", "DeleteUsers") {
			order = append(order, r.Op)
		}
		if !slices.Equal(order, []string{"ExportUser", "DeleteUsers"}) {
			t.Errorf("order: %v", order)
		}
	})
}
