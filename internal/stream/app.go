// Copyright (c) the terraform-provider-streamchat authors
// SPDX-License-Identifier: MPL-2.0

package stream

import "context"

// App is the Stream app that the API key belongs to.
type App struct {
	// ID is "" where Stream does not give one.
	ID, Name string
}

// App reads the app's settings (GET /app, stream-api.md §11, through the SDK).
// An answer without an app is KindUnexpectedBody.
func (c *Client) App(ctx context.Context) (App, error) {
	resp, err := c.sdk.GetAppSettings(ctx)
	if err != nil {
		return App{}, clean(ctx, OpGetApp, err)
	}
	if resp == nil || resp.App == nil { // stream-sdk-traps.md §5: nil without an error
		return App{}, &Error{Op: OpGetApp, HTTPStatus: 200, Kind: KindUnexpectedBody, detail: "app is missing"}
	}
	return App{Name: resp.App.Name}, nil
}
