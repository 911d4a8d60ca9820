// Copyright (c) the terraform-provider-streamchat authors
// SPDX-License-Identifier: MPL-2.0

package user

import (
	"context"
	"errors"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"

	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/erasure"
	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/export"
	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/report"
	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/session"
	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/stream"
)

// methodDirect is Stream's own export of one user, complete by definition.
const methodDirect = "direct"

// directLimit is where Stream refuses its own export (stream-api.md §7.1).
const directLimit = "10,000 messages or reactions"

// takeExport reads the export of a user. A user who is gone has none: exists is
// false. Stream's refusal alone does not prove that, since an unknown address is
// refused in the same way; the look-up must not find the user either.
func takeExport(ctx context.Context, s *session.Session, id string) (document export.Document, exists bool, diags diag.Diagnostics) {
	at := path.Root("user_id")
	if diags := s.Ready(); diags.HasError() {
		return document, false, diags
	}
	finding, err := s.Users.LookUp(ctx, id)
	if err != nil {
		return document, false, diag.Diagnostics{report.Error(at, err)}
	}
	body, err := s.API.ExportUser(ctx, id)
	var e *stream.Error
	switch {
	case err == nil:
	case errors.As(err, &e) && e.Kind == stream.KindNotFound && finding.Found == erasure.FoundUnproven:
		return document, false, nil
	case errors.As(err, &e) && e.Kind == stream.KindInput:
		diags.AddAttributeError(at, "Stream refuses to export this user",
			"Stream exports a user in one piece only up to "+directLimit+", which is the usual reason for this refusal ("+e.Error()+"). Nothing was changed at Stream and no file was written. "+
				"Do not erase this user before an export by other means (POST /export_channels) is safe.")
		return document, false, diags
	default:
		return document, false, diag.Diagnostics{report.Error(at, err)}
	}
	document, err = export.Parse(body)
	if err != nil {
		diags.AddAttributeError(at, "Unreadable export", "Stream's export of this user is not what its API promises: "+err.Error()+". Nothing was changed at Stream and no file was written.")
	}
	return document, true, diags
}
