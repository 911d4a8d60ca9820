// Copyright (c) the terraform-provider-streamchat authors
// SPDX-License-Identifier: MPL-2.0

package resilience

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/tfcli"
)

var update = flag.Bool("update", false, "write the tables into templates/guides instead of comparing them")

// published checks that a guide shows this table: what the docs promise is what
// the suites expect. The table stands between two comments that name it.
func published(t *testing.T, guide, name, table string) {
	t.Helper()
	root, err := tfcli.RepoRoot()
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(root, "templates", "guides", guide)
	raw, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	begin, end := "<!-- begin "+name+" -->\n", "<!-- end "+name+" -->"
	before, rest, ok := strings.Cut(string(raw), begin)
	shown, after, okEnd := strings.Cut(rest, end)
	if !ok || !okEnd {
		t.Fatalf("%s has no place for the table %s", guide, name)
	}
	if *update {
		if err := os.WriteFile(file, []byte(before+begin+table+end+after), 0o600); err != nil {
			t.Fatal(err)
		}
		return
	}
	if shown != table {
		t.Errorf("%s does not show what this suite expects: run go test ./internal/resilience -update, then make generate.\nIt should be:\n%s", guide, table)
	}
}
