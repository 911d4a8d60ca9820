// Copyright (c) the terraform-provider-streamchat authors
// SPDX-License-Identifier: MPL-2.0

package user_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/acctest"
	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/tfcli"
)

// fromTerraform114 skips a test on a CLI without actions and queries.
func fromTerraform114(t *testing.T) {
	t.Helper()
	cli := acctest.CLI(t)
	var major, minor int
	if _, err := fmt.Sscanf(cli.Version, "%d.%d", &major, &minor); err != nil {
		t.Fatal(err)
	}
	if cli.Flavor != tfcli.Terraform || major == 1 && minor < 14 {
		t.Skipf("%s has neither actions nor queries", cli)
	}
}

// The actions, invoked by hand and triggered by the life of another resource.
func TestActionsByTheCLI(t *testing.T) {
	t.Parallel()
	fromTerraform114(t)
	s := acctest.Start(t)
	seed(t, s, conversation)
	file := filepath.Join(t.TempDir(), "export.json")
	w := s.Workspace(t, "", fmt.Sprintf(`
action "streamchat_export_user" "dsr" {
  config {
    user_id = "alice"
    path    = %q
  }
}
action "streamchat_deactivate_user" "hold" {
  config {
    user_id               = "alice"
    mark_messages_deleted = true
  }
}
action "streamchat_deactivate_user" "misspelt" {
  config {
    user_id = "alise"
  }
}
resource "terraform_data" "request" {
  input = "DSR-1"
  lifecycle {
    action_trigger {
      events  = [after_create]
      actions = [action.streamchat_export_user.dsr]
    }
  }
}
`, file))
	expect(t, w.Run("plan", "-out=plan"), 0)
	if _, err := os.Stat(file); err == nil {
		t.Error("the plan exported")
	}
	expect(t, w.Run("apply", "plan"), 0, "Exporting.", "Written: 1 messages, 0 reactions")
	if raw, err := os.ReadFile(file); err != nil || !strings.Contains(string(raw), `"text":"hi"`) {
		t.Errorf("%v %s", err, raw)
	}
	w.Plan(0)
	expect(t, w.Run("apply", "-auto-approve", "-invoke=action.streamchat_export_user.dsr"), 1, "File exists already")
	expect(t, w.Run("apply", "-auto-approve", "-invoke=action.streamchat_deactivate_user.misspelt"), 1, "No such user")
	atStream(t, s, false, false)
	expect(t, w.Run("apply", "-auto-approve", "-invoke=action.streamchat_deactivate_user.hold"), 0, "The user is deactivated.")
	atStream(t, s, true, true)
	w.Plan(0)
}

// terraform query finds who is deactivated, and what it generates plans and imports.
func TestQueryByTheCLI(t *testing.T) {
	t.Parallel()
	fromTerraform114(t)
	s := acctest.Start(t)
	seed(t, s, `{"users": [{"id": "alice"}, {"id": "bob", "deactivated_at": "2026-02-01T00:00:00Z"}, {"id": "carol", "deactivated_at": "2026-02-01T00:00:00Z"},
		{"id": "gone", "deactivated_at": "2026-02-01T00:00:00Z", "deleted_at": "2026-03-01T00:00:00Z"}]}`)
	w := s.Workspace(t, "", "")
	write := func(more string) {
		t.Helper()
		if err := w.WriteFile("held.tfquery.hcl", "list \"streamchat_user_deactivation\" \"held\" {\n  provider = streamchat\n  "+more+"\n}\n"); err != nil {
			t.Fatal(err)
		}
	}
	write("limit = 1")
	r := w.Run("query")
	expect(t, r, 0, "bob")
	if strings.Contains(r.Stdout, "carol") {
		t.Errorf("more than the limit: %s", r.Stdout)
	}
	write("config {\n    filter = \"[]\"\n  }")
	expect(t, w.Run("query"), 1, "Invalid filter")
	write("config {\n    filter = jsonencode({ id = { \"$in\" = [\"alice\", \"carol\", \"gone\"] } })\n  }")
	r = w.Run("query")
	expect(t, r, 0, "carol", "deactivated since 2026-02-01")
	if strings.Contains(r.Stdout, "gone") || strings.Contains(r.Stdout, "alice") {
		t.Errorf("somebody who is not deactivated: %s", r.Stdout)
	}
	write("")
	expect(t, w.Run("query", "-generate-config-out=held.tf"), 0, "bob", "carol")
	expect(t, w.Run("apply", "-auto-approve"), 0, "2 imported, 0 added, 0 changed, 0 destroyed")
	w.Plan(0)
	if n := s.Count("DeactivateUser") + s.Count("ReactivateUser"); n != 0 {
		t.Errorf("%d changes at Stream", n)
	}
}
