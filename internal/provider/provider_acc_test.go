// Copyright (c) the terraform-provider-streamchat authors
// SPDX-License-Identifier: MPL-2.0

package provider_test

import (
	"regexp"
	"testing"

	"github.com/hashicorp/terraform-plugin-testing/helper/resource"
	"github.com/hashicorp/terraform-plugin-testing/knownvalue"
	"github.com/hashicorp/terraform-plugin-testing/statecheck"
	"github.com/hashicorp/terraform-plugin-testing/tfjsonpath"

	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/acctest"
)

const alice = `
provider "streamchat" {}
data "streamchat_user" "alice" { user_id = "alice" }
`

func TestAccProvider_credentialsAreOnlyNeededForWork(t *testing.T) {
	acctest.CLI(t)
	for _, name := range []string{"STREAM_API_KEY", "STREAM_KEY", "STREAM_API_SECRET", "STREAM_SECRET", "STREAM_CHAT_URL", "STREAM_BASE_URL"} {
		t.Setenv(name, "")
	}
	resource.UnitTest(t, resource.TestCase{
		ProtoV6ProviderFactories: acctest.Factories(),
		Steps: []resource.TestStep{
			{Config: `provider "streamchat" {}` + "\n" + `output "x" { value = 1 }`},
			{Config: alice, ExpectError: regexp.MustCompile(`(?s)Missing api_key.*Missing api_secret`)},
		},
	})
}

func TestAccProvider_environment(t *testing.T) {
	acctest.CLI(t)
	s := acctest.Start(t)
	s.Users(t, "alice")
	t.Setenv("STREAM_KEY", s.APIKey())
	t.Setenv("STREAM_SECRET", s.APISecret())
	t.Setenv("STREAM_BASE_URL", s.URL)
	resource.UnitTest(t, resource.TestCase{
		ProtoV6ProviderFactories: acctest.Factories(),
		Steps: []resource.TestStep{{Config: alice, ConfigStateChecks: []statecheck.StateCheck{
			statecheck.ExpectKnownValue("data.streamchat_user.alice", tfjsonpath.New("status"), knownvalue.StringExact("active")),
		}}},
	})
}
