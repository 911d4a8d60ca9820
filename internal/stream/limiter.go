// Copyright (c) the terraform-provider-streamchat authors
// SPDX-License-Identifier: MPL-2.0

package stream

import (
	"context"
	"errors"
	"net/http"
	"sync"
	"time"

	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/clock"
)

// errPatience says that a call has waited out as many refusals as it may.
var errPatience = errors.New("stream: too long limited")

// limiter keeps every operation within Stream's limit, for all callers of a
// Client together, in the order in which they came.
//
// It is a log of calls and not a token bucket (golang.org/x/time/rate): a
// bucket of N that refills over the window lets up to 2N-1 calls pass within
// one window, and the call past N costs a wait until the reset.
type limiter struct {
	clock clock.Clock
	log   func(ctx context.Context, msg string, fields map[string]any)
	caps  map[Operation]int // never above, whatever the headers say

	mu      sync.Mutex
	lanes   map[Operation]*lane
	tickets uint64
}

func newLimiter(c clock.Clock, log func(context.Context, string, map[string]any), caps map[Operation]int) *limiter {
	return &limiter{clock: c, log: log, caps: caps, lanes: map[Operation]*lane{}}
}

// waiter is a caller in a lane's queue.
type waiter struct {
	ticket uint64
	wake   chan struct{}      // capacity 1: look again
	awaken context.CancelFunc // ends the sleep, nil when not asleep
}

func (w *waiter) poke() {
	if w.awaken != nil {
		w.awaken()
	}
	select {
	case w.wake <- struct{}{}:
	default:
	}
}

// slot is a call that was let through. It must be given back by release.
type slot struct {
	lane *lane
	send uint64
}

// newTicket is a caller's place in the order. A call that is repeated keeps its
// ticket, so that it does not queue up behind those who came later.
func (l *limiter) newTicket() uint64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.tickets++
	return l.tickets
}

// acquire waits until a call of the operation may go out. The error is the
// context's, or errPatience when it cannot go before giveUp (zero = never).
func (l *limiter) acquire(ctx context.Context, op Operation, ticket uint64, giveUp time.Time) (slot, error) {
	return l.wait(ctx, op, ticket, giveUp, true)
}

// await waits like acquire, but leaves the place to others.
func (l *limiter) await(ctx context.Context, op Operation) error {
	_, err := l.wait(ctx, op, l.newTicket(), time.Time{}, false)
	return err
}

func (l *limiter) wait(ctx context.Context, op Operation, ticket uint64, giveUp time.Time, take bool) (slot, error) {
	if err := ctx.Err(); err != nil {
		return slot{}, err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	ln := l.lane(op)
	w := &waiter{ticket: ticket, wake: make(chan struct{}, 1)}
	ln.enqueue(w)
	defer ln.dequeue(w)
	for {
		if ln.queue[0] == w {
			now := l.clock.Now()
			delay, timed := ln.next(now)
			if timed && delay <= 0 {
				if !take {
					return slot{}, nil
				}
				ln.inFlight++
				ln.sends++
				ln.start(now)
				return slot{ln, ln.sends}, nil
			}
			if !giveUp.IsZero() && now.Add(max(delay, 0)).After(giveUp) {
				return slot{}, errPatience
			}
			if timed {
				l.sleep(ctx, w, op, delay, len(ln.queue)-1)
				if err := ctx.Err(); err != nil {
					return slot{}, err
				}
				continue
			}
		}
		l.mu.Unlock()
		select {
		case <-w.wake:
		case <-ctx.Done():
		}
		l.mu.Lock()
		if err := ctx.Err(); err != nil {
			return slot{}, err
		}
	}
}

// sleep waits without the lock, until d is over, ctx ends or w is poked.
func (l *limiter) sleep(ctx context.Context, w *waiter, op Operation, d time.Duration, behind int) {
	sleeping, cancel := context.WithCancel(ctx)
	w.awaken = cancel
	l.mu.Unlock()
	if d >= time.Second {
		l.log(ctx, "waiting for Stream's rate limit", map[string]any{
			"operation": string(op), "seconds": seconds(d), "waiting_behind": behind,
		})
	}
	_ = l.clock.Sleep(sleeping, d)
	cancel()
	l.mu.Lock()
	w.awaken = nil
}

// release gives a call's slot back. reached is false when the request cannot
// have come to Stream. header and status are the answer's, status 0 = none.
func (l *limiter) release(s slot, reached bool, status int, header http.Header) {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := l.clock.Now()
	ln := s.lane
	ln.inFlight--
	if reached {
		ln.answered = append(ln.answered, now)
	}
	if status != 0 {
		ln.learn(s, now, status, header)
	}
	if len(ln.queue) > 0 {
		ln.queue[0].poke()
	}
}

func (l *limiter) lane(op Operation) *lane {
	ln := l.lanes[op]
	if ln == nil {
		ln = &lane{limit: endpoints[op].limit, cap: l.caps[op]}
		if ln.cap > 0 {
			ln.limit = ln.cap
		}
		l.lanes[op] = ln
	}
	return ln
}
