// Copyright (c) the terraform-provider-streamchat authors
// SPDX-License-Identifier: MPL-2.0

package user

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/hashicorp/terraform-plugin-framework/datasource"
	"github.com/hashicorp/terraform-plugin-framework/datasource/schema"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/types"
	"golang.org/x/text/unicode/norm"

	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/export"
	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/exportfile"
	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/session"
)

// ExportType is the type of the resource and of the data source of an export.
const ExportType = "streamchat_user_export"

// maxStateExport bounds an export that goes into state: 10,000 messages of the
// usual size, which Stream exports in one piece, fit. Terraform reads and writes
// the whole state in every run and takes no message of a provider above 64 MiB.
const maxStateExport = 16 << 20

type exportDataSource struct{ session *session.Session }

type exportDataModel struct {
	UserID        types.String `tfsdk:"user_id"`
	Exists        types.Bool   `tfsdk:"exists"`
	JSON          types.String `tfsdk:"json"`
	SHA256        types.String `tfsdk:"sha256"`
	MessageCount  types.Int64  `tfsdk:"message_count"`
	ReactionCount types.Int64  `tfsdk:"reaction_count"`
	Complete      types.Bool   `tfsdk:"complete"`
	Method        types.String `tfsdk:"method"`
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
		MarkdownDescription: "~> **The content of this data source lands in the Terraform state and in plan files**, " +
			"where it outlives the erasure of the person. " +
			"The forms that keep it out are the resource `streamchat_user_export` (a file, encrypted if you like; use it before an erasure), " +
			"the resource with `age_recipients` where not even the file may be clear, " +
			"and Stream's own API or dashboard outside Terraform.\n\n" +
			"Everything that Stream exports of one user (right of access, Art. 15): the user, their messages, reactions and custom data, " +
			"as JSON, exactly as Stream sent it. " +
			"It is read again in every plan. A user who is gone gives `exists = false`, never an error.\n\n" +
			"Beyond " + directLimit + ", where Stream refuses its own export, it is assembled from exports of the user's channels " +
			"as by the resource `streamchat_user_export`, in every plan again, which takes minutes; " +
			"then `complete` is false. An export above 16 MiB is an error: use the resource.",
		Attributes: map[string]schema.Attribute{
			"user_id": schema.StringAttribute{Required: true, MarkdownDescription: "The user to export.", Validators: IDValidators()},
			"exists": schema.BoolAttribute{
				Computed: true, MarkdownDescription: "Whether Stream has the user. When false, everything else is null.",
			},
			"json": schema.StringAttribute{
				Computed: true, Sensitive: true,
				MarkdownDescription: "The export as Stream sent it: `user`, `messages`, `reactions` and whatever else Stream adds, " +
					"nothing dropped, renamed or rounded. Only the `duration` of the answer is left out, " +
					"so that the text is the same from read to read as long as the data is. " +
					"Where Terraform would rewrite characters (it normalises Unicode), " +
					"they are written as `\\u` escapes, which are the same JSON.",
			},
			"sha256":         schema.StringAttribute{Computed: true, MarkdownDescription: "SHA-256 of `json`, in hex."},
			"message_count":  schema.Int64Attribute{Computed: true, MarkdownDescription: "How many messages the export holds."},
			"reaction_count": schema.Int64Attribute{Computed: true, MarkdownDescription: "How many reactions the export holds."},
			"complete":       schema.BoolAttribute{Computed: true, MarkdownDescription: completeDescription},
			"method":         schema.StringAttribute{Computed: true, MarkdownDescription: methodDescription},
		},
	}
}

// terraformText keeps JSON the same JSON in Terraform, which normalises all text
// to Unicode's NFC on its way and would rewrite what people wrote: where that
// would change anything, characters beyond ASCII become escapes.
func terraformText(document []byte) (string, error) {
	if !utf8.Valid(document) {
		return "", errors.New("not UTF-8")
	}
	if norm.NFC.IsNormal(document) {
		return string(document), nil
	}
	var b strings.Builder
	for _, r := range string(document) {
		switch high, low := utf16.EncodeRune(r); {
		case r < utf8.RuneSelf:
			b.WriteRune(r)
		case high != utf8.RuneError:
			fmt.Fprintf(&b, `\u%04x\u%04x`, high, low)
		default:
			fmt.Fprintf(&b, `\u%04x`, r)
		}
	}
	return b.String(), nil
}

// Read implements datasource.DataSource.
func (d *exportDataSource) Read(ctx context.Context, req datasource.ReadRequest, resp *datasource.ReadResponse) {
	var model exportDataModel
	resp.Diagnostics.Append(req.Config.Get(ctx, &model)...)
	if resp.Diagnostics.HasError() {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, exportfile.Timeout)
	defer cancel()
	id := model.UserID.ValueString()
	there, diags := exportable(ctx, d.session, id)
	resp.Diagnostics.Append(diags...)
	if resp.Diagnostics.HasError() {
		return
	}
	var content limitedBuffer
	found, exists, diags := take(ctx, d.session, id, there, &content, "")
	resp.Diagnostics.Append(diags...)
	if resp.Diagnostics.HasError() {
		return
	}
	model.Exists = types.BoolValue(exists)
	if exists {
		resp.Diagnostics.Append(model.hold(content.bytes, found)...)
	}
	if resp.Diagnostics.HasError() {
		return
	}
	resp.Diagnostics.Append(resp.State.Set(ctx, &model)...)
}

// hold notes an export.
func (m *exportDataModel) hold(content []byte, found export.Findings) (diags diag.Diagnostics) {
	text, err := terraformText(content)
	if err != nil {
		diags.AddAttributeError(userIDPath, "Export cannot be kept in state",
			"Stream's export of this user holds bytes that are not UTF-8 text, which Terraform cannot keep unchanged. "+
				"Use the resource streamchat_user_export, which writes the very bytes to a file.")
		return diags
	}
	sum := sha256.Sum256([]byte(text))
	m.JSON, m.SHA256 = types.StringValue(text), types.StringValue(hex.EncodeToString(sum[:]))
	m.MessageCount, m.ReactionCount = types.Int64Value(found.Messages), types.Int64Value(found.Reactions)
	m.Complete, m.Method = types.BoolValue(found.Complete()), types.StringValue(found.Method)
	return nil
}

// limitedBuffer takes what fits into state.
type limitedBuffer struct{ bytes []byte }

func (b *limitedBuffer) Write(p []byte) (int, error) {
	if len(b.bytes)+len(p) > maxStateExport {
		return 0, export.ErrTooLarge
	}
	b.bytes = append(b.bytes, p...)
	return len(p), nil
}
