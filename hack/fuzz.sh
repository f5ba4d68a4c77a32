#!/usr/bin/env bash
# Runs every fuzz target of the module, one after the other, for FUZZTIME each (default 30s). Go fuzzes only one at a time.
# Usage: FUZZTIME=10s hack/fuzz.sh [name pattern, a Go regular expression; default all]
set -euo pipefail
cd "$(dirname "$0")/.."

fuzztime=${FUZZTIME:-30s} pattern=${1:-.} found=0
while IFS=: read -r file target; do
  [[ $target =~ $pattern ]] || continue
  found=$((found + 1))
  echo "--- $target in ./$(dirname "$file") for $fuzztime"
  go test -run='^$' -fuzz="^$target\$" -fuzztime="$fuzztime" "./$(dirname "$file")"
done < <(hack/go-files.sh | xargs -0 -r grep -HoE '^func Fuzz[A-Za-z0-9_]*' | sed 's/:func /:/')

if ((found == 0)); then
  echo "no fuzz target matches '$pattern'" >&2
  exit 1
fi
echo "$found fuzz targets, $fuzztime each: nothing found"
