// Copyright (c) the terraform-provider-streamchat authors
// SPDX-License-Identifier: MPL-2.0

package comment_test

import (
	"maps"
	"regexp"
	"slices"
	"testing"

	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/comment"
)

// The policy and the comment know the same resources; another test compares the comment
// with the provider.
func TestPolicyKnowsEveryResource(t *testing.T) {
	t.Parallel()
	named := map[string]bool{}
	for _, found := range regexp.MustCompile(`"(streamchat_\w+)",?`).FindAllSubmatch(file(t, "../../policy/streamchat.rego"), -1) {
		named[string(found[1])] = true
	}
	if got := slices.Sorted(maps.Keys(named)); !slices.Equal(got, comment.Kinds()) {
		t.Errorf("the policy knows %v, the comment %v", got, comment.Kinds())
	}
}
