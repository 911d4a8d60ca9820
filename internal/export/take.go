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
	Direct    = "direct"    // Stream's own, complete by definition
	Assembled = "assembled" // from channel exports
)

// Findings is what is known of a user's export that was taken.
type Findings struct {
	Counts
	Method string // Direct or Assembled
	Gaps   Gaps
}

// Complete says whether the export holds everything. An assembled one is never
// called complete: it can also miss what nobody can know of. Nor is one that a deletion came
// before.
func (f Findings) Complete() bool { return f.Method == Direct && !f.Gaps.Deletions }

// Gaps is what an assembled export is known to lack.
type Gaps struct {
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
// because of its size, one that is assembled in the same form and in the same
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
		err = w.own(own)
	case refused(err):
		found.Method = Assembled
		found.Gaps, err = gather(ctx, api, id, w, dir)
	}
	if err != nil {
		return Findings{}, err
	}
	if found.Counts, err = w.close(); err != nil {
		return Findings{}, err
	}
	if found.Method == Assembled && found.Messages == 0 && found.Reactions == 0 {
		return Findings{}, ErrNothingFound
	}
	return found, nil
}

// refused says that Stream itself does not give its own export of a user, of
// whose errors the code for too many messages is not documented.
func refused(err error) bool {
	var e *stream.Error
	return errors.As(err, &e) && e.Kind == stream.KindInput && e.Code != 0
}
