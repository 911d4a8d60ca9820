// Copyright (c) the terraform-provider-streamchat authors
// SPDX-License-Identifier: MPL-2.0

package channel_test

import (
	"context"
	"fmt"
	"net/http"
	"slices"
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

const (
	dsr = "streamchat_channel_erasure.dsr"

	room  = "messaging:room"
	other = "messaging:other"
)

const seed = `{
  "users": [{"id": "alice"}, {"id": "bob"}],
  "channels": [
    {"cid": "messaging:room", "created_by_id": "alice", "members": ["alice", "bob"], "name": "Canary room"},
    {"cid": "messaging:other", "created_by_id": "alice", "members": ["alice"]},
    {"cid": "messaging:!members-4711", "created_by_id": "alice", "members": ["alice", "bob"]}
  ],
  "messages": [
    {"id": "m1", "cid": "messaging:room", "user_id": "alice", "text": "hi", "created_at": "2026-01-01T00:00:00Z"},
    {"id": "m2", "cid": "messaging:room", "user_id": "bob", "text": "hello", "created_at": "2026-02-01T00:00:00Z"},
    {"id": "m3", "cid": "messaging:other", "user_id": "alice", "text": "kept"}
  ],
  "reactions": [{"message_id": "m1", "user_id": "bob", "type": "like", "score": 1}]
}`

func start(t testing.TB) *acctest.Stream { return acctest.Seeded(t, seed) }

func erase(cid string, hard bool, body string) string {
	return fmt.Sprintf("\nresource \"streamchat_channel_erasure\" \"dsr\" {\n  cid = %q\n  hard_delete = %t\n  %s\n}\n", cid, hard, body)
}

var attr, is, steps = acctest.Attr, acctest.Is, acctest.Steps

func hard(address string, want bool) statecheck.StateCheck {
	return acctest.Known(address, "hard_delete", knownvalue.Bool(want))
}

// texts are the messages that a channel shows to one of its members.
func texts(t *testing.T, s *acctest.Stream, cid string) (texts []string) {
	t.Helper()
	answer, err := s.SDK.QueryChannels(context.Background(), &stream_chat.QueryOption{Filter: map[string]any{"cid": cid}, Limit: 1})
	if err != nil {
		t.Fatal(err)
	}
	for _, channel := range answer.Channels {
		for _, m := range channel.Messages {
			texts = append(texts, m.Text)
		}
	}
	return texts
}

func TestAccChannelErasure(t *testing.T) {
	t.Parallel()
	s := start(t)
	steps(t,
		resource.TestStep{
			Config: s.Config("", erase(room, true, `
  request_id = "DSR-1"
  labels     = { legal_basis = "Art. 17" }`)),
			ConfigPlanChecks: resource.ConfigPlanChecks{PreApply: []plancheck.PlanCheck{
				plancheck.ExpectResourceAction(dsr, plancheck.ResourceActionCreate),
				plancheck.ExpectKnownValue(dsr, attr("irreversible"), knownvalue.Bool(true)),
				plancheck.ExpectKnownValue(dsr, attr("not_covered"), knownvalue.ListExact([]knownvalue.Check{
					knownvalue.StringExact("exports_kept_60_days"), knownvalue.StringExact("message_history"), knownvalue.StringExact("moderation_logs"),
					knownvalue.StringExact("polls"), knownvalue.StringExact("uploads"), knownvalue.StringExact("users"), knownvalue.StringExact("webhook_copies"),
				})),
				plancheck.ExpectUnknownValue(dsr, attr("status")),
				plancheck.ExpectUnknownValue(dsr, attr("receipt")),
			}},
			ConfigStateChecks: []statecheck.StateCheck{
				is(dsr, "status", "completed"), is(dsr, "found", "present"), is(dsr, "outcome", "erased"), is(dsr, "app_name", "Emulator"),
				statecheck.ExpectKnownValue(dsr, attr("verified_at"), knownvalue.NotNull()), statecheck.ExpectKnownValue(dsr, attr("task_id"), knownvalue.NotNull()),
			},
			Check: func(st *terraform.State) error {
				receipt := st.RootModule().Resources[dsr].Primary.Attributes["receipt"]
				if strings.Contains(receipt, room) || !strings.Contains(receipt, `"delete":{"hard_delete":true}`) || !strings.Contains(receipt, `"request_id":"DSR-1"`) {
					return fmt.Errorf("receipt: %s", receipt)
				}
				s.ResetRequests()
				return nil
			},
		},
		resource.TestStep{ // final: no call, whatever the bookkeeping says
			Config: s.Config("", erase(room, true, `request_id = "DSR-2"`)),
			Check: func(*terraform.State) error {
				if n := len(s.Requests()); n != 0 {
					return fmt.Errorf("%d requests for a final record", n)
				}
				return nil
			},
		},
		resource.TestStep{Config: s.Config("", erase(other, true, "")), ExpectError: acctest.Says("The subject of a record cannot change")},
		resource.TestStep{Config: s.Config("", erase(room, false, "")), ExpectError: acctest.Says("A deletion cannot be taken back")},
	)
	if n := s.Count("DeleteChannels"); n != 0 {
		t.Errorf("%d delete calls after the first", n)
	}
	if _, ok := s.Channel(room); ok {
		t.Error("the channel is still there")
	}
	for id, there := range map[string]bool{"m1": false, "m2": false, "m3": true} {
		if _, err := s.SDK.GetMessage(context.Background(), id); (err == nil) != there {
			t.Errorf("%s: %v", id, err)
		}
	}
}

// A soft deletion hides the channel and keeps what was written; hard follows in
// place.
func TestAccChannelErasure_escalation(t *testing.T) {
	t.Parallel()
	s := start(t)
	kept := func(want bool) resource.TestCheckFunc {
		return func(*terraform.State) error {
			m, ok := s.Message("m1")
			if shown := texts(t, s, room); ok != want || want && m.Text != "hi" || len(shown) != 0 {
				return fmt.Errorf("message kept %v (%q), shown %v", ok, m.Text, shown)
			}
			return nil
		}
	}
	steps(t,
		resource.TestStep{
			Config: s.Config("", erase(room, false, "")),
			ConfigStateChecks: []statecheck.StateCheck{
				is(dsr, "status", "completed"), is(dsr, "outcome", "marked_deleted"), hard(dsr, false),
				statecheck.ExpectKnownValue(dsr, attr("irreversible"), knownvalue.Bool(false)),
				statecheck.ExpectKnownValue(dsr, attr("not_covered"), knownvalue.ListPartial(map[int]knownvalue.Check{3: knownvalue.StringExact("message_history"), 2: knownvalue.StringExact("message_content")})),
			},
			Check: kept(true),
		},
		resource.TestStep{
			Config: s.Config("", erase(room, true, "")),
			ConfigPlanChecks: resource.ConfigPlanChecks{PreApply: []plancheck.PlanCheck{
				plancheck.ExpectResourceAction(dsr, plancheck.ResourceActionUpdate), plancheck.ExpectKnownValue(dsr, attr("irreversible"), knownvalue.Bool(true)),
			}},
			ConfigStateChecks: []statecheck.StateCheck{is(dsr, "status", "completed"), is(dsr, "outcome", "erased"), is(dsr, "found", "deleted"), hard(dsr, true)},
			Check:             kept(false),
		},
	)
	if n := s.Count("DeleteChannels"); n != 2 {
		t.Errorf("%d delete calls, want soft and hard", n)
	}
}

// A channel that was softly deleted and then removed for good by others: Stream
// knows none of them, so that each is asked for alone.
func TestAccChannelErasure_escalationOfWhatIsGone(t *testing.T) {
	t.Parallel()
	s := start(t)
	both := func(hard bool) string {
		return erase(room, hard, "") + strings.Replace(erase(other, hard, ""), `"dsr"`, `"other"`, 1)
	}
	w := s.Workspace(t, "", both(false))
	w.Apply(0)
	if status, body := s.Call(t, http.MethodPost, "/channels/delete", `{"cids":["messaging:room","messaging:other"],"hard_delete":true}`); status != http.StatusCreated {
		t.Fatalf("%d %s", status, body)
	}
	acctest.Eventually(t, "both are gone", func() bool { _, room := s.Channel(room); _, other := s.Channel(other); return !room && !other })
	w.Write("", both(true))
	w.Apply(0)
	w.Has(dsr, map[string]any{"status": "completed", "outcome": "erased", "task_id": nil})
	w.Plan(0)
}

// Everything here fails in the plan, and nothing is deleted. What every erasure
// refuses is in package user; what validation alone refuses, in validate_test.go.
func TestAccChannelErasure_refusals(t *testing.T) {
	t.Parallel()
	s := start(t)
	s.Refused(t, map[string]acctest.Refusal{
		"misspelt":     {Body: erase("messaging:rom", true, ""), Says: "Stream does not find this channel"},
		"no cid":       {Body: erase("messaging:a/b", true, ""), Says: "Invalid cid"},
		"no mode":      {Body: strings.Replace(erase(room, true, ""), "hard_delete = true", "", 1), Says: `argument "hard_delete" is required`},
		"unknown mode": {Body: `resource "terraform_data" "x" { input = true }` + strings.Replace(erase(room, true, ""), "= true", "= terraform_data.x.output", 1), Says: "Mode not known in the plan"},
		"twice":        {Body: acctest.Twice(erase(room, true, ""), "dsr"), Says: "The same subject twice"},
		"restore":      {Body: erase(room, false, `on_destroy = "restore"`), Says: "value must be one of"},
	})
	if n := s.Count("DeleteChannels"); n != 0 {
		t.Errorf("%d delete calls came of refused plans", n)
	}
}

func TestAccChannelErasure_distinct(t *testing.T) {
	t.Parallel()
	w := start(t).Workspace(t, "", erase("messaging:!members-4711", true, ""))
	w.Apply(0)
	w.Has(dsr, map[string]any{"outcome": "erased"})
	w.Plan(0)
}

func TestAccChannelErasure_missingIsRecorded(t *testing.T) {
	t.Parallel()
	s := start(t)
	w := s.Workspace(t, "", erase("messaging:ghost", true, `on_missing = "record"`))
	w.Apply(0)
	w.Has(dsr, map[string]any{"status": "completed", "found": "missing", "outcome": "not_found", "task_id": nil})
	w.Plan(0)
	if n := s.Count("DeleteChannels"); n != 0 {
		t.Errorf("%d delete calls for nobody", n)
	}
}

// Nothing but the task tells of a channel, and Stream hides one whose erasure
// failed, so that the record is all that knows of it. What every erasure does about
// failures is in package user and in the fault suite.
func TestAccChannelErasure_failures(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		fault emulator.Fault
		says  string
		kept  bool
	}{
		"entry is missing":   {emulator.Fault{Op: "DeleteChannels", Kind: emulator.FaultMissingUser}, "Deletion failed at Stream", true},
		"look-up is another": {emulator.Fault{Op: "QueryChannels", Kind: emulator.FaultCustom, Status: 201, Body: `{"channels":[{"channel":{"cid":"messaging:other"}}]}`, ContentType: "application/json"}, "Unexpected answer", false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := start(t)
			w := s.Workspace(t, "max_retries = 1", erase(room, true, ""))
			s.AddFault(tt.fault)
			w.Apply(1, tt.says)
			if _, tainted := w.Record(dsr); tainted != tt.kept {
				t.Errorf("kept: %v, want %v", tainted, tt.kept)
			}
			s.ClearFaults()
			w.Apply(0)
			w.Has(dsr, map[string]any{"status": "completed", "outcome": "erased"})
			w.Plan(0)
			if _, ok := s.Channel(room); ok {
				t.Error("the channel is still there")
			}
		})
	}
}

// Whoever queries a softly deleted channel revives it.
func TestAccChannelErasure_reverted(t *testing.T) {
	t.Parallel()
	s := start(t)
	w := s.Workspace(t, "", erase(room, false, ""))
	w.Apply(0)
	w.Plan(0)
	if _, err := s.SDK.CreateChannel(context.Background(), "messaging", "room", "alice", nil); err != nil {
		t.Fatal(err)
	}
	w.Plan(2)
	acctest.Expect(t, w.Run("apply", "-auto-approve", "-refresh-only"), 0)
	w.Has(dsr, map[string]any{"status": "reverted"})
	w.Apply(0)
	w.Has(dsr, map[string]any{"status": "completed", "found": "present"})
	w.Plan(0)
	if ch, _ := s.Channel(room); !ch.Deleted {
		t.Error("the channel was not deleted again")
	}
}

func TestAccChannelErasure_import(t *testing.T) {
	t.Parallel()
	s := start(t)
	if status, body := s.Call(t, http.MethodPost, "/channels/delete", `{"cids":["messaging:room"],"hard_delete":true}`); status != http.StatusCreated {
		t.Fatalf("%d %s", status, body)
	}
	s.ResetRequests()
	w := s.Workspace(t, "", "")
	for cid, says := range map[string]string{other: "Subject is not erased", "a b": "Invalid cid"} {
		w.Write("", erase(cid, true, "")+acctest.Importing(dsr, cid))
		w.Plan(1, says)
	}
	w.Write("", erase(room, true, "")+acctest.Importing(dsr, room))
	w.Apply(0, "1 imported")
	w.Has(dsr, map[string]any{"status": "completed", "outcome": "adopted", "found": "missing", "hard_delete": true})
	w.Write("", erase(room, true, ""))
	w.Plan(0)
	if n := s.Count("DeleteChannels"); n != 0 {
		t.Errorf("import sent %d deletions", n)
	}
}

func TestAccChannelErasure_identity(t *testing.T) {
	t.Parallel()
	s := start(t)
	resource.UnitTest(t, resource.TestCase{
		ProtoV6ProviderFactories: acctest.Factories(),
		TerraformVersionChecks:   []tfversion.TerraformVersionCheck{tfversion.SkipBelow(tfversion.Version1_12_0)},
		Steps: []resource.TestStep{{
			Config:            s.Config("", erase(room, true, "")),
			ConfigStateChecks: []statecheck.StateCheck{statecheck.ExpectIdentity(dsr, map[string]knownvalue.Check{"cid": knownvalue.StringExact(room)})},
		}},
	})
}

// Members of a hard-deleted channel lose it; those of others keep theirs.
func TestAccChannelErasure_afterEffects(t *testing.T) {
	t.Parallel()
	s := start(t)
	s.Workspace(t, "", erase(room, true, "")).Apply(0)
	if u, _ := s.User("bob"); slices.Contains(u.Channels, room) || u.Deleted || u.Reactions != 0 {
		t.Errorf("bob: %+v", u)
	}
	if shown := texts(t, s, other); !slices.Equal(shown, []string{"kept"}) {
		t.Errorf("the other channel shows %v", shown)
	}
	if _, err := s.SDK.Channel("messaging", "room").SendMessage(context.Background(), &stream_chat.Message{Text: "back"}, "alice"); err == nil {
		t.Error("somebody could write into a channel that is gone")
	}
}
