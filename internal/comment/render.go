// Copyright (c) the terraform-provider-streamchat authors
// SPDX-License-Identifier: MPL-2.0

package comment

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Limit is how long a comment may be on GitHub; GitLab takes more.
const Limit = 65536

// Marker is the first line of every comment, by which a pipeline finds its own.
const Marker = "<!-- streamchat-comment -->"

// Options of Markdown.
type Options struct {
	ShowIDs  bool   // name people by their ids as well
	ShowKeys bool   // show keys of for_each of which no plan tells whether they are ids
	Limit    int    // in bytes; none when 0
	Previous string // the last comment on the same pull request
}

// A section is written in less and less detail until the whole fits.
const (
	full    = iota // everything that is known
	short          // request and facts
	names          // requests alone
	cut            // a number of requests, and from here on half as many each time
	deepest = cut + 20
)

// most is how many names or errors are listed where the number says enough.
const most = 20

// Markdown is the comment. It never leaves out an act that cannot be undone without
// saying so on top.
func (p *Plan) Markdown(o Options) string {
	seen := p.compare(o.Previous)
	groups := p.groups()
	details := make([]int, len(groups))
	memory := p.memory()
	for {
		text := p.write(groups, details, seen, o)
		if o.Limit <= 0 || len(text)+len(memory) <= o.Limit {
			return text + memory
		}
		// What matters least is shortened first. The next comparison is worth less than
		// a name of somebody who goes for good.
		i := shorten(groups, details)
		switch {
		case memory != "" && (i < 0 || groups[i].effect.final() && details[i] >= names):
			memory = ""
		case i < 0:
			return text
		default:
			details[i]++
		}
	}
}

// shorten picks the group that loses its details next.
func shorten(groups []group, details []int) int {
	for _, floor := range []int{short, names, deepest} {
		for i := len(groups) - 1; i >= 0; i-- {
			at := floor
			if groups[i].effect.final() && floor == names {
				at = short // the facts of those who go for good stay longest
			}
			if details[i] < at {
				return i
			}
		}
	}
	return -1
}

// group is acts that differ only in whom they are about.
type group struct {
	effect   effect
	app      string
	typeName string
	modes    string
	stays    string
	later    string
	common   []string // facts that hold for all
	acts     []act
}

func (p *Plan) groups() []group {
	var groups []group
	index := map[string]int{}
	for _, a := range p.acts {
		key := fmt.Sprintf("%d %q %q %q %q %q %q", a.effect, a.app, a.subject(), a.effect.of(a.typeName), a.modes, a.stays, a.later)
		at, ok := index[key]
		if !ok {
			at = len(groups)
			index[key] = at
			groups = append(groups, group{a.effect, a.app, a.typeName, a.modes, strings.Join(a.stays, ", "), a.later, nil, nil})
		}
		groups[at].acts = append(groups[at].acts, a)
	}
	for i := range groups {
		groups[i].hoist()
	}
	slices.SortStableFunc(groups, func(a, b group) int { return cmp.Compare(a.effect, b.effect) })
	return groups
}

// hoist says once what is true of all of the group.
func (g *group) hoist() {
	if len(g.acts) < 2 {
		return
	}
	count := map[string]int{}
	for _, a := range g.acts {
		for _, fact := range slices.Compact(slices.Clone(a.facts)) {
			count[fact]++
		}
	}
	for _, fact := range g.acts[0].facts {
		if count[fact] == len(g.acts) {
			g.common = append(g.common, fact)
		}
	}
	g.acts = slices.Clone(g.acts)
	for i := range g.acts {
		g.acts[i].facts = slices.DeleteFunc(slices.Clone(g.acts[i].facts), func(f string) bool { return slices.Contains(g.common, f) })
	}
}

func (g *group) subjects() string {
	n := 0
	for _, a := range g.acts {
		n += a.count
	}
	k, ok := kindOf(g.typeName)
	if !ok {
		return counted(n, "resource", "resources") + " of type " + code(g.typeName)
	}
	return counted(n, k.one, k.many) + g.effect.of(g.typeName)
}

func counted(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}

func (p *Plan) write(groups []group, details []int, seen comparison, o Options) string {
	var lists strings.Builder
	hiddenActs, hiddenFinal := 0, 0
	for i, g := range groups {
		if i == 0 || groups[i-1].effect != g.effect {
			fmt.Fprintf(&lists, "\n### %s\n\n%s\n", effects[g.effect].title, effects[g.effect].says)
		}
		left := g.write(&lists, details[i], seen, o)
		hiddenActs += left
		if g.effect.final() {
			hiddenFinal += left
		}
	}

	var b strings.Builder
	b.WriteString(Marker + "\n" + p.title() + "\n")
	if hiddenFinal > 0 {
		fmt.Fprintf(&b, "\n> **%d that cannot be undone are not listed below, for lack of room. Do not approve on this comment alone: read the plan.**\n", hiddenFinal)
	} else if hiddenActs > 0 {
		fmt.Fprintf(&b, "\n> %d that can be undone, or change nothing at Stream, are not listed below, for lack of room.\n", hiddenActs)
	}
	p.writeErrors(&b, o)
	p.writeSummary(&b, groups)
	seen.write(&b)
	b.WriteString(lists.String())
	p.writeRest(&b)
	return b.String()
}

func (p *Plan) title() string {
	switch n := p.Irreversible(); {
	case p.Errored:
		return "## Stream: this plan has errors, nothing can be applied"
	case n > 0:
		return "## Stream: " + counted(n, "change that cannot be undone", "changes that cannot be undone")
	case len(p.acts) == 0:
		return "## Stream: no changes"
	}
	return "## Stream: nothing that cannot be undone"
}

func (p *Plan) writeErrors(b *strings.Builder, o Options) {
	if len(p.errors) == 0 {
		if p.Errored {
			b.WriteString("\nThe errors are in the log of the plan.\n")
		}
		return
	}
	fmt.Fprintf(b, "\n### %s\n\nOne such request holds up all others of this plan: correct it, or take its file out for now, but never that of a scheduled erasure: that calls it off and reactivates the user.\n\n", counted(len(p.errors), "error", "errors"))
	for i, d := range p.errors {
		if i == most {
			fmt.Fprintf(b, "- and %d more, in the log of the plan\n", len(p.errors)-most)
			break
		}
		where := "the configuration"
		if d.Address != "" {
			where = code(p.shownIn(d.Address, o))
		}
		fmt.Fprintf(b, "- **%s**, at %s", plain(d.Summary), where)
		if d.shows() {
			fmt.Fprintf(b, ": %s", plain(p.masked(d.Detail)))
		}
		b.WriteString("\n")
	}
}

func (p *Plan) writeSummary(b *strings.Builder, groups []group) {
	if p.made != "" {
		fmt.Fprintf(b, "\nPlanned %s with version %s of the CLI.\n", plain(p.made), plain(p.cli))
	}
	if p.partial {
		b.WriteString("\n**This plan is not complete** (a target, or changes put off): there may be more.\n")
	}
	if len(groups) == 0 {
		return
	}
	b.WriteString("\n| app | what an apply does | to |\n|---|---|---|\n")
	for _, g := range groups {
		app := "not known yet"
		if g.app != "" {
			app = cell(g.app)
		}
		fmt.Fprintf(b, "| %s | %s | %s |\n", app, effects[g.effect].title, g.subjects()+how(g.modes))
	}
}

func how(modes string) string {
	if modes == "" {
		return ""
	}
	return ": " + plain(modes)
}

// write lists a group and returns how many of its acts it leaves out.
func (g *group) write(b *strings.Builder, detail int, seen comparison, o Options) (left int) {
	app := ""
	if g.app != "" {
		app = " in " + code(g.app)
	}
	fmt.Fprintf(b, "\n**%s**%s%s", g.subjects(), app, how(g.modes))
	for _, line := range []struct{ name, text string }{{"Stays at Stream", g.stays}, {"If the block is removed later", g.later}} {
		if line.text != "" && !slices.Contains([]effect{resumes, books, drops, putsOff}, g.effect) {
			fmt.Fprintf(b, "\\\n%s: %s", line.name, plain(line.text))
		}
	}
	for _, fact := range g.common {
		fmt.Fprintf(b, "\\\n%s", plain(fact))
	}
	b.WriteString("\n\n")
	if detail >= names {
		return g.writeNames(b, detail)
	}
	for _, a := range g.acts {
		fmt.Fprintf(b, "- %s%s", seen.mark(a), who(a))
		if a.request != "" && a.pseudonym != "" {
			fmt.Fprintf(b, ", subject %s", code(a.pseudonym))
		}
		if detail == full && (a.request != "" || a.pseudonym != "") {
			fmt.Fprintf(b, " at %s", code(a.address))
		}
		if k, _ := kindOf(a.typeName); k.subject != "" && a.count != 1 {
			fmt.Fprintf(b, ", %s", counted(a.count, k.one, k.many))
		}
		for _, fact := range a.facts {
			fmt.Fprintf(b, "; %s", plain(strings.TrimSuffix(fact, ".")))
		}
		if detail == full {
			for _, name := range slices.Sorted(maps.Keys(a.labels)) {
				fmt.Fprintf(b, "; %s = %s", code(name), code(a.labels[name]))
			}
			for i, id := range a.subjects {
				if !o.ShowIDs {
					break
				}
				fmt.Fprintf(b, "%s%s", map[bool]string{true: "; id ", false: ", "}[i == 0], code(id))
			}
		}
		b.WriteString("\n")
	}
	return 0
}

// writeNames lists requests in one paragraph, and only as many as the detail allows.
func (g *group) writeNames(b *strings.Builder, detail int) (left int) {
	show := len(g.acts)
	if detail >= cut {
		show >>= detail - cut + 1
	}
	for i, a := range g.acts[:show] {
		if i > 0 {
			b.WriteString(", ")
		}
		b.WriteString(who(a))
	}
	left = len(g.acts) - show
	if left > 0 {
		fmt.Fprintf(b, " **and %d more that are not listed here**", left)
	}
	b.WriteString("\n")
	return left
}

// who names an act by its request, or by where it stands when it has none.
func who(a act) string {
	if a.request != "" {
		return code(a.request)
	}
	if k, _ := kindOf(a.typeName); k.subject == "" || k.record == "action" {
		return code(a.address)
	}
	if a.pseudonym != "" {
		return "subject " + code(a.pseudonym) + " (no request_id)"
	}
	return code(a.address) + " (no request_id)"
}

func (p *Plan) writeRest(b *strings.Builder) {
	if len(p.general) > 0 {
		b.WriteString("\n### Warnings\n\n")
		for i, d := range p.general {
			if i == most {
				fmt.Fprintf(b, "- and %d more\n", len(p.general)-most)
				break
			}
			fmt.Fprintf(b, "- **%s**", plain(d.Summary))
			if strings.HasPrefix(d.Summary, notErased) {
				fmt.Fprintf(b, ", at %s", code(p.shown(d.Address)))
			}
			if d.shows() {
				fmt.Fprintf(b, ": %s", plain(p.masked(d.Detail)))
			}
			b.WriteString("\n")
		}
	}
	if len(p.others) > 0 {
		shown := p.others[:min(len(p.others), most)]
		quoted := make([]string, len(shown))
		for i, address := range shown {
			quoted[i] = code(address)
		}
		fmt.Fprintf(b, "\n### Changes of other providers\n\n%d, which this comment does not judge: %s", len(p.others), strings.Join(quoted, ", "))
		if more := len(p.others) - len(shown); more > 0 {
			fmt.Fprintf(b, " and %d more", more)
		}
		b.WriteString("\n")
	}
}
