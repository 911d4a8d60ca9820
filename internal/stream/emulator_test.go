// Copyright (c) the terraform-provider-streamchat authors
// SPDX-License-Identifier: MPL-2.0

package stream_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/clock/clocktest"
	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/emulator"
	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/emulator/emulatortest"
	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/stream"
)

const seed = `{
  "users": [{"id": "alice", "role": "user", "name": "Alice", "legal_hold": true},
            {"id": "bob", "deactivated_at": "2026-02-01T00:00:00Z"}, {"id": "carol"}, {"id": "helper"}],
  "channels": [{"cid": "messaging:general", "created_by_id": "alice", "members": ["alice", "bob", "carol"]}],
  "messages": [{"id": "m1", "cid": "messaging:general", "user_id": "alice", "text": "<b>hi</b>"}],
  "polls": [{"id": "p1", "created_by_id": "alice", "name": "Lunch?", "options": [{"id": "o1", "text": "Pizza"}]}]
}`

func startEmulator(t *testing.T) (*emulator.Emulator, *stream.Client) {
	t.Helper()
	simulated := clocktest.New(time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC))
	e := emulatortest.StartSeeded(t, emulator.Options{Clock: simulated, AppName: "gdpr", TaskDelay: 2 * time.Second}, seed)
	c, err := stream.New(stream.Config{
		APIKey: e.APIKey(), APISecret: e.APISecret(), BaseURL: e.URL, Clock: simulated, MaxRetries: 3, Version: "test",
	})
	if err != nil {
		t.Fatal(err)
	}
	return e, c
}

// TestLifeOfAUser goes through every call against the emulator.
func TestLifeOfAUser(t *testing.T) {
	ctx := context.Background()
	e, c := startEmulator(t)

	if app, err := c.App(ctx); err != nil || app.Name != "gdpr" {
		t.Fatal(app, err)
	}
	users, err := c.UsersByID(ctx, []string{"alice", "bob", "ghost"})
	if err != nil || len(users) != 2 || users["bob"].DeactivatedAt == nil || users["alice"].CreatedAt == nil {
		t.Fatalf("%+v, %v", users, err)
	}
	if custom := users["alice"].Custom(); len(custom) != 1 || string(custom["legal_hold"]) != "true" {
		t.Errorf("custom fields %v", custom)
	}
	probe := func(id string, want stream.Presence) {
		t.Helper()
		if got, err := c.ProbeUser(ctx, id); got != want || err != nil {
			t.Errorf("%s is %q, want %q (%v)", id, got, want, err)
		}
	}
	probe("alice", stream.PresencePresent)
	probe("bob", stream.PresenceDeactivated)
	probe("ghost", stream.PresenceMissing)

	before := time.Date(2026, 2, 3, 4, 5, 6, 789012000, time.UTC)
	if err := c.RevokeTokens(ctx, []string{"alice", "carol"}, before); err != nil {
		t.Error(err)
	}
	if u, _ := e.User("carol"); !u.RevokeTokensIssuedBefore.Equal(before) {
		t.Errorf("revoked before %v", u.RevokeTokensIssuedBefore)
	}
	if export, err := c.ExportUser(ctx, "alice"); err != nil || !strings.Contains(fmt.Sprint(export), `"m1"`) {
		t.Errorf("%v, %v", export, err)
	}
	if _, err := c.ExportUser(ctx, "ghost"); !stream.IsNotFound(err) {
		t.Error(err)
	}

	polls, err := c.PollsCreatedBy(ctx, []string{"alice", "bob"}, "helper")
	if diff := cmp.Diff([]stream.Poll{{ID: "p1", CreatedByID: "alice"}}, polls); err != nil || diff != "" {
		t.Error(diff, err)
	}
	if err := c.DeletePoll(ctx, "p1", "ghost"); err == nil || stream.IsNotFound(err) {
		t.Errorf("in the name of nobody: %v", err)
	}
	if err := c.DeletePoll(ctx, "p1", "helper"); err != nil {
		t.Error(err)
	}
	if err := c.DeletePoll(ctx, "p1", "helper"); !stream.IsNotFound(err) {
		t.Errorf("a poll that is gone: %v", err)
	}

	if _, err := c.Task(ctx, "8d011daa-cbcd-4cba-ad16-701de599873a"); !stream.IsNotFound(err) {
		t.Error(err)
	}
	// Stream has the answer, the client does not: it is repeated.
	e.AddFault(emulator.Fault{Kind: emulator.FaultDropAfter, Op: "DeleteUsers", Times: 1})
	id, err := c.DeleteUsers(ctx, []string{"alice", "bob"}, stream.UserDeletion{
		User: "hard", Messages: "hard", Conversations: "hard", Files: true, NewChannelOwnerID: "carol",
	})
	if err != nil {
		t.Fatal(err)
	}
	probe("alice", stream.PresenceDeleted)
	if task, err := c.Task(ctx, id); err != nil || task.Terminal() {
		t.Errorf("%+v, %v", task, err)
	}
	if err := c.AwaitTurn(ctx, stream.OpDeleteUsers); err != nil {
		t.Error(err)
	}
	e.Clock().(*clocktest.Clock).Advance(time.Minute)
	task, err := c.Task(ctx, id)
	want := map[string]stream.TaskResult{"alice": {Status: stream.ResultOK}, "bob": {Status: stream.ResultOK}}
	if diff := cmp.Diff(want, task.Results); err != nil || diff != "" || !task.Terminal() || task.Status != stream.TaskCompleted ||
		task.Err != nil {
		t.Errorf("%s%+v, %v", diff, task, err)
	}

	if _, err := c.DeleteUsers(ctx, []string{"carol"}, stream.UserDeletion{}); err != nil {
		t.Error(err)
	}
	if err := c.RestoreUsers(ctx, []string{"carol"}); err != nil {
		t.Error(err)
	}
	probe("carol", stream.PresencePresent)
	if err := c.RestoreUsers(ctx, []string{"carol"}); err == nil {
		t.Error("restored a user who is not deleted")
	}
}

// TestManyChannelsOfOneInstant is what an import leaves.
func TestManyChannelsOfOneInstant(t *testing.T) {
	const imported = 1500
	channels := make([]string, imported)
	for i := range channels {
		channels[i] = fmt.Sprintf(`{"cid": "messaging:%d", "created_by_id": "alice", "members": ["alice"]}`, i)
	}
	simulated := clocktest.New(time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC))
	e := emulatortest.StartSeeded(t, emulator.Options{Clock: simulated},
		`{"users": [{"id": "alice"}], "channels": [`+strings.Join(channels, ",")+`]}`)
	c, err := stream.New(stream.Config{APIKey: e.APIKey(), APISecret: e.APISecret(), BaseURL: e.URL, Clock: simulated})
	if err != nil {
		t.Fatal(err)
	}
	cids, err := c.ChannelsOfMember(context.Background(), "alice")
	if slices.Sort(cids); err != nil || len(slices.Compact(cids)) != imported {
		t.Errorf("%d channels, %v", len(cids), err)
	}
}

// TestEmulatedLimitIsKept has the emulator count.
func TestEmulatedLimitIsKept(t *testing.T) {
	e, c := startEmulator(t)
	var group sync.WaitGroup
	for i := range 20 {
		group.Go(func() {
			if _, err := c.DeleteUsers(context.Background(), []string{fmt.Sprint("u", i)}, stream.UserDeletion{}); err != nil {
				t.Error(err)
			}
		})
	}
	group.Wait()
	if most := e.MaxInWindow("DeleteUsers", time.Minute); most > 6 || e.Count("DeleteUsers") != 20 {
		t.Errorf("%d calls, up to %d within a minute", e.Count("DeleteUsers"), most)
	}
}
