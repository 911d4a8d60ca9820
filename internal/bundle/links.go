// Copyright (c) the terraform-provider-streamchat authors
// SPDX-License-Identifier: MPL-2.0

package bundle

import (
	"cmp"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"errors"
	"html/template"
	"io"
	"strings"
	"time"

	"github.com/tidwall/gjson"

	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/privatefile"
)

// What is said of something that is referred to is short, so that many references fit on
// a page.
const (
	maxLinkText = 80 // runes
	maxLinkName = 60
	linkBytes   = 400 // of a reference, about; at worst twice that
)

// linkRun is how much of references is sorted in memory at a time.
const linkRun = 3 << 20

// slot is where a reference goes in a record that was drawn: a byte that no template
// lets through, and whether the reference says what the message says.
const (
	slot      template.HTML = "\x00+"
	slotBrief template.HTML = "\x00-"
)

// ref is a reference to a message, with what the record that refers says of it.
type ref struct {
	id   string
	said target
}

// target is what is known of a message that something refers to.
type target struct {
	Own          bool      `json:"o,omitempty"` // it is in the bundle
	File, Anchor string    `json:",omitempty"`
	At           time.Time `json:"t"`
	In           int       `json:"i,omitempty"` // a conversation's order
	Who          string    `json:"w,omitempty"`
	Text         string    `json:"x,omitempty"`
}

// with adds what another record says of the same message.
func (t target) with(o target) target {
	if t.At.IsZero() {
		t.At = o.At
	}
	t.In, t.Who, t.Text = cmp.Or(t.In, o.In), cmp.Or(t.Who, o.Who), cmp.Or(t.Text, o.Text)
	return t
}

// targetView is what a page shows of it.
type targetView struct {
	Own           bool
	Href, In, Who string
	At            *instant
	Text          string
}

// linker joins references with what they refer to, however many there are: both are
// sorted by the message's id, and what was found is sorted back.
type linker struct {
	dir   string
	ids   *sorter
	found *privatefile.Spool
	n     uint64 // references
}

const (
	linkOwn  = 'a' // the message is in the bundle
	linkSaid = 'b' // a record says something of it
	linkFrom = 'c' // a record refers to it
)

func (l *linker) close() (err error) {
	if l.ids != nil {
		err = l.ids.close()
	}
	if l.found != nil {
		err = errors.Join(err, l.found.Close())
	}
	return err
}

func (l *linker) add(id string, kind byte, value []byte) error {
	if l.ids == nil {
		l.ids = &sorter{dir: l.dir, limit: linkRun}
	}
	sum := sha256.Sum256([]byte(id))
	key := binary.BigEndian.AppendUint64(append(sum[:16:16], kind), l.n)
	return l.ids.add(key, value)
}

// define says where a message is.
func (l *linker) define(message gjson.Result, t target) error {
	id := message.Get("id").Str
	if id == "" {
		return nil
	}
	value, err := json.Marshal(t)
	if err != nil {
		return err
	}
	return l.add(id, linkOwn, value)
}

// refer notes a reference, out of a conversation or, with 0, of none.
func (l *linker) refer(r ref, in int) error {
	if r.said.In == 0 {
		r.said.In = in
	}
	if r.said != (target{}) {
		value, err := json.Marshal(r.said)
		if err == nil {
			err = l.add(r.id, linkSaid, value)
		}
		if err != nil {
			return err
		}
	}
	l.n++
	return l.add(r.id, linkFrom, nil)
}

// resolve finds what the references refer to, after the last of them.
func (l *linker) resolve() error {
	l.found = &privatefile.Spool{Dir: l.dir, Memory: 1 << 20}
	if l.ids == nil {
		return nil
	}
	back := &sorter{dir: l.dir, limit: linkRun}
	defer func() { _ = back.close() }()
	var id [16]byte
	var known target
	var value []byte
	err := l.ids.each(func(key, record []byte) error {
		if [16]byte(key) != id {
			id, known, value = [16]byte(key), target{}, nil
		}
		if key[16] == linkFrom {
			if value == nil {
				var err error
				if value, err = json.Marshal(known); err != nil {
					return err
				}
			}
			return back.add(key[17:], value)
		}
		var said target
		if err := json.Unmarshal(record, &said); err != nil {
			return err
		}
		if known == (target{}) {
			known = said
		} else {
			known = known.with(said)
		}
		return nil
	})
	if err == nil {
		err = l.ids.close()
	}
	if err != nil {
		return err
	}
	return back.each(func(_, record []byte) error { return l.found.Add(0, record) })
}

// next is what the next reference refers to, in the order in which they were noted.
func (l *linker) next() (t target, err error) {
	_, record, err := l.found.Next()
	if err == io.EOF { //nolint:errorlint // Next's own
		return t, io.ErrUnexpectedEOF
	}
	if err == nil {
		err = json.Unmarshal(record, &t)
	}
	return t, err
}

// refTo is a reference to a message that a record names by its id and, perhaps, holds.
func refTo(id string, message gjson.Result) ref {
	r := ref{id: cmp.Or(id, message.Get("id").Str)}
	r.said.At = moment(message)
	r.said.Who = clip(cmp.Or(message.Get("user.name").Str, message.Get("user.id").Str), maxLinkName)
	return r
}

// excerpt is what a message is called where something refers to it.
func excerpt(message gjson.Result) string {
	text := cmp.Or(message.Get("text").Str, message.Get("poll.name").Str)
	for _, a := range message.Get("attachments").Array() {
		if text != "" {
			break
		}
		text = cmp.Or(a.Get("title").Str, a.Get("name").Str, a.Get("fallback").Str)
	}
	return clip(strings.Join(strings.Fields(head(text, maxLinkText*8)), " "), maxLinkText)
}

// clip bounds a text by its runes.
func clip(s string, runes int) string {
	n := 0
	for i := range s {
		if n == runes {
			return s[:i] + "…"
		}
		n++
	}
	return s
}
