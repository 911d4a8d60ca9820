// Copyright (c) the terraform-provider-streamchat authors
// SPDX-License-Identifier: MPL-2.0

package stream

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// channelServer answers POST /channels with channels that are created perSecond
// to the second, in pages of at most most.
func channelServer(t *testing.T, total, perSecond, most int) *fixture {
	t.Helper()
	created := func(i int) string {
		return testStart.Add(time.Duration(i/perSecond) * time.Second).Format(time.RFC3339Nano)
	}
	var f *fixture
	f = newFixture(t, func(w http.ResponseWriter, r *http.Request, n int) {
		var body struct {
			Filter struct {
				And []struct {
					CreatedAt struct {
						Since string `json:"$gte"`
					} `json:"created_at"`
					CID struct {
						After string `json:"$gt"`
					} `json:"cid"`
				} `json:"$and"`
			} `json:"filter_conditions"`
			Sort          []SortField
			Limit, Offset int
		}
		if err := json.Unmarshal([]byte(f.requests()[n-1].body), &body); err != nil || body.Offset > 1000 {
			t.Errorf("%v, offset %d", err, body.Offset)
		}
		since, after := "", ""
		for _, condition := range body.Filter.And {
			since, after = since+condition.CreatedAt.Since, after+condition.CID.After
		}
		var rows []string
		for i := range total {
			// By cid the newest come first.
			byCID := body.Sort[0].Field == "cid"
			if byCID {
				i = total - 1 - i
			}
			cid := fmt.Sprintf("messaging:%05d", total-1-i)
			if created(i) >= since && cid > after {
				rows = append(rows, fmt.Sprintf(`{"channel":{"cid":%q,"created_at":%q}}`, cid, created(i)))
			}
		}
		rows = rows[min(body.Offset, len(rows)):]
		raw(201, `{"channels":[`+strings.Join(rows[:min(len(rows), body.Limit, most)], ",")+`]}`)(w, r)
	})
	return f
}

func TestChannelsOfMemberPages(t *testing.T) {
	for _, test := range []struct{ total, perSecond, most int }{
		{0, 1, 30}, {1, 1, 30}, {29, 1, 30}, {30, 1, 30}, {31, 1, 30}, {61, 7, 30}, {100, 1, 10}, {500, 200, 30}, {3000, 40, 30},
		{1000, 1000, 30}, {1100, 1100, 30}, {2500, 1500, 30}, {3000, 1200, 17},
	} {
		f := channelServer(t, test.total, test.perSecond, test.most)
		got, err := f.ChannelsOfMember(ctx, testUser)
		if err != nil || len(got) != test.total || len(slices.Compact(slices.Sorted(slices.Values(got)))) != test.total {
			t.Errorf("%+v: %d channels, %v", test, len(got), err)
		}
		for i, cid := range got { // the oldest first, in any order within an instant
			if n, _ := strconv.Atoi(cid[len("messaging:"):]); (test.total-1-n)/test.perSecond != i/test.perSecond {
				t.Fatalf("%+v: %s is at %d", test, cid, i)
			}
		}
		if most := 2*test.total/min(test.most, 30) + test.total/test.perSecond + 1000/min(test.most, 30) + 4; f.count() > most {
			t.Errorf("%+v: %d calls", test, f.count())
		}
	}
	rows := make([]string, channelPage)
	for i := range rows {
		rows[i] = fmt.Sprintf(`{"channel":{"cid":"a:canary%d","created_at":"2026-01-02T10:00:00Z"}}`, i)
	}
	f := newFixture(t, func(w http.ResponseWriter, r *http.Request, _ int) {
		raw(201, `{"channels":[`+strings.Join(rows, ",")+`]}`)(w, r)
	})
	if _, err := f.ChannelsCreatedBy(ctx, testUser); failure(t, err).Kind != KindUnexpectedBody {
		t.Error(err)
	}
}

func TestChannelRowsAreChecked(t *testing.T) {
	for _, body := range []string{`{}`, `{"channels":null}`, `{"channels":[{}]}`, `{"channels":[{"channel":{"cid":"canary:x"}}]}`,
		`{"channels":[{"channel":{"cid":"a:b","created_at":1}}]}`, `{"channels":[{"channel":{"cid":"a:b","created_at":"canary"}}]}`} {
		f := newFixture(t, func(w http.ResponseWriter, r *http.Request, _ int) { raw(201, body)(w, r) })
		if _, err := f.ChannelsOfMember(ctx, testUser); failure(t, err).Kind != KindUnexpectedBody {
			t.Errorf("%s: %v", body, err)
		}
	}
}

// searchServer finds a user's messages in channels, perChannel in each, newest
// channel first. fold says how it compares cids.
func searchServer(t *testing.T, cids []string, perChannel int, fold func(string) string) *fixture {
	t.Helper()
	return newFixture(t, func(w http.ResponseWriter, r *http.Request, _ int) {
		var payload struct {
			Filter struct {
				CID struct {
					After  string `json:"$gt"`
					Before string `json:"$lt"`
				} `json:"cid"`
			} `json:"filter_conditions"`
			Message map[string]map[string]string `json:"message_filter_conditions"`
			Limit   int
			Next    string
		}
		if err := json.Unmarshal([]byte(r.URL.Query().Get("payload")), &payload); err != nil || payload.Message["user.id"]["$eq"] != testUser {
			t.Errorf("%v: %+v", err, payload)
		}
		var rows []string
		for _, cid := range cids {
			if after, before := payload.Filter.CID.After, payload.Filter.CID.Before; after != "" && fold(cid) <= fold(after) || before != "" &&
				fold(cid) >= fold(before) {
				continue
			}
			for range perChannel {
				rows = append(rows, fmt.Sprintf(`{"message":{"id":"canary","cid":%q}}`, cid))
			}
		}
		var from int
		_, _ = fmt.Sscan(payload.Next, &from)
		next := ""
		if from+payload.Limit < len(rows) {
			next = fmt.Sprintf(`,"next":"%d"`, from+payload.Limit)
		}
		rows = rows[min(from, len(rows)):]
		raw(200, `{"results":[`+strings.Join(rows[:min(len(rows), payload.Limit)], ",")+`]`+next+`}`)(w, r)
	})
}

func TestChannelsByMessages(t *testing.T) {
	var cids []string
	for i := range 40 {
		cids = append(cids, fmt.Sprintf("messaging:%02d", i))
	}
	same := func(s string) string { return s }
	// Many messages in one channel do not cost calls.
	f := searchServer(t, cids, 10_000, same)
	known := slices.Concat(cids[:10], cids[20:])
	found, all, err := f.ChannelsByMessages(ctx, testUser, known)
	if diff := cmp.Diff(cids[10:20], slices.Sorted(slices.Values(found))); err != nil || !all || diff != "" {
		t.Error(all, err, diff)
	}
	if f.count() > 31+3*10 {
		t.Errorf("%d calls", f.count())
	}
	// Nothing known, nothing there.
	f = searchServer(t, nil, 1, same)
	if found, all, err := f.ChannelsByMessages(ctx, testUser, nil); err != nil || !all || len(found) != 0 || f.count() != 1 {
		t.Error(found, all, err, f.count())
	}
	// A server that sorts otherwise is read page by page.
	reversed := func(s string) string {
		b := []byte(s)
		slices.Reverse(b)
		return string(b)
	}
	f = searchServer(t, cids, 20, reversed)
	found, all, err = f.ChannelsByMessages(ctx, testUser, []string{cids[3], cids[17], cids[30]})
	if len(found) != 37 || err != nil || !all {
		t.Error(len(found), all, err)
	}
	// One that goes round in circles is left alone.
	f = newFixture(t, func(w http.ResponseWriter, r *http.Request, _ int) {
		raw(200, `{"results":[{"message":{"cid":"a:b"}}],"next":"again"}`)(w, r)
	})
	if found, all, err := f.ChannelsByMessages(ctx, testUser, []string{"a:b"}); err != nil || all || len(found) != 0 ||
		f.count() != maxSearches+2 {
		t.Error(found, all, err, f.count())
	}
	f = newFixture(t, func(w http.ResponseWriter, _ *http.Request, _ int) { respondError(w, 400, 4, OpSearch, "canary") })
	if _, all, err := f.ChannelsByMessages(ctx, testUser, nil); failure(t, err).Kind != KindInput || all {
		t.Error(all, err)
	}
}

func TestReactionsBy(t *testing.T) {
	server := func(total int) *fixture {
		return newFixture(t, func(w http.ResponseWriter, r *http.Request, _ int) {
			var limit, offset int
			_, _ = fmt.Sscan(r.URL.Query().Get("limit"), &limit)
			_, _ = fmt.Sscan(r.URL.Query().Get("offset"), &offset)
			var rows []string
			for i := offset; i < min(total, offset+limit); i++ {
				by := "canary-other"
				if i%500 == 499 {
					by = testUser
				}
				rows = append(rows, fmt.Sprintf(`{"user_id":%q,"type":"t%d","user":{"id":%q}, "score":1.50}`, by, i, by))
			}
			raw(200, `{"reactions":[`+strings.Join(rows, ",")+`]}`)(w, r)
		})
	}
	for _, test := range []struct {
		total, there, found, calls int
		all                        bool
	}{{12, 12, 0, 1, true}, {500, 500, 1, 2, true}, {1300, 1300, 2, 5, true}, {1200, 1200, 2, 4, true}, {5000, 5000, 2, 5, false},
		{20, 5, 0, 2, false}} {
		f := server(test.there)
		list, all, err := f.ReactionsBy(ctx, "canary-message", testUser, test.total)
		if err != nil || len(list) != test.found || all != test.all || f.count() != test.calls {
			t.Errorf("%+v: %d found, all %v, %d calls, %v", test, len(list), all, f.count(), err)
		}
	}
	for _, body := range []string{`{}`, `{"reactions":[{"user_id":1,"type":"x"}]}`, `{"reactions":[{"user_id":"` + testUser + `"}]}`} {
		f := newFixture(t, func(w http.ResponseWriter, r *http.Request, _ int) { raw(200, body)(w, r) })
		if _, _, err := f.ReactionsBy(ctx, "m", testUser, 11); failure(t, err).Kind != KindUnexpectedBody {
			t.Errorf("%s: %v", body, err)
		}
	}
}

func TestExportChannels(t *testing.T) {
	f := newFixture(t, func(w http.ResponseWriter, r *http.Request, _ int) { raw(201, `{"task_id":"t"}`)(w, r) })
	at := time.Date(2026, 1, 2, 3, 4, 5, 6000, time.FixedZone("", 3600))
	for _, test := range []struct {
		export ChannelExport
		want   string
	}{
		{ChannelExport{CIDs: []string{"a:b"}}, `{"channels":[{"cid":"a:b"}]}`},
		{
			ChannelExport{CIDs: []string{"a:b", "a:!members-x"}, Version: ExportV2, Since: at, Until: at.Add(time.Hour),
				ClearDeletedMessageText: true, ExportUsers: true, IncludeSoftDeletedChannels: true, IncludeTruncatedMessages: true},
			`{"channels":[{"cid":"a:b","messages_since":"2026-01-02T02:04:05.000006Z","messages_until":"2026-01-02T03:04:05.000006Z"},` +
				`{"cid":"a:!members-x","messages_since":"2026-01-02T02:04:05.000006Z","messages_until":"2026-01-02T03:04:05.000006Z"}],` +
				`"clear_deleted_message_text":true,"export_users":true,"include_soft_deleted_channels":true,"include_truncated_messages":true,` +
				`"version":"v2"}`,
		},
	} {
		task, err := f.ExportChannels(ctx, test.export)
		requests := f.requests()
		if diff := cmp.Diff(test.want, requests[len(requests)-1].body); err != nil || task != "t" || diff != "" {
			t.Error(task, err, diff)
		}
	}
	sent := f.count()
	for _, cids := range [][]string{nil, make([]string, 26)} {
		if _, err := f.ExportChannels(ctx, ChannelExport{CIDs: cids}); failure(t, err).Kind != KindInput || f.count() != sent {
			t.Errorf("%d channels: %v", len(cids), err)
		}
	}
}

func TestUserRow(t *testing.T) {
	row := `{"id":"` + testUser + `", "n":12345678901234567890,"mutes":[]}`
	for body, want := range map[string]string{`{"users":[` + row + `]}`: row, `{"users":[]}`: "", `{"users":[{"id":"canary-other"}]}`: "",
		`{"users":[` + row + `,` + row + `]}`: "", `{}`: ""} {
		f := newFixture(t, func(w http.ResponseWriter, r *http.Request, _ int) { raw(200, body)(w, r) })
		got, err := f.UserRow(ctx, testUser)
		if string(got) != want || (err == nil) != (want != "") {
			t.Errorf("%s: %s, %v", body, got, err)
		}
		if err != nil {
			failure(t, err)
		}
	}
}
