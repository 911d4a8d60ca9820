// Copyright (c) the terraform-provider-streamchat authors
// SPDX-License-Identifier: MPL-2.0

package user

import (
	"cmp"
	"context"
	"strings"

	"github.com/hashicorp/terraform-plugin-framework-timetypes/timetypes"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/erasure"
	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/lifecycle"
	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/session"
	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/stream"
)

const destroyReactivate = "reactivate"

// Where a restriction stands.
const (
	statusDeactivated = "deactivated"
	statusReverted    = "reverted"
	statusErased      = "erased"
)

type deactivationModel struct {
	lifecycle.Bookkeeping
	person
	MarkMessagesDeleted types.Bool        `tfsdk:"mark_messages_deleted"`
	RevokeTokens        types.Bool        `tfsdk:"revoke_tokens"`
	OnDestroy           types.String      `tfsdk:"on_destroy"`
	RestoreMessages     types.Bool        `tfsdk:"restore_messages"`
	Found               types.String      `tfsdk:"found"`
	Status              types.String      `tfsdk:"status"`
	DeactivatedAt       timetypes.RFC3339 `tfsdk:"deactivated_at"`
	AppName             types.String      `tfsdk:"app_name"`
	AppID               types.String      `tfsdk:"app_id"`

	// recordID is the record's name among receipts.
	recordID string
}

// receipt is the record for an auditor.
func (m *deactivationModel) receipt(ctx context.Context, s *session.Session) (string, diag.Diagnostics) {
	return lifecycle.Document(ctx, &m.Bookkeeping, map[string]any{
		"record": DeactivationType, "record_id": m.recordID, "subject": m.Subject.ValueString(),
		"app_name": m.AppName.ValueString(), "app_id": m.AppID.ValueString(),
		"found": m.Found.ValueString(), "status": m.Status.ValueString(), "deactivated_at": m.DeactivatedAt.ValueString(),
		"mark_messages_deleted": m.MarkMessagesDeleted.ValueBool(), "revoke_tokens": m.RevokeTokens.ValueBool(),
		"provider_version": s.Version,
	})
}

// takenOver is the record of a restriction that others have put in force.
func takenOver() deactivationModel {
	m := deactivationModel{OnDestroy: types.StringValue(destroyReactivate)}
	m.Labels = types.MapNull(types.StringType)
	m.MarkMessagesDeleted, m.RevokeTokens, m.RestoreMessages = types.BoolValue(false), types.BoolValue(false), types.BoolValue(false)
	return m
}

func (m *deactivationModel) app() stream.App {
	return stream.App{ID: m.AppID.ValueString(), Name: m.AppName.ValueString()}
}

func (m *deactivationModel) setApp(app stream.App) {
	m.AppName, m.AppID = lifecycle.Text(app.Name), lifecycle.Text(app.ID)
}

// reactivates reports that destroying the record would lift a restriction that it has put
// in force.
func (m *deactivationModel) reactivates() bool {
	return m.OnDestroy.ValueString() == destroyReactivate && m.owns()
}

// owns reports that the restriction in force is this record's.
func (m *deactivationModel) owns() bool {
	return m.Status.ValueString() == statusDeactivated && m.Found.ValueString() != string(erasure.FoundDeactivated)
}

// takes makes the restriction in force this record's, which another record of the operator's
// has put in force: whichever is dropped last lifts it.
func (m *deactivationModel) takes() {
	if m.Status.ValueString() == statusDeactivated {
		m.Found = types.StringValue(string(erasure.FoundPresent))
	}
}

// who is the person under the key that they have in a run.
func (m *deactivationModel) who(s *session.Session) session.Subject {
	return s.Subject(s.Users.Kind, m.key(s))
}

// holder names the record among those of a run.
func (m *deactivationModel) holder(s *session.Session) string {
	return cmp.Or(m.recordID, DeactivationType+m.key(s)) // imported, and never applied
}

// stake is what the record wants of the person.
func (m *deactivationModel) stake(s *session.Session) session.Stake {
	return session.Stake{
		Holder: m.holder(s), Type: DeactivationType, Restricts: true, Owns: m.owns(),
		Final: m.Status.ValueString() == statusErased,
	}
}

// expect marks as unknown what an apply will decide.
func (m *deactivationModel) expect() {
	m.Status, m.DeactivatedAt = types.StringUnknown(), timetypes.NewRFC3339Unknown()
}

// keep takes what acts have decided from the prior state.
func (m *deactivationModel) keep(prior *deactivationModel) {
	m.Found, m.AppName, m.AppID = prior.Found, prior.AppName, prior.AppID
	m.Status, m.DeactivatedAt = prior.Status, prior.DeactivatedAt
}

// holds writes what Stream holds. Who is deleted may be brought back, restricted as they were,
// so that only a deletion that is known to be for good (gone) ends the restriction. A user who
// never existed is a contradiction to any record, and an error.
func (m *deactivationModel) holds(f erasure.Finding, gone bool) diag.Diagnostics {
	switch f.Found {
	case erasure.FoundDeactivated:
		m.Status, m.DeactivatedAt = types.StringValue(statusDeactivated), lifecycle.Instant(f.DeactivatedAt())
	case erasure.FoundPresent:
		m.Status, m.DeactivatedAt = types.StringValue(statusReverted), timetypes.NewRFC3339Null()
	case erasure.FoundDeleted:
		m.Status = types.StringValue(statusDeactivated) // deactivated_at stays: it is evidence
		if gone && f.User == nil {
			m.Status = types.StringValue(statusErased)
		}
	default:
		return diag.Diagnostics{refusal("The answers contradict each other")}
	}
	return nil
}

// refusal and warning are diagnostics whose text stands under their summary in
// deactivation.md.
func refusal(summary string) diag.Diagnostic {
	return diag.NewAttributeErrorDiagnostic(userIDPath, summary, restriction(summary))
}

func warning(summary string, more ...string) diag.Diagnostic {
	return diag.NewAttributeWarningDiagnostic(userIDPath, summary, strings.Join(append([]string{restriction(summary)}, more...), " "))
}

func nobodyToRestrict(found erasure.Found) diag.Diagnostic {
	if found == erasure.FoundDeleted {
		return refusal("Nobody to restrict")
	}
	return refusal("Subject not found")
}

func willRestrict(f erasure.Finding, plan *deactivationModel) diag.Diagnostic {
	messages, undo := "Their messages stay visible to others.", "This can be taken back by destroying the block."
	if plan.OnDestroy.ValueString() == lifecycle.DestroyForget {
		undo = `Destroying the block does not take this back (on_destroy = "forget").`
	}
	if plan.MarkMessagesDeleted.ValueBool() {
		messages = "Their messages are marked as deleted for everybody; the text stays at Stream."
	}
	return warning("Restriction of processing", messages+"\n"+lifecycle.Describe(f)+
		"\n\n"+undo+" It is not an erasure: all data stays at Stream.")
}

// adopted is the warning about a user who is deactivated before the first apply.
func adopted(mark bool) diag.Diagnostic {
	if mark {
		return warning("Already deactivated", "The deactivation is sent once more for mark_messages_deleted, but Stream may leave the messages of somebody who is deactivated already as they are. Check that they are hidden.")
	}
	return warning("Already deactivated", "Nothing is sent: this block only keeps its record.")
}

func restoring(restore bool, verb string) string {
	if restore {
		return "Messages that the deactivation had marked as deleted " + verb + " restored."
	}
	return "Messages that the deactivation had marked as deleted " + verb + " not restored."
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
