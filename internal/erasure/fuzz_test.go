// Copyright (c) the terraform-provider-streamchat authors
// SPDX-License-Identifier: MPL-2.0

package erasure

import (
	"strings"
	"testing"
	"time"
)

// receipts are seeds: a record's, a batch's, and damaged ones.
func receipts() []string {
	when := time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC)
	record := Record[UserScope]{Pseudonym: "p"}.
		With(Attempt[UserScope]{Scope: &soft, Status: StatusCompleted, Outcome: OutcomeMarkedDeleted, TaskID: "t1", SubmittedAt: &when, CompletedAt: &when}).
		With(Attempt[UserScope]{Scope: &hard, Status: StatusFailed, Error: "x", AnswerLost: true})
	adopted := Record[UserScope]{}.With(Attempt[UserScope]{Status: StatusCompleted, Outcome: OutcomeAdopted, VerifiedAt: &when})
	reverted := Record[UserScope]{Attempts: record.Attempts[:1], Reverted: true}
	batch := Batch[UserScope]{"a": record, "b": reverted, "c": {}}
	name := func(id string) string { return "of " + id }
	seeds := []string{"", "null", "{}", "[]", `{"attempts":[{}]}`, `{"attempts":[null]}`, `{"attempts":[{"status":"submitted","task_id":"t"}]}`, `{"attempts":[{"status":"scheduled","delete":{"user":"hard"}}]}`,
		`{"status":"completed","attempts":[{"Status":"failed","delete":{"user":"hard"}}]}`, `{"attempts":[],"subjects":[{"attempts":[-1]},{},{}]}`}
	scheduled := Record[UserScope]{}.restrictedBy(Restriction{Found: FoundPresent, TaskID: "t", SubmittedAt: &when, VerifiedAt: &when})
	back := scheduled
	back.Reverted = true
	batch["d"], batch["e"] = scheduled, back
	for _, r := range []Record[UserScope]{record, adopted, reverted, scheduled, back, scheduled.With(record.Attempts[0])} {
		seeds = append(seeds, r.Receipt(About{Record: "streamchat_user_erasure", RequestID: "DSR-1"}))
	}
	return append(seeds, batch.Receipt(About{}, StatusFailed, name), strings.Replace(batch.Receipt(About{}, StatusFailed, name), `"attempts":[0`, `"attempts":[7`, 1))
}

// sound checks that a record which was read is one that an engine can act on.
func sound(t *testing.T, record Record[UserScope]) {
	t.Helper()
	for _, a := range append(record.Attempts, record.Current()) {
		switch a.Status {
		case StatusSubmitted, StatusCompleted, StatusFailed, StatusReverted, StatusScheduled, StatusReleased:
		default:
			t.Errorf("the status is %q", a.Status)
		}
		if a.Scope == nil && a.Outcome != OutcomeAdopted && len(record.Attempts) > 0 {
			t.Errorf("nobody knows what was asked: %+v", a)
		}
	}
	completed := false
	for _, a := range record.Attempts {
		completed = completed || a.Status == StatusCompleted
	}
	if Next(record.Current(), record.Raised(hard)) == Keep && !completed {
		t.Errorf("nothing is to be done for %+v", record)
	}
}

// FuzzReadRecord: what is read is what was written, and what is damaged, or of a
// version to come, is not acted on.
func FuzzReadRecord(f *testing.F) {
	for _, seed := range receipts() {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		record, err := ReadRecord[UserScope](text)
		if err != nil {
			return
		}
		sound(t, record)
		receipt := record.Receipt(About{})
		if again, err := ReadRecord[UserScope](receipt); err != nil || again.Receipt(About{}) != receipt || again.Current().Status != record.Current().Status {
			t.Errorf("%q becomes %s: %v", text, receipt, err)
		}
	})
}

// FuzzReadBatch is FuzzReadRecord for a batch of three.
func FuzzReadBatch(f *testing.F) {
	for _, seed := range receipts() {
		f.Add(seed)
	}
	ids := []string{"a", "b", "c"}
	nobody := func(string) string { return "" }
	f.Fuzz(func(t *testing.T, text string) {
		batch, err := ReadBatch[UserScope](text, ids)
		if err != nil {
			return
		}
		if len(batch) != len(ids) {
			t.Errorf("%q is of %v", text, batch.IDs())
		}
		for _, record := range batch {
			if len(record.Attempts) > 0 {
				sound(t, record)
			}
		}
		receipt := batch.Receipt(About{}, batch.Status(ids, hard), nobody)
		if again, err := ReadBatch[UserScope](receipt, ids); err != nil || again.Receipt(About{}, again.Status(ids, hard), nobody) != receipt {
			t.Errorf("%q becomes %s: %v", text, receipt, err)
		}
	})
}
