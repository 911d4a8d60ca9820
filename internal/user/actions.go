// Copyright (c) the terraform-provider-streamchat authors
// SPDX-License-Identifier: MPL-2.0

package user

import (
	"context"
	_ "embed"

	"github.com/hashicorp/terraform-plugin-framework/action"
	"github.com/hashicorp/terraform-plugin-framework/diag"

	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/prose"
)

//go:embed actions.md
var actionProse string

var actionText = prose.Text(actionProse)

// noSuchUser is the error of an action about somebody whom Stream does not have.
func noSuchUser() diag.Diagnostic {
	const summary = "No such user"
	return diag.NewAttributeErrorDiagnostic(userIDPath, summary, actionText(summary))
}

// tooLate is the error of an export that a deletion of the run came before: without a
// record nothing would say that it is not whole.
func tooLate() diag.Diagnostic {
	const summary = "The deletion came first"
	return diag.NewAttributeErrorDiagnostic(userIDPath, summary, actionText(summary))
}

// progress tells the person at the terminal how an action goes on, naming nobody. The
// framework waits for somebody to listen, for ever once Terraform has gone away, and an
// export must not be left half written for that.
func progress(ctx context.Context, resp *action.InvokeResponse) func(message string) {
	return func(message string) {
		sent := make(chan struct{})
		go func() {
			defer close(sent)
			resp.SendProgress(action.InvokeProgressEvent{Message: message})
		}()
		select {
		case <-sent:
		case <-ctx.Done():
		}
	}
}
