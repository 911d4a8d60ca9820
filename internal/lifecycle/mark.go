// Copyright (c) the terraform-provider-streamchat authors
// SPDX-License-Identifier: MPL-2.0

package lifecycle

import (
	"context"
	"encoding/json"
	"maps"
	"slices"
	"strconv"

	"github.com/hashicorp/terraform-plugin-framework/diag"

	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/erasure"
)

// RestrictionType is the resource type of a restriction, which holds somebody as an erasure
// does that is scheduled.
const RestrictionType = "streamchat_user_deactivation"

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

// holderKey is the key of the name that a record has in a plan. Terraform plans a replacement
// twice, first as an update and then as a creation without a state, and hands the private
// state of the first plan to the second: so two blocks that are alike are told from one.
const holderKey = "holder"

// KeepHolder leaves the name for a second plan of the same block.
func KeepHolder(ctx context.Context, private privateWriter, name string) diag.Diagnostics {
	value, _ := json.Marshal(name) // a text
	return private.SetKey(ctx, holderKey, value)
}

// ReadHolder is the name that the first plan left; "" where there was none.
func ReadHolder(ctx context.Context, private privateReader) (name string, diags diag.Diagnostics) {
	value, diags := private.GetKey(ctx, holderKey)
	_ = json.Unmarshal(value, &name) // what is no text is no name
	return name, diags
}

// Held are subjects whom other records hold, by their keys in a run, with the types of
// those. A destroy plan leaves them for its Delete, which cannot see blocks without changes;
// a refresh for the Update of a batch, which cannot either.
type Held map[string][]string

const heldKey = "stands"

// ReadHeld reads them.
func ReadHeld(ctx context.Context, private privateReader) (held Held, diags diag.Diagnostics) {
	value, diags := private.GetKey(ctx, heldKey)
	if json.Unmarshal(value, &held) != nil {
		held = nil // none, or another version's
	}
	return held, diags
}

// Keep stores them, where that changes anything: private state that changes with every
// refresh would be a change of the state.
func (h Held) Keep(ctx context.Context, from privateReader, to privateWriter) diag.Diagnostics {
	was, diags := ReadHeld(ctx, from)
	if maps.EqualFunc(was, h, slices.Equal) {
		return diags
	}
	value, _ := json.Marshal(h) // plain data
	return append(diags, to.SetKey(ctx, heldKey, value)...)
}

// Types are those of all who hold somebody, each once.
func (h Held) Types() []string {
	var types []string
	for _, of := range h {
		types = append(types, of...)
	}
	slices.Sort(types)
	return slices.Compact(types)
}
