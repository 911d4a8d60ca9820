// Copyright (c) the terraform-provider-streamchat authors
// SPDX-License-Identifier: MPL-2.0

package privatefile

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
	"os"
	"strings"
	"testing"
)

// What is in the file says nothing, comes back as it was, and is gone afterwards.
func TestScratch(t *testing.T) {
	dir := t.TempDir()
	s, err := NewScratch(dir)
	if err != nil {
		t.Fatal(err)
	}
	text := strings.Repeat(canary, bufferSize)
	for _, part := range []string{text[:7], text[7:]} {
		if _, err := io.WriteString(s, part); err != nil {
			t.Fatal(err)
		}
	}
	plain, err := s.Reader()
	if err != nil {
		t.Fatal(err)
	}
	if got, err := io.ReadAll(plain); err != nil || string(got) != text {
		t.Errorf("%d bytes came back, %v", len(got), err)
	}
	raw, err := io.ReadAll(io.NewSectionReader(s.file, 0, 1<<30))
	if err != nil {
		t.Fatal(err)
	}
	if len(raw) < len(text) || bytes.Contains(raw, []byte("canary")) || !bytes.HasPrefix(raw, []byte("age-encryption.org/v1")) {
		t.Error("the temporary file is not encrypted")
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) != 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}

func TestScratchWithoutDirectory(t *testing.T) {
	dir := t.TempDir() + canary
	if _, err := NewScratch(dir); !errors.Is(err, fs.ErrNotExist) || strings.Contains(err.Error(), canary) {
		t.Error(err)
	}
}
