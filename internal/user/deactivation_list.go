// Copyright (c) the terraform-provider-streamchat authors
// SPDX-License-Identifier: MPL-2.0

package user

import (
	"context"
	"encoding/json"
	"time"

	"github.com/hashicorp/terraform-plugin-framework/list"
	"github.com/hashicorp/terraform-plugin-framework/list/schema"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/erasure"
	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/lifecycle"
	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/session"
	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/stream"
)

type deactivationList struct{ session *session.Session }

var _ list.ListResourceWithConfigure = (*deactivationList)(nil)

// NewDeactivationList makes the list resource streamchat_user_deactivation.
func NewDeactivationList() list.ListResource { return &deactivationList{} }

// Metadata implements list.ListResource.
func (*deactivationList) Metadata(_ context.Context, _ resource.MetadataRequest, resp *resource.MetadataResponse) {
	resp.TypeName = DeactivationType
}

// Configure implements list.ListResourceWithConfigure.
func (l *deactivationList) Configure(_ context.Context, req resource.ConfigureRequest, resp *resource.ConfigureResponse) {
	l.session = session.From(req.ProviderData, &resp.Diagnostics)
}

// ListResourceConfigSchema implements list.ListResource.
func (*deactivationList) ListResourceConfigSchema(_ context.Context, _ list.ListResourceSchemaRequest, resp *list.ListResourceSchemaResponse) {
	resp.Schema = schema.Schema{
		MarkdownDescription: actionText("list streamchat_user_deactivation"),
		Attributes: map[string]schema.Attribute{
			"filter": schema.StringAttribute{Optional: true, Validators: []validator.String{filterValidator{}}, MarkdownDescription: actionText("list filter")},
		},
	}
}

// List implements list.ListResource. Results come as the pages do; the next page is
// asked for when Terraform has taken those before, and wants more.
func (l *deactivationList) List(ctx context.Context, req list.ListRequest, results *list.ListResultsStream) {
	filterPath := path.Root("filter")
	var filter types.String
	diags := req.Config.GetAttribute(ctx, filterPath, &filter)
	if diags.HasError() {
		results.Results = list.ListResultsStreamDiagnostics(diags)
		return
	}
	query := stream.UserQuery{Filter: json.RawMessage("{}"), IncludeDeactivated: true}
	if !filter.IsNull() {
		query.Filter = json.RawMessage(filter.ValueString())
	}
	results.Results = func(push func(list.ListResult) bool) {
		app, diags := l.session.Open(ctx, filterPath)
		if diags.HasError() {
			push(list.ListResult{Diagnostics: diags})
			return
		}
		left := req.Limit
		for page, err := range l.session.API.UserPages(ctx, query) {
			if err != nil {
				diags.Append(queryFailed(err, false))
				push(list.ListResult{Diagnostics: diags})
				return
			}
			for _, user := range page {
				if user.DeactivatedAt == nil {
					continue
				}
				if left--; !push(l.listed(ctx, req, user, app)) || left == 0 {
					return
				}
			}
		}
	}
}

// listed is one user who was found: the record that an import of them would make.
func (l *deactivationList) listed(ctx context.Context, req list.ListRequest, user stream.User, app stream.App) list.ListResult {
	model := takenOver()
	model.UserID, model.Subject = types.StringValue(user.ID), lifecycle.Text(l.session.Pseudonyms.Of(user.ID))
	model.setApp(app)
	result := req.NewListResult(ctx)
	result.DisplayName = "deactivated since " + user.DeactivatedAt.UTC().Format(time.RFC3339)
	result.Diagnostics.Append(model.identify(ctx, result.Identity)...)
	if req.IncludeResource {
		result.Diagnostics.Append(model.holds(erasure.Finding{Found: erasure.FoundDeactivated, User: &user}, false)...)
		result.Diagnostics.Append(result.Resource.Set(ctx, &model)...)
	}
	return result
}
