// Copyright (c) the terraform-provider-streamchat authors
// SPDX-License-Identifier: MPL-2.0

package user

import (
	"context"
	"time"

	"github.com/hashicorp/terraform-plugin-framework/datasource"
	"github.com/hashicorp/terraform-plugin-framework/datasource/schema"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/session"
)

// ExportType is the type of the resource and of the data source of an export.
const ExportType = "streamchat_user_export"

const exportTimeout = 10 * time.Minute

type exportDataSource struct{ session *session.Session }

type exportDataModel struct {
	UserID        types.String `tfsdk:"user_id"`
	Exists        types.Bool   `tfsdk:"exists"`
	JSON          types.String `tfsdk:"json"`
	SHA256        types.String `tfsdk:"sha256"`
	MessageCount  types.Int64  `tfsdk:"message_count"`
	ReactionCount types.Int64  `tfsdk:"reaction_count"`
}

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
	resp.Schema = schema.Schema{
		MarkdownDescription: "~> **The content of this data source lands in the Terraform state and in plan files**, where it outlives the erasure of the person. " +
			"The forms that keep it out are the resource `streamchat_user_export` (a file, encrypted if you like; use it before an erasure), the resource with `age_recipients` where not even the file may be clear, " +
			"and Stream's own API or dashboard outside Terraform.\n\n" +
			"Everything that Stream exports of one user (right of access, Art. 15): the user, their messages, reactions and custom data, as JSON, exactly as Stream sent it. " +
			"It is read again in every plan. A user who is gone gives `exists = false`, never an error.",
		Attributes: map[string]schema.Attribute{
			"user_id": schema.StringAttribute{Required: true, MarkdownDescription: "The user to export.", Validators: IDValidators()},
			"exists":  schema.BoolAttribute{Computed: true, MarkdownDescription: "Whether Stream has the user. When false, everything else is null."},
			"json": schema.StringAttribute{
				Computed: true, Sensitive: true,
				MarkdownDescription: "The export as Stream sent it: `user`, `messages`, `reactions` and whatever else Stream adds, nothing dropped, renamed or rounded. Only the `duration` of the answer is left out, so that the text is the same from read to read as long as the data is.",
			},
			"sha256":         schema.StringAttribute{Computed: true, MarkdownDescription: "SHA-256 of `json`, in hex."},
			"message_count":  schema.Int64Attribute{Computed: true, MarkdownDescription: "How many messages the export holds."},
			"reaction_count": schema.Int64Attribute{Computed: true, MarkdownDescription: "How many reactions the export holds."},
		},
	}
}

// Read implements datasource.DataSource.
func (d *exportDataSource) Read(ctx context.Context, req datasource.ReadRequest, resp *datasource.ReadResponse) {
	var model exportDataModel
	resp.Diagnostics.Append(req.Config.Get(ctx, &model)...)
	if resp.Diagnostics.HasError() {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, exportTimeout)
	defer cancel()
	document, exists, diags := takeExport(ctx, d.session, model.UserID.ValueString())
	resp.Diagnostics.Append(diags...)
	if resp.Diagnostics.HasError() {
		return
	}
	model.Exists = types.BoolValue(exists)
	if exists {
		summary := document.Summary()
		model.JSON = types.StringValue(string(document.JSON()))
		model.SHA256 = types.StringValue(summary.SHA256)
		model.MessageCount = types.Int64Value(summary.Messages)
		model.ReactionCount = types.Int64Value(summary.Reactions)
	}
	resp.Diagnostics.Append(resp.State.Set(ctx, &model)...)
}
