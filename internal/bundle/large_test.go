// Copyright (c) the terraform-provider-streamchat authors
// SPDX-License-Identifier: MPL-2.0

package bundle_test

import (
	"archive/zip"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/attachment"
	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/bundle"
	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/clock"
)

// What only ZIP64 can say: a file of more than 4 GiB, and more than 65,535 files. With
// BUNDLE_LARGE, a directory with 10 GB of room, where the archives stay for other tools
// (unzip -t, 7z t, bsdtar -tf, python3 -m zipfile -t).
func TestLarge(t *testing.T) {
	dir := os.Getenv("BUNDLE_LARGE")
	if dir == "" {
		t.Skip("BUNDLE_LARGE is not set: it writes 10 GB")
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		size, err := strconv.ParseInt(r.URL.Query().Get("size"), 10, 64)
		if err != nil {
			http.NotFound(w, r)
			return
		}
		w.Header().Set("Content-Length", strconv.FormatInt(size, 10))
		_, _ = io.CopyN(w, endless{}, size)
	}))
	defer server.Close()
	for name, files := range map[string][]int64{"large-file": {3, 4<<30 + 12345, 5}, "many-files": make([]int64, 70_000)} {
		var messages []string
		for i, size := range files {
			messages = append(messages, fmt.Sprintf(`{"id":"m%d","text":"t","attachments":[{"type":"file","asset_url":"%s/f%d.bin?size=%d"}],"cid":"messaging:c","created_at":"2026-01-02T03:04:05Z"}`, i, server.URL, i, size))
		}
		out, err := os.Create(filepath.Join(dir, name+".zip"))
		if err != nil {
			t.Fatal(err)
		}
		began := time.Now()
		result, err := bundle.Write(t.Context(), out, bundle.Options{
			Subject: "alice", At: at, Dir: dir,
			Fetcher: attachment.New(attachment.Options{Hosts: []string{server.Listener.Addr().String()}, MaxBytes: 5 << 30, Timeout: time.Minute, Clock: clock.Real{}}),
		}, source(t, `{"user":{"id":"alice"},"messages":[`+strings.Join(messages, ",")+`],"reactions":[]}`))
		if err != nil || result.Missing > 0 || result.Saved != int64(len(files)) {
			t.Fatalf("%+v, %v", result, err)
		}
		info, err := out.Stat()
		if err != nil {
			t.Fatal(err)
		}
		t.Logf("%s: %d bytes, %d files, %s", name, info.Size(), result.Saved, time.Since(began).Round(time.Millisecond))
		read, err := zip.NewReader(out, info.Size())
		if err != nil || len(read.File) < len(files)+3 {
			t.Fatalf("%v", err)
		}
	}
}

// endless is the same bytes again and again.
type endless struct{}

func (endless) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = byte(i)
	}
	return len(p), nil
}
