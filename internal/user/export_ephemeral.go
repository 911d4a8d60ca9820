// Copyright (c) the terraform-provider-streamchat authors
// SPDX-License-Identifier: MPL-2.0

package user

import (
	"context"
	"maps"

	"github.com/hashicorp/terraform-plugin-framework/ephemeral"
	"github.com/hashicorp/terraform-plugin-framework/ephemeral/schema"

	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/session"
)

type exportEphemeral struct{ session *session.Session }

var _ ephemeral.EphemeralResourceWithConfigure = (*exportEphemeral)(nil)

// NewExportEphemeral makes the ephemeral resource streamchat_user_export.
func NewExportEphemeral() ephemeral.EphemeralResource { return &exportEphemeral{} }

// Metadata implements ephemeral.EphemeralResource.
func (*exportEphemeral) Metadata(_ context.Context, _ ephemeral.MetadataRequest, resp *ephemeral.MetadataResponse) {
	resp.TypeName = ExportType
}

// Configure implements ephemeral.EphemeralResourceWithConfigure.
func (e *exportEphemeral) Configure(_ context.Context, req ephemeral.ConfigureRequest, resp *ephemeral.ConfigureResponse) {
	e.session = session.From(req.ProviderData, &resp.Diagnostics)
}

// Schema implements ephemeral.EphemeralResource.
func (*exportEphemeral) Schema(_ context.Context, _ ephemeral.SchemaRequest, resp *ephemeral.SchemaResponse) {
	attributes := contentAttributes(
		func(text string, sensitive bool) schema.Attribute {
			return schema.StringAttribute{Computed: true, Sensitive: sensitive, MarkdownDescription: text}
		},
		func(text string) schema.Attribute {
			return schema.Int64Attribute{Computed: true, MarkdownDescription: text}
		},
		func(text string) schema.Attribute {
			return schema.BoolAttribute{Computed: true, MarkdownDescription: text}
		},
	)
	maps.Copy(attributes, map[string]schema.Attribute{
		"audience": schema.StringAttribute{Optional: true, MarkdownDescription: describe("audience"), Validators: audiences},
		"user_id":  schema.StringAttribute{Required: true, MarkdownDescription: exportText("ephemeral user_id"), Validators: IDValidators()},
	})
	resp.Schema = schema.Schema{MarkdownDescription: exportText("ephemeral resource"), Attributes: attributes}
}

// Open implements ephemeral.EphemeralResource. It only reads: Terraform opens it in the
// plan and again in the apply.
func (e *exportEphemeral) Open(ctx context.Context, req ephemeral.OpenRequest, resp *ephemeral.OpenResponse) {
	var model contentModel
	resp.Diagnostics.Append(req.Config.Get(ctx, &model)...)
	if resp.Diagnostics.HasError() {
		return
	}
	resp.Diagnostics.Append(model.take(ctx, e.session)...)
	if !resp.Diagnostics.HasError() {
		resp.Diagnostics.Append(resp.Result.Set(ctx, &model)...)
	}
}
