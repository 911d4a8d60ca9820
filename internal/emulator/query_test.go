// Copyright (c) the terraform-provider-streamchat authors
// SPDX-License-Identifier: MPL-2.0

package emulator_test

import (
	"encoding/json"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	stream "github.com/GetStream/stream-chat-go/v6"
)

const people = `{"users": [
	{"id": "ada", "name": "Ada Lovelace", "role": "admin", "teams": ["red"], "created_at": "2026-01-01T00:00:00Z", "age": 36, "big": 9007199254740993, "tags": ["x","y"], "address": {"city": "London"}},
	{"id": "bea", "name": "Bea Smith", "created_at": "2026-01-02T00:00:00Z", "banned": true, "last_active": "2026-02-01T00:00:00.5Z", "age": 40},
	{"id": "cid", "name": "Cid", "teams": ["red", "blue"], "created_at": "2026-01-03T00:00:00Z", "big": 9007199254740992, "tags": []},
	{"id": "dot", "created_at": "2026-01-04T00:00:00Z", "deactivated_at": "2026-02-01T00:00:00Z"},
	{"id": "eve", "created_at": "2026-01-05T00:00:00Z", "deleted_at": "2026-02-01T00:00:00Z"}
]}`

// query is GET /users with the rest of the payload; it returns the ids.
func (w *world) query(t *testing.T, filter, rest string) ([]string, answer) {
	t.Helper()
	payload := `{"filter_conditions":` + filter + `,"limit":100` + rest + `}`
	a := w.call("GET", "/users?payload="+url.QueryEscape(payload), "")
	var out struct{ Users []struct{ ID string } }
	if err := json.Unmarshal(a.body, &out); err != nil {
		t.Fatal(err)
	}
	var list []string
	for _, u := range out.Users {
		list = append(list, u.ID)
	}
	return list, a
}

func TestQueryUsers(t *testing.T) {
	w := seeded(t, people)
	for _, test := range []struct{ filter, want string }{
		{`{}`, "cid bea ada"},
		{`{"id":"ada"}`, "ada"},
		{`{"id":{"$in":["ada","cid","eve","dot","nobody"]}}`, "cid ada"},
		{`{"id":{"$nin":["ada"]}}`, "cid bea"},
		{`{"id":{"$ne":"ada"}}`, "cid bea"},
		{`{"id":{"$gt":"ada","$lte":"cid"}}`, "cid bea"},
		{`{"id":{"$exists":true}}`, "cid bea ada"},
		{`{"name":{"$autocomplete":"lov"}}`, "ada"},
		{`{"name":{"$exists":false}}`, ""},
		{`{"role":{"$in":["admin"]}}`, "ada"},
		{`{"teams":{"$contains":"red"}}`, "cid ada"},
		{`{"teams":{"$in":["blue","green"]}}`, "cid"},
		{`{"teams":{"$eq":["blue","red"]}}`, "cid"},
		{`{"banned":true}`, "bea"},
		{`{"banned":{"$ne":true}}`, "cid ada"},
		{`{"created_at":{"$gt":"2026-01-01T00:00:00Z","$lt":"2026-01-03T00:00:00Z"}}`, "bea"},
		{`{"created_at":{"$eq":"2026-01-01T01:00:00+01:00"}}`, "ada"},
		{`{"last_active":{"$exists":true}}`, "bea"},
		{`{"last_active":{"$gte":"2026-02-01T00:00:00.500Z"}}`, "bea"},
		{`{"age":{"$gt":36}}`, "bea"},
		{`{"age":{"$in":[36,40]}}`, "bea ada"},
		{`{"big":9007199254740993}`, "ada"},
		{`{"big":{"$lt":9007199254740993}}`, "cid"},
		{`{"tags":{"$contains":"x"}}`, "ada"},
		{`{"address.city":"London"}`, "ada"},
		{`{"custom.age":40}`, "bea"},
		{`{"address":{"city":"London"}}`, "ada"},
		{`{"$or":[{"id":"ada"},{"age":40}]}`, "bea ada"},
		{`{"$nor":[{"id":"ada"},{"age":40}]}`, "cid"},
		{`{"$and":[{"id":{"$in":["ada","bea"]}},{"age":40}]}`, "bea"},
		{`{"deleted_at":{"$exists":true}}`, ""},
		{`{"deactivated_at":{"$exists":true}}`, ""},
	} {
		if got, a := w.query(t, test.filter, ""); strings.Join(got, " ") != test.want || a.status != 200 {
			t.Errorf("%s: got %v %d, want %s", test.filter, got, a.status, test.want)
		}
	}
	for rest, want := range map[string]string{
		`,"include_deactivated_users":true`:                                      "dot cid bea ada",
		`,"sort":[{"field":"id","direction":1}],"offset":1`:                      "bea cid",
		`,"sort":[{"field":"age","direction":-1}]`:                               "bea ada cid",
		`,"sort":[{"field":"banned","direction":-1},{"field":"id"}],"offset":0`:  "bea ada cid",
		`,"sort":[{"field":"created_at","direction":1}],"presence":false`:        "ada bea cid",
		`,"sort":[{"field":"id","direction":-1}],"offset":1000,"user_id":"whom"`: "",
	} {
		if got, a := w.query(t, `{}`, rest); strings.Join(got, " ") != want {
			t.Errorf("%s: got %v, want %s (%s)", rest, got, want, a.body)
		}
	}
	for _, bad := range []string{
		`{"name":{"$q":"x"}}`, `{"banned":{"$gt":true}}`, `{"created_at":"yesterday"}`, `{"id":{"$in":"ada"}}`,
		`{"$or":{}}`, `{"$and":[]}`, `[]`, `{"id":{"$exists":"x"}}`, `{"age":{"$autocomplete":"1"}}`,
	} {
		if _, a := w.query(t, bad, ""); a.status != 400 {
			t.Errorf("%s: got %d %s", bad, a.status, a.body)
		}
	}
	_, a := w.query(t, `{"age":{"$q":"1"}}`, "")
	a.wantError(t, 400, 4, `QueryUsers failed with error: "search is not enabled for field users.age"`)
	w.call("GET", "/users", "").wantError(t, 400, 4, `QueryUsers failed with error: "invalid json data"`)
	w.call("GET", "/users?payload=%7B", "").wantError(t, 400, 4, `QueryUsers failed with error: "invalid json data"`)
	for _, rest := range []string{`,"offset":1001`, `,"limit":101`, `,"sort":[{"field":"id","direction":2}]`} {
		if _, a := w.query(t, `{}`, rest); a.status != 400 {
			t.Errorf("%s: got %d", rest, a.status)
		}
	}
}

func TestQueryChannels(t *testing.T) {
	w := seeded(t, people)
	w.seed(`{
		"channels": [
			{"cid": "messaging:one", "created_by_id": "ada", "members": ["ada", "bea"], "created_at": "2026-01-01T00:00:00Z", "color": "red"},
			{"cid": "messaging:two", "created_by_id": "bea", "members": ["bea", {"user_id": "cid", "channel_role": "channel_moderator"}], "created_at": "2026-01-02T00:00:00Z", "frozen": true},
			{"type": "team", "id": "three", "created_by_id": "ada", "members": ["ada", "bea", "cid"], "created_at": "2026-01-03T00:00:00Z", "name": "All of us"},
			{"cid": "team:gone", "created_by_id": "ada", "members": ["ada"], "deleted_at": "2026-01-03T00:00:00Z"}],
		"messages": [
			{"id": "m1", "cid": "messaging:one", "user_id": "ada", "text": "first", "created_at": "2026-02-02T00:00:00Z"},
			{"id": "m0", "cid": "messaging:one", "user_id": "bea", "text": "zeroth", "created_at": "2026-02-01T00:00:00Z"}]}`)
	find := func(body string) (string, answer) {
		t.Helper()
		a := w.call("POST", "/channels", body)
		var out struct {
			Channels []struct {
				Channel  struct{ ID string }
				Messages []struct{ ID string }
			}
		}
		if err := json.Unmarshal(a.body, &out); err != nil {
			t.Fatal(err)
		}
		var list []string
		for _, ch := range out.Channels {
			list = append(list, ch.Channel.ID)
		}
		return strings.Join(list, " "), a
	}
	for filter, want := range map[string]string{
		`{}`:                                                  "one three two",
		`{"members":{"$in":["cid"]}}`:                         "three two",
		`{"members":{"$eq":["bea","ada"]}}`:                   "one",
		`{"members":["cid","bea"]}`:                           "two",
		`{"members":{"$in":["eve"]}}`:                         "",
		`{"cid":{"$in":["messaging:two","x:y"]}}`:             "two",
		`{"created_by_id":"ada"}`:                             "one three",
		`{"type":"team"}`:                                     "three",
		`{"id":{"$eq":"two"}}`:                                "two",
		`{"member_count":{"$gt":2}}`:                          "three",
		`{"last_message_at":{"$exists":true}}`:                "one",
		`{"last_message_at":{"$gte":"2026-02-02T00:00:00Z"}}`: "one",
		`{"frozen":true}`:                                     "two",
		`{"name":{"$autocomplete":"of"}}`:                     "three",
		`{"color":"red"}`:                                     "one",
		`{"member.user.name":"Cid"}`:                          "three two",
		`{"$or":[{"type":"team"},{"id":"two"}]}`:              "three two",
	} {
		if got, a := find(`{"filter_conditions":` + filter + `}`); got != want || a.status != 201 {
			t.Errorf("%s: got %q, want %q (%d)", filter, got, want, a.status)
		}
	}
	if got, _ := find(`{"sort":[{"field":"created_at","direction":1}],"limit":1,"offset":1}`); got != "two" {
		t.Errorf("got %s", got)
	}
	_, a := find(`{"filter_conditions":{"id":"one"},"message_limit":1,"member_limit":1}`)
	a.want(t, 201, `"messages":[{"id":"m1"`, `"last_message_at":"2026-02-02T00:00:00Z"`)
	if strings.Contains(string(a.body), `"id":"m0"`) || strings.Contains(string(a.body), `"members":[{"user_id":"ada"},{`) {
		t.Errorf("the limits are ignored: %s", a.body)
	}
	_, a = find(`{"filter_conditions":{"id":"one"},"state":false}`)
	a.want(t, 201, `"messages":[]`, `"members":[]`)

	for body, want := range map[string]string{
		`{"member_limit":101}`:                   "member_limit must be 100 or less",
		`{"member_limit":-1}`:                    "member_limit must be 0 or greater",
		`{"filter_conditions":{"muted":true}}`:   "muted requires a valid user",
		`{"offset":1001}`:                        "offset must be 1000 or less",
		`{"filter_conditions":{"cid":{"$x":1}}}`: "operator $x is not supported for field channels.cid",
	} {
		w.call("POST", "/channels", body).wantError(t, 400, 4, `QueryChannels failed with error: "`+want+`"`)
	}

	w.call("GET", "/channels/team/three", "").want(t, 200, `"name":"All of us"`)
	w.call("GET", "/channels/team/gone", "").wantError(t, 404, 16, `GetChannel failed with error: "Can't find channel with id team:gone"`)
	w.call("GET", "/channels/team/never", "").wantError(t, 404, 16, `GetChannel failed with error: "Can't find channel with id team:never"`)
	if _, ok := w.Channel("team:never"); ok {
		t.Error("a look-up created a channel")
	}
	w.call("POST", "/channels/team/new/query", `{"data":{}}`).
		wantError(t, 400, 4, `GetOrCreateChannel failed with error: "either data.created_by or data.created_by_id must be provided when using server side auth."`)
	w.call("POST", "/channels/team/new/query", `{"data":{"created_by_id":"eve"}}`).
		wantError(t, 404, 16, `GetOrCreateChannel failed with error: "the user eve was deleted"`)
	w.call("POST", "/channels/team/new/query", `{"data":{"created_by":{"id":"fresh"},"members":["ada"],"big":12345678901234567890}}`).
		want(t, 201, `"created_by":{"id":"fresh"`, `"big":12345678901234567890`)
	members := func(filter string) string {
		a := w.call("GET", "/members?payload="+url.QueryEscape(`{"type":"messaging","id":"two","filter_conditions":`+filter+`}`), "")
		var out struct {
			Members []struct {
				UserID string `json:"user_id"`
			}
		}
		if err := json.Unmarshal(a.body, &out); err != nil || a.status != 200 {
			t.Fatalf("%v %d %s", err, a.status, a.body)
		}
		var list []string
		for _, m := range out.Members {
			list = append(list, m.UserID)
		}
		return strings.Join(list, " ")
	}
	if got := members(`{}`); got != "bea cid" {
		t.Errorf("the members are %s", got)
	}
	if got := members(`{"channel_role":"channel_moderator"}`); got != "cid" {
		t.Errorf("the moderators are %s", got)
	}
}

func TestPolls(t *testing.T) {
	w := seeded(t, people)
	for i := range 12 {
		by := []string{"ada", "bea"}[i%2]
		w.call("POST", "/polls", fmt.Sprintf(`{"id":"p%02d","name":"Poll %d","user_id":%q,"options":[{"text":"yes"}],"kind":"x"}`, i, i, by)).
			want(t, 201, `"created_by_id":"`+by+`"`, `"text":"yes"`, `"kind":"x"`)
	}
	var got []string
	next := ""
	for range 3 {
		a := w.call("POST", "/polls/query?user_id=cid", `{"filter":{"created_by_id":{"$in":["ada","nobody"]}},"limit":4,"sort":[{"field":"id","direction":1}],"next":"`+next+`"}`)
		var out struct {
			Polls []struct{ ID string }
			Next  string
		}
		if err := json.Unmarshal(a.body, &out); err != nil || a.status != 201 {
			t.Fatalf("%v %s", err, a.body)
		}
		for _, p := range out.Polls {
			got = append(got, p.ID)
		}
		if next = out.Next; next == "" {
			break
		}
	}
	if want := []string{"p00", "p02", "p04", "p06", "p08", "p10"}; !slices.Equal(got, want) {
		t.Errorf("got %v", got)
	}
	w.call("POST", "/polls/query", `{}`).
		wantError(t, 400, 4, `QueryPolls failed with error: "either user or user_id must be provided when using server side auth."`)
	w.call("GET", "/polls/p00", "").want(t, 200, `"name":"Poll 0"`)
	w.call("DELETE", "/polls/p00?user_id=ada", "").want(t, 200)
	w.call("GET", "/polls/p00", "").wantError(t, 404, 16, `GetPoll failed with error: "poll with id p00 doesn't exist"`)
	w.call("DELETE", "/polls/p02?user_id=eve", "").wantError(t, 404, 16, `DeletePoll failed with error: "the user eve was deleted"`)
	w.call("POST", "/polls", `{"name":"x","user_id":"ada","max_votes_allowed":11}`).
		wantError(t, 400, 4, `CreatePoll failed with error: "max_votes_allowed must be 10 or less"`)
	if _, ok := w.Poll("p02"); !ok {
		t.Error("the poll is gone")
	}
}

func TestReservedAndNestedIDs(t *testing.T) {
	w := seeded(t, people)
	w.call("POST", "/users", `{"users":{"a b":{"id":"a b"}}}`).
		wantError(t, 400, 4, `UpdateUsers failed with error: "user id "a b" is not valid"`)
	// One bad user fails the batch.
	w.call("POST", "/users", `{"users":{"new1":{"id":"new1"},"eve":{"id":"eve"}}}`).
		wantError(t, 404, 16, `UpdateUsers failed with error: "the user eve was deleted"`)
	if _, ok := w.User("new1"); ok {
		t.Error("half a batch was done")
	}
	// A nested object creates its user, an id only as the sender of a message.
	w.call("POST", "/channels/team/t1/query", `{"data":{"created_by_id":"ada"}}`).want(t, 201)
	w.call("POST", "/channels/team/t1/message", `{"message":{"text":"x","user":{"id":"nested"}}}`).want(t, 201)
	w.call("POST", "/channels/team/t1/message", `{"message":{"id":"m1","text":"x","user_id":"sender"}}`).want(t, 201, `"user":{"id":"sender"`)
	for _, id := range []string{"nested", "sender"} {
		if _, ok := w.User(id); !ok {
			t.Errorf("%s was not created", id)
		}
	}
	w.call("POST", "/channels/team/t1/message", `{"message":{"text":"x","user_id":"eve"}}`).
		wantError(t, 404, 16, `SendMessage failed with error: "the user eve was deleted"`)
	w.call("POST", "/channels/team/t1/message", `{"message":{"text":"x","user_id":"a b"}}`).
		wantError(t, 400, 4, `SendMessage failed with error: "user id "a b" is not valid"`)
	w.call("POST", "/messages/m1", `{"message":{"text":"y","user_id":"unknown"}}`).
		wantError(t, 404, 16, `UpdateMessage failed with error: "the user unknown does not exist"`)
	w.call("POST", "/messages/m1/reaction", `{"reaction":{"type":"like","user_id":"unknown"}}`).
		wantError(t, 404, 16, `SendReaction failed with error: "the user unknown does not exist"`)
	w.call("POST", "/channels/team/t2/query", `{"data":{"created_by_id":"unknown"}}`).want400(t)
	if _, ok := w.User("unknown"); ok {
		t.Error("an id made a user")
	}
	if a := w.call("POST", "/channels/team/t1/message", `{"message":{"text":"`+strings.Repeat("x", 5001)+`","user_id":"ada"}}`); a.status != 400 {
		t.Errorf("a long text gets %d", a.status)
	}
	// A no-op PATCH tells deleted, deactivated, missing and present apart.
	for id, want := range map[string]string{"eve": "was deleted", "dot": "was deactivated", "zoe": "does not exist"} {
		w.call("PATCH", "/users", `{"users":[{"id":"`+id+`","set":{}}]}`).
			wantError(t, 404, 16, `UpdateUsersPartial failed with error: "the user `+id+" "+want+`"`)
	}
	w.call("PATCH", "/users", `{"users":[{"id":"ada","set":{}}]}`).want(t, 200, `"updated_at":"2026-01-01T00:00:00Z"`, `"membership_deletion_task_id":""`)
}

func TestChannelUpdates(t *testing.T) {
	w := seeded(t, people)
	w.seed(`{"channels": [{"cid": "team:x", "created_by_id": "ada", "members": ["ada", "bea"], "color": "red", "keep": 1}],
		"messages": [{"id": "m1", "cid": "team:x", "user_id": "ada", "text": "one"}]}`)
	w.clock.Advance(time.Second)
	w.call("PATCH", "/channels/team/x", `{"set":{"color":"blue","a.b":2,"frozen":true},"unset":["nothing"]}`).
		want(t, 200, `"color":"blue","keep":1,"a":{"b":2}`, `"frozen":true`)
	w.call("PATCH", "/channels/team/x", `{"set":{"member_count":5}}`).
		wantError(t, 400, 4, `UpdateChannelPartial failed with error: "member_count is a reserved field"`)
	w.call("PATCH", "/channels/team/x", `{"unset":["a.b"]}`).want(t, 200, `"a":{}`)
	w.call("POST", "/channels/team/x", `{"data":{"only":true,"frozen":false},"message":{"text":"renamed","user_id":"ada"}}`).
		want(t, 201, `"only":true`, `"frozen":false`)
	if s, _ := w.Channel("team:x"); len(s.Custom) != 1 || s.Messages != 2 {
		t.Errorf("the channel is %+v", s)
	}
	w.call("POST", "/channels/team/x", `{"add_members":[{"user_id":"cid","channel_role":"channel_moderator"}],"remove_members":["bea","nobody"],"hide_history":true}`).
		want(t, 201, `"member_count":2`, `"channel_role":"channel_moderator"`)
	w.call("POST", "/channels/team/x", `{"invites":["bea"],"demote_moderators":["cid"]}`).want(t, 201, `"invited":true`, `"member_count":3`)
	w.call("POST", "/channels/team/x", `{"add_members":["nobody"]}`).wantError(t, 400, 4, `UpdateChannel failed with error: "The following users are `+
		`involved in channel update operation, but don't exist: [nobody]. Please create the user objects before setting up the channel."`)
	w.call("POST", "/channels/team/x", `{"add_members":["eve"]}`).
		wantError(t, 404, 16, `UpdateChannel failed with error: "the user eve was deleted"`)
	// The history is hidden from whom it was hidden, and from nobody else.
	w.call("POST", "/channels", `{"filter_conditions":{"cid":"team:x"},"user_id":"cid"}`).want(t, 201, `"messages":[]`)
	w.call("POST", "/channels", `{"filter_conditions":{"cid":"team:x"},"user_id":"ada"}`).want(t, 201, `"id":"m1"`)

	w.call("POST", "/channels/team/x/truncate", `{"member_ids":["ada"],"user_id":"ada"}`).want(t, 201)
	w.call("POST", "/channels", `{"filter_conditions":{"cid":"team:x"},"user_id":"ada"}`).want(t, 201, `"messages":[]`)
	w.call("POST", "/channels", `{"filter_conditions":{"cid":"team:x"}}`).want(t, 201, `"id":"m1"`)

	a := w.call("POST", "/channels/team/x/truncate", `{"message":{"id":"t1","text":"truncated","user_id":"ada"},"user_id":"ada","skip_push":true}`)
	a.want(t, 201, `"truncated_by":{"id":"ada"`, `"type":"system"`)
	w.call("POST", "/channels", `{"filter_conditions":{"cid":"team:x"}}`).want(t, 201, `"messages":[{"id":"t1"`)
	w.call("GET", "/messages/m1", "").want(t, 200, `"type":"deleted"`)
	w.call("POST", "/channels/team/x/truncate", `{"truncated_at":"2026-01-01T00:00:00Z"}`).
		wantError(t, 400, 4, `TruncateChannel failed with error: "truncated_at must be more recent than previous one"`)
	w.call("DELETE", "/messages/m1?hard=true", "").want(t, 200)
	if s, _ := w.Channel("team:x"); s.Messages != 2 {
		t.Errorf("the channel is %+v", s)
	}
	w.call("DELETE", "/channels/team/x?hard_delete=true", "").want(t, 200, `"deleted_at"`)
	w.wait()
	if _, ok := w.Channel("team:x"); ok {
		t.Error("the channel is still there")
	}
}

func TestMessageUpdates(t *testing.T) {
	w := seeded(t, people)
	w.seed(`{"channels": [{"cid": "team:x", "created_by_id": "ada", "members": ["ada", "bea"]}],
		"polls": [{"id": "p1", "created_by_id": "ada", "name": "Lunch?"}],
		"messages": [{"id": "m1", "cid": "team:x", "user_id": "ada", "text": "one", "mood": "fine"},
			{"id": "r1", "cid": "team:x", "user_id": "bea", "parent_id": "m1", "created_at": "2026-03-02T00:00:01Z"},
			{"id": "r2", "cid": "team:x", "user_id": "bea", "parent_id": "m1", "created_at": "2026-03-02T00:00:02Z"},
			{"id": "r3", "cid": "team:x", "user_id": "bea", "parent_id": "m1", "created_at": "2026-03-02T00:00:03Z"}]}`)
	if _, err := w.sdk.PinMessage(bg(), "m1", "ada", nil); err != nil {
		t.Fatal(err)
	}
	w.call("GET", "/messages/m1", "").want(t, 200, `"pinned":true`, `"pinned_by":{"id":"ada"`, `"mood":"fine"`)
	w.call("PUT", "/messages/m1", `{"set":{"text":"two","mood":null},"user_id":"ada"}`).want(t, 201, `"text":"two"`, `"mood":null`)
	w.call("PUT", "/messages/m1", `{"set":{"reply_count":7}}`).
		wantError(t, 400, 4, `UpdateMessagePartial failed with error: "message.reply_count is a reserved field"`)
	if _, err := w.sdk.UpdateMessage(bg(), &stream.Message{Text: "three", UserID: "ada"}, "m1"); err != nil {
		t.Fatal(err)
	}
	if m, _ := w.Message("m1"); m.Text != "three" || len(m.Custom) != 0 {
		t.Errorf("the message is %+v", m)
	}
	ids := func(query string) string {
		t.Helper()
		a := w.call("GET", "/messages/m1/replies"+query, "")
		var out struct{ Messages []struct{ ID string } }
		if err := json.Unmarshal(a.body, &out); err != nil || a.status != 200 {
			t.Fatalf("%v %s", err, a.body)
		}
		var list []string
		for _, m := range out.Messages {
			list = append(list, m.ID)
		}
		return strings.Join(list, " ")
	}
	for query, want := range map[string]string{
		"": "r1 r2 r3", "?limit=2": "r2 r3", "?id_lt=r3&limit=1": "r2", "?id_gt=r1&limit=1": "r2", "?id_gte=r2": "r2 r3", "?id_lte=r1": "r1",
	} {
		if got := ids(query); got != want {
			t.Errorf("%s: got %s, want %s", query, got, want)
		}
	}
	send := func(body string) answer { return w.call("POST", "/channels/team/x/message", `{"message":`+body+`}`) }
	send(`{"text":"q","user_id":"ada","quoted_message_id":"m1","poll_id":"p1"}`).want(t, 201, `"quoted_message":{"id":"m1"`, `"poll":{"id":"p1"`)
	for body, want := range map[string]string{
		`{"user_id":"ada","id":"a,b"}`:                       "message id a,b is not valid",
		`{"user_id":"ada","type":"odd"}`:                     "message.type must be one of [regular system]",
		`{"user_id":"ada","created_at":"x"}`:                 "message.created_at is a reserved field",
		`{"text":"who"}`:                                     "either message.user or message.user_id must be provided when using server side auth.",
		`{"user_id":"ada","attachments":["x"]}`:              "invalid json data",
		`{"user_id":"ada","id":"` + strings.Repeat("x", 256): "",
	} {
		a := send(body)
		if want == "" {
			if a.status != 400 {
				t.Errorf("%.40s: got %d", body, a.status)
			}
			continue
		}
		a.wantError(t, 400, 4, `SendMessage failed with error: "`+want+`"`)
	}
	send(`{"user_id":"ada","parent_id":"none"}`).wantError(t, 404, 16, `SendMessage failed with error: "message with id none doesn't exist"`)
	if a := send(`{"user_id":"ada","parent_id":"r1"}`); a.status != 400 {
		t.Errorf("a reply to a reply gets %d", a.status)
	}
	w.call("POST", "/messages/r1/reaction", `{"reaction":{"type":"like","user_id":"ada","score":5}}`).want(t, 201, `"reaction_scores":{"like":5}`)
	w.call("POST", "/messages/r1/reaction", `{"reaction":{"type":"like","user_id":"ada"}}`).want(t, 201, `"reaction_scores":{"like":1}`)
	w.call("POST", "/messages/r1/reaction", `{"reaction":{"type":"wow","user":{"id":"new"}}}`).want(t, 201, `"reaction_counts":{"like":1,"wow":1}`)
	w.call("POST", "/messages/r1/reaction", `{"reaction":{"type":"love","user_id":"ada"},"enforce_unique":true}`).want(t, 201, `"reaction_counts":{"love":1,"wow":1}`)
	w.call("DELETE", "/messages/r1/reaction/like?user_id=ada", "").
		wantError(t, 404, 16, `DeleteReaction failed with error: "reaction of type like by user ada doesn't exist"`)
}

func TestUniqueNames(t *testing.T) {
	w := seeded(t, people)
	w.call("PATCH", "/app", `{"enforce_unique_usernames":"app"}`).want(t, 200)
	w.call("POST", "/users/dot/reactivate", `{"name":"ada lovelace","created_by_id":""}`).
		wantError(t, 400, 6, `ReactivateUser failed with error: "username 'ada lovelace' already exists"`)
	w.call("POST", "/users/dot/reactivate", `{"name":"Dot","created_by_id":""}`).want(t, 201, `"name":"Dot"`)
	w.call("POST", "/users/dot/deactivate", `{"mark_channels_deleted":true}`).want(t, 201, `"deactivated_at"`)
	w.call("POST", "/users/dot/reactivate", `{"name":""}`).want(t, 201, `"name":"Dot"`)
}
