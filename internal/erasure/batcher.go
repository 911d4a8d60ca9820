// Copyright (c) the terraform-provider-streamchat authors
// SPDX-License-Identifier: MPL-2.0

package erasure

import (
	"context"
	"sync"
	"time"

	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/clock"
)

// batcher joins calls that come at the same time with the same key into one of
// up to max members. Terraform runs its resources in parallel and apart; Stream
// wants up to 100 of them in one request, six times a minute.
type batcher[K comparable, V, R any] struct {
	clock  clock.Clock
	window time.Duration // how long the first member waits for company
	max    int
	// turn may wait for a rate limit; the batch stays open meanwhile. What it
	// returns is called when the batch is done.
	turn func(context.Context) (release func(), err error)
	run  func(ctx context.Context, key K, members []*member[V, R])

	mu     sync.Mutex
	queues map[K]*queue[V, R]
}

type queue[V, R any] struct {
	waiting []*member[V, R]
	cancel  context.CancelFunc // ends the wait for the turn when nobody is left
}

// member is one caller's part in a batch. run answers each exactly once.
type member[V, R any] struct {
	id     string
	value  V
	ctx    context.Context
	done   chan struct{}
	result R
	err    error
}

func (m *member[V, R]) answer(result R, err error) {
	m.result, m.err = result, err
	close(m.done)
}

// do adds a member and waits for its answer. A caller whose context ends before
// the batch is sealed is taken out and gets the context's error: nothing was
// done for it. After that it waits for the answer, which is bounded by the run.
func (b *batcher[K, V, R]) do(ctx context.Context, key K, id string, value V) (R, error) {
	m := &member[V, R]{id: id, value: value, ctx: ctx, done: make(chan struct{})}
	if err := ctx.Err(); err != nil {
		return m.result, err
	}
	b.join(key, m)
	select {
	case <-m.done:
	case <-ctx.Done():
		if b.leave(key, m) {
			return m.result, ctx.Err()
		}
		<-m.done
	}
	return m.result, m.err
}

func (b *batcher[K, V, R]) join(key K, m *member[V, R]) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if q, ok := b.queues[key]; ok {
		q.waiting = append(q.waiting, m)
		return
	}
	// The values of the first member's context (its log) serve the whole queue.
	ctx, cancel := context.WithCancel(context.WithoutCancel(m.ctx)) //nolint:gosec // the queue keeps it
	if b.queues == nil {
		b.queues = map[K]*queue[V, R]{}
	}
	b.queues[key] = &queue[V, R]{waiting: []*member[V, R]{m}, cancel: cancel}
	go b.serve(ctx, key)
}

// leave takes a member out if its batch is not sealed yet.
func (b *batcher[K, V, R]) leave(key K, m *member[V, R]) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	q, ok := b.queues[key]
	if !ok {
		return false
	}
	for i, waiting := range q.waiting {
		if waiting == m {
			q.waiting = append(q.waiting[:i:i], q.waiting[i+1:]...)
			if len(q.waiting) == 0 {
				q.cancel()
				delete(b.queues, key)
			}
			return true
		}
	}
	return false
}

// serve seals and runs batches of one key until its queue is empty.
func (b *batcher[K, V, R]) serve(ctx context.Context, key K) {
	for {
		err := b.clock.Sleep(ctx, b.window)
		release := func() {}
		if err == nil && b.turn != nil {
			release, err = b.turn(ctx)
		}
		members, more := b.seal(ctx, key)
		if len(members) > 0 {
			if err != nil {
				for _, m := range members {
					m.answer(m.result, err)
				}
			} else {
				b.runSealed(ctx, key, members)
			}
		}
		release()
		if !more {
			return
		}
	}
}

// seal takes the next members. When none are left behind, the queue is closed
// and the next caller opens a new one.
func (b *batcher[K, V, R]) seal(ctx context.Context, key K) (members []*member[V, R], more bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	q, ok := b.queues[key]
	if !ok || ctx.Err() != nil {
		return nil, false // everybody left; a queue under this key now is somebody else's
	}
	n := min(len(q.waiting), b.max)
	members, q.waiting = q.waiting[:n:n], q.waiting[n:]
	if len(q.waiting) == 0 {
		delete(b.queues, key)
		return members, false
	}
	return members, true
}

// runSealed runs a batch under a context that ends when all its members' do.
func (b *batcher[K, V, R]) runSealed(ctx context.Context, key K, members []*member[V, R]) {
	ctx, cancel := context.WithCancelCause(context.WithoutCancel(ctx))
	defer cancel(nil)
	var mu sync.Mutex
	left := len(members)
	for _, m := range members {
		stop := context.AfterFunc(m.ctx, func() {
			mu.Lock()
			defer mu.Unlock()
			if left--; left == 0 {
				cancel(context.Cause(m.ctx)) // a timeout stays one
			}
		})
		defer stop()
	}
	b.run(ctx, key, members)
}
