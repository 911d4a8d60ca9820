// Copyright (c) the terraform-provider-streamchat authors
// SPDX-License-Identifier: MPL-2.0

package user_test

import (
	"archive/zip"
	"bytes"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/acctest"
)

const withFiles = `{"users":[{"id":"alice","name":"Alice"},{"id":"bob","name":"Bob SECRET"}],
"channels":[{"cid":"messaging:alice-bob","created_by_id":"bob","members":["alice","bob"],"name":"SECRET room"}],
"files":[{"name":"letter.txt","user_id":"alice","text":"my letter"}],
"messages":[{"id":"m-1","cid":"messaging:alice-bob","user_id":"alice","text":"here it is","mentioned_users":["bob"],
 "attachments":[{"type":"file","title":"Letter.txt","asset_url":"upload:letter.txt"},{"type":"file","asset_url":"https://other.example/x"}]}]}`

// The bundle as its person gets it, and the plan of an erasure that would destroy the
// file that is missing in it.
func TestAccUserExportBundle(t *testing.T) {
	t.Parallel()
	acctest.CLI(t)
	s := acctest.Start(t)
	if err := s.Seed(strings.NewReader(withFiles)); err != nil {
		t.Fatal(err)
	}
	export := takes("dsr", "alice", "x.zip", "format = \"bundle\"\n  audience = \"subject\"\n  attachments = true\n  request_id = \"DSR-1\"")
	w := s.Workspace(t, "", export)
	w.Apply(0, "Files that could not be saved")
	parts := unzipped(t, []byte(file(t, w, "x.zip")))
	for name, content := range parts {
		if strings.Contains(content, "SECRET") || strings.Contains(content, "alice-bob") {
			t.Errorf("%s holds somebody else: %s", name, content)
		}
	}
	if parts["attachments/000001-Letter.txt"] != "my letter" || !strings.Contains(parts["index.html"], "with participant 1") ||
		!strings.Contains(parts["MANIFEST.json"], "host_not_allowed") {
		t.Errorf("%v", parts)
	}
	w.Has(exported, map[string]any{"attachments_saved": 1.0, "attachments_missing": 1.0, "complete": false})
	w.Plan(0)
	w.Write("", export+"resource \"streamchat_user_erasure\" \"e\" {\n  user_id = \"alice\"\n  exports = [streamchat_user_export.dsr.sha256]\n  delete {\n    user  = \"hard\"\n    files = true\n  }\n}\n")
	w.Plan(2, "Files without a copy will be destroyed", "have 1 attachments")
	w.Write("", strings.Replace(export, "DSR-1", "DSR-2", 1))
	w.Apply(0)
	w.Plan(0)
}

// The warning of files that go without a copy is there exactly when the exports that the
// erasure names have not saved all of them.
func TestAccUserExportBundle_filesLost(t *testing.T) {
	t.Parallel()
	acctest.CLI(t)
	const warning, bundled = "Files without a copy will be destroyed", "format = \"bundle\"\n  attachments = true"
	erasure := func(files bool, exports string) string {
		return fmt.Sprintf("resource \"streamchat_user_erasure\" \"e\" {\n  user_id = \"alice\"\n  exports = [%s]\n  delete {\n    user  = \"hard\"\n    files = %v\n  }\n}\n", exports, files)
	}
	const named = "streamchat_user_export.dsr.sha256"
	saved := strings.Replace(withFiles, `,{"type":"file","asset_url":"https://other.example/x"}`, "", 1)
	for name, c := range map[string]struct {
		seed, form string
		taken      bool // before the plan
		erasure    string
		want       bool
	}{
		"planned without files":           {saved, "", false, erasure(true, named), true},
		"planned with files":              {saved, bundled, false, erasure(true, named), false},
		"taken without files":             {saved, "", true, erasure(true, named), true},
		"taken with all files":            {saved, bundled, true, erasure(true, named), false},
		"taken, one missing":              {withFiles, bundled, true, erasure(true, named), true},
		"taken without files, none there": {`{"users":[{"id":"alice"}]}`, "", true, erasure(true, named), false},
		"files stay":                      {withFiles, "", true, erasure(false, named), false},
		"another export":                  {withFiles, "", true, erasure(true, `"`+strings.Repeat("ab", 32)+`"`), false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := acctest.Start(t)
			if err := s.Seed(strings.NewReader(c.seed)); err != nil {
				t.Fatal(err)
			}
			export := takes("dsr", "alice", "x.zip", c.form)
			w := s.Workspace(t, "", export)
			if c.taken {
				w.Apply(0)
			}
			w.Write("", export+c.erasure)
			if said := w.Plan(2).Stdout; strings.Contains(said, warning) != c.want {
				t.Errorf("said: %v\n%s", !c.want, said)
			}
		})
	}
}

// unzipped are the parts of a bundle.
func unzipped(t *testing.T, raw []byte) map[string]string {
	t.Helper()
	archive, err := zip.NewReader(bytes.NewReader(raw), int64(len(raw)))
	if err != nil {
		t.Fatal(err)
	}
	parts := map[string]string{}
	for _, f := range archive.File {
		r, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		content, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		parts[f.Name] = string(content)
	}
	return parts
}

// What would have no effect is refused.
func TestAccUserExportBundle_nonsense(t *testing.T) {
	t.Parallel()
	acctest.CLI(t)
	s := acctest.Start(t)
	s.Users(t, "alice")
	for more, want := range map[string]string{
		"attachments = true":                              "this export is none",
		"format = \"bundle\"\n  attachment_max_bytes = 5": "none are",
		"format = \"bundle\"\n  attachments = true\n  attachment_hosts = [\"https://x.example/\"]": "Invalid attachment host",
		"format = \"bundle\"\n  attachments = true\n  attachment_hosts = [\"*.com\"]":              "hosts of anybody",
	} {
		s.Workspace(t, "", takes("dsr", "alice", "x.zip", more)).Plan(1, want)
	}
	s.Workspace(t, "", takes("dsr", "alice", "x.json", "format = \"bundle\"")).Plan(1, "a bundle is a ZIP")
}
