// Copyright (c) the terraform-provider-streamchat authors
// SPDX-License-Identifier: MPL-2.0

package lifecycle_test

import (
	"fmt"
	"maps"
	"runtime/debug"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/acctest"
	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/emulator"
	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/erasure"
)

// TestMain lets the garbage be for longer: most of the time goes into it.
func TestMain(m *testing.M) {
	debug.SetGCPercent(400)
	m.Run()
}

// The lifecycle as Terraform drives it, told once for every kind of erasure, in
// process and in bubble time.

type config = acctest.Config

// noun is one of the resources that the lifecycle carries.
type noun struct {
	name    string
	address string
	// subject is the attribute that names it; list says that it is a list.
	subject string
	list    bool
	// veiled: by a write-only argument, so that the state holds pseudonyms.
	veiled bool
	ids    []string // three that are there; the erasure of one touches no other
	ghost  string   // never there
	// forgets: Stream does not tell one that is gone from one that never was.
	forgets bool
	// op deletes, call is its request; lookUp looks up. task: the call starts one.
	op, call, lookUp, look string
	task                   bool
	soft, hard             config
	gone                   func(s *acctest.Stream, id string) bool
	// brings a subject back after a soft deletion; nil where nobody can.
	back func(t *testing.T, s *acctest.Stream, id string)
	// others are options of the call beside its modes, before and after.
	other []config
}

const seed = `{
	"users": [{"id": "waters-malone", "name": "Malone"}, {"id": "maria-ortiz"}, {"id": "jonas-weber"}, {"id": "amara-bello"}, {"id": "heir-active"}, {"id": "heir-second"}],
	"channels": [
		{"cid": "messaging:atelier", "created_by_id": "amara-bello", "members": ["amara-bello", "heir-active", "heir-second"]},
		{"cid": "messaging:backstage", "created_by_id": "amara-bello", "members": ["amara-bello", "heir-active", "heir-second"]},
		{"cid": "messaging:courtyard", "created_by_id": "amara-bello", "members": ["amara-bello", "heir-active", "heir-second"]}
	],
	"messages": [
		{"id": "message-alpha", "cid": "messaging:atelier", "user_id": "amara-bello", "text": "one", "created_at": "2026-01-01T00:00:00Z"},
		{"id": "message-bravo", "cid": "messaging:backstage", "user_id": "amara-bello", "text": "two", "created_at": "2026-01-01T00:00:00Z"},
		{"id": "message-charlie", "cid": "messaging:courtyard", "user_id": "amara-bello", "text": "three", "created_at": "2026-01-01T00:00:00Z"}
	]
}`

var messageIn = map[string]string{"messaging:atelier": "message-alpha", "messaging:backstage": "message-bravo", "messaging:courtyard": "message-charlie"}

var (
	people   = []string{"waters-malone", "maria-ortiz", "jonas-weber"}
	rooms    = []string{"messaging:atelier", "messaging:backstage", "messaging:courtyard"}
	messages = []string{"message-alpha", "message-bravo", "message-charlie"}

	userSoft    = config{"delete": config{"user": "soft"}}
	userPruning = config{"delete": config{"user": "pruning", "messages": "pruning"}}
	userHard    = config{"delete": config{"user": "hard"}}
	softly      = config{"hard_delete": false}
	hardly      = config{"hard_delete": true}
)

func userGone(s *acctest.Stream, id string) bool { u, ok := s.User(id); return ok && u.HardDeleted }

func channelGone(s *acctest.Stream, cid string) bool { _, ok := s.Channel(cid); return !ok }

var users = noun{
	name: "user", address: "streamchat_user_erasure.x", subject: "user_id", ids: people, ghost: "ghost-nobody",
	op: "DeleteUsers", call: "POST /users/delete", lookUp: "QueryUsers", look: "GET /users", task: true,
	soft: userSoft, hard: userHard, gone: userGone,
	back: func(t *testing.T, s *acctest.Stream, id string) {
		post(t, s, "/users/restore", fmt.Sprintf(`{"user_ids":[%q]}`, id))
	},
	other: []config{{"new_channel_owner_id": "heir-active"}, {"new_channel_owner_id": "heir-second"}},
}

var channels = noun{
	name: "channel", address: "streamchat_channel_erasure.x", subject: "cid", ids: rooms, ghost: "messaging:nowhere", forgets: true,
	op: "DeleteChannels", call: "POST /channels/delete", lookUp: "QueryChannels", look: "POST /channels", task: true,
	soft: softly, hard: hardly, gone: channelGone,
	back: func(t *testing.T, s *acctest.Stream, cid string) {
		typ, id, _ := strings.Cut(cid, ":")
		if _, err := s.SDK.CreateChannel(t.Context(), typ, id, "amara-bello", nil); err != nil {
			t.Fatal(err)
		}
	},
}

var messageNoun = noun{
	name: "message", address: "streamchat_message_erasure.x", subject: "message_id", ids: messages, ghost: "message-nowhere", forgets: true,
	op: "DeleteMessage", call: "DELETE /messages/*", lookUp: "GetMessage", look: "GET /messages/*",
	soft: softly, hard: hardly, gone: func(s *acctest.Stream, id string) bool { _, ok := s.Message(id); return !ok },
	back: func(t *testing.T, s *acctest.Stream, id string) {
		post(t, s, "/messages/"+id+"/undelete", `{"undeleted_by":"amara-bello"}`)
	},
}

var truncations = noun{
	name: "truncation", address: "streamchat_channel_truncation.x", subject: "cid", ids: rooms, ghost: "messaging:nowhere",
	op: "TruncateChannel", call: "POST /channels/*/*/truncate", lookUp: "QueryChannels", look: "POST /channels",
	soft: softly, hard: hardly,
	gone: func(s *acctest.Stream, cid string) bool {
		time.Sleep(10 * time.Second) // Stream drops the rows in its own time
		_, ok := s.Message(messageIn[cid])
		return !ok
	},
	other: []config{{"skip_push": false}, {"skip_push": true}},
}

func batchOf(n noun, name, subject string) noun {
	n.name, n.address, n.subject, n.list = n.name+" batch", name+"_batch.x", subject, true
	return n
}

// veiled is a noun whose subjects are named by the write-only argument.
func veiled(n noun) noun {
	n.name, n.subject, n.veiled = n.name+" without id", n.subject+"_wo", true
	return n
}

var (
	userBatch    = batchOf(users, "streamchat_user_erasure", "user_ids")
	channelBatch = batchOf(channels, "streamchat_channel_erasure", "cids")
	nouns        = []noun{users, userBatch, veiled(users), veiled(userBatch), channels, channelBatch, messageNoun, truncations}
	batches      = []noun{userBatch, channelBatch}
	some         = []noun{users, channelBatch, messageNoun, truncations} // where one of each sort will do
)

// block is a configuration that erases the given subjects, by default the first.
func (n noun) block(modes config, ids ...string) config {
	if len(ids) == 0 {
		ids = n.ids[:1]
	}
	c := config{n.subject: ids[0]}
	if n.list {
		c[n.subject] = ids
	}
	maps.Copy(c, modes)
	return c
}

// with adds arguments to a configuration.
func with(c config, more config) config {
	c = maps.Clone(c)
	maps.Copy(c, more)
	return c
}

// post makes a request as somebody with curl.
func post(t *testing.T, s *acctest.Stream, path, body string) {
	t.Helper()
	if status, answer := s.Call(t, "POST", path, body); status/100 != 2 {
		t.Fatalf("POST %s: %d %s", path, status, answer)
	}
}

// world is a noun, a Stream and a state.
type world struct {
	noun
	*acctest.Core
	t *testing.T
	s *acctest.Stream
}

func newWorld(t *testing.T, n noun, provider config, change ...func(*emulator.Options)) *world {
	t.Helper()
	s := acctest.InMemory(t, change...)
	s.Fill(t, seed)
	return &world{noun: n, Core: acctest.NewCore(t, s, provider), t: t, s: s}
}

// each runs a test for nouns, side by side.
func each(t *testing.T, of []noun, test func(w *world), provider config, change ...func(*emulator.Options)) {
	t.Helper()
	t.Parallel()
	for _, n := range of {
		t.Run(n.name, func(t *testing.T) {
			t.Parallel()
			acctest.Bubble(t, func(t *testing.T) { test(newWorld(t, n, provider, change...)) })
		})
	}
}

func only(keep func(noun) bool) []noun {
	return slices.DeleteFunc(slices.Clone(nouns), func(n noun) bool { return !keep(n) })
}

func slowTasks(o *emulator.Options) { o.TaskDelay = time.Hour }

// plan plans without an error.
func (w *world) plan(c config, options ...acctest.Option) *acctest.Plan {
	w.t.Helper()
	p := w.Plan(w.address, c, options...)
	if len(p.Errors) > 0 {
		w.t.Fatalf("plan: %s", p.Errors)
	}
	return p
}

// apply plans and applies without an error.
func (w *world) apply(c config, options ...acctest.Option) *acctest.Result {
	w.t.Helper()
	p := w.plan(c, options...)
	r := w.Apply(p)
	if len(r.Errors) > 0 {
		w.t.Fatalf("apply: %s", r.Errors)
	}
	r.Warnings = append(slices.Clone(p.Warnings), r.Warnings...)
	return r
}

// refused plans and expects an error that says something; nothing is sent.
func (w *world) refused(says string, c config, options ...acctest.Option) {
	w.t.Helper()
	sent := w.sent()
	p := w.Plan(w.address, c, options...)
	if !p.Errors.Say(says) {
		w.t.Errorf("the plan does not say %q: %s", says, p.Errors)
	}
	if n := w.sent(); n != sent {
		w.t.Errorf("a refused plan sent %d calls", n-sent)
	}
}

// fails plans, which goes well, and applies, which does not.
func (w *world) fails(says string, c config, options ...acctest.Option) *acctest.Result {
	w.t.Helper()
	r := w.Apply(w.plan(c, options...))
	if !r.Errors.Say(says) {
		w.t.Errorf("the apply does not say %q: %s", says, r.Errors)
	}
	return r
}

// nothing expects that a configuration is what the state says.
func (w *world) nothing(c config, options ...acctest.Option) {
	w.t.Helper()
	if p := w.plan(c, options...); p.Action != acctest.NoOp {
		w.t.Errorf("the plan is to %s: %s", p.Action, p.Warnings)
	}
}

func (w *world) sent() int { return w.s.Count(w.op) }

// quiet expects that nothing was asked of Stream since the requests were reset.
func (w *world) quiet(what string) {
	w.t.Helper()
	for _, r := range w.s.Requests() {
		w.t.Errorf("%s: a request: %s", what, r.Op)
	}
}

// once expects how often the deletion was sent in all.
func (w *world) once(n int) {
	w.t.Helper()
	if got := w.sent(); got != n {
		w.t.Errorf("the deletion was sent %d times, want %d", got, n)
	}
}

func (w *world) get(path ...any) any { return w.State(w.address).Get(path...) }

// is checks the status of a record in state and whether it is tainted.
func (w *world) is(status string, tainted bool) {
	w.t.Helper()
	record := w.State(w.address)
	if record == nil {
		w.t.Fatalf("there is no record, want %s", status)
	}
	if record.Get("status") != status || record.Tainted != tainted {
		w.t.Errorf("status %v, tainted %v, want %s, %v: %v", record.Get("status"), record.Tainted, status, tainted, record.Values)
	}
	w.sum()
}

// sum expects that no batch says completed while one of its entries is not.
func (w *world) sum() {
	w.t.Helper()
	if w.get("status") != "completed" {
		return
	}
	for id, entry := range w.results() {
		if word(entry) != "completed" {
			w.t.Errorf("the whole is completed, %s is %v", id, word(entry))
		}
	}
}

// none expects that there is no record.
func (w *world) none() {
	w.t.Helper()
	if record := w.State(w.address); record != nil {
		w.t.Errorf("there is a record: tainted %v, %v", record.Tainted, record.Values)
	}
}

// of is the state of one subject: "completed", "submitted", "failed", "pending" or
// "reverted", nil when there is no entry.
func (w *world) of(id string) any {
	w.t.Helper()
	if !w.list {
		return w.get("status")
	}
	return word(w.get("results", w.key(id)))
}

// key is how a subject stands in the state.
func (w *world) key(id string) string {
	if w.veiled {
		return erasure.Pseudonym(acctest.PseudonymKey, id)
	}
	return id
}

// word is the state of an entry of results.
func word(entry any) any {
	if m, ok := entry.(map[string]any); ok {
		entry = m["status"]
	}
	switch entry {
	case "erased", "pruned", "marked_deleted", "not_found", "adopted":
		return "completed"
	}
	return entry
}

// hardNow tells whether the modes in state are those of a hard deletion.
func (w *world) modes() any {
	if v := w.get("hard_delete"); v != nil {
		return map[any]string{true: "hard", false: "soft"}[v]
	}
	return w.get("delete", "user")
}

func (w *world) receipt() string {
	text, _ := w.get("receipt").(string)
	return text
}

// ids of all calls so far, in order, each call sorted.
func (w *world) calls() (calls [][]string) {
	for _, r := range w.s.Requests(w.op) {
		ids := slices.Concat(r.UserIDs, r.CIDs)
		slices.Sort(ids)
		calls = append(calls, ids)
	}
	return calls
}

func (w *world) fault(f emulator.Fault) {
	if f.Op == "" {
		f.Op = w.op
	}
	w.s.AddFault(f)
}
