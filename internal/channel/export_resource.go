// Copyright (c) the terraform-provider-streamchat authors
// SPDX-License-Identifier: MPL-2.0

package channel

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"

	"github.com/hashicorp/terraform-plugin-framework-timetypes/timetypes"
	"github.com/hashicorp/terraform-plugin-framework-validators/stringvalidator"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/booldefault"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/boolplanmodifier"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/listplanmodifier"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/planmodifier"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/stringdefault"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/stringplanmodifier"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/hashicorp/terraform-plugin-framework/tfsdk"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/erasure"
	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/export"
	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/exportfile"
	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/lifecycle"
	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/report"
	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/stream"
)

type exportResource struct{ exportfile.Base }

var (
	_ resource.ResourceWithConfigure      = (*exportResource)(nil)
	_ resource.ResourceWithModifyPlan     = (*exportResource)(nil)
	_ resource.ResourceWithValidateConfig = (*exportResource)(nil)
)

const exportType = "streamchat_channel_export"

// NewExport makes the resource streamchat_channel_export.
func NewExport() resource.Resource {
	return &exportResource{exportfile.Base{TypeName: exportType, Subject: "cids"}}
}

// Metadata implements resource.Resource.
func (*exportResource) Metadata(_ context.Context, _ resource.MetadataRequest, resp *resource.MetadataResponse) {
	resp.TypeName = exportType
}

// Schema implements resource.Resource.
func (*exportResource) Schema(ctx context.Context, _ resource.SchemaRequest, resp *resource.SchemaResponse) {
	once := []planmodifier.String{stringplanmodifier.RequiresReplace()}
	option := func(description string) schema.BoolAttribute {
		return schema.BoolAttribute{
			Optional: true, Computed: true, Default: booldefault.StaticBool(false), MarkdownDescription: description + " Default false.",
			PlanModifiers: []planmodifier.Bool{boolplanmodifier.RequiresReplace()},
		}
	}
	bound := func(description string) schema.StringAttribute {
		return schema.StringAttribute{
			Optional: true, CustomType: timetypes.RFC3339Type{}, MarkdownDescription: description + " RFC 3339.", PlanModifiers: once,
		}
	}
	resp.Schema = schema.Schema{
		MarkdownDescription: "Takes an export of up to 25 channels once, at apply, and writes Stream's file as it is " +
			"(`POST /export_channels`). The content never enters the Terraform state.\n\n" +
			"~> The file holds what *everybody* wrote in these channels. It is no answer to one person's request for their data: " +
			"that is `streamchat_user_export`.\n\n" +
			"Put it before an erasure by naming it there (`exports`), with a copy to durable storage in between. A file that is missing later is no drift, " +
			"because the disks of CI machines vanish; " +
			"nothing is ever taken again because the file or a channel is gone. To take a new export, use `-replace`. " +
			"Destroying the block deletes no file. " +
			"Stream keeps its own copy of the export for 60 days, and there is no call to delete it.",
		Attributes: map[string]schema.Attribute{
			"cids": schema.ListAttribute{
				Required: true, ElementType: types.StringType, Validators: []validator.List{cidsValidator{}},
				PlanModifiers:       []planmodifier.List{listplanmodifier.RequiresReplace()},
				MarkdownDescription: "The channels, 1 to 25, as `type:id`. More channels go through several blocks, e.g. `for_each` over `chunklist`.",
			},
			"version": schema.StringAttribute{
				Optional: true, Computed: true, Default: stringdefault.StaticString(stream.ExportV1), PlanModifiers: once,
				Validators: []validator.String{stringvalidator.OneOf(stream.ExportV1, stream.ExportV2)},
				MarkdownDescription: "The form of Stream's file: `v1`, a JSON array of channels with their messages and members, or `v2`, " +
					"one JSON object a line. Default `v1`.",
			},
			"messages_since": bound("Only messages from this time on."),
			"messages_until": bound("Only messages up to this time."),
			"clear_deleted_message_text": option("Whether Stream clears the text of soft-deleted messages. " +
				"Without this they are in the file as they were written."),
			"export_users": option("Whether the users of the channels are in the file as well."),
			"include_soft_deleted_channels": option("Whether a channel may be soft-deleted. Then a plan cannot tell " +
				"a channel that is not there from a deleted one, and warns."),
			"include_truncated_messages": option("Whether truncated messages are in the file as well."),

			"task_id":       exportfile.Kept("The id of Stream's task that made the export."),
			"complete":      exportfile.Complete(),
			"message_count": exportfile.Count("How many messages the file holds; of a `v2` file, how many lines are of the type `message`."),
		},
	}
	maps.Copy(resp.Schema.Attributes, exportfile.Attributes(ctx, "Stream's file"))
}

// ValidateConfig implements resource.ResourceWithValidateConfig.
func (r *exportResource) ValidateConfig(ctx context.Context, req resource.ValidateConfigRequest, resp *resource.ValidateConfigResponse) {
	r.Base.ValidateConfig(ctx, req, resp)
	var since, until timetypes.RFC3339
	resp.Diagnostics.Append(req.Config.GetAttribute(ctx, path.Root("messages_since"), &since)...)
	resp.Diagnostics.Append(req.Config.GetAttribute(ctx, path.Root("messages_until"), &until)...)
	if resp.Diagnostics.HasError() {
		return
	}
	from, to := moment(since), moment(until)
	if !from.IsZero() && !to.IsZero() && !from.Before(to) {
		resp.Diagnostics.AddAttributeError(path.Root("messages_until"), "No time between", "messages_until is not after messages_since, "+
			"so the export would be empty. Nothing was sent.")
	}
}

// ModifyPlan implements resource.ResourceWithModifyPlan: the channels of an
// export to be taken must be there.
func (r *exportResource) ModifyPlan(ctx context.Context, req resource.ModifyPlanRequest, resp *resource.ModifyPlanResponse) {
	taking := r.Plan(ctx, req, resp)
	if req.Plan.Raw.IsNull() || !req.State.Raw.IsNull() {
		return
	}
	var model exportModel
	resp.Diagnostics.Append(req.Plan.Get(ctx, &model)...)
	cids, known := model.known()
	if !known {
		resp.Diagnostics.Append(lifecycle.SubjectNotKnown(path.Root("cids"), r.Session)...)
	}
	if !taking || !known || resp.Diagnostics.HasError() {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, exportfile.PlanTimeout)
	defer cancel()
	if resp.Diagnostics.Append(exportfile.Ahead(ctx, r.Session, path.Root("cids"), r.reads(req.Config, cids))...); resp.Diagnostics.HasError() {
		return
	}
	resp.Diagnostics.Append(r.unknownChannels(ctx, cids, model.IncludeSoftDeletedChannels.ValueBool())...)
}

// reads is what the export of a block reads.
func (r *exportResource) reads(config tfsdk.Config, cids []string) erasure.Export {
	return erasure.Export{Key: r.TypeName + config.Raw.String(), Channels: cids}
}

// unknownChannels names the channels that Stream does not find, by their index.
// Soft-deleted ones are not found either, so they make these warnings.
func (r *exportResource) unknownChannels(ctx context.Context, cids []string, maybeDeleted bool) (diags diag.Diagnostics) {
	found, err := r.Session.API.ChannelsByCID(ctx, cids)
	if err != nil {
		return diag.Diagnostics{report.Export(path.Root("cids"), err)}
	}
	for i, cid := range cids {
		at := path.Root("cids").AtListIndex(i)
		switch _, ok := found[cid]; {
		case ok:
		case maybeDeleted:
			diags.AddAttributeWarning(at, "Channel not found", fmt.Sprintf("Stream's query does not find channel %d of the list. "+
				"If it is soft-deleted, that is as it should be; if it never existed, the apply will fail.", i+1))
		default:
			diags.AddAttributeError(at, "Unknown channel", fmt.Sprintf("Stream does not find channel %d of the list: the cid is misspelt, "+
				"or the channel was deleted. Nothing was exported and no file was written. "+
				"Take the channel off the list; a soft-deleted one can be exported with include_soft_deleted_channels = true.", i+1))
		}
	}
	return diags
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
	at := path.Root("cids")
	app, diags := r.Session.OpenFor(ctx, at, model.App())
	if resp.Diagnostics.Append(diags...); diags.HasError() {
		return
	}
	model.SetApp(app)
	taking, diags := exportfile.Take(ctx, r.Session, at, r.reads(req.Config, model.request().CIDs))
	if resp.Diagnostics.Append(diags...); diags.HasError() {
		return
	}
	defer func() { taking.End(!resp.Diagnostics.HasError()) }()
	// Before Stream makes an export, which it keeps for 60 days.
	file, diags := r.Begin(ctx, &model.Model, req.Plan.Raw)
	resp.Diagnostics.Append(diags...)
	if resp.Diagnostics.HasError() {
		return
	}
	defer exportfile.Discard(file, &resp.Diagnostics)
	takenAt := r.Session.Clock.Now()
	resp.Diagnostics.Append(r.take(ctx, &model, file)...)
	if resp.Diagnostics.HasError() {
		return
	}
	resp.Diagnostics.Append(model.Commit(file, at, takenAt)...)
	if resp.Diagnostics.HasError() {
		return
	}
	late := taking.Reached(ctx)
	if model.Complete = types.BoolValue(!late); late {
		resp.Diagnostics.Append(exportfile.Late(at))
	}
	resp.Diagnostics.Append(resp.State.Set(ctx, &model)...)
	resp.Diagnostics.Append(r.Archive(ctx, resp.State.Raw, resp.Private)...)
}

// take has Stream make the export, copies its file to dst and notes what it is.
func (r *exportResource) take(ctx context.Context, model *exportModel, dst io.Writer) diag.Diagnostics {
	at, api, asked := path.Root("cids"), r.Session.API, model.request()
	task, err := api.ExportChannels(ctx, asked)
	var e *stream.Error
	if errors.As(err, &e) && (e.Kind == stream.KindNotFound || e.Kind == stream.KindInput) {
		// Stream refuses the whole list and its words are not documented.
		if diags := r.unknownChannels(ctx, asked.CIDs, false); diags.HasError() {
			return diags
		}
	}
	if err == nil {
		err = api.ExportTask(ctx, task)
	}
	if err != nil {
		return diag.Diagnostics{report.Export(at, err)}
	}
	src, err := api.OpenExport(ctx, task)
	if err != nil {
		return diag.Diagnostics{report.Export(at, err)}
	}
	defer func() { _ = src.Close() }()
	content, err := export.CopyChannels(dst, src)
	if err == nil {
		err = checkContent(content, asked)
	}
	if err != nil {
		return diag.Diagnostics{exportfile.NotWritten(at, err)}
	}
	model.TaskID, model.MessageCount = types.StringValue(task), types.Int64Value(content.Messages)
	return nil
}

// checkContent makes sure that the file is what was asked for.
func checkContent(content export.Channels, asked stream.ChannelExport) error {
	switch {
	case content.Version != asked.Version:
		return &export.ParseError{Problem: "the file is not of the version that was asked for"}
	case content.Version == stream.ExportV1 && content.Channels != int64(len(asked.CIDs)):
		return &export.ParseError{Problem: fmt.Sprintf("the file holds %d channels instead of %d", content.Channels, len(asked.CIDs))}
	}
	return nil
}
