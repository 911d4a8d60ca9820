// Copyright (c) the terraform-provider-streamchat authors
// SPDX-License-Identifier: MPL-2.0

package user

import (
	"context"
	"maps"
	"path/filepath"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/planmodifier"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/stringplanmodifier"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/exportfile"
)

type exportResource struct{ exportfile.Base }

type exportModel struct {
	exportfile.Model
	bundleModel
	UserID          types.String `tfsdk:"user_id"`
	MessageCount    types.Int64  `tfsdk:"message_count"`
	ReactionCount   types.Int64  `tfsdk:"reaction_count"`
	AttachmentCount types.Int64  `tfsdk:"attachment_count"`
	Complete        types.Bool   `tfsdk:"complete"`
	Method          types.String `tfsdk:"method"`
}

var (
	_ resource.ResourceWithConfigure      = (*exportResource)(nil)
	_ resource.ResourceWithModifyPlan     = (*exportResource)(nil)
	_ resource.ResourceWithValidateConfig = (*exportResource)(nil)
)

// NewExportResource makes the resource streamchat_user_export.
func NewExportResource() resource.Resource {
	return &exportResource{exportfile.Base{Subject: "user_id"}}
}

// Metadata implements resource.Resource.
func (*exportResource) Metadata(_ context.Context, _ resource.MetadataRequest, resp *resource.MetadataResponse) {
	resp.TypeName = ExportType
}

// Schema implements resource.Resource.
func (*exportResource) Schema(ctx context.Context, _ resource.SchemaRequest, resp *resource.SchemaResponse) {
	resp.Schema = schema.Schema{
		MarkdownDescription: "Takes the export of one user once, at apply, and writes it to a file " +
			"(right of access and portability, Art. 15 and 20). The content never enters the Terraform state.\n\n" +
			"Put it before an erasure by naming it there (`exports`), with a copy to durable storage in between. A file that is missing later is no drift, " +
			"because the disks of CI machines vanish; " +
			"nothing is ever taken again because the file or the user is gone. To take a new export of a user who is still there, " +
			"use `-replace`. Destroying the block deletes no file.\n\n" +
			"Stream itself exports a user in one piece only up to " + directLimit + ". Beyond that the export is assembled, " +
			"in the same form (`user`, `messages`, `reactions`) and in any size, " +
			"from exports of all channels that the user is a member of, created, or wrote in as far as Stream's search knows. " +
			"Of these only what the user wrote is kept: " +
			"nothing that others wrote touches the disk, and where a message of the user embeds other people's objects " +
			"(a quoted message, a poll, profiles) these are left out; their ids stay. " +
			"Stream keeps the channel exports it makes for this, which hold everybody's messages, for 60 days.\n\n" +
			"An assembled export has `method = \"assembled\"` and `complete = false`. It can miss " + missable +
			". Check `complete` in a postcondition before an erasure if that is not enough.",
		Attributes: map[string]schema.Attribute{
			"user_id": schema.StringAttribute{
				Required: true, MarkdownDescription: "The user to export.", Validators: IDValidators(),
				PlanModifiers: []planmodifier.String{stringplanmodifier.RequiresReplace()},
			},
			"message_count":  exportfile.Count("How many messages the export holds."),
			"reaction_count": exportfile.Count("How many reactions the export holds."),
			"attachment_count": exportfile.Count("How many attachments the messages have. The files themselves are in a bundle with `attachments = true`; " +
				"else the export holds only their URLs, which expire after 14 days."),
			"complete": exportfile.Fact(completeDescription),
			"method":   exportfile.Kept(methodDescription),
		},
	}
	maps.Copy(resp.Schema.Attributes, bundleAttributes())
	maps.Copy(resp.Schema.Attributes, exportfile.Attributes(ctx, "the clear JSON, in a bundle of its `export.json`"))
}

// ModifyPlan implements resource.ResourceWithModifyPlan. An export to be taken
// needs a user who is there: a replacement planned after the erasure is refused
// before it drops the record of the export that exists.
func (r *exportResource) ModifyPlan(ctx context.Context, req resource.ModifyPlanRequest, resp *resource.ModifyPlanResponse) {
	taking := r.Plan(ctx, req, resp)
	if !req.Plan.Raw.IsNull() && !req.State.Raw.IsNull() && !resp.Diagnostics.HasError() {
		r.planBooks(ctx, req, resp)
	}
	if !taking {
		return
	}
	var id types.String
	resp.Diagnostics.Append(req.Plan.GetAttribute(ctx, userIDPath, &id)...)
	var files bundleModel
	resp.Diagnostics.Append(req.Plan.GetAttribute(ctx, path.Root("attachments"), &files.Attachments)...)
	if id.IsUnknown() || resp.Diagnostics.HasError() {
		return
	}
	r.notePlanned(&files, id.ValueString())
	if resp.Diagnostics.Append(r.Ahead(userIDPath, "user", id.ValueString())...); resp.Diagnostics.HasError() {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, exportfile.PlanTimeout)
	defer cancel()
	found, diags := exportable(ctx, r.Session, id.ValueString())
	resp.Diagnostics.Append(diags...)
	if !found && !diags.HasError() {
		resp.Diagnostics.Append(nobodyToExport())
	}
}

func nobodyToExport() diag.Diagnostic {
	return diag.NewAttributeErrorDiagnostic(userIDPath, "Nobody to export",
		"Stream has no such user: the id is misspelt, or the user was deleted. Nothing was exported and no file was written. "+
			"If the user was erased after an earlier export, keep the record of that one: undo the change that replaces it "+
			"(terraform untaint, or the old user_id).")
}

// Create implements resource.Resource.
func (r *exportResource) Create(ctx context.Context, req resource.CreateRequest, resp *resource.CreateResponse) {
	var model exportModel
	resp.Diagnostics.Append(req.Plan.Get(ctx, &model)...)
	if resp.Diagnostics.HasError() {
		return
	}
	timeout, diags := model.Timeouts.Create(ctx, exportfile.Timeout)
	resp.Diagnostics.Append(diags...)
	if resp.Diagnostics.HasError() {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	app, diags := r.Session.OpenFor(ctx, userIDPath, model.App())
	if resp.Diagnostics.Append(diags...); diags.HasError() {
		return
	}
	model.SetApp(app)
	id := model.UserID.ValueString()
	there, diags := exportable(ctx, r.Session, id)
	resp.Diagnostics.Append(diags...)
	if resp.Diagnostics.HasError() {
		return
	}
	takenAt := r.Session.Clock.Now()
	file, diags := r.Begin(ctx, &model.Model, req.Plan.Raw)
	resp.Diagnostics.Append(diags...)
	if resp.Diagnostics.HasError() {
		return
	}
	defer exportfile.Discard(file, &resp.Diagnostics)
	found, exists, diags := model.write(ctx, r.Session, id, there, file, filepath.Dir(model.Path.ValueString()), app.Name, takenAt)
	resp.Diagnostics.Append(diags...)
	if !exists {
		resp.Diagnostics.Append(nobodyToExport())
	}
	if resp.Diagnostics.HasError() {
		return
	}
	resp.Diagnostics.Append(model.Commit(file, userIDPath, takenAt)...)
	if resp.Diagnostics.HasError() {
		return
	}
	model.MessageCount, model.ReactionCount = types.Int64Value(found.Messages), types.Int64Value(found.Reactions)
	model.AttachmentCount = types.Int64Value(found.Attachments)
	model.Complete, model.Method = types.BoolValue(found.Complete()), types.StringValue(found.Method)
	if found.SHA256 != "" {
		model.SHA256 = types.StringValue(found.SHA256)
	}
	resp.Diagnostics.Append(model.hold(found)...)
	resp.Diagnostics.Append(model.writeReceipt(ctx, r.Session, id)...)
	r.noteFiles(&model, id)
	resp.Diagnostics.Append(resp.State.Set(ctx, &model)...)
}
