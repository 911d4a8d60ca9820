// Copyright (c) the terraform-provider-streamchat authors
// SPDX-License-Identifier: MPL-2.0

package message

import (
	"context"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/erasure"
	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/lifecycle"
)

// ErasureModel is the state of a streamchat_message_erasure.
type ErasureModel struct {
	lifecycle.One[erasure.MessageScope]
	MessageID  types.String `tfsdk:"message_id"`
	HardDelete types.Bool   `tfsdk:"hard_delete"`
}

// Subjects implements lifecycle's model.
func (m *ErasureModel) Subjects(context.Context) ([]string, bool, diag.Diagnostics) {
	return lifecycle.Subject(m.MessageID)
}

// Scope implements lifecycle's model.
func (m *ErasureModel) Scope(context.Context) (erasure.MessageScope, bool, diag.Diagnostics) {
	hardness, ok, diags := lifecycle.ReadHardness(m.HardDelete)
	return erasure.MessageScope{Hardness: hardness}, ok, diags
}

// SetScope implements lifecycle's model.
func (m *ErasureModel) SetScope(_ context.Context, scope erasure.MessageScope) diag.Diagnostics {
	m.HardDelete = types.BoolValue(scope.Hard)
	return nil
}
