// Copyright (c) the terraform-provider-streamchat authors
// SPDX-License-Identifier: MPL-2.0

package function

import (
	"encoding/json"
	"errors"

	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/erasure"
	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/export"
)

// receipt is what is told of a record. It is read more loosely than the engine does,
// which must not act on what it does not know: what a later version adds is left out,
// and a word that it makes up counts as open.
type receipt struct {
	Record     string            `json:"record"`
	Status     erasure.Status    `json:"status"`
	NotCovered []string          `json:"not_covered"`
	Exports    []json.RawMessage `json:"exports"`
	Attempts   []attempt         `json:"attempts"`
	Subjects   []struct {
		Attempts     []int `json:"attempts"`
		Restrictions []int `json:"restrictions"`
		Reverted     bool  `json:"reverted"`
	} `json:"subjects"`
	ForgottenAt   moment `json:"forgotten_at"`
	RestoredAt    moment `json:"restored_at"`
	ReactivatedAt moment `json:"reactivated_at"`
	RemovedAt     moment `json:"removed_at"`

	stages
	deactivation
	policy
	exported
	// Export is where the receipt of a user's export has what it says of it.
	Export *exported `json:"export"`
}

type attempt struct {
	Scope          *scope          `json:"delete"`
	Status         erasure.Status  `json:"status"`
	Found          erasure.Found   `json:"found"`
	Outcome        erasure.Outcome `json:"outcome"`
	TaskID         string          `json:"task_id"`
	SubmittedAt    moment          `json:"submitted_at"`
	CompletedAt    moment          `json:"completed_at"`
	VerifiedAt     moment          `json:"verified_at"`
	PollsUnchecked bool            `json:"polls_not_checked"`
	AnswerLost     bool            `json:"answer_lost"`
}

// scope holds the options of every kind of deletion.
type scope struct {
	User          erasure.Mode `json:"user"`
	Messages      erasure.Mode `json:"messages"`
	Conversations erasure.Mode `json:"conversations"`
	Calls         erasure.Mode `json:"calls"`
	Files         bool         `json:"files"`
	Polls         bool         `json:"polls"`
	RevokeTokens  bool         `json:"revoke_tokens"`
	Hard          bool         `json:"hard_delete"`
	Before        moment       `json:"truncated_before"`
}

// The records that have no receipt tell this much of themselves.
type (
	deactivation struct {
		DeactivatedAt moment `json:"deactivated_at"`
		Hides         bool   `json:"mark_messages_deleted"`
		RevokesTokens bool   `json:"revoke_tokens"`
	}
	policy struct {
		Policy      string `json:"policy"`
		MaxAgeHours int64  `json:"max_age_hours"`
		EnabledAt   moment `json:"enabled_at"`
	}
	exported struct {
		ExportedAt      moment      `json:"exported_at"`
		MessageCount    *int64      `json:"message_count"`
		ReactionCount   *int64      `json:"reaction_count"`
		AttachmentCount *int64      `json:"attachment_count"`
		Complete        *bool       `json:"complete"`
		Method          string      `json:"method"`
		Saved           *int64      `json:"attachments_saved"`
		Missing         *int64      `json:"attachments_missing"`
		Gaps            export.Gaps `json:"gaps"`
		AgeRecipients   []string    `json:"age_recipients"`
		Encrypted       bool        `json:"encrypted"`
	}
)

func readReceipt(document string) (r receipt, err error) {
	if json.Unmarshal([]byte(document), &r) != nil {
		return r, errors.New("it is no JSON of the form that this version of the provider writes") // its own words would quote it
	}
	if r.Export != nil {
		r.exported = *r.Export
	}
	kind, ok := kinds[r.Record]
	switch {
	case r.Record == "":
		return r, errors.New(`it does not say what it is the record of ("record")`)
	case !ok:
		return r, errors.New("it is the record of something that this version of the provider does not know")
	case kind.tell == nil && r.Subjects == nil && len(r.Attempts) == 0 && len(r.Restrictions) == 0:
		return r, errors.New("it holds no attempt")
	}
	for _, subject := range r.Subjects {
		for _, place := range subject.Attempts {
			if place < 0 || place >= len(r.Attempts) {
				return r, errors.New("it refers to an attempt that it does not hold")
			}
		}
		for _, place := range subject.Restrictions {
			if place < 0 || place >= len(r.Restrictions) {
				return r, errors.New("it refers to a restriction that it does not hold")
			}
		}
	}
	return r, nil
}

// statusUndone is of what was taken back: of each subject its own steps tell.
const statusUndone = erasure.Status("undone")

// standing is how a subject, or a whole, stands. Each is worse than the one before.
type standing int

const (
	done standing = iota
	scheduled
	lifted // restricted before, and active again
	undone
	open
	failed
)

// fate is how one subject stands, by its attempts.
type fate struct {
	standing
	outcome erasure.Outcome // of one that is done
	before  bool            // failed, but an earlier attempt was completed
	lost    bool            // failed, but perhaps carried out
}

func fateOf(attempts []attempt, reverted bool) fate {
	if len(attempts) == 0 {
		return fate{standing: open}
	}
	last := attempts[len(attempts)-1]
	switch last.Status {
	case erasure.StatusCompleted:
		if reverted {
			return fate{standing: undone}
		}
		return fate{standing: done, outcome: last.Outcome}
	case erasure.StatusFailed:
		f := fate{standing: failed, lost: last.AnswerLost}
		for _, a := range attempts {
			f.before = f.before || a.Status == erasure.StatusCompleted
		}
		return f
	default:
		return fate{standing: open}
	}
}

// claimed is how the whole stands by its own status, which may be worse than the
// attempts: it also counts who is still to be sent.
func (r receipt) claimed() standing {
	switch {
	case r.Status == erasure.StatusFailed:
		return failed
	case r.Status == erasure.StatusReverted && len(r.Restrictions) > 0:
		return lifted
	case r.Status == erasure.StatusReverted, !r.RestoredAt.IsZero():
		return undone
	case r.Status == erasure.StatusScheduled && !r.ended():
		return scheduled
	case r.Status == erasure.StatusCompleted, r.Status == erasure.StatusScheduled, r.Status == erasure.StatusReleased, r.Status == statusUndone && len(r.Restrictions) > 0:
		return done
	case r.Status == statusUndone:
		return undone
	default:
		return open
	}
}

// fates are those of every subject; a single record has one.
func (r receipt) fates() []fate {
	if r.Subjects == nil {
		return []fate{r.fate(r.Attempts, r.Restrictions, r.Status == erasure.StatusReverted)}
	}
	fates := make([]fate, len(r.Subjects))
	for i, subject := range r.Subjects {
		fates[i] = r.fate(picked(r.Attempts, subject.Attempts), picked(r.Restrictions, subject.Restrictions), subject.Reverted)
	}
	return fates
}

// fate is that of one subject.
func (r receipt) fate(attempts []attempt, restrictions []restriction, reverted bool) fate {
	if n := len(restrictions); n > 0 && len(attempts) == 0 {
		return firstStage(restrictions[n-1], reverted, r.ended())
	}
	return fateOf(attempts, reverted)
}

// picked are the things at some places of a list.
func picked[T any](list []T, places []int) []T {
	things := make([]T, len(places))
	for i, place := range places {
		things[i] = list[place]
	}
	return things
}
