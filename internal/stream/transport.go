// Copyright (c) the terraform-provider-streamchat authors
// SPDX-License-Identifier: MPL-2.0

package stream

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"strings"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/clock"
)

// transport is the seam between everything that makes requests, the SDK
// included, and the network. What it returns is a 2xx with a complete JSON
// object, buffered; all else is an *Error.
type transport struct {
	next       http.RoundTripper
	base       *url.URL
	apiKey     string
	token      string
	clientName string
	userAgent  string
	timeout    time.Duration
	retries    int
	clock      clock.Clock
	log        func(ctx context.Context, msg string, fields map[string]any)
	limiter    *limiter
}

// exchange is a request as it can be sent any number of times.
type exchange struct {
	op      Operation
	request *http.Request
	body    []byte
	ticket  uint64
	giveUp  time.Time // zero until the first 429
	refusal *Error    // the last 429
	lost    *Error    // the last attempt that may have been carried out
	refused error     // by the context's check
}

// RoundTrip implements http.RoundTripper.
func (t *transport) RoundTrip(req *http.Request) (*http.Response, error) {
	op := operationOf(req.Method, strings.TrimPrefix(req.URL.EscapedPath(), t.base.EscapedPath()))
	var body []byte
	if req.Body != nil {
		var err error
		body, err = io.ReadAll(req.Body)
		_ = req.Body.Close()
		if err != nil {
			return nil, refuse(op, "the body cannot be read")
		}
	}
	x := &exchange{op: op, request: req, body: body, ticket: t.limiter.newTicket()}
	resp, failure := t.repeat(req.Context(), op, func() (*http.Response, *Error) {
		resp, failure := t.withinLimits(req.Context(), x)
		if failure != nil && failure.Ambiguous {
			x.lost = failure
		}
		return resp, failure
	})
	if x.refused != nil {
		return nil, x.stop()
	}
	if failure != nil { // not returned as it is: a nil *Error is not a nil error
		return nil, failure
	}
	return resp, nil
}

// signed is a copy of the request that carries the credentials. They are set
// here and nowhere above, so that no error of http.Client, which quotes the
// URL, can hold the key.
func (t *transport) signed(ctx context.Context, x *exchange) *http.Request {
	req := x.request.Clone(ctx)
	query := req.URL.Query()
	query.Set("api_key", t.apiKey)
	req.URL.RawQuery = query.Encode()
	req.Header.Set("Authorization", t.token)
	req.Header.Set("Stream-Auth-Type", "jwt")
	req.Header.Set("X-Stream-Client", t.clientName)
	req.Header.Set("User-Agent", t.userAgent)
	req.Body, req.GetBody, req.ContentLength, req.TransferEncoding = http.NoBody, nil, 0, nil
	if len(x.body) > 0 {
		req.Body, req.ContentLength = io.NopCloser(bytes.NewReader(x.body)), int64(len(x.body))
	}
	return req
}

// exchange sends the request once and gives the slot back.
func (t *transport) exchange(ctx context.Context, x *exchange, s slot) (*http.Response, *Error) {
	var connected atomic.Bool
	status, header := 0, http.Header(nil)
	defer func() { t.limiter.release(s, connected.Load(), status, header) }()

	if ctx.Err() != nil {
		return nil, canceled(x.op, context.Cause(ctx))
	}
	exchangeCtx := ctx
	if endpoints[x.op].mutating {
		// An interrupt must not tear a change in the middle: whether it was
		// carried out would be unknown.
		exchangeCtx = context.WithoutCancel(ctx)
	}
	exchangeCtx, cancel := context.WithTimeout(exchangeCtx, t.timeout)
	defer cancel()
	exchangeCtx = httptrace.WithClientTrace(exchangeCtx, &httptrace.ClientTrace{
		GotConn: func(httptrace.GotConnInfo) { connected.Store(true) },
	})

	resp, err := t.next.RoundTrip(t.signed(exchangeCtx, x))
	if err != nil {
		return nil, t.lost(ctx, exchangeCtx, x.op, err, connected.Load())
	}
	defer func() { _ = resp.Body.Close() }()
	connected.Store(true)
	status, header = resp.StatusCode, resp.Header

	body, failure := t.read(ctx, exchangeCtx, x.op, resp)
	if failure != nil {
		return nil, failure
	}
	resp.Body, resp.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
	return resp, nil
}

// lost is the error for an exchange without a complete answer. sent says
// whether the request may have come to Stream.
func (t *transport) lost(ctx, exchangeCtx context.Context, op Operation, err error, sent bool) *Error {
	mutating := endpoints[op].mutating
	if ctx.Err() != nil && !mutating {
		return canceled(op, context.Cause(ctx))
	}
	e := &Error{Op: op, Kind: KindNetwork, Retryable: true, Ambiguous: sent && mutating}
	var dns *net.DNSError
	var operation *net.OpError
	var proxy *proxyRefusal
	switch {
	case exchangeCtx.Err() != nil:
		e.detail = "it took longer than " + t.timeout.String() + " (request_timeout)"
	case errors.As(err, &dns) && dns.IsNotFound:
		e.detail, e.dns = "the host name is not known (DNS)", true
	case errors.As(err, &dns):
		e.detail = "the host name could not be looked up (DNS)"
	case untrusted(err):
		e.detail, e.Retryable, e.Ambiguous = "the server's TLS certificate is not trusted", false, false
	case notTLS(err):
		e.detail, e.Retryable, e.Ambiguous = "the server does not speak TLS; check base_url", false, false
	case errors.As(err, &proxy):
		e.detail, e.Retryable, e.Ambiguous = proxy.Error(), proxy.status >= http.StatusInternalServerError, false
	case errors.As(err, &operation) && operation.Op == "proxyconnect":
		e.detail = "the proxy could not be reached"
	case errors.Is(err, syscall.ECONNREFUSED):
		e.detail = "the connection was refused"
	case sent:
		e.detail = "the connection broke"
	default:
		e.detail = "no connection could be made"
	}
	return e
}

// proxyRefusal is a proxy's no to a connection. What else it says may be a page.
type proxyRefusal struct{ status int }

func (r *proxyRefusal) Error() string {
	return fmt.Sprintf("the proxy refused the connection (HTTP %d)", r.status)
}

func untrusted(err error) bool {
	var verification *tls.CertificateVerificationError
	var authority x509.UnknownAuthorityError
	var host x509.HostnameError
	var invalid x509.CertificateInvalidError
	var roots x509.SystemRootsError
	return errors.As(err, &verification) || errors.As(err, &authority) || errors.As(err, &host) ||
		errors.As(err, &invalid) || errors.As(err, &roots)
}

func notTLS(err error) bool {
	var record tls.RecordHeaderError
	return errors.As(err, &record) || errors.Is(err, http.ErrSchemeMismatch)
}
