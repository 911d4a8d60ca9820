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
	acctest.CLI(t)
	s := acctest.Start(t)
	s.Users(t, "alice")
	raw := func(filter string) string {
		return fmt.Sprintf("data \"streamchat_users\" \"found\" {\n  filter = %q\n}\n", filter)
	}
	for name, tt := range map[string]struct {
		provider, body, says string
		fault                emulator.Fault
	}{
		"no filter":             {body: `data "streamchat_users" "found" {}`, says: `"filter" is required`},
		"empty filter":          {body: raw(""), says: "Invalid filter"},
		"no JSON":               {body: raw("role = guest"), says: "Invalid filter"},
		"list":                  {body: raw(`[{"role":"guest"}]`), says: "Invalid filter"},
		"null":                  {body: raw("null"), says: "Invalid filter"},
		"cut off":               {body: raw(`{"role":`), says: "Invalid filter"},
		"unsupported operator":  {body: findUsers(`{ role = { "$autocomplete" = "a" } }`, ""), says: "Stream does not take the filter"},
		"too long":              {body: findUsers(`{ id = { "$in" = [for i in range(1000) : "user-${i}"] } }`, ""), says: "the filter is too long for one request"},
		"include is no bool":    {body: findUsers(`{}`, `include_deactivated = "some"`), says: "bool"},
		"limit 0":               {body: findUsers(`{}`, `limit = 0`), says: "must be at least 1"},
		"limit -1":              {body: findUsers(`{}`, `limit = -1`), says: "must be at least 1"},
		"limit is no number":    {body: findUsers(`{}`, `limit = "all"`), says: "number"},
		"no sort":               {body: findUsers(`{}`, `sort = []`), says: "at least 1"},
		"six sorts":             {body: findUsers(`{}`, `sort = [for f in ["a", "b", "c", "d", "e", "f"] : { field = f }]`), says: "at most 5"},
		"sort without a field":  {body: findUsers(`{}`, `sort = [{ direction = "asc" }]`), says: `"field" is required`},
		"sort by nothing":       {body: findUsers(`{}`, `sort = [{ field = "" }]`), says: "at least 1"},
		"sort upwards":          {body: findUsers(`{}`, `sort = [{ field = "id", direction = "up" }]`), says: "value must be one of"},
		"user_ids are computed": {body: findUsers(`{}`, `user_ids = []`), says: "user_ids"},
		"wrong app":             {provider: `expected_app_name = "Production"`, body: findUsers(`{}`, ""), says: "Wrong app"},
		"wrong secret":          {provider: `api_secret = "wrong"`, body: findUsers(`{}`, ""), says: "Stream rejected the credentials"},
		"empty answer":          {body: findUsers(`{}`, ""), says: "Unexpected answer", fault: emulator.Fault{Op: "QueryUsers", Kind: emulator.FaultCustom, Status: 200, Body: "{}", ContentType: "application/json", Times: emulator.Forever}},
		"server fails":          {provider: "max_retries = 0", body: findUsers(`{}`, ""), says: "Failed while querying users", fault: emulator.Fault{Op: "QueryUsers", Kind: emulator.Fault500, Times: emulator.Forever}},
	} {
		t.Run(name, func(t *testing.T) {
			s.ClearFaults()
			if tt.fault.Kind != "" {
				s.AddFault(tt.fault)
			}
			resource.UnitTest(t, resource.TestCase{
				ProtoV6ProviderFactories: acctest.Factories(),
				Steps:                    []resource.TestStep{{Config: s.Config(tt.provider, tt.body), ExpectError: says(tt.says)}},
			})
		})
	}
}
