// Copyright (c) the terraform-provider-streamchat authors
// SPDX-License-Identifier: MPL-2.0

package stream

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/url"
)

// request is a call of the package's own, for where the SDK would lose
// something (stream-sdk-traps.md §5).
type request struct {
	op    Operation
	path  []string // the path's variable segments, unescaped
	query url.Values
	body  any // sent as JSON, nil = none
}

// call sends the request and decodes the answer. An answer that does not
// decode is KindUnexpectedBody: decode's error must be in our words.
func call[T any](ctx context.Context, c *Client, r request, decode func(body []byte) (T, error)) (T, error) {
	var none T
	path, err := pathOf(r.op, r.path)
	if err != nil {
		return none, refuse(r.op, err.Error())
	}
	var payload io.Reader
	if r.body != nil {
		raw, err := json.Marshal(r.body)
		if err != nil {
			return none, refuse(r.op, "the body cannot be encoded")
		}
		payload = bytes.NewReader(raw)
	}
	address := c.base.String() + path
	if len(r.query) > 0 {
		address += "?" + r.query.Encode()
	}
	req, err := http.NewRequestWithContext(ctx, endpoints[r.op].method, address, payload)
	if err != nil {
		return none, refuse(r.op, "the request cannot be made")
	}
	if payload != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	resp, err := c.http.Do(req)
	var s *stopped
	switch {
	case errors.As(err, &s):
		return none, s.err
	case err != nil:
		return none, clean(ctx, r.op, err)
	}
	defer func() { _ = resp.Body.Close() }()
	body, err := io.ReadAll(resp.Body) // in memory already
	if err != nil {
		return none, clean(ctx, r.op, err)
	}
	value, err := decode(body)
	if err != nil {
		return none, unexpected(r.op, resp.StatusCode, err)
	}
	return value, nil
}

// refuse is the error for a request that was not sent.
func refuse(op Operation, problem string) *Error {
	return &Error{Op: op, Kind: KindInput, detail: problem}
}

// unexpected is the error for a 2xx whose body is not what was promised.
func unexpected(op Operation, status int, err error) *Error {
	return &Error{
		Op: op, HTTPStatus: status, Kind: KindUnexpectedBody, detail: err.Error(),
		Ambiguous: endpoints[op].mutating,
	}
}

// accept is the decoder of answers that hold nothing of interest.
func accept([]byte) (struct{}, error) { return struct{}{}, nil }
