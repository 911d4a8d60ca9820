// Copyright (c) the terraform-provider-streamchat authors
// SPDX-License-Identifier: MPL-2.0

package report_test

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"

	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/erasure"
	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/report"
	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/stream"
	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/stream/streamtest"
)

const canary = "canary-4711"

// answer is the error that an answer of Stream's makes, with somebody's name in it.
func answer(status, code int) error {
	body, err := json.Marshal(map[string]any{"code": code, "message": "the user " + canary + " did something", "StatusCode": status})
	if err != nil {
		panic(err)
	}
	return streamtest.Failure(stream.OpDeleteUsers, status, body)
}

func TestErrorsSayWhatHappenedAndWhatToDo(t *testing.T) {
	at := path.Root("user_id")
	stage := func(s erasure.Stage, err error) error { return &erasure.StageError{Stage: s, Err: err} }
	for name, tt := range map[string]struct {
		err   error
		says  []string
		where string
	}{
		"refusal of a field": {&erasure.Refusal{Field: "delete.messages", Summary: "No", Detail: "Because. Nothing was sent."},
			[]string{"Nothing was sent"}, "delete.messages"},
		"refusal of a provider": {&erasure.Refusal{Field: "max_erasures", Provider: true, Summary: "No", Detail: "Nothing beyond it is sent."},
			[]string{"Nothing"}, "user_id"},
		"refusal of a repeat": {errors.Join(&erasure.Refusal{Summary: "No", Detail: "Because."}, answer(500, -1)),
			[]string{"Because.", "An earlier attempt was sent", "may have accepted"}, "user_id"},
		"failure": {&erasure.Failure{Kind: erasure.FailureSubject, TaskID: "task-1"},
			[]string{"task-1", "not recorded as erased", "Run apply again"}, "user_id"},
		"wrong credentials": {stage(erasure.StageLookUp, answer(401, 5)), []string{"sent no deletion", "api_secret"}, "user_id"},
		"server error": {stage(erasure.StageSubmit, answer(500, -1)),
			[]string{"Stream's server failed", "may have accepted", "a repeated deletion does no harm"}, "user_id"},
		"refused":         {stage(erasure.StageSubmit, answer(400, 4)), []string{"was not accepted", "run again"}, "user_id"},
		"task unreadable": {stage(erasure.StagePoll, answer(500, -1)), []string{"accepted before"}, "user_id"},
		"redirect":        {stage(erasure.StageLookUp, answer(301, 0)), []string{"base_url"}, "user_id"},
		"interrupted":     {context.Canceled, []string{"interrupted", "before a deletion was sent", "Run apply again"}, "user_id"},
		"timed out in a call": {stage(erasure.StageSubmit, ended(t, context.DeadlineExceeded)),
			[]string{"Timed out", "was not accepted", "a longer timeouts value"}, "user_id"},
		"stopped in a call": {stage(erasure.StageSubmit, ended(t, context.Canceled)), []string{"Interrupted", "was not accepted", "Run again"},
			"user_id"},
		"timed out": {stage(erasure.StageLookUp, context.DeadlineExceeded), []string{"timeout", "before a deletion was sent"},
			"user_id"},
	} {
		t.Run(name, func(t *testing.T) {
			d := report.Error(at, tt.err)
			text := strings.Join(strings.Fields(d.Summary()+" "+d.Detail()), " ")
			for _, say := range tt.says {
				if !strings.Contains(text, say) {
					t.Errorf("%q lacks %q", text, say)
				}
			}
			if strings.Contains(text, canary) {
				t.Errorf("it names somebody: %s", text)
			}
			if got, ok := d.(diag.DiagnosticWithPath); !ok || got.Path().String() != tt.where {
				t.Errorf("it is about %v, want %s", got, tt.where)
			}
		})
	}
}

// ended is the error of a call whose context has ended with this cause.
func ended(t *testing.T, cause error) error {
	t.Helper()
	api, err := stream.New(stream.Config{APIKey: "key", APISecret: "secret"})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancelCause(context.Background())
	cancel(cause)
	_, err = api.App(ctx)
	return err
}

func TestExportErrorsSayThatThereIsNoFile(t *testing.T) {
	for name, tt := range map[string]struct {
		err  error
		says []string
	}{
		"refusal": {&erasure.Refusal{Summary: "No", Detail: "Because. Nothing was sent."}, []string{"Nothing was sent"}},
		"look-up": {&erasure.StageError{Stage: erasure.StageLookUp, Err: answer(500, -1)},
			[]string{"Stream's server failed", "looking the subject up", "no file was written", "Run again"}},
		"server error": {streamtest.Failure(stream.OpExportUser, 500, nil),
			[]string{"Nothing was changed at Stream", "no file was written", "Run again"}},
		"answer lost": {streamtest.Failure(stream.OpExportChannels, 500, nil),
			[]string{"may have begun an export", "no file was written", "Run again"}},
		"task failed": {&stream.Error{Op: stream.OpGetTask, Kind: stream.KindTask},
			[]string{"Export failed at Stream", "for 60 days", "no file was written", "Run apply again"}},
		"download failed": {&stream.Error{Op: stream.OpDownloadExport, Kind: stream.KindNetwork},
			[]string{"for 60 days", "no file was written", "Run again"}},
		"timed out":   {ended(t, context.DeadlineExceeded), []string{"Timed out", "no file was written", "a longer timeouts value"}},
		"interrupted": {context.Canceled, []string{"Interrupted", "no file was written", "Run again"}},
	} {
		d := report.Export(path.Root("cids"), tt.err)
		for _, say := range tt.says {
			if text := d.Summary() + ": " + d.Detail(); !strings.Contains(text, say) || strings.Contains(text, canary) ||
				strings.Contains(text, "deletion") {
				t.Errorf("%s: %q lacks %q, or says too much", name, text, say)
			}
		}
	}
}

func TestUnfinishedSaysWhereTheDeletionIs(t *testing.T) {
	for name, p := range map[string]*erasure.Pending{
		"interrupted":  {Err: context.Canceled},
		"timed out":    {Err: context.DeadlineExceeded},
		"task unknown": {TaskUnknown: true},
		"still runs":   {},
		"API error":    {Err: &erasure.StageError{Stage: erasure.StagePoll, Err: answer(502, 0)}},
		"other":        {Err: errors.New("strange")},
	} {
		d := report.Unfinished(path.Root("user_id"), "task-1", p)
		if d.Severity() != diag.SeverityWarning || !strings.Contains(d.Detail(), "task-1") || !strings.Contains(d.Detail(), "submitted") ||
			strings.Contains(d.Detail(), canary) {
			t.Errorf("%s: %s: %s", name, d.Summary(), d.Detail())
		}
	}
}
