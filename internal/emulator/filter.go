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
	"time"
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
func boolValue(b bool) value   { return value{kind: kindBool, present: true, b: b} }
func timeValue(t stamp) value  { return value{kind: kindDate, present: t != 0, t: t} }
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

// schema says what a noun can be filtered by: its own fields with the
// operators that Stream's OpenAPI lists; every other name is custom data.
type schema struct {
	noun   string // as in "search is not enabled for field users.name"
	fields map[string]fieldRule
	// custom are the operators on custom data; none means it is not allowed.
	custom []string
}

type fieldRule struct {
	kind kind
	ops  []string
}

func rule(k kind, ops ...string) fieldRule { return fieldRule{k, ops} }

var (
	opsEq    = []string{"$eq"}
	opsEqNe  = []string{"$eq", "$ne"}
	opsEqIn  = []string{"$eq", "$in"}
	opsRange = []string{"$eq", "$exists", "$gt", "$gte", "$in", "$lt", "$lte"}
)

func rangeAnd(more ...string) []string { return slices.Concat(opsRange, more) }

// filter is a parsed filter expression.
type filter struct {
	op    string // $and, $or, $nor, or a comparison
	subs  []filter
	field string
	kind  kind
	arg   value
}

// parseFilter reads a filter expression. Empty means everything.
func (s *schema) parseFilter(o object) (*filter, error) {
	f := &filter{op: "$and"}
	for _, m := range o {
		switch m.key {
		case "$and", "$or", "$nor":
			var list []object
			if err := json.Unmarshal(m.raw, &list); err != nil || len(list) == 0 {
				return nil, bad("%s expects a list of filters", m.key)
			}
			group := filter{op: m.key}
			for _, sub := range list {
				parsed, err := s.parseFilter(sub)
				if err != nil {
					return nil, err
				}
				group.subs = append(group.subs, *parsed)
			}
			f.subs = append(f.subs, group)
		default:
			conds, err := s.parseField(m.key, m.raw)
			if err != nil {
				return nil, err
			}
			f.subs = append(f.subs, conds...)
		}
	}
	return f, nil
}

func (s *schema) parseField(name string, raw json.RawMessage) ([]filter, error) {
	// unproven: dossier 10, an unknown name is treated as custom data.
	r, known := s.fields[name]
	if !known {
		r = rule(kindCustom, s.custom...)
	}
	conds := object{{"$eq", raw}} // a bare value is $eq
	if len(raw) > 0 && raw[0] == '{' {
		inner, err := parseObject(raw)
		if err != nil {
			return nil, errBadJSON()
		}
		if len(inner) > 0 && strings.HasPrefix(inner[0].key, "$") {
			conds = inner
		}
	}
	var out []filter
	for _, c := range conds {
		if !slices.Contains(r.ops, c.key) {
			if c.key == "$autocomplete" || c.key == "$q" {
				return nil, bad("search is not enabled for field %s.%s", s.noun, name)
			}
			return nil, bad("operator %s is not supported for field %s.%s", c.key, s.noun, name)
		}
		f := filter{op: c.key, field: name, kind: r.kind}
		if err := f.parseArg(s, c.raw); err != nil {
			return nil, err
		}
		out = append(out, f)
	}
	return out, nil
}

func (f *filter) parseArg(s *schema, raw json.RawMessage) error {
	wrong := func() error { return bad("invalid value for %s on field %s.%s", f.op, s.noun, f.field) }
	f.arg = customValue(raw, true)
	switch f.op {
	case "$exists":
		if f.arg.kind != kindBool {
			return wrong()
		}
		return nil
	case "$in", "$nin":
		if f.arg.kind != kindStrings {
			return wrong()
		}
	}
	if f.kind != kindDate {
		return nil
	}
	dates := func(v *value) bool {
		t, err := time.Parse(time.RFC3339Nano, v.s)
		if v.kind != kindString || err != nil {
			return false
		}
		*v = timeValue(stampOf(t))
		return true
	}
	if f.arg.kind == kindStrings {
		for i := range f.arg.list {
			if !dates(&f.arg.list[i]) {
				return wrong()
			}
		}
		return nil
	}
	if !dates(&f.arg) {
		return wrong()
	}
	return nil
}

// row gives the value of a field.
type row func(field string) value

// matches tells whether the row fits the filter.
func (f *filter) matches(get row) bool {
	switch f.op {
	case "$and":
		for i := range f.subs {
			if !f.subs[i].matches(get) {
				return false
			}
		}
		return true
	case "$or", "$nor":
		for i := range f.subs {
			if f.subs[i].matches(get) {
				return f.op == "$or"
			}
		}
		return f.op == "$nor"
	}
	return f.compare(get(f.field))
}

func (f *filter) compare(v value) bool {
	switch f.op {
	case "$exists":
		return v.present == f.arg.b
	case "$eq":
		return v.equals(f.arg)
	case "$ne":
		return !v.equals(f.arg)
	case "$in":
		return v.inList(f.arg.list)
	case "$nin":
		return !v.inList(f.arg.list)
	case "$contains":
		return slices.ContainsFunc(v.list, func(x value) bool { return x.equals(f.arg) })
	case "$autocomplete":
		return v.autocompletes(f.arg.s)
	case "$q", "$any":
		return strings.Contains(strings.ToLower(v.s), strings.ToLower(f.arg.s))
	}
	if !v.present {
		return false
	}
	order, ok := v.order(f.arg)
	if !ok {
		return false
	}
	switch f.op {
	case "$gt":
		return order > 0
	case "$gte":
		return order >= 0
	case "$lt":
		return order < 0
	default: // $lte
		return order <= 0
	}
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

// pinned gives the strings that a field must be one of, if the filter says so:
// then an index answers instead of a scan.
func (f *filter) pinned(field string) ([]string, bool) {
	if f.op == "$and" {
		for i := range f.subs {
			if list, ok := f.subs[i].pinned(field); ok {
				return list, true
			}
		}
		return nil, false
	}
	if f.field != field || (f.op != "$eq" && f.op != "$in") {
		return nil, false
	}
	switch f.arg.kind {
	case kindString:
		return []string{f.arg.s}, true
	case kindStrings:
		var list []string
		for _, v := range f.arg.list {
			if v.kind == kindString {
				list = append(list, v.s)
			}
		}
		return list, true
	}
	return nil, false
}

// above gives a lower bound of a string field.
func (f *filter) above(field string) (bound string, ok bool) {
	if f.op == "$and" {
		for i := range f.subs {
			if bound, ok := f.subs[i].above(field); ok {
				return bound, true
			}
		}
		return "", false
	}
	if f.field == field && (f.op == "$gt" || f.op == "$gte") && f.arg.kind == kindString {
		return f.arg.s, true
	}
	return "", false
}

// filterStrings is the ids in {"$in":[…]}, {"$eq":"…"} or a bare string.
func filterStrings(raw json.RawMessage) []string {
	if len(raw) == 0 {
		return nil
	}
	v := customValue(raw, true)
	switch {
	case v.kind == kindString:
		return []string{v.s}
	case v.raw != nil:
		inner, err := parseObject(v.raw)
		if err != nil {
			return nil
		}
		for _, op := range []string{"$in", "$eq"} {
			if r, ok := inner.get(op); ok {
				return filterStrings(r)
			}
		}
	case v.kind == kindStrings:
		var out []string
		for _, x := range v.list {
			if x.kind == kindString {
				out = append(out, x.s)
			}
		}
		return out
	}
	return nil
}

// sortSpec is one entry of a sort parameter.
type sortSpec struct {
	Field     string `json:"field"`
	Direction int    `json:"direction"`
}

func checkSort(specs []sortSpec, most int) error {
	if len(specs) > most {
		return bad("sort must contain at maximum %d items", most)
	}
	for i := range specs {
		switch {
		case specs[i].Field == "":
			return bad("sort[%d].field is a required field", i)
		case specs[i].Direction == 0:
			specs[i].Direction = 1
		case specs[i].Direction != 1 && specs[i].Direction != -1:
			return bad("sort[%d].direction must be one of [-1 1]", i)
		}
	}
	return nil
}

// sortRows sorts by the specs, absent values last, and by tie where the specs
// see no difference.
func sortRows[T any](list []T, specs []sortSpec, get func(T, string) value, tie func(a, b T) int) {
	type keyed struct {
		item T
		keys []value
	}
	rows := make([]keyed, len(list))
	for i, x := range list {
		rows[i] = keyed{x, make([]value, len(specs))}
		for j, s := range specs {
			rows[i].keys[j] = get(x, s.Field)
		}
	}
	slices.SortStableFunc(rows, func(a, b keyed) int {
		for i, s := range specs {
			va, vb := &a.keys[i], &b.keys[i]
			if va.present != vb.present {
				return boolOrder(vb.present, va.present)
			}
			if order, ok := va.order(*vb); ok && order != 0 {
				return order * s.Direction
			}
		}
		return tie(a.item, b.item)
	})
	for i := range rows {
		list[i] = rows[i].item
	}
}

// page cuts a page out of a list.
func page[T any](list []T, offset, limit int) []T {
	if offset >= len(list) {
		return nil
	}
	list = list[offset:]
	if len(list) > limit {
		list = list[:limit]
	}
	return list
}
