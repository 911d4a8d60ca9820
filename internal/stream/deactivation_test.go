// Copyright (c) the terraform-provider-streamchat authors
// SPDX-License-Identifier: MPL-2.0

package stream

import (
	"fmt"
	"net/http"
	"testing"
)

const (
	activeRow      = `{"id":"` + testUser + `","role":"user"}`
	deactivatedRow = `{"id":"` + testUser + `","role":"user","deactivated_at":"2026-02-01T00:00:00Z"}`
)

func TestDeactivationRequests(t *testing.T) {
	f := newFixture(t, func(w http.ResponseWriter, r *http.Request, n int) {
		row := deactivatedRow
		if n > 2 {
			row = activeRow
		}
		raw(201, `{"user":`+row+`,"duration":"1ms"}`)(w, r)
	})
	user, err := f.DeactivateUser(ctx, testUser, Deactivation{})
	if err != nil || user.DeactivatedAt == nil || user.ID != testUser {
		t.Errorf("%+v %v", user, err)
	}
	if _, err := f.DeactivateUser(ctx, testUser, Deactivation{MarkMessagesDeleted: true}); err != nil {
		t.Error(err)
	}
	if user, err = f.ReactivateUser(ctx, testUser, Reactivation{}); err != nil || user.DeactivatedAt != nil || user.ID != testUser {
		t.Errorf("%+v %v", user, err)
	}
	if _, err := f.ReactivateUser(ctx, testUser, Reactivation{RestoreMessages: true}); err != nil {
		t.Error(err)
	}
	path := "/users/canary-user@1/"
	want := []string{
		"POST " + path + "deactivate {}", "POST " + path + `deactivate {"mark_messages_deleted":true}`,
		"POST " + path + "reactivate {}", "POST " + path + `reactivate {"restore_messages":true}`, // no name, no created_by_id
	}
	for i, r := range f.requests() {
		if got := fmt.Sprint(r.method, " ", r.path, " ", r.body); got != want[i] {
			t.Errorf("%s, want %s", got, want[i])
		}
	}
	for _, id := range []string{"", ".", ".."} {
		if _, err := f.DeactivateUser(ctx, id, Deactivation{}); failure(t, err).Kind != KindInput {
			t.Error(err)
		}
	}
	if f.count() != 4 {
		t.Errorf("%d requests", f.count())
	}
}

// Where the answer does not prove it, the look-up decides.
func TestDeactivationIsSettledByTheLookUp(t *testing.T) {
	refusal := func(code int, inner string) string {
		return fmt.Sprintf(`{"code":%d,"message":"Op failed with error: \"%s\"","StatusCode":400}`, code, inner)
	}
	for name, tt := range map[string]struct {
		status       int
		answer, rows string
		reactivate   bool
		kind         Kind // "" is success
	}{
		"already deactivated, refused": {404, refusal(16, "the user "+testUser+" was deactivated"), deactivatedRow, false, ""},
		"already active, refused":      {400, refusal(4, "user "+testUser+" is not deactivated"), activeRow, true, ""},
		"no user in the answer":        {201, `{"duration":"1ms"}`, deactivatedRow, false, ""},
		"answer says still active":     {201, `{"user":` + activeRow + `}`, activeRow, false, KindUnexpectedBody},
		"answer about somebody else": {201, `{"user":{"id":"canary-2","deactivated_at":"2026-02-01T00:00:00Z"}}`, activeRow, false,
			KindUnexpectedBody},
		"numbers for times":               {201, `{"user":{"id":"` + testUser + `","deactivated_at":17}}`, activeRow, false, KindUnexpectedBody},
		"deleted":                         {404, refusal(16, "the user "+testUser+" was deleted"), "", false, KindNotFound},
		"never existed":                   {404, refusal(16, "the user "+testUser+" does not exist"), "", true, KindNotFound},
		"name taken":                      {400, refusal(6, "username 'canary' already exists"), deactivatedRow, true, KindInput},
		"server fails, done all the same": {500, refusal(-1, "canary"), deactivatedRow, false, ""},
		"server fails":                    {500, refusal(-1, "canary"), activeRow, false, KindServer},
		"forbidden":                       {403, refusal(17, "canary"), deactivatedRow, false, KindForbidden},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t, func(w http.ResponseWriter, r *http.Request, _ int) {
				if r.Method == http.MethodGet {
					raw(200, `{"users":[`+tt.rows+`]}`)(w, r)
					return
				}
				raw(tt.status, tt.answer)(w, r)
			}, retries(0))
			var user User
			var err error
			if tt.reactivate {
				user, err = f.ReactivateUser(ctx, testUser, Reactivation{})
			} else {
				user, err = f.DeactivateUser(ctx, testUser, Deactivation{})
			}
			switch {
			case tt.kind != "":
				if e := failure(t, err); e.Kind != tt.kind || user.ID != "" {
					t.Errorf("%+v %+v", e, user)
				}
			case err != nil || user.ID != testUser || (user.DeactivatedAt == nil) != tt.reactivate:
				t.Errorf("%+v %v", user, err)
			}
		})
	}
}
