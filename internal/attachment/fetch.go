// Copyright (c) the terraform-provider-streamchat authors
// SPDX-License-Identifier: MPL-2.0

// Package attachment fetches the files that messages link to, from hosts that are
// allowed and nowhere else: what a message links to is chosen by whoever wrote it.
// No error of it holds an address or a byte of a file.
package attachment

import (
	"compress/gzip"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"sync"
	"syscall"
	"time"

	"github.com/sony/gobreaker/v2"

	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/clock"
)

// DefaultMaxBytes bounds one file; it is Stream's own bound for uploads.
const DefaultMaxBytes = 100 << 20

// Reason is why a file was not fetched, in a word that stays the same.
type Reason string

// The reasons.
const (
	ReasonAddress  Reason = "address_not_usable"   // no https address, or none at all
	ReasonHost     Reason = "host_not_allowed"     // not in the list
	ReasonPrivate  Reason = "private_address"      // the host's name leads into a private network
	ReasonRedirect Reason = "redirected_elsewhere" // to another host, or in circles
	ReasonSize     Reason = "larger_than_allowed"  // than attachment_max_bytes
	ReasonGone     Reason = "gone_or_link_expired" // 401, 403, 404 or 410, also after the link was renewed
	ReasonServer   Reason = "host_failed"          // any other answer, also when asked again
	ReasonNetwork  Reason = "host_not_reachable"   // or the connection broke, each time; or so it was for others before
	ReasonTime     Reason = "no_time_left"         // before the export has to end
)

// Error is why a file was not fetched.
type Error struct {
	Reason Reason
	// again: it may go better next time.
	again bool
}

// Error implements error.
func (e *Error) Error() string { return "the file was not fetched: " + string(e.Reason) }

// Options say what may be fetched, and how.
type Options struct {
	Hosts    []string // see [CheckHost]
	MaxBytes int64    // of one file
	Retries  int      // after the first try
	Timeout  time.Duration
	Clock    clock.Clock
	Agent    string // User-Agent
	// Proxy is who to ask for a proxy; nil: the environment (HTTPS_PROXY, NO_PROXY).
	Proxy func(*http.Request) (*url.URL, error)
}

// Fetcher fetches files. It is safe for concurrent use.
type Fetcher struct {
	Options
	client   *http.Client
	proxies  sync.Map // addresses that are dialled because they are proxies'
	breakers sync.Map // by host and port
}

// New makes a Fetcher.
func New(options Options) *Fetcher {
	f := &Fetcher{Options: options}
	dialer := &net.Dialer{Timeout: 30 * time.Second, KeepAlive: 30 * time.Second}
	f.client = &http.Client{
		CheckRedirect: f.redirect,
		Transport: &http.Transport{
			Proxy: f.proxy, ForceAttemptHTTP2: true, MaxIdleConnsPerHost: 8, IdleConnTimeout: 55 * time.Second,
			TLSHandshakeTimeout: 15 * time.Second, DisableCompression: true,
			DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
				d := *dialer
				// Here the name has become an address: one that answers with a public
				// address first and a private one later gains nothing.
				d.Control = func(_, to string, _ syscall.RawConn) error { return f.permit(address, to) }
				return d.DialContext(ctx, network, address)
			},
		},
	}
	return f
}

// proxy is through whom a file is fetched, as everything else is: a machine that is only
// let out through one could fetch nothing. Its address is the operator's word, and may
// be private; where the file's host leads to, only the proxy knows, and refuses what is
// private there or not.
func (f *Fetcher) proxy(req *http.Request) (*url.URL, error) {
	ask := f.Proxy
	if ask == nil {
		ask = http.ProxyFromEnvironment
	}
	proxy, err := ask(req)
	if proxy != nil {
		port := proxy.Port()
		if port == "" {
			port = ports[proxy.Scheme]
		}
		f.proxies.Store(net.JoinHostPort(proxy.Hostname(), port), true)
	}
	return proxy, err
}

// permit decides about a connection to a host, by the address that its name led to.
func (f *Fetcher) permit(address, to string) error {
	if _, proxy := f.proxies.Load(address); proxy {
		return nil
	}
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return &Error{Reason: ReasonAddress}
	}
	at, err := netip.ParseAddrPort(to)
	switch {
	case err != nil:
		return &Error{Reason: ReasonPrivate}
	case loopback(host) && at.Addr().Unmap().IsLoopback(), public(at.Addr()):
		return nil
	}
	return &Error{Reason: ReasonPrivate}
}

const maxRedirects = 5

// redirect follows to the same host only.
func (f *Fetcher) redirect(req *http.Request, via []*http.Request) error {
	if len(via) > maxRedirects || req.URL.Host != via[0].URL.Host || req.URL.Scheme != via[0].URL.Scheme {
		return &Error{Reason: ReasonRedirect}
	}
	req.Header.Del("Referer") // the signed address
	return nil
}

// Check tells, without a request, whether a file may be fetched from an address.
func (f *Fetcher) Check(address string) *Error {
	u, err := url.Parse(address)
	switch {
	case err != nil || u.Hostname() == "" || u.User != nil:
		return &Error{Reason: ReasonAddress}
	case !allows(f.Hosts, u):
		return &Error{Reason: ReasonHost}
	case u.Scheme == "https", u.Scheme == "http" && loopback(u.Hostname()):
		return nil
	}
	return &Error{Reason: ReasonAddress}
}

// Sink is where a file goes. Reset forgets what was written: a try begins anew.
type Sink interface {
	io.Writer
	Reset() error
}

// Fetch writes a file to a sink. Its errors are *Error, the context's and the
// sink's own. A link that has expired is ReasonGone. Where nothing comes of a host, a minute
// long nothing more is asked of it: each dead link would cost half a minute, and whoever
// wrote the messages chose them.
func (f *Fetcher) Fetch(ctx context.Context, address string, to Sink) error {
	if err := f.Check(address); err != nil {
		return err
	}
	_, err := f.breaker(address).Execute(func() (struct{}, error) { return struct{}{}, f.tries(ctx, address, to) })
	if errors.Is(err, gobreaker.ErrOpenState) || errors.Is(err, gobreaker.ErrTooManyRequests) {
		return &Error{Reason: ReasonNetwork}
	}
	return err
}

const (
	dead  = 3           // files in a row of which nothing came, each tried again and again
	pause = time.Minute // then one is tried
)

func (f *Fetcher) breaker(address string) *gobreaker.CircuitBreaker[struct{}] {
	host := address
	if u, err := url.Parse(address); err == nil {
		host = u.Scheme + "://" + u.Host
	}
	b, _ := f.breakers.LoadOrStore(host, gobreaker.NewCircuitBreaker[struct{}](gobreaker.Settings{
		Timeout:     pause,
		ReadyToTrip: func(c gobreaker.Counts) bool { return c.ConsecutiveFailures >= dead },
		IsSuccessful: func(err error) bool {
			var failure *Error
			return !errors.As(err, &failure) || !failure.again
		},
	}))
	return b.(*gobreaker.CircuitBreaker[struct{}]) //nolint:forcetypeassert // nothing else is stored
}

func (f *Fetcher) tries(ctx context.Context, address string, to Sink) error {
	for try := 0; ; try++ {
		err := f.try(ctx, address, to)
		var failure *Error
		switch {
		case ctx.Err() != nil:
			return context.Cause(ctx)
		case err == nil, !errors.As(err, &failure), !failure.again, try >= f.Retries:
			return err
		}
		if err := f.Clock.Sleep(ctx, time.Second<<min(try, 5)); err != nil {
			return err
		}
	}
}

func (f *Fetcher) try(ctx context.Context, address string, to Sink) error {
	if err := to.Reset(); err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	idle := time.AfterFunc(f.Timeout, cancel)
	defer idle.Stop()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return &Error{Reason: ReasonAddress}
	}
	req.Header.Set("User-Agent", f.Agent)
	resp, err := f.client.Do(req)
	if err != nil {
		var own *Error
		if errors.As(err, &own) {
			return own
		}
		return &Error{Reason: ReasonNetwork, again: true}
	}
	defer func() { _ = resp.Body.Close() }()
	if err := accept(resp.StatusCode); err != nil {
		return err
	}
	if resp.ContentLength > f.MaxBytes {
		return &Error{Reason: ReasonSize}
	}
	var body io.Reader = &watched{Reader: resp.Body, idle: idle, timeout: f.Timeout}
	if resp.Header.Get("Content-Encoding") == "gzip" {
		if body, err = gzip.NewReader(body); err != nil {
			return &Error{Reason: ReasonServer, again: true}
		}
	}
	return f.copy(to, body)
}

func accept(status int) error {
	switch {
	case status == http.StatusOK:
		return nil
	case status == http.StatusUnauthorized, status == http.StatusForbidden, status == http.StatusNotFound, status == http.StatusGone:
		return &Error{Reason: ReasonGone}
	case status >= 300 && status < 400:
		return &Error{Reason: ReasonRedirect}
	}
	return &Error{Reason: ReasonServer, again: status == http.StatusTooManyRequests || status == http.StatusRequestTimeout || status >= 500}
}

// copy tells the sink's errors from the source's.
func (f *Fetcher) copy(to io.Writer, from io.Reader) error {
	buffer := make([]byte, 64<<10)
	for left := f.MaxBytes; ; {
		n, err := from.Read(buffer)
		if int64(n) > left {
			return &Error{Reason: ReasonSize}
		}
		left -= int64(n)
		if _, failed := to.Write(buffer[:n]); failed != nil {
			return failed
		}
		switch {
		case err == io.EOF:
			return nil
		case err != nil:
			return &Error{Reason: ReasonNetwork, again: true}
		}
	}
}

// watchedBytes have to come within the timeout, again and again.
const watchedBytes = 64 << 10

// watched gives up on a connection that brings nothing, or hardly anything: a host that
// sends a byte now and then would hold up everything else.
type watched struct {
	io.Reader
	idle    *time.Timer
	timeout time.Duration
	came    int
}

func (w *watched) Read(p []byte) (int, error) {
	n, err := w.Reader.Read(p)
	if w.came += n; w.came >= watchedBytes {
		w.came = 0
		w.idle.Reset(w.timeout)
	}
	return n, err
}
