// Copyright (c) the terraform-provider-streamchat authors
// SPDX-License-Identifier: MPL-2.0

package stream

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
)

func TestConversationsOf(t *testing.T) {
	f := newFixture(t, func(w http.ResponseWriter, r *http.Request, n int) {
		if n == 1 {
			raw(201, `{"channels":[{"channel":{"cid":"messaging:a","created_at":"2026-01-01T00:00:00Z"}}]}`)(w, r)
			return
		}
		raw(201, `{"channels":[]}`)(w, r)
	})
	cids, err := f.ConversationsOf(ctx, testUser)
	if err != nil || len(cids) != 1 || cids[0] != "messaging:a" {
		t.Error(cids, err)
	}
	if body := f.requests()[0].body; !strings.Contains(body, `"member_count":{"$eq":2}`) ||
		!strings.Contains(body, `"members":{"$in":["`+testUser+`"]}`) {
		t.Error(body)
	}
}

// found is a page of search results with the messages m<from> to m<to>.
func found(from, to int, next string) string {
	rows := make([]string, 0, to-from)
	for i := from; i < to; i++ {
		rows = append(rows, fmt.Sprintf(`{"message":{"id":"m%d","text":"canary"}}`, i))
	}
	return fmt.Sprintf(`{"results":[%s],"next":%q}`, strings.Join(rows, ","), next)
}

func TestCountMessages(t *testing.T) {
	for name, tt := range map[string]struct {
		pages []string
		most  int
		want  int // -1: KindUnexpectedBody
	}{
		"none":               {[]string{`{"results":[]}`}, 1000, 0},
		"one page":           {[]string{found(0, 40, "")}, 1000, 40},
		"pages that overlap": {[]string{found(0, 100, "a"), found(90, 190, "b"), found(190, 200, "")}, 1000, 200},
		"up to the most":     {[]string{found(0, 100, "a"), found(100, 200, "b")}, 150, 150},
		"an empty page":      {[]string{found(0, 100, "a"), found(0, 0, "b"), found(100, 101, "")}, 1000, 101},
		"round in circles":   {[]string{found(0, 100, "a"), found(100, 200, "a")}, 1000, -1},
		"no list":            {[]string{`{}`}, 1000, -1},
		"no message":         {[]string{`{"results":[{}]}`}, 1000, -1},
		"no id":              {[]string{`{"results":[{"message":{"id":7}}]}`}, 1000, -1},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t, func(w http.ResponseWriter, r *http.Request, n int) {
				var q struct {
					Channels map[string]any `json:"filter_conditions"`
					Messages map[string]any `json:"message_filter_conditions"`
					Limit    int
					Offset   *int
				}
				if err := json.Unmarshal([]byte(r.URL.Query().Get("payload")), &q); err != nil || len(q.Channels) == 0 || q.Limit != 100 ||
					q.Offset != nil ||
					fmt.Sprint(q.Messages) != "map[user.id:map[$eq:"+testUser+"]]" {
					t.Errorf("%+v %v", q, err)
				}
				raw(200, tt.pages[n-1])(w, r)
			}, retries(0))
			n, err := f.CountMessages(ctx, testUser, tt.most)
			if tt.want < 0 {
				if e := failure(t, err); e.Kind != KindUnexpectedBody {
					t.Error(e)
				}
			} else if err != nil || n != tt.want || f.count() != len(tt.pages) {
				t.Errorf("%d messages in %d pages, %v", n, f.count(), err)
			}
		})
	}
}
