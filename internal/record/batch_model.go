// Copyright (c) the terraform-provider-streamchat authors
// SPDX-License-Identifier: MPL-2.0

package record

import (
	"context"
	"maps"
	"slices"

	"github.com/hashicorp/terraform-plugin-framework-timetypes/timetypes"
	"github.com/hashicorp/terraform-plugin-framework/attr"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/erasure"
)

// BatchBase are the attributes of every batch; a noun's batch model embeds it.
type BatchBase struct {
	Common
	DropRemovedRecords types.Bool `tfsdk:"drop_removed_records"`
	Results            types.Map  `tfsdk:"results"`
}

// BatchModel is the model of a noun's batch: a pointer to a struct that embeds
// [BatchBase].
type BatchModel[S erasure.Scope[S]] interface {
	Scoped[S]
	batch() *BatchBase
	// Subjects is the attribute that lists the subjects.
	Subjects() types.List
	// Counts are the attributes that say how many subjects there are, and how many
	// of them a plan sends.
	Counts() (all, sent *types.Int64)
}

func (b *BatchBase) batch() *BatchBase { return b } //nolint:unused // through the constraint of the resource

// result is one entry of results.
type result struct {
	Status      types.String      `tfsdk:"status"`
	Found       types.String      `tfsdk:"found"`
	Outcome     types.String      `tfsdk:"outcome"`
	TaskID      types.String      `tfsdk:"task_id"`
	SubmittedAt timetypes.RFC3339 `tfsdk:"submitted_at"`
	CompletedAt timetypes.RFC3339 `tfsdk:"completed_at"`
	Error       types.String      `tfsdk:"error"`
}

var resultTypes = map[string]attr.Type{
	"status": types.StringType, "found": types.StringType, "outcome": types.StringType, "task_id": types.StringType,
	"submitted_at": timetypes.RFC3339Type{}, "completed_at": timetypes.RFC3339Type{}, "error": types.StringType,
}

func resultOf[S erasure.Scope[S]](r erasure.Record[S], err error) result {
	c := r.Current()
	if c.Status == "" {
		c.Status = erasure.StatusPending
	}
	out := result{
		Status: text(string(c.Status)), Found: text(string(c.Found)), Outcome: text(string(c.Outcome)), TaskID: text(c.TaskID),
		SubmittedAt: instant(c.SubmittedAt), CompletedAt: instant(c.CompletedAt), Error: types.StringNull(),
	}
	if n := len(r.Attempts); n > 0 {
		out.Error = text(r.Attempts[n-1].Error)
	}
	if err != nil && out.Error.IsNull() && c.Status == erasure.StatusPending {
		out.Error = text(err.Error())
	}
	return out
}

func (r result) object(ctx context.Context) (attr.Value, diag.Diagnostics) {
	return types.ObjectValueFrom(ctx, resultTypes, r)
}

// undecided is the planned entry of a subject that an apply will act on.
func undecided() attr.Value {
	unknown := make(map[string]attr.Value, len(resultTypes))
	for name := range resultTypes {
		unknown[name] = types.StringUnknown()
	}
	unknown["submitted_at"], unknown["completed_at"] = timetypes.NewRFC3339Unknown(), timetypes.NewRFC3339Unknown()
	return types.ObjectValueMust(resultTypes, unknown)
}

// storeBatch writes a batch into a model. wanted are the subjects still asked for.
func storeBatch[S erasure.Scope[S]](ctx context.Context, b *BatchBase, typeName string, pseudonym func(string) string, batch erasure.Batch[S], wanted []string, scope S, errs map[string]error) (diags diag.Diagnostics) {
	about, d := b.about(ctx, typeName, "")
	diags.Append(d...)
	results := make(map[string]attr.Value, len(batch))
	for id, r := range batch {
		object, d := resultOf(r, errs[id]).object(ctx)
		diags.Append(d...)
		results[id] = object
	}
	b.Results, d = types.MapValue(types.ObjectType{AttrTypes: resultTypes}, results)
	diags.Append(d...)
	status := batch.Status(wanted, scope)
	b.Status = types.StringValue(string(status))
	b.Receipt = types.StringValue(batch.Receipt(about, status, pseudonym))
	return diags
}

// readBatch reads the batch back from a model.
func readBatch[S erasure.Scope[S]](b *BatchBase) (erasure.Batch[S], error) {
	return erasure.ReadBatch[S](b.Receipt.ValueString(), slices.Collect(maps.Keys(b.Results.Elements())))
}

// subjects reads the ids; known is false when the list or an element is not.
func subjects(ctx context.Context, list types.List) (ids []string, known bool, diags diag.Diagnostics) {
	if list.IsUnknown() {
		return nil, false, nil
	}
	var elements []types.String
	diags.Append(list.ElementsAs(ctx, &elements, false)...)
	ids = make([]string, len(elements))
	for i, e := range elements {
		if e.IsUnknown() {
			return nil, false, diags
		}
		ids[i] = e.ValueString()
	}
	return ids, true, diags
}
