// Copyright (c) the terraform-provider-streamchat authors
// SPDX-License-Identifier: MPL-2.0

package erasure

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"reflect"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/clock"
)

// A story that failed is told again by: go test -run 'Exactly/users' -args -seed 7.
var (
	theSeed = flag.Int64("seed", -1, "tell the property tests' story of this seed alone, again and again")
	stories = flag.Uint64("stories", 200, "how many stories the property tests tell of each kind")
)

const (
	wildRuns  = 5   // of Terraform, before everything goes well
	calmRuns  = 6   // in which every record must get there
	crowdEach = 200 // every so many stories more subjects come than one call takes
)

// species is a kind of subject with a scope that can be raised to another.
type species[S Scope[S]] struct {
	kind   string
	deed   func(*process) Deed[S]
	scopes [2]S
}

// Whatever submissions, failures, interrupts and deaths come together: the calls
// that Stream accepted are exactly those that the records tell of, but for records
// that died with their process and answers that were lost; nothing is completed
// that Stream has not done; and nobody is sent without a reason.
func TestRecordsTellExactlyWhatWasSent(t *testing.T) {
	tell(t, "users", species[UserScope]{"user", func(p *process) Deed[UserScope] { return Users{API: p, Clock: clock.Real{}} }, [2]UserScope{soft, hard}})
	tell(t, "channels", species[ChannelScope]{"channel", func(p *process) Deed[ChannelScope] { return Channels{API: p} }, [2]ChannelScope{{}, hardChannel}})
	tell(t, "messages", species[MessageScope]{"message", func(p *process) Deed[MessageScope] { return Messages{API: p} }, [2]MessageScope{{}, hardMessage}})
	truncations := func(p *process) Deed[TruncationScope] { return Truncations{API: p} }
	tell(t, "truncations", species[TruncationScope]{"truncation", truncations, [2]TruncationScope{{}, {Hardness: Hardness{Hard: true}}}})
	// The bubble's time begins in 2000.
	before := Instant(time.Date(1999, 1, 1, 0, 0, 0, 0, time.UTC))
	tell(t, "truncations up to a time", species[TruncationScope]{"truncation", truncations, [2]TruncationScope{{Before: before}, {Hardness: Hardness{Hard: true}, Before: before}}})
}

func tell[S Scope[S]](t *testing.T, name string, k species[S]) {
	t.Run(name, func(t *testing.T) {
		t.Parallel()
		for n := range *stories {
			seed := n
			if *theSeed >= 0 {
				seed = uint64(*theSeed)
			}
			synctest.Test(t, func(t *testing.T) {
				defer func() {
					if t.Failed() {
						t.Logf("this was seed %d", seed)
					}
				}()
				newStory(t, k, seed).tell()
			})
		}
	})
}

// story is what happens to some subjects over several runs of Terraform.
type story[S Scope[S]] struct {
	*world
	k     species[S]
	ids   []string
	batch bool // one resource for all, else one for each

	recordMissing bool
	raisedAt      int // the run in which the scope is raised, -1 = never

	saved   Batch[S]        // as read back from the receipts in state
	refused map[string]bool // who never existed
	zombies sync.WaitGroup
}

func newStory[S Scope[S]](t *testing.T, k species[S], seed uint64) *story[S] {
	ids := userIDs(1 + int(seed%7))
	if seed%crowdEach == crowdEach-1 && k.kind == "user" {
		ids = userIDs(MaxSubjects + 20)
	}
	s := &story[S]{world: newWorld(t, seed, k.kind, ids), k: k, ids: ids, raisedAt: -1, saved: Batch[S]{}, refused: map[string]bool{}}
	s.batch = (k.kind == "user" || k.kind == "channel") && s.roll(3, "batch") == 0
	s.recordMissing = s.roll(2, "record missing") == 0
	if s.roll(3, "raise") == 0 {
		s.raisedAt = 1 + s.roll(wildRuns, "raise")
	}
	if k.kind == "user" || k.kind == "truncation" { // of the others Stream does not tell
		for _, id := range ids {
			if s.roll(10, "never "+id) == 0 {
				*s.things[id] = thing{never: true}
			}
		}
	}
	return s
}

// scope is what the configuration wants in a run.
func (s *story[S]) scope(run int) S {
	if s.raisedAt < 0 && s.seed%2 == 0 || s.raisedAt >= 0 && run >= s.raisedAt {
		return s.k.scopes[1]
	}
	return s.k.scopes[0]
}

func (s *story[S]) tell() {
	run := 0
	for ; run < wildRuns+calmRuns && !s.ended(run); run++ {
		s.locked(func() { s.quiet = run >= wildRuns })
		s.run(run)
	}
	s.zombies.Wait()
	if !s.ended(run) {
		s.t.Errorf("after %d runs: %v", run, s.records())
	}
	s.balance(run)
}

// ended: the next plan would be empty.
func (s *story[S]) ended(run int) bool {
	for id, record := range s.records() {
		if !s.refused[id] && Next(record.Current(), Against(s.scope(max(run, s.raisedAt)), record)) != Keep {
			return false
		}
	}
	return true
}

// records are what is in state, of every subject.
func (s *story[S]) records() map[string]Record[S] {
	s.mu.Lock()
	defer s.mu.Unlock()
	records := map[string]Record[S]{}
	for _, id := range s.ids {
		records[id] = s.saved[id]
	}
	return records
}

// run is one apply in a process of its own, which may be interrupted or killed.
func (s *story[S]) run(n int) {
	p := s.process()
	engine := New(Config[S]{
		Deed: s.k.deed(p), Tasks: p, Ledger: &Ledger{}, Clock: clock.Real{}, Version: "test",
		App: &AppGate{API: fakeApp{}},
	})
	scope, prior := s.scope(n), s.records()
	ctx, kill := context.WithCancel(s.t.Context())
	defer kill()
	for id, record := range prior {
		current := record.Current()
		p.holds[id] = holding{current.Status == StatusSubmitted, len(Against(scope, record).Raised) > 0, current.TaskID}
	}
	interrupted := func(ctx context.Context, what string) (context.Context, context.CancelFunc) {
		s.mu.Lock()
		defer s.mu.Unlock()
		if s.quiet || s.roll(2, what) == 0 {
			return context.WithCancel(ctx)
		}
		return context.WithTimeout(ctx, s.upTo(time.Minute, what))
	}
	done := make(chan struct{})
	var apply sync.WaitGroup
	if s.batch {
		apply.Go(func() {
			ctx, cancel := interrupted(ctx, "interrupt")
			defer cancel()
			batch, errs := engine.AdvanceAll(ctx, s.ids, scope, prior, s.recordMissing)
			s.locked(func() { s.keepBatch(p, batch, errs, scope) })
			if !p.dead {
				s.adopt(ctx, p, engine, errs, func(id string, r Record[S]) { batch[id] = r; s.keepBatch(p, batch, nil, scope) })
			}
		})
	} else {
		for _, id := range s.ids {
			if s.refused[id] {
				continue
			}
			apply.Go(func() {
				ctx, cancel := interrupted(ctx, "interrupt "+id)
				defer cancel()
				_ = s.sleep(ctx, 5*time.Second, "start "+id)
				record, err := engine.Advance(ctx, id, scope, Against(scope, prior[id]), prior[id], s.recordMissing)
				s.locked(func() { s.keep(p, id, prior[id], record, err) })
				s.adopt(ctx, p, engine, map[string]error{id: err}, func(id string, r Record[S]) { s.keep(p, id, Record[S]{}, r, nil) })
			})
		}
	}
	s.zombies.Go(func() { apply.Wait(); close(done) })
	var dies bool
	var after time.Duration
	s.locked(func() { dies, after = !s.quiet && s.roll(4, "death") == 0, s.upTo(40*time.Second, "death") })
	if !dies {
		<-done
		return
	}
	select {
	case <-done:
	case <-time.After(after):
		// What is under way at its death may come to Stream while the next runs.
		s.locked(func() {
			p.dead = true
			if s.batch && !s.kept(p) {
				for _, id := range s.ids {
					s.books[id].lost[p] = true
				}
			}
		})
	}
}

func (s *story[S]) kept(p *process) bool { _, ok := p.holds[""]; return ok }

// keepBatch saves a batch, unless its process died before.
func (s *story[S]) keepBatch(p *process, batch Batch[S], errs map[string]error, scope S) {
	if p.dead {
		return
	}
	p.holds[""] = holding{}
	for id, err := range errs {
		s.judge(p, id, batch[id], err)
	}
	receipt := batch.Receipt(Receipt{}, batch.Status(s.ids, scope), func(string) string { return "" })
	back, err := ReadBatch[S](receipt, s.ids)
	for id := range back {
		if !reflect.DeepEqual(back[id], batch[id]) {
			s.t.Errorf("reading back %s: %+v, %v", receipt, batch[id], err)
		}
	}
	s.saved = back
}

// keep saves a record as the resource does: an error of a first attempt leaves
// none, but where only the record remembers.
func (s *story[S]) keep(p *process, id string, prior, record Record[S], err error) {
	var pending *Pending
	forgets := s.k.kind == "channel" || s.k.kind == "message"
	switch {
	case p.dead, err != nil && !errors.As(err, &pending) && len(prior.Attempts) == 0 && (!forgets || !record.Sent()):
		s.books[id].lost[p] = true
		s.judge(p, id, record, err)
		return
	case len(record.Attempts) == 0:
		s.t.Errorf("%s: neither a record nor an error", id)
		return
	}
	s.judge(p, id, record, err)
	receipt := record.Receipt(Receipt{})
	back, err := ReadRecord[S](receipt)
	if err != nil || !reflect.DeepEqual(back, record) {
		s.t.Errorf("reading back %s: %+v, %v", receipt, record, err)
	}
	s.saved[id] = back
}

// judge checks what comes with an error.
func (s *story[S]) judge(p *process, id string, record Record[S], err error) {
	var pending *Pending
	var refusal *Refusal
	current := record.Current()
	if errors.As(err, &refusal) && s.things[id].never {
		s.refused[id] = true
	}
	// The exception is a task that Stream forgot, where nothing else was sent yet.
	if current.Status == StatusSubmitted && err != nil && !errors.As(err, &pending) && (current.TaskID == "" || s.tasks[current.TaskID].forgot.IsZero()) && !p.dead {
		s.t.Errorf("%s: a submitted record came with %v", id, err)
	}
}

// adopt does what the operator is told to where Stream forgets and a record died:
// it imports what is gone.
func (s *story[S]) adopt(ctx context.Context, p *process, e *Engine[S], errs map[string]error, keep func(id string, r Record[S])) {
	for _, id := range s.ids {
		var refusal *Refusal
		if !errors.As(errs[id], &refusal) || !e.Forgets() {
			continue
		}
		attempt, err := e.Adopt(ctx, id)
		s.locked(func() {
			if err != nil || p.dead {
				return
			}
			if thing := s.things[id]; thing.now.row && !thing.now.hidden {
				s.t.Errorf("%s was adopted and is there", id)
			}
			keep(id, Record[S]{Attempts: []Attempt[S]{attempt}})
		})
	}
}

// balance compares the records with the world's books.
func (s *story[S]) balance(runs int) {
	hard := func(scope *S) bool { return (*scope).Irreversible() }
	for id, record := range s.records() {
		book, thing := s.books[id], s.things[id]
		var told, accepted []string
		lostAnswers, refusals, calls, allowed := 0, 0, 0, 1
		for _, a := range record.Attempts {
			if a.SubmittedAt != nil {
				told = append(told, fmt.Sprint(hard(a.Scope), a.TaskID))
			}
			switch {
			case a.AnswerLost:
				lostAnswers++
			case a.Status == StatusFailed && a.SubmittedAt == nil:
				refusals++
			}
			if gone := !thing.now.row; a.Status == StatusCompleted && a.SubmittedAt != nil && !book.did[hard(a.Scope)] && !gone {
				s.t.Errorf("%s: completed, and Stream has not done it: %+v", id, a)
			}
			if a.Status == StatusCompleted && a.TaskID != "" && !s.tasks[a.TaskID].supports(id) {
				s.t.Errorf("%s: completed, and Stream says otherwise: %+v", id, s.tasks[a.TaskID].task)
			}
			// Where Stream forgets, what a lost record deleted looks as if it never was.
			if lost := len(book.lost) > 0 && (s.k.kind == "channel" || s.k.kind == "message"); a.Status == StatusCompleted && (a.Outcome == OutcomeNotFound) != thing.never && !(lost && a.Outcome == OutcomeNotFound) {
				s.t.Errorf("%s: %s", id, a.Outcome)
			}
		}
		for _, a := range book.accepted {
			switch {
			case book.lost[a.by]:
			case a.answerLost:
				lostAnswers--
			default:
				accepted = append(accepted, fmt.Sprint(a.hard, a.task))
			}
		}
		slices.Sort(told)
		slices.Sort(accepted)
		if !slices.Equal(told, accepted) {
			s.t.Errorf("%s: Stream accepted %q, the record tells of %q", id, accepted, told)
		}
		if lostAnswers < 0 {
			s.t.Errorf("%s: %d lost answers are not on record", id, -lostAnswers)
		}
		if refusals > book.refused {
			s.t.Errorf("%s: %d refusals on record, Stream refused %d times", id, refusals, book.refused)
		}
		for p, n := range book.calls {
			if !book.lost[p] {
				calls, allowed = calls+n, allowed+book.troubles[p]
			}
			if n > 2+book.troubles[p] {
				s.t.Errorf("%s: %d calls in one run", id, n)
			}
		}
		if s.raisedAt >= 0 {
			allowed++
		}
		if calls > allowed {
			s.t.Errorf("%s: %d calls, %d with a reason", id, calls, allowed)
		}
		if thing.never && len(book.calls) > 0 {
			s.t.Errorf("%s never existed and was sent", id)
		}
		current := record.Current()
		if scope := s.scope(runs); !s.refused[id] && (current.Status != StatusCompleted || !slices.Contains([]Outcome{scope.Outcome(), OutcomeNotFound, OutcomeAdopted}, current.Outcome) && current.Outcome != OutcomeErased) {
			s.t.Errorf("%s ended as %+v", id, current)
		}
	}
}

func BenchmarkCoalescer(b *testing.B) {
	const users = 1000
	for b.Loop() {
		run := batcher[struct{}, struct{}, int]{clock: instantClock{}, max: MaxSubjects, run: func(_ context.Context, _ struct{}, members []*member[struct{}, int]) {
			for _, m := range members {
				m.answer(len(members), nil)
			}
		}}
		var wg sync.WaitGroup
		for i := range users {
			wg.Go(func() {
				if _, err := run.do(b.Context(), struct{}{}, fmt.Sprint(i), struct{}{}); err != nil {
					b.Error(err)
				}
			})
		}
		wg.Wait()
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*users), "ns/user")
}

// instantClock never waits.
type instantClock struct{}

func (instantClock) Now() time.Time                                   { return time.Time{} }
func (instantClock) Sleep(ctx context.Context, _ time.Duration) error { return ctx.Err() }
