// Copyright (c) the terraform-provider-streamchat authors
// SPDX-License-Identifier: MPL-2.0

package lifecycle_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/acctest"
	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/emulator"
)

// town is a Stream with people and channels, who is in them by cid; each member wrote in
// each.
func town(t *testing.T, provider config, held []string, channels map[string][]string, change ...func(*emulator.Options)) *world {
	t.Helper()
	type object = map[string]any
	var people, rooms, messages []object
	seen := map[string]bool{}
	add := func(id string) {
		if !seen[id] {
			seen[id] = true
			people = append(people, object{"id": id, "legal_hold": slices.Contains(held, id)})
		}
	}
	for cid, members := range channels {
		rooms = append(rooms, object{"cid": cid, "created_by_id": members[0], "members": members})
		for _, id := range members {
			add(id)
			messages = append(messages, object{"id": strings.ReplaceAll(cid, ":", "-") + "-" + id, "cid": cid, "user_id": id, "text": "hi"})
		}
	}
	raw, err := json.Marshal(struct { // in an order in which nothing is referred to before it is there
		Users    []object `json:"users"`
		Channels []object `json:"channels"`
		Messages []object `json:"messages"`
	}{people, rooms, messages})
	if err != nil {
		t.Fatal(err)
	}
	s := acctest.InMemory(t, change...)
	s.Fill(t, string(raw))
	return &world{noun: users, Core: acctest.NewCore(t, s, provider), t: t, s: s}
}

func bubble(t *testing.T, test func(t *testing.T)) {
	t.Helper()
	t.Parallel()
	acctest.Bubble(t, test)
}

func erasing(name string, scope config, ids ...string) acctest.Change {
	if len(ids) > 1 {
		return acctest.Change{Address: "streamchat_user_erasure_batch." + name, Config: userBatch.block(scope, ids...)}
	}
	return acctest.Change{Address: "streamchat_user_erasure." + name, Config: users.block(scope, ids[0])}
}

var (
	softOnly     = config{"delete": config{"user": "soft"}}
	softTogether = config{"delete": config{"user": "soft", "conversations": "soft"}}
	holds        = config{"hold_field": "legal_hold", "max_erasures": 1000}
	protects     = config{"protected_user_ids": []string{"kim"}, "max_erasures": 1000}
	among        = "among those whose data goes too"
)

// Who stays in a channel that the run empties is looked at as the other member of a
// conversation, whatever the blocks and scopes, in whatever order; and nobody else is.
func TestReachAtTheRunsEnd(t *testing.T) {
	t.Parallel()
	three := map[string][]string{"messaging:three": {"ann", "bob", "kim"}}
	four := map[string][]string{"messaging:four": {"ann", "bob", "kim", "lee"}}
	due := config{"delete": config{"user": "hard"}, "grace_period": "24h"}
	for name, tt := range map[string]struct {
		channels map[string][]string
		changes  []acctest.Change
		refused  bool
	}{
		"one batch":                   {three, []acctest.Change{erasing("a", userHard, "ann", "bob")}, true},
		"two blocks":                  {three, []acctest.Change{erasing("a", userHard, "ann"), erasing("b", userHard, "bob")}, true},
		"two scopes":                  {three, []acctest.Change{erasing("a", userHard, "ann"), erasing("b", softTogether, "bob")}, true},
		"a soft one leaves too":       {three, []acctest.Change{erasing("a", softOnly, "ann"), erasing("b", userHard, "bob")}, true},
		"a soft one leaves last":      {three, []acctest.Change{erasing("a", userHard, "ann"), erasing("b", softOnly, "bob")}, true},
		"a scheduled one":             {three, []acctest.Change{erasing("a", userHard, "ann"), erasing("b", due, "bob")}, true},
		"nobody's conversations":      {three, []acctest.Change{erasing("a", softOnly, "ann"), erasing("b", softOnly, "bob")}, false},
		"one of three":                {three, []acctest.Change{erasing("a", userHard, "ann")}, false},
		"two of four":                 {four, []acctest.Change{erasing("a", userHard, "ann", "bob")}, false},
		"three of four":               {four, []acctest.Change{erasing("a", userHard, "ann", "lee"), erasing("b", userHard, "bob")}, true},
		"everybody but in two rooms":  {map[string][]string{"messaging:x": {"ann", "kim", "lee"}, "messaging:y": {"bob", "kim", "lee"}}, []acctest.Change{erasing("a", userHard, "ann", "bob")}, false},
		"with one who is not guarded": {map[string][]string{"messaging:x": {"ann", "bob", "lee"}, "messaging:y": {"kim", "lee"}}, []acctest.Change{erasing("a", userHard, "ann", "bob")}, false},
	} {
		for guard, provider := range map[string]config{"held": holds, "protected": protects} {
			for _, turned := range []bool{false, true} {
				t.Run(fmt.Sprintf("%s, %s, turned %v", name, guard, turned), func(t *testing.T) {
					bubble(t, func(t *testing.T) {
						w := town(t, provider, []string{"kim"}, tt.channels)
						changes := slices.Clone(tt.changes)
						if turned {
							slices.Reverse(changes)
						}
						p := w.PlanAll(changes...)
						if got := p.Errors.Say(among); got != tt.refused {
							t.Fatalf("refused %v: %s", got, p.Errors)
						}
						if p.Errors.Say("kim") {
							t.Errorf("names somebody: %s", p.Errors)
						}
						if p.Warnings.Say("Nobody has the hold field") && guard == "held" && tt.refused {
							t.Errorf("somebody has it: %s", p.Warnings)
						}
						if tt.refused {
							w.once(0)
							return
						}
						if r := w.Apply(p); len(r.Errors) > 0 {
							t.Fatal(r.Errors)
						}
						intact(t, w, "kim", tt.channels)
					})
				})
			}
		}
	}
}

// intact expects that what somebody wrote is still there.
func intact(t *testing.T, w *world, id string, channels map[string][]string) {
	t.Helper()
	if u, ok := w.s.User(id); !ok || u.Deleted {
		t.Errorf("%s is gone", id)
	}
	for cid, members := range channels {
		if !slices.Contains(members, id) {
			continue
		}
		if c, ok := w.s.Channel(cid); !ok || c.Deleted {
			t.Errorf("channel %s is gone", cid)
		}
		if m, ok := w.s.Message(strings.ReplaceAll(cid, ":", "-") + "-" + id); !ok || m.Deleted {
			t.Errorf("what %s wrote in %s is gone", id, cid)
		}
	}
}

// A plan that could not see the subjects of the run leaves it to the apply, call by call.
func TestReachAtTheRunsEndInTheApply(t *testing.T) {
	t.Parallel()
	for name, changes := range map[string][]acctest.Change{
		"two blocks": {erasing("a", userHard, "ann"), erasing("b", userHard, "bob")},
		"two scopes": {erasing("a", softTogether, "ann"), erasing("b", userHard, "bob")},
		"a batch":    {erasing("a", userHard, "ann", "bob")},
	} {
		for guard, provider := range map[string]config{"held": holds, "protected": protects} {
			t.Run(name+", "+guard, func(t *testing.T) {
				bubble(t, func(t *testing.T) {
					rooms := map[string][]string{"messaging:three": {"ann", "bob", "kim"}}
					w := town(t, with(provider, config{"allow_unknown_subjects": true}), []string{"kim"}, rooms)
					late := slices.Clone(changes)
					for i := range late {
						late[i].Config = later(late[i].Config)
					}
					p := w.PlanAll(late...)
					if len(p.Errors) > 0 {
						t.Fatal(p.Errors)
					}
					if r := w.Apply(p); !r.Errors.Say(among) {
						t.Errorf("errors: %s", r.Errors)
					}
					intact(t, w, "kim", rooms)
				})
			})
		}
	}
}

// later makes the subjects of a block known only at apply.
func later(c config) config {
	if ids, ok := c["user_ids"]; ok {
		return with(c, config{"user_ids": acctest.Later(ids)})
	}
	return with(c, config{"user_id": acctest.Later(c["user_id"])})
}

// Seventy-five channels of a held person, each with two of a batch of 150, whose members
// go in two calls.
func TestReachOverManyCalls(t *testing.T) {
	bubble(t, func(t *testing.T) {
		rooms, ids := map[string][]string{}, []string{}
		for i := range 75 {
			a, b := fmt.Sprintf("first-%02d", i), fmt.Sprintf("second-%02d", i)
			rooms[fmt.Sprintf("messaging:room-%02d", i)] = []string{a, b, "kim"}
			ids = append(ids, a, b)
		}
		slices.Sort(ids)
		w := town(t, holds, []string{"kim"}, rooms)
		if p := w.PlanAll(erasing("all", userHard, ids...)); !p.Errors.Say("Held user " + among) {
			t.Errorf("plan: %s", p.Errors)
		}
		// One of each: nobody is touched.
		half := slices.DeleteFunc(slices.Clone(ids), func(id string) bool { return strings.HasPrefix(id, "second") })
		if r := w.Run(erasing("all", userHard, half...)); len(r.Errors) > 0 {
			t.Fatal(r.Errors)
		}
		intact(t, w, "kim", rooms)
		// The others are left in conversations now.
		if p := w.PlanAll(erasing("all", userHard, half...), erasing("rest", userHard, ids[75:]...)); !p.Errors.Say("Held user " + among) {
			t.Errorf("plan: %s", p.Errors)
		}
	})
}

// A channel of more members than a query lists, of which the run leaves one.
func TestReachOfLargeChannels(t *testing.T) {
	bubble(t, func(t *testing.T) {
		ids := make([]string, 120)
		for i := range ids {
			ids[i] = fmt.Sprintf("member-%03d", i)
		}
		rooms := map[string][]string{"messaging:large": append([]string{"kim"}, ids...)}
		w := town(t, holds, []string{"kim"}, rooms)
		if p := w.PlanAll(erasing("all", userHard, ids...)); !p.Errors.Say("Held user " + among) {
			t.Errorf("plan: %s", p.Errors)
		}
		p := w.PlanAll(erasing("all", userHard, ids[:119]...))
		if len(p.Errors) > 0 || !p.Warnings.Say("keep two members or fewer") {
			t.Errorf("plan: %s, %s", p.Errors, p.Warnings)
		}
		w.Provider["hold_field"] = nil
		if p := w.PlanAll(erasing("all", userHard, ids...)); len(p.Errors) > 0 {
			t.Errorf("without a guard: %s", p.Errors)
		}
	})
}

// What Stream counts and does not list stops nobody where no guard needs it; with one,
// members are asked for first.
func TestReachThatStreamDoesNotCount(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		count string // in place of "member_count":2
		// members: what GET /members says, "" as it is.
		members          string
		guarded, refused bool
	}{
		"missing":                     {count: `"n":2`, guarded: false},
		"missing, guarded":            {count: `"n":2`, guarded: true},
		"one more":                    {count: `"member_count":3`, guarded: false},
		"one more, guarded":           {count: `"member_count":3`, guarded: true, refused: true},
		"one less, guarded":           {count: `"member_count":1`, guarded: true},
		"missing, guarded and hidden": {count: `"n":2`, guarded: true, members: `{"members":[],"duration":"1ms"}`},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				rooms := map[string][]string{"messaging:two": {"ann", "bob"}}
				provider := config{}
				if tt.guarded {
					provider = holds
				}
				w := town(t, provider, nil, rooms)
				row := `{"channels":[{"channel":{"id":"two","type":"messaging","cid":"messaging:two","created_at":"2026-01-01T00:00:00Z",` + tt.count +
					`},"members":[{"user_id":"ann"},{"user_id":"bob"}]}],"duration":"1ms"}`
				w.fault(emulator.Fault{Op: "QueryChannels", Kind: emulator.FaultCustom, Status: 201, ContentType: "application/json", Body: row, Times: 1})
				if tt.members != "" {
					w.fault(emulator.Fault{Op: "QueryMembers", Kind: emulator.FaultCustom, Status: 200, ContentType: "application/json", Body: tt.members, Times: forever})
				}
				p := w.PlanAll(erasing("a", userHard, "ann"))
				if refused := p.Errors.Say("Guards cannot be checked"); refused != tt.refused || len(p.Errors) > 0 && !refused {
					t.Errorf("refused %v: %s", refused, p.Errors)
				}
				if name == "one more" && !p.Warnings.Say("cannot be counted") {
					t.Errorf("warnings: %s", p.Warnings)
				}
			})
		})
	}
}
