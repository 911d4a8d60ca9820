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
	"github.com/hashicorp/terraform-plugin-testing/terraform"

	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/acctest"
	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/emulator"
)

const dataFootprint = "data.streamchat_user_footprint.size"

func footprint(userID string) string {
	return fmt.Sprintf("data \"streamchat_user_footprint\" \"size\" {\n  user_id = %q\n}\n", userID)
}

func listed(name string, want ...string) statecheck.StateCheck {
	checks := make([]knownvalue.Check, len(want))
	for i, v := range want {
		checks[i] = knownvalue.StringExact(v)
	}
	return known(dataFootprint, name, knownvalue.ListExact(checks))
}

func count(n int64, method string, lowerBound bool) []statecheck.StateCheck {
	return []statecheck.StateCheck{
		known(dataFootprint, "message_count", knownvalue.Int64Exact(n)),
		known(dataFootprint, "message_count_method", knownvalue.StringExact(method)),
		known(dataFootprint, "message_count_is_lower_bound", knownvalue.Bool(lowerBound)),
	}
}

func noCount(method knownvalue.Check) []statecheck.StateCheck {
	return []statecheck.StateCheck{
		known(dataFootprint, "message_count", knownvalue.Null()), known(dataFootprint, "message_count_is_lower_bound", knownvalue.Null()),
		known(dataFootprint, "message_count_method", method),
	}
}

// alice in 41 channels (two of them conversations, one without her being a
// member), with two polls and messages "secret".
func seedFootprint(t *testing.T, s *acctest.Stream, messages int) (channels []string) {
	t.Helper()
	list := []string{
		`{"cid":"messaging:talk","created_by_id":"bob","members":["alice","bob"]}`,
		`{"cid":"messaging:chat","created_by_id":"alice","members":["carol","alice"]}`,
		`{"cid":"team:left","created_by_id":"alice","members":["bob","carol"]}`,
		`{"cid":"team:old","created_by_id":"alice","members":["alice","bob"],"deleted_at":"2026-01-01T00:00:00Z"}`,
		`{"cid":"team:others","created_by_id":"bob","members":["bob","carol"]}`,
	}
	channels = []string{"messaging:chat", "messaging:talk"}
	for i := range 38 {
		list = append(list, fmt.Sprintf(`{"cid":"team:c%02d","created_by_id":"bob","members":["alice","bob","carol"]}`, i))
		channels = append(channels, fmt.Sprintf("team:c%02d", i))
	}
	texts := make([]string, messages)
	for i := range texts {
		texts[i] = fmt.Sprintf(`{"id":"m%d","cid":"messaging:talk","user_id":"alice","text":"secret"}`, i)
	}
	seed(t, s, `{"users":[{"id":"alice"},{"id":"bob"},{"id":"carol"},{"id":"gone","deleted_at":"2026-01-01T00:00:00Z"},{"id":"away","deactivated_at":"2026-01-01T00:00:00Z"}],
		"channels":[`+strings.Join(list, ",")+`],"messages":[`+strings.Join(texts, ",")+`],
		"polls":[{"id":"p2","created_by_id":"alice","name":"secret","options":[{"text":"a"}]},{"id":"p1","created_by_id":"alice","name":"x","options":[{"text":"a"}]},{"id":"p3","created_by_id":"bob","name":"x","options":[{"text":"a"}]}]}`)
	return channels
}

func TestAccUserFootprint(t *testing.T) {
	t.Parallel()
	acctest.CLI(t)
	s := acctest.Start(t)
	channels := seedFootprint(t, s, 3)
	empty := []statecheck.StateCheck{listed("channels"), listed("conversations"), listed("owned_channels")}
	resource.UnitTest(t, resource.TestCase{
		ProtoV6ProviderFactories: acctest.Factories(),
		Steps: []resource.TestStep{
			{
				Config: s.Config("", footprint("alice")),
				ConfigStateChecks: append(count(3, "export", false),
					known(dataFootprint, "exists", knownvalue.Bool(true)),
					listed("channels", channels...),
					listed("conversations", "messaging:chat", "messaging:talk"),
					listed("owned_channels", "messaging:chat", "team:left"),
					listed("polls", "p1", "p2"),
				),
				Check: func(st *terraform.State) error {
					if text := fmt.Sprint(st.RootModule().Resources[dataFootprint]); strings.Contains(text, "secret") {
						return fmt.Errorf("content in state: %s", text)
					}
					return nil
				},
			},
			{
				Config: s.Config("", footprint("away")),
				ConfigStateChecks: append(append(count(0, "export", false), empty...),
					known(dataFootprint, "exists", knownvalue.Bool(true)), known(dataFootprint, "polls", knownvalue.Null())),
			},
			{Config: s.Config("", footprint("gone")), ConfigStateChecks: append(append(noCount(knownvalue.Null()), empty...), known(dataFootprint, "exists", knownvalue.Bool(false)), listed("polls"))},
			{Config: s.Config("", footprint("nobody")), ConfigStateChecks: append(append(noCount(knownvalue.Null()), empty...), known(dataFootprint, "exists", knownvalue.Bool(false)), listed("polls"))},
		},
	})
}

// Beyond what Stream exports in one piece.
func TestAccUserFootprint_manyMessages(t *testing.T) {
	t.Parallel()
	acctest.CLI(t)
	s := acctest.Start(t, func(o *emulator.Options) { o.ExportLimit = 200 })
	seedFootprint(t, s, 250)
	resource.UnitTest(t, resource.TestCase{
		ProtoV6ProviderFactories: acctest.Factories(),
		Steps: []resource.TestStep{
			{Config: s.Config("", footprint("alice")), ConfigStateChecks: count(250, "search", true)},
			{
				PreConfig: func() {
					s.AddFault(emulator.Fault{Op: "Search", Kind: emulator.FaultCustom, Status: 403, Body: `{"code":17,"message":"Search failed with error: \"not allowed\"","StatusCode":403}`, ContentType: "application/json", Times: emulator.Forever})
				},
				Config:            s.Config("", footprint("alice")),
				ConfigStateChecks: noCount(knownvalue.StringExact("unavailable")),
			},
		},
	})
}

func TestAccUserFootprint_refusals(t *testing.T) {
	t.Parallel()
	acctest.CLI(t)
	s := acctest.Start(t)
	s.Users(t, "alice")
	empty := func(op string) emulator.Fault {
		return emulator.Fault{Op: op, Kind: emulator.FaultCustom, Status: 200, Body: "{}", ContentType: "application/json", Times: emulator.Forever}
	}
	s.Refused(t, map[string]acctest.Refusal{
		"dots":           {Body: footprint(".."), Says: "Invalid user id"},
		"wrong app":      {Provider: `expected_app_name = "Production"`, Body: footprint("alice"), Says: "Wrong app"},
		"empty look-up":  {Body: footprint("alice"), Fault: empty("QueryUsers"), Says: "Unexpected answer"},
		"empty channels": {Body: footprint("alice"), Fault: empty("QueryChannels"), Says: "Failed while listing the user's channels"},
		"empty polls":    {Body: footprint("alice"), Fault: empty("QueryPolls"), Says: "Failed while listing the user's polls"},
		"empty export":   {Body: footprint("alice"), Fault: empty("ExportUser"), Says: "Failed while counting the user's messages"},
		"export fails":   {Provider: "max_retries = 0", Body: footprint("alice"), Fault: emulator.Fault{Op: "ExportUser", Kind: emulator.Fault500, Times: emulator.Forever}, Says: "Failed while counting the user's messages"},
	})
}
