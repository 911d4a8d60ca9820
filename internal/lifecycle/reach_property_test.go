// Copyright (c) the terraform-provider-streamchat authors
// SPDX-License-Identifier: MPL-2.0

package lifecycle_test

import (
	"encoding/json"
	"flag"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/acctest"
)

// A story that failed is told again by: go test -run ReachProperty -args -guard-seed 7.
var (
	guardSeed    = flag.Int64("guard-seed", -1, "tell the story of this seed of the reach property alone")
	guardStories = flag.Int64("guard-stories", 80, "how many stories the reach property tells")
)

// Random channels, subjects, scopes, blocks and guards: nothing of somebody guarded ever
// goes, and no run is refused in which no guard is touched. What a guard touches is said here
// once more, by the rule and not by the code.
func TestReachProperty(t *testing.T) {
	t.Parallel()
	touched, applied := 0, 0
	for n := range *guardStories {
		seed := n
		if *guardSeed >= 0 {
			seed = *guardSeed
		}
		acctest.Bubble(t, func(t *testing.T) {
			s := newReachStory(t, uint64(seed))
			for range 3 {
				if !t.Failed() {
					s.run()
				}
			}
			touched, applied = touched+s.touched, applied+s.applied
			if t.Failed() {
				t.Logf("this was seed %d: %v guarded by %s, %s", seed, s.guarded, s.guard.name, strings.Join(s.told, "; "))
			}
		})
		if t.Failed() || *guardSeed >= 0 {
			return
		}
	}
	t.Logf("%d runs touched a guard, %d did not", touched, applied)
	if touched < int(*guardStories)/3 || applied < int(*guardStories)/3 {
		t.Error("the stories are one-sided")
	}
}

// reachStory is a world and what was done to it.
type reachStory struct {
	*world
	draw    *rand.Rand
	people  []string
	members map[string][]string // by cid, as they are now; a channel that is gone has none
	wrote   map[string][]string
	guard   guard
	guarded []string

	blocks map[string]*reachBlock
	kept   map[string][]string // by subject, whose data a soft deletion hid with theirs
	hidden map[string]bool     // deleted, with what they wrote left behind
	told   []string

	touched, applied int
}

// reachBlock erases some people.
type reachBlock struct {
	ids               []string
	user              string
	conversations     bool
	scheduled, erased bool
	due               time.Time
}

func newReachStory(t *testing.T, seed uint64) *reachStory {
	s := &reachStory{draw: rand.New(rand.NewPCG(seed, 1)), members: map[string][]string{}, wrote: map[string][]string{}, blocks: map[string]*reachBlock{}, kept: map[string][]string{}, hidden: map[string]bool{}}
	for i := range 4 + s.draw.IntN(4) {
		s.people = append(s.people, fmt.Sprintf("person-%d", i))
	}
	type object = map[string]any
	var people, rooms, messages []object
	for _, id := range s.people {
		people = append(people, object{"id": id})
	}
	for i := range 2 + s.draw.IntN(4) {
		cid := fmt.Sprintf("messaging:room-%d", i)
		s.members[cid] = s.some(2 + s.draw.IntN(3))
		s.wrote[cid] = slices.Clone(s.members[cid])
		if s.draw.IntN(4) == 0 { // and somebody who left
			if author := s.some(1)[0]; !slices.Contains(s.wrote[cid], author) {
				s.wrote[cid] = append(s.wrote[cid], author)
			}
		}
		rooms = append(rooms, object{"cid": cid, "created_by_id": s.people[0], "members": s.members[cid]})
		for _, id := range s.wrote[cid] {
			messages = append(messages, object{"id": "m-" + fmt.Sprint(i) + "-" + id, "cid": cid, "user_id": id, "text": "hi"})
		}
	}
	raw, err := json.Marshal(struct {
		Users    []object `json:"users"`
		Channels []object `json:"channels"`
		Messages []object `json:"messages"`
	}{people, rooms, messages})
	if err != nil {
		t.Fatal(err)
	}
	s.guard = peopleGuards()[s.draw.IntN(3)]
	w := &world{s: acctest.InMemory(t), t: t}
	w.s.Fill(t, string(raw))
	w.Core = acctest.NewCore(t, w.s, with(s.guard.provider, config{"allow_unknown_subjects": true}))
	s.world = w
	s.guarded = s.some(1 + s.draw.IntN(2))
	if s.guard.name == "id" {
		w.Provider["protected_user_ids"] = s.guarded
	} else {
		for _, id := range s.guarded {
			s.guard.on(t, w, id)
		}
	}
	return s
}

// some are different people.
func (s *reachStory) some(n int) []string {
	some := slices.Clone(s.people)
	s.draw.Shuffle(len(some), func(i, j int) { some[i], some[j] = some[j], some[i] })
	return some[:min(n, len(some))]
}

// run draws what changes in the configuration, and applies it.
func (s *reachStory) run() {
	next := map[string]*reachBlock{}
	for address, b := range s.blocks {
		one := *b
		next[address] = &one
	}
	for _, b := range next { // further than before
		if b.erased && b.user == "soft" && s.draw.IntN(2) == 0 {
			b.user, b.conversations, b.erased = "hard", true, false
		}
	}
	taken := map[string]bool{}
	for _, b := range next {
		for _, id := range b.ids {
			taken[id] = true
		}
	}
	for range 1 + s.draw.IntN(3) {
		var ids []string
		for _, id := range s.some(1 + s.draw.IntN(3)) {
			if !taken[id] && (!slices.Contains(s.guarded, id) || s.draw.IntN(8) == 0) {
				taken[id] = true
				ids = append(ids, id)
			}
		}
		if len(ids) == 0 {
			continue
		}
		b := &reachBlock{ids: ids, user: []string{"hard", "hard", "soft", "pruning"}[s.draw.IntN(4)], scheduled: s.draw.IntN(6) == 0}
		b.conversations = b.user == "hard" || s.draw.IntN(3) == 0
		next[fmt.Sprintf("streamchat_user_erasure_batch.b%d", len(next))] = b
	}
	if s.draw.IntN(3) == 0 {
		time.Sleep(48 * time.Hour)
	}
	s.apply(next)
}

// apply holds a run against the rule.
func (s *reachStory) apply(next map[string]*reachBlock) {
	leaving, taking := map[string]bool{}, map[string]bool{}
	var changes []acctest.Change
	blind, due := s.draw.IntN(4) == 0, false // the plan does not know who is meant; it says of who is due that they are held back
	for _, address := range slices.Sorted(maps.Keys(next)) {
		b := next[address]
		c := config{"user_ids": b.ids, "delete": config{"user": b.user}}
		if b.user != "hard" && b.conversations {
			c["delete"] = config{"user": b.user, "conversations": "hard"}
		}
		if b.scheduled {
			c["grace_period"] = "24h"
		}
		if s.blocks[address] == nil && blind {
			c["user_ids"] = acctest.Later(b.ids)
		}
		changes = append(changes, acctest.Change{Address: address, Config: c})
		if b.erased || b.scheduled && s.blocks[address] != nil && time.Now().Before(b.due) {
			continue
		}
		due = due || b.scheduled && s.blocks[address] != nil
		for _, id := range b.ids {
			leaving[id], taking[id] = true, b.conversations
		}
	}
	s.draw.Shuffle(len(changes), func(i, j int) { changes[i], changes[j] = changes[j], changes[i] })
	touches, maybe, hides := s.touches(leaving, taking)
	s.told = append(s.told, fmt.Sprintf("%v leaving, %v taking, touches %v", slices.Sorted(maps.Keys(leaving)), taking, touches))
	p := s.PlanAll(changes...)
	if !blind && !maybe && !(due && touches) && (len(p.Errors) > 0) != touches {
		s.t.Errorf("touched %v, the plan: %s", touches, p.Errors)
	}
	if len(p.Errors) > 0 {
		s.touched++
		return
	}
	r := s.Apply(p)
	if len(r.Errors) > 0 && !touches && !maybe {
		s.t.Errorf("nobody is touched, the apply: %s", r.Errors)
	}
	s.untouched()
	if touches || len(r.Errors) > 0 {
		s.touched++
		s.blocks = map[string]*reachBlock{} // who knows how far it got
		s.people = nil
		return
	}
	s.applied++
	s.done(next, leaving, taking, hides)
}

// touches is the rule: a guard is touched by whom the run erases, and by whose data a channel
// holds of which the run leaves one member or none and takes somebody's conversations. hides
// are those whose data a subject's deletion could have taken. Who was deleted and cannot be
// read is guarded, unless this run erases them further: then it may depend on who is first.
func (s *reachStory) touches(leaving, taking map[string]bool) (touches, maybe bool, hides map[string][]string) {
	hides = map[string][]string{}
	guards := func(ids []string) bool {
		return slices.ContainsFunc(ids, func(id string) bool { return slices.Contains(s.guarded, id) })
	}
	for id := range leaving {
		gone := slices.Contains(slices.Collect(maps.Keys(s.kept)), id)
		touches = touches || guards([]string{id}) || gone && taking[id] && guards(s.kept[id])
		for _, other := range s.kept[id] {
			_, went := s.kept[other] // asked then, if they went by the same call
			maybe = maybe || gone && taking[id] && other != id && went && s.guard.name != "id"
		}
	}
	for cid, members := range s.members {
		stay, takers := 0, false
		for _, id := range members {
			if !leaving[id] {
				stay++
			}
			takers = takers || taking[id]
		}
		if len(members) < 2 || stay > 1 {
			continue
		}
		all := slices.Concat(members, s.wrote[cid])
		touches = touches || takers && guards(all)
		for _, id := range all {
			if takers && s.hidden[id] && s.guard.name != "id" {
				touches, maybe = touches || !leaving[id], maybe || leaving[id]
			}
		}
		for _, id := range members {
			hides[id] = append(hides[id], all...)
		}
	}
	return touches, maybe, hides
}

// done is what the run has made of the world.
func (s *reachStory) done(next map[string]*reachBlock, leaving, taking map[string]bool, hides map[string][]string) {
	for address, b := range next {
		if b.scheduled && s.blocks[address] == nil {
			b.due = time.Now().Add(24 * time.Hour)
			for _, id := range b.ids {
				delete(leaving, id)
			}
			continue
		}
		b.erased = b.erased || leaving[b.ids[0]]
		for _, id := range b.ids {
			if s.hidden[id] = b.user != "hard"; b.user == "hard" {
				for cid, wrote := range s.wrote {
					s.wrote[cid] = slices.DeleteFunc(slices.Clone(wrote), func(author string) bool { return author == id })
				}
			}
		}
	}
	for id := range leaving {
		if _, before := s.kept[id]; !before {
			s.kept[id] = hides[id]
		}
	}
	for cid := range s.members {
		s.members[cid] = slices.DeleteFunc(slices.Clone(s.members[cid]), func(id string) bool { return leaving[id] })
		if c, ok := s.s.Channel(cid); !ok || c.Deleted {
			s.members[cid] = nil
		}
	}
	s.blocks = next
}

// untouched expects that all that is somebody's who is guarded is there.
func (s *reachStory) untouched() {
	for _, id := range s.guarded {
		if u, ok := s.s.User(id); !ok || u.Deleted || u.Deactivated {
			s.t.Errorf("%s is gone", id)
		}
		for cid, wrote := range s.wrote {
			if !slices.Contains(wrote, id) {
				continue
			}
			if c, ok := s.s.Channel(cid); !ok || c.Deleted {
				s.t.Errorf("%s, where %s wrote, is gone", cid, id)
			}
			if m, ok := s.s.Message("m-" + strings.TrimPrefix(cid, "messaging:room-") + "-" + id); !ok || m.Deleted {
				s.t.Errorf("what %s wrote in %s is gone", id, cid)
			}
		}
	}
}
