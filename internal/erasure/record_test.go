// Copyright (c) the terraform-provider-streamchat authors
// SPDX-License-Identifier: MPL-2.0

package erasure

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/stream"
)

func TestRecordOnlyGrows(t *testing.T) {
	when := time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC)
	done := Attempt[UserScope]{Scope: &soft, Status: StatusCompleted, Found: FoundPresent, Outcome: OutcomeMarkedDeleted, TaskID: "t1", SubmittedAt: &when, CompletedAt: &when, VerifiedAt: &when}
	record := Record[UserScope]{}.With(done)

	sent := record.With(Attempt[UserScope]{Scope: &hard, Status: StatusSubmitted, TaskID: "t2"})
	if c := sent.Current(); c.Status != StatusSubmitted || *c.Scope != hard {
		t.Errorf("submitted escalation: %+v", c)
	}
	failed := sent.With(Attempt[UserScope]{Scope: &hard, Status: StatusFailed, TaskID: "t2"})
	if len(failed.Attempts) != 2 {
		t.Errorf("an attempt that goes on takes its own place: %+v", failed.Attempts)
	}
	if c := failed.Current(); c.Status != StatusFailed || *c.Scope != soft || c.Outcome != OutcomeMarkedDeleted || c.TaskID != "t1" {
		t.Errorf("a failed escalation leaves what was accepted: %+v", c)
	}
	again := failed.With(Attempt[UserScope]{Scope: &hard, Status: StatusFailed}).With(Attempt[UserScope]{Scope: &hard, Status: StatusFailed})
	if len(again.Attempts) != 4 {
		t.Errorf("attempts without a task are attempts too: %+v", again.Attempts)
	}
	if len(record.Attempts) != 1 || len(sent.Attempts) != 2 || sent.Attempts[1].Status != StatusSubmitted {
		t.Error("an earlier record was changed")
	}
}

func TestReceipt(t *testing.T) {
	when := time.Date(2026, 11, 1, 12, 0, 0, 120_000_000, time.UTC)
	scope := hard
	scope.NewChannelOwnerID = "heir-canary"
	record := Record[UserScope]{}.
		With(Attempt[UserScope]{Scope: &soft, Status: StatusCompleted, Outcome: OutcomeMarkedDeleted, TaskID: "t1"}).
		With(Attempt[UserScope]{Scope: &scope, Status: StatusCompleted, Found: FoundDeleted, Outcome: OutcomeErased, TaskID: "t2", AppName: "App", SubmittedAt: &when, CompletedAt: &when, VerifiedAt: &when, ProviderVersion: "1.2.3"})
	about := About{Record: "streamchat_user_erasure", Subject: Pseudonym("key", "user-canary"), RequestID: "DSR<1>", Labels: map[string]string{"z": "1", "a": "2"}, NotCovered: scope.NotCovered()}
	text := record.Receipt(about)

	if text != record.Receipt(about) {
		t.Error("two readings differ")
	}
	if strings.Contains(text, "canary") {
		t.Errorf("the receipt names a person: %s", text)
	}
	if strings.Contains(text, "\n") || strings.Contains(text, `\u003c`) || !strings.Contains(text, `"request_id":"DSR<1>"`) || !strings.HasPrefix(text, `{"app_name":"App","attempts":[`) {
		t.Errorf("not canonical: %s", text)
	}
	var v map[string]any
	if err := json.Unmarshal([]byte(text), &v); err != nil {
		t.Fatal(err)
	}
	if v["outcome"] != "erased" || v["subject"] != about.Subject || len(about.Subject) != 64 || v["provider_version"] != "1.2.3" || v["submitted_at"] != "2026-11-01T12:00:00.12Z" {
		t.Errorf("receipt: %s", text)
	}
	back, err := ReadRecord[UserScope](text)
	if err != nil || back.Receipt(about) != text {
		t.Errorf("reading back: %v, %s", err, back.Receipt(about))
	}
	if noKey := record.Receipt(About{Subject: Pseudonym("", "user-canary")}); strings.Contains(noKey, "subject") {
		t.Errorf("without a key there is no subject: %s", noKey)
	}
	if later := back.With(Attempt[UserScope]{Scope: &scope, Status: StatusFailed}).Receipt(About{}); !strings.Contains(later, about.Subject) {
		t.Errorf("a run without the key loses the pseudonym: %s", later)
	}
	record.Reverted = true
	if back, err := ReadRecord[UserScope](record.Receipt(about)); err != nil || back.Current().Status != StatusReverted {
		t.Errorf("reverted: %+v, %v", back.Current(), err)
	}
	for _, damaged := range []string{"", "{}", "null", "[]", text[:40]} {
		if _, err := ReadRecord[UserScope](damaged); err == nil {
			t.Errorf("%q was read as a record", damaged)
		}
	}
}

func TestAdvanceEscalates(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFake("a")
		e := f.engine()
		record, err := advanceOne(e, t.Context(), "a", soft, Record[UserScope]{}, false)
		if err != nil || record.Current().Outcome != OutcomeMarkedDeleted {
			t.Fatalf("%+v, %v", record, err)
		}
		same, err := advanceOne(e, t.Context(), "a", soft, record, false)
		if err != nil || len(same.Attempts) != 1 || len(f.sent) != 1 {
			t.Errorf("a final record made a call: %v", f.sent)
		}
		f.task = entry(func(r map[string]stream.TaskResult) { r["a"] = stream.TaskResult{Status: "error"} })
		record, err = advanceOne(e, t.Context(), "a", hard, record, false)
		var failure *Failure
		if current := record.Current(); !errors.As(err, &failure) || current.Status != StatusFailed || *current.Scope != soft {
			t.Errorf("failed escalation: %+v, %v", record, err)
		}
		f.task = nil
		f.submit = func([]string) error { return errors.New("refused") }
		record, err = advanceOne(e, t.Context(), "a", hard, record, false)
		if current := record.Current(); err == nil || current.Status != StatusFailed || *current.Scope != soft || len(record.Attempts) != 3 {
			t.Errorf("refused escalation: %+v, %v", record, err)
		}
		f.submit = nil
		record, err = advanceOne(e, t.Context(), "a", hard, record, false)
		if current := record.Current(); err != nil || current.Outcome != OutcomeErased || current.Found != FoundDeleted || len(record.Attempts) != 4 {
			t.Errorf("escalation: %+v, %v", record, err)
		}
	})
}

// An escalation wanted while the first call still runs waits for its end.
func TestAdvanceResumesBeforeItEscalates(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFake("a")
		f.taskTime = time.Minute
		e := f.engine()
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		record, _ := advanceOne(e, ctx, "a", soft, Record[UserScope]{}, false)
		if record.Current().Status != StatusSubmitted {
			t.Fatalf("%+v", record)
		}
		record, err := advanceOne(e, t.Context(), "a", hard, record, false)
		if err != nil || len(record.Attempts) != 2 || record.Attempts[0].Status != StatusCompleted || record.Current().Outcome != OutcomeErased {
			t.Errorf("%+v, %v", record, err)
		}
	})
}
