// Copyright (c) the terraform-provider-streamchat authors
// SPDX-License-Identifier: MPL-2.0

// Package user holds what Terraform sees of Stream's users: their erasure, their
// export and their data.
package user

import (
	_ "embed"
	"maps"

	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/booldefault"

	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/erasure"
	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/lifecycle"
	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/prose"
	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/session"
)

// ErasureType is the resource type of a user's erasure.
const ErasureType = "streamchat_user_erasure"

//go:embed descriptions.md
var descriptions string

var describe = prose.Text(descriptions)

// NewErasure makes the resource streamchat_user_erasure.
func NewErasure() resource.Resource {
	one := noun(ErasureType, "user_id", hiddenID, personAttributes(describe("user_id")))
	one.Attributes["expected_wo"] = expectedAttribute()
	return lifecycle.NewSingle[ErasureModel](one)
}

// NewErasureBatch makes the resource streamchat_user_erasure_batch.
func NewErasureBatch() resource.Resource {
	many := noun(ErasureType+"_batch", "user_ids", hiddenIDs, peopleAttributes(describe("user_ids")))
	many.Attributes["user_count"] = schema.Int64Attribute{Computed: true, MarkdownDescription: describe("user_count")}
	many.Attributes["new_user_count"] = schema.Int64Attribute{Computed: true, MarkdownDescription: describe("new_user_count")}
	return lifecycle.NewBatch[ErasureBatchModel](many)
}

// noun is the erasure of users, of one or of many.
func noun(typeName, subject, hidden string, subjects map[string]schema.Attribute) lifecycle.Noun[erasure.UserScope] {
	owner := func(name string) schema.Attribute {
		return schema.StringAttribute{Optional: true, MarkdownDescription: describe(name), Validators: IDValidators()}
	}
	attributes := map[string]schema.Attribute{
		"not_active_since":     activityAttribute(),
		"new_channel_owner_id": owner("new_channel_owner_id"),
		"new_call_owner_id":    owner("new_call_owner_id"),
		"revoke_tokens": schema.BoolAttribute{
			Optional: true, Computed: true, Default: booldefault.StaticBool(false), MarkdownDescription: describe("revoke_tokens"),
		},
	}
	maps.Copy(attributes, subjects)
	maps.Copy(attributes, lifecycle.StageAttributes())
	return lifecycle.Noun[erasure.UserScope]{
		TypeName: typeName, Subject: subject, Hidden: hidden, ID: idRule,
		Description:    describe(typeName) + "\n\n" + describe("not_covered"),
		Attributes:     attributes,
		Blocks:         map[string]schema.Block{"delete": deleteBlock()},
		Engine:         func(s *session.Session) *erasure.Engine[erasure.UserScope] { return s.Users },
		Effect:         effect,
		Loses:          losesFiles,
		Caveat:         "An id that was deleted can never be used again.",
		Deed:           "delete.user",
		Restores:       true,
		Verifies:       true,
		CallsPerMinute: func(s *session.Session) int { return s.DeleteCallsPerMinute },
	}
}
