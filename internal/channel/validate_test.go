// Copyright (c) the terraform-provider-streamchat authors
// SPDX-License-Identifier: MPL-2.0

package channel_test

import (
	"maps"
	"strings"
	"testing"

	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/acctest"
)

func TestCIDs(t *testing.T) {
	t.Parallel()
	for cid, valid := range map[string]bool{
		"messaging:room": true, "messaging:!members-4711": true, "a-b_C:1": true, "messaging:" + strings.Repeat("x", 64): true,
		"": false, "room": false, ":room": false, "messaging:": false, "messaging:room:1": false, "messaging:a/b": false, "messaging:..": false,
		"messaging:a b": false, "messaging:room\n": false, "messaging:a!b": false, "!messaging:room": false, "messaging:a%2Fb": false,
		"messaging:" + strings.Repeat("x", 65): false,
	} {
		for typeName, more := range map[string]map[string]any{
			"streamchat_channel_erasure":       {"cid": cid},
			"streamchat_channel_truncation":    {"cid": cid},
			"streamchat_channel_erasure_batch": {"cids": []string{cid}},
		} {
			more["hard_delete"] = true
			says := acctest.Invalid(t, typeName, more)
			if (len(says) == 0) != valid || !valid && (len(says) != 1 || !strings.HasPrefix(says[0], "Invalid cid: ")) {
				t.Errorf("%s, %q: %q", typeName, cid, says)
			}
		}
	}
}

func TestErasureValidation(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		more map[string]any
		says string
	}{
		"all":              {map[string]any{"on_missing": "record", "request_id": "DSR-1", "timeouts": map[string]any{"create": "5m"}}, ""},
		"on_missing":       {map[string]any{"on_missing": "ignore"}, "value must be one of"},
		"on_destroy":       {map[string]any{"on_destroy": "restore"}, "value must be one of"},
		"empty request id": {map[string]any{"request_id": ""}, "request_id"},
		"bad timeout":      {map[string]any{"timeouts": map[string]any{"create": "soon"}}, "must be a string"},
	} {
		config := map[string]any{"cid": room, "hard_delete": true}
		maps.Copy(config, tt.more)
		says := strings.Join(acctest.Invalid(t, "streamchat_channel_erasure", config), "\n")
		if tt.says == "" && says != "" || !strings.Contains(says, tt.says) {
			t.Errorf("%s: %q", name, says)
		}
	}
}

func TestTruncationTimes(t *testing.T) {
	t.Parallel()
	for before, valid := range map[string]bool{
		"2026-01-15T00:00:00Z": true, "2026-01-15T00:00:00.5+02:00": true,
		"yesterday": false, "2026-01-15T00:00:00": false, "": false,
	} {
		says := acctest.Invalid(t, "streamchat_channel_truncation", map[string]any{"cid": room, "hard_delete": true, "truncated_before": before})
		if (len(says) == 0) != valid || !valid && !strings.Contains(says[0], "RFC3339") {
			t.Errorf("%q: %q", before, says)
		}
	}
}
