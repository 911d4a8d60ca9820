// Copyright (c) the terraform-provider-streamchat authors
// SPDX-License-Identifier: MPL-2.0

package erasure

import (
	"encoding/json"
	"time"

	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/stream"
)

// Status is where an erasure stands.
type Status string

// The statuses. Pending is for a member of a batch that was never sent.
const (
	StatusPending   Status = "pending"
	StatusSubmitted Status = "submitted"
	StatusCompleted Status = "completed"
	StatusFailed    Status = "failed"
	StatusReverted  Status = "reverted"
	// StatusScheduled: restricted now, to be erased when the period is over.
	StatusScheduled Status = "scheduled"
	// StatusReleased: left the list while scheduled, and will not be erased.
	StatusReleased Status = "released"
)

// Found is what Stream held right before the call.
type Found string

// What can be found. Unproven is no fact: a plan's budget of probes ran out.
const (
	FoundUnproven    Found = ""
	FoundPresent     Found = "present"
	FoundDeactivated Found = "deactivated"
	FoundDeleted     Found = "deleted"
	FoundMissing     Found = "missing"
)

// Outcome is what a completed erasure amounts to.
type Outcome string

// The outcomes.
const (
	OutcomeErased        Outcome = "erased"
	OutcomePruned        Outcome = "pruned"
	OutcomeMarkedDeleted Outcome = "marked_deleted"
	OutcomeNotFound      Outcome = "not_found"
	OutcomeAdopted       Outcome = "adopted"
)

// Finding is what a look-up says of one subject. Only Found is ever recorded.
type Finding struct {
	Found      Found
	Role       string
	CreatedAt  *time.Time
	LastActive *time.Time
	// Custom holds the subject's own fields, each with all its values, for the legal
	// hold.
	Custom map[string][]json.RawMessage
	// User is the row of a user whom the query lists, else nil.
	User *stream.User
	// Channel is the row of a channel that the query lists, else nil.
	Channel *stream.Channel
	// Bare: only the probe speaks of the subject, so that role and fields are not
	// known.
	Bare bool
	// Reach is whom and what else the deletion touches, as far as a plan or a guard asks.
	Reach Reach
	// At is when it was looked up, by the provider's clock.
	At time.Time

	terms terms
	// run is the ledger's version when the reach was looked up; gone: the subject was
	// deleted since, by somebody else or by an attempt that lost its answer.
	run  int
	gone bool
}

// DeactivatedAt is when a user was deactivated; nil when not, or when Stream does
// not say.
func (f Finding) DeactivatedAt() *time.Time {
	if f.User == nil {
		return nil
	}
	return f.User.DeactivatedAt
}

// Attempt is one delete call for one subject and what came of it. It holds no
// personal data, so that it can be archived as it is.
type Attempt[S Scope[S]] struct {
	// Scope is what was asked. Nil: the operator's claim is not known yet (import).
	Scope       *S         `json:"delete"`
	Status      Status     `json:"status"`
	Found       Found      `json:"found,omitempty"`
	Outcome     Outcome    `json:"outcome,omitempty"`
	TaskID      string     `json:"task_id,omitempty"`
	AppName     string     `json:"app_name,omitempty"`
	AppID       string     `json:"app_id,omitempty"`
	SubmittedAt *time.Time `json:"submitted_at,omitempty"`
	CompletedAt *time.Time `json:"completed_at,omitempty"`
	VerifiedAt  *time.Time `json:"verified_at,omitempty"`
	// EffectiveAt is the time that the effect shows at Stream, by Stream's answer,
	// where a look-up shows a time.
	EffectiveAt *time.Time `json:"effective_at,omitempty"`
	// PollsUnchecked: Stream would not list the polls of somebody already deleted.
	PollsUnchecked bool `json:"polls_not_checked,omitempty"`
	// Error is why a failed attempt failed, in words that name nobody.
	Error string `json:"error,omitempty"`
	// AnswerLost: the attempt failed without Stream's answer, so that Stream may
	// have carried it out.
	AnswerLost      bool   `json:"answer_lost,omitempty"`
	ProviderVersion string `json:"provider_version,omitempty"`
	// Kept is for the guards of a further deletion; it is in no receipt.
	Kept *Kept `json:"-"`
}

// Final reports that nothing more can come of the attempt: it is completed, and
// what it took does not come back.
func (a Attempt[S]) Final() bool { return a.Status == StatusCompleted && !a.Restorable() }

// Restorable reports that Stream can still bring the subject back, so that the
// record can drift. Nobody who never existed can be restored.
func (a Attempt[S]) Restorable() bool {
	return a.Status == StatusCompleted && a.Scope != nil && !(*a.Scope).Irreversible() && a.Outcome != OutcomeNotFound
}
