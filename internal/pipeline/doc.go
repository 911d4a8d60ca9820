// Copyright (c) the terraform-provider-streamchat authors
// SPDX-License-Identifier: MPL-2.0

// Package pipeline is nothing but tests: what examples and documentation tell people to
// write, run as they would run it, and examples/pipeline as its CI files run it.
package pipeline
