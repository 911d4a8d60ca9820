// Copyright (c) the terraform-provider-streamchat authors
// SPDX-License-Identifier: MPL-2.0

package bundle_test

import (
	"archive/zip"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/attachment"
	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/bundle"
	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/clock"
	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/export"
)

var at = time.Date(2026, 11, 25, 12, 0, 0, 0, time.UTC)

// source is an export of one user.
func source(t testing.TB, text string) bundle.Source {
	t.Helper()
	counts, err := export.Summarize(text)
	if err != nil {
		t.Fatal(err)
	}
	return func(w io.Writer) (export.Findings, error) {
		_, err := io.WriteString(w, text)
		return export.Findings{Counts: counts, Method: export.Direct}, err
	}
}

func write(t testing.TB, options bundle.Options, from bundle.Source) (map[string]string, bundle.Result) {
	t.Helper()
	if options.Dir == "" {
		options.Dir = t.TempDir()
	}
	options.Subject, options.App, options.Version, options.At = "alice", "Demo Chat", "1.0", at
	var out bytes.Buffer
	result, err := bundle.Write(t.Context(), &out, options, from)
	if err != nil {
		t.Fatal(err)
	}
	if left, err := os.ReadDir(options.Dir); err != nil || len(left) != 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
	return unzip(t, out.Bytes()), result
}

func unzip(t testing.TB, raw []byte) map[string]string {
	t.Helper()
	archive, err := zip.NewReader(bytes.NewReader(raw), int64(len(raw)))
	if err != nil {
		t.Fatal(err)
	}
	parts := map[string]string{}
	for _, f := range archive.File {
		r, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		content, err := io.ReadAll(r)
		if err != nil {
			t.Fatalf("%s: %v", f.Name, err)
		}
		if _, twice := parts[f.Name]; twice {
			t.Errorf("%s is twice in the archive", f.Name)
		}
		parts[f.Name] = string(content)
	}
	return parts
}

const everything = `{"user":{"id":"alice","name":"Ælice <b>","role":"user","created_at":"2021-05-17T14:35:23.313097Z","phone":"+31 20 555","teams":["red"]},
"messages":[
 {"id":"m1","text":"<script>alert(1)</script> & 👩‍👧 مرحبا بالعالم","type":"regular","user":null,"attachments":[],"cid":"messaging:team","created_at":"2026-01-02T03:04:05.5Z","mood":"sunny","reaction_counts":{"like":2}},
 {"id":"m2","text":"edited","type":"reply","parent_id":"m1","attachments":[{"type":"route","stops":["A","B"]}],"cid":"messaging:team","created_at":"2026-01-03T03:04:05Z","message_text_updated_at":"2026-01-03T04:00:00Z"},
 {"id":"m3","text":"gone","type":"deleted","deleted_at":"2026-01-04T00:00:00Z","attachments":[],"cid":"messaging:!members-abc","created_at":"2026-01-03T23:00:00Z"},
 {"id":"m4","text":"","type":"regular","attachments":[],"cid":"messaging:team","created_at":"2026-01-05T00:00:00Z","poll_id":"p","poll":{"id":"p","name":"Where to?","options":[{"id":"o1","text":"Canal"}],"vote_counts_by_option":{"o1":3},"is_closed":true,"own_votes":[{"user_id":"alice","answer_text":"the park"}]}}
],"reactions":[{"message_id":"x1","user_id":"alice","type":"love","created_at":"2026-02-01T10:00:00Z","score":1}],"calls":[{"id":"c1"}]}`

func TestWrite(t *testing.T) {
	t.Parallel()
	parts, result := write(t, bundle.Options{Channels: func(context.Context, []string) (map[string]bundle.Channel, error) {
		return map[string]bundle.Channel{"messaging:team": {Name: "The Team", CreatedBy: "bob", MemberCount: 2, Members: []bundle.Member{{ID: "alice"}, {ID: "bob", Name: "Bob"}}}}, nil
	}}, source(t, everything))
	if parts["export.json"] != everything {
		t.Error("export.json is not what Stream sent")
	}
	if sum := sha256.Sum256([]byte(everything)); result.SHA256 != hex.EncodeToString(sum[:]) {
		t.Error("another hash")
	}
	index := parts["index.html"]
	for _, want := range []string{
		"Demo Chat", "Ælice &lt;b&gt;", "31 20 555", "&lt;script&gt;alert(1)&lt;/script&gt; &amp; 👩‍👧 مرحبا", "The Team", "with Bob",
		"sunny", "Mood", "👍 like × 2", "In a thread, in answer to <a href=\"#m", "a message that is not yours, or that is no longer there", "edited 3 January 2026, 04:00", "deleted 4 January 2026", "Route", "A, B",
		"Poll: Where to?", "Canal", "the park", "closed", "❤️ love", "no longer there", `dir="auto"`, "Saturday, 3 January 2026", "default-src &#39;none&#39;",
	} {
		if !strings.Contains(index, want) {
			t.Errorf("index.html lacks %q", want)
		}
	}
	for _, bad := range []string{"<script", "javascript:", "http-equiv=\"refresh\"", "ZgotmplZ"} {
		if strings.Contains(index, bad) {
			t.Errorf("index.html holds %q", bad)
		}
	}
	var manifest struct {
		Parts []struct {
			Name, SHA256 string
			Size         int
		}
		Complete bool
	}
	if err := json.Unmarshal([]byte(parts["MANIFEST.json"]), &manifest); err != nil || !manifest.Complete {
		t.Fatalf("%v: %s", err, parts["MANIFEST.json"])
	}
	for _, p := range manifest.Parts {
		sum := sha256.Sum256([]byte(parts[p.Name]))
		if len(parts[p.Name]) != p.Size || hex.EncodeToString(sum[:]) != p.SHA256 {
			t.Errorf("%s is not what the manifest says", p.Name)
		}
	}
	if len(manifest.Parts) != len(parts)-1 {
		t.Errorf("%d parts, %d in the manifest", len(parts), len(manifest.Parts))
	}
	again, _ := write(t, bundle.Options{}, source(t, everything))
	once, _ := write(t, bundle.Options{}, source(t, everything))
	if again["index.html"] != once["index.html"] || again["export.json"] != once["export.json"] {
		t.Error("the same input gives another bundle")
	}
}

// Whatever a message or a reaction refers to is said in words, and where it is the
// person's own message on whichever page there is a link to it.
func TestWrite_references(t *testing.T) {
	t.Parallel()
	const bobs = "bob-9d2f8f0e-5f43-4f2b-8a7e-4a4c7c2a9f10"
	message := func(id, cid, at, more string) string {
		return fmt.Sprintf(`{"id":%q,"text":"words of %s","attachments":[],"cid":%q,"created_at":"2026-01-%s:00Z"%s}`, id, id, cid, at, more)
	}
	for _, split := range []bool{false, true} {
		var all []string
		all = append(all,
			message("first", "messaging:b", "01T10:00", ""), message("early", "messaging:b", "01T09:00", `,"parent_id":"first"`),
			message("quoter", "messaging:a", "02T10:00", `,"quoted_message_id":"first","quoted_message":{"id":"first","text":"words of first","user":{"id":"alice"}}`),
			message("answer", "messaging:a", "03T10:00", `,"parent_id":"`+bobs+`"`), message("lost", "messaging:a", "03T11:00", `,"parent_id":"nowhere"`),
			message("quotes-bob", "messaging:a", "04T10:00", `,"quoted_message_id":"`+bobs+`","quoted_message":{"id":"`+bobs+`","text":"SECRET","created_at":"2026-01-01T08:00:00Z","user":{"id":"bob","name":"Bob"}}`))
		for i := range map[bool]int{false: 0, true: 8000}[split] {
			all = append(all, message(fmt.Sprintf("filler%d", i), "messaging:b", "02T10:00", fmt.Sprintf(`,"parent_id":"filler%d"`, (i*7919)%8000)))
		}
		text := `{"user":{"id":"alice"},"messages":[` + strings.Join(all, ",") + `],"reactions":[` +
			`{"message_id":"first","user_id":"alice","type":"love","created_at":"2026-02-01T10:00:00Z"},{"message_id":"` + bobs + `","user_id":"alice","type":"like","created_at":"2026-02-02T10:00:00Z"},` +
			`{"message_id":"carol-9d2f8f0e-5f43-4f2b-8a7e-4a4c7c2a9f10","user_id":"alice","type":"wow"}]}`
		for _, audience := range []bundle.Audience{bundle.Controller, bundle.Subject} {
			parts, _ := write(t, bundle.Options{Audience: audience}, source(t, text))
			var pages strings.Builder
			for name, content := range parts {
				if strings.HasSuffix(name, ".html") {
					pages.WriteString(content)
				}
			}
			who, where := "Bob", map[string]string{"messaging:a": "messaging:a", "messaging:b": "messaging:b"}
			if audience == bundle.Subject {
				who, where = "participant 1", map[string]string{"messaging:a": "Conversation 1", "messaging:b": "Conversation 2"}
			}
			shown := regexp.MustCompile(`</?(a|bdi)( href="[^"]*")?>`).ReplaceAllString(pages.String(), "")
			for _, want := range []string{
				"in answer to your message of 1 January 2026, 10:00: <q dir=\"auto\">words of first</q>",
				"Quotes your message of 1 January 2026, 10:00 in " + where["messaging:b"] + "</p>\n<blockquote dir=\"auto\">words of first</blockquote>",
				"in answer to a message of " + who + " of 1 January 2026, 08:00</p>", "in answer to a message that is not yours, or that is no longer there</p>",
				"Quotes a message of " + who + " of 1 January 2026, 08:00</p>",
				"to your message of 1 January 2026, 10:00 in " + where["messaging:b"], "to a message of " + who + " of 1 January 2026, 08:00 in " + where["messaging:a"] + "</span>",
				"</strong> <span class=\"soft\">to a message that is not yours, or that is no longer there</span>",
			} {
				if !strings.Contains(shown, want) {
					t.Errorf("split %v, %s: %q is missing", split, audience, want)
				}
			}
			if audience == bundle.Subject && strings.Contains(pages.String()+parts["export.json"], "SECRET") || strings.Contains(pages.String(), "carol-9d") {
				t.Errorf("split %v, %s: an id, or what another wrote", split, audience)
			}
			if split && strings.Contains(parts["index.html"], "words of first") {
				t.Error("it is not split")
			}
			checkLinks(t, parts)
		}
	}
}

// checkLinks follows every link inside of a bundle.
func checkLinks(t *testing.T, parts map[string]string) {
	t.Helper()
	ids := map[string]map[string]bool{}
	for name, content := range parts {
		ids[name] = map[string]bool{}
		for _, id := range regexp.MustCompile(` id="([^"]*)"`).FindAllStringSubmatch(content, -1) {
			if ids[name][id[1]] {
				t.Errorf("%s has the anchor %s twice", name, id[1])
			}
			ids[name][id[1]] = true
		}
	}
	for name, content := range parts {
		if !strings.HasSuffix(name, ".html") {
			continue
		}
		if len(content) > 2_000_000 {
			t.Errorf("%s: %d bytes", name, len(content))
		}
		for _, link := range regexp.MustCompile(`(?:href|src)="([^"]*)"`).FindAllStringSubmatch(content, -1) {
			file, anchor, _ := strings.Cut(link[1], "#")
			if strings.Contains(file, "://") {
				continue
			}
			if file = path.Join(path.Dir(name), file); link[1][0] == '#' {
				file = name
			}
			if ids[file] == nil || anchor != "" && !ids[file][anchor] {
				t.Errorf("%s links to %s, which is not there", name, link[1])
			}
		}
	}
}

// Large exports lie on pages, none of them large, that lead to each other.
func TestWrite_pages(t *testing.T) {
	t.Parallel()
	const channels, each = 3, 4000
	var b strings.Builder
	b.WriteString(`{"user":{"id":"alice"},"messages":[`)
	for i := range channels * each {
		if i > 0 {
			b.WriteByte(',')
		}
		text := fmt.Sprintf("word%d %s", i, strings.Repeat("<&>", 100))
		if i == 77 {
			text = strings.Repeat("long<", 600_000)
		}
		fmt.Fprintf(&b, `{"id":"m%d","text":%q,"attachments":[],"cid":"messaging:c%d","created_at":%q}`, i, text, i%channels,
			at.Add(time.Duration(channels*each-i)*time.Hour).Format(time.RFC3339Nano))
	}
	b.WriteString(`],"reactions":[]}`)
	for _, audience := range []bundle.Audience{bundle.Controller, bundle.Subject} {
		parts, _ := write(t, bundle.Options{Audience: audience}, source(t, b.String()))
		var all strings.Builder
		for name, content := range parts {
			if strings.HasSuffix(name, ".html") {
				all.WriteString(content)
			}
		}
		checkLinks(t, parts)
		shown := map[string]int{}
		for _, word := range regexp.MustCompile(`word\d+ `).FindAllString(all.String(), -1) {
			shown[word]++
		}
		for i := range channels * each {
			if n := shown[fmt.Sprintf("word%d ", i)]; i != 77 && n != 1 {
				t.Fatalf("message %d is shown %d times", i, n)
			}
		}
	}
}

// No page is larger than 2 MB, whatever the export is full of, and whatever conversations
// and their members are called.
func TestWrite_pagesOfHostileText(t *testing.T) {
	t.Parallel()
	name := strings.Repeat("'", 5000)
	known := func(_ context.Context, cids []string) (map[string]bundle.Channel, error) {
		all := map[string]bundle.Channel{}
		for _, cid := range cids {
			all[cid] = bundle.Channel{Name: name, MemberCount: 9, Members: []bundle.Member{{ID: "a", Name: name}, {ID: "b", Name: name}, {ID: "c", Name: name}}}
		}
		return all, nil
	}
	for what, c := range map[string]struct {
		text            string
		messages, talks int
	}{
		"quotes": {strings.Repeat("'", 40_000), 14, 1}, "escaped quotes": {strings.Repeat(`\"`, 20_000), 14, 1}, "plus": {strings.Repeat("+", 40_000), 100, 1},
		"tags": {strings.Repeat("<>", 20_000), 14, 1}, "nothing": {`\u0000\ud800\u202e\u200b`, 30, 3}, "names": {"x", 900, 900},
	} {
		var all []string
		for i := range c.messages {
			all = append(all, fmt.Sprintf(`{"id":"m%d","text":"%s","cid":"messaging:c%d","created_at":"2026-01-02T03:04:05Z","parent_id":"m%d","quoted_message_id":"m0"}`, i, c.text, i%c.talks, i))
		}
		parts, _ := write(t, bundle.Options{Channels: known}, source(t, `{"user":{"id":"alice"},"messages":[`+strings.Join(all, ",")+`],"reactions":[]}`))
		for part, content := range parts {
			if strings.HasSuffix(part, ".html") && strings.Contains(content, "\x00") {
				t.Errorf("%s: a slot is left in %s", what, part)
			}
		}
		checkLinks(t, parts)
	}
}

// What cannot be fetched is named and counted, and loses nothing else.
func TestWrite_attachments(t *testing.T) {
	t.Parallel()
	other := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "elsewhere") }))
	defer other.Close()
	var lock sync.Mutex
	asked := map[string]int{}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		lock.Lock()
		asked[r.URL.String()]++
		lock.Unlock()
		switch r.URL.Path {
		case "/photo.png", "/photo2.png", "/CON.txt", "/me.png", "/download":
			_, _ = io.WriteString(w, "content of "+r.URL.Path)
		case "/signed.pdf":
			if r.URL.Query().Get("Signature") != "new" {
				http.Error(w, "expired", http.StatusForbidden)
				return
			}
			_, _ = io.WriteString(w, "renewed")
		case "/large.bin":
			_, _ = w.Write(make([]byte, 3<<20))
		case "/held.bin":
			_, _ = w.Write(bytes.Repeat([]byte("held"), 600<<10))
		case "/away":
			http.Redirect(w, r, other.URL+"/x", http.StatusFound)
		default:
			http.NotFound(w, r)
		}
	}))
	defer server.Close()
	fetcher := attachment.New(attachment.Options{Hosts: []string{server.Listener.Addr().String()}, MaxBytes: 5 << 19, Timeout: time.Minute, Clock: clock.Real{}})
	attach := func(id, fields string) string {
		return fmt.Sprintf(`{"id":%q,"text":"","attachments":[{%s}],"cid":"messaging:c","created_at":"2026-01-02T03:04:05Z"}`, id, strings.ReplaceAll(fields, "URL", server.URL))
	}
	text := `{"user":{"id":"alice","image":"` + server.URL + `/me.png?Signature=c"},"messages":[` + strings.Join([]string{
		attach("1", `"type":"image","image_url":"URL/photo.png?Signature=a"`), attach("2", `"type":"file","asset_url":"URL/CON.txt","title":"../../CON: фото?.txt"`),
		attach("3", `"type":"file","asset_url":"URL/signed.pdf?Signature=old","title":"Signed.pdf"`), attach("4", `"type":"file","asset_url":"URL/large.bin"`),
		attach("5", `"type":"file","asset_url":"URL/away"`), attach("6", `"type":"file","asset_url":"https://evil.example/x"`),
		attach("7", `"type":"image","image_url":"https://news.example/p.png","og_scrape_url":"https://news.example/story","title":"News"`),
		attach("8", `"type":"route","map":{"url":"URL/held.bin"}`), attach("9", `"type":"file","asset_url":"URL/gone.txt"`),
		// The same files again, and two that only their queries tell apart.
		attach("10", `"type":"image","image_url":"URL/photo.png?Signature=b","title":"again"`), attach("11", `"type":"file","asset_url":"URL/gone.txt?Signature=new"`),
		attach("12", `"type":"image","image_url":"URL/me.png?Signature=d"},{"type":"file","asset_url":"URL/download?id=1"},{"type":"file","asset_url":"URL/download?id=2"`),
		// A file of theirs beside a link.
		attach("13", `"type":"product","image_url":"URL/photo2.png","title_link":"https://shop.example/1","title":"Lamp"`),
	}, ",") + `],"reactions":[]}`
	parts, result := write(t, bundle.Options{Fetcher: fetcher, Message: func(_ context.Context, id string) ([]byte, error) {
		if id != "3" {
			return nil, errors.New("gone")
		}
		return []byte(attach("3", `"type":"file","asset_url":"URL/signed.pdf?Signature=new"`)), nil
	}}, source(t, text))
	if result.Saved != 10 || result.Missing != 5 || result.Complete() {
		t.Errorf("%+v", result)
	}
	for name, want := range map[string]string{
		"attachments/000001-me.png": "content of /me.png", "attachments/000002-photo.png": "content of /photo.png", "attachments/000003-CON.txt": "content of /CON.txt",
		"attachments/000004-Signed.pdf": "renewed", "attachments/000005-held.bin": strings.Repeat("held", 600<<10), "attachments/000006-download": "content of /download",
		"attachments/000007-download": "content of /download", "attachments/000008-Lamp.png": "content of /photo2.png",
	} {
		if parts[name] != want {
			t.Errorf("%s: %.40q", name, parts[name])
		}
	}
	for _, want := range []string{`"reason":"larger_than_allowed"`, `"reason":"redirected_elsewhere"`, `"reason":"host_not_allowed"`, `"reason":"gone_or_link_expired"`, `"complete": false`} {
		if !strings.Contains(parts["MANIFEST.json"], want) {
			t.Errorf("the manifest lacks %s", want)
		}
	}
	for _, want := range []string{`<img src="attachments/000002-photo.png" alt="Picture: again.png"`, `<img class="face" src="attachments/000001-me.png"`, "larger than this export takes", "5 files could not be saved", `href="https://news.example/story"`} {
		if !strings.Contains(parts["index.html"], want) {
			t.Errorf("index.html lacks %s", want)
		}
	}
	for _, once := range []string{"/me.png?Signature=c", "/photo.png?Signature=a", "/download?id=1", "/download?id=2"} {
		if asked[once] != 1 {
			t.Errorf("%s was fetched %d times", once, asked[once])
		}
	}
	for _, never := range []string{"/photo.png?Signature=b", "/me.png?Signature=d"} {
		if asked[never] != 0 {
			t.Errorf("%s was fetched %d times", never, asked[never])
		}
	}
	if len(parts) != 3+8 {
		t.Errorf("%d parts", len(parts))
	}
}

// Every attachment is in a count: a file that never came up is missing, a card of the app's
// own and a page that was linked to are no files.
func TestAttachmentsWithoutAnAddress(t *testing.T) {
	t.Parallel()
	attachments := []string{
		`{"type":"image"}`, `{"type":"file","title":"CV.pdf","asset_url":null}`, `{"type":"video","asset_url":""}`,
		`{"type":"route","stops":[]}`, `{"type":"image","og_scrape_url":"https://news.example/"}`, `{}`, `{"type":"giphy","title":"cat"}`,
	}
	parts, result := write(t, bundle.Options{Fetcher: attachment.New(attachment.Options{})},
		source(t, `{"user":{"id":"alice"},"messages":[{"id":"m","cid":"messaging:c","created_at":"2026-01-02T03:04:05Z","attachments":[`+strings.Join(attachments, ",")+`]}],"reactions":[]}`))
	if result.Missing != 3 || result.NoFiles != 4 || result.Saved != 0 || result.Attachments != int64(len(attachments)) {
		t.Errorf("%+v", result)
	}
	for _, want := range []string{`"attachments_without_file": 4`, `"reason":"address_not_usable"`, "CV.pdf"} {
		if !strings.Contains(parts["MANIFEST.json"], want) {
			t.Errorf("the manifest lacks %s: %s", want, parts["MANIFEST.json"])
		}
	}
}

// Files that do not come in time are gaps: the bundle is written, in the time that is left.
func TestFilesInTime(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/quick" {
			_, _ = io.WriteString(w, "quick")
			return
		}
		<-r.Context().Done()
	}))
	defer server.Close()
	var attached []string
	for i := range 12 {
		attached = append(attached, fmt.Sprintf(`{"type":"file","asset_url":"%s/%d"}`, server.URL, i))
	}
	text := `{"user":{"id":"alice"},"messages":[{"id":"m","cid":"messaging:c","created_at":"2026-01-02T03:04:05Z","attachments":[{"type":"file","asset_url":"` +
		server.URL + `/quick"},` + strings.Join(attached, ",") + `]}],"reactions":[]}`
	ctx, cancel := context.WithTimeout(t.Context(), 4*time.Second)
	defer cancel()
	var out bytes.Buffer
	result, err := bundle.Write(ctx, &out, bundle.Options{
		Subject: "alice", At: at, Dir: t.TempDir(),
		Fetcher: attachment.New(attachment.Options{Hosts: []string{server.Listener.Addr().String()}, MaxBytes: 1 << 20, Retries: 5, Timeout: time.Minute, Clock: clock.Real{}}),
	}, source(t, text))
	if err != nil || ctx.Err() != nil || result.Saved != 1 || result.Missing != 12 || result.Complete() {
		t.Fatalf("%v, %v, %+v", err, ctx.Err(), result)
	}
	if parts := unzip(t, out.Bytes()); strings.Count(parts["MANIFEST.json"], `"reason":"no_time_left"`) != 12 || !strings.Contains(parts["index.html"], "no time left") {
		t.Errorf("%s", parts["MANIFEST.json"])
	}
}

// Without Stream's word on what conversations are called, the bundle says that it lacks it.
func TestConversationsNotNamed(t *testing.T) {
	t.Parallel()
	for _, known := range []map[string]bundle.Channel{nil, {}} {
		parts, result := write(t, bundle.Options{Channels: func(context.Context, []string) (map[string]bundle.Channel, error) { return known, nil }},
			source(t, `{"user":{"id":"alice"},"messages":[{"id":"m","cid":"messaging:c","created_at":"2026-01-02T03:04:05Z"}],"reactions":[]}`))
		if lacks := known == nil; result.Unnamed != lacks || strings.Contains(parts["MANIFEST.json"], "Names of conversations") != lacks {
			t.Errorf("%v: %+v", known, result)
		}
	}
}

// An error of the source is what comes back, and what is no export is none.
func TestWrite_errors(t *testing.T) {
	t.Parallel()
	boom := errors.New("boom")
	for name, c := range map[string]struct {
		from bundle.Source
		want error
	}{
		"source": {func(w io.Writer) (export.Findings, error) {
			_, _ = io.WriteString(w, `{"user":{`)
			return export.Findings{}, boom
		}, boom},
		"cut": {func(w io.Writer) (export.Findings, error) {
			_, err := io.WriteString(w, `{"user":{"id":"a"}`)
			return export.Findings{}, err
		}, bundle.ErrNotExport},
		"text": {func(w io.Writer) (export.Findings, error) {
			_, err := io.WriteString(w, `hello`)
			return export.Findings{}, err
		}, bundle.ErrNotExport},
		"more": {func(w io.Writer) (export.Findings, error) {
			_, err := io.WriteString(w, `{} {}`)
			return export.Findings{}, err
		}, bundle.ErrNotExport},
	} {
		for _, audience := range []bundle.Audience{bundle.Controller, bundle.Subject} {
			_, err := bundle.Write(t.Context(), io.Discard, bundle.Options{Subject: "a", Dir: t.TempDir(), Audience: audience, At: at}, c.from)
			if !errors.Is(err, c.want) {
				t.Errorf("%s: %v", name, err)
			}
		}
	}
}
