// Copyright (c) the terraform-provider-streamchat authors
// SPDX-License-Identifier: MPL-2.0

package user_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"testing"

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

const dsr = "streamchat_user_erasure.dsr"

// erase is an erasure block with the postcondition that every example carries.
func erase(userID, body string) string {
	return fmt.Sprintf(`
resource "streamchat_user_erasure" "dsr" {
  user_id = %q
  %s
}
`, userID, body)
}

var hardly = acctest.DeleteBlock(`user = "hard"`)

func is(name, value string) statecheck.StateCheck { return acctest.Is(dsr, name, value) }

func TestAccUserErasure(t *testing.T) {
	t.Parallel()
	acctest.CLI(t)
	s := acctest.Start(t)
	s.Users(t, "alice", "bob")
	resource.UnitTest(t, resource.TestCase{
		ProtoV6ProviderFactories: acctest.Factories(),
		Steps: []resource.TestStep{
			{
				Config: s.Config("", erase("alice", hardly+`
  request_id = "DSR-1"
  labels     = { legal_basis = "Art. 17" }`)),
				ConfigPlanChecks: resource.ConfigPlanChecks{PreApply: []plancheck.PlanCheck{
					plancheck.ExpectResourceAction(dsr, plancheck.ResourceActionCreate),
					plancheck.ExpectKnownValue(dsr, attr("irreversible"), knownvalue.Bool(true)),
					plancheck.ExpectKnownValue(dsr, attr("delete"), knownvalue.ObjectExact(map[string]knownvalue.Check{
						"user": knownvalue.StringExact("hard"), "messages": knownvalue.StringExact("hard"), "conversations": knownvalue.StringExact("hard"),
						"files": knownvalue.Bool(true), "polls": knownvalue.Bool(true), "calls": knownvalue.Null(),
					})),
					plancheck.ExpectKnownValue(dsr, attr("not_covered"), knownvalue.ListPartial(map[int]knownvalue.Check{0: knownvalue.StringExact("calls")})),
					plancheck.ExpectUnknownValue(dsr, attr("status")),
					plancheck.ExpectUnknownValue(dsr, attr("found")),
					plancheck.ExpectUnknownValue(dsr, attr("receipt")),
				}},
				ConfigStateChecks: []statecheck.StateCheck{
					is("status", "completed"), is("found", "present"), is("outcome", "erased"), is("app_name", "Emulator"),
					statecheck.ExpectKnownValue(dsr, attr("verified_at"), knownvalue.NotNull()),
				},
				Check: func(st *terraform.State) error {
					if u, _ := s.User("alice"); !u.HardDeleted {
						return fmt.Errorf("alice at Stream: %+v", u)
					}
					receipt := st.RootModule().Resources[dsr].Primary.Attributes["receipt"]
					if strings.Contains(receipt, "alice") || !strings.Contains(receipt, `"request_id":"DSR-1"`) {
						return fmt.Errorf("receipt: %s", receipt)
					}
					s.ResetRequests()
					return nil
				},
			},
			{ // bookkeeping changes make no call and reach the receipt
				Config: s.Config("", erase("alice", hardly+`
  request_id = "DSR-2"
  on_missing = "record"`)),
				ConfigPlanChecks: resource.ConfigPlanChecks{PreApply: []plancheck.PlanCheck{
					plancheck.ExpectResourceAction(dsr, plancheck.ResourceActionUpdate),
					plancheck.ExpectKnownValue(dsr, attr("status"), knownvalue.StringExact("completed")),
					plancheck.ExpectUnknownValue(dsr, attr("receipt")),
				}},
				ConfigStateChecks: []statecheck.StateCheck{is("outcome", "erased")},
				Check: func(st *terraform.State) error {
					if n := len(s.Requests()); n != 0 {
						return fmt.Errorf("%d requests for a final record", n)
					}
					if receipt := st.RootModule().Resources[dsr].Primary.Attributes["receipt"]; !strings.Contains(receipt, `"request_id":"DSR-2"`) || strings.Contains(receipt, "legal_basis") {
						return fmt.Errorf("receipt: %s", receipt)
					}
					return nil
				},
			},
			{
				Config:      s.Config("", erase("bob", hardly)),
				ExpectError: regexp.MustCompile(`The subject of a record cannot change`),
			},
			{
				Config:      s.Config("", erase("alice", acctest.DeleteBlock(`user = "soft"`))),
				ExpectError: regexp.MustCompile(`A deletion cannot be taken back`),
			},
			{
				Config:      s.Config("", erase("alice", hardly+"\nnew_channel_owner_id = \"bob\"")),
				ExpectError: regexp.MustCompile(`Option of a deletion that was already sent`),
			},
			{
				Config:      s.Config("", erase("alice", hardly+"\nrevoke_tokens = true")),
				ExpectError: regexp.MustCompile(`Option of a deletion that was already sent`),
			},
		},
	})
	if n := s.Count("DeleteUsers"); n != 0 {
		t.Errorf("%d delete calls after the first", n)
	}
}

// Everything here fails in the plan, and nothing is deleted: also what every erasure
// refuses. What validation alone refuses is in validate_test.go.
func TestAccUserErasure_refusals(t *testing.T) {
	t.Parallel()
	acctest.CLI(t)
	s := acctest.Start(t)
	s.Users(t, "alice", "bob", "carol")
	ctx := context.Background()
	for _, err := range []error{
		second(s.SDK.PartialUpdateUsers(ctx, []stream_chat.PartialUserUpdate{
			{ID: "bob", Set: map[string]any{"role": "admin"}},
			{ID: "carol", Set: map[string]any{"legal_hold": "case 7"}},
		})),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	s.Refused(t, map[string]acctest.Refusal{
		"misspelt id":                     {Body: erase("alise", hardly), Says: `Subject not found`},
		"protected id":                    {Provider: `protected_user_ids = ["alice"]`, Body: erase("alice", hardly), Says: `Protected user`},
		"protected role":                  {Provider: `protected_roles = ["admin"]`, Body: erase("bob", hardly), Says: `Protected role`},
		"held":                            {Provider: `hold_field = "legal_hold"`, Body: erase("carol", hardly), Says: `Held user`},
		"too many":                        {Provider: `max_erasures = 1`, Body: erase("alice", hardly) + strings.Replace(erase("bob", hardly), "dsr", "other", 1), Says: `Too many erasures`},
		"twice":                           {Body: erase("alice", hardly) + strings.Replace(erase("alice", hardly), "dsr", "other", 1), Says: `The same subject twice`},
		"wrong app":                       {Provider: `expected_app_name = "Production"`, Body: erase("alice", hardly), Says: `Wrong app`},
		"wrong key":                       {Provider: `api_key = "wrong"`, Body: erase("alice", hardly), Says: `Stream rejected the credentials`},
		"hard user, soft messages":        {Body: erase("alice", acctest.DeleteBlock(`user = "hard"`, `messages = "soft"`)), Says: `Hard deletion needs hard messages`},
		"hard user, soft conversations":   {Body: erase("alice", acctest.DeleteBlock(`user = "hard"`, `conversations = "soft"`)), Says: `Hard deletion needs hard conversations`},
		"no mode":                         {Body: erase("alice", `delete {}`), Says: `The argument "user" is required`},
		"no such mode":                    {Body: erase("alice", acctest.DeleteBlock(`user = "very hard"`)), Says: `value must be one of`},
		"conversations cannot be pruned":  {Body: erase("alice", acctest.DeleteBlock(`user = "soft"`, `conversations = "pruning"`)), Says: `value must be one of`},
		"unknown mode":                    {Body: `resource "terraform_data" "x" { input = "hard" }` + erase("alice", acctest.DeleteBlock(`user = terraform_data.x.output`)), Says: `Mode not known in the plan`},
		"delete as an object":             {Body: `resource "terraform_data" "x" { input = { user = "hard" } }` + erase("alice", `delete = terraform_data.x.output`), Says: `Did you mean to define a block`},
		"no such message mode":            {Body: erase("alice", acctest.DeleteBlock(`user = "soft"`, `messages = "gone"`)), Says: `value must be one of`},
		"unknown user":                    {Body: `resource "terraform_data" "x" { input = "alice" }` + strings.Replace(erase("x", hardly), `"x"`, `terraform_data.x.output`, 1), Says: `Subject not known in the plan`},
		"restore what cannot be restored": {Body: erase("alice", hardly+"\non_destroy = \"restore\""), Says: `Nothing to restore`},
		"heir unknown to Stream":          {Body: erase("alice", hardly+"\nnew_channel_owner_id = \"nobody\""), Says: `New owner not found`},
		"new owner is the erased":         {Body: erase("alice", hardly+"\nnew_channel_owner_id = \"alice\""), Says: `New owner is the erased user`},
		"base_url without scheme":         {Provider: `base_url = "chat.example.com"`, Body: erase("alice", hardly), Says: `Invalid base_url`},
		"slash":                           {Body: erase("a/b", hardly), Says: `Invalid user id`},
		"bad timeout":                     {Body: erase("alice", hardly+"\ntimeouts = { create = \"soon\" }"), Says: `must be a string`},
		"bad request_timeout":             {Provider: `request_timeout = "0s"`, Body: erase("alice", hardly), Says: `Invalid request_timeout`},
		"no retries below zero":           {Provider: `max_retries = -1`, Body: erase("alice", hardly), Says: `max_retries`},
		"no delete calls":                 {Provider: `delete_calls_per_minute = 0`, Body: erase("alice", hardly), Says: `delete_calls_per_minute`},
		"protected id is no id":           {Provider: `protected_user_ids = ["a b"]`, Body: erase("alice", hardly), Says: `protected_user_ids`},
	})
	if n := s.Count("DeleteUsers"); n != 0 {
		t.Errorf("%d delete calls came of refused plans", n)
	}
}

func second[T any](_ T, err error) error { return err }

func TestAccUserErasure_escalation(t *testing.T) {
	t.Parallel()
	s := acctest.Start(t)
	s.Users(t, "alice")
	softly := acctest.DeleteBlock(`user = "soft"`)
	w := s.Workspace(t, "", erase("alice", softly))
	holds := func(mode string, attempts int, want map[string]any) {
		t.Helper()
		w.Has(dsr, want)
		values, _ := w.Record(dsr)
		modes, _ := values["delete"].(map[string]any)
		var receipt struct{ Attempts []any }
		if err := json.Unmarshal([]byte(fmt.Sprint(values["receipt"])), &receipt); err != nil {
			t.Fatal(err)
		}
		if modes["user"] != mode || len(receipt.Attempts) != attempts {
			t.Errorf("delete %v, want %s; %d attempts in the receipt, want %d", modes, mode, len(receipt.Attempts), attempts)
		}
	}
	w.Apply(0)
	holds("soft", 1, map[string]any{"status": "completed", "outcome": "marked_deleted", "irreversible": false})
	w.Plan(0)

	// A task that fails leaves the soft record, and the full diff in the next plan.
	s.AddFault(emulator.Fault{Op: "DeleteUsers", Kind: emulator.FaultFailTask})
	w.Write("", erase("alice", hardly))
	w.Apply(1, "Deletion failed at Stream")
	holds("soft", 2, map[string]any{"status": "failed", "outcome": "marked_deleted", "irreversible": false})
	expect(t, w.Run("plan", "-detailed-exitcode", "-refresh=false"), 2, "will be updated in-place", `~ user = "soft" -> "hard"`, `~ status = "failed" -> (known after apply)`)

	w.Write("", erase("alice", acctest.DeleteBlock(`user = "pruning"`)))
	w.Apply(0)
	holds("pruning", 3, map[string]any{"status": "completed", "outcome": "pruned", "found": "deleted"})
	w.Write("", erase("alice", hardly))
	w.Apply(0)
	holds("hard", 4, map[string]any{"status": "completed", "outcome": "erased"})
	w.Plan(0)
}

// A failure is told apart from a fact, and the next apply gets it done. The fault
// suite has what every erasure does about failures; the probe is of users alone.
func TestAccUserErasure_failures(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		fault emulator.Fault
		says  string
		user  string
	}{
		"user fails":         {emulator.Fault{Op: "DeleteUsers", Kind: emulator.FaultFailUser}, `Deletion failed at Stream`, "alice"},
		"probe is not found": {emulator.Fault{Op: "UpdateUsersPartial", Kind: emulator.FaultCustom, Status: 404, Body: `{"code":16,"message":"Request failed with error: \"Not Found\"","StatusCode":404}`, ContentType: "application/json"}, `Unexpected answer`, "nobody"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := acctest.Start(t)
			s.Users(t, "alice")
			w := s.Workspace(t, "max_retries = 2", erase(tt.user, hardly+"\non_missing = \"record\""))
			s.AddFault(tt.fault)
			w.Apply(1, tt.says)
			s.ClearFaults()
			w.Apply(0, "1 added, 0 changed, 0 destroyed")
			w.Has(dsr, map[string]any{"status": "completed"})
			w.Plan(0)
		})
	}
}

func TestAccUserErasure_missingEntryInTheTask(t *testing.T) {
	t.Parallel()
	acctest.CLI(t)
	s := acctest.Start(t)
	s.Users(t, "alice")
	s.AddFault(emulator.Fault{Op: "DeleteUsers", Kind: emulator.FaultMissingUser})
	w := s.Workspace(t, "", erase("alice", hardly))
	w.Apply(0)
	w.Has(dsr, map[string]any{"status": "completed", "outcome": "erased"})
	w.Plan(0)
}

func TestAccUserErasure_found(t *testing.T) {
	t.Parallel()
	acctest.CLI(t)
	ctx := context.Background()
	for name, tt := range map[string]struct {
		setUp   func(*testing.T, *acctest.Stream)
		body    string
		found   string
		outcome string
		calls   int
	}{
		"deactivated": {func(t *testing.T, s *acctest.Stream) {
			if _, err := s.SDK.DeactivateUser(ctx, "alice"); err != nil {
				t.Fatal(err)
			}
		}, hardly, "deactivated", "erased", 1},
		"deleted": {func(t *testing.T, s *acctest.Stream) {
			if _, err := s.SDK.DeleteUsers(ctx, []string{"alice"}, stream_chat.DeleteUserOptions{User: stream_chat.SoftDelete}); err != nil {
				t.Fatal(err)
			}
		}, hardly, "deleted", "erased", 2},
		"missing": {func(*testing.T, *acctest.Stream) {}, hardly + "\non_missing = \"record\"", "missing", "not_found", 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := acctest.Start(t)
			if name != "missing" {
				s.Users(t, "alice")
			}
			tt.setUp(t, s)
			w := s.Workspace(t, "", erase("alice", tt.body))
			w.Apply(0)
			w.Has(dsr, map[string]any{"status": "completed", "found": tt.found, "outcome": tt.outcome})
			w.Plan(0)
			if n := s.Count("DeleteUsers"); n != tt.calls {
				t.Errorf("%d delete calls, want %d", n, tt.calls)
			}
		})
	}
}

// Somebody who was deleted softly and comes back at Stream shows up as drift.
func TestAccUserErasure_reverted(t *testing.T) {
	t.Parallel()
	acctest.CLI(t)
	s := acctest.Start(t)
	s.Users(t, "alice")
	w := s.Workspace(t, "", erase("alice", acctest.DeleteBlock(`user = "soft"`)))
	w.Apply(0)
	w.Plan(0)
	restore(t, s, "alice")
	w.Plan(2, "will be updated in-place")
	expect(t, w.Run("apply", "-auto-approve", "-refresh-only"), 0)
	w.Has(dsr, map[string]any{"status": "reverted"})
	w.Apply(0)
	w.Has(dsr, map[string]any{"status": "completed", "found": "present"})
	w.Plan(0)
	if u, _ := s.User("alice"); !u.Deleted {
		t.Error("alice was not deleted again")
	}
}

// restore brings a user back as an operator would, with curl.
func restore(t *testing.T, s *acctest.Stream, id string) {
	t.Helper()
	if status, body := call(t, s, http.MethodPost, "/users/restore", fmt.Sprintf(`{"user_ids":[%q]}`, id)); status != http.StatusCreated {
		t.Fatalf("restore: %d %s", status, body)
	}
}

func TestAccUserErasure_import(t *testing.T) {
	t.Parallel()
	acctest.CLI(t)
	s := acctest.Start(t)
	s.Users(t, "alice", "bob")
	if _, err := s.SDK.DeleteUsers(context.Background(), []string{"alice"}, stream_chat.DeleteUserOptions{User: stream_chat.HardDelete}); err != nil {
		t.Fatal(err)
	}
	s.ResetRequests()
	w := s.Workspace(t, "", "")
	for id, says := range map[string]string{"bob": "Subject is not erased", "carol": "Subject not found", "a b": "Invalid user id"} {
		w.Write("", erase(id, hardly)+acctest.Importing(dsr, id))
		w.Plan(1, says)
	}
	w.Write("", erase("alice", hardly)+acctest.Importing(dsr, "alice"))
	w.Apply(0, "1 imported")
	w.Has(dsr, map[string]any{"status": "completed", "outcome": "adopted", "found": "deleted", "irreversible": true})
	values, _ := w.Record(dsr)
	if modes, _ := values["delete"].(map[string]any); modes["user"] != "hard" {
		t.Errorf("adopted with %v", modes)
	}
	w.Write("", erase("alice", hardly))
	w.Plan(0)
	if n := s.Count("DeleteUsers"); n != 0 {
		t.Errorf("import sent %d deletions", n)
	}
}

func TestAccUserErasure_identity(t *testing.T) {
	t.Parallel()
	acctest.CLI(t)
	s := acctest.Start(t)
	s.Users(t, "alice")
	resource.UnitTest(t, resource.TestCase{
		ProtoV6ProviderFactories: acctest.Factories(),
		TerraformVersionChecks:   []tfversion.TerraformVersionCheck{tfversion.SkipBelow(tfversion.Version1_12_0)},
		Steps: []resource.TestStep{
			{
				Config:            s.Config("", erase("alice", hardly)),
				ConfigStateChecks: []statecheck.StateCheck{statecheck.ExpectIdentity(dsr, map[string]knownvalue.Check{"user_id": knownvalue.StringExact("alice"), "subject": knownvalue.Null()})},
			},
		},
	})
}

func TestAccUserErasure_unknownSubjectsAllowed(t *testing.T) {
	t.Parallel()
	acctest.CLI(t)
	s := acctest.Start(t)
	s.Users(t, "alice")
	body := `resource "terraform_data" "x" { input = "alice" }` + strings.Replace(erase("x", hardly), `"x"`, `terraform_data.x.output`, 1)
	w := s.Workspace(t, "allow_unknown_subjects = true", body)
	w.Apply(0)
	w.Has(dsr, map[string]any{"status": "completed"})
	w.Plan(0)
}

func TestAccUserErasure_guardsRunAgainAtApply(t *testing.T) {
	t.Parallel()
	acctest.CLI(t)
	s := acctest.Start(t)
	s.Users(t, "alice")
	body := `resource "terraform_data" "x" { input = "alice" }` + strings.Replace(erase("x", hardly), `"x"`, `terraform_data.x.output`, 1)
	s.Workspace(t, "allow_unknown_subjects = true\n  protected_user_ids = [\"alice\"]", body).Apply(1, "Protected user")
	if n := s.Count("DeleteUsers"); n != 0 {
		t.Errorf("%d delete calls in spite of the guard", n)
	}
}

func TestAccUserErasure_tokensAndPolls(t *testing.T) {
	t.Parallel()
	acctest.CLI(t)
	s := acctest.Start(t)
	s.Users(t, "alice", "heir")
	pollID := createPoll(t, s, "alice")
	w := s.Workspace(t, "", erase("alice", hardly+"\nrevoke_tokens = true\nnew_channel_owner_id = \"heir\""))
	w.Apply(0)
	w.Has(dsr, map[string]any{"status": "completed"})
	if values, _ := w.Record(dsr); strings.Contains(fmt.Sprint(values["receipt"]), "heir") {
		t.Errorf("the receipt names the heir: %v", values["receipt"])
	}
	w.Plan(0)
	if _, ok := s.Poll(pollID); ok {
		t.Error("the poll is still there")
	}
	var order []string
	for _, r := range s.Requests("UpdateUsersPartial", "DeletePoll", "DeleteUsers") {
		order = append(order, r.Op)
	}
	if got := strings.Join(order, " "); got != "UpdateUsersPartial DeletePoll DeleteUsers" {
		t.Errorf("requests: %s", got)
	}
}
