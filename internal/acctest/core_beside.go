// Copyright (c) the terraform-provider-streamchat authors
// SPDX-License-Identifier: MPL-2.0

package acctest

import (
	"strings"

	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
)

// What stands beside the managed resources of a run, by the first part of its address:
// "data.streamchat_users.x" is read in the plan, or in the apply when something that it
// depends on is changed; "ephemeral.streamchat_user_export.x" is opened in both and
// closed at the end; "action.streamchat_export_user.x" is invoked before or after its
// trigger is created or updated.

// Read and Invoke are what the apply does with a data source that was put off, and with an
// action.
const (
	Read   Action = "read"
	Invoke Action = "invoke"
)

// Triggered makes a [Change] an action that a resource triggers.
func Triggered(by string, before bool) Option {
	return func(c *Change) { c.Trigger, c.Ahead = by, before }
}

// beside is the kind of what is no managed resource, else empty.
func beside(address string) (kind, typeName string) {
	parts := strings.SplitN(address, ".", 3)
	if len(parts) == 3 {
		return parts[0], parts[1]
	}
	return "", ""
}

// pending reports that something which a change waits for is changed by the run.
func (w *walk) pending(change Change) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, address := range dependencies(change) {
		if p := w.plan.Changes[address]; p != nil && p.Action != NoOp {
			return true
		}
	}
	return false
}

// planBeside plans it. Of an action only its body is checked: whether it is invoked
// follows from its trigger.
func (w *walk) planBeside(change Change) bool {
	kind, typeName := beside(change.Address)
	config, _ := resolve(change.Config, true, w.look).(map[string]any)
	planned := &Planned{Change: change, Action: NoOp, After: map[string]any{}}
	ok := true
	switch {
	case kind == "action":
		trigger := w.plan.Changes[change.Trigger]
		if trigger != nil && (trigger.Action == Create || trigger.Action == Update || trigger.Action == Replace) {
			planned.Action = Invoke
			ok = w.p.planAction(typeName, config)
		}
	case w.pending(change) || !known(config):
		planned.Action, planned.After = Read, nil // nothing of it is known
	case kind == "data":
		planned.After, ok = w.p.data(typeName, config)
	default:
		planned.After, ok = w.open(typeName, config)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.plan.Changes[change.Address] = planned
	return ok
}

// applyBeside does in the apply what was put off.
func (w *walk) applyBeside(planned *Planned) (ok bool) {
	kind, typeName := beside(planned.Address)
	config, _ := resolve(planned.body(false), false, w.look).(map[string]any)
	var values map[string]any
	switch kind {
	case "action":
		_, ok = w.p.invoke(typeName, config)
		return ok
	case "data":
		values, ok = w.p.data(typeName, config)
	default:
		values, ok = w.open(typeName, config)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	planned.After = values
	return ok
}

// open opens an ephemeral resource until the walk is over.
func (w *walk) open(typeName string, config Config) (map[string]any, bool) {
	values, shut, ok := w.p.open(typeName, config)
	if ok {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.opened = append(w.opened, shut)
	}
	return values, ok
}

// shut closes what was opened.
func (w *walk) shut() {
	for _, shut := range w.opened {
		shut()
	}
}

// known reports that nothing in a value is unknown.
func known(v any) bool {
	switch v := v.(type) {
	case map[string]any:
		for _, inner := range v {
			if !known(inner) {
				return false
			}
		}
	case []any:
		for _, inner := range v {
			if !known(inner) {
				return false
			}
		}
	default:
		return v != Unknown
	}
	return true
}

func (p *process) data(typeName string, config Config) (map[string]any, bool) {
	schema := p.core.schema.DataSourceSchemas[typeName]
	body, ok := p.body("data."+typeName, schema, config)
	if !ok {
		return nil, false
	}
	valid, ok := call(p, typeName, p.server.ValidateDataResourceConfig, &tfprotov6.ValidateDataResourceConfigRequest{TypeName: typeName, Config: body})
	if !ok || p.report(typeName, valid.Diagnostics) {
		return nil, false
	}
	resp, ok := call(p, typeName, p.server.ReadDataSource, &tfprotov6.ReadDataSourceRequest{TypeName: typeName, Config: body})
	if !ok || p.report(typeName, resp.Diagnostics) {
		return nil, false
	}
	return values(resp.State, schema.Block.ValueType()), true
}

func (p *process) open(typeName string, config Config) (result map[string]any, shut func(), ok bool) {
	schema := p.core.schema.EphemeralResourceSchemas[typeName]
	body, ok := p.body("ephemeral."+typeName, schema, config)
	if !ok {
		return nil, nil, false
	}
	valid, ok := call(p, typeName, p.server.ValidateEphemeralResourceConfig, &tfprotov6.ValidateEphemeralResourceConfigRequest{TypeName: typeName, Config: body})
	if !ok || p.report(typeName, valid.Diagnostics) {
		return nil, nil, false
	}
	opened, ok := call(p, typeName, p.server.OpenEphemeralResource, &tfprotov6.OpenEphemeralResourceRequest{TypeName: typeName, Config: body})
	if !ok || p.report(typeName, opened.Diagnostics) {
		return nil, nil, false
	}
	return values(opened.Result, schema.Block.ValueType()), func() {
		closed, ok := call(p, typeName, p.server.CloseEphemeralResource, &tfprotov6.CloseEphemeralResourceRequest{TypeName: typeName, Private: opened.Private})
		if ok {
			p.report(typeName, closed.Diagnostics)
		}
	}, true
}

// actions is the provider's server of actions, and a body of one.
func (p *process) actions(typeName string, config Config) (tfprotov6.ActionServer, *tfprotov6.DynamicValue, bool) {
	p.core.t.Helper()
	server, ok := p.server.(tfprotov6.ActionServer)
	schema := p.core.schema.ActionSchemas[typeName]
	if !ok || schema == nil {
		p.core.t.Fatalf("the provider has no action %s", typeName)
	}
	body, ok := p.body("action."+typeName, schema.Schema, config)
	return server, body, ok
}

func (p *process) planAction(typeName string, config Config) bool {
	server, body, ok := p.actions(typeName, config)
	if !ok {
		return false
	}
	valid, ok := call(p, typeName, server.ValidateActionConfig, &tfprotov6.ValidateActionConfigRequest{ActionType: typeName, Config: body})
	if !ok || p.report(typeName, valid.Diagnostics) {
		return false
	}
	planned, ok := call(p, typeName, server.PlanAction, &tfprotov6.PlanActionRequest{ActionType: typeName, Config: body})
	return ok && !p.report(typeName, planned.Diagnostics)
}

func (p *process) invoke(typeName string, config Config) (progress []string, done bool) {
	server, body, ok := p.actions(typeName, config)
	if !ok {
		return nil, false
	}
	events, ok := call(p, typeName, server.InvokeAction, &tfprotov6.InvokeActionRequest{ActionType: typeName, Config: body})
	if !ok {
		return nil, false
	}
	done = true
	for event := range events.Events {
		switch e := event.Type.(type) {
		case tfprotov6.ProgressInvokeActionEventType:
			progress = append(progress, e.Message)
			if secret, told := p.core.tells(e.Message); told {
				p.core.t.Errorf("the progress tells %q: %s", secret, e.Message)
			}
		case tfprotov6.CompletedInvokeActionEventType:
			done = !p.report(typeName, e.Diagnostics) && done
		}
	}
	return progress, done
}
