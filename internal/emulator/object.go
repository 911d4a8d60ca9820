// Copyright (c) the terraform-provider-streamchat authors
// SPDX-License-Identifier: MPL-2.0

package emulator

import (
	"bytes"
	"encoding/json"
	"errors"
	"slices"
	"strings"
)

// field is one member of a JSON object, its value the bytes that were sent.
type field struct {
	key string
	raw json.RawMessage
}

// object is a JSON object that keeps the order and the bytes of its members,
// so that custom data survives unchanged.
type object []field

var errNotObject = errors.New("not a JSON object")

// parseObject reads a JSON object. A repeated key keeps its last value, as in
// encoding/json. The values are slices of one copy without white space between
// tokens; nothing else is changed.
func parseObject(data []byte) (object, error) {
	if len(data) == 0 {
		return nil, errNotObject
	}
	var buf bytes.Buffer
	buf.Grow(len(data))
	if err := json.Compact(&buf, data); err != nil { // also tells whether it is JSON
		return nil, err
	}
	b := buf.Bytes()
	if b[0] != '{' {
		return nil, errNotObject
	}
	var o object
	for i := 1; b[i] != '}'; {
		if b[i] == ',' {
			i++
		}
		end := valueEnd(b, i)
		var key string
		if err := decode(b[i:end], &key); err != nil {
			return nil, err
		}
		i = end + 1 // the colon
		end = valueEnd(b, i)
		o.set(key, b[i:end:end])
		i = end
	}
	return o, nil
}

// valueEnd is where the value ends that begins at i, in valid JSON without white
// space.
func valueEnd(b []byte, i int) int {
	depth := 0
	for ; ; i++ {
		switch b[i] {
		case '"':
			for i++; b[i] != '"'; i++ {
				if b[i] == '\\' {
					i++
				}
			}
		case '{', '[':
			depth++
			continue
		case '}', ']':
			depth--
		default:
			if depth > 0 {
				continue
			}
			// A number or a literal goes on until something else begins.
			for ; i < len(b); i++ {
				if c := b[i]; c == ',' || c == '}' || c == ']' {
					return i
				}
			}
			return i
		}
		if depth == 0 {
			return i + 1
		}
	}
}

// UnmarshalJSON lets an object stand in a request struct.
func (o *object) UnmarshalJSON(data []byte) error {
	if isNull(data) {
		*o = nil
		return nil
	}
	parsed, err := parseObject(data)
	if err != nil {
		return err
	}
	*o = parsed
	return nil
}

// compact drops white space between tokens and nothing else.
func compact(raw []byte) json.RawMessage {
	var b bytes.Buffer
	b.Grow(len(raw))
	if err := json.Compact(&b, raw); err != nil {
		return slices.Clone(raw)
	}
	return b.Bytes()
}

func isNull(raw []byte) bool {
	return len(raw) == 0 || bytes.Equal(bytes.TrimSpace(raw), []byte("null"))
}

// isEmpty: v6 sends null and "" for what has no value.
func isEmpty(raw []byte) bool { return isNull(raw) || string(raw) == `""` }

func (o object) get(key string) (json.RawMessage, bool) {
	for i := range o {
		if o[i].key == key {
			return o[i].raw, true
		}
	}
	return nil, false
}

// text is the string at key, or "" when there is none.
func (o object) text(key string) string {
	raw, ok := o.get(key)
	if !ok {
		return ""
	}
	var s string
	if json.Unmarshal(raw, &s) != nil {
		return ""
	}
	return s
}

func (o *object) set(key string, raw json.RawMessage) {
	for i := range *o {
		if (*o)[i].key == key {
			(*o)[i].raw = raw
			return
		}
	}
	*o = append(*o, field{key: key, raw: raw})
}

func (o *object) unset(key string) {
	*o = slices.DeleteFunc(*o, func(f field) bool { return f.key == key })
}

// size is what the object's members take as JSON.
func (o object) size() int {
	n := 0
	for _, f := range o {
		n += len(f.key) + len(f.raw) + 4
	}
	return n
}

func (o object) bytes() json.RawMessage {
	var e enc
	e.open('{')
	for _, f := range o {
		e.key(f.key).raw(f.raw)
	}
	e.shut('}')
	return e.b
}

// clone copies the list of members; their bytes are never changed in place.
func (o object) clone() object { return slices.Clone(o) }

// setPath sets a.b.c, making the objects in between.
func (o *object) setPath(path string, raw json.RawMessage) {
	head, rest, nested := strings.Cut(path, ".")
	if !nested {
		o.set(head, raw)
		return
	}
	var inner object
	if cur, ok := o.get(head); ok {
		if parsed, err := parseObject(cur); err == nil {
			inner = parsed
		}
	}
	inner.setPath(rest, raw)
	o.set(head, inner.bytes())
}

// unsetPath removes a.b.c if it is there.
func (o *object) unsetPath(path string) {
	head, rest, nested := strings.Cut(path, ".")
	if !nested {
		o.unset(head)
		return
	}
	cur, ok := o.get(head)
	if !ok {
		return
	}
	inner, err := parseObject(cur)
	if err != nil {
		return
	}
	inner.unsetPath(rest)
	o.set(head, inner.bytes())
}

// path finds a.b.c.
func (o object) path(path string) (json.RawMessage, bool) {
	if raw, ok := o.get(path); ok {
		return raw, true
	}
	head, rest, nested := strings.Cut(path, ".")
	if !nested {
		return nil, false
	}
	raw, ok := o.get(head)
	if !ok {
		return nil, false
	}
	inner, err := parseObject(raw)
	if err != nil {
		return nil, false
	}
	return inner.path(rest)
}
