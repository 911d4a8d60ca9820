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
	"github.com/hashicorp/terraform-plugin-testing/tfjsonpath"
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

const hardly = `delete = { user = "hard" }`

func attr(names ...string) tfjsonpath.Path {
	p := tfjsonpath.New(names[0])
	for _, name := range names[1:] {
		p = p.AtMapKey(name)
	}
	return p
}

func is(name, value string) statecheck.StateCheck {
	return statecheck.ExpectKnownValue(dsr, attr(name), knownvalue.StringExact(value))
}

func TestAccUserErasure(t *testing.T) {
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
				Config:      s.Config("", erase("alice", `delete = { user = "soft" }`)),
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

// Everything here fails in the plan, and nothing is deleted.
func TestAccUserErasure_refusals(t *testing.T) {
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
	for name, tt := range map[string]struct {
		provider, body string
		says           string
	}{
		"misspelt id":                     {body: erase("alise", hardly), says: `Subject not found`},
		"protected id":                    {provider: `protected_user_ids = ["alice"]`, body: erase("alice", hardly), says: `Protected user`},
		"protected role":                  {provider: `protected_roles = ["admin"]`, body: erase("bob", hardly), says: `Protected role`},
		"held":                            {provider: `hold_field = "legal_hold"`, body: erase("carol", hardly), says: `Held user`},
		"too many":                        {provider: `max_erasures = 1`, body: erase("alice", hardly) + strings.Replace(erase("bob", hardly), "dsr", "other", 1), says: `Too many erasures`},
		"twice":                           {body: erase("alice", hardly) + strings.Replace(erase("alice", hardly), "dsr", "other", 1), says: `The same subject twice`},
		"wrong app":                       {provider: `expected_app_name = "Production"`, body: erase("alice", hardly), says: `Wrong app`},
		"wrong key":                       {provider: `api_key = "wrong"`, body: erase("alice", hardly), says: `Stream rejected the credentials`},
		"wrong secret":                    {provider: `api_secret = "wrong"`, body: erase("alice", hardly), says: `Stream rejected the credentials`},
		"hard user, soft messages":        {body: erase("alice", `delete = { user = "hard", messages = "soft" }`), says: `Hard deletion needs hard messages`},
		"hard user, soft conversations":   {body: erase("alice", `delete = { user = "hard", conversations = "soft" }`), says: `Hard deletion needs hard conversations`},
		"no mode":                         {body: erase("alice", `delete = {}`), says: `attribute "user" is required`},
		"no such mode":                    {body: erase("alice", `delete = { user = "very hard" }`), says: `value must be one of`},
		"no such message mode":            {body: erase("alice", `delete = { user = "soft", messages = "gone" }`), says: `value must be one of`},
		"conversations cannot be pruned":  {body: erase("alice", `delete = { user = "soft", conversations = "pruning" }`), says: `value must be one of`},
		"unknown mode":                    {body: `resource "terraform_data" "x" { input = "hard" }` + erase("alice", `delete = { user = terraform_data.x.output }`), says: `Mode not known in the plan`},
		"unknown delete":                  {body: `resource "terraform_data" "x" { input = { user = "hard" } }` + erase("alice", `delete = terraform_data.x.output`), says: `Mode not known in the plan`},
		"unknown user":                    {body: `resource "terraform_data" "x" { input = "alice" }` + strings.Replace(erase("x", hardly), `"x"`, `terraform_data.x.output`, 1), says: `Subject not known in the plan`},
		"restore what cannot be restored": {body: erase("alice", hardly+"\non_destroy = \"restore\""), says: `Nothing to restore`},
		"heir unknown to Stream":          {body: erase("alice", hardly+"\nnew_channel_owner_id = \"nobody\""), says: `New owner not found`},
		"heir is the erased":              {body: erase("alice", hardly+"\nnew_channel_owner_id = \"alice\""), says: `Heir is the erased user`},
		"base_url without scheme":         {provider: `base_url = "chat.example.com"`, body: erase("alice", hardly), says: `Invalid base_url`},
		"base_url is plain http":          {provider: `base_url = "http://chat.example.com"`, body: erase("alice", hardly), says: `Invalid base_url`},
		"empty id":                        {body: erase("", hardly), says: `Invalid user id`},
		"dot":                             {body: erase(".", hardly), says: `Invalid user id`},
		"dots":                            {body: erase("..", hardly), says: `Invalid user id`},
		"slash":                           {body: erase("a/b", hardly), says: `Invalid user id`},
		"blank":                           {body: erase("a b", hardly), says: `Invalid user id`},
		"300 characters":                  {body: erase(strings.Repeat("x", 300), hardly), says: `Invalid user id`},
		"newline":                         {body: erase("alice\n", hardly), says: `Invalid user id`},
		"bad timeout":                     {body: erase("alice", hardly+"\ntimeouts = { create = \"soon\" }"), says: `must be a string`},
		"bad request_timeout":             {provider: `request_timeout = "0s"`, body: erase("alice", hardly), says: `Invalid request_timeout`},
		"no retries below zero":           {provider: `max_retries = -1`, body: erase("alice", hardly), says: `max_retries`},
		"no delete calls":                 {provider: `delete_calls_per_minute = 0`, body: erase("alice", hardly), says: `delete_calls_per_minute`},
		"protected id is no id":           {provider: `protected_user_ids = ["a b"]`, body: erase("alice", hardly), says: `protected_user_ids`},
	} {
		t.Run(name, func(t *testing.T) {
			says := strings.ReplaceAll(regexp.QuoteMeta(tt.says), " ", `\s+`)
			resource.UnitTest(t, resource.TestCase{
				ProtoV6ProviderFactories: acctest.Factories(),
				Steps:                    []resource.TestStep{{PlanOnly: true, Config: s.Config(tt.provider, tt.body), ExpectError: regexp.MustCompile(says)}},
			})
		})
	}
	if n := s.Count("DeleteUsers"); n != 0 {
		t.Errorf("%d delete calls came of refused plans", n)
	}
}

func second[T any](_ T, err error) error { return err }

func TestAccUserErasure_escalation(t *testing.T) {
	acctest.CLI(t)
	s := acctest.Start(t)
	s.Users(t, "alice")
	attempts := func(want int) statecheck.StateCheck {
		return statecheck.ExpectKnownValue(dsr, attr("receipt"), knownvalue.StringFunc(func(receipt string) error {
			var r struct{ Attempts []any }
			if err := json.Unmarshal([]byte(receipt), &r); err != nil {
				return err
			}
			if len(r.Attempts) != want {
				return fmt.Errorf("%d attempts in the receipt, want %d", len(r.Attempts), want)
			}
			return nil
		}))
	}
	mode := func(user string) statecheck.StateCheck {
		return statecheck.ExpectKnownValue(dsr, attr("delete", "user"), knownvalue.StringExact(user))
	}
	resource.UnitTest(t, resource.TestCase{
		ProtoV6ProviderFactories: acctest.Factories(),
		Steps: []resource.TestStep{
			{
				Config: s.Config("", erase("alice", `delete = { user = "soft" }`)),
				ConfigStateChecks: []statecheck.StateCheck{
					is("outcome", "marked_deleted"), statecheck.ExpectKnownValue(dsr, attr("irreversible"), knownvalue.Bool(false)), attempts(1),
				},
			},
			{ // a task that fails leaves the soft record
				PreConfig: func() {
					s.AddFault(emulator.Fault{Op: "DeleteUsers", Kind: emulator.FaultFailTask})
				},
				Config:      s.Config("", erase("alice", hardly)),
				ExpectError: regexp.MustCompile(`Deletion failed at Stream`),
			},
			{ // and the full diff in the next plan
				Config: s.Config("", erase("alice", hardly)), PlanOnly: true, ExpectNonEmptyPlan: true,
				ConfigPlanChecks: resource.ConfigPlanChecks{PostApplyPreRefresh: []plancheck.PlanCheck{
					plancheck.ExpectResourceAction(dsr, plancheck.ResourceActionUpdate),
					plancheck.ExpectKnownValue(dsr, attr("delete", "user"), knownvalue.StringExact("hard")),
					plancheck.ExpectUnknownValue(dsr, attr("status")),
				}},
			},
			{
				RefreshState: true, ExpectNonEmptyPlan: true,
				Check: resource.ComposeTestCheckFunc(
					resource.TestCheckResourceAttr(dsr, "status", "failed"),
					resource.TestCheckResourceAttr(dsr, "delete.user", "soft"),
					resource.TestCheckResourceAttr(dsr, "outcome", "marked_deleted"),
					resource.TestCheckResourceAttr(dsr, "irreversible", "false"),
				),
			},
			{
				Config:            s.Config("", erase("alice", `delete = { user = "pruning" }`)),
				ConfigStateChecks: []statecheck.StateCheck{is("status", "completed"), is("outcome", "pruned"), is("found", "deleted"), mode("pruning"), attempts(3)},
			},
			{
				Config:            s.Config("", erase("alice", hardly)),
				ConfigStateChecks: []statecheck.StateCheck{is("status", "completed"), is("outcome", "erased"), mode("hard"), attempts(4)},
			},
		},
	})
}

// A failure is told apart from a fact, and the next apply gets it done.
func TestAccUserErasure_failures(t *testing.T) {
	acctest.CLI(t)
	for name, tt := range map[string]struct {
		faults []emulator.Fault
		says   string
		user   string
	}{
		"task fails":          {[]emulator.Fault{{Op: "DeleteUsers", Kind: emulator.FaultFailTask}}, `Deletion failed at Stream`, "alice"},
		"user fails":          {[]emulator.Fault{{Op: "DeleteUsers", Kind: emulator.FaultFailUser}}, `Deletion failed at Stream`, "alice"},
		"delete call fails":   {[]emulator.Fault{{Op: "DeleteUsers", Kind: emulator.Fault500, Times: 3}}, `Stream's server failed`, "alice"},
		"redirect":            {[]emulator.Fault{{Op: "DeleteUsers", Kind: emulator.FaultRedirect301}}, `Stream's address redirects`, "alice"},
		"html instead":        {[]emulator.Fault{{Op: "DeleteUsers", Kind: emulator.FaultHTML200, CarryOut: false}}, `Unexpected answer`, "alice"},
		"empty look-up":       {[]emulator.Fault{{Op: "QueryUsers", Kind: emulator.FaultCustom, Status: 200, Body: "{}", ContentType: "application/json"}}, `Unexpected answer`, "alice"},
		"probe says nonsense": {[]emulator.Fault{{Op: "UpdateUsersPartial", Kind: emulator.FaultCustom, Status: 404, Body: `{"code":16,"message":"UpdateUsersPartial failed with error: \"no idea\"","StatusCode":404}`, ContentType: "application/json"}}, `Unexpected answer`, "nobody"},
		"probe is not found":  {[]emulator.Fault{{Op: "UpdateUsersPartial", Kind: emulator.FaultCustom, Status: 404, Body: `{"code":16,"message":"Request failed with error: \"Not Found\"","StatusCode":404}`, ContentType: "application/json"}}, `Unexpected answer`, "nobody"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := acctest.Start(t)
			s.Users(t, "alice")
			body := erase(tt.user, hardly+"\non_missing = \"record\"")
			resource.UnitTest(t, resource.TestCase{
				ProtoV6ProviderFactories: acctest.Factories(),
				Steps: []resource.TestStep{
					{
						PreConfig: func() {
							for _, f := range tt.faults {
								s.AddFault(f)
							}
						},
						Config:      s.Config("max_retries = 2", body),
						ExpectError: regexp.MustCompile(strings.ReplaceAll(tt.says, " ", `\s+`)),
					},
					{
						PreConfig: func() {
							s.ClearFaults()
						},
						Config:            s.Config("", body),
						ConfigPlanChecks:  resource.ConfigPlanChecks{PreApply: []plancheck.PlanCheck{plancheck.ExpectResourceAction(dsr, plancheck.ResourceActionCreate)}},
						ConfigStateChecks: []statecheck.StateCheck{is("status", "completed")},
					},
				},
			})
		})
	}
}

func TestAccUserErasure_missingEntryInTheTask(t *testing.T) {
	acctest.CLI(t)
	s := acctest.Start(t)
	s.Users(t, "alice")
	s.AddFault(emulator.Fault{Op: "DeleteUsers", Kind: emulator.FaultMissingUser})
	resource.UnitTest(t, resource.TestCase{
		ProtoV6ProviderFactories: acctest.Factories(),
		Steps:                    []resource.TestStep{{Config: s.Config("", erase("alice", hardly)), ConfigStateChecks: []statecheck.StateCheck{is("status", "completed"), is("outcome", "erased")}}},
	})
}

func TestAccUserErasure_found(t *testing.T) {
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
			resource.UnitTest(t, resource.TestCase{
				ProtoV6ProviderFactories: acctest.Factories(),
				Steps: []resource.TestStep{{
					Config:            s.Config("", erase("alice", tt.body)),
					ConfigStateChecks: []statecheck.StateCheck{is("status", "completed"), is("found", tt.found), is("outcome", tt.outcome)},
				}},
			})
			if n := s.Count("DeleteUsers"); n != tt.calls {
				t.Errorf("%d delete calls, want %d", n, tt.calls)
			}
		})
	}
}

// Somebody who was deleted softly and comes back at Stream shows up as drift.
func TestAccUserErasure_reverted(t *testing.T) {
	acctest.CLI(t)
	s := acctest.Start(t)
	s.Users(t, "alice")
	config := s.Config("", erase("alice", `delete = { user = "soft" }`))
	resource.UnitTest(t, resource.TestCase{
		ProtoV6ProviderFactories: acctest.Factories(),
		Steps: []resource.TestStep{
			{Config: config},
			{PreConfig: func() { restore(t, s, "alice") }, Config: config, PlanOnly: true, ExpectNonEmptyPlan: true},
			{RefreshState: true, ExpectNonEmptyPlan: true, Check: resource.TestCheckResourceAttr(dsr, "status", "reverted")},
			{Config: config, ConfigStateChecks: []statecheck.StateCheck{is("status", "completed"), is("found", "present")}},
		},
	})
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
	acctest.CLI(t)
	s := acctest.Start(t)
	s.Users(t, "alice", "bob")
	if _, err := s.SDK.DeleteUsers(context.Background(), []string{"alice"}, stream_chat.DeleteUserOptions{User: stream_chat.HardDelete}); err != nil {
		t.Fatal(err)
	}
	s.ResetRequests()
	importing := func(id string) string {
		return s.Config("", erase(id, hardly)+fmt.Sprintf("\nimport {\n  to = %s\n  id = %q\n}\n", dsr, id))
	}
	resource.UnitTest(t, resource.TestCase{
		ProtoV6ProviderFactories: acctest.Factories(),
		Steps: []resource.TestStep{
			{Config: importing("bob"), ExpectError: regexp.MustCompile(`Subject is not erased`)},
			{Config: importing("carol"), ExpectError: regexp.MustCompile(`Subject not found`)},
			{Config: importing("a b"), ExpectError: regexp.MustCompile(`Invalid user id`)},
			{
				Config: importing("alice"),
				ConfigStateChecks: []statecheck.StateCheck{
					is("status", "completed"), is("outcome", "adopted"), is("found", "deleted"),
					statecheck.ExpectKnownValue(dsr, attr("delete", "user"), knownvalue.StringExact("hard")),
					statecheck.ExpectKnownValue(dsr, attr("irreversible"), knownvalue.Bool(true)),
				},
			},
			{Config: s.Config("", erase("alice", hardly)), PlanOnly: true},
		},
	})
	if n := s.Count("DeleteUsers"); n != 0 {
		t.Errorf("import sent %d deletions", n)
	}
}

func TestAccUserErasure_identity(t *testing.T) {
	acctest.CLI(t)
	s := acctest.Start(t)
	s.Users(t, "alice")
	resource.UnitTest(t, resource.TestCase{
		ProtoV6ProviderFactories: acctest.Factories(),
		TerraformVersionChecks:   []tfversion.TerraformVersionCheck{tfversion.SkipBelow(tfversion.Version1_12_0)},
		Steps: []resource.TestStep{
			{
				Config:            s.Config("", erase("alice", hardly)),
				ConfigStateChecks: []statecheck.StateCheck{statecheck.ExpectIdentity(dsr, map[string]knownvalue.Check{"user_id": knownvalue.StringExact("alice")})},
			},
		},
	})
}

func TestAccUserErasure_unknownSubjectsAllowed(t *testing.T) {
	acctest.CLI(t)
	s := acctest.Start(t)
	s.Users(t, "alice")
	body := `resource "terraform_data" "x" { input = "alice" }` + strings.Replace(erase("x", hardly), `"x"`, `terraform_data.x.output`, 1)
	resource.UnitTest(t, resource.TestCase{
		ProtoV6ProviderFactories: acctest.Factories(),
		Steps:                    []resource.TestStep{{Config: s.Config("allow_unknown_subjects = true", body), ConfigStateChecks: []statecheck.StateCheck{is("status", "completed")}}},
	})
}

func TestAccUserErasure_guardsRunAgainAtApply(t *testing.T) {
	acctest.CLI(t)
	s := acctest.Start(t)
	s.Users(t, "alice")
	body := `resource "terraform_data" "x" { input = "alice" }` + strings.Replace(erase("x", hardly), `"x"`, `terraform_data.x.output`, 1)
	resource.UnitTest(t, resource.TestCase{
		ProtoV6ProviderFactories: acctest.Factories(),
		Steps: []resource.TestStep{{
			Config:      s.Config("allow_unknown_subjects = true\n  protected_user_ids = [\"alice\"]", body),
			ExpectError: regexp.MustCompile(`Protected user`),
		}},
	})
	if n := s.Count("DeleteUsers"); n != 0 {
		t.Errorf("%d delete calls in spite of the guard", n)
	}
}

func TestAccUserErasure_tokensAndPolls(t *testing.T) {
	acctest.CLI(t)
	s := acctest.Start(t)
	s.Users(t, "alice", "heir")
	pollID := createPoll(t, s, "alice")
	resource.UnitTest(t, resource.TestCase{
		ProtoV6ProviderFactories: acctest.Factories(),
		Steps: []resource.TestStep{{
			Config:            s.Config("", erase("alice", hardly+"\nrevoke_tokens = true\nnew_channel_owner_id = \"heir\"")),
			ConfigStateChecks: []statecheck.StateCheck{is("status", "completed")},
			Check: func(st *terraform.State) error {
				if receipt := st.RootModule().Resources[dsr].Primary.Attributes["receipt"]; strings.Contains(receipt, "heir") {
					return fmt.Errorf("the receipt names the heir: %s", receipt)
				}
				return nil
			},
		}},
	})
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
