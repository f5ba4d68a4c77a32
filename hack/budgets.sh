#!/usr/bin/env bash
# Checks the house's budgets: length of files and functions, header of every Go file, package comment of every directory.
# It takes a second, so it runs before anything slow. Limits are those of CONTRIBUTING.md; "look at" does not fail.
set -euo pipefail
cd "$(dirname "$0")/.."

hack/go-files.sh | xargs -0 awk -v FILE_HARD=800 -v FILE_SOFT=500 -v FUNC_HARD=100 -v FUNC_SOFT=80 -f hack/budgets.awk
