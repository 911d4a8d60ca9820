// Copyright (c) the terraform-provider-streamchat authors
// SPDX-License-Identifier: MPL-2.0

package user_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"filippo.io/age"

	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/acctest"
	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/emulator"
)

// takes is a block that exports a user to a file of the configuration's directory.
func takes(name, id, file, more string) string {
	return fmt.Sprintf("resource \"streamchat_user_export\" %q {\n  user_id = %q\n  path = abspath(\"${path.module}/%s\")\n  %s\n}\n", name, id, file, more)
}

// file reads a file of the workspace, "" where there is none.
func file(t *testing.T, w *acctest.Workspace, name string) string {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join(w.Dir, name))
	if err != nil && !os.IsNotExist(err) {
		t.Fatal(err)
	}
	return string(raw)
}

const others = "the last copy of somebody else's export"

func put(t *testing.T, w *acctest.Workspace, name string) {
	t.Helper()
	if err := w.WriteFile(name, others); err != nil {
		t.Error(err)
	}
}

// What is at the path, and was not written by the record, stays: in the plan, and when it
// appears after the plan.
func TestAccUserExportFile_exists(t *testing.T) {
	t.Parallel()
	acctest.CLI(t)
	s := acctest.Start(t)
	s.Users(t, "alice")
	w := s.Workspace(t, "", takes("dsr", "alice", "x.json", ""))
	put(t, w, "x.json")
	w.Plan(1, "File exists already", "overwrite = true", "It is unchanged")

	if err := os.Remove(filepath.Join(w.Dir, "x.json")); err != nil {
		t.Fatal(err)
	}
	expect(t, w.Run("plan", "-out=saved"), 0)
	put(t, w, "x.json")
	expect(t, w.Run("apply", "saved"), 1, "File exists already")
	if got := file(t, w, "x.json"); got != others {
		t.Errorf("replaced by %q", got)
	}
	if n := s.Count("ExportUser"); n != 0 {
		t.Errorf("exported %d times", n)
	}

	w.Write("", takes("dsr", "alice", "x.json", "overwrite = true"))
	w.Apply(0, "Existing file will be replaced")
	if got := file(t, w, "x.json"); !json.Valid([]byte(got)) {
		t.Errorf("not replaced: %q", got)
	}
	if r := w.Plan(0); strings.Contains(acctest.Output(r), "Warning") {
		t.Errorf("a plan without changes warns:\n%s", acctest.Output(r))
	}
}

// A file that appears while the export is being taken.
func TestAccUserExportFile_appears(t *testing.T) {
	t.Parallel()
	acctest.CLI(t)
	s := acctest.Start(t)
	s.Users(t, "alice")
	var w *acctest.Workspace
	server := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		if strings.HasSuffix(r.URL.Path, "/export") {
			put(t, w, "x.json")
		}
		s.ServeHTTP(rw, r)
	}))
	t.Cleanup(server.Close)
	w = s.Workspace(t, fmt.Sprintf("base_url = %q", server.URL), takes("dsr", "alice", "x.json", ""))
	w.Apply(1, "File exists already")
	if got := file(t, w, "x.json"); got != others {
		t.Errorf("replaced by %q", got)
	}
	if left, err := filepath.Glob(filepath.Join(w.Dir, ".streamchat-export-*")); err != nil || len(left) != 0 {
		t.Errorf("left: %v, %v", left, err)
	}
}

// A replacement of the record replaces the file that the record wrote, and no other.
func TestAccUserExportFile_own(t *testing.T) {
	t.Parallel()
	acctest.CLI(t)
	s := acctest.Start(t)
	s.Users(t, "alice", "bob")
	w := s.Workspace(t, "", takes("dsr", "alice", "x.json", ""))
	w.Apply(0)
	const replace = "-replace=" + exported
	taken := func(want int) {
		t.Helper()
		if n := s.Count("ExportUser"); n != want {
			t.Errorf("exported %d times, want %d", n, want)
		}
	}
	w.Apply(0)
	taken(1)
	expect(t, w.Run("apply", "-auto-approve", replace), 0)
	taken(2)
	expect(t, w.Run("plan", "-out=saved", replace), 0)
	expect(t, w.Run("apply", "saved"), 0)
	taken(3)
	expect(t, w.Run("taint", exported), 0)
	w.Apply(0)
	taken(4)

	// Another person's export is not the record's own file.
	before := file(t, w, "x.json")
	w.Write("", takes("dsr", "bob", "x.json", ""))
	w.Plan(1, "File exists already")
	// Nor is one beside it, or under another name.
	w.Write("", takes("dsr", "alice", "x.json", "")+takes("other", "alice", "x.json", "request_id = \"2\""))
	if r := w.Plan(1); !strings.Contains(acctest.Output(r), "File exists already") && !strings.Contains(acctest.Output(r), "File of another record") {
		t.Error(acctest.Output(r))
	}
	w.Write("", takes("renamed", "alice", "x.json", ""))
	if r := w.Plan(1); !strings.Contains(acctest.Output(r), "File exists already") && !strings.Contains(acctest.Output(r), "File of another record") {
		t.Error(acctest.Output(r))
	}
	// Nor what came in its place: that is seen before the record is dropped.
	w.Write("", takes("dsr", "alice", "x.json", ""))
	if file(t, w, "x.json") != before {
		t.Error("a refused plan changed the file")
	}
	put(t, w, "x.json")
	expect(t, w.Run("apply", "-auto-approve", replace), 1, "File exists already")
	w.Has(exported, map[string]any{"user_id": "alice"})
	if got := file(t, w, "x.json"); got != others {
		t.Errorf("replaced by %q", got)
	}
	taken(4)
}

// The record of another app is not replaced: it is neither dropped nor is a namesake's
// export written over its file.
func TestAccUserExportFile_app(t *testing.T) {
	t.Parallel()
	acctest.CLI(t)
	s := acctest.Start(t, func(o *emulator.Options) { o.AppName = "Staging" })
	other := acctest.Start(t, func(o *emulator.Options) { o.AppName = "Production" })
	s.Users(t, "alice")
	other.Users(t, "alice")
	block := takes("dsr", "alice", "x.json", "request_id = \"DSR-1\"\nlabels = { basis = \"Art. 15\" }")
	w := s.Workspace(t, "", block)
	expect(t, w.Run("plan"), 0, `+ app_name = "Staging"`)
	w.Apply(0)
	w.Has(exported, map[string]any{"app_name": "Staging", "request_id": "DSR-1", "labels": map[string]any{"basis": "Art. 15"}})
	before := file(t, w, "x.json")

	s.ResetRequests()
	changed := strings.Replace(block, "DSR-1", "DSR-2", 1)
	w.Write("", changed)
	expect(t, w.Run("apply", "-auto-approve"), 0, "1 changed")
	w.Has(exported, map[string]any{"app_name": "Staging", "request_id": "DSR-2"})
	if n := len(s.Requests()); n != 0 {
		t.Errorf("%d requests for bookkeeping", n)
	}

	there := fmt.Sprintf("base_url = %q\n  api_key = %q\n  api_secret = %q", other.URL, other.APIKey(), other.APISecret())
	w.Write(there, changed)
	w.Plan(0)
	expect(t, w.Run("plan", "-replace="+exported), 1, "Record of another app")
	expect(t, w.Run("taint", exported), 0)
	expect(t, w.Run("apply", "-auto-approve"), 1, "Record of another app")
	if values, _ := w.Record(exported); values == nil || file(t, w, "x.json") != before {
		t.Error("the record or its file is gone")
	}
	if n := other.Count("ExportUser"); n != 0 {
		t.Errorf("the namesake was exported %d times", n)
	}
}

// Once taken, another path, recipients or overwrite change only the record.
func TestAccUserExportFile_notTakenAgain(t *testing.T) {
	t.Parallel()
	acctest.CLI(t)
	s := acctest.Start(t)
	s.Users(t, "alice")
	key, err := age.GenerateX25519Identity()
	if err != nil {
		t.Fatal(err)
	}
	w := s.Workspace(t, "", takes("dsr", "alice", "x.json", ""))
	w.Apply(0)
	before, _ := w.Record(exported)
	content := file(t, w, "x.json")
	hardDelete(t, s, "alice")
	s.ResetRequests()
	for _, block := range []string{
		takes("dsr", "alice", "moved.json", ""),
		takes("dsr", "alice", "moved.json", fmt.Sprintf("age_recipients = [%q]", key.Recipient())),
		takes("dsr", "alice", "moved.json", "overwrite = true"),
	} {
		w.Write("", block)
		w.Plan(2, "Export is not taken again", "0 to add, 1 to change, 0 to destroy")
		w.Apply(0, "Export is not taken again")
		w.Plan(0)
		w.Has(exported, map[string]any{"sha256": before["sha256"], "file_sha256": before["file_sha256"], "exported_at": before["exported_at"], "app_name": before["app_name"]})
	}
	if n := len(s.Requests()); n != 0 {
		t.Errorf("%d requests", n)
	}
	if file(t, w, "x.json") != content || file(t, w, "moved.json") != "" {
		t.Error("a file was written")
	}
}

// Two exports reach one file through a link: in the plan, and where the link comes only
// after it.
func TestAccUserExportFile_linked(t *testing.T) {
	t.Parallel()
	acctest.CLI(t)
	s := acctest.Start(t)
	s.Users(t, "alice", "bob")
	two := takes("dsr", "alice", "real/x.json", "overwrite = true") + takes("other", "bob", "link/x.json", "overwrite = true")
	w := s.Workspace(t, "", two)
	expect(t, w.Run("plan", "-out=saved"), 0)
	before := s.Workspace(t, "", two)
	for _, w := range []*acctest.Workspace{w, before} {
		if err := errors.Join(os.Mkdir(filepath.Join(w.Dir, "real"), 0o700), os.Symlink("real", filepath.Join(w.Dir, "link"))); err != nil {
			t.Skip(err)
		}
	}
	before.Plan(1, "The same file twice")
	expect(t, w.Run("apply", "saved"), 1, "The same file twice")
	written := []string{}
	for _, name := range []string{exported, "streamchat_user_export.other"} {
		if values, _ := w.Record(name); values != nil {
			written = append(written, fmt.Sprint(values["user_id"]))
		}
	}
	if len(written) != 1 || !bytes.Contains([]byte(file(t, w, "real/x.json")), []byte(`"id":"`+written[0]+`"`)) {
		t.Errorf("records of %v", written)
	}
}

// Recipients and a path that are only known at apply are looked at there.
func TestAccUserExportFile_inTheClearAtApply(t *testing.T) {
	t.Parallel()
	acctest.CLI(t)
	s := acctest.Start(t)
	s.Users(t, "alice")
	w := s.Workspace(t, "", "resource \"terraform_data\" \"keys\" {\n  input = { name = \"x.AGE\", keys = null }\n}\n"+
		"resource \"streamchat_user_export\" \"dsr\" {\n  user_id = \"alice\"\n  path = abspath(terraform_data.keys.output.name)\n  age_recipients = terraform_data.keys.output.keys\n}\n")
	w.Apply(1, "File would be in the clear")
	if got := file(t, w, "x.AGE"); got != "" {
		t.Errorf("written in the clear: %q", got)
	}
}

// A data source under credentials that are not known yet: the error names the ways out,
// and the first of them is one.
func TestAccDataSource_unknownProvider(t *testing.T) {
	t.Parallel()
	acctest.CLI(t)
	s := acctest.Start(t)
	s.Users(t, "alice")
	vault := fmt.Sprintf("resource \"terraform_data\" \"vault\" {\n  input = { key = %q, secret = %q }\n}\n", s.APIKey(), s.APISecret())
	const from = "api_key = terraform_data.vault.output.key\n  api_secret = terraform_data.vault.output.secret"
	for typeName, body := range map[string]string{
		"streamchat_user":           "user_id = \"alice\"",
		"streamchat_users":          "filter = \"{}\"",
		"streamchat_user_footprint": "user_id = \"alice\"",
		"streamchat_user_export":    "user_id = \"alice\"",
	} {
		t.Run(typeName, func(t *testing.T) {
			t.Parallel()
			block := func(more string) string {
				return vault + fmt.Sprintf("data %q \"one\" {\n  %s\n  %s\n}\n", typeName, body, more)
			}
			w := s.Workspace(t, from, block(""))
			w.Plan(1, "Provider configuration is not known", "depends_on", "-target=ADDRESS", "STREAM_API_KEY and STREAM_API_SECRET")
			w.Write(from, block("depends_on = [terraform_data.vault]"))
			w.Apply(0)
			w.Plan(0)
		})
	}
}
