// Copyright (c) the terraform-provider-streamchat authors
// SPDX-License-Identifier: MPL-2.0

package export

import (
	"bytes"
	"errors"
	"fmt"
	"io"

	"github.com/tidwall/gjson"
)

// Writer writes one user export and counts on the way, in the same memory for any
// number of messages. Either Document writes a whole one, or User once, then
// Message, then Reaction any number of times write
//
//	{"user":{…},"messages":[…],"reactions":[…]}
//
// piece by piece. Close ends it. After an error every call returns that error, so
// that a Writer that closed without one wrote a whole export. Pieces are small
// writes: the underlying writer should be buffered.
type Writer struct {
	dst    io.Writer
	counts Counts
	part   part
	err    error
}

// part is how far a Writer has come.
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

// NewWriter starts an export on dst. Nothing is written yet.
func NewWriter(dst io.Writer) *Writer { return &Writer{dst: dst} }

// Document writes Stream's own export. It must be the only piece.
func (w *Writer) Document(d Document) error {
	if w.err != nil {
		return w.err
	}
	if w.part != partNone {
		return w.fail(errors.New("export: a document after other pieces"))
	}
	between := "{"
	for _, m := range d.members {
		for _, piece := range []string{between, m.Key, ":", m.Value.Raw} {
			w.write(piece)
		}
		between = ","
	}
	w.write("}")
	w.counts, w.part = d.counts, partEnd
	return w.err
}

// User writes the user, a JSON object that was proved to be one, as the bytes it
// is given, without white space around it. The same goes for Message and
// Reaction.
func (w *Writer) User(raw []byte) error {
	if w.part != partNone {
		return w.fail(errors.New("export: a user after other pieces"))
	}
	return w.piece(partUser, raw)
}

// Message writes one message.
func (w *Writer) Message(raw []byte) error {
	if err := w.piece(partMessages, raw); err != nil {
		return err
	}
	w.counts.Messages++
	w.counts.Attachments += length(gjson.GetBytes(raw, "attachments"))
	return nil
}

// Reaction writes one reaction. No message can follow.
func (w *Writer) Reaction(raw []byte) error {
	if err := w.piece(partReactions, raw); err != nil {
		return err
	}
	w.counts.Reactions++
	return nil
}

// piece writes an object where it belongs.
func (w *Writer) piece(p part, raw []byte) error {
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

// advance opens and closes arrays until the Writer is at p.
func (w *Writer) advance(p part) error {
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

// Close ends the JSON and tells what was written; it does not close the
// underlying writer. Without a user or a document it is an error. A second call
// gives the same answer.
func (w *Writer) Close() (Counts, error) {
	if err := w.advance(partEnd); err != nil {
		return Counts{}, err
	}
	return w.counts, nil
}

// write keeps the first error.
func (w *Writer) write(s string) {
	if w.err == nil {
		_, w.err = io.WriteString(w.dst, s)
	}
}

// fail keeps the first error and returns it.
func (w *Writer) fail(err error) error {
	if w.err == nil {
		w.err = err
	}
	return w.err
}
