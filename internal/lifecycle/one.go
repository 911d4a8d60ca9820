// Copyright (c) the terraform-provider-streamchat authors
// SPDX-License-Identifier: MPL-2.0

package lifecycle

import (
	"context"

	"github.com/hashicorp/terraform-plugin-framework-timetypes/timetypes"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/erasure"
)

// One is the record of one subject, as it lies in a model: a noun's model embeds it.
type One[S erasure.Scope[S]] struct {
	Common
	Found       types.String      `tfsdk:"found"`
	Outcome     types.String      `tfsdk:"outcome"`
	TaskID      types.String      `tfsdk:"task_id"`
	SubmittedAt timetypes.RFC3339 `tfsdk:"submitted_at"`
	CompletedAt timetypes.RFC3339 `tfsdk:"completed_at"`
	VerifiedAt  timetypes.RFC3339 `tfsdk:"verified_at"`
}

// Subject is the one that an attribute names.
func Subject(id types.String) (ids []string, known bool, diags diag.Diagnostics) {
	return []string{id.ValueString()}, !id.IsUnknown(), nil
}

// VeiledSubject is the one that an attribute names, or its pseudonym in the state of a
// record that does not hold the id.
func VeiledSubject(id, pseudonym types.String) (ids []string, known bool, diags diag.Diagnostics) {
	if id.IsNull() {
		return []string{erasure.Veil(pseudonym.ValueString())}, true, nil
	}
	return Subject(id)
}

func oneAttributes() map[string]schema.Attribute {
	text := func(description string) schema.Attribute {
		return schema.StringAttribute{Computed: true, MarkdownDescription: description}
	}
	return map[string]schema.Attribute{
		"found":        text(describe("found")),
		"outcome":      text(describe("outcome")),
		"task_id":      text(describe("task_id")),
		"submitted_at": InstantAttribute("When Stream accepted the call, by the provider's clock."),
		"completed_at": InstantAttribute("When Stream's task ended, by Stream's clock; without a task, as `verified_at`."),
		"verified_at":  InstantAttribute("When the look-up after the deletion showed its effect, by the provider's clock."),
	}
}

func (o *One[S]) one() *One[S] { return o }

func (o *One[S]) load(ids []string) (erasure.Batch[S], error) {
	if _, veiled := erasure.Unveil(ids[0]); veiled && o.Receipt.IsNull() {
		return erasure.Batch[S]{ids[0]: {}}, nil // imported by its pseudonym
	}
	record, err := erasure.ReadRecord[S](o.Receipt.ValueString())
	if err != nil {
		return nil, err
	}
	return erasure.Batch[S]{ids[0]: record}, nil
}

func (o *One[S]) store(ctx context.Context, t teller, batch erasure.Batch[S], ids []string, _ S, _ map[string]error) diag.Diagnostics {
	about, diags := o.about(ctx, t.resource, t.pseudonyms.Of(ids[0]))
	record := batch[ids[0]]
	current := record.Current()
	o.Status = Text(string(current.Status))
	o.Found = Text(string(current.Found))
	o.Outcome = Text(string(current.Outcome))
	o.TaskID = Text(current.TaskID)
	o.SubmittedAt = Instant(current.SubmittedAt)
	o.CompletedAt = Instant(current.CompletedAt)
	o.VerifiedAt = Instant(current.VerifiedAt)
	if app := record.App(); app.Name != "" {
		o.setApp(app)
	}
	o.Receipt = types.StringValue(record.Receipt(about))
	return diags
}

func (o *One[S]) expect(erasure.Batch[S], map[string]erasure.Step, bool) {
	for _, s := range []*types.String{&o.Status, &o.Found, &o.Outcome, &o.TaskID, &o.Receipt} {
		*s = types.StringUnknown()
	}
	for _, t := range []*timetypes.RFC3339{&o.SubmittedAt, &o.CompletedAt, &o.VerifiedAt} {
		*t = timetypes.NewRFC3339Unknown()
	}
}

func (o *One[S]) keep(prior form[S]) {
	was, ok := prior.(interface{ one() *One[S] })
	if !ok {
		return
	}
	p := was.one()
	o.keepCommon(&p.Common)
	o.Found, o.Outcome, o.TaskID = p.Found, p.Outcome, p.TaskID
	o.SubmittedAt, o.CompletedAt, o.VerifiedAt = p.SubmittedAt, p.CompletedAt, p.VerifiedAt
}
