// Copyright (c) the terraform-provider-streamchat authors
// SPDX-License-Identifier: MPL-2.0

package acctest

import (
	"context"
	"encoding/json"
	"errors"
	"testing"

	"github.com/hashicorp/go-hclog"
	"github.com/hashicorp/go-plugin"
	"github.com/hashicorp/terraform-plugin-framework/providerserver"
	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
	"github.com/hashicorp/terraform-plugin-go/tfprotov6/tf6server"

	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/clock"
	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/provider"
)

// serve serves the provider until ctx ends, and gives what TF_REATTACH_PROVIDERS
// tells the CLI of it.
func serve(ctx context.Context, t testing.TB) (attach string, err error) {
	server := providerserver.NewProtocol6(provider.New("test", clock.Real{})())()
	ready, ended := make(chan *plugin.ReattachConfig, 1), make(chan struct{})
	failed := make(chan error, 1)
	go func() {
		failed <- tf6server.Serve(Source, func() tfprotov6.ProviderServer { return server },
			tf6server.WithDebug(ctx, ready, ended), tf6server.WithGoPluginLogger(hclog.NewNullLogger()), tf6server.WithLoggingSink(sink{t}))
	}()
	select {
	case config := <-ready:
		raw, err := json.Marshal(map[string]any{Source: map[string]any{
			"Protocol": config.Protocol, "ProtocolVersion": config.ProtocolVersion, "Pid": config.Pid, "Test": config.Test,
			"Addr": map[string]string{"Network": config.Addr.Network(), "String": config.Addr.String()},
		}})
		return string(raw), err
	case err := <-failed:
		return "", errors.Join(errors.New("the provider could not be served"), err)
	case <-ctx.Done():
		return "", ctx.Err()
	}
}

// sink keeps the provider's log out of the test's output, unless TF_LOG asks for it.
type sink struct{ testing.TB }

func (sink) Parallel() {}
