// Copyright (c) the terraform-provider-streamchat authors
// SPDX-License-Identifier: MPL-2.0

package erasure

import (
	"context"
	"errors"
	"time"

	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/clock"
	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/stream"
)

// UserAPI is what the deletion of users needs of Stream's API.
type UserAPI interface {
	UsersByID(ctx context.Context, ids []string) (map[string]stream.User, error)
	ProbeUser(ctx context.Context, id string) (stream.Presence, error)
	DeleteUsers(ctx context.Context, ids []string, d stream.UserDeletion) (string, error)
	RestoreUsers(ctx context.Context, ids []string) error
	RevokeTokens(ctx context.Context, ids []string, before time.Time) error
	PollsCreatedBy(ctx context.Context, creators []string, asUser string) ([]stream.Poll, error)
	DeletePoll(ctx context.Context, pollID, userID string) error
	AnyActiveUser(ctx context.Context) (string, error)
	AwaitTurn(ctx context.Context, op stream.Operation) error
}

// Users is the [Deed] of deleting users.
type Users struct {
	API   UserAPI
	Clock clock.Clock
}

var _ Deed[UserScope] = Users{}

// Kind implements [Deed].
func (Users) Kind() string { return "user" }

// Max implements [Deed].
func (Users) Max() int { return MaxSubjects }

// Forgets implements [Deed]: the probe tells deleted from missing.
func (Users) Forgets() bool { return false }

// Absence implements [Deed].
func (Users) Absence() string {
	return "Stream says that nothing with this id ever existed, neither active nor deactivated nor deleted."
}

// Gone implements [Deed].
func (Users) Gone(f Finding, _ UserScope) bool {
	return f.Found == FoundUnproven || f.Found == FoundDeleted
}

// LookUp implements [Deed].
func (u Users) LookUp(ctx context.Context, ids []string) (map[string]Finding, error) {
	users, err := u.API.UsersByID(ctx, ids)
	if err != nil {
		return nil, err
	}
	found := make(map[string]Finding, len(users))
	for id, user := range users {
		found[id] = finding(user)
	}
	return found, nil
}

func finding(user stream.User) Finding {
	f := Finding{Found: FoundPresent, Role: user.Role, CreatedAt: user.CreatedAt, LastActive: user.LastActive, Custom: user.Custom(), User: &user}
	switch {
	case user.DeletedAt != nil:
		f.Found = FoundDeleted
	case user.DeactivatedAt != nil:
		f.Found = FoundDeactivated
	}
	return f
}

// Probe implements [Deed]. Someone who is there after all was hidden from the
// look-up by a replica's lag; they are looked up again, because the guards need
// more than a yes.
func (u Users) Probe(ctx context.Context, id string) (Finding, error) {
	presence, err := u.API.ProbeUser(ctx, id)
	if err != nil {
		return Finding{}, err
	}
	switch presence {
	case stream.PresenceDeleted:
		return Finding{Found: FoundDeleted}, nil
	case stream.PresenceMissing:
		return Finding{Found: FoundMissing}, nil
	case stream.PresencePresent, stream.PresenceDeactivated:
	}
	found, err := u.LookUp(ctx, []string{id})
	if err != nil {
		return Finding{}, err
	}
	if f, ok := found[id]; ok {
		return f, nil
	}
	bare := Finding{Found: FoundPresent, Bare: true}
	if presence == stream.PresenceDeactivated {
		bare.Found = FoundDeactivated
	}
	return bare, nil
}

// Prepare implements [Deed]: tokens and polls need users that still exist.
func (u Users) Prepare(ctx context.Context, subjects []Subject, scope UserScope) map[string]Prepared {
	done := make(map[string]Prepared, len(subjects))
	if scope.RevokeTokens {
		u.revokeTokens(ctx, subjects, done)
	}
	if scope.Polls {
		u.deletePolls(ctx, subjects, done)
	}
	return done
}

// revokeTokens revokes in one call, and one by one when that call fails, because
// one user that Stream refuses fails the whole update (stream-api.md §9).
// Deactivated and deleted users cannot be updated, and cannot connect either.
func (u Users) revokeTokens(ctx context.Context, subjects []Subject, done map[string]Prepared) {
	var ids []string
	for _, s := range subjects {
		if s.Finding.Found == FoundPresent {
			ids = append(ids, s.ID)
		}
	}
	now := u.Clock.Now()
	if len(ids) == 0 || u.API.RevokeTokens(ctx, ids, now) == nil {
		return
	}
	for _, id := range ids {
		if err := u.API.RevokeTokens(ctx, []string{id}, now); err != nil {
			done[id] = Prepared{Err: at(StageTokens, err)}
		}
	}
}

// deletePolls deletes the polls that the subjects created. Stream lists polls
// only on behalf of an active user: one of the subjects, else any other of the
// app. Where there is nobody, the polls stay unchecked, and the record says so.
func (u Users) deletePolls(ctx context.Context, subjects []Subject, done map[string]Prepared) {
	creators := make([]string, len(subjects))
	present := map[string]bool{}
	asUser := ""
	for i, s := range subjects {
		creators[i] = s.ID
		if s.Finding.Found == FoundPresent {
			present[s.ID], asUser = true, s.ID
		}
	}
	fail := func(id string, err error) {
		p := done[id]
		p.Err = errors.Join(p.Err, at(StagePolls, err))
		done[id] = p
	}
	var polls []stream.Poll
	var err error
	if asUser != "" {
		polls, err = u.API.PollsCreatedBy(ctx, creators, asUser)
	}
	if asUser == "" || stream.IsNotFound(err) { // deleted since the look-up
		asUser, err = u.API.AnyActiveUser(ctx)
		if err == nil && asUser != "" {
			polls, err = u.API.PollsCreatedBy(ctx, creators, asUser)
		}
	}
	for _, s := range subjects {
		p := done[s.ID]
		p.PollsUnchecked = asUser == ""
		done[s.ID] = p
		if err != nil {
			fail(s.ID, err)
		}
	}
	for _, poll := range polls {
		by := asUser
		if present[poll.CreatedByID] {
			by = poll.CreatedByID
		}
		err := u.API.DeletePoll(ctx, poll.ID, by)
		if stream.IsNotFound(err) && by != asUser { // the poll, or its creator since the look-up
			err = u.API.DeletePoll(ctx, poll.ID, asUser)
		}
		if err != nil && !stream.IsNotFound(err) {
			fail(poll.CreatedByID, err)
		}
	}
}

// Turn implements [Deed].
func (u Users) Turn(ctx context.Context) error {
	return u.API.AwaitTurn(ctx, stream.OpDeleteUsers)
}

// Submit implements [Deed].
func (u Users) Submit(ctx context.Context, ids []string, scope UserScope) (string, error) {
	return u.API.DeleteUsers(ctx, ids, stream.UserDeletion{
		User: string(scope.User), Messages: string(scope.Messages), Conversations: string(scope.Conversations),
		Calls: string(scope.Calls), Files: scope.Files,
		NewChannelOwnerID: scope.NewChannelOwnerID, NewCallOwnerID: scope.NewCallOwnerID,
	})
}

// Restore implements [Deed].
func (u Users) Restore(ctx context.Context, ids []string) error {
	return u.API.RestoreUsers(ctx, ids)
}
