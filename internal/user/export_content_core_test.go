// Copyright (c) the terraform-provider-streamchat authors
// SPDX-License-Identifier: MPL-2.0

package user_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/acctest"
	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/emulator"
)

// As a value an export has the size that is promised for either audience, and what is said
// of a larger one is the same.
func TestExportAsValueHasOneSize(t *testing.T) {
	restriction(t, func(t *testing.T, s *acctest.Stream, core *acctest.Core, _ acctest.Config) {
		for _, audience := range []string{"controller", "subject"} {
			for size, says := range map[int]string{15: "", 17: "Export too large for Terraform"} {
				messages := make([]string, size<<8)
				for i := range messages {
					messages[i] = fmt.Sprintf(`{"id":"m%d","cid":"messaging:!members-a","text":%q}`, i, strings.Repeat("x", 4<<10-100))
				}
				s.ClearFaults()
				s.AddFault(emulator.Fault{Op: "ExportUser", Kind: emulator.FaultCustom, Status: 200, ContentType: "application/json", Times: emulator.Forever,
					Body: `{"user":{"id":"` + restricted + `"},"messages":[` + strings.Join(messages, ",") + `],"reactions":[],"duration":"1ms"}`})
				diags := core.Ephemeral("streamchat_user_export", acctest.Config{"user_id": restricted, "audience": audience}, func(result map[string]any) {
					if says != "" || result["message_count"] != int64(len(messages)) && fmt.Sprint(result["message_count"]) != fmt.Sprint(len(messages)) {
						t.Errorf("%d MiB for the %s: %v messages", size, audience, result["message_count"])
					}
				})
				if (says == "") != (len(diags) == 0) || says != "" && !diags.Say(says) {
					t.Errorf("%d MiB for the %s: %s", size, audience, diags)
				}
			}
		}
	})
}
