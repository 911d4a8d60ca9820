// Copyright (c) the terraform-provider-streamchat authors
// SPDX-License-Identifier: MPL-2.0

package erasure

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/stream"
)

type anApp stream.App

func (a anApp) App(context.Context) (stream.App, error) { return stream.App(a), nil }

// Whatever comes after a first call belongs to its app.
func TestARecordBelongsToItsApp(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		recorded, opened stream.App
		same             bool
	}{
		"the same name":          {stream.App{Name: "A"}, stream.App{Name: "A"}, true},
		"another name of one id": {stream.App{ID: "1", Name: "A"}, stream.App{ID: "1", Name: "B"}, false},
		"another name":           {stream.App{Name: "A"}, stream.App{Name: "B"}, false},
		"another id of one name": {stream.App{ID: "1", Name: "A"}, stream.App{ID: "2", Name: "A"}, false},
		"an id learned since":    {stream.App{Name: "A"}, stream.App{ID: "2", Name: "A"}, true},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				record := func(status Status) Record[UserScope] {
					a := Attempt[UserScope]{Scope: &soft, Status: status, TaskID: "task-1", AppName: tt.recorded.Name, AppID: tt.recorded.ID}
					if status == StatusCompleted {
						a.Outcome = OutcomeMarkedDeleted
					}
					return Record[UserScope]{Attempts: []Attempt[UserScope]{a}}
				}
				for doing, do := range map[string]func(e *Engine[UserScope]) error{
					"poll": func(e *Engine[UserScope]) error {
						_, err := advanceOne(e, t.Context(), "a", soft, record(StatusSubmitted), false)
						return err
					},
					"resend": func(e *Engine[UserScope]) error {
						_, err := advanceOne(e, t.Context(), "a", soft, record(StatusFailed), false)
						return err
					},
					"escalate": func(e *Engine[UserScope]) error {
						_, err := advanceOne(e, t.Context(), "a", hard, record(StatusCompleted), false)
						return err
					},
					"plan": func(e *Engine[UserScope]) error {
						_, err := e.preview(t.Context(), "a", hard, record(StatusCompleted), Options{})
						return err
					},
					"refresh": func(e *Engine[UserScope]) error {
						_, errs := e.Refresh(t.Context(), Batch[UserScope]{"a": record(StatusCompleted)}, false)
						return errs["a"]
					},
					"restore": func(e *Engine[UserScope]) error {
						return e.Restore(t.Context(), Batch[UserScope]{"a": record(StatusCompleted)})
					},
				} {
					f := newFake("a")
					f.deleted["a"] = doing == "restore"
					e := f.engine(func(c *Config[UserScope]) { c.App = &AppGate{API: anApp(tt.opened)} })
					err := do(e)
					var r *Refusal
					if refused := errors.As(err, &r) && r.Summary == "Record of another app"; refused == tt.same {
						t.Errorf("%s: %v", doing, err)
					}
					if asked := len(f.sent) + len(f.lookUps) + len(f.probes) + len(f.taskGets); !tt.same && asked > 0 {
						t.Errorf("%s: another app was asked %d times", doing, asked)
					}
				}
			})
		})
	}
}

// Guards need their fact, find it wherever Stream keeps it, and compare texts as people do.
func TestNoFactNoPass(t *testing.T) {
	t.Parallel()
	user := func(fields string) stream.User {
		var u stream.User
		if err := json.Unmarshal([]byte(fields), &u.Fields); err != nil {
			t.Fatal(err)
		}
		_ = json.Unmarshal(u.Fields["role"], &u.Role)
		return u
	}
	for name, tt := range map[string]struct {
		guards Guards
		user   string
		refuse string
	}{
		"role missing":              {Guards{ProtectedRoles: []string{"admin"}}, `{"id":"a"}`, "Guards cannot be checked"},
		"role null":                 {Guards{ProtectedRoles: []string{"admin"}}, `{"id":"a","role":null}`, "Guards cannot be checked"},
		"role in another form":      {Guards{ProtectedRoles: []string{"mod\u00e9rateur"}}, `{"id":"a","role":"mode\u0301rateur"}`, "Protected role"},
		"hold in another form":      {Guards{HoldField: "l\u00e9gal"}, `{"id":"a","role":"user","le\u0301gal":true}`, "Held user"},
		"hold nested, flat says no": {Guards{HoldField: "hold"}, `{"id":"a","role":"user","hold":false,"custom":{"hold":true}}`, "Held user"},
		"hold flat, nested says no": {Guards{HoldField: "hold"}, `{"id":"a","role":"user","hold":1,"custom":{"hold":false}}`, "Held user"},
		"no hold":                   {Guards{HoldField: "hold", ProtectedRoles: []string{"admin"}}, `{"id":"a","role":"user","hold":false}`, ""},
	} {
		seen := &atomic.Bool{}
		tt.guards.HoldSeen = seen
		err := tt.guards.Finding(finding(user(tt.user)))
		var r *Refusal
		if errors.As(err, &r); (tt.refuse == "") != (err == nil) || err != nil && r.Summary != tt.refuse {
			t.Errorf("%s: %v", name, err)
		}
		if tt.guards.HoldField != "" && !seen.Load() {
			t.Errorf("%s: the field was seen and is called misspelt", name)
		}
	}
}

// A new owner whom this run erases is refused, whichever of the two comes first.
func TestNewOwnersStay(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		inherits := hard
		inherits.NewChannelOwnerID = "b"
		for name, order := range map[string][2]string{"heir first": {"b", "a"}, "heir last": {"a", "b"}} {
			f := newFake("a", "b")
			e := f.engine()
			scope := map[string]UserScope{"a": inherits, "b": hard}
			_, first := e.preview(t.Context(), order[0], scope[order[0]], none, Options{})
			_, second := e.preview(t.Context(), order[1], scope[order[1]], none, Options{})
			var r *Refusal
			if first != nil || !errors.As(second, &r) {
				t.Errorf("%s: %v, %v", name, first, second)
			}
		}
	})
}

// A hold protects the held person's data in what somebody else's deletion takes.
func TestHoldsReachAsFarAsTheDeletion(t *testing.T) {
	t.Parallel()
	held := stream.User{ID: "held", Role: "user", Fields: map[string]json.RawMessage{"hold": json.RawMessage("true")}}
	guards := Guards{HoldField: "hold"}
	people := func(context.Context, []string) (map[string]Finding, error) {
		return map[string]Finding{"held": finding(held), "other": finding(stream.User{ID: "other", Role: "user"})}, nil
	}
	refused := func(t *testing.T, err error) {
		t.Helper()
		var r *Refusal
		if !errors.As(err, &r) || !strings.HasPrefix(r.Summary, "Held user among") || strings.Contains(r.Detail, "\"held\"") {
			t.Errorf("%v", err)
		}
	}
	synctest.Test(t, func(t *testing.T) {
		f := newFake("a")
		f.channels = []stream.Membership{{CID: "m:x", Members: []string{"a", "held"}}}
		guarded := func(c *Config[UserScope]) { c.Guards, c.People = guards, people }
		_, err := f.engine(guarded).preview(t.Context(), "a", hard, none, Options{})
		refused(t, err)
		_, err = f.engine(guarded).Erase(t.Context(), "a", hard, none, false)
		refused(t, err)
		if _, err := f.engine(guarded).Erase(t.Context(), "a", soft, none, false); err != nil {
			t.Errorf("conversations stay: %v", err)
		}
		if len(f.sent) != 1 {
			t.Errorf("sent %v", f.sent)
		}
		c := newContent()
		c.members = map[string][]string{"t:a": {"other", "held"}}
		channels := New(Config[ChannelScope]{Deed: Channels{API: c}, API: c, Guards: guards, People: people, Ledger: &Ledger{}, App: &AppGate{API: theApp{}}, Clock: f.clock})
		_, err = channels.Erase(t.Context(), "t:a", hardChannel, Record[ChannelScope]{}, false)
		refused(t, err)
		truncations := New(Config[TruncationScope]{Deed: Truncations{API: c}, API: c, Guards: guards, People: people, Ledger: &Ledger{}, App: &AppGate{API: theApp{}}, Clock: f.clock})
		_, err = truncations.Erase(t.Context(), "t:a", TruncationScope{}, Record[TruncationScope]{}, false)
		refused(t, err)
		c.author = "held"
		messages := New(Config[MessageScope]{Deed: Messages{API: c}, API: c, Guards: guards, People: people, Ledger: &Ledger{}, App: &AppGate{API: theApp{}}, Clock: f.clock})
		_, err = messages.Erase(t.Context(), "m", hardMessage, Record[MessageScope]{}, false)
		refused(t, err)
		if len(c.sent) != 0 {
			t.Errorf("sent %v", c.sent)
		}
	})
}

// A plan says what goes with whom, and what this run as a whole makes of a channel.
func TestPreviewSaysWhatGoesAlong(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := newFake("a", "b")
		f.channels = []stream.Membership{{CID: "m:two", Members: []string{"a", "x"}}, {CID: "m:three", Members: []string{"a", "b", "c"}}}
		findings, errs := f.engine().Preview(t.Context(), []string{"a", "b"}, hard, nil, Options{})
		a, b := findings["a"].Reach, findings["b"].Reach
		if len(errs) > 0 || len(a.Conversations) != 1 || !slices.Equal(a.Others, []string{"x", "b", "c"}) || len(a.Ending) != 1 || len(a.Shrinking) != 1 ||
			len(b.Shrinking) != 1 || len(b.Ending) != 1 || len(b.Conversations) != 0 {
			t.Errorf("%v: %+v, %+v", errs, a, b)
		}
	})
}

// The task of another call, or a yes with an error, proves nothing.
func TestProofBelongsToItsCall(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := newFake("a")
		e := f.engine()
		record, err := advanceOne(e, t.Context(), "a", soft, none, false)
		if err != nil {
			t.Fatal(err)
		}
		first := f.tasks["task-1"]
		f.tasks = map[string]*fakeTask{} // the next call is given the same id
		_ = first
		record, err = advanceOne(e, t.Context(), "a", hard, record, false)
		if err == nil || record.Current().Outcome == OutcomeErased || len(record.Attempts) != 2 || record.Attempts[0].Outcome != OutcomeMarkedDeleted {
			t.Errorf("the task of an earlier call: %+v, %v", record, err)
		}
	})
	synctest.Test(t, func(t *testing.T) {
		f := newFake("a")
		f.task = func(task stream.Task) (stream.Task, error) {
			task.CreatedAt = task.CreatedAt.AddDate(-5, 0, 0)
			task.Results["a"] = stream.TaskResult{Status: stream.ResultOK}
			return task, nil
		}
		f.taskTime = 0
		f.deleted["a"], f.users = true, map[string]stream.User{}
		if a, err := f.engine().Erase(t.Context(), "a", hard, none, false); err == nil || a.Status == StatusCompleted {
			t.Errorf("a task of long ago: %+v, %v", a, err)
		}
	})
	synctest.Test(t, func(t *testing.T) {
		f := newFake("a")
		f.task = entry(func(r map[string]stream.TaskResult) {
			r["a"] = stream.TaskResult{Status: stream.ResultOK, Error: "partial failure"}
		})
		if a, err := f.engine().Erase(t.Context(), "a", hard, none, false); err == nil || a.Status != StatusFailed {
			t.Errorf("ok with an error: %+v, %v", a, err)
		}
	})
	synctest.Test(t, func(t *testing.T) {
		f := newFake("a")
		gone := time.Now()
		f.task = entry(func(map[string]stream.TaskResult) { f.users["a"] = stream.User{ID: "a", DeletedAt: &gone} })
		if a, err := f.engine().Erase(t.Context(), "a", hard, none, false); err == nil || a.Status != StatusFailed {
			t.Errorf("a hard-deleted user who is still served: %+v, %v", a, err)
		}
	})
}

// A refusal of what was carried out is settled by a look-up.
func TestRefusalsAreClaims(t *testing.T) {
	t.Parallel()
	refused := &stream.Error{Op: stream.OpDeleteMessage, HTTPStatus: 400, Code: 4, Kind: stream.KindInput}
	synctest.Test(t, func(t *testing.T) {
		c := newContent()
		c.deleted = func(id string) error { delete(c.messages, id); return refused }
		a, err := engineOf(Messages{API: c}, c).Erase(t.Context(), "m", hardMessage, Record[MessageScope]{}, false)
		if err != nil || a.Outcome != OutcomeErased || a.Found != FoundPresent {
			t.Errorf("carried out: %+v, %v", a, err)
		}
		c = newContent()
		c.deleted = func(string) error { return refused }
		a, err = engineOf(Messages{API: c}, c).Erase(t.Context(), "m", hardMessage, Record[MessageScope]{}, false)
		if err == nil || a.Status != StatusFailed || a.AnswerLost {
			t.Errorf("not carried out: %+v, %v", a, err)
		}
	})
	synctest.Test(t, func(t *testing.T) {
		f := newFake("a")
		f.submit = func([]string) error {
			delete(f.users, "a")
			f.deleted["a"] = true
			return &stream.Error{Op: stream.OpDeleteUsers, HTTPStatus: 400, Kind: stream.KindInput}
		}
		a, err := f.engine().Erase(t.Context(), "a", hard, none, false)
		if err == nil || a.Status != StatusFailed || !a.AnswerLost {
			t.Errorf("a user who is gone: nothing proves the modes, but something may have been done: %+v, %v", a, err)
		}
	})
}

// The proof of a truncation is the one that Stream's answer tells of. One that Stream has
// confirmed is looked for, and never sent again.
func TestTruncationIsProvedByItsOwnTime(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		earlier := time.Now().Add(-time.Hour)
		c := newContent()
		c.channels["t:a"] = stream.Channel{CID: "t:a", TruncatedAt: &earlier}
		c.lazy = true // says 201 and does nothing
		e := engineOf(Truncations{API: c}, c)
		record, err := advanced(t, e, "t:a", TruncationScope{}, Record[TruncationScope]{})
		said := *record.Current().EffectiveAt
		for range 2 {
			var p *Pending
			if !errors.As(err, &p) || !p.Unseen || record.Current().Status != StatusSubmitted || len(c.until) != 1 || !said.After(earlier) {
				t.Errorf("said, not shown, after %d calls: %+v, %v", len(c.until), record, err)
			}
			time.Sleep(time.Minute)
			record, err = advanced(t, e, "t:a", TruncationScope{}, record)
		}
		c.channels["t:a"] = stream.Channel{CID: "t:a", TruncatedAt: &said}
		record, err = advanced(t, e, "t:a", TruncationScope{}, record)
		if err != nil || record.Current().Status != StatusCompleted || len(c.until) != 1 || len(record.Attempts) != 1 {
			t.Fatalf("shown, after %d calls: %+v, %v", len(c.until), record, err)
		}
		c.lazy = false
		record, err = advanced(t, e, "t:a", TruncationScope{}, Record[TruncationScope]{})
		if err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Minute)
		c.lazy = true
		record, err = advanced(t, e, "t:a", TruncationScope{Hardness: Hardness{Hard: true}}, record)
		if err == nil || record.Current().Outcome == OutcomeErased {
			t.Errorf("the soft truncation proves the hard one: %+v, %v", record, err)
		}
	})
}

// The guards look again right before each attempt.
func TestGuardsBeforeEveryAttempt(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := newFake("a", "b")
		f.turn = func(ctx context.Context) error { // promoted while the call waits
			f.users["a"] = stream.User{ID: "a", Role: "admin"}
			return f.clock.Sleep(ctx, time.Minute)
		}
		e := f.engine(func(c *Config[UserScope]) { c.Guards = Guards{ProtectedRoles: []string{"admin"}} })
		batch, errs := e.Advance(t.Context(), []string{"a", "b"}, hard, nil, Options{})
		var r *Refusal
		if !errors.As(errs["a"], &r) || len(batch["a"].Attempts) != 0 || batch["b"].Current().Status != StatusCompleted || len(f.sent) != 1 {
			t.Errorf("%v: %+v", errs, batch)
		}
	})
	synctest.Test(t, func(t *testing.T) {
		f := newFake("a", "b")
		f.polls = []stream.Poll{{ID: "p", CreatedByID: "a"}}
		f.attempts = func(attempt int) { // the call itself waits, and a hold is set meanwhile
			if attempt == 2 {
				f.users["a"] = stream.User{ID: "a", Role: "user", Fields: map[string]json.RawMessage{"hold": json.RawMessage("true")}}
			}
			time.Sleep(10 * time.Second)
		}
		e := f.engine(func(c *Config[UserScope]) { c.Guards = Guards{HoldField: "hold"}; c.People = Users{API: f}.LookUp })
		batch, errs := e.Advance(t.Context(), []string{"a", "b"}, hard, nil, Options{})
		var r *Refusal
		if !errors.As(errs["a"], &r) || r.Summary != "Held user" || batch["b"].Current().Status != StatusCompleted {
			t.Errorf("%v: %+v", errs, batch)
		}
		for _, call := range f.sent {
			if len(call) != 1 || call[0] != "b" {
				t.Errorf("sent %v", f.sent)
			}
		}
	})
}
