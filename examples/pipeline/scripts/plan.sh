#!/bin/sh
# Copyright (c) the terraform-provider-streamchat authors
# SPDX-License-Identifier: MPL-2.0

# Plans, and keeps what the other steps need in OUT: the plan, its log with the warnings,
# and the plan as JSON. Ends as plan -detailed-exitcode does: 0 nothing to do, 2 something,
# 1 an error, of which the comment still tells.
set -eu
tf=${TF:-terraform}
out=${OUT:-out}
mkdir -p "$out"
rm -f "$out/plan.tfplan" "$out/plan.json" "$out/plan.jsonl"
umask 077

"$tf" init -input=false >"$out/init.log" 2>&1 || { cat "$out/init.log" >&2; exit 1; }
code=0
# Not printed: the log may quote the configuration. What it may say is in the comment.
"$tf" plan -input=false -json -out="$out/plan.tfplan" -detailed-exitcode >"$out/plan.jsonl" || code=$?
if [ -f "$out/plan.tfplan" ]; then
  "$tf" show -json "$out/plan.tfplan" >"$out/plan.json"
fi
exit "$code"
