// Copyright (c) the terraform-provider-streamchat authors
// SPDX-License-Identifier: MPL-2.0

package user_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/acctest"
)

// Whoever takes something back asks who else wants it.

// holder is a block that keeps somebody deactivated.
type holder struct {
	name, address string
	config        acctest.Config
}

func (h holder) change() acctest.Change {
	return acctest.Change{Address: h.address, Config: h.config}
}

func (h holder) gone(after ...string) acctest.Change {
	return acctest.Change{Address: h.address, After: after}
}

func (h holder) state(core *acctest.Core) *acctest.Resource { return core.State(h.address) }

const soon = "720h"

// holders are all blocks that hold a person, by id and by pseudonym.
func holders(name string) []holder {
	erase := func(subject string, value any) acctest.Config {
		return acctest.Config{subject: value, "grace_period": soon, "delete": acctest.Config{"user": "hard"}}
	}
	return []holder{
		{"restriction", "streamchat_user_deactivation." + name, acctest.Config{"user_id": restricted}},
		{"restriction without id", "streamchat_user_deactivation." + name, acctest.Config{"user_id_wo": restricted, "on_destroy": "forget"}},
		{"scheduled", "streamchat_user_erasure." + name, erase("user_id", restricted)},
		{"scheduled without id", "streamchat_user_erasure." + name, erase("user_id_wo", restricted)},
		{"scheduled batch", "streamchat_user_erasure_batch." + name, erase("user_ids", []string{restricted})},
		{"scheduled batch without id", "streamchat_user_erasure_batch." + name, erase("user_ids_wo", []string{restricted})},
	}
}

func isRestriction(h holder) bool {
	return strings.HasPrefix(h.address, "streamchat_user_deactivation.")
}

// pairs are two blocks of which one is a restriction and the other a scheduled erasure: two
// of a kind are refused.
func pairs(test func(a, b holder)) {
	for _, a := range holders("a") {
		for _, b := range holders("b") {
			if isRestriction(a) != isRestriction(b) {
				test(a, b)
			}
		}
	}
}

func eachPair(t *testing.T, test func(t *testing.T, s *acctest.Stream, core *acctest.Core, a, b holder)) {
	t.Helper()
	t.Parallel()
	pairs(func(a, b holder) {
		t.Run(a.name+", "+b.name, func(t *testing.T) {
			restriction(t, func(t *testing.T, s *acctest.Stream, core *acctest.Core, _ acctest.Config) { test(t, s, core, a, b) })
		})
	})
}

// away expects whether the person is deactivated, and how often they were given back.
func away(t *testing.T, s *acctest.Stream, want bool, given int) {
	t.Helper()
	u, _ := s.User(restricted)
	if n := s.Count("ReactivateUser") + s.Count("ReactivateUsers"); u.Deactivated != want || u.Deleted || n != given {
		t.Errorf("deactivated %v, deleted %v, given back %d times; want %v, %d", u.Deactivated, u.Deleted, n, want, given)
	}
}

func named(h holder) bool {
	_, by := h.config["user_id"]
	_, many := h.config["user_ids"]
	return by || many
}

// The end of one of two blocks, in a later run: nothing is sent, and the plan says which kind
// of block holds the user. The end of the other one then gives them back.
func TestOneOfTwoHoldersEnds(t *testing.T) {
	eachPair(t, func(t *testing.T, s *acctest.Stream, core *acctest.Core, a, b holder) {
		good(t, core.Run(a.change()))
		good(t, core.Run(a.change(), b.change()))
		for _, h := range []holder{a, b} {
			if p := core.PlanAll(a.change(), b.change()); p.Changes[h.address].Action != acctest.NoOp {
				t.Errorf("the second plan is to %s %s", p.Changes[h.address].Action, h.name)
			}
		}
		due := b.state(core).Get("erase_at")
		plan := core.PlanAll(a.gone(), b.change())
		if len(plan.Errors) > 0 || named(a) && !plan.Warnings.Say(strings.TrimSuffix(b.address, ".b")) {
			t.Fatalf("%s%s", plan.Errors, plan.Warnings)
		}
		good(t, core.Apply(plan))
		away(t, s, true, 0)
		if p := core.Plan(b.address, b.config); p.Action != acctest.NoOp || b.state(core).Get("erase_at") != due {
			t.Errorf("the next plan is to %s: %s", p.Action, p.Warnings)
		}
		good(t, core.Run(b.gone()))
		gives := named(a) && named(b) // what keeps no id can give nobody back, nor pass it on
		if gives {
			away(t, s, false, 1)
		} else if named(b) {
			return
		} else {
			away(t, s, true, 0)
		}
	})
}

// Whichever is planned first: the one plan sees the other, or refuses, and says how to go on.
func TestOneOfTwoHoldersEndsInAnyOrder(t *testing.T) {
	t.Parallel()
	for _, order := range []string{"the end first", "the end last", "the end first, no refresh", "the end last, no refresh"} {
		t.Run(order, func(t *testing.T) {
			eachPair(t, func(t *testing.T, s *acctest.Stream, core *acctest.Core, a, b holder) {
				good(t, core.Run(a.change()))
				good(t, core.Run(a.change(), b.change()))
				first, second := a.gone(), b.change()
				if strings.HasPrefix(order, "the end first") {
					second.After = []string{a.address}
				} else {
					first.After = []string{b.address}
				}
				if strings.HasSuffix(order, "no refresh") {
					first.NoRefresh, second.NoRefresh = true, true
				}
				plan := core.PlanAll(first, second)
				switch {
				case len(plan.Errors) == 0:
					core.Apply(plan)
				case !plan.Errors.Say("Given back by another block") || !plan.Errors.Say("plan again"):
					t.Errorf("%s", plan.Errors)
				}
				away(t, s, true, 0)
			})
		})
	}
}

// One ends and the other begins in one plan: renamed in a way, with the new one late, early,
// or alone in its turn.
func TestOneHolderGivesWayToAnother(t *testing.T) {
	t.Parallel()
	for _, late := range []string{"", "the new one", "the old one"} {
		t.Run(late+" late", func(t *testing.T) {
			eachPair(t, func(t *testing.T, s *acctest.Stream, core *acctest.Core, a, b holder) {
				good(t, core.Run(a.change()))
				ends, begins := a.gone(), b.change()
				switch late {
				case "the new one":
					begins.Late = 5 * time.Second
				case "the old one":
					ends.Late = 5 * time.Second
				}
				good(t, core.Run(ends, begins))
				away(t, s, true, 0)
				if p := core.Plan(b.address, b.config); p.Action != acctest.NoOp {
					t.Errorf("the next plan is to %s: %s", p.Action, p.Warnings)
				}
				good(t, core.Run(b.gone()))
				if named(a) && named(b) && late != "the old one" {
					away(t, s, false, 1)
				}
			})
		})
	}
}

// Both end in one plan: the user is given back once.
func TestBothHoldersEnd(t *testing.T) {
	eachPair(t, func(t *testing.T, s *acctest.Stream, core *acctest.Core, a, b holder) {
		good(t, core.Run(a.change()))
		good(t, core.Run(a.change(), b.change()))
		good(t, core.Run(a.gone(), b.gone()))
		if named(a) {
			away(t, s, false, 1)
		}
	})
}

// Two of a kind: the second is refused, whatever the plan of the first does, in any order.
func TestTwoOfAKindAreRefused(t *testing.T) {
	t.Parallel()
	for _, order := range []string{"", "a", "b"} {
		for _, refresh := range []bool{true, false} {
			t.Run(fmt.Sprintf("first %q, refresh %v", order, refresh), func(t *testing.T) {
				t.Parallel()
				for _, a := range holders("a") {
					for _, b := range holders("b") {
						if isRestriction(a) != isRestriction(b) {
							continue
						}
						t.Run(a.name+", "+b.name, func(t *testing.T) {
							restriction(t, func(t *testing.T, s *acctest.Stream, core *acctest.Core, _ acctest.Config) {
								good(t, core.Run(a.change()))
								one, two := a.change(), b.change()
								one.NoRefresh = !refresh
								switch order {
								case "a":
									two.After = []string{a.address}
								case "b":
									one.After = []string{b.address}
								}
								if p := core.PlanAll(one, two); !p.Errors.Say("The same subject twice") {
									t.Errorf("%s%s", p.Errors, p.Warnings)
								}
								p := core.PlanAll(acctest.Change{Address: a.address, Config: a.config, Replace: true})
								if len(p.Errors) > 0 {
									t.Errorf("a replacement of one: %s", p.Errors)
								}
							})
						})
					}
				}
			})
		}
	}
}

// A softer block completes no scheduled one: it is refused beside it.
func TestSoftBesideScheduledIsRefused(t *testing.T) {
	restriction(t, func(t *testing.T, s *acctest.Stream, core *acctest.Core, _ acctest.Config) {
		a := holders("a")[2]
		good(t, core.Run(a.change()))
		soft := acctest.Change{Address: "streamchat_user_erasure.soft", Config: acctest.Config{"user_id": restricted, "delete": acctest.Config{"user": "soft"}}}
		if r := core.Run(a.change(), soft); !r.Errors.Say("The same subject twice") || s.Count("DeleteUsers") != 0 {
			t.Errorf("%s, %d deletions", r.Errors, s.Count("DeleteUsers"))
		}
	})
}

// A restriction outlives a deletion that is taken back.
func TestRestrictionOutlivesASoftDeletion(t *testing.T) {
	t.Parallel()
	for _, batch := range []bool{false, true} {
		t.Run(fmt.Sprint("batch ", batch), func(t *testing.T) {
			restriction(t, func(t *testing.T, s *acctest.Stream, core *acctest.Core, block acctest.Config) {
				hold := acctest.Change{Address: hold, Config: block}
				erase := acctest.Change{Address: "streamchat_user_erasure.e", Config: acctest.Config{"user_id": restricted, "on_destroy": "restore", "delete": acctest.Config{"user": "soft"}}, After: []string{hold.Address}}
				if batch {
					erase.Address = "streamchat_user_erasure_batch.e"
					delete(erase.Config, "user_id")
					erase.Config["user_ids"] = []string{restricted}
				}
				good(t, core.Run(hold, erase))
				good(t, core.Run(hold, erase))
				status := func(want string) {
					t.Helper()
					p := core.Plan(hold.Address, hold.Config)
					if p.Action != acctest.NoOp || p.Get("status") != want {
						t.Errorf("%s, status %v, want %s", p.Action, p.Get("status"), want)
					}
				}
				status("deactivated")
				good(t, core.Run(hold, acctest.Change{Address: erase.Address}))
				status("deactivated")
				if u, _ := s.User(restricted); u.Deleted || !u.Deactivated {
					t.Errorf("at Stream %+v", u)
				}
				good(t, core.Run(acctest.Change{Address: hold.Address}))
				away(t, s, false, 1)
			})
		})
	}
}

// A deletion that is known to be for good, by a record of the state, ends a restriction.
func TestRestrictionEndsWithAnErasure(t *testing.T) {
	restriction(t, func(t *testing.T, s *acctest.Stream, core *acctest.Core, block acctest.Config) {
		hold := acctest.Change{Address: hold, Config: block}
		erase := acctest.Change{Address: "streamchat_user_erasure.e", Config: acctest.Config{"user_id": restricted, "delete": acctest.Config{"user": "hard"}}, After: []string{hold.Address}}
		good(t, core.Run(hold, erase))
		hold.After, erase.After = []string{erase.Address}, nil // read after it
		p := core.PlanAll(hold, erase)
		if c := p.Changes[hold.Address]; c.Action != acctest.NoOp || c.Get("status") != "erased" {
			t.Errorf("%s, status %v", c.Action, c.Get("status"))
		}
		p = core.PlanAll(acctest.Change{Address: hold.Address, After: []string{erase.Address}}, erase)
		if !p.Warnings.Say("Destroying forgets the record") {
			t.Errorf("%s", p.Warnings)
		}
		good(t, core.Apply(p))
		if n := s.Count("ReactivateUser"); n != 0 {
			t.Errorf("%d reactivations", n)
		}
	})
}

// Reactivated by others, and restricted again by others before the apply: the record says
// whose it is.
func TestRestrictedAgainByOthersMeanwhile(t *testing.T) {
	t.Parallel()
	for _, mark := range []bool{false, true} {
		t.Run(fmt.Sprint("mark ", mark), func(t *testing.T) {
			restriction(t, func(t *testing.T, s *acctest.Stream, core *acctest.Core, block acctest.Config) {
				block["mark_messages_deleted"] = mark
				good(t, core.Run(acctest.Change{Address: hold, Config: block}))
				s.Call(t, "POST", "/users/"+restricted+"/reactivate", "{}")
				plan := core.Plan(hold, block)
				s.Call(t, "POST", "/users/"+restricted+"/deactivate", "{}")
				good(t, core.Apply(plan))
				if got := core.State(hold).Get("found"); got != "deactivated" {
					t.Errorf("found %v", got)
				}
			})
		})
	}
}
