// Copyright (c) the terraform-provider-streamchat authors
// SPDX-License-Identifier: MPL-2.0

package stream

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"
)

const testCID = "messaging:canary-channel"

func channelRows(cids ...string) map[string]any {
	rows := make([]any, len(cids))
	for i, cid := range cids {
		rows[i] = map[string]any{"channel": map[string]any{"cid": cid, "created_at": "2026-01-02T03:04:05.6Z", "member_count": 2},
			"messages": []any{}}
	}
	return map[string]any{"channels": rows}
}

// Thirty a query, the limit spelled out, no state.
func TestChannelsByCID(t *testing.T) {
	f := newFixture(t, func(w http.ResponseWriter, r *http.Request, n int) {
		respond(w, 201, channelRows(fmt.Sprintf("t:canary-%03d", 30*(n-1))))
	})
	cids := make([]string, 70)
	for i := range cids {
		cids[i] = fmt.Sprintf("t:canary-%03d", i)
	}
	slices.Reverse(cids)
	found, err := f.ChannelsByCID(context.Background(), slices.Concat(cids, cids))
	if err != nil || len(found) != 3 || f.count() != 3 {
		t.Fatalf("%v, %v, %d queries", found, err, f.count())
	}
	channel := found["t:canary-030"]
	if channel.CreatedAt == nil || channel.TruncatedAt != nil || channel.Members == nil || *channel.Members != 2 {
		t.Errorf("%+v", channel)
	}
	for _, r := range f.requests() {
		var body struct {
			Filter struct{ CID map[string][]string } `json:"filter_conditions"`
			Limit  int
			State  *bool
			Most   *int `json:"message_limit"`
		}
		if err := json.Unmarshal([]byte(r.body), &body); err != nil || len(body.Filter.CID["$in"]) > 30 || body.Limit != 30 ||
			body.State == nil || *body.State || body.Most == nil || *body.Most != 0 {
			t.Errorf("%s %s: %s, %v", r.method, r.path, r.body, err)
		}
	}
}

func TestDeleteChannels(t *testing.T) {
	f := newFixture(t, func(w http.ResponseWriter, _ *http.Request, n int) {
		respond(w, 201, map[string]any{"task_id": fmt.Sprint("task-", n), "duration": "1ms"})
	})
	for _, hard := range []bool{true, false} {
		if task, err := f.DeleteChannels(context.Background(), []string{testCID, "t:!members-x"}, hard); err != nil || task == "" {
			t.Errorf("%q, %v", task, err)
		}
	}
	requests := f.requests()
	if got := requests[0].body; got != `{"cids":["messaging:canary-channel","t:!members-x"],"hard_delete":true}` ||
		requests[0].path != "/channels/delete" {
		t.Errorf("%s %s", requests[0].path, got)
	}
	if !strings.Contains(requests[1].body, `"hard_delete":false`) {
		t.Error(requests[1].body)
	}
}

func TestTruncateChannel(t *testing.T) {
	f := newFixture(t, func(w http.ResponseWriter, _ *http.Request, _ int) {
		respond(w, 201, map[string]any{"channel": map[string]any{"cid": "t:!members-x", "truncated_at": "2026-01-02T03:04:05Z"}})
	})
	channel, err := f.TruncateChannel(context.Background(), "t:!members-x",
		Truncation{Hard: true, Until: time.Date(2026, 1, 2, 4, 4, 5, 999, time.FixedZone("", 3600))})
	if err != nil || channel.TruncatedAt == nil {
		t.Fatalf("%+v, %v", channel, err)
	}
	if _, err = f.TruncateChannel(context.Background(), "t:!members-x", Truncation{SkipPush: true}); err != nil {
		t.Fatal(err)
	}
	requests := f.requests()
	if got := requests[0]; got.body != `{"hard_delete":true,"skip_push":false,"truncated_at":"2026-01-02T03:04:05.000000Z"}` ||
		got.path != "/channels/t/%21members-x/truncate" {
		t.Errorf("%s %s", got.path, got.body)
	}
	if got := requests[1].body; got != `{"hard_delete":false,"skip_push":true}` {
		t.Error(got)
	}
}

func TestMessageCalls(t *testing.T) {
	const id = "canary/ä?b#c d"
	f := newFixture(t, func(w http.ResponseWriter, r *http.Request, _ int) {
		kind := "regular"
		if r.Method == http.MethodDelete {
			kind = "deleted"
		}
		respond(w, 200, map[string]any{"message": map[string]any{"id": id, "type": kind, "created_at": "2026-01-02T03:04:05Z"}})
	})
	if m, err := f.GetMessage(context.Background(), id); err != nil || m.Deleted || m.CreatedAt == nil {
		t.Errorf("%+v, %v", m, err)
	}
	if m, err := f.DeleteMessage(context.Background(), id, true); err != nil || !m.Deleted {
		t.Errorf("%+v, %v", m, err)
	}
	for _, r := range f.requests() {
		if r.path != "/messages/canary%2F%C3%A4%3Fb%23c%20d" {
			t.Error(r.path)
		}
		if r.method == http.MethodDelete && r.query.Get("hard") != "true" {
			t.Error(r.query)
		}
	}
}

// What Stream would take for something else is not sent.
func TestContentIDs(t *testing.T) {
	for _, cid := range []string{"", ":", "a", "a:", ":b", "a:b:c", "a:.", "a:..", "a/b:c", "a:b c", "a:b\n", "!a:b", "a:b!c", "a:!!b",
		"a:" + strings.Repeat("x", 65), "a:%2e"} {
		if _, _, ok := SplitCID(cid); ok {
			t.Errorf("%q passes for a cid", cid)
		}
	}
	if typ, id, ok := SplitCID("messaging:!members-x_Y-1"); !ok || typ != "messaging" || id != "!members-x_Y-1" {
		t.Error(typ, id, ok)
	}
	for id, want := range map[string]bool{
		"": false, ".": false, "..": false, "a,b": false, "a%b": false, strings.Repeat("ü", 256): false, "\xff": false,
		"a": true, "...": true, "a/../b": true, strings.Repeat("ü", 255): true,
	} {
		if ValidMessageID(id) != want {
			t.Errorf("%q: %v", id, !want)
		}
	}
	f := newFixture(t, func(http.ResponseWriter, *http.Request, int) {})
	ctx := context.Background()
	for name, do := range map[string]func() error{
		"look-up":      func() error { _, err := f.ChannelsByCID(ctx, []string{testCID, ".."}); return err },
		"delete":       func() error { _, err := f.DeleteChannels(ctx, []string{testCID, "a"}, true); return err },
		"delete none":  func() error { _, err := f.DeleteChannels(ctx, nil, true); return err },
		"delete 101":   func() error { _, err := f.DeleteChannels(ctx, make([]string, 101), true); return err },
		"truncate":     func() error { _, err := f.TruncateChannel(ctx, "canary", Truncation{}); return err },
		"get message":  func() error { _, err := f.GetMessage(ctx, ".."); return err },
		"drop message": func() error { _, err := f.DeleteMessage(ctx, "canary,b", true); return err },
	} {
		if e := failure(t, do()); e.Kind != KindInput || e.HTTPStatus != 0 {
			t.Errorf("%s: %v", name, e)
		}
	}
	if f.count() != 0 {
		t.Errorf("%d requests", f.count())
	}
}

// An answer that does not say what was promised is no success.
func TestContentAnswers(t *testing.T) {
	ctx := context.Background()
	type calls map[string]func(f *fixture) error
	lookUp := func(f *fixture) error { _, err := f.ChannelsByCID(ctx, []string{testCID}); return err }
	remove := func(f *fixture) error { _, err := f.DeleteChannels(ctx, []string{testCID}, true); return err }
	truncate := func(f *fixture) error { _, err := f.TruncateChannel(ctx, testCID, Truncation{}); return err }
	get := func(f *fixture) error { _, err := f.GetMessage(ctx, "canary"); return err }
	drop := func(f *fixture) error { _, err := f.DeleteMessage(ctx, "canary", true); return err }
	for body, cases := range map[string]calls{
		`{}`:                  {"look-up": lookUp, "delete": remove, "truncate": truncate, "get": get, "drop": drop},
		`{"channels":null}`:   {"look-up": lookUp},
		`{"channels":[null]}`: {"look-up": lookUp},
		`{"channels":[{"channel":{"cid":"a:b"}}]}`:                                     {"look-up": lookUp},
		`{"channels":[{"channel":{"cid":"messaging:canary-channel","created_at":1}}]}`: {"look-up": lookUp},
		`{"task_id":""}`:   {"delete": remove},
		`{"task_id":null}`: {"delete": remove},
		`{"result":{"messaging:canary-channel":{"status":"ok"}}}`:                              {"delete": remove},
		`{"channel":{"cid":"messaging:canary-channel"}}`:                                       {"truncate": truncate},
		`{"channel":{"cid":"messaging:canary-channel","truncated_at":"0001-01-01T00:00:00Z"}}`: {"truncate": truncate},
		`{"channel":{"cid":"a:b","truncated_at":"2026-01-01T00:00:00Z"}}`:                      {"truncate": truncate},
		`{"message":null}`:                             {"get": get, "drop": drop},
		`{"message":{"id":"canary"}}`:                  {"get": get, "drop": drop},
		`{"message":{"id":"other","type":"deleted"}}`:  {"get": get, "drop": drop},
		`{"message":{"id":"canary","type":"regular"}}`: {"drop": drop},
		`{"message":{"ID":"canary","Type":"deleted"}}`: {"get": get, "drop": drop},
	} {
		f := newFixture(t, func(w http.ResponseWriter, _ *http.Request, _ int) {
			w.WriteHeader(http.StatusCreated)
			fmt.Fprint(w, body)
		})
		for name, do := range cases {
			if e := failure(t, do(f)); e.Kind != KindUnexpectedBody || (name != "look-up" && name != "get") != e.Ambiguous {
				t.Errorf("%s, %s: %+v", body, name, e)
			}
		}
	}
}

func TestContentThatIsNotThere(t *testing.T) {
	inner := "channels not found"
	op := OpDeleteChannels
	f := newFixture(t, func(w http.ResponseWriter, _ *http.Request, _ int) { respondError(w, 404, 16, op, inner) })
	ctx := context.Background()
	_, err := f.DeleteChannels(ctx, []string{testCID}, true)
	if !NoneOfThem(err) || !IsNotFound(err) {
		t.Error(err)
	}
	inner = "something else"
	if _, err = f.DeleteChannels(ctx, []string{testCID}, true); NoneOfThem(err) || !IsNotFound(err) {
		t.Error(err)
	}
	if NoneOfThem(nil) {
		t.Error("no error is none of them")
	}
	if _, err := f.GetMessage(ctx, "canary"); !IsNotFound(err) {
		t.Error(err)
	}
	op = "Request" // an unknown path
	inner = "Not Found"
	if _, err := f.GetMessage(ctx, "canary"); err == nil || IsNotFound(err) {
		t.Errorf("an unknown path passes for a message that is gone: %v", err)
	}
}
