// Copyright (c) the terraform-provider-streamchat authors
// SPDX-License-Identifier: MPL-2.0

package user

import (
	"context"
	"regexp"

	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
)

// idPattern is Stream's rule for user ids (stream-api.md §13). It also keeps out
// what an HTTP path would take for something else: "", ".", "..", "a/b".
var idPattern = regexp.MustCompile(`^[@\w-]{1,255}$`)

const idRule = "a user id is 1 to 255 characters of a-z, A-Z, 0-9, @, _ and -, as Stream requires"

// IDValidators are the validators of every attribute that names a user.
func IDValidators() []validator.String { return []validator.String{idValidator{}} }

// idValidator stands in for stringvalidator.RegexMatches, which would print the
// id.
type idValidator struct{}

func (idValidator) Description(context.Context) string               { return idRule }
func (v idValidator) MarkdownDescription(ctx context.Context) string { return v.Description(ctx) }

func (idValidator) ValidateString(_ context.Context, req validator.StringRequest, resp *validator.StringResponse) {
	if req.ConfigValue.IsNull() || req.ConfigValue.IsUnknown() {
		return
	}
	if problem := validID(req.ConfigValue.ValueString()); problem != "" {
		resp.Diagnostics.AddAttributeError(req.Path, "Invalid user id", problem)
	}
}

// validID tells what is wrong with a user id, or "".
func validID(id string) string {
	if idPattern.MatchString(id) {
		return ""
	}
	return "This is not a user id: " + idRule + ". Nothing was sent."
}
