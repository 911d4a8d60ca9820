// Copyright (c) the terraform-provider-streamchat authors
// SPDX-License-Identifier: MPL-2.0

package user_test

import (
	"bytes"
	"context"
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
	stream_chat "github.com/GetStream/stream-chat-go/v6"
	"github.com/google/go-cmp/cmp"
	"github.com/hashicorp/terraform-plugin-testing/helper/resource"
	"github.com/hashicorp/terraform-plugin-testing/knownvalue"
	"github.com/hashicorp/terraform-plugin-testing/plancheck"
	"github.com/hashicorp/terraform-plugin-testing/statecheck"
	"github.com/hashicorp/terraform-plugin-testing/terraform"

	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/acctest"
	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/emulator"
)

const (
	exported = "streamchat_user_export.dsr"
	read     = "data.streamchat_user_export.dsr"
)

// odd is a user whose data breaks what is careless with JSON.
const odd = `{
  "users": [{"id": "alice", "name": "Ælice \u202e e\u0301 \ud83d\udc69\u200d\ud83d\udc67", "big": 9007199254740993, "small": 1e-400,
             "exp": 1E5, "zero": -0, "none": null,
             "html": "<b>&amp;</b>", "nested": {"a": {"b": [1, 2.50, {"c": null}]}, "duration": "mine"}, "duration": "also mine"},
             {"id": "bob"}],
  "channels": [{"cid": "messaging:c", "created_by_id": "alice", "members": ["alice", "bob"]}],
  "messages": [{"id": "m1", "cid": "messaging:c", "user_id": "alice", "text": "line\u2028separator <i>&</i> 🥪",
                "attachments": [{"type": "image", "image_url": "https://x/y?z=1&a=2"}, {"type": "file"}], "meta": 12345678901234567890},
               {"id": "m2", "cid": "messaging:c", "user_id": "bob", "text": "hello"}],
  "reactions": [{"message_id": "m2", "user_id": "alice", "type": "like", "score": 3}]
}`

// served is what the server sends, without the duration.
func served(t *testing.T, s *acctest.Stream) map[string]any {
	t.Helper()
	_, body := call(t, s, "GET", "/users/alice/export", "")
	v := exact(t, body)
	delete(v, "duration")
	return v
}

// exact decodes JSON without touching a number.
func exact(t *testing.T, raw []byte) map[string]any {
	t.Helper()
	decoder := json.NewDecoder(bytes.NewReader(raw))
	decoder.UseNumber()
	var v map[string]any
	if err := decoder.Decode(&v); err != nil {
		t.Fatalf("%v: %s", err, raw)
	}
	return v
}

func TestAccUserExportData(t *testing.T) {
	acctest.CLI(t)
	s := acctest.Start(t)
	if err := s.Seed(strings.NewReader(odd)); err != nil {
		t.Fatal(err)
	}
	want := served(t, s)
	config := s.Config("", "data \"streamchat_user_export\" \"dsr\" {\n  user_id = \"alice\"\n}")
	var first string
	resource.UnitTest(t, resource.TestCase{
		ProtoV6ProviderFactories: acctest.Factories(),
		Steps: []resource.TestStep{
			{Config: config, Check: func(st *terraform.State) error {
				a := st.RootModule().Resources[read].Primary.Attributes
				first = a["json"]
				if diff := cmp.Diff(want, exact(t, []byte(first))); diff != "" {
					return fmt.Errorf("not what the server sent: %s", diff)
				}
				if a["exists"] != "true" || a["message_count"] != "1" || a["reaction_count"] != "1" || len(a["sha256"]) != 64 {
					return fmt.Errorf("attributes: %v", a)
				}
				return nil
			}},
			{Config: config, Check: func(st *terraform.State) error {
				if a := st.RootModule().Resources[read].Primary.Attributes; a["json"] != first {
					return fmt.Errorf("two readings differ:\n%s\n%s", first, a["json"])
				}
				return nil
			}},
			{ // gone: no error, also not for later plans
				PreConfig: func() { hardDelete(t, s, "alice") },
				Config:    config,
				ConfigStateChecks: []statecheck.StateCheck{
					statecheck.ExpectKnownValue(read, attr("exists"), knownvalue.Bool(false)),
					statecheck.ExpectKnownValue(read, attr("json"), knownvalue.Null()),
					statecheck.ExpectKnownValue(read, attr("sha256"), knownvalue.Null()),
					statecheck.ExpectKnownValue(read, attr("message_count"), knownvalue.Null()),
				},
			},
		},
	})
}

func hardDelete(t *testing.T, s *acctest.Stream, id string) {
	t.Helper()
	all := stream_chat.DeleteUserOptions{User: stream_chat.HardDelete, Messages: stream_chat.HardDelete, Conversations: stream_chat.HardDelete}
	if _, err := s.SDK.DeleteUsers(context.Background(), []string{id}, all); err != nil {
		t.Fatal(err)
	}
}

func TestAccUserExportData_errors(t *testing.T) {
	acctest.CLI(t)
	config := "data \"streamchat_user_export\" \"dsr\" {\n  user_id = \"alice\"\n}"
	for name, tt := range map[string]struct {
		fault emulator.Fault
		says  string
	}{
		"server error": {fault: emulator.Fault{Op: "ExportUser", Kind: emulator.Fault500, Times: emulator.Forever},
			says: `Stream's server failed`},
		"404 for a user who is there": {fault: emulator.Fault{Op: "ExportUser", Kind: emulator.FaultCustom, Status: 404,
			Body:        `{"code":16,"message":"ExportUser failed with error: \"the user alice does not exist\"","StatusCode":404}`,
			ContentType: "application/json"}, says: `Stream refused the request`},
		"unknown address": {fault: emulator.Fault{Op: "ExportUser", Kind: emulator.FaultCustom, Status: 404,
			Body: `{"code":16,"message":"Request failed with error: \"Not Found\"","StatusCode":404}`, ContentType: "application/json"},
			says: `Unexpected answer`},
		"empty answer": {fault: emulator.Fault{Op: "ExportUser", Kind: emulator.FaultCustom, Status: 200, Body: `{}`,
			ContentType: "application/json"}, says: `Unexpected answer`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := acctest.Start(t)
			if err := s.Seed(strings.NewReader(odd)); err != nil {
				t.Fatal(err)
			}
			s.AddFault(tt.fault)
			resource.UnitTest(t, resource.TestCase{
				ProtoV6ProviderFactories: acctest.Factories(),
				Steps: []resource.TestStep{{Config: s.Config("max_retries = 0", config),
					ExpectError: regexp.MustCompile(strings.ReplaceAll(tt.says, " ", `\s+`))}},
			})
		})
	}
}

func TestAccUserExportFile(t *testing.T) {
	acctest.CLI(t)
	s := acctest.Start(t)
	if err := s.Seed(strings.NewReader(odd)); err != nil {
		t.Fatal(err)
	}
	want := served(t, s)
	key, err := age.GenerateX25519Identity()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	clearFile, sealedFile := filepath.Join(dir, "new", "clear.json"), filepath.Join(dir, "sealed.age")
	export := func(body string) string {
		return "resource \"streamchat_user_export\" \"dsr\" {\n  user_id = \"alice\"\n" + body + "\n}"
	}
	clearly := s.Config("", export(fmt.Sprintf("path = %q", clearFile)))
	sealed := s.Config("", export(fmt.Sprintf("path = %q\nage_recipients = [%q]", sealedFile, key.Recipient())))
	check := func(path string, open func([]byte) []byte) resource.TestCheckFunc {
		return func(st *terraform.State) error {
			raw, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			if info, err := os.Stat(path); err != nil || runtime.GOOS != "windows" && info.Mode().Perm() != 0o600 {
				return fmt.Errorf("mode %v, %w", info.Mode(), err)
			}
			if diff := cmp.Diff(want, exact(t, open(raw))); diff != "" {
				return fmt.Errorf("not what the server sent: %s", diff)
			}
			a := st.RootModule().Resources[exported].Primary.Attributes
			if a["size_bytes"] != fmt.Sprint(len(raw)) || a["message_count"] != "1" || a["reaction_count"] != "1" ||
				a["attachment_count"] != "2" || a["complete"] != "true" || a["method"] != "direct" || a["exported_at"] == "" {
				return fmt.Errorf("attributes: %v", a)
			}
			for name, value := range a {
				if strings.Contains(value, "separator") || strings.Contains(value, "lice \u202e") {
					return fmt.Errorf("content in state, attribute %s", name)
				}
			}
			return nil
		}
	}
	resource.UnitTest(t, resource.TestCase{
		ProtoV6ProviderFactories: acctest.Factories(),
		Steps: []resource.TestStep{
			{Config: clearly, Check: check(clearFile, func(raw []byte) []byte { return raw })},
			{ // other recipients alone are no reason to take it again
				Config: sealed,
				ConfigPlanChecks: resource.ConfigPlanChecks{PreApply: []plancheck.PlanCheck{
					plancheck.ExpectResourceAction(exported, plancheck.ResourceActionUpdate),
				}},
			},
			{
				Config: sealed, Taint: []string{exported},
				ConfigPlanChecks: resource.ConfigPlanChecks{PreApply: []plancheck.PlanCheck{
					plancheck.ExpectResourceAction(exported, plancheck.ResourceActionDestroyBeforeCreate),
				}},
				Check: check(sealedFile, func(raw []byte) []byte {
					reader, err := age.Decrypt(bytes.NewReader(raw), key)
					if err != nil {
						t.Fatal(err)
					}
					plain, err := io.ReadAll(reader)
					if err != nil {
						t.Fatal(err)
					}
					return plain
				}),
			},
			{ // a missing file is no drift, and the user is not even looked at
				PreConfig: func() {
					if err := os.Remove(sealedFile); err != nil {
						t.Fatal(err)
					}
					hardDelete(t, s, "alice")
					s.ResetRequests()
				},
				Config: sealed, PlanOnly: true,
			},
			{ // nobody is left to export: the plan says so before it drops the record
				Config: sealed, Taint: []string{exported}, ExpectError: regexp.MustCompile(`Nobody to export`),
			},
		},
	})
	if _, err := os.Stat(clearFile); err != nil {
		t.Errorf("destroying the record took the file: %v", err)
	}
}

func TestAccUserExportFile_refusals(t *testing.T) {
	acctest.CLI(t)
	s := acctest.Start(t)
	s.Users(t, "alice")
	dir := t.TempDir()
	export := func(id, body string) string {
		return fmt.Sprintf("resource \"streamchat_user_export\" \"dsr\" {\n  user_id = %q\n  %s\n}\n", id, body)
	}
	path := fmt.Sprintf("path = %q", filepath.Join(dir, "x.json"))
	for name, tt := range map[string]struct{ config, says string }{
		"misspelt id":        {export("alise", path), `Nobody to export`},
		"no id":              {export("", path), `Invalid user id`},
		"no path":            {export("alice", `path = ""`), `path`},
		"path is a folder":   {export("alice", fmt.Sprintf("path = %q", dir)), `Export not written`},
		"no recipients":      {export("alice", path+"\nage_recipients = []"), `age_recipients`},
		"a secret key":       {export("alice", path+"\nage_recipients = [\"AGE-SECRET-KEY-1QQQQ\"]"), `Invalid age recipient`},
		"nonsense recipient": {export("alice", path+"\nage_recipients = [\"age1nonsense\"]"), `Invalid age recipient`},
		"clear, named .age":  {export("alice", fmt.Sprintf("path = %q", filepath.Join(dir, "x.age"))), `File would be in the clear`},
		"clear, named .AGE":  {export("alice", fmt.Sprintf("path = %q", filepath.Join(dir, "x.AGE"))), `File would be in the clear`},
		"one file for two":   {export("alice", path) + strings.Replace(export("alice", path), "dsr", "other", 1), `The same file twice`},
	} {
		t.Run(name, func(t *testing.T) {
			resource.UnitTest(t, resource.TestCase{
				ProtoV6ProviderFactories: acctest.Factories(),
				Steps: []resource.TestStep{{Config: s.Config("", tt.config),
					ExpectError: regexp.MustCompile(strings.ReplaceAll(tt.says, " ", `\s+`))}},
			})
		})
	}
	entries, err := os.ReadDir(dir)
	if err != nil || len(entries) != 0 {
		t.Errorf("left behind: %v, %v", entries, err)
	}
}
