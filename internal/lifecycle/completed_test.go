// Copyright (c) the terraform-provider-streamchat authors
// SPDX-License-Identifier: MPL-2.0

package lifecycle_test

import (
	"strings"
	"testing"

	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/acctest"
)

// What a plan knows stands in it, and what only the apply finds out does not.
func TestPlanOfACreation(t *testing.T) {
	each(t, nouns, func(w *world) {
		p := w.plan(w.block(w.hard))
		if p.Action != acctest.Create || p.Get("irreversible") != true || len(p.Get("not_covered").([]any)) == 0 {
			w.t.Errorf("%s, %v", p.Action, p.After)
		}
		for _, name := range []string{"status", "receipt"} {
			if p.Get(name) != acctest.Unknown {
				w.t.Errorf("%s is planned as %v", name, p.Get(name))
			}
		}
		if !p.Warnings.Say("This cannot be undone") || !p.Warnings.Say("Irreversible deletion") {
			w.t.Errorf("warnings: %s", p.Warnings)
		}
		soft := w.plan(w.block(w.soft))
		if soft.Get("irreversible") != false || len(soft.Get("not_covered").([]any)) <= len(p.Get("not_covered").([]any)) || !soft.Warnings.Say("keep the data at Stream") && !soft.Warnings.Say("keeps the data at Stream") {
			w.t.Errorf("soft: %v, %s", soft.After, soft.Warnings)
		}
		w.once(0)
		w.none()
	}, nil)
}

// Once completed and hard, nothing that Terraform does to a record makes a call, and
// its evidence stays.
func TestCompletedRecordIsFinal(t *testing.T) {
	each(t, nouns, func(w *world) {
		block := w.block(with(w.hard, config{"request_id": "DSR-1", "labels": config{"basis": "Art. 17"}}))
		w.apply(block)
		w.is("completed", false)
		w.once(1)
		id := w.ids[0]
		if !w.gone(w.s, id) || w.gone(w.s, w.ids[1]) || w.of(id) != "completed" {
			w.t.Errorf("at Stream: %v %v, on record %v", w.gone(w.s, id), w.gone(w.s, w.ids[1]), w.of(id))
		}
		receipt := w.receipt()
		if !strings.Contains(receipt, `"DSR-1"`) || strings.Contains(receipt, id) {
			w.t.Errorf("receipt: %s", receipt)
		}
		w.s.ResetRequests()
		same := func(what string) {
			w.t.Helper()
			w.is("completed", false)
			if w.receipt() != receipt || w.sent() != 0 {
				w.t.Errorf("%s: %d calls, receipt %s", what, w.sent(), w.receipt())
			}
		}

		w.nothing(block)
		w.nothing(block, acctest.NoRefresh)
		w.quiet("plans of a completed record")
		w.apply(block, acctest.WithReplace)
		same("-replace")
		w.Taint(w.address)
		if p := w.plan(block); p.Action != acctest.Replace || !p.Warnings.Say("Replacing the record of an erasure") && !w.list {
			w.t.Errorf("%s of a tainted record: %s", p.Action, p.Warnings)
		}
		w.apply(block)
		same("taint")
		w.apply(block, acctest.WithReplace, acctest.NoRefresh)
		same("-replace -refresh=false")

		w.s.ResetRequests()
		p := w.plan(with(block, config{"request_id": "DSR-2"}))
		if p.Action != acctest.Update || p.Get("status") != "completed" || p.Get("receipt") != acctest.Unknown {
			w.t.Errorf("bookkeeping: %s %v", p.Action, p.After)
		}
		w.Apply(p)
		if !strings.Contains(w.receipt(), `"DSR-2"`) || strings.Contains(w.receipt(), `"DSR-1"`) {
			w.t.Errorf("receipt: %s", w.receipt())
		}
		w.quiet("bookkeeping")

		r := w.apply(nil)
		if !r.Warnings.Say("Destroying forgets the record") || !r.Warnings.Say("Record removed, data not restored") {
			w.t.Errorf("destroy: %s", r.Warnings)
		}
		w.none()
		w.quiet("a destroy")
	}, nil)
}

// A renamed block without a moved block is a destruction and a creation side by
// side: the evidence is kept, or the deletion repeated, which does no harm.
func TestRenamedBlock(t *testing.T) {
	each(t, nouns, func(w *world) {
		if w.name == "truncation" {
			return // says what it truncates: all that is there at the time
		}
		w.apply(w.block(w.hard))
		renamed := strings.TrimSuffix(w.address, "x") + "renamed"
		r := w.Run(acctest.Change{Address: w.address}, acctest.Change{Address: renamed, Config: w.block(w.hard)})
		if len(r.Errors) > 0 && !w.forgets {
			w.t.Fatal(r.Errors)
		}
		if w.forgets && len(r.Errors) > 0 {
			w.t.Logf("a renamed block: %s", r.Errors)
			return
		}
		if got := w.State(renamed).Get("status"); got != "completed" {
			w.t.Errorf("status %v", got)
		}
	}, nil)
}

// A block that is moved takes its record along.
func TestMovedBlock(t *testing.T) {
	each(t, nouns, func(w *world) {
		w.apply(w.block(w.hard))
		w.s.ResetRequests()
		w.Move(w.address, w.address+"y")
		w.address += "y"
		w.nothing(w.block(w.hard))
		w.quiet("a move")
	}, nil)
}

// Without a pseudonym_key nothing will ever lead from a person to the receipt: the plan of
// what cannot be undone says so, and no other.
func TestReceiptWithoutAName(t *testing.T) {
	each(t, nouns, func(w *world) {
		const says = "the receipt will name nobody"
		if p := w.plan(w.block(w.hard)); p.Warnings.Say(says) {
			w.t.Errorf("with a key: %s", p.Warnings)
		}
		if w.veiled {
			return // needs one
		}
		delete(w.Provider, "pseudonym_key")
		if p := w.plan(w.block(w.hard)); !p.Warnings.Say(says) {
			w.t.Errorf("without a key: %s", p.Warnings)
		}
		if p := w.plan(w.block(w.soft)); p.Get("irreversible") == false && p.Warnings.Say(says) {
			w.t.Errorf("what can be undone: %s", p.Warnings)
		}
	}, nil)
}
