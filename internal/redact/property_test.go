// Copyright (c) the terraform-provider-streamchat authors
// SPDX-License-Identifier: MPL-2.0

package redact

import (
	"encoding/json"
	"fmt"
	"maps"
	"math/rand/v2"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/tidwall/gjson"
)

const (
	someone = `{"id":"CANARY-bob","role":"user","name":"CANARY name","created_at":"2026-01-01T00:00:00Z","banned":false,"online":true}`
	theirID = "CANARY-bob-9d2f8f0e-5f43-4f2b-8a7e-4a4c7c2a9f10"
)

// pass makes both passes over an export of messages, reactions and a user.
func pass(t testing.TB, export string) string {
	t.Helper()
	r := New("alice")
	var out []byte
	for _, do := range []func(string, gjson.Result){r.Learn, func(field string, value gjson.Result) {
		out = append(r.Append(out, field, value), '\n')
	}} {
		for name, value := range gjson.Parse(export).ForEach {
			if value.IsArray() {
				for _, element := range value.ForEach {
					do(name.Str, element)
				}
			} else {
				do(name.Str, value)
			}
		}
	}
	for line := range strings.Lines(string(out)) {
		if !json.Valid([]byte(line)) {
			t.Fatalf("not JSON: %s", line)
		}
	}
	return string(out)
}

// anything is a JSON value, with white space and numbers as somebody may write them.
func anything(rnd *rand.Rand, names []string, depth int) string {
	n := 9
	if depth == 0 {
		n = 7
	}
	one := func(of ...string) string { return of[rnd.IntN(len(of))] }
	switch rnd.IntN(n) {
	case 0:
		return one("true", "false", "null")
	case 1:
		return one("0", "-1.50", "1e400", "9007199254740993", "0.1e-2")
	case 2:
		return one(`"carol"`, `"UPS"`, `"me"`, `"C-12345"`, `"3f2504e0-4f89-41d3-9a0c-0305e82c3301"`, `"messaging:lobby"`, `"\u00e9 \/ é"`, `"2026-01-01T00:00:00Z"`)
	case 3:
		return one(`{}`, `[]`, `{"id":"7"}`, `{"id":"7","name":"Lamp"}`, `{"id":"door","online":true}`, `{"id":"j","role":"editor"}`, `{"id":7,"user":"me"}`)
	case 4:
		return one(`{"user":{"id":"desk-9","name":"Me at the desk"},"subject":"help"}`, `{"created_by":"system","rows":[1,2]}`, `{"user_id":"ext-5","score": 3}`)
	case 5:
		return one(`["a","b"]`, `[ "a" , 1 ]`, `[{"id":"x"},{"id":"y","image":"z"}]`, `{"message":{"id":"q","text":"own"}}`)
	case 6:
		return `"` + one("bob@example.com", "order-9d2f8f0e-5f43-4f2b-8a7e-4a4c7c2a9f10", "https://x/?a=1", "") + `"`
	case 7:
		return fmt.Sprintf(`{%q:%s}`, one(names...), anything(rnd, names, depth-1))
	}
	return `[` + anything(rnd, names, depth-1) + `]`
}

// A custom field of the subject's survives byte for byte, whatever it is called and
// holds, unless that is somebody else.
func TestCustomFieldsSurvive(t *testing.T) {
	t.Parallel()
	names := []string{
		"approved_by", "written_by", "delivered_by", "crm_user", "crm_user_id", "external_user_ids", "participants", "members", "users", "target", "moderator",
		"home_channel_id", "channel_id", "room_cid", "welcome_message_id", "message_ids", "messages", "replies", "old_message", "author", "created_by", "user_ids",
		"target_id", "read_by_id", "account_owner_id", "team_members", "custom", "likes", "id2", "owner", "x", "role2", "moderation_by", "poll_owner_id", "message",
		"created_by_id", "cids", "blocked_user", "thread_participants", "pinned_by", "mentioned_users", "user", "user_id", "channel", "member", "reminder",
	}
	// Where the subject's fields can be, and as what.
	places := map[string]struct {
		is   kind
		text string
	}{
		"user":             {user, `{"user":{"id":"alice","role":"user","created_at":"2026-01-01T00:00:00Z",FIELD}`},
		"user's custom":    {custom, `{"user":{"id":"alice","role":"user","custom":{FIELD}}`},
		"message":          {message, `{"messages":[{"id":"m1","cid":"messaging:general","text":"t","user":null,FIELD}]`},
		"message's custom": {custom, `{"messages":[{"id":"m1","cid":"messaging:general","custom":{FIELD}}]`},
		"attachment":       {attached, `{"messages":[{"id":"m1","cid":"messaging:general","attachments":[{"type":"order","asset_url":"https://x/a",FIELD}]}]`},
		"reaction":         {reaction, `{"reactions":[{"message_id":"m1","user_id":"alice","type":"like",FIELD}]`},
		"own poll":         {poll, `{"messages":[{"id":"m1","poll":{"id":"p","created_by_id":"alice","name":"q",FIELD}}]`},
		"own member":       {member, `{"messages":[{"id":"m1","member":{"user_id":"alice",FIELD}}]`},
		"own location":     {location, `{"messages":[{"id":"m1","shared_location":{"user_id":"alice",FIELD}}]`},
	}
	// Bob is known from Stream's own fields.
	const known = `,"more":0,"user":{"id":"alice","mutes":[{"user":{"id":"alice"},"target":` + someone + `}]}}`
	rnd := rand.New(rand.NewPCG(1, 2))
	lost := 0
	for place, p := range places {
		for _, name := range names {
			if p.is.Of(name) != custom || p.is != custom && slices.Contains([]string{"user", "user_id", "created_by", "created_by_id"}, name) {
				continue // Stream's own there
			}
			for range 40 {
				field := fmt.Sprintf(`%q:%s`, name, anything(rnd, names, 3))
				export := strings.Replace(p.text, "FIELD", field, 1) + known
				if strings.HasPrefix(place, "user") {
					export = strings.Replace(p.text, "FIELD", field, 1) + `,"messages":[{"id":"m1","mentioned_users":[` + someone + `]}]}`
				}
				if got := pass(t, export); !strings.Contains(got, field) {
					if lost++; lost < 10 {
						t.Errorf("%s: %s became %s", place, field, got)
					}
				}
			}
		}
	}
}

// Every field of Stream's that can hold somebody else is made anonymous, in every object
// that an export reaches, though nothing else in the export tells who that is.
func TestStreamsFieldsAreAnonymous(t *testing.T) {
	t.Parallel()
	n := 0
	// build makes an object of every kind, the subject's or somebody else's, with one field.
	var build func(is kind, depth int, wrap func(string) string)
	build = func(is kind, depth int, wrap func(string) string) {
		for _, field := range slices.Sorted(maps.Keys(is.Fields())) {
			of, name := is.Of(field), field
			if name == "*" {
				name = "like"
			}
			in := func(value string) string { return wrap(fmt.Sprintf(`{%q:%s}`, name, value)) }
			var values []string
			switch of {
			case userID, member:
				values = []string{`"CANARY-zed"`, `["CANARY-zed"]`}
			case user:
				values = []string{`{"id":"CANARY-zed"}`, `{"id":"CANARY-zed","x":"CANARY"}`, `[{"id":"CANARY-zed","name":"CANARY"}]`, `"CANARY-zed"`, someone}
			case messageID:
				values = []string{`"` + theirID + `"`}
			case cid:
				values = []string{`"messaging:CANARY-bob"`}
			case message:
				values = []string{`{"id":"` + theirID + `","text":"CANARY"}`, `{"id":"z","text":"CANARY","user":{"id":"zed"}}`}
			case vote, reaction, channel, userGroup:
				values = []string{`{"id":"z","name":"CANARY","answer_text":"CANARY","type":"CANARY"}`, `[{"user_id":"CANARY-zed","answer_text":"CANARY"}]`}
			}
			for _, value := range values {
				export := in(value)
				n++
				if got := pass(t, export); strings.Contains(got, "CANARY") {
					t.Errorf("%s became %s", export, got)
				}
			}
			if depth > 0 {
				for _, whose := range []string{"", `"user_id":"alice",`, `"created_by_id":"alice",`} {
					build(of, depth-1, func(object string) string { return in("{" + whose + strings.TrimPrefix(object, "{")) })
				}
			}
		}
	}
	for field, is := range root.Fields() {
		build(is, 3, func(object string) string {
			if field == "user" {
				return fmt.Sprintf(`{"user":{"id":"alice",%s}`, strings.TrimPrefix(object, "{"))
			}
			return fmt.Sprintf(`{%q:[{"cid":"messaging:!members-a",%s]}`, field, strings.TrimPrefix(object, "{"))
		})
	}
	if n < 1000 {
		t.Errorf("only %d places", n)
	}
}

// Of what is somebody else's no custom field stays, also none that looks like a time or a
// count of Stream's.
func TestOthersCustomFields(t *testing.T) {
	t.Parallel()
	got := pass(t, `{"messages":[{"id":"m","cid":"messaging:!members-a","quoted_message":{"id":"`+theirID+`","user":`+someone+
		`,"created_at":"2026-01-01T00:00:00Z","reply_count":4,"born_at":"1980-05-05T00:00:00Z","followers_count":77,"score":97,"rating":3.5,"vip":true,"custom":{"born_at":"1980-05-05T00:00:00Z"}}}]}`)
	if want := `"created_at":"2026-01-01T00:00:00Z","reply_count":4}`; !strings.Contains(got, want) || strings.Contains(got, "1980") || strings.Contains(got, "97") || strings.Contains(got, "vip") {
		t.Error(got)
	}
}

// Where a custom field and somebody else are the same bytes, the other person wins: what
// holds a user of Stream's, and the id of somebody whom the export knows where a name
// says that it refers to a person.
func TestOthersWin(t *testing.T) {
	t.Parallel()
	const known = `"mentioned_users":[{"id":"bob"}]`
	for field, want := range map[string]string{
		`"approved_by":"bob"`:                                                 `"approved_by":"participant 1"`,
		`"approved_by":["bob","me"]`:                                          `"approved_by":["participant 1","me"]`,
		`"nickname":"bob"`:                                                    `"nickname":"bob"`,
		`"helper":{"id":"bob","name":"Bob"}`:                                  `"helper":{"id":"participant 1"}`,
		`"helper":` + someone:                                                 `"helper":{"id":"participant 1"}`,
		`"ticket":{"user":{"id":"bob"},"said":"x"}`:                           `"ticket":{"user":{"id":"participant 1"}}`,
		`"ticket":{"user":{"id":"alice"},"said":"x"}`:                         `"ticket":{"user":{"id":"alice"},"said":"x"}`,
		`"review":{"pinned_by":` + someone + `,"n":5}`:                        `"review":{"pinned_by":{"id":"participant 1"},"n":5}`,
		`"votes":{"bob":3}`:                                                   `"votes":{"bob":3}`,
		`"seen_by":{"bob":3}`:                                                 `"seen_by":{"participant 1":3}`,
		`"attachments":[{"title":"card","contact":{"id":"bob","image":"x"}}]`: `"attachments":[{"title":"card","contact":{"id":"participant 1"}}]`,
	} {
		if got := pass(t, `{"messages":[{"id":"m","cid":"messaging:!members-a",`+field+`,`+known+`}]}`); !strings.Contains(got, want) {
			t.Errorf("%s became %s", field, got)
		}
	}
}

// The id of a channel stays where it can be nobody's: not where it is made of ids of
// people, whether they are words, numbers, hex or UUIDs, nor where it is one's.
func TestChannelsNameNobody(t *testing.T) {
	t.Parallel()
	const a, b, known = "3f2504e0-4f89-41d3-9a0c-0305e82c3301", "3f2504e0-4f89-41d3-9a0c-0305e82c3302", "3f2504e0-4f89-41d3-9a0c-0305e82c3303"
	for id, stays := range map[string]bool{
		"!members-aQ_w-1": true, a: true, "507f1f77bcf86cd799439011": true,
		known: false, a + "-" + b: false, "507f1f77bcf86cd799439011-507f191e810c19729de860ea": false, "4915112345678901": false,
		"49151123456789-49151198765432": false, "bob-alice": false, "507f1f77bcf86cd799439099": false, "------------------": false, "a" + b: false,
	} {
		got := pass(t, `{"messages":[{"id":"m","cid":"messaging:`+id+`","reminder":{"user_id":"alice","channel":{"id":"`+id+`"}},`+
			`"mentioned_users":[{"id":"`+known+`"},{"id":"507f1f77bcf86cd799439099"}]}]}`)
		want := `"cid":"messaging:conversation-1","reminder":{"user_id":"alice","channel":{"id":"conversation-1"}}`
		if stays {
			want = strings.ReplaceAll(want, "conversation-1", id)
			if !uuid.MatchString(id) {
				want = `"cid":"messaging:` + id + `"`
			}
		}
		if !strings.Contains(got, want) {
			t.Errorf("%s: %s", id, got)
		}
	}
}

// What is attached to the subject's message is theirs, also where it says whose it is:
// only the other person's id gives way.
func TestAttachmentsStay(t *testing.T) {
	t.Parallel()
	for _, whose := range []string{`"user_id":"bob"`, `"created_by_id":"bob"`, `"created_by":{"id":"bob"}`, `"user":` + strings.ReplaceAll(someone, "CANARY-bob", "bob")} {
		got := pass(t, `{"messages":[{"id":"m","cid":"messaging:!members-a","mentioned_users":[{"id":"bob"}],"attachments":[{"type":"contact",`+whose+
			`,"title":"KEEP","asset_url":"https://x/KEEP.pdf","card":{"id":"bob","name":"CANARY"}}]}]}`)
		if strings.Count(got, "KEEP") != 2 || strings.Contains(got, "bob") || strings.Contains(got, "CANARY") || strings.Count(got, "participant 1") != 3 {
			t.Errorf("%s: %s", whose, got)
		}
		// Not so what is attached to another's message.
		quoted := pass(t, `{"messages":[{"id":"m","cid":"messaging:!members-a","mentioned_users":[{"id":"bob"}],"quoted_message":{"id":"`+theirID+`","attachments":[{"type":"file","title":"CANARY",`+whose+`}]}}]}`)
		if strings.Contains(quoted, "CANARY") {
			t.Errorf("%s: %s", whose, quoted)
		}
	}
}

// Of a record that was learned or written only ids stay in memory.
func TestKeepsIDsAlone(t *testing.T) {
	const n, size = 2000, 50 << 10
	r := New("alice")
	record := func(i int) gjson.Result {
		return gjson.Parse(fmt.Sprintf(`{"id":"m%d","cid":"messaging:c%d","mentioned_users":[{"id":"p%d"}],"text":%q}`, i, i, i, strings.Repeat("x", size)))
	}
	heap := func() int64 {
		var stats runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&stats)
		return int64(stats.HeapAlloc)
	}
	before := heap()
	for i := range n {
		r.Learn("messages", record(i))
	}
	for i := range n {
		r.Append(nil, "messages", record(i))
	}
	if kept := heap() - before; kept > n*size/10 {
		t.Errorf("%d bytes are kept of %d", kept, n*size)
	}
	if r.Participants() != n {
		t.Errorf("%d people", r.Participants())
	}
}
