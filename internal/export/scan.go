// Copyright (c) the terraform-provider-streamchat authors
// SPDX-License-Identifier: MPL-2.0

package export

import (
	"bytes"
	"encoding/json"
	"fmt"
)

// maxDepth bounds how deep arrays and objects nest, the outermost included. It
// is encoding/json's bound, so whatever passes here can be read there.
const maxDepth = 10_000

const tooDeep = "the JSON nests deeper than 10000 levels"

// ParseError says where a JSON text is wrong and how. It never holds a byte of
// the text: an export is personal data and an error ends up in logs.
type ParseError struct {
	Offset  int64  // bytes before the place
	Problem string // fixed words
}

// Error implements error, e.g. `"messages" is a string, not an array or null, at byte 83`.
func (e *ParseError) Error() string {
	return fmt.Sprintf("%s, at byte %d", e.Problem, e.Offset)
}

// scanner walks over a JSON text (RFC 8259, as strict as encoding/json) without
// decoding or copying it. encoding/json would do but for three things: its
// errors quote the text, its decoder drops how a key was spelt, and its struct
// fields match keys in any case. Like encoding/json it lets bytes that are not
// UTF-8 stand inside strings.
type scanner struct {
	data  []byte
	pos   int
	depth int
}

// fail is an error at the current position.
func (s *scanner) fail(problem string) error {
	return &ParseError{Offset: int64(s.pos), Problem: problem}
}

// unexpected is an error about the current position: the end, or a byte that
// cannot stand there.
func (s *scanner) unexpected(want string) error {
	if s.pos >= len(s.data) {
		return s.fail("the JSON ends early")
	}
	return s.fail("invalid JSON: expected " + want)
}

// peek is the next byte, or 0 at the end. A 0 byte can start nothing in JSON.
func (s *scanner) peek() byte {
	if s.pos < len(s.data) {
		return s.data[s.pos]
	}
	return 0
}

// space skips white space.
func (s *scanner) space() {
	for s.pos < len(s.data) {
		switch s.data[s.pos] {
		case ' ', '\t', '\n', '\r':
			s.pos++
		default:
			return
		}
	}
}

// end accepts white space up to the end, and nothing else.
func (s *scanner) end() error {
	s.space()
	if s.pos < len(s.data) {
		return s.fail("invalid JSON: something follows the value")
	}
	return nil
}

// value skips one value, which starts at the current position.
func (s *scanner) value() error {
	switch c := s.peek(); {
	case c == '{':
		return s.object(nil)
	case c == '[':
		return s.array(nil)
	case c == '"':
		return s.string()
	case c == '-' || c >= '0' && c <= '9':
		return s.number()
	case c == 't':
		return s.word("true")
	case c == 'f':
		return s.word("false")
	case c == 'n':
		return s.word("null")
	default:
		return s.unexpected("a value")
	}
}

// object skips an object. For each member it calls member with the key as it
// stands in the text, quotes included, and the position on the value, which
// member must skip; nil skips them all.
func (s *scanner) object(member func(key []byte) error) error {
	return s.nested('}', func() error {
		start := s.pos
		if s.peek() != '"' {
			return s.unexpected("a key")
		}
		if err := s.string(); err != nil {
			return err
		}
		key := s.data[start:s.pos]
		s.space()
		if s.peek() != ':' {
			return s.unexpected("a colon")
		}
		s.pos++
		s.space()
		if member == nil {
			return s.value()
		}
		return member(key)
	})
}

// array skips an array. For each element it calls element with the position on
// the element, which element must skip; nil skips them all.
func (s *scanner) array(element func() error) error {
	if element == nil {
		element = s.value
	}
	return s.nested(']', element)
}

// nested skips an object or array, the position being on its opening byte.
func (s *scanner) nested(closing byte, item func() error) error {
	if s.depth++; s.depth > maxDepth {
		return s.fail(tooDeep)
	}
	s.pos++
	s.space()
	for first := true; s.peek() != closing; first = false {
		if !first {
			if s.peek() != ',' {
				return s.unexpected("a comma or the end of the object or array")
			}
			s.pos++
			s.space()
		}
		if err := item(); err != nil {
			return err
		}
		s.space()
	}
	s.pos++
	s.depth--
	return nil
}

// string skips a string.
func (s *scanner) string() error {
	for s.pos++; s.pos < len(s.data); s.pos++ {
		switch c := s.data[s.pos]; {
		case c == '"':
			s.pos++
			return nil
		case c == '\\':
			s.pos++
			if err := s.escape(); err != nil {
				return err
			}
		case c < ' ':
			return s.fail("invalid JSON: a control character in a string")
		}
	}
	return s.unexpected("")
}

// escape checks what follows a backslash and stops on its last byte.
func (s *scanner) escape() error {
	switch s.peek() {
	case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
		return nil
	case 'u':
		for range 4 {
			s.pos++
			switch c := s.peek(); {
			case c >= '0' && c <= '9', c >= 'a' && c <= 'f', c >= 'A' && c <= 'F':
			default:
				return s.unexpected("a hexadecimal digit")
			}
		}
		return nil
	default:
		return s.unexpected("an escape")
	}
}

// number skips a number of any size and precision.
func (s *scanner) number() error {
	if s.peek() == '-' {
		s.pos++
	}
	if s.peek() == '0' {
		s.pos++
	} else if err := s.digits(); err != nil {
		return err
	}
	if s.peek() == '.' {
		s.pos++
		if err := s.digits(); err != nil {
			return err
		}
	}
	if c := s.peek(); c == 'e' || c == 'E' {
		s.pos++
		if c := s.peek(); c == '+' || c == '-' {
			s.pos++
		}
		return s.digits()
	}
	return nil
}

// digits skips one digit or more.
func (s *scanner) digits() error {
	start := s.pos
	for s.peek() >= '0' && s.peek() <= '9' {
		s.pos++
	}
	if s.pos == start {
		return s.unexpected("a digit")
	}
	return nil
}

// word skips true, false or null.
func (s *scanner) word(word string) error {
	for i := range len(word) {
		if s.peek() != word[i] {
			return s.unexpected("a value")
		}
		s.pos++
	}
	return nil
}

// kind names the type of the value at the current position.
func (s *scanner) kind() string {
	switch s.peek() {
	case '{':
		return "an object"
	case '[':
		return "an array"
	case '"':
		return "a string"
	case 't', 'f':
		return "a boolean"
	case 'n':
		return "null"
	default:
		return "a number"
	}
}

// message skips a message and counts its attachments: the length of its member
// "attachments", 0 where that is no array. A repeated member counts as most
// readers take it, the last one.
func (s *scanner) message() (attachments int64, err error) {
	if s.peek() != '{' {
		return 0, s.value()
	}
	err = s.object(func(key []byte) error {
		if !keyIs(key, "attachments") {
			return s.value()
		}
		attachments = 0
		if s.peek() != '[' {
			return s.value()
		}
		return s.array(func() error {
			attachments++
			return s.value()
		})
	})
	return attachments, err
}

// keyIs reports whether a key, as it stands in a text with its quotes, spells
// name, which is ASCII. An escaped spelling is the same key.
func keyIs(key []byte, name string) bool {
	inner := key[1 : len(key)-1]
	if string(inner) == name {
		return true
	}
	// An escape is longer than what it stands for.
	if len(inner) <= len(name) || bytes.IndexByte(inner, '\\') < 0 {
		return false
	}
	var decoded string
	return json.Unmarshal(key, &decoded) == nil && decoded == name
}
