// Copyright (c) the terraform-provider-streamchat authors
// SPDX-License-Identifier: MPL-2.0

package function

import (
	"encoding/json"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/erasure"
	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/export"
)

var update = flag.Bool("update", false, "write the golden files instead of comparing them")

const taskID = "7f3c2b1a-5d4e-4f60-8a7b-9c0d1e2f3a4b"

var start = time.Date(2026, 11, 2, 9, 0, 0, 0, time.UTC)

func minute(n int) *time.Time {
	t := start.Add(time.Duration(n) * time.Minute)
	return &t
}

var (
	allOfUser = erasure.Defaulted(erasure.Hard, nil, nil, nil, nil, nil)
	softUser  = erasure.Defaulted(erasure.Soft, nil, nil, nil, nil, nil)
)

func attempted[S erasure.Scope[S]](s S, status erasure.Status, at int) erasure.Attempt[S] {
	a := erasure.Attempt[S]{
		Scope: &s, Status: status, Found: erasure.FoundPresent, TaskID: taskID, AppName: "canary-app", AppID: "canary-app-id",
		SubmittedAt: minute(at), ProviderVersion: "canary-version",
	}
	switch status {
	case erasure.StatusCompleted:
		a.Outcome, a.CompletedAt, a.VerifiedAt = s.Outcome(), minute(at+1), minute(at+2)
	case erasure.StatusFailed:
		a.Error = "canary-error"
	}
	return a
}

func single[S erasure.Scope[S]](record string, covered S, attempts ...erasure.Attempt[S]) string {
	return erasure.Record[S]{Attempts: attempts}.Receipt(about(record, covered.NotCovered()))
}

func about(record string, notCovered []string) erasure.About {
	return erasure.About{
		Record: record, Subject: "canary-subject", RequestID: "canary-request", Labels: map[string]string{"canary-label": "canary-value"},
		NotCovered: notCovered, Exports: []string{"canary-export"},
	}
}

func batch[S erasure.Scope[S]](record string, status erasure.Status, covered S, records ...erasure.Record[S]) string {
	b := erasure.Batch[S]{}
	for i, r := range records {
		b[fmt.Sprintf("canary-%03d", i)] = r
	}
	return b.Receipt(about(record, covered.NotCovered()), status, func(id string) string { return id })
}

func record[S erasure.Scope[S]](attempts ...erasure.Attempt[S]) erasure.Record[S] {
	return erasure.Record[S]{Attempts: attempts}
}

// receipts are those of every noun, as the engine writes them.
func receipts() map[string]string {
	const user, users = "streamchat_user_erasure", "streamchat_user_erasure_batch"
	hardChannel, softChannel := erasure.ChannelScope{Hardness: erasure.Hardness{Hard: true}}, erasure.ChannelScope{}
	hardMessage := erasure.MessageScope{Hardness: erasure.Hardness{Hard: true}}
	truncation := erasure.TruncationScope{Hardness: erasure.Hardness{Hard: true}, Before: erasure.Instant(start)}
	lost := attempted(allOfUser, erasure.StatusFailed, 0)
	lost.AnswerLost, lost.TaskID = true, ""
	notFound := erasure.Attempt[erasure.UserScope]{Scope: &allOfUser, Status: erasure.StatusCompleted, Outcome: erasure.OutcomeNotFound, Found: erasure.FoundMissing, VerifiedAt: minute(0)}
	adopted := erasure.Attempt[erasure.UserScope]{Status: erasure.StatusCompleted, Outcome: erasure.OutcomeAdopted, Found: erasure.FoundDeleted, VerifiedAt: minute(0)}
	pruned := erasure.UserScope{User: erasure.Pruning, Messages: erasure.Pruning, RevokeTokens: true}
	message := attempted(hardMessage, erasure.StatusCompleted, 0)
	message.TaskID = ""
	unchecked := attempted(allOfUser, erasure.StatusCompleted, 9)
	unchecked.PollsUnchecked, unchecked.Found = true, erasure.FoundDeleted
	back := record(attempted(softUser, erasure.StatusCompleted, 0))
	back.Reverted = true
	var many []erasure.Record[erasure.UserScope]
	for i := range 1000 {
		a := attempted(allOfUser, erasure.StatusCompleted, i/100*10)
		a.VerifiedAt = minute(100 + i)
		many = append(many, record(a))
	}
	restricted := func(found erasure.Found, called bool) erasure.Restriction {
		r := erasure.Restriction{Found: found, TaskID: taskID, AppName: "canary-app", SubmittedAt: minute(0), VerifiedAt: minute(1)}
		if called {
			r.ReleasedAt, r.Reactivated = minute(50), found == erasure.FoundPresent
		}
		return r
	}
	staged := func(called bool, attempts ...erasure.Attempt[erasure.UserScope]) erasure.Record[erasure.UserScope] {
		return erasure.Record[erasure.UserScope]{Restrictions: []erasure.Restriction{restricted(erasure.FoundPresent, called)}, Attempts: attempts}
	}
	found := erasure.Record[erasure.UserScope]{Restrictions: []erasure.Restriction{restricted(erasure.FoundDeactivated, false)}}
	unanswered, unseen := restricted(erasure.FoundPresent, false), restricted(erasure.FoundPresent, false)
	unanswered.AnswerLost, unanswered.VerifiedAt, unanswered.TaskID, unseen.VerifiedAt = true, nil, "", nil
	blocked := func(r erasure.Restriction) erasure.Record[erasure.UserScope] {
		return erasure.Record[erasure.UserScope]{Restrictions: []erasure.Restriction{r}}
	}
	lifted := staged(false)
	lifted.Reverted = true
	timed := about(user, allOfUser.NotCovered())
	timed.Deadlines = erasure.Deadlines{GracePeriod: "1h", EraseAt: "2026-11-02T10:00:00Z", ReceivedAt: "2026-11-01", DueAt: "2026-12-01T23:59:59Z"}
	return map[string]string{
		"user_scheduled":          staged(false).Receipt(timed),
		"user_called_off":         strings.Replace(staged(false).Receipt(timed), `{`, `{"reactivated_at":"2026-11-02T09:50:00Z",`, 1),
		"user_dropped_in_time":    strings.Replace(found.Receipt(timed), `{`, `{"forgotten_at":"2026-11-02T09:50:00Z",`, 1),
		"user_undone":             strings.Replace(strings.Replace(staged(false).Receipt(timed), `"status":"scheduled"`, `"status":"undone"`, 1), `{`, `{"reactivated_at":"2026-11-02T09:50:00Z",`, 1),
		"user_locked_out":         strings.Replace(strings.Replace(staged(false).Receipt(timed), `"status":"scheduled"`, `"status":"undone"`, 1), `{`, `{"access_still_blocked":true,"forgotten_at":"2026-11-02T09:50:00Z",`, 1),
		"users_locked_out":        strings.Replace(batch(users, "undone", allOfUser, staged(false), staged(true), found, staged(false, attempted(allOfUser, erasure.StatusCompleted, 60))), `{`, `{"forgotten_at":"2026-11-02T09:50:00Z",`, 1),
		"user_restored":           strings.Replace(single(user, softUser, attempted(softUser, erasure.StatusCompleted, 0)), `"status":"completed","subject"`, `"status":"undone","restored_at":"2026-11-03T09:00:00Z","subject"`, 1),
		"user_active_again":       lifted.Receipt(timed),
		"user_in_two_stages":      staged(false, attempted(allOfUser, erasure.StatusCompleted, 60)).Receipt(timed),
		"users_scheduled":         batch(users, erasure.StatusScheduled, allOfUser, staged(false), staged(false), found),
		"users_half_called_off":   batch(users, erasure.StatusCompleted, allOfUser, staged(true), staged(false, attempted(allOfUser, erasure.StatusCompleted, 60))),
		"users_all_called_off":    batch(users, erasure.StatusCompleted, allOfUser, staged(true), staged(true)),
		"user_block_unseen":       blocked(unseen).Receipt(timed),
		"users_block_unanswered":  batch(users, erasure.StatusFailed, allOfUser, blocked(unanswered), blocked(unseen), staged(false)),
		"users_one_active_again":  batch(users, erasure.StatusReverted, allOfUser, staged(false), lifted),
		"user_completed":          single(user, allOfUser, attempted(allOfUser, erasure.StatusCompleted, 0)),
		"user_submitted":          single(user, allOfUser, attempted(allOfUser, erasure.StatusSubmitted, 0)),
		"user_failed":             single(user, allOfUser, attempted(allOfUser, erasure.StatusFailed, 0)),
		"user_failed_then_done":   single(user, allOfUser, lost, attempted(allOfUser, erasure.StatusFailed, 5), unchecked),
		"user_pruned":             single(user, pruned, attempted(pruned, erasure.StatusCompleted, 0)),
		"user_escalated":          single(user, allOfUser, attempted(softUser, erasure.StatusCompleted, 0), attempted(allOfUser, erasure.StatusCompleted, 60)),
		"user_escalation_failed":  single(user, softUser, attempted(softUser, erasure.StatusCompleted, 0), attempted(allOfUser, erasure.StatusFailed, 60)),
		"user_reverted":           back.Receipt(about(user, softUser.NotCovered())),
		"user_not_found":          single(user, allOfUser, notFound),
		"user_adopted":            single(user, allOfUser, adopted),
		"users_completed":         batch(users, erasure.StatusCompleted, allOfUser, record(attempted(allOfUser, erasure.StatusCompleted, 0)), record(notFound)),
		"users_one_failed":        batch(users, erasure.StatusFailed, allOfUser, record(attempted(allOfUser, erasure.StatusCompleted, 0)), record(lost), record(attempted(allOfUser, erasure.StatusSubmitted, 7)), back),
		"users_one_to_be_sent":    batch(users, erasure.StatusSubmitted, allOfUser, record(attempted(allOfUser, erasure.StatusCompleted, 0))),
		"users_nobody":            batch(users, erasure.StatusCompleted, allOfUser),
		"users_thousand":          batch(users, erasure.StatusCompleted, allOfUser, many...),
		"channel_completed":       single("streamchat_channel_erasure", hardChannel, attempted(hardChannel, erasure.StatusCompleted, 0)),
		"channel_hidden":          single("streamchat_channel_erasure", softChannel, attempted(softChannel, erasure.StatusCompleted, 0)),
		"channels_completed":      batch("streamchat_channel_erasure_batch", erasure.StatusCompleted, hardChannel, record(attempted(hardChannel, erasure.StatusCompleted, 0)), record(attempted(hardChannel, erasure.StatusCompleted, 0))),
		"truncation_completed":    single("streamchat_channel_truncation", truncation, attempted(truncation, erasure.StatusCompleted, 0)),
		"message_completed":       single("streamchat_message_erasure", hardMessage, message),
		"deactivation_in_force":   `{"record":"streamchat_user_deactivation","user_id":"canary","status":"deactivated","deactivated_at":"2026-11-02T09:00:00Z","mark_messages_deleted":true,"revoke_tokens":true}`,
		"deactivation_lifted":     `{"record":"streamchat_user_deactivation","user_id":"canary","status":"reverted","deactivated_at":null}`,
		"deactivation_erased":     `{"record":"streamchat_user_deactivation","user_id":"canary","status":"erased","deactivated_at":"2026-11-02T09:00:00Z"}`,
		"retention_in_force":      `{"record":"streamchat_retention_policy","policy":"old-messages","max_age_hours":8760,"enabled_at":"2026-11-02T09:00:00Z","app_name":"canary"}`,
		"user_export_taken":       `{"record":"streamchat_user_export","user_id":"canary","path":"canary","exported_at":"2026-11-02T09:00:00Z","message_count":12345,"reaction_count":1,"attachment_count":0,"complete":false,"method":"assembled","age_recipients":["canary"]}`,
		"user_export_lacks_files": `{"record":"streamchat_user_export","subject":"canary","export":{"exported_at":"2026-11-02T09:00:00Z","format":"bundle","method":"direct","complete":false,"encrypted":true,"message_count":378,"reaction_count":2,"attachment_count":5,"attachments_saved":4,"attachments_missing":1}}`,
		"channel_export_taken":    `{"record":"streamchat_channel_export","cids":["canary"],"path":"canary","exported_at":"2026-11-02T09:00:00Z"}`,
		"user_restored_and_dropped": strings.Replace(single(user, softUser, attempted(softUser, erasure.StatusCompleted, 0)), `{`,
			`{"restored_at":"2026-11-03T09:00:00Z","forgotten_at":"2026-11-03T09:00:01Z","later_field":{"canary":1},`, 1),
	}
}

// The texts of receipts of every noun, recorded; people read them in reviews.
func TestReceiptTextGolden(t *testing.T) {
	t.Parallel()
	for name, document := range receipts() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := tell(t, document)
			file := filepath.Join("testdata", "receipts", name+".md")
			if *update {
				if err := os.WriteFile(file, []byte(got), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(want), got); diff != "" {
				t.Errorf("(-want +got; -update writes it)\n%s", diff)
			}
			if strings.Contains(got, "canary") {
				t.Error("it names somebody or something")
			}
			if n := strings.Count(got, "\n"); n > 60 {
				t.Errorf("%d lines are not short", n)
			}
		})
	}
}

func tell(t *testing.T, document string) string {
	t.Helper()
	r, err := readReceipt(document)
	if err != nil {
		t.Fatal(err)
	}
	return r.text()
}

// An export says what it lacks and why: neither more nor something else.
func TestReceiptTextOfAnExport(t *testing.T) {
	t.Parallel()
	const assembled, files, search, reactions, unsaid = "put together", "missing from it", "channels that they have left.", "may lack reactions", "does not say what it lacks"
	for name, tt := range map[string]struct {
		says string
		want []string
	}{
		"direct":                         {`"complete":true,"method":"direct"`, nil},
		"direct, all files":              {`"complete":true,"method":"direct","attachments_saved":2,"attachments_missing":0`, nil},
		"direct, a file is missing":      {`"complete":false,"method":"direct","attachments_saved":4,"attachments_missing":1`, []string{"**1 file is " + files}},
		"direct, files are missing":      {`"complete":false,"method":"direct","attachments_saved":4,"attachments_missing":1200`, []string{"**1,200 files are " + files}},
		"direct, cut short":              {`"complete":false,"method":"direct","attachments_missing":0`, []string{unsaid}},
		"assembled":                      {`"complete":false,"method":"assembled"`, []string{assembled}},
		"assembled, files are missing":   {`"complete":false,"method":"assembled","attachments_missing":2`, []string{assembled, "**2 files are " + files}},
		"assembled, with gaps":           {`"complete":false,"method":"assembled","gaps":{"reactions":3,"search":true}`, []string{assembled, search, "Of 3 messages it " + reactions}},
		"without its method":             {`"complete":false`, []string{unsaid}},
		"without its method, but files":  {`"complete":false,"attachments_missing":1`, []string{files}},
		"without its method, complete":   {`"complete":true`, nil},
		"in a way that is not known yet": {`"complete":false,"method":"canary"`, []string{unsaid}},
		"says nothing of it":             {`"message_count":1`, nil},
	} {
		for form, document := range map[string]string{
			"receipt":  `{"record":"streamchat_user_export","export":{"exported_at":"2026-11-02T09:00:00Z",` + tt.says + `}}`,
			"resource": `{"record":"streamchat_user_export","exported_at":"2026-11-02T09:00:00Z",` + tt.says + `}`,
		} {
			text := tell(t, document)
			for _, words := range []string{assembled, files, search, reactions, unsaid} {
				want := slices.ContainsFunc(tt.want, func(w string) bool { return strings.Contains(w, words) })
				if strings.Contains(text, words) != want {
					t.Errorf("%s, %s: says %q: %v\n%s", name, form, words, !want, text)
				}
			}
			for _, words := range tt.want {
				if !strings.Contains(text, words) {
					t.Errorf("%s, %s: lacks %q\n%s", name, form, words, text)
				}
			}
		}
	}
}

// doneWords open the text of what came to its end.
var doneWords = []string{"**Erased", "**Marked", "**Nothing was deleted", "**Deleted by other", "**Carried out", "**Nobody yet", "**Called off", "**In force", "**Taken"}

func readsAsDone(text string) bool {
	for _, words := range doneWords {
		if strings.Contains(text, words) {
			return true
		}
	}
	return false
}

// Whatever the order of attempts: a text reads as done only when nothing is open or failed.
func TestReceiptTextNeverReadsAsDoneWhenItIsNot(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(1, 2))
	statuses := []erasure.Status{erasure.StatusSubmitted, erasure.StatusCompleted, erasure.StatusCompleted, erasure.StatusCompleted, erasure.StatusFailed}
	seen := map[bool]int{}
	for range 5000 {
		records := make([]erasure.Record[erasure.UserScope], random.IntN(4))
		for i := range records {
			for j := range random.IntN(3) {
				records[i].Attempts = append(records[i].Attempts, attempted(allOfUser, statuses[random.IntN(len(statuses))], j))
			}
			records[i].Reverted = random.IntN(10) == 0
			if random.IntN(4) == 0 {
				records[i].Restrictions = []erasure.Restriction{{Found: erasure.FoundPresent, SubmittedAt: minute(0), AnswerLost: random.IntN(3) == 0}}
				if random.IntN(2) == 0 {
					records[i].Restrictions[0].VerifiedAt = minute(1)
				}
				if len(records[i].Attempts) == 0 && !records[i].Reverted && random.IntN(2) == 0 {
					records[i].Restrictions[0].ReleasedAt = minute(1)
				}
			}
		}
		b, ids := erasure.Batch[erasure.UserScope]{}, []string{}
		for i, r := range records {
			ids = append(ids, fmt.Sprint(i))
			b[fmt.Sprint(i)] = r
		}
		status := b.Status(ids, allOfUser)
		if got, want := readsAsDone(tell(t, batch("streamchat_user_erasure_batch", status, allOfUser, records...))), status == erasure.StatusCompleted; got != want {
			t.Fatalf("status %s reads as done: %t", status, got)
		}
		// and not by the sum alone
		claimed := readsAsDone(tell(t, batch("streamchat_user_erasure_batch", erasure.StatusCompleted, allOfUser, records...)))
		for _, r := range records {
			if current := r.Current().Status; claimed && current != erasure.StatusCompleted && current != erasure.StatusReleased {
				t.Fatalf("a record that is %q reads as done", current)
			}
		}
		seen[claimed]++
	}
	if seen[true] < 100 || seen[false] < 100 {
		t.Errorf("%v", seen)
	}
}

func TestReceiptTextUnknownWordsAreNotDone(t *testing.T) {
	t.Parallel()
	for _, status := range []string{"scheduled", "paused", ""} {
		document := strings.ReplaceAll(single("streamchat_user_erasure", allOfUser, attempted(allOfUser, erasure.StatusSubmitted, 0)), `"submitted"`, fmt.Sprintf("%q", status))
		if text := tell(t, document); readsAsDone(text) || !strings.Contains(text, "**Not finished.**") {
			t.Errorf("%q: %s", status, text)
		}
	}
}

// Every word for what a deletion leaves has a sentence.
func TestReceiptTextKnowsWhatStays(t *testing.T) {
	t.Parallel()
	var words []string
	modes := []erasure.Mode{erasure.Untouched, erasure.Soft, erasure.Pruning, erasure.Hard}
	for _, user := range modes {
		for _, other := range modes {
			for _, flag := range []bool{true, false} {
				words = append(words, erasure.UserScope{User: user, Messages: other, Conversations: other, Calls: other, Files: flag, Polls: flag}.NotCovered()...)
			}
		}
	}
	for _, hard := range []bool{true, false} {
		h := erasure.Hardness{Hard: hard}
		words = append(words, erasure.ChannelScope{Hardness: h}.NotCovered()...)
		words = append(words, erasure.MessageScope{Hardness: h}.NotCovered()...)
		words = append(words, erasure.TruncationScope{Hardness: h}.NotCovered()...)
	}
	for _, word := range words {
		if left[word] == "" {
			t.Errorf("no words for %q", word)
		}
	}
}

func TestReceiptTextRefuses(t *testing.T) {
	t.Parallel()
	for name, document := range map[string]string{
		"empty": "", "text": "canary", "list": `["canary"]`, "null": "null", "no record": `{"status":"completed","attempts":[{"status":"completed"}]}`,
		"unknown record": `{"record":"canary"}`, "no attempt": `{"record":"streamchat_user_erasure","status":"completed","attempts":[]}`,
		"no such restriction": `{"record":"streamchat_user_erasure_batch","attempts":[],"subjects":[{"attempts":[],"restrictions":[0]}]}`,
		"other place":         `{"record":"streamchat_user_erasure_batch","attempts":[],"subjects":[{"attempts":[0]}]}`,
		"other type":          `{"record":"streamchat_user_erasure","status":{"canary":1}}`,
	} {
		if r, err := readReceipt(document); err == nil || strings.Contains(err.Error(), "canary") {
			t.Errorf("%s: %v, %v", name, r, err)
		}
	}
}

// No text of a receipt gets into the letter, whatever the receipt.
func FuzzReceiptText(f *testing.F) {
	for _, document := range receipts() {
		f.Add(document, "somebody-42")
	}
	f.Add(`{"record":"streamchat_user_erasure","attempts":[{"status":"x","task_id":"y"}]}`, "y")
	f.Fuzz(func(t *testing.T, document, id string) {
		if r, err := readReceipt(document); err == nil {
			r.text()
		} else if strings.Contains(err.Error(), "canary") {
			t.Error("the error quotes the receipt")
		}
		// The same with an id for every text that is no word of the engine's.
		var v any
		marked := "ZQ" + id + "QZ"
		if json.Unmarshal([]byte(document), &v) != nil {
			return
		}
		raw, err := json.Marshal(named(v, marked))
		if err != nil {
			return
		}
		if r, err := readReceipt(string(raw)); err == nil && strings.Contains(r.text(), marked) {
			t.Errorf("the text holds an id of %s", raw)
		}
	})
}

// named puts an id into every text but the record's type and the statuses.
func named(v any, id string) any {
	switch v := v.(type) {
	case map[string]any:
		for key, value := range v {
			if key != "record" && key != "status" && key != "outcome" {
				v[key] = named(value, id)
			}
		}
	case []any:
		for i := range v {
			v[i] = named(v[i], id)
		}
	case string:
		return id
	}
	return v
}

func FuzzExportSummary(f *testing.F) {
	f.Add(`{"user":{},"messages":[{"cid":"canary","created_at":"0000-01-01T00:00:00+23:59"}],"reactions":null}`)
	f.Add(`{"user":{},"messages":[{"created_at":"9999-12-31T23:59:59-23:59"},[1],null]}`)
	f.Fuzz(func(t *testing.T, document string) {
		s, err := export.Describe(document)
		if err != nil {
			return
		}
		for _, at := range []time.Time{s.FirstMessage, s.LastMessage} {
			_ = instant(at)
		}
		if s.Channels > s.Messages {
			t.Errorf("%+v", s)
		}
	})
}
