// Copyright (c) the terraform-provider-streamchat authors
// SPDX-License-Identifier: MPL-2.0

package function

import (
	"context"

	"github.com/hashicorp/terraform-plugin-framework/function"

	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/stream"
)

// Stream's rules, for errors.
const (
	typeRule = "a channel type is 1 to 64 characters of a-z, A-Z, 0-9, _ and -"
	idRule   = "a channel id is 1 to 64 characters of a-z, A-Z, 0-9, _ and -; the id that Stream makes for a distinct channel begins with !"
)

type cid struct{}

// Metadata implements function.Function.
func (cid) Metadata(_ context.Context, _ function.MetadataRequest, resp *function.MetadataResponse) {
	resp.Name = "cid"
}

// Definition implements function.Function.
func (cid) Definition(_ context.Context, _ function.DefinitionRequest, resp *function.DefinitionResponse) {
	resp.Definition = define("cid", "The cid of a channel", function.StringReturn{}, text("cid", "type"), text("cid", "id"))
}

// Run implements function.Function.
func (cid) Run(ctx context.Context, req function.RunRequest, resp *function.RunResponse) {
	var typ, id string
	if !arguments(ctx, req, resp, &typ, &id) {
		return
	}
	const anyType, anyID = "t", "i"
	if t, _, ok := stream.SplitCID(typ + ":" + anyID); !ok || t != typ {
		resp.Error = function.NewArgumentFuncError(0, "This is not a channel type: "+typeRule)
		return
	}
	if _, i, ok := stream.SplitCID(anyType + ":" + id); !ok || i != id {
		resp.Error = function.NewArgumentFuncError(1, "This is not a channel id: "+idRule)
		return
	}
	give(ctx, resp, typ+":"+id)
}
