// Copyright (c) the terraform-provider-streamchat authors
// SPDX-License-Identifier: MPL-2.0

package emulator_test

import (
	"slices"
	"strings"
	"testing"

	stream "github.com/GetStream/stream-chat-go/v6"

	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/emulator"
)

// from is a message as v6 puts it into a channel's update: with an empty cid and
// the author as an object.
func from(user, text string) *stream.Message {
	return &stream.Message{Text: text, User: &stream.User{ID: user}}
}

func TestMessageOfChannelUpdate(t *testing.T) {
	for name, tc := range map[string]struct {
		update  func(*stream.Channel) (*stream.Response, error)
		members string
	}{
		"Update": {func(ch *stream.Channel) (*stream.Response, error) {
			return ch.Update(bg(), map[string]any{"color": "blue"}, from("carol", "said"))
		}, "alice bob"},
		"AddMembers": {func(ch *stream.Channel) (*stream.Response, error) {
			return ch.AddMembers(bg(), []string{"carol"}, stream.AddMembersWithMessage(from("carol", "said")))
		}, "alice bob carol"},
		"RemoveMembers": {func(ch *stream.Channel) (*stream.Response, error) {
			return ch.RemoveMembers(bg(), []string{"bob"}, from("bob", "said"))
		}, "alice"},
		"AddModerators": {func(ch *stream.Channel) (*stream.Response, error) {
			return ch.AddModeratorsWithMessage(bg(), []string{"carol"}, from("bob", "said"))
		}, "alice bob carol"},
		"DemoteModerators": {func(ch *stream.Channel) (*stream.Response, error) {
			return ch.DemoteModeratorsWithMessage(bg(), []string{"bob"}, from("bob", "said"))
		}, "alice bob"},
		"Truncate": {func(ch *stream.Channel) (*stream.Response, error) {
			return ch.Truncate(bg(), stream.TruncateWithMessage(from("bob", "said")), stream.TruncateWithUser(&stream.User{ID: "carol"}))
		}, "alice bob"},
	} {
		t.Run(name, func(t *testing.T) {
			w := start(t, emulator.Options{})
			populate(t, w)
			chat := w.sdk.Channel("messaging", "chat")
			must(tc.update(chat))(t)
			must(chat.RefreshState(bg()))(t)
			if last := chat.Messages[len(chat.Messages)-1]; last.Text != "said" || last.Type != "system" {
				t.Errorf("the last message is %+v", last)
			}
			s, _ := w.Channel("messaging:chat")
			if got := strings.Join(s.Members, " "); got != tc.members {
				t.Errorf("the members are %s, want %s", got, tc.members)
			}
			for _, m := range chat.Members {
				if moderator := name == "AddModerators" && m.UserID == "carol"; m.IsModerator != moderator {
					t.Errorf("the members are %+v", chat.Members)
				}
			}
			if name == "Truncate" && (len(chat.Messages) != 1 || chat.TruncatedBy.ID != "carol") {
				t.Errorf("the channel is %+v", chat)
			}
		})
	}
}

func TestUpdateChannelIsDoneWholeOrNotAtAll(t *testing.T) {
	w := seeded(t, people)
	w.seed(`{"channels": [{"cid": "team:x", "created_by_id": "ada", "members": ["ada"], "color": "red"}]}`)
	for body, want := range map[string]string{
		`{"data":{},"add_members":["bea"],"message":{"text":"x","user_id":"zoe"}}`: `the user zoe does not exist`,
		`{"data":{},"add_members":["bea"],"user_id":"zoe"}`:                        `the user zoe does not exist`,
		`{"data":{},"message":{"text":"x","user":{"id":"eve"}}}`:                   `the user eve was deleted`,
	} {
		w.call("POST", "/channels/team/x", body).wantError(t, 404, 16, `UpdateChannel failed with error: "`+want+`"`)
	}
	for body, want := range map[string]string{
		`{"data":{},"message":{"text":"x","cid":"team:y","user_id":"ada"}}`: `message.cid is a reserved field`,
		`{"data":{},"message":{"text":"x","user":{"id":"a b"}}}`:            `user id "a b" is not valid`,
		`{"data":{},"message":{"text":"x"}}`:                                `either message.user or message.user_id must be provided when using server side auth.`,
		`{"data":{},"accept_invite":true}`:                                  `either user or user_id must be provided when using server side auth.`,
		`{"data":{},"accept_invite":true,"user_id":"bea"}`:                  `the user bea is not invited to the channel`,
	} {
		w.call("POST", "/channels/team/x", body).wantError(t, 400, 4, `UpdateChannel failed with error: "`+want+`"`)
	}
	w.call("POST", "/channels/team/x/truncate", `{"message":{"text":"x","user_id":"zoe"}}`).
		wantError(t, 404, 16, `TruncateChannel failed with error: "the user zoe does not exist"`)
	s, _ := w.Channel("team:x")
	if len(s.Custom) != 1 || len(s.Members) != 1 || s.Messages != 0 || !s.TruncatedAt.IsZero() {
		t.Errorf("a refused update left %+v", s)
	}
	if _, ok := w.User("zoe"); ok {
		t.Error("a user_id made a user")
	}
}

func TestInvites(t *testing.T) {
	w := start(t, emulator.Options{})
	populate(t, w)
	resp := must(w.sdk.CreateChannel(bg(), "team", "party", "alice",
		&stream.ChannelRequest{Members: []string{"alice", "bob"}, Invites: []string{"bob", "carol"}}))(t)
	invites := func(state string) (list []string) {
		t.Helper()
		found := must(resp.Channel.QueryMembers(bg(), &stream.QueryOption{Filter: map[string]any{"invite": state}, Limit: 10}))(t)
		for _, m := range found.Members {
			list = append(list, m.UserID)
		}
		return list
	}
	if got := invites("pending"); !slices.Equal(got, []string{"bob", "carol"}) {
		t.Errorf("the invites of %v are pending", got)
	}
	must(resp.Channel.AcceptInvite(bg(), "bob", from("bob", "yes")))(t)
	must(resp.Channel.RejectInvite(bg(), "carol", nil))(t)
	if yes, no := invites("accepted"), invites("rejected"); !slices.Equal(yes, []string{"bob"}) || !slices.Equal(no, []string{"carol"}) {
		t.Errorf("%v accepted, %v rejected", yes, no)
	}
	w.call("GET", "/channels/team/party", "").want(t, 200, `"invite_accepted_at"`, `"invite_rejected_at"`, `"text":"yes"`)
}

func TestNestedUserIsUpserted(t *testing.T) {
	w := seeded(t, people)
	w.call("POST", "/channels/team/x/query", `{"data":{"created_by":{"id":"new","name":"New","age":7}}}`).
		want(t, 201, `"created_by":{"id":"new"`)
	if s, _ := w.User("new"); s.Name != "New" || string(s.Custom["age"]) != "7" {
		t.Errorf("the creator is %+v", s)
	}
	// v6 always sends created_by with nothing but the id.
	w.call("POST", "/channels/team/y/query", `{"data":{"created_by":{"id":"new"}}}`).want(t, 201)
	w.call("POST", "/channels/team/x/message", `{"message":{"text":"x","user":{"id":"new","age":8}}}`).want(t, 201)
	if s, _ := w.User("new"); s.Name != "New" || string(s.Custom["age"]) != "8" {
		t.Errorf("the author is %+v", s)
	}
	w.call("POST", "/channels/team/x/message", `{"message":{"text":"x","user":{"id":"new","banned":true}}}`).
		wantError(t, 400, 4, `SendMessage failed with error: "banned is a reserved field"`)
	w.call("POST", "/channels/team/z/query", `{"data":{"created_by":{"id":"eve"}}}`).
		wantError(t, 404, 16, `GetOrCreateChannel failed with error: "the user eve was deleted"`)
	// A request that fails makes nobody.
	w.call("POST", "/channels/team/z/query", `{"data":{"created_by":{"id":"newer"},"members":["zoe"]}}`).
		want400(t)
	w.call("POST", "/channels/team/x/message", `{"message":{"text":"x","type":"odd","user":{"id":"newer"}}}`).
		want400(t)
	if _, ok := w.User("newer"); ok {
		t.Error("a refused request made a user")
	}
}

func (a answer) want400(t *testing.T) {
	t.Helper()
	if a.status != 400 {
		t.Errorf("got %d %s", a.status, a.body)
	}
}
