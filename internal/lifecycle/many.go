// Copyright (c) the terraform-provider-streamchat authors
// SPDX-License-Identifier: MPL-2.0

package lifecycle

import (
	"context"
	"maps"
	"slices"

	"github.com/hashicorp/terraform-plugin-framework/attr"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/booldefault"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/erasure"
)

// MaxBatch is how many subjects a batch takes: beyond that Terraform itself gets
// slow (terraform-behaviour.md §4).
const MaxBatch = 1000

// Many are the records of many subjects, as they lie in a model: a noun's batch model
// embeds it. The receipt holds the records; results and failures say of each in a word
// how it stands, because a thousand objects would make every plan expensive.
type Many[S erasure.Scope[S]] struct {
	Common
	DropRemovedRecords types.Bool `tfsdk:"drop_removed_records"`
	Results            types.Map  `tfsdk:"results"`
	Failures           types.Map  `tfsdk:"failures"`
}

// Subjects are those that a list names; known is false when the list or an element is
// not.
func Subjects(ctx context.Context, list types.List) (ids []string, known bool, diags diag.Diagnostics) {
	if list.IsUnknown() {
		return nil, false, nil
	}
	var elements []types.String
	diags.Append(list.ElementsAs(ctx, &elements, false)...)
	ids = make([]string, len(elements))
	for i, e := range elements {
		if e.IsUnknown() {
			return nil, false, diags
		}
		ids[i] = e.ValueString()
	}
	return ids, true, diags
}

func manyAttributes(users bool) map[string]schema.Attribute {
	results := describe("results")
	if users {
		results += " " + describe("results, users")
	}
	return map[string]schema.Attribute{
		"drop_removed_records": schema.BoolAttribute{
			Optional: true, Computed: true, Default: booldefault.StaticBool(false), MarkdownDescription: describe("drop_removed_records"),
		},
		"results":  schema.MapAttribute{Computed: true, ElementType: types.StringType, MarkdownDescription: results},
		"failures": schema.MapAttribute{Computed: true, ElementType: types.StringType, MarkdownDescription: describe("failures")},
	}
}

func (m *Many[S]) many() *Many[S] { return m }

// Keys are those of the records of a state that holds no ids.
func (m *Many[S]) Keys() []string {
	batch, err := m.load(nil)
	if err != nil {
		return nil // whoever loads the records says it
	}
	return batch.IDs()
}

func (m *Many[S]) load([]string) (erasure.Batch[S], error) {
	return erasure.ReadBatch[S](m.Receipt.ValueString(), slices.Collect(maps.Keys(m.Results.Elements())))
}

func (m *Many[S]) store(ctx context.Context, t teller, batch erasure.Batch[S], ids []string, scope S, errs map[string]error) diag.Diagnostics {
	about, diags := m.about(ctx, t.resource, "")
	results, failures := make(map[string]attr.Value, len(batch)), map[string]attr.Value{}
	for id, record := range batch {
		results[m.key(id)] = types.StringValue(record.Word())
		if why := record.Failure(errs[id]); why != "" {
			failures[m.key(id)] = types.StringValue(why)
		}
	}
	m.Results, m.Failures = textMap(results), textMap(failures)
	status := batch.Status(ids, scope)
	m.Status = types.StringValue(string(status))
	m.Receipt = types.StringValue(covered[S](m.veil, batch).Receipt(about, status, t.pseudonyms.Of))
	return diags
}

func textMap(of map[string]attr.Value) types.Map {
	texts, _ := types.MapValue(types.StringType, of) // they are texts
	return texts
}

// expect keeps what is decided and marks what an apply will decide, so that the diff
// shows exactly those. anew: a record that is replaced also keeps the evidence of those
// who left its list, whom nobody knows yet.
func (m *Many[S]) expect(batch erasure.Batch[S], work map[string]erasure.Step, anew bool) {
	m.Status, m.Receipt = types.StringUnknown(), types.StringUnknown()
	m.Failures = types.MapUnknown(types.StringType)
	if anew {
		m.Results = types.MapUnknown(types.StringType)
		return
	}
	entries := make(map[string]attr.Value, len(batch)+len(work))
	for id, record := range batch {
		entries[m.key(id)] = types.StringValue(record.Word())
	}
	for id := range work {
		entries[m.key(id)] = types.StringUnknown()
	}
	m.Results = textMap(entries)
}

func (m *Many[S]) keep(prior form[S]) {
	was, ok := prior.(interface{ many() *Many[S] })
	if !ok {
		return
	}
	p := was.many()
	m.keepCommon(&p.Common)
	m.Results, m.Failures = p.Results, p.Failures
}

// caughtUp takes over how records stand that a plan alone could look up, and reports whether
// that is news to the state.
func (m *Many[S]) caughtUp(batch erasure.Batch[S]) (news bool) {
	results, failures := m.Results.Elements(), m.Failures.Elements()
	for id, record := range batch {
		key, word := m.key(id), types.StringValue(record.Word())
		if was, ok := results[key]; ok && !was.Equal(word) {
			results[key], news = word, true
			delete(failures, key)
		}
	}
	if news {
		m.Results, m.Failures = textMap(results), textMap(failures)
	}
	return news
}

func (m *Many[S]) dropsRemoved() bool { return m.DropRemovedRecords.ValueBool() }

// restrict leaves only the entries of records that are still there, under the keys that
// the state is to hold.
func (m *Many[S]) restrict(batch erasure.Batch[S]) {
	keys := make(map[string]string, 2*len(batch))
	for id := range batch {
		keys[erasure.Shown(id)], keys[m.pseudonyms.Of(id)], keys[m.key(id)] = m.key(id), m.key(id), m.key(id)
	}
	left := func(of types.Map) types.Map {
		entries := map[string]attr.Value{}
		for was, entry := range of.Elements() {
			if key, ok := keys[was]; ok {
				entries[key] = entry
			}
		}
		return textMap(entries)
	}
	m.Results, m.Failures = left(m.Results), left(m.Failures)
}

// drops are the records of subjects that left the list, where the operator says that
// they are to be forgotten; without that only those of which nothing was ever sent.
func (m *Many[S]) drops(ids []string, batch erasure.Batch[S]) erasure.Batch[S] {
	dropped := erasure.Batch[S]{}
	for _, id := range batch.Left(ids) {
		record := batch[id]
		if record.Scheduled() {
			continue // is released first
		}
		if m.DropRemovedRecords.ValueBool() || len(record.Attempts) == 0 && !record.Restricted() {
			dropped[id] = record
		}
	}
	return dropped
}
