// Copyright (c) the terraform-provider-streamchat authors
// SPDX-License-Identifier: MPL-2.0

package stream

import (
	"context"
	"encoding/json"
)

// ExportUser returns all that Stream holds of a user as one JSON object with
// user, messages and reactions: the bytes as Stream sent them (GET
// /users/{id}/export, stream-api.md §7.1; the SDK panics on this answer). A
// user who does not exist is KindNotFound, one with more than 10 000 messages
// or reactions an error whose code is not documented. An export without that
// user in it is KindUnexpectedBody.
func (c *Client) ExportUser(ctx context.Context, id string) (json.RawMessage, error) {
	return call(ctx, c, request{op: OpExportUser, path: []string{id}}, func(body []byte) (json.RawMessage, error) {
		return decodeExport(body, id)
	})
}

func decodeExport(body []byte, id string) (json.RawMessage, error) {
	export, ok := decodeObject(body)
	if !ok {
		return nil, shapeError("the export is not an object")
	}
	user, ok := decodeObject(export["user"])
	if !ok {
		return nil, shapeError("the export has no user")
	}
	if got, err := user.must("id"); err != nil || got != id {
		return nil, shapeError("the export is of another user")
	}
	return body, nil
}
