// Copyright (c) the terraform-provider-streamchat authors
// SPDX-License-Identifier: MPL-2.0

package lifecycle_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/acctest"
	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/emulator"
)

// archived gives the world a directory of receipts.
func (w *world) archived() (dir string) {
	dir = filepath.Join(w.t.TempDir(), "receipts")
	w.Provider["receipts_dir"] = dir
	return dir
}

// only one receipt, which is that of the record in state and names nobody.
func (w *world) onlyReceipt(dir, what string) acctest.Receipt {
	w.t.Helper()
	all := acctest.Receipts(w.t, dir)
	if len(all) != 1 {
		w.t.Fatalf("%s: %d receipts: %v", what, len(all), all)
	}
	if w.State(w.address) != nil && all[0].Text != w.receipt() {
		w.t.Errorf("%s: the file says\n%s\nthe state\n%s", what, all[0].Text, w.receipt())
	}
	for _, id := range w.ids {
		if strings.Contains(all[0].Name+all[0].Text, id) {
			w.t.Errorf("%s: the receipt names somebody: %s", what, all[0].Text)
		}
	}
	return all[0]
}

// One record is one file, whatever becomes of the record.
func TestReceiptFile(t *testing.T) {
	each(t, nouns, func(w *world) {
		dir := w.archived()
		block := w.block(with(w.soft, config{"request_id": "DSR-1"}))
		w.apply(block)
		first := w.onlyReceipt(dir, "created")
		check := func(what string) {
			w.t.Helper()
			if r := w.onlyReceipt(dir, what); r.Name != first.Name || r.Ended() != "" {
				w.t.Errorf("%s: %s after %s, ended %q", what, r.Name, first.Name, r.Ended())
			}
		}
		block = w.block(with(w.hard, config{"request_id": "DSR-2"}))
		w.apply(block)
		check("an escalation and another request")
		if w.name != "truncation" {
			w.apply(block, acctest.WithReplace)
			check("replaced")
			w.Taint(w.address)
			w.apply(block)
			check("tainted and replaced")
		}
		w.Move(w.address, w.address+"y")
		w.address += "y"
		w.apply(with(block, config{"labels": config{"legal_basis": "art17"}}))
		check("moved")

		before := w.receipt()
		w.apply(nil)
		last := w.onlyReceipt(dir, "destroyed")
		at, _ := last.Fields["forgotten_at"].(string)
		if last.Name != first.Name || last.Ended() != "forgotten_at" || strings.Replace(last.Text, `"forgotten_at":"`+at+`",`, "", 1) != before {
			w.t.Errorf("%s, ended %q: %s", last.Name, last.Ended(), last.Text)
		}
		if len(w.ids) > 1 { // another record leaves it alone
			w.apply(w.block(w.hard, w.ids[1]))
			all := acctest.Receipts(w.t, dir)
			if len(all) != 2 || all[0].Text != last.Text && all[1].Text != last.Text {
				w.t.Errorf("beside another record: %v", all)
			}
		}
	}, nil)
}

// A second record of the same subject, later, leaves the receipt of the first.
func TestReceiptsOfOneSubject(t *testing.T) {
	each(t, only(func(n noun) bool { return n.op == users.op }), func(w *world) {
		dir := w.archived()
		delete(w.Provider, "pseudonym_key")
		if w.veiled {
			w.Provider["pseudonym_key"] = acctest.PseudonymKey
		}
		w.apply(w.block(w.soft))
		w.apply(nil)
		w.apply(w.block(w.soft))
		other := &world{noun: w.noun, Core: acctest.NewCore(w.t, w.s, config{"receipts_dir": dir}), t: w.t, s: w.s} // an alias
		other.apply(other.block(w.soft))
		ends := map[string]int{}
		for _, r := range acctest.Receipts(w.t, dir) {
			ends[r.Ended()]++
		}
		if ends["forgotten_at"] != 1 || ends[""] != 2 {
			w.t.Errorf("%v", ends)
		}
	}, nil)
}

// A run that ends red leaves the receipts of what it did.
func TestReceiptsOfARedRun(t *testing.T) {
	each(t, batches, func(w *world) {
		dir := w.archived()
		w.fault(emulator.Fault{Kind: emulator.FaultFailUser, UserID: w.ids[1], Error: "canary"})
		w.fails("Deletion failed at Stream", w.block(w.hard, w.ids...))
		red := w.onlyReceipt(dir, "red")
		if red.Fields["status"] != "failed" {
			w.t.Errorf("%s", red.Text)
		}
		w.apply(w.block(w.hard, w.ids...)) // tainted, so replaced
		if done := w.onlyReceipt(dir, "done"); done.Name != red.Name || done.Fields["status"] != "completed" {
			w.t.Errorf("%s, then %s: %s", red.Name, done.Name, done.Text)
		}
	}, nil)
}

func TestReceiptOfAnInterruptedRun(t *testing.T) {
	each(t, []noun{users, channelBatch}, func(w *world) {
		dir := w.archived()
		w.s.After("GET /tasks/*", 1, w.Interrupt)
		w.Apply(w.plan(w.block(w.hard)))
		if r := w.onlyReceipt(dir, "interrupted"); r.Fields["status"] != "submitted" {
			w.t.Errorf("%s", r.Text)
		}
	}, nil, slowTasks)
}

// A directory that cannot be written stops everything before it begins, and what is on
// record stays.
func TestUnwritableReceipts(t *testing.T) {
	each(t, nouns, func(w *world) {
		dir := filepath.Join(w.t.TempDir(), "file")
		if err := os.WriteFile(dir, nil, 0o600); err != nil {
			w.t.Fatal(err)
		}
		w.Provider["receipts_dir"] = dir
		const says = "Receipts directory cannot be written"
		w.fails(says, w.block(w.soft))
		w.none()
		w.once(0)
		delete(w.Provider, "receipts_dir")
		w.apply(w.block(w.soft))
		receipt := w.receipt()
		w.Provider["receipts_dir"] = dir
		w.fails(says, w.block(w.hard))
		w.fails(says, w.block(w.soft), acctest.WithReplace)
		w.fails(says, nil)
		if w.State(w.address) == nil || w.receipt() != receipt {
			w.t.Errorf("the record: %+v", w.State(w.address))
		}
		w.is("completed", false)
		w.once(1)
	}, nil)
}

// create_before_destroy makes the newer record first, and the older one is not forgotten;
// nor is a deposed one in a later run.
func TestReceiptsOfCreateBeforeDestroy(t *testing.T) {
	each(t, []noun{users, userBatch, veiled(users), messageNoun}, func(w *world) {
		dir := w.archived()
		stands := func(what string) {
			w.t.Helper()
			mine := false
			for _, r := range acctest.Receipts(w.t, dir) {
				mine = mine || r.Text == w.receipt()
				if r.Ended() != "" {
					w.t.Errorf("%s: %s", what, r.Text)
				}
			}
			if !mine {
				w.t.Errorf("%s: no receipt is that of the record", what)
			}
		}
		c := w.block(w.soft)
		w.apply(c)
		if r := w.Apply(w.plan(c, acctest.WithReplace, acctest.CreateBeforeDestroy)); len(r.Errors) == 0 {
			stands("create_before_destroy")
		}
		if !w.task {
			return
		}
		w.s.After("GET /tasks/*", 1, w.Interrupt)
		w.Apply(w.plan(c, acctest.WithReplace, acctest.CreateBeforeDestroy))
		if record := w.State(w.address); record == nil || !record.Deposed {
			w.t.Fatalf("nothing is deposed: %+v", record)
		}
		w.apply(c)
		stands("deposed")
	}, nil)
}

// A renamed block takes the receipt along.
func TestReceiptOfARenamedBlock(t *testing.T) {
	each(t, only(func(n noun) bool { return n.name != "truncation" }), func(w *world) {
		dir := w.archived()
		w.apply(w.block(w.hard))
		renamed := strings.TrimSuffix(w.address, "x") + "renamed"
		r := w.Run(acctest.Change{Address: w.address}, acctest.Change{Address: renamed, Config: w.block(w.hard)})
		if len(r.Errors) > 0 {
			w.t.Fatal(r.Errors)
		}
		w.address = renamed
		for _, r := range acctest.Receipts(w.t, dir) {
			if r.Ended() != "" {
				w.t.Errorf("forgotten: %s", r.Text)
			}
			if r.Text == w.receipt() {
				return
			}
		}
		w.t.Error("no receipt is that of the record")
	}, nil)
}

func TestReceiptOfARestoredUser(t *testing.T) {
	each(t, []noun{users, userBatch}, func(w *world) {
		dir := w.archived()
		w.apply(w.block(with(w.soft, restoring)))
		w.apply(nil)
		if r := w.onlyReceipt(dir, "restored"); r.Ended() != "restored_at" || r.Fields["status"] != "undone" {
			w.t.Errorf("%s", r.Text)
		}
	}, nil)
}

// Of an erasure that is called off no receipt stays scheduled; whom nobody reactivates is still
// locked out, and the receipt says so.
func TestReceiptOfWhatIsCalledOff(t *testing.T) {
	t.Parallel()
	for name, foundSo := range map[string]bool{"restricted by it": false, "restricted before": true} {
		t.Run(name, func(t *testing.T) {
			each(t, stagedNouns, func(w *world) {
				dir := w.archived()
				if foundSo {
					post(w.t, w.s, "/users/"+w.ids[0]+"/deactivate", "{}")
				}
				w.apply(w.later(w.hard))
				if r := w.onlyReceipt(dir, "scheduled"); r.Fields["status"] != "scheduled" {
					w.t.Fatalf("%s", r.Text)
				}
				w.apply(nil)
				r := w.onlyReceipt(dir, "called off")
				lockedOut := foundSo || w.veiled
				if r.Fields["status"] != "undone" || (r.Fields["access_still_blocked"] == true) != lockedOut {
					w.t.Errorf("locked out %v: %s", lockedOut, r.Text)
				}
				told, problem := w.Function("receipt_text", r.Text)
				if text := fmt.Sprint(told); problem != "" || !strings.Contains(text, "**Called off.**") || strings.Contains(text, "still blocked") != lockedOut {
					w.t.Errorf("%s\n%s", problem, text)
				}
			}, nil)
		})
	}
}

// A receipt that could not be written is written by the next run, whose plan shows it.
func TestReceiptIsWrittenLater(t *testing.T) {
	each(t, []noun{users, userBatch, channels}, func(w *world) {
		dir := w.archived()
		w.s.After(map[string]string{"DeleteUsers": "POST /users/delete", "DeleteChannels": "POST /channels/delete"}[w.op], 1, func() { // there is no room any more
			if err := os.RemoveAll(dir); err != nil {
				w.t.Error(err)
			}
			if err := os.WriteFile(dir, nil, 0o600); err != nil {
				w.t.Error(err)
			}
		})
		block := w.block(w.hard)
		p := w.plan(block)
		if r := w.Apply(p); len(r.Errors) > 0 || !r.Warnings.Say("Receipt not written") {
			w.t.Fatalf("%s %s", r.Errors, r.Warnings)
		}
		if err := os.Remove(dir); err != nil {
			w.t.Fatal(err)
		}
		sent := w.sent()
		for range 2 { // a refresh in between keeps it
			p = w.plan(block)
			if p.Action != acctest.Update || !p.Warnings.Say("Receipt not written yet") {
				w.t.Fatalf("%s: %s", p.Action, p.Warnings)
			}
		}
		if r := w.Apply(p); len(r.Errors) > 0 || len(acctest.Receipts(w.t, dir)) != 1 || w.sent() != sent {
			w.t.Errorf("%s: %v", r.Errors, acctest.Receipts(w.t, dir))
		}
		w.nothing(block)
	}, nil)
}
