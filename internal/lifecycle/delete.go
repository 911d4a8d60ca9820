// Copyright (c) the terraform-provider-streamchat authors
// SPDX-License-Identifier: MPL-2.0

package lifecycle

import (
	"context"
	"maps"
	"slices"
	"strings"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/resource"

	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/erasure"
	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/receipt"
)

// Delete implements resource.Resource: the record is dropped, the data stays gone. A
// Delete without the mark of a destroy plan is the first half of a replacement; its
// record is handed to the second half.
func (r *Resource[S, M, P]) Delete(ctx context.Context, req resource.DeleteRequest, resp *resource.DeleteResponse) {
	var state M
	resp.Diagnostics.Append(req.State.Get(ctx, &state)...)
	destroys, diags := DestroyMark.On(ctx, req.Private)
	resp.Diagnostics.Append(diags...)
	if resp.Diagnostics.HasError() {
		return
	}
	model := P(&state)
	r = r.of(model)
	batch, err := r.load(ctx, model, req.Private)
	stands, diags := standsMark.On(ctx, req.Private)
	resp.Diagnostics.Append(diags...)
	back, release := erasure.Batch[S]{}, erasure.Batch[S]{}
	if destroys && !stands {
		back, release = r.restores(ctx, model, batch), r.releases(model, batch)
	}
	if diags := CheckArchive(ctx, r.session); diags.HasError() {
		resp.Diagnostics.Append(append(diags, DestroyMark.Clear(ctx, req.Private, resp.Private)...)...)
		return // keeps the record
	}
	if len(release) > 0 {
		ctx, cancel := context.WithTimeout(ctx, r.timeout(len(release)))
		defer cancel()
		resp.Diagnostics.Append(r.release(ctx, model, batch, release)...)
		if resp.Diagnostics.HasError() {
			resp.Diagnostics.Append(DestroyMark.Clear(ctx, req.Private, resp.Private)...)
			return
		}
	}
	if len(back) == 0 && len(release) > 0 {
		resp.Diagnostics.Append(r.end(ctx, model, batch, req.Private, receipt.Reactivated)...)
		return
	}
	if !destroys && len(batch) > 0 {
		// Its plan may not have known whose record it replaces: a tainted one is planned
		// without its state.
		if _, diags := r.session.OpenFor(ctx, r.subject(), model.common().app()); diags.HasError() {
			resp.Diagnostics.Append(diags...)
			return // keeps the record
		}
	}
	if len(back) == 0 {
		if err == nil {
			r.engine.Memory.HandOver(r.TypeName, receipt.ID(model.common().Receipt.ValueString()), batch, !destroys)
		}
		if destroys && batch.Restricted() {
			resp.Diagnostics.Append(notReactivated(r.subject()))
			resp.Diagnostics.Append(r.end(ctx, model, batch, req.Private, receipt.Forgotten)...)
		} else if destroys {
			resp.Diagnostics.Append(forgotten(r.subject(), batch))
			resp.Diagnostics.Append(r.end(ctx, model, batch, req.Private, receipt.Forgotten)...)
		}
		return
	}
	ctx, cancel := context.WithTimeout(ctx, r.timeout(len(back)))
	defer cancel()
	resp.Diagnostics.Append(r.restore(ctx, model, batch, back, req.Private)...)
	if resp.Diagnostics.HasError() {
		resp.Diagnostics.Append(DestroyMark.Clear(ctx, req.Private, resp.Private)...)
	}
}

// end writes the last receipt of a record that is dropped, unless all that it is about has
// another record, which takes its place: that of a block that was renamed, or of the new half
// of a replacement where the old one goes last.
func (r *Resource[S, M, P]) end(ctx context.Context, model P, batch erasure.Batch[S], private privateReader, how receipt.Ending) diag.Diagnostics {
	document := model.common().Receipt.ValueString()
	replaced, diags := replacedMark.On(ctx, private)
	if replaced || document == "" || r.session.Receipts == nil { // an import that was never applied has no receipt
		return diags
	}
	_ = r.session.Clock.Sleep(ctx, SettleTime) // who writes it anew may come later; an interrupt waits for nobody
	if every(batch, r.engine.Memory.WasWritten) {
		return diags
	}
	return append(diags, EndArchive(ctx, r.session, document, how)...)
}

// hasHeir reports that all that a record in state is about has another record of the same
// type there.
func (r *Resource[S, M, P]) hasHeir(model P, batch erasure.Batch[S]) bool {
	own := r.TypeName + model.common().Receipt.ValueString()
	return every(batch, func(id string) bool {
		return r.engine.Memory.HeldElsewhere(id, own, func(other string) bool { return strings.HasPrefix(other, r.TypeName+"{") })
	})
}

func every[S erasure.Scope[S]](batch erasure.Batch[S], is func(id string) bool) bool {
	return len(batch) > 0 && !slices.ContainsFunc(batch.IDs(), func(id string) bool { return !is(id) })
}

// restore brings back those of a record whom no other resource of the run is about.
func (r *Resource[S, M, P]) restore(ctx context.Context, model P, batch, back erasure.Batch[S], private privateReader) diag.Diagnostics {
	_, diags := r.session.OpenFor(ctx, r.subject(), model.common().app())
	if diags.HasError() {
		return diags
	}
	if err := r.session.Clock.Sleep(ctx, SettleTime); err != nil {
		return append(diags, r.words.failure(err))
	}
	unlock, diags := r.lock(ctx, back.IDs())
	defer unlock()
	if diags.HasError() {
		return diags
	}
	maps.DeleteFunc(back, func(id string, _ erasure.Record[S]) bool { return r.engine.Memory.WasWritten(id) })
	if len(back) == 0 {
		return append(append(diags, forgotten(r.subject(), batch)), r.end(ctx, model, batch, private, receipt.Forgotten)...)
	}
	if err := r.engine.Restore(ctx, back); err != nil {
		return append(diags, r.words.failure(err))
	}
	return append(append(diags, restored(r.subject())), r.end(ctx, model, batch, private, receipt.Restored)...)
}

// takeOver waits for another resource of the run that has the record of a subject: a renamed
// block is destroyed and created side by side, and its restriction must not be taken for
// somebody else's.
func (r *Resource[S, M, P]) takeOver(ctx context.Context, ids []string, batch erasure.Batch[S]) {
	if r.session.Clock.Sleep(ctx, SettleTime/2) != nil {
		return
	}
	for id, record := range r.engine.Memory.TakeOver(ids) {
		if _, has := batch[id]; !has && record.Scheduled() {
			batch[id] = record
		}
	}
}

// releases are those whom destroying the record reactivates: scheduled, restricted by this
// record, known by their ids, and the subject of no other record of this run.
func (r *Resource[S, M, P]) releases(model P, batch erasure.Batch[S]) erasure.Batch[S] {
	back := erasure.Batch[S]{}
	for id, record := range batch.Scheduled() {
		_, veiled := erasure.Unveil(id)
		if !veiled && record.Reactivates() && !r.standsElsewhere(model, id) {
			back[id] = record
		}
	}
	return back
}

// standsElsewhere reports that another record of this run is about the subject.
func (r *Resource[S, M, P]) standsElsewhere(model P, id string) bool {
	return r.engine != nil && (r.engine.Memory.WasWritten(id) || r.engine.Memory.HeldElsewhere(id, r.TypeName+model.common().Receipt.ValueString(), nil))
}

// release calls scheduled erasures off, for those whom no other resource of the run is about.
func (r *Resource[S, M, P]) release(ctx context.Context, model P, batch, back erasure.Batch[S]) diag.Diagnostics {
	_, diags := r.session.OpenFor(ctx, r.subject(), model.common().app())
	if diags.HasError() {
		return diags
	}
	r.engine.Memory.Going(batch)
	if err := r.session.Clock.Sleep(ctx, SettleTime); err != nil {
		return append(diags, r.words.failure(err))
	}
	unlock, diags := r.lock(ctx, back.IDs())
	defer unlock()
	if diags.HasError() {
		return diags
	}
	maps.DeleteFunc(back, func(id string, _ erasure.Record[S]) bool { return r.engine.Memory.WasWritten(id) })
	if len(back) == 0 {
		return append(diags, notReactivated(r.subject()))
	}
	scope, _, _ := model.Scope(ctx)
	_, errs := r.engine.Advance(ctx, nil, scope, back, erasure.Options{Direct: !r.many})
	if len(errs) > 0 {
		ids, _, _ := model.Subjects(ctx)
		return append(diags, r.words.failed(ids, back, errs)...)
	}
	return append(diags, reactivated(r.subject()))
}

// restores are those whom destroying the record brings back: still listed, deleted in a
// way that can be taken back, and the subject of no other record of this run.
func (r *Resource[S, M, P]) restores(ctx context.Context, model P, batch erasure.Batch[S]) erasure.Batch[S] {
	back := erasure.Batch[S]{}
	if !r.Restores || model.common().OnDestroy.ValueString() != DestroyRestore {
		return back
	}
	ids, _, _ := model.Subjects(ctx)
	for _, id := range ids {
		record := batch[id]
		if record.Current().Restorable() && !r.standsElsewhere(model, id) {
			back[id] = record
		}
	}
	return back
}
