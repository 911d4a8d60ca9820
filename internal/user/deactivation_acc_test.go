// Copyright (c) the terraform-provider-streamchat authors
// SPDX-License-Identifier: MPL-2.0

package user_test

import (
	"context"
	"fmt"
	"os"
	"runtime"
	"strings"
	"testing"
	"time"

	stream_chat "github.com/GetStream/stream-chat-go/v6"
	"github.com/hashicorp/terraform-plugin-testing/helper/resource"
	"github.com/hashicorp/terraform-plugin-testing/knownvalue"
	"github.com/hashicorp/terraform-plugin-testing/plancheck"
	"github.com/hashicorp/terraform-plugin-testing/statecheck"
	"github.com/hashicorp/terraform-plugin-testing/terraform"
	"github.com/hashicorp/terraform-plugin-testing/tfversion"

	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/acctest"
	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/emulator"
)

const hold = "streamchat_user_deactivation.hold"

func restrict(userID, body string) string {
	return fmt.Sprintf(`
resource "streamchat_user_deactivation" "hold" {
  user_id = %q
  %s
}
`, userID, body)
}

func holds(name, value string) statecheck.StateCheck { return acctest.Is(hold, name, value) }

func planned(action plancheck.ResourceActionType, more ...plancheck.PlanCheck) resource.ConfigPlanChecks {
	return acctest.Plans(hold, action, more...)
}

// conversation is alice's message m1 to bob.
const conversation = `{
	"users": [{"id": "alice", "name": "Alice"}, {"id": "bob"}],
	"channels": [{"cid": "messaging:both", "created_by_id": "alice", "members": ["alice", "bob"]}],
	"messages": [{"id": "m1", "cid": "messaging:both", "user_id": "alice", "text": "hi"}]
}`

func atStream(t *testing.T, s *acctest.Stream, deactivated, hidden bool) {
	t.Helper()
	if err := state(s, deactivated, hidden)(nil); err != nil {
		t.Error(err)
	}
}

func state(s *acctest.Stream, deactivated, hidden bool) resource.TestCheckFunc {
	return func(*terraform.State) error {
		u, _ := s.User("alice")
		m, _ := s.Message("m1")
		if u.Deactivated != deactivated || m.Deleted != hidden || u.Name != "Alice" || u.Deleted {
			return fmt.Errorf("at Stream: %+v, %+v", u, m)
		}
		return nil
	}
}

func TestAccUserDeactivation(t *testing.T) {
	t.Parallel()
	acctest.CLI(t)
	s := acctest.Start(t)
	seed(t, s, conversation)
	deactivations := func(want int) resource.TestCheckFunc {
		return func(*terraform.State) error {
			if n := s.Count("DeactivateUser"); n != want {
				return fmt.Errorf("%d deactivations, want %d", n, want)
			}
			return nil
		}
	}
	body := "mark_messages_deleted = true\n  revoke_tokens = true\n  request_id = \"DSR-1\"\n  labels = { legal_basis = \"Art. 18\" }"
	config := s.Config("", restrict("alice", body))
	resource.UnitTest(t, resource.TestCase{
		ProtoV6ProviderFactories: acctest.Factories(),
		CheckDestroy:             state(s, false, false),
		Steps: []resource.TestStep{
			{
				Config: config,
				ConfigPlanChecks: planned(plancheck.ResourceActionCreate,
					plancheck.ExpectUnknownValue(hold, attr("status")),
					plancheck.ExpectKnownValue(hold, attr("on_destroy"), knownvalue.StringExact("reactivate")),
					plancheck.ExpectKnownValue(hold, attr("restore_messages"), knownvalue.Bool(true)),
				),
				ConfigStateChecks: []statecheck.StateCheck{
					holds("status", "deactivated"), holds("app_name", "Emulator"), holds("request_id", "DSR-1"),
					statecheck.ExpectKnownValue(hold, attr("deactivated_at"), knownvalue.NotNull()),
				},
				Check: resource.ComposeTestCheckFunc(state(s, true, true), deactivations(1), func(*terraform.State) error {
					var order []string
					for _, r := range s.Requests("UpdateUsersPartial", "DeactivateUser") {
						order = append(order, r.Op)
					}
					if got := strings.Join(order, " "); got != "UpdateUsersPartial DeactivateUser" {
						return fmt.Errorf("tokens were not revoked first: %s", got)
					}
					return nil
				}),
			},
			{Config: config, PlanOnly: true},
			{ // what is only kept changes without a call
				Config:           s.Config("", restrict("alice", strings.Replace(body, "DSR-1", "DSR-2", 1)+"\n  on_destroy = \"forget\"\n  restore_messages = false")),
				ConfigPlanChecks: planned(plancheck.ResourceActionUpdate, plancheck.ExpectKnownValue(hold, attr("status"), knownvalue.StringExact("deactivated"))),
				Check:            deactivations(1),
			},
			{ // and the default of restore_messages comes from the configuration
				Config:            config,
				ConfigPlanChecks:  planned(plancheck.ResourceActionUpdate),
				ConfigStateChecks: []statecheck.StateCheck{statecheck.ExpectKnownValue(hold, attr("restore_messages"), knownvalue.Bool(true)), holds("on_destroy", "reactivate")},
			},
			{Config: s.Config("", restrict("bob", body)), ExpectError: says("The subject of a restriction cannot change")},
			{Config: s.Config("", restrict("alice", "revoke_tokens = true")), ExpectError: says("Option of a restriction that is in force")},
			{Config: s.Config("", restrict("alice", "mark_messages_deleted = true")), ExpectError: says("Option of a restriction that is in force")},
			{ // a replacement does not lift the restriction in between
				Config: config, Taint: []string{hold},
				ConfigPlanChecks:  planned(plancheck.ResourceActionDestroyBeforeCreate),
				ConfigStateChecks: []statecheck.StateCheck{holds("status", "deactivated")},
				Check: func(*terraform.State) error {
					if n := s.Count("ReactivateUser"); n != 0 {
						return fmt.Errorf("%d reactivations", n)
					}
					return nil
				},
			},
			{ // lifted outside: in place, once more
				PreConfig: func() {
					if _, err := s.SDK.ReactivateUser(context.Background(), "alice"); err != nil {
						t.Fatal(err)
					}
				},
				Config:            config,
				ConfigPlanChecks:  planned(plancheck.ResourceActionUpdate, plancheck.ExpectUnknownValue(hold, attr("status"))),
				ConfigStateChecks: []statecheck.StateCheck{holds("status", "deactivated")},
				Check:             state(s, true, true),
			},
			{ // the same for a refresh alone
				PreConfig: func() {
					if _, err := s.SDK.ReactivateUser(context.Background(), "alice"); err != nil {
						t.Fatal(err)
					}
				},
				RefreshState: true, ExpectNonEmptyPlan: true,
				Check: resource.ComposeTestCheckFunc(resource.TestCheckResourceAttr(hold, "status", "reverted"), resource.TestCheckNoResourceAttr(hold, "deactivated_at")),
			},
			{ // options may change with the repair
				Config:            s.Config("", restrict("alice", "restore_messages = true")),
				ConfigStateChecks: []statecheck.StateCheck{holds("status", "deactivated"), statecheck.ExpectKnownValue(hold, attr("mark_messages_deleted"), knownvalue.Bool(false))},
			},
		},
	})
	for _, r := range s.Requests("ReactivateUser") {
		if r.TokenUser == "" && strings.Contains(string(r.Body), `"name"`) && strings.Contains(r.Header.Get("User-Agent"), "terraform") {
			t.Errorf("a reactivation sends a name: %s", r.Body)
		}
	}
}

func TestAccUserDeactivation_forget(t *testing.T) {
	t.Parallel()
	s := acctest.Start(t)
	seed(t, s, conversation)
	w := s.Workspace(t, "", restrict("alice", `on_destroy = "forget"`))
	w.Apply(0)
	w.Plan(0)
	expect(t, w.Run("destroy", "-auto-approve"), 0)
	atStream(t, s, true, false)
}

// Deleted by somebody else: Stream does not say how, so that the restriction keeps looking. It
// stays in force, makes no plan, and a destroy reactivates nobody.
func TestAccUserDeactivation_deletedElsewhere(t *testing.T) {
	t.Parallel()
	acctest.CLI(t)
	s := acctest.Start(t)
	seed(t, s, conversation)
	config := s.Config("", restrict("alice", ""))
	resource.UnitTest(t, resource.TestCase{
		ProtoV6ProviderFactories: acctest.Factories(),
		Steps: []resource.TestStep{
			{Config: config},
			{
				PreConfig: func() { eraseAtStream(t, s, "alice") },
				Config:    config, PlanOnly: true,
			},
			{
				RefreshState: true,
				Check: resource.ComposeTestCheckFunc(
					resource.TestCheckResourceAttr(hold, "status", "deactivated"),
					resource.TestCheckResourceAttrSet(hold, "deactivated_at"),
				),
			},
			{Config: config, PlanOnly: true},
			{Config: s.Config("", restrict("alice", `request_id = "DSR-2"`)), ConfigStateChecks: []statecheck.StateCheck{holds("status", "deactivated"), holds("request_id", "DSR-2")}},
		},
	})
}

// Everything here fails in the plan, and nobody is deactivated.
func TestAccUserDeactivation_refusals(t *testing.T) {
	t.Parallel()
	acctest.CLI(t)
	s := acctest.Start(t)
	seed(t, s, `{"users": [{"id": "alice"}, {"id": "gone", "deleted_at": "2026-01-01T00:00:00Z"}]}`)
	s.Refused(t, map[string]acctest.Refusal{
		"misspelt id":      {Body: restrict("alise", ""), Says: "Subject not found"},
		"deleted":          {Body: restrict("gone", ""), Says: "Nobody to restrict"},
		"wrong app":        {Provider: `expected_app_name = "Production"`, Body: restrict("alice", ""), Says: "Wrong app"},
		"twice":            {Body: restrict("alice", "") + strings.Replace(restrict("alice", ""), `"hold"`, `"other"`, 1), Says: "The same subject twice"},
		"no id":            {Body: strings.Replace(restrict("", ""), `user_id = ""`, "", 1), Says: "Nobody named"},
		"slash":            {Body: restrict("a/b", ""), Says: "Invalid user id"},
		"on_destroy":       {Body: restrict("alice", `on_destroy = "restore"`), Says: "value must be one of"},
		"empty request_id": {Body: restrict("alice", `request_id = ""`), Says: "request_id"},
	})
	if n := s.Count("DeactivateUser"); n != 0 {
		t.Errorf("%d deactivations came of refused plans", n)
	}
}

// The guards of erasures do not apply to what can be taken back.
func TestAccUserDeactivation_protectedUser(t *testing.T) {
	t.Parallel()
	s := acctest.Start(t)
	s.Users(t, "alice")
	w := s.Workspace(t, "protected_user_ids = [\"alice\"]\n  protected_roles = [\"user\"]", restrict("alice", ""))
	w.Apply(0)
	w.Has(hold, map[string]any{"status": "deactivated"})
}

func TestAccUserDeactivation_alreadyDeactivated(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		body  string
		calls int
	}{"as it is": {"revoke_tokens = true", 0}, "with messages": {"mark_messages_deleted = true", 1}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := acctest.Start(t)
			seed(t, s, `{"users": [{"id": "alice", "name": "Alice", "deactivated_at": "2026-02-01T00:00:00Z"}]}`)
			w := s.Workspace(t, "", restrict("alice", tt.body))
			w.Apply(0)
			w.Has(hold, map[string]any{"status": "deactivated", "deactivated_at": "2026-02-01T00:00:00Z"})
			w.Plan(0)
			w.Has(hold, map[string]any{"found": "deactivated"})
			// It is somebody else's restriction: destroying the block does not lift it.
			expect(t, w.Run("destroy", "-auto-approve"), 0, "Destroying forgets the record", "the user stays deactivated")
			if u, _ := s.User("alice"); !u.Deactivated || s.Count("ReactivateUser") != 0 {
				t.Errorf("at Stream: %+v", u)
			}
			if n := s.Count("DeactivateUser"); n != tt.calls {
				t.Errorf("%d deactivations, want %d", n, tt.calls)
			}
		})
	}
}

func TestAccUserDeactivation_unknownSubject(t *testing.T) {
	t.Parallel()
	s := acctest.Start(t)
	s.Users(t, "alice")
	body := func(id string) string {
		return fmt.Sprintf("resource \"terraform_data\" \"x\" { input = %q }\n", id) + strings.Replace(restrict("x", ""), `"x"`, `terraform_data.x.output`, 1)
	}
	w := s.Workspace(t, "", body("alice"))
	w.Apply(1, "Subject not known in the plan")
	w = s.Workspace(t, "allow_unknown_subjects = true", body("alise"))
	w.Apply(1, "Subject not found")
	w.Write("allow_unknown_subjects = true", body("alice"))
	w.Apply(0)
	w.Has(hold, map[string]any{"status": "deactivated"})
	w.Plan(0)
}

func TestAccUserDeactivation_import(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct{ id, body, says, status string }{
		"deactivated": {id: "alice", status: "deactivated"},
		"erased":      {id: "gone", status: "erased"},
		"active":      {id: "bob", says: "User is not deactivated"},
		"never there": {id: "carol", says: "Subject not found"},
		"no id":       {id: "a b", says: "Invalid user id"},
		"claims":      {id: "alice", body: "mark_messages_deleted = true", says: "Option of a restriction that is in force"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := acctest.Start(t)
			seed(t, s, `{"users": [{"id": "bob"}, {"id": "alice", "deactivated_at": "2026-02-01T00:00:00Z"}, {"id": "gone", "deleted_at": "2026-01-01T00:00:00Z"}]}`)
			block := restrict(tt.id, tt.body)
			w := s.Workspace(t, "", block+acctest.Importing(hold, tt.id))
			if tt.says != "" {
				w.Plan(1, tt.says)
			} else {
				w.Apply(0, "1 imported, 0 added, 0 changed, 0 destroyed")
				w.Has(hold, map[string]any{"status": tt.status, "app_name": "Emulator"})
				w.Write("", block)
				w.Plan(0)
			}
			if n := s.Count("DeactivateUser"); n != 0 {
				t.Errorf("import sent %d deactivations", n)
			}
		})
	}
}

func TestAccUserDeactivation_identity(t *testing.T) {
	t.Parallel()
	acctest.CLI(t)
	s := acctest.Start(t)
	s.Users(t, "alice")
	resource.UnitTest(t, resource.TestCase{
		ProtoV6ProviderFactories: acctest.Factories(),
		TerraformVersionChecks:   []tfversion.TerraformVersionCheck{tfversion.SkipBelow(tfversion.Version1_12_0)},
		Steps: []resource.TestStep{
			{
				Config:            s.Config("", restrict("alice", "")),
				ConfigStateChecks: []statecheck.StateCheck{statecheck.ExpectIdentity(hold, map[string]knownvalue.Check{"user_id": knownvalue.StringExact("alice"), "subject": knownvalue.Null()})},
			},
			{ImportState: true, ResourceName: hold, ImportStateKind: resource.ImportBlockWithResourceIdentity},
		},
	})
}

// A failure leaves no state, and the next apply gets it done.
func TestAccUserDeactivation_failures(t *testing.T) {
	t.Parallel()
	acctest.CLI(t)
	for name, tt := range map[string]struct {
		fault emulator.Fault
		says  string
	}{
		"500":                  {emulator.Fault{Op: "DeactivateUser", Kind: emulator.Fault500, Times: 3}, "Stream may have carried it out"},
		"tokens":               {emulator.Fault{Op: "UpdateUsersPartial", Kind: emulator.Fault503, Times: 3}, "Failed while revoking the user's tokens"},
		"look-up":              {emulator.Fault{Op: "QueryUsers", Kind: emulator.FaultCustom, Status: 200, Body: "{}", ContentType: "application/json", Times: emulator.Forever}, "Unexpected answer"},
		"app":                  {emulator.Fault{Op: "GetApp", Kind: emulator.FaultHTML200, Times: emulator.Forever}, "Unexpected answer"},
		"deleted in between":   {emulator.Fault{Op: "DeactivateUser", Kind: emulator.FaultCustom, Status: 404, Body: `{"code":16,"message":"DeactivateUser failed with error: \"the user alice was deleted\"","StatusCode":404}`, ContentType: "application/json"}, "Stream refused the request"},
		"answer without truth": {emulator.Fault{Op: "DeactivateUser", Kind: emulator.FaultCustom, Status: 201, Body: `{"duration":"1ms"}`, ContentType: "application/json"}, "Unexpected answer"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := acctest.Start(t)
			seed(t, s, conversation)
			s.AddFault(tt.fault)
			w := s.Workspace(t, "max_retries = 2", restrict("alice", "revoke_tokens = true"))
			w.Apply(1, tt.says)
			s.ClearFaults()
			w.Apply(0, "1 added, 0 changed, 0 destroyed")
			w.Has(hold, map[string]any{"status": "deactivated"})
			w.Plan(0)
		})
	}
}

// An answer that is lost after the deed does no harm.
func TestAccUserDeactivation_lostAnswers(t *testing.T) {
	t.Parallel()
	acctest.CLI(t)
	s := acctest.Start(t)
	seed(t, s, conversation)
	s.AddFault(emulator.Fault{Op: "DeactivateUser", Kind: emulator.FaultDropAfter})
	s.AddFault(emulator.Fault{Op: "ReactivateUser", Kind: emulator.FaultDropAfter})
	w := s.Workspace(t, "", restrict("alice", "mark_messages_deleted = true"))
	w.Apply(0)
	w.Has(hold, map[string]any{"status": "deactivated"})
	atStream(t, s, true, true)
	w.Plan(0)
	expect(t, w.Run("destroy", "-auto-approve"), 0)
	atStream(t, s, false, false)
}

func TestAccUserDeactivation_failedDestroy(t *testing.T) {
	t.Parallel()
	s := acctest.Start(t)
	seed(t, s, conversation)
	w := s.Workspace(t, "max_retries = 0", restrict("alice", ""))
	w.Apply(0)
	for _, tt := range []struct {
		fault emulator.Fault
		says  string
	}{
		{emulator.Fault{Op: "ReactivateUser", Kind: emulator.FaultCustom, Status: 400, Body: `{"code":6,"message":"ReactivateUser failed with error: \"username 'Alice' already exists\"","StatusCode":400}`, ContentType: "application/json"}, "User name is taken"},
		{emulator.Fault{Op: "ReactivateUser", Kind: emulator.Fault500}, "Failed while reactivating the user"},
	} {
		s.AddFault(tt.fault)
		expect(t, w.Run("destroy", "-auto-approve"), 1, tt.says)
	}
	w.Plan(0) // the record is kept
}

// Warnings, which plugin-testing cannot see.
func TestCLIDeactivationWarns(t *testing.T) {
	t.Parallel()
	s := acctest.Start(t)
	seed(t, s, conversation)
	w := s.Workspace(t, "", restrict("alice", "mark_messages_deleted = true"))
	expect(t, w.Run("plan"), 0, "Warning: Restriction of processing", "state present, role user", "marked as deleted for everybody", "not an erasure")
	expect(t, w.Run("apply", "-auto-approve"), 0, "1 added")
	expect(t, w.Run("plan", "-detailed-exitcode"), 0)
	if _, err := s.SDK.ReactivateUser(context.Background(), "alice"); err != nil {
		t.Fatal(err)
	}
	expect(t, w.Run("plan", "-detailed-exitcode"), 2, "Restriction was lifted outside of Terraform")
	expect(t, w.Run("apply", "-auto-approve"), 0, "1 changed")
	expect(t, w.Run("apply", "-auto-approve", "-replace="+hold), 0, "1 added", "1 destroyed")
	expect(t, w.Run("plan", "-destroy"), 0, "Destroying lifts the restriction", "are restored")
	r := w.Run("destroy", "-auto-approve")
	expect(t, r, 0, "User reactivated", "1 destroyed")
	if out := acctest.Output(r); strings.Contains(out, "[id=") {
		t.Errorf("the CLI prints an id:\n%s", out)
	}
	if u, _ := s.User("alice"); u.Deactivated {
		t.Error("alice was not reactivated")
	}
	if n := len(s.Requests("ReactivateUser")); n != 2 {
		t.Errorf("%d reactivations, want that by hand and that by destroy", n)
	}
}

// An interrupt while the answer is awaited: the restriction is in state.
func TestCLIDeactivationInterrupted(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("signals of Unix")
	}
	t.Parallel()
	s := acctest.Start(t)
	seed(t, s, conversation)
	s.AddFault(emulator.Fault{Op: "DeactivateUser", Kind: emulator.FaultSlow, Delay: 2 * time.Second})
	w := s.Installed(t, acctest.CLI(t), "", restrict("alice", ""))
	p, err := w.Start("apply", "-auto-approve")
	if err != nil {
		t.Fatal(err)
	}
	eventually(t, "the user is deactivated", func() bool { u, _ := s.User("alice"); return u.Deactivated })
	if err := p.SignalGroup(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	r, err := p.Wait(ctx)
	if err != nil || r.ExitCode == 0 {
		t.Errorf("an interrupted apply: %v\n%s", err, acctest.Output(r))
	}
	if values, tainted := record(t, w, hold); values["status"] != "deactivated" || values["deactivated_at"] == nil || tainted {
		t.Errorf("state: %v, tainted %v\n%s", values, tainted, acctest.Output(r))
	}
	expect(t, w.Run("plan", "-detailed-exitcode"), 0)
	if n := s.Count("DeactivateUser"); n != 1 {
		t.Errorf("%d deactivations", n)
	}
}

// What a plan could not know: replacements the other way round, and an erasure
// after the refresh.
func TestCLIDeactivationReplacedAndErased(t *testing.T) {
	t.Parallel()
	s := acctest.Start(t)
	seed(t, s, conversation)
	w := s.Workspace(t, "", restrict("alice", "lifecycle {\n    create_before_destroy = true\n  }"))
	expect(t, w.Run("apply", "-auto-approve"), 0, "1 added")
	expect(t, w.Run("apply", "-auto-approve", "-replace="+hold), 0, "Already deactivated", "1 destroyed")
	if n := s.Count("ReactivateUser"); n != 0 {
		t.Errorf("%d reactivations by a replacement", n)
	}
	eraseAtStream(t, s, "alice")
	expect(t, w.Run("destroy", "-auto-approve", "-refresh=false"), 0, "Destroying forgets the record", "Record removed")
}

func eraseAtStream(t *testing.T, s *acctest.Stream, id string) {
	t.Helper()
	if _, err := s.SDK.DeleteUsers(context.Background(), []string{id}, stream_chat.DeleteUserOptions{User: stream_chat.HardDelete, Messages: stream_chat.HardDelete, Conversations: stream_chat.HardDelete}); err != nil {
		t.Fatal(err)
	}
}

// Somebody who was restricted and now never existed: another app's credentials.
func TestAccUserDeactivation_contradiction(t *testing.T) {
	t.Parallel()
	acctest.CLI(t)
	s, other := acctest.Start(t), acctest.Start(t)
	s.Users(t, "alice")
	w := s.Workspace(t, "", restrict("alice", ""))
	w.Apply(0)
	w.Write(fmt.Sprintf("base_url = %q", other.URL), restrict("alice", ""))
	w.Plan(1, "The answers contradict each other")
	w.Write("", restrict("alice", ""))
	w.Plan(0)
}
