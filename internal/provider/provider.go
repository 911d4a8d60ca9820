// Copyright (c) the terraform-provider-streamchat authors
// SPDX-License-Identifier: MPL-2.0

// Package provider configures the provider and lists what it offers.
package provider

import (
	"context"
	"net/http"

	"github.com/hashicorp/terraform-plugin-framework/action"
	"github.com/hashicorp/terraform-plugin-framework/datasource"
	"github.com/hashicorp/terraform-plugin-framework/ephemeral"
	tffunction "github.com/hashicorp/terraform-plugin-framework/function"
	"github.com/hashicorp/terraform-plugin-framework/list"
	"github.com/hashicorp/terraform-plugin-framework/provider"
	"github.com/hashicorp/terraform-plugin-framework/resource"

	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/channel"
	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/clock"
	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/function"
	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/message"
	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/retention"
	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/user"
)

// Address is where the registry has the provider.
const Address = "registry.terraform.io/streamchat-gdpr/streamchat"

const typeName = "streamchat"

type streamchat struct {
	version   string
	clock     clock.Clock
	transport http.RoundTripper // nil: the network
}

var (
	_ provider.ProviderWithActions            = (*streamchat)(nil)
	_ provider.ProviderWithEphemeralResources = (*streamchat)(nil)
	_ provider.ProviderWithFunctions          = (*streamchat)(nil)
	_ provider.ProviderWithListResources      = (*streamchat)(nil)
)

// New makes a provider of the given version that lives by the given clock.
func New(version string, c clock.Clock) func() provider.Provider { return NewOver(nil, version, c) }

// NewOver is New with something else than the network between the provider and
// Stream.
func NewOver(t http.RoundTripper, version string, c clock.Clock) func() provider.Provider {
	return func() provider.Provider { return &streamchat{version: version, clock: c, transport: t} }
}

// Metadata implements provider.Provider.
func (p *streamchat) Metadata(_ context.Context, _ provider.MetadataRequest, resp *provider.MetadataResponse) {
	resp.TypeName, resp.Version = typeName, p.version
}

// Resources implements provider.Provider.
func (p *streamchat) Resources(context.Context) []func() resource.Resource {
	return []func() resource.Resource{
		user.NewErasure,
		user.NewErasureBatch,
		user.NewExportResource,
		user.NewDeactivation,
		retention.New,
		channel.NewExport,
		channel.NewErasure,
		channel.NewErasureBatch,
		channel.NewTruncation,
		message.NewErasure,
	}
}

// DataSources implements provider.Provider.
func (p *streamchat) DataSources(context.Context) []func() datasource.DataSource {
	return []func() datasource.DataSource{
		user.NewExportDataSource,
		user.NewDataSource,
		user.NewUsersDataSource,
		user.NewFootprintDataSource,
	}
}

// EphemeralResources implements provider.ProviderWithEphemeralResources.
func (p *streamchat) EphemeralResources(context.Context) []func() ephemeral.EphemeralResource {
	return []func() ephemeral.EphemeralResource{user.NewExportEphemeral}
}

// Functions implements provider.ProviderWithFunctions.
func (p *streamchat) Functions(context.Context) []func() tffunction.Function { return function.All() }

// Actions implements provider.ProviderWithActions.
func (p *streamchat) Actions(context.Context) []func() action.Action {
	return []func() action.Action{user.NewExportAction, user.NewDeactivateAction}
}

// ListResources implements provider.ProviderWithListResources.
func (p *streamchat) ListResources(context.Context) []func() list.ListResource {
	return []func() list.ListResource{user.NewDeactivationList}
}
