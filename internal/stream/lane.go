// Copyright (c) the terraform-provider-streamchat authors
// SPDX-License-Identifier: MPL-2.0

package stream

import (
	"math"
	"net/http"
	"slices"
	"time"
)

const (
	// window is what Stream counts in (stream-api.md §1.5).
	window = time.Minute
	// burstShare: Stream lets a 30th of a minute's calls through in one second
	// (stream-api.md §1.5). Of limits below 30 that would be none, and 6 deletions
	// at once are known to pass, so these have no limit by the second.
	burstShare = 30

	// refusalDelay is the wait after a refusal without a believable header; it
	// doubles with every one in a row, up to maxRefusalDelay.
	refusalDelay    = time.Second
	maxRefusalDelay = time.Minute
	// maxAllowance is how many calls in flight, growing by one at a time after a
	// refusal, show that the refusals are over.
	maxAllowance = 32
)

// lane is the limit of one operation.
type lane struct {
	limit    int // calls in any window, 0 = no limit known
	cap      int // limit is never above it, whatever the headers say; 0 = none
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
