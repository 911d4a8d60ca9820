// Copyright (c) the terraform-provider-streamchat authors
// SPDX-License-Identifier: MPL-2.0

package main

import (
	"bytes"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/acctest"
)

func TestMain(m *testing.M) { acctest.Main(m) }

// The demo ends with an error where anything that it shows is not so.
func TestCLIDemo(t *testing.T) {
	acctest.CLI(t)
	var shown bytes.Buffer
	screen = &shown
	if err := run(t.Context(), acctest.Binary(t)); err != nil {
		t.Fatalf("%v\n%s", err, &shown)
	}
	for line := range strings.Lines(shown.String()) {
		if width := utf8.RuneCountInString(strings.TrimRight(line, "\n")); width > 80 {
			t.Errorf("%d columns: %s", width, line)
		}
	}
	for _, want := range []string{"Irreversible deletion", "✓", "No changes", "**Erased.**"} {
		if !strings.Contains(shown.String(), want) {
			t.Errorf("it does not show %q:\n%s", want, &shown)
		}
	}
}
