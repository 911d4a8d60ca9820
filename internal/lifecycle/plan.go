// Copyright (c) the terraform-provider-streamchat authors
// SPDX-License-Identifier: MPL-2.0

package lifecycle

import (
	"context"
	"errors"
	"maps"
	"slices"
	"strings"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/erasure"
	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/report"
	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/session"
	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/stream"
)

// planning is one plan that is not a destroy.
type planning[S erasure.Scope[S], M any, P interface {
	*M
	model[S]
}] struct {
	*Resource[S, M, P]
	plan    P
	prior   P // nil for a create
	scope   S // as configured: defaults never come from prior state
	unsaved bool
	name    string // of the record among those of the run
	beside  Held   // whom others hold, as a refresh knew
	// unarchived: the receipt of the record is still to be written.
	unarchived bool
	private    privateReader

	asked
	options erasure.Options
	records erasure.Batch[S] // on record, and those that a replacement would go on from
	dropped erasure.Batch[S]
	work    map[string]erasure.Step
	weaker  []string // guards than those that were approved
	// scheduled were in the first stage when the plan began, releasing left the list then.
	scheduled, releasing []string
}

// ModifyPlan implements resource.ResourceWithModifyPlan. It runs in plan and
// again inside apply.
func (r *Resource[S, M, P]) ModifyPlan(ctx context.Context, req resource.ModifyPlanRequest, resp *resource.ModifyPlanResponse) {
	if req.Plan.Raw.IsNull() {
		r.planDestroy(ctx, req, resp)
		return
	}
	r.session.Crowd.Enter()
	defer r.session.Crowd.Leave()
	ctx, cancel := context.WithTimeout(ctx, readTimeout)
	defer cancel()
	p, diags := r.read(ctx, req)
	resp.Diagnostics.Append(diags...)
	if resp.Diagnostics.HasError() {
		return
	}
	if p.prior != nil { // for the plan of a replacement, which comes without a state
		resp.Diagnostics.Append(KeepHolder(ctx, resp.Private, p.name)...)
	}
	resp.Diagnostics.Append(p.do(ctx)...)
	p.guard()
	resp.Diagnostics.Append(resp.Plan.Set(ctx, p.plan)...)
	switch {
	case len(p.weaker) > 0:
		resp.Diagnostics.Append(isWeaker(p.weaker))
	case len(p.scheduled) > 0 && p.known && !resp.Diagnostics.HasError() && !resp.Plan.Raw.Equal(req.State.Raw):
		resp.Diagnostics.Append(p.timed()...)
		resp.Diagnostics.Append(resp.Plan.Set(ctx, p.plan)...)
	}
	if !resp.Diagnostics.HasError() {
		resp.Diagnostics.Append(p.late()...)
	}
}

// read reads what a plan starts from.
func (r *Resource[S, M, P]) read(ctx context.Context, req resource.ModifyPlanRequest) (p *planning[S, M, P], diags diag.Diagnostics) {
	p = &planning[S, M, P]{Resource: r, plan: new(M), records: erasure.Batch[S]{}, private: req.Private}
	var config P = new(M)
	diags.Append(req.Config.Get(ctx, config)...)
	diags.Append(req.Plan.Get(ctx, p.plan)...)
	if !req.State.Raw.IsNull() {
		p.prior = new(M)
		diags.Append(req.State.Get(ctx, p.prior)...)
	}
	if diags.HasError() {
		return p, diags
	}
	var d diag.Diagnostics
	p.beside, d = ReadHeld(ctx, req.Private)
	diags.Append(d...)
	if p.prior != nil {
		p.name = r.holder(p.prior)
	} else if p.name, d = ReadHolder(ctx, req.Private); p.name == "" {
		p.name = r.session.Stakes.Lot()
	}
	diags.Append(d...)
	p.scope, _, d = config.Scope(ctx)
	diags.Append(d...)
	p.unsaved, d = unsavedMark.On(ctx, req.Private)
	diags.Append(d...)
	p.unarchived, d = unarchivedMark.On(ctx, req.Private)
	diags.Append(d...)
	p.options.RecordMissing = p.plan.common().OnMissing.ValueString() == MissingRecord
	p.options.Conditions, d = conditions(ctx, config)
	diags.Append(d...)
	if r.session != nil {
		p.plan.common().pseudonyms = r.session.Pseudonyms
	}
	if p.asked, d = r.asks(ctx, config, p.prior); p.veiled {
		r.cover(p.plan, p.prior)
		p.Resource = r.naming(true)
	}
	diags.Append(d...)
	if now, ok := any(p.plan).(listed); ok && p.prior != nil && p.known && r.sameList(p.prior, p.asked) {
		*now.List() = *any(p.prior).(listed).List() //nolint:forcetypeassert // of one type
	}
	diags.Append(p.plan.SetScope(ctx, p.scope)...)
	p.options.Direct = !r.many
	if m, ok := any(p.plan).(staged); ok {
		s := m.stages()
		if s.GracePeriod.IsUnknown() {
			diags.Append(NotKnown(path.Root("grace_period")))
		}
		p.options.Grace = s.grace()
		s.due()
		s.unknown()
	}
	return p, append(diags, checkOnDestroy(p.plan.common(), p.scope.Irreversible(), p.veiled)...)
}

func checkOnDestroy(c *Common, irreversible, veiled bool) (diags diag.Diagnostics) {
	switch {
	case c.OnDestroy.ValueString() != DestroyRestore:
	case veiled:
		diags.AddAttributeError(path.Root("on_destroy"), "Nobody to restore",
			"A destroy reads no configuration, and this record keeps no id: it could restore nobody (on_destroy = \"restore\"). Nothing was sent. Use \"forget\", or name the subject by the argument whose value is stored.")
	case irreversible:
		diags.AddAttributeError(path.Root("on_destroy"), "Nothing to restore",
			"on_destroy = \"restore\" is only possible where irreversible is false: user = \"soft\" with messages, conversations, calls, files and polls left untouched. Nothing was sent. Use \"forget\".")
	}
	return diags
}

// do plans: what is refused, what is to be done, what is known of it.
func (p *planning[S, M, P]) do(ctx context.Context) (diags diag.Diagnostics) {
	if p.prior != nil || !p.known || !p.engine.Memory.IsAwaited(p.ids) {
		if diags = p.arrived(p.plan, p.prior); diags.HasError() {
			return diags
		}
	}
	p.pseudonymize(p.plan, p.prior, p.asked)
	if p.prior != nil {
		if diags = p.readPrior(ctx); diags.HasError() {
			return diags
		}
	}
	if !p.known || p.veiled && p.prior == nil && !p.session.HasKey() {
		return append(diags, p.unknown(ctx)...)
	}
	p.dropped = drop(form[S](p.plan), p.ids, p.records)
	awaited := p.prior == nil && p.engine.Memory.IsAwaited(p.ids)
	switch {
	case awaited:
		// The run is past the Delete of a replacement: an error, or a value that differs
		// from the plan's, would lose the record. Create checks everything again.
		p.records = p.engine.Memory.Recall(p.ids)
	case p.prior == nil:
		diags.Append(p.recall(ctx)...)
		if diags.Append(p.lowered()...); diags.HasError() {
			return diags
		}
	}
	if p.prior != nil {
		p.weaker = p.weakened(p.prior, p.ids, p.records, p.scope, p.options)
		p.options.Weaker = len(p.weaker) > 0
	}
	work := p.needs()
	p.work, p.releasing = work, released(work)
	if d := p.stand(ctx); !awaited { // an error there would lose the record
		if diags.Append(d...); diags.HasError() {
			return diags
		}
	}
	if diags.Append(p.missingIDs(work, p.asked)...); diags.HasError() {
		return diags
	}
	p.count(work, awaited)
	if len(work) == 0 && p.prior != nil {
		return append(diags, p.nothing(ctx)...)
	}
	if awaited {
		p.expected(work)
		p.awaitedApp(ctx)
		return append(diags, p.plan.common().reaches(ctx, p.scope.Irreversible(), p.scope.NotCovered())...)
	}
	p.expected(work)
	diags.Append(p.plan.common().reaches(ctx, p.scope.Irreversible(), p.scope.NotCovered())...)
	if !claims(work) || p.prior.common().Receipt.IsNull() {
		diags.Append(p.app(ctx)...)
	}
	if diags.Append(dropped(p.dropped)...); diags.HasError() {
		return diags
	}
	return append(diags, p.preview(ctx, work)...)
}

// needs is what is to be done.
func (p *planning[S, M, P]) needs() map[string]erasure.Step {
	timing := p.timing(p.options.Grace)
	timing.Weaker = p.options.Weaker
	return p.records.Work(p.ids, p.scope, timing)
}

// count says how many there are, and how many are sent. What a replacement sends is only
// known once it has looked again.
func (p *planning[S, M, P]) count(work map[string]erasure.Step, awaited bool) {
	c, ok := any(p.plan).(counted)
	if !ok {
		return
	}
	all, sent := c.Counts()
	switch {
	case awaited: // as planned, or as anything where the plan did not know
		*all, *sent = types.Int64Value(int64(len(p.ids))), types.Int64Value(int64(len(p.ids)))
		return
	case p.prior == nil && len(p.records) > 0:
		*all, *sent = types.Int64Unknown(), types.Int64Unknown()
		return
	}
	left := len(p.records.Left(p.ids))
	if m, ok := any(p.plan).(interface{ dropsRemoved() bool }); ok && m.dropsRemoved() {
		left -= len(p.releasing)
	}
	*all = types.Int64Value(int64(len(p.ids) + left))
	*sent = types.Int64Value(int64(len(doing(p.ids, work, erasure.Send, erasure.Restrict))))
}

// readPrior reads the records in state and refuses what cannot be asked of them.
func (p *planning[S, M, P]) readPrior(ctx context.Context) (diags diag.Diagnostics) {
	records, err := p.load(ctx, p.prior, p.private)
	if err != nil {
		return append(diags, damaged(err))
	}
	if p.known {
		if records, diags = p.meet(records, p.asked, p.prior); diags.HasError() {
			return diags
		}
	}
	p.records = records
	p.scheduled = records.Scheduled().IDs()
	p.engine.Memory.Remember(records)
	p.engine.UnderWay(records)
	if !p.known && p.veiled && !p.many {
		return append(diags, p.giveAgain())
	}
	if !p.many && (!p.known || len(records.Left(p.ids)) > 0) {
		return append(diags, SubjectChanged(p.subject(), "record", "To drop this record, remove its block."))
	}
	if diags.Append(p.catchUp(ctx, p.records, p.asked, p.prior)...); diags.HasError() {
		return diags
	}
	recorded, ok, d := p.prior.Scope(ctx)
	diags.Append(d...)
	if !ok {
		return diags
	}
	if !slices.ContainsFunc(records.IDs(), func(id string) bool { return len(records[id].Attempts) > 0 || !records[id].Restricted() }) {
		return diags // nothing was sent yet that could not be taken back
	}
	comparison := p.scope.Compare(recorded)
	sends := len(comparison.Raised) > 0
	if !p.many {
		sends = records[p.ids[0]].Next(true, p.scope, p.timing(p.options.Grace)) == erasure.Send
	}
	return append(diags, refused(comparison, sends)...)
}

// refused refuses a plan that asks for less than was done, or for other options of
// a call that was already sent, unless a further call follows.
func refused(c erasure.Comparison, sends bool) (diags diag.Diagnostics) {
	if len(c.Lowered) > 0 {
		diags.AddAttributeError(report.Path(c.Lowered[0]), "A deletion cannot be taken back",
			"The record says that Stream was asked to delete more than this configuration does ("+strings.Join(c.Lowered, ", ")+"). Asking for less now would make the record untrue, and brings nothing back. "+
				"Nothing was sent. Set it back to what was done; to stop managing the record, use a removed block.")
	}
	if sends {
		return diags
	}
	for _, field := range c.Altered {
		diags.AddAttributeError(report.Path(field), "Option of a deletion that was already sent",
			field+" belongs to the delete call, which was already sent, so changing it would have no effect. Nothing was sent. Set it back to what was sent.")
	}
	return diags
}

// unknown is the plan of subjects that are only known at apply.
func (p *planning[S, M, P]) unknown(ctx context.Context) (diags diag.Diagnostics) {
	if c, ok := any(p.plan).(counted); ok {
		all, sent := c.Counts()
		*all, *sent = types.Int64Unknown(), types.Int64Unknown()
	}
	p.plan.expect(nil, nil, true)
	diags.Append(p.app(ctx)...)
	diags.Append(p.plan.common().reaches(ctx, p.scope.Irreversible(), p.scope.NotCovered())...)
	return append(diags, SubjectNotKnown(p.subject(), p.session)...)
}

// recall takes the records that this run has seen of the subjects: Terraform gives the
// plan of a replaced or tainted resource no prior state. Whoever replaces a record asks
// whether the subject is there again.
func (p *planning[S, M, P]) recall(ctx context.Context) (diags diag.Diagnostics) {
	p.records = p.engine.Memory.Recall(p.ids)
	if p.session.Blind() || len(p.records.Open(true)) == 0 {
		return nil
	}
	if _, diags := p.session.Open(ctx, p.subject()); diags.HasError() {
		return diags
	}
	changed, errs := p.engine.Refresh(ctx, p.records, true)
	maps.Copy(p.records, changed)
	return p.looked(p.ids, p.records, errs)
}

// app fills in which app this goes to: the one that the record belongs to, else the one
// that the credentials open.
func (p *planning[S, M, P]) app(ctx context.Context) diag.Diagnostics {
	c := p.plan.common()
	if p.prior != nil && !p.prior.common().AppName.IsNull() {
		c.AppName, c.AppID = p.prior.common().AppName, p.prior.common().AppID
		if p.session.Blind() {
			return nil
		}
		_, diags := p.session.OpenFor(ctx, p.subject(), c.app())
		return diags
	}
	c.AppName, c.AppID = types.StringUnknown(), types.StringUnknown()
	if p.session.Blind() {
		return nil
	}
	opened, diags := p.session.OpenFor(ctx, p.subject(), app(p.records))
	if !diags.HasError() {
		c.setApp(opened)
	}
	return diags
}

// awaitedApp is app without errors, which would lose the record.
func (p *planning[S, M, P]) awaitedApp(ctx context.Context) {
	c := p.plan.common()
	c.setApp(app(p.records))
	if !c.AppName.IsNull() {
		return
	}
	c.AppName, c.AppID = types.StringUnknown(), types.StringUnknown()
	if opened, diags := p.session.Open(ctx, p.subject()); !diags.HasError() {
		c.setApp(opened)
	}
}

// nothing is the plan of a record that needs no call.
func (p *planning[S, M, P]) nothing(ctx context.Context) (diags diag.Diagnostics) {
	c, was := p.plan.common(), p.prior.common()
	if now, ok := any(p.plan).(counted); ok {
		all, sent := now.Counts()
		if before, ok := any(p.prior).(counted); ok {
			wasAll, wasSent := before.Counts()
			*sent = *wasSent
			if was, _, _ := p.prior.Subjects(ctx); len(p.dropped) == 0 && slices.Equal(was, p.ids) {
				*all = *wasAll
			}
		}
	}
	p.plan.keep(p.prior)
	if recorded, ok, _ := p.prior.Scope(ctx); !ok || recorded != p.scope {
		// The only subject that had not reached the scope was taken off the list.
		diags.Append(c.reaches(ctx, p.scope.Irreversible(), p.scope.NotCovered())...)
		c.Receipt = types.StringUnknown()
	}
	reveiled := p.veiled != isVeiled(p.prior)
	if m, ok := any(p.plan).(interface{ restrict(erasure.Batch[S]) }); ok && (len(p.dropped) > 0 || reveiled) {
		m.restrict(p.records)
		c.Receipt = types.StringUnknown()
		diags.Append(dropped(p.dropped)...)
	}
	if m, ok := any(p.plan).(interface{ caughtUp(erasure.Batch[S]) bool }); ok && m.caughtUp(p.records) {
		p.unsaved, c.Receipt = true, types.StringUnknown()
	}
	if reveiled {
		c.Receipt = types.StringUnknown()
	} else if v, ok := any(p.plan).(veiled); ok && (!p.many || p.veiled || p.sameList(p.prior, p.asked)) {
		if was := any(p.prior).(veiled).Pseudonym(); was.IsNull() { //nolint:forcetypeassert // of one type
			*v.Pseudonym() = *was // a record of an earlier version has none, which is no reason for an update
		}
	}
	if m, ok := any(p.plan).(staged); ok {
		eraseAt(m.stages(), p.records)
	}
	status := p.records.Status(p.ids, p.scope)
	if len(p.weaker) > 0 || !c.sameBooks(was) || !sameDeadlines(p.plan, p.prior) || string(status) != was.Status.ValueString() {
		c.Receipt = types.StringUnknown()
	}
	if p.unarchived && p.session.Receipts != nil {
		c.Receipt = types.StringUnknown()
		diags.Append(notArchivedYet(p.subject()))
	}
	switch {
	case (status == erasure.StatusScheduled || status == erasure.StatusReleased) && !p.unsaved:
		c.Status = types.StringValue(string(status))
	case len(p.weaker) > 0 && !p.unsaved:
		c.Status = types.StringValue(string(status))
	case status != erasure.StatusCompleted && status != erasure.StatusScheduled && status != erasure.StatusReleased: // of somebody who left the list: never a plan without changes
		c.Status, c.Receipt = types.StringUnknown(), types.StringUnknown()
		diags.Append(warnings(p.words.lost(p.records.Left(p.ids), p.records))...)
	case p.unsaved:
		c.Status = types.StringUnknown()
		diags.Append(notSaved(p.subject()))
	default:
		c.Status = types.StringValue(string(status))
	}
	return diags
}

// warnings says in a plan what the apply will say as errors.
func warnings(errs diag.Diagnostics) diag.Diagnostics { return milder(errs, "", "") }

// milder makes warnings of errors, with words before the title and behind the rest.
func milder(errs diag.Diagnostics, title, detail string) (diags diag.Diagnostics) {
	for _, d := range errs {
		if at, ok := d.(diag.DiagnosticWithPath); ok {
			diags.AddAttributeWarning(at.Path(), title+d.Summary(), d.Detail()+detail)
		}
	}
	return diags
}

// claims reports that only an imported record takes over the configuration's modes.
func claims(work map[string]erasure.Step) bool {
	return slices.Contains(slices.Collect(maps.Values(work)), erasure.Claim)
}

// expected marks what the apply will decide.
func (p *planning[S, M, P]) expected(work map[string]erasure.Step) {
	if claims(work) && !p.prior.common().Receipt.IsNull() {
		p.plan.keep(p.prior)
		p.plan.common().Receipt = types.StringUnknown()
		return
	}
	p.plan.expect(p.records, work, p.prior == nil)
}

// app is the app that records belong to.
func app[S erasure.Scope[S]](records erasure.Batch[S]) (app stream.App) {
	for _, record := range records {
		if app = record.App(); app != (stream.App{}) {
			return app
		}
	}
	return app
}

// sending are those who are to be sent, in the order of the list.
func (p *planning[S, M, P]) sending(work map[string]erasure.Step) []string {
	return slices.DeleteFunc(slices.Clone(p.ids), func(id string) bool { return work[id] != erasure.Send })
}

// preview runs the guards and the look-up for everybody who is to be sent, and says what
// the reviewer should know. What it finds is never a planned value: it may change before
// the apply.
func (p *planning[S, M, P]) preview(ctx context.Context, work map[string]erasure.Step) (diags diag.Diagnostics) {
	sending, restricting := p.sending(work), doing(p.ids, work, erasure.Restrict)
	acting := doing(p.ids, work, erasure.Send, erasure.Restrict)
	if len(p.releasing) > 0 {
		diags.Append(willRelease(p.releasing, p.records, p.beside, p.session.Pseudonyms.Key))
		if len(p.releasing) == len(p.scheduled) {
			diags.Append(allLeft())
		}
		defer func() { p.forget() }()
	}
	kept := p.kept()
	switch {
	case claims(work):
		return append(diags, adopting(p.deed()))
	case len(acting) == 0 && kept > 0:
		return append(diags, p.untilDue(p.words.replaced(p.deed(), kept)))
	case len(work) == 0:
		return diags // nobody yet
	case len(acting) == 0 && len(p.releasing) == len(work):
		return diags
	case len(acting) == 0:
		return append(diags, p.words.underWay(slices.DeleteFunc(slices.Sorted(maps.Keys(work)), func(id string) bool { return work[id] == erasure.Release }), p.records, p.request()))
	case p.session.Blind():
		return append(diags, NotLookedUp(p.deed()))
	}
	findings, errs := p.engine.Preview(ctx, acting, p.scope, p.records, p.options)
	if p.prior == nil && (p.engine.Forgets && missing(errs) || restrictedAlready(some(findings, restricting))) && p.recallLate(ctx) {
		work = p.needs()
		p.work, kept = work, p.kept()
		diags.Append(p.lowered()...)
		if diags.Append(p.app(ctx)...); diags.HasError() {
			return diags
		}
		p.count(work, false)
		p.expected(work)
		sending, restricting = p.sending(work), doing(p.ids, work, erasure.Restrict)
		if acting = doing(p.ids, work, erasure.Send, erasure.Restrict); len(acting) == 0 {
			return append(diags, p.untilDue(p.words.replaced(p.deed(), kept)))
		}
		findings, errs = p.engine.Preview(ctx, acting, p.scope, p.records, p.options)
	}
	errs, mild := p.held(errs)
	diags.Append(mild...)
	if len(p.work) == 0 && p.prior != nil {
		return append(diags, p.nothing(ctx)...) // all of them are held back
	}
	errs, mild = p.unclear(errs)
	diags.Append(mild...)
	if diags.Append(p.words.failed(p.ids, p.records, errs)...); len(errs) > 0 {
		return diags
	}
	if diags.Append(p.ordered(ctx, restricting, findings)...); diags.HasError() {
		return diags
	}
	if len(restricting) > 0 {
		diags.Append(p.willRestrict(restricting, some(findings, restricting)))
		findings = some(findings, sending)
	}
	if sending = p.sending(p.work); len(sending) == 0 {
		return diags
	}
	diags.Append(p.words.planned(preview[S]{p.scope, p.ids, sending, kept, p.records, findings, p.request()})...)
	if p.Loses != nil {
		hashes, others := ExportHashes(p.plan.common().Exports)
		diags.Append(p.Loses(p.session, p.scope, hashes, others != 0, sending)...)
	}
	if there(findings) && p.session.HoldUnseen(ctx) {
		diags.Append(holdUnseen(p.session.HoldField))
	}
	if !p.many && p.engine.Max > 1 && p.session.Crowd.Alone(p.CallsPerMinute(p.session)) {
		diags.Append(oneAtATime(p.deed()))
	}
	if p.prior == nil && len(p.records) > 0 && !p.many {
		diags.Append(p.words.replaced(p.deed(), 0))
	}
	return diags
}

// kept is how many records of a replaced one need nothing.
func (p *planning[S, M, P]) kept() (n int) {
	if p.prior != nil {
		return 0
	}
	for id := range p.records {
		if _, open := p.work[id]; !open {
			n++
		}
	}
	return n
}

// lowered refuses less than a record that is handed over was asked.
func (p *planning[S, M, P]) lowered() diag.Diagnostics {
	if _, lowered := p.records.Ahead(p.scope); len(lowered) > 0 {
		return refused(erasure.Comparison{Lowered: lowered}, false)
	}
	return nil
}

// some are the findings of some.
func some(findings map[string]erasure.Finding, ids []string) map[string]erasure.Finding {
	of := make(map[string]erasure.Finding, len(ids))
	for _, id := range ids {
		if f, ok := findings[id]; ok {
			of[id] = f
		}
	}
	return of
}

// missing reports that somebody was not found.
func missing(errs map[string]error) bool {
	for _, err := range errs {
		var refusal *erasure.Refusal
		if errors.As(err, &refusal) && refusal.Missing {
			return true
		}
	}
	return false
}

// restrictedAlready reports that somebody who is to be restricted is: perhaps by a record of
// this run.
func restrictedAlready(findings map[string]erasure.Finding) bool {
	return slices.ContainsFunc(slices.Collect(maps.Values(findings)), func(f erasure.Finding) bool { return f.Found == erasure.FoundDeactivated })
}

// recallLate waits for another resource of the run that has the record of what Stream has
// forgotten, or of whom it has restricted: a renamed block is destroyed and created side by
// side.
func (p *planning[S, M, P]) recallLate(ctx context.Context) bool {
	if p.session.Clock.Sleep(ctx, SettleTime/2) != nil {
		return false
	}
	late := p.engine.Memory.Recall(p.ids)
	maps.Copy(p.records, late)
	return len(late) > 0
}

// request says which request this answers: Terraform hides what does not change.
func (p *planning[S, M, P]) request() string {
	if id := p.plan.common().RequestID.ValueString(); id != "" && p.prior != nil {
		return "\nThe subject and request_id (" + id + ") are those on record; Terraform hides what does not change."
	}
	return ""
}

// there reports that somebody was found.
func there(findings map[string]erasure.Finding) bool {
	for _, f := range findings {
		if f.Found == erasure.FoundPresent || f.Found == erasure.FoundDeactivated {
			return true
		}
	}
	return false
}

// stand notes whom this block stands for, and refuses those whom another one of the run is
// about, or gives back. Those who left the list are given back themselves.
func (p *planning[S, M, P]) stand(ctx context.Context) diag.Diagnostics {
	errs := map[string]error{}
	for _, id := range p.ids {
		record, known := p.records[id]
		stake := p.stake(p.name, record)
		stake.Begins = p.prior == nil || !known || record.Current().Status == erasure.StatusReleased
		switch clash := p.session.Stakes.Stand(p.who(id), stake); {
		case clash.Twice:
			errs[id] = &erasure.Refusal{
				Summary: "The same subject twice",
				Detail: "Another resource of this configuration is about an erasure of the same subject, which can still be undone or is not finished. Nothing was sent for this one. " +
					"Keep one of the two blocks, so that there is one record of one erasure.",
			}
		case clash.TakenBy != "":
			errs[id] = takenBack(clash.TakenBy)
		}
	}
	if len(p.releasing) > 0 {
		p.session.Crowd.Settle(ctx, p.session.Clock)
	}
	for _, id := range p.releasing {
		record, back := p.records[id], session.Nothing
		held := len(p.beside[p.session.Pseudonyms.Key(id)]) > 0
		if _, veiled := erasure.Unveil(id); record.Reactivates() && !held && !veiled {
			back = session.Restriction
		}
		p.session.Stakes.Go(p.who(id), p.stake(p.name, record), back)
		if types := p.session.Stakes.Holders(p.who(id), p.name, false); len(types) > 0 && back != session.Nothing {
			errs[id] = heldMeanwhile(types)
		}
	}
	return p.words.failed(p.ids, p.records, errs)
}

// ordered refuses what would reach into an export of the same plan that nothing puts first.
func (p *planning[S, M, P]) ordered(ctx context.Context, restricting []string, found map[string]erasure.Finding) (diags diag.Diagnostics) {
	_, others := ExportHashes(p.plan.common().Exports)
	for _, d := range []struct {
		ids       []string
		restricts bool
	}{{p.sending(p.work), false}, {restricting, true}} {
		if len(d.ids) > 0 {
			errs := p.engine.Ordered(ctx, d.ids, p.scope, erasure.Deletion{UnknownExports: others, Found: found, Restricts: d.restricts})
			diags.Append(p.words.failed(p.ids, p.records, errs)...)
		}
	}
	return diags
}

// adopting is the warning of a plan that takes over the operator's claim.
func adopting(at path.Path) diag.Diagnostic {
	return diag.NewAttributeWarningDiagnostic(at, "Adopting an erasure done elsewhere",
		"Stream does not have this subject any more, and does not say how it went. The modes in this block are recorded as your claim (outcome = \"adopted\"); no deletion is sent. If you do not know that they are true, do not adopt a user: without the import, an apply sends the deletion and proves it.")
}

// planDestroy warns, and marks the plan as a real destroy.
func (r *Resource[S, M, P]) planDestroy(ctx context.Context, req resource.ModifyPlanRequest, resp *resource.ModifyPlanResponse) {
	var state M
	resp.Diagnostics.Append(req.State.Get(ctx, &state)...)
	resp.Diagnostics.Append(DestroyMark.Set(ctx, resp.Private)...)
	replaced, diags := replacedMark.On(ctx, req.Private)
	if resp.Diagnostics.Append(diags...); resp.Diagnostics.HasError() {
		return
	}
	r.session.Crowd.Enter()
	defer r.session.Crowd.Leave()
	model := P(&state)
	r = r.of(model)
	batch, err := r.load(ctx, model, req.Private)
	if err != nil {
		batch = erasure.Batch[S]{}
	}
	scheduled := batch.Scheduled()
	r.engine.Memory.Remember(scheduled) // the block may only have another name
	back := r.undoes(ctx, model, batch)
	for id, record := range batch {
		r.session.Stakes.Go(r.who(id), r.stake(r.holder(model), record), session.Nothing)
	}
	if len(back) > 0 {
		r.session.Crowd.Settle(ctx, r.session.Clock)
	}
	held := Held{}
	for id, record := range batch {
		types := r.session.Stakes.Keepers(r.who(id), r.holder(model), !record.Scheduled())
		if replaced && r.session.Stakes.Alone(r.who(id), r.holder(model)) {
			types = []string{r.TypeName}
		}
		gives := session.Nothing
		switch _, undone := back[id]; {
		case undone && len(types) > 0:
			held[r.session.Pseudonyms.Key(id)] = types
		case undone && record.Scheduled():
			gives = session.Restriction
		case undone:
			gives = session.Deletion
		}
		r.session.Stakes.Go(r.who(id), r.stake(r.holder(model), record), gives)
	}
	if r.hasHeir(model, batch) {
		resp.Diagnostics.Append(replacedMark.Set(ctx, resp.Private)...)
	}
	resp.Diagnostics.Append(held.Keep(ctx, req.Private, resp.Private)...)
	free := r.free(model, back, held)
	restores := len(free) > len(free.Scheduled())
	if len(held) > 0 {
		resp.Diagnostics.Append(stands(r.subject(), held, len(back.Scheduled()) > 0))
	}
	switch {
	case len(held) > 0 && len(free) == 0:
	case len(scheduled) > 0:
		resp.Diagnostics.Append(willUnschedule(r.subject(), scheduled, free.Scheduled()))
	case restores:
		resp.Diagnostics.Append(willRestore(r.subject()))
	default:
		resp.Diagnostics.Append(willForget(r.subject(), batch))
	}
}
