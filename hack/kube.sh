#!/usr/bin/env bash
# Puts etcd, kube-apiserver, kube-controller-manager and kubectl into bin/kube/, unless they are there already: links to
# those in KUBEBUILDER_ASSETS where that has all four, else built from the module hack/kube. About 7 minutes on two
# cores, once; a change of hack/kube builds anew, in seconds, out of Go's cache.
set -euo pipefail
cd "$(dirname "$0")/.."

programs=(etcd kube-apiserver kube-controller-manager kubectl)
target=bin/kube

# have <directory>: whether it holds all four.
have() {
  local program
  for program in "${programs[@]}"; do [[ -x $1/$program ]] || return 1; done
}

# The stamp says what the binary was built from; without one the programs are somebody else's.
stamp=$(cat hack/kube/main.go hack/kube/go.mod hack/kube/go.sum | sha256sum | cut -c1-16)
if have "$target" && [[ $(cat "$target/stamp" 2>/dev/null) == "$stamp" ]]; then exit 0; fi

if [[ -n ${KUBEBUILDER_ASSETS:-} && $(realpath -m "$KUBEBUILDER_ASSETS") != $(realpath -m "$target") ]]; then
  if have "$KUBEBUILDER_ASSETS"; then
    mkdir -p "$target"
    for program in "${programs[@]}"; do ln -sfn "$(realpath "$KUBEBUILDER_ASSETS")/$program" "$target/$program"; done
    echo "$stamp" >"$target/stamp"
    echo "Using the control plane of KUBEBUILDER_ASSETS=$KUBEBUILDER_ASSETS."
    exit 0
  fi
  echo "KUBEBUILDER_ASSETS=$KUBEBUILDER_ASSETS lacks one of ${programs[*]}; building them instead."
fi

command -v go >/dev/null || { echo "Go is missing: install the version that go.mod names, https://go.dev/dl" >&2; exit 1; }

version=$(sed -n 's|^\tk8s.io/kubernetes \(v[0-9.]*\)$|\1|p' hack/kube/go.mod)
IFS=. read -r major minor _ <<<"${version#v}"
base=k8s.io/component-base/version
# Without a version in the binary kubectl cannot read what the server says of itself.
flags="-s -w -X $base.gitVersion=$version -X $base.gitMajor=$major -X $base.gitMinor=$minor"

mkdir -p "$target"
# A directory of its own: a build that is cut short leaves nothing that looks like a program.
building=$(mktemp -d "bin/.building-kube.XXXXXX")
trap 'rm -rf "$building"' EXIT

# Neither GOFLAGS nor GOOS of the caller may change what runs on this machine.
export GOFLAGS='' GOOS='' GOARCH='' CGO_ENABLED=0
echo "Building the control plane for development (Kubernetes $version and etcd) from Go modules into $target."
echo "Once: about 7 minutes on two cores. First its modules (300 MB) ..."
(cd hack/kube && go mod download)
total=$(cd hack/kube && go list -deps . | wc -l)
(cd hack/kube && go build -buildvcs=false -trimpath -v -ldflags "$flags" -o "../../$building/kube" . 2>&1) | hack/progress.sh "control plane" "$total"
rm -f "$target/stamp"
# kube-controller-manager and the others may be running out of the old file: a rename leaves it to them.
mv "$building/kube" "$target/kube"
for program in "${programs[@]}"; do ln -sfn kube "$target/$program"; done
echo "$stamp" >"$target/stamp"
echo "Built the control plane in ${SECONDS}s: $(du -Lh "$target/kube" | cut -f1) in $target."
