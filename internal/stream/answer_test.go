// Copyright (c) the terraform-provider-streamchat authors
// SPDX-License-Identifier: MPL-2.0

package stream

import (
	"compress/gzip"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// packed answers with so many bytes of an object, in a few of a gzip.
func packed(size int) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Encoding", "gzip")
		zip, _ := gzip.NewWriterLevel(w, gzip.BestSpeed)
		defer zip.Close()
		body := `{"app":{"name":"canary"},"users":[],"task_id":"task-1","status":"x","user":{"id":"` + testUser + `"},"pad":"`
		_, _ = io.WriteString(zip, body)
		for left := size - len(body) - len(`"}`); left > 0; left -= 1 << 20 {
			_, _ = io.WriteString(zip, strings.Repeat("x", min(left, 1<<20)))
		}
		_, _ = io.WriteString(zip, `"}`)
	}
}

func TestAnswersAreBoundedByEndpoint(t *testing.T) {
	for name, test := range map[string]struct {
		call func(*fixture) error
		most int
	}{
		"app":    {func(f *fixture) error { _, err := f.App(ctx); return err }, smallAnswer},
		"task":   {readTask, smallAnswer},
		"delete": {deleteOne, smallAnswer},
		"users":  {func(f *fixture) error { _, err := f.UsersByID(ctx, []string{testUser}); return err }, pageAnswer},
	} {
		f := newFixture(t, func(w http.ResponseWriter, r *http.Request, n int) { packed(test.most+n-1)(w, r) })
		if err := test.call(f); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if e := failure(t, test.call(f)); e.Kind != KindUnexpectedBody || e.Retryable || e.Ambiguous != (name == "delete") || f.count() != 2 {
			t.Errorf("%s: %d requests: %+v", name, f.count(), e)
		}
	}
	f := newFixture(t, func(w http.ResponseWriter, r *http.Request, _ int) { packed(pageAnswer+1)(w, r) })
	if _, err := f.ExportUser(ctx, testUser); err != nil {
		t.Errorf("an export: %v", err)
	}
	for op, e := range endpoints {
		if most := e.most(); most < smallAnswer || most > exportAnswer {
			t.Errorf("%s may answer with %d bytes", op, most)
		}
	}
}

// What says that it failed, or says two things, is no success, whatever else is in it.
func TestSuccessIsNotASecondOpinion(t *testing.T) {
	good := map[string]string{
		"task":   `"task_id":"task-1","status":"completed","result":{"canary":{"status":"ok"}}`,
		"users":  `"users":[]`,
		"export": `"user":{"id":"` + testUser + `"},"messages":[],"reactions":[]`,
		"app":    `"app":{"name":"canary"}`,
		"delete": `"task_id":"task-1"`,
	}
	calls := map[string]func(*fixture) error{
		"task":   readTask,
		"users":  func(f *fixture) error { _, err := f.UsersByID(ctx, []string{testUser}); return err },
		"export": func(f *fixture) error { _, err := f.ExportUser(ctx, testUser); return err },
		"app":    func(f *fixture) error { _, err := f.App(ctx); return err },
		"delete": deleteOne,
	}
	for more, ok := range map[string]bool{
		`,"duration":"1ms"`:                                   true,
		`,"code":null,"message":null,"StatusCode":null`:       true,
		`,"StatusCode":201`:                                   true,
		`,"code":4`:                                           true, // no envelope
		`,"message":{"code":4,"StatusCode":500}`:              true,
		`,"code":-1,"message":"canary","StatusCode":500`:      false,
		`,"code":16,"message":"canary"`:                       false,
		`,"code":"rate_limit_exceeded","message":"slow down"`: false,
		`,"StatusCode":404`:                                   false,
		`,"StatusCode":"500"`:                                 false,
		`,"duration":"1ms","duration":"1ms"`:                  false,
		`,"duration":"1ms","d\u0075ration":"1ms"`:             false,
	} {
		for name, call := range calls {
			f := newFixture(t, func(w http.ResponseWriter, _ *http.Request, _ int) {
				w.WriteHeader(http.StatusCreated)
				_, _ = io.WriteString(w, "{"+good[name]+more+"}")
			})
			err := call(f)
			if ok && err != nil {
				t.Errorf("%s with %s: %v", name, more, err)
			}
			if !ok && (failure(t, err).Kind != KindUnexpectedBody || f.count() != 1) {
				t.Errorf("%s with %s: %d requests, %v", name, more, f.count(), err)
			}
		}
	}
	for name, call := range calls {
		f := newFixture(t, func(w http.ResponseWriter, _ *http.Request, _ int) {
			w.WriteHeader(http.StatusPartialContent)
			_, _ = io.WriteString(w, "{"+good[name]+"}")
		})
		if e := failure(t, call(f)); e.Kind != KindUnexpectedBody || e.HTTPStatus != 206 {
			t.Errorf("a part of %s: %v", name, e)
		}
	}
}

func TestNothingIsSaidTwice(t *testing.T) {
	for body, call := range map[string]func(*fixture) error{
		`{"task_id":"task-1","status":"completed","result":{"canary":{"status":"failed"},"canary":{"status":"ok"}}}`: readTask,
		`{"task_id":"task-1","status":"completed","result":{"canary":{"status":"failed","status":"ok"}}}`:            readTask,
		`{"users":[{"id":"` + testUser + `","role":"admin","role":"user"}]}`: func(f *fixture) error {
			_, err := f.UsersByID(ctx, []string{testUser})
			return err
		},
		`{"users":[{"id":"` + testUser + `","custom":{"legal_hold":true,"legal_hold":false}}]}`: func(f *fixture) error {
			_, err := f.UsersByID(ctx, []string{testUser})
			return err
		},
	} {
		f := newFixture(t, func(w http.ResponseWriter, r *http.Request, _ int) { raw(200, body)(w, r) })
		if e := failure(t, call(f)); e.Kind != KindUnexpectedBody || f.count() != 1 {
			t.Errorf("%s: %v", body, e)
		}
	}
}

func TestMembers(t *testing.T) {
	for raw, want := range map[string][]string{
		`{}`: nil, `[1]`: nil, `"x"`: nil, ``: nil, " {\n} ": nil,
		`{"a":1}`: {"a=1"},
		` { "a" : [ {"b":2,"c":"}"} , ":" ] , "\u0061\"" : "x\\" ,"a":{}}`: {`a=[ {"b":2,"c":"}"} , ":" ]`, `a"="x\\"`, "a={}"},
	} {
		var got []string
		members([]byte(raw), func(key string, value []byte) { got = append(got, fmt.Sprintf("%s=%s", key, value)) })
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: %s", raw, diff)
		}
	}
}

// FuzzMembers: what it finds is what encoding/json finds, but for repeats.
func FuzzMembers(f *testing.F) {
	for _, seed := range []string{`{"a":1,"b":{"c":[1,2]},"a":"\\\""}`, `{}`, `[{"a":1}]`, `{"":{"":null}}`, " {\"a\"\t:\n0 } "} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		if !json.Valid(raw) {
			return
		}
		want, _ := decodeObject(raw)
		got, n := object{}, 0
		members(raw, func(key string, value []byte) {
			n++
			got[key] = value
		})
		if diff := cmp.Diff(want, got, cmp.Transformer("compact", func(r json.RawMessage) string { return string(r) })); diff != "" &&
			len(want)+len(got) > 0 {
			t.Error(diff)
		}
		if once(raw) != (n == len(got)) {
			t.Errorf("once is %v of %d fields, %d different", once(raw), n, len(got))
		}
	})
}
