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
	"github.com/hashicorp/terraform-plugin-framework/tfsdk"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/erasure"
	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/exportfile"
	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/lifecycle"
)

type exportResource struct{ exportfile.Base }

type exportModel struct {
	exportfile.Model
	person
	bundleModel
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
	return &exportResource{exportfile.Base{TypeName: ExportType, Subject: "user_id"}}
}

// Metadata implements resource.Resource.
func (*exportResource) Metadata(_ context.Context, _ resource.MetadataRequest, resp *resource.MetadataResponse) {
	resp.TypeName = ExportType
	resp.ResourceBehavior.MutableIdentity = true // an id may give way to its pseudonym
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
			"message_count":  exportfile.Count("How many messages the export holds."),
			"reaction_count": exportfile.Count("How many reactions the export holds."),
			"attachment_count": exportfile.Count("How many attachments the messages have. The files themselves are in a bundle with `attachments = true`; " +
				"else the export holds only their URLs, which expire after 14 days."),
			"complete": exportfile.Fact(completeDescription +
				" With `attachments`, a file that could not be saved makes it false as well."),
			"method": exportfile.Kept(methodDescription),
		},
	}
	maps.Copy(resp.Schema.Attributes, bundleAttributes())
	maps.Copy(resp.Schema.Attributes, exportfile.Attributes(ctx, "the clear JSON, in a bundle of its `export.json`"))
	of := personAttributes("The user to export.")
	if id, ok := of["user_id"].(schema.StringAttribute); ok {
		id.PlanModifiers = []planmodifier.String{stringplanmodifier.RequiresReplaceIf(anotherUser,
			"Another user is another export.", "Another user is another export.")}
		of["user_id"] = id
	}
	maps.Copy(resp.Schema.Attributes, of)
}

// anotherUser: an id that gives way to the write-only argument, or comes back from it, is
// the same user, which [person.meet] sees to.
func anotherUser(_ context.Context, req planmodifier.StringRequest, resp *stringplanmodifier.RequiresReplaceIfFuncResponse) {
	resp.RequiresReplace = !req.PlanValue.IsNull() && !req.StateValue.IsNull()
}

// IdentitySchema implements resource.ResourceWithIdentity.
func (*exportResource) IdentitySchema(_ context.Context, _ resource.IdentitySchemaRequest, resp *resource.IdentitySchemaResponse) {
	resp.IdentitySchema = lifecycle.VeiledIdentity("user_id")
}

// Read implements resource.Resource.
func (r *exportResource) Read(ctx context.Context, req resource.ReadRequest, resp *resource.ReadResponse) {
	r.Base.Read(ctx, req, resp)
	var model exportModel
	resp.Diagnostics.Append(req.State.Get(ctx, &model)...)
	resp.Diagnostics.Append(model.identify(ctx, resp.Identity)...)
}

// planPerson compares whom the configuration names with the record, and writes the
// pseudonym into the plan.
func (r *exportResource) planPerson(ctx context.Context, req resource.ModifyPlanRequest, resp *resource.ModifyPlanResponse) (p person) {
	var config, prior exportModel
	resp.Diagnostics.Append(req.Config.Get(ctx, &config)...)
	before := (*person)(nil)
	if !req.State.Raw.IsNull() {
		resp.Diagnostics.Append(req.State.Get(ctx, &prior)...)
		before = &prior.person
	}
	if resp.Diagnostics.HasError() {
		return p
	}
	if before != nil && !config.UserID.IsNull() && !prior.UserID.IsNull() && !config.UserID.Equal(prior.UserID) {
		before = nil // another export
	}
	diags := p.meet(r.Session, &config.person, before, "export", "Destroying this block deletes no file.")
	resp.Diagnostics.Append(diags...)
	resp.Diagnostics.Append(resp.Plan.SetAttribute(ctx, path.Root("subject"), p.Subject)...)
	return p
}

// ModifyPlan implements resource.ResourceWithModifyPlan. An export to be taken
// needs a user who is there: a replacement planned after the erasure is refused
// before it drops the record of the export that exists.
func (r *exportResource) ModifyPlan(ctx context.Context, req resource.ModifyPlanRequest, resp *resource.ModifyPlanResponse) {
	var of person
	if !req.Plan.Raw.IsNull() {
		if of = r.planPerson(ctx, req, resp); resp.Diagnostics.HasError() {
			return
		}
	}
	id := of.id()
	taking := r.Plan(ctx, req, resp)
	if !req.Plan.Raw.IsNull() && !req.State.Raw.IsNull() && !resp.Diagnostics.HasError() {
		r.planBooks(ctx, req, resp)
	}
	if !taking || id == "" || resp.Diagnostics.HasError() {
		return
	}
	var files bundleModel
	resp.Diagnostics.Append(req.Plan.GetAttribute(ctx, path.Root("attachments"), &files.Attachments)...)
	r.notePlanned(&files, &of)
	ctx, cancel := context.WithTimeout(ctx, exportfile.PlanTimeout)
	defer cancel()
	if resp.Diagnostics.Append(exportfile.Ahead(ctx, r.Session, of.at(), r.reads(req.Config, id))...); resp.Diagnostics.HasError() {
		return
	}
	found, diags := exportable(ctx, r.Session, id)
	resp.Diagnostics.Append(diags...)
	if !found && !diags.HasError() {
		resp.Diagnostics.Append(nobodyToExport())
	}
}

// reads is what the export of a block reads.
func (r *exportResource) reads(config tfsdk.Config, id string) erasure.Export {
	return erasure.Export{Key: r.TypeName + config.Raw.String(), Users: []string{id}}
}

func nobodyToExport() diag.Diagnostic {
	return diag.NewAttributeErrorDiagnostic(userIDPath, "Nobody to export",
		"Stream has no such user: the id is misspelt, or the user was deleted. Nothing was exported and no file was written. "+
			"If the user was erased after an earlier export, keep the record of that one: undo the change that replaces it "+
			"(terraform untaint, or the old user_id).")
}

// Create implements resource.Resource.
func (r *exportResource) Create(ctx context.Context, req resource.CreateRequest, resp *resource.CreateResponse) {
	var model, config exportModel
	resp.Diagnostics.Append(req.Plan.Get(ctx, &model)...)
	resp.Diagnostics.Append(req.Config.Get(ctx, &config)...)
	if resp.Diagnostics.HasError() {
		return
	}
	if diags := model.meet(r.Session, &config.person, nil, "export", ""); diags.HasError() {
		resp.Diagnostics.Append(diags...)
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
	id := model.id()
	taking, diags := exportfile.Take(ctx, r.Session, userIDPath, r.reads(req.Config, id))
	if resp.Diagnostics.Append(diags...); diags.HasError() {
		return
	}
	defer func() { taking.End(!resp.Diagnostics.HasError()) }()
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
	found, exists, diags := model.write(ctx, r.Session, taking, id, there, file, filepath.Dir(model.Path.ValueString()), app.Name, takenAt)
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
	resp.Diagnostics.Append(model.writeReceipt(ctx, r.Session, id, found)...)
	r.noteFiles(&model)
	resp.Diagnostics.Append(resp.State.Set(ctx, &model)...)
	resp.Diagnostics.Append(model.identify(ctx, resp.Identity)...)
	resp.Diagnostics.Append(r.Archive(ctx, resp.State.Raw, resp.Private)...)
}
