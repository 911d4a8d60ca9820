// Copyright (c) the terraform-provider-streamchat authors
// SPDX-License-Identifier: MPL-2.0

package stream

import (
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
		head + `,"result":"done"}`: &base,
		head + `,"result":[1]}`:    &base,
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
	if e := failure(t, err); !IsNotFound(err) || f.count() != 1 || e.NamedUser() != "" {
		t.Errorf("%+v", e)
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
