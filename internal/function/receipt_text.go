// Copyright (c) the terraform-provider-streamchat authors
// SPDX-License-Identifier: MPL-2.0

package function

import (
	"context"

	"github.com/hashicorp/terraform-plugin-framework/function"
	"github.com/hashicorp/terraform-plugin-framework/types"
)

type receiptText struct{}

// Metadata implements function.Function.
func (receiptText) Metadata(_ context.Context, _ function.MetadataRequest, resp *function.MetadataResponse) {
	resp.Name = "receipt_text"
}

// Definition implements function.Function.
func (receiptText) Definition(_ context.Context, _ function.DefinitionRequest, resp *function.DefinitionResponse) {
	resp.Definition = define("receipt_text", "A receipt in words", function.StringReturn{}, nullable("receipt_text", "receipt"))
}

// Run implements function.Function.
func (receiptText) Run(ctx context.Context, req function.RunRequest, resp *function.RunResponse) {
	var document types.String
	if !arguments(ctx, req, resp, &document) {
		return
	}
	if document.IsNull() {
		give(ctx, resp, types.StringNull())
		return
	}
	letter, err := Letter(document.ValueString())
	if err != nil { // its words are fixed
		resp.Error = function.NewArgumentFuncError(0, "This is not a receipt: "+err.Error())
		return
	}
	give(ctx, resp, letter)
}

// Letter is what receipt_text gives of a receipt.
func Letter(document string) (string, error) {
	r, err := readReceipt(document)
	if err != nil {
		return "", err
	}
	return r.text(), nil
}
