// Copyright (c) the terraform-provider-streamchat authors
// SPDX-License-Identifier: MPL-2.0

package user

import (
	"context"
	"crypto/sha256"
	_ "embed"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/types"
	"golang.org/x/text/unicode/norm"

	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/erasure"
	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/export"
	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/exportfile"
	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/prose"
	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/session"
)

// maxContent bounds an export that becomes a value in Terraform: 10,000 messages of the
// usual size, which Stream exports in one piece, fit. Terraform reads and writes the
// whole state in every run and takes no message of a provider above 64 MiB.
const maxContent = 16 << 20

//go:embed export.md
var exportProse string

var exportText = prose.Text(exportProse)

// contentModel is an export that becomes a value in Terraform: of the data source in
// state, of the ephemeral resource nowhere.
type contentModel struct {
	UserID        types.String `tfsdk:"user_id"`
	Audience      types.String `tfsdk:"audience"`
	Exists        types.Bool   `tfsdk:"exists"`
	JSON          types.String `tfsdk:"json"`
	SHA256        types.String `tfsdk:"sha256"`
	MessageCount  types.Int64  `tfsdk:"message_count"`
	ReactionCount types.Int64  `tfsdk:"reaction_count"`
	Complete      types.Bool   `tfsdk:"complete"`
	Method        types.String `tfsdk:"method"`
}

// contentAttributes are the computed attributes of a contentModel, in the schema types
// of whoever has it.
func contentAttributes[A any](
	text func(description string, sensitive bool) A, count, fact func(description string) A,
) map[string]A {
	return map[string]A{
		"exists":         fact(exportText("exists")),
		"json":           text(exportText("json"), true),
		"sha256":         text(exportText("sha256"), false),
		"message_count":  count(exportText("message_count")),
		"reaction_count": count(exportText("reaction_count")),
		"complete":       fact(completeDescription),
		"method":         text(methodDescription, false),
	}
}

// take takes the export of the user into the model.
func (m *contentModel) take(ctx context.Context, s *session.Session) (diags diag.Diagnostics) {
	ctx, cancel := context.WithTimeout(ctx, exportfile.Timeout)
	defer cancel()
	id := m.UserID.ValueString()
	if diags := s.Ready(); diags.HasError() {
		return diags
	}
	taking, diags := exportfile.Take(ctx, s, userIDPath, erasure.Export{Users: []string{id}, Unplanned: true})
	if diags.HasError() {
		return diags
	}
	defer func() { taking.End(!diags.HasError()) }()
	there, d := exportable(ctx, s, id)
	if diags.Append(d...); diags.HasError() {
		return diags
	}
	var content limitedBuffer
	form := formModel{Audience: m.Audience}
	found, exists, taken := form.write(ctx, s, taking, id, there, &content, "", "", s.Clock.Now())
	diags.Append(taken...)
	if diags.HasError() {
		return diags
	}
	m.Exists = types.BoolValue(exists)
	if !exists && found.Gaps.Deletions {
		diags.Append(exportfile.Late(userIDPath))
	}
	if exists {
		diags.Append(m.hold(content.bytes, found.Findings)...)
	}
	return diags
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

// hold notes an export.
func (m *contentModel) hold(content []byte, found export.Findings) (diags diag.Diagnostics) {
	text, err := terraformText(content)
	if err != nil {
		diags.AddAttributeError(userIDPath, "Export is not text",
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

// limitedBuffer takes what fits into a value.
type limitedBuffer struct{ bytes []byte }

func (b *limitedBuffer) Write(p []byte) (int, error) {
	if len(b.bytes)+len(p) > maxContent {
		return 0, export.ErrTooLarge
	}
	b.bytes = append(b.bytes, p...)
	return len(p), nil
}
