#!/bin/sh
# Copyright (c) the terraform-provider-streamchat authors
# SPDX-License-Identifier: MPL-2.0

# Finishes what an apply has begun, without asking anybody: asks for results, and erases
# who was scheduled, is due and has not changed since, within the policy. Anything else ends
# with 3: somebody has to look at the comment. 1: the plan has errors, the policy denies it, or
# the apply ended red; 2: nobody could tell.
set -eu
out=${OUT:-out}
comment=${COMMENT:-streamchat-comment}
here=$(dirname "$0")

code=0
"$here/plan.sh" || code=$?
"$here/comment.sh"
case $code in
0)
  echo "Nothing is due or unfinished."
  exit 0
  ;;
2)
  code=0
  "$comment" -only-approved -plan "$out/plan.json" -log "$out/plan.jsonl" || code=$?
  case $code in
  0)
    "$here/policy.sh" || code=$?
    case $code in
    0) exec "$here/apply.sh" ;;
    1) echo "The policy denies this plan, so nothing is finished this night:" >&2 ;;
    *)
      code=2
      echo "The policy could not be asked, so nothing is finished this night:" >&2
      ;;
    esac
    ;;
  3) echo "This plan does more than finish what was begun, so nothing of it is applied:" >&2 ;;
  *)
    code=2
    echo "Nobody could tell what this plan does, so nothing of it is applied:" >&2
    ;;
  esac
  ;;
*)
  echo "The plan has errors, so nothing is finished this night:" >&2
  ;;
esac
cat "$out/comment.md" >&2
exit "$code"
