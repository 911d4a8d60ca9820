// Copyright (c) the terraform-provider-streamchat authors
// SPDX-License-Identifier: MPL-2.0

package attachment

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
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
		"224.0.0.1:443": false, "[fec0::1]:443": false, "[::10.0.0.1]:443": false, "[::a00:1]:443": false, "nonsense": false,
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
	f := New(Options{Hosts: []string{"*.stream-io-cdn.com", "stream-chat-*.imgix.net", "127.0.0.1", "127.0.0.2:8080", "cdn.example.com:8443", "[::1]:81"}})
	for address, want := range map[string]Reason{
		"https://us-east.stream-io-cdn.com/a": "", "https://US-EAST.stream-io-cdn.com./a": "", "http://127.0.0.1:80/a": "", "http://127.0.0.1/a": "", "http://127.0.0.1:1/a": ReasonHost, "https://us-east.stream-io-cdn.com:443/a": "",
		"https://us-east.stream-io-cdn.com:8443/a": ReasonHost, "https://us-east.stream-io-cdn.com:80/a": ReasonHost, "https://cdn.example.com:8443/a": "", "https://cdn.example.com/a": ReasonHost,
		"http://127.0.0.2:8080/a": "", "http://127.0.0.2/a": ReasonHost, "http://[::1]:81/": "", "http://[::1]/": ReasonHost, "https://stream-chat-x.imgix.net/": "",
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
	for host, good := range map[string]bool{"cdn.example.com": true, "*.example.com": true, "10.0.0.1": true, "localhost": true, "*": false, "*.com": false, "https://x.example": false, "x.example:8": true, "10.0.0.1:8443": true, "[::1]:81": true, "x.example:0": false, "x.example:65536": false, "x.example:": false, "x.example:a": false, "*.com:8": false, "": false, "a..b": false} {
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
	f := New(Options{Hosts: []string{server.Listener.Addr().String()}, MaxBytes: 10, Retries: 2, Timeout: time.Minute, Clock: quick{clock.Real{}}})
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

// Of a host and port from which nothing comes only the first files are waited for; another
// port, and the same one a minute later, are asked again.
func TestFetch_deadHosts(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		tries := 0
		f := New(Options{Hosts: []string{"127.0.0.1:1", "127.0.0.1:2", "127.0.0.1:3"}, MaxBytes: 10, Retries: 5, Timeout: time.Minute, Clock: clock.Real{}})
		f.client.Transport = answers(func(r *http.Request) (*http.Response, error) {
			tries++
			switch r.URL.Port() {
			case "1":
				return nil, syscall.ECONNREFUSED
			case "2":
				return &http.Response{StatusCode: http.StatusServiceUnavailable, Body: http.NoBody}, nil
			}
			return &http.Response{StatusCode: http.StatusNotFound, Body: http.NoBody}, nil
		})
		fails := func(port string, want Reason) {
			t.Helper()
			var failure *Error
			if err := f.Fetch(t.Context(), "http://127.0.0.1:"+port+"/x", &sink{}); !errors.As(err, &failure) || failure.Reason != want {
				t.Errorf("%s: %v, want %s", port, err, want)
			}
		}
		began := time.Now()
		for range 1000 {
			fails("1", ReasonNetwork)
		}
		if took := time.Since(began); tries != 3*6 || took > 2*time.Minute {
			t.Errorf("%d tries in %s", tries, took)
		}
		for range 3 {
			fails("2", ReasonServer)
		}
		fails("2", ReasonNetwork)
		tries = 0
		for range 100 {
			fails("3", ReasonGone) // an answer
		}
		if tries != 100 {
			t.Errorf("%d tries", tries)
		}
		time.Sleep(2 * time.Minute)
		tries = 0
		fails("1", ReasonNetwork)
		fails("1", ReasonNetwork)
		if tries != 6 {
			t.Errorf("%d tries after a pause", tries)
		}
	})
}

type answers func(*http.Request) (*http.Response, error)

func (a answers) RoundTrip(r *http.Request) (*http.Response, error) { return a(r) }

// What a host may try: each is a reason, in bounded time, and leaves nothing half.
func TestFetch_hostile(t *testing.T) {
	t.Parallel()
	elsewhere := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("elsewhere")) }))
	t.Cleanup(elsewhere.Close)
	packed := func(content []byte) []byte {
		var out bytes.Buffer
		z := gzip.NewWriter(&out)
		_, _ = z.Write(content)
		_ = z.Close()
		return out.Bytes()
	}
	raw := func(w http.ResponseWriter, answer string) {
		conn, _, err := http.NewResponseController(w).Hijack()
		if err == nil {
			_, _ = conn.Write([]byte(answer))
			_ = conn.Close()
		}
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/longer-than-said":
			raw(w, "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nfour and more")
		case "/shorter-than-said":
			raw(w, "HTTP/1.1 200 OK\r\nContent-Length: 40\r\n\r\nfour")
		case "/large-as-said":
			raw(w, "HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n")
		case "/endless", "/drip", "/mute":
			for size := map[string]int{"/endless": 1 << 16, "/drip": 1}[r.URL.Path]; r.Context().Err() == nil; {
				if _, err := w.Write(make([]byte, size)); err != nil {
					return
				}
				_ = http.NewResponseController(w).Flush()
				if size <= 1 {
					select {
					case <-r.Context().Done():
					case <-time.After(5 * time.Millisecond):
					}
				}
			}
		case "/packed":
			w.Header().Set("Content-Encoding", "gzip")
			_, _ = w.Write(packed([]byte("unpacked")))
		case "/bomb":
			w.Header().Set("Content-Encoding", "gzip")
			_, _ = w.Write(packed(make([]byte, 64<<20)))
		case "/half-packed":
			w.Header().Set("Content-Encoding", "gzip")
			_, _ = w.Write(packed([]byte("unpacked"))[:12])
		case "/same-host":
			http.Redirect(w, r, "/packed", http.StatusFound)
		case "/other-port":
			http.Redirect(w, r, elsewhere.URL, http.StatusFound)
		case "/other-host":
			http.Redirect(w, r, strings.Replace(elsewhere.URL, "127.0.0.1", "localhost", 1), http.StatusFound)
		case "/other-scheme":
			http.Redirect(w, r, "https://"+r.Host, http.StatusFound)
		case "/file-scheme":
			http.Redirect(w, r, "file:///etc/passwd", http.StatusFound)
		case "/circle":
			http.Redirect(w, r, "/circle", http.StatusFound)
		case "/partial":
			w.WriteHeader(http.StatusPartialContent)
		default:
			http.NotFound(w, r)
		}
	}))
	t.Cleanup(server.Close)
	options := Options{
		Hosts: []string{server.Listener.Addr().String(), elsewhere.Listener.Addr().String(), "localhost", "10.1.2.3", "169.254.169.254"}, MaxBytes: 1 << 20, Retries: 1, Timeout: time.Minute, Clock: quick{clock.Real{}},
	}
	patient := New(options)
	options.Timeout = 100 * time.Millisecond
	hasty := New(options) // for those who would never end
	for at, want := range map[string]struct {
		content string
		reason  Reason
	}{
		"/longer-than-said": {content: "four"}, "/packed": {content: "unpacked"}, "/same-host": {content: "unpacked"},
		"/shorter-than-said": {reason: ReasonNetwork}, "/large-as-said": {reason: ReasonSize}, "/endless": {reason: ReasonSize}, "/drip": {reason: ReasonNetwork},
		"/mute": {reason: ReasonNetwork}, "/bomb": {reason: ReasonSize}, "/half-packed": {reason: ReasonNetwork}, "/other-port": {reason: ReasonRedirect},
		"/other-host": {reason: ReasonRedirect}, "/other-scheme": {reason: ReasonRedirect}, "/file-scheme": {reason: ReasonRedirect}, "/circle": {reason: ReasonRedirect},
		"/partial": {reason: ReasonServer}, "/gone": {reason: ReasonGone},
		// The address is looked at where it is dialled.
		"https://10.1.2.3/x": {reason: ReasonPrivate}, "https://169.254.169.254/latest": {reason: ReasonPrivate},
	} {
		t.Run(at, func(t *testing.T) {
			t.Parallel()
			address, f := at, patient
			if at == "/drip" || at == "/mute" {
				f = hasty
			}
			if at[0] == '/' {
				address = server.URL + at
			}
			var to sink
			err := f.Fetch(t.Context(), address, &to)
			var failure *Error
			switch {
			case want.reason == "" && (err != nil || to.String() != want.content):
				t.Errorf("%v, %q", err, to.String())
			case want.reason != "" && (!errors.As(err, &failure) || failure.Reason != want.reason):
				t.Errorf("%v, want %s", err, want.reason)
			}
		})
	}
}

// A proxy is used where there is one, also in a private network, and asked for the
// allowed hosts alone.
func TestFetch_proxy(t *testing.T) {
	t.Parallel()
	var asked atomic.Value
	proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked.Store(r.Method + " " + r.Host)
		w.WriteHeader(http.StatusForbidden)
	}))
	defer proxy.Close()
	at, err := url.Parse(proxy.URL)
	if err != nil {
		t.Fatal(err)
	}
	f := New(Options{Hosts: []string{"cdn.example.com"}, MaxBytes: 10, Timeout: time.Minute, Clock: clock.Real{}, Proxy: http.ProxyURL(at)})
	var failure *Error
	if err := f.Fetch(t.Context(), "https://cdn.example.com/x", &sink{}); !errors.As(err, &failure) || failure.Reason != ReasonNetwork {
		t.Error(err)
	}
	if asked.Load() != "CONNECT cdn.example.com:443" {
		t.Errorf("%v", asked.Load())
	}
	asked.Store("")
	if err := f.Fetch(t.Context(), "https://other.example.com/x", &sink{}); !errors.As(err, &failure) || failure.Reason != ReasonHost || asked.Load() != "" {
		t.Errorf("%v, %v", err, asked.Load())
	}
}
