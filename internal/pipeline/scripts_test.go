// Copyright (c) the terraform-provider-streamchat authors
// SPDX-License-Identifier: MPL-2.0

package pipeline_test

import (
	"cmp"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// That the policy denies and that it could not be asked are two ends of two scripts, whichever
// tool there is. The tools are stubs, so that each can fail in its way.
func TestEndsOfTheScripts(t *testing.T) {
	t.Parallel()
	const (
		nothing  = "echo"
		denies   = `case "$*" in *main.deny*) echo DENIED;; *) echo;; esac`
		warns    = `case "$*" in *main.warn*) echo WARNED;; *) echo;; esac`
		breaks   = "echo broken >&2; exit 2"
		approved = "case $* in *-only-approved*) exit 0;; esac"
	)
	for name, tt := range map[string]struct {
		opa, conftest, comment string // no file where empty
		plan                   string // how plan.sh ends
		policy, night          int
		says, not              string
	}{
		"opa passes":            {opa: nothing, plan: "2", says: "APPLIED", not: "denies"},
		"opa warns":             {opa: warns, plan: "2", says: "WARNED", not: "denies"},
		"opa denies":            {opa: denies, plan: "2", policy: 1, night: 1, says: "The policy denies this plan, so", not: "could not"},
		"opa breaks":            {opa: breaks, plan: "2", policy: 2, night: 2, says: "The policy could not be asked, so", not: "denies"},
		"no opa":                {plan: "2", policy: 2, night: 2, says: "The policy could not be asked, so", not: "denies"},
		"conftest passes":       {conftest: "echo '3 tests, 3 passed, 0 warnings, 0 failures, 0 exceptions'", plan: "2", says: "APPLIED", not: "denies"},
		"conftest denies":       {conftest: "echo 'FAIL - plan.json - main - DENIED'; exit 1", plan: "2", policy: 1, night: 1, says: "The policy denies this plan, so", not: "could not"},
		"conftest breaks":       {conftest: "echo 'Error: running test: load: no policies found' >&2; exit 1", plan: "2", policy: 2, night: 2, says: "The policy could not be asked, so", not: "denies"},
		"no plan":               {opa: nothing, plan: "1", policy: 2, night: 1, says: "The plan has errors", not: "APPLIED"},
		"nothing to do":         {opa: denies, plan: "0", policy: 1, says: "Nothing is due", not: "denies"},
		"more than was begun":   {opa: nothing, comment: "case $* in *-only-approved*) exit 3;; esac", plan: "2", night: 3, says: "does more than finish", not: "APPLIED"},
		"nobody can tell":       {opa: nothing, comment: "case $* in *-only-approved*) exit 1;; esac", plan: "2", night: 2, says: "Nobody could tell", not: "APPLIED"},
		"nobody can tell, ever": {opa: nothing, comment: "case $* in *-only-approved*) exit 70;; esac", plan: "2", night: 2, says: "Nobody could tell", not: "APPLIED"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			script := func(name, text string) {
				t.Helper()
				if text != "" {
					if err := os.WriteFile(filepath.Join(dir, name), []byte("#!/bin/sh\n"+text+"\n"), 0o700); err != nil {
						t.Fatal(err)
					}
				}
			}
			for _, name := range []string{"policy.sh", "nightly.sh", "comment.sh"} {
				script(name, read(t, filepath.Join("../../examples/pipeline/scripts", name)))
			}
			plan := `mkdir -p "$OUT"; exit ` + tt.plan
			if tt.plan != "1" {
				plan = `mkdir -p "$OUT"; echo '{}' >"$OUT/plan.json"; exit ` + tt.plan
			}
			script("plan.sh", plan)
			script("apply.sh", "echo APPLIED")
			script("opa", tt.opa)
			script("conftest", tt.conftest)
			script("streamchat-comment", cmp.Or(tt.comment, approved))
			run := func(name string) (int, string) {
				cmd := exec.CommandContext(t.Context(), "/bin/sh", filepath.Join(dir, name))
				cmd.Env = []string{"PATH=" + dir + ":/usr/bin:/bin", "OUT=" + filepath.Join(dir, "out")}
				out, err := cmd.CombinedOutput()
				if exit := new(exec.ExitError); err != nil && !errors.As(err, &exit) {
					t.Fatal(err)
				}
				return cmd.ProcessState.ExitCode(), string(out)
			}
			code, said := run("nightly.sh")
			if code != tt.night || !strings.Contains(said, tt.says) || strings.Contains(said, tt.not) {
				t.Errorf("the night ends with %d, wanted %d: %s", code, tt.night, said)
			}
			if code, said := run("policy.sh"); code != tt.policy {
				t.Errorf("the policy ends with %d, wanted %d: %s", code, tt.policy, said)
			}
		})
	}
}
