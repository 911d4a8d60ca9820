// Copyright (c) the terraform-provider-streamchat authors
// SPDX-License-Identifier: MPL-2.0

package export

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
)

// Writer writes one user export and keeps its Summary on the way, in the same
// memory for any number of messages. Either Document writes a whole one, or
// User once, then Message, then Reaction any number of times write
//
//	{"user":{…},"messages":[…],"reactions":[…]}
//
// piece by piece. Close ends it. After an error every call returns that error,
// so a Writer that closed without one wrote a valid export. Pieces are small
// writes: the underlying writer should be buffered.
type Writer struct {
	out    counter
	counts counts
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
func NewWriter(dst io.Writer) *Writer {
	return &Writer{out: newCounter(dst)}
}

// Document writes a parsed export as its JSON. It must be the only piece.
func (w *Writer) Document(d Document) error {
	if w.err != nil {
		return w.err
	}
	if w.part != partNone {
		return w.fail(errors.New("export: a document after other pieces"))
	}
	if len(d.members) == 0 {
		return w.fail(errors.New("export: an empty document"))
	}
	for piece := range d.pieces() {
		w.write(piece)
	}
	w.counts = d.counts
	w.part = partEnd
	return w.err
}

// User writes the user, a JSON object, as the bytes it is given, without white
// space around it. The same goes for Message and Reaction.
func (w *Writer) User(raw []byte) error {
	if w.part != partNone {
		return w.fail(errors.New("export: a user after other pieces"))
	}
	return w.piece(partUser, raw, (*scanner).value)
}

// Message writes one message, a JSON object.
func (w *Writer) Message(raw []byte) error {
	return w.element(partMessages, &w.counts.messages, raw, func(s *scanner) error {
		n, err := s.message()
		w.counts.attachments += n
		return err
	})
}

// Reaction writes one reaction, a JSON object. No message can follow.
func (w *Writer) Reaction(raw []byte) error {
	return w.element(partReactions, &w.counts.reactions, raw, (*scanner).value)
}

// element writes one element of an array and counts it.
func (w *Writer) element(p part, count *int64, raw []byte, scan func(*scanner) error) error {
	if w.part == p {
		w.write([]byte(","))
	}
	if err := w.piece(p, raw, scan); err != nil {
		return err
	}
	*count++
	return nil
}

// piece checks an object and writes it where it belongs.
func (w *Writer) piece(p part, raw []byte, scan func(*scanner) error) error {
	if err := w.advance(p); err != nil {
		return err
	}
	s := &scanner{data: raw, depth: 1}
	if p != partUser {
		s.depth = 2
	}
	s.space()
	start := s.pos
	kind, isObject := s.kind(), s.peek() == '{'
	err := scan(s)
	stop := s.pos
	if err == nil {
		err = s.end()
	}
	if err == nil && !isObject {
		s.pos = start
		err = s.fail("the piece is " + kind + ", not an object")
	}
	if err != nil {
		name := [...]string{partUser: "user", partMessages: "message", partReactions: "reaction"}[p]
		return w.fail(fmt.Errorf("export: a %s: %w", name, err))
	}
	w.write(raw[start:stop])
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
		w.write([]byte(opening[w.part]))
	}
	return w.err
}

// Close ends the JSON and tells what was written; it does not close the
// underlying writer. Without a user or a document it is an error. A second call
// gives the same answer.
func (w *Writer) Close() (Summary, error) {
	if err := w.advance(partEnd); err != nil {
		return Summary{}, err
	}
	sum := w.counts.summary()
	sum.SHA256, sum.Size = w.out.sum(), w.out.size
	return sum, nil
}

// write keeps the first error.
func (w *Writer) write(p []byte) {
	if w.err == nil {
		_, w.err = w.out.Write(p)
	}
}

// fail keeps the first error and returns it.
func (w *Writer) fail(err error) error {
	if w.err == nil {
		w.err = err
	}
	return w.err
}

// counter passes bytes on and keeps their number and hash.
type counter struct {
	dst  io.Writer
	hash hash.Hash
	size int64
}

func newCounter(dst io.Writer) counter {
	return counter{dst: dst, hash: sha256.New()}
}

func (c *counter) Write(p []byte) (int, error) {
	n, err := c.dst.Write(p)
	c.hash.Write(p[:n]) // never fails
	c.size += int64(n)
	if err == nil && n < len(p) {
		err = io.ErrShortWrite
	}
	return n, err
}

// sum is the SHA-256 of the bytes so far, in lower-case hex.
func (c *counter) sum() string { return hex.EncodeToString(c.hash.Sum(nil)) }
