// Copyright (c) the terraform-provider-streamchat authors
// SPDX-License-Identifier: MPL-2.0

package emulator_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	stream "github.com/GetStream/stream-chat-go/v6"
	"github.com/google/go-cmp/cmp"

	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/emulator"
)

const eraseAlice = `{"user_ids":["alice"],"user":"hard","messages":"hard","conversations":"hard"}`

func TestRateLimit(t *testing.T) {
	w := start(t, emulator.Options{})
	populate(t, w)
	w.clock.Advance(30 * time.Second)
	for i := range 6 {
		a := w.call("POST", "/users/delete", `{"user_ids":["ghost"]}`)
		a.want(t, 201)
		if got, want := a.header.Get("X-RateLimit-Remaining"), strconv.Itoa(5-i); got != want {
			t.Errorf("remaining is %s, want %s", got, want)
		}
	}
	// Through the SDK, as Stream's own test of the limit does it.
	_, err := w.sdk.DeleteUsers(bg(), []string{"alice"}, stream.DeleteUserOptions{User: stream.HardDelete})
	wantError(t, err, 429, 9, "DeleteUsers failed with error: \"Too many requests, check response headers for more information.\"")
	var e stream.Error
	errors.As(err, &e)
	want := &stream.RateLimitInfo{Limit: 6, Remaining: 0, Reset: noon.Add(time.Minute).Unix()}
	if diff := cmp.Diff(want, e.RateLimit); diff != "" {
		t.Error(diff)
	}
	if s, _ := w.User("alice"); s.Deleted {
		t.Error("a refused call deleted alice")
	}
	// Other endpoints have a limit of their own; the window ends for all.
	w.call("GET", "/app", "").want(t, 200)
	w.clock.Advance(noon.Add(time.Minute).Sub(w.clock.Now()) - time.Microsecond)
	if a := w.call("POST", "/users/delete", eraseAlice); a.status != 429 {
		t.Errorf("got %d at the end of the window", a.status)
	}
	w.clock.Advance(time.Microsecond)
	w.call("POST", "/users/delete", eraseAlice).want(t, 201)

	if n := w.Count("DeleteUsers"); n != 9 {
		t.Errorf("%d calls", n)
	}
	if n := w.MaxInWindow("DeleteUsers", time.Minute); n != 9 {
		t.Errorf("%d calls within a minute", n)
	}
	if n := w.MaxInWindow("DeleteUsers", time.Second); n != 7 {
		t.Errorf("%d calls within a second", n)
	}

	small := start(t, emulator.Options{DeleteUsersLimit: 1, Window: time.Second, Limits: map[string]int{"GetApp": 2}})
	for i, want := range []int{200, 200, 429} {
		if a := small.call("GET", "/app", ""); a.status != want {
			t.Errorf("call %d gets %d", i, a.status)
		}
	}
	small.clock.Advance(time.Second)
	small.call("GET", "/app", "").want(t, 200)
	small.call("POST", "/users/delete", `{"user_ids":["x"]}`).want(t, 201)
	if a := small.call("POST", "/users/delete", `{"user_ids":["x"]}`); a.status != 429 {
		t.Errorf("got %d", a.status)
	}
}

func TestFaultsInFrontOfStream(t *testing.T) {
	tests := map[emulator.FaultKind]struct {
		status int
		body   string
		check  func(h http.Header) bool
	}{
		emulator.Fault500:         {500, `{"code":-1,"message":"DeleteUsers failed with error: \"internal`, func(h http.Header) bool { return h.Get("X-RateLimit-Limit") == "6" }},
		emulator.Fault503:         {503, "", func(h http.Header) bool { return h.Get("X-RateLimit-Limit") == "" }},
		emulator.FaultHTML502:     {502, "<html>", func(h http.Header) bool { return strings.HasPrefix(h.Get("Content-Type"), "text/html") }},
		emulator.FaultPlain429:    {429, "Too many requests\n", func(h http.Header) bool { return h.Get("X-RateLimit-Reset") == "" }},
		emulator.FaultEdge429:     {429, `{"code":"rate_limit_exceeded","message":"slow down"}`, func(h http.Header) bool { return h.Get("X-RateLimit-Reset") == "" }},
		emulator.Fault429:         {429, `{"code":9,`, func(h http.Header) bool { return h.Get("X-RateLimit-Remaining") == "0" }},
		emulator.FaultBare429:     {429, `{"code":9,`, func(h http.Header) bool { return h.Get("X-RateLimit-Reset") == "" }},
		emulator.FaultRedirect301: {301, "", func(h http.Header) bool { return h.Get("Location") == "/-/moved" }},
		emulator.FaultRedirect307: {307, "", func(h http.Header) bool { return h.Get("Location") == "/-/moved" }},
		emulator.FaultCustom:      {500, "", func(h http.Header) bool { return true }},
	}
	for kind, test := range tests {
		t.Run(string(kind), func(t *testing.T) {
			w := start(t, emulator.Options{})
			populate(t, w)
			w.AddFault(emulator.Fault{Op: "DeleteUsers", Kind: kind})
			a := w.call("POST", "/users/delete", eraseAlice)
			if a.status != test.status || !strings.HasPrefix(string(a.body), test.body) || !test.check(a.header) {
				t.Errorf("got %d %v %q", a.status, a.header, a.body)
			}
			if s, _ := w.User("alice"); s.Deleted {
				t.Error("the request was carried out")
			}
			w.call("POST", "/users/delete", eraseAlice).want(t, 201) // once only

			w.AddFault(emulator.Fault{Op: "DeleteUsers", Kind: kind, CarryOut: true})
			if a = w.call("POST", "/users/delete", `{"user_ids":["bob"]}`); a.status != test.status {
				t.Errorf("got %d %s", a.status, a.body)
			}
			if s, _ := w.User("bob"); !s.Deleted {
				t.Error("the request was not carried out")
			}
		})
	}
}

func TestFaultsInTheAnswer(t *testing.T) {
	w := start(t, emulator.Options{DeleteUsersLimit: 1000})
	populate(t, w)
	erased := 0
	// Each fault deletes a user of its own, and the deletion is carried out.
	strike := func(f emulator.Fault) (answer, error) {
		t.Helper()
		erased++
		id := "u" + strconv.Itoa(erased)
		w.seed(`{"users":[{"id":"` + id + `"}]}`)
		f.Op, f.UserID = "DeleteUsers", id
		w.AddFault(f)
		w.call("POST", "/users/delete", `{"user_ids":["other"]}`).want(t, 201) // names someone else
		a, err := w.try(w.token(map[string]any{"server": true}), "POST", "/users/delete", `{"user_ids":["x","`+id+`"]}`)
		if s, _ := w.User(id); s.Deleted != (f.Kind != emulator.FaultDropBefore) {
			t.Errorf("%s: deleted is %v", f.Kind, s.Deleted)
		}
		return a, err
	}
	if _, err := strike(emulator.Fault{Kind: emulator.FaultDropBefore}); !errors.Is(err, io.EOF) {
		t.Errorf("got %v", err)
	}
	if _, err := strike(emulator.Fault{Kind: emulator.FaultDropAfter}); !errors.Is(err, io.EOF) {
		t.Errorf("got %v", err)
	}
	if _, err := strike(emulator.Fault{Kind: emulator.FaultShortBody}); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("got %v", err)
	}
	a, err := strike(emulator.Fault{Kind: emulator.FaultTruncated})
	if err != nil || a.status != 201 || len(a.body) == 0 || json.Valid(a.body) {
		t.Errorf("got %v %d %s", err, a.status, a.body)
	}
	a, _ = strike(emulator.Fault{Kind: emulator.FaultHTML200})
	if a.status != 200 || !strings.HasPrefix(a.header.Get("Content-Type"), "text/html") {
		t.Errorf("got %d %s", a.status, a.body)
	}
	a, _ = strike(emulator.Fault{Kind: emulator.FaultWrongType})
	if a.status != 201 || !strings.HasPrefix(a.header.Get("Content-Type"), "text/html") || !json.Valid(a.body) {
		t.Errorf("got %d %s", a.status, a.body)
	}
	a, _ = strike(emulator.Fault{Kind: emulator.FaultNumbers})
	if a.status != 201 || string(a.body) != "{\"duration\":42,\"task_id\":42}\n" {
		t.Errorf("got %d %s", a.status, a.body)
	}
	before := w.clock.Now()
	if a, _ = strike(emulator.Fault{Kind: emulator.FaultSlow, Delay: 7 * time.Second}); a.status != 201 || w.clock.Now().Sub(before) != 7*time.Second {
		t.Errorf("got %d after %s", a.status, w.clock.Now().Sub(before))
	}
	reset := func(a answer) time.Duration {
		n, _ := strconv.ParseInt(a.header.Get("X-RateLimit-Reset"), 10, 64)
		return time.Unix(n, 0).Sub(w.clock.Now())
	}
	if a, _ = strike(emulator.Fault{Kind: emulator.FaultResetPast}); a.status != 201 || reset(a) != -time.Hour {
		t.Errorf("got %d %s", a.status, reset(a))
	}
	if a, _ = strike(emulator.Fault{Kind: emulator.FaultResetFuture}); a.status != 201 || reset(a) != 24*time.Hour {
		t.Errorf("got %d %s", a.status, reset(a))
	}
	if a, _ = strike(emulator.Fault{Kind: emulator.FaultNoHeaders}); a.status != 201 || a.header.Get("X-RateLimit-Limit") != "" {
		t.Errorf("got %d %v", a.status, a.header)
	}
	requests := w.Requests("DeleteUsers")
	if r := requests[1]; r.Fault != emulator.FaultDropBefore || r.Status != 0 || cmp.Diff([]string{"x", "u1"}, r.UserIDs) != "" {
		t.Errorf("recorded %+v", r)
	}
}

func TestHang(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	w := start(t, emulator.Options{Log: arrival(cancel)})
	w.AddFault(emulator.Fault{Op: "GetApp", Kind: emulator.FaultHang})
	if _, err := w.sdk.GetAppSettings(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	must(w.sdk.GetAppSettings(bg()))(t)
	for deadline := time.Now().Add(5 * time.Second); !w.Requests("GetApp")[0].Unheard; {
		if time.Now().After(deadline) {
			t.Fatalf("recorded %+v", w.Requests("GetApp")[0])
		}
		runtime.Gosched()
	}
	if r := w.Requests("GetApp")[1]; r.Unheard {
		t.Errorf("recorded %+v", r)
	}
}

// arrival is a log that calls back when a request is there.
type arrival func()

func (a arrival) Write(line []byte) (int, error) {
	a()
	return len(line), nil
}

func TestFaultTimesAndOrder(t *testing.T) {
	w := start(t, emulator.Options{})
	w.AddFault(emulator.Fault{Kind: emulator.Fault500, Op: "GetApp", After: 1, Times: 2})
	w.AddFault(emulator.Fault{Kind: emulator.FaultCustom, Times: emulator.Forever, Op: "GetApp", Status: 418, Body: "tea", ContentType: "text/x", Header: http.Header{"x-y": {"z"}}})
	for i, want := range []int{418, 500, 500, 418, 418} {
		if a := w.call("GET", "/app", ""); a.status != want {
			t.Errorf("call %d gets %d", i, a.status)
		} else if want == 418 && (string(a.body) != "tea" || a.header.Get("Content-Type") != "text/x" || a.header.Get("X-Y") != "z") {
			t.Errorf("got %s %v", a.body, a.header)
		}
	}
	w.ClearFaults()
	w.call("GET", "/app", "").want(t, 200)

	// A redirect that is followed ends on a page that is happy with anything.
	w.AddFault(emulator.Fault{Kind: emulator.FaultRedirect301, Op: "DeleteUser"})
	if _, err := w.sdk.DeleteUser(bg(), "whoever"); err != nil {
		t.Errorf("the SDK's trap is gone: %v", err)
	}
	if got := w.Requests("Request"); len(got) != 1 || got[0].Method != "GET" || got[0].Path != "/-/moved" {
		t.Errorf("recorded %+v", got)
	}
}

func TestFaultsByChance(t *testing.T) {
	const calls = 1000
	pattern := func(seed uint64, f emulator.Fault) (struck string, n int) {
		t.Helper()
		w := start(t, emulator.Options{RandomSeed: seed})
		w.AddFault(f)
		var b strings.Builder
		for i := range calls {
			if i%3 == 0 {
				w.call("GET", "/retention_policy", "")
			}
			if w.call("GET", "/app", "").status != 200 {
				b.WriteByte('x')
			} else {
				b.WriteByte('.')
			}
		}
		return b.String(), strings.Count(b.String(), "x")
	}
	f := emulator.Fault{Kind: emulator.Fault500, Op: "GetApp", Probability: 0.1}
	everywhere := f
	everywhere.Op = ""
	first, n := pattern(7, f)
	if all, _ := pattern(7, everywhere); all != first {
		t.Error("calls of other operations move the draws of this one")
	}
	if n < calls/20 || n > calls/5 {
		t.Errorf("%d of %d calls are struck, with a chance of 0.1", n, calls)
	}
	if again, _ := pattern(7, f); again != first {
		t.Error("the same seed draws differently")
	}
	if other, _ := pattern(8, f); other == first {
		t.Error("another seed draws the same")
	}
	f.After, f.Times = 100, 2
	if some, n := pattern(7, f); n != 2 || strings.Contains(some[:100], "x") {
		t.Errorf("%d calls are struck: %s", n, some)
	}
	if _, n := pattern(7, emulator.Fault{Kind: emulator.Fault500, Probability: 1}); n != calls {
		t.Errorf("a certainty strikes %d of %d calls", n, calls)
	}
}

func TestTaskFaults(t *testing.T) {
	w := start(t, emulator.Options{DeleteUsersLimit: 100})
	msgs := populate(t, w)
	erase := func(faults ...emulator.Fault) string {
		t.Helper()
		w.ClearFaults()
		for _, f := range faults {
			f.Op = "DeleteUsers"
			w.AddFault(f)
		}
		a := w.call("POST", "/users/delete", `{"user_ids":["alice","bob"],"user":"hard","messages":"hard"}`)
		a.want(t, 201)
		return "/tasks/" + a.json(t)["task_id"].(string)
	}

	task := erase(emulator.Fault{Kind: emulator.FaultFailTask, Error: "boom"})
	w.call("GET", task, "").want(t, 200, `"status":"pending"`)
	if r := w.Requests("DeleteUsers")[0]; "/tasks/"+r.TaskID != task || cmp.Diff([]emulator.FaultKind{emulator.FaultFailTask}, r.TaskFaults) != "" {
		t.Errorf("recorded %+v", r)
	}
	w.wait()
	w.call("GET", task, "").want(t, 200, `"status":"failed"`, `"error":{"type":"internal","description":"boom"`)
	if _, ok := w.Message(msgs["alice-group"]); !ok {
		t.Error("a failed task removed messages")
	}
	if s, _ := w.User("alice"); !s.Deleted || s.HardDeleted {
		t.Errorf("alice is %+v", s)
	}

	task = erase(emulator.Fault{Kind: emulator.FaultStuckTask, Word: "queued"})
	w.clock.Advance(100 * time.Hour)
	w.call("GET", task, "").want(t, 200, `"status":"queued"`)

	task = erase(emulator.Fault{Kind: emulator.FaultFailUser, UserID: "alice", Error: "no"})
	w.wait()
	w.call("GET", task, "").want(t, 200, `"status":"completed"`, `"result":{"alice":{"status":"error","error":"no"},"bob":{"status":"ok"}}`)
	if _, ok := w.Message(msgs["alice-group"]); !ok {
		t.Error("the messages of a user that failed are gone")
	}
	if s, _ := w.User("bob"); !s.HardDeleted {
		t.Errorf("bob is %+v", s)
	}

	task = erase(emulator.Fault{Kind: emulator.FaultMissingUser, UserID: "bob"}, emulator.Fault{Kind: emulator.FaultStatusWord, Word: "throttled"})
	w.call("GET", task, "").want(t, 200, `"status":"throttled"`)
	w.wait()
	w.call("GET", task, "").want(t, 200, `"status":"completed"`, `"result":{"alice":{"status":"ok"}}`)
	if s, _ := w.User("alice"); !s.HardDeleted {
		t.Errorf("alice is %+v", s)
	}

	task = erase(emulator.Fault{Kind: emulator.FaultTaskNotFound})
	w.call("GET", task, "").wantError(t, 404, 16, `GetTask failed with error: "Can't find task with id "`+task[len("/tasks/"):]+`""`)
	if s, ok := w.Task(task[len("/tasks/"):]); !ok || s.Status != "pending" || s.Op != "DeleteUsers" {
		t.Errorf("the task is %+v", s)
	}

	task = erase()
	w.AddFault(emulator.Fault{Kind: emulator.FaultTaskNotFound, Op: "GetTask", Times: 2})
	for i, want := range []int{404, 404, 200} {
		if a := w.call("GET", task, ""); a.status != want {
			t.Errorf("call %d gets %d", i, a.status)
		}
	}
	w.AddFault(emulator.Fault{Kind: emulator.FaultTaskNotFound, Op: "GetTask", Behind: "DeleteUsers"})
	for _, want := range []int{200, 404, 200} {
		if a := w.call("GET", task, ""); a.status != want {
			t.Errorf("the status is %d, want %d", a.status, want)
		}
		w.call("POST", "/users/delete", `{"user_ids":["alice"],"user":"hard"}`).want(t, 201)
	}
	w.ForgetTask(task[len("/tasks/"):])
	if a := w.call("GET", task, ""); a.status != 404 {
		t.Errorf("a forgotten task gets %d", a.status)
	}
}

func TestParseFault(t *testing.T) {
	f, err := emulator.ParseFault("op=DeleteUsers, kind=slow,times=forever,after=2,delay=3s,user=bob,carry-out=true,behind=QueryUsers,probability=0.05")
	want := emulator.Fault{Kind: emulator.FaultSlow, Op: "DeleteUsers", UserID: "bob", After: 2, Times: emulator.Forever, Delay: 3 * time.Second, CarryOut: true}
	if diff := cmp.Diff(want.Kind, f.Kind); err != nil || diff != "" || f.Op != want.Op || f.UserID != want.UserID ||
		f.After != want.After || f.Times != want.Times || f.Delay != want.Delay || !f.CarryOut || f.Behind != "QueryUsers" || f.Probability != 0.05 {
		t.Errorf("got %+v %v", f, err)
	}
	for _, bad := range []string{"", "op=DeleteUsers", "kind=explode", "kind=500,op=Nothing", "kind=500,times=x", "kind=500,color=red", "kind=500,probability=x", "kind=500,probability=NaN", "kind=500,probability=5"} {
		if _, err := emulator.ParseFault(bad); err == nil {
			t.Errorf("%q is accepted", bad)
		}
	}
	for _, kind := range emulator.FaultKinds() {
		if _, err := emulator.ParseFault("kind=" + string(kind)); err != nil {
			t.Error(err)
		}
	}
}
