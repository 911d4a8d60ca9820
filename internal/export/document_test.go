// Copyright (c) the terraform-provider-streamchat authors
// SPDX-License-Identifier: MPL-2.0

package export

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// What Stream might send and a decoder would change, by the member it stands in.
const (
	oddUser = `{"id":"u1","role":"user","name":"Zoë 👩‍👩‍👧‍👦 e\u0301","escaped":"\ud83d\ude00","lone":"\ud83d",` +
		`"n":9007199254740993,"big":1e400,"tiny":1E-400,"zero":-0,"point":1.0,"plus":1e+05,"long":0.10000000000000000000000000001,` +
		`"html":"<b>&amp;</b>","escapedhtml":"\u003cb\u003e","slash":"a\/b","sep":"` + "\u2028" + `","null":null,"nul":"\u0000",` +
		`"custom":{"duration":"9ms","deep":[[{"duration":{}}],[],{}]},"twice":1,"twice":2,"":"empty key","banned":false}`
	oddMessages = `[ {"id":"m1","text":"<script>\n</script>","user":null,"attachments":[{"type":"image"},{"type":"file","nested":{"attachments":[1,2,3]}}],"reaction_counts":null} ,` +
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

func TestParseKeepsEveryByte(t *testing.T) {
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
			d, err := Parse([]byte(test.body))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(test.want, string(d.JSON())); diff != "" {
				t.Errorf("JSON (-want +got):\n%s", diff)
			}
		})
	}
}

func TestSummary(t *testing.T) {
	for name, test := range map[string]struct {
		body, clear string
		want        Summary
	}{
		"odd":       {oddBody, oddJSON, Summary{Messages: 8, Reactions: 2, Attachments: 2 + 2 + 1}},
		"null":      {`{"user":{},"messages":null,"reactions":null}`, `{"user":{},"messages":null,"reactions":null}`, Summary{}},
		"absent":    {`{"user":{}}`, `{"user":{}}`, Summary{}},
		"not ours":  {`{"user":{"messages":[1],"attachments":[1]},"reactions":[{"attachments":[1]}]}`, `{"user":{"messages":[1],"attachments":[1]},"reactions":[{"attachments":[1]}]}`, Summary{Reactions: 1}},
		"last wins": {`{"user":{},"messages":[{"attachments":[1,2],"attachments":null}]}`, `{"user":{},"messages":[{"attachments":[1,2],"attachments":null}]}`, Summary{Messages: 1}},
	} {
		t.Run(name, func(t *testing.T) {
			hash := sha256.Sum256([]byte(test.clear))
			test.want.SHA256, test.want.Size = hex.EncodeToString(hash[:]), int64(len(test.clear))
			got, err := Summarize([]byte(test.body))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("of the body (-want +got):\n%s", diff)
			}
			if got, err = Summarize([]byte(test.clear)); err != nil || got != test.want {
				t.Errorf("of the clear JSON: %+v, %v", got, err)
			}
		})
	}
	if _, err := Summarize([]byte(`[]`)); err == nil {
		t.Error("Summarize took an array")
	}
}

func TestZeroDocument(t *testing.T) {
	if got := (Document{}).JSON(); got != nil {
		t.Errorf("JSON: %q", got)
	}
	if got := (Document{}).Summary(); got != (Summary{}) {
		t.Errorf("Summary: %+v", got)
	}
}

func TestParseErrors(t *testing.T) {
	const canary = "canary"
	for name, test := range map[string]struct{ body, want string }{
		"empty":               {``, `the JSON ends early, at byte 0`},
		"space":               {"  ", `the JSON ends early, at byte 2`},
		"byte order mark":     {"\xef\xbb\xbf" + `{"user":{"id":"canary"}}`, `the JSON starts with a byte order mark, at byte 0`},
		"array":               {` [{"user":{"id":"canary"}}]`, `the export is an array, not an object, at byte 1`},
		"string":              {`"canary"`, `the export is a string, not an object, at byte 0`},
		"number":              {`-1e400`, `the export is a number, not an object, at byte 0`},
		"boolean":             {`true`, `the export is a boolean, not an object, at byte 0`},
		"null":                {`null`, `the export is null, not an object, at byte 0`},
		"HTML":                {`<html>canary</html>`, `invalid JSON: expected a value, at byte 0`},
		"API error":           {`{"code":16,"message":"canary","StatusCode":404}`, `"user" is missing, at byte 0`},
		"no user":             {`{"users":{"id":"canary"}}`, `"user" is missing, at byte 0`},
		"user is null":        {`{"user":null}`, `"user" is null, not an object, at byte 8`},
		"user is a string":    {`{"user": "canary"}`, `"user" is a string, not an object, at byte 9`},
		"user twice":          {`{"user":{},"\u0075ser":{}}`, `"user" comes twice, at byte 23`},
		"messages twice":      {`{"user":{},"messages":null,"messages":[]}`, `"messages" comes twice, at byte 38`},
		"messages an object":  {`{"user":{},"messages":{"canary":1}}`, `"messages" is an object, not an array or null, at byte 22`},
		"reactions a boolean": {`{"user":{},"reactions":false}`, `"reactions" is a boolean, not an array or null, at byte 23`},
		"truncated string":    {`{"user":{"id":"canary`, `the JSON ends early, at byte 21`},
		"truncated escape":    {`{"user":{"id":"canary\`, `the JSON ends early, at byte 22`},
		"truncated unicode":   {`{"user":{"id":"canary\u00`, `the JSON ends early, at byte 25`},
		"truncated array":     {`{"user":{},"messages":[{"id":"canary"}`, `the JSON ends early, at byte 38`},
		"truncated object":    {`{"user":{"id":"canary"}`, `the JSON ends early, at byte 23`},
		"truncated wrong":     {`{"user":["canary"`, `the JSON ends early, at byte 17`},
		"truncated number":    {`{"user":{"n":-`, `the JSON ends early, at byte 14`},
		"truncated word":      {`{"user":{"n":nul`, `the JSON ends early, at byte 16`},
		"garbage after":       {`{"user":{}} canary`, `invalid JSON: something follows the value, at byte 12`},
		"second value":        {`{"user":{}}{"user":{}}`, `invalid JSON: something follows the value, at byte 11`},
		"control character":   {"{\"user\":{\"id\":\"canary\n\"}}", `invalid JSON: a control character in a string, at byte 21`},
		"bad escape":          {`{"user":{"id":"\q"}}`, `invalid JSON: expected an escape, at byte 16`},
		"bad unicode":         {`{"user":{"id":"\u00g0"}}`, `invalid JSON: expected a hexadecimal digit, at byte 19`},
		"leading zero":        {`{"user":{"n":01}}`, `invalid JSON: expected a comma or the end of the object or array, at byte 14`},
		"bare exponent":       {`{"user":{"n":1e}}`, `invalid JSON: expected a digit, at byte 15`},
		"bare point":          {`{"user":{"n":1.}}`, `invalid JSON: expected a digit, at byte 15`},
		"plus":                {`{"user":{"n":+1}}`, `invalid JSON: expected a value, at byte 13`},
		"NaN":                 {`{"user":{"n":NaN}}`, `invalid JSON: expected a value, at byte 13`},
		"bad word":            {`{"user":{"n":nulL}}`, `invalid JSON: expected a value, at byte 16`},
		"trailing comma":      {`{"user":{},}`, `invalid JSON: expected a key, at byte 11`},
		"array comma":         {`{"user":{},"messages":[1,]}`, `invalid JSON: expected a value, at byte 25`},
		"no colon":            {`{"user" {}}`, `invalid JSON: expected a colon, at byte 8`},
		"no comma":            {`{"user":{}"canary":1}`, `invalid JSON: expected a comma or the end of the object or array, at byte 10`},
		"wrong close":         {`{"user":{],"messages":[}}`, `invalid JSON: expected a key, at byte 9`},
		"NUL":                 {"{\"user\":\x00}", `invalid JSON: expected a value, at byte 8`},
		"comment":             {`{"user":{}/*canary*/}`, `invalid JSON: expected a comma or the end of the object or array, at byte 10`},
	} {
		t.Run(name, func(t *testing.T) {
			d, err := Parse([]byte(test.body))
			var parseErr *ParseError
			if !errors.As(err, &parseErr) {
				t.Fatalf("error: %v", err)
			}
			if diff := cmp.Diff(test.want, err.Error()); diff != "" {
				t.Errorf("error (-want +got):\n%s", diff)
			}
			if strings.Contains(err.Error(), canary) {
				t.Error("the error quotes content")
			}
			if d.JSON() != nil {
				t.Error("a document came with the error")
			}
		})
	}
}

// No cut of an export passes for a whole one.
func TestParseEveryTruncation(t *testing.T) {
	whole := strings.TrimRight(oddBody, " \n")
	for i := range len(whole) {
		if _, err := Parse([]byte(whole[:i])); err == nil {
			t.Fatalf("the first %d bytes passed", i)
		}
	}
}

func TestParseDepth(t *testing.T) {
	// The export, the user, and depth-2 arrays.
	body := func(depth int) []byte {
		return []byte(`{"user":{"a":` + strings.Repeat("[", depth-2) + strings.Repeat("]", depth-2) + `}}`)
	}
	d, err := Parse(body(maxDepth))
	if err != nil {
		t.Fatalf("at the bound: %v", err)
	}
	if !json.Valid(d.JSON()) {
		t.Error("at the bound: encoding/json refuses what passed")
	}
	if _, err := Parse(body(maxDepth + 1)); err == nil || !strings.HasPrefix(err.Error(), "the JSON nests deeper than 10000 levels, at byte ") {
		t.Errorf("above the bound: %v", err)
	}
	for name, body := range map[string]string{
		"arrays":  `{"user":{},"messages":` + strings.Repeat("[", 50_000_000),
		"objects": strings.Repeat(`{"a":`, 10_000_000),
		"inside":  `{"user":{},"messages":[{"attachments":[` + strings.Repeat(`{"attachments":[`, 1_000_000),
	} {
		if _, err := Parse([]byte(body)); err == nil || !strings.HasPrefix(err.Error(), "the JSON nests deeper") {
			t.Errorf("%s: %v", name, err)
		}
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

// acceptable says with encoding/json whether Parse should take a body.
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

func FuzzParse(f *testing.F) {
	for _, seed := range []string{
		oddBody, oddJSON, `{"user":{}}`, `{}`, `[]`, `null`, ``, "\xef\xbb\xbf{}", `{"user":{}} x`, `{"user":{},"user":{}}`,
		`{"user":{},"messages":null,"reactions":[],"duration":1e400}`, `{"\u0075ser":{"\ud83d":-0.0E+1}}`, `{"user":{"a":"\`,
		`{"user":{},"messages":[{"attachments":[{}]}]}`, "{\"user\":{\"\xff\":\"\xff\"}}", `{"user":{},"":0,"` + "\x7f" + `":1}`,
		`{"user":{},"a":tru}`, `{"user":{},"a":00}`, `{"user":{},"a":-}`, `{"user":{},"a":1.e1}`, "{\"user\":\x00}",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		before := bytes.Clone(body)
		d, err := Parse(body)
		if !bytes.Equal(before, body) {
			t.Fatal("Parse changed the body")
		}
		if want := acceptable(t, body); want != (err == nil) {
			t.Fatalf("acceptable: %v, error: %v", want, err)
		}
		if err != nil {
			var parseErr *ParseError
			if !errors.As(err, &parseErr) || parseErr.Offset < 0 || parseErr.Offset > int64(len(body)) {
				t.Fatalf("error: %#v", err)
			}
			return
		}
		out := d.JSON()
		if !json.Valid(out) {
			t.Fatalf("JSON is not valid: %q", out)
		}

		// Every member but duration is kept, in order, with the very bytes.
		wantKeys, wantValues := topLevel(t, body)
		gotKeys, gotValues := topLevel(t, out)
		kept := 0
		for i, key := range wantKeys {
			if key == "duration" {
				continue
			}
			if kept >= len(gotKeys) || gotKeys[kept] != key || !bytes.Equal(gotValues[kept], wantValues[i]) {
				t.Fatalf("member %d is not kept", i)
			}
			kept++
		}
		if kept != len(gotKeys) {
			t.Fatalf("%d members, want %d", len(gotKeys), kept)
		}

		again, err := Parse(out)
		if err != nil {
			t.Fatalf("its own JSON: %v", err)
		}
		if !bytes.Equal(again.JSON(), out) {
			t.Fatal("JSON is not stable")
		}
		if again.Summary() != d.Summary() {
			t.Fatal("Summary is not stable")
		}
		var streamed bytes.Buffer
		w := NewWriter(&streamed)
		if err := w.Document(d); err != nil {
			t.Fatal(err)
		}
		sum, err := w.Close()
		if err != nil || sum != d.Summary() || !bytes.Equal(streamed.Bytes(), out) {
			t.Fatalf("the Writer differs: %v", err)
		}
	})
}
