// Copyright (c) the terraform-provider-streamchat authors
// SPDX-License-Identifier: MPL-2.0

// Package report turns errors into Terraform's diagnostics, in one voice: what
// happened, what Stream now holds, what to do next. A diagnostic names an
// attribute; it never holds a user id, a message, a credential or a server's
// own words.
package report

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"

	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/erasure"
	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/stream"
)

// Path turns a dotted attribute name into a path.
func Path(dotted string) path.Path {
	names := strings.Split(dotted, ".")
	p := path.Root(names[0])
	for _, name := range names[1:] {
		p = p.AtName(name)
	}
	return p
}

// Error is the diagnostic of an error. subject is the attribute that names whom
// or what it is about.
func Error(subject path.Path, err error) diag.Diagnostic {
	summary, detail := words(err)
	var refusal *erasure.Refusal
	if errors.As(err, &refusal) && refusal.Field != "" && !refusal.Provider {
		subject = Path(refusal.Field)
	}
	return diag.NewAttributeErrorDiagnostic(subject, summary, detail)
}

// Unfinished is the warning about a deletion that was accepted and has not ended.
func Unfinished(subject path.Path, taskID string, p *erasure.Pending) diag.Diagnostic {
	var why string
	switch {
	case p.TaskUnknown:
		why = "Stream no longer knows the task, so its result cannot be read. " +
			"The next apply looks the subject up and sends the deletion again, which does no harm."
	case p.Unseen:
		return diag.NewAttributeWarningDiagnostic(subject, "Deletion submitted, not finished",
			"Stream confirmed the deletion, and a look-up does not show it. "+
				"The record is saved with status = \"submitted\". Run apply again: it looks again, and sends nothing, because a second call would also take what was written since the first. "+
				"If it stays so, ask Stream's support; to send it once more after a look, remove the block, apply, and add it again.")
	case p.Nameless:
		why = "The task has ended, but no result of it has the pseudonym on record: give the id again, under the same pseudonym_key."
	case errors.Is(p.Err, context.Canceled):
		why = "The run was interrupted before its end was known."
	case errors.Is(p.Err, context.DeadlineExceeded):
		why = "The timeout of this resource ended before the task did."
	case p.Err == nil:
		why = "The task is still under way."
	default:
		_, why = words(p.Err)
	}
	held := "it goes on at Stream"
	if taskID == "" {
		held = "only the look-up that proves it is still to be made"
	}
	return diag.NewAttributeWarningDiagnostic(subject, "Deletion submitted, not finished", fmt.Sprintf(
		"Stream accepted the deletion%s, and %s. %s\n\n"+
			"The record is saved with status = \"submitted\". Run apply again: "+
			"it asks for the result and does not send the deletion again while Stream knows what came of it.",
		Task(taskID), held, why))
}

// Task names a task in brackets; there is none where Stream answers at once.
func Task(id string) string {
	if id == "" {
		return ""
	}
	return " (task " + id + ")"
}

func words(err error) (summary, detail string) {
	var (
		refusal *erasure.Refusal
		failure *erasure.Failure
		stage   *erasure.StageError
		api     *stream.Error
	)
	switch {
	case errors.As(err, &refusal):
		detail = refusal.Detail
		if errors.As(err, &api) && api.Ambiguous { // refused before a repeat (stream.BeforeEach)
			detail += "\n\nAn earlier attempt was sent, however. " + maybeAccepted
		}
		return refusal.Summary, detail
	case errors.As(err, &failure):
		return "Deletion failed at Stream", failureDetail(failure)
	}
	errors.As(err, &stage)
	if errors.As(err, &api) {
		return kindOf(api).summary, apiDetail(stage, api)
	}
	during := ""
	if stage != nil {
		during = fmt.Sprintf(" while %s", stage.Stage)
	}
	switch {
	case errors.Is(err, context.Canceled):
		return "Interrupted", fmt.Sprintf(
			"The run was interrupted%s, before a deletion was sent: nothing was deleted at Stream. Run apply again.", during)
	case errors.Is(err, context.DeadlineExceeded):
		return "Timed out", fmt.Sprintf("The timeout of this resource ended%s, before a deletion was sent: nothing was deleted at Stream. "+
			"Run apply again, with a longer timeouts value if Stream's rate limit was the reason.", during)
	default:
		return "Unexpected answer", fmt.Sprintf("%s%s.", upperFirst(err.Error()), during)
	}
}

func failureDetail(f *erasure.Failure) string {
	what := map[erasure.FailureKind]string{
		erasure.FailureTask:    "The task ended without completing",
		erasure.FailureSubject: "The task completed, but its result for this subject is not \"ok\"",
		erasure.FailureNoEntry: "The task completed without a result for this subject, " +
			"and Stream does not say that it was deleted",
		erasure.FailureUntold: "The task completed, and its result says something else than who was deleted, " +
			"so that nobody can tell what came of it",
		erasure.FailureStillThere: "Stream reports success, but a look-up does not show it",
	}[f.Kind]
	return fmt.Sprintf("%s%s.\n\nStream may hold all, some or none of the data; it is not recorded as erased. "+
		"Run apply again to send the deletion once more; if it keeps failing, give the task's id to Stream's support.", what, Task(f.TaskID))
}

// holds is what Stream holds after an error in a stage of an erasure, where that
// is not sentNothing; "" is an error outside of any.
var holds = map[erasure.Stage]string{
	"":                  "Nothing was changed at Stream.",
	erasure.StageTokens: sentSteps,
	erasure.StagePolls:  sentSteps,
	erasure.StageSubmit: "The deletion was not accepted. What goes before it (revoked tokens, deleted polls) may be done already.",
	erasure.StagePoll:   acceptedBefore,
	erasure.StageVerify: acceptedBefore,
}

const (
	sentNothing    = "This step sent no deletion; what is recorded stays recorded."
	sentSteps      = "The deletion itself was not sent. Some tokens may be revoked and some polls deleted already."
	acceptedBefore = "The deletion was accepted before; only its result is not known yet."
	maybeAccepted  = "Stream may have accepted the deletion although its answer did not arrive. Nothing is recorded as erased. " +
		"The next apply finds out: a repeated deletion does no harm."
)

// kind is how a kind of failure is called and what to do about it.
type kind struct{ summary, advice string }

var (
	kinds = map[stream.Kind]kind{
		stream.KindAuth: {"Stream rejected the credentials",
			"Check the provider's api_key and api_secret (or STREAM_API_KEY and STREAM_API_SECRET): " +
				"both must belong to the same app and environment. Then run again."},
		stream.KindRateLimited: {"Stream's rate limit",
			"Run apply again later, or lower the load on this app's quota (delete_calls_per_minute, -parallelism)."},
		stream.KindNetwork: {"Stream could not be reached", whenWell},
		stream.KindServer:  {"Stream's server failed", whenWell},
		stream.KindRedirect: {"Stream's address redirects",
			"Set the provider's base_url to the final address; a redirected deletion would silently delete nothing. Then run again."},
		stream.KindUnexpectedBody: {"Unexpected answer from Stream",
			"Something between here and Stream may answer in its place (a proxy, a portal), or base_url is wrong. Check that, then run again."},
		stream.KindTask: {"Export failed at Stream",
			"Run apply again: Stream is asked for a new export. If it keeps failing, ask Stream's support."},
		stream.KindCanceled: {"Interrupted", "Run again."},
	}
	timedOut = kind{"Timed out", "Run again, with a longer timeouts value if Stream's rate limit was the reason."}
	refused  = kind{"Stream refused the request", "Correct the configuration or the app's settings at Stream, then run again."}
)

const whenWell = "Run again when the connection and Stream are well; what was completed stays completed."

func kindOf(e *stream.Error) kind {
	if errors.Is(e, context.DeadlineExceeded) {
		return timedOut
	}
	if k, ok := kinds[e.Kind]; ok {
		return k
	}
	return refused
}

func apiDetail(staged *erasure.StageError, e *stream.Error) string {
	var b strings.Builder
	var stage erasure.Stage
	if staged != nil {
		stage = staged.Stage
		fmt.Fprintf(&b, "Failed while %s: ", stage)
	}
	held, ok := holds[stage]
	switch {
	case stage == erasure.StageSubmit && e.Ambiguous:
		held = maybeAccepted
	case !ok:
		held = sentNothing
	}
	b.WriteString(strings.TrimSuffix(upperFirst(e.Error()), ".") + ".\n\n" + held + " ")
	switch {
	case stage == erasure.StagePolls:
		b.WriteString("To leave the polls alone, set polls = false. ")
	case stage == erasure.StageSubmit && e.Kind == stream.KindNotFound:
		b.WriteString("If the subject was deleted by other means, import the record instead. ")
	}
	return b.String() + kindOf(e).advice
}

func upperFirst(s string) string {
	if s == "" {
		return s
	}
	return strings.ToUpper(s[:1]) + s[1:]
}
