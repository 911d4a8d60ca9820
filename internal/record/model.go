// Copyright (c) the terraform-provider-streamchat authors
// SPDX-License-Identifier: MPL-2.0

package record

import (
	"context"
	"time"

	"github.com/hashicorp/terraform-plugin-framework-timeouts/resource/timeouts"
	"github.com/hashicorp/terraform-plugin-framework-timetypes/timetypes"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/erasure"
)

// Common are the attributes that the record of one subject and that of a batch
// share.
type Common struct {
	RequestID    types.String   `tfsdk:"request_id"`
	Labels       types.Map      `tfsdk:"labels"`
	OnMissing    types.String   `tfsdk:"on_missing"`
	OnDestroy    types.String   `tfsdk:"on_destroy"`
	Timeouts     timeouts.Value `tfsdk:"timeouts"`
	Irreversible types.Bool     `tfsdk:"irreversible"`
	NotCovered   types.List     `tfsdk:"not_covered"`
	Status       types.String   `tfsdk:"status"`
	Receipt      types.String   `tfsdk:"receipt"`
}

// Base are the attributes of the record of one subject; a noun's model embeds it.
type Base struct {
	Common
	Found       types.String      `tfsdk:"found"`
	Outcome     types.String      `tfsdk:"outcome"`
	TaskID      types.String      `tfsdk:"task_id"`
	AppName     types.String      `tfsdk:"app_name"`
	SubmittedAt timetypes.RFC3339 `tfsdk:"submitted_at"`
	CompletedAt timetypes.RFC3339 `tfsdk:"completed_at"`
	VerifiedAt  timetypes.RFC3339 `tfsdk:"verified_at"`
}

// Scoped is a model that holds a scope.
type Scoped[S erasure.Scope[S]] interface {
	common() *Common
	// Scope reads the wanted scope, defaults filled in; ok is false when the model
	// holds none (an imported record). Unknown values are errors that name the
	// attribute.
	Scope(ctx context.Context) (scope S, ok bool, diags diag.Diagnostics)
	// SetScope writes the scope back, with its defaults.
	SetScope(ctx context.Context, scope S) diag.Diagnostics
}

// Model is the model of a noun's single record: a pointer to a struct that embeds
// [Base].
type Model[S erasure.Scope[S]] interface {
	Scoped[S]
	base() *Base
	// Subject is the attribute that names the subject.
	Subject() types.String
}

func (c *Common) common() *Common { return c } //nolint:unused // through the constraint of the resource

func (b *Base) base() *Base { return b } //nolint:unused // through the constraint of the resource

// plan fills in what is known before the deed.
func (b *Common) plan(ctx context.Context, irreversible bool, notCovered []string) diag.Diagnostics {
	var diags diag.Diagnostics
	b.Irreversible = types.BoolValue(irreversible)
	b.NotCovered, diags = types.ListValueFrom(ctx, types.StringType, notCovered)
	return diags
}

// forgetOutcome marks as unknown what an act will decide.
func (b *Base) forgetOutcome() {
	for _, s := range []*types.String{&b.Status, &b.Found, &b.Outcome, &b.TaskID, &b.AppName, &b.Receipt} {
		*s = types.StringUnknown()
	}
	for _, t := range []*timetypes.RFC3339{&b.SubmittedAt, &b.CompletedAt, &b.VerifiedAt} {
		*t = timetypes.NewRFC3339Unknown()
	}
}

// keepOutcome takes what acts have decided from the prior state.
func (b *Base) keepOutcome(prior *Base) {
	b.Irreversible, b.NotCovered = prior.Irreversible, prior.NotCovered
	b.Status, b.Found, b.Outcome, b.TaskID, b.AppName, b.Receipt = prior.Status, prior.Found, prior.Outcome, prior.TaskID, prior.AppName, prior.Receipt
	b.SubmittedAt, b.CompletedAt, b.VerifiedAt = prior.SubmittedAt, prior.CompletedAt, prior.VerifiedAt
}

// sameAbout reports that the operator's words for the record are unchanged.
func (b *Common) sameAbout(prior *Common) bool {
	return b.RequestID.Equal(prior.RequestID) && b.Labels.Equal(prior.Labels)
}

func (b *Common) about(ctx context.Context, typeName, pseudonym string) (erasure.Receipt, diag.Diagnostics) {
	about := erasure.Receipt{Record: typeName, Subject: pseudonym, RequestID: b.RequestID.ValueString()}
	var diags diag.Diagnostics
	if !b.Labels.IsNull() {
		var labels map[string]types.String
		diags.Append(b.Labels.ElementsAs(ctx, &labels, false)...)
		about.Labels = make(map[string]string, len(labels))
		for name, label := range labels {
			about.Labels[name] = label.ValueString()
		}
	}
	if !b.NotCovered.IsNull() {
		diags.Append(b.NotCovered.ElementsAs(ctx, &about.NotCovered, false)...)
	}
	return about, diags
}

// store writes a record into the model.
func store[S erasure.Scope[S]](ctx context.Context, b *Base, typeName, pseudonym string, r erasure.Record[S]) diag.Diagnostics {
	about, diags := b.about(ctx, typeName, pseudonym)
	current := r.Current()
	b.Status = text(string(current.Status))
	b.Found = text(string(current.Found))
	b.Outcome = text(string(current.Outcome))
	b.TaskID = text(current.TaskID)
	b.AppName = text(current.AppName)
	b.SubmittedAt = instant(current.SubmittedAt)
	b.CompletedAt = instant(current.CompletedAt)
	b.VerifiedAt = instant(current.VerifiedAt)
	b.Receipt = types.StringValue(r.Receipt(about))
	return diags
}

func text(s string) types.String {
	if s == "" {
		return types.StringNull()
	}
	return types.StringValue(s)
}

func instant(t *time.Time) timetypes.RFC3339 {
	if t == nil {
		return timetypes.NewRFC3339Null()
	}
	return timetypes.NewRFC3339ValueMust(t.UTC().Format(time.RFC3339Nano))
}
