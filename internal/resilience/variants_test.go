// Copyright (c) the terraform-provider-streamchat authors
// SPDX-License-Identifier: MPL-2.0

package resilience

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/acctest"
	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/emulator"
)

// What holds of a batch whose list shrinks and of an export that an erasure names,
// whatever cuts their runs off or breaks them.

// isOpen tells the words of results that are no end.
func isOpen(word string) bool { return word == submitted || word == pending || word == "reverted" }

const pending = "pending"

// entries are the results of a batch in state, empty for others. They are the verdict:
// the whole is completed only when every one of them is.
func entries(t testing.TB, w *acctest.Workspace, sub subject) map[string]string {
	t.Helper()
	values, _ := w.Record(sub.address)
	results, _ := values["results"].(map[string]any)
	words := map[string]string{}
	for id, word := range results {
		words[id], _ = word.(string)
		if values["status"] == completed && (isOpen(words[id]) || words[id] == failed) {
			t.Errorf("the whole is completed, and one of it %s", words[id])
		}
	}
	return words
}

// failedOf are those who failed and are not on the list any more; without a list there
// are none.
func failedOf(words map[string]string, list []string) (ids []string) {
	for id, word := range words {
		if word == failed && list != nil && !slices.Contains(list, id) {
			ids = append(ids, id)
		}
	}
	return ids
}

// kept: nobody who was begun is off the record.
func kept(t testing.TB, w *acctest.Workspace, sub subject, had map[string]string) {
	t.Helper()
	words := entries(t, w, sub)
	lost := 0
	for id, word := range had {
		if _, there := words[id]; !there && word != pending {
			lost++
		}
	}
	if lost > 0 {
		t.Errorf("the record has lost %d of %d", lost, len(had))
	}
}

func standsAt(t testing.TB, w *acctest.Workspace, sub subject, status string) {
	t.Helper()
	if values, _ := w.Record(sub.address); values["status"] != status {
		t.Errorf("the record says %v, not %s", values["status"], status)
	}
}

// exportFirst: the erasure was sent only when the export of it was in its place, and
// nothing was exported afterwards, when there is nothing left.
func exportFirst(t testing.TB, s *acctest.Stream, w *acctest.Workspace, sub subject) {
	t.Helper()
	if sub.erasure == nil {
		return
	}
	calls := s.Requests(sub.submit, sub.erasure.submit)
	first := slices.IndexFunc(calls, func(r emulator.Request) bool { return r.Op == sub.erasure.submit })
	if first < 0 {
		return
	}
	if first == 0 || slices.ContainsFunc(calls[first:], func(r emulator.Request) bool { return r.Op == sub.submit }) {
		t.Errorf("the export does not go before the erasure: %d of %d calls come first", first, len(calls))
	}
	if values, _ := w.Record(sub.address); values == nil || !exported(t, w.Dir, sub, true) {
		t.Error("the erasure was sent, and there is no export")
	}
}

// shrunk runs the CLI again, when the list has shrunk: first into the fault, which may
// last, then when all is well. Whoever was begun is on the record to the end; nothing is
// sent for who is not asked for; who failed and left keeps the whole at failed until
// listed again.
func (c faultCell) shrunk(t *testing.T, s *acctest.Stream, w *acctest.Workspace) {
	t.Helper()
	had := entries(t, w, c.sub)
	next := faultCell{fault: c.fault, sub: c.sub.next(), at: c.at}
	s.ResetRequests()
	w.Write(next.provider(""), next.sub.block(fmt.Sprintf("timeouts = {\n    create = %q\n    update = %q\n  }\n%s", short, short, next.sub.untilDone())))
	if r := w.Run("apply", "-auto-approve", "-refresh=false"); r.ExitCode == 0 { // a refresh may wait for minutes
		standsAt(t, w, c.sub, completed)
	}
	kept(t, w, c.sub, had)

	s.ClearFaults()
	w.Write(next.provider(""), next.block(enough))
	if next.want().next == forgotten {
		for _, task := range c.tasks(t, w) {
			s.ForgetTask(task)
		}
	}
	r := w.Run("apply", "-auto-approve")
	left := failedOf(entries(t, w, c.sub), c.sub.stay)
	if len(left) == 0 {
		acctest.Expect(t, r, 0)
	} else {
		acctest.Expect(t, r, 1)
		standsAt(t, w, c.sub, failed)
	}
	for _, r := range s.Requests(c.sub.submit) {
		for _, id := range slices.Concat(r.UserIDs, r.CIDs) {
			if !slices.Contains(c.sub.stay, id) {
				t.Fatal("sent for one who is not asked for")
			}
		}
	}
	if len(left) > 0 {
		w.Write(c.provider(""), c.block(enough))
		w.Apply(0)
	}
	standsAt(t, w, c.sub, completed)
	kept(t, w, c.sub, had)
	if !c.sub.gone(s) {
		t.Error("completed, and Stream did not do it")
	}
	w.Plan(0)
}

// TestFaultsOfVariants breaks the batches whose list then shrinks, the exports that an
// erasure waits for, and both stages of an erasure that has two.
func TestFaultsOfVariants(t *testing.T) {
	acctest.CLI(t)
	for _, c := range faultCellsOf(slices.Concat(shrinking, chained, staged[:2], due[:2])) {
		// A plan of two resources makes their look-ups in either order.
		// On the day a batch looks up again before its second call.
		if c.sub.due && c.sub.isBatch() && c.at == verify || c.at == planning || c.at == lookUp || c.fault.network != nil || c.fault.before != nil {
			continue
		}
		if !c.fastVariant() && !*full {
			continue
		}
		t.Run(fmt.Sprintf("%s/%s/%s", c.fault.name, c.at, c.sub.name), func(t *testing.T) {
			t.Parallel()
			s := start(t)
			w := c.workspace(t, s)
			began, r := c.strike(t, s, w)
			took := time.Since(began)
			record, tainted := w.Record(c.sub.address)
			if c.sub.left != "" {
				entries(t, w, c.sub)
				c.shrunk(t, s, w)
				return
			}
			c.check(t, s, w, r, record, tainted)
			c.promises(t, s, r, record, took)
			if c.sub.erasure == nil {
				c.recover(t, s, w, record)
				return
			}
			exportFirst(t, s, w, c.sub)
			if record == nil && s.Count(c.sub.erasure.submit) > 0 {
				t.Error("the erasure was sent without the export")
			}
			c.recover(t, s, w, record)
			exportFirst(t, s, w, c.sub)
			c.sub.erasure.completed(t, s, w)
		})
	}
}

// fastVariant are the cells of a plain test run.
func (c faultCell) fastVariant() bool {
	switch c.sub.name + ", " + string(c.at) + ", " + c.fault.name {
	case "shrinking user erasure batch, the task itself, task completed, one subject failed",
		"shrinking channel erasure batch, question for the task, 500, always",
		"shrinking channel erasure batch, the task itself, task failed",
		"user export before an erasure, submission, 500, always",
		"channel export before an erasure, the task itself, task failed",
		"channel export before an erasure, download, JSON cut off, always",
		"user erasure, scheduled, submission, connection dropped after the request is carried out, always",
		"user erasure batch, scheduled, the task itself, task failed",
		"user erasure, due, submission, 500, always",
		"user erasure batch, due, the task itself, task completed, one subject failed":
		return true
	}
	return false
}
