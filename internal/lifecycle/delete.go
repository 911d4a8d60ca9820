// Copyright (c) the terraform-provider-streamchat authors
// SPDX-License-Identifier: MPL-2.0

package lifecycle

import (
	"context"
	"maps"
	"slices"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/resource"

	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/erasure"
	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/receipt"
	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/session"
)

// Delete implements resource.Resource: the record is dropped, the data stays gone. A
// Delete without the mark of a destroy plan is the first half of a replacement; its
// record is handed to the second half.
func (r *Resource[S, M, P]) Delete(ctx context.Context, req resource.DeleteRequest, resp *resource.DeleteResponse) {
	var state M
	resp.Diagnostics.Append(req.State.Get(ctx, &state)...)
	destroys, diags := DestroyMark.On(ctx, req.Private)
	held, d := ReadHeld(ctx, req.Private)
	if resp.Diagnostics.Append(append(diags, d...)...); resp.Diagnostics.HasError() {
		return
	}
	model := P(&state)
	r = r.of(model)
	batch, err := r.load(ctx, model, req.Private)
	if diags := CheckArchive(ctx, r.session); diags.HasError() {
		resp.Diagnostics.Append(append(diags, DestroyMark.Clear(ctx, req.Private, resp.Private)...)...)
		return // keeps the record
	}
	if !destroys && len(batch) > 0 {
		// Its plan may not have known whose record it replaces: a tainted one is planned
		// without its state.
		if _, diags := r.session.OpenFor(ctx, r.subject(), model.common().app()); diags.HasError() {
			resp.Diagnostics.Append(diags...)
			return // keeps the record
		}
	}
	back := erasure.Batch[S]{}
	if destroys {
		back = r.free(model, r.undoes(ctx, model, batch), held)
	}
	if len(back) == 0 {
		r.leave(batch, nil)
		if err == nil {
			r.engine.Memory.HandOver(r.TypeName, receipt.ID(model.common().Receipt.ValueString()), batch, !destroys)
		}
		if destroys {
			resp.Diagnostics.Append(r.let(model, batch, held))
			resp.Diagnostics.Append(r.end(ctx, model, batch, req.Private, receipt.Forgotten)...)
		}
		return
	}
	ctx, cancel := context.WithTimeout(ctx, r.timeout(len(back)))
	defer cancel()
	resp.Diagnostics.Append(r.giveBack(ctx, model, batch, back, held, req.Private)...)
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
	if every(batch, func(id string) bool { return len(r.holders(model, id, true)) > 0 }) {
		return diags
	}
	return append(diags, EndArchive(ctx, r.session, document, how)...)
}

// hasHeir reports that all that a record in state is about has another record of the same
// type there.
func (r *Resource[S, M, P]) hasHeir(model P, batch erasure.Batch[S]) bool {
	return every(batch, func(id string) bool {
		return slices.Contains(r.session.Stakes.Beside(r.who(id), r.holder(model), false), r.TypeName)
	})
}

func every[S erasure.Scope[S]](batch erasure.Batch[S], is func(id string) bool) bool {
	return len(batch) > 0 && !slices.ContainsFunc(batch.IDs(), func(id string) bool { return !is(id) })
}

// giveBack undoes what a record did for those whom no other resource of the run is about:
// brings back whom it deleted, reactivates whom it restricted.
func (r *Resource[S, M, P]) giveBack(ctx context.Context, model P, batch, back erasure.Batch[S], held Held, private privateReader) diag.Diagnostics {
	_, diags := r.session.OpenFor(ctx, r.subject(), model.common().app())
	if diags.HasError() {
		return diags
	}
	r.engine.Memory.Going(batch)
	if err := r.session.Clock.Sleep(ctx, SettleTime); err != nil { // for a block whose subject no plan knew
		return append(diags, r.words.failure(err))
	}
	unlock, diags := r.lock(ctx, back.IDs())
	defer unlock()
	if diags.HasError() {
		return diags
	}
	back = r.free(model, back, held)
	maps.DeleteFunc(back, func(id string, _ erasure.Record[S]) bool { return !r.session.Stakes.Give(r.who(id)) })
	r.leave(batch, back)
	restricted := back.Scheduled()
	maps.DeleteFunc(back, func(id string, _ erasure.Record[S]) bool { _, is := restricted[id]; return is })
	how := receipt.Forgotten
	if len(restricted) > 0 {
		scope, _, _ := model.Scope(ctx)
		if _, errs := r.engine.Advance(ctx, nil, scope, restricted, erasure.Options{Direct: !r.many}); len(errs) > 0 {
			ids, _, _ := model.Subjects(ctx)
			return append(diags, r.words.failed(ids, restricted, errs)...)
		}
		diags.Append(reactivated(r.subject()))
		how = receipt.Reactivated
	}
	if len(back) > 0 {
		if err := r.engine.Restore(ctx, back); err != nil {
			return append(diags, r.words.failure(err))
		}
		diags.Append(restored(r.subject()))
		how = receipt.Restored
	}
	if how == receipt.Forgotten {
		diags.Append(r.let(model, batch, held))
	}
	return append(diags, r.end(ctx, model, batch, private, how)...)
}

// let is the warning of a destroy that sends nothing.
func (r *Resource[S, M, P]) let(model P, batch erasure.Batch[S], held Held) diag.Diagnostic {
	scheduled := batch.Scheduled()
	if len(scheduled) == 0 {
		return forgotten(r.subject(), batch)
	}
	deletes := func(id string) bool {
		types := append(r.holders(model, id, true), held[r.session.Pseudonyms.Key(id)]...)
		return slices.ContainsFunc(types, func(t string) bool { return t != RestrictionType })
	}
	if every(scheduled, deletes) {
		return goesOn(r.subject(), r.lost(model, scheduled))
	}
	return notReactivated(r.subject())
}

// lost reports that the record of somebody who was restricted under this one has already
// been written, and takes that restriction for somebody else's.
func (r *Resource[S, M, P]) lost(model P, scheduled erasure.Batch[S]) bool {
	return slices.ContainsFunc(scheduled.IDs(), func(id string) bool {
		return scheduled[id].Reactivates() && r.session.Stakes.Unowned(r.who(id), r.holder(model))
	})
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

// undoes are those whom destroying the record gives back: scheduled and restricted by this
// record, or still listed and deleted in a way that can be taken back; known by their ids.
func (r *Resource[S, M, P]) undoes(ctx context.Context, model P, batch erasure.Batch[S]) erasure.Batch[S] {
	back := erasure.Batch[S]{}
	for id, record := range batch.Scheduled() {
		if _, veiled := erasure.Unveil(id); !veiled && record.Reactivates() {
			back[id] = record
		}
	}
	if !r.Restores || model.common().OnDestroy.ValueString() != DestroyRestore {
		return back
	}
	ids, _, _ := model.Subjects(ctx)
	for _, id := range ids {
		if batch[id].Current().Restorable() {
			back[id] = batch[id]
		}
	}
	return back
}

// free are those of some whom no other record holds: neither one that the plan has seen nor
// one that this process has.
func (r *Resource[S, M, P]) free(model P, back erasure.Batch[S], held Held) erasure.Batch[S] {
	free := erasure.Batch[S]{}
	for id, record := range back {
		if len(held[r.session.Pseudonyms.Key(id)]) == 0 && len(r.holders(model, id, !record.Scheduled())) == 0 {
			free[id] = record
		}
	}
	return free
}

// holders are the types of the other records of this process that hold a subject; those of
// deletions alone, where only they count.
func (r *Resource[S, M, P]) holders(model P, id string, deletions bool) []string {
	return r.session.Stakes.Holders(r.who(id), r.holder(model), deletions)
}

// leave lets another record of the run own the restrictions that stay in force.
func (r *Resource[S, M, P]) leave(batch, back erasure.Batch[S]) {
	for id, record := range batch.Scheduled() {
		if _, given := back[id]; !given && record.Reactivates() {
			r.session.Stakes.Leave(r.who(id))
		}
	}
}

// who is a subject under the key that it has in a run.
func (c *core[S]) who(id string) session.Subject { return c.session.Subject(c.engine.Kind, id) }

// holder names a record in state among those of a run.
func (r *Resource[S, M, P]) holder(model P) string {
	document := model.common().Receipt
	if id := receipt.ID(document.ValueString()); id != "" {
		return id
	}
	return r.TypeName + document.ValueString() // of an older version, or imported and never applied
}

// stake is what a record wants of a subject.
func (r *Resource[S, M, P]) stake(holder string, record erasure.Record[S]) session.Stake {
	return session.Stake{
		Holder: holder, Type: r.TypeName, Owns: record.Reactivates(),
		Final: record.Final(r.Restores), Gone: record.Word() == string(erasure.OutcomeErased),
	}
}

// wrote notes records that an apply has stored.
func (r *Resource[S, M, P]) wrote(model P, batch erasure.Batch[S]) {
	holder := r.holder(model)
	for id, record := range batch {
		r.session.Stakes.Wrote(r.who(id), r.stake(holder, record))
	}
}

// see notes records that are in state.
func (r *Resource[S, M, P]) see(model P, batch erasure.Batch[S]) {
	holder := r.holder(model)
	for id, record := range batch {
		r.session.Stakes.See(r.who(id), r.stake(holder, record))
	}
}
