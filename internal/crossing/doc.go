// Copyright (c) the terraform-provider-streamchat authors
// SPDX-License-Identifier: MPL-2.0

// Package crossing holds tests alone: a machine that draws stories. A story is a small
// world at Stream, blocks, events and several runs, as data. It is played by the
// in-process core against the emulator, and after every run a handful of invariants is
// held against the emulator's own history and world. What breaks one is shrunk, and
// stays as a case.
package crossing
