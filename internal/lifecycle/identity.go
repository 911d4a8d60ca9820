// Copyright (c) the terraform-provider-streamchat authors
// SPDX-License-Identifier: MPL-2.0

package lifecycle

import (
	"context"

	"github.com/hashicorp/terraform-plugin-framework/attr"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/resource/identityschema"
	"github.com/hashicorp/terraform-plugin-framework/tfsdk"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/erasure"
)

// Identity is the identity schema of a resource that one attribute names.
func Identity(attribute, description string) identityschema.Schema {
	return identityschema.Schema{Attributes: map[string]identityschema.Attribute{
		attribute: identityschema.StringAttribute{RequiredForImport: true, Description: description},
	}}
}

// subjectPath is the attribute that holds a pseudonym, in the state and in the identity.
var subjectPath = path.Root("subject")

// VeiledIdentity is the identity schema of a resource whose subject may be known by its
// pseudonym alone.
func VeiledIdentity(attribute string) identityschema.Schema {
	return identityschema.Schema{Attributes: map[string]identityschema.Attribute{
		attribute: identityschema.StringAttribute{OptionalForImport: true, Description: "Whom the record is about. Null where the record keeps no id. Set this or subject to import."},
		"subject": identityschema.StringAttribute{OptionalForImport: true, Description: "The pseudonym of whom the record is about, where it keeps no id."},
	}}
}

// IdentifyVeiled sets such an identity. key is the id, or the key of a veiled subject.
func IdentifyVeiled(ctx context.Context, identity *tfsdk.ResourceIdentity, at path.Path, key string) diag.Diagnostics {
	if identity == nil {
		return nil
	}
	id, pseudonym := types.StringValue(key), types.StringNull()
	if subject, veiled := erasure.Unveil(key); veiled {
		id, pseudonym = types.StringNull(), types.StringValue(subject)
	}
	return append(identity.SetAttribute(ctx, at, id), identity.SetAttribute(ctx, subjectPath, pseudonym)...)
}

// Identify sets the resource identity, where the CLI knows such a thing.
func Identify(ctx context.Context, identity *tfsdk.ResourceIdentity, at path.Path, value attr.Value) diag.Diagnostics {
	if identity == nil {
		return nil
	}
	return identity.SetAttribute(ctx, at, value)
}
