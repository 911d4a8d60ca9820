// Copyright (c) the terraform-provider-streamchat authors
// SPDX-License-Identifier: MPL-2.0

package user

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/hashicorp/terraform-plugin-framework-timetypes/timetypes"
	"github.com/hashicorp/terraform-plugin-framework-validators/int64validator"
	"github.com/hashicorp/terraform-plugin-framework-validators/listvalidator"
	"github.com/hashicorp/terraform-plugin-framework-validators/stringvalidator"
	"github.com/hashicorp/terraform-plugin-framework/attr"
	"github.com/hashicorp/terraform-plugin-framework/datasource"
	"github.com/hashicorp/terraform-plugin-framework/datasource/schema"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/lifecycle"
	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/report"
	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/session"
	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/stream"
)

// UsersDataType is the type of the data source of many users.
const UsersDataType = "streamchat_users"

// readTimeout bounds what a plan waits for a data source.
const readTimeout = 10 * time.Minute

const (
	ascending  = "asc"
	descending = "desc"
)

type usersDataSource struct{ session *session.Session }

type usersDataModel struct {
	Filter             types.String `tfsdk:"filter"`
	IncludeDeactivated types.Bool   `tfsdk:"include_deactivated"`
	Sort               types.List   `tfsdk:"sort"`
	Limit              types.Int64  `tfsdk:"limit"`
	UserIDs            types.List   `tfsdk:"user_ids"`
	Users              types.List   `tfsdk:"users"`
}

type sortModel struct {
	Field     string       `tfsdk:"field"`
	Direction types.String `tfsdk:"direction"`
}

type userRowModel struct {
	UserID     types.String      `tfsdk:"user_id"`
	Status     types.String      `tfsdk:"status"`
	Role       types.String      `tfsdk:"role"`
	CreatedAt  timetypes.RFC3339 `tfsdk:"created_at"`
	LastActive timetypes.RFC3339 `tfsdk:"last_active"`
	Banned     types.Bool        `tfsdk:"banned"`
	Teams      types.List        `tfsdk:"teams"`
}

var userRowType = types.ObjectType{AttrTypes: map[string]attr.Type{
	"user_id": types.StringType, "status": types.StringType, "role": types.StringType,
	"created_at": timetypes.RFC3339Type{}, "last_active": timetypes.RFC3339Type{},
	"banned": types.BoolType, "teams": types.ListType{ElemType: types.StringType},
}}

var _ datasource.DataSourceWithConfigure = (*usersDataSource)(nil)

// NewUsersDataSource makes the data source streamchat_users.
func NewUsersDataSource() datasource.DataSource { return &usersDataSource{} }

// Metadata implements datasource.DataSource.
func (*usersDataSource) Metadata(_ context.Context, _ datasource.MetadataRequest, resp *datasource.MetadataResponse) {
	resp.TypeName = UsersDataType
}

// Configure implements datasource.DataSourceWithConfigure.
func (d *usersDataSource) Configure(_ context.Context, req datasource.ConfigureRequest, resp *datasource.ConfigureResponse) {
	d.session = session.From(req.ProviderData, &resp.Diagnostics)
}

// Schema implements datasource.DataSource.
func (*usersDataSource) Schema(_ context.Context, _ datasource.SchemaRequest, resp *datasource.SchemaResponse) {
	instant := func(description string) schema.Attribute {
		return schema.StringAttribute{CustomType: timetypes.RFC3339Type{}, Computed: true, MarkdownDescription: description}
	}
	resp.Schema = schema.Schema{
		MarkdownDescription: "The users at Stream who fit a filter, as they are when the plan is made: whom a campaign of erasures would take, or whether anybody is left.\n\n" +
			"Deleted users are in no query of Stream's. So a list that feeds an erasure shrinks by those who were erased: keep their evidence with `streamchat_user_erasure_batch`, which does not drop a record because its user left the list.\n\n" +
			"All users who fit are read, by pages of 100, however many there are; an answer that is cut short is an error. With `sort`, Stream gives no more than 1,100.",
		Attributes: map[string]schema.Attribute{
			"filter": schema.StringAttribute{
				Required: true, Validators: []validator.String{filterValidator{}},
				MarkdownDescription: "Which users, as a JSON object in Stream's query language; use `jsonencode`. `{}` is everybody. Stream filters by `id`, `name`, `username`, `role`, `teams`, `email`, `language`, `banned`, `shadow_banned`, `created_at`, `updated_at`, `last_active` and the app's own fields; " +
					"a name that it does not know counts as such a field, so a misspelt one finds nobody. There is no filter for deactivated or deleted users. Operators: see [Clean-up campaigns](../guides/campaigns.md).",
			},
			"include_deactivated": schema.BoolAttribute{
				Optional:            true,
				MarkdownDescription: "Also find users who are deactivated, and still have all their data at Stream. Set it where the list feeds an erasure. Default false.",
			},
			"sort": schema.ListNestedAttribute{
				Optional:            true,
				MarkdownDescription: "The order, up to five fields; equals are sorted by id. Default: by id, which is the only order in which Stream gives more than 1,100 users. More than that with a sort is an error, unless `limit` is below.",
				Validators:          []validator.List{listvalidator.SizeBetween(1, 5)},
				NestedObject: schema.NestedAttributeObject{Attributes: map[string]schema.Attribute{
					"field":     schema.StringAttribute{Required: true, MarkdownDescription: "The field to sort by.", Validators: []validator.String{stringvalidator.LengthAtLeast(1)}},
					"direction": schema.StringAttribute{Optional: true, MarkdownDescription: "`\"asc\"` (default) or `\"desc\"`.", Validators: []validator.String{stringvalidator.OneOf(ascending, descending)}},
				}},
			},
			"limit": schema.Int64Attribute{
				Optional: true, Validators: []validator.Int64{int64validator.AtLeast(1)},
				MarkdownDescription: "How many users at most, the first in the order. Default: all.",
			},
			"user_ids": schema.ListAttribute{Computed: true, ElementType: types.StringType, MarkdownDescription: "The ids of the users found, in order."},
			"users": schema.ListNestedAttribute{
				Computed:            true,
				MarkdownDescription: "The users found, in order. Names, images and the app's own fields are left out, because they would land in the Terraform state; `data.streamchat_user` has those of one user.",
				NestedObject: schema.NestedAttributeObject{Attributes: map[string]schema.Attribute{
					"user_id":     schema.StringAttribute{Computed: true, MarkdownDescription: "The user's id."},
					"status":      schema.StringAttribute{Computed: true, MarkdownDescription: "`active` or `deactivated`."},
					"role":        schema.StringAttribute{Computed: true, MarkdownDescription: roleDescription},
					"created_at":  instant(createdDescription),
					"last_active": instant(lastActiveDescription),
					"banned":      schema.BoolAttribute{Computed: true, MarkdownDescription: bannedDescription},
					"teams":       schema.ListAttribute{Computed: true, ElementType: types.StringType, MarkdownDescription: teamsDescription},
				}},
			},
		},
	}
}

// Read implements datasource.DataSource.
func (d *usersDataSource) Read(ctx context.Context, req datasource.ReadRequest, resp *datasource.ReadResponse) {
	var model usersDataModel
	resp.Diagnostics.Append(req.Config.Get(ctx, &model)...)
	var order []sortModel
	resp.Diagnostics.Append(model.Sort.ElementsAs(ctx, &order, false)...)
	if resp.Diagnostics.HasError() {
		return
	}
	query := stream.UserQuery{
		Filter: json.RawMessage(model.Filter.ValueString()), Limit: int(model.Limit.ValueInt64()),
		IncludeDeactivated: model.IncludeDeactivated.ValueBool(),
	}
	for _, s := range order {
		query.Sort = append(query.Sort, stream.SortField{Field: s.Field, Descending: s.Direction.ValueString() == descending})
	}
	ctx, cancel := context.WithTimeout(ctx, readTimeout)
	defer cancel()
	_, diags := d.session.Open(ctx, path.Root("filter"))
	if resp.Diagnostics.Append(diags...); resp.Diagnostics.HasError() {
		return
	}
	users, err := d.session.API.QueryUsers(ctx, query)
	if err != nil {
		resp.Diagnostics.Append(queryFailed(err, len(order) > 0))
		return
	}
	resp.Diagnostics.Append(model.fill(ctx, users)...)
	resp.Diagnostics.Append(resp.State.Set(ctx, &model)...)
}

// queryFailed points at what Stream or the API layer did not take.
func queryFailed(err error, sorted bool) diag.Diagnostic {
	filter := path.Root("filter")
	if errors.Is(err, stream.ErrUnreachable) {
		return diag.NewAttributeErrorDiagnostic(path.Root("sort"), "Too many users for a chosen order", fmt.Sprintf(
			"More users fit than Stream gives in a chosen order (%d), and part of them must not pass for all. Nothing was changed at Stream. "+
				"Leave sort out, narrow the filter, or set a limit of at most %d.", stream.MaxSortedUsers, stream.MaxSortedUsers))
	}
	var e *stream.Error
	if !errors.As(err, &e) || e.Kind != stream.KindInput {
		return report.Step(filter, "querying users", err)
	}
	what := "this filter"
	if sorted {
		what = "this filter or this sort"
	}
	return diag.NewAttributeErrorDiagnostic(filter, "Stream does not take the filter", fmt.Sprintf(
		"The query with %s was refused: %s. Nothing was changed at Stream. Not every field takes every operator, e.g. $autocomplete only id, name and username; see the description of this attribute and Stream's page on querying users.",
		what, strings.TrimSuffix(e.Error(), ".")))
}

func (m *usersDataModel) fill(ctx context.Context, users []stream.User) (diags diag.Diagnostics) {
	ids, rows := make([]string, len(users)), make([]userRowModel, len(users))
	for i, u := range users {
		list, d := teams(ctx, u)
		diags.Append(d...)
		status := statusActive
		if u.DeactivatedAt != nil {
			status = statusDeactivated
		}
		ids[i] = u.ID
		rows[i] = userRowModel{
			UserID: types.StringValue(u.ID), Status: types.StringValue(status), Role: types.StringValue(u.Role),
			CreatedAt: lifecycle.Instant(u.CreatedAt), LastActive: lifecycle.Instant(u.LastActive), Banned: types.BoolValue(u.Banned), Teams: list,
		}
	}
	var d diag.Diagnostics
	m.UserIDs, d = types.ListValueFrom(ctx, types.StringType, ids)
	diags.Append(d...)
	m.Users, d = types.ListValueFrom(ctx, userRowType, rows)
	diags.Append(d...)
	return diags
}

// filterValidator finds at validate what is not a JSON object. It does not quote
// the filter, which may name people.
type filterValidator struct{}

func (filterValidator) Description(context.Context) string { return "a JSON object" }

func (v filterValidator) MarkdownDescription(ctx context.Context) string { return v.Description(ctx) }

func (filterValidator) ValidateString(_ context.Context, req validator.StringRequest, resp *validator.StringResponse) {
	if req.ConfigValue.IsNull() || req.ConfigValue.IsUnknown() {
		return
	}
	var object map[string]json.RawMessage
	if json.Unmarshal([]byte(req.ConfigValue.ValueString()), &object) != nil || object == nil {
		resp.Diagnostics.AddAttributeError(req.Path, "Invalid filter", "A filter is a JSON object such as jsonencode({ role = \"guest\" }). Nothing was sent.")
	}
}
