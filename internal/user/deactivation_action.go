// Copyright (c) the terraform-provider-streamchat authors
// SPDX-License-Identifier: MPL-2.0

package user

import (
	"context"

	"github.com/hashicorp/terraform-plugin-framework/action"
	"github.com/hashicorp/terraform-plugin-framework/action/schema"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/erasure"
	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/lifecycle"
	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/report"
	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/session"
)

type deactivateAction struct{ session *session.Session }

type deactivateActionModel struct {
	UserID              types.String `tfsdk:"user_id"`
	MarkMessagesDeleted types.Bool   `tfsdk:"mark_messages_deleted"`
	RevokeTokens        types.Bool   `tfsdk:"revoke_tokens"`
}

var (
	_ action.ActionWithConfigure  = (*deactivateAction)(nil)
	_ action.ActionWithModifyPlan = (*deactivateAction)(nil)
)

// NewDeactivateAction makes the action streamchat_deactivate_user.
func NewDeactivateAction() action.Action { return &deactivateAction{} }

// Metadata implements action.Action.
func (*deactivateAction) Metadata(_ context.Context, _ action.MetadataRequest, resp *action.MetadataResponse) {
	resp.TypeName = "streamchat_deactivate_user"
}

// Configure implements action.ActionWithConfigure.
func (a *deactivateAction) Configure(_ context.Context, req action.ConfigureRequest, resp *action.ConfigureResponse) {
	a.session = session.From(req.ProviderData, &resp.Diagnostics)
}

// Schema implements action.Action.
func (*deactivateAction) Schema(_ context.Context, _ action.SchemaRequest, resp *action.SchemaResponse) {
	resp.Schema = schema.Schema{
		MarkdownDescription: actionText("streamchat_deactivate_user"),
		Attributes: map[string]schema.Attribute{
			"user_id":               schema.StringAttribute{Required: true, MarkdownDescription: actionText("deactivate user_id"), Validators: IDValidators()},
			"mark_messages_deleted": schema.BoolAttribute{Optional: true, MarkdownDescription: actionText("mark_messages_deleted")},
			"revoke_tokens":         schema.BoolAttribute{Optional: true, MarkdownDescription: actionText("revoke_tokens")},
		},
	}
}

// ModifyPlan implements action.ActionWithModifyPlan: a misspelt id fails in the plan.
func (a *deactivateAction) ModifyPlan(ctx context.Context, req action.ModifyPlanRequest, resp *action.ModifyPlanResponse) {
	var model deactivateActionModel
	resp.Diagnostics.Append(req.Config.Get(ctx, &model)...)
	if model.UserID.IsUnknown() {
		resp.Diagnostics.Append(lifecycle.SubjectNotKnown(userIDPath, a.session)...)
	}
	if resp.Diagnostics.HasError() || model.UserID.IsUnknown() || a.session.Blind() {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, deactivationTimeout)
	defer cancel()
	if _, diags := a.session.Open(ctx, userIDPath); diags.HasError() {
		resp.Diagnostics.Append(diags...)
		return
	}
	finding, err := a.session.Users.Prove(ctx, model.UserID.ValueString())
	switch {
	case err != nil:
		resp.Diagnostics.Append(report.Step(userIDPath, lookingUp, err))
	case finding.Found == erasure.FoundDeleted, finding.Found == erasure.FoundMissing:
		resp.Diagnostics.Append(noSuchUser())
	}
}

// Invoke implements action.Action.
func (a *deactivateAction) Invoke(ctx context.Context, req action.InvokeRequest, resp *action.InvokeResponse) {
	var model deactivateActionModel
	resp.Diagnostics.Append(req.Config.Get(ctx, &model)...)
	if resp.Diagnostics.HasError() {
		return
	}
	say := progress(ctx, resp)
	say("Deactivating the user.")
	record := takenOver()
	record.UserID, record.MarkMessagesDeleted, record.RevokeTokens = model.UserID, model.MarkMessagesDeleted, model.RevokeTokens
	acts := deactivationResource{session: a.session}
	if resp.Diagnostics.Append(acts.restrict(ctx, &record, false)...); resp.Diagnostics.HasError() {
		return
	}
	switch {
	case record.Status.ValueString() != statusDeactivated:
		resp.Diagnostics.Append(noSuchUser())
	case record.Found.IsNull() && !model.MarkMessagesDeleted.ValueBool():
		say("The user was deactivated already; nothing was sent.")
	default:
		say("The user is deactivated.")
	}
}
