// Copyright (c) the terraform-provider-streamchat authors
// SPDX-License-Identifier: MPL-2.0

package erasure

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/stream"
)

// Record is the evidence of one subject's erasure: every attempt, in order. It
// only grows.
type Record[S Scope[S]] struct {
	Attempts []Attempt[S]
	// Restrictions are those ahead of a deletion that is sent when its period is over.
	Restrictions []Restriction
	// Reverted: a restorable subject was found to be back, or a scheduled one to be
	// restricted no longer.
	Reverted bool
	// Pseudonym is that of the first receipt; a later run without the operator's
	// key, or with another, does not change it.
	Pseudonym string
}

func (r Record[S]) pseudonym(now string) string {
	if r.Pseudonym != "" {
		return r.Pseudonym
	}
	return now
}

// Current is the attempt that speaks for the record: the last one, except that a
// failed attempt does not take away what an earlier one completed. Then the
// earlier one speaks, with the status "failed".
func (r Record[S]) Current() Attempt[S] {
	n := len(r.Attempts)
	if n == 0 {
		return restricted[S](r)
	}
	current := r.Attempts[n-1]
	if current.Status == StatusFailed {
		if accepted, ok := r.accepted(); ok {
			current, current.Status = accepted, StatusFailed
		}
	}
	if r.Reverted && current.Status == StatusCompleted {
		current.Status = StatusReverted
	}
	return current
}

// Sent reports that Stream accepted a deletion or may have: then a subject that
// Stream cannot find is not one that never existed.
func (r Record[S]) Sent() bool {
	for _, a := range r.Attempts {
		if a.TaskID != "" || a.AnswerLost {
			return true
		}
	}
	return r.Begun()
}

// Begun reports that Stream accepted a deletion, or an operator claimed one.
func (r Record[S]) Begun() bool {
	for _, a := range r.Attempts {
		if a.Status != StatusFailed && a.Outcome != OutcomeNotFound {
			return true
		}
	}
	return false
}

// Final reports that what the record did cannot be taken back; restores says that a deletion
// which Stream can undo may be.
func (r Record[S]) Final(restores bool) bool {
	current := r.Current()
	return current.Status == StatusCompleted && !(restores && current.Restorable())
}

// kept is what the last deletion that could see it left for the guards of a further one.
func (r Record[S]) kept() *Kept {
	if n := len(r.Attempts); n > 0 {
		return r.Attempts[n-1].Kept
	}
	return nil
}

// repeats reports that a deletion which went as far was sent under this record: another
// takes nothing more.
func (r Record[S]) repeats(scope S) bool {
	return slices.ContainsFunc(r.Attempts, func(a Attempt[S]) bool {
		return a.Scope != nil && a.Outcome != OutcomeAdopted && a.Outcome != OutcomeNotFound && (a.TaskID != "" || a.AnswerLost || a.Status != StatusFailed) &&
			len(scope.Compare(*a.Scope).Raised) == 0
	})
}

func (r Record[S]) accepted() (Attempt[S], bool) {
	for i := len(r.Attempts) - 1; i >= 0; i-- {
		if r.Attempts[i].Status == StatusCompleted {
			return r.Attempts[i], true
		}
	}
	return Attempt[S]{}, false
}

// With adds an attempt. One that goes on (same task, or same call where there is
// none) takes its own place; no other attempt is ever changed.
func (r Record[S]) With(a Attempt[S]) Record[S] {
	n := len(r.Attempts)
	if n > 0 && r.Attempts[n-1].sameCall(a) {
		n--
	}
	return Record[S]{Attempts: append(r.Attempts[:n:n], a), Restrictions: r.Restrictions, Pseudonym: r.Pseudonym}
}

func (a Attempt[S]) sameCall(b Attempt[S]) bool {
	if a.TaskID != b.TaskID || a.Scope == nil || b.Scope == nil || *a.Scope != *b.Scope {
		return false
	}
	if a.SubmittedAt == nil || b.SubmittedAt == nil {
		return a.TaskID != "" && a.SubmittedAt == b.SubmittedAt
	}
	return a.SubmittedAt.Equal(*b.SubmittedAt)
}

// App is the app that the record belongs to; zero when there is none yet.
func (r Record[S]) App() stream.App {
	for _, a := range r.Attempts {
		if a.AppName != "" || a.AppID != "" {
			return stream.App{ID: a.AppID, Name: a.AppName}
		}
	}
	for _, a := range r.Restrictions {
		if a.AppName != "" || a.AppID != "" {
			return stream.App{ID: a.AppID, Name: a.AppName}
		}
	}
	return stream.App{}
}

// Word says how the record stands: the outcome of a completed one, else the status.
func (r Record[S]) Word() string {
	switch current := r.Current(); current.Status {
	case "":
		return string(StatusPending)
	case StatusCompleted:
		return string(current.Outcome)
	default:
		return string(current.Status)
	}
}

// Failure is why the record is not as it should be, in words that name nobody, or "".
// err is what stood in the way of a subject of whom nothing is recorded.
func (r Record[S]) Failure(err error) string {
	if n := len(r.Attempts); n > 0 {
		return r.Attempts[n-1].Error
	}
	if err != nil {
		return err.Error()
	}
	return ""
}

// hasTask reports that an attempt on record has the task.
func (r Record[S]) hasTask(id string) bool {
	return id != "" && slices.ContainsFunc(r.Attempts, func(a Attempt[S]) bool { return a.TaskID == id })
}

// Claimed completes an adopted record with the scope that the operator claims.
func (r Record[S]) Claimed(scope S) Record[S] {
	last := r.Attempts[len(r.Attempts)-1]
	last.Scope = &scope
	r.Attempts = append(r.Attempts[:len(r.Attempts)-1:len(r.Attempts)-1], last)
	return r
}

// About is what the operator adds to a record in its archived form.
type About struct {
	// Record is the resource type, e.g. "streamchat_user_erasure".
	Record string
	// ID names the record among all others, without a word of its subject.
	ID string
	// Subject is the pseudonym, or empty.
	Subject    string
	RequestID  string
	Labels     map[string]string
	NotCovered []string
	// Exports are the hashes of the exports that were taken before.
	Exports []string
	// KeyCheck tells the key of the pseudonyms from another one, where only they say who
	// is meant.
	KeyCheck string
	// Guards are those that stood when it was approved.
	Guards Approval
	Deadlines
}

// Deadlines are what the operator says of the time an erasure has, as they stand in the
// archived form.
type Deadlines struct {
	GracePeriod string `json:"grace_period,omitempty"`
	EraseAt     string `json:"erase_at,omitempty"`
	ReceivedAt  string `json:"received_at,omitempty"`
	DueAt       string `json:"due_at,omitempty"`
}

type receiptJSON[S Scope[S]] struct {
	Record     string            `json:"record"`
	ID         string            `json:"record_id,omitempty"`
	Subject    string            `json:"subject,omitempty"`
	RequestID  string            `json:"request_id,omitempty"`
	Labels     map[string]string `json:"labels,omitempty"`
	Exports    []string          `json:"exports,omitempty"`
	NotCovered []string          `json:"not_covered"`
	KeyCheck   string            `json:"pseudonym_key_check,omitempty"`
	Guards     Approval          `json:"guards,omitempty"`
	Deadlines
	Attempt[S]
	Attempts     []Attempt[S]  `json:"attempts"`
	Restrictions []Restriction `json:"restrictions,omitempty"`
}

// Receipt is the record as canonical JSON (sorted keys, no spaces, no HTML
// escapes): what the current attempt says, then all attempts. Equal records are
// equal bytes.
func (r Record[S]) Receipt(about About) string {
	return Canonical(receiptJSON[S]{
		Record: about.Record, ID: about.ID, Subject: r.pseudonym(about.Subject), RequestID: about.RequestID, Labels: about.Labels,
		Exports: about.Exports, NotCovered: about.NotCovered, KeyCheck: about.KeyCheck, Guards: about.Guards, Deadlines: about.Deadlines,
		Attempt: r.Current(), Attempts: append([]Attempt[S]{}, r.Attempts...), Restrictions: r.Restrictions,
	})
}

// Canonical encodes plain data: sorted keys, no spaces, no HTML escapes.
func Canonical(v any) string {
	var plain any
	decoder := json.NewDecoder(bytes.NewReader(mustEncode(v)))
	decoder.UseNumber()
	if err := decoder.Decode(&plain); err != nil {
		panic(fmt.Sprintf("erasure: a receipt is valid JSON: %v", err))
	}
	return string(mustEncode(plain)) // maps are encoded with sorted keys
}

func mustEncode(v any) []byte {
	var out bytes.Buffer
	encoder := json.NewEncoder(&out)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(v); err != nil {
		panic(fmt.Sprintf("erasure: a receipt is plain data: %v", err))
	}
	return bytes.TrimSuffix(out.Bytes(), []byte("\n"))
}

// ReadRecord reads a record back from its receipt.
func ReadRecord[S Scope[S]](receipt string) (Record[S], error) {
	var r receiptJSON[S]
	if err := json.Unmarshal([]byte(receipt), &r); err != nil {
		return Record[S]{}, errNoReceipt // not wrapped: its text would quote the state
	}
	if len(r.Attempts) == 0 && len(r.Restrictions) == 0 {
		return Record[S]{}, errors.New("the receipt in state holds no attempt")
	}
	if err := checkRestrictions(r.Restrictions); err != nil {
		return Record[S]{}, err
	}
	if err := checkAttempts(r.Attempts); err != nil {
		return Record[S]{}, err
	}
	return Record[S]{Attempts: r.Attempts, Restrictions: r.Restrictions, Reverted: r.Attempt.Status == StatusReverted, Pseudonym: r.Subject}, nil
}

// ReceiptKeyCheck is the [Pseudonyms.Check] of the key that a receipt was written under; "" where it
// does not say.
func ReceiptKeyCheck(receipt string) string {
	var r struct {
		KeyCheck string `json:"pseudonym_key_check"`
	}
	_ = json.Unmarshal([]byte(receipt), &r) // what cannot be read does not say
	return r.KeyCheck
}

var errNoReceipt = errors.New("the receipt in state is not one")

// checkAttempts refuses attempts that this version does not write, also those of a later
// one: what they call for might be sent again.
func checkAttempts[S Scope[S]](attempts []Attempt[S]) error {
	for _, a := range attempts {
		switch {
		case a.Status != StatusSubmitted && a.Status != StatusCompleted && a.Status != StatusFailed:
			return errors.New("the receipt in state holds an attempt with a status that this version does not know")
		case a.Scope == nil && a.Outcome != OutcomeAdopted:
			return errors.New("the receipt in state holds an attempt that does not say what was asked")
		}
	}
	return nil
}

// Pseudonym stands for a subject in receipts: HMAC-SHA-256 under the operator's
// key, in hex. Without a key there is none.
func Pseudonym(key, id string) string {
	if key == "" {
		return ""
	}
	mac := hmac.New(sha256.New, []byte(key))
	mac.Write([]byte(id))
	return hex.EncodeToString(mac.Sum(nil))
}
