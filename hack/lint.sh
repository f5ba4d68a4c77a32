#!/usr/bin/env bash
# Builds bin/golangci-lint, with the Kubernetes API linter in it, from the module hack/lint, unless it is there already.
# Two minutes on two cores, once per version; go.mod there pins both.
set -euo pipefail
cd "$(dirname "$0")/.."

target=bin/golangci-lint
stamp=$(cat hack/lint/main.go hack/lint/go.mod hack/lint/go.sum | sha256sum | cut -c1-16)
if [[ -x $target && $(cat "$target.stamp" 2>/dev/null) == "$stamp" ]]; then exit 0; fi

# A directory of its own: a build that is cut short leaves nothing that looks like a tool.
mkdir -p bin
building=$(mktemp -d bin/.building-lint.XXXXXX)
trap 'rm -rf "$building"' EXIT

echo "Building golangci-lint and the Kubernetes API linter from source into $target: two minutes on two cores, once."
# Neither GOFLAGS nor GOOS of the caller may change what runs on this machine.
export GOFLAGS='' GOOS='' GOARCH='' CGO_ENABLED=0
(cd hack/lint && go build -buildvcs=false -trimpath -ldflags='-s -w' -v -o "../../$building/golangci-lint" . 2>&1) | hack/progress.sh golangci-lint
mv "$building/golangci-lint" "$target"
echo "$stamp" >"$target.stamp"
echo "Built $target in ${SECONDS}s."
