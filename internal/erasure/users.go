// Copyright (c) the terraform-provider-streamchat authors
// SPDX-License-Identifier: MPL-2.0

package erasure

import (
	"context"
	"encoding/json"
	"errors"
	"maps"
	"slices"
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
	SmallChannelsOf(ctx context.Context, userIDs []string, most int) ([]stream.Membership, error)
	AllMembers(ctx context.Context, m stream.Membership) (stream.Membership, error)
	peopleLister
}

// Users is the [Deed] of deleting users.
type Users struct {
	API   UserAPI
	Clock clock.Clock
	// Restrictions is what an erasure in two stages needs.
	Restrictions RestrictAPI
}

// RestrictAPI deactivates and reactivates users, one by one or up to [MaxSubjects] by a
// task.
type RestrictAPI interface {
	DeactivateUser(ctx context.Context, id string, d stream.Deactivation) (stream.User, error)
	DeactivateUsers(ctx context.Context, ids []string) (task string, err error)
	ReactivateUser(ctx context.Context, id string, r stream.Reactivation) (stream.User, error)
	ReactivateUsers(ctx context.Context, ids []string) (task string, err error)
}

var (
	_ Deed[UserScope]       = Users{}
	_ reacher[UserScope]    = Users{}
	_ taker[UserScope]      = Users{}
	_ restricter[UserScope] = Users{}
)

// Traits implements [Deed]. The probe tells deleted from missing.
func (Users) Traits() Traits {
	return Traits{
		Kind: kindUser, Max: MaxSubjects, Call: stream.OpDeleteUsers, Hides: true,
		Absence: "Stream says that nothing with this id ever existed, neither active nor deactivated nor deleted.",
	}
}

// Gone implements [Deed]. Somebody who is still served as deleted has their data at
// Stream, which is no hard deletion.
func (Users) Gone(f Finding, a Attempt[UserScope]) bool {
	return f.Found == FoundUnproven || f.Found == FoundDeleted && (a.Scope == nil || (*a.Scope).User != Hard)
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
	f := Finding{Found: FoundPresent, Role: user.Role, CreatedAt: user.CreatedAt, LastActive: user.LastActive, Custom: customFields(user), User: &user}
	switch {
	case user.DeletedAt != nil:
		f.Found = FoundDeleted
	case user.DeactivatedAt != nil:
		f.Found = FoundDeactivated
	}
	return f
}

// customFields are a user's own fields with their values in every place where Stream
// may keep one, flat and nested (stream-api.md §0): what a guard looks for may stand in
// either.
func customFields(user stream.User) map[string][]json.RawMessage {
	fields := map[string][]json.RawMessage{}
	var nested map[string]json.RawMessage
	if json.Unmarshal(user.Fields["custom"], &nested) == nil {
		for name, value := range nested {
			fields[name] = append(fields[name], value)
		}
	}
	for name, value := range user.Fields {
		if !stream.OwnField(name) {
			fields[name] = append(fields[name], value)
		}
	}
	return fields
}

// probeSkew is how far back Stream's clock may be behind the provider's for somebody to
// have been there before a probe.
const probeSkew = time.Minute

// Probe implements [Deed]. Someone who is there after all was hidden from the
// look-up by a replica's lag; they are looked up again, because the guards need
// more than a yes. A yes alone is none: a write that makes whom it does not find says yes
// to everybody, and so may one to somebody deleted.
func (u Users) Probe(ctx context.Context, id string) (Finding, error) {
	began := u.Clock.Now()
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
	f, listed := found[id]
	switch made := listed && (f.CreatedAt == nil || !f.CreatedAt.Before(began.Add(-probeSkew))); {
	case presence == stream.PresenceDeactivated && listed:
		return f, nil
	case presence == stream.PresenceDeactivated:
		return Finding{Found: FoundDeactivated, Bare: true}, nil
	case made:
		return Finding{}, cannotTell("The query did not list this user before the question, and lists one now who was created at that time: either they are new, or the question itself made them. Look at this user before you go on.")
	case !listed:
		return Finding{}, cannotTell("It accepts a change of this user, whom its query does not list.")
	}
	return f, nil
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

// deletePolls deletes the polls that the subjects created. Where the app has no active
// user left, the polls stay unchecked, and the record says so.
func (u Users) deletePolls(ctx context.Context, subjects []Subject, done map[string]Prepared) {
	creators := make([]string, len(subjects))
	present := map[string]bool{}
	somebody := ""
	for i, s := range subjects {
		creators[i] = s.ID
		if s.Finding.Found == FoundPresent {
			present[s.ID], somebody = true, s.ID
		}
	}
	fail := func(id string, err error) {
		p := done[id]
		p.Err = errors.Join(p.Err, at(StagePolls, err))
		done[id] = p
	}
	var polls []stream.Poll
	somebody, err := u.onBehalf(ctx, somebody, stream.IsNotFound, func(asUser string) (err error) {
		polls, err = u.API.PollsCreatedBy(ctx, creators, asUser)
		return err
	})
	for _, s := range subjects {
		p := done[s.ID]
		p.PollsUnchecked = err == nil && somebody == ""
		done[s.ID] = p
		if err != nil {
			fail(s.ID, err)
		}
	}
	for _, poll := range polls {
		asUser := somebody
		if present[poll.CreatedByID] {
			asUser = poll.CreatedByID
		}
		left, err := u.onBehalf(ctx, asUser, stream.NamesUser, func(asUser string) error { return u.API.DeletePoll(ctx, poll.ID, asUser) })
		switch {
		case err != nil && !stream.IsNotFound(err):
			fail(poll.CreatedByID, err)
		case err == nil && left == "":
			p := done[poll.CreatedByID]
			p.PollsUnchecked = true
			done[poll.CreatedByID] = p
		}
	}
}

// onBehalf does what Stream only does for an active user: for the first, else for any other
// of the app, and says for whom; "" is nobody. What else this run does may restrict or erase
// them in between, which gone reads off the error.
func (u Users) onBehalf(ctx context.Context, first string, gone func(error) bool, do func(asUser string) error) (asUser string, err error) {
	const tries = 5
	asUser = first
	for range tries {
		if asUser == "" {
			if asUser, err = u.API.AnyActiveUser(ctx); err != nil || asUser == "" {
				return "", err
			}
		}
		if err = do(asUser); err == nil || !gone(err) {
			return asUser, err
		}
		asUser = ""
	}
	return "", err
}

// Submit implements [Deed].
func (u Users) Submit(ctx context.Context, subjects []Subject, scope UserScope) (Accepted, error) {
	task, err := u.API.DeleteUsers(ctx, IDs(subjects), stream.UserDeletion{
		User: string(scope.User), Messages: string(scope.Messages), Conversations: string(scope.Conversations),
		Calls: string(scope.Calls), Files: scope.Files,
		NewChannelOwnerID: scope.NewChannelOwnerID, NewCallOwnerID: scope.NewCallOwnerID,
	})
	return Accepted{Task: task}, err
}

// Restrict implements restricter. Stream does not update a user who is deactivated, so
// that tokens are revoked first.
func (u Users) Restrict(ctx context.Context, subjects []Subject, scope UserScope, direct bool) (task string, refused map[string]Prepared, err error) {
	refused = map[string]Prepared{}
	if scope.RevokeTokens {
		u.revokeTokens(ctx, subjects, refused)
		if changed := changedIn(refused); len(changed) > 0 {
			return "", nil, changed
		}
		subjects = slices.DeleteFunc(slices.Clone(subjects), func(s Subject) bool { return refused[s.ID].Err != nil })
	}
	switch ids := IDs(subjects); {
	case len(ids) == 0:
	case direct:
		_, err = u.Restrictions.DeactivateUser(ctx, ids[0], stream.Deactivation{})
	default:
		task, err = u.Restrictions.DeactivateUsers(ctx, ids)
	}
	return task, refused, err
}

// Release implements restricter.
func (u Users) Release(ctx context.Context, ids []string, direct bool) (task string, err error) {
	if direct {
		_, err = u.Restrictions.ReactivateUser(ctx, ids[0], stream.Reactivation{})
		return "", err
	}
	return u.Restrictions.ReactivateUsers(ctx, ids)
}

// Takes implements taker.
func (Users) Takes(scope UserScope) bool { return scope.Conversations != Untouched }

// Reach implements reacher: two-member channels go where conversations do, and a channel
// becomes one when the others leave it.
func (u Users) Reach(ctx context.Context, ids []string, scope UserScope, run Run) (map[string]Reach, error) {
	takes := u.Takes(scope) || run.Whole
	if !takes && !run.Taking {
		return nil, nil
	}
	channels, err := u.API.SmallChannelsOf(ctx, ids, 2+run.Users)
	if err != nil {
		return nil, err
	}
	found := map[string]Reach{}
	for _, channel := range channels {
		if !channel.All && run.leaves(channel) <= 2 {
			if channel, err = u.API.AllMembers(ctx, channel); err != nil {
				return nil, err
			}
		}
		in := slices.DeleteFunc(slices.Clone(ids), func(id string) bool { return !slices.Contains(channel.Members, id) })
		if len(in) == 0 {
			in = ids // one of them is a member whom Stream does not list
		}
		for _, id := range in {
			found[id] = found[id].with(run.reach(channel, id, takes))
		}
	}
	if run.Guarded {
		return found, u.addAuthors(ctx, found)
	}
	return found, nil
}

// addAuthors adds those who wrote in conversations that go and are no members of them any
// more, as far as Stream shows them.
func (u Users) addAuthors(ctx context.Context, found map[string]Reach) error {
	of := map[string][]string{}
	for id, reach := range found {
		for _, cid := range slices.Concat(reach.Conversations, reach.Ending) {
			of[cid] = append(of[cid], id)
		}
	}
	for cids := range slices.Chunk(slices.Sorted(maps.Keys(of)), MaxSubjects) {
		channels, err := u.API.PeopleOfChannels(ctx, cids)
		if err != nil {
			return err
		}
		for cid, channel := range channels {
			for _, id := range of[cid] {
				authors := written(stream.Membership{All: true, Wrote: channel.Wrote}, time.Time{})
				authors.Others = slices.DeleteFunc(authors.Others, func(author string) bool { return author == id })
				found[id] = found[id].with(authors)
			}
		}
	}
	return nil
}

// leaves is how many members, at the least, a run leaves in a channel.
func (r Run) leaves(channel stream.Membership) int {
	stay := len(slices.DeleteFunc(slices.Clone(channel.Members), r.Erases))
	if channel.Count >= 0 {
		stay = min(stay, stay+channel.Count-len(channel.Members))
	}
	return stay
}

// reach is what of a channel goes with one of its members. Stream says nothing of the order
// in which the parts of a call go, so that any order counts: a channel of which the run
// leaves one member or none is taken with the last but one to go. One of which it leaves two
// is at no time the conversation of anybody whom it erases.
func (r Run) reach(channel stream.Membership, id string, takes bool) (reach Reach) {
	if channel.All && len(channel.Members) < 2 {
		return reach
	}
	others := slices.DeleteFunc(slices.Clone(channel.Members), func(m string) bool { return m == id })
	conversation, stay := len(channel.Members) == 2 || channel.Count == 2, r.leaves(channel)
	ends := stay <= 1 && (takes || slices.ContainsFunc(channel.Members, r.Takes))
	switch {
	case conversation && takes:
		reach.Conversations, reach.Others = []string{channel.CID}, others
	case !conversation && ends:
		reach.Ending, reach.Others = []string{channel.CID}, others
	}
	if takes && !conversation && stay <= 2 {
		reach.Shrinking = []string{channel.CID}
	}
	reach.Incomplete = !channel.All && (conversation && takes || ends)
	return reach
}

// Restore implements [Deed].
func (u Users) Restore(ctx context.Context, ids []string) error {
	return u.API.RestoreUsers(ctx, ids)
}
