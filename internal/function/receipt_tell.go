// Copyright (c) the terraform-provider-streamchat authors
// SPDX-License-Identifier: MPL-2.0

package function

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/google/uuid"

	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/erasure"
	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/export"
)

// mostSteps is how many steps are told one by one: a batch of a thousand can have many,
// and who reads this wants the sum.
const mostSteps = 20

// letter is the text that is being written. Nothing in it is taken from the receipt but
// times, numbers, and the numbers of tasks: every other word is this package's own.
type letter struct{ strings.Builder }

func (l *letter) paragraph(sentences ...string) {
	sentences = slices.DeleteFunc(sentences, func(s string) bool { return s == "" })
	if len(sentences) > 0 {
		fmt.Fprintf(l, "\n%s\n", strings.Join(sentences, " "))
	}
}

func (l *letter) section(heading string) { fmt.Fprintf(l, "\n## %s\n", heading) }

func (l *letter) list(items []string) {
	fmt.Fprintln(l)
	for _, item := range items {
		fmt.Fprintf(l, "* %s\n", item)
	}
}

// text is the receipt in words.
func (r receipt) text() string {
	var l letter
	k := kinds[r.Record]
	fmt.Fprintf(&l, "# %s\n", k.title)
	if k.tell != nil {
		k.tell(&l, r)
	} else {
		l.erasure(k, r)
	}
	l.afterwards(r)
	return l.String()
}

func (l *letter) erasure(k kind, r receipt) {
	fates := r.fates()
	whole := r.verdict(fates)
	l.paragraph(r.sentence(whole, fates), r.lockedOut(k))
	if r.Subjects != nil {
		l.sums(k, fates)
	}
	if whole.standing == failed && whole.before {
		l.paragraph("What an earlier step deleted stays deleted; see below.")
	}
	l.section("What was asked")
	switch asked := r.asked(); {
	case asked == nil && whole.standing == done && whole.outcome == calledOff:
		l.paragraph("Nothing that deletes: the erasure was called off before it began.")
	case asked == nil && len(r.Restrictions) > 0:
		l.paragraph("Nothing that deletes, so far: what the erasure takes is settled when it begins.")
	case asked == nil:
		l.paragraph("The record does not say.")
	default:
		l.list(k.asks(*asked))
	}
	l.section("What was done")
	l.steps(k, r)
	l.section("What stays at Stream, and why")
	l.leaves(whole, r.NotCovered)
}

// verdict is how the whole stands: the worst of what the record says of itself and of
// every subject.
func (r receipt) verdict(fates []fate) (whole fate) {
	for _, f := range fates {
		whole.before = whole.before || f.before
		whole.lost = whole.lost || f.lost
		whole.standing = max(whole.standing, f.standing)
		whole.outcome = f.outcome
	}
	whole.standing = max(whole.standing, r.claimed())
	return whole
}

func (r receipt) sentence(whole fate, fates []fate) string {
	same := !slices.ContainsFunc(fates, func(f fate) bool { return f.outcome != whole.outcome })
	switch {
	case whole.standing != done && whole.lost:
		return verdicts[whole.standing] + " Stream's answer to one attempt did not arrive, so that it may have been carried out all the same."
	case whole.standing == scheduled, whole.standing == lifted:
		return r.waiting(whole.standing)
	case whole.standing != done:
		return verdicts[whole.standing]
	case len(fates) == 0:
		return "**Nobody yet.** Nothing was to be deleted so far."
	case !same:
		return "**Carried out.** Everything that was asked came to its end; what it amounts to differs."
	}
	if words, ok := outcomes[whole.outcome]; ok {
		return words
	}
	return otherOutcome
}

// sums count those who stand alike, the worst first.
func (l *letter) sums(k kind, fates []fate) {
	counts := map[string]int{}
	var order []string
	for _, worst := range []standing{failed, open, undone, lifted, scheduled, done} {
		for _, f := range fates {
			if f.standing != worst {
				continue
			}
			words := standings[f.standing]
			if f.standing == done {
				words = cmp.Or(sums[f.outcome], otherSum)
			}
			if counts[words]++; counts[words] == 1 {
				order = append(order, words)
			}
		}
	}
	items := make([]string, len(order))
	for i, words := range order {
		items[i] = number(counts[words], k.one, k.many) + ": " + words
	}
	l.paragraph("The record is about " + number(len(fates), k.one, k.many) + ".")
	if len(items) > 0 {
		l.list(items)
	}
}

// asked is what was asked last.
func (r receipt) asked() (asked *scope) {
	var last moment
	for _, a := range r.Attempts {
		if a.Scope != nil && !a.SubmittedAt.Before(last.Time) {
			asked, last = a.Scope, a.SubmittedAt
		}
	}
	return asked
}

// step is attempts of several subjects that are told in one sentence.
type step struct {
	attempt
	subjects int
}

// steps tells every attempt, in order.
func (l *letter) steps(k kind, r receipt) {
	if n := len(r.Exports); n > 0 {
		l.paragraph("Before anything was deleted, " + number(n, "export", "exports") + " of the data had been taken.")
	}
	steps, items := r.steps(), r.restricted(k)
	if len(steps)+len(items) == 0 {
		l.paragraph("Nothing has been sent to Stream.")
		return
	}
	asked := r.asked()
	for _, s := range steps {
		told := s.words(k)
		if r.Subjects != nil {
			told = "For " + number(s.subjects, k.one, k.many) + ": " + told
		}
		if s.Scope != nil && *s.Scope != *asked {
			told += " This step asked for: " + strings.Join(k.asks(*s.Scope), "; ") + "."
		}
		items = append(items, told)
	}
	if more := len(items) - mostSteps; more > 0 {
		items = append(items[:mostSteps], "And "+number(more, "further step", "further steps")+", which the receipt lists.")
	}
	l.list(items)
}

func (r receipt) steps() (steps []step) {
	if r.Subjects == nil {
		for _, a := range r.Attempts {
			steps = append(steps, step{a, 1})
		}
		return steps
	}
	places := map[attempt]int{}
	for _, subject := range r.Subjects {
		for _, place := range subject.Attempts {
			a := r.Attempts[place]
			key := a
			key.Scope, key.VerifiedAt, key.CompletedAt = nil, moment{}, moment{}
			if a.Scope != nil {
				key.Scope = r.canonical(*a.Scope)
			}
			at, told := places[key]
			if !told {
				at = len(steps)
				places[key] = at
				steps = append(steps, step{attempt: a})
			}
			steps[at].subjects++
		}
	}
	slices.SortStableFunc(steps, func(a, b step) int { return a.SubmittedAt.Compare(b.SubmittedAt.Time) })
	return steps
}

// canonical is the first scope of the receipt that equals this one.
func (r receipt) canonical(s scope) *scope {
	for _, a := range r.Attempts {
		if a.Scope != nil && *a.Scope == s {
			return a.Scope
		}
	}
	return nil
}

// words tells one attempt.
func (s step) words(k kind) string {
	if s.Status == erasure.StatusCompleted {
		switch s.Outcome {
		case erasure.OutcomeNotFound:
			return "Stream said" + on(s.VerifiedAt) + " that there had never been such a " + k.one + ". Nothing was sent."
		case erasure.OutcomeAdopted:
			return "Stream showed it as deleted already" + on(s.VerifiedAt) + ". Nothing was sent."
		}
	}
	told := []string{"The deletion was sent to Stream" + on(s.SubmittedAt) + task(" and taken on as task ", s.TaskID) + "."}
	switch s.Status {
	case erasure.StatusCompleted:
		told = append(told, "It was completed"+on(s.CompletedAt)+".")
		if !s.VerifiedAt.IsZero() {
			told = append(told, "A look-up"+on(s.VerifiedAt)+" agreed.")
		}
	case erasure.StatusFailed:
		failure := "**It failed.** The reason stands in the receipt."
		if s.AnswerLost {
			failure = "**It counts as failed**, because Stream's answer did not arrive; it may have been carried out."
		}
		told = append(told, failure)
	default:
		told = append(told, "**Its end is not known.**")
	}
	if words, ok := findings[s.Found]; ok {
		told = append(told, words)
	}
	if s.PollsUnchecked {
		told = append(told, "Whether the user had polls could not be found out, so that some may be left.")
	}
	return strings.Join(told, " ")
}

// task names Stream's task. Stream numbers tasks by UUIDs; anything else stays out.
func task(as, id string) string {
	if parsed, err := uuid.Parse(id); err == nil && parsed.String() == id {
		return as + "`" + id + "`"
	}
	return ""
}

// leaves lists what a deletion leaves, in the order of the receipt.
func (l *letter) leaves(whole fate, words []string) {
	var items []string
	unknown := 0
	for _, word := range words {
		if phrase, ok := left[word]; ok {
			items = append(items, phrase)
		} else {
			unknown++
		}
	}
	if unknown > 0 {
		items = append(items, number(unknown, "thing", "things")+" that this version has no words for, listed in the receipt")
	}
	switch {
	case whole.outcome == calledOff && whole.standing == done:
		l.paragraph("Everything: nothing was deleted.")
		return
	case len(items) == 0:
		l.paragraph("The record names nothing.")
		return
	case whole.standing != done && whole.standing != undone:
		l.paragraph("Also once it is finished, this stays:")
	}
	l.list(items)
}

// afterwards tells what became of the record itself.
func (l *letter) afterwards(r receipt) {
	var told []string
	if !r.RestoredAt.IsZero() {
		told = append(told, "The operator asked Stream"+on(r.RestoredAt)+" to bring back what can be brought back.")
	}
	if !r.ReactivatedAt.IsZero() && len(r.Restrictions) > 0 {
		told = append(told, "The operator called the erasure off"+on(r.ReactivatedAt)+", gave access to the chat back, and dropped this record.")
	}
	if !r.ForgottenAt.IsZero() {
		told = append(told, "The operator dropped this record"+on(r.ForgottenAt)+". That deleted nothing and brought nothing back.")
	}
	if len(told) > 0 {
		l.section("Afterwards")
		l.paragraph(told...)
	}
}

// restriction tells of a user who is deactivated.
func (l *letter) restriction(r receipt) {
	messages := "Their messages stay visible to others."
	if r.Hides {
		messages = "Their messages are hidden from everybody, as if they were deleted; the text stays at Stream."
	}
	access := ""
	if r.RevokesTokens {
		access = "Access that had been given before does not come back with a reactivation."
	}
	switch {
	case !r.ReactivatedAt.IsZero():
		l.paragraph("**Lifted" + on(r.ReactivatedAt) + ".** The user had been restricted, and can connect again.")
	case r.Status == "deactivated":
		l.paragraph("**In force"+since(r.DeactivatedAt)+".** The user cannot connect to the chat, and searches leave them out.", messages, access)
	case r.Status == "reverted":
		l.paragraph("**Not in force.** The user was found to be active again, although the restriction was asked.")
	case r.Status == "erased":
		l.paragraph("**Overtaken by an erasure.** The user's data was deleted in the meantime, under a record of its own.")
	default:
		l.paragraph("**Not in force yet**, as far as this record says.")
	}
	l.section("What stays at Stream, and why")
	l.paragraph("All of the user's data: a restriction keeps it, and can be lifted. It is not an erasure.")
}

func since(m moment) string {
	if m.IsZero() {
		return ""
	}
	return " since " + m.String()
}

// retention tells of a policy.
func (l *letter) retention(r receipt) {
	what, age := "", "that are older than the age in the record"
	if r.MaxAgeHours > 0 {
		age = "after " + number(r.MaxAgeHours, "hour", "hours") + " (" + number(r.MaxAgeHours/24, "day", "days") + ")"
	}
	switch r.Policy {
	case "old-messages":
		what = "every message of everybody in the app, " + age
	case "inactive-channels":
		what = "every channel without activity, with all its messages, " + age
	default:
		what = "data of everybody in the app by its age"
	}
	switch {
	case !r.RemovedAt.IsZero():
		l.paragraph("**Removed" + on(r.RemovedAt) + ".** While it was in force, Stream itself deleted, for good: " + what + ".")
	case r.EnabledAt.IsZero():
		l.paragraph("**Not in force**, as far as this record says. The policy is to delete " + what + ".")
	default:
		l.paragraph("**In force" + since(r.EnabledAt) + ".** Stream itself deletes, for good and from then on continually: " + what + ". It begins about a day after the policy was set.")
	}
	l.section("What stays at Stream, and why")
	l.paragraph("What is younger. The policy says nothing of accounts: users stay until they are erased.")
}

// export tells of an export.
func (l *letter) export(r receipt) {
	if r.ExportedAt.IsZero() {
		l.paragraph("**Not taken yet**, as far as this record says.")
		return
	}
	form := "in the clear, readable by its owner alone"
	if r.Encrypted || len(r.AgeRecipients) > 0 {
		form = "encrypted"
	}
	l.paragraph("**Taken" + on(r.ExportedAt) + "** into a file, " + form + ".")
	attachments := "attachments (by their addresses, which expire; the files are not part of it)"
	if r.Saved != nil {
		attachments = "attachments, and " + number(*r.Saved, "file", "files") + " of them in it"
	}
	var holds []string
	for _, count := range []struct {
		n         *int64
		one, many string
	}{{r.MessageCount, "message", "messages"}, {r.ReactionCount, "reaction", "reactions"}, {r.AttachmentCount, "attachment", attachments}} {
		if count.n != nil {
			holds = append(holds, number(*count.n, count.one, count.many))
		}
	}
	if len(holds) > 0 {
		l.section("What it holds")
		l.list(holds)
	}
	l.paragraph(r.lacks()...)
	l.section("What stays at Stream, and why")
	l.paragraph("Everything: an export is a copy and deletes nothing.")
}

// lacks says what an export does not hold, and why. A receipt of an earlier version does not
// always say so.
func (e exported) lacks() (told []string) {
	if e.Method == export.Assembled {
		told = append(told, "It was put together from the user's channels, because Stream does not export as much as that in one piece. It may lack what the user wrote in channels that they have left or that were deleted.")
	}
	if e.Gaps.Lists {
		told = append(told, "**Stream's export came without a list of messages or of reactions.** Whether there are any, it does not say.")
	}
	if e.Gaps.Limit {
		told = append(told, "**It has exactly as many messages or reactions as Stream exports in one piece.** There may be more.")
	}
	if e.Gaps.Deletions {
		told = append(told, "**It lacks what was deleted before it was taken.** A deletion of the same run came first.")
	}
	if e.Gaps.Search {
		told = append(told, "Stream could not be asked for all channels that they have left.")
	}
	if n := e.Gaps.Reactions; n > 0 {
		told = append(told, "Of "+number(n, "message", "messages")+" it may lack reactions.")
	}
	if e.Missing != nil && *e.Missing > 0 {
		told = append(told, "**"+number(*e.Missing, "file is", "files are")+" missing from it.** Its MANIFEST.json names each and says why.")
	}
	if len(told) == 0 && e.Complete != nil && !*e.Complete {
		told = append(told, "**It is not complete.** This record does not say what it lacks.")
	}
	return told
}
