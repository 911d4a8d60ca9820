// Copyright (c) the terraform-provider-streamchat authors
// SPDX-License-Identifier: MPL-2.0

// Package retention manages Stream's app-level retention policies.
package retention

import (
	"context"
	"time"

	"github.com/hashicorp/terraform-plugin-framework-timetypes/timetypes"
	"github.com/hashicorp/terraform-plugin-framework-validators/int64validator"
	"github.com/hashicorp/terraform-plugin-framework-validators/stringvalidator"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/resource/identityschema"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/planmodifier"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/stringplanmodifier"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/hashicorp/terraform-plugin-framework/tfsdk"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/report"
	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/session"
	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/stream"
)

// TypeName is the resource type of a retention policy.
const TypeName = "streamchat_retention_policy"

// timeout bounds one operation.
const timeout = 5 * time.Minute

// Steps, for diagnostics.
const (
	listing  = "listing the app's retention policies"
	setting  = "setting the retention policy"
	removing = "removing the retention policy"
)

type policyResource struct{ session *session.Session }

var (
	_ resource.ResourceWithConfigure   = (*policyResource)(nil)
	_ resource.ResourceWithModifyPlan  = (*policyResource)(nil)
	_ resource.ResourceWithImportState = (*policyResource)(nil)
	_ resource.ResourceWithIdentity    = (*policyResource)(nil)
)

// New makes the resource streamchat_retention_policy.
func New() resource.Resource { return &policyResource{} }

// Metadata implements resource.Resource.
func (*policyResource) Metadata(_ context.Context, _ resource.MetadataRequest, resp *resource.MetadataResponse) {
	resp.TypeName = TypeName
}

// Configure implements resource.ResourceWithConfigure.
func (r *policyResource) Configure(_ context.Context, req resource.ConfigureRequest, resp *resource.ConfigureResponse) {
	r.session = session.From(req.ProviderData, &resp.Diagnostics)
}

// IdentitySchema implements resource.ResourceWithIdentity.
func (*policyResource) IdentitySchema(_ context.Context, _ resource.IdentitySchemaRequest, resp *resource.IdentitySchemaResponse) {
	resp.IdentitySchema = identityschema.Schema{Attributes: map[string]identityschema.Attribute{
		"policy": identityschema.StringAttribute{RequiredForImport: true, Description: "The policy's name."},
	}}
}

// Schema implements resource.Resource.
func (*policyResource) Schema(_ context.Context, _ resource.SchemaRequest, resp *resource.SchemaResponse) {
	resp.Schema = schema.Schema{
		MarkdownDescription: "How long Stream keeps data at all (storage limitation, Art. 5(1)(e)): a policy of the whole app, by which Stream itself hard-deletes what is older.\n\n" +
			"!> A policy deletes for everybody, for good and without a further plan. It begins about 24 hours after it is enabled, which is the time to think again. What it has deleted does not come back.\n\n" +
			"An app has each policy at most once. A policy that exists is not taken over but has to be imported. One that was changed outside of Terraform shows up as an in-place update, one that was removed as a creation.",
		Attributes: map[string]schema.Attribute{
			"policy": schema.StringAttribute{
				Required: true, Validators: []validator.String{stringvalidator.OneOf(oldMessages, inactiveChannels)},
				PlanModifiers:       []planmodifier.String{stringplanmodifier.RequiresReplace()},
				MarkdownDescription: "What is deleted: `\"old-messages\"` (messages by their age, in all channels) or `\"inactive-channels\"` (channels by their last activity, with all messages). A change removes the one policy and sets the other.",
			},
			"max_age_hours": schema.Int64Attribute{
				Required: true, Validators: []validator.Int64{int64validator.Between(minHours, maxHours)},
				MarkdownDescription: "The age in hours beyond which Stream deletes: 24 (a day) to 43,800 (five years). Lowering it deletes more.",
			},
			"enabled_at": schema.StringAttribute{
				CustomType: timetypes.RFC3339Type{}, Computed: true,
				MarkdownDescription: "Since when Stream has the policy, by Stream's clock. RFC 3339, UTC.",
			},
			"app_name": schema.StringAttribute{Computed: true, MarkdownDescription: "The Stream app that has the policy, by its name."},
		},
	}
}

// ModifyPlan implements resource.ResourceWithModifyPlan: it warns of what a
// policy does, and refuses to take over one that exists.
func (r *policyResource) ModifyPlan(ctx context.Context, req resource.ModifyPlanRequest, resp *resource.ModifyPlanResponse) {
	if req.Plan.Raw.IsNull() {
		resp.Diagnostics.Append(willRemove())
		return
	}
	var plan model
	resp.Diagnostics.Append(req.Plan.Get(ctx, &plan)...)
	if resp.Diagnostics.HasError() {
		return
	}
	if !req.State.Raw.IsNull() {
		var prior model
		resp.Diagnostics.Append(req.State.Get(ctx, &prior)...)
		r.note(&prior)
		if plan.Policy.Equal(prior.Policy) && plan.MaxAgeHours.Equal(prior.MaxAgeHours) {
			return
		}
	} else {
		resp.Diagnostics.Append(r.vacant(ctx, &plan)...)
	}
	if !resp.Diagnostics.HasError() {
		resp.Diagnostics.Append(willDelete(&plan))
	}
}

// note remembers a policy that is in state, because the plan of a replacement
// comes without prior state and would take it for somebody else's.
func (r *policyResource) note(m *model) {
	if r.session != nil {
		r.session.Handoff.Note(TypeName, m.Policy.ValueString(), m)
	}
}

// vacant refuses a policy that the app has already and that this run does not
// know as its own.
func (r *policyResource) vacant(ctx context.Context, plan *model) diag.Diagnostics {
	if plan.Policy.IsUnknown() || r.session != nil && r.session.Undetermined {
		return nil
	}
	if diags := r.session.Ready(); diags.HasError() {
		return diags
	}
	name := plan.Policy.ValueString()
	if !r.session.Ledger.First(TypeName, name) {
		return diag.Diagnostics{twice()}
	}
	if _, own := r.session.Handoff.Seen(TypeName, name); own {
		return nil
	}
	_, found, diags := r.read(ctx, name)
	if found {
		diags.Append(exists())
	}
	return diags
}

// read finds a policy in the app, past the wrong-app guard.
func (r *policyResource) read(ctx context.Context, name string) (m model, found bool, diags diag.Diagnostics) {
	if diags := r.session.Ready(); diags.HasError() {
		return m, false, diags
	}
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	app, err := r.session.App.Name(ctx)
	if err != nil {
		return m, false, diag.Diagnostics{report.Step(policyPath, listing, err)}
	}
	policies, err := r.session.API.RetentionPolicies(ctx)
	if err != nil {
		return m, false, diag.Diagnostics{report.Step(policyPath, listing, err)}
	}
	for _, p := range policies {
		if p.Name == name {
			m.store(p, app)
			return m, true, nil
		}
	}
	return m, false, nil
}

// set makes the app have the policy, and writes what Stream then has.
func (r *policyResource) set(ctx context.Context, m *model) diag.Diagnostics {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	app, err := r.session.App.Name(ctx)
	var policy stream.RetentionPolicy
	if err == nil {
		policy, err = r.session.API.SetRetentionPolicy(ctx, m.Policy.ValueString(), m.MaxAgeHours.ValueInt64())
	}
	if err != nil {
		return diag.Diagnostics{report.Step(hoursPath, setting, err)}
	}
	m.store(policy, app)
	return nil
}

func identify(ctx context.Context, identity *tfsdk.ResourceIdentity, policy types.String) diag.Diagnostics {
	if identity == nil {
		return nil
	}
	return identity.SetAttribute(ctx, policyPath, policy)
}

// Create implements resource.Resource.
func (r *policyResource) Create(ctx context.Context, req resource.CreateRequest, resp *resource.CreateResponse) {
	var m model
	resp.Diagnostics.Append(req.Plan.Get(ctx, &m)...)
	if resp.Diagnostics.HasError() {
		return
	}
	_, found, diags := r.read(ctx, m.Policy.ValueString())
	resp.Diagnostics.Append(diags...)
	if found {
		resp.Diagnostics.Append(exists())
	}
	if resp.Diagnostics.HasError() {
		return
	}
	if resp.Diagnostics.Append(r.set(ctx, &m)...); resp.Diagnostics.HasError() {
		return
	}
	resp.Diagnostics.Append(resp.State.Set(ctx, &m)...)
	resp.Diagnostics.Append(identify(ctx, resp.Identity, m.Policy)...)
}

// Read implements resource.Resource. A policy is a setting, not a record: one
// that is gone leaves the state.
func (r *policyResource) Read(ctx context.Context, req resource.ReadRequest, resp *resource.ReadResponse) {
	var state model
	resp.Diagnostics.Append(req.State.Get(ctx, &state)...)
	if resp.Diagnostics.HasError() {
		return
	}
	r.note(&state)
	resp.Diagnostics.Append(identify(ctx, resp.Identity, state.Policy)...)
	if r.session != nil && r.session.Undetermined {
		return
	}
	m, found, diags := r.read(ctx, state.Policy.ValueString())
	resp.Diagnostics.Append(diags...)
	switch {
	case resp.Diagnostics.HasError():
	case found:
		resp.Diagnostics.Append(resp.State.Set(ctx, &m)...)
	default:
		resp.State.RemoveResource(ctx)
	}
}

// Update implements resource.Resource.
func (r *policyResource) Update(ctx context.Context, req resource.UpdateRequest, resp *resource.UpdateResponse) {
	var m model
	resp.Diagnostics.Append(req.Plan.Get(ctx, &m)...)
	resp.Diagnostics.Append(r.session.Ready()...)
	if resp.Diagnostics.HasError() {
		return
	}
	if resp.Diagnostics.Append(r.set(ctx, &m)...); resp.Diagnostics.HasError() {
		return
	}
	resp.Diagnostics.Append(resp.State.Set(ctx, &m)...)
	resp.Diagnostics.Append(identify(ctx, resp.Identity, m.Policy)...)
}

// Delete implements resource.Resource.
func (r *policyResource) Delete(ctx context.Context, req resource.DeleteRequest, resp *resource.DeleteResponse) {
	var state model
	resp.Diagnostics.Append(req.State.Get(ctx, &state)...)
	resp.Diagnostics.Append(r.session.Ready()...)
	if resp.Diagnostics.HasError() {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	_, err := r.session.App.Name(ctx)
	if err == nil {
		err = r.session.API.DeleteRetentionPolicy(ctx, state.Policy.ValueString())
	}
	if err != nil {
		resp.Diagnostics.Append(report.Step(policyPath, removing, err))
		return
	}
	resp.Diagnostics.Append(removed())
}

// ImportState implements resource.ResourceWithImportState.
func (r *policyResource) ImportState(ctx context.Context, req resource.ImportStateRequest, resp *resource.ImportStateResponse) {
	resource.ImportStatePassthroughWithIdentity(ctx, policyPath, policyPath, req, resp)
	if resp.Diagnostics.HasError() {
		return
	}
	var name types.String
	resp.Diagnostics.Append(resp.State.GetAttribute(ctx, policyPath, &name)...)
	if n := name.ValueString(); n != oldMessages && n != inactiveChannels {
		resp.Diagnostics.AddAttributeError(policyPath, "Invalid import id", "A retention policy is imported by its name: \""+oldMessages+"\" or \""+inactiveChannels+"\". Nothing was sent.")
		return
	}
	m, found, diags := r.read(ctx, name.ValueString())
	resp.Diagnostics.Append(diags...)
	if !found && !resp.Diagnostics.HasError() {
		resp.Diagnostics.Append(nothingToImport())
	}
	if resp.Diagnostics.HasError() {
		return
	}
	resp.Diagnostics.Append(resp.State.Set(ctx, &m)...)
	resp.Diagnostics.Append(identify(ctx, resp.Identity, m.Policy)...)
}
