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

// Stream takes so many `POST /channels/delete` a minute (stream-api.md §1.5, of
// the single deletion; that of many is not documented).
const deletionsPerMinute = 60

type erasureBatchResource struct {
	record.BatchResource[erasure.ChannelScope, ErasureBatchModel, *ErasureBatchModel]
}

var (
	_ resource.ResourceWithModifyPlan = (*erasureBatchResource)(nil)
	_ resource.ResourceWithConfigure  = (*erasureBatchResource)(nil)
)

// NewErasureBatch makes the resource streamchat_channel_erasure_batch.
func NewErasureBatch() resource.Resource {
	return &erasureBatchResource{record.BatchResource[erasure.ChannelScope, ErasureBatchModel, *ErasureBatchModel]{
		Noun: record.Noun[erasure.ChannelScope, ErasureBatchModel]{
			TypeName: ErasureType + "_batch",
			Subject:  "cids",
			Description: "Erases up to 1,000 channels at Stream, each once, and is the record of all of them.\n\n" +
				"!> With `hard_delete = true` the channels are gone for good, with the messages, reactions and memberships of everybody who was in them. Neither this provider nor Stream can bring them back.\n\n" +
				"Up to 100 channels share one delete call. The batch may grow in place: adding one cid sends one cid. If some channels fail, the apply fails, the evidence of the others is kept, and the next apply goes on with those that are missing. " +
				"Terraform then shows the batch as tainted and to be replaced: that replaces the record only and sends no channel twice. " +
				"An interrupt in the middle of a replacement loses the record, because Terraform drops the old one first; `terraform untaint` makes it an update in place, which keeps everything.\n\n" + notCovered,
			Attributes: map[string]schema.Attribute{
				"cids":              record.SubjectList("The channels to erase, as `type:id`.", channelCID),
				"hard_delete":       hardDelete(),
				"channel_count":     schema.Int64Attribute{Computed: true, MarkdownDescription: "How many channels the list holds. Known in the plan."},
				"new_channel_count": schema.Int64Attribute{Computed: true, MarkdownDescription: "How many of them the last plan that sent anything was to send. Known in the plan."},
			},
			Engine:   engine,
			Goes:     goes,
			Finality: finality,
		},
		CallsPerMinute: func(*session.Session) int { return deletionsPerMinute },
	}}
}
