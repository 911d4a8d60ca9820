// Copyright (c) the terraform-provider-streamchat authors
// SPDX-License-Identifier: MPL-2.0

package comment

import (
	"bufio"
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	tfjson "github.com/hashicorp/terraform-json"
)

// Plan is what a reviewer has to know of one plan.
type Plan struct {
	Errored bool // it has errors, and no apply takes it

	made    string // when, RFC 3339
	cli     string // the version
	partial bool   // by -target or deferral
	unsaid  bool   // neither the plan nor a log says whether it is complete
	empty   bool   // it has no list of changes
	logged  bool   // its log is there
	acts    []act
	others  []string     // changes of other providers
	errors  []diagnostic // that fail the plan
	general []diagnostic // warnings about nobody
	ids     map[string]bool
	longest int             // of the ids, in bytes
	keys    map[string]bool // of for_each, that are no ids
}

// act is one change of one resource of this provider.
type act struct {
	address  string // as it may be shown
	key      string // of this one alone
	whole    string // what the digest is of
	typeName string
	request  string
	labels   map[string]string
	app      string
	count    int // subjects that the apply acts on
	effect   effect
	modes    string   // how, in the words of the configuration
	stays    []string // not_covered
	later    string   // what removing the block would do
	facts    []string // of the subject, from the warnings
	subjects []string // ids
	// pseudonym stands for somebody whose id is in no plan, shortened.
	pseudonym string
	approved  bool // an apply before began it, and nothing has changed since
	nameless  bool // a record without ids: only the log says who left it or is active again
}

type diagnostic struct {
	Severity, Summary, Detail, Address string
}

// shows reports that the detail may be shown. The CLI's own quotes values; the provider's names
// nobody, and a condition's is what the configuration's author wrote for its readers, in
// which the CLI shows no sensitive or ephemeral value. It must name nobody: ids are masked in
// it, but of a plan that failed early none is known.
func (d diagnostic) shows() bool {
	return strings.Contains(d.Address, prefix) ||
		slices.Contains([]string{
			"Resource precondition failed", "Resource postcondition failed", "Check block assertion failed",
			"No value for required variable", "Missing required argument", // these name what is missing
		}, d.Summary)
}

// Read reads a saved plan as "show -json" prints it, and the log of the "plan -json"
// that made it. Either may be nil: a plan that failed early leaves only its log.
func Read(plan, log io.Reader) (*Plan, error) {
	if plan == nil && log == nil {
		return nil, errors.New("neither a plan nor its log is given")
	}
	p := &Plan{ids: map[string]bool{}, keys: map[string]bool{}}
	said := map[string][]diagnostic{}
	if p.logged = log != nil; p.logged {
		if err := p.readLog(log, said); err != nil {
			return nil, fmt.Errorf("log: %w", err)
		}
	}
	if plan == nil {
		if !p.Errored {
			return nil, errors.New("the log has no error, so the plan itself is needed")
		}
		return p, nil
	}
	raw, err := io.ReadAll(plan)
	if err != nil {
		return nil, fmt.Errorf("plan: %w", err)
	}
	shown, more, err := parse(raw)
	if err != nil {
		return nil, fmt.Errorf("plan: %w", err)
	}
	p.Errored = p.Errored || more.Errored
	p.made, p.cli = shown.Timestamp, shown.TerraformVersion
	p.partial = (p.partial || shown.Complete != nil && !*shown.Complete || len(shown.DeferredChanges)+len(more.Deferred) > 0) && !p.Errored
	p.unsaid, p.empty = shown.Complete == nil && !p.logged, shown.ResourceChanges == nil
	p.readChanges(shown, said)
	p.readActions(shown, more)
	slices.Sort(p.others)
	return p, nil
}

// know takes the ids that no text may show.
func (p *Plan) know(c change) {
	for _, id := range append(c.subjects(), c.texts("new_channel_owner_id", "new_call_owner_id")...) {
		p.ids[id], p.longest = true, max(p.longest, len(id))
	}
}

func (p *Plan) readChanges(shown *tfjson.Plan, said map[string][]diagnostic) {
	for _, rc := range shown.ResourceChanges {
		if rc.Mode == tfjson.ManagedResourceMode && strings.HasPrefix(rc.Type, prefix) {
			p.know(changeOf(rc, p.made))
		}
	}
	for _, action := range shown.ActionInvocations {
		p.know(invoked(action))
	}
	for _, rc := range shown.ResourceChanges {
		for i, key := range strings.Split(rc.Address, `"`) {
			p.keys[key] = p.keys[key] || i%2 == 1
		}
		if rc.Mode != tfjson.ManagedResourceMode {
			continue
		}
		c := changeOf(rc, p.made)
		switch {
		case c.action == nothing && rc.Change.Importing == nil:
			for _, d := range said[rc.Address] {
				if strings.HasPrefix(d.Summary, notErased) {
					p.general = append(p.general, d)
				}
			}
		case !strings.HasPrefix(rc.Type, prefix):
			p.others = append(p.others, p.shown(rc.Address))
		default:
			a, deposed := c.judge(said[rc.Address]), ""
			if rc.DeposedKey != "" {
				deposed = " (deposed)"
			}
			p.add(a, c, rc.Address+deposed)
			if n := c.dropped(); n > 0 {
				a.effect, a.count, a.facts, a.modes, a.later, a.stays = drops, n, nil, "", "", nil
				p.add(a, c, rc.Address+deposed+" (dropped)")
			}
		}
	}
}

// add takes an act with the address that names it, unless all of it is that it drops records.
func (p *Plan) add(a act, c change, address string) {
	a.address, a.whole = p.shown(address), c.whole()
	a.key = keyOf(a.address, address)
	a.request = p.masked(a.request)
	for name, value := range a.labels {
		a.labels[name] = p.masked(value)
	}
	if n := len(p.acts); a.effect == drops && p.acts[n-1].effect == books {
		p.acts = p.acts[:n-1]
	}
	p.acts = append(p.acts, a)
}

// readActions takes what leaves no record, and what another plan will show.
func (p *Plan) readActions(shown *tfjson.Plan, more more) {
	for _, invocation := range shown.ActionInvocations {
		if !strings.HasPrefix(invocation.Type, prefix) {
			p.others = append(p.others, p.shown(invocation.Address))
			continue
		}
		c := invoked(invocation)
		trigger, _ := json.Marshal(invocation.LifecycleActionTrigger) // was JSON
		a := c.judge(nil)
		a.address, a.whole = p.shown(invocation.Address), c.whole()
		a.key = a.address + "\x00" + digest(invocation.Address, string(trigger))
		p.acts = append(p.acts, a)
	}
	put := func(typeName, address string) {
		a := act{typeName: typeName, effect: putsOff, count: 1, address: p.shown(address)}
		a.key = keyOf(a.address, address)
		if !strings.HasPrefix(typeName, prefix) {
			p.others = append(p.others, a.address)
			return
		}
		p.acts = append(p.acts, a)
	}
	for _, deferred := range shown.DeferredChanges {
		put(deferred.ResourceChange.Type, deferred.ResourceChange.Address)
	}
	for _, deferred := range more.Deferred {
		put(deferred.Invocation.Type, deferred.Invocation.Address)
	}
}

// invoked is an action as a change: all that it does is new.
func invoked(action *tfjson.ActionInvocation) change {
	c := change{typeName: action.Type, created: true}
	c.after, _ = action.ConfigValues.(map[string]any)
	c.unknown, _ = action.ConfigUnknown.(map[string]any)
	return c
}

// readLog takes the diagnostics from a log of JSON lines; other lines may be among them.
func (p *Plan) readLog(log io.Reader, said map[string][]diagnostic) error {
	lines := bufio.NewScanner(log)
	lines.Buffer(nil, 64<<20)
	for lines.Scan() {
		if !bytes.HasPrefix(bytes.TrimSpace(lines.Bytes()), []byte("{")) {
			continue
		}
		var line struct {
			Type       string
			Diagnostic *diagnostic
		}
		if json.Unmarshal(lines.Bytes(), &line) != nil || line.Diagnostic == nil {
			continue
		}
		d := *line.Diagnostic
		switch {
		case d.Severity == "error":
			p.Errored = true
			p.errors = append(p.errors, d)
		case d.Address == "" || d.Summary == holdUnseen:
			p.partial = p.partial || d.Summary == targeted
			// A destroy has no address; what it does is in the plan itself.
			if !strings.HasPrefix(d.Summary, "Destroying ") && !slices.ContainsFunc(p.general, func(o diagnostic) bool { return o.Summary == d.Summary && (o.Detail == d.Detail || !d.shows()) }) {
				p.general = append(p.general, d)
			}
		default:
			said[d.Address] = append(said[d.Address], d)
		}
	}
	return lines.Err()
}

// OnlyApproved reports that applying the plan only finishes what an apply before has begun,
// so that nobody has to approve it again: it asks for results, and erases what was
// scheduled, is due and has not changed since. A task that Stream no longer knows is sent
// again, as by every apply.
func (p *Plan) OnlyApproved() bool { return len(p.Unapproved()) == 0 }

// Judged reports that the plan lists its changes: what lists none may be anything.
func (p *Plan) Judged() error {
	if p.empty && !p.Errored {
		return errors.New("plan: it has no resource_changes")
	}
	return nil
}

// Unapproved is all of the plan that somebody has to look at, by request or address.
func (p *Plan) Unapproved() (why []string) {
	if p.Errored {
		why = append(why, "the plan has errors")
	}
	if p.partial {
		why = append(why, "the plan is not complete")
	}
	if p.unsaid {
		why = append(why, "without the log nobody can say whether the plan is complete")
	}
	for _, a := range p.acts {
		switch {
		case !a.approved:
			why = append(why, clip(clean(cmp.Or(a.request, a.address)), widest))
		case a.nameless && !p.logged:
			why = append(why, clip(clean(cmp.Or(a.request, a.address)), widest)+" (without the log nobody can say who left it or is active again)")
		}
	}
	return append(why, p.others...)
}

// Irreversible counts the acts that cannot be undone, or that nobody here can judge.
func (p *Plan) Irreversible() (n int) {
	for _, a := range p.acts {
		if a.effect.final() {
			n++
		}
	}
	return n
}

// shown is an address without the ids that may be keys in it.
func (p *Plan) shown(address string) string {
	parts := strings.Split(address, `"`)
	for i := 1; i < len(parts); i += 2 {
		parts[i] = p.masked(parts[i])
	}
	return strings.Join(parts, `"`)
}

// shownIn is the address of an error: its keys may be ids that no plan tells, since it failed
// before it had them.
func (p *Plan) shownIn(address string, o Options) string {
	parts := strings.Split(address, `"`)
	for i := 1; i < len(parts); i += 2 {
		if parts[i] = p.masked(parts[i]); !o.ShowKeys && !p.keys[parts[i]] {
			parts[i] = hiddenKey
		}
	}
	return strings.Join(parts, `"`)
}

// masked is a text of the configuration's without the ids of this plan's subjects, the longest
// first. Part of a longer word is no id.
func (p *Plan) masked(text string) string {
	var out strings.Builder
	for at := 0; at < len(text); {
		end := at
		if at == 0 || !inID(text[at-1]) {
			for end = min(len(text), at+p.longest); end > at && (end < len(text) && inID(text[end]) || !p.ids[text[at:end]]); {
				end--
			}
		}
		if end > at {
			out.WriteString(hidden)
			at = end
			continue
		}
		out.WriteByte(text[at])
		at++
	}
	return out.String()
}

// inID reports that a character makes another word of an id beside it. An id may hold @ as
// well, but texts put it before a name.
func inID(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || strings.IndexByte("_-", c) >= 0
}

const hidden, hiddenKey = "‹id›", "‹key›"
