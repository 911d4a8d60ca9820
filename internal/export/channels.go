// Copyright (c) the terraform-provider-streamchat authors
// SPDX-License-Identifier: MPL-2.0

package export

import (
	"bufio"
	"encoding/json"
	"errors"
	"io"

	"github.com/tidwall/gjson"
)

// maxDepth bounds how deep arrays and objects nest. It is encoding/json's bound.
const maxDepth = 10_000

// maxValue bounds one message of a channel export. Stream's own bounds are far
// below: 5,000 characters of text and 5 KB of custom data.
const maxValue = 16 << 20

const bufferSize = 64 << 10

// Channels describes a channel export's file.
type Channels struct {
	Version  string // "v1" or "v2", by its form
	Channels int64  // of a v1 file; a v2 file's form is not documented
	Messages int64
}

// CopyChannels copies a channel export's file byte for byte and makes sure on the
// way that it is one and is whole: a v1 file is a JSON array of channels with
// their messages, a v2 file JSON objects and nothing else (stream-api.md §7.3).
// Errors are *ParseError, the reader's and the writer's own.
func CopyChannels(dst io.Writer, src io.Reader) (Channels, error) {
	var c Channels
	f := newChannelFile(io.TeeReader(src, dst))
	f.message = func(gjson.Result, bool) error { c.Messages++; return nil }
	f.lenient = true
	err := f.read()
	c.Version, c.Channels = f.version, f.channels
	return c, err
}

func firstByte(src *bufio.Reader) (byte, error) {
	for {
		b, err := src.ReadByte()
		if err != nil {
			return 0, err
		}
		if b != ' ' && b != '\t' && b != '\n' && b != '\r' {
			return b, src.UnreadByte()
		}
	}
}

// boundedReader fails when one value gets too long.
type boundedReader struct {
	src  io.Reader
	left int
}

func (b *boundedReader) reset() { b.left = maxValue }

func (b *boundedReader) Read(p []byte) (int, error) {
	if b.left <= 0 {
		return 0, errLongValue
	}
	n, err := b.src.Read(p)
	b.left -= n
	return n, err
}

var errLongValue = errors.New("one value of the channel export is longer than 16 MiB")

// channelFile reads one channel export. encoding/json's decoder finds the values;
// its errors, which quote the text, stay here.
type channelFile struct {
	src     *bufio.Reader
	decoder *json.Decoder
	bound   *boundedReader
	raw     json.RawMessage
	version string
	// channels is how many a v1 file holds.
	channels int64

	message  func(message gjson.Result, v2 bool) error
	reaction func(reaction gjson.Result) error // of v2 files
	// lenient lets v2 lines pass whatever is in them.
	lenient bool
}

func newChannelFile(r io.Reader) *channelFile {
	bound := &boundedReader{src: r, left: maxValue}
	src := bufio.NewReaderSize(bound, bufferSize)
	decoder := json.NewDecoder(src)
	decoder.UseNumber() // others than a float64 holds are an error else, which quotes them
	return &channelFile{src: src, decoder: decoder, bound: bound}
}

// read reads to the end of the file.
func (f *channelFile) read() error {
	first, err := firstByte(f.src)
	switch {
	case err != nil:
		return jsonError(err, 0)
	case first == '[':
		f.version = "v1"
		return f.v1()
	default:
		f.version = "v2"
		return f.v2()
	}
}

func jsonError(err error, offset int64) error {
	var syntax *json.SyntaxError
	switch {
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return &ParseError{Offset: offset, Problem: "the JSON ends early"}
	case errors.As(err, &syntax):
		return &ParseError{Offset: offset, Problem: "invalid JSON"}
	}
	return err
}

func (f *channelFile) fail(problem string) error {
	return &ParseError{Offset: f.decoder.InputOffset(), Problem: problem}
}

func (f *channelFile) token() (json.Token, error) {
	f.bound.reset()
	t, err := f.decoder.Token()
	if err != nil {
		return nil, jsonError(err, f.decoder.InputOffset())
	}
	return t, nil
}

// value reads the next value into f.raw.
func (f *channelFile) value() error {
	f.bound.reset()
	if err := f.decoder.Decode(&f.raw); err != nil {
		return jsonError(err, f.decoder.InputOffset())
	}
	return nil
}

// skip passes over a value of any length.
func (f *channelFile) skip() error {
	for depth := 0; ; {
		t, err := f.token()
		if err != nil {
			return err
		}
		switch t {
		case json.Delim('['), json.Delim('{'):
			if depth++; depth > maxDepth {
				return f.fail("the JSON nests deeper than 10000 levels")
			}
		case json.Delim(']'), json.Delim('}'):
			depth--
		}
		if depth == 0 {
			return nil
		}
	}
}

// v1 reads [{"channel":{…},"messages":[…],"members":[…]},…].
func (f *channelFile) v1() error {
	if _, err := f.token(); err != nil { // the bracket
		return err
	}
	for f.decoder.More() {
		if t, err := f.token(); err != nil {
			return err
		} else if t != json.Delim('{') {
			return f.fail("an element of the channel export is not an object")
		}
		f.channels++
		found := false
		for f.decoder.More() {
			key, err := f.token()
			if err != nil {
				return err
			}
			if key != "messages" {
				if err := f.skip(); err != nil {
					return err
				}
				continue
			}
			found = true
			if err := f.messages(); err != nil {
				return err
			}
		}
		if _, err := f.token(); err != nil { // the brace
			return err
		}
		if !found {
			return f.fail("a channel of the channel export has no messages")
		}
	}
	if _, err := f.token(); err != nil { // the bracket
		return err
	}
	f.bound.reset()
	if _, err := f.decoder.Token(); err != io.EOF {
		if err != nil {
			return jsonError(err, f.decoder.InputOffset())
		}
		return f.fail("invalid JSON: something follows the value")
	}
	return nil
}

func (f *channelFile) messages() error {
	open, err := f.token()
	switch {
	case err != nil:
		return err
	case open == nil:
		return nil
	case open != json.Delim('['):
		return f.fail("the messages of a channel are not an array or null")
	}
	for f.decoder.More() {
		if err := f.value(); err != nil {
			return err
		}
		if err := f.message(gjson.ParseBytes(f.raw), false); err != nil {
			return err
		}
	}
	_, err = f.token()
	return err
}

// v2 reads {"type":"message","data":{…}} and the like, one after the other. The
// form of a line is not documented (stream-api.md §7.3), so a type that is not
// known is passed over, but a line without a type or data is an error.
func (f *channelFile) v2() error {
	for {
		f.bound.reset()
		err := f.decoder.Decode(&f.raw)
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return jsonError(err, f.decoder.InputOffset())
		}
		if err := f.line(); err != nil {
			return err
		}
	}
}

func (f *channelFile) line() error {
	line := gjson.ParseBytes(f.raw)
	if !line.IsObject() {
		return f.fail("a line of the channel export is not an object")
	}
	kind, data := line.Get("type").Str, line.Get("data")
	if !data.Exists() {
		data = line.Get("item") // the older importer's word
	}
	switch {
	case kind == "message" && data.Exists():
		return f.message(data, true)
	case f.lenient:
		return nil
	case kind == "" || !data.Exists():
		return f.fail("a line of the channel export has no type or no data")
	case kind == "reaction":
		return f.reaction(data)
	}
	return nil
}
