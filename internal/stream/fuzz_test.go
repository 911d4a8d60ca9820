// Copyright (c) the terraform-provider-streamchat authors
// SPDX-License-Identifier: MPL-2.0

package stream

import (
	"encoding/json"
	"net/url"
	"strings"
	"testing"
)

func FuzzDecodeTask(f *testing.F) {
	for _, seed := range []string{
		task, `{"task_id":"task-1","status":"completed","result":{"alice":{"status":"ok"}}}`, `{"task_id":"task-1","status":"failed","error":{"type":"x"}}`,
		`{"task_id":"task-1","status":"completed","result":{"url":"x"}}`, `{"task_id":1}`, `[]`, ``, `{"task_id":"task-1","status":"x","created_at":1}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		task, err := decodeTask(body, "task-1")
		if err != nil {
			if _, ours := err.(shapeError); !ours { //nolint:errorlint // decoders do not wrap
				t.Errorf("%T: %v", err, err)
			}
			return
		}
		if task.ID != "task-1" || task.Status == "" || !json.Valid(body) {
			t.Errorf("%q gives %+v", body, task)
		}
	})
}

func FuzzDecodeUsers(f *testing.F) {
	for _, seed := range []string{
		`{"users":[]}`, `{"users":[{"id":"alice","role":"user","created_at":"2026-01-01T00:00:00Z","banned":false,"teams":[],"x":{}}]}`,
		`{"users":null}`, `{"users":[{"id":"eve"}]}`, `{"users":[{"id":"alice","custom":{"a":1}}]}`, `{`, `{"users":[{"ID":"alice"}]}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		users, err := decodeUsers(body, []string{"alice", "bob"})
		if err != nil {
			if _, ours := err.(shapeError); !ours { //nolint:errorlint // decoders do not wrap
				t.Errorf("%T: %v", err, err)
			}
			return
		}
		for id, user := range users {
			if id != user.ID || id != "alice" && id != "bob" {
				t.Errorf("%q gives %+v", body, user)
			}
			if _, err := json.Marshal(user.Custom()); err != nil {
				t.Error(err)
			}
		}
		if users == nil {
			t.Error("nobody knows whether there are users")
		}
	})
}

// FuzzFailure: whatever an answer says, its words do not show, and only
// Stream's own 404 is believed to be about something that is gone.
func FuzzFailure(f *testing.F) {
	f.Add(404, []byte(`{"code":16,"message":"UpdateUsersPartial failed with error: \"the user alice was deleted\"","StatusCode":404}`))
	f.Add(404, []byte(`{"code":"16","message":"x"}`))
	f.Add(404, []byte(`{"code":16,"message":"Request failed with error: \"Not Found\""}`))
	f.Add(429, []byte(`Too many requests`))
	f.Add(502, []byte(`<html>`))
	f.Add(301, []byte(``))
	f.Add(400, []byte(`{"code":-1e400,"message":5}`))
	f.Fuzz(func(t *testing.T, status int, body []byte) {
		e := failureOf(OpDeleteUsers, status, body)
		text := e.Error()
		e.message = ""
		if e.Error() != text || e.Kind == "" || e.Kind == KindCanceled {
			t.Errorf("%d %q: %s", status, body, text)
		}
		if e.Kind == KindNotFound && (status != 404 || e.Code != 16) {
			t.Errorf("%d %q is not found", status, body)
		}
		if e.Retryable && (status < 400 || status < 500 && status != 408 && status != 429) {
			t.Errorf("%d %q may be repeated", status, body)
		}
	})
}

func FuzzParseBaseURL(f *testing.F) {
	for _, seed := range []string{DefaultBaseURL, "http://localhost:1/", "https://u:p@h", "https://h/a/../b", "https://h?x#y", "http://[::1%25lo0]"} {
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
