// Copyright (c) the terraform-provider-streamchat authors
// SPDX-License-Identifier: MPL-2.0

package erasure

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/clock"
	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/stream"
	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/stream/streamtest"
)

// fakeStream is Stream's user API in memory, for the engine's tests: users are
// marked as deleted at once, tasks end after taskTime.
type fakeStream struct {
	clock    clock.Clock
	taskTime time.Duration
	callTime time.Duration

	mu       sync.Mutex
	users    map[string]stream.User
	deleted  map[string]bool
	polls    []stream.Poll
	actFor   func(asUser string) error
	channels []stream.Membership
	tasks    map[string]*fakeTask
	lookUps  [][]string
	probes   []string
	sent     [][]string
	scopes   []stream.UserDeletion
	taskGets map[string]int
	revoked  [][]string

	lookUp func(ids []string) error
	probe  func(id string) (stream.Presence, error)
	// probeTime is what a probe takes.
	probeTime func()
	submit    func(ids []string) error
	task      func(stream.Task) (stream.Task, error)
	revoke    func(ids []string) error
	listFor   func(asUser string) error
	turn      func(context.Context) error
	// attempts is called before each of the attempts that a call takes.
	attempts func(attempt int)
}

type fakeTask struct {
	task stream.Task
	ends time.Time
}

func newFake(ids ...string) *fakeStream {
	f := &fakeStream{
		clock: clock.Real{}, taskTime: 2 * time.Second, callTime: 50 * time.Millisecond,
		users: map[string]stream.User{}, deleted: map[string]bool{}, tasks: map[string]*fakeTask{}, taskGets: map[string]int{},
	}
	for _, id := range ids {
		f.users[id] = stream.User{ID: id, Role: "user", Fields: map[string]json.RawMessage{"id": json.RawMessage(`"` + id + `"`)}}
	}
	return f
}

func (f *fakeStream) engine(change ...func(*Config[UserScope])) *Engine[UserScope] {
	c := Config[UserScope]{
		Deed: Users{API: f, Clock: f.clock}, API: f, Ledger: &Ledger{Probes: 50}, Clock: f.clock, Version: "test",
		App: &AppGate{API: theApp{}},
	}
	for _, do := range change {
		do(&c)
	}
	return New(c)
}

func (f *fakeStream) UsersByID(_ context.Context, ids []string) (map[string]stream.User, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.lookUps = append(f.lookUps, slices.Clone(ids))
	if f.lookUp != nil {
		if err := f.lookUp(ids); err != nil {
			return nil, err
		}
	}
	found := map[string]stream.User{}
	for _, id := range ids {
		if u, ok := f.users[id]; ok {
			found[id] = u
		}
	}
	return found, nil
}

func (f *fakeStream) ProbeUser(_ context.Context, id string) (stream.Presence, error) {
	if f.probeTime != nil {
		f.probeTime()
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.probes = append(f.probes, id)
	if f.probe != nil {
		return f.probe(id)
	}
	switch {
	case f.deleted[id]:
		return stream.PresenceDeleted, nil
	case f.users[id].ID != "":
		return stream.PresencePresent, nil
	default:
		return stream.PresenceMissing, nil
	}
}

func (f *fakeStream) DeleteUsers(ctx context.Context, ids []string, d stream.UserDeletion) (string, error) {
	for attempt := 1; f.attempts != nil && attempt <= 3; attempt++ {
		f.attempts(attempt)
		if err := stream.LastWord(ctx, stream.OpDeleteUsers); err != nil {
			return "", err
		}
	}
	if err := f.clock.Sleep(context.WithoutCancel(ctx), f.callTime); err != nil {
		return "", err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.sent = append(f.sent, slices.Clone(ids))
	f.scopes = append(f.scopes, d)
	if f.submit != nil {
		if err := f.submit(ids); err != nil {
			return "", err
		}
	}
	id := fmt.Sprintf("task-%d", len(f.tasks)+1)
	now := f.clock.Now()
	t := &fakeTask{task: stream.Task{ID: id, Status: stream.TaskCompleted, CreatedAt: now, UpdatedAt: now.Add(f.taskTime), Results: map[string]stream.TaskResult{}}, ends: now.Add(f.taskTime)}
	for _, user := range ids {
		delete(f.users, user)
		f.deleted[user] = true
		t.task.Results[user] = stream.TaskResult{Status: stream.ResultOK}
	}
	f.tasks[id] = t
	return id, nil
}

func (f *fakeStream) Task(_ context.Context, id string) (stream.Task, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.taskGets[id]++
	t, ok := f.tasks[id]
	if !ok {
		return stream.Task{}, &stream.Error{Op: stream.OpGetTask, HTTPStatus: 404, Code: 16, Kind: stream.KindNotFound}
	}
	task := t.task
	if f.clock.Now().Before(t.ends) {
		task.Status, task.Results = stream.TaskRunning, nil
	}
	if f.task != nil {
		return f.task(task)
	}
	return task, nil
}

func (f *fakeStream) WaitTask(ctx context.Context, id string) (stream.Task, error) {
	return waitTask(ctx, id, f.Task)
}

// waitTask is the client's WaitTask without what its callers share.
func waitTask(ctx context.Context, id string, get func(context.Context, string) (stream.Task, error)) (stream.Task, error) {
	for unknown := 0; ; {
		if err := (clock.Real{}).Sleep(ctx, time.Second); err != nil {
			return stream.Task{}, err
		}
		switch task, err := get(ctx, id); {
		case stream.IsNotFound(err):
			if unknown++; unknown > 10 {
				return stream.Task{}, stream.ErrTaskUnknown
			}
		case err != nil || task.Terminal():
			return task, err
		default:
			unknown = 0
		}
	}
}

func (f *fakeStream) RestoreUsers(_ context.Context, ids []string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, id := range ids {
		if !f.deleted[id] {
			return errors.New("not deleted")
		}
		delete(f.deleted, id)
		f.users[id] = stream.User{ID: id}
	}
	return nil
}

func (f *fakeStream) RevokeTokens(_ context.Context, ids []string, _ time.Time) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.revoked = append(f.revoked, slices.Clone(ids))
	if f.revoke != nil {
		return f.revoke(ids)
	}
	return nil
}

func (f *fakeStream) PollsCreatedBy(_ context.Context, creators []string, asUser string) ([]stream.Poll, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.listFor != nil {
		if err := f.listFor(asUser); err != nil {
			return nil, err
		}
	}
	var polls []stream.Poll
	for _, p := range f.polls {
		if slices.Contains(creators, p.CreatedByID) {
			polls = append(polls, p)
		}
	}
	return polls, nil
}

func (f *fakeStream) DeletePoll(_ context.Context, pollID, asUser string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.actFor != nil {
		if err := f.actFor(asUser); err != nil {
			return err
		}
	}
	f.polls = slices.DeleteFunc(f.polls, func(p stream.Poll) bool { return p.ID == pollID })
	return nil
}

func (f *fakeStream) AnyActiveUser(context.Context) (string, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for id, u := range f.users {
		if u.DeactivatedAt == nil {
			return id, nil
		}
	}
	return "", nil
}

func (f *fakeStream) SmallChannelsOf(_ context.Context, ids []string, most int) ([]stream.Membership, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	var found []stream.Membership
	for _, c := range f.channels {
		if c.Count == 0 { // as Stream counts
			c.Count, c.All = len(c.Members), true
		}
		if len(c.Members) <= most && slices.ContainsFunc(c.Members, func(m string) bool { return slices.Contains(ids, m) }) {
			found = append(found, c)
		}
	}
	return found, nil
}

func (f *fakeStream) AllMembers(_ context.Context, m stream.Membership) (stream.Membership, error) {
	m.All = m.Count <= len(m.Members)
	return m, nil
}

func (f *fakeStream) AwaitTurn(ctx context.Context, _ stream.Operation) error {
	if f.turn != nil {
		return f.turn(ctx)
	}
	return ctx.Err()
}

var (
	hard = Defaulted(Hard, nil, nil, nil, nil, nil)
	soft = Defaulted(Soft, nil, nil, nil, nil, nil)
)

// refusal is Stream's 404 with code 16 and this message.
func refusal(op stream.Operation, message string) error {
	body, err := json.Marshal(map[string]any{"code": 16, "message": message, "StatusCode": 404})
	if err != nil {
		panic(err)
	}
	return streamtest.Failure(op, 404, body)
}

// none is the record of a subject of which nothing is recorded.
var none Record[UserScope]

func userIDs(n int) []string {
	ids := make([]string, n)
	for i := range ids {
		ids[i] = fmt.Sprintf("user-%d", i)
	}
	return ids
}

// theApp is an app that answers.
type theApp struct{}

func (theApp) App(context.Context) (stream.App, error) { return stream.App{Name: "App"}, nil }

// Erase sends a deletion, whatever a record says.
func (e *Engine[S]) Erase(ctx context.Context, id string, scope S, record Record[S], recordMissing bool) (Attempt[S], error) {
	return e.erase(ctx, id, scope, record, Options{RecordMissing: recordMissing}, func(context.Context) {})
}

// advanceOne takes the record of one subject as far as it gets.
func advanceOne[S Scope[S]](e *Engine[S], ctx context.Context, id string, scope S, record Record[S], recordMissing bool) (Record[S], error) { //nolint:revive // as a method
	batch, errs := e.Advance(ctx, []string{id}, scope, Batch[S]{id: record}, Options{RecordMissing: recordMissing})
	return batch[id], errs[id]
}

func (f *fakeStream) PeopleOfChannels(context.Context, []string) (map[string]stream.Membership, error) {
	return nil, nil
}
