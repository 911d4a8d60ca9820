// Copyright (c) the terraform-provider-streamchat authors
// SPDX-License-Identifier: MPL-2.0

package crossing

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/acctest"
	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/emulator"
)

// deed is a run that was applied.
type deed struct {
	Run
	plans   [2]*acctest.Plan
	results [2]*acctest.Result
	// named is whom each block is about, by what it was about before as well.
	named         map[string]map[string]bool
	before, after scene
	from          int // the apply's first request in the history
	begun         time.Time
	ours          []emulator.Request
}

func (d *deed) all() map[string]*acctest.Planned {
	all := map[string]*acctest.Planned{}
	for _, plan := range d.plans {
		if plan != nil {
			maps.Copy(all, plan.Changes)
		}
	}
	return all
}

// changed are the blocks that the plan changes, in order.
func (d *deed) changed() (addresses []string) {
	all := d.all()
	for _, address := range slices.Sorted(maps.Keys(all)) {
		if all[address].Action != acctest.NoOp {
			addresses = append(addresses, address)
		}
	}
	return addresses
}

// beside are the kinds of the changed blocks that name somebody, without one of them; of
// all changed blocks where nobody is asked for.
func (d *deed) beside(id, without string) string {
	found := map[string]bool{}
	for _, address := range d.changed() {
		if address != without && (id == "" || d.named[address][id]) {
			found[word(typeKind(address))] = true
		}
	}
	if len(found) == 0 {
		return "nothing"
	}
	return strings.Join(slices.Sorted(maps.Keys(found)), "+")
}

// word is a kind, of one or of many.
func word(kind Kind) string { return strings.TrimSuffix(string(kind), "_batch") }

func (d *deed) errors() (all acctest.Diagnostics) {
	for _, r := range d.results {
		if r != nil {
			all = append(all, r.Errors...)
		}
	}
	return all
}

var guardTitles = []string{"Guards cannot be checked", "Protected user", "Protected role", "Held user"}

// planned judges the plans and says whether one is refused.
func (m *machine) planned(r Run, plans [2]*acctest.Plan, named map[string]map[string]bool) (refused bool) {
	counts.add("run")
	for _, plan := range plans {
		if plan == nil {
			continue
		}
		m.trace("plan: %s", outline(plan))
		for _, e := range plan.Errors {
			refused = true
			for _, title := range guardTitles {
				if strings.HasPrefix(e.Summary, title) && !m.aliased && !m.reachesSomebody(named) {
					m.violate("I7 refused by a guard that touches nobody: "+string(typeKind(e.Address)), "%s", e)
				}
			}
		}
	}
	if refused {
		counts.add("refused")
		return true
	}
	if r.Only == "" {
		m.oneBlockEach(named)
	}
	return false
}

// oneBlockEach (I11): of two blocks that erase the same subject one is refused, whatever
// the other's plan does.
func (m *machine) oneBlockEach(named map[string]map[string]bool) {
	erases := map[Kind]string{Erase: "person", EraseAll: "person", EraseRoom: "room", EraseRooms: "room", EraseSlip: "message"}
	for i, b := range m.blocks {
		for _, other := range m.blocks[:i] {
			if erases[b.Kind] == "" || erases[b.Kind] != erases[other.Kind] || b.Alias || other.Alias || b.Late || other.Late ||
				b.Import || other.Import { // a claim beside a record sends nothing
				continue
			}
			for id := range named[b.address()] {
				if named[other.address()][id] {
					m.doubled = true
					m.violate("I11 two blocks for one "+erases[b.Kind], "%s and %s", b.address(), other.address())
				}
			}
		}
	}
}

func outline(plan *acctest.Plan) string {
	var parts []string
	for _, address := range slices.Sorted(maps.Keys(plan.Changes)) {
		parts = append(parts, string(plan.Changes[address].Action)+" "+address)
	}
	text := strings.Join(parts, ", ")
	for _, w := range plan.Warnings {
		text += "\n    warning: " + w.Summary
	}
	for _, e := range plan.Errors {
		text += "\n    error: " + e.Summary
	}
	return text
}

// guarded: the guards of the first provider block hold their hand over somebody.
func (m *machine) guarded(u emulator.UserState) bool {
	held := string(u.Custom["legal_hold"])
	return slices.Contains(m.world.people(m.guards.Protect, 0), u.ID) || m.guards.Hold && held != "" && held != "false" || m.guards.Roles && u.Role == "admin"
}

// reachesSomebody: somebody who is guarded, or deleted, so that nobody can tell, is
// named, or shares a room with somebody who is, or wrote in one.
func (m *machine) reachesSomebody(named map[string]map[string]bool) bool {
	now, near := m.look(), map[string]bool{}
	ids := map[string]bool{}
	for _, who := range named {
		maps.Copy(ids, who)
	}
	for n, r := range m.world.Rooms {
		cid := room(n)
		state, _ := m.stream.Channel(cid)
		people := append(append(m.world.people(r.Members, 0), m.world.people(r.By, 0)...), state.Members...)
		touched := ids[cid] || slices.ContainsFunc(people, func(id string) bool { return ids[id] })
		for i := range r.By {
			touched = touched || ids[slip(n, i)]
		}
		for _, id := range people {
			near[id] = near[id] || touched
		}
	}
	for id, u := range now.users {
		if (near[id] || ids[id]) && (m.guarded(u) || u.Deleted) {
			return true
		}
	}
	return false
}

// judge holds the invariants against a run.
func (m *machine) judge(d *deed) {
	for i, r := range d.results {
		if r != nil {
			m.trace("apply %d: %d errors %s", i, len(r.Errors), r.Errors)
		}
	}
	for _, r := range d.ours {
		if slices.Contains(acts, r.Op) {
			m.trace("    %s %v %v %s -> %d %s", r.Op, r.UserIDs, r.CIDs, r.Body, r.Status, r.Fault)
		}
	}
	m.kit()
	switch {
	case len(d.changed()) == 0:
		counts.add("no changes")
	case len(d.errors()) > 0:
		counts.add("failed")
	default:
		counts.add("applied")
		for address, planned := range d.all() {
			if planned.Action != acctest.NoOp {
				counts.add(string(planned.Action) + " " + string(typeKind(address)))
			}
		}
	}
	m.nobodyElse(d)
	m.final()
	m.kept(d)
	if d.During == nil {
		m.conditions(d)
		if !m.aliased {
			m.held(d)
		}
		m.guardsHold(d)
		m.claims(d)
		if !m.aliased {
			m.exports(d)
		}
	}
	if m.aliased || m.doubled {
		return
	}
	if d.calm() && len(d.errors()) == 0 {
		m.stands(d)
		m.quiet(d)
	}
	if d.calm() && !m.disturbed {
		for _, e := range d.errors() {
			// The former is said of a block that takes another's place as soon as that is seen;
			// who is not known in the plan is looked up later.
			if e.Summary == "A deletion cannot be taken back" || d.warns("Subject not known") {
				continue
			}
			sign := "I10 the apply fails: " + e.Summary + " (" + word(typeKind(e.Address)) + ")"
			if slices.ContainsFunc(guardTitles, func(title string) bool { return strings.HasPrefix(e.Summary, title) }) {
				sign = "I10 a guard refuses in the apply and not in the plan"
				if d.warns("Not erased: ") { // a batch goes on without whom it may not take
					continue
				}
			}
			m.violate(sign, "%s", e)
		}
	}
}

var acts = []string{"DeleteUsers", "DeactivateUser", "DeactivateUsers", "ReactivateUser", "ReactivateUsers", "RestoreUsers", "DeleteChannels", "DeleteMessage", "TruncateChannel"}

// nobodyElse (I1): whom a call names is named by a block that the plan changes.
func (m *machine) nobodyElse(d *deed) {
	ids := map[string]bool{}
	for _, address := range d.changed() {
		maps.Copy(ids, d.named[address])
	}
	for _, r := range d.ours {
		if !slices.Contains(acts, r.Op) {
			continue
		}
		subjects := slices.Concat(r.UserIDs, r.CIDs)
		if r.Op == "TruncateChannel" || r.Op == "DeleteMessage" {
			subjects = r.CIDs
		}
		for _, id := range subjects {
			if !ids[id] {
				m.violate("I1 somebody else: "+r.Op, "%s names %s, whom no changed block named in the plan", r.Op, id)
			}
		}
	}
}

// guardsHold (I2): nothing of somebody guarded goes.
func (m *machine) guardsHold(d *deed) {
	if !m.guards.Any() || len(d.ours) == 0 {
		return
	}
	byRoom := func(cid string) bool {
		return slices.ContainsFunc(d.ours, func(r emulator.Request) bool {
			return (r.Op == "DeleteChannels" || r.Op == "TruncateChannel") && slices.Contains(r.CIDs, cid)
		})
	}
	for id, was := range d.before.users {
		if !m.guarded(was) || m.unguarded(d, id) {
			continue
		}
		is := d.after.users[id]
		switch {
		case was.Deleted && (is.HardDeleted && !was.HardDeleted || is.Pruned && !was.Pruned):
			m.violate("I2 guarded and deleted already", "%s is gone for good", id)
		case !was.Deleted && is.Deleted:
			m.violate("I2 guarded", "%s is deleted", id)
		}
		for cid, c := range d.before.rooms {
			if _, there := d.after.rooms[cid]; there || !slices.Contains(c.Members, id) {
				continue
			}
			switch {
			case byRoom(cid):
				m.violate("I2 room of somebody guarded", "%s", cid)
			case len(c.Members) > 2:
				m.violate("I2 room that shrinks", "%s of %s, members %v", cid, id, c.Members)
			case len(c.Members) < 2:
				m.violate("I2 conversation whose other member is deleted already", "%s of %s", cid, id)
			default:
				m.violate("I2 conversation", "%s of %s", cid, id)
			}
		}
		for msg, state := range d.before.messages {
			if _, there := d.after.messages[msg]; there || state.UserID != id || slices.Contains(d.before.rooms[state.CID].Members, id) && d.after.rooms[state.CID].CID == "" {
				continue
			}
			members := d.before.rooms[state.CID].Members
			switch {
			case byRoom(state.CID) && !slices.Contains(members, id):
				m.violate("I2 message of somebody who is no member any more", "%s in %s", msg, state.CID)
			case d.after.rooms[state.CID].CID == "" && !slices.Contains(members, id):
				m.violate("I2 message of somebody who is no member in a conversation", "%s in %s", msg, state.CID)
			case was.Deleted:
				m.violate("I2 guarded and deleted already", "message %s", msg)
			default:
				sign := "I2 message"
				if by := d.beside("", ""); !strings.Contains(by, "erasure") && !strings.Contains(by, "truncation") {
					sign = "I2 message marked by a restriction"
				}
				m.violate(sign, "%s of %s", msg, id)
			}
		}
	}
}

// unguarded: only blocks of the second provider block, which has no guards, acted.
func (m *machine) unguarded(d *deed, _ string) bool {
	return d.plans[1] != nil && slices.ContainsFunc(slices.Collect(maps.Values(d.plans[1].Changes)), func(p *acctest.Planned) bool { return p.Action != acctest.NoOp })
}

func (m *machine) record(address string) *acctest.Resource { return m.core(address).State(address) }

func pseudonym(id string) string {
	mac := hmac.New(sha256.New, []byte(acctest.PseudonymKey))
	mac.Write([]byte(id))
	return hex.EncodeToString(mac.Sum(nil))
}

var modes = []string{"soft", "pruning", "hard"}

var done = []string{"erased", "pruned", "marked_deleted", "not_found", "adopted"}

// claims (I3): what is completed was done, by a call of ours; a whole is not better than
// its members.
func (m *machine) claims(d *deed) {
	for _, address := range d.changed() {
		record, kind := m.record(address), typeKind(address)
		if record == nil || kind != Erase && kind != EraseAll || m.imported[address] || d.all()[address].ImportID != "" {
			continue
		}
		mode := fmt.Sprint(record.Get("delete", "user"))
		words := map[string]string{}
		if kind == Erase {
			for id := range d.named[address] {
				words[id] = fmt.Sprint(record.Get("outcome"))
			}
			if record.Get("status") != "completed" || len(words) != 1 {
				continue
			}
		} else {
			results, _ := record.Get("results").(map[string]any)
			some := false // whom nobody asks for any more may be released beside others
			for _, word := range results {
				some = some || slices.Contains(done, fmt.Sprint(word))
			}
			for key, word := range results {
				words[m.whose(d.named[address], key)] = fmt.Sprint(word)
				if record.Get("status") == "completed" && !slices.Contains(done, fmt.Sprint(word)) && !(some && word == "released") {
					m.violate("I3 a whole better than its members: "+fmt.Sprint(word), "%s is completed, %s", address, word)
				}
			}
		}
		for id, word := range words {
			if slices.Contains(done, word) && word != "not_found" && id != "" {
				m.proven(d, address, id, mode, word)
			}
		}
	}
}

// whose is the id behind a key of results.
func (m *machine) whose(named map[string]bool, key string) string {
	for id := range named {
		if id == key || pseudonym(id) == key {
			return id
		}
	}
	return ""
}

func (m *machine) proven(d *deed, address, id, mode, word string) {
	u := d.after.users[id]
	state := map[string]bool{"soft": u.Deleted, "pruning": u.Pruned || u.HardDeleted, "hard": u.HardDeleted}[mode]
	sent, own := false, false
	for _, r := range m.ours(0) {
		if r.Op != "DeleteUsers" || !slices.Contains(r.UserIDs, id) || r.TaskID == "" {
			continue
		}
		var body struct {
			User string `json:"user"`
		}
		_ = json.Unmarshal(r.Body, &body)
		own = true
		sent = sent || slices.Index(modes, body.User) >= slices.Index(modes, mode)
	}
	by := "somebody else"
	if own {
		by = "another block"
	}
	switch {
	case !state:
		m.violate("I3 completed, not done: "+word+", deleted by "+by, "%s: %s (%s), at Stream %+v", address, id, mode, u)
	case !sent:
		m.violate("I3 completed, never sent: "+word+", deleted by "+by, "%s: %s (%s)", address, id, mode)
	}
}

// final (I9): a restriction is final when the person is gone.
func (m *machine) final() {
	for _, core := range m.cores {
		for _, address := range core.Addresses() {
			r := core.State(address)
			if typeKind(address) != Restrict || r == nil || r.Get("status") != "erased" {
				continue
			}
			for id := range m.named[address] {
				if u, _ := m.stream.User(id); !u.Deleted {
					m.violate("I9 a final restriction of somebody who is there", "%s: %s", address, id)
				}
			}
		}
	}
}

// stands (I4): whom a record calls restricted is.
func (m *machine) stands(d *deed) {
	for _, core := range m.cores {
		for _, address := range core.Addresses() {
			r, kind := core.State(address), typeKind(address)
			named := d.named[address]
			for id := range named {
				claimed := kind == Restrict && r.Get("status") == "deactivated" && len(named) == 1 || kind == Erase && r.Get("status") == "scheduled" && len(named) == 1
				if results, ok := r.Get("results").(map[string]any); ok && kind == EraseAll {
					claimed = results[id] == "scheduled" || results[pseudonym(id)] == "scheduled"
				}
				if u := d.after.users[id]; claimed && !u.Deactivated && !u.Deleted {
					m.violate("I4 "+word(kind)+" lifted by "+d.beside(id, address), "%s: %s is active", address, id)
				}
			}
		}
	}
}

// exports (I5): a complete export has every message that stood when the apply began.
func (m *machine) exports(d *deed) {
	for _, address := range d.changed() {
		kind, r := typeKind(address), m.record(address)
		action := d.all()[address].Action
		if kind != Export && kind != ExportRooms || r == nil || action != acctest.Create && action != acctest.Replace {
			continue
		}
		want := 0
		for _, msg := range d.before.messages {
			if d.named[address][msg.UserID] || d.named[address][msg.CID] {
				want++
			}
		}
		if got, ok := r.Get("message_count").(int); ok && got < want && (kind == ExportRooms || r.Get("complete") == true) {
			m.violate("I5 "+string(kind)+" with messages missing", "%d of %d messages, beside %s", got, want, d.beside("", address))
		}
	}
}

// quiet (I6): what is done stays so in the next plan.
func (m *machine) quiet(d *deed) {
	if d.warns("Guards are weaker") { // who is due waits for an approval
		return
	}
	for _, b := range m.blocks {
		if b.Query || b.Late || d.Only != "" {
			return
		}
	}
	for i, core := range m.cores {
		changes := m.changes(i, Run{})
		if len(changes) == 0 {
			continue
		}
		for _, address := range core.Addresses() {
			switch core.State(address).Get("status") {
			case "submitted", "failed", "reverted":
				return
			}
		}
		plan := core.PlanAll(changes...)
		for _, e := range plan.Errors {
			m.violate("I6 the next plan fails: "+e.Summary+" ("+word(typeKind(e.Address))+")", "%s", e)
		}
		for address, planned := range plan.Changes {
			if planned.Action != acctest.NoOp && len(plan.Errors) == 0 {
				m.violate("I6 the next plan is not quiet: "+string(planned.Action)+" "+word(typeKind(address)), "%s %s, status %v, beside %s", planned.Action, address, core.State(address).Get("status"), d.beside("", address))
			}
		}
	}
	m.kit()
}

// warns reports that a plan has a warning of a title.
func (d *deed) warns(title string) bool {
	return slices.ContainsFunc(d.plans[:], func(p *acctest.Plan) bool {
		return p != nil && slices.ContainsFunc(p.Warnings, func(w acctest.Diagnostic) bool { return strings.HasPrefix(w.Summary, title) })
	})
}

// names reports that a call of ours names somebody.
func (d *deed) names(id string, ops ...string) bool {
	return slices.ContainsFunc(d.ours, func(r emulator.Request) bool { return slices.Contains(ops, r.Op) && slices.Contains(r.UserIDs, id) })
}

// approval is what stood when an erasure was scheduled.
type approval struct {
	guards Guards
	block  string
}

// less reports that a guard that stood is gone.
func (g Guards) less(than Guards) bool {
	return than.Hold && !g.Hold || than.Roles && !g.Roles ||
		slices.ContainsFunc(than.Protect, func(one int) bool { return !slices.Contains(g.Protect, one) })
}

// kept (I13): who was scheduled is not erased once a guard is gone that stood then, as
// long as nobody has touched the block.
func (m *machine) kept(d *deed) {
	for _, b := range m.blocks {
		address := b.address()
		r := m.record(address)
		if r == nil || b.Alias || b.Kind != Erase && b.Kind != EraseAll {
			continue
		}
		results, _ := r.Get("results").(map[string]any)
		for id := range d.named[address] {
			key, text := [2]string{address, id}, literal(reflect.ValueOf(*b), false)
			was, known := m.approved[key]
			if known && was.block == text && m.guards.less(was.guards) && d.names(id, "DeleteUsers") && d.beside(id, address) == "nothing" {
				m.violate("I13 erased though a guard that stood is gone", "%s: %s, %+v then, %+v now", address, id, was.guards, m.guards)
			}
			scheduled := b.Kind == Erase && r.Get("status") == "scheduled" || results[id] == "scheduled" || results[pseudonym(id)] == "scheduled"
			switch {
			case !scheduled:
				delete(m.approved, key)
			case !known || was.block != text || d.warns("Guards are weaker"): // whoever applies that has approved it
				m.approved[key] = approval{m.guards, text}
			}
		}
	}
}

// conditions (I14): who does not fit what the block expects is not deleted.
func (m *machine) conditions(d *deed) {
	for _, b := range m.blocks {
		address := b.address()
		planned := d.all()[address]
		if planned == nil || planned.Action == acctest.NoOp || b.Kind != Erase && b.Kind != EraseAll {
			continue
		}
		for id := range d.named[address] {
			if !d.names(id, "DeleteUsers") || d.beside(id, address) != "nothing" {
				continue
			}
			was := d.before.users[id]
			if was.Deleted && slices.ContainsFunc(m.ours(0), func(r emulator.Request) bool {
				return r.Op == "DeleteUsers" && r.TaskID != "" && slices.Contains(r.UserIDs, id) && r.Time.Before(d.begun)
			}) {
				continue // begun before, when they could be asked
			}
			if b.Kind == Erase && b.Expect != "" && was.Name != m.expected(b) {
				m.violate("I14 deleted against expected_wo", "%s: %s is %q, deleted before %v", address, id, was.Name, was.Deleted)
			}
			if b.Since && m.active[id] {
				m.violate("I14 deleted against not_active_since", "%s: %s, deleted before %v", address, id, was.Deleted)
			}
		}
	}
}

// held (I12): nobody is reactivated whom a block stands for that this run leaves alone.
func (m *machine) held(d *deed) {
	for address, planned := range d.all() {
		kind := typeKind(address)
		if planned.Action != acctest.NoOp || planned.Config == nil || kind != Restrict && kind != Erase {
			continue
		}
		status := m.record(address).Get("status")
		for id := range d.named[address] {
			if (status == "deactivated" || status == "scheduled") && d.names(id, "ReactivateUser", "ReactivateUsers") {
				m.violate("I12 reactivated though a "+word(kind)+" stands", "%s: %s by %s", address, id, d.beside(id, address))
			}
		}
	}
}
