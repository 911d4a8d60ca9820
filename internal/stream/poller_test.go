// Copyright (c) the terraform-provider-streamchat authors
// SPDX-License-Identifier: MPL-2.0

package stream

import (
	"context"
	"errors"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/clock"
)

// pollerOf asks for tasks that end at a time, and counts how often.
func pollerOf(ends time.Time) (p *poller, asked *atomic.Int32) {
	asked = new(atomic.Int32)
	return &poller{clock: clock.Real{}, get: func(_ context.Context, id string) (Task, error) {
		asked.Add(1)
		if time.Now().Before(ends) {
			return Task{ID: id, Status: TaskRunning}, nil
		}
		return Task{ID: id, Status: TaskCompleted}, nil
	}}, asked
}

func TestAllWhoWaitForATaskShareTheAsking(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, asked := pollerOf(time.Now().Add(2 * time.Second))
		var group sync.WaitGroup
		for range 100 {
			group.Go(func() {
				if task, err := p.wait(t.Context(), "task"); err != nil || task.Status != TaskCompleted {
					t.Error(task, err)
				}
			})
		}
		group.Wait()
		if n := asked.Load(); n > 5 {
			t.Errorf("asked %d times within 2 s", n)
		}
		if len(p.watches) != 0 {
			t.Errorf("%d watches are left", len(p.watches))
		}
	})
}

func TestPollingStopsWhenNobodyWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, asked := pollerOf(time.Now().Add(time.Hour))
		short, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		shorter, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		var group sync.WaitGroup
		for _, ctx := range []context.Context{shorter, short} {
			group.Go(func() {
				if _, err := p.wait(ctx, "task"); !errors.Is(err, context.DeadlineExceeded) {
					t.Error(err)
				}
			})
		}
		group.Wait()
		synctest.Wait()
		before := asked.Load()
		if before < 3 {
			t.Errorf("the one who left first ended the asking after %d", before)
		}
		time.Sleep(time.Minute)
		if n := asked.Load(); n != before || len(p.watches) != 0 {
			t.Errorf("asked %d times more for nobody", n-before)
		}
		if task, err := p.wait(t.Context(), "task"); err != nil || task.Status != TaskCompleted {
			t.Error(task, err)
		}
	})
}

func TestWaitTask(t *testing.T) {
	f := newFixture(t, func(w http.ResponseWriter, r *http.Request, n int) {
		status := []string{"pending", "running", "odd", "failed"}[n-1]
		respond(w, 200, map[string]any{"task_id": fileTask, "status": status})
	})
	if task, err := f.WaitTask(ctx, fileTask); err != nil || task.Status != TaskFailed || f.count() != 4 {
		t.Error(task, err)
	}
	f = newFixture(t, func(w http.ResponseWriter, _ *http.Request, _ int) {
		respondError(w, 404, 16, OpGetTask, "Can't find task")
	})
	if _, err := f.WaitTask(ctx, fileTask); !errors.Is(failure(t, err), ErrTaskUnknown) || f.waited() < unknownTaskGrace {
		t.Error(err, f.waited())
	}
	gone, cancel := context.WithCancel(ctx)
	cancel()
	if _, err := f.WaitTask(gone, fileTask); failure(t, err).Kind != KindCanceled || !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}
