// Copyright (c) the terraform-provider-streamchat authors
// SPDX-License-Identifier: MPL-2.0

package stream

import (
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestTask(t *testing.T) {
	created, updated := time.Date(2026, 1, 2, 10, 0, 0, 123456000, time.UTC), time.Date(2026, 1, 2, 10, 0, 3, 5e8, time.UTC)
	head := `{"task_id":"task-1","status":"completed","created_at":"2026-01-02T10:00:00.123456Z","updated_at":"2026-01-02T11:00:03.5+01:00"`
	base := Task{ID: "task-1", Status: "completed", CreatedAt: created, UpdatedAt: updated}
	with := func(change func(*Task)) *Task { task := base; change(&task); return &task }
	for body, want := range map[string]*Task{
		head + `,"duration":"1ms"}`: &base,
		head + `,"result":null}`:    &base,
		head + `,"result":{"alice":{"status":"ok"},"bob":{"status":"error","error":"why"}}}`: with(func(t *Task) {
			t.Results = map[string]TaskResult{"alice": {Status: "ok"}, "bob": {Status: "error", Error: "why"}}
		}),
		head + `,"result":{"url":"https://x/exports/users/1"}}`: with(func(t *Task) {
			t.URL = "https://x/exports/users/1"
			t.Results = map[string]TaskResult{"url": {}}
		}),
		head + `,"result":{"url":{"status":"ok"}}}`: with(func(t *Task) { // a user of that name
			t.Results = map[string]TaskResult{"url": {Status: "ok"}}
		}),
		head + `,"result":{"alice":{"status":7},"bob":null,"eve":"ok","dan":{}}}`: with(func(t *Task) {
			t.Results = map[string]TaskResult{"bob": {}, "eve": {}, "alice": {}, "dan": {}}
		}),
		head + `,"result":{"users":[{"id":"a"}]}}`: with(func(t *Task) {
			t.Results = map[string]TaskResult{"users": {}}
		}),
		head + `,"result":{}}`:     &base,
		head + `,"result":{ }}`:    &base,
		head + `,"result":[]}`:     &base,
		head + `,"result":""}`:     &base,
		head + `,"result":"done"}`: with(func(t *Task) { t.Odd = true }),
		head + `,"result":[1]}`:    with(func(t *Task) { t.Odd = true }),
		head + `,"result":0}`:      with(func(t *Task) { t.Odd = true }),
		head + `,"error":null}`:    &base,
		head + `,"error":{}}`:      &base,
		head + `,"error":""}`:      &base,
		head + `,"error":{"type":"T","description":"D","stacktrace":"S"}}`: with(func(t *Task) { t.Err = &TaskError{"T", "D"} }),
		head + `,"error":{"type":5}}`:                                      with(func(t *Task) { t.Err = &TaskError{} }),
		head + `,"error":"boom"}`:                                          with(func(t *Task) { t.Err = &TaskError{Description: "boom"} }),
		`{"task_id":"task-1","status":"dreaming"}`:                         {ID: "task-1", Status: "dreaming"},
		`{"task_id":"task-1","status":"waiting","created_at":null}`:        {ID: "task-1", Status: "waiting"},

		`{"task_id":"task-2","status":"completed"}`:                       nil,
		`{"task_id":"task-1"}`:                                            nil,
		`{"task_id":"task-1","status":""}`:                                nil,
		`{"task_id":"task-1","status":null}`:                              nil,
		`{"task_id":"task-1","status":3}`:                                 nil,
		`{"task_id":1,"status":"completed"}`:                              nil,
		`{"status":"completed"}`:                                          nil,
		`{"TASK_ID":"task-1","Status":"completed"}`:                       nil,
		`{"task_id":"task-1","status":"completed","updated_at":176722}`:   nil,
		`{"task_id":"task-1","status":"completed","created_at":"canary"}`: nil,
		`{}`: nil,
	} {
		f := newFixture(t, func(w http.ResponseWriter, r *http.Request, _ int) { raw(200, body)(w, r) }, retries(0))
		got, err := f.Task(ctx, "task-1")
		if want == nil {
			if e := failure(t, err); e.Kind != KindUnexpectedBody || e.HTTPStatus != 200 || e.Op != OpGetTask || e.Ambiguous {
				t.Errorf("%s: %+v", body, e)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s: %v", body, err)
		}
		if diff := cmp.Diff(*want, got); diff != "" {
			t.Errorf("%s: %s", body, diff)
		}
	}
}

func TestTaskUnknown(t *testing.T) {
	f := newFixture(t, func(w http.ResponseWriter, r *http.Request, _ int) {
		raw(404, `{"code":16,"message":"GetTask failed with error: \"Can't find task with id \"canary\"\"","StatusCode":404}`)(w, r)
	})
	_, err := f.Task(ctx, "task-1")
	if e := failure(t, err); !IsNotFound(err) || !TaskGone(err) || f.count() != 1 || e.NamedUser() != "" {
		t.Errorf("%+v", e)
	}
}

// Nobody knows how Stream refuses a task that it has forgotten: any refusal that is not
// about the caller is taken for that.
func TestTaskGone(t *testing.T) {
	said := func(code int) string {
		return fmt.Sprintf(`{"code":%d,"message":"GetTask failed with error: \"gone\"","StatusCode":400}`, code)
	}
	for name, c := range map[string]struct {
		status int
		body   string
		gone   bool
	}{
		"404, 16":               {404, said(16), true},
		"400, 16":               {400, said(16), true},
		"400, 4":                {400, said(4), true},
		"410":                   {410, said(4), true},
		"410 without an answer": {410, "", true},
		"422":                   {422, said(4), true},
		"401":                   {401, said(5), false},
		"400, but credentials":  {400, said(43), false},
		"403":                   {403, said(17), false},
		"404 of a page":         {404, "<html>", false},
		"404 of an address":     {404, `{"code":16,"message":"Request failed with error: \"Not Found\"","StatusCode":404}`, false},
		"408":                   {408, said(23), false},
		"500":                   {500, said(-1), false},
		"302":                   {302, "", false},
	} {
		f := newFixture(t, func(w http.ResponseWriter, r *http.Request, _ int) { raw(c.status, c.body)(w, r) }, retries(0))
		_, err := f.Task(ctx, "task-1")
		if failure(t, err); TaskGone(err) != c.gone {
			t.Errorf("%s: %v", name, err)
		}
	}
	if TaskGone(refuse(OpGetTask, "not sent")) || TaskGone(failureOf(OpGetMessage, 400, []byte(said(4)))) {
		t.Error("it is not about a task")
	}
}

func TestTaskTerminal(t *testing.T) {
	for status, want := range map[string]bool{
		TaskCompleted: true, TaskFailed: true, TaskCanceled: true,
		TaskWaiting: false, TaskPending: false, TaskRunning: false, "Completed": false, "done": false, "": false,
	} {
		if got := (Task{Status: status}).Terminal(); got != want {
			t.Errorf("%q: %v", status, got)
		}
	}
}
