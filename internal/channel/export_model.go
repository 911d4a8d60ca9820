// Copyright (c) the terraform-provider-streamchat authors
// SPDX-License-Identifier: MPL-2.0

package channel

import (
	"context"
	"fmt"
	"time"

	"github.com/hashicorp/terraform-plugin-framework-timetypes/timetypes"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/exportfile"
	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/stream"
)

type exportModel struct {
	exportfile.Model
	CIDs                       types.List        `tfsdk:"cids"`
	Version                    types.String      `tfsdk:"version"`
	MessagesSince              timetypes.RFC3339 `tfsdk:"messages_since"`
	MessagesUntil              timetypes.RFC3339 `tfsdk:"messages_until"`
	ClearDeletedMessageText    types.Bool        `tfsdk:"clear_deleted_message_text"`
	ExportUsers                types.Bool        `tfsdk:"export_users"`
	IncludeSoftDeletedChannels types.Bool        `tfsdk:"include_soft_deleted_channels"`
	IncludeTruncatedMessages   types.Bool        `tfsdk:"include_truncated_messages"`
	TaskID                     types.String      `tfsdk:"task_id"`
	MessageCount               types.Int64       `tfsdk:"message_count"`
	Complete                   types.Bool        `tfsdk:"complete"`
}

// known gives the cids if all of them, and what decides about soft-deleted
// channels, are known.
func (m *exportModel) known() (cids []string, ok bool) {
	if m.CIDs.IsUnknown() || m.IncludeSoftDeletedChannels.IsUnknown() {
		return nil, false
	}
	return cidList(m.CIDs)
}

// request is what Stream is asked for. Everything must be known.
func (m *exportModel) request() stream.ChannelExport {
	cids, _ := cidList(m.CIDs)
	return stream.ChannelExport{
		CIDs: cids, Version: m.Version.ValueString(), Since: moment(m.MessagesSince), Until: moment(m.MessagesUntil),
		ClearDeletedMessageText: m.ClearDeletedMessageText.ValueBool(), ExportUsers: m.ExportUsers.ValueBool(),
		IncludeSoftDeletedChannels: m.IncludeSoftDeletedChannels.ValueBool(), IncludeTruncatedMessages: m.IncludeTruncatedMessages.ValueBool(),
	}
}

// moment is a time, zero where there is none or it is not known.
func moment(v timetypes.RFC3339) time.Time {
	if v.IsNull() || v.IsUnknown() {
		return time.Time{}
	}
	t, _ := v.ValueRFC3339Time() // the type has checked it
	return t
}

// cidList reads a list of cids; ok is false when one is not known.
func cidList(list types.List) (cids []string, ok bool) {
	for _, element := range list.Elements() {
		cid, isText := element.(types.String)
		if !isText || cid.IsUnknown() {
			return nil, false
		}
		cids = append(cids, cid.ValueString())
	}
	return cids, true
}

// cidsValidator checks a list of cids and names an element by its index: a
// distinct channel's id stands for people.
type cidsValidator struct{}

func (cidsValidator) Description(context.Context) string {
	return fmt.Sprintf("1 to %d different cids; %s", stream.MaxExportChannels, channelCID.Rule)
}

func (v cidsValidator) MarkdownDescription(ctx context.Context) string { return v.Description(ctx) }

func (cidsValidator) ValidateList(_ context.Context, req validator.ListRequest, resp *validator.ListResponse) {
	if req.ConfigValue.IsNull() || req.ConfigValue.IsUnknown() {
		return
	}
	elements := req.ConfigValue.Elements()
	if len(elements) == 0 || len(elements) > stream.MaxExportChannels {
		resp.Diagnostics.AddAttributeError(req.Path, "Too few or too many channels",
			fmt.Sprintf("One export takes 1 to %d channels, the list has %d. Nothing was sent. "+
				"Use several blocks for more, e.g. for_each over chunklist.", stream.MaxExportChannels, len(elements)))
	}
	first := map[string]int{}
	for i, element := range elements {
		cid, ok := element.(types.String)
		if !ok || cid.IsUnknown() {
			continue
		}
		at := req.Path.AtListIndex(i)
		if problem := channelCID.Problem(cid.ValueString()); problem != "" {
			resp.Diagnostics.AddAttributeError(at, "Invalid cid", problem)
			continue
		}
		if j, twice := first[cid.ValueString()]; twice {
			resp.Diagnostics.AddAttributeError(at, "The same channel twice", fmt.Sprintf("Channels %d and %d of the list are the same. "+
				"Nothing was sent.", j+1, i+1))
			continue
		}
		first[cid.ValueString()] = i
	}
}
