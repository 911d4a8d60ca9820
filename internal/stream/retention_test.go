// Copyright (c) the terraform-provider-streamchat authors
// SPDX-License-Identifier: MPL-2.0

package stream

import (
	"net/http"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestRetentionPolicies(t *testing.T) {
	enabled := time.Date(2026, 2, 1, 0, 0, 0, 0, time.UTC)
	row := `{"app_pk":1,"policy":"old-messages","config":{"max_age_hours":24},"enabled_at":"2026-02-01T01:00:00+01:00"}`
	policy := RetentionPolicy{Name: "old-messages", MaxAgeHours: 24, EnabledAt: &enabled}
	for body, want := range map[string][]RetentionPolicy{
		`{"policies":[` + row + `]}`: {policy},
		`{"policies":[]}`:            {},
		`{"policies":null}`:          nil,
		`{"policies":[` + row + `,{"policy":"inactive-channels","config":{"max_age_hours":43800,"x":1}}]}`: {policy,
			{Name: "inactive-channels", MaxAgeHours: 43800}},
	} {
		f := newFixture(t, func(w http.ResponseWriter, r *http.Request, _ int) { raw(200, body)(w, r) }, retries(0))
		got, err := f.RetentionPolicies(ctx)
		if diff := cmp.Diff(want, got); err != nil || diff != "" {
			t.Error(body, err, diff)
		}
	}
	for _, body := range []string{
		`{}`, `{"policies":{}}`, `{"policies":[null]}`, `{"policies":[{}]}`, `{"policies":[{"policy":"old-messages"}]}`,
		`{"policies":[{"policy":"old-messages","config":{}}]}`, `{"policies":[{"policy":"old-messages","config":{"max_age_hours":"24"}}]}`,
		`{"policies":[{"policy":"old-messages","config":{"max_age_hours":24},"enabled_at":17}]}`, `{"error":"canary"}`,
	} {
		f := newFixture(t, func(w http.ResponseWriter, r *http.Request, _ int) { raw(200, body)(w, r) }, retries(0))
		if got, err := f.RetentionPolicies(ctx); failure(t, err).Kind != KindUnexpectedBody {
			t.Error(body, got, err)
		}
	}
}

func TestSetAndDeleteRetentionPolicy(t *testing.T) {
	const (
		held   = `{"policies":[{"policy":"old-messages","config":{"max_age_hours":24}}]}`
		none   = `{"policies":[]}`
		failed = `{"code":-1,"message":"Op failed with error: \"canary\"","StatusCode":500}`
		absent = `{"code":16,"message":"Op failed with error: \"canary\"","StatusCode":404}`
	)
	for name, tt := range map[string]struct {
		status       int
		answer, list string
		remove       bool
		kind         Kind
		requests     int
	}{
		"set": {201, `{"policy":{"policy":"old-messages","config":{"max_age_hours":24}}}`, "", false, "", 1},
		"confirms another age": {201, `{"policy":{"policy":"old-messages","config":{"max_age_hours":25}}}`, none, false, KindUnexpectedBody,
			2},
		"confirms another policy": {201, `{"policy":{"policy":"inactive-channels","config":{"max_age_hours":24}}}`, none, false,
			KindUnexpectedBody, 2},
		"confirms nothing":           {201, `{}`, held, false, "", 2},
		"fails and is set":           {500, failed, held, false, "", 2},
		"fails":                      {500, failed, none, false, KindServer, 2},
		"is refused":                 {400, `{"code":4,"message":"canary","StatusCode":400}`, held, false, KindInput, 1},
		"remove":                     {201, `{"duration":"1ms"}`, "", true, "", 1},
		"remove what is not there":   {404, absent, none, true, "", 2},
		"remove fails":               {500, failed, held, true, KindServer, 2},
		"remove fails, but is gone":  {500, failed, none, true, "", 2},
		"remove fails, list as well": {500, failed, `{}`, true, KindServer, 2},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t, func(w http.ResponseWriter, r *http.Request, _ int) {
				if r.Method == http.MethodGet {
					raw(200, tt.list)(w, r)
					return
				}
				raw(tt.status, tt.answer)(w, r)
			}, retries(0))
			var err error
			want := seen{path: "/retention_policy", body: `{"max_age_hours":24,"policy":"old-messages"}`}
			if tt.remove {
				want = seen{path: "/retention_policy/delete", body: `{"policy":"old-messages"}`}
				err = f.DeleteRetentionPolicy(ctx, "old-messages")
			} else {
				var p RetentionPolicy
				if p, err = f.SetRetentionPolicy(ctx, "old-messages", 24); err == nil && (p.MaxAgeHours != 24 || p.Name != "old-messages") {
					t.Errorf("%+v", p)
				}
			}
			if tt.kind == "" && err != nil || tt.kind != "" && failure(t, err).Kind != tt.kind {
				t.Error(err)
			}
			if r := f.requests(); len(r) != tt.requests || r[0].method != http.MethodPost || r[0].path != want.path || r[0].body != want.body {
				t.Errorf("%d requests: %+v", len(r), r[0])
			}
		})
	}
}
