#!/usr/bin/env bash
# Lists the Go files of the repository, sorted, each ended by a NUL. Hidden directories, bin/ and testdata/ hold none of ours.
# Without git, so that it works in an unpacked archive as well.
set -euo pipefail
cd "$(dirname "$0")/.."

find . \( -name '.?*' -o -name bin -o -name testdata \) -prune -o -name '*.go' -type f -print0 | LC_ALL=C sort -z
