#!/usr/bin/env bash
# Writes what is made from the types of api/. Usage: CONTROLLER_GEN=bin/controller-gen-v0.0.0 hack/generate.sh <what>
#   code       deep copies and apply configurations, beside the types
#   manifests  the CustomResourceDefinitions, into config/crd/bases
#   verify     writes nothing: fails if any of it is not what it would be now, and shows the difference
#
# All of it is made in a copy first. So a file that is as it should be is not touched, and whoever builds or tests
# meanwhile never finds one missing.
set -euo pipefail
cd "$(dirname "$0")/.."

generator=$PWD/${CONTROLLER_GEN:?name the controller-gen to use}
header=hack/boilerplate.go.txt
api=api/v1alpha1
copy=$(mktemp -d)
trap 'rm -rf "$copy"' EXIT

# Only what the generator reads is copied; what it writes is not, so that nothing old survives in it.
cp --parents go.mod go.sum "$header" "$api"/*.go "$copy"
rm "$copy/$api"/zz_generated.*

code() {
  # The tool's version does not belong into every header: a new one would change files whose code it does not.
  (cd "$copy" && "$generator" "object:headerFile=$header" \
    "applyconfiguration:headerFile=$header,omitToolVersion=true" "paths=./$api")
  (cd "$copy" && rm "$api"/[!z]*.go)
  outputs+=("$api/applyconfiguration" "$api/zz_generated.deepcopy.go")
}
manifests() {
  (cd "$copy" && "$generator" crd "paths=./$api" output:crd:artifacts:config=config/crd/bases)
  go run ./hack/crdtext "$copy"/config/crd/bases/*.yaml
  outputs+=(config/crd/bases)
}

# stale: whether an output differs from what it should be, with the difference if it is to be shown.
stale() { ! diff -ruN "${@:2}" "$1" "$copy/$1"; }

outputs=()
case ${1-} in
  code | manifests) "$1" ;;
  verify) manifests; code ;;
  *) echo "usage: $0 code|manifests|verify" >&2; exit 2 ;;
esac
failed=0
for output in "${outputs[@]}"; do
  if [[ $1 == verify ]]; then
    if stale "$output"; then failed=1; fi
  elif stale "$output" -q >/dev/null; then
    rm -rf "$output"
    mkdir -p "$(dirname "$output")"
    cp -r "$copy/$output" "$output"
    echo "wrote $output"
  fi
done
if ((failed)); then
  echo "generated files are not what they would be now: run \`make manifests generate\` and commit" >&2
  exit 1
fi
