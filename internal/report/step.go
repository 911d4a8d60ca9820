// Copyright (c) the terraform-provider-streamchat authors
// SPDX-License-Identifier: MPL-2.0

package report

import (
	"context"
	"errors"
	"fmt"
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
	if errors.As(err, &api) {
		held := "Nothing was changed at Stream by this step."
		if api.Ambiguous {
			held = "Stream may have carried it out although its answer did not arrive. The next plan looks at what Stream holds, and a repetition does no harm."
		}
		return diag.NewAttributeErrorDiagnostic(subject, apiSummary(api),
			fmt.Sprintf("Failed while %s: %s.\n\n%s %s", doing, strings.TrimSuffix(upperFirst(api.Error()), "."), held, advice(api)))
	}
	switch {
	case errors.Is(err, context.Canceled):
		return diag.NewAttributeErrorDiagnostic(subject, "Interrupted", fmt.Sprintf("The run was interrupted while %s. Nothing was changed at Stream by this step. Run again.", doing))
	case errors.Is(err, context.DeadlineExceeded):
		return diag.NewAttributeErrorDiagnostic(subject, "Timed out", fmt.Sprintf("The time for this resource ended while %s. Nothing was changed at Stream by this step. Run again when Stream's rate limit has room.", doing))
	default:
		return diag.NewAttributeErrorDiagnostic(subject, "Unexpected answer", fmt.Sprintf("Failed while %s: %s. Nothing was changed at Stream by this step.", doing, err))
	}
}
