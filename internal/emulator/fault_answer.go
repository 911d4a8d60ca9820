// Copyright (c) the terraform-provider-streamchat authors
// SPDX-License-Identifier: MPL-2.0

package emulator

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

const (
	// movedPath is where a redirect leads: a page that is happy with anything.
	movedPath = "/-/moved"
	movedPage = "<!doctype html><title>Moved</title><p>This is not the API."

	gatewayPage = "<html>\r\n<head><title>502 Bad Gateway</title></head>\r\n<body>\r\n<center><h1>502 Bad Gateway</h1></center>\r\n<hr><center>nginx</center>\r\n</body>\r\n</html>\r\n"
)

// distort turns the answer into the fault's. A nil answer drops the connection.
func (f *Fault) distort(c *call, resp *response) *response {
	switch f.Kind {
	case FaultDropBefore, FaultDropAfter, FaultHangBefore:
		return nil
	case FaultWrongType, FaultTruncated, FaultShortBody, FaultStall, FaultNumbers, FaultNotYet:
		f.spoil(resp)
		return resp
	case FaultResetPast, FaultResetFuture, FaultNoHeaders:
		f.misreport(c, resp.header)
		return resp
	}
	if r := f.instead(c); r != nil {
		return r
	}
	return resp
}

// instead is the answer of somebody who is not Stream, or of a Stream in
// trouble; nil if the fault makes none.
func (f *Fault) instead(c *call) *response {
	e := c.e
	switch f.Kind {
	case Fault500:
		r := f.stream(c, &apiError{http.StatusInternalServerError, -1, "internal server error"})
		e.limitHeaders(c, r.header)
		return r
	case Fault503:
		return newResponse(http.StatusServiceUnavailable, "", nil)
	case FaultHTML502:
		return newResponse(http.StatusBadGateway, typeHTML, []byte(gatewayPage))
	case FaultPlain429:
		return newResponse(http.StatusTooManyRequests, typeText, []byte("Too many requests\n"))
	case FaultEdge429:
		return newResponse(http.StatusTooManyRequests, typeJSON, []byte(`{"code":"rate_limit_exceeded","message":"slow down"}`))
	case Fault429, FaultBare429:
		r := f.stream(c, &apiError{http.StatusTooManyRequests, codeRateLimit,
			"Too many requests, check response headers for more information."})
		if f.Kind == Fault429 {
			setLimitHeaders(r.header, e.limit(c.op), 0, e.reset(c.now))
		}
		return r
	case FaultTaskNotFound:
		r := f.stream(c, errNoTask(c.path("id")))
		e.limitHeaders(c, r.header)
		return r
	case FaultRedirect301, FaultRedirect307:
		status, _ := strconv.Atoi(string(f.Kind))
		r := newResponse(status, typeHTML, []byte("<a href=\""+movedPath+"\">Moved</a>.\n"))
		r.header.Set("Location", orDefault(f.Location, movedPath))
		return r
	case FaultCustom:
		r := newResponse(cmp.Or(f.Status, http.StatusInternalServerError), f.ContentType, []byte(f.Body))
		for k, v := range f.Header {
			r.header[http.CanonicalHeaderKey(k)] = v
		}
		return r
	case FaultHTML200:
		return newResponse(http.StatusOK, typeHTML, []byte(movedPage))
	}
	return nil
}

// spoil damages the body.
func (f *Fault) spoil(resp *response) {
	switch f.Kind {
	case FaultWrongType:
		resp.header.Set("Content-Type", typeHTML)
	case FaultTruncated:
		resp.body = resp.body[:len(resp.body)/2]
	case FaultShortBody, FaultStall:
		resp.header.Set("Content-Length", strconv.Itoa(len(resp.body)))
		resp.body = resp.body[:len(resp.body)/2]
	case FaultNumbers:
		resp.body = numbers(resp.body)
	case FaultNotYet:
		resp.body = notYet(resp.body)
	}
}

// misreport damages the rate limit's headers.
func (f *Fault) misreport(c *call, h http.Header) {
	switch f.Kind {
	case FaultResetPast:
		h.Set(headerReset, strconv.FormatInt(c.now.time().Add(-time.Hour).Unix(), 10))
	case FaultResetFuture:
		h.Set(headerReset, strconv.FormatInt(c.now.time().Add(cmp.Or(f.Delay, 24*time.Hour)).Unix(), 10))
	case FaultNoHeaders:
		for k := range h {
			if strings.HasPrefix(strings.ToLower(k), "x-ratelimit-") {
				delete(h, k)
			}
		}
	}
}

func (f *Fault) stream(c *call, err *apiError) *response {
	return newResponse(err.status, typeJSON, err.envelope(c.op, "0.00ms"))
}

// wait holds the answer back; false when nobody waits for it any more.
func (f *Fault) wait(ctx context.Context, e *Emulator) bool {
	switch f.Kind {
	case FaultSlow:
		return e.opts.Clock.Sleep(ctx, f.Delay) == nil
	case FaultHang:
		return f.hold(ctx, e)
	case FaultHangBefore:
		f.hold(ctx, e)
		return false
	}
	return true
}

// hold waits for Release; false when the client or the emulator is gone first.
func (f *Fault) hold(ctx context.Context, e *Emulator) bool {
	select {
	case <-f.Release:
		return true
	case <-ctx.Done():
	case <-e.closed:
	}
	return false
}

// notYet takes a task's end out of its answer.
func notYet(body []byte) []byte {
	var task map[string]json.RawMessage
	if json.Unmarshal(body, &task) != nil {
		return body
	}
	task["status"] = json.RawMessage(`"running"`)
	delete(task, "result")
	delete(task, "error")
	out, err := json.Marshal(task)
	if err != nil {
		return body
	}
	return out
}

// numbers replaces the strings under well-known keys by numbers.
func numbers(body []byte) []byte {
	dec := json.NewDecoder(bytes.NewReader(body))
	dec.UseNumber()
	var v any
	if dec.Decode(&v) != nil {
		return body
	}
	var walk func(v any) any
	walk = func(v any) any {
		switch x := v.(type) {
		case map[string]any:
			for k, val := range x {
				s, ok := val.(string)
				if !ok {
					x[k] = walk(val)
					continue
				}
				if t, err := time.Parse(time.RFC3339Nano, s); err == nil {
					x[k] = t.UnixNano() // the v2 dialect
				} else if slices.Contains([]string{"id", "task_id", "status", "duration", "url", "name", "message"}, k) {
					x[k] = 42
				}
			}
		case []any:
			for i := range x {
				x[i] = walk(x[i])
			}
		}
		return v
	}
	var out bytes.Buffer
	enc := json.NewEncoder(&out)
	enc.SetEscapeHTML(false)
	if enc.Encode(walk(v)) != nil {
		return body
	}
	return out.Bytes()
}
