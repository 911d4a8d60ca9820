// Copyright (c) the terraform-provider-streamchat authors
// SPDX-License-Identifier: MPL-2.0

package channel

import (
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema"

	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/erasure"
	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/record"
	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/session"
)

// ErasureType is the resource type of a channel's erasure.
const ErasureType = "streamchat_channel_erasure"

type erasureResource struct {
	record.Resource[erasure.ChannelScope, ErasureModel, *ErasureModel]
}

var (
	_ resource.ResourceWithModifyPlan  = (*erasureResource)(nil)
	_ resource.ResourceWithImportState = (*erasureResource)(nil)
	_ resource.ResourceWithIdentity    = (*erasureResource)(nil)
	_ resource.ResourceWithConfigure   = (*erasureResource)(nil)
)

// NewErasure makes the resource streamchat_channel_erasure.
func NewErasure() resource.Resource {
	return &erasureResource{record.Resource[erasure.ChannelScope, ErasureModel, *ErasureModel]{Noun: record.Noun[erasure.ChannelScope, ErasureModel]{
		TypeName: ErasureType,
		Subject:  "cid",
		Description: "Erases one channel at Stream, once, and is the record of it.\n\n" +
			"!> With `hard_delete = true` the channel is gone for good, with the messages, reactions and memberships of everybody who was in it. Neither this provider nor Stream can bring them back.\n\n" +
			"-> With `hard_delete = false` nobody sees the channel any more, but **Stream keeps its messages**: a back end can still export them. That is not an erasure in the sense of the GDPR. " +
			"Whoever queries the channel by its cid revives it, without its messages; the next plan then shows `status = \"reverted\"`.\n\n" +
			"Applying the block sends `POST /channels/delete` and waits for Stream's task. The state then says what was asked, what was found, under which task, what came of it and when. " +
			"Destroying the block forgets the record and sends nothing. Once a record is completed and hard, plans make no call for it.\n\n" +
			"Stream does not tell a deleted channel from one that never existed. A channel that it does not find fails in the plan, so that a misspelt cid does not pass for an erasure; one that was deleted by other means can be imported.\n\n" + notCovered,
		Attributes: map[string]schema.Attribute{
			"cid": schema.StringAttribute{
				Required:            true,
				MarkdownDescription: "The channel to erase, as `type:id`. Cannot change once submitted: remove the block and add another.",
				Validators:          CIDValidators(),
			},
			"hard_delete": hardDelete(),
		},
		ValidID:  channelCID.Problem,
		Engine:   engine,
		Goes:     goes,
		Finality: finality,
	}}}
}

func engine(s *session.Session) *erasure.Engine[erasure.ChannelScope] { return s.Channels }

func hardDelete() schema.Attribute {
	return record.HardDelete("removed for good, with all messages, reactions and memberships.", "hidden; Stream keeps the channel and its messages.")
}

const (
	finality = "It goes for everybody who was in it."

	notCovered = "What stays at Stream (`not_covered`): the `users` who were in it, files and images (`uploads`), `polls`, what was flagged (`moderation_logs`), edits (`message_history`), `exports_kept_60_days` and what your own systems got (`webhook_copies`); " +
		"without `hard_delete` also the channel's own fields and members (`channel_data`) and everything that was written in it (`message_content`)."
)

// goes says in words what a scope takes, for the plan's warning.
func goes(s erasure.ChannelScope) string {
	if s.Hard {
		return "Will be gone for good: the channel with all messages, reactions and memberships."
	}
	return "Will be marked as deleted: the channel. Stream keeps its messages."
}
