// Copyright (c) the terraform-provider-streamchat authors
// SPDX-License-Identifier: MPL-2.0

package acctest

import (
	"strings"

	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
)

// What stands beside the resources of a run, by the first part of its address: a data
// source ("data.…") that is put off to the apply, an ephemeral resource ("ephemeral.…"),
// which is opened in both walks, and an action ("action.…"), which is planned in the one and
// invoked in the other. When that is says [Change.After].

// beside gives the kind and the rest of an address.
func beside(address string) (kind, rest string, ok bool) {
	kind, rest, ok = strings.Cut(address, ".")
	return kind, rest, ok && (kind == "data" || kind == "ephemeral" || kind == "action")
}

// Read gives what the apply read at the address of a data source or an ephemeral resource.
func (p *Plan) Read(address string) map[string]any {
	p.core.mu.Lock()
	defer p.core.mu.Unlock()
	return p.read[address]
}

// doBeside does in a walk what is no resource.
func (w *walk) doBeside(change Change) bool {
	kind, rest, _ := beside(change.Address)
	typeName := typeOf(rest)
	if kind == "data" && w.planning {
		return true // put off
	}
	var schema *tfprotov6.Schema
	switch kind {
	case "data":
		schema = w.core.schema.DataSourceSchemas[typeName]
	case "ephemeral":
		schema = w.core.schema.EphemeralResourceSchemas[typeName]
	default:
		schema = w.core.schema.ActionSchemas[typeName].Schema
	}
	body, ok := w.p.body(change.Address, schema, change.Config)
	if !ok {
		return false
	}
	switch kind {
	case "data":
		resp, ok := call(w.p, change.Address, w.p.server.ReadDataSource, &tfprotov6.ReadDataSourceRequest{TypeName: typeName, Config: body})
		return ok && !w.p.report(change.Address, resp.Diagnostics) && w.keep(change.Address, values(resp.State, schema.Block.ValueType()))
	case "ephemeral":
		resp, ok := call(w.p, change.Address, w.p.server.OpenEphemeralResource, &tfprotov6.OpenEphemeralResourceRequest{TypeName: typeName, Config: body})
		return ok && !w.p.report(change.Address, resp.Diagnostics) && w.keep(change.Address, values(resp.Result, schema.Block.ValueType()))
	}
	server, _ := w.p.server.(tfprotov6.ActionServer)
	if w.planning {
		resp, ok := call(w.p, change.Address, server.PlanAction, &tfprotov6.PlanActionRequest{ActionType: typeName, Config: body})
		return ok && !w.p.report(change.Address, resp.Diagnostics)
	}
	events, ok := call(w.p, change.Address, server.InvokeAction, &tfprotov6.InvokeActionRequest{ActionType: typeName, Config: body})
	if !ok {
		return false
	}
	for event := range events.Events {
		if e, ended := event.Type.(tfprotov6.CompletedInvokeActionEventType); ended {
			ok = !w.p.report(change.Address, e.Diagnostics)
		}
	}
	return ok
}

func (w *walk) keep(address string, read map[string]any) bool {
	w.core.mu.Lock()
	defer w.core.mu.Unlock()
	if w.plan.read == nil {
		w.plan.read = map[string]map[string]any{}
	}
	w.plan.read[address] = read
	return true
}
