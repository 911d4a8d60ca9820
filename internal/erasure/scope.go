// Copyright (c) the terraform-provider-streamchat authors
// SPDX-License-Identifier: MPL-2.0

package erasure

// Scope is what one erasure asks of Stream. Subjects with equal scopes share a
// delete call, so a scope holds everything that the call's options hold.
type Scope[S any] interface {
	comparable
	// Irreversible is false only when Stream can bring back all that goes.
	Irreversible() bool
	// NotCovered lists what this erasure leaves at Stream, sorted by no rule
	// but stable: it is a known value in plans.
	NotCovered() []string
	// Outcome is what a completed erasure of this scope amounts to.
	Outcome() Outcome
	// Compare tells how this scope differs from the one on record.
	Compare(recorded S) Comparison
	// NewOwners are those, by attribute, who take over what is left behind.
	NewOwners() []NewOwner
}

// NewOwner is a living subject that an attribute names.
type NewOwner struct{ Field, ID string }

// Comparison lists the attributes (dotted paths) in which a scope differs from
// a recorded one.
type Comparison struct {
	// Raised reach further than the record: an escalation.
	Raised []string
	// Lowered ask for less than was done, which nobody can do.
	Lowered []string
	// Altered are options of the call that only mean something before it.
	Altered []string
}

// Mode is how thoroughly Stream deletes (stream-api.md §2).
type Mode string

// The modes, weakest first. The empty mode leaves the thing untouched.
const (
	Untouched Mode = ""
	Soft      Mode = "soft"
	Pruning   Mode = "pruning"
	Hard      Mode = "hard"
)

func (m Mode) rank() int {
	switch m {
	case Soft:
		return 1
	case Pruning:
		return 2
	case Hard:
		return 3
	default:
		return 0
	}
}

// UserScope is the scope of a user's erasure: the options of
// `POST /users/delete` (stream-api.md §2) and what the provider does before it.
type UserScope struct {
	User          Mode `json:"user"`
	Messages      Mode `json:"messages,omitempty"`
	Conversations Mode `json:"conversations,omitempty"`
	Calls         Mode `json:"calls,omitempty"`
	Files         bool `json:"files"`
	Polls         bool `json:"polls"`
	RevokeTokens  bool `json:"revoke_tokens,omitempty"`
	// The new owners are people: they stay out of everything that is archived.
	NewChannelOwnerID string `json:"-"`
	NewCallOwnerID    string `json:"-"`
}

// Defaulted fills what the configuration leaves out (nil): a hard deletion takes
// everything with it that Stream's documentation says it must, and the files and
// polls that it would leave; a weaker one touches nothing else.
func Defaulted(user Mode, messages, conversations, calls *Mode, files, polls *bool) UserScope {
	hard := user == Hard
	mode := func(m *Mode) Mode {
		switch {
		case m != nil:
			return *m
		case hard:
			return Hard
		default:
			return Untouched
		}
	}
	flag := func(b *bool) bool {
		if b != nil {
			return *b
		}
		return hard
	}
	s := UserScope{User: user, Messages: mode(messages), Conversations: mode(conversations), Files: flag(files), Polls: flag(polls)}
	if calls != nil {
		s.Calls = *calls
	}
	return s
}

// TakesContent reports that what the user wrote goes too, theirs or in conversations.
func (s UserScope) TakesContent() bool {
	return s.Messages != Untouched || s.Conversations != Untouched
}

// Irreversible implements [Scope]: `POST /users/restore` brings back a
// soft-deleted user's metadata and nothing else (stream-api.md §9).
func (s UserScope) Irreversible() bool {
	return s.User != Soft || s.Messages != Untouched || s.Conversations != Untouched || s.Calls != Untouched || s.Files || s.Polls
}

// NotCovered implements [Scope]. The words are explained in the documentation of
// the attribute; the facts are in stream-api.md §2 and §11.
func (s UserScope) NotCovered() []string {
	var left []string
	add := func(when bool, what string) {
		if when {
			left = append(left, what)
		}
	}
	add(s.User == Soft, "user_data")
	add(s.Messages == Untouched, "messages")
	add(s.Messages == Soft, "message_content")
	add(s.Conversations == Untouched, "conversations")
	add(s.Conversations == Soft, "conversation_content")
	add(s.Calls == Untouched, "calls")
	add(s.Calls == Soft, "call_content")
	add(!s.Files, "uploads")
	add(!s.Polls, "polls")
	return append(left,
		"campaigns", "exports_kept_60_days", "group_channels", "mentions_and_quotes",
		"message_history", "moderation_logs", "poll_votes", "webhook_copies")
}

// Outcome implements [Scope].
func (s UserScope) Outcome() Outcome {
	switch {
	case s.User == Hard && s.Messages == Hard && s.Conversations == Hard:
		return OutcomeErased
	case s.User == Soft:
		return OutcomeMarkedDeleted
	default:
		return OutcomePruned
	}
}

// Compare implements [Scope].
func (s UserScope) Compare(recorded UserScope) Comparison {
	var c Comparison
	step := func(field string, now, then int) {
		switch {
		case now > then:
			c.Raised = append(c.Raised, field)
		case now < then:
			c.Lowered = append(c.Lowered, field)
		}
	}
	step("delete.user", s.User.rank(), recorded.User.rank())
	step("delete.messages", s.Messages.rank(), recorded.Messages.rank())
	step("delete.conversations", s.Conversations.rank(), recorded.Conversations.rank())
	step("delete.calls", s.Calls.rank(), recorded.Calls.rank())
	step("delete.files", flagRank(s.Files), flagRank(recorded.Files))
	step("delete.polls", flagRank(s.Polls), flagRank(recorded.Polls))
	alter := func(field string, differs bool) {
		if differs {
			c.Altered = append(c.Altered, field)
		}
	}
	alter("new_channel_owner_id", s.NewChannelOwnerID != recorded.NewChannelOwnerID)
	alter("new_call_owner_id", s.NewCallOwnerID != recorded.NewCallOwnerID)
	alter("revoke_tokens", s.RevokeTokens != recorded.RevokeTokens)
	return c
}

// NewOwners implements [Scope].
func (s UserScope) NewOwners() (owners []NewOwner) {
	for _, o := range []NewOwner{{"new_channel_owner_id", s.NewChannelOwnerID}, {"new_call_owner_id", s.NewCallOwnerID}} {
		if o.ID != "" {
			owners = append(owners, o)
		}
	}
	return owners
}

func flagRank(b bool) int {
	if b {
		return 1
	}
	return 0
}
