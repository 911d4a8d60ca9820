// Copyright (c) the terraform-provider-streamchat authors
// SPDX-License-Identifier: MPL-2.0

package user_test

import (
	"strings"
	"testing"

	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/acctest"
)

// In process, since a CLI adds nothing: what it does with an error is seen in the
// refusals of each resource.

func TestUserIDs(t *testing.T) {
	t.Parallel()
	for id, valid := range map[string]bool{
		"alice": true, "4711": true, "a@b": true, "-_": true, strings.Repeat("x", 255): true,
		"": false, ".": false, "..": false, "a/b": false, "a b": false, "alice\n": false, "a.b": false, "ü": false, "a%2Fb": false,
		strings.Repeat("x", 256): false, strings.Repeat("x", 300): false,
	} {
		for typeName, more := range map[string]map[string]any{
			"streamchat_user_erasure":      {"delete": map[string]any{"user": "soft"}},
			"streamchat_user_deactivation": {},
			"streamchat_user":              {},
			"streamchat_user_footprint":    {},
		} {
			more["user_id"] = id
			says := acctest.Invalid(t, typeName, more)
			if (len(says) == 0) != valid || !valid && (len(says) != 1 || !strings.HasPrefix(says[0], "Invalid user id: ")) {
				t.Errorf("%s, %q: %q", typeName, id, says)
			}
		}
	}
}

func TestUsersDataSourceValidation(t *testing.T) {
	t.Parallel()
	sort := func(entries ...map[string]any) map[string]any {
		return map[string]any{"filter": "{}", "sort": append([]map[string]any{}, entries...)}
	}
	field := map[string]any{"field": "name"}
	for name, tt := range map[string]struct {
		config map[string]any
		says   string
	}{
		"all":             {map[string]any{"filter": "{}", "limit": 1, "include_deactivated": true, "sort": []any{field}}, ""},
		"empty filter":    {map[string]any{"filter": ""}, "Invalid filter"},
		"no JSON":         {map[string]any{"filter": "role = guest"}, "Invalid filter"},
		"list":            {map[string]any{"filter": `[{"role":"guest"}]`}, "Invalid filter"},
		"null":            {map[string]any{"filter": "null"}, "Invalid filter"},
		"cut off":         {map[string]any{"filter": `{"role":`}, "Invalid filter"},
		"limit 0":         {map[string]any{"filter": "{}", "limit": 0}, "must be at least 1"},
		"limit -1":        {map[string]any{"filter": "{}", "limit": -1}, "must be at least 1"},
		"no sort":         {sort(), "at least 1"},
		"six sorts":       {sort(field, field, field, field, field, field), "at most 5"},
		"sort by nothing": {sort(map[string]any{"field": ""}), "at least 1"},
		"sort upwards":    {sort(map[string]any{"field": "id", "direction": "up"}), "value must be one of"},
	} {
		says := strings.Join(acctest.Invalid(t, "streamchat_users", tt.config), "\n")
		if tt.says == "" && says != "" || !strings.Contains(says, tt.says) {
			t.Errorf("%s: %q", name, says)
		}
	}
}
