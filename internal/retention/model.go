// Copyright (c) the terraform-provider-streamchat authors
// SPDX-License-Identifier: MPL-2.0

package retention

import (
	"fmt"
	"time"

	"github.com/hashicorp/terraform-plugin-framework-timetypes/timetypes"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/record"
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
	Policy      types.String      `tfsdk:"policy"`
	MaxAgeHours types.Int64       `tfsdk:"max_age_hours"`
	EnabledAt   timetypes.RFC3339 `tfsdk:"enabled_at"`
	AppName     types.String      `tfsdk:"app_name"`
}

// store writes what Stream has.
func (m *model) store(p stream.RetentionPolicy, app string) {
	m.Policy, m.MaxAgeHours, m.AppName = types.StringValue(p.Name), types.Int64Value(p.MaxAgeHours), types.StringValue(app)
	m.EnabledAt = timetypes.NewRFC3339Null()
	if p.EnabledAt != nil {
		m.EnabledAt = timetypes.NewRFC3339ValueMust(p.EnabledAt.Format(time.RFC3339Nano))
	}
}

var (
	policyPath = path.Root("policy")
	hoursPath  = path.Root("max_age_hours")
)

// deletes says in words what a policy takes.
func deletes(policy string, hours types.Int64) string {
	age := "older than the given age"
	if !hours.IsUnknown() {
		age = fmt.Sprintf("of more than %d hours (%d days)", hours.ValueInt64(), hours.ValueInt64()/24)
	}
	if policy == inactiveChannels {
		return "every channel without activity " + age + ", with all its messages"
	}
	return "every message " + age + ", in all channels"
}

func willDelete(m *model) diag.Diagnostic {
	return diag.NewAttributeWarningDiagnostic(hoursPath, "Irreversible deletion by a retention policy",
		fmt.Sprintf("Once this is applied, Stream hard-deletes %s, for everybody in the app and from then on continually. It begins about 24 hours after the policy is enabled. "+
			"Nothing that it deletes can be brought back, and no plan will show it. The guards of erasures (holds, protected users, max_erasures) do not hold it back: export or move what must be kept first.",
			deletes(m.Policy.ValueString(), m.MaxAgeHours)))
}

func willRemove() diag.Diagnostic {
	return diag.NewAttributeWarningDiagnostic(policyPath, record.DestroySummary,
		"Applying this resource destruction removes the policy from the Stream app: from then on nothing more is deleted by age. What it deleted before does not come back.")
}

func removed() diag.Diagnostic {
	return diag.NewAttributeWarningDiagnostic(policyPath, "Retention policy removed",
		"Stream deletes nothing more by this policy. What it deleted before does not come back.")
}

func exists() diag.Diagnostic {
	return diag.NewAttributeErrorDiagnostic(policyPath, "Retention policy exists already",
		"The Stream app has this policy already, set by somebody else or by another resource. Nothing was sent, because setting it would silently change how much is deleted. "+
			"To manage it here, import it by its name; the next plan then shows any difference.")
}

func twice() diag.Diagnostic {
	return diag.NewAttributeErrorDiagnostic(policyPath, "The same policy twice",
		"Another resource of this plan sets the same policy, and an app has it only once. Nothing was sent for this one. Keep one of the two blocks.")
}

func nothingToImport() diag.Diagnostic {
	return diag.NewAttributeErrorDiagnostic(policyPath, "No such retention policy",
		"The Stream app does not have this policy, so there is nothing to import. Nothing was sent. To set it, remove the import block and apply the resource.")
}
