#!/usr/bin/env bash
# Proves that the simulator finds errors: for each of the changes below, which somebody might make in good faith, it builds the
# simulator with that change alone and demands that a promise is broken within SEEDS seeds. The tree itself is not touched: the
# changed files are laid over it (go build -overlay). A change that does not apply any more is a failure too.
# Usage: hack/sim-mutations.sh [name pattern, an extended regular expression; default all]
set -euo pipefail
cd "$(dirname "$0")/.."

pattern=${1:-.} seeds=${SEEDS:-500} steps=${STEPS:-500}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
group=pkg/client/group lane=pkg/pump/lane layout=pkg/client/registry/layout
tried=0 survived=0 name=

# mutation <name>: begins one. edit <file> <old> <new>: changes a text that must be there exactly once. run: shows what comes of it.
mutation() {
  name=$1
  rm -rf "$work/files"
  mkdir "$work/files"
  replace=
}
edit() {
  local file=$1 old=$2 new=$3 copy=$work/files/${1//\//_} text rest
  [[ -e $copy ]] || replace+="${replace:+,}\"$PWD/$file\":\"$copy\""
  text=$(cat "$([[ -e $copy ]] && echo "$copy" || echo "$file")" && echo x)
  rest=${text#*"$old"}
  if [[ $rest == "$text" || $rest == *"$old"* ]]; then
    printf 'FAILED: %s: this is not in %s exactly once:\n%s\n' "$name" "$file" "$old" >&2
    exit 1
  fi
  text=${text/"$old"/"$new"}
  printf '%s' "${text%x}" >"$copy"
}
run() {
  [[ $name =~ $pattern ]] || return 0
  local begin=$SECONDS status=0 found
  tried=$((tried + 1))
  printf '{"Replace":{%s}}' "$replace" >"$work/overlay.json"
  go test -c -overlay "$work/overlay.json" -o "$work/sim.test" ./internal/sim
  "$work/sim.test" -test.run '^TestSeeds$' -seeds="$seeds" -steps="$steps" >"$work/out" 2>&1 || status=$?
  found=$(grep -m 1 -oE '(SEED [0-9]+ BREAKS|^panic:) .*' "$work/out" || true)
  if ((status == 0)); then
    survived=$((survived + 1))
    printf 'SURVIVED %s\n' "$name: $seeds seeds found nothing"
  elif [[ $found != SEED* ]]; then
    survived=$((survived + 1))
    printf 'FAILED   %s: the simulator ended without naming a promise:\n' "$name"
    tail -n 5 "$work/out"
  else
    printf 'caught   %s (%d s)\n         %s\n' "$name" $((SECONDS - begin)) "$found"
  fi
}

mutation "commit without the check of the member"
edit $layout/txn.go 'func Commit(group, member string, positions []Position) Txn {
	txn := make(Txn, 0, len(positions)+1)
	txn = append(txn, alive(group, member))
' 'func Commit(group, member string, positions []Position) Txn {
	txn := make(Txn, 0, len(positions)+1)
	txn = append(txn, Op{Kind: Check, Path: Offset(group, positions[0].Partition), Version: AnyVersion})
'
run

mutation "commit over any version"
edit $layout/txn.go 'Data: FormatOffset(position.Offset), Version: position.Version,' \
  'Data: FormatOffset(position.Offset), Version: AnyVersion,'
run

mutation "release before the drain is over"
edit $group/claim.go '	c.state = draining
' '	c.state = releasing
'
run

mutation "a claim that gives up"
edit $group/claim.go '	case Conflict:
' '	case Conflict:
		if c.attempt.failures >= 4 {
			c.attempt.never()
			return
		}
'
run

mutation "a watch believed without re-reading"
edit $group/observe.go '	half := m.session.lease.session / 2
' '	half := 10000 * m.session.lease.session
'
run

mutation "commit of the highest position instead of the contiguous"
edit $lane/lane.go '		l.remember(from, results)
' '		l.remember(from, results)
		for i, result := range results {
			if result.Outcome == sink.Done {
				l.position = l.window.Next(from + i)
			}
		}
'
run

mutation "start position resolved at each claim"
edit $group/begin.go 'positions := s.startPositions()' 'positions := s.startPositions()[:0]'
edit $group/begin.go '	if !event.Place.IsEarliest() {
		return
	}
' ''
edit $group/claim.go 'Place: kafka.Earliest()}' 'Place: m.config.Start}'
run

mutation "a lease that is too long"
edit $group/lease.go 'sent.Add(l.session * 2 / 3)' 'sent.Add(l.session * 4 / 3)'
run

mutation "a lease that counts from the answer"
edit $group/session.go 's.lease.Extend(event.Sent)' 's.lease.Extend(m.now)'
run

mutation "leaving without taking the topics away first"
edit $group/subscribe.go 'return len(m.claims) > 0 && !s.plan.foreign &&' 'return m.left && len(m.claims) > 0 &&'
run

mutation "a renewal that the others do not notice"
edit $layout/txn.go '		{Kind: Delete, Path: path, Version: AnyVersion},
		{Kind: CreateEphemeral, Path: path, Data: data},
' '		{Kind: Set, Path: path, Data: data, Version: AnyVersion},
'
run

mutation "a renewal of unknown outcome taken for done"
edit $group/subscribe.go '		s.subscribe.failed(m.now, m.config.Rand())' '		s.topics = t.topics'
edit $group/subscribe.go '		s.topics = own.SubscribedTopics()' '		_ = own'
run

mutation "claims before there is a plan"
edit $group/claim.go 's.begun && s.planned && s.held' 's.begun && s.held'
run

mutation "idle lanes that never look at their position again"
edit $group/commit.go '>= m.session.lease.session/2:' '>= 10000*m.session.lease.session:'
run

mutation "a claim of unknown outcome forgotten"
edit $group/claim.go '		c.attempt.failed(m.now, m.config.Rand())
		c.state = rereading
' '		c.attempt.failed(m.now, m.config.Rand())
'
run

mutation "a commit of unknown outcome taken for done"
edit $group/commit.go '			m.doubt(c, event)
		default:' '			c.attempt.succeeded(m.now)
			c.committed, c.version = position.Offset, position.Version+1
		default:'
run

if ((tried == 0)); then
  echo "no mutation matches '$pattern'" >&2
  exit 1
fi
if ((survived > 0)); then
  echo "FAILED: $survived of $tried mutations survived" >&2
  exit 1
fi
echo "all $tried mutations caught, each within $seeds seeds, in $SECONDS s"
