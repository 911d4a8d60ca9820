#!/bin/sh
# Copyright (c) the terraform-provider-streamchat authors
# SPDX-License-Identifier: MPL-2.0

# Holds the plan to the policy, with conftest or opa, whichever there is. Fails unless it
# has looked, and when anything is denied.
set -eu
out=${OUT:-out}
policy=${POLICY:-policy}

if [ ! -f "$out/plan.json" ]; then
  echo "There is no plan to look at." >&2
  exit 1
fi
if command -v conftest >/dev/null; then
  exec conftest test --policy "$policy" --data "$policy" "$out/plan.json"
fi
ask() {
  opa eval --fail --format raw --data "$policy" --input "$out/plan.json" "concat(\"\\n\", data.main.$1)" || {
    echo "The policy could not be asked." >&2
    exit 1
  }
}
warned=$(ask warn)
denied=$(ask deny)
if [ -n "$warned" ]; then
  printf 'The policy warns:\n%s\n' "$warned"
fi
if [ -n "$denied" ]; then
  printf 'The policy denies this plan:\n%s\n' "$denied" >&2
  exit 1
fi
