// Copyright (c) the terraform-provider-streamchat authors
// SPDX-License-Identifier: MPL-2.0

package channel

import (
	_ "embed"
	"maps"

	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema"

	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/erasure"
	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/lifecycle"
	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/prose"
	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/session"
)

// ErasureType is the resource type of a channel's erasure.
const ErasureType = "streamchat_channel_erasure"

// callsPerMinute is Stream's limit of deletions and of truncations (stream-api.md §1.5;
// that of `POST /channels/delete` is not documented).
const callsPerMinute = 60

//go:embed descriptions.md
var descriptions string

var describe = prose.Text(descriptions)

// NewErasure makes the resource streamchat_channel_erasure.
func NewErasure() resource.Resource {
	return lifecycle.NewSingle[ErasureModel](noun(ErasureType, "cid", schema.StringAttribute{
		Required: true, MarkdownDescription: describe("cid"), Validators: CIDValidators(),
	}, nil))
}

// NewErasureBatch makes the resource streamchat_channel_erasure_batch.
func NewErasureBatch() resource.Resource {
	return lifecycle.NewBatch[ErasureBatchModel](noun(ErasureType+"_batch", "cids", lifecycle.SubjectList(describe("cids"), channelCID), map[string]schema.Attribute{
		"channel_count":     schema.Int64Attribute{Computed: true, MarkdownDescription: describe("channel_count")},
		"new_channel_count": schema.Int64Attribute{Computed: true, MarkdownDescription: describe("new_channel_count")},
	}))
}

// noun is the erasure of channels, of one or of many.
func noun(typeName, subject string, subjects schema.Attribute, more map[string]schema.Attribute) lifecycle.Noun[erasure.ChannelScope] {
	attributes := map[string]schema.Attribute{
		subject: subjects,
		"hard_delete": lifecycle.HardDelete("removed for good, with all messages, reactions and memberships.",
			"hidden; Stream keeps the channel and its messages."),
	}
	maps.Copy(attributes, more)
	return lifecycle.Noun[erasure.ChannelScope]{
		TypeName: typeName, Subject: subject, ID: channelCID,
		Description:    describe(typeName) + "\n\n" + describe("not_covered"),
		Attributes:     attributes,
		Engine:         func(s *session.Session) *erasure.Engine[erasure.ChannelScope] { return s.Channels },
		Effect:         effect,
		Caveat:         "It goes for everybody who was in it.",
		Deed:           "hard_delete",
		CallsPerMinute: func(*session.Session) int { return callsPerMinute },
	}
}

// effect says in words what a scope takes, for the plan's warning.
func effect(s erasure.ChannelScope) string {
	if s.Hard {
		return "Will be gone for good: the channel with all messages, reactions and memberships."
	}
	return "Will be marked as deleted: the channel. Stream keeps its messages."
}
