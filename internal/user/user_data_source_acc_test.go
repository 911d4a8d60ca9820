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

const dataUser = "data.streamchat_user.subject"

func lookUp(userID, body string) string {
	return fmt.Sprintf("data \"streamchat_user\" \"subject\" {\n  user_id = %q\n  %s\n}\n", userID, body)
}

func known(address, name string, want knownvalue.Check) statecheck.StateCheck {
	return statecheck.ExpectKnownValue(address, attr(name), want)
}

// e followed by a combining acute, which Terraform would make one character.
const decomposed = "Rene\u0301"

const people = `{"users": [
	{"id": "alice", "role": "admin", "name": "Alice", "created_at": "2026-01-01T00:00:00Z", "last_active": "2026-01-03T00:00:00.123456Z", "banned": true,
	 "teams": ["red", "blue"], "zip": "` + decomposed + `<&>", "age": 12345678901234567890, "address": {"b": 1.10, "a": null}},
	{"id": "bob", "deactivated_at": "2026-02-01T00:00:00Z"},
	{"id": "gone", "deleted_at": "2026-02-01T00:00:00Z"}
]}`

func TestAccUserDataSource(t *testing.T) {
	t.Parallel()
	acctest.CLI(t)
	s := acctest.Start(t)
	seed(t, s, people)
	nothing := []statecheck.StateCheck{known(dataUser, "exists", knownvalue.Bool(false))}
	for _, name := range []string{"role", "created_at", "last_active", "banned", "teams", "custom"} {
		nothing = append(nothing, known(dataUser, name, knownvalue.Null()))
	}
	with := func(status string) []statecheck.StateCheck {
		return append([]statecheck.StateCheck{known(dataUser, "status", knownvalue.StringExact(status))}, nothing...)
	}
	resource.UnitTest(t, resource.TestCase{
		ProtoV6ProviderFactories: acctest.Factories(),
		Steps: []resource.TestStep{
			{
				Config: s.Config("", lookUp("alice", "")+"output \"city\" {\n  value = nonsensitive(jsondecode(data.streamchat_user.subject.custom).zip)\n}\n"),
				ConfigStateChecks: []statecheck.StateCheck{
					known(dataUser, "exists", knownvalue.Bool(true)),
					known(dataUser, "status", knownvalue.StringExact("active")),
					known(dataUser, "role", knownvalue.StringExact("admin")),
					known(dataUser, "created_at", knownvalue.StringExact("2026-01-01T00:00:00Z")),
					known(dataUser, "last_active", knownvalue.StringExact("2026-01-03T00:00:00.123456Z")),
					known(dataUser, "banned", knownvalue.Bool(true)),
					known(dataUser, "teams", knownvalue.ListExact([]knownvalue.Check{knownvalue.StringExact("red"), knownvalue.StringExact("blue")})),
					known(dataUser, "custom", knownvalue.StringExact(`{"address":{"b":1.10,"a":null},"age":12345678901234567890,"zip":"Rene\u0301<&>"}`)),
					statecheck.ExpectSensitiveValue(dataUser, attr("custom")),
				},
			},
			{
				Config: s.Config("", lookUp("bob", "")),
				ConfigStateChecks: []statecheck.StateCheck{
					known(dataUser, "exists", knownvalue.Bool(true)), known(dataUser, "status", knownvalue.StringExact("deactivated")),
					known(dataUser, "teams", knownvalue.ListSizeExact(0)), known(dataUser, "last_active", knownvalue.Null()), known(dataUser, "custom", knownvalue.StringExact("{}")),
				},
			},
			{Config: s.Config("", lookUp("gone", "")), ConfigStateChecks: with("absent")},
			{Config: s.Config("", lookUp("carol", "probe = false")), ConfigStateChecks: with("absent")},
			{Config: s.Config("", lookUp("gone", "probe = true")), ConfigStateChecks: with("deleted")},
			{Config: s.Config("", lookUp("carol", "probe = true")), ConfigStateChecks: with("missing")},
		},
	})
	for _, r := range s.Requests("UpdateUsersPartial") {
		if !strings.Contains(string(r.Body), `"set":{},"unset":[]`) {
			t.Errorf("a probe changes something: %s", r.Body)
		}
	}
}

func TestAccUserDataSource_refusals(t *testing.T) {
	t.Parallel()
	acctest.CLI(t)
	s := acctest.Start(t)
	s.Refused(t, map[string]acctest.Refusal{
		"slash":             {Body: lookUp("a/b", ""), Says: "Invalid user id"},
		"wrong app":         {Provider: `expected_app_name = "Production"`, Body: lookUp("alice", ""), Says: "Wrong app"},
		"empty answer":      {Body: lookUp("alice", ""), Says: "Unexpected answer", Fault: emulator.Fault{Op: "QueryUsers", Kind: emulator.FaultCustom, Status: 200, Body: "{}", ContentType: "application/json", Times: emulator.Forever}},
		"probe is nonsense": {Body: lookUp("nobody", "probe = true"), Says: "Unexpected answer", Fault: emulator.Fault{Op: "UpdateUsersPartial", Kind: emulator.FaultCustom, Status: 404, Body: `{"code":16,"message":"no idea","StatusCode":404}`, ContentType: "application/json", Times: emulator.Forever}},
	})
}

// Many look-ups share one query.
func TestAccUserDataSource_manyShareAQuery(t *testing.T) {
	t.Parallel()
	acctest.CLI(t)
	s := acctest.Start(t)
	s.Users(t, "u1", "u2", "u3", "u4", "u5", "u6")
	config := s.Config("", `data "streamchat_user" "all" {
  count   = 6
  user_id = "u${count.index + 1}"
}
`)
	resource.UnitTest(t, resource.TestCase{ProtoV6ProviderFactories: acctest.Factories(), Steps: []resource.TestStep{{Config: config}}})
	for _, r := range s.Requests("QueryUsers") {
		if n := strings.Count(fmt.Sprint(r.Query["payload"]), `"u`); n > 1 {
			return
		}
	}
	t.Error("every look-up made a query of its own")
}
