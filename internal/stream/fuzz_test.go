// Copyright (c) the terraform-provider-streamchat authors
// SPDX-License-Identifier: MPL-2.0

package stream

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/clock/clocktest"
)

// plain is what encoding/json makes of a text by itself, to compare with.
func plain(text []byte) (v any) {
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.UseNumber()
	_ = decoder.Decode(&v)
	return v
}

// in is the value under the keys, nil where there is none.
func in(v any, keys ...string) any {
	for _, key := range keys {
		object, _ := v.(map[string]any)
		v = object[key]
	}
	return v
}

func isObject(v any) bool {
	_, ok := v.(map[string]any)
	return ok
}

// listed are the values that of finds in the elements of the list at key.
func listed(v any, key string, of ...string) []any {
	list, _ := in(v, key).([]any)
	values := make([]any, len(list))
	for i, element := range list {
		values[i] = in(element, of...)
	}
	return values
}

// inOurWords checks a decoder's error: Stream's words are not in it.
func inOurWords(t *testing.T, err error) {
	t.Helper()
	if _, ours := err.(shapeError); !ours { //nolint:errorlint // decoders do not wrap
		t.Errorf("%T: %v", err, err)
	}
}

// moments checks times that came out of a row: what the row says, and fit to be
// written into a record.
func moments(t *testing.T, row any, times map[string]*time.Time) {
	t.Helper()
	for key, got := range times {
		text, _ := in(row, key).(string)
		want, err := time.Parse(time.RFC3339, text)
		switch {
		case got == nil && err == nil && !want.IsZero(), got != nil && (err != nil || !got.Equal(want)):
			t.Errorf("%s is %v, the row says %q", key, got, text)
		case got != nil:
			if _, err := json.Marshal(got); err != nil || got.Location() != time.UTC {
				t.Errorf("%s: %v", key, err)
			}
		}
	}
}

// answering is a client whose network is a function. Nothing is repeated.
func answering(t *testing.T, answer func(*http.Request) (*http.Response, error)) *Client {
	t.Helper()
	c, err := New(Config{APIKey: testKey, APISecret: testSecret, BaseURL: "https://canary.example", Clock: clocktest.New(testStart)})
	if err != nil {
		t.Fatal(err)
	}
	c.transport.next = roundTripper(answer)
	return c
}

func response(r *http.Request, status int, body []byte) *http.Response {
	return &http.Response{StatusCode: status, Header: http.Header{}, Body: io.NopCloser(bytes.NewReader(body)), Request: r}
}

// FuzzTask: a task is completed, a subject dealt with and an error absent only
// when the bytes say so.
func FuzzTask(f *testing.F) {
	for _, seed := range []string{
		task, `{"task_id":"task-1","status":"completed","result":{"alice":{"status":"ok"}}}`,
		`{"task_id":"task-1","status":"failed","error":{"type":"x"}}`,
		`{"task_id":"task-1","status":"completed","result":{"url":"x"}}`, `{"task_id":1}`, `[]`, ``,
		`{"task_id":"task-1","status":"x","created_at":1}`,
		`{"task_id":"task-1","Status":"completed","result":{"alice":{"Status":"ok"},"bob":null,"eve":{"status":["ok"]}},"error":{}}`,
		`{"task_id":"task-1","status":"completed","updated_at":"9999-12-31T23:59:59-01:00"}`,
		`{"task_id":"task-1","status":"running","error":""}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		task, err := decodeTask(body, "task-1")
		if err != nil {
			inOurWords(t, err)
			return
		}
		said := plain(body)
		if task.ID != in(said, "task_id") || task.ID != "task-1" || task.Status != in(said, "status") || task.Status == "" {
			t.Errorf("%q gives %+v", body, task)
		}
		if !json.Valid(body) {
			t.Errorf("%q is a task", body)
		}
		for subject, result := range task.Results {
			if status, _ := in(said, "result", subject, "status").(string); result.Status != status {
				t.Errorf("%q: %s is %q", body, subject, result.Status)
			}
		}
		if entries, _ := in(said, "result").(map[string]any); len(entries) != len(task.Results) {
			t.Errorf("%q: results %v", body, task.Results)
		}
		if text, _ := in(said, "result", "url").(string); task.URL != text {
			t.Errorf("%q: the file is at %q", body, task.URL)
		}
		switch said := in(said, "error").(type) {
		case nil:
		case string:
			if (said != "") != (task.Err != nil) {
				t.Errorf("%q: error %v", body, task.Err)
			}
		case map[string]any:
			if (len(said) > 0) != (task.Err != nil) {
				t.Errorf("%q: error %v", body, task.Err)
			}
		default:
			if task.Err == nil {
				t.Errorf("%q has no error", body)
			}
		}
		moments(t, said, map[string]*time.Time{"created_at": orNil(task.CreatedAt), "updated_at": orNil(task.UpdatedAt)})
	})
}

func orNil(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}

// FuzzUsers: who is found, deactivated or deleted is so in the bytes, and nobody
// is found who was not asked for.
func FuzzUsers(f *testing.F) {
	for _, seed := range []string{
		`{"users":[]}`, `{"users":[{"id":"alice","role":"user","created_at":"2026-01-01T00:00:00Z","banned":false,"teams":[],"x":{}}]}`,
		`{"users":null}`, `{"users":[{"id":"eve"}]}`, `{"users":[{"id":"alice","custom":{"a":1}}]}`, `{`, `{"users":[{"ID":"alice"}]}`,
		`{"users":[{"id":"alice","deleted_at":"0000-01-01T00:00:00+01:00","Deactivated_at":"2026-01-01T00:00:00Z"},{"id":"bob",` +
			`"deactivated_at":"2026-01-01T00:00:00Z"}]}`,
		`{"user":{"id":"alice","deactivated_at":"2026-01-01T00:00:00.5+01:00"}}`, `{"users":{"alice":{},"bob":{"id":"bob"}}}`,
		`{"users":{"alice":{},"bob":null}}`,
	} {
		f.Add([]byte(seed))
	}
	asked := []string{"alice", "bob"}
	same := func(t *testing.T, user User, row any) {
		t.Helper()
		if user.ID != in(row, "id") || user.ID == "" || len(user.Fields) != len(row.(map[string]any)) {
			t.Errorf("%v gives %+v", row, user)
		}
		moments(t, row, map[string]*time.Time{
			"created_at": user.CreatedAt, "updated_at": user.UpdatedAt, "last_active": user.LastActive,
			"deactivated_at": user.DeactivatedAt, "deleted_at": user.DeletedAt,
		})
		for name := range user.Custom() {
			if OwnField(name) && in(row, "custom", name) == nil && name != "custom" {
				t.Errorf("%q passes for a custom field of %v", name, row)
			}
		}
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		said := plain(body)
		users, err := decodeUsers(body, asked)
		if err != nil {
			inOurWords(t, err)
		} else if users == nil || in(said, "users") == nil {
			t.Errorf("nobody knows from %q whether there are users", body)
		}
		rows := map[string]any{}
		for _, row := range listed(said, "users") {
			id, _ := in(row, "id").(string)
			rows[id] = row
		}
		for id, user := range users {
			if id != user.ID || !slices.Contains(asked, id) {
				t.Errorf("%q gives %+v", body, user)
			}
			same(t, user, rows[id])
		}
		if err == nil && len(rows) != len(users) {
			t.Errorf("%q gives %d users", body, len(users))
		}
		if user, err := decodeToggled(body, "alice"); err == nil {
			same(t, user, in(said, "user"))
		} else {
			inOurWords(t, err)
		}
		if _, err := decodeUpdated(body, asked); err != nil {
			inOurWords(t, err)
		} else if !isObject(in(said, "users", "alice")) || !isObject(in(said, "users", "bob")) {
			t.Errorf("%q holds both", body)
		}
	})
}

// FuzzProbe: a user was deleted, deactivated or never existed only by Stream's
// own sentence about that very user, and is there only by an answer that holds
// the user.
func FuzzProbe(f *testing.F) {
	for _, message := range []string{
		"UpdateUsersPartial failed with error: \"the user alice was deleted\"", "the user alice does not exist", "the user alice was deactivated",
		"the user bob was deleted",
		"the user alice was deleted the user alice does not exist", "the user alice was deleted, the user bob was deleted",
		"see-the user alice was deleted",
		"the user alice was deleted-x", `Request failed with error: "the user alice was deleted"`, "the user alice  was deleted",
		"the user alice was deletedthe user alice was deleted", "",
	} {
		f.Add(404, 16, message)
	}
	f.Add(200, 0, `{"users":{"alice":{}}}`)
	f.Add(200, 0, `{"users":{"Alice":{}}}`)
	f.Add(403, 16, "the user alice was deleted")
	f.Add(404, 4, "the user alice was deleted")
	f.Fuzz(func(t *testing.T, status, code int, message string) {
		body := []byte(message)
		if status < 200 || status > 299 {
			body, _ = json.Marshal(map[string]any{"code": code, "message": message})
		}
		c := answering(t, func(r *http.Request) (*http.Response, error) { return response(r, status, body), nil })
		presence, err := c.ProbeUser(ctx, "alice")
		heard := sentences(strings.ToValidUTF8(message, "\uFFFD"))
		says := func(verdict string) bool {
			return status == 404 && code == 16 && !strings.HasPrefix(message, "Request failed with error") && len(heard) == 1 &&
				heard[0] == "the user alice "+verdict
		}
		switch {
		case (presence == "") != (err != nil):
			t.Errorf("%d %q: %q, %v", status, body, presence, err)
		case (presence == PresenceDeleted) != says("was deleted"),
			(presence == PresenceMissing) != says("does not exist"),
			(presence == PresenceDeactivated) != says("was deactivated"),
			presence == PresencePresent && (status < 200 || status > 299 || !isObject(in(plain(body), "users", "alice"))):
			t.Errorf("%d %q: %q, sentences %q", status, body, presence, heard)
		}
	})
}

// sentences are Stream's three about a user, each not a part of a longer word.
func sentences(message string) (found []string) {
	const idBytes = "@-_0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
	const start = "the user "
	for i := range message {
		if !strings.HasPrefix(message[i:], start) || i > 0 && strings.Contains(idBytes, message[i-1:i]) {
			continue
		}
		rest := message[i+len(start):]
		id := rest[:len(rest)-len(strings.TrimLeft(rest, idBytes))]
		for _, verdict := range []string{" was deleted", " was deactivated", " does not exist"} {
			if after, ok := strings.CutPrefix(rest[len(id):], verdict); ok && id != "" && len(id) <= 255 &&
				(after == "" || !strings.Contains(idBytes, after[:1])) {
				found = append(found, start+id+verdict)
			}
		}
	}
	return found
}

// FuzzChanges: no change passes for accepted or done but by a 2xx that says so of
// that very subject; whatever else the answer is, its words do not show, and what
// may have been done is not denied.
func FuzzChanges(f *testing.F) {
	f.Add(452, []byte("{"))
	const cid, message = "messaging:general", "m1"
	for _, seed := range []string{
		`{"task_id":"task-1","duration":"1ms"}`, `{"task_id":""}`, `{"task_id":7}`, `{"Task_id":"x"}`, `{`, ``, `[]`, `<html>canary`,
		`{"channel":{"cid":"messaging:general","truncated_at":"2026-01-01T00:00:00Z"}}`,
		`{"channel":{"cid":"messaging:general","truncated_at":null}}`,
		`{"channel":{"cid":"messaging:other","truncated_at":"2026-01-01T00:00:00Z"}}`,
		`{"message":{"id":"m1","type":"deleted"}}`, `{"message":{"id":"m1","type":"regular"}}`, `{"message":{"id":"m2","type":"deleted"}}`,
		`{"user":{"id":"alice","deactivated_at":"2026-01-01T00:00:00Z"},"users":{"alice":{}}}`, `{"user":{"id":"alice"}}`,
		`{"users":[{"id":"alice"}]}`,
		`{"policy":{"policy":"old-messages","config":{"max_age_hours":24}},"policies":null}`,
		`{"policies":[{"policy":"old-messages","config":{"max_age_hours":24}}]}`,
	} {
		f.Add(201, []byte(seed))
		f.Add(500, []byte(seed))
	}
	for status, seed := range map[int]string{
		400: `{"code":4,"message":"canary is not deleted"}`,
		404: `{"code":16,"message":"DeleteChannels failed with error: \"channels not found\""}`, 403: `{"code":17,"message":"canary"}`,
		408: `x`, 302: ``, 401: `{"code":5,"message":"x"}`, 199: `{}`,
	} {
		f.Add(status, []byte(seed))
	}
	type change struct {
		do   func(*Client) (task string, err error)
		says func(said any) bool
	}
	task := func(said any) bool { text, _ := in(said, "task_id").(string); return text != "" }
	any2xx := func(any) bool { return true }
	isAlice := func(said any, deactivated bool) bool {
		user, ok := in(said, "user").(map[string]any)
		return ok && user["id"] == "alice" && (user["deactivated_at"] != nil) == deactivated
	}
	found := func(said any) bool { return slices.Contains(listed(said, "users", "id"), any("alice")) } // the look-up that decides
	policy := func(said any, key string) bool { return in(said, key, "policy") == "old-messages" }
	plainly := func(err error) (string, error) { return "", err }
	changes := map[Operation]change{
		OpDeleteUsers: {func(c *Client) (string, error) {
			return c.DeleteUsers(ctx, []string{"alice"}, UserDeletion{User: "hard"})
		}, task},
		OpDeleteChannels: {func(c *Client) (string, error) { return c.DeleteChannels(ctx, []string{cid}, true) }, task},
		OpExportChannels: {func(c *Client) (string, error) { return c.ExportChannels(ctx, ChannelExport{CIDs: []string{cid}}) }, task},
		OpTruncateChannel: {func(c *Client) (string, error) {
			_, err := c.TruncateChannel(ctx, cid, Truncation{})
			return plainly(err)
		}, func(said any) bool {
			return in(said, "channel", "cid") == cid && in(said, "channel", "truncated_at") != nil
		}},
		OpDeleteMessage: {func(c *Client) (string, error) { _, err := c.DeleteMessage(ctx, message, true); return plainly(err) },
			func(said any) bool {
				return in(said, "message", "id") == message && in(said, "message", "type") == "deleted"
			}},
		OpGetMessage: {func(c *Client) (string, error) {
			got, err := c.GetMessage(ctx, message)
			if err == nil && got.Deleted {
				_, err = c.DeleteMessage(ctx, message, true) // the same answer says so too
			}
			return plainly(err)
		}, func(said any) bool { return in(said, "message", "id") == message }},
		OpDeletePoll:   {func(c *Client) (string, error) { return plainly(c.DeletePoll(ctx, "p1", "alice")) }, any2xx},
		OpRestoreUsers: {func(c *Client) (string, error) { return plainly(c.RestoreUsers(ctx, []string{"alice"})) }, any2xx},
		OpUpdateUsersPartial: {func(c *Client) (string, error) { return plainly(c.RevokeTokens(ctx, []string{"alice"}, testStart)) },
			func(said any) bool {
				return isObject(in(said, "users", "alice"))
			}},
		OpDeactivateUser: {func(c *Client) (string, error) {
			_, err := c.DeactivateUser(ctx, "alice", Deactivation{})
			return plainly(err)
		}, func(said any) bool { return isAlice(said, true) || found(said) }},
		OpReactivateUser: {func(c *Client) (string, error) {
			_, err := c.ReactivateUser(ctx, "alice", Reactivation{})
			return plainly(err)
		}, func(said any) bool { return isAlice(said, false) || isAlice(said, true) || found(said) }},
		OpSetRetentionPolicy: {func(c *Client) (string, error) {
			_, err := c.SetRetentionPolicy(ctx, "old-messages", 24)
			return plainly(err)
		}, func(said any) bool {
			return policy(said, "policy") || slices.Contains(listed(said, "policies", "policy"), any("old-messages"))
		}},
		OpDeleteRetentionPolicy: {func(c *Client) (string, error) { return plainly(c.DeleteRetentionPolicy(ctx, "old-messages")) }, any2xx},
	}
	f.Fuzz(func(t *testing.T, status int, body []byte) {
		status = 100 + (status%900+900-100)%900
		success := status >= 200 && status < 300
		c := answering(t, func(r *http.Request) (*http.Response, error) { return response(r, status, body), nil })
		for op, change := range changes {
			task, err := change.do(c)
			if err == nil {
				if said := plain(body); !success || !json.Valid(body) || !change.says(said) || task != "" && task != in(said, "task_id") {
					t.Errorf("%s passes with %d %q", op, status, body)
				}
				continue
			}
			e, ok := err.(*Error) //nolint:errorlint // the outermost error is what is meant
			if !ok || e.Kind == "" || e.Kind == KindCanceled {
				t.Fatalf("%s: %d %q: %T %v", op, status, body, err, err)
			}
			quiet := *e
			quiet.message = ""
			if text := e.Error(); text != quiet.Error() || strings.Contains(text, "canary") {
				t.Errorf("%s: %d %q: %s", op, status, body, text)
			}
			// Half of a refusal may be half of anything.
			half := status >= 400 && status != 429 && cutOff(body)
			if mayBeDone := success || status >= 500 || status == 408 || half; endpoints[op].mutating && e.Ambiguous != mayBeDone &&
				e.Kind != KindRateLimited {
				t.Errorf("%s: %d %q: ambiguous is %v", op, status, body, e.Ambiguous)
			}
		}
	})
}

// FuzzFailure: whatever an answer says, its words do not show, and only
// Stream's own 404 is believed to be about something that is gone.
func FuzzFailure(f *testing.F) {
	f.Add(404, []byte(`{"code":16,"message":"UpdateUsersPartial failed with error: \"the user alice was deleted\"","StatusCode":404}`))
	f.Add(404, []byte(`{"code":"16","message":"x"}`))
	f.Add(404, []byte(`{"code":16,"message":"Request failed with error: \"Not Found\""}`))
	f.Add(404, []byte(`{"Code":16,"Message":"the user alice was deleted"}`))
	f.Add(429, []byte(`Too many requests`))
	f.Add(502, []byte(`<html>`))
	f.Add(301, []byte(``))
	f.Add(400, []byte(`{"code":-1e400,"message":5}`))
	f.Fuzz(func(t *testing.T, status int, body []byte) {
		e := failureOf(OpDeleteUsers, status, body)
		text := e.Error()
		said := plain(body)
		if message, _ := in(said, "message").(string); e.message != "" && e.message != message {
			t.Errorf("%q says %q", body, e.message)
		}
		e.message = ""
		if e.Error() != text || e.Kind == "" || e.Kind == KindCanceled {
			t.Errorf("%d %q: %s", status, body, text)
		}
		if e.Kind == KindNotFound && (status != 404 || in(said, "code") != json.Number("16") || !json.Valid(body)) {
			t.Errorf("%d %q is not found", status, body)
		}
		if e.Retryable && (status < 400 || status < 500 && status != 408 && status != 429) {
			t.Errorf("%d %q may be repeated", status, body)
		}
	})
}

// FuzzLists: every row that a list gives stands in the bytes, none is lost, and
// none is of somebody who was not asked for.
func FuzzLists(f *testing.F) {
	for _, seed := range []string{
		`{"channels":[{"channel":{"cid":"a:b","created_at":"2026-01-01T00:00:00.123456789Z","member_count":2}}]}`,
		`{"channels":[{"channel":{"cid":"a:c","created_at":"2026-01-01T00:00:00Z"}}]}`, `{"channels":[]}`, `{"channels":[{}]}`,
		`{"channels":[{"channel":{"cid":"a:b","deleted_at":"2026-01-01T00:00:00Z","CID":"x"}}]}`,
		`{"results":[{"message":{"id":"m","cid":"a:b"}},{"message":{"id":"n","channel":{"cid":"a:c"}}}],"next":"more"}`,
		`{"results":[{"message":{"id":"m","cid":7}}]}`, `{"results":null}`,
		`{"polls":[{"id":"p","created_by_id":"alice"}],"next":""}`, `{"polls":[{"id":"p","created_by_id":"eve"}]}`, `{"polls":[{"id":"p"}]}`,
		`{"reactions":[{"user_id":"alice","type":"like","score":1.50},{"user_id":"bob","type":"like"},{"user_id":"alice","type":"like"}]}`,
		`{"reactions":[{"user_id":"alice"}]}`, `{"reactions":[7]}`,
		`{"policies":[{"policy":"old-messages","config":{"max_age_hours":24},"enabled_at":"2026-01-01T00:00:00Z"}]}`, `{"policies":null}`, `{}`,
		`{"policies":[{"policy":"x","config":{"max_age_hours":24.5}}]}`,
	} {
		f.Add([]byte(seed))
	}
	equal := func(t *testing.T, what string, err error, got, want []any) {
		t.Helper()
		if err != nil {
			inOurWords(t, err)
		} else if !slices.Equal(got, want) {
			t.Errorf("%s are %v, want %v", what, got, want)
		}
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		said := plain(body)

		channels, err := decodeChannels(body, []string{"a:b"})
		for cid, channel := range channels {
			if cid != "a:b" || channel.CID != cid {
				t.Errorf("%q gives %+v", body, channel)
			}
			rows := listed(said, "channels", "channel")
			moments(t, rows[len(rows)-1], map[string]*time.Time{
				"created_at": channel.CreatedAt, "last_message_at": channel.LastMessageAt, "deleted_at": channel.DeletedAt,
				"truncated_at": channel.TruncatedAt,
			})
		}
		if cids := listed(said, "channels", "channel", "cid"); err == nil &&
			slices.ContainsFunc(cids, func(cid any) bool { return cid != "a:b" }) || err == nil && (len(cids) > 0) != (len(channels) > 0) {
			t.Errorf("%q gives %v", body, channels)
		}

		rows, err := decodeChannelRows(body)
		var cids, created []any
		for _, row := range rows {
			cids, created = append(cids, row.CID), append(created, row.createdAt)
		}
		equal(t, "channels", err, cids, listed(said, "channels", "channel", "cid"))
		equal(t, "times", err, created, listed(said, "channels", "channel", "created_at"))

		page, err := decodeSearch(body)
		if err != nil {
			inOurWords(t, err)
		}
		for i, result := range listed(said, "results", "message") {
			if err == nil && page.cids[i] != in(result, "cid") && page.cids[i] != in(result, "channel", "cid") {
				t.Errorf("%q gives %q", body, page.cids)
			}
		}
		ids := map[string]bool{}
		if next, err := decodeMessageIDs(body, ids); err != nil {
			inOurWords(t, err)
		} else {
			for _, id := range listed(said, "results", "message", "id") {
				if text, _ := id.(string); !ids[text] {
					t.Errorf("%q lacks %v", body, id)
				}
			}
			if want, _ := in(said, "next").(string); next != want {
				t.Errorf("%q goes on at %q", body, next)
			}
		}

		polls, err := decodePolls(body, map[string]bool{"alice": true})
		var pollIDs []any
		for _, poll := range polls.polls {
			if pollIDs = append(pollIDs, poll.ID); poll.CreatedByID != "alice" {
				t.Errorf("%q gives %+v", body, poll)
			}
		}
		equal(t, "polls", err, pollIDs, listed(said, "polls", "id"))

		policies, err := decodePolicies(body)
		if err != nil {
			inOurWords(t, err)
		}
		for i, policy := range policies {
			row := listed(said, "policies")[i]
			hours, _ := in(row, "config", "max_age_hours").(json.Number)
			if n, err := hours.Int64(); policy.Name != in(row, "policy") || err != nil || n != policy.MaxAgeHours {
				t.Errorf("%q gives %+v", body, policy)
			}
			moments(t, row, map[string]*time.Time{"enabled_at": policy.EnabledAt})
		}

		// The page comes again and again, as from a host that knows no offset.
		c := answering(t, func(r *http.Request) (*http.Response, error) { return response(r, 200, body), nil })
		reactions, _, err := c.ReactionsBy(ctx, "m1", "alice", 20)
		seen := map[string]bool{}
		for _, raw := range reactions {
			reaction := plain(raw)
			kind, _ := in(reaction, "type").(string)
			if in(reaction, "user_id") != "alice" || seen[kind] || !bytes.Contains(body, raw) {
				t.Errorf("%q gives %q", body, raw)
			}
			seen[kind] = true
		}
		for _, reaction := range listed(said, "reactions") {
			if kind, _ := in(reaction, "type").(string); err == nil && in(reaction, "user_id") == "alice" && !seen[kind] {
				t.Errorf("%q lacks %v", body, reaction)
			}
		}
	})
}

// FuzzExport: an export is the very bytes, and of that very user; so is a row.
func FuzzExport(f *testing.F) {
	for _, seed := range []string{
		`{"user":{"id":"alice","n":1e400},"messages":[],"reactions":null,"duration":"1ms"}`, `{"user":{"id":"bob"}}`, `{"user":null}`,
		`{"USER":{"id":"alice"}}`, ` {"user" : {"id":"\u0061lice"}} `,
		`{"users":[{"id":"alice", "n":0.10}]}`, `{"users":[{"id":"alice"},{"id":"alice"}]}`, `{"users":[]}`, `{"users":[{"id":"bob"}]}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		c := answering(t, func(r *http.Request) (*http.Response, error) { return response(r, 200, body), nil })
		said := plain(body)
		export, err := c.ExportUser(ctx, "alice")
		if err == nil && in(said, "user", "id") != "alice" {
			t.Errorf("%q passes", body)
		}
		rest := body
		for _, m := range export {
			for _, part := range []string{m.Key, m.Value.Raw} {
				var found bool
				if _, rest, found = bytes.Cut(rest, []byte(part)); !found {
					t.Fatalf("%q gives %q: %q", body, m.Key, m.Value.Raw)
				}
			}
		}
		row, err := c.UserRow(ctx, "alice")
		if ids := listed(said, "users", "id"); err == nil && (!bytes.Contains(body, row) || in(plain(row), "id") != "alice" || len(ids) != 1) {
			t.Errorf("%q gives %q", body, row)
		}
		var e *Error
		if isGone := errors.As(err, &e) && e.Kind == KindNotFound; isGone != (json.Valid(body) &&
			string(must(json.Marshal(in(said, "users")))) == "[]") {
			t.Errorf("%q: %v", body, err)
		}
	})
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// FuzzApp: the wrong-app guard believes nothing but the app's name.
func FuzzApp(f *testing.F) {
	for _, seed := range []string{`{"app":{"name":"gdpr"}}`, `{"app":{}}`, `{"app":null}`, `{}`, `{"app":{"name":7}}`, `{"app":[]}`,
		`{"app":{"name":"a","policies":{"x":1}}}`, `{"app":{"NAME":"x"}}`} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		c := answering(t, func(r *http.Request) (*http.Response, error) { return response(r, 200, body), nil })
		app, err := c.App(ctx)
		if err == nil && app.Name != "" && !bytes.Contains(bytes.ToLower(body), []byte(`name`)) && !bytes.Contains(body, []byte(`\u`)) {
			t.Errorf("%q is the app %q", body, app.Name)
		}
		if err == nil {
			return
		}
		if e, ok := err.(*Error); !ok || e.Kind != KindUnexpectedBody { //nolint:errorlint // the outermost error is what is meant
			t.Errorf("%q: %T %v", body, err, err)
		}
	})
}

func FuzzParseBaseURL(f *testing.F) {
	for _, seed := range []string{DefaultBaseURL, "http://localhost:1/", "https://u:p@h", "https://h/a/../b", "https://h?x#y",
		"http://[::1%25lo0]", "http://[::1%25\x8ao0]"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, s string) {
		u, err := ParseBaseURL(s)
		if err != nil {
			return
		}
		again, err := url.Parse(u.String() + "/users")
		if err != nil || again.Host != u.Host || again.User != nil || again.RawQuery != "" || again.Path != u.Path+"/users" ||
			strings.HasSuffix(u.Path, "/") || u.Scheme == "http" && !loopback(u.Hostname()) {
			t.Errorf("%q gives %q", s, u)
		}
	})
}
