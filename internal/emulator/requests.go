// Copyright (c) the terraform-provider-streamchat authors
// SPDX-License-Identifier: MPL-2.0

package emulator

import (
	"encoding/json"
	"io"
	"net/http"
	"slices"
	"sync"
	"time"
)

// Request is a request that the emulator got.
type Request struct {
	// Time is when it came, by the emulator's clock.
	Time time.Time
	// Op is the operation, "Request" for an unknown path.
	Op string
	// Method, Path, Query, Header and Body are what was sent, without the API
	// key and the token.
	Method string
	Path   string
	Query  map[string][]string
	Header http.Header
	Body   []byte
	// UserIDs are the users that it names.
	UserIDs []string
	// CIDs are the channels that it names.
	CIDs []string
	// TaskID is the task that it started, whether or not the answer got through,
	// and TaskFaults what went wrong with that.
	TaskID     string
	TaskFaults []FaultKind
	// Status is the answer's, 0 when the connection was dropped.
	Status int
	// Fault is the fault that struck it, if any.
	Fault FaultKind
	// Unheard: the client had hung up before the answer was sent.
	Unheard bool
	// ServerSide is whether it had a server token; otherwise TokenUser is the
	// token's user.
	ServerSide bool
	TokenUser  string
}

// requestLog remembers requests. Counts and times are kept of all of them.
type requestLog struct {
	mu    sync.Mutex
	most  int
	list  []*Request
	times map[string][]int64
	out   io.Writer
	err   error
}

func (l *requestLog) init(most int, out io.Writer) {
	l.most, l.out, l.times = most, out, map[string][]int64{}
}

// record logs a request and its answer.
func (e *Emulator) record(c *call, f *Fault, resp *response) *Request {
	query := c.r.URL.Query()
	query.Del("api_key")
	header := c.r.Header.Clone()
	header.Del("Authorization")
	r := &Request{
		Time: c.now.time(), Op: c.op, Method: c.r.Method, Path: c.r.URL.Path, Query: query, Header: header,
		Body: c.body, UserIDs: c.ids, CIDs: c.cids, TaskID: c.task, TaskFaults: c.struck, ServerSide: c.server,
	}
	if c.actor != nil {
		r.TokenUser = c.actor.id
	}
	if f != nil {
		r.Fault = f.Kind
	}
	if resp != nil {
		r.Status = resp.status
	}
	l := &e.requests
	l.mu.Lock()
	defer l.mu.Unlock()
	l.times[c.op] = append(l.times[c.op], int64(c.now))
	if l.most > 0 {
		if len(l.list) >= l.most {
			l.list = slices.Delete(l.list, 0, l.most/10+1)
		}
		l.list = append(l.list, r)
	}
	l.write(r)
	return r
}

// unheard notes that nobody waits for an answer any more.
func (l *requestLog) unheard(r *Request) {
	l.mu.Lock()
	defer l.mu.Unlock()
	r.Unheard = true
}

// write logs a line. Neither the query nor the body nor the token is in it.
func (l *requestLog) write(r *Request) {
	if l.out == nil || l.err != nil {
		return
	}
	line, err := json.Marshal(struct {
		Time    time.Time `json:"time"`
		Op      string    `json:"op"`
		Method  string    `json:"method"`
		Path    string    `json:"path"`
		Status  int       `json:"status"`
		UserIDs []string  `json:"user_ids,omitempty"`
		Fault   FaultKind `json:"fault,omitempty"`
	}{r.Time, r.Op, r.Method, r.Path, r.Status, r.UserIDs, r.Fault})
	if err == nil {
		_, err = l.out.Write(append(line, '\n'))
	}
	l.err = err // a log that fails once is left alone
}

// Requests are the requests so far, in the order in which they were answered;
// with operations, only those.
func (e *Emulator) Requests(ops ...string) []Request {
	l := &e.requests
	l.mu.Lock()
	defer l.mu.Unlock()
	var list []Request
	for _, r := range l.list {
		if len(ops) == 0 || slices.Contains(ops, r.Op) {
			list = append(list, *r)
		}
	}
	return list
}

// Count is how many requests there were for an operation, refused ones
// included; "" counts all.
func (e *Emulator) Count(op string) int {
	l := &e.requests
	l.mu.Lock()
	defer l.mu.Unlock()
	if op != "" {
		return len(l.times[op])
	}
	n := 0
	for _, t := range l.times {
		n += len(t)
	}
	return n
}

// MaxInWindow is the largest number of requests for an operation that came
// within any stretch of the given length, wherever it begins.
func (e *Emulator) MaxInWindow(op string, window time.Duration) int {
	l := &e.requests
	l.mu.Lock()
	defer l.mu.Unlock()
	times := slices.Clone(l.times[op])
	slices.Sort(times)
	most, first := 0, 0
	for i, t := range times {
		for t-times[first] >= int64(window) {
			first++
		}
		most = max(most, i-first+1)
	}
	return most
}

// ResetRequests forgets the requests so far.
func (e *Emulator) ResetRequests() {
	l := &e.requests
	l.mu.Lock()
	defer l.mu.Unlock()
	l.list, l.times = nil, map[string][]int64{}
}
