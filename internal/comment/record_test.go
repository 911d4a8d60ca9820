// Copyright (c) the terraform-provider-streamchat authors
// SPDX-License-Identifier: MPL-2.0

package comment_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/acctest"
	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/clock/clocktest"
	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/emulator"
	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/tfcli"
)

var record = flag.Bool("record", false, "record the plans in testdata anew, with every CLI of this machine, and write what is expected of them")

// TestRecord runs two plans and one that fails, and keeps what both ways to read
// them say: the saved plan, and the log with the warnings that it lacks.
func TestRecord(t *testing.T) {
	if !*record {
		t.Skip("only with -record")
	}
	for _, cli := range acctest.CLIs(t) {
		t.Run(cli.Flavor, func(t *testing.T) {
			now := clocktest.New(time.Now())
			s := acctest.Seeded(t, recordedSeed, func(o *emulator.Options) { o.AppName = "Acme | Chat"; o.Clock = now; o.TaskDelay = time.Hour })
			ws, err := tfcli.NewWorkspace(tfcli.Options{CLI: cli, Dir: t.TempDir(), Provider: acctest.Binary(t), Env: []string{
				"STREAM_API_KEY=" + s.APIKey(), "STREAM_API_SECRET=" + s.APISecret(), "STREAM_CHAT_URL=" + s.URL,
				"STREAMCHAT_PSEUDONYM_KEY=" + acctest.PseudonymKey,
			}})
			if err != nil {
				t.Fatal(err)
			}
			dir := filepath.Join("testdata", cli.Flavor)
			if err := os.MkdirAll(dir, 0o755); err != nil {
				t.Fatal(err)
			}
			run := func(wanted int, args ...string) tfcli.Result {
				t.Helper()
				r, err := ws.Run(t.Context(), args...)
				if err != nil || r.ExitCode != wanted {
					t.Fatalf("%v: %v\n%s%s", args, err, r.Stdout, r.Stderr)
				}
				return r
			}
			configure := func(config string) {
				t.Helper()
				if err := ws.WriteFile("main.tf", config); err != nil {
					t.Fatal(err)
				}
			}
			keep := func(step, config string, code int) {
				t.Helper()
				configure(config)
				log := run(code, "plan", "-json", "-out=saved", "-detailed-exitcode")
				write(t, filepath.Join(dir, step+".jsonl"), bytes.ReplaceAll([]byte(log.Stdout), []byte(ws.Dir), []byte("/work")))
				shown := bytes.ReplaceAll([]byte(run(0, "show", "-json", "saved").Stdout), []byte(ws.Dir), []byte("/work"))
				write(t, filepath.Join(dir, step+".json"), slim(t, shown))
			}
			configure(recordedFirst)
			run(0, "init")
			keep("first", recordedFirst, 2)
			s.Call(t, "DELETE", "/users/gone?hard_delete=true", "")
			run(0, "apply", "saved")
			now.Advance(2 * time.Hour)
			run(0, "apply", "-auto-approve")
			configure(recordedFirst + recordedLate)
			run(0, "apply", "-auto-approve")
			keep("second", recordedSecond, 2)
			keep("red", recordedRed, 1)
			configure(recordedLate + recordedHead)
			run(0, "apply", "-auto-approve")
			keep("staged", recordedHead+recordedLate+fmt.Sprintf(recordedStaged, "720h", ""), 2)
			once := recordedHead + recordedLate + fmt.Sprintf(recordedStaged, "1s", "")
			configure(once)
			ended := make(chan struct{})
			go func() {
				for { // the batch waits for its task
					select {
					case <-ended:
						return
					case <-time.After(time.Second):
						now.Advance(2 * time.Hour)
					}
				}
			}()
			run(0, "apply", "-auto-approve")
			close(ended)
			time.Sleep(time.Second) // the provider has the machine's clock
			keep("due", once, 2)
			keep("changed", recordedHead+recordedLate+fmt.Sprintf(recordedStaged, "1s", "labels = { ticket = \"7\" }"), 2)
		})
	}
}

// slim leaves the parts of a plan that say the same again.
func slim(t *testing.T, plan []byte) []byte {
	t.Helper()
	var parts map[string]json.RawMessage
	if err := json.Unmarshal(plan, &parts); err != nil {
		t.Fatal(err)
	}
	maps.DeleteFunc(parts, func(name string, _ json.RawMessage) bool {
		return name == "planned_values" || name == "prior_state" || name == "configuration" || name == "checks" || name == "relevant_attributes"
	})
	out, err := json.MarshalIndent(parts, "", " ")
	if err != nil {
		t.Fatal(err)
	}
	return append(out, '\n')
}

func write(t *testing.T, name string, content []byte) {
	t.Helper()
	if err := os.WriteFile(name, content, 0o644); err != nil {
		t.Fatal(err)
	}
}

const recordedSeed = `{
  "users": [
    {"id": "anna", "name": "Anna", "created_at": "2021-05-17T14:35:23Z", "last_active": "2026-07-29T17:43:28Z"},
    {"id": "bert", "name": "Bert", "created_at": "2022-01-02T00:00:00Z"},
    {"id": "carl", "name": "Carl", "role": "moderator", "created_at": "2020-01-02T00:00:00Z"},
    {"id": "dora", "name": "Dora"}, {"id": "emil", "name": "Emil"}, {"id": "fred", "name": "Fred"}, {"id": "gone", "name": "Gone"}, {"id": "late"}, {"id": "back"},
    {"id": "sara", "created_at": "2022-03-04T00:00:00Z"}, {"id": "tom", "created_at": "2023-03-04T00:00:00Z"}, {"id": "uwe"}, {"id": "vera"},
    {"id": "harry", "name": "Harry", "legal_hold": true},
    {"id": "idle-1", "created_at": "2019-01-01T00:00:00Z", "last_active": "2020-02-03T00:00:00Z"},
    {"id": "idle-2", "created_at": "2019-01-01T00:00:00Z", "last_active": "2021-03-04T00:00:00Z"},
    {"id": "idle-3", "created_at": "2019-01-01T00:00:00Z"}
  ],
  "channels": [
    {"cid": "messaging:anna-and-bert", "created_by_id": "anna", "members": ["anna", "bert"]},
    {"cid": "messaging:old", "created_by_id": "dora", "members": ["dora"]},
    {"cid": "messaging:older", "created_by_id": "dora", "members": ["dora"]},
    {"cid": "messaging:team", "created_by_id": "dora", "members": ["dora", "emil", "fred"]}
  ],
  "messages": [
    {"id": "m-1", "cid": "messaging:anna-and-bert", "user_id": "anna", "text": "hello"},
    {"id": "m-2", "cid": "messaging:team", "user_id": "dora", "text": "my number"}
  ]
}`

const recordedHead = `
terraform {
  required_providers {
    streamchat = { source = "streamchat-gdpr/streamchat" }
  }
}
provider "streamchat" {
  hold_field              = "legal_hold"
  delete_calls_per_minute = 1000
}
`

var (
	recordedFirst = recordedHead + `
resource "streamchat_user_erasure" "dsr" {
  for_each   = { "DSR-1" = "anna", "DSR-2" = "gone" }
  user_id    = each.value
  request_id = each.key
  labels     = { legal_basis = "Art. 17(1)(b)" }
  delete { user = "hard" }
  timeouts = { create = "2s", update = "2s" }
}
resource "streamchat_user_erasure" "soft" {
  user_id    = "carl"
  request_id = "DSR-3"
  on_destroy = "restore"
  delete { user = "soft" }
  timeouts = { create = "2s", update = "2s" }
}
resource "streamchat_user_erasure_batch" "idle" {
  user_ids   = ["idle-1", "idle-2"]
  request_id = "CAMPAIGN-7 <b>|bold|</b> ` + "``" + ` @everyone"
  delete { user = "hard" }
  timeouts = { create = "2s", update = "2s" }
}
resource "streamchat_user_deactivation" "rest" {
  user_id    = "emil"
  request_id = "DSR-4"
}
resource "streamchat_user_export" "fred" {
  user_id    = "fred"
  request_id = "DSR-5"
  path       = "fred.json"
}
resource "streamchat_channel_erasure" "old" {
  cid         = "messaging:old"
  hard_delete = true
  timeouts    = { create = "2s", update = "2s" }
}
resource "streamchat_channel_erasure_batch" "older" {
  cids        = ["messaging:older"]
  request_id  = "CAMPAIGN-8"
  hard_delete = true
  timeouts    = { create = "2s", update = "2s" }
}
resource "streamchat_channel_truncation" "team" {
  cid         = "messaging:team"
  request_id  = "DSR-6"
  hard_delete = true
}
resource "streamchat_user_erasure" "back" {
  user_id    = "back"
  request_id = "DSR-11"
  on_destroy = "restore"
  delete { user = "soft" }
  timeouts = { create = "2s", update = "2s" }
}
resource "streamchat_message_erasure" "m" {
  message_id  = "m-2"
  request_id  = "DSR-7"
  hard_delete = true
}
resource "streamchat_retention_policy" "old" {
  policy        = "old-messages"
  max_age_hours = 26280
}
resource "terraform_data" "other" {
  input = "x"
}
`
	recordedLate = `
resource "streamchat_user_erasure" "late" {
  user_id    = "late"
  request_id = "DSR-10"
  delete { user = "hard" }
  timeouts = { create = "2s", update = "2s" }
}
`
	recordedSecond = recordedHead + recordedLate + `
resource "streamchat_channel_export" "team" {
  cids = ["messaging:team"]
  path = "team.json"
}
resource "streamchat_user_erasure" "dsr" {
  for_each   = { "DSR-1" = "anna", "DSR-2" = "gone" }
  user_id    = each.value
  request_id = each.key
  labels     = { legal_basis = "Art. 17(1)(b)" }
  delete { user = "hard" }
  timeouts = { create = "2s", update = "2s" }
}
resource "streamchat_user_erasure" "soft" {
  user_id    = "carl"
  request_id = "DSR-3"
  delete { user = "hard" }
  timeouts = { create = "2s", update = "2s" }
}
resource "streamchat_user_erasure_batch" "idle" {
  user_ids   = ["idle-1", "idle-2", "idle-3"]
  request_id = "CAMPAIGN-7"
  delete { user = "hard" }
  timeouts = { create = "2s", update = "2s" }
}
removed {
  from = streamchat_channel_erasure.old
  lifecycle {
    destroy = false
  }
}
resource "streamchat_message_erasure" "m" {
  message_id  = "m-2"
  request_id  = "DSR-7b"
  hard_delete = true
}
resource "streamchat_retention_policy" "old" {
  policy        = "old-messages"
  max_age_hours = 24
}
`
	recordedRed = recordedSecond + `
resource "streamchat_user_erasure" "wrong" {
  for_each   = { "DSR-8" = "ana", "DSR-9" = "harry" }
  user_id    = each.value
  request_id = each.key
  delete { user = "hard" }
}
`
	recordedStaged = `
locals {
  grace = %q
}
resource "streamchat_user_erasure" "staged" {
  user_id_wo   = "sara"
  request_id   = "DSR-20"
  received_at  = "2026-01-31"
  grace_period = local.grace
  delete { user = "hard" }
  %s
}
resource "streamchat_user_erasure" "marked" {
  user_id      = "tom"
  request_id   = "DSR-21"
  received_at  = "2026-11-01"
  grace_period = local.grace
  delete { user = "soft" }
}
resource "streamchat_user_erasure_batch" "staged" {
  user_ids_wo  = ["uwe", "vera"]
  request_id   = "CAMPAIGN-9"
  grace_period = local.grace
  delete { user = "hard" }
}
`
)
