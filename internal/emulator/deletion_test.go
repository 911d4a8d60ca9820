// Copyright (c) the terraform-provider-streamchat authors
// SPDX-License-Identifier: MPL-2.0

package emulator_test

import (
	"slices"
	"strings"
	"testing"

	stream "github.com/GetStream/stream-chat-go/v6"
	"github.com/google/go-cmp/cmp"

	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/emulator"
)

// erase deletes users and waits for the task.
func (w *world) erase(body string) map[string]any {
	w.t.Helper()
	a := w.call("POST", "/users/delete", body)
	a.want(w.t, 201, `"task_id":"`)
	w.wait()
	task := w.call("GET", "/tasks/"+a.json(w.t)["task_id"].(string), "")
	task.want(w.t, 200, `"status":"completed"`)
	result, _ := task.json(w.t)["result"].(map[string]any)
	return result
}

var ok = map[string]any{"status": "ok"}

func TestHardErasureThroughSDK(t *testing.T) {
	w := start(t, emulator.Options{})
	msgs := populate(t, w)
	w.call("POST", "/polls", `{"id":"p1","name":"Lunch?","user_id":"alice","options":[{"text":"Pizza"}]}`).want(t, 201)
	token := w.userToken("alice")
	w.callAs(token, "POST", "/channels", `{}`).want(t, 201, `"cid":"messaging:chat"`)

	resp := must(w.sdk.DeleteUsers(bg(), []string{"alice", "ghost"}, stream.DeleteUserOptions{
		User: stream.HardDelete, Messages: stream.HardDelete, Conversations: stream.HardDelete, NewChannelOwnerID: "bob",
	}))(t)
	if resp.RateLimitInfo.Limit != 6 || resp.RateLimitInfo.Remaining != 5 {
		t.Errorf("the rate limit is %+v", resp.RateLimitInfo)
	}

	// Marked deleted at once; the data is still there.
	if got := must(w.sdk.QueryUsers(bg(), &stream.QueryOption{Filter: map[string]any{"id": "alice"}}))(t).Users; len(got) != 0 {
		t.Error("a deleted user is found")
	}
	_, err := w.sdk.UpsertUser(bg(), &stream.User{ID: "alice"})
	wantError(t, err, 404, 16, `UpdateUsers failed with error: "the user alice was deleted"`)
	s, _ := w.User("alice")
	if !s.Deleted || s.HardDeleted || s.Messages != 2 || len(s.Channels) != 2 {
		t.Errorf("before the task completed alice is %+v", s)
	}

	w.wait()
	task := must(w.sdk.GetTask(bg(), resp.TaskID))(t)
	if diff := cmp.Diff(map[string]any{"alice": ok, "ghost": ok}, task.Result); diff != "" {
		t.Error(diff)
	}
	s, _ = w.User("alice")
	want := emulator.UserState{
		ID: "alice", Role: "user", Deleted: true, HardDeleted: true, Custom: s.Custom,
		CreatedAt: s.CreatedAt, DeletedAt: s.DeletedAt,
	}
	if diff := cmp.Diff(want, s); diff != "" || len(s.Custom) != 0 {
		t.Errorf("%s %v", diff, s.Custom)
	}
	if _, ok := w.Channel("messaging:chat"); ok {
		t.Error("the conversation is still there")
	}
	group, _ := w.Channel("team:group")
	if group.CreatedByID != "bob" || !slices.Equal(group.Members, []string{"bob", "carol"}) {
		t.Errorf("the group is %+v", group)
	}
	for _, m := range []string{"alice-chat", "bob-chat", "alice-group", "bob-reply"} {
		if _, ok := w.Message(msgs[m]); ok {
			t.Errorf("%s is still there", m)
		}
	}
	carols, _ := w.Message(msgs["carol-group"])
	if diff := cmp.Diff([]emulator.ReactionState{{MessageID: msgs["carol-group"], UserID: "bob", Type: "like", Score: 1}}, carols.Reactions); diff != "" {
		t.Error(diff)
	}
	ch := must(w.sdk.QueryChannels(bg(), &stream.QueryOption{Filter: map[string]any{"members": map[string]any{"$in": []string{"alice"}}}}))(t)
	if len(ch.Channels) != 0 {
		t.Error("alice is still a member")
	}

	// What Stream leaves: the poll.
	p, _ := w.Poll("p1")
	if p.CreatedByID != "alice" {
		t.Errorf("the poll is %+v", p)
	}
	w.call("POST", "/polls/query?user_id=bob", `{"filter":{"created_by_id":{"$in":["alice"]}}}`).want(t, 201, `"id":"p1"`, `"created_by":null`)

	// Nobody acts as alice any more, and nobody refers to her.
	for _, r := range [][3]string{
		{"POST", "/channels", `{}`}, {"GET", "/users?payload=%7B%7D", ""}, {"GET", "/app", ""},
		{"POST", "/channels/team/group/message", `{"message":{"text":"x"}}`},
	} {
		a := w.callAs(token, r[0], r[1], r[2])
		if a.status != 404 || !strings.Contains(string(a.body), "the user alice was deleted") {
			t.Errorf("%s with alice's token: %d %s", r[1], a.status, a.body)
		}
	}
	_, err = w.sdk.Channel("team", "group").SendMessage(bg(), &stream.Message{Text: "x"}, "alice")
	wantError(t, err, 404, 16, "the user alice was deleted")
	_, err = w.sdk.ReactivateUser(bg(), "alice")
	wantError(t, err, 404, 16, "the user alice was deleted")
	w.call("POST", "/users/restore", `{"user_ids":["alice"]}`).
		wantError(t, 400, 4, `RestoreUsers failed with error: "user "alice" is not deleted, it can't be restored"`)
	w.call("GET", "/users/alice/export", "").wantError(t, 404, 16, `ExportUser failed with error: "the user alice was deleted"`)

	// Once more is fine.
	if diff := cmp.Diff(map[string]any{"alice": ok}, w.erase(`{"user_ids":["alice"],"user":"hard"}`)); diff != "" {
		t.Error(diff)
	}
}

func TestDeletionModes(t *testing.T) {
	tests := map[string]struct {
		body  string
		check func(t *testing.T, w *world, msgs map[string]string)
	}{
		"nothing given is soft": {`{"user_ids":["alice"],"user":"","messages":null}`, func(t *testing.T, w *world, msgs map[string]string) {
			s, _ := w.User("alice")
			if !s.Deleted || s.HardDeleted || s.Pruned || s.Name != "Alice" || len(s.Channels) != 0 || s.Messages != 2 {
				t.Errorf("alice is %+v", s)
			}
			m, _ := w.Message(msgs["alice-group"])
			if m.Deleted || m.Text != "hello all" {
				t.Errorf("the message is %+v", m)
			}
			w.call("GET", "/messages/"+msgs["alice-group"], "").want(t, 200, `"deleted_at":"2026-03-01T12:00:05Z","banned"`)
			chat, _ := w.Channel("messaging:chat")
			if chat.Deleted || !slices.Equal(chat.Members, []string{"bob"}) || chat.CreatedByID != "alice" {
				t.Errorf("the conversation is %+v", chat)
			}
		}},
		"pruning": {`{"user_ids":["alice"],"user":"pruning","messages":"pruning"}`, func(t *testing.T, w *world, msgs map[string]string) {
			s, _ := w.User("alice")
			if !s.Deleted || !s.Pruned || s.HardDeleted || len(s.Custom) != 0 {
				t.Errorf("alice is %+v", s)
			}
			m, _ := w.Message(msgs["alice-group"])
			if !m.Deleted || !m.Pruned || m.Text != "" || len(m.Reactions) != 0 {
				t.Errorf("the message is %+v", m)
			}
			w.call("GET", "/messages/"+msgs["alice-group"]+"?show_deleted_message=true", "").want(t, 200, `"text":""`, `"type":"deleted"`)
			if m, _ = w.Message(msgs["carol-group"]); len(m.Reactions) != 1 {
				t.Errorf("the reactions are %+v", m.Reactions)
			}
			if m, _ = w.Message(msgs["bob-reply"]); m.Text != "hello alice" {
				t.Errorf("the reply is %+v", m)
			}
		}},
		"soft messages": {`{"user_ids":["alice"],"user":"soft","messages":"soft"}`, func(t *testing.T, w *world, msgs map[string]string) {
			m, _ := w.Message(msgs["alice-group"])
			if !m.Deleted || m.Type != "deleted" || m.Text != "hello all" || len(m.Reactions) != 1 {
				t.Errorf("the message is %+v", m)
			}
		}},
		"soft and hard messages": {`{"user_ids":["alice"],"user":"soft","messages":"hard"}`, func(t *testing.T, w *world, msgs map[string]string) {
			if _, ok := w.Message(msgs["alice-group"]); ok {
				t.Error("the message is still there")
			}
			if s, _ := w.User("alice"); s.Name != "Alice" || s.Reactions != 0 {
				t.Errorf("alice is %+v", s)
			}
		}},
		"soft conversations": {`{"user_ids":["alice"],"user":"soft","conversations":"soft"}`, func(t *testing.T, w *world, msgs map[string]string) {
			chat, _ := w.Channel("messaging:chat")
			group, _ := w.Channel("team:group")
			if !chat.Deleted || group.Deleted || chat.Messages != 2 {
				t.Errorf("the channels are %+v %+v", chat, group)
			}
		}},
		"hard without owner": {`{"user_ids":["alice"],"user":"hard"}`, func(t *testing.T, w *world, msgs map[string]string) {
			group, _ := w.Channel("team:group")
			if !strings.HasPrefix(group.CreatedByID, "delete-user-") {
				t.Errorf("the owner is %s", group.CreatedByID)
			}
			w.call("POST", "/channels", `{"filter_conditions":{"cid":"team:group"}}`).want(t, 201, `"created_by":{"id":"delete-user-`)
			w.call("GET", "/messages/"+msgs["alice-group"], "").want(t, 200, `"user":null`, `"text":"hello all"`)
		}},
		"both members of a conversation": {`{"user_ids":["alice","bob"],"user":"hard","messages":"hard","conversations":"hard"}`, func(t *testing.T, w *world, msgs map[string]string) {
			if _, ok := w.Channel("messaging:chat"); ok {
				t.Error("the conversation is still there")
			}
			group, _ := w.Channel("team:group")
			if !slices.Equal(group.Members, []string{"carol"}) || group.Messages != 1 {
				t.Errorf("the group is %+v", group)
			}
		}},
		"files and calls": {`{"user_ids":["alice"],"user":"hard","messages":"hard","conversations":"hard","files":true,"calls":"hard"}`, func(t *testing.T, w *world, msgs map[string]string) {
			if s, _ := w.User("alice"); !s.FilesDeleted || s.CallsDeleted != "hard" {
				t.Errorf("alice is %+v", s)
			}
		}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			w := start(t, emulator.Options{})
			msgs := populate(t, w)
			w.erase(test.body)
			test.check(t, w, msgs)
			found := must(w.sdk.QueryUsers(bg(), &stream.QueryOption{Filter: map[string]any{}, Limit: 100}))(t)
			if slices.Contains(ids(found.Users), "alice") {
				t.Error("alice is found")
			}
		})
	}
}

// A soft deletion ends the memberships; the hard one after it still knows the
// conversations.
func TestEscalation(t *testing.T) {
	w := start(t, emulator.Options{})
	msgs := populate(t, w)
	w.erase(`{"user_ids":["alice"],"user":"soft"}`)
	if s, _ := w.User("alice"); len(s.Channels) != 0 {
		t.Fatalf("alice is %+v", s)
	}
	w.erase(`{"user_ids":["alice"],"user":"hard","messages":"hard","conversations":"hard"}`)
	if _, ok := w.Channel("messaging:chat"); ok {
		t.Error("the conversation is still there")
	}
	if _, ok := w.Message(msgs["alice-group"]); ok {
		t.Error("the message is still there")
	}
	if s, _ := w.User("alice"); !s.HardDeleted || len(s.Owned) != 0 {
		t.Errorf("alice is %+v", s)
	}
}

func TestDeleteUsersRefusals(t *testing.T) {
	w := start(t, emulator.Options{DeleteUsersLimit: 100})
	populate(t, w)
	many := `"x"` + strings.Repeat(`,"x"`, 100)
	for _, body := range []string{
		`{"user_ids":[]}`, `{"user_ids":[` + many + `]}`, `{"user_ids":["alice"],"user":"firm"}`,
		`{"user_ids":["alice"],"conversations":"pruning"}`, `{"user_ids":"alice"}`, `{`,
	} {
		a := w.call("POST", "/users/delete", body)
		if e := a.json(t); a.status != 400 || e["code"] != 4.0 {
			t.Errorf("%.40s: %d %s", body, a.status, a.body)
		}
	}
	w.call("POST", "/users/delete", `{"user_ids":["alice"],"user":"hard","new_channel_owner_id":"nobody"}`).
		wantError(t, 404, 16, `DeleteUsers failed with error: "the user nobody does not exist"`)
	if s, _ := w.User("alice"); s.Deleted {
		t.Error("a refused call deleted alice")
	}
	// By default Stream's rule is not enforced.
	w.erase(`{"user_ids":["bob"],"user":"hard","messages":"soft"}`)

	strict := start(t, emulator.Options{Strict: true, OmitUnknownUsers: true})
	populate(t, strict)
	a := strict.call("POST", "/users/delete", `{"user_ids":["bob"],"user":"hard","messages":"hard"}`)
	if a.status != 400 {
		t.Errorf("strict: %d %s", a.status, a.body)
	}
	if diff := cmp.Diff(map[string]any{"bob": ok}, strict.erase(`{"user_ids":["ghost","bob"]}`)); diff != "" {
		t.Error(diff)
	}
}

func TestLegacyDeleteUserThroughSDK(t *testing.T) {
	w := start(t, emulator.Options{})
	msgs := populate(t, w)
	if _, err := w.sdk.DeleteUser(bg(), "alice", stream.DeleteUserWithHardDelete(), stream.DeleteUserWithMarkMessagesDeleted()); err != nil {
		t.Fatal(err)
	}
	_, err := w.sdk.DeleteUser(bg(), "alice")
	wantError(t, err, 404, 16, "the user alice was deleted")
	_, err = w.sdk.DeleteUser(bg(), "nobody")
	wantError(t, err, 404, 16, "the user nobody does not exist")
	w.wait()
	m, _ := w.Message(msgs["alice-group"])
	if !m.Deleted || m.Text != "" {
		t.Errorf("the message is %+v", m)
	}
	if m, _ = w.Message(msgs["carol-group"]); len(m.Reactions) != 1 {
		t.Errorf("the reactions are %+v", m.Reactions)
	}
	if chat, _ := w.Channel("messaging:chat"); chat.Deleted {
		t.Error("the conversation is deleted")
	}

	a := w.call("DELETE", "/users/bob?mark_messages_deleted=true&hard_delete=&delete_conversation_channels=", "")
	a.want(t, 200, `"user":{"id":"bob"`, `"deleted_at"`, `"task_id":"`)
	w.wait()
	if m, _ = w.Message(msgs["bob-chat"]); !m.Deleted || m.Text != "hi alice" {
		t.Errorf("the message is %+v", m)
	}
}

func TestDistinctChannel(t *testing.T) {
	w := start(t, emulator.Options{})
	populate(t, w)
	ch := must(w.sdk.CreateChannelWithMembers(bg(), "messaging", "", "alice", "bob", "alice"))(t).Channel
	again := must(w.sdk.CreateChannelWithMembers(bg(), "messaging", "", "bob", "alice", "bob"))(t).Channel
	if ch.CID != again.CID || !strings.HasPrefix(ch.ID, "!members-") {
		t.Errorf("got %s and %s", ch.CID, again.CID)
	}
	w.erase(`{"user_ids":["bob"],"user":"hard","messages":"hard","conversations":"hard"}`)
	if _, ok := w.Channel(ch.CID); ok {
		t.Error("the channel is still there")
	}
	_, err := w.sdk.CreateChannel(bg(), "messaging", ch.ID, "alice", nil)
	wantError(t, err, 400, 4, "Cannot create a channel with a '!' in the ID, this is a reserved character.")
}
