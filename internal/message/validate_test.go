// Copyright (c) the terraform-provider-streamchat authors
// SPDX-License-Identifier: MPL-2.0

package message_test

import (
	"strings"
	"testing"

	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/acctest"
)

func TestMessageIDs(t *testing.T) {
	t.Parallel()
	for id, valid := range map[string]bool{
		"m1": true, "...": true, "a/b c?d#e&ü": true, strings.Repeat("ü", 255): true,
		"": false, ".": false, "..": false, "m1,m2": false, "m%31": false, strings.Repeat("x", 256): false,
	} {
		says := acctest.Invalid(t, "streamchat_message_erasure", map[string]any{"message_id": id, "hard_delete": true})
		if (len(says) == 0) != valid || !valid && (len(says) != 1 || !strings.HasPrefix(says[0], "Invalid message id: ")) {
			t.Errorf("%q: %q", id, says)
		}
	}
}
