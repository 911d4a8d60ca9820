// Copyright (c) the terraform-provider-streamchat authors
// SPDX-License-Identifier: MPL-2.0

package user

import (
	"context"
	"fmt"
	"strings"

	"github.com/hashicorp/terraform-plugin-framework-validators/objectvalidator"
	"github.com/hashicorp/terraform-plugin-framework-validators/stringvalidator"
	"github.com/hashicorp/terraform-plugin-framework/attr"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/hashicorp/terraform-plugin-framework/types"
	"github.com/hashicorp/terraform-plugin-framework/types/basetypes"

	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/erasure"
	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/lifecycle"
)

// deleteModel is the `delete` block.
type deleteModel struct {
	User          types.String `tfsdk:"user"`
	Messages      types.String `tfsdk:"messages"`
	Conversations types.String `tfsdk:"conversations"`
	Files         types.Bool   `tfsdk:"files"`
	Polls         types.Bool   `tfsdk:"polls"`
	Calls         types.String `tfsdk:"calls"`
}

var deleteTypes = map[string]attr.Type{
	"user": types.StringType, "messages": types.StringType, "conversations": types.StringType,
	"files": types.BoolType, "polls": types.BoolType, "calls": types.StringType,
}

// deleteBlock is the schema of the `delete` block, shared with the batch. It is a block
// because Terraform drops unknown keys of an object without a word: a misspelt `files`
// would delete the files.
func deleteBlock() schema.Block {
	mode := func(name string, modes ...string) schema.StringAttribute {
		return schema.StringAttribute{
			Optional: true, Computed: true, MarkdownDescription: describe("delete." + name),
			Validators: []validator.String{stringvalidator.OneOf(modes...)},
		}
	}
	user := mode("user", "soft", "pruning", "hard")
	user.Optional, user.Computed, user.Required = false, false, true
	calls := mode("calls", "soft", "hard")
	calls.Computed = false
	flag := func(name string) schema.Attribute {
		return schema.BoolAttribute{Optional: true, Computed: true, MarkdownDescription: describe("delete." + name)}
	}
	return schema.SingleNestedBlock{
		MarkdownDescription: describe("delete"),
		Validators:          []validator.Object{objectvalidator.IsRequired(), hardTakesAll{}},
		Attributes: map[string]schema.Attribute{
			"user":          user,
			"messages":      mode("messages", "soft", "pruning", "hard"),
			"conversations": mode("conversations", "soft", "hard"),
			"files":         flag("files"),
			"polls":         flag("polls"),
			"calls":         calls,
		},
	}
}

// readScope reads the `delete` block with its defaults. ok is false when it is
// null. Nobody approves what is not known: unknown values are errors.
func readScope(ctx context.Context, object types.Object) (scope erasure.UserScope, ok bool, diags diag.Diagnostics) {
	root := path.Root("delete")
	if object.IsNull() {
		return scope, false, nil
	}
	if object.IsUnknown() {
		return scope, false, diag.Diagnostics{lifecycle.NotKnown(root)}
	}
	var d deleteModel
	diags.Append(object.As(ctx, &d, basetypes.ObjectAsOptions{})...)
	for _, option := range []struct {
		name  string
		value attr.Value
	}{{"user", d.User}, {"messages", d.Messages}, {"conversations", d.Conversations}, {"files", d.Files}, {"polls", d.Polls}, {"calls", d.Calls}} {
		if option.value.IsUnknown() {
			diags.Append(lifecycle.NotKnown(root.AtName(option.name)))
		}
	}
	if diags.HasError() {
		return scope, false, diags
	}
	return erasure.Defaulted(erasure.Mode(d.User.ValueString()), mode(d.Messages), mode(d.Conversations), mode(d.Calls), d.Files.ValueBoolPointer(), d.Polls.ValueBoolPointer()), true, diags
}

func mode(s types.String) *erasure.Mode {
	if s.IsNull() {
		return nil
	}
	m := erasure.Mode(s.ValueString())
	return &m
}

// writeScope is the inverse of readScope, all defaults spelled out.
func writeScope(ctx context.Context, s erasure.UserScope) (types.Object, diag.Diagnostics) {
	text := func(m erasure.Mode) types.String {
		if m == erasure.Untouched {
			return types.StringNull()
		}
		return types.StringValue(string(m))
	}
	return types.ObjectValueFrom(ctx, deleteTypes, deleteModel{
		User: text(s.User), Messages: text(s.Messages), Conversations: text(s.Conversations), Calls: text(s.Calls),
		Files: types.BoolValue(s.Files), Polls: types.BoolValue(s.Polls),
	})
}

// hardTakesAll is the rule that Stream documents for hard deletions (stream-api.md §2),
// as far as values are known.
type hardTakesAll struct{}

func (hardTakesAll) Description(context.Context) string {
	return "a hard deletion of a user takes messages and conversations"
}

func (v hardTakesAll) MarkdownDescription(ctx context.Context) string { return v.Description(ctx) }

func (hardTakesAll) ValidateObject(ctx context.Context, req validator.ObjectRequest, resp *validator.ObjectResponse) {
	if req.ConfigValue.IsNull() || req.ConfigValue.IsUnknown() {
		return
	}
	var d deleteModel
	resp.Diagnostics.Append(req.ConfigValue.As(ctx, &d, basetypes.ObjectAsOptions{})...)
	if resp.Diagnostics.HasError() || d.User.ValueString() != string(erasure.Hard) {
		return
	}
	for _, part := range []struct {
		name  string
		value types.String
	}{{"messages", d.Messages}, {"conversations", d.Conversations}} {
		if !part.value.IsNull() && !part.value.IsUnknown() && part.value.ValueString() != string(erasure.Hard) {
			resp.Diagnostics.AddAttributeError(req.Path.AtName(part.name), "Hard deletion needs hard "+part.name, fmt.Sprintf(
				"Stream requires messages and conversations to be \"hard\" when user is \"hard\", but %s is %q. Nothing was sent. Leave %s out (it then follows the user), or choose a weaker mode for the user.",
				part.name, part.value.ValueString(), part.name))
		}
	}
}

// effect says in words what a scope takes, for the plan's warning.
func effect(s erasure.UserScope) string {
	var gone, emptied, marked []string
	part := func(what string, m erasure.Mode) {
		switch m {
		case erasure.Hard:
			gone = append(gone, what)
		case erasure.Pruning:
			emptied = append(emptied, what)
		case erasure.Soft:
			marked = append(marked, what)
		case erasure.Untouched:
		}
	}
	flag := func(what string, yes bool) {
		if yes {
			part(what, erasure.Hard)
		}
	}
	part("the user", s.User)
	part("messages", s.Messages)
	part("two-member conversations", s.Conversations)
	flag("uploaded files", s.Files)
	flag("polls", s.Polls)
	part("calls", s.Calls)
	var said []string
	for _, group := range []struct {
		how  string
		what []string
	}{{"Will be gone for good", gone}, {"Will be emptied", emptied}, {"Will be marked as deleted", marked}} {
		if len(group.what) > 0 {
			said = append(said, group.how+": "+strings.Join(group.what, ", ")+".")
		}
	}
	return strings.Join(said, " ")
}
