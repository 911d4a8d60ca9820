// Copyright (c) the terraform-provider-streamchat authors
// SPDX-License-Identifier: MPL-2.0

package provider

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"sync/atomic"

	"github.com/hashicorp/terraform-plugin-framework-timetypes/timetypes"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/provider"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/erasure"
	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/privatefile"
	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/receipt"
	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/session"
	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/stream"
)

// Defaults of the provider's configuration.
const (
	defaultMaxRetries  = 5
	defaultMaxErasures = 100
	// Stream takes 300 updates of users a minute; a plan leaves most of them.
	probesPerPlan = 50
)

// The environment variables of an attribute, first that is set.
var environment = map[string][]string{
	"api_key":       {"STREAM_API_KEY", "STREAM_KEY"},
	"api_secret":    {"STREAM_API_SECRET", "STREAM_SECRET"},
	"base_url":      {"STREAM_CHAT_URL", "STREAM_BASE_URL"},
	"pseudonym_key": {"STREAMCHAT_PSEUDONYM_KEY"},
	"receipts_dir":  {"STREAMCHAT_RECEIPTS_DIR"},
}

type config struct {
	APIKey               types.String         `tfsdk:"api_key"`
	APISecret            types.String         `tfsdk:"api_secret"`
	BaseURL              types.String         `tfsdk:"base_url"`
	RequestTimeout       timetypes.GoDuration `tfsdk:"request_timeout"`
	MaxRetries           types.Int64          `tfsdk:"max_retries"`
	PseudonymKey         types.String         `tfsdk:"pseudonym_key"`
	ReceiptsDir          types.String         `tfsdk:"receipts_dir"`
	AllowUnknownSubjects types.Bool           `tfsdk:"allow_unknown_subjects"`
	ExpectedAppName      types.String         `tfsdk:"expected_app_name"`
	ProtectedUserIDs     types.Set            `tfsdk:"protected_user_ids"`
	ProtectedRoles       types.Set            `tfsdk:"protected_roles"`
	MaxErasures          types.Int64          `tfsdk:"max_erasures"`
	HoldField            types.String         `tfsdk:"hold_field"`
	DeleteCallsPerMinute types.Int64          `tfsdk:"delete_calls_per_minute"`
	VerifyCompleted      types.Bool           `tfsdk:"verify_completed"`
	RetentionFloorHours  types.Int64          `tfsdk:"retention_floor_hours"`
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
	s := p.newSession(ctx, c, req.Config.Raw.IsFullyKnown(), &resp.Diagnostics)
	resp.ResourceData, resp.DataSourceData, resp.EphemeralResourceData = s, s, s
	resp.ActionData, resp.ListResourceData = s, s
}

func (p *streamchat) newSession(ctx context.Context, c config, known bool, diags *diag.Diagnostics) *session.Session {
	s := p.connect(c, known, diags)
	guards := erasure.Guards{}
	if !s.Undetermined {
		guards = c.guards(ctx, diags)
	}
	p.wire(s, c, guards)
	return s
}

// connect makes a session that can talk to Stream, or says why it cannot. known: no value
// of the configuration waits for an apply.
func (p *streamchat) connect(c config, known bool, diags *diag.Diagnostics) *session.Session {
	receipts := fromEnvironment("receipts_dir", c.ReceiptsDir)
	s := &session.Session{
		Clock: p.clock, Version: p.version,
		Pseudonyms:           erasure.Pseudonyms(fromEnvironment("pseudonym_key", c.PseudonymKey)),
		KeyOpen:              c.PseudonymKey.IsUnknown(),
		Receipts:             receipt.NewDir(receipts),
		AllowUnknownSubjects: c.AllowUnknownSubjects.ValueBool(),
		VerifyCompleted:      c.VerifyCompleted.ValueBool(),
		RetentionFloorHours:  c.RetentionFloorHours.ValueInt64(),
		DeleteCallsPerMinute: int(orDefault(c.DeleteCallsPerMinute, stream.DeleteUsersPerMinute)),
	}
	if !known {
		s.Undetermined = true
		return s
	}
	diags.Append(unfit(s, receipts)...)
	sc := p.streamConfig(c, s, diags)
	if s.NotReady = missingCredentials(sc); diags.HasError() || s.NotReady.HasError() {
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
	return s
}

// unfit refuses what a validator would, had it seen the environment.
func unfit(s *session.Session, receipts string) (diags diag.Diagnostics) {
	if s.Pseudonyms != "" {
		diags.Append(weak(s.Pseudonyms)...)
	}
	if err := privatefile.CheckPath(receipts); err != nil {
		diags.AddAttributeError(path.Root("receipts_dir"), "Invalid path", "The provider's receipts_dir is refused: "+err.Error()+". Nothing was sent.")
	}
	return diags
}

// weak refuses a key that can be found by trying.
func weak(key erasure.Pseudonyms) (diags diag.Diagnostics) {
	const least = 16
	if len(strings.TrimSpace(string(key))) < least {
		diags.AddAttributeError(path.Root("pseudonym_key"), "Weak pseudonym_key", fmt.Sprintf("The provider's pseudonym_key has fewer than %d bytes: "+
			"whoever has a receipt could try keys until it names somebody. Nothing was sent. Set a secret that is drawn by lot, e.g. by \"openssl rand -hex 32\", and keep it with the receipts.", least))
	}
	return diags
}

// streamConfig is how Stream is reached.
func (p *streamchat) streamConfig(c config, s *session.Session, diags *diag.Diagnostics) stream.Config {
	sc := stream.Config{
		APIKey:               fromEnvironment("api_key", c.APIKey),
		APISecret:            fromEnvironment("api_secret", c.APISecret),
		BaseURL:              fromEnvironment("base_url", c.BaseURL),
		RequestTimeout:       stream.DefaultTimeout,
		MaxRetries:           int(orDefault(c.MaxRetries, defaultMaxRetries)),
		DeleteCallsPerMinute: s.DeleteCallsPerMinute,
		Version:              p.version,
		Clock:                p.clock,
		Transport:            p.transport,
	}
	sc.Log = logger(sc.APISecret, sc.APIKey, string(s.Pseudonyms))
	if !c.RequestTimeout.IsNull() {
		d, dd := c.RequestTimeout.ValueGoDuration()
		diags.Append(dd...)
		if d <= 0 {
			diags.AddAttributeError(path.Root("request_timeout"), "Invalid request_timeout",
				"A request needs some time: give a duration above zero, e.g. \"30s\".")
		}
		sc.RequestTimeout = d
	}
	if !c.BaseURL.IsNull() && sc.BaseURL == "" {
		diags.AddAttributeError(path.Root("base_url"), "Invalid base_url",
			"The provider's base_url is empty. Nothing was sent. Leave it out (null) for the environment or the default.")
	}
	return sc
}

// guards is what is refused.
func (c config) guards(ctx context.Context, diags *diag.Diagnostics) erasure.Guards {
	guards := erasure.Guards{HoldField: c.HoldField.ValueString(), HoldSeen: &atomic.Bool{}}
	if stream.OwnField(guards.HoldField) {
		diags.AddAttributeError(path.Root("hold_field"), "Invalid hold_field",
			"This is one of Stream's own fields of a user. Name a custom field that marks a legal hold. Nothing was sent.")
	}
	diags.Append(c.ProtectedUserIDs.ElementsAs(ctx, &guards.ProtectedIDs, false)...)
	diags.Append(c.ProtectedRoles.ElementsAs(ctx, &guards.ProtectedRoles, false)...)
	return guards
}

// wire puts together what the resources share. Without an API the engines only remember
// what a run has seen.
func (p *streamchat) wire(s *session.Session, c config, guards erasure.Guards) {
	s.HoldField, s.HoldSeen = guards.HoldField, guards.HoldSeen
	s.App = &erasure.AppGate{Expected: c.ExpectedAppName.ValueString(), API: s.API}
	s.Ledger = &erasure.Ledger{MaxErasures: int(orDefault(c.MaxErasures, defaultMaxErasures)), Probes: probesPerPlan}
	s.Order = &erasure.Order{API: s.API, Pseudonyms: s.Pseudonyms, Unknown: s.AllowUnknownSubjects}
	s.Users = newEngine(s, erasure.Users{API: s.API, Clock: p.clock, Restrictions: s.API}, guards)
	s.Channels = newEngine(s, erasure.Channels{API: s.API}, guards)
	s.Messages = newEngine(s, erasure.Messages{API: s.API}, guards)
	s.Truncations = newEngine(s, erasure.Truncations{API: s.API}, guards)
	s.Order.Members = func(ctx context.Context, cid string) (erasure.Reach, error) {
		return s.Channels.Reach(ctx, cid, erasure.ChannelScope{})
	}
}

func newEngine[S erasure.Scope[S]](s *session.Session, deed erasure.Deed[S], guards erasure.Guards) *erasure.Engine[S] {
	return erasure.New(erasure.Config[S]{
		Deed: deed, API: s.API, People: erasure.Users{API: s.API}.LookUp,
		Guards: guards, Ledger: s.Ledger, Order: s.Order, App: s.App, Clock: s.Clock, Version: s.Version,
		Pseudonyms: s.Pseudonyms,
	})
}

func missingCredentials(c stream.Config) (diags diag.Diagnostics) {
	for _, credential := range []struct{ name, value string }{{"api_key", c.APIKey}, {"api_secret", c.APISecret}} {
		if credential.value == "" {
			diags.AddError("Missing "+credential.name, fmt.Sprintf("Talking to Stream needs the provider's %s. "+
				"Set it in the provider block, or better in the environment: %s. Nothing was sent.",
				credential.name, strings.Join(environment[credential.name], " or ")))
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
	if v.IsNull() || v.IsUnknown() {
		return def
	}
	return v.ValueInt64()
}
