#!/bin/sh
# Copyright (c) the terraform-provider-streamchat authors
# SPDX-License-Identifier: MPL-2.0

# Finishes what is unfinished, without asking anybody, as long as that only asks Stream
# for results. Anything else ends with 3: somebody has to look at OUT/comment.md.
set -eu
out=${OUT:-out}
comment=${COMMENT:-streamchat-comment}
here=$(dirname "$0")

code=0
"$here/plan.sh" || code=$?
"$here/comment.sh"
case $code in
0)
  echo "Nothing is unfinished."
  ;;
2)
  if "$comment" -only-resumes -plan "$out/plan.json" -log "$out/plan.jsonl"; then
    exec "$here/apply.sh"
  fi
  echo "This plan does more than ask for results: see the comment." >&2
  exit 3
  ;;
*)
  echo "The plan has errors: see the comment." >&2
  exit "$code"
  ;;
esac
