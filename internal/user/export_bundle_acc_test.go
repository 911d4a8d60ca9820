// Copyright (c) the terraform-provider-streamchat authors
// SPDX-License-Identifier: MPL-2.0

package user_test

import (
	"archive/zip"
	"bytes"
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
