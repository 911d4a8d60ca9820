// Copyright (c) the terraform-provider-streamchat authors
// SPDX-License-Identifier: MPL-2.0

package user_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/acctest"
)

// An export goes where somebody means it to be: not into a directory named ~, not over what
// is Terraform's, and not unsaid where git takes it along.
func TestPlacesOfExports(t *testing.T) {
	dir := t.TempDir()
	t.Chdir(dir)
	acctest.Bubble(t, func(t *testing.T) {
		s := acctest.InMemory(t)
		s.Users(t, restricted)
		core := acctest.NewCore(t, s, nil)
		const address = "streamchat_user_export.this"
		refused := func(says, file string) {
			t.Helper()
			block := acctest.Config{"user_id": restricted, "path": file, "overwrite": true}
			if d := core.Validate(address, block); !d.Say(says) || !d.At("path") {
				t.Errorf("%s: validate does not say %q: %s", file, says, d)
			}
			later := acctest.Config{"user_id": restricted, "path": acctest.Later(file), "overwrite": true}
			if r := core.Run(acctest.Change{Address: address, Config: later}); !r.Errors.Say(says) {
				t.Errorf("%s: the apply does not say %q: %s", file, says, r.Errors)
			}
			if _, d := core.Action(exportUser, block); !d.Say(says) {
				t.Errorf("%s: the action does not say %q: %s", file, says, d)
			}
		}
		for _, file := range []string{"~", "~/x.json", "~/exports/x.json", "~ann/x.json"} {
			refused("pathexpand", file)
		}
		for _, file := range []string{
			"main.tf", "x.tofu", "a.tf.json", "prod.auto.tfvars", "x.tfvars.json", "terraform.tfstate", "terraform.tfstate.backup", "x.tfplan",
			".terraform.lock.hcl", ".terraform/x.json", ".git/config", filepath.Join(dir, "sub/.git/hooks/post-checkout"),
		} {
			refused("File of Terraform's own", file)
		}
		core.Provider["receipts_dir"] = "~/receipts"
		if p := core.Plan(address, acctest.Config{"user_id": restricted, "path": "x.json"}); !p.Errors.Say("pathexpand") {
			t.Errorf("receipts_dir: %s", p.Errors)
		}
		delete(core.Provider, "receipts_dir")
		if entries, err := os.ReadDir(dir); err != nil || len(entries) > 0 {
			t.Errorf("left behind: %v %v", entries, err)
		}

		warns := func(want bool, block acctest.Config) {
			t.Helper()
			block["user_id"] = restricted
			if p := core.Plan(address, block); len(p.Errors) > 0 || p.Warnings.Say("Export in a git checkout") != want {
				t.Errorf("%v: %s%s", block["path"], p.Errors, p.Warnings)
			}
		}
		warns(false, acctest.Config{"path": "a/x.json"})
		for name, content := range map[string]string{".git/HEAD": "", ".gitignore": "/exports/\n*.secret\n", ".git/info/exclude": "mine/\n", "b/.gitignore": "*\n"} {
			if err := os.MkdirAll(filepath.Dir(name), 0o700); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(name, []byte(content), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		for file, want := range map[string]bool{
			"x.json": true, "a/b/x.json": true, filepath.Join(dir, "x.json"): true, "a/exports/x.json": true, "../x.json": false,
			"exports/x.json": false, "exports/a/x.json": false, "x.secret": false, "mine/x.json": false, "b/x.json": false, "b/c/x.json": false,
		} {
			warns(want, acctest.Config{"path": file})
		}
		warns(false, acctest.Config{"path": "x.json.age", "age_recipients": []any{"age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p"}})
		if p := core.Plan(address, acctest.Config{"user_id": restricted, "path": "./~x.json"}); len(p.Errors) > 0 {
			t.Errorf("%s", p.Errors)
		}
	})
}

// A key that could be found by trying stands for nobody.
func TestWeakPseudonymKey(t *testing.T) {
	t.Setenv("STREAMCHAT_PSEUDONYM_KEY", "") // is put back
	acctest.Bubble(t, func(t *testing.T) {
		s := acctest.InMemory(t)
		s.Users(t, restricted)
		core, block := acctest.NewCore(t, s, nil), acctest.Config{"user_id": restricted}
		for key, refused := range map[string]bool{"": true, " ": true, "a": true, "fifteen-bytes--": true, "                 x": true, "sixteen-bytes---": false} {
			core.Provider["pseudonym_key"] = key
			p := core.Plan("streamchat_user_deactivation.this", block)
			if said := p.Errors.Say("Weak pseudonym_key"); said != refused || refused == (len(p.Errors) == 0) {
				t.Errorf("%q: %s", key, p.Errors)
			}
		}
		delete(core.Provider, "pseudonym_key")
		for key, refused := range map[string]bool{" ": true, "a": true, "sixteen-bytes---": false} {
			if err := os.Setenv("STREAMCHAT_PSEUDONYM_KEY", key); err != nil { //nolint:usetesting // a bubble is not where a test may set it
				t.Fatal(err)
			}
			if p := core.Plan("streamchat_user_deactivation.this", block); p.Errors.Say("Weak pseudonym_key") != refused {
				t.Errorf("%q: %s", key, p.Errors)
			}
		}
		if n := s.Count("DeactivateUser"); n != 0 {
			t.Errorf("%d calls", n)
		}
	})
}
