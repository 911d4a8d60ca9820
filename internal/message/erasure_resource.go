// Copyright (c) the terraform-provider-streamchat authors
// SPDX-License-Identifier: MPL-2.0

// Package message holds what Terraform sees of Stream's messages: their erasure.
package message

import (
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema"

	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/erasure"
	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/record"
	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/session"
	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/stream"
)

// ErasureType is the resource type of a message's erasure.
const ErasureType = "streamchat_message_erasure"

type erasureResource struct {
	record.Resource[erasure.MessageScope, ErasureModel, *ErasureModel]
}

var (
	_ resource.ResourceWithModifyPlan  = (*erasureResource)(nil)
	_ resource.ResourceWithImportState = (*erasureResource)(nil)
	_ resource.ResourceWithIdentity    = (*erasureResource)(nil)
	_ resource.ResourceWithConfigure   = (*erasureResource)(nil)
)

var idRule = record.ID{
	Name: "message id", Rule: "a message id is 1 to 255 characters without comma and percent sign, as Stream requires, and neither \".\" nor \"..\"",
	Valid: stream.ValidMessageID,
}

// NewErasure makes the resource streamchat_message_erasure.
func NewErasure() resource.Resource {
	return &erasureResource{record.Resource[erasure.MessageScope, ErasureModel, *ErasureModel]{Noun: record.Noun[erasure.MessageScope, ErasureModel]{
		TypeName: ErasureType,
		Subject:  "message_id",
		Description: "Erases one message at Stream, once, and is the record of it.\n\n" +
			"!> With `hard_delete = true` the message is gone for good, with its reactions and **all replies to it**, also those of others. Neither this provider nor Stream can bring them back.\n\n" +
			"-> With `hard_delete = false` a tombstone stays in the channel and **Stream keeps the text**: a back end reads it with `GET /messages/{id}?show_deleted_message=true` and can undelete the message. That is not an erasure in the sense of the GDPR. " +
			"A message that is undeleted shows up in the next plan as `status = \"reverted\"`.\n\n" +
			"Applying the block sends `DELETE /messages/{id}`, which Stream carries out at once, and looks the message up again. The state then says what was asked, what was found, what came of it and when. " +
			"Destroying the block forgets the record and sends nothing. Once a record is completed and hard, plans make no call for it.\n\n" +
			"Stream does not tell a message that was deleted for good from one that never existed. A message that it does not find fails in the plan, so that a misspelt id does not pass for an erasure; one that was deleted by other means can be imported. " +
			"Of a tombstone the import records `hard_delete = false`, since that is what Stream shows.\n\n" +
			"What stays at Stream (`not_covered`): the files of its attachments (`uploads`), its poll (`polls`), `mentions_and_quotes` in other messages, what was flagged (`moderation_logs`), edits (`message_history`), `exports_kept_60_days` and what your own systems got (`webhook_copies`); " +
			"without `hard_delete` also the `message_content`, its `reactions` and the `replies`.",
		Attributes: map[string]schema.Attribute{
			"message_id": schema.StringAttribute{
				Required:            true,
				MarkdownDescription: "The message to erase. Cannot change once submitted: remove the block and add another.",
				Validators:          idRule.Validators(),
			},
			"hard_delete": record.HardDelete("removed for good, with its reactions and all replies to it.", "a tombstone stays, and Stream keeps the text."),
		},
		ValidID:  idRule.Problem,
		Engine:   func(s *session.Session) *erasure.Engine[erasure.MessageScope] { return s.Messages },
		Goes:     goes,
		Finality: "Replies go with it, also those of others.",
	}}}
}

// goes says in words what a scope takes, for the plan's warning.
func goes(s erasure.MessageScope) string {
	if s.Hard {
		return "Will be gone for good: the message, its reactions and all replies to it."
	}
	return "Will be marked as deleted: the message. Stream keeps its text."
}
