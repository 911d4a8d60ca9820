// Copyright (c) the terraform-provider-streamchat authors
// SPDX-License-Identifier: MPL-2.0

package user

import (
	"context"

	"github.com/hashicorp/terraform-plugin-framework/attr"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/resource"

	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/erasure"
	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/report"
)

// destroyMark is left in the private state of a destroy plan. The first half of
// a replacement is not planned as a destroy: a Delete without the mark is
// followed by a Create for the same user, and must not open a gap in which the
// user is active.
const destroyMark = "destroy"

// ModifyPlan implements resource.ResourceWithModifyPlan.
func (r *deactivationResource) ModifyPlan(ctx context.Context, req resource.ModifyPlanRequest, resp *resource.ModifyPlanResponse) {
	var plan, prior deactivationModel
	if !req.State.Raw.IsNull() {
		resp.Diagnostics.Append(req.State.Get(ctx, &prior)...)
	}
	if req.Plan.Raw.IsNull() {
		if resp.Diagnostics.HasError() {
			return
		}
		resp.Diagnostics.Append(resp.Private.SetKey(ctx, destroyMark, []byte("true"))...)
		if prior.reactivates() {
			resp.Diagnostics.Append(willReactivate(prior.RestoreMessages.ValueBool()))
		} else {
			resp.Diagnostics.Append(willForget(&prior))
		}
		return
	}
	var config deactivationModel
	resp.Diagnostics.Append(req.Config.Get(ctx, &config)...)
	resp.Diagnostics.Append(req.Plan.Get(ctx, &plan)...)
	if resp.Diagnostics.HasError() {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, deactivationTimeout)
	defer cancel()
	if config.RestoreMessages.IsNull() { // by default what was hidden comes back
		plan.RestoreMessages = plan.MarkMessagesDeleted
	}
	if req.State.Raw.IsNull() {
		plan.forgetOutcome()
		resp.Diagnostics.Append(r.planCreate(ctx, &plan)...)
	} else {
		resp.Diagnostics.Append(r.planUpdate(&plan, &prior)...)
	}
	resp.Diagnostics.Append(resp.Plan.Set(ctx, &plan)...)
}

// planCreate looks the user up, so that a misspelt id fails in the plan.
func (r *deactivationResource) planCreate(ctx context.Context, plan *deactivationModel) (diags diag.Diagnostics) {
	if plan.UserID.IsUnknown() || r.session != nil && r.session.Undetermined {
		diags.AddAttributeWarning(userIDPath, "Not looked up in the plan",
			"The user, or the provider's configuration, is only known at apply. The look-up runs then, before anything is sent.")
		return diags
	}
	if diags = r.session.Ready(); diags.HasError() {
		return diags
	}
	id := plan.UserID.ValueString()
	if !r.session.Ledger.First("deactivation", id) {
		diags.AddAttributeError(userIDPath, "The same subject twice",
			"Another resource of this plan restricts the same user, so that destroying one of them would lift the restriction of the other. Nothing was sent. Keep one of the two blocks.")
		return diags
	}
	finding, err := r.session.Users.Prove(ctx, id)
	if err != nil {
		return append(diags, report.Step(userIDPath, lookingUp, err))
	}
	mark := plan.MarkMessagesDeleted.ValueBool()
	switch finding.Found {
	case erasure.FoundPresent:
		diags.Append(willRestrict(finding, mark))
	case erasure.FoundDeactivated:
		diags.Append(adopted(mark))
	default:
		diags.Append(nobodyToRestrict(finding.Found))
	}
	return diags
}

func (r *deactivationResource) planUpdate(plan, prior *deactivationModel) (diags diag.Diagnostics) {
	if !plan.UserID.Equal(prior.UserID) {
		diags.AddAttributeError(userIDPath, "The subject of a restriction cannot change",
			"This resource is the record of somebody else's restriction. Nothing was sent. Set the id back, and add another resource block for the new user; removing this block lifts the restriction of the old one.")
		return diags
	}
	if prior.Status.ValueString() == statusReverted {
		plan.forgetOutcome()
		diags.Append(willRestrictAgain())
		return diags
	}
	plan.keepOutcome(prior)
	for name, values := range map[string][2]attr.Value{
		"mark_messages_deleted": {plan.MarkMessagesDeleted, prior.MarkMessagesDeleted},
		"revoke_tokens":         {plan.RevokeTokens, prior.RevokeTokens},
	} {
		if !values[0].Equal(values[1]) {
			diags.AddAttributeError(path.Root(name), "Option of a restriction that is in force",
				"This option belongs to the deactivation, which was carried out (or adopted) before, and Stream does not change a user who is deactivated. Nothing was sent. "+
					"Set it back; or lift the restriction by removing the block, apply, and add the block again with the option.")
		}
	}
	return diags
}
