// Copyright (c) the terraform-provider-streamchat authors
// SPDX-License-Identifier: MPL-2.0

package stream

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
)

func TestErrorTexts(t *testing.T) {
	for want, e := range map[string]*Error{
		"DeleteUsers: authentication failed: the API secret does not belong to the API key (HTTP 401, Stream code 5)": {Op: OpDeleteUsers,
			HTTPStatus: 401, Code: 5, Kind: KindAuth},
		"GetTask: the server failed (HTTP 502)": {Op: OpGetTask,
			HTTPStatus: 502, Kind: KindServer},
		"DeleteUsers: no complete answer: the connection broke; Stream may have carried the request out": {Op: OpDeleteUsers,
			Kind: KindNetwork, Ambiguous: true, detail: "the connection broke"},
		"DeleteUsers: interrupted": canceled(OpDeleteUsers,
			context.Canceled),
		"DeleteUsers: the time for this operation ran out": canceled(OpDeleteUsers,
			context.DeadlineExceeded),
		"RestoreUsers: the request was not sent: there are no ids": refuse(OpRestoreUsers,
			"there are no ids"),
		"QueryUsers: the answer is not what Stream's API promises: users is not a list (HTTP 200)": unexpected(OpQueryUsers, 200,
			shapeError("users is not a list")),
		"DeleteUsers: too many requests (HTTP 429)": {Op: OpDeleteUsers,
			HTTPStatus: 429, Kind: KindRateLimited},
		"DeleteUsers: the server answered with a redirect, which is not followed; check base_url (HTTP 301)": {Op: OpDeleteUsers,
			HTTPStatus: 301, Kind: KindRedirect},
		"DeleteUsers: the app is suspended (HTTP 403, Stream code 99)": {Op: OpDeleteUsers,
			HTTPStatus: 403, Code: 99, Kind: KindForbidden},
		"DeleteUsers: access was refused (HTTP 403)": {Op: OpDeleteUsers,
			HTTPStatus: 403, Kind: KindForbidden},
		"DeleteUsers: the request was not accepted (HTTP 418, Stream code 999)": {Op: OpDeleteUsers,
			HTTPStatus: 418, Code: 999, Kind: KindInput},
		"DeletePoll: Stream says that it does not exist, was deleted or was deactivated (HTTP 404, Stream code 16)": {Op: OpDeletePoll,
			HTTPStatus: 404, Code: 16, Kind: KindNotFound},
		"DeletePoll: the answer is not what Stream's API promises: check base_url (HTTP 404, Stream code 16)": {Op: OpDeletePoll,
			HTTPStatus: 404, Code: 16, Kind: KindUnexpectedBody, detail: "check base_url"},
	} {
		if got := e.Error(); got != want {
			t.Errorf("%s\nwant %s", got, want)
		}
	}
}

func TestErrorWords(t *testing.T) {
	message := func(inner string) *Error {
		return &Error{message: fmt.Sprintf("ReactivateUser failed with error: %q", inner)}
	}
	for inner, want := range map[string]string{
		"the user bill4 was deleted":                            "bill4",
		"the user a@b_c-D was deactivated":                      "a@b_c-D",
		"the user x does not exist":                             "x",
		"sorry: the user x does not exist.":                     "x",
		"the user " + strings.Repeat("x", 255) + " was deleted": strings.Repeat("x", 255),
		"the user " + strings.Repeat("x", 256) + " was deleted": "",
		"the user x was deleted and the user y was deleted":     "",
		"the user x y was deleted":                              "",
		"the user  was deleted":                                 "",
		"the user x was deletedly":                              "",
		"breathe user x was deleted":                            "",
		"the user x is not deleted":                             "",
		"":                                                      "",
	} {
		if got := message(inner).NamedUser(); got != want {
			t.Errorf("%q names %q, want %q", inner, got, want)
		}
	}
	e := message("the user bill4 was deleted")
	if !e.says("was deleted") || e.says("does not exist") || e.says("") {
		t.Error("Says")
	}
}

func TestIsNotFound(t *testing.T) {
	if IsNotFound(nil) || IsNotFound(errors.New("x")) || IsNotFound(&Error{Kind: KindInput}) {
		t.Error("too much is not found")
	}
	if !IsNotFound(fmt.Errorf("while reading: %w", &Error{Kind: KindNotFound})) {
		t.Error("a wrapped error is not recognised")
	}
}
