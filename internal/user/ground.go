// Copyright (c) the terraform-provider-streamchat authors
// SPDX-License-Identifier: MPL-2.0

package user

import (
	"github.com/hashicorp/terraform-plugin-framework/path"
)

// userIDPath is the attribute that names the user in every resource and data source.
var userIDPath = path.Root("user_id")
