#!/usr/bin/env bash
# Reads what `go build -v` says, one package a line as each is compiled, and passes on a line per hundred of them, which
# is progress enough. Everything else is an error, to be seen. Usage: go build -v ... 2>&1 | hack/progress.sh <name> [total]
set -euo pipefail

name=$1 of=${2:+ of at most $2} count=0
while IFS= read -r line; do
  case $line in
    *' '*) echo "  $line" ;;
    *)
      count=$((count + 1))
      if ((count % 100 == 0)); then echo "  $name: $count$of packages compiled after ${SECONDS}s"; fi
      ;;
  esac
done
