// Copyright (c) the terraform-provider-streamchat authors
// SPDX-License-Identifier: MPL-2.0

package record

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/resource/identityschema"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/erasure"
	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/report"
	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/session"
)

const defaultTimeout = 30 * time.Minute

// Noun is what one kind of erasure adds to the shared lifecycle. S is its scope,
// M its model.
type Noun[S erasure.Scope[S], M any] struct {
	// TypeName is the resource type, e.g. "streamchat_user_erasure".
	TypeName string
	// Subject is the attribute that names the subject, e.g. "user_id"; also its
	// resource identity.
	Subject string
	// Description is the page's text; Attributes are the noun's own.
	Description string
	Attributes  map[string]schema.Attribute
	// ValidID judges an id given to import. It returns what is wrong, or "".
	ValidID func(id string) string
	// Engine picks the engine.
	Engine func(*session.Session) *erasure.Engine[S]
	// Goes says what a scope takes, and Finality what else is final about an
	// irreversible one; both for the plan's warning.
	Goes     func(S) string
	Finality string
	// Restores: on_destroy = "restore" is possible.
	Restores bool
}

// Resource is the Terraform resource of a [Noun].
type Resource[S erasure.Scope[S], M any, P interface {
	*M
	Model[S]
}] struct {
	Noun    Noun[S, M]
	session *session.Session
}

// Metadata implements resource.Resource.
func (r *Resource[S, M, P]) Metadata(_ context.Context, _ resource.MetadataRequest, resp *resource.MetadataResponse) {
	resp.TypeName = r.Noun.TypeName
}

// Schema implements resource.Resource.
func (r *Resource[S, M, P]) Schema(ctx context.Context, _ resource.SchemaRequest, resp *resource.SchemaResponse) {
	resp.Schema = schema.Schema{MarkdownDescription: r.Noun.Description, Attributes: withAttributes(ctx, r.Noun.Restores, r.Noun.Attributes)}
}

// IdentitySchema implements resource.ResourceWithIdentity.
func (r *Resource[S, M, P]) IdentitySchema(_ context.Context, _ resource.IdentitySchemaRequest, resp *resource.IdentitySchemaResponse) {
	resp.IdentitySchema = identityschema.Schema{Attributes: map[string]identityschema.Attribute{
		r.Noun.Subject: identityschema.StringAttribute{RequiredForImport: true, Description: "Whom or what the record is about."},
	}}
}

// Configure implements resource.ResourceWithConfigure.
func (r *Resource[S, M, P]) Configure(_ context.Context, req resource.ConfigureRequest, resp *resource.ConfigureResponse) {
	r.session = session.From(req.ProviderData, &resp.Diagnostics)
}

func (r *Resource[S, M, P]) engine() *erasure.Engine[S] { return r.Noun.Engine(r.session) }

func (r *Resource[S, M, P]) subjectPath() path.Path { return path.Root(r.Noun.Subject) }

// Create implements resource.Resource. It sets state only when there is
// something to keep: an error with state would taint the record.
func (r *Resource[S, M, P]) Create(ctx context.Context, req resource.CreateRequest, resp *resource.CreateResponse) {
	var plan M
	resp.Diagnostics.Append(req.Plan.Get(ctx, &plan)...)
	if resp.Diagnostics.HasError() {
		return
	}
	model := P(&plan)
	id := model.Subject().ValueString()
	var inherited *M
	if left, ok := r.session.Handoff.Take(r.Noun.TypeName, id); ok {
		inherited, _ = left.(*M)
	}
	timeout, diags := model.base().Timeouts.Create(ctx, defaultTimeout)
	resp.Diagnostics.Append(diags...)
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()

	keep := false
	if !diags.HasError() {
		diags, keep = r.advance(ctx, model, inherited)
		resp.Diagnostics.Append(diags...)
	}
	switch {
	case keep:
		r.session.Handoff.Create(r.Noun.TypeName, id)
		resp.Diagnostics.Append(resp.State.Set(ctx, &plan)...)
	case inherited != nil:
		// Evidence survives a replacement that fails; the record stays tainted.
		resp.Diagnostics.Append(resp.State.Set(ctx, inherited)...)
		model = P(inherited)
	default:
		return
	}
	resp.Diagnostics.Append(r.setIdentity(ctx, resp.Identity, model)...)
}

// Update implements resource.Resource.
func (r *Resource[S, M, P]) Update(ctx context.Context, req resource.UpdateRequest, resp *resource.UpdateResponse) {
	var plan, prior M
	resp.Diagnostics.Append(req.Plan.Get(ctx, &plan)...)
	resp.Diagnostics.Append(req.State.Get(ctx, &prior)...)
	if resp.Diagnostics.HasError() {
		return
	}
	model := P(&plan)
	timeout, diags := model.base().Timeouts.Update(ctx, defaultTimeout)
	resp.Diagnostics.Append(diags...)
	if resp.Diagnostics.HasError() {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()

	diags, keep := r.advance(ctx, model, &prior)
	resp.Diagnostics.Append(diags...)
	resp.Diagnostics.Append(unmark(ctx, req.Private, resp.Private, unsavedMark)...)
	resp.Diagnostics.Append(r.setIdentity(ctx, resp.Identity, model)...)
	if keep {
		resp.Diagnostics.Append(resp.State.Set(ctx, &plan)...)
		return
	}
	// prior now holds what is known, with the modes that Stream has accepted.
	resp.Diagnostics.Append(resp.State.Set(ctx, &prior)...)
}

// advance carries out what the plan wants on top of a prior record, which may be
// nil. keep tells that the plan's model now holds the record: also that of a
// failure, where Stream forgets, because nothing else would know that a deletion was
// begun. Otherwise the diagnostics hold an error, and prior, if there is one, was
// brought up to date.
func (r *Resource[S, M, P]) advance(ctx context.Context, model P, prior *M) (diags diag.Diagnostics, keep bool) {
	id := model.Subject().ValueString()
	scope, _, d := model.Scope(ctx)
	diags.Append(d...)
	record, comparison, d := r.onRecord(ctx, prior, scope)
	diags.Append(d...)
	if diags.HasError() {
		return diags, false
	}
	before := record.Current()
	step := erasure.Next(before, comparison)
	if d := refused(comparison, step); d.HasError() {
		return append(diags, d...), false
	}
	var err error
	if step == erasure.Wait || step == erasure.Send {
		if d := r.session.Ready(); d.HasError() {
			return append(diags, d...), false
		}
		b := model.base()
		record, err = r.engine().Advance(ctx, id, scope, comparison, record, b.OnMissing.ValueString() == MissingRecord)
	} else if step == erasure.Claim {
		record = record.Claimed(scope)
	}

	current := record.Current()
	var pending *erasure.Pending
	stillEarlier := current.Scope != nil && len(scope.Compare(*current.Scope).Raised) > 0
	switch {
	case err == nil:
	case errors.As(err, &pending) && !stillEarlier:
		diags.Append(report.Unfinished(r.subjectPath(), current.TaskID, pending))
	case errors.As(err, &pending):
		diags.AddAttributeError(r.subjectPath(), "Earlier deletion still under way", fmt.Sprintf(
			"The deletion that reaches further was not sent, because the earlier one%s has not ended. The record keeps the earlier one as submitted. Run apply again.", report.Task(current.TaskID)))
	default:
		diags.Append(report.Error(r.subjectPath(), err))
	}
	if current.PollsUnchecked && err == nil && current.TaskID != before.TaskID {
		diags.Append(pollsUnchecked(r.subjectPath()))
	}

	target := model
	if diags.HasError() {
		switch {
		case prior != nil:
			target = P(prior)
			r.takeBack(ctx, target, record, &diags)
		case r.engine().Forgets() && record.Sent():
			diags.Append(keptFailure(r.subjectPath()))
		default:
			return diags, false
		}
	}
	pseudonym := erasure.Pseudonym(r.session.PseudonymKey, id)
	diags.Append(store(ctx, target.base(), r.Noun.TypeName, pseudonym, record)...)
	return diags, target == model
}

// onRecord reads the record out of a prior model and compares the wanted scope
// with it.
func (r *Resource[S, M, P]) onRecord(ctx context.Context, prior *M, scope S) (record erasure.Record[S], c erasure.Comparison, diags diag.Diagnostics) {
	if prior == nil {
		return record, c, nil
	}
	model := P(prior)
	record, err := erasure.ReadRecord[S](model.base().Receipt.ValueString())
	if err != nil {
		return record, c, append(diags, damaged(err))
	}
	recorded, ok, d := model.Scope(ctx)
	diags.Append(d...)
	if ok {
		c = scope.Compare(recorded)
	}
	return record, c, diags
}

// refused refuses a plan that asks for less than was done, or for other options of
// a call that was already sent, unless a further call follows.
func refused(c erasure.Comparison, step erasure.Step) (diags diag.Diagnostics) {
	if len(c.Lowered) > 0 {
		diags.AddAttributeError(report.Path(c.Lowered[0]), "A deletion cannot be taken back",
			"The record says that Stream was asked to delete more than this configuration does ("+strings.Join(c.Lowered, ", ")+"). Asking for less now would make the record untrue, and brings nothing back. "+
				"Nothing was sent. Set it back to what was done; to stop managing the record, use a removed block.")
	}
	if step == erasure.Send {
		return diags
	}
	for _, field := range c.Altered {
		diags.AddAttributeError(report.Path(field), "Option of a deletion that was already sent",
			field+" belongs to the delete call, which was already sent, so changing it would have no effect. Nothing was sent. Set it back to what was sent.")
	}
	return diags
}

// Read implements resource.Resource. A final record needs no call; it is never
// removed because the subject is gone: gone is the goal.
func (r *Resource[S, M, P]) Read(ctx context.Context, req resource.ReadRequest, resp *resource.ReadResponse) {
	var state M
	resp.Diagnostics.Append(req.State.Get(ctx, &state)...)
	if resp.Diagnostics.HasError() {
		return
	}
	model := P(&state)
	r.note(model)
	resp.Diagnostics.Append(r.setIdentity(ctx, resp.Identity, model)...)
	resp.Diagnostics.Append(unmark(ctx, req.Private, resp.Private, unsavedMark)...)
	scope, _, _ := model.Scope(ctx)
	record, _, diags := r.onRecord(ctx, &state, scope)
	resp.Diagnostics.Append(diags...)
	current := record.Current()
	if resp.Diagnostics.HasError() || current.Status != erasure.StatusSubmitted && !restorable(current) {
		return
	}
	if r.session != nil && r.session.Undetermined {
		return
	}
	resp.Diagnostics.Append(r.session.Ready()...)
	if resp.Diagnostics.HasError() {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, readTimeout)
	defer cancel()
	id := model.Subject().ValueString()
	fresh, err := r.engine().Refresh(ctx, id, record)
	if err != nil {
		resp.Diagnostics.Append(report.Error(r.subjectPath(), err))
	}
	if fresh == nil {
		return
	}
	record = *fresh
	r.takeBack(ctx, model, record, &resp.Diagnostics)
	pseudonym := erasure.Pseudonym(r.session.PseudonymKey, id)
	resp.Diagnostics.Append(store(ctx, model.base(), r.Noun.TypeName, pseudonym, record)...)
	resp.Diagnostics.Append(resp.State.Set(ctx, &state)...)
	resp.Diagnostics.Append(mark(ctx, resp.Private, unsavedMark, true)...)
}

// note remembers the record, so that a plan knows a replacement when it sees one.
func (r *Resource[S, M, P]) note(model P) {
	if record, err := erasure.ReadRecord[S](model.base().Receipt.ValueString()); err == nil && r.session != nil {
		r.session.Handoff.Note(r.Noun.TypeName, model.Subject().ValueString(), record)
	}
}

// noted is the record that this run has seen of a subject. Terraform gives the plan
// of a replaced or tainted resource no prior state.
func noted[S erasure.Scope[S]](s *session.Session, typeName, subject string) (record erasure.Record[S], ok bool) {
	if s == nil {
		return record, false
	}
	seen, _ := s.Handoff.Seen(typeName, subject)
	record, ok = seen.(erasure.Record[S])
	return record, ok
}

// takeBack sets the modes to those that Stream has carried out, when a further
// reaching attempt turns out to have failed.
func (r *Resource[S, M, P]) takeBack(ctx context.Context, model P, record erasure.Record[S], diags *diag.Diagnostics) {
	current := record.Current()
	if current.Status != erasure.StatusFailed || current.Scope == nil {
		return
	}
	diags.Append(model.SetScope(ctx, *current.Scope)...)
	diags.Append(model.base().plan(ctx, (*current.Scope).Irreversible(), (*current.Scope).NotCovered())...)
}

// readTimeout bounds what a plan waits for.
const readTimeout = 5 * time.Minute

// Delete implements resource.Resource: the record is dropped, the data stays
// gone. A Delete without the mark of a destroy plan is the first half of a
// replacement; its record is handed to the second half.
func (r *Resource[S, M, P]) Delete(ctx context.Context, req resource.DeleteRequest, resp *resource.DeleteResponse) {
	var state M
	resp.Diagnostics.Append(req.State.Get(ctx, &state)...)
	if resp.Diagnostics.HasError() {
		return
	}
	model := P(&state)
	id := model.Subject().ValueString()
	destroys, diags := marked(ctx, req.Private, destroyMark)
	resp.Diagnostics.Append(diags...)
	restores := destroys && r.restores(model) && !r.session.Handoff.Created(r.Noun.TypeName, id)
	if !restores && r.session != nil {
		// A renamed block is destroyed and created too: its record is not lost either.
		r.note(model)
		r.session.Handoff.Put(r.Noun.TypeName, id, &state)
	}
	switch {
	case !destroys:
		return
	case !restores:
		resp.Diagnostics.Append(forgotten(r.subjectPath(), model.common()))
		return
	}
	resp.Diagnostics.Append(r.session.Ready()...)
	if resp.Diagnostics.HasError() {
		resp.Diagnostics.Append(unmark(ctx, req.Private, resp.Private, destroyMark)...)
		return
	}
	ctx, cancel := context.WithTimeout(ctx, readTimeout)
	defer cancel()
	if err := r.engine().Restore(ctx, id); err != nil {
		resp.Diagnostics.Append(report.Error(r.subjectPath(), err))
		resp.Diagnostics.Append(unmark(ctx, req.Private, resp.Private, destroyMark)...)
		return
	}
	resp.Diagnostics.Append(restored(r.subjectPath()))
}

// restores reports that destroying the record would bring the subject back.
func (r *Resource[S, M, P]) restores(model P) bool {
	b := model.base()
	return r.Noun.Restores && b.OnDestroy.ValueString() == DestroyRestore && b.Status.ValueString() == string(erasure.StatusCompleted) &&
		!b.Irreversible.ValueBool() && b.Outcome.ValueString() != string(erasure.OutcomeNotFound)
}

// ImportState implements resource.ResourceWithImportState: it adopts what was
// erased elsewhere and refuses what is still there. The modes are the
// operator's claim; the next plan shows them and the apply records them.
func (r *Resource[S, M, P]) ImportState(ctx context.Context, req resource.ImportStateRequest, resp *resource.ImportStateResponse) {
	resource.ImportStatePassthroughWithIdentity(ctx, r.subjectPath(), r.subjectPath(), req, resp)
	if resp.Diagnostics.HasError() {
		return
	}
	var subject types.String
	resp.Diagnostics.Append(resp.State.GetAttribute(ctx, r.subjectPath(), &subject)...)
	if problem := r.Noun.ValidID(subject.ValueString()); problem != "" {
		resp.Diagnostics.AddAttributeError(r.subjectPath(), "Invalid import id", problem)
	}
	resp.Diagnostics.Append(r.session.Ready()...)
	if resp.Diagnostics.HasError() {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, readTimeout)
	defer cancel()
	attempt, err := r.engine().Adopt(ctx, subject.ValueString())
	if err != nil {
		resp.Diagnostics.Append(report.Error(r.subjectPath(), err))
		return
	}
	var state M
	resp.Diagnostics.Append(resp.State.Get(ctx, &state)...)
	if resp.Diagnostics.HasError() {
		return
	}
	if attempt.Scope != nil { // Stream shows it: nobody needs to claim it
		resp.Diagnostics.Append(P(&state).SetScope(ctx, *attempt.Scope)...)
		resp.Diagnostics.Append(P(&state).common().plan(ctx, (*attempt.Scope).Irreversible(), (*attempt.Scope).NotCovered())...)
	}
	b := P(&state).base()
	b.OnMissing, b.OnDestroy = types.StringValue(MissingFail), types.StringValue(DestroyForget)
	pseudonym := erasure.Pseudonym(r.session.PseudonymKey, subject.ValueString())
	resp.Diagnostics.Append(store(ctx, b, r.Noun.TypeName, pseudonym, erasure.Record[S]{Attempts: []erasure.Attempt[S]{attempt}})...)
	resp.Diagnostics.Append(resp.State.Set(ctx, &state)...)
	resp.Diagnostics.Append(r.setIdentity(ctx, resp.Identity, P(&state))...)
}
