// Copyright (c) the terraform-provider-streamchat authors
// SPDX-License-Identifier: MPL-2.0

package erasure

import (
	"errors"
	"fmt"

	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/stream"
)

// Refusal is a guard's no. Nothing was sent. It names an attribute, never a
// subject.
type Refusal struct {
	// Field is the attribute (dotted path) that the refusal is about. Empty: the
	// subject itself. A field of the provider's configuration sets Provider.
	Field    string
	Provider bool
	Summary  string
	Detail   string
	// Missing: it is about a subject that was not found.
	Missing bool
	// Unclear: Stream's answers about the subject contradict each other.
	Unclear bool
	// Lifted: it is about a scheduled subject that is restricted no longer.
	Lifted bool
}

func (r *Refusal) Error() string { return r.Summary + ": " + r.Detail }

// notGiven is the refusal of what needs the id of a subject of whom only the pseudonym is
// known.
func notGiven() *Refusal {
	return &Refusal{
		Summary: "Subject not given",
		Detail: "The record holds only the pseudonym of this subject, and what is to be done needs the id. Nothing was sent. " +
			"Give the id again, through the same write-only argument and under the same pseudonym_key.",
	}
}

// cannotTell is the refusal of a subject of whom Stream's answers contradict each other.
func cannotTell(how string) *Refusal {
	return &Refusal{Unclear: true, Summary: "Stream does not say whether this user exists", Detail: how +
		" So nobody can tell whether this user is there, was deleted or never existed, and nothing is done or recorded for it. Plan again in a moment; if it stays so, check the spelling and ask Stream's support."}
}

// Stage is the step in which an error of the API ended an erasure.
type Stage string

// The stages.
const (
	StageApp     Stage = "reading the app's settings"
	StageLookUp  Stage = "looking the subject up"
	StageReach   Stage = "looking up whose data goes along"
	StageProbe   Stage = "asking whether the subject was deleted or never existed"
	StageTokens  Stage = "revoking the user's tokens"
	StagePolls   Stage = "deleting the user's polls"
	StageSubmit  Stage = "sending the deletion"
	StagePoll    Stage = "asking for the task"
	StageVerify  Stage = "looking the subject up after the deletion"
	StageRestore Stage = "restoring the user"
	// StageRestrict and StageRelease are those of an erasure in two stages.
	StageRestrict Stage = "deactivating the user ahead of the erasure"
	StageRelease  Stage = "reactivating the user"
)

// StageError is an error of the API with the step it happened in.
type StageError struct {
	Stage Stage
	Err   error
}

func (e *StageError) Error() string { return fmt.Sprintf("%s: %v", e.Stage, e.Err) }

// Unwrap gives the API's error.
func (e *StageError) Unwrap() error { return e.Err }

func at(stage Stage, err error) error {
	if err == nil {
		return nil
	}
	return &StageError{Stage: stage, Err: err}
}

// Pending says that the deletion was accepted and its end is not known. The
// attempt that comes with it is worth recording.
type Pending struct {
	// TaskUnknown: Stream no longer knows the task.
	TaskUnknown bool
	// Unseen: Stream has confirmed what a look-up does not show yet.
	Unseen bool
	// Nameless: the task has ended, and without the subject's id nobody can tell how for
	// this one.
	Nameless bool
	// Err is why the waiting ended: the context's error or the API's.
	Err error
}

func (p *Pending) Error() string {
	switch {
	case p.TaskUnknown:
		return "Stream no longer knows the deletion task"
	case p.Unseen:
		return "Stream confirmed the deletion, and a look-up does not show it"
	case p.Nameless:
		return "the deletion task has ended, and no result of it has the pseudonym on record"
	}
	return fmt.Sprintf("the deletion was accepted, its end is not known: %v", p.Err)
}

// Unwrap gives the reason.
func (p *Pending) Unwrap() error { return p.Err }

// FailureKind tells failures apart.
type FailureKind string

// The kinds of failure.
const (
	// FailureTask: the task ended as anything but "completed".
	FailureTask FailureKind = "task"
	// FailureSubject: the task completed, its entry for this subject is not "ok".
	FailureSubject FailureKind = "subject"
	// FailureNoEntry: no entry for this subject, and it is not gone either.
	FailureNoEntry FailureKind = "no entry"
	// FailureUntold: the task completed, and its result is none that tells of this
	// subject: it says something, and nobody knows what.
	FailureUntold FailureKind = "unreadable result"
	// FailureForgotten: Stream no longer knows the task of somebody whom nobody asks
	// for any more, so that nothing is sent again.
	FailureForgotten FailureKind = "task forgotten"
	// FailureStillThere: Stream says ok and still shows the subject.
	FailureStillThere FailureKind = "still there"
)

// Failure is Stream's own word that a submitted deletion did not happen.
type Failure struct {
	Kind   FailureKind
	TaskID string
}

// Unread is an error about one record that is kept as it is, because what Stream
// answered about it cannot be read.
type Unread struct{ Err error }

func (u *Unread) Error() string { return u.Err.Error() }

// Unwrap gives the error.
func (u *Unread) Unwrap() error { return u.Err }

// unread marks errors about a single answer, which say nothing about the next record.
func unread(err error) error {
	if !IsUnread(err) {
		return err
	}
	return &Unread{err}
}

// IsUnread reports that an error is about an answer that cannot be read, or that
// contradicts another.
func IsUnread(err error) bool {
	var e *stream.Error
	var r *Refusal
	if errors.As(err, &r) {
		return r.Unclear
	}
	return errors.As(err, &e) && (e.Kind == stream.KindUnexpectedBody || e.Kind == stream.KindInput || e.Kind == stream.KindNotFound)
}

func (f *Failure) Error() string { return fmt.Sprintf("the deletion failed (%s)", f.Kind) }
