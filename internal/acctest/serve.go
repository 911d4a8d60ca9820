// Copyright (c) the terraform-provider-streamchat authors
// SPDX-License-Identifier: MPL-2.0

package acctest

import (
	"context"
	"encoding/json"
	"errors"
	"maps"
	"testing"

	"github.com/hashicorp/go-hclog"
	"github.com/hashicorp/go-plugin"
	"github.com/hashicorp/terraform-plugin-framework/providerserver"
	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
	"github.com/hashicorp/terraform-plugin-go/tfprotov6/tf6server"

	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/clock"
	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/provider"
)

// serve serves the provider, and others beside it by their addresses, until ctx ends, and
// gives what TF_REATTACH_PROVIDERS tells the CLI of them.
func serve(ctx context.Context, t testing.TB, others map[string]tfprotov6.ProviderServer) (attach string, err error) {
	servers := map[string]tfprotov6.ProviderServer{Source: providerserver.NewProtocol6(provider.New("test", clock.Real{})())()}
	maps.Copy(servers, others)
	attached := map[string]any{}
	for address, server := range servers {
		if attached[address], err = attachment(ctx, t, address, server); err != nil {
			return "", err
		}
	}
	raw, err := json.Marshal(attached)
	return string(raw), err
}

func attachment(ctx context.Context, t testing.TB, address string, server tfprotov6.ProviderServer) (any, error) {
	ready, ended := make(chan *plugin.ReattachConfig, 1), make(chan struct{})
	failed := make(chan error, 1)
	go func() {
		failed <- tf6server.Serve(address, func() tfprotov6.ProviderServer { return server },
			tf6server.WithDebug(ctx, ready, ended), tf6server.WithGoPluginLogger(hclog.NewNullLogger()), tf6server.WithLoggingSink(sink{t}))
	}()
	select {
	case config := <-ready:
		return map[string]any{
			"Protocol": config.Protocol, "ProtocolVersion": config.ProtocolVersion, "Pid": config.Pid, "Test": config.Test,
			"Addr": map[string]string{"Network": config.Addr.Network(), "String": config.Addr.String()},
		}, nil
	case err := <-failed:
		return nil, errors.Join(errors.New("the provider could not be served"), err)
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// sink keeps the provider's log out of the test's output, unless TF_LOG asks for it.
type sink struct{ testing.TB }

func (sink) Parallel() {}
