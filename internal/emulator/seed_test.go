// Copyright (c) the terraform-provider-streamchat authors
// SPDX-License-Identifier: MPL-2.0

package emulator_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	stream "github.com/GetStream/stream-chat-go/v6"

	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/clock"
	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/emulator"
)

func TestSeed(t *testing.T) {
	w := seeded(t, `{
	  "users": [{"id": "alice", "role": "auditor", "name": "Alice", "created_at": "2026-01-01T00:00:00.123456789Z",
	             "last_active": "2026-01-02T00:00:00Z", "shadow_banned": true, "language": "de",
	             "revoke_tokens_issued_before": "2026-01-03T00:00:00Z", "devices": [{"id": "d1", "push_provider": "apn"}]},
	            {"id": "bob", "deactivated_at": "2026-02-01T00:00:00Z"}],
	  "channels": [{"cid": "messaging:general", "created_by_id": "alice", "members": ["alice", "bob"], "name": "General"}],
	  "messages": [{"id": "m1", "cid": "messaging:general", "user_id": "alice", "text": "hi", "mentioned_users": ["bob"], "pinned": true},
	               {"id": "m2", "cid": "messaging:general", "user_id": "bob", "text": "hello", "parent_id": "m1"},
	               {"id": "m3", "cid": "messaging:general", "user_id": "bob", "text": "x", "deleted_at": "2026-02-02T00:00:00Z"}],
	  "reactions": [{"message_id": "m1", "user_id": "bob", "type": "like", "score": 3, "why": "nice"}],
	  "polls": [{"id": "p1", "created_by_id": "alice", "name": "Lunch?", "options": [{"id": "o1", "text": "Pizza"}]}]
	}`)
	u, _ := w.User("alice")
	if u.Role != "auditor" || u.Devices != 1 || u.Messages != 1 || len(u.Owned) != 1 || !u.RevokeTokensIssuedBefore.Equal(time.Date(2026, 1, 3, 0, 0, 0, 0, time.UTC)) {
		t.Errorf("alice is %+v", u)
	}
	if u, _ = w.User("bob"); !u.Deactivated || u.Reactions != 1 {
		t.Errorf("bob is %+v", u)
	}
	if m, _ := w.Message("m2"); m.ParentID != "m1" || m.Type != "reply" {
		t.Errorf("the reply is %+v", m)
	}
	if m, _ := w.Message("m3"); !m.Deleted || m.Type != "deleted" {
		t.Errorf("the deleted message is %+v", m)
	}
	w.call("GET", "/messages/m1", "").want(t, 200, `"pinned":true`, `"score":3`, `"why":"nice"`, `"mentioned_users":[{"id":"bob"`, `"reply_count":1`)
	if p, _ := w.Poll("p1"); p.CreatedByID != "alice" || p.Options[0] != "Pizza" {
		t.Errorf("the poll is %+v", p)
	}
	if got := w.Totals(); got != (emulator.Totals{Users: 2, Channels: 1, Messages: 3, Polls: 1}) {
		t.Errorf("the totals are %+v", got)
	}
	// The role of a seed is defined.
	w.call("PATCH", "/users", `{"users":[{"id":"alice","set":{"role":"auditor"}}]}`).want(t, 200)

	for seed, want := range map[string]string{
		``:                                  "EOF",
		`[]`:                                "expected {",
		`{"people":[]}`:                     `unknown list "people"`,
		`{"users":{}}`:                      "expected [",
		`{"users":[{"id":""}]}`:             "users[0]",
		`{"users":[{"id":"x"},{"id":"x"}]}`: "users[1]: the user x is there already",
		`{"users":[{"id":"y","created_at":"now"}]}`:                            "users[0]: created_at",
		`{"channels":[{"cid":"messaging:a","created_by_id":"nobody"}]}`:        `channels[0]: the user "nobody" in created_by_id does not exist`,
		`{"channels":[{"cid":"messaging:a:b","created_by_id":"alice"}]}`:       "no valid type and id",
		`{"channels":[{"cid":"messaging:general","created_by_id":"alice"}]}`:   "is there already",
		`{"messages":[{"cid":"messaging:general","user_id":"nobody"}]}`:        `messages[0]: the user "nobody" does not exist`,
		`{"messages":[{"cid":"messaging:none","user_id":"alice"}]}`:            `the channel "messaging:none" does not exist`,
		`{"messages":[{"id":"m1","cid":"messaging:general","user_id":"bob"}]}`: "the message m1 is there already",
		`{"reactions":[{"message_id":"none","user_id":"alice","type":"x"}]}`:   `the message "none" does not exist`,
		`{"polls":[{"id":"p1","name":"x","created_by_id":"alice"}]}`:           "the poll p1 is there already",
	} {
		if err := w.Seed(strings.NewReader(seed)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want %s", seed, err, want)
		}
	}
}

// crowd is a seed of many users and messages.
func crowd(users, messagesEach int) io.Reader {
	r, wr := io.Pipe()
	go func() {
		b := &bytes.Buffer{}
		flush := func() { _, _ = wr.Write(b.Bytes()); b.Reset() }
		b.WriteString(`{"users":[{"id":"root"}`)
		for i := range users {
			fmt.Fprintf(b, `,{"id":"user-%06d","name":"User %d"}`, i, i)
		}
		b.WriteString(`],"channels":[{"cid":"livestream:all","created_by_id":"root","members":["root"`)
		for i := range users {
			fmt.Fprintf(b, `,"user-%06d"`, i)
		}
		b.WriteString(`]}],"messages":[`)
		flush()
		for i := range users * messagesEach {
			if i > 0 {
				b.WriteByte(',')
			}
			fmt.Fprintf(b, `{"id":"m-%d","cid":"livestream:all","user_id":"user-%06d","text":"message number %d"}`, i, i%users, i)
			if b.Len() > 1<<16 {
				flush()
			}
		}
		b.WriteString(`]}`)
		flush()
		_ = wr.Close()
	}()
	return r
}

// A crowd is erased without a scan per request.
func TestBulk(t *testing.T) {
	users := 5000
	if testing.Short() {
		users = 500
	}
	w := start(t, emulator.Options{DeleteUsersLimit: 1000})
	if err := w.Seed(crowd(users, 4)); err != nil {
		t.Fatal(err)
	}
	// Page through all of them by id.
	seen, last := 0, ""
	for {
		list, _ := w.query(t, fmt.Sprintf(`{"id":{"$gt":%q}}`, last), `,"sort":[{"field":"id","direction":1}]`)
		if len(list) == 0 {
			break
		}
		seen, last = seen+len(list), list[len(list)-1]
	}
	if seen != users+1 {
		t.Errorf("paged through %d users", seen)
	}
	for i := 0; i < users; i += 100 {
		var batch []string
		for j := range 100 {
			batch = append(batch, fmt.Sprintf("user-%06d", i+j))
		}
		must(w.sdk.DeleteUsers(bg(), batch, stream.DeleteUserOptions{
			User: stream.HardDelete, Messages: stream.HardDelete, Conversations: stream.HardDelete,
		}))(t)
		w.wait()
	}
	if got := w.Totals(); got != (emulator.Totals{Users: 1, Channels: 1}) {
		t.Errorf("the totals are %+v", got)
	}
}

func BenchmarkSeedMillion(b *testing.B) {
	for b.Loop() {
		e := emulator.New(emulator.Options{})
		if err := e.Seed(crowd(40_000, 25)); err != nil {
			b.Fatal(err)
		}
	}
}

func TestConcurrency(t *testing.T) {
	w := start(t, emulator.Options{DeleteUsersLimit: 1000})
	populate(t, w)
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			for j := range 10 {
				id := fmt.Sprintf("u-%d-%d", i, j)
				if _, err := w.sdk.UpsertUser(bg(), &stream.User{ID: id}); err != nil {
					t.Error(err)
				}
				if _, err := w.sdk.DeleteUsers(bg(), []string{id}, stream.DeleteUserOptions{User: stream.HardDelete}); err != nil {
					t.Error(err)
				}
				w.clock.Advance(time.Millisecond)
				w.Totals()
				w.MaxInWindow("DeleteUsers", time.Second)
			}
		})
	}
	wg.Wait()
	w.wait()
	if got := w.Totals(); got.Users != 3 || got.OpenTasks != 0 {
		t.Errorf("the totals are %+v", got)
	}
}

func TestRequestLog(t *testing.T) {
	var log bytes.Buffer
	w := start(t, emulator.Options{Log: &log, MaxRequests: 2})
	populate(t, w)
	log.Reset()
	w.call("POST", "/users/delete", `{"user_ids":["alice","bob"]}`).want(t, 201)
	var line struct {
		Time    time.Time
		Op      string
		Method  string
		Path    string
		Status  int
		UserIDs []string `json:"user_ids"`
	}
	if err := json.Unmarshal(log.Bytes(), &line); err != nil {
		t.Fatalf("%v: %s", err, log.Bytes())
	}
	if line.Op != "DeleteUsers" || line.Method != "POST" || line.Path != "/users/delete" || line.Status != 201 ||
		len(line.UserIDs) != 2 || !line.Time.Equal(w.clock.Now()) {
		t.Errorf("logged %+v", line)
	}
	if strings.Contains(log.String(), w.APIKey()) {
		t.Error("the API key is in the log")
	}
	list := w.Requests()
	if len(list) != 2 || string(list[1].Body) != `{"user_ids":["alice","bob"]}` || list[1].Header.Get("Authorization") != "" || list[1].Query["api_key"] != nil {
		t.Errorf("recorded %+v", list)
	}
	if w.Count("UpdateUsers") != 1 || w.Count("") < 10 {
		t.Errorf("counted %d and %d", w.Count("UpdateUsers"), w.Count(""))
	}
	w.ResetRequests()
	if w.Count("") != 0 || len(w.Requests()) != 0 {
		t.Error("the requests are not forgotten")
	}
}

func TestListenOnLoopbackOnly(t *testing.T) {
	for _, addr := range []string{"0.0.0.0:0", ":0", "[::]:0", "192.0.2.1:0", "example.com:80", "10.0.0.1:8080"} {
		l, err := emulator.Listen(t.Context(), addr)
		if !errors.Is(err, emulator.ErrNotLoopback) {
			t.Errorf("%s: got %v", addr, err)
		}
		if l != nil {
			_ = l.Close()
		}
	}
	for _, addr := range []string{"127.0.0.1:0", "localhost:0", "127.0.0.2:0"} {
		l, err := emulator.Listen(t.Context(), addr)
		if err != nil {
			var op *net.OpError
			if addr == "127.0.0.2:0" && errors.As(err, &op) {
				continue // not every machine has the whole block
			}
			t.Errorf("%s: %v", addr, err)
			continue
		}
		_ = l.Close()
	}
	if _, err := emulator.Listen(t.Context(), "nonsense"); err == nil {
		t.Error("an address without port is accepted")
	}
}

// The default clock is the machine's.
func TestRealClock(t *testing.T) {
	e := emulator.New(emulator.Options{TaskDelay: -1})
	if _, ok := e.Clock().(clock.Real); !ok {
		t.Errorf("the clock is %T", e.Clock())
	}
}
