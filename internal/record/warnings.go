// Copyright (c) the terraform-provider-streamchat authors
// SPDX-License-Identifier: MPL-2.0

package record

import (
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/erasure"
	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/session"
)

var unknownText = types.StringUnknown()

// DestroySummary is the heading of what a destroy plan warns of, as HashiCorp
// words it.
const DestroySummary = "Resource Destruction Considerations"

func willForget(subject path.Path, b *Common) diag.Diagnostic {
	return diag.NewAttributeWarningDiagnostic(subject, DestroySummary,
		"Applying this resource destruction will only remove the record from the Terraform state. The deleted data does not come back, and nothing is sent to Stream. Archive the receipt first if it is still needed."+underWay(b))
}

func forgotten(subject path.Path, b *Common) diag.Diagnostic {
	return diag.NewAttributeWarningDiagnostic(subject, "Record removed, data not restored",
		"The record was removed from the Terraform state. Nothing was sent to Stream: what was deleted stays deleted."+underWay(b))
}

func underWay(b *Common) string {
	if b.Status.ValueString() != string(erasure.StatusSubmitted) {
		return ""
	}
	return " The deletion is still under way at Stream; without the record its result is kept nowhere."
}

func willRestore(subject path.Path) diag.Diagnostic {
	return diag.NewAttributeWarningDiagnostic(subject, DestroySummary,
		"Applying this resource destruction asks Stream to bring the user back (on_destroy = \"restore\"). Stream restores the user's metadata, not memberships.")
}

func restored(subject path.Path) diag.Diagnostic {
	return diag.NewAttributeWarningDiagnostic(subject, "User restored",
		"Stream brought the user back: metadata only, memberships are not restored. The record was removed from the Terraform state.")
}

func keptFailure(subject path.Path) diag.Diagnostic {
	return diag.NewAttributeWarningDiagnostic(subject, "The failed deletion is kept on record",
		"Stream may hide what it has not erased, so that only this record knows of the deletion that was begun. It is kept with status = \"failed\", and Terraform calls it tainted. Run apply again: only the record is replaced, and the deletion is sent once more.")
}

func pollsUnchecked(subject path.Path) diag.Diagnostic {
	return diag.NewAttributeWarningDiagnostic(subject, "Polls could not be checked",
		"Stream lists polls only on behalf of an active user, and this app has none left. Polls that the erased user created may still exist; the receipt says polls_not_checked.")
}

// subjectNotKnown is an error, unless the operator lets such plans pass.
func subjectNotKnown(subject path.Path, s *session.Session) diag.Diagnostic {
	const summary = "Subject not known in the plan"
	if s == nil || !s.AllowUnknownSubjects {
		return diag.NewAttributeErrorDiagnostic(subject, summary,
			"Nobody can approve the erasure of somebody whom the plan does not name. Give the id as a literal or a variable, or apply first what it comes from. "+
				"If the plans of this configuration are not meant to be reviewed, set allow_unknown_subjects = true in the provider.")
	}
	return diag.NewAttributeWarningDiagnostic(subject, summary, "Whom this erases is only known at apply; the look-up and the guards run then.")
}

func notLookedUp(subject path.Path) diag.Diagnostic {
	return diag.NewAttributeWarningDiagnostic(subject, "Not looked up in the plan",
		"The provider's configuration is not fully known yet, so that this plan could not look the subject up. The guards and the look-up run at apply, before anything is sent.")
}
