// Copyright (c) the terraform-provider-streamchat authors
// SPDX-License-Identifier: MPL-2.0

package export_test

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/clock/clocktest"
	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/emulator"
	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/emulator/emulatortest"
	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/export"
	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/stream"
)

// thirty are channels in which alice wrote a message each; in the last bob wrote
// too, and she reacted.
func thirty() string {
	var channels, messages []string
	for i := range 30 {
		channels = append(channels, fmt.Sprintf(`{"cid":"messaging:c%02d","created_by_id":"bob","members":["alice","bob"]}`, i))
		messages = append(messages, fmt.Sprintf(`{"id":"m%02d","cid":"messaging:c%02d","user_id":"alice","text":"hers"}`, i, i))
	}
	return `{"users":[{"id":"alice"},{"id":"bob"},{"id":"eve"},{"id":"dora","deactivated_at":"2026-01-01T00:00:00Z"}],"channels":[` + strings.Join(channels, ",") + `],"messages":[` +
		strings.Join(messages, ",") + `,{"id":"b","cid":"messaging:c29","user_id":"bob","text":"canary"}],` +
		`"reactions":[{"message_id":"b","user_id":"alice","type":"like"}]}`
}

// start starts a Stream that exports limit messages in one piece.
func start(t *testing.T, limit int, faults ...emulator.Fault) (*emulator.Emulator, *stream.Client) {
	t.Helper()
	simulated := clocktest.New(time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC))
	e := emulatortest.StartSeeded(t, emulator.Options{Clock: simulated, ExportLimit: limit, TaskDelay: 2 * time.Second}, thirty())
	for _, f := range faults {
		e.AddFault(f)
	}
	api, err := stream.New(stream.Config{APIKey: e.APIKey(), APISecret: e.APISecret(), BaseURL: e.URL, Clock: simulated, MaxRetries: 1})
	if err != nil {
		t.Fatal(err)
	}
	return e, api
}

func TestTake(t *testing.T) {
	refused := func(op string, status, times int) emulator.Fault {
		body := fmt.Sprintf(`{"code":4,"message":"no","StatusCode":%d}`, status)
		if status == 404 {
			body = `{"code":16,"message":"ExportChannels failed with error: \"Can't find channel\"","StatusCode":404}`
		}
		return emulator.Fault{Op: op, Kind: emulator.FaultCustom, Status: status, Body: body, Times: times}
	}
	answer := func(body string) []emulator.Fault {
		return []emulator.Fault{{Op: "ExportUser", Kind: emulator.FaultCustom, Status: 200, ContentType: "application/json", Body: body, Times: emulator.Forever}}
	}
	coded := func(status, code int) []emulator.Fault {
		body := fmt.Sprintf(`{"code":%d,"message":"ExportUser failed with error: \"no\"","StatusCode":%d}`, code, status)
		return []emulator.Fault{{Op: "ExportUser", Kind: emulator.FaultCustom, Status: status, ContentType: "application/json", Body: body, Times: emulator.Forever}}
	}
	many := strings.TrimSuffix(strings.Repeat("{},", 10_000), ",")
	whole := export.Counts{Messages: 30, Reactions: 1}
	for name, tt := range map[string]struct {
		limit   int
		faults  []emulator.Fault
		want    export.Findings
		exports int // calls of POST /export_channels
		refused bool
	}{
		"direct": {limit: 100, want: export.Findings{Counts: whole, Method: export.Direct}},
		"direct, empty lists": {
			limit: 100, faults: answer(`{"user":{"id":"alice"},"messages":[],"reactions":[]}`), want: export.Findings{Method: export.Direct},
		},
		"direct, no messages": {
			limit: 100, faults: answer(`{"user":{"id":"alice"},"reactions":[{}]}`),
			want: export.Findings{Counts: export.Counts{Reactions: 1}, Method: export.Direct, Gaps: export.Gaps{Lists: true}},
		},
		"direct, messages are null": {
			limit: 100, faults: answer(`{"user":{"id":"alice"},"messages":null,"reactions":[]}`),
			want: export.Findings{Method: export.Direct, Gaps: export.Gaps{Lists: true}},
		},
		"direct, no reactions": {
			limit: 100, faults: answer(`{"user":{"id":"alice"},"messages":[]}`), want: export.Findings{Method: export.Direct, Gaps: export.Gaps{Lists: true}},
		},
		"direct, as many messages as Stream exports": {
			limit: 100, faults: answer(`{"user":{"id":"alice"},"messages":[` + many + `],"reactions":[]}`),
			want: export.Findings{Counts: export.Counts{Messages: 10_000}, Method: export.Direct, Gaps: export.Gaps{Limit: true}},
		},
		"direct, as many reactions as Stream exports": {
			limit: 100, faults: answer(`{"user":{"id":"alice"},"messages":[],"reactions":[` + many + `]}`),
			want: export.Findings{Counts: export.Counts{Reactions: 10_000}, Method: export.Direct, Gaps: export.Gaps{Limit: true}},
		},
		"too large: 413":   {limit: 100, faults: coded(413, 22), want: export.Findings{Counts: whole, Method: export.Assembled}, exports: 2},
		"not allowed: 403": {limit: 100, faults: coded(403, 17), want: export.Findings{Counts: whole, Method: export.Assembled}, exports: 2, refused: true},
		"too slow: 408":    {limit: 100, faults: coded(408, 23), want: export.Findings{Counts: whole, Method: export.Assembled}, exports: 2, refused: true},
		"assembled":        {limit: 10, want: export.Findings{Counts: whole, Method: export.Assembled}, exports: 2},
		"no search": {
			limit: 10, faults: []emulator.Fault{refused("Search", 400, emulator.Forever)},
			want:    export.Findings{Counts: whole, Method: export.Assembled, Gaps: export.Gaps{Search: true}},
			exports: 2,
		},
		"a batch refused": {
			limit: 10, faults: []emulator.Fault{refused("ExportChannels", 404, 1)},
			want: export.Findings{Counts: whole, Method: export.Assembled}, exports: 4,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e, api := start(t, tt.limit, tt.faults...)
			var out bytes.Buffer
			got, err := export.Take(t.Context(), api, "alice", &out, t.TempDir())
			if (got.Refusal != nil) != tt.refused {
				t.Errorf("the refusal is %v", got.Refusal)
			}
			got.Refusal = nil
			if err != nil || got != tt.want || got.Complete() != (tt.want.Method == export.Direct && tt.want.Gaps == export.Gaps{}) {
				t.Errorf("%+v, want %+v, %v", got, tt.want, err)
			}
			if counts, err := export.Summarize(out.String()); err != nil || counts != got.Counts {
				t.Errorf("it holds %+v, %v", counts, err)
			}
			if strings.Contains(out.String(), "canary") {
				t.Error("what others wrote is in it")
			}
			exports := 0
			for _, r := range e.Requests() {
				if r.Op == "ExportChannels" {
					exports++
				}
			}
			if exports != tt.exports {
				t.Errorf("%d channel exports were asked for, want %d", exports, tt.exports)
			}
		})
	}
}

func TestTakeErrors(t *testing.T) {
	full := errors.New("full")
	broken := emulator.Fault{Op: "GetTask", Kind: emulator.FaultHTML200, Times: emulator.Forever}
	failing := func(status int, body string) []emulator.Fault {
		return []emulator.Fault{{Op: "ExportUser", Kind: emulator.FaultCustom, Status: status, Body: body, Times: emulator.Forever}}
	}
	ofKind := func(kind stream.Kind) func(error) bool {
		return func(err error) bool {
			var e *stream.Error
			return errors.As(err, &e) && e.Kind == kind
		}
	}
	for name, tt := range map[string]struct {
		id     string
		limit  int
		faults []emulator.Fault
		room   int // bytes that dst takes
		is     func(error) bool
	}{
		"nobody":          {id: "ghost", limit: 100, room: 1 << 20, is: stream.IsNotFound},
		"no room":         {id: "alice", limit: 100, room: 10, is: func(err error) bool { return errors.Is(err, full) }},
		"no room in size": {id: "alice", limit: 10, room: 300, is: func(err error) bool { return errors.Is(err, full) }},
		"not a task": {
			id: "alice", limit: 10, room: 1 << 20, faults: []emulator.Fault{broken},
			is: func(err error) bool {
				var e *stream.Error
				return errors.As(err, &e) && e.Kind == stream.KindUnexpectedBody
			},
		},
		"refused, nothing found": {
			id: "eve", limit: 100, room: 1 << 20,
			faults: []emulator.Fault{{Op: "ExportUser", Kind: emulator.FaultCustom, Status: 400,
				Body: `{"code":4,"message":"no","StatusCode":400}`}},
			is: func(err error) bool { return errors.Is(err, export.ErrNothingFound) },
		},
		"not allowed, of somebody deactivated": {
			id: "dora", limit: 100, room: 1 << 20, faults: failing(403, `{"code":17,"message":"no","StatusCode":403}`), is: ofKind(stream.KindForbidden),
		},
		"failing":   {id: "alice", limit: 100, room: 1 << 20, faults: failing(500, `{"code":-1,"message":"no","StatusCode":500}`), is: ofKind(stream.KindServer)},
		"suspended": {id: "alice", limit: 100, room: 1 << 20, faults: failing(403, `{"code":99,"message":"no","StatusCode":403}`), is: ofKind(stream.KindForbidden)},
		"not allowed, nothing found": {
			id: "eve", limit: 100, room: 1 << 20, faults: failing(403, `{"code":17,"message":"no","StatusCode":403}`), is: ofKind(stream.KindForbidden),
		},
		"failing proxy": {id: "alice", limit: 100, room: 1 << 20, faults: failing(502, "<html>"), is: ofKind(stream.KindServer)},
		"credentials":   {id: "alice", limit: 100, room: 1 << 20, faults: failing(401, `{"code":5,"message":"no","StatusCode":401}`), is: ofKind(stream.KindAuth)},
		"two users in one": {
			id: "alice", limit: 100, room: 1 << 20,
			faults: []emulator.Fault{{Op: "ExportUser", Kind: emulator.FaultCustom, Status: 200, ContentType: "application/json",
				Body: `{"user":{"id":"alice"},"user":{"id":"alice"}}`}},
			is: func(err error) bool {
				var e *stream.Error
				return errors.As(err, &e) && e.Kind == stream.KindUnexpectedBody
			},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, api := start(t, tt.limit, tt.faults...)
			got, err := export.Take(t.Context(), api, tt.id, &limited{room: tt.room, err: full}, "")
			if !tt.is(err) || got != (export.Findings{}) {
				t.Errorf("%+v, %v", got, err)
			}
		})
	}
}

// limited takes so many bytes and fails then.
type limited struct {
	room int
	err  error
}

func (l *limited) Write(p []byte) (int, error) {
	if l.room -= len(p); l.room < 0 {
		return 0, l.err
	}
	return len(p), nil
}
