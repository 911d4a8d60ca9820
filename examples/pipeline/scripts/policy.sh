#!/bin/sh
# Copyright (c) the terraform-provider-streamchat authors
# SPDX-License-Identifier: MPL-2.0

# Holds the plan to the policy, with conftest or opa, whichever there is. Ends with 0 when
# nothing is denied, with 1 when something is, and with 2 when the policy could not be asked.
set -eu
out=${OUT:-out}
policy=${POLICY:-policy}

unasked() {
  echo "The policy could not be asked${1:+: $1}." >&2
  exit 2
}
denied() {
  printf 'The policy denies this plan:\n%s\n' "$1" >&2
  exit 1
}

if [ ! -f "$out/plan.json" ]; then
  unasked "there is no plan to look at"
fi
if command -v conftest >/dev/null; then
  code=0
  said=$(conftest test --no-color --policy "$policy" --data "$policy" "$out/plan.json" 2>&1) || code=$?
  case "$code $said" in
  "0 "*) printf '%s\n' "$said" ;;
  *"FAIL - "*) denied "$said" ;; # it ends with 1 as well when it could not look
  *) unasked "$said" ;;
  esac
  exit 0
fi
ask() {
  opa eval --fail --format raw --data "$policy" --input "$out/plan.json" "concat(\"\\n\", data.main.$1)" || unasked
}
warned=$(ask warn)
denied=$(ask deny)
if [ -n "$warned" ]; then
  printf 'The policy warns:\n%s\n' "$warned"
fi
if [ -n "$denied" ]; then
  denied "$denied"
fi
