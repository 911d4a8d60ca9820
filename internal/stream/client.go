// Copyright (c) the terraform-provider-streamchat authors
// SPDX-License-Identifier: MPL-2.0

// Package stream is the only place that talks to Stream Chat's API. Everything
// goes through one http.RoundTripper, Stream's own SDK included: it signs,
// keeps to Stream's limits, repeats what may be repeated, and takes nothing
// for a success but Stream's own word. Only the files of exports, under signed
// URLs, are read by a client of their own (download.go).
//
// References: stream-api.md (the API, with evidence) and stream-sdk-traps.md
// (why much of the SDK is not used).
package stream

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"time"

	streamchat "github.com/GetStream/stream-chat-go/v6"
	"github.com/golang-jwt/jwt/v5"
)

// Client talks to one Stream app. It is safe for concurrent use, and all users
// of an app in a process should share it: the limits are kept per Client.
type Client struct {
	base      *url.URL
	http      *http.Client
	files     *http.Client // for signed URLs
	transport *transport
	tasks     poller
}

// New checks the configuration and makes a Client. It sends nothing. Errors
// are *ConfigError.
func New(config Config) (*Client, error) {
	config, base, err := config.withDefaults()
	if err != nil {
		return nil, err
	}
	// stream-api.md §1.1: exactly this claim, no iat and no exp.
	token, err := jwt.NewWithClaims(jwt.SigningMethodHS256, jwt.MapClaims{"server": true}).
		SignedString([]byte(config.APISecret))
	if err != nil {
		return nil, &ConfigError{"api_secret", "cannot sign a token"}
	}
	sdkVersion := streamchat.Version()[1:] // without its "v"
	t := &transport{
		next:       config.Transport,
		base:       base,
		apiKey:     config.APIKey,
		token:      token,
		clientName: "stream-go-client-" + sdkVersion + "|terraform-provider-streamchat-" + config.Version,
		userAgent:  "terraform-provider-streamchat/" + config.Version + " stream-chat-go/" + sdkVersion,
		timeout:    config.RequestTimeout,
		retries:    config.MaxRetries,
		clock:      config.Clock,
		log:        config.Log,
		limiter:    newLimiter(config.Clock, config.Log, map[Operation]int{OpDeleteUsers: config.DeleteCallsPerMinute}),
	}
	files := newFileClient()
	if t.next == nil {
		t.next = newHTTPTransport()
	} else {
		files.Transport = config.Transport
	}
	client := &http.Client{
		Transport: t,
		// The transport makes an error of every redirect; this is the second lock.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	c := &Client{
		base:      base,
		http:      client,
		files:     files,
		transport: t,
	}
	c.tasks = poller{clock: config.Clock, get: c.Task}
	return c, nil
}

// newHTTPTransport honours the proxy variables, which Go ignores for loopback
// hosts. Idle connections end before Stream's balancer cuts them at 60 s (as
// in the SDK): a cut that meets a POST would be ambiguous.
func newHTTPTransport() *http.Transport {
	return &http.Transport{
		Proxy:                 http.ProxyFromEnvironment,
		DialContext:           (&net.Dialer{Timeout: 30 * time.Second, KeepAlive: 30 * time.Second}).DialContext,
		ForceAttemptHTTP2:     true,
		MaxIdleConns:          100,
		MaxIdleConnsPerHost:   16,
		IdleConnTimeout:       55 * time.Second,
		TLSHandshakeTimeout:   15 * time.Second,
		ExpectContinueTimeout: time.Second,
		OnProxyConnectResponse: func(_ context.Context, _ *url.URL, _ *http.Request, resp *http.Response) error {
			if resp.StatusCode != http.StatusOK {
				return &proxyRefusal{resp.StatusCode}
			}
			return nil
		},
	}
}

// AwaitTurn returns when a call of the operation would be let through at once,
// without taking its place: whoever collects subjects for one call may go on
// collecting until then. Its only error is the end of ctx (*Error,
// KindCanceled).
func (c *Client) AwaitTurn(ctx context.Context, op Operation) error {
	if err := c.transport.limiter.await(ctx, op); err != nil {
		return canceled(op, context.Cause(ctx))
	}
	return nil
}

// clean gives a method's error its only type, *Error. http.Client wraps errors
// in *url.Error, whose text is a URL with ids in it, and the SDK gives the
// context's error as it is.
func clean(ctx context.Context, op Operation, err error) *Error {
	var e *Error
	if errors.As(err, &e) {
		return e
	}
	if ctx.Err() != nil {
		return canceled(op, context.Cause(ctx))
	}
	return &Error{Op: op, Kind: KindUnexpectedBody, detail: fmt.Sprintf("it cannot be read (%T)", err)}
}
