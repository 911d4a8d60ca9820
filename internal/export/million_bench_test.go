// Copyright (c) the terraform-provider-streamchat authors
// SPDX-License-Identifier: MPL-2.0

//go:build unix

package export_test

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"runtime"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"

	"filippo.io/age"

	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/export"
	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/privatefile"
	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/stream"
)

// million is a Stream with 50 channels of 40,000 messages each, every other one
// of alice's. Of the others', one in four lists a reaction of hers and one in a
// thousand has more reactions than it lists. The files are made while they are
// sent.
type million struct {
	url   string
	calls atomic.Int64 // GET /messages/{id}/reactions
}

const (
	millionChannels = 50
	millionMessages = 40_000
)

func (m *million) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	answer := func(format string, args ...any) {
		w.Header().Set("Content-Type", "application/json")
		fmt.Fprintf(w, format, args...)
	}
	switch path := r.URL.Path; {
	case path == "/users/alice/export":
		http.Error(w, `{"code":4,"message":"too many messages","StatusCode":400}`, http.StatusBadRequest)
	case path == "/users":
		answer(`{"users":[{"id":"alice","role":"user","created_at":"2026-01-01T00:00:00Z","mutes":[]}]}`)
	case path == "/channels":
		body, err := io.ReadAll(r.Body)
		if err != nil || strings.Contains(string(body), "created_by_id") || strings.Contains(string(body), "$gte") {
			answer(`{"channels":[]}`)
			return
		}
		var rows []string
		for i := range millionChannels {
			rows = append(rows, fmt.Sprintf(`{"channel":{"cid":"messaging:c%d","created_at":"2026-01-01T00:00:00Z"}}`, i))
		}
		answer(`{"channels":[%s]}`, strings.Join(rows, ","))
	case path == "/search":
		answer(`{"results":[]}`)
	case path == "/export_channels":
		answer(`{"task_id":"task"}`)
	case path == "/tasks/task":
		answer(`{"task_id":"task","status":"completed","result":{"url":"%s/file"}}`, m.url)
	case strings.HasSuffix(path, "/reactions"):
		m.calls.Add(1)
		id := strings.Split(path, "/")[2]
		others := strings.Repeat(fmt.Sprintf(`{"message_id":%q,"user_id":"bob","type":"like"},`, id), 11)
		answer(`{"reactions":[%s{"message_id":%q,"user_id":"alice","type":"wow"}]}`, others, id)
	case path == "/file":
		out := bufio.NewWriterSize(w, 1<<16)
		_ = out.WriteByte('[')
		for c := range stream.MaxExportChannels {
			if c > 0 {
				_ = out.WriteByte(',')
			}
			fmt.Fprintf(out, `{"channel":{"cid":"messaging:c%d"},"messages":[`, c)
			for i := range millionMessages {
				m.message(out, c, i)
			}
			_, _ = out.WriteString(`],"members":[{"user_id":"alice"},{"user_id":"bob"}]}`)
		}
		_, _ = out.WriteString("]")
		_ = out.Flush()
	default:
		http.NotFound(w, r)
	}
}

func (m *million) message(out *bufio.Writer, channel, i int) {
	if i > 0 {
		_ = out.WriteByte(',')
	}
	author, reactions, counts := "alice", "", "{}"
	if i%2 == 1 {
		author = "bob"
		switch {
		case i%1000 == 501:
			counts = `{"like":11,"wow":1}`
		case i%4 == 1:
			reactions = fmt.Sprintf(`{"message_id":"c%d-%08d","user_id":"alice","user":{"id":"alice","name":"Ælice"},"type":"like","score":1,`+
				`"created_at":"2021-05-28T19:40:17.482123Z","updated_at":"2021-05-28T19:40:17.482123Z"}`, channel, i)
			counts = `{"like":1}`
		}
	}
	fmt.Fprintf(out, `{"id":"c%d-%08d","text":"message %d with some text to it \ud83d\ude00","html":"<p>message %d with some text to `+
		`it</p>\n","type":"regular",`+
		`"user":{"id":%q,"role":"user","name":"A Name","image":"https://example.com/a.png","created_at":"2021-05-28T19:40:17.482123Z"},`+
		`"attachments":[],"latest_reactions":[%s],"own_reactions":[],`+
		`"reaction_counts":%s,"reaction_scores":{},"reply_count":0,"cid":"messaging:c%d","created_at":"2021-05-28T19:40:17.482123Z",`+
		`"updated_at":"2021-05-28T19:40:17.482123Z","shadowed":false,"mentioned_users":[],"silent":false,"pinned":false,"pinned_at":null,`+
		`"pinned_by":null,"pin_expires":null}`,
		channel, i, i, i, author, reactions, counts, channel)
}

// BenchmarkAssembleMillion exports a user with a million messages, encrypted, and
// reports the most memory that the process had, the server's included. Run it
// alone and once: -run '^$' -bench Million -benchtime 1x.
func BenchmarkAssembleMillion(b *testing.B) {
	if testing.Short() {
		b.Skip("it moves 1.5 GB")
	}
	m := &million{}
	server := httptest.NewServer(m)
	defer server.Close()
	m.url = server.URL
	api, err := stream.New(stream.Config{APIKey: "key", APISecret: "secret", BaseURL: server.URL})
	if err != nil {
		b.Fatal(err)
	}
	key, err := age.GenerateX25519Identity()
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		dir := b.TempDir()
		file, err := privatefile.Begin(b.Context(), privatefile.Target{Path: filepath.Join(dir, "alice.age"), Overwrite: true}, []age.Recipient{key.Recipient()})
		if err != nil {
			b.Fatal(err)
		}
		found, err := export.Take(b.Context(), api, "alice", file, dir)
		if err != nil {
			b.Fatal(err)
		}
		written, err := file.Commit()
		if err = errors.Join(err, file.Abort()); err != nil {
			b.Fatal(err)
		}
		if found.Method != export.Assembled || found.Messages != 1_000_000 || found.Reactions != 500_000 {
			b.Fatalf("%+v", found)
		}
		b.SetBytes(written.Size)
	}
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		b.Fatal(err)
	}
	peak := float64(usage.Maxrss) / 1024
	if runtime.GOOS == "darwin" {
		peak /= 1024
	}
	b.ReportMetric(peak, "peak-rss-MB")
	b.ReportMetric(float64(m.calls.Load())/float64(b.N), "reaction-calls")
	if peak > 100 {
		b.Errorf("peak RSS %.0f MB", peak)
	}
}
