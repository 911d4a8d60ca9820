// Copyright (c) the terraform-provider-streamchat authors
// SPDX-License-Identifier: MPL-2.0

package emulator_test

import (
	"fmt"
	"testing"
	"time"

	stream "github.com/GetStream/stream-chat-go/v6"

	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/emulator"
)

func TestPins(t *testing.T) {
	w := start(t, emulator.Options{})
	id := populate(t, w)["bob-chat"]
	chat := w.sdk.Channel("messaging", "chat")
	pinned := func() int {
		t.Helper()
		must(chat.RefreshState(bg()))(t)
		return len(chat.PinnedMessages)
	}
	check := func(step string, m *stream.Message, by string, expires time.Time) {
		t.Helper()
		switch {
		case by == "" && (m.Pinned || m.PinnedAt != nil || m.PinnedBy != nil || m.PinExpires != nil || pinned() != 0):
			t.Errorf("%s: the message is %+v, %d are pinned", step, m, pinned())
		case by != "" && (!m.Pinned || !m.PinnedAt.Equal(w.clock.Now()) || m.PinnedBy.ID != by || pinned() != 1):
			t.Errorf("%s: the message is %+v, %d are pinned", step, m, pinned())
		case !expires.IsZero() && !m.PinExpires.Equal(expires):
			t.Errorf("%s: the pin expires at %v", step, m.PinExpires)
		}
	}
	check("pin", must(w.sdk.PinMessage(bg(), id, "alice", nil))(t).Message, "alice", time.Time{})
	check("unpin", must(w.sdk.UnPinMessage(bg(), id, "alice"))(t).Message, "", time.Time{})

	until := w.clock.Now().Add(3 * time.Second)
	check("pin for a time", must(w.sdk.PinMessage(bg(), id, "bob", &until))(t).Message, "bob", until)
	w.clock.Advance(3 * time.Second)
	check("expired", must(w.sdk.GetMessage(bg(), id))(t).Message, "", time.Time{})

	// A pin for a time can become one that stays.
	until = w.clock.Now().Add(time.Second)
	must(w.sdk.PinMessage(bg(), id, "bob", &until))(t)
	w.call("PUT", "/messages/"+id, `{"unset":["pin_expires"]}`).want(t, 201, `"pinned":true`, `"pin_expires":null`)
	w.clock.Advance(time.Minute)
	w.call("GET", "/messages/"+id, "").want(t, 200, `"pinned":true`)
	w.call("PUT", "/messages/"+id, `{"unset":["pinned"]}`).want(t, 201, `"pinned":false`, `"pinned_by":null`)

	must(chat.SendMessage(bg(), &stream.Message{Text: "read this", Pinned: true}, "bob"))(t)
	if pinned() != 1 || chat.PinnedMessages[0].Text != "read this" {
		t.Errorf("the pinned messages are %+v", chat.PinnedMessages)
	}
	must(w.sdk.HardDeleteMessage(bg(), chat.PinnedMessages[0].ID))(t)
	if pinned() != 0 {
		t.Error("a deleted message is pinned")
	}

	_, err := w.sdk.PinMessage(bg(), id, "nobody", nil)
	wantError(t, err, 404, 16, "the user nobody does not exist")
	w.call("PUT", "/messages/"+id, `{"set":{"pinned":true,"pin_expires":"soon"}}`).
		wantError(t, 400, 4, `UpdateMessagePartial failed with error: "invalid time, expected RFC3339"`)
}

func TestLatestPinsComeWithTheChannel(t *testing.T) {
	w := seeded(t, people)
	w.seed(`{"channels": [{"cid": "team:x", "created_by_id": "ada", "members": ["ada"]}]}`)
	for i := range 12 {
		w.clock.Advance(time.Second)
		w.call("POST", "/channels/team/x/message", fmt.Sprintf(`{"message":{"id":"m%d","pinned":true,"user_id":"ada"}}`, i)).want(t, 201)
	}
	ch := w.sdk.Channel("team", "x")
	must(ch.RefreshState(bg()))(t)
	if pins := ch.PinnedMessages; len(pins) != 10 || pins[0].ID != "m11" || pins[9].ID != "m2" {
		t.Errorf("the pinned messages are %+v", pins)
	}
}
