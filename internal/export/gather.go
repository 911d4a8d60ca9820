// Copyright (c) the terraform-provider-streamchat authors
// SPDX-License-Identifier: MPL-2.0

package export

import (
	"context"
	"encoding/json"
	"errors"
	"slices"

	"golang.org/x/sync/errgroup"

	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/stream"
)

// exportsAhead is how many channel exports Stream works on while the file of one
// is read.
const exportsAhead = 4

// gather writes the export of a user whom Stream refuses to export in one piece,
// out of exports of the channels where the user is found.
func gather(ctx context.Context, api *stream.Client, id string, w *writer, dir string) (gaps Gaps, err error) {
	row, err := api.UserRow(ctx, id)
	if err != nil {
		return gaps, err
	}
	cids, searched, err := findChannels(ctx, api, id)
	if err != nil {
		return gaps, err
	}
	out := newAssembler(w, id, dir)
	defer func() { err = errors.Join(err, out.close()) }()
	if err := out.user(row); err != nil {
		return gaps, err
	}
	if err := readChannels(ctx, api, cids, out); err != nil {
		return gaps, err
	}
	err = out.reactions(ctx, func(ctx context.Context, messageID string, total int) ([]json.RawMessage, bool, error) {
		list, all, err := api.ReactionsBy(ctx, messageID, id, total)
		if stream.IsNotFound(err) {
			return nil, false, nil
		}
		return list, all, err
	})
	return Gaps{Reactions: out.unread, Search: !searched}, err
}

// findChannels looks for the channels that a user is a member of, created, or
// wrote in as far as Stream's search knows. The search is a help and no more:
// when Stream refuses it, searched is false.
func findChannels(ctx context.Context, api *stream.Client, id string) (cids []string, searched bool, err error) {
	for _, list := range []func(context.Context, string) ([]string, error){api.ChannelsOfMember, api.ChannelsCreatedBy} {
		some, err := list(ctx, id)
		if err != nil {
			return nil, false, err
		}
		cids = append(cids, some...)
	}
	slices.Sort(cids)
	cids = slices.Compact(cids)
	more, ended, err := api.ChannelsByMessages(ctx, id, cids)
	if ctx.Err() != nil {
		return nil, false, err
	}
	return append(cids, more...), ended && err == nil, nil
}

// readChannels reads exports of the channels, one file after the other, while
// Stream works on the next.
func readChannels(ctx context.Context, api *stream.Client, cids []string, out *assembler) error {
	group, ctx := errgroup.WithContext(ctx)
	tasks := make(chan string, exportsAhead-1)
	group.Go(func() error {
		defer close(tasks)
		for batch := range slices.Chunk(cids, stream.MaxExportChannels) {
			if err := start(ctx, api, batch, tasks); err != nil {
				return err
			}
		}
		return nil
	})
	group.Go(func() error {
		for task := range tasks {
			if err := readTask(ctx, api, task, out); err != nil {
				return err
			}
		}
		return nil
	})
	return group.Wait()
}

// start starts the export of a batch. One channel that Stream does not know
// fails the call for all, so a refused batch is halved; a channel that is
// refused as unknown on its own was deleted since it was found.
func start(ctx context.Context, api *stream.Client, cids []string, tasks chan<- string) error {
	task, err := api.ExportChannels(ctx, stream.ChannelExport{
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
		if err := start(ctx, api, cids[:half], tasks); err != nil {
			return err
		}
		return start(ctx, api, cids[half:], tasks)
	case e.Kind == stream.KindNotFound:
		return nil
	}
	return err
}

// readTask waits for one channel export and takes its file.
func readTask(ctx context.Context, api *stream.Client, task string, out *assembler) error {
	if err := api.ExportTask(ctx, task); err != nil {
		return err
	}
	file, err := api.OpenExport(ctx, task)
	if err != nil {
		return err
	}
	defer func() { _ = file.Close() }()
	return out.file(file)
}
