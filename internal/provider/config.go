// Copyright (c) the terraform-provider-streamchat authors
// SPDX-License-Identifier: MPL-2.0

package provider

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/hashicorp/terraform-plugin-framework-timetypes/timetypes"
	"github.com/hashicorp/terraform-plugin-framework-validators/int64validator"
	"github.com/hashicorp/terraform-plugin-framework-validators/setvalidator"
	"github.com/hashicorp/terraform-plugin-framework-validators/stringvalidator"
	"github.com/hashicorp/terraform-plugin-framework/attr"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/provider"
	"github.com/hashicorp/terraform-plugin-framework/provider/schema"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/erasure"
	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/session"
	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/stream"
	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/user"
)

// Defaults of the provider's configuration.
const (
	defaultRequestTimeout       = 30 * time.Second
	defaultMaxRetries           = 5
	defaultMaxErasures          = 100
	defaultDeleteCallsPerMinute = 6
	// Stream takes 300 updates of users a minute; a plan leaves most of them.
	probesPerPlan = 50
)

// The environment variables of an attribute, first that is set.
var environment = map[string][]string{
	"api_key":       {"STREAM_API_KEY", "STREAM_KEY"},
	"api_secret":    {"STREAM_API_SECRET", "STREAM_SECRET"},
	"base_url":      {"STREAM_CHAT_URL", "STREAM_BASE_URL"},
	"pseudonym_key": {"STREAMCHAT_PSEUDONYM_KEY"},
}

type config struct {
	APIKey               types.String         `tfsdk:"api_key"`
	APISecret            types.String         `tfsdk:"api_secret"`
	BaseURL              types.String         `tfsdk:"base_url"`
	RequestTimeout       timetypes.GoDuration `tfsdk:"request_timeout"`
	MaxRetries           types.Int64          `tfsdk:"max_retries"`
	PseudonymKey         types.String         `tfsdk:"pseudonym_key"`
	AllowUnknownSubjects types.Bool           `tfsdk:"allow_unknown_subjects"`
	ExpectedAppName      types.String         `tfsdk:"expected_app_name"`
	ProtectedUserIDs     types.Set            `tfsdk:"protected_user_ids"`
	ProtectedRoles       types.Set            `tfsdk:"protected_roles"`
	MaxErasures          types.Int64          `tfsdk:"max_erasures"`
	HoldField            types.String         `tfsdk:"hold_field"`
	DeleteCallsPerMinute types.Int64          `tfsdk:"delete_calls_per_minute"`
}

// Schema implements provider.Provider.
func (p *streamchat) Schema(_ context.Context, _ provider.SchemaRequest, resp *provider.SchemaResponse) {
	env := func(name string) string {
		return " Environment: `" + strings.Join(environment[name], "`, else `") + "`."
	}
	resp.Schema = schema.Schema{
		MarkdownDescription: "Erases and exports people's data at Stream Chat, as reviewed lines of HCL: declared once, applied once, proved.",
		Attributes: map[string]schema.Attribute{
			"api_key":    schema.StringAttribute{Optional: true, MarkdownDescription: "The API key of the Stream app." + env("api_key")},
			"api_secret": schema.StringAttribute{Optional: true, Sensitive: true, MarkdownDescription: "The API secret of the Stream app. Never in a log, a diagnostic or a URL." + env("api_secret")},
			"base_url": schema.StringAttribute{
				Optional: true,
				MarkdownDescription: "Where Stream's API is: an absolute `https` URL; `http` only for this machine. Default `" + stream.DefaultBaseURL + "`." +
					env("base_url"),
				Validators: []validator.String{baseURLValidator{}},
			},
			"request_timeout": schema.StringAttribute{
				Optional: true, CustomType: timetypes.GoDurationType{},
				MarkdownDescription: "How long one HTTP exchange may take, e.g. `\"45s\"`. Default `30s`.",
			},
			"max_retries": schema.Int64Attribute{
				Optional: true, MarkdownDescription: "How often a request is repeated that failed and is safe to repeat. Waiting for a rate limit does not count. Default 5.",
				Validators: []validator.Int64{int64validator.Between(0, 50)},
			},
			"pseudonym_key": schema.StringAttribute{
				Optional: true, Sensitive: true,
				MarkdownDescription: "Key of the HMAC-SHA-256 that stands for a person in receipts. Keep it where the auditor can get at it: with it, a receipt can be matched to a known id; without it, to nobody." + env("pseudonym_key"),
				Validators:          []validator.String{stringvalidator.LengthAtLeast(1)},
			},
			"allow_unknown_subjects": schema.BoolAttribute{Optional: true, MarkdownDescription: "Let a plan pass whose subjects are only known at apply. Nobody can review such a plan. Default false."},
			"expected_app_name":      schema.StringAttribute{Optional: true, Validators: []validator.String{stringvalidator.LengthAtLeast(1)}, MarkdownDescription: "The wrong-app guard: the name that the Stream app must have (as `GET /app` says), else nothing is sent."},
			"protected_user_ids": schema.SetAttribute{
				Optional: true, ElementType: types.StringType,
				MarkdownDescription: "Users that can never be erased: a plan that does is an error.",
				Validators:          []validator.Set{setvalidator.NoNullValues(), setvalidator.ValueStringsAre(user.IDValidators()...)},
			},
			"protected_roles": schema.SetAttribute{
				Optional: true, ElementType: types.StringType,
				MarkdownDescription: "Users with one of these roles can never be erased, e.g. `[\"admin\"]`: a plan that does is an error.",
				Validators:          []validator.Set{setvalidator.NoNullValues(), setvalidator.ValueStringsAre(stringvalidator.LengthAtLeast(1))},
			},
			"max_erasures": schema.Int64Attribute{
				Optional:            true,
				MarkdownDescription: "How many distinct subjects one run may newly erase; one more is an error. It stops a runaway `for_each`; a campaign raises it in a reviewed line. Default 100.",
				Validators:          []validator.Int64{int64validator.AtLeast(1)},
			},
			"hold_field": schema.StringAttribute{
				Optional:            true,
				MarkdownDescription: "The name of a custom user field that marks a legal hold: a user in whom it is truthy (anything but absent, null, false, 0 and \"\") cannot be erased.",
				Validators:          []validator.String{stringvalidator.LengthAtLeast(1)},
			},
			"delete_calls_per_minute": schema.Int64Attribute{
				Optional:            true,
				MarkdownDescription: "How many `POST /users/delete` calls a minute this provider may use. Default 6, which is Stream's limit; lower it to leave room for your app's own back end.",
				Validators:          []validator.Int64{int64validator.Between(1, 1000)},
			},
		},
	}
}

// Configure implements provider.Provider. Terraform configures every declared
// provider, also one without resources and one whose values are not known yet,
// so what is missing is only an error once something needs Stream.
func (p *streamchat) Configure(ctx context.Context, req provider.ConfigureRequest, resp *provider.ConfigureResponse) {
	var c config
	resp.Diagnostics.Append(req.Config.Get(ctx, &c)...)
	if resp.Diagnostics.HasError() {
		return
	}
	s := p.newSession(ctx, c, &resp.Diagnostics)
	resp.ResourceData, resp.DataSourceData = s, s
}

func (p *streamchat) newSession(ctx context.Context, c config, diags *diag.Diagnostics) *session.Session {
	s := &session.Session{
		Clock: p.clock, Version: p.version,
		PseudonymKey:         fromEnvironment("pseudonym_key", c.PseudonymKey),
		AllowUnknownSubjects: c.AllowUnknownSubjects.ValueBool(),
	}
	for _, v := range []attr.Value{
		c.APIKey, c.APISecret, c.BaseURL, c.RequestTimeout, c.MaxRetries, c.PseudonymKey, c.AllowUnknownSubjects,
		c.ExpectedAppName, c.ProtectedUserIDs, c.ProtectedRoles, c.MaxErasures, c.HoldField, c.DeleteCallsPerMinute,
	} {
		tf, err := v.ToTerraformValue(ctx)
		if err != nil || !tf.IsFullyKnown() {
			s.Undetermined = true
			return s
		}
	}
	s.DeleteCallsPerMinute = int(orDefault(c.DeleteCallsPerMinute, defaultDeleteCallsPerMinute))
	sc := stream.Config{
		APIKey:               fromEnvironment("api_key", c.APIKey),
		APISecret:            fromEnvironment("api_secret", c.APISecret),
		BaseURL:              fromEnvironment("base_url", c.BaseURL),
		RequestTimeout:       defaultRequestTimeout,
		MaxRetries:           int(orDefault(c.MaxRetries, defaultMaxRetries)),
		DeleteCallsPerMinute: s.DeleteCallsPerMinute,
		Version:              p.version,
		Clock:                p.clock,
		Transport:            p.transport,
	}
	sc.Log = logger(sc.APISecret, sc.APIKey, s.PseudonymKey)
	if !c.RequestTimeout.IsNull() {
		d, dd := c.RequestTimeout.ValueGoDuration()
		diags.Append(dd...)
		if d <= 0 {
			diags.AddAttributeError(path.Root("request_timeout"), "Invalid request_timeout", "A request needs some time: give a duration above zero, e.g. \"30s\".")
		}
		sc.RequestTimeout = d
	}
	if !c.BaseURL.IsNull() && sc.BaseURL == "" {
		diags.AddAttributeError(path.Root("base_url"), "Invalid base_url", "The provider's base_url is empty. Nothing was sent. Leave it out (null) for the environment or the default.")
		return s
	}
	if stream.OwnField(c.HoldField.ValueString()) {
		diags.AddAttributeError(path.Root("hold_field"), "Invalid hold_field", "This is one of Stream's own fields of a user. Name a custom field that marks a legal hold. Nothing was sent.")
		return s
	}
	if s.NotReady = missingCredentials(sc); s.NotReady.HasError() {
		return s
	}
	api, err := stream.New(sc)
	if err != nil {
		var ce *stream.ConfigError
		at := path.Empty()
		if errors.As(err, &ce) {
			at = path.Root(ce.Field)
		}
		diags.AddAttributeError(at, "Invalid provider configuration", fmt.Sprintf("The value of %s. Nothing was sent.", err))
		return s
	}
	s.API = api
	guards := erasure.Guards{HoldField: c.HoldField.ValueString()}
	diags.Append(c.ProtectedUserIDs.ElementsAs(ctx, &guards.ProtectedIDs, false)...)
	diags.Append(c.ProtectedRoles.ElementsAs(ctx, &guards.ProtectedRoles, false)...)
	s.App = &erasure.AppGate{Expected: c.ExpectedAppName.ValueString(), Get: func(ctx context.Context) (string, error) {
		app, err := api.App(ctx)
		return app.Name, err
	}}
	s.Ledger = &erasure.Ledger{MaxErasures: int(orDefault(c.MaxErasures, defaultMaxErasures)), Probes: probesPerPlan}
	s.Users = newEngine(s, erasure.Users{API: api, Clock: p.clock}, guards)
	// The guards protect people: they do not apply to what people wrote.
	s.Channels = newEngine(s, erasure.Channels{API: api}, erasure.Guards{})
	s.Messages = newEngine(s, erasure.Messages{API: api}, erasure.Guards{})
	s.Truncations = newEngine(s, erasure.Truncations{API: api}, erasure.Guards{})
	return s
}

func newEngine[S erasure.Scope[S]](s *session.Session, deed erasure.Deed[S], guards erasure.Guards) *erasure.Engine[S] {
	return erasure.New(erasure.Config[S]{Deed: deed, Guards: guards, Ledger: s.Ledger, App: s.App, Clock: s.Clock, Version: s.Version})
}

func missingCredentials(c stream.Config) (diags diag.Diagnostics) {
	for name, value := range map[string]string{"api_key": c.APIKey, "api_secret": c.APISecret} {
		if value == "" {
			diags.AddError("Missing "+name, fmt.Sprintf("Talking to Stream needs the provider's %s. Set it in the provider block, or better in the environment: %s. Nothing was sent.", name, strings.Join(environment[name], " or ")))
		}
	}
	return diags
}

func fromEnvironment(name string, v types.String) string {
	if !v.IsNull() && !v.IsUnknown() {
		return v.ValueString()
	}
	for _, variable := range environment[name] {
		if value := os.Getenv(variable); value != "" {
			return value
		}
	}
	return ""
}

func orDefault(v types.Int64, def int64) int64 {
	if v.IsNull() {
		return def
	}
	return v.ValueInt64()
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
		resp.Diagnostics.AddAttributeError(req.Path, "Invalid base_url", "The provider's base_url is empty. It is not taken for the default, because a deletion sent to the wrong place is worse than none. Leave it out (null) for the environment or the default.")
		return
	}
	if _, err := stream.ParseBaseURL(req.ConfigValue.ValueString()); err != nil {
		resp.Diagnostics.AddAttributeError(req.Path, "Invalid base_url", fmt.Sprintf("The provider's %s. A deletion sent to the wrong place is worse than none, so nothing is sent.", err))
	}
}
