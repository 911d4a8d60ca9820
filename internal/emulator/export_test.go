// Copyright (c) the terraform-provider-streamchat authors
// SPDX-License-Identifier: MPL-2.0

package emulator_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/emulator"
)

// odd is custom data that a careless round trip would change.
const odd = `"big":9007199254740993,"neg":-9223372036854775808,"float":1.10,"exp":1E400,"null":null,` +
	`"markup":"<script>a && b</script>","esc":"\u003cb\u003e \ud83d\ude00 \u2028","emoji":"👩‍👩‍👧 é","empty":{},` +
	`"nested":{"z":1,"a":[1,2.50,{"b":null}],"z2":"\/"},"":"no name","list":[]`

func TestExportIsLossless(t *testing.T) {
	w := seeded(t, `{
		"users": [{"id": "alice", `+odd+`}],
		"channels": [{"cid": "messaging:chat", "created_by_id": "alice", "members": ["alice"], `+odd+`}],
		"messages": [{"id": "m1", "cid": "messaging:chat", "user_id": "alice", "text": "a <b> & \"c\" \\ \u0007 😀",
			"attachments": [{"type":"x","n":12345678901234567890}], `+odd+`}],
		"reactions": [{"message_id": "m1", "user_id": "alice", "type": "like", `+odd+`}]}`)
	a := w.call("GET", "/users/alice/export", "")
	a.want(t, 200, `"text":"a <b> & \"c\" \\ \u0007 😀"`, `"attachments":[{"type":"x","n":12345678901234567890}]`,
		`"user":null,"attachments"`, `"reaction_counts":{"like":1}`, `"user_id":"alice","user":null,"type":"like"`)
	if n := bytes.Count(a.body, []byte(odd)); n != 3 {
		t.Errorf("the custom data is there %d times as it was: %s", n, a.body)
	}
	if !json.Valid(a.body) {
		t.Errorf("not JSON: %s", a.body)
	}
	// The same through an upsert.
	w.call("POST", "/users", `{"users":{"bob":{"id":"bob",`+odd+`}}}`).want(t, 201, odd)
	w.call("PATCH", "/users", `{"users":[{"id":"bob","set":{"more":12345678901234567890}}]}`).want(t, 200, odd+`,"more":12345678901234567890`)
	w.call("POST", "/channels", `{"filter_conditions":{"cid":"messaging:chat"}}`).want(t, 201, odd)
	if s, _ := w.User("bob"); string(s.Custom["big"]) != "9007199254740993" {
		t.Errorf("big is %s", s.Custom["big"])
	}
}

func TestExportUser(t *testing.T) {
	w := start(t, emulator.Options{ExportLimit: 2})
	msgs := populate(t, w)
	a := w.call("GET", "/users/alice/export", "")
	a.want(t, 200, msgs["alice-chat"], msgs["alice-group"], `"reply_count":1`)
	var out struct {
		User      struct{ ID string }
		Messages  []struct{ ID string }
		Reactions []struct {
			MessageID string `json:"message_id"`
		}
	}
	if err := json.Unmarshal(a.body, &out); err != nil {
		t.Fatal(err)
	}
	if out.User.ID != "alice" || len(out.Messages) != 2 || len(out.Reactions) != 1 || out.Reactions[0].MessageID != msgs["carol-group"] {
		t.Errorf("the export is %s", a.body)
	}
	if strings.Contains(string(a.body), "hi alice") {
		t.Error("the export has someone else's message")
	}
	w.call("POST", "/channels/team/group/message", `{"message":{"text":"one more","user_id":"alice"}}`).want(t, 201)
	w.call("GET", "/users/alice/export", "").
		wantError(t, 400, 4, `ExportUser failed with error: "the user alice has more than 2 messages or reactions"`)
	w.call("GET", "/users/nobody/export", "").
		wantError(t, 404, 16, `ExportUser failed with error: "the user nobody does not exist"`)
	w.call("POST", "/users/bob/deactivate", `{}`).want(t, 201)
	w.call("GET", "/users/bob/export", "").want(t, 200, `"deactivated_at"`)
}

// fetch downloads an export by its URL, without credentials.
func (w *world) fetch(url string) answer {
	w.t.Helper()
	req, err := http.NewRequestWithContext(w.t.Context(), http.MethodGet, url, nil)
	if err != nil {
		w.t.Fatal(err)
	}
	a, err := w.do(req)
	if err != nil {
		w.t.Fatal(err)
	}
	return a
}

func (w *world) exportURL(path, task string) string {
	w.t.Helper()
	a := w.call("GET", path+task, "")
	a.want(w.t, 200, `"status":"completed"`)
	url, _ := a.json(w.t)["result"].(map[string]any)["url"].(string)
	return url
}

// lines reads line-separated JSON as "type id".
func lines(t *testing.T, body []byte) []string {
	t.Helper()
	var list []string
	sc := bufio.NewScanner(bytes.NewReader(body))
	for sc.Scan() {
		var l struct {
			Type string
			Data struct {
				ID        string
				CID       string
				UserID    string `json:"user_id"`
				MessageID string `json:"message_id"`
			}
		}
		if err := json.Unmarshal(sc.Bytes(), &l); err != nil {
			t.Fatalf("%v: %s", err, sc.Bytes())
		}
		id := l.Data.ID
		switch l.Type {
		case "member", "reaction":
			id = l.Data.UserID
		}
		list = append(list, l.Type+" "+id)
	}
	return list
}

func TestExportUsers(t *testing.T) {
	w := start(t, emulator.Options{})
	msgs := populate(t, w)
	a := w.call("POST", "/export/users", `{"user_ids":["alice","carol"]}`)
	a.want(t, 201)
	task := a.json(t)["task_id"].(string)
	w.call("GET", "/tasks/"+task, "").want(t, 200, `"status":"pending"`)
	w.wait()
	url := w.exportURL("/tasks/", task)
	if !strings.Contains(url, "/exports/users/") {
		t.Errorf("the url is %s", url)
	}
	if again := w.exportURL("/tasks/", task); again == url {
		t.Error("the url was not regenerated")
	}
	file := w.fetch(url)
	want := []string{
		"user alice", "message " + msgs["alice-chat"], "message " + msgs["alice-group"], "reaction alice",
		"user carol", "message " + msgs["carol-group"],
	}
	if diff := cmp.Diff(want, lines(t, file.body)); file.status != 200 || diff != "" {
		t.Errorf("%d %s", file.status, diff)
	}

	if got := w.fetch(strings.Replace(url, "Nonce=1", "Nonce=9", 1)); got.status != 403 {
		t.Errorf("a forged url gets %d", got.status)
	}
	w.clock.Advance(24 * time.Hour)
	if got := w.fetch(url); got.status != 403 || !strings.Contains(string(got.body), "expired") {
		t.Errorf("an old url gets %d %s", got.status, got.body)
	}
	if got := w.fetch(w.exportURL("/tasks/", task)); got.status != 200 {
		t.Errorf("a new url gets %d", got.status)
	}
	w.clock.Advance(60 * 24 * time.Hour)
	if got := w.fetch(w.exportURL("/tasks/", task)); got.status != 404 {
		t.Errorf("an old file gets %d", got.status)
	}
	w.call("POST", "/export/users", `{"user_ids":["nobody"]}`).
		wantError(t, 404, 16, `ExportUsers failed with error: "the user nobody does not exist"`)
}

func TestExportChannels(t *testing.T) {
	w := start(t, emulator.Options{})
	msgs := populate(t, w)
	export := func(body string) []byte {
		t.Helper()
		a := w.call("POST", "/export_channels", body)
		a.want(t, 201)
		w.wait()
		// The older path answers the same.
		return w.fetch(w.exportURL("/export_channels/", a.json(t)["task_id"].(string))).body
	}

	var v1 []struct {
		Channel  struct{ CID string }
		Messages []struct {
			ID, Text string
			User     struct{ ID string }
		}
		Members []struct {
			UserID string `json:"user_id"`
		}
		Users []struct{ ID string }
	}
	body := export(`{"channels":[{"type":"messaging","id":"chat"},{"cid":"team:group"}],"export_users":true}`)
	if err := json.Unmarshal(body, &v1); err != nil {
		t.Fatalf("%v: %s", err, body)
	}
	if len(v1) != 2 || v1[0].Channel.CID != "messaging:chat" || len(v1[0].Messages) != 2 || len(v1[0].Members) != 2 ||
		v1[0].Messages[0].User.ID != "alice" || len(v1[1].Messages) != 3 || len(v1[1].Users) != 3 {
		t.Errorf("the export is %+v", v1)
	}

	want := []string{
		"user alice", "user bob", "channel chat", "member alice", "member bob",
		"message " + msgs["alice-chat"], "message " + msgs["bob-chat"],
	}
	body = export(`{"channels":[{"cid":"messaging:chat"}],"version":"v2","export_users":true}`)
	if diff := cmp.Diff(want, lines(t, body)); diff != "" {
		t.Error(diff)
	}

	// alice-chat came in the first second, bob-chat in the second.
	until := noon.Add(time.Second).Format(time.RFC3339)
	body = export(fmt.Sprintf(`{"channels":[{"cid":"messaging:chat","messages_until":%q}],"version":"v2"}`, until))
	if diff := cmp.Diff([]string{"channel chat", "member alice", "member bob", "message " + msgs["alice-chat"]}, lines(t, body)); diff != "" {
		t.Error(diff)
	}
	body = export(fmt.Sprintf(`{"channels":[{"cid":"messaging:chat","messages_since":%q}]}`, noon.Add(2*time.Second).Format(time.RFC3339)))
	if bytes.Contains(body, []byte(msgs["alice-chat"])) || !bytes.Contains(body, []byte(msgs["bob-chat"])) {
		t.Errorf("the export is %s", body)
	}

	w.call("DELETE", "/messages/"+msgs["bob-chat"], "").want(t, 200, `"type":"deleted"`)
	if body = export(`{"channels":[{"cid":"messaging:chat"}]}`); !bytes.Contains(body, []byte("hi alice")) {
		t.Errorf("the deleted text is not in %s", body)
	}
	if body = export(`{"channels":[{"cid":"messaging:chat"}],"clear_deleted_message_text":true}`); bytes.Contains(body, []byte("hi alice")) {
		t.Errorf("the deleted text is in %s", body)
	}

	w.call("POST", "/channels/team/group/truncate", `{}`).want(t, 201, `"truncated_at"`)
	if body = export(`{"channels":[{"cid":"team:group"}]}`); bytes.Contains(body, []byte("hello")) {
		t.Errorf("truncated messages are in %s", body)
	}
	if body = export(`{"channels":[{"cid":"team:group"}],"include_truncated_messages":true}`); !bytes.Contains(body, []byte("hello")) {
		t.Errorf("truncated messages are not in %s", body)
	}

	w.call("DELETE", "/channels/messaging/chat", "").want(t, 200, `"created_by":null`, `"deleted_at"`)
	const unknown = `ExportChannels failed with error: "Can't find channel with id messaging:chat"`
	w.call("POST", "/export_channels", `{"channels":[{"cid":"messaging:chat"}]}`).wantError(t, 404, 16, unknown)
	if body = export(`{"channels":[{"cid":"messaging:chat"}],"include_soft_deleted_channels":true}`); !bytes.Contains(body, []byte("hi <b>bob")) {
		t.Errorf("the deleted channel's messages are not in %s", body)
	}
	a := w.call("GET", "/tasks/nonsense", "")
	a.wantError(t, 404, 16, `GetTask failed with error: "Can't find task with id "nonsense""`)
}
