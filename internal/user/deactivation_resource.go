// Copyright (c) the terraform-provider-streamchat authors
// SPDX-License-Identifier: MPL-2.0

package user

import (
	"context"
	_ "embed"
	"errors"
	"maps"
	"time"

	"github.com/hashicorp/terraform-plugin-framework-timetypes/timetypes"
	"github.com/hashicorp/terraform-plugin-framework-validators/stringvalidator"
	"github.com/hashicorp/terraform-plugin-framework/attr"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/booldefault"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/stringdefault"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/erasure"
	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/lifecycle"
	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/prose"
	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/report"
	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/session"
	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/stream"
)

// DeactivationType is the resource type of the restriction of a user.
const DeactivationType = "streamchat_user_deactivation"

// deactivationTimeout bounds one operation, waits for Stream's limit of 60
// deactivations a minute included.
const deactivationTimeout = 10 * time.Minute

// Steps, for diagnostics.
const (
	lookingUp    = "looking the user up"
	revoking     = "revoking the user's tokens"
	deactivating = "deactivating the user"
	reactivating = "reactivating the user"
)

// codeNameTaken is Stream's error code for a user name that is not unique
// (stream-api.md §1.4).
const codeNameTaken = 6

//go:embed deactivation.md
var deactivationProse string

var restriction = prose.Text(deactivationProse)

type deactivationResource struct{ session *session.Session }

// NewDeactivation makes the resource streamchat_user_deactivation.
func NewDeactivation() resource.Resource { return &deactivationResource{} }

// Metadata implements resource.Resource.
func (*deactivationResource) Metadata(_ context.Context, _ resource.MetadataRequest, resp *resource.MetadataResponse) {
	resp.TypeName = DeactivationType
}

// Configure implements resource.ResourceWithConfigure.
func (r *deactivationResource) Configure(_ context.Context, req resource.ConfigureRequest, resp *resource.ConfigureResponse) {
	r.session = session.From(req.ProviderData, &resp.Diagnostics)
}

// IdentitySchema implements resource.ResourceWithIdentity.
func (*deactivationResource) IdentitySchema(_ context.Context, _ resource.IdentitySchemaRequest, resp *resource.IdentitySchemaResponse) {
	resp.IdentitySchema = lifecycle.Identity("user_id", "The restricted user.")
}

// Schema implements resource.Resource.
func (*deactivationResource) Schema(_ context.Context, _ resource.SchemaRequest, resp *resource.SchemaResponse) {
	option := func(name string) schema.Attribute {
		return schema.BoolAttribute{Optional: true, Computed: true, Default: booldefault.StaticBool(false), MarkdownDescription: restriction(name)}
	}
	computed := func(name string) schema.Attribute {
		return schema.StringAttribute{Computed: true, MarkdownDescription: restriction(name)}
	}
	attributes := lifecycle.BookkeepingAttributes("restriction")
	maps.Copy(attributes, map[string]schema.Attribute{
		"user_id":               schema.StringAttribute{Required: true, Validators: IDValidators(), MarkdownDescription: restriction("user_id")},
		"mark_messages_deleted": option("mark_messages_deleted"),
		"revoke_tokens":         option("revoke_tokens"),
		"on_destroy": schema.StringAttribute{
			Optional: true, Computed: true, Default: stringdefault.StaticString(destroyReactivate), MarkdownDescription: restriction("on_destroy"),
			Validators: []validator.String{stringvalidator.OneOf(destroyReactivate, lifecycle.DestroyForget)},
		},
		"restore_messages": schema.BoolAttribute{Optional: true, Computed: true, MarkdownDescription: restriction("restore_messages")},
		"found":            computed("found"),
		"status":           computed("status"),
		"deactivated_at":   schema.StringAttribute{CustomType: timetypes.RFC3339Type{}, Computed: true, MarkdownDescription: restriction("deactivated_at")},
		"app_name":         computed("app_name"),
		"app_id":           computed("app_id"),
	})
	resp.Schema = schema.Schema{MarkdownDescription: restriction(DeactivationType), Attributes: attributes}
}

// ModifyPlan implements resource.ResourceWithModifyPlan.
func (r *deactivationResource) ModifyPlan(ctx context.Context, req resource.ModifyPlanRequest, resp *resource.ModifyPlanResponse) {
	var config, plan, prior deactivationModel
	if !req.State.Raw.IsNull() {
		resp.Diagnostics.Append(req.State.Get(ctx, &prior)...)
	}
	if req.Plan.Raw.IsNull() {
		resp.Diagnostics.Append(lifecycle.DestroyMark.Set(ctx, resp.Private)...)
		if prior.reactivates() {
			resp.Diagnostics.Append(warning("Destroying lifts the restriction", restoring(prior.RestoreMessages.ValueBool(), "are")))
		} else {
			resp.Diagnostics.Append(warning("Destroying forgets the record", stays(&prior)))
		}
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
	if req.State.Raw.IsNull() {
		resp.Diagnostics.Append(r.planCreate(ctx, &plan, req.Config.Raw.String())...)
	} else {
		resp.Diagnostics.Append(r.planUpdate(ctx, &plan, &prior)...)
	}
	resp.Diagnostics.Append(resp.Plan.Set(ctx, &plan)...)
}

// planCreate looks the user up, so that a misspelt id fails in the plan.
func (r *deactivationResource) planCreate(ctx context.Context, plan *deactivationModel, config string) diag.Diagnostics {
	plan.expect()
	plan.Found, plan.AppName, plan.AppID = types.StringUnknown(), types.StringUnknown(), types.StringUnknown()
	if plan.UserID.IsUnknown() || r.session.Blind() {
		return diag.Diagnostics{lifecycle.NotLookedUp(userIDPath)}
	}
	app, diags := r.session.Open(ctx, userIDPath)
	if diags.HasError() {
		return diags
	}
	plan.setApp(app)
	if !r.session.Claims.First("deactivation", plan.id(), session.Claimant{Config: config}) {
		return diag.Diagnostics{lifecycle.Twice(userIDPath, "subject", "Another resource of this plan restricts the same user, so that destroying one of them would lift the restriction of the other.")}
	}
	finding, err := r.session.Users.Prove(ctx, plan.id())
	if err != nil {
		return diag.Diagnostics{report.Step(userIDPath, lookingUp, err)}
	}
	switch mark := plan.MarkMessagesDeleted.ValueBool(); finding.Found {
	case erasure.FoundPresent:
		diags.Append(willRestrict(finding, mark))
	case erasure.FoundDeactivated:
		diags.Append(adopted(mark))
	default:
		diags.Append(nobodyToRestrict(finding.Found))
	}
	return diags
}

func (r *deactivationResource) planUpdate(ctx context.Context, plan, prior *deactivationModel) (diags diag.Diagnostics) {
	if !plan.UserID.Equal(prior.UserID) {
		return diag.Diagnostics{lifecycle.SubjectChanged(userIDPath, "a restriction", "Removing this block lifts the restriction of the old one.")}
	}
	plan.keep(prior)
	if prior.Status.ValueString() == statusReverted {
		plan.expect()
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

// Create implements resource.Resource. State is set as soon as the deactivation
// was confirmed; an error before leaves none, and the next run finds out.
func (r *deactivationResource) Create(ctx context.Context, req resource.CreateRequest, resp *resource.CreateResponse) {
	var model deactivationModel
	resp.Diagnostics.Append(req.Plan.Get(ctx, &model)...)
	if resp.Diagnostics.HasError() {
		return
	}
	model.Found, model.DeactivatedAt = types.StringNull(), timetypes.NewRFC3339Null()
	resp.Diagnostics.Append(r.restrict(ctx, &model, true)...)
	if resp.Diagnostics.HasError() {
		return
	}
	resp.Diagnostics.Append(resp.State.Set(ctx, &model)...)
	resp.Diagnostics.Append(lifecycle.Identify(ctx, resp.Identity, userIDPath, model.UserID)...)
}

// restrict deactivates the user unless that is done already, and writes what Stream then
// holds into the model. anew: the record is new.
func (r *deactivationResource) restrict(ctx context.Context, model *deactivationModel, anew bool) diag.Diagnostics {
	ctx, cancel := context.WithTimeout(ctx, deactivationTimeout)
	defer cancel()
	id, mark := model.id(), model.MarkMessagesDeleted.ValueBool()
	app, diags := r.session.OpenFor(ctx, userIDPath, model.app())
	if diags.HasError() {
		return diags
	}
	model.setApp(app)
	r.session.Restrictions.MarkWritten(id)
	unlock, diags := r.lock(ctx, id)
	defer unlock()
	if diags.HasError() {
		return diags
	}
	finding, err := r.session.Users.Prove(ctx, id)
	if err != nil {
		return diag.Diagnostics{report.Step(userIDPath, lookingUp, err)}
	}
	handedOver := anew && r.takeOver(ctx, model, finding)
	switch {
	case finding.Found == erasure.FoundMissing, finding.Found == erasure.FoundDeleted && anew && !handedOver:
		return diag.Diagnostics{nobodyToRestrict(finding.Found)}
	case finding.Found == erasure.FoundDeleted, finding.Found == erasure.FoundDeactivated && !mark:
		return model.holds(finding)
	case finding.Found == erasure.FoundPresent && model.RevokeTokens.ValueBool():
		// Stream does not update a user who is deactivated, so this comes first.
		if err := r.session.API.RevokeTokens(ctx, []string{id}, r.session.Clock.Now()); err != nil {
			return diag.Diagnostics{report.Step(userIDPath, revoking, err)}
		}
	}
	user, err := r.session.API.DeactivateUser(ctx, id, stream.Deactivation{MarkMessagesDeleted: mark})
	if err != nil {
		return diag.Diagnostics{report.Step(userIDPath, deactivating, err)}
	}
	model.Status, model.DeactivatedAt = types.StringValue(statusDeactivated), lifecycle.Instant(user.DeactivatedAt)
	return nil
}

// takeOver picks up what another record of the run knows of the restriction: one that is
// being replaced, or that has another name in the configuration, whose Delete may come at
// the same time.
func (r *deactivationResource) takeOver(ctx context.Context, model *deactivationModel, finding erasure.Finding) bool {
	notes := &r.session.Restrictions
	left, ok := notes.Collect(model.id())
	if !ok && finding.Found == erasure.FoundDeactivated && r.session.Clock.Sleep(ctx, lifecycle.SettleTime/2) == nil {
		left, ok = notes.Recall(model.id())
	}
	if prior, isModel := left.(*deactivationModel); isModel {
		model.Found, model.DeactivatedAt = prior.Found, prior.DeactivatedAt
		return true
	}
	model.Found = types.StringValue(string(finding.Found))
	return ok
}

func (r *deactivationResource) lock(ctx context.Context, id string) (unlock func(), diags diag.Diagnostics) {
	unlock, err := r.session.Locks.Lock(ctx, r.session.Users.Kind, []string{id})
	if err != nil {
		diags.Append(report.Step(userIDPath, "waiting for another operation on the same user", err))
	}
	return unlock, diags
}

// Read implements resource.Resource. It looks whether the restriction stands; a
// final record needs no call.
func (r *deactivationResource) Read(ctx context.Context, req resource.ReadRequest, resp *resource.ReadResponse) {
	var model deactivationModel
	resp.Diagnostics.Append(req.State.Get(ctx, &model)...)
	if resp.Diagnostics.HasError() {
		return
	}
	resp.Diagnostics.Append(lifecycle.Identify(ctx, resp.Identity, userIDPath, model.UserID)...)
	resp.Diagnostics.Append(lifecycle.DestroyMark.Clear(ctx, req.Private, resp.Private)...)
	if model.Status.ValueString() == statusErased || r.session.Blind() {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, deactivationTimeout)
	defer cancel()
	if _, diags := r.session.OpenFor(ctx, userIDPath, model.app()); diags.HasError() {
		resp.Diagnostics.Append(diags...)
		return
	}
	finding, err := r.session.Users.Prove(ctx, model.id())
	if err != nil {
		resp.Diagnostics.Append(report.Step(userIDPath, lookingUp, err))
		return
	}
	resp.Diagnostics.Append(model.holds(finding)...)
	if !resp.Diagnostics.HasError() {
		resp.Diagnostics.Append(resp.State.Set(ctx, &model)...)
	}
}

// Update implements resource.Resource: restricts again what was lifted, and
// takes over what is only kept.
func (r *deactivationResource) Update(ctx context.Context, req resource.UpdateRequest, resp *resource.UpdateResponse) {
	var model, prior deactivationModel
	resp.Diagnostics.Append(req.Plan.Get(ctx, &model)...)
	resp.Diagnostics.Append(req.State.Get(ctx, &prior)...)
	if prior.Status.ValueString() == statusReverted && !resp.Diagnostics.HasError() {
		model.DeactivatedAt = timetypes.NewRFC3339Null()
		resp.Diagnostics.Append(r.restrict(ctx, &model, false)...)
	}
	resp.Diagnostics.Append(lifecycle.Identify(ctx, resp.Identity, userIDPath, model.UserID)...)
	if !resp.Diagnostics.HasError() {
		resp.Diagnostics.Append(resp.State.Set(ctx, &model)...)
	}
}

// Delete implements resource.Resource. A Delete without the mark of a destroy plan is the
// first half of a replacement, which must not open a gap in which the user is active.
func (r *deactivationResource) Delete(ctx context.Context, req resource.DeleteRequest, resp *resource.DeleteResponse) {
	var model deactivationModel
	resp.Diagnostics.Append(req.State.Get(ctx, &model)...)
	destroys, diags := lifecycle.DestroyMark.On(ctx, req.Private)
	resp.Diagnostics.Append(diags...)
	switch {
	case resp.Diagnostics.HasError():
	case !destroys:
		r.session.Restrictions.HandOver(model.id(), &model)
	case !model.reactivates():
		resp.Diagnostics.Append(warning("Record removed", stays(&model)))
	default:
		ctx, cancel := context.WithTimeout(ctx, deactivationTimeout)
		defer cancel()
		resp.Diagnostics.Append(r.lift(ctx, &model)...)
		if resp.Diagnostics.HasError() {
			resp.Diagnostics.Append(lifecycle.DestroyMark.Clear(ctx, req.Private, resp.Private)...)
		}
	}
}

// lift reactivates the user, unless another resource of the run stands for the same
// restriction: a renamed block is deleted and created at the same time.
func (r *deactivationResource) lift(ctx context.Context, model *deactivationModel) diag.Diagnostics {
	_, diags := r.session.OpenFor(ctx, userIDPath, model.app())
	if diags.HasError() {
		return diags
	}
	id, restore := model.id(), model.RestoreMessages.ValueBool()
	r.session.Restrictions.Remember(id, model)
	if err := r.session.Clock.Sleep(ctx, lifecycle.SettleTime); err != nil {
		return diag.Diagnostics{report.Step(userIDPath, reactivating, err)}
	}
	unlock, diags := r.lock(ctx, id)
	defer unlock()
	if diags.HasError() {
		return diags
	}
	if r.session.Restrictions.WasWritten(id) {
		return diag.Diagnostics{warning("Record removed", stays(model))}
	}
	_, err := r.session.API.ReactivateUser(ctx, id, stream.Reactivation{RestoreMessages: restore})
	if stream.IsNotFound(err) {
		if finding, lookErr := r.session.Users.Prove(ctx, id); lookErr == nil && finding.Found == erasure.FoundDeleted {
			model.Status = types.StringValue(statusErased)
			return diag.Diagnostics{warning("Record removed", stays(model))}
		}
	}
	var e *stream.Error
	switch {
	case err == nil:
		return diag.Diagnostics{warning("User reactivated", restoring(restore, "were"))}
	case errors.As(err, &e) && e.Code == codeNameTaken:
		return diag.Diagnostics{refusal("User name is taken")}
	default:
		return diag.Diagnostics{report.Step(userIDPath, reactivating, err)}
	}
}

// ImportState implements resource.ResourceWithImportState: it adopts a user who
// is deactivated, or was erased meanwhile, and refuses one who is active.
func (r *deactivationResource) ImportState(ctx context.Context, req resource.ImportStateRequest, resp *resource.ImportStateResponse) {
	resource.ImportStatePassthroughWithIdentity(ctx, userIDPath, userIDPath, req, resp)
	if resp.Diagnostics.HasError() {
		return
	}
	model := deactivationModel{OnDestroy: types.StringValue(destroyReactivate)}
	model.Labels = types.MapNull(types.StringType)
	model.MarkMessagesDeleted, model.RevokeTokens, model.RestoreMessages = types.BoolValue(false), types.BoolValue(false), types.BoolValue(false)
	resp.Diagnostics.Append(resp.State.GetAttribute(ctx, userIDPath, &model.UserID)...)
	if problem := idRule.Problem(model.id()); problem != "" {
		resp.Diagnostics.AddAttributeError(userIDPath, "Invalid import id", problem)
		return
	}
	ctx, cancel := context.WithTimeout(ctx, deactivationTimeout)
	defer cancel()
	app, diags := r.session.Open(ctx, userIDPath)
	if resp.Diagnostics.Append(diags...); diags.HasError() {
		return
	}
	model.setApp(app)
	finding, err := r.session.Users.Prove(ctx, model.id())
	switch {
	case err != nil:
		resp.Diagnostics.Append(report.Step(userIDPath, lookingUp, err))
	case finding.Found == erasure.FoundPresent:
		resp.Diagnostics.Append(refusal("User is not deactivated"))
	case finding.Found == erasure.FoundMissing:
		resp.Diagnostics.Append(nobodyToRestrict(finding.Found))
	default:
		resp.Diagnostics.Append(model.holds(finding)...)
	}
	if !resp.Diagnostics.HasError() {
		resp.Diagnostics.Append(resp.State.Set(ctx, &model)...)
		resp.Diagnostics.Append(lifecycle.Identify(ctx, resp.Identity, userIDPath, model.UserID)...)
	}
}
