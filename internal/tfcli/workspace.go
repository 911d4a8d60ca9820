// Copyright (c) the terraform-provider-streamchat authors
// SPDX-License-Identifier: MPL-2.0

package tfcli

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"time"
)

// ProviderVersion is the version under which a Workspace offers the provider.
const ProviderVersion = "0.1.0"

const (
	// An interrupted CLI may go on for so long before it is killed.
	grace = 30 * time.Second
	// What a dead CLI left running may hold its output open for so long.
	drain = 2 * time.Second
)

// Options of a Workspace.
type Options struct {
	CLI      CLI
	Dir      string    // exists; the caller removes it
	Provider string    // the binary that BuildProvider made; none for a provider that runs already
	Env      []string  // more environment, as NAME=value; the last one counts
	Echo     io.Writer // gets what the CLI prints as it prints it; may be nil
}

// Workspace is a directory in which the CLI finds the provider under test and
// nothing else: init works offline, and no setting of the caller's gets in.
type Workspace struct {
	CLI CLI
	Dir string // the working directory: configuration, state, plans

	env  []string
	echo io.Writer
}

// NewWorkspace prepares the directory. The provider lies in a mirror below
// .tfcli, under both registries' addresses, as init would have downloaded it;
// a development override would show up as a warning in every output.
func NewWorkspace(o Options) (*Workspace, error) {
	dir, err := filepath.Abs(o.Dir)
	if err != nil {
		return nil, err
	}
	mirror := filepath.Join(dir, ".tfcli", "mirror")
	for _, registry := range []string{"registry.terraform.io", "registry.opentofu.org"} {
		target := filepath.Join(mirror, registry, "streamchat-gdpr", "streamchat", ProviderVersion,
			runtime.GOOS+"_"+runtime.GOARCH, "terraform-provider-streamchat_v"+ProviderVersion+executableSuffix())
		if err := os.MkdirAll(filepath.Dir(target), 0o750); err != nil {
			return nil, err
		}
		if o.Provider == "" {
			continue
		}
		if err := linkOrCopy(o.Provider, target); err != nil {
			return nil, err
		}
	}
	config := filepath.Join(dir, ".tfcli", "cli.tfrc")
	text := fmt.Sprintf("provider_installation {\n  filesystem_mirror {\n    path = %q\n  }\n}\n", mirror)
	if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
		return nil, err
	}
	env := append(cleanEnv(os.Environ()),
		"PWD="+dir,
		"TF_CLI_CONFIG_FILE="+config,
		"CHECKPOINT_DISABLE=1",
		"TF_IN_AUTOMATION=1",
		"TF_INPUT=0",
		"TF_CLI_ARGS=-no-color",
	)
	return &Workspace{CLI: o.CLI, Dir: dir, env: append(env, o.Env...), echo: o.Echo}, nil
}

// WriteFile writes a file of the configuration.
func (w *Workspace) WriteFile(name, content string) error {
	path := filepath.Join(w.Dir, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o750); err != nil {
		return err
	}
	return os.WriteFile(path, []byte(content), 0o600)
}

// Setenv sets a variable for the commands that are started from now on.
func (w *Workspace) Setenv(name, value string) {
	w.env = append(w.env, name+"="+value)
}

// Result is how a run of the CLI ended. ExitCode is -1 for a signal.
type Result struct {
	Stdout, Stderr string
	ExitCode       int
}

// Run runs the CLI to its end. An exit code other than 0 is no error. When ctx
// ends first, the CLI is interrupted and, when that does not help, killed.
func (w *Workspace) Run(ctx context.Context, args ...string) (Result, error) {
	p, err := w.Start(args...)
	if err != nil {
		return Result{}, err
	}
	return p.Wait(ctx)
}

// Start starts the CLI in a process group of its own. The caller must Wait.
func (w *Workspace) Start(args ...string) (*Process, error) {
	p := &Process{done: make(chan struct{})}
	p.stdout = buffer{mu: &p.mu, echo: w.echo}
	p.stderr = buffer{mu: &p.mu, echo: w.echo}
	p.cmd = exec.Command(w.CLI.Path, args...) //nolint:noctx // Wait ends it, by steps.
	p.cmd.Dir = w.Dir
	p.cmd.Env = w.env
	p.cmd.Stdout = &p.stdout
	p.cmd.Stderr = &p.stderr
	p.cmd.WaitDelay = drain
	ownProcessGroup(p.cmd)
	if err := p.cmd.Start(); err != nil {
		return nil, err
	}
	go func() {
		p.err = p.cmd.Wait()
		close(p.done)
	}()
	return p, nil
}

// Process is a running CLI.
type Process struct {
	cmd            *exec.Cmd
	mu             sync.Mutex // of both buffers, and so of Echo
	stdout, stderr buffer
	done           chan struct{} // closed when the process has ended
	err            error         // of cmd.Wait; read after done
}

// PID is the CLI's process id, and the id of its process group.
func (p *Process) PID() int { return p.cmd.Process.Pid }

// Signal signals the CLI alone.
func (p *Process) Signal(sig os.Signal) error { return p.cmd.Process.Signal(sig) }

// SignalGroup signals the CLI and its providers, as a terminal or a CI runner
// does. Not on Windows.
func (p *Process) SignalGroup(sig os.Signal) error { return signalGroup(p.PID(), sig) }

// ProviderPIDs are the running provider processes that this CLI started.
func (p *Process) ProviderPIDs() ([]int, error) { return providerPIDs(p.PID()) }

// Stdout is what the CLI has printed so far.
func (p *Process) Stdout() string { return p.stdout.String() }

// Stderr is what the CLI has printed to its standard error so far.
func (p *Process) Stderr() string { return p.stderr.String() }

// WaitFor waits until the output holds text: the moment to send a signal.
func (p *Process) WaitFor(ctx context.Context, text string) error {
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for {
		// Asked before looking, so that the last output is seen.
		ended := false
		select {
		case <-p.done:
			ended = true
		default:
		}
		if strings.Contains(p.Stdout(), text) || strings.Contains(p.Stderr(), text) {
			return nil
		}
		if ended {
			return fmt.Errorf("the CLI ended without printing %q", text)
		}
		select {
		case <-p.done:
		case <-tick.C:
		case <-ctx.Done():
			return fmt.Errorf("waiting for %q: %w", text, ctx.Err())
		}
	}
}

// Wait waits for the CLI to end. When ctx ends first, it interrupts the CLI,
// kills what is left of the group, and returns what was printed with ctx's
// error.
func (p *Process) Wait(ctx context.Context) (Result, error) {
	var cut error
	select {
	case <-p.done:
	case <-ctx.Done():
		cut = fmt.Errorf("the CLI was still running: %w", ctx.Err())
		_ = p.Signal(os.Interrupt) // It may have ended this moment, here and below.
		select {
		case <-p.done:
		case <-time.After(grace):
			_ = p.Signal(os.Kill)
		}
		_ = p.SignalGroup(os.Kill)
		<-p.done
	}
	r := Result{Stdout: p.Stdout(), Stderr: p.Stderr(), ExitCode: p.cmd.ProcessState.ExitCode()}
	if exit := new(exec.ExitError); cut == nil && p.err != nil &&
		!errors.As(p.err, &exit) && !errors.Is(p.err, exec.ErrWaitDelay) {
		return r, p.err
	}
	return r, cut
}

// buffer is a bytes.Buffer that may be read while the CLI prints.
type buffer struct {
	mu   *sync.Mutex
	buf  bytes.Buffer
	echo io.Writer
}

func (b *buffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.echo != nil {
		_, _ = b.echo.Write(p) // A closed terminal does not stop the CLI.
	}
	return b.buf.Write(p)
}

func (b *buffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.String()
}

// linkOrCopy makes target the same file as source, or a copy of it where the
// file system does not let it be.
func linkOrCopy(source, target string) error {
	if err := os.Link(source, target); err == nil || errors.Is(err, os.ErrNotExist) {
		return err
	}
	binary, err := os.ReadFile(source)
	if err != nil {
		return err
	}
	return os.WriteFile(target, binary, 0o755)
}
