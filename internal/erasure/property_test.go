// Copyright (c) the terraform-provider-streamchat authors
// SPDX-License-Identifier: MPL-2.0

package erasure

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/stream"
)

// Whatever submissions, failures and interrupts come together: the calls that
// Stream accepted for a user are exactly those that the user's record tells of.
func TestRecordsTellExactlyWhatWasSent(t *testing.T) {
	for seed := range uint64(60) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { interleave(t, rand.New(rand.NewPCG(seed, 0))) })
		})
	}
}

func interleave(t *testing.T, random *rand.Rand) {
	var mu sync.Mutex
	chance := func(percent int) bool {
		mu.Lock()
		defer mu.Unlock()
		return random.IntN(100) < percent
	}
	upTo := func(d time.Duration) time.Duration {
		mu.Lock()
		defer mu.Unlock()
		return time.Duration(random.Int64N(int64(d)))
	}
	ids := userIDs(120)
	f := newFake(ids...)
	f.taskTime = upTo(20 * time.Second)
	f.callTime = upTo(3 * time.Second)
	accepted := map[string]int{}
	f.submit = func(sent []string) error {
		if chance(20) {
			return &stream.Error{Op: stream.OpDeleteUsers, Kind: stream.KindServer}
		}
		for _, id := range sent {
			accepted[id]++
		}
		return nil
	}
	f.task = func(task stream.Task) (stream.Task, error) {
		switch {
		case chance(5):
			return task, &stream.Error{Op: stream.OpGetTask, Kind: stream.KindNetwork}
		case task.Terminal() && chance(10):
			for id := range task.Results {
				task.Results[id] = stream.TaskResult{Status: "error"}
				break
			}
		}
		return task, nil
	}
	f.turn = func(ctx context.Context) error { return f.clock.Sleep(ctx, upTo(5*time.Second)) }
	e := f.engine()

	var wg sync.WaitGroup
	records := make([]Record[UserScope], len(ids))
	for i, id := range ids {
		wg.Go(func() {
			time.Sleep(upTo(10 * time.Second))
			for run := 0; ; run++ {
				ctx, cancel := context.WithCancel(t.Context())
				if run < 5 && chance(60) {
					time.AfterFunc(upTo(30*time.Second), cancel)
				}
				record, err := e.Advance(ctx, id, hard, Comparison{}, records[i], false)
				cancel()
				var p *Pending
				if err != nil && record.Current().Status == StatusSubmitted && !errors.As(err, &p) {
					t.Errorf("a submitted record came with %v", err)
				}
				records[i] = record
				if err == nil {
					return
				}
			}
		})
	}
	wg.Wait()
	for i, id := range ids {
		told := 0
		for _, a := range records[i].Attempts {
			if a.TaskID != "" {
				told++
			}
		}
		if told != accepted[id] {
			t.Errorf("%s: Stream accepted %d calls, the record tells of %d", id, accepted[id], told)
		}
		if c := records[i].Current(); c.Status != StatusCompleted || c.Outcome != OutcomeErased {
			t.Errorf("%s ended as %+v", id, c)
		}
	}
}

func BenchmarkCoalescer(b *testing.B) {
	const users = 1000
	for b.Loop() {
		run := batcher[struct{}, struct{}, int]{clock: instantClock{}, max: MaxSubjects, run: func(_ context.Context, _ struct{}, members []*member[struct{}, int]) {
			for _, m := range members {
				m.answer(len(members), nil)
			}
		}}
		var wg sync.WaitGroup
		for i := range users {
			wg.Go(func() {
				if _, err := run.do(b.Context(), struct{}{}, fmt.Sprint(i), struct{}{}); err != nil {
					b.Error(err)
				}
			})
		}
		wg.Wait()
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*users), "ns/user")
}

// instantClock never waits.
type instantClock struct{}

func (instantClock) Now() time.Time                                   { return time.Time{} }
func (instantClock) Sleep(ctx context.Context, _ time.Duration) error { return ctx.Err() }
