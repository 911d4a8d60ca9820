// Copyright (c) the terraform-provider-streamchat authors
// SPDX-License-Identifier: MPL-2.0

package exportfile

import (
	"context"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/privatefile"
	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/session"
)

// Check is what can be said of a file before anything is known of Stream.
func Check(ctx context.Context, file types.String, to types.List) diag.Diagnostics {
	_, diags := recipients(ctx, to)
	return append(diags, misplaced(file, to)...)
}

// Alone is the file of an export that no record stands for: what is there already is
// never its own.
type Alone struct {
	Path          types.String
	AgeRecipients types.List
	Overwrite     types.Bool
}

// Plan refuses a file that is there already. Without a path that is known it waits.
func (a Alone) Plan(subject path.Path) (diags diag.Diagnostics) {
	if a.Path.IsUnknown() || a.Overwrite.IsUnknown() {
		return nil
	}
	if diags = misplaced(a.Path, a.AgeRecipients); diags.HasError() {
		return diags
	}
	diags.Append(exposed(a.Path, a.AgeRecipients)...)
	switch _, there, err := privatefile.Existing(a.Path.ValueString()); {
	case err != nil:
		diags.Append(NotWritten(subject, err))
	case there && a.Overwrite.ValueBool():
		diags.Append(warning(pathPath, "Existing file will be replaced"))
	case there:
		diags.Append(refusal(pathPath, "File exists already"))
	}
	return diags
}

// Begin starts the file. Everything must be known. Whoever begins defers [Discard].
func (a Alone) Begin(ctx context.Context, s *session.Session, subject path.Path) (*privatefile.File, diag.Diagnostics) {
	return a.begin(ctx, s, subject, "")
}

// begin starts a file that may replace the one with the hash own.
func (a Alone) begin(ctx context.Context, s *session.Session, subject path.Path, own string) (*privatefile.File, diag.Diagnostics) {
	to, diags := recipients(ctx, a.AgeRecipients)
	diags.Append(misplaced(a.Path, a.AgeRecipients)...)
	if diags.HasError() {
		return nil, diags
	}
	target := privatefile.Target{Path: a.Path.ValueString(), Overwrite: a.Overwrite.ValueBool(), Own: own}
	file, err := privatefile.Begin(ctx, target, to)
	if err != nil {
		return nil, append(diags, NotWritten(subject, err))
	}
	// Again, now that all directories are there: links may lead elsewhere than in the plan.
	if !s.Claims.First("file written", privatefile.Resolve(target.Path)) {
		diags.Append(refusal(pathPath, "The same file twice"))
		Discard(file, &diags)
		return nil, diags
	}
	return file, diags
}
