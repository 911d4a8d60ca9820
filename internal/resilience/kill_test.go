// Copyright (c) the terraform-provider-streamchat authors
// SPDX-License-Identifier: MPL-2.0

//go:build unix

package resilience

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
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
	// placed: the provider has put the file in its place, and Terraform, which is
	// stopped, has not saved the record. Only its kill can come then.
	placed bool
}

func lookUpOf(sub subject) string { return sub.lookUp }
func submitOf(sub subject) string { return sub.submit }
func pollOf(sub subject) string   { return sub.poll }
func proofOf(sub subject) string {
	if sub.proves {
		return sub.lookUp
	}
	return ""
}
func downloadOf(sub subject) string { return sub.download }

// answerOf is the submission that answers with the export itself.
func answerOf(sub subject) string {
	if sub.isExport() && sub.poll == "" {
		return sub.submit
	}
	return ""
}

// lastOf is the request whose answer makes the file of an export whole.
func lastOf(sub subject) string {
	if sub.download != "" || !sub.isExport() {
		return sub.download
	}
	return sub.submit
}

// erasureOf is the deed of the erasure that an export goes before.
func erasureOf(sub subject) string {
	if sub.erasure == nil {
		return ""
	}
	return sub.erasure.submit
}

var moments = []moment{
	{name: "before the request", op: lookUpOf, kind: emulator.FaultHang},
	{name: "sent, not carried out", op: submitOf, kind: emulator.FaultHangBefore},
	{name: "carried out, not answered", op: submitOf, kind: emulator.FaultHang},
	{name: "half of the answer came", op: answerOf, kind: emulator.FaultStall},
	{name: "the task runs", op: pollOf, kind: emulator.FaultNotYet},
	{name: "the last poll", op: pollOf, kind: emulator.FaultHang},
	{name: "the look-up after it", op: proofOf, kind: emulator.FaultHang, afterSubmission: true},
	{name: "the download", op: downloadOf, kind: emulator.FaultStall},
	{name: "the file in place, no record", op: lastOf, kind: emulator.FaultHang, placed: true},
	{name: "the erasure carried out, not answered", op: erasureOf, kind: emulator.FaultHang},
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

const killOfTerraform = "SIGKILL of Terraform"

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
	{name: killOfTerraform, do: func(t *testing.T, p *tfcli.Process) {
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

// killCells are all that make sense.
func killCells() (list []cell) {
	for _, sub := range slices.Concat(subjects, shrinking, chained, hidden, staged, due) {
		for _, m := range moments {
			for _, k := range kills {
				if m.op(sub) == "" || k.timeouts != "" && (sub.untimed || m.op(sub) == erasureOf(sub)) || m.placed && k.name != killOfTerraform {
					continue
				}
				list = append(list, cell{sub, m, k})
			}
		}
	}
	return list
}

// fast are the cells of a plain test run: every kill where it hurts most, and every
// moment and every subject once.
func (c cell) fast() bool {
	switch c.subject.name + ", " + c.moment.name {
	case "user erasure, carried out, not answered":
		return true
	case "user erasure, before the request":
		return c.kill.name == "SIGINT twice"
	case "user erasure, the task runs":
		return c.kill.name == "SIGINT" || c.kill.name == "timeout"
	case "user erasure batch, the last poll":
		return c.kill.name == "SIGINT"
	case "channel erasure, the task runs":
		return c.kill.name == "SIGKILL of the provider"
	case "channel erasure batch, the look-up after it":
		return c.kill.name == "SIGTERM to the group"
	case "channel truncation, carried out, not answered":
		return c.kill.name == "SIGINT"
	case "message erasure, sent, not carried out":
		return c.kill.name == killOfTerraform
	case "user deactivation, carried out, not answered":
		return c.kill.name == "SIGTERM to the group"
	case "retention policy, carried out, not answered":
		return c.kill.name == "SIGKILL of the provider"
	case "user export, half of the answer came":
		return c.kill.name == "SIGTERM to the group"
	case "channel export, the download":
		return c.kill.name == "SIGKILL of the provider"
	case "shrinking user erasure batch, the task runs", "shrinking channel erasure batch, sent, not carried out", "channel export before an erasure, the download":
		return c.kill.name == "SIGINT"
	case "user erasure without an id, carried out, not answered", "user erasure batch without an id, the task runs":
		return c.kill.name == "SIGINT" || c.kill.name == killOfTerraform
	case "user erasure, scheduled, carried out, not answered":
		return c.kill.name == "SIGKILL of the provider"
	case "user erasure batch without an id, scheduled, the task runs":
		return c.kill.name == "SIGINT"
	case "user erasure without an id, due, carried out, not answered":
		return c.kill.name == killOfTerraform
	case "user erasure batch, due, the task runs":
		return c.kill.name == "SIGTERM to the group"
	case "user export before an erasure, the file in place, no record":
		return true
	case "user export before an erasure, the erasure carried out, not answered":
		return c.kill.name == "SIGTERM to the group"
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
		for _, c := range killCells() {
			if !*full && !c.fast() {
				continue
			}
			t.Run(strings.Join([]string{cli.Flavor, c.subject.name, c.moment.name, c.kill.name}, "/"), func(t *testing.T) {
				t.Parallel()
				got := c.run(t, cli)
				guide.check(t, c.subject.name, c.moment.name, c.kill.name, got)
			})
		}
	}
	if *full && !strings.Contains(flag.Lookup("test.run").Value.String(), "/") {
		t.Cleanup(func() { guide.filled(t) }) // when the cells have run
	}
}

// run cuts the run off and tells what came of it, in the words of the guide:
// what the state holds, what the next plan says, how often Stream did it in the
// end.
func (c cell) run(t *testing.T, cli tfcli.CLI) string {
	s := start(t)
	more := c.subject.untilDone()
	if c.kill.timeouts != "" {
		more += fmt.Sprintf("\n  timeouts = {\n    create = %[1]q\n    update = %[1]q\n  }", c.kill.timeouts)
	}
	const impatient = "request_timeout = \"4s\"\n  max_retries = 1\n  max_erasures = 1000"
	w := s.Installed(t, cli, impatient, c.subject.block(more))
	c.subject.schedule(t, w, impatient)
	copied, _ := os.ReadFile(filepath.Join(w.Dir, "terraform.tfstate"))
	w.Write(impatient, c.subject.block(more))
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
	if c.moment.placed {
		send(t, p.Signal(syscall.SIGSTOP))
		close(release)
		acctest.Eventually(t, "the file is there", func() bool { return exported(t, w.Dir, c.subject, true) })
	}
	c.kill.do(t, p)
	answers := c.moment.name == "carried out, not answered" && !c.subject.isExport() || fault.Op == erasureOf(c.subject)
	if c.kill.waits && answers {
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
	if c.subject.due {
		restored(t, w, copied)
	}
	recorded := c.recorded(t, s, w, carriedOut(s, c.subject))
	whole := c.subject
	c.subject = c.subject.next()
	w.Write(impatient, c.subject.block(c.subject.untilDone())) // without the timeout
	next := c.next(t, w)
	had := entries(t, w, c.subject)
	if c.subject.left != "" {
		c.stillUnderWay(t, s, w, had)
		if next == "update" || next == "replace" {
			acctest.Expect(t, w.Run("plan", "-out=next"), 0)
		}
	}
	s.ClearFaults()
	if next == "refuses" {
		return recorded + "; " + next + ", " + c.adopt(t, s, w)
	}
	if len(failedOf(had, c.subject.stay)) > 0 {
		acctest.Expect(t, w.Run("apply", "next"), 1)
		standsAt(t, w, c.subject, failed)
		c.subject, next = whole, next+", list them again"
		w.Write(impatient, c.subject.block(c.subject.untilDone()))
		w.Apply(0)
	} else {
		acctest.Expect(t, w.Run("apply", "next"), 0)
	}
	c.completed(t, s, w)
	kept(t, w, c.subject, had)
	acctest.Expect(t, w.Run("plan", "-detailed-exitcode"), 0)
	return fmt.Sprintf("%s; %s; %s", recorded, next, times(carriedOut(s, c.subject)))
}

// restored puts the backup in the place of a state file that Terraform has left empty or
// torn, as the guide says, or a copy from before the run if Terraform made no backup.
func restored(t *testing.T, w *acctest.Workspace, copied []byte) {
	t.Helper()
	state := filepath.Join(w.Dir, "terraform.tfstate")
	if raw, err := os.ReadFile(state); err == nil && json.Valid(raw) {
		return
	}
	if os.Rename(state+".backup", state) != nil {
		send(t, os.WriteFile(state, copied, 0o600))
	}
}

// stillUnderWay applies the list that has shrunk while Stream has not ended: whoever was
// begun keeps the whole from being completed, listed or not.
func (c cell) stillUnderWay(t *testing.T, s *acctest.Stream, w *acctest.Workspace, had map[string]string) {
	t.Helper()
	if !slices.ContainsFunc(slices.Collect(maps.Values(had)), isOpen) {
		return
	}
	s.ClearFaults()
	s.AddFault(emulator.Fault{Op: c.subject.poll, Kind: emulator.FaultNotYet, Times: emulator.Forever})
	w.Write("max_erasures = 1000", c.subject.block("timeouts = {\n    create = \"2s\"\n    update = \"2s\"\n  }"+c.subject.untilDone()))
	w.Apply(1, "Not erased yet")
	entries(t, w, c.subject) // which checks the verdict
	w.Write("max_erasures = 1000", c.subject.block(c.subject.untilDone()))
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
		exportFirst(t, s, w, c.subject)
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
	case submitted:
		if done == 0 {
			t.Error("recorded as submitted, and Stream did nothing")
		}
	case c.subject.done:
		if !c.subject.gone(s) {
			t.Error("recorded as done, and Stream did not do it")
		}
	}
	if status == "" {
		status = "recorded"
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
		if e := c.subject.erasure; e != nil {
			e.completed(t, s, w)
			exportFirst(t, s, w, c.subject)
		}
		return
	}
	if status, _ := values["status"].(string); status != c.subject.done || !c.subject.gone(s) {
		t.Errorf("one more apply left %v, done at Stream: %v", status, c.subject.gone(s))
	}
}

// adopt takes over what Stream has done and no record tells: by import, or, since a
// batch has none, as not found. A file that no record tells of is moved away.
func (c cell) adopt(t *testing.T, s *acctest.Stream, w *acctest.Workspace) (how string) {
	t.Helper()
	sub := c.subject
	if values, _ := w.Record(sub.address); sub.erasure != nil && values != nil {
		sub = *sub.erasure
	}
	switch {
	case sub.isExport():
		w.Plan(1, "File exists already", "an earlier run that was killed may have left it")
		send(t, os.Remove(filepath.Join(w.Dir, filepath.FromSlash(sub.file))))
		how = "move it away; twice"
	case !sub.gone(s):
		t.Fatalf("refused, and Stream did not do it:\n%s", acctest.Output(w.Run("plan")))
	case sub.id == "":
		how = "record it; once"
		w.Write("max_erasures = 1000", sub.block("on_missing = \"record\""+sub.untilDone()))
	default:
		how = "import it; once"
		acctest.Expect(t, w.Run("import", sub.address, sub.id), 0)
		if values, _ := w.Record(sub.address); sub.isErasure() && values["outcome"] != "adopted" {
			t.Errorf("imported: %v", values)
		}
	}
	w.Apply(0)
	c.completed(t, s, w)
	w.Plan(0)
	return how
}
