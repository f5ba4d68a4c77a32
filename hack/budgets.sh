#!/usr/bin/env bash
# Checks the house's budgets: length of files and functions, header of every Go file, package comment of every directory.
# It takes a second, so it runs before anything slow. Limits are those of CONTRIBUTING.md; "look at" does not fail.
set -euo pipefail
cd "$(dirname "$0")/.."

mapfile -d '' files < <(git ls-files -z --cached --others --exclude-standard -- '*.go')
# A file that is deleted but not yet committed is still listed.
existing=()
for file in "${files[@]}"; do
  if [[ -f $file ]]; then existing+=("$file"); fi
done
if ((${#existing[@]} == 0)); then
  echo "no Go files found" >&2
  exit 1
fi
awk -v FILE_HARD=800 -v FILE_SOFT=500 -v FUNC_HARD=100 -v FUNC_SOFT=80 -f hack/budgets.awk "${existing[@]}"
