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

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"

	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/erasure"
	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/report"
)

// manyWords are about many subjects, by their places in the list.
type manyWords[S erasure.Scope[S]] struct{ *core[S] }

func (w manyWords[S]) failure(err error) diag.Diagnostic { return report.Error(w.subject(), err) }

func (w manyWords[S]) failed(ids []string, _ erasure.Batch[S], errs map[string]error) diag.Diagnostics {
	return w.grouped(ids, errs)
}

func (w manyWords[S]) ended(ids []string, _ S, batch erasure.Batch[S], errs map[string]error) (diags diag.Diagnostics) {
	begun := batch.Begun(true)
	unfinished, failed := 0, map[string]error{}
	var reason error
	for id, err := range errs {
		var pending *erasure.Pending
		ended := errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded)
		if errors.As(err, &pending) || ended && begun && batch[id].Current().Status != erasure.StatusFailed {
			unfinished++
			reason = err
			continue
		}
		failed[id] = err
	}
	diags.Append(w.grouped(ids, failed)...)
	if unfinished == 0 {
		return diags
	}
	why := "Stream's tasks are still under way, or their results could not be read."
	switch {
	case errors.Is(reason, context.Canceled):
		why = "The run was interrupted."
	case errors.Is(reason, context.DeadlineExceeded):
		why = "The timeout of this resource ended."
	}
	diags.AddAttributeWarning(w.deed(), "Batch not finished", fmt.Sprintf(
		"%s %d of %d subjects are not finished: those that Stream accepted are saved as \"submitted\" with their task, the others as \"pending\". Run apply again: it goes on where this one ended and sends nobody twice.", why, unfinished, len(batch)))
	return diags
}

// grouped turns errors by subject into a few diagnostics: equal ones are one, and
// subjects are named by their places in the list.
func (w manyWords[S]) grouped(ids []string, errs map[string]error) (diags diag.Diagnostics) {
	type group struct {
		first  diag.Diagnostic
		places []int
	}
	var order []string
	groups := map[string]*group{}
	add := func(place int, err error) {
		d := w.failure(err)
		key := fmt.Sprint(d.Summary(), d.Detail(), place < 0)
		if groups[key] == nil {
			groups[key] = &group{first: d}
			order = append(order, key)
		}
		groups[key].places = append(groups[key].places, place)
	}
	rest := maps.Clone(errs)
	for i, id := range ids {
		if err := rest[id]; err != nil {
			add(i, err)
			delete(rest, id)
		}
	}
	for _, id := range slices.Sorted(maps.Keys(rest)) {
		add(-1, rest[id])
	}
	for _, key := range order {
		g := groups[key]
		switch {
		case g.places[0] < 0:
			diags.AddAttributeError(path.Root("results"), g.first.Summary(), fmt.Sprintf("%d on record that left the list.\n\n%s", len(g.places), g.first.Detail()))
		case w.aboutAll(g.first):
			diags.Append(g.first)
		default:
			diags.AddAttributeError(w.subject().AtListIndex(g.places[0]), g.first.Summary(), fmt.Sprintf("%s.\n\n%s", places(w.named(), g.places, len(ids)), g.first.Detail()))
		}
	}
	return diags
}

// aboutAll reports that a diagnostic points at another attribute than the subjects.
func (w manyWords[S]) aboutAll(d diag.Diagnostic) bool {
	at, ok := d.(diag.DiagnosticWithPath)
	return ok && !at.Path().Equal(w.subject())
}

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

func (w manyWords[S]) lost(left []string, batch erasure.Batch[S]) (diags diag.Diagnostics) {
	failed, back := 0, 0
	for _, id := range left {
		switch batch[id].Current().Status {
		case erasure.StatusFailed:
			failed++
		case erasure.StatusReverted:
			back++
		}
	}
	if failed > 0 {
		diags.AddAttributeError(path.Root("results"), "Failed deletions of subjects that left the list", fmt.Sprintf(
			"%d on record failed and are no longer in the list, so they were not sent again; data may be left at Stream. The whole stays at status = \"failed\". List them again to send them once more, or give them up with drop_removed_records = true.", failed))
	}
	if back > 0 {
		diags.AddAttributeError(path.Root("results"), "Subjects that left the list are there again", fmt.Sprintf(
			"%d on record were deleted, are at Stream again and are no longer in the list, so nothing was sent for them. List them again to delete them once more, or drop their records with drop_removed_records = true.", back))
	}
	return diags
}

func (w manyWords[S]) underWay(_ []string, _ erasure.Batch[S], request string) diag.Diagnostic {
	return diag.NewAttributeWarningDiagnostic(w.deed(), "Deletions under way", "Deletions of this batch were submitted before. Applying this update asks for their results; nothing is sent again while Stream knows the tasks."+request)
}

func (w manyWords[S]) replaced(at path.Path, kept int) diag.Diagnostic {
	return diag.NewAttributeWarningDiagnostic(at, "Replacing the record of an erasure", fmt.Sprintf(
		"There are records of %d of these subjects already, and Stream was asked whether they are there again: what the records say still holds, their evidence is kept, and no deletion is sent. ", kept)+ifReplaced+
		"An interrupt in the middle of that would lose them. "+ifSecond)
}

func (w manyWords[S]) planned(p preview[S]) (diags diag.Diagnostics) {
	summary := "Irreversible deletions"
	if !p.scope.Irreversible() {
		summary = "Deletions that keep the data at Stream"
	}
	detail := fmt.Sprintf("%d of %d are sent: %s.\n%s%s", len(p.sending), len(p.ids), states(p.findings), ranges(p.findings), w.Effect(p.scope))
	if goes := along(p.findings); goes != "" {
		detail += "\n" + goes
	}
	if p.kept > 0 {
		detail += fmt.Sprintf("\nThere are records of %d of them already. If this batch is only replaced (tainted, -replace), what they know is kept, and they are not sent again. An interrupt in the middle of that would lose it: to end a taint without a replacement, use terraform untaint.", p.kept)
	}
	if wait := w.atLeast(len(p.sending)); wait > 0 {
		detail += fmt.Sprintf("\nStream's limit makes this take at least %s.", wait)
	}
	detail += p.request
	if p.scope.Irreversible() {
		detail += "\n\n" + w.final(p.scope)
	}
	diags.AddAttributeWarning(w.deed(), summary, detail)
	return diags
}

// states counts what was found.
func states(findings map[string]erasure.Finding) string {
	found := map[erasure.Found]int{}
	for _, f := range findings {
		found[f.Found]++
	}
	var said []string
	for _, w := range []struct {
		found erasure.Found
		says  string
	}{
		{erasure.FoundPresent, "present"},
		{erasure.FoundDeactivated, "deactivated"},
		{erasure.FoundDeleted, "deleted before (sent again, to prove the modes)"},
		{erasure.FoundMissing, "never existed (recorded as not found, not sent)"},
		{erasure.FoundUnproven, "not listed by Stream (proven at apply)"},
	} {
		if n := found[w.found]; n > 0 {
			said = append(said, fmt.Sprintf("%d %s", n, w.says))
		}
	}
	if len(said) == 0 {
		return "none"
	}
	return strings.Join(said, ", ")
}

// ranges says which roles those found have, and when they were active last.
func ranges(findings map[string]erasure.Finding) string {
	roles := map[string]int{}
	var first, last *time.Time
	never := 0
	for _, f := range findings {
		if f.Role != "" {
			roles[f.Role]++
			if f.LastActive == nil {
				never++
			}
		}
		if at := f.LastActive; at != nil {
			if first == nil || at.Before(*first) {
				first = at
			}
			if last == nil || at.After(*last) {
				last = at
			}
		}
	}
	var said []string
	for _, role := range slices.Sorted(maps.Keys(roles)) {
		said = append(said, fmt.Sprintf("%d with role %s", roles[role], role))
	}
	if never > 0 {
		said = append(said, fmt.Sprintf("%d never active", never))
	}
	if first != nil {
		said = append(said, fmt.Sprintf("last active from %s to %s", first.UTC().Format(time.DateOnly), last.UTC().Format(time.DateOnly)))
	}
	if len(said) == 0 {
		return ""
	}
	return "Subjects: " + strings.Join(said, ", ") + ".\n"
}
