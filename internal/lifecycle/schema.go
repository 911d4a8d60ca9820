// Copyright (c) the terraform-provider-streamchat authors
// SPDX-License-Identifier: MPL-2.0

// Package lifecycle is the lifecycle of a resource that is the record of an
// irreversible act: what its plan shows and refuses, how it is created, resumed and
// escalated, what it keeps and what it forgets. It is written once, for many subjects; the
// record of one is a batch of one. A noun (user, channel, message) adds its subjects and
// its scope, and how the records lie in its state ([One] or [Many]).
package lifecycle

import (
	"context"
	_ "embed"
	"maps"
	"time"

	"github.com/hashicorp/terraform-plugin-framework-timeouts/resource/timeouts"
	"github.com/hashicorp/terraform-plugin-framework-validators/listvalidator"
	"github.com/hashicorp/terraform-plugin-framework-validators/stringvalidator"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/stringdefault"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/prose"
)

// Values of on_missing and on_destroy.
const (
	MissingFail    = "fail"
	MissingRecord  = "record"
	DestroyForget  = "forget"
	DestroyRestore = "restore"
)

//go:embed descriptions.md
var descriptions string

var describe = prose.Text(descriptions)

// attributes are those of every record of erasures; users are those whose subjects may be
// restricted first, or be back.
func attributes(ctx context.Context, many, restores, users bool) map[string]schema.Attribute {
	onDestroy, actions := describe("on_destroy"), []string{DestroyForget}
	if restores {
		onDestroy, actions = describe("on_destroy, restoring"), append(actions, DestroyRestore)
	}
	own, status := oneAttributes(), describe("status")
	if many {
		own, status = manyAttributes(users), describe("status, many")
	}
	if users {
		status += " " + describe("status, users")
	}
	computed := func(description string) schema.Attribute {
		return schema.StringAttribute{Computed: true, MarkdownDescription: description}
	}
	choice := func(description, first string, values ...string) schema.Attribute {
		return schema.StringAttribute{
			Optional: true, Computed: true, Default: stringdefault.StaticString(first), MarkdownDescription: description,
			Validators: []validator.String{stringvalidator.OneOf(values...)},
		}
	}
	maps.Copy(own, BookkeepingAttributes("erasure"))
	maps.Copy(own, map[string]schema.Attribute{
		"exports": schema.ListAttribute{
			Optional: true, ElementType: types.StringType, MarkdownDescription: describe("exports"),
			Validators: []validator.List{listvalidator.SizeAtLeast(1), listvalidator.NoNullValues()},
		},
		"on_missing":   choice(describe("on_missing"), MissingFail, MissingFail, MissingRecord),
		"on_destroy":   choice(onDestroy, DestroyForget, actions...),
		"irreversible": schema.BoolAttribute{Computed: true, MarkdownDescription: describe("irreversible")},
		"not_covered":  schema.ListAttribute{Computed: true, ElementType: types.StringType, MarkdownDescription: describe("not_covered")},
		"app_name":     computed(describe("app_name")),
		"app_id":       computed(describe("app_id")),
		"status":       computed(status),
		"receipt":      computed(describe("receipt")),
		"guards":       schema.MapAttribute{Computed: true, ElementType: types.StringType, MarkdownDescription: describe("guards")},
		"timeouts": Timeouts(ctx, timeouts.Opts{
			Create: true, CreateDescription: describe("timeouts.create"),
			Update: true, UpdateDescription: describe("timeouts.update"),
		}),
	})
	return own
}

// Timeouts is the attribute of timeouts, all of them above zero.
func Timeouts(ctx context.Context, opts timeouts.Opts) schema.Attribute {
	attribute, ok := timeouts.Attributes(ctx, opts).(schema.SingleNestedAttribute)
	if !ok {
		return timeouts.Attributes(ctx, opts)
	}
	for name, nested := range attribute.Attributes {
		if text, ok := nested.(schema.StringAttribute); ok {
			text.Validators = append(text.Validators, positive{})
			attribute.Attributes[name] = text
		}
	}
	return attribute
}

// positive refuses a time in which nothing can be done.
type positive struct{}

func (positive) Description(context.Context) string               { return "a duration above zero" }
func (v positive) MarkdownDescription(ctx context.Context) string { return v.Description(ctx) }

func (positive) ValidateString(_ context.Context, req validator.StringRequest, resp *validator.StringResponse) {
	d, err := time.ParseDuration(req.ConfigValue.ValueString())
	if err == nil && d < 100*time.Millisecond {
		resp.Diagnostics.AddAttributeError(req.Path, "Timeout too short",
			"Within less than a tenth of a second nothing can be asked of Stream. Nothing was sent. Give a longer duration, e.g. \"30m\", or leave it out for the default.")
	}
}
