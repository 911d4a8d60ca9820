#!/bin/sh
# Copyright (c) the terraform-provider-streamchat authors
# SPDX-License-Identifier: MPL-2.0

# Writes the reviewer's comment to OUT/comment.md, from what plan.sh left. What changed
# since the last one is in it when that is at OUT/previous.md. The keys here are numbers of
# requests, so errors may show them.
set -eu
out=${OUT:-out}
comment=${COMMENT:-streamchat-comment}

set -- -keys -log "$out/plan.jsonl" -previous "$out/previous.md"
if [ -f "$out/plan.json" ]; then
  set -- "$@" -plan "$out/plan.json"
fi
"$comment" "$@" >"$out/comment.md"
