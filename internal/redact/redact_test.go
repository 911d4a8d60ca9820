// Copyright (c) the terraform-provider-streamchat authors
// SPDX-License-Identifier: MPL-2.0

package redact_test

import (
	"encoding/json"
	"fmt"
	"regexp"
	"strings"
	"testing"

	"github.com/tidwall/gjson"

	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/redact"
)

// bob is somebody else, everything of whom has the word CANARY in it.
const bob = `{"id":"CANARY-bob","name":"CANARY name","image":"https://x/CANARY.png","role":"user","banned":false,"online":true,` +
	`"created_at":"2026-01-01T00:00:00Z","CANARY_field":"CANARY value","teams":["CANARY team"],"nested":{"a":["CANARY"]}}`

const alice = `{"id":"alice","name":"Alice KEEP","role":"user"}`

const (
	bobMessage   = `{"id":"CANARY-bob-9d2f8f0e-5f43-4f2b-8a7e-4a4c7c2a9f10","text":"CANARY words","html":"<p>CANARY</p>","type":"regular","user":` + bob + `,"attachments":[{"type":"image","title":"CANARY","image_url":"https://x/CANARY"}],"cid":"messaging:CANARY-bob","CANARY_custom":"CANARY","created_at":"2026-01-01T00:00:00Z","mentioned_users":[` + bob + `]}`
	bobReaction  = `{"message_id":"m1","user_id":"CANARY-bob","user":` + bob + `,"type":"CANARY-type","score":1,"custom":{"x":"CANARY"},"created_at":"2026-01-01T00:00:00Z"}`
	bobVote      = `{"id":"v","poll_id":"p","option_id":"o","user_id":"CANARY-bob","user":` + bob + `,"answer_text":"CANARY answer","is_answer":true}`
	aliceVote    = `{"id":"v2","poll_id":"p","user_id":"alice","answer_text":"KEEP answer"}`
	ownerless    = `{"id":"CANARY-bob-9d2f8f0e-5f43-4f2b-8a7e-4a4c7c2a9f11","text":"CANARY words","user":null}`
	bobMember    = `{"user_id":"CANARY-bob","user":` + bob + `,"channel_role":"channel_member","custom":{"nick":"CANARY"}}`
	channelOfBob = `{"cid":"messaging:CANARY-bob","id":"CANARY-bob","type":"messaging","name":"CANARY","created_by":` + bob + `,"members":[` + bobMember + `],"CANARY":"CANARY"}`
)

// places are all where an export of Stream's can hold another person, as fields of a
// message of the subject's, and some that it has not yet.
var places = map[string]string{
	"user":                   `"user":` + bob,
	"mentions":               `"mentioned_users":[` + bob + `,` + alice + `]`,
	"mentions by id":         `"mentioned_users":["CANARY-bob"]`,
	"quote":                  `"quoted_message":` + bobMessage + `,"quoted_message_id":"CANARY-bob-9d2f8f0e-5f43-4f2b-8a7e-4a4c7c2a9f10"`,
	"quote without a user":   `"quoted_message":` + ownerless,
	"parent":                 `"parent_id":"CANARY-bob-9d2f8f0e-5f43-4f2b-8a7e-4a4c7c2a9f10","parent_message":` + bobMessage,
	"reactions":              `"latest_reactions":[` + bobReaction + `],"own_reactions":[` + bobReaction + `]`,
	"reaction groups":        `"reaction_groups":{"like":{"count":2,"latest_reactions_by":[{"user_id":"CANARY-bob","user":` + bob + `,"created_at":"2026-01-01T00:00:00Z"}]}}`,
	"pinned by":              `"pinned_by":` + bob,
	"pinned by id":           `"pinned_by":"CANARY-bob"`,
	"thread participants":    `"thread_participants":[` + bob + `]`,
	"poll of another":        `"poll":{"id":"p","name":"CANARY poll","description":"CANARY","created_by":` + bob + `,"created_by_id":"CANARY-bob","options":[{"id":"o","text":"CANARY"}],"own_votes":[` + aliceVote + `],"latest_answers":[` + bobVote + `]}`,
	"votes in one's own":     `"poll":{"id":"p","name":"KEEP poll","created_by_id":"alice","options":[{"id":"o","text":"KEEP option"}],"latest_votes_by_option":{"o":[` + bobVote + `]},"latest_answers":[` + bobVote + `],"own_votes":[` + aliceVote + `]}`,
	"location":               `"shared_location":{"user_id":"alice","latitude":52.5,"channel":` + channelOfBob + `,"message":` + bobMessage + `}`,
	"location of another":    `"shared_location":{"user_id":"CANARY-bob","latitude":52.123456,"created_by_device_id":"CANARY"}`,
	"moderation":             `"moderation":{"action":"remove","original_text":"KEEP original","moderated_by":` + bob + `}`,
	"reminder":               `"reminder":{"user_id":"CANARY-bob","user":` + bob + `,"note":"CANARY"}`,
	"reminder with message":  `"reminder":{"user_id":"alice","remind_at":"2026-01-01T00:00:00Z","message":` + bobMessage + `}`,
	"draft":                  `"draft":{"message":{"id":"m1","text":"KEEP draft"},"quoted_message":` + bobMessage + `,"parent_message":` + ownerless + `}`,
	"member":                 `"member":` + bobMember,
	"members":                `"members":[` + bobMember + `,"CANARY-bob"]`,
	"channel":                `"channel":` + channelOfBob,
	"groups":                 `"mentioned_groups":[{"id":"g","name":"CANARY","created_by":"CANARY-bob","members":[{"user_id":"CANARY-bob"}]}]`,
	"visibility":             `"restricted_visibility":["CANARY-bob","alice"]`,
	"deleted by":             `"deleted_by":` + bob + `,"deleted_by_id":"CANARY-bob"`,
	"read":                   `"read":[{"user":` + bob + `,"last_read":"2026-01-01T00:00:00Z"}]`,
	"read by person":         `"read_by":{"CANARY-bob":{"user_id":"CANARY-bob","at":"CANARY"}}`,
	"later: holds a user":    `"co_reading":{"user":` + bob + `,"remark":"CANARY","deep":{"list":["CANARY"]}}`,
	"later: a user":          `"helper":` + bob,
	"later: a list of users": `"helpers":[` + bob + `]`,
	"later: deep":            `"later":{"a":[{"b":{"c":` + bob + `,"said":"CANARY"}}]}`,
	"later: ids":             `"assigned_user_id":"CANARY-bob","seen_user_ids":["CANARY-bob"],"answer_to":"CANARY-bob-9d2f8f0e-5f43-4f2b-8a7e-4a4c7c2a9f10"`,
}

// keeps is in every message: the subject's own, also where it looks like others'.
const keeps = `"id":"m1","text":"KEEP text to @Bob","html":"<p>KEEP</p>","user_id":"alice","cid":"messaging:CANARY-bob","created_at":"2026-01-02T00:00:00Z",` +
	`"KEEP_custom":{"id":"42","title":"KEEP lamp","n":9007199254740993},"order":["KEEP",1,null,true],` +
	`"attachments":[{"type":"route","asset_url":"https://cdn/KEEP.pdf","stops":[{"name":"KEEP stop"}]}],"i18n":{"de_text":"KEEP translated"}`

func redacted(t *testing.T, export string) string {
	t.Helper()
	r := redact.New("alice")
	each := func(do func(field string, value gjson.Result)) {
		for name, member := range gjson.Parse(export).ForEach {
			if !member.IsArray() {
				do(name.Str, member)
				continue
			}
			for _, element := range member.ForEach {
				do(name.Str, element)
			}
		}
	}
	each(r.Learn)
	var out []string
	each(func(field string, value gjson.Result) {
		text := string(r.Append(nil, field, value))
		if !json.Valid([]byte(text)) {
			t.Fatalf("not JSON: %s", text)
		}
		out = append(out, text)
	})
	return strings.Join(out, "\n")
}

func TestCanary(t *testing.T) {
	t.Parallel()
	want := strings.Count(keeps, "KEEP")
	check := func(name, field string) {
		got := redacted(t, `{"user":{"id":"alice","name":"KEEP me","invited_by":`+bob+`,"mutes":[{"user":`+alice+`,"target":`+bob+`}],"blocked_user_ids":["CANARY-bob"]},`+
			`"messages":[{`+keeps+`,`+field+`}],"reactions":[{"user_id":"alice","message_id":"CANARY-bob-9d2f8f0e-5f43-4f2b-8a7e-4a4c7c2a9f10","type":"love","user":null,`+field+`}]}`)
		if at := strings.Index(got, "CANARY"); at >= 0 {
			t.Errorf("%s: …%s…", name, got[max(0, at-60):min(len(got), at+60)])
		}
		// In the message and in the reaction.
		if kept := strings.Count(got, "KEEP"); kept != 1+want+2*strings.Count(field, "KEEP")+1 {
			t.Errorf("%s: %d of the subject's own are left: %s", name, kept, got)
		}
	}
	var all []string
	for name, field := range places {
		check(name, field)
		if !strings.Contains(strings.Join(all, ","), field[:strings.Index(field, ":")+1]) {
			all = append(all, field)
		}
	}
	check("all at once", strings.Join(all, ","))
}

// The same person has the same name everywhere, and another one another.
func TestConsistent(t *testing.T) {
	t.Parallel()
	got := redacted(t, `{"user":{"id":"alice"},"messages":[{"id":"a","cid":"messaging:x","mentioned_users":[{"id":"bob"},{"id":"carol"}],"pinned_by":{"id":"carol"}},`+
		`{"id":"b","cid":"messaging:x","parent_id":"a","latest_reactions":[{"user_id":"bob","user":{"id":"bob"}}],"quoted_message_id":"zz"}],"reactions":[{"user_id":"alice","message_id":"zz"}]}`)
	if strings.Count(got, `"participant 1"`) != 3 || strings.Count(got, `"participant 2"`) != 2 || strings.Contains(got, "participant 3") {
		t.Error(got)
	}
	refs := regexp.MustCompile(`message-[0-9a-f]{16}`).FindAllString(got, -1)
	if len(refs) != 2 || refs[0] != refs[1] || !strings.Contains(got, `"parent_id":"a"`) || strings.Count(got, "messaging:conversation-1") != 2 {
		t.Error(got)
	}
}

// What is nobody else's stays as the very bytes.
func TestNothingLost(t *testing.T) {
	t.Parallel()
	own := `{"id":"m","text":"a \u00e9 \/ b","n":1e400,"x":{"id":"7","name":"Lamp","list":[{},[],null,1.50]},"user":null,"cid":"messaging:!members-abc","score":-0}`
	if got := redacted(t, `{"user":{"id":"alice","custom":`+own+`},"messages":[`+own+`]}`); !strings.HasSuffix(got, own) || !strings.Contains(got, `"custom":`+own) {
		t.Error(got)
	}
}

func FuzzAppend(f *testing.F) {
	for _, field := range places {
		f.Add(`{` + keeps + `,` + field + `}`)
	}
	f.Fuzz(func(t *testing.T, message string) {
		if !json.Valid([]byte(message)) || len(message) > 1<<16 {
			return
		}
		r := redact.New("alice")
		value := gjson.Parse(message)
		r.Learn("messages", value)
		if out := r.Append(nil, "messages", value); !json.Valid(out) {
			t.Errorf("not JSON: %s", out)
		}
		// Whatever it is, beside it a user of an unknown field is left out.
		wrapped := fmt.Sprintf(`{"a":%s,"b":%s}`, message, bob)
		if !strings.Contains(message, "CANARY") {
			if out := r.Append(nil, "messages", gjson.Parse(wrapped)); strings.Contains(string(out), "CANARY") {
				t.Errorf("somebody else is left: %s", out)
			}
		}
	})
}
