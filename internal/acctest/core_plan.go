// Copyright (c) the terraform-provider-streamchat authors
// SPDX-License-Identifier: MPL-2.0

package acctest

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
	"github.com/hashicorp/terraform-plugin-go/tftypes"
)

// Action is what a plan does to a resource.
type Action string

// The actions.
const (
	NoOp    Action = "no-op"
	Create  Action = "create"
	Update  Action = "update"
	Replace Action = "replace"
	Delete  Action = "delete"
)

// Change is a resource of a run: its block, and what the command line says of it.
type Change struct {
	// Address is the type and a name, e.g. "streamchat_user_erasure.alice".
	Address string
	// Config is the block's body; nil means that there is no block (any more).
	Config Config
	// Replace is -replace.
	Replace bool
	// CreateBeforeDestroy is the lifecycle argument.
	CreateBeforeDestroy bool
	// After are the addresses that the block depends on; references add their own.
	After []string
	// Late is how long its turn in an apply is in coming, in bubble time.
	Late time.Duration
	// ImportID or ImportIdentity are an import block's.
	ImportID       string
	ImportIdentity Config
	// NoRefresh is -refresh=false.
	NoRefresh bool
	// NoDestroy is OpenTofu's lifecycle argument destroy = false: a destroy, of a replacement
	// too, only forgets.
	NoDestroy bool
	// AtApply is the body when the plan is applied, nil where it is the same: a saved plan
	// holds the configuration, but what is write-only or ephemeral is read once more. What
	// the provider block reads from the environment changes in [Core.Provider].
	AtApply Config
	// Trigger is the resource that an action is invoked before (Ahead) or after.
	Trigger string
	Ahead   bool
}

// body is the block's, in a plan or in an apply.
func (c Change) body(planning bool) Config {
	if !planning && c.AtApply != nil {
		return c.AtApply
	}
	return c.Config
}

func (c Change) imports() bool { return c.ImportID != "" || c.ImportIdentity != nil }

// Option changes a [Change].
type Option func(*Change)

// Options of [Core.Plan].
var (
	WithReplace         Option = func(c *Change) { c.Replace = true }
	CreateBeforeDestroy Option = func(c *Change) { c.CreateBeforeDestroy = true }
	NoRefresh           Option = func(c *Change) { c.NoRefresh = true }
)

// ImportID is an import block with an id.
func ImportID(id string) Option { return func(c *Change) { c.ImportID = id } }

// AtApply is another body for the apply, see [Change.AtApply].
func AtApply(config Config) Option { return func(c *Change) { c.AtApply = config } }

// ImportIdentity is an import block with an identity.
func ImportIdentity(identity Config) Option {
	return func(c *Change) { c.ImportIdentity = identity }
}

// Planned is what a plan does to one resource.
type Planned struct {
	Change
	Action Action
	// After are the planned values, [Unknown] where only the apply knows. Nil for a
	// delete.
	After map[string]any
	// RequiresReplace are the attributes that force a replacement.
	RequiresReplace []string

	refreshed     *instance
	before, after tftypes.Value
	private       []byte
	identity      *tfprotov6.ResourceIdentityData
	deposed       bool // what an earlier create_before_destroy left goes
}

// Get is a planned value.
func (p *Planned) Get(path ...any) any { return At(p.After, path...) }

// Plan is what a run would do.
type Plan struct {
	// Planned is that of the only resource, where there is one.
	*Planned
	// Changes are the resources by address.
	Changes map[string]*Planned

	Errors, Warnings Diagnostics

	core    *Core
	changes []Change
}

// Plan plans one resource and leaves the rest of the state alone. A nil config is
// the block taken out.
func (c *Core) Plan(address string, config Config, options ...Option) *Plan {
	c.t.Helper()
	change := Change{Address: address, Config: config}
	for _, o := range options {
		o(&change)
	}
	return c.PlanAll(change)
}

// PlanAll plans several resources in one run, side by side where they do not depend
// on each other.
func (c *Core) PlanAll(changes ...Change) *Plan {
	c.t.Helper()
	plan := &Plan{core: c, changes: changes, Changes: map[string]*Planned{}}
	finish := func(p *process) *Plan {
		p.end()
		plan.Errors = append(plan.Errors, p.diags.only(true)...)
		plan.Warnings = append(plan.Warnings, p.diags.only(false)...)
		if len(changes) == 1 {
			plan.Planned = plan.Changes[changes[0].Address]
		}
		if plan.Planned == nil {
			plan.Planned = &Planned{}
		}
		return plan
	}
	p := c.start()
	if !c.validate(p, changes) {
		return finish(p)
	}
	p.end()
	plan.Warnings = p.diags.only(false)
	p = c.start()
	if !p.configure(true) {
		return finish(p)
	}
	w := &walk{core: c, p: p, planning: true, plan: plan}
	var nodes []*node
	for _, change := range changes {
		after, do := dependencies(change), func() bool { return w.planOne(change) }
		if kind, _ := beside(change.Address); kind != "" {
			after, do = append(after, change.Trigger), func() bool { return w.planBeside(change) }
		}
		nodes = append(nodes, &node{name: change.Address, after: after, do: do})
	}
	if !inOrder(nodes, p.halted) {
		p.add(Diagnostic{Error: true, Summary: "execution halted"})
	}
	w.shut()
	return finish(p)
}

// validate is the walk that needs no configured provider.
func (c *Core) validate(p *process, changes []Change) bool {
	valid := true
	for _, change := range changes {
		c.guard("", change.Config)
		c.guard("", change.AtApply)
		if kind, _ := beside(change.Address); change.Config == nil || kind != "" {
			continue
		}
		config, ok := p.config(change, true, func(ref) any { return Unknown })
		valid = ok && p.validate(change.Address, config) && valid
	}
	return valid
}

// config is the block's value; what the schema does not have is an error.
func (p *process) config(change Change, planning bool, look func(ref) any) (tftypes.Value, bool) {
	block := p.core.block(typeOf(change.Address))
	value, problems := encodeBlock(block, resolve(change.body(planning), planning, look).(map[string]any))
	for _, problem := range problems {
		p.add(Diagnostic{Error: true, Address: change.Address, Summary: "Unsupported argument", Detail: problem})
	}
	return value, len(problems) == 0
}

func (p *process) validate(address string, config tftypes.Value) bool {
	resp, ok := call(p, address, p.server.ValidateResourceConfig, &tfprotov6.ValidateResourceConfigRequest{
		TypeName: typeOf(address), Config: dynamic(config),
		ClientCapabilities: &tfprotov6.ValidateResourceConfigClientCapabilities{WriteOnlyAttributesAllowed: true},
	})
	return ok && !p.report(address, resp.Diagnostics)
}

// walk is one walk over the resources, with a configured process.
type walk struct {
	core     *Core
	p        *process
	planning bool
	plan     *Plan

	mu     sync.Mutex
	opened []func()
}

// look follows a reference: to what is planned, or to the state.
func (w *walk) look(r ref) any {
	kind, _ := beside(r.address)
	if w.planning || kind != "" {
		w.mu.Lock()
		defer w.mu.Unlock()
		switch planned := w.plan.Changes[r.address]; {
		case planned == nil:
		case kind != "" && planned.After == nil:
			return Unknown
		default:
			return At(planned.After, r.path...)
		}
	}
	return w.core.State(r.address).Get(r.path...)
}

func (w *walk) planOne(change Change) bool {
	address := change.Address
	found := &instance{}
	if i := w.core.get(address); i != nil {
		*found = *i
	}
	done := func(planned *Planned) bool {
		if planned == nil {
			return false
		}
		planned.Change, planned.refreshed = change, found
		w.mu.Lock()
		defer w.mu.Unlock()
		w.plan.Changes[address] = planned
		return true
	}
	var ok bool
	if change.imports() && found.current == nil {
		if found.current, ok = w.importOne(change); !ok {
			return false
		}
	}
	if found.current != nil {
		if found.current, ok = w.refresh(address, found.current, change.NoRefresh && !change.imports()); !ok {
			return false
		}
		if found.current == nil && change.imports() {
			w.p.add(Diagnostic{Error: true, Address: address, Summary: "Cannot import non-existent remote object"})
			return false
		}
	}
	deposed := found.deposed != nil
	if deposed {
		if found.deposed, ok = w.refresh(address, found.deposed, change.NoRefresh); !ok {
			return false
		}
		if found.deposed != nil && w.planDelete(address, found.deposed) == nil {
			return false
		}
	}
	var planned *Planned
	switch {
	case change.Config != nil:
		planned = w.planChange(change, found.current, nil)
	case found.current == nil:
		planned = &Planned{Action: NoOp}
	default:
		planned = w.planDelete(address, found.current)
	}
	if planned != nil {
		planned.deposed = deposed
	}
	return done(planned)
}

// upgrade reads an object out of the state file.
func (w *walk) upgrade(address string, o *object) (tftypes.Value, bool) {
	typ := w.core.block(o.typeName).ValueType()
	resp, ok := call(w.p, address, w.p.server.UpgradeResourceState, &tfprotov6.UpgradeResourceStateRequest{
		TypeName: o.typeName, Version: o.version, RawState: &tfprotov6.RawState{JSON: o.value},
	})
	if !ok || w.p.report(address, resp.Diagnostics) {
		return tftypes.NewValue(typ, nil), false
	}
	v, err := resp.UpgradedState.Unmarshal(typ)
	must(err)
	return v, true
}

// refresh reads an object; nil when it is gone.
func (w *walk) refresh(address string, o *object, skip bool) (*object, bool) {
	block := w.core.block(o.typeName)
	value, ok := w.upgrade(address, o)
	if !ok {
		return nil, false
	}
	fresh := *o
	if !skip {
		resp, ok := call(w.p, address, w.p.server.ReadResource, &tfprotov6.ReadResourceRequest{
			TypeName: o.typeName, CurrentState: dynamic(value), Private: o.private, CurrentIdentity: w.identityOf(o),
		})
		if !ok || w.p.report(address, resp.Diagnostics) {
			return nil, false
		}
		read, err := resp.NewState.Unmarshal(block.ValueType())
		must(err)
		if read.IsNull() {
			return nil, true
		}
		held := writeOnly(block, address, read)
		if !read.IsFullyKnown() || len(held) > 0 {
			w.p.add(Diagnostic{Error: true, Address: address, Summary: "Provider produced invalid object", Detail: "after refresh: " + strings.Join(held, ", ")})
			return nil, false
		}
		value, fresh.private = read, resp.Private
		fresh.identity = w.identity(address, o.typeName, resp.NewIdentity, o.identity)
	}
	fresh.value, fresh.version = stateJSON(value), w.core.schema.ResourceSchemas[o.typeName].Version
	return &fresh, true
}

func (w *walk) importOne(change Change) (*object, bool) {
	typeName := typeOf(change.Address)
	req := &tfprotov6.ImportResourceStateRequest{TypeName: typeName, ID: change.ImportID}
	w.core.guard("user_id", change.ImportID)
	if change.ImportIdentity != nil {
		w.core.guard("", change.ImportIdentity)
		schema := w.core.ids[typeName]
		if schema == nil {
			w.p.add(Diagnostic{Error: true, Address: change.Address, Summary: "The resource has no identity"})
			return nil, false
		}
		identity, err := encode(schema.ValueType(), change.ImportIdentity)
		must(err)
		req.Identity = &tfprotov6.ResourceIdentityData{IdentityData: dynamic(identity)}
	}
	resp, ok := call(w.p, change.Address, w.p.server.ImportResourceState, req)
	if !ok || w.p.report(change.Address, resp.Diagnostics) {
		return nil, false
	}
	if len(resp.ImportedResources) != 1 {
		w.p.add(Diagnostic{Error: true, Address: change.Address, Summary: fmt.Sprintf("%d resources imported", len(resp.ImportedResources))})
		return nil, false
	}
	got := resp.ImportedResources[0]
	value, err := got.State.Unmarshal(w.core.block(typeName).ValueType())
	must(err)
	if held := writeOnly(w.core.block(typeName), change.Address, value); value.IsNull() || len(held) > 0 {
		w.p.add(Diagnostic{Error: true, Address: change.Address, Summary: "Import returned an invalid object", Detail: strings.Join(held, ", ")})
		return nil, false
	}
	return &object{
		typeName: typeName, version: w.core.schema.ResourceSchemas[typeName].Version, value: stateJSON(value), private: got.Private,
		identity: w.identity(change.Address, typeName, got.Identity, nil),
	}, true
}

func (w *walk) identityOf(o *object) *tfprotov6.ResourceIdentityData {
	if o == nil || o.identity == nil {
		return nil
	}
	return &tfprotov6.ResourceIdentityData{IdentityData: dynamic(*o.identity)}
}

// identity reads an identity; without one the old one stays.
func (w *walk) identity(address, typeName string, data *tfprotov6.ResourceIdentityData, old *tftypes.Value) *tftypes.Value {
	schema := w.core.ids[typeName]
	if schema == nil || data == nil || data.IdentityData == nil {
		return old
	}
	v, err := data.IdentityData.Unmarshal(schema.ValueType())
	must(err)
	if v.IsNull() {
		return old
	}
	if !v.IsFullyKnown() {
		w.p.add(Diagnostic{Error: true, Address: address, Summary: "Provider produced invalid identity"})
		return old
	}
	return &v
}

// planDelete plans the destruction of an object.
func (w *walk) planDelete(address string, o *object) *Planned {
	block := w.core.block(o.typeName)
	null := tftypes.NewValue(block.ValueType(), nil)
	prior := w.core.read(o)
	resp, ok := call(w.p, address, w.p.server.PlanResourceChange, &tfprotov6.PlanResourceChangeRequest{
		TypeName: o.typeName, PriorState: dynamic(prior), ProposedNewState: dynamic(null), Config: dynamic(null),
		PriorPrivate: o.private, PriorIdentity: w.identityOf(o),
	})
	if !ok || w.p.report(address, resp.Diagnostics) {
		return nil
	}
	planned, err := resp.PlannedState.Unmarshal(block.ValueType())
	must(err)
	if !planned.IsNull() {
		w.p.add(Diagnostic{Error: true, Address: address, Summary: "Provider produced invalid plan", Detail: "a destruction must be planned as null"})
		return nil
	}
	return &Planned{Action: Delete, before: prior, after: null, private: resp.PlannedPrivate}
}

// planChange plans an object with a configuration. In an apply, was is what the plan
// said.
func (w *walk) planChange(change Change, o *object, was *Planned) *Planned {
	address, typeName := change.Address, typeOf(change.Address)
	block := w.core.block(typeName)
	null := tftypes.NewValue(block.ValueType(), nil)
	config, ok := w.p.config(change, w.planning, w.look)
	if !ok || !w.p.validate(address, config) {
		return nil
	}
	if !w.planning && !config.IsFullyKnown() {
		w.p.add(Diagnostic{Error: true, Address: address, Summary: "Configuration contains unknown value"})
		return nil
	}
	prior, current := null, null
	var private []byte
	var identity *tfprotov6.ResourceIdentityData
	if o != nil {
		current = w.core.read(o)
		if !o.tainted {
			prior, private, identity = current, o.private, w.identityOf(o)
		}
	}
	ask := func(prior tftypes.Value, private []byte) (*tfprotov6.PlanResourceChangeResponse, tftypes.Value, bool) {
		resp, ok := call(w.p, address, w.p.server.PlanResourceChange, &tfprotov6.PlanResourceChangeRequest{
			TypeName: typeName, PriorState: dynamic(prior), ProposedNewState: dynamic(proposed(block, prior, config)), Config: dynamic(config),
			PriorPrivate: private, PriorIdentity: identity, ClientCapabilities: &tfprotov6.PlanResourceChangeClientCapabilities{},
		})
		if !ok {
			return nil, null, false
		}
		planned := null
		if resp.PlannedState != nil {
			var err error
			planned, err = resp.PlannedState.Unmarshal(block.ValueType())
			must(err)
		}
		return resp, planned, true
	}
	resp, planned, ok := ask(prior, private)
	if !ok || w.p.report(address, resp.Diagnostics) {
		return nil
	}
	if problems := invalidPlan(block, address, prior, config, planned); len(problems) > 0 {
		w.p.add(Diagnostic{Error: true, Address: address, Summary: "Provider produced invalid plan", Detail: strings.Join(problems, "\n")})
		w.core.t.Errorf("%s: invalid plan: %s", address, strings.Join(problems, "\n"))
		return nil
	}
	out := &Planned{Change: change, private: resp.PlannedPrivate, identity: resp.PlannedIdentity}
	for _, path := range resp.RequiresReplace {
		out.RequiresReplace = append(out.RequiresReplace, pathText(path))
	}
	same := planned.Equal(prior)
	switch {
	case prior.IsNull():
		out.Action = Create
	case change.Replace && w.planning || len(out.RequiresReplace) > 0 && !same || was != nil && was.Action == Replace:
		// In this order: once as a change, and once more as if nothing had been there,
		// of which only errors are shown.
		out.Action = Replace
		resp, planned, ok = ask(null, resp.PlannedPrivate)
		if !ok {
			return nil
		}
		if again := w.p.convert(address, resp.Diagnostics); len(again.only(true)) > 0 {
			w.p.add(again...)
			return nil
		}
		out.private, out.identity = resp.PlannedPrivate, resp.PlannedIdentity
	case same:
		out.Action = NoOp
	default:
		out.Action = Update
	}
	if out.Action == Create && (o != nil && o.tainted || was != nil && was.Action == Replace) {
		out.Action = Replace
	}
	out.before, out.after = current, planned
	out.After, _ = decode(planned).(map[string]any)
	return out
}

// dependencies are a change's, those by reference among them.
func dependencies(change Change) []string {
	all := slices.Clone(change.After)
	var find func(v any)
	find = func(v any) {
		switch v := v.(type) {
		case ref:
			all = append(all, v.address)
		case map[string]any:
			for _, inner := range v {
				find(inner)
			}
		case []any:
			for _, inner := range v {
				find(inner)
			}
		}
	}
	find(change.Config)
	return all
}

// Output is the plan as JSON, for a test that looks for what must not be in it.
func (p *Plan) Output() string {
	all := map[string]any{}
	for address, planned := range p.Changes {
		all[address] = map[string]any{"action": planned.Action, "before": printable(planned.before), "after": printable(planned.after)}
	}
	raw, err := json.Marshal(all)
	must(err)
	return string(raw)
}

func printable(v tftypes.Value) any {
	if v.Type() == nil {
		return nil
	}
	return decode(withoutUnknown(v))
}
