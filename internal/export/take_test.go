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
	return `{"users":[{"id":"alice"},{"id":"bob"},{"id":"eve"}],"channels":[` + strings.Join(channels, ",") + `],"messages":[` +
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
	whole := export.Counts{Messages: 30, Reactions: 1}
	for name, tt := range map[string]struct {
		limit   int
		faults  []emulator.Fault
		want    export.Findings
		exports int // calls of POST /export_channels
	}{
		"direct":    {limit: 100, want: export.Findings{Counts: whole, Method: export.Direct}},
		"assembled": {limit: 10, want: export.Findings{Counts: whole, Method: export.Assembled}, exports: 2},
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
			if err != nil || got != tt.want || got.Complete() != (tt.want.Method == export.Direct) {
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
