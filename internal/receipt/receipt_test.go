// Copyright (c) the terraform-provider-streamchat authors
// SPDX-License-Identifier: MPL-2.0

package receipt

import (
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

func document(id, more string) string {
	return `{"record":"streamchat_user_erasure","record_id":"` + id + `","status":"` + more + `"}`
}

func files(t *testing.T, dir string) map[string]string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]string{}
	for _, e := range entries {
		content, err := os.ReadFile(filepath.Join(dir, e.Name()))
		if err != nil {
			t.Fatal(err)
		}
		all[e.Name()] = string(content)
	}
	return all
}

func TestLifeOfAFile(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "not", "there yet")
	d, id := NewDir(dir), NewID()
	if err := d.Check(t.Context()); err != nil || len(files(t, dir)) != 0 {
		t.Fatalf("%v, %v", err, files(t, dir))
	}
	name := "user_erasure-" + id + ".json"
	for _, status := range []string{"submitted", "completed"} {
		if err := d.Write(t.Context(), document(id, status)); err != nil {
			t.Fatal(err)
		}
		if got := files(t, dir); len(got) != 1 || got[name] != document(id, status) {
			t.Errorf("%v", got)
		}
	}
	at := time.Date(2026, 11, 26, 0, 0, 0, 0, time.UTC)
	if err := d.End(t.Context(), document(id, "submitted"), Forgotten, at); err != nil || files(t, dir)[name] != document(id, "completed") {
		t.Errorf("the older half of a replacement wrote over the newer: %v, %v", err, files(t, dir))
	}
	later := NewDir(dir) // another run
	if err := later.End(t.Context(), document(id, "completed"), Forgotten, at); err != nil || !strings.HasPrefix(files(t, dir)[name], `{"forgotten_at":"2026-11-26T00:00:00Z","record":`) {
		t.Errorf("%v, %v", err, files(t, dir))
	}
	if err := later.Write(t.Context(), document(id, "completed")); err != nil || files(t, dir)[name] != document(id, "completed") {
		t.Errorf("a record that lives on is forgotten: %v, %v", err, files(t, dir))
	}
}

// A receipt without a name, or with one that is no name, gets a file of its own and never
// takes another's.
func TestNoName(t *testing.T) {
	dir := t.TempDir()
	d := NewDir(dir)
	for _, id := range []string{"", "../../escape", strings.Repeat("a", 300), "waters-malone-is-26-letters"} {
		if ID(document(id, "x")) != "" {
			t.Errorf("%q is a name", id)
		}
		for range 2 {
			if err := d.Write(t.Context(), document(id, "completed")); err != nil {
				t.Error(err)
			}
		}
	}
	if got := files(t, dir); len(got) != 8 {
		t.Errorf("%d files", len(got))
	}
	for _, bad := range []string{"", "[]", "waters-malone", `{"record":"../x"}`} {
		if err := d.Write(t.Context(), bad); err == nil || strings.Contains(err.Error(), "waters") {
			t.Errorf("%q: %v", bad, err)
		}
	}
}

// Processes and goroutines that write side by side leave every record's own receipt, whole.
func TestSideBySide(t *testing.T) {
	dir := t.TempDir()
	var group sync.WaitGroup
	want := map[string]string{}
	for range 4 {
		d := NewDir(dir)
		for range 25 {
			id := NewID()
			want["user_erasure-"+id+".json"] = document(id, "completed")
			group.Go(func() {
				for _, status := range []string{"submitted", "completed"} {
					if err := d.Write(t.Context(), document(id, status)); err != nil {
						t.Error(err)
					}
				}
			})
		}
	}
	group.Wait()
	got := files(t, dir)
	if len(got) != len(want) {
		t.Errorf("%d files, want %d", len(got), len(want))
	}
	for name, content := range want {
		if got[name] != content {
			t.Errorf("%s: %s", name, got[name])
		}
	}
}

func TestNowhere(t *testing.T) {
	var none *Dir
	if none != NewDir("") || none.Check(t.Context()) != nil || none.Write(t.Context(), "") != nil || none.End(t.Context(), "", Forgotten, time.Time{}) != nil {
		t.Error("no directory is no error")
	}
	file := filepath.Join(t.TempDir(), "waters-malone")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, err := range []error{NewDir(file).Check(t.Context()), NewDir(file).Write(t.Context(), document(NewID(), ""))} {
		if err == nil || strings.Contains(err.Error(), "waters") {
			t.Errorf("%v", err)
		}
	}
}
