// Copyright (c) the terraform-provider-streamchat authors
// SPDX-License-Identifier: MPL-2.0

package prose_test

import (
	"testing"

	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/prose"
)

func TestText(t *testing.T) {
	t.Parallel()
	text := prose.Text("# Heading\n\n## a\nOne line,\nand another.\n\nA paragraph.\n\n* x\n* y\n\n## b\nB.\n")
	if got, want := text("a"), "One line, and another.\n\nA paragraph.\n\n* x\n* y"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
	if got := text("b"); got != "B." {
		t.Errorf("%q", got)
	}
	defer func() {
		if recover() == nil {
			t.Error("a text that is missing goes unnoticed")
		}
	}()
	text("c")
}
