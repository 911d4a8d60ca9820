// Copyright (c) the terraform-provider-streamchat authors
// SPDX-License-Identifier: MPL-2.0

package retention

import (
	"context"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/resource"

	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/lifecycle"
	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/report"
	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/session"
	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/stream"
)

// ModifyPlan implements resource.ResourceWithModifyPlan: it warns of what a
// policy does, and refuses to take over one of another age.
func (r *policyResource) ModifyPlan(ctx context.Context, req resource.ModifyPlanRequest, resp *resource.ModifyPlanResponse) {
	r.session.Crowd.Enter()
	defer r.session.Crowd.Leave()
	var plan model
	var prior *model
	if !req.State.Raw.IsNull() {
		prior = &model{}
		resp.Diagnostics.Append(req.State.Get(ctx, prior)...)
		resp.Diagnostics.Append(prior.named(ctx, req.Private)...)
	}
	if req.Plan.Raw.IsNull() {
		resp.Diagnostics.Append(r.planDestroy(ctx, prior, req, resp)...)
		return
	}
	resp.Diagnostics.Append(req.Plan.Get(ctx, &plan)...)
	if resp.Diagnostics.Append(r.stand(ctx, &plan, prior, req.Private, resp.Private)...); resp.Diagnostics.HasError() {
		return
	}
	for at, unknown := range map[string]bool{"policy": plan.Policy.IsUnknown(), "max_age_hours": plan.MaxAgeHours.IsUnknown()} {
		if unknown { // nobody approves blind
			resp.Diagnostics.Append(lifecycle.NotKnown(path.Root(at)))
			return
		}
	}
	if floor := r.session.RetentionFloorHours; plan.MaxAgeHours.ValueInt64() < floor {
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
	resp.Diagnostics.Append(r.planSet(ctx, &plan, prior)...)
	if shortens(&plan, prior) && !resp.Diagnostics.HasError() && !r.session.Blind() {
		_, others := lifecycle.ExportHashes(plan.Exports)
		if err := r.session.Order.PlanEverything(ctx, others); err != nil {
			resp.Diagnostics.Append(report.Error(hoursPath, err))
		}
	}
	if !resp.Diagnostics.HasError() {
		resp.Diagnostics.Append(willDelete(&plan, prior))
	}
	resp.Diagnostics.Append(resp.Plan.Set(ctx, &plan)...)
}

// planSet fills in the app that gets the policy, and refuses a policy that the app has
// already and that this run does not know as its own.
func (r *policyResource) planSet(ctx context.Context, plan, prior *model) diag.Diagnostics {
	if r.session.Blind() {
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
	there, found, diags := r.read(ctx, plan.name(), stream.App{})
	if !found || r.own(plan.name()) {
		return diags
	}
	if there.MaxAgeHours.Equal(plan.MaxAgeHours) { // or the older half of a replacement, of which an apply knows nothing yet
		return append(diags, warning("Retention policy taken over"))
	}
	if r.session.Crowd.Settle(ctx, r.session.Clock); !r.own(plan.name()) { // nor is it one that is read later
		diags.Append(refusal("Retention policy exists already"))
	}
	return diags
}

// own reports that a record of this run, in state or dropped, is about a policy.
func (r *policyResource) own(name string) bool {
	_, own := r.session.Policies.Recall(name)
	return own
}

// stand notes that the block is about a policy, and refuses it beside another one.
func (r *policyResource) stand(ctx context.Context, plan, prior *model, from, to lifecycle.Private) (diags diag.Diagnostics) {
	if plan.Policy.IsUnknown() {
		return nil
	}
	stake := session.Stake{Type: TypeName, Begins: prior == nil}
	if prior != nil {
		stake.Holder = prior.holder()
		diags.Append(lifecycle.KeepHolder(ctx, to, stake.Holder)...)
	} else if stake.Holder, diags = lifecycle.ReadHolder(ctx, from); stake.Holder == "" {
		stake.Holder = r.session.Stakes.Lot()
	}
	if r.session.Stakes.Stand(r.who(plan), stake).Twice {
		diags.Append(lifecycle.Twice(policyPath, "policy", "Another resource of this configuration sets the same policy, and an app has it only once."))
	}
	return diags
}

// planDestroy warns, and lets the policy stay where another block is about it: one that has
// another name now, or the newer half of a replacement.
func (r *policyResource) planDestroy(ctx context.Context, prior *model, req resource.ModifyPlanRequest, resp *resource.ModifyPlanResponse) diag.Diagnostics {
	r.session.Policies.Remember(prior.name(), prior)
	r.session.Stakes.Go(r.who(prior), session.Stake{Holder: prior.holder(), Type: TypeName}, session.Nothing)
	r.session.Crowd.Settle(ctx, r.session.Clock)
	held, diags := lifecycle.ReadHeld(ctx, req.Private)
	if types := r.session.Stakes.Keepers(r.who(prior), prior.holder(), false); len(types) > 0 {
		held = lifecycle.Held{prior.name(): types}
	} else if !r.session.Stakes.Alone(r.who(prior), prior.holder()) {
		held = nil
	}
	diags.Append(held.Keep(ctx, req.Private, resp.Private)...)
	if len(held) > 0 {
		return append(diags, warning("Another block keeps the policy"))
	}
	return append(diags, warning("Destroying removes the policy"))
}
