// Copyright (c) the terraform-provider-streamchat authors
// SPDX-License-Identifier: MPL-2.0

package stream

import (
	"bytes"
	"encoding/json"
	"time"
)

// object is a decoded JSON object. Structs are not used for Stream's rows:
// encoding/json matches keys without regard to case, so a custom field "Role"
// of a user would overwrite "role".
type object map[string]json.RawMessage

func decodeObject(raw []byte) (object, bool) {
	trimmed := bytes.TrimLeft(raw, " \t\r\n")
	if len(trimmed) == 0 || trimmed[0] != '{' {
		return nil, false
	}
	var o object
	return o, json.Unmarshal(trimmed, &o) == nil
}

// list is the array at key; an absent or null one is an error.
func (o object) list(key string) ([]json.RawMessage, error) {
	var l []json.RawMessage
	if o.empty(key) || json.Unmarshal(o[key], &l) != nil {
		return nil, shapeError(key + " is not a list")
	}
	return l, nil
}

// must is the string at key, which must be there and not be empty.
func (o object) must(key string) (string, error) {
	var s string
	if !decodeString(o[key], &s) || s == "" {
		return "", shapeError(key + " is not a text")
	}
	return s, nil
}

// text is the string at key, "" when absent or null.
func (o object) text(key string) (string, error) {
	var s string
	if !o.empty(key) && !decodeString(o[key], &s) {
		return "", shapeError(key + " is not a text")
	}
	return s, nil
}

// moment is the RFC 3339 time at key in UTC, nil when absent, null or the zero
// time. Numbers are the v2 dialect (stream-api.md §0) and an error.
func (o object) moment(key string) (*time.Time, error) {
	s, err := o.text(key)
	if err != nil || o.empty(key) {
		return nil, err
	}
	t, err := time.Parse(time.RFC3339, s)
	t = t.UTC()
	// In UTC a time at the edge may lie in a year that cannot be written.
	if err != nil || t.Year() < 0 || t.Year() > 9999 {
		return nil, shapeError(key + " is not an RFC 3339 time")
	}
	if t.IsZero() {
		return nil, nil
	}
	return &t, nil
}

func (o object) empty(key string) bool {
	raw := o[key]
	return len(raw) == 0 || string(raw) == "null"
}

// into decodes the value at key unless it is absent or null.
func (o object) into(key string, value any, what string) error {
	if o.empty(key) || json.Unmarshal(o[key], value) == nil {
		return nil
	}
	return shapeError(key + " is not " + what)
}
