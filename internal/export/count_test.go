// Copyright (c) the terraform-provider-streamchat authors
// SPDX-License-Identifier: MPL-2.0

package export

import (
	"bytes"
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/stream"
)

// What Stream might send and a decoder would change, by the member it stands in.
const (
	oddUser = `{"id":"u1","role":"user","name":"Zoë 👩‍👩‍👧‍👦 e\u0301","escaped":"\ud83d\ude00","lone":"\ud83d",` +
		`"n":9007199254740993,"big":1e400,"tiny":1E-400,"zero":-0,"point":1.0,"plus":1e+05,"long":0.10000000000000000000000000001,` +
		`"html":"<b>&amp;</b>","escapedhtml":"\u003cb\u003e","slash":"a\/b","sep":"` + "\u2028" + `","null":null,"nul":"\u0000",` +
		`"custom":{"duration":"9ms","deep":[[{"duration":{}}],[],{}]},"twice":1,"twice":2,"":"empty key","banned":false}`
	oddMessages = `[ {"id":"m1","text":"<script>\n</script>","user":null,"attachments":[{"type":"image"},{"type":"file",` +
		`"nested":{"attachments":[1,2,3]}}],"reaction_counts":null} ,` +
		"\n\t" + `{"id":"m2","duration":"1s","attachments":null},{"id":"m3","attachments":[],"Attachments":[1]},` +
		`{"id":"m4","attachments":"none"},{"\u0061ttachments":[[1,2],3]},{"attachments":[1,2,3],"attachments":[1]},null,[{"attachments":[1]}]]`
	oddReactions = `[{"message_id":"m1","type":"🎉","score":18446744073709551616,"user":null}, {}]`
	oddCustom    = `{"duration":"kept","a":[true,false,null]}`
)

// oddBody is an odd export as Stream would send it, oddJSON what is kept of it.
const (
	oddBody = " \r\n\t{ \"duration\" :\"1.87ms\",\"user\" : " + oddUser + " ,\n \"messages\":\t" + oddMessages +
		",\"dur\\u0061tion\":{\"a\":[1]} , \"x\\u0079z\": " + oddCustom + ", \"reactions\"\n:\n" + oddReactions + ",\"calls\":null}\n "
	oddJSON = `{"user":` + oddUser + `,"messages":` + oddMessages + `,"x\u0079z":` + oddCustom +
		`,"reactions":` + oddReactions + `,"calls":null}`
)

// rewritten is what a writer makes of Stream's own export.
func rewritten(t testing.TB, body string) string {
	t.Helper()
	members, ok := stream.Members(body)
	if !ok {
		t.Fatalf("%q is no object", body)
	}
	var out bytes.Buffer
	w := newWriter(&out)
	if err := w.own(members); err != nil {
		t.Fatal(err)
	}
	want, err := Count(members)
	if err != nil {
		t.Fatal(err)
	}
	if counts, err := w.close(); err != nil || counts != want {
		t.Fatalf("%+v, want %+v, %v", counts, want, err)
	}
	return out.String()
}

func TestOwnKeepsEveryByte(t *testing.T) {
	for name, test := range map[string]struct{ body, want string }{
		"odd":                {oddBody, oddJSON},
		"user alone":         {`{"user":{}}`, `{"user":{}}`},
		"null arrays":        {`{"user":{},"messages":null,"reactions":null}`, `{"user":{},"messages":null,"reactions":null}`},
		"other order":        {`{"reactions":[],"z":1,"messages":[],"user":{}}`, `{"reactions":[],"z":1,"messages":[],"user":{}}`},
		"escaped user":       {`{"\u0075ser":{}}`, `{"\u0075ser":{}}`},
		"repeated unknown":   {`{"a":1,"user":{},"a":2}`, `{"a":1,"user":{},"a":2}`},
		"repeated duration":  {`{"duration":"1ms","user":{},"duration":[]}`, `{"user":{}}`},
		"other cases":        {`{"User":1,"Duration":2,"MESSAGES":3,"user":{}}`, `{"User":1,"Duration":2,"MESSAGES":3,"user":{}}`},
		"not UTF-8":          {"{\"user\":{\"name\":\"\xff\xc0\"}}", "{\"user\":{\"name\":\"\xff\xc0\"}}"},
		"messages of no use": {`{"user":{},"messages":[1,"a",null]}`, `{"user":{},"messages":[1,"a",null]}`},
	} {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(test.want, rewritten(t, test.body)); diff != "" {
				t.Errorf("JSON (-want +got):\n%s", diff)
			}
		})
	}
}

func TestSummarize(t *testing.T) {
	for name, test := range map[string]struct {
		text string
		want Counts
	}{
		"odd":      {oddJSON, Counts{Messages: 8, Reactions: 2, Attachments: 2 + 2 + 3}},
		"as sent":  {oddBody, Counts{Messages: 8, Reactions: 2, Attachments: 2 + 2 + 3}},
		"null":     {`{"user":{},"messages":null,"reactions":null}`, Counts{}},
		"absent":   {`{"user":{}}`, Counts{}},
		"not ours": {`{"user":{"messages":[1],"attachments":[1]},"reactions":[{"attachments":[1]}]}`, Counts{Reactions: 1}},
		"in text":  {`{"user":{},"messages":["{\"attachments\":[1]}",{"attachments":{"#":7}},[{"attachments":[1]}]]}`, Counts{Messages: 3}},
	} {
		t.Run(name, func(t *testing.T) {
			if got, err := Summarize(test.text); err != nil || got != test.want {
				t.Errorf("%+v, want %+v, %v", got, test.want, err)
			}
		})
	}
}

func TestSummarizeErrors(t *testing.T) {
	for name, test := range map[string]struct{ text, want string }{
		"empty":               {``, `invalid JSON`},
		"byte order mark":     {"\xef\xbb\xbf" + `{"user":{"id":"canary"}}`, `invalid JSON`},
		"HTML":                {`<html>canary</html>`, `invalid JSON`},
		"cut off":             {`{"user":{"id":"canary"}`, `invalid JSON`},
		"something after":     {`{"user":{}} canary`, `invalid JSON`},
		"too deep":            {`{"user":{"a":` + strings.Repeat("[", maxDepth) + strings.Repeat("]", maxDepth) + `}}`, `invalid JSON`},
		"array":               {` [{"user":{"id":"canary"}}]`, `the export is not an object`},
		"string":              {`"{canary"`, `the export is not an object`},
		"null":                {`null`, `the export is not an object`},
		"API error":           {`{"code":16,"message":"canary","StatusCode":404}`, `"user" is missing`},
		"no user":             {`{"users":{"id":"canary"}}`, `"user" is missing`},
		"user is null":        {`{"user":null}`, `"user" is null, not an object`},
		"user is a string":    {`{"user": "canary"}`, `"user" is a string, not an object`},
		"user is a list":      {`{"user": ["canary"]}`, `"user" is an array, not an object`},
		"user is a number":    {`{"user": -1e400}`, `"user" is a number, not an object`},
		"user twice":          {`{"user":{},"\u0075ser":{}}`, `"user" comes twice`},
		"messages twice":      {`{"user":{},"messages":null,"messages":[]}`, `"messages" comes twice`},
		"messages an object":  {`{"user":{},"messages":{"canary":1}}`, `"messages" is an object, not an array or null`},
		"reactions a boolean": {`{"user":{},"reactions":false}`, `"reactions" is a boolean, not an array or null`},
	} {
		t.Run(name, func(t *testing.T) {
			counts, err := Summarize(test.text)
			var parseErr *ParseError
			if !errors.As(err, &parseErr) || err.Error() != test.want || counts != (Counts{}) {
				t.Errorf("%+v, %v, want %s", counts, err, test.want)
			}
		})
	}
}

// topLevel splits an object with encoding/json, to compare with. Keys are decoded.
func topLevel(t *testing.T, body []byte) (keys []string, values []json.RawMessage) {
	t.Helper()
	dec := json.NewDecoder(bytes.NewReader(body))
	if _, err := dec.Token(); err != nil {
		t.Fatal(err)
	}
	for dec.More() {
		key, err := dec.Token()
		if err != nil {
			t.Fatal(err)
		}
		var value json.RawMessage
		if err := dec.Decode(&value); err != nil {
			t.Fatal(err)
		}
		name, ok := key.(string)
		if !ok {
			t.Fatalf("a key of type %T", key)
		}
		keys, values = append(keys, name), append(values, value)
	}
	return keys, values
}

// acceptable says with encoding/json whether an export should be taken a body.
func acceptable(t *testing.T, body []byte) bool {
	if !json.Valid(body) || bytes.TrimLeft(body, " \t\r\n")[0] != '{' {
		return false
	}
	keys, values := topLevel(t, body)
	seen := map[string]int{}
	for i, key := range keys {
		first := values[i][0]
		switch key {
		case "user":
			if first != '{' {
				return false
			}
		case "messages", "reactions":
			if first != '[' && first != 'n' {
				return false
			}
		}
		seen[key]++
	}
	return seen["user"] == 1 && seen["messages"] <= 1 && seen["reactions"] <= 1
}

func FuzzOwn(f *testing.F) {
	for _, seed := range []string{
		oddBody, oddJSON, `{"user":{}}`, `{}`, `[]`, `null`, ``, "\xef\xbb\xbf{}", `{"user":{},"user":{}}`,
		`{"user":{},"messages":null,"reactions":[],"duration":1e400}`, `{"\u0075ser":{"\ud83d":-0.0E+1}}`, `{"user":{"a":"\`,
		`{"user":{},"messages":[{"attachments":[{}]}]}`, "{\"user\":{\"\xff\":\"\xff\"}}", `{"user":{},"":0,"` + "\x7f" + `":1}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		counts, err := Summarize(string(body))
		if want := acceptable(t, body); want != (err == nil) {
			t.Fatalf("acceptable: %v, error: %v", want, err)
		}
		if err != nil {
			quotesNothing(t, err)
			return
		}
		out := rewritten(t, string(body))
		if !json.Valid([]byte(out)) {
			t.Fatalf("not valid: %q", out)
		}

		// Every member but duration is kept, in order, with the very bytes.
		wantKeys, wantValues := topLevel(t, body)
		gotKeys, gotValues := topLevel(t, []byte(out))
		kept := 0
		for i, key := range wantKeys {
			if key == "duration" {
				continue
			}
			if kept >= len(gotKeys) || gotKeys[kept] != key || !bytes.Equal(gotValues[kept], wantValues[i]) {
				t.Fatalf("member %d is not kept", i)
			}
			kept++
			if key == "messages" && int(counts.Messages) != len(elementsOf(t, wantValues[i])) ||
				key == "reactions" && int(counts.Reactions) != len(elementsOf(t, wantValues[i])) {
				t.Fatalf("%+v for %s", counts, wantValues[i])
			}
		}
		if kept != len(gotKeys) {
			t.Fatalf("%d members, want %d", len(gotKeys), kept)
		}
		if again, err := Summarize(out); err != nil || again != counts {
			t.Fatalf("%+v, then %+v, %v", counts, again, err)
		}
	})
}

// elementsOf splits an array or null with encoding/json.
func elementsOf(t *testing.T, array []byte) (list []json.RawMessage) {
	t.Helper()
	if err := json.Unmarshal(array, &list); err != nil {
		t.Fatal(err)
	}
	return list
}
