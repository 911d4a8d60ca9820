// Copyright (c) the terraform-provider-streamchat authors
// SPDX-License-Identifier: MPL-2.0

package resilience

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/hashicorp/terraform-plugin-framework/resource"

	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/acctest"
	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/clock"
	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/emulator"
	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/provider"
)

// full runs the whole matrices; without it the suites run a fast selection.
var full = flag.Bool("full", false, "run every cell of the matrices")

func TestMain(m *testing.M) { acctest.Main(m) }

// subject is a resource that sends something to Stream: what the suites need to
// know of it to interrupt it at a given moment and to see what came of it.
type subject struct {
	name    string
	address string
	// lookUp, submit and poll are the operations before, of and after the deed.
	// poll is empty where Stream answers at once.
	lookUp, submit, poll string
	// proves: a look-up comes after the deed.
	proves bool
	// download is the operation that fetches what a task made.
	download string
	// id is what import takes, where it can be needed to adopt what is done.
	id string
	// users is how many subjects are in it.
	users int
	// attributes of the resource but for timeouts and lifecycle.
	attributes string
	// untimed: it has no timeouts, and is done when its call is.
	untimed bool
	// forgets: Stream does not tell those that are gone from those that never were.
	forgets bool
	// done is the status of a record that is at its end; empty where it has none.
	done string
	// effect is what Stream then holds, in a word.
	effect string
	// gone reports that Stream did it.
	gone func(s *acctest.Stream) bool
	// file is the file that it writes, for exports.
	file string
	// left are the attributes of a batch whose list has lost members when the next run
	// comes, and stay those who are still on it.
	left string
	stay []string
	// erasure follows an export, and names it.
	erasure *subject
	// due: it was scheduled by a run before, and its day has come.
	due bool
}

func (s subject) isExport() bool { return s.file != "" }

// isErasure: its record is one of the lifecycle that all erasures share.
func (s subject) isErasure() bool { return s.done == completed }

// block is the resource, with more attributes, and the erasure that waits for it.
func (s subject) block(more string) string {
	kind, name, _ := strings.Cut(s.address, ".")
	block := fmt.Sprintf("resource %q %q {\n  %s\n  %s\n}\n", kind, name, s.attributes, more)
	if s.erasure != nil {
		block += s.erasure.block("exports = [" + s.address + ".sha256]" + s.erasure.untilDone())
	}
	return block
}

// untilDone is the postcondition of the examples, of erasures.
func (s subject) untilDone() string {
	switch s.done {
	case completed:
		return acctest.UntilCompleted
	case scheduled:
		return strings.Replace(acctest.UntilCompleted, `self.status == "completed"`, `contains(["scheduled", "completed"], self.status)`, 1)
	}
	return ""
}

// schedule brings a subject that is due to where the suites begin.
func (s subject) schedule(t testing.TB, w *acctest.Workspace, provider string) {
	t.Helper()
	if !s.due {
		return
	}
	w.Write(provider, s.block(""))
	w.Apply(0)
	values, _ := w.Record(s.address)
	at, err := time.Parse(time.RFC3339, fmt.Sprint(values["erase_at"]))
	if err != nil || values["status"] != scheduled {
		t.Fatalf("not scheduled: %v, %v", values["status"], err)
	}
	acctest.Eventually(t, "the day has come", func() bool { return time.Now().After(at) })
}

const batchSize = 120 // two calls

func batchID(i int) string { return fmt.Sprintf("member-%03d", i) }

func userGone(ids ...string) func(*acctest.Stream) bool {
	return func(s *acctest.Stream) bool {
		for _, id := range ids {
			if u, ok := s.User(id); !ok || !u.HardDeleted {
				return false
			}
		}
		return true
	}
}

var batchIDs = func() []string {
	ids := make([]string, batchSize)
	for i := range ids {
		ids[i] = batchID(i)
	}
	return ids
}()

func channelGone(cids ...string) func(*acctest.Stream) bool {
	return func(s *acctest.Stream) bool {
		return !slices.ContainsFunc(cids, func(cid string) bool { _, there := s.Channel(cid); return there })
	}
}

func messageGone(ids ...string) func(*acctest.Stream) bool {
	return func(s *acctest.Stream) bool {
		return !slices.ContainsFunc(ids, func(id string) bool { _, there := s.Message(id); return there })
	}
}

// halls are the channels of the channel batch.
var halls = []string{"messaging:hall-1", "messaging:hall-2", "messaging:hall-3"}

// subjects are all resources.
var subjects = []subject{
	{
		name: "user erasure", address: "streamchat_user_erasure.dsr", users: 1,
		lookUp: "QueryUsers", submit: "DeleteUsers", poll: "GetTask", proves: true,
		attributes: "user_id = \"alice\"\n  delete { user = \"hard\" }",
		done:       completed, effect: gone, gone: userGone("alice"),
	},
	{
		name: "user erasure batch", address: "streamchat_user_erasure_batch.leavers", users: batchSize,
		lookUp: "QueryUsers", submit: "DeleteUsers", poll: "GetTask", proves: true,
		attributes: fmt.Sprintf("user_ids = [for i in range(%d) : format(\"member-%%03d\", i)]\n  delete { user = \"hard\" }", batchSize),
		done:       completed, effect: gone, gone: userGone(batchIDs...),
	},
	{
		name: "channel erasure", address: "streamchat_channel_erasure.room", users: 1, id: "messaging:room",
		lookUp: "QueryChannels", submit: "DeleteChannels", poll: "GetTask", proves: true, forgets: true,
		attributes: "cid         = \"messaging:room\"\n  hard_delete = true",
		done:       completed, effect: gone, gone: channelGone("messaging:room"),
	},
	{
		name: "channel erasure batch", address: "streamchat_channel_erasure_batch.halls", users: len(halls),
		lookUp: "QueryChannels", submit: "DeleteChannels", poll: "GetTask", proves: true, forgets: true,
		attributes: "cids        = [\"" + strings.Join(halls, "\", \"") + "\"]\n  hard_delete = true",
		done:       completed, effect: gone, gone: channelGone(halls...),
	},
	{
		name: "channel truncation", address: "streamchat_channel_truncation.cut", users: 1,
		lookUp: "QueryChannels", submit: "TruncateChannel", proves: true,
		attributes: "cid         = \"messaging:room\"\n  hard_delete = true",
		done:       completed, effect: gone, gone: messageGone("m1", "m2"),
	},
	{
		name: "message erasure", address: "streamchat_message_erasure.slip", users: 1, id: "m1",
		lookUp: "GetMessage", submit: "DeleteMessage", proves: true, forgets: true,
		attributes: "message_id  = \"m1\"\n  hard_delete = true",
		done:       completed, effect: gone, gone: messageGone("m1"),
	},
	{
		name: "user deactivation", address: "streamchat_user_deactivation.hold", users: 1, untimed: true,
		lookUp: "QueryUsers", submit: "DeactivateUser",
		attributes: "user_id = \"alice\"",
		done:       "deactivated", effect: "deactivated",
		gone: func(s *acctest.Stream) bool { u, _ := s.User("alice"); return u.Deactivated },
	},
	{
		name: "retention policy", address: "streamchat_retention_policy.old", users: 1, untimed: true, id: "old-messages",
		lookUp: "GetRetentionPolicy", submit: "SetRetentionPolicy",
		attributes: "policy        = \"old-messages\"\n  max_age_hours = 24",
		effect:     "set",
		gone:       func(s *acctest.Stream) bool { hours, _ := s.RetentionPolicy("old-messages"); return hours == 24 },
	},
	{
		name: "user export", address: "streamchat_user_export.answer", users: 1,
		submit:     "ExportUser",
		attributes: "user_id = \"alice\"\n  path    = \"${abspath(path.module)}/out/alice.json\"",
		effect:     untouched, file: "out/alice.json",
	},
	{
		name: "channel export", address: "streamchat_channel_export.archive", users: 1,
		submit: "ExportChannels", poll: "GetTask", download: "DownloadExport",
		attributes: "cids = [\"messaging:room\"]\n  path = \"${abspath(path.module)}/out/room.json\"",
		effect:     untouched, file: "out/room.json",
	},
}

// What the names of variants add to that of their subject.
const (
	shrinks   = "shrinking "
	goesFirst = " before an erasure"
	nameless  = " without an id"
	inStages  = ", scheduled"
	isDue     = ", due"
)

// kind is the name without that.
func (s subject) kind() string {
	name := strings.TrimSuffix(strings.TrimSuffix(s.name, inStages), isDue)
	return strings.TrimSuffix(strings.TrimSuffix(strings.TrimPrefix(name, shrinks), goesFirst), nameless)
}

// next is the subject as the run after this one asks for it.
func (s subject) next() subject {
	if s.left != "" {
		s.attributes = s.left
	}
	return s
}

// subjectNamed gives a subject of the table.
func subjectNamed(name string) subject {
	return subjects[slices.IndexFunc(subjects, func(s subject) bool { return s.name == name })]
}

// shrinking are batches that lose members between two runs, as a list does that a query
// of the living feeds: of the users a whole call, and all but ten of the other one.
var shrinking = func() []subject {
	users, channels := subjectNamed("user erasure batch"), subjectNamed("channel erasure batch")
	users.name, users.stay = shrinks+users.name, batchIDs[110:]
	users.left = strings.Replace(users.attributes, "range(", "range(110, ", 1)
	users.gone = userGone(users.stay...)
	channels.name, channels.stay = shrinks+channels.name, halls[:1]
	channels.left = "cids        = [\"" + halls[0] + "\"]\n  hard_delete = true"
	channels.gone = channelGone(halls[0])
	return []subject{users, channels}
}()

// chained are exports that an erasure of the same subject names.
var chained = func() []subject {
	users, channels := subjectNamed("user export"), subjectNamed("channel export")
	user, channel := subjectNamed("user erasure"), subjectNamed("channel erasure")
	users.name, users.erasure = users.name+goesFirst, &user
	channels.name, channels.erasure = channels.name+goesFirst, &channel
	return []subject{users, channels}
}()

// hidden are erasures whose record holds no id.
var hidden = func() (list []subject) {
	for _, name := range []string{"user erasure", "user erasure batch"} {
		s := subjectNamed(name)
		s.name += nameless
		s.attributes = strings.NewReplacer("user_id ", "user_id_wo ", "user_ids ", "user_ids_wo ").Replace(s.attributes)
		list = append(list, s)
	}
	return list
}()

// staged are erasures in two stages: those that come to the first one, and those whose day
// has come.
var staged, due = func() (first, second []subject) {
	for _, s := range slices.Concat([]subject{subjectNamed("user erasure"), subjectNamed("user erasure batch")}, hidden) {
		last := s
		last.name += isDue
		last.attributes += "\n  grace_period = \"1s\""
		last.due = true
		second = append(second, last)

		ids := []string{"alice"}
		s.submit, s.poll = "DeactivateUser", ""
		if s.isBatch() {
			ids, s.submit, s.poll = batchIDs, "DeactivateUsers", "GetTask"
		}
		s.name += inStages
		s.attributes += "\n  grace_period = \"720h\""
		s.done, s.effect, s.gone = scheduled, scheduled, restrictedOnly(ids...)
		first = append(first, s)
	}
	return first, second
}()

const scheduled = "scheduled"

// restrictedOnly: they are deactivated, and nobody was erased.
func restrictedOnly(ids ...string) func(*acctest.Stream) bool {
	return func(s *acctest.Stream) bool {
		return s.Count("DeleteUsers") == 0 && !slices.ContainsFunc(ids, func(id string) bool {
			u, ok := s.User(id)
			return !ok || !u.Deactivated || u.Deleted
		})
	}
}

// resourceTypes are those of the provider.
func resourceTypes(t *testing.T) (names []string) {
	t.Helper()
	for _, factory := range provider.New("test", clock.Real{})().Resources(t.Context()) {
		var m resource.MetadataResponse
		factory().Metadata(t.Context(), resource.MetadataRequest{ProviderTypeName: "streamchat"}, &m)
		names = append(names, m.TypeName)
	}
	return names
}

// fill gives the app what the subjects are about.
func fill(t testing.TB, s *acctest.Stream) {
	t.Helper()
	users := []string{`{"id":"alice","name":"Name of alice"}`, `{"id":"bob"}`}
	for _, id := range batchIDs {
		users = append(users, fmt.Sprintf(`{"id":%q}`, id))
	}
	channels := []string{`{"cid":"messaging:room","created_by_id":"bob","members":["alice","bob"]}`}
	for _, cid := range halls {
		channels = append(channels, fmt.Sprintf(`{"cid":%q,"created_by_id":"bob","members":["bob"]}`, cid))
	}
	s.Fill(t, `{"users":[`+strings.Join(users, ",")+`],"channels":[`+strings.Join(channels, ",")+`],
	  "messages":[{"id":"m1","cid":"messaging:room","user_id":"alice","text":"text of alice"},
	              {"id":"m2","cid":"messaging:room","user_id":"bob","text":"text of bob"}]}`)
}

// start is an app in which tasks end at once.
func start(t testing.TB) *acctest.Stream {
	t.Helper()
	s := acctest.Start(t, func(o *emulator.Options) { o.TaskDelay = -1 })
	fill(t, s)
	return s
}

// carriedOut is how often Stream did what the submission asks for; in a batch, for
// the subject for whom it did so most often.
func carriedOut(s *acctest.Stream, sub subject) int {
	most, times := 0, map[string]int{}
	for _, r := range s.Requests(sub.submit) {
		if r.Status/100 != 2 && r.Fault != emulator.FaultDropAfter {
			continue
		}
		ids := slices.Concat(r.UserIDs, r.CIDs)
		if sub.users == 1 {
			ids = []string{""}
		}
		for _, id := range ids {
			times[id]++
			most = max(most, times[id])
		}
	}
	return most
}

// exported checks the file of an export: whole, or not there, and nothing beside
// it but for what a killed process may leave.
func exported(t testing.TB, dir string, sub subject, killed bool) (there bool) {
	t.Helper()
	path := filepath.Join(dir, filepath.FromSlash(sub.file))
	entries, err := os.ReadDir(filepath.Dir(path))
	if err != nil && !os.IsNotExist(err) {
		t.Fatal(err)
	}
	for _, e := range entries {
		if e.Name() != filepath.Base(path) && !killed {
			t.Errorf("%s is left beside the export", e.Name())
		}
	}
	raw, err := os.ReadFile(path)
	if os.IsNotExist(err) {
		return false
	}
	if err != nil || !json.Valid(raw) {
		t.Errorf("the export is not whole: %v", err)
	}
	return true
}
