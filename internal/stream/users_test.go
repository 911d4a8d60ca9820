// Copyright (c) the terraform-provider-streamchat authors
// SPDX-License-Identifier: MPL-2.0

package stream

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

var ctx = context.Background()

// storedUsers answers user queries from a fixed set of ids.
func storedUsers(stored func(id string) bool) func(http.ResponseWriter, *http.Request, int) {
	return func(w http.ResponseWriter, r *http.Request, _ int) {
		var payload struct {
			Filter struct {
				ID struct {
					In []string `json:"$in"`
				} `json:"id"`
			} `json:"filter_conditions"`
			Deactivated bool `json:"include_deactivated_users"`
			Limit       int  `json:"limit"`
		}
		if err := json.Unmarshal([]byte(r.URL.Query().Get("payload")), &payload); err != nil || !payload.Deactivated || payload.Limit != 100 ||
			len(payload.Filter.ID.In) == 0 || len(payload.Filter.ID.In) > 100 || len(url.QueryEscape(r.URL.Query().Get("payload"))) > maxPayload {
			respondError(w, 400, 4, OpQueryUsers, "invalid json data")
			return
		}
		rows := []map[string]any{}
		for _, id := range payload.Filter.ID.In {
			if stored(id) {
				rows = append(rows, map[string]any{"id": id, "role": "user"})
			}
		}
		respond(w, 200, map[string]any{"users": rows, "duration": "1ms"})
	}
}

func TestUsersByIDInQueriesThatFit(t *testing.T) {
	name := func(format string, n int) []string {
		ids := make([]string, n)
		for i := range ids {
			ids[i] = fmt.Sprintf(format, i)
		}
		return ids
	}
	for what, test := range map[string]struct {
		ids     []string
		queries [2]int // at least, at most
	}{
		"none":         {nil, [2]int{0, 0}},
		"one":          {name("u%d", 1), [2]int{1, 1}},
		"a hundred":    {name("u%d", 100), [2]int{1, 1}},
		"one more":     {name("u%d", 101), [2]int{2, 2}},
		"repeated":     {append(name("u%d", 100), name("u%d", 100)...), [2]int{1, 1}},
		"a thousand":   {name("user-%04d", 1000), [2]int{10, 10}},
		"longest":      {name(strings.Repeat("x", 250)+"%05d", 100), [2]int{4, 6}},
		"longest of @": {name(strings.Repeat("@", 250)+"%05d", 100), [2]int{12, 15}},
	} {
		t.Run(what, func(t *testing.T) {
			f := newFixture(t, storedUsers(func(id string) bool { return !strings.HasSuffix(id, "7") }))
			users, err := f.UsersByID(ctx, test.ids)
			if err != nil {
				t.Fatal(err)
			}
			if n := f.count(); n < test.queries[0] || n > test.queries[1] {
				t.Errorf("%d queries", n)
			}
			for _, id := range test.ids {
				if u, ok := users[id]; ok == strings.HasSuffix(id, "7") || ok && u.ID != id {
					t.Errorf("%s: %+v", id, u)
				}
			}
			if len(users) > len(test.ids) || users == nil {
				t.Errorf("%d users", len(users))
			}
		})
	}
}

func TestUsersByIDBelievesOnlyAList(t *testing.T) {
	for body, good := range map[string]bool{
		`{"users":[],"duration":"1ms"}`:             true,
		`{"users":[{"id":"` + testUser + `"}]}`:     true,
		`{"duration":"1ms"}`:                        false,
		`{"users":null}`:                            false,
		`{"users":{}}`:                              false,
		`{"users":[null]}`:                          false,
		`{"users":["canary"]}`:                      false,
		`{"users":[{}]}`:                            false,
		`{"users":[{"id":17}]}`:                     false,
		`{"users":[{"id":"canary-other"}]}`:         false,
		`{"Users":[]}`:                              false,
		`{"users":[{"id":"` + testUser + `","x":1}`: false,
		`{}`:                 false,
		`{"error":"canary"}`: false,
		`{"users":[{"id":"` + testUser + `",` + `"created_at":1767225600000000000}]}`: false,
		`{"users":[{"id":"` + testUser + `",` + `"banned":"yes"}]}`:                   false,
		`{"users":[{"id":"` + testUser + `",` + `"role":["admin"]}]}`:                 false,
		`{"users":[{"id":"` + testUser + `",` + `"teams":"red"}]}`:                    false,
		`{"users":[{"id":"` + testUser + `",` + `"deleted_at":"yesterday"}]}`:         false,
	} {
		f := newFixture(t, func(w http.ResponseWriter, r *http.Request, _ int) { raw(200, body)(w, r) }, retries(0))
		users, err := f.UsersByID(ctx, []string{testUser})
		switch {
		case good && err != nil:
			t.Errorf("%s: %v", body, err)
		case !good && (err == nil || users != nil):
			t.Errorf("%s: users %v", body, users)
		case !good:
			if e := failure(t, err); e.Kind != KindUnexpectedBody {
				t.Errorf("%s: %+v", body, e)
			}
		}
	}
	f := newFixture(t, nil)
	if _, err := f.UsersByID(ctx, []string{"a", ""}); failure(t, err).Kind != KindInput {
		t.Error(err)
	}
}

func TestUserRows(t *testing.T) {
	row := `{"id":"alice","ID":"eve","role":"admin","Role":"user",
		"created_at":"2026-01-01T01:00:00.5+01:00","updated_at":"2026-01-02T00:00:00Z",
		"last_active":null,"deactivated_at":"2026-02-01T00:00:00Z","deleted_at":"0001-01-01T00:00:00Z",
		"banned":true,"Banned":false,"teams":["red"],
		"name":"Alice","online":false,"legal_hold":true,"address":{"city":"Leiden"},"custom":{"legal_hold":false,"tier":"gold"}}`
	user, err := decodeUser([]byte(row))
	if err != nil {
		t.Fatal(err)
	}
	created := time.Date(2026, 1, 1, 0, 0, 0, 5e8, time.UTC)
	updated, deactivated := time.Date(2026, 1, 2, 0, 0, 0, 0, time.UTC), time.Date(2026, 2, 1, 0, 0, 0, 0, time.UTC)
	fields := user.Fields
	user.Fields = nil
	want := User{
		ID: "alice", Role: "admin", CreatedAt: &created, UpdatedAt: &updated, DeactivatedAt: &deactivated,
		Banned: true, Teams: []string{"red"},
	}
	if diff := cmp.Diff(want, user); diff != "" {
		t.Error(diff)
	}
	if len(fields) != 17 || string(fields["name"]) != `"Alice"` {
		t.Errorf("%d fields", len(fields))
	}
	user.Fields = fields
	custom := user.Custom()
	if got := slices.Sorted(maps.Keys(custom)); !slices.Equal(got, []string{"Banned", "ID", "Role", "address", "legal_hold", "tier"}) {
		t.Errorf("custom fields %v", got)
	}
	if string(custom["legal_hold"]) != "true" || string(custom["address"]) != `{"city":"Leiden"}` {
		t.Errorf("%s, %s", custom["legal_hold"], custom["address"])
	}
	for raw, want := range map[string]string{`{"custom":null}`: "", `{"custom":{}}`: "", `{"custom":"x"}`: "custom", `{}`: ""} {
		var fields map[string]json.RawMessage
		if err := json.Unmarshal([]byte(raw), &fields); err != nil {
			t.Fatal(err)
		}
		if got := strings.Join(slices.Sorted(maps.Keys(User{Fields: fields}.Custom())), ","); got != want {
			t.Errorf("%s: %q", raw, got)
		}
	}
}

func TestProbeUser(t *testing.T) {
	answer := func(status, code int, inner string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			respondError(w, status, code, OpUpdateUsersPartial, inner)
		}
	}
	for name, test := range map[string]struct {
		answer http.HandlerFunc
		want   Presence
		kind   Kind
	}{
		"present":     {raw(200, `{"users":{"`+testUser+`":{"id":"`+testUser+`"}},"membership_deletion_task_id":""}`), PresencePresent, ""},
		"missing":     {answer(404, 16, "the user "+testUser+" does not exist"), PresenceMissing, ""},
		"deleted":     {answer(404, 16, "the user "+testUser+" was deleted"), PresenceDeleted, ""},
		"deactivated": {answer(404, 16, "the user "+testUser+" was deactivated"), PresenceDeactivated, ""},

		"another sentence": {answer(404, 16, "the user "+testUser+" cannot be found"), "", KindUnexpectedBody},
		"another user":     {answer(404, 16, "the user canary-other was deleted"), "", KindUnexpectedBody},
		"longer id":        {answer(404, 16, "the user "+testUser+"0 was deleted"), "", KindUnexpectedBody},
		"two sentences": {answer(404, 16, "the user "+testUser+" was deleted, the user "+testUser+" does not exist"), "",
			KindUnexpectedBody},
		"no sentence":          {answer(404, 16, ""), "", KindUnexpectedBody},
		"some other user gone": {answer(404, 16, "created_by does not exist"), "", KindUnexpectedBody},
		"router": {raw(404, `{"code":16,"message":"Request failed with error: \"the user `+testUser+` does not `+
			`exist\"","StatusCode":404}`), "", KindUnexpectedBody},
		"another code":           {answer(404, 4, "the user "+testUser+" does not exist"), "", KindUnexpectedBody},
		"another status":         {answer(400, 16, "the user "+testUser+" does not exist"), "", KindInput},
		"HTML":                   {raw(404, "<html>the user "+testUser+" does not exist</html>"), "", KindUnexpectedBody},
		"code in words":          {raw(404, `{"code":"16","message":"the user `+testUser+` does not exist"}`), "", KindUnexpectedBody},
		"server":                 {answer(500, -1, "the user "+testUser+" does not exist"), "", KindServer},
		"forbidden":              {answer(403, 17, "the user "+testUser+" was deleted"), "", KindForbidden},
		"users empty":            {raw(200, `{"users":{}}`), "", KindUnexpectedBody},
		"users missing":          {raw(200, `{"duration":"1ms"}`), "", KindUnexpectedBody},
		"users null":             {raw(200, `{"users":null}`), "", KindUnexpectedBody},
		"users a list":           {raw(200, `{"users":[{"id":"`+testUser+`"}]}`), "", KindUnexpectedBody},
		"user null":              {raw(200, `{"users":{"`+testUser+`":null}}`), "", KindUnexpectedBody},
		"another user in answer": {raw(200, `{"users":{"canary-other":{}}}`), "", KindUnexpectedBody},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t, func(w http.ResponseWriter, r *http.Request, _ int) { test.answer(w, r) }, retries(0))
			got, err := f.ProbeUser(ctx, testUser)
			if got != test.want {
				t.Errorf("%q", got)
			}
			if test.kind == "" && err != nil {
				t.Error(err)
			}
			if test.kind != "" {
				if e := failure(t, err); e.Kind != test.kind || IsNotFound(err) {
					t.Errorf("%+v", e)
				}
			}
			r := f.requests()[0]
			if want := `{"users":[{"id":"` + testUser + `","set":{},"unset":[]}]}`; r.method != "PATCH" || r.path != "/users" || r.body != want {
				t.Errorf("%s %s %s", r.method, r.path, r.body)
			}
		})
	}
	f := newFixture(t, nil)
	if _, err := f.ProbeUser(ctx, ""); failure(t, err).Kind != KindInput {
		t.Error(err)
	}
}

func TestDeleteUsersBody(t *testing.T) {
	f := newFixture(t, func(w http.ResponseWriter, r *http.Request, _ int) { good(w, r) })
	id, err := f.DeleteUsers(ctx, []string{"a", "b"}, UserDeletion{
		User: "hard", Messages: "pruning", Conversations: "hard", Calls: "soft", Files: true,
		NewChannelOwnerID: "c", NewCallOwnerID: "d",
	})
	if err != nil || id != "8d011daa-cbcd-4cba-ad16-701de599873a" {
		t.Fatal(id, err)
	}
	if _, err := f.DeleteUsers(ctx, []string{"a"}, UserDeletion{}); err != nil {
		t.Fatal(err)
	}
	got := f.requests()
	for i, want := range []string{
		`{"user_ids":["a","b"],"user":"hard","messages":"pruning","conversations":"hard","calls":"soft","files":true,` +
			`"new_channel_owner_id":"c","new_call_owner_id":"d"}`,
		`{"user_ids":["a"]}`,
	} {
		if got[i].body != want || got[i].method != "POST" || got[i].path != "/users/delete" {
			t.Errorf("%s %s %s", got[i].method, got[i].path, got[i].body)
		}
	}
}

func TestBatchesAreChecked(t *testing.T) {
	f := newFixture(t, func(w http.ResponseWriter, r *http.Request, _ int) {
		if r.URL.Path == "/users" {
			users := map[string]any{}
			for i := range 100 {
				users[fmt.Sprint("u", i)] = map[string]any{"id": fmt.Sprint("u", i)}
			}
			respond(w, 200, map[string]any{"users": users})
			return
		}
		good(w, r)
	})
	hundred := make([]string, 100)
	for i := range hundred {
		hundred[i] = fmt.Sprint("u", i)
	}
	for name, run := range map[string]func(ids []string) error{
		"delete":  func(ids []string) error { _, err := f.DeleteUsers(ctx, ids, UserDeletion{}); return err },
		"restore": func(ids []string) error { return f.RestoreUsers(ctx, ids) },
		"revoke":  func(ids []string) error { return f.RevokeTokens(ctx, ids, testStart) },
	} {
		before := f.count()
		for _, ids := range [][]string{nil, append([]string{"more"}, hundred...), {"a", ""}} {
			if e := failure(t, run(ids)); e.Kind != KindInput || e.HTTPStatus != 0 {
				t.Errorf("%s: %+v", name, e)
			}
		}
		if f.count() != before {
			t.Errorf("%s was sent", name)
		}
		if err := run(hundred); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestRestoreUsers(t *testing.T) {
	refusal := func(w http.ResponseWriter) {
		respondError(w, 400, 4, OpRestoreUsers, `user "a" is not deleted, it can't be restored`)
	}
	ids := []string{"a", "b"}

	f := newFixture(t, func(w http.ResponseWriter, _ *http.Request, _ int) {
		respond(w, 201, map[string]any{"duration": "1ms"})
	})
	if err := f.RestoreUsers(ctx, ids); err != nil || f.requests()[0].body != `{"user_ids":["a","b"]}` {
		t.Error(err, f.requests()[0].body)
	}

	f = newFixture(t, func(w http.ResponseWriter, _ *http.Request, _ int) { refusal(w) })
	if e := failure(t, f.RestoreUsers(ctx, ids)); e.Kind != KindInput || !e.says("is not deleted") || f.count() != 1 {
		t.Errorf("%+v", e)
	}

	for name, back := range map[string]func(string) bool{
		"all are back": func(string) bool { return true },
		"one is not":   func(id string) bool { return id == "a" },
	} {
		f = newFixture(t, func(w http.ResponseWriter, r *http.Request, n int) {
			switch {
			case r.Method == http.MethodGet:
				storedUsers(back)(w, r, n)
			case n == 1:
				drop(w)
			default:
				refusal(w)
			}
		})
		err := f.RestoreUsers(ctx, ids)
		if name == "all are back" && err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if name == "one is not" && !failure(t, err).Ambiguous {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestRevokeTokens(t *testing.T) {
	before := time.Date(2026, 3, 4, 6, 6, 7, 123456789, time.FixedZone("", 3600))
	f := newFixture(t, func(w http.ResponseWriter, r *http.Request, _ int) {
		raw(200, `{"users":{"a":{"id":"a"},"b":{"id":"b"}}}`)(w, r)
	})
	if err := f.RevokeTokens(ctx, []string{"a", "b"}, before); err != nil {
		t.Fatal(err)
	}
	want := `{"users":[{"id":"a","set":{"revoke_tokens_issued_before":"2026-03-04T05:06:07.123456Z"},"unset":[]},` +
		`{"id":"b","set":{"revoke_tokens_issued_before":"2026-03-04T05:06:07.123456Z"},"unset":[]}]}`
	if got := f.requests()[0]; got.body != want || got.method != "PATCH" {
		t.Errorf("%s %s", got.method, got.body)
	}
	if e := failure(t, f.RevokeTokens(ctx, []string{"a", "c"}, before)); e.Kind != KindUnexpectedBody || !e.Ambiguous {
		t.Errorf("%+v", e)
	}
	f = newFixture(t, func(w http.ResponseWriter, _ *http.Request, _ int) {
		respondError(w, 404, 16, OpUpdateUsersPartial, "the user a was deactivated")
	})
	if e := failure(t, f.RevokeTokens(ctx, []string{"a"}, before)); e.Kind != KindNotFound || e.NamedUser() != "a" || e.Ambiguous {
		t.Errorf("%+v", e)
	}
}

func TestExportUser(t *testing.T) {
	body := "{ \"user\":{\"id\":\"" + testUser + "\",\"n\":1.0}, \"messages\":[{\"html\":\"<p>\\u00e9</p>\"}],\"reactions\":null }\n"
	f := newFixture(t, func(w http.ResponseWriter, r *http.Request, _ int) { raw(200, body)(w, r) })
	got, err := f.ExportUser(ctx, testUser)
	var members []string
	for _, m := range got {
		members = append(members, m.Name+" "+m.Key+" "+m.Value.Raw)
	}
	want := []string{`user "user" {"id":"` + testUser + `","n":1.0}`, `messages "messages" [{"html":"<p>\u00e9</p>"}]`,
		`reactions "reactions" null`}
	if err != nil || !slices.Equal(members, want) {
		t.Errorf("%q, %v", members, err)
	}
	if r := f.requests()[0]; r.method != "GET" || r.path != "/users/canary-user@1/export" || r.body != "" {
		t.Errorf("%s %s %s", r.method, r.path, r.body)
	}
	for _, bad := range []string{`{}`, `{"user":null}`, `{"user":[]}`, `{"user":{}}`, `{"user":{"id":"canary-other"}}`, `{"user":{"id":1}}`} {
		f := newFixture(t, func(w http.ResponseWriter, r *http.Request, _ int) { raw(200, bad)(w, r) }, retries(0))
		got, err := f.ExportUser(ctx, testUser)
		if e := failure(t, err); e.Kind != KindUnexpectedBody || got != nil {
			t.Errorf("%s: %v, %+v", bad, got, e)
		}
	}
	f = newFixture(t, func(w http.ResponseWriter, _ *http.Request, _ int) {
		respondError(w, 404, 16, OpExportUser, "the user "+testUser+" was deleted")
	})
	if _, err := f.ExportUser(ctx, testUser); !IsNotFound(err) {
		t.Error(err)
	}
}
