// Copyright (c) the terraform-provider-streamchat authors
// SPDX-License-Identifier: MPL-2.0

package emulator

import (
	"encoding/json"
	"slices"
	"strings"
	"time"
)

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
