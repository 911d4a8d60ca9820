#!/bin/sh
# Copyright (c) the terraform-provider-streamchat authors
# SPDX-License-Identifier: MPL-2.0

# Applies the plan that was looked at, and nothing else. Receipts are taken from the state
# in any case: a run that ends red may have erased somebody.
set -eu
tf=${TF:-terraform}
out=${OUT:-out}
here=$(dirname "$0")

if [ ! -f "$out/plan.tfplan" ]; then
  echo "There is no plan to apply." >&2
  exit 1
fi
code=0
"$tf" apply -input=false "$out/plan.tfplan" || code=$?
"$here/receipts.sh" || { echo "The receipts could not be taken from the state." >&2; [ "$code" -ne 0 ] || code=1; }
if [ "$code" -ne 0 ]; then
  echo "This run ended red. What was submitted is in the state: plan and apply again, which asks for the result." >&2
fi
exit "$code"
