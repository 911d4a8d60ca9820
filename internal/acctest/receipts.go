// Copyright (c) the terraform-provider-streamchat authors
// SPDX-License-Identifier: MPL-2.0

package acctest

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"testing"
)

// Receipt is a file of a directory of receipts.
type Receipt struct {
	Name, Text string
	Fields     map[string]any
}

// Ended is the field that says when the record ended; "" while it lives.
func (r Receipt) Ended() string {
	for _, field := range []string{"forgotten_at", "restored_at", "reactivated_at", "removed_at"} {
		if r.Fields[field] != nil {
			return field
		}
	}
	return ""
}

var receiptName = regexp.MustCompile(`^[a-z_]+-[a-z2-7]{26}\.json$`)

// Receipts reads a directory of receipts: nothing else may be there, and all of it for its
// owner alone.
func Receipts(t testing.TB, dir string) (all []Receipt) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, entry := range entries {
		r := Receipt{Name: entry.Name()}
		text, err := os.ReadFile(filepath.Join(dir, r.Name))
		if err != nil {
			t.Fatal(err)
		}
		info, err := entry.Info()
		if err != nil {
			t.Fatal(err)
		}
		r.Text = string(text)
		if !receiptName.MatchString(r.Name) || info.Mode().Perm() != 0o600 || json.Unmarshal(text, &r.Fields) != nil {
			t.Errorf("%s, mode %o: %s", r.Name, info.Mode().Perm(), text)
		}
		all = append(all, r)
	}
	return all
}
