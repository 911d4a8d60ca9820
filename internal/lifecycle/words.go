// Copyright (c) the terraform-provider-streamchat authors
// SPDX-License-Identifier: MPL-2.0

package lifecycle

import (
	"fmt"
	"strings"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"

	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/erasure"
	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/report"
	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/session"
)

// words is what is said of one subject or of many: of one at its attribute, of many
// grouped and by their places in the list.
type words[S erasure.Scope[S]] interface {
	// ended says what came of an apply.
	ended(ids []string, scope S, batch erasure.Batch[S], errs map[string]error) diag.Diagnostics
	// failed is the errors of looking.
	failed(ids []string, batch erasure.Batch[S], errs map[string]error) diag.Diagnostics
	// lost is about those whom nobody asks for any more and whose deletion is not final.
	lost(left []string, batch erasure.Batch[S]) diag.Diagnostics
	// failure is one error about all.
	failure(err error) diag.Diagnostic
	// underWay is the warning of a plan that only waits.
	underWay(work []string, batch erasure.Batch[S], request string) diag.Diagnostic
	// replaced is the warning of a plan that keeps records which were seen before.
	replaced(at path.Path, kept int) diag.Diagnostic
	// planned is what the reviewer should know of a plan that sends.
	planned(p preview[S]) diag.Diagnostics
}

// preview is what a plan knows of those it sends.
type preview[S erasure.Scope[S]] struct {
	scope    S
	ids      []string // asked for
	sending  []string
	kept     int // records of a replacement that stay as they are
	records  erasure.Batch[S]
	findings map[string]erasure.Finding
	request  string
}

// Titles of warnings. Warnings with different effects have different ones, since Terraform
// shows one of each.
const (
	titleForget  = "Destroying forgets the record"
	titleRestore = "Destroying restores the user"
)

func unfinished[S erasure.Scope[S]](batch erasure.Batch[S]) string {
	open, failed, off := 0, 0, 0
	for _, record := range batch {
		switch record.Current().Status {
		case erasure.StatusSubmitted:
			open++
		case erasure.StatusFailed:
			failed++
			if record.Restricted() {
				off++
			}
		}
	}
	var said strings.Builder
	if open > 0 {
		fmt.Fprintf(&said, " %s still under way at Stream; without the record the result is kept nowhere.", deletions(open))
	}
	if failed > 0 {
		fmt.Fprintf(&said, " %s failed; without the record nothing tells that data may be left.", deletions(failed))
	}
	if off > 0 {
		fmt.Fprintf(&said, " Of the failed, %d were deactivated ahead (grace_period); nobody is reactivated.", off)
	}
	return said.String()
}

func deletions(n int) string {
	if n == 1 {
		return "A deletion is"
	}
	return fmt.Sprintf("%d deletions are", n)
}

func willForget[S erasure.Scope[S]](subject path.Path, batch erasure.Batch[S]) diag.Diagnostic {
	return diag.NewAttributeWarningDiagnostic(subject, titleForget,
		"Destroying this resource only removes the record from the Terraform state. The deleted data does not come back, and nothing is sent to Stream. Archive the receipt first if it is still needed."+unfinished(batch))
}

func forgotten[S erasure.Scope[S]](subject path.Path, batch erasure.Batch[S]) diag.Diagnostic {
	return diag.NewAttributeWarningDiagnostic(subject, "Record removed, data not restored",
		"The record was removed from the Terraform state. Nothing was sent to Stream: what was deleted stays deleted."+unfinished(batch))
}

func willRestore(subject path.Path) diag.Diagnostic {
	return diag.NewAttributeWarningDiagnostic(subject, titleRestore,
		"Destroying this resource asks Stream to bring the user back (on_destroy = \"restore\"). Stream restores the user's metadata, not memberships.")
}

func restored(subject path.Path) diag.Diagnostic {
	return diag.NewAttributeWarningDiagnostic(subject, "User restored",
		"Stream brought the user back: metadata only, memberships are not restored. The record was removed from the Terraform state.")
}

// stands is the warning of a destroy that would give back what another block holds.
func stands(subject path.Path, held Held, scheduled bool) diag.Diagnostic {
	does := "destroying this record (on_destroy = \"restore\") does not bring the user back"
	if scheduled {
		does = "destroying this record calls its erasure off, but does not reactivate the user"
	}
	return diag.NewAttributeWarningDiagnostic(subject, "Another record stands for the same user", fmt.Sprintf(
		"Another block of this configuration holds the same user (%s), so %s: only the record is removed, and nothing is sent. What has been done passes to that block. To give the user back, destroy both.",
		strings.Join(held.Types(), ", "), does))
}

// TakenBack is that refusal of a record that is no erasure.
func TakenBack(at path.Path, by string) diag.Diagnostic { return report.Error(at, takenBack(by)) }

// heldMeanwhile is the refusal to call an erasure off beside a block that the refresh of the
// batch did not know of yet: an update sees no other block when it is applied.
func heldMeanwhile(types []string) error {
	return &erasure.Refusal{
		Summary: "Held by another block",
		Detail: "Somebody left the list while their erasure was scheduled, and another block holds the same user (" + strings.Join(types, ", ") + "), of which this batch does not know yet: calling the erasure off would reactivate them. Nothing was sent. " +
			"Plan again, with a refresh and not with -parallelism=1. If that block is new, take the subject off the list in one apply and add the block in the next; they are active in between.",
	}
}

// takenBack is the refusal of a block beside the destroy of another one that was planned first.
func takenBack(by string) error {
	return &erasure.Refusal{
		Summary: "Given back by another block",
		Detail: "This plan also destroys a " + by + " of the same subject. Terraform planned that one before this block could be seen, so that its destroy would reactivate or restore the subject. Nothing was sent. " +
			"If this is that block under another name, say so by a moved block. Else plan again, and not with -parallelism=1; or take the other block out with a removed block (destroy = false), which sends nothing.",
	}
}

func pollsUnchecked(at path.Path) diag.Diagnostic {
	return diag.NewAttributeWarningDiagnostic(at, "Polls could not be checked",
		"Stream lists polls only on behalf of an active user, and this app has none left. Polls that the erased user created may still exist; the receipt says polls_not_checked.")
}

// notSaved is the warning of a plan whose refresh learned how an erasure ended.
func notSaved(subject path.Path) diag.Diagnostic {
	return diag.NewAttributeWarningDiagnostic(subject, "Result not saved yet",
		"Stream has finished what was submitted before, or the look-up showed that somebody who was scheduled is restricted, or was deleted by other means. Applying this update saves the result in the state; nothing is sent.")
}

// keptFailure is the warning about a failed first attempt that only the record knows of.
func keptFailure(subject path.Path) diag.Diagnostic {
	return diag.NewAttributeWarningDiagnostic(subject, "The failed deletion is kept on record",
		"Stream may hide what it has not erased, so that only this record knows of the deletion that was begun. It is kept with status = \"failed\", and Terraform calls it tainted. Run apply again: only the record is replaced, and the deletion is sent once more.")
}

// SubjectNotKnown is an error, unless the operator lets such plans pass.
func SubjectNotKnown(subject path.Path, s *session.Session) (diags diag.Diagnostics) {
	const summary = "Subject not known in the plan"
	if s != nil && s.AllowUnknownSubjects {
		diags.AddAttributeWarning(subject, summary, "Whom this is about is only known at apply; the look-up and the guards run then.")
		return diags
	}
	diags.AddAttributeError(subject, summary,
		"Nobody can approve what is done to somebody whom the plan does not name, or for whom nothing stands in it because the provider's pseudonym_key is not known yet. Nothing was sent. "+
			"Give the id as a literal or a variable, or apply first what it (or the key) comes from. "+
			"If the plans of this configuration are not meant to be reviewed, set allow_unknown_subjects = true in the provider.")
	return diags
}

// dropped is the warning of a plan that gives evidence up.
func dropped[S erasure.Scope[S]](gone erasure.Batch[S]) diag.Diagnostics {
	by := map[erasure.Status]int{}
	for _, record := range gone {
		if status := record.Current().Status; status != "" {
			by[status]++
		}
	}
	if len(by) == 0 {
		return nil
	}
	summary, detail := "Records dropped", "drop_removed_records = true: applying this update forgets the evidence of subjects that left the list, for good: "+
		byStatus(by)+". Archive the receipt first if it is still needed."
	if by[erasure.StatusSubmitted]+by[erasure.StatusFailed] > 0 {
		summary = "Unfinished deletions given up"
		detail += " Those that are submitted may still fail without anybody knowing; of those that failed, data may be left at Stream."
	}
	return diag.Diagnostics{diag.NewAttributeWarningDiagnostic(path.Root("drop_removed_records"), summary, detail)}
}

func byStatus(by map[erasure.Status]int) string {
	var said []string
	for _, status := range []erasure.Status{erasure.StatusCompleted, erasure.StatusReleased, erasure.StatusScheduled, erasure.StatusReverted, erasure.StatusSubmitted, erasure.StatusFailed} {
		if n := by[status]; n > 0 {
			said = append(said, fmt.Sprintf("%d %s", n, status))
		}
	}
	return strings.Join(said, ", ")
}

// final says what cannot be undone.
func (c *core[S]) final(scope S) string {
	if !scope.Irreversible() {
		return "Stream keeps the data; this is not an erasure in the sense of the GDPR."
	}
	of, another := "app_name, app_id or guards", "app, or under other guards"
	if c.Hidden != "" {
		of, another = "app_name, app_id, subject or guards", "app, person or pseudonym_key, or under other guards"
	}
	nobody := ""
	if c.session.Pseudonyms == "" {
		nobody = "No pseudonym_key is set, so the receipt will name nobody, and a key that is set later changes no receipt. "
	}
	return strings.TrimSpace("This cannot be undone, by this provider or by Stream. " + nobody + c.Caveat + " " +
		"If Terraform reports an inconsistent final plan for " + of + ", this plan was made for another " + another + ": plan again.")
}

const (
	ifReplaced = "If it is only replaced here (tainted, -replace): only the record is replaced, and nothing is restored in between. "
	ifSecond   = "To end a taint without a replacement, use terraform untaint. If this is a second block, or with create_before_destroy, the deletion is sent again, which does no harm; keep one record of one erasure."
)

// along says what goes with those found, and what this run makes of other channels.
func along(findings map[string]erasure.Finding) string {
	conversations, others, shrinking, uncounted := map[string]bool{}, map[string]bool{}, map[string]bool{}, 0
	in := "them"
	for _, f := range findings {
		if f.Reach.Incomplete {
			uncounted++
		}
		for _, cid := range f.Reach.Conversations {
			conversations[cid] = true
		}
		if len(f.Reach.Ending) > 0 {
			in = "them, and in larger channels of which this run leaves one member or none"
		}
		for _, id := range f.Reach.Others {
			if _, erased := findings[id]; !erased {
				others[id] = true
			}
		}
		for _, cid := range f.Reach.Shrinking {
			shrinking[cid] = true
		}
	}
	var said []string
	if n := len(conversations); n+len(others) > 0 {
		said = append(said, fmt.Sprintf("Two-member conversations that go too, with everything that anybody wrote there: %d (other people in %s: %d).", n, in, len(others)))
	}
	if n := len(shrinking); n > 0 {
		said = append(said, fmt.Sprintf("Larger channels that keep two members or fewer once the subjects of this run have left them: %d. Stream then takes them for conversations, and an erasure of one of those who stay, also later in this run, takes the whole channel. "+
			"To spare them, add a service account as a member first.", n))
	}
	if uncounted > 0 {
		said = append(said, fmt.Sprintf("Conversations cannot be counted for %d of them: Stream counts more members of their channels than it lists, or does not say how many there are. More may go than this says.", uncounted))
	}
	return strings.Join(said, "\n")
}

// holdUnseen is the warning of a hold_field that nobody has: it may be misspelt, and then
// it protects nobody.
func holdUnseen(field string) diag.Diagnostic {
	return diag.NewWarningDiagnostic("Nobody has the hold field", fmt.Sprintf(
		"No user of this app has the custom field %q (the provider's hold_field). If that is its name, nobody is on hold; if it is misspelt, the guard protects nobody.", field))
}

// oneAtATime is the warning of a run whose erasures cannot share a call.
func oneAtATime(at path.Path) diag.Diagnostic {
	return diag.NewAttributeWarningDiagnostic(at, "Calls cannot be shared",
		"Terraform plans these resources one at a time (-parallelism=1), so each erasure will need a call of its own, of which Stream takes six a minute. "+
			"Raise -parallelism, or put the subjects into one batch: up to 100 then share a call.")
}
