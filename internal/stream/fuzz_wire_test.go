// Copyright (c) the terraform-provider-streamchat authors
// SPDX-License-Identifier: MPL-2.0

package stream

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/clock/clocktest"
)

// heard is a request as a server reads it off the wire.
type heard struct {
	op       Operation
	segments []string // of the path, unescaped
	payload  []byte   // the query's
	body     []byte
}

func listen(t *testing.T, r *http.Request) heard {
	t.Helper()
	var wire bytes.Buffer
	if err := r.Write(&wire); err != nil {
		t.Fatal(err)
	}
	got, err := http.ReadRequest(bufio.NewReader(&wire))
	if err != nil {
		t.Fatal(err)
	}
	body, err := io.ReadAll(got.Body)
	if err != nil {
		t.Fatal(err)
	}
	h := heard{op: operationOf(got.Method, got.URL.EscapedPath()), payload: []byte(got.URL.Query().Get("payload")), body: body}
	for _, segment := range strings.Split(got.URL.EscapedPath(), "/")[1:] {
		text, err := url.PathUnescape(segment)
		if err != nil {
			t.Fatal(err)
		}
		h.segments = append(h.segments, text)
	}
	return h
}

// FuzzIDs: an id that is taken comes to the server as it is, at the endpoint that
// is meant; one that is refused is not sent.
func FuzzIDs(f *testing.F) {
	for _, seed := range []string{
		"alice", testUser, "messaging:general", "messaging:!members-x", "a:b:c", ":", "a:", "!a:b", "", ".", "..", "a/b", "a%2fb", "a,b", "a b",
		"a?b#c", "ä", "\xff", "delete", "a\nb", "a+b", "\x00", ";", "a\n:b", "a:b\n",
		strings.Repeat("x", 255), strings.Repeat("x", 256), strings.Repeat("x", 64) + ":!" + strings.Repeat("y", 64),
		strings.Repeat("x", 65) + ":y",
	} {
		f.Add(seed)
	}
	isUser := regexp.MustCompile(`^[@\w-]{1,255}$`)
	f.Fuzz(func(t *testing.T, id string) {
		var got []heard
		c := answering(t, func(r *http.Request) (*http.Response, error) {
			got = append(got, listen(t, r))
			return response(r, 404, []byte(`{"code":16,"message":"x"}`)), nil
		})
		// sent calls and checks what comes to the server, or that nothing does.
		sent := func(op Operation, taken bool, segments []string, where string, call func() error) {
			t.Helper()
			got = nil
			err := call()
			var e *Error
			switch {
			case !errors.As(err, &e):
				t.Errorf("%s: %T %v", op, err, err)
			case !taken && (len(got) > 0 || e.Kind != KindInput):
				t.Errorf("%s: %q was sent: %v", op, id, err)
			case taken && (len(got) != 1 || got[0].op != op):
				t.Errorf("%s: %q comes as %+v: %v", op, id, got, err)
			case taken && segments != nil && !slices.Equal(got[0].segments, segments):
				t.Errorf("%s: %q comes as %q", op, id, got[0].segments)
			case taken && where != "":
				text := got[0].body
				if len(text) == 0 {
					text = got[0].payload
				}
				quoted := must(json.Marshal(id))
				if !bytes.Contains(text, append([]byte(where), append(quoted, ']')...)) &&
					!bytes.Contains(text, append([]byte(where), append(quoted, '}')...)) &&
					!bytes.Contains(text, append([]byte(where), append(quoted, ',')...)) {
					t.Errorf("%s: %q comes as %s", op, id, text)
				}
			}
		}
		message := ValidMessageID(id)
		if message && (!utf8.ValidString(id) || utf8.RuneCountInString(id) > 255) {
			t.Errorf("%q is a message's id", id)
		}
		sent(OpGetMessage, message, []string{"messages", id}, "", func() error { _, err := c.GetMessage(ctx, id); return err })
		sent(OpDeleteMessage, message, []string{"messages", id}, "", func() error { _, err := c.DeleteMessage(ctx, id, true); return err })

		typ, channel, isCID := SplitCID(id)
		if isCID && typ+":"+channel != id {
			t.Errorf("%q is %q and %q", id, typ, channel)
		}
		sent(OpTruncateChannel, isCID, []string{"channels", typ, channel, "truncate"}, "",
			func() error { _, err := c.TruncateChannel(ctx, id, Truncation{}); return err })
		sent(OpDeleteChannels, isCID, nil, `"cids":[`, func() error { _, err := c.DeleteChannels(ctx, []string{id}, true); return err })
		sent(OpQueryChannels, isCID, nil, `"$in":[`, func() error { _, err := c.ChannelsByCID(ctx, []string{id}); return err })
		if isCID {
			sent(OpExportChannels, true, nil, `"cid":`, func() error {
				_,
					err := c.ExportChannels(ctx, ChannelExport{CIDs: []string{id}})
				return err
			})
		}

		// Other ids than the validators take come from Stream's own answers.
		inPath := id != "" && id != "." && id != ".."
		if !isUser.MatchString(id) && inPath {
			return
		}
		sent(OpExportUser, inPath, []string{"users", id, "export"}, "", func() error { _, err := c.ExportUser(ctx, id); return err })
		sent(OpGetTask, inPath, []string{"tasks", id}, "", func() error { _, err := c.Task(ctx, id); return err })
		sent(OpDeletePoll, inPath, []string{"polls", id}, "", func() error { return c.DeletePoll(ctx, id, "x") })
		if inPath || id == "" {
			sent(OpDeleteUsers, inPath, nil, `"user_ids":[`, func() error { _, err := c.DeleteUsers(ctx, []string{id}, UserDeletion{}); return err })
			sent(OpQueryUsers, inPath, nil, `"$in":[`, func() error { _, err := c.UsersByID(ctx, []string{id}); return err })
			sent(OpUpdateUsersPartial, inPath, nil, `"id":`, func() error { _, err := c.ProbeUser(ctx, id); return err })
			sent(OpRestoreUsers, inPath, nil, `"user_ids":[`, func() error { return c.RestoreUsers(ctx, []string{id}) })
		}
	})
}

// FuzzFilter: the filter that comes to the server is the very JSON, spelling
// aside, on every page; what is no JSON object is not sent.
func FuzzFilter(f *testing.F) {
	for _, seed := range []string{
		`{}`, ` { "role" : "guest" } `, `{"n":{"$gt":12345678901234567890.10}}`, `{"a":1,"a":2}`, `{"b":1,"a":[1e400,-0,null,true]}`,
		`{"name":"<b>&\u2028\ud83d"}`, `{"$and":[{"id":{"$gt":"x"}}]}`,
		`null`, `[]`, `"x"`, ``, `{`, `{} x`, "\xef\xbb\xbf{}", `{"a":"` + strings.Repeat("x", 7000) + `"}`,
		`{"a":` + strings.Repeat("[", 500) + strings.Repeat("]", 500) + `}`,
	} {
		f.Add(seed, "alice")
	}
	f.Fuzz(func(t *testing.T, filter, last string) {
		if !utf8.ValidString(filter) || !utf8.ValidString(last) || last == "" {
			return // no text of Terraform's, and nobody's id
		}
		var pages [][]byte
		c := answering(t, func(r *http.Request) (*http.Response, error) {
			pages = append(pages, listen(t, r).payload)
			users := []any{}
			if len(pages) == 1 {
				users = append(users, map[string]any{"id": last})
			}
			return response(r, 200, must(json.Marshal(map[string]any{"users": users}))), nil
		})
		_, err := c.QueryUsers(ctx, UserQuery{Filter: json.RawMessage(filter)})
		object := json.Valid([]byte(filter)) && isObject(plain([]byte(filter)))
		if long := 8*(len(filter)+len(last))+1000 > maxPayload; !long && object != (err == nil) || object && len(pages) == 0 && !long ||
			!object && len(pages) > 0 {
			t.Fatalf("%q: %v, %d pages", filter, err, len(pages))
		}
		if err != nil {
			var e *Error
			if !errors.As(err, &e) || e.Kind != KindInput {
				t.Errorf("%q: %T %v", filter, err, err)
			}
			if len(pages) == 0 {
				return
			}
		}
		behind := `{"id":{"$gt":` + string(must(json.Marshal(last))) + `}}`
		for i, want := range []string{filter, `{"$and":[` + filter + `,` + behind + `]}`}[:len(pages)] {
			if i == 1 && len(plain([]byte(filter)).(map[string]any)) == 0 {
				want = behind
			}
			var sent struct {
				Filter json.RawMessage `json:"filter_conditions"`
			}
			if err := json.Unmarshal(pages[i], &sent); err != nil || !slices.Equal(tokens(sent.Filter), tokens([]byte(want))) {
				t.Errorf("%q comes as %s on page %d", filter, sent.Filter, i+1)
			}
		}
	})
}

// tokens are the parts of a JSON text, numbers as they are spelt.
func tokens(text []byte) (list []json.Token) {
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.UseNumber()
	for {
		token, err := decoder.Token()
		if err != nil {
			return list
		}
		list = append(list, token)
	}
}

// FuzzRateLimits: no header lets more through than the operator allows, and none
// stops calls for longer than a reset can be away.
func FuzzRateLimits(f *testing.F) {
	now := testStart.Unix()
	for _, seed := range []struct {
		status                          int
		limit, remaining, reset, waited string
	}{
		{201, "6", "5", strconv.FormatInt(now+30, 10), ""}, {429, "6", "0", strconv.FormatInt(now+119, 10), ""}, {429, "", "", "", "30"},
		{429, "0", "-1", "0", "-5"},
		{200, "9223372036854775807", "0", "9223372036854775807", ""},
		{429, "-9223372036854775808", "x", "-62135596801", testStart.Add(time.Minute).Format(http.TimeFormat)}, {0, "", "", "", ""},
		{429, "1", "0", strconv.FormatInt(now+86400, 10), "86400"},
	} {
		f.Add(seed.status, seed.limit, seed.remaining, seed.reset, seed.waited)
	}
	f.Fuzz(func(t *testing.T, status int, limit, remaining, reset, after string) {
		simulated := clocktest.New(testStart)
		l := newLimiter(simulated, func(context.Context, string, map[string]any) {}, map[Operation]int{OpDeleteUsers: 6})
		answer := http.Header{"X-Ratelimit-Limit": {limit}, "X-Ratelimit-Remaining": {remaining}, "X-Ratelimit-Reset": {reset},
			"Retry-After": {after}}
		for _, op := range []Operation{OpDeleteUsers, OpQueryUsers, OpGetTask} {
			for range 3 {
				before := simulated.Now()
				s, err := l.acquire(ctx, op, l.newTicket(), time.Time{})
				if waited := simulated.Now().Sub(before); err != nil || waited > maxReset+resetMargin {
					t.Fatalf("%s waited %s: %v", op, waited, err)
				}
				l.release(s, true, status, answer)
				if n := s.lane.limit; n < 0 || op == OpDeleteUsers && (n < 1 || n > 6) {
					t.Fatalf("%s has the limit %d", op, n)
				}
			}
		}
		if d, ok := retryAfter(answer, testStart); ok && (d <= 0 || d > maxReset) {
			t.Errorf("%q is %s", after, d)
		}
	})
}

// FuzzDownload: whatever a file's host does, what is read to the end is a file
// that it has, whole. Each byte of the script is what one connection does.
func FuzzDownload(f *testing.F) {
	for _, seed := range []string{"", "\x01", "\x01\x02", "\x01\x03\x02", "\x01\x04", "\x01\x05\x02", "\x01\x06\x07\x08\x02", "\x01\x09\x02",
		"\x11\x0a\x21\x02", "\x08\x08\x08\x08\x08\x08\x08", "\x05", "\x01\x0b\x0c", "\x31\x15\x02", "\x31\x23\x13\x02", "\x51\x0a",
		"\xa1\x0a\x02"} {
		f.Add([]byte(seed), false)
		f.Add([]byte(seed), true)
	}
	files := []string{strings.Repeat("0123456789", 20), strings.Repeat("0123456789", 10) + "x" + strings.Repeat("0123456789", 9)}
	f.Fuzz(func(t *testing.T, script []byte, tagged bool) {
		c := answering(t, func(r *http.Request) (*http.Response, error) {
			return response(r, 200, []byte(`{"task_id":"t","status":"completed","result":{"url":"https://canary.example/file?Signature=canary"}}`)),
				nil
		})
		c.transport.retries = 3
		file := files[0]
		c.files.Transport = roundTripper(func(r *http.Request) (*http.Response, error) {
			op := byte(0)
			if len(script) > 0 {
				op, script = script[0], script[1:]
			}
			size := int(op>>4) * 12
			if op%16 == 10 {
				file = files[1]
			}
			var from int
			ranged, _ := fmt.Sscanf(r.Header.Get("Range"), "bytes=%d-", &from)
			tag := fmt.Sprintf("%q", file[100:101])
			part := ranged == 1 && (!tagged || r.Header.Get("If-Range") == tag)
			answer := func(status int, content string, full bool, contentRange string) *http.Response {
				resp := response(r, status, nil)
				body := io.Reader(strings.NewReader(content))
				if !full {
					body = io.MultiReader(body, broken{})
				}
				resp.Body = io.NopCloser(body)
				if contentRange != "" {
					resp.Header.Set("Content-Range", contentRange)
				}
				if tagged {
					resp.Header.Set("ETag", tag)
				}
				return resp
			}
			upTo := func(from int) int { return min(from+size, len(file)) }
			whole := func(from int) string { return fmt.Sprintf("bytes %d-%d/%d", from, len(file)-1, len(file)) }
			switch op % 16 {
			case 1:
				return answer(200, file[:upTo(0)], false, ""), nil
			case 2, 3, 4, 5:
				if !part || from >= len(file) {
					break
				}
				switch op % 16 {
				case 2:
					return answer(206, file[from:], true, whole(from)), nil
				case 3:
					return answer(206, file[from:upTo(from)], false, whole(from)), nil
				case 4:
					return answer(206, file[from/2:], true, whole(from/2)), nil
				}
				end := max(upTo(from), from+1)
				return answer(206, file[from:end], true, fmt.Sprintf("bytes %d-%d/%d", from, end-1, len(file))), nil
			case 6:
				return answer(403, "canary", true, ""), nil
			case 7:
				return answer(500, "canary", true, ""), nil
			case 8:
				return nil, errors.New("canary")
			case 9:
				return answer(302, "canary", true, ""), nil
			case 11:
				return answer(206, file, true, "bytes canary"), nil
			case 12:
				return answer(204, "", true, ""), nil
			}
			return answer(200, file, true, ""), nil
		})
		got, err := func() (string, error) {
			src, err := c.OpenExport(ctx, "t")
			if err != nil {
				return "", err
			}
			body, err := io.ReadAll(src)
			return string(body), errors.Join(err, src.Close())
		}()
		switch {
		case err == nil && !slices.Contains(files, got):
			t.Errorf("%q passes for a file", got)
		case err != nil && (strings.Contains(err.Error(), "canary") || !errors.As(err, new(*Error))):
			t.Errorf("%T %v", err, err)
		}
	})
}

// broken is the end of a connection that was cut.
type broken struct{}

func (broken) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }
