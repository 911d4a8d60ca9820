// Copyright (c) the terraform-provider-streamchat authors
// SPDX-License-Identifier: MPL-2.0

package channel

import (
	"github.com/hashicorp/terraform-plugin-framework-timetypes/timetypes"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/booldefault"

	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/erasure"
	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/lifecycle"
	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/session"
)

// TruncationType is the resource type of a channel's truncation.
const TruncationType = "streamchat_channel_truncation"

// NewTruncation makes the resource streamchat_channel_truncation.
func NewTruncation() resource.Resource {
	return lifecycle.NewSingle[TruncationModel](lifecycle.Noun[erasure.TruncationScope]{
		TypeName: TruncationType, Subject: "cid", ID: channelCID,
		Description: describe(TruncationType),
		Attributes: map[string]schema.Attribute{
			"cid":         schema.StringAttribute{Required: true, MarkdownDescription: describe("truncation.cid"), Validators: CIDValidators()},
			"hard_delete": lifecycle.HardDelete("the messages are removed for good.", "they are hidden; Stream keeps them."),
			"truncated_before": schema.StringAttribute{
				Optional: true, CustomType: timetypes.RFC3339Type{}, MarkdownDescription: describe("truncated_before"),
			},
			"skip_push": schema.BoolAttribute{
				Optional: true, Computed: true, Default: booldefault.StaticBool(false), MarkdownDescription: describe("skip_push"),
			},
		},
		Engine:         func(s *session.Session) *erasure.Engine[erasure.TruncationScope] { return s.Truncations },
		Effect:         truncates,
		Deed:           "hard_delete",
		CallsPerMinute: func(*session.Session) int { return callsPerMinute },
		NoImport: [2]string{"Truncations cannot be imported", "Stream says when a channel was truncated, not how, so there is no proof to adopt. Nothing was changed. " +
			"To truncate the channel, remove the import and apply the resource block."},
	})
}

// truncates says in words what a scope takes, for the plan's warning.
func truncates(s erasure.TruncationScope) string {
	which := "all messages that the channel holds when the call is sent"
	if s.Before != "" {
		which = "all messages of the channel written up to truncated_before"
	}
	if s.Hard {
		return "Will be gone for good: " + which + ", with their reactions. The channel stays."
	}
	return "Hidden: " + which + ". Stream keeps them. The channel stays."
}
