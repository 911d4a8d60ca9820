// Copyright (c) the terraform-provider-streamchat authors
// SPDX-License-Identifier: MPL-2.0

package user_test

import (
	"bytes"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"filippo.io/age"

	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/acctest"
	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/tfcli"
)

// The example in examples/workflow, from restriction to proof.
func TestCLIWorkflowExample(t *testing.T) {
	t.Parallel()
	root, err := tfcli.RepoRoot()
	if err != nil {
		t.Fatal(err)
	}
	example, err := os.ReadFile(filepath.Join(root, "examples", "workflow", "main.tf"))
	if err != nil {
		t.Fatal(err)
	}
	s := acctest.Start(t)
	// A link to a page and a card of the app's own instead of files that nobody has: the bundle is complete.
	seed := strings.NewReplacer(`"image_url"`, `"og_scrape_url"`, `{"type": "file"}`, `{"type": "card"}`).Replace(odd)
	if err := s.Seed(strings.NewReader(seed)); err != nil {
		t.Fatal(err)
	}
	key, err := age.GenerateX25519Identity()
	if err != nil {
		t.Fatal(err)
	}
	store := filepath.Join(t.TempDir(), "store")
	w, err := tfcli.NewWorkspace(tfcli.Options{CLI: acctest.CLI(t), Dir: t.TempDir(), Provider: acctest.Binary(t), Env: []string{
		"STREAM_API_KEY=" + s.APIKey(), "STREAM_API_SECRET=" + s.APISecret(), "STREAM_CHAT_URL=" + s.URL,
		"TF_VAR_app_name=Emulator", "TF_VAR_user_id=alice", "TF_VAR_request_id=DSR-7", "TF_VAR_store=" + store, "TF_VAR_exports_dir=" + t.TempDir(), "TF_VAR_officer=" + key.Recipient().String(),
	}})
	if err != nil {
		t.Fatal(err)
	}
	if err := w.WriteFile("main.tf", string(example)); err != nil {
		t.Fatal(err)
	}
	run := func(args ...string) tfcli.Result {
		t.Helper()
		r, err := w.Run(t.Context(), args...)
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	expect(t, run("init"), 0)
	// A store that fails leaves a restricted user; the next run goes on from there.
	expect(t, run("apply", "-auto-approve", "-var", "store="+os.DevNull+"/store"), 1)
	if n := s.Count("DeleteUsers"); n != 0 {
		t.Errorf("%d deletions before the export was stored", n)
	}
	expect(t, run("apply", "-auto-approve"), 0, "Apply complete!")

	var order []string
	for _, r := range s.Requests("DeactivateUser", "ExportUser", "DeleteUsers") {
		if len(order) == 0 || order[len(order)-1] != r.Op {
			order = append(order, r.Op)
		}
	}
	if got := strings.Join(order, " "); !strings.HasSuffix(got, "DeactivateUser ExportUser DeleteUsers") {
		t.Errorf("order: %s", got)
	}
	sealed, err := os.ReadFile(filepath.Join(store, "DSR-7.zip.age"))
	if err != nil {
		t.Fatal(err)
	}
	reader, err := age.Decrypt(bytes.NewReader(sealed), key)
	if err != nil {
		t.Fatal(err)
	}
	plain, err := io.ReadAll(reader)
	if err != nil {
		t.Fatal(err)
	}
	if parts := unzipped(t, plain); !strings.Contains(parts["export.json"], "9007199254740993") || parts["index.html"] == "" {
		t.Errorf("the stored export: %.200s", parts["export.json"])
	}
	if u, _ := s.User("alice"); !u.HardDeleted {
		t.Error("alice is still there")
	}

	s.ResetRequests()
	expect(t, run("plan", "-detailed-exitcode"), 0, "No changes")
	expect(t, run("destroy", "-auto-approve"), 0, "Destroy complete", "Record removed, data not restored")
	for _, r := range s.Requests() {
		// A query is a POST for polls and channels; the probe changes nothing.
		if r.Method != "GET" && !strings.HasPrefix(r.Op, "Query") && r.Op != "UpdateUsersPartial" {
			t.Errorf("after the erasure there was a %s", r.Op)
		}
	}
	if _, err := os.Stat(filepath.Join(store, "DSR-7.zip.age")); err != nil {
		t.Errorf("destroy took the stored export: %v", err)
	}
}
