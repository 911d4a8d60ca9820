// Copyright (c) the terraform-provider-streamchat authors
// SPDX-License-Identifier: MPL-2.0

package user_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"filippo.io/age"

	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/acctest"
	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/emulator"
)

const (
	exportUser     = "streamchat_export_user"
	deactivateUser = "streamchat_deactivate_user"
)

func TestExportUserAction(t *testing.T) {
	restriction(t, func(t *testing.T, s *acctest.Stream, core *acctest.Core, block acctest.Config) {
		dir := t.TempDir()
		file := filepath.Join(dir, "new", "export.json")
		block["path"] = file
		progress, diags := core.Action(exportUser, block)
		raw, err := os.ReadFile(file)
		if len(diags) > 0 || err != nil || !strings.Contains(string(raw), `"text":"hi"`) {
			t.Fatalf("%s %v %s", diags, err, raw)
		}
		if info, err := os.Stat(file); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%v %v", info, err)
		}
		if told := strings.Join(progress, "\n"); !strings.Contains(told, "Written: 1 messages, 0 reactions") || strings.Contains(told, file) {
			t.Errorf("progress: %s", told)
		}
		refused := func(says string, config acctest.Config) {
			t.Helper()
			if _, diags := core.Action(exportUser, config); !diags.Say(says) {
				t.Errorf("it does not say %q: %s", says, diags)
			}
		}
		other := filepath.Join(dir, "other.json")
		refused("File exists already", block)
		refused("No such user", acctest.Config{"user_id": "ghost-nobody", "path": other})
		refused("Invalid user id", acctest.Config{"user_id": "a/b", "path": other})
		refused("File would be in the clear", acctest.Config{"user_id": restricted, "path": other + ".age"})
		refused("Invalid age recipient", acctest.Config{"user_id": restricted, "path": other, "age_recipients": []any{"age1nonsense"}})
		core.Provider["expected_app_name"] = "Production"
		refused("Wrong app", acctest.Config{"user_id": restricted, "path": other})
		delete(core.Provider, "expected_app_name")
		s.AddFault(emulator.Fault{Op: "ExportUser", Kind: emulator.Fault500, Times: emulator.Forever})
		refused("Stream's server failed", acctest.Config{"user_id": restricted, "path": other})
		s.ClearFaults()
		if entries, err := os.ReadDir(dir); err != nil || len(entries) != 1 {
			t.Errorf("left behind: %v %v", entries, err)
		}

		block["overwrite"] = true
		key, err := age.GenerateX25519Identity()
		if err != nil {
			t.Fatal(err)
		}
		block["age_recipients"] = []any{key.Recipient().String()}
		if _, diags := core.Action(exportUser, block); len(diags) != 1 || !diags.Say("Existing file will be replaced") {
			t.Error(diags)
		}
		if raw, err := os.ReadFile(file); err != nil || !strings.HasPrefix(string(raw), "age-encryption.org/") {
			t.Errorf("%v %.30s", err, raw)
		}
	})
}

func TestDeactivateUserAction(t *testing.T) {
	restriction(t, func(t *testing.T, s *acctest.Stream, core *acctest.Core, block acctest.Config) {
		block["mark_messages_deleted"], block["revoke_tokens"] = true, true
		progress, diags := core.Action(deactivateUser, block)
		u, _ := s.User(restricted)
		m, _ := s.Message("m1")
		if len(diags) > 0 || !u.Deactivated || !m.Deleted || s.Count("UpdateUsersPartial") != 1 {
			t.Fatalf("%s, at Stream %+v %+v", diags, u, m)
		}
		if told := strings.Join(progress, " "); told != "Deactivating the user. The user is deactivated." {
			t.Errorf("progress: %s", told)
		}
		s.ResetRequests()
		progress, diags = core.Action(deactivateUser, acctest.Config{"user_id": restricted})
		if len(diags) > 0 || s.Count("DeactivateUser") != 0 || !strings.Contains(strings.Join(progress, " "), "already") {
			t.Errorf("%s %v", diags, progress)
		}
		refused := func(says, id string) {
			t.Helper()
			if _, diags := core.Action(deactivateUser, acctest.Config{"user_id": id}); !diags.Say(says) {
				t.Errorf("it does not say %q: %s", says, diags)
			}
		}
		refused("No such user", "ghost-nobody")
		refused("Invalid user id", "a/b")
		core.Provider["expected_app_name"] = "Production"
		refused("Wrong app", "maria-ortiz")
		delete(core.Provider, "expected_app_name")
		hardDelete(t, s, "maria-ortiz")
		refused("No such user", "maria-ortiz")
		if n := s.Count("DeactivateUser"); n != 0 {
			t.Errorf("%d calls came of refusals", n)
		}
	})
}

// What is not known in the plan is looked at when the action is invoked.
func TestDeactivateUserActionUnknown(t *testing.T) {
	restriction(t, func(t *testing.T, s *acctest.Stream, core *acctest.Core, _ acctest.Config) {
		if _, diags := core.Action(deactivateUser, acctest.Config{"user_id": acctest.Unknown}); diags.Say("No such user") {
			t.Error(diags)
		}
		s.AddFault(emulator.Fault{Op: "DeactivateUser", Kind: emulator.Fault500, Times: emulator.Forever})
		if _, diags := core.Action(deactivateUser, acctest.Config{"user_id": restricted}); len(diags) == 0 {
			t.Error("no error")
		}
	})
}

func TestListDeactivatedUsers(t *testing.T) {
	t.Parallel()
	acctest.Bubble(t, func(t *testing.T) {
		s := acctest.InMemory(t)
		var users []string
		for i := range 1500 { // past Stream's offset limit
			deactivated := ""
			if i%3 == 0 {
				deactivated = `, "deactivated_at": "2026-02-01T00:00:00Z"`
			}
			users = append(users, fmt.Sprintf(`{"id": "listed-%04d", "name": "Name-of-%04d"%s}`, i, i, deactivated))
		}
		users = append(users, `{"id": "listed-gone", "deleted_at": "2026-01-01T00:00:00Z", "deactivated_at": "2026-01-01T00:00:00Z"}`)
		s.Fill(t, `{"users": [`+strings.Join(users, ",")+`]}`)
		core := acctest.NewCore(t, s, nil)
		s.ResetRequests()
		found, diags := core.List("streamchat_user_deactivation", acctest.Config{}, 0)
		if len(diags) > 0 || len(found) != 500 {
			t.Fatalf("%s, %d found", diags, len(found))
		}
		for i, one := range found {
			id := fmt.Sprintf("listed-%04d", i*3)
			if one.Identity["user_id"] != id || one.Resource["user_id"] != id || one.Resource["status"] != "deactivated" || one.Resource["on_destroy"] != "reactivate" ||
				one.Resource["app_name"] != "Emulator" || one.Resource["deactivated_at"] != "2026-02-01T00:00:00Z" {
				t.Fatalf("%d: %+v", i, one)
			}
			if strings.Contains(one.DisplayName, "listed") || strings.Contains(one.DisplayName, "Name") {
				t.Fatalf("display name %q", one.DisplayName)
			}
		}
		if n := s.Count("QueryUsers"); n != 16 {
			t.Errorf("%d queries", n)
		}
		s.ResetRequests()
		if found, _ = core.List("streamchat_user_deactivation", acctest.Config{}, 5); len(found) != 5 || s.Count("QueryUsers") != 1 {
			t.Errorf("%d found with a limit, %d queries", len(found), s.Count("QueryUsers"))
		}
		if found, _ = core.List("streamchat_user_deactivation", acctest.Config{"filter": `{"id": {"$in": ["listed-0003", "listed-0004"]}}`}, 100); len(found) != 1 {
			t.Errorf("%d found with a filter", len(found))
		}
		for says, filter := range map[string]string{"Invalid filter": "[]", "Stream does not take the filter": `{"id": {"$nonsense": 1}}`} {
			if _, diags := core.List("streamchat_user_deactivation", acctest.Config{"filter": filter}, 100); !diags.Say(says) {
				t.Errorf("it does not say %q: %s", says, diags)
			}
		}
		core.Provider["expected_app_name"] = "Production"
		if _, diags := core.List("streamchat_user_deactivation", acctest.Config{}, 100); !diags.Say("Wrong app") {
			t.Error(diags)
		}
		delete(core.Provider, "expected_app_name")

		// Interrupted between two pages: no third is asked for.
		s.ResetRequests()
		s.After("GET /users", 2, core.Interrupt)
		if _, diags := core.List("streamchat_user_deactivation", acctest.Config{}, 0); len(diags) == 0 || s.Count("QueryUsers") > 2 {
			t.Errorf("%s, %d queries", diags, s.Count("QueryUsers"))
		}
		// An import of one who was found is what was listed.
		const address = "streamchat_user_deactivation.found"
		config := acctest.Config{"user_id": "listed-0003"}
		if r := core.Apply(core.Plan(address, config, acctest.ImportIdentity(config))); len(r.Errors) > 0 {
			t.Fatal(r.Errors)
		}
		for name, value := range found[0].Resource {
			if got := core.State(address).Get(name); got != value {
				t.Errorf("%s: listed %v, imported %v", name, value, got)
			}
		}
	})
}

func TestExportEphemeralCore(t *testing.T) {
	restriction(t, func(t *testing.T, s *acctest.Stream, core *acctest.Core, block acctest.Config) {
		if diags := core.Ephemeral("streamchat_user_export", block, func(result map[string]any) {
			if json, _ := result["json"].(string); !strings.Contains(json, `"text":"hi"`) || result["message_count"] != 1 {
				t.Errorf("%v", result)
			}
		}); len(diags) > 0 {
			t.Error(diags)
		}
		core.Provider["api_secret"] = acctest.Unknown
		if diags := core.Ephemeral("streamchat_user_export", block, nil); !diags.Say("Provider configuration is not known") {
			t.Error(diags)
		}
	})
}
