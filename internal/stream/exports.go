// Copyright (c) the terraform-provider-streamchat authors
// SPDX-License-Identifier: MPL-2.0

package stream

import (
	"context"
	"encoding/json"
	"net/url"
	"time"

	"github.com/tidwall/gjson"
)

// MaxExportChannels is how many channels one call exports (stream-api.md §7.3:
// the documentation's number, the specification has 100).
const MaxExportChannels = 25

// Versions of a channel export's file (stream-api.md §7.3).
const (
	ExportV1 = "v1" // a JSON array of {channel, messages, members}
	ExportV2 = "v2" // one JSON object a line
)

// UserExport is Stream's own export of one user: the members of its JSON object
// in Stream's order.
type UserExport []Member

// Member is a member of a JSON object, Key and Value.Raw as they stand in the text.
type Member struct {
	Key   string // with its quotes
	Name  string // what Key spells
	Value gjson.Result
}

// Members splits an object whose text is valid JSON; ok is false for anything
// else. They share the memory of text.
func Members(text string) (members []Member, ok bool) {
	object := gjson.Parse(text)
	if !object.IsObject() {
		return nil, false
	}
	for key, value := range object.ForEach {
		members = append(members, Member{Key: key.Raw, Name: key.Str, Value: value})
	}
	return members, true
}

// ExportUser returns all that Stream holds of a user, an object with user,
// messages and reactions: the bytes as Stream sent them (GET /users/{id}/export,
// stream-api.md §7.1; the SDK panics on this answer). A user who does not exist
// is KindNotFound, one with more than 10 000 messages or reactions an error whose
// code is not documented. An export without that user in it is KindUnexpectedBody.
func (c *Client) ExportUser(ctx context.Context, id string) (UserExport, error) {
	return call(ctx, c, request{op: OpExportUser, path: []string{id}}, func(body []byte) (UserExport, error) {
		return decodeExport(body, id)
	})
}

func decodeExport(body []byte, id string) (UserExport, error) {
	export, ok := Members(string(body)) // the transport has proved it to be JSON
	if !ok {
		return nil, shapeError("the export is not an object")
	}
	var user object
	for _, m := range export {
		if m.Name == "user" {
			user, _ = decodeObject([]byte(m.Value.Raw))
		}
	}
	if user == nil {
		return nil, shapeError("the export has no user")
	}
	if got, err := user.must("id"); err != nil || got != id {
		return nil, shapeError("the export is of another user")
	}
	return export, nil
}

// ChannelExport is what POST /export_channels is asked for. Zero values are
// Stream's defaults.
type ChannelExport struct {
	CIDs    []string // 1 to MaxExportChannels
	Version string   // ExportV1 or ExportV2
	// Since and Until bound the messages' times.
	Since, Until time.Time

	ClearDeletedMessageText    bool
	ExportUsers                bool
	IncludeSoftDeletedChannels bool
	IncludeTruncatedMessages   bool
}

// ExportChannels starts an export of channels and returns its task, whose file
// OpenExport reads (POST /export_channels, stream-api.md §7.3; the SDK cannot
// ask for soft-deleted channels). One channel that Stream does not know fails
// the whole call at once: KindNotFound or KindInput, the code is not documented.
func (c *Client) ExportChannels(ctx context.Context, export ChannelExport) (task string, err error) {
	if len(export.CIDs) == 0 || len(export.CIDs) > MaxExportChannels {
		return "", refuse(OpExportChannels, "one call exports 1 to 25 channels")
	}
	channels := make([]map[string]string, len(export.CIDs))
	for i, cid := range export.CIDs {
		channels[i] = map[string]string{"cid": cid}
		for key, at := range map[string]time.Time{"messages_since": export.Since, "messages_until": export.Until} {
			if !at.IsZero() {
				channels[i][key] = at.UTC().Format(time.RFC3339Nano)
			}
		}
	}
	body := map[string]any{"channels": channels}
	if export.Version != "" {
		body["version"] = export.Version
	}
	for key, set := range map[string]bool{
		"clear_deleted_message_text":    export.ClearDeletedMessageText,
		"export_users":                  export.ExportUsers,
		"include_soft_deleted_channels": export.IncludeSoftDeletedChannels,
		"include_truncated_messages":    export.IncludeTruncatedMessages,
	} {
		if set {
			body[key] = true
		}
	}
	return call(ctx, c, request{op: OpExportChannels, body: body}, decodeTaskID)
}

// UserRow returns a user's row of a query as Stream sent it, deactivated or not
// (GET /users, stream-api.md §10). One whom the query leaves out is
// KindNotFound.
func (c *Client) UserRow(ctx context.Context, id string) (json.RawMessage, error) {
	payload, err := json.Marshal(usersQuery([]string{id}))
	if err != nil {
		return nil, refuse(OpQueryUsers, "the query cannot be encoded")
	}
	r := request{op: OpQueryUsers, query: url.Values{"payload": {string(payload)}}}
	row, err := call(ctx, c, r, func(body []byte) (json.RawMessage, error) {
		users, err := decodeUsers(body, []string{id})
		if err != nil || len(users) == 0 {
			return nil, err
		}
		answer, _ := decodeObject(body)
		rows, err := answer.list("users")
		if err != nil || len(rows) != 1 {
			return nil, shapeError("one user has several rows")
		}
		return rows[0], nil
	})
	if err == nil && row == nil {
		return nil, &Error{Op: OpQueryUsers, HTTPStatus: 200, Kind: KindNotFound}
	}
	return row, err
}
