// Copyright (c) the terraform-provider-streamchat authors
// SPDX-License-Identifier: MPL-2.0

package stream

import (
	"context"
	"encoding/json"
	"errors"
	"time"
)

// Words of Task.Status (stream-api.md §8). Others mean that it is under way.
const (
	TaskWaiting   = "waiting"
	TaskPending   = "pending"
	TaskRunning   = "running"
	TaskCompleted = "completed"
	TaskFailed    = "failed"
	TaskCanceled  = "canceled"
)

// ResultOK is the TaskResult.Status of a subject that was dealt with; anything
// else is a failure.
const ResultOK = "ok"

// Task is Stream's record of work that it does in the background.
type Task struct {
	ID        string
	Status    string
	CreatedAt time.Time // zero when Stream did not say
	UpdatedAt time.Time
	// Results is the outcome by subject (user id or cid), nil when the result
	// is absent or not of that form. A completed task may hold failed subjects
	// and may lack some.
	Results map[string]TaskResult
	// Odd: there is a result, and it is not of that form.
	Odd bool
	// URL is where an export's file is, "" for other tasks.
	URL string
	// Err is set when Stream names an error.
	Err *TaskError
}

// TaskResult is the outcome for one subject. Status is "" when Stream's entry
// is unreadable; Error holds Stream's words, which may name people.
type TaskResult struct {
	Status, Error string
}

// TaskError is why a task failed, in Stream's words: they may name people, so
// they belong in no diagnostic.
type TaskError struct {
	Type, Description string
}

// Terminal says that the task will not change any more: completed, failed or
// canceled. Words that nobody knows are not terminal.
func (t Task) Terminal() bool {
	return t.Status == TaskCompleted || t.Status == TaskFailed || t.Status == TaskCanceled
}

// Task looks a task up (GET /tasks/{id}, stream-api.md §8; the SDK drops the
// error). Of a task that Stream does not know, also one too young or too old, the
// error is one that [TaskGone] recognises. The answer must be about that task and
// hold a status.
func (c *Client) Task(ctx context.Context, id string) (Task, error) {
	return call(ctx, c, request{op: OpGetTask, path: []string{id}}, func(body []byte) (Task, error) {
		return decodeTask(body, id)
	})
}

// TaskGone reports that Stream refuses to tell of a task, and not for reasons of the
// caller's (credentials, rights, limits): it does not know it. With which status and
// code it says so is not documented (stream-api.md §15).
func TaskGone(err error) bool {
	var e *Error
	return errors.As(err, &e) && e.Op == OpGetTask && (e.Kind == KindNotFound || e.Kind == KindInput && e.HTTPStatus != 0)
}

func decodeTask(body []byte, id string) (Task, error) {
	answer, ok := decodeObject(body)
	if !ok {
		return Task{}, shapeError("the task is not an object")
	}
	got, err := answer.must("task_id")
	if err != nil {
		return Task{}, err
	}
	if got != id {
		return Task{}, shapeError("the answer is about another task")
	}
	task := Task{ID: got}
	if task.Status, err = answer.must("status"); err != nil {
		return Task{}, err
	}
	for key, into := range map[string]*time.Time{"created_at": &task.CreatedAt, "updated_at": &task.UpdatedAt} {
		t, err := answer.moment(key)
		if err != nil {
			return Task{}, err
		}
		if t != nil {
			*into = *t
		}
	}
	if !answer.empty("result") {
		if task.Results, task.URL, err = decodeResult(answer["result"]); err != nil {
			return Task{}, err
		}
		task.Odd = task.Results == nil && !blank(answer["result"])
	}
	task.Err = decodeTaskError(answer["error"])
	return task, nil
}

// decodeResult reads {"<subject>":{"status":…,"error":…}} or {"url":…}. An entry
// of another form is an entry all the same: one without a status, which is a
// failure, where a missing one may be settled by other means. What says two things
// of one subject is an error.
func decodeResult(raw json.RawMessage) (map[string]TaskResult, string, error) {
	entries, ok := decodeObject(raw)
	if !ok {
		return nil, "", nil
	}
	if !once(raw) {
		return nil, "", shapeError("its result holds a subject twice")
	}
	var url string
	decodeString(entries["url"], &url)
	var results map[string]TaskResult
	for subject, value := range entries {
		var result TaskResult
		if !once(value) {
			return nil, "", shapeError("an entry of its result holds a field twice")
		}
		if entry, ok := decodeObject(value); ok {
			decodeString(entry["status"], &result.Status)
			decodeString(entry["error"], &result.Error)
		}
		if results == nil {
			results = make(map[string]TaskResult, len(entries))
		}
		results[subject] = result
	}
	return results, url, nil
}

// blank reports that a value holds nothing.
func blank(raw json.RawMessage) bool {
	var value any
	_ = json.Unmarshal(raw, &value) // valid
	switch v := value.(type) {
	case nil:
		return true
	case string:
		return v == ""
	case []any:
		return len(v) == 0
	case map[string]any:
		return len(v) == 0
	}
	return false
}

// decodeTaskError reads Stream's {type, description}; null and {} (seen in
// 2021) are no error.
func decodeTaskError(raw json.RawMessage) *TaskError {
	var e TaskError
	if fields, ok := decodeObject(raw); ok {
		decodeString(fields["type"], &e.Type)
		decodeString(fields["description"], &e.Description)
		if len(fields) == 0 {
			return nil
		}
		return &e
	}
	if len(raw) == 0 || string(raw) == "null" || string(raw) == `""` {
		return nil
	}
	decodeString(raw, &e.Description)
	return &e
}
