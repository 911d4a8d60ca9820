// Copyright (c) the terraform-provider-streamchat authors
// SPDX-License-Identifier: MPL-2.0

package function

import (
	"context"

	"github.com/hashicorp/terraform-plugin-framework/function"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/erasure"
)

type pseudonym struct{}

// Metadata implements function.Function.
func (pseudonym) Metadata(_ context.Context, _ function.MetadataRequest, resp *function.MetadataResponse) {
	resp.Name = "pseudonym"
}

// Definition implements function.Function.
func (pseudonym) Definition(_ context.Context, _ function.DefinitionRequest, resp *function.DefinitionResponse) {
	resp.Definition = define("pseudonym", "What stands for an id in receipts", function.StringReturn{}, text("pseudonym", "id"), nullable("pseudonym", "key"))
}

// Run implements function.Function.
func (pseudonym) Run(ctx context.Context, req function.RunRequest, resp *function.RunResponse) {
	var id string
	var key types.String
	if !arguments(ctx, req, resp, &id, &key) {
		return
	}
	if id == "" {
		resp.Error = function.NewArgumentFuncError(0, "The id is empty, so that it names nobody")
		return
	}
	subject := types.StringNull()
	if hash := erasure.Pseudonym(key.ValueString(), id); hash != "" {
		subject = types.StringValue(hash)
	}
	give(ctx, resp, subject)
}
