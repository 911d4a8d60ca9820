// Copyright (c) the terraform-provider-streamchat authors
// SPDX-License-Identifier: MPL-2.0

package acctest

import (
	"encoding/json"
	"fmt"
	"maps"
	"math/big"
	"reflect"
	"slices"
	"strconv"

	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
	"github.com/hashicorp/terraform-plugin-go/tftypes"
	"golang.org/x/text/unicode/norm"
)

// Config is the body of a block: attributes and nested blocks by name. A nested
// block or object is a Config, a list a slice, a map a map. nil is null.
type Config = map[string]any

type unknown struct{}

func (unknown) String() string { return "(known after apply)" }

// Unknown is a value that is not known yet: in a configuration for good, in a
// plan until the apply.
var Unknown any = unknown{}

// later is unknown in the plan.
type later struct{ value any }

// Later is a value that a plan does not know and the apply does, as the output of
// another resource.
func Later(value any) any { return later{value} }

// ref is the attribute of another resource of the run.
type ref struct {
	address string
	path    []any
}

// Ref is an attribute of another resource of the same run, known when that is.
func Ref(address string, path ...any) any { return ref{address, path} }

// At follows a path of names, keys and indices through a value, nil where there
// is nothing.
func At(v any, path ...any) any {
	for _, step := range path {
		switch step := step.(type) {
		case string:
			m, ok := v.(map[string]any)
			if !ok {
				if v == Unknown {
					return Unknown
				}
				return nil
			}
			v = m[step]
		case int:
			l, ok := v.([]any)
			if !ok || step >= len(l) {
				return nil
			}
			v = l[step]
		}
	}
	return v
}

// resolve replaces references and what is known later.
func resolve(v any, planning bool, look func(ref) any) any {
	switch v := v.(type) {
	case later:
		if planning {
			return Unknown
		}
		return resolve(v.value, planning, look)
	case ref:
		return look(v)
	case map[string]any:
		out := make(map[string]any, len(v))
		for name, value := range v {
			out[name] = resolve(value, planning, look)
		}
		return out
	case []any:
		out := make([]any, len(v))
		for i, value := range v {
			out[i] = resolve(value, planning, look)
		}
		return out
	default:
		return v
	}
}

// encodeBlock turns a configuration into a value of the schema. What the schema
// does not have is a problem, as in HCL.
func encodeBlock(block *tfprotov6.SchemaBlock, config map[string]any) (tftypes.Value, []string) {
	var problems []string
	typ := block.ValueType().(tftypes.Object)
	values := make(map[string]tftypes.Value, len(typ.AttributeTypes))
	for name := range config {
		if typ.AttributeTypes[name] == nil {
			problems = append(problems, fmt.Sprintf("An argument or block named %q is not expected here.", name))
		}
	}
	for _, a := range block.Attributes {
		v, err := encode(a.ValueType(), config[a.Name])
		if err != nil {
			problems = append(problems, a.Name+": "+err.Error())
		}
		values[a.Name] = v
	}
	for _, b := range block.BlockTypes {
		v, more := encodeNested(b, config[b.TypeName])
		values[b.TypeName] = v
		problems = append(problems, more...)
	}
	slices.Sort(problems)
	if len(problems) > 0 {
		return tftypes.NewValue(typ, nil), problems
	}
	return tftypes.NewValue(typ, values), nil
}

func encodeNested(b *tfprotov6.SchemaNestedBlock, v any) (tftypes.Value, []string) {
	typ := b.ValueType()
	if v == Unknown {
		return tftypes.NewValue(typ, tftypes.UnknownValue), nil
	}
	var problems []string
	one := func(v any) tftypes.Value {
		config, ok := v.(map[string]any)
		if !ok {
			problems = append(problems, fmt.Sprintf("%s: not the body of a block: %T", b.TypeName, v))
		}
		value, more := encodeBlock(b.Block, config)
		problems = append(problems, more...)
		return value
	}
	if b.Nesting == tfprotov6.SchemaNestedBlockNestingModeSingle || b.Nesting == tfprotov6.SchemaNestedBlockNestingModeGroup {
		if v == nil {
			return tftypes.NewValue(typ, nil), nil
		}
		return one(v), problems
	}
	elements := []tftypes.Value{}
	switch v := v.(type) {
	case nil:
	case []any:
		for _, e := range v {
			elements = append(elements, one(e))
		}
	case []map[string]any:
		for _, e := range v {
			elements = append(elements, one(e))
		}
	default:
		elements = append(elements, one(v))
	}
	if len(problems) > 0 {
		return tftypes.NewValue(typ, nil), problems
	}
	return tftypes.NewValue(typ, elements), nil
}

// encode turns a Go value into one of a type, with the conversions of HCL.
func encode(typ tftypes.Type, v any) (tftypes.Value, error) {
	null := tftypes.NewValue(typ, nil)
	if v == nil {
		return null, nil
	}
	if v == Unknown {
		return tftypes.NewValue(typ, tftypes.UnknownValue), nil
	}
	wrong := fmt.Errorf("a %T is not a %s", v, typ)
	rv := reflect.ValueOf(v)
	switch typ := typ.(type) {
	case tftypes.List, tftypes.Set:
		if rv.Kind() != reflect.Slice {
			return null, wrong
		}
		var element tftypes.Type
		if l, ok := typ.(tftypes.List); ok {
			element = l.ElementType
		} else {
			element = typ.(tftypes.Set).ElementType
		}
		values := make([]tftypes.Value, rv.Len())
		for i := range values {
			e, err := encode(element, rv.Index(i).Interface())
			if err != nil {
				return null, err
			}
			values[i] = e
		}
		return tftypes.NewValue(typ, values), nil
	case tftypes.Map:
		if rv.Kind() != reflect.Map {
			return null, wrong
		}
		values := map[string]tftypes.Value{}
		for _, key := range rv.MapKeys() {
			e, err := encode(typ.ElementType, rv.MapIndex(key).Interface())
			if err != nil {
				return null, err
			}
			values[key.String()] = e
		}
		return tftypes.NewValue(typ, values), nil
	case tftypes.Object: // attributes that the type does not have are dropped, as Terraform does
		config, ok := v.(map[string]any)
		if !ok {
			return null, wrong
		}
		values := make(map[string]tftypes.Value, len(typ.AttributeTypes))
		for name, t := range typ.AttributeTypes {
			e, err := encode(t, config[name])
			if err != nil {
				return null, err
			}
			values[name] = e
		}
		return tftypes.NewValue(typ, values), nil
	}
	text := fmt.Sprint(v)
	switch rv.Kind() {
	case reflect.Slice, reflect.Map, reflect.Struct, reflect.Pointer, reflect.Func:
		return null, wrong
	}
	switch {
	case typ.Is(tftypes.String):
		return tftypes.NewValue(typ, norm.NFC.String(text)), nil // as Terraform does with all configuration
	case typ.Is(tftypes.Bool):
		b, err := strconv.ParseBool(text)
		if err != nil {
			return null, wrong
		}
		return tftypes.NewValue(typ, b), nil
	case typ.Is(tftypes.Number):
		n, _, err := big.ParseFloat(text, 10, 512, big.ToNearestEven)
		if err != nil {
			return null, wrong
		}
		return tftypes.NewValue(typ, n), nil
	}
	return null, wrong
}

// decode is the inverse: null is nil, whole numbers are int.
func decode(v tftypes.Value) any {
	switch {
	case !v.IsKnown():
		return Unknown
	case v.IsNull():
		return nil
	}
	switch {
	case v.Type().Is(tftypes.String):
		var s string
		must(v.As(&s))
		return s
	case v.Type().Is(tftypes.Bool):
		var b bool
		must(v.As(&b))
		return b
	case v.Type().Is(tftypes.Number):
		var n *big.Float
		must(v.As(&n))
		if i, exact := n.Int64(); exact == big.Exact {
			return int(i)
		}
		f, _ := n.Float64()
		return f
	}
	if fields, ok := fieldsOf(v); ok {
		out := make(map[string]any, len(fields))
		for name, e := range fields {
			out[name] = decode(e)
		}
		return out
	}
	elements, _ := elementsOf(v)
	out := make([]any, len(elements))
	for i, e := range elements {
		out[i] = decode(e)
	}
	return out
}

// fieldsOf are the attributes of an object or the elements of a map.
func fieldsOf(v tftypes.Value) (map[string]tftypes.Value, bool) {
	if v.IsNull() || !v.IsKnown() || !v.Type().Is(tftypes.Object{}) && !v.Type().Is(tftypes.Map{}) {
		return nil, false
	}
	var fields map[string]tftypes.Value
	must(v.As(&fields))
	return fields, true
}

// elementsOf are those of a list, set or tuple.
func elementsOf(v tftypes.Value) ([]tftypes.Value, bool) {
	if v.IsNull() || !v.IsKnown() || !v.Type().Is(tftypes.List{}) && !v.Type().Is(tftypes.Set{}) && !v.Type().Is(tftypes.Tuple{}) {
		return nil, false
	}
	var elements []tftypes.Value
	must(v.As(&elements))
	return elements, true
}

// stateJSON is a value as the state file holds it.
func stateJSON(v tftypes.Value) []byte {
	raw, err := json.Marshal(decode(v))
	must(err)
	return raw
}

func must(err error) {
	if err != nil {
		panic(err)
	}
}

func sorted[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
