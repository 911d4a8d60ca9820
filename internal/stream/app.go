// Copyright (c) the terraform-provider-streamchat authors
// SPDX-License-Identifier: MPL-2.0

package stream

import (
	"context"
	"encoding/json"
)

// App is the Stream app that the API key belongs to.
type App struct {
	// ID is "" where Stream does not give one.
	ID, Name string
}

// App reads the app's settings (GET /app, stream-api.md §11; the SDK's type has no id). An
// answer without an app, or with one that cannot be told from others, is
// KindUnexpectedBody.
func (c *Client) App(ctx context.Context) (App, error) {
	return call(ctx, c, request{op: OpGetApp}, func(body []byte) (App, error) {
		answer, _ := decodeObject(body)
		row, ok := decodeObject(answer["app"])
		if !ok {
			return App{}, shapeError("app is missing")
		}
		var app App
		var id json.Number
		if err := row.into("id", &id, "a number"); err != nil {
			return App{}, err
		}
		var err error
		app.ID = id.String()
		if app.Name, err = row.text("name"); err == nil && app == (App{}) {
			err = shapeError("the app has neither a name nor an id")
		}
		return app, err
	})
}
