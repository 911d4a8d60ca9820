// Copyright (c) the terraform-provider-streamchat authors
// SPDX-License-Identifier: MPL-2.0

package emulator

import (
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

// FaultKind is a way in which a request or a task goes wrong.
type FaultKind string

// Faults that stand in front of Stream: the request is not carried out, unless
// [Fault.CarryOut] says so.
const (
	// FaultDropBefore closes the connection; nothing was done.
	FaultDropBefore FaultKind = "drop-before"
	// FaultHangBefore does not answer until the client gives up; nothing was
	// done.
	FaultHangBefore FaultKind = "hang-before"
	// Fault500 is Stream's own internal error.
	Fault500 FaultKind = "500"
	// Fault503 is an empty 503 of a load balancer.
	Fault503 FaultKind = "503"
	// FaultHTML502 is the HTML page of a gateway.
	FaultHTML502 FaultKind = "html-502"
	// Fault429 is Stream's 429 with its headers.
	Fault429 FaultKind = "429"
	// FaultBare429 is Stream's 429 without headers.
	FaultBare429 FaultKind = "bare-429"
	// FaultPlain429 is the edge's 429: plain text, no headers.
	FaultPlain429 FaultKind = "plain-429"
	// FaultEdge429 is an edge's 429 in JSON that is not Stream's: its code is a
	// string.
	FaultEdge429 FaultKind = "edge-429"
	// FaultRedirect301 and FaultRedirect307 redirect to Location, by default to
	// a page that answers 200 to everything.
	FaultRedirect301 FaultKind = "301"
	FaultRedirect307 FaultKind = "307"
	// FaultCustom answers with Status, Body, ContentType and Header as they are.
	FaultCustom FaultKind = "custom"
)

// Faults that spoil the answer: the request is carried out.
const (
	// FaultDropAfter closes the connection instead of answering.
	FaultDropAfter FaultKind = "drop-after"
	// FaultShortBody closes the connection in the middle of the answer.
	FaultShortBody FaultKind = "short-body"
	// FaultTruncated answers with the first half of the JSON.
	FaultTruncated FaultKind = "truncated"
	// FaultHTML200 answers 200 with the HTML page of a proxy.
	FaultHTML200 FaultKind = "html-200"
	// FaultWrongType calls the right answer a web page.
	FaultWrongType FaultKind = "wrong-type"
	// FaultNumbers puts numbers where ids, statuses and times are expected.
	FaultNumbers FaultKind = "numbers"
	// FaultNotYet answers for a task as if it still ran.
	FaultNotYet FaultKind = "not-yet"
	// FaultSlow answers after Delay, by the emulator's clock.
	FaultSlow FaultKind = "slow"
	// FaultHang does not answer until the client gives up or Release is closed.
	FaultHang FaultKind = "hang"
	// FaultStall sends half of the answer and then nothing, until the client
	// gives up or Release is closed.
	FaultStall FaultKind = "stall"
	// FaultResetPast and FaultResetFuture put the end of the rate limit's window
	// an hour back, or Delay (by default a day) ahead.
	FaultResetPast   FaultKind = "reset-past"
	FaultResetFuture FaultKind = "reset-future"
	// FaultNoHeaders leaves the rate limit headers out.
	FaultNoHeaders FaultKind = "no-headers"
)

// Faults in the task that a request starts. The users of an erasure are marked
// deleted all the same; the data of those that fail stays.
const (
	// FaultFailTask fails the task with an error object.
	FaultFailTask FaultKind = "fail-task"
	// FaultFailUser completes the task with an error for UserID, or for the
	// first user.
	FaultFailUser FaultKind = "fail-user"
	// FaultMissingUser leaves UserID, or the first user, out of the result. The
	// user is erased.
	FaultMissingUser FaultKind = "missing-user"
	// FaultStatusWord reports Word while the task is under way.
	FaultStatusWord FaultKind = "status-word"
	// FaultStuckTask never completes the task.
	FaultStuckTask FaultKind = "stuck-task"
	// FaultTaskNotFound answers 404 for the task: with Op "GetTask" to that
	// call, otherwise for ever to the task that the request starts.
	FaultTaskNotFound FaultKind = "task-404"
)

var (
	taskKinds     = []FaultKind{FaultFailTask, FaultFailUser, FaultMissingUser, FaultStatusWord, FaultStuckTask}
	spoilingKinds = []FaultKind{
		FaultDropAfter, FaultShortBody, FaultTruncated, FaultHTML200, FaultWrongType, FaultNumbers, FaultNotYet, FaultSlow, FaultHang,
		FaultStall, FaultResetPast, FaultResetFuture, FaultNoHeaders,
	}
	frontKinds = []FaultKind{
		FaultDropBefore, FaultHangBefore, Fault500, Fault503, FaultHTML502, Fault429, FaultBare429, FaultPlain429, FaultEdge429,
		FaultRedirect301, FaultRedirect307, FaultCustom, FaultTaskNotFound,
	}
)

// FaultKinds lists every kind.
func FaultKinds() []FaultKind { return slices.Concat(frontKinds, spoilingKinds, taskKinds) }

// Forever is [Fault.Times] without end.
const Forever = -1

// Fault makes requests go wrong. The first fault that matches a request strikes.
type Fault struct {
	// Kind is what happens.
	Kind FaultKind
	// Op is the operation it happens to, e.g. "DeleteUsers"; empty is any. The
	// download of an export file is "DownloadExport".
	Op string
	// UserID narrows it to requests that name this user, or this cid.
	UserID string
	// After lets this many matching requests through first.
	After int
	// Behind lets requests through until this operation was asked for: a look-up
	// after a deletion is told from those before it.
	Behind string
	// Times is how often it happens: 0 is once, or always where it happens by
	// chance; Forever is always.
	Times int
	// Probability is the chance that it happens to a matching request, from the
	// source that [Options.RandomSeed] seeds. 0 leaves nothing to chance.
	Probability float64
	// CarryOut does what the request asks for before the fault answers, for
	// the kinds that by default stand in front of Stream.
	CarryOut bool

	// Release ends FaultHang, with the answer, and FaultStall, with a closed
	// connection. Nil never does.
	Release <-chan struct{}
	// Delay is for FaultSlow and FaultResetFuture.
	Delay time.Duration
	// Status, Body, ContentType and Header are for FaultCustom. The status is
	// by default 500.
	Status      int
	Body        string
	ContentType string
	Header      http.Header
	// Location is for the redirects.
	Location string
	// Word is for FaultStatusWord and FaultStuckTask.
	Word string
	// Error is the text for FaultFailTask and FaultFailUser.
	Error string

	seen, struck int
	reached      bool // Behind was asked for
}

// AddFault adds a fault behind those that are there.
func (e *Emulator) AddFault(f Fault) {
	switch {
	case f.Times != 0:
	case f.Probability > 0:
		f.Times = Forever
	default:
		f.Times = 1
	}
	f.seen, f.struck, f.reached = 0, 0, f.Behind == ""
	e.mu.Lock()
	defer e.mu.Unlock()
	e.faults = append(e.faults, &f)
}

// ClearFaults removes all faults. What they did to tasks stays.
func (e *Emulator) ClearFaults() {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.faults = nil
}

func (f *Fault) onTask() bool {
	return slices.Contains(taskKinds, f.Kind) || f.Kind == FaultTaskNotFound && f.Op != opGetTask && f.Op != opGetExportStatus
}

// carriesOut tells whether the request is carried out.
func (f *Fault) carriesOut() bool { return f.CarryOut || slices.Contains(spoilingKinds, f.Kind) }

// strikes counts a request and tells whether the fault happens to it. The caller
// has the lock, which also guards the random source.
func (f *Fault) strikes(c *call) bool {
	if !f.reached {
		f.reached = c.op == f.Behind
		return false
	}
	switch {
	case f.Times >= 0 && f.struck >= f.Times,
		f.Op != "" && f.Op != c.op,
		f.UserID != "" && !slices.Contains(c.ids, f.UserID) && !slices.Contains(c.cids, f.UserID):
		return false
	}
	if f.seen++; f.seen <= f.After {
		return false
	}
	if f.Probability > 0 && c.e.chance(c.op) >= f.Probability {
		return false
	}
	f.struck++
	return true
}

// takeFault is the fault that strikes the request itself.
func (e *Emulator) takeFault(c *call) *Fault {
	for _, f := range e.faults {
		if !f.onTask() && f.strikes(c) {
			return f
		}
	}
	return nil
}

// taskFaults lets faults strike a task that is being started.
func (e *Emulator) taskFaults(c *call, t *task) {
	first := ""
	if all := slices.Concat(c.ids, c.cids); len(all) > 0 {
		first = all[0]
	}
	for _, f := range e.faults {
		if !f.onTask() || !f.strikes(c) {
			continue
		}
		c.struck = append(c.struck, f.Kind)
		subject := f.UserID
		if subject == "" {
			subject = first
		}
		switch f.Kind {
		case FaultFailTask:
			t.err = &taskError{"internal", orDefault(f.Error, "the task failed")}
		case FaultFailUser:
			if t.failUser == nil {
				t.failUser = map[string]string{}
			}
			t.failUser[subject] = orDefault(f.Error, "internal error")
		case FaultMissingUser:
			if t.noEntry == nil {
				t.noEntry = map[string]bool{}
			}
			t.noEntry[subject] = true
		case FaultStatusWord:
			t.word = orDefault(f.Word, "throttled")
		case FaultStuckTask:
			t.stuck, t.word = true, f.Word
		case FaultTaskNotFound:
			t.forgotten = true
		}
	}
}

func orDefault(s, def string) string {
	if s == "" {
		return def
	}
	return s
}

// ParseFault reads a fault from a flag: "op=DeleteUsers,kind=500,times=1". The
// keys are op, kind, user, after, times (a number or "forever"), probability,
// delay, status, body, type, location, word, error, behind and carry-out.
func ParseFault(s string) (Fault, error) {
	var f Fault
	for part := range strings.SplitSeq(s, ",") {
		key, val, ok := strings.Cut(strings.TrimSpace(part), "=")
		if !ok {
			return Fault{}, fmt.Errorf("fault %q: %q is not key=value", s, part)
		}
		var err error
		switch key {
		case "op":
			f.Op = val
		case "kind":
			f.Kind = FaultKind(val)
		case "user":
			f.UserID = val
		case "after":
			f.After, err = strconv.Atoi(val)
		case "times":
			if val == "forever" {
				val = "-1"
			}
			f.Times, err = strconv.Atoi(val)
		case "probability":
			f.Probability, err = strconv.ParseFloat(val, 64)
		case "delay":
			f.Delay, err = time.ParseDuration(val)
		case "status":
			f.Status, err = strconv.Atoi(val)
		case "body":
			f.Body = val
		case "type":
			f.ContentType = val
		case "location":
			f.Location = val
		case "word":
			f.Word = val
		case "error":
			f.Error = val
		case "behind":
			f.Behind = val
		case "carry-out":
			f.CarryOut, err = strconv.ParseBool(val)
		default:
			err = fmt.Errorf("unknown key %q", key)
		}
		if err != nil {
			return Fault{}, fmt.Errorf("fault %q: %w", s, err)
		}
	}
	return f, f.Validate()
}

// Validate checks what cannot be meant: a kind or an operation that does not
// exist, a chance that is none.
func (f *Fault) Validate() error {
	if !slices.Contains(FaultKinds(), f.Kind) {
		return fmt.Errorf("fault: unknown kind %q, use one of %v", f.Kind, FaultKinds())
	}
	if f.Op != "" && f.Op != opDownload && f.Op != unknownOp && !slices.Contains(operations(), f.Op) {
		return fmt.Errorf("fault: unknown operation %q, use one of %v", f.Op, operations())
	}
	if !(f.Probability >= 0 && f.Probability <= 1) { // so that NaN is refused
		return fmt.Errorf("fault: the probability %v is not from 0 to 1", f.Probability)
	}
	return nil
}
