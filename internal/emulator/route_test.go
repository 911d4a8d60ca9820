// Copyright (c) the terraform-provider-streamchat authors
// SPDX-License-Identifier: MPL-2.0

package emulator_test

import (
	"testing"
)

func TestUnknownPathsAndMethods(t *testing.T) {
	w := seeded(t, people)
	for _, tc := range []struct{ method, path string }{
		{"GET", "/"},
		{"GET", "/nothing"},
		{"GET", "/users/delete"},
		{"PUT", "/users"},
		{"POST", "/users/"},
		{"POST", "//users"},
		{"DELETE", "/users/"},
		{"DELETE", "/users/."},
		{"DELETE", "/users/../users/ada"},
		{"DELETE", "/channels/team"},
		{"DELETE", "/channels/team/"},
		{"DELETE", "/channels//x"},
		{"POST", "/messages/history"},
		{"OPTIONS", "/users"},
	} {
		t.Run(tc.method+" "+tc.path, func(t *testing.T) {
			w.call(tc.method, tc.path, "").wantError(t, 404, 16, `Request failed with error: "Not Found"`)
		})
	}
	if a := w.call("HEAD", "/app", ""); a.status != 404 {
		t.Errorf("HEAD gets %d", a.status)
	}
	if n := w.Count("Request"); n != 15 {
		t.Errorf("%d requests were of no endpoint", n)
	}
}

// A segment is unescaped after the path is cut into segments.
func TestEscapedSegments(t *testing.T) {
	w := seeded(t, people)
	for path, id := range map[string]string{
		"/messages/a%2Fb":        "a/b",
		"/messages/%2E%2E":       "..",
		"/messages/a%252Fb":      "a%2Fb",
		"/messages/a%20%C3%BC":   "a ü",
		"/%6Dessages/x":          "x",
		"/messages/a%2F..%2Fb":   "a/../b",
		"/messages/delete%3Fx=1": "delete?x=1",
	} {
		w.call("GET", path, "").wantError(t, 404, 16, `GetMessage failed with error: "message with id `+id+` doesn't exist"`)
	}
	w.call("DELETE", "/channels/team/a%2Fb", "").wantError(t, 404, 16, `DeleteChannel failed with error: "Can't find channel with id team:a/b"`)
	if r := w.Requests("DeleteChannel"); len(r) != 1 || r[0].CIDs[0] != "team:a/b" {
		t.Errorf("the log has %+v", r)
	}
}
