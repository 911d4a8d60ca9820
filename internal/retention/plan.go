// Copyright (c) the terraform-provider-streamchat authors
// SPDX-License-Identifier: MPL-2.0

package retention

import (
	"context"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/resource"

	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/lifecycle"
	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/stream"
)

// ModifyPlan implements resource.ResourceWithModifyPlan: it warns of what a
// policy does, and refuses to take over one that exists.
func (r *policyResource) ModifyPlan(ctx context.Context, req resource.ModifyPlanRequest, resp *resource.ModifyPlanResponse) {
	if req.Plan.Raw.IsNull() {
		resp.Diagnostics.Append(warning("Destroying removes the policy"))
		return
	}
	var plan model
	var prior *model
	resp.Diagnostics.Append(req.Plan.Get(ctx, &plan)...)
	if !req.State.Raw.IsNull() {
		prior = &model{}
		resp.Diagnostics.Append(req.State.Get(ctx, prior)...)
	}
	if resp.Diagnostics.HasError() {
		return
	}
	if floor := r.session.RetentionFloorHours; plan.MaxAgeHours.ValueInt64() < floor && !plan.MaxAgeHours.IsUnknown() {
		resp.Diagnostics.Append(belowFloor(plan.MaxAgeHours.ValueInt64(), floor))
		return
	}
	if prior != nil && plan.Policy.Equal(prior.Policy) {
		plan.AppName, plan.AppID = prior.AppName, prior.AppID
		if plan.MaxAgeHours.Equal(prior.MaxAgeHours) {
			plan.EnabledAt = prior.EnabledAt
			resp.Diagnostics.Append(resp.Plan.Set(ctx, &plan)...)
			return
		}
	}
	resp.Diagnostics.Append(r.planSet(ctx, &plan, prior, req.Config.Raw.String())...)
	if !resp.Diagnostics.HasError() {
		resp.Diagnostics.Append(willDelete(&plan, prior))
	}
	resp.Diagnostics.Append(resp.Plan.Set(ctx, &plan)...)
}

// planSet fills in the app that gets the policy, and refuses a policy that the app has
// already and that this run does not know as its own.
func (r *policyResource) planSet(ctx context.Context, plan, prior *model, config string) diag.Diagnostics {
	if plan.Policy.IsUnknown() || r.session.Blind() {
		return nil
	}
	recorded := stream.App{}
	if prior != nil {
		recorded = prior.app()
		r.session.Policies.Remember(prior.name(), prior)
	}
	app, diags := r.session.OpenFor(ctx, policyPath, recorded)
	if diags.HasError() {
		return diags
	}
	plan.setApp(app)
	if prior != nil {
		return nil
	}
	if !r.session.Claims.First(TypeName, plan.name()) {
		return diag.Diagnostics{lifecycle.Twice(policyPath, "policy", "Another resource of this plan sets the same policy, and an app has it only once.")}
	}
	if _, own := r.session.Policies.Recall(plan.name()); own {
		return nil
	}
	_, found, diags := r.read(ctx, plan.name(), stream.App{})
	if found {
		diags.Append(refusal("Retention policy exists already"))
	}
	return diags
}
