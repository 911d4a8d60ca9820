// Copyright (c) the terraform-provider-streamchat authors
// SPDX-License-Identifier: MPL-2.0

package user

import (
	"context"
	"fmt"
	"strings"

	"github.com/hashicorp/terraform-plugin-framework-validators/stringvalidator"
	"github.com/hashicorp/terraform-plugin-framework/attr"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/hashicorp/terraform-plugin-framework/types"
	"github.com/hashicorp/terraform-plugin-framework/types/basetypes"

	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/erasure"
	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/record"
)

// deleteModel is the `delete` object.
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

// deleteAttribute is the schema of the `delete` object, shared with the batch.
func deleteAttribute() schema.Attribute {
	mode := func(description string, modes ...string) schema.StringAttribute {
		return schema.StringAttribute{
			Optional: true, Computed: true, MarkdownDescription: description,
			Validators: []validator.String{stringvalidator.OneOf(modes...)},
		}
	}
	user := mode("`\"soft\"`: marked as deleted, all data stays at Stream and can be restored; `\"pruning\"`: marked as deleted, the user's data is emptied; `\"hard\"`: removed for good, with messages and conversations. There is no default: the harm is always spelled out.", "soft", "pruning", "hard")
	user.Optional, user.Computed, user.Required = false, false, true
	calls := mode("Stream Video calls that have two members, this user among them: `\"soft\"` or `\"hard\"`. Untouched when left out.", "soft", "hard")
	calls.Computed = false
	flag := func(description string) schema.Attribute {
		return schema.BoolAttribute{Optional: true, Computed: true, MarkdownDescription: description}
	}
	return schema.SingleNestedAttribute{
		Required: true,
		MarkdownDescription: "What is deleted, and how thoroughly. Everything here is known in the plan. It can be raised later (soft → pruning → hard, or a further scope), which sends one more call; it can never be lowered. " +
			"Only modes that Stream accepted are kept in state.",
		Attributes: map[string]schema.Attribute{
			"user":          user,
			"messages":      mode("The user's messages: `\"soft\"` (marked as deleted, the text stays at Stream), `\"pruning\"` (content emptied, reactions removed) or `\"hard\"` (removed with all that belongs to them). Default `\"hard\"` when `user = \"hard\"`, else untouched.", "soft", "pruning", "hard"),
			"conversations": mode("Channels that have exactly two members, this user among them, with everything that both wrote: `\"soft\"` or `\"hard\"`. Default `\"hard\"` when `user = \"hard\"`, else untouched.", "soft", "hard"),
			"files":         flag("All files and images that the user uploaded. Default true when `user = \"hard\"`, else false."),
			"polls":         flag("The polls that the user created, which would survive their creator: the provider deletes them before the user. Default true when `user = \"hard\"`, else false."),
			"calls":         calls,
		},
	}
}

// readScope reads the `delete` object with its defaults. ok is false when it is
// null. Nobody approves what is not known: unknown values are errors.
func readScope(ctx context.Context, object types.Object) (scope erasure.UserScope, ok bool, diags diag.Diagnostics) {
	root := path.Root("delete")
	if object.IsNull() {
		return scope, false, nil
	}
	if object.IsUnknown() {
		return scope, false, diag.Diagnostics{record.NotKnown(root)}
	}
	var d deleteModel
	diags.Append(object.As(ctx, &d, basetypes.ObjectAsOptions{})...)
	for name, value := range map[string]attr.Value{
		"user": d.User, "messages": d.Messages, "conversations": d.Conversations, "files": d.Files, "polls": d.Polls, "calls": d.Calls,
	} {
		if value.IsUnknown() {
			diags.Append(record.NotKnown(root.AtName(name)))
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

// validateDelete checks the rule that Stream documents for hard deletions
// (stream-api.md §2), as far as values are known.
func validateDelete(ctx context.Context, object types.Object) (diags diag.Diagnostics) {
	if object.IsNull() || object.IsUnknown() {
		return nil
	}
	var d deleteModel
	diags.Append(object.As(ctx, &d, basetypes.ObjectAsOptions{})...)
	if diags.HasError() || d.User.ValueString() != string(erasure.Hard) {
		return diags
	}
	for name, value := range map[string]types.String{"messages": d.Messages, "conversations": d.Conversations} {
		if !value.IsNull() && !value.IsUnknown() && value.ValueString() != string(erasure.Hard) {
			diags.AddAttributeError(path.Root("delete").AtName(name), "Hard deletion needs hard "+name, fmt.Sprintf(
				"Stream requires messages and conversations to be \"hard\" when user is \"hard\", but %s is %q. Nothing was sent. Leave %s out (it then follows the user), or choose a weaker mode for the user.",
				name, value.ValueString(), name))
		}
	}
	return diags
}

// goes says in words what a scope takes, for the plan's warning.
func goes(s erasure.UserScope) string {
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
