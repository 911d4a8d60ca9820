// Copyright (c) the terraform-provider-streamchat authors
// SPDX-License-Identifier: MPL-2.0

//go:build unix

package bundle_test

import (
	"bufio"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strconv"
	"syscall"
	"testing"
	"time"

	"filippo.io/age"

	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/attachment"
	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/bundle"
	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/clock"
	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/export"
)

// generated is an export of any number of messages in 50 conversations, made while it is
// read; every so many of them has a file.
func generated(messages, files int, host string) bundle.Source {
	return func(w io.Writer) (export.Findings, error) {
		out := bufio.NewWriterSize(w, 1<<16)
		fmt.Fprint(out, `{"user":{"id":"alice","name":"Alice"},"messages":[`)
		for i := range messages {
			between, attached := ",", ""
			if i == 0 {
				between = ""
			}
			if files > 0 && i%(messages/files) == 0 {
				attached = fmt.Sprintf(`{"type":"file","title":"film %d.mp4","asset_url":"%s/%d.mp4?Signature=x"}`, i, host, i)
			}
			fmt.Fprintf(out, `%s{"id":"alice-%08d","text":"message %d with some text to it, and <some> more \ud83d\ude00","html":"<p>message %d with some text to it</p>\n","type":"regular",`+
				`"user":null,"attachments":[%s],"latest_reactions":[],"own_reactions":[],"reaction_counts":{"like":2},"reaction_scores":{},"reply_count":0,"cid":"messaging:c%d",`+
				`"created_at":%q,"updated_at":%q,"shadowed":false,"mentioned_users":[{"id":"bob%d"}],"silent":false,"pinned":false,"pinned_at":null,"pinned_by":null,"pin_expires":null}`,
				between, i, i, i, attached, i*50/max(messages, 50), at.Add(time.Duration(i)*time.Minute).Format(time.RFC3339Nano), at.Format(time.RFC3339Nano), i%1000)
		}
		fmt.Fprint(out, `],"reactions":[`)
		for i := range messages / 2 {
			between := ","
			if i == 0 {
				between = ""
			}
			fmt.Fprintf(out, `%s{"message_id":"m%d","user_id":"alice","user":null,"type":"love","score":1,"created_at":%q,"updated_at":%q}`, between, i, at.Format(time.RFC3339Nano), at.Format(time.RFC3339Nano))
		}
		fmt.Fprint(out, `]}`)
		return export.Findings{Counts: export.Counts{Messages: int64(messages), Reactions: int64(messages / 2), Attachments: int64(files)}, Method: export.Assembled}, out.Flush()
	}
}

func peak(b *testing.B) {
	b.Helper()
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		b.Fatal(err)
	}
	rss := float64(usage.Maxrss) / 1024
	if runtime.GOOS == "darwin" {
		rss /= 1024
	}
	b.ReportMetric(rss, "peak-rss-MB")
	if rss > 100 {
		b.Errorf("peak RSS %.0f MB", rss)
	}
}

func benchmark(b *testing.B, options bundle.Options, from bundle.Source) {
	b.Helper()
	key, err := age.GenerateX25519Identity()
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		size := &count{}
		sealed, err := age.Encrypt(size, key.Recipient())
		if err != nil {
			b.Fatal(err)
		}
		options.Subject, options.At, options.Dir = "alice", at, b.TempDir()
		result, err := bundle.Write(b.Context(), sealed, options, from)
		if err != nil || result.Missing > 0 {
			b.Fatalf("%+v, %v", result, err)
		}
		if err := sealed.Close(); err != nil {
			b.Fatal(err)
		}
		b.ReportMetric(float64(size.n)/1e6, "bundle-MB")
	}
	peak(b)
}

type count struct{ n int64 }

func (c *count) Write(p []byte) (int, error) { c.n += int64(len(p)); return len(p), nil }

// BenchmarkWrite makes encrypted bundles and reports the most memory that the process had:
// run one alone, -bench 'Write/1000000/subject' -benchtime 1x.
func BenchmarkWrite(b *testing.B) {
	for _, n := range []int{10, 10_000, 1_000_000} {
		for _, audience := range []bundle.Audience{bundle.Controller, bundle.Subject} {
			b.Run(fmt.Sprintf("%d/%s", n, audience), func(b *testing.B) {
				if testing.Short() && n > 10_000 {
					b.Skip("it moves gigabytes")
				}
				benchmark(b, bundle.Options{Audience: audience}, generated(n, 0, ""))
			})
		}
	}
}

// BenchmarkAttachments fetches 10 GB over loopback. Run it alone and once.
func BenchmarkAttachments(b *testing.B) {
	if testing.Short() {
		b.Skip("it moves 10 GB")
	}
	const files, size = 200, 50 << 20
	zeros := make([]byte, 64<<10)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", strconv.Itoa(size))
		for range size / len(zeros) {
			if _, err := w.Write(zeros); err != nil {
				return
			}
		}
	}))
	defer server.Close()
	fetcher := attachment.New(attachment.Options{Hosts: []string{server.Listener.Addr().String()}, MaxBytes: attachment.DefaultMaxBytes, Timeout: time.Minute, Clock: clock.Real{}})
	benchmark(b, bundle.Options{Fetcher: fetcher}, generated(1000, files, server.URL))
}
