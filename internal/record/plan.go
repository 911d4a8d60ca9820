// Copyright (c) the terraform-provider-streamchat authors
// SPDX-License-Identifier: MPL-2.0

package record

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/tfsdk"

	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/erasure"
	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/report"
)

// Marks in a resource's private state.
const (
	// destroyMark is left by a destroy plan. Terraform does not plan the first half
	// of a replacement as a destroy, so that a Delete without the mark knows that a
	// Create follows. Private state outlives a destroy that failed, or that was
	// planned and not applied.
	destroyMark = "destroy"
	// unsavedMark is left by a refresh that learned how an erasure ended, so that
	// the plan shows an update and an apply saves it: a pipeline that applies only
	// what plans show would never save it, until Stream has forgotten the task.
	unsavedMark = "unsaved"
)

func mark(ctx context.Context, private interface {
	SetKey(context.Context, string, []byte) diag.Diagnostics
}, name string, on bool) diag.Diagnostics {
	return private.SetKey(ctx, name, []byte(strconv.FormatBool(on)))
}

func marked(ctx context.Context, private interface {
	GetKey(context.Context, string) ([]byte, diag.Diagnostics)
}, name string) (bool, diag.Diagnostics) {
	value, diags := private.GetKey(ctx, name)
	return string(value) == "true", diags
}

// unmark takes off a mark that is there: private state that changes with every
// refresh would be a change of the state.
func unmark(ctx context.Context, from interface {
	GetKey(context.Context, string) ([]byte, diag.Diagnostics)
}, to interface {
	SetKey(context.Context, string, []byte) diag.Diagnostics
}, name string) diag.Diagnostics {
	on, diags := marked(ctx, from, name)
	if on {
		diags.Append(mark(ctx, to, name, false)...)
	}
	return diags
}

// notSaved is the warning of a plan whose refresh learned how an erasure ended.
func notSaved(subject path.Path) diag.Diagnostic {
	return diag.NewAttributeWarningDiagnostic(subject, "Result not saved yet",
		"Stream has finished what was submitted before. Applying this update saves the result in the state; nothing is sent.")
}

// ModifyPlan implements resource.ResourceWithModifyPlan. It runs in plan and
// again inside apply.
func (r *Resource[S, M, P]) ModifyPlan(ctx context.Context, req resource.ModifyPlanRequest, resp *resource.ModifyPlanResponse) {
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
	if in.prior == nil {
		resp.Diagnostics.Append(r.planCreate(ctx, P(&in.plan), in.scope)...)
	} else {
		resp.Diagnostics.Append(r.planUpdate(ctx, P(&in.plan), in.prior, in.scope, in.unsaved)...)
	}
	resp.Diagnostics.Append(resp.Plan.Set(ctx, &in.plan)...)
}

// planned is what a plan that is not a destroy starts from.
type planned[S erasure.Scope[S], M any] struct {
	plan    M
	prior   *M // nil for a create
	scope   S  // as configured: defaults never come from prior state
	unsaved bool
}

func readPlan[S erasure.Scope[S], M any, P interface {
	*M
	Scoped[S]
}](ctx context.Context, req resource.ModifyPlanRequest) (in planned[S, M], diags diag.Diagnostics) {
	var config M
	diags.Append(req.Config.Get(ctx, &config)...)
	diags.Append(req.Plan.Get(ctx, &in.plan)...)
	if !req.State.Raw.IsNull() {
		in.prior = new(M)
		diags.Append(req.State.Get(ctx, in.prior)...)
	}
	if diags.HasError() {
		return in, diags
	}
	var d diag.Diagnostics
	in.scope, _, d = P(&config).Scope(ctx)
	diags.Append(d...)
	in.unsaved, d = marked(ctx, req.Private, unsavedMark)
	return in, append(diags, d...)
}

func (r *Resource[S, M, P]) planCreate(ctx context.Context, plan P, scope S) (diags diag.Diagnostics) {
	b := plan.base()
	diags.Append(plan.SetScope(ctx, scope)...)
	diags.Append(b.plan(ctx, scope.Irreversible(), scope.NotCovered())...)
	b.forgetOutcome()
	diags.Append(checkOnDestroy(&b.Common, scope.Irreversible())...)
	if plan.Subject().IsUnknown() {
		return append(diags, subjectNotKnown(r.subjectPath(), r.session))
	}
	if r.session != nil {
		if r.session.Handoff.Waits(r.Noun.TypeName, plan.Subject().ValueString()) {
			return diags // Create checks everything again and keeps the record whatever it finds
		}
		if err := r.engineClaim(plan.Subject().ValueString()); err != nil {
			return append(diags, report.Error(r.subjectPath(), err))
		}
	}
	record, seen := noted[S](r.session, r.Noun.TypeName, plan.Subject().ValueString())
	if current := record.Current(); current.Scope != nil {
		diags.Append(refused(erasure.Comparison{Lowered: scope.Compare(*current.Scope).Lowered}, erasure.Keep)...)
	}
	warning, d := r.preview(ctx, plan, scope, record)
	diags.Append(d...)
	if seen && !diags.HasError() {
		diags.Append(r.replacing(record))
		if erasure.Next(record.Current(), erasure.Against(scope, record)) != erasure.Send {
			warning = nil // nothing more is done
		}
	}
	return appendWarning(diags, warning)
}

func appendWarning(diags diag.Diagnostics, warning diag.Diagnostic) diag.Diagnostics {
	if warning != nil {
		diags.Append(warning)
	}
	return diags
}

func (r *Resource[S, M, P]) engineClaim(id string) error {
	engine := r.engine()
	if engine == nil {
		return nil
	}
	return engine.Claim(id)
}

func (r *Resource[S, M, P]) planUpdate(ctx context.Context, plan P, priorModel *M, scope S, unsaved bool) (diags diag.Diagnostics) {
	prior := P(priorModel)
	r.note(prior)
	if !plan.Subject().Equal(prior.Subject()) {
		diags.AddAttributeError(r.subjectPath(), "The subject of a record cannot change",
			"This resource is the record of an erasure that was already submitted for another subject. Nothing was sent. "+
				"Set the id back, and add another resource block for the new subject. To drop this record, remove its block.")
		return diags
	}
	record, comparison, d := r.onRecord(ctx, priorModel, scope)
	diags.Append(d...)
	if diags.HasError() {
		return diags
	}
	diags.Append(refused(comparison, erasure.Next(record.Current(), comparison))...)
	b := plan.base()
	diags.Append(plan.SetScope(ctx, scope)...)
	diags.Append(checkOnDestroy(&b.Common, scope.Irreversible())...)
	if diags.HasError() {
		return diags
	}
	switch step := erasure.Next(record.Current(), comparison); step {
	case erasure.Keep:
		b.keepOutcome(prior.base())
		if !b.sameAbout(prior.common()) {
			b.Receipt = unknownText
		}
		if unsaved {
			b.Status = unknownText
			diags.Append(notSaved(r.subjectPath()))
		}
		return diags
	case erasure.Claim:
		b.keepOutcome(prior.base())
		b.Receipt = unknownText
		diags.Append(b.plan(ctx, scope.Irreversible(), scope.NotCovered())...)
		diags.AddAttributeWarning(r.subjectPath(), "Adopting an erasure done elsewhere",
			"Stream does not have this subject any more, and does not say how it went. The modes in this block are recorded as your claim (outcome = \"adopted\"); no deletion is sent. If you do not know that they are true, do not adopt a user: without the import, an apply sends the deletion and proves it.")
		return diags
	default:
		diags.Append(b.plan(ctx, scope.Irreversible(), scope.NotCovered())...)
		b.forgetOutcome()
		if step == erasure.Wait && len(comparison.Raised) == 0 {
			diags.AddAttributeWarning(r.subjectPath(), "Deletion under way",
				fmt.Sprintf("The deletion was submitted before%s. Applying this update asks for its result; it is not sent again while Stream knows what came of it.", report.Task(prior.base().TaskID.ValueString())))
			return diags
		}
		warning, d := r.preview(ctx, plan, scope, record)
		return appendWarning(append(diags, d...), warning)
	}
}

// preview runs the guards and the look-up, and returns what the reviewer should
// know. What it finds is never a planned value: it may change before the apply.
func (r *Resource[S, M, P]) preview(ctx context.Context, plan P, scope S, record erasure.Record[S]) (warning diag.Diagnostic, diags diag.Diagnostics) {
	subject := r.subjectPath()
	warn := func(summary, detail string) (diag.Diagnostic, diag.Diagnostics) {
		return diag.NewAttributeWarningDiagnostic(subject, summary, detail), nil
	}
	if r.session != nil && r.session.Undetermined {
		return notLookedUp(subject), nil
	}
	if d := r.session.Ready(); d.HasError() {
		return nil, d
	}
	finding, err := r.engine().Preview(ctx, plan.Subject().ValueString(), scope, record)
	if err == nil && finding.Found == erasure.FoundMissing && plan.base().OnMissing.ValueString() != MissingRecord {
		err = r.engine().Missing()
	}
	if err != nil {
		return nil, diag.Diagnostics{report.Error(subject, err)}
	}
	facts, current := Describe(finding), record.Current()
	var raised []string
	if current.Scope != nil {
		raised = scope.Compare(*current.Scope).Raised
	}
	switch finding.Found {
	case erasure.FoundMissing:
		return warn("Nothing to delete", r.engine().Absence()+" Nothing will be sent; the record will say outcome = \"not_found\".")
	case erasure.FoundDeleted:
		if current.Scope == nil || len(raised) == 0 {
			return warn("Already deleted", fmt.Sprintf("Stream says that this subject was deleted before, but not how. The deletion is sent all the same: it deletes what is left, and only Stream's answer to it proves the modes.\n%s\n\n%s", r.Noun.Goes(scope), r.consequence(scope)))
		}
		facts = "This goes further than the deletion on record (" + strings.Join(raised, ", ") + "), which left data at Stream."
	case erasure.FoundUnproven:
		return warn("Not proven in the plan", "Stream's query does not list this subject, and this plan has used up its requests to tell a deleted subject from one that never existed. The apply finds out before anything is sent.")
	case erasure.FoundPresent, erasure.FoundDeactivated:
	}
	summary := "Irreversible deletion"
	if !scope.Irreversible() {
		summary = "Deletion that keeps the data at Stream"
	}
	if current.Status == erasure.StatusReverted {
		summary = "Deleted again"
		facts += "\nIt was deleted under this record and came back since, by other means. Find out why before you apply; to accept it, remove the block."
	}
	return warn(summary, fmt.Sprintf("%s\n%s\n\n%s", r.Noun.Goes(scope), facts, r.consequence(scope)))
}

// replacing is the warning for a subject whose record this run has seen: as a rule
// it is only replaced or tainted, and what it knows is handed over. Terraform does
// not tell that from a second block.
func (r *Resource[S, M, P]) replacing(record erasure.Record[S]) diag.Diagnostic {
	var then string
	switch record.Current().Status {
	case erasure.StatusCompleted:
		then = "It is completed: its evidence is kept, and the deletion is not sent again unless this block reaches further."
	case erasure.StatusSubmitted:
		then = "Its task is asked for its result; the deletion is not sent again while Stream knows the task."
	default:
		then = "It is not completed: the deletion is sent again."
	}
	return diag.NewAttributeWarningDiagnostic(r.subjectPath(), "Replacing the record of an erasure",
		"There is a record of this subject already. If that one is replaced here (tainted, -replace): only the record is replaced, and nothing is restored in between. "+then+
			" To end a taint without a replacement, use terraform untaint. If this is a second block, or with create_before_destroy, the deletion is sent again, which does no harm; keep one record of one erasure.")
}

// Describe tells who is meant without naming anybody.
func Describe(f erasure.Finding) string {
	facts := []string{"state " + string(f.Found)}
	if f.Role != "" {
		facts = append(facts, "role "+f.Role)
	}
	for _, t := range []struct {
		name string
		at   *time.Time
	}{{"created", f.CreatedAt}, {"last active", f.LastActive}} {
		if t.at != nil {
			facts = append(facts, t.name+" "+t.at.UTC().Format(time.DateOnly))
		}
	}
	if f.Channel != nil && f.Channel.Members != nil {
		facts = append(facts, fmt.Sprintf("%d members", *f.Channel.Members))
	}
	return "Subject: " + strings.Join(facts, ", ") + "."
}

func (r *Resource[S, M, P]) consequence(scope S) string {
	if scope.Irreversible() {
		return strings.TrimSpace("This cannot be undone, by this provider or by Stream. " + r.Noun.Finality)
	}
	return "Stream keeps the data; this is not an erasure in the sense of the GDPR."
}

func checkOnDestroy(b *Common, irreversible bool) (diags diag.Diagnostics) {
	if irreversible && b.OnDestroy.ValueString() == DestroyRestore {
		diags.AddAttributeError(path.Root("on_destroy"), "Nothing to restore",
			"on_destroy = \"restore\" is only possible where irreversible is false: user = \"soft\" with messages, conversations, calls, files and polls left untouched. Nothing was sent. Use \"forget\".")
	}
	return diags
}

// planDestroy warns, and marks the plan as a real destroy.
func (r *Resource[S, M, P]) planDestroy(ctx context.Context, req resource.ModifyPlanRequest, resp *resource.ModifyPlanResponse) {
	var state M
	resp.Diagnostics.Append(req.State.Get(ctx, &state)...)
	if resp.Diagnostics.HasError() {
		return
	}
	resp.Diagnostics.Append(mark(ctx, resp.Private, destroyMark, true)...)
	if r.restores(P(&state)) {
		resp.Diagnostics.Append(willRestore(r.subjectPath()))
		return
	}
	resp.Diagnostics.Append(willForget(r.subjectPath(), P(&state).common()))
}

func (r *Resource[S, M, P]) setIdentity(ctx context.Context, identity *tfsdk.ResourceIdentity, model P) diag.Diagnostics {
	if identity == nil {
		return nil
	}
	return identity.SetAttribute(ctx, r.subjectPath(), model.Subject())
}
