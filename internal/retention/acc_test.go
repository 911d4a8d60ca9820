// Copyright (c) the terraform-provider-streamchat authors
// SPDX-License-Identifier: MPL-2.0

package retention_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/hashicorp/terraform-plugin-testing/helper/resource"
	"github.com/hashicorp/terraform-plugin-testing/knownvalue"
	"github.com/hashicorp/terraform-plugin-testing/plancheck"
	"github.com/hashicorp/terraform-plugin-testing/statecheck"
	"github.com/hashicorp/terraform-plugin-testing/terraform"
	"github.com/hashicorp/terraform-plugin-testing/tfversion"

	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/acctest"
	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/emulator"
)

func TestMain(m *testing.M) { acctest.Main(m) }

const address = "streamchat_retention_policy.keep"

func keep(policy string, hours any) string {
	return fmt.Sprintf("resource \"streamchat_retention_policy\" \"keep\" {\n  policy = %q\n  max_age_hours = %v\n}\n", policy, hours)
}

func is(name string, want knownvalue.Check) statecheck.StateCheck {
	return acctest.Known(address, name, want)
}

func planned(action plancheck.ResourceActionType) resource.ConfigPlanChecks {
	return acctest.Plans(address, action)
}

// call makes a request that must go well.
func call(t testing.TB, s *acctest.Stream, method, path, body string) []byte {
	t.Helper()
	status, raw := s.Call(t, method, path, body)
	if status > http.StatusCreated {
		t.Fatalf("%s %s: %d %s", method, path, status, raw)
	}
	return raw
}

// policies is what the app has, e.g. "old-messages=24".
func policies(t testing.TB, s *acctest.Stream) string {
	t.Helper()
	var answer struct {
		Policies []struct {
			Policy string
			Config struct {
				Hours int `json:"max_age_hours"`
			}
		}
	}
	if err := json.Unmarshal(call(t, s, http.MethodGet, "/retention_policy", ""), &answer); err != nil {
		t.Fatal(err)
	}
	var list []string
	for _, p := range answer.Policies {
		list = append(list, fmt.Sprintf("%s=%d", p.Policy, p.Config.Hours))
	}
	return strings.Join(list, " ")
}

func has(t testing.TB, s *acctest.Stream, want string) resource.TestCheckFunc {
	return func(*terraform.State) error {
		if got := policies(t, s); got != want {
			return fmt.Errorf("the app has %q, want %q", got, want)
		}
		return nil
	}
}

func setByHand(t testing.TB, s *acctest.Stream, policy string, hours int) {
	t.Helper()
	call(t, s, http.MethodPost, "/retention_policy", fmt.Sprintf(`{"policy":%q,"max_age_hours":%d}`, policy, hours))
}

func removeByHand(t testing.TB, s *acctest.Stream, policy string) {
	t.Helper()
	call(t, s, http.MethodPost, "/retention_policy/delete", fmt.Sprintf(`{"policy":%q}`, policy))
}

func TestAccRetentionPolicy(t *testing.T) {
	t.Parallel()
	acctest.CLI(t)
	s := acctest.Start(t)
	config := s.Config("", keep("old-messages", 8760))
	resource.UnitTest(t, resource.TestCase{
		ProtoV6ProviderFactories: acctest.Factories(),
		CheckDestroy:             has(t, s, ""),
		Steps: []resource.TestStep{
			{
				Config: config, ConfigPlanChecks: planned(plancheck.ResourceActionCreate),
				ConfigStateChecks: []statecheck.StateCheck{is("max_age_hours", knownvalue.Int64Exact(8760)), is("enabled_at", knownvalue.NotNull()), is("app_name", knownvalue.StringExact("Emulator"))},
				Check:             has(t, s, "old-messages=8760"),
			},
			{Config: config, PlanOnly: true},
			{Config: s.Config("", keep("old-messages", 24)), ConfigPlanChecks: planned(plancheck.ResourceActionUpdate), Check: has(t, s, "old-messages=24")},
			{ // changed outside: an in-place update
				PreConfig:        func() { setByHand(t, s, "old-messages", 48) },
				Config:           config,
				ConfigPlanChecks: planned(plancheck.ResourceActionUpdate),
				Check:            has(t, s, "old-messages=8760"),
			},
			{ // removed outside: a creation
				PreConfig:        func() { removeByHand(t, s, "old-messages") },
				Config:           config,
				ConfigPlanChecks: planned(plancheck.ResourceActionCreate),
				Check:            has(t, s, "old-messages=8760"),
			},
			{Config: config, Taint: []string{address}, ConfigPlanChecks: planned(plancheck.ResourceActionDestroyBeforeCreate), Check: has(t, s, "old-messages=8760")},
			{
				Config: s.Config("", keep("inactive-channels", 43800)), ConfigPlanChecks: planned(plancheck.ResourceActionDestroyBeforeCreate),
				Check: has(t, s, "inactive-channels=43800"),
			},
			{ // removed outside before the destroy
				PreConfig: func() { removeByHand(t, s, "inactive-channels") },
				Config:    s.Config("", keep("inactive-channels", 43800)), Destroy: true,
			},
		},
	})
}

// Everything here fails in the plan, and nothing is set.
func TestAccRetentionPolicy_refusals(t *testing.T) {
	t.Parallel()
	acctest.CLI(t)
	s := acctest.Start(t)
	setByHand(t, s, "inactive-channels", 100)
	s.Refused(t, map[string]acctest.Refusal{
		"too short":      {Body: keep("old-messages", 23), Says: "between 24 and 43800"},
		"exists already": {Body: keep("inactive-channels", 200), Says: "Retention policy exists already"},
		"twice":          {Body: keep("old-messages", 24) + strings.Replace(keep("old-messages", 48), `"keep"`, `"other"`, 1), Says: "The same policy twice"},
		"wrong app":      {Provider: `expected_app_name = "Production"`, Body: keep("old-messages", 24), Says: "Wrong app"},
	})
	if got := policies(t, s); got != "inactive-channels=100" {
		t.Errorf("refused plans left %q", got)
	}
}

func TestRetentionPolicyValidation(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		policy string
		hours  int
		says   string
	}{
		"shortest":       {"old-messages", 24, ""},
		"longest":        {"inactive-channels", 43800, ""},
		"too short":      {"old-messages", 23, "between 24 and 43800"},
		"too long":       {"old-messages", 43801, "between 24 and 43800"},
		"below zero":     {"old-messages", -24, "between 24 and 43800"},
		"no such policy": {"old-users", 24, "value must be one of"},
		"no policy":      {"", 24, "value must be one of"},
	} {
		said := strings.Join(acctest.Invalid(t, "streamchat_retention_policy", map[string]any{"policy": tt.policy, "max_age_hours": tt.hours}), "\n")
		if tt.says == "" && said != "" || !strings.Contains(said, tt.says) {
			t.Errorf("%s: %q", name, said)
		}
	}
}

func TestAccRetentionPolicy_import(t *testing.T) {
	t.Parallel()
	acctest.CLI(t)
	s := acctest.Start(t)
	setByHand(t, s, "old-messages", 48)
	w := s.Workspace(t, "", "")
	for policy, says := range map[string]string{"inactive-channels": "No such retention policy", "old-users": "Invalid import id"} {
		w.Write("", keep("old-messages", 24)+acctest.Importing(address, policy))
		w.Plan(1, says)
	}
	w.Write("", keep("old-messages", 24)+acctest.Importing(address, "old-messages"))
	w.Apply(0, "1 imported, 0 added, 1 changed, 0 destroyed")
	w.Write("", keep("old-messages", 24))
	w.Plan(0)
	if got := policies(t, s); got != "old-messages=24" {
		t.Errorf("the app has %q", got)
	}
}

func TestAccRetentionPolicy_identity(t *testing.T) {
	t.Parallel()
	acctest.CLI(t)
	s := acctest.Start(t)
	resource.UnitTest(t, resource.TestCase{
		ProtoV6ProviderFactories: acctest.Factories(),
		TerraformVersionChecks:   []tfversion.TerraformVersionCheck{tfversion.SkipBelow(tfversion.Version1_12_0)},
		Steps: []resource.TestStep{
			{
				Config:            s.Config("", keep("old-messages", 24)),
				ConfigStateChecks: []statecheck.StateCheck{statecheck.ExpectIdentity(address, map[string]knownvalue.Check{"policy": knownvalue.StringExact("old-messages")})},
			},
			{ImportState: true, ResourceName: address, ImportStateKind: resource.ImportBlockWithResourceIdentity},
		},
	})
}

func TestAccRetentionPolicy_failures(t *testing.T) {
	t.Parallel()
	acctest.CLI(t)
	for name, tt := range map[string]struct {
		fault emulator.Fault
		says  string
	}{
		"list":         {emulator.Fault{Op: "GetRetentionPolicy", Kind: emulator.FaultCustom, Status: 200, Body: "{}", ContentType: "application/json", Times: emulator.Forever}, "Unexpected answer"},
		"list refused": {emulator.Fault{Op: "GetRetentionPolicy", Kind: emulator.Fault500, Times: emulator.Forever}, "Failed while listing the app's retention policies"},
		"set":          {emulator.Fault{Op: "SetRetentionPolicy", Kind: emulator.Fault500, Times: 2}, "Failed while setting the retention policy"},
		"other policy": {emulator.Fault{Op: "SetRetentionPolicy", Kind: emulator.FaultCustom, Status: 201, Body: `{"policy":{"policy":"old-messages","config":{"max_age_hours":25}}}`, ContentType: "application/json"}, "Unexpected answer"},
		"not enabled":  {emulator.Fault{Op: "SetRetentionPolicy", Kind: emulator.FaultCustom, Status: 403, Body: `{"code":17,"message":"SetRetentionPolicy failed with error: \"not allowed\"","StatusCode":403}`, ContentType: "application/json"}, "Stream refused the request"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := acctest.Start(t)
			s.AddFault(tt.fault)
			w := s.Workspace(t, "max_retries = 1", keep("old-messages", 24))
			w.Apply(1, tt.says)
			s.ClearFaults()
			w.Apply(0, "1 added, 0 changed, 0 destroyed")
			w.Plan(0)
			s.AddFault(emulator.Fault{Op: "DeleteRetentionPolicy", Kind: emulator.Fault500, Times: 2})
			acctest.Expect(t, w.Run("destroy", "-auto-approve"), 1, "Failed while removing the retention policy")
		})
	}
}

func TestAccRetentionPolicy_lostAnswers(t *testing.T) {
	t.Parallel()
	acctest.CLI(t)
	s := acctest.Start(t)
	for _, op := range []string{"SetRetentionPolicy", "DeleteRetentionPolicy"} {
		s.AddFault(emulator.Fault{Op: op, Kind: emulator.FaultDropAfter, Times: 2})
	}
	w := s.Workspace(t, "max_retries = 1", keep("old-messages", 24))
	w.Apply(0)
	if got := policies(t, s); got != "old-messages=24" {
		t.Errorf("the app has %q", got)
	}
	acctest.Expect(t, w.Run("destroy", "-auto-approve"), 0)
	if got := policies(t, s); got != "" {
		t.Errorf("the app has %q after destroy", got)
	}
}

func TestCLIRetentionPolicyWarns(t *testing.T) {
	t.Parallel()
	s := acctest.Start(t)
	w := s.Workspace(t, "", keep("inactive-channels", 48))
	run := func(code int, text string, args ...string) {
		t.Helper()
		acctest.Expect(t, w.Run(args...), code, text)
	}
	run(0, "Irreversible deletion by a retention policy", "plan")
	run(0, "48 hours (2 days)", "apply", "-auto-approve")
	run(0, "No changes", "plan", "-detailed-exitcode")
	setByHand(t, s, "inactive-channels", 72)
	run(2, "72 -> 48", "plan", "-detailed-exitcode")
	run(0, "removes the policy", "plan", "-destroy")
	run(0, "Retention policy removed", "destroy", "-auto-approve")
}
