// Copyright (c) the terraform-provider-streamchat authors
// SPDX-License-Identifier: MPL-2.0

package acctest

import (
	"fmt"

	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
	"github.com/hashicorp/terraform-plugin-go/tftypes"
)

// The rules that Terraform holds a provider to.

// proposed merges prior state and configuration as Terraform proposes it to a
// plan: what the configuration leaves open and the provider computes keeps its
// value.
func proposed(block *tfprotov6.SchemaBlock, prior, config tftypes.Value) tftypes.Value {
	set, ok := fieldsOf(config)
	if !ok {
		return config
	}
	had, _ := fieldsOf(prior)
	out := make(map[string]tftypes.Value, len(set))
	for _, a := range block.Attributes {
		out[a.Name] = proposedAttribute(a, field(had, a.Name, a.ValueType()), set[a.Name])
	}
	for _, b := range block.BlockTypes {
		out[b.TypeName] = each(field(had, b.TypeName, b.ValueType()), set[b.TypeName], b.Nesting == tfprotov6.SchemaNestedBlockNestingModeSingle ||
			b.Nesting == tfprotov6.SchemaNestedBlockNestingModeGroup, func(prior, config tftypes.Value) tftypes.Value { return proposed(b.Block, prior, config) })
	}
	return tftypes.NewValue(config.Type(), out)
}

func proposedAttribute(a *tfprotov6.SchemaAttribute, prior, config tftypes.Value) tftypes.Value {
	switch {
	case a.WriteOnly:
		return tftypes.NewValue(config.Type(), nil)
	case a.NestedType != nil && config.IsKnown() && !config.IsNull():
		return each(prior, config, a.NestedType.Nesting == tfprotov6.SchemaObjectNestingModeSingle, func(prior, config tftypes.Value) tftypes.Value {
			set, ok := fieldsOf(config)
			if !ok {
				return config
			}
			had, _ := fieldsOf(prior)
			out := make(map[string]tftypes.Value, len(set))
			for _, inner := range a.NestedType.Attributes {
				out[inner.Name] = proposedAttribute(inner, field(had, inner.Name, inner.ValueType()), set[inner.Name])
			}
			return tftypes.NewValue(config.Type(), out)
		})
	case a.Computed && config.IsNull() && !cameFromConfig(a, prior):
		return prior
	default:
		return config
	}
}

// each applies a merge to the elements of a nested block or attribute: by key, by
// index, or to the only one. Elements of a set have no prior.
func each(prior, config tftypes.Value, single bool, merge func(prior, config tftypes.Value) tftypes.Value) tftypes.Value {
	if single {
		return merge(prior, config)
	}
	if set, ok := fieldsOf(config); ok {
		had, _ := fieldsOf(prior)
		out := make(map[string]tftypes.Value, len(set))
		for key, e := range set {
			out[key] = merge(field(had, key, e.Type()), e)
		}
		return tftypes.NewValue(config.Type(), out)
	}
	set, ok := elementsOf(config)
	if !ok {
		return config
	}
	had, _ := elementsOf(prior)
	if config.Type().Is(tftypes.Set{}) {
		had = nil
	}
	out := make([]tftypes.Value, len(set))
	for i, e := range set {
		was := tftypes.NewValue(e.Type(), nil)
		if i < len(had) {
			was = had[i]
		}
		out[i] = merge(was, e)
	}
	return tftypes.NewValue(config.Type(), out)
}

func field(fields map[string]tftypes.Value, name string, typ tftypes.Type) tftypes.Value {
	if v, ok := fields[name]; ok {
		return v
	}
	return tftypes.NewValue(typ, nil)
}

// cameFromConfig: an optional object holds what no provider computes, so that it
// stood in the configuration and was taken out.
func cameFromConfig(a *tfprotov6.SchemaAttribute, prior tftypes.Value) bool {
	if !a.Optional || a.NestedType == nil {
		return false
	}
	var objects []map[string]tftypes.Value
	if a.NestedType.Nesting == tfprotov6.SchemaObjectNestingModeSingle {
		if o, ok := fieldsOf(prior); ok {
			objects = append(objects, o)
		}
	} else {
		fields, _ := fieldsOf(prior)
		elements, _ := elementsOf(prior)
		for _, e := range fields {
			elements = append(elements, e)
		}
		for _, e := range elements {
			if o, ok := fieldsOf(e); ok {
				objects = append(objects, o)
			}
		}
	}
	for _, o := range objects {
		for _, inner := range a.NestedType.Attributes {
			if v := field(o, inner.Name, inner.ValueType()); !inner.Computed && v.IsKnown() && !v.IsNull() || cameFromConfig(inner, v) {
				return true
			}
		}
	}
	return false
}

// invalidPlan says where a plan takes liberties: what the configuration sets must
// be planned.
func invalidPlan(block *tfprotov6.SchemaBlock, at string, prior, config, planned tftypes.Value) (problems []string) {
	if config.IsNull() != planned.IsNull() {
		return []string{fmt.Sprintf("%s: block is there in one of configuration and plan only", at)}
	}
	set, ok := fieldsOf(config)
	plan, _ := fieldsOf(planned)
	if !ok || plan == nil {
		return nil
	}
	had, _ := fieldsOf(prior)
	for _, a := range block.Attributes {
		problems = append(problems, invalidPlanned(a, at+"."+a.Name, field(had, a.Name, a.ValueType()), set[a.Name], plan[a.Name])...)
	}
	for _, b := range block.BlockTypes {
		inner := at + "." + b.TypeName
		if b.Nesting == tfprotov6.SchemaNestedBlockNestingModeSingle || b.Nesting == tfprotov6.SchemaNestedBlockNestingModeGroup {
			problems = append(problems, invalidPlan(b.Block, inner, field(had, b.TypeName, b.ValueType()), set[b.TypeName], plan[b.TypeName])...)
			continue
		}
		want, _ := elementsOf(set[b.TypeName])
		got, _ := elementsOf(plan[b.TypeName])
		if len(want) != len(got) {
			problems = append(problems, fmt.Sprintf("%s: %d blocks planned, %d configured", inner, len(got), len(want)))
			continue
		}
		for i := range want {
			problems = append(problems, invalidPlan(b.Block, fmt.Sprintf("%s[%d]", inner, i), tftypes.NewValue(want[i].Type(), nil), want[i], got[i])...)
		}
	}
	return problems
}

func invalidPlanned(a *tfprotov6.SchemaAttribute, at string, prior, config, planned tftypes.Value) (problems []string) {
	switch {
	case a.WriteOnly:
		if !planned.IsNull() {
			problems = append(problems, at+": a write-only value is planned")
		}
		return problems
	case a.Computed && config.IsNull(), !config.IsKnown(), planned.Equal(config):
		return nil
	case planned.Equal(prior) && !prior.IsNull() && !config.IsNull():
		return nil
	case a.NestedType == nil || config.IsNull() || planned.IsNull() || !planned.IsKnown():
		return []string{fmt.Sprintf("%s: planned %v, configured %v", at, decode(planned), decode(config))}
	}
	object := func(at string, prior, config, planned tftypes.Value) {
		had, _ := fieldsOf(prior)
		set, _ := fieldsOf(config)
		plan, _ := fieldsOf(planned)
		for _, inner := range a.NestedType.Attributes {
			typ := inner.ValueType()
			problems = append(problems, invalidPlanned(inner, at+"."+inner.Name, field(had, inner.Name, typ), field(set, inner.Name, typ), field(plan, inner.Name, typ))...)
		}
	}
	if a.NestedType.Nesting == tfprotov6.SchemaObjectNestingModeSingle {
		object(at, prior, config, planned)
		return problems
	}
	if want, ok := fieldsOf(config); ok {
		had, _ := fieldsOf(prior)
		got, _ := fieldsOf(planned)
		for _, key := range sorted(want) {
			object(at+"."+key, field(had, key, want[key].Type()), want[key], field(got, key, want[key].Type()))
		}
		return problems
	}
	want, _ := elementsOf(config)
	got, _ := elementsOf(planned)
	had, _ := elementsOf(prior)
	if len(want) != len(got) {
		return []string{fmt.Sprintf("%s: %d elements planned, %d configured", at, len(got), len(want))}
	}
	for i := range want {
		was := tftypes.NewValue(want[i].Type(), nil)
		if i < len(had) {
			was = had[i]
		}
		object(fmt.Sprintf("%s[%d]", at, i), was, want[i], got[i])
	}
	return problems
}

// broken says where a value does not keep what was planned. Only what was unknown
// may become anything.
func broken(at string, planned, actual tftypes.Value) (problems []string) {
	if !planned.IsKnown() {
		return nil
	}
	differs := []string{fmt.Sprintf("%s: planned %v, now %v", at, decode(planned), decode(actual))}
	if planned.IsNull() || actual.IsNull() || !actual.IsKnown() {
		if planned.IsNull() == actual.IsNull() && actual.IsKnown() {
			return nil
		}
		return differs
	}
	if was, ok := fieldsOf(planned); ok {
		is, _ := fieldsOf(actual)
		for _, name := range sorted(was) {
			v, there := is[name]
			if !there {
				problems = append(problems, at+"."+name+": planned, now absent")
				continue
			}
			problems = append(problems, broken(at+"."+name, was[name], v)...)
		}
		for _, name := range sorted(is) {
			if _, there := was[name]; !there {
				problems = append(problems, at+"."+name+": not planned")
			}
		}
		return problems
	}
	if was, ok := elementsOf(planned); ok {
		is, _ := elementsOf(actual)
		switch {
		case planned.Type().Is(tftypes.Set{}):
			if len(is) > len(was) || planned.IsFullyKnown() && !planned.Equal(actual) {
				return differs
			}
			return nil
		case len(was) != len(is):
			return differs
		}
		for i := range was {
			problems = append(problems, broken(fmt.Sprintf("%s[%d]", at, i), was[i], is[i])...)
		}
		return problems
	}
	if !planned.Equal(actual) {
		return differs
	}
	return nil
}

// writeOnly lists the write-only values that a state would hold.
func writeOnly(block *tfprotov6.SchemaBlock, at string, v tftypes.Value) (held []string) {
	fields, ok := fieldsOf(v)
	if !ok {
		return nil
	}
	for _, a := range block.Attributes {
		held = append(held, writeOnlyAttribute(a, at+"."+a.Name, fields[a.Name])...)
	}
	for _, b := range block.BlockTypes {
		inner := fields[b.TypeName]
		if _, ok := fieldsOf(inner); ok {
			held = append(held, writeOnly(b.Block, at+"."+b.TypeName, inner)...)
		}
		elements, _ := elementsOf(inner)
		for _, e := range elements {
			held = append(held, writeOnly(b.Block, at+"."+b.TypeName, e)...)
		}
	}
	return held
}

func writeOnlyAttribute(a *tfprotov6.SchemaAttribute, at string, v tftypes.Value) (held []string) {
	if a.WriteOnly && !v.IsNull() {
		return []string{at}
	}
	if a.NestedType != nil && a.NestedType.Nesting == tfprotov6.SchemaObjectNestingModeSingle {
		fields, _ := fieldsOf(v)
		for _, inner := range a.NestedType.Attributes {
			if e, ok := fields[inner.Name]; ok {
				held = append(held, writeOnlyAttribute(inner, at+"."+inner.Name, e)...)
			}
		}
	}
	return held
}

// withoutUnknown replaces what is still unknown by null.
func withoutUnknown(v tftypes.Value) tftypes.Value {
	out, err := tftypes.Transform(v, func(_ *tftypes.AttributePath, v tftypes.Value) (tftypes.Value, error) {
		if !v.IsKnown() {
			return tftypes.NewValue(v.Type(), nil), nil
		}
		return v, nil
	})
	must(err)
	return out
}
