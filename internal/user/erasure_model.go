// Copyright (c) the terraform-provider-streamchat authors
// SPDX-License-Identifier: MPL-2.0

package user

import (
	"context"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/erasure"
	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/record"
)

// ErasureModel is the state of a streamchat_user_erasure.
type ErasureModel struct {
	record.Base
	UserID            types.String `tfsdk:"user_id"`
	Delete            types.Object `tfsdk:"delete"`
	NewChannelOwnerID types.String `tfsdk:"new_channel_owner_id"`
	NewCallOwnerID    types.String `tfsdk:"new_call_owner_id"`
	RevokeTokens      types.Bool   `tfsdk:"revoke_tokens"`
}

// Subject implements record.Model.
func (m *ErasureModel) Subject() types.String { return m.UserID }

// Scope implements record.Model.
func (m *ErasureModel) Scope(ctx context.Context) (erasure.UserScope, bool, diag.Diagnostics) {
	scope, ok, diags := readScope(ctx, m.Delete)
	scope.NewChannelOwnerID = m.NewChannelOwnerID.ValueString()
	scope.NewCallOwnerID = m.NewCallOwnerID.ValueString()
	scope.RevokeTokens = m.RevokeTokens.ValueBool()
	return scope, ok, diags
}

// SetScope implements record.Model.
func (m *ErasureModel) SetScope(ctx context.Context, scope erasure.UserScope) (diags diag.Diagnostics) {
	m.Delete, diags = writeScope(ctx, scope)
	return diags
}
