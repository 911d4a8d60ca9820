// Copyright (c) the terraform-provider-streamchat authors
// SPDX-License-Identifier: MPL-2.0

package bundle_test

import (
	"bytes"
	"context"
	_ "embed"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/attachment"
	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/bundle"
	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/clock"
	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/export"
)

// clip is a second of video that a browser recorded of itself.
//
//go:embed testdata/clip.webm
var clip []byte

// picture is a PNG.
func picture(t testing.TB, width, height int) []byte {
	t.Helper()
	img := image.NewRGBA(image.Rect(0, 0, width, height))
	for i := range width * height {
		x, y := i%width, i/width
		img.Set(x, y, color.RGBA{uint8(x * 255 / width), uint8(y * 255 / height), 200, 255})
	}
	var out bytes.Buffer
	if err := png.Encode(&out, img); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// tone is a WAV file of a second.
func tone() []byte {
	const rate = 8000
	samples := make([]byte, rate)
	for i := range samples {
		samples[i] = byte(128 + 60*(i/10%2))
	}
	out := []byte("RIFF\x00\x00\x00\x00WAVEfmt ")
	out = binary.LittleEndian.AppendUint32(out, 16)
	for _, v := range []uint16{1, 1} {
		out = binary.LittleEndian.AppendUint16(out, v)
	}
	out = binary.LittleEndian.AppendUint32(out, rate)
	out = binary.LittleEndian.AppendUint32(out, rate)
	out = binary.LittleEndian.AppendUint16(out, 1)
	out = binary.LittleEndian.AppendUint16(out, 8)
	out = append(out, "data"...)
	out = binary.LittleEndian.AppendUint32(out, rate)
	out = append(out, samples...)
	binary.LittleEndian.PutUint32(out[4:], uint32(len(out)-8))
	return out
}

// fileServer has the files of rich.
func fileServer(t testing.TB) *httptest.Server {
	t.Helper()
	files := map[string][]byte{
		"/photo.png": picture(t, 640, 400), "/tall.png": picture(t, 300, 1600), "/me.png": picture(t, 96, 96), "/voice.wav": tone(), "/clip.webm": clip,
		"/noext": picture(t, 64, 64), "/report.pdf": []byte("%PDF-1.4 nothing in it"), "/report2.pdf": []byte("%PDF-1.4 two"), "/report3.pdf": []byte("%PDF-1.4 three"), "/voice": tone(),
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if content, ok := files[r.URL.Path]; ok {
			_, _ = w.Write(content)
			return
		}
		http.NotFound(w, r)
	}))
	t.Cleanup(server.Close)
	return server
}

// rich is the export of somebody who did all that one can do in a chat. more is how many
// long messages there are beside.
func rich(host string, more int) string {
	type object = map[string]any
	other := func(id, name string) object {
		return object{"id": id, "name": name, "role": "user", "banned": false, "online": true, "image": "https://example.com/" + id + ".png"}
	}
	bob, carol := other("bob", "Bob Builder"), other("carol", "كارول")
	const foreign = "bob-9d2f8f0e-5f43-4f2b-8a7e-4a4c7c2a9f10"
	n := 0
	var messages []object
	add := func(cid string, extra object) {
		n++
		m := object{
			"id": fmt.Sprintf("alice-%d", n), "text": "", "type": "regular", "user": nil, "attachments": []object{}, "cid": cid,
			"created_at": at.Add(time.Duration(n-400) * 7 * time.Hour).Format(time.RFC3339Nano), "updated_at": at.Format(time.RFC3339Nano),
			"latest_reactions": []object{}, "own_reactions": []object{}, "reaction_counts": object{}, "mentioned_users": []object{},
		}
		for k, v := range extra {
			m[k] = v
		}
		messages = append(messages, m)
	}
	file := func(kind, path, title string, extra object) object {
		a := object{"type": kind, "title": title}
		if kind == "image" {
			a["image_url"] = host + path + "?Expires=1&Signature=x"
		} else {
			a["asset_url"] = host + path + "?Expires=1&Signature=x"
		}
		for k, v := range extra {
			a[k] = v
		}
		return a
	}
	team, direct, rtl := "messaging:team", "messaging:!members-x8Vd0Kpdz1rKPyWqXyNbLr7c", "messaging:arabic"
	add(team, object{"text": "Hello <script>alert(1)</script> & <b>bold</b> <img src=x onerror=alert(2)>", "reaction_counts": object{"like": 2, "love": 1, "custom-one": 7}})
	add(team, object{"text": strings.Repeat("A long text that goes on and on, with words of many lengths. ", 60)})
	add(team, object{"text": strings.Repeat("verylongwordwithoutanyspace", 20)})
	add(team, object{"text": "👩‍👧‍👦 🏳️‍🌈 👍🏽 — emoji, and\nseveral\n\n   lines"})
	add(rtl, object{"text": "مرحبا بالعالم! هذا نص طويل من اليمين إلى اليسار مع English في الوسط و 123 رقم."})
	add(rtl, object{"text": "שלום עולם — \u200fטקסט בעברית", "quoted_message_id": "alice-5", "quoted_message": object{"id": "alice-5", "text": "مرحبا بالعالم!", "user": object{"id": "alice"}}})
	add(team, object{"text": "Edited afterwards", "message_text_updated_at": at.Format(time.RFC3339Nano)})
	add(team, object{"text": "I deleted this", "type": "deleted", "deleted_at": at.Format(time.RFC3339Nano)})
	add(team, object{"text": "A reply to my own", "type": "reply", "parent_id": "alice-1", "show_in_channel": true})
	add(team, object{"text": "A reply to Bob's", "type": "reply", "parent_id": foreign})
	add(team, object{"text": "I quote Bob", "quoted_message_id": foreign, "quoted_message": object{"id": foreign, "text": "What Bob said", "user": bob, "created_at": at.Add(-2000 * time.Hour).Format(time.RFC3339Nano), "cid": team}})
	add(team, object{"text": "@Bob @كارول look", "mentioned_users": []object{bob, carol}, "pinned": true, "pinned_by": bob, "pinned_at": at.Format(time.RFC3339Nano)})
	add(direct, object{"text": "Two pictures", "attachments": []object{file("image", "/photo.png", "holiday.png", nil), file("image", "/tall.png", "a very tall picture with a long name that goes on and on and on.png", nil)}})
	add(direct, object{"attachments": []object{file("voiceRecording", "/voice.wav", "", object{"duration": 1.5, "mime_type": "audio/wav", "waveform_data": []float64{0.1, 0.5}})}})
	add(direct, object{"text": "A film", "attachments": []object{file("video", "/clip.webm", "clip.webm", object{"mime_type": "video/webm", "file_size": 12345})}})
	add(direct, object{"text": "Music", "attachments": []object{file("audio", "/voice.wav", "song.wav", nil)}})
	add(direct, object{"text": "Odd names", "attachments": []object{
		file("file", "/report.pdf", `../../etc/passwd "quoted" <b>?*|:.pdf`, nil), file("file", "/report2.pdf", "CON.pdf", nil), file("file", "/report3.pdf", "отчёт — финал (2).pdf", nil),
		file("image", "/noext", "", nil), file("file", "/gone.zip", "gone.zip", nil), {"type": "file", "title": "elsewhere.doc", "asset_url": "https://files.example.org/elsewhere.doc"},
	}})
	add(direct, object{"text": "https://news.example/story", "attachments": []object{{"type": "image", "og_scrape_url": "https://news.example/story", "title": "News of the day", "text": "What happened", "image_url": "https://news.example/p.png", "title_link": "https://news.example/story"}}})
	add(direct, object{"attachments": []object{{"type": "giphy", "title": "dancing", "thumb_url": "https://media.giphy.com/x.gif", "title_link": "https://giphy.com/x"}}})
	add(team, object{"text": "My order", "attachments": []object{{"type": "order", "number": "A-77", "total": 12.5, "items": []string{"lamp", "bulb"}, "delivered_by": "UPS", "shipping": object{"street": "Main St. 1", "city": "Delft"}}}, "mood": "sunny", "score": 7, "nested": object{"a": []any{1, nil, true}}})
	add(team, object{"poll_id": "p1", "poll": object{"id": "p1", "name": "Where to?", "description": "For lunch", "created_by_id": "alice", "options": []object{{"id": "o1", "text": "Canal"}, {"id": "o2", "text": "الحديقة"}}, "vote_counts_by_option": object{"o1": 3}, "is_closed": true, "own_votes": []object{{"user_id": "alice", "answer_text": "the park", "is_answer": true}}}})
	add(team, object{"text": "Remember this", "reminder": object{"user_id": "alice", "remind_at": at.Format(time.RFC3339Nano)}})
	add(team, object{"text": "I am here", "shared_location": object{"user_id": "alice", "latitude": 52.01, "longitude": 4.36, "created_by_device_id": "phone", "end_at": at.Format(time.RFC3339Nano)}})
	add(team, object{"text": "was removed", "moderation": object{"action": "remove", "original_text": "a rude word"}})
	for i := range 12 {
		add(fmt.Sprintf("livestream:event-%d", i), object{"text": fmt.Sprintf("Hello, event %d", i)})
	}
	for i := range more {
		add(team, object{"text": fmt.Sprintf("Message number %d of many: %s", i, strings.Repeat("and so on, ", 2500))})
	}
	if more > 0 {
		add(team, object{"text": "A late reply", "type": "reply", "parent_id": "alice-1"})
	}
	reaction := func(id, kind string, i int) object {
		return object{"message_id": id, "user_id": "alice", "user": nil, "type": kind, "score": 1, "created_at": at.Add(-time.Duration(i) * time.Hour).Format(time.RFC3339Nano), "updated_at": at.Format(time.RFC3339Nano)}
	}
	reactions := []object{reaction("alice-1", "love", 900), reaction(foreign, "haha", 800), reaction("dave-3f2504e0-4f89-41d3-9a0c-0305e82c3301", "my-own-kind", 700), reaction("alice-13", "like", 1)}
	text, err := json.Marshal(object{
		"user": object{
			"id": "alice", "name": "Ælice van der Ærøskøbing", "image": host + "/me.png", "role": "user", "teams": []string{"red", "blue"}, "language": "en",
			"created_at": "2021-05-17T14:35:23.313097Z", "last_active": at.Format(time.RFC3339Nano), "banned": false, "online": true,
			"phone": "+31 20 555 01 23", "address": object{"street": "Main St. 1", "city": "Delft"}, "bio": "Likes canals.\nAnd <b>bikes</b>.", "crm_user_id": "C-12345",
			"blocked_user_ids": []string{"bob"}, "devices": []object{{"id": "token", "push_provider": "apn"}},
		},
		"messages": messages, "reactions": reactions,
	})
	if err != nil {
		panic(err)
	}
	return string(text)
}

// richOptions are those of a bundle with everything in it.
func richOptions(host string, audience bundle.Audience) bundle.Options {
	return bundle.Options{
		Audience: audience,
		Fetcher:  attachment.New(attachment.Options{Hosts: []string{strings.TrimPrefix(host, "http://")}, MaxBytes: attachment.DefaultMaxBytes, Timeout: time.Minute, Clock: clock.Real{}}),
		Channels: func(context.Context, []string) (map[string]bundle.Channel, error) {
			members := []bundle.Member{{ID: "alice", Name: "Ælice"}, {ID: "bob", Name: "Bob Builder"}, {ID: "carol", Name: "كارول"}}
			return map[string]bundle.Channel{
				"messaging:team":   {Name: "The Team <3", CreatedBy: "bob", MemberCount: 12, Members: members},
				"messaging:arabic": {Name: "نادي القراءة", CreatedBy: "alice", MemberCount: 3, Members: members},
				"messaging:!members-x8Vd0Kpdz1rKPyWqXyNbLr7c": {MemberCount: 2, Members: members[:2]},
			}, nil
		},
	}
}

// richSource has gaps.
func richSource(t testing.TB, text string) bundle.Source {
	t.Helper()
	from := source(t, text)
	return func(w io.Writer) (export.Findings, error) {
		found, err := from(w)
		found.Method, found.Gaps = export.Assembled, export.Gaps{Reactions: 3, Search: true}
		return found, err
	}
}
