// Copyright (c) the terraform-provider-streamchat authors
// SPDX-License-Identifier: MPL-2.0

package erasure

import (
	"testing"
	"time"
)

// What a record without an attempt needs, by its restriction, the clock and the list.
func TestStageSteps(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	ago := func(d time.Duration) *time.Time { at := now.Add(-d); return &at }
	inForce := Restriction{Found: FoundPresent, SubmittedAt: ago(time.Hour), VerifiedAt: ago(time.Hour)}
	unproven := Restriction{Found: FoundPresent, SubmittedAt: ago(time.Hour)}
	released := inForce
	released.ReleasedAt = ago(time.Minute)
	of := func(r ...Restriction) Record[UserScope] { return Record[UserScope]{Restrictions: r} }
	reverted := of(inForce)
	reverted.Reverted = true
	failed := of(inForce).With(Attempt[UserScope]{Scope: &hard, Status: StatusFailed})
	for name, tt := range map[string]struct {
		record Record[UserScope]
		grace  time.Duration
		wanted bool
		want   Step
		status Status
	}{
		"new":                        {of(), time.Hour, true, Restrict, ""},
		"new, at once":               {of(), 0, true, Send, ""},
		"new, unwanted":              {of(), time.Hour, false, Keep, ""},
		"before the day":             {of(inForce), time.Hour + time.Nanosecond, true, Keep, StatusScheduled},
		"on the day":                 {of(inForce), time.Hour, true, Send, StatusScheduled},
		"the period taken away":      {of(inForce), 0, true, Send, StatusScheduled},
		"not known to be in force":   {of(unproven), time.Minute, true, Restrict, StatusSubmitted},
		"active again, due":          {reverted, time.Minute, true, Restrict, StatusReverted},
		"off the list":               {of(inForce), time.Minute, false, Release, StatusScheduled},
		"off the list, unproven":     {of(unproven), time.Hour, false, Release, StatusSubmitted},
		"off the list, called off":   {of(released), time.Hour, false, Keep, StatusReleased},
		"listed again":               {of(released), time.Minute, true, Restrict, StatusReleased},
		"restricted again":           {of(released, inForce), 2 * time.Hour, true, Keep, StatusScheduled},
		"tried and failed":           {failed, 2 * time.Hour, true, Send, StatusFailed},
		"tried and failed, unwanted": {failed, time.Minute, false, Keep, StatusFailed},
	} {
		if got := tt.record.Next(tt.wanted, hard, Timing{Grace: tt.grace, Now: now}); got != tt.want {
			t.Errorf("%s: step %d, want %d", name, got, tt.want)
		}
		if got := tt.record.Current().Status; got != tt.status {
			t.Errorf("%s: status %q, want %q", name, got, tt.status)
		}
	}
	early, late := of(inForce), of(Restriction{Found: FoundPresent, SubmittedAt: ago(time.Minute), VerifiedAt: ago(0)})
	both := Batch[UserScope]{"a": early, "b": late, "c": of(released)}
	if at := both.EraseAt(time.Hour); at == nil || !at.Equal(now) {
		t.Errorf("the next is due %v", at)
	}
	delete(both, "a")
	if at := both.EraseAt(time.Hour); at == nil || !at.Equal(now.Add(59*time.Minute)) {
		t.Errorf("the next is due %v", at)
	}
	if at := (Batch[UserScope]{"c": of(released)}).EraseAt(time.Hour); at != nil {
		t.Errorf("nobody is due %v", at)
	}
}
