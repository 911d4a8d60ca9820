// Copyright (c) the terraform-provider-streamchat authors
// SPDX-License-Identifier: MPL-2.0

package export

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"
)

// assemble runs an assembler for alice over files.
func assemble(t testing.TB, dst io.Writer, dir string, lookUp lookUpFunc, files ...string) (Counts, *assembler, error) {
	t.Helper()
	w := newWriter(dst)
	a := newAssembler(w, "alice", dir)
	defer func() {
		if err := a.close(); err != nil {
			t.Error(err)
		}
	}()
	if err := a.user([]byte(`{"id":"alice", "mutes":[{"target":{"id":"canary"}}],"n":1e400,"\u0064evices":[],"name":"\u00c6"}`)); err != nil {
		return Counts{}, a, err
	}
	for _, file := range files {
		if err := a.file(strings.NewReader(file)); err != nil {
			return Counts{}, a, err
		}
	}
	if lookUp == nil {
		lookUp = func(context.Context, string, int) ([]json.RawMessage, bool, error) {
			t.Error("an unexpected look-up")
			return nil, false, nil
		}
	}
	if err := a.reactions(t.Context(), lookUp); err != nil {
		return Counts{}, a, err
	}
	sum, err := w.close()
	return sum, a, err
}

const aliceUser = `{"user":{"id":"alice","n":1e400,"name":"\u00c6"},`

func v1(messages string) string {
	return ` [ {"channel":{"cid":"a:b","messages":[1]},"members":[{"user":{"id":"canary"}}],"messages":` + messages + `,"x":null} ] `
}

func TestAssemble(t *testing.T) {
	for name, test := range map[string]struct{ file, want string }{
		"nothing":  {v1(`[]`), `"messages":[],"reactions":[]}`},
		"null":     {v1(`null`), `"messages":[],"reactions":[]}`},
		"nobody":   {`[]`, `"messages":[],"reactions":[]}`},
		"not hers": {v1(`[{"id":"canary","user":{"id":"bob"},"text":"canary"}]`), `"messages":[],"reactions":[]}`},
		"not quite": {v1(`[{"id":"canary","user":{"id":"alice2"},"user_id":"alice"},{"user":{"ID":"alice"}},{"user":"alice"},` +
			`{"User":{"id":"alice"}}]`), `"messages":[],"reactions":[]}`},
		"hers": {
			v1(`[ { "id" : "m" , "user" : {"id":"alice","name":"x"} , "n" : 12345678901234567890, "\u0074ext":"\ud83e\udd6a" , "n":0.10 } ]`),
			`"messages":[{"id":"m","user":null,"n":12345678901234567890,"\u0074ext":"\ud83e\udd6a","n":0.10}],"reactions":[]}`,
		},
		"by user_id":      {v1(`[{"user_id":"alice","user":null}]`), `"messages":[{"user_id":"alice","user":null}],"reactions":[]}`},
		"an escaped name": {v1(`[{"\u0075ser":{"\u0069d":"\u0061lice"}}]`), `"messages":[{"\u0075ser":null}],"reactions":[]}`},
		"others inside": {
			v1(`[{"user":{"id":"alice"},"quoted_message":{"text":"canary"},"quoted_message_id":"q","poll":{"name":"canary"},"poll_id":"p",
			"pinned_by":{"id":"canary"},
				"mentioned_users":[{"id":"bob","name":"canary"},"eve",{"name":"canary"},7],"thread_participants":[{"id":"canary"}],
				"channel":{"name":"canary"},"own_reactions":null}]`),
			`"messages":[{"user":null,"quoted_message_id":"q","poll_id":"p","pinned_by":null,"mentioned_users":[{"id":"bob"},{"id":"eve"}],` +
				`"own_reactions":null}],"reactions":[]}`,
		},
		"reactions": {
			v1(`[{"id":"m","user":{"id":"bob"},"text":"canary","reaction_counts":{"like":1,"wow":1,"x":1},"latest_reactions":[
				{"user_id":"alice","type":"like","score":1.50,"user":{"id":"alice","name":"x"}},{"user_id":"bob","type":"x","note":"canary"},
				{"user":{"id":"alice"},"type":"wow"}],
				"own_reactions":[{"user_id":"alice","type":"like","again":true}]}]`),
			`"messages":[],"reactions":[{"user_id":"alice","type":"like","score":1.50,"user":null},{"user":null,"type":"wow"}]}`,
		},
		"v2": {
			`{"type":"user","data":{"id":"canary"}}` + "\n" + `{"type":"message","data":{"id":"m","user":{"id":"alice"},"text":"1"}}` + "\n\n" +
				`{"type":"message","data":{"id":"n","user":{"id":"bob"},"text":"canary","reaction_counts":{"like":1},` +
				`"latest_reactions":[{"user_id":"alice","type":"like"}]}}` + "\n" +
				`{"type":"reaction","data":{"message_id":"n","user_id":"alice","type":"like","user":{"id":"alice"}}}` + "\n" +
				`{"data":{"message_id":"m","user_id":"alice","type":"wow"},"type":"reaction"}{"item":{"message_id":"m","user_id":"bob",` +
				`"type":"canary"},"type":"reaction"}`,
			`"messages":[{"id":"m","user":null,"text":"1"}],"reactions":[{"user_id":"alice","type":"like"},{"message_id":"m","user_id":"alice",` +
				`"type":"wow"}]}`,
		},
	} {
		t.Run(name, func(t *testing.T) {
			var out bytes.Buffer
			sum, _, err := assemble(t, &out, "", nil, test.file)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(aliceUser+test.want, out.String()); diff != "" {
				t.Errorf("written (-want +got):\n%s", diff)
			}
			want, err := Summarize(out.String())
			if diff := cmp.Diff(want, sum); err != nil || diff != "" {
				t.Errorf("the summary (-want +got): %v\n%s", err, diff)
			}
			if strings.Contains(out.String(), "canary") {
				t.Error("something of others is in the export")
			}
		})
	}
}

func TestAssembleErrors(t *testing.T) {
	for name, file := range map[string]string{
		"empty": "", "spaces": " \n", "cut": `[{"messages":[{"id":"canary`, "cut after a message": `[{"messages":[{"user":{"id":"bob"}}`,
		"cut after a channel": `[{"messages":[]}`,
		"more":                `[] "canary"`, "no array": `"canary"`, "html": "<html>canary", "a channel": `[1]`,
		"messages":    `[{"messages":"canary"}]`,
		"no messages": `[{"channel":{}}]`,
		"a message":   v1(`["canary"]`), "a reaction": v1(`[{"user":{"id":"bob"},"latest_reactions":["canary"]}]`),
		"no author":  v1(`[{"id":"canary","by":"alice"}]`),
		"bad escape": v1(`[{"text":"canary\q"}]`), "v2 no type": `{"data":{"canary":1}}`, "v2 no data": `{"type":"message"}`,
		"v2 cut": `{"type":"message","data":{`, "v2 then": `{"type":"x","data":{}}["canary"]`,
	} {
		t.Run(name, func(t *testing.T) {
			_, _, err := assemble(t, io.Discard, "", nil, file)
			var parse *ParseError
			if !errors.As(err, &parse) {
				t.Fatalf("%T: %v", err, err)
			}
			if strings.Contains(err.Error(), "canary") {
				t.Errorf("the error quotes the file: %v", err)
			}
		})
	}
	t.Run("the reader's own", func(t *testing.T) {
		broken := errors.New("broken")
		a := newAssembler(newWriter(io.Discard), "alice", "")
		if err := a.file(io.MultiReader(strings.NewReader(`[{"messages":[`), iotest.ErrReader(broken))); !errors.Is(err, broken) {
			t.Error(err)
		}
	})
	t.Run("a value without end", func(t *testing.T) {
		a := newAssembler(newWriter(io.Discard), "alice", "")
		if err := a.file(io.MultiReader(strings.NewReader(`[{"messages":["`), endless{})); !errors.Is(err, errLongValue) {
			t.Error(err)
		}
	})
}

type endless struct{}

func (endless) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = 'x'
	}
	return len(p), nil
}

// crowdedMessage has more reactions than it lists.
func crowdedMessage(id, listed string) string {
	return fmt.Sprintf(`{"id":%q,"user":{"id":"bob"},"reaction_counts":{"like":11,"wow":1},"latest_reactions":[%s]}`, id, listed)
}

func TestAssembleLooksReactionsUp(t *testing.T) {
	listed := `{"message_id":"m","user_id":"alice","type":"like"},{"message_id":"m","user_id":"alice","type":"old"}`
	file := v1("[" + crowdedMessage("m1", "") + "," + crowdedMessage("m2", listed) + "," + crowdedMessage("gone", listed) + "]")
	var asked atomic.Int64
	lookUp := func(_ context.Context, id string, total int) ([]json.RawMessage, bool, error) {
		asked.Add(1)
		if total != 12 {
			t.Errorf("%s has %d", id, total)
		}
		if id == "gone" {
			return nil, false, nil
		}
		return []json.RawMessage{
			[]byte(`{"message_id":"` + id + `","user_id":"alice","type":"like","user":{"id":"alice"}}`), []byte(`{"user_id":"bob","type":"canary"}`),
		}, true, nil
	}
	var out bytes.Buffer
	_, a, err := assemble(t, &out, "", lookUp, file)
	if err != nil {
		t.Fatal(err)
	}
	want := aliceUser + `"messages":[],"reactions":[{"message_id":"m1","user_id":"alice","type":"like","user":null},{"message_id":"m2",` +
		`"user_id":"alice","type":"like","user":null},` +
		`{"message_id":"m","user_id":"alice","type":"old"},` + listed + `]}`
	if diff := cmp.Diff(want, out.String()); diff != "" {
		t.Errorf("written (-want +got):\n%s", diff)
	}
	if unread := a.unread; unread != 1 || asked.Load() != 3 {
		t.Errorf("%d not read, %d asked", unread, asked.Load())
	}

	broken := errors.New("broken")
	many := strings.Repeat(crowdedMessage("m", "")+",", 200)
	lookUp = func(context.Context, string, int) ([]json.RawMessage, bool, error) { return nil, false, broken }
	if _, _, err := assemble(t, io.Discard, "", lookUp, v1("["+strings.TrimSuffix(many, ",")+"]")); !errors.Is(err, broken) {
		t.Error(err)
	}
}

// TestAssembleSpools: reactions too many for memory go to a file that says
// nothing and is gone afterwards.
func TestAssembleSpools(t *testing.T) {
	reaction := `{"user_id":"alice","type":"secret","note":"` + strings.Repeat("secret", 200) + `"}`
	const n = 10_000 // of 1,250 bytes each
	message := `{"id":"m","user":{"id":"bob"},"reaction_counts":{"secret":1},"latest_reactions":[` + reaction + `]}`
	dir := t.TempDir()
	var out bytes.Buffer
	w := newWriter(&out)
	a := newAssembler(w, "alice", dir)
	if err := a.user([]byte(`{"id":"alice"}`)); err != nil {
		t.Fatal(err)
	}
	if err := a.file(strings.NewReader(v1("[" + strings.Repeat(message+",", n-1) + message + "]"))); err != nil {
		t.Fatal(err)
	}
	if !a.spool.OnDisk() {
		t.Fatal("nothing was spooled")
	}
	if err := a.reactions(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	sum, err := w.close()
	if err != nil || sum.Reactions != n || bytes.Count(out.Bytes(), []byte(reaction)) != n {
		t.Errorf("%d reactions, %v", sum.Reactions, err)
	}
	if err := a.close(); err != nil {
		t.Error(err)
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) != 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}

	small := newAssembler(newWriter(io.Discard), "alice", "")
	if err := small.user([]byte(`{}`)); err != nil {
		t.Fatal(err)
	}
	if err := small.file(strings.NewReader(v1("[" + strings.Repeat(message+",", n-1) + message + "]"))); !errors.Is(err, ErrTooLarge) {
		t.Errorf("without a directory: %v", err)
	}
}

func TestCopyChannels(t *testing.T) {
	for name, test := range map[string]struct {
		file string
		want Channels
	}{
		"v1":       {v1(`[{"id":"m"},{"id":"n"}]`), Channels{"v1", 1, 2}},
		"a number": {`[{"channel":{"n":1e400},"messages":[]}]`, Channels{"v1", 1, 0}},
		"v1 none":  {"[ ]\n", Channels{"v1", 0, 0}},
		"v2":       {"{\"type\":\"message\",\"data\":{}}\n{\"anything\":1}\n", Channels{"v2", 0, 1}},
	} {
		t.Run(name, func(t *testing.T) {
			var out bytes.Buffer
			got, err := CopyChannels(&out, iotest.OneByteReader(strings.NewReader(test.file)))
			if err != nil || got != test.want || out.String() != test.file {
				t.Errorf("%+v, %v, %q", got, err, out.String())
			}
		})
	}
	for _, file := range []string{"", "<html>", `{"a":1}x`, `[{"channel":` + strings.Repeat("[", maxDepth+1), `[{"messages":[]}`, `[{}]`} {
		if _, err := CopyChannels(io.Discard, strings.NewReader(file)); err == nil {
			t.Errorf("%q passes for a channel export", file)
		}
	}
}
