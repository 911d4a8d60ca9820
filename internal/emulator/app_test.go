// Copyright (c) the terraform-provider-streamchat authors
// SPDX-License-Identifier: MPL-2.0

package emulator_test

import (
	"testing"

	stream "github.com/GetStream/stream-chat-go/v6"

	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/emulator"
)

func TestAppSettings(t *testing.T) {
	w := start(t, emulator.Options{})
	settings := stream.NewAppSettings()
	for _, url := range []string{"https://example.com/queue", ""} {
		settings.SqsURL, settings.SqsKey = &url, ptr("key")
		must(w.sdk.UpdateAppSettings(bg(), settings))(t)
		app := must(w.sdk.GetAppSettings(bg()))(t).App
		if *app.SqsURL != url || *app.SqsKey != "key" || *app.SnsKey != "" {
			t.Errorf("the app is %+v", app)
		}
	}
	w.call("PATCH", "/app", `{"webhook_url":7}`).wantError(t, 400, 4, `UpdateApp failed with error: "invalid json data"`)
	w.call("GET", "/app", "").want(t, 200, `"webhook_url":""`)
}
