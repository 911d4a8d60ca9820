// Copyright (c) the terraform-provider-streamchat authors
// SPDX-License-Identifier: MPL-2.0

//go:build unix

package resilience

import (
	"context"
	"fmt"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/acctest"
	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/emulator"
	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/tfcli"
)

// moment is a point in the life of a submission at which a run is cut off: the
// operation at which a fault holds it.
type moment struct {
	name string
	// op is empty where the subject has no such moment.
	op   func(sub subject) string
	kind emulator.FaultKind
	// afterSubmission lets everything pass that comes before the deed.
	afterSubmission bool
}

func lookUpOf(sub subject) string   { return sub.lookUp }
func submitOf(sub subject) string   { return sub.submit }
func pollOf(sub subject) string     { return sub.poll }
func downloadOf(sub subject) string { return sub.download }

// answerOf is the submission that answers with the export itself.
func answerOf(sub subject) string {
	if sub.isExport() && sub.poll == "" {
		return sub.submit
	}
	return ""
}

var moments = []moment{
	{name: "before the request", op: lookUpOf, kind: emulator.FaultHang},
	{name: "sent, not carried out", op: submitOf, kind: emulator.FaultHangBefore},
	{name: "carried out, not answered", op: submitOf, kind: emulator.FaultHang},
	{name: "half of the answer came", op: answerOf, kind: emulator.FaultStall},
	{name: "the task runs", op: pollOf, kind: emulator.FaultNotYet},
	{name: "the last poll", op: pollOf, kind: emulator.FaultHang},
	{name: "the look-up after it", op: lookUpOf, kind: emulator.FaultHang, afterSubmission: true},
	{name: "the download", op: downloadOf, kind: emulator.FaultStall},
}

// kill is a way to cut a run off.
type kill struct {
	name string
	// timeouts of the resource; empty is the default.
	timeouts string
	// waits: Terraform waits for the provider, so that what Stream answers to a
	// deletion now still gets into the record.
	waits bool
	do    func(t *testing.T, p *tfcli.Process)
}

var kills = []kill{
	{name: "SIGINT", waits: true, do: func(t *testing.T, p *tfcli.Process) {
		send(t, p.SignalGroup(os.Interrupt))
		heard(t, p)
	}},
	{name: "SIGINT twice", do: func(t *testing.T, p *tfcli.Process) {
		send(t, p.SignalGroup(os.Interrupt))
		heard(t, p)
		_ = p.SignalGroup(os.Interrupt) // It may have ended of the first.
	}},
	{name: "SIGTERM to the group", waits: true, do: func(t *testing.T, p *tfcli.Process) {
		send(t, p.SignalGroup(syscall.SIGTERM))
		heard(t, p)
	}},
	{name: "SIGKILL of the provider", do: func(t *testing.T, p *tfcli.Process) {
		pids, err := p.ProviderPIDs()
		if err != nil || len(pids) == 0 {
			t.Fatalf("provider processes: %v, %v", pids, err)
		}
		for _, pid := range pids {
			send(t, syscall.Kill(pid, syscall.SIGKILL))
		}
	}},
	{name: "SIGKILL of Terraform", do: func(t *testing.T, p *tfcli.Process) {
		pids, err := p.ProviderPIDs()
		if err != nil {
			t.Fatal(err)
		}
		send(t, p.Signal(os.Kill))
		// An orphan may finish the request that it has sent, and ends.
		for _, pid := range pids {
			acctest.Eventually(t, "the orphaned provider ends", func() bool { return syscall.Kill(pid, 0) != nil })
		}
	}},
	{name: "timeout", timeouts: "2s", do: func(*testing.T, *tfcli.Process) {}},
}

func send(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func heard(t *testing.T, p *tfcli.Process) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	if err := p.WaitFor(ctx, "Interrupt received"); err != nil {
		t.Fatalf("%v\n%s%s", err, p.Stdout(), p.Stderr())
	}
}

// cell is one subject, cut off once.
type cell struct {
	subject subject
	moment  moment
	kill    kill
}

// fast are the cells of a plain test run: every kill where it hurts most, and
// every subject once.
func (c cell) fast() bool {
	switch c.subject.name {
	case "user erasure":
		return c.moment.name == "carried out, not answered" || c.moment.name == "the task runs"
	case "user erasure batch":
		return c.moment.name == "carried out, not answered" && c.kill.name == "SIGTERM to the group" ||
			c.moment.name == "the last poll" && c.kill.name == "SIGINT"
	case "channel erasure":
		return c.moment.name == "the task runs" && (c.kill.name == "SIGINT" || c.kill.name == "SIGKILL of the provider")
	case "message erasure":
		return c.moment.name == "carried out, not answered" && (c.kill.name == "SIGINT" || c.kill.name == "SIGKILL of Terraform")
	case "user export":
		return c.moment.name == "half of the answer came" && c.kill.name == "SIGTERM to the group"
	case "channel export":
		return c.moment.name == "the download" && c.kill.name == "SIGKILL of the provider"
	}
	return false
}

// TestKill cuts a run off at every moment in every way, and checks in each case
// that nothing is recorded that did not happen, that nothing that happened is
// lost for good, and that the guide says what becomes of it.
func TestKill(t *testing.T) {
	t.Parallel()
	clis := []tfcli.CLI{acctest.CLI(t)}
	if *full {
		clis = acctest.CLIs(t)
	}
	guide := readGuide(t, "interruptions.md")
	for _, cli := range clis {
		for _, sub := range subjects {
			for _, m := range moments {
				for _, k := range kills {
					c := cell{sub, m, k}
					if m.op(sub) == "" || !*full && !c.fast() {
						continue
					}
					t.Run(strings.Join([]string{cli.Flavor, sub.name, m.name, k.name}, "/"), func(t *testing.T) {
						t.Parallel()
						got := c.run(t, cli)
						guide.check(t, sub.name, m.name, k.name, got)
					})
				}
			}
		}
	}
}

// run cuts the run off and tells what came of it, in the words of the guide:
// what the state holds, what the next plan says, how often Stream did it in the
// end.
func (c cell) run(t *testing.T, cli tfcli.CLI) string {
	s := start(t)
	more := c.subject.untilDone()
	if c.kill.timeouts != "" {
		more += fmt.Sprintf("\n  timeouts = { create = %q }", c.kill.timeouts)
	}
	const impatient = "request_timeout = \"4s\"\n  max_retries = 1\n  max_erasures = 1000"
	w := s.Installed(t, cli, impatient, c.subject.block(more))
	acctest.Expect(t, w.Run("plan", "-out=first"), 0)
	s.ResetRequests()

	release := make(chan struct{})
	fault := emulator.Fault{Op: c.moment.op(c.subject), Kind: c.moment.kind, Times: emulator.Forever, Release: release}
	submitted := make(chan struct{})
	if c.moment.afterSubmission {
		s.AddFault(emulator.Fault{Op: c.subject.submit, Kind: emulator.FaultHang, Times: emulator.Forever, Release: submitted})
	} else {
		s.AddFault(fault)
	}
	p, err := w.Start("apply", "first")
	if err != nil {
		t.Fatal(err)
	}
	before := 0
	if c.moment.afterSubmission {
		acctest.Eventually(t, "it is submitted", func() bool { return s.Count(c.subject.submit) > 0 })
		before = s.Count(fault.Op)
		s.AddFault(fault)
		close(submitted)
	}
	acctest.Eventually(t, "the run is at "+c.moment.name, func() bool { return s.Count(fault.Op) > before })
	c.kill.do(t, p)
	if c.kill.waits && c.moment.name == "carried out, not answered" && !c.subject.isExport() {
		close(release)
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	cut, err := p.Wait(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if cut.ExitCode == 0 {
		t.Errorf("a run that was cut off ended well:\n%s", acctest.Output(cut))
	}

	if fault.Kind != emulator.FaultNotYet {
		s.ClearFaults()
	}
	recorded := c.recorded(t, s, w, carriedOut(s, c.subject))
	w.Write(impatient, c.subject.block(c.subject.untilDone())) // without the timeout
	next := c.next(t, w)
	s.ClearFaults()
	if next == "refuses" {
		c.importIt(t, s, w)
		return recorded + "; " + next + ", import it; once"
	}
	acctest.Expect(t, w.Run("apply", "next"), 0)
	c.completed(t, s, w)
	acctest.Expect(t, w.Run("plan", "-detailed-exitcode"), 0)
	return fmt.Sprintf("%s; %s; %s", recorded, next, times(carriedOut(s, c.subject)))
}

func times(n int) string {
	switch n {
	case 1:
		return "once"
	case 2:
		return "twice"
	}
	return fmt.Sprintf("%d times", n)
}

// recorded tells what the state holds, and checks that it is true.
func (c cell) recorded(t *testing.T, s *acctest.Stream, w *acctest.Workspace, done int) string {
	t.Helper()
	values, tainted := w.Record(c.subject.address)
	if c.subject.isExport() {
		there := exported(t, w.Dir, c.subject, strings.HasPrefix(c.kill.name, "SIGKILL"))
		if values == nil {
			return "nothing"
		}
		if !there {
			t.Error("a record without its file")
		}
		return "the export"
	}
	if values == nil {
		return "nothing"
	}
	status, _ := values["status"].(string)
	switch status {
	case "submitted":
		if done == 0 {
			t.Error("recorded as submitted, and Stream did nothing")
		}
	case "completed":
		if !c.subject.gone(s) {
			t.Error("recorded as completed, and it is still there")
		}
	}
	if tainted {
		return status + ", tainted"
	}
	return status
}

// next plans and tells what the plan says.
func (c cell) next(t *testing.T, w *acctest.Workspace) string {
	t.Helper()
	r := w.Run("plan", "-out=next", "-detailed-exitcode")
	switch out := r.Stdout; {
	case r.ExitCode == 1:
		return "refuses"
	case r.ExitCode == 0:
		return "no changes"
	case strings.Contains(out, "must be replaced"), strings.Contains(out, "is tainted"):
		return "replace"
	case strings.Contains(out, "will be updated in-place"):
		return "update"
	case strings.Contains(out, "will be created"):
		return "create"
	}
	t.Errorf("what does this plan say?\n%s", acctest.Output(r))
	return ""
}

// completed checks that one more apply has brought it to its end, and that the
// record is true.
func (c cell) completed(t *testing.T, s *acctest.Stream, w *acctest.Workspace) {
	t.Helper()
	values, tainted := w.Record(c.subject.address)
	if values == nil || tainted {
		t.Fatalf("one more apply left %v, tainted %v", values, tainted)
	}
	if c.subject.isExport() {
		if !exported(t, w.Dir, c.subject, false) {
			t.Error("no file")
		}
		return
	}
	if values["status"] != "completed" || !c.subject.gone(s) {
		t.Errorf("one more apply left %v, gone at Stream: %v", values["status"], c.subject.gone(s))
	}
}

// importIt adopts a subject that Stream no longer shows.
func (c cell) importIt(t *testing.T, s *acctest.Stream, w *acctest.Workspace) {
	t.Helper()
	if !c.subject.gone(s) {
		t.Fatalf("refused, and it is still there:\n%s", acctest.Output(w.Run("plan")))
	}
	acctest.Expect(t, w.Run("import", c.subject.address, c.subject.id), 0)
	values, _ := w.Record(c.subject.address)
	if values["outcome"] != "adopted" {
		t.Errorf("imported: %v", values)
	}
	acctest.Expect(t, w.Run("apply", "-auto-approve"), 0)
	acctest.Expect(t, w.Run("plan", "-detailed-exitcode"), 0)
}
