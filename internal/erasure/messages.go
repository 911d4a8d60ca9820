// Copyright (c) the terraform-provider-streamchat authors
// SPDX-License-Identifier: MPL-2.0

package erasure

import (
	"context"
	"slices"

	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/stream"
)

// MessageScope is the scope of a message's erasure (stream-api.md §6).
type MessageScope struct{ Hardness }

// NotCovered implements [Scope]; the facts are in stream-api.md §2, §6 and §11.
func (s MessageScope) NotCovered() []string {
	return s.leaving([]string{
		"exports_kept_60_days", "mentions_and_quotes", "message_history", "moderation_logs", "polls", "uploads", "webhook_copies",
	}, "message_content", "reactions", "replies")
}

// Compare implements [Scope].
func (s MessageScope) Compare(recorded MessageScope) Comparison { return s.compare(recorded.Hardness) }

// MessageAPI is what the deletion of messages needs of Stream's API.
type MessageAPI interface {
	GetMessage(ctx context.Context, id string) (stream.Message, error)
	Repliers(ctx context.Context, id string) (authors []string, all bool, err error)
	DeleteMessage(ctx context.Context, id string, hard bool) (stream.Message, error)
}

// Messages is the [Deed] of deleting messages, each with a call of its own.
type Messages struct {
	simple[MessageScope]
	API MessageAPI
}

var (
	_ Deed[MessageScope]        = Messages{}
	_ scopeReader[MessageScope] = Messages{}
	_ reacher[MessageScope]     = Messages{}
)

// Reach implements reacher: a message is its author's, and replies go with it for good.
func (m Messages) Reach(ctx context.Context, ids []string, scope MessageScope, _ Run) (map[string]Reach, error) {
	found := make(map[string]Reach, len(ids))
	for _, id := range ids {
		message, err := m.API.GetMessage(ctx, id)
		if stream.IsNotFound(err) {
			continue
		}
		if err != nil {
			return nil, err
		}
		reach := Reach{Others: []string{message.AuthorID}, Incomplete: message.AuthorID == "", Channel: message.CID, Reactions: message.Reactions}
		if scope.Hard && message.Replies {
			authors, all, err := m.API.Repliers(ctx, id)
			if err != nil {
				return nil, err
			}
			reach.Others, reach.Incomplete = append(reach.Others, authors...), reach.Incomplete || !all || slices.Contains(authors, "")
		}
		found[id] = reach
	}
	return found, nil
}

// Traits implements [Deed].
func (Messages) Traits() Traits {
	return Traits{
		Kind: kindMessage, Max: 1, Forgets: true, Proves: true, Call: stream.OpDeleteMessage,
		Absence: "Stream does not find this message: it never existed, or it was deleted for good before (Stream does not tell).",
	}
}

// Gone implements [Deed]: a tombstone is all that a soft deletion wants, but no
// proof of a hard one.
func (Messages) Gone(f Finding, a Attempt[MessageScope]) bool {
	return f.Found == FoundMissing || f.Found == FoundDeleted && (a.Scope == nil || !(*a.Scope).Hard)
}

// ScopeOf implements scopeReader: a tombstone is what a soft deletion leaves.
func (Messages) ScopeOf(f Finding) (scope MessageScope, ok bool) {
	return MessageScope{}, f.Found == FoundDeleted
}

// LookUp implements [Deed].
func (m Messages) LookUp(ctx context.Context, ids []string) (map[string]Finding, error) {
	found := make(map[string]Finding, len(ids))
	for _, id := range ids {
		message, err := m.API.GetMessage(ctx, id)
		switch {
		case stream.IsNotFound(err):
			found[id] = Finding{Found: FoundMissing}
		case err != nil:
			return nil, err
		case message.Deleted:
			found[id] = Finding{Found: FoundDeleted, CreatedAt: message.CreatedAt}
		default:
			found[id] = Finding{Found: FoundPresent, CreatedAt: message.CreatedAt}
		}
	}
	return found, nil
}

// Submit implements [Deed]. That the message is not there says that somebody, or
// a call whose answer was lost, was faster; the look-up afterwards proves it.
func (m Messages) Submit(ctx context.Context, subjects []Subject, scope MessageScope) (Accepted, error) {
	_, err := m.API.DeleteMessage(ctx, subjects[0].ID, scope.Hard)
	if stream.IsNotFound(err) {
		err = nil
	}
	return Accepted{}, err
}
