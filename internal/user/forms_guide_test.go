// Copyright (c) the terraform-provider-streamchat authors
// SPDX-License-Identifier: MPL-2.0

package user_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/acctest"
	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/tfcli"
)

var guideBlock = regexp.MustCompile("(?s)\n## ([^\n]*)\n.*?\n```(hcl|terraform)\n(.*?)```")

// Every example of the guide to the forms runs.
func TestFormsGuideRuns(t *testing.T) {
	t.Parallel()
	root, err := tfcli.RepoRoot()
	if err != nil {
		t.Fatal(err)
	}
	guide, err := os.ReadFile(filepath.Join(root, "templates", "guides", "forms.md"))
	if err != nil {
		t.Fatal(err)
	}
	blocks := guideBlock.FindAllStringSubmatch(string(guide), -1)
	if len(blocks) != strings.Count(string(guide), "\n## ") {
		t.Fatalf("%d examples", len(blocks))
	}
	for _, block := range blocks {
		t.Run(block[1], func(t *testing.T) {
			t.Parallel()
			newer := strings.Contains(block[3], "action \"") || block[2] == "terraform"
			if newer {
				fromTerraform114(t)
			}
			s := acctest.Start(t)
			seed(t, s, `{"users": [{"id": "waters-malone"}, {"id": "guest-1", "role": "guest"}, {"id": "held", "deactivated_at": "2026-02-01T00:00:00Z"}]}`)
			if block[2] == "terraform" {
				w := s.Workspace(t, "", "")
				if err := w.WriteFile("x.tfquery.hcl", block[3]); err != nil {
					t.Fatal(err)
				}
				expect(t, w.Run("query"), 0, "deactivated since")
				return
			}
			// The provider runs in this process, and would write into its directory.
			w := s.Workspace(t, "", strings.ReplaceAll(block[3], `"exports/`, `"`+filepath.ToSlash(t.TempDir())+"/"))
			w.Apply(0)
			w.Apply(0) // a list that is fed by a query has lost those who were erased
			w.Plan(0)
		})
	}
}
