// Copyright (c) the terraform-provider-streamchat authors
// SPDX-License-Identifier: MPL-2.0

// Package exportfile is what resources share that take an export once and write
// it to a file: attributes, recipients, the claim on the path, the file that is
// there already, and a life in which nothing is ever taken again by itself.
package exportfile

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"maps"
	"path/filepath"
	"regexp"
	"strings"
	"time"

	"filippo.io/age"
	"github.com/hashicorp/terraform-plugin-framework-timeouts/resource/timeouts"
	"github.com/hashicorp/terraform-plugin-framework-timetypes/timetypes"
	"github.com/hashicorp/terraform-plugin-framework-validators/listvalidator"
	"github.com/hashicorp/terraform-plugin-framework-validators/stringvalidator"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/booldefault"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/boolplanmodifier"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/int64planmodifier"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/planmodifier"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/stringplanmodifier"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/export"
	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/lifecycle"
	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/privatefile"
	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/prose"
	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/report"
	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/stream"
)

// Timeout is how long an export may take by default. Channel exports take half a
// minute each, and a person may be in hundreds of channels.
const Timeout = 2 * time.Hour

// PlanTimeout bounds what a plan asks Stream.
const PlanTimeout = 10 * time.Minute

//go:embed descriptions.md
var descriptions string

var describe = prose.Text(descriptions)

var (
	pathPath       = path.Root("path")
	recipientsPath = path.Root("age_recipients")
	overwritePath  = path.Root("overwrite")
	appNamePath    = path.Root("app_name")
	appIDPath      = path.Root("app_id")
	completePath   = path.Root("complete")
)

// Model is the part of a resource's model that is about the file.
type Model struct {
	lifecycle.Bookkeeping
	Path          types.String      `tfsdk:"path"`
	AgeRecipients types.List        `tfsdk:"age_recipients"`
	Overwrite     types.Bool        `tfsdk:"overwrite"`
	Timeouts      timeouts.Value    `tfsdk:"timeouts"`
	SHA256        types.String      `tfsdk:"sha256"`
	FileSHA256    types.String      `tfsdk:"file_sha256"`
	SizeBytes     types.Int64       `tfsdk:"size_bytes"`
	ExportedAt    timetypes.RFC3339 `tfsdk:"exported_at"`
	AppName       types.String      `tfsdk:"app_name"`
	AppID         types.String      `tfsdk:"app_id"`
}

// App is the app that the plan shows; empty where it was not known.
func (m *Model) App() stream.App {
	return stream.App{ID: m.AppID.ValueString(), Name: m.AppName.ValueString()}
}

// SetApp notes the app that the export is taken from.
func (m *Model) SetApp(app stream.App) {
	m.AppName, m.AppID = lifecycle.Text(app.Name), lifecycle.Text(app.ID)
}

// asTaken are the attributes that say how an export is taken, in the order of the schema: a
// change of one afterwards changes nothing but the record.
var asTaken = []string{
	"path", "age_recipients", "overwrite", "format", "audience", "attachments", "attachment_hosts", "attachment_max_bytes",
}

// inPlace are the attributes that change without a new export.
var inPlace = append([]string{"timeouts", "request_id", "labels", "receipt", "attachments_saved", "attachments_missing", "user_id", "subject"}, asTaken...)

// Attributes are the schema of a Model; content is what the hash is of, e.g.
// "the clear JSON".
func Attributes(ctx context.Context, content string) map[string]schema.Attribute {
	exportedAt := Kept(describe("exported_at"))
	exportedAt.CustomType = timetypes.RFC3339Type{}
	attributes := lifecycle.BookkeepingAttributes("export")
	maps.Copy(attributes, map[string]schema.Attribute{
		"path": schema.StringAttribute{
			Required: true, Validators: []validator.String{stringvalidator.LengthAtLeast(1)}, MarkdownDescription: describe("path"),
		},
		"age_recipients": schema.ListAttribute{
			Optional: true, ElementType: types.StringType, MarkdownDescription: describe("age_recipients"),
			Validators: []validator.List{listvalidator.SizeAtLeast(1), listvalidator.ValueStringsAre(stringvalidator.LengthAtLeast(1))},
		},
		"overwrite": schema.BoolAttribute{
			Optional: true, Computed: true, Default: booldefault.StaticBool(false), MarkdownDescription: describe("overwrite"),
		},
		"timeouts": lifecycle.Timeouts(ctx, timeouts.Opts{
			Create:            true,
			CreateDescription: describe("timeouts.create"),
		}),
		"sha256":      Kept("SHA-256 of " + content + ", in hex."),
		"file_sha256": Kept(describe("file_sha256")),
		"size_bytes":  Count(describe("size_bytes")),
		"exported_at": exportedAt,
		"app_name":    Kept(describe("app_name")),
		"app_id":      Kept(describe("app_id")),
	})
	return attributes
}

// Kept is a computed text that never changes.
func Kept(description string) schema.StringAttribute {
	return schema.StringAttribute{
		Computed: true, MarkdownDescription: description,
		PlanModifiers: []planmodifier.String{stringplanmodifier.UseStateForUnknown()},
	}
}

// Count is a computed number that never changes.
func Count(description string) schema.Int64Attribute {
	return schema.Int64Attribute{
		Computed: true, MarkdownDescription: description,
		PlanModifiers: []planmodifier.Int64{int64planmodifier.UseStateForUnknown()},
	}
}

// Fact is a computed yes or no that never changes.
func Fact(description string) schema.BoolAttribute {
	return schema.BoolAttribute{
		Computed: true, MarkdownDescription: description,
		PlanModifiers: []planmodifier.Bool{boolplanmodifier.UseStateForUnknown()},
	}
}

// Commit puts the file in place and notes what it holds: an export that was
// taken at a time.
func (m *Model) Commit(file *privatefile.File, subject path.Path, at time.Time) diag.Diagnostics {
	written, err := file.Commit()
	if err != nil {
		return diag.Diagnostics{NotWritten(subject, err)}
	}
	m.SHA256, m.FileSHA256 = types.StringValue(written.ClearSHA256), types.StringValue(written.SHA256)
	m.SizeBytes = types.Int64Value(written.Size)
	at = at.Truncate(time.Millisecond)
	m.ExportedAt = lifecycle.Instant(&at)
	return nil
}

// Discard removes a file that was not committed.
func Discard(file *privatefile.File, diags *diag.Diagnostics) {
	if err := file.Abort(); err != nil {
		diags.AddAttributeError(pathPath, "Temporary file left behind",
			fmt.Sprintf("What was written of the export could not be removed: %s. It is in the directory of this path, "+
				"in a file .streamchat-export-….tmp. Remove it, or let the next export into that directory do so.", err))
	}
}

// NotWritten is the diagnostic of an error on the way from Stream to the file.
// subject is the attribute that names what was to be exported.
func NotWritten(subject path.Path, err error) diag.Diagnostic {
	var api *stream.Error
	var parse *export.ParseError
	switch {
	case errors.Is(err, privatefile.ErrExists):
		return refusal(pathPath, "File exists already")
	case errors.As(err, &api), errors.Is(err, context.DeadlineExceeded), errors.Is(err, context.Canceled):
		return report.Export(subject, err)
	case errors.As(err, &parse):
		return diag.NewAttributeErrorDiagnostic(subject, "Unreadable export",
			fmt.Sprintf("What Stream exported is not what its API promises: %s. Nothing was changed at Stream and no file was written. "+
				"Something between here and Stream may answer in its place (a proxy, a portal). Check that, then run apply again.", parse))
	}
	return diag.NewAttributeErrorDiagnostic(pathPath, "Export not written", fmt.Sprintf(
		"The export could not be written to this path: %s. No part of it was left on disk, and a file that was there before is unchanged. "+
			"Nothing was changed at Stream.", err))
}

// refusal and warning are diagnostics whose text stands under their summary in
// descriptions.md.
func refusal(at path.Path, summary string) diag.Diagnostic {
	return diag.NewAttributeErrorDiagnostic(at, summary, describe(summary))
}

func warning(at path.Path, summary string) diag.Diagnostic {
	return diag.NewAttributeWarningDiagnostic(at, summary, describe(summary))
}

// terraforms are the names of files that Terraform or git reads or writes.
var terraforms = regexp.MustCompile(`(?i)(\.(tf|tofu|tfvars|tftest|tfquery)(\.(json|hcl))?|\.tfstate(\.[^/]*)?|\.tfplan|\.terraform\.lock\.hcl|(^|/)\.(git|terraform)/.*)$`)

// misplaced refuses a path where nobody means an export to be. What is unknown is not.
func misplaced(name types.String, to types.List) (diags diag.Diagnostics) {
	if err := privatefile.CheckPath(name.ValueString()); err != nil {
		diags.AddAttributeError(pathPath, "Invalid path", "The configuration is refused: "+err.Error()+". Nothing was exported.")
	}
	if terraforms.MatchString(filepath.ToSlash(name.ValueString())) {
		diags.Append(refusal(pathPath, "File of Terraform's own"))
	}
	if to.IsNull() && strings.HasSuffix(strings.ToLower(name.ValueString()), ".age") {
		diags.Append(refusal(pathPath, "File would be in the clear"))
	}
	return diags
}

// exposed warns of a file in the clear that git would take.
func exposed(name types.String, to types.List) (diags diag.Diagnostics) {
	if to.IsNull() && privatefile.Tracked(name.ValueString()) {
		diags.Append(warning(pathPath, "Export in a git checkout"))
	}
	return diags
}

// recipients reads the list; nil leaves the file clear, and so does a list with
// unknown keys, for validation alone.
func recipients(ctx context.Context, list types.List) (parsed []age.Recipient, diags diag.Diagnostics) {
	var elements []types.String
	if list.IsNull() || list.IsUnknown() {
		return nil, nil
	}
	diags.Append(list.ElementsAs(ctx, &elements, false)...)
	var keys []string
	for _, e := range elements {
		if e.IsUnknown() {
			return nil, diags
		}
		keys = append(keys, e.ValueString())
	}
	if len(keys) == 0 {
		return nil, diags // listvalidator says so
	}
	parsed, err := privatefile.ParseRecipients(keys)
	if err != nil {
		diags.AddAttributeError(recipientsPath, "Invalid age recipient", "The configuration is refused: "+err.Error()+". "+
			"Nothing was exported. Give public keys as age-keygen prints them (age1…).")
	}
	return parsed, diags
}
