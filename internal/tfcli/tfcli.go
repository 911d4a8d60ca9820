// Copyright (c) the terraform-provider-streamchat authors
// SPDX-License-Identifier: MPL-2.0

// Package tfcli finds Terraform or OpenTofu, builds OpenTofu where there is
// neither, and drives the found one in a directory of its own: for tests, for
// the demo, and for signals that the usual test framework cannot send.
package tfcli

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"time"
)

// The two flavors of the CLI.
const (
	Terraform = "terraform"
	OpenTofu  = "opentofu"
)

// PathVariable names the CLI to use; the acceptance test framework reads it too.
const PathVariable = "TF_ACC_TERRAFORM_PATH"

// ErrNotFound says that there is neither Terraform nor OpenTofu.
var ErrNotFound = errors.New("neither terraform nor tofu found")

// CLI is a Terraform or an OpenTofu that runs.
type CLI struct {
	Path    string // absolute
	Flavor  string // Terraform or OpenTofu
	Version string // without a "v"
}

// String is the flavor and the version, for a person.
func (c CLI) String() string {
	name := "Terraform"
	if c.Flavor == OpenTofu {
		name = "OpenTofu"
	}
	return name + " " + c.Version
}

// AcceptanceEnv is what github.com/hashicorp/terraform-plugin-testing needs in
// the environment to run the acceptance tests with this CLI and nothing else.
func (c CLI) AcceptanceEnv() []string {
	env := []string{
		PathVariable + "=" + c.Path,
		"TF_ACC=1",
		"CHECKPOINT_DISABLE=1",
		"TF_CLI_CONFIG_FILE=" + os.DevNull, // no overrides of the developer's own
	}
	if c.Flavor == OpenTofu {
		env = append(env, "TF_ACC_PROVIDER_HOST=registry.opentofu.org")
	}
	return env
}

// Find looks for the CLI: the one that TF_ACC_TERRAFORM_PATH names, else
// terraform on PATH, else tofu on PATH, else the one that Ensure built. The
// error wraps ErrNotFound unless the variable names something that does not run.
func Find(repoRoot string) (CLI, error) {
	if name := os.Getenv(PathVariable); name != "" {
		cli, err := inspect(name)
		if err != nil {
			return CLI{}, fmt.Errorf("%s: %w", PathVariable, err)
		}
		return cli, nil
	}
	var reasons []string
	for _, name := range candidates(repoRoot) {
		cli, err := inspect(name)
		if err == nil {
			return cli, nil
		}
		// A missing file is the plain case; one that does not run is worth telling.
		if !errors.Is(err, exec.ErrNotFound) && !errors.Is(err, os.ErrNotExist) {
			reasons = append(reasons, err.Error())
		}
	}
	if len(reasons) > 0 {
		return CLI{}, fmt.Errorf("%w (%s)", ErrNotFound, strings.Join(reasons, "; "))
	}
	return CLI{}, ErrNotFound
}

// All are the CLIs that run here, one of each flavor, in Find's order.
func All(repoRoot string) []CLI {
	var all []CLI
	for _, name := range append([]string{os.Getenv(PathVariable)}, candidates(repoRoot)...) {
		cli, err := inspect(name)
		if err == nil && !slices.ContainsFunc(all, func(c CLI) bool { return c.Flavor == cli.Flavor }) {
			all = append(all, cli)
		}
	}
	return all
}

func candidates(repoRoot string) []string { return []string{"terraform", "tofu", builtPath(repoRoot)} }

// RepoRoot is the directory of this repository's go.mod, at or above the
// working directory.
func RepoRoot() (string, error) {
	start, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for dir := start; ; dir = filepath.Dir(dir) {
		mod, err := os.ReadFile(filepath.Join(dir, "go.mod"))
		if err == nil && moduleLine.Match(mod) {
			return dir, nil
		}
		if dir == filepath.Dir(dir) {
			return "", fmt.Errorf("no go.mod of terraform-provider-streamchat at or above %s", start)
		}
	}
}

var moduleLine = regexp.MustCompile(`(?m)^module github\.com/streamchat-gdpr/terraform-provider-streamchat\s*$`)

// BuildProvider builds the provider into outDir and returns the binary's path.
// Extra flags go to go build. A caller that needs it often keeps the path.
func BuildProvider(ctx context.Context, repoRoot, outDir string, flags ...string) (string, error) {
	outDir, err := filepath.Abs(outDir)
	if err != nil {
		return "", err
	}
	out := filepath.Join(outDir, "terraform-provider-streamchat"+executableSuffix())
	args := append([]string{"build", "-o", out}, flags...)
	cmd := exec.CommandContext(ctx, "go", append(args, ".")...)
	cmd.Dir = repoRoot
	if msg, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("go build of the provider: %w\n%s", err, msg)
	}
	return out, nil
}

var versionLine = regexp.MustCompile(`(?m)^(Terraform|OpenTofu) v(\S+)`)

// inspect asks the executable what it is.
func inspect(name string) (CLI, error) {
	path, err := exec.LookPath(name)
	if err != nil {
		return CLI{}, err
	}
	if path, err = filepath.Abs(path); err != nil {
		return CLI{}, err
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, path, "version")
	cmd.Env = append(cleanEnv(os.Environ()), "CHECKPOINT_DISABLE=1", "TF_CLI_CONFIG_FILE="+os.DevNull)
	cmd.WaitDelay = time.Second
	out, err := cmd.Output()
	if err != nil {
		return CLI{}, fmt.Errorf("%s version: %w", path, err)
	}
	m := versionLine.FindSubmatch(out)
	if m == nil {
		return CLI{}, fmt.Errorf("%s version does not say that it is Terraform or OpenTofu", path)
	}
	cli := CLI{Path: path, Flavor: Terraform, Version: string(m[2])}
	if string(m[1]) == "OpenTofu" {
		cli.Flavor = OpenTofu
	}
	return cli, nil
}

// cleanEnv drops what would change how the CLI or the provider behaves.
func cleanEnv(env []string) []string {
	var kept []string
	for _, kv := range env {
		name, _, _ := strings.Cut(kv, "=")
		dropped := false
		for _, prefix := range []string{"TF_", "TOFU_", "OPENTOFU_", "STREAM_", "STREAMCHAT_"} {
			dropped = dropped || strings.HasPrefix(name, prefix)
		}
		if !dropped {
			kept = append(kept, kv)
		}
	}
	return kept
}

func executableSuffix() string {
	if runtime.GOOS == "windows" {
		return ".exe"
	}
	return ""
}
