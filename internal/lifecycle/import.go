// Copyright (c) the terraform-provider-streamchat authors
// SPDX-License-Identifier: MPL-2.0

package lifecycle

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"

	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/erasure"
)

// IdentitySchema implements resource.ResourceWithIdentity, for a record of one subject.
func (r *Single[S, M, P]) IdentitySchema(_ context.Context, _ resource.IdentitySchemaRequest, resp *resource.IdentitySchemaResponse) {
	resp.IdentitySchema = Identity(r.Noun.Subject, "Whom or what the record is about.")
}

// ImportState implements resource.ResourceWithImportState: it adopts what was
// erased elsewhere and refuses what is still there. The modes are the
// operator's claim; the next plan shows them and the apply records them.
func (r *Single[S, M, P]) ImportState(ctx context.Context, req resource.ImportStateRequest, resp *resource.ImportStateResponse) {
	if r.NoImport[0] != "" {
		resp.Diagnostics.AddAttributeError(r.subject(), r.NoImport[0], r.NoImport[1])
		return
	}
	resource.ImportStatePassthroughWithIdentity(ctx, r.subject(), r.subject(), req, resp)
	if resp.Diagnostics.HasError() {
		return
	}
	var subject types.String
	resp.Diagnostics.Append(resp.State.GetAttribute(ctx, r.subject(), &subject)...)
	id := subject.ValueString()
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
	c := model.common()
	c.OnMissing, c.OnDestroy = types.StringValue(MissingFail), types.StringValue(DestroyForget)
	c.setApp(app)
	batch := erasure.Batch[S]{id: {Attempts: []erasure.Attempt[S]{attempt}}}
	resp.Diagnostics.Append(model.store(ctx, r.teller(), batch, []string{id}, scope, nil)...)
	resp.Diagnostics.Append(resp.State.Set(ctx, &state)...)
	resp.Diagnostics.Append(r.identify(ctx, resp.Identity, []string{id})...)
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
	if c.session != nil && c.session.PseudonymKey != "" {
		which = fmt.Sprintf("the id has %d characters, and its pseudonym (the subject of its receipt) begins with %.12s", len([]rune(id)), c.pseudonym(id))
	}
	return "\n\nWhich import this is: " + which + "."
}
