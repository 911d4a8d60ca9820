// Copyright (c) the terraform-provider-streamchat authors
// SPDX-License-Identifier: MPL-2.0

// Package signals keeps the provider alive while Terraform winds down.
package signals

import (
	"os"
	"os/signal"
	"syscall"
	"time"
)

// OutliveTermination makes the process survive SIGTERM, and live exactly as long
// as its parent. CI systems send SIGTERM to the whole process group: a provider
// that dies of it takes the record of a running deletion with it, while Terraform
// waits for the provider, saves what it says and ends it
// (terraform-behaviour.md §0.5). Of an orphan nobody would take a record.
func OutliveTermination() {
	parent := os.Getppid()
	signal.Notify(make(chan os.Signal, 1), syscall.SIGTERM)
	go func() {
		for range time.Tick(time.Second) {
			if os.Getppid() != parent {
				os.Exit(1)
			}
		}
	}()
}
