// Copyright (c) the terraform-provider-streamchat authors
// SPDX-License-Identifier: MPL-2.0

// Package export takes exports out of Stream: of a user, as the very bytes that
// Stream sent or assembled from exports of the user's channels, and of channels,
// as Stream's file is. It writes to any io.Writer and knows no Terraform. No
// error of it quotes content.
package export

import (
	"context"
	"errors"
	"io"

	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/stream"
)

// How an export of a user was taken.
const (
	Direct    = "direct"    // Stream's own
	Assembled = "assembled" // from channel exports
)

// Findings is what is known of a user's export that was taken.
type Findings struct {
	Counts
	Method string // Direct or Assembled
	Gaps   Gaps
	// Refusal is why Stream did not give its own export, where that may have another
	// reason than its size.
	Refusal error
}

// Complete says whether the export holds every message and reaction that Stream's own
// export of a user has. An assembled one is never called complete: it can also miss what
// nobody can know of. Nor is one that a deletion came before.
func (f Findings) Complete() bool { return f.Method == Direct && f.Gaps == Gaps{} }

// mostListed is how many messages and how many reactions Stream exports in one piece
// (stream-api.md §7.1).
const mostListed = 10_000

// Gaps is what an export is known to lack, or not known to have.
type Gaps struct {
	// Lists: Stream's own export came without its list of messages or of reactions.
	Lists bool `json:"lists,omitempty"`
	// Limit: there are exactly as many as Stream exports, so that it may have cut the rest.
	Limit bool `json:"limit,omitempty"`
	// Reactions is to how many messages reactions of the user may be missing,
	// since Stream did not give all of them.
	Reactions int64 `json:"reactions,omitempty"`
	// Deletions: what a deletion of the same run took before the export was taken.
	Deletions bool `json:"deletions,omitempty"`
	// Search: the search for channels that the user wrote in and has left did not
	// come to its end, or is not available.
	Search bool `json:"search,omitempty"`
}

// Take writes the export of a user to dst, as JSON:
//
//	{"user":{…},"messages":[…],"reactions":[…]}
//
// It is Stream's own export without its "duration" or, where Stream refuses that
// because of its size or of an active user for whatever other reason, one that is assembled in the same form and in the same
// memory for any size. dst gets many small writes; what it got before an error is
// not to be kept. Reactions, which come last, wait in memory and, when they are
// many, in an encrypted temporary file in dir; with dir "" they are
// [ErrTooLarge] then.
//
// Errors are *stream.Error (a user whom Stream does not know is KindNotFound),
// *ParseError, [ErrNothingFound], ctx's and dst's own.
func Take(ctx context.Context, api *stream.Client, id string, dst io.Writer, dir string) (Findings, error) {
	found := Findings{Method: Direct}
	w := newWriter(dst)
	own, err := api.ExportUser(ctx, id)
	switch {
	case err == nil:
		if err = w.own(own); err == nil {
			found.Gaps = lacks(own)
		}
	case refused(err):
		found.Method = Assembled
		found.Gaps, err = gather(ctx, api, id, w, dir)
	case unwilling(err) && active(ctx, api, id):
		found.Method, found.Refusal = Assembled, err
		found.Gaps, err = gather(ctx, api, id, w, dir)
	}
	if err != nil {
		return Findings{}, err
	}
	if found.Counts, err = w.close(); err != nil {
		return Findings{}, err
	}
	switch {
	case found.Messages > 0 || found.Reactions > 0:
	case found.Refusal != nil:
		return Findings{}, found.Refusal
	case found.Method == Assembled:
		return Findings{}, ErrNothingFound
	}
	if found.Method == Direct {
		found.Gaps.Limit = found.Messages == mostListed || found.Reactions == mostListed
	}
	return found, nil
}

// lacks tells which lists an export of Stream's own does not have.
func lacks(own stream.UserExport) (g Gaps) {
	lists := 0
	for _, m := range own {
		if (m.Name == "messages" || m.Name == "reactions") && m.Value.IsArray() {
			lists++
		}
	}
	g.Lists = lists < 2
	return g
}

// Stream's codes for a call that takes too long and for a suspended app (stream-api.md §1.4).
const (
	codeTimeout   = 23
	codeSuspended = 99
)

// unwilling says that Stream itself, and nothing before it, refuses its own export of a user
// as not allowed, or takes too long over it. Nobody has seen how it refuses one that is too
// large; an assembled export is never called complete, so that nothing is lost by a try. An
// internal error says nothing of the size.
func unwilling(err error) bool {
	var e *stream.Error
	return errors.As(err, &e) && (e.Kind == stream.KindForbidden && e.Code != 0 && e.Code != codeSuspended || e.Kind == stream.KindServer && e.Code == codeTimeout)
}

// active says that Stream's query lists a user, not deactivated: of whom an export may not
// be refused for that.
func active(ctx context.Context, api *stream.Client, id string) bool {
	users, err := api.UsersByID(ctx, []string{id})
	user, listed := users[id]
	return err == nil && listed && user.DeactivatedAt == nil && user.DeletedAt == nil
}

// refused says that Stream itself does not give its own export of a user, of
// whose errors the code for too many messages is not documented.
func refused(err error) bool {
	var e *stream.Error
	return errors.As(err, &e) && e.Kind == stream.KindInput && e.Code != 0
}
