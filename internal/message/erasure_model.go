// Copyright (c) the terraform-provider-streamchat authors
// SPDX-License-Identifier: MPL-2.0

package message

import (
	"context"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/erasure"
	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/record"
)

// ErasureModel is the state of a streamchat_message_erasure.
type ErasureModel struct {
	record.Base
	MessageID  types.String `tfsdk:"message_id"`
	HardDelete types.Bool   `tfsdk:"hard_delete"`
}

// Subject implements record.Model.
func (m *ErasureModel) Subject() types.String { return m.MessageID }

// Scope implements record.Model.
func (m *ErasureModel) Scope(context.Context) (erasure.MessageScope, bool, diag.Diagnostics) {
	hardness, ok, diags := record.ReadHardness(m.HardDelete)
	return erasure.MessageScope{Hardness: hardness}, ok, diags
}

// SetScope implements record.Model.
func (m *ErasureModel) SetScope(_ context.Context, scope erasure.MessageScope) diag.Diagnostics {
	m.HardDelete = types.BoolValue(scope.Hard)
	return nil
}
