// Copyright (c) the terraform-provider-streamchat authors
// SPDX-License-Identifier: MPL-2.0

package lifecycle

import (
	"context"

	"github.com/hashicorp/terraform-plugin-framework-timeouts/resource/timeouts"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/erasure"
	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/receipt"
	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/stream"
)

// Common are the attributes of every record of erasures; [One] and [Many] embed it.
type Common struct {
	Bookkeeping
	Exports      types.List     `tfsdk:"exports"`
	OnMissing    types.String   `tfsdk:"on_missing"`
	OnDestroy    types.String   `tfsdk:"on_destroy"`
	Timeouts     timeouts.Value `tfsdk:"timeouts"`
	Irreversible types.Bool     `tfsdk:"irreversible"`
	NotCovered   types.List     `tfsdk:"not_covered"`
	AppName      types.String   `tfsdk:"app_name"`
	AppID        types.String   `tfsdk:"app_id"`
	Status       types.String   `tfsdk:"status"`
	Receipt      types.String   `tfsdk:"receipt"`
	Guards       types.Map      `tfsdk:"guards"`

	veil
	// recordID is the record's name in its receipt; see [Common.name].
	recordID  string
	deadlines erasure.Deadlines
	// approval is behind Guards; see [Common.guarded].
	approval erasure.Approval
}

// veil is set in a model whose state holds pseudonyms instead of ids.
type veil struct {
	pseudonyms erasure.Pseudonyms
	// keyCheck is that of the key under which they were made; see [erasure.About]. Empty:
	// the state holds ids.
	keyCheck string
}

// key is how a subject stands in the state.
func (v veil) key(id string) string {
	if v.keyCheck != "" {
		id = v.pseudonyms.Key(id)
	}
	return erasure.Shown(id)
}

// covered are the records under the keys that they have in the state.
func covered[S erasure.Scope[S]](v veil, batch erasure.Batch[S]) erasure.Batch[S] {
	if v.keyCheck == "" {
		return batch
	}
	return batch.Cover(v.pseudonyms)
}

// form is how records lie in a model: that of one subject ([One]) or of many ([Many]).
type form[S erasure.Scope[S]] interface {
	common() *Common
	// load reads the records; ids are those that the model names.
	load(ids []string) (erasure.Batch[S], error)
	// store writes the records. ids are asked for, and errs are what stood in the way
	// of those of whom nothing is recorded.
	store(ctx context.Context, t teller, batch erasure.Batch[S], ids []string, scope S, errs map[string]error) diag.Diagnostics
	// expect marks as unknown what the work of an apply will decide.
	expect(batch erasure.Batch[S], work map[string]erasure.Step, anew bool)
	// keep takes what acts have decided from the prior state.
	keep(prior form[S])
}

// model is what a noun's model adds to its form: its subjects and its scope.
type model[S erasure.Scope[S]] interface {
	form[S]
	// Subjects are the ids asked for; known is false when one of them is not.
	Subjects(ctx context.Context) (ids []string, known bool, diags diag.Diagnostics)
	// Scope reads the wanted scope, defaults filled in; ok is false when the model
	// holds none (an imported record). Unknown values are errors that name the
	// attribute.
	Scope(ctx context.Context) (scope S, ok bool, diags diag.Diagnostics)
	// SetScope writes the scope back, with its defaults.
	SetScope(ctx context.Context, scope S) diag.Diagnostics
}

// veiled is a model whose subjects may be named by a write-only argument instead, so that
// the state holds only their pseudonyms.
type veiled interface {
	// Named reports that the clear argument names the subjects.
	Named() bool
	// Given are the ids in the write-only argument, which only a configuration holds; ok
	// is false where it is left out.
	Given(ctx context.Context) (ids []string, known, ok bool, diags diag.Diagnostics)
	// Conditions must hold of the subjects; only a configuration holds all of them.
	Conditions(ctx context.Context) (*erasure.Conditions, diag.Diagnostics)
	// Pseudonym is the attribute for what stands for the subjects.
	Pseudonym() *types.String
}

// counted is a model that says how many subjects there are, and how many of them a plan
// sends.
type counted interface {
	Counts() (all, sent *types.Int64)
}

// listed is a model whose subjects stand in a list, in whatever order.
type listed interface{ List() *types.List }

// teller is who writes receipts.
type teller struct {
	resource   string
	pseudonyms erasure.Pseudonyms
}

func (c *Common) common() *Common { return c }

// app is the app that the record belongs to; zero when it is not known yet.
func (c *Common) app() stream.App {
	return stream.App{ID: c.AppID.ValueString(), Name: c.AppName.ValueString()}
}

func (c *Common) setApp(app stream.App) {
	c.AppName, c.AppID = Text(app.Name), Text(app.ID)
}

// reaches fills in what is known before the deed.
func (c *Common) reaches(ctx context.Context, irreversible bool, notCovered []string) diag.Diagnostics {
	var diags diag.Diagnostics
	c.Irreversible = types.BoolValue(irreversible)
	c.NotCovered, diags = types.ListValueFrom(ctx, types.StringType, notCovered)
	return diags
}

// sameBooks reports that the operator's words for the record are unchanged.
func (c *Common) sameBooks(prior *Common) bool {
	return c.Bookkeeping.equal(&prior.Bookkeeping) && c.Exports.Equal(prior.Exports)
}

// name gives the record the name that it has in its receipt, and a new one where there is
// no receipt yet.
func (c *Common) name() string {
	switch {
	case c.recordID != "":
	case c.Receipt.IsNull(), c.Receipt.IsUnknown():
		c.recordID = receipt.NewID()
	default:
		c.recordID = receipt.ID(c.Receipt.ValueString())
	}
	return c.recordID
}

// guarded is the approval of the record: the one in its receipt, unless an apply has another.
func (c *Common) guarded() erasure.Approval {
	if c.approval == nil {
		c.approval = erasure.ReceiptApproval(c.Receipt.ValueString())
	}
	return c.approval
}

func (c *Common) about(ctx context.Context, resource, pseudonym string) (erasure.About, diag.Diagnostics) {
	about := erasure.About{
		Record: resource, ID: c.name(), Subject: pseudonym, RequestID: c.RequestID.ValueString(), KeyCheck: c.keyCheck, Deadlines: c.deadlines,
		Guards: c.guarded(),
	}
	labels, diags := c.LabelTexts(ctx)
	about.Labels = labels
	if !c.NotCovered.IsNull() {
		diags.Append(c.NotCovered.ElementsAs(ctx, &about.NotCovered, false)...)
	}
	if !c.Exports.IsNull() && !c.Exports.IsUnknown() {
		diags.Append(c.Exports.ElementsAs(ctx, &about.Exports, false)...)
	}
	return about, diags
}

// keepCommon takes what acts have decided from the prior state.
func (c *Common) keepCommon(prior *Common) {
	c.Irreversible, c.NotCovered = prior.Irreversible, prior.NotCovered
	c.AppName, c.AppID, c.Status, c.Receipt, c.Guards = prior.AppName, prior.AppID, prior.Status, prior.Receipt, prior.Guards
}
