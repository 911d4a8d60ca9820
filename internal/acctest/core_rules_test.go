// Copyright (c) the terraform-provider-streamchat authors
// SPDX-License-Identifier: MPL-2.0

package acctest

import (
	"fmt"
	"reflect"
	"strings"
	"testing"

	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
	"github.com/hashicorp/terraform-plugin-go/tftypes"
)

// ruled is a schema with everything that the rules tell apart.
func ruled(block bool) *tfprotov6.SchemaBlock {
	inner := []*tfprotov6.SchemaAttribute{
		{Name: "user", Type: tftypes.String, Required: true},
		{Name: "messages", Type: tftypes.String, Optional: true, Computed: true},
	}
	b := &tfprotov6.SchemaBlock{Attributes: []*tfprotov6.SchemaAttribute{
		{Name: "id", Type: tftypes.String, Required: true},
		{Name: "status", Type: tftypes.String, Computed: true},
		{Name: "mode", Type: tftypes.String, Optional: true, Computed: true},
		{Name: "note", Type: tftypes.String, Optional: true},
		{Name: "secret", Type: tftypes.String, Optional: true, WriteOnly: true},
		{Name: "tags", Type: tftypes.List{ElementType: tftypes.String}, Optional: true},
	}}
	if block {
		b.BlockTypes = append(b.BlockTypes, &tfprotov6.SchemaNestedBlock{TypeName: "delete", Nesting: tfprotov6.SchemaNestedBlockNestingModeSingle, Block: &tfprotov6.SchemaBlock{Attributes: inner}})
	} else {
		b.Attributes = append(b.Attributes, &tfprotov6.SchemaAttribute{Name: "delete", Required: true, NestedType: &tfprotov6.SchemaObject{Nesting: tfprotov6.SchemaObjectNestingModeSingle, Attributes: inner}})
	}
	return b
}

func valueOf(t *testing.T, block *tfprotov6.SchemaBlock, c Config) tftypes.Value {
	t.Helper()
	if c == nil {
		return tftypes.NewValue(block.ValueType(), nil)
	}
	v, problems := encodeBlock(block, c)
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	return v
}

// A nested block and a nested attribute are the same to whoever writes a test.
func TestProposed(t *testing.T) {
	for _, block := range []bool{false, true} {
		b := ruled(block)
		for name, tt := range map[string]struct{ prior, config, want Config }{
			"create": {nil, Config{"id": "a", "secret": "s", "delete": Config{"user": "hard"}}, Config{"id": "a", "delete": Config{"user": "hard"}}},
			"computed values stay": {
				Config{"id": "a", "status": "done", "mode": "m", "note": "n", "delete": Config{"user": "soft", "messages": "soft"}},
				Config{"id": "a", "delete": Config{"user": "hard"}},
				Config{"id": "a", "status": "done", "mode": "m", "delete": Config{"user": "hard", "messages": "soft"}},
			},
			"what is set is proposed": {
				Config{"id": "a", "mode": "m", "tags": []string{"x"}, "delete": Config{"user": "soft", "messages": "soft"}},
				Config{"id": "b", "mode": "o", "tags": []string{"y", "x"}, "delete": Config{"user": "soft", "messages": "hard"}},
				Config{"id": "b", "mode": "o", "tags": []string{"y", "x"}, "delete": Config{"user": "soft", "messages": "hard"}},
			},
			"unknown": {
				Config{"id": "a", "mode": "m", "delete": Config{"user": "soft"}},
				Config{"id": "a", "mode": Unknown, "delete": Config{"user": Unknown}},
				Config{"id": "a", "mode": Unknown, "delete": Config{"user": Unknown}},
			},
		} {
			got := proposed(b, valueOf(t, b, tt.prior), valueOf(t, b, tt.config))
			if want := valueOf(t, b, tt.want); !got.Equal(want) {
				t.Errorf("block %v, %s: %v, want %v", block, name, decode(got), decode(want))
			}
		}
	}
}

func TestInvalidPlan(t *testing.T) {
	for _, block := range []bool{false, true} {
		b := ruled(block)
		prior := Config{"id": "a", "note": "n", "delete": Config{"user": "hard"}}
		given := Config{"id": "a", "mode": "m", "note": "n", "secret": "s", "delete": Config{"user": "hard"}}
		for name, tt := range map[string]struct {
			planned Config
			says    string
		}{
			"as configured":       {Config{"id": "a", "mode": "m", "note": "n", "delete": Config{"user": "hard"}}, ""},
			"computed is free":    {Config{"id": "a", "status": Unknown, "mode": "m", "note": "n", "delete": Config{"user": "hard", "messages": "hard"}}, ""},
			"another id":          {Config{"id": "b", "mode": "m", "note": "n", "delete": Config{"user": "hard"}}, "x.id: planned b, configured a"},
			"unknown note":        {Config{"id": "a", "mode": "m", "note": Unknown, "delete": Config{"user": "hard"}}, "x.note"},
			"set mode is changed": {Config{"id": "a", "mode": "o", "note": "n", "delete": Config{"user": "hard"}}, "x.mode"},
			"write-only":          {Config{"id": "a", "mode": "m", "note": "n", "secret": "s", "delete": Config{"user": "hard"}}, "x.secret: a write-only value is planned"},
			"inside":              {Config{"id": "a", "mode": "m", "note": "n", "delete": Config{"user": "soft"}}, "x.delete.user"},
			"gone inside":         {Config{"id": "a", "mode": "m", "note": "n"}, "x.delete"},
		} {
			problems := invalidPlan(b, "x", valueOf(t, b, prior), valueOf(t, b, given), valueOf(t, b, tt.planned))
			if tt.says == "" && len(problems) > 0 || tt.says != "" && !strings.Contains(strings.Join(problems, "\n"), tt.says) {
				t.Errorf("block %v, %s: %v", block, name, problems)
			}
		}
	}
}

func TestBroken(t *testing.T) {
	b := ruled(true)
	planned := Config{"id": "a", "status": Unknown, "tags": []any{"x", Unknown}, "delete": Config{"user": "hard", "messages": Unknown}}
	for name, tt := range map[string]struct {
		actual Config
		says   string
	}{
		"kept":          {Config{"id": "a", "status": "done", "tags": []any{"x", "y"}, "delete": Config{"user": "hard", "messages": "hard"}}, ""},
		"null is known": {Config{"id": "a", "tags": []any{"x", nil}, "delete": Config{"user": "hard"}}, ""},
		"another":       {Config{"id": "b", "tags": []any{"x", "y"}, "delete": Config{"user": "hard"}}, "x.id: planned a, now b"},
		"inside":        {Config{"id": "a", "tags": []any{"x", "y"}, "delete": Config{"user": "soft"}}, "x.delete.user"},
		"an element":    {Config{"id": "a", "tags": []any{"z", "y"}, "delete": Config{"user": "hard"}}, "x.tags[0]"},
		"one more":      {Config{"id": "a", "tags": []any{"x", "y", "z"}, "delete": Config{"user": "hard"}}, "x.tags"},
		"a new value":   {Config{"id": "a", "note": "n", "tags": []any{"x", "y"}, "delete": Config{"user": "hard"}}, "x.note"},
	} {
		problems := broken("x", valueOf(t, b, planned), valueOf(t, b, tt.actual))
		if tt.says == "" && len(problems) > 0 || tt.says != "" && !strings.Contains(strings.Join(problems, "\n"), tt.says) {
			t.Errorf("%s: %v", name, problems)
		}
	}
	if held := writeOnly(b, "x", valueOf(t, b, Config{"id": "a", "secret": "s", "delete": Config{"user": "hard"}})); fmt.Sprint(held) != "[x.secret]" {
		t.Errorf("write-only: %v", held)
	}
}

func TestEncode(t *testing.T) {
	b := ruled(true)
	if _, problems := encodeBlock(b, Config{"id": "a", "file": true, "delete": Config{"user": "hard", "file": false}}); len(problems) != 2 {
		t.Errorf("a block with a typo: %v", problems)
	}
	c := Config{"id": "a", "tags": []string{"x"}, "delete": Config{"user": "hard"}}
	got, _ := decode(valueOf(t, b, c)).(map[string]any)
	if At(got, "delete", "user") != "hard" || At(got, "tags", 0) != "x" || At(got, "note") != nil || At(got, "none", "of", "it") != nil {
		t.Errorf("%v", got)
	}
	raw := stateJSON(valueOf(t, b, c))
	back, err := tfprotov6.RawState{JSON: raw}.Unmarshal(b.ValueType())
	if err != nil || !reflect.DeepEqual(decode(back), decode(valueOf(t, b, c))) {
		t.Errorf("%v %s", err, raw)
	}
	if v, _ := encode(tftypes.String, "Cafe\u0301"); decode(v) != "Caf\u00e9" {
		t.Errorf("not normalised: %q", decode(v))
	}
}

// The order of a walk, and what is left out of it.
func TestInOrder(t *testing.T) {
	var done []string
	halt := false
	do := func(name string, good bool) func() bool {
		return func() bool { done = append(done, name); return good }
	}
	if !inOrder([]*node{{name: "c", after: []string{"b"}, do: do("c", true)}, {name: "b", after: []string{"a", "elsewhere"}, do: do("b", true)}, {name: "a", do: do("a", true)}}, func() bool { return halt }) {
		t.Error("halted")
	}
	if fmt.Sprint(done) != "[a b c]" {
		t.Errorf("done %v", done)
	}
	done = nil
	inOrder([]*node{{name: "a", do: do("a", false)}, {name: "b", after: []string{"a"}, do: do("b", true)}, {name: "c", after: []string{"b"}, do: do("c", true)}}, func() bool { return halt })
	if fmt.Sprint(done) != "[a]" {
		t.Errorf("after a failure %v", done)
	}
	done = nil
	if inOrder([]*node{{name: "a", do: func() bool { halt = true; return true }}, {name: "b", after: []string{"a"}, do: do("b", true)}}, func() bool { return halt }) || len(done) > 0 {
		t.Errorf("not halted: %v", done)
	}
}
