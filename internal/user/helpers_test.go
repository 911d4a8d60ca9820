// Copyright (c) the terraform-provider-streamchat authors
// SPDX-License-Identifier: MPL-2.0

package user_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/golang-jwt/jwt/v5"

	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/acctest"
)

func serverToken(t *testing.T, s *acctest.Stream) string {
	t.Helper()
	token, err := jwt.NewWithClaims(jwt.SigningMethodHS256, jwt.MapClaims{"server": true}).SignedString([]byte(s.APISecret()))
	if err != nil {
		t.Fatal(err)
	}
	return token
}

// call makes a request as curl would, and returns status and body.
func call(t *testing.T, s *acctest.Stream, method, path, body string) (int, []byte) {
	t.Helper()
	separator := "?"
	if strings.Contains(path, "?") {
		separator = "&"
	}
	req, err := http.NewRequestWithContext(t.Context(), method, s.URL+path+separator+"api_key="+s.APIKey(), strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", serverToken(t, s))
	req.Header.Set("Stream-Auth-Type", "jwt")
	req.Header.Set("Content-Type", "application/json")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	raw, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, raw
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
