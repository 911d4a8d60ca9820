// Copyright (c) the terraform-provider-streamchat authors
// SPDX-License-Identifier: MPL-2.0

//go:build unix

package tfcli

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/gofrs/flock"
)

// TestMain lets this binary stand in for a provider.
func TestMain(m *testing.M) {
	if strings.HasPrefix(filepath.Base(os.Args[0]), "terraform-provider-") {
		fmt.Println("provider runs")
		time.Sleep(time.Minute)
		return
	}
	os.Exit(m.Run())
}

// script writes an executable that stands in for a program.
func script(t *testing.T, path, body string) string {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte("#!/bin/sh\n"+body+"\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestFind(t *testing.T) {
	tests := map[string]struct {
		onPath   map[string]string // name to what it prints
		built    string            // what .bin/tofu prints
		variable string            // TF_ACC_TERRAFORM_PATH
		want     CLI               // Path: the base name
		wantErr  string
	}{
		"terraform first": {
			onPath: map[string]string{"terraform": "Terraform v1.11.4\non linux_amd64", "tofu": "OpenTofu v1.12.6"},
			want:   CLI{Path: "terraform", Flavor: Terraform, Version: "1.11.4"},
		},
		"then tofu": {
			onPath: map[string]string{"tofu": "OpenTofu v1.13.0-rc1"},
			built:  "OpenTofu v1.12.6",
			want:   CLI{Path: "tofu", Flavor: OpenTofu, Version: "1.13.0-rc1"},
		},
		"a name that lies": {
			onPath: map[string]string{"terraform": "OpenTofu v1.12.6"},
			want:   CLI{Path: "terraform", Flavor: OpenTofu, Version: "1.12.6"},
		},
		"a shim without a version is passed over": {
			onPath: map[string]string{"terraform": "No version is set"},
			built:  "OpenTofu v1.12.6",
			want:   CLI{Path: "tofu", Flavor: OpenTofu, Version: "1.12.6"},
		},
		"the variable wins": {
			onPath:   map[string]string{"terraform": "Terraform v1.11.4", "other": "OpenTofu v1.12.6"},
			variable: "other",
			want:     CLI{Path: "other", Flavor: OpenTofu, Version: "1.12.6"},
		},
		"the variable is not passed over": {
			onPath:   map[string]string{"terraform": "Terraform v1.11.4"},
			variable: "nothing-of-that-name",
			wantErr:  PathVariable,
		},
		"none": {wantErr: ErrNotFound.Error()},
		"none, with a reason": {
			onPath:  map[string]string{"terraform": "No version is set"},
			wantErr: "does not say",
		},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			root, bin := t.TempDir(), t.TempDir()
			for name, text := range tc.onPath {
				script(t, filepath.Join(bin, name), "echo '"+text+"'")
			}
			if tc.built != "" {
				script(t, filepath.Join(root, ".bin", "tofu"), "echo '"+tc.built+"'")
			}
			t.Setenv("PATH", bin)
			t.Setenv(PathVariable, tc.variable)
			got, err := Find(root)
			if tc.wantErr != "" {
				if err == nil || !strings.Contains(err.Error(), tc.wantErr) {
					t.Fatalf("Find: %v; want an error with %q", err, tc.wantErr)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if !filepath.IsAbs(got.Path) {
				t.Errorf("the path %s is not absolute", got.Path)
			}
			got.Path = filepath.Base(got.Path)
			if got != tc.want {
				t.Errorf("Find: %+v; want %+v", got, tc.want)
			}
		})
	}
}

// fakeGo is a go command whose module is where it is and whose build leaves an
// OpenTofu that prints a version.
const fakeGo = `
case "$1" in
mod) echo '{"Dir": "/", "Sum": "SUM"}' ;;
build)
	while [ "$1" != -o ]; do shift; done
	printf '#!/bin/sh\necho "OpenTofu v` + openTofuVersion + `"\n' >"$2"
	/bin/chmod +x "$2"
	;;
esac`

func TestEnsureBuildsOnce(t *testing.T) {
	root, bin := t.TempDir(), t.TempDir()
	script(t, filepath.Join(bin, "go"), strings.Replace(fakeGo, "SUM", openTofuSum, 1))
	// What an earlier release of this package built is replaced.
	script(t, filepath.Join(root, ".bin", "tofu"), "echo OpenTofu v1.0.0")
	t.Setenv("PATH", bin)
	t.Setenv(PathVariable, "")

	var log bytes.Buffer
	got, err := Ensure(t.Context(), root, &log)
	if err != nil {
		t.Fatal(err)
	}
	want := CLI{Path: filepath.Join(root, ".bin", "tofu"), Flavor: OpenTofu, Version: openTofuVersion}
	if got != want {
		t.Errorf("Ensure: %+v; want %+v", got, want)
	}
	if !strings.Contains(log.String(), "minutes") {
		t.Errorf("the log does not say how long it takes: %s", log.String())
	}
	log.Reset()
	if again, err := Ensure(t.Context(), root, &log); err != nil || again != want || log.Len() > 0 {
		t.Errorf("Ensure again: %+v, %v, log %q", again, err, log.String())
	}
	left, err := filepath.Glob(filepath.Join(root, ".bin", ".build-*"))
	if err != nil || len(left) > 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}

func TestEnsureRefusesAnotherModule(t *testing.T) {
	root, bin := t.TempDir(), t.TempDir()
	script(t, filepath.Join(bin, "go"), strings.Replace(fakeGo, "SUM", "h1:other", 1))
	t.Setenv("PATH", bin)
	t.Setenv(PathVariable, "")
	if _, err := Ensure(t.Context(), root, &bytes.Buffer{}); err == nil || !strings.Contains(err.Error(), "h1:other") {
		t.Errorf("Ensure: %v; want an error about the hash", err)
	}
	if _, err := os.Stat(filepath.Join(root, ".bin", "tofu")); err == nil {
		t.Error("something was built all the same")
	}
}

func TestEnsureWaitsForAnotherBuild(t *testing.T) {
	root := t.TempDir()
	t.Setenv("PATH", t.TempDir())
	t.Setenv(PathVariable, "")
	if err := os.Mkdir(filepath.Join(root, ".bin"), 0o755); err != nil {
		t.Fatal(err)
	}
	another := flock.New(filepath.Join(root, ".bin", "tofu.lock"))
	if err := another.Lock(); err != nil {
		t.Fatal(err)
	}
	defer another.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	var log bytes.Buffer
	if _, err := Ensure(ctx, root, &log); !errors.Is(err, context.DeadlineExceeded) || log.Len() > 0 {
		t.Errorf("Ensure: %v, log %q", err, log.String())
	}
}

func TestRepoRoot(t *testing.T) {
	root, err := RepoRoot()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(root, "internal", "tfcli", "tfcli.go")); err != nil {
		t.Error(err)
	}
	t.Chdir(t.TempDir())
	if root, err := RepoRoot(); err == nil {
		t.Errorf("outside of the repository: %s", root)
	}
}

func TestCleanEnv(t *testing.T) {
	got := cleanEnv([]string{
		"PATH=/bin", "TF_LOG=TRACE", "STREAM_API_SECRET=s", "STREAMCHAT_PSEUDONYM_KEY=k",
		"OPENTOFU_X=1", "HOME=/h", "TFX=1",
	})
	if want := []string{"PATH=/bin", "HOME=/h", "TFX=1"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

// workspace has a script for a CLI and an empty file for a provider.
func workspace(t *testing.T, cli string) *Workspace {
	t.Helper()
	dir := t.TempDir()
	w, err := NewWorkspace(Options{
		CLI:      CLI{Path: script(t, filepath.Join(dir, "cli"), cli)},
		Dir:      dir,
		Provider: script(t, filepath.Join(dir, "provider"), ""),
		Env:      []string{"EXTRA=yes"},
	})
	if err != nil {
		t.Fatal(err)
	}
	return w
}

func TestWorkspaceRun(t *testing.T) {
	t.Setenv("TF_LOG", "TRACE")
	t.Setenv("STREAM_API_SECRET", "secret")
	w := workspace(t, `pwd; echo "$EXTRA $LATER [$TF_LOG$STREAM_API_SECRET] $1"; echo oops >&2; exit 3`)
	w.Setenv("LATER", "too")
	var echo bytes.Buffer
	w.echo = &echo
	got, err := w.Run(t.Context(), "plan")
	if err != nil {
		t.Fatal(err)
	}
	want := Result{Stdout: w.Dir + "\nyes too [] plan\n", Stderr: "oops\n", ExitCode: 3}
	if got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
	if !strings.Contains(echo.String(), "yes too") || !strings.Contains(echo.String(), "oops") {
		t.Errorf("echo: %s", echo.String())
	}
}

func TestWorkspaceRunIsBounded(t *testing.T) {
	w := workspace(t, `trap 'echo interrupted; exit 1' INT; echo started; sleep 60 & wait`)
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	start := time.Now()
	got, err := w.Run(ctx)
	if !errors.Is(err, context.DeadlineExceeded) || got.ExitCode != 1 || !strings.Contains(got.Stdout, "interrupted") {
		t.Errorf("got %+v, %v", got, err)
	}
	if took := time.Since(start); took > 20*time.Second {
		t.Errorf("took %s", took)
	}
}

func TestProcessSignalsAndProviders(t *testing.T) {
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	provider := filepath.Join(t.TempDir(), "terraform-provider-fake")
	if err := os.Symlink(self, provider); err != nil {
		t.Fatal(err)
	}
	w := workspace(t, provider+" & wait")
	p, err := w.Start("apply")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	if err := p.WaitFor(ctx, "provider runs"); err != nil {
		t.Fatal(err)
	}
	pids, err := p.ProviderPIDs()
	if err != nil || len(pids) != 1 {
		t.Fatalf("provider processes: %v, %v; want one", pids, err)
	}
	if !Running(pids[0]) {
		t.Error("the provider does not run")
	}
	if err := p.SignalGroup(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	got, err := p.Wait(ctx)
	if err != nil || got.ExitCode != -1 {
		t.Errorf("got %+v, %v; want an end by a signal", got, err)
	}
	if left, err := p.ProviderPIDs(); err != nil || len(left) > 0 || Running(pids[0]) {
		t.Errorf("after the end: %v, %v", left, err)
	}
}

func TestWaitForTellsOfAnEnd(t *testing.T) {
	p, err := workspace(t, "echo last words").Start()
	if err != nil {
		t.Fatal(err)
	}
	if err := p.WaitFor(t.Context(), "something else"); err == nil {
		t.Error("no error for a CLI that ended")
	}
	if err := p.WaitFor(t.Context(), "last words"); err != nil {
		t.Error(err)
	}
	if _, err := p.Wait(t.Context()); err != nil {
		t.Error(err)
	}
}

// TestRealCLI drives the real one without a provider from outside.
func TestRealCLI(t *testing.T) {
	root, err := RepoRoot()
	if err != nil {
		t.Fatal(err)
	}
	cli, err := Find(root)
	if err != nil {
		t.Skipf("%v: run make cli", err)
	}
	dir := t.TempDir()
	w, err := NewWorkspace(Options{CLI: cli, Dir: dir, Provider: script(t, filepath.Join(dir, "provider"), "")})
	if err != nil {
		t.Fatal(err)
	}
	if err := w.WriteFile("main.tf", `
resource "terraform_data" "slow" {
  provisioner "local-exec" {
    command = "sleep 60"
  }
}
`); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	for _, args := range [][]string{{"init"}, {"plan", "-detailed-exitcode"}} {
		got, err := w.Run(ctx, args...)
		if err != nil {
			t.Fatal(err)
		}
		if want := len(args); got.ExitCode != 2*(want-1) { // plan: there are changes
			t.Fatalf("%s: %+v", args[0], got)
		}
		if all := got.Stdout + got.Stderr; strings.Contains(all, "Warning") || strings.Contains(all, "\x1b[") {
			t.Errorf("%s warns or prints colors: %s", args[0], all)
		}
	}
	p, err := w.Start("apply", "-auto-approve")
	if err != nil {
		t.Fatal(err)
	}
	if err := p.WaitFor(ctx, "Executing"); err != nil {
		t.Fatal(err)
	}
	if err := p.SignalGroup(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	if got, err := p.Wait(ctx); err != nil || got.ExitCode != 1 || !strings.Contains(got.Stdout, "Interrupt received") {
		t.Errorf("apply: %+v, %v", got, err)
	}
}
