// Copyright (c) the terraform-provider-streamchat authors
// SPDX-License-Identifier: MPL-2.0

// Package channel holds what Terraform sees of Stream's channels: their erasure,
// their truncation and their export.
package channel

import (
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"

	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/lifecycle"
	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/stream"
)

var channelCID = lifecycle.ID{
	Name: "cid", Rule: "a cid is type:id, each 1 to 64 characters of a-z, A-Z, 0-9, _ and -, as Stream requires; the id that Stream makes for a distinct channel begins with !",
	Valid: func(cid string) bool { _, _, ok := stream.SplitCID(cid); return ok },
}

// CIDValidators are the validators of every attribute that names a channel.
func CIDValidators() []validator.String { return channelCID.Validators() }
