// Copyright (c) the terraform-provider-streamchat authors
// SPDX-License-Identifier: MPL-2.0

package stream

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strconv"
)

// How many bytes an answer may have once it is unpacked: a few kilobytes of a
// proxy's can unpack to gigabytes.
const (
	smallAnswer = 8 << 20  // one thing: an app's settings, a task, a user
	pageAnswer  = 64 << 20 // 100 users or messages, 30 channels with 100 members each
	// exportAnswer: the biggest that Stream sends is the export of a user with
	// 10 000 messages (stream-api.md §7.1).
	exportAnswer = 512 << 20
	errorAnswer  = 1 << 20 // not 2xx
)

// most is how many bytes the answer of a call may have.
func (e endpoint) most() int64 {
	if e.answer == 0 {
		return smallAnswer
	}
	return e.answer
}

// read gives the body of an answer that is Stream's word for a success.
func (t *transport) read(ctx, exchangeCtx context.Context, op Operation, resp *http.Response) ([]byte, *Error) {
	status, most := resp.StatusCode, endpoints[op].most()
	success := status >= 200 && status < 300
	if !success {
		most = errorAnswer
	}
	body, err := io.ReadAll(io.LimitReader(resp.Body, most+1))
	if !success {
		// The body says what a 4xx means, so half of it means nothing.
		telling := status >= 400 && status < 500 && status != http.StatusTooManyRequests
		switch {
		case telling && err != nil:
			return nil, t.lost(ctx, exchangeCtx, op, err, true)
		case telling && cutOff(body):
			failure := unexpected(op, status, shapeError("it is not valid JSON, so it may have been cut off"))
			failure.Retryable = true
			return nil, failure
		}
		failure := failureOf(op, status, body)
		failure.after, _ = retryAfter(resp.Header, t.clock.Now())
		return nil, failure
	}
	if err != nil {
		return nil, t.lost(ctx, exchangeCtx, op, err, true)
	}
	if int64(len(body)) > most {
		return nil, unexpected(op, status, shapeError(fmt.Sprintf("it is longer than %d bytes", most)))
	}
	if problem, truncated := bodyProblem(status, body); problem != "" {
		failure := unexpected(op, status, shapeError(problem))
		failure.Retryable = truncated
		return nil, failure
	}
	return body, nil
}

// bodyProblem says why the body of a 2xx is no success, and whether it looks like
// one that was cut off.
func bodyProblem(status int, body []byte) (problem string, truncated bool) {
	trimmed := bytes.TrimLeft(body, " \t\r\n")
	switch {
	case status == http.StatusPartialContent:
		return "it is a part of one", false
	case len(trimmed) == 0:
		return "it is empty", true
	case trimmed[0] != '{':
		return "it is not a JSON object, so it may come from a proxy", false
	case cutOff(trimmed):
		return "it is not valid JSON, so it may have been cut off", true
	case !once(trimmed):
		return "it holds a field twice", false
	case saysError(trimmed):
		return "it is an error in spite of its status", false
	}
	return "", false
}

// cutOff says that a body begins like JSON of Stream's and does not end like it.
func cutOff(body []byte) bool {
	trimmed := bytes.TrimLeft(body, " \t\r\n")
	return len(trimmed) > 0 && trimmed[0] == '{' && !json.Valid(trimmed)
}

// saysError recognises Stream's error envelope (stream-api.md §1.3) and the edge's,
// whose code is a word. No success has these fields.
func saysError(object []byte) bool {
	var code, message bool
	failed := false
	members(object, func(key string, value []byte) {
		switch key {
		case "code":
			code = string(value) != "null"
		case "message":
			message = value[0] == '"'
		case "StatusCode":
			status, err := strconv.Atoi(string(value))
			failed = string(value) != "null" && (err != nil || status < 200 || status > 299)
		}
	})
	return failed || code && message
}

// once says that no field of an object stands in it twice: which of the two is
// meant nobody knows, and encoding/json takes the last. It is also true of what is
// no object.
func once(raw []byte) bool {
	seen, twice := map[string]bool{}, false
	members(raw, func(key string, _ []byte) {
		twice = twice || seen[key]
		seen[key] = true
	})
	return !twice
}

// members gives the fields of an object of valid JSON, repeated ones too, with
// their values as they stand. Nothing is copied, so that it may run over exports.
func members(object []byte, f func(key string, value []byte)) {
	object = bytes.TrimLeft(object, " \t\r\n")
	if len(object) == 0 || object[0] != '{' {
		return
	}
	var key string
	value, depth := -1, 0 // value is where a field's begins, -1 before its colon
	for i := 0; i < len(object); i++ {
		switch c := object[i]; {
		case c == '"':
			end := stringEnd(object, i)
			if depth == 1 && value < 0 {
				_ = json.Unmarshal(object[i:end], &key) // valid
			}
			i = end - 1
		case c == ':' && depth == 1:
			value = i + 1
		case c == '{' || c == '[':
			depth++
		case c == ',' && depth == 1, (c == '}' || c == ']') && depth == 1:
			if value >= 0 {
				f(key, bytes.TrimSpace(object[value:i]))
			}
			value = -1
			if c != ',' {
				return
			}
		case c == '}' || c == ']':
			depth--
		}
	}
}

// stringEnd is behind the quote that ends the string at start.
func stringEnd(raw []byte, start int) int {
	for i := start + 1; i < len(raw); i++ {
		switch raw[i] {
		case '\\':
			i++
		case '"':
			return i + 1
		}
	}
	return len(raw)
}
