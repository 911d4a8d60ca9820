// Copyright (c) the terraform-provider-streamchat authors
// SPDX-License-Identifier: MPL-2.0

package export

import (
	"bytes"
	"errors"
	"fmt"
	"io"

	"github.com/tidwall/gjson"

	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/stream"
)

// writer writes one user export and counts on the way, in the same memory for any
// number of messages. Either own writes a whole one, or user once, then message,
// then reaction any number of times write
//
//	{"user":{…},"messages":[…],"reactions":[…]}
//
// piece by piece. close ends it. After an error every call returns that error, so
// that a writer that closed without one wrote a whole export. Pieces are small
// writes: the underlying writer should be buffered.
type writer struct {
	dst    io.Writer
	counts Counts
	part   part
	err    error
}

// part is how far a writer has come.
type part int

const (
	partNone part = iota
	partUser
	partMessages
	partReactions
	partEnd
)

// opening is what leads from the part before into each part.
var opening = [...]string{
	partUser:      `{"user":`,
	partMessages:  `,"messages":[`,
	partReactions: `],"reactions":[`,
	partEnd:       `]}`,
}

// newWriter starts an export on dst. Nothing is written yet.
func newWriter(dst io.Writer) *writer { return &writer{dst: dst} }

// own writes Stream's own export: every member but "duration", in order and as
// the very bytes that Stream sent. It must be the only piece. Errors are those of
// [Count] and the underlying writer's.
func (w *writer) own(members stream.UserExport) error {
	if w.part != partNone {
		return w.fail(errors.New("export: an export after other pieces"))
	}
	if w.counts, w.err = Count(members); w.err != nil {
		return w.err
	}
	w.part = partEnd
	between := "{"
	for _, m := range members {
		if m.Name == "duration" {
			continue
		}
		for _, piece := range []string{between, m.Key, ":", m.Value.Raw} {
			w.write(piece)
		}
		between = ","
	}
	w.write("}")
	return w.err
}

// user writes the user, a JSON object that was proved to be one, as the bytes it
// is given, without white space around it. The same goes for message and
// reaction.
func (w *writer) user(raw []byte) error {
	if w.part != partNone {
		return w.fail(errors.New("export: a user after other pieces"))
	}
	return w.piece(partUser, raw)
}

// message writes one message.
func (w *writer) message(raw []byte) error {
	if err := w.piece(partMessages, raw); err != nil {
		return err
	}
	w.counts.Messages++
	w.counts.Attachments += length(gjson.GetBytes(raw, "attachments"))
	return nil
}

// reaction writes one reaction. No message can follow.
func (w *writer) reaction(raw []byte) error {
	if err := w.piece(partReactions, raw); err != nil {
		return err
	}
	w.counts.Reactions++
	return nil
}

// piece writes an object where it belongs.
func (w *writer) piece(p part, raw []byte) error {
	if w.part == p {
		w.write(",")
	}
	if err := w.advance(p); err != nil {
		return err
	}
	raw = bytes.TrimSpace(raw)
	if len(raw) == 0 || raw[0] != '{' {
		name := [...]string{partUser: "user", partMessages: "message", partReactions: "reaction"}[p]
		return w.fail(fmt.Errorf("export: a %s is not an object", name))
	}
	_, w.err = w.dst.Write(raw)
	return w.err
}

// advance opens and closes arrays until the writer is at p.
func (w *writer) advance(p part) error {
	switch {
	case w.err != nil:
		return w.err
	case w.part == partNone && p != partUser:
		return w.fail(errors.New("export: no user yet"))
	case w.part > p:
		return w.fail(errors.New("export: a piece out of order: user, messages, reactions"))
	}
	for w.part < p {
		w.part++
		w.write(opening[w.part])
	}
	return w.err
}

// close ends the JSON and tells what was written; it does not close the
// underlying writer. Without a user or an export of Stream's own it is an error. A second call
// gives the same answer.
func (w *writer) close() (Counts, error) {
	if err := w.advance(partEnd); err != nil {
		return Counts{}, err
	}
	return w.counts, nil
}

// write keeps the first error.
func (w *writer) write(s string) {
	if w.err == nil {
		_, w.err = io.WriteString(w.dst, s)
	}
}

// fail keeps the first error and returns it.
func (w *writer) fail(err error) error {
	if w.err == nil {
		w.err = err
	}
	return w.err
}
