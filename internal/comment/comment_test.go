// Copyright (c) the terraform-provider-streamchat authors
// SPDX-License-Identifier: MPL-2.0

package comment_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/comment"
)

// Every CLI's recorded plans give the expected comment.
func TestRecordedPlans(t *testing.T) {
	t.Parallel()
	plans, err := filepath.Glob("testdata/*/*.jsonl")
	if err != nil || len(plans) < 3 {
		t.Fatalf("%d recorded plans: %v", len(plans), err)
	}
	for _, log := range plans {
		base := strings.TrimSuffix(log, ".jsonl")
		t.Run(base, func(t *testing.T) {
			t.Parallel()
			got := read(t, file(t, base+".json"), file(t, log)).Markdown(comment.Options{Limit: comment.Limit})
			if *record {
				write(t, base+".md", []byte(got))
				return
			}
			if want := string(file(t, base+".md")); got != want {
				t.Errorf("got:\n%s\nwant:\n%s", got, want)
			}
			for _, id := range []string{"anna", "bert", "carl", "emil", "fred", "idle-1", "harry"} {
				if strings.Contains(strings.ReplaceAll(got, "streamchat_user_export.fred", ""), id) {
					t.Errorf("the comment names %s", id)
				}
			}
		})
	}
}

// The recorded plan that goes on: what it sends, keeps, undoes and only asks for.
func TestEffects(t *testing.T) {
	t.Parallel()
	for _, flavor := range flavors(t) {
		got := read(t, file(t, flavor, "second.json"), file(t, flavor, "second.jsonl")).Markdown(comment.Options{})
		for section, has := range map[string]string{
			"Goes for good":                "`DSR-3`",
			"Brings users back":            "`DSR-11`",
			"Lifts restrictions":           "`DSR-4`",
			"Resumed":                      "`DSR-10`",
			"Forgotten":                    "`CAMPAIGN-8`",
			"Bookkeeping":                  "`DSR-7b`",
			"Changes of other providers":   "terraform_data.other",
			"Exported":                     "streamchat_channel_export.team",
			"Goes for good, for everybody": "24 hours (before: 26280)",
		} {
			_, from, ok := strings.Cut(got, "\n### "+section)
			body, _, _ := strings.Cut(from, "\n### ")
			if !ok || !strings.Contains(body, has) {
				t.Errorf("%s: %q lacks %s: %s", flavor, section, has, body)
			}
		}
	}
}

// Without the log, the plan alone never makes a deletion look smaller.
func TestWithoutLog(t *testing.T) {
	t.Parallel()
	for _, flavor := range flavors(t) {
		for _, step := range []string{"first", "second"} {
			plan := file(t, flavor, step+".json")
			with, without := read(t, plan, file(t, flavor, step+".jsonl")).Irreversible(), read(t, plan, nil).Irreversible()
			if without < with || with == 0 {
				t.Errorf("%s %s: %d irreversible with the log, %d without", flavor, step, with, without)
			}
		}
	}
}

// A resource that is not known counts as one that cannot be undone.
func TestUnknownResource(t *testing.T) {
	t.Parallel()
	p := read(t, plan(t, change("streamchat_mystery.x", "create", nil, map[string]any{"request_id": "DSR-1"})), nil)
	if got := p.Markdown(comment.Options{}); p.Irreversible() != 1 || !strings.Contains(got, "Not known to this comment") || !strings.Contains(got, "streamchat_mystery") {
		t.Errorf("%d irreversible: %s", p.Irreversible(), got)
	}
}

// Any number of subjects fits, and nobody who goes for good is left out in silence.
func TestSizes(t *testing.T) {
	t.Parallel()
	for n, wants := range map[int]struct{ listed, silent bool }{1: {true, false}, 30: {true, false}, 250: {true, false}, 1000: {true, false}, 10000: {false, false}} {
		p := read(t, plan(t, erasures(n)...), many(n))
		got := p.Markdown(comment.Options{Limit: comment.Limit})
		if len(got) > comment.Limit {
			t.Errorf("%d subjects make %d bytes", n, len(got))
		}
		listed := strings.Count(got, "`DSR-")
		warned := strings.Contains(got, "cannot be undone are not listed below")
		if (listed >= n) != wants.listed || warned == wants.listed {
			t.Errorf("%d subjects: %d are listed, warned %v", n, listed, warned)
		}
		if warned {
			var left int
			_, after, _ := strings.Cut(got, "> **")
			if _, err := fmt.Sscanf(after, "%d that cannot", &left); err != nil || left+listed != n {
				t.Errorf("%d of %d are listed and %d said to be left out: %v", listed, n, left, err)
			}
		}
		t.Logf("%d subjects: %d bytes, facts %v", n, len(got), strings.Contains(got, "role user"))
	}
	if got := read(t, plan(t, erasures(250)...), many(250)).Markdown(comment.Options{Limit: comment.Limit}); strings.Count(got, "last active 20") < 250 {
		t.Error("the facts of 250 subjects do not fit")
	}
	// Others give way first.
	acts := append(erasures(600), change("streamchat_user_erasure.old", "delete", map[string]any{"request_id": strings.Repeat("x", 100), "irreversible": true}, nil))
	for range 400 {
		acts = append(acts, change(fmt.Sprintf("streamchat_user_erasure.old[%d]", len(acts)), "delete", map[string]any{"request_id": fmt.Sprint("OLD-", len(acts), strings.Repeat("x", 90)), "irreversible": true}, nil))
	}
	got := read(t, plan(t, acts...), nil).Markdown(comment.Options{Limit: comment.Limit})
	if n := strings.Count(got, "`DSR-"); n < 600 || len(got) > comment.Limit {
		t.Errorf("%d of 600 are listed in %d bytes", n, len(got))
	}
}

func TestSinceTheLastComment(t *testing.T) {
	t.Parallel()
	first := read(t, plan(t, erasures(3)...), many(3)).Markdown(comment.Options{Limit: comment.Limit})
	if strings.Contains(first, "last comment") {
		t.Errorf("a first comment compares: %s", first)
	}
	same := read(t, plan(t, erasures(3)...), many(3)).Markdown(comment.Options{Previous: first})
	if !strings.Contains(same, "Nothing has changed since the last comment.") {
		t.Error(same)
	}
	acts := erasures(4)[1:]
	acts[0].(map[string]any)["change"].(map[string]any)["after"].(map[string]any)["app_name"] = "Other"
	second := read(t, plan(t, acts...), many(4)).Markdown(comment.Options{Previous: first})
	for _, says := range []string{"- new: 1 (`streamchat_user_erasure.dsr[\"DSR-0003\"]`)", "- changed: 1 (`streamchat_user_erasure.dsr[\"DSR-0001\"]`)", "- no longer there: 1 (`streamchat_user_erasure.dsr[\"DSR-0000\"]`)", "**new** `DSR-0003`", "**changed** `DSR-0001`"} {
		if !strings.Contains(second, says) {
			t.Errorf("lacks %s: %s", says, second)
		}
	}
	if got := read(t, plan(t, acts...), nil).Markdown(comment.Options{Previous: "somebody's own words"}); !strings.Contains(got, "nothing is compared") {
		t.Error(got)
	}
}

// What others chose stays what it is: no Markdown, no HTML, no mention, no id.
func TestNothingBreaksOut(t *testing.T) {
	t.Parallel()
	for _, evil := range []string{
		"<script>alert(1)</script>", "| a | b |", "`` ` ```` x", "``", "`", "\\`", "a\\|b", "@everyone", "#12 !3", "-->", "x\n\n## All clear\n\n", "[here](https://example.com)",
		"![x](https://example.com/p.png)", "https://example.com", "www.example.com", "a\u202eb\u200b", "&lt;b&gt;", "**bold** _it_ ~~no~~", " ` ", strings.Repeat("x", 5000),
	} {
		after := map[string]any{"user_id": "anna", "request_id": evil, "app_name": evil, "irreversible": true, "labels": map[string]any{evil: evil}, "delete": map[string]any{"user": "hard"}, "not_covered": []any{evil}}
		log := logged("warning", "Irreversible deletion", "Subject: state present, role "+evil+".\n\nThis cannot be undone.", "streamchat_user_erasure.x") +
			logged("error", "Bad "+evil, evil, `streamchat_user_erasure.y["`+evil+`"]`) + logged("warning", evil, evil, "")
		got := read(t, plan(t, change("streamchat_user_erasure.x", "create", nil, after)), []byte(log)).Markdown(comment.Options{ShowIDs: true})
		outside := escaped.ReplaceAllString(withoutCode(got), "")
		for _, bad := range []string{"<script", "](http", "@everyone", "## All clear", "**bold**", "https://", "www.example", "[here]", "| a |", "#12", "\u202e"} {
			if strings.Contains(outside, bad) {
				t.Errorf("%q breaks out as %q: %s", evil, bad, outside)
			}
		}
		for _, row := range strings.Split(got, "\n") {
			if strings.HasPrefix(row, "| ") && strings.Count(strings.ReplaceAll(row, `\|`, ""), "|") != 4 {
				t.Errorf("%q breaks a table: %s", evil, row)
			}
		}
		if len(got) > 8000 {
			t.Errorf("%.20q makes %d bytes", evil, len(got))
		}
	}
}

// escaped is what Markdown takes as it stands.
var escaped = regexp.MustCompile(`\\[!-/:-@\[-` + "`" + `{-~]`)

// withoutCode removes code spans as CommonMark finds them, and the hidden memory.
func withoutCode(text string) string {
	var out strings.Builder
	for line := range strings.Lines(text) {
		if strings.HasPrefix(line, "<!-- streamchat-") {
			continue
		}
		for line != "" {
			start := strings.IndexByte(line, '`')
			if start > 0 && line[start-1] == '\\' {
				out.WriteString(line[:start+1])
				line = line[start+1:]
				continue
			}
			if start < 0 {
				out.WriteString(line)
				break
			}
			out.WriteString(line[:start])
			rest := strings.TrimLeft(line[start:], "`")
			fence := line[start : len(line)-len(rest)]
			end := closing(rest, len(fence))
			if end < 0 {
				out.WriteString(fence)
				line = rest
				continue
			}
			line = rest[end+len(fence):]
		}
	}
	return out.String()
}

func closing(text string, length int) int {
	for i := 0; i < len(text); i++ {
		run := len(text[i:]) - len(strings.TrimLeft(text[i:], "`"))
		if run == length {
			return i
		}
		i += run
	}
	return -1
}

func TestIDsOnlyWhenAsked(t *testing.T) {
	t.Parallel()
	acts := []any{change(`module.request["anna"].streamchat_user_erasure.this`, "create", nil,
		map[string]any{"user_id": "anna", "request_id": "Erase anna, please", "labels": map[string]any{"who": "anna"}, "irreversible": true, "delete": map[string]any{"user": "hard"}})}
	log := []byte(logged("error", "Resource precondition failed", "No anna here", `streamchat_user_erasure.other["anna"]`) +
		logged("error", "Resource precondition failed", "DSR-1: not \"anna\" either.", "") + logged("warning", "Check block assertion failed", "DSR-2 is (anna).", "") +
		logged("error", "Invalid function argument", "decoding bert failed", ""))
	acts = append(acts, change("streamchat_channel_erasure.x", "create", nil, map[string]any{"cid": "messaging:anna-carl", "irreversible": true}))
	for i, form := range []string{
		"anna: is on hold", "the user anna.", "DSR-1:\nanna", "<anna>", "user:anna", "anna", "a\tanna\tb", "`anna`", "anna's", "anna\\n", "anna/anna", "«anna»", "über-üanna", "anna,anna;anna", "@anna", "anna@example.com",
		"messaging:anna-carl.", "in messaging:anna-carl: no", "!messaging:anna-carl!",
	} {
		log = append(log, logged("error", "Resource precondition failed", fmt.Sprintf("FORM-%d %s", i, form), "")...)
	}
	log = append(log, logged("warning", "Check block assertion failed", "Joanna, anna-2, annas, DSR-anna and carl stay.", "")...)
	p := read(t, plan(t, acts...), log)
	got := plainer(p.Markdown(comment.Options{}))
	for _, longer := range []string{"Joanna", "anna-2", "annas", "DSR-anna", "carl stay"} { // no ids of this plan
		if !strings.Contains(got, longer) {
			t.Errorf("lacks %q: %s", longer, got)
		}
		got = strings.Replace(got, longer, "", 1)
	}
	if strings.Contains(got, "anna") || strings.Contains(got, "carl") || !strings.Contains(got, "FORM-16") || strings.Contains(got, "bert") {
		t.Errorf("names the subject: %s", got)
	}
	for _, says := range []string{"DSR-1: not", "DSR-2 is"} { // what the configuration's author wrote
		if !strings.Contains(got, says) {
			t.Errorf("lacks %q: %s", says, got)
		}
	}
	if why := strings.Join(p.Unapproved(), ", "); strings.Contains(why, "anna") || !strings.Contains(why, "Erase ‹id›, please") {
		t.Error(why)
	}
	if got := read(t, plan(t, acts...), nil).Markdown(comment.Options{ShowIDs: true}); !strings.Contains(got, "id `anna`") {
		t.Errorf("does not name the subject: %s", got)
	}
}

// A scheduled erasure that is called off reactivates only whom its record has deactivated and
// knows by the id.
func TestScheduled(t *testing.T) {
	t.Parallel()
	record := func(values map[string]any) map[string]any {
		all := map[string]any{"user_id": "anna", "status": "scheduled", "found": "present", "irreversible": true, "grace_period": "720h"}
		for name, value := range values {
			all[name] = value
		}
		return all
	}
	const gone, lifts, forgets = "Restricted now, gone for good when due", "Calls scheduled erasures off", "Forgotten"
	for name, tt := range map[string]struct {
		act  any
		want string
	}{
		"created":                   {change("streamchat_user_erasure.x", "create", nil, record(map[string]any{"status": nil})), gone},
		"called off":                {change("streamchat_user_erasure.x", "delete", record(nil), nil), lifts},
		"deactivated before":        {change("streamchat_user_erasure.x", "delete", record(map[string]any{"found": "deactivated"}), nil), forgets},
		"deleted before":            {change("streamchat_user_erasure.x", "delete", record(map[string]any{"found": "deleted"}), nil), forgets},
		"without an id":             {change("streamchat_user_erasure.x", "delete", record(map[string]any{"user_id": nil}), nil), forgets},
		"a batch, called off":       {change("streamchat_user_erasure_batch.x", "delete", record(map[string]any{"user_id": nil, "user_ids": []any{"anna"}}), nil), lifts},
		"a batch without their ids": {change("streamchat_user_erasure_batch.x", "delete", record(map[string]any{"user_id": nil}), nil), forgets},
	} {
		if got := read(t, plan(t, tt.act), nil).Markdown(comment.Options{}); !strings.Contains(got, tt.want) {
			t.Errorf("%s: %s", name, got)
		}
	}
}

func TestReceipts(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	of := func(request, address, receipt string) any {
		return map[string]any{"address": address, "mode": "managed", "type": "streamchat_user_erasure", "values": map[string]any{"request_id": request, "receipt": receipt}}
	}
	state, _ := json.Marshal(map[string]any{"format_version": "1.0", "values": map[string]any{"root_module": map[string]any{
		"resources":     []any{of("DSR-1", "streamchat_user_erasure.a", `{"n":1}`), of("../../DSR-1", "streamchat_user_erasure.b", `{"n":2}`), of("DSR-9", "streamchat_user_erasure.c", "")},
		"child_modules": []any{map[string]any{"resources": []any{of("DSR-1", `module.m["anna"].streamchat_user_erasure.a`, `{"n":3}`)}}},
	}}})
	if n, err := comment.Receipts(bytes.NewReader(state), dir); err != nil || n != 3 {
		t.Fatalf("%d receipts: %v", n, err)
	}
	files, err := filepath.Glob(filepath.Join(dir, "*.json"))
	if err != nil || len(files) != 3 {
		t.Fatalf("%v %v", files, err)
	}
	for _, name := range files {
		if info, err := os.Stat(name); err != nil || info.Mode().Perm() != 0o600 || !strings.HasPrefix(filepath.Base(name), "DSR-1-") {
			t.Errorf("%s: %v %v", name, info, err)
		}
	}
	if n, err := comment.Receipts(strings.NewReader(`{"format_version":"1.0"}`), dir); err != nil || n != 0 {
		t.Errorf("an empty state: %d, %v", n, err)
	}
}

// Where a link leads nothing is written, and what is no receipt is not taken for one.
func TestReceiptsFollowNoLink(t *testing.T) {
	t.Parallel()
	dir, elsewhere := t.TempDir(), filepath.Join(t.TempDir(), "main.tf")
	write(t, elsewhere, []byte("precious"))
	state := func(receipt string) []byte {
		of := func(name, receipt string) any {
			return map[string]any{"address": "streamchat_user_erasure." + name, "mode": "managed", "type": "streamchat_user_erasure", "values": map[string]any{"receipt": receipt}}
		}
		raw, _ := json.Marshal(map[string]any{"format_version": "1.0", "values": map[string]any{"root_module": map[string]any{"resources": []any{of("a", receipt), of("b", "{}")}}}})
		return raw
	}
	if n, err := comment.Receipts(bytes.NewReader(state(`{"n":1}`)), dir); err != nil || n != 2 {
		t.Fatal(n, err)
	}
	files, _ := filepath.Glob(filepath.Join(dir, "*"))
	if len(files) != 2 {
		t.Fatal(files)
	}
	for _, name := range files {
		if err := errors.Join(os.Remove(name), os.Symlink(elsewhere, name)); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := comment.Receipts(bytes.NewReader(state(`{"n":1}`)), dir); err != nil {
		t.Fatal(err)
	}
	if got := string(file(t, elsewhere)); got != "precious" {
		t.Errorf("through the link: %s", got)
	}
	for _, name := range files {
		if info, err := os.Lstat(name); err != nil || !info.Mode().IsRegular() || info.Mode().Perm() != 0o600 {
			t.Errorf("%s: %v %v", name, info, err)
		}
	}
	dir = t.TempDir()
	n, err := comment.Receipts(bytes.NewReader(state("<html>anna")), dir)
	left, _ := os.ReadDir(dir)
	if err == nil || strings.Contains(err.Error(), "anna") || n != 1 || len(left) != 1 {
		t.Errorf("%d receipts, %d files: %v", n, len(left), err)
	}
}

func TestBadInput(t *testing.T) {
	t.Parallel()
	of := func(rest string) string {
		return `{"format_version":"1.2","timestamp":"2026-01-01T00:00:00Z",` + rest + "}"
	}
	for name, in := range map[string][2]string{
		"no JSON": {"x", ""}, "no plan": {"{}", ""}, "another format": {`{"format_version":"9.0"}`, ""},
		"a state": {`{"format_version":"1.0","values":{"root_module":{}},"timestamp":"2026-01-01T00:00:00Z","resource_changes":[]}`, ""}, "an empty state": {`{"format_version":"1.0"}`, ""},
		"no time": {`{"format_version":"1.2","resource_changes":[]}`, ""}, "another time": {`{"format_version":"1.2","timestamp":"today","resource_changes":[]}`, ""},
		"a change that is null": {of(`"resource_changes":[null]`), ""}, "a change of nothing": {of(`"resource_changes":[{"address":"a","mode":"managed","type":"streamchat_x","change":null}]`), ""},
		"no action":         {of(`"resource_changes":[{"address":"a","mode":"managed","type":"streamchat_x","change":{"actions":[]}}]`), ""},
		"an unknown action": {of(`"resource_changes":[{"address":"a","mode":"managed","type":"streamchat_x","change":{"actions":["No-op"]}}]`), ""},
		"an unknown mode":   {of(`"resource_changes":[{"address":"a","mode":"Managed","type":"streamchat_x","change":{"actions":["delete"]}}]`), ""},
		"no type":           {of(`"resource_changes":[{"address":"a","mode":"managed","change":{"actions":["delete"]}}]`), ""},
		"no list":           {of(`"resource_changes":{}`), ""}, "a list twice": {of(`"resource_changes":[{}],"resource_changes":[]`), ""}, "a list in two cases": {of(`"resource_changes":[],"RESOURCE_CHANGES":[]`), ""},
		"an action that is null": {of(`"action_invocations":[null]`), ""}, "a deferred one that is null": {of(`"deferred_changes":[{"reason":"x"}]`), ""}, "a deferred action that is null": {of(`"deferred_action_invocations":[{}]`), ""},
		"two plans":                       {of(`"resource_changes":[]`) + of(`"resource_changes":[]`), ""},
		"a log without error and no plan": {"", `{"type":"version"}`}, "neither": {"", ""},
	} {
		var p, l []byte
		if in[0] != "" {
			p = []byte(in[0])
		}
		if in[1] != "" {
			l = []byte(in[1])
		}
		if _, err := comment.Read(reader(p), reader(l)); err == nil {
			t.Errorf("%s is taken", name)
		}
	}
	got := read(t, nil, []byte(logged("error", "Invalid value for variable", "anna is none", "")+
		logged("error", "No value for required variable", `The root module input variable "officer" is not set`, "")+
		logged("error", "Missing required argument", `The argument "production" is required`, ""))).Markdown(comment.Options{})
	if !strings.Contains(got, "nothing can be applied") || strings.Contains(got, "anna") || !strings.Contains(got, "officer") || !strings.Contains(got, "production") {
		t.Error(got)
	}
}

func flavors(t *testing.T) []string {
	t.Helper()
	dirs, err := filepath.Glob("testdata/*")
	if err != nil || len(dirs) == 0 {
		t.Fatal(dirs, err)
	}
	return dirs
}

func file(t *testing.T, parts ...string) []byte { return fileOf(t, parts...) }

func fileOf(t testing.TB, parts ...string) []byte {
	t.Helper()
	content, err := os.ReadFile(filepath.Join(parts...))
	if err != nil {
		t.Fatal(err)
	}
	return content
}
