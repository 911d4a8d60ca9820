// Copyright (c) the terraform-provider-streamchat authors
// SPDX-License-Identifier: MPL-2.0

package emulator

import (
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

// documentedLimits are the limits per minute of dossier 1.5.
// unproven: an endpoint that the dossier does not name gets otherLimit.
var documentedLimits = map[string]int{
	opGetOrCreateChannel:         10_000,
	opGetOrCreateDistinctChannel: 10_000,
	opGetChannel:                 10_000,
	opGetApp:                     10_000,
	opQueryChannels:              10_000,
	opGetTask:                    10_000, // unproven: a placeholder in dossier 1.5
	opGetExportStatus:            10_000, // unproven: the same
	opDeleteMessage:              1000,
	opGetMessage:                 1000,
	opSendMessage:                1000,
	opUpdateMessage:              1000,
	opUpdateMessagePartial:       1000,
	opGetManyMessages:            1000,
	opQueryUsers:                 1000,
	opGetReactions:               1000,
	opSendReaction:               1000,
	opDeleteReaction:             1000,
	opGetReplies:                 1000,
	opUpdateUsers:                300,
	opUpdateUsersPartial:         300,
	opQueryMembers:               300,
	opSearch:                     300,
	opUpdateChannel:              300,
	opUpdateChannelPartial:       300,
	opDeleteUser:                 60,
	opDeleteChannel:              60,
	opDeleteChannels:             60, // unproven: dossier 1.5
	opExportUser:                 60,
	opExportUsers:                60,
	opExportChannels:             60,
	opDeactivateUser:             60,
	opDeactivateUsers:            60,
	opReactivateUser:             60,
	opReactivateUsers:            60,
	opTruncateChannel:            60,
	opListDevices:                60,
	opDeleteDevice:               60,
}

const (
	otherLimit = 300
	// userLimit is what one end user may call of one endpoint.
	userLimit = 60
)

// The platforms that have limits of their own.
const (
	platformServer  = "server_side"
	platformAndroid = "android"
	platformIOS     = "ios"
	platformWeb     = "web"
	platformUnity   = "unity"
)

var platforms = []string{platformServer, platformAndroid, platformIOS, platformWeb, platformUnity}

// windowKey is what is counted: an endpoint on a platform, and for end users
// also the user.
type windowKey struct{ op, platform, user string }

type rateWindow struct {
	start int64 // unix seconds, or finer for short windows: see windowStart
	used  int
}

func (e *Emulator) limit(op string) int {
	if op == opDeleteUsers {
		return e.opts.DeleteUsersLimit
	}
	if n, ok := e.opts.Limits[op]; ok {
		return n
	}
	if n, ok := documentedLimits[op]; ok {
		return n
	}
	return otherLimit
}

// windowStart is the beginning of the fixed window that now is in. Windows are
// the same for everyone, aligned to the clock.
func (e *Emulator) windowStart(now stamp) int64 {
	w := int64(e.opts.Window)
	return int64(now) / w * w
}

// reset is the unix second in which the window is over.
func (e *Emulator) reset(now stamp) int64 {
	end := e.windowStart(now) + int64(e.opts.Window)
	// Rounded up: whoever waits for it finds the new window.
	return (end + int64(time.Second) - 1) / int64(time.Second)
}

func (e *Emulator) window(k windowKey, now stamp) *rateWindow {
	start := e.windowStart(now)
	w := e.windows[k]
	if w == nil {
		w = &rateWindow{start: start}
		e.windows[k] = w
	}
	if w.start != start {
		w.start, w.used = start, 0
	}
	return w
}

func (c *call) platform() string {
	if c.server || c.actor == nil {
		return platformServer
	}
	client := strings.ToLower(c.r.Header.Get("X-Stream-Client"))
	switch {
	case strings.Contains(client, "android"), strings.Contains(client, "kotlin"):
		return platformAndroid
	case strings.Contains(client, "swift"), strings.Contains(client, "ios"):
		return platformIOS
	case strings.Contains(client, "unity"):
		return platformUnity
	default:
		return platformWeb
	}
}

// countCall takes one call from the endpoint's quota, and for an end user from
// the user's.
func (e *Emulator) countCall(c *call) error {
	w := e.window(windowKey{op: c.op, platform: c.platform()}, c.now)
	if w.used >= e.limit(c.op) {
		return &apiError{http.StatusTooManyRequests, codeRateLimit,
			// unproven: dossier 1.5, wording of the server-side text.
			"Too many requests, check response headers for more information."}
	}
	if c.actor != nil {
		mine := e.window(windowKey{c.op, c.platform(), c.actor.id}, c.now)
		if mine.used >= userLimit {
			return &apiError{http.StatusTooManyRequests, codeRateLimit,
				"Too many requests for user: " + c.actor.id + ", check response headers for more information."}
		}
		mine.used++
	}
	w.used++
	return nil
}

// quota is what is left for the caller: the tighter of the endpoint's quota
// and the end user's.
func (e *Emulator) quota(c *call) (limit, remaining int) {
	limit = e.limit(c.op)
	remaining = max(0, limit-e.window(windowKey{op: c.op, platform: c.platform()}, c.now).used)
	if c.actor != nil {
		left := max(0, userLimit-e.window(windowKey{c.op, c.platform(), c.actor.id}, c.now).used)
		if left < remaining {
			limit, remaining = userLimit, left
		}
	}
	return limit, remaining
}

func (e *Emulator) limitHeaders(c *call, h http.Header) {
	limit, remaining := e.quota(c)
	setLimitHeaders(h, limit, remaining, e.reset(c.now))
}

func setLimitHeaders(h http.Header, limit, remaining int, reset int64) {
	h.Set("X-RateLimit-Limit", strconv.Itoa(limit))
	h.Set("X-RateLimit-Remaining", strconv.Itoa(remaining))
	h.Set(headerReset, strconv.FormatInt(reset, 10))
}

const headerReset = "X-RateLimit-Reset"

// getRateLimits is GET /rate_limits.
func (e *Emulator) getRateLimits(c *call) error {
	var only []string
	if list := c.query.Get("endpoints"); list != "" {
		only = strings.Split(list, ",")
	}
	var asked []string
	for _, p := range platforms {
		if c.flag(p) {
			asked = append(asked, p)
		}
	}
	if len(asked) == 0 {
		asked = platforms
	}
	for _, p := range asked {
		c.out.key(p).open('{')
		for _, op := range operations() {
			if only != nil && !slices.Contains(only, op) {
				continue
			}
			limit := e.limit(op)
			c.out.key(op).open('{')
			c.out.kint("limit", limit)
			c.out.kint("remaining", max(0, limit-e.window(windowKey{op: op, platform: p}, c.now).used))
			c.out.kint("reset", int(e.reset(c.now)))
			c.out.shut('}')
		}
		c.out.shut('}')
	}
	return nil
}

// operations lists every endpoint once, in alphabetical order.
func operations() []string {
	var ops []string
	for i := range routes {
		ops = append(ops, routes[i].op)
	}
	slices.Sort(ops)
	return slices.Compact(ops)
}
