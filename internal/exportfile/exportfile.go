// Copyright (c) the terraform-provider-streamchat authors
// SPDX-License-Identifier: MPL-2.0

// Package exportfile is what resources share that take an export once and write
// it to a file: attributes, recipients, the claim on the path, and a life in
// which nothing is ever taken again by itself.
package exportfile

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"time"

	"filippo.io/age"
	"github.com/hashicorp/terraform-plugin-framework-timeouts/resource/timeouts"
	"github.com/hashicorp/terraform-plugin-framework-timetypes/timetypes"
	"github.com/hashicorp/terraform-plugin-framework-validators/listvalidator"
	"github.com/hashicorp/terraform-plugin-framework-validators/stringvalidator"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/boolplanmodifier"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/int64planmodifier"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/listplanmodifier"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/planmodifier"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/stringplanmodifier"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/export"
	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/privatefile"
	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/report"
	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/session"
	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/stream"
)

// Timeout is how long an export may take by default. Channel exports take half a
// minute each, and a person may be in hundreds of channels.
const Timeout = 2 * time.Hour

// PlanTimeout bounds what a plan asks Stream.
const PlanTimeout = 10 * time.Minute

// Model is the part of a resource's model that is about the file.
type Model struct {
	Path          types.String      `tfsdk:"path"`
	AgeRecipients types.List        `tfsdk:"age_recipients"`
	Timeouts      timeouts.Value    `tfsdk:"timeouts"`
	SHA256        types.String      `tfsdk:"sha256"`
	FileSHA256    types.String      `tfsdk:"file_sha256"`
	SizeBytes     types.Int64       `tfsdk:"size_bytes"`
	ExportedAt    timetypes.RFC3339 `tfsdk:"exported_at"`
}

// Attributes are the schema of a Model; content is what the hash is of, e.g.
// "the clear JSON".
func Attributes(ctx context.Context, content string) map[string]schema.Attribute {
	exportedAt := Kept("When the export was taken, by the provider's clock. RFC 3339, UTC.")
	exportedAt.CustomType = timetypes.RFC3339Type{}
	return map[string]schema.Attribute{
		"path": schema.StringAttribute{
			Required: true, PlanModifiers: []planmodifier.String{stringplanmodifier.RequiresReplace()},
			Validators: []validator.String{stringvalidator.LengthAtLeast(1)},
			MarkdownDescription: "The file to write, mode 0600, whole or not at all. Missing directories are made with mode 0700; " +
				"an existing regular file is replaced.",
		},
		"age_recipients": schema.ListAttribute{
			Optional: true, ElementType: types.StringType,
			MarkdownDescription: "Public keys of [age](https://age-encryption.org) (`age1…`): the file is encrypted to all of them, " +
				"and no clear byte touches the disk, also not in a temporary file.",
			PlanModifiers: []planmodifier.List{listplanmodifier.RequiresReplace()},
			Validators:    []validator.List{listvalidator.SizeAtLeast(1), listvalidator.ValueStringsAre(stringvalidator.LengthAtLeast(1))},
		},
		"timeouts": timeouts.Attributes(ctx, timeouts.Opts{
			Create:            true,
			CreateDescription: "How long the export may take, rate limits and Stream's own work included. Default 2 hours.",
		}),
		"sha256":      Kept("SHA-256 of " + content + ", in hex."),
		"file_sha256": Kept("SHA-256 of the bytes on disk, in hex; the same as `sha256` for a file that is not encrypted."),
		"size_bytes":  Count("Size of the file on disk, in bytes."),
		"exported_at": exportedAt,
	}
}

// Kept is a computed text that never changes.
func Kept(description string) schema.StringAttribute {
	return schema.StringAttribute{
		Computed: true, MarkdownDescription: description,
		PlanModifiers: []planmodifier.String{stringplanmodifier.UseStateForUnknown()},
	}
}

// Count is a computed number that never changes.
func Count(description string) schema.Int64Attribute {
	return schema.Int64Attribute{
		Computed: true, MarkdownDescription: description,
		PlanModifiers: []planmodifier.Int64{int64planmodifier.UseStateForUnknown()},
	}
}

// Fact is a computed yes or no that never changes.
func Fact(description string) schema.BoolAttribute {
	return schema.BoolAttribute{
		Computed: true, MarkdownDescription: description,
		PlanModifiers: []planmodifier.Bool{boolplanmodifier.UseStateForUnknown()},
	}
}

// Begin starts the file of an export. Everything in the model must be known;
// subject is the attribute that names what is exported. Whoever begins defers
// [Discard].
func (m *Model) Begin(ctx context.Context, subject path.Path) (*privatefile.File, diag.Diagnostics) {
	to, diags := recipients(ctx, m.AgeRecipients)
	if diags.HasError() {
		return nil, diags
	}
	file, err := privatefile.Begin(ctx, m.Path.ValueString(), to)
	if err != nil {
		diags.Append(NotWritten(subject, err))
	}
	return file, diags
}

// Commit puts the file in place and notes what it holds: an export that was
// taken at a time.
func (m *Model) Commit(file *privatefile.File, subject path.Path, at time.Time) diag.Diagnostics {
	written, err := file.Commit()
	if err != nil {
		return diag.Diagnostics{NotWritten(subject, err)}
	}
	m.SHA256, m.FileSHA256 = types.StringValue(written.ClearSHA256), types.StringValue(written.SHA256)
	m.SizeBytes = types.Int64Value(written.Size)
	m.ExportedAt = timetypes.NewRFC3339ValueMust(at.UTC().Truncate(time.Millisecond).Format(time.RFC3339Nano))
	return nil
}

// Discard removes a file that was not committed.
func Discard(file *privatefile.File, diags *diag.Diagnostics) {
	if err := file.Abort(); err != nil {
		diags.AddAttributeError(path.Root("path"), "Temporary file left behind",
			fmt.Sprintf("What was written of the export could not be removed: %s. It is in the directory of this path, "+
				"in a file .streamchat-export-….tmp. Remove it, or let the next export into that directory do so.", err))
	}
}

// NotWritten is the diagnostic of an error on the way from Stream to the file.
// subject is the attribute that names what was to be exported.
func NotWritten(subject path.Path, err error) diag.Diagnostic {
	var api *stream.Error
	var parse *export.ParseError
	switch {
	case errors.As(err, &api), errors.Is(err, context.DeadlineExceeded), errors.Is(err, context.Canceled):
		return report.Export(subject, err)
	case errors.As(err, &parse):
		return diag.NewAttributeErrorDiagnostic(subject, "Unreadable export",
			fmt.Sprintf("What Stream exported is not what its API promises: %s. Nothing was changed at Stream and no file was written. "+
				"Something between here and Stream may answer in its place (a proxy, a portal). Check that, then run apply again.", parse))
	}
	return diag.NewAttributeErrorDiagnostic(path.Root("path"), "Export not written", fmt.Sprintf(
		"The export could not be written to this path: %s. No part of it was left on disk, and a file that was there before is unchanged. "+
			"Nothing was changed at Stream.", err))
}

// recipients reads the list; nil leaves the file clear, and so does a list with
// unknown keys, for validation alone.
func recipients(ctx context.Context, list types.List) (parsed []age.Recipient, diags diag.Diagnostics) {
	var elements []types.String
	if list.IsNull() || list.IsUnknown() {
		return nil, nil
	}
	diags.Append(list.ElementsAs(ctx, &elements, false)...)
	var keys []string
	for _, e := range elements {
		if e.IsUnknown() {
			return nil, diags
		}
		keys = append(keys, e.ValueString())
	}
	if len(keys) == 0 {
		return nil, diags // listvalidator says so
	}
	parsed, err := privatefile.ParseRecipients(keys)
	if err != nil {
		diags.AddAttributeError(path.Root("age_recipients"), "Invalid age recipient", "The configuration is refused: "+err.Error()+". "+
			"Nothing was exported. Give public keys as age-keygen prints them (age1…).")
	}
	return parsed, diags
}

// Base is the part of such a resource that is the same for all: embed it.
type Base struct{ Session *session.Session }

// Configure implements resource.ResourceWithConfigure.
func (b *Base) Configure(_ context.Context, req resource.ConfigureRequest, resp *resource.ConfigureResponse) {
	b.Session = session.From(req.ProviderData, &resp.Diagnostics)
}

// ValidateConfig implements resource.ResourceWithValidateConfig.
func (*Base) ValidateConfig(ctx context.Context, req resource.ValidateConfigRequest, resp *resource.ValidateConfigResponse) {
	var list types.List
	resp.Diagnostics.Append(req.Config.GetAttribute(ctx, path.Root("age_recipients"), &list)...)
	_, diags := recipients(ctx, list)
	resp.Diagnostics.Append(diags...)
	var file types.String
	resp.Diagnostics.Append(req.Config.GetAttribute(ctx, path.Root("path"), &file)...)
	if list.IsNull() && strings.HasSuffix(file.ValueString(), ".age") {
		resp.Diagnostics.AddAttributeError(path.Root("path"), "File would be in the clear",
			"The name ends in .age, which says that the file is encrypted, but there are no age_recipients. Nothing was exported. "+
				"Give the recipients' public keys, or the file another name.")
	}
}

// Plan does what every such plan has to do, and reports whether an export is to
// be taken: then the plan should see to it that this can succeed, since a
// replacement drops the record of the export that exists.
func (b *Base) Plan(ctx context.Context, req resource.ModifyPlanRequest, resp *resource.ModifyPlanResponse) (taking bool) {
	if req.Plan.Raw.IsNull() {
		resp.Diagnostics.AddAttributeWarning(path.Root("path"), "Destroying forgets the export",
			"Applying this resource destruction will only remove the record of the export from the Terraform state. "+
				"The file, where it still exists, is not deleted.")
		return false
	}
	if !req.State.Raw.IsNull() || b.Session == nil {
		return false
	}
	var name types.String
	resp.Diagnostics.Append(req.Plan.GetAttribute(ctx, path.Root("path"), &name)...)
	if !name.IsUnknown() {
		if file, err := filepath.Abs(name.ValueString()); err == nil && !b.Session.Claims.First("file", file, session.Claimant{}) {
			resp.Diagnostics.AddAttributeError(path.Root("path"), "The same file twice",
				"Another resource of this plan writes to the same file, so that one export would overwrite the other. Give each export its own path.")
		}
	}
	return !resp.Diagnostics.HasError()
}

// Ahead refuses an export beside an erasure of the same subject in the same plan, of which
// nothing says that it comes later: it could find nobody any more. at is the attribute that
// names the subject, kind "user" or "channel".
func (b *Base) Ahead(at path.Path, kind string, ids ...string) (diags diag.Diagnostics) {
	for i, id := range ids {
		if b.Session.Order.Export(kind, id) {
			continue
		}
		if len(ids) > 1 || kind == "channel" {
			at = at.AtListIndex(i)
		}
		diags.AddAttributeError(at, "Export and erasure side by side",
			"This plan also erases the subject, and nothing says that the export goes first: Terraform would run both at once. Nothing was exported and nothing was sent. "+
				"Name the export in the erasure, e.g. exports = [streamchat_user_export.NAME.sha256]; it is then taken first, and kept in the record.")
		return diags
	}
	return nil
}

// Read implements resource.Resource. The record stands by itself: neither the
// file nor Stream is looked at.
func (*Base) Read(context.Context, resource.ReadRequest, *resource.ReadResponse) {}

// Update implements resource.Resource. Only timeouts change in place.
func (*Base) Update(_ context.Context, req resource.UpdateRequest, resp *resource.UpdateResponse) {
	resp.State.Raw = req.Plan.Raw
}

// Delete implements resource.Resource: the file stays.
func (*Base) Delete(_ context.Context, _ resource.DeleteRequest, resp *resource.DeleteResponse) {
	resp.Diagnostics.AddWarning("Record removed, file kept", "The record of the export was removed from the Terraform state. "+
		"Its file was not deleted.")
}
