// Copyright (c) the terraform-provider-streamchat authors
// SPDX-License-Identifier: MPL-2.0

package lifecycle

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"

	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/erasure"
	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/report"
)

// oneWords are about one subject.
type oneWords[S erasure.Scope[S]] struct{ *core[S] }

func (w oneWords[S]) failure(err error) diag.Diagnostic { return report.Error(w.subject(), err) }

func (w oneWords[S]) failed(_ []string, _ erasure.Batch[S], errs map[string]error) (diags diag.Diagnostics) {
	for _, err := range errs {
		diags.Append(w.failure(err))
	}
	return diags
}

func (w oneWords[S]) ended(ids []string, scope S, batch erasure.Batch[S], errs map[string]error) (diags diag.Diagnostics) {
	err := errs[ids[0]]
	record := batch[ids[0]]
	var pending *erasure.Pending
	switch task := record.Current().TaskID; {
	case err == nil:
		return nil
	case errors.As(err, &pending) && record.Scheduled():
		diags.Append(notInForce(w.subject()))
	case errors.As(err, &pending) && len(record.Raised(scope)) == 0:
		diags.Append(report.Unfinished(w.subject(), task, pending))
	case errors.As(err, &pending):
		diags.AddAttributeError(w.subject(), "Earlier deletion still under way", fmt.Sprintf(
			"The deletion that reaches further was not sent, because the earlier one%s has not ended. The record keeps the earlier one as submitted. Run apply again.", report.Task(task)))
	default:
		diags.Append(w.failure(err))
		if w.engine.Forgets && len(record.Attempts) == 1 && record.Sent() {
			diags.Append(keptFailure(w.subject()))
		}
	}
	return diags
}

func (oneWords[S]) lost([]string, erasure.Batch[S]) diag.Diagnostics { return nil }

func (w oneWords[S]) underWay(work []string, batch erasure.Batch[S], request string) diag.Diagnostic {
	return diag.NewAttributeWarningDiagnostic(w.deed(), "Deletion under way", fmt.Sprintf(
		"The deletion was submitted before%s. Applying this update asks for its result; it is not sent again while Stream knows what came of it.%s", report.Task(batch[work[0]].Current().TaskID), request))
}

func (w oneWords[S]) replaced(at path.Path, kept int) diag.Diagnostic {
	then := "Stream was asked whether the subject is there again: what the record says still holds, its evidence is kept, and no deletion is sent. "
	if kept == 0 {
		then = "What it knows goes over to the new record, and the deletion is sent again. "
	}
	return diag.NewAttributeWarningDiagnostic(at, "Replacing the record of an erasure", "There is a record of this subject already. "+ifReplaced+then+ifSecond)
}

func (w oneWords[S]) planned(p preview[S]) diag.Diagnostics {
	id := p.sending[0]
	record, finding := p.records[id], p.findings[id]
	raised := record.Raised(p.scope)
	warn := func(summary, detail string) diag.Diagnostics {
		return diag.Diagnostics{diag.NewAttributeWarningDiagnostic(w.deed(), summary, detail)}
	}
	facts := strings.TrimSpace(Describe(finding) + "\n" + along(p.findings))
	switch finding.Found {
	case erasure.FoundMissing:
		return warn("Nothing to delete", w.engine.Absence+" Nothing will be sent; the record will say outcome = \"not_found\".")
	case erasure.FoundDeleted:
		if len(raised) == 0 {
			return warn("Already deleted", fmt.Sprintf("Stream says that this subject was deleted before, but not how. The deletion is sent all the same: it deletes what is left, and only Stream's answer to it proves the modes.\n%s\n\n%s", w.Effect(p.scope), w.final(p.scope)))
		}
		facts = "This goes further than the deletion on record (" + strings.Join(raised, ", ") + "), which left data at Stream."
	case erasure.FoundUnproven:
		return warn("Not proven in the plan", "Stream's query does not list this subject, and this plan has used up its requests to tell a deleted subject from one that never existed. The apply finds out before anything is sent.")
	case erasure.FoundPresent, erasure.FoundDeactivated:
	}
	summary := "Irreversible deletion"
	switch {
	case record.Current().Status == erasure.StatusReverted:
		summary = "Deleted again"
		facts += "\nIt was deleted under this record and is there again, by other means. Find out why before you apply; to accept it, remove the block."
	case !p.scope.Irreversible():
		summary = "Deletion that keeps the data at Stream"
	case len(raised) > 0:
		summary = "Irreversible deletion that goes further"
	case len(record.Attempts) > 0:
		summary = "Irreversible deletion, sent again"
		facts += "\nThe deletion on record failed."
	}
	return warn(summary, fmt.Sprintf("%s\n%s%s\n\n%s", facts, w.Effect(p.scope), p.request, w.final(p.scope)))
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
