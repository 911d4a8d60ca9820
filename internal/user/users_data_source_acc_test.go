// Copyright (c) the terraform-provider-streamchat authors
// SPDX-License-Identifier: MPL-2.0

package user_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/hashicorp/terraform-plugin-testing/helper/resource"
	"github.com/hashicorp/terraform-plugin-testing/knownvalue"
	"github.com/hashicorp/terraform-plugin-testing/statecheck"

	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/acctest"
	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/emulator"
)

const dataUsers = "data.streamchat_users.found"

func findUsers(filter, body string) string {
	return fmt.Sprintf("data \"streamchat_users\" \"found\" {\n  filter = jsonencode(%s)\n  %s\n}\n", filter, body)
}

func ids(want ...string) statecheck.StateCheck {
	checks := make([]knownvalue.Check, len(want))
	for i, id := range want {
		checks[i] = knownvalue.StringExact(id)
	}
	return known(dataUsers, "user_ids", knownvalue.ListExact(checks))
}

const byLastActive = `sort = [{ field = "last_active", direction = "desc" }]`

func TestAccUsersDataSource(t *testing.T) {
	t.Parallel()
	acctest.CLI(t)
	s := acctest.Start(t)
	seed(t, s, `{"users": [
		{"id": "dave", "role": "guest", "last_active": "2026-01-03T00:00:00Z", "tier": 1, "teams": ["red"]},
		{"id": "alice", "role": "guest", "last_active": "2026-01-04T00:00:00Z", "created_at": "2026-01-01T00:00:00Z", "banned": true},
		{"id": "bob", "role": "admin", "tier": 2},
		{"id": "erin", "role": "guest", "deactivated_at": "2026-02-01T00:00:00Z"},
		{"id": "gone", "role": "guest", "deleted_at": "2026-02-01T00:00:00Z"}
	]}`)
	guests := `{ role = "guest" }`
	resource.UnitTest(t, resource.TestCase{
		ProtoV6ProviderFactories: acctest.Factories(),
		Steps: []resource.TestStep{
			{
				Config: s.Config("", findUsers(guests, "")),
				ConfigStateChecks: []statecheck.StateCheck{
					ids("alice", "dave"),
					known(dataUsers, "users", knownvalue.ListPartial(map[int]knownvalue.Check{0: knownvalue.ObjectExact(map[string]knownvalue.Check{
						"user_id": knownvalue.StringExact("alice"), "status": knownvalue.StringExact("active"), "role": knownvalue.StringExact("guest"),
						"created_at": knownvalue.StringExact("2026-01-01T00:00:00Z"), "last_active": knownvalue.StringExact("2026-01-04T00:00:00Z"),
						"banned": knownvalue.Bool(true), "teams": knownvalue.ListSizeExact(0),
					})})),
				},
			},
			{Config: s.Config("", findUsers(guests, "include_deactivated = true")), ConfigStateChecks: []statecheck.StateCheck{
				ids("alice", "dave", "erin"),
				known(dataUsers, "users", knownvalue.ListPartial(map[int]knownvalue.Check{2: knownvalue.ObjectPartial(map[string]knownvalue.Check{"status": knownvalue.StringExact("deactivated")})})),
			}},
			{Config: s.Config("", findUsers(guests, `sort = [{ field = "last_active" }]`)), ConfigStateChecks: []statecheck.StateCheck{ids("dave", "alice")}},
			{Config: s.Config("", findUsers(guests, byLastActive+"\n  limit = 1")), ConfigStateChecks: []statecheck.StateCheck{ids("alice")}},
			{Config: s.Config("", findUsers(`{}`, "")), ConfigStateChecks: []statecheck.StateCheck{ids("alice", "bob", "dave")}},
			{Config: s.Config("", findUsers(`{ "$or" = [{ tier = { "$gt" = 1 } }, { teams = { "$in" = ["red"] } }] }`, "")), ConfigStateChecks: []statecheck.StateCheck{ids("bob", "dave")}},
			{Config: s.Config("", findUsers(`{ role = "nobody" }`, "")), ConfigStateChecks: []statecheck.StateCheck{ids()}},
			{Config: s.Config("", findUsers(`{}`, "limit = 2")), ConfigStateChecks: []statecheck.StateCheck{ids("alice", "bob")}},
		},
	})
}

// Past Stream's offset, in one order after the other.
func TestAccUsersDataSource_manyUsers(t *testing.T) {
	t.Parallel()
	acctest.CLI(t)
	s := acctest.Start(t)
	rows := make([]string, 1234)
	for i := range rows {
		rows[i] = fmt.Sprintf(`{"id":"u%04d"}`, i)
	}
	seed(t, s, `{"users":[`+strings.Join(rows, ",")+`]}`)
	size := func(n int) []statecheck.StateCheck {
		return []statecheck.StateCheck{known(dataUsers, "user_ids", knownvalue.ListSizeExact(n)), known(dataUsers, "users", knownvalue.ListSizeExact(n))}
	}
	resource.UnitTest(t, resource.TestCase{
		ProtoV6ProviderFactories: acctest.Factories(),
		Steps: []resource.TestStep{
			{Config: s.Config("", findUsers(`{ role = "user" }`, "")), ConfigStateChecks: append(size(1234),
				known(dataUsers, "user_ids", knownvalue.ListPartial(map[int]knownvalue.Check{0: knownvalue.StringExact("u0000"), 1233: knownvalue.StringExact("u1233")})))},
			{Config: s.Config("", findUsers(`{}`, byLastActive)), ExpectError: says("Too many users for a chosen order")},
			{Config: s.Config("", findUsers(`{}`, byLastActive+"\n  limit = 1100")), ConfigStateChecks: size(1100)},
		},
	})
}

func TestAccUsersDataSource_refusals(t *testing.T) {
	t.Parallel()
	acctest.CLI(t)
	s := acctest.Start(t)
	s.Users(t, "alice")
	raw := func(filter string) string {
		return fmt.Sprintf("data \"streamchat_users\" \"found\" {\n  filter = %q\n}\n", filter)
	}
	s.Refused(t, map[string]acctest.Refusal{
		"list":                 {Body: raw(`[{"role":"guest"}]`), Says: "Invalid filter"},
		"unsupported operator": {Body: findUsers(`{ role = { "$autocomplete" = "a" } }`, ""), Says: "Stream does not take the filter"},
		"too long":             {Body: findUsers(`{ id = { "$in" = [for i in range(1000) : "user-${i}"] } }`, ""), Says: "the filter is too long for one request"},
		"wrong app":            {Provider: `expected_app_name = "Production"`, Body: findUsers(`{}`, ""), Says: "Wrong app"},
		"empty answer":         {Body: findUsers(`{}`, ""), Says: "Unexpected answer", Fault: emulator.Fault{Op: "QueryUsers", Kind: emulator.FaultCustom, Status: 200, Body: "{}", ContentType: "application/json", Times: emulator.Forever}},
		"server fails":         {Provider: "max_retries = 0", Body: findUsers(`{}`, ""), Says: "Failed while querying users", Fault: emulator.Fault{Op: "QueryUsers", Kind: emulator.Fault500, Times: emulator.Forever}},
	})
}
