// Copyright (c) the terraform-provider-streamchat authors
// SPDX-License-Identifier: MPL-2.0

// Package retention manages Stream's app-level retention policies.
package retention

import (
	"cmp"
	"context"
	_ "embed"
	"time"

	"github.com/hashicorp/terraform-plugin-framework-timetypes/timetypes"
	"github.com/hashicorp/terraform-plugin-framework-validators/int64validator"
	"github.com/hashicorp/terraform-plugin-framework-validators/listvalidator"
	"github.com/hashicorp/terraform-plugin-framework-validators/stringvalidator"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/booldefault"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/planmodifier"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/stringplanmodifier"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/lifecycle"
	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/prose"
	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/receipt"
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

//go:embed descriptions.md
var descriptions string

var describe = prose.Text(descriptions)

type policyResource struct{ session *session.Session }

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
	resp.IdentitySchema = lifecycle.Identity("policy", "The policy's name.")
}

// Schema implements resource.Resource.
func (*policyResource) Schema(_ context.Context, _ resource.SchemaRequest, resp *resource.SchemaResponse) {
	computed := func(name string) schema.Attribute {
		return schema.StringAttribute{Computed: true, MarkdownDescription: describe(name)}
	}
	resp.Schema = schema.Schema{
		MarkdownDescription: describe(TypeName),
		Attributes: map[string]schema.Attribute{
			"policy": schema.StringAttribute{
				Required: true, Validators: []validator.String{stringvalidator.OneOf(oldMessages, inactiveChannels)},
				PlanModifiers:       []planmodifier.String{stringplanmodifier.RequiresReplace()},
				MarkdownDescription: describe("policy"),
			},
			"max_age_hours": schema.Int64Attribute{
				Required: true, Validators: []validator.Int64{int64validator.Between(minHours, maxHours)},
				MarkdownDescription: describe("max_age_hours"),
			},
			"exports": schema.ListAttribute{
				Optional: true, ElementType: types.StringType, MarkdownDescription: describe("exports"),
				Validators: []validator.List{listvalidator.SizeAtLeast(1), listvalidator.NoNullValues()},
			},
			"irreversible": schema.BoolAttribute{Computed: true, Default: booldefault.StaticBool(true), MarkdownDescription: describe("irreversible")},
			"enabled_at":   schema.StringAttribute{CustomType: timetypes.RFC3339Type{}, Computed: true, MarkdownDescription: describe("enabled_at")},
			"app_name":     computed("app_name"),
			"app_id":       computed("app_id"),
		},
	}
}

// read finds a policy in the app that it belongs to.
func (r *policyResource) read(ctx context.Context, name string, recorded stream.App) (m model, found bool, diags diag.Diagnostics) {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	app, diags := r.session.OpenFor(ctx, policyPath, recorded)
	if diags.HasError() {
		return m, false, diags
	}
	policies, err := r.session.API.RetentionPolicies(ctx)
	if err != nil {
		return m, false, diag.Diagnostics{report.Step(policyPath, listing, err)}
	}
	for _, p := range policies {
		if p.Name == name {
			m.Exports = types.ListNull(types.StringType)
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
	app, diags := r.session.OpenFor(ctx, policyPath, m.app())
	if diags.HasError() {
		return diags
	}
	policy, err := r.session.API.SetRetentionPolicy(ctx, m.name(), m.MaxAgeHours.ValueInt64())
	if err != nil {
		return diag.Diagnostics{report.Step(hoursPath, setting, err)}
	}
	m.store(policy, app)
	return nil
}

// setInOrder lets exports that are under way go first where the policy takes more.
func (r *policyResource) setInOrder(ctx context.Context, m, prior *model) diag.Diagnostics {
	if shortens(m, prior) {
		end, err := r.session.Order.AwaitEverything(ctx)
		if err != nil {
			return diag.Diagnostics{report.Error(hoursPath, err)}
		}
		defer end()
	}
	return r.set(ctx, m)
}

// Create implements resource.Resource.
func (r *policyResource) Create(ctx context.Context, req resource.CreateRequest, resp *resource.CreateResponse) {
	var m model
	resp.Diagnostics.Append(req.Plan.Get(ctx, &m)...)
	if resp.Diagnostics.HasError() {
		return
	}
	if resp.Diagnostics.Append(lifecycle.CheckArchive(ctx, r.session)...); resp.Diagnostics.HasError() {
		return
	}
	resp.Diagnostics.Append(r.begin(ctx, &m)...)
	if !resp.Diagnostics.HasError() {
		resp.Diagnostics.Append(resp.State.Set(ctx, &m)...)
		resp.Diagnostics.Append(lifecycle.Identify(ctx, resp.Identity, policyPath, m.Policy)...)
		resp.Diagnostics.Append(r.archive(ctx, &m, receipt.NewID(), resp.Private, true)...)
	}
}

// begin makes the app have a new record's policy. What is there as it is to be is taken over:
// mostly that of an older record, which goes last (create_before_destroy), or at the same time
// (a block that was renamed).
func (r *policyResource) begin(ctx context.Context, m *model) diag.Diagnostics {
	there, found, diags := r.read(ctx, m.name(), m.app())
	switch {
	case diags.HasError():
		return diags
	case found && there.MaxAgeHours.Equal(m.MaxAgeHours):
		*m = there
		return nil
	case found && !r.own(m.name()) && (r.session.Clock.Sleep(ctx, lifecycle.SettleTime/2) != nil || !r.own(m.name())):
		return diag.Diagnostics{refusal("Retention policy exists already")}
	}
	return r.set(ctx, m)
}

// who is a policy among what a run is about.
func (r *policyResource) who(m *model) session.Subject { return r.session.Subject(TypeName, m.name()) }

// archive writes the receipt of a policy that has just been stored.
func (r *policyResource) archive(ctx context.Context, m *model, id string, private lifecycle.Private, created bool) diag.Diagnostics {
	diags := lifecycle.KeepRecordID(ctx, private, id)
	document, d := m.receipt(ctx, id, r.session.Version)
	return append(append(diags, d...), lifecycle.Archive(ctx, r.session, document, created)...)
}

// Read implements resource.Resource. A policy is a setting, not a record: one
// that is gone leaves the state.
func (r *policyResource) Read(ctx context.Context, req resource.ReadRequest, resp *resource.ReadResponse) {
	var state model
	resp.Diagnostics.Append(req.State.Get(ctx, &state)...)
	if resp.Diagnostics.HasError() {
		return
	}
	resp.Diagnostics.Append(lifecycle.Identify(ctx, resp.Identity, policyPath, state.Policy)...)
	if resp.Diagnostics.Append(state.named(ctx, req.Private)...); r.session.Blind() {
		return
	}
	r.session.Crowd.Enter()
	defer r.session.Crowd.Leave()
	r.session.Policies.Remember(state.name(), &state)
	r.session.Stakes.See(r.who(&state), session.Stake{Holder: state.holder(), Type: TypeName})
	defer func() { // what create_before_destroy left does not take the newer record's policy along
		held := lifecycle.Held{}
		if types := r.session.Stakes.Beside(r.who(&state), state.holder(), false); len(types) > 0 {
			held[state.name()] = types
		}
		resp.Diagnostics.Append(held.Keep(ctx, req.Private, resp.Private)...)
	}()
	m, found, diags := r.read(ctx, state.name(), state.app())
	resp.Diagnostics.Append(diags...)
	switch {
	case resp.Diagnostics.HasError():
	case found:
		m.Exports = state.Exports
		resp.Diagnostics.Append(resp.State.Set(ctx, &m)...)
	default:
		resp.State.RemoveResource(ctx)
	}
}

// Update implements resource.Resource.
func (r *policyResource) Update(ctx context.Context, req resource.UpdateRequest, resp *resource.UpdateResponse) {
	var m, prior model
	resp.Diagnostics.Append(req.Plan.Get(ctx, &m)...)
	resp.Diagnostics.Append(req.State.Get(ctx, &prior)...)
	resp.Diagnostics.Append(lifecycle.CheckArchive(ctx, r.session)...)
	if !resp.Diagnostics.HasError() && !m.MaxAgeHours.Equal(prior.MaxAgeHours) {
		resp.Diagnostics.Append(r.setInOrder(ctx, &m, &prior)...)
	}
	resp.Diagnostics.Append(lifecycle.Identify(ctx, resp.Identity, policyPath, m.Policy)...)
	if !resp.Diagnostics.HasError() {
		resp.Diagnostics.Append(resp.State.Set(ctx, &m)...)
		id, diags := lifecycle.RecordID(ctx, req.Private)
		resp.Diagnostics.Append(append(diags, r.archive(ctx, &m, cmp.Or(id, receipt.NewID()), resp.Private, false)...)...)
	}
}

// Delete implements resource.Resource.
func (r *policyResource) Delete(ctx context.Context, req resource.DeleteRequest, resp *resource.DeleteResponse) {
	var state model
	resp.Diagnostics.Append(req.State.Get(ctx, &state)...)
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	_, diags := r.session.OpenFor(ctx, policyPath, state.app())
	id, d := lifecycle.RecordID(ctx, req.Private)
	resp.Diagnostics.Append(append(append(diags, d...), lifecycle.CheckArchive(ctx, r.session)...)...)
	if resp.Diagnostics.HasError() {
		return
	}
	held, diags := lifecycle.ReadHeld(ctx, req.Private)
	state.recordID = id
	r.session.Policies.Remember(state.name(), &state)
	if resp.Diagnostics.Append(diags...); len(held) > 0 || len(r.session.Stakes.Holders(r.who(&state), state.holder(), false)) > 0 {
		resp.Diagnostics.Append(warning("Record removed, the policy stays"))
		return
	}
	if err := r.session.API.DeleteRetentionPolicy(ctx, state.name()); err != nil {
		resp.Diagnostics.Append(report.Step(policyPath, removing, err))
		return
	}
	resp.Diagnostics.Append(warning("Retention policy removed"))
	document, diags := state.receipt(ctx, id, r.session.Version)
	resp.Diagnostics.Append(append(diags, lifecycle.EndArchive(ctx, r.session, document, receipt.Removed)...)...)
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
	m, found, diags := r.read(ctx, name.ValueString(), stream.App{})
	if resp.Diagnostics.Append(diags...); !found && !resp.Diagnostics.HasError() {
		resp.Diagnostics.Append(refusal("No such retention policy"))
	}
	if !resp.Diagnostics.HasError() {
		resp.Diagnostics.Append(resp.State.Set(ctx, &m)...)
		resp.Diagnostics.Append(lifecycle.Identify(ctx, resp.Identity, policyPath, m.Policy)...)
	}
}
