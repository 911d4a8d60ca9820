// Copyright (c) the terraform-provider-streamchat authors
// SPDX-License-Identifier: MPL-2.0

package main

import (
	"bytes"
	"context"
	"encoding/json"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/tfcli"
)

// TestSameAsTheCLI holds the printed schema against what the CLI prints, as far
// as every supported CLI prints it.
func TestSameAsTheCLI(t *testing.T) {
	root, err := tfcli.RepoRoot()
	if err != nil {
		t.Fatal(err)
	}
	cli, err := tfcli.Find(root)
	if err != nil {
		t.Skipf("%v: run make cli", err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	binary, err := tfcli.BuildProvider(ctx, root, t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	w, err := tfcli.NewWorkspace(tfcli.Options{CLI: cli, Dir: t.TempDir(), Provider: binary})
	if err != nil {
		t.Fatal(err)
	}
	if err := w.WriteFile("main.tf", `
terraform {
  required_providers {
    streamchat = { source = "streamchat-gdpr/streamchat" }
  }
}
`); err != nil {
		t.Fatal(err)
	}
	var theirs tfcli.Result
	for _, args := range [][]string{{"init"}, {"providers", "schema", "-json"}} {
		if theirs, err = w.Run(ctx, args...); err != nil || theirs.ExitCode != 0 {
			t.Fatalf("%s: %+v, %v", args[0], theirs, err)
		}
	}
	var ours bytes.Buffer
	if err := run(ctx, &ours); err != nil {
		t.Fatal(err)
	}
	got, want := parse(t, ours.Bytes()), parse(t, []byte(theirs.Stdout))
	for _, key := range []string{
		"provider", "resource_schemas", "data_source_schemas", "ephemeral_resource_schemas", "functions",
	} {
		if diff := cmp.Diff(want[key], got[key]); diff != "" {
			t.Errorf("%s differs (-%s +schema):\n%s", key, cli, diff)
		}
	}
}

// parse returns the one provider's schema.
func parse(t *testing.T, text []byte) map[string]any {
	t.Helper()
	var all struct {
		Schemas map[string]map[string]any `json:"provider_schemas"`
	}
	if err := json.Unmarshal(text, &all); err != nil {
		t.Fatal(err)
	}
	for _, schema := range all.Schemas {
		return schema
	}
	t.Fatal("no provider's schema")
	return nil
}
