// Copyright (c) the terraform-provider-streamchat authors
// SPDX-License-Identifier: MPL-2.0

package user_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"testing"

	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/acctest"
)

var (
	attr   = acctest.Attr
	says   = acctest.Says
	expect = acctest.Expect
)

func seed(t testing.TB, s *acctest.Stream, json string) {
	t.Helper()
	s.Fill(t, json)
}

func call(t *testing.T, s *acctest.Stream, method, path, body string) (int, []byte) {
	t.Helper()
	return s.Call(t, method, path, body)
}

func createPoll(t *testing.T, s *acctest.Stream, userID string) string {
	t.Helper()
	status, body := call(t, s, http.MethodPost, "/polls", fmt.Sprintf(`{"name":"Lunch?","user_id":%q,"options":[{"text":"yes"},{"text":"no"}]}`, userID))
	var answer struct{ Poll struct{ ID string } }
	if err := json.Unmarshal(body, &answer); err != nil || answer.Poll.ID == "" {
		t.Fatalf("creating a poll: %d %s %v", status, body, err)
	}
	return answer.Poll.ID
}
