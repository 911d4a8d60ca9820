// Copyright (c) the terraform-provider-streamchat authors
// SPDX-License-Identifier: MPL-2.0

package channel

import (
	"context"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/erasure"
	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/lifecycle"
)

// ErasureModel is the state of a streamchat_channel_erasure.
type ErasureModel struct {
	lifecycle.One[erasure.ChannelScope]
	scopeModel
	CID types.String `tfsdk:"cid"`
}

// Subjects implements lifecycle's model.
func (m *ErasureModel) Subjects(context.Context) ([]string, bool, diag.Diagnostics) {
	return lifecycle.Subject(m.CID)
}

// ErasureBatchModel is the state of a streamchat_channel_erasure_batch.
type ErasureBatchModel struct {
	lifecycle.Many[erasure.ChannelScope]
	scopeModel
	CIDs            types.List  `tfsdk:"cids"`
	ChannelCount    types.Int64 `tfsdk:"channel_count"`
	NewChannelCount types.Int64 `tfsdk:"new_channel_count"`
}

// Subjects implements lifecycle's model.
func (m *ErasureBatchModel) Subjects(ctx context.Context) ([]string, bool, diag.Diagnostics) {
	return lifecycle.Subjects(ctx, m.CIDs)
}

// List implements lifecycle's listed.
func (m *ErasureBatchModel) List() *types.List { return &m.CIDs }

// Counts implements lifecycle's model.
func (m *ErasureBatchModel) Counts() (all, sent *types.Int64) {
	return &m.ChannelCount, &m.NewChannelCount
}

// scopeModel is what an erasure asks of Stream, for one channel or many.
type scopeModel struct {
	HardDelete types.Bool `tfsdk:"hard_delete"`
}

// Scope implements lifecycle's model.
func (m *scopeModel) Scope(context.Context) (erasure.ChannelScope, bool, diag.Diagnostics) {
	hardness, ok, diags := lifecycle.ReadHardness(m.HardDelete)
	return erasure.ChannelScope{Hardness: hardness}, ok, diags
}

// SetScope implements lifecycle's model.
func (m *scopeModel) SetScope(_ context.Context, scope erasure.ChannelScope) diag.Diagnostics {
	m.HardDelete = types.BoolValue(scope.Hard)
	return nil
}
