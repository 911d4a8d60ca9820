// Copyright (c) the terraform-provider-streamchat authors
// SPDX-License-Identifier: MPL-2.0

package user

import (
	"context"

	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema"

	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/erasure"
	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/record"
	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/session"
)

type erasureBatchResource struct {
	record.BatchResource[erasure.UserScope, ErasureBatchModel, *ErasureBatchModel]
}

var (
	_ resource.ResourceWithModifyPlan     = (*erasureBatchResource)(nil)
	_ resource.ResourceWithConfigure      = (*erasureBatchResource)(nil)
	_ resource.ResourceWithValidateConfig = (*erasureBatchResource)(nil)
)

// NewErasureBatch makes the resource streamchat_user_erasure_batch.
func NewErasureBatch() resource.Resource {
	return &erasureBatchResource{record.BatchResource[erasure.UserScope, ErasureBatchModel, *ErasureBatchModel]{
		Noun: record.Noun[erasure.UserScope, ErasureBatchModel]{
			TypeName: ErasureType + "_batch",
			Subject:  "user_ids",
			Description: "Erases up to 1,000 users at Stream with the same modes, each once, and is the record of all of them.\n\n" +
				"!> With `delete.user = \"hard\"` the users, their messages, two-member conversations, files and polls are gone for good. Neither this provider nor Stream can bring them back, and the ids can never be used again.\n\n" +
				"Up to 100 users share one delete call; Stream takes six calls a minute. The batch may grow in place: adding one id sends one id, and the plan shows that one entry of `results` as unknown. " +
				"If some users fail, the apply fails, the evidence of the others is kept, and the next apply goes on with those that are missing. " +
				"Terraform then shows the batch as tainted and to be replaced: that replaces the record only, sends nobody twice and restores nobody. " +
				"An interrupt in the middle of a replacement loses the record, because Terraform drops the old one first; `terraform untaint` makes it an update in place, which keeps everything.\n\n" +
				"For more than 1,000 users use `for_each` over `chunklist`. Let such a list only grow at its end: users who move from one batch to another are sent once more, which does no harm.\n\n" + notCovered,
			Attributes: scopeAttributes(map[string]schema.Attribute{
				"user_ids":       record.SubjectList("The users to erase.", idRule),
				"user_count":     schema.Int64Attribute{Computed: true, MarkdownDescription: "How many users the list holds. Known in the plan."},
				"new_user_count": schema.Int64Attribute{Computed: true, MarkdownDescription: "How many of them the last plan that sent anything was to send: the new ones, those that failed before, or all for an escalation. Known in the plan."},
			}),
			Engine:   engine,
			Goes:     goes,
			Finality: finality,
			Restores: true,
		},
		CallsPerMinute: func(s *session.Session) int { return s.DeleteCallsPerMinute },
	}}
}

// ValidateConfig implements resource.ResourceWithValidateConfig.
func (*erasureBatchResource) ValidateConfig(ctx context.Context, req resource.ValidateConfigRequest, resp *resource.ValidateConfigResponse) {
	var config ErasureBatchModel
	resp.Diagnostics.Append(req.Config.Get(ctx, &config)...)
	if !resp.Diagnostics.HasError() {
		resp.Diagnostics.Append(validateDelete(ctx, config.Delete)...)
	}
}
