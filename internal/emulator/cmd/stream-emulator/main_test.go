// Copyright (c) the terraform-provider-streamchat authors
// SPDX-License-Identifier: MPL-2.0

package main

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	stream "github.com/GetStream/stream-chat-go/v6"

	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/emulator"
)

// signalWriter tells when the command says that it listens.
type signalWriter struct {
	bytes.Buffer
	ready chan struct{}
}

func (w *signalWriter) Write(p []byte) (int, error) {
	n, err := w.Buffer.Write(p)
	close(w.ready)
	return n, err
}

func TestCommand(t *testing.T) {
	dir := t.TempDir()
	seed, port, log := filepath.Join(dir, "seed.json"), filepath.Join(dir, "port"), filepath.Join(dir, "log")
	if err := os.WriteFile(seed, []byte(`{"users":[{"id":"alice"},{"id":"bob"}]}`), 0o600); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	out := &signalWriter{ready: make(chan struct{})}
	done := make(chan error, 1)
	go func() {
		done <- run(ctx, []string{
			"-seed", seed, "-port-file", port, "-log", log, "-task-delay", "0s", "-app-name", "Demo", "-500", "1",
			"-delete-users-limit", "2", "-fault", "op=GetApp,kind=html-502", "-fail-user", "bob",
		}, out, os.Stderr)
	}()
	select {
	case <-out.ready:
	case err := <-done:
		t.Fatal(err)
	}
	raw, err := os.ReadFile(port)
	if err != nil {
		t.Fatal(err)
	}
	p, ok := strings.CutSuffix(string(raw), "\n")
	if !ok || strings.TrimSpace(p) != p {
		t.Errorf("the port file holds %q", raw)
	}
	if want := "Stream Chat emulator on http://127.0.0.1:" + p + ", api key emulator-key\n"; out.String() != want {
		t.Errorf("it said %q, want %q", out.String(), want)
	}

	sdk, err := stream.NewClient(emulator.DefaultAPIKey, emulator.DefaultAPISecret)
	if err != nil {
		t.Fatal(err)
	}
	sdk.BaseURL = "http://127.0.0.1:" + p
	if _, err := sdk.GetAppSettings(ctx); err == nil {
		t.Error("the fault did not strike")
	}
	app, err := sdk.GetAppSettings(ctx)
	if err != nil || app.App.Name != "Demo" {
		t.Errorf("got %+v %v", app, err)
	}
	hard := stream.DeleteUserOptions{User: stream.HardDelete}
	if _, err := sdk.DeleteUsers(ctx, []string{"alice"}, hard); err == nil {
		t.Error("the fault did not strike")
	}
	resp, err := sdk.DeleteUsers(ctx, []string{"alice", "bob"}, hard)
	if err != nil {
		t.Fatal(err)
	}
	task, err := sdk.GetTask(ctx, resp.TaskID)
	if err != nil || task.Status != stream.TaskStatusCompleted || task.Result["bob"].(map[string]any)["status"] != "error" {
		t.Errorf("the task is %+v %v", task, err)
	}

	cancel()
	select {
	case err := <-done:
		if err != nil {
			t.Errorf("it ended with %v", err)
		}
	case <-time.After(10 * time.Second):
		t.Fatal("it does not end")
	}
	lines, err := os.ReadFile(log)
	if err != nil || bytes.Count(lines, []byte("\n")) != 5 || !bytes.Contains(lines, []byte(`"op":"DeleteUsers"`)) {
		t.Errorf("the log is %s %v", lines, err)
	}
	left, err := filepath.Glob(port + ".*")
	if err != nil || len(left) != 0 {
		t.Errorf("left behind %v", left)
	}
}

func TestRefusals(t *testing.T) {
	for _, test := range []struct {
		args string
		want string
	}{
		{"-listen 0.0.0.0:0", "loopback only"},
		{"-seed /does/not/exist", "no such file"},
		{"-window 0s", "must be positive"},
		{"extra", "unexpected argument"},
		{"-fault kind=explode", "usage"},
		{"-500 many", "usage"},
		{"-port-file /does/not/exist/port", "no such file"},
	} {
		err := run(t.Context(), strings.Fields(test.args), &bytes.Buffer{}, &bytes.Buffer{})
		if err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: got %v", test.args, err)
		}
	}
	if err := run(t.Context(), []string{"-h"}, &bytes.Buffer{}, &bytes.Buffer{}); !errors.Is(err, flag.ErrHelp) {
		t.Errorf("got %v", err)
	}
}
