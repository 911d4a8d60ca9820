// Copyright (c) the terraform-provider-streamchat authors
// SPDX-License-Identifier: MPL-2.0

package user

import (
	"context"
	"encoding/json"
	"errors"
	"slices"

	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/export"
	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/stream"
)

// exportsAhead is how many channel exports Stream works on while the file of one
// is read.
const exportsAhead = 4

// missable says what an assembled export can lack, for documentation.
const missable = "what the person wrote in channels that they have left and did not create, unless Stream's search finds it (it knows neither deleted messages nor channel types without search); " +
	"channels that are deleted, also softly, since Stream lists them nowhere; reactions in channels that were not found, and those beyond the newest 1,300 of one message or on a message that was deleted; " +
	"what is written while the export is taken; and whatever Stream adds to its own export besides `user`, `messages` and `reactions`"

// assembly makes the export of a user whom Stream refuses to export in one piece,
// out of exports of the channels where the user is found.
type assembly struct {
	api  *stream.Client
	id   string
	row  json.RawMessage
	cids []string

	// searchEnded: the search for further channels came to its end.
	searchEnded bool
	// unread is of how many messages not all reactions could be read.
	unread int64
}

// findChannels looks for the channels that a user is a member of, created, or
// wrote in as far as Stream's search knows. The search is a help and no more:
// when Stream refuses it, the export goes on.
func findChannels(ctx context.Context, api *stream.Client, id string) (*assembly, error) {
	a := &assembly{api: api, id: id}
	var err error
	if a.row, err = api.UserRow(ctx, id); err != nil {
		return nil, err
	}
	for _, list := range []func(context.Context, string) ([]string, error){api.ChannelsOfMember, api.ChannelsCreatedBy} {
		cids, err := list(ctx, id)
		if err != nil {
			return nil, err
		}
		a.cids = append(a.cids, cids...)
	}
	slices.Sort(a.cids)
	a.cids = slices.Compact(a.cids)
	found, ended, err := api.ChannelsByMessages(ctx, id, a.cids)
	if ctx.Err() != nil {
		return nil, err
	}
	a.cids = append(a.cids, found...)
	a.searchEnded = ended && err == nil
	return a, nil
}

// write assembles the export. Reactions wait in dir, see export.NewAssembler.
func (a *assembly) write(ctx context.Context, w *export.Writer, dir string) (err error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	out := export.NewAssembler(w, a.id, dir)
	defer func() { err = errors.Join(err, out.Close()) }()
	if err := out.User(a.row); err != nil {
		return err
	}
	tasks := make(chan string, exportsAhead-1)
	var startErr error
	go func() {
		defer close(tasks)
		for batch := range slices.Chunk(a.cids, stream.MaxExportChannels) {
			if startErr = a.start(ctx, batch, tasks); startErr != nil {
				return
			}
		}
	}()
	for task := range tasks {
		if err := a.read(ctx, out, task); err != nil {
			return err
		}
	}
	if startErr != nil {
		return startErr
	}
	err = out.Reactions(ctx, a.lookUp)
	a.unread = out.Unread()
	return err
}

// start starts the export of a batch. One channel that Stream does not know
// fails the call for all, so a refused batch is halved; a channel that is
// refused as unknown on its own was deleted since it was found.
func (a *assembly) start(ctx context.Context, cids []string, tasks chan<- string) error {
	task, err := a.api.ExportChannels(ctx, stream.ChannelExport{
		CIDs: cids, Version: stream.ExportV1, IncludeSoftDeletedChannels: true, IncludeTruncatedMessages: true,
	})
	var e *stream.Error
	switch {
	case err == nil:
		select {
		case tasks <- task:
			return nil
		case <-ctx.Done():
			return ctx.Err()
		}
	case !errors.As(err, &e) || e.Kind != stream.KindNotFound && e.Kind != stream.KindInput:
		return err
	case len(cids) > 1:
		half := len(cids) / 2
		if err := a.start(ctx, cids[:half], tasks); err != nil {
			return err
		}
		return a.start(ctx, cids[half:], tasks)
	case e.Kind == stream.KindNotFound:
		return nil
	}
	return err
}

// read takes the file of one channel export.
func (a *assembly) read(ctx context.Context, out *export.Assembler, task string) error {
	if err := a.api.ExportTask(ctx, task); err != nil {
		return err
	}
	file, err := a.api.OpenExport(ctx, task)
	if err != nil {
		return err
	}
	defer func() { _ = file.Close() }()
	return out.File(file)
}

// lookUp is the assembler's way to reactions that a channel export leaves out.
func (a *assembly) lookUp(ctx context.Context, messageID string, total int) ([]json.RawMessage, bool, error) {
	list, all, err := a.api.ReactionsBy(ctx, messageID, a.id, total)
	if stream.IsNotFound(err) {
		return nil, false, nil
	}
	return list, all, err
}
