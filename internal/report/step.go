// Copyright (c) the terraform-provider-streamchat authors
// SPDX-License-Identifier: MPL-2.0

package report

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"

	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/erasure"
	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/stream"
)

// Step is the diagnostic of an error in something that deletes nothing: a query,
// or a change that can be repeated and taken back. doing says which step it was,
// e.g. "deactivating the user".
func Step(subject path.Path, doing string, err error) diag.Diagnostic {
	return step(subject, doing, err, func(e *stream.Error) string {
		if e != nil && e.Ambiguous {
			return "Stream may have carried it out although its answer did not arrive. " +
				"The next plan looks at what Stream holds, and a repetition does no harm."
		}
		return "Nothing was changed at Stream by this step."
	})
}

// lost are the kinds of failure after which a request may have been carried out.
var lost = []stream.Kind{stream.KindNetwork, stream.KindServer, stream.KindUnexpectedBody, stream.KindCanceled}

// Export is the diagnostic of an error in an export, whose file is then not
// written.
func Export(subject path.Path, err error) diag.Diagnostic {
	return step(subject, "exporting", err, func(e *stream.Error) string {
		const noFile = "Nothing else was changed there, and no file was written."
		switch {
		case e != nil && (e.Op == stream.OpGetTask || e.Op == stream.OpDownloadExport):
			return "Stream keeps the export that it has begun for 60 days. " + noFile
		case e != nil && e.Op == stream.OpExportChannels && slices.Contains(lost, e.Kind):
			return "Stream may have begun an export that nobody fetches, and keeps it for 60 days. " + noFile
		}
		return "Nothing was changed at Stream and no file was written."
	})
}

// step words an error; held tells what Stream holds then, of an error of its API
// or, without one, of a run that ended.
func step(subject path.Path, doing string, err error, held func(*stream.Error) string) diag.Diagnostic {
	var (
		refusal *erasure.Refusal
		stage   *erasure.StageError
		api     *stream.Error
	)
	if errors.As(err, &refusal) {
		return Error(subject, err)
	}
	if errors.As(err, &stage) {
		doing = string(stage.Stage)
	}
	var summary, detail string
	switch {
	case errors.As(err, &api):
		k := kindOf(api)
		summary = k.summary
		detail = fmt.Sprintf("Failed while %s: %s.\n\n%s %s", doing, strings.TrimSuffix(upperFirst(api.Error()), "."), held(api), k.advice)
	case errors.Is(err, context.Canceled):
		summary, detail = "Interrupted", fmt.Sprintf("The run was interrupted while %s. %s Run again.", doing, held(nil))
	case errors.Is(err, context.DeadlineExceeded):
		summary = "Timed out"
		detail = fmt.Sprintf("The time for this resource ended while %s. %s Run again when Stream's rate limit has room.", doing, held(nil))
	default:
		summary, detail = "Unexpected answer", fmt.Sprintf("Failed while %s: %s. %s", doing, err, held(nil))
	}
	return diag.NewAttributeErrorDiagnostic(subject, summary, detail)
}
