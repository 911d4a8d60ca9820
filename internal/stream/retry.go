// Copyright (c) the terraform-provider-streamchat authors
// SPDX-License-Identifier: MPL-2.0

package stream

import (
	"context"
	"errors"
	"math"
	"math/rand/v2"
	"net/http"
	"time"

	"github.com/avast/retry-go/v5"

	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/clock"
)

const (
	retryDelay    = 500 * time.Millisecond
	maxRetryDelay = 30 * time.Second
	// maxLookups bounds the repeats when the host name is not known: mostly a
	// typing error, seldom a resolver that is just coming up.
	maxLookups = 2
	// patience bounds the waiting for 429s of a call whose context has no end.
	patience = 10 * time.Minute
)

// retryTimer lets retry-go wait on the injected clock.
type retryTimer struct {
	ctx   context.Context
	clock clock.Clock
}

// After implements retry.Timer. When the context ends the channel stays
// silent: retry-go watches the context itself.
func (t retryTimer) After(d time.Duration) <-chan time.Time {
	done := make(chan time.Time, 1)
	go func() {
		if t.clock.Sleep(t.ctx, d) == nil {
			done <- t.clock.Now()
		}
	}()
	return done
}

// repeat runs once until it succeeds, fails for good, or the retries or the
// context are used up. Whatever the last failure is, it says so if one of them
// was ambiguous.
func (t *transport) repeat(ctx context.Context, op Operation, once func() (*http.Response, *Error)) (*http.Response, *Error) {
	var ambiguous bool
	var last *Error
	var wait time.Duration // what the server asked for
	lookups := 0
	resp, err := retry.NewWithData[*http.Response](
		retry.Context(ctx),
		retry.WithTimer(retryTimer{ctx, t.clock}),
		retry.Attempts(uint(t.retries)+1),
		retry.LastErrorOnly(true),
		retry.RetryIf(func(err error) bool {
			var e *Error
			if !errors.As(err, &e) || !e.Retryable || e.Kind == KindRateLimited || e.Ambiguous && endpoints[op].once {
				return false
			}
			if e.dns {
				lookups++
			}
			return lookups <= maxLookups
		}),
		retry.DelayType(func(n uint, err error, _ retry.DelayContext) time.Duration {
			d := max(jitter(backoff(retryDelay, maxRetryDelay, int(n))), wait)
			var e *Error
			errors.As(err, &e)
			t.log(ctx, "repeating a request to Stream", map[string]any{
				"operation": string(op), "seconds": seconds(d), "attempt": int(n) + 1,
				"reason": string(e.Kind), "http_status": e.HTTPStatus,
			})
			return d
		}),
	).Do(func() (*http.Response, error) {
		resp, failure := once()
		if failure == nil {
			return resp, nil
		}
		last, ambiguous = failure, ambiguous || failure.Ambiguous
		wait = failure.after
		return nil, failure
	})
	if err == nil {
		return resp, nil
	}
	var failure *Error
	if ended := ctx.Err(); !errors.As(err, &failure) || ended != nil && failure.Retryable {
		failure = canceled(op, context.Cause(ctx))
		if last != nil {
			failure.detail = "the last attempt failed, " + last.describe()
		}
	}
	failure.Ambiguous = failure.Ambiguous || ambiguous
	return nil, failure
}

// withinLimits makes one attempt that counts: it waits for the limiter, and
// for as long as Stream answers 429, which says that nothing was carried out.
func (t *transport) withinLimits(ctx context.Context, x *exchange) (*http.Response, *Error) {
	for {
		if ctx.Err() != nil {
			return nil, canceled(x.op, context.Cause(ctx))
		}
		s, err := t.limiter.acquire(ctx, x.op, x.ticket, x.giveUp)
		switch {
		case errors.Is(err, errPatience):
			x.refusal.detail = "still so after " + patience.String() + " of waiting"
			return nil, x.refusal
		case err != nil:
			failure := canceled(x.op, context.Cause(ctx))
			failure.detail = "while waiting for Stream's rate limit"
			return nil, failure
		}
		if x.refused = LastWord(ctx, x.op); x.refused != nil {
			t.limiter.release(s, false, 0, nil)
			return nil, refuse(x.op, "a check before it said no")
		}
		resp, failure := t.exchange(ctx, x, s)
		if failure == nil || failure.Kind != KindRateLimited {
			return resp, failure
		}
		x.refusal = failure
		if _, bounded := ctx.Deadline(); !bounded && x.giveUp.IsZero() {
			x.giveUp = t.clock.Now().Add(patience)
		}
	}
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

// seconds is a duration for the log.
func seconds(d time.Duration) float64 { return math.Round(d.Seconds()*10) / 10 }
