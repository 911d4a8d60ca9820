// Copyright (c) the terraform-provider-streamchat authors
// SPDX-License-Identifier: MPL-2.0

package channel

import (
	"context"

	"github.com/hashicorp/terraform-plugin-framework-timetypes/timetypes"
	"github.com/hashicorp/terraform-plugin-framework/attr"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/erasure"
	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/lifecycle"
)

// TruncationModel is the state of a streamchat_channel_truncation.
type TruncationModel struct {
	lifecycle.One[erasure.TruncationScope]
	CID             types.String      `tfsdk:"cid"`
	HardDelete      types.Bool        `tfsdk:"hard_delete"`
	TruncatedBefore timetypes.RFC3339 `tfsdk:"truncated_before"`
	SkipPush        types.Bool        `tfsdk:"skip_push"`
}

// Subjects implements lifecycle's model.
func (m *TruncationModel) Subjects(context.Context) ([]string, bool, diag.Diagnostics) {
	return lifecycle.Subject(m.CID)
}

// Scope implements lifecycle's model.
func (m *TruncationModel) Scope(context.Context) (scope erasure.TruncationScope, ok bool, diags diag.Diagnostics) {
	for _, option := range []struct {
		name  string
		value attr.Value
	}{{"truncated_before", m.TruncatedBefore}, {"skip_push", m.SkipPush}} {
		if option.value.IsUnknown() {
			diags.Append(lifecycle.NotKnown(path.Root(option.name)))
		}
	}
	hardness, ok, d := lifecycle.ReadHardness(m.HardDelete)
	diags.Append(d...)
	scope = erasure.TruncationScope{Hardness: hardness, SkipPush: m.SkipPush.ValueBool()}
	if !m.TruncatedBefore.IsNull() && !diags.HasError() {
		t, d := m.TruncatedBefore.ValueRFC3339Time()
		diags.Append(d...)
		scope.Before = erasure.Instant(t)
	}
	return scope, ok, diags
}

// SetScope implements lifecycle's model. The options of the call never change.
func (m *TruncationModel) SetScope(_ context.Context, scope erasure.TruncationScope) diag.Diagnostics {
	m.HardDelete = types.BoolValue(scope.Hard)
	return nil
}
