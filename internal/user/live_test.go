// Copyright (c) the terraform-provider-streamchat authors
// SPDX-License-Identifier: MPL-2.0

package user_test

import (
	"cmp"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	stream_chat "github.com/GetStream/stream-chat-go/v6"
	"github.com/google/uuid"
	"github.com/hashicorp/terraform-plugin-testing/helper/resource"
	"github.com/hashicorp/terraform-plugin-testing/terraform"

	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/acctest"
)

// TestLive exports and erases a user that it creates at a real app (STREAM_LIVE=1,
// STREAM_API_KEY and STREAM_API_SECRET; STREAM_CHAT_URL for another server).
func TestLive(t *testing.T) {
	if os.Getenv("STREAM_LIVE") != "1" {
		t.Skip("STREAM_LIVE=1 and an app's credentials test against a real Stream")
	}
	acctest.CLI(t)
	sdk, err := stream_chat.NewClient(os.Getenv("STREAM_API_KEY"), os.Getenv("STREAM_API_SECRET"))
	if err != nil {
		t.Fatal(err)
	}
	sdk.BaseURL = cmp.Or(os.Getenv("STREAM_CHAT_URL"), os.Getenv("STREAM_BASE_URL"), sdk.BaseURL)
	id := "terraform-live-" + uuid.NewString()
	if _, err := sdk.UpsertUsers(t.Context(), &stream_chat.User{ID: id, Name: "Live test"}); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "export.json")
	const dsr = "streamchat_user_erasure.live"
	resource.Test(t, resource.TestCase{
		ProtoV6ProviderFactories: acctest.Factories(),
		Steps: []resource.TestStep{{
			Config: fmt.Sprintf(`
resource "streamchat_user_export" "live" {
  user_id = %[1]q
  path    = %[2]q
}

resource "streamchat_user_erasure" "live" {
  user_id    = %[1]q
  delete { user = "hard" }
  depends_on = [streamchat_user_export.live]
}
`, id, file),
			Check: resource.ComposeAggregateTestCheckFunc(
				resource.TestCheckResourceAttr("streamchat_user_export.live", "complete", "true"),
				resource.TestCheckResourceAttr(dsr, "status", "completed"),
				resource.TestCheckResourceAttr(dsr, "found", "present"),
				resource.TestCheckResourceAttr(dsr, "outcome", "erased"),
				func(*terraform.State) error {
					found, err := sdk.QueryUsers(t.Context(), &stream_chat.QueryOption{Filter: map[string]any{"id": id}})
					if err == nil && len(found.Users) > 0 {
						err = fmt.Errorf("the user is still there")
					}
					return err
				},
			),
		}},
	})
}
