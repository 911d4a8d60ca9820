// Copyright (c) the terraform-provider-streamchat authors
// SPDX-License-Identifier: MPL-2.0

package user

import (
	"context"
	"errors"
	"time"

	"github.com/hashicorp/terraform-plugin-framework-timetypes/timetypes"
	"github.com/hashicorp/terraform-plugin-framework-validators/stringvalidator"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/resource/identityschema"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/booldefault"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/stringdefault"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/hashicorp/terraform-plugin-framework/tfsdk"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/erasure"
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

type deactivationResource struct{ session *session.Session }

var (
	_ resource.ResourceWithConfigure   = (*deactivationResource)(nil)
	_ resource.ResourceWithModifyPlan  = (*deactivationResource)(nil)
	_ resource.ResourceWithImportState = (*deactivationResource)(nil)
	_ resource.ResourceWithIdentity    = (*deactivationResource)(nil)
)

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
	resp.IdentitySchema = identityschema.Schema{Attributes: map[string]identityschema.Attribute{
		"user_id": identityschema.StringAttribute{RequiredForImport: true, Description: "The restricted user."},
	}}
}

// Schema implements resource.Resource.
func (*deactivationResource) Schema(_ context.Context, _ resource.SchemaRequest, resp *resource.SchemaResponse) {
	resp.Schema = schema.Schema{
		MarkdownDescription: "Restricts the processing of one user's data (Art. 18) by deactivating the user at Stream: they can no longer connect, and queries leave them out. All data stays at Stream, and the restriction can be lifted.\n\n" +
			"Every plan looks whether the restriction still stands. If the user was reactivated outside of Terraform, the plan is an in-place update that deactivates them again. " +
			"Destroying the block reactivates the user, unless `on_destroy = \"forget\"`; replacing it (`-replace`, a taint) does not lift the restriction in between. " +
			"When the user has been erased meanwhile, the record is final (`status = \"erased\"`): no more calls, and destroying it only forgets it.\n\n" +
			"The guards `protected_user_ids`, `protected_roles`, `hold_field` and `max_erasures` are about erasures and do not apply; `expected_app_name` does.",
		Attributes: map[string]schema.Attribute{
			"user_id": schema.StringAttribute{
				Required: true, Validators: IDValidators(),
				MarkdownDescription: "The user to restrict. Must exist: a misspelt id fails in the plan. Cannot change: remove the block, which lifts the restriction, and add another.",
			},
			"mark_messages_deleted": schema.BoolAttribute{
				Optional: true, Computed: true, Default: booldefault.StaticBool(false),
				MarkdownDescription: "Also hide the messages that the user wrote: they appear deleted to everybody, their text stays at Stream. Default false. Cannot change while the restriction stands.",
			},
			"revoke_tokens": schema.BoolAttribute{
				Optional: true, Computed: true, Default: booldefault.StaticBool(false),
				MarkdownDescription: "Revoke the tokens that the user holds right before deactivating (`revoke_tokens_issued_before`), so that they stay invalid after a reactivation. Left out for a user who is deactivated already, whom Stream does not update. Default false. Cannot change while the restriction stands.",
			},
			"on_destroy": schema.StringAttribute{
				Optional: true, Computed: true, Default: stringdefault.StaticString(destroyReactivate),
				MarkdownDescription: "What destroying this resource does: `\"reactivate\"` (default) lifts the restriction; `\"forget\"` drops the record, sends nothing and leaves the user deactivated. Only forgets in any case when the user was erased or is active already.",
				Validators:          []validator.String{stringvalidator.OneOf(destroyReactivate, destroyForget)},
			},
			"restore_messages": schema.BoolAttribute{
				Optional: true, Computed: true,
				MarkdownDescription: "Whether a reactivation by destroying brings back the messages that the deactivation had marked as deleted; those that were deleted one by one stay deleted. Default: as `mark_messages_deleted`. May be changed at any time.",
			},
			"request_id": schema.StringAttribute{
				Optional: true, Validators: []validator.String{stringvalidator.LengthAtLeast(1)},
				MarkdownDescription: "The data-subject request that this restriction answers, by the number your ticket system gave it. Kept in the state, not sent to Stream. May be changed at any time.",
			},
			"labels": schema.MapAttribute{
				Optional: true, ElementType: types.StringType,
				MarkdownDescription: "What else the auditor will ask: legal basis, approver, pull request. Kept in the state, not sent to Stream. Put no personal data here. May be changed at any time.",
			},
			"status": schema.StringAttribute{
				Computed: true,
				MarkdownDescription: "Where the restriction stands: `deactivated` (in force), `reverted` (lifted outside of Terraform: run apply to restrict again) or `erased` (the user was deleted meanwhile: final). " +
					"Guard pipelines with a postcondition on it.",
			},
			"deactivated_at": schema.StringAttribute{
				CustomType: timetypes.RFC3339Type{}, Computed: true,
				MarkdownDescription: "Since when the user is deactivated, by Stream's clock. Null when they are not. Of an erased user: what was known last. RFC 3339, UTC.",
			},
			"app_name": schema.StringAttribute{Computed: true, MarkdownDescription: "The Stream app in which the user was restricted, by the name that the app had."},
		},
	}
}

// Create implements resource.Resource. State is set as soon as the deactivation
// was confirmed; an error before leaves none, and the next run finds out.
func (r *deactivationResource) Create(ctx context.Context, req resource.CreateRequest, resp *resource.CreateResponse) {
	var model deactivationModel
	resp.Diagnostics.Append(req.Plan.Get(ctx, &model)...)
	resp.Diagnostics.Append(r.session.Ready()...)
	if resp.Diagnostics.HasError() {
		return
	}
	handedOver := r.takeOver(&model)
	finding, diags := r.restrict(ctx, &model)
	resp.Diagnostics.Append(diags...)
	if finding.Found == erasure.FoundDeleted && !handedOver {
		resp.Diagnostics.Append(nobodyToRestrict(finding.Found))
	}
	if resp.Diagnostics.HasError() {
		return
	}
	r.session.Handoff.Note(DeactivationType, model.UserID.ValueString(), &model)
	resp.Diagnostics.Append(resp.State.Set(ctx, &model)...)
	resp.Diagnostics.Append(identify(ctx, resp.Identity, model.UserID)...)
}

// restrictedAnew reports that this run has made another record of the same
// restriction, which must stand: with create_before_destroy Terraform plans the
// old half of a replacement as a destroy of its own.
func (r *deactivationResource) restrictedAnew(model *deactivationModel) bool {
	if r.session == nil {
		return false
	}
	_, anew := r.session.Handoff.Seen(DeactivationType, model.UserID.ValueString())
	return anew
}

// identify sets the resource identity, where the CLI knows such a thing.
func identify(ctx context.Context, identity *tfsdk.ResourceIdentity, userID types.String) diag.Diagnostics {
	if identity == nil {
		return nil
	}
	return identity.SetAttribute(ctx, userIDPath, userID)
}

// takeOver picks up what the first half of a replacement left: when the user was
// restricted, should they turn out to be erased.
func (r *deactivationResource) takeOver(model *deactivationModel) bool {
	left, ok := r.session.Handoff.Take(DeactivationType, model.UserID.ValueString())
	model.DeactivatedAt = timetypes.NewRFC3339Null()
	if prior, isModel := left.(*deactivationModel); isModel {
		model.DeactivatedAt = prior.DeactivatedAt
	}
	return ok
}

// restrict deactivates the user unless that is done already, and writes what
// Stream then holds into the model. It returns what was found before.
func (r *deactivationResource) restrict(ctx context.Context, model *deactivationModel) (erasure.Finding, diag.Diagnostics) {
	ctx, cancel := context.WithTimeout(ctx, deactivationTimeout)
	defer cancel()
	id, mark := model.UserID.ValueString(), model.MarkMessagesDeleted.ValueBool()
	failed := func(doing string, err error) (erasure.Finding, diag.Diagnostics) {
		return erasure.Finding{}, diag.Diagnostics{report.Step(userIDPath, doing, err)}
	}
	app, err := r.session.App.Name(ctx)
	if err != nil {
		return failed(lookingUp, err)
	}
	finding, err := r.session.Users.Prove(ctx, id)
	if err != nil {
		return failed(lookingUp, err)
	}
	model.AppName = types.StringValue(app)
	switch finding.Found {
	case erasure.FoundMissing:
		return finding, diag.Diagnostics{nobodyToRestrict(finding.Found)}
	case erasure.FoundDeleted:
		return finding, model.found(finding)
	case erasure.FoundDeactivated:
		if !mark {
			return finding, model.found(finding)
		}
	default:
		// Stream does not update a user who is deactivated, so this comes first.
		if model.RevokeTokens.ValueBool() {
			if err := r.session.API.RevokeTokens(ctx, []string{id}, r.session.Clock.Now()); err != nil {
				return failed(revoking, err)
			}
		}
	}
	user, err := r.session.API.DeactivateUser(ctx, id, stream.Deactivation{MarkMessagesDeleted: mark})
	if err != nil {
		return failed(deactivating, err)
	}
	model.deactivated(user.DeactivatedAt)
	return finding, nil
}

// Read implements resource.Resource. It looks whether the restriction stands; a
// final record needs no call.
func (r *deactivationResource) Read(ctx context.Context, req resource.ReadRequest, resp *resource.ReadResponse) {
	var model deactivationModel
	resp.Diagnostics.Append(req.State.Get(ctx, &model)...)
	if resp.Diagnostics.HasError() {
		return
	}
	resp.Diagnostics.Append(identify(ctx, resp.Identity, model.UserID)...)
	if model.erased() || r.session != nil && r.session.Undetermined {
		return
	}
	resp.Diagnostics.Append(r.session.Ready()...)
	if resp.Diagnostics.HasError() {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, deactivationTimeout)
	defer cancel()
	finding, err := r.session.Users.Prove(ctx, model.UserID.ValueString())
	if err != nil {
		resp.Diagnostics.Append(report.Step(userIDPath, lookingUp, err))
		return
	}
	resp.Diagnostics.Append(model.found(finding)...)
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
	if resp.Diagnostics.HasError() {
		return
	}
	if prior.Status.ValueString() == statusReverted {
		resp.Diagnostics.Append(r.session.Ready()...)
		if resp.Diagnostics.HasError() {
			return
		}
		model.DeactivatedAt = timetypes.NewRFC3339Null()
		_, diags := r.restrict(ctx, &model)
		resp.Diagnostics.Append(diags...)
		if resp.Diagnostics.HasError() {
			return
		}
	}
	resp.Diagnostics.Append(resp.State.Set(ctx, &model)...)
	resp.Diagnostics.Append(identify(ctx, resp.Identity, model.UserID)...)
}

// Delete implements resource.Resource.
func (r *deactivationResource) Delete(ctx context.Context, req resource.DeleteRequest, resp *resource.DeleteResponse) {
	var model deactivationModel
	resp.Diagnostics.Append(req.State.Get(ctx, &model)...)
	mark, diags := req.Private.GetKey(ctx, destroyMark)
	resp.Diagnostics.Append(diags...)
	if resp.Diagnostics.HasError() {
		return
	}
	if mark == nil {
		if r.session != nil {
			r.session.Handoff.Put(DeactivationType, model.UserID.ValueString(), &model)
		}
		return
	}
	if !model.reactivates() || r.restrictedAnew(&model) {
		resp.Diagnostics.Append(forgotten(&model))
		return
	}
	resp.Diagnostics.Append(r.session.Ready()...)
	if resp.Diagnostics.HasError() {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, deactivationTimeout)
	defer cancel()
	if _, err := r.session.App.Name(ctx); err != nil {
		resp.Diagnostics.Append(report.Step(userIDPath, reactivating, err))
		return
	}
	id, restore := model.UserID.ValueString(), model.RestoreMessages.ValueBool()
	_, err := r.session.API.ReactivateUser(ctx, id, stream.Reactivation{RestoreMessages: restore})
	if stream.IsNotFound(err) {
		if finding, lookErr := r.session.Users.Prove(ctx, id); lookErr == nil && finding.Found == erasure.FoundDeleted {
			model.Status = types.StringValue(statusErased)
			resp.Diagnostics.Append(forgotten(&model))
			return
		}
	}
	var e *stream.Error
	switch {
	case err == nil:
		resp.Diagnostics.Append(reactivated(restore))
	case errors.As(err, &e) && e.Code == codeNameTaken:
		resp.Diagnostics.AddAttributeError(userIDPath, "User name is taken",
			"Stream does not reactivate this user, because somebody else has taken their name meanwhile and the app wants names to be unique ("+e.Error()+"). The user stays deactivated and the record is kept. "+
				"Rename the other user at Stream and run again; or set on_destroy = \"forget\", apply, and destroy.")
	default:
		resp.Diagnostics.Append(report.Step(userIDPath, reactivating, err))
	}
}

// codeNameTaken is Stream's error code for a user name that is not unique
// (stream-api.md §1.4).
const codeNameTaken = 6

// ImportState implements resource.ResourceWithImportState: it adopts a user who
// is deactivated, or was erased meanwhile, and refuses one who is active.
func (r *deactivationResource) ImportState(ctx context.Context, req resource.ImportStateRequest, resp *resource.ImportStateResponse) {
	resource.ImportStatePassthroughWithIdentity(ctx, userIDPath, userIDPath, req, resp)
	if resp.Diagnostics.HasError() {
		return
	}
	var model deactivationModel
	resp.Diagnostics.Append(resp.State.GetAttribute(ctx, userIDPath, &model.UserID)...)
	if problem := validID(model.UserID.ValueString()); problem != "" {
		resp.Diagnostics.AddAttributeError(userIDPath, "Invalid import id", problem)
	}
	resp.Diagnostics.Append(r.session.Ready()...)
	if resp.Diagnostics.HasError() {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, deactivationTimeout)
	defer cancel()
	finding, err := r.session.Users.Prove(ctx, model.UserID.ValueString())
	if err != nil {
		resp.Diagnostics.Append(report.Step(userIDPath, lookingUp, err))
		return
	}
	switch finding.Found {
	case erasure.FoundPresent:
		resp.Diagnostics.Append(stillActive())
	case erasure.FoundMissing:
		resp.Diagnostics.Append(nobodyToRestrict(finding.Found))
	default:
		resp.Diagnostics.Append(model.found(finding)...)
	}
	app, err := r.session.App.Name(ctx)
	if err != nil {
		resp.Diagnostics.Append(report.Step(userIDPath, lookingUp, err))
	}
	if resp.Diagnostics.HasError() {
		return
	}
	model.AppName = types.StringValue(app)
	model.Labels = types.MapNull(types.StringType)
	model.OnDestroy = types.StringValue(destroyReactivate)
	model.MarkMessagesDeleted, model.RevokeTokens, model.RestoreMessages = types.BoolValue(false), types.BoolValue(false), types.BoolValue(false)
	resp.Diagnostics.Append(resp.State.Set(ctx, &model)...)
	resp.Diagnostics.Append(identify(ctx, resp.Identity, model.UserID)...)
}
