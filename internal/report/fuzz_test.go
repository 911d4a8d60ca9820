// Copyright (c) the terraform-provider-streamchat authors
// SPDX-License-Identifier: MPL-2.0

package report_test

import (
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

// FuzzDiagnostics: a diagnostic depends on what kind of answer came, and on not
// a word of it.
func FuzzDiagnostics(f *testing.F) {
	for _, message := range []string{"the user " + canary + " was deleted", `Request failed with error: "` + canary + `"`,
		"Too many requests for user: " + canary, "", "channels not found", "%s %d"} {
		for _, status := range []int{400, 401, 403, 404, 408, 429, 500, 302} {
			f.Add(status, 16, message)
		}
	}
	at := path.Root("user_id")
	f.Fuzz(func(t *testing.T, status, code int, message string) {
		diagnostics := func(message string) (stream.Kind, []diag.Diagnostic) {
			body, err := json.Marshal(map[string]any{"code": code, "message": message, "StatusCode": status})
			if err != nil {
				t.Fatal(err)
			}
			var failure *stream.Error
			if !errors.As(streamtest.Failure(stream.OpDeleteUsers, status, body), &failure) {
				t.Fatalf("%d %s is no failure", status, body)
			}
			list := []diag.Diagnostic{report.Error(at, failure), report.Step(at, "querying users", failure)}
			for _, stage := range []erasure.Stage{
				erasure.StageApp, erasure.StageLookUp, erasure.StageProbe, erasure.StageTokens, erasure.StagePolls,
				erasure.StageSubmit, erasure.StagePoll, erasure.StageVerify, erasure.StageRestore,
			} {
				staged := &erasure.StageError{Stage: stage, Err: failure}
				list = append(list, report.Error(at, staged), report.Step(at, "querying users", staged),
					report.Unfinished(at, "task-1", &erasure.Pending{Err: staged}))
			}
			return failure.Kind, list
		}
		kind, got := diagnostics(message)
		other := "something else"
		if strings.HasPrefix(message, "Request failed with error") {
			other = "Request failed with error"
		}
		otherKind, want := diagnostics(other)
		if kind != otherKind {
			t.Fatalf("%d %d %q is %s, and %s in other words", status, code, message, kind, otherKind)
		}
		for i := range got {
			if !got[i].Equal(want[i]) || strings.Contains(got[i].Detail()+got[i].Summary(), canary) {
				t.Errorf("%d %d %q: %s: %s", status, code, message, got[i].Summary(), got[i].Detail())
			}
		}
	})
}
