#!/usr/bin/env bash
# Puts the class paths of real Kafka brokers into a cache outside the clone, out of Maven Central: those of the releases that
# are named (as in hack/kafka.sh 3.9 0.8.2), or of all in internal/realkafka/pom.xml, which pins them. Three seconds for each
# and 30 to 90 MB, once; where they are there already it takes no time. `make jars` calls it.
# Needs Java 17 or later and Maven; where they are missing and this is root on Debian, installs them.
set -euo pipefail
cd "$(dirname "$0")/.."

pom=internal/realkafka/pom.xml
# internal/realkafka looks in the same place.
cache=${SAMSA_KAFKA_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/samsa/kafka}
# A class path that was made from other pins is not this one's.
stamp=$(sha256sum "$pom" | cut -c1-16)

# pins: each release as "name version".
pins() { awk -F'[<>]' '$2 == "id" {name = $3} $2 == "kafka.version" {print name, $3}' "$pom"; }

have() { [[ $(cat "$cache/$1/stamp" 2>/dev/null) == "$stamp" ]]; }

# need <program> <package>: installs what is missing, where that can be done without a question.
need() {
  command -v "$1" >/dev/null && return
  if command -v apt-get >/dev/null && [[ $(id -u) == 0 ]]; then
    DEBIAN_FRONTEND=noninteractive apt-get -q -o DPkg::Lock::Timeout=120 -o Acquire::Retries=3 update
    DEBIAN_FRONTEND=noninteractive apt-get -q -o DPkg::Lock::Timeout=120 install -y --no-install-recommends "$2"
  fi
  command -v "$1" >/dev/null || { echo "$1 is missing (Debian: apt-get install $2)" >&2; exit 1; }
}

# fetch <name> <version>: into a directory of its own first, so that what is cut short does not look complete.
fetch() {
  local name=$1 version=$2 part begin=$SECONDS
  need java openjdk-17-jre-headless
  need mvn maven
  mkdir -p "$cache"
  part=$(mktemp -d "$cache/.fetching.XXXXXX")
  if ! mvn --batch-mode --quiet --no-transfer-progress -Dstyle.color=never --file "$pom" --activate-profiles "$name" dependency:copy-dependencies \
    -DincludeScope=runtime -DoutputDirectory="$part" </dev/null; then
    rm -rf "$part"
    echo "Maven could not fetch Kafka $version" >&2
    return 1
  fi
  echo "$stamp" >"$part/stamp"
  rm -rf "${cache:?}/$version"
  mv "$part" "$cache/$version"
  echo "Kafka $version: $(du -sh "$cache/$version" | cut -f1) in $((SECONDS - begin))s, in $cache/$version"
}

# What a release needs beside its brokers, its command line tools, is a profile of its own where it has one.
releases() { pins | grep -v -- '-tools '; }

wanted=("$@")
if ((${#wanted[@]} == 0)); then mapfile -t wanted < <(releases | cut -d' ' -f1); fi
for want in "${wanted[@]}"; do
  # test/conformance takes one kind of registration, too, as 3.9/KRaft; the jars are the same.
  want=${want%%/*}
  # The servers in the process need no jars.
  [[ $want != embedded* && $want != 0.7 ]] || continue
  want=${want%%/*} # 3.9/KRaft is of 3.9
  # "4" is the newest of those that begin so; "3.9.2" is the release itself.
  pin=$(releases | awk -v want="$want" '$1 == want || $2 == want || index($2, want ".") == 1 {last = $0} END {print last}')
  if [[ -z $pin ]]; then
    echo "$pom has no Kafka $want; it has: $(releases | cut -d' ' -f1 | paste -sd' ')" >&2
    exit 2
  fi
  while read -r name version; do
    have "$version" || fetch "$name" "$version"
  done < <(pins | grep -E "^${pin%% *}(-tools)? ")
done
