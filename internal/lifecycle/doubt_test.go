// Copyright (c) the terraform-provider-streamchat authors
// SPDX-License-Identifier: MPL-2.0

package lifecycle_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"path/filepath"
	"testing"
	"time"

	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/acctest"
	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/emulator"
)

// odd is an answer that differs from what the dossier assumes.
type odd struct {
	call   string // whose answer it is, as in [acctest.Stream.Alter]
	answer func(ids []string, status int, body map[string]any) (int, any)
	// fails: the deletion of the first subject does not come about.
	fails bool
	// everything: nobody could be asked about anything, so that a plan is refused.
	everything bool
}

// says puts something in the place of one field; nil takes it away.
func says(field string, value any) func([]string, int, map[string]any) (int, any) {
	return func(_ []string, status int, body map[string]any) (int, any) {
		if body[field] = value; value == nil {
			delete(body, field)
		}
		return status, body
	}
}

// result is that of a task which ended well, or what the task would have had.
func result(of func(ids []string) any) func([]string, int, map[string]any) (int, any) {
	return func(ids []string, status int, body map[string]any) (int, any) {
		if body["status"] == "completed" {
			body["result"] = of(ids)
		}
		return status, body
	}
}

// refused is another answer altogether.
func refusal(status, code int, message string) func([]string, int, map[string]any) (int, any) {
	return func([]string, int, map[string]any) (int, any) {
		return status, map[string]any{"code": code, "message": message, "StatusCode": status, "duration": "1ms"}
	}
}

func page(status int, text string) func([]string, int, map[string]any) (int, any) {
	return func([]string, int, map[string]any) (int, any) { return status, json.RawMessage(text) }
}

// rows changes the rows of a list, which may hold what is looked for in an object of its own.
func rows(list, inner string, change func(row map[string]any)) func([]string, int, map[string]any) (int, any) {
	return func(_ []string, status int, body map[string]any) (int, any) {
		all, _ := body[list].([]any)
		for _, row := range all {
			row, _ := row.(map[string]any)
			if inner != "" {
				row, _ = row[inner].(map[string]any)
			}
			if row != nil {
				change(row)
			}
		}
		return status, body
	}
}

func without(field string) func(map[string]any) {
	return func(row map[string]any) { delete(row, field) }
}

const (
	getTask    = "GET /tasks/*"
	getUsers   = "GET /users"
	patchUsers = "PATCH /users"
	deletion   = "POST /users/delete"
	roomQuery  = "POST /channels"
	roomDelete = "POST /channels/delete"
	truncation = "POST /channels/*/*/truncate"
	getMessage = "GET /messages/*"
	dropped    = "DELETE /messages/*"
)

var odds = map[string]odd{
	"failures under users": {call: getTask, fails: true, answer: result(func(ids []string) any {
		return map[string]any{"users": map[string]any{ids[0]: map[string]any{"status": "error"}}}
	})},
	"a list of failures":           {call: getTask, fails: true, answer: result(func(ids []string) any { return map[string]any{"failed": ids} })},
	"a text for a result":          {call: getTask, fails: true, answer: result(func([]string) any { return "done" })},
	"a list for a result":          {call: getTask, fails: true, answer: result(func(ids []string) any { return []any{map[string]any{"id": ids[0], "status": "error"}} })},
	"a number for a result":        {call: getTask, fails: true, answer: result(func([]string) any { return 1 })},
	"a count of failures":          {call: getTask, fails: true, answer: result(func([]string) any { return map[string]any{"failed_count": 1} })},
	"a stranger's entry":           {call: getTask, fails: true, answer: result(func([]string) any { return map[string]any{"stranger": map[string]any{"status": "ok"}} })},
	"an entry with another word":   {call: getTask, fails: true, answer: entry(map[string]any{"status": "success"})},
	"an entry without a status":    {call: getTask, fails: true, answer: entry(map[string]any{})},
	"an entry that is a text":      {call: getTask, fails: true, answer: entry("ok")},
	"an entry with an error":       {call: getTask, fails: true, answer: entry(map[string]any{"status": "ok", "error": "not all"})},
	"an empty result":              {call: getTask, answer: result(func([]string) any { return map[string]any{} })},
	"null for a result":            {call: getTask, answer: result(func([]string) any { return nil })},
	"completed with an error":      {call: getTask, fails: true, answer: says("error", map[string]any{"type": "x", "description": "y"})},
	"another word for the end":     {call: getTask, answer: says("status", "done")},
	"no status":                    {call: getTask, answer: says("status", nil)},
	"another task":                 {call: getTask, answer: says("task_id", "another")},
	"an unreadable time of a task": {call: getTask, answer: says("updated_at", 5)},
	"a task that is gone: 404":     {call: getTask, answer: refusal(404, 16, `GetTask failed with error: "Can't find task with id "x""`)},
	"a task that is gone: 400, 16": {call: getTask, answer: refusal(400, 16, `GetTask failed with error: "Can't find task with id "x""`)},
	"a task that is gone: 400, 4":  {call: getTask, answer: refusal(400, 4, `GetTask failed with error: "task expired"`)},
	"a task that is gone: 410":     {call: getTask, answer: refusal(410, 4, "gone")},
	"a task that is gone: 422":     {call: getTask, answer: refusal(422, 4, "no")},
	"a task in another form":       {call: getTask, answer: page(200, `{"task":{"status":"completed"}}`)},
	"tasks are not allowed":        {call: getTask, answer: refusal(403, 17, "not allowed")},
	"tasks fail":                   {call: getTask, answer: refusal(500, -1, "internal")},
	"tasks are a page":             {call: getTask, answer: page(404, `"<html>"`)},

	"no task of a deletion":          {call: deletion, answer: says("task_id", nil)},
	"a number for a task":            {call: deletion, answer: says("task_id", 7)},
	"a result for a task":            {call: deletion, answer: page(201, `{"result":{"waters-malone":{"status":"ok"}}}`)},
	"no task of a channel's":         {call: roomDelete, answer: says("task_id", nil)},
	"a channel deleted at once":      {call: roomDelete, answer: page(201, `{"result":{"messaging:atelier":{"status":"ok"}}}`)},
	"no list of users":               {call: getUsers, answer: says("users", nil)},
	"null for the users":             {call: getUsers, answer: page(200, `{"users":null}`)},
	"users without ids":              {call: getUsers, answer: rows("users", "", without("id"))},
	"users without times":            {call: getUsers, answer: rows("users", "", without("created_at"))},
	"users without roles":            {call: getUsers, answer: rows("users", "", without("role"))},
	"an unreadable user":             {call: getUsers, answer: rows("users", "", func(row map[string]any) { row["role"] = 5 })},
	"nobody is listed":               {call: getUsers, answer: page(200, `{"users":[]}`)},
	"a probe that says yes to all":   {call: patchUsers, answer: page(200, `{"users":{"waters-malone":{},"maria-ortiz":{},"ghost-nobody":{}}}`)},
	"a probe that says no to all":    {call: patchUsers, answer: refusal(400, 4, "no changes")},
	"a probe in other words":         {call: patchUsers, answer: refusal(404, 16, `UpdateUsersPartial failed with error: "no such user"`)},
	"a probe without users":          {call: patchUsers, answer: page(200, `{}`)},
	"no list of channels":            {call: roomQuery, answer: says("channels", nil)},
	"null for the channels":          {call: roomQuery, answer: page(201, `{"channels":null}`)},
	"channels without a channel":     {call: roomQuery, answer: rows("channels", "", without("channel"))},
	"channels without times":         {call: roomQuery, answer: rows("channels", "channel", without("truncated_at"))},
	"a truncation of long ago":       {call: roomQuery, answer: rows("channels", "channel", func(row map[string]any) { row["truncated_at"] = "2020-01-01T00:00:00Z" })},
	"a truncation without a channel": {call: truncation, answer: says("channel", nil)},
	"a truncation without a time":    {call: truncation, answer: page(201, `{"channel":{"cid":"messaging:atelier"}}`)},
	"a truncation elsewhere":         {call: truncation, answer: page(201, `{"channel":{"cid":"messaging:other","truncated_at":"2026-11-02T10:00:00Z"}}`)},
	"a message that is still there":  {call: dropped, answer: page(200, `{"message":{"id":"message-alpha","type":"regular"}}`)},
	"a deletion without a message":   {call: dropped, answer: page(200, `{}`)},
	"another message":                {call: dropped, answer: page(200, `{"message":{"id":"message-bravo","type":"deleted"}}`)},
	"messages without a type":        {call: getMessage, answer: page(200, `{"message":{"id":"message-alpha"}}`)},
	"messages are not found: 400":    {call: getMessage, answer: refusal(400, 4, `GetMessage failed with error: "message doesn't exist"`)},
	"an app without a name":          {call: "GET /app", everything: true, answer: page(200, `{"app":{}}`)},
}

// entry is the result with one entry, the subject's.
func entry(of any) func([]string, int, map[string]any) (int, any) {
	return result(func(ids []string) any { return map[string]any{ids[0]: of} })
}

// Whatever an answer says that nobody expects: nothing is recorded as done that was not, no
// record stops the plans of its state, no truncation that Stream has confirmed is sent again,
// and when the answers are as ever everything comes to its end.
func TestAnswersThatDiffer(t *testing.T) {
	t.Parallel()
	for name, o := range odds {
		t.Run(name, func(t *testing.T) {
			each(t, nouns, func(w *world) { w.doubts(o) }, config{"max_retries": 1})
		})
	}
}

func (w *world) doubts(o odd) {
	ids := w.ids[:1]
	if w.list {
		ids = w.ids[:2]
	}
	c := with(w.block(w.hard, ids...), config{"timeouts": config{"create": "5m", "update": "5m"}})
	if o.fails && w.task {
		w.s.AddFault(emulator.Fault{Op: w.op, Kind: emulator.FaultFailUser, UserID: ids[0]})
	}
	off := alter(w.s, o, ids)
	for range 3 {
		w.doubt(o, c, ids)
		time.Sleep(time.Hour)
	}
	off()
	w.s.ClearFaults()
	for range 2 {
		w.doubt(odd{}, c, ids)
		time.Sleep(time.Hour)
	}
	if got := w.get("status"); got != "completed" {
		w.t.Errorf("it ends as %v, with %d calls", got, w.sent())
	}
}

func alter(s *acctest.Stream, o odd, ids []string) (off func()) {
	return s.Alter(o.call, func(status int, raw []byte) (int, []byte) {
		var body map[string]any
		if status/100 != 2 || json.Unmarshal(raw, &body) != nil {
			body = map[string]any{}
		}
		status, changed := o.answer(ids, status, maps.Clone(body))
		if text, ok := changed.(json.RawMessage); ok {
			return status, text
		}
		raw, _ = json.Marshal(changed)
		return status, raw
	})
}

// doubt plans and applies once, whatever comes of it.
func (w *world) doubt(o odd, c config, ids []string) {
	w.t.Helper()
	had := w.State(w.address) != nil
	confirmed := w.get("submitted_at") != nil
	sent := w.sent()
	p := w.Plan(w.address, c)
	if len(p.Errors) > 0 {
		if had && !o.everything {
			w.t.Errorf("the record stops the plan: %s", p.Errors)
		}
	} else {
		w.Apply(p)
	}
	if w.op == truncations.op && confirmed && w.sent() > sent {
		w.t.Errorf("%d calls of a truncation that was confirmed", w.sent())
	}
	for _, id := range ids {
		says := w.get("status")
		if w.list && w.State(w.address) != nil {
			says = w.of(id)
		}
		if done := says == "completed" || says == "erased"; done && !w.gone(w.s, id) {
			w.t.Errorf("%s is recorded as %v: %s", fmt.Sprint(id), says, w.receipt())
		}
	}
}

// Nobody is recorded, and nothing is deleted, on the strength of a yes to a probe.
func TestProbeThatSaysYes(t *testing.T) {
	t.Parallel()
	for name, lists := range map[string]bool{"and lists nobody": false, "and makes them": true} {
		t.Run(name, func(t *testing.T) {
			each(t, []noun{users, userBatch, veiled(users)}, func(w *world) {
				w.s.Alter(patchUsers, func(int, []byte) (int, []byte) {
					if lists {
						w.s.Fill(w.t, fmt.Sprintf(`{"users":[{"id":%q,"created_at":%q}]}`, w.ghost, time.Now().UTC().Format(time.RFC3339Nano)))
					}
					return 200, []byte(fmt.Sprintf(`{"users":{%q:{"id":%q}}}`, w.ghost, w.ghost))
				})
				p := w.Plan(w.address, with(w.block(w.hard, w.ghost), config{"on_missing": "record"}))
				if !p.Errors.Say("Stream does not say whether this user exists") || w.sent() != 0 {
					w.t.Errorf("%d calls, %s", w.sent(), p.Errors)
				}
			}, nil)
		})
	}
}

// An answer to a truncation is lost and it was carried out: sent again, it takes nothing
// that was written since.
func TestLostAnswerOfATruncation(t *testing.T) {
	t.Parallel()
	for _, kind := range []emulator.FaultKind{emulator.FaultDropAfter, emulator.FaultTruncated, emulator.FaultShortBody} {
		for _, hard := range []bool{false, true} {
			t.Run(fmt.Sprint(kind, hard), func(t *testing.T) {
				each(t, []noun{truncations}, func(w *world) {
					w.s.AddFault(emulator.Fault{Op: w.op, Kind: kind, Times: 2})
					written := false
					w.s.Before(w.call, 2, func() {
						w.s.Fill(w.t, fmt.Sprintf(`{"messages":[{"id":"later","cid":%q,"user_id":"amara-bello","text":"new","created_at":%q}]}`, w.ids[0], time.Now().UTC().Format(time.RFC3339Nano)))
						written = true
					})
					w.apply(w.block(config{"hard_delete": hard}))
					w.is("completed", false)
					time.Sleep(time.Hour)
					m, there := w.s.Message("later")
					if old, still := w.s.Message(messageIn[w.ids[0]]); !written || !there || m.Truncated || still && !old.Truncated {
						w.t.Errorf("written %v, there %v: %+v", written, there, m)
					}
				}, nil)
			})
		}
	}
}

// act is a resource that the lifecycle of erasures does not carry.
type act struct {
	address string
	block   func(dir string) config
	done    func(s *acctest.Stream, r *acctest.Resource) bool
	odds    map[string]odd
}

var doubtful = map[string]act{
	"restriction": {
		address: "streamchat_user_deactivation.x", block: func(string) config { return config{"user_id": people[0], "revoke_tokens": true} },
		done: func(s *acctest.Stream, _ *acctest.Resource) bool {
			u, _ := s.User(people[0])
			return u.Deactivated && !u.RevokeTokensIssuedBefore.IsZero()
		},
		odds: map[string]odd{
			"no user":             {call: "POST /users/*/deactivate", answer: page(201, `{}`)},
			"still active":        {call: "POST /users/*/deactivate", answer: page(201, `{"user":{"id":"waters-malone","role":"user"}}`)},
			"another user":        {call: "POST /users/*/deactivate", answer: page(201, `{"user":{"id":"maria-ortiz","deactivated_at":"2026-11-02T10:00:00Z"}}`)},
			"tokens of nobody":    {call: patchUsers, answer: page(200, `{"users":{}}`)},
			"tokens of long ago":  {call: patchUsers, answer: page(200, `{"users":{"waters-malone":{"id":"waters-malone","revoke_tokens_issued_before":"2020-01-01T00:00:00Z"}}}`)},
			"no list of users":    {call: getUsers, answer: says("users", nil)},
			"users without times": {call: getUsers, answer: rows("users", "", without("deactivated_at"))},
		},
	},
	"export": {
		address: "streamchat_user_export.x", block: func(dir string) config {
			return config{"user_id": "amara-bello", "path": filepath.Join(dir, "x.json")}
		},
		done: func(_ *acctest.Stream, r *acctest.Resource) bool {
			return r.Get("complete") != true || fmt.Sprint(r.Get("message_count")) == "3"
		},
		odds: map[string]odd{
			"no messages":       {call: "GET /users/*/export", answer: says("messages", nil)},
			"null for messages": {call: "GET /users/*/export", answer: page(200, `{"user":{"id":"amara-bello"},"messages":null,"reactions":[]}`)},
			"another user":      {call: "GET /users/*/export", answer: page(200, `{"user":{"id":"maria-ortiz"},"messages":[],"reactions":[]}`)},
			"no user":           {call: "GET /users/*/export", answer: says("user", nil)},
			"an empty answer":   {call: "GET /users/*/export", answer: page(200, `{}`)},
			"not allowed":       {call: "GET /users/*/export", answer: refusal(403, 17, "no")},
			"too large":         {call: "GET /users/*/export", answer: refusal(413, 22, "no")},
		},
	},
	"export of channels": {
		address: "streamchat_channel_export.x", block: func(dir string) config {
			return config{"cids": rooms[:1], "path": filepath.Join(dir, "x.json"), "timeouts": config{"create": "5m"}}
		},
		done: func(_ *acctest.Stream, r *acctest.Resource) bool { return fmt.Sprint(r.Get("size_bytes")) > "1" },
		odds: map[string]odd{
			"no address":        {call: getTask, answer: result(func([]string) any { return map[string]any{} })},
			"a text":            {call: getTask, answer: result(func([]string) any { return "https://127.0.0.1/x" })},
			"null":              {call: getTask, answer: result(func([]string) any { return nil })},
			"an address of two": {call: getTask, answer: result(func([]string) any { return map[string]any{"url": []string{"a", "b"}} })},
			"gone: 400":         {call: getTask, answer: refusal(400, 4, "no")},
			"no task":           {call: "POST /export_channels", answer: page(201, `{}`)},
		},
	},
	"policy": {
		address: "streamchat_retention_policy.x", block: func(string) config { return config{"policy": "old-messages", "max_age_hours": 1000} },
		done: func(s *acctest.Stream, _ *acctest.Resource) bool {
			return s.Count("SetRetentionPolicy") > 0
		},
		odds: map[string]odd{
			"no policy":      {call: "POST /retention_policy", answer: page(201, `{}`)},
			"another policy": {call: "POST /retention_policy", answer: page(201, `{"policy":{"policy":"inactive-channels","config":{"max_age_hours":1000}}}`)},
			"another age":    {call: "POST /retention_policy", answer: page(201, `{"policy":{"policy":"old-messages","config":{"max_age_hours":24}}}`)},
			"no list":        {call: "GET /retention_policy", answer: page(200, `{}`)},
			"a text":         {call: "GET /retention_policy", answer: page(200, `{"policies":"none"}`)},
			"no age":         {call: "GET /retention_policy", answer: page(200, `{"policies":[{"policy":"old-messages"}]}`)},
		},
	},
}

// The same of what is no erasure: what stands in the state untainted was done, and with
// answers as ever it can be applied.
func TestAnswersThatDifferElsewhere(t *testing.T) {
	t.Parallel()
	for kind, a := range doubtful {
		for name, o := range a.odds {
			t.Run(kind+"/"+name, func(t *testing.T) {
				t.Parallel()
				acctest.Bubble(t, func(t *testing.T) {
					s := acctest.InMemory(t)
					s.Fill(t, seed)
					core := acctest.NewCore(t, s, config{"max_retries": 1})
					block := a.block(t.TempDir())
					run := func() {
						if p := core.Plan(a.address, block); len(p.Errors) == 0 {
							core.Apply(p)
						}
						if r := core.State(a.address); r != nil && !r.Tainted && !a.done(s, r) {
							t.Errorf("recorded, and not done: %v", r.Values)
						}
					}
					off := alter(s, o, nil)
					run()
					off()
					run()
					run()
					if core.State(a.address) == nil {
						t.Error("it cannot be applied")
					}
				})
			})
		}
	}
}
