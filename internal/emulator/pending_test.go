// Copyright (c) the terraform-provider-streamchat authors
// SPDX-License-Identifier: MPL-2.0

package emulator_test

import (
	"maps"
	"net/url"
	"testing"

	stream "github.com/GetStream/stream-chat-go/v6"

	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/emulator"
)

func TestPendingMessage(t *testing.T) {
	w := start(t, emulator.Options{})
	populate(t, w)
	chat := w.sdk.Channel("messaging", "chat")
	metadata := map[string]string{"why": "review"}
	send := func() *stream.MessageResponse {
		t.Helper()
		return must(chat.SendMessage(bg(), &stream.Message{Text: "waits"}, "alice",
			stream.MessagePending, stream.MessagePendingMessageMetadata(metadata)))(t)
	}
	sent := send()
	id := sent.Message.ID
	if !maps.Equal(sent.PendingMessageMetadata, metadata) {
		t.Errorf("the metadata is %v", sent.PendingMessageMetadata)
	}
	if got := must(w.sdk.GetMessage(bg(), id))(t); !maps.Equal(got.PendingMessageMetadata, metadata) {
		t.Errorf("the metadata is %v", got.PendingMessageMetadata)
	}

	// Its author alone sees it.
	w.call("POST", "/channels", `{"filter_conditions":{"cid":"messaging:chat"},"user_id":"alice"}`).
		want(t, 201, `"pending_messages":[{"message":{"id":"`+id+`"`, `"metadata":{"why":"review"}}]`)
	w.call("POST", "/channels", `{"filter_conditions":{"cid":"messaging:chat"},"user_id":"bob"}`).
		want(t, 201, `"pending_messages":[]`)
	must(chat.RefreshState(bg()))(t)
	if len(chat.Messages) != 2 {
		t.Errorf("the messages are %+v", chat.Messages)
	}
	search := `{"filter_conditions":{"cid":"messaging:chat"},"query":"waits"}`
	w.call("GET", "/search?payload="+url.QueryEscape(search), "").want(t, 200, `"results":[]`)
	w.callAs(w.userToken("alice"), "GET", "/messages/"+id, "").want(t, 200)
	w.callAs(w.userToken("bob"), "GET", "/messages/"+id, "").
		wantError(t, 404, 16, `GetMessage failed with error: "message with id `+id+` doesn't exist"`)
	w.callAs(w.userToken("bob"), "GET", "/channels/messaging/chat/messages?ids="+id, "").want(t, 200, `"messages":[]`)

	// It cannot be changed, nor deleted but for good.
	_, err := w.sdk.UpdateMessage(bg(), &stream.Message{Text: "changed", UserID: "alice"}, id)
	wantError(t, err, 400, 4, "pending messages cannot be updated")
	_, err = w.sdk.DeleteMessage(bg(), id)
	wantError(t, err, 400, 4, "pending messages cannot be soft deleted")

	must(w.sdk.CommitMessage(bg(), id))(t)
	must(chat.RefreshState(bg()))(t)
	if n := len(chat.Messages); n != 3 || chat.Messages[2].ID != id {
		t.Errorf("the messages are %+v", chat.Messages)
	}
	if got := must(w.sdk.GetMessage(bg(), id))(t); got.PendingMessageMetadata != nil {
		t.Errorf("the metadata is %v", got.PendingMessageMetadata)
	}
	_, err = w.sdk.CommitMessage(bg(), id)
	wantError(t, err, 400, 4, "is not pending")

	id = send().Message.ID
	must(w.sdk.HardDeleteMessage(bg(), id))(t)
	w.call("POST", "/channels", `{"filter_conditions":{"cid":"messaging:chat"},"user_id":"alice"}`).want(t, 201, `"pending_messages":[]`)
}
