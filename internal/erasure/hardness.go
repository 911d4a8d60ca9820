// Copyright (c) the terraform-provider-streamchat authors
// SPDX-License-Identifier: MPL-2.0

package erasure

import (
	"context"
	"errors"
	"slices"
)

// Hardness is the scope of a deletion that knows two modes: hard, for good, and
// soft, which keeps the content at Stream.
type Hardness struct {
	Hard bool `json:"hard_delete"`
}

// Irreversible is part of [Scope].
func (h Hardness) Irreversible() bool { return h.Hard }

// Outcome is part of [Scope].
func (h Hardness) Outcome() Outcome {
	if h.Hard {
		return OutcomeErased
	}
	return OutcomeMarkedDeleted
}

// Heirs is part of [Scope]: what is deleted is not handed on.
func (Hardness) Heirs() []Heir { return nil }

func (h Hardness) compare(recorded Hardness) (c Comparison) {
	switch {
	case h.Hard && !recorded.Hard:
		c.Raised = []string{"hard_delete"}
	case !h.Hard && recorded.Hard:
		c.Lowered = []string{"hard_delete"}
	}
	return c
}

// leaving is what stays in both modes, with what stays only in the soft one.
func (h Hardness) leaving(always []string, soft ...string) []string {
	left := slices.Clone(always)
	if !h.Hard {
		left = append(left, soft...)
	}
	slices.Sort(left)
	return left
}

// simple is the part of a [Deed] that needs no step before its call, whose
// look-up leaves nothing open, and that cannot be taken back.
type simple[S any] struct{}

// Prepare is part of [Deed].
func (simple[S]) Prepare(context.Context, []Subject, S) map[string]Prepared { return nil }

// Probe is part of [Deed].
func (simple[S]) Probe(context.Context, string) (Finding, error) {
	return Finding{Found: FoundMissing}, nil
}

// Restore is part of [Deed].
func (simple[S]) Restore(context.Context, []string) error {
	return errors.New("Stream cannot bring this back")
}

// atOnce is the part of a [Deed] that takes one subject a call and has no task:
// the answer already says that it is done.
type atOnce[S any] struct{ simple[S] }

// Max is part of [Deed].
func (atOnce[S]) Max() int { return 1 }
