// Copyright (c) the terraform-provider-streamchat authors
// SPDX-License-Identifier: MPL-2.0

package stream

import (
	"net/http"
	"strconv"
	"time"
)

const (
	// maxReset is how far ahead a reset may lie to be believed.
	maxReset = 2 * window
	// resetMargin makes up for resets being whole seconds.
	resetMargin = 500 * time.Millisecond
)

func headerNumber(header http.Header, name string) (int64, bool) {
	n, err := strconv.ParseInt(header.Get(name), 10, 64)
	return n, err == nil && n >= 0
}

// resetOf is X-RateLimit-Reset if it can be true. The server's clock is not
// this machine's: a reset in the past or far ahead says nothing.
func resetOf(header http.Header, now time.Time) (time.Time, bool) {
	unix, ok := headerNumber(header, "X-RateLimit-Reset")
	if !ok {
		return time.Time{}, false
	}
	reset := time.Unix(unix, 0).UTC()
	return reset, reset.After(now) && !reset.After(now.Add(maxReset))
}

// retryAfter is the Retry-After header, seconds or a date, if it can be true;
// else zero.
func retryAfter(header http.Header, now time.Time) (time.Duration, bool) {
	value := header.Get("Retry-After")
	var d time.Duration
	if n, err := strconv.ParseInt(value, 10, 32); err == nil {
		d = time.Duration(n) * time.Second
	} else if t, err := http.ParseTime(value); err == nil {
		d = t.Sub(now)
	}
	if d <= 0 || d > maxReset {
		return 0, false
	}
	return d, true
}
