// Copyright (c) the terraform-provider-streamchat authors
// SPDX-License-Identifier: MPL-2.0

package function_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/hashicorp/terraform-plugin-testing/helper/resource"
	"github.com/hashicorp/terraform-plugin-testing/knownvalue"
	"github.com/hashicorp/terraform-plugin-testing/statecheck"
	"github.com/hashicorp/terraform-plugin-testing/tfversion"

	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/acctest"
)

func TestMain(m *testing.M) { acctest.Main(m) }

const (
	key = "test-pseudonym-key"
	// By printf %s alice | openssl dgst -sha256 -hmac test-pseudonym-key.
	aliceUnderKey = "b24984c41735462c4fddbdf04400d334a2545693194204031821a66159c45302"
	direct        = `{"user":{"id":"canary-user"},"messages":[
		{"id":"m1","cid":"messaging:a","text":"canary-text","created_at":"2026-01-02T03:04:05.000006Z","attachments":[{},{}]},
		{"id":"m2","cid":"messaging:b","text":"canary-text","created_at":"2025-01-02T03:04:05Z","attachments":[]},
		{"id":"m3","cid":"messaging:b","text":"canary-text","created_at":"canary-time"}],"reactions":[{"type":"like"}],"more":[1]}`
)

func TestFunctions(t *testing.T) {
	t.Parallel()
	s := acctest.InMemory(t)
	core := acctest.NewCore(t, s, acctest.Config{"api_key": "", "api_secret": ""})
	summary := func(messages, reactions, attachments, channels int, first, last any) map[string]any {
		return map[string]any{"message_count": messages, "reaction_count": reactions, "attachment_count": attachments, "channel_count": channels, "first_message_at": first, "last_message_at": last}
	}
	for name, tt := range map[string]struct {
		function string
		args     []any
		want     any
		problem  string
	}{
		"cid":                  {"cid", []any{"messaging", "general"}, "messaging:general", ""},
		"cid of a distinct":    {"cid", []any{"messaging", "!members-x"}, "messaging:!members-x", ""},
		"cid, type with colon": {"cid", []any{"canary:a", "general"}, nil, "not a channel type"},
		"cid, no type":         {"cid", []any{"", "general"}, nil, "not a channel type"},
		"cid, no id":           {"cid", []any{"messaging", ""}, nil, "not a channel id"},
		"cid, id with slash":   {"cid", []any{"messaging", "canary/a"}, nil, "not a channel id"},
		"cid, id with colon":   {"cid", []any{"messaging", "canary:a"}, nil, "not a channel id"},
		"parse_cid":            {"parse_cid", []any{"messaging:general"}, map[string]any{"type": "messaging", "id": "general"}, ""},
		"parse_cid, no colon":  {"parse_cid", []any{"canary"}, nil, "not a cid"},
		"parse_cid, empty":     {"parse_cid", []any{""}, nil, "not a cid"},
		"parse_cid, two":       {"parse_cid", []any{"canary:a:b"}, nil, "not a cid"},
		"pseudonym":            {"pseudonym", []any{"alice", key}, aliceUnderKey, ""},
		"pseudonym, no key":    {"pseudonym", []any{"alice", nil}, nil, ""},
		"pseudonym, empty key": {"pseudonym", []any{"alice", ""}, nil, ""},
		"pseudonym, no id":     {"pseudonym", []any{"", key}, nil, "names nobody"},
		"summary":              {"export_summary", []any{direct}, summary(3, 1, 2, 2, "2025-01-02T03:04:05Z", "2026-01-02T03:04:05.000006Z"), ""},
		"summary of nothing":   {"export_summary", []any{`{"user":{},"messages":null,"reactions":[]}`}, summary(0, 0, 0, 0, nil, nil), ""},
		"summary of no one":    {"export_summary", []any{nil}, nil, ""},
		"summary, no JSON":     {"export_summary", []any{"canary"}, nil, "invalid JSON"},
		"summary, no export":   {"export_summary", []any{`{"canary":1}`}, nil, `"user" is missing`},
		"summary, other form":  {"export_summary", []any{`{"user":{},"messages":{"canary":1}}`}, nil, `"messages" is an object`},
		"receipt, null":        {"receipt_text", []any{nil}, nil, ""},
		"receipt, no JSON":     {"receipt_text", []any{"canary"}, nil, "not a receipt"},
	} {
		got, problem := core.Function(tt.function, tt.args...)
		if diff := cmp.Diff(tt.want, got); diff != "" || tt.problem == "" != (problem == "") || !strings.Contains(problem, tt.problem) || strings.Contains(problem, "canary") {
			t.Errorf("%s: %q, want %q (-want +got)\n%s", name, problem, tt.problem, diff)
		}
	}
}

// An export and a receipt as the provider itself makes them; and pseudonym is what the
// receipt calls the subject.
func TestFunctionsOnTheProvidersOwn(t *testing.T) {
	t.Parallel()
	acctest.Bubble(t, func(t *testing.T) {
		s := acctest.InMemory(t)
		s.Fill(t, `{
			"users": [{"id": "waters-malone"}, {"id": "maria-ortiz"}],
			"channels": [{"cid": "messaging:both", "created_by_id": "maria-ortiz", "members": ["waters-malone", "maria-ortiz"]}],
			"messages": [{"id": "m1", "cid": "messaging:both", "user_id": "waters-malone", "text": "hi"}]
		}`)
		core := acctest.NewCore(t, s, nil)
		file := filepath.Join(t.TempDir(), "export.json")
		const export, erasure = "streamchat_user_export.dsr", "streamchat_user_erasure.dsr"
		if r := core.Run(acctest.Change{Address: export, Config: acctest.Config{"user_id": "waters-malone", "path": file}}); len(r.Errors) > 0 {
			t.Fatal(r.Errors)
		}
		raw, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		summary, problem := core.Function("export_summary", string(raw))
		if m, ok := summary.(map[string]any); !ok || m["message_count"] != 1 || m["channel_count"] != 1 || m["first_message_at"] == nil {
			t.Errorf("%v %s", summary, problem)
		}
		config := acctest.Config{"user_id": "waters-malone", "delete": acctest.Config{"user": "hard"}, "exports": []any{"x"}}
		if r := core.Run(acctest.Change{Address: erasure, Config: config}); len(r.Errors) > 0 {
			t.Fatal(r.Errors)
		}
		receipt, _ := core.State(erasure).Get("receipt").(string)
		subject, _ := core.Function("pseudonym", "waters-malone", acctest.PseudonymKey)
		if text, ok := subject.(string); !ok || !strings.Contains(receipt, `"subject":"`+text+`"`) {
			t.Errorf("pseudonym %v is not in the receipt %s", subject, receipt)
		}
		told, problem := core.Function("receipt_text", receipt)
		if text, _ := told.(string); !strings.Contains(text, "**Erased.**") || !strings.Contains(text, "as task `") || strings.Contains(text, "waters") {
			t.Errorf("%s%s", text, problem)
		}
	})
}

// Without credentials and without a provider block.
func TestAccFunctions(t *testing.T) {
	t.Parallel()
	acctest.CLI(t)
	resource.UnitTest(t, resource.TestCase{
		TerraformVersionChecks:   []tfversion.TerraformVersionCheck{tfversion.SkipBelow(tfversion.Version1_8_0)},
		ProtoV6ProviderFactories: acctest.Factories(),
		Steps: []resource.TestStep{
			{
				Config: `
					output "cid" { value = provider::streamchat::cid("messaging", "general") }
					output "id" { value = provider::streamchat::parse_cid("messaging:general").id }
					output "subject" { value = provider::streamchat::pseudonym("alice", "test-pseudonym-key") }
					output "count" { value = provider::streamchat::export_summary(jsonencode({ user = {}, messages = [{}] })).message_count }
					output "text" { value = provider::streamchat::receipt_text(jsonencode({ record = "streamchat_user_deactivation", status = "deactivated" })) }
				`,
				ConfigStateChecks: []statecheck.StateCheck{
					statecheck.ExpectKnownOutputValue("cid", knownvalue.StringExact("messaging:general")),
					statecheck.ExpectKnownOutputValue("id", knownvalue.StringExact("general")),
					statecheck.ExpectKnownOutputValue("subject", knownvalue.StringExact(aliceUnderKey)),
					statecheck.ExpectKnownOutputValue("count", knownvalue.Int64Exact(1)),
					statecheck.ExpectKnownOutputValue("text", knownvalue.StringFunc(func(text string) error {
						if !strings.Contains(text, "**In force.**") {
							t.Error(text)
						}
						return nil
					})),
				},
			},
			{Config: `output "cid" { value = provider::streamchat::cid("messaging", "a b") }`, ExpectError: acctest.Says("This is not a channel id")},
			{ // not known in the plan
				Config: `
					resource "terraform_data" "id" { input = "general" }
					output "later" { value = provider::streamchat::cid("messaging", terraform_data.id.output) }
				`,
				ConfigStateChecks: []statecheck.StateCheck{statecheck.ExpectKnownOutputValue("later", knownvalue.StringExact("messaging:general"))},
			},
		},
	})
}
