// Copyright (c) the terraform-provider-streamchat authors
// SPDX-License-Identifier: MPL-2.0

package user

import (
	"bytes"
	"context"
	"encoding/json"

	"github.com/hashicorp/terraform-plugin-framework-timetypes/timetypes"
	"github.com/hashicorp/terraform-plugin-framework/datasource"
	"github.com/hashicorp/terraform-plugin-framework/datasource/schema"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/erasure"
	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/lifecycle"
	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/report"
	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/session"
	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/stream"
)

// DataType is the type of the data source of one user.
const DataType = "streamchat_user"

// What a look-up can say of a user, beside statusDeactivated.
const (
	statusActive  = "active"
	statusDeleted = "deleted"
	statusMissing = "missing"
	statusAbsent  = "absent"
)

type userDataSource struct{ session *session.Session }

type userDataModel struct {
	UserID     types.String      `tfsdk:"user_id"`
	Probe      types.Bool        `tfsdk:"probe"`
	Exists     types.Bool        `tfsdk:"exists"`
	Status     types.String      `tfsdk:"status"`
	Role       types.String      `tfsdk:"role"`
	CreatedAt  timetypes.RFC3339 `tfsdk:"created_at"`
	LastActive timetypes.RFC3339 `tfsdk:"last_active"`
	Banned     types.Bool        `tfsdk:"banned"`
	Teams      types.List        `tfsdk:"teams"`
	Custom     types.String      `tfsdk:"custom"`
}

var _ datasource.DataSourceWithConfigure = (*userDataSource)(nil)

// NewDataSource makes the data source streamchat_user.
func NewDataSource() datasource.DataSource { return &userDataSource{} }

// Metadata implements datasource.DataSource.
func (*userDataSource) Metadata(_ context.Context, _ datasource.MetadataRequest, resp *datasource.MetadataResponse) {
	resp.TypeName = DataType
}

// Configure implements datasource.DataSourceWithConfigure.
func (d *userDataSource) Configure(_ context.Context, req datasource.ConfigureRequest, resp *datasource.ConfigureResponse) {
	d.session = session.From(req.ProviderData, &resp.Diagnostics)
}

const (
	roleDescription       = "The user's role at Stream, e.g. `user` or `admin`."
	createdDescription    = "When the user was created. RFC 3339, UTC."
	lastActiveDescription = "When the user was last active, null if never. RFC 3339, UTC."
	bannedDescription     = "Whether the user is banned from the app."
	teamsDescription      = "The teams that the user belongs to."
)

// Schema implements datasource.DataSource.
func (*userDataSource) Schema(_ context.Context, _ datasource.SchemaRequest, resp *datasource.SchemaResponse) {
	instant := func(description string) schema.Attribute {
		return schema.StringAttribute{CustomType: timetypes.RFC3339Type{}, Computed: true, MarkdownDescription: description}
	}
	resp.Schema = schema.Schema{
		MarkdownDescription: "One user at Stream, as they are when the plan is made: for a check before a request is answered, and for the proof after an erasure.\n\n" +
			"A user who is gone is no error: `exists` is false, so that plans keep working after an erasure. Stream's queries do not tell a deleted user from one who never existed; `probe = true` does.\n\n" +
			"~> `custom` lands in the Terraform state.",
		Attributes: map[string]schema.Attribute{
			"user_id": schema.StringAttribute{Required: true, MarkdownDescription: "The user to look up.", Validators: IDValidators()},
			"probe": schema.BoolAttribute{
				Optional: true,
				MarkdownDescription: "Ask further when Stream's query does not list the user: an update of the user that changes nothing (`PATCH /users`), which Stream refuses with \"was deleted\" or \"does not exist\". " +
					"It is a write call by kind, 300 of them are allowed a minute, and it is sent in every plan. Default false.",
			},
			"exists": schema.BoolAttribute{Computed: true, MarkdownDescription: "Whether Stream has the user, active or deactivated. When false, everything but `status` is null."},
			"status": schema.StringAttribute{
				Computed:            true,
				MarkdownDescription: "`active`; `deactivated`; `deleted` (softly or for good: Stream does not say); `missing` (never existed); or, without `probe`, `absent` (one of the latter two).",
			},
			"role":        schema.StringAttribute{Computed: true, MarkdownDescription: roleDescription},
			"created_at":  instant(createdDescription),
			"last_active": instant(lastActiveDescription),
			"banned":      schema.BoolAttribute{Computed: true, MarkdownDescription: bannedDescription},
			"teams":       schema.ListAttribute{Computed: true, ElementType: types.StringType, MarkdownDescription: teamsDescription},
			"custom": schema.StringAttribute{
				Computed: true, Sensitive: true,
				MarkdownDescription: "The app's own fields of the user, as a JSON object with the values as Stream sent them (read it with `jsondecode`, which rounds numbers beyond 2^53). " +
					"Stream's own fields, name and image among them, are not in it. Where Terraform would rewrite characters (it normalises Unicode), they are written as `\\u` escapes, which are the same JSON.",
			},
		},
	}
}

// Read implements datasource.DataSource.
func (d *userDataSource) Read(ctx context.Context, req datasource.ReadRequest, resp *datasource.ReadResponse) {
	var model userDataModel
	resp.Diagnostics.Append(req.Config.Get(ctx, &model)...)
	resp.Diagnostics.Append(d.session.Ready()...)
	if resp.Diagnostics.HasError() {
		return
	}
	look := d.session.Users.LookUp
	if model.Probe.ValueBool() {
		look = d.session.Users.Prove
	}
	ctx, cancel := context.WithTimeout(ctx, readTimeout)
	defer cancel()
	finding, err := look(ctx, model.UserID.ValueString())
	if err != nil {
		resp.Diagnostics.Append(report.Step(userIDPath, lookingUp, err))
		return
	}
	model.Status = types.StringValue(userStatus(finding.Found))
	model.Exists = types.BoolValue(there(finding))
	model.Teams = types.ListNull(types.StringType)
	if there(finding) {
		resp.Diagnostics.Append(model.fill(ctx, *finding.User)...)
	}
	resp.Diagnostics.Append(resp.State.Set(ctx, &model)...)
}

// there reports that Stream has the user.
func there(f erasure.Finding) bool {
	return f.User != nil && (f.Found == erasure.FoundPresent || f.Found == erasure.FoundDeactivated)
}

func userStatus(found erasure.Found) string {
	switch found {
	case erasure.FoundPresent:
		return statusActive
	case erasure.FoundDeactivated:
		return statusDeactivated
	case erasure.FoundDeleted:
		return statusDeleted
	case erasure.FoundMissing:
		return statusMissing
	default:
		return statusAbsent
	}
}

func (m *userDataModel) fill(ctx context.Context, u stream.User) (diags diag.Diagnostics) {
	m.Role, m.Banned = types.StringValue(u.Role), types.BoolValue(u.Banned)
	m.CreatedAt, m.LastActive = lifecycle.Instant(u.CreatedAt), lifecycle.Instant(u.LastActive)
	m.Teams, diags = teams(ctx, u)
	text, err := customText(u)
	if err != nil {
		diags.AddAttributeError(userIDPath, "Custom fields cannot be kept in state",
			"The custom fields of this user hold bytes that are not UTF-8 text, which Terraform cannot keep unchanged. Nothing was changed at Stream. Use the resource streamchat_user_export, which writes the very bytes to a file.")
	}
	m.Custom = types.StringValue(text)
	return diags
}

// teams is empty, not null, for a user without any.
func teams(ctx context.Context, u stream.User) (types.List, diag.Diagnostics) {
	return types.ListValueFrom(ctx, types.StringType, append([]string{}, u.Teams...))
}

// customText is a user's custom fields as one line of JSON, sorted by key, the
// values as Stream sent them but for the blanks between them.
func customText(u stream.User) (string, error) {
	var b bytes.Buffer
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(u.Custom()); err != nil {
		return "", err
	}
	return terraformText(bytes.TrimSpace(b.Bytes()))
}
