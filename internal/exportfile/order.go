// Copyright (c) the terraform-provider-streamchat authors
// SPDX-License-Identifier: MPL-2.0

package exportfile

import (
	"context"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema"

	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/erasure"
	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/lifecycle"
	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/report"
	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/session"
)

// Ahead refuses an export that a plan takes beside a deletion that reaches into it and of
// which nothing says that it comes later. at is the attribute that names what is exported.
func Ahead(ctx context.Context, s *session.Session, at path.Path, e erasure.Export) diag.Diagnostics {
	switch unordered, err := s.Order.Plan(ctx, e); {
	case err != nil:
		return diag.Diagnostics{report.Export(at, err)}
	case unordered && e.Nameless:
		return diag.Diagnostics{refusal(at, "Export beside an erasure")}
	case unordered:
		return diag.Diagnostics{refusal(at, "Export and erasure side by side")}
	}
	return nil
}

// Complete is the attribute of an export of channels that says whether a deletion came
// before it.
func Complete() schema.Attribute { return Fact(describe("complete")) }

// Taking is an export under way.
type Taking struct {
	*erasure.Taking
	unlock func()
}

// End ends it; see [erasure.Taking.End].
func (t *Taking) End(taken bool) {
	t.Taking.End(taken)
	t.unlock()
}

// Take begins an export. What it reads is kept from the deletions of the run until it ends:
// those that only the apply knows to reach into it are not kept apart by the plan.
func Take(ctx context.Context, s *session.Session, at path.Path, e erasure.Export) (*Taking, diag.Diagnostics) {
	kind, ids := "user", e.Users
	if len(e.Channels) > 0 {
		kind, ids = "channel", e.Channels
	}
	unlock, diags := lifecycle.Lock(ctx, s, at, kind, ids)
	if !diags.HasError() {
		taking, err := s.Order.Take(ctx, e)
		if err == nil {
			return &Taking{taking, unlock}, diags
		}
		diags.Append(report.Export(at, err))
	}
	unlock()
	return nil, diags
}

// Late is the warning of an export that a deletion of the same run came before.
func Late(at path.Path) diag.Diagnostic { return warning(at, "A deletion came before the export") }
