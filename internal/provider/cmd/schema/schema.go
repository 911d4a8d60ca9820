// Copyright (c) the terraform-provider-streamchat authors
// SPDX-License-Identifier: MPL-2.0

package main

import (
	"context"
	"fmt"
	"strings"

	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
	"github.com/hashicorp/terraform-plugin-go/tftypes"
)

// object is a JSON object; an empty value is left out.
type object map[string]any

// set sets a value unless it is the zero value.
func set[T comparable](o object, name string, value T) {
	var zero T
	if value != zero {
		o[name] = value
	}
}

// convert converts a map, and leaves out an empty one.
func convert[T any](o object, name string, from map[string]T, f func(T) object) {
	if len(from) == 0 {
		return
	}
	to := object{}
	for key, value := range from {
		to[key] = f(value)
	}
	o[name] = to
}

// describe asks the provider for all that its documentation is made of.
func describe(ctx context.Context, server tfprotov6.ProviderServer) (object, error) {
	s, err := server.GetProviderSchema(ctx, &tfprotov6.GetProviderSchemaRequest{})
	if err != nil {
		return nil, err
	}
	ids, err := server.GetResourceIdentitySchemas(ctx, &tfprotov6.GetResourceIdentitySchemasRequest{})
	if err != nil {
		return nil, err
	}
	for _, d := range append(s.Diagnostics, ids.Diagnostics...) {
		if d.Severity == tfprotov6.DiagnosticSeverityError {
			return nil, fmt.Errorf("%s: %s", d.Summary, d.Detail)
		}
	}
	o := object{"provider": schema(s.Provider)}
	convert(o, "resource_schemas", s.ResourceSchemas, schema)
	convert(o, "data_source_schemas", s.DataSourceSchemas, schema)
	convert(o, "ephemeral_resource_schemas", s.EphemeralResourceSchemas, schema)
	convert(o, "list_resource_schemas", s.ListResourceSchemas, schema)
	convert(o, "action_schemas", s.ActionSchemas, action)
	convert(o, "functions", s.Functions, function)
	convert(o, "resource_identity_schemas", ids.IdentitySchemas, identity)
	return o, nil
}

func schema(s *tfprotov6.Schema) object {
	return object{"version": s.Version, "block": block(s.Block)}
}

func action(a *tfprotov6.ActionSchema) object {
	return object{"block": block(a.Schema.Block)}
}

func block(b *tfprotov6.SchemaBlock) object {
	o := object{}
	attributes(o, b.Attributes)
	blocks := object{}
	for _, n := range b.BlockTypes {
		nested := object{"nesting_mode": strings.ToLower(n.Nesting.String()), "block": block(n.Block)}
		set(nested, "min_items", n.MinItems)
		set(nested, "max_items", n.MaxItems)
		blocks[n.TypeName] = nested
	}
	if len(blocks) > 0 {
		o["block_types"] = blocks
	}
	description(o, b.Description, b.DescriptionKind)
	set(o, "deprecated", b.Deprecated)
	return o
}

func attributes(o object, list []*tfprotov6.SchemaAttribute) {
	all := object{}
	for _, a := range list {
		attribute := object{}
		if a.NestedType != nil {
			nested := object{"nesting_mode": strings.ToLower(a.NestedType.Nesting.String())}
			attributes(nested, a.NestedType.Attributes)
			attribute["nested_type"] = nested
		} else {
			attribute["type"] = typeOf(a.Type)
		}
		description(attribute, a.Description, a.DescriptionKind)
		set(attribute, "deprecated", a.Deprecated)
		set(attribute, "required", a.Required)
		set(attribute, "optional", a.Optional)
		set(attribute, "computed", a.Computed)
		set(attribute, "sensitive", a.Sensitive)
		set(attribute, "write_only", a.WriteOnly)
		all[a.Name] = attribute
	}
	if len(all) > 0 {
		o["attributes"] = all
	}
}

func description(o object, text string, kind tfprotov6.StringKind) {
	set(o, "description", text)
	o["description_kind"] = strings.ToLower(kind.String())
}

func identity(s *tfprotov6.ResourceIdentitySchema) object {
	all := object{}
	for _, a := range s.IdentityAttributes {
		attribute := object{"type": typeOf(a.Type)}
		set(attribute, "description", a.Description)
		set(attribute, "required_for_import", a.RequiredForImport)
		set(attribute, "optional_for_import", a.OptionalForImport)
		all[a.Name] = attribute
	}
	return object{"version": s.Version, "attributes": all}
}

func function(f *tfprotov6.Function) object {
	o := object{"return_type": typeOf(f.Return.Type)}
	set(o, "summary", f.Summary)
	set(o, "description", f.Description)
	set(o, "deprecation_message", f.DeprecationMessage)
	var parameters []object
	for _, p := range f.Parameters {
		parameters = append(parameters, parameter(p))
	}
	if len(parameters) > 0 {
		o["parameters"] = parameters
	}
	if f.VariadicParameter != nil {
		o["variadic_parameter"] = parameter(f.VariadicParameter)
	}
	return o
}

func parameter(p *tfprotov6.FunctionParameter) object {
	o := object{"name": p.Name, "type": typeOf(p.Type)}
	set(o, "description", p.Description)
	set(o, "is_nullable", p.AllowNullValue)
	return o
}

// typeOf is a type as JSON writes it: "string", ["list", "string"].
func typeOf(t tftypes.Type) any {
	switch t := t.(type) {
	case tftypes.List:
		return []any{"list", typeOf(t.ElementType)}
	case tftypes.Set:
		return []any{"set", typeOf(t.ElementType)}
	case tftypes.Map:
		return []any{"map", typeOf(t.ElementType)}
	case tftypes.Object:
		attributes := object{}
		for name, attribute := range t.AttributeTypes {
			attributes[name] = typeOf(attribute)
		}
		return []any{"object", attributes}
	case tftypes.Tuple:
		elements := []any{}
		for _, element := range t.ElementTypes {
			elements = append(elements, typeOf(element))
		}
		return []any{"tuple", elements}
	default:
		switch {
		case t.Is(tftypes.String):
			return "string"
		case t.Is(tftypes.Number):
			return "number"
		case t.Is(tftypes.Bool):
			return "bool"
		default:
			return "dynamic"
		}
	}
}
