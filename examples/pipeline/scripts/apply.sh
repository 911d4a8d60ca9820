#!/bin/sh
# Copyright (c) the terraform-provider-streamchat authors
# SPDX-License-Identifier: MPL-2.0

# Applies the plan that was looked at, and nothing else. Every record that changes leaves
# its receipt in OUT/receipts in any case: a run that ends red may have erased somebody.
set -eu
tf=${TF:-terraform}
out=${OUT:-out}

if [ ! -f "$out/plan.tfplan" ]; then
  echo "There is no plan to apply." >&2
  exit 1
fi
"$tf" init -input=false >"$out/init.log" 2>&1 || { cat "$out/init.log" >&2; exit 1; }
code=0
STREAMCHAT_RECEIPTS_DIR="$out/receipts" "$tf" apply -input=false "$out/plan.tfplan" || code=$?
if [ "$code" -ne 0 ]; then
  echo "This run ended red. Plan and apply again: what it has submitted, if anything, is in the state and only asked for its result." >&2
fi
exit "$code"
