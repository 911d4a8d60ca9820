// Copyright (c) the terraform-provider-streamchat authors
// SPDX-License-Identifier: MPL-2.0

package acctest

import (
	"encoding/json"
	"testing"

	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
)

// Invalid tells what validation says of a configuration of a resource or a data
// source, without a CLI; attributes that it lacks are null. That values have the
// right types, that required ones are there and computed ones are not set is
// Terraform's to check, by the schema.
func Invalid(t testing.TB, typeName string, config map[string]any) (says []string) {
	t.Helper()
	server, err := Factories()["streamchat"]()
	if err != nil {
		t.Fatal(err)
	}
	raw, err := json.Marshal(config)
	if err != nil {
		t.Fatal(err)
	}
	schemas, err := server.GetProviderSchema(t.Context(), &tfprotov6.GetProviderSchemaRequest{})
	if err != nil {
		t.Fatal(err)
	}
	var found []*tfprotov6.Diagnostic
	if schema := schemas.DataSourceSchemas[typeName]; schema != nil {
		value := dynamicOf(t, schema, raw)
		resp, err := server.ValidateDataResourceConfig(t.Context(), &tfprotov6.ValidateDataResourceConfigRequest{TypeName: typeName, Config: &value})
		if err != nil {
			t.Fatal(err)
		}
		found = resp.Diagnostics
	} else {
		value := dynamicOf(t, schemas.ResourceSchemas[typeName], raw)
		resp, err := server.ValidateResourceConfig(t.Context(), &tfprotov6.ValidateResourceConfigRequest{TypeName: typeName, Config: &value})
		if err != nil {
			t.Fatal(err)
		}
		found = resp.Diagnostics
	}
	for _, d := range found {
		says = append(says, d.Summary+": "+d.Detail)
	}
	return says
}

func dynamicOf(t testing.TB, schema *tfprotov6.Schema, raw []byte) tfprotov6.DynamicValue {
	t.Helper()
	value, err := (&tfprotov6.DynamicValue{JSON: raw}).Unmarshal(schema.ValueType())
	if err != nil {
		t.Fatal(err)
	}
	out, err := tfprotov6.NewDynamicValue(schema.ValueType(), value)
	if err != nil {
		t.Fatal(err)
	}
	return out
}
