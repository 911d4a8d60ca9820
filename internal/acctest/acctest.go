// Copyright (c) the terraform-provider-streamchat authors
// SPDX-License-Identifier: MPL-2.0

// Package acctest runs the provider under a real Terraform or OpenTofu against
// the emulator: in process through plugin-testing, or as a binary through the
// CLI where warnings, saved plans and signals matter.
package acctest

import (
	"context"
	"errors"
	"fmt"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	stream_chat "github.com/GetStream/stream-chat-go/v6"
	"github.com/hashicorp/terraform-plugin-framework/providerserver"
	"github.com/hashicorp/terraform-plugin-go/tfprotov6"

	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/clock"
	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/emulator"
	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/provider"
	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/tfcli"
)

// Source is the provider's address in a configuration; both CLIs find it there.
const Source = "registry.terraform.io/streamchat-gdpr/streamchat"

// PseudonymKey is the key of receipts in tests.
const PseudonymKey = "test-pseudonym-key"

var cli = sync.OnceValues(func() (tfcli.CLI, error) {
	root, err := tfcli.RepoRoot()
	if err != nil {
		return tfcli.CLI{}, err
	}
	return tfcli.Find(root)
})

// CLI gives the CLI to test with, and sets plugin-testing up to use it. Without
// one the test is skipped; make test makes sure that there is one.
func CLI(t testing.TB) tfcli.CLI {
	t.Helper()
	c, err := cli()
	if errors.Is(err, tfcli.ErrNotFound) {
		t.Skip("no Terraform or OpenTofu: run make test, which builds OpenTofu")
	}
	if err != nil {
		t.Fatal(err)
	}
	for _, pair := range c.AcceptanceEnv() {
		name, value, _ := strings.Cut(pair, "=")
		if err := os.Setenv(name, value); err != nil { // t.Setenv forbids parallel tests; it is the same for all
			t.Fatal(err)
		}
	}
	return c
}

// CLIs gives every CLI on this machine, one of each flavor.
func CLIs(t testing.TB) []tfcli.CLI {
	t.Helper()
	CLI(t)
	root, err := tfcli.RepoRoot()
	if err != nil {
		t.Fatal(err)
	}
	return tfcli.All(root)
}

// Stream is an emulated Stream with a client of the SDK's.
type Stream struct {
	*emulator.Emulator
	SDK *stream_chat.Client
	URL string

	memory *memory // nil when it listens on a socket
}

// Start starts an emulator whose tasks end quickly and whose limit for
// deletions is out of the way.
func Start(t testing.TB, change ...func(*emulator.Options)) *Stream {
	t.Helper()
	o := emulator.Options{TaskDelay: 100 * time.Millisecond, DeleteUsersLimit: 1000}
	for _, do := range change {
		do(&o)
	}
	e := emulator.New(o)
	server := httptest.NewServer(e)
	t.Cleanup(func() {
		e.Close()
		server.CloseClientConnections()
		server.Close()
	})
	sdk, err := stream_chat.NewClient(e.APIKey(), e.APISecret())
	if err != nil {
		t.Fatal(err)
	}
	sdk.BaseURL = server.URL
	return &Stream{Emulator: e, SDK: sdk, URL: server.URL}
}

// Seeded is Start with data in it.
func Seeded(t testing.TB, seed string, change ...func(*emulator.Options)) *Stream {
	t.Helper()
	CLI(t)
	s := Start(t, change...)
	s.Fill(t, seed)
	return s
}

// Users creates users.
func (s *Stream) Users(t testing.TB, ids ...string) {
	t.Helper()
	users := make([]*stream_chat.User, len(ids))
	for i, id := range ids {
		users[i] = &stream_chat.User{ID: id, Name: "Name of " + id}
	}
	for chunk := users; len(chunk) > 0; {
		n := min(len(chunk), 100)
		if _, err := s.SDK.UpsertUsers(context.Background(), chunk[:n]...); err != nil {
			t.Fatal(err)
		}
		chunk = chunk[n:]
	}
	s.ResetRequests()
}

// Config is a configuration with the provider set up for this emulator. extra
// goes into the provider block; it may override the credentials.
func (s *Stream) Config(extra, body string) string {
	lines := []string{
		fmt.Sprintf("base_url = %q", s.URL),
		fmt.Sprintf("api_key = %q", s.APIKey()),
		fmt.Sprintf("api_secret = %q", s.APISecret()),
		fmt.Sprintf("pseudonym_key = %q", PseudonymKey),
		"delete_calls_per_minute = 1000",
	}
	var kept []string
	for _, line := range lines {
		name, _, _ := strings.Cut(line, " ")
		if !strings.Contains(extra, name+" ") {
			kept = append(kept, line)
		}
	}
	return fmt.Sprintf("provider \"streamchat\" {\n  %s\n  %s\n}\n\n%s", strings.Join(kept, "\n  "), extra, body)
}

// Factories serve the provider to plugin-testing.
func Factories() map[string]func() (tfprotov6.ProviderServer, error) {
	return map[string]func() (tfprotov6.ProviderServer, error){
		"streamchat": providerserver.NewProtocol6WithError(provider.New("test", clock.Real{})()),
	}
}

var built struct {
	once sync.Once
	path string
	err  error
}

// Binary builds the provider once per test binary.
func Binary(t testing.TB) string {
	t.Helper()
	built.once.Do(func() {
		root, err := tfcli.RepoRoot()
		if err != nil {
			built.err = err
			return
		}
		dir, err := os.MkdirTemp("", "streamchat-provider-")
		if err != nil {
			built.err = err
			return
		}
		built.path, built.err = tfcli.BuildProvider(context.Background(), root, dir)
	})
	if built.err != nil {
		t.Fatal(built.err)
	}
	return built.path
}

func removeBinary() {
	if built.path != "" {
		_ = os.RemoveAll(filepath.Dir(built.path))
	}
}

// Workspace is a directory with the CLI and a configuration for this emulator.
type Workspace struct {
	*tfcli.Workspace
	t      testing.TB
	stream *Stream
	served bool
	beside map[string]tfprotov6.ProviderServer
}

// Beside serves another provider, under the address that a configuration without
// required_providers gives its name.
func (w *Workspace) Beside(name string, server tfprotov6.ProviderServer) {
	registry := "registry.terraform.io"
	if w.CLI.Flavor == tfcli.OpenTofu {
		registry = "registry.opentofu.org"
	}
	if w.beside == nil {
		w.beside = map[string]tfprotov6.ProviderServer{}
	}
	w.beside[registry+"/hashicorp/"+name] = server
}

// Workspace is for the CLI under test. The provider runs in the test's process, a
// new one for each run of the CLI, which costs a third of starting it: Terraform
// does so three times in a plan. What is about the process (signals, its
// environment, its log, two provider blocks) needs Installed.
func (s *Stream) Workspace(t testing.TB, extra, body string) *Workspace {
	t.Helper()
	return s.workspace(t, CLI(t), "", extra, body)
}

// Installed is a workspace in which the CLI finds and starts the provider's binary,
// as a user's does.
func (s *Stream) Installed(t testing.TB, cli tfcli.CLI, extra, body string) *Workspace {
	t.Helper()
	ws := s.workspace(t, cli, Binary(t), extra, body)
	if r := ws.Run("init"); r.ExitCode != 0 {
		t.Fatalf("init: %s%s", r.Stdout, r.Stderr)
	}
	return ws
}

func (s *Stream) workspace(t testing.TB, cli tfcli.CLI, binary, extra, body string) *Workspace {
	t.Helper()
	w, err := tfcli.NewWorkspace(tfcli.Options{CLI: cli, Dir: t.TempDir(), Provider: binary})
	if err != nil {
		t.Fatal(err)
	}
	ws := &Workspace{Workspace: w, t: t, stream: s, served: binary == ""}
	ws.Write(extra, body)
	return ws
}

// Write replaces the configuration.
func (w *Workspace) Write(extra, body string) {
	w.t.Helper()
	text := fmt.Sprintf("terraform {\n  required_providers {\n    streamchat = {\n      source = %q\n    }\n  }\n}\n\n", Source) + w.stream.Config(extra, body)
	if err := w.WriteFile("main.tf", text); err != nil {
		w.t.Fatal(err)
	}
}

// Run runs the CLI to its end.
func (w *Workspace) Run(args ...string) tfcli.Result {
	w.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 3*time.Minute)
	defer cancel()
	p, err := w.start(ctx, args...)
	if err != nil {
		w.t.Fatalf("%v: %v", args, err)
	}
	r, err := p.Wait(ctx)
	if err != nil {
		w.t.Fatalf("%v: %v", args, err)
	}
	return r
}

// Start starts the CLI. The caller must wait for it.
func (w *Workspace) Start(args ...string) (*tfcli.Process, error) {
	return w.start(w.t.Context(), args...)
}

func (w *Workspace) start(ctx context.Context, args ...string) (*tfcli.Process, error) {
	if w.served {
		attach, err := serve(ctx, w.t, w.beside)
		if err != nil {
			return nil, err
		}
		w.Setenv("TF_REATTACH_PROVIDERS", attach)
	}
	return w.Workspace.Start(args...)
}

// Output is all that a run printed.
func Output(r tfcli.Result) string { return r.Stdout + r.Stderr }
