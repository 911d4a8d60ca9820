// Copyright (c) the terraform-provider-streamchat authors
// SPDX-License-Identifier: MPL-2.0

package lifecycle

import (
	"context"
	"time"

	"github.com/hashicorp/terraform-plugin-framework-timetypes/timetypes"
	"github.com/hashicorp/terraform-plugin-framework-validators/mapvalidator"
	"github.com/hashicorp/terraform-plugin-framework-validators/stringvalidator"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/session"
)

// Bookkeeping is what every record keeps of the request that it answers: a model embeds
// it. It may change at any time, without a call.
type Bookkeeping struct {
	RequestID types.String `tfsdk:"request_id"`
	Labels    types.Map    `tfsdk:"labels"`
}

// BookkeepingAttributes are the schema of [Bookkeeping]. what names the thing that
// answers the request, e.g. "erasure".
func BookkeepingAttributes(what string) map[string]schema.Attribute {
	const kept = " Kept in the record, not sent to Stream."
	return map[string]schema.Attribute{
		"request_id": schema.StringAttribute{
			Optional:            true,
			MarkdownDescription: "The data-subject request that this " + what + " answers, by the number your ticket system gave it." + kept + " May be changed at any time.",
			Validators:          []validator.String{stringvalidator.LengthAtLeast(1)},
		},
		"labels": schema.MapAttribute{
			Optional: true, ElementType: types.StringType, Validators: []validator.Map{mapvalidator.NoNullValues()},
			MarkdownDescription: "What else the auditor will ask: legal basis, approver, pull request." + kept + " Put no personal data here. May be changed at any time.",
		},
	}
}

func (b *Bookkeeping) equal(other *Bookkeeping) bool {
	return b.RequestID.Equal(other.RequestID) && b.Labels.Equal(other.Labels)
}

// LabelTexts are the labels as a receipt has them.
func (b *Bookkeeping) LabelTexts(ctx context.Context) (map[string]string, diag.Diagnostics) {
	if b.Labels.IsNull() {
		return nil, nil
	}
	var values map[string]types.String
	diags := b.Labels.ElementsAs(ctx, &values, false)
	labels := make(map[string]string, len(values))
	for name, value := range values {
		labels[name] = value.ValueString()
	}
	return labels, diags
}

// ExportHashes are the hashes in a list of exports that are known yet, and how many others
// there are; below zero, nobody can tell.
func ExportHashes(list types.List) (hashes []string, others int) {
	if list.IsUnknown() {
		return nil, -1
	}
	for _, element := range list.Elements() {
		switch hash, ok := element.(types.String); {
		case element.IsUnknown():
			others++
		case ok && hash.ValueString() != "":
			hashes = append(hashes, hash.ValueString())
		}
	}
	return hashes, others
}

// Text is a computed text, null when there is none.
func Text(s string) types.String {
	if s == "" {
		return types.StringNull()
	}
	return types.StringValue(s)
}

// Instant is a computed time, null when there is none, or none that RFC 3339 can write.
func Instant(t *time.Time) timetypes.RFC3339 {
	if t != nil {
		if at, diags := timetypes.NewRFC3339Value(t.UTC().Format(time.RFC3339Nano)); !diags.HasError() {
			return at
		}
	}
	return timetypes.NewRFC3339Null()
}

// InstantAttribute is the schema of an [Instant].
func InstantAttribute(description string) schema.Attribute {
	return schema.StringAttribute{CustomType: timetypes.RFC3339Type{}, Computed: true, MarkdownDescription: description + " RFC 3339, UTC."}
}

// Twice is the error of a second resource of a plan that is about the same thing.
func Twice(at path.Path, what, why string) diag.Diagnostic {
	return diag.NewAttributeErrorDiagnostic(at, "The same "+what+" twice", why+" Nothing was sent for this one. Keep one of the two blocks.")
}

// NotLookedUp is the warning of a plan that could not look.
func NotLookedUp(at path.Path) diag.Diagnostic {
	return diag.NewAttributeWarningDiagnostic(at, "Not looked up in the plan",
		"The provider's configuration, or the subject, is not known yet, so that this plan could not look it up. The guards and the look-up run at apply, before anything is sent.")
}

// SubjectChanged is the error of a record whose subject a configuration changes.
func SubjectChanged(at path.Path, what, instead string) diag.Diagnostic {
	return diag.NewAttributeErrorDiagnostic(at, "The subject of a "+what+" cannot change",
		"This resource is the "+what+" of another subject. Nothing was sent. Set the id back, and add another resource block for the new subject. "+instead)
}

// Lock keeps other operations of the run on the same subjects away until it is unlocked.
// at is the attribute that names them.
func Lock(ctx context.Context, s *session.Session, at path.Path, kind string, ids []string) (unlock func(), diags diag.Diagnostics) {
	unlock, err := s.Lock(ctx, kind, ids)
	if err != nil {
		diags.AddAttributeError(at, "Another operation on the same subject",
			"Another resource of this run is still busy with a subject of this one, and the time for this one ended while it waited. Nothing was sent for this one. Run again.")
	}
	return unlock, diags
}
