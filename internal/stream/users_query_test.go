// Copyright (c) the terraform-provider-streamchat authors
// SPDX-License-Identifier: MPL-2.0

package stream

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
)

// population answers user queries over n users u0000, u0001 …: by id when the
// query says so, else by offset, which Stream limits.
func population(n int) func(http.ResponseWriter, *http.Request, int) {
	return func(w http.ResponseWriter, r *http.Request, _ int) {
		var q struct {
			Filter json.RawMessage `json:"filter_conditions"`
			Sort   []struct {
				Field     string
				Direction int
			}
			Limit, Offset int
		}
		if err := json.Unmarshal([]byte(r.URL.Query().Get("payload")), &q); err != nil || q.Limit > 100 || q.Offset > 1000 {
			respondError(w, 400, 4, OpQueryUsers, "invalid json data")
			return
		}
		from := q.Offset
		if _, after, ok := strings.Cut(string(q.Filter), `"$gt":"u`); ok {
			_, _ = fmt.Sscanf(after, "%d", &from)
			from++
		}
		rows := []map[string]any{}
		for i := from; i < min(n, from+q.Limit); i++ {
			rows = append(rows, map[string]any{"id": fmt.Sprintf("u%04d", i)})
		}
		respond(w, 200, map[string]any{"users": rows})
	}
}

func TestQueryUsersReadsToTheEnd(t *testing.T) {
	byName := []SortField{{"name", true}}
	for name, tt := range map[string]struct {
		stored, limit int
		sort          []SortField
		want, pages   int // want -1: more than Stream gives in this order
	}{
		"nobody":                     {0, 0, nil, 0, 1},
		"one":                        {1, 0, nil, 1, 2},
		"a page":                     {100, 0, nil, 100, 2},
		"past the offset":            {2345, 0, nil, 2345, 25},
		"limit within a page":        {2345, 7, nil, 7, 1},
		"limit past the offset":      {2345, 1500, nil, 1500, 15},
		"limit is what there is":     {100, 100, nil, 100, 1},
		"sorted":                     {250, 0, byName, 250, 3},
		"sorted, a page":             {100, 0, byName, 100, 2},
		"sorted, one short":          {1099, 0, byName, 1099, 11},
		"sorted, not provably all":   {1100, 0, byName, -1, 11},
		"sorted, too many":           {1200, 0, byName, -1, 11},
		"sorted, but limited":        {1200, 1100, byName, 1100, 11},
		"sorted, limit out of reach": {1200, 1101, byName, -1, 11},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t, population(tt.stored))
			users, err := f.QueryUsers(ctx, UserQuery{Filter: json.RawMessage(`{"role":"user"}`), Sort: tt.sort, Limit: tt.limit})
			if tt.want < 0 {
				if e := failure(t, err); !errors.Is(err, ErrUnreachable) || e.HTTPStatus != 0 || users != nil {
					t.Errorf("%+v", e)
				}
			} else if err != nil || len(users) != tt.want {
				t.Errorf("%d users, %v", len(users), err)
			}
			if f.count() != tt.pages {
				t.Errorf("%d queries, want %d", f.count(), tt.pages)
			}
			if !slices.IsSortedFunc(users, func(a, b User) int { return strings.Compare(a.ID, b.ID) }) {
				t.Error("not in order")
			}
		})
	}
}

func TestQueryUsersPayload(t *testing.T) {
	for name, tt := range map[string]struct {
		query UserQuery
		want  []string
	}{
		"everybody": {UserQuery{Filter: json.RawMessage(` {} `)}, []string{
			`{"filter_conditions":{},"include_deactivated_users":false,"limit":100,"sort":[{"direction":1,"field":"id"}]}`,
			`{"filter_conditions":{"id":{"$gt":"u0000"}},"include_deactivated_users":false,"limit":100,"sort":[{"direction":1,"field":"id"}]}`,
		}},
		"numbers as they are": {UserQuery{Filter: json.RawMessage(`{"age":12345678901234567890}`), IncludeDeactivated: true}, []string{
			`{"filter_conditions":{"age":12345678901234567890},"include_deactivated_users":true,"limit":100,"sort":[{"direction":1,"field":"id"}]}`,
			`{"filter_conditions":{"$and":[{"age":12345678901234567890},{"id":{"$gt":"u0000"}}]},"include_deactivated_users":true,"limit":100,` +
				`"sort":[{"direction":1,"field":"id"}]}`,
		}},
		"ties are broken by id": {UserQuery{Filter: json.RawMessage(`{}`), Sort: []SortField{{"last_active", true}}}, []string{
			`{"filter_conditions":{},"include_deactivated_users":false,"limit":100,"offset":0,"sort":[{"direction":-1,"field":"last_active"},` +
				`{"direction":1,"field":"id"}]}`,
		}},
		"five fields at most": {UserQuery{Filter: json.RawMessage(`{}`),
			Sort: []SortField{{"a", false}, {"b", false}, {"c", false}, {"d", false}, {"e", false}}}, []string{
			`{"filter_conditions":{},"include_deactivated_users":false,"limit":100,"offset":0,"sort":[{"direction":1,"field":"a"},{"direction":1,` +
				`"field":"b"},{"direction":1,"field":"c"},{"direction":1,"field":"d"},{"direction":1,"field":"e"}]}`,
		}},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t, population(1))
			if _, err := f.QueryUsers(ctx, tt.query); err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, r := range f.requests() {
				got = append(got, r.query.Get("payload"))
			}
			if !slices.Equal(got, tt.want) {
				t.Errorf("%q", got)
			}
		})
	}
}

func TestQueryUsersRefusals(t *testing.T) {
	f := newFixture(t, func(w http.ResponseWriter, _ *http.Request, _ int) {
		respondError(w, 400, 4, OpQueryUsers, "search is not enabled for field users.canary")
	})
	for filter, sent := range map[string]int{
		``: 0, `[]`: 0, `null`: 0, `{`: 0, `"x"`: 0, `{"name":"` + strings.Repeat("x", maxPayload) + `"}`: 0, `{"name":{"$autocomplete":"x"}}`: 1,
	} {
		before := f.count()
		_, err := f.QueryUsers(ctx, UserQuery{Filter: json.RawMessage(filter)})
		if e := failure(t, err); e.Kind != KindInput || f.count()-before != sent || (e.HTTPStatus != 0) != (sent == 1) {
			t.Errorf("%.20s: %+v", filter, e)
		}
	}
	for _, body := range []string{`{}`, `{"users":null}`, `{"users":[{}]}`, `{"users":[{"id":"canary","teams":1}]}`} {
		f := newFixture(t, func(w http.ResponseWriter, r *http.Request, _ int) { raw(200, body)(w, r) }, retries(0))
		if _, err := f.QueryUsers(ctx, UserQuery{Filter: json.RawMessage(`{}`)}); failure(t, err).Kind != KindUnexpectedBody {
			t.Error(body, err)
		}
	}
	f = newFixture(t, func(w http.ResponseWriter, r *http.Request, _ int) { raw(200, `{"users":[{"id":"canary"}]}`)(w, r) })
	if _, err := f.QueryUsers(ctx, UserQuery{Filter: json.RawMessage(`{}`)}); failure(t, err).Kind != KindUnexpectedBody || f.count() != 2 {
		t.Error("the same page for ever", err)
	}
}
