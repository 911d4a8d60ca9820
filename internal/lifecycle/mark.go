// Copyright (c) the terraform-provider-streamchat authors
// SPDX-License-Identifier: MPL-2.0

package lifecycle

import (
	"context"
	"encoding/json"
	"strconv"

	"github.com/hashicorp/terraform-plugin-framework/diag"

	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/erasure"
)

// A Mark is a note in a resource's private state.
type Mark string

const (
	// DestroyMark is left by a destroy plan. Terraform does not plan the first half of a
	// replacement as a destroy, so that a Delete without the mark knows that a Create
	// follows. Private state outlives a destroy that failed, which has to take it off.
	DestroyMark Mark = "destroy"
	// unsavedMark is left by a refresh that learned how an erasure ended, so that the
	// plan shows an update and an apply saves it: a pipeline that applies only what plans
	// show would never save it, until Stream has forgotten the task.
	unsavedMark Mark = "unsaved"
	// unarchivedMark is left by an act whose receipt could not be written, so that the next
	// plan shows an update, which writes it.
	unarchivedMark Mark = "unarchived"
	// standsMark is left by a destroy plan that saw another record of the same subject:
	// what that one stands for is not undone.
	standsMark Mark = "stands"
	// replacedMark is left by a refresh or a destroy plan that saw another record of
	// everything that this one is about, so that it is not forgotten: create_before_destroy
	// in a run that was cut short. Terraform plans a deposed object once more when it
	// applies, in a process that sees nothing but it, so that the mark stays.
	replacedMark Mark = "replaced"
)

type privateReader interface {
	GetKey(context.Context, string) ([]byte, diag.Diagnostics)
}

type privateWriter interface {
	SetKey(context.Context, string, []byte) diag.Diagnostics
}

// Private is a resource's private state.
type Private interface {
	privateReader
	privateWriter
}

// Set leaves the mark.
func (m Mark) Set(ctx context.Context, private privateWriter) diag.Diagnostics {
	return private.SetKey(ctx, string(m), []byte("true"))
}

// On reports that the mark was left.
func (m Mark) On(ctx context.Context, private privateReader) (bool, diag.Diagnostics) {
	value, diags := private.GetKey(ctx, string(m))
	return string(value) == "true", diags
}

// keptAside is the key of what a record keeps for the guards of a further deletion. It names
// people, so that it is in private state and not in the receipt.
const keptAside = "kept"

// keepAside stores what is kept beside the receipts.
func keepAside(ctx context.Context, kept map[string]erasure.Kept, private Private) diag.Diagnostics {
	if was, diags := private.GetKey(ctx, keptAside); len(kept) == 0 && len(was) == 0 {
		return diags
	}
	return private.SetKey(ctx, keptAside, []byte(erasure.Canonical(kept)))
}

// besides reads what is kept beside the receipts; what cannot be read is not known.
func besides(ctx context.Context, private privateReader) (kept map[string]erasure.Kept, diags diag.Diagnostics) {
	raw, diags := private.GetKey(ctx, keptAside)
	if json.Unmarshal(raw, &kept) != nil {
		return nil, diags
	}
	return kept, diags
}

// Clear takes off a mark that is there: private state that changes with every refresh
// would be a change of the state.
func (m Mark) Clear(ctx context.Context, from privateReader, to privateWriter) diag.Diagnostics {
	on, diags := m.On(ctx, from)
	if on {
		diags.Append(to.SetKey(ctx, string(m), []byte(strconv.FormatBool(false)))...)
	}
	return diags
}
