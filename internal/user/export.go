// Copyright (c) the terraform-provider-streamchat authors
// SPDX-License-Identifier: MPL-2.0

package user

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/hashicorp/terraform-plugin-framework/diag"

	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/erasure"
	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/export"
	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/exportfile"
	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/report"
	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/session"
	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/stream"
)

// directLimit is where Stream refuses its own export (stream-api.md §7.1).
const directLimit = "10,000 messages or reactions"

// What is said about every form of an export.
const (
	methodDescription = "How it was taken: `direct`, Stream's own export of one user, or `assembled` from exports of the user's channels, " +
		"because Stream refused its own."
	completeDescription = "Whether the export holds every message and every reaction that Stream's own export of one user has. " +
		"Calls and what other products of Stream hold are in neither. " +
		"False where Stream's answer lacks a list, or has exactly 10,000 messages or reactions, since it may then have been cut. " +
		"An assembled one is never called complete; it can miss " + missable + "."
	missable = "what the person wrote in channels that they have left and did not create, unless Stream's search finds it " +
		"(it knows neither deleted messages nor channel types without search); " +
		"channels that are deleted, also softly, since Stream lists them nowhere; " +
		"reactions in channels that were not found, and those beyond the newest 1,300 of one message or on a message that was deleted; " +
		"what is written while the export is taken; " +
		"and whatever Stream adds to its own export besides `user`, `messages` and `reactions`"
)

// exportable reports whether Stream's query finds a user, so that there is
// somebody to export. The guard for the right app has passed then.
func exportable(ctx context.Context, s *session.Session, id string) (bool, diag.Diagnostics) {
	if diags := s.Ready(); diags.HasError() {
		return false, diags
	}
	finding, err := s.Users.LookUp(ctx, id)
	if err != nil {
		return false, diag.Diagnostics{report.Export(userIDPath, err)}
	}
	return finding.Found != erasure.FoundUnproven && finding.Found != erasure.FoundDeleted, nil
}

// take writes the export of a user to dst, see [export.Take]; found is what
// [exportable] said. A user who is gone has none: exists is false. Stream's
// refusal alone does not prove that, since an unknown address is refused in the
// same way; the query must not have found the user either.
func take(
	ctx context.Context, s *session.Session, t *exportfile.Taking, id string, found bool, dst io.Writer, dir string,
) (findings export.Findings, exists bool, diags diag.Diagnostics) {
	findings, err := export.Take(ctx, s.API, id, dst, dir)
	findings.Gaps.Deletions = t.Reached(ctx)
	switch {
	case err == nil:
		diags = gaps(findings)
	case !found && stream.IsNotFound(err):
		return findings, false, nil
	case errors.Is(err, export.ErrNothingFound):
		diags.AddAttributeError(userIDPath, "Stream refuses to export this user",
			"Stream refuses its own export of this user, which it gives up to "+directLimit+", "+
				"and in the channels where the user is found there are no messages or reactions of theirs. "+
				"So the export would miss everything, and it was not kept. Nothing was changed at Stream. "+
				"Do not erase this user before an export by other means is safe: "+
				"name the channels that the person has left in a streamchat_channel_export, or ask Stream's support.")
	default:
		diags.Append(notWritten(err))
	}
	return findings, true, diags
}

// notWritten is the diagnostic of an error on the way from Stream to a file or a value.
func notWritten(err error) diag.Diagnostic {
	if errors.Is(err, export.ErrTooLarge) {
		return diag.NewAttributeErrorDiagnostic(userIDPath, "Export too large for Terraform",
			"The export of this user is larger than 16 MiB, which is no size for a value in Terraform. "+
				"Use the resource streamchat_user_export, which writes an export of any size to a file.")
	}
	return exportfile.NotWritten(userIDPath, err)
}

// gaps are the warnings about what an export is known to lack.
func gaps(found export.Findings) (diags diag.Diagnostics) {
	g := found.Gaps
	if found.Refusal != nil {
		diags.AddAttributeWarning(userIDPath, "Export assembled after a refusal", fmt.Sprintf(
			"Stream did not give its own export of this user (%s), and not in words that say it is too large. So the export was assembled from the user's channels, with complete = false. "+
				"If Stream was only disturbed, take it again with -replace before anything is erased.", found.Refusal))
	}
	if g.Lists {
		diags.AddAttributeWarning(userIDPath, "Export without a list",
			"Stream's export of this user came without its list of messages or of reactions, so that nobody can say whether there are none. It is kept, with complete = false. Take it again with -replace before anything is erased.")
	}
	if g.Limit {
		diags.AddAttributeWarning(userIDPath, "Export at Stream's limit",
			"Stream's export of this user holds exactly 10,000 messages or reactions, the most that it exports in one piece, so that it may have been cut. It is kept, with complete = false. Ask Stream's support for the whole before anything is erased.")
	}
	if g.Deletions {
		diags.Append(exportfile.Late(userIDPath))
	}
	if g.Reactions > 0 {
		diags.AddAttributeWarning(userIDPath, "Reactions not all read", fmt.Sprintf(
			"Of %d messages Stream did not give all reactions (they are deleted, or have more than 1,300), "+
				"so reactions of this user to them may be missing from the export.", g.Reactions))
	}
	if g.Search {
		diags.AddAttributeWarning(userIDPath, "Search did not help",
			"Stream's search, which finds channels that the user wrote in and has left, did not come to an end or is not available. "+
				"Messages in such channels may be missing from the export.")
	}
	return diags
}
