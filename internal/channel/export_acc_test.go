// Copyright (c) the terraform-provider-streamchat authors
// SPDX-License-Identifier: MPL-2.0

package channel_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"testing"

	"filippo.io/age"
	"github.com/hashicorp/terraform-plugin-testing/helper/resource"
	"github.com/hashicorp/terraform-plugin-testing/plancheck"
	"github.com/hashicorp/terraform-plugin-testing/terraform"

	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/acctest"
	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/emulator"
)

const exported = "streamchat_channel_export.archive"

const exportSeed = `{
  "users": [{"id": "alice", "name": "Ælice \ud83d\udc69\u200d\ud83d\udc67"}, {"id": "bob"}],
  "channels": [{"cid": "messaging:general", "created_by_id": "alice", "members": ["alice", "bob"], "topic": "content in a channel"},
               {"cid": "messaging:!members-6v1x-_A", "created_by_id": "bob", "members": ["alice", "bob"]},
               {"cid": "messaging:cut", "created_by_id": "bob", "members": ["alice"], "truncated_at": "2026-03-01T00:00:00Z"},
               {"cid": "messaging:gone", "created_by_id": "bob", "deleted_at": "2026-03-01T00:00:00Z"}],
  "messages": [{"id": "m1", "cid": "messaging:general", "user_id": "alice", "text": "content \u2028 <i>",
                "meta": 12345678901234567890, "created_at": "2026-01-01T00:00:00Z"},
               {"id": "m2", "cid": "messaging:general", "user_id": "bob", "text": "content to be cleared",
                "created_at": "2026-01-02T00:00:00Z", "deleted_at": "2026-01-03T00:00:00Z"},
               {"id": "m3", "cid": "messaging:cut", "user_id": "bob", "text": "content", "created_at": "2026-01-02T00:00:00Z"},
               {"id": "m4", "cid": "messaging:gone", "user_id": "bob", "text": "content", "created_at": "2026-01-02T00:00:00Z"}]
}`

func exportStream(t *testing.T) *acctest.Stream {
	t.Helper()
	s := acctest.Start(t)
	if err := s.Seed(strings.NewReader(exportSeed)); err != nil {
		t.Fatal(err)
	}
	return s
}

func exportBlock(cids, body string) string {
	return fmt.Sprintf("resource \"streamchat_channel_export\" \"archive\" {\n  cids = [%s]\n  %s\n}\n", cids, body)
}

func digest(raw []byte) string {
	sum := sha256.Sum256(raw)
	return hex.EncodeToString(sum[:])
}

func TestAccChannelExport(t *testing.T) {
	acctest.CLI(t)
	key, err := age.GenerateX25519Identity()
	if err != nil {
		t.Fatal(err)
	}
	const two = `"messaging:general", "messaging:!members-6v1x-_A"`
	for name, tt := range map[string]struct {
		cids, body string
		fault      *emulator.Fault
		encrypted  bool
		messages   int
		check      func(raw []byte) bool
	}{
		"v1": {cids: two, messages: 2, check: func(raw []byte) bool {
			return json.Valid(raw) && bytes.Contains(raw, []byte("content to be cleared")) &&
				bytes.Contains(raw, []byte(`"meta":12345678901234567890`))
		}},
		"v2": {cids: two, body: `version = "v2"`, messages: 2, check: func(raw []byte) bool { return bytes.Count(raw, []byte("\n")) > 4 }},
		"options": {cids: `"messaging:general", "messaging:cut", "messaging:gone"`, messages: 3, body: `
  messages_since                = "2026-01-01T12:00:00+02:00"
  messages_until                = "2026-01-05T00:00:00Z"
  clear_deleted_message_text    = true
  export_users                  = true
  include_soft_deleted_channels = true
  include_truncated_messages    = true`, check: func(raw []byte) bool {
			return !bytes.Contains(raw, []byte("to be cleared")) && bytes.Contains(raw, []byte(`"users":[`)) &&
				!bytes.Contains(raw, []byte(`"id":"m1"`))
		}},
		"encrypted": {cids: two, encrypted: true, body: fmt.Sprintf("age_recipients = [%q]", key.Recipient()), messages: 2,
			check: json.Valid},
		"dropped download": {cids: two, fault: &emulator.Fault{Op: "DownloadExport", Kind: emulator.FaultShortBody, Times: 2}, messages: 2,
			check: json.Valid},
		"expired URL": {cids: two, fault: &emulator.Fault{Op: "DownloadExport", Kind: emulator.FaultCustom, Status: 403}, messages: 2,
			check: json.Valid},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := exportStream(t)
			if tt.fault != nil {
				s.AddFault(*tt.fault)
			}
			dir := t.TempDir()
			file := filepath.Join(dir, "new", "archive")
			config := s.Config("", exportBlock(tt.cids, fmt.Sprintf("path = %q\n%s", file, tt.body)))
			resource.UnitTest(t, resource.TestCase{
				ProtoV6ProviderFactories: acctest.Factories(),
				Steps: []resource.TestStep{
					{Config: config, Check: func(st *terraform.State) error {
						onDisk, err := os.ReadFile(file)
						if err != nil {
							return err
						}
						if info, err := os.Stat(file); err != nil || runtime.GOOS != "windows" && info.Mode().Perm() != 0o600 {
							return fmt.Errorf("mode %v, %w", info.Mode(), err)
						}
						raw := onDisk
						if tt.encrypted {
							if bytes.Contains(onDisk, []byte("content")) {
								return fmt.Errorf("clear content on disk")
							}
							reader, err := age.Decrypt(bytes.NewReader(onDisk), key)
							if err != nil {
								return err
							}
							if raw, err = io.ReadAll(reader); err != nil {
								return err
							}
						}
						if !tt.check(raw) {
							return fmt.Errorf("unexpected content: %s", raw)
						}
						a := st.RootModule().Resources[exported].Primary.Attributes
						if a["sha256"] != digest(raw) || a["file_sha256"] != digest(onDisk) || a["size_bytes"] != fmt.Sprint(len(onDisk)) ||
							a["message_count"] != fmt.Sprint(tt.messages) || len(a["task_id"]) != 36 || a["exported_at"] == "" {
							return fmt.Errorf("attributes: %v", a)
						}
						for name, value := range a {
							if strings.Contains(value, "content") {
								return fmt.Errorf("content in state, attribute %s", name)
							}
						}
						return nil
					}},
					{ // neither the file nor the channels are looked at again
						PreConfig: func() {
							if err := os.Remove(file); err != nil {
								t.Fatal(err)
							}
							s.ResetRequests()
							s.AddFault(emulator.Fault{Kind: emulator.Fault500, Times: emulator.Forever})
						},
						Config: config, PlanOnly: true,
					},
					{ // destroying asks for nothing either
						Config: config, Destroy: true,
					},
				},
			})
			if n := len(s.Requests()); n != 0 {
				t.Errorf("%d requests after the export", n)
			}
			if entries, err := os.ReadDir(filepath.Dir(file)); err != nil || len(entries) != 0 {
				t.Errorf("left behind: %v, %v", entries, err)
			}
		})
	}
}

func TestAccChannelExport_replaced(t *testing.T) {
	acctest.CLI(t)
	s := exportStream(t)
	file := filepath.Join(t.TempDir(), "archive.json")
	config := func(more string) string {
		return s.Config("", exportBlock(`"messaging:general"`, fmt.Sprintf("path = %q\n%s", file, more)))
	}
	planned := func(action plancheck.ResourceActionType) resource.ConfigPlanChecks {
		return resource.ConfigPlanChecks{PreApply: []plancheck.PlanCheck{plancheck.ExpectResourceAction(exported, action)}}
	}
	replaced := planned(plancheck.ResourceActionDestroyBeforeCreate)
	resource.UnitTest(t, resource.TestCase{
		ProtoV6ProviderFactories: acctest.Factories(),
		Steps: []resource.TestStep{
			{Config: config("")},
			{Config: config("timeouts = { create = \"1h\" }"), ConfigPlanChecks: planned(plancheck.ResourceActionUpdate)},
			{Config: config("version = \"v2\""), ConfigPlanChecks: replaced},
			{Config: config("version = \"v2\"\nexport_users = true"), ConfigPlanChecks: replaced},
		},
	})
	if _, err := os.Stat(file); err != nil {
		t.Errorf("destroying the record took the file: %v", err)
	}
}

// A name that says "encrypted" in any case needs recipients.
func TestChannelExportInTheClear(t *testing.T) {
	for _, name := range []string{"x.age", "x.AGE", "x.json.Age"} {
		found := acctest.Invalid(t, "streamchat_channel_export", map[string]any{"cids": []string{"messaging:general"}, "path": name})
		if len(found) != 1 || !strings.Contains(found[0], "File would be in the clear") {
			t.Errorf("%s: %q", name, found)
		}
	}
}

// What is there already is replaced by the record that wrote it, and else only on the
// word of the configuration; afterwards what does not make another export is an update.
func TestAccChannelExport_exists(t *testing.T) {
	t.Parallel()
	acctest.CLI(t)
	s := exportStream(t)
	dir := t.TempDir()
	file := filepath.Join(dir, "archive.json")
	block := func(cids, more string) string {
		return exportBlock(cids, fmt.Sprintf("path = %q\n%s", file, more))
	}
	const others, one, two = "somebody else's", `"messaging:general"`, `"messaging:general", "messaging:cut"`
	if err := os.WriteFile(file, []byte(others), 0o600); err != nil {
		t.Fatal(err)
	}
	w := s.Workspace(t, "", block(two, ""))
	w.Plan(1, "File exists already", "overwrite = true")
	if raw, err := os.ReadFile(file); err != nil || string(raw) != others {
		t.Errorf("%q, %v", raw, err)
	}
	w.Write("", block(two, "overwrite = true"))
	w.Apply(0, "Existing file will be replaced", `+ app_name = "Emulator"`)
	s.ResetRequests()
	w.Write("", block(two, "request_id = \"DSR-1\"\nlabels = { basis = \"Art. 15\" }"))
	w.Apply(0, "Export is not taken again", "1 changed")
	w.Has(exported, map[string]any{"app_name": "Emulator", "request_id": "DSR-1", "overwrite": false})
	if n := len(s.Requests()); n != 0 {
		t.Errorf("%d requests for an update in place", n)
	}
	// The order of the channels makes another export, but not another subject.
	w.Write("", block(`"messaging:cut", "messaging:general"`, "version = \"v2\""))
	w.Apply(0, "1 added, 0 changed, 1 destroyed")
	w.Write("", block(one, ""))
	w.Plan(1, "File exists already")
}

func TestAccChannelExport_refusals(t *testing.T) {
	acctest.CLI(t)
	s := exportStream(t)
	dir := t.TempDir()
	path := fmt.Sprintf("path = %q", filepath.Join(dir, "x.json"))
	many := strings.TrimSuffix(strings.Repeat(`"messaging:general", `, 26), ", ")
	for name, tt := range map[string]struct{ cids, body, says string }{
		"none":             {``, path, `Too few or too many channels`},
		"too many":         {many, path, `the list has 26`},
		"twice":            {`"messaging:general", "messaging:general"`, path, `The same channel twice`},
		"no type":          {`"general"`, path, `Invalid cid`},
		"three parts":      {`"messaging:a:b"`, path, `Invalid cid`},
		"dots":             {`"messaging:.."`, path, `Invalid cid`},
		"long":             {`"messaging:` + strings.Repeat("x", 65) + `"`, path, `Invalid cid`},
		"unknown":          {`"messaging:general", "messaging:generol"`, path, `does not find channel 2 of the list`},
		"deleted":          {`"messaging:gone"`, path, `does not find channel 1 of the list`},
		"unknown at apply": {`"messaging:generol"`, path + "\ninclude_soft_deleted_channels = true", `Unknown channel`},
		"version":          {`"messaging:general"`, path + "\nversion = \"v3\"", `version`},
		"no time":          {`"messaging:general"`, path + "\nmessages_since = \"yesterday\"", `RFC`},
		"nothing in between": {
			`"messaging:general"`, path + "\nmessages_since = \"2026-01-02T00:00:00Z\"\nmessages_until = \"2026-01-01T00:00:00Z\"",
			`No time between`,
		},
		"a secret key":     {`"messaging:general"`, path + "\nage_recipients = [\"AGE-SECRET-KEY-1QQQQ\"]", `Invalid age recipient`},
		"path is a folder": {`"messaging:general"`, fmt.Sprintf("path = %q", dir), `Export not written`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			resource.UnitTest(t, resource.TestCase{
				ProtoV6ProviderFactories: acctest.Factories(),
				Steps: []resource.TestStep{{Config: s.Config("", exportBlock(tt.cids, tt.body)),
					ExpectError: regexp.MustCompile(strings.ReplaceAll(tt.says, " ", `\s+`))}},
			})
		})
	}
	t.Run("one file for two", func(t *testing.T) {
		one := exportBlock(`"messaging:general"`, path)
		resource.UnitTest(t, resource.TestCase{
			ProtoV6ProviderFactories: acctest.Factories(),
			Steps: []resource.TestStep{{Config: s.Config("", one+strings.Replace(one, "archive", "other", 1)),
				ExpectError: regexp.MustCompile(`The\s+same\s+file\s+twice`)}},
		})
	})
	t.Cleanup(func() {
		if entries, err := os.ReadDir(dir); err != nil || len(entries) != 0 {
			t.Errorf("left behind: %v, %v", entries, err)
		}
	})
}

func TestAccChannelExport_failures(t *testing.T) {
	acctest.CLI(t)
	for name, tt := range map[string]struct {
		fault emulator.Fault
		says  string
	}{
		"failing task": {emulator.Fault{Op: "ExportChannels", Kind: emulator.FaultFailTask}, `ended without completing`},
		"no file": {emulator.Fault{Op: "DownloadExport", Kind: emulator.FaultCustom, Status: 404, Times: emulator.Forever},
			`refuses the address`},
		"never whole": {emulator.Fault{Op: "DownloadExport", Kind: emulator.FaultDropAfter, Times: emulator.Forever}, `could not be reached`},
		"a page":      {emulator.Fault{Op: "DownloadExport", Kind: emulator.FaultHTML200, Times: emulator.Forever}, `Unreadable export`},
		"half":        {emulator.Fault{Op: "DownloadExport", Kind: emulator.FaultTruncated, Times: emulator.Forever}, `Unreadable export`},
		"another version": {emulator.Fault{Op: "DownloadExport", Kind: emulator.FaultCustom, Status: 200,
			Body: `{"type":"channel","data":{}}`, Times: emulator.Forever}, `not of the version`},
		"fewer channels": {emulator.Fault{Op: "DownloadExport", Kind: emulator.FaultCustom, Status: 200, Body: `[]`,
			Times: emulator.Forever}, `holds 0 channels instead of 1`},
		"no task": {emulator.Fault{Op: "ExportChannels", Kind: emulator.FaultCustom, Status: 201, Body: `{}`,
			ContentType: "application/json", Times: emulator.Forever}, `Unexpected answer`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := exportStream(t)
			s.AddFault(tt.fault)
			dir := t.TempDir()
			resource.UnitTest(t, resource.TestCase{
				ProtoV6ProviderFactories: acctest.Factories(),
				Steps: []resource.TestStep{{
					Config:      s.Config("max_retries = 1", exportBlock(`"messaging:general"`, fmt.Sprintf("path = %q", filepath.Join(dir, "x.json")))),
					ExpectError: regexp.MustCompile(strings.ReplaceAll(tt.says, " ", `\s+`)),
				}},
			})
			if entries, err := os.ReadDir(dir); err != nil || len(entries) != 0 {
				t.Errorf("left behind: %v, %v", entries, err)
			}
		})
	}
}
