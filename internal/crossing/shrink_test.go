// Copyright (c) the terraform-provider-streamchat authors
// SPDX-License-Identifier: MPL-2.0

package crossing

import "reflect"

// shrink makes a story smaller for as long as it shows the same: it leaves out one
// element, or clears one field, and begins again from the start when one round was of
// use.
func shrink(s Story, shows func(Story) bool) Story {
	for {
		before := s
		for n := 0; ; {
			smaller, left := clone(s), n
			if !edit(reflect.ValueOf(&smaller).Elem(), &left) {
				break
			}
			if shows(smaller) {
				s = smaller
			} else {
				n++
			}
		}
		if reflect.DeepEqual(s, before) {
			return s
		}
	}
}

// edit makes the n-th of the possible simplifications, the large ones first, and says
// whether there is an n-th.
func edit(v reflect.Value, n *int) bool {
	here := func() bool { *n--; return *n < 0 }
	switch v.Kind() {
	case reflect.Slice:
		for i := range v.Len() {
			if here() {
				rest := reflect.AppendSlice(v.Slice(0, i), v.Slice(i+1, v.Len()))
				v.Set(rest)
				return true
			}
		}
		for i := range v.Len() {
			if edit(v.Index(i), n) {
				return true
			}
		}
	case reflect.Pointer:
		if v.IsNil() {
			return false
		}
		if here() {
			v.SetZero()
			return true
		}
		return edit(v.Elem(), n)
	case reflect.Struct:
		for i := range v.NumField() { // a story's steps first
			if edit(v.Field(v.NumField()-1-i), n) {
				return true
			}
		}
	case reflect.Array:
		return false
	default:
		if !v.IsZero() && here() {
			v.SetZero()
			return true
		}
	}
	return false
}
