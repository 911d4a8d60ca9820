// Copyright (c) the terraform-provider-streamchat authors
// SPDX-License-Identifier: MPL-2.0

package stream

import (
	"context"
	"errors"
)

type beforeKey struct{}

// BeforeEach gives every change that is sent under the returned context a last
// word: check is called right before each attempt, after all waiting for limits,
// 429s and repeats, and has a context without check. Its error ends the call and
// is what the call returns, unwrapped. Where an earlier attempt may have been
// carried out, that attempt's *Error, which is Ambiguous, is joined to it.
func BeforeEach(ctx context.Context, check func(context.Context) error) context.Context {
	return context.WithValue(ctx, beforeKey{}, check)
}

// LastWord runs the context's check, if there is one and the operation changes
// anything.
func LastWord(ctx context.Context, op Operation) error {
	check, _ := ctx.Value(beforeKey{}).(func(context.Context) error)
	if check == nil || !endpoints[op].mutating {
		return nil
	}
	return check(BeforeEach(ctx, nil))
}

// stopped carries a check's error through http.Client.
type stopped struct{ err error }

func (s *stopped) Error() string { return s.err.Error() }

// stop is the error of an exchange that a check ended.
func (x *exchange) stop() *stopped {
	if x.lost != nil {
		return &stopped{errors.Join(x.refused, x.lost)}
	}
	return &stopped{x.refused}
}
