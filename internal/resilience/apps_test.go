// Copyright (c) the terraform-provider-streamchat authors
// SPDX-License-Identifier: MPL-2.0

//go:build unix

package resilience

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/acctest"
	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/emulator"
)

// beginning is how the run ended that made the record, before somebody came with the
// credentials of another app.
type beginning struct {
	name string
	// needs is what the subject must have for it; nil is nothing.
	needs func(sub subject) bool
	// leaves is the record that it leaves.
	leaves func(sub subject) string
	do     func(t *testing.T, s *acctest.Stream, w *acctest.Workspace, sub subject)
}

func polled(sub subject) bool { return sub.poll != "" && sub.isErasure() }

var beginnings = []beginning{
	{name: "planned", leaves: func(subject) string { return noRecord }, do: func(*testing.T, *acctest.Stream, *acctest.Workspace, subject) {}},
	{name: "done", leaves: subject.final, do: func(t *testing.T, _ *acctest.Stream, w *acctest.Workspace, _ subject) {
		acctest.Expect(t, w.Run("apply", "first"), 0)
	}},
	{name: "interrupted", needs: polled, leaves: func(subject) string { return submitted }, do: func(t *testing.T, s *acctest.Stream, w *acctest.Workspace, sub subject) {
		s.AddFault(emulator.Fault{Op: sub.poll, Kind: emulator.FaultNotYet, Times: emulator.Forever})
		cutOff(t, s, w, sub.poll, kills[0])
	}},
	{name: "killed", leaves: func(subject) string { return noRecord }, do: func(t *testing.T, s *acctest.Stream, w *acctest.Workspace, sub subject) {
		s.AddFault(emulator.Fault{Op: sub.submit, Kind: emulator.FaultHang, Times: emulator.Forever})
		cutOff(t, s, w, sub.submit, kills[slices.IndexFunc(kills, func(k kill) bool { return k.name == killOfTerraform })])
	}},
	{name: "scheduled, and due", needs: func(sub subject) bool { return sub.due }, leaves: func(subject) string { return scheduled }, do: func(t *testing.T, _ *acctest.Stream, w *acctest.Workspace, sub subject) {
		sub.schedule(t, w, ofTwoApps)
		w.Write(ofTwoApps, sub.block(sub.untilDone()))
	}},
	{name: "failed", needs: func(sub subject) bool { return polled(sub) && (sub.isBatch() || sub.forgets) }, leaves: func(subject) string { return failed }, do: func(t *testing.T, s *acctest.Stream, w *acctest.Workspace, sub subject) {
		s.AddFault(emulator.Fault{Op: sub.submit, Kind: emulator.FaultFailUser})
		acctest.Expect(t, w.Run("apply", "first"), 1)
	}},
}

// cutOff applies the first plan up to an operation, and cuts it off there.
func cutOff(t *testing.T, s *acctest.Stream, w *acctest.Workspace, op string, k kill) {
	t.Helper()
	p, err := w.Start("apply", "first")
	send(t, err)
	acctest.Eventually(t, "the run is at "+op, func() bool { return s.Count(op) > 0 })
	k.do(t, p)
	if _, err := p.Wait(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// abroad are the runs that come with the credentials of the other app. REPLACE stands
// for the replacement of the record.
var abroad = [][]string{
	{"apply", "first"},
	{"plan"},
	{"plan", "-refresh=false"},
	{"apply", "-auto-approve"},
	{"apply", "-auto-approve", "-refresh=false"},
	{"apply", "-auto-approve", "-refresh-only"},
	{"apply", "-auto-approve", "-replace=ADDRESS"},
	{"taint", "ADDRESS"},
	{"apply", "-auto-approve"},
	{"apply", "-auto-approve", "-destroy"},
}

// TestOtherApp comes with the credentials of another app, in which everybody has a
// namesake, to what was planned or done in the first: the saved plan, a record at its end,
// one under way, one that failed. Nothing reaches the other app.
func TestOtherApp(t *testing.T) {
	t.Parallel()
	acctest.CLI(t)
	acctest.Binary(t)
	for _, sub := range slices.Concat(subjects, chained, staged[:2], due[:2]) {
		for _, f := range beginnings {
			if f.needs != nil && !f.needs(sub) || sub.due && f.leaves(sub) != scheduled {
				continue
			}
			if !*full && !fastCrossing(sub, f) {
				continue
			}
			t.Run(sub.name+"/"+f.name, func(t *testing.T) {
				t.Parallel()
				crossing(t, sub, f)
			})
		}
	}
}

// fastCrossing are the cells of a plain test run.
func fastCrossing(sub subject, f beginning) bool {
	switch sub.name + ", " + f.name {
	case "user erasure, planned", "user erasure batch, interrupted", "channel erasure batch, failed", "user deactivation, done",
		"user erasure batch, scheduled, done", "user erasure, due, scheduled, and due",
		"retention policy, done", "user export before an erasure, killed", "channel erasure, interrupted":
		return true
	}
	return false
}

const ofTwoApps = "base_url = null\n  max_erasures = 1000\n  max_retries = 1\n  request_timeout = \"4s\""

func crossing(t *testing.T, sub subject, f beginning) {
	named := func(name string) *acctest.Stream {
		s := acctest.Start(t, func(o *emulator.Options) { o.TaskDelay, o.AppName = -1, name })
		fill(t, s)
		return s
	}
	here, there := named("Staging"), named("Production")
	w := here.Installed(t, acctest.CLI(t), ofTwoApps, sub.block(sub.untilDone()))
	w.Setenv("STREAM_CHAT_URL", here.URL)
	acctest.Expect(t, w.Run("plan", "-out=first"), 0)
	here.ResetRequests()
	f.do(t, here, w, sub)
	recorded := func() string {
		values, _ := w.Record(sub.address)
		switch status, _ := values["status"].(string); {
		case values == nil:
			return noRecord
		case sub.done == "":
			return completed
		default:
			return status
		}
	}
	if got := recorded(); got != f.leaves(sub) {
		t.Fatalf("the first run left %s, not %s", got, f.leaves(sub))
	}
	record, tainted := w.Record(sub.address)
	before := fmt.Sprint(record)
	file, _ := os.ReadFile(filepath.Join(w.Dir, sub.file))

	w.Setenv("STREAM_CHAT_URL", there.URL)
	for _, args := range abroad {
		if record == nil && args[len(args)-1] != "first" {
			break // without a record it is an erasure like any other
		}
		args = strings.Fields(strings.ReplaceAll(strings.Join(args, " "), "ADDRESS", sub.address))
		what := strings.Join(args, " ")
		r := w.Run(args...)
		for _, canary := range canaries {
			if strings.Contains(r.Stderr, canary) && !strings.HasSuffix(what, sub.address) {
				t.Errorf("%s gives away %q: %s", what, canary, r.Stderr)
			}
		}
		// Without a record, and of a tainted one without a refresh, Terraform tells a plan
		// of nothing that was before: then it looks, and no more.
		looks := record == nil || tainted && slices.Contains(args, "-refresh=false")
		for _, q := range there.Requests() {
			if q.Op != "GetApp" && (!looks || mutates(q)) {
				t.Errorf("%s reaches the other app: %s", what, q.Op)
			}
		}
		if !sub.isExport() && sub.gone(there) {
			t.Fatalf("%s: the namesake is %s", what, sub.effect)
		}
		if now, _ := os.ReadFile(filepath.Join(w.Dir, sub.file)); sub.isExport() && string(now) != string(file) {
			t.Errorf("%s changed the file", what)
		}
		switch now, _ := w.Record(sub.address); {
		case args[len(args)-1] == "-destroy": // it forgets, or refuses
		case fmt.Sprint(now) != before:
			t.Errorf("%s changed the record: %v, it was %s", what, now, before)
		}
		if what == "apply first" && r.ExitCode == 0 {
			t.Errorf("%s ended well", what)
		}
		there.ResetRequests()
	}
	if f.leaves(sub) == noRecord {
		return
	}
	if values, _ := w.Record(sub.address); values == nil {
		return // forgotten
	}
	// With the right credentials it goes on where it was.
	w.Setenv("STREAM_CHAT_URL", here.URL)
	here.ClearFaults()
	if sub.erasure != nil {
		acctest.Expect(t, w.Run("untaint", sub.address), 0) // there is nobody left to export
	}
	w.Apply(0)
	if got := recorded(); got != sub.final() {
		t.Errorf("back in its app it is %s", got)
	}
}

// mutates reports that a request is more than a look.
func mutates(q emulator.Request) bool {
	return !slices.Contains([]string{"GetApp", "QueryUsers", "QueryChannels", "GetMessage", "GetRetentionPolicy", "QueryPolls"}, q.Op)
}
