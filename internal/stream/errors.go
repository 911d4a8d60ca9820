// Copyright (c) the terraform-provider-streamchat authors
// SPDX-License-Identifier: MPL-2.0

package stream

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"time"
)

// Kind sorts failures by what a caller can do about them.
type Kind string

// The kinds of failure.
const (
	// KindAuth is a bad API key, secret or token (HTTP 401, codes 2, 3, 5, 40–43).
	KindAuth Kind = "auth"
	// KindNotFound is Stream's own word that something does not exist, was
	// deleted or was deactivated (HTTP 404 with code 16). A 404 that is not
	// Stream's envelope, or that answers an unknown path, is KindUnexpectedBody.
	KindNotFound Kind = "not_found"
	// KindForbidden is HTTP 403.
	KindForbidden Kind = "forbidden"
	// KindInput is a request that Stream will not accept (HTTP 400 and other
	// 4xx), or that this package refused to send.
	KindInput Kind = "input"
	// KindRateLimited is a 429 that outlasted all patience.
	KindRateLimited Kind = "rate_limited"
	// KindServer is HTTP 5xx or 408.
	KindServer Kind = "server"
	// KindTask is a task that Stream accepted and did not complete.
	KindTask Kind = "task"
	// KindNetwork is an exchange without a complete answer: DNS, dial, TLS,
	// reset, or RequestTimeout.
	KindNetwork Kind = "network"
	// KindRedirect is HTTP 3xx. Redirects are never followed.
	KindRedirect Kind = "redirect"
	// KindUnexpectedBody is an answer that is not what the endpoint promises.
	KindUnexpectedBody Kind = "unexpected_body"
	// KindCanceled is the end of the caller's context, its deadline included.
	KindCanceled Kind = "canceled"
)

// Error is the only error type of a Client's methods (New and ParseBaseURL
// return *ConfigError, [BeforeEach] what its check gives). Its text holds no URL,
// key, id, body nor Stream's own words, so that it may go into a diagnostic or a
// log as it is.
type Error struct {
	Op         Operation
	HTTPStatus int // 0 = no answer
	Code       int // Stream's code (stream-api.md §1.4), 0 = none
	Kind       Kind
	Retryable  bool // a repeat may help
	// Ambiguous says that Stream may have carried out a change although it did
	// not confirm it: in this attempt or in an earlier one of the same call.
	Ambiguous bool

	detail  string        // our words
	message string        // Stream's words: may name people, for classification only
	cause   error         // context.Canceled, context.DeadlineExceeded, a sentinel of ours, what stopped it or nil
	dns     bool          // the host name is not known
	after   time.Duration // Retry-After, 0 = none
}

// Error implements error.
func (e *Error) Error() string {
	var b strings.Builder
	b.WriteString(string(e.Op))
	b.WriteString(": ")
	b.WriteString(e.describe())
	switch {
	case e.HTTPStatus != 0 && e.Code != 0:
		fmt.Fprintf(&b, " (HTTP %d, Stream code %d)", e.HTTPStatus, e.Code)
	case e.HTTPStatus != 0:
		fmt.Fprintf(&b, " (HTTP %d)", e.HTTPStatus)
	}
	if e.Ambiguous {
		b.WriteString("; Stream may have carried the request out")
	}
	return b.String()
}

// GoString keeps %#v from printing Stream's words.
func (e *Error) GoString() string { return "stream.Error(" + e.Error() + ")" }

// Unwrap returns context.Canceled or context.DeadlineExceeded when the
// caller's context ended, or a sentinel of this package, else nil: other causes
// hold URLs or host names.
func (e *Error) Unwrap() error { return e.cause }

// before says of the error of a repeat that an earlier attempt may have been carried
// out: e lost its answer.
func (e *Error) before(err error) error {
	var next *Error
	switch {
	case err == nil:
		return nil
	case errors.As(err, &next):
		next.Ambiguous = true
		return err
	}
	return errors.Join(err, e)
}

// says reports whether Stream's message contains the sentence. Stream puts
// user ids into its messages as they are, so a sentence must not be assembled
// from text that a user id could hold; see NamedUser.
func (e *Error) says(sentence string) bool {
	return sentence != "" && strings.Contains(e.message, sentence)
}

// verdicts are Stream's three sentences about a user who cannot be written to
// (stream-api.md §4). The id is followed by a space, which no id contains.
var verdicts = regexp.MustCompile(`(?:^|[^@\w-])the user ([@\w-]{1,255}) (was deleted|was deactivated|does not exist)(?:$|[^@\w-])`)

// NamedUser returns the id in "the user <id> was deleted", "… was deactivated"
// or "… does not exist", or "" when Stream's message holds no or several such
// sentences.
func (e *Error) NamedUser() string {
	id, _ := e.verdict()
	return id
}

// NamesUser reports whether err is Stream's word about a user who cannot be written to or
// acted for.
func NamesUser(err error) bool {
	var e *Error
	return errors.As(err, &e) && e.NamedUser() != ""
}

func (e *Error) verdict() (id, verdict string) {
	at := verdicts.FindStringSubmatchIndex(e.message)
	// A second sentence may begin with the byte that ends the first.
	if at == nil || verdicts.MatchString(e.message[at[5]:]) {
		return "", ""
	}
	return e.message[at[2]:at[3]], e.message[at[4]:at[5]]
}

// IsNotFound reports whether err is Stream's word that the thing asked for
// does not exist (KindNotFound). An answer of a proxy or of an unknown path is
// not.
func IsNotFound(err error) bool {
	var e *Error
	return errors.As(err, &e) && e.Kind == KindNotFound
}

func (e *Error) describe() string {
	if e.detail == "" {
		return e.meaning()
	}
	return e.meaning() + ": " + e.detail
}

// meaning says in plain words what the kind, the status and the code mean.
func (e *Error) meaning() string {
	if text, ok := codeMeanings[e.Code]; ok && e.HTTPStatus >= 400 && e.Kind != KindUnexpectedBody {
		return text
	}
	switch e.Kind {
	case KindAuth:
		return "the API key or secret was refused"
	case KindNotFound:
		return "Stream does not know what was asked for"
	case KindForbidden:
		return "access was refused"
	case KindInput:
		if e.HTTPStatus == 0 {
			return "the request was not sent"
		}
		return "the request was not accepted"
	case KindRateLimited:
		return "too many requests"
	case KindServer:
		return "the server failed"
	case KindTask:
		return "the task did not complete"
	case KindNetwork:
		return "no complete answer"
	case KindRedirect:
		return "the server answered with a redirect, which is not followed; check base_url"
	case KindUnexpectedBody:
		return "the answer is not what Stream's API promises"
	case KindCanceled:
		if errors.Is(e.cause, context.DeadlineExceeded) {
			return "the time for this operation ran out"
		}
		return "interrupted"
	}
	return "failed"
}

// codeMeanings is Stream's table of codes (stream-api.md §1.4) in our words.
var codeMeanings = map[int]string{
	-1: "Stream had an internal error",
	2:  "the API key is not valid",
	3:  "authentication failed",
	4:  "Stream did not accept the input",
	5:  "authentication failed: the API secret does not belong to the API key",
	6:  "the user name is taken",
	9:  "too many requests",
	16: "Stream says that it does not exist, was deleted or was deactivated",
	17: "Stream does not allow this",
	22: "the request is too big",
	23: "Stream took too long",
	24: "the request's header is too big",
	40: "the token has expired",
	41: "the token is not valid yet; check this machine's clock",
	42: "the token was used before it was issued; check this machine's clock",
	43: "authentication failed: the API secret does not belong to the API key",
	99: "the app is suspended",
}

// shapeError is a problem with a request or an answer, in our words.
type shapeError string

func (e shapeError) Error() string { return string(e) }

// envelope is Stream's error body (stream-api.md §1.3), as far as it is needed.
type envelope struct {
	stream  bool // the body is Stream's: an integer code and a message
	code    int
	message string
}

// decodeEnvelope reads an error body whatever it is: a proxy's HTML or an
// edge's envelope with a code in words (stream-api.md §1.5) give stream=false.
func decodeEnvelope(body []byte) envelope {
	var fields map[string]json.RawMessage
	var e envelope
	if json.Unmarshal(body, &fields) != nil {
		return e
	}
	e.stream = decodeString(fields["message"], &e.message) && isNumber(fields["code"]) &&
		json.Unmarshal(fields["code"], &e.code) == nil
	if !e.stream {
		e.code = 0
	}
	return e
}

func isNumber(raw json.RawMessage) bool {
	return len(raw) > 0 && (raw[0] == '-' || raw[0] >= '0' && raw[0] <= '9')
}

// decodeString is strict: json.Unmarshal alone would take null for "".
func decodeString(raw json.RawMessage, into *string) bool {
	return len(raw) > 0 && raw[0] == '"' && json.Unmarshal(raw, into) == nil
}

// failureOf classifies an answer that is not 2xx: by HTTP status first, by
// Stream's code second (stream-sdk-traps.md §7.3).
func failureOf(op Operation, status int, body []byte) *Error {
	env := decodeEnvelope(body)
	e := &Error{Op: op, HTTPStatus: status, Code: env.code, message: env.message}
	mutating := endpoints[op].mutating
	switch {
	case status >= 300 && status < 400:
		e.Kind = KindRedirect
	case status == http.StatusTooManyRequests:
		e.Kind, e.Retryable = KindRateLimited, true
	case status >= 500 || status == http.StatusRequestTimeout:
		e.Kind, e.Retryable, e.Ambiguous = KindServer, true, mutating
	case status == http.StatusUnauthorized || authCode(env.code):
		e.Kind = KindAuth
	case status == http.StatusForbidden:
		e.Kind = KindForbidden
	case status == http.StatusNotFound && env.code == codeNotFound && !routeUnknown(env.message):
		e.Kind = KindNotFound
	case status == http.StatusNotFound:
		e.Kind, e.detail = KindUnexpectedBody, "nothing of Stream's answers at this address; check base_url"
	case status >= 400 && status < 500:
		e.Kind = KindInput
	default:
		e.Kind = KindUnexpectedBody
	}
	if !env.stream && status >= 400 && status != http.StatusNotFound {
		e.detail = "the answer is not Stream's error envelope, so it may come from a proxy or from Stream's edge"
	}
	return e
}

const codeNotFound = 16

func authCode(code int) bool {
	switch code {
	case 2, 3, 5, 40, 41, 42, 43:
		return true
	}
	return false
}

// routeUnknown recognises the answer to an unknown path or a wrong method,
// which carries code 16 as well (stream-api.md §1.4). Taken for "it is gone"
// it would turn a mistyped base_url into a record of an erasure.
func routeUnknown(message string) bool {
	return strings.HasPrefix(message, "Request failed with error")
}

// canceled is the error for a context that ended; cause is context.Cause, because
// a call on behalf of several callers ends with the last of them.
func canceled(op Operation, cause error) *Error {
	e := &Error{Op: op, Kind: KindCanceled}
	switch {
	case errors.Is(cause, context.DeadlineExceeded):
		e.cause = context.DeadlineExceeded
	default:
		e.cause = context.Canceled
	}
	return e
}
