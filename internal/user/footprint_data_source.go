// Copyright (c) the terraform-provider-streamchat authors
// SPDX-License-Identifier: MPL-2.0

package user

import (
	"context"
	"errors"
	"slices"

	"github.com/hashicorp/terraform-plugin-framework/datasource"
	"github.com/hashicorp/terraform-plugin-framework/datasource/schema"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/erasure"
	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/export"
	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/report"
	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/session"
	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/stream"
)

// FootprintType is the type of the data source of a user's footprint.
const FootprintType = "streamchat_user_footprint"

// How messages were counted.
const (
	countedByExport = "export"
	countedBySearch = "search"
	notCounted      = "unavailable"
)

// mostSearched bounds a count by search: 100 calls of the 300 a minute.
const mostSearched = 10_000

type footprintDataSource struct{ session *session.Session }

type footprintModel struct {
	UserID                   types.String `tfsdk:"user_id"`
	Exists                   types.Bool   `tfsdk:"exists"`
	Channels                 types.List   `tfsdk:"channels"`
	Conversations            types.List   `tfsdk:"conversations"`
	OwnedChannels            types.List   `tfsdk:"owned_channels"`
	Polls                    types.List   `tfsdk:"polls"`
	MessageCount             types.Int64  `tfsdk:"message_count"`
	MessageCountMethod       types.String `tfsdk:"message_count_method"`
	MessageCountIsLowerBound types.Bool   `tfsdk:"message_count_is_lower_bound"`
}

var _ datasource.DataSourceWithConfigure = (*footprintDataSource)(nil)

// NewFootprintDataSource makes the data source streamchat_user_footprint.
func NewFootprintDataSource() datasource.DataSource { return &footprintDataSource{} }

// Metadata implements datasource.DataSource.
func (*footprintDataSource) Metadata(_ context.Context, _ datasource.MetadataRequest, resp *datasource.MetadataResponse) {
	resp.TypeName = FootprintType
}

// Configure implements datasource.DataSourceWithConfigure.
func (d *footprintDataSource) Configure(_ context.Context, req datasource.ConfigureRequest, resp *datasource.ConfigureResponse) {
	d.session = session.From(req.ProviderData, &resp.Diagnostics)
}

// Schema implements datasource.DataSource.
func (*footprintDataSource) Schema(_ context.Context, _ datasource.SchemaRequest, resp *datasource.SchemaResponse) {
	list := func(description string) schema.Attribute {
		return schema.ListAttribute{Computed: true, ElementType: types.StringType, MarkdownDescription: description}
	}
	resp.Schema = schema.Schema{
		MarkdownDescription: "What an erasure of one user would touch, so that a reviewer sees its size before approving. Ids and counts only; no message enters the Terraform state.\n\n" +
			"It is read in every plan and takes a handful of calls; counting the messages downloads them once (at most " + directLimit + ") and keeps only the number. " +
			"A user who is gone gives `exists = false`, empty lists and null counts, never an error. Channels that the user has left, uploads outside of messages, campaigns, calls and what others wrote about the user are not in it.",
		Attributes: map[string]schema.Attribute{
			"user_id":        schema.StringAttribute{Required: true, MarkdownDescription: "The user whose footprint to take.", Validators: IDValidators()},
			"exists":         schema.BoolAttribute{Computed: true, MarkdownDescription: "Whether Stream has the user, active or deactivated."},
			"channels":       list("The cids of the channels that the user is a member of, sorted. Deleting the user takes them out of these. Deleted channels, also softly deleted ones, are not listed."),
			"conversations":  list("Those of `channels` with exactly two members, sorted: they go with `delete.conversations`, for the other member too."),
			"owned_channels": list("The cids of the channels that the user created, sorted. They stay and get a new owner (`new_channel_owner_id`), but for those that are also `conversations`."),
			"polls": list("The ids of the polls that the user created, sorted; they go with `delete.polls`. Null for a deactivated user: Stream lists polls only on behalf of an active one. " +
				"Take the footprint before a `streamchat_user_deactivation` where polls matter."),
			"message_count": schema.Int64Attribute{
				Computed: true,
				MarkdownDescription: "How many messages the user wrote. Stream offers no count; up to " + directLimit + " it is counted from Stream's own export of the user, and exact. " +
					"Beyond, Stream refuses that export, and it is how many Stream's search finds, up to 10,000: a lower bound (see below).",
			},
			"message_count_method": schema.StringAttribute{
				Computed: true,
				MarkdownDescription: "How the messages were counted: `export`; `search`, which has no total, looks into at most 500 channels of types where it is enabled, leaves deleted messages out and lags behind; " +
					"or `unavailable` when Stream refuses both, with a null count.",
			},
			"message_count_is_lower_bound": schema.BoolAttribute{Computed: true, MarkdownDescription: "Whether there may be more messages than `message_count`: true for `search`, false for `export`, null when there is no count."},
		},
	}
}

// Read implements datasource.DataSource.
func (d *footprintDataSource) Read(ctx context.Context, req datasource.ReadRequest, resp *datasource.ReadResponse) {
	var model footprintModel
	resp.Diagnostics.Append(req.Config.Get(ctx, &model)...)
	resp.Diagnostics.Append(d.session.Ready()...)
	if resp.Diagnostics.HasError() {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, readTimeout)
	defer cancel()
	id := model.UserID.ValueString()
	finding, err := d.session.Users.LookUp(ctx, id)
	if err != nil {
		resp.Diagnostics.Append(report.Step(userIDPath, lookingUp, err))
		return
	}
	model.Exists = types.BoolValue(there(finding))
	listing := func(doing string, list func(context.Context, string) ([]string, error)) types.List {
		var found []string
		if there(finding) && !resp.Diagnostics.HasError() {
			var err error
			if found, err = list(ctx, id); err != nil {
				resp.Diagnostics.Append(report.Step(userIDPath, doing, err))
			}
		}
		slices.Sort(found)
		value, diags := types.ListValueFrom(ctx, types.StringType, append([]string{}, found...))
		resp.Diagnostics.Append(diags...)
		return value
	}
	api := d.session.API
	model.Channels = listing("listing the user's channels", api.ChannelsOfMember)
	model.Conversations = listing("listing the user's conversations", api.ConversationsOf)
	model.OwnedChannels = listing("listing the channels that the user created", api.ChannelsCreatedBy)
	if finding.Found == erasure.FoundDeactivated {
		model.Polls = types.ListNull(types.StringType)
	} else {
		model.Polls = listing("listing the user's polls", func(ctx context.Context, id string) ([]string, error) { return pollsOf(ctx, api, id) })
	}
	if there(finding) && !resp.Diagnostics.HasError() {
		resp.Diagnostics.Append(model.count(ctx, api)...)
	}
	resp.Diagnostics.Append(resp.State.Set(ctx, &model)...)
}

func pollsOf(ctx context.Context, api *stream.Client, id string) ([]string, error) {
	polls, err := api.PollsCreatedBy(ctx, []string{id}, id)
	ids := make([]string, len(polls))
	for i, p := range polls {
		ids[i] = p.ID
	}
	return ids, err
}

// count counts the user's messages, from the export while Stream gives it. The
// content is dropped at once. That Stream refuses the export does not say how
// many messages there are: reactions count for its limit as well.
func (m *footprintModel) count(ctx context.Context, api *stream.Client) diag.Diagnostics {
	id := m.UserID.ValueString()
	whole, err := api.ExportUser(ctx, id)
	if err == nil {
		var counts export.Counts
		if counts, err = export.Count(whole); err == nil {
			m.counted(counts.Messages, countedByExport)
		}
	} else if refused(err) {
		var n int
		if n, err = api.CountMessages(ctx, id, mostSearched); err == nil {
			m.counted(int64(n), countedBySearch)
		} else if refused(err) {
			m.MessageCountMethod, err = types.StringValue(notCounted), nil
		}
	}
	if err != nil {
		return diag.Diagnostics{report.Step(userIDPath, "counting the user's messages", err)}
	}
	return nil
}

// refused reports Stream's own word that it does not do this, as against a
// failure.
func refused(err error) bool {
	var e *stream.Error
	return errors.As(err, &e) && (e.Kind == stream.KindInput || e.Kind == stream.KindForbidden) && e.Code != 0
}

func (m *footprintModel) counted(n int64, method string) {
	m.MessageCount, m.MessageCountMethod = types.Int64Value(n), types.StringValue(method)
	m.MessageCountIsLowerBound = types.BoolValue(method != countedByExport)
}
