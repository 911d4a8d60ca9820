// Copyright (c) the terraform-provider-streamchat authors
// SPDX-License-Identifier: MPL-2.0

package lifecycle

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/hashicorp/terraform-plugin-framework-timetypes/timetypes"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/erasure"
)

// Stages are when an erasure happens: at once, or in two stages, and by when it should. A
// model embeds it whose subjects can be restricted first.
type Stages struct {
	GracePeriod types.String      `tfsdk:"grace_period"`
	EraseAt     timetypes.RFC3339 `tfsdk:"erase_at"`
	ReceivedAt  types.String      `tfsdk:"received_at"`
	DueAt       timetypes.RFC3339 `tfsdk:"due_at"`
}

// StageAttributes are the schema of [Stages].
func StageAttributes() map[string]schema.Attribute {
	return map[string]schema.Attribute{
		"grace_period": schema.StringAttribute{
			Optional: true, MarkdownDescription: describe("grace_period"), Validators: []validator.String{period{}},
		},
		"erase_at": InstantAttribute(describe("erase_at")),
		"received_at": schema.StringAttribute{
			Optional: true, MarkdownDescription: describe("received_at"), Validators: []validator.String{received{}},
		},
		"due_at": InstantAttribute(describe("due_at")),
	}
}

// staged is a model with [Stages].
type staged interface{ stages() *Stages }

func (s *Stages) stages() *Stages { return s }

func (s *Stages) grace() time.Duration {
	d, _ := time.ParseDuration(s.GracePeriod.ValueString())
	return d
}

// grace is the period of a model; 0 where there is none.
func grace(model any) time.Duration {
	if m, ok := model.(staged); ok {
		return m.stages().grace()
	}
	return 0
}

// arrival is when a request came; a date is over at its end.
func arrival(receivedAt string) (at time.Time, date bool, err error) {
	if at, err = time.Parse(time.RFC3339, receivedAt); err == nil {
		return at, false, nil
	}
	at, err = time.Parse(time.DateOnly, receivedAt)
	return at, true, err
}

// deadline is one month after a request came (GDPR Art. 12(3)). A month that has no such
// day ends with its last one.
func deadline(receivedAt string) *time.Time {
	at, date, err := arrival(receivedAt)
	if err != nil {
		return nil
	}
	if date {
		at = at.AddDate(0, 0, 1).Add(-time.Second)
	}
	due := at.AddDate(0, 1, 0)
	if due.Day() != at.Day() {
		due = due.AddDate(0, 0, -due.Day())
	}
	return &due
}

// arrived refuses a request that is yet to come, by more than time zones explain: its
// deadline could not be missed. What stands in the record already is not asked again.
func (r *Resource[S, M, P]) arrived(model, prior P) (diags diag.Diagnostics) {
	m, ok := any(model).(staged)
	if !ok || prior != nil && any(prior).(staged).stages().ReceivedAt.Equal(m.stages().ReceivedAt) { //nolint:forcetypeassert // one type
		return nil
	}
	at, _, err := arrival(m.stages().ReceivedAt.ValueString())
	if err == nil && at.After(r.session.Clock.Now().Add(24*time.Hour)) {
		diags.AddAttributeError(path.Root("received_at"), "Invalid received_at",
			"This is in the future, by the clock of this machine: no request comes after the plan that answers it, and its deadline would not be missed. Nothing was sent. Correct the date, or the clock.")
	}
	return diags
}

// due fills in what is known before the deed.
func (s *Stages) due() {
	if s.ReceivedAt.IsUnknown() {
		s.DueAt = timetypes.NewRFC3339Unknown()
		return
	}
	s.DueAt = Instant(deadline(s.ReceivedAt.ValueString()))
}

// eraseAt fills in when the records are due.
func eraseAt[S erasure.Scope[S]](s *Stages, batch erasure.Batch[S]) {
	s.EraseAt = timetypes.NewRFC3339Null()
	if s.grace() > 0 {
		s.EraseAt = Instant(batch.EraseAt(s.grace()))
	}
}

// unknown is for a plan whose apply decides it.
func (s *Stages) unknown() {
	if !s.GracePeriod.IsNull() {
		s.EraseAt = timetypes.NewRFC3339Unknown()
	} else {
		s.EraseAt = timetypes.NewRFC3339Null()
	}
}

func (s *Stages) deadlines() erasure.Deadlines {
	return erasure.Deadlines{
		GracePeriod: s.GracePeriod.ValueString(), EraseAt: s.EraseAt.ValueString(),
		ReceivedAt: s.ReceivedAt.ValueString(), DueAt: s.DueAt.ValueString(),
	}
}

// sameDeadlines reports that what two models say of the time is the same.
func sameDeadlines(now, was any) bool {
	a, ok := now.(staged)
	if !ok {
		return true
	}
	b, ok := was.(staged)
	return ok && a.stages().deadlines() == b.stages().deadlines()
}

// store writes records into a model, with when they are due.
func (r *Resource[S, M, P]) store(ctx context.Context, model P, batch erasure.Batch[S], ids []string, scope S, errs map[string]error) diag.Diagnostics {
	if m, ok := any(model).(staged); ok {
		s := m.stages()
		eraseAt(s, batch)
		s.due()
		model.common().deadlines = s.deadlines()
	}
	return model.store(ctx, r.teller(), batch, ids, scope, errs)
}

// timing is that of now; without a provider nothing is due.
func (c *core[S]) timing(grace time.Duration) erasure.Timing {
	if c.engine == nil {
		return erasure.Timing{Grace: grace}
	}
	return c.engine.Timing(grace)
}

// looked is what is said of records that could not be brought up to date: one whose answer
// cannot be read is kept as it is, and stops nothing else.
func (r *Resource[S, M, P]) looked(ids []string, batch erasure.Batch[S], errs map[string]error) diag.Diagnostics {
	odd, rest := map[string]error{}, map[string]error{}
	for id, err := range errs {
		var unread *erasure.Unread
		if errors.As(err, &unread) {
			odd[id] = err
		} else {
			rest[id] = err
		}
	}
	return append(milder(r.words.failed(ids, batch, odd), "Record not brought up to date: ",
		"\n\nThe record is kept as it was, and nothing is taken for done. The next run asks again."), r.words.failed(ids, batch, rest)...)
}

// timed marks as unknown what an apply decides by the clock, and warns of it: a plan that is
// made before the day and applied after it erases.
func (p *planning[S, M, P]) timed() (diags diag.Diagnostics) {
	p.pseudonymize(p.plan, p.prior, p.asked)
	open := maps.Clone(p.work)
	if open == nil {
		open = map[string]erasure.Step{}
	}
	for _, id := range p.scheduled {
		open[id] = erasure.Send
	}
	p.plan.expect(p.records, open, false)
	if m, ok := any(p.plan).(staged); ok {
		m.stages().unknown()
	}
	if c, ok := any(p.plan).(counted); ok {
		_, sent := c.Counts()
		*sent = types.Int64Unknown()
	}
	p.forget()
	waiting := slices.DeleteFunc(slices.Clone(p.scheduled), func(id string) bool {
		return p.work[id] != erasure.Keep || !slices.Contains(p.ids, id)
	})
	if len(waiting) > 0 {
		diags.Append(erasesLater(p.deed(), len(waiting), p.records.EraseAt(p.options.Grace), p.Effect(p.scope)))
	}
	return diags
}

// erasesLater is the warning of a plan that erases nobody, unless it is applied too late.
func erasesLater(at path.Path, n int, day *time.Time, effect string) diag.Diagnostic {
	return diag.NewAttributeWarningDiagnostic(at, "Erases if applied after erase_at", fmt.Sprintf(
		"%d scheduled. Applied before erase_at (%s), this plan sends nothing for them; an apply at or after it erases whoever is due, with all guards.\n%s", n, Instant(day).ValueString(), effect))
}

// forget takes those off the planned results whom the apply releases and then forgets.
func (p *planning[S, M, P]) forget() {
	m, ok := any(p.plan).(interface{ forgets(keys []string) })
	if !ok || len(p.releasing) == 0 {
		return
	}
	m.forgets(p.releasing)
}

// forgets drops entries of planned results, where the records of those who left the list are
// not kept.
func (m *Many[S]) forgets(ids []string) {
	if !m.DropRemovedRecords.ValueBool() || m.Results.IsUnknown() {
		return
	}
	entries := m.Results.Elements()
	for _, id := range ids {
		delete(entries, m.key(id))
	}
	m.Results = textMap(entries)
}

// late warns of an answer that is, or will be, too late.
func (p *planning[S, M, P]) late() (diags diag.Diagnostics) {
	m, ok := any(p.plan).(staged)
	if !ok || p.prior != nil && len(p.work) == 0 && slices.Contains([]string{string(erasure.StatusCompleted), string(erasure.StatusReleased)}, p.prior.common().Status.ValueString()) {
		return nil
	}
	s := m.stages()
	if s.DueAt.IsNull() || s.DueAt.IsUnknown() {
		return nil
	}
	due := *deadline(s.ReceivedAt.ValueString())
	now := p.timing(0).Now
	then := now.Add(s.grace())
	ends := p.records.EraseAt(s.grace())
	if ends == nil || len(p.scheduled) == 0 || len(doing(p.ids, p.work, erasure.Restrict)) > 0 {
		ends = &then // who is restricted now is erased last
	}
	const law = "The GDPR gives one month to answer a request (Art. 12(3)); it may be extended by two months where that is necessary, and the person has to be told why within the first. "
	switch {
	case now.After(due):
		diags.AddAttributeWarning(path.Root("received_at"), "Deadline has passed", "due_at is over, and the erasure is not completed. "+law+"Nothing is refused for it.")
	case s.grace() > 0 && ends.After(due):
		diags.AddAttributeWarning(path.Root("grace_period"), "Erased after the deadline",
			fmt.Sprintf("The period ends on %s, after due_at (%s). %sShorten grace_period, or tell the person.", ends.UTC().Format(time.DateOnly), due.UTC().Format(time.DateOnly), law))
	}
	return diags
}

// held lets the others go whom nothing stands in the way of: what the guards say of those
// whose act was approved before becomes a warning.
func (p *planning[S, M, P]) held(errs map[string]error) (left map[string]error, diags diag.Diagnostics) {
	mild := map[string]error{}
	for id, err := range errs {
		var r *erasure.Refusal
		if errors.As(err, &r) && !r.Provider && !r.Unclear && p.prior != nil && !p.records[id].Anew(p.scope) {
			mild[id] = err
		}
	}
	return p.spared(errs, mild), milder(p.words.failed(p.ids, p.records, mild), "Not erased: ", "\n\nThe erasure was approved before. The record stays as it is (who is scheduled stays restricted) and holds back nobody else; an apply that finds this still so while it erases others of this resource ends with it as an error. "+
		"Removing the block would call a scheduled erasure off.")
}

// unclear lets everything else go where Stream's answers about somebody on record cannot be
// read: one record does not stop the plans of a whole state. The apply asks again, and sends
// nothing as long as it stays so.
func (p *planning[S, M, P]) unclear(errs map[string]error) (left map[string]error, diags diag.Diagnostics) {
	mild := map[string]error{}
	for id, err := range errs {
		if _, recorded := p.records[id]; recorded && p.prior != nil && erasure.IsUnread(err) {
			mild[id] = err
		}
	}
	return p.spared(errs, mild), milder(p.words.failed(p.ids, p.records, mild), "Not looked up: ",
		"\n\nThe record is kept as it is. The apply asks again before anything is sent, and ends with this as an error while it stays so.")
}

// spared takes those off the plan's work of whom only a warning is given.
func (p *planning[S, M, P]) spared(errs, mild map[string]error) (left map[string]error) {
	left = maps.Clone(errs)
	for id := range mild {
		delete(left, id)
		delete(p.work, id)
	}
	return left
}

// doing are those who need one of some steps, in the order of the list.
func doing(ids []string, work map[string]erasure.Step, steps ...erasure.Step) []string {
	return slices.DeleteFunc(slices.Clone(ids), func(id string) bool { return !slices.Contains(steps, work[id]) })
}

// released are those who left the list while scheduled, sorted.
func released(work map[string]erasure.Step) (ids []string) {
	for _, id := range slices.Sorted(maps.Keys(work)) {
		if work[id] == erasure.Release {
			ids = append(ids, id)
		}
	}
	return ids
}

// Titles of the warnings about two stages.
const (
	titleScheduled   = "Restricted now, erased later"
	titleAgain       = "Restricted again"
	titleReleases    = "Scheduled erasures called off"
	titleAllLeft     = "Everybody who was scheduled left the list"
	titleReactivates = "Destroying calls the erasure off and reactivates the user"
	titleStaysOff    = "Destroying calls the erasure off, the user stays deactivated"
	titleNobody      = "Destroying cannot reactivate anybody"
)

// willRestrict is what the reviewer should know of a plan that restricts.
func (p *planning[S, M, P]) willRestrict(ids []string, findings map[string]erasure.Finding) diag.Diagnostic {
	title := titleScheduled
	again := ""
	if slices.ContainsFunc(ids, func(id string) bool { return p.records[id].Current().Status == erasure.StatusReverted }) {
		title = titleAgain
		again = "\nSomebody was restricted under this record and is active again, by other means. Find out why before you apply: the period starts anew; to accept it, remove the subject."
	}
	who := "Subjects to restrict: " + states(findings) + ".\n" + ranges(findings)
	if !p.many {
		who = Describe(findings[ids[0]]) + "\n"
	}
	if restrictedAlready(findings) {
		again += "\nWho is deactivated already stays so when this is called off. If a run of yours did that and was killed before it could record it, reactivate them (POST /users/ID/reactivate) and plan again; the record is then the one that deactivates."
	}
	period := grace(p.plan)
	return diag.NewAttributeWarningDiagnostic(path.Root("grace_period"), title, fmt.Sprintf(
		"%sThis apply deactivates whoever is active, which can be taken back, and deletes nothing. The first apply after the period (%s, until %s if applied now) deletes.%s\n%s\n\nTo call it off before that, remove the block (or take the subject off the list): whoever was active is reactivated.",
		who, period, p.timing(0).Now.Add(period).UTC().Format(time.RFC3339), again, p.Effect(p.scope)))
}

// untilDue adds to a warning that nothing is sent how long that holds.
func (p *planning[S, M, P]) untilDue(d diag.Diagnostic) diag.Diagnostic {
	if !p.records.Restricted() {
		return d
	}
	return diag.NewAttributeWarningDiagnostic(p.deed(), d.Summary(), d.Detail()+" An apply that comes after erase_at erases who is scheduled.")
}

// willRelease is what the reviewer should know of those who left a list while scheduled.
func willRelease[S erasure.Scope[S]](releasing []string, records erasure.Batch[S], held Held, key func(string) string) diag.Diagnostic {
	own, veiled, stay := 0, 0, Held{}
	for _, id := range releasing {
		_, hidden := erasure.Unveil(id)
		switch types := held[key(id)]; {
		case len(types) > 0:
			stay[id] = types
		case hidden:
			veiled++
		case records[id].Reactivates():
			own++
		}
	}
	said := fmt.Sprintf("%d left the list while their erasure was scheduled. It is called off and recorded as \"released\": %d are reactivated", len(releasing), own)
	if len(stay) > 0 {
		said += fmt.Sprintf(", %d stay deactivated because another block holds them (%s)", len(stay), strings.Join(stay.Types(), ", "))
	}
	if n := len(releasing) - own - veiled - len(stay); n > 0 {
		said += fmt.Sprintf(", %d were deactivated or deleted before and stay so", n)
	}
	said += "."
	if veiled > 0 {
		said += fmt.Sprintf(" %d are on record by a pseudonym only, so that nobody can reactivate them from here: they stay deactivated at Stream. Reactivate them there, or list them again.", veiled)
	}
	return diag.NewAttributeWarningDiagnostic(path.Root("results"), titleReleases, said)
}

// allLeft is the warning of a list that no longer holds anybody whom the record has restricted:
// most likely a query that does not find them any more.
func allLeft() diag.Diagnostic {
	return diag.NewAttributeWarningDiagnostic(path.Root("grace_period"), titleAllLeft,
		"Nobody whom this batch has restricted is in the list any more, so applying this calls all their erasures off, and nobody is erased. "+
			"If the list comes from a query: a query without include_deactivated cannot feed a grace_period, because the restriction takes everybody out of it whom it found. "+
			"Set include_deactivated = true on it, and plan again.")
}

// willUnschedule is the warning of destroying what is scheduled.
func willUnschedule[S erasure.Scope[S]](subject path.Path, scheduled, back erasure.Batch[S]) diag.Diagnostic {
	switch {
	case len(back) > 0:
		return diag.NewAttributeWarningDiagnostic(subject, titleReactivates, fmt.Sprintf(
			"The erasure is scheduled, and nothing was deleted. Applying this resource destruction calls it off: %d reactivated at Stream, %d left as they were found (deactivated or deleted before). The record is removed; archive the receipt first if it is still needed.", len(back), len(scheduled)-len(back)))
	case len(scheduled.Veiled()) > 0:
		return diag.NewAttributeWarningDiagnostic(subject, titleNobody,
			"The erasure is scheduled, and nothing was deleted. A destroy reads no configuration, and this record keeps no id: applying this resource destruction calls the erasure off and removes the record, but whoever was deactivated stays so. "+
				"Reactivate them at Stream (POST /users/ID/reactivate) before or after; the ids are in the request that this answers.")
	default:
		return diag.NewAttributeWarningDiagnostic(subject, titleStaysOff,
			"The erasure is scheduled, and nothing was deleted. Applying this resource destruction calls it off. The user was deactivated (or deleted) before this record, so nothing is sent to Stream.")
	}
}

// notReactivated is the warning of a destroy that left somebody deactivated.
func notReactivated(subject path.Path) diag.Diagnostic {
	return diag.NewAttributeWarningDiagnostic(subject, "Erasure called off",
		"The scheduled erasure was called off, and the record removed from the Terraform state. Nothing was sent to Stream: whoever is deactivated stays so.")
}

// goesOn is the warning of a destroy whose erasure another record goes on with. lost: that one
// was written first, and takes the restriction for somebody else's.
func goesOn(subject path.Path, lost bool) diag.Diagnostic {
	if lost {
		return diag.NewAttributeWarningDiagnostic(subject, "Undo not handed on",
			"The older record of the erasure was removed after the newer one had been written (create_before_destroy, or a block that was renamed), so that the newer one found the user deactivated and does not know that this was done here. "+
				"The erasure stays scheduled; but calling it off will reactivate nobody: reactivate the user at Stream then (POST /users/ID/reactivate). To keep the undo, let moved blocks rename records, and do not replace them with create_before_destroy.")
	}
	return diag.NewAttributeWarningDiagnostic(subject, "Record removed, the erasure goes on",
		"Another record of the erasure of the same user goes on with it. This one was removed from the Terraform state, and nothing was sent to Stream.")
}

func reactivated(subject path.Path) diag.Diagnostic {
	return diag.NewAttributeWarningDiagnostic(subject, "Erasure called off, user reactivated",
		"The scheduled erasure was called off: Stream reactivated whoever this record had deactivated. The record was removed from the Terraform state.")
}

// notInForce is the warning of a restriction whose effect is not known.
func notInForce(at path.Path) diag.Diagnostic {
	return diag.NewAttributeWarningDiagnostic(at, "Restriction submitted, not finished",
		"Stream accepted the deactivation, but the run ended before a look-up showed it. The record is saved with status = \"submitted\"; nothing is deleted before the restriction is known to be in force. Run apply again.")
}

// period is a duration that a person can still act in.
type period struct{}

func (period) Description(context.Context) string               { return "a duration above zero, e.g. \"720h\"" }
func (v period) MarkdownDescription(ctx context.Context) string { return v.Description(ctx) }

func (period) ValidateString(_ context.Context, req validator.StringRequest, resp *validator.StringResponse) {
	if req.ConfigValue.IsNull() || req.ConfigValue.IsUnknown() {
		return
	}
	const most = 10 * 365 * 24 * time.Hour
	if d, err := time.ParseDuration(req.ConfigValue.ValueString()); err != nil || d < time.Second || d > most {
		resp.Diagnostics.AddAttributeError(req.Path, "Invalid grace_period",
			"This is not a duration from a second to ten years. Nothing was sent. Write it in hours, minutes and seconds, e.g. \"720h\" for 30 days; to erase at once, leave it out.")
	}
}

// received is a time or a date.
type received struct{}

func (received) Description(context.Context) string               { return "an RFC 3339 time or a date" }
func (v received) MarkdownDescription(ctx context.Context) string { return v.Description(ctx) }

func (received) ValidateString(_ context.Context, req validator.StringRequest, resp *validator.StringResponse) {
	if req.ConfigValue.IsNull() || req.ConfigValue.IsUnknown() {
		return
	}
	switch at, _, err := arrival(req.ConfigValue.ValueString()); {
	case err != nil:
		resp.Diagnostics.AddAttributeError(req.Path, "Invalid received_at",
			"This is neither an RFC 3339 time nor a date. Nothing was sent. Write e.g. \"2026-03-01\" or \"2026-03-01T09:00:00Z\".")
	case at.Year() < 2018:
		resp.Diagnostics.AddAttributeError(req.Path, "Invalid received_at",
			"This is before 2018, when the GDPR came to apply. Nothing was sent. Correct the date.")
	}
}
