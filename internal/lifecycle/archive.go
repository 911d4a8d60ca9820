// Copyright (c) the terraform-provider-streamchat authors
// SPDX-License-Identifier: MPL-2.0

package lifecycle

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"

	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/erasure"
	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/receipt"
	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/session"
)

// CheckArchive refuses an act whose receipt could not be written. It comes before anything
// that the act does.
func CheckArchive(ctx context.Context, s *session.Session) (diags diag.Diagnostics) {
	if err := s.Receipts.Check(ctx); err != nil {
		diags.AddError("Receipts directory cannot be written", fmt.Sprintf(
			"The provider's receipts_dir must take the receipt of this record, and cannot: %s. Nothing was sent for this one, and its record is as it was. "+
				"Make the directory one that this user may write in, or leave receipts_dir out; then run apply again.", err))
	}
	return diags
}

// Archive writes the receipt of a record that has just been stored. created: its resource is
// new, so that an error would taint a record that is as it should be.
func Archive(ctx context.Context, s *session.Session, document string, created bool) (diags diag.Diagnostics) {
	// What was done is done, also in a run that is being interrupted.
	if err := s.Receipts.Write(context.WithoutCancel(ctx), document); err != nil && created {
		diags.AddWarning(notArchived(err))
	} else if err != nil {
		diags.AddError(notArchived(err))
	}
	return diags
}

// archive writes the receipt of a record in state, and notes whether that is still to do.
func archive(ctx context.Context, s *session.Session, document string, created bool, private Private) diag.Diagnostics {
	diags := Archive(ctx, s, document, created)
	if len(diags) > 0 {
		return append(diags, unarchivedMark.Set(ctx, private)...)
	}
	return unarchivedMark.Clear(ctx, private, private)
}

// notArchivedYet is the warning of a plan that writes a receipt which an earlier run could not.
func notArchivedYet(at path.Path) diag.Diagnostic {
	return diag.NewAttributeWarningDiagnostic(at, "Receipt not written yet",
		"An earlier apply could not write the receipt of this record into the provider's receipts_dir. Applying this update writes it; nothing is sent for that.")
}

// EndArchive writes the last receipt of a record that leaves the state.
func EndArchive(ctx context.Context, s *session.Session, document string, how receipt.Ending) (diags diag.Diagnostics) {
	if err := s.Receipts.End(context.WithoutCancel(ctx), document, how, s.Clock.Now()); err != nil {
		diags.AddWarning("Last receipt not written", fmt.Sprintf(
			"The record was dropped, but its last receipt could not be written into the provider's receipts_dir: %s. "+
				"The receipt that is there does not say that the record has ended. The state's backup still holds the record.", err))
	}
	return diags
}

func notArchived(err error) (summary, detail string) {
	return "Receipt not written", fmt.Sprintf(
		"The record is in the state as it should be, but its receipt could not be written into the provider's receipts_dir: %s. "+
			"What is there may be an older receipt. Make the directory one that this user may write in, with room in it. The record of an erasure or a truncation "+
			"then plans an update, which writes it; of any other, the next apply that changes the record, if only a label, does.", err)
}

// Document is the receipt of a record that keeps none in its state: what it says of itself,
// without what is empty, and what the operator adds. It is what the engine's receipts are,
// canonical JSON.
func Document(ctx context.Context, books *Bookkeeping, says map[string]any) (string, diag.Diagnostics) {
	maps.DeleteFunc(says, func(_ string, value any) bool { return value == "" || value == nil })
	if books == nil {
		return erasure.Canonical(says), nil
	}
	if id := books.RequestID.ValueString(); id != "" {
		says["request_id"] = id
	}
	labels, diags := books.LabelTexts(ctx)
	if len(labels) > 0 {
		says["labels"] = labels
	}
	return erasure.Canonical(says), diags
}

// idKey is the key of a record's name in the private state of a resource that has no
// receipt in its state.
const idKey = "record_id"

// RecordID is the name of a record that has no receipt in its state.
func RecordID(ctx context.Context, private privateReader) (id string, diags diag.Diagnostics) {
	value, diags := private.GetKey(ctx, idKey)
	if len(value) > 0 {
		_ = json.Unmarshal(value, &id) // what is no text is no name
	}
	return id, diags
}

// KeepRecordID stores it.
func KeepRecordID(ctx context.Context, private privateWriter, id string) diag.Diagnostics {
	value, _ := json.Marshal(id) // a text
	return private.SetKey(ctx, idKey, value)
}
