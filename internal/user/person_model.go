// Copyright (c) the terraform-provider-streamchat authors
// SPDX-License-Identifier: MPL-2.0

package user

import (
	"context"
	"fmt"

	"github.com/hashicorp/terraform-plugin-framework-timetypes/timetypes"
	"github.com/hashicorp/terraform-plugin-framework-validators/listvalidator"
	"github.com/hashicorp/terraform-plugin-framework-validators/mapvalidator"
	"github.com/hashicorp/terraform-plugin-framework-validators/stringvalidator"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/hashicorp/terraform-plugin-framework/tfsdk"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/erasure"
	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/lifecycle"
	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/session"
)

// person is whom a resource is about: an id that the state keeps, or one that it does not,
// for which a pseudonym stands. A model embeds it.
type person struct {
	UserID   types.String `tfsdk:"user_id"`
	UserIDWO types.String `tfsdk:"user_id_wo"`
	Subject  types.String `tfsdk:"subject"`

	// given is the value of user_id_wo, which only a configuration holds.
	given string
}

// id is that of the person; "" where only the pseudonym is known.
func (p *person) id() string {
	if p.given != "" {
		return p.given
	}
	return p.UserID.ValueString()
}

// key stands for the person in what a run remembers, whether the id is known or not.
func (p *person) key(s *session.Session) string {
	if id := p.id(); id != "" {
		return s.Pseudonyms.Key(id)
	}
	return erasure.Veil(p.Subject.ValueString())
}

// at is the argument that names the person.
func (p *person) at() path.Path {
	if p.UserID.IsNull() {
		return path.Root(hiddenID)
	}
	return userIDPath
}

// identify sets the identity of a resource.
func (p *person) identify(ctx context.Context, identity *tfsdk.ResourceIdentity) diag.Diagnostics {
	key, _, _ := p.Subjects(ctx)
	return lifecycle.IdentifyVeiled(ctx, identity, userIDPath, key[0])
}

// meet takes the person from the configuration and compares it with the record in state, nil
// for a new one. It writes the pseudonym. Where the configuration does not say, only
// that is known.
func (p *person) meet(s *session.Session, config, prior *person, what, instead string) (diags diag.Diagnostics) {
	p.UserID, p.given = config.UserID, config.UserIDWO.ValueString()
	known := !config.UserID.IsUnknown() && !config.UserIDWO.IsUnknown()
	switch {
	case config.UserID.IsNull() && config.UserIDWO.IsNull() && (prior == nil || prior.Named()):
		return append(diags, lifecycle.NobodyNamed(userIDPath, hiddenID))
	case !config.UserIDWO.IsNull() && s.HasKey() && s.Pseudonyms == "":
		return append(diags, lifecycle.NoPseudonymKey(path.Root(hiddenID)))
	case prior == nil && (!known || !s.HasKey()):
		if p.Subject = types.StringUnknown(); !known || config.UserID.IsNull() {
			diags.Append(lifecycle.SubjectNotKnown(p.at(), s)...)
		}
	case prior == nil:
		p.Subject = lifecycle.Text(s.Pseudonyms.Of(p.id()))
	case p.id() == "" && !config.UserID.IsUnknown(): // left out, or an ephemeral value that is not known yet
		if p.Subject = prior.Subject; p.Subject.IsNull() {
			p.Subject = lifecycle.Text(s.Pseudonyms.Of(prior.id())) // a later look compares
		}
	case !config.UserID.IsNull() && config.UserID.Equal(prior.UserID):
		p.Subject = prior.Subject
	case known && (p.id() == prior.UserID.ValueString() || !prior.Subject.IsNull() && s.Pseudonyms.Of(p.id()) == prior.Subject.ValueString()):
		p.Subject = lifecycle.Text(s.Pseudonyms.Of(p.id()))
	case known && (prior.UserID.IsNull() || config.UserID.IsNull()):
		return append(diags, lifecycle.AnotherPerson(p.at()))
	default:
		return append(diags, lifecycle.SubjectChanged(p.at(), what, instead))
	}
	return diags
}

// The argument that names a person without a trace.
const (
	hiddenID  = "user_id_wo"
	hiddenIDs = "user_ids_wo"
)

func personAttributes(what string) map[string]schema.Attribute {
	return map[string]schema.Attribute{
		"user_id": schema.StringAttribute{
			Optional: true, MarkdownDescription: what + " " + describe("instead of user_id_wo"),
			Validators: IDValidators(),
		},
		hiddenID: schema.StringAttribute{
			Optional: true, WriteOnly: true, MarkdownDescription: describe(hiddenID),
			Validators: append(IDValidators(), stringvalidator.ConflictsWith(path.MatchRoot("user_id"))),
		},
		"subject": schema.StringAttribute{Computed: true, MarkdownDescription: describe("subject")},
	}
}

// Named implements lifecycle's veiled.
func (p *person) Named() bool { return !p.UserID.IsNull() }

// Given implements lifecycle's veiled.
func (p *person) Given(context.Context) (ids []string, known, ok bool, diags diag.Diagnostics) {
	return []string{p.UserIDWO.ValueString()}, !p.UserIDWO.IsUnknown(), !p.UserIDWO.IsNull(), nil
}

// Pseudonym implements lifecycle's veiled.
func (p *person) Pseudonym() *types.String { return &p.Subject }

// Subjects implements lifecycle's model.
func (p *person) Subjects(context.Context) ([]string, bool, diag.Diagnostics) {
	return lifecycle.VeiledSubject(p.UserID, p.Subject)
}

// people are many persons, for the records of a batch.
type people struct {
	UserIDs   types.List   `tfsdk:"user_ids"`
	UserIDsWO types.List   `tfsdk:"user_ids_wo"`
	Subject   types.String `tfsdk:"subject"`
}

func peopleAttributes(what string) map[string]schema.Attribute {
	named := lifecycle.SubjectList(what+" "+describe("instead of user_ids_wo"), idRule)
	hidden := lifecycle.SubjectList(describe(hiddenIDs), idRule)
	named.Required, named.Optional, hidden.Required, hidden.Optional, hidden.WriteOnly = false, true, false, true, true
	hidden.Validators = append(hidden.Validators, listvalidator.ConflictsWith(path.MatchRoot("user_ids")))
	return map[string]schema.Attribute{
		"user_ids": named, hiddenIDs: hidden,
		"subject": schema.StringAttribute{Computed: true, MarkdownDescription: describe("subject of a list")},
	}
}

// Named implements lifecycle's veiled.
func (p *people) Named() bool { return !p.UserIDs.IsNull() }

// Given implements lifecycle's veiled.
func (p *people) Given(ctx context.Context) (ids []string, known, ok bool, diags diag.Diagnostics) {
	if p.UserIDsWO.IsNull() {
		return nil, true, false, nil
	}
	ids, known, diags = lifecycle.Subjects(ctx, p.UserIDsWO)
	return ids, known, true, diags
}

// Pseudonym implements lifecycle's veiled.
func (p *people) Pseudonym() *types.String { return &p.Subject }

// activity is the condition on when somebody was active.
type activity struct {
	NotActiveSince timetypes.RFC3339 `tfsdk:"not_active_since"`
}

func activityAttribute() schema.Attribute {
	return schema.StringAttribute{CustomType: timetypes.RFC3339Type{}, Optional: true, MarkdownDescription: describe("not_active_since")}
}

// conditions reads it, together with expected values of fields.
func (a *activity) conditions(expected types.Map) (*erasure.Conditions, diag.Diagnostics) {
	c, diags := &erasure.Conditions{Expected: map[string]string{}}, diag.Diagnostics(nil)
	c.Open = expected.IsUnknown()
	for field, value := range expected.Elements() {
		// What is not known yet is compared at apply.
		if text, ok := value.(types.String); ok && !text.IsUnknown() {
			c.Expected[field] = text.ValueString()
		} else {
			c.Open = true
		}
	}
	if !a.NotActiveSince.IsNull() && !a.NotActiveSince.IsUnknown() {
		since, d := a.NotActiveSince.ValueRFC3339Time()
		diags.Append(d...)
		c.NotActiveSince = &since
	}
	return c, diags
}

func expectedAttribute() schema.Attribute {
	return schema.MapAttribute{
		Optional: true, WriteOnly: true, ElementType: types.StringType, MarkdownDescription: describe("expected_wo"),
		Validators: []validator.Map{mapvalidator.SizeAtLeast(1), expectedValues{}},
	}
}

// expectedValues stands in for mapvalidator.NoNullValues, to say what to do.
type expectedValues struct{}

func (expectedValues) Description(context.Context) string               { return "no value is null" }
func (v expectedValues) MarkdownDescription(ctx context.Context) string { return v.Description(ctx) }

func (expectedValues) ValidateMap(_ context.Context, req validator.MapRequest, resp *validator.MapResponse) {
	for field, value := range req.ConfigValue.Elements() {
		if value.IsNull() {
			resp.Diagnostics.AddAttributeError(req.Path.AtMapKey(field), "Invalid expected_wo",
				fmt.Sprintf("The expected value of the field %q is null, so that nothing could be compared. Nothing was sent. Give the value that the user must have, or leave the field out.", field))
		}
	}
}
