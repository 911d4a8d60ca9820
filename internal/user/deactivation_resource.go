// Copyright (c) the terraform-provider-streamchat authors
// SPDX-License-Identifier: MPL-2.0

package user

import (
	"cmp"
	"context"
	_ "embed"
	"maps"
	"slices"
	"time"

	"github.com/hashicorp/terraform-plugin-framework-timetypes/timetypes"
	"github.com/hashicorp/terraform-plugin-framework-validators/stringvalidator"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/booldefault"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/stringdefault"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/erasure"
	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/lifecycle"
	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/prose"
	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/receipt"
	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/report"
	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/session"
)

// DeactivationType is the resource type of the restriction of a user.
const DeactivationType = lifecycle.RestrictionType

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
	resp.ResourceBehavior.MutableIdentity = true // an id may give way to its pseudonym
}

// Configure implements resource.ResourceWithConfigure.
func (r *deactivationResource) Configure(_ context.Context, req resource.ConfigureRequest, resp *resource.ConfigureResponse) {
	r.session = session.From(req.ProviderData, &resp.Diagnostics)
}

// IdentitySchema implements resource.ResourceWithIdentity.
func (*deactivationResource) IdentitySchema(_ context.Context, _ resource.IdentitySchemaRequest, resp *resource.IdentitySchemaResponse) {
	resp.IdentitySchema = lifecycle.VeiledIdentity("user_id")
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
	maps.Copy(attributes, personAttributes(restriction("user_id")))
	resp.Schema = schema.Schema{MarkdownDescription: restriction(DeactivationType), Attributes: attributes}
}

// Create implements resource.Resource. State is set as soon as the deactivation
// was confirmed; an error before leaves none, and the next run finds out.
func (r *deactivationResource) Create(ctx context.Context, req resource.CreateRequest, resp *resource.CreateResponse) {
	var model, config deactivationModel
	resp.Diagnostics.Append(req.Plan.Get(ctx, &model)...)
	resp.Diagnostics.Append(req.Config.Get(ctx, &config)...)
	if resp.Diagnostics.HasError() {
		return
	}
	if resp.Diagnostics.Append(r.meet(&model, &config, nil)...); resp.Diagnostics.HasError() {
		return
	}
	if resp.Diagnostics.Append(lifecycle.CheckArchive(ctx, r.session)...); resp.Diagnostics.HasError() {
		return
	}
	model.Found, model.DeactivatedAt = types.StringNull(), timetypes.NewRFC3339Null()
	resp.Diagnostics.Append(r.restrict(ctx, &model, true)...)
	if resp.Diagnostics.HasError() {
		return
	}
	resp.Diagnostics.Append(resp.State.Set(ctx, &model)...)
	resp.Diagnostics.Append(model.identify(ctx, resp.Identity)...)
	resp.Diagnostics.Append(r.archive(ctx, &model, resp.Private, true)...)
	r.session.Stakes.Wrote(model.who(r.session), model.stake(r.session))
}

// archive writes the receipt of a record that has just been stored.
func (r *deactivationResource) archive(ctx context.Context, model *deactivationModel, private lifecycle.Private, created bool) diag.Diagnostics {
	model.recordID = cmp.Or(model.recordID, receipt.NewID())
	diags := lifecycle.KeepRecordID(ctx, private, model.recordID)
	document, d := model.receipt(ctx, r.session)
	return append(append(diags, d...), lifecycle.Archive(ctx, r.session, document, created)...)
}

// end writes the last receipt of a record that is dropped, unless another record of the
// run takes its place.
func (r *deactivationResource) end(ctx context.Context, model *deactivationModel, how receipt.Ending) diag.Diagnostics {
	if slices.Contains(r.holders(model), DeactivationType) {
		return nil
	}
	document, diags := model.receipt(ctx, r.session)
	return append(diags, lifecycle.EndArchive(ctx, r.session, document, how)...)
}

// Read implements resource.Resource. It looks whether the restriction stands; a
// final record needs no call.
func (r *deactivationResource) Read(ctx context.Context, req resource.ReadRequest, resp *resource.ReadResponse) {
	var model deactivationModel
	resp.Diagnostics.Append(req.State.Get(ctx, &model)...)
	if resp.Diagnostics.HasError() {
		return
	}
	resp.Diagnostics.Append(model.identify(ctx, resp.Identity)...)
	resp.Diagnostics.Append(lifecycle.DestroyMark.Clear(ctx, req.Private, resp.Private)...)
	var diags diag.Diagnostics
	model.recordID, diags = lifecycle.RecordID(ctx, req.Private)
	resp.Diagnostics.Append(diags...)
	r.session.Crowd.Enter()
	defer r.session.Crowd.Leave()
	r.session.Stakes.See(model.who(r.session), model.stake(r.session)) // before it waits for Stream, for those who ask meanwhile
	if model.Status.ValueString() == statusErased || r.session.Blind() {
		return // final
	}
	if model.id() != "" { // else only a plan knows whom to look up
		resp.Diagnostics.Append(r.refresh(ctx, &model)...)
	}
	if !model.owns() && r.session.Stakes.Owned(model.who(r.session), model.holder(r.session)) {
		model.takes()
	}
	r.session.Stakes.See(model.who(r.session), model.stake(r.session))
	if !resp.Diagnostics.HasError() {
		resp.Diagnostics.Append(resp.State.Set(ctx, &model)...)
	}
}

// refresh looks whether a restriction stands.
func (r *deactivationResource) refresh(ctx context.Context, model *deactivationModel) diag.Diagnostics {
	ctx, cancel := context.WithTimeout(ctx, deactivationTimeout)
	defer cancel()
	if _, diags := r.session.OpenFor(ctx, userIDPath, model.app()); diags.HasError() {
		return diags
	}
	finding, err := r.session.Users.Prove(ctx, model.id())
	if err != nil {
		return diag.Diagnostics{report.Step(userIDPath, lookingUp, err)}
	}
	return model.holds(finding, r.session.Stakes.Gone(model.who(r.session)))
}

// Update implements resource.Resource: restricts again what was lifted, and
// takes over what is only kept.
func (r *deactivationResource) Update(ctx context.Context, req resource.UpdateRequest, resp *resource.UpdateResponse) {
	var model, config, prior deactivationModel
	resp.Diagnostics.Append(req.Plan.Get(ctx, &model)...)
	resp.Diagnostics.Append(req.Config.Get(ctx, &config)...)
	resp.Diagnostics.Append(req.State.Get(ctx, &prior)...)
	if !resp.Diagnostics.HasError() {
		resp.Diagnostics.Append(r.meet(&model, &config, &prior)...)
		resp.Diagnostics.Append(lifecycle.CheckArchive(ctx, r.session)...)
	}
	if model.Status.IsUnknown() && !resp.Diagnostics.HasError() {
		if model.DeactivatedAt.IsUnknown() {
			model.DeactivatedAt = timetypes.NewRFC3339Null()
		}
		if resp.Diagnostics.Append(r.restrict(ctx, &model, false)...); model.Found.IsUnknown() {
			model.Found = prior.Found
		}
	}
	resp.Diagnostics.Append(model.identify(ctx, resp.Identity)...)
	if !resp.Diagnostics.HasError() {
		resp.Diagnostics.Append(resp.State.Set(ctx, &model)...)
		var diags diag.Diagnostics
		model.recordID, diags = lifecycle.RecordID(ctx, req.Private)
		resp.Diagnostics.Append(append(diags, r.archive(ctx, &model, resp.Private, false)...)...)
	}
}

// Delete implements resource.Resource. A Delete without the mark of a destroy plan is the
// first half of a replacement, which must not open a gap in which the user is active.
func (r *deactivationResource) Delete(ctx context.Context, req resource.DeleteRequest, resp *resource.DeleteResponse) {
	var model deactivationModel
	resp.Diagnostics.Append(req.State.Get(ctx, &model)...)
	destroys, diags := lifecycle.DestroyMark.On(ctx, req.Private)
	resp.Diagnostics.Append(diags...)
	model.recordID, diags = lifecycle.RecordID(ctx, req.Private)
	held, d := lifecycle.ReadHeld(ctx, req.Private)
	resp.Diagnostics.Append(append(append(diags, d...), lifecycle.CheckArchive(ctx, r.session)...)...)
	if resp.Diagnostics.HasError() {
		resp.Diagnostics.Append(lifecycle.DestroyMark.Clear(ctx, req.Private, resp.Private)...)
		return
	}
	switch {
	case !destroys:
		// A tainted record is planned without its state, so perhaps for another app.
		_, diags := r.session.OpenFor(ctx, userIDPath, model.app())
		if resp.Diagnostics.Append(diags...); diags.HasError() {
			return // keeps the record
		}
		r.session.Restrictions.HandOver(model.key(r.session), &model)
	case !model.reactivates():
		resp.Diagnostics.Append(warning("Record removed", stays(&model)))
		resp.Diagnostics.Append(r.end(ctx, &model, receipt.Forgotten)...)
	case len(held) > 0 || len(r.holders(&model)) > 0:
		resp.Diagnostics.Append(r.leave(ctx, &model)...)
	default:
		ctx, cancel := context.WithTimeout(ctx, deactivationTimeout)
		defer cancel()
		resp.Diagnostics.Append(r.lift(ctx, &model)...)
		if resp.Diagnostics.HasError() {
			resp.Diagnostics.Append(lifecycle.DestroyMark.Clear(ctx, req.Private, resp.Private)...)
		}
	}
}

// ImportState implements resource.ResourceWithImportState: it adopts a user who
// is deactivated, or was erased meanwhile, and refuses one who is active.
func (r *deactivationResource) ImportState(ctx context.Context, req resource.ImportStateRequest, resp *resource.ImportStateResponse) {
	id, pseudonym, diags := lifecycle.ImportVeiled(ctx, userIDPath, req)
	if resp.Diagnostics.Append(diags...); diags.HasError() {
		return
	}
	if pseudonym != "" {
		resp.Diagnostics.Append(refusal("Restriction without an id"))
		return
	}
	model := takenOver()
	model.UserID, model.Subject = types.StringValue(id), lifecycle.Text(r.session.Pseudonyms.Of(id))
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
	finding, err := r.session.Users.Prove(ctx, id)
	switch {
	case err != nil:
		resp.Diagnostics.Append(report.Step(userIDPath, lookingUp, err))
	case finding.Found == erasure.FoundPresent:
		resp.Diagnostics.Append(refusal("User is not deactivated"))
	case finding.Found == erasure.FoundMissing:
		resp.Diagnostics.Append(nobodyToRestrict(finding.Found))
	default:
		resp.Diagnostics.Append(model.holds(finding, true)...) // of somebody deleted: the operator's claim
	}
	if !resp.Diagnostics.HasError() {
		resp.Diagnostics.Append(resp.State.Set(ctx, &model)...)
		resp.Diagnostics.Append(model.identify(ctx, resp.Identity)...)
	}
}
