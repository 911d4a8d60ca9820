// Copyright (c) the terraform-provider-streamchat authors
// SPDX-License-Identifier: MPL-2.0

package attachment

import (
	"bytes"
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"time"

	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/clock"
)

// What a name leads to decides, not the name.
func TestPermit(t *testing.T) {
	t.Parallel()
	f := New(Options{})
	for to, want := range map[string]bool{
		"8.8.8.8:443": true, "[2606:4700::1]:443": true, "127.0.0.1:443": false, "10.0.0.1:443": false, "169.254.169.254:80": false, "100.64.1.1:443": false,
		"[::1]:443": false, "[::ffff:10.0.0.1]:443": false, "[fd00::1]:443": false, "[fe80::1]:443": false, "[64:ff9b::a00:1]:443": false, "0.0.0.0:443": false,
		"224.0.0.1:443": false, "nonsense": false,
	} {
		if err := f.permit("cdn.example.com:443", to); (err == nil) != want {
			t.Errorf("%s: %v", to, err)
		}
	}
	if f.permit("127.0.0.1:80", "127.0.0.1:80") != nil || f.permit("localhost:80", "10.0.0.1:80") == nil {
		t.Error("loopback is for loopback's own names")
	}
}

func TestCheck(t *testing.T) {
	t.Parallel()
	f := New(Options{Hosts: []string{"*.stream-io-cdn.com", "stream-chat-*.imgix.net", "127.0.0.1"}})
	for address, want := range map[string]Reason{
		"https://us-east.stream-io-cdn.com/a": "", "https://US-EAST.stream-io-cdn.com./a": "", "http://127.0.0.1:1/a": "", "https://stream-chat-x.imgix.net/": "",
		"https://stream-io-cdn.com.evil.example/a": ReasonHost, "https://a.b.stream-io-cdn.com/": ReasonHost, "https://evilstream-io-cdn.com/": ReasonHost,
		"http://us-east.stream-io-cdn.com/a": ReasonAddress, "ftp://us-east.stream-io-cdn.com/a": ReasonAddress, "https://us-east.stream-io-cdn.com@evil.example/": ReasonAddress,
		"file:///etc/passwd": ReasonAddress, "": ReasonAddress,
	} {
		got := Reason("")
		if err := f.Check(address); err != nil {
			got = err.Reason
		}
		if got != want {
			t.Errorf("%s: %q, want %q", address, got, want)
		}
	}
	for host, good := range map[string]bool{"cdn.example.com": true, "*.example.com": true, "10.0.0.1": true, "localhost": true, "*": false, "*.com": false, "https://x.example": false, "x.example:8": false, "": false, "a..b": false} {
		if (CheckHost(host) == nil) != good {
			t.Errorf("%s: %v", host, CheckHost(host))
		}
	}
}

type sink struct{ bytes.Buffer }

func (s *sink) Reset() error { s.Buffer.Reset(); return nil }

// A host that fails is asked again, and what it sent before does not stay.
func TestFetch_retries(t *testing.T) {
	t.Parallel()
	var tries atomic.Int32 // each try has a connection of its own
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if tries.Add(1) < 3 {
			w.Header().Set("Content-Length", "10")
			_, _ = w.Write([]byte("half"))
			panic(http.ErrAbortHandler)
		}
		_, _ = w.Write([]byte("the whole!"))
	}))
	defer server.Close()
	f := New(Options{Hosts: []string{"127.0.0.1"}, MaxBytes: 10, Retries: 2, Timeout: time.Minute, Clock: quick{clock.Real{}}})
	var to sink
	if err := f.Fetch(t.Context(), server.URL, &to); err != nil || to.String() != "the whole!" {
		t.Errorf("%v, %q", err, to.String())
	}
	f.MaxBytes = 9
	var e *Error
	if err := f.Fetch(t.Context(), server.URL, &to); !errors.As(err, &e) || e.Reason != ReasonSize {
		t.Error(err)
	}
}

// quick does not wait.
type quick struct{ clock.Real }

func (quick) Sleep(ctx context.Context, _ time.Duration) error { return ctx.Err() }
