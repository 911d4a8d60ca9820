// Copyright (c) the terraform-provider-streamchat authors
// SPDX-License-Identifier: MPL-2.0

package emulator

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"time"
	"unicode/utf8"
)

// stamp is a time in nanoseconds since 1970; 0 is never. A million messages
// hold three of them each, hence not time.Time.
type stamp int64

func stampOf(t time.Time) stamp {
	if t.IsZero() {
		return 0
	}
	return stamp(t.UnixNano())
}

func (s stamp) time() time.Time {
	if s == 0 {
		return time.Time{}
	}
	return time.Unix(0, int64(s)).UTC()
}

func (s stamp) add(d time.Duration) stamp { return s + stamp(d) }

// enc writes JSON. encoding/json would escape HTML inside custom data, which
// has to leave as it came.
type enc struct {
	b      []byte
	resign func(attachments []byte) []byte // nil: links stay
}

func (e *enc) sep() {
	if n := len(e.b); n > 0 {
		switch e.b[n-1] {
		case '{', '[', ':':
		default:
			e.b = append(e.b, ',')
		}
	}
}

func (e *enc) open(c byte) { e.sep(); e.b = append(e.b, c) }
func (e *enc) shut(c byte) { e.b = append(e.b, c) }

func (e *enc) key(k string) *enc {
	e.sep()
	e.b = appendString(e.b, k)
	e.b = append(e.b, ':')
	return e
}

func (e *enc) raw(raw []byte) {
	e.sep()
	if len(raw) == 0 {
		raw = []byte("null")
	}
	e.b = append(e.b, raw...)
}

func (e *enc) str(s string)     { e.sep(); e.b = appendString(e.b, s) }
func (e *enc) integer(n int)    { e.sep(); e.b = strconv.AppendInt(e.b, int64(n), 10) }
func (e *enc) boolean(v bool)   { e.sep(); e.b = strconv.AppendBool(e.b, v) }
func (e *enc) null()            { e.sep(); e.b = append(e.b, "null"...) }
func (e *enc) kstr(k, v string) { e.key(k).str(v) }
func (e *enc) kint(k string, n int) {
	e.key(k).integer(n)
}
func (e *enc) kbool(k string, v bool) { e.key(k).boolean(v) }
func (e *enc) knull(k string)         { e.key(k).null() }

// ktime writes a time in the v1 dialect: RFC 3339, trailing zeros trimmed.
func (e *enc) ktime(k string, s stamp) {
	e.key(k)
	e.b = append(e.b, '"')
	e.b = s.time().AppendFormat(e.b, time.RFC3339Nano)
	e.b = append(e.b, '"')
}

// ktimeIf writes a time that is set.
func (e *enc) ktimeIf(k string, s stamp) {
	if s != 0 {
		e.ktime(k, s)
	}
}

func (e *enc) ktimeOrNull(k string, s stamp) {
	if s == 0 {
		e.knull(k)
		return
	}
	e.ktime(k, s)
}

func (e *enc) kstrs(k string, list []string) {
	e.key(k).open('[')
	for _, s := range list {
		e.str(s)
	}
	e.shut(']')
}

func (e *enc) fields(o object) {
	for _, f := range o {
		e.key(f.key).raw(f.raw)
	}
}

const hexDigits = "0123456789abcdef"

// appendString quotes s without escaping HTML.
func appendString(b []byte, s string) []byte {
	b = append(b, '"')
	start := 0
	for i := 0; i < len(s); {
		c := s[i]
		if c < utf8.RuneSelf {
			if c >= 0x20 && c != '"' && c != '\\' {
				i++
				continue
			}
			b = append(b, s[start:i]...)
			switch c {
			case '"', '\\':
				b = append(b, '\\', c)
			case '\n':
				b = append(b, '\\', 'n')
			case '\r':
				b = append(b, '\\', 'r')
			case '\t':
				b = append(b, '\\', 't')
			default:
				b = append(b, '\\', 'u', '0', '0', hexDigits[c>>4], hexDigits[c&15])
			}
			i++
			start = i
			continue
		}
		r, size := utf8.DecodeRuneInString(s[i:])
		if r == utf8.RuneError && size == 1 {
			b = append(b, s[start:i]...)
			b = append(b, `\ufffd`...)
			i++
			start = i
			continue
		}
		i += size
	}
	b = append(b, s[start:]...)
	return append(b, '"')
}

// apiError is an answer in Stream's error envelope.
type apiError struct {
	status int
	code   int
	inner  string
}

func (e *apiError) Error() string { return e.inner }

// Stream's error codes, as far as the emulator uses them.
const (
	codeAccessKey    = 2
	codeInput        = 4
	codeAuth         = 5
	codeDuplicate    = 6
	codeRateLimit    = 9
	codeNotFound     = 16
	codeNotAllowed   = 17
	codeTooLong      = 20
	codeTooBig       = 22
	codeTokenExpired = 40
	codeTokenEarly   = 41
	codeTokenIAT     = 42
)

func bad(format string, args ...any) *apiError {
	return &apiError{http.StatusBadRequest, codeInput, fmt.Sprintf(format, args...)}
}

func notFound(format string, args ...any) *apiError {
	return &apiError{http.StatusNotFound, codeNotFound, fmt.Sprintf(format, args...)}
}

func notAllowed(format string, args ...any) *apiError {
	return &apiError{http.StatusForbidden, codeNotAllowed, fmt.Sprintf(format, args...)}
}

func unauthorized(code int, format string, args ...any) *apiError {
	return &apiError{http.StatusUnauthorized, code, fmt.Sprintf(format, args...)}
}

func errBadJSON() *apiError { return bad("invalid json data") }

const moreInfo = "https://getstream.io/chat/docs/api_errors_response"

// envelope is the error body. The inner text stands between quotes as it is:
// Stream does not escape the quotes inside it.
func (e *apiError) envelope(op, duration string) []byte {
	var out enc
	out.open('{')
	out.kint("code", e.code)
	out.kstr("message", op+` failed with error: "`+e.inner+`"`)
	out.kint("StatusCode", e.status)
	out.kstr("duration", duration)
	out.kstr("more_info", moreInfo)
	out.key("details").raw([]byte("[]"))
	out.shut('}')
	return out.b
}

func formatDuration(d time.Duration) string {
	return fmt.Sprintf("%.2fms", float64(d)/float64(time.Millisecond))
}

// decode reads JSON into v and turns any failure into Stream's 400.
func decode(data []byte, v any) error {
	if len(data) == 0 {
		return nil
	}
	// Most values are plain strings, a million in a large seed.
	if s, ok := v.(*string); ok && data[0] == '"' && bytes.IndexByte(data, '\\') < 0 && utf8.Valid(data) {
		*s = string(data[1 : len(data)-1])
		return nil
	}
	if err := json.Unmarshal(data, v); err != nil {
		return errBadJSON()
	}
	return nil
}
