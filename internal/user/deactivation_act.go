// Copyright (c) the terraform-provider-streamchat authors
// SPDX-License-Identifier: MPL-2.0

package user

import (
	"context"
	"errors"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/erasure"
	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/lifecycle"
	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/receipt"
	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/report"
	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/stream"
)

// restrict deactivates the user unless that is done already, and writes what Stream then
// holds into the model. anew: the record is new.
func (r *deactivationResource) restrict(ctx context.Context, model *deactivationModel, anew bool) diag.Diagnostics {
	ctx, cancel := context.WithTimeout(ctx, deactivationTimeout)
	defer cancel()
	id, mark := model.id(), model.MarkMessagesDeleted.ValueBool()
	app, diags := r.session.OpenFor(ctx, model.at(), model.app())
	if diags.HasError() {
		return diags
	}
	model.setApp(app)
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
	if mark && finding.Found != erasure.FoundDeleted {
		if ctx, err = r.session.Users.Marks(ctx, id); err != nil {
			return diag.Diagnostics{report.Error(userIDPath, err)}
		}
	}
	if model.Found.IsUnknown() && finding.Found != erasure.FoundDeleted { // restricted again by others meanwhile, or by this
		model.Found = types.StringValue(string(finding.Found))
		r.inherit(model)
	}
	switch {
	case finding.Found == erasure.FoundMissing, finding.Found == erasure.FoundDeleted && anew && !handedOver:
		return diag.Diagnostics{nobodyToRestrict(finding.Found)}
	case finding.Found == erasure.FoundDeleted, finding.Found == erasure.FoundDeactivated && !mark:
		return model.holds(finding, r.session.Stakes.Gone(model.who(r.session)))
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
	if finding.Found == erasure.FoundPresent {
		model.Found = types.StringValue(string(finding.Found)) // it is this record's restriction from now on
	}
	model.Status, model.DeactivatedAt = types.StringValue(statusDeactivated), lifecycle.Instant(user.DeactivatedAt)
	return nil
}

// takeOver picks up what another record of the run knows of the restriction: one that is
// being replaced, or that has another name in the configuration, whose Delete may come at
// the same time.
func (r *deactivationResource) takeOver(ctx context.Context, model *deactivationModel, finding erasure.Finding) bool {
	notes := &r.session.Restrictions
	left, ok := notes.Collect(model.key(r.session))
	if !ok && finding.Found == erasure.FoundDeactivated && r.session.Clock.Sleep(ctx, lifecycle.SettleTime/2) == nil {
		left, ok = notes.Recall(model.key(r.session))
	}
	if prior, isModel := left.(*deactivationModel); isModel {
		model.Found, model.DeactivatedAt, model.recordID = prior.Found, prior.DeactivatedAt, prior.recordID
		return true
	}
	model.Found = types.StringValue(string(finding.Found))
	r.inherit(model)
	return ok
}

// inherit makes a restriction the record's own that another record of the run has left.
func (r *deactivationResource) inherit(model *deactivationModel) {
	if model.Found.ValueString() == string(erasure.FoundDeactivated) && r.session.Stakes.Inherit(model.who(r.session)) {
		model.Found = types.StringValue(string(erasure.FoundPresent))
	}
}

// holders are the types of the other records of this process that hold the person.
func (r *deactivationResource) holders(model *deactivationModel) []string {
	return r.session.Stakes.Holders(model.who(r.session), model.holder(r.session), false)
}

// leave drops a record whose restriction others hold, and lets them own it.
func (r *deactivationResource) leave(ctx context.Context, model *deactivationModel) diag.Diagnostics {
	key := model.who(r.session)
	lost := r.session.Stakes.Unowned(key, model.holder(r.session))
	r.session.Stakes.Leave(key)
	r.session.Restrictions.Remember(model.key(r.session), model)
	said := warning("Record removed, the restriction stays")
	if lost {
		said = warning("Undo not handed on")
	}
	return append(r.end(ctx, model, receipt.Forgotten), said)
}

func (r *deactivationResource) lock(ctx context.Context, id string) (unlock func(), diags diag.Diagnostics) {
	unlock, err := r.session.Lock(ctx, r.session.Users.Kind, []string{id})
	if err != nil {
		diags.Append(report.Step(userIDPath, "waiting for another operation on the same user", err))
	}
	return unlock, diags
}

// lift reactivates the user, unless another resource of the run stands for the same
// restriction: a renamed block is deleted and created at the same time.
func (r *deactivationResource) lift(ctx context.Context, model *deactivationModel) diag.Diagnostics {
	_, diags := r.session.OpenFor(ctx, userIDPath, model.app())
	if diags.HasError() {
		return diags
	}
	id, restore := model.id(), model.RestoreMessages.ValueBool()
	r.session.Restrictions.Remember(model.key(r.session), model)
	if err := r.session.Clock.Sleep(ctx, lifecycle.SettleTime); err != nil {
		return diag.Diagnostics{report.Step(userIDPath, reactivating, err)}
	}
	unlock, diags := r.lock(ctx, id)
	defer unlock()
	if diags.HasError() {
		return diags
	}
	switch {
	case len(r.holders(model)) > 0:
		return r.leave(ctx, model)
	case !r.session.Stakes.Give(model.who(r.session)): // another record of the run lifted it
		model.Status = types.StringValue(statusReverted)
		return append(r.end(ctx, model, receipt.Forgotten), warning("Record removed", stays(model)))
	}
	_, err := r.session.API.ReactivateUser(ctx, id, stream.Reactivation{RestoreMessages: restore})
	if stream.IsNotFound(err) {
		if finding, lookErr := r.session.Users.Prove(ctx, id); lookErr == nil && finding.Found == erasure.FoundDeleted {
			diags := model.holds(finding, r.session.Stakes.Gone(model.who(r.session)))
			return append(append(diags, r.end(ctx, model, receipt.Forgotten)...), warning("Record removed", "the user was deleted; whoever brings them back finds them deactivated."))
		}
	}
	var e *stream.Error
	switch {
	case err == nil:
		return append(r.end(ctx, model, receipt.Reactivated), warning("User reactivated", restoring(restore, "were")))
	case errors.As(err, &e) && e.Code == codeNameTaken:
		return diag.Diagnostics{refusal("User name is taken")}
	default:
		return diag.Diagnostics{report.Step(userIDPath, reactivating, err)}
	}
}
