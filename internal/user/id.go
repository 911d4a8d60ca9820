// Copyright (c) the terraform-provider-streamchat authors
// SPDX-License-Identifier: MPL-2.0

package user

import (
	"regexp"

	"github.com/hashicorp/terraform-plugin-framework-validators/stringvalidator"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
)

// idPattern is Stream's rule for user ids (stream-api.md §13). It also keeps out
// what an HTTP path would take for something else: "", ".", "..", "a/b".
var idPattern = regexp.MustCompile(`^[@\w-]{1,255}$`)

const idRule = "must be 1 to 255 characters of a-z, A-Z, 0-9, @, _ and -, as Stream requires of user ids"

// IDValidators are the validators of every attribute that names a user.
func IDValidators() []validator.String {
	return []validator.String{stringvalidator.RegexMatches(idPattern, idRule)}
}

// validID tells what is wrong with a user id, or "".
func validID(id string) string {
	if idPattern.MatchString(id) {
		return ""
	}
	return "The id " + idRule + "."
}
