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
	"time"

	"github.com/hashicorp/terraform-plugin-testing/helper/resource"
	"github.com/hashicorp/terraform-plugin-testing/knownvalue"
	"github.com/hashicorp/terraform-plugin-testing/plancheck"
	"github.com/hashicorp/terraform-plugin-testing/statecheck"
	"github.com/hashicorp/terraform-plugin-testing/terraform"

	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/acctest"
	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/clock/clocktest"
	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/emulator"
)

const campaign = "streamchat_user_erasure_batch.campaign"

func batch(body string, ids ...string) string {
	list, err := json.Marshal(ids)
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
	acctest.CLI(t)
	s := acctest.Start(t)
	s.Users(t, "a", "b", "c", "d")
	resource.UnitTest(t, resource.TestCase{
		ProtoV6ProviderFactories: acctest.Factories(),
		Steps: []resource.TestStep{
			{
				Config: s.Config("", batch(`delete = { user = "soft" }`, "b", "a")),
				ConfigPlanChecks: resource.ConfigPlanChecks{PreApply: []plancheck.PlanCheck{
					plancheck.ExpectKnownValue(campaign, attr("user_count"), knownvalue.Int64Exact(2)),
					plancheck.ExpectKnownValue(campaign, attr("new_user_count"), knownvalue.Int64Exact(2)),
					plancheck.ExpectKnownValue(campaign, attr("irreversible"), knownvalue.Bool(false)),
					plancheck.ExpectUnknownValue(campaign, attr("status")),
				}},
				ConfigStateChecks: []statecheck.StateCheck{
					statecheck.ExpectKnownValue(campaign, attr("status"), knownvalue.StringExact("completed")),
					statecheck.ExpectKnownValue(campaign, attr("results", "a", "outcome"), knownvalue.StringExact("marked_deleted")),
				},
				Check: sent(s, "a", "b"),
			},
			{ // one more is one more
				Config: s.Config("", batch(`delete = { user = "soft" }`, "a", "b", "c")),
				ConfigPlanChecks: resource.ConfigPlanChecks{PreApply: []plancheck.PlanCheck{
					plancheck.ExpectResourceAction(campaign, plancheck.ResourceActionUpdate),
					plancheck.ExpectKnownValue(campaign, attr("new_user_count"), knownvalue.Int64Exact(1)),
					plancheck.ExpectKnownValue(campaign, attr("results", "a", "status"), knownvalue.StringExact("completed")),
					plancheck.ExpectUnknownValue(campaign, attr("results", "c", "status")),
				}},
				Check: sent(s, "c"),
			},
			{ // one who leaves keeps the evidence, and nothing is sent
				Config: s.Config("", batch(`delete = { user = "soft" }`, "b", "c")),
				ConfigPlanChecks: resource.ConfigPlanChecks{PreApply: []plancheck.PlanCheck{
					plancheck.ExpectKnownValue(campaign, attr("results", "a", "status"), knownvalue.StringExact("completed")),
				}},
				ConfigStateChecks: []statecheck.StateCheck{
					statecheck.ExpectKnownValue(campaign, attr("results"), knownvalue.MapSizeExact(3)),
					statecheck.ExpectKnownValue(campaign, attr("user_count"), knownvalue.Int64Exact(2)),
				},
				Check: sent(s),
			},
			{ // unless the operator says so
				Config:            s.Config("", batch("delete = { user = \"soft\" }\n  drop_removed_records = true", "b", "c")),
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
					statecheck.ExpectKnownValue(campaign, attr("results", "c", "outcome"), knownvalue.StringExact("erased")),
					statecheck.ExpectKnownValue(campaign, attr("results", "c", "found"), knownvalue.StringExact("deleted")),
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
			{Config: s.Config("", batch(`delete = { user = "soft" }`, "b", "c")), ExpectError: regexp.MustCompile(`A deletion cannot be taken back`)},
		},
	})
	if n := s.Count("DeleteUsers"); n != 0 {
		t.Errorf("%d calls after the last escalation", n)
	}
}

func TestAccUserErasureBatch_refusals(t *testing.T) {
	acctest.CLI(t)
	s := acctest.Start(t)
	s.Users(t, "alice", "bob")
	many := make([]string, 1001)
	for i := range many {
		many[i] = fmt.Sprint("user-", i)
	}
	for name, tt := range map[string]struct{ provider, body, says string }{
		"nobody":               {body: batch(hardly, []string{}...), says: `Nobody to erase`},
		"too many for one":     {body: batch(hardly, many...), says: `at most 1000 elements`},
		"twice in the list":    {body: batch(hardly, "alice", "bob", "alice"), says: `The same subject twice`},
		"in a batch and alone": {body: batch(hardly, "alice") + erase("alice", hardly), says: `The same subject twice`},
		"misspelt":             {body: batch(hardly, "alice", "bop"), says: `1 of 2: user_ids[1]`},
		"not an id":            {body: batch(hardly, "alice", "a/b"), says: `Invalid user id`},
		"protected":            {provider: `protected_user_ids = ["bob"]`, body: batch(hardly, "alice", "bob"), says: `Protected user`},
		"too many for a run":   {provider: `max_erasures = 1`, body: batch(hardly, "alice", "bob"), says: `Too many erasures`},
		"soft messages":        {body: batch(`delete = { user = "hard", messages = "soft" }`, "alice"), says: `Hard deletion needs hard messages`},
		"unknown list":         {body: `resource "terraform_data" "x" { input = ["alice"] }` + strings.Replace(batch(hardly, "alice"), `["alice"]`, "terraform_data.x.output", 1), says: `Subject not known in the plan`},
		"nothing to restore":   {body: batch(hardly+"\n on_destroy = \"restore\"", "alice"), says: `Nothing to restore`},
	} {
		t.Run(name, func(t *testing.T) {
			body := strings.Replace(tt.body, "user_ids = null", "user_ids = []", 1)
			resource.UnitTest(t, resource.TestCase{
				ProtoV6ProviderFactories: acctest.Factories(),
				Steps:                    []resource.TestStep{{PlanOnly: true, Config: s.Config(tt.provider, body), ExpectError: regexp.MustCompile(strings.ReplaceAll(regexp.QuoteMeta(tt.says), " ", `\s+`))}},
			})
		})
	}
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
	b, _ := results["b"].(map[string]any)
	a, _ := results["a"].(map[string]any)
	if !tainted || values["status"] != "failed" || b["status"] != "failed" || b["error"] == nil || a["status"] != "completed" {
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
	after, _ := results["a"].(map[string]any)
	if c, _ := results["c"].(map[string]any); c["status"] != "completed" {
		t.Errorf("the evidence of one who left is lost: %v", results)
	}
	if tainted || values["status"] != "completed" || after["task_id"] != a["task_id"] {
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
	b, _ := results["b"].(map[string]any)
	if tainted || values["status"] != "completed" || b["found"] != "deleted" {
		t.Errorf("tainted %v, state %v", tainted, values)
	}
	if calls := sentIDs(t, s); len(calls) != 2 || !slices.Equal(calls[1], []string{"b"}) {
		t.Errorf("delete calls: %v", calls)
	}
}

// At its deadline a batch returns what is known; the next apply goes on.
func TestCLIBatchDeadline(t *testing.T) {
	t.Parallel()
	now := clocktest.New(time.Now())
	s := acctest.Start(t, func(o *emulator.Options) { o.Clock = now; o.TaskDelay = time.Minute })
	ids := make([]string, 150)
	for i := range ids {
		ids[i] = fmt.Sprintf("user-%03d", i)
	}
	s.Users(t, ids...)
	w := s.Workspace(t, "delete_calls_per_minute = 1\n  max_erasures = 200", batch(hardly+"\n  timeouts = { create = \"4s\", update = \"4s\" }", ids...))
	expect(t, w.Run("apply", "-auto-approve"), 0, "Batch not finished", "150 of 150 subjects are not finished")
	values, tainted := record(t, w, campaign)
	counts := map[any]int{}
	results, _ := values["results"].(map[string]any)
	for _, r := range results {
		entry, _ := r.(map[string]any)
		counts[entry["status"]]++
	}
	if tainted || counts["submitted"] != 100 || counts["pending"] != 50 || values["status"] != "submitted" {
		t.Fatalf("tainted %v, counts %v, status %v", tainted, counts, values["status"])
	}
	now.Advance(2 * time.Minute)
	expect(t, w.Run("apply", "-auto-approve"), 0)
	expect(t, w.Run("plan", "-detailed-exitcode"), 2)
	now.Advance(2 * time.Minute)
	expect(t, w.Run("apply", "-auto-approve"), 0)
	expect(t, w.Run("plan", "-detailed-exitcode"), 0)
	sentOnce := map[string]int{}
	for _, r := range s.Requests("DeleteUsers") {
		for _, id := range r.UserIDs {
			sentOnce[id]++
		}
	}
	for _, id := range ids {
		if sentOnce[id] != 1 {
			t.Errorf("%s was sent %d times", id, sentOnce[id])
		}
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
  delete   = { user = "hard" }
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

// An escalation that does not get to everybody is not told as one.
func TestCLIBatchEscalationAtItsDeadline(t *testing.T) {
	t.Parallel()
	now := clocktest.New(time.Now())
	s := acctest.Start(t, func(o *emulator.Options) { o.Clock = now; o.TaskDelay = -1 })
	ids := make([]string, 120)
	for i := range ids {
		ids[i] = fmt.Sprintf("user-%03d", i)
	}
	s.Users(t, ids...)
	const limits = "max_erasures = 200\n  delete_calls_per_minute = 2"
	w := s.Workspace(t, limits, batch(`delete = { user = "soft" }`, ids...))
	expect(t, w.Run("apply", "-auto-approve"), 0)
	const slowly = "max_erasures = 200\n  delete_calls_per_minute = 1"
	w.Write(slowly, batch(hardly+"\n  timeouts = { update = \"25s\" }", ids...))
	expect(t, w.Run("apply", "-auto-approve"), 1, "Escalation not finished")
	values, tainted := record(t, w, campaign)
	modes, _ := values["delete"].(map[string]any)
	if tainted || values["status"] != "submitted" || modes["user"] != "soft" || values["irreversible"] != true {
		t.Errorf("tainted %v, status %v, delete %v, irreversible %v", tainted, values["status"], modes, values["irreversible"])
	}
	s.ResetRequests()
	w.Write(limits, batch(hardly, ids...))
	expect(t, w.Run("apply", "-auto-approve"), 0)
	if calls := sentIDs(t, s); len(calls) != 1 || len(calls[0]) != 20 {
		t.Errorf("the next apply sent %d calls", len(calls))
	}
	values, _ = record(t, w, campaign)
	if modes, _ := values["delete"].(map[string]any); modes["user"] != "hard" || values["status"] != "completed" || values["irreversible"] != true {
		t.Errorf("state %v", values["delete"])
	}
}

func TestCLIBatchCannotBeLoweredThroughATaint(t *testing.T) {
	t.Parallel()
	s := acctest.Start(t)
	s.Users(t, "a", "b")
	w := s.Workspace(t, "", batch(hardly, "a", "b"))
	s.AddFault(emulator.Fault{Op: "DeleteUsers", Kind: emulator.FaultFailUser, UserID: "b"})
	expect(t, w.Run("apply", "-auto-approve"), 1)
	w.Write("", batch(`delete = { user = "soft" }`, "a", "b"))
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
	w := s.Workspace(t, "", batch(`delete = { user = "soft" }`, "a", "b"))
	expect(t, w.Run("apply", "-auto-approve"), 0)
	s.AddFault(emulator.Fault{Op: "DeleteUsers", Kind: emulator.FaultFailUser, UserID: "b"})
	w.Write("", batch(hardly, "a", "b"))
	expect(t, w.Run("apply", "-auto-approve"), 1, "Deletion failed at Stream")
	w.Write("", batch(hardly, "a"))
	expect(t, w.Run("apply", "-auto-approve"), 0)
	values, _ := record(t, w, campaign)
	if modes, _ := values["delete"].(map[string]any); modes["user"] != "hard" || values["irreversible"] != true || slices.Contains(values["not_covered"].([]any), any("user_data")) {
		t.Errorf("state %v", values)
	}
	expect(t, w.Run("plan", "-detailed-exitcode"), 0)
}
