// Copyright (c) the terraform-provider-streamchat authors
// SPDX-License-Identifier: MPL-2.0

package lifecycle

import (
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/erasure"
)

// NotKnown is the error of a mode that a plan cannot show.
func NotKnown(at path.Path) diag.Diagnostic {
	return diag.NewAttributeErrorDiagnostic(at, "Mode not known in the plan",
		"Nobody can approve a deletion whose modes the plan does not show. Give a literal or a variable. Nothing was sent.")
}

const hardDelete = "hard_delete"

// HardDelete is the attribute of kinds that know two modes. hard and soft say what
// each does.
func HardDelete(hard, soft string) schema.Attribute {
	return schema.BoolAttribute{
		Required:            true,
		MarkdownDescription: "`true`: " + hard + " `false`: " + soft + " " + describe("hard_delete"),
	}
}

// ReadHardness reads the attribute; ok is false when it is null.
func ReadHardness(value types.Bool) (h erasure.Hardness, ok bool, diags diag.Diagnostics) {
	if value.IsUnknown() {
		diags.Append(NotKnown(path.Root(hardDelete)))
	}
	return erasure.Hardness{Hard: value.ValueBool()}, !value.IsNull() && !value.IsUnknown(), diags
}
