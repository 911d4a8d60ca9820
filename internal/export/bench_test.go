// Copyright (c) the terraform-provider-streamchat authors
// SPDX-License-Identifier: MPL-2.0

package export

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"filippo.io/age"

	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/privatefile"
	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/stream"
)

// largest is a direct export of the most messages that Stream gives.
func largest() string {
	var b strings.Builder
	b.WriteString(`{"user":{"id":"u1","role":"user","name":"Zoë"},"messages":[`)
	for i := range 10_000 {
		if i > 0 {
			b.WriteByte(',')
		}
		fmt.Fprintf(&b, `{"id":"u1-%08d","text":"message %d with some text to it \ud83d\ude00","html":"<p>message %d with some text to `+
			`it</p>\n","type":"regular",`+
			`"user":null,"attachments":[{"type":"image","image_url":"https://example.com/%d.png"}],"latest_reactions":[],"own_reactions":[],`+
			`"reaction_counts":null,"reaction_scores":{},"reply_count":0,"cid":"messaging:general","created_at":"2021-05-28T19:40:17.482123Z",`+
			`"updated_at":"2021-05-28T19:40:17.482123Z","shadowed":false,"mentioned_users":[],"silent":false,"pinned":false,"pinned_at":null,`+
			`"pinned_by":null,"pin_expires":null}`, i, i, i, i)
	}
	b.WriteString(`],"reactions":[],"duration":"812.33ms"}`)
	return b.String()
}

func BenchmarkSummarize(b *testing.B) {
	body := largest()
	b.SetBytes(int64(len(body)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Summarize(body); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkWriteOwn(b *testing.B) {
	body := largest()
	hybrid, err := age.GenerateHybridIdentity()
	if err != nil {
		b.Fatal(err)
	}
	for name, recipients := range map[string][]age.Recipient{
		"clear":  nil,
		"age":    {newX25519(b).Recipient()},
		"age-pq": {hybrid.Recipient()},
	} {
		b.Run(name, func(b *testing.B) {
			path := filepath.Join(b.TempDir(), "export")
			b.SetBytes(int64(len(body)))
			b.ReportAllocs()
			for b.Loop() {
				own, ok := stream.Members(body)
				if !ok {
					b.Fatal("no object")
				}
				toFile(b, path, recipients, func(w *writer) error { return w.own(own) })
			}
		})
	}
}

// BenchmarkWriteMessage is an assembled export, message by message.
func BenchmarkWriteMessage(b *testing.B) {
	message := []byte(`{"id":"u1-1","text":"` + strings.Repeat("some text ", 60) +
		`","attachments":[{"type":"image"}],"reaction_scores":{},"user":null}`)
	b.SetBytes(int64(len(message)))
	b.ReportAllocs()
	toFile(b, filepath.Join(b.TempDir(), "export"), []age.Recipient{newX25519(b).Recipient()}, func(w *writer) error {
		if err := w.user([]byte(`{"id":"u1"}`)); err != nil {
			return err
		}
		for b.Loop() {
			if err := w.message(message); err != nil {
				return err
			}
		}
		return nil
	})
}

// toFile writes an export to a file.
func toFile(b *testing.B, path string, recipients []age.Recipient, content func(*writer) error) {
	b.Helper()
	file, err := privatefile.Begin(b.Context(), privatefile.Target{Path: path, Overwrite: true}, recipients)
	if err != nil {
		b.Fatal(err)
	}
	w := newWriter(file)
	if err := content(w); err != nil {
		b.Fatal(err)
	}
	if _, err := w.close(); err != nil {
		b.Fatal(err)
	}
	if _, err := file.Commit(); err != nil {
		b.Fatal(err)
	}
	if err := file.Abort(); err != nil {
		b.Fatal(err)
	}
}

func newX25519(b *testing.B) *age.X25519Identity {
	b.Helper()
	id, err := age.GenerateX25519Identity()
	if err != nil {
		b.Fatal(err)
	}
	return id
}
