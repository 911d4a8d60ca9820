// Copyright (c) the terraform-provider-streamchat authors
// SPDX-License-Identifier: MPL-2.0

package lifecycle_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/acctest"
	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/emulator"
	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/erasure"
)

// Records that hold no id: whatever happens, only pseudonyms are stored.

var veiledNouns = []noun{veiled(users), veiled(userBatch)}

// hidden expects that no id stands anywhere in the state.
func (w *world) hidden() {
	w.t.Helper()
	record := w.State(w.address)
	if record == nil {
		return
	}
	raw, err := json.Marshal(record)
	if err != nil {
		w.t.Fatal(err)
	}
	for _, id := range w.ids {
		if strings.Contains(string(raw), id) {
			w.t.Errorf("the state holds an id: %s", raw)
		}
	}
}

// left is the block without the argument.
func (w *world) left(c config) config { return with(c, config{w.subject: nil}) }

// Once the record is completed nobody needs the id; before that the plan asks for it, but
// what is under way is followed without it.
func TestVeiledLeftOut(t *testing.T) {
	each(t, veiledNouns, func(w *world) {
		c := w.block(w.hard)
		if r := w.Apply(w.plan(with(c, config{"timeouts": config{"create": "1m"}}))); len(r.Errors) > 0 {
			w.t.Fatal(r.Errors)
		}
		w.is("submitted", false)
		w.hidden()
		w.refused("Give the id again", w.left(c))
		time.Sleep(2 * time.Hour)
		p := w.plan(w.left(c)) // Stream's task tells the refresh whom it was about
		if p.Action != acctest.Update || !p.Warnings.Say("Result not saved yet") {
			w.t.Errorf("%s: %s", p.Action, p.Warnings)
		}
		w.Apply(p)
		w.is("completed", false)
		w.once(1)
		w.hidden()
		w.s.ResetRequests()
		w.nothing(w.left(c))
		w.quiet("a plan without the id")
		w.nothing(c)
		w.apply(with(w.left(c), config{"request_id": "DSR-9"}))
		w.hidden()
		w.nothing(with(w.left(c), config{"request_id": "DSR-9"}))
		w.apply(nil)
		w.none()
		w.once(0)
	}, nil, slowTasks)
}

// Another id, another key and no key are told apart, and nothing is sent.
func TestVeiledAnother(t *testing.T) {
	each(t, veiledNouns, func(w *world) {
		c := w.block(w.hard)
		w.apply(c)
		if !w.list {
			w.refused("Another person", w.block(w.hard, w.ids[1]))
		}
		w.Provider["pseudonym_key"] = "rotated-pseudonym-key"
		w.refused("Another pseudonym_key", c)
		w.nothing(w.left(c))
		w.apply(with(w.left(c), config{"request_id": "DSR-9"}))
		w.refused("Another pseudonym_key", c)
		delete(w.Provider, "pseudonym_key")
		w.refused("No pseudonym_key", c)
		w.nothing(with(w.left(c), config{"request_id": "DSR-9"}))
		w.Provider["pseudonym_key"] = acctest.PseudonymKey
		w.nothing(with(c, config{"request_id": "DSR-9"}))
		w.once(1)
		w.hidden()
	}, nil)
}

// A key that was rotated while a deletion runs makes no failure of it: nobody can tell, until
// the id is given under the old key.
func TestVeiledKeyRotatedUnderWay(t *testing.T) {
	each(t, veiledNouns, func(w *world) {
		c := w.block(w.hard)
		w.apply(with(c, config{"timeouts": config{"create": "1m"}}))
		w.is("submitted", false)
		time.Sleep(2 * time.Hour)
		for _, key := range []any{"rotated-pseudonym-key", nil} {
			w.Provider["pseudonym_key"] = key
			w.refused("Give the id again", w.left(c))
			if p := w.plan(nil); !p.Warnings.Say("still under way") || p.Warnings.Say("failed") { // as the refresh saw it
				w.t.Errorf("under another key: %s", p.Warnings)
			}
		}
		w.refused("No pseudonym_key", c)
		w.Provider["pseudonym_key"] = acctest.PseudonymKey
		w.apply(c)
		w.is("completed", false)
		w.once(1)
		w.hidden()
	}, nil, slowTasks)
}

// Whoever never had a pseudonym must be named: a block that names nobody is no record without
// an id.
func TestClearLeftOut(t *testing.T) {
	each(t, []noun{users, userBatch}, func(w *world) {
		c := w.block(w.hard)
		w.apply(c)
		for _, key := range []any{acctest.PseudonymKey, nil} {
			w.Provider["pseudonym_key"] = key
			w.refused("Nobody named", w.left(c))
		}
		w.once(1)
	}, nil)
}

// A record moves from a stored id to none and back, in place, without a call.
func TestVeiledMove(t *testing.T) {
	each(t, veiledNouns, func(w *world) {
		stored := strings.TrimSuffix(w.subject, "_wo")
		open, closed := w.block(w.hard), w.block(w.hard)
		open[stored] = open[w.subject]
		delete(open, w.subject)
		w.apply(open)
		p := w.plan(closed)
		if p.Action != acctest.Update {
			w.t.Errorf("the move is to %s", p.Action)
		}
		w.Apply(p)
		w.hidden()
		w.is("completed", false)
		w.nothing(closed)
		w.nothing(w.left(closed))
		if !w.list && w.State(w.address).Identity["user_id"] != nil {
			w.t.Errorf("identity %v", w.State(w.address).Identity)
		}
		w.apply(open)
		w.nothing(open)
		w.is("completed", false)
		w.once(1)
		if !strings.Contains(fmt.Sprint(w.State(w.address).Values), w.ids[0]) {
			w.t.Error("the id is not stored again")
		}
	}, nil)
}

// Escalation, failure, replacement and taint need the id, and store none of it.
func TestVeiledChanges(t *testing.T) {
	each(t, veiledNouns, func(w *world) {
		soft, hard := w.block(w.soft), w.block(w.hard)
		w.apply(soft)
		w.refused("Give the id again", w.left(hard))
		w.fault(emulator.Fault{Kind: emulator.Fault500, Times: forever})
		r := w.Apply(w.plan(hard))
		if len(r.Errors) == 0 {
			w.t.Error("the escalation does not fail")
		}
		w.is("failed", false)
		w.hidden()
		w.refused("Give the id again", w.left(hard))
		w.s.ClearFaults()
		w.apply(hard)
		w.is("completed", false)
		w.hidden()
		sent := w.sent()
		w.apply(hard, acctest.WithReplace)
		w.Taint(w.address)
		w.apply(hard)
		w.is("completed", false)
		w.once(sent)
		w.hidden()
		w.refused("Nobody named", w.left(hard), acctest.WithReplace)
	}, nil)
}

// A batch may change its list: who left keeps their entry, who is new is sent alone.
func TestVeiledLists(t *testing.T) {
	each(t, []noun{veiled(userBatch)}, func(w *world) {
		w.apply(w.block(w.hard, w.ids[0], w.ids[1]))
		p := w.plan(w.block(w.hard, w.ids[2], w.ids[0]))
		if got := fmt.Sprint(p.Get("new_user_count"), p.Get("user_count")); got != "1 3" {
			w.t.Errorf("new and all: %s", got)
		}
		w.Apply(p)
		w.hidden()
		if n := len(w.results()); n != 3 {
			w.t.Errorf("%d entries", n)
		}
		w.nothing(w.block(w.hard, w.ids[0], w.ids[2]))
		w.nothing(w.left(w.block(w.hard)))
		w.apply(with(w.block(w.hard, w.ids[0]), config{"drop_removed_records": true}))
		if n := len(w.results()); n != 1 {
			w.t.Errorf("%d entries", n)
		}
		w.hidden()
	}, nil)
}

// An import by pseudonym is adopted by the first plan that gives the id.
func TestVeiledImport(t *testing.T) {
	each(t, []noun{veiled(users)}, func(w *world) {
		subject := erasure.Pseudonym(acctest.PseudonymKey, w.ids[0])
		w.refused("Subject is not erased", w.block(w.hard), acctest.ImportID("subject:"+subject))
		post(w.t, w.s, "/users/delete", fmt.Sprintf(`{"user_ids":[%q],"user":"hard","messages":"hard","conversations":"hard"}`, w.ids[0]))
		time.Sleep(time.Minute)
		w.refused("Invalid import", w.block(w.hard), acctest.ImportID("subject:nobody"))
		w.refused("Give the id again", w.left(w.block(w.hard)), acctest.ImportID("subject:"+subject))
		w.refused("Another person", w.block(w.hard, w.ids[1]), acctest.ImportID("subject:"+subject))
		for _, by := range []acctest.Option{acctest.ImportID("subject:" + subject), acctest.ImportIdentity(config{"subject": subject})} {
			w.apply(w.block(w.hard), by)
			w.is("completed", false)
			w.hidden()
			if w.get("outcome") != "adopted" || w.get("subject") != subject {
				w.t.Errorf("outcome %v", w.get("outcome"))
			}
			w.nothing(w.block(w.hard))
			w.nothing(w.left(w.block(w.hard)))
			w.Forget(w.address)
		}
		w.once(1)
	}, nil)
}

// Who is not the person who asked is refused, in the plan and right before the call, without
// a word of what was expected or found.
func TestExpected(t *testing.T) {
	each(t, []noun{users, veiled(users)}, func(w *world) {
		c := w.block(w.hard)
		expect := func(values config) config { return with(c, config{"expected_wo": values}) }
		w.Secret("Malone", "Somebody-Else")
		w.refused("Another person than expected", expect(config{"name": "Somebody-Else"}))
		w.refused("Another person than expected", expect(config{"name": "Malone", "number": "7"}))
		p := w.plan(expect(config{"name": "Malone", "role": "user"}))
		post(w.t, w.s, "/users", fmt.Sprintf(`{"users":{%q:{"id":%q,"name":"Somebody-Else"}}}`, w.ids[0], w.ids[0]))
		if r := w.Apply(p); !r.Errors.Say("Another person than expected") || !r.Errors.At("expected_wo") {
			w.t.Errorf("the apply says: %s", r.Errors)
		}
		w.none()
		w.once(0)
		w.apply(expect(config{"name": "Somebody-Else"}))
		w.is("completed", false)
		w.nothing(expect(config{"name": "Malone"})) // nothing is sent that would need it
	}, nil)
}

// Who was active later is refused; who never was passes.
func TestNotActiveSince(t *testing.T) {
	each(t, []noun{users, userBatch, veiled(users), veiled(userBatch)}, func(w *world) {
		since := func(at time.Time) config {
			return with(w.block(w.hard), config{"not_active_since": at.UTC().Format(time.RFC3339)})
		}
		w.s.Touch(w.ids[0])
		w.refused("Active since", since(time.Now().Add(-time.Hour)))
		w.refused("RFC3339", with(w.block(w.hard), config{"not_active_since": "yesterday"}))
		time.Sleep(time.Hour)
		p := w.plan(since(time.Now()))
		time.Sleep(time.Hour)
		w.s.Touch(w.ids[0])
		if r := w.Apply(p); !r.Errors.Say("Active since") {
			w.t.Errorf("the apply says: %s", r.Errors)
		}
		w.none()
		w.once(0)
		w.apply(with(w.block(w.hard, w.ids[1]), config{"not_active_since": "2020-01-01T00:00:00Z"}))
		w.once(1)
	}, nil)
}
