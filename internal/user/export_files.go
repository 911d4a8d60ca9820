// Copyright (c) the terraform-provider-streamchat authors
// SPDX-License-Identifier: MPL-2.0

package user

import (
	"fmt"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"

	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/erasure"
	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/session"
)

// What an erasure asks of the exports that a run has seen, by hash and by user.
const (
	filesOfExport = "files of export "
	filesOfUser   = "files of user "
)

// unsaved is what an export lacks of the files that a user attached.
type unsaved struct {
	files   int64
	planned bool // to be taken, without files
}

// noteFiles lets the erasures of this run know which files an export has not.
func (r *exportResource) noteFiles(m *exportModel) {
	if r.Session == nil || m.SHA256.ValueString() == "" {
		return
	}
	note := unsaved{files: m.AttachmentsMissing.ValueInt64()}
	if m.AttachmentsSaved.IsNull() {
		note.files = m.AttachmentCount.ValueInt64()
	}
	r.Session.Exports.Remember(filesOfExport+m.SHA256.ValueString(), note)
	r.Session.Exports.Remember(filesOfUser+m.key(r.Session), note)
}

// notePlanned does the same for an export that is to be taken.
func (r *exportResource) notePlanned(m *bundleModel, of *person) {
	r.Session.Exports.Remember(filesOfUser+of.key(r.Session), unsaved{planned: !m.Attachments.ValueBool() && !m.Attachments.IsUnknown()})
}

// losesFiles warns of an erasure that destroys files of which the exports that it names
// have no copy. What is not known of these is that of exports which are taken first.
func losesFiles(s *session.Session, scope erasure.UserScope, exports []string, more bool, ids []string) (diags diag.Diagnostics) {
	if !scope.Files {
		return nil
	}
	var keys []string
	for _, hash := range exports {
		keys = append(keys, filesOfExport+hash)
	}
	if more {
		for _, id := range ids {
			keys = append(keys, filesOfUser+s.Pseudonyms.Key(id))
		}
	}
	var lost int64
	planned := false
	for _, key := range keys {
		left, _ := s.Exports.Recall(key)
		note, _ := left.(unsaved)
		lost += note.files
		planned = planned || note.planned
	}
	at := path.Root("delete").AtName("files")
	const way = "To keep them, take a bundle with attachments = true first, look at its attachments_missing, and apply this then."
	switch {
	case lost > 0:
		diags.AddAttributeWarning(at, "Files without a copy will be destroyed", fmt.Sprintf(
			"The messages have %d attachments whose files are not in the export that goes before this erasure: they could not be saved, or were not asked for. "+
				"delete.files = true destroys them at Stream. %s", lost, way))
	case planned:
		diags.AddAttributeWarning(at, "Files without a copy will be destroyed",
			"The export that goes before this erasure takes no files, only their links. If the person attached any, delete.files = true destroys them at Stream. "+way)
	}
	return diags
}
