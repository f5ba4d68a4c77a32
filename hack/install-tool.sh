#!/usr/bin/env bash
# Builds one pinned tool from source into bin/, unless that very version is there already.
# Usage: hack/install-tool.sh <name> <package> <version>; the result is bin/<name>-<version>.
# From source, because the checksum database then vouches for every line of it, and because no binary has to be trusted.
set -euo pipefail
cd "$(dirname "$0")/.."

name=$1 package=$2 version=$3
target=bin/$name-$version
[[ -x $target ]] && exit 0

# A directory of its own: a build that is cut short leaves nothing that looks like a tool.
mkdir -p bin
building=$(mktemp -d "bin/.building-$name.XXXXXX")
trap 'rm -rf "$building"' EXIT

echo "Building $name $version from source into $target. Once per version; some minutes on two cores."
# Neither GOFLAGS nor GOOS of the caller may change what runs on this machine.
GOBIN=$PWD/$building GOFLAGS='' GOOS='' GOARCH='' CGO_ENABLED=0 go install -buildvcs=false -v "$package@$version" 2>&1 | hack/progress.sh "$name"
mv "$building/$name" "$target"
echo "Built $target in ${SECONDS}s."
