// Copyright (c) the terraform-provider-streamchat authors
// SPDX-License-Identifier: MPL-2.0

// Command tfcli prints the path of Terraform or OpenTofu. Where there is
// neither it builds OpenTofu first. With -env it prints the shell commands
// that point the acceptance tests to it; with -opentofu it is about OpenTofu
// alone, whether there is a Terraform or not.
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"

	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/tfcli"
)

func main() {
	env := flag.Bool("env", false, "print export commands for a shell")
	openTofu := flag.Bool("opentofu", false, "OpenTofu, also where there is a Terraform")
	flag.Parse()
	find := tfcli.Ensure
	if *openTofu {
		find = tfcli.EnsureOpenTofu
	}
	if err := run(find, *env); err != nil {
		fmt.Fprintln(os.Stderr, "tfcli:", err)
		os.Exit(1)
	}
}

func run(find func(ctx context.Context, repoRoot string, log io.Writer) (tfcli.CLI, error), env bool) error {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	root, err := tfcli.RepoRoot()
	if err != nil {
		return err
	}
	cli, err := find(ctx, root, os.Stderr)
	if err != nil {
		return err
	}
	if !env {
		fmt.Println(cli.Path)
		return nil
	}
	fmt.Fprintf(os.Stderr, "Using %s at %s.\n", cli, cli.Path)
	for _, kv := range cli.AcceptanceEnv() {
		name, value, _ := strings.Cut(kv, "=")
		fmt.Printf("export %s='%s'\n", name, strings.ReplaceAll(value, "'", `'\''`))
	}
	return nil
}
