// Copyright (c) the terraform-provider-streamchat authors
// SPDX-License-Identifier: MPL-2.0

package user

import (
	"context"
	"errors"
	"fmt"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"

	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/erasure"
	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/export"
	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/report"
	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/session"
	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/stream"
)

// How an export was taken.
const (
	methodDirect    = "direct"    // Stream's own, complete by definition
	methodAssembled = "assembled" // from channel exports
)

// directLimit is where Stream refuses its own export (stream-api.md §7.1).
const directLimit = "10,000 messages or reactions"

// How the export was taken, for both schemas.
const (
	methodDescription   = "How it was taken: `direct`, Stream's own export of one user, or `assembled` from exports of the user's channels, because Stream refused its own."
	completeDescription = "Whether the export is Stream's own, which holds everything by definition. An assembled one is never called complete; it can miss " + missable + "."
)

// source is the export of a user, ready to be written.
type source struct {
	method   string
	document export.Document // of a direct one
	assembly *assembly
}

// write writes the export; dir is for export.NewAssembler.
func (s *source) write(ctx context.Context, w *export.Writer, dir string) error {
	if s.assembly != nil {
		return s.assembly.write(ctx, w, dir)
	}
	return w.Document(s.document)
}

func (s *source) complete() bool { return s.method == methodDirect }

// findExport finds the way to the export of a user: Stream's own or, where
// Stream refuses that because of its size, one to be assembled. A user who is
// gone has none: exists is false. Stream's refusal alone does not prove that,
// since an unknown address is refused in the same way; the look-up must not find
// the user either.
func findExport(ctx context.Context, s *session.Session, id string) (from source, exists bool, diags diag.Diagnostics) {
	at := path.Root("user_id")
	if diags := s.Ready(); diags.HasError() {
		return from, false, diags
	}
	finding, err := s.Users.LookUp(ctx, id)
	if err != nil {
		return from, false, diag.Diagnostics{report.Export(at, err)}
	}
	whole, err := s.API.ExportUser(ctx, id)
	var e *stream.Error
	switch {
	case err == nil:
		from.method = methodDirect
		if from.document, err = export.NewDocument(whole); err != nil {
			diags.AddAttributeError(at, "Unreadable export", "Stream's export of this user is not what its API promises: "+err.Error()+". Nothing was changed at Stream and no file was written.")
		}
		return from, true, diags
	case errors.As(err, &e) && e.Kind == stream.KindNotFound && finding.Found == erasure.FoundUnproven:
		return from, false, nil
	case !errors.As(err, &e) || e.Kind != stream.KindInput || e.Code == 0:
		return from, false, diag.Diagnostics{report.Export(at, err)}
	}
	from.method = methodAssembled
	if from.assembly, err = findChannels(ctx, s.API, id); err != nil {
		return from, false, diag.Diagnostics{report.Export(at, err)}
	}
	return from, true, nil
}

// findings are the diagnostics of an export that was written: what an assembled
// one is known to lack. One with nothing in it is an error, because Stream's
// refusal means that there is a lot.
func (s *source) findings(counts export.Counts) (diags diag.Diagnostics) {
	if s.assembly == nil {
		return nil
	}
	at := path.Root("user_id")
	if counts.Messages == 0 && counts.Reactions == 0 {
		diags.AddAttributeError(at, "Stream refuses to export this user",
			"Stream refuses its own export of this user, which it gives up to "+directLimit+", and in the channels where the user is found there are no messages or reactions of theirs. "+
				"So the export would miss everything, and it was not kept. Nothing was changed at Stream. "+
				"Do not erase this user before an export by other means is safe: name the channels that the person has left in a streamchat_channel_export, or ask Stream's support.")
		return diags
	}
	if s.assembly.unread > 0 {
		diags.AddAttributeWarning(at, "Reactions not all read", fmt.Sprintf(
			"Of %d messages Stream did not give all reactions (they are deleted, or have more than 1,300), so reactions of this user to them may be missing from the export.", s.assembly.unread))
	}
	if !s.assembly.searchEnded {
		diags.AddAttributeWarning(at, "Search did not help", "Stream's search, which finds channels that the user wrote in and has left, did not come to an end or is not available. "+
			"Messages in such channels may be missing from the export.")
	}
	return diags
}
