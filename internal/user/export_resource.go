// Copyright (c) the terraform-provider-streamchat authors
// SPDX-License-Identifier: MPL-2.0

package user

import (
	"context"
	"fmt"
	"path/filepath"
	"time"

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

	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/erasure"
	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/export"
	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/report"
	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/session"
)

type exportResource struct{ session *session.Session }

type exportModel struct {
	UserID          types.String      `tfsdk:"user_id"`
	Path            types.String      `tfsdk:"path"`
	AgeRecipients   types.List        `tfsdk:"age_recipients"`
	Timeouts        timeouts.Value    `tfsdk:"timeouts"`
	SHA256          types.String      `tfsdk:"sha256"`
	FileSHA256      types.String      `tfsdk:"file_sha256"`
	SizeBytes       types.Int64       `tfsdk:"size_bytes"`
	MessageCount    types.Int64       `tfsdk:"message_count"`
	ReactionCount   types.Int64       `tfsdk:"reaction_count"`
	AttachmentCount types.Int64       `tfsdk:"attachment_count"`
	Complete        types.Bool        `tfsdk:"complete"`
	Method          types.String      `tfsdk:"method"`
	ExportedAt      timetypes.RFC3339 `tfsdk:"exported_at"`
}

var (
	_ resource.ResourceWithConfigure      = (*exportResource)(nil)
	_ resource.ResourceWithModifyPlan     = (*exportResource)(nil)
	_ resource.ResourceWithValidateConfig = (*exportResource)(nil)
)

// NewExportResource makes the resource streamchat_user_export.
func NewExportResource() resource.Resource { return &exportResource{} }

// Metadata implements resource.Resource.
func (*exportResource) Metadata(_ context.Context, _ resource.MetadataRequest, resp *resource.MetadataResponse) {
	resp.TypeName = ExportType
}

// Configure implements resource.ResourceWithConfigure.
func (r *exportResource) Configure(_ context.Context, req resource.ConfigureRequest, resp *resource.ConfigureResponse) {
	r.session = session.From(req.ProviderData, &resp.Diagnostics)
}

// Schema implements resource.Resource.
func (*exportResource) Schema(ctx context.Context, _ resource.SchemaRequest, resp *resource.SchemaResponse) {
	once := []planmodifier.String{stringplanmodifier.RequiresReplace()}
	kept := func(description string) schema.StringAttribute {
		return schema.StringAttribute{Computed: true, MarkdownDescription: description, PlanModifiers: []planmodifier.String{stringplanmodifier.UseStateForUnknown()}}
	}
	count := func(description string) schema.Int64Attribute {
		return schema.Int64Attribute{Computed: true, MarkdownDescription: description, PlanModifiers: []planmodifier.Int64{int64planmodifier.UseStateForUnknown()}}
	}
	exportedAt := kept("When the export was taken, by the provider's clock. RFC 3339, UTC.")
	exportedAt.CustomType = timetypes.RFC3339Type{}
	resp.Schema = schema.Schema{
		MarkdownDescription: "Takes the export of one user once, at apply, and writes it to a file (right of access and portability, Art. 15 and 20). The content never enters the Terraform state.\n\n" +
			"Put it before an erasure with `depends_on`, with a copy to durable storage in between. A file that is missing later is no drift, because the disks of CI machines vanish; " +
			"nothing is ever taken again because the file or the user is gone. To take a new export of a user who is still there, use `-replace`. Destroying the block deletes no file.\n\n" +
			"Stream itself exports a user in one piece only up to " + directLimit + "; beyond that this resource fails with a clear error and writes nothing.",
		Attributes: map[string]schema.Attribute{
			"user_id": schema.StringAttribute{Required: true, MarkdownDescription: "The user to export.", Validators: IDValidators(), PlanModifiers: once},
			"path": schema.StringAttribute{
				Required: true, PlanModifiers: once, Validators: []validator.String{stringvalidator.LengthAtLeast(1)},
				MarkdownDescription: "The file to write, mode 0600, whole or not at all. Missing directories are made with mode 0700; an existing regular file is replaced.",
			},
			"age_recipients": schema.ListAttribute{
				Optional: true, ElementType: types.StringType,
				MarkdownDescription: "Public keys of [age](https://age-encryption.org) (`age1…`): the file is encrypted to all of them, and no clear byte touches the disk, also not in a temporary file.",
				PlanModifiers:       []planmodifier.List{listplanmodifier.RequiresReplace()},
				Validators:          []validator.List{listvalidator.SizeAtLeast(1), listvalidator.ValueStringsAre(stringvalidator.LengthAtLeast(1))},
			},
			"timeouts": timeouts.Attributes(ctx, timeouts.Opts{
				Create:            true,
				CreateDescription: "How long the export may take, rate limits included. Default 10 minutes.",
			}),
			"sha256":           kept("SHA-256 of the clear JSON, in hex."),
			"file_sha256":      kept("SHA-256 of the bytes on disk, in hex; the same as `sha256` for a file that is not encrypted."),
			"size_bytes":       count("Size of the file on disk, in bytes."),
			"message_count":    count("How many messages the export holds."),
			"reaction_count":   count("How many reactions the export holds."),
			"attachment_count": count("How many attachments the messages have. The files themselves are not in an export, only their URLs, which expire after 14 days: fetch them before an erasure if they belong to the answer."),
			"complete":         schema.BoolAttribute{Computed: true, PlanModifiers: []planmodifier.Bool{boolplanmodifier.UseStateForUnknown()}, MarkdownDescription: "Whether the export holds everything that Stream's own export of this user would hold."},
			"method":           kept("How it was taken: `direct`, Stream's own export of one user."),
			"exported_at":      exportedAt,
		},
	}
}

// ValidateConfig implements resource.ResourceWithValidateConfig.
func (*exportResource) ValidateConfig(ctx context.Context, req resource.ValidateConfigRequest, resp *resource.ValidateConfigResponse) {
	var list types.List
	resp.Diagnostics.Append(req.Config.GetAttribute(ctx, path.Root("age_recipients"), &list)...)
	if _, diags := recipients(ctx, list); !list.IsUnknown() {
		resp.Diagnostics.Append(diags...)
	}
}

// recipients reads the known keys of the list; nil leaves the file clear.
func recipients(ctx context.Context, list types.List) (keys []string, diags diag.Diagnostics) {
	var elements []types.String
	if list.IsNull() || list.IsUnknown() {
		return nil, nil
	}
	diags.Append(list.ElementsAs(ctx, &elements, false)...)
	for _, e := range elements {
		if e.IsUnknown() {
			return nil, diags
		}
		keys = append(keys, e.ValueString())
	}
	if len(keys) == 0 {
		return nil, diags // listvalidator says so
	}
	if _, err := export.ParseRecipients(keys); err != nil {
		diags.AddAttributeError(path.Root("age_recipients"), "Invalid age recipient", "The configuration is refused: "+err.Error()+". Nothing was exported. Give public keys as age-keygen prints them (age1…).")
	}
	return keys, diags
}

// ModifyPlan implements resource.ResourceWithModifyPlan. An export to be taken
// needs a user who is there: a replacement planned after the erasure is refused
// before it drops the record of the export that exists.
func (r *exportResource) ModifyPlan(ctx context.Context, req resource.ModifyPlanRequest, resp *resource.ModifyPlanResponse) {
	if req.Plan.Raw.IsNull() {
		resp.Diagnostics.AddAttributeWarning(path.Root("path"), "Resource Destruction Considerations",
			"Applying this resource destruction will only remove the record of the export from the Terraform state. The file, where it still exists, is not deleted.")
		return
	}
	if !req.State.Raw.IsNull() {
		return
	}
	var plan exportModel
	resp.Diagnostics.Append(req.Plan.Get(ctx, &plan)...)
	if resp.Diagnostics.HasError() || r.session == nil {
		return
	}
	if !plan.Path.IsUnknown() && r.session.Ledger != nil {
		if file, err := filepath.Abs(plan.Path.ValueString()); err == nil && !r.session.Ledger.First("file", file) {
			resp.Diagnostics.AddAttributeError(path.Root("path"), "The same file twice", "Another resource of this plan writes to the same file, so that one export would overwrite the other. Give each export its own path.")
		}
	}
	if plan.UserID.IsUnknown() || r.session.Undetermined {
		return
	}
	resp.Diagnostics.Append(r.session.Ready()...)
	if resp.Diagnostics.HasError() {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, exportTimeout)
	defer cancel()
	finding, err := r.session.Users.LookUp(ctx, plan.UserID.ValueString())
	switch {
	case err != nil:
		resp.Diagnostics.Append(report.Error(path.Root("user_id"), err))
	case finding.Found == erasure.FoundUnproven || finding.Found == erasure.FoundDeleted:
		resp.Diagnostics.Append(nobodyToExport())
	}
}

func nobodyToExport() diag.Diagnostic {
	return diag.NewAttributeErrorDiagnostic(path.Root("user_id"), "Nobody to export",
		"Stream has no such user: the id is misspelt, or the user was deleted. Nothing was exported and no file was written. "+
			"If the user was erased after an earlier export, keep the record of that one: undo the change that replaces it (terraform untaint, or the old path and recipients).")
}

// Create implements resource.Resource.
func (r *exportResource) Create(ctx context.Context, req resource.CreateRequest, resp *resource.CreateResponse) {
	var model exportModel
	resp.Diagnostics.Append(req.Plan.Get(ctx, &model)...)
	if resp.Diagnostics.HasError() {
		return
	}
	timeout, diags := model.Timeouts.Create(ctx, exportTimeout)
	resp.Diagnostics.Append(diags...)
	keys, diags := recipients(ctx, model.AgeRecipients)
	resp.Diagnostics.Append(diags...)
	if resp.Diagnostics.HasError() {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	document, exists, diags := takeExport(ctx, r.session, model.UserID.ValueString())
	resp.Diagnostics.Append(diags...)
	if resp.Diagnostics.HasError() {
		return
	}
	if !exists {
		resp.Diagnostics.Append(nobodyToExport())
		return
	}
	takenAt := r.session.Clock.Now().UTC().Truncate(time.Millisecond)
	file := export.File{Path: model.Path.ValueString()}
	if keys != nil {
		var err error
		if file.Recipients, err = export.ParseRecipients(keys); err != nil {
			resp.Diagnostics.AddAttributeError(path.Root("age_recipients"), "Invalid age recipient", "The configuration is refused: "+err.Error()+".")
			return
		}
	}
	written, summary, err := file.Export(ctx, func(w *export.Writer) error { return w.Document(document) })
	if err != nil {
		resp.Diagnostics.AddAttributeError(path.Root("path"), "Export not written", fmt.Sprintf("The export could not be written to this path: %s. No part of it was left on disk, and a file that was there before is unchanged. Nothing was changed at Stream.", err))
		return
	}
	model.SHA256, model.FileSHA256 = types.StringValue(summary.SHA256), types.StringValue(written.SHA256)
	model.SizeBytes = types.Int64Value(written.Size)
	model.MessageCount, model.ReactionCount, model.AttachmentCount = types.Int64Value(summary.Messages), types.Int64Value(summary.Reactions), types.Int64Value(summary.Attachments)
	model.Complete, model.Method = types.BoolValue(true), types.StringValue(methodDirect)
	model.ExportedAt = timetypes.NewRFC3339ValueMust(takenAt.Format(time.RFC3339Nano))
	resp.Diagnostics.Append(resp.State.Set(ctx, &model)...)
}

// Read implements resource.Resource. The record stands by itself: neither the
// file nor the user is looked at.
func (*exportResource) Read(context.Context, resource.ReadRequest, *resource.ReadResponse) {}

// Update implements resource.Resource. Only timeouts change in place.
func (*exportResource) Update(_ context.Context, req resource.UpdateRequest, resp *resource.UpdateResponse) {
	resp.State.Raw = req.Plan.Raw
}

// Delete implements resource.Resource: the file stays.
func (*exportResource) Delete(_ context.Context, _ resource.DeleteRequest, resp *resource.DeleteResponse) {
	resp.Diagnostics.AddWarning("Record removed, file kept", "The record of the export was removed from the Terraform state. Its file was not deleted.")
}
