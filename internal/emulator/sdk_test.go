// Copyright (c) the terraform-provider-streamchat authors
// SPDX-License-Identifier: MPL-2.0

package emulator_test

import (
	"slices"
	"testing"
	"time"

	stream "github.com/GetStream/stream-chat-go/v6"
	"github.com/google/go-cmp/cmp"

	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/emulator"
)

// populate makes alice, bob and carol, their conversation and their group
// through the SDK.
func populate(t *testing.T, w *world) (msgs map[string]string) {
	t.Helper()
	_, err := w.sdk.UpsertUsers(bg(),
		&stream.User{ID: "alice", Name: "Alice", Role: "admin", ExtraData: map[string]any{"age": 41}},
		&stream.User{ID: "bob", Name: "Bob"},
		&stream.User{ID: "carol"})
	if err != nil {
		t.Fatal(err)
	}
	chat := must(w.sdk.CreateChannelWithMembers(bg(), "messaging", "chat", "alice", "alice", "bob"))(t).Channel
	group := must(w.sdk.CreateChannelWithMembers(bg(), "team", "group", "alice", "alice", "bob", "carol"))(t).Channel
	if chat.CID != "messaging:chat" || chat.MemberCount != 2 || chat.CreatedBy.ID != "alice" {
		t.Fatalf("the channel is %+v", chat)
	}
	msgs = map[string]string{}
	send := func(key string, ch *stream.Channel, user, text, parent string) {
		t.Helper()
		w.clock.Advance(time.Second)
		resp := must(ch.SendMessage(bg(), &stream.Message{Text: text, ParentID: parent}, user))(t)
		msgs[key] = resp.Message.ID
	}
	send("alice-chat", chat, "alice", "hi <b>bob</b> 🎉", "")
	send("bob-chat", chat, "bob", "hi alice", "")
	send("alice-group", group, "alice", "hello all", "")
	send("bob-reply", group, "bob", "hello alice", msgs["alice-group"])
	send("carol-group", group, "carol", "hello", "")
	for _, r := range []struct{ user, msg string }{{"bob", "alice-group"}, {"alice", "carol-group"}, {"bob", "carol-group"}} {
		_, err := w.sdk.SendReaction(bg(), &stream.Reaction{Type: "like"}, msgs[r.msg], r.user)
		if err != nil {
			t.Fatal(err)
		}
	}
	return msgs
}

func ids(users []*stream.User) []string {
	var list []string
	for _, u := range users {
		list = append(list, u.ID)
	}
	return list
}

func TestUsersThroughSDK(t *testing.T) {
	w := start(t, emulator.Options{})
	populate(t, w)

	u := must(w.sdk.QueryUsers(bg(), &stream.QueryOption{Filter: map[string]any{"id": "alice"}, Limit: 1}))(t).Users[0]
	if u.Name != "Alice" || u.Role != "admin" || u.ExtraData["age"] != 41.0 || !u.CreatedAt.Equal(noon) {
		t.Errorf("alice is %+v", u)
	}

	// An upsert replaces the user.
	must(w.sdk.UpsertUser(bg(), &stream.User{ID: "alice", Name: "A."}))(t)
	s, _ := w.User("alice")
	if s.Name != "A." || s.Role != "user" || s.Custom["age"] != nil {
		t.Errorf("after the upsert alice is %+v", s)
	}

	got := must(w.sdk.PartialUpdateUser(bg(), stream.PartialUserUpdate{
		ID: "alice", Set: map[string]any{"address.city": "Berlin", "role": "moderator"}, Unset: []string{"name"},
	}))(t)
	if got.Role != "moderator" || got.Name != "" {
		t.Errorf("after the partial update alice is %+v", got)
	}
	s, _ = w.User("alice")
	if string(s.Custom["address"]) != `{"city":"Berlin"}` {
		t.Errorf("the address is %s", s.Custom["address"])
	}

	_, err := w.sdk.UpsertUser(bg(), &stream.User{ID: "x", ExtraData: map[string]any{"created_at": "2020-01-01T00:00:00Z"}})
	wantError(t, err, 400, 4, "UpdateUsers failed with error")
	_, err = w.sdk.UpsertUser(bg(), &stream.User{ID: "x", ExtraData: map[string]any{"blob": string(make([]byte, 6000))}})
	wantError(t, err, 413, 22, "")
	_, err = w.sdk.PartialUpdateUser(bg(), stream.PartialUserUpdate{ID: "alice", Set: map[string]any{"role": "boss"}})
	wantError(t, err, 400, 4, `role "boss" provided but not defined`)
	_, err = w.sdk.PartialUpdateUser(bg(), stream.PartialUserUpdate{ID: "nobody", Set: map[string]any{"a": 1}})
	wantError(t, err, 404, 16, "the user nobody does not exist")
	if _, ok := w.User("x"); ok {
		t.Error("a refused upsert made a user")
	}
}

func TestChannelsAndMessagesThroughSDK(t *testing.T) {
	w := start(t, emulator.Options{})
	msgs := populate(t, w)

	resp := must(w.sdk.QueryChannels(bg(), &stream.QueryOption{
		Filter: map[string]any{"members": map[string]any{"$in": []string{"bob"}}}, Limit: 30,
	}, &stream.SortOption{Field: "cid", Direction: 1}))(t)
	if len(resp.Channels) != 2 || resp.Channels[0].CID != "messaging:chat" || resp.Channels[1].CID != "team:group" {
		t.Fatalf("bob's channels are %+v", resp.Channels)
	}
	group := resp.Channels[1]
	if group.MemberCount != 3 || len(group.Members) != 3 || len(group.Messages) != 2 {
		t.Errorf("the group has %d members (%d) and %d messages", group.MemberCount, len(group.Members), len(group.Messages))
	}
	if group.Messages[0].ReplyCount != 1 || group.Messages[0].ReactionCounts["like"] != 1 {
		t.Errorf("alice's message is %+v", group.Messages[0])
	}

	m := must(w.sdk.GetMessage(bg(), msgs["alice-chat"]))(t).Message
	if m.Text != "hi <b>bob</b> 🎉" || m.User.ID != "alice" || m.CID != "messaging:chat" || m.HTML != "<p>hi &lt;b&gt;bob&lt;/b&gt; 🎉</p>\n" {
		t.Errorf("the message is %+v", m)
	}

	replies := must(group.GetReplies(bg(), msgs["alice-group"], nil))(t)
	if len(replies.Messages) != 1 || replies.Messages[0].Text != "hello alice" {
		t.Errorf("the replies are %+v", replies.Messages)
	}
	many := must(group.GetMessages(bg(), []string{msgs["alice-group"], msgs["alice-group"], "none"}))(t)
	if len(many.Messages) != 1 {
		t.Errorf("got %d messages", len(many.Messages))
	}
	reactions := must(w.sdk.GetReactions(bg(), msgs["carol-group"], nil))(t)
	if len(reactions.Reactions) != 2 || reactions.Reactions[0].UserID != "bob" {
		t.Errorf("the reactions are %+v", reactions.Reactions)
	}
	must(w.sdk.DeleteReaction(bg(), msgs["carol-group"], "like", "bob"))(t)
	if s, _ := w.Message(msgs["carol-group"]); len(s.Reactions) != 1 {
		t.Errorf("the reactions are %+v", s.Reactions)
	}

	members := must(group.QueryMembers(bg(), &stream.QueryOption{Filter: map[string]any{"id": "carol"}, Limit: 10}))(t)
	if len(members.Members) != 1 || members.Members[0].UserID != "carol" {
		t.Errorf("the members are %+v", members.Members)
	}

	found := must(w.sdk.Search(bg(), stream.SearchRequest{
		Filters:        map[string]any{"members": map[string]any{"$in": []string{"bob"}}},
		MessageFilters: map[string]any{"user.id": map[string]any{"$eq": "alice"}},
	}))(t)
	if len(found.Messages) != 2 || found.Messages[0].ID != msgs["alice-group"] {
		t.Errorf("found %+v", found.Messages)
	}
	found = must(w.sdk.Search(bg(), stream.SearchRequest{Query: "HELLO", Filters: map[string]any{"type": "team"}, Limit: 2}))(t)
	if len(found.Messages) != 2 {
		t.Errorf("found %+v", found.Messages)
	}

	if _, err := w.sdk.DeleteMessage(bg(), msgs["bob-chat"]); err != nil {
		t.Fatal(err)
	}
	if m = must(w.sdk.GetMessage(bg(), msgs["bob-chat"]))(t).Message; m.Type != "deleted" || m.DeletedAt == nil {
		t.Errorf("the deleted message is %+v", m)
	}
	w.call("GET", "/messages/"+msgs["bob-chat"]+"?show_deleted_message=true", "").want(t, 200, `"type":"regular"`, `"text":"hi alice"`)
	w.call("POST", "/messages/"+msgs["bob-chat"]+"/undelete", `{"undeleted_by":"bob"}`).want(t, 201, `"type":"regular"`)
	for range 2 {
		if _, err := w.sdk.DeleteMessage(bg(), msgs["bob-chat"]); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := w.sdk.HardDeleteMessage(bg(), msgs["bob-chat"]); err != nil {
		t.Fatal(err)
	}
	_, err := w.sdk.GetMessage(bg(), msgs["bob-chat"])
	wantError(t, err, 404, 16, "GetMessage failed with error: \"message with id "+msgs["bob-chat"]+" doesn't exist\"")

	// A parent takes its replies along.
	if _, err := w.sdk.HardDeleteMessage(bg(), msgs["alice-group"]); err != nil {
		t.Fatal(err)
	}
	if _, ok := w.Message(msgs["bob-reply"]); ok {
		t.Error("the reply outlived its parent")
	}

	must(group.RemoveMembers(bg(), []string{"carol"}, nil))(t)
	if s, _ := w.Channel("team:group"); !slices.Equal(s.Members, []string{"alice", "bob"}) {
		t.Errorf("the members are %v", s.Members)
	}
}

func TestChannelDeletionThroughSDK(t *testing.T) {
	w := start(t, emulator.Options{})
	msgs := populate(t, w)

	soft := must(w.sdk.DeleteChannels(bg(), []string{"messaging:chat", "messaging:none"}, false))(t)
	q := &stream.QueryOption{Filter: map[string]any{"cid": "messaging:chat"}}
	if got := must(w.sdk.QueryChannels(bg(), q))(t).Channels; len(got) != 0 {
		t.Error("a deleted channel is found")
	}
	task := must(w.sdk.GetTask(bg(), soft.TaskID))(t)
	if task.Status != stream.TaskStatusPending || task.Result != nil {
		t.Errorf("the task is %+v", task)
	}
	w.clock.Advance(time.Second)
	if task = must(w.sdk.GetTask(bg(), soft.TaskID))(t); task.Status != stream.TaskStatusRunning {
		t.Errorf("the task is %+v", task)
	}
	w.wait()
	task = must(w.sdk.GetTask(bg(), soft.TaskID))(t)
	want := map[string]any{
		"messaging:chat": map[string]any{"status": "ok"},
		"messaging:none": map[string]any{"status": "error", "error": "channel not found"},
	}
	if diff := cmp.Diff(want, task.Result); task.Status != stream.TaskStatusCompleted || diff != "" {
		t.Errorf("the task is %s %s", task.Status, diff)
	}
	if _, ok := w.Message(msgs["bob-chat"]); !ok {
		t.Error("a soft deletion removed messages")
	}
	_, err := w.sdk.Channel("messaging", "chat").SendMessage(bg(), &stream.Message{Text: "x"}, "bob")
	wantError(t, err, 404, 16, "Can't find channel with id messaging:chat")
	_, err = w.sdk.SendReaction(bg(), &stream.Reaction{Type: "like"}, msgs["bob-chat"], "bob")
	wantError(t, err, 400, 4, "has been deleted")
	_, err = w.sdk.Channel("messaging", "chat").Delete(bg())
	wantError(t, err, 404, 16, "DeleteChannel failed with error")

	// Get-or-create revives it, without messages.
	revived := must(w.sdk.CreateChannelWithMembers(bg(), "messaging", "chat", "alice"))(t).Channel
	if len(revived.Members) != 2 || len(revived.Messages) != 0 {
		t.Errorf("revived with %d members and %d messages", len(revived.Members), len(revived.Messages))
	}

	hard := must(w.sdk.DeleteChannels(bg(), []string{"messaging:chat"}, true))(t)
	if _, ok := w.Channel("messaging:chat"); !ok {
		t.Error("a hard deletion was immediate")
	}
	w.wait()
	if task = must(w.sdk.GetTask(bg(), hard.TaskID))(t); task.Status != stream.TaskStatusCompleted {
		t.Errorf("the task is %+v", task)
	}
	if _, ok := w.Channel("messaging:chat"); ok {
		t.Error("the channel is still there")
	}
	if _, ok := w.Message(msgs["bob-chat"]); ok {
		t.Error("its message is still there")
	}
	_, err = w.sdk.DeleteChannels(bg(), []string{"chat"}, true)
	wantError(t, err, 404, 16, `DeleteChannels failed with error: "channels not found"`)

	if _, err := w.sdk.Channel("team", "group").Truncate(bg(), stream.TruncateWithHardDelete(), stream.TruncateWithUserID("alice")); err != nil {
		t.Fatal(err)
	}
	if got := must(w.sdk.QueryChannels(bg(), &stream.QueryOption{Filter: map[string]any{"cid": "team:group"}}))(t).Channels[0]; len(got.Messages) != 0 || got.TruncatedAt == nil {
		t.Errorf("after the truncation %+v", got)
	}
	if _, ok := w.Message(msgs["carol-group"]); !ok {
		t.Error("a hard truncation was immediate")
	}
	w.wait()
	if _, ok := w.Message(msgs["carol-group"]); ok {
		t.Error("a truncated message is still there")
	}
}

func TestLifecycleThroughSDK(t *testing.T) {
	w := start(t, emulator.Options{})
	msgs := populate(t, w)

	if _, err := w.sdk.DeactivateUser(bg(), "alice", stream.DeactivateUserWithMarkMessagesDeleted(), stream.DeactivateUserWithCreatedBy("bob")); err != nil {
		t.Fatal(err)
	}
	s, _ := w.User("alice")
	m, _ := w.Message(msgs["alice-group"])
	if !s.Deactivated || !m.Deleted || m.Text != "hello all" {
		t.Errorf("after the deactivation %+v %+v", s, m)
	}
	got := must(w.sdk.QueryUsers(bg(), &stream.QueryOption{Filter: map[string]any{}, Limit: 100}))(t)
	if !slices.Equal(ids(got.Users), []string{"bob", "carol"}) {
		t.Errorf("found %v", ids(got.Users))
	}
	_, err := w.sdk.UpsertUser(bg(), &stream.User{ID: "alice"})
	wantError(t, err, 404, 16, `UpdateUsers failed with error: "the user alice was deactivated"`)
	_, err = w.sdk.PartialUpdateUser(bg(), stream.PartialUserUpdate{ID: "alice"})
	wantError(t, err, 404, 16, "the user alice was deactivated")

	if _, err := w.sdk.ReactivateUser(bg(), "alice", stream.ReactivateUserWithRestoreMessages()); err != nil {
		t.Fatal(err)
	}
	s, _ = w.User("alice")
	m, _ = w.Message(msgs["alice-group"])
	if s.Deactivated || m.Deleted || s.Name != "Alice" {
		t.Errorf("after the reactivation %+v %+v", s, m)
	}
	_, err = w.sdk.ReactivateUser(bg(), "alice")
	wantError(t, err, 400, 4, "is not deactivated")
	_, err = w.sdk.DeactivateUser(bg(), "alice", stream.DeactivateUserWithCreatedBy("nobody"))
	wantError(t, err, 404, 16, "the user nobody does not exist")

	if _, err := w.sdk.DeactivateUsers(bg(), []string{"alice", "bob"}); err != nil {
		t.Fatal(err)
	}
	w.wait()
	if s, _ = w.User("bob"); !s.Deactivated {
		t.Error("the task did not deactivate bob")
	}
	a := w.call("POST", "/users/reactivate", `{"user_ids":["alice","bob"]}`)
	a.want(t, 201, `"task_id"`)
	w.wait()
	w.call("GET", "/tasks/"+a.json(t)["task_id"].(string), "").want(t, 200, `"status":"completed"`, `"result":{"users":[{"id":"alice"`)
}

func TestRestore(t *testing.T) {
	w := start(t, emulator.Options{})
	populate(t, w)
	must(w.sdk.DeleteUsers(bg(), []string{"bob"}, stream.DeleteUserOptions{User: stream.SoftDelete}))(t)
	w.wait()
	w.call("POST", "/users/restore", `{"user_ids":["bob"]}`).want(t, 201)
	s, _ := w.User("bob")
	if s.Deleted || s.Name != "Bob" || len(s.Channels) != 0 {
		t.Errorf("bob is %+v", s)
	}
	a := w.call("POST", "/users/restore", `{"user_ids":["bob"]}`)
	a.wantError(t, 400, 4, `RestoreUsers failed with error: "user "bob" is not deleted, it can't be restored"`)
	if a.header.Get("X-RateLimit-Limit") == "" {
		t.Error("no rate limit headers on an error")
	}
}

func TestAppAndRateLimitsThroughSDK(t *testing.T) {
	w := start(t, emulator.Options{AppName: "Test app"})
	app := must(w.sdk.GetAppSettings(bg()))(t)
	if app.App.Name != "Test app" || app.App.ConfigNameMap["messaging"] == nil {
		t.Errorf("the app is %+v", app.App)
	}
	w.call("PATCH", "/app", `{"name":"Renamed"}`).want(t, 200)
	if app = must(w.sdk.GetAppSettings(bg()))(t); app.App.Name != "Renamed" {
		t.Errorf("the app is called %s", app.App.Name)
	}
	limits := must(w.sdk.GetRateLimits(bg(), stream.WithServerSide(), stream.WithEndpoints("DeleteUsers", "GetRateLimits")))(t)
	want := stream.RateLimitsMap{
		"DeleteUsers":   {Limit: 6, Remaining: 6, Reset: noon.Add(time.Minute).Unix()},
		"GetRateLimits": {Limit: 300, Remaining: 299, Reset: noon.Add(time.Minute).Unix()},
	}
	if diff := cmp.Diff(want, limits.ServerSide); diff != "" || limits.Web != nil {
		t.Error(diff)
	}
	all := must(w.sdk.GetRateLimits(bg()))(t)
	if all.Web["QueryUsers"].Limit != 1000 || all.IOS == nil || all.Android == nil {
		t.Errorf("the limits are %+v", all)
	}
}

func TestDevicesThroughSDK(t *testing.T) {
	w := start(t, emulator.Options{})
	populate(t, w)
	must(w.sdk.AddDevice(bg(), &stream.Device{ID: "d1", UserID: "bob", PushProvider: stream.PushProviderAPNS}))(t)
	if got := must(w.sdk.GetDevices(bg(), "bob"))(t).Devices; len(got) != 1 || got[0].ID != "d1" {
		t.Errorf("the devices are %+v", got)
	}
	must(w.sdk.DeleteDevice(bg(), "bob", "d1"))(t)
	if s, _ := w.User("bob"); s.Devices != 0 {
		t.Error("the device is still there")
	}
}

func TestRetentionPolicy(t *testing.T) {
	w := start(t, emulator.Options{})
	w.call("GET", "/retention_policy", "").want(t, 200, `"policies":[]`)
	w.call("POST", "/retention_policy", `{"policy":"old-messages","max_age_hours":48}`).
		want(t, 201, `"policy":{"app_pk":1,"policy":"old-messages","config":{"max_age_hours":48},"enabled_at":"2026-03-01T12:00:00Z"}`)
	w.call("POST", "/retention_policy", `{"policy":"old-messages","max_age_hours":1}`).
		wantError(t, 400, 4, `SetRetentionPolicy failed with error: "max_age_hours must be between 24 and 43800"`)
	w.call("GET", "/retention_policy", "").want(t, 200, `"max_age_hours":48`)
	w.call("POST", "/retention_policy/delete", `{"policy":"old-messages"}`).want(t, 201)
	w.call("GET", "/retention_policy", "").want(t, 200, `"policies":[]`)
}
