// Copyright (c) the terraform-provider-streamchat authors
// SPDX-License-Identifier: MPL-2.0

package provider

import (
	"context"
	"fmt"
	"maps"
	"strings"

	"github.com/hashicorp/terraform-plugin-framework-timetypes/timetypes"
	"github.com/hashicorp/terraform-plugin-framework-validators/int64validator"
	"github.com/hashicorp/terraform-plugin-framework-validators/setvalidator"
	"github.com/hashicorp/terraform-plugin-framework-validators/stringvalidator"
	"github.com/hashicorp/terraform-plugin-framework/provider"
	"github.com/hashicorp/terraform-plugin-framework/provider/schema"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/erasure"
	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/privatefile"
	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/stream"
	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/user"
)

// Schema implements provider.Provider.
func (p *streamchat) Schema(_ context.Context, _ provider.SchemaRequest, resp *provider.SchemaResponse) {
	resp.Schema = schema.Schema{
		MarkdownDescription: "Erases and exports people's data at Stream Chat, as reviewed lines of HCL: declared once, applied once, proved.",
		Attributes:          connectionAttributes(),
	}
	maps.Copy(resp.Schema.Attributes, guardAttributes())
}

// connectionAttributes say how Stream is reached.
func connectionAttributes() map[string]schema.Attribute {
	env := func(name string) string {
		return " Environment: `" + strings.Join(environment[name], "`, else `") + "`."
	}
	return map[string]schema.Attribute{
		"api_key": schema.StringAttribute{
			Optional:            true,
			MarkdownDescription: "The API key of the Stream app." + env("api_key"),
		},
		"api_secret": schema.StringAttribute{
			Optional: true, Sensitive: true,
			MarkdownDescription: "The API secret of the Stream app. Never in a log, a diagnostic or a URL." + env("api_secret"),
		},
		"base_url": schema.StringAttribute{
			Optional: true,
			MarkdownDescription: "Where Stream's API is: an absolute `https` URL; `http` only for this machine. Default `" +
				stream.DefaultBaseURL + "`." + env("base_url"),
			Validators: []validator.String{baseURLValidator{}},
		},
		"request_timeout": schema.StringAttribute{
			Optional: true, CustomType: timetypes.GoDurationType{},
			MarkdownDescription: "How long one HTTP exchange may take, e.g. `\"45s\"`. Default `30s`.",
		},
		"max_retries": schema.Int64Attribute{
			Optional: true,
			MarkdownDescription: "How often a request is repeated that failed and is safe to repeat. " +
				"Waiting for a rate limit does not count. Default 5.",
			Validators: []validator.Int64{int64validator.Between(0, 50)},
		},
		"delete_calls_per_minute": schema.Int64Attribute{
			Optional: true,
			MarkdownDescription: "How many `POST /users/delete` calls a minute this provider may use. " +
				"Default 6, which is Stream's limit; lower it to leave room for your app's own back end.",
			Validators: []validator.Int64{int64validator.Between(1, 1000)},
		},
		"pseudonym_key": schema.StringAttribute{
			Optional: true, Sensitive: true,
			MarkdownDescription: "Key of the HMAC-SHA-256 that stands for a person in receipts. Keep it where the auditor can get at it: " +
				"with it, a receipt can be matched to a known id; without it, to nobody. At least 16 bytes, drawn by lot, e.g. by `openssl rand -hex 32`: a shorter one could be found by trying." + env("pseudonym_key"),
			Validators: []validator.String{longKey{}},
		},
		"receipts_dir": schema.StringAttribute{
			Optional: true,
			MarkdownDescription: "A directory into which every apply writes the receipt of each record that it changes, so that the evidence outlives the run " +
				"(also one that ends red), the block and the state. Made when it is missing; a relative path starts where Terraform runs. " +
				"A directory that cannot be written is an error before anything is sent." + env("receipts_dir") +
				"\n\nOne file is one record: `user_erasure-zr5c….json` has the type and a name drawn by lot, which is the `record_id` in the receipt and stays " +
				"with the record when its request, its address or the list of a batch change, or when it is replaced. So no file name tells who somebody is, " +
				"and no record overwrites another's: not that of another app, of a second request of the same person, or of another process. " +
				"A file is readable by its owner alone, is replaced whole, and says what the attribute `receipt` says; " +
				"restrictions, retention policies and exports of channels, which have no such attribute, have a receipt of the same form there. " +
				"When a block is destroyed its file stays, and says when: `forgotten_at`, or what else was done, " +
				"`restored_at`, `reactivated_at` or `removed_at` (a policy). The old half of a replacement says nothing of that kind. " +
				"Nothing that a plan or a refresh finds out is written before the apply that records it.",
			Validators: []validator.String{stringvalidator.LengthAtLeast(1), notHome{}},
		},
	}
}

// reach says how far the guards of people reach.
const reach = " Nor is anything deleted that takes their data along: a conversation with somebody erased, or with several whom one run erases; " +
	"a channel that they are a member or the owner of or wrote in lately; a message that they wrote. What cannot be asked of somebody deleted is an error."

// guardAttributes say what is refused.
func guardAttributes() map[string]schema.Attribute {
	return map[string]schema.Attribute{
		"allow_unknown_subjects": schema.BoolAttribute{
			Optional: true,
			MarkdownDescription: "Let a plan pass whose subjects are only known at apply. " +
				"Nobody can review such a plan. Default false.",
		},
		"expected_app_name": schema.StringAttribute{
			Optional: true,
			MarkdownDescription: "The wrong-app guard: the name that the Stream app must have (as `GET /app` says), " +
				"else nothing is sent.",
			Validators: []validator.String{stringvalidator.LengthAtLeast(1), trimmed{}},
		},
		"protected_user_ids": schema.SetAttribute{
			Optional: true, ElementType: types.StringType,
			MarkdownDescription: "Users that can never be erased: a plan that does is an error." + reach,
			Validators:          []validator.Set{setvalidator.NoNullValues(), setvalidator.ValueStringsAre(user.IDValidators()...)},
		},
		"protected_roles": schema.SetAttribute{
			Optional: true, ElementType: types.StringType,
			MarkdownDescription: "Users with one of these roles can never be erased, e.g. `[\"admin\"]`: a plan that does is an error." + reach,
			Validators: []validator.Set{
				setvalidator.NoNullValues(), setvalidator.ValueStringsAre(stringvalidator.LengthAtLeast(1), trimmed{}),
			},
		},
		"max_erasures": schema.Int64Attribute{
			Optional: true,
			MarkdownDescription: "How many distinct subjects one run may newly erase; one more is an error. " +
				"It stops a runaway `for_each`; a campaign raises it in a reviewed line. Default 100.",
			Validators: []validator.Int64{int64validator.AtLeast(1)},
		},
		"hold_field": schema.StringAttribute{
			Optional: true,
			MarkdownDescription: "The name of a custom user field that marks a legal hold: " +
				"a user in whom it is truthy (anything but absent, null, false, 0 and \"\") cannot be erased." + reach +
				" A plan warns where nobody who was looked up has the field.",
			Validators: []validator.String{stringvalidator.LengthAtLeast(1), trimmed{}},
		},
		"verify_completed": schema.BoolAttribute{
			Optional: true,
			MarkdownDescription: "Let every refresh look completed user records up, 100 a query: one who is there again becomes `reverted`, " +
				"and the next apply sends the deletion once more. For the replay after a restored back-up. Default false.",
		},
		"retention_floor_hours": schema.Int64Attribute{
			Optional:            true,
			MarkdownDescription: "The shortest `max_age_hours` that a `streamchat_retention_policy` may have; a shorter one is a plan error.",
			Validators:          []validator.Int64{int64validator.AtLeast(1)},
		},
	}
}

// baseURLValidator finds a wrong URL at validate.
type baseURLValidator struct{}

func (baseURLValidator) Description(context.Context) string {
	return "an absolute http(s) URL; http only for loopback hosts"
}

func (v baseURLValidator) MarkdownDescription(ctx context.Context) string { return v.Description(ctx) }

func (baseURLValidator) ValidateString(_ context.Context, req validator.StringRequest, resp *validator.StringResponse) {
	if req.ConfigValue.IsNull() || req.ConfigValue.IsUnknown() {
		return
	}
	if req.ConfigValue.ValueString() == "" {
		resp.Diagnostics.AddAttributeError(req.Path, "Invalid base_url", "The provider's base_url is empty. "+
			"It is not taken for the default, because a deletion sent to the wrong place is worse than none. "+
			"Leave it out (null) for the environment or the default.")
		return
	}
	if _, err := stream.ParseBaseURL(req.ConfigValue.ValueString()); err != nil {
		resp.Diagnostics.AddAttributeError(req.Path, "Invalid base_url",
			fmt.Sprintf("The provider's %s. A deletion sent to the wrong place is worse than none, so nothing is sent.", err))
	}
}

// notHome refuses a path that begins with ~, which only a shell makes a home directory of.
type notHome struct{}

func (notHome) Description(context.Context) string { return "no path that begins with ~" }

func (v notHome) MarkdownDescription(ctx context.Context) string { return v.Description(ctx) }

func (notHome) ValidateString(_ context.Context, req validator.StringRequest, resp *validator.StringResponse) {
	if err := privatefile.CheckPath(req.ConfigValue.ValueString()); err != nil {
		resp.Diagnostics.AddAttributeError(req.Path, "Invalid path", "The provider's configuration is refused: "+err.Error()+". Nothing was sent.")
	}
}

// longKey refuses a key that can be found by trying.
type longKey struct{}

func (longKey) Description(context.Context) string { return "at least 16 bytes" }

func (v longKey) MarkdownDescription(ctx context.Context) string { return v.Description(ctx) }

func (longKey) ValidateString(_ context.Context, req validator.StringRequest, resp *validator.StringResponse) {
	if !req.ConfigValue.IsNull() && !req.ConfigValue.IsUnknown() {
		resp.Diagnostics.Append(weak(erasure.Pseudonyms(req.ConfigValue.ValueString()))...)
	}
}

// trimmed refuses white space around a guard's value, which would never match anybody.
type trimmed struct{}

func (trimmed) Description(context.Context) string { return "no white space around it" }

func (v trimmed) MarkdownDescription(ctx context.Context) string { return v.Description(ctx) }

func (trimmed) ValidateString(_ context.Context, req validator.StringRequest, resp *validator.StringResponse) {
	if value := req.ConfigValue.ValueString(); strings.TrimSpace(value) != value {
		resp.Diagnostics.AddAttributeError(req.Path, "White space around the value",
			"A guard with white space around its value matches nobody, so that it would protect nobody. Nothing was sent. "+
				"Use trimspace, or take it out.")
	}
}
