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

// What an export reads and what a deletion takes, by reach. The export is of hanna-berg, or
// of the channel messaging:room.
const reachSeed = `{
	"users": [{"id": "hanna-berg"}, {"id": "partner-pia"}, {"id": "drei-dora"}, {"id": "drei-gero"}, {"id": "eve-member"}, {"id": "amara-bello"}, {"id": "kim-lonely"}, {"id": "former-fred"}],
	"channels": [
		{"cid": "messaging:pair", "created_by_id": "partner-pia", "members": ["hanna-berg", "partner-pia"]},
		{"cid": "messaging:triad", "created_by_id": "drei-dora", "members": ["hanna-berg", "drei-dora", "drei-gero"]},
		{"cid": "messaging:room", "created_by_id": "amara-bello", "members": ["hanna-berg", "eve-member", "amara-bello"]},
		{"cid": "messaging:left", "created_by_id": "amara-bello", "members": ["eve-member", "amara-bello", "kim-lonely"]},
		{"cid": "messaging:quiet", "created_by_id": "amara-bello", "members": ["eve-member", "amara-bello", "drei-gero"]}
	],
	"messages": [
		{"id": "m-own", "cid": "messaging:room", "user_id": "hanna-berg", "text": "one"},
		{"id": "m-liked", "cid": "messaging:quiet", "user_id": "eve-member", "text": "two"},
		{"id": "m-room", "cid": "messaging:room", "user_id": "amara-bello", "text": "three"},
		{"id": "m-left", "cid": "messaging:left", "user_id": "hanna-berg", "text": "four"},
		{"id": "m-fred", "cid": "messaging:room", "user_id": "former-fred", "text": "five"},
		{"id": "m-quiet", "cid": "messaging:quiet", "user_id": "amara-bello", "text": "six"},
		{"id": "m-thread", "cid": "messaging:quiet", "user_id": "amara-bello", "text": "seven"},
		{"id": "m-reply", "cid": "messaging:quiet", "user_id": "hanna-berg", "text": "eight", "parent_id": "m-thread"}
	],
	"reactions": [{"message_id": "m-liked", "user_id": "hanna-berg", "type": "like"}]
}`

const (
	exportOfUser    = "streamchat_user_export.x"
	exportOfChannel = "streamchat_channel_export.x"
	exportByAction  = "action.streamchat_export_user.x"
	sideBySide      = "side by side"
)

// trigger is a resource that triggers an action and has to do with nothing else.
var trigger = acctest.Change{Address: "streamchat_channel_truncation.trigger", Config: config{"cid": "messaging:yard", "hard_delete": false}}

// exportForms are the forms of an export that a plan sees.
func exportForms(dir string) map[string]acctest.Change {
	file := func(name string) string { return filepath.Join(dir, name) }
	return map[string]acctest.Change{
		"resource":   {Address: exportOfUser, Config: config{"user_id": "hanna-berg", "path": file("x.json")}},
		"bundle":     {Address: exportOfUser, Config: config{"user_id": "hanna-berg", "path": file("x.zip"), "format": "bundle"}},
		"without id": {Address: exportOfUser, Config: config{"user_id_wo": "hanna-berg", "path": file("x.json")}},
		"action":     {Address: exportByAction, Config: config{"user_id": "hanna-berg", "path": file("x.json")}, Trigger: trigger.Address},
		"channel":    {Address: exportOfChannel, Config: config{"cids": []string{"messaging:room"}, "path": file("x.json")}},
	}
}

// actForm is a deletion, and whether it reaches into the export of the person and of the
// channel.
type actForm struct {
	address         string
	config          config
	person, channel bool
}

func erases(who string, more ...config) config {
	c := config{"user_id": who, "delete": config{"user": "hard"}}
	for _, m := range more {
		for name, value := range m {
			c[name] = value
		}
	}
	return c
}

func many(of string, hard config, list ...string) config {
	c := config{of: list}
	for name, value := range hard {
		c[name] = value
	}
	return c
}

var actForms = map[string]actForm{
	"the person":                  {"streamchat_user_erasure.a", erases("hanna-berg"), true, true},
	"the person, softly":          {"streamchat_user_erasure.a", erases("hanna-berg", userSoft), true, false},
	"the person, pruned":          {"streamchat_user_erasure.a", erases("hanna-berg", userPruning), true, true},
	"the person, without id":      {"streamchat_user_erasure.a", config{"user_id_wo": "hanna-berg", "delete": config{"user": "hard"}}, true, true},
	"the person, scheduled":       {"streamchat_user_erasure.a", erases("hanna-berg", config{"grace_period": "1h"}), true, false},
	"batch with the person":       {"streamchat_user_erasure_batch.a", many("user_ids", userHard, "kim-lonely", "hanna-berg"), true, true},
	"batch without ids":           {"streamchat_user_erasure_batch.a", many("user_ids_wo", userHard, "kim-lonely", "hanna-berg"), true, true},
	"the partner":                 {"streamchat_user_erasure.a", erases("partner-pia"), true, false},
	"batch with the partner":      {"streamchat_user_erasure_batch.a", many("user_ids", userHard, "kim-lonely", "partner-pia"), true, false},
	"the partner, softly":         {"streamchat_user_erasure.a", erases("partner-pia", userSoft), false, false},
	"the partner, scheduled":      {"streamchat_user_erasure.a", erases("partner-pia", config{"grace_period": "1h"}), false, false},
	"two of three":                {"streamchat_user_erasure_batch.a", many("user_ids", userHard, "drei-dora", "drei-gero"), true, false},
	"one of three":                {"streamchat_user_erasure.a", erases("drei-dora"), false, false},
	"another member":              {"streamchat_user_erasure.a", erases("eve-member"), false, true},
	"another member, softly":      {"streamchat_user_erasure.a", erases("eve-member", userSoft), false, false},
	"a former member":             {"streamchat_user_erasure.a", erases("former-fred"), false, true},
	"a stranger":                  {"streamchat_user_erasure.a", erases("kim-lonely"), false, false},
	"the channel":                 {"streamchat_channel_erasure.a", config{"cid": "messaging:room", "hard_delete": true}, true, true},
	"the channel, softly":         {"streamchat_channel_erasure.a", config{"cid": "messaging:room", "hard_delete": false}, true, true},
	"a channel that they left":    {"streamchat_channel_erasure.a", config{"cid": "messaging:left", "hard_delete": true}, true, false},
	"another channel":             {"streamchat_channel_erasure.a", config{"cid": "messaging:other", "hard_delete": true}, false, false},
	"batch with the channel":      {"streamchat_channel_erasure_batch.a", many("cids", hardly, "messaging:other", "messaging:room"), true, true},
	"batch with one they left":    {"streamchat_channel_erasure_batch.a", many("cids", hardly, "messaging:other", "messaging:left"), true, false},
	"batch of other channels":     {"streamchat_channel_erasure_batch.a", many("cids", hardly, "messaging:other"), false, false},
	"truncation":                  {"streamchat_channel_truncation.a", config{"cid": "messaging:room", "hard_delete": true}, true, true},
	"truncation of one they left": {"streamchat_channel_truncation.a", config{"cid": "messaging:left", "hard_delete": false}, true, false},
	"truncation of another":       {"streamchat_channel_truncation.a", config{"cid": "messaging:other", "hard_delete": true}, false, false},
	"their message":               {"streamchat_message_erasure.a", config{"message_id": "m-own", "hard_delete": true}, true, true},
	"a message they liked":        {"streamchat_message_erasure.a", config{"message_id": "m-liked", "hard_delete": true}, true, false},
	"a message they replied to":   {"streamchat_message_erasure.a", config{"message_id": "m-thread", "hard_delete": true}, true, false},
	"a message in the channel":    {"streamchat_message_erasure.a", config{"message_id": "m-room", "hard_delete": true}, false, true},
	"another message":             {"streamchat_message_erasure.a", config{"message_id": "m-quiet", "hard_delete": true}, false, false},
	"a new retention policy":      {"streamchat_retention_policy.a", config{"policy": "old-messages", "max_age_hours": 24}, false, false},
}

func reachWorld(t *testing.T) (*acctest.Stream, *acctest.Core) {
	t.Helper()
	s := acctest.InMemory(t)
	s.Fill(t, reachSeed)
	s.Fill(t, `{"channels": [{"cid": "messaging:other", "created_by_id": "amara-bello", "members": ["eve-member", "amara-bello", "drei-gero"]},
		{"cid": "messaging:yard", "created_by_id": "amara-bello", "members": ["eve-member", "amara-bello", "drei-gero"]}]}`)
	return s, acctest.NewCore(t, s, config{"pseudonym_key": "a key for the pseudonyms", "max_retries": 1})
}

// refuses plans several blocks and says whether the plan refuses an export beside a deletion;
// it must have no other error.
func refuses(t *testing.T, core *acctest.Core, how string, want bool, changes ...acctest.Change) {
	t.Helper()
	if slices.ContainsFunc(changes, func(c acctest.Change) bool { return c.Trigger == trigger.Address }) {
		changes = append(slices.Clone(changes), trigger)
	}
	plan := core.PlanAll(changes...)
	if said := plan.Errors.Say(sideBySide) || plan.Errors.Say("beside an erasure"); said != want || !want && len(plan.Errors) > 0 {
		t.Errorf("%s: refused %v instead of %v: %s", how, said, want, plan.Errors)
	}
}

func (a actForm) change(more ...config) acctest.Change {
	c := acctest.Change{Address: a.address, Config: config{}}
	for _, of := range append([]config{a.config}, more...) {
		maps.Copy(c.Config, of)
	}
	return c
}

func after(c acctest.Change, address string) acctest.Change {
	c.After = []string{address}
	return c
}

// An export and a deletion that reaches into it are refused in one plan, in whichever order
// Terraform plans them, unless the deletion names it; others are not.
func TestExportsBesideDeletions(t *testing.T) {
	t.Parallel()
	acctest.Bubble(t, func(t *testing.T) {
		s, core := reachWorld(t)
		for form, export := range exportForms(t.TempDir()) {
			for name, act := range actForms {
				reaches := act.person
				if form == "channel" {
					reaches = act.channel
				}
				how, deletion := form+", "+name+", ", act.change()
				refuses(t, core, how+"export first", reaches, export, after(deletion, export.Address))
				if form == "bundle" || form == "without id" {
					continue // read as the resource
				}
				refuses(t, core, how+"deletion first", reaches, after(export, deletion.Address), deletion)
				if form != "action" && reaches {
					refuses(t, core, how+"named", false, export, act.change(config{"exports": []any{"9f86d081", acctest.Ref(export.Address, "sha256")}}))
				}
			}
		}
		if n := len(s.Requests("DeleteUsers", "DeleteChannels", "DeleteMessage", "TruncateChannel")); n > 0 {
			t.Errorf("%d deletions were sent by plans", n)
		}
	})
}

// Two deletions that leave somebody alone in a channel reach into their export together,
// wherever the export stands in the plan.
func TestExportsBesideDeletionsTogether(t *testing.T) {
	t.Parallel()
	acctest.Bubble(t, func(t *testing.T) {
		_, core := reachWorld(t)
		dora, gero, export := actForm{address: "streamchat_user_erasure.a", config: erases("drei-dora")}.change(), actForm{address: "streamchat_user_erasure.b", config: erases("drei-gero", config{"request_id": "R"})}.change(), exportForms(t.TempDir())["resource"]
		for _, order := range [][]acctest.Change{{dora, gero, export}, {dora, export, gero}, {export, gero, dora}} {
			changes := []acctest.Change{order[0], after(order[1], order[0].Address), after(order[2], order[1].Address)}
			refuses(t, core, order[0].Address+", "+order[1].Address+", "+order[2].Address, true, changes...)
		}
		refuses(t, core, "at once", true, dora, gero, export)
		refuses(t, core, "one alone", false, dora, export)
	})
}

// What a deletion names orders only exports of its plan, as many as may be meant.
func TestNamedExports(t *testing.T) {
	t.Parallel()
	acctest.Bubble(t, func(t *testing.T) {
		_, core := reachWorld(t)
		dir := t.TempDir()
		first := exportForms(dir)["resource"]
		second := acctest.Change{Address: exportOfUser + "2", Config: config{"user_id": "hanna-berg", "path": filepath.Join(dir, "second.zip"), "format": "bundle"}}
		other := acctest.Change{Address: exportOfUser + "3", Config: config{"user_id": "kim-lonely", "path": filepath.Join(dir, "kim.json")}}
		hash := func(of acctest.Change) any { return acctest.Ref(of.Address, "sha256") }
		for _, act := range []actForm{actForms["the person"], actForms["the channel"], actForms["their message"], actForms["truncation"], actForms["the partner"]} {
			for how, tt := range map[string]struct {
				names   any
				refused bool
				exports []acctest.Change
			}{
				"an earlier one":         {[]any{"9f86d081"}, true, []acctest.Change{first}},
				"a list not known":       {acctest.Later([]any{"9f86d081"}), false, []acctest.Change{first, second}},
				"one of two":             {[]any{hash(first)}, true, []acctest.Change{first, second}},
				"both":                   {[]any{hash(first), hash(second)}, false, []acctest.Change{first, second}},
				"the one that it needs":  {[]any{hash(first)}, false, []acctest.Change{first, other}},
				"nothing beside another": {[]any{"9f86d081"}, false, []acctest.Change{other}},
			} {
				for _, turned := range []bool{false, true} {
					changes := append(slices.Clone(tt.exports), act.change(config{"exports": tt.names}))
					if turned && how != "one of two" && how != "both" && how != "the one that it needs" {
						for i := range tt.exports {
							changes[i] = after(changes[i], act.address)
						}
					}
					refuses(t, core, act.address+", "+how, tt.refused, changes...)
				}
			}
			action := exportForms(dir)["action"]
			refuses(t, core, act.address+", an action has no hash", true, action, act.change(config{"exports": []any{acctest.Later("ab")}}))
			action.Config["before_erasure"] = true
			refuses(t, core, act.address+", an action that says so", false, action, act.change())
		}
	})
}

// Whatever sends a deletion later than a creation is one too: an escalation, the second of
// two stages, what is sent again, a replacement. What sends nothing is none.
func TestExportsBesideLaterDeletions(t *testing.T) {
	t.Parallel()
	acctest.Bubble(t, func(t *testing.T) {
		s, core := reachWorld(t)
		export := exportForms(t.TempDir())["resource"]
		run := func(changes ...acctest.Change) *acctest.Result { return core.Run(changes...) }
		both := func(how string, want bool, deletion acctest.Change) {
			t.Helper()
			refuses(t, core, how+", export first", want, export, after(deletion, export.Address))
			refuses(t, core, how+", deletion first", want, after(export, deletion.Address), deletion)
		}

		liked := actForms["a message they liked"]
		if r := run(liked.change(config{"hard_delete": false})); len(r.Errors) > 0 {
			t.Fatal(r.Errors)
		}
		both("nothing to send", false, liked.change(config{"hard_delete": false}))
		both("an escalation", true, liked.change())

		scheduled := actForms["the partner, scheduled"]
		if r := run(scheduled.change()); len(r.Errors) > 0 {
			t.Fatal(r.Errors)
		}
		both("a period that runs", false, scheduled.change())
		time.Sleep(2 * time.Hour)
		both("a second stage", true, scheduled.change())

		s.AddFault(emulator.Fault{Op: "DeleteChannels", Kind: emulator.FaultDropBefore, Times: 2})
		channel := actForms["the channel"].change()
		if r := run(channel); len(r.Errors) == 0 || core.State(channel.Address) == nil {
			t.Fatalf("%v, %v", r.Errors, core.State(channel.Address))
		}
		both("sent again", true, channel)
		if r := run(channel); len(r.Errors) > 0 {
			t.Fatal(r.Errors)
		}
		both("completed", false, channel)
		channel.Replace = true
		both("a replacement that keeps the record", false, channel)

		policy := acctest.Change{Address: "streamchat_retention_policy.p", Config: config{"policy": "old-messages", "max_age_hours": 100}}
		if r := run(policy); len(r.Errors) > 0 {
			t.Fatal(r.Errors)
		}
		both("a policy that stays", false, policy)
		policy.Config = config{"policy": "old-messages", "max_age_hours": 200}
		both("a policy made longer", false, policy)
		policy.Config = config{"policy": "old-messages", "max_age_hours": 50}
		both("a policy made shorter", true, policy)
		policy.Config["exports"] = []any{acctest.Ref(export.Address, "sha256")}
		refuses(t, core, "a policy that names it", false, export, policy)
		if r := run(export, policy); len(r.Errors) > 0 || core.State(policy.Address).Get("max_age_hours") != 50 || core.State(exportOfUser).Get("complete") != true {
			t.Errorf("%s %v", r.Errors, core.State(policy.Address))
		}
	})
}
