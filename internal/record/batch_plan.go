// Copyright (c) the terraform-provider-streamchat authors
// SPDX-License-Identifier: MPL-2.0

package record

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"sync"

	"github.com/hashicorp/terraform-plugin-framework-validators/listvalidator"
	"github.com/hashicorp/terraform-plugin-framework/attr"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/booldefault"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/erasure"
)

// SubjectList is the attribute that lists a batch's subjects.
func SubjectList(description string, id ID) schema.Attribute {
	return schema.ListAttribute{
		Required: true, ElementType: types.StringType,
		MarkdownDescription: description + fmt.Sprintf(" 1 to %d; for more use `for_each` over `chunklist`. The order does not matter, adding one sends one. "+
			"One that leaves the list keeps its entry in `results` (see `drop_removed_records`).", MaxBatch),
		Validators: []validator.List{listvalidator.SizeAtMost(MaxBatch), listvalidator.NoNullValues(), idsValidator{id}, noDuplicates{}},
	}
}

// noDuplicates stands in for listvalidator.UniqueValues, which would print the id.
type noDuplicates struct{}

func (noDuplicates) Description(context.Context) string               { return "no id stands in the list twice" }
func (v noDuplicates) MarkdownDescription(ctx context.Context) string { return v.Description(ctx) }

func (noDuplicates) ValidateList(_ context.Context, req validator.ListRequest, resp *validator.ListResponse) {
	seen := map[string]int{}
	for i, element := range req.ConfigValue.Elements() {
		id, ok := element.(types.String)
		if !ok || id.IsNull() || id.IsUnknown() {
			continue
		}
		if first, twice := seen[id.ValueString()]; twice {
			resp.Diagnostics.AddAttributeError(req.Path.AtListIndex(i), "The same subject twice", fmt.Sprintf("%s repeats %s. List every subject once.", req.Path.AtListIndex(i), req.Path.AtListIndex(first)))
			continue
		}
		seen[id.ValueString()] = i
	}
}

func batchAttributes() map[string]schema.Attribute {
	computed := func(description string) schema.StringAttribute {
		return schema.StringAttribute{Computed: true, MarkdownDescription: description}
	}
	return map[string]schema.Attribute{
		"drop_removed_records": schema.BoolAttribute{
			Optional: true, Computed: true, Default: booldefault.StaticBool(false),
			MarkdownDescription: "Forget the evidence of subjects that leave the list. Default false: a list that is fed by a query of who is still there must not eat its own evidence, since erased subjects leave every query.",
		},
		"results": schema.MapNestedAttribute{
			Computed:            true,
			MarkdownDescription: "What was found and what came of it, for every subject. In a plan, only the entries that an apply will act on are unknown.",
			NestedObject: schema.NestedAttributeObject{Attributes: map[string]schema.Attribute{
				"status":       computed("`pending` (never sent), `submitted`, `completed`, `failed` or `reverted`."),
				"found":        computed("What Stream held right before the call: `present`, `deactivated`, `deleted` or `missing`."),
				"outcome":      computed("`erased`, `pruned`, `marked_deleted` or `not_found`; null until completed."),
				"task_id":      computed("Stream's task, shared by up to 100 subjects."),
				"submitted_at": instantAttribute("When Stream accepted the call, by the provider's clock."),
				"completed_at": instantAttribute("When Stream's task ended, by Stream's clock."),
				"error":        computed("Why the last attempt failed, in words that name nobody; null otherwise."),
			}},
		},
	}
}

// ModifyPlan implements resource.ResourceWithModifyPlan.
func (r *BatchResource[S, M, P]) ModifyPlan(ctx context.Context, req resource.ModifyPlanRequest, resp *resource.ModifyPlanResponse) {
	if req.Plan.Raw.IsNull() {
		r.planDestroy(ctx, req, resp)
		return
	}
	in, diags := readPlan[S, M, P](ctx, req)
	resp.Diagnostics.Append(diags...)
	if resp.Diagnostics.HasError() {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, readTimeout)
	defer cancel()
	resp.Diagnostics.Append(r.plan(ctx, P(&in.plan), in.prior, in.scope, in.unsaved)...)
	resp.Diagnostics.Append(resp.Plan.Set(ctx, &in.plan)...)
}

func (r *BatchResource[S, M, P]) plan(ctx context.Context, plan P, prior *M, scope S, unsaved bool) (diags diag.Diagnostics) {
	b := plan.batch()
	all, sent := plan.Counts()
	diags.Append(plan.SetScope(ctx, scope)...)
	diags.Append(checkOnDestroy(&b.Common, scope.Irreversible())...)
	batch := erasure.Batch[S]{}
	if prior != nil {
		var err error
		if batch, err = readBatch[S](P(prior).batch()); err != nil {
			return append(diags, damaged(err))
		}
		r.note(batch)
		if recorded, ok, d := P(prior).Scope(ctx); ok && !d.HasError() {
			c, step := scope.Compare(recorded), erasure.Keep
			if len(c.Raised) > 0 {
				step = erasure.Send
			}
			diags.Append(refused(c, step)...)
		}
	}
	ids, known, d := subjects(ctx, plan.Subjects())
	diags.Append(d...)
	if diags.HasError() {
		return diags
	}
	if !known {
		diags.Append(r.planUnknown(ctx, plan, scope)...)
		return diags
	}
	if prior == nil && len(ids) == 0 {
		diags.AddAttributeError(r.subjectPath(), "Nobody to erase", "The list is empty. Give at least one id, or leave the block out (count or for_each) while there is nobody.")
		return diags
	}
	*all = types.Int64Value(int64(len(ids)))
	seen := erasure.Batch[S]{}
	for _, id := range ids {
		if record, ok := batch[id]; ok {
			seen[id] = record
		} else if record, ok := noted[S](r.session, r.Noun.TypeName, id); ok {
			seen[id] = record
		}
	}
	waits := r.session != nil && slices.ContainsFunc(ids, func(id string) bool { return r.session.Handoff.Waits(r.Noun.TypeName, id) })
	if !waits {
		_, d = ahead(scope, seen)
		if diags.Append(d...); diags.HasError() {
			return diags
		}
	}
	work := r.work(scope, ids, batch)
	if len(work) == 0 {
		diags.Append(r.planKept(ctx, plan, P(prior), scope, ids, batch)...)
		if unsaved {
			b.Status = types.StringUnknown()
			diags.Append(notSaved(r.subjectPath()))
		}
		return diags
	}
	diags.Append(b.plan(ctx, scope.Irreversible(), scope.NotCovered())...)
	b.Status, b.Receipt = types.StringUnknown(), types.StringUnknown()
	dropRemoved(b, ids, batch)
	if prior == nil {
		// A replaced batch also keeps the evidence of those who left its list.
		b.Results = types.MapUnknown(types.ObjectType{AttrTypes: resultTypes})
	} else {
		diags.Append(r.planResults(ctx, b, batch, work)...)
	}

	var sending []string
	for _, id := range work {
		if r.step(scope, batch[id]) == erasure.Send {
			sending = append(sending, id)
		}
	}
	*sent = types.Int64Value(int64(len(sending)))
	if waits {
		return diags // Create checks everything again and keeps the records whatever it finds
	}
	return append(diags, r.preview(ctx, plan, scope, ids, sending, batch)...)
}

// planUnknown is the plan of a list that is only known at apply.
func (r *BatchResource[S, M, P]) planUnknown(ctx context.Context, plan P, scope S) (diags diag.Diagnostics) {
	b := plan.batch()
	all, sent := plan.Counts()
	*all, *sent = types.Int64Unknown(), types.Int64Unknown()
	b.Status, b.Receipt = types.StringUnknown(), types.StringUnknown()
	b.Results = types.MapUnknown(types.ObjectType{AttrTypes: resultTypes})
	diags.Append(b.plan(ctx, scope.Irreversible(), scope.NotCovered())...)
	diags.Append(subjectNotKnown(r.subjectPath(), r.session))
	return diags
}

// planKept is the plan of a batch that needs no call.
func (r *BatchResource[S, M, P]) planKept(ctx context.Context, plan, prior P, scope S, ids []string, batch erasure.Batch[S]) (diags diag.Diagnostics) {
	b, was := plan.batch(), prior.batch()
	_, sent := plan.Counts()
	_, sentBefore := prior.Counts()
	*sent = *sentBefore
	b.Irreversible, b.NotCovered, b.Results = was.Irreversible, was.NotCovered, was.Results
	b.Status = types.StringValue(string(batch.Status(ids, scope)))
	b.Receipt = was.Receipt
	if recorded, ok, _ := prior.Scope(ctx); !ok || recorded != scope {
		// The last who was behind has left the list.
		diags.Append(b.plan(ctx, scope.Irreversible(), scope.NotCovered())...)
		b.Receipt = types.StringUnknown()
	}
	before := len(batch)
	if dropRemoved(b, ids, batch); len(batch) != before {
		kept := maps.Clone(was.Results.Elements())
		maps.DeleteFunc(kept, func(id string, _ attr.Value) bool { _, ok := batch[id]; return !ok })
		b.Results = types.MapValueMust(types.ObjectType{AttrTypes: resultTypes}, kept)
		b.Receipt = types.StringUnknown()
	}
	if !b.sameAbout(&was.Common) || !b.Status.Equal(was.Status) {
		b.Receipt = types.StringUnknown()
	}
	return diags
}

// planResults keeps what is decided and marks what an apply will decide, so that
// the diff shows exactly those.
func (r *BatchResource[S, M, P]) planResults(ctx context.Context, b *BatchBase, batch erasure.Batch[S], work []string) (diags diag.Diagnostics) {
	entries := make(map[string]attr.Value, len(batch)+len(work))
	for id, record := range batch {
		object, d := resultOf(record, nil).object(ctx)
		diags.Append(d...)
		entries[id] = object
	}
	for _, id := range work {
		entries[id] = undecided()
	}
	results, d := types.MapValue(types.ObjectType{AttrTypes: resultTypes}, entries)
	b.Results = results
	return append(diags, d...)
}

// preview runs the guards for everybody who is to be sent.
func (r *BatchResource[S, M, P]) preview(ctx context.Context, plan P, scope S, ids, sending []string, batch erasure.Batch[S]) (diags diag.Diagnostics) {
	if len(sending) == 0 {
		diags.AddAttributeWarning(r.subjectPath(), "Deletions under way", "Deletions of this batch were submitted before. Applying this update asks for their results; nothing is sent again while Stream knows the tasks.")
		return diags
	}
	if r.session != nil && r.session.Undetermined {
		return diag.Diagnostics{notLookedUp(r.subjectPath())}
	}
	if d := r.session.Ready(); d.HasError() {
		return d
	}
	var (
		mu    sync.Mutex
		wg    sync.WaitGroup
		errs  = map[string]error{}
		found = map[erasure.Found]int{}
	)
	kept := 0
	for _, id := range sending {
		if record, ok := noted[S](r.session, r.Noun.TypeName, id); ok && len(batch) == 0 && r.step(scope, record) != erasure.Send {
			kept++
		}
		wg.Go(func() {
			finding, err := r.previewOne(ctx, id, scope, batch[id], plan.common())
			mu.Lock()
			defer mu.Unlock()
			if err != nil {
				errs[id] = err
				return
			}
			found[finding.Found]++
		})
	}
	wg.Wait()
	if len(errs) > 0 {
		return r.explain(ids, errs, never)
	}
	summary := "Irreversible deletions"
	if !scope.Irreversible() {
		summary = "Deletions that keep the data at Stream"
	}
	detail := fmt.Sprintf("%d of %d are sent: %s.\n%s", len(sending), len(ids), counts(found), r.Noun.Goes(scope))
	if kept > 0 {
		detail += fmt.Sprintf("\nThere are records of %d of them already. If this batch is only replaced (tainted, -replace), what they know is kept, and they are not sent again. An interrupt in the middle of that would lose it: to end a taint without a replacement, use terraform untaint.", kept)
	}
	if wait := r.atLeast(len(sending)); wait > 0 {
		detail += fmt.Sprintf("\nStream's limit makes this take at least %s.", wait)
	}
	if scope.Irreversible() {
		detail += "\n\nThis cannot be undone, by this provider or by Stream. " + r.Noun.Finality
	}
	diags.AddAttributeWarning(r.subjectPath(), summary, detail)
	return diags
}

func (r *BatchResource[S, M, P]) previewOne(ctx context.Context, id string, scope S, record erasure.Record[S], c *Common) (erasure.Finding, error) {
	if len(record.Attempts) == 0 {
		if err := r.engine().Claim(id); err != nil {
			return erasure.Finding{}, err
		}
		record, _ = noted[S](r.session, r.Noun.TypeName, id)
	}
	finding, err := r.engine().Preview(ctx, id, scope, record)
	if err == nil && finding.Found == erasure.FoundMissing && c.OnMissing.ValueString() != MissingRecord {
		return finding, r.engine().Missing()
	}
	return finding, err
}

func counts(found map[erasure.Found]int) string {
	words := []struct {
		found erasure.Found
		says  string
	}{
		{erasure.FoundPresent, "present"}, {erasure.FoundDeactivated, "deactivated"}, {erasure.FoundDeleted, "deleted before (sent again, to prove the modes)"},
		{erasure.FoundMissing, "never existed (recorded as not found, not sent)"}, {erasure.FoundUnproven, "not listed by Stream (proven at apply)"},
	}
	said := ""
	if len(found) == 0 {
		return "none"
	}
	for _, w := range words {
		if n := found[w.found]; n > 0 {
			if said != "" {
				said += ", "
			}
			said += fmt.Sprintf("%d %s", n, w.says)
		}
	}
	return said
}

func (r *BatchResource[S, M, P]) planDestroy(ctx context.Context, req resource.ModifyPlanRequest, resp *resource.ModifyPlanResponse) {
	var state M
	resp.Diagnostics.Append(req.State.Get(ctx, &state)...)
	resp.Diagnostics.Append(mark(ctx, resp.Private, destroyMark, true)...)
	if resp.Diagnostics.HasError() {
		return
	}
	batch, err := readBatch[S](P(&state).batch())
	if err == nil && len(r.toRestore(P(&state).common(), batch)) > 0 {
		resp.Diagnostics.Append(willRestore(r.subjectPath()))
		return
	}
	resp.Diagnostics.Append(willForget(r.subjectPath(), P(&state).common()))
}
