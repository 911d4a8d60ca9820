// Copyright (c) the terraform-provider-streamchat authors
// SPDX-License-Identifier: MPL-2.0

package stream

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"
)

// noisy gives every object custom fields that differ from Stream's only by case.
func noisy(value any) any {
	switch v := value.(type) {
	case map[string]any:
		out := map[string]any{}
		for name, member := range v {
			out[name] = noisy(member)
			for _, other := range []string{strings.ToUpper(name), strings.ToUpper(name[:1]) + name[1:]} {
				if _, taken := v[other]; !taken {
					out[other] = 7
				}
			}
		}
		return out
	case []any:
		for i := range v {
			v[i] = noisy(v[i])
		}
	}
	return value
}

// A custom field is none of Stream's own, whatever it is called: Stream's names are compared
// by case.
func TestRowsAreDecodedByCase(t *testing.T) {
	const user = `{"id":"alice","name":"Alice","role":"user","created_at":"2026-01-02T03:04:05Z"}`
	const channel = `{"cid":"messaging:a","name":"Team","created_at":"2026-01-02T03:04:05Z","member_count":2,"created_by":` + user + `}`
	const message = `{"id":"m1","cid":"messaging:a","text":"hi","type":"regular","created_at":"2026-01-02T03:04:05Z","updated_at":"2026-01-02T03:04:05Z","user":` + user + `}`
	rows := `{"channels":[{"channel":` + channel + `,"members":[{"user_id":"alice","user":` + user + `},{"user_id":"bob","user":null}],"messages":[` + message + `]}]}`
	for name, test := range map[string]struct {
		body   string
		decode func([]byte) (any, error)
	}{
		"cards":    {rows, func(b []byte) (any, error) { return decodeCards(b) }},
		"channels": {rows, func(b []byte) (any, error) { return decodeChannels(b, []string{"messaging:a"}) }},
		"rows":     {rows, func(b []byte) (any, error) { return decodeChannelRows(b) }},
		"users":    {`{"users":[` + user + `]}`, func(b []byte) (any, error) { return decodeUsers(b, []string{"alice"}) }},
		"message":  {`{"message":` + message + `}`, func(b []byte) (any, error) { return decodeMessage(b, "m1") }},
		"search":   {`{"results":[{"message":` + message + `}],"next":"x"}`, func(b []byte) (any, error) { return decodeSearch(b) }},
		"policies": {`{"policies":[{"policy":"old-messages","enabled_at":"2026-01-02T03:04:05Z","config":{"max_age_hours":24}}]}`, func(b []byte) (any, error) { return decodePolicies(b) }},
	} {
		want, err := test.decode([]byte(test.body))
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		var value any
		if err := json.Unmarshal([]byte(test.body), &value); err != nil {
			t.Fatal(err)
		}
		body, err := json.Marshal(noisy(value))
		if err != nil {
			t.Fatal(err)
		}
		got, err := test.decode(body)
		if users, ok := got.(map[string]User); ok { // whose fields are kept, custom ones too
			for id, u := range users {
				u.Fields = want.(map[string]User)[id].Fields
				users[id] = u
			}
		}
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%s: %v\n%+v\nwant %+v", name, err, got, want)
		}
	}
}
