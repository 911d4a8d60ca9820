// Copyright (c) the terraform-provider-streamchat authors
// SPDX-License-Identifier: MPL-2.0

package erasure

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/clock"
	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/stream"
)

// The tests run in synctest bubbles: time.Now and timers are simulated, so that
// a minute passes in no time and interleavings are real.

// eraseAll erases all ids at once and returns what came of each.
func eraseAll(ctx context.Context, e *Engine[UserScope], ids []string, scope UserScope) (map[string]Attempt[UserScope], map[string]error) {
	var (
		mu       sync.Mutex
		wg       sync.WaitGroup
		attempts = map[string]Attempt[UserScope]{}
		errs     = map[string]error{}
	)
	for _, id := range ids {
		wg.Go(func() {
			a, err := e.Erase(ctx, id, scope, none, false)
			mu.Lock()
			defer mu.Unlock()
			attempts[id] = a
			if err != nil {
				errs[id] = err
			}
		})
	}
	wg.Wait()
	return attempts, errs
}

func TestConcurrentErasuresShareCalls(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ids := userIDs(250)
		f := newFake(ids...)
		attempts, errs := eraseAll(t.Context(), f.engine(), ids, hard)
		if len(errs) != 0 {
			t.Fatalf("errors: %v", errs)
		}
		if got := len(f.sent); got != 3 {
			t.Errorf("sent %d delete calls for 250 users, want 3", got)
		}
		if got := len(f.lookUps); got != 6 {
			t.Errorf("%d look-ups, want 3 before and 3 after", got)
		}
		counts := map[string]int{}
		for _, call := range f.sent {
			if len(call) > MaxSubjects {
				t.Errorf("a call with %d ids", len(call))
			}
			for _, id := range call {
				counts[id]++
			}
		}
		for _, id := range ids {
			if counts[id] != 1 {
				t.Errorf("%s was sent %d times", id, counts[id])
			}
			a := attempts[id]
			if a.Status != StatusCompleted || a.Outcome != OutcomeErased || a.Found != FoundPresent || a.VerifiedAt == nil || a.SubmittedAt == nil || a.AppName != "App" {
				t.Fatalf("%s: %+v", id, a)
			}
			if want := f.tasks[a.TaskID].task.UpdatedAt.UTC(); !a.CompletedAt.Equal(want) {
				t.Errorf("completed_at %v is not the task's %v", a.CompletedAt, want)
			}
		}
	})
}

func TestScopesThatDifferShareNoCall(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFake("a", "b")
		e := f.engine()
		var wg sync.WaitGroup
		for id, scope := range map[string]UserScope{"a": hard, "b": soft} {
			wg.Go(func() {
				if _, err := e.Erase(t.Context(), id, scope, none, false); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		if len(f.sent) != 2 || f.scopes[0] == f.scopes[1] {
			t.Errorf("sent %v with %v", f.sent, f.scopes)
		}
	})
}

// While the rate limit makes a batch wait, it stays open for others.
func TestBatchStaysOpenWhileItWaitsForItsTurn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ids := userIDs(20)
		f := newFake(ids...)
		f.turn = func(ctx context.Context) error { return f.clock.Sleep(ctx, 10*time.Second) }
		e := f.engine()
		var wg sync.WaitGroup
		for i, id := range ids {
			wg.Go(func() {
				if err := f.clock.Sleep(t.Context(), time.Duration(i)*400*time.Millisecond); err != nil {
					t.Error(err)
				}
				if _, err := e.Erase(t.Context(), id, hard, none, false); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		if len(f.sent) != 1 {
			t.Errorf("%d calls for what arrived while the first waited, want 1", len(f.sent))
		}
	})
}

func TestInterrupt(t *testing.T) {
	t.Run("before the batch is sealed: nothing is sent", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			f := newFake("a", "b")
			f.turn = func(ctx context.Context) error { return f.clock.Sleep(ctx, time.Minute) }
			e := f.engine()
			ctx, cancel := context.WithCancel(t.Context())
			done := make(chan error)
			go func() {
				_, err := e.Erase(ctx, "a", hard, none, false)
				done <- err
			}()
			time.Sleep(time.Second)
			cancel()
			if err := <-done; !errors.Is(err, context.Canceled) {
				t.Errorf("err = %v", err)
			}
			if _, err := e.Erase(t.Context(), "b", hard, none, false); err != nil {
				t.Error(err)
			}
			if len(f.sent) != 1 || !slices.Equal(f.sent[0], []string{"b"}) {
				t.Errorf("sent %v, want only b", f.sent)
			}
		})
	})
	t.Run("while the call is under way: its answer is kept", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			f := newFake("a")
			f.callTime = 10 * time.Second
			ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
			defer cancel()
			a, err := f.engine().Erase(ctx, "a", hard, none, false)
			var p *Pending
			if !errors.As(err, &p) || a.Status != StatusSubmitted || a.TaskID == "" {
				t.Errorf("attempt %+v, err %v", a, err)
			}
		})
	})
	t.Run("the call waits beyond the timeout: it is told from an interrupt", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			b := batcher[string, struct{}, struct{}]{clock: clock.Real{}, max: 2, run: func(ctx context.Context, _ string, members []*member[struct{}, struct{}]) {
				<-ctx.Done()
				for _, m := range members {
					m.answer(struct{}{}, context.Cause(ctx))
				}
			}}
			var wg sync.WaitGroup
			for i, id := range []string{"a", "b"} {
				wg.Go(func() {
					ctx, cancel := context.WithTimeout(t.Context(), time.Duration(i+1)*time.Second)
					defer cancel()
					if _, err := b.do(ctx, "", id, struct{}{}); !errors.Is(err, context.DeadlineExceeded) {
						t.Errorf("%s: %v", id, err)
					}
				})
			}
			wg.Wait()
		})
	})
	t.Run("while the task runs: submitted, and resumed without a second call", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			f := newFake("a")
			f.taskTime = time.Minute
			e := f.engine()
			ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
			defer cancel()
			a, err := e.Erase(ctx, "a", hard, none, false)
			var p *Pending
			if !errors.As(err, &p) || !errors.Is(err, context.DeadlineExceeded) || a.Status != StatusSubmitted {
				t.Fatalf("attempt %+v, err %v", a, err)
			}
			if b, err := e.peek(t.Context(), "a", a); !errors.As(err, &p) || p.Err != nil || b.Status != StatusSubmitted {
				t.Errorf("peek %+v, err %v", b, err)
			}
			a, err = e.resume(t.Context(), "a", a)
			if err != nil || a.Status != StatusCompleted || len(f.sent) != 1 {
				t.Errorf("attempt %+v, err %v, sent %v", a, err, f.sent)
			}
		})
	})
	t.Run("one of many goes: the others are served", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			f := newFake("a", "b")
			f.taskTime = time.Minute
			e := f.engine()
			ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
			defer cancel()
			var wg sync.WaitGroup
			wg.Go(func() {
				if a, _ := e.Erase(ctx, "a", hard, none, false); a.Status != StatusSubmitted {
					t.Errorf("a: %+v", a)
				}
			})
			wg.Go(func() {
				if b, err := e.Erase(t.Context(), "b", hard, none, false); err != nil || b.Status != StatusCompleted {
					t.Errorf("b: %+v %v", b, err)
				}
			})
			wg.Wait()
		})
	})
}

func TestWhatIsFound(t *testing.T) {
	deactivated := time.Now()
	for name, tt := range map[string]struct {
		setUp         func(*fakeStream)
		recordMissing bool
		found         Found
		outcome       Outcome
		refused       string
		calls         int
	}{
		"present":     {found: FoundPresent, outcome: OutcomeErased, calls: 1},
		"deactivated": {setUp: func(f *fakeStream) { f.users["a"] = stream.User{ID: "a", DeactivatedAt: &deactivated} }, found: FoundDeactivated, outcome: OutcomeErased, calls: 1},
		"deleted":     {setUp: func(f *fakeStream) { delete(f.users, "a"); f.deleted["a"] = true }, found: FoundDeleted, outcome: OutcomeErased, calls: 1},
		"hidden, deactivated": {setUp: func(f *fakeStream) {
			delete(f.users, "a")
			f.probe = func(string) (stream.Presence, error) { return stream.PresenceDeactivated, nil }
		}, found: FoundDeactivated, outcome: OutcomeErased, calls: 1},
		"missing":           {setUp: func(f *fakeStream) { delete(f.users, "a") }, refused: "Subject not found"},
		"missing, recorded": {setUp: func(f *fakeStream) { delete(f.users, "a") }, recordMissing: true, found: FoundMissing, outcome: OutcomeNotFound},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := newFake("a")
				if tt.setUp != nil {
					tt.setUp(f)
				}
				a, err := f.engine().Erase(t.Context(), "a", hard, none, tt.recordMissing)
				if len(f.sent) != tt.calls {
					t.Errorf("%d delete calls, want %d", len(f.sent), tt.calls)
				}
				if tt.refused != "" {
					var r *Refusal
					if !errors.As(err, &r) || r.Summary != tt.refused || a.Status != "" {
						t.Errorf("attempt %+v, err %v", a, err)
					}
					return
				}
				if err != nil || a.Status != StatusCompleted || a.Found != tt.found || a.Outcome != tt.outcome {
					t.Errorf("attempt %+v, err %v", a, err)
				}
			})
		})
	}
}

// A failure is no fact: nothing of this may become a record of an erasure.
func TestFailuresAreToldFromFacts(t *testing.T) {
	strange := &stream.Error{Op: stream.OpUpdateUsersPartial, Kind: stream.KindUnexpectedBody}
	for name, setUp := range map[string]func(*fakeStream){
		"look-up fails": func(f *fakeStream) { f.lookUp = func([]string) error { return strange } },
		"probe is no sentence": func(f *fakeStream) {
			delete(f.users, "a")
			f.probe = func(string) (stream.Presence, error) { return "", strange }
		},
		"delete call fails": func(f *fakeStream) { f.submit = func([]string) error { return strange } },
		"task fails": func(f *fakeStream) {
			f.task = func(t stream.Task) (stream.Task, error) { t.Status = stream.TaskFailed; return t, nil }
		},
		"task is canceled": func(f *fakeStream) {
			f.task = func(t stream.Task) (stream.Task, error) { t.Status = stream.TaskCanceled; return t, nil }
		},
		"entry is an error": func(f *fakeStream) {
			f.task = entry(func(r map[string]stream.TaskResult) { r["a"] = stream.TaskResult{Status: "error"} })
		},
		"entry is unreadable": func(f *fakeStream) {
			f.task = entry(func(r map[string]stream.TaskResult) { r["a"] = stream.TaskResult{} })
		},
		"no entry, still there": func(f *fakeStream) {
			f.task = entry(func(r map[string]stream.TaskResult) { delete(r, "a"); f.users["a"] = stream.User{ID: "a"} })
		},
		"no entry, missing": func(f *fakeStream) {
			f.task = entry(func(r map[string]stream.TaskResult) { delete(r, "a"); delete(f.deleted, "a") })
		},
		"entry ok, still there": func(f *fakeStream) {
			f.task = entry(func(map[string]stream.TaskResult) { f.users["a"] = stream.User{ID: "a"} })
		},
		"polls cannot be listed": func(f *fakeStream) { f.listFor = func(string) error { return strange } },
		"tokens are not revoked": func(f *fakeStream) { f.revoke = func([]string) error { return strange } },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := newFake("a")
				setUp(f)
				scope := hard
				scope.RevokeTokens = true
				a, err := f.engine().Erase(t.Context(), "a", scope, none, true)
				if err == nil || a.Status == StatusCompleted || a.Outcome != "" || a.VerifiedAt != nil || a.CompletedAt != nil {
					t.Errorf("attempt %+v, err %v", a, err)
				}
			})
		})
	}
}

func entry(change func(map[string]stream.TaskResult)) func(stream.Task) (stream.Task, error) {
	return func(task stream.Task) (stream.Task, error) {
		if task.Status == stream.TaskCompleted {
			change(task.Results)
		}
		return task, nil
	}
}

func TestMissingEntryOfADeletedUserCompletes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFake("a")
		f.task = entry(func(r map[string]stream.TaskResult) { delete(r, "a") })
		a, err := f.engine().Erase(t.Context(), "a", hard, none, false)
		if err != nil || a.Status != StatusCompleted {
			t.Errorf("attempt %+v, err %v", a, err)
		}
	})
}

// For somebody deleted before, an entry is the only proof of the new modes.
func TestMissingEntryProvesNothingOfTheDeleted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFake()
		f.deleted["a"] = true
		f.task = entry(func(r map[string]stream.TaskResult) { delete(r, "a") })
		var failure *Failure
		if a, err := f.engine().Erase(t.Context(), "a", hard, none, false); !errors.As(err, &failure) || a.Outcome != "" {
			t.Errorf("attempt %+v, err %v", a, err)
		}
	})
}

// Scopes that compete for one turn do not prepare before it is theirs.
func TestOneBatchAtATimeBetweenTurnAndCall(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFake("a", "b")
		f.callTime = 30 * time.Second
		f.polls = []stream.Poll{{ID: "pa", CreatedByID: "a"}, {ID: "pb", CreatedByID: "b"}}
		e := f.engine()
		var wg sync.WaitGroup
		wg.Go(func() { _, _ = e.Erase(t.Context(), "a", hard, none, false) })
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		other := hard
		other.Calls = Hard
		wg.Go(func() {
			time.Sleep(time.Second)
			if _, err := e.Erase(ctx, "b", other, none, false); !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("b: %v", err)
			}
			if len(f.polls) != 1 || f.polls[0].ID != "pb" {
				t.Errorf("polls of somebody who was not sent are gone: %v", f.polls)
			}
		})
		wg.Wait()
	})
}

func TestVerificationOutlivesALaggingReplica(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFake("a")
		n := 0
		f.lookUp = func([]string) error {
			switch n++; n {
			case 2, 3:
				f.users["a"] = stream.User{ID: "a"}
			case 4:
				delete(f.users, "a")
			}
			return nil
		}
		a, err := f.engine().Erase(t.Context(), "a", hard, none, false)
		if err != nil || a.Status != StatusCompleted || n != 4 {
			t.Errorf("attempt %+v, err %v, %d look-ups", a, err, n)
		}
	})
}

func TestTaskThatStreamForgot(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFake("a")
		e := f.engine()
		record := Record[UserScope]{}.With(Attempt[UserScope]{Scope: &hard, Status: StatusSubmitted, TaskID: "long-gone"})
		f.deleted["a"] = true
		delete(f.users, "a")
		start := time.Now()
		record, err := advanceOne(e, t.Context(), "a", hard, record, false)
		current := record.Current()
		if err != nil || current.Status != StatusCompleted || current.Found != FoundDeleted || len(f.sent) != 1 || len(record.Attempts) != 2 {
			t.Errorf("record %+v, err %v, sent %v", record, err, f.sent)
		}
		if waited := time.Since(start); waited > time.Minute {
			t.Errorf("took %s", waited)
		}
	})
}

func TestOneRefusedSubjectDoesNotTakeTheOthersDown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ids := userIDs(10)
		f := newFake(ids...)
		f.submit = func(sent []string) error {
			if slices.Contains(sent, "user-3") {
				return refusal(stream.OpDeleteUsers, `DeleteUsers failed with error: "the user user-3 does not exist"`)
			}
			return nil
		}
		attempts, errs := eraseAll(t.Context(), f.engine(), ids, hard)
		if len(errs) != 1 || errs["user-3"] == nil || len(f.sent) != 2 {
			t.Fatalf("errors %v, %d calls", errs, len(f.sent))
		}
		for id, a := range attempts {
			if id != "user-3" && a.Status != StatusCompleted {
				t.Errorf("%s: %+v", id, a)
			}
		}
	})
}

func TestPreparation(t *testing.T) {
	t.Run("polls go before their creator", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			f := newFake("a", "b")
			f.polls = []stream.Poll{{ID: "p1", CreatedByID: "a"}, {ID: "p2", CreatedByID: "b"}}
			if _, err := f.engine().Erase(t.Context(), "a", hard, none, false); err != nil {
				t.Fatal(err)
			}
			if len(f.polls) != 1 || f.polls[0].ID != "p2" {
				t.Errorf("polls left: %v", f.polls)
			}
		})
	})
	t.Run("somebody deactivated: another user lists the polls", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			f := newFake("other")
			now := time.Now()
			f.users["a"] = stream.User{ID: "a", DeactivatedAt: &now}
			f.polls = []stream.Poll{{ID: "p1", CreatedByID: "a"}}
			f.listFor = func(as string) error {
				if as != "other" {
					return errors.New("refused")
				}
				return nil
			}
			a, err := f.engine().Erase(t.Context(), "a", hard, none, false)
			if err != nil || a.PollsUnchecked || len(f.polls) != 0 {
				t.Errorf("attempt %+v, err %v, polls %v", a, err, f.polls)
			}
		})
	})
	t.Run("somebody deleted since the look-up: another user lists the polls", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			f := newFake("a", "other")
			f.polls = []stream.Poll{{ID: "p1", CreatedByID: "a"}}
			f.listFor = func(as string) error {
				if as != "a" {
					return nil
				}
				delete(f.users, "a")
				f.deleted["a"] = true
				return refusal(stream.OpQueryPolls, `QueryPolls failed with error: "the user was deleted"`)
			}
			a, err := f.engine().Erase(t.Context(), "a", hard, none, false)
			if err != nil || a.PollsUnchecked || len(f.polls) != 0 {
				t.Errorf("attempt %+v, err %v, polls %v", a, err, f.polls)
			}
		})
	})
	// What else a run does may restrict whoever was chosen to ask for, again and again.
	for name, act := range map[string]func(f *fakeStream, as func(string) error){
		"listed":  func(f *fakeStream, as func(string) error) { f.listFor = as },
		"deleted": func(f *fakeStream, as func(string) error) { f.actFor = as },
	} {
		for left, checked := range map[int]bool{1: true, 0: false} {
			t.Run(fmt.Sprintf("whoever polls are %s for is gone, %d are left", name, left), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					f := newFake("b", "c", "d")
					now := time.Now()
					f.users["a"] = stream.User{ID: "a", DeactivatedAt: &now}
					f.polls = []stream.Poll{{ID: "p1", CreatedByID: "a"}}
					active := 3
					act(f, func(as string) error {
						if active == left {
							return nil
						}
						active--
						f.users[as] = stream.User{ID: as, DeactivatedAt: &now}
						return refusal(stream.OpQueryPolls, "the user "+as+" was deactivated")
					})
					a, err := f.engine().Erase(t.Context(), "a", hard, none, false)
					if err != nil || a.PollsUnchecked == checked || (len(f.polls) == 0) != checked {
						t.Errorf("attempt %+v, err %v, polls %v", a, err, f.polls)
					}
				})
			})
		}
	}
	t.Run("nobody to list polls for: done, and said", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			f := newFake()
			f.deleted["a"] = true
			a, err := f.engine().Erase(t.Context(), "a", hard, none, false)
			if err != nil || !a.PollsUnchecked {
				t.Errorf("attempt %+v, err %v", a, err)
			}
		})
	})
	t.Run("tokens of the present are revoked, one refusal stays alone", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			f := newFake("a", "b")
			f.revoke = func(ids []string) error {
				if slices.Contains(ids, "b") {
					return errors.New("refused")
				}
				return nil
			}
			scope := soft
			scope.RevokeTokens = true
			attempts, errs := eraseAll(t.Context(), f.engine(), []string{"a", "b"}, scope)
			if attempts["a"].Status != StatusCompleted || errs["b"] == nil || attempts["b"].Status != "" {
				t.Errorf("attempts %+v, errors %v", attempts, errs)
			}
			if len(f.sent) != 1 || !slices.Equal(f.sent[0], []string{"a"}) {
				t.Errorf("sent %v", f.sent)
			}
		})
	})
}

func TestGuards(t *testing.T) {
	held := func(raw string) stream.User {
		return stream.User{ID: "a", Role: "user", Fields: map[string]json.RawMessage{"id": json.RawMessage(`"a"`), "hold": json.RawMessage(raw)}}
	}
	for name, tt := range map[string]struct {
		user   stream.User
		guards Guards
		scope  func(*UserScope)
		refuse string
	}{
		"nothing in the way":      {user: held("null"), guards: Guards{ProtectedIDs: []string{"b"}, ProtectedRoles: []string{"admin"}, HoldField: "hold"}},
		"protected id":            {user: stream.User{ID: "a"}, guards: Guards{ProtectedIDs: []string{"a"}}, refuse: "Protected user"},
		"protected role":          {user: stream.User{ID: "a", Role: "admin"}, guards: Guards{ProtectedRoles: []string{"admin"}}, refuse: "Protected role"},
		"held: true":              {user: held("true"), guards: Guards{HoldField: "hold"}, refuse: "Held user"},
		"held: text":              {user: held(`"litigation"`), guards: Guards{HoldField: "hold"}, refuse: "Held user"},
		"held: the word false":    {user: held(`"false"`), guards: Guards{HoldField: "hold"}, refuse: "Held user"},
		"held: 1":                 {user: held("1"), guards: Guards{HoldField: "hold"}, refuse: "Held user"},
		"held: object":            {user: held("{}"), guards: Guards{HoldField: "hold"}, refuse: "Held user"},
		"held: too large":         {user: held("1e999"), guards: Guards{HoldField: "hold"}, refuse: "Held user"},
		"not held: false":         {user: held("false"), guards: Guards{HoldField: "hold"}},
		"not held: 0":             {user: held("0"), guards: Guards{HoldField: "hold"}},
		"not held: empty text":    {user: held(`""`), guards: Guards{HoldField: "hold"}},
		"heir is missing":         {user: stream.User{ID: "a"}, scope: func(s *UserScope) { s.NewChannelOwnerID = "nobody" }, refuse: "New owner not found"},
		"new owner is the erased": {user: stream.User{ID: "a"}, scope: func(s *UserScope) { s.NewCallOwnerID = "a" }, refuse: "New owner is the erased user"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := newFake()
				f.users["a"] = tt.user
				e := f.engine(func(c *Config[UserScope]) { c.Guards = tt.guards })
				scope := hard
				if tt.scope != nil {
					tt.scope(&scope)
				}
				_, planErr := e.preview(t.Context(), "a", scope, none, Options{RecordMissing: true})
				_, err := e.Erase(t.Context(), "a", scope, none, false)
				for phase, err := range map[string]error{"plan": planErr, "apply": err} {
					var r *Refusal
					switch {
					case tt.refuse == "" && err != nil:
						t.Errorf("%s: %v", phase, err)
					case tt.refuse != "" && (!errors.As(err, &r) || r.Summary != tt.refuse):
						t.Errorf("%s: %v, want %q", phase, err, tt.refuse)
					}
				}
				if tt.refuse != "" && len(f.sent) != 0 {
					t.Errorf("sent %v in spite of the guard", f.sent)
				}
			})
		})
	}
}

// Guards fail closed where only the probe knows the user.
func TestGuardsNeedFacts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFake()
		f.probe = func(string) (stream.Presence, error) { return stream.PresencePresent, nil }
		e := f.engine(func(c *Config[UserScope]) { c.Guards.ProtectedRoles = []string{"admin"} })
		var r *Refusal
		if _, err := e.Erase(t.Context(), "a", hard, none, false); !errors.As(err, &r) || len(f.sent) != 0 {
			t.Errorf("err %v, sent %v", err, f.sent)
		}
	})
}

func TestLedger(t *testing.T) {
	l := &Ledger{MaxErasures: 2, Probes: 1}
	for _, id := range []string{"a", "b", "a", "b"} {
		if err := l.Erase("user", id, true); err != nil {
			t.Errorf("%s: %v", id, err)
		}
	}
	var r *Refusal
	if err := l.Erase("user", "c", true); !errors.As(err, &r) || r.Field != "max_erasures" {
		t.Errorf("the third subject: %v", err)
	}
	if !l.spendProbe() || l.spendProbe() {
		t.Error("one probe was allowed")
	}
}

func TestPlanProbesOnlyWithinItsBudget(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFake()
		e := f.engine(func(c *Config[UserScope]) { c.Ledger = &Ledger{Probes: 1} })
		first, _ := e.preview(t.Context(), "a", hard, none, Options{RecordMissing: true})
		second, err := e.preview(t.Context(), "b", hard, none, Options{RecordMissing: true})
		if first.Found != FoundMissing || second.Found != FoundUnproven || err != nil || len(f.probes) != 1 {
			t.Errorf("%v, %v, %v, probes %v", first.Found, second.Found, err, f.probes)
		}
	})
}

func TestWrongAppStopsEverything(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFake("a")
		e := f.engine(func(c *Config[UserScope]) { c.App.Expected = "Other" })
		for name, do := range map[string]func() error{
			"plan": func() error {
				_, err := e.preview(t.Context(), "a", hard, none, Options{RecordMissing: true})
				return err
			},
			"apply":   func() error { _, err := e.Erase(t.Context(), "a", hard, none, false); return err },
			"import":  func() error { _, err := e.Adopt(t.Context(), "a"); return err },
			"restore": func() error { return e.Restore(t.Context(), Batch[UserScope]{"a": none}) },
			"look-up": func() error { _, err := e.LookUp(t.Context(), "a"); return err },
		} {
			var r *Refusal
			if err := do(); !errors.As(err, &r) || r.Summary != "Wrong app" {
				t.Errorf("%s: %v", name, err)
			}
		}
		if len(f.lookUps)+len(f.sent)+len(f.probes) != 0 {
			t.Error("something was sent to the wrong app")
		}
	})
}

func TestAdopt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFake("living")
		f.deleted["gone"] = true
		e := f.engine()
		if a, err := e.Adopt(t.Context(), "gone"); err != nil || a.Outcome != OutcomeAdopted || a.Status != StatusCompleted || a.Scope != nil {
			t.Errorf("gone: %+v, %v", a, err)
		}
		for _, id := range []string{"living", "never"} {
			var r *Refusal
			if _, err := e.Adopt(t.Context(), id); !errors.As(err, &r) {
				t.Errorf("%s: %v", id, err)
			}
		}
		if len(f.sent) != 0 {
			t.Error("import sent a deletion")
		}
	})
}

func TestNoErrorNamesTheSubject(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const canary = "canary-4711"
		for name, setUp := range map[string]func(*fakeStream){
			"missing": func(f *fakeStream) { delete(f.users, canary) },
			"refused": func(f *fakeStream) {
				f.submit = func([]string) error { return refusal(stream.OpDeleteUsers, "the user "+canary+" was deleted") }
			},
			"failed": func(f *fakeStream) {
				f.task = entry(func(r map[string]stream.TaskResult) { r[canary] = stream.TaskResult{Status: "error", Error: canary} })
			},
			"protected": func(f *fakeStream) {},
		} {
			f := newFake(canary)
			setUp(f)
			e := f.engine(func(c *Config[UserScope]) {
				if name == "protected" {
					c.Guards.ProtectedIDs = []string{canary}
				}
			})
			if _, err := e.Erase(t.Context(), canary, hard, none, false); err == nil || strings.Contains(err.Error(), canary) {
				t.Errorf("%s: %v", name, err)
			}
		}
	})
}
