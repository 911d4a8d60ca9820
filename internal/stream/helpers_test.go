// Copyright (c) the terraform-provider-streamchat authors
// SPDX-License-Identifier: MPL-2.0

package stream

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/clock/clocktest"
)

// Everything that must never show in an error or a log line holds "canary".
const (
	testKey    = "canary-key"
	testSecret = "canary-secret"
	testUser   = "canary-user@1"
)

var testStart = time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC)

// seen is a request as a test's server got it.
type seen struct {
	method, path, body string
	query              url.Values
	header             http.Header
	length             int64
	at                 time.Time
}

// fixture is a client against a test's own server, on a simulated clock.
type fixture struct {
	*Client
	clock *clocktest.Clock

	mu   sync.Mutex
	got  []seen
	logs []string
}

func (f *fixture) requests() []seen {
	f.mu.Lock()
	defer f.mu.Unlock()
	return append([]seen(nil), f.got...)
}

func (f *fixture) count() int { return len(f.requests()) }

func (f *fixture) waited() time.Duration { return f.clock.Now().Sub(testStart) }

func (f *fixture) logged() string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return strings.Join(f.logs, "\n")
}

// newFixture starts a server that answers with handler, which also gets the
// number of the request, from 1.
func newFixture(t *testing.T, handler func(w http.ResponseWriter, r *http.Request, n int), change ...func(*Config)) *fixture {
	t.Helper()
	f := &fixture{clock: clocktest.New(testStart)}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Errorf("the body did not arrive: %v", err)
		}
		f.mu.Lock()
		f.got = append(f.got, seen{
			method: r.Method, path: r.URL.EscapedPath(), body: string(body), query: r.URL.Query(),
			header: r.Header, length: r.ContentLength, at: f.clock.Now(),
		})
		n := len(f.got)
		f.mu.Unlock()
		handler(w, r, n)
	}))
	t.Cleanup(server.Close)
	config := Config{
		APIKey: testKey, APISecret: testSecret, BaseURL: server.URL + "/", MaxRetries: 5,
		Version: "1.2.3", Clock: f.clock, RequestTimeout: 20 * time.Second,
		Log: func(_ context.Context, msg string, fields map[string]any) {
			f.mu.Lock()
			defer f.mu.Unlock()
			f.logs = append(f.logs, fmt.Sprint(msg, " ", fields))
		},
	}
	for _, c := range change {
		c(&config)
	}
	client, err := New(config)
	if err != nil {
		t.Fatal(err)
	}
	f.Client = client
	t.Cleanup(func() {
		client.http.CloseIdleConnections()
		assertSilent(t, "the log", f.logged())
	})
	return f
}

func retries(n int) func(*Config) { return func(c *Config) { c.MaxRetries = n } }

// roundTripper lets a function stand in for the network.
type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// respond writes a JSON answer with the status Stream would give.
func respond(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body)
}

// respondError writes Stream's error envelope.
func respondError(w http.ResponseWriter, status, code int, op Operation, inner string) {
	respond(w, status, map[string]any{
		"code": code, "message": fmt.Sprintf("%s failed with error: %q", op, inner), "StatusCode": status,
		"duration": "0.00ms", "more_info": "https://getstream.io/chat/docs/api_errors_response", "details": []int{},
	})
}

// drop cuts the connection without an answer.
func drop(w http.ResponseWriter) {
	conn, _, err := w.(http.Hijacker).Hijack()
	if err == nil {
		_ = conn.Close()
	}
}

func limits(w http.ResponseWriter, remaining int, reset time.Time) {
	w.Header().Set("X-RateLimit-Limit", "6")
	w.Header().Set("X-RateLimit-Remaining", strconv.Itoa(remaining))
	w.Header().Set("X-RateLimit-Reset", strconv.FormatInt(reset.Unix(), 10))
}

// assertSilent checks that no credential, id, address or word of Stream's is in
// a text.
func assertSilent(t *testing.T, what, text string) {
	t.Helper()
	for _, secret := range []string{"canary", "127.0.0.1", "http:/", "https:/", "api_key="} {
		if strings.Contains(text, secret) {
			t.Errorf("%s gives %q away: %s", what, secret, text)
		}
	}
}

// failure checks that err is an *Error fit to be shown, and returns it.
func failure(t *testing.T, err error) *Error {
	t.Helper()
	if err == nil {
		t.Fatal("there is no error")
	}
	e, ok := err.(*Error) //nolint:errorlint // the outermost error is what is meant
	if !ok {
		t.Fatalf("the error is a %T: %v", err, err)
	}
	var wrapped *url.Error
	if errors.As(err, &wrapped) {
		t.Error("the error unwraps to a *url.Error")
	}
	for _, format := range []string{"%v", "%+v", "%#v", "%s", "%q"} {
		assertSilent(t, "the error as "+format, fmt.Sprintf(format, err))
	}
	encoded, jsonErr := json.Marshal(e)
	if jsonErr != nil {
		t.Error(jsonErr)
	}
	assertSilent(t, "the error as JSON", string(encoded))
	return e
}
