// Copyright (c) the terraform-provider-streamchat authors
// SPDX-License-Identifier: MPL-2.0

//go:build unix

package resilience

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"maps"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"
	"text/tabwriter"
	"time"

	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/acctest"
	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/emulator"
	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/erasure"
	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/lifecycle"
	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/tfcli"
)

var (
	soakLong  = flag.Bool("soak", false, "run the long soak")
	soakSeed  = flag.Uint64("soak.seed", 0, "seed of the soak's faults and interrupts; 0 is always the same one, and with -soak a new one")
	soakUsers = flag.Int("soak.users", 10_000, "how many users the long soak erases")
	soakLimit = flag.Duration("soak.limit", 30*time.Minute, "how long the long soak may take")
)

// soakSize is how much is erased, and what stands in the way.
type soakSize struct {
	batches  []int // the users of each batch
	singles  int   // users with an erasure of their own
	channels int
	messages int
	// interrupts is how many there are at most, and every how often they come on
	// average: at any moment alike, whatever has gone before.
	interrupts int
	every      time.Duration
	// patience is what the provider waits for an answer, task how long a task takes
	// and window how long a refusal holds.
	patience, task, window time.Duration
	// limit and runs bound the whole.
	limit time.Duration
	runs  int
	// memory is what the provider may take, in MiB.
	memory int
}

func (s soakSize) users() int {
	n := s.singles
	for _, b := range s.batches {
		n += b
	}
	return n
}

// soakSmall runs with the other tests.
var soakSmall = soakSize{
	batches: []int{110, 30}, singles: 10, channels: 10, messages: 3,
	interrupts: 3, every: 2 * time.Second, patience: 2 * time.Second, task: 100 * time.Millisecond, window: time.Second,
	limit: 10 * time.Minute, runs: 60, memory: 400,
}

// soakOf is the size of a long one: large and small batches, some users alone.
func soakOf(users int) soakSize {
	s := soakSize{
		singles: users * 3 / 100, channels: users / 50, messages: users / 500,
		interrupts: math.MaxInt, every: 7 * time.Second, patience: 3 * time.Second, task: time.Second, window: 2 * time.Second,
		limit: *soakLimit, runs: 1000, memory: 400,
	}
	sizes := []int{lifecycle.MaxBatch, 300, 300, 100, 300, 100, 300}
	for i, left := 0, users-s.singles; left > 0; i++ {
		n := min(left, sizes[i%len(sizes)])
		s.batches = append(s.batches, n)
		left -= n
	}
	return s
}

// soakFaults is the share of requests and of tasks that go wrong.
const soakFaults = 0.05

var (
	// soakPassing are faults of requests that a repeat gets over.
	soakPassing = []emulator.FaultKind{
		emulator.FaultDropBefore, emulator.FaultHangBefore, emulator.Fault500, emulator.Fault503, emulator.FaultHTML502,
		emulator.Fault429, emulator.FaultBare429, emulator.FaultPlain429, emulator.FaultEdge429,
		emulator.FaultDropAfter, emulator.FaultShortBody, emulator.FaultTruncated,
		emulator.FaultSlow, emulator.FaultHang, emulator.FaultStall,
		emulator.FaultResetPast, emulator.FaultResetFuture, emulator.FaultNoHeaders,
	}
	// soakWrong are answers that are nothing of Stream's: the run has to fail.
	soakWrong = []emulator.FaultKind{
		emulator.FaultRedirect301, emulator.FaultRedirect307, emulator.FaultHTML200, emulator.FaultNumbers,
	}
	soakTasks = []emulator.FaultKind{
		emulator.FaultFailTask, emulator.FaultFailUser, emulator.FaultMissingUser, emulator.FaultStatusWord, emulator.FaultTaskNotFound,
	}
)

// addSoakFaults lets every kind of fault strike at random. Left out are those
// that never end by themselves: a stuck task, and what a test makes up. Of
// answers that fail a run there are few, or no plan for thousands would pass.
func addSoakFaults(s *acctest.Stream, patience time.Duration) {
	add := func(share float64, kinds ...emulator.FaultKind) {
		for _, kind := range kinds {
			// What is slow comes in time.
			s.AddFault(emulator.Fault{Kind: kind, Probability: share / float64(len(kinds)), Delay: patience / 2})
		}
	}
	add(soakFaults*0.98, soakPassing...)
	add(soakFaults*0.02, soakWrong...)
	add(soakFaults, soakTasks...)
	s.AddFault(emulator.Fault{Kind: emulator.FaultTaskNotFound, Op: "GetTask", Probability: soakFaults / 10})
}

// The ways to interrupt an apply.
const (
	soakINT           = "SIGINT to the group"
	soakTERM          = "SIGTERM to the group"
	soakKillProvider  = "SIGKILL of the provider"
	soakKillTerraform = "SIGKILL of Terraform"
)

var soakInterrupts = []string{soakINT, soakTERM, soakKillProvider, soakKillTerraform}

// soakRun is one apply.
type soakRun struct {
	interrupt  string // empty: it ended by itself
	start, end time.Time
	exit       int
}

func (r soakRun) killed() bool {
	return r.interrupt == soakKillProvider || r.interrupt == soakKillTerraform
}

// deed is a deletion that Stream carried out.
type deed struct {
	run   int
	task  string
	fault emulator.FaultKind
	late  bool                 // the provider had hung up before the answer was sent
	spoil []emulator.FaultKind // what went wrong with its task
	first bool                 // the subject is the first one of the call
}

// answered reports that Stream's answer to the call could be read.
func (d deed) answered() bool {
	if d.late {
		return false
	}
	switch d.fault {
	case "", emulator.FaultSlow, emulator.FaultResetPast, emulator.FaultResetFuture, emulator.FaultNoHeaders:
		return true
	}
	return false
}

// failed reports that Stream said, or may have seemed to say, that the deletion
// did not come about.
func (d deed) failed() bool {
	for _, kind := range d.spoil {
		switch kind {
		case emulator.FaultFailTask, emulator.FaultTaskNotFound:
			return true
		case emulator.FaultFailUser, emulator.FaultMissingUser:
			if d.first {
				return true
			}
		}
	}
	return false
}

// undone reports that a deletion whose task failed left what it was to delete:
// hidden at once, and there all the same.
func (d deed) undone() bool {
	return slices.Contains(d.spoil, emulator.FaultFailTask) || d.first && slices.Contains(d.spoil, emulator.FaultFailUser)
}

// soakAttempt is an attempt of a receipt, of whatever kind.
type soakAttempt struct {
	status  erasure.Status
	found   erasure.Found
	outcome erasure.Outcome
	task    string
	at      time.Time // of the answer, or of the look-up where nothing was sent
}

func (a soakAttempt) sameCall(b soakAttempt) bool { return a.task == b.task && a.at.Equal(b.at) }

// evidence is what state holds of one subject.
type evidence struct {
	address  string
	tainted  bool
	status   string
	attempts []soakAttempt
}

// soak is one going on.
type soak struct {
	*testing.T
	size     soakSize
	random   *rand.Rand
	stream   *acctest.Stream
	w        *acctest.Workspace
	deadline time.Time

	runs     []soakRun
	member   map[string]int    // the batch of each user, one past the last for the singles
	deeds    map[string][]deed // by subject
	evidence map[string]evidence
	faults   map[emulator.FaultKind]int
	calls    map[string]int // by operation
	peak     int
	lost     map[string]int           // subjects whose evidence went with a run, by interrupt
	gone     map[string]int           // the last run in which a subject\'s evidence was lost
	restored int                      // states from the backup
	most     int                      // delete calls that may be
	windDown map[string]time.Duration // the longest from an interrupt to the end, by interrupt
}

// soakGate is the seed of every plain run: what is left to chance there is only time.
const soakGate = 1796134723460556305

func TestSoak(t *testing.T) {
	t.Parallel()
	size, seed := soakSmall, *soakSeed
	if *soakLong {
		size = soakOf(*soakUsers)
	}
	switch {
	case seed != 0:
	case *soakLong:
		seed = uint64(time.Now().UnixNano())
	default:
		seed = soakGate
	}
	t.Logf("to repeat: go test ./internal/resilience -run '^TestSoak$' -soak=%v -soak.users=%d -soak.seed=%d -timeout 60m -v", *soakLong, *soakUsers, seed)
	k := newSoak(t, size, seed)
	for !k.apply() {
	}
	k.settled()
	k.agree()
	k.table()
}

const soakBystanders = 20

func soakUser(i int) string    { return fmt.Sprintf("leaver-%05d", i) }
func soakCID(i int) string     { return fmt.Sprintf("messaging:room-%03d", i) }
func soakMessage(i int) string { return fmt.Sprintf("slip-%03d", i) }

func newSoak(t *testing.T, size soakSize, seed uint64) *soak {
	k := &soak{
		T: t, size: size, random: rand.New(rand.NewPCG(seed, 1)),
		member: map[string]int{}, deeds: map[string][]deed{}, evidence: map[string]evidence{}, faults: map[emulator.FaultKind]int{},
		calls: map[string]int{}, lost: map[string]int{}, gone: map[string]int{}, windDown: map[string]time.Duration{},
	}
	k.stream = acctest.Start(t, func(o *emulator.Options) {
		o.RandomSeed = seed
		o.TaskDelay = size.task
		// Stream's limits are not what is tested here; a refusal ends soon.
		o.Window, o.DeleteUsersLimit = size.window, 10_000
		o.Limits = map[string]int{}
		for _, op := range []string{"QueryUsers", "UpdateUsersPartial", "QueryPolls", "QueryChannels", "DeleteChannels", "GetMessage", "DeleteMessage", "GetTask", "GetApp"} {
			o.Limits[op] = 10_000
		}
	})
	k.fill()
	body := `
resource "streamchat_user_erasure_batch" "leavers" {
  for_each = fileset(path.module, "leavers/*.json")
  user_ids = jsondecode(file(each.value))
  delete { user = "hard" }` + acctest.UntilCompleted + `
}

resource "streamchat_user_erasure" "dsr" {
  for_each = jsondecode(file("requests.json"))
  user_id  = each.value
  delete { user = "hard" }` + acctest.UntilCompleted + `
}

# Stream forgets channels and messages: where the record was lost with a kill, only
# the operator can say that nothing is left to delete.
resource "streamchat_channel_erasure_batch" "rooms" {
  cids        = jsondecode(file("rooms.json"))
  hard_delete = true
  on_missing  = "record"` + acctest.UntilCompleted + `
}

resource "streamchat_message_erasure" "slips" {
  for_each    = fileset(path.module, "slips/*")
  message_id  = basename(each.value)
  hard_delete = true
  on_missing  = "record"` + acctest.UntilCompleted + `
}`
	k.w = k.stream.Installed(t, acctest.CLI(t), fmt.Sprintf("max_erasures = 20000\n  request_timeout = %q", size.patience), body)
	k.configure()
	addSoakFaults(k.stream, size.patience)
	k.deadline = time.Now().Add(size.limit) // what was built before does not count
	return k
}

// fill gives the app everybody, with something of their own.
func (k *soak) fill() {
	var users, rooms, slips []string
	for i := range k.size.users() {
		users = append(users, fmt.Sprintf(`{"id":%q}`, soakUser(i)))
	}
	for i := range soakBystanders {
		users = append(users, fmt.Sprintf(`{"id":"bystander-%d"}`, i))
	}
	rooms = append(rooms, `{"cid":"messaging:hall","created_by_id":"bystander-0","members":["bystander-0","bystander-1"]}`)
	for i := range k.size.channels {
		rooms = append(rooms, fmt.Sprintf(`{"cid":%q,"created_by_id":"bystander-0"}`, soakCID(i)))
	}
	for i := range k.size.messages {
		slips = append(slips, fmt.Sprintf(`{"id":%q,"cid":"messaging:hall","user_id":"bystander-1","text":"slip"}`, soakMessage(i)))
	}
	slips = append(slips, `{"id":"notice","cid":"messaging:hall","user_id":"bystander-1","text":"stays"}`)
	k.stream.Fill(k.T, `{"users":[`+strings.Join(users, ",")+`],"channels":[`+strings.Join(rooms, ",")+`],"messages":[`+strings.Join(slips, ",")+`]}`)
}

// configure writes the lists that the configuration reads: Terraform reads a file
// again for every instance that uses it, so that each batch has its own.
func (k *soak) configure() {
	write := func(name string, v any) {
		k.Helper()
		raw, err := json.Marshal(v)
		if err == nil {
			err = k.w.WriteFile(name, string(raw))
		}
		if err != nil {
			k.Fatal(err)
		}
	}
	next := 0
	for i, n := range k.size.batches {
		ids := make([]string, n)
		for j := range ids {
			ids[j] = soakUser(next)
			k.member[ids[j]] = i
			next++
		}
		write(fmt.Sprintf("leavers/%03d.json", i), ids)
	}
	requests := map[string]string{}
	for i := range k.size.singles {
		requests[fmt.Sprintf("DSR-%04d", i)] = soakUser(next)
		k.member[soakUser(next)] = len(k.size.batches)
		next++
	}
	write("requests.json", requests)
	rooms := make([]string, k.size.channels)
	for i := range rooms {
		rooms[i] = soakCID(i)
	}
	write("rooms.json", rooms)
	for i := range k.size.messages {
		write("slips/"+soakMessage(i), true)
	}
}

// apply applies once, interrupted or not, and reports that nothing is left to do.
func (k *soak) apply() (done bool) {
	k.Helper()
	n := len(k.runs)
	if left := time.Until(k.deadline); left < 0 || n == k.size.runs {
		k.table()
		k.Fatalf("not done after %d runs and %s; open are %v", n, k.size.limit, k.open())
	}
	interrupted := 0
	for _, r := range k.runs {
		if r.interrupt != "" {
			interrupted++
		}
	}
	run := soakRun{start: time.Now()}
	p, err := k.w.Start("apply", "-auto-approve")
	if err != nil {
		k.Fatal(err)
	}
	watch := acctest.WatchProviders(p)
	ended := make(chan tfcli.Result, 1)
	go func() {
		ctx, cancel := context.WithDeadline(context.Background(), k.deadline.Add(time.Minute))
		defer cancel()
		r, err := p.Wait(ctx)
		if err != nil {
			k.Errorf("run %d: %v", n, err)
		}
		ended <- r
	}()
	var result tfcli.Result
	var at time.Time
	select {
	case result = <-ended:
	case <-k.moment(p, interrupted < k.size.interrupts):
		at = time.Now()
		run.interrupt = k.interrupt(p)
		result = <-ended
	}
	pids, peak := watch()
	k.peak = max(k.peak, peak)
	acctest.Eventually(k.T, "the providers have ended", func() bool { return !slices.ContainsFunc(pids, tfcli.Running) })
	run.end, run.exit = time.Now(), result.ExitCode
	windDown := time.Duration(0)
	if run.exit == 0 {
		run.interrupt = "" // it came too late
	}
	if run.interrupt != "" {
		windDown = run.end.Sub(at)
		k.windDown[run.interrupt] = max(k.windDown[run.interrupt], windDown)
	}
	k.runs = append(k.runs, run)
	calls := k.harvest(n)
	k.heal()
	k.compare(run)
	k.Logf("run %d: %.1f s, exit %d, %s in %.1f s, %d calls; open: %v; errors: %v", n, run.end.Sub(run.start).Seconds(), run.exit, run.interrupt, windDown.Seconds(), calls, k.open(), soakErrors(result))
	if strings.Contains(acctest.Output(result), "panic:") {
		k.Fatalf("a panic: %s", acctest.Output(result))
	}
	return run.exit == 0
}

// moment is when to interrupt: in one of four runs at any moment, else once the plan
// is made, which for thousands takes longer than interrupts are apart. A plan that
// takes long shows a slow machine; then they are further apart, so that as much is
// done between them.
func (k *soak) moment(p *tfcli.Process, wanted bool) <-chan time.Time {
	moment := make(chan time.Time, 1)
	if !wanted {
		return moment
	}
	chance, planned := k.random.ExpFloat64(), k.random.IntN(4) > 0
	go func() {
		ctx, cancel := context.WithDeadline(context.Background(), k.deadline)
		defer cancel()
		start, every := time.Now(), k.size.every
		if planned {
			if p.WaitFor(ctx, "\nPlan: ") != nil {
				return
			}
			every = max(every, time.Since(start)/2)
		}
		moment <- <-time.After(time.Duration(chance * float64(every)))
	}()
	return moment
}

var soakError = regexp.MustCompile(`(?m)^[^\w]*(Error: .*|Failed while .*)$`)

// soakErrors counts the errors that an apply printed, by their first words.
func soakErrors(r tfcli.Result) map[string]int {
	n := map[string]int{}
	for _, found := range soakError.FindAllStringSubmatch(acctest.Output(r), -1) {
		n[found[1]]++
	}
	return n
}

// interrupt interrupts a running apply in some way, and tells in which.
func (k *soak) interrupt(p *tfcli.Process) string {
	kind := soakInterrupts[k.random.IntN(len(soakInterrupts))]
	pids, err := p.ProviderPIDs()
	if err != nil {
		k.Fatal(err)
	}
	switch {
	case kind == soakINT:
		err = p.SignalGroup(os.Interrupt)
	case kind == soakTERM:
		err = p.SignalGroup(syscall.SIGTERM)
	case kind == soakKillProvider && len(pids) > 0:
		for _, pid := range pids {
			_ = syscall.Kill(pid, syscall.SIGKILL) // it may have ended this moment
		}
	default:
		kind = soakKillTerraform
		err = p.Signal(os.Kill)
	}
	if err != nil {
		return "" // Terraform has ended this moment
	}
	return kind
}

// harvest takes over what the emulator has seen of a run.
func (k *soak) harvest(run int) (calls int) {
	requests := k.stream.Requests()
	k.most += k.needed(requests)
	for _, r := range requests {
		k.calls[r.Op]++
		if r.Fault != "" {
			k.faults[r.Fault]++
		}
		for _, kind := range r.TaskFaults {
			k.faults[kind]++
		}
		var subjects []string
		switch {
		case r.Op == "DeleteUsers" && r.TaskID != "":
			subjects = r.UserIDs
		case r.Op == "DeleteChannels" && r.TaskID != "":
			subjects = r.CIDs
		case r.Op == "DeleteMessage" && (r.Status/100 == 2 || r.Fault == emulator.FaultDropAfter):
			subjects = []string{filepath.Base(r.Path)}
		}
		for i, id := range subjects {
			k.deeds[id] = append(k.deeds[id], deed{run: run, task: r.TaskID, fault: r.Fault, late: r.Unheard, spoil: r.TaskFaults, first: i == 0})
		}
	}
	k.stream.ResetRequests()
	return len(requests)
}

// needed is how many calls of DeleteUsers it takes at most to send those whom a
// run has sent: one for a hundred of a batch, one for a single erasure, one more for
// each answer that was spoiled.
func (k *soak) needed(requests []emulator.Request) (calls int) {
	sent := map[int]map[string]bool{} // by batch
	for _, r := range requests {
		if r.Op != "DeleteUsers" {
			continue
		}
		if r.Fault != "" {
			calls++
		}
		for _, id := range r.UserIDs {
			b := k.member[id]
			if sent[b] == nil {
				sent[b] = map[string]bool{}
			}
			sent[b][id] = true
		}
	}
	for b, ids := range sent {
		if b < len(k.size.batches) {
			calls += (len(ids) + erasure.MaxSubjects - 1) / erasure.MaxSubjects
		} else {
			calls += len(ids)
		}
	}
	return calls
}

// heal does what the documentation tells an operator to do when Terraform was
// killed while it wrote the state: an empty or torn file is replaced by the backup,
// which holds the state from before that run.
func (k *soak) heal() {
	state := filepath.Join(k.w.Dir, "terraform.tfstate")
	raw, err := os.ReadFile(state)
	if os.IsNotExist(err) || err == nil && json.Valid(raw) {
		return
	}
	if err != nil {
		k.Fatal(err)
	}
	k.restored++
	k.Logf("the state has %d bytes and is not whole", len(raw))
	if err := os.Rename(state+".backup", state); os.IsNotExist(err) {
		err = os.Remove(state) // the first run: there was nothing before
		if err != nil {
			k.Fatal(err)
		}
	} else if err != nil {
		k.Fatal(err)
	}
}

// compare reads the state after a run and sees that no evidence was lost, but with
// a kill or in the middle of a replacement.
func (k *soak) compare(run soakRun) {
	now := k.state()
	lost := 0
	for id, was := range k.evidence {
		is := now[id]
		for i, a := range was.attempts {
			if i >= len(is.attempts) || !is.attempts[i].sameCall(a) {
				lost++
				k.gone[id] = len(k.runs) - 1
				// Terraform drops a tainted record before the new one is made: an
				// interrupt in between loses it.
				between := was.tainted && run.interrupt != ""
				if !run.killed() && !between && lost < 5 {
					k.Errorf("run %d (%s) lost evidence of %s:\n%+v\n%+v", len(k.runs)-1, run.interrupt, id, was, is)
				}
				break
			}
		}
	}
	if lost > 0 {
		k.lost[run.interrupt] += lost
	}
	k.evidence = now
}

// open counts the subjects by the status on record.
func (k *soak) open() map[string]int {
	n := map[string]int{"no record": k.size.users() + k.size.channels + k.size.messages - len(k.evidence)}
	for _, e := range k.evidence {
		n[e.status]++
		if e.tainted {
			n["tainted"]++
		}
	}
	return n
}

// statusOf is the status behind one word of results.
func statusOf(word string) string {
	switch word {
	case "erased", "pruned", "marked_deleted", "not_found", "adopted":
		return string(erasure.StatusCompleted)
	}
	return word
}

// state reads what the state file holds of every subject.
func (k *soak) state() map[string]evidence {
	k.Helper()
	raw, err := os.ReadFile(filepath.Join(k.w.Dir, "terraform.tfstate"))
	if os.IsNotExist(err) {
		return map[string]evidence{}
	}
	var state struct {
		Resources []struct {
			Type, Name string
			Instances  []struct {
				IndexKey   any `json:"index_key"`
				Status     string
				Deposed    string
				Attributes struct {
					UserID    string `json:"user_id"`
					MessageID string `json:"message_id"`
					Status    string
					Receipt   string
					Results   map[string]string
				}
			}
		}
	}
	if err == nil {
		err = json.Unmarshal(raw, &state)
	}
	if err != nil {
		k.Fatalf("the state: %v", err)
	}
	all := map[string]evidence{}
	for _, r := range state.Resources {
		for _, i := range r.Instances {
			address := fmt.Sprintf("%s.%s[%v]%s", r.Type, r.Name, i.IndexKey, i.Deposed)
			var attempts map[string][]soakAttempt
			a := i.Attributes
			ids := slices.Collect(maps.Keys(a.Results))
			switch r.Type {
			case "streamchat_user_erasure":
				attempts, err = recordAttempts[erasure.UserScope](a.UserID, a.Receipt)
			case "streamchat_user_erasure_batch":
				attempts, err = batchAttempts[erasure.UserScope](ids, a.Receipt)
			case "streamchat_channel_erasure_batch":
				attempts, err = batchAttempts[erasure.ChannelScope](ids, a.Receipt)
			case "streamchat_message_erasure":
				attempts, err = recordAttempts[erasure.MessageScope](a.MessageID, a.Receipt)
			}
			if err != nil {
				k.Fatalf("%s: %v", address, err)
			}
			for id, list := range attempts {
				if other, twice := all[id]; twice {
					k.Errorf("%s is in %s and in %s", id, other.address, address)
				}
				status := a.Status
				if a.Results != nil {
					status = statusOf(a.Results[id])
				}
				all[id] = evidence{address: address, tainted: i.Status == "tainted", status: status, attempts: list}
			}
		}
	}
	return all
}

func recordAttempts[S erasure.Scope[S]](id, receipt string) (map[string][]soakAttempt, error) {
	r, err := erasure.ReadRecord[S](receipt)
	return map[string][]soakAttempt{id: plainAttempts(r)}, err
}

func batchAttempts[S erasure.Scope[S]](ids []string, receipt string) (map[string][]soakAttempt, error) {
	batch, err := erasure.ReadBatch[S](receipt, ids)
	all := map[string][]soakAttempt{}
	for id, r := range batch {
		all[id] = plainAttempts(r)
	}
	return all, err
}

func plainAttempts[S erasure.Scope[S]](r erasure.Record[S]) (list []soakAttempt) {
	for _, a := range r.Attempts {
		plain := soakAttempt{status: a.Status, found: a.Found, outcome: a.Outcome, task: a.TaskID}
		switch {
		case a.SubmittedAt != nil:
			plain.at = *a.SubmittedAt
		case a.VerifiedAt != nil:
			plain.at = *a.VerifiedAt
		}
		list = append(list, plain)
	}
	return list
}

// settled checks that after an apply that ended well nothing is left to do, and
// that nothing is asked any more.
func (k *soak) settled() {
	k.Helper()
	r := k.w.Run("plan", "-detailed-exitcode")
	acctest.Expect(k.T, r, 0, "No changes")
	if requests := k.stream.Requests(); len(requests) > 0 {
		k.Errorf("%d requests after the end, the first is %+v", len(requests), requests[0])
	}
	if n := k.calls["DeleteUsers"]; n > k.most {
		k.Errorf("%d calls of DeleteUsers, %d would do", n, k.most)
	}
	if k.peak > k.size.memory {
		k.Errorf("a provider took %d MiB", k.peak)
	}
}

// agree checks that records and server tell the same story.
func (k *soak) agree() {
	k.Helper()
	wrong := map[string]int{}
	problem := func(id, format string, args ...any) {
		k.Helper()
		if wrong[format]++; wrong[format] <= 5 {
			k.Errorf("%s: "+format+"\nrecord: %+v\nStream: %+v", append(append([]any{id}, args...), k.evidence[id], k.deeds[id])...)
		}
	}
	var ids []string
	for i := range k.size.users() {
		ids = append(ids, soakUser(i))
		if u, ok := k.stream.User(soakUser(i)); !ok || !u.HardDeleted {
			problem(soakUser(i), "is not erased")
		}
	}
	for i := range k.size.channels {
		ids = append(ids, soakCID(i))
		if _, there := k.stream.Channel(soakCID(i)); there && !k.hidden(soakCID(i)) {
			problem(soakCID(i), "is still there")
		}
	}
	for i := range k.size.messages {
		ids = append(ids, soakMessage(i))
		if _, there := k.stream.Message(soakMessage(i)); there {
			problem(soakMessage(i), "is still there")
		}
	}
	for i := range soakBystanders {
		if u, ok := k.stream.User(fmt.Sprintf("bystander-%d", i)); !ok || u.Deleted {
			k.Errorf("bystander %d is gone", i)
		}
	}
	if _, ok := k.stream.Message("notice"); !ok {
		k.Error("a message that nobody named is gone")
	}
	if len(k.evidence) != len(ids) || len(k.deeds) != len(ids) {
		k.Errorf("%d subjects on record and %d at Stream, want %d", len(k.evidence), len(k.deeds), len(ids))
	}
	for _, id := range ids {
		e := k.evidence[id]
		if e.status != "completed" || e.tainted || len(e.attempts) == 0 {
			problem(id, "is not on record as completed")
			continue
		}
		k.claims(id, e, problem)
	}
}

// hidden reports that a channel is there which nobody can see: its task failed, the
// record of that went with a kill, and Stream says that there is no such channel.
func (k *soak) hidden(cid string) bool {
	attempts := k.evidence[cid].attempts
	if len(attempts) != 1 || attempts[0].outcome != erasure.OutcomeNotFound {
		return false
	}
	for _, d := range k.deeds[cid] {
		if !d.undone() || !k.runs[d.run].killed() {
			return false
		}
	}
	return true
}

// claims compares one record with what Stream carried out.
func (k *soak) claims(id string, e evidence, problem func(id, format string, args ...any)) {
	deeds := k.deeds[id]
	if len(deeds) == 0 {
		problem(id, "was never deleted")
		return
	}
	last := e.attempts[len(e.attempts)-1]
	// The first deletion was that of the current record, or it was before it. Also one
	// whose task failed hides the subject at once.
	first := k.runs[deeds[0].run]
	ours := !last.at.Before(first.start) && !last.at.After(first.end)
	switch {
	case ours && (last.found != erasure.FoundPresent || last.outcome != erasure.OutcomeErased):
		problem(id, "was present before the deletion on record, which says otherwise")
	case !ours && last.found == erasure.FoundPresent:
		problem(id, "was deleted before the deletion on record, which says otherwise")
	case !ours && strings.HasPrefix(id, "leaver") && last.outcome != erasure.OutcomeErased:
		problem(id, "has the wrong outcome")
	}
	claimed := map[string]bool{}
	for _, a := range e.attempts {
		if a.task == "" {
			continue
		}
		claimed[a.task] = true
		if !slices.ContainsFunc(deeds, func(d deed) bool { return d.task == a.task }) {
			problem(id, "has a task on record that Stream did not start")
		}
	}
	for i, d := range deeds {
		lost, ok := k.gone[id]
		reason := !d.answered() || d.failed() || k.runs[d.run].killed() || ok && d.run <= lost
		if d.task != "" && !claimed[d.task] && !reason {
			problem(id, "was deleted without a record")
		}
		if i < len(deeds)-1 && !reason {
			problem(id, "was deleted again without a reason")
		}
	}
}

// table prints what happened.
func (k *soak) table() {
	var b strings.Builder
	out := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	row := func(name string, value any) { fmt.Fprintf(out, "%s\t%v\n", name, value) }
	took := time.Duration(0)
	interrupts := map[string]int{}
	for _, r := range k.runs {
		took += r.end.Sub(r.start)
		if r.interrupt != "" {
			interrupts[r.interrupt]++
		}
	}
	row("subjects", fmt.Sprintf("%d users, %d channels, %d messages", k.size.users(), k.size.channels, k.size.messages))
	row("runs", len(k.runs))
	row("seconds", int(took.Seconds()))
	for _, kind := range soakInterrupts {
		row(kind, fmt.Sprintf("%d, ended within %.1f s, evidence lost of %d", interrupts[kind], k.windDown[kind].Seconds(), k.lost[kind]))
	}
	row("states restored from the backup", k.restored)
	calls, struck := 0, 0
	for _, n := range k.calls {
		calls += n
	}
	for _, kind := range slices.Sorted(maps.Keys(k.faults)) {
		struck += k.faults[kind]
		row("fault "+string(kind), k.faults[kind])
	}
	row("faults", struck)
	row("calls of DeleteUsers", fmt.Sprintf("%d, at most %d expected", k.calls["DeleteUsers"], k.most))
	row("API calls", calls)
	for _, op := range slices.Sorted(maps.Keys(k.calls)) {
		row("  "+op, k.calls[op])
	}
	again, most := 0, 0
	for _, deeds := range k.deeds {
		if len(deeds) > 1 {
			again++
		}
		most = max(most, len(deeds))
	}
	row("subjects sent more than once", fmt.Sprintf("%d, at most %d times", again, most))
	row("peak of a provider's memory", fmt.Sprintf("%d MiB", k.peak))
	out.Flush()
	k.Log("\n" + b.String())
}
