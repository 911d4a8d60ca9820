// Copyright (c) the terraform-provider-streamchat authors
// SPDX-License-Identifier: MPL-2.0

package stream

// What Stream allows. Calls a minute are where a client begins: the headers of
// its answers correct them (stream-api.md §1.5).
const (
	DeleteUsersPerMinute    = 6
	DeleteChannelsPerMinute = 60

	// MaxBatch is the most that Stream takes per query and per batch: users, polls,
	// creators, deletions.
	MaxBatch = 100
	// channelPage is the documented most of POST /channels (stream-api.md §5.4).
	channelPage = 30
	// reactionPage is how many reactions one call of GET /messages/{id}/reactions
	// gives.
	reactionPage = 300
	// maxOffset is as far as Stream pages by offset (stream-api.md §10).
	maxOffset = 1000
	// maxPayload bounds an escaped query in bytes: proxies and servers take 8 KiB of
	// request line.
	maxPayload = 6 << 10
)
