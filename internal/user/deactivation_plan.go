// Copyright (c) the terraform-provider-streamchat authors
// SPDX-License-Identifier: MPL-2.0

package user

import (
	"context"
	"strings"

	"github.com/hashicorp/terraform-plugin-framework/attr"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/erasure"
	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/lifecycle"
	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/report"
	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/session"
)

// ModifyPlan implements resource.ResourceWithModifyPlan.
func (r *deactivationResource) ModifyPlan(ctx context.Context, req resource.ModifyPlanRequest, resp *resource.ModifyPlanResponse) {
	var config, plan, prior deactivationModel
	if !req.State.Raw.IsNull() {
		resp.Diagnostics.Append(req.State.Get(ctx, &prior)...)
	}
	r.session.Crowd.Enter()
	defer r.session.Crowd.Leave()
	name, diags := lifecycle.RecordID(ctx, req.Private)
	resp.Diagnostics.Append(diags...)
	if prior.recordID = name; req.Plan.Raw.IsNull() {
		resp.Diagnostics.Append(lifecycle.DestroyMark.Set(ctx, resp.Private)...)
		resp.Diagnostics.Append(r.planDestroy(ctx, &prior, req, resp)...)
		return
	}
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
	switch {
	case req.State.Raw.IsNull():
		if plan.recordID, diags = lifecycle.ReadHolder(ctx, req.Private); plan.recordID == "" {
			plan.recordID = r.session.Stakes.Lot()
		}
		if resp.Diagnostics.Append(append(diags, r.meet(&plan, &config, nil)...)...); !resp.Diagnostics.HasError() {
			resp.Diagnostics.Append(r.planCreate(ctx, &plan)...)
		}
	default:
		if resp.Diagnostics.Append(r.meet(&plan, &config, &prior)...); !resp.Diagnostics.HasError() {
			resp.Diagnostics.Append(lifecycle.KeepHolder(ctx, resp.Private, prior.holder(r.session))...)
			resp.Diagnostics.Append(r.stand(&plan, prior.stake(r.session))...)
			resp.Diagnostics.Append(r.planUpdate(ctx, &plan, &prior)...)
		}
	}
	resp.Diagnostics.Append(resp.Plan.Set(ctx, &plan)...)
}

// planDestroy says what destroying a record gives back, unless another block holds the user.
func (r *deactivationResource) planDestroy(ctx context.Context, prior *deactivationModel, req resource.ModifyPlanRequest, resp *resource.ModifyPlanResponse) diag.Diagnostics {
	held, back := lifecycle.Held{}, session.Nothing
	r.session.Stakes.Go(prior.who(r.session), prior.stake(r.session), back)
	if prior.reactivates() {
		r.session.Crowd.Settle(ctx, r.session.Clock)
		if types := r.session.Stakes.Keepers(prior.who(r.session), prior.holder(r.session), false); len(types) > 0 {
			held[prior.key(r.session)] = types
		} else {
			back = session.Restriction
		}
	}
	r.session.Stakes.Go(prior.who(r.session), prior.stake(r.session), back)
	diags := held.Keep(ctx, req.Private, resp.Private)
	switch {
	case len(held) > 0:
		return append(diags, warning("Another block restricts the same user", strings.Join(held.Types(), ", ")+"."))
	case back == session.Restriction:
		return append(diags, warning("Destroying lifts the restriction", restoring(prior.RestoreMessages.ValueBool(), "are")))
	default:
		return append(diags, warning("Destroying forgets the record", stays(prior)))
	}
}

// stand notes that the block stands for a restriction, and refuses it where another block of
// the run does, or lifts it.
func (r *deactivationResource) stand(plan *deactivationModel, stake session.Stake) diag.Diagnostics {
	switch clash := r.session.Stakes.Stand(plan.who(r.session), stake); {
	case clash.Twice:
		return diag.Diagnostics{lifecycle.Twice(plan.at(), "subject", "Another resource of this configuration restricts the same user, so that there would be two records of one restriction.")}
	case clash.TakenBy != "":
		return diag.Diagnostics{lifecycle.TakenBack(plan.at(), clash.TakenBy)}
	}
	return nil
}

// planCreate looks the user up, so that a misspelt id fails in the plan.
func (r *deactivationResource) planCreate(ctx context.Context, plan *deactivationModel) diag.Diagnostics {
	plan.expect()
	plan.Found, plan.AppName, plan.AppID = types.StringUnknown(), types.StringUnknown(), types.StringUnknown()
	if plan.id() != "" {
		stake := plan.stake(r.session)
		stake.Begins = true
		if diags := r.stand(plan, stake); diags.HasError() {
			return diags
		}
	}
	if plan.id() == "" || r.session.Blind() {
		return diag.Diagnostics{lifecycle.NotLookedUp(userIDPath)}
	}
	app, diags := r.session.Open(ctx, userIDPath)
	if diags.HasError() {
		return diags
	}
	plan.setApp(app)
	finding, err := r.session.Users.Prove(ctx, plan.id())
	if err != nil {
		return diag.Diagnostics{report.Step(userIDPath, lookingUp, err)}
	}
	mark := plan.MarkMessagesDeleted.ValueBool()
	if diags = marks(ctx, r.session, plan.id(), mark, finding); diags.HasError() {
		return diags
	}
	switch finding.Found {
	case erasure.FoundPresent:
		diags.Append(willRestrict(finding, plan))
	case erasure.FoundDeactivated:
		if types := r.session.Stakes.Beside(plan.who(r.session), plan.recordID, true); len(types) > 0 {
			return append(diags, warning("Already deactivated by this configuration", strings.Join(types, ", ")+"."))
		}
		diags.Append(adopted(mark))
	default:
		diags.Append(nobodyToRestrict(finding.Found))
	}
	return diags
}

// marks refuses what marks the messages of somebody whom the guards of erasures are about.
func marks(ctx context.Context, s *session.Session, id string, mark bool, finding erasure.Finding) diag.Diagnostics {
	if !mark || finding.Found == erasure.FoundDeleted || finding.Found == erasure.FoundMissing {
		return nil
	}
	if _, err := s.Users.Marks(ctx, id); err != nil {
		return diag.Diagnostics{report.Error(userIDPath, err)}
	}
	return nil
}

// meet compares whom the configuration names with the record.
func (r *deactivationResource) meet(model, config, prior *deactivationModel) (diags diag.Diagnostics) {
	var before *person
	if prior != nil {
		before = &prior.person
	}
	diags = model.person.meet(r.session, &config.person, before, "restriction", "Removing this block lifts the restriction of the old one.")
	if config.UserID.IsNull() && (prior != nil || !config.UserIDWO.IsNull()) && model.OnDestroy.ValueString() == destroyReactivate {
		const summary = "Nobody to reactivate"
		diags.AddAttributeError(path.Root("on_destroy"), summary, restriction(summary))
	}
	return diags
}

// look asks in a plan what a refresh could not, because the state holds no id.
func (r *deactivationResource) look(ctx context.Context, plan, prior *deactivationModel) (diags diag.Diagnostics) {
	if plan.id() == "" {
		return append(diags, warning("Restriction not looked at"))
	}
	if r.session.Blind() {
		return nil
	}
	if _, diags = r.session.OpenFor(ctx, plan.at(), prior.app()); diags.HasError() {
		return diags
	}
	finding, err := r.session.Users.Prove(ctx, plan.id())
	switch {
	case err != nil:
		diags.Append(report.Step(plan.at(), lookingUp, err))
	case finding.Found == erasure.FoundPresent:
		plan.expect()
		plan.Found = types.StringUnknown()
		diags.Append(warning("Restriction was lifted outside of Terraform"))
	}
	return diags
}

func (r *deactivationResource) planUpdate(ctx context.Context, plan, prior *deactivationModel) (diags diag.Diagnostics) {
	plan.keep(prior)
	if plan.UserID.IsNull() && prior.Status.ValueString() == statusDeactivated {
		if diags = r.look(ctx, plan, prior); diags.HasError() || plan.Status.IsUnknown() {
			return diags
		}
	}
	if prior.Status.ValueString() == statusReverted {
		plan.expect()
		plan.Found = types.StringUnknown()
		if !r.session.Blind() {
			_, diags = r.session.OpenFor(ctx, userIDPath, prior.app())
		}
		return append(diags, warning("Restriction was lifted outside of Terraform"))
	}
	for _, option := range []struct {
		name      string
		now, then attr.Value
	}{
		{"mark_messages_deleted", plan.MarkMessagesDeleted, prior.MarkMessagesDeleted},
		{"revoke_tokens", plan.RevokeTokens, prior.RevokeTokens},
	} {
		if !option.now.Equal(option.then) {
			const summary = "Option of a restriction that is in force"
			diags.AddAttributeError(path.Root(option.name), summary, restriction(summary))
		}
	}
	return diags
}
