// Copyright (c) the terraform-provider-streamchat authors
// SPDX-License-Identifier: MPL-2.0

package stream

import "context"

type beforeKey struct{}

// Before makes every deletion under the context ask once more right before each of its
// attempts, after it has waited for a limit, for a refusal or for a repeat. An error of
// do ends the call: it is the cause of a KindStopped, which is ambiguous if an earlier
// attempt was. Requests that do makes itself are not asked about.
func Before(ctx context.Context, do func(context.Context) error) context.Context {
	return context.WithValue(ctx, beforeKey{}, do)
}

// AskBefore asks what Before wants asked, if the operation changes something. Its error is
// an *Error.
func AskBefore(ctx context.Context, op Operation) error {
	if stopped := before(ctx, op); stopped != nil {
		return stopped
	}
	return nil
}

func before(ctx context.Context, op Operation) *Error {
	do, _ := ctx.Value(beforeKey{}).(func(context.Context) error)
	if do == nil || !endpoints[op].mutating {
		return nil
	}
	if err := do(Before(ctx, nil)); err != nil {
		return &Error{Op: op, Kind: KindStopped, detail: "the last look before it was sent stopped it", cause: err}
	}
	return nil
}
