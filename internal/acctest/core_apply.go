// Copyright (c) the terraform-provider-streamchat authors
// SPDX-License-Identifier: MPL-2.0

package acctest

import (
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
	"github.com/hashicorp/terraform-plugin-go/tftypes"
)

// parallelism is Terraform's default.
const parallelism = 10

// Result is what an apply said.
type Result struct{ Errors, Warnings Diagnostics }

// Apply applies a plan in a process of its own. A plan with errors is not applied;
// one that changes nothing saves nothing, also not what its refresh has learned.
func (c *Core) Apply(plan *Plan) *Result {
	c.t.Helper()
	if len(plan.Errors) > 0 {
		return &Result{Errors: plan.Errors}
	}
	changes := false
	for _, planned := range plan.Changes {
		changes = changes || planned.Action != NoOp || planned.deposed || planned.imports()
	}
	if !changes {
		return &Result{}
	}
	for address, planned := range plan.Changes {
		if planned.refreshed == nil {
			continue // beside the resources
		}
		refreshed := *planned.refreshed
		c.put(address, &refreshed)
	}
	p := c.start()
	defer p.end()
	if p.configure(false) {
		w := &walk{core: c, p: p, plan: plan}
		defer w.shut()
		if !inOrder(w.nodes(), p.halted) {
			p.add(Diagnostic{Error: true, Summary: "execution halted"})
		}
	}
	return &Result{Errors: p.diags.only(true), Warnings: p.diags.only(false)}
}

// Run plans and applies.
func (c *Core) Run(changes ...Change) *Result {
	c.t.Helper()
	plan := c.PlanAll(changes...)
	if len(plan.Errors) > 0 {
		return &Result{Errors: plan.Errors, Warnings: plan.Warnings}
	}
	result := c.Apply(plan)
	result.Warnings = append(slices.Clone(plan.Warnings), result.Warnings...)
	return result
}

func destroyOf(address string) string { return address + " (destroy)" }

func (w *walk) nodes() (nodes []*node) {
	for _, change := range w.plan.changes {
		planned := w.plan.Changes[change.Address]
		if planned == nil {
			continue
		}
		address := change.Address
		if kind, _ := beside(address); kind != "" {
			if one := w.besideNode(planned, kind); one != nil {
				nodes = append(nodes, one)
			}
			continue
		}
		deposes := planned.Action == Replace && change.CreateBeforeDestroy
		create := &node{name: address, after: append(dependencies(change), w.ahead(address)...), do: func() bool { time.Sleep(change.Late); return w.applyOne(planned) }}
		destroy := &node{name: destroyOf(address), do: func() bool { time.Sleep(change.Late); return w.destroyOne(planned) }}
		for _, other := range w.plan.changes {
			if slices.Contains(dependencies(other), address) || slices.Contains(w.core.after(other.Address), address) {
				destroy.after = append(destroy.after, destroyOf(other.Address))
			}
		}
		switch {
		case planned.Action == Delete:
			nodes = append(nodes, destroy)
		case deposes:
			nodes = append(nodes, create)
		case planned.Action == Replace:
			create.after = append(create.after, destroy.name)
			nodes = append(nodes, destroy, create)
		case planned.Action != NoOp:
			nodes = append(nodes, create)
		}
		if planned.deposed || deposes {
			old := &node{name: address + " (deposed)", do: func() bool { return w.destroyDeposed(address) }}
			if deposes {
				old.after = append(old.after, address)
			}
			nodes = append(nodes, old)
		}
	}
	return nodes
}

// besideNode is the step of what is no resource: nil where the plan has done it.
func (w *walk) besideNode(planned *Planned, kind string) *node {
	if planned.Action == NoOp && kind != "ephemeral" {
		return nil
	}
	after := dependencies(planned.Change)
	if kind == "action" && !planned.Ahead {
		after = append(after, planned.Trigger)
	}
	return &node{name: planned.Address, after: after, do: func() bool { return w.applyBeside(planned) }}
}

// ahead are the actions that are invoked before a resource.
func (w *walk) ahead(address string) (actions []string) {
	for _, change := range w.plan.changes {
		if change.Trigger == address && change.Ahead {
			actions = append(actions, change.Address)
		}
	}
	return actions
}

// destroyOne is a destruction, or the first half of a replacement.
func (w *walk) destroyOne(planned *Planned) bool {
	if planned.NoDestroy {
		w.core.set(planned.Address, func(i *instance) { i.current = nil })
		return true
	}
	o := w.core.get(planned.Address).current
	left, ok := w.apply(planned.Address, o, planned.before, tftypes.NewValue(planned.before.Type(), nil), nil, planned.private, nil)
	w.core.set(planned.Address, func(i *instance) { i.current = left })
	return ok
}

// destroyDeposed destroys what create_before_destroy left. It is planned only now.
func (w *walk) destroyDeposed(address string) bool {
	i := w.core.get(address)
	if i == nil || i.deposed == nil {
		return true
	}
	if c := w.plan.Changes[address]; c != nil && c.NoDestroy {
		w.core.set(address, func(i *instance) { i.deposed = nil })
		return true
	}
	planned := w.planDelete(address, i.deposed)
	if planned == nil {
		return false
	}
	left, ok := w.apply(address, i.deposed, planned.before, planned.after, nil, planned.private, nil)
	w.core.set(address, func(i *instance) { i.deposed = left })
	return ok
}

// applyOne is a creation, an update, or the second half of a replacement.
func (w *walk) applyOne(planned *Planned) bool {
	address := planned.Address
	i := w.core.get(address)
	if i == nil {
		i = &instance{}
	}
	o, old := i.current, i.deposed
	if planned.Action == Replace && planned.CreateBeforeDestroy {
		old, o = o, nil
		w.core.put(address, &instance{deposed: old})
	}
	again := w.planChange(planned.Change, o, planned)
	if again == nil {
		w.restore(planned, old)
		return false
	}
	problems := broken(address, planned.after, again.after)
	if again.Action != planned.Action && !(planned.Action == Update && again.Action == NoOp) {
		problems = append(problems, "the action changed from "+string(planned.Action)+" to "+string(again.Action))
	}
	if len(problems) > 0 {
		w.p.add(Diagnostic{Error: true, Address: address, Summary: "Provider produced inconsistent final plan", Detail: strings.Join(problems, "\n")})
		w.restore(planned, old)
		return false
	}
	if again.Action == NoOp {
		return true
	}
	config, _ := w.p.config(planned.Change, false, w.look)
	before := again.before
	if again.Action == Replace {
		before = tftypes.NewValue(before.Type(), nil)
	}
	fresh, ok := w.apply(address, o, before, again.after, &config, again.private, again.identity)
	if fresh != nil {
		fresh.after = dependencies(planned.Change)
	}
	if fresh != nil && !ok && again.Action != Update {
		fresh.tainted = true
	}
	if fresh == nil && !ok {
		w.restore(planned, old)
		return false
	}
	w.core.set(address, func(i *instance) { i.current = fresh })
	return ok
}

// restore takes the deposed object back when nothing came of its successor.
func (w *walk) restore(planned *Planned, old *object) {
	if planned.Action == Replace && planned.CreateBeforeDestroy {
		w.core.put(planned.Address, &instance{current: old})
	}
}

// apply asks the provider to carry a change out, and gives what is left in state. A
// nil config is a destruction.
func (w *walk) apply(address string, o *object, before, after tftypes.Value, config *tftypes.Value, private []byte, identity *tfprotov6.ResourceIdentityData) (*object, bool) {
	typeName := typeOf(address)
	block := w.core.block(typeName)
	null := tftypes.NewValue(block.ValueType(), nil)
	if config == nil {
		config = &null
	}
	if w.p.halted() {
		return o, false
	}
	resp, ok := call(w.p, address, w.p.server.ApplyResourceChange, &tfprotov6.ApplyResourceChangeRequest{
		TypeName: typeName, PriorState: dynamic(before), PlannedState: dynamic(after), Config: dynamic(*config),
		PlannedPrivate: private, PlannedIdentity: identity,
	})
	if !ok {
		return o, false
	}
	failed := w.p.report(address, resp.Diagnostics)
	invalid := func(summary string, problems ...string) {
		failed = true
		d := Diagnostic{Error: true, Address: address, Summary: summary, Detail: strings.Join(problems, "\n")}
		w.p.add(d)
		w.core.t.Errorf("a defect of the provider: %s", d)
	}
	value := null
	if resp.NewState != nil {
		var err error
		value, err = resp.NewState.Unmarshal(block.ValueType())
		must(err)
	}
	if held := writeOnly(block, address, value); len(held) > 0 {
		invalid("Provider produced invalid object", held...)
		return nil, false // as Terraform: the record is lost
	}
	if !value.IsFullyKnown() {
		invalid("Provider returned invalid result object after apply", "a value is still unknown")
		value = withoutUnknown(value)
	}
	switch {
	case failed:
	case after.IsNull() && !value.IsNull(), !after.IsNull() && value.IsNull():
		invalid("Provider returned invalid result object after apply")
	case !after.IsNull():
		if problems := broken(address, after, value); len(problems) > 0 {
			invalid("Provider produced inconsistent result after apply", problems...)
		}
	}
	if value.IsNull() {
		if failed {
			return o, false
		}
		return nil, true
	}
	fresh := &object{
		typeName: typeName, version: w.core.schema.ResourceSchemas[typeName].Version, value: stateJSON(value), private: resp.Private,
	}
	if o != nil {
		fresh.identity = o.identity
		fresh.tainted = failed && o.tainted
	}
	fresh.identity = w.identity(address, typeName, resp.NewIdentity, fresh.identity)
	return fresh, !failed
}

// node is a step of a walk.
type node struct {
	name  string
	after []string
	do    func() bool
}

// inOrder does the nodes, side by side where they do not wait for each other. What
// waits for one that failed is left out, and once halted nothing more is begun: then
// it says false.
func inOrder(nodes []*node, halted func() bool) bool {
	ended := make(map[string]chan bool, len(nodes))
	for _, n := range nodes {
		ended[n.name] = make(chan bool)
	}
	ok := make(map[string]bool, len(nodes))
	var mu sync.Mutex
	turn := make(chan struct{}, parallelism)
	var all sync.WaitGroup
	cut := false
	for _, n := range nodes {
		all.Go(func() {
			defer close(ended[n.name])
			good := true
			for _, name := range n.after {
				if done, there := ended[name]; there && name != n.name {
					<-done
					mu.Lock()
					good = good && ok[name]
					mu.Unlock()
				}
			}
			if !good {
				return
			}
			turn <- struct{}{}
			defer func() { <-turn }()
			if halted() {
				mu.Lock()
				cut = true
				mu.Unlock()
				return
			}
			good = n.do()
			mu.Lock()
			ok[n.name] = good
			mu.Unlock()
		})
	}
	all.Wait()
	return !cut && !halted()
}
