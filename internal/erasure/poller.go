// Copyright (c) the terraform-provider-streamchat authors
// SPDX-License-Identifier: MPL-2.0

package erasure

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/clock"
	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/stream"
)

const (
	firstPoll   = 500 * time.Millisecond
	slowestPoll = 5 * time.Second
	// A replica that lags may not know a task yet (stream-api.md §8).
	unknownTaskGrace = 10 * time.Second
)

var errTaskUnknown = errors.New("task unknown")

// poller asks for each task on behalf of all who wait for it.
type poller struct {
	clock clock.Clock
	get   func(context.Context, string) (stream.Task, error)

	mu      sync.Mutex
	watches map[string]*watch
}

type watch struct {
	done    chan struct{}
	task    stream.Task
	err     error
	waiters int
	cancel  context.CancelFunc
}

// wait returns the task once it has ended. Polling stops when nobody waits.
// errTaskUnknown: Stream does not know the task, also not after the grace.
func (p *poller) wait(ctx context.Context, id string) (stream.Task, error) {
	p.mu.Lock()
	w, ok := p.watches[id]
	if !ok {
		pollCtx, cancel := context.WithCancel(context.WithoutCancel(ctx))
		w = &watch{done: make(chan struct{}), cancel: cancel}
		if p.watches == nil {
			p.watches = map[string]*watch{}
		}
		p.watches[id] = w
		go p.poll(pollCtx, id, w)
	}
	w.waiters++
	p.mu.Unlock()

	select {
	case <-w.done:
		return w.task, w.err
	case <-ctx.Done():
		p.mu.Lock()
		if w.waiters--; w.waiters == 0 {
			w.cancel()
			p.forget(id, w)
		}
		p.mu.Unlock()
		return stream.Task{}, ctx.Err()
	}
}

func (p *poller) poll(ctx context.Context, id string, w *watch) {
	defer w.cancel()
	w.task, w.err = p.untilEnd(ctx, id)
	p.mu.Lock()
	p.forget(id, w)
	p.mu.Unlock()
	close(w.done)
}

// forget drops the watch, unless its place was taken by a newer one.
func (p *poller) forget(id string, w *watch) {
	if p.watches[id] == w {
		delete(p.watches, id)
	}
}

func (p *poller) untilEnd(ctx context.Context, id string) (stream.Task, error) {
	delay := firstPoll
	var unknownSince time.Time
	for {
		if err := p.clock.Sleep(ctx, delay); err != nil {
			return stream.Task{}, err
		}
		delay = min(delay*3/2, slowestPoll)
		task, err := p.get(ctx, id)
		switch {
		case stream.IsNotFound(err):
			now := p.clock.Now()
			if unknownSince.IsZero() {
				unknownSince = now
			}
			if now.Sub(unknownSince) >= unknownTaskGrace {
				return stream.Task{}, errTaskUnknown
			}
		case err != nil:
			return stream.Task{}, err
		case task.Terminal():
			return task, nil
		default:
			unknownSince = time.Time{}
		}
	}
}
