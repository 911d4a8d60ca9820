// Copyright (c) the terraform-provider-streamchat authors
// SPDX-License-Identifier: MPL-2.0

package stream

// Failure is the error that an answer with this HTTP status (not 2xx) and body
// makes, for callers that want to try how they take it.
func Failure(op Operation, status int, body []byte) *Error { return failureOf(op, status, body) }
