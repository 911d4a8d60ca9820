// Copyright (c) the terraform-provider-streamchat authors
// SPDX-License-Identifier: MPL-2.0

// Package emulator is an in-memory Stream Chat server for tests, for the demo
// and for trying a plan without an account.
//
// It speaks the v1 dialect of Stream's REST API, the one of stream-chat-go v6:
// RFC 3339 timestamps, custom fields flattened into their object, 201 for POST
// and PUT, 200 for GET, DELETE and PATCH, rate limit headers on every response.
// It verifies the API key and the JWT. What it does follows the dossier in
// reference/stream-api.md; what the dossier could not prove is marked in the
// code with "unproven:" and the section that decided it. The wording of an error
// that has no sample there is the emulator's own.
//
// # Effects
//
// An erasure has its effects: POST /users/delete marks its users deleted at
// once, and their data goes when the task completes. Nothing runs in the
// background. A task completes when a request (or an accessor) finds that the
// clock has passed its time, so a simulated clock works as well as a real one.
//
// # Values
//
// Custom fields are kept as the bytes that were sent: 64-bit integers, nested
// objects, nulls, HTML and emoji come back as they went in.
//
// # Faults
//
// [Emulator.AddFault] makes matching requests or the tasks they start go wrong;
// [ParseFault] reads the same from a flag. See [FaultKind].
//
// # Left out
//
// WebSockets, webhooks, uploads, moderation, bans, mutes, hidden channels, read
// state, channel types, roles, commands, campaigns, threads, drafts, reminders,
// poll votes, message history, the per-second cap on top of the per-minute
// limits and the QueryChannels time budget. An endpoint that is not here answers
// 404 with code 16, as Stream does for an unknown path.
package emulator
