// Copyright (c) the terraform-provider-streamchat authors
// SPDX-License-Identifier: MPL-2.0

// Package message holds what Terraform sees of Stream's messages: their erasure.
package message

import (
	_ "embed"

	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema"

	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/erasure"
	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/lifecycle"
	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/prose"
	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/session"
	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/stream"
)

// ErasureType is the resource type of a message's erasure.
const ErasureType = "streamchat_message_erasure"

// callsPerMinute is Stream's limit (stream-api.md §1.5).
const callsPerMinute = 1000

//go:embed descriptions.md
var descriptions string

var idRule = lifecycle.ID{
	Name: "message id", Rule: "a message id is 1 to 255 characters without comma and percent sign, as Stream requires, and neither \".\" nor \"..\"",
	Valid: stream.ValidMessageID,
}

// NewErasure makes the resource streamchat_message_erasure.
func NewErasure() resource.Resource {
	describe := prose.Text(descriptions)
	return lifecycle.NewSingle[ErasureModel](lifecycle.Noun[erasure.MessageScope]{
		TypeName: ErasureType, Subject: "message_id", ID: idRule,
		Description: describe(ErasureType),
		Attributes: map[string]schema.Attribute{
			"message_id":  schema.StringAttribute{Required: true, MarkdownDescription: describe("message_id"), Validators: idRule.Validators()},
			"hard_delete": lifecycle.HardDelete("removed for good, with its reactions and all replies to it.", "a tombstone stays, and Stream keeps the text."),
		},
		Engine:         func(s *session.Session) *erasure.Engine[erasure.MessageScope] { return s.Messages },
		Effect:         effect,
		Caveat:         "Replies go with it, also those of others.",
		Deed:           "hard_delete",
		CallsPerMinute: func(*session.Session) int { return callsPerMinute },
	})
}

// effect says in words what a scope takes, for the plan's warning.
func effect(s erasure.MessageScope) string {
	if s.Hard {
		return "Will be gone for good: the message, its reactions and all replies to it."
	}
	return "Will be marked as deleted: the message. Stream keeps its text."
}
