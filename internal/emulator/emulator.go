// Copyright (c) the terraform-provider-streamchat authors
// SPDX-License-Identifier: MPL-2.0

package emulator

import (
	crand "crypto/rand"
	"encoding/hex"
	"hash/fnv"
	"io"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/google/uuid"

	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/clock"
)

// What an [Options] field means when it is left empty.
const (
	DefaultAPIKey           = "emulator-key"
	DefaultAPISecret        = "emulator-secret"
	DefaultAppName          = "Emulator"
	DefaultWindow           = time.Minute
	DefaultDeleteUsersLimit = 6
	DefaultTaskDelay        = 2 * time.Second
	DefaultExportLimit      = 10_000
	DefaultMaxRequests      = 100_000
)

// Options configure an emulator; the zero value works.
type Options struct {
	// APIKey and APISecret are the app's credentials.
	APIKey, APISecret string
	// AppName is what GET /app answers.
	AppName string
	// AppID is the app's id, by default 1.
	AppID int
	// Clock is the time of everything here: timestamps, tasks, rate limits,
	// tokens, export URLs. The default is the machine's.
	Clock clock.Clock
	// Window is the length of a rate limit's window.
	Window time.Duration
	// DeleteUsersLimit is how many POST /users/delete fit into a window.
	DeleteUsersLimit int
	// Limits overrides the limit of other endpoints, by operation.
	Limits map[string]int
	// TaskDelay is how long a task takes. Negative: it is completed at once.
	TaskDelay time.Duration
	// TaskDelays overrides TaskDelay by operation, e.g. "DeleteChannels".
	TaskDelays map[string]time.Duration
	// Strict refuses user: hard without hard messages and conversations, which
	// Stream documents and was never seen to enforce.
	Strict bool
	// OmitUnknownUsers leaves ids that were never created out of the result of
	// a DeleteUsers task. By default they are reported as ok.
	OmitUnknownUsers bool
	// ExportLimit is how many messages or reactions a user may have for
	// GET /users/{id}/export.
	ExportLimit int
	// MaxRequests is how many requests [Emulator.Requests] keeps; older ones
	// are forgotten. Negative: none.
	MaxRequests int
	// RandomSeed seeds what happens by chance: equal seeds draw equally.
	RandomSeed uint64
	// Log gets a JSON line per request.
	Log io.Writer
}

func (o *Options) setDefaults() {
	if o.APIKey == "" {
		o.APIKey = DefaultAPIKey
	}
	if o.APISecret == "" {
		o.APISecret = DefaultAPISecret
	}
	if o.AppName == "" {
		o.AppName = DefaultAppName
	}
	if o.AppID == 0 {
		o.AppID = 1
	}
	if o.Clock == nil {
		o.Clock = clock.Real{}
	}
	if o.Window <= 0 {
		o.Window = DefaultWindow
	}
	if o.DeleteUsersLimit <= 0 {
		o.DeleteUsersLimit = DefaultDeleteUsersLimit
	}
	switch {
	case o.TaskDelay == 0:
		o.TaskDelay = DefaultTaskDelay
	case o.TaskDelay < 0:
		o.TaskDelay = 0
	}
	if o.ExportLimit <= 0 {
		o.ExportLimit = DefaultExportLimit
	}
	if o.MaxRequests == 0 {
		o.MaxRequests = DefaultMaxRequests
	}
}

// Emulator is an in-memory Stream Chat app and the http.Handler that serves it.
// It is safe for concurrent use.
type Emulator struct {
	// URL is where the emulator was started, for the caller's convenience.
	URL string

	opts   Options
	closed chan struct{}
	close  sync.Once

	// mu guards everything below. One lock is enough: no request takes long.
	mu        sync.Mutex
	app       appSettings
	users     map[string]*user
	userIDs   sortedIDs
	roles     map[string]bool
	channels  map[string]*channel
	messages  map[string]*message
	polls     map[string]*poll
	pollsBy   map[string][]*poll
	retention map[string]retentionPolicy
	tasks     map[string]*task
	open      []*task    // not yet settled, the earliest due first
	expiring  []*message // pinned for a time
	files     map[string]*exportFile
	seq       uint64 // breaks ties between equal times
	signed    uint64 // makes every signed URL a new one
	windows   map[windowKey]*rateWindow
	faults    []*Fault
	random    map[string]*rand.Rand // of faults with a probability, by operation

	requests requestLog
}

// New makes an emulator with an empty app.
func New(opts Options) *Emulator {
	opts.setDefaults()
	e := &Emulator{
		opts:      opts,
		closed:    make(chan struct{}),
		app:       appSettings{id: opts.AppID, name: opts.AppName, hooks: map[string]string{}},
		users:     map[string]*user{},
		roles:     map[string]bool{},
		channels:  map[string]*channel{},
		messages:  map[string]*message{},
		polls:     map[string]*poll{},
		pollsBy:   map[string][]*poll{},
		retention: map[string]retentionPolicy{},
		tasks:     map[string]*task{},
		files:     map[string]*exportFile{},
		windows:   map[windowKey]*rateWindow{},
		random:    map[string]*rand.Rand{},
	}
	for _, r := range builtinRoles {
		e.roles[r] = true
	}
	e.requests.init(opts.MaxRequests, opts.Log)
	return e
}

// APIKey is the key that clients have to use.
func (e *Emulator) APIKey() string { return e.opts.APIKey }

// APISecret is the secret that signs their tokens.
func (e *Emulator) APISecret() string { return e.opts.APISecret }

// Clock is the emulator's clock.
func (e *Emulator) Clock() clock.Clock { return e.opts.Clock }

// Close lets go of requests that a fault holds back.
func (e *Emulator) Close() { e.close.Do(func() { close(e.closed) }) }

// now is the current time in Stream's precision of microseconds.
func (e *Emulator) now() stamp {
	return stampOf(e.opts.Clock.Now().Truncate(time.Microsecond))
}

func (e *Emulator) nextSeq() uint64 {
	e.seq++
	return e.seq
}

// chance is the next number of an operation's own source: what else is asked for
// at the same time does not move it.
func (e *Emulator) chance(op string) float64 {
	if e.random[op] == nil {
		h := fnv.New64a()
		_, _ = h.Write([]byte(op))
		e.random[op] = rand.New(rand.NewPCG(e.opts.RandomSeed, h.Sum64()))
	}
	return e.random[op].Float64()
}

func newID() string { return uuid.NewString() }

func randomHex(n int) string {
	b := make([]byte, n)
	_, _ = crand.Read(b) // never fails
	return hex.EncodeToString(b)
}
