// Copyright (c) the terraform-provider-streamchat authors
// SPDX-License-Identifier: MPL-2.0

package user_test

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	stream_chat "github.com/GetStream/stream-chat-go/v6"

	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/acctest"
)

const lively = `{
  "users": [{"id": "alice"}, {"id": "bob"}, {"id": "carol"}, {"id": "heir"}],
  "channels": [{"cid": "messaging:pair", "created_by_id": "alice", "members": ["alice", "bob"]},
               {"cid": "messaging:team", "created_by_id": "alice", "members": ["alice", "bob", "carol"]}],
  "messages": [{"id": "pair-1", "cid": "messaging:pair", "user_id": "alice", "text": "secret"},
               {"id": "team-1", "cid": "messaging:team", "user_id": "alice", "text": "hello all"},
               {"id": "team-2", "cid": "messaging:team", "user_id": "bob", "text": "hello alice"}],
  "reactions": [{"message_id": "team-2", "user_id": "alice", "type": "like"}]
}`

// What an erasure leaves, seen through Stream's own SDK and with the erased
// user's own token: exactly what its modes say.
func TestAccUserErasure_afterEffects(t *testing.T) {
	t.Parallel()
	acctest.CLI(t)
	for name, tt := range map[string]struct {
		body            string
		pair, ownText   bool // the conversation, and alice's message in the team, are still there
		reactionRemains bool
	}{
		"hard":                    {hardly + "\nnew_channel_owner_id = \"heir\"", false, false, false},
		"soft":                    {acctest.DeleteBlock(`user = "soft"`), true, true, true},
		"soft with messages gone": {acctest.DeleteBlock(`user = "soft"`, `messages = "hard"`), true, false, false},
		"soft, no conversations":  {acctest.DeleteBlock(`user = "soft"`, `conversations = "hard"`), false, true, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := acctest.Start(t)
			if err := s.Seed(strings.NewReader(lively)); err != nil {
				t.Fatal(err)
			}
			token, err := s.SDK.CreateToken("alice", time.Now().Add(time.Hour))
			if err != nil {
				t.Fatal(err)
			}
			if status := asUser(t, s, token); status != http.StatusOK {
				t.Fatalf("before the erasure alice's token gets %d", status)
			}
			w := s.Workspace(t, "", erase("alice", tt.body))
			w.Apply(0)
			w.Plan(0)
			ctx := context.Background()
			if status := asUser(t, s, token); status == http.StatusOK {
				t.Error("alice's token still works")
			}
			if _, err := s.SDK.Channel("messaging", "team").SendMessage(ctx, &stream_chat.Message{Text: "I am back"}, "alice"); err == nil {
				t.Error("alice can still send")
			}
			users, err := s.SDK.QueryUsers(ctx, &stream_chat.QueryOption{Filter: map[string]any{"id": map[string]any{"$in": []string{"alice", "bob"}}}})
			if err != nil || len(users.Users) != 1 || users.Users[0].ID != "bob" {
				t.Errorf("queries show %+v, %v", users, err)
			}
			channels, err := s.SDK.QueryChannels(ctx, &stream_chat.QueryOption{Filter: map[string]any{"cid": map[string]any{"$in": []string{"messaging:pair", "messaging:team"}}}})
			if err != nil {
				t.Fatal(err)
			}
			cids := map[string]*stream_chat.Channel{}
			for _, c := range channels.Channels {
				cids[c.CID] = c
			}
			if (cids["messaging:pair"] != nil) != tt.pair {
				t.Errorf("the conversation is there: %v", cids["messaging:pair"] != nil)
			}
			team := cids["messaging:team"]
			if team == nil || len(team.Members) != 2 {
				t.Fatalf("the team's channel: %+v", team)
			}
			if strings.Contains(tt.body, "heir") && team.CreatedBy.ID != "heir" {
				t.Errorf("the team's channel belongs to %q", team.CreatedBy.ID)
			}
			if m, err := s.SDK.GetMessage(ctx, "team-1"); (err == nil) != tt.ownText || err == nil && m.Message.Text != "hello all" {
				t.Errorf("alice's message: %+v, %v", m, err)
			}
			m, err := s.SDK.GetMessage(ctx, "team-2")
			if err != nil || m.Message.Text != "hello alice" {
				t.Fatalf("bob's message: %+v, %v", m, err)
			}
			if (m.Message.ReactionCounts["like"] == 1) != tt.reactionRemains {
				t.Errorf("alice's reaction: %v", m.Message.ReactionCounts)
			}
		})
	}
}

// asUser makes a plain call with a user's token, as a client connecting would.
func asUser(t *testing.T, s *acctest.Stream, token string) int {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, fmt.Sprintf("%s/app?api_key=%s", s.URL, s.APIKey()), nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", token)
	req.Header.Set("Stream-Auth-Type", "jwt")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	return resp.StatusCode
}

// A list that is fed by a query of who is still there does not eat its evidence,
// and comes to rest.
func TestCLIBatchFedByAQuery(t *testing.T) {
	t.Parallel()
	s := acctest.Start(t)
	s.Users(t, "alice", "bob", "carol")
	call(t, s, "PATCH", "/users", `{"users":[{"id":"alice","set":{"leaver":true}},{"id":"bob","set":{"leaver":true}}]}`)
	w := s.Workspace(t, "", `
data "streamchat_users" "leavers" {
  filter = jsonencode({ leaver = true })
}

resource "streamchat_user_erasure_batch" "campaign" {
  user_ids = data.streamchat_users.leavers.user_ids
  delete { user = "hard" }
}`)
	expect(t, w.Run("apply", "-auto-approve"), 0)
	expect(t, w.Run("apply", "-auto-approve"), 0)
	expect(t, w.Run("plan", "-detailed-exitcode"), 0, "No changes")
	values, _ := record(t, w, campaign)
	results, _ := values["results"].(map[string]any)
	if len(results) != 2 || values["status"] != "completed" || s.Count("DeleteUsers") != 1 {
		t.Errorf("state %v, %d delete calls", values, s.Count("DeleteUsers"))
	}
}
