// Copyright (c) the terraform-provider-streamchat authors
// SPDX-License-Identifier: MPL-2.0

package user_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/acctest"
)

// The size benchmarks run the real CLI once each; Stream's limit of six calls a
// minute is lifted, so that they measure everything but that. Run one with
//
//	go test ./internal/user -run '^$' -bench Erasures/40000 -benchtime 1x -timeout 60m
func BenchmarkErasures(b *testing.B) {
	batches := `
locals {
  leavers = chunklist(split("\n", file("leavers.txt")), 1000)
}

resource "streamchat_user_erasure_batch" "leavers" {
  for_each = { for i, ids in local.leavers : format("%03d", i) => ids }
  user_ids = each.value
  delete { user = "hard" }
}`
	single := `
resource "streamchat_user_erasure" "leavers" {
  for_each = { for i, id in split("\n", file("leavers.txt")) : format("DSR-%05d", i) => id }
  user_id  = each.value
  delete { user = "hard" }
}`
	for _, size := range []struct {
		name, body string
		users      int
	}{
		{"1000/batch", batches, 1000},
		{"1000/for_each", single, 1000},
		{"40000/batches", batches, 40_000},
	} {
		b.Run(size.name, func(b *testing.B) {
			for b.Loop() {
				eraseMany(b, size.body, size.users)
			}
		})
	}
}

func eraseMany(b *testing.B, body string, users int) {
	b.StopTimer()
	s := acctest.Start(b)
	ids, seed := make([]string, users), make([]string, users)
	for i := range ids {
		ids[i] = fmt.Sprintf("leaver-%d", i)
		seed[i] = fmt.Sprintf("{\"id\":%q}", ids[i])
	}
	if err := s.Seed(strings.NewReader(`{"users":[` + strings.Join(seed, ",") + `]}`)); err != nil {
		b.Fatal(err)
	}
	w := s.Installed(b, acctest.CLI(b), "max_erasures = 100000\n  delete_calls_per_minute = 1000", body)
	if err := w.WriteFile("leavers.txt", strings.Join(ids, "\n")); err != nil { // range() ends at 1,024
		b.Fatal(err)
	}
	b.StartTimer()
	start := time.Now()
	p, err := w.Start("apply", "-auto-approve")
	if err != nil {
		b.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Hour)
	defer cancel()
	stop := acctest.WatchProviders(p)
	r, err := p.Wait(ctx)
	_, peak := stop()
	if err != nil || r.ExitCode != 0 {
		b.Fatalf("%v\n%s", err, r.Stderr)
	}
	applied := time.Since(start)
	state, err := os.Stat(filepath.Join(w.Dir, "terraform.tfstate"))
	if err != nil {
		b.Fatal(err)
	}
	b.ReportMetric(applied.Seconds(), "apply-s")
	b.ReportMetric(float64(s.Count("")), "calls")
	b.ReportMetric(float64(s.Count("DeleteUsers")), "deletions")
	b.ReportMetric(float64(peak), "provider-MiB")
	b.ReportMetric(float64(state.Size())/(1<<20), "state-MiB")
	s.ResetRequests()
	start = time.Now()
	if r, err := w.Workspace.Run(ctx, "plan", "-detailed-exitcode"); err != nil || r.ExitCode != 0 {
		b.Fatalf("second plan: %v %s%s", err, r.Stdout, r.Stderr)
	}
	b.ReportMetric(time.Since(start).Seconds(), "replan-s")
	b.ReportMetric(float64(s.Count("")), "replan-calls")
}
