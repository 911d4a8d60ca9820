// Copyright (c) the terraform-provider-streamchat authors
// SPDX-License-Identifier: MPL-2.0

package user_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"filippo.io/age"
	"github.com/google/go-cmp/cmp"
	"github.com/hashicorp/terraform-plugin-testing/helper/resource"
	"github.com/hashicorp/terraform-plugin-testing/knownvalue"
	"github.com/hashicorp/terraform-plugin-testing/statecheck"
	"github.com/hashicorp/terraform-plugin-testing/terraform"

	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/acctest"
	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/emulator"
)

// canary is in everything that others wrote or are.
const canary = "canary"

// crowd is a user with more than an export limit of 3 in places of every kind:
// 60 channels as a member, one created and not joined, one left, one truncated.
func crowd() string {
	var users, channels, messages, reactions []string
	add := func(list *[]string, format string, args ...any) { *list = append(*list, fmt.Sprintf(format, args...)) }
	add(&users, `{"id":"alice","name":"Ælice e\u0301","big":9007199254740993,"created_at":"2026-01-01T00:00:00Z"}`)
	add(&users, `{"id":"bob","name":"%s bob","created_at":"2026-01-01T00:00:00Z"}`, canary)
	for i := range 14 {
		add(&users, `{"id":"fan%d","name":"%s fan","created_at":"2026-01-01T00:00:00Z"}`, i, canary)
	}
	at := func(i int) string {
		return fmt.Sprintf("2026-02-01T%02d:%02d:%02d.%06dZ", i/3600, i/60%60, i%60, i)
	}
	n := 0
	say := func(id, cid, user, more string) {
		n++
		add(&messages, `{"id":%q,"cid":%q,"user_id":%q,"created_at":%q,%s}`, id, cid, user, at(n), more)
	}
	for i := range 60 {
		cid := fmt.Sprintf("messaging:member%02d", i)
		// Many of one instant, so that paging by time has to pass them.
		add(&channels, `{"cid":%q,"created_by_id":"bob","members":["alice","bob"],"created_at":"2026-01-02T00:00:%02dZ","topic":"%s"}`,
			cid, i/40, canary)
		say(fmt.Sprintf("a%02d", i), cid, "alice", `"text":"mine \u003c\ud83e\udd6a","meta":12345678901234567890,"attachments":[{"type":"file"}]`)
		say(fmt.Sprintf("b%02d", i), cid, "bob", `"text":"`+canary+` theirs"`)
	}
	add(&channels, `{"cid":"messaging:created","created_by_id":"alice","members":["bob"],"created_at":"2026-01-03T00:00:00Z"}`)
	say("created", "messaging:created", "alice", `"text":"in a channel I am not in"`)
	add(&channels, `{"cid":"team:left","created_by_id":"bob","members":["bob"],"created_at":"2026-01-03T00:00:00Z"}`)
	say("left", "team:left", "alice", `"text":"before I left"`)
	add(&channels, `{"cid":"messaging:cut","created_by_id":"bob","members":["alice"],"created_at":"2026-01-03T00:00:00Z",`+
		`"truncated_at":"2026-03-01T00:00:00Z"}`)
	say("cut", "messaging:cut", "alice", `"text":"truncated"`)
	say("gone", "messaging:member00", "alice", `"text":"deleted","deleted_at":"2026-02-02T00:00:00Z"`)
	say("quoting", "messaging:member01", "alice", `"text":"hear","quoted_message_id":"b01","mentioned_users":["bob"],"pinned":true`)
	say("loud", "messaging:member02", "bob", `"text":"`+canary+` loud"`)
	for i := range 14 {
		add(&reactions, `{"message_id":"loud","user_id":"fan%d","type":"%s","created_at":%q}`, i, canary, at(100+i))
		if i == 0 {
			add(&reactions, `{"message_id":"loud","user_id":"alice","type":"wow","score":7,"note":1.50,"created_at":%q}`, at(100))
		}
	}
	add(&reactions, `{"message_id":"b03","user_id":"alice","type":"like","created_at":%q}`, at(200))
	add(&reactions, `{"message_id":"a04","user_id":"bob","type":"%s","created_at":%q}`, canary, at(200))
	return fmt.Sprintf(`{"users":[%s],"channels":[%s],"messages":[%s],"reactions":[%s]}`,
		strings.Join(users, ","), strings.Join(channels, ","), strings.Join(messages, ","), strings.Join(reactions, ","))
}

// wanted is what the server's own export would hold, were it not refused.
func wanted(t *testing.T) map[string]any {
	t.Helper()
	s := acctest.Start(t)
	if err := s.Seed(strings.NewReader(crowd())); err != nil {
		t.Fatal(err)
	}
	return leveled(served(t, s))
}

// leveled takes out in what an assembled export differs from a direct one:
// the order, people mentioned (their ids stay), fields of the user that only a
// query has, and how the emulator writes a truncated message and the absence of
// reactions.
func leveled(v map[string]any) map[string]any {
	user := v["user"].(map[string]any)
	for _, key := range []string{"blocked_user_ids", "invisible", "language", "shadow_banned", "teams"} {
		delete(user, key)
	}
	for _, list := range []string{"messages", "reactions"} {
		rows, _ := v[list].([]any)
		for _, row := range rows {
			m := row.(map[string]any)
			delete(m, "mentioned_users")
			if counts, ok := m["reaction_counts"].(map[string]any); ok && len(counts) == 0 {
				m["reaction_counts"] = nil
			}
			if m["id"] == "cut" {
				delete(m, "type")
				delete(m, "deleted_at")
			}
		}
		slices.SortFunc(rows, func(a, b any) int {
			key := func(x any) string { m := x.(map[string]any); return fmt.Sprint(m["id"], m["message_id"], m["type"]) }
			return strings.Compare(key(a), key(b))
		})
	}
	return v
}

func crowded(t *testing.T) *acctest.Stream {
	t.Helper()
	s := acctest.Start(t, func(o *emulator.Options) {
		o.ExportLimit = 3
		o.Limits = map[string]int{"Search": 100_000} // not a test of waiting
	})
	if err := s.Seed(strings.NewReader(crowd())); err != nil {
		t.Fatal(err)
	}
	return s
}

func assembled(body string) string {
	return "resource \"streamchat_user_export\" \"dsr\" {\n  user_id = \"alice\"\n" + body + "\n}"
}

func TestAccUserExportFile_assembled(t *testing.T) {
	acctest.CLI(t)
	want := wanted(t)
	key, err := age.GenerateX25519Identity()
	if err != nil {
		t.Fatal(err)
	}
	custom := func(op string, status int, body string) *emulator.Fault {
		return &emulator.Fault{Op: op, Kind: emulator.FaultCustom, Status: status, Body: body}
	}
	for name, tt := range map[string]struct {
		fault     *emulator.Fault
		encrypted bool
		without   string // a message that is missing then
	}{
		"clear":            {},
		"encrypted":        {encrypted: true},
		"expired URL":      {fault: custom("DownloadExport", 403, "<Error><Code>AccessDenied</Code></Error>")},
		"dropped download": {fault: &emulator.Fault{Op: "DownloadExport", Kind: emulator.FaultShortBody, Times: 2}},
		"refused batch": {fault: custom("ExportChannels", 404, `{"code":16,"message":"ExportChannels failed with error: `+
			`\"Can't find channel\"","StatusCode":404}`)},
		"search is not on": {fault: &emulator.Fault{Op: "Search", Kind: emulator.FaultCustom, Times: emulator.Forever, Status: 400,
			Body: `{"code":4,"message":"Search failed with error: \"search is disabled\"","StatusCode":400}`}, without: "left"},
		"task not yet here": {fault: &emulator.Fault{Op: "GetTask", Kind: emulator.FaultTaskNotFound, Times: 2}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := crowded(t)
			if tt.fault != nil {
				s.AddFault(*tt.fault)
			}
			dir := t.TempDir()
			file := filepath.Join(dir, "alice.json")
			body := fmt.Sprintf("path = %q", file)
			if tt.encrypted {
				body += fmt.Sprintf("\nage_recipients = [%q]", key.Recipient())
			}
			resource.UnitTest(t, resource.TestCase{
				ProtoV6ProviderFactories: acctest.Factories(),
				Steps: []resource.TestStep{{Config: s.Config("", assembled(body)), Check: func(st *terraform.State) error {
					raw, err := os.ReadFile(file)
					if err != nil {
						return err
					}
					if tt.encrypted {
						reader, err := age.Decrypt(bytes.NewReader(raw), key)
						if err != nil {
							return err
						}
						if raw, err = io.ReadAll(reader); err != nil {
							return err
						}
					}
					if bytes.Contains(raw, []byte(canary+" ")) {
						return fmt.Errorf("what others wrote is in the file: %s", raw)
					}
					for _, field := range []string{`"mentioned_users":[{"id":"bob"}]`, `"meta":12345678901234567890`, `"note":1.50`} {
						if !bytes.Contains(raw, []byte(field)) {
							return fmt.Errorf("missing or changed: %s", field)
						}
					}
					expected := maps.Clone(want)
					if tt.without != "" {
						expected["messages"] = slices.DeleteFunc(slices.Clone(want["messages"].([]any)),
							func(m any) bool { return m.(map[string]any)["id"] == tt.without })
					}
					if diff := cmp.Diff(expected, leveled(exact(t, raw))); diff != "" {
						return fmt.Errorf("not what the server's own export would be: %s", diff)
					}
					a := st.RootModule().Resources[exported].Primary.Attributes
					if a["method"] != "assembled" || a["complete"] != "false" ||
						a["message_count"] != fmt.Sprint(len(expected["messages"].([]any))) ||
						a["reaction_count"] != "2" || a["attachment_count"] != "60" {
						return fmt.Errorf("attributes: %v", a)
					}
					return nil
				}}},
			})
			if entries, err := os.ReadDir(dir); err != nil || len(entries) != 1 {
				t.Errorf("in the directory: %v, %v", entries, err)
			}
			calls := map[string]int{}
			for _, r := range s.Requests() {
				calls[r.Op]++
			}
			if tt.fault == nil {
				// 63 channels in batches of 25; one message with more than ten reactions.
				if calls["ExportChannels"] != 3 || calls["DownloadExport"] != 3 || calls["GetReactions"] != 1 {
					t.Errorf("calls: %v", calls)
				}
				t.Logf("calls: %v", calls)
			}
		})
	}
}

func TestAccUserExportFile_assembledErrors(t *testing.T) {
	acctest.CLI(t)
	for name, tt := range map[string]struct {
		fault emulator.Fault
		says  string
	}{
		"failing task": {emulator.Fault{Op: "ExportChannels", Kind: emulator.FaultFailTask, After: 1}, `ended without completing`},
		"lost task":    {emulator.Fault{Op: "ExportChannels", Kind: emulator.FaultTaskNotFound}, `no longer knows`},
		"no file": {emulator.Fault{Op: "DownloadExport", Kind: emulator.FaultCustom, Status: 404, Times: emulator.Forever},
			`refuses the address`},
		"cut off": {emulator.Fault{Op: "DownloadExport", Kind: emulator.FaultTruncated, Times: emulator.Forever}, `Unreadable export`},
		"a page":  {emulator.Fault{Op: "DownloadExport", Kind: emulator.FaultHTML200, Times: emulator.Forever}, `Unreadable export`},
		"redirect": {emulator.Fault{Op: "DownloadExport", Kind: emulator.FaultRedirect307, Location: "http://192.0.2.1/x",
			Times: emulator.Forever}, `redirects to a place`},
		"channels":  {emulator.Fault{Op: "QueryChannels", Kind: emulator.FaultHTML200, Times: emulator.Forever}, `Unexpected answer`},
		"reactions": {emulator.Fault{Op: "GetReactions", Kind: emulator.FaultHTML200, Times: emulator.Forever}, `Unexpected answer`},
		"refused for all": {emulator.Fault{Op: "ExportChannels", Kind: emulator.FaultCustom, Status: 400,
			Body: `{"code":4,"message":"no","StatusCode":400}`, Times: emulator.Forever}, `Stream did not accept the input`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := crowded(t)
			s.AddFault(tt.fault)
			dir := t.TempDir()
			resource.UnitTest(t, resource.TestCase{
				ProtoV6ProviderFactories: acctest.Factories(),
				Steps: []resource.TestStep{{
					Config:      s.Config("max_retries = 1", assembled(fmt.Sprintf("path = %q", filepath.Join(dir, "x.json")))),
					ExpectError: regexp.MustCompile(strings.ReplaceAll(tt.says, " ", `\s+`)),
				}},
			})
			if entries, err := os.ReadDir(dir); err != nil || len(entries) != 0 {
				t.Errorf("left behind: %v, %v", entries, err)
			}
		})
	}
}

// TestAccUserExportFile_nothingFound: a refusal and no channel is no export.
func TestAccUserExportFile_nothingFound(t *testing.T) {
	acctest.CLI(t)
	s := acctest.Start(t)
	s.Users(t, "alice")
	s.AddFault(emulator.Fault{Op: "ExportUser", Kind: emulator.FaultCustom, Status: 400,
		Body: `{"code":4,"message":"x","StatusCode":400}`, Times: emulator.Forever})
	file := filepath.Join(t.TempDir(), "x.json")
	resource.UnitTest(t, resource.TestCase{
		ProtoV6ProviderFactories: acctest.Factories(),
		Steps: []resource.TestStep{{Config: s.Config("", assembled(fmt.Sprintf("path = %q", file))),
			ExpectError: regexp.MustCompile(`Stream\s+refuses\s+to\s+export\s+this\s+user`)}},
	})
	if _, err := os.Stat(file); err == nil {
		t.Error("an empty export was written")
	}
}

func TestAccUserExportData_assembled(t *testing.T) {
	acctest.CLI(t)
	want := wanted(t)
	s := crowded(t)
	config := s.Config("", "data \"streamchat_user_export\" \"dsr\" {\n  user_id = \"alice\"\n}")
	resource.UnitTest(t, resource.TestCase{
		ProtoV6ProviderFactories: acctest.Factories(),
		Steps: []resource.TestStep{
			{
				Config: config,
				Check: func(st *terraform.State) error {
					if diff := cmp.Diff(want, leveled(exact(t, []byte(st.RootModule().Resources[read].Primary.Attributes["json"])))); diff != "" {
						return fmt.Errorf("not what the server's own export would be: %s", diff)
					}
					return nil
				},
				ConfigStateChecks: []statecheck.StateCheck{
					statecheck.ExpectKnownValue(read, attr("complete"), knownvalue.Bool(false)),
					statecheck.ExpectKnownValue(read, attr("method"), knownvalue.StringExact("assembled")),
				},
			},
			{ // no size for a state
				PreConfig: func() {
					pad, err := json.Marshal(strings.Repeat("x", 5000))
					if err != nil {
						t.Fatal(err)
					}
					var more []string
					for i := range 2000 {
						more = append(more, fmt.Sprintf(`{"id":"pad%d","cid":"messaging:member00","user_id":"alice","text":%s}`, i, pad))
					}
					if err := s.Seed(strings.NewReader(`{"messages":[` + strings.Join(more, ",") + `]}`)); err != nil {
						t.Fatal(err)
					}
				},
				Config: config, ExpectError: regexp.MustCompile(`streamchat_user_export,\s+which\s+writes`),
			},
		},
	})
}
