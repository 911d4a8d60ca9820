// Copyright (c) the terraform-provider-streamchat authors
// SPDX-License-Identifier: MPL-2.0

package erasure

import (
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"maps"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/clock"
	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/stream"
)

// world is Stream with one kind of subject, its network and its bad days. It
// keeps the books that the property tests compare the records with.
//
// What goes wrong is drawn by the seed and by what it is drawn for, not by whose
// turn it is, so that a seed tells the same story however goroutines run.
type world struct {
	t    *testing.T
	seed uint64
	kind string

	mu       sync.Mutex
	draws    map[string]int
	quiet    bool // nothing goes wrong any more
	latency  time.Duration
	callTime time.Duration
	taskTime time.Duration
	lag      time.Duration // of the replicas that look-ups ask; shorter than the engine's patience
	gap      time.Duration // between two calls, by the limit
	trouble  int           // percent, of each thing that can go wrong

	things map[string]*thing
	tasks  map[string]*worldTask
	order  []*worldTask
	books  map[string]*book
}

// state is what Stream holds of a subject.
type state struct {
	row       bool // it is there, perhaps hidden
	hidden    bool // deleted softly, or marked as deleted
	truncated time.Time
}

type thing struct {
	now, before state
	changed     time.Time
	never       bool // it never existed
}

type worldTask struct {
	task                stream.Task
	hard                bool
	ids                 []string
	back                map[string]bool // who comes back, because the deletion failed
	shows, ends, forgot time.Time
	applied             bool
}

// supports: the task has completed and says nothing else of the subject than ok.
func (t *worldTask) supports(id string) bool {
	entry, ok := t.task.Results[id]
	return t.task.Status == stream.TaskCompleted && t.task.Err == nil && (!ok || entry.Status == stream.ResultOK)
}

// book is what the world knows of one subject.
type book struct {
	accepted []acceptance
	did      map[bool]bool    // hard or soft, to the end
	calls    map[*process]int // that held it
	troubles map[*process]int // failed, refused or unknown: reasons to send once more
	lost     map[*process]bool
	refused  int // calls that Stream refused for good
}

// acceptance is Stream's yes to a call, for one subject.
type acceptance struct {
	by         *process
	hard       bool
	task       string
	answerLost bool
}

// process is a run of Terraform: an engine of its own, which may die.
type process struct {
	*world
	dead  bool
	free  time.Time // when the next call may go
	split bool      // the next call belongs to the turn of the one before
	holds map[string]holding
}

// holding is what a process was told of a subject.
type holding struct {
	submitted, escalates bool
	task                 string
}

var errDead = errors.New("the process is dead")

func newWorld(t *testing.T, seed uint64, kind string, ids []string) *world {
	w := &world{
		t: t, seed: seed, kind: kind, draws: map[string]int{},
		things: map[string]*thing{}, tasks: map[string]*worldTask{}, books: map[string]*book{},
	}
	w.latency, w.callTime, w.taskTime = w.upTo(time.Second, "latency"), w.upTo(4*time.Second, "call"), w.upTo(20*time.Second, "task")
	w.lag, w.gap, w.trouble = w.upTo(3*time.Second, "lag"), w.upTo(20*time.Second, "gap"), w.roll(12, "trouble")
	for _, id := range ids {
		w.things[id] = &thing{now: state{row: true}}
		w.books[id] = &book{did: map[bool]bool{}, calls: map[*process]int{}, troubles: map[*process]int{}, lost: map[*process]bool{}}
	}
	return w
}

func (w *world) process() *process { return &process{world: w, holds: map[string]holding{}} }

// roll draws a number below n.
func (w *world) roll(n int, what string) int {
	w.draws[what]++
	h := fnv.New64a()
	fmt.Fprint(h, what, w.draws[what])
	return rand.New(rand.NewPCG(w.seed, h.Sum64())).IntN(n)
}

func (w *world) upTo(d time.Duration, what string) time.Duration {
	return time.Duration(w.roll(1000, what)) * d / 1000
}

// bad says whether one of the things that can go wrong does.
func (w *world) bad(what string) bool { return !w.quiet && w.roll(100, what) < w.trouble }

func (w *world) locked(do func()) {
	w.mu.Lock()
	defer w.mu.Unlock()
	do()
}

func (w *world) sleep(ctx context.Context, most time.Duration, what string) error {
	var d time.Duration
	w.locked(func() { d = w.upTo(most, what) })
	return clock.Real{}.Sleep(ctx, d)
}

// change sets what Stream holds. Look-ups lag behind.
func (t *thing) change(now state) {
	if t.now != now {
		t.before, t.now, t.changed = t.now, now, time.Now()
	}
}

// comeBack undoes what failed to be deleted, for every replica.
func (t *thing) comeBack() { *t = thing{now: state{row: true}, before: state{row: true}} }

func (w *world) shown(id string) state {
	t, ok := w.things[id]
	switch {
	case !ok:
		return state{}
	case time.Since(t.changed) < w.lag:
		return t.before
	}
	return t.now
}

// tick carries out what ended tasks leave.
func (w *world) tick() {
	for _, task := range w.order {
		if task.applied || time.Now().Before(task.ends) {
			continue
		}
		task.applied = true
		for _, id := range task.ids {
			thing, book := w.things[id], w.books[id]
			switch {
			case !task.back[id]:
				book.did[task.hard] = true
				if task.hard && w.kind == "channel" {
					thing.change(state{})
				}
			case !book.did[true] && !book.did[false] && !w.otherTask(task, id):
				thing.comeBack()
			default: // deleted all the same
				book.did[task.hard] = true
			}
		}
	}
}

func (w *world) otherTask(than *worldTask, id string) bool {
	return slices.ContainsFunc(w.order, func(t *worldTask) bool { return t != than && !t.applied && slices.Contains(t.ids, id) })
}

// read is a call that changes nothing; look reads under the lock.
func (p *process) read(ctx context.Context, op stream.Operation, what string, look func() error) error {
	if err := p.sleep(ctx, p.latency, "latency "+what); err != nil {
		return err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case p.dead:
		return errDead
	case p.bad("read " + what):
		return &stream.Error{Op: op, Kind: []stream.Kind{stream.KindNetwork, stream.KindServer, stream.KindUnexpectedBody}[p.roll(3, what)]}
	}
	p.tick()
	return look()
}

func (p *process) UsersByID(ctx context.Context, ids []string) (map[string]stream.User, error) {
	found := map[string]stream.User{}
	return found, p.read(ctx, stream.OpQueryUsers, "look-up "+ids[0], func() error {
		for _, id := range ids {
			if s := p.shown(id); s.row && !s.hidden {
				found[id] = stream.User{ID: id, Role: "user"}
			}
		}
		return nil
	})
}

func (p *process) ProbeUser(ctx context.Context, id string) (presence stream.Presence, err error) {
	return presence, p.read(ctx, stream.OpUpdateUsersPartial, "probe "+id, func() error {
		switch thing := p.things[id]; {
		case thing.never:
			presence = stream.PresenceMissing
		case thing.now.hidden || !thing.now.row:
			presence = stream.PresenceDeleted
		default:
			presence = stream.PresencePresent
		}
		return nil
	})
}

func (p *process) ChannelsByCID(ctx context.Context, cids []string) (map[string]stream.Channel, error) {
	found := map[string]stream.Channel{}
	return found, p.read(ctx, stream.OpQueryChannels, "look-up "+cids[0], func() error {
		for _, cid := range cids {
			if s := p.shown(cid); s.row && !s.hidden {
				channel := stream.Channel{CID: cid}
				if !s.truncated.IsZero() {
					channel.TruncatedAt = &s.truncated
				}
				found[cid] = channel
			}
		}
		return nil
	})
}

func (*process) Repliers(context.Context, string) ([]string, bool, error) { return nil, true, nil }

func (p *process) GetMessage(ctx context.Context, id string) (message stream.Message, err error) {
	return message, p.read(ctx, stream.OpGetMessage, "look-up "+id, func() error {
		s := p.shown(id)
		if !s.row {
			return refusal(stream.OpGetMessage, "message with id "+id+" doesn't exist")
		}
		message = stream.Message{ID: id, Deleted: s.hidden}
		return nil
	})
}

func (p *process) Task(ctx context.Context, id string) (task stream.Task, err error) {
	return task, p.read(ctx, stream.OpGetTask, id, func() error {
		t, ok := p.tasks[id]
		now := time.Now()
		if !ok || now.Before(t.shows) || !t.forgot.IsZero() && now.After(t.forgot) {
			return refusal(stream.OpGetTask, "Can't find task with id "+id)
		}
		task = t.task
		task.Results = maps.Clone(task.Results)
		if now.Before(t.ends) {
			task.Status, task.Results, task.Err = stream.TaskRunning, nil, nil
		}
		return nil
	})
}

func (p *process) WaitTask(ctx context.Context, id string) (stream.Task, error) {
	return waitTask(ctx, id, p.Task)
}

// AwaitTurn waits like the client's limiter, which also holds back calls that
// come without having waited for their turn.
func (p *process) AwaitTurn(ctx context.Context, _ stream.Operation) error {
	for {
		var wait time.Duration
		p.locked(func() {
			wait = time.Until(p.free)
			p.split = false
		})
		if wait <= 0 {
			return ctx.Err()
		}
		if err := (clock.Real{}).Sleep(ctx, wait); err != nil {
			return err
		}
	}
}

func (p *process) DeleteUsers(ctx context.Context, ids []string, d stream.UserDeletion) (string, error) {
	return p.send(ctx, stream.OpDeleteUsers, ids, d.User == string(Hard), state{row: true, hidden: true})
}

func (p *process) DeleteChannels(ctx context.Context, cids []string, hard bool) (string, error) {
	return p.send(ctx, stream.OpDeleteChannels, cids, hard, state{row: true, hidden: true})
}

func (p *process) DeleteMessage(ctx context.Context, id string, hard bool) (stream.Message, error) {
	_, err := p.send(ctx, stream.OpDeleteMessage, []string{id}, hard, state{row: !hard, hidden: !hard})
	return stream.Message{ID: id, Deleted: true}, err
}

func (p *process) TruncateChannel(ctx context.Context, cid string, t stream.Truncation) (stream.Channel, error) {
	at := t.Until
	if at.IsZero() {
		at = time.Now()
	}
	_, err := p.send(ctx, stream.OpTruncateChannel, []string{cid}, t.Hard, state{row: true, truncated: at})
	return stream.Channel{CID: cid, TruncatedAt: &at}, err
}

func (*process) RestoreUsers(context.Context, []string) error            { return errDead }
func (*process) RevokeTokens(context.Context, []string, time.Time) error { return errDead }
func (*process) DeletePoll(context.Context, string, string) error        { return errDead }
func (*process) AnyActiveUser(context.Context) (string, error)           { return "", nil }
func (*process) PollsCreatedBy(context.Context, []string, string) ([]stream.Poll, error) {
	return nil, nil
}

// send is a call that changes something: like the transport's it is not torn by
// an interrupt, and like any it may come to Stream after its process has died.
func (p *process) send(ctx context.Context, op stream.Operation, ids []string, hard bool, after state) (task string, err error) {
	var wait time.Duration
	var dead bool
	p.locked(func() {
		if dead, wait = p.dead, time.Until(p.free); wait > 0 && !p.split && !dead {
			p.t.Errorf("%v sent without a turn", ids)
		}
	})
	if dead {
		return "", errDead
	}
	if err := (clock.Real{}).Sleep(ctx, wait); err != nil {
		return "", &stream.Error{Op: op, Kind: stream.KindCanceled}
	}
	ctx = context.WithoutCancel(ctx)
	what := "send " + ids[0]
	_ = p.sleep(ctx, p.callTime, what)
	p.locked(func() {
		if p.dead && p.roll(2, what) == 0 {
			err = errDead
			return
		}
		p.free = time.Now().Add(p.gap)
		p.tick()
		task, err = p.answer(op, ids, hard, after)
	})
	_ = p.sleep(ctx, p.callTime, what)
	p.locked(func() { dead = p.dead })
	if dead {
		return "", errDead
	}
	return task, err
}

// answer is what Stream does with a call, and what comes back of it.
func (p *process) answer(op stream.Operation, ids []string, hard bool, after state) (task string, err error) {
	what := "answer " + ids[0]
	troubled := func(kind stream.Kind, status int, ambiguous bool) error {
		for _, id := range ids {
			p.books[id].troubles[p]++
		}
		return &stream.Error{Op: op, HTTPStatus: status, Kind: kind, Ambiguous: ambiguous}
	}
	known := 0
	for _, id := range ids {
		p.books[id].calls[p]++
		p.sentAgain(id)
		if p.things[id].now.row {
			known++
		}
	}
	switch {
	case p.bad("drop before " + what):
		return "", troubled(stream.KindNetwork, 0, true)
	case p.bad("500 before " + what):
		return "", troubled(stream.KindServer, 500, true)
	case p.bad("429 " + what):
		return "", troubled(stream.KindRateLimited, 429, false)
	case p.bad("400 " + what):
		for _, id := range ids {
			p.books[id].refused++
		}
		return "", troubled(stream.KindInput, 400, false)
	case p.kind == "user" && len(ids) > 1 && p.bad("404 "+what):
		p.split = true
		_ = troubled("", 0, false)
		named := ids[p.roll(len(ids), what)]
		p.books[named].refused++
		return "", refusal(op, "the user "+named+" does not exist")
	case p.kind == "channel" && known == 0 && len(ids) > 1:
		p.split = true
		_ = troubled("", 0, false)
		return "", refusal(op, `DeleteChannels failed with error: "channels not found"`)
	case p.kind == "channel" && known == 0:
		err = refusal(op, `DeleteChannels failed with error: "channels not found"`)
	case p.kind == "message" && known == 0:
		err = refusal(op, "message with id "+ids[0]+" doesn't exist")
	case p.kind == "user" || p.kind == "channel":
		task = p.begin(ids, hard)
	}
	lost := p.bad("drop after " + what)
	for _, id := range ids {
		thing, book := p.things[id], p.books[id]
		book.accepted = append(book.accepted, acceptance{p, hard, task, lost})
		if thing.now.row && (p.kind != "user" || !thing.now.hidden) {
			thing.change(after)
		}
		if task == "" {
			book.did[hard] = true
		}
	}
	if lost {
		return "", troubled([]stream.Kind{stream.KindNetwork, stream.KindServer, stream.KindUnexpectedBody}[p.roll(3, what)], 0, true)
	}
	return task, err
}

// begin makes a task and decides how it will end.
func (p *process) begin(ids []string, hard bool) string {
	id := fmt.Sprint("task-", len(p.order)+1)
	now := time.Now().UTC().Round(0) // as Stream writes it
	t := &worldTask{ids: slices.Clone(ids), hard: hard, back: map[string]bool{}, shows: now.Add(p.upTo(8*time.Second, id)), ends: now.Add(p.upTo(p.taskTime, id))}
	t.task = stream.Task{ID: id, Status: stream.TaskCompleted, CreatedAt: now, UpdatedAt: t.ends, Results: map[string]stream.TaskResult{}}
	fails := func(id string) {
		p.books[id].troubles[p]++
		t.back[id] = p.roll(2, "back "+id) == 0 || p.kind == "channel" && !p.things[id].now.row
	}
	switch {
	case p.bad("failed " + id):
		t.task.Status = []string{stream.TaskFailed, stream.TaskCanceled, stream.TaskCompleted}[p.roll(3, id)]
		t.task.Err = &stream.TaskError{Description: "canary"}
		for _, subject := range ids {
			fails(subject)
		}
	case p.bad("forgotten " + id):
		t.forgot = now.Add(p.upTo(30*time.Second, id))
		for _, subject := range ids {
			p.books[subject].troubles[p]++
		}
	}
	for _, subject := range ids {
		t.task.Results[subject] = stream.TaskResult{Status: stream.ResultOK}
		switch {
		case p.kind == "channel" && !p.things[subject].now.row:
			t.task.Results[subject] = stream.TaskResult{Status: "error", Error: "canary"}
			fails(subject)
		case p.bad("entry " + id + subject):
			t.task.Results[subject] = stream.TaskResult{Status: "error", Error: "canary"}
			fails(subject)
		case p.bad("no entry " + id + subject):
			delete(t.task.Results, subject)
			fails(subject)
		case p.bad("ok and there " + id + subject):
			fails(subject)
		}
	}
	p.tasks[id] = t
	p.order = append(p.order, t)
	return id
}

// sentAgain checks that nobody is sent while a task that is on record is known.
func (p *process) sentAgain(id string) {
	h := p.holds[id]
	if !h.submitted {
		return
	}
	t := p.tasks[h.task]
	switch {
	case h.escalates && (t == nil || !time.Now().Before(t.ends)):
	case t != nil && !t.forgot.IsZero() && time.Now().After(t.forgot):
	default:
		p.t.Errorf("%s is sent again although %q is on record and known", id, h.task)
	}
}

func (p *process) SmallChannelsOf(context.Context, []string, int) ([]stream.Membership, error) {
	return nil, nil
}

func (p *process) AllMembers(_ context.Context, m stream.Membership) (stream.Membership, error) {
	return m, nil
}

func (p *process) PeopleOfChannels(context.Context, []string) (map[string]stream.Membership, error) {
	return nil, nil
}
