// Copyright (c) the terraform-provider-streamchat authors
// SPDX-License-Identifier: MPL-2.0

package function

import (
	"context"
	"time"

	"github.com/hashicorp/terraform-plugin-framework/attr"
	"github.com/hashicorp/terraform-plugin-framework/function"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/export"
)

type exportSummary struct{}

type summaryModel struct {
	MessageCount    int64        `tfsdk:"message_count"`
	ReactionCount   int64        `tfsdk:"reaction_count"`
	AttachmentCount int64        `tfsdk:"attachment_count"`
	ChannelCount    int64        `tfsdk:"channel_count"`
	FirstMessageAt  types.String `tfsdk:"first_message_at"`
	LastMessageAt   types.String `tfsdk:"last_message_at"`
}

var summaryType = map[string]attr.Type{
	"message_count": types.Int64Type, "reaction_count": types.Int64Type, "attachment_count": types.Int64Type, "channel_count": types.Int64Type,
	"first_message_at": types.StringType, "last_message_at": types.StringType,
}

// Metadata implements function.Function.
func (exportSummary) Metadata(_ context.Context, _ function.MetadataRequest, resp *function.MetadataResponse) {
	resp.Name = "export_summary"
}

// Definition implements function.Function.
func (exportSummary) Definition(_ context.Context, _ function.DefinitionRequest, resp *function.DefinitionResponse) {
	resp.Definition = define("export_summary", "What a user's export holds, without any of it",
		function.ObjectReturn{AttributeTypes: summaryType}, nullable("export_summary", "json"))
}

// Run implements function.Function.
func (exportSummary) Run(ctx context.Context, req function.RunRequest, resp *function.RunResponse) {
	var document types.String
	if !arguments(ctx, req, resp, &document) {
		return
	}
	if document.IsNull() {
		give(ctx, resp, types.ObjectNull(summaryType))
		return
	}
	s, err := export.Describe(document.ValueString())
	if err != nil { // its words are fixed
		resp.Error = function.NewArgumentFuncError(0, "This is not the JSON of a user's export: "+err.Error())
		return
	}
	give(ctx, resp, summaryModel{
		MessageCount: s.Messages, ReactionCount: s.Reactions, AttachmentCount: s.Attachments, ChannelCount: s.Channels,
		FirstMessageAt: instant(s.FirstMessage), LastMessageAt: instant(s.LastMessage),
	})
}

func instant(t time.Time) types.String {
	if t.IsZero() {
		return types.StringNull()
	}
	return types.StringValue(t.UTC().Format(time.RFC3339Nano))
}
