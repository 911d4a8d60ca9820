// Copyright (c) the terraform-provider-streamchat authors
// SPDX-License-Identifier: MPL-2.0

// Package function holds the provider's functions. They are pure: they need neither
// configuration nor network, and no error of theirs quotes an argument, which may be
// personal data.
package function

import (
	"context"
	_ "embed"

	"github.com/hashicorp/terraform-plugin-framework/function"

	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/prose"
)

//go:embed descriptions.md
var descriptions string

var describe = prose.Text(descriptions)

// All are the functions.
func All() []func() function.Function {
	return []func() function.Function{
		func() function.Function { return cid{} },
		func() function.Function { return parseCID{} },
		func() function.Function { return pseudonym{} },
		func() function.Function { return exportSummary{} },
		func() function.Function { return receiptText{} },
	}
}

// text is a parameter that is a text.
func text(of, name string) function.StringParameter {
	return function.StringParameter{Name: name, MarkdownDescription: describe(of + " " + name)}
}

// nullable is a text that may be null.
func nullable(of, name string) function.StringParameter {
	p := text(of, name)
	p.AllowNullValue = true
	return p
}

// define is what all definitions have in common.
func define(name, summary string, returns function.Return, parameters ...function.Parameter) function.Definition {
	return function.Definition{Summary: summary, MarkdownDescription: describe(name), Parameters: parameters, Return: returns}
}

// arguments reads the arguments, and reports whether they could be read.
func arguments(ctx context.Context, req function.RunRequest, resp *function.RunResponse, into ...any) bool {
	resp.Error = function.ConcatFuncErrors(resp.Error, req.Arguments.Get(ctx, into...))
	return resp.Error == nil
}

// give sets the result.
func give(ctx context.Context, resp *function.RunResponse, value any) {
	resp.Error = function.ConcatFuncErrors(resp.Error, resp.Result.Set(ctx, value))
}
