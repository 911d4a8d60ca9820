// Copyright (c) the terraform-provider-streamchat authors
// SPDX-License-Identifier: MPL-2.0

package user

import (
	"context"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/erasure"
	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/lifecycle"
)

// ErasureModel is the state of a streamchat_user_erasure.
type ErasureModel struct {
	lifecycle.One[erasure.UserScope]
	scopeModel
	person
	activity
	lifecycle.Stages
	ExpectedWO types.Map `tfsdk:"expected_wo"`
}

// Conditions implements lifecycle's veiled.
func (m *ErasureModel) Conditions(context.Context) (*erasure.Conditions, diag.Diagnostics) {
	return m.conditions(m.ExpectedWO)
}

// ErasureBatchModel is the state of a streamchat_user_erasure_batch.
type ErasureBatchModel struct {
	lifecycle.Many[erasure.UserScope]
	scopeModel
	people
	activity
	lifecycle.Stages
	UserCount    types.Int64 `tfsdk:"user_count"`
	NewUserCount types.Int64 `tfsdk:"new_user_count"`
}

// Subjects implements lifecycle's model.
func (m *ErasureBatchModel) Subjects(ctx context.Context) ([]string, bool, diag.Diagnostics) {
	if !m.Named() {
		return m.Keys(), true, nil
	}
	return lifecycle.Subjects(ctx, m.UserIDs)
}

// Conditions implements lifecycle's veiled.
func (m *ErasureBatchModel) Conditions(context.Context) (*erasure.Conditions, diag.Diagnostics) {
	return m.conditions(types.MapNull(types.StringType))
}

// List implements lifecycle's listed.
func (m *ErasureBatchModel) List() *types.List { return &m.UserIDs }

// Counts implements lifecycle's model.
func (m *ErasureBatchModel) Counts() (all, sent *types.Int64) { return &m.UserCount, &m.NewUserCount }

// scopeModel is what an erasure asks of Stream, for one user or many.
type scopeModel struct {
	Delete            types.Object `tfsdk:"delete"`
	NewChannelOwnerID types.String `tfsdk:"new_channel_owner_id"`
	NewCallOwnerID    types.String `tfsdk:"new_call_owner_id"`
	RevokeTokens      types.Bool   `tfsdk:"revoke_tokens"`
}

// Scope implements lifecycle's model.
func (m *scopeModel) Scope(ctx context.Context) (erasure.UserScope, bool, diag.Diagnostics) {
	scope, ok, diags := readScope(ctx, m.Delete)
	scope.NewChannelOwnerID = m.NewChannelOwnerID.ValueString()
	scope.NewCallOwnerID = m.NewCallOwnerID.ValueString()
	scope.RevokeTokens = m.RevokeTokens.ValueBool()
	return scope, ok, diags
}

// SetScope implements lifecycle's model.
func (m *scopeModel) SetScope(ctx context.Context, scope erasure.UserScope) (diags diag.Diagnostics) {
	m.Delete, diags = writeScope(ctx, scope)
	return diags
}
