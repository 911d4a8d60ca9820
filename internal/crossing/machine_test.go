// Copyright (c) the terraform-provider-streamchat authors
// SPDX-License-Identifier: MPL-2.0

package crossing

import (
	"encoding/json"
	"fmt"
	"maps"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/acctest"
	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/emulator"
)

// Violation is an invariant that did not hold. Sign is the same for all of its kind.
type Violation struct{ Sign, Text string }

func (v Violation) String() string { return v.Sign + ": " + v.Text }

// tally counts what the stories came to, so that a generator which draws nothing is seen.
type tally struct {
	mu   sync.Mutex
	runs map[string]int
}

func (t *tally) add(what string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.runs[what]++
}

var counts = tally{runs: map[string]int{}}

// recorder is the bubble's T to the kit: what it finds ends the story and not the survey.
type recorder struct {
	testing.TB
	mu   sync.Mutex
	said []string
}

type over struct{}

func (r *recorder) note(text string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.said = append(r.said, text)
}

func (r *recorder) Error(args ...any)                 { r.note(fmt.Sprint(args...)) }
func (r *recorder) Errorf(format string, args ...any) { r.note(fmt.Sprintf(format, args...)) }
func (r *recorder) Fatal(args ...any)                 { r.note(fmt.Sprint(args...)); panic(over{}) }
func (r *recorder) Fatalf(format string, args ...any) {
	r.note(fmt.Sprintf(format, args...))
	panic(over{})
}

// machine plays one story.
type machine struct {
	*recorder
	world  World
	stream *acctest.Stream
	cores  [2]*acctest.Core // by provider block
	dir    string
	guards Guards
	blocks []*Block
	// named is whom a resource in state was ever about; imported is a claim.
	named    map[string]map[string]bool
	imported map[string]bool
	// approved is what stood when somebody's erasure was scheduled, by block and person;
	// active is who has connected.
	approved map[[2]string]approval
	active   map[string]bool
	spoke    map[string][]string // in a room, beside what was said at first
	// disturbed: somebody else did something since the last run.
	disturbed bool
	// aliased: there is a second provider block, a process that the first knows nothing of.
	aliased bool
	// doubled: a plan with two blocks for one subject was let through, and what follows
	// follows from that.
	doubled    bool
	violations []Violation
	trace      func(format string, args ...any)
}

// play plays a story in a bubble of its own.
func play(t *testing.T, s Story, trace func(string, ...any)) (violations []Violation) {
	t.Helper()
	if trace == nil {
		trace = func(string, ...any) {}
	}
	acctest.Bubble(t, func(t *testing.T) {
		m := &machine{
			recorder: &recorder{TB: t}, world: s.World, guards: s.Guards, dir: t.TempDir(),
			named: map[string]map[string]bool{}, imported: map[string]bool{}, approved: map[[2]string]approval{}, active: map[string]bool{}, spoke: map[string][]string{},
			trace: trace,
		}
		defer func() {
			if r := recover(); r != nil && r != any(over{}) {
				panic(r)
			}
			m.kit()
			violations = m.violations
		}()
		m.stream = acctest.InMemory(t, func(o *emulator.Options) { o.TaskDelay = 500 * time.Millisecond })
		m.stream.Fill(m, m.world.seed())
		for i := range m.cores {
			m.cores[i] = acctest.NewCore(m, m.stream, acctest.Config{"max_retries": 3, "max_erasures": 200})
		}
		m.guard(m.guards)
		for _, step := range s.Steps {
			m.step(step)
		}
	})
	return violations
}

func (m *machine) violate(sign, format string, args ...any) {
	m.violations = append(m.violations, Violation{sign, fmt.Sprintf(format, args...)})
	m.trace("VIOLATION %s", m.violations[len(m.violations)-1])
}

// kit takes over what the test kit has found.
func (m *machine) kit() {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, text := range m.said {
		first, _, _ := strings.Cut(text, "\n")
		sign := "kit: other"
		for _, known := range []string{
			"the plugin crashed", "invalid plan", "invalid result object after apply", "inconsistent result after apply", "diagnostic tells",
			"of the log tells", "invalid object",
		} {
			if strings.Contains(text, known) {
				sign = "kit: " + known
			}
		}
		m.violations = append(m.violations, Violation{sign, first + text[len(first):min(len(text), len(first)+4000)]})
	}
	m.said = nil
}

// first is the number of the first of the crowd.
const first = 1000

// everybody are the numbers of all people.
func (w World) everybody() (all []int) {
	for n := range min(w.count(), len(names)) {
		all = append(all, n)
	}
	for n := range w.Crowd {
		all = append(all, first+n)
	}
	return all
}

func (w World) count() int {
	if w.People < 1 {
		return 4
	}
	return w.People
}

var names = []string{"zq-anton", "zq-berta", "zq-caesar", "zq-dorothea", "zq-emil", "zq-frieda", "zq-gustav", "zq-helene"}

func (w World) person(n int) string {
	if n >= first && n < first+w.Crowd {
		return fmt.Sprintf("zq-crowd-%03d", n-first)
	}
	return names[((n%w.count())+w.count())%w.count()%len(names)]
}

func called(id string) string { return "Name of " + id }

func room(n int) string       { return fmt.Sprintf("messaging:zq-room-%d", n) }
func slip(room, n int) string { return fmt.Sprintf("zq-slip-%d-%d", room, n) }

func (w World) people(who []int, shift int) []string {
	ids := []string{}
	for _, n := range who {
		if id := w.person(n + shift); !slices.Contains(ids, id) {
			ids = append(ids, id)
		}
	}
	return ids
}

func (w World) seed() string {
	type object = map[string]any
	var users, channels, messages []object
	for _, n := range w.everybody() {
		u := object{"id": w.person(n), "role": "user", "name": called(w.person(n)), "created_at": "2025-01-01T00:00:00Z"}
		for _, other := range w.Leavers {
			if w.person(other) == w.person(n) {
				u["role"] = "leaver"
			}
		}
		for _, other := range w.Admins {
			if w.person(other) == w.person(n) {
				u["role"] = "admin"
			}
		}
		for _, other := range w.Held {
			if w.person(other) == w.person(n) {
				u["legal_hold"] = true
			}
		}
		users = append(users, u)
	}
	for n, r := range w.Rooms {
		members := w.people(r.Members, 0)
		channels = append(channels, object{"cid": room(n), "created_by_id": w.person(append(slices.Clone(r.Members), 0)[0]), "members": members, "created_at": "2025-01-02T00:00:00Z"})
		for i, by := range r.By {
			messages = append(messages, object{"id": slip(n, i), "cid": room(n), "user_id": w.person(by), "text": "words", "created_at": "2025-01-03T00:00:00Z"})
		}
	}
	var lists [3]string // nobody is named before they are there
	for i, objects := range [][]object{users, channels, messages} {
		raw, err := json.Marshal(append([]object{}, objects...))
		if err != nil {
			panic(err)
		}
		lists[i] = string(raw)
	}
	return `{"users":` + lists[0] + `,"channels":` + lists[1] + `,"messages":` + lists[2] + `}`
}

// guard writes the guards into the first provider block.
func (m *machine) guard(g Guards) {
	m.guards = g
	p := m.cores[0].Provider
	delete(p, "protected_user_ids")
	delete(p, "protected_roles")
	delete(p, "hold_field")
	p["allow_unknown_subjects"] = g.Unknown
	if len(g.Protect) > 0 {
		p["protected_user_ids"] = m.world.people(g.Protect, 0)
	}
	if g.Roles {
		p["protected_roles"] = []string{"admin"}
	}
	if g.Hold {
		p["hold_field"] = "legal_hold"
	}
}

func (m *machine) core(address string) *acctest.Core {
	for _, b := range m.blocks {
		if b.address() == address && b.Alias || m.cores[1].State(address) != nil {
			return m.cores[1]
		}
	}
	return m.cores[0]
}

func (m *machine) find(name string) (*Block, int) {
	for i, b := range m.blocks {
		if name != "" && b.Name == name {
			return b, i
		}
	}
	return nil, -1
}

func (m *machine) step(s Step) {
	if s.Set != nil {
		m.set(*s.Set)
	}
	if _, i := m.find(s.Drop); i >= 0 {
		m.blocks = slices.Delete(m.blocks, i, i+1)
	}
	if b, i := m.find(s.Remove); b != nil {
		m.blocks = slices.Delete(m.blocks, i, i+1)
		m.core(b.address()).Forget(b.address())
	}
	if b, _ := m.find(s.Rename[0]); b != nil && s.Rename[1] != "" {
		b.Name = s.Rename[1]
	}
	if b, _ := m.find(s.Move[0]); b != nil && s.Move[1] != "" {
		was := b.address()
		b.Name = s.Move[1]
		if core := m.cores[0]; core.State(was) != nil && core.State(b.address()) == nil {
			core.Move(was, b.address())
			m.named[b.address()] = m.named[was]
		}
	}
	if b, _ := m.find(s.Taint); b != nil {
		if core := m.core(b.address()); core.State(b.address()) != nil {
			core.Taint(b.address())
		}
	}
	if s.Event != nil {
		m.happen(*s.Event)
		m.disturbed = true
	}
	if s.Wait {
		time.Sleep(2 * time.Hour)
	}
	if s.Guards != nil {
		m.guard(*s.Guards)
	}
	if s.Run != nil {
		m.run(*s.Run)
	}
}

func (m *machine) set(b Block) {
	if b.Name == "" || !slices.Contains(kinds, b.Kind) {
		return
	}
	m.aliased = m.aliased || b.Alias
	if _, i := m.find(b.Name); i >= 0 {
		if m.blocks[i].Kind == b.Kind && m.blocks[i].Alias == b.Alias {
			m.blocks[i] = &b
		}
		return
	}
	m.blocks = append(m.blocks, &b)
}

// happen is what somebody else does, with a key of their own.
func (m *machine) happen(e Event) {
	id, cid := m.world.person(e.Who), strings.Replace(room(e.Room), ":", "/", 1)
	quoted := fmt.Sprintf("[%q]", id)
	post := func(path, body string) { m.stream.Call(m, "POST", path, body) }
	patch := func(body string) {
		m.stream.Call(m, "PATCH", "/users", fmt.Sprintf(`{"users":[{"id":%q,%s}]}`, id, body))
	}
	switch e.What {
	case softly:
		post("/users/delete", `{"user_ids":`+quoted+`,"user":"soft"}`)
	case pruning:
		post("/users/delete", `{"user_ids":`+quoted+`,"user":"pruning"}`)
	case finally:
		post("/users/delete", `{"user_ids":`+quoted+`,"user":"hard","messages":"hard","conversations":"hard"}`)
	case restores:
		post("/users/restore", `{"user_ids":`+quoted+`}`)
	case deactivate:
		post("/users/"+id+"/deactivate", `{}`)
	case reactivate:
		post("/users/"+id+"/reactivate", `{}`)
	case holds:
		patch(`"set":{"legal_hold":true}`)
	case frees:
		patch(`"unset":["legal_hold"]`)
	case connects:
		m.stream.Touch(id)
		m.active[id] = true
	case renames:
		patch(`"set":{"name":"Somebody Else"}`)
	case promotes:
		patch(`"set":{"role":"admin"}`)
	case speaks:
		m.spoke[room(e.Room)] = append(m.spoke[room(e.Room)], id)
		post("/channels/"+cid+"/message", fmt.Sprintf(`{"message":{"text":"more","user_id":%q}}`, id))
	case joins:
		post("/channels/"+cid, `{"add_members":`+quoted+`}`)
	case leaves:
		post("/channels/"+cid, `{"remove_members":`+quoted+`}`)
	case closes:
		post("/channels/delete", fmt.Sprintf(`{"cids":[%q],"hard_delete":true}`, room(e.Room)))
	case forgets:
		for _, r := range m.stream.Requests() {
			if r.TaskID != "" {
				m.stream.ForgetTask(r.TaskID)
			}
		}
	}
	time.Sleep(5 * time.Second)
	m.trace("event: %s %s", id, e.What)
}

func orNil[T comparable](v T) any {
	var zero T
	if v == zero {
		return nil
	}
	return v
}

// config is the body of a block.
func (m *machine) config(b *Block, shift int) acctest.Config {
	if !b.Veiled {
		shift = 0
	}
	c := acctest.Config{}
	who := b.Who
	if b.Crowd && b.Kind == EraseAll {
		who = append(slices.Clone(who), m.world.everybody()[min(m.world.count(), len(names)):]...)
	}
	people := m.world.people(who, shift)
	one := func(list []string) any {
		if len(list) == 0 {
			return nil
		}
		return list[0]
	}
	var rooms []string
	for _, n := range b.Who {
		if !slices.Contains(rooms, room(n)) {
			rooms = append(rooms, room(n))
		}
	}
	suffix := ""
	if b.Veiled {
		suffix = "_wo"
	}
	switch b.Kind {
	case Erase, Restrict, Export:
		c["user_id"+suffix] = one(people)
	case EraseAll:
		if b.Query {
			people = m.query(b.Restore)
		}
		c["user_ids"+suffix] = people
	case EraseRoom, Truncate:
		c["cid"] = one(rooms)
	case EraseRooms, ExportRooms:
		c["cids"] = rooms
	case EraseSlip:
		if len(b.Who) > 0 {
			c["message_id"] = slip(b.Who[0], append(b.Who, 0)[1])
		}
	}
	m.options(b, c)
	return c
}

// late makes what names somebody unknown until the apply.
func late(c acctest.Config) acctest.Config {
	c = maps.Clone(c)
	for _, name := range naming {
		if v, ok := c[name]; ok {
			c[name] = acctest.Later(v)
		}
	}
	return c
}

// expected is the name that an erasure expects.
func (m *machine) expected(b *Block) string {
	if b.Expect == "wrong" || len(b.Who) == 0 {
		return "zq-nobody"
	}
	return called(m.world.person(b.Who[0]))
}

func (m *machine) options(b *Block, c acctest.Config) {
	switch b.Kind {
	case Erase, EraseAll:
		del := acctest.Config{"user": b.Mode, "messages": orNil(b.Messages), "conversations": orNil(b.Conversations)}
		if b.KeepFiles {
			del["files"] = false
		}
		c["delete"] = del
		if b.Grace {
			c["grace_period"] = "1h"
		}
		if b.Restore && !b.Query {
			c["on_destroy"] = "restore"
		}
		if len(b.Heir) > 0 {
			c["new_channel_owner_id"] = m.world.person(b.Heir[0])
		}
		if b.Revoke {
			c["revoke_tokens"] = true
		}
		if b.Since {
			c["not_active_since"] = "2026-06-01T00:00:00Z"
		}
		if b.Kind == Erase && b.Expect != "" {
			c["expected_wo"] = map[string]string{"name": m.expected(b)}
		}
	case EraseRoom, EraseRooms, EraseSlip, Truncate:
		c["hard_delete"] = b.Hard
	case Restrict:
		if b.Forget {
			c["on_destroy"] = "forget"
		}
		if b.Mark {
			c["mark_messages_deleted"] = true
		}
		if b.Revoke {
			c["revoke_tokens"] = true
		}
	case Export, ExportRooms:
		c["path"], c["overwrite"] = filepath.Join(m.dir, string(b.Kind)+"-"+b.Name), true
	case Policy:
		c["policy"], c["max_age_hours"] = "old-messages", max(b.Hours, 24)
		return
	}
	if b.Label != "" {
		c["request_id"] = b.Label
	}
	switch b.Kind {
	case Export, ExportRooms, Restrict:
		return
	}
	if b.Record {
		c["on_missing"] = "record"
	}
	if b.Drop && (b.Kind == EraseAll || b.Kind == EraseRooms) {
		c["drop_removed_records"] = true
	}
	if e, _ := m.find(b.Exports); e != nil && (e.Kind == Export || e.Kind == ExportRooms) {
		c["exports"] = []any{acctest.Ref(e.address(), "sha256")}
	}
}

// query reads the leavers, as a data source in the configuration does.
func (m *machine) query(deactivated bool) []string {
	read, _ := m.cores[0].Data("streamchat_users", acctest.Config{"filter": `{"role":"leaver"}`, "include_deactivated": deactivated})
	ids := []string{}
	for _, id := range list(read["user_ids"]) {
		ids = append(ids, fmt.Sprint(id))
	}
	return ids
}

func list(v any) []any {
	l, _ := v.([]any)
	return l
}

// changes are those of a run for one provider block, blocks that are gone among them.
func (m *machine) changes(alias int, r Run) (changes []acctest.Change) {
	there := map[string]bool{}
	for _, b := range m.blocks {
		if b.Alias != (alias == 1) {
			continue
		}
		there[b.address()] = true
		if r.Only != "" && r.Only != b.Name {
			continue
		}
		change := acctest.Change{Address: b.address(), Config: m.config(b, 0), Replace: b.Name == r.Replace, CreateBeforeDestroy: b.First, NoDestroy: b.Keep}
		if other, _ := m.find(b.After); other != nil && other != b && other.Alias == b.Alias {
			change.After = []string{other.address()}
		}
		if r.Shift != 0 && b.Veiled {
			change.AtApply = m.config(b, r.Shift)
		}
		if b.Import && m.cores[alias].State(b.address()) == nil {
			for _, name := range []string{"user_id", "cid", "message_id", "policy"} {
				if id, ok := change.Config[name].(string); ok {
					change.ImportID = id
				}
			}
		}
		changes = append(changes, change)
	}
	for _, address := range m.cores[alias].Addresses() {
		if !there[address] && r.Only == "" {
			changes = append(changes, acctest.Change{Address: address})
		}
	}
	return changes
}

// arm lets things go wrong in the apply that follows, and gives what ends that.
func (m *machine) arm(r Run) (disarm func()) {
	if r.Fault != nil {
		f := emulator.Fault{Kind: emulator.FaultKind(r.Fault.Kind), Op: r.Fault.Op, Times: r.Fault.Times, Delay: 20 * time.Second}
		if f.Validate() == nil {
			m.stream.AddFault(f)
		}
	}
	armed := true
	var mu sync.Mutex
	once := func(do func()) func() {
		return func() {
			mu.Lock()
			now := armed
			mu.Unlock()
			if now {
				do()
			}
		}
	}
	if _, err := path.Match(r.Call, ""); err == nil && r.Call != "" {
		if r.During != nil {
			m.stream.Before(r.Call, max(r.At, 1), once(func() { m.happen(*r.During) }))
		}
		for word, do := range map[string]func(*acctest.Core){"interrupt": (*acctest.Core).Interrupt, "kill": (*acctest.Core).Kill} {
			if strings.Contains(r.Cut, word) {
				hook := m.stream.Before
				if strings.HasSuffix(r.Cut, "after") {
					hook = m.stream.After
				}
				hook(r.Call, max(r.At, 1), once(func() { do(m.cores[0]); do(m.cores[1]) }))
			}
		}
	}
	return func() {
		mu.Lock()
		armed = false
		mu.Unlock()
		m.stream.ClearFaults()
	}
}

// run plans, applies and judges.
func (m *machine) run(r Run) {
	var plans [2]*acctest.Plan
	named := map[string]map[string]bool{}
	for i, core := range m.cores {
		changes := m.changes(i, r)
		if len(changes) == 0 {
			continue
		}
		for j, change := range changes {
			named[change.Address] = subjects(change.Config)
			if slices.ContainsFunc(m.blocks, func(b *Block) bool { return b.Late && b.address() == change.Address }) {
				changes[j].Config = late(change.Config)
			}
		}
		plans[i] = core.PlanAll(changes...)
	}
	if m.planned(r, plans, named) {
		return
	}
	if r.Between != nil {
		m.happen(*r.Between)
	}
	was := m.guards
	if r.Guards != nil {
		m.guard(*r.Guards)
	}
	do := &deed{Run: r, plans: plans, named: map[string]map[string]bool{}, before: m.look(), from: len(m.stream.Requests()), begun: time.Now()}
	for address, who := range named {
		do.named[address] = maps.Clone(who)
		maps.Copy(do.named[address], m.named[address])
	}
	disarm := m.arm(r)
	var all sync.WaitGroup
	for i, plan := range plans {
		if plan != nil {
			all.Go(func() { do.results[i] = m.cores[i].Apply(plan) })
		}
	}
	all.Wait()
	disarm()
	time.Sleep(10 * time.Second) // what was begun ends
	do.after = m.look()
	do.ours = m.ours(do.from)
	m.judge(do)
	if r.Guards != nil {
		m.guard(was)
	}
	m.disturbed = r.Between != nil || r.During != nil
	for address, planned := range do.all() {
		if planned.Action != acctest.NoOp {
			m.named[address] = do.named[address]
		}
		m.imported[address] = m.imported[address] || planned.ImportID != ""
	}
}

func typeKind(address string) Kind {
	typeName, _, _ := strings.Cut(address, ".")
	return Kind(strings.TrimPrefix(typeName, "streamchat_"))
}

var naming = []string{"user_id", "user_id_wo", "user_ids", "user_ids_wo", "cid", "cids", "message_id"}

// subjects are whom a configuration names: people, rooms, messages.
func subjects(c acctest.Config) map[string]bool {
	all := map[string]bool{}
	for _, name := range naming {
		switch v := c[name].(type) {
		case string:
			all[v] = true
		case []string:
			for _, id := range v {
				all[id] = true
			}
		}
	}
	return all
}

// ours are the provider's requests from a place in the history on.
func (m *machine) ours(from int) (ours []emulator.Request) {
	for _, r := range m.stream.Requests()[from:] {
		if r.Header.Get("X-Stream-Client") != "" {
			ours = append(ours, r)
		}
	}
	return ours
}

// scene is the world at a moment.
type scene struct {
	users    map[string]emulator.UserState
	rooms    map[string]emulator.ChannelState
	messages map[string]emulator.MessageState
}

// look is what stands at Stream: soft-deleted rooms and messages are not there.
func (m *machine) look() scene {
	s := scene{map[string]emulator.UserState{}, map[string]emulator.ChannelState{}, map[string]emulator.MessageState{}}
	for _, n := range m.world.everybody() {
		id := m.world.person(n)
		s.users[id], _ = m.stream.User(id)
	}
	for n, r := range m.world.Rooms {
		if c, ok := m.stream.Channel(room(n)); ok && !c.Deleted {
			s.rooms[room(n)] = c
		}
		for i := range r.By {
			if msg, ok := m.stream.Message(slip(n, i)); ok && !msg.Deleted && !msg.Truncated {
				s.messages[slip(n, i)] = msg
			}
		}
	}
	return s
}
