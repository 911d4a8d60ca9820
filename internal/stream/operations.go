// Copyright (c) the terraform-provider-streamchat authors
// SPDX-License-Identifier: MPL-2.0

package stream

import (
	"net/http"
	"net/url"
	"strings"
)

// Operation names an endpoint by its operationId in Stream's OpenAPI
// (chat-openapi-legacy). Stream limits calls by operation, and its error
// messages begin with it.
type Operation string

// The operations this provider knows. A request outside the list is sent as
// opUnknown: no limit until Stream's headers name one, never called mutating.
const (
	OpDeactivateUser        Operation = "DeactivateUser"
	OpDeactivateUsers       Operation = "DeactivateUsers"
	OpDeleteChannels        Operation = "DeleteChannels"
	OpDeleteMessage         Operation = "DeleteMessage"
	OpDeletePoll            Operation = "DeletePoll"
	OpDeleteRetentionPolicy Operation = "DeleteRetentionPolicy"
	OpDeleteUsers           Operation = "DeleteUsers"
	OpExportChannels        Operation = "ExportChannels"
	OpExportUser            Operation = "ExportUser"
	OpGetApp                Operation = "GetApp"
	OpGetMessage            Operation = "GetMessage"
	OpGetReactions          Operation = "GetReactions"
	OpGetReplies            Operation = "GetReplies"
	OpGetRetentionPolicy    Operation = "GetRetentionPolicy"
	OpGetTask               Operation = "GetTask"
	OpQueryChannels         Operation = "QueryChannels"
	OpQueryMembers          Operation = "QueryMembers"
	OpQueryPolls            Operation = "QueryPolls"
	OpQueryUsers            Operation = "QueryUsers"
	OpReactivateUser        Operation = "ReactivateUser"
	OpReactivateUsers       Operation = "ReactivateUsers"
	OpRestoreUsers          Operation = "RestoreUsers"
	OpSearch                Operation = "Search"
	OpSetRetentionPolicy    Operation = "SetRetentionPolicy"
	OpTruncateChannel       Operation = "TruncateChannel"
	OpUpdateUsersPartial    Operation = "UpdateUsersPartial"

	opUnknown Operation = "Request"
)

// endpoint is what the package knows about an operation.
type endpoint struct {
	method string
	path   string // {} stands for one escaped segment
	limit  int    // calls a minute until a header says otherwise, 0 = not known
	answer int64  // the most bytes of an answer, 0 = smallAnswer
	// mutating: an exchange that has begun is finished even when the context
	// ends, and a failure without a readable answer is Ambiguous. They may be
	// repeated: doing them twice ends where doing them once does.
	mutating bool
	// once: not so here; an attempt that may have been carried out is not repeated
	// as it is.
	once bool
}

// endpoints is the one place where operations meet methods, paths and limits
// (stream-api.md §1.5 and the OpenAPI). A literal path comes before a path
// with {} when both match.
var endpoints = map[Operation]endpoint{
	OpDeactivateUser:        {method: http.MethodPost, path: "/users/{}/deactivate", limit: 60, mutating: true},
	OpDeactivateUsers:       {method: http.MethodPost, path: "/users/deactivate", limit: 60, mutating: true},
	OpDeleteChannels:        {method: http.MethodPost, path: "/channels/delete", limit: DeleteChannelsPerMinute, mutating: true},
	OpDeleteMessage:         {method: http.MethodDelete, path: "/messages/{}", limit: 1000, mutating: true},
	OpDeletePoll:            {method: http.MethodDelete, path: "/polls/{}", mutating: true},
	OpDeleteRetentionPolicy: {method: http.MethodPost, path: "/retention_policy/delete", mutating: true},
	OpDeleteUsers:           {method: http.MethodPost, path: "/users/delete", limit: DeleteUsersPerMinute, mutating: true},
	OpExportChannels:        {method: http.MethodPost, path: "/export_channels", limit: 60},
	OpExportUser:            {method: http.MethodGet, path: "/users/{}/export", limit: 60, answer: exportAnswer},
	OpGetApp:                {method: http.MethodGet, path: "/app", limit: 10000},
	OpGetMessage:            {method: http.MethodGet, path: "/messages/{}", limit: 1000},
	OpGetReactions:          {method: http.MethodGet, path: "/messages/{}/reactions", limit: 1000, answer: pageAnswer},
	OpGetReplies:            {method: http.MethodGet, path: "/messages/{}/replies", limit: 1000, answer: pageAnswer},
	OpGetRetentionPolicy:    {method: http.MethodGet, path: "/retention_policy"},
	OpGetTask:               {method: http.MethodGet, path: "/tasks/{}"},
	OpQueryChannels:         {method: http.MethodPost, path: "/channels", limit: 10000, answer: pageAnswer},
	OpQueryMembers:          {method: http.MethodGet, path: "/members", limit: 300, answer: pageAnswer},
	OpQueryPolls:            {method: http.MethodPost, path: "/polls/query", answer: pageAnswer},
	OpQueryUsers:            {method: http.MethodGet, path: "/users", limit: 1000, answer: pageAnswer},
	OpReactivateUser:        {method: http.MethodPost, path: "/users/{}/reactivate", limit: 60, mutating: true},
	OpReactivateUsers:       {method: http.MethodPost, path: "/users/reactivate", limit: 60, mutating: true},
	OpRestoreUsers:          {method: http.MethodPost, path: "/users/restore", mutating: true},
	OpSearch:                {method: http.MethodGet, path: "/search", limit: 300, answer: pageAnswer},
	OpSetRetentionPolicy:    {method: http.MethodPost, path: "/retention_policy", mutating: true},
	OpTruncateChannel:       {method: http.MethodPost, path: "/channels/{}/{}/truncate", limit: 60, mutating: true, once: true},
	OpUpdateUsersPartial:    {method: http.MethodPatch, path: "/users", limit: 300, mutating: true, answer: pageAnswer},
}

// operationOf finds the operation of a request by its method and its escaped
// path below the base URL.
func operationOf(method, path string) Operation {
	segments := strings.Split(path, "/")
	found, best := opUnknown, -1
	for op, e := range endpoints {
		if e.method != method {
			continue
		}
		if literals, ok := matches(strings.Split(e.path, "/"), segments); ok && literals > best {
			found, best = op, literals
		}
	}
	return found
}

// matches says whether the segments fit the template, and how many of the
// template's segments are literal.
func matches(template, segments []string) (literals int, ok bool) {
	if len(template) != len(segments) {
		return 0, false
	}
	for i, want := range template {
		switch {
		case want == "{}" && segments[i] != "":
		case want == segments[i]:
			literals++
		default:
			return 0, false
		}
	}
	return literals, true
}

// pathOf fills the operation's path. A segment that is empty or made of dots
// would be another endpoint (stream-sdk-traps.md §3.1), so it is refused.
func pathOf(op Operation, values []string) (string, error) {
	parts := strings.Split(endpoints[op].path, "/")
	next := 0
	for i, part := range parts {
		if part != "{}" {
			continue
		}
		if next == len(values) {
			return "", shapeError("the request lacks a part of its path")
		}
		value := values[next]
		next++
		if value == "" || value == "." || value == ".." {
			return "", shapeError(`an id is empty, "." or ".."`)
		}
		parts[i] = url.PathEscape(value)
	}
	if next != len(values) || len(parts) < 2 {
		return "", shapeError("the request does not fit its path")
	}
	return strings.Join(parts, "/"), nil
}
