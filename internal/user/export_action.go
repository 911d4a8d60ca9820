// Copyright (c) the terraform-provider-streamchat authors
// SPDX-License-Identifier: MPL-2.0

package user

import (
	"context"
	"fmt"
	"path/filepath"

	"github.com/hashicorp/terraform-plugin-framework-validators/listvalidator"
	"github.com/hashicorp/terraform-plugin-framework-validators/stringvalidator"
	"github.com/hashicorp/terraform-plugin-framework/action"
	"github.com/hashicorp/terraform-plugin-framework/action/schema"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/hashicorp/terraform-plugin-framework/tfsdk"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/bundle"
	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/erasure"
	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/exportfile"
	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/lifecycle"
	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/session"
)

type exportAction struct{ session *session.Session }

type exportActionModel struct {
	UserID        types.String `tfsdk:"user_id"`
	Path          types.String `tfsdk:"path"`
	AgeRecipients types.List   `tfsdk:"age_recipients"`
	Overwrite     types.Bool   `tfsdk:"overwrite"`
	BeforeErasure types.Bool   `tfsdk:"before_erasure"`
	formModel
}

// reads is what the export reads. A plan does not tell an action what triggers it, so that
// it compares nothing where the configuration says that the action comes first.
func (m *exportActionModel) reads(config tfsdk.Config) erasure.Export {
	return erasure.Export{
		Key: exportActionType + config.Raw.String(), Users: []string{m.UserID.ValueString()}, Nameless: true,
		First: m.BeforeErasure.ValueBool(), Unplanned: m.BeforeErasure.ValueBool(),
	}
}

func (m *exportActionModel) file() exportfile.Alone {
	return exportfile.Alone{Path: m.Path, AgeRecipients: m.AgeRecipients, Overwrite: m.Overwrite}
}

var (
	_ action.ActionWithConfigure      = (*exportAction)(nil)
	_ action.ActionWithModifyPlan     = (*exportAction)(nil)
	_ action.ActionWithValidateConfig = (*exportAction)(nil)
)

const exportActionType = "streamchat_export_user"

// NewExportAction makes the action streamchat_export_user.
func NewExportAction() action.Action { return &exportAction{} }

// Metadata implements action.Action.
func (*exportAction) Metadata(_ context.Context, _ action.MetadataRequest, resp *action.MetadataResponse) {
	resp.TypeName = exportActionType
}

// Configure implements action.ActionWithConfigure.
func (a *exportAction) Configure(_ context.Context, req action.ConfigureRequest, resp *action.ConfigureResponse) {
	a.session = session.From(req.ProviderData, &resp.Diagnostics)
}

// Schema implements action.Action.
func (*exportAction) Schema(_ context.Context, _ action.SchemaRequest, resp *action.SchemaResponse) {
	notEmpty := stringvalidator.LengthAtLeast(1)
	resp.Schema = schema.Schema{
		MarkdownDescription: actionText(exportActionType),
		Attributes: map[string]schema.Attribute{
			"user_id": schema.StringAttribute{Required: true, MarkdownDescription: actionText("export user_id"), Validators: IDValidators()},
			"path":    schema.StringAttribute{Required: true, MarkdownDescription: actionText("path"), Validators: []validator.String{notEmpty}},
			"age_recipients": schema.ListAttribute{
				Optional: true, ElementType: types.StringType, MarkdownDescription: actionText("age_recipients"),
				Validators: []validator.List{listvalidator.SizeAtLeast(1), listvalidator.ValueStringsAre(notEmpty)},
			},
			"overwrite":      schema.BoolAttribute{Optional: true, MarkdownDescription: actionText("overwrite")},
			"before_erasure": schema.BoolAttribute{Optional: true, MarkdownDescription: actionText("before_erasure")},

			"format":      schema.StringAttribute{Optional: true, MarkdownDescription: describe("format"), Validators: formats},
			"audience":    schema.StringAttribute{Optional: true, MarkdownDescription: describe("audience"), Validators: audiences},
			"attachments": schema.BoolAttribute{Optional: true, MarkdownDescription: describe("attachments")},
			"attachment_hosts": schema.ListAttribute{
				Optional: true, ElementType: types.StringType, MarkdownDescription: describe("attachment_hosts"), Validators: hosts,
			},
			"attachment_max_bytes": schema.Int64Attribute{Optional: true, MarkdownDescription: describe("attachment_max_bytes"), Validators: sizes},
		},
	}
}

// ValidateConfig implements action.ActionWithValidateConfig.
func (*exportAction) ValidateConfig(ctx context.Context, req action.ValidateConfigRequest, resp *action.ValidateConfigResponse) {
	var model exportActionModel
	resp.Diagnostics.Append(req.Config.Get(ctx, &model)...)
	resp.Diagnostics.Append(exportfile.Check(ctx, model.Path, model.AgeRecipients)...)
	resp.Diagnostics.Append(model.nonsense(model.Path.ValueString())...)
}

// ModifyPlan implements action.ActionWithModifyPlan: what cannot succeed fails in the plan.
func (a *exportAction) ModifyPlan(ctx context.Context, req action.ModifyPlanRequest, resp *action.ModifyPlanResponse) {
	var model exportActionModel
	resp.Diagnostics.Append(req.Config.Get(ctx, &model)...)
	resp.Diagnostics.Append(model.file().Plan(userIDPath)...)
	if model.UserID.IsUnknown() {
		resp.Diagnostics.Append(lifecycle.SubjectNotKnown(userIDPath, a.session)...)
	}
	if resp.Diagnostics.HasError() || model.UserID.IsUnknown() || a.session.Blind() {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, exportfile.PlanTimeout)
	defer cancel()
	if resp.Diagnostics.Append(exportfile.Ahead(ctx, a.session, userIDPath, model.reads(req.Config))...); resp.Diagnostics.HasError() {
		return
	}
	there, diags := exportable(ctx, a.session, model.UserID.ValueString())
	if resp.Diagnostics.Append(diags...); !there && !diags.HasError() {
		resp.Diagnostics.Append(noSuchUser())
	}
}

// Invoke implements action.Action.
func (a *exportAction) Invoke(ctx context.Context, req action.InvokeRequest, resp *action.InvokeResponse) {
	var model exportActionModel
	resp.Diagnostics.Append(req.Config.Get(ctx, &model)...)
	if resp.Diagnostics.HasError() {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, exportfile.Timeout)
	defer cancel()
	say, id := progress(ctx, resp), model.UserID.ValueString()
	if resp.Diagnostics.Append(a.session.Ready()...); resp.Diagnostics.HasError() {
		return
	}
	taking, diags := exportfile.Take(ctx, a.session, userIDPath, model.reads(req.Config))
	if resp.Diagnostics.Append(diags...); diags.HasError() {
		return
	}
	defer func() { taking.End(!resp.Diagnostics.HasError()) }()
	if taking.Reached(ctx) {
		resp.Diagnostics.Append(tooLate())
		return
	}
	say("Looking the user up.")
	there, diags := exportable(ctx, a.session, id)
	if resp.Diagnostics.Append(diags...); diags.HasError() {
		return
	}
	app, diags := a.session.Open(ctx, userIDPath)
	if resp.Diagnostics.Append(diags...); diags.HasError() {
		return
	}
	takenAt := a.session.Clock.Now()
	file, diags := model.file().Begin(ctx, a.session, userIDPath)
	if resp.Diagnostics.Append(diags...); diags.HasError() {
		return
	}
	defer exportfile.Discard(file, &resp.Diagnostics)
	say("Exporting. Beyond " + directLimit + " this takes minutes.")
	found, exists, diags := model.write(ctx, a.session, taking, id, there, file, filepath.Dir(model.Path.ValueString()), app.Name, takenAt)
	if resp.Diagnostics.Append(diags...); !exists {
		resp.Diagnostics.Append(noSuchUser())
	}
	if resp.Diagnostics.HasError() {
		return
	}
	if _, err := file.Commit(); err != nil {
		resp.Diagnostics.Append(exportfile.NotWritten(userIDPath, err))
		return
	}
	resp.Diagnostics.Append(missingFiles(found)...)
	say(written(found))
}

// written says what an export holds.
func written(found bundle.Result) string {
	said := fmt.Sprintf("Written: %d messages, %d reactions, %d attachments, of which %d files were saved.", found.Messages, found.Reactions, found.Attachments, found.Saved)
	if !found.Findings.Complete() {
		said += " Something may be missing: it was assembled, or Stream's answer was not whole."
	}
	return said
}
