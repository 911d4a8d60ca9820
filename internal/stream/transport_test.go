// Copyright (c) the terraform-provider-streamchat authors
// SPDX-License-Identifier: MPL-2.0

package stream

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/clock/clocktest"
)

const deleted = `{"task_id":"8d011daa-cbcd-4cba-ad16-701de599873a","duration":"12.07ms"}`

func deleteOne(f *fixture) error {
	_, err := f.DeleteUsers(context.Background(), []string{testUser}, UserDeletion{User: "hard"})
	return err
}

func readTask(f *fixture) error {
	_, err := f.Task(context.Background(), "task-1")
	return err
}

const task = `{"task_id":"task-1","status":"running","created_at":"2026-01-02T10:00:00.123456Z","updated_at":"2026-01-02T10:00:03.5Z",` +
	`"duration":"3ms"}`

// good answers the two calls that the fault tests use.
func good(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "application/json")
	if r.Method == http.MethodPost {
		w.WriteHeader(http.StatusCreated)
		_, _ = io.WriteString(w, deleted)
		return
	}
	_, _ = io.WriteString(w, task)
}

func raw(status int, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	}
}

// TestFaults runs every fault against a call that changes something and one
// that reads: a fault that passes must be survived, one that stays must end in
// the right error after the right number of attempts.
func TestFaults(t *testing.T) {
	truncated := func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Length", "60")
		w.WriteHeader(http.StatusOK)
		_, _ = io.WriteString(w, `{"task_id":"8d0`)
	}
	cut404 := func(w http.ResponseWriter, _ *http.Request) { // it might have gone on to say anything
		w.Header().Set("Content-Length", "100")
		w.WriteHeader(http.StatusNotFound)
		_, _ = io.WriteString(w, `{"code":16,"message":"`)
	}
	words := `{"code":-1,"message":"DeleteUsers failed with error: \"canary ` +
		`words\"","StatusCode":500,"duration":"0","more_info":"","details":[]}`
	for name, fault := range map[string]struct {
		handler   http.HandlerFunc
		kind      Kind
		status    int
		code      int
		passing   bool // a repeat helps
		ambiguous bool // for the call that changes something
	}{
		"drop":                {func(w http.ResponseWriter, _ *http.Request) { drop(w) }, KindNetwork, 0, 0, true, true},
		"500":                 {raw(500, words), KindServer, 500, -1, true, true},
		"500 of a proxy":      {raw(500, `{"error":"canary"}`), KindServer, 500, 0, true, true},
		"empty 503":           {raw(503, ""), KindServer, 503, 0, true, true},
		"HTML 502":            {raw(502, "<html>canary</html>"), KindServer, 502, 0, true, true},
		"408":                 {raw(408, `{"code":23,"message":"canary","StatusCode":408}`), KindServer, 408, 23, true, true},
		"cut off by length":   {truncated, KindNetwork, 0, 0, true, true},
		"cut off 404":         {cut404, KindNetwork, 0, 0, true, true},
		"cut off JSON":        {raw(200, `{"task_id":"canary`), KindUnexpectedBody, 200, 0, true, true},
		"cut off JSON of 404": {raw(404, `{"code":16,"message":"canary`), KindUnexpectedBody, 404, 0, true, true},
		"cut off JSON of 400": {raw(400, `{"code":4,"mess`), KindUnexpectedBody, 400, 0, true, true},
		"empty 200":           {raw(200, ""), KindUnexpectedBody, 200, 0, true, true},
		"204":                 {raw(204, ""), KindUnexpectedBody, 204, 0, true, true},
		"HTML 200":            {raw(200, "<html>canary</html>"), KindUnexpectedBody, 200, 0, false, true},
		"array 200":           {raw(200, `["canary"]`), KindUnexpectedBody, 200, 0, false, true},
		"text 200":            {raw(200, `"canary"`), KindUnexpectedBody, 200, 0, false, true},
		"number as id 201":    {raw(201, `{"task_id":17}`), KindUnexpectedBody, 201, 0, false, true},
		"no id 201":           {raw(201, `{"duration":"1ms"}`), KindUnexpectedBody, 201, 0, false, true},
		"empty id 201":        {raw(201, `{"task_id":""}`), KindUnexpectedBody, 201, 0, false, true},
		"null id 201":         {raw(201, `{"task_id":null,"status":"x"}`), KindUnexpectedBody, 201, 0, false, true},
		"bad key":             {raw(401, `{"code":2,"message":"api_key not valid canary","StatusCode":401}`), KindAuth, 401, 2, false, false},
		"bad secret":          {raw(401, `{"code":5,"message":"canary","StatusCode":401}`), KindAuth, 401, 5, false, false},
		"bad secret, old":     {raw(403, `{"code":43,"message":"canary","StatusCode":403}`), KindAuth, 403, 43, false, false},
		"401 of a proxy":      {raw(401, `canary`), KindAuth, 401, 0, false, false},
		"403":                 {raw(403, `{"code":17,"message":"canary","StatusCode":403}`), KindForbidden, 403, 17, false, false},
		"403 of a firewall":   {raw(403, `<html>canary`), KindForbidden, 403, 0, false, false},
		"400":                 {raw(400, `{"code":4,"message":"canary","StatusCode":400}`), KindInput, 400, 4, false, false},
		"413":                 {raw(413, `{"code":22,"message":"canary","StatusCode":413}`), KindInput, 413, 22, false, false},
		"404": {raw(404, `{"code":16,"message":"DeleteUsers failed with error: \"canary\"","StatusCode":404}`), KindNotFound, 404,
			16, false, false},
		"404 of the router": {raw(404, `{"code":16,"message":"Request failed with error: \"Not Found\"","StatusCode":404}`), KindUnexpectedBody,
			404, 16, false, false},
		"404 of a proxy":      {raw(404, "<html>canary not found</html>"), KindUnexpectedBody, 404, 0, false, false},
		"404, code in words":  {raw(404, `{"code":"16","message":"canary does not exist"}`), KindUnexpectedBody, 404, 0, false, false},
		"404, other code":     {raw(404, `{"code":4,"message":"canary does not exist"}`), KindUnexpectedBody, 404, 4, false, false},
		"404, code a number?": {raw(404, `{"code":16.5,"message":"canary does not exist"}`), KindUnexpectedBody, 404, 0, false, false},
	} {
		for call, run := range map[string]func(*fixture) error{"delete": deleteOne, "read": readTask} {
			changes := call == "delete"
			t.Run(name+"/"+call+"/always", func(t *testing.T) {
				f := newFixture(t, func(w http.ResponseWriter, r *http.Request, _ int) { fault.handler(w, r) })
				e := failure(t, run(f))
				if e.Kind != fault.kind || e.HTTPStatus != fault.status || e.Code != fault.code {
					t.Errorf("kind %s, status %d, code %d: %v", e.Kind, e.HTTPStatus, e.Code, e)
				}
				if e.Retryable != fault.passing || e.Ambiguous != (fault.ambiguous && changes) {
					t.Errorf("retryable %v, ambiguous %v: %v", e.Retryable, e.Ambiguous, e)
				}
				want := 1
				if fault.passing {
					want = 6
				}
				// Go itself repeats a read that a reused connection lost.
				if got := f.count(); got != want && (changes || got < want || got > 2*want) {
					t.Errorf("%d requests, want %d", got, want)
				}
				if fault.passing && (f.waited() < 4*time.Second || f.waited() > 17*time.Second) {
					t.Errorf("waited %s in five repeats", f.waited())
				}
				if fault.passing && strings.Count(f.logged(), "repeating") != 5 {
					t.Errorf("logged %s", f.logged())
				}
			})
			t.Run(name+"/"+call+"/once", func(t *testing.T) {
				f := newFixture(t, func(w http.ResponseWriter, r *http.Request, n int) {
					if n == 1 {
						fault.handler(w, r)
						return
					}
					good(w, r)
				})
				err := run(f)
				if fault.passing != (err == nil) {
					t.Errorf("error %v", err)
				}
			})
			t.Run(name+"/"+call+"/no retries", func(t *testing.T) {
				f := newFixture(t, func(w http.ResponseWriter, r *http.Request, _ int) { fault.handler(w, r) }, retries(0))
				failure(t, run(f))
				if f.count() != 1 || f.waited() != 0 {
					t.Errorf("%d requests, waited %s", f.count(), f.waited())
				}
			})
		}
	}
}

func TestRefusedRequestsAreRepeatedUntilTheyPass(t *testing.T) {
	plain := func(w http.ResponseWriter) { http.Error(w, "rate limit exceeded, canary", 429) }
	for name, refusal := range map[string]struct {
		refuse   func(w http.ResponseWriter, now time.Time)
		min, max time.Duration // of three refusals
	}{
		"plain text, no headers": {func(w http.ResponseWriter, _ time.Time) { plain(w) }, 3 * time.Second, 8 * time.Second},
		"code in words": {func(w http.ResponseWriter, _ time.Time) {
			respond(w, 429, map[string]any{"code": "rate_limit_exceeded", "message": "slow down canary"})
		}, 3 * time.Second, 8 * time.Second},
		"empty": {func(w http.ResponseWriter, _ time.Time) { w.WriteHeader(429) }, 3 * time.Second, 8 * time.Second},
		"Stream's": {func(w http.ResponseWriter, now time.Time) {
			limits(w, 0, now.Add(20*time.Second))
			respondError(w, 429, 9, OpDeleteUsers, "Too many requests canary, check response headers for more information.")
		}, 60 * time.Second, 66 * time.Second},
		"reset in the past": {func(w http.ResponseWriter, now time.Time) {
			limits(w, 0, now.Add(-time.Hour))
			plain(w)
		}, 3 * time.Second, 8 * time.Second},
		"reset far ahead": {func(w http.ResponseWriter, now time.Time) {
			limits(w, 0, now.Add(24*time.Hour))
			plain(w)
		}, 3 * time.Second, 8 * time.Second},
		"reset is no number": {func(w http.ResponseWriter, _ time.Time) {
			w.Header().Set("X-RateLimit-Limit", "many")
			w.Header().Set("X-RateLimit-Reset", "soon")
			plain(w)
		}, 3 * time.Second, 8 * time.Second},
		"Retry-After in seconds": {func(w http.ResponseWriter, _ time.Time) {
			w.Header().Set("Retry-After", "15")
			plain(w)
		}, 45 * time.Second, 46 * time.Second},
		"Retry-After as a date": {func(w http.ResponseWriter, now time.Time) {
			w.Header().Set("Retry-After", now.Add(15*time.Second).Format(http.TimeFormat))
			plain(w)
		}, 40 * time.Second, 46 * time.Second},
		"Retry-After absurd": {func(w http.ResponseWriter, _ time.Time) {
			w.Header().Set("Retry-After", "86400")
			plain(w)
		}, 3 * time.Second, 8 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			var f *fixture
			f = newFixture(t, func(w http.ResponseWriter, r *http.Request, n int) {
				if n <= 3 {
					refusal.refuse(w, f.clock.Now())
					return
				}
				good(w, r)
			}, retries(0)) // 429s are not counted
			if err := deleteOne(f); err != nil {
				t.Fatal(err)
			}
			if f.count() != 4 || f.waited() < refusal.min || f.waited() > refusal.max {
				t.Errorf("%d requests, waited %s", f.count(), f.waited())
			}
			if !strings.Contains(f.logged(), "waiting for Stream's rate limit") || !strings.Contains(f.logged(), "DeleteUsers") {
				t.Errorf("the log is %q", f.logged())
			}
		})
	}
}

func TestPatienceWithRefusalsEnds(t *testing.T) {
	f := newFixture(t, func(w http.ResponseWriter, _ *http.Request, _ int) { http.Error(w, "canary", 429) })
	e := failure(t, deleteOne(f))
	if e.Kind != KindRateLimited || e.HTTPStatus != 429 || !e.Retryable || e.Ambiguous {
		t.Errorf("%+v", e)
	}
	if f.waited() < 5*time.Minute || f.waited() > 10*time.Minute {
		t.Errorf("waited %s", f.waited())
	}

	// With a deadline it is the deadline that counts.
	ctx, cancel := context.WithTimeout(context.Background(), time.Hour)
	defer cancel()
	f = newFixture(t, func(w http.ResponseWriter, r *http.Request, n int) {
		if n > 40 {
			good(w, r)
			return
		}
		w.WriteHeader(429)
	})
	if _, err := f.DeleteUsers(ctx, []string{testUser}, UserDeletion{}); err != nil {
		t.Error(err)
	}
	if f.waited() < 20*time.Minute {
		t.Errorf("waited %s", f.waited())
	}
}

func TestRedirectsAreErrorsAndNotFollowed(t *testing.T) {
	for _, status := range []int{301, 302, 303, 307, 308} {
		for call, run := range map[string]func(*fixture) error{
			"delete": deleteOne, "read": readTask,
			"sdk": func(f *fixture) error { _, err := f.App(context.Background()); return err },
		} {
			t.Run(fmt.Sprint(status, call), func(t *testing.T) {
				f := newFixture(t, func(w http.ResponseWriter, r *http.Request, _ int) {
					http.Redirect(w, r, "/canary", status)
				})
				e := failure(t, run(f))
				if e.Kind != KindRedirect || e.HTTPStatus != status || e.Retryable || e.Ambiguous || f.count() != 1 {
					t.Errorf("%d requests: %+v", f.count(), e)
				}
			})
		}
	}
}

func TestSlowAnswers(t *testing.T) {
	for name, handler := range map[string]http.HandlerFunc{
		"before the header": func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() },
		"in the body": func(w http.ResponseWriter, r *http.Request) {
			_, _ = io.WriteString(w, `{"task_id":`)
			w.(http.Flusher).Flush()
			<-r.Context().Done()
		},
	} {
		for call, run := range map[string]func(*fixture) error{"delete": deleteOne, "read": readTask} {
			t.Run(name+"/"+call, func(t *testing.T) {
				f := newFixture(t, func(w http.ResponseWriter, r *http.Request, _ int) { handler(w, r) },
					retries(1), func(c *Config) { c.RequestTimeout = 50 * time.Millisecond })
				e := failure(t, run(f))
				if e.Kind != KindNetwork || !strings.Contains(e.Error(), "50ms") || e.Ambiguous != (call == "delete") || f.count() != 2 {
					t.Errorf("%d requests: %+v", f.count(), e)
				}
				if errors.Is(e, context.DeadlineExceeded) {
					t.Error("the exchange's time limit passes for the caller's deadline")
				}
			})
		}
	}
}

// An hour may be true of a maintenance, but no run waits for it.
func TestRetryAfterOfAFailureIsOnlyBelievedInReason(t *testing.T) {
	for value, atLeast := range map[string]time.Duration{
		"15": 5 * 15 * time.Second, "3600": 0, "-1": 0, "canary": 0,
		testStart.Add(73 * 365 * 24 * time.Hour).Format(http.TimeFormat): 0,
	} {
		f := newFixture(t, func(w http.ResponseWriter, _ *http.Request, _ int) {
			w.Header().Set("Retry-After", value)
			w.WriteHeader(http.StatusServiceUnavailable)
		})
		if e := failure(t, readTask(f)); e.Kind != KindServer || f.count() != 6 {
			t.Errorf("%s: %d requests: %+v", value, f.count(), e)
		}
		if f.waited() < atLeast || f.waited() > max(atLeast, 17*time.Second)+time.Second {
			t.Errorf("%s: waited %s", value, f.waited())
		}
		if lines := strings.Count(f.logged(), "repeating a request to Stream"); lines != 5 {
			t.Errorf("%s: %d waits are in the log", value, lines)
		}
	}
}

func TestInterruptDoesNotTearAChange(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	f := newFixture(t, func(w http.ResponseWriter, r *http.Request, _ int) {
		cancel()
		time.Sleep(20 * time.Millisecond) // the client has time to hang up
		if r.Context().Err() != nil {
			t.Error("the client hung up")
		}
		good(w, r)
	})
	id, err := f.DeleteUsers(ctx, []string{testUser}, UserDeletion{})
	if err != nil || id != "8d011daa-cbcd-4cba-ad16-701de599873a" {
		t.Errorf("%q, %v", id, err)
	}
	// but nothing new is begun
	_, err = f.DeleteUsers(ctx, []string{testUser}, UserDeletion{})
	e := failure(t, err)
	if e.Kind != KindCanceled || !errors.Is(e, context.Canceled) || e.Ambiguous || f.count() != 1 {
		t.Errorf("%d requests: %+v", f.count(), e)
	}
}

func TestInterruptAfterAnAmbiguousExchange(t *testing.T) {
	for _, n := range []int{0, 5} {
		ctx, cancel := context.WithCancel(context.Background())
		f := newFixture(t, func(w http.ResponseWriter, _ *http.Request, _ int) {
			cancel()
			drop(w)
		}, retries(n))
		_, err := f.DeleteUsers(ctx, []string{testUser}, UserDeletion{})
		e := failure(t, err)
		if e.Kind != KindCanceled || !errors.Is(err, context.Canceled) || !e.Ambiguous || f.count() != 1 {
			t.Errorf("retries %d, %d requests: %+v", n, f.count(), e)
		}
	}
}

func TestInterruptEndsARead(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	f := newFixture(t, func(_ http.ResponseWriter, r *http.Request, _ int) {
		cancel()
		<-r.Context().Done()
	})
	_, err := f.Task(ctx, "task-1")
	e := failure(t, err)
	if e.Kind != KindCanceled || !errors.Is(err, context.Canceled) || e.Ambiguous {
		t.Errorf("%+v", e)
	}
}

// stuckClock tells a simulated time, but its sleeps only end with the context.
type stuckClock struct {
	*clocktest.Clock
	asleep chan time.Duration
}

func (c stuckClock) Sleep(ctx context.Context, d time.Duration) error {
	c.asleep <- d
	<-ctx.Done()
	return ctx.Err()
}

func TestInterruptEndsWaiting(t *testing.T) {
	for name, test := range map[string]struct {
		fault     http.HandlerFunc
		ambiguous bool
		says      string
	}{
		"for a limit":     {raw(429, ""), false, "while waiting for Stream's rate limit"},
		"between repeats": {raw(500, ""), true, "the last attempt failed, the server failed"},
	} {
		t.Run(name, func(t *testing.T) {
			for _, end := range []error{context.Canceled, context.DeadlineExceeded} {
				ctx, cancel := context.WithCancel(context.Background())
				if end == context.DeadlineExceeded { //nolint:errorlint // it is the value itself
					ctx, cancel = context.WithTimeout(context.Background(), 300*time.Millisecond)
				}
				stuck := stuckClock{clocktest.New(testStart), make(chan time.Duration, 1)}
				f := newFixture(t, func(w http.ResponseWriter, r *http.Request, _ int) { test.fault(w, r) },
					func(c *Config) { c.Clock = stuck })
				go func() {
					<-stuck.asleep
					if end == context.Canceled { //nolint:errorlint // it is the value itself
						cancel()
					}
				}()
				_, err := f.DeleteUsers(ctx, []string{testUser}, UserDeletion{})
				e := failure(t, err)
				if e.Kind != KindCanceled || !errors.Is(err, end) || e.Ambiguous != test.ambiguous || f.count() != 1 {
					t.Errorf("%d requests: %+v", f.count(), e)
				}
				if !strings.Contains(e.Error(), test.says) {
					t.Error(e)
				}
				cancel()
			}
		})
	}
}

func TestAmbiguityOfAnEarlierAttemptIsKept(t *testing.T) {
	f := newFixture(t, func(w http.ResponseWriter, _ *http.Request, n int) {
		if n == 1 {
			drop(w)
			return
		}
		respondError(w, 400, 4, OpDeleteUsers, "canary")
	})
	if e := failure(t, deleteOne(f)); e.Kind != KindInput || !e.Ambiguous {
		t.Errorf("%+v", e)
	}
}

func TestNetworkFailures(t *testing.T) {
	for name, test := range map[string]struct {
		err       error
		requests  int
		retryable bool
	}{
		"unknown host":       {&net.DNSError{Err: "no such host", Name: "canary", IsNotFound: true}, 3, true},
		"resolver down":      {&net.DNSError{Err: "server misbehaving", Name: "canary"}, 6, true},
		"refused":            {&net.OpError{Op: "dial", Err: syscall.ECONNREFUSED}, 6, true},
		"proxy":              {&net.OpError{Op: "proxyconnect", Err: syscall.ECONNREFUSED}, 6, true},
		"proxy says no":      {&proxyRefusal{403}, 1, false},
		"proxy fails":        {&proxyRefusal{502}, 6, true},
		"untrusted":          {&tls.CertificateVerificationError{Err: errors.New("canary")}, 1, false},
		"no TLS":             {tls.RecordHeaderError{Msg: "canary"}, 1, false},
		"no TLS, other text": {http.ErrSchemeMismatch, 1, false},
		"something else":     {errors.New("canary"), 6, true},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t, nil)
			n := 0
			f.transport.next = roundTripper(func(*http.Request) (*http.Response, error) { n++; return nil, test.err })
			e := failure(t, deleteOne(f))
			if e.Kind != KindNetwork || e.HTTPStatus != 0 || e.Retryable != test.retryable || n != test.requests {
				t.Errorf("%d attempts: %+v", n, e)
			}
			if e.Ambiguous {
				t.Error("nothing was sent, so nothing is ambiguous")
			}
			// What was not sent takes no place: a good call needs no wait.
			before := f.clock.Now()
			f.transport.next = roundTripper(func(r *http.Request) (*http.Response, error) {
				return &http.Response{StatusCode: 201, Body: io.NopCloser(strings.NewReader(deleted)), Request: r}, nil
			})
			if err := deleteOne(f); err != nil || !f.clock.Now().Equal(before) {
				t.Errorf("error %v, waited %s", err, f.clock.Now().Sub(before))
			}
		})
	}
}

func TestRealTLSFailures(t *testing.T) {
	for name, server := range map[string]*httptest.Server{
		"self-signed": httptest.NewTLSServer(http.NotFoundHandler()),
		"no TLS":      httptest.NewServer(http.NotFoundHandler()),
	} {
		server.Config.ErrorLog = nil
		t.Run(name, func(t *testing.T) {
			defer server.Close()
			f := newFixture(t, nil, func(c *Config) {
				c.BaseURL = "https://" + server.Listener.Addr().String()
			})
			e := failure(t, deleteOne(f))
			if e.Kind != KindNetwork || e.Retryable || e.Ambiguous || f.waited() != 0 {
				t.Errorf("%+v", e)
			}
			t.Log(e)
		})
	}
}

// A proxy's page must not get into an error, and what it refuses is not sent.
func TestRealProxyRefusal(t *testing.T) {
	proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodConnect {
			t.Errorf("the proxy got a %s", r.Method)
		}
		w.WriteHeader(http.StatusProxyAuthRequired)
		_, _ = io.WriteString(w, "<html>canary</html>")
	}))
	defer proxy.Close()
	address, err := url.Parse(proxy.URL)
	if err != nil {
		t.Fatal(err)
	}
	f := newFixture(t, nil, func(c *Config) { c.BaseURL = "https://stream.invalid" })
	next := newHTTPTransport()
	next.Proxy = http.ProxyURL(address)
	f.transport.next = next
	e := failure(t, deleteOne(f))
	if e.Kind != KindNetwork || e.Ambiguous || e.Retryable || !strings.Contains(e.Error(), "the proxy refused the connection (HTTP 407)") {
		t.Errorf("%+v", e)
	}
}

// A call that serves several callers ends with the last of them, and for their
// reason.
func TestTheCauseOfAnEndIsKept(t *testing.T) {
	ctx, cancel := context.WithCancelCause(context.Background())
	cancel(context.DeadlineExceeded)
	f := newFixture(t, nil)
	_, err := f.DeleteUsers(ctx, []string{testUser}, UserDeletion{})
	if e := failure(t, err); e.Kind != KindCanceled || !errors.Is(e, context.DeadlineExceeded) {
		t.Errorf("%+v", e)
	}
}

func TestServerClosedPort(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_ = listener.Close()
	f := newFixture(t, nil, func(c *Config) { c.BaseURL = "http://" + listener.Addr().String() })
	e := failure(t, deleteOne(f))
	if e.Kind != KindNetwork || e.Ambiguous || !strings.Contains(e.Error(), "refused") {
		t.Errorf("%+v", e)
	}
}

// TestEverythingGoesThroughTheSeam checks the SDK's call and one of our own for
// what the transport adds.
func TestEverythingGoesThroughTheSeam(t *testing.T) {
	t.Setenv("STREAM_CHAT_URL", "https://production.invalid")
	t.Setenv("STREAM_CHAT_TIMEOUT", "6s") // makes the SDK's NewClient fail
	f := newFixture(t, func(w http.ResponseWriter, r *http.Request, n int) {
		if n%2 == 1 { // both are repeated
			w.WriteHeader(500)
			return
		}
		if strings.HasSuffix(r.URL.Path, "/app") {
			_, _ = io.WriteString(w, `{"app":{"name":"gdpr"},"duration":"1ms"}`)
			return
		}
		good(w, r)
	}, func(c *Config) { c.BaseURL += "prefix/" })
	app, err := f.App(context.Background())
	if err != nil || app.Name != "gdpr" {
		t.Fatalf("%+v, %v", app, err)
	}
	if err := deleteOne(f); err != nil {
		t.Fatal(err)
	}
	got := f.requests()
	if len(got) != 4 {
		t.Fatalf("%d requests", len(got))
	}
	for _, r := range got {
		token, err := jwt.Parse(r.header.Get("Authorization"), func(*jwt.Token) (any, error) { return []byte(testSecret), nil },
			jwt.WithValidMethods([]string{"HS256"}))
		if err != nil {
			t.Fatalf("%s %s: %v", r.method, r.path, err)
		}
		if claims := token.Claims.(jwt.MapClaims); len(claims) != 1 || claims["server"] != true {
			t.Errorf("claims %v", claims)
		}
		if keys := r.query["api_key"]; len(keys) != 1 || keys[0] != testKey {
			t.Errorf("api_key %q", keys)
		}
		for header, want := range map[string]string{
			"Stream-Auth-Type": "jwt",
			"X-Stream-Client":  "stream-go-client-6.11.0|terraform-provider-streamchat-1.2.3",
			"User-Agent":       "terraform-provider-streamchat/1.2.3 stream-chat-go/6.11.0",
			"Content-Type":     "application/json",
		} {
			if header == "Content-Type" && r.body == "" {
				want = ""
			}
			if got := r.header.Get(header); got != want {
				t.Errorf("%s %s: %s is %q", r.method, r.path, header, got)
			}
		}
	}
	if got[0].path != "/prefix/app" || got[2].path != "/prefix/users/delete" {
		t.Errorf("paths %s, %s", got[0].path, got[2].path)
	}
	want := `{"user_ids":["` + testUser + `"],"user":"hard"}`
	for _, r := range got[2:] {
		if r.body != want || r.length != int64(len(want)) {
			t.Errorf("body %q, length %d", r.body, r.length)
		}
	}
}

func TestAppAnswers(t *testing.T) {
	for body, kind := range map[string]Kind{
		`{"duration":"1ms"}`:                  KindUnexpectedBody,
		`{"app":null}`:                        KindUnexpectedBody,
		`{"app":[]}`:                          KindUnexpectedBody,
		`{"app":{"name":17}}`:                 KindUnexpectedBody,
		`{"app":{"name":"n","canary":"more"}`: KindUnexpectedBody, // cut off
	} {
		f := newFixture(t, func(w http.ResponseWriter, r *http.Request, _ int) { raw(200, body)(w, r) }, retries(0))
		_, err := f.App(context.Background())
		if e := failure(t, err); e.Kind != kind || e.Op != OpGetApp {
			t.Errorf("%s: %+v", body, e)
		}
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	f := newFixture(t, nil)
	_, err := f.App(ctx)
	if e := failure(t, err); e.Kind != KindCanceled || !errors.Is(err, context.Canceled) {
		t.Errorf("%+v", e)
	}
	f = newFixture(t, func(w http.ResponseWriter, _ *http.Request, _ int) {
		respondError(w, 401, 5, OpGetApp, "Token signature is invalid")
	})
	_, err = f.App(context.Background())
	if e := failure(t, err); e.Kind != KindAuth || e.Code != 5 {
		t.Errorf("%+v", e)
	}
}

func TestOperationOf(t *testing.T) {
	for request, want := range map[string]Operation{
		"POST /users/delete":                  OpDeleteUsers,
		"GET /users":                          OpQueryUsers,
		"PATCH /users":                        OpUpdateUsersPartial,
		"POST /users":                         opUnknown,
		"POST /users/restore":                 OpRestoreUsers,
		"GET /users/a%2Fb/export":             OpExportUser,
		"GET /tasks/x":                        OpGetTask,
		"GET /tasks/":                         opUnknown,
		"DELETE /polls/x":                     OpDeletePoll,
		"POST /polls/query":                   OpQueryPolls,
		"POST /channels/delete":               OpDeleteChannels,
		"POST /channels/messaging/x/truncate": OpTruncateChannel,
		"GET /app":                            OpGetApp,
		"GET /rate_limits":                    opUnknown,
		"PATCH /app":                          opUnknown,
		"GET ":                                opUnknown,
	} {
		method, path, _ := strings.Cut(request, " ")
		if got := operationOf(method, path); got != want {
			t.Errorf("%s is %s, want %s", request, got, want)
		}
	}
	for op, e := range endpoints { // every path leads back
		path := strings.ReplaceAll(e.path, "{}", "x")
		if got := operationOf(e.method, path); got != op {
			t.Errorf("%s %s is %s, want %s", e.method, path, got, op)
		}
	}
}

func TestUnsafeSegmentsAreNotSent(t *testing.T) {
	f := newFixture(t, func(w http.ResponseWriter, r *http.Request, _ int) { good(w, r) })
	ctx := context.Background()
	for _, id := range []string{"", ".", ".."} {
		_, taskErr := f.Task(ctx, id)
		_, exportErr := f.ExportUser(ctx, id)
		for _, err := range []error{taskErr, exportErr, f.DeletePoll(ctx, id, testUser)} {
			if e := failure(t, err); e.Kind != KindInput || e.HTTPStatus != 0 || e.Retryable || e.Ambiguous {
				t.Errorf("%q: %+v", id, e)
			}
		}
	}
	if f.count() != 0 {
		t.Errorf("%d requests", f.count())
	}
	_, _ = f.Task(ctx, "a/../b c?%")
	if got := f.requests()[0].path; got != "/tasks/a%2F..%2Fb%20c%3F%25" {
		t.Errorf("path %s", got)
	}
}
