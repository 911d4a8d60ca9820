// Copyright (c) the terraform-provider-streamchat authors
// SPDX-License-Identifier: MPL-2.0

package record

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/erasure"
	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/report"
	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/session"
)

// MaxBatch is how many subjects a batch takes: beyond that Terraform itself gets
// slow (terraform-behaviour.md §4).
const MaxBatch = 1000

// BatchResource is the Terraform resource of a [Noun] for many subjects at once.
// Noun.Subject is the list of ids.
type BatchResource[S erasure.Scope[S], M any, P interface {
	*M
	BatchModel[S]
}] struct {
	Noun Noun[S, M]
	// CallsPerMinute is the limit of the delete call.
	CallsPerMinute func(*session.Session) int
	session        *session.Session
}

// Metadata implements resource.Resource.
func (r *BatchResource[S, M, P]) Metadata(_ context.Context, _ resource.MetadataRequest, resp *resource.MetadataResponse) {
	resp.TypeName = r.Noun.TypeName
}

// Schema implements resource.Resource.
func (r *BatchResource[S, M, P]) Schema(ctx context.Context, _ resource.SchemaRequest, resp *resource.SchemaResponse) {
	all := commonAttributes(ctx, r.Noun.Restores)
	maps.Copy(all, batchAttributes())
	maps.Copy(all, r.Noun.Attributes)
	resp.Schema = schema.Schema{MarkdownDescription: r.Noun.Description, Attributes: all}
}

// Configure implements resource.ResourceWithConfigure.
func (r *BatchResource[S, M, P]) Configure(_ context.Context, req resource.ConfigureRequest, resp *resource.ConfigureResponse) {
	r.session = session.From(req.ProviderData, &resp.Diagnostics)
}

func (r *BatchResource[S, M, P]) engine() *erasure.Engine[S] { return r.Noun.Engine(r.session) }

func (r *BatchResource[S, M, P]) subjectPath() path.Path { return path.Root(r.Noun.Subject) }

func (r *BatchResource[S, M, P]) pseudonym(id string) string {
	return erasure.Pseudonym(r.session.PseudonymKey, id)
}

// atLeast is how long Stream's limit makes n subjects take.
func (r *BatchResource[S, M, P]) atLeast(n int) time.Duration {
	calls := math.Ceil(float64(n) / erasure.MaxSubjects)
	minutes := math.Ceil(calls/float64(r.CallsPerMinute(r.session))) - 1 // the first minute's calls go at once
	return time.Duration(max(minutes, 0)) * time.Minute
}

func (r *BatchResource[S, M, P]) timeout(n int) time.Duration {
	return max(defaultTimeout, 2*r.atLeast(n))
}

// Create implements resource.Resource.
func (r *BatchResource[S, M, P]) Create(ctx context.Context, req resource.CreateRequest, resp *resource.CreateResponse) {
	var plan M
	resp.Diagnostics.Append(req.Plan.Get(ctx, &plan)...)
	if resp.Diagnostics.HasError() {
		return
	}
	model := P(&plan)
	ids, _, diags := subjects(ctx, model.Subjects())
	resp.Diagnostics.Append(diags...)
	timeout, diags := model.common().Timeouts.Create(ctx, r.timeout(len(ids)))
	resp.Diagnostics.Append(diags...)
	batch := r.inherited(ids)
	dropRemoved(model.batch(), ids, batch)
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	if scope, _, d := model.Scope(ctx); !d.HasError() {
		if done, diags := ahead(scope, batch); diags.HasError() {
			resp.Diagnostics.Append(diags...)
			r.setModes(ctx, model, done, &resp.Diagnostics)
		}
	}
	batch, diags = r.advance(ctx, model, ids, batch, !resp.Diagnostics.HasError())
	resp.Diagnostics.Append(diags...)
	if resp.Diagnostics.HasError() && !r.begun(batch) {
		return // nothing to keep
	}
	for id := range batch {
		r.session.Handoff.Create(r.Noun.TypeName, id)
	}
	resp.Diagnostics.Append(resp.State.Set(ctx, &plan)...)
}

// ahead refuses a new record that asks for less than an inherited one says was
// done, and gives the modes that were.
func ahead[S erasure.Scope[S]](scope S, batch erasure.Batch[S]) (done S, diags diag.Diagnostics) {
	for _, id := range batch.IDs() {
		if current := batch[id].Current(); current.Scope != nil {
			if less := scope.Compare(*current.Scope).Lowered; len(less) > 0 {
				return *current.Scope, refused(erasure.Comparison{Lowered: less}, erasure.Keep)
			}
		}
	}
	return scope, nil
}

// inherited are the records that a Delete in this run has left, of these subjects
// and of those that were in the same batch.
func (r *BatchResource[S, M, P]) inherited(ids []string) erasure.Batch[S] {
	batch := erasure.Batch[S]{}
	for _, id := range ids {
		left, _ := r.session.Handoff.Take(r.Noun.TypeName, id)
		if whole, ok := left.(erasure.Batch[S]); ok {
			maps.Copy(batch, whole)
		}
	}
	return batch
}

// begun reports that Stream accepted something: where Stream forgets, also what
// failed then, because nothing else would know that a deletion was begun.
func (r *BatchResource[S, M, P]) begun(batch erasure.Batch[S]) bool {
	engine := r.engine()
	for _, record := range batch {
		if record.Begun() || engine != nil && engine.Forgets() && record.Sent() {
			return true
		}
	}
	return false
}

// note remembers the records, so that the plan of a replacement knows them.
func (r *BatchResource[S, M, P]) note(batch erasure.Batch[S]) {
	if r.session == nil {
		return
	}
	for id, record := range batch {
		r.session.Handoff.Note(r.Noun.TypeName, id, record)
	}
}

// Update implements resource.Resource.
func (r *BatchResource[S, M, P]) Update(ctx context.Context, req resource.UpdateRequest, resp *resource.UpdateResponse) {
	var plan, prior M
	resp.Diagnostics.Append(req.Plan.Get(ctx, &plan)...)
	resp.Diagnostics.Append(req.State.Get(ctx, &prior)...)
	if resp.Diagnostics.HasError() {
		return
	}
	model := P(&plan)
	ids, _, diags := subjects(ctx, model.Subjects())
	resp.Diagnostics.Append(diags...)
	batch, err := readBatch[S](P(&prior).batch())
	if err != nil {
		resp.Diagnostics.Append(damaged(err))
	}
	timeout, diags := model.common().Timeouts.Update(ctx, r.timeout(len(ids)))
	resp.Diagnostics.Append(diags...)
	if resp.Diagnostics.HasError() {
		return
	}
	dropRemoved(model.batch(), ids, batch)
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	_, diags = r.advance(ctx, model, ids, batch, true)
	resp.Diagnostics.Append(diags...)
	resp.Diagnostics.Append(unmark(ctx, req.Private, resp.Private, unsavedMark)...)
	resp.Diagnostics.Append(resp.State.Set(ctx, &plan)...)
}

// dropRemoved forgets the evidence of subjects that left the list, where the
// operator says so.
func dropRemoved[S erasure.Scope[S]](b *BatchBase, ids []string, batch erasure.Batch[S]) {
	if !b.DropRemovedRecords.ValueBool() {
		return
	}
	maps.DeleteFunc(batch, func(id string, _ erasure.Record[S]) bool { return !slices.Contains(ids, id) })
}

// advance takes all subjects as far as they get, if it may, and stores the batch in
// the model.
func (r *BatchResource[S, M, P]) advance(ctx context.Context, model P, ids []string, batch erasure.Batch[S], may bool) (erasure.Batch[S], diag.Diagnostics) {
	scope, _, diags := model.Scope(ctx)
	may = may && !diags.HasError() && len(r.work(scope, ids, batch)) > 0
	if may {
		diags.Append(r.session.Ready()...)
		may = !diags.HasError()
	}
	var errs map[string]error
	if may {
		batch, errs = r.engine().AdvanceAll(ctx, ids, scope, batch, model.common().OnMissing.ValueString() == MissingRecord)
	}
	nothing := batch.Untouched() // then there is no record to go on from
	diags.Append(r.explain(ids, errs, func(id string, err error) bool {
		var pending *erasure.Pending
		ended := errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded)
		return errors.As(err, &pending) || ended && !nothing && batch[id].Current().Status != erasure.StatusFailed
	})...)
	if may && len(errs) == 0 {
		r.warnAboutPolls(ids, batch, &diags)
	}
	if r.settle(ctx, model, scope, ids, batch, &diags) && !diags.HasError() {
		diags.AddAttributeError(r.subjectPath(), "Escalation not finished",
			"Not all subjects have reached the further modes yet. The record keeps the modes that Stream accepted for everybody, and what it knows of each subject. Run apply again: it goes on where this one ended.")
	}
	return batch, append(diags, storeBatch(ctx, model.batch(), r.Noun.TypeName, r.pseudonym, batch, ids, scope, errs)...)
}

// settle sets the modes to those that Stream accepted for everybody, where that is
// less than the model wants.
func (r *BatchResource[S, M, P]) settle(ctx context.Context, model P, scope S, ids []string, batch erasure.Batch[S], diags *diag.Diagnostics) (behind bool) {
	accepted := batch.Accepted(ids, scope)
	if len(scope.Compare(accepted).Raised) == 0 {
		return false
	}
	r.setModes(ctx, model, accepted, diags)
	for _, record := range batch {
		if current := record.Current(); current.Scope != nil && (*current.Scope).Irreversible() {
			model.common().Irreversible = types.BoolValue(true)
		}
	}
	return true
}

func (r *BatchResource[S, M, P]) setModes(ctx context.Context, model P, scope S, diags *diag.Diagnostics) {
	diags.Append(model.SetScope(ctx, scope)...)
	diags.Append(model.common().plan(ctx, scope.Irreversible(), scope.NotCovered())...)
}

func (r *BatchResource[S, M, P]) warnAboutPolls(ids []string, batch erasure.Batch[S], diags *diag.Diagnostics) {
	for _, id := range ids {
		if batch[id].Current().PollsUnchecked {
			diags.Append(pollsUnchecked(r.subjectPath()))
			return
		}
	}
}

// work lists the subjects that are not as the scope wants them.
func (r *BatchResource[S, M, P]) work(scope S, ids []string, batch erasure.Batch[S]) (work []string) {
	for _, id := range ids {
		if r.step(scope, batch[id]) != erasure.Keep {
			work = append(work, id)
		}
	}
	return work
}

func (r *BatchResource[S, M, P]) step(scope S, record erasure.Record[S]) erasure.Step {
	return erasure.Next(record.Current(), erasure.Against(scope, record))
}

// explain turns errors by subject into a few diagnostics: equal ones are one, and
// subjects are named by their places in the list. Those that are only unfinished
// are a warning.
func (r *BatchResource[S, M, P]) explain(ids []string, errs map[string]error, isUnfinished func(id string, err error) bool) (diags diag.Diagnostics) {
	type group struct {
		first  diag.Diagnostic
		places []int
	}
	var order []string
	groups := map[string]*group{}
	unfinished := 0
	var reason error
	for i, id := range ids {
		err := errs[id]
		if err == nil {
			continue
		}
		if isUnfinished(id, err) {
			unfinished++
			reason = err
			continue
		}
		d := report.Error(r.subjectPath(), err)
		key := d.Summary() + d.Detail()
		if groups[key] == nil {
			groups[key] = &group{first: d}
			order = append(order, key)
		}
		groups[key].places = append(groups[key].places, i)
	}
	for _, key := range order {
		g := groups[key]
		diags.AddAttributeError(r.subjectPath().AtListIndex(g.places[0]), g.first.Summary(), fmt.Sprintf("%s.\n\n%s", places(r.Noun.Subject, g.places, len(ids)), g.first.Detail()))
	}
	if unfinished > 0 {
		why := "Stream's tasks are still under way, or their results could not be read."
		switch {
		case errors.Is(reason, context.Canceled):
			why = "The run was interrupted."
		case errors.Is(reason, context.DeadlineExceeded):
			why = "The timeout of this resource ended."
		}
		diags.AddAttributeWarning(r.subjectPath(), "Batch not finished", fmt.Sprintf(
			"%s %d of %d subjects are not finished: those that Stream accepted are saved as \"submitted\" with their task, the others as \"pending\". Run apply again: it goes on where this one ended and sends nobody twice.", why, unfinished, len(ids)))
	}
	return diags
}

func never(string, error) bool { return false }

// places names subjects without naming them.
func places(subject string, places []int, of int) string {
	const most = 10
	var names []string
	for _, i := range places[:min(len(places), most)] {
		names = append(names, fmt.Sprintf("%s[%d]", subject, i))
	}
	more := ""
	if len(places) > most {
		more = fmt.Sprintf(" and %d more", len(places)-most)
	}
	return fmt.Sprintf("%d of %d: %s%s", len(places), of, strings.Join(names, ", "), more)
}

// Read implements resource.Resource: it asks for running tasks, and looks up those
// who could be back.
func (r *BatchResource[S, M, P]) Read(ctx context.Context, req resource.ReadRequest, resp *resource.ReadResponse) {
	var state M
	resp.Diagnostics.Append(req.State.Get(ctx, &state)...)
	if resp.Diagnostics.HasError() {
		return
	}
	model := P(&state)
	batch, err := readBatch[S](model.batch())
	if err != nil {
		resp.Diagnostics.Append(damaged(err))
		return
	}
	r.note(batch)
	resp.Diagnostics.Append(unmark(ctx, req.Private, resp.Private, unsavedMark)...)
	ids, _, diags := subjects(ctx, model.Subjects())
	resp.Diagnostics.Append(diags...)
	var open []string
	for _, id := range ids {
		current := batch[id].Current()
		if current.Status == erasure.StatusSubmitted || restorable(current) {
			open = append(open, id)
		}
	}
	if len(open) == 0 || resp.Diagnostics.HasError() || r.session != nil && r.session.Undetermined {
		return
	}
	resp.Diagnostics.Append(r.session.Ready()...)
	if resp.Diagnostics.HasError() {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, readTimeout)
	defer cancel()
	changed, errs := r.refresh(ctx, open, batch)
	resp.Diagnostics.Append(r.explain(ids, errs, never)...)
	if !changed || resp.Diagnostics.HasError() {
		return
	}
	scope, _, _ := model.Scope(ctx)
	r.settle(ctx, model, scope, ids, batch, &resp.Diagnostics)
	resp.Diagnostics.Append(storeBatch(ctx, model.batch(), r.Noun.TypeName, r.pseudonym, batch, ids, scope, nil)...)
	resp.Diagnostics.Append(resp.State.Set(ctx, &state)...)
	resp.Diagnostics.Append(mark(ctx, resp.Private, unsavedMark, true)...)
}

func restorable[S erasure.Scope[S]](a erasure.Attempt[S]) bool {
	return a.Scope != nil && a.Restorable((*a.Scope).Irreversible())
}

// refresh brings open records up to date in place.
func (r *BatchResource[S, M, P]) refresh(ctx context.Context, open []string, batch erasure.Batch[S]) (changed bool, errs map[string]error) {
	var mu sync.Mutex
	var wg sync.WaitGroup
	errs = map[string]error{}
	was := maps.Clone(batch)
	for _, id := range open {
		wg.Go(func() {
			fresh, err := r.engine().Refresh(ctx, id, was[id])
			mu.Lock()
			defer mu.Unlock()
			switch {
			case err != nil:
				errs[id] = err
			case fresh != nil:
				batch[id], changed = *fresh, true
			}
		})
	}
	wg.Wait()
	return changed, errs
}

// ImportState implements resource.ResourceWithImportState: it says what to do instead.
func (r *BatchResource[S, M, P]) ImportState(_ context.Context, _ resource.ImportStateRequest, resp *resource.ImportStateResponse) {
	resp.Diagnostics.AddError("A batch cannot be imported", fmt.Sprintf(
		"Nothing was recorded. Import each subject as a %s, or leave those who are gone in the list: an apply sends the deletion again, which does no harm and proves it.", strings.TrimSuffix(r.Noun.TypeName, "_batch")))
}

// Delete implements resource.Resource, as [Resource.Delete] does.
func (r *BatchResource[S, M, P]) Delete(ctx context.Context, req resource.DeleteRequest, resp *resource.DeleteResponse) {
	var state M
	resp.Diagnostics.Append(req.State.Get(ctx, &state)...)
	destroys, diags := marked(ctx, req.Private, destroyMark)
	resp.Diagnostics.Append(diags...)
	if resp.Diagnostics.HasError() {
		return
	}
	model := P(&state)
	batch, err := readBatch[S](model.batch())
	back := r.toRestore(model.common(), batch)
	if !destroys || len(back) == 0 {
		if err == nil && r.session != nil {
			r.note(batch)
			for id := range batch {
				r.session.Handoff.Put(r.Noun.TypeName, id, batch)
			}
		}
	}
	if !destroys {
		return
	}
	if len(back) == 0 {
		resp.Diagnostics.Append(forgotten(r.subjectPath(), model.common()))
		return
	}
	resp.Diagnostics.Append(r.session.Ready()...)
	if resp.Diagnostics.HasError() {
		resp.Diagnostics.Append(unmark(ctx, req.Private, resp.Private, destroyMark)...)
		return
	}
	ctx, cancel := context.WithTimeout(ctx, r.timeout(len(back)))
	defer cancel()
	for chunk := range slices.Chunk(back, erasure.MaxSubjects) {
		if err := r.engine().Restore(ctx, chunk...); err != nil {
			resp.Diagnostics.Append(report.Error(r.subjectPath(), err))
			resp.Diagnostics.Append(unmark(ctx, req.Private, resp.Private, destroyMark)...)
			return
		}
	}
	resp.Diagnostics.Append(restored(r.subjectPath()))
}

// toRestore lists the subjects that destroying the batch would bring back.
func (r *BatchResource[S, M, P]) toRestore(c *Common, batch erasure.Batch[S]) (ids []string) {
	if !r.Noun.Restores || c.OnDestroy.ValueString() != DestroyRestore {
		return nil
	}
	for _, id := range batch.IDs() {
		if r.session != nil && r.session.Handoff.Created(r.Noun.TypeName, id) {
			continue
		}
		if current := batch[id].Current(); restorable(current) && current.Outcome == erasure.OutcomeMarkedDeleted {
			ids = append(ids, id)
		}
	}
	return ids
}

func damaged(err error) diag.Diagnostic {
	return diag.NewAttributeErrorDiagnostic(path.Root("receipt"), "Damaged record", fmt.Sprintf("%s. The state was changed by something else than this provider; restore it from a backup. Nothing was sent.", err))
}
