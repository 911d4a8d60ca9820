// Copyright (c) the terraform-provider-streamchat authors
// SPDX-License-Identifier: MPL-2.0

package provider

import (
	"context"
	"encoding/base64"
	"fmt"
	"maps"
	"net/url"
	"os"
	"regexp"
	"slices"
	"strings"

	"github.com/hashicorp/terraform-plugin-log/tflog"
)

// subsystem is the part of the log that the provider writes itself; its lines
// carry @module=streamchat.stream.
const subsystem = "stream"

// Who wants to hear this provider. Terraform itself reads the first two, the
// framework the others (terraform-plugin-go and -framework, internal/logging).
var (
	listeners = []string{"TF_LOG", "TF_LOG_PROVIDER"}
	ownLevels = []string{"TF_LOG_PROVIDER_STREAMCHAT", "TF_LOG_SDK", "TF_LOG_SDK_FRAMEWORK", "TF_LOG_SDK_PROTO"}
)

// SilenceUnheardLogs turns the log off where no variable asks for it. The
// framework writes every line at TRACE, and Terraform reads it and throws it
// away: a third of the CPU time of a plan. Under -debug the log goes to the
// developer's own terminal, so main leaves this out there.
func SilenceUnheardLogs() {
	if heard(os.Getenv) {
		return
	}
	for _, name := range ownLevels {
		_ = os.Setenv(name, "off") // a valid name and value
	}
}

// heard reports whether a variable asks for a log, at whatever level: Terraform
// takes one that it does not know for TRACE.
func heard(getenv func(string) string) bool {
	return slices.ContainsFunc(slices.Concat(listeners, ownLevels), func(name string) bool {
		level := strings.TrimSpace(getenv(name))
		return level != "" && !strings.EqualFold(level, "off")
	})
}

// token is the form of what Stream's requests are signed with.
var token = regexp.MustCompile(`eyJ[\w-]*\.[\w-]+\.[\w-]*`)

// logger writes a line at INFO without any of the secrets, whoever put one there.
// Nothing of this provider logs but through it (.golangci.yml). Masks live in a
// context, which is a new one in every request of Terraform's, so they are set
// here, line by line: nobody can forget them. On a context that goroutines share,
// tflog would also write to one map from all of them.
func logger(secrets ...string) func(ctx context.Context, msg string, fields map[string]any) {
	var masks []string
	for _, s := range secrets {
		if s != "" { // an empty mask would match everywhere
			masks = append(masks, s, url.QueryEscape(s), base64.StdEncoding.EncodeToString([]byte(s)))
		}
	}
	// The longest first, so that no part of one is left by another in it.
	slices.SortFunc(masks, func(a, b string) int { return len(b) - len(a) })
	masks = slices.Compact(masks)
	return func(ctx context.Context, msg string, fields map[string]any) {
		fields = maps.Clone(fields)
		for name, value := range fields {
			switch value.(type) {
			case int, float64:
			default: // tflog masks strings, and nothing that holds one
				fields[name] = fmt.Sprint(value)
			}
		}
		ctx = tflog.NewSubsystem(ctx, subsystem, tflog.WithRootFields(), tflog.WithAdditionalLocationOffset(1))
		ctx = tflog.SubsystemMaskLogRegexes(ctx, subsystem, token)
		ctx = tflog.SubsystemMaskLogStrings(ctx, subsystem, masks...)
		tflog.SubsystemInfo(ctx, subsystem, msg, fields)
	}
}
