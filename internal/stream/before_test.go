// Copyright (c) the terraform-provider-streamchat authors
// SPDX-License-Identifier: MPL-2.0

package stream

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"testing"
	"time"
)

// held is a guard's no.
type held struct{}

func (*held) Error() string { return "held" }

// refusing lets so many attempts pass, and notes when it was asked.
func refusing(f **fixture, after int) (check func(context.Context) error, asked *[]time.Duration) {
	asked = new([]time.Duration)
	return func(context.Context) error {
		*asked = append(*asked, (*f).waited())
		if len(*asked) > after {
			return &held{}
		}
		return nil
	}, asked
}

func TestACheckRunsRightBeforeEachAttempt(t *testing.T) {
	slow := func(w http.ResponseWriter, _ *http.Request, n int) {
		w.Header().Set("Retry-After", "20")
		respondError(w, 429, 9, OpDeleteUsers, "Too many requests")
	}
	failing := func(w http.ResponseWriter, _ *http.Request, _ int) {
		w.Header().Set("Retry-After", "10")
		w.WriteHeader(http.StatusServiceUnavailable)
	}
	channel := func(ctx context.Context, f *fixture) error {
		_, err := f.DeleteChannels(ctx, []string{"messaging:canary"}, true)
		return err
	}
	user := func(ctx context.Context, f *fixture) error {
		_, err := f.DeleteUsers(ctx, []string{testUser}, UserDeletion{User: "hard"})
		return err
	}
	for name, test := range map[string]struct {
		call      func(context.Context, *fixture) error
		handler   func(w http.ResponseWriter, r *http.Request, n int)
		passes    int
		asked     []time.Duration
		ambiguous bool
	}{
		"at once":        {user, slow, 0, []time.Duration{0}, false},
		"after a 429":    {user, slow, 1, []time.Duration{0, 20 * time.Second}, false},
		"after two":      {channel, slow, 2, []time.Duration{0, 20 * time.Second, 40 * time.Second}, false},
		"before repeats": {channel, failing, 2, []time.Duration{0, 10 * time.Second, 20 * time.Second}, true},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t, test.handler)
			check, asked := refusing(&f, test.passes)
			err := test.call(BeforeEach(ctx, check), f)
			var no *held
			var e *Error
			if !errors.As(err, &no) || errors.As(err, &e) != test.ambiguous || test.ambiguous && !e.Ambiguous {
				t.Errorf("%#v", err)
			}
			if _, bare := err.(*held); bare == test.ambiguous { //nolint:errorlint // as it is
				t.Errorf("the error was wrapped: %#v", err)
			}
			if !slices.Equal(*asked, test.asked) || f.count() != test.passes {
				t.Errorf("asked at %v, %d requests", *asked, f.count())
			}
		})
	}
}

// The wait for the limiter comes before the check, and a call that the check ended
// takes no place of the limit.
func TestACheckWaitsForTheLimit(t *testing.T) {
	f := newFixture(t, func(w http.ResponseWriter, r *http.Request, _ int) { good(w, r) }, func(c *Config) { c.DeleteCallsPerMinute = 1 })
	if err := deleteOne(f); err != nil {
		t.Fatal(err)
	}
	check, asked := refusing(&f, 0)
	for range 3 {
		if _, err := f.DeleteUsers(BeforeEach(ctx, check), []string{testUser}, UserDeletion{}); !errors.As(err, new(*held)) {
			t.Error(err)
		}
	}
	if err := deleteOne(f); err != nil {
		t.Fatal(err)
	}
	if want := slices.Repeat([]time.Duration{time.Minute}, 3); !slices.Equal(*asked, want) || f.count() != 2 || f.waited() != time.Minute {
		t.Errorf("asked at %v, %d requests in %s", *asked, f.count(), f.waited())
	}
}

// A check looks people up, and may even send changes, without being asked again.
func TestACheckMayCall(t *testing.T) {
	f := newFixture(t, func(w http.ResponseWriter, r *http.Request, _ int) {
		switch r.Method {
		case http.MethodGet:
			respond(w, 200, map[string]any{"users": []any{}})
		case http.MethodPatch:
			respond(w, 200, map[string]any{"users": map[string]any{testUser: map[string]any{"id": testUser}}})
		default:
			good(w, r)
		}
	})
	asked := 0
	_, err := f.DeleteUsers(BeforeEach(ctx, func(ctx context.Context) error {
		asked++
		if _, err := f.UsersByID(ctx, []string{testUser}); err != nil {
			return err
		}
		_, err := f.ProbeUser(ctx, testUser)
		return err
	}), []string{testUser}, UserDeletion{})
	if err != nil || asked != 1 || f.count() != 3 {
		t.Errorf("asked %d times, %d requests: %v", asked, f.count(), err)
	}
	if _, err := f.UsersByID(BeforeEach(ctx, func(context.Context) error { return &held{} }), []string{testUser}); err != nil {
		t.Errorf("reading was checked: %v", err)
	}
}
