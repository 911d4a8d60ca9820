// Copyright (c) the terraform-provider-streamchat authors
// SPDX-License-Identifier: MPL-2.0

package stream

import (
	"context"
	"errors"
	"math"
	"math/rand/v2"
	"net/http"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/clock"
)

const (
	// window is what Stream counts in (stream-api.md §1.5).
	window = time.Minute
	// maxReset is how far ahead a reset may lie to be believed.
	maxReset = 2 * window
	// resetMargin makes up for resets being whole seconds.
	resetMargin = 500 * time.Millisecond
	// bursts: Stream also allows no more than a thirtieth of the minute's calls
	// within one second (stream-api.md §1.5). Limits below 30 would give none,
	// and 6 deletions at once are known to pass.
	burstShare = 30

	refusalDelay    = time.Second
	maxRefusalDelay = time.Minute
	maxAllowance    = 32
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

// lane is the limit of one operation.
type lane struct {
	limit    int // calls in any window, 0 = no limit known
	cap      int // 0 = none
	inFlight int
	// answered are the times at which the calls of the last window were
	// answered, ascending. A call counts from its start until a window after its
	// answer, so the server, which counts somewhere in between, never sees more
	// than limit in a window however slow the network is.
	answered []time.Time
	// started are the times of the last calls, for the limit by the second.
	started []time.Time

	blockedUntil time.Time
	// allowance bounds the calls in flight after a refusal: one, and one more
	// with every call that passes, so that those who waited do not come all at
	// once. 0 = not bounded.
	allowance int
	refusals  int    // in a row
	sends     uint64 // calls let through so far
	// refusedAt is sends at the last refusal: calls up to it left before it was
	// known, their refusals are the same one.
	refusedAt uint64

	queue []*waiter // by ticket; only the first may go
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

func (ln *lane) setLimit(n int) {
	if ln.cap > 0 && n > ln.cap {
		n = ln.cap
	}
	ln.limit = n
}

func (ln *lane) enqueue(w *waiter) {
	at, _ := slices.BinarySearchFunc(ln.queue, w.ticket, func(q *waiter, ticket uint64) int {
		if q.ticket <= ticket {
			return -1
		}
		return 1
	})
	ln.queue = slices.Insert(ln.queue, at, w)
}

func (ln *lane) dequeue(w *waiter) {
	at := slices.Index(ln.queue, w)
	ln.queue = slices.Delete(ln.queue, at, at+1)
	if at == 0 && len(ln.queue) > 0 {
		ln.queue[0].poke()
	}
}

// start notes a call for the limit by the second.
func (ln *lane) start(now time.Time) {
	ln.started = append(ln.started, now)
	if keep := ln.burst(); len(ln.started) > keep {
		ln.started = slices.Delete(ln.started, 0, len(ln.started)-keep)
	}
}

func (ln *lane) burst() int { return ln.limit / burstShare }

// next says how long the first in the queue has to wait, or that this depends
// on calls that are not answered yet (timed = false).
func (ln *lane) next(now time.Time) (delay time.Duration, timed bool) {
	free := 0
	for free < len(ln.answered) && !ln.answered[free].Add(window).After(now) {
		free++
	}
	ln.answered = slices.Delete(ln.answered, 0, free)

	until := ln.blockedUntil
	if ln.allowance > 0 && ln.inFlight >= ln.allowance {
		return until.Sub(now), false
	}
	if excess := ln.inFlight + len(ln.answered) - ln.limit + 1; ln.limit > 0 && excess > 0 {
		if excess > len(ln.answered) {
			return until.Sub(now), false
		}
		until = later(until, ln.answered[excess-1].Add(window))
	}
	if burst := ln.burst(); burst > 0 && len(ln.started) >= burst {
		until = later(until, ln.started[len(ln.started)-burst].Add(time.Second))
	}
	return until.Sub(now), true
}

// learn adjusts the lane to Stream's headers and refusals.
func (ln *lane) learn(s slot, now time.Time, status int, header http.Header) {
	if limit, ok := headerNumber(header, "X-RateLimit-Limit"); ok && limit > 0 {
		ln.setLimit(int(min(limit, math.MaxInt32)))
	}
	reset, resetKnown := resetOf(header, now)
	if status != http.StatusTooManyRequests {
		if s.send > ln.refusedAt {
			ln.refusals = 0
			if ln.allowance > 0 {
				ln.allowance++
			}
			if ln.allowance > maxAllowance {
				ln.allowance = 0
			}
		}
		if remaining, ok := headerNumber(header, "X-RateLimit-Remaining"); ok && remaining == 0 && resetKnown {
			ln.block(reset.Add(resetMargin))
		}
		return
	}
	fresh := s.send > ln.refusedAt
	ln.allowance = 1
	ln.refusedAt = ln.sends
	if fresh {
		ln.refusals++
	}
	after, afterKnown := retryAfter(header, now)
	switch {
	case resetKnown:
		ln.block(reset.Add(resetMargin))
	case afterKnown:
		ln.block(now.Add(after))
	case fresh:
		ln.block(now.Add(jitter(backoff(refusalDelay, maxRefusalDelay, ln.refusals))))
	}
}

func (ln *lane) block(until time.Time) { ln.blockedUntil = later(ln.blockedUntil, until) }

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// backoff is base for the first attempt and doubles up to most.
func backoff(base, most time.Duration, attempt int) time.Duration {
	d := base
	for range attempt - 1 {
		if d >= most {
			break
		}
		d *= 2
	}
	return min(d, most)
}

// jitter is somewhere in the upper half of d.
func jitter(d time.Duration) time.Duration {
	return d - rand.N(d/2+1) //nolint:gosec // spreads callers, guards nothing
}

func headerNumber(header http.Header, name string) (int64, bool) {
	n, err := strconv.ParseInt(header.Get(name), 10, 64)
	return n, err == nil && n >= 0
}

// resetOf is X-RateLimit-Reset if it can be true. The server's clock is not
// this machine's: a reset in the past or far ahead says nothing.
func resetOf(header http.Header, now time.Time) (time.Time, bool) {
	unix, ok := headerNumber(header, "X-RateLimit-Reset")
	if !ok {
		return time.Time{}, false
	}
	reset := time.Unix(unix, 0).UTC()
	return reset, reset.After(now) && !reset.After(now.Add(maxReset))
}

// retryAfter is the Retry-After header, seconds or a date, if it can be true.
func retryAfter(header http.Header, now time.Time) (time.Duration, bool) {
	value := header.Get("Retry-After")
	var d time.Duration
	if n, err := strconv.ParseInt(value, 10, 32); err == nil {
		d = time.Duration(n) * time.Second
	} else if t, err := http.ParseTime(value); err == nil {
		d = t.Sub(now)
	}
	return d, d > 0 && d <= maxReset
}

// seconds is a duration for the log.
func seconds(d time.Duration) float64 { return math.Round(d.Seconds()*10) / 10 }
