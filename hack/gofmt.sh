#!/usr/bin/env bash
# Fails if a Go file is not formatted, and names it. With -w it formats instead.
set -euo pipefail
cd "$(dirname "$0")/.."

if [[ ${1-} == -w ]]; then
  hack/go-files.sh | xargs -0 -r gofmt -l -w
  exit
fi
unformatted=$(hack/go-files.sh | xargs -0 -r gofmt -l)
if [[ -n $unformatted ]]; then
  printf 'not formatted (make fmt):\n%s\n' "$unformatted" >&2
  exit 1
fi
