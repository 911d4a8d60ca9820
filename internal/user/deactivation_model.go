// Copyright (c) the terraform-provider-streamchat authors
// SPDX-License-Identifier: MPL-2.0

package user

import (
	"fmt"
	"time"

	"github.com/hashicorp/terraform-plugin-framework-timetypes/timetypes"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/erasure"
	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/record"
)

// Values of on_destroy.
const (
	destroyReactivate = "reactivate"
	destroyForget     = "forget"
)

// Where a restriction stands.
const (
	statusDeactivated = "deactivated"
	statusReverted    = "reverted"
	statusErased      = "erased"
)

type deactivationModel struct {
	UserID              types.String      `tfsdk:"user_id"`
	MarkMessagesDeleted types.Bool        `tfsdk:"mark_messages_deleted"`
	RevokeTokens        types.Bool        `tfsdk:"revoke_tokens"`
	OnDestroy           types.String      `tfsdk:"on_destroy"`
	RestoreMessages     types.Bool        `tfsdk:"restore_messages"`
	RequestID           types.String      `tfsdk:"request_id"`
	Labels              types.Map         `tfsdk:"labels"`
	Status              types.String      `tfsdk:"status"`
	DeactivatedAt       timetypes.RFC3339 `tfsdk:"deactivated_at"`
	AppName             types.String      `tfsdk:"app_name"`
}

// erased: the record is final.
func (m *deactivationModel) erased() bool { return m.Status.ValueString() == statusErased }

// reactivates reports that destroying the record would change something at
// Stream.
func (m *deactivationModel) reactivates() bool {
	return m.OnDestroy.ValueString() == destroyReactivate && m.Status.ValueString() == statusDeactivated
}

func (m *deactivationModel) forgetOutcome() {
	m.Status, m.AppName = types.StringUnknown(), types.StringUnknown()
	m.DeactivatedAt = timetypes.NewRFC3339Unknown()
}

func (m *deactivationModel) keepOutcome(prior *deactivationModel) {
	m.Status, m.AppName, m.DeactivatedAt = prior.Status, prior.AppName, prior.DeactivatedAt
}

// found writes what Stream holds. A user who never existed is a contradiction to
// any record, and an error.
func (m *deactivationModel) found(f erasure.Finding) (diags diag.Diagnostics) {
	switch f.Found {
	case erasure.FoundDeactivated:
		m.deactivated(f.DeactivatedAt())
	case erasure.FoundPresent:
		m.Status, m.DeactivatedAt = types.StringValue(statusReverted), timetypes.NewRFC3339Null()
	case erasure.FoundDeleted:
		m.Status = types.StringValue(statusErased) // deactivated_at stays: it is evidence now
	default:
		diags.Append(contradiction())
	}
	return diags
}

func (m *deactivationModel) deactivated(at *time.Time) {
	m.Status, m.DeactivatedAt = types.StringValue(statusDeactivated), optionalTime(at)
}

// optionalTime is a time of Stream's, null when it has none.
func optionalTime(t *time.Time) timetypes.RFC3339 {
	if t == nil {
		return timetypes.NewRFC3339Null()
	}
	return timetypes.NewRFC3339ValueMust(t.UTC().Format(time.RFC3339Nano))
}

var userIDPath = path.Root("user_id")

func contradiction() diag.Diagnostic {
	return diag.NewAttributeErrorDiagnostic(userIDPath, "The answers contradict each other",
		"This record says that the user was deactivated, but Stream says that no such user ever existed. Most likely the credentials open another app than the one in app_name. "+
			"Nothing was sent. Use that app's credentials (expected_app_name guards against the wrong ones); to drop the record without a call, use a removed block.")
}

func nobodyToRestrict(found erasure.Found) diag.Diagnostic {
	if found == erasure.FoundDeleted {
		return diag.NewAttributeErrorDiagnostic(userIDPath, "Nobody to restrict",
			"Stream says that this user was deleted, so there is no processing left to restrict. Nothing was sent. Remove the block; if it is the record of a restriction from before the erasure, import it, which adopts it as final.")
	}
	return diag.NewAttributeErrorDiagnostic(userIDPath, "Subject not found",
		"Stream says that no user with this id ever existed; most likely it is misspelt. Nothing was sent. Correct the id.")
}

func stillActive() diag.Diagnostic {
	return diag.NewAttributeErrorDiagnostic(userIDPath, "User is not deactivated",
		"Import adopts a restriction that is in force, and this user is active. Nothing was sent and nothing was imported. To restrict the user, remove the import block and apply the resource.")
}

func willRestrict(f erasure.Finding, mark bool) diag.Diagnostic {
	messages := "Their messages stay visible to others."
	if mark {
		messages = "Their messages are marked as deleted for everybody; the text stays at Stream."
	}
	return diag.NewAttributeWarningDiagnostic(userIDPath, "Restriction of processing",
		fmt.Sprintf("The user is deactivated: they can no longer connect, and queries leave them out. %s\n%s\n\nThis can be taken back by destroying the block. It is not an erasure: all data stays at Stream.", messages, record.Describe(f)))
}

func willRestrictAgain() diag.Diagnostic {
	return diag.NewAttributeWarningDiagnostic(userIDPath, "Restriction was lifted outside of Terraform",
		"Stream says that this user is active again. Applying this update deactivates them once more. If the restriction was lifted on purpose, remove the block instead: destroying it then sends nothing.")
}

// adopted is the warning about a user who is deactivated before the first apply.
func adopted(mark bool) diag.Diagnostic {
	messages := "Nothing is sent: the restriction is adopted as it is, and this block is its record from now on."
	if mark {
		messages = "The deactivation is sent once more for mark_messages_deleted, but Stream may leave the messages of somebody who is deactivated already as they are. Check that they are hidden."
	}
	return diag.NewAttributeWarningDiagnostic(userIDPath, "Already deactivated",
		"Stream says that this user is deactivated already. "+messages+" Tokens cannot be revoked of a deactivated user, who cannot connect either. Destroying the block reactivates the user unless on_destroy = \"forget\".")
}

func willReactivate(restore bool) diag.Diagnostic {
	return diag.NewAttributeWarningDiagnostic(userIDPath, record.DestroySummary,
		"Applying this resource destruction lifts the restriction: the user is reactivated at Stream and can connect again. "+restoring(restore, "are")+
			" To drop the record and leave the user deactivated, set on_destroy = \"forget\" and apply first.")
}

func reactivated(restore bool) diag.Diagnostic {
	return diag.NewAttributeWarningDiagnostic(userIDPath, "User reactivated",
		"Stream reactivated the user. "+restoring(restore, "were")+" The record of the restriction was removed from the Terraform state.")
}

func restoring(restore bool, verb string) string {
	if restore {
		return "Messages that the deactivation had marked as deleted " + verb + " restored."
	}
	return "Messages that the deactivation had marked as deleted " + verb + " not restored."
}

func willForget(m *deactivationModel) diag.Diagnostic {
	return diag.NewAttributeWarningDiagnostic(userIDPath, record.DestroySummary,
		"Applying this resource destruction will only remove the record from the Terraform state. Nothing is sent to Stream: "+stays(m))
}

func forgotten(m *deactivationModel) diag.Diagnostic {
	return diag.NewAttributeWarningDiagnostic(userIDPath, "Record removed",
		"The record of the restriction was removed from the Terraform state. Nothing was sent to Stream: "+stays(m))
}

func stays(m *deactivationModel) string {
	switch m.Status.ValueString() {
	case statusErased:
		return "the user was erased, and does not come back."
	case statusReverted:
		return "the user is active already."
	default:
		return "the user stays deactivated."
	}
}
