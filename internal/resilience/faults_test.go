// Copyright (c) the terraform-provider-streamchat authors
// SPDX-License-Identifier: MPL-2.0

package resilience

import (
	"encoding/json"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/acctest"
	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/emulator"
	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/tfcli"
)

// target is what a fault strikes; everything before it goes well.
type target string

const (
	planning target = "look-up in the plan"
	lookUp   target = "look-up in the apply"
	submit   target = "submission"
	poll     target = "question for the task"
	task     target = "the task itself"
	verify   target = "look-up afterwards"
	download target = "download"
)

var targets = []target{planning, lookUp, submit, poll, task, verify, download}

// ending is how a run ends, and what comes of it.
type ending struct {
	exit int
	// says is the summary of the diagnostic.
	says string
	// record is the status in state; an export's record is there or not.
	record  string
	tainted bool
	// stream is what Stream holds of the subject then.
	stream string
	next   string
}

// What an ending can be made of.
const (
	noRecord  = "none"
	submitted = "submitted"
	failed    = "failed"
	completed = "completed"

	untouched = "untouched"
	inPart    = "in part"
	gone      = "gone"

	unchanged = "no changes"
	sends     = "sends it"
	resumes   = "asks on, sends nothing"
	forgotten = "asks on; sends it when Stream forgets the task"
)

// The summaries of diagnostics.
const (
	unreachable = "Stream could not be reached"
	serverFault = "Stream's server failed"
	redirects   = "Stream's address redirects"
	unexpected  = "Unexpected answer from Stream"
	refused     = "Stream refused the request"
	timedOut    = "Timed out"
	notErased   = "Deletion failed at Stream"
	notExported = "Export failed at Stream"
	unreadable  = "Unreadable export"
	unfinished  = "Deletion submitted, not finished"
	batchIsOpen = "Batch not finished"

	restrictionIsOpen = "Restriction submitted, not finished"
	notSeen           = "Deactivation not in force"
)

// Few retries and short times keep a lasting fault short.
const (
	retries        = 1
	requestTimeout = 2 * time.Second
	enough         = time.Minute
	short          = 6 * time.Second
	// A task that Stream does not know is asked for again for ten seconds.
	pastGrace = 20 * time.Second
)

// fault is something that goes wrong.
type fault struct {
	name string
	// does is what the emulator does to the operation of the moment, or to one
	// that is named.
	does []emulator.Fault
	// network is what stands between the provider and Stream instead: a base_url
	// and an environment.
	network func(t *testing.T, s *acctest.Stream) (baseURL string, env map[string]string)
	// before happens to the subject before the plan.
	before func(t *testing.T, s *acctest.Stream)
	// at are the moments that it can strike; the fast selection has the first, for
	// the user erasure and for the subjects that are named in also.
	at   []target
	only []string
	but  string
	also string
	ends func(sub subject, at target) ending
	// within is the resource's timeout; zero is enough.
	within time.Duration
}

// passes: the run comes to its end all the same.
func passes(sub subject, _ target) ending {
	return ending{record: sub.final(), stream: sub.effect, next: unchanged}
}

// lasts: the run ends with this summary. carriedOut tells whether Stream did what
// it was asked for, unsure whether the provider cannot know.
func lasts(says string, carriedOut, unsure bool) func(subject, target) ending {
	return func(sub subject, at target) ending {
		if at == submit && carriedOut && sub.untimed {
			return passes(sub, at) // an answer that is lost is looked up
		}
		e := ending{exit: 1, says: says, record: noRecord, stream: untouched, next: sends}
		if at == submit && carriedOut || at == poll || at == verify {
			e.stream = sub.effect
		}
		switch {
		case at == submit && unsure && sub.forgets:
			e.record, e.tainted = failed, true
		case (at == poll || at == verify) && !sub.isExport():
			e.says, e.record, e.next = sub.unfinished(), submitted, resumes
		}
		return e
	}
}

// storm: 429s are waited out until the timeout ends, but for those of a file's
// host.
func storm(sub subject, at target) ending {
	e := lasts(timedOut, false, false)(sub, at)
	if at == download {
		e.says = serverFault
	}
	return e
}

// asFile is for an answer that nobody can tell from a file until it is read.
func asFile(ends func(subject, target) ending) func(subject, target) ending {
	return func(sub subject, at target) ending {
		if at == download {
			return lasts(unreadable, false, false)(sub, at)
		}
		return ends(sub, at)
	}
}

// open: the task gives no answer. An export has nothing to keep.
func open(export, next, stream string) func(subject, target) ending {
	return func(sub subject, at target) ending {
		if sub.isExport() {
			return lasts(export, false, false)(sub, at)
		}
		return ending{exit: 1, says: sub.unfinished(), record: submitted, stream: stream, next: next}
	}
}

// fails: Stream says that it did not do it. The record is kept where nothing else
// would know of the deletion that was begun, or where others of the batch are done.
func fails(kept func(subject) bool, stream string) func(subject, target) ending {
	return func(sub subject, at target) ending {
		if sub.isExport() {
			return lasts(notExported, false, false)(sub, at)
		}
		e := ending{exit: 1, says: notErased, record: noRecord, stream: stream, next: sends}
		if kept(sub) {
			e.record, e.tainted = failed, true
		}
		return e
	}
}

// final is what stands for the record of a subject that has no status.
func (s subject) final() string {
	if s.done == "" {
		return completed
	}
	return s.done
}

func (s subject) isBatch() bool { return s.users > 1 }

func forgetful(s subject) bool { return s.forgets }

func (s subject) unfinished() string {
	if s.isBatch() {
		return batchIsOpen
	}
	return unfinished
}

// calls is how many requests take what one request takes of a single subject.
func (s subject) calls() int { return (s.users + 99) / 100 }

// operation is what is struck at a moment; empty where there is no such moment.
func (s subject) operation(at target) string {
	switch at {
	case planning, lookUp:
		switch {
		case s.submit == "ExportUser":
			return "QueryUsers"
		case s.submit == "ExportChannels" && at == planning:
			return "QueryChannels"
		case s.isBatch() && at == lookUp:
			return "" // how many queries come before depends on the machine's speed
		}
		return s.lookUp
	case submit:
		return s.submit
	case poll:
		return s.poll
	case task:
		if s.poll != "" {
			return s.submit
		}
	case verify:
		if s.proves {
			return s.lookUp
		}
	case download:
		return s.download
	}
	return ""
}

func once(kind emulator.FaultKind) []emulator.Fault { return []emulator.Fault{{Kind: kind}} }

func always(kind emulator.FaultKind) []emulator.Fault {
	return []emulator.Fault{{Kind: kind, Times: emulator.Forever}}
}

const (
	jsonType = "application/json"
	htmlType = "text/html"
	signIn   = "<html>Sign in</html>"
	// patch is the probe's operation.
	patch = "UpdateUsersPartial"
)

// answer stands in for Stream's, always.
func answer(status int, contentType, body string) []emulator.Fault {
	return []emulator.Fault{{Kind: emulator.FaultCustom, Times: emulator.Forever, Status: status, ContentType: contentType, Body: body}}
}

// says is an error in Stream's form.
func says(op string, status, code int, words string) []emulator.Fault {
	return to(op, answer(status, jsonType, fmt.Sprintf(`{"code":%d,"message":"%s failed with error: \"%s\"","StatusCode":%d,"duration":"0.00ms","more_info":"","details":[]}`, code, op, words, status)))
}

// to lets a fault strike this operation and not that of the moment.
func to(op string, list []emulator.Fault) []emulator.Fault {
	list[0].Op = op
	return list
}

// skewed is a 429 whose window ends at a time that cannot be true.
func skewed(reset string) []emulator.Fault {
	list := says("", http.StatusTooManyRequests, 9, "Too many requests, check response headers for more information.")
	list[0].Times = 1
	list[0].Header = http.Header{"X-RateLimit-Limit": {"1000"}, "X-RateLimit-Remaining": {"0"}, "X-RateLimit-Reset": {reset}}
	return list
}

// first puts the most telling moment at the front.
func first(m target, more ...target) []target {
	list := append([]target{m}, more...)
	for _, other := range []target{submit, lookUp, poll, verify, download} {
		if !slices.Contains(list, other) {
			list = append(list, other)
		}
	}
	return list
}

var (
	user   = []string{"user erasure"}
	tasked = []string{"user erasure", "user erasure batch", "channel erasure", "channel erasure batch"}
)

var faults = []fault{
	{name: "connection dropped before the request is carried out, once", does: once(emulator.FaultDropBefore), at: first(lookUp), ends: passes},
	{name: "connection dropped before the request is carried out, always", does: always(emulator.FaultDropBefore), at: first(submit, planning), also: "message erasure", ends: lasts(unreachable, false, true)},
	{name: "connection dropped after the request is carried out, once", does: once(emulator.FaultDropAfter), at: first(submit), also: "channel erasure", ends: passes},
	{name: "connection dropped after the request is carried out, always", does: always(emulator.FaultDropAfter), at: first(submit, planning), also: "channel erasure", ends: lasts(unreachable, true, true)},
	{name: "500, once", does: once(emulator.Fault500), at: first(poll), ends: passes},
	{name: "500, always", does: always(emulator.Fault500), at: first(submit, planning), also: "user erasure batch", ends: lasts(serverFault, false, true)},
	{name: "503 without a body, always", does: always(emulator.Fault503), at: first(verify, planning), also: "channel truncation", ends: lasts(serverFault, false, true)},
	{name: "502 with a page of HTML, always", does: always(emulator.FaultHTML502), at: first(poll, planning), ends: lasts(serverFault, false, true)},
	{name: "429 in plain text, once", does: once(emulator.FaultPlain429), at: first(submit), also: "retention policy", ends: passes},
	{name: "429 without headers, once", does: once(emulator.FaultBare429), at: first(verify), also: "channel erasure batch", ends: passes},
	{name: "429, its window ends in the past, once", does: skewed("946684800"), at: first(lookUp), ends: passes},
	{name: "429, its window ends in a hundred years, once", does: skewed("4891363200"), at: first(submit), ends: passes},
	{name: "429, always", does: always(emulator.FaultPlain429), at: first(submit), within: short, ends: storm},
	{name: "rate limit of an answer ends in the past", does: always(emulator.FaultResetPast), at: first(submit), ends: passes},
	{name: "rate limit of an answer ends tomorrow", does: always(emulator.FaultResetFuture), at: first(lookUp), ends: passes},
	{name: "301", does: always(emulator.FaultRedirect301), at: first(submit, planning), ends: asFile(lasts(redirects, false, false))},
	{name: "307", does: always(emulator.FaultRedirect307), at: first(poll, planning), ends: asFile(lasts(redirects, false, false))},
	{name: "JSON cut off, once", does: once(emulator.FaultTruncated), at: first(poll), ends: asFile(passes)},
	{name: "JSON cut off, always", does: always(emulator.FaultTruncated), at: first(submit, planning), also: "user export", ends: asFile(lasts(unexpected, true, true))},
	{name: "answer cut off by the network, always", does: always(emulator.FaultShortBody), at: first(verify, planning), ends: lasts(unreachable, true, true)},
	{name: "200 with a page of HTML, Stream does as it is asked", does: always(emulator.FaultHTML200), at: first(poll, planning), ends: asFile(lasts(unexpected, true, true))},
	{name: "200 with a page of HTML, Stream is not asked", does: answer(http.StatusOK, htmlType, signIn), at: first(submit, planning), ends: asFile(lasts(unexpected, false, true))},
	{name: "200 with an empty object", does: answer(http.StatusOK, jsonType, "{}"), at: first(verify, planning), ends: asFile(lasts(unexpected, false, true))},
	{name: "right answer, wrong content type", does: always(emulator.FaultWrongType), at: first(poll), ends: passes},
	{name: "numbers where texts are expected", does: always(emulator.FaultNumbers), but: "retention policy" /* has no ids */, at: []target{lookUp, planning, submit, poll}, ends: lasts(unexpected, true, true)},
	{name: "slower than request_timeout, once", does: once(emulator.FaultHang), at: first(submit), also: "user deactivation", ends: passes},
	{name: "slower than request_timeout, always", does: always(emulator.FaultHang), at: first(poll, planning), ends: lasts(unreachable, true, true)},

	{name: "task stuck for ever", does: always(emulator.FaultStuckTask), at: []target{task}, within: short, ends: open(timedOut, forgotten, inPart)},
	{name: "task in the unknown status \"complete?\" for ever", does: []emulator.Fault{{Kind: emulator.FaultStuckTask, Times: emulator.Forever, Word: "complete?"}}, at: []target{task}, within: short, ends: open(timedOut, forgotten, inPart)},
	{name: "task 404, once", does: once(emulator.FaultTaskNotFound), at: []target{poll}, ends: passes},
	{name: "task 404, always", does: always(emulator.FaultTaskNotFound), at: []target{task}, within: pastGrace, ends: open(notExported, sends, gone)},
	{name: "task failed", does: always(emulator.FaultFailTask), at: []target{task}, also: "channel export", ends: fails(forgetful, inPart)},
	{name: "task completed, one subject failed", does: once(emulator.FaultFailUser), at: []target{task}, only: tasked, also: "user erasure batch", ends: fails(func(s subject) bool { return s.forgets || s.isBatch() }, inPart)},
	{name: "task completed, no word of one subject", does: once(emulator.FaultMissingUser), at: []target{task}, only: tasked, ends: noWord},
	{name: "task completed, no word of the user, and the probe answers nonsense", does: append(once(emulator.FaultMissingUser), says(patch, 404, 16, "the user alice is on holiday")...), at: []target{task}, only: user, ends: open("", resumes, gone)},
	{name: "task completed, the user is still listed", does: answer(http.StatusOK, jsonType, `{"users":[{"id":"alice","role":"user","created_at":"2026-01-02T10:00:00Z"}],"duration":"1ms"}`), at: []target{verify}, only: user, ends: fails(forgetful, gone)},

	{name: "probe answers a sentence that is not known", before: deleted, does: says(patch, 404, 16, "the user alice is on holiday"), at: []target{planning}, only: user, ends: lasts(unexpected, false, false)},
	{name: "probe answers about somebody else", before: deleted, does: says(patch, 404, 16, "the user bob does not exist"), at: []target{planning}, only: user, ends: lasts(unexpected, false, false)},
	{name: "probe answers 400", before: deleted, does: says(patch, 400, 4, "the user alice does not exist"), at: []target{planning}, only: user, ends: lasts(refused, false, false)},
	{name: "probe answers 404 of an unknown path", before: deleted, does: to(patch, answer(404, jsonType, `{"code":16,"message":"Request failed with error: \"Not Found\"","StatusCode":404}`)), at: []target{planning}, only: user, ends: lasts(unexpected, false, false)},
	{name: "probe answers a page of HTML", before: deleted, does: to(patch, answer(http.StatusOK, htmlType, signIn)), at: []target{planning}, only: user, ends: lasts(unexpected, false, false)},
	{name: "probe answers 500, always", before: deleted, does: to(patch, always(emulator.Fault500)), at: []target{planning}, only: user, ends: lasts(serverFault, false, false)},

	{name: "TLS certificate of an unknown authority", network: unknownAuthority, at: []target{planning}, ends: lasts(unreachable, false, false)},
	{name: "host name not known (DNS)", network: unknownHost, at: []target{planning}, ends: lasts(unreachable, false, false)},
	{name: "proxy does not answer", network: deadProxy, at: []target{planning}, ends: lasts(unreachable, false, false)},
	{name: "proxy refuses with a page of HTML", network: refusingProxy, at: []target{planning}, ends: lasts(unreachable, false, false)},
}

// noWord: of users the probe tells that they are deleted; of a channel nothing
// does.
func noWord(sub subject, at target) ending {
	if sub.forgets {
		return fails(forgetful, gone)(sub, at)
	}
	return passes(sub, at)
}

// deleted: softly, by somebody else, so that only the probe still knows the user.
func deleted(t *testing.T, s *acctest.Stream) {
	t.Helper()
	if status, body := s.Call(t, http.MethodPost, "/users/delete", `{"user_ids":["alice"],"user":"soft"}`); status != http.StatusCreated {
		t.Fatalf("%d %s", status, body)
	}
	s.ResetRequests()
}

// quiet keeps refused handshakes out of the test's output.
func quiet(t *testing.T, server *httptest.Server) *httptest.Server {
	t.Helper()
	server.Config.ErrorLog = log.New(io.Discard, "", 0)
	t.Cleanup(server.Close)
	return server
}

func unknownAuthority(t *testing.T, s *acctest.Stream) (string, map[string]string) {
	server := quiet(t, httptest.NewUnstartedServer(s.Emulator))
	server.StartTLS()
	return server.URL, nil
}

// unknownHost is a name that Go itself refuses to look up (RFC 7686). The last dot
// keeps the machine's search domains out, so that nobody is asked.
func unknownHost(*testing.T, *acctest.Stream) (string, map[string]string) {
	return "https://stream.onion.", map[string]string{"GODEBUG": "netdns=go", "HTTPS_PROXY": "", "https_proxy": ""}
}

// Go takes no proxy for loopback hosts, so the name is one that only the proxy
// would resolve.
func behind(proxy string) (string, map[string]string) {
	return "https://stream.invalid", map[string]string{"HTTPS_PROXY": proxy, "NO_PROXY": "", "no_proxy": ""}
}

func deadProxy(t *testing.T, _ *acctest.Stream) (string, map[string]string) {
	server := httptest.NewServer(nil)
	server.Close()
	return behind(server.URL)
}

func refusingProxy(t *testing.T, _ *acctest.Stream) (string, map[string]string) {
	return behind(quiet(t, httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusForbidden)
		_, _ = io.WriteString(w, signIn)
	}))).URL)
}

// faultCell is a fault for a resource at a moment.
type faultCell struct {
	fault fault
	sub   subject
	at    target
	fast  bool
}

func (c faultCell) want() ending {
	e := c.fault.ends(c.sub, c.at)
	switch {
	case e.exit == 0:
	case c.sub.due: // a record was there before, and an update taints nothing
		if e.tainted = false; e.record == noRecord {
			e.record = failed
			if e.says == timedOut {
				e.record = scheduled
			}
		}
	case c.sub.done == scheduled:
		return c.restricting(e)
	}
	return e
}

// restricting is how the first stage of an erasure ends: an answer that is lost is looked
// up, and what a task says is not asked.
func (c faultCell) restricting(e ending) ending {
	unsure := slices.Contains([]string{unreachable, serverFault, unexpected}, e.says)
	switch {
	case c.at == submit && e.stream == c.sub.effect, c.at == task && (e.says == notErased && c.fault.only != nil || e.stream == gone):
		return passes(c.sub, c.at)
	case c.at == submit && unsure:
		e.record, e.tainted = failed, true
	case c.at == verify && len(c.fault.only) > 0: // it is not seen to be in force
		e = ending{exit: 1, says: notSeen, record: submitted, tainted: true, stream: scheduled, next: resumes}
	case c.at == verify && !c.sub.isBatch():
		e.says = restrictionIsOpen
	case c.at == task && e.says == notErased:
		e.says, e.record, e.tainted = notSeen, submitted, true
	}
	return e
}

// faultCells are all that make sense.
func faultCells() []faultCell { return faultCellsOf(subjects) }

func faultCellsOf(subjects []subject) (list []faultCell) {
	for _, f := range faults {
		for i, at := range f.at {
			for _, sub := range subjects {
				// What has no timeouts goes on for longer than a test may take.
				if sub.operation(at) == "" || f.within != 0 && sub.untimed || sub.kind() == f.but || len(f.only) > 0 && !slices.Contains(f.only, sub.kind()) {
					continue
				}
				list = append(list, faultCell{f, sub, at, i == 0 && (sub.kind() == user[0] || sub.kind() == f.also)})
			}
		}
	}
	return list
}

// TestFaults breaks every resource in every way: what the run says, what it leaves,
// and that the next run gets it done.
func TestFaults(t *testing.T) {
	acctest.CLI(t)
	acctest.Binary(t)
	for _, c := range faultCells() {
		if !c.fast && !*full {
			continue
		}
		t.Run(fmt.Sprintf("%s/%s/%s", c.fault.name, c.at, c.sub.name), func(t *testing.T) {
			t.Parallel()
			c.run(t)
		})
	}
}

func (c faultCell) run(t *testing.T) {
	s := start(t)
	if c.fault.before != nil {
		c.fault.before(t, s)
	}
	w := c.workspace(t, s)
	began, r := c.strike(t, s, w)
	took := time.Since(began)
	record, tainted := w.Record(c.sub.address)
	c.check(t, s, w, r, record, tainted)
	c.promises(t, s, r, record, took)
	c.recover(t, s, w, record)
}

// workspace has the provider's process where its environment counts.
func (c faultCell) workspace(t *testing.T, s *acctest.Stream) *acctest.Workspace {
	t.Helper()
	if c.fault.network != nil {
		return s.Installed(t, acctest.CLI(t), c.provider(""), c.block(c.within()))
	}
	w := s.Workspace(t, c.provider(""), c.block(c.within()))
	c.sub.schedule(t, w, c.provider(""))
	w.Write(c.provider(""), c.block(c.within()))
	if c.sub.due {
		s.ResetRequests()
	}
	return w
}

func (c faultCell) provider(more string) string {
	return fmt.Sprintf("max_erasures = 1000\n  max_retries = %d\n  request_timeout = %q\n  %s", retries, requestTimeout, more)
}

func (c faultCell) block(timeout time.Duration) string {
	if c.sub.untimed {
		return c.sub.block(c.sub.untilDone())
	}
	return c.sub.block(fmt.Sprintf("timeouts = {\n    create = %[1]q\n    update = %[1]q\n  }\n%[2]s", timeout.String(), c.sub.untilDone()))
}

func (c faultCell) within() time.Duration {
	if c.fault.within == 0 {
		return enough
	}
	return c.fault.within
}

// strike runs the CLI into the fault.
func (c faultCell) strike(t *testing.T, s *acctest.Stream, w *acctest.Workspace) (began time.Time, r tfcli.Result) {
	t.Helper()
	if c.fault.network != nil {
		baseURL, env := c.fault.network(t, s)
		w.Write(c.provider(fmt.Sprintf("base_url = %q", baseURL)), c.block(c.within()))
		for name, value := range env {
			w.Setenv(name, value)
		}
	}
	for _, f := range c.fault.does {
		if f.Op == "" {
			f.Op = c.sub.operation(c.at)
			switch c.at {
			case lookUp:
				f.After = 2 // Terraform plans, and plans again inside the apply
			case verify:
				f.Behind = c.sub.submit
			}
		}
		s.AddFault(f)
	}
	began = time.Now()
	if c.at == planning {
		return began, w.Run("plan", "-json")
	}
	return began, w.Run("apply", "-json", "-auto-approve")
}

// check compares the run with what the table says.
func (c faultCell) check(t *testing.T, s *acctest.Stream, w *acctest.Workspace, r tfcli.Result, record map[string]any, tainted bool) {
	t.Helper()
	want, got := c.want(), ending{exit: r.ExitCode, record: noRecord, tainted: tainted, stream: untouched}
	for _, d := range diagnostics(t, r) {
		if d.Summary == want.says {
			got.says = d.Summary
		}
	}
	switch {
	case record == nil:
	case c.sub.done == "":
		got.record = completed
	default:
		got.record, _ = record["status"].(string)
	}
	if !c.sub.isExport() && c.sub.gone(s) {
		got.stream = c.sub.effect
	} else if want.stream == inPart {
		got.stream = inPart // the emulator's business
	}
	got.next = want.next // seen below
	if got != want {
		t.Errorf("got  %+v\nwant %+v\n%s", got, want, acctest.Output(r))
	}
	if c.sub.isExport() && exported(t, w.Dir, c.sub, false) != (record != nil) {
		t.Error("the file is not there although the record is, or the other way round")
	}
}

// diagnostic is one as the CLI prints it with -json. The snippet, which quotes the
// configuration, is the CLI's own and left out.
type diagnostic struct {
	Severity, Summary, Detail string
}

func diagnostics(t *testing.T, r tfcli.Result) (list []diagnostic) {
	t.Helper()
	for line := range strings.Lines(r.Stdout) {
		var message struct{ Diagnostic *diagnostic }
		if err := json.Unmarshal([]byte(line), &message); err != nil {
			t.Fatalf("not JSON: %s", line)
		}
		if message.Diagnostic != nil {
			list = append(list, *message.Diagnostic)
		}
	}
	return list
}

// Words that the provider may not say: whom it is about, what they wrote, and what
// opens the app.
var canaries = []string{
	"alice", "bob", "member-", "messaging:room", "Name of", "text of", emulator.DefaultAPISecret, acctest.PseudonymKey,
	"holiday", "Sign in", "stream.onion", "stream.invalid", "127.0.0.1",
}

// Every explanation tells what Stream holds and what to do.
var (
	tellsWhatIsHeld = regexp.MustCompile(`[Nn]othing|no deletion|was not accepted|may have|may hold|accepted|no file`)
	tellsWhatToDo   = regexp.MustCompile(`[Rr]un (apply )?again|base_url|then run`)
)

// promises hold whatever the fault.
func (c faultCell) promises(t *testing.T, s *acctest.Stream, r tfcli.Result, record map[string]any, took time.Duration) {
	t.Helper()
	if !c.sub.isExport() && record != nil && (c.sub.done == "" || record["status"] == c.sub.done) && !c.sub.gone(s) {
		t.Error("the record says that it is done, and Stream did not do it")
	}
	if r.ExitCode == 0 && c.sub.done != "" && record["status"] != c.sub.done {
		t.Errorf("exit code 0 with the status %v", record["status"])
	}
	for _, d := range diagnostics(t, r) {
		for _, canary := range canaries {
			if strings.Contains(d.Summary+d.Detail, canary) {
				t.Errorf("a diagnostic gives away %q: %s", canary, d.Detail)
			}
		}
		if d.Summary == c.want().says && (!tellsWhatIsHeld.MatchString(d.Detail) || !tellsWhatToDo.MatchString(d.Detail)) {
			t.Errorf("%s: it does not tell what Stream holds and what to do: %s", d.Summary, d.Detail)
		}
	}
	// A call is tried a few times, Go itself may do so once more, and a replica may
	// lag: the look-up afterwards is made five times.
	struck := slices.DeleteFunc(s.Requests(), func(q emulator.Request) bool { return q.Fault == "" })
	if most := max(2*(retries+1), 6) * c.sub.calls(); len(struck) > most && c.want().exit != 0 {
		t.Errorf("%d requests ran into the fault, at most %d are called for", len(struck), most)
	}
	if n := s.Count(""); n > 40 {
		t.Errorf("%d requests in one run", n)
	}
	if slack := time.Minute; took > c.within()+slack {
		t.Errorf("the run took %s, its timeout is %s", took, c.within())
	}
}

var taskIDs = regexp.MustCompile(`task_id\\*":\\*"([^"\\]+)`)

// tasks are those of the record.
func (c faultCell) tasks(t *testing.T, w *acctest.Workspace) (ids []string) {
	t.Helper()
	record, _ := w.Record(c.sub.address)
	raw, err := json.Marshal(record)
	if err != nil {
		t.Fatal(err)
	}
	for _, id := range taskIDs.FindAllSubmatch(raw, -1) {
		ids = append(ids, string(id[1]))
	}
	return ids
}

// recover runs the CLI again when all is well.
func (c faultCell) recover(t *testing.T, s *acctest.Stream, w *acctest.Workspace, record map[string]any) {
	t.Helper()
	want := c.want()
	s.ClearFaults()
	if want.next != unchanged {
		if want.next == forgotten {
			for _, task := range c.tasks(t, w) {
				s.ForgetTask(task)
			}
		}
		w.Write(c.provider(""), c.block(enough))
		s.ResetRequests()
		acctest.Expect(t, w.Run("plan", "-detailed-exitcode", "-out=planned"), 2)
		acctest.Expect(t, w.Run("apply", "planned"), 0)
		if sent := s.Count(c.sub.submit) > 0; sent != (want.next != resumes) {
			t.Errorf("sent: %v, the table says %q", sent, want.next)
		}
		record, tainted := w.Record(c.sub.address)
		if tainted || record == nil || c.sub.done != "" && record["status"] != c.sub.done || !c.sub.isExport() && !c.sub.gone(s) {
			t.Errorf("after the next run: tainted %v, status %v", tainted, record["status"])
		}
		if c.sub.isExport() && !exported(t, w.Dir, c.sub, false) {
			t.Error("no file after the next run")
		}
	}
	acctest.Expect(t, w.Run("plan", "-detailed-exitcode"), 0)
}

func TestFaultsArePublished(t *testing.T) { published(t, "faults.md", "faults", faultTable()) }

// row is a line of the table: where a fault ends in one way.
type row struct {
	ending
	where []place
}

// place is some moments and the resources that they have in common.
type place struct {
	at []string
	of string
}

// faultTable puts faults that end alike everywhere together.
func faultTable() string {
	var order []string
	names := map[string][]string{}
	for _, f := range faults {
		rows := rowsOf(f)
		if names[rows] == nil {
			order = append(order, rows)
		}
		names[rows] = append(names[rows], f.name)
	}
	var b strings.Builder
	b.WriteString("| what goes wrong | where | exit code | diagnostic | record | the data at Stream | next run |\n|---|---|---|---|---|---|---|\n")
	for _, rows := range order {
		what := strings.Join(names[rows], "<br>")
		for line := range strings.Lines(rows) {
			b.WriteString("| " + what + line)
			what = ""
		}
	}
	return b.String()
}

// rowsOf are the lines of a fault, without its name.
func rowsOf(f fault) string {
	var rows []row
	for _, at := range targets {
		var here []faultCell
		for _, c := range faultCells() {
			if c.fault.name == f.name && c.at == at {
				here = append(here, c)
			}
		}
		for len(here) > 0 {
			alike := func(c faultCell) bool { return c.shown() == here[0].shown() }
			rows = add(rows, here[0].shown(), string(at), ofWhom(f, at, alike))
			here = slices.DeleteFunc(slices.Clone(here), alike)
		}
	}
	var b strings.Builder
	for _, r := range rows {
		var where []string
		for _, p := range r.where {
			where = append(where, strings.Join(p.at, ", ")+": "+p.of)
		}
		record := r.record
		if r.tainted {
			record += ", tainted"
		}
		fmt.Fprintf(&b, " | %s | %d | %s | %s | %s | %s |\n", strings.Join(where, "<br>"), r.exit, r.says, record, r.stream, r.next)
	}
	return b.String()
}

func add(rows []row, e ending, at, of string) []row {
	i := slices.IndexFunc(rows, func(r row) bool { return r.ending == e })
	if i < 0 {
		rows, i = append(rows, row{ending: e}), len(rows)
	}
	where := rows[i].where
	j := slices.IndexFunc(where, func(p place) bool { return p.of == of })
	if j < 0 {
		where, j = append(where, place{of: of}), len(where)
	}
	where[j].at = append(where[j].at, at)
	rows[i].where = where
	return rows
}

// shown is the ending as the table has it: a batch's word for an open task is not
// told apart.
func (c faultCell) shown() ending {
	e := c.want()
	if e.says == batchIsOpen && e.stream != untouched {
		e.says = unfinished
	}
	return e
}

// ofWhom names the resources that end alike at a moment.
func ofWhom(f fault, at target, alike func(faultCell) bool) string {
	var all, some []string
	for _, c := range faultCells() {
		if c.fault.name != f.name || c.at != at {
			continue
		}
		all = append(all, c.sub.name)
		if alike(c) {
			some = append(some, c.sub.name)
		}
	}
	everybody := len(some) > 1 && slices.Equal(some, all)
	var parts []string // whole kinds by their names
	for _, kind := range []struct {
		name string
		is   func(subject) bool
	}{{"erasures", subject.isErasure}, {"exports", subject.isExport}} {
		of := func(names []string) (list []string) {
			for _, sub := range subjects {
				if kind.is(sub) && slices.Contains(names, sub.name) {
					list = append(list, sub.name)
				}
			}
			return list
		}
		if whole := of(all); len(whole) > 1 && slices.Equal(of(some), whole) {
			parts = append(parts, kind.name)
			some = slices.DeleteFunc(some, func(name string) bool { return slices.Contains(whole, name) })
		}
	}
	if parts = append(parts, some...); everybody && len(parts) > 1 {
		return "all"
	}
	return strings.Join(parts, ", ")
}
