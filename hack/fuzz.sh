#!/usr/bin/env bash
# Runs every fuzz target of the module, one after the other, for FUZZ_TIME each (default 15s). Go fuzzes only one at a time.
# What it finds fails at once, and Go keeps it under the package's testdata/fuzz, where go test tries it ever after.
# Usage: FUZZ_TIME=10m hack/fuzz.sh [name pattern, a Go regular expression; default all]
set -euo pipefail
cd "$(dirname "$0")/.."

fuzz_time=${FUZZ_TIME:-15s} pattern=${1:-.}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# Only packages that have a target are compiled, and Go says what the targets are.
mapfile -t directories < <(hack/go-files.sh | xargs -0 -r grep -lE '^func Fuzz' | xargs -r -n 1 dirname | sort -u)
targets=()
for directory in "${directories[@]}"; do
  list=$(go test -list '^Fuzz' "$directory")
  for target in $(grep '^Fuzz' <<<"$list" || true); do
    if [[ $target =~ $pattern ]]; then targets+=("$directory $target"); fi
  done
done
if ((${#targets[@]} == 0)); then
  echo "no fuzz target matches '$pattern'" >&2
  exit 1
fi

# summary passes on what go test says, but of its progress, a line every 3 s, only one a minute and the last.
summary() {
  awk 'function tell(line) { if (line != "") { print line; fflush() } }
    /^fuzz: elapsed:/ { last = $0; if (++n % 20 == 0) { tell(last); last = "" }; next }
    /^PASS$/ { next }
    { tell(last); last = ""; tell($0) }'
}
# fuzz <directory> <target>. Up to Go 1.27 the end of the time is sometimes taken for a failure of the target, if the
# machine is busy (go.dev/issue/75804): nothing was found then, and it is tried anew.
fuzz() {
  local attempt
  for attempt in 1 2 3; do
    if go test -run='^$' -fuzz="^$2\$" -fuzztime="$fuzz_time" "$1" 2>&1 | tee "$work/out" | summary; then return 0; fi
    if ! grep -qx ' *context deadline exceeded' "$work/out" || grep -qE 'Failing input|panic:|_test\.go:' "$work/out"; then
      return 1
    fi
    echo "Nothing was found, but Go did not end in time (attempt $attempt of 3)."
  done
  return 1
}
number=0
for item in "${targets[@]}"; do
  read -r directory target <<<"$item"
  number=$((number + 1))
  echo "--- $number of ${#targets[@]}: $target in $directory for $fuzz_time"
  fuzz "$directory" "$target"
done
echo "${#targets[@]} fuzz targets, $fuzz_time each, ${SECONDS} s in all: nothing found"
