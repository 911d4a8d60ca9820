// Copyright (c) the terraform-provider-streamchat authors
// SPDX-License-Identifier: MPL-2.0

package bundle

import (
	"bufio"
	"bytes"
	"errors"
	"io"

	"github.com/tidwall/gjson"
)

// part is a piece of an export: a member of it as a whole or, where that is a list,
// its beginning, its elements and its end.
type part struct {
	kind  byte
	field string // the member's name
	value []byte // of a whole member or an element
}

const (
	wholeMember byte = 'm'
	listBegin   byte = '['
	listElement byte = 'e'
	listEnd     byte = ']'
)

// maxValue bounds a member or an element. Stream's own export is read as a whole
// anyway, and its elements are far smaller.
const maxValue = 64 << 20

// ErrNotExport says that the bytes are no export. No error of this package quotes one.
var ErrNotExport = errors.New("the export is not the JSON that it should be")

// split reads the JSON of an export piece by piece. The value of a part is only valid
// during the call. encoding/json's decoder cannot tell a list from an object before it
// has taken its first byte; what is found here is proved to be JSON by gjson.
func split(src io.Reader, do func(part) error) error {
	s := &scanner{src: bufio.NewReaderSize(src, 64<<10)}
	if err := s.expect('{'); err != nil {
		return err
	}
	for first := true; ; first = false {
		c, err := s.next()
		switch {
		case err != nil:
			return err
		case c == '}':
			return s.end()
		case first:
			err = s.src.UnreadByte()
		case c != ',':
			err = ErrNotExport
		}
		if err == nil {
			err = s.member(do)
		}
		if err != nil {
			return err
		}
	}
}

type scanner struct {
	src *bufio.Reader
	raw []byte // the value that was read last
}

// next is the next byte that is no white space.
func (s *scanner) next() (byte, error) {
	for {
		switch c, err := s.src.ReadByte(); {
		case err == io.EOF:
			return 0, ErrNotExport
		case err != nil:
			return 0, err
		case c != ' ' && c != '\t' && c != '\r' && c != '\n':
			return c, nil
		}
	}
}

func (s *scanner) expect(want byte) error {
	c, err := s.next()
	if err == nil && c != want {
		err = ErrNotExport
	}
	return err
}

// end makes sure that nothing follows.
func (s *scanner) end() error {
	for {
		switch c, err := s.src.ReadByte(); {
		case err == io.EOF:
			return nil
		case err != nil:
			return err
		case c != ' ' && c != '\t' && c != '\r' && c != '\n':
			return ErrNotExport
		}
	}
}

func (s *scanner) member(do func(part) error) error {
	if err := s.value(); err != nil {
		return err
	}
	name := gjson.ParseBytes(s.raw)
	if name.Type != gjson.String {
		return ErrNotExport
	}
	field := name.String()
	if err := s.expect(':'); err != nil {
		return err
	}
	c, err := s.next()
	if err != nil {
		return err
	}
	if c == '[' {
		return s.list(field, do)
	}
	if err := s.src.UnreadByte(); err != nil {
		return err
	}
	if err := s.value(); err != nil {
		return err
	}
	return do(part{wholeMember, field, s.raw})
}

func (s *scanner) list(field string, do func(part) error) error {
	if err := do(part{kind: listBegin, field: field}); err != nil {
		return err
	}
	for first := true; ; first = false {
		c, err := s.next()
		switch {
		case err != nil:
			return err
		case c == ']':
			return do(part{kind: listEnd, field: field})
		case first:
			err = s.src.UnreadByte()
		case c != ',':
			err = ErrNotExport
		}
		if err == nil {
			err = s.value()
		}
		if err == nil {
			err = do(part{listElement, field, s.raw})
		}
		if err != nil {
			return err
		}
	}
}

// value reads a value into raw.
func (s *scanner) value() error {
	c, err := s.next()
	if err != nil {
		return err
	}
	s.raw = append(s.raw[:0], c)
	depth, quoted, escaped := 0, false, false
	for {
		switch {
		case escaped:
			escaped = false
		case quoted && c == '\\':
			escaped = true
		case c == '"':
			quoted = !quoted
		case quoted:
		case c == '{' || c == '[':
			depth++
		case c == '}' || c == ']':
			depth--
		}
		if depth <= 0 && !quoted && s.ends(c) {
			break
		}
		if c, err = s.src.ReadByte(); err != nil {
			if err == io.EOF { //nolint:errorlint // a reader's plain end
				err = ErrNotExport
			}
			return err
		}
		if s.raw = append(s.raw, c); len(s.raw) > maxValue {
			return ErrNotExport
		}
	}
	if !gjson.ValidBytes(s.raw) {
		return ErrNotExport
	}
	return nil
}

// ends reports that a value is over with a byte that is outside of strings and brackets:
// a number or a word is when something else follows.
func (s *scanner) ends(c byte) bool {
	if c == '"' || c == '}' || c == ']' {
		return true
	}
	following, err := s.src.Peek(1)
	return err != nil || bytes.IndexByte([]byte(",}] \t\r\n"), following[0]) >= 0
}

// joiner writes parts as the JSON of an export again.
type joiner struct {
	dst     io.Writer
	begun   bool
	in      bool // inside of a list
	between string
	err     error
}

func (j *joiner) write(texts ...string) {
	for _, text := range texts {
		if j.err == nil {
			_, j.err = io.WriteString(j.dst, text)
		}
	}
}

func (j *joiner) part(p part) error {
	if !j.in {
		open := ","
		if !j.begun {
			open, j.begun = "{", true
		}
		j.write(open, string(gjson.AppendJSONString(nil, p.field)), ":")
	}
	switch p.kind {
	case listBegin:
		j.in, j.between = true, ""
		j.write("[")
	case listEnd:
		j.in = false
		j.write("]")
	default:
		if j.in {
			j.write(j.between)
			j.between = ","
		}
		if j.err == nil {
			_, j.err = j.dst.Write(p.value)
		}
	}
	return j.err
}

func (j *joiner) close() error {
	if !j.begun {
		j.write("{")
	}
	j.write("}")
	return j.err
}
