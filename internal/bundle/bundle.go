// Copyright (c) the terraform-provider-streamchat authors
// SPDX-License-Identifier: MPL-2.0

// Package bundle makes of a user's export what can be handed to that person: a ZIP
// with pages to read, the JSON, the files and a manifest. It streams: however many
// messages there are, it keeps a few megabytes in memory (and some hundred bytes of each
// file, conversation and person), and what has to wait lies in encrypted temporary files.
//
//	export.json    the export, the very bytes that Stream sent or, for the person
//	               themselves, without what belongs to others (see package redact)
//	attachments/   the files of the person's own messages
//	pages/         their conversations, where these are too large for one page
//	index.html     where to begin
//	MANIFEST.json  what is in it with hashes, and what is not
//
// No error of it quotes content.
package bundle

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/tidwall/gjson"

	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/attachment"
	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/export"
	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/privatefile"
	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/redact"
)

// Audience is for whom an export is.
type Audience string

const (
	// Controller is who answers for the data: the export as Stream gives it.
	Controller Audience = "controller"
	// Subject is the person: nothing that belongs to others.
	Subject Audience = "subject"
)

// Channel is what is known of a conversation beyond its id.
type Channel struct {
	Name, CreatedBy string
	Members         []Member // some of them
	MemberCount     int
}

// Member is somebody in a conversation.
type Member struct{ ID, Name string }

// Options say what goes into a bundle.
type Options struct {
	Subject  string // the user's id
	Audience Audience
	// Dir is where encrypted temporary files may lie; "": what does not fit into memory
	// is privatefile.ErrTooLarge.
	Dir string
	// Memory is how much of an export for the subject waits in memory; 0 is
	// privatefile.SpoolMemory.
	Memory int64
	// Fetcher fetches attachments; nil: they stay out.
	Fetcher *attachment.Fetcher
	// Message reads a message again, with links that are good: Stream signs them anew
	// for every reading. Nil: expired links are reported as they are.
	Message func(ctx context.Context, id string) ([]byte, error)
	// Channels looks conversations up; one that is gone has no entry. Nil: they are
	// called by their ids.
	Channels func(ctx context.Context, cids []string) (map[string]Channel, error)

	App     string // the app's name
	Version string // the provider's
	At      time.Time
}

// Source writes the export, as [export.Take] does.
type Source func(io.Writer) (export.Findings, error)

// Result is what became of an export.
type Result struct {
	export.Findings
	SHA256         string // of export.json, lower-case hex
	Saved, Missing int64  // files
	NoFiles        int64  // attachments that are none; counted where files are asked for
	Unnamed        bool   // the conversations could not be looked up
	Conversations  int
	Participants   int
}

// Complete says whether the export holds everything, the files too where they were
// asked for.
func (r Result) Complete() bool { return r.Findings.Complete() && r.Missing == 0 }

// JSON writes the export alone, for its audience.
func JSON(ctx context.Context, dst io.Writer, options Options, source Source) (Result, error) {
	m := &maker{ctx: ctx, Options: options}
	err := m.take(dst, source)
	return m.result, errors.Join(err, m.close())
}

// Write writes the whole bundle.
func Write(ctx context.Context, dst io.Writer, options Options, source Source) (_ Result, err error) {
	m := &maker{ctx: ctx, Options: options, sorted: &sorter{dir: options.Dir}, cids: map[string]*conversation{}}
	defer func() { err = errors.Join(err, m.close()) }()
	m.zip = newArchive(dst, options.Dir, options.At)
	for _, step := range []func() error{
		func() error {
			return m.zip.deflated("export.json", func(w io.Writer) error { return m.take(w, source) })
		},
		m.nameConversations,
		m.files,
		m.pages,
		m.manifest,
		m.zip.finish,
	} {
		if err := step(); err != nil {
			return Result{}, err
		}
	}
	return m.result, nil
}

// maker makes one bundle.
type maker struct {
	Options
	ctx      context.Context
	fetching context.Context // in which files are fetched: it ends first
	zip      *archive
	redact   *redact.Redactor // nil: everything stays
	result   Result

	sorted  *sorter                  // nil: the JSON alone
	waiting *privatefile.Spool       // what is to be redacted
	filed   *privatefile.Spool       // messages with what became of their files; nil: read sorted
	cids    map[string]*conversation // by the cid as it is shown
	list    []*conversation          // the same, in the order of the index
	profile []byte                   // the user
	saved   map[fileKey]savedFile
	face    filed // the person's picture
	seq     uint64
	size    int // of what the pages show, about
}

func (m *maker) close() (err error) {
	if m.sorted != nil {
		err = m.sorted.close()
	}
	for _, s := range []*privatefile.Spool{m.waiting, m.filed} {
		if s != nil {
			err = errors.Join(err, s.Close())
		}
	}
	if m.zip != nil {
		err = errors.Join(err, m.zip.close())
	}
	return err
}

// take takes the export and writes its JSON; what the pages need is sorted on the way.
func (m *maker) take(dst io.Writer, source Source) error {
	hash := sha256.New()
	dst = io.MultiWriter(dst, hash)
	var err error
	if m.Audience == Subject {
		err = m.takeRedacted(dst, source)
	} else {
		err = m.read(source, dst, m.sort)
	}
	m.result.SHA256 = hex.EncodeToString(hash.Sum(nil))
	return err
}

// read runs the source, whose bytes go to copy as they are and to do in parts.
func (m *maker) read(source Source, copied io.Writer, do func(part) error) error {
	reader, writer := io.Pipe()
	ended := make(chan error, 1)
	go func() {
		buffered := newPiped(writer)
		found, err := source(buffered)
		if err == nil {
			err = buffered.Flush()
		}
		m.result.Findings = found
		_ = writer.CloseWithError(err) // nil is a plain end
		ended <- err
	}()
	err := split(io.TeeReader(reader, copied), do)
	_ = reader.CloseWithError(err)
	if taken := <-ended; taken != nil && !errors.Is(taken, io.ErrClosedPipe) && !errors.Is(err, ErrNotExport) {
		return taken
	}
	return err
}

// takeRedacted takes an export in two passes: who is in it has to be known before
// anything of it is written.
func (m *maker) takeRedacted(dst io.Writer, source Source) error {
	m.redact = redact.New(m.Subject)
	m.waiting = &privatefile.Spool{Dir: m.Dir, Memory: m.Memory}
	err := m.read(source, io.Discard, func(p part) error {
		if p.value != nil {
			m.redact.Learn(p.field, gjson.ParseBytes(p.value))
		}
		return m.waiting.Add(p.kind, pack(nil, []byte(p.field), p.value))
	})
	if err != nil {
		return err
	}
	buffered := newPiped(dst)
	out := joiner{dst: buffered}
	var redacted []byte
	err = m.waiting.Each(func(kind byte, record []byte) error {
		field, value := unpack(record)
		p := part{kind: kind, field: string(field)}
		if kind == wholeMember || kind == listElement {
			redacted = m.redact.Append(redacted[:0], p.field, gjson.ParseBytes(value))
			p.value = redacted
			if cid := gjson.GetBytes(value, "cid").Str; p.field == "messages" && m.cids != nil {
				m.real(m.redact.CID(cid), cid)
			}
		}
		if err := out.part(p); err != nil {
			return err
		}
		return m.sort(p)
	})
	if err == nil {
		err = errors.Join(out.close(), buffered.Flush())
	}
	m.result.Participants = m.redact.Participants()
	m.redact.Done()
	err = errors.Join(err, m.waiting.Close())
	m.waiting = nil
	return err
}

// sort keeps what the pages show.
func (m *maker) sort(p part) error {
	if err := m.ctx.Err(); err != nil {
		return context.Cause(m.ctx)
	}
	switch {
	case m.sorted == nil:
		return nil
	case p.field == "user" && p.kind == wholeMember:
		m.profile = append([]byte(nil), p.value...)
	case p.kind != listElement || !gjson.ParseBytes(p.value).IsObject():
	case p.field == "messages":
		message := gjson.ParseBytes(p.value)
		cid := message.Get("cid").Str
		c := m.real(cid, cid)
		c.messages++
		c.add(moment(message))
		return m.keep(key('m', cid, moment(message), m.seq), p.value)
	case p.field == "reactions":
		return m.keep(key('r', "", moment(gjson.ParseBytes(p.value)), m.seq), p.value)
	}
	return nil
}

// asHTML is about how long a text of JSON becomes on a page: what HTML escapes grows.
func asHTML(text []byte) int {
	n := len(text) + 3*bytes.Count(text, []byte(`\"`))
	for _, c := range []byte(`<>&'+`) {
		n += 4 * bytes.Count(text, []byte{c})
	}
	return n
}

// keep keeps a record for the pages. What it takes on one is about as much again as in
// the JSON.
func (m *maker) keep(key, record []byte) error {
	m.seq++
	m.size += asHTML(record) + 500
	return m.sorted.add(key, record)
}

// real is the conversation that is shown as a cid; its real one is kept for looking it
// up.
func (m *maker) real(shown, cid string) *conversation {
	c := m.cids[shown]
	if c == nil {
		c = &conversation{cid: strings.Clone(shown), real: strings.Clone(cid)} // not parts of a record
		m.cids[c.cid] = c
	}
	return c
}

func moment(object gjson.Result) time.Time {
	at, _ := time.Parse(time.RFC3339Nano, object.Get("created_at").Str)
	return at
}

// key sorts by kind, conversation, time and order.
func key(kind byte, cid string, at time.Time, seq uint64) []byte {
	nano := uint64(0)
	if !at.IsZero() {
		nano = uint64(at.UnixNano())
	}
	return fmt.Appendf(nil, "%c%s\x00%016x%016x", kind, cid, nano, seq)
}

// cidOf is the conversation of a key.
func cidOf(key []byte) string { return string(key[1 : len(key)-33]) }
