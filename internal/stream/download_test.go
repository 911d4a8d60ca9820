// Copyright (c) the terraform-provider-streamchat authors
// SPDX-License-Identifier: MPL-2.0

package stream

import (
	"bytes"
	"compress/gzip"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"
)

const fileTask = "canary-task"

// bucket is a fixture with a completed export task and a file's host, which gets
// the number of the download from 1. Every question for the task signs anew.
func bucket(t *testing.T, file func(w http.ResponseWriter, r *http.Request, n int), change ...func(*Config)) *fixture {
	t.Helper()
	downloads, signed := 0, 0
	return newFixture(t, func(w http.ResponseWriter, r *http.Request, _ int) {
		if strings.HasPrefix(r.URL.Path, "/tasks/") {
			signed++
			respond(w, 200, map[string]any{"task_id": fileTask, "status": "completed", "result": map[string]any{
				"url": fmt.Sprintf("http://%s/canary/file?Signature=canary-%d", r.Host, signed),
			}})
			return
		}
		downloads++
		file(w, r, downloads)
	}, change...)
}

func readExport(f *fixture) (string, error) {
	src, err := f.OpenExport(ctx, fileTask)
	if err != nil {
		return "", err
	}
	defer func() { _ = src.Close() }()
	body, err := io.ReadAll(src)
	return string(body), err
}

// cut sends the headers of the whole file and n bytes of it.
func cut(w http.ResponseWriter, content string, n int) {
	w.Header().Set("Content-Length", fmt.Sprint(len(content)))
	_, _ = io.WriteString(w, content[:n])
	if flusher, ok := w.(http.Flusher); ok {
		flusher.Flush()
	}
	panic(http.ErrAbortHandler)
}

func TestOpenExportSendsNothingOfOurs(t *testing.T) {
	f := bucket(t, func(w http.ResponseWriter, r *http.Request, _ int) {
		for _, name := range []string{"Authorization", "Stream-Auth-Type", "X-Stream-Client", "Referer", "Range"} {
			if r.Header.Get(name) != "" {
				t.Errorf("%s was sent", name)
			}
		}
		if r.URL.Query().Has("api_key") || r.URL.RawQuery != "Signature=canary-1" {
			t.Errorf("the query is %q", r.URL.RawQuery)
		}
		_, _ = io.WriteString(w, "content")
	})
	if got, err := readExport(f); err != nil || got != "content" {
		t.Error(got, err)
	}
}

func TestOpenExportGoesOn(t *testing.T) {
	content := strings.Repeat("0123456789", 30_000)
	for name, test := range map[string]struct {
		file func(w http.ResponseWriter, r *http.Request, n int)
		says string // "" = the content comes whole
		asks int    // for the task
	}{
		"by ranges": {file: func(w http.ResponseWriter, r *http.Request, n int) {
			w.Header().Set("ETag", `"one"`)
			if n < 4 {
				w.Header().Set("Content-Length", fmt.Sprint(len(content)))
			}
			switch n {
			case 1:
				cut(w, content, 100_000)
			case 2:
				if r.Header.Get("Range") != "bytes=100000-" || r.Header.Get("If-Range") != `"one"` {
					t.Errorf("asked for %q if %q", r.Header.Get("Range"), r.Header.Get("If-Range"))
				}
			}
			http.ServeContent(w, r, "", time.Time{}, strings.NewReader(content))
		}, asks: 1},
		"from the start": {file: func(w http.ResponseWriter, _ *http.Request, n int) {
			if n < 4 {
				cut(w, content, n*1000)
			}
			_, _ = io.WriteString(w, content)
		}, asks: 1},
		"another file": {file: func(w http.ResponseWriter, _ *http.Request, n int) {
			if n == 1 {
				cut(w, content, 1000)
			}
			_, _ = io.WriteString(w, "x"+content)
		}, says: "the file changed while it was read", asks: 1},
		"another part": {file: func(w http.ResponseWriter, _ *http.Request, n int) {
			if n == 1 {
				cut(w, content, 1000)
			}
			w.Header().Set("Content-Range", "bytes 999-299999/300000")
			w.WriteHeader(http.StatusPartialContent)
		}, says: "another part", asks: 1},
		"less than the rest": {file: func(w http.ResponseWriter, _ *http.Request, n int) {
			if n == 1 {
				cut(w, content, 1000)
			}
			w.Header().Set("Content-Range", "bytes 1000-1999/300000")
			w.WriteHeader(http.StatusPartialContent)
			_, _ = io.WriteString(w, content[1000:2000])
		}, says: "another part", asks: 1},
		"expired": {file: func(w http.ResponseWriter, r *http.Request, n int) {
			switch {
			case n == 1:
				cut(w, content, 1000)
			case r.URL.Query().Get("Signature") == "canary-1":
				w.WriteHeader(http.StatusForbidden)
			default:
				_, _ = io.WriteString(w, content)
			}
		}, asks: 2},
		"a bad host": {file: func(w http.ResponseWriter, _ *http.Request, n int) {
			if n < 4 {
				w.WriteHeader([]int{500, 503, 429}[n-1])
				return
			}
			_, _ = io.WriteString(w, content)
		}, asks: 1},
		"always cut": {file: func(w http.ResponseWriter, _ *http.Request, _ int) { cut(w, content, 1000) }, says: "the connection broke", asks: 1},
		"always bad": {file: func(w http.ResponseWriter, _ *http.Request, _ int) { w.WriteHeader(502) }, says: "the file's host failed (HTTP 502)", asks: 1},
		"gone":       {file: func(w http.ResponseWriter, _ *http.Request, _ int) { w.WriteHeader(404) }, says: "or the file is gone (HTTP 404)", asks: 6},
		"no content": {file: func(w http.ResponseWriter, _ *http.Request, _ int) { w.WriteHeader(204) }, says: "did not send the file", asks: 1},
		"stalled": {file: func(w http.ResponseWriter, r *http.Request, n int) {
			if n == 1 {
				w.Header().Set("Content-Length", fmt.Sprint(len(content)))
				_, _ = io.WriteString(w, content[:1000])
				w.(http.Flusher).Flush()
				<-r.Context().Done()
				return
			}
			_, _ = io.WriteString(w, content)
		}, asks: 1},
		"redirected": {file: func(w http.ResponseWriter, r *http.Request, n int) {
			if n == 1 {
				http.Redirect(w, r, "/elsewhere", http.StatusTemporaryRedirect)
				return
			}
			if r.Header.Get("Referer") != "" {
				t.Error("the signed URL was sent as a referer")
			}
			_, _ = io.WriteString(w, content)
		}, asks: 1},
		"redirected to clear text": {file: func(w http.ResponseWriter, r *http.Request, _ int) {
			http.Redirect(w, r, "http://192.0.2.1/canary", http.StatusFound)
		}, says: "redirects to a place that is not followed (HTTP 302)", asks: 1},
		"redirected for ever": {file: func(w http.ResponseWriter, r *http.Request, n int) {
			http.Redirect(w, r, fmt.Sprint("/", n), http.StatusFound)
		}, says: "is not followed", asks: 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := bucket(t, test.file, func(c *Config) { c.RequestTimeout = 400 * time.Millisecond })
			got, err := readExport(f)
			switch {
			case test.says == "" && (err != nil || got != content):
				t.Errorf("%d bytes, %v", len(got), err)
			case test.says != "" && !strings.Contains(failure(t, err).Error(), test.says):
				t.Error(err)
			}
			asked := 0
			for _, r := range f.requests() {
				if strings.HasPrefix(r.path, "/tasks/") {
					asked++
				}
			}
			if asked != test.asks {
				t.Errorf("the task was asked for %d times", asked)
			}
		})
	}
}

func TestOpenExportUnpacks(t *testing.T) {
	var packed bytes.Buffer
	z := gzip.NewWriter(&packed)
	_, _ = io.WriteString(z, "content")
	_ = z.Close()
	f := bucket(t, func(w http.ResponseWriter, r *http.Request, _ int) {
		w.Header().Set("Content-Encoding", "gzip")
		_, _ = w.Write(packed.Bytes())
	})
	if got, err := readExport(f); err != nil || got != "content" {
		t.Error(got, err)
	}
	f = bucket(t, func(w http.ResponseWriter, r *http.Request, _ int) {
		w.Header().Set("Content-Encoding", "gzip")
		_, _ = w.Write(packed.Bytes()[:packed.Len()-3])
	})
	if _, err := readExport(f); failure(t, err).Kind != KindUnexpectedBody {
		t.Error(err)
	}
}

func TestOpenExportRefusesAddresses(t *testing.T) {
	other := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("it was called") }))
	defer other.Close()
	for _, address := range []string{"", "/file", "http://192.0.2.1/canary", "ftp://127.0.0.1/canary", "https:///canary", "https://canary:x@192.0.2.1/", "file:///etc/passwd", ":"} {
		f := taskAt(t, address)
		if _, err := readExport(f); failure(t, err).Kind != KindUnexpectedBody || f.count() != 1 {
			t.Errorf("%q: %v", address, err)
		}
	}
	// What is on this machine is not for a Stream elsewhere to name.
	f := taskAt(t, other.URL)
	remote, err := ParseBaseURL("")
	if err != nil {
		t.Fatal(err)
	}
	u, err := url.Parse(other.URL)
	if err != nil || fileAddress(u, remote) || !fileAddress(u, f.base) {
		t.Error("a loopback address is for a loopback Stream alone")
	}
}

// taskAt is a Stream whose completed task names an address.
func taskAt(t *testing.T, address string) *fixture {
	t.Helper()
	return newFixture(t, func(w http.ResponseWriter, _ *http.Request, _ int) {
		respond(w, 200, map[string]any{"task_id": fileTask, "status": "completed", "result": map[string]any{"url": address}})
	})
}

func TestOpenExportEndsWithItsContext(t *testing.T) {
	interrupted, cancel := context.WithCancel(t.Context())
	f := bucket(t, func(w http.ResponseWriter, r *http.Request, _ int) {
		w.Header().Set("Content-Length", "100")
		_, _ = io.WriteString(w, "some")
		w.(http.Flusher).Flush()
		<-r.Context().Done()
	})
	src, err := f.OpenExport(interrupted, fileTask)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadFull(src, make([]byte, 4)); err != nil {
		t.Fatal(err)
	}
	time.AfterFunc(50*time.Millisecond, cancel)
	if _, err := io.ReadAll(src); failure(t, err).Kind != KindCanceled {
		t.Error(err)
	}
	if err := src.Close(); err != nil {
		t.Error(err)
	}
	if _, err := src.Read(make([]byte, 1)); err == nil {
		t.Error("a closed file can be read")
	}
}

func TestExportTask(t *testing.T) {
	for name, test := range map[string]struct {
		answers []http.HandlerFunc
		says    string
	}{
		"completed": {answers: []http.HandlerFunc{respondTask("pending"), respondTask("running"), respondTask("completed")}},
		"failed":    {answers: []http.HandlerFunc{respondTask("failed")}, says: "ended without completing"},
		"canceled":  {answers: []http.HandlerFunc{respondTask("canceled")}, says: "ended without completing"},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t, func(w http.ResponseWriter, r *http.Request, n int) { test.answers[n-1](w, r) })
			err := f.ExportTask(ctx, fileTask)
			if test.says == "" && err != nil || test.says != "" && !strings.Contains(failure(t, err).Error(), test.says) {
				t.Error(err)
			}
			if test.says != "" && failure(t, err).Kind != KindTask {
				t.Errorf("%+v", err)
			}
		})
	}
	f := newFixture(t, func(w http.ResponseWriter, _ *http.Request, _ int) {
		respondError(w, 404, 16, OpGetTask, "Can't find task")
	})
	if err := f.ExportTask(ctx, fileTask); !strings.Contains(failure(t, err).Error(), "no longer knows") || f.waited() < unknownTaskGrace {
		t.Error(err, f.waited())
	}
}

func respondTask(status string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		respond(w, 200, map[string]any{"task_id": fileTask, "status": status, "error": map[string]any{"type": "canary", "description": "canary"}})
	}
}
