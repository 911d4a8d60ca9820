// Copyright (c) the terraform-provider-streamchat authors
// SPDX-License-Identifier: MPL-2.0

// Package user holds what Terraform sees of Stream's users: their erasure, their
// export and their data.
package user

import (
	"context"
	"maps"

	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/booldefault"

	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/erasure"
	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/record"
	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/session"
)

// ErasureType is the resource type of a user's erasure.
const ErasureType = "streamchat_user_erasure"

type erasureResource struct {
	record.Resource[erasure.UserScope, ErasureModel, *ErasureModel]
}

var (
	_ resource.ResourceWithModifyPlan     = (*erasureResource)(nil)
	_ resource.ResourceWithImportState    = (*erasureResource)(nil)
	_ resource.ResourceWithIdentity       = (*erasureResource)(nil)
	_ resource.ResourceWithConfigure      = (*erasureResource)(nil)
	_ resource.ResourceWithValidateConfig = (*erasureResource)(nil)
)

// NewErasure makes the resource streamchat_user_erasure.
func NewErasure() resource.Resource {
	return &erasureResource{record.Resource[erasure.UserScope, ErasureModel, *ErasureModel]{Noun: record.Noun[erasure.UserScope, ErasureModel]{
		TypeName: ErasureType,
		Subject:  "user_id",
		Description: "Erases one user at Stream, once, and is the record of it.\n\n" +
			"!> With `delete.user = \"hard\"` the user, their messages, two-member conversations, files and polls are gone for good. Neither this provider nor Stream can bring them back, and the id can never be used again.\n\n" +
			"Applying the block sends `POST /users/delete` and waits for Stream's task. The state then says what was asked, what was found, under which task, what came of it and when. " +
			"Destroying the block forgets the record and sends nothing. Once a record is completed and irreversible, plans make no call for it.\n\n" +
			"Exit code 0 alone means *accepted*, not *gone*: every example carries a `postcondition` on `status`.\n\n" + notCovered,
		Attributes: scopeAttributes(map[string]schema.Attribute{
			"user_id": schema.StringAttribute{
				Required:            true,
				MarkdownDescription: "The user to erase. Cannot change once submitted: remove the block and add another.",
				Validators:          IDValidators(),
			},
		}),
		ValidID:  validID,
		Engine:   engine,
		Goes:     goes,
		Finality: finality,
		Restores: true,
	}}}
}

// ValidateConfig implements resource.ResourceWithValidateConfig.
func (*erasureResource) ValidateConfig(ctx context.Context, req resource.ValidateConfigRequest, resp *resource.ValidateConfigResponse) {
	var config ErasureModel
	resp.Diagnostics.Append(req.Config.Get(ctx, &config)...)
	if !resp.Diagnostics.HasError() {
		resp.Diagnostics.Append(validateDelete(ctx, config.Delete)...)
	}
}

func engine(s *session.Session) *erasure.Engine[erasure.UserScope] { return s.Users }

// notCovered explains the words of not_covered (stream-api.md §2, §11).
const notCovered = "What stays at Stream (`not_covered`). By the modes: `user_data`, `messages` and `conversations` that are left untouched or only marked (`message_content`, `conversation_content`: marked as deleted, still readable by a back end), " +
	"`calls` (`call_content`), `uploads` without `files`, `polls` without `polls`. " +
	"By Stream's nature, whatever the modes: `campaigns` that the user sent, `exports_kept_60_days` (Stream keeps export files that long), `group_channels` (channels with more than two members stay, under a new owner), " +
	"`mentions_and_quotes` in what others wrote, `message_history` (texts before an edit), `moderation_logs`, `poll_votes`, and `webhook_copies` (what your own systems received)."

const finality = "An id that was deleted can never be used again."

// scopeAttributes adds the attributes of [scopeModel].
func scopeAttributes(own map[string]schema.Attribute) map[string]schema.Attribute {
	maps.Copy(own, map[string]schema.Attribute{
		"delete": deleteAttribute(),
		"new_channel_owner_id": schema.StringAttribute{
			Optional:            true,
			MarkdownDescription: "An active user who becomes the owner of the channels that the erased user created and that stay. Without it Stream makes up a system owner. Cannot change once submitted.",
			Validators:          IDValidators(),
		},
		"new_call_owner_id": schema.StringAttribute{
			Optional:            true,
			MarkdownDescription: "The same for Stream Video calls. Cannot change once submitted.",
			Validators:          IDValidators(),
		},
		"revoke_tokens": schema.BoolAttribute{
			Optional: true, Computed: true, Default: booldefault.StaticBool(false),
			MarkdownDescription: "Revoke the tokens that the user holds before deleting (`revoke_tokens_issued_before`). A deactivated user cannot be updated and cannot connect, so that the step is left out. Default false. Cannot change once submitted.",
		},
	})
	return own
}
