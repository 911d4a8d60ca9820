// Copyright (c) the terraform-provider-streamchat authors
// SPDX-License-Identifier: MPL-2.0

package emulator_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	stream "github.com/GetStream/stream-chat-go/v6"
	"github.com/golang-jwt/jwt/v5"

	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/emulator"
)

func TestAuthFailures(t *testing.T) {
	w := start(t, emulator.Options{})
	populate(t, w)
	server := w.token(jwt.MapClaims{"server": true})
	now := w.clock.Now().Unix()
	forged, err := jwt.NewWithClaims(jwt.SigningMethodHS256, jwt.MapClaims{"server": true}).SignedString([]byte("other"))
	if err != nil {
		t.Fatal(err)
	}
	none, err := jwt.NewWithClaims(jwt.SigningMethodNone, jwt.MapClaims{"server": true}).SignedString(jwt.UnsafeAllowNoneSignatureType)
	if err != nil {
		t.Fatal(err)
	}
	key := "?api_key=" + w.APIKey()
	tests := map[string]struct {
		query, token, authType string
		status, code           int
		message                string
	}{
		"no key":        {"", server, "jwt", 401, 2, "api_key or app_id not provided"},
		"key first":     {"", "junk", "", 401, 2, "api_key or app_id not provided"},
		"bad key":       {"?api_key=x", server, "jwt", 401, 2, "api_key not valid"},
		"no auth type":  {key, server, "", 401, 5, "stream-auth-type missing or invalid"},
		"no token":      {key, "", "jwt", 401, 5, "JWTAuth error: token contains an invalid number of segments"},
		"bearer":        {key, "Bearer " + server, "jwt", 401, 5, "JWTAuth error: token contains an invalid number of segments"},
		"bad signature": {key, forged, "jwt", 401, 5, "Token signature is invalid"},
		"no algorithm":  {key, none, "jwt", 401, 5, "Token signature is invalid"},
		"expired":       {key, w.token(jwt.MapClaims{"user_id": "alice", "exp": now - 1}), "jwt", 401, 40, "JWTAuth error: token is expired (exp)"},
		"too early":     {key, w.token(jwt.MapClaims{"user_id": "alice", "nbf": now + 60}), "jwt", 401, 41, "JWTAuth error: token is not valid yet (nbf)"},
		"from later":    {key, w.token(jwt.MapClaims{"user_id": "alice", "iat": now + 60}), "jwt", 401, 42, "JWTAuth error: token used before issue at (iat)"},
		"nobody":        {key, w.token(jwt.MapClaims{"user_id": "nobody"}), "jwt", 404, 16, "the user nobody does not exist"},
		"server only":   {key, w.userToken("alice"), "jwt", 403, 17, "this endpoint can only be called server side"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			req, err := http.NewRequestWithContext(t.Context(), "GET", w.URL+"/rate_limits"+test.query, nil)
			if err != nil {
				t.Fatal(err)
			}
			req.Header.Set("Authorization", test.token)
			req.Header.Set("Stream-Auth-Type", test.authType)
			a, err := w.do(req)
			if err != nil {
				t.Fatal(err)
			}
			a.wantError(t, test.status, test.code, `GetRateLimits failed with error: "`+test.message+`"`)
			if a.header.Get("X-RateLimit-Limit") == "" || a.header.Get("Content-Type") != "application/json" {
				t.Errorf("the headers are %v", a.header)
			}
		})
	}
	w.callAs(w.userToken("alice"), "GET", "/users/alice/export", "").
		wantError(t, 403, 17, `ExportUser failed with error: "users can only be exported server side"`)

	for _, r := range [][2]string{{"GET", "/nothing"}, {"PUT", "/users"}, {"POST", "/users/delete/"}, {"GET", "/users/alice/export/x"}, {"DELETE", "/"}} {
		a := w.call(r[0], r[1], "")
		a.wantError(t, 404, 16, `Request failed with error: "Not Found"`)
		if a.header.Get("X-RateLimit-Limit") == "" {
			t.Error("no rate limit headers")
		}
	}
	if w.Count("Request") != 5 {
		t.Errorf("%d unknown requests", w.Count("Request"))
	}
}

func TestTokenRevocationThroughSDK(t *testing.T) {
	w := start(t, emulator.Options{})
	populate(t, w)
	old, eternal := w.userToken("alice"), w.token(jwt.MapClaims{"user_id": "alice"})
	w.callAs(old, "GET", "/app", "").want(t, 200)
	w.callAs(eternal, "GET", "/app", "").want(t, 200)

	w.clock.Advance(10 * time.Second)
	if _, err := w.sdk.RevokeUserToken(bg(), "alice", ptr(w.clock.Now())); err != nil {
		t.Fatal(err)
	}
	for _, tok := range []string{old, eternal} {
		w.callAs(tok, "GET", "/app", "").wantError(t, 401, 40, `GetApp failed with error: "JWTAuth error: token is revoked (iat)"`)
	}
	w.clock.Advance(time.Second)
	w.callAs(w.userToken("alice"), "GET", "/app", "").want(t, 200)
	if s, _ := w.User("alice"); s.RevokeTokensIssuedBefore.IsZero() {
		t.Error("the revocation is not recorded")
	}
	if _, err := w.sdk.RevokeUserToken(bg(), "alice", nil); err != nil {
		t.Fatal(err)
	}
	w.callAs(old, "GET", "/app", "").want(t, 200)

	// App-wide, and not for server tokens.
	w.call("PATCH", "/app", `{"revoke_tokens_issued_before":"`+w.clock.Now().Add(time.Second).Format(time.RFC3339)+`"}`).want(t, 200)
	if a := w.callAs(w.userToken("bob"), "GET", "/app", ""); a.status != 401 {
		t.Errorf("got %d", a.status)
	}
	must(w.sdk.GetAppSettings(bg()))(t)

	w.call("PATCH", "/app", `{"revoke_tokens_issued_before":null}`).want(t, 200)
	if _, err := w.sdk.DeactivateUser(bg(), "alice"); err != nil {
		t.Fatal(err)
	}
	w.callAs(old, "GET", "/app", "").wantError(t, 404, 16, `GetApp failed with error: "the user alice was deactivated"`)
	_, err := w.sdk.RevokeUserToken(bg(), "alice", nil)
	wantError(t, err, 404, 16, "the user alice was deactivated")
}

// What stream-chat-js does for a signed-in user: the API key and more in the
// query, the token as it is, a client header of its own.
func TestJavaScriptClient(t *testing.T) {
	w := start(t, emulator.Options{})
	msgs := populate(t, w)
	js := func(user, method, path, body string) answer {
		t.Helper()
		sep := "?"
		if strings.Contains(path, "?") {
			sep = "&"
		}
		url := w.URL + path + sep + "user_id=" + user + "&api_key=" + w.APIKey() + "&connection_id=c1"
		req, err := http.NewRequestWithContext(t.Context(), method, url, strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Authorization", w.userToken(user))
		req.Header.Set("Stream-Auth-Type", "jwt")
		req.Header.Set("X-Stream-Client", "stream-chat-javascript-client")
		req.Header.Set("X-Client-Request-Id", "r1")
		req.Header.Set("Content-Type", "application/json")
		a, err := w.do(req)
		if err != nil {
			t.Fatal(err)
		}
		return a
	}
	a := js("carol", "POST", "/channels", `{"filter_conditions":{"members":{"$in":["carol"]}},"sort":[{"field":"last_message_at","direction":-1}],"state":true,"watch":true,"presence":false}`)
	a.want(t, 201, `"cid":"team:group"`, `"membership":{"user_id":"carol"`)
	if a.header.Get("X-RateLimit-Limit") != "60" || a.header.Get("X-RateLimit-Remaining") != "59" {
		t.Errorf("the headers are %v", a.header)
	}
	if strings.Contains(string(a.body), "messaging:chat") {
		t.Error("carol sees a channel that she is not in")
	}
	js("carol", "GET", "/users?payload="+`%7B%22filter_conditions%22%3A%7B%22name%22%3A%7B%22%24autocomplete%22%3A%22al%22%7D%7D%7D`, "").want(t, 200, `"id":"alice"`)
	a = js("carol", "POST", "/channels/team/group/message", `{"message":{"id":"carol-1","text":"from js","attachments":[],"mentioned_users":["bob"],"mood":"fine"}}`)
	a.want(t, 201, `"id":"carol-1"`, `"user":{"id":"carol"`, `"mentioned_users":[{"id":"bob"`, `"mood":"fine"`)
	js("carol", "POST", "/channels/team/group/message", `{"message":{"id":"carol-1","text":"again"}}`).
		wantError(t, 400, 4, `SendMessage failed with error: "a message with ID carol-1 already exists"`)
	js("carol", "POST", "/channels/messaging/chat/message", `{"message":{"text":"not mine"}}`).
		wantError(t, 403, 17, `SendMessage failed with error: "User 'carol' with role user is not allowed to perform action SendMessage in scope 'messaging'"`)
	js("carol", "POST", "/messages/"+msgs["alice-group"]+"/reaction", `{"reaction":{"type":"love"}}`).want(t, 201, `"own_reactions":[{"message_id"`)
	js("carol", "DELETE", "/messages/"+msgs["alice-group"], "").
		wantError(t, 403, 17, `DeleteMessage failed with error: "User 'carol' with role user is not allowed to perform action DeleteMessage in scope 'team'"`)
	js("carol", "DELETE", "/messages/carol-1?hard=true", "").want(t, 200, `"type":"deleted"`)
	js("carol", "POST", "/users", `{"users":{"carol":{"id":"carol","name":"Carol"}}}`).want(t, 201, `"name":"Carol"`)
	js("carol", "POST", "/users", `{"users":{"bob":{"id":"bob","name":"Not Bob"}}}`).
		wantError(t, 403, 17, `UpdateUsers failed with error: "User 'carol' is not allowed to update user 'bob'"`)
	js("carol", "POST", "/channels/messaging/mine/query", `{"data":{"members":["bob"]},"state":true}`).want(t, 201, `"member_count":2`)
	// An end user's deletion of channels answers at once.
	js("carol", "POST", "/channels/delete", `{"cids":["messaging:mine"],"hard_delete":true}`).want(t, 201, `"result":{"messaging:mine":{"status":"ok"}}`)
	if _, ok := w.Channel("messaging:mine"); ok {
		t.Error("the channel is still there")
	}
	if s, _ := w.User("carol"); s.Name != "Carol" {
		t.Errorf("carol is %+v", s)
	}
	if r := w.Requests("SendMessage"); r[len(r)-1].TokenUser != "carol" || r[len(r)-1].ServerSide {
		t.Errorf("recorded %+v", r[len(r)-1])
	}

	must(w.sdk.DeleteUsers(bg(), []string{"carol"}, stream.DeleteUserOptions{User: stream.SoftDelete}))(t)
	js("carol", "POST", "/channels", `{}`).wantError(t, 404, 16, `QueryChannels failed with error: "the user carol was deleted"`)
}
