// Copyright (c) the terraform-provider-streamchat authors
// SPDX-License-Identifier: MPL-2.0

package stream

import (
	"encoding/json"
	"fmt"
	"net/http"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestPollsCreatedBy(t *testing.T) {
	creators := make([]string, 130)
	for i := range creators {
		creators[i] = fmt.Sprint("u", i)
	}
	f := newFixture(t, func(w http.ResponseWriter, r *http.Request, n int) {
		if got := r.URL.Query().Get("user_id"); got != "helper" {
			t.Errorf("asked as %q", got)
		}
		pages := map[int]string{
			1: `{"polls":[{"id":"p1","created_by_id":"u1"},{"id":"p2","created_by_id":"u2"}],"next":"n1"}`,
			2: `{"polls":[{"id":"p2","created_by_id":"u2"},{"id":"p3","created_by_id":"u99"}],"next":""}`,
			3: `{"polls":[{"id":"p4","created_by_id":"u129"}]}`,
		}
		raw(201, pages[n])(w, r)
	})
	got, err := f.PollsCreatedBy(ctx, creators, "helper")
	want := []Poll{{"p1", "u1"}, {"p2", "u2"}, {"p3", "u99"}, {"p4", "u129"}}
	if diff := cmp.Diff(want, got); err != nil || diff != "" {
		t.Error(err, diff)
	}
	type body struct {
		Filter struct {
			Creator struct {
				In []string `json:"$in"`
			} `json:"created_by_id"`
		} `json:"filter"`
		Limit int    `json:"limit"`
		Next  string `json:"next"`
	}
	for i, want := range []body{{Limit: 100}, {Limit: 100, Next: "n1"}, {Limit: 100}} {
		want.Filter.Creator.In = [][]string{creators[:100], creators[:100], creators[100:]}[i]
		var got body
		if err := json.Unmarshal([]byte(f.requests()[i].body), &got); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Error(diff)
		}
	}
	if polls, err := f.PollsCreatedBy(ctx, nil, "helper"); err != nil || len(polls) != 0 || f.count() != 3 {
		t.Error(polls, err)
	}
}

func TestPollsAreOnlyBelievedWhenTheyWereAskedFor(t *testing.T) {
	for _, body := range []string{
		`{}`, `{"polls":null}`, `{"polls":{}}`, `{"polls":[1]}`, `{"polls":[{"created_by_id":"u"}]}`, `{"polls":[{"id":"p"}]}`,
		`{"polls":[{"id":7,"created_by_id":"u"}]}`, `{"polls":[{"id":"p","created_by_id":"canary-other"}]}`, `{"polls":[],"next":5}`,
		`{"polls":[],"next":"round-and-round"}`,
	} {
		f := newFixture(t, func(w http.ResponseWriter, r *http.Request, _ int) { raw(201, body)(w, r) }, retries(0))
		polls, err := f.PollsCreatedBy(ctx, []string{"u"}, "helper")
		if e := failure(t, err); e.Kind != KindUnexpectedBody || polls != nil || f.count() > 2 {
			t.Errorf("%s: %v, %+v", body, polls, e)
		}
	}
	f := newFixture(t, nil)
	for _, err := range []error{
		second(f.PollsCreatedBy(ctx, []string{"u"}, "")), second(f.PollsCreatedBy(ctx, []string{""}, "helper")), f.DeletePoll(ctx, "p", ""),
	} {
		if e := failure(t, err); e.Kind != KindInput || e.HTTPStatus != 0 {
			t.Errorf("%+v", e)
		}
	}
}

func second[T any](_ T, err error) error { return err }

func TestDeletePoll(t *testing.T) {
	gone := func(w http.ResponseWriter) { respondError(w, 404, 16, OpDeletePoll, "poll canary not found") }
	done := func(w http.ResponseWriter) { respond(w, 200, map[string]string{"duration": "1ms"}) }

	f := newFixture(t, func(w http.ResponseWriter, _ *http.Request, _ int) { done(w) })
	if err := f.DeletePoll(ctx, "p 1", "helper"); err != nil {
		t.Error(err)
	}
	if r := f.requests()[0]; r.method != "DELETE" || r.path != "/polls/p%201" || r.query.Get("user_id") != "helper" || r.body != "" {
		t.Errorf("%+v", r)
	}

	f = newFixture(t, func(w http.ResponseWriter, _ *http.Request, _ int) { gone(w) })
	if err := f.DeletePoll(ctx, "p", "helper"); !IsNotFound(err) || failure(t, err).Ambiguous {
		t.Error(err)
	}

	// Gone after an attempt that may have done it.
	f = newFixture(t, func(w http.ResponseWriter, _ *http.Request, n int) {
		if n == 1 {
			drop(w)
			return
		}
		gone(w)
	})
	if err := f.DeletePoll(ctx, "p", "helper"); err != nil || f.count() != 2 {
		t.Error(err)
	}

	// The one who acts is gone, not the poll.
	for _, first := range []func(http.ResponseWriter){drop, nil} {
		f = newFixture(t, func(w http.ResponseWriter, _ *http.Request, n int) {
			if n == 1 && first != nil {
				first(w)
				return
			}
			respondError(w, 404, 16, OpDeletePoll, "the user helper was deleted")
		})
		err := f.DeletePoll(ctx, "p", "helper")
		if e := failure(t, err); IsNotFound(err) || e.Kind != KindInput || e.NamedUser() != "helper" {
			t.Errorf("%+v", e)
		}
	}

	// Not Stream's own 404.
	f = newFixture(t, func(w http.ResponseWriter, _ *http.Request, n int) {
		if n == 1 {
			drop(w)
			return
		}
		http.NotFound(w, nil)
	})
	if err := f.DeletePoll(ctx, "p", "helper"); IsNotFound(err) || failure(t, err).Kind != KindUnexpectedBody {
		t.Error(err)
	}
}
