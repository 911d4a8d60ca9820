// Copyright (c) the terraform-provider-streamchat authors
// SPDX-License-Identifier: MPL-2.0

package acctest

import (
	"strings"

	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
	"github.com/hashicorp/terraform-plugin-go/tftypes"
)

// What is not a managed resource, each call a run of its own; in a run with others, see
// core_beside.go.

// Validate is terraform validate of one resource block.
func (c *Core) Validate(address string, config Config) Diagnostics {
	c.t.Helper()
	p := c.start()
	defer p.end()
	c.validate(p, []Change{{Address: address, Config: config}})
	return p.diags
}

// run does something in a configured process.
func (c *Core) run(do func(p *process)) Diagnostics {
	c.t.Helper()
	p := c.start()
	defer p.end()
	if p.configure(false) {
		do(p)
	}
	return p.diags
}

// body is the value of a block that is no resource.
func (p *process) body(address string, schema *tfprotov6.Schema, config Config) (*tfprotov6.DynamicValue, bool) {
	p.core.t.Helper()
	if schema == nil {
		p.core.t.Fatalf("the provider has no %s", address)
	}
	p.core.guard("", config)
	value, problems := encodeBlock(schema.Block, resolve(config, false, func(ref) any { return Unknown }).(map[string]any))
	if len(problems) > 0 {
		p.add(Diagnostic{Error: true, Address: address, Summary: "Unsupported argument", Detail: strings.Join(problems, "\n")})
		return nil, false
	}
	return dynamic(value), true
}

func values(d *tfprotov6.DynamicValue, typ tftypes.Type) map[string]any {
	if d == nil {
		return nil
	}
	v, err := d.Unmarshal(typ)
	must(err)
	m, _ := decode(v).(map[string]any)
	return m
}

// Data reads a data source.
func (c *Core) Data(typeName string, config Config) (read map[string]any, diags Diagnostics) {
	c.t.Helper()
	diags = c.run(func(p *process) { read, _ = p.data(typeName, config) })
	return read, diags
}

// Ephemeral opens an ephemeral resource and closes it when use, which may be nil, has
// returned.
func (c *Core) Ephemeral(typeName string, config Config, use func(result map[string]any)) Diagnostics {
	c.t.Helper()
	return c.run(func(p *process) {
		result, shut, ok := p.open(typeName, config)
		if !ok {
			return
		}
		if use != nil {
			use(result)
		}
		shut()
	})
}

// Action plans and invokes an action, and gives its progress.
func (c *Core) Action(typeName string, config Config) (progress []string, diags Diagnostics) {
	c.t.Helper()
	diags = c.run(func(p *process) {
		if p.planAction(typeName, config) {
			progress, _ = p.invoke(typeName, config)
		}
	})
	return progress, diags
}

// Listed is one result of a list resource.
type Listed struct {
	DisplayName string
	Identity    map[string]any
	Resource    map[string]any
}

// List queries a list resource.
func (c *Core) List(typeName string, config Config, limit int64) (found []Listed, diags Diagnostics) {
	c.t.Helper()
	diags = c.run(func(p *process) {
		server, ok := p.server.(tfprotov6.ListResourceServer)
		if !ok {
			c.t.Fatalf("the provider lists nothing")
		}
		body, ok := p.body("list."+typeName, c.schema.ListResourceSchemas[typeName], config)
		if !ok {
			return
		}
		valid, ok := call(p, typeName, server.ValidateListResourceConfig, &tfprotov6.ValidateListResourceConfigRequest{TypeName: typeName, Config: body})
		if !ok || p.report(typeName, valid.Diagnostics) {
			return
		}
		stream, ok := call(p, typeName, server.ListResource, &tfprotov6.ListResourceRequest{TypeName: typeName, Config: body, IncludeResource: true, Limit: limit})
		if !ok {
			return
		}
		for result := range stream.Results {
			if p.report(typeName, result.Diagnostics) {
				continue
			}
			one := Listed{DisplayName: result.DisplayName, Resource: values(result.Resource, c.block(typeName).ValueType())}
			if result.Identity != nil && c.ids[typeName] != nil {
				one.Identity = values(result.Identity.IdentityData, c.ids[typeName].ValueType())
			}
			found = append(found, one)
		}
	})
	return found, diags
}

// Function calls a function of the provider, which needs no configuration.
func (c *Core) Function(name string, args ...any) (result any, problem string) {
	c.t.Helper()
	p := c.start()
	defer p.end()
	f := c.schema.Functions[name]
	if f == nil {
		c.t.Fatalf("the provider has no function %s", name)
	}
	req := &tfprotov6.CallFunctionRequest{Name: name}
	for i, arg := range args {
		parameter := f.VariadicParameter
		if i < len(f.Parameters) {
			parameter = f.Parameters[i]
		}
		v, err := encode(parameter.Type, arg)
		if err != nil {
			return nil, err.Error()
		}
		req.Arguments = append(req.Arguments, dynamic(v))
	}
	resp, ok := call(p, name, p.server.CallFunction, req)
	if !ok {
		return nil, "no answer"
	}
	if resp.Error != nil {
		return nil, resp.Error.Text
	}
	v, err := resp.Result.Unmarshal(f.Return.Type)
	must(err)
	return decode(v), ""
}
