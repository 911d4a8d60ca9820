// Copyright (c) the terraform-provider-streamchat authors
// SPDX-License-Identifier: MPL-2.0

package channel

import (
	"context"

	"github.com/hashicorp/terraform-plugin-framework-timetypes/timetypes"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/booldefault"

	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/erasure"
	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/record"
	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/session"
)

// TruncationType is the resource type of a channel's truncation.
const TruncationType = "streamchat_channel_truncation"

type truncationResource struct {
	record.Resource[erasure.TruncationScope, TruncationModel, *TruncationModel]
}

var (
	_ resource.ResourceWithModifyPlan  = (*truncationResource)(nil)
	_ resource.ResourceWithImportState = (*truncationResource)(nil)
	_ resource.ResourceWithIdentity    = (*truncationResource)(nil)
	_ resource.ResourceWithConfigure   = (*truncationResource)(nil)
)

// NewTruncation makes the resource streamchat_channel_truncation.
func NewTruncation() resource.Resource {
	return &truncationResource{record.Resource[erasure.TruncationScope, TruncationModel, *TruncationModel]{Noun: record.Noun[erasure.TruncationScope, TruncationModel]{
		TypeName: TruncationType,
		Subject:  "cid",
		Description: "Erases the messages of one channel at Stream, once, keeps the channel and its members, and is the record of it.\n\n" +
			"!> With `hard_delete = true` the messages are gone for good, with their reactions, whoever wrote them. Neither this provider nor Stream can bring them back.\n\n" +
			"-> With `hard_delete = false` nobody sees the messages any more, but **Stream keeps them**: a back end can still export them. That is not an erasure in the sense of the GDPR.\n\n" +
			"Applying the block sends `POST /channels/{type}/{id}/truncate`. Stream has no task for it: `completed` means that Stream accepted it and that the channel shows a truncation up to that time. " +
			"Of a hard one Stream drops the rows in its own time, shortly afterwards, and gives no sign of it. " +
			"Destroying the block forgets the record and sends nothing. Once a record is completed and hard, plans make no call for it. A later truncation of the same channel is another block.\n\n" +
			"What stays at Stream (`not_covered`): the channel (`channel_data`), its `users`, `later_messages`, files and images (`uploads`), `polls`, what was flagged (`moderation_logs`), edits (`message_history`), `exports_kept_60_days` and what your own systems got (`webhook_copies`); " +
			"without `hard_delete` also everything that was written (`message_content`).",
		Attributes: map[string]schema.Attribute{
			"cid": schema.StringAttribute{
				Required:            true,
				MarkdownDescription: "The channel to truncate, as `type:id`. Cannot change once submitted: remove the block and add another.",
				Validators:          CIDValidators(),
			},
			"hard_delete": record.HardDelete("the messages are removed for good.", "they are hidden; Stream keeps them."),
			"truncated_before": schema.StringAttribute{
				Optional: true, CustomType: timetypes.RFC3339Type{},
				MarkdownDescription: "Erase what was written up to this time, RFC 3339. It must have passed, and must not be earlier than an earlier truncation. Default: everything that is there when the call is sent, also when `hard_delete` is raised later. Cannot change once submitted.",
			},
			"skip_push": schema.BoolAttribute{
				Optional: true, Computed: true, Default: booldefault.StaticBool(false),
				MarkdownDescription: "Ask Stream to send no push notification about it. Default false. Cannot change once submitted.",
			},
		},
		ValidID: channelCID.Problem,
		Engine:  func(s *session.Session) *erasure.Engine[erasure.TruncationScope] { return s.Truncations },
		Goes:    truncates,
	}}}
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

// ImportState implements resource.ResourceWithImportState: it refuses.
func (*truncationResource) ImportState(_ context.Context, _ resource.ImportStateRequest, resp *resource.ImportStateResponse) {
	resp.Diagnostics.AddAttributeError(path.Root("cid"), "Truncations cannot be imported",
		"Stream says when a channel was truncated, not how, so there is no proof to adopt. Nothing was changed. To truncate the channel, remove the import and apply the resource block.")
}
