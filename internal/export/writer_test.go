// Copyright (c) the terraform-provider-streamchat authors
// SPDX-License-Identifier: MPL-2.0

package export

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// write runs a Writer: "u", "m", "r" before the piece, "d" a document.
func write(t *testing.T, dst io.Writer, calls ...string) (Summary, error) {
	t.Helper()
	w := NewWriter(dst)
	for _, call := range calls {
		raw := []byte(call[1:])
		var err error
		switch call[0] {
		case 'u':
			err = w.User(raw)
		case 'm':
			err = w.Message(raw)
		case 'r':
			err = w.Reaction(raw)
		case 'd':
			var d Document
			if len(raw) > 0 {
				if d, err = Parse(raw); err != nil {
					t.Fatal(err)
				}
			}
			err = w.Document(d)
		}
		if err != nil {
			if _, closeErr := w.Close(); closeErr == nil {
				t.Error("Close forgot the error")
			}
			if again := w.Message([]byte(`{}`)); !errors.Is(again, err) {
				t.Errorf("after %v a message gave %v", err, again)
			}
			return Summary{}, err
		}
	}
	return w.Close()
}

func TestWriter(t *testing.T) {
	m1, m2 := `{"id":"m1","n":9007199254740993,"attachments":[{},{}]}`, `{ "id":"m2",  "text":"\u003c<" }`
	r1 := `{"type":"🎉"}`
	for name, test := range map[string]struct {
		calls []string
		want  string
	}{
		"user":      {[]string{`u{"id":"u1"}`}, `{"user":{"id":"u1"},"messages":[],"reactions":[]}`},
		"all":       {[]string{`u{"id":"u1"}`, "m" + m1, "m" + m2, "r" + r1, "r" + r1}, `{"user":{"id":"u1"},"messages":[` + m1 + `,` + m2 + `],"reactions":[` + r1 + `,` + r1 + `]}`},
		"reactions": {[]string{`u{}`, "r" + r1}, `{"user":{},"messages":[],"reactions":[` + r1 + `]}`},
		"spaces":    {[]string{"u \n{ } ", "m\t" + m2 + "\r\n", "r " + r1 + " "}, `{"user":{ },"messages":[` + m2 + `],"reactions":[` + r1 + `]}`},
		"document":  {[]string{"d" + oddBody}, oddJSON},
	} {
		t.Run(name, func(t *testing.T) {
			var out bytes.Buffer
			sum, err := write(t, &out, test.calls...)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(test.want, out.String()); diff != "" {
				t.Errorf("written (-want +got):\n%s", diff)
			}
			// A parsed copy tells the same.
			want, err := Summarize(out.Bytes())
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(want, sum); diff != "" {
				t.Errorf("summary (-want +got):\n%s", diff)
			}
		})
	}
}

func TestWriterErrors(t *testing.T) {
	deep := strings.Repeat("[", maxDepth) + strings.Repeat("]", maxDepth)
	for name, test := range map[string]struct {
		calls []string
		want  string
	}{
		"nothing":              {nil, "export: no user yet"},
		"no user":              {[]string{`m{}`}, "export: no user yet"},
		"two users":            {[]string{`u{}`, `u{}`}, "export: a user after other pieces"},
		"late user":            {[]string{`u{}`, `m{}`, `u{}`}, "export: a user after other pieces"},
		"late message":         {[]string{`u{}`, `r{}`, `m{}`}, "export: a piece out of order: user, messages, reactions"},
		"late document":        {[]string{`u{}`, `d{"user":{}}`}, "export: a document after other pieces"},
		"two documents":        {[]string{`d{"user":{}}`, `d{"user":{}}`}, "export: a document after other pieces"},
		"message after":        {[]string{`d{"user":{}}`, `m{}`}, "export: a piece out of order: user, messages, reactions"},
		"zero document":        {[]string{`d`}, "export: an empty document"},
		"user null":            {[]string{`unull`}, "export: a user: the piece is null, not an object, at byte 0"},
		"message string":       {[]string{`u{}`, `m "canary"`}, "export: a message: the piece is a string, not an object, at byte 1"},
		"reaction array":       {[]string{`u{}`, `r[]`}, "export: a reaction: the piece is an array, not an object, at byte 0"},
		"empty message":        {[]string{`u{}`, `m`}, "export: a message: the JSON ends early, at byte 0"},
		"truncated message":    {[]string{`u{}`, `m{"id":"canary`}, "export: a message: the JSON ends early, at byte 13"},
		"two values":           {[]string{`u{}`, `m{},{}`}, "export: a message: invalid JSON: something follows the value, at byte 2"},
		"escapes its place":    {[]string{`u{}`, `m{}]`}, "export: a message: invalid JSON: something follows the value, at byte 2"},
		"deep message":         {[]string{`u{}`, `m{"a":` + deep + `}`}, "export: a message: the JSON nests deeper than 10000 levels, at byte 10002"},
		"after a good message": {[]string{`u{}`, `m{}`, `m1`}, "export: a message: the piece is a number, not an object, at byte 0"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := write(t, io.Discard, test.calls...)
			if err == nil {
				t.Fatal("no error")
			}
			if diff := cmp.Diff(test.want, err.Error()); diff != "" {
				t.Errorf("error (-want +got):\n%s", diff)
			}
		})
	}
}

// What a Writer closes is never too deep for Parse.
func TestWriterDepth(t *testing.T) {
	var out bytes.Buffer
	nested := func(depth int) string {
		return `{"a":` + strings.Repeat("[", depth-1) + strings.Repeat("]", depth-1) + `}`
	}
	if _, err := write(t, &out, "u"+nested(maxDepth-1), "m"+nested(maxDepth-2), "r"+nested(maxDepth-2)); err != nil {
		t.Fatal(err)
	}
	if _, err := Parse(out.Bytes()); err != nil {
		t.Error(err)
	}
	if _, err := write(t, io.Discard, "u"+nested(maxDepth)); err == nil {
		t.Error("a user too deep")
	}
	if _, err := write(t, io.Discard, "u{}", "m"+nested(maxDepth-1)); err == nil {
		t.Error("a message too deep")
	}
}

// failAfter takes n bytes, then fails; short makes it claim success instead.
type failAfter struct {
	n     int
	short bool
}

var errDisk = errors.New("disk full")

func (w *failAfter) Write(p []byte) (int, error) {
	if len(p) <= w.n {
		w.n -= len(p)
		return len(p), nil
	}
	if w.short {
		return w.n, nil
	}
	return w.n, errDisk
}

func TestWriterKeepsWriteErrors(t *testing.T) {
	calls := []string{`u{"id":"u1"}`, `m{}`, `m{}`, `r{}`, `r{}`}
	var whole bytes.Buffer
	if _, err := write(t, &whole, calls...); err != nil {
		t.Fatal(err)
	}
	for n := range whole.Len() {
		if _, err := write(t, &failAfter{n: n}, calls...); !errors.Is(err, errDisk) {
			t.Errorf("after %d bytes: %v", n, err)
		}
		if _, err := write(t, &failAfter{n: n, short: true}, calls...); !errors.Is(err, io.ErrShortWrite) {
			t.Errorf("short after %d bytes: %v", n, err)
		}
	}
}

func TestWriterCloseTwice(t *testing.T) {
	w := NewWriter(io.Discard)
	if err := w.User([]byte(`{}`)); err != nil {
		t.Fatal(err)
	}
	first, err := w.Close()
	if err != nil {
		t.Fatal(err)
	}
	if second, err := w.Close(); err != nil || second != first {
		t.Errorf("%+v, %v", second, err)
	}
	if err := w.Reaction([]byte(`{}`)); err == nil {
		t.Error("a reaction after Close")
	}
}

// A message costs no memory that lasts, so any number of them fits.
func TestWriterIsFlat(t *testing.T) {
	w := NewWriter(io.Discard)
	if err := w.User([]byte(`{}`)); err != nil {
		t.Fatal(err)
	}
	message := []byte(`{"id":"m1","text":"` + strings.Repeat("x", 10_000) + `","attachments":[{"a":{}},{}]}`)
	result := testing.Benchmark(func(b *testing.B) {
		b.ReportAllocs()
		for range b.N {
			if err := w.Message(message); err != nil {
				b.Fatal(err)
			}
		}
	})
	if got := result.AllocedBytesPerOp(); got > 1024 {
		t.Errorf("%d bytes allocated for a message of %d bytes", got, len(message))
	}
}

// The scanner accepts what encoding/json accepts.
func FuzzMessage(f *testing.F) {
	for _, seed := range []string{`{}`, ` {"attachments":[1,2]} `, oddUser, oddMessages, `{"a":[}`, `1e5`, `"\u12"`, `{"a":"\ud83d"}`, `{},{}`} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		want := json.Valid(raw) && bytes.TrimLeft(raw, " \t\r\n")[0] == '{'
		var out bytes.Buffer
		w := NewWriter(&out)
		if err := w.User([]byte(`{}`)); err != nil {
			t.Fatal(err)
		}
		if err := w.Message(raw); want != (err == nil) {
			t.Fatalf("acceptable: %v, error: %v", want, err)
		}
		sum, err := w.Close()
		if err != nil {
			return
		}
		if parsed, err := Summarize(out.Bytes()); err != nil || parsed != sum {
			t.Fatalf("parsed %+v, %v, written %+v", parsed, err, sum)
		}
		if !bytes.Contains(out.Bytes(), bytes.Trim(raw, " \t\r\n")) {
			t.Fatal("the bytes changed")
		}
	})
}
