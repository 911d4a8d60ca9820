// Copyright (c) the terraform-provider-streamchat authors
// SPDX-License-Identifier: MPL-2.0

package function

import (
	"context"

	"github.com/hashicorp/terraform-plugin-framework/attr"
	"github.com/hashicorp/terraform-plugin-framework/function"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/stream"
)

type parseCID struct{}

type cidParts struct {
	Type string `tfsdk:"type"`
	ID   string `tfsdk:"id"`
}

// Metadata implements function.Function.
func (parseCID) Metadata(_ context.Context, _ function.MetadataRequest, resp *function.MetadataResponse) {
	resp.Name = "parse_cid"
}

// Definition implements function.Function.
func (parseCID) Definition(_ context.Context, _ function.DefinitionRequest, resp *function.DefinitionResponse) {
	parts := map[string]attr.Type{"type": types.StringType, "id": types.StringType}
	resp.Definition = define("parse_cid", "The type and the id of a channel", function.ObjectReturn{AttributeTypes: parts}, text("parse_cid", "cid"))
}

// Run implements function.Function.
func (parseCID) Run(ctx context.Context, req function.RunRequest, resp *function.RunResponse) {
	var whole string
	if !arguments(ctx, req, resp, &whole) {
		return
	}
	typ, id, ok := stream.SplitCID(whole)
	if !ok {
		resp.Error = function.NewArgumentFuncError(0, "This is not a cid, which is type:id: "+typeRule+", and "+idRule)
		return
	}
	give(ctx, resp, cidParts{Type: typ, ID: id})
}
