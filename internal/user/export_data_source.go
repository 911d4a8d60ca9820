// Copyright (c) the terraform-provider-streamchat authors
// SPDX-License-Identifier: MPL-2.0

package user

import (
	"context"
	"maps"

	"github.com/hashicorp/terraform-plugin-framework/datasource"
	"github.com/hashicorp/terraform-plugin-framework/datasource/schema"

	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/session"
)

// ExportType is the type of the resource, of the data source and of the ephemeral
// resource of an export.
const ExportType = "streamchat_user_export"

type exportDataSource struct{ session *session.Session }

var _ datasource.DataSourceWithConfigure = (*exportDataSource)(nil)

// NewExportDataSource makes the data source streamchat_user_export.
func NewExportDataSource() datasource.DataSource { return &exportDataSource{} }

// Metadata implements datasource.DataSource.
func (*exportDataSource) Metadata(_ context.Context, _ datasource.MetadataRequest, resp *datasource.MetadataResponse) {
	resp.TypeName = ExportType
}

// Configure implements datasource.DataSourceWithConfigure.
func (d *exportDataSource) Configure(_ context.Context, req datasource.ConfigureRequest, resp *datasource.ConfigureResponse) {
	d.session = session.From(req.ProviderData, &resp.Diagnostics)
}

// Schema implements datasource.DataSource.
func (*exportDataSource) Schema(_ context.Context, _ datasource.SchemaRequest, resp *datasource.SchemaResponse) {
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
		"user_id":  schema.StringAttribute{Required: true, MarkdownDescription: exportText("user_id"), Validators: IDValidators()},
		"audience": schema.StringAttribute{Optional: true, MarkdownDescription: describe("audience"), Validators: audiences},
	})
	resp.Schema = schema.Schema{MarkdownDescription: exportText("data source"), Attributes: attributes}
}

// Read implements datasource.DataSource.
func (d *exportDataSource) Read(ctx context.Context, req datasource.ReadRequest, resp *datasource.ReadResponse) {
	var model contentModel
	resp.Diagnostics.Append(req.Config.Get(ctx, &model)...)
	if resp.Diagnostics.HasError() {
		return
	}
	resp.Diagnostics.Append(model.take(ctx, d.session)...)
	if !resp.Diagnostics.HasError() {
		resp.Diagnostics.Append(resp.State.Set(ctx, &model)...)
	}
}
