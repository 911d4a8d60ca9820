package stream

import "context"

// Before stands in until the transport knows hooks.
func Before(ctx context.Context, _ func(context.Context) error) context.Context { return ctx }
