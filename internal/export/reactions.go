// Copyright (c) the terraform-provider-streamchat authors
// SPDX-License-Identifier: MPL-2.0

package export

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"fmt"

	"github.com/tidwall/gjson"
	"golang.org/x/sync/errgroup"

	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/fields"
)

// lookUps is how many messages' reactions are looked up at a time.
const lookUps = 8

// lookUpFunc reads all reactions of the subject to a message that has more than a
// channel export lists; total is how many of everybody it has. all is false when
// some could not be read. An error ends the assembly.
type lookUpFunc func(ctx context.Context, messageID string, total int) (reactions []json.RawMessage, all bool, err error)

// step is one record of the spool on its way to the writer.
type step struct {
	kind     byte
	reaction []byte
	answer   chan lookedUp // of a spoolLookUp: gets one answer
}

type lookedUp struct {
	reactions []json.RawMessage
	all       bool
	err       error
}

// reactions writes the subject's reactions: those that were listed, and by lookUp
// those of messages that have more. No file can follow.
func (a *assembler) reactions(ctx context.Context, lookUp lookUpFunc) error {
	group, ctx := errgroup.WithContext(ctx)
	steps := make(chan step, lookUps)
	group.Go(func() error { return a.prefetch(ctx, lookUp, steps) })
	group.Go(func() error { return a.write(steps) })
	return group.Wait()
}

// prefetch turns the spool into steps, in its order, and starts the look-ups
// ahead of their turn, at most [lookUps] at a time. It returns once all have ended.
func (a *assembler) prefetch(ctx context.Context, lookUp lookUpFunc, steps chan<- step) error {
	defer close(steps)
	var running errgroup.Group
	running.SetLimit(lookUps)
	defer func() { _ = running.Wait() }() // errors go with the answers
	return a.spool.Each(func(kind byte, record []byte) error {
		next := step{kind: kind}
		if kind == spoolLookUp {
			total, n := binary.Uvarint(record)
			id := string(record[n:])
			next.answer = make(chan lookedUp, 1)
			running.Go(func() error {
				var r lookedUp
				r.reactions, r.all, r.err = lookUp(ctx, id, int(total)) //nolint:gosec // it was an int
				next.answer <- r
				return nil
			})
		} else {
			next.reaction = append(next.reaction, record...)
		}
		select {
		case steps <- next:
			return nil
		case <-ctx.Done():
			return ctx.Err()
		}
	})
}

// write writes the steps in their order. Of reactions that a message lists and a
// look-up found too, the latter's are written.
func (a *assembler) write(steps <-chan step) error {
	var found map[string]bool // types in the look-up before
	for next := range steps {
		var err error
		switch next.kind {
		case spoolLookUp:
			found, err = a.writeLookedUp(<-next.answer)
		case spoolListed:
			if found[gjson.GetBytes(next.reaction, "type").Str] {
				continue
			}
			err = a.w.reaction(next.reaction)
		default:
			err = a.w.reaction(next.reaction)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// writeLookedUp writes the subject's reactions of a look-up, one of each type.
func (a *assembler) writeLookedUp(r lookedUp) (found map[string]bool, err error) {
	if r.err != nil {
		return nil, r.err
	}
	if !r.all {
		a.unread++
	}
	found = map[string]bool{}
	for _, raw := range r.reactions {
		reaction := gjson.ParseBytes(raw)
		by, of, err := whose(reaction)
		if err != nil {
			return nil, fmt.Errorf("a reaction that was looked up: %w", err)
		}
		if by != a.subject || found[of] {
			continue
		}
		found[of] = true
		a.rewrite(fields.Reaction, reaction)
		if err := a.w.reaction(a.out); err != nil {
			return nil, err
		}
	}
	return found, nil
}
