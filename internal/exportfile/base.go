// Copyright (c) the terraform-provider-streamchat authors
// SPDX-License-Identifier: MPL-2.0

package exportfile

import (
	"cmp"
	"context"
	"encoding/json"
	"math/big"
	"slices"
	"strings"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/types"
	"github.com/hashicorp/terraform-plugin-go/tftypes"

	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/erasure"
	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/lifecycle"
	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/privatefile"
	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/receipt"
	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/session"
	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/stream"
)

// Base is the part of such a resource that is the same for all: embed it.
type Base struct {
	Session *session.Session
	// TypeName is the resource type; Subject is the attribute that names what is exported.
	TypeName, Subject string
}

func (b *Base) at() path.Path { return path.Root(b.Subject) }

// Configure implements resource.ResourceWithConfigure.
func (b *Base) Configure(_ context.Context, req resource.ConfigureRequest, resp *resource.ConfigureResponse) {
	b.Session = session.From(req.ProviderData, &resp.Diagnostics)
}

// ValidateConfig implements resource.ResourceWithValidateConfig.
func (*Base) ValidateConfig(ctx context.Context, req resource.ValidateConfigRequest, resp *resource.ValidateConfigResponse) {
	var list types.List
	resp.Diagnostics.Append(req.Config.GetAttribute(ctx, recipientsPath, &list)...)
	var file types.String
	resp.Diagnostics.Append(req.Config.GetAttribute(ctx, pathPath, &file)...)
	resp.Diagnostics.Append(Check(ctx, file, list)...)
}

// record is what a run has to know of an export in state or in a plan, to tell a
// replacement of its record from another one.
type record struct {
	subject, path, sha256 string
	app                   stream.App
}

// place is the key of what is exported and where to.
func (r record) place() string { return r.subject + "\x00" + r.path }

// own is the key of the file that the record wrote.
func (r record) own() string { return r.place() + "\x00" + r.sha256 }

func (b *Base) record(raw tftypes.Value) record {
	attributes := map[string]tftypes.Value{}
	_ = raw.As(&attributes) // it is an object, by the schema
	r := record{
		subject: b.Subject + "\x00" + subject(attributes[b.Subject]),
		sha256:  text(attributes["file_sha256"]),
		app:     stream.App{ID: text(attributes["app_id"]), Name: text(attributes["app_name"])},
	}
	if text(attributes[b.Subject]) == "" { // a record that holds no id
		r.subject += text(attributes["subject"])
	}
	if file := text(attributes["path"]); file != "" {
		r.path = privatefile.Resolve(file)
	}
	return r
}

// subject is a text, or a list of them, whose order does not matter.
func subject(v tftypes.Value) string {
	var elements []tftypes.Value
	if !v.Type().Is(tftypes.List{}) {
		return text(v)
	}
	if v.IsKnown() && !v.IsNull() {
		_ = v.As(&elements)
	}
	texts := make([]string, len(elements))
	for i, element := range elements {
		texts[i] = text(element)
	}
	slices.Sort(texts)
	return strings.Join(texts, "\x00")
}

// text is "" where nothing is known.
func text(v tftypes.Value) (s string) {
	if v.Type() != nil && v.Type().Is(tftypes.String) && v.IsFullyKnown() && !v.IsNull() {
		_ = v.As(&s)
	}
	return s
}

// What [session.Session.Exports] keeps, by the kind of its key.
const (
	wrote   = "wrote "   // + own: true, by a record that this run has seen
	stands  = "stands "  // + own: the configuration of the record, which is in the plan with a state
	takes   = "takes "   // + own: the taking of a new export that replaces the file
	planned = "planned " // + configuration: the app of the record that has it
	read    = "read "    // + place: the app of a record that this run has read
)

// taking is how a new export replaces a file: as its own, or because it may overwrite.
type taking struct {
	config    string
	overwrite bool
}

// Plan does what every such plan has to do, and reports whether an export is to
// be taken: then the plan should see to it that this can succeed, since a
// replacement drops the record of the export that exists.
func (b *Base) Plan(ctx context.Context, req resource.ModifyPlanRequest, resp *resource.ModifyPlanResponse) (taking bool) {
	switch {
	case req.Plan.Raw.IsNull():
		resp.Diagnostics.Append(warning(pathPath, "Destroying forgets the export"))
		resp.Diagnostics.Append(lifecycle.DestroyMark.Set(ctx, resp.Private)...)
		resp.Diagnostics.Append(b.stand(b.record(req.State.Raw), "")...)
	case !req.State.Raw.IsNull():
		b.planUpdate(ctx, req, resp)
	case b.Session != nil:
		return b.planTake(ctx, req, resp)
	}
	return false
}

// stand notes a record that stays or is forgotten, so that no other export of the plan
// takes its file for its own. Terraform plans a replacement twice, first as an update and
// then as a creation, with the same configuration.
func (b *Base) stand(r record, config string) diag.Diagnostics {
	if b.Session == nil {
		return nil
	}
	b.Session.Exports.Remember(wrote+r.own(), true)
	b.Session.Exports.Remember(stands+r.own(), config)
	left, _ := b.Session.Exports.Recall(takes + r.own())
	switch other, taken := left.(taking); {
	case !taken || other.config == config:
		return nil
	case other.overwrite:
		return diag.Diagnostics{warning(pathPath, "Existing file will be replaced")}
	}
	return diag.Diagnostics{refusal(pathPath, "File of another record")}
}

// planUpdate keeps the record, and says of what changes that it changes nothing else.
func (b *Base) planUpdate(ctx context.Context, req resource.ModifyPlanRequest, resp *resource.ModifyPlanResponse) {
	r, config := b.record(req.State.Raw), req.Config.Raw.String()
	resp.Diagnostics.Append(b.stand(r, config)...)
	if b.Session != nil {
		b.Session.Exports.Remember(planned+config, r.app)
	}
	var complete types.Bool // null in a record of an earlier version
	resp.Diagnostics.Append(req.State.GetAttribute(ctx, completePath, &complete)...)
	resp.Diagnostics.Append(resp.Plan.SetAttribute(ctx, completePath, complete)...)
	var name, id types.String
	resp.Diagnostics.Append(req.State.GetAttribute(ctx, appNamePath, &name)...)
	resp.Diagnostics.Append(req.State.GetAttribute(ctx, appIDPath, &id)...)
	resp.Diagnostics.Append(resp.Plan.SetAttribute(ctx, appNamePath, name)...)
	resp.Diagnostics.Append(resp.Plan.SetAttribute(ctx, appIDPath, id)...)

	prior, then := map[string]tftypes.Value{}, map[string]tftypes.Value{}
	_, _ = req.State.Raw.As(&prior), resp.Plan.Raw.As(&then)
	var changed []string
	for attribute, value := range then {
		if !value.Equal(prior[attribute]) {
			changed = append(changed, attribute)
		}
	}
	if slices.ContainsFunc(changed, func(attribute string) bool { return !slices.Contains(inPlace, attribute) }) {
		return // a replacement
	}
	for _, at := range asTaken {
		if slices.Contains(changed, at) {
			resp.Diagnostics.Append(warning(path.Root(at), "Export is not taken again"))
			return
		}
	}
}

// planTake looks at the path of an export to be taken, and fills in the app that it is
// taken from.
func (b *Base) planTake(ctx context.Context, req resource.ModifyPlanRequest, resp *resource.ModifyPlanResponse) bool {
	var m Model
	resp.Diagnostics.Append(req.Plan.GetAttribute(ctx, pathPath, &m.Path)...)
	resp.Diagnostics.Append(req.Plan.GetAttribute(ctx, recipientsPath, &m.AgeRecipients)...)
	resp.Diagnostics.Append(req.Plan.GetAttribute(ctx, overwritePath, &m.Overwrite)...)
	config := req.Config.Raw.String()
	if !m.Path.IsUnknown() && !resp.Diagnostics.HasError() {
		resp.Diagnostics.Append(b.planFile(&m, b.record(resp.Plan.Raw), config)...)
	}
	if resp.Diagnostics.HasError() || b.Session.Blind() {
		return false
	}
	left, ok := b.Session.Exports.Recall(planned + config)
	if !ok {
		left, _ = b.Session.Exports.Recall(read + b.record(resp.Plan.Raw).place())
	}
	recorded, _ := left.(stream.App)
	app, diags := b.Session.OpenFor(ctx, b.at(), recorded)
	if resp.Diagnostics.Append(diags...); diags.HasError() {
		return false
	}
	m.SetApp(app)
	resp.Diagnostics.Append(resp.Plan.SetAttribute(ctx, appNamePath, m.AppName)...)
	resp.Diagnostics.Append(resp.Plan.SetAttribute(ctx, appIDPath, m.AppID)...)
	return !resp.Diagnostics.HasError()
}

// planFile looks what is at the path. What is not known yet is looked at again at apply.
func (b *Base) planFile(m *Model, r record, config string) diag.Diagnostics {
	diags := append(misplaced(m.Path, m.AgeRecipients), exposed(m.Path, m.AgeRecipients)...)
	if !b.Session.Claims.First("file", r.path) {
		diags.Append(refusal(pathPath, "The same file twice"))
	}
	sha256, there, err := privatefile.Existing(m.Path.ValueString())
	r.sha256 = sha256
	switch {
	case err != nil:
		diags.Append(NotWritten(b.at(), err))
	case diags.HasError(), !there, m.Overwrite.IsUnknown(), b.owns(r, taking{config, m.Overwrite.ValueBool()}):
	case m.Overwrite.ValueBool():
		diags.Append(warning(pathPath, "Existing file will be replaced"))
	default:
		diags.Append(refusal(pathPath, "File exists already"))
	}
	return diags
}

// owns reports whether a new export replaces the record that wrote a file: one that this
// run has seen and that does not stand beside it.
func (b *Base) owns(r record, by taking) bool {
	if _, seen := b.Session.Exports.Recall(wrote + r.own()); r.sha256 == "" || !seen {
		return false
	}
	b.Session.Exports.Remember(takes+r.own(), by)
	other, standing := b.Session.Exports.Recall(stands + r.own())
	return !standing || other == by.config
}

// Begin starts the file of the export that a Create plans. Everything in the model must
// be known. Whoever begins defers [Discard].
func (b *Base) Begin(ctx context.Context, m *Model, plan tftypes.Value) (*privatefile.File, diag.Diagnostics) {
	if diags := append(Check(ctx, m.Path, m.AgeRecipients), lifecycle.CheckArchive(ctx, b.Session)...); diags.HasError() {
		return nil, diags
	}
	own, r := "", b.record(plan)
	r.sha256, _, _ = privatefile.Existing(m.Path.ValueString()) // whatever is wrong there, Begin says it
	if _, replaced := b.Session.Exports.Collect(r.own()); replaced {
		own = r.sha256
	}
	return Alone{m.Path, m.AgeRecipients, m.Overwrite}.begin(ctx, b.Session, b.at(), own)
}

// Archive writes the receipt of an export that was taken and stored. A replacement takes
// another export: its record is another one, and the receipt of the first stays as it is.
func (b *Base) Archive(ctx context.Context, state tftypes.Value, private lifecycle.Private) diag.Diagnostics {
	b.Session.Exports.MarkWritten(b.record(state).place())
	return b.archive(ctx, state, receipt.NewID(), private, true)
}

func (b *Base) archive(ctx context.Context, state tftypes.Value, id string, private lifecycle.Private, created bool) diag.Diagnostics {
	diags := lifecycle.KeepRecordID(ctx, private, id)
	return append(diags, lifecycle.Archive(ctx, b.Session, b.receipt(state, id), created)...)
}

// told are the attributes of an export that its receipt holds: none that names somebody, as
// the path of the file may.
var told = []string{
	"subject", "request_id", "labels", "app_name", "app_id", "exported_at", "sha256", "file_sha256", "size_bytes", "age_recipients",
	"message_count", "reaction_count", "attachment_count", "attachments_saved", "attachments_missing", "complete", "method", "version", "task_id",
}

// receipt is the record for an auditor.
func (b *Base) receipt(state tftypes.Value, id string) string {
	attributes := map[string]tftypes.Value{}
	_ = state.As(&attributes) // it is an object, by the schema
	if kept := map[string]any{}; json.Unmarshal([]byte(text(attributes["receipt"])), &kept) == nil {
		kept["record_id"] = id
		return erasure.Canonical(kept) // that of the state
	}
	says := map[string]any{"record": b.TypeName, "record_id": id, "status": "completed", "provider_version": b.Session.Version}
	for _, name := range told {
		if value := plain(attributes[name]); value != nil {
			says[name] = value
		}
	}
	if list, ok := plain(attributes[b.Subject]).([]any); ok {
		subjects := make([]map[string]string, len(list))
		for i, element := range list {
			subjects[i] = map[string]string{}
			if pseudonym := b.Session.Pseudonyms.Of(element.(string)); pseudonym != "" { //nolint:forcetypeassert // by the schema
				subjects[i]["subject"] = pseudonym
			}
		}
		says["subjects"] = subjects
	}
	return erasure.Canonical(says)
}

// plain is a value as JSON has it; nil where there is none.
func plain(v tftypes.Value) any {
	if v.Type() == nil || !v.IsFullyKnown() || v.IsNull() {
		return nil
	}
	switch typ := v.Type(); {
	case typ.Is(tftypes.Bool):
		var b bool
		_ = v.As(&b)
		return b
	case typ.Is(tftypes.Number):
		var n big.Float
		_ = v.As(&n)
		return json.Number(n.Text('f', -1))
	case typ.Is(tftypes.List{}):
		var elements []tftypes.Value
		_ = v.As(&elements)
		list := make([]any, len(elements))
		for i := range elements {
			list[i] = plain(elements[i])
		}
		return list
	case typ.Is(tftypes.Map{}):
		elements := map[string]tftypes.Value{}
		_ = v.As(&elements)
		fields := make(map[string]any, len(elements))
		for key, element := range elements {
			fields[key] = plain(element)
		}
		return fields
	default:
		return text(v)
	}
}

// Read implements resource.Resource. The record stands by itself: neither the
// file nor Stream is looked at.
func (b *Base) Read(ctx context.Context, req resource.ReadRequest, resp *resource.ReadResponse) {
	resp.Diagnostics.Append(lifecycle.DestroyMark.Clear(ctx, req.Private, resp.Private)...)
	if b.Session != nil { // a tainted record is planned without its state
		r := b.record(req.State.Raw)
		b.Session.Exports.Remember(wrote+r.own(), true)
		b.Session.Exports.Remember(read+r.place(), r.app)
	}
}

// Update implements resource.Resource. Nothing is sent, and no file is written but the
// receipt.
func (b *Base) Update(ctx context.Context, req resource.UpdateRequest, resp *resource.UpdateResponse) {
	if resp.Diagnostics.Append(lifecycle.CheckArchive(ctx, b.Session)...); resp.Diagnostics.HasError() {
		return
	}
	resp.State.Raw = req.Plan.Raw
	resp.Diagnostics.Append(b.Renew(ctx, req, resp)...)
}

// Renew writes the receipt of a record whose state was just set anew.
func (b *Base) Renew(ctx context.Context, req resource.UpdateRequest, resp *resource.UpdateResponse) diag.Diagnostics {
	id, diags := lifecycle.RecordID(ctx, req.Private)
	return append(diags, b.archive(ctx, resp.State.Raw, cmp.Or(id, receipt.NewID()), resp.Private, false)...)
}

// Delete implements resource.Resource: the file stays. A Delete without the mark of a
// destroy plan is the first half of a replacement: the second may replace the file.
func (b *Base) Delete(ctx context.Context, req resource.DeleteRequest, resp *resource.DeleteResponse) {
	destroys, diags := lifecycle.DestroyMark.On(ctx, req.Private)
	resp.Diagnostics.Append(append(diags, lifecycle.CheckArchive(ctx, b.Session)...)...)
	if resp.Diagnostics.HasError() {
		resp.Diagnostics.Append(lifecycle.DestroyMark.Clear(ctx, req.Private, resp.Private)...)
		return
	}
	r := b.record(req.State.Raw)
	if destroys {
		resp.Diagnostics.Append(warning(pathPath, "Record removed, file kept"))
		id, diags := lifecycle.RecordID(ctx, req.Private)
		if resp.Diagnostics.Append(diags...); !b.Session.Exports.WasWritten(r.place()) {
			resp.Diagnostics.Append(lifecycle.EndArchive(ctx, b.Session, b.receipt(req.State.Raw, id), receipt.Forgotten)...)
		}
		return
	}
	_, diags = b.Session.OpenFor(ctx, b.at(), r.app)
	if resp.Diagnostics.Append(diags...); diags.HasError() {
		return // keeps the record
	}
	b.Session.Exports.Remember(wrote+r.own(), true)
	b.Session.Exports.HandOver(r.own(), true)
}
