// Copyright (c) the terraform-provider-streamchat authors
// SPDX-License-Identifier: MPL-2.0

package user

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/hashicorp/terraform-plugin-framework-validators/int64validator"
	"github.com/hashicorp/terraform-plugin-framework-validators/listvalidator"
	"github.com/hashicorp/terraform-plugin-framework-validators/stringvalidator"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/attachment"
	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/bundle"
	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/erasure"
	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/export"
	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/exportfile"
	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/lifecycle"
	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/session"
)

// The formats of an export.
const (
	formatJSON   = "json"
	formatBundle = "bundle"
)

// formModel says in what form an export is taken. Nothing in it has a default in the
// schema, so that records of earlier versions do not change.
type formModel struct {
	Format             types.String `tfsdk:"format"`
	Audience           types.String `tfsdk:"audience"`
	Attachments        types.Bool   `tfsdk:"attachments"`
	AttachmentHosts    types.List   `tfsdk:"attachment_hosts"`
	AttachmentMaxBytes types.Int64  `tfsdk:"attachment_max_bytes"`
}

// bundleModel is that and what came of it.
type bundleModel struct {
	formModel
	AttachmentsSaved   types.Int64  `tfsdk:"attachments_saved"`
	AttachmentsMissing types.Int64  `tfsdk:"attachments_missing"`
	Receipt            types.String `tfsdk:"receipt"`
}

// The validators of a form's attributes.
var (
	formats   = []validator.String{stringvalidator.OneOf(formatJSON, formatBundle)}
	audiences = []validator.String{stringvalidator.OneOf(string(bundle.Controller), string(bundle.Subject))}
	hosts     = []validator.List{listvalidator.SizeAtLeast(1), listvalidator.ValueStringsAre(hostValidator{})}
	sizes     = []validator.Int64{int64validator.AtLeast(1)}
)

func bundleAttributes() map[string]schema.Attribute {
	return map[string]schema.Attribute{
		"format":      schema.StringAttribute{Optional: true, MarkdownDescription: describe("format"), Validators: formats},
		"audience":    schema.StringAttribute{Optional: true, MarkdownDescription: describe("audience"), Validators: audiences},
		"attachments": schema.BoolAttribute{Optional: true, MarkdownDescription: describe("attachments")},
		"attachment_hosts": schema.ListAttribute{
			Optional: true, ElementType: types.StringType, MarkdownDescription: describe("attachment_hosts"), Validators: hosts,
		},
		"attachment_max_bytes": schema.Int64Attribute{Optional: true, MarkdownDescription: describe("attachment_max_bytes"), Validators: sizes},
		"attachments_saved":    exportfile.Count(describe("attachments_saved")),
		"attachments_missing":  exportfile.Count(describe("attachments_missing")),
		"receipt":              exportfile.Kept(describe("export.receipt")),
	}
}

type hostValidator struct{}

func (hostValidator) Description(context.Context) string {
	return "a host name, with * for a part of a label"
}
func (v hostValidator) MarkdownDescription(ctx context.Context) string { return v.Description(ctx) }

func (hostValidator) ValidateString(_ context.Context, req validator.StringRequest, resp *validator.StringResponse) {
	if req.ConfigValue.IsNull() || req.ConfigValue.IsUnknown() {
		return
	}
	if err := attachment.CheckHost(req.ConfigValue.ValueString()); err != nil {
		resp.Diagnostics.AddAttributeError(req.Path, "Invalid attachment host",
			"The configuration is refused: "+err.Error()+". Nothing was exported. Give names like cdn.example.com, or *.cdn.example.com.")
	}
}

// ValidateConfig implements resource.ResourceWithValidateConfig.
func (r *exportResource) ValidateConfig(ctx context.Context, req resource.ValidateConfigRequest, resp *resource.ValidateConfigResponse) {
	r.Base.ValidateConfig(ctx, req, resp)
	var m formModel
	var file types.String
	for name, into := range map[string]any{
		"format": &m.Format, "attachments": &m.Attachments, "attachment_hosts": &m.AttachmentHosts,
		"attachment_max_bytes": &m.AttachmentMaxBytes, "path": &file,
	} {
		resp.Diagnostics.Append(req.Config.GetAttribute(ctx, path.Root(name), into)...)
	}
	if !resp.Diagnostics.HasError() {
		resp.Diagnostics.Append(m.nonsense(file.ValueString())...)
	}
}

// nonsense refuses what would be asked for in vain. What is unknown is not.
func (m *formModel) nonsense(file string) (diags diag.Diagnostics) {
	refuse := func(at, why string) {
		diags.AddAttributeError(path.Root(at), "Attribute without effect", "The configuration is refused: "+why+" Nothing was exported.")
	}
	if m.Attachments.ValueBool() && !m.Format.IsUnknown() && m.Format.ValueString() != formatBundle {
		refuse("attachments", `files go into a bundle, and this export is none. Set format = "bundle", or leave attachments out.`)
	}
	if !m.Attachments.IsUnknown() && !m.Attachments.ValueBool() {
		for at, null := range map[string]bool{"attachment_hosts": m.AttachmentHosts.IsNull(), "attachment_max_bytes": m.AttachmentMaxBytes.IsNull()} {
			if !null {
				refuse(at, "it says how files are fetched, and none are. Set attachments = true, or leave it out.")
			}
		}
	}
	name := strings.TrimSuffix(strings.ToLower(file), ".age")
	if m.Format.ValueString() == formatBundle && (strings.HasSuffix(name, ".json") || strings.HasSuffix(name, ".jsonl")) {
		refuse("path", "the name says that the file is JSON, and a bundle is a ZIP. Give it a name that ends in .zip, or .zip.age.")
	}
	return diags
}

// write takes the export to dst in the form that was asked for; found and exists are as
// of [take].
func (m *formModel) write(
	ctx context.Context, s *session.Session, t *exportfile.Taking, id string, there bool, dst io.Writer, dir string, app string, at time.Time,
) (result bundle.Result, exists bool, diags diag.Diagnostics) {
	if m.Format.ValueString() != formatBundle && m.Audience.ValueString() != string(bundle.Subject) {
		result.Findings, exists, diags = take(ctx, s, t, id, there, dst, dir)
		return result, exists, diags
	}
	options := bundle.Options{
		Subject: id, Audience: bundle.Audience(m.Audience.ValueString()), Dir: dir, App: app, Version: s.Version, At: at,
		Message: s.API.MessageJSON,
		Channels: func(ctx context.Context, cids []string) (map[string]bundle.Channel, error) {
			return channels(ctx, s, cids)
		},
	}
	if dir == "" {
		options.Memory = 2 * maxContent // a value of maxContent and how its records are kept
	}
	if m.Attachments.ValueBool() {
		settings := s.API.FileSettings()
		hosts := attachment.DefaultHosts(settings.Base)
		if !m.AttachmentHosts.IsNull() {
			hosts = nil
			diags.Append(m.AttachmentHosts.ElementsAs(ctx, &hosts, false)...)
		}
		limit := m.AttachmentMaxBytes.ValueInt64()
		if limit == 0 {
			limit = attachment.DefaultMaxBytes
		}
		options.Fetcher = attachment.New(attachment.Options{
			Hosts: hosts, MaxBytes: limit, Retries: settings.Retries, Timeout: settings.Timeout, Clock: s.Clock, Agent: settings.UserAgent,
		})
	}
	var taken diag.Diagnostics
	exists = true
	source := func(w io.Writer) (found export.Findings, err error) {
		if found, exists, taken = take(ctx, s, t, id, there, w, dir); !exists || taken.HasError() {
			err = errNotTaken
		}
		return found, err
	}
	write := bundle.JSON
	if m.Format.ValueString() == formatBundle {
		write = bundle.Write
	}
	result, err := write(ctx, dst, options, source)
	diags.Append(taken...)
	if err != nil && !errors.Is(err, errNotTaken) && !diags.HasError() {
		diags.Append(notWritten(err))
	}
	if result.Unnamed && !diags.HasError() {
		diags.AddAttributeWarning(path.Root("format"), "Conversations not named", "Stream's channels could not be looked up for what the conversations are called and who is in them. "+
			"The bundle is kept and lacks nothing else: it calls them by their ids, and its MANIFEST.json says so. For the names take the export again with -replace, before an erasure.")
	}
	return result, exists, diags
}

// errNotTaken ends a bundle whose export was not taken; the diagnostics say why.
var errNotTaken = errors.New("the export was not taken")

// channels are looked up for their names alone: without, the bundle has their ids, and says
// so.
func channels(ctx context.Context, s *session.Session, cids []string) (map[string]bundle.Channel, error) {
	cards, err := s.API.ChannelCards(ctx, cids)
	if err != nil {
		if ctx.Err() == nil {
			err = nil
		}
		return nil, err
	}
	found := map[string]bundle.Channel{}
	for cid, card := range cards {
		channel := bundle.Channel{Name: card.Name, CreatedBy: card.CreatedBy, MemberCount: card.MemberCount}
		for _, m := range card.Members {
			channel.Members = append(channel.Members, bundle.Member(m))
		}
		found[cid] = channel
	}
	return found, nil
}

// hold notes what became of the files, and warns of those that are missing.
func (m *bundleModel) hold(result bundle.Result) (diags diag.Diagnostics) {
	m.AttachmentsSaved, m.AttachmentsMissing = types.Int64Null(), types.Int64Null()
	if !m.Attachments.ValueBool() {
		return nil
	}
	m.AttachmentsSaved, m.AttachmentsMissing = types.Int64Value(result.Saved), types.Int64Value(result.Missing)
	return missingFiles(result)
}

// missingFiles warns of files that could not be saved.
func missingFiles(result bundle.Result) (diags diag.Diagnostics) {
	if result.Missing > 0 {
		diags.AddAttributeWarning(path.Root("attachments"), "Files that could not be saved", fmt.Sprintf(
			"Of the files that the messages link to, %d are in the bundle and %d are not; %d attachments are no files. MANIFEST.json in it names each of these and says why. "+
				"The export is kept, with complete = false. Where a host is not allowed, add it to attachment_hosts; then take the export again with -replace, "+
				"before an erasure with delete.files = true destroys the files.", result.Saved, result.Missing, result.NoFiles))
	}
	return diags
}

// exportReceipt is what an auditor keeps of an export: no personal data.
type exportReceipt struct {
	Record    string            `json:"record"`
	Subject   string            `json:"subject,omitempty"`
	RequestID string            `json:"request_id,omitempty"`
	Labels    map[string]string `json:"labels,omitempty"`
	Export    json.RawMessage   `json:"export"`
}

// taken is the part of the receipt that never changes.
type taken struct {
	AppName            string      `json:"app_name,omitempty"`
	AppID              string      `json:"app_id,omitempty"`
	ExportedAt         string      `json:"exported_at"`
	Format             string      `json:"format"`
	Audience           string      `json:"audience"`
	Method             string      `json:"method"`
	Complete           bool        `json:"complete"`
	Encrypted          bool        `json:"encrypted"`
	SHA256             string      `json:"sha256"`
	FileSHA256         string      `json:"file_sha256"`
	SizeBytes          int64       `json:"size_bytes"`
	Messages           int64       `json:"message_count"`
	Reactions          int64       `json:"reaction_count"`
	Attachments        int64       `json:"attachment_count"`
	AttachmentsSaved   *int64      `json:"attachments_saved,omitempty"`
	AttachmentsMissing *int64      `json:"attachments_missing,omitempty"`
	AttachmentsNoFile  int64       `json:"attachments_without_file,omitempty"`
	Gaps               export.Gaps `json:"gaps,omitzero"`
	ProviderVersion    string      `json:"provider_version"`
}

// writeReceipt writes the receipt of an export that was just taken.
func (m *exportModel) writeReceipt(ctx context.Context, s *session.Session, id string, found bundle.Result) diag.Diagnostics {
	t := taken{
		AppName: m.AppName.ValueString(), AppID: m.AppID.ValueString(), ExportedAt: m.ExportedAt.ValueString(),
		Format: formatJSON, Audience: string(bundle.Controller), Method: m.Method.ValueString(), Complete: m.Complete.ValueBool(),
		Encrypted: !m.AgeRecipients.IsNull(), SHA256: m.SHA256.ValueString(), FileSHA256: m.FileSHA256.ValueString(),
		SizeBytes: m.SizeBytes.ValueInt64(), Messages: m.MessageCount.ValueInt64(), Reactions: m.ReactionCount.ValueInt64(),
		Attachments: m.AttachmentCount.ValueInt64(), AttachmentsSaved: m.AttachmentsSaved.ValueInt64Pointer(),
		AttachmentsMissing: m.AttachmentsMissing.ValueInt64Pointer(), AttachmentsNoFile: found.NoFiles, Gaps: found.Gaps, ProviderVersion: s.Version,
	}
	if m.Format.ValueString() != "" {
		t.Format = m.Format.ValueString()
	}
	if m.Audience.ValueString() != "" {
		t.Audience = m.Audience.ValueString()
	}
	return m.keepReceipt(ctx, exportReceipt{Subject: s.Pseudonyms.Of(id), Export: json.RawMessage(erasure.Canonical(t))})
}

// keepReceipt fills in the operator's words.
func (m *exportModel) keepReceipt(ctx context.Context, receipt exportReceipt) (diags diag.Diagnostics) {
	receipt.Record, receipt.RequestID = ExportType, m.RequestID.ValueString()
	receipt.Labels, diags = m.LabelTexts(ctx)
	m.Receipt = types.StringValue(erasure.Canonical(receipt))
	return diags
}

// planBooks keeps what was taken, and says what the receipt will be with other words of
// the operator's. A record of an earlier version has none.
func (r *exportResource) planBooks(ctx context.Context, req resource.ModifyPlanRequest, resp *resource.ModifyPlanResponse) {
	var prior, next exportModel
	resp.Diagnostics.Append(req.State.Get(ctx, &prior)...)
	resp.Diagnostics.Append(resp.Plan.Get(ctx, &next)...)
	if resp.Diagnostics.HasError() || !prior.UserID.IsNull() && !next.UserID.IsNull() && !prior.UserID.Equal(next.UserID) {
		return
	}
	r.noteFiles(&prior)
	next.AttachmentsSaved, next.AttachmentsMissing, next.Receipt = prior.AttachmentsSaved, prior.AttachmentsMissing, prior.Receipt
	if !prior.Receipt.IsNull() && !(prior.RequestID.Equal(next.RequestID) && prior.Labels.Equal(next.Labels)) {
		next.Receipt = types.StringUnknown()
		if known, err := next.Labels.ToTerraformValue(ctx); err == nil && known.IsFullyKnown() && !next.RequestID.IsUnknown() {
			resp.Diagnostics.Append(next.renewReceipt(ctx, prior.Receipt)...)
		}
	}
	resp.Diagnostics.Append(resp.Plan.Set(ctx, &next)...)
}

func (m *exportModel) renewReceipt(ctx context.Context, prior types.String) (diags diag.Diagnostics) {
	var receipt exportReceipt
	if json.Unmarshal([]byte(prior.ValueString()), &receipt) != nil {
		diags.AddAttributeError(path.Root("receipt"), "Receipt in state is none",
			"The receipt that the state holds of this export cannot be read. Nothing was changed. Restore the state from a backup.")
		return diags
	}
	return m.keepReceipt(ctx, receipt)
}

// Update implements resource.Resource: nothing is sent; only the operator's words change.
func (r *exportResource) Update(ctx context.Context, req resource.UpdateRequest, resp *resource.UpdateResponse) {
	var prior, next exportModel
	resp.Diagnostics.Append(req.State.Get(ctx, &prior)...)
	resp.Diagnostics.Append(req.Plan.Get(ctx, &next)...)
	resp.Diagnostics.Append(lifecycle.CheckArchive(ctx, r.Session)...)
	if resp.Diagnostics.HasError() {
		return
	}
	if next.Receipt.IsUnknown() {
		resp.Diagnostics.Append(next.renewReceipt(ctx, prior.Receipt)...)
	}
	resp.Diagnostics.Append(resp.State.Set(ctx, &next)...)
	resp.Diagnostics.Append(next.identify(ctx, resp.Identity)...)
	resp.Diagnostics.Append(r.Renew(ctx, req, resp)...)
}
