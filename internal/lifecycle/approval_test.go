// Copyright (c) the terraform-provider-streamchat authors
// SPDX-License-Identifier: MPL-2.0

package lifecycle_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/acctest"
	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/emulator"
	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/erasure"
)

// An approval keeps what it was given under: nothing that is unfinished is sent under less.

const weaker = "Guards are weaker than those that were approved"

// guarded is a provider block with every guard.
func guarded() config {
	return config{"hold_field": "hold", "protected_roles": []string{"admin", "auditor"}, "protected_user_ids": []string{"first-account", "service-account"}, "max_retries": 1}
}

// conditioned is a block with every condition that the noun has.
func (w *world) conditioned(c config) config {
	if w.name == users.name || w.name == veiled(users).name {
		c = with(c, config{"expected_wo": config{"role": "user"}})
	}
	if slices.ContainsFunc(stagedNouns, func(n noun) bool { return n.name == w.name }) {
		c = with(c, config{"not_active_since": "2027-01-01T00:00:00Z"})
	}
	return c
}

// weakenings take something away from the provider or from a block.
var weakenings = map[string]func(provider, block config){
	"hold_field":               func(p, _ config) { delete(p, "hold_field") },
	"another hold_field":       func(p, _ config) { p["hold_field"] = "other" },
	"a role":                   func(p, _ config) { p["protected_roles"] = []string{"admin"} },
	"no role":                  func(p, _ config) { delete(p, "protected_roles") },
	"an id":                    func(p, _ config) { p["protected_user_ids"] = []string{"first-account"} },
	"another id":               func(p, _ config) { p["protected_user_ids"] = []string{"first-account", "somebody-else"} },
	"a later not_active_since": func(_, b config) { b["not_active_since"] = "2027-06-01T00:00:00Z" },
	"no not_active_since":      func(_, b config) { delete(b, "not_active_since") },
	"no expected_wo":           func(_, b config) { delete(b, "expected_wo") },
	"another expected value":   func(_, b config) { b["expected_wo"] = config{"role": "guest"} },
	"another expected field":   func(_, b config) { b["expected_wo"] = config{"id": "x"} },
	"all of the provider": func(p, _ config) {
		delete(p, "hold_field")
		delete(p, "protected_roles")
		delete(p, "protected_user_ids")
	},
	"nothing": func(_, _ config) {},
	"more": func(p, _ config) {
		p["protected_roles"] = []string{"admin", "auditor", "owner"}
		p["protected_user_ids"] = append([]string{"third"}, p["protected_user_ids"].([]string)...)
	},
	"an earlier time and order": func(p, b config) {
		p["protected_roles"] = []string{"auditor", "admin"}
		if b["not_active_since"] != nil {
			b["not_active_since"] = "2026-12-31T00:00:00Z"
		}
	},
}

// unfinished lead to a record that a later run goes on with.
var unfinished = map[string]func(w *world) (block config, ok bool){
	"due": func(w *world) (config, bool) {
		if !slices.ContainsFunc(stagedNouns, func(n noun) bool { return n.name == w.name }) {
			return nil, false
		}
		c := w.conditioned(w.later(w.hard))
		w.apply(c)
		time.Sleep(month + time.Hour)
		return c, true
	},
	"failed": func(w *world) (config, bool) {
		if !w.task {
			return nil, false
		}
		c := with(w.conditioned(w.block(w.hard)), config{"timeouts": config{"create": "1m"}})
		w.fault(emulator.Fault{Kind: emulator.FaultFailTask, Error: "no"})
		w.apply(c)
		time.Sleep(2 * time.Hour)
		return c, true
	},
	"forgotten by Stream": func(w *world) (config, bool) {
		if !w.task {
			return nil, false
		}
		c := with(w.conditioned(w.block(w.hard)), config{"timeouts": config{"create": "1m"}})
		w.apply(c)
		for _, r := range w.s.Requests(w.op) {
			w.s.ForgetTask(r.TaskID)
		}
		return c, true
	},
	"reverted": func(w *world) (config, bool) {
		if w.name != users.name && w.name != userBatch.name {
			return nil, false
		}
		c := with(w.conditioned(w.block(w.soft)), config{"timeouts": config{"create": "3h", "update": "3h"}})
		w.apply(c)
		w.back(w.t, w.s, w.ids[0])
		return c, true
	},
}

func TestApprovalIsKept(t *testing.T) {
	t.Parallel()
	cells := 0
	for _, n := range nouns {
		for name, lead := range unfinished {
			t.Run(n.name+"/"+name, func(t *testing.T) {
				for way, weaken := range weakenings {
					acctest.Bubble(t, func(t *testing.T) {
						w := newWorld(t, n, guarded(), slowTasks)
						block, ok := lead(w)
						if !ok {
							return
						}
						provider, less := maps.Clone(w.Provider), maps.Clone(block)
						weaken(provider, less)
						if fmt.Sprint(provider, less) == fmt.Sprint(w.Provider, block) && way != "nothing" || less["expected_wo"] != nil && block["expected_wo"] == nil || less["not_active_since"] != nil && block["not_active_since"] == nil {
							return // the noun has no such condition
						}
						cells++
						strong := way == "nothing" || way == "more" || way == "an earlier time and order"
						w.keeps(t, way, block, less, provider, strong)
					})
				}
			})
		}
	}
	if cells < 100 {
		t.Errorf("%d cells", cells)
	}
}

// keeps plans with less than was approved: nothing is sent before a plan said so.
func (w *world) keeps(t *testing.T, way string, block, less, provider config, strong bool) {
	t.Helper()
	saved := w.Fork()
	plan := saved.Plan(w.address, block) // approved before, and applied with less
	sent := w.sent()
	was := w.State(w.address)

	w.Provider = provider
	p := w.plan(less)
	if p.Action != acctest.Update || p.Warnings.Say(weaker) == strong {
		t.Fatalf("%s: %s: %s", way, p.Action, p.Warnings)
	}
	if strong {
		return
	}
	saved.Provider = provider
	plan.Changes[w.address].Config = less
	if r := saved.Apply(plan); len(r.Errors) == 0 || w.sent() != sent {
		t.Errorf("%s: a plan was applied under less: %s, %d calls", way, r.Errors, w.sent()-sent)
	}
	if r := w.Apply(p); len(r.Errors) > 0 || w.sent() != sent {
		t.Errorf("%s: %s, %d calls", way, r.Errors, w.sent()-sent)
	}
	now := w.State(w.address)
	if now.Tainted || fmt.Sprint(now.Get("guards")) == fmt.Sprint(was.Get("guards")) {
		t.Errorf("%s: %s, %v", way, now.Get("status"), now.Get("guards"))
	}
	then := acctest.Update
	if strings.HasPrefix(way, "another expected") && was.Get("status") == "scheduled" {
		then = acctest.NoOp // it is not what Stream holds
	}
	if p := w.plan(less); p.Action != then || p.Warnings.Say(weaker) {
		t.Errorf("%s: then %s: %s", way, p.Action, p.Warnings)
	}
}

// A record of an earlier version says nothing of guards, nor what stands for a list: that is no
// reason for an update, and it goes on as it would have.
func TestApprovalOfAnEarlierVersion(t *testing.T) {
	each(t, nouns, func(w *world) {
		earlier := func() {
			w.Alter(w.address, func(values map[string]any) {
				delete(values, "guards")
				if w.list {
					delete(values, "subject")
				}
				var receipt map[string]any
				if err := json.Unmarshal([]byte(values["receipt"].(string)), &receipt); err != nil {
					w.t.Fatal(err)
				}
				delete(receipt, "guards")
				values["receipt"] = erasure.Canonical(receipt)
			})
		}
		c := w.conditioned(w.block(w.hard))
		staged := slices.ContainsFunc(stagedNouns, func(n noun) bool { return n.name == w.name })
		if staged {
			c = w.conditioned(w.later(w.hard))
		}
		w.apply(c)
		earlier()
		less := w.Fork()
		delete(less.Provider, "hold_field")
		if p := less.Plan(w.address, c); p.Action != acctest.NoOp || len(p.Errors) > 0 {
			w.t.Errorf("%s %s", p.Action, p.Errors)
		}
		w.nothing(c)
		if staged {
			time.Sleep(month + time.Hour)
			if p := w.plan(c); p.Get("guards") != nil || p.Warnings.Say(weaker) {
				w.t.Errorf("%v %s", p.Get("guards"), p.Warnings)
			}
			w.apply(c)
			w.is("completed", false)
			w.nothing(c)
		}
		w.once(1)
	}, guarded())
}

// A value that only the apply knows is compared there: what was approved still has to stand.
func TestApprovalOfAnOpenValue(t *testing.T) {
	each(t, []noun{users, veiled(users)}, func(w *world) {
		expect := func(values any) config { return with(w.later(w.hard), config{"expected_wo": values}) }
		role := config{"role": "user"}
		p := w.plan(expect(acctest.Later(role)))
		if p.Get("guards", "expected_wo") != acctest.Unknown {
			w.t.Errorf("%v", p.Get("guards"))
		}
		if r := w.Apply(p); len(r.Errors) > 0 {
			w.t.Fatal(r.Errors)
		}
		// Nobody looks at the value before something is to be sent.
		w.nothing(expect(nil))
		time.Sleep(month + time.Hour)
		for name, then := range map[string]any{"none": nil, "another": config{"role": "guest"}, "the same": role} {
			late := w.Fork()
			p := late.Plan(w.address, expect(acctest.Later(role)))
			if p.Action != acctest.Update || p.Warnings.Say(weaker) {
				w.t.Fatalf("%s: %s %s", name, p.Action, p.Warnings)
			}
			p.Changes[w.address].Config = expect(then)
			if r := late.Apply(p); len(r.Errors) == 0 != (name == "the same") {
				w.t.Errorf("%s: %s", name, r.Errors)
			}
			if name != "the same" && w.gone(w.s, w.ids[0]) {
				w.t.Fatalf("%s: erased", name)
			}
			if name == "the same" {
				return // whatever comes after it finds nobody
			}
		}
	}, nil)
}

// What was counted when it was approved is not counted again, and who is held stands in nobody
// else's way.
func TestSecondStagesCountOnce(t *testing.T) {
	each(t, []noun{users, veiled(users)}, func(w *world) {
		ids := append(slices.Clone(w.ids), "amara-bello")
		all := func(ids ...string) (changes []acctest.Change) {
			for _, id := range ids {
				changes = append(changes, acctest.Change{Address: "streamchat_user_erasure." + id, Config: w.later(w.hard, id)})
			}
			return changes
		}
		for _, pair := range [][]string{ids[:2], ids[2:]} {
			if r := w.Run(all(pair...)...); len(r.Errors) > 0 {
				w.t.Fatal(r.Errors)
			}
		}
		time.Sleep(month + time.Hour)
		more := w.PlanAll(append(all(ids...), acctest.Change{Address: "streamchat_user_erasure.new-1", Config: w.block(w.hard, "heir-active")},
			acctest.Change{Address: "streamchat_user_erasure.new-2", Config: w.block(w.hard, "heir-second")})...)
		if len(more.Errors) > 0 {
			w.t.Errorf("two new ones beside four that are due: %s", more.Errors)
		}
		w.Provider["protected_user_ids"] = []string{ids[0]}
		plan := w.PlanAll(all(ids...)...)
		if len(plan.Errors) > 0 || !plan.Warnings.Say("Not erased: Protected user") {
			w.t.Fatalf("%s %s", plan.Errors, plan.Warnings)
		}
		if r := w.Apply(plan); len(r.Errors) > 0 {
			w.t.Error(r.Errors)
		}
		for i, id := range ids {
			if w.gone(w.s, id) != (i > 0) {
				w.t.Errorf("%d: erased %v", i, i == 0)
			}
		}
		if got := w.State("streamchat_user_erasure." + ids[0]).Get("status"); got != "scheduled" {
			w.t.Errorf("status %v", got)
		}
	}, config{"max_erasures": 2})
}

// A plan that sends nothing if it is applied in time says what it does if it is not.
func TestPlanThatMayErase(t *testing.T) {
	each(t, stagedNouns, func(w *world) {
		c := w.later(w.hard)
		w.apply(c)
		const says = "Erases if applied after erase_at"
		for name, more := range map[string]config{
			"labels": {"labels": config{"ticket": "7"}}, "request": {"request_id": "DSR-7"}, "timeouts": {"timeouts": config{"create": "1h"}}, "period": {"grace_period": "700h"},
		} {
			if p := w.plan(with(c, more)); p.Action != acctest.Update || !p.Warnings.Say(says) {
				w.t.Errorf("%s: %s %s", name, p.Action, p.Warnings)
			}
		}
		late := w.plan(with(c, config{"labels": config{"ticket": "7"}}))
		time.Sleep(month + time.Hour)
		if p := w.plan(with(c, config{"labels": config{"ticket": "7"}})); p.Warnings.Say(says) || !p.Warnings.Say("Irreversible deletion") {
			w.t.Errorf("due: %s", p.Warnings)
		}
		if r := w.Apply(late); len(r.Errors) > 0 || !w.gone(w.s, w.ids[0]) {
			w.t.Errorf("%s", r.Errors)
		}
	}, nil)
}

// The order of a list says nothing.
func TestOrderOfAListIsNoChange(t *testing.T) {
	each(t, []noun{userBatch, channelBatch}, func(w *world) {
		forth, back := w.block(w.hard, w.ids[0], w.ids[1]), w.block(w.hard, w.ids[1], w.ids[0])
		w.apply(forth)
		w.nothing(back)
		w.apply(with(back, config{"request_id": "DSR-7"}))
		w.apply(w.block(w.hard, w.ids[2], w.ids[1], w.ids[0]))
		w.is("completed", false)
		w.nothing(w.block(w.hard, w.ids[0], w.ids[1], w.ids[2]))
	}, nil)
}
