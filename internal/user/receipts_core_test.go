// Copyright (c) the terraform-provider-streamchat authors
// SPDX-License-Identifier: MPL-2.0

package user_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/acctest"
	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/emulator"
	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/erasure"
)

// Records that have no receipt in their state have one in the directory, which the
// provider's own function reads.
func TestReceiptsOfOtherRecords(t *testing.T) {
	t.Parallel()
	subject := erasure.Pseudonym(acctest.PseudonymKey, restricted)
	file := func(t *testing.T) string { return filepath.Join(t.TempDir(), restricted+".json") }
	for _, test := range []struct {
		address string
		block   func(t *testing.T) acctest.Config
		change  acctest.Config
		fields  map[string]any
		// again: a replacement goes on with the record.
		again  bool
		says   string
		ended  string
		status string
		told   string
	}{
		{
			address: hold, block: func(*testing.T) acctest.Config { return acctest.Config{"user_id": restricted} },
			change: acctest.Config{"request_id": "DSR-2"},
			fields: map[string]any{"subject": subject, "request_id": "DSR-2", "status": "deactivated", "found": "present"},
			again:  true, says: "In force since", ended: "reactivated_at", status: "undone", told: "Lifted on",
		},
		{
			address: hold, block: func(*testing.T) acctest.Config {
				return acctest.Config{"user_id_wo": restricted, "on_destroy": "forget"}
			},
			change: acctest.Config{"labels": acctest.Config{"legal_basis": "art18"}},
			fields: map[string]any{"subject": subject, "labels": map[string]any{"legal_basis": "art18"}},
			again:  true, says: "In force since", ended: "forgotten_at", status: "deactivated", told: "dropped this record on",
		},
		{
			address: exported, block: func(t *testing.T) acctest.Config {
				return acctest.Config{"user_id": restricted, "path": file(t)}
			},
			change: acctest.Config{"request_id": "DSR-2"},
			fields: map[string]any{"subject": subject, "request_id": "DSR-2"},
			says:   "1 message", ended: "forgotten_at", told: "dropped this record on",
		},
		{
			address: "streamchat_channel_export.rooms", block: func(t *testing.T) acctest.Config {
				return acctest.Config{"cids": []string{"messaging:both"}, "path": file(t)}
			},
			change: acctest.Config{"request_id": "DSR-2"},
			fields: map[string]any{
				"subjects":      []any{map[string]any{"subject": erasure.Pseudonym(acctest.PseudonymKey, "messaging:both")}},
				"message_count": 1.0, "version": "v1",
			},
			says: "Taken on", ended: "forgotten_at", told: "dropped this record on",
		},
		{
			address: "streamchat_retention_policy.keep", block: func(*testing.T) acctest.Config {
				return acctest.Config{"policy": "old-messages", "max_age_hours": 96}
			},
			change: acctest.Config{"max_age_hours": 48},
			fields: map[string]any{"policy": "old-messages", "max_age_hours": 48.0, "status": "enabled"},
			says:   "In force since", ended: "removed_at", status: "removed", told: "Removed on",
		},
	} {
		t.Run(test.address+" "+test.ended, func(t *testing.T) {
			restriction(t, func(t *testing.T, s *acctest.Stream, core *acctest.Core, _ acctest.Config) {
				dir := filepath.Join(t.TempDir(), "receipts")
				core.Provider["receipts_dir"] = dir
				block := test.block(t)
				apply := func(options ...acctest.Option) {
					t.Helper()
					plan := core.Plan(test.address, block, options...)
					good(t, &acctest.Result{Errors: plan.Errors})
					good(t, core.Apply(plan))
				}
				text := func(r acctest.Receipt) string {
					t.Helper()
					if strings.Contains(r.Text, restricted) || strings.Contains(r.Text, "messaging:both") {
						t.Errorf("the receipt names somebody: %s", r.Text)
					}
					told, problem := core.Function("receipt_text", r.Text)
					if problem != "" {
						t.Errorf("%s: %s", problem, r.Text)
					}
					return fmt.Sprint(told)
				}
				apply()
				first := acctest.Receipts(t, dir)
				for name, value := range test.change {
					block[name] = value
				}
				apply()
				all := acctest.Receipts(t, dir)
				if len(first) != 1 || len(all) != 1 || all[0].Name != first[0].Name || all[0].Text == first[0].Text || !strings.Contains(text(all[0]), test.says) {
					t.Fatalf("after a change: %v, %v", first, all)
				}
				for name, want := range test.fields {
					if got := all[0].Fields[name]; fmt.Sprint(got) != fmt.Sprint(want) {
						t.Errorf("%s is %v, want %v: %s", name, got, want, all[0].Text)
					}
				}
				if test.again {
					apply(acctest.WithReplace)
					if again := acctest.Receipts(t, dir); len(again) != 1 || again[0].Name != first[0].Name || again[0].Ended() != "" {
						t.Errorf("after a replacement: %v", again)
					}
				}
				block = nil
				apply()
				last := acctest.Receipts(t, dir)
				if len(last) != 1 || last[0].Name != first[0].Name || last[0].Ended() != test.ended || test.status != "" && last[0].Fields["status"] != test.status || !strings.Contains(text(last[0]), test.told) {
					t.Errorf("after the destroy: %v", last)
				}
			})
		})
	}
}

// The receipt of an export, in its state and in its file, and the resource itself say the
// same: what is missing, and nothing else.
func TestReceiptOfAnExportThatLacksFiles(t *testing.T) {
	t.Parallel()
	acctest.Bubble(t, func(t *testing.T) {
		s := acctest.InMemory(t)
		s.Fill(t, withFiles)
		dir := filepath.Join(t.TempDir(), "receipts")
		core := acctest.NewCore(t, s, acctest.Config{"receipts_dir": dir})
		block := acctest.Config{
			"user_id": "alice", "path": filepath.Join(t.TempDir(), "x.zip"), "format": "bundle", "attachments": true, "attachment_hosts": []string{"nowhere.example"},
		}
		good(t, core.Run(acctest.Change{Address: exported, Config: block}))
		state := core.State(exported)
		merged := map[string]any{"record": "streamchat_user_export"}
		maps.Copy(merged, state.Values)
		raw, err := json.Marshal(merged)
		if err != nil {
			t.Fatal(err)
		}
		for form, document := range map[string]string{
			"state": state.Get("receipt").(string), "file": acctest.Receipts(t, dir)[0].Text, "resource": string(raw),
		} {
			told, problem := core.Function("receipt_text", document)
			if text := fmt.Sprint(told); problem != "" || !strings.Contains(text, "**2 files are missing from it.**") || strings.Contains(text, "put together") {
				t.Errorf("%s: %s\n%s\n%s", form, problem, text, document)
			}
		}
	})
}

// A directory that cannot be written stops them before they begin.
func TestUnwritableReceiptsOfOtherRecords(t *testing.T) {
	restriction(t, func(t *testing.T, s *acctest.Stream, core *acctest.Core, _ acctest.Config) {
		dir := filepath.Join(t.TempDir(), "file")
		if err := os.WriteFile(dir, nil, 0o600); err != nil {
			t.Fatal(err)
		}
		blocks := map[string]acctest.Config{
			hold:                               {"user_id": "maria-ortiz"},
			exported:                           {"user_id": restricted, "path": filepath.Join(t.TempDir(), "x.json")},
			"streamchat_retention_policy.keep": {"policy": "old-messages", "max_age_hours": 96},
		}
		all := func(run func(address string, block acctest.Config)) {
			for address, block := range blocks {
				run(address, block)
			}
		}
		refused := func(address string, block acctest.Config) {
			t.Helper()
			if r := core.Run(acctest.Change{Address: address, Config: block}); !r.Errors.Say("Receipts directory cannot be written") {
				t.Errorf("%s: %s", address, r.Errors)
			}
		}
		core.Provider["receipts_dir"] = dir
		all(func(address string, block acctest.Config) {
			refused(address, block)
			if core.State(address) != nil {
				t.Errorf("%s: there is a record", address)
			}
		})
		delete(core.Provider, "receipts_dir")
		all(func(address string, block acctest.Config) {
			good(t, core.Run(acctest.Change{Address: address, Config: block}))
		})
		core.Provider["receipts_dir"] = dir
		all(func(address string, _ acctest.Config) {
			refused(address, nil)
			if record := core.State(address); record == nil || record.Tainted {
				t.Errorf("%s: the record %v", address, record)
			}
		})
		for op, want := range map[string]int{"DeactivateUser": 1, "ReactivateUser": 0, "ExportUser": 1, "SetRetentionPolicy": 1, "DeleteRetentionPolicy": 0} {
			if n := s.Count(op); n != want {
				t.Errorf("%s was sent %d times, want %d", op, n, want)
			}
		}
	})
}

// The directory as the CLI's user sees it, named in the environment: a red run, a second
// one, a destroy.
func TestCLIReceipts(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "receipts")
	t.Setenv("STREAMCHAT_RECEIPTS_DIR", dir)
	s := acctest.Start(t)
	s.Users(t, "alice", "bob")
	s.AddFault(emulator.Fault{Op: "DeleteUsers", Kind: emulator.FaultFailUser, UserID: "bob", Error: "no", Times: 1})
	w := s.Workspace(t, "", `
resource "streamchat_user_erasure_batch" "dsr" {
  user_ids = ["alice", "bob"]
  delete { user = "hard" }
}`)
	expect(t, w.Run("apply", "-auto-approve"), 1, "Deletion failed at Stream")
	red := acctest.Receipts(t, dir)
	if len(red) != 1 || red[0].Fields["status"] != "failed" {
		t.Fatalf("after a red run: %v", red)
	}
	expect(t, w.Run("apply", "-auto-approve"), 0)
	if all := acctest.Receipts(t, dir); len(all) != 1 || all[0].Name != red[0].Name || all[0].Fields["status"] != "completed" {
		t.Errorf("after the second run: %v", all)
	}
	expect(t, w.Run("destroy", "-auto-approve"), 0)
	if all := acctest.Receipts(t, dir); len(all) != 1 || all[0].Name != red[0].Name || all[0].Ended() != "forgotten_at" {
		t.Errorf("after the destroy: %v", all)
	}
}
