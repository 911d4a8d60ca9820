// Copyright (c) the terraform-provider-streamchat authors
// SPDX-License-Identifier: MPL-2.0

// Package resilience holds the suites that interrupt, break and watch every
// resource that sends something to Stream, with the real CLI: kills, faults,
// leaks and the soak. It has no code of its own.
package resilience
