// Copyright (c) the terraform-provider-streamchat authors
// SPDX-License-Identifier: MPL-2.0

package emulator

import (
	"errors"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// maxBody is far above anything that Stream accepts.
const maxBody = 64 << 20

// call is one request on its way through a handler.
type call struct {
	e      *Emulator
	op     string
	now    stamp
	r      *http.Request
	query  url.Values
	body   []byte
	server bool // a server token; otherwise actor is the token's user
	actor  *user
	ids    []string    // the user ids that the request names
	cids   []string    // and the cids
	task   string      // the task that the request started
	struck []FaultKind // the faults in that task
	out    enc
}

// path is a parameter of the path.
func (c *call) path(name string) string { return c.r.PathValue(name) }

// bind reads the request's JSON body.
func (c *call) bind(v any) error { return decode(c.body, v) }

// payload reads the JSON in the query parameter that v1's GET queries use.
func (c *call) payload(v any) error {
	raw := c.query.Get("payload")
	if raw == "" {
		return errBadJSON()
	}
	return decode([]byte(raw), v)
}

// flag is a boolean query parameter; anything but a true value is false.
func (c *call) flag(name string) bool {
	v, err := strconv.ParseBool(c.query.Get(name))
	return err == nil && v
}

// number is an integer query parameter, or def.
func (c *call) number(name string, def int) int {
	n, err := strconv.Atoi(c.query.Get(name))
	if err != nil {
		return def
	}
	return n
}

type access int

const (
	anyone     access = iota
	serverOnly        // 403 with a user token
)

// route is what one endpoint does.
type route struct {
	pattern string // of http.ServeMux
	op      string
	access  access
	handle  func(*Emulator, *call) error
}

func newRoute(pattern, op string, a access, h func(*Emulator, *call) error) route {
	return route{pattern: pattern, op: op, access: a, handle: h}
}

var (
	routes []route
	mux    = http.NewServeMux()
)

func init() {
	// Here, since the handler of GET /rate_limits refers to the routes.
	routes = slices.Concat(userRoutes(), exportRoutes(), channelRoutes(), messageRoutes(), reactionRoutes(),
		pollRoutes(), taskRoutes(), appRoutes(), retentionRoutes(), deviceRoutes(), uploadRoutes())
	for i := range routes {
		mux.Handle(routes[i].pattern, &routes[i])
	}
	// Not served, but not an update of a message called history either.
	mux.Handle("POST /messages/history", http.NotFoundHandler())
}

// ServeHTTP only tells that the route matched.
func (rt *route) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	// A ServeMux also takes HEAD for GET; Stream is not known to.
	if f, ok := w.(*finder); ok && strings.HasPrefix(rt.pattern, r.Method+" ") {
		f.route = rt
	}
}

// finder is a ResponseWriter that keeps the route instead of a response: what a
// ServeMux says of an unknown path is not what Stream says.
type finder struct{ route *route }

func (*finder) Header() http.Header         { return http.Header{} }
func (*finder) Write(b []byte) (int, error) { return len(b), nil }
func (*finder) WriteHeader(int)             {}

// findRoute is the route of a request, nil if there is none. It sets the
// request's path values.
func findRoute(r *http.Request) *route {
	var f finder
	mux.ServeHTTP(&f, r)
	return f.route
}

// unknownOp is the operation that Stream names for a path it does not know.
const unknownOp = "Request"

// response is an answer that is ready to be sent.
type response struct {
	status int
	header http.Header
	body   []byte
}

func newResponse(status int, contentType string, body []byte) *response {
	h := http.Header{}
	if contentType != "" {
		h.Set("Content-Type", contentType)
	}
	return &response{status: status, header: h, body: body}
}

const (
	typeJSON = "application/json"
	typeHTML = "text/html; charset=utf-8"
	typeText = "text/plain; charset=utf-8"
)

// ServeHTTP implements http.Handler.
func (e *Emulator) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	start := time.Now()
	body, err := io.ReadAll(io.LimitReader(r.Body, maxBody))
	if err != nil {
		panic(http.ErrAbortHandler) // the client is gone
	}
	c := &call{e: e, op: unknownOp, r: r, body: body, query: r.URL.Query()}
	c.out.resign = c.resign

	resp, f, logged := e.handle(c, start)
	heard := f == nil || f.wait(r.Context(), e)
	if r.Context().Err() != nil {
		e.requests.unheard(logged)
	}
	if !heard {
		panic(http.ErrAbortHandler)
	}
	if resp == nil { // the connection drops without an answer
		panic(http.ErrAbortHandler)
	}
	send(w, resp)
	if f != nil && (f.Kind == FaultShortBody || f.Kind == FaultStall) {
		_ = http.NewResponseController(w).Flush() // so that half of it gets there
		if f.Kind == FaultStall {
			f.hold(r.Context(), e)
		}
		panic(http.ErrAbortHandler)
	}
}

// handle makes the answer, the fault that struck it and what is remembered of both.
func (e *Emulator) handle(c *call, start time.Time) (*response, *Fault, *Request) {
	e.mu.Lock()
	defer e.mu.Unlock()
	c.now = e.now()
	e.settle(c.now)

	rt := findRoute(c.r)
	file, isFile := strings.CutPrefix(c.r.URL.Path, exportPath)
	isFile = isFile && c.r.Method == http.MethodGet
	switch {
	case isFile:
		c.op = opDownload
	case rt != nil:
		c.op = rt.op
	}
	c.ids, c.cids = namedSubjects(c)

	f := e.takeFault(c)
	var resp *response
	switch {
	case f != nil && !f.carriesOut():
		// The fault stands in front of Stream.
	case c.r.URL.Path == movedPath:
		resp = newResponse(http.StatusOK, typeHTML, []byte(movedPage))
	case isFile:
		resp = e.download(c, file)
	default:
		resp = e.answer(c, rt, start)
	}
	if f != nil {
		resp = f.distort(c, resp)
	}
	return resp, f, e.record(c, f, resp)
}

func send(w http.ResponseWriter, resp *response) {
	for k, v := range resp.header {
		w.Header()[k] = v
	}
	w.WriteHeader(resp.status)
	_, _ = w.Write(resp.body)
}

// answer does what the request asks for.
func (e *Emulator) answer(c *call, rt *route, start time.Time) *response {
	err := e.perform(c, rt)
	elapsed := formatDuration(time.Since(start))
	resp := newResponse(http.StatusOK, typeJSON, nil)
	if err != nil {
		var ae *apiError
		if !errors.As(err, &ae) {
			ae = &apiError{http.StatusInternalServerError, -1, err.Error()}
		}
		if ae.status == http.StatusUnauthorized {
			elapsed = "0" // as recorded for requests that never reach a handler
		}
		resp.status, resp.body = ae.status, ae.envelope(c.op, elapsed)
	} else {
		if c.r.Method == http.MethodPost || c.r.Method == http.MethodPut {
			resp.status = http.StatusCreated
		}
		c.out.kstr("duration", elapsed)
		c.out.shut('}')
		resp.body = c.out.b
	}
	e.limitHeaders(c, resp.header)
	return resp
}

func (e *Emulator) perform(c *call, rt *route) error {
	if rt == nil {
		return notFound("Not Found")
	}
	if err := e.authenticate(c); err != nil {
		return err
	}
	if rt.access == serverOnly && !c.server {
		if c.op == opExportUser {
			return notAllowed("users can only be exported server side")
		}
		return notAllowed("this endpoint can only be called server side")
	}
	if err := e.countCall(c); err != nil {
		return err
	}
	c.out.open('{')
	return rt.handle(e, c)
}
