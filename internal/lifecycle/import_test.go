// Copyright (c) the terraform-provider-streamchat authors
// SPDX-License-Identifier: MPL-2.0

package lifecycle_test

import (
	"fmt"
	"testing"

	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/acctest"
)

// elsewhere deletes the first subject for good, as an operator would with curl.
func (w *world) elsewhere() {
	w.t.Helper()
	id := w.ids[0]
	switch w.op {
	case users.op:
		post(w.t, w.s, "/users/delete", fmt.Sprintf(`{"user_ids":[%q],"user":"hard","messages":"hard","conversations":"hard"}`, id))
	case channels.op:
		post(w.t, w.s, "/channels/delete", fmt.Sprintf(`{"cids":[%q],"hard_delete":true}`, id))
	case messageNoun.op:
		if status, answer := w.s.Call(w.t, "DELETE", "/messages/"+id+"?hard=true", ""); status != 200 {
			w.t.Fatalf("%d %s", status, answer)
		}
	}
	w.s.ResetRequests()
}

// An erasure done elsewhere is adopted by its id or its identity: the operator's
// claim, and no call.
func TestImport(t *testing.T) {
	t.Parallel()
	for _, byIdentity := range []bool{false, true} {
		t.Run(fmt.Sprint("identity ", byIdentity), func(t *testing.T) {
			each(t, []noun{users, channels, messageNoun}, func(w *world) {
				w.elsewhere()
				of := func(id string) acctest.Option {
					if byIdentity {
						return acctest.ImportIdentity(config{w.subject: id})
					}
					return acctest.ImportID(id)
				}
				w.refused("Subject is not erased", w.block(w.hard, w.ids[1]), of(w.ids[1]))
				if !w.forgets {
					w.refused("Subject not found", w.block(w.hard, w.ghost), of(w.ghost))
				}
				w.refused("Invalid", w.block(w.hard), of("a,b"))
				c := w.block(w.hard)
				r := w.apply(c, of(w.ids[0]))
				w.is("completed", false)
				if w.get("outcome") != "adopted" || w.modes() != "hard" || w.get("irreversible") != true || !r.Warnings.Say("Adopting an erasure done elsewhere") {
					w.t.Errorf("%v: %s", w.State(w.address).Values, r.Warnings)
				}
				attribute, want := w.subject, w.key(w.ids[0])
				if w.veiled {
					attribute = "subject"
				}
				if got := w.State(w.address).Identity[attribute]; got != want {
					w.t.Errorf("identity %v", got)
				}
				w.nothing(c)
				w.once(0)
				w.refused("A deletion cannot be taken back", w.block(w.soft))
			}, nil)
		})
	}
}

// Of a truncation Stream shows no proof to adopt.
func TestImportOfATruncation(t *testing.T) {
	t.Parallel()
	acctest.Bubble(t, func(t *testing.T) {
		w := newWorld(t, truncations, nil)
		w.refused("Truncations cannot be imported", w.block(w.hard), acctest.ImportID(w.ids[0]))
		w.refused("Truncations cannot be imported", w.block(w.hard), acctest.ImportIdentity(config{"cid": w.ids[0]}))
	})
}

// A tombstone shows that the deletion was soft: hard is no claim then, but still to be
// done.
func TestImportOfATombstone(t *testing.T) {
	t.Parallel()
	acctest.Bubble(t, func(t *testing.T) {
		w := newWorld(t, messageNoun, nil)
		if status, answer := w.s.Call(t, "DELETE", "/messages/message-alpha?hard=false", ""); status != 200 {
			t.Fatalf("%d %s", status, answer)
		}
		w.s.ResetRequests()
		w.apply(w.block(w.soft), acctest.ImportID("message-alpha"))
		w.once(0)
		w.apply(w.block(w.hard))
		w.is("completed", false)
		w.once(1)
		if w.modes() != "hard" || !w.gone(w.s, "message-alpha") {
			t.Errorf("modes %v", w.modes())
		}
	})
}

// A record keeps its identity through whatever happens to it.
func TestIdentity(t *testing.T) {
	each(t, only(func(n noun) bool { return !n.list }), func(w *world) {
		same := func() {
			w.t.Helper()
			attribute := w.subject
			if w.veiled {
				attribute = "subject"
			}
			if got := w.State(w.address).Identity[attribute]; got != w.key(w.ids[0]) {
				w.t.Errorf("identity %v", got)
			}
		}
		w.apply(w.block(w.soft))
		same()
		w.apply(w.block(w.hard))
		same()
		w.apply(with(w.block(w.hard), config{"request_id": "DSR-3"}))
		same()
		w.apply(w.block(w.hard), acctest.WithReplace)
		same()
	}, nil)
}
