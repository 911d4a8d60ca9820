// Copyright (c) the terraform-provider-streamchat authors
// SPDX-License-Identifier: MPL-2.0

package channel_test

import (
	"fmt"
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

const cut = "streamchat_channel_truncation.cut"

func truncate(cid string, hard bool, body string) string {
	return fmt.Sprintf("\nresource \"streamchat_channel_truncation\" \"cut\" {\n  cid = %q\n  hard_delete = %t\n  %s\n}\n", cid, hard, body)
}

// rows tells which messages Stream still has, shown or not.
func rows(t *testing.T, s *acctest.Stream, want ...string) {
	t.Helper()
	acctest.Eventually(t, fmt.Sprintf("Stream has %v", want), func() bool {
		var have []string
		for _, id := range []string{"m1", "m2", "m3"} {
			if _, ok := s.Message(id); ok {
				have = append(have, id)
			}
		}
		return slices.Equal(have, want)
	})
}

func TestAccChannelTruncation(t *testing.T) {
	t.Parallel()
	s := start(t)
	config := s.Config("", truncate(room, true, `request_id = "DSR-1"`))
	steps(t,
		resource.TestStep{
			Config: config,
			ConfigPlanChecks: resource.ConfigPlanChecks{PreApply: []plancheck.PlanCheck{
				plancheck.ExpectKnownValue(cut, attr("irreversible"), knownvalue.Bool(true)),
				plancheck.ExpectKnownValue(cut, attr("skip_push"), knownvalue.Bool(false)),
				plancheck.ExpectKnownValue(cut, attr("not_covered"), knownvalue.ListPartial(map[int]knownvalue.Check{0: knownvalue.StringExact("channel_data"), 2: knownvalue.StringExact("later_messages")})),
				plancheck.ExpectUnknownValue(cut, attr("status")),
			}},
			ConfigStateChecks: []statecheck.StateCheck{
				is(cut, "status", "completed"), is(cut, "found", "present"), is(cut, "outcome", "erased"),
				statecheck.ExpectKnownValue(cut, attr("task_id"), knownvalue.Null()), statecheck.ExpectKnownValue(cut, attr("verified_at"), knownvalue.NotNull()),
			},
			Check: func(*terraform.State) error {
				s.ResetRequests()
				return nil
			},
		},
		resource.TestStep{Config: config, PlanOnly: true},
		resource.TestStep{Config: s.Config("", truncate(room, true, "skip_push = true")), ExpectError: acctest.Says("Option of a deletion that was already sent")},
		resource.TestStep{Config: s.Config("", truncate(room, true, `truncated_before = "2026-01-15T00:00:00Z"`)), ExpectError: acctest.Says("Option of a deletion that was already sent")},
		resource.TestStep{Config: s.Config("", truncate(room, false, "")), ExpectError: acctest.Says("A deletion cannot be taken back")},
		resource.TestStep{Config: s.Config("", truncate(other, true, "")), ExpectError: acctest.Says("The subject of a record cannot change")},
	)
	if n := len(s.Requests()); n != 0 {
		t.Errorf("%d requests after the truncation", n)
	}
	rows(t, s, "m3")
	if ch, ok := s.Channel(room); !ok || ch.Deleted || len(ch.Members) != 2 || len(texts(t, s, room)) != 0 {
		t.Errorf("the channel: %+v", ch)
	}
	if shown := texts(t, s, other); !slices.Equal(shown, []string{"kept"}) {
		t.Errorf("the other channel shows %v", shown)
	}
}

// Up to a time, softly and then for good. The same time written otherwise is no
// change.
func TestAccChannelTruncation_before(t *testing.T) {
	t.Parallel()
	s := start(t)
	soft := s.Config("", truncate(room, false, "truncated_before = \"2026-01-15T00:00:00Z\"\nskip_push = true"))
	hardly := s.Config("", truncate(room, true, "truncated_before = \"2026-01-15T00:00:00.000Z\"\nskip_push = true"))
	later := func(*terraform.State) error {
		if shown := texts(t, s, room); !slices.Equal(shown, []string{"hello"}) {
			return fmt.Errorf("shown: %v", shown)
		}
		return nil
	}
	steps(t,
		resource.TestStep{
			Config: soft,
			ConfigStateChecks: []statecheck.StateCheck{
				is(cut, "status", "completed"), is(cut, "outcome", "marked_deleted"), statecheck.ExpectKnownValue(cut, attr("irreversible"), knownvalue.Bool(false)),
			},
			Check: resource.ComposeTestCheckFunc(later, func(*terraform.State) error {
				rows(t, s, "m1", "m2", "m3")
				body := string(s.Requests("TruncateChannel")[0].Body)
				if !strings.Contains(body, `"truncated_at":"2026-01-15T00:00:00.000000Z"`) || !strings.Contains(body, `"skip_push":true`) {
					return fmt.Errorf("sent %s", body)
				}
				return nil
			}),
		},
		resource.TestStep{Config: soft, PlanOnly: true},
		resource.TestStep{
			Config:            hardly,
			ConfigPlanChecks:  resource.ConfigPlanChecks{PreApply: []plancheck.PlanCheck{plancheck.ExpectResourceAction(cut, plancheck.ResourceActionUpdate)}},
			ConfigStateChecks: []statecheck.StateCheck{is(cut, "status", "completed"), is(cut, "outcome", "erased")},
			Check:             later,
		},
	)
	rows(t, s, "m2", "m3")
	// What the record says is that it was done up to that time, so that Stream
	// refuses an earlier one, and so does the plan.
	steps(t, resource.TestStep{Config: s.Config("", truncate(room, true, `truncated_before = "2026-01-10T00:00:00Z"`)), ExpectError: acctest.Says("Channel was truncated further already")})
	if n := s.Count("TruncateChannel"); n != 2 {
		t.Errorf("%d truncations", n)
	}
}

func TestAccChannelTruncation_refusals(t *testing.T) {
	t.Parallel()
	s := start(t)
	before := func(value, says string) acctest.Refusal {
		return acctest.Refusal{Body: truncate(room, true, "truncated_before = "+value), Says: says}
	}
	variable := `resource "terraform_data" "x" { input = "x" }`
	s.Refused(t, map[string]acctest.Refusal{
		"misspelt":          {Body: truncate("messaging:rom", true, ""), Says: "there is nothing to truncate"},
		"no cid":            {Body: truncate("room", true, ""), Says: "Invalid cid"},
		"no mode":           {Body: strings.Replace(truncate(room, true, ""), "hard_delete = true", "", 1), Says: `argument "hard_delete" is required`},
		"no zone":           before(`"2026-01-15T00:00:00"`, "RFC3339"),
		"in the future":     before(`"2999-01-01T00:00:00Z"`, "Truncation reaches into the future"),
		"unknown time":      {Body: variable + truncate(room, true, "truncated_before = terraform_data.x.output"), Says: "Mode not known in the plan"},
		"unknown skip_push": {Body: variable + truncate(room, true, "skip_push = terraform_data.x.output == \"x\""), Says: "Mode not known in the plan"},
		"import":            {Body: truncate(room, true, "") + "import {\n  to = " + cut + "\n  id = \"messaging:room\"\n}\n", Says: "Truncations cannot be imported"},
	})
	if n := s.Count("TruncateChannel"); n != 0 {
		t.Errorf("%d truncations came of refused plans", n)
	}
}

// What Stream says of a truncation, and what the channel shows, must agree.
func TestAccChannelTruncation_failures(t *testing.T) {
	t.Parallel()
	json := "application/json"
	for name, tt := range map[string]struct {
		fault emulator.Fault
		says  string
	}{
		"another channel": {emulator.Fault{Op: "TruncateChannel", Kind: emulator.FaultCustom, Status: 201, Body: `{"channel":{"cid":"messaging:other","truncated_at":"2026-01-01T00:00:00Z"}}`, ContentType: json}, "Unexpected answer"},
		"gone in between": {emulator.Fault{Op: "TruncateChannel", Kind: emulator.FaultCustom, Status: 404, Body: `{"code":16,"message":"TruncateChannel failed with error: \"Can't find channel with id messaging:room\"","StatusCode":404}`, ContentType: json}, "Stream refused the request"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := start(t)
			w := s.Workspace(t, "max_retries = 1", truncate(room, true, ""))
			s.AddFault(tt.fault)
			w.Apply(1, tt.says)
			s.ClearFaults()
			w.Apply(0, "1 added, 0 changed, 0 destroyed")
			w.Has(cut, map[string]any{"status": "completed"})
			rows(t, s, "m3")
		})
	}
}

// A truncation that Stream says it made is not sent again where a look-up does not show it:
// another call would take newer messages.
func TestAccChannelTruncation_saidNotShown(t *testing.T) {
	t.Parallel()
	s := start(t)
	w := s.Workspace(t, "max_retries = 1", truncate(room, true, ""))
	s.AddFault(emulator.Fault{
		Op: "TruncateChannel", Kind: emulator.FaultCustom, Status: 201, ContentType: "application/json",
		Body: `{"channel":{"cid":"messaging:room","truncated_at":"2026-01-01T00:00:00Z"}}`,
	})
	for range 2 {
		w.Apply(0, "Deletion submitted, not finished")
		w.Has(cut, map[string]any{"status": "submitted"})
	}
	if n := s.Count("TruncateChannel"); n != 1 {
		t.Errorf("%d truncations", n)
	}
}
