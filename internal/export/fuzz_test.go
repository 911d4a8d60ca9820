// Copyright (c) the terraform-provider-streamchat authors
// SPDX-License-Identifier: MPL-2.0

package export

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
)

// plain is what encoding/json makes of a text by itself, to compare with; single
// is false when a key comes twice somewhere in it.
func plain(text []byte) (v any, single bool) {
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.UseNumber()
	if decoder.Decode(&v) != nil {
		return nil, false
	}
	again, err := json.Marshal(v)
	return v, err == nil && tokens(again) == tokens(text)
}

func tokens(text []byte) (n int) {
	decoder := json.NewDecoder(bytes.NewReader(text))
	for {
		if _, err := decoder.Token(); err != nil {
			return n
		}
		n++
	}
}

func field(v any, key string) any {
	object, _ := v.(map[string]any)
	return object[key]
}

func list(v any) []any {
	array, _ := v.([]any)
	return array
}

// author is who wrote a message or a reaction: first or, where that names nobody,
// second.
func author(first, second any) any {
	if id, _ := first.(string); id != "" {
		return id
	}
	return second
}

// belongings are alice's messages and reactions in the channels of a v1 file, in
// the form that an export has.
func belongings(channels any) (messages, reactions []any) {
	for _, channel := range list(channels) {
		for _, m := range list(field(channel, "messages")) {
			types := map[any]bool{}
			for _, r := range slices.Concat(list(field(m, "latest_reactions")), list(field(m, "own_reactions"))) {
				of, _ := field(r, "type").(string)
				if author(field(r, "user_id"), field(field(r, "user"), "id")) != "alice" || types[of] {
					continue
				}
				types[of] = true
				reactions = append(reactions, kept(r, map[string]any{"user": nil}))
			}
			if author(field(field(m, "user"), "id"), field(m, "user_id")) == "alice" {
				var ids []any
				for _, u := range list(field(m, "mentioned_users")) {
					id, isText := u.(string)
					if !isText {
						id, _ = field(u, "id").(string)
					}
					if id != "" {
						ids = append(ids, map[string]any{"id": id})
					}
				}
				messages = append(messages, kept(m, map[string]any{
					"user": nil, "pinned_by": nil, "latest_reactions": []any{}, "own_reactions": []any{}, "mentioned_users": append([]any{}, ids...),
				}, "quoted_message", "poll", "channel", "thread_participants"))
			}
		}
	}
	return messages, reactions
}

// kept is an object with other values, unless they are null, and without some.
func kept(object any, instead map[string]any, without ...string) any {
	out := map[string]any{}
	for key, value := range object.(map[string]any) {
		if slices.Contains(without, key) {
			continue
		}
		if other, ok := instead[key]; ok && value != nil {
			value = other
		}
		out[key] = value
	}
	return out
}

// FuzzAssemble: whatever a file holds, what comes out is what alice wrote in it
// and nothing else, or an error without a word of the file.
func FuzzAssemble(f *testing.F) {
	for _, seed := range []string{
		v1(`[{"id":"m","user":{"id":"alice"},"text":"x"},{"id":"n","user":{"id":"bob"},"text":"canary"}]`),
		v1(`[{"user":{"id":"bob"},"latest_reactions":[{"user_id":"alice","type":"like"}],"reaction_counts":{"like":1e3}}]`),
		v1("[" + crowdedMessage("m", "") + "]"), `[]`, `{"type":"message","data":{"user":{"id":"alice"}}}`,
		`{"type":"reaction","data":{"user_id":"alice","type":"x"}}`,
		v1(`[{"user":{"id":"alice"},"quoted_message":{"text":"canary"},"pinned_by":{"id":"canary"},"mentioned_users":[{"id":"bob",` +
			`"name":"canary"},"eve",7],"own_reactions":null,"\u0070oll":{},"n":1e400}]`),
		`[{"channel":{"n":1e400},"messages":[{"user":{"id":"alice"}}]}]`,
		v1(`[{"user":{"id":"bob"},"user_id":"alice"},{"user":{"id":"\u0061lice"},"text":"\ud83d"},{"user":null,"user_id":"alice"}]`),
		`[{"channel":` + strings.Repeat("[", 20_000),
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, file []byte) {
		var out bytes.Buffer
		w := newWriter(&out)
		a := newAssembler(w, "alice", "")
		if err := a.user([]byte(`{"id":"alice"}`)); err != nil {
			t.Fatal(err)
		}
		if err := a.file(bytes.NewReader(file)); err != nil {
			quotesNothing(t, err)
			return
		}
		none := func(context.Context, string, int) ([]json.RawMessage, bool, error) { return nil, true, nil }
		if err := a.reactions(t.Context(), none); err != nil {
			t.Fatalf("%q: %v", file, err)
		}
		sum, err := w.close()
		if err != nil {
			t.Fatalf("%q: %v", file, err)
		}
		if again, err := Summarize(out.String()); err != nil || again != sum {
			t.Fatalf("%q: %q: %+v, %+v, %v", file, out.Bytes(), sum, again, err)
		}
		channels, single := plain(file)
		if list(channels) == nil || !single {
			return
		}
		messages, reactions := belongings(channels)
		document, _ := plain(out.Bytes())
		if got := list(field(document, "messages")); len(got)+len(messages) > 0 && !reflect.DeepEqual(got, messages) {
			t.Errorf("%q: messages %v, want %v", file, got, messages)
		}
		if got := list(field(document, "reactions")); len(got)+len(reactions) > 0 && !reflect.DeepEqual(got, reactions) {
			t.Errorf("%q: reactions %v, want %v", file, got, reactions)
		}
	})
}

// quotesNothing checks that an error is in our words.
func quotesNothing(t *testing.T, err error) {
	t.Helper()
	var parse *ParseError
	if !errors.As(err, &parse) && !errors.Is(err, errLongValue) || strings.Contains(err.Error(), "canary") {
		t.Errorf("%T %v", err, err)
	}
}

// FuzzSplit: however the same messages are spread over channels and files, the
// export holds the same; and no file that is cut off passes for a whole one.
func FuzzSplit(f *testing.F) {
	f.Add([]byte{}, []byte{}, uint(0), false)
	f.Add([]byte{0, 1, 2, 3, 4, 5, 6, 7}, []byte{1, 2, 3}, uint(40), false)
	f.Add([]byte{0, 1, 2, 3, 4, 5, 6, 7, 255, 254}, []byte{0, 9, 130, 1}, uint(7), true)
	f.Fuzz(func(t *testing.T, kinds, cuts []byte, end uint, v2 bool) {
		if len(kinds) > 200 {
			return
		}
		messages := make([]string, len(kinds))
		for i, kind := range kinds {
			by, text := "alice", "hers"
			if kind&1 != 0 {
				by, text = "bob", "canary"
			}
			m := fmt.Sprintf(`{"id":"m%d","user":{"id":%q},"text":%q,"n":%d.50`, i, by, text, i)
			var reactions []string
			if kind&2 != 0 {
				reactions = append(reactions, fmt.Sprintf(`{"message_id":"m%d","user_id":"alice","type":"like","score":1.0}`, i))
			}
			if kind&4 != 0 {
				reactions = append(reactions, fmt.Sprintf(`{"message_id":"m%d","user":{"id":"bob"},"type":"canary"}`, i))
			}
			total := len(reactions)
			if kind&8 != 0 { // more than it lists
				total += 3
			}
			if kind&16 != 0 {
				m += `,"quoted_message":{"text":"canary"},"pinned_by":{"name":"canary"}`
			}
			messages[i] = m + fmt.Sprintf(`,"latest_reactions":[%s],"reaction_counts":{"like":%d}}`, strings.Join(reactions, ","), total)
		}
		lookUp := func(_ context.Context, id string, _ int) ([]json.RawMessage, bool, error) {
			hers := `{"message_id":"` + id + `","user_id":"alice","type":"wow"}`
			return []json.RawMessage{[]byte(hers), []byte(`{"user_id":"bob","type":"canary"}`)}, true, nil
		}
		contents := func(files []string) []string {
			var out bytes.Buffer
			if _, _, err := assemble(t, &out, "", lookUp, files...); err != nil {
				t.Fatal(err)
			}
			if bytes.Contains(out.Bytes(), []byte("canary")) {
				t.Errorf("something of others is in %s", out.Bytes())
			}
			var document struct{ Messages, Reactions []json.RawMessage }
			if err := json.Unmarshal(out.Bytes(), &document); err != nil {
				t.Fatal(err)
			}
			var pieces []string
			for _, raw := range append(document.Messages, document.Reactions...) {
				pieces = append(pieces, string(raw))
			}
			slices.Sort(pieces)
			return pieces
		}
		split := spread(messages, cuts, v2)
		if whole, parts := contents(spread(messages, nil, v2)), contents(split); !slices.Equal(whole, parts) {
			t.Errorf("%q: %q and %q", split, whole, parts)
		}
		file := strings.TrimSpace(split[0])
		if file == "" || v2 && strings.HasSuffix(file[:end%uint(len(file))], "\n") {
			return // a file of lines does not say how many there are
		}
		cut := file[:end%uint(len(file))]
		if _, _, err := assemble(t, &bytes.Buffer{}, "", lookUp, cut); err == nil && (!v2 || !strings.HasSuffix(cut, "}") ||
			!strings.HasPrefix(file[len(cut):], "\n")) {
			t.Errorf("%q passes, which is cut off", cut)
		}
	})
}

// spread puts messages into files, each cut saying how many go into the next
// channel and whether a file begins.
func spread(messages []string, cuts []byte, v2 bool) []string {
	var files []string
	for first := true; first || len(messages) > 0; first = false {
		n, fresh := len(messages), first
		if len(cuts) > 0 {
			n, fresh, cuts = min(int(cuts[0]&63), n), first || cuts[0] > 127, cuts[1:]
		}
		if v2 && n == 0 {
			n = len(messages) // no file is empty
		}
		channel := `{"channel":{"cid":"a:b"},"messages":[` + strings.Join(messages[:n], ",") + `]}`
		if v2 {
			channel = ""
			for _, m := range messages[:n] {
				channel += `{"type":"message","data":` + m + "}\n"
			}
			if channel == "" {
				channel = `{"type":"channel","data":{}}` + "\n"
			}
		}
		messages = messages[n:]
		switch {
		case fresh:
			files = append(files, channel)
		case v2:
			files[len(files)-1] += channel
		default:
			files[len(files)-1] += "," + channel
		}
	}
	if !v2 {
		for i := range files {
			files[i] = "[" + files[i] + "]"
		}
	}
	return files
}

// FuzzCopyChannels: what passes is copied byte for byte, counted right, and whole.
func FuzzCopyChannels(f *testing.F) {
	for _, seed := range []string{
		v1(`[{"id":"m"},{"id":"n"}]`), "[ ]\n", "{\"type\":\"message\",\"data\":{}}\n{\"anything\":1}\n", "", "<html>canary", `{"a":1}x`,
		`[{"messages":[]}`, `[{}]`, `[{"messages":null},{"messages":[1e400]}] `,
		`[{"messages":[],"messages":[1]}]`, `[{"channel":{"n":1e400},"messages":[]}]`, "\xef\xbb\xbf[]",
		`[{"a":` + strings.Repeat(`{"a":`, 11_000),
	} {
		f.Add([]byte(seed), uint(len(seed)/2))
	}
	f.Fuzz(func(t *testing.T, file []byte, end uint) {
		var out bytes.Buffer
		got, err := CopyChannels(&out, bytes.NewReader(file))
		if err != nil {
			quotesNothing(t, err)
			return
		}
		if !bytes.Equal(out.Bytes(), file) {
			t.Errorf("%q is copied as %q", file, out.Bytes())
		}
		channels, single := plain(file)
		if got.Version != "v1" {
			return
		}
		messages := 0
		for _, channel := range list(channels) {
			messages += len(list(field(channel, "messages")))
		}
		if !json.Valid(file) || int(got.Channels) != len(list(channels)) || single && int(got.Messages) != messages {
			t.Errorf("%q is %+v", file, got)
		}
		whole := bytes.TrimRight(file, " \t\r\n")
		if _, err := CopyChannels(&bytes.Buffer{}, bytes.NewReader(whole[:end%uint(len(whole))])); err == nil {
			t.Errorf("%q passes, cut off at %d", file, end%uint(len(whole)))
		}
	})
}
