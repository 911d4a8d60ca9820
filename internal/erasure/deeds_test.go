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

// fakeContent is Stream's channels and messages in memory: hidden ones are deleted
// softly, those that are in no map are gone.
type fakeContent struct {
	mu        sync.Mutex
	channels  map[string]stream.Channel
	hidden    map[string]bool
	tombstone map[string]bool
	messages  map[string]bool
	sent      [][]string
	until     []time.Time
	members   map[string][]string
	author    string
	lazy      bool // truncations are said and not done

	result  func(map[string]stream.TaskResult)
	deleted func(id string) error // what DeleteMessage does instead
	lookUp  func() error
}

func (f *fakeContent) ChannelsByCID(_ context.Context, cids []string) (map[string]stream.Channel, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.lookUp != nil {
		if err := f.lookUp(); err != nil {
			return nil, err
		}
	}
	found := map[string]stream.Channel{}
	for _, cid := range cids {
		if ch, ok := f.channels[cid]; ok && !f.hidden[cid] {
			found[cid] = ch
		}
	}
	return found, nil
}

func (f *fakeContent) DeleteChannels(_ context.Context, cids []string, hard bool) (string, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.sent = append(f.sent, slices.Clone(cids))
	known := 0
	for _, cid := range cids {
		if _, ok := f.channels[cid]; ok {
			known++
			f.hidden[cid] = true
		}
	}
	if known == 0 {
		return "", refusal(stream.OpDeleteChannels, `DeleteChannels failed with error: "channels not found"`)
	}
	if hard {
		for _, cid := range cids {
			delete(f.channels, cid)
		}
	}
	return fmt.Sprint("task-", len(f.sent)), nil
}

func (f *fakeContent) Task(_ context.Context, id string) (stream.Task, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	var n int
	if _, err := fmt.Sscanf(id, "task-%d", &n); err != nil {
		return stream.Task{}, err
	}
	results := map[string]stream.TaskResult{}
	for _, cid := range f.sent[n-1] {
		results[cid] = stream.TaskResult{Status: stream.ResultOK}
	}
	if f.result != nil {
		f.result(results)
	}
	return stream.Task{ID: id, Status: stream.TaskCompleted, UpdatedAt: time.Now(), Results: results}, nil
}

func (f *fakeContent) WaitTask(ctx context.Context, id string) (stream.Task, error) {
	return waitTask(ctx, id, f.Task)
}

func (f *fakeContent) TruncateChannel(_ context.Context, cid string, t stream.Truncation) (stream.Channel, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.sent = append(f.sent, []string{cid})
	f.until = append(f.until, t.Until)
	at := t.Until
	if at.IsZero() {
		at = time.Now()
	}
	ch := f.channels[cid]
	if f.lazy {
		return stream.Channel{CID: cid, TruncatedAt: &at}, nil
	}
	ch.TruncatedAt = &at
	f.channels[cid] = ch
	return ch, nil
}

func (*fakeContent) Repliers(context.Context, string) ([]string, bool, error) { return nil, true, nil }

func (f *fakeContent) GetMessage(_ context.Context, id string) (stream.Message, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.lookUp != nil {
		if err := f.lookUp(); err != nil {
			return stream.Message{}, err
		}
	}
	if !f.messages[id] {
		return stream.Message{}, refusal(stream.OpGetMessage, "message with id "+id+" doesn't exist")
	}
	return stream.Message{ID: id, AuthorID: f.author, Deleted: f.tombstone[id]}, nil
}

func (f *fakeContent) DeleteMessage(_ context.Context, id string, hard bool) (stream.Message, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.sent = append(f.sent, []string{id})
	if f.deleted != nil {
		return stream.Message{}, f.deleted(id)
	}
	f.tombstone[id] = true
	if hard {
		delete(f.messages, id)
	}
	return stream.Message{ID: id, Deleted: true}, nil
}

func (f *fakeContent) PeopleOfChannels(_ context.Context, cids []string) (map[string]stream.Membership, error) {
	found := map[string]stream.Membership{}
	for _, cid := range cids {
		if _, ok := f.channels[cid]; ok && !f.hidden[cid] {
			found[cid] = stream.Membership{CID: cid, Members: f.members[cid], All: true, Count: len(f.members[cid])}
		}
	}
	return found, nil
}

func (*fakeContent) AwaitTurn(ctx context.Context, _ stream.Operation) error { return ctx.Err() }

func newContent() *fakeContent {
	f := &fakeContent{channels: map[string]stream.Channel{}, hidden: map[string]bool{}, tombstone: map[string]bool{}, messages: map[string]bool{"m": true}}
	for _, cid := range []string{"t:a", "t:b", "t:c"} {
		f.channels[cid] = stream.Channel{CID: cid}
	}
	return f
}

func engineOf[S Scope[S]](deed Deed[S], api API) *Engine[S] {
	return New(Config[S]{
		Deed: deed, API: api, Ledger: &Ledger{}, Clock: clock.Real{}, Version: "test",
		App: &AppGate{API: theApp{}},
	})
}

var (
	hardChannel = ChannelScope{Hardness{Hard: true}}
	hardMessage = MessageScope{Hardness{Hard: true}}
)

// advanced takes an empty or known record to the scope.
func advanced[S Scope[S]](t *testing.T, e *Engine[S], id string, scope S, record Record[S]) (Record[S], error) {
	t.Helper()
	return advanceOne(e, t.Context(), id, scope, record, false)
}

func TestChannelsShareCallsAndEscalate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newContent()
		e := engineOf(Channels{API: f}, f)
		cids := []string{"t:a", "t:b", "t:c"}
		batch, errs := e.Advance(t.Context(), cids, ChannelScope{}, nil, Options{RecordMissing: false})
		if len(errs) != 0 || len(f.sent) != 1 || batch["t:a"].Current().Outcome != OutcomeMarkedDeleted {
			t.Fatalf("%v, sent %v", errs, f.sent)
		}
		if _, err := e.preview(t.Context(), "t:a", hardChannel, batch["t:a"], Options{}); err != nil {
			t.Errorf("the record knows that it was there: %v", err)
		}
		delete(f.channels, "t:c") // by somebody else
		delete(f.channels, "t:b")
		delete(f.channels, "t:a")
		batch, errs = e.Advance(t.Context(), cids, hardChannel, batch, Options{RecordMissing: false})
		if len(errs) != 0 || len(f.sent) != 1+1+3 {
			t.Fatalf("%v, sent %v", errs, f.sent)
		}
		for id, record := range batch {
			if a := record.Current(); a.Status != StatusCompleted || a.Outcome != OutcomeErased || a.Found != FoundDeleted || len(record.Attempts) != 2 {
				t.Errorf("%s: %+v", id, record)
			}
		}
	})
}

func TestChannelFailuresAreToldFromFacts(t *testing.T) {
	for name, result := range map[string]func(map[string]stream.TaskResult){
		"an error":   func(r map[string]stream.TaskResult) { r["t:a"] = stream.TaskResult{Status: "error"} },
		"unreadable": func(r map[string]stream.TaskResult) { r["t:a"] = stream.TaskResult{} },
		"missing":    func(r map[string]stream.TaskResult) { delete(r, "t:a") },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := newContent()
				f.result = result
				e := engineOf(Channels{API: f}, f)
				record, err := advanced(t, e, "t:a", ChannelScope{}, Record[ChannelScope]{})
				var failure *Failure
				if !errors.As(err, &failure) || record.Current().Status != StatusFailed || record.Begun() || !record.Sent() {
					t.Fatalf("%+v, %v", record, err)
				}
				// Stream hides it now, and the record knows better than "never existed".
				f.result = nil
				if record, err = advanced(t, e, "t:a", ChannelScope{}, record); err != nil || record.Current().Status != StatusCompleted || len(record.Attempts) != 2 {
					t.Errorf("%+v, %v", record, err)
				}
			})
		})
	}
}

func TestUnknownContentIsRefused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newContent()
		for name, do := range map[string]func() error{
			"channel": func() error {
				_, err := engineOf(Channels{API: f}, f).Erase(t.Context(), "t:x", hardChannel, Record[ChannelScope]{}, false)
				return err
			},
			"message": func() error {
				_, err := engineOf(Messages{API: f}, f).Erase(t.Context(), "x", hardMessage, Record[MessageScope]{}, false)
				return err
			},
			"truncation": func() error {
				_, err := engineOf(Truncations{API: f}, f).Erase(t.Context(), "t:x", TruncationScope{}, Record[TruncationScope]{}, false)
				return err
			},
		} {
			var r *Refusal
			if err := do(); !errors.As(err, &r) || r.Summary != "Subject not found" || !strings.Contains(r.Detail, "it never existed, or it was deleted") {
				t.Errorf("%s: %v", name, err)
			}
		}
		if len(f.sent) != 0 {
			t.Errorf("sent %v", f.sent)
		}
	})
}

func TestMessages(t *testing.T) {
	t.Run("soft, then hard", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			f := newContent()
			e := engineOf(Messages{API: f}, f)
			record, err := advanced(t, e, "m", MessageScope{}, Record[MessageScope]{})
			if a := record.Current(); err != nil || a.Outcome != OutcomeMarkedDeleted || a.Found != FoundPresent || a.TaskID != "" {
				t.Fatalf("%+v, %v", record, err)
			}
			record, err = advanced(t, e, "m", hardMessage, record)
			if a := record.Current(); err != nil || a.Outcome != OutcomeErased || a.Found != FoundDeleted || len(f.sent) != 2 {
				t.Errorf("%+v, %v", record, err)
			}
		})
	})
	t.Run("a tombstone is no proof of a hard deletion", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			f := newContent()
			f.deleted = func(id string) error { f.tombstone[id] = true; return nil }
			record, err := advanced(t, engineOf(Messages{API: f}, f), "m", hardMessage, Record[MessageScope]{})
			var failure *Failure
			if !errors.As(err, &failure) || failure.Kind != FailureStillThere || record.Current().Status != StatusFailed {
				t.Errorf("%+v, %v", record, err)
			}
		})
	})
	t.Run("gone in between: the look-up proves it", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			f := newContent()
			f.deleted = func(id string) error {
				delete(f.messages, id)
				return refusal(stream.OpDeleteMessage, "message with id m doesn't exist")
			}
			record, err := advanced(t, engineOf(Messages{API: f}, f), "m", hardMessage, Record[MessageScope]{})
			if err != nil || record.Current().Outcome != OutcomeErased {
				t.Errorf("%+v, %v", record, err)
			}
		})
	})
	t.Run("the proof that failed is made up for, without a second call", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			f := newContent()
			looked := 0
			f.lookUp = func() error {
				if looked++; looked == 2 {
					return &stream.Error{Op: stream.OpGetMessage, Kind: stream.KindServer}
				}
				return nil
			}
			e := engineOf(Messages{API: f}, f)
			record, err := advanced(t, e, "m", hardMessage, Record[MessageScope]{})
			var p *Pending
			if !errors.As(err, &p) || record.Current().Status != StatusSubmitted {
				t.Fatalf("%+v, %v", record, err)
			}
			record, err = advanced(t, e, "m", hardMessage, record)
			if err != nil || record.Current().Status != StatusCompleted || len(f.sent) != 1 || len(record.Attempts) != 1 {
				t.Errorf("%+v, %v, sent %v", record, err, f.sent)
			}
		})
	})
	t.Run("an answer that is lost is remembered", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			f := newContent()
			f.deleted = func(id string) error {
				delete(f.messages, id)
				return &stream.Error{Op: stream.OpDeleteMessage, Kind: stream.KindNetwork, Ambiguous: true}
			}
			e := engineOf(Messages{API: f}, f)
			record, err := advanced(t, e, "m", hardMessage, Record[MessageScope]{})
			if err == nil || !record.Sent() || record.Begun() {
				t.Fatalf("%+v, %v", record, err)
			}
			f.deleted = func(string) error { return refusal(stream.OpDeleteMessage, "message with id m doesn't exist") }
			if record, err = advanced(t, e, "m", hardMessage, record); err != nil || record.Current().Outcome != OutcomeErased || len(record.Attempts) != 2 {
				t.Errorf("%+v, %v", record, err)
			}
		})
	})
	t.Run("adopted: a tombstone shows how", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			f := newContent()
			f.tombstone["m"] = true
			e := engineOf(Messages{API: f}, f)
			if a, err := e.Adopt(t.Context(), "m"); err != nil || a.Scope == nil || a.Scope.Hard || a.Found != FoundDeleted {
				t.Errorf("%+v, %v", a, err)
			}
			if a, err := e.Adopt(t.Context(), "gone"); err != nil || a.Scope != nil || a.Found != FoundMissing {
				t.Errorf("%+v, %v", a, err)
			}
		})
	})
}

func TestTruncations(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newContent()
		e := engineOf(Truncations{API: f}, f)
		hourAgo := time.Now().Add(-time.Hour)
		before := TruncationScope{Before: Instant(hourAgo), SkipPush: true}
		record, err := advanced(t, e, "t:a", before, Record[TruncationScope]{})
		if a := record.Current(); err != nil || a.Status != StatusCompleted || a.Outcome != OutcomeMarkedDeleted || a.Found != FoundPresent {
			t.Fatalf("%+v, %v", record, err)
		}
		if !f.until[0].Equal(hourAgo) {
			t.Errorf("until %v, want %v", f.until[0], hourAgo)
		}
		if back, err := e.back(t.Context(), "t:a", Attempt[TruncationScope]{Scope: &before}); back || err != nil {
			t.Errorf("back: %v, %v", back, err)
		}
		for name, tt := range map[string]struct {
			before time.Duration
			says   string
		}{
			"earlier":       {-2 * time.Hour, "Channel was truncated further already"},
			"in the future": {time.Minute, "Truncation reaches into the future"},
			"the same":      {-time.Hour, ""},
			"later":         {-time.Minute, ""},
		} {
			scope := TruncationScope{Before: Instant(time.Now().Add(tt.before))}
			_, err := e.preview(t.Context(), "t:a", scope, Record[TruncationScope]{}, Options{})
			var r *Refusal
			if tt.says == "" && err != nil || tt.says != "" && (!errors.As(err, &r) || r.Summary != tt.says || r.Field != "truncated_before") {
				t.Errorf("%s: %v", name, err)
			}
		}
	})
}

func TestHardness(t *testing.T) {
	for _, scope := range []interface {
		Irreversible() bool
		Outcome() Outcome
		NotCovered() []string
	}{ChannelScope{}, hardChannel, MessageScope{}, hardMessage, TruncationScope{}, TruncationScope{Hardness: Hardness{Hard: true}}} {
		hard := scope.Irreversible()
		if (scope.Outcome() == OutcomeErased) != hard || slices.Contains(scope.NotCovered(), "message_content") == hard || !slices.IsSorted(scope.NotCovered()) {
			t.Errorf("%#v: %s, %v", scope, scope.Outcome(), scope.NotCovered())
		}
	}
	if c := hardChannel.Compare(ChannelScope{}); !slices.Equal(c.Raised, []string{"hard_delete"}) || len(c.Lowered) != 0 {
		t.Errorf("raised: %+v", c)
	}
	if c := (MessageScope{}).Compare(hardMessage); !slices.Equal(c.Lowered, []string{"hard_delete"}) || len(c.Raised) != 0 {
		t.Errorf("lowered: %+v", c)
	}
	c := TruncationScope{SkipPush: true, Before: Instant(time.Now())}.Compare(TruncationScope{})
	if !slices.Equal(c.Altered, []string{"truncated_before", "skip_push"}) {
		t.Errorf("altered: %+v", c)
	}
	zone := time.FixedZone("", 3600)
	if a, b := Instant(time.Date(2026, 1, 1, 1, 0, 0, 999, zone)), Instant(time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)); a != b {
		t.Errorf("%s and %s", a, b)
	}
	raw, err := json.Marshal(TruncationScope{Hardness: Hardness{Hard: true}})
	if err != nil || string(raw) != `{"hard_delete":true}` {
		t.Errorf("%s, %v", raw, err)
	}
}
