// Copyright (c) the terraform-provider-streamchat authors
// SPDX-License-Identifier: MPL-2.0

package function

import (
	"strings"

	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/erasure"
)

// restriction is the first stage of an erasure in two stages.
type restriction struct {
	Found         erasure.Found `json:"found"`
	TaskID        string        `json:"task_id"`
	SubmittedAt   moment        `json:"submitted_at"`
	VerifiedAt    moment        `json:"verified_at"`
	AnswerLost    bool          `json:"answer_lost"`
	ReleasedAt    moment        `json:"released_at"`
	Reactivated   bool          `json:"reactivated"`
	ReleaseTaskID string        `json:"release_task_id"`
}

// stages is what a receipt has of them.
type stages struct {
	EraseAt      moment        `json:"erase_at"`
	Restrictions []restriction `json:"restrictions"`
}

// calledOff is the outcome of somebody who was scheduled and will not be erased.
const calledOff = erasure.Outcome(erasure.StatusReleased)

// firstStage is how a subject stands of whom nothing was tried that deletes. ended: the
// record was dropped.
func firstStage(last restriction, reverted, ended bool) fate {
	switch {
	case ended, !last.ReleasedAt.IsZero():
		return fate{standing: done, outcome: calledOff}
	case reverted:
		return fate{standing: lifted}
	case last.VerifiedAt.IsZero() && last.AnswerLost:
		return fate{standing: failed, lost: true}
	case last.VerifiedAt.IsZero():
		return fate{standing: open}
	default:
		return fate{standing: scheduled}
	}
}

// ended reports that the record was dropped before the day.
func (r receipt) ended() bool { return !r.ReactivatedAt.IsZero() || !r.ForgottenAt.IsZero() }

// lockedOut says of whom the dropped record has left restricted.
func (r receipt) lockedOut(k kind) string {
	blocked := 0
	count := func(attempts int, last restriction) {
		if attempts == 0 && last.ReleasedAt.IsZero() && last.Found != erasure.FoundDeleted {
			blocked++
		}
	}
	if n := len(r.Restrictions); r.Subjects == nil && n > 0 {
		count(len(r.Attempts), r.Restrictions[n-1])
	}
	for _, subject := range r.Subjects {
		if n := len(subject.Restrictions); n > 0 {
			count(len(subject.Attempts), r.Restrictions[subject.Restrictions[n-1]])
		}
	}
	switch {
	case r.ForgottenAt.IsZero() || blocked == 0:
		return ""
	case r.Subjects == nil:
		return "**Access to the chat is still blocked:** the end of this record did not give it back."
	default:
		return "**For " + number(blocked, k.one, k.many) + " access to the chat is still blocked:** the end of this record did not give it back."
	}
}

// waiting is the verdict of a whole that is in the first stage, or was when it was lifted.
func (r receipt) waiting(s standing) string {
	until := "the period is over"
	if !r.EraseAt.IsZero() {
		until = r.EraseAt.String()
	}
	switch {
	case s == lifted && r.Subjects == nil:
		return "**Not in force.** The user was restricted until the erasure, and was found to be active again. Nothing has been deleted."
	case s == lifted:
		return "**Not finished.** Users who were restricted until their erasure were found to be active again."
	case r.Subjects == nil:
		return "**Scheduled, not erased yet.** The user cannot connect to the chat any more. Nothing is deleted before " + until + "."
	default:
		return "**Scheduled, not finished.** Users cannot connect to the chat any more, and are not erased before " + until + "."
	}
}

// restricted tells the first stages, in order, of one or of many.
func (r receipt) restricted(k kind) (items []string) {
	if r.Subjects == nil {
		for _, one := range r.Restrictions {
			items = append(items, one.words())
		}
		return items
	}
	counts := make([]int, len(r.Restrictions))
	for _, subject := range r.Subjects {
		for _, place := range subject.Restrictions {
			counts[place]++
		}
	}
	told := map[string]int{}
	var order []string
	for i, one := range r.Restrictions {
		words := one.words()
		if _, ok := told[words]; !ok {
			order = append(order, words)
		}
		told[words] += counts[i]
	}
	for _, words := range order {
		items = append(items, "For "+number(told[words], k.one, k.many)+": "+words)
	}
	return items
}

func (r restriction) words() string {
	var told []string
	switch r.Found {
	case erasure.FoundPresent:
		told = append(told, "Stream was asked"+on(r.SubmittedAt)+" to block access to the chat"+task(", which it took on as task ", r.TaskID)+".")
		switch {
		case !r.VerifiedAt.IsZero():
			told = append(told, "A look-up"+on(r.VerifiedAt)+" showed it blocked.")
		case r.AnswerLost:
			told = append(told, "Stream's answer did not arrive, so that it may be blocked or not.")
		default:
			told = append(told, "Its effect is not known yet.")
		}
	case erasure.FoundDeleted:
		told = append(told, "The account was found deleted"+on(r.SubmittedAt)+".")
	default:
		told = append(told, "The account was found blocked already"+on(r.SubmittedAt)+".")
	}
	switch {
	case r.ReleasedAt.IsZero():
	case r.Reactivated:
		told = append(told, "The erasure was called off"+on(r.ReleasedAt)+task(", as task ", r.ReleaseTaskID)+", and access was given back.")
	default:
		told = append(told, "The erasure was called off"+on(r.ReleasedAt)+", and the account left as it was.")
	}
	return strings.Join(told, " ")
}
