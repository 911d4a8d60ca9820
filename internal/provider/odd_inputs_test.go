// Copyright (c) the terraform-provider-streamchat authors
// SPDX-License-Identifier: MPL-2.0

package provider_test

import (
	"maps"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
	"github.com/hashicorp/terraform-plugin-go/tftypes"

	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/acctest"
)

// odd are texts that nobody means.
var odd = []string{
	"", " ", "\t\n", "~/x", "..", "/", "-1", "1e400", "null", "{}", "a b", "a:b:c", "\u202e", "e\u0301",
	"9999-12-31", "9999-12-31T23:59:59-12:00", "0000-01-01", "0001-01-01T00:00:00Z", "2026-02-30", "10000-01-01",
	"9223372036854775807h", "-1h", "age1", "https://", "%00", strings.Repeat("ä", 300),
}

// Whatever stands in a text of a configuration, no plan panics, and what is refused names an
// attribute.
func TestOddInputs(t *testing.T) {
	t.Chdir(t.TempDir())
	acctest.Bubble(t, func(t *testing.T) {
		s := acctest.InMemory(t)
		s.Fill(t, `{"users": [{"id": "alice"}, {"id": "bob"}], "channels": [{"cid": "messaging:a", "created_by_id": "bob", "members": ["alice", "bob"]}],
			"messages": [{"id": "m1", "cid": "messaging:a", "user_id": "alice", "text": "hi"}]}`)
		server, err := acctest.Factories()["streamchat"]()
		if err != nil {
			t.Fatal(err)
		}
		schemas, err := server.GetProviderSchema(t.Context(), &tfprotov6.GetProviderSchemaRequest{})
		if err != nil {
			t.Fatal(err)
		}
		hard := acctest.Config{"user": "hard"}
		well := map[string]acctest.Config{
			"streamchat_user_erasure":          {"user_id": "alice", "delete": hard},
			"streamchat_user_erasure_batch":    {"user_ids": []any{"alice"}, "delete": hard},
			"streamchat_channel_erasure":       {"cid": "messaging:a", "hard_delete": true},
			"streamchat_channel_erasure_batch": {"cids": []any{"messaging:a"}, "hard_delete": true},
			"streamchat_message_erasure":       {"message_id": "m1", "hard_delete": true},
			"streamchat_channel_truncation":    {"cid": "messaging:a", "hard_delete": true},
			"streamchat_user_deactivation":     {"user_id": "alice"},
			"streamchat_user_export":           {"user_id": "alice", "path": "x.json"},
			"streamchat_channel_export":        {"cids": []any{"messaging:a"}, "path": "x.jsonl"},
			"streamchat_retention_policy":      {"policy": "old-messages", "max_age_hours": 48},
		}
		tried := 0
		for _, typeName := range slices.Sorted(maps.Keys(schemas.ResourceSchemas)) {
			if well[typeName] == nil {
				t.Errorf("%s is not tried", typeName)
				continue
			}
			for at, wrap := range texts(schemas.ResourceSchemas[typeName].Block) {
				core := acctest.NewCore(t, s, acctest.Config{"max_retries": 0}) // one of its own: it keeps ids in mind
				for _, text := range odd {
					tried++
					config := maps.Clone(well[typeName])
					put(config, at, wrap(text))
					checked(t, at, text, core.Plan(typeName+".odd", config).Errors)
				}
			}
		}
		if tried < 1500 {
			t.Errorf("only %d inputs", tried)
		}
		if n := s.Count("DeleteUsers") + s.Count("DeleteChannels") + s.Count("DeactivateUser"); n != 0 {
			t.Errorf("%d calls by plans", n)
		}
		if left, err := os.ReadDir("."); err != nil || len(left) > 0 {
			t.Errorf("plans wrote %v %v", left, err)
		}
	})
}

// texts are the paths of all texts of a block that can be configured, with how one of them
// is put there.
func texts(block *tfprotov6.SchemaBlock) map[string]func(any) any {
	found := map[string]func(any) any{}
	for _, a := range block.Attributes {
		if !a.Optional && !a.Required {
			continue
		}
		switch typ := a.ValueType(); {
		case typ.Is(tftypes.String):
			found[a.Name] = func(v any) any { return v }
		case typ.Equal(tftypes.List{ElementType: tftypes.String}):
			found[a.Name] = func(v any) any { return []any{v} }
		case typ.Equal(tftypes.Map{ElementType: tftypes.String}):
			found[a.Name] = func(v any) any { return acctest.Config{"key": v} }
		case typ.Is(tftypes.Object{}):
			for name, nested := range typ.(tftypes.Object).AttributeTypes {
				if nested.Is(tftypes.String) {
					found[a.Name+"."+name] = func(v any) any { return v }
				}
			}
		}
	}
	for _, b := range block.BlockTypes {
		for name, wrap := range texts(b.Block) {
			found[b.TypeName+"."+name] = wrap
		}
	}
	return found
}

// put sets a value at a path of names.
func put(config acctest.Config, at string, value any) {
	name, rest, nested := strings.Cut(at, ".")
	if !nested {
		config[name] = value
		return
	}
	inner, _ := config[name].(acctest.Config)
	if inner = maps.Clone(inner); inner == nil {
		inner = acctest.Config{}
	}
	put(inner, rest, value)
	config[name] = inner
}

// checked expects that an error is one of an attribute, and no panic.
func checked(t *testing.T, at, text string, diags acctest.Diagnostics) {
	t.Helper()
	for _, d := range diags {
		if d.Error && (d.Path == "" && !strings.Contains(d.Detail, strings.Split(at, ".")[0]) || strings.Contains(d.Summary+d.Detail, "panic")) {
			t.Errorf("%s = %.40q: %s", at, text, d)
		}
	}
}
