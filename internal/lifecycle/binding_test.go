// Copyright (c) the terraform-provider-streamchat authors
// SPDX-License-Identifier: MPL-2.0

package lifecycle_test

import (
	"maps"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/acctest"
	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/emulator"
)

// A saved plan binds its people: applied to others, under another key or for another app, it
// sends nothing.

// acts are all calls that do something for somebody.
var acts = []string{
	"DeleteUsers", "DeactivateUser", "DeactivateUsers", "ReactivateUser", "ReactivateUsers", "RestoreUsers",
	"DeleteChannels", "DeleteMessage", "TruncateChannel", "ExportUser", "ExportChannels",
}

// bound is a resource of the table: an erasure's noun, or another.
type bound struct {
	noun
	// first is the block at first, second the one of the update.
	first, second func(t *testing.T, w *world) config
}

func boundNouns() (all []bound) {
	for _, n := range nouns {
		all = append(all, bound{n, func(_ *testing.T, w *world) config { return w.block(n.soft) }, func(_ *testing.T, w *world) config { return w.block(n.hard) }})
	}
	restriction := noun{name: "restriction", address: "streamchat_user_deactivation.x", subject: "user_id", ids: people}
	export := noun{name: "export", address: "streamchat_user_export.x", subject: "user_id", ids: people}
	rooms := noun{name: "channel export", address: "streamchat_channel_export.x", subject: "cids", list: true, ids: rooms}
	for _, n := range []noun{restriction, veiled(restriction)} {
		block := func(*testing.T, *world) config { return n.block(config{"on_destroy": "forget"}) }
		all = append(all, bound{n, block, block})
	}
	for _, n := range []noun{export, veiled(export), rooms} {
		file := func(t *testing.T, w *world) config {
			return n.block(config{"path": filepath.Join(t.TempDir(), "x.json")})
		}
		all = append(all, bound{n, file, nil})
	}
	return all
}

// changed are the ways in which an apply differs from its plan.
func (b bound) changed(block config, other *acctest.Stream) map[string]func(core *acctest.Core) config {
	named := func(ids ...string) func(*acctest.Core) config {
		return func(*acctest.Core) config {
			if b.list {
				return with(block, config{b.subject: ids})
			}
			return with(block, config{b.subject: ids[0]})
		}
	}
	ways := map[string]func(*acctest.Core) config{
		"another": named(b.ids[1]),
		"app":     func(core *acctest.Core) config { core.Switch(other); return block },
	}
	if b.list {
		ways["one more"] = named(b.ids[0], b.ids[1])
		ways["nobody"] = named()
		if b.subject == "cids" && len(b.op) == 0 {
			delete(ways, "nobody") // an export of nothing is invalid
		}
	}
	if b.veiled {
		ways["key"] = func(core *acctest.Core) config {
			core.Provider["pseudonym_key"] = "another-key-of-pseudonyms"
			return block
		}
	}
	return ways
}

// situations lead to a plan that acts, or might.
var situations = map[string]func(t *testing.T, w *world, b bound) (block config, options []acctest.Option){
	"create": func(t *testing.T, w *world, b bound) (config, []acctest.Option) { return b.first(t, w), nil },
	"update": func(t *testing.T, w *world, b bound) (config, []acctest.Option) {
		if b.second == nil {
			return nil, nil
		}
		w.apply(b.first(t, w))
		if b.op == "" { // somebody lifts the restriction
			post(t, w.s, "/users/"+b.ids[0]+"/reactivate", "{}")
		}
		return b.second(t, w), nil
	},
	"replace": func(t *testing.T, w *world, b bound) (config, []acctest.Option) {
		block := b.first(t, w)
		w.apply(block)
		return block, []acctest.Option{acctest.WithReplace}
	},
	"taint": func(t *testing.T, w *world, b bound) (config, []acctest.Option) {
		block := b.first(t, w)
		w.apply(block)
		w.Taint(b.address)
		return block, nil
	},
	"grace": func(t *testing.T, w *world, b bound) (config, []acctest.Option) {
		if !slices.ContainsFunc(stagedNouns, func(n noun) bool { return n.name == b.name }) {
			return nil, nil
		}
		block := w.later(b.hard)
		w.apply(block)
		time.Sleep(month + time.Hour)
		return block, nil
	},
}

func TestPlanBindsPeople(t *testing.T) {
	t.Parallel()
	cells := 0
	for _, b := range boundNouns() {
		for name, lead := range situations {
			t.Run(b.name+"/"+name, func(t *testing.T) {
				acctest.Bubble(t, func(t *testing.T) {
					w := newWorld(t, b.noun, config{"max_retries": 1})
					other := acctest.InMemory(t, func(o *emulator.Options) { o.AppName = "Elsewhere" })
					other.Fill(t, seed)
					block, options := lead(t, w, b)
					if block == nil {
						return
					}
					for way, change := range b.changed(block, other) {
						cells++
						core := w.Fork()
						plan := core.Plan(b.address, block, options...)
						if len(plan.Errors) > 0 {
							t.Fatalf("plan: %s", plan.Errors)
						}
						w.s.ResetRequests()
						other.ResetRequests()
						plan.Changes[b.address].Config = change(core)
						r := core.Apply(plan)
						for _, s := range []*acctest.Stream{w.s, other} {
							for _, request := range s.Requests(acts...) {
								t.Errorf("%s: %s was sent", way, request.Op)
							}
						}
						if len(r.Errors) == 0 && plan.Action != acctest.NoOp {
							t.Errorf("%s: applied: %s", way, plan.Action)
						}
					}
					w.t = t
					if r := w.Apply(w.plan(block, options...)); len(r.Errors) > 0 {
						t.Errorf("as planned: %s", r.Errors)
					}
				})
			})
		}
	}
	if cells < 150 {
		t.Errorf("%d cells", cells)
	}
}

// Nobody is meant whom the plan does not name, unless the operator lets such plans pass.
func TestPlanNamesPeople(t *testing.T) {
	t.Parallel()
	for _, b := range boundNouns() {
		t.Run(b.name, func(t *testing.T) {
			acctest.Bubble(t, func(t *testing.T) {
				w := newWorld(t, b.noun, nil)
				block := b.first(t, w)
				open := with(block, config{b.subject: acctest.Later(block[b.subject])})
				refused := func(c config) {
					t.Helper()
					if p := w.Plan(b.address, c); !p.Errors.Say("Subject not known in the plan") {
						t.Errorf("%s %s", p.Action, p.Errors)
					}
				}
				refused(open)
				if b.veiled {
					w.Provider["pseudonym_key"] = acctest.Later(w.Provider["pseudonym_key"])
					refused(block)
				}
				maps.Copy(w.Provider, config{"allow_unknown_subjects": true, "pseudonym_key": acctest.PseudonymKey})
				if r := w.apply(open); !r.Warnings.Say("Subject not known in the plan") {
					t.Errorf("%s", r.Warnings)
				}
			})
		})
	}
}
