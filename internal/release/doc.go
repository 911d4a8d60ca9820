// Copyright (c) the terraform-provider-streamchat authors
// SPDX-License-Identifier: MPL-2.0

// Package release is nothing but a test: what goreleaser built is what both registries
// take, and both CLIs install it.
package release
