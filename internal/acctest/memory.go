// Copyright (c) the terraform-provider-streamchat authors
// SPDX-License-Identifier: MPL-2.0

package acctest

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptrace"
	"path"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	stream_chat "github.com/GetStream/stream-chat-go/v6"

	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/emulator"
)

// Bubble runs a test in bubble time: half an hour of polling takes no time. What
// listens on a socket, or runs a process, does not go with it: start the emulator
// with [InMemory].
func Bubble(t *testing.T, test func(t *testing.T)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		t.Helper()
		time.Sleep(time.Until(bubbleStart)) // the bubble's clock starts in 2000
		test(t)
	})
}

var bubbleStart = time.Date(2026, 11, 2, 9, 0, 0, 0, time.UTC)

// InMemory starts an emulator that is reached without a network: by SDK, and by
// the provider of a [Core].
func InMemory(t testing.TB, change ...func(*emulator.Options)) *Stream {
	t.Helper()
	o := emulator.Options{DeleteUsersLimit: 1000}
	for _, do := range change {
		do(&o)
	}
	e := emulator.New(o)
	t.Cleanup(e.Close)
	sdk, err := stream_chat.NewClient(e.APIKey(), e.APISecret())
	if err != nil {
		t.Fatal(err)
	}
	s := &Stream{Emulator: e, SDK: sdk, URL: "http://127.0.0.1"}
	s.memory = &memory{handler: e}
	sdk.BaseURL, sdk.HTTP = s.URL, &http.Client{Transport: s.memory}
	return s
}

// client is for the test's own requests.
func (s *Stream) client() *http.Client {
	if s.memory == nil {
		return http.DefaultClient
	}
	return &http.Client{Transport: s.memory}
}

// Before calls do right before the n-th request from now on (the first is 1)
// that call matches, e.g. "POST /users/delete" or "GET /tasks/*", as [path.Match]
// does. The emulator gets the request when do has returned. Only of [InMemory].
func (s *Stream) Before(call string, n int, do func()) {
	s.memory.hook(&hook{call: call, n: n, do: do})
}

// After is Before, but when the emulator has carried the request out and nobody
// has seen the answer yet.
func (s *Stream) After(call string, n int, do func()) {
	s.memory.hook(&hook{call: call, n: n, do: do, after: true})
}

// memory is an [http.RoundTripper] to a handler.
type memory struct {
	handler http.Handler

	mu    sync.Mutex
	hooks []*hook
}

type hook struct {
	call  string
	n     int
	after bool
	do    func()
}

func (m *memory) hook(h *hook) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.hooks = append(m.hooks, h)
}

func (m *memory) run(req *http.Request, after bool) {
	m.mu.Lock()
	var due []func()
	for _, h := range m.hooks {
		if ok, _ := path.Match(h.call, req.Method+" "+req.URL.Path); !ok || h.after != after {
			continue
		}
		if h.n--; h.n == 0 {
			due = append(due, h.do)
		}
	}
	m.mu.Unlock()
	for _, do := range due {
		do()
	}
}

// RoundTrip implements [http.RoundTripper].
func (m *memory) RoundTrip(req *http.Request) (*http.Response, error) {
	ctx := req.Context()
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if trace := httptrace.ContextClientTrace(ctx); trace != nil && trace.GotConn != nil {
		trace.GotConn(httptrace.GotConnInfo{Reused: true})
	}
	m.run(req, false)
	in := req.Clone(ctx)
	if in.Body == nil {
		in.Body = http.NoBody
	}
	if in.Host == "" {
		in.Host = in.URL.Host
	}
	in.RequestURI, in.RemoteAddr = in.URL.RequestURI(), "127.0.0.1:1"

	w := &answer{header: http.Header{}, begun: make(chan struct{})}
	w.rest, w.pipe = io.Pipe()
	go func() {
		defer func() {
			dropped := recover() != nil // as the server does on [http.ErrAbortHandler]
			if !dropped {
				m.run(req, true)
			}
			w.end(dropped)
		}()
		m.handler.ServeHTTP(w, in)
	}()
	select {
	case <-w.begun:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	if w.dropped {
		return nil, errDropped
	}
	return &http.Response{
		StatusCode: w.status, Status: http.StatusText(w.status), Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: w.sent, Body: &body{w: w, ctx: ctx}, ContentLength: -1, Request: req,
	}, nil
}

var errDropped = errors.New("the connection was closed without an answer")

// answer is the [http.ResponseWriter]. It collects until the handler flushes or
// returns; after that the rest goes through a pipe.
type answer struct {
	header http.Header
	begun  chan struct{}

	status  int
	sent    http.Header
	first   bytes.Buffer
	flushed bool
	dropped bool
	rest    *io.PipeReader
	pipe    *io.PipeWriter
}

func (w *answer) Header() http.Header { return w.header }

func (w *answer) WriteHeader(status int) {
	if w.status == 0 {
		w.status, w.sent = status, w.header.Clone()
	}
}

func (w *answer) Write(p []byte) (int, error) {
	w.WriteHeader(http.StatusOK)
	if w.flushed {
		return w.pipe.Write(p)
	}
	return w.first.Write(p)
}

// Flush implements [http.Flusher].
func (w *answer) Flush() {
	if !w.flushed {
		w.WriteHeader(http.StatusOK)
		w.flushed = true
		close(w.begun)
	}
}

func (w *answer) end(dropped bool) {
	if !w.flushed {
		w.dropped = dropped
		w.Flush()
	}
	err := io.EOF
	if dropped {
		err = io.ErrUnexpectedEOF
	}
	_ = w.pipe.CloseWithError(err)
}

// body reads an answer; the request's context ends it.
type body struct {
	w   *answer
	ctx context.Context
}

func (b *body) Read(p []byte) (int, error) {
	if b.w.first.Len() > 0 {
		return b.w.first.Read(p)
	}
	stop := context.AfterFunc(b.ctx, func() { _ = b.w.rest.CloseWithError(b.ctx.Err()) })
	defer stop()
	return b.w.rest.Read(p)
}

func (b *body) Close() error { return b.w.rest.Close() }
