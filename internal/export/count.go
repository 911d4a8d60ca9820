// Copyright (c) the terraform-provider-streamchat authors
// SPDX-License-Identifier: MPL-2.0

package export

import (
	"encoding/json"
	"fmt"

	"github.com/tidwall/gjson"

	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/stream"
)

// Counts says what an export holds.
type Counts struct {
	Messages    int64
	Reactions   int64
	Attachments int64 // of all messages: the files themselves are not in an export
}

// Count says what Stream's own export of a user holds. "user" must be an object;
// "messages" and "reactions" are arrays, null or absent; none of the three may
// come twice, as no count could be right then. Errors are *ParseError.
func Count(own stream.UserExport) (Counts, error) {
	var c Counts
	seen := map[string]bool{}
	for _, m := range own {
		if m.Name != "user" && m.Name != "messages" && m.Name != "reactions" {
			continue
		}
		if seen[m.Name] {
			return Counts{}, &ParseError{Problem: fmt.Sprintf("%q comes twice", m.Name)}
		}
		seen[m.Name] = true
		if err := c.add(m); err != nil {
			return Counts{}, err
		}
	}
	if !seen["user"] {
		return Counts{}, &ParseError{Problem: `"user" is missing`}
	}
	return c, nil
}

// add checks the type of "user", "messages" or "reactions" and counts what is in
// it.
func (c *Counts) add(m stream.Member) error {
	switch {
	case m.Name == "user":
		if !m.Value.IsObject() {
			return &ParseError{Problem: `"user" is ` + kind(m.Value) + `, not an object`}
		}
		return nil
	case m.Value.Type == gjson.Null:
		return nil
	case !m.Value.IsArray():
		return &ParseError{Problem: fmt.Sprintf("%q is %s, not an array or null", m.Name, kind(m.Value))}
	}
	for _, element := range m.Value.ForEach {
		if m.Name == "reactions" {
			c.Reactions++
			continue
		}
		c.Messages++
		if element.IsObject() {
			c.Attachments += length(element.Get("attachments"))
		}
	}
	return nil
}

// kind names the type of a value.
func kind(value gjson.Result) string {
	switch {
	case value.IsObject():
		return "an object"
	case value.IsArray():
		return "an array"
	case value.IsBool():
		return "a boolean"
	case value.Type == gjson.String:
		return "a string"
	case value.Type == gjson.Null:
		return "null"
	}
	return "a number"
}

// length is how many elements an array has, 0 for anything else.
func length(list gjson.Result) int64 {
	if !list.IsArray() {
		return 0
	}
	return list.Get("#").Int()
}

// Summarize says what the JSON of an export holds that was written to a file or a
// state. Errors are *ParseError.
func Summarize(text string) (Counts, error) {
	if !json.Valid([]byte(text)) {
		return Counts{}, &ParseError{Problem: "invalid JSON"}
	}
	members, ok := stream.Members(text)
	if !ok {
		return Counts{}, &ParseError{Problem: "the export is not an object"}
	}
	return Count(members)
}
