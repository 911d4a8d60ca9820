// Copyright (c) the terraform-provider-streamchat authors
// SPDX-License-Identifier: MPL-2.0

package user

import (
	"regexp"

	"github.com/hashicorp/terraform-plugin-framework/schema/validator"

	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/lifecycle"
)

// idRule is Stream's rule for user ids (stream-api.md §13). It also keeps out
// what an HTTP path would take for something else: "", ".", "..", "a/b".
var idRule = lifecycle.ID{
	Name: "user id", Rule: "a user id is 1 to 255 characters of a-z, A-Z, 0-9, @, _ and -, as Stream requires",
	Valid: regexp.MustCompile(`^[@\w-]{1,255}$`).MatchString,
}

// IDValidators are the validators of every attribute that names a user.
func IDValidators() []validator.String { return idRule.Validators() }
