// Copyright (c) the terraform-provider-streamchat authors
// SPDX-License-Identifier: MPL-2.0

// Package emulatortest starts the emulator for a test.
package emulatortest

import (
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/emulator"
)

// Start runs an emulator until the test ends. Its URL field is where.
func Start(t testing.TB, opts emulator.Options) *emulator.Emulator {
	t.Helper()
	e := emulator.New(opts)
	srv := httptest.NewServer(e)
	e.URL = srv.URL
	t.Cleanup(func() {
		e.Close()
		srv.Close()
	})
	return e
}

// StartSeeded runs an emulator with the given seed.
func StartSeeded(t testing.TB, opts emulator.Options, seed string) *emulator.Emulator {
	t.Helper()
	e := Start(t, opts)
	if err := e.Seed(strings.NewReader(seed)); err != nil {
		t.Fatal(err)
	}
	return e
}
