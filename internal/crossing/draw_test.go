// Copyright (c) the terraform-provider-streamchat authors
// SPDX-License-Identifier: MPL-2.0

package crossing

import (
	"fmt"
	"math/rand/v2"
	"slices"

	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/emulator"
)

// artist draws a story.
type artist struct {
	*rand.Rand
	Story
	hot  []int // whom the story has named
	next int
	// alias: some blocks are of a second provider block.
	alias bool
}

// draw is the story of a number.
func draw(number uint64) Story {
	a := &artist{Rand: rand.New(rand.NewPCG(number, 18))}
	a.world()
	a.alias = a.one(20)
	episodes := []func(){
		a.add, a.add, a.raise, a.raise, a.two, a.two, a.two, a.veiled, a.outside, a.outside, a.period, a.period, a.pair, a.export, a.query, a.manage, a.adopt,
	}
	for range 1 + a.IntN(3) {
		pick(a, episodes)()
	}
	if last := len(a.Steps) - 1; a.Steps[last].Run == nil {
		a.run()
	}
	return a.Story
}

func pick[T any](a *artist, from []T) T { return from[a.IntN(len(from))] }

// one says yes in one of n.
func (a *artist) one(n int) bool { return a.IntN(n) == 0 }

// person is somebody whom the story named already, or somebody new.
func (a *artist) person() int {
	if len(a.hot) > 0 && a.one(2) {
		return pick(a, a.hot)
	}
	p := a.IntN(a.World.People)
	a.hot = append(a.hot, p)
	return p
}

func (a *artist) persons(most int) (some []int) {
	for range 1 + a.IntN(most) {
		if p := a.person(); !slices.Contains(some, p) {
			some = append(some, p)
		}
	}
	return some
}

func (a *artist) world() {
	w := &a.World
	w.People = 3 + a.IntN(3)
	for range 1 + a.IntN(3) {
		var r Room
		members := a.Perm(w.People)[:min(w.People, 2+a.IntN(2)+a.IntN(2)*a.IntN(2))]
		r.Members = members
		for _, m := range members {
			if !a.one(4) {
				r.By = append(r.By, m)
			}
		}
		if a.one(6) { // somebody who left, or never was in
			r.By = append(r.By, a.IntN(w.People))
		}
		w.Rooms = append(w.Rooms, r)
	}
	if a.one(3) {
		w.Leavers = a.Perm(w.People)[:1+a.IntN(2)]
	}
	if a.one(3) {
		a.Guards = a.guards()
	}
}

// guards leave somebody untouched.
func (a *artist) guards() (g Guards) {
	one := a.IntN(a.World.People)
	switch a.IntN(5) {
	case 0, 1:
		g.Protect = []int{one}
	case 2, 3:
		g.Hold = true
		if len(a.World.Held) == 0 && len(a.Steps) == 0 && !a.one(4) {
			a.World.Held = []int{one}
		}
	default:
		g.Roles = true
		if len(a.World.Admins) == 0 && len(a.Steps) == 0 && !a.one(3) {
			a.World.Admins = []int{one}
		}
	}
	return g
}

func (a *artist) name() string {
	a.next++
	return string(rune('a' + a.next - 1))
}

// erasure is a block of a user, with some modes.
func (a *artist) erasure(who ...int) *Block {
	b := &Block{Kind: Erase, Name: a.name(), Who: who, Mode: pick(a, []string{"hard", "hard", "hard", "soft", "soft", "pruning"})}
	if len(who) > 1 || a.one(4) {
		b.Kind = EraseAll
	}
	a.modes(b)
	b.Veiled, b.Grace = a.one(5), a.one(5)
	b.Revoke, b.Record, b.KeepFiles, b.First = a.one(12), a.one(8), a.one(4), a.one(12)
	b.Drop, b.Since = a.one(8), a.one(10)
	if a.one(8) {
		b.Expect = pick(a, []string{"right", "right", "wrong"})
	}
	if a.one(8) {
		b.Heir = []int{a.person()}
	}
	if a.one(10) {
		b.Label = "DSR-1"
	}
	return b
}

func (a *artist) modes(b *Block) {
	b.Messages, b.Conversations = "", ""
	if b.Mode == "hard" {
		return
	}
	b.Restore = !a.one(3)
	if a.one(4) {
		b.Messages = pick(a, []string{"soft", "pruning", "hard"})
		b.Restore = false
	}
	if a.one(6) {
		b.Conversations = pick(a, []string{"soft", "hard"})
		b.Restore = false
	}
	if b.Mode == "pruning" {
		b.Restore = false
		if b.Messages == "soft" {
			b.Messages = "pruning"
		}
	}
}

func (a *artist) restriction(who int) *Block {
	return &Block{Kind: Restrict, Name: a.name(), Who: []int{who}, Veiled: a.one(4), Mark: a.one(6), Revoke: a.one(10), Forget: a.one(6), First: a.one(12)}
}

// about is a block that names somebody.
func (a *artist) about(who int) *Block {
	switch a.IntN(5) {
	case 0, 1:
		return a.erasure(who)
	case 2, 3:
		return a.restriction(who)
	default:
		return &Block{Kind: Export, Name: a.name(), Who: []int{who}, Veiled: a.one(4)}
	}
}

// block is any.
func (a *artist) block() *Block {
	room := a.IntN(len(a.World.Rooms))
	switch pick(a, kinds) {
	case EraseAll:
		return a.erasure(a.persons(3)...)
	case EraseRoom, EraseRooms, EraseSlip, Truncate:
		return a.roomBlock()
	case ExportRooms:
		return &Block{Kind: ExportRooms, Name: a.name(), Who: []int{room}}
	case Policy:
		for _, s := range a.Steps {
			if s.Set != nil && s.Set.Kind == Policy { // an app has one
				return a.about(a.person())
			}
		}
		return &Block{Kind: Policy, Name: a.name(), Hours: 24 + a.IntN(1000)}
	default:
		return a.about(a.person())
	}
}

// roomBlock takes a room, several, or what was said in one.
func (a *artist) roomBlock() *Block {
	n := a.IntN(len(a.World.Rooms))
	b := &Block{Name: a.name(), Who: []int{n}, Hard: !a.one(3), Kind: pick(a, []Kind{EraseRoom, EraseRooms, EraseSlip, Truncate})}
	switch {
	case b.Kind == EraseSlip && len(a.World.Rooms[n].By) == 0:
		b.Kind = EraseRoom
	case b.Kind == EraseSlip:
		b.Who = append(b.Who, a.IntN(len(a.World.Rooms[n].By)))
	case b.Kind == EraseRooms && a.one(2):
		if other := a.IntN(len(a.World.Rooms)); other != n {
			b.Who = append(b.Who, other)
		}
	}
	return b
}

func (a *artist) put(b *Block) *Block {
	copied := *b
	copied.Alias = a.alias && a.one(3)
	a.Steps = append(a.Steps, Step{Set: &copied})
	return b
}

func (a *artist) event() *Event {
	return &Event{What: pick(a, events), Who: a.person(), Room: a.IntN(len(a.World.Rooms))}
}

// guardedEvent is about somebody guarded, where there is a guard.
func (a *artist) happening() {
	e := a.event()
	if len(a.Guards.Protect) > 0 && a.one(2) {
		e.Who = a.Guards.Protect[0]
	} else if len(a.World.Held) > 0 && a.one(2) {
		e.Who = a.World.Held[0]
	}
	a.Steps = append(a.Steps, Step{Event: e})
}

// run is a run, now and then with something that goes wrong in it.
func (a *artist) run() *Run {
	r := &Run{}
	switch a.IntN(14) {
	case 0:
		r.Between = a.event()
	case 1:
		r.Fault = a.fault()
	case 2:
		r.Call, r.At = a.call(), 1+a.IntN(2)
		r.During = a.event()
	case 3:
		r.Call, r.At = a.call(), 1+a.IntN(2)
		r.Cut = pick(a, []string{"interrupt", "kill", "interrupt after", "kill after"})
	case 4:
		g := a.guards()
		r.Guards = &g
	}
	a.Steps = append(a.Steps, Step{Run: r})
	return r
}

func (a *artist) plain() *Run {
	r := &Run{}
	a.Steps = append(a.Steps, Step{Run: r})
	return r
}

func (a *artist) call() string {
	return pick(a, []string{"POST /users/delete", "POST /users/*/deactivate", "POST /users/deactivate", "POST /users/*/reactivate", "GET /tasks/*", "GET /users", "POST /channels/delete", "POST /channels", "GET /users/*/export"})
}

func (a *artist) fault() *Fault {
	kinds := []emulator.FaultKind{
		emulator.Fault500, emulator.FaultDropBefore, emulator.FaultDropAfter, emulator.FaultFailTask, emulator.FaultFailUser, emulator.FaultMissingUser,
		emulator.FaultTaskNotFound, emulator.FaultSlow, emulator.Fault429, emulator.FaultHTML502,
	}
	ops := []string{"DeleteUsers", "DeleteUsers", "GetTask", "QueryUsers", "DeactivateUser", "ReactivateUser", "DeleteChannels", "DeleteMessage", "TruncateChannel", "ExportUser", ""}
	return &Fault{Kind: string(pick(a, kinds)), Op: pick(a, ops), Times: 1 + a.IntN(4)*a.IntN(2)}
}

// add: a block, or two, and a run.
func (a *artist) add() {
	for range 1 + a.IntN(2) {
		a.put(a.block())
	}
	a.run()
}

// raise: a deletion goes further.
func (a *artist) raise() {
	b := a.erasure(a.persons(2)...)
	if len(a.Guards.Protect)+len(a.World.Held) == 0 || a.one(2) {
		b.Grace = false
	}
	b.Mode = pick(a, []string{"soft", "pruning"})
	b.Restore = false
	a.modes(b)
	a.put(b)
	a.plain()
	if a.one(3) {
		a.happening()
	}
	b.Mode = pick(a, []string{"pruning", "hard", "hard"})
	b.Messages, b.Conversations, b.Restore = "", "", false
	if a.one(4) && b.Kind == EraseAll {
		b.Who = append(slices.Clone(b.Who), a.person())
	}
	a.put(b)
	a.run()
}

// two blocks about one person; one of them is taken out again.
func (a *artist) two() {
	who := a.person()
	first, second := a.about(who), a.about(who)
	for _, b := range []*Block{first, second} {
		if b.Kind == Erase && a.one(3) {
			b.Grace = true
		}
	}
	a.put(first)
	if !a.one(4) {
		a.plain()
	}
	if a.one(3) { // one takes the place of the other
		a.Steps = append(a.Steps, Step{Drop: first.Name})
	}
	a.put(second)
	a.run()
	if a.one(2) {
		a.Steps = append(a.Steps, Step{Drop: pick(a, []string{first.Name, second.Name})})
		a.run()
	}
	if a.one(3) {
		a.plain()
	}
}

// veiled: a write-only value that is another at the apply.
func (a *artist) veiled() {
	b := a.erasure(a.persons(2)...)
	if a.one(3) {
		b = a.restriction(a.person())
	}
	b.Veiled = true
	a.put(b)
	if a.one(4) {
		a.plain()
		b.Label = fmt.Sprint("DSR-", a.IntN(9))
		a.put(b)
	}
	r := a.plain()
	r.Shift = 1 + a.IntN(2)
}

// outside: somebody else does something first, or afterwards.
func (a *artist) outside() {
	if a.one(2) {
		a.happening()
		a.put(a.block())
		a.run()
		return
	}
	a.put(a.block())
	a.plain()
	a.happening()
	a.run()
}

// period: a deletion in two stages.
func (a *artist) period() {
	b := a.erasure(a.persons(2)...)
	b.Grace = true
	a.put(b)
	a.plain()
	if a.one(2) {
		a.happening()
		if a.one(2) {
			a.run()
		}
	}
	if a.one(3) {
		g := a.guards()
		a.Steps = append(a.Steps, Step{Guards: &g})
	}
	if a.one(4) {
		a.Steps = append(a.Steps, Step{Drop: b.Name})
		a.run()
	}
	a.Steps = append(a.Steps, Step{Wait: true})
	a.run()
}

// pair: two deletions whose calls do not merge, and a room of the two and somebody
// guarded.
func (a *artist) pair() {
	three := a.Perm(a.World.People)[:3]
	room := Room{Members: three, By: three[2:]}
	if a.one(2) {
		a.World.Rooms = []Room{room}
	} else {
		a.World.Rooms = append(a.World.Rooms, room)
	}
	if len(a.Steps) == 0 {
		a.Guards, a.World.Held, a.World.Admins = Guards{}, nil, nil
		switch a.IntN(4) {
		case 0:
			a.Guards.Hold, a.World.Held = true, three[2:]
		case 1:
			a.Guards.Roles, a.World.Admins = true, three[2:]
		case 2:
			a.Guards.Protect = three[2:]
		}
	}
	if a.one(8) { // or one whose calls are several
		a.World.Crowd = 100 + a.IntN(3)
		a.World.Rooms[len(a.World.Rooms)-1].Members = []int{three[0], three[2], first + a.World.Crowd - 1}
		b := a.erasure(three[0], three[1])
		b.Mode, b.Crowd = "hard", true
		a.put(b)
		a.run()
		return
	}
	first, second := a.erasure(three[0]), a.erasure(three[1])
	first.Mode, second.Mode = "hard", "hard"
	first.KeepFiles = !second.KeepFiles
	a.put(first)
	if a.one(4) {
		a.run()
	}
	a.put(second)
	a.run()
}

// export: a copy is taken beside what takes its content.
func (a *artist) export() {
	who := a.person()
	e := &Block{Kind: Export, Name: a.name(), Who: []int{who}, Veiled: a.one(5)}
	if a.one(5) {
		e.Kind, e.Who, e.Veiled = ExportRooms, []int{a.IntN(len(a.World.Rooms))}, false
	}
	a.put(e)
	b := a.roomBlock()
	if a.one(3) {
		b = a.erasure(a.person())
	}
	if a.one(4) {
		b.Exports = e.Name
	}
	a.put(b)
	r := a.plain()
	if a.one(2) {
		op := "ExportUser"
		if e.Kind == ExportRooms {
			op = "ExportChannels"
		}
		// Only the export is late.
		r.Fault = &Fault{Kind: pick(a, []string{"500", "drop-before", "429"}), Op: op, Times: 1 + a.IntN(3)}
	}
}

// query: a batch is fed by a data source.
func (a *artist) query() {
	if len(a.World.Leavers) == 0 {
		a.World.Leavers = []int{a.IntN(a.World.People)}
	}
	b := &Block{Kind: EraseAll, Name: a.name(), Query: true, Mode: pick(a, []string{"hard", "hard", "soft"}), Grace: !a.one(3), Restore: a.one(3), Drop: a.one(5)}
	a.put(b)
	a.plain()
	if a.one(3) {
		a.happening()
	}
	if a.one(3) {
		a.Steps = append(a.Steps, Step{Wait: true})
	}
	a.run()
}

// manage: what an operator does to a block that is there.
func (a *artist) manage() {
	b := a.block()
	b.Keep = b.Keep || a.one(8)
	if b.Late = a.one(10); b.Late {
		a.Guards.Unknown = true
	}
	a.put(b)
	a.plain()
	switch a.IntN(7) {
	case 0:
		a.Steps = append(a.Steps, Step{Taint: b.Name})
		a.run()
	case 1:
		a.run().Replace = b.Name
	case 2:
		a.Steps = append(a.Steps, Step{Rename: [2]string{b.Name, a.name()}})
		a.run()
	case 3:
		a.Steps = append(a.Steps, Step{Move: [2]string{b.Name, a.name()}})
		a.run()
	case 4:
		a.Steps = append(a.Steps, Step{Remove: b.Name})
		a.put(b)
		a.run()
	case 5:
		a.put(a.block())
		a.plain().Only = b.Name
		a.run()
	default:
		a.Steps = append(a.Steps, Step{Drop: b.Name})
		a.run()
	}
}

// adopt: what others have done is imported.
func (a *artist) adopt() {
	who := a.person()
	b, what := a.erasure(who), pick(a, []string{softly, pruning, finally})
	if a.one(3) {
		b, what = a.restriction(who), deactivate
	}
	b.Import, b.Veiled = true, false
	a.Steps = append(a.Steps, Step{Event: &Event{What: what, Who: who}})
	a.put(b)
	a.run()
	if a.one(2) {
		a.happening()
		a.run()
	}
}
