// Copyright (c) the terraform-provider-streamchat authors
// SPDX-License-Identifier: MPL-2.0

package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const recorded = "../../testdata/terraform/"

func TestCommand(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	last, empty, state := filepath.Join(dir, "last.md"), filepath.Join(dir, "empty.json"), filepath.Join(dir, "state.json")
	for name, content := range map[string]string{
		empty: `{"format_version":"1.2","timestamp":"2026-01-01T00:00:00Z","planned_values":{"root_module":{}},"complete":true}`,
		state: `{"format_version":"1.0","values":{"root_module":{"resources":[{"address":"streamchat_user_erasure.a","mode":"managed","type":"streamchat_user_erasure","values":{"receipt":"{}"}}]}}}`,
	} {
		if err := os.WriteFile(name, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for name, c := range map[string]struct {
		args []string
		code int
		says string
	}{
		"a comment":          {[]string{"-plan", recorded + "first.json", "-log", recorded + "first.jsonl"}, 0, "changes that cannot be undone"},
		"no last comment":    {[]string{"-plan", recorded + "first.json", "-previous", last}, 0, "changes that cannot be undone"},
		"errors alone":       {[]string{"-log", recorded + "red.jsonl"}, 0, "Held user"},
		"more than a resume": {[]string{"-plan", recorded + "second.json", "-only-approved"}, needsEyes, "not approved before: streamchat_channel_erasure.old, CAMPAIGN-8, "},
		"nothing is listed":  {[]string{"-plan", empty, "-log", recorded + "due.jsonl", "-only-approved"}, failed, "no resource_changes"},
		"a state as a plan":  {[]string{"-plan", state, "-log", recorded + "due.jsonl", "-only-approved"}, failed, "this is a state"},
		"what is due":        {[]string{"-plan", recorded + "due.json", "-log", recorded + "due.jsonl", "-only-approved"}, 0, ""},
		"no file":            {[]string{"-plan", filepath.Join(dir, "none")}, failed, "no such file"},
		"nothing":            {nil, usage, "give -plan"},
		"half":               {[]string{"-state", "x"}, usage, "give -plan"},
		"both":               {[]string{"-state", "x", "-receipts", "y", "-plan", "z"}, usage, "give -plan"},
		"no such flag":       {[]string{"-x"}, usage, "-x"},
	} {
		var out, problem bytes.Buffer
		if code := run(c.args, &out, &problem); code != c.code || !strings.Contains(out.String()+problem.String(), c.says) {
			t.Errorf("%s: %d %s%s", name, code, out.String(), problem.String())
		}
	}
	var out, problem bytes.Buffer
	if code := run([]string{"-state", state, "-receipts", filepath.Join(dir, "receipts")}, &out, &problem); code != 0 || !strings.HasPrefix(out.String(), "1 receipts") {
		t.Errorf("%d %s%s", code, out.String(), problem.String())
	}
}
