// Copyright (c) the terraform-provider-streamchat authors
// SPDX-License-Identifier: MPL-2.0

package lifecycle_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/acctest"
	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/emulator"
)

// The people of the table: ann is erased with her conversation with bob, where cyd wrote
// before he left; the room is the channel that dan made, with bob and lee as members, where
// cyd wrote; eve inherits.
const guardedTown = `{
	"users": [{"id": "ann"}, {"id": "bob"}, {"id": "cyd"}, {"id": "dan"}, {"id": "eve"}, {"id": "lee"}],
	"channels": [
		{"cid": "messaging:talk", "created_by_id": "dan", "members": ["ann", "bob"]},
		{"cid": "messaging:room", "created_by_id": "dan", "members": ["bob", "lee"]}
	],
	"messages": [
		{"id": "m-talk", "cid": "messaging:talk", "user_id": "cyd", "text": "hi"},
		{"id": "m-room", "cid": "messaging:room", "user_id": "cyd", "text": "hi"}
	]
}`

var townspeople = map[string]string{"subject": "ann", "member": "bob", "author": "cyd", "owner": "dan", "heir": "eve", "bystander": "nobody"}

// kind is a way to act on Stream.
type kind struct {
	name, address string
	config        config
	op            string   // what it sends
	asks          []string // of whom guards of people stop it
}

var (
	toErase  = []string{"subject", "member", "author"}
	theRoom  = []string{"member", "author", "owner"}
	guarding = []kind{
		{"user", "streamchat_user_erasure.x", config{"user_id": "ann", "new_channel_owner_id": "eve", "delete": config{"user": "hard"}}, "DeleteUsers", toErase},
		{"user without id", "streamchat_user_erasure.x", config{"user_id_wo": "ann", "new_channel_owner_id": "eve", "delete": config{"user": "hard"}}, "DeleteUsers", toErase},
		{"user, softly", "streamchat_user_erasure.x", config{"user_id": "ann", "delete": config{"user": "soft"}}, "DeleteUsers", []string{"subject"}},
		{"user, scheduled", "streamchat_user_erasure.x", config{"user_id": "ann", "grace_period": "1h", "delete": config{"user": "hard"}}, "DeactivateUser", toErase},
		{"users", "streamchat_user_erasure_batch.x", config{"user_ids": []string{"ann"}, "new_channel_owner_id": "eve", "delete": config{"user": "hard"}}, "DeleteUsers", toErase},
		{"users without ids", "streamchat_user_erasure_batch.x", config{"user_ids_wo": []string{"ann"}, "delete": config{"user": "hard"}}, "DeleteUsers", toErase},
		{"users, scheduled", "streamchat_user_erasure_batch.x", config{"user_ids": []string{"ann"}, "grace_period": "1h", "delete": config{"user": "hard"}}, "DeactivateUsers", toErase},
		{"channel", "streamchat_channel_erasure.x", config{"cid": "messaging:room", "hard_delete": true}, "DeleteChannels", theRoom},
		{"channels", "streamchat_channel_erasure_batch.x", config{"cids": []string{"messaging:room"}, "hard_delete": true}, "DeleteChannels", theRoom},
		{"message", "streamchat_message_erasure.x", config{"message_id": "m-room", "hard_delete": true}, "DeleteMessage", []string{"author"}},
		{"truncation", "streamchat_channel_truncation.x", config{"cid": "messaging:room", "hard_delete": true}, "TruncateChannel", []string{"member", "author"}},
		// What can be taken back, and takes nothing away, is for the people that the guards
		// of erasures are about too.
		{"restriction", "streamchat_user_deactivation.x", config{"user_id": "ann"}, "DeactivateUser", nil},
	}
)

// guard is a guard about people: how it is set in the provider, and how somebody comes to
// be guarded by it.
type guard struct {
	name, says string
	provider   config
	on, off    func(t *testing.T, w *world, id string)
}

func patched(set, unset string) (on, off func(t *testing.T, w *world, id string)) {
	to := func(what string) func(*testing.T, *world, string) {
		return func(t *testing.T, w *world, id string) {
			patch(t, w.s, fmt.Sprintf(`{"users":[{"id":%q,"set":{%s}}]}`, id, what))
		}
	}
	return to(set), to(unset)
}

func peopleGuards() []guard {
	hold, free := patched(`"legal_hold":"case 17"`, `"legal_hold":false`)
	promote, demote := patched(`"role":"admin"`, `"role":"user"`)
	protect := func(_ *testing.T, w *world, id string) { w.Provider["protected_user_ids"] = []string{id} }
	unprotect := func(_ *testing.T, w *world, _ string) { w.Provider["protected_user_ids"] = []string{"nobody"} }
	return []guard{
		{"hold", "Held user", config{"hold_field": "legal_hold"}, hold, free},
		{"role", "Protected role", config{"protected_roles": []string{"admin"}}, promote, demote},
		{"id", "Protected user", config{"protected_user_ids": []string{"nobody"}}, protect, unprotect},
	}
}

// Every guard about people with every kind of act: it stops what takes the data of somebody
// whom it is about, in the plan and in the apply of a plan that was right, and nothing else.
// The recommended guards together stop nobody whom none of them is about.
func TestEveryGuardWithEveryKind(t *testing.T) {
	t.Parallel()
	for _, k := range guarding {
		for _, g := range peopleGuards() {
			t.Run(k.name+", "+g.name, func(t *testing.T) {
				bubble(t, func(t *testing.T) {
					w := &world{s: acctest.InMemory(t), t: t}
					w.s.Fill(t, guardedTown)
					w.Core = acctest.NewCore(t, w.s, with(config{"hold_field": "legal_hold", "protected_roles": []string{"admin"}, "protected_user_ids": []string{"nobody"}}, g.provider))
					for who, id := range townspeople {
						if id == "nobody" {
							continue
						}
						want := slices.Contains(k.asks, who)
						p := w.Plan(k.address, k.config)
						if len(p.Errors) > 0 {
							t.Fatalf("nobody is guarded: %s", p.Errors)
						}
						g.on(t, w, id)
						if again := w.Plan(k.address, k.config); again.Errors.Say(g.says) != want || !want && len(again.Errors) > 0 {
							t.Errorf("%s is guarded, the plan: %s", who, again.Errors)
						} else if want && who != "subject" && !again.Errors.Say(among) {
							t.Errorf("%s is guarded, the plan means the subject: %s", who, again.Errors)
						}
						if want {
							if r := w.Apply(p); !r.Errors.Say(g.says) {
								t.Errorf("%s is guarded, the apply: %s", who, r.Errors)
							}
						}
						g.off(t, w, id)
					}
					if n := w.s.Count(k.op); n != 0 {
						t.Errorf("%d calls in spite of the guard", n)
					}
					if r := w.Apply(w.Plan(k.address, k.config)); len(r.Errors) > 0 || w.s.Count(k.op) != 1 {
						t.Errorf("nobody is guarded, the apply: %s", r.Errors)
					}
				})
			})
		}
	}
}

// The guards of the run with every kind: the wrong app stops everything, too many erasures
// everything that erases.
func TestEveryGuardOfTheRunWithEveryKind(t *testing.T) {
	t.Parallel()
	for _, k := range guarding {
		t.Run(k.name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				w := &world{s: acctest.InMemory(t), t: t}
				w.s.Fill(t, guardedTown)
				w.Core = acctest.NewCore(t, w.s, nil)
				right := w.Plan(k.address, k.config)
				w.Provider["expected_app_name"] = "Production"
				if p := w.Plan(k.address, k.config); !p.Errors.Say("Wrong app") {
					t.Errorf("the plan: %s", p.Errors)
				}
				if r := w.Apply(right); len(r.Errors) == 0 {
					t.Error("the apply says nothing")
				}
				delete(w.Provider, "expected_app_name")
				w.Provider["max_erasures"] = 1
				other := acctest.Change{Address: "streamchat_message_erasure.other", Config: config{"message_id": "m-talk", "hard_delete": true}}
				if p := w.PlanAll(acctest.Change{Address: k.address, Config: k.config}, other); p.Errors.Say("Too many erasures") != (k.name != "restriction") {
					t.Errorf("the plan of two: %s", p.Errors)
				}
				if n := w.s.Count(k.op) + w.s.Count("DeleteMessage"); n != 0 {
					t.Errorf("%d calls in spite of the guards", n)
				}
			})
		})
	}
}

// Every condition with every kind that has it, in the plan and in the apply.
func TestEveryConditionWithEveryKind(t *testing.T) {
	t.Parallel()
	for _, k := range guarding {
		if k.op != "DeleteUsers" && k.op != "DeactivateUsers" && k.name != "user, scheduled" {
			continue
		}
		bubbleOf := func(name, says string, condition config, changes string) {
			t.Run(k.name+", "+name, func(t *testing.T) {
				bubble(t, func(t *testing.T) {
					w := &world{s: acctest.InMemory(t), t: t}
					w.s.Fill(t, guardedTown)
					w.Core = acctest.NewCore(t, w.s, nil)
					c := with(k.config, condition)
					right := w.Plan(k.address, c)
					if len(right.Errors) > 0 {
						t.Fatal(right.Errors)
					}
					patch(t, w.s, changes)
					if p := w.Plan(k.address, c); !p.Errors.Say(says) {
						t.Errorf("the plan: %s", p.Errors)
					}
					if r := w.Apply(right); !r.Errors.Say(says) || w.s.Count(k.op) != 0 {
						t.Errorf("the apply: %s", r.Errors)
					}
					// Who was deleted meanwhile cannot be asked.
					post(t, w.s, "/users/delete", `{"user_ids":["ann"],"user":"soft"}`)
					w.s.ResetRequests()
					if p := w.Plan(k.address, c); !p.Errors.Say("Person cannot be checked") {
						t.Errorf("deleted, the plan: %s", p.Errors)
					}
				})
			})
		}
		if k.address == "streamchat_user_erasure.x" {
			bubbleOf("expected", "Another person than expected", config{"expected_wo": config{"role": "user"}}, `{"users":[{"id":"ann","set":{"role":"admin"}}]}`)
		}
	}
}

// What Stream hides of somebody who was deleted is no pass; what this record asked before it
// hid them is.
func TestNobodyEscapesAGuardByBeingDeleted(t *testing.T) {
	t.Parallel()
	type step func(t *testing.T, w *world, k kind)
	deletes := func(id string) step {
		return func(t *testing.T, w *world, _ kind) {
			post(t, w.s, "/users/delete", fmt.Sprintf(`{"user_ids":[%q],"user":"soft"}`, id))
		}
	}
	ours := func(t *testing.T, w *world, k kind) {
		if r := w.Run(acctest.Change{Address: k.address, Config: with(k.config, config{"delete": config{"user": "soft"}, "new_channel_owner_id": nil})}); len(r.Errors) > 0 {
			t.Fatal(r.Errors)
		}
	}
	hide := func(t *testing.T, w *world, _ kind) {
		post(t, w.s, "/channels/delete", `{"cids":["messaging:room"],"hard_delete":false}`)
	}
	oursRoom := func(t *testing.T, w *world, k kind) {
		if r := w.Run(acctest.Change{Address: k.address, Config: with(k.config, config{"hard_delete": false})}); len(r.Errors) > 0 {
			t.Fatal(r.Errors)
		}
	}
	for name, tt := range map[string]struct {
		kinds  []string
		guards []string
		before step   // what happens before
		on     string // who is guarded then
		first  bool   // or is before
		says   string
	}{
		"subject, by somebody else":               {[]string{"user", "users", "user without id"}, []string{"hold", "role", "id"}, deletes("ann"), "", false, "Guards cannot be checked"},
		"protected member, then deleted by us":    {[]string{"user", "users"}, []string{"id"}, ours, "bob", false, "Protected user " + among},
		"protected member, without ids":           {[]string{"user without id", "users without ids"}, []string{"id", "hold"}, ours, "", false, "Guards cannot be checked"},
		"guarded member, before and after":        {[]string{"user", "users"}, []string{"hold", "role", "id"}, ours, "bob", true, among},
		"member held since":                       {[]string{"user", "users"}, []string{"hold", "role"}, ours, "bob", false, among},
		"author held since":                       {[]string{"user", "users"}, []string{"hold", "role"}, ours, "cyd", false, among},
		"nobody, deleted by us":                   {[]string{"user", "users"}, []string{"hold", "role", "id"}, ours, "", false, ""},
		"bystander, deleted by us":                {[]string{"user", "users"}, []string{"hold", "role", "id"}, ours, "lee", false, ""},
		"author who was deleted":                  {[]string{"message", "channel", "channels", "truncation"}, []string{"hold", "role"}, deletes("cyd"), "", false, "Guards cannot be checked " + among},
		"author who was deleted, by ids":          {[]string{"message", "channel", "channels", "truncation"}, []string{"id"}, deletes("cyd"), "", false, ""},
		"protected author who was deleted":        {[]string{"message", "channel", "channels", "truncation"}, []string{"id"}, deletes("cyd"), "cyd", false, "Protected user " + among},
		"channel hidden by us, member held":       {[]string{"channel", "channels"}, []string{"hold", "role", "id"}, oursRoom, "bob", false, among},
		"channel hidden by us":                    {[]string{"channel", "channels"}, []string{"hold", "role", "id"}, oursRoom, "", false, ""},
		"channel hidden by somebody else":         {[]string{"channel", "channels"}, []string{"hold", "role", "id"}, hide, "", false, "Subject not found"},
		"former member deleted from conversation": {[]string{"user", "users"}, []string{"hold", "role"}, deletes("cyd"), "", false, "Guards cannot be checked " + among},
	} {
		for _, k := range guarding {
			for _, g := range peopleGuards() {
				if !slices.Contains(tt.kinds, k.name) || !slices.Contains(tt.guards, g.name) {
					continue
				}
				t.Run(fmt.Sprintf("%s: %s, %s", name, k.name, g.name), func(t *testing.T) {
					bubble(t, func(t *testing.T) {
						w := &world{s: acctest.InMemory(t), t: t}
						w.s.Fill(t, guardedTown)
						w.Core = acctest.NewCore(t, w.s, g.provider)
						if tt.first {
							g.on(t, w, tt.on)
						}
						tt.before(t, w, k)
						if tt.on != "" && !tt.first {
							g.on(t, w, tt.on)
						}
						w.s.ResetRequests()
						p := w.Plan(k.address, k.config)
						if tt.says != "" {
							if !p.Errors.Say(tt.says) || w.s.Count(k.op) != 0 {
								t.Errorf("the plan: %s", p.Errors)
							}
							return
						}
						if len(p.Errors) > 0 {
							t.Fatal(p.Errors)
						}
						if r := w.Apply(p); len(r.Errors) > 0 || w.s.Count(k.op) != 1 {
							t.Errorf("the apply: %s", r.Errors)
						}
					})
				})
			}
		}
	}
}

// What we began ourselves is not stuck by guards that can no longer ask: a task that is
// polled, a deletion that failed or lost its answer, in state or tainted, and one that is due.
func TestGuardsLetWhatWasBegunGoOn(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		fault emulator.Fault
		wrong bool // the first apply
	}{
		"task fails":             {emulator.Fault{Op: "DeleteUsers", Kind: emulator.FaultFailTask, Times: 1}, true},
		"user fails in the task": {emulator.Fault{Op: "DeleteUsers", Kind: emulator.FaultFailUser, Times: 1}, true},
		"answer lost":            {emulator.Fault{Op: "DeleteUsers", Kind: emulator.FaultDropAfter, Times: 1}, true},
		"nothing":                {emulator.Fault{Op: "ExportUser", Kind: emulator.Fault500, Times: 1}, false},
	} {
		for _, k := range guarding[:6] {
			for _, g := range peopleGuards() {
				t.Run(fmt.Sprintf("%s: %s, %s", name, k.name, g.name), func(t *testing.T) {
					bubble(t, func(t *testing.T) {
						w := &world{s: acctest.InMemory(t), t: t}
						w.s.Fill(t, guardedTown)
						w.Core = acctest.NewCore(t, w.s, with(g.provider, config{"max_retries": 0}))
						plan := func() *acctest.Plan {
							p := w.Plan(k.address, k.config)
							if len(p.Errors) > 0 {
								t.Fatal(p.Errors)
							}
							return p
						}
						if k.config["grace_period"] != nil {
							if r := w.Apply(plan()); len(r.Errors) > 0 {
								t.Fatal(r.Errors)
							}
							time.Sleep(2 * time.Hour)
						}
						w.fault(tt.fault)
						if r := w.Apply(plan()); (len(r.Errors) > 0) != tt.wrong {
							t.Fatalf("the first apply: %s", r.Errors)
						}
						w.s.ClearFaults()
						if r := w.Apply(plan()); len(r.Errors) > 0 || w.State(k.address).Get("status") != "completed" {
							t.Errorf("the second apply: %s", r.Errors)
						}
						if p := plan(); p.Action != acctest.NoOp {
							t.Errorf("the plan is to %s", p.Action)
						}
					})
				})
			}
		}
	}
}

// A restriction ahead of an erasure has its guards before every attempt, as the deletion has.
func TestGuardsBeforeEveryAttemptOfARestriction(t *testing.T) {
	t.Parallel()
	for op, c := range map[string]config{
		"DeactivateUser":  {"user_id": "ann", "grace_period": "1h", "delete": config{"user": "hard"}},
		"DeactivateUsers": {"user_ids": []string{"ann", "eve"}, "grace_period": "1h", "delete": config{"user": "hard"}},
	} {
		address, path := "streamchat_user_erasure.x", "POST /users/ann/deactivate"
		if c["user_ids"] != nil {
			address, path = "streamchat_user_erasure_batch.x", "POST /users/deactivate"
		}
		for _, g := range peopleGuards()[:2] {
			for _, who := range []string{"ann", "bob"} {
				t.Run(fmt.Sprintf("%s, %s of %s", op, g.name, who), func(t *testing.T) {
					bubble(t, func(t *testing.T) {
						w := &world{s: acctest.InMemory(t), t: t}
						w.s.Fill(t, guardedTown)
						w.Core = acctest.NewCore(t, w.s, g.provider)
						p := w.Plan(address, c)
						w.fault(emulator.Fault{Op: op, Kind: emulator.Fault429, Times: 2})
						w.s.After(path, 1, func() { g.on(t, w, who) })
						if r := w.Apply(p); !r.Errors.Say(g.says) {
							t.Errorf("the apply: %s", r.Errors)
						}
						if u, _ := w.s.User("ann"); u.Deactivated {
							t.Error("she is restricted")
						}
						if u, _ := w.s.User("eve"); u.Deactivated != (op == "DeactivateUsers") {
							t.Errorf("eve, whom no guard touches: %+v", u)
						}
					})
				})
			}
		}
	}
}
