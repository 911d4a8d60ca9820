// Copyright (c) the terraform-provider-streamchat authors
// SPDX-License-Identifier: MPL-2.0

// Package export keeps a user's data as Stream sent it, byte for byte. It knows
// neither Terraform nor HTTP, and no error of it quotes content.
//
// A direct export is parsed into a Document; one assembled from channel exports
// goes piece by piece through a Writer.
package export

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"iter"
)

// Summary describes the clear JSON of an export without its content.
type Summary struct {
	SHA256      string // lower-case hex
	Size        int64  // bytes
	Messages    int64
	Reactions   int64
	Attachments int64 // of all messages: the files themselves are not in an export
}

// Document is a user export as Stream sent it, without its top-level
// "duration". The zero Document holds nothing; Parse makes one.
type Document struct {
	members []member
	counts  counts
}

// member is one top-level member, both parts as they stand in the body; the key
// with its quotes.
type member struct{ key, value []byte }

type counts struct{ messages, reactions, attachments int64 }

// Parse reads the body of Stream's export of one user:
//
//	{"user":{…},"messages":[…],"reactions":[…],"duration":"1.87ms"}
//
// Every top-level member but "duration" is kept, in order and as the very bytes
// that Stream sent: nothing is decoded, so numbers, escapes and repeated keys
// inside stay what they are. "user" must be an object; "messages" and
// "reactions" are arrays, null or absent; none of the three may come twice, as
// no count could be right then. The Document shares body's memory: body must
// not change afterwards. Errors are *ParseError.
func Parse(body []byte) (Document, error) {
	s := &scanner{data: body}
	if bytes.HasPrefix(body, []byte("\xef\xbb\xbf")) {
		return Document{}, s.fail("the JSON starts with a byte order mark")
	}
	s.space()
	start := s.pos
	if s.peek() != '{' {
		if err := s.value(); err != nil {
			return Document{}, err
		}
		s.pos = start
		return Document{}, s.fail("the export is " + s.kind() + ", not an object")
	}

	var d Document
	seen := map[string]bool{}
	err := s.object(func(key []byte) error {
		at := s.pos
		switch name := knownMember(key); name {
		case "duration":
			return s.value()
		case "":
			if err := s.value(); err != nil {
				return err
			}
		default:
			if seen[name] {
				return s.fail(fmt.Sprintf("%q comes twice", name))
			}
			seen[name] = true
			if err := d.known(s, name); err != nil {
				return err
			}
		}
		d.members = append(d.members, member{key: key, value: body[at:s.pos]})
		return nil
	})
	if err == nil {
		err = s.end()
	}
	if err != nil {
		return Document{}, err
	}
	if !seen["user"] {
		s.pos = start
		return Document{}, s.fail(`"user" is missing`)
	}
	return d, nil
}

// knownMember is the name of a top-level member that Parse looks into, else "".
func knownMember(key []byte) string {
	for _, name := range []string{"user", "messages", "reactions", "duration"} {
		if keyIs(key, name) {
			return name
		}
	}
	return ""
}

// known skips the value of "user", "messages" or "reactions", checks its type
// and counts what is in it.
func (d *Document) known(s *scanner, name string) error {
	first := s.peek()
	switch {
	case name == "user" && first == '{':
		return s.value()
	case name == "messages" && first == '[':
		return s.array(func() error {
			d.counts.messages++
			n, err := s.message()
			d.counts.attachments += n
			return err
		})
	case name == "reactions" && first == '[':
		return s.array(func() error {
			d.counts.reactions++
			return s.value()
		})
	case name != "user" && first == 'n':
		return s.value()
	}
	// A wrong type is only named once the value proved to be one.
	at, kind := s.pos, s.kind()
	if err := s.value(); err != nil {
		return err
	}
	s.pos = at
	if name == "user" {
		return s.fail(`"user" is ` + kind + `, not an object`)
	}
	return s.fail(fmt.Sprintf("%q is %s, not an array or null", name, kind))
}

// pieces yields the parts that make up JSON.
func (d Document) pieces() iter.Seq[[]byte] {
	return func(yield func([]byte) bool) {
		between := []byte("{")
		for _, m := range d.members {
			if !yield(between) || !yield(m.key) || !yield([]byte(":")) || !yield(m.value) {
				return
			}
			between = []byte(",")
		}
		yield([]byte("}"))
	}
}

// JSON is the document as it is written to disk, always the same bytes:
// {"user":…,"messages":[…],"reactions":[…]}, the members in Stream's order,
// nothing between them, no newline at the end. Each call makes a copy; the zero
// Document gives nil.
func (d Document) JSON() []byte {
	if len(d.members) == 0 {
		return nil
	}
	size := 0
	for piece := range d.pieces() {
		size += len(piece)
	}
	out := make([]byte, 0, size)
	for piece := range d.pieces() {
		out = append(out, piece...)
	}
	return out
}

// Summary describes JSON without making a copy of it. The zero Document gives
// the zero Summary.
func (d Document) Summary() Summary {
	if len(d.members) == 0 {
		return Summary{}
	}
	sum := d.counts.summary()
	hash := sha256.New()
	for piece := range d.pieces() {
		hash.Write(piece) // never fails
		sum.Size += int64(len(piece))
	}
	sum.SHA256 = hex.EncodeToString(hash.Sum(nil))
	return sum
}

func (c counts) summary() Summary {
	return Summary{Messages: c.messages, Reactions: c.reactions, Attachments: c.attachments}
}

// Summarize is the Summary of an export in a file or a string. Its hash and size
// are those of the Document: of json itself, when json is what this package
// wrote. Errors are those of Parse.
func Summarize(json []byte) (Summary, error) {
	d, err := Parse(json)
	if err != nil {
		return Summary{}, err
	}
	return d.Summary(), nil
}
