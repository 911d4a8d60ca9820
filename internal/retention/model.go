// Copyright (c) the terraform-provider-streamchat authors
// SPDX-License-Identifier: MPL-2.0

package retention

import (
	"cmp"
	"context"
	"fmt"

	"github.com/hashicorp/terraform-plugin-framework-timetypes/timetypes"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/lifecycle"
	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/stream"
)

// The policies that exist.
const (
	oldMessages      = "old-messages"
	inactiveChannels = "inactive-channels"
)

// What Stream accepts as an age: a day to five years.
const (
	minHours = 24
	maxHours = 43_800
)

type model struct {
	Policy       types.String      `tfsdk:"policy"`
	MaxAgeHours  types.Int64       `tfsdk:"max_age_hours"`
	Exports      types.List        `tfsdk:"exports"`
	Irreversible types.Bool        `tfsdk:"irreversible"`
	EnabledAt    timetypes.RFC3339 `tfsdk:"enabled_at"`
	AppName      types.String      `tfsdk:"app_name"`
	AppID        types.String      `tfsdk:"app_id"`

	// recordID is the record's name among receipts.
	recordID string
}

// named reads the name of a record in state.
func (m *model) named(ctx context.Context, private lifecycle.Private) (diags diag.Diagnostics) {
	m.recordID, diags = lifecycle.RecordID(ctx, private)
	return diags
}

// holder names the record among those of a run.
func (m *model) holder() string {
	return cmp.Or(m.recordID, m.name()) // imported, and never applied
}

// receipt is the record for an auditor.
func (m *model) receipt(ctx context.Context, id, version string) (string, diag.Diagnostics) {
	said := map[string]any{
		"record": TypeName, "record_id": id, "app_name": m.AppName.ValueString(), "app_id": m.AppID.ValueString(), "status": "enabled",
		"policy": m.name(), "max_age_hours": m.MaxAgeHours.ValueInt64(), "irreversible": true, "enabled_at": m.EnabledAt.ValueString(),
		"provider_version": version,
	}
	if hashes, _ := lifecycle.ExportHashes(m.Exports); len(hashes) > 0 {
		said["exports"] = hashes
	}
	return lifecycle.Document(ctx, nil, said)
}

func (m *model) name() string { return m.Policy.ValueString() }

func (m *model) app() stream.App {
	return stream.App{ID: m.AppID.ValueString(), Name: m.AppName.ValueString()}
}

func (m *model) setApp(app stream.App) {
	m.AppName, m.AppID = lifecycle.Text(app.Name), lifecycle.Text(app.ID)
}

// store writes what Stream has.
func (m *model) store(p stream.RetentionPolicy, app stream.App) {
	m.Policy, m.MaxAgeHours, m.Irreversible = types.StringValue(p.Name), types.Int64Value(p.MaxAgeHours), types.BoolValue(true)
	m.EnabledAt = lifecycle.Instant(p.EnabledAt)
	m.setApp(app)
}

var (
	policyPath = path.Root("policy")
	hoursPath  = path.Root("max_age_hours")
)

// refusal and warning are diagnostics whose text stands under their summary in
// descriptions.md.
func refusal(summary string) diag.Diagnostic {
	return diag.NewAttributeErrorDiagnostic(policyPath, summary, describe(summary))
}

func warning(summary string) diag.Diagnostic {
	return diag.NewAttributeWarningDiagnostic(policyPath, summary, describe(summary))
}

// deletes says in words what a policy takes.
func deletes(policy string, h int64) string {
	age := fmt.Sprintf("of more than %d hours", h)
	if h >= 48 && h%24 == 0 {
		age += fmt.Sprintf(" (%d days)", h/24)
	}
	if policy == inactiveChannels {
		return "every channel without activity " + age + ", with all its messages"
	}
	return "every message " + age + ", in all channels"
}

// shortens reports that a policy takes what it has left so far. A new one begins a day
// later, when every export of this run is over.
func shortens(now, before *model) bool {
	return before != nil && before.Policy.Equal(now.Policy) && now.MaxAgeHours.ValueInt64() < before.MaxAgeHours.ValueInt64()
}

// willDelete warns of a policy, and under a title of its own of one that becomes shorter.
func willDelete(now, before *model) diag.Diagnostic {
	summary, was := "Irreversible deletion by a retention policy", ""
	if shortens(now, before) {
		summary = "Retention policy made shorter"
		was = fmt.Sprintf("The age goes down from %d hours, so that everything between the two goes as well. ", before.MaxAgeHours.ValueInt64())
	}
	return diag.NewAttributeWarningDiagnostic(hoursPath, summary,
		fmt.Sprintf("%sOnce this is applied, Stream hard-deletes %s, for everybody in the app and from then on continually. It begins about 24 hours after the policy is enabled. "+
			"Nothing that it deletes can be brought back, and no plan will show it. The guards of erasures (holds, protected users, max_erasures) do not hold it back: export or move what must be kept first.",
			was, deletes(now.name(), now.MaxAgeHours.ValueInt64())))
}

func belowFloor(hours, floor int64) diag.Diagnostic {
	return diag.NewAttributeErrorDiagnostic(hoursPath, "Retention policy too short", fmt.Sprintf(
		"max_age_hours is %d, and the provider's retention_floor_hours is %d. Nothing was sent. Give a longer age, or lower the floor in a reviewed change.", hours, floor))
}
