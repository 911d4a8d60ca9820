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
	logged  bool   // its log is there
	acts    []act
	others  []string     // changes of other providers
	errors  []diagnostic // that fail the plan
	general []diagnostic // warnings about nobody
	ids     map[string]bool
	longest int // of the ids, in bytes
}

// act is one change of one resource of this provider.
type act struct {
	address  string // as it may be shown
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
	p := &Plan{ids: map[string]bool{}}
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
	var shown tfjson.Plan
	if err := shown.UnmarshalJSON(raw); err != nil {
		return nil, fmt.Errorf("plan: %w", err)
	}
	var more struct{ Errored bool } // tfjson leaves it out
	if err := json.Unmarshal(raw, &more); err != nil {
		return nil, fmt.Errorf("plan: %w", err)
	}
	p.Errored = p.Errored || more.Errored
	p.made, p.cli = shown.Timestamp, shown.TerraformVersion
	p.partial = shown.Complete != nil && !*shown.Complete && !p.Errored
	p.readChanges(&shown, said)
	return p, nil
}

func (p *Plan) readChanges(shown *tfjson.Plan, said map[string][]diagnostic) {
	for _, rc := range shown.ResourceChanges {
		if rc.Mode == tfjson.ManagedResourceMode && strings.HasPrefix(rc.Type, prefix) {
			for _, id := range changeOf(rc, p.made).subjects() {
				p.ids[id], p.longest = true, max(p.longest, len(id))
			}
		}
	}
	for _, rc := range shown.ResourceChanges {
		if rc.Mode != tfjson.ManagedResourceMode {
			continue
		}
		c := changeOf(rc, p.made)
		switch {
		case c.action == nothing && rc.Change.Importing == nil:
		case !strings.HasPrefix(rc.Type, prefix):
			p.others = append(p.others, p.shown(rc.Address))
		default:
			a := c.judge(said[rc.Address])
			a.address = p.shown(rc.Address)
			if rc.DeposedKey != "" {
				a.address += " (deposed)"
			}
			a.request = p.masked(a.request)
			for name, value := range a.labels {
				a.labels[name] = p.masked(value)
			}
			p.acts = append(p.acts, a)
		}
	}
	for _, action := range shown.ActionInvocations {
		p.others = append(p.others, p.shown(action.Address))
	}
	slices.Sort(p.others)
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

// Unapproved is all of the plan that somebody has to look at, by request or address.
func (p *Plan) Unapproved() (why []string) {
	if p.Errored {
		why = append(why, "the plan has errors")
	}
	if p.partial {
		why = append(why, "the plan is not complete")
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

const hidden = "‹id›"
