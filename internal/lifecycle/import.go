// Copyright (c) the terraform-provider-streamchat authors
// SPDX-License-Identifier: MPL-2.0

package lifecycle

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/erasure"
)

// IdentitySchema implements resource.ResourceWithIdentity, for a record of one subject.
func (r *Single[S, M, P]) IdentitySchema(_ context.Context, _ resource.IdentitySchemaRequest, resp *resource.IdentitySchemaResponse) {
	if r.Hidden != "" {
		resp.IdentitySchema = VeiledIdentity(r.Noun.Subject)
		return
	}
	resp.IdentitySchema = Identity(r.Noun.Subject, "The subject of the record.")
}

// ImportState implements resource.ResourceWithImportState: it adopts what was
// erased elsewhere and refuses what is still there. The modes are the
// operator's claim; the next plan shows them and the apply records them.
func (r *Single[S, M, P]) ImportState(ctx context.Context, req resource.ImportStateRequest, resp *resource.ImportStateResponse) {
	if r.NoImport[0] != "" {
		resp.Diagnostics.AddAttributeError(r.subject(), r.NoImport[0], r.NoImport[1])
		return
	}
	id, diags := r.importing(ctx, req, resp)
	resp.Diagnostics.Append(diags...)
	if resp.Diagnostics.HasError() || id == "" {
		return
	}
	if problem := r.ID.Problem(id); problem != "" {
		resp.Diagnostics.AddAttributeError(r.subject(), "Invalid import id", problem+r.whichImport(id))
		return
	}
	ctx, cancel := context.WithTimeout(ctx, readTimeout)
	defer cancel()
	app, diags := r.session.Open(ctx, r.subject())
	resp.Diagnostics.Append(diags...)
	if resp.Diagnostics.HasError() {
		return
	}
	attempt, err := r.engine.Adopt(ctx, id)
	if err != nil {
		d := r.words.failure(err)
		resp.Diagnostics.AddAttributeError(r.subject(), d.Summary(), d.Detail()+r.whichImport(id))
		return
	}
	var state M
	resp.Diagnostics.Append(resp.State.Get(ctx, &state)...)
	if resp.Diagnostics.HasError() {
		return
	}
	model := P(&state)
	var scope S
	if attempt.Scope != nil { // Stream shows it: nobody needs to claim it
		scope = *attempt.Scope
		resp.Diagnostics.Append(reaches(ctx, model, scope)...)
	}
	if v, ok := any(model).(veiled); ok {
		*v.Pseudonym() = Text(r.pseudonym(id))
	}
	c := model.common()
	c.byDefault()
	c.setApp(app)
	batch := erasure.Batch[S]{id: {Attempts: []erasure.Attempt[S]{attempt}}}
	resp.Diagnostics.Append(model.store(ctx, r.teller(), batch, []string{id}, scope, nil)...)
	resp.Diagnostics.Append(resp.State.Set(ctx, &state)...)
	resp.Diagnostics.Append(r.identify(ctx, resp.Identity, model)...)
}

// byDefault sets what a configuration that says nothing sets.
func (c *Common) byDefault() {
	c.OnMissing, c.OnDestroy = types.StringValue(MissingFail), types.StringValue(DestroyForget)
}

// importing reads whom an import names. By a pseudonym nobody can be looked up: what is
// imported waits for the plan, whose configuration names the subject, and id is "".
func (r *Single[S, M, P]) importing(ctx context.Context, req resource.ImportStateRequest, resp *resource.ImportStateResponse) (id string, diags diag.Diagnostics) {
	if r.Hidden == "" {
		resource.ImportStatePassthroughWithIdentity(ctx, r.subject(), r.subject(), req, resp)
		if resp.Diagnostics.HasError() {
			return "", nil
		}
		var subject types.String
		diags = resp.State.GetAttribute(ctx, r.subject(), &subject)
		return subject.ValueString(), diags
	}
	id, pseudonym, diags := ImportVeiled(ctx, r.subject(), req)
	if diags.HasError() {
		return "", diags
	}
	if pseudonym == "" {
		return id, append(diags, resp.State.SetAttribute(ctx, r.subject(), id)...)
	}
	diags.Append(resp.State.SetAttribute(ctx, subjectPath, pseudonym)...)
	var state M
	if diags.Append(resp.State.Get(ctx, &state)...); diags.HasError() {
		return "", diags
	}
	model := P(&state)
	model.common().byDefault()
	diags.Append(resp.State.Set(ctx, &state)...)
	return "", append(diags, r.identify(ctx, resp.Identity, model)...)
}

// ImportVeiled reads the id or the pseudonym that an import names: the id, "subject:" and
// the pseudonym, or one of the two parts of the identity.
func ImportVeiled(ctx context.Context, at path.Path, req resource.ImportStateRequest) (id, pseudonym string, diags diag.Diagnostics) {
	id = req.ID
	if rest, ok := strings.CutPrefix(req.ID, "subject:"); ok {
		id, pseudonym = "", rest
	} else if req.ID == "" && req.Identity != nil {
		var named, veiled types.String
		diags.Append(req.Identity.GetAttribute(ctx, at, &named)...)
		diags.Append(req.Identity.GetAttribute(ctx, subjectPath, &veiled)...)
		id, pseudonym = named.ValueString(), veiled.ValueString()
	}
	switch {
	case diags.HasError():
	case (id == "") == (pseudonym == ""):
		diags.AddAttributeError(at, "Invalid import", fmt.Sprintf(
			"An import names the subject once: by its id (the attribute %s of the identity), or by its pseudonym (the attribute subject of the identity, or subject:PSEUDONYM). Nothing was recorded.", at))
	case pseudonym != "" && !validPseudonym(pseudonym):
		diags.AddAttributeError(subjectPath, "Invalid import", "A pseudonym is 64 hexadecimal digits, as in the attribute subject and in receipts. Nothing was recorded.")
	}
	return id, pseudonym, diags
}

func validPseudonym(s string) bool {
	raw, err := hex.DecodeString(s)
	return err == nil && len(raw) == sha256.Size && strings.ToLower(s) == s
}

// ImportState implements resource.ResourceWithImportState: it says what to do instead.
func (r *Batch[S, M, P]) ImportState(_ context.Context, _ resource.ImportStateRequest, resp *resource.ImportStateResponse) {
	resp.Diagnostics.AddError("A batch cannot be imported", fmt.Sprintf(
		"Nothing was recorded. Import each subject as a %s, or leave those who are gone in the list: an apply sends the deletion again, which does no harm and proves it.", strings.TrimSuffix(r.TypeName, "_batch")))
}

// whichImport tells one import from fifty without naming anybody: Terraform gives an
// error of an import no address.
func (c *core[S]) whichImport(id string) string {
	digest := sha256.Sum256([]byte(id))
	which := fmt.Sprintf("the id has %d characters, and its SHA-256 begins with %.8s", len([]rune(id)), hex.EncodeToString(digest[:]))
	if c.session != nil && c.session.Pseudonyms != "" {
		which = fmt.Sprintf("the id has %d characters, and its pseudonym (the subject of its receipt) begins with %.12s", len([]rune(id)), c.pseudonym(id))
	}
	return "\n\nWhich import this is: " + which + "."
}
