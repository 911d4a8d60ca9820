// Copyright (c) the terraform-provider-streamchat authors
// SPDX-License-Identifier: MPL-2.0

// Package comment writes what the reviewer of a plan has to know as Markdown for a
// pull request: which app, who, what goes for good and what stays, what only asks for
// a result, what is undone. A saved plan has what is planned, the log of plan -json
// has the facts about each subject; it takes both, and names people by request only.
package comment
