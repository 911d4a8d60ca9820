// Copyright (c) the terraform-provider-streamchat authors
// SPDX-License-Identifier: MPL-2.0

package erasure

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/clock"
)

// A batch whose list changes at random over runs that fail and are interrupted: it never
// says completed over an entry that is open or failed, sends nothing for who is not asked
// for, and loses no evidence.
func TestEvidenceDecidesWhateverTheListSays(t *testing.T) {
	t.Parallel()
	listsOf(t, "users", species[UserScope]{"user", func(p *process) Deed[UserScope] { return Users{API: p, Clock: clock.Real{}} }, [2]UserScope{soft, hard}})
	listsOf(t, "channels", species[ChannelScope]{"channel", func(p *process) Deed[ChannelScope] { return Channels{API: p} }, [2]ChannelScope{{}, hardChannel}})
}

func listsOf[S Scope[S]](t *testing.T, name string, k species[S]) {
	t.Run(name, func(t *testing.T) {
		t.Parallel()
		lists(t, k)
	})
}

func lists[S Scope[S]](t *testing.T, k species[S]) {
	for seed := range uint64(150) {
		synctest.Test(t, func(t *testing.T) {
			s := newStory(t, k, seed)
			s.batch = true
			defer s.zombies.Wait()
			saved, lastScope := Batch[S]{}, s.k.scopes[0]
			for run := range wildRuns + calmRuns {
				s.locked(func() { s.quiet = run >= wildRuns })
				if s.roll(3, "escalate") == 0 {
					lastScope = s.k.scopes[1]
				}
				saved = s.changedList(run, lastScope, saved)
				if t.Failed() {
					t.Fatalf("seed %d, run %d", seed, run)
				}
			}
		})
	}
}

// changedList is one run over some of the subjects.
func (s *story[S]) changedList(run int, scope S, saved Batch[S]) Batch[S] {
	var wanted []string
	for _, id := range s.ids {
		if s.roll(2, "wants "+id) == 0 {
			wanted = append(wanted, id)
		}
	}
	p := s.process()
	e := New(Config[S]{Deed: s.k.deed(p), API: p, Ledger: &Ledger{}, Clock: clock.Real{}, Version: "test", App: &AppGate{API: theApp{}}})
	ctx := s.t.Context()
	cancel := context.CancelFunc(func() {})
	if !s.quiet && s.roll(2, "interrupt") == 0 {
		ctx, cancel = context.WithTimeout(ctx, s.upTo(time.Minute, "interrupt"))
	}
	defer cancel()
	for id, record := range saved {
		current := record.Current()
		p.holds[id] = holding{current.Status == StatusSubmitted, len(record.Raised(scope)) > 0, current.TaskID}
	}
	grown, _ := e.Advance(ctx, wanted, scope, saved, Options{RecordMissing: true})
	s.locked(func() { s.checkList(p, wanted, scope, saved, grown) })

	receipt := grown.Receipt(About{}, grown.Status(wanted, scope), func(string) string { return "" })
	back, err := ReadBatch[S](receipt, grown.IDs())
	if err != nil {
		s.t.Fatalf("run %d: reading back: %v", run, err)
	}
	return back
}

func (s *story[S]) checkList(p *process, wanted []string, scope S, before, after Batch[S]) {
	asked := map[string]bool{}
	for _, id := range wanted {
		asked[id] = true
	}
	status := after.Status(wanted, scope)
	for id, record := range after {
		current := record.Current()
		if open := current.Status == StatusSubmitted || current.Status == StatusFailed; open && status == StatusCompleted {
			s.t.Errorf("completed over %s: %+v", id, current)
		}
		if current.Status == "" && asked[id] && status == StatusCompleted {
			s.t.Errorf("completed, and %s was never sent", id)
		}
		if n := s.books[id].calls[p]; n > 0 && !asked[id] {
			s.t.Errorf("%d calls for %s, for whom nobody asks", n, id)
		}
	}
	for id, record := range before {
		if len(after[id].Attempts) < len(record.Attempts) {
			s.t.Errorf("evidence of %s is lost", id)
		}
	}
}
