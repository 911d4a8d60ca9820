// Copyright (c) the terraform-provider-streamchat authors
// SPDX-License-Identifier: MPL-2.0

package lifecycle

import (
	"context"
	"fmt"
	"strings"

	"github.com/hashicorp/terraform-plugin-framework-validators/listvalidator"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/hashicorp/terraform-plugin-framework/types"
)

// ID is Stream's rule for one kind of id.
type ID struct {
	// Name is what the id is called, e.g. "user id"; Rule says what it is made of.
	Name, Rule string
	Valid      func(id string) bool
}

// Problem tells what is wrong with an id, or "".
func (i ID) Problem(id string) string {
	if i.Valid(id) {
		return ""
	}
	return "This is not a " + i.Name + ": " + i.Rule + ". Nothing was sent."
}

// Validators are those of every attribute that holds such an id.
func (i ID) Validators() []validator.String { return []validator.String{idValidator{i}} }

// idValidator stands in for stringvalidator.RegexMatches, which would print the
// id.
type idValidator struct{ id ID }

func (v idValidator) Description(context.Context) string             { return v.id.Rule }
func (v idValidator) MarkdownDescription(ctx context.Context) string { return v.Description(ctx) }

func (v idValidator) ValidateString(_ context.Context, req validator.StringRequest, resp *validator.StringResponse) {
	if req.ConfigValue.IsNull() || req.ConfigValue.IsUnknown() {
		return
	}
	if problem := v.id.Problem(req.ConfigValue.ValueString()); problem != "" {
		resp.Diagnostics.AddAttributeError(req.Path, "Invalid "+v.id.Name, problem)
	}
}

// idsValidator checks a list: one error for all that are wrong, by their places.
type idsValidator struct{ id ID }

func (v idsValidator) Description(context.Context) string             { return v.id.Rule }
func (v idsValidator) MarkdownDescription(ctx context.Context) string { return v.Description(ctx) }

func (v idsValidator) ValidateList(_ context.Context, req validator.ListRequest, resp *validator.ListResponse) {
	var wrong []int
	problem, spaced := "", false
	elements := req.ConfigValue.Elements()
	for i, element := range elements {
		id, ok := element.(types.String)
		if !ok || id.IsNull() || id.IsUnknown() {
			continue
		}
		if p := v.id.Problem(id.ValueString()); p != "" {
			wrong, problem = append(wrong, i), p
			spaced = spaced || strings.TrimSpace(id.ValueString()) != id.ValueString()
		}
	}
	if len(wrong) == 0 {
		return
	}
	if spaced {
		problem += " There is white space around it, as from a file with Windows line ends: use trimspace."
	}
	resp.Diagnostics.AddAttributeError(req.Path.AtListIndex(wrong[0]), "Invalid "+v.id.Name, places(req.Path.String(), wrong, len(elements))+".\n\n"+problem)
}

// SubjectList is the attribute that lists a batch's subjects; empty is a batch with
// nobody in it yet.
func SubjectList(what string, id ID) schema.ListAttribute {
	return schema.ListAttribute{
		Required: true, ElementType: types.StringType,
		MarkdownDescription: fmt.Sprintf("%s Up to %d; empty while there is nobody yet. %s", what, MaxBatch, describe("list")),
		Validators:          []validator.List{listvalidator.SizeAtMost(MaxBatch), noNulls{}, idsValidator{id}, noDuplicates{}},
	}
}

// noNulls stands in for listvalidator.NoNullValues, which does not say where.
type noNulls struct{}

func (noNulls) Description(context.Context) string               { return "no element is null" }
func (v noNulls) MarkdownDescription(ctx context.Context) string { return v.Description(ctx) }

func (noNulls) ValidateList(_ context.Context, req validator.ListRequest, resp *validator.ListResponse) {
	var null []int
	elements := req.ConfigValue.Elements()
	for i, element := range elements {
		if element.IsNull() {
			null = append(null, i)
		}
	}
	if len(null) > 0 {
		resp.Diagnostics.AddAttributeError(req.Path.AtListIndex(null[0]), "Null in the list",
			places(req.Path.String(), null, len(elements))+".\n\nAn element is null, so that it names nobody. Nothing was sent. Give an id, or leave the element out (compact drops null and empty ones).")
	}
}

// noDuplicates stands in for listvalidator.UniqueValues, which would print the id.
type noDuplicates struct{}

func (noDuplicates) Description(context.Context) string               { return "no id stands in the list twice" }
func (v noDuplicates) MarkdownDescription(ctx context.Context) string { return v.Description(ctx) }

func (noDuplicates) ValidateList(_ context.Context, req validator.ListRequest, resp *validator.ListResponse) {
	seen := map[string]int{}
	for i, element := range req.ConfigValue.Elements() {
		id, ok := element.(types.String)
		if !ok || id.IsNull() || id.IsUnknown() {
			continue
		}
		if first, twice := seen[id.ValueString()]; twice {
			resp.Diagnostics.AddAttributeError(req.Path.AtListIndex(i), "The same subject twice", fmt.Sprintf("%s repeats %s. List every subject once.", req.Path.AtListIndex(i), req.Path.AtListIndex(first)))
			continue
		}
		seen[id.ValueString()] = i
	}
}
