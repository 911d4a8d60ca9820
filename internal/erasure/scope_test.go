// Copyright (c) the terraform-provider-streamchat authors
// SPDX-License-Identifier: MPL-2.0

package erasure

import (
	"slices"
	"testing"
)

func TestUserScope(t *testing.T) {
	yes, no := true, false
	h, s := Hard, Soft
	for name, tt := range map[string]struct {
		scope        UserScope
		want         UserScope
		irreversible bool
		outcome      Outcome
		leaves       []string
		takes        []string
	}{
		"hard, the rest follows": {
			Defaulted(Hard, nil, nil, nil, nil, nil), UserScope{User: Hard, Messages: Hard, Conversations: Hard, Files: true, Polls: true},
			true, OutcomeErased, []string{"calls", "campaigns"}, []string{"messages", "uploads", "polls"},
		},
		"hard, files and polls kept": {
			Defaulted(Hard, nil, nil, nil, &no, &no), UserScope{User: Hard, Messages: Hard, Conversations: Hard},
			true, OutcomeErased, []string{"uploads", "polls", "calls"}, []string{"messages"},
		},
		"soft touches nothing else": {
			Defaulted(Soft, nil, nil, nil, nil, nil), UserScope{User: Soft},
			false, OutcomeMarkedDeleted, []string{"user_data", "messages", "conversations", "uploads", "polls", "calls"}, nil,
		},
		"soft with calls is irreversible": {
			Defaulted(Soft, nil, nil, &s, nil, nil), UserScope{User: Soft, Calls: Soft},
			true, OutcomeMarkedDeleted, []string{"call_content"}, []string{"calls"},
		},
		"soft with files is irreversible": {
			Defaulted(Soft, nil, nil, nil, &yes, nil), UserScope{User: Soft, Files: true},
			true, OutcomeMarkedDeleted, []string{"polls"}, []string{"uploads"},
		},
		"pruned user, hard messages": {
			Defaulted(Pruning, &h, nil, nil, nil, nil), UserScope{User: Pruning, Messages: Hard},
			true, OutcomePruned, []string{"conversations"}, []string{"messages", "user_data"},
		},
		"soft user, soft messages": {
			Defaulted(Soft, &s, nil, nil, nil, nil), UserScope{User: Soft, Messages: Soft},
			true, OutcomeMarkedDeleted, []string{"message_content"}, []string{"messages"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			if tt.scope != tt.want {
				t.Errorf("scope %+v, want %+v", tt.scope, tt.want)
			}
			if tt.scope.Irreversible() != tt.irreversible || tt.scope.Outcome() != tt.outcome {
				t.Errorf("irreversible %v, outcome %s", tt.scope.Irreversible(), tt.scope.Outcome())
			}
			left := tt.scope.NotCovered()
			for _, what := range tt.leaves {
				if !slices.Contains(left, what) {
					t.Errorf("not_covered lacks %q: %v", what, left)
				}
			}
			for _, what := range tt.takes {
				if slices.Contains(left, what) {
					t.Errorf("not_covered claims that %q stays: %v", what, left)
				}
			}
		})
	}
}

func TestCompare(t *testing.T) {
	for name, tt := range map[string]struct {
		now, then UserScope
		want      Comparison
	}{
		"same":         {hard, hard, Comparison{}},
		"soft to hard": {hard, soft, Comparison{Raised: []string{"delete.user", "delete.messages", "delete.conversations", "delete.files", "delete.polls"}}},
		"hard to soft": {soft, hard, Comparison{Lowered: []string{"delete.user", "delete.messages", "delete.conversations", "delete.files", "delete.polls"}}},
		"both ways":    {UserScope{User: Pruning}, UserScope{User: Soft, Calls: Hard}, Comparison{Raised: []string{"delete.user"}, Lowered: []string{"delete.calls"}}},
		"options":      {UserScope{NewChannelOwnerID: "x", RevokeTokens: true}, UserScope{NewCallOwnerID: "y"}, Comparison{Altered: []string{"new_channel_owner_id", "new_call_owner_id", "revoke_tokens"}}},
	} {
		got := tt.now.Compare(tt.then)
		if !slices.Equal(got.Raised, tt.want.Raised) || !slices.Equal(got.Lowered, tt.want.Lowered) || !slices.Equal(got.Altered, tt.want.Altered) {
			t.Errorf("%s: %+v, want %+v", name, got, tt.want)
		}
	}
}

func TestNext(t *testing.T) {
	raised := []string{"delete.user"}
	for name, tt := range map[string]struct {
		current Attempt[UserScope]
		raised  []string
		want    Step
	}{
		"nothing yet":         {Attempt[UserScope]{}, nil, Send},
		"submitted":           {Attempt[UserScope]{Scope: &soft, Status: StatusSubmitted}, nil, Wait},
		"submitted, raised":   {Attempt[UserScope]{Scope: &soft, Status: StatusSubmitted}, raised, Wait},
		"completed":           {Attempt[UserScope]{Scope: &soft, Status: StatusCompleted}, nil, Keep},
		"completed, raised":   {Attempt[UserScope]{Scope: &soft, Status: StatusCompleted}, raised, Send},
		"failed":              {Attempt[UserScope]{Scope: &soft, Status: StatusFailed}, nil, Send},
		"reverted":            {Attempt[UserScope]{Scope: &soft, Status: StatusReverted}, nil, Send},
		"adopted, no claim":   {Attempt[UserScope]{Status: StatusCompleted, Outcome: OutcomeAdopted}, nil, Claim},
		"adopted and claimed": {Attempt[UserScope]{Scope: &soft, Status: StatusCompleted, Outcome: OutcomeAdopted}, nil, Keep},
	} {
		if got := Next(tt.current, tt.raised); got != tt.want {
			t.Errorf("%s: %v, want %v", name, got, tt.want)
		}
	}
}
