#!/usr/bin/env bash
# Holds running gateways against the OpenAPI document that they serve: Schemathesis makes the requests, test/schemathesis
# what they are sent to, from bin/samsa. `make schemathesis` calls it, which builds that. SEED=7 EXAMPLES=400 look elsewhere
# and longer.
# Schemathesis and the SDK of CloudEvents come from PyPI, as pinned in hack/schemathesis/requirements.txt, into a cache
# outside the clone: 15 s and 98 MB, once. Needs Python 3.11 or later with its module venv; where that is missing and this is
# root on Debian, installs it.
set -euo pipefail
cd "$(dirname "$0")/.."

pins=hack/schemathesis/requirements.txt
cache=${SAMSA_SCHEMATHESIS_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/samsa/schemathesis}
# What was made from other pins, or for another Python, is not this one.
place() { echo "$cache/$({ cat "$pins"; python3 --version; } | sha256sum | cut -c1-16)"; }

# Debian has ensurepip, without which there is no venv, in a package of its own.
have_python() { python3 -c 'import venv, ensurepip, sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; }

need_python() {
  have_python && return
  if command -v apt-get >/dev/null && [[ $(id -u) == 0 ]]; then
    DEBIAN_FRONTEND=noninteractive apt-get -q -o DPkg::Lock::Timeout=120 -o Acquire::Retries=3 update
    DEBIAN_FRONTEND=noninteractive apt-get -q -o DPkg::Lock::Timeout=120 install -y --no-install-recommends python3 python3-venv
  fi
  have_python || { echo "Python 3.11 or later with venv is missing (Debian: apt-get install python3-venv)" >&2; exit 1; }
}

# fetch <directory>: what is cut short has no stamp.
fetch() {
  local begin=$SECONDS
  rm -rf "$1"
  mkdir -p "$1"
  python3 -m venv "$1"
  "$1/bin/pip" install --quiet --disable-pip-version-check --require-hashes --only-binary :all: -r "$pins" </dev/null
  touch "$1/complete"
  echo "Schemathesis: $(du -sh "$1" | cut -f1) in $((SECONDS - begin))s, in $1"
}

need_python
made=$(place)
[[ -e $made/complete ]] || fetch "$made"
exec go run ./test/schemathesis -samsa bin/samsa -st "$made/bin/st" ${SEED:+-seed "$SEED"} ${EXAMPLES:+-examples "$EXAMPLES"} "$@"
