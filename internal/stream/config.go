// Copyright (c) the terraform-provider-streamchat authors
// SPDX-License-Identifier: MPL-2.0

package stream

import (
	"context"
	"fmt"
	"net/http"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
	"time"
	"unicode"

	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/clock"
)

// DefaultBaseURL is Stream's production API (stream-api.md §1.1).
const DefaultBaseURL = "https://chat.stream-io-api.com"

// DefaultTimeout is the RequestTimeout of a Config that has none.
const DefaultTimeout = 30 * time.Second

// Config is what a Client needs. Environment variables play no part in it
// (but for the proxy's), also not those that Stream's SDK reads.
type Config struct {
	APIKey    string
	APISecret string

	// BaseURL follows ParseBaseURL's rules; "" is DefaultBaseURL.
	BaseURL string
	// RequestTimeout bounds one HTTP exchange, the body included, without the
	// waits for limits and between retries; 0 is DefaultTimeout.
	RequestTimeout time.Duration
	// MaxRetries bounds the repeats of one call after a failure that may pass.
	// Waiting out a 429 is not counted. 0 is none.
	MaxRetries int
	// DeleteCallsPerMinute caps POST /users/delete whatever Stream would allow;
	// 0 is DeleteUsersPerMinute.
	DeleteCallsPerMinute int
	// Version is the provider's, for User-Agent and X-Stream-Client.
	Version string
	// Clock is the time of all waiting; nil is clock.Real{}. RequestTimeout
	// always runs on the machine's clock.
	Clock clock.Clock
	// Transport stands in for the network; nil is the network.
	Transport http.RoundTripper
	// Log takes INFO lines about waiting and repeating: operation, seconds,
	// reason, never ids, keys or Stream's words. It is called from several
	// goroutines. nil is silent.
	Log func(ctx context.Context, msg string, fields map[string]any)
}

// String leaves the credentials out, so that a printed Config gives nothing
// away.
func (c Config) String() string {
	return fmt.Sprintf("stream.Config(timeout %s, retries %d)", c.RequestTimeout, c.MaxRetries)
}

// GoString is String, for %#v.
func (c Config) GoString() string { return c.String() }

// ConfigError says what is wrong with one field of a Config.
type ConfigError struct {
	// Field is the provider's attribute, e.g. "base_url".
	Field string
	// Problem is a phrase that follows the attribute's name, without its value.
	Problem string
}

// Error implements error.
func (e *ConfigError) Error() string { return e.Field + " " + e.Problem }

// withDefaults checks the configuration and fills what is left open.
func (c Config) withDefaults() (Config, *url.URL, error) {
	if problem := credentialProblem(c.APIKey); problem != "" {
		return c, nil, &ConfigError{"api_key", problem}
	}
	if problem := credentialProblem(c.APISecret); problem != "" {
		return c, nil, &ConfigError{"api_secret", problem}
	}
	base, err := ParseBaseURL(c.BaseURL)
	if err != nil {
		return c, nil, err
	}
	switch {
	case c.RequestTimeout < 0:
		return c, nil, &ConfigError{"request_timeout", "must not be negative"}
	case c.MaxRetries < 0:
		return c, nil, &ConfigError{"max_retries", "must not be negative"}
	case c.DeleteCallsPerMinute < 0:
		return c, nil, &ConfigError{"delete_calls_per_minute", "must not be negative"}
	}
	if c.RequestTimeout == 0 {
		c.RequestTimeout = DefaultTimeout
	}
	if c.DeleteCallsPerMinute == 0 {
		c.DeleteCallsPerMinute = DeleteUsersPerMinute
	}
	if c.Clock == nil {
		c.Clock = clock.Real{}
	}
	if c.Log == nil {
		c.Log = func(context.Context, string, map[string]any) {}
	}
	c.Version = headerSafe(c.Version)
	return c, base, nil
}

func credentialProblem(s string) string {
	switch {
	case s == "":
		return "is empty"
	case strings.ContainsFunc(s, func(r rune) bool { return unicode.IsSpace(r) || unicode.IsControl(r) }):
		return "holds white space or a control character; a secret read from a file often ends in a line break"
	}
	return ""
}

// headerSafe keeps a version from breaking a header.
func headerSafe(version string) string {
	if version == "" {
		return "dev"
	}
	return strings.Map(func(r rune) rune {
		if r > ' ' && r < unicode.MaxASCII {
			return r
		}
		return '-'
	}, version)
}

// ParseBaseURL checks the address of Stream's API: an absolute http or https
// URL without query, fragment or credentials, http only to a loopback host
// (localhost, 127.0.0.0/8, ::1). A trailing slash is cut off, "" is
// DefaultBaseURL. Errors are *ConfigError with Field "base_url" and do not
// repeat the value, which may hold a password.
func ParseBaseURL(s string) (*url.URL, error) {
	if s == "" {
		s = DefaultBaseURL
	}
	fail := func(problem string) (*url.URL, error) { return nil, &ConfigError{"base_url", problem} }
	u, err := url.Parse(s)
	switch {
	case err != nil:
		return fail("is not a URL")
	case u.Scheme != "https" && u.Scheme != "http", u.Opaque != "", u.Hostname() == "":
		return fail("must be an absolute URL like " + DefaultBaseURL)
	case u.User != nil:
		return fail("must not hold a user name or a password")
	case u.RawQuery != "" || u.ForceQuery:
		return fail("must not have a query")
	case u.Fragment != "" || strings.Contains(s, "#"):
		return fail("must not have a fragment")
	case u.Scheme == "http" && !loopback(u.Hostname()):
		return fail("must use https: http is only for loopback hosts, the API secret's token would cross the network in clear text")
	}
	if port := u.Port(); port != "" || strings.HasSuffix(u.Host, ":") {
		if n, err := strconv.ParseUint(port, 10, 16); err != nil || n == 0 {
			return fail("has no valid port")
		}
	}
	u.Path = strings.TrimRight(u.Path, "/")
	for i, segment := range strings.Split(u.Path, "/") {
		if segment == "." || segment == ".." || segment == "" && i > 0 || u.RawPath != "" {
			return fail("has an empty, dotted or escaped part in its path")
		}
	}
	// A host can be read that cannot be written.
	if _, err := url.Parse(u.String()); err != nil {
		return fail("is not a URL")
	}
	return u, nil
}

func loopback(host string) bool {
	if strings.EqualFold(host, "localhost") {
		return true
	}
	addr, err := netip.ParseAddr(host)
	return err == nil && addr.Unmap().IsLoopback()
}
