// Copyright (c) the terraform-provider-streamchat authors
// SPDX-License-Identifier: MPL-2.0

package user_test

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/acctest"
)

// Records without a receipt are told of as the function's documentation says.
func TestReceiptTextOfRecordsWithoutReceipt(t *testing.T) {
	t.Parallel()
	s := acctest.Start(t)
	seed(t, s, conversation)
	w := s.Workspace(t, "", restrict("bob", "")+fmt.Sprintf(`
resource "streamchat_user_export" "dsr" {
  user_id = "alice"
  path    = %q
}
output "hold" {
  value = provider::streamchat::receipt_text(jsonencode(merge({ record = "streamchat_user_deactivation" }, streamchat_user_deactivation.hold)))
}
output "export" {
  value = provider::streamchat::receipt_text(jsonencode(merge({ record = "streamchat_user_export" }, streamchat_user_export.dsr)))
}
`, filepath.Join(t.TempDir(), "x.json")))
	w.Apply(0)
	r := w.Run("output")
	expect(t, r, 0, "**In force since ", "**Taken on ", "* 1 message")
	if strings.Contains(r.Stdout, "alice") || strings.Contains(r.Stdout, "bob") {
		t.Error(r.Stdout)
	}
}
