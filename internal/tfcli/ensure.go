// Copyright (c) the terraform-provider-streamchat authors
// SPDX-License-Identifier: MPL-2.0

package tfcli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"time"

	"github.com/gofrs/flock"
)

// The OpenTofu that Ensure builds, and the hash of its module as in a go.sum.
const (
	openTofuVersion = "1.12.6"
	openTofuModule  = "github.com/opentofu/opentofu@v" + openTofuVersion
	openTofuSum     = "h1:0VT4P8pMmGcCUnQ9JDrJ+Qg2d35Vzm4FFd/9+H7oF98="
)

// builtPath is where Ensure puts OpenTofu; absolute like every CLI.Path.
func builtPath(repoRoot string) string {
	path := filepath.Join(repoRoot, ".bin", "tofu"+executableSuffix())
	if abs, err := filepath.Abs(path); err == nil {
		return abs
	}
	return path
}

// Ensure finds the CLI like Find. Where there is none it builds OpenTofu from
// its Go module into .bin/, once, and says so on log: that takes minutes.
func Ensure(ctx context.Context, repoRoot string, log io.Writer) (CLI, error) {
	return ensure(ctx, repoRoot, log, findCurrent)
}

// EnsureOpenTofu is Ensure for whom Terraform will not do.
func EnsureOpenTofu(ctx context.Context, repoRoot string, log io.Writer) (CLI, error) {
	return ensure(ctx, repoRoot, log, func(root string) (CLI, error) {
		for _, cli := range All(root) {
			if cli.Flavor == OpenTofu && !outdated(cli, root) {
				return cli, nil
			}
		}
		return CLI{}, ErrNotFound
	})
}

func ensure(ctx context.Context, repoRoot string, log io.Writer, find func(root string) (CLI, error)) (CLI, error) {
	if cli, err := find(repoRoot); !errors.Is(err, ErrNotFound) {
		return cli, err
	}
	built := builtPath(repoRoot)
	if err := os.MkdirAll(filepath.Dir(built), 0o755); err != nil {
		return CLI{}, err
	}
	lock := flock.New(built + ".lock") // which ends with the process
	if _, err := lock.TryLockContext(ctx, time.Second); err != nil {
		return CLI{}, err
	}
	defer func() { _ = lock.Unlock() }()
	// Another process may have built it while this one waited for the lock.
	if cli, err := find(repoRoot); !errors.Is(err, ErrNotFound) {
		return cli, err
	}

	// Where nothing can be written the build goes on all the same.
	_, _ = fmt.Fprintf(log, "Building OpenTofu %s from its Go module into .bin/ (once, about 6 minutes on 2 cores).\n", openTofuVersion)
	start := time.Now()
	if err := buildOpenTofu(ctx, built); err != nil {
		return CLI{}, fmt.Errorf("building OpenTofu: %w", err)
	}
	_, _ = fmt.Fprintf(log, "Built OpenTofu %s in %s.\n", openTofuVersion, time.Since(start).Round(time.Second))
	return inspect(built)
}

// findCurrent is Find without an OpenTofu that an earlier release of this
// package built.
func findCurrent(repoRoot string) (CLI, error) {
	cli, err := Find(repoRoot)
	if err == nil && outdated(cli, repoRoot) {
		return CLI{}, ErrNotFound
	}
	return cli, err
}

func outdated(cli CLI, repoRoot string) bool {
	return cli.Path == builtPath(repoRoot) && cli.Version != openTofuVersion
}

// buildOpenTofu builds in the module cache: go install refuses a module that
// replaces others, as OpenTofu's does.
func buildOpenTofu(ctx context.Context, out string) error {
	scratch, err := os.MkdirTemp(filepath.Dir(out), ".build-")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(scratch) }()

	// A module of its own keeps the go command from looking for one above.
	if err := os.WriteFile(filepath.Join(scratch, "go.mod"), []byte("module scratch\n"), 0o600); err != nil {
		return err
	}
	// This command tells what went wrong on its standard output.
	var module struct{ Dir, Sum, Error string }
	stdout, err := goCommand(ctx, scratch, "mod", "download", "-json", openTofuModule)
	if jsonErr := json.Unmarshal(stdout, &module); module.Error != "" {
		return fmt.Errorf("go mod download: %s", module.Error)
	} else if err := errors.Join(err, jsonErr); err != nil {
		return err
	}
	if module.Sum != openTofuSum {
		return fmt.Errorf("%s has the hash %s, not %s", openTofuModule, module.Sum, openTofuSum)
	}
	binary := filepath.Join(scratch, "tofu")
	if _, err := goCommand(ctx, module.Dir, "build", "-trimpath",
		"-ldflags", "-s -w -X github.com/opentofu/opentofu/version.dev=no",
		"-o", binary, "./cmd/tofu"); err != nil {
		return err
	}
	// In place only when it is whole: an interrupted build leaves nothing behind.
	return os.Rename(binary, out)
}

// goCommand runs go for this machine, whatever the caller cross-compiles for.
func goCommand(ctx context.Context, dir string, args ...string) ([]byte, error) {
	cmd := exec.CommandContext(ctx, "go", args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "PWD="+dir, "CGO_ENABLED=0", "GOWORK=off", "GO111MODULE=on",
		"GOFLAGS=-mod=readonly", "GOOS="+runtime.GOOS, "GOARCH="+runtime.GOARCH)
	cmd.WaitDelay = 5 * time.Second
	out, err := cmd.Output()
	if exit := new(exec.ExitError); errors.As(err, &exit) {
		err = fmt.Errorf("go %s: %w\n%s", args[0], err, exit.Stderr)
	}
	return out, err
}
