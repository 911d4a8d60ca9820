// Copyright (c) the terraform-provider-streamchat authors
// SPDX-License-Identifier: MPL-2.0

package erasure

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/stream"
)

func TestBatchGrowsAndGoesOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ids := userIDs(250)
		f := newFake(ids...)
		f.turn = func(ctx context.Context) error { return f.clock.Sleep(ctx, 20*time.Second) }
		e := f.engine()

		ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
		defer cancel()
		batch, errs := e.Advance(ctx, ids, hard, nil, Options{RecordMissing: false})
		counts := map[Status]int{}
		for _, id := range ids {
			counts[batch[id].Current().Status]++
		}
		if counts[StatusCompleted] != 100 || counts[""] != 150 || len(errs) != 150 || batch.Status(ids, hard) != StatusSubmitted {
			t.Fatalf("at the deadline: %v, %d errors, %s", counts, len(errs), batch.Status(ids, hard))
		}
		batch, errs = e.Advance(t.Context(), ids, hard, batch, Options{RecordMissing: false})
		if len(errs) != 0 || batch.Status(ids, hard) != StatusCompleted || len(f.sent) != 3 {
			t.Errorf("the next apply: %v, %s, %d calls", errs, batch.Status(ids, hard), len(f.sent))
		}
		f.users["one-more"] = stream.User{ID: "one-more"}
		batch, errs = e.Advance(t.Context(), append(ids, "one-more"), hard, batch, Options{RecordMissing: false})
		if len(errs) != 0 || len(f.sent) != 4 || len(f.sent[3]) != 1 || batch["one-more"].Current().Outcome != OutcomeErased {
			t.Errorf("one more: %v, sent %v", errs, f.sent[3])
		}
	})
}

// Whoever is examined is sent as soon as there is a full call of them: a run that
// does not live until the last probe leaves something behind, and the next one has
// less to do.
func TestBatchSendsWhileOthersAreExamined(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ids := userIDs(250)
		f := newFake()
		for _, id := range ids {
			f.deleted[id] = true // by a run whose record was lost
		}
		probes := make(chan struct{}, 1) // one at a time, as Stream's limit has it
		f.probeTime = func() {
			probes <- struct{}{}
			time.Sleep(200 * time.Millisecond)
			<-probes
		}
		e := f.engine()
		var batch Batch[UserScope]
		for run, want := range []int{200, 50} {
			ctx, cancel := context.WithTimeout(t.Context(), 45*time.Second)
			batch, _ = e.Advance(ctx, ids, hard, batch, Options{RecordMissing: false})
			cancel()
			sent := 0
			for _, call := range f.sent {
				sent += len(call)
			}
			f.sent = nil
			if sent != want {
				t.Errorf("run %d sent %d, want %d", run, sent, want)
			}
		}
		if got := batch.Status(ids, hard); got != StatusCompleted {
			t.Errorf("the batch is %s", got)
		}
	})
}

func TestBatchReceipt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ids := userIDs(1000)
		f := newFake(ids...)
		batch, errs := f.engine().Advance(t.Context(), ids, hard, nil, Options{RecordMissing: false})
		if len(errs) != 0 {
			t.Fatal(errs)
		}
		batch["never-sent"] = Record[UserScope]{}
		reverted := batch["user-7"]
		reverted.Reverted = true
		batch["user-7"] = reverted
		pseudonym := func(id string) string { return Pseudonym("key", id) }
		about := About{Record: "streamchat_user_erasure_batch", RequestID: "C-1"}
		text := batch.Receipt(about, batch.Status(ids, hard), pseudonym)
		if strings.Contains(text, "user-") {
			t.Error("the receipt names people")
		}
		if len(text) > 120_000 {
			t.Errorf("a receipt of 1,000 takes %d bytes: equal attempts are meant to be kept once", len(text))
		}
		back, err := ReadBatch[UserScope](text, batch.IDs())
		if err != nil || back.Receipt(about, back.Status(ids, hard), pseudonym) != text {
			t.Errorf("reading back: %v", err)
		}
		if back["user-7"].Current().Status != StatusReverted || len(back["never-sent"].Attempts) != 0 || back["user-8"].Current().TaskID != batch["user-8"].Current().TaskID {
			t.Errorf("reading back: %+v", back["user-7"])
		}
		for name, damaged := range map[string]string{
			"not JSON": "x", "of others": text, "out of range": strings.Replace(text, `"attempts":[0]`, `"attempts":[99]`, 1),
		} {
			from := batch.IDs()
			if name == "of others" {
				from = from[1:]
			}
			if _, err := ReadBatch[UserScope](damaged, from); err == nil {
				t.Errorf("%s was read as a batch", name)
			}
		}
	})
}

func BenchmarkBatchReceipt(b *testing.B) {
	batch := Batch[UserScope]{}
	for i := range 1000 {
		id := fmt.Sprint("user-", i)
		batch[id] = Record[UserScope]{Attempts: []Attempt[UserScope]{{Scope: &hard, Status: StatusCompleted, TaskID: fmt.Sprint("task-", i/100)}}}
	}
	for b.Loop() {
		text := batch.Receipt(About{}, StatusCompleted, func(id string) string { return Pseudonym("key", id) })
		if _, err := ReadBatch[UserScope](text, batch.IDs()); err != nil {
			b.Fatal(err)
		}
	}
}
