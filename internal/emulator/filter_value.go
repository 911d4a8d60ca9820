// Copyright (c) the terraform-provider-streamchat authors
// SPDX-License-Identifier: MPL-2.0

package emulator

import (
	"bytes"
	"cmp"
	"encoding/json"
	"slices"
	"strconv"
	"strings"
)

type kind int

const (
	kindString kind = iota
	kindDate
	kindNumber
	kindBool
	kindStrings // a list; a filter matches its elements
	kindCustom  // whatever the custom data holds
)

// value is what a filter compares: a field of a row, or the filter's operand.
type value struct {
	kind    kind
	present bool
	s       string
	t       stamp
	n       json.Number
	b       bool
	list    []value
	raw     json.RawMessage // of an object
	// has and size stand for a list of strings too long to be built.
	has  func(string) bool
	size int
}

func textValue(s string) value { return value{kind: kindString, present: true, s: s} }

func boolValue(b bool) value { return value{kind: kindBool, present: true, b: b} }

func timeValue(t stamp) value { return value{kind: kindDate, present: t != 0, t: t} }

func intValue(n int) value {
	return value{kind: kindNumber, present: true, n: json.Number(strconv.Itoa(n))}
}

func listValue(ss []string) value {
	v := value{kind: kindStrings, present: true}
	for _, s := range ss {
		v.list = append(v.list, textValue(s))
	}
	return v
}

// customValue is a custom field as a value.
func customValue(raw json.RawMessage, ok bool) value {
	if !ok || len(raw) == 0 || isNull(raw) {
		return value{kind: kindCustom}
	}
	v := value{kind: kindCustom, present: true}
	switch raw[0] {
	case '"':
		v.kind = kindString
		_ = json.Unmarshal(raw, &v.s)
	case 't', 'f':
		v.kind, v.b = kindBool, raw[0] == 't'
	case '[':
		v.kind = kindStrings
		var items []json.RawMessage
		_ = json.Unmarshal(raw, &items)
		for _, it := range items {
			v.list = append(v.list, customValue(it, true))
		}
	case '{':
		v.raw = compact(raw)
	default:
		v.kind, v.n = kindNumber, json.Number(raw)
	}
	return v
}

func (v value) inList(list []value) bool {
	for _, want := range list {
		if v.has != nil {
			if v.has(want.s) {
				return true
			}
		} else if v.kind == kindStrings {
			// A list field is in a list when they share an element.
			if slices.ContainsFunc(v.list, func(x value) bool { return x.equals(want) }) {
				return true
			}
		} else if v.equals(want) {
			return true
		}
	}
	return false
}

func (v value) equals(w value) bool {
	if !v.present || !w.present {
		return v.present == w.present
	}
	if v.has != nil {
		return v.size == len(w.list) && !slices.ContainsFunc(w.list, func(x value) bool { return !v.has(x.s) })
	}
	if v.kind == kindStrings && w.kind == kindStrings {
		// A list equals a list with the same elements in any order.
		if len(v.list) != len(w.list) {
			return false
		}
		for _, x := range v.list {
			if !slices.ContainsFunc(w.list, x.equals) {
				return false
			}
		}
		return true
	}
	if v.kind == kindStrings {
		// A list equals a single value that is in it.
		return slices.ContainsFunc(v.list, w.equals)
	}
	if v.kind != w.kind {
		return false
	}
	if v.kind == kindBool {
		return v.b == w.b
	}
	if v.raw != nil || w.raw != nil {
		return bytes.Equal(v.raw, w.raw)
	}
	order, ok := v.order(w)
	return ok && order == 0
}

// order compares two values of one kind.
func (v value) order(w value) (int, bool) {
	if v.kind != w.kind {
		return 0, false
	}
	switch v.kind {
	case kindString:
		return strings.Compare(v.s, w.s), true
	case kindDate:
		return cmp.Compare(v.t, w.t), true
	case kindBool:
		return boolOrder(v.b, w.b), true
	case kindNumber:
		// Integers are compared as such: 64 bits do not fit into a float.
		a, errA := strconv.ParseInt(string(v.n), 10, 64)
		b, errB := strconv.ParseInt(string(w.n), 10, 64)
		if errA == nil && errB == nil {
			return cmp.Compare(a, b), true
		}
		x, _ := v.n.Float64()
		y, _ := w.n.Float64()
		return cmp.Compare(x, y), true
	}
	return 0, false
}

func boolOrder(a, b bool) int {
	switch {
	case a == b:
		return 0
	case b:
		return -1
	}
	return 1
}

// autocompletes: a word of the text begins with the prefix.
func (v value) autocompletes(prefix string) bool {
	if v.kind == kindStrings {
		return slices.ContainsFunc(v.list, func(x value) bool { return x.autocompletes(prefix) })
	}
	if prefix == "" || v.kind != kindString {
		return false
	}
	text, prefix := strings.ToLower(v.s), strings.ToLower(prefix)
	if strings.HasPrefix(text, prefix) {
		return true
	}
	for i, r := range text {
		if (r == ' ' || r == '-' || r == '_') && strings.HasPrefix(text[i+1:], prefix) {
			return true
		}
	}
	return false
}
