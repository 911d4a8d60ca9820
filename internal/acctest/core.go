// Copyright (c) the terraform-provider-streamchat authors
// SPDX-License-Identifier: MPL-2.0

package acctest

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
	"github.com/hashicorp/terraform-plugin-go/tftypes"
)

// Core plays Terraform to the provider, in this process: it asks and answers
// through the protocol as Terraform's core does, and holds the provider to the
// same rules. It has a state; a plan and an apply are processes of their own, as
// with the CLI, so that the provider remembers nothing but what it stored.
//
// What Terraform does with a configuration before a provider sees it (expressions,
// count, conditions) is not played.
type Core struct {
	// Provider is the configuration of the provider block; it may change between
	// runs.
	Provider Config

	t      testing.TB
	stream *Stream
	schema *tfprotov6.GetProviderSchemaResponse
	ids    map[string]*tfprotov6.ResourceIdentitySchema

	mu      sync.Mutex
	secrets map[string]bool
	running map[*process]bool
	state   map[string]*instance
}

// instance is a resource in state: the current object, and what
// create_before_destroy has left.
type instance struct{ current, deposed *object }

// object is what the state file holds of a resource.
type object struct {
	typeName string
	version  int64
	value    []byte // JSON
	private  []byte
	identity *tftypes.Value
	tainted  bool
	after    []string // what it depends on: the order of destroys outlives its block
}

// NewCore starts with an empty state. extra goes into the provider block, over the
// address and credentials of the emulator.
func NewCore(t testing.TB, stream *Stream, extra Config) *Core {
	t.Helper()
	c := &Core{
		t: t, stream: stream, secrets: map[string]bool{}, running: map[*process]bool{}, state: map[string]*instance{},
		Provider: Config{
			"base_url": stream.URL, "api_key": stream.APIKey(), "api_secret": stream.APISecret(),
			"pseudonym_key": PseudonymKey, "delete_calls_per_minute": 1000,
		},
	}
	maps.Copy(c.Provider, extra)
	c.Secret(stream.APIKey(), stream.APISecret(), PseudonymKey)
	p := c.start()
	defer p.end()
	var err error
	if c.schema, err = p.server.GetProviderSchema(p.ctx, &tfprotov6.GetProviderSchemaRequest{}); err != nil {
		t.Fatal(err)
	}
	p.report("", c.schema.Diagnostics)
	identities, err := p.server.GetResourceIdentitySchemas(p.ctx, &tfprotov6.GetResourceIdentitySchemasRequest{})
	if err != nil {
		t.Fatal(err)
	}
	c.ids = identities.IdentitySchemas
	return c
}

// Switch leads the credentials to another Stream, as somebody who has exported the
// wrong environment.
func (c *Core) Switch(to *Stream) {
	c.stream = to
	c.Provider["base_url"], c.Provider["api_key"], c.Provider["api_secret"] = to.URL, to.APIKey(), to.APISecret()
}

// Fork is another run's view of the same state: what it does to its own is not seen
// here.
func (c *Core) Fork() *Core {
	c.mu.Lock()
	defer c.mu.Unlock()
	f := &Core{
		t: c.t, stream: c.stream, schema: c.schema, ids: c.ids, Provider: maps.Clone(c.Provider),
		secrets: maps.Clone(c.secrets), running: map[*process]bool{}, state: map[string]*instance{},
	}
	for address, i := range c.state {
		copied := *i
		f.state[address] = &copied
	}
	return f
}

// Secret registers what no diagnostic and no line of the log above DEBUG may hold.
// Ids in configurations (user_id, cids, …) register themselves.
func (c *Core) Secret(values ...string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, v := range values {
		c.secrets[v] = true
	}
}

// subjects are the arguments that name somebody.
var subjects = []string{
	"user_id", "user_ids", "user_id_wo", "user_ids_wo", "cid", "cids", "message_id", "new_channel_owner_id", "new_call_owner_id",
	"api_key", "api_secret", "pseudonym_key", "expected_wo",
}

// shortest is how long an id must be to be looked for: "a" is in every word.
const shortest = 5

// guard registers the ids of a configuration.
func (c *Core) guard(name string, v any) {
	switch v := v.(type) {
	case map[string]any:
		for inner, value := range v {
			if slices.Contains(subjects, name) {
				inner = name
			}
			c.guard(inner, value)
		}
	case map[string]string:
		for inner, value := range v {
			if slices.Contains(subjects, name) {
				inner = name
			}
			c.guard(inner, value)
		}
	case later:
		c.guard(name, v.value)
	case []any:
		for _, value := range v {
			c.guard(name, value)
		}
	case []string:
		for _, value := range v {
			c.guard(name, value)
		}
	case string:
		if len(v) >= shortest && slices.Contains(subjects, name) {
			c.Secret(v)
		}
	}
}

// tells finds a secret in a text.
func (c *Core) tells(text string) (secret string, told bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for s := range c.secrets {
		if strings.Contains(text, s) {
			return s, true
		}
	}
	return "", false
}

// Diagnostic is an error or a warning.
type Diagnostic struct {
	// Address is the resource that it is about.
	Address string
	Error   bool
	// Path is the attribute, e.g. "delete.user" or "user_ids[1]".
	Path            string
	Summary, Detail string
}

func (d Diagnostic) String() string {
	kind := "Warning"
	if d.Error {
		kind = "Error"
	}
	return fmt.Sprintf("%s: %s (%s %s)\n%s", kind, d.Summary, d.Address, d.Path, d.Detail)
}

// Diagnostics are those of a plan or an apply.
type Diagnostics []Diagnostic

func (d Diagnostics) String() string {
	texts := make([]string, len(d))
	for i := range d {
		texts[i] = d[i].String()
	}
	return strings.Join(texts, "\n")
}

// Say reports that one of them holds the text, whatever its line breaks.
func (d Diagnostics) Say(text string) bool {
	return slices.ContainsFunc(d, func(d Diagnostic) bool {
		return strings.Contains(strings.Join(strings.Fields(d.Summary+". "+d.Detail), " "), text)
	})
}

// At reports that one of them is about an attribute, or about what is in it.
func (d Diagnostics) At(path string) bool {
	return slices.ContainsFunc(d, func(d Diagnostic) bool { return strings.HasPrefix(d.Path, path) })
}

func (d Diagnostics) only(errs bool) Diagnostics {
	var some Diagnostics
	for _, one := range d {
		if one.Error == errs {
			some = append(some, one)
		}
	}
	return some
}

// Resource is a resource in state.
type Resource struct {
	// Values are its attributes; see [At].
	Values  map[string]any
	Tainted bool
	// Deposed: an older object waits for its destruction.
	Deposed bool
	// Private is the provider's own data, Identity the resource's identity.
	Private  map[string]string
	Identity map[string]any
}

// Get is a value of the resource, nil when there is none.
func (r *Resource) Get(path ...any) any {
	if r == nil {
		return nil
	}
	return At(r.Values, path...)
}

// State is a resource in state, nil when it is not there.
func (c *Core) State(address string) *Resource {
	c.t.Helper()
	i := c.get(address)
	if i == nil || i.current == nil {
		return nil
	}
	r := &Resource{Values: decode(c.read(i.current)).(map[string]any), Tainted: i.current.tainted, Deposed: i.deposed != nil, Private: privateOf(i.current.private)}
	if i.current.identity != nil {
		r.Identity, _ = decode(*i.current.identity).(map[string]any)
	}
	return r
}

// Addresses are all resources in state, in order.
func (c *Core) Addresses() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return sorted(c.state)
}

// Taint marks a resource as terraform taint does, Untaint takes the mark off.
func (c *Core) Taint(address string)   { c.get(address).current.tainted = true }
func (c *Core) Untaint(address string) { c.get(address).current.tainted = false }

// Move renames a resource, as a moved block or terraform state mv.
func (c *Core) Move(from, to string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.state[to] = c.state[from]
	delete(c.state, from)
}

// Forget drops a resource from state, as a removed block or terraform state rm.
func (c *Core) Forget(address string) { c.put(address, nil) }

// Alter changes the values of a resource in state, as somebody with an editor or an
// older provider.
func (c *Core) Alter(address string, change func(values map[string]any)) {
	c.t.Helper()
	o := *c.get(address).current
	var values map[string]any
	must(json.Unmarshal(o.value, &values))
	change(values)
	raw, err := json.Marshal(values)
	must(err)
	o.value = raw
	c.put(address, &instance{current: &o, deposed: c.get(address).deposed})
}

func (c *Core) get(address string) *instance {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.state[address]
}

// after are what a resource in state depends on.
func (c *Core) after(address string) []string {
	if i := c.get(address); i != nil && i.current != nil {
		return i.current.after
	}
	return nil
}

func (c *Core) put(address string, i *instance) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if i == nil || i.current == nil && i.deposed == nil {
		delete(c.state, address)
		return
	}
	c.state[address] = i
}

// set changes one object of an instance and leaves the other, which may be applied at the
// same time.
func (c *Core) set(address string, change func(*instance)) {
	c.mu.Lock()
	defer c.mu.Unlock()
	var i instance
	if was := c.state[address]; was != nil {
		i = *was
	}
	change(&i)
	if c.state[address] = &i; i.current == nil && i.deposed == nil {
		delete(c.state, address)
	}
}

// read is the object's value, read by the test and not through the provider.
func (c *Core) read(o *object) tftypes.Value {
	c.t.Helper()
	v, err := (tfprotov6.RawState{JSON: o.value}).Unmarshal(c.block(o.typeName).ValueType())
	if err != nil {
		c.t.Fatalf("the state of a %s: %v", o.typeName, err)
	}
	return v
}

func (c *Core) block(typeName string) *tfprotov6.SchemaBlock {
	c.t.Helper()
	s := c.schema.ResourceSchemas[typeName]
	if s == nil {
		c.t.Fatalf("the provider has no resource %s", typeName)
	}
	return s.Block
}

// privateOf are the provider's own keys, without the framework's.
func privateOf(raw []byte) map[string]string {
	var keys map[string]string
	if len(raw) == 0 || json.Unmarshal(raw, &keys) != nil {
		return nil
	}
	out := map[string]string{}
	for key, value := range keys {
		if decoded, err := base64.StdEncoding.DecodeString(value); err == nil && !strings.HasPrefix(key, ".") {
			out[key] = string(decoded)
		}
	}
	return out
}

func typeOf(address string) string {
	typeName, _, _ := strings.Cut(address, ".")
	return typeName
}
