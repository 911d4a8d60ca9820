// Copyright (c) the terraform-provider-streamchat authors
// SPDX-License-Identifier: MPL-2.0

package user_test

import (
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/hashicorp/terraform-plugin-testing/helper/resource"
	"github.com/hashicorp/terraform-plugin-testing/knownvalue"
	"github.com/hashicorp/terraform-plugin-testing/plancheck"
	"github.com/hashicorp/terraform-plugin-testing/statecheck"
	"github.com/hashicorp/terraform-plugin-testing/terraform"

	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/acctest"
	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/emulator"
)

const campaign = "streamchat_user_erasure_batch.campaign"

func batch(body string, ids ...string) string {
	list, err := json.Marshal(append([]string{}, ids...))
	if err != nil {
		panic(err)
	}
	return fmt.Sprintf("\nresource \"streamchat_user_erasure_batch\" \"campaign\" {\n  user_ids = %s\n  %s\n}\n", list, body)
}

// sentIDs are the users of all delete calls, in order of the calls.
func sentIDs(t *testing.T, s *acctest.Stream) (calls [][]string) {
	t.Helper()
	for _, r := range s.Requests("DeleteUsers") {
		ids := slices.Clone(r.UserIDs)
		slices.Sort(ids)
		calls = append(calls, ids)
	}
	return calls
}

func sent(s *acctest.Stream, want ...string) resource.TestCheckFunc {
	return func(*terraform.State) error {
		var got []string
		for _, r := range s.Requests("DeleteUsers") {
			got = append(got, r.UserIDs...)
		}
		slices.Sort(got)
		if !slices.Equal(got, want) {
			return fmt.Errorf("sent %v, want %v", got, want)
		}
		s.ResetRequests()
		return nil
	}
}

func TestAccUserErasureBatch(t *testing.T) {
	t.Parallel()
	acctest.CLI(t)
	s := acctest.Start(t)
	s.Users(t, "a", "b", "c", "d")
	resource.UnitTest(t, resource.TestCase{
		ProtoV6ProviderFactories: acctest.Factories(),
		Steps: []resource.TestStep{
			{
				Config: s.Config("", batch(acctest.DeleteBlock(`user = "soft"`), "b", "a")),
				ConfigPlanChecks: resource.ConfigPlanChecks{PreApply: []plancheck.PlanCheck{
					plancheck.ExpectKnownValue(campaign, attr("user_count"), knownvalue.Int64Exact(2)),
					plancheck.ExpectKnownValue(campaign, attr("new_user_count"), knownvalue.Int64Exact(2)),
					plancheck.ExpectKnownValue(campaign, attr("irreversible"), knownvalue.Bool(false)),
					plancheck.ExpectUnknownValue(campaign, attr("status")),
				}},
				ConfigStateChecks: []statecheck.StateCheck{
					statecheck.ExpectKnownValue(campaign, attr("status"), knownvalue.StringExact("completed")),
					statecheck.ExpectKnownValue(campaign, attr("results", "a"), knownvalue.StringExact("marked_deleted")),
				},
				Check: sent(s, "a", "b"),
			},
			{ // one more is one more
				Config: s.Config("", batch(acctest.DeleteBlock(`user = "soft"`), "a", "b", "c")),
				ConfigPlanChecks: resource.ConfigPlanChecks{PreApply: []plancheck.PlanCheck{
					plancheck.ExpectResourceAction(campaign, plancheck.ResourceActionUpdate),
					plancheck.ExpectKnownValue(campaign, attr("new_user_count"), knownvalue.Int64Exact(1)),
					plancheck.ExpectKnownValue(campaign, attr("results", "a"), knownvalue.StringExact("marked_deleted")),
					plancheck.ExpectUnknownValue(campaign, attr("results", "c")),
				}},
				Check: sent(s, "c"),
			},
			{ // one who leaves keeps the evidence, and nothing is sent
				Config: s.Config("", batch(acctest.DeleteBlock(`user = "soft"`), "b", "c")),
				ConfigPlanChecks: resource.ConfigPlanChecks{PreApply: []plancheck.PlanCheck{
					plancheck.ExpectKnownValue(campaign, attr("results", "a"), knownvalue.StringExact("marked_deleted")),
				}},
				ConfigStateChecks: []statecheck.StateCheck{
					statecheck.ExpectKnownValue(campaign, attr("results"), knownvalue.MapSizeExact(3)),
					statecheck.ExpectKnownValue(campaign, attr("user_count"), knownvalue.Int64Exact(3)),
				},
				Check: sent(s),
			},
			{ // unless the operator says so
				Config:            s.Config("", batch(acctest.DeleteBlock(`user = "soft"`)+"\n  drop_removed_records = true", "b", "c")),
				ConfigStateChecks: []statecheck.StateCheck{statecheck.ExpectKnownValue(campaign, attr("results"), knownvalue.MapSizeExact(2))},
				Check:             sent(s),
			},
			{ // an escalation sends everybody who is still asked for
				Config: s.Config("", batch(hardly, "b", "c")),
				ConfigPlanChecks: resource.ConfigPlanChecks{PreApply: []plancheck.PlanCheck{
					plancheck.ExpectKnownValue(campaign, attr("new_user_count"), knownvalue.Int64Exact(2)),
					plancheck.ExpectKnownValue(campaign, attr("irreversible"), knownvalue.Bool(true)),
				}},
				ConfigStateChecks: []statecheck.StateCheck{
					statecheck.ExpectKnownValue(campaign, attr("results", "c"), knownvalue.StringExact("erased")),
				},
				Check: func(st *terraform.State) error {
					receipt := st.RootModule().Resources[campaign].Primary.Attributes["receipt"]
					var r struct {
						Attempts []any
						Subjects []struct {
							Subject  string
							Attempts []int
						}
					}
					if err := json.Unmarshal([]byte(receipt), &r); err != nil {
						return err
					}
					if len(r.Subjects) != 2 || len(r.Subjects[0].Attempts) != 2 || len(r.Subjects[0].Subject) != 64 || len(r.Attempts) > 3 {
						return fmt.Errorf("receipt: %s", receipt)
					}
					return sent(s, "b", "c")(st)
				},
			},
			{Config: s.Config("", batch(hardly, "b", "c")), PlanOnly: true},
			{Config: s.Config("", batch(acctest.DeleteBlock(`user = "soft"`), "b", "c")), ExpectError: regexp.MustCompile(`A deletion cannot be taken back`)},
		},
	})
	if n := s.Count("DeleteUsers"); n != 0 {
		t.Errorf("%d calls after the last escalation", n)
	}
}

func TestAccUserErasureBatch_refusals(t *testing.T) {
	t.Parallel()
	acctest.CLI(t)
	s := acctest.Start(t)
	s.Users(t, "alice", "bob")
	many := make([]string, 1001)
	for i := range many {
		many[i] = fmt.Sprint("user-", i)
	}
	s.Refused(t, map[string]acctest.Refusal{
		"null":                 {Body: strings.Replace(batch(hardly, "alice", "x"), `"x"`, "null", 1), Says: `1 of 2: user_ids[1]`},
		"too many for one":     {Body: batch(hardly, many...), Says: `at most 1000 elements`},
		"twice in the list":    {Body: batch(hardly, "alice", "bob", "alice"), Says: `The same subject twice`},
		"in a batch and alone": {Body: batch(hardly, "alice") + erase("alice", hardly), Says: `The same subject twice`},
		"misspelt":             {Body: batch(hardly, "alice", "bop"), Says: `1 of 2: user_ids[1]`},
		"not an id":            {Body: batch(hardly, "alice", "a/b"), Says: `Invalid user id`},
		"too many for a run":   {Provider: `max_erasures = 1`, Body: batch(hardly, "alice", "bob"), Says: `Too many erasures`},
		"soft messages":        {Body: batch(acctest.DeleteBlock(`user = "hard"`, `messages = "soft"`), "alice"), Says: `Hard deletion needs hard messages`},
		"nothing to restore":   {Body: batch(hardly+"\n on_destroy = \"restore\"", "alice"), Says: `Nothing to restore`},
		"protected":            {Provider: `protected_user_ids = ["bob"]`, Body: batch(hardly, "alice", "bob"), Says: `Protected user`},
		"unknown list":         {Body: `resource "terraform_data" "x" { input = ["alice"] }` + strings.Replace(batch(hardly, "alice"), `["alice"]`, "terraform_data.x.output", 1), Says: `Subject not known in the plan`},
	})
	if n := s.Count("DeleteUsers"); n != 0 {
		t.Errorf("%d delete calls came of refused plans", n)
	}
}

// Who fails does not take the others down, and the evidence of the others
// survives the taint.
func TestCLIBatchPartialFailure(t *testing.T) {
	t.Parallel()
	s := acctest.Start(t)
	s.Users(t, "a", "b", "c")
	w := s.Workspace(t, "", batch(hardly, "a", "b", "c"))
	expect(t, w.Run("import", campaign, "a"), 1, "A batch cannot be imported", "Import each subject as a streamchat_user_erasure")
	s.AddFault(emulator.Fault{Op: "DeleteUsers", Kind: emulator.FaultFailUser, UserID: "b"})
	expect(t, w.Run("apply", "-auto-approve"), 1, "Deletion failed at Stream", "1 of 3: user_ids[1]")
	values, tainted := record(t, w, campaign)
	results, _ := values["results"].(map[string]any)
	failures, _ := values["failures"].(map[string]any)
	if !tainted || values["status"] != "failed" || results["b"] != "failed" || failures["b"] == nil || results["a"] != "erased" {
		t.Fatalf("tainted %v, state %v", tainted, values)
	}
	w.Write("", batch(hardly, "a", "b")) // c leaves while the batch is tainted
	expect(t, w.Run("apply", "-auto-approve"), 0)
	calls := sentIDs(t, s)
	if len(calls) != 2 || !slices.Equal(calls[0], []string{"a", "b", "c"}) || !slices.Equal(calls[1], []string{"b"}) {
		t.Errorf("delete calls: %v", calls)
	}
	values, tainted = record(t, w, campaign)
	results, _ = values["results"].(map[string]any)
	if results["c"] != "erased" {
		t.Errorf("the evidence of one who left is lost: %v", results)
	}
	if tainted || values["status"] != "completed" || results["a"] != "erased" {
		t.Errorf("tainted %v, state %v", tainted, values)
	}
	expect(t, w.Run("plan", "-detailed-exitcode"), 0)
}

// An interrupt between the two halves of a replacement loses a tainted record;
// without the taint the same work is an update in place.
func TestCLIBatchUntainted(t *testing.T) {
	t.Parallel()
	s := acctest.Start(t)
	s.Users(t, "a", "b")
	w := s.Workspace(t, "", batch(hardly, "a", "b"))
	s.AddFault(emulator.Fault{Op: "DeleteUsers", Kind: emulator.FaultFailUser, UserID: "b"})
	expect(t, w.Run("apply", "-auto-approve"), 1, "Deletion failed at Stream")
	expect(t, w.Run("plan"), 0, "is tainted, so", "use terraform untaint")
	expect(t, w.Run("untaint", campaign), 0)
	expect(t, w.Run("apply", "-auto-approve"), 0, "will be updated in-place", "0 added, 1 changed, 0 destroyed")
	values, tainted := record(t, w, campaign)
	results, _ := values["results"].(map[string]any)
	if tainted || values["status"] != "completed" || results["b"] != "erased" {
		t.Errorf("tainted %v, state %v", tainted, values)
	}
	if calls := sentIDs(t, s); len(calls) != 2 || !slices.Equal(calls[1], []string{"b"}) {
		t.Errorf("delete calls: %v", calls)
	}
}

// Any number of users goes through for_each over chunklist; the benchmark
// Erasures/40000 measures the full size.
func TestCLIBatchesByChunklist(t *testing.T) {
	t.Parallel()
	s := acctest.Start(t)
	ids := make([]string, 250)
	for i := range ids {
		ids[i] = fmt.Sprintf("leaver-%d", i)
	}
	s.Users(t, ids...)
	body := func(n int) string {
		return fmt.Sprintf(`
resource "streamchat_user_erasure_batch" "leavers" {
  for_each = { for i, ids in chunklist([for i in range(%d) : "leaver-${i}"], 100) : format("%%03d", i) => ids }
  user_ids = each.value
  delete { user = "hard" }
}`, n)
	}
	w := s.Workspace(t, "max_erasures = 1000", body(249))
	expect(t, w.Run("apply", "-auto-approve"), 0, "3 added")
	if n := s.Count("DeleteUsers"); n != 3 {
		t.Errorf("%d delete calls for 249 users", n)
	}
	w.Write("max_erasures = 1000", body(250)) // one more at the end
	expect(t, w.Run("apply", "-auto-approve"), 0, "1 changed")
	if calls := sentIDs(t, s); len(calls) != 4 || !slices.Equal(calls[3], []string{"leaver-249"}) {
		t.Errorf("the last call of %d: %v", len(calls), calls[len(calls)-1])
	}
	expect(t, w.Run("plan", "-detailed-exitcode"), 0)
}

func TestCLIBatchCannotBeLoweredThroughATaint(t *testing.T) {
	t.Parallel()
	s := acctest.Start(t)
	s.Users(t, "a", "b")
	w := s.Workspace(t, "", batch(hardly, "a", "b"))
	s.AddFault(emulator.Fault{Op: "DeleteUsers", Kind: emulator.FaultFailUser, UserID: "b"})
	expect(t, w.Run("apply", "-auto-approve"), 1)
	w.Write("", batch(acctest.DeleteBlock(`user = "soft"`), "a", "b"))
	expect(t, w.Run("plan"), 1, "A deletion cannot be taken back")
	expect(t, w.Run("apply", "-auto-approve", "-refresh=false"), 1, "A deletion cannot be taken back")
	values, _ := record(t, w, campaign)
	if modes, _ := values["delete"].(map[string]any); modes["user"] != "hard" {
		t.Errorf("state says %v", values["delete"])
	}
}

// When the last who was behind leaves the list, the record says what was done.
func TestCLIBatchAfterSomebodyWhoWasBehindLeft(t *testing.T) {
	t.Parallel()
	s := acctest.Start(t)
	s.Users(t, "a", "b")
	w := s.Workspace(t, "", batch(acctest.DeleteBlock(`user = "soft"`), "a", "b"))
	expect(t, w.Run("apply", "-auto-approve"), 0)
	s.AddFault(emulator.Fault{Op: "DeleteUsers", Kind: emulator.FaultFailUser, UserID: "b"})
	w.Write("", batch(hardly, "a", "b"))
	expect(t, w.Run("apply", "-auto-approve"), 1, "Deletion failed at Stream")
	w.Write("", batch(hardly, "a"))
	expect(t, w.Run("apply", "-auto-approve"), 1, "Failed deletions of subjects that left the list")
	expect(t, w.Run("plan", "-detailed-exitcode"), 2, "Failed deletions of subjects that left the list")
	w.Write("", batch(hardly+"\n  drop_removed_records = true", "a"))
	expect(t, w.Run("apply", "-auto-approve"), 0, "Unfinished deletions given up", "1 failed")
	values, _ := record(t, w, campaign)
	if modes, _ := values["delete"].(map[string]any); modes["user"] != "hard" || values["irreversible"] != true || slices.Contains(values["not_covered"].([]any), any("user_data")) {
		t.Errorf("state %v", values)
	}
	expect(t, w.Run("plan", "-detailed-exitcode"), 0)
}
