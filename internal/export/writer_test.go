// Copyright (c) the terraform-provider-streamchat authors
// SPDX-License-Identifier: MPL-2.0

package export

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/stream"
)

// write runs a writer: "u", "m", "r" before the piece, "d" an export of Stream's own.
func write(t *testing.T, dst io.Writer, calls ...string) (Counts, error) {
	t.Helper()
	w := newWriter(dst)
	for _, call := range calls {
		raw := []byte(call[1:])
		var err error
		switch call[0] {
		case 'u':
			err = w.user(raw)
		case 'm':
			err = w.message(raw)
		case 'r':
			err = w.reaction(raw)
		case 'd':
			own, _ := stream.Members(string(raw))
			err = w.own(own)
		}
		if err != nil {
			if _, closeErr := w.close(); closeErr == nil {
				t.Error("Close forgot the error")
			}
			if again := w.message([]byte(`{}`)); !errors.Is(again, err) {
				t.Errorf("after %v a message gave %v", err, again)
			}
			return Counts{}, err
		}
	}
	return w.close()
}

func TestWriter(t *testing.T) {
	m1, m2 := `{"id":"m1","n":9007199254740993,"attachments":[{},{}]}`, `{ "id":"m2",  "text":"\u003c<" }`
	r1 := `{"type":"🎉"}`
	for name, test := range map[string]struct {
		calls []string
		want  string
	}{
		"user": {[]string{`u{"id":"u1"}`}, `{"user":{"id":"u1"},"messages":[],"reactions":[]}`},
		"all": {
			[]string{`u{"id":"u1"}`, "m" + m1, "m" + m2, "r" + r1, "r" + r1},
			`{"user":{"id":"u1"},"messages":[` + m1 + `,` + m2 + `],"reactions":[` + r1 + `,` + r1 + `]}`,
		},
		"reactions": {[]string{`u{}`, "r" + r1}, `{"user":{},"messages":[],"reactions":[` + r1 + `]}`},
		"spaces": {
			[]string{"u \n{ } ", "m\t" + m2 + "\r\n", "r " + r1 + " "},
			`{"user":{ },"messages":[` + m2 + `],"reactions":[` + r1 + `]}`,
		},
		"document": {[]string{"d" + oddBody}, oddJSON},
	} {
		t.Run(name, func(t *testing.T) {
			var out bytes.Buffer
			counts, err := write(t, &out, test.calls...)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(test.want, out.String()); diff != "" {
				t.Errorf("written (-want +got):\n%s", diff)
			}
			// A parsed copy tells the same.
			if want, err := Summarize(out.String()); err != nil || want != counts {
				t.Errorf("%+v, want %+v, %v", counts, want, err)
			}
		})
	}
}

func TestWriterErrors(t *testing.T) {
	for name, test := range map[string]struct {
		calls []string
		want  string
	}{
		"nothing":              {nil, "export: no user yet"},
		"no user":              {[]string{`m{}`}, "export: no user yet"},
		"two users":            {[]string{`u{}`, `u{}`}, "export: a user after other pieces"},
		"late user":            {[]string{`u{}`, `m{}`, `u{}`}, "export: a user after other pieces"},
		"late message":         {[]string{`u{}`, `r{}`, `m{}`}, "export: a piece out of order: user, messages, reactions"},
		"late document":        {[]string{`u{}`, `d{"user":{}}`}, "export: an export after other pieces"},
		"two documents":        {[]string{`d{"user":{}}`, `d{"user":{}}`}, "export: an export after other pieces"},
		"message after":        {[]string{`d{"user":{}}`, `m{}`}, "export: a piece out of order: user, messages, reactions"},
		"user null":            {[]string{`unull`}, "export: a user is not an object"},
		"message string":       {[]string{`u{}`, `m "canary"`}, "export: a message is not an object"},
		"reaction array":       {[]string{`u{}`, `r[]`}, "export: a reaction is not an object"},
		"empty message":        {[]string{`u{}`, `m`}, "export: a message is not an object"},
		"after a good message": {[]string{`u{}`, `m{}`, `m1`}, "export: a message is not an object"},
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

// failAfter takes n bytes, then fails.
type failAfter struct{ n int }

var errDisk = errors.New("disk full")

func (w *failAfter) Write(p []byte) (int, error) {
	if len(p) <= w.n {
		w.n -= len(p)
		return len(p), nil
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
	}
}

func TestWriterCloseTwice(t *testing.T) {
	w := newWriter(io.Discard)
	if err := w.user([]byte(`{}`)); err != nil {
		t.Fatal(err)
	}
	first, err := w.close()
	if err != nil {
		t.Fatal(err)
	}
	if second, err := w.close(); err != nil || second != first {
		t.Errorf("%+v, %v", second, err)
	}
	if err := w.reaction([]byte(`{}`)); err == nil {
		t.Error("a reaction after Close")
	}
}

// A message costs no memory that lasts, so any number of them fits.
func TestWriterIsFlat(t *testing.T) {
	w := newWriter(io.Discard)
	if err := w.user([]byte(`{}`)); err != nil {
		t.Fatal(err)
	}
	message := []byte(`{"id":"m1","text":"` + strings.Repeat("x", 10_000) + `","attachments":[{"a":{}},{}]}`)
	result := testing.Benchmark(func(b *testing.B) {
		b.ReportAllocs()
		for range b.N {
			if err := w.message(message); err != nil {
				b.Fatal(err)
			}
		}
	})
	if got := result.AllocedBytesPerOp(); got > 1024 {
		t.Errorf("%d bytes allocated for a message of %d bytes", got, len(message))
	}
}
