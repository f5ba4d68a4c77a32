// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package sim

import (
	"strings"
	"testing"
	"time"

	"github.com/samsa-dev/samsa/pkg/kafka"
	"github.com/samsa-dev/samsa/pkg/sink"
)

// told makes a history of things that happen one second after the other.
func told(things ...any) History {
	history := make(History, len(things))
	for i, what := range things {
		history[i] = Entry{At: time.Duration(i) * time.Second, What: what}
	}
	return history
}

// TestPromisesCanBeBroken is one long table: it holds each promise against a history that keeps it, and against one
// that breaks it.
func TestPromisesCanBeBroken(t *testing.T) {
	p := kafka.Partition{Topic: "t", ID: "0"}
	logged := []any{
		partitionBorn{Partition: p, First: 5}, appended{Partition: p, Offset: 5, Next: 7},
		appended{Partition: p, Offset: 7, Next: 8}, positionMade{By: "a", Partition: p, Position: 5, Zxid: 1},
		groupBegan{By: "a", Ends: map[kafka.Partition]int64{p: 8}},
	}
	after := func(things ...any) History { return told(append(append([]any(nil), logged...), things...)...) }
	lane := func(by string) any { return laneStarted{By: by, Lane: 1, Partition: p, Position: 5} }
	begin := func(by string, first, last int64) any {
		return attemptBegan{Attempt: int(first), By: by, Lane: 1, Partition: p, First: first, Last: last}
	}
	end := func(by string, first int64, acked ...int64) any {
		return attemptEnded{Attempt: int(first), By: by, Lane: 1, Partition: p, Acked: acked}
	}
	deliver := func(by string, offset int64) any {
		return delivered{Attempt: int(offset), By: by, Lane: 1, Partition: p, Offset: offset, Outcome: sink.Done}
	}
	commit := func(position, over int64) any {
		return positionWritten{By: "a", Partition: p, Position: position, Over: over, Zxid: over + 1}
	}
	able := capability{By: "a", Has: true}
	without := ownership{Partition: p}
	idle := processStarted{By: "b"}
	seek := sought{Partition: p, Position: 5}
	both := []any{deliver("a", 5), deliver("a", 7), commit(7, 1), seek}
	for name, test := range map[string]struct {
		kept         func(History, profile) error
		good, broken History
		want         string
	}{
		"two deliver at once": {
			oneAtATime, told(begin("a", 5, 5), end("a", 5), begin("b", 6, 6)),
			told(begin("a", 5, 5), begin("b", 6, 6)), "delivers",
		},
		"a delivery outside of an attempt": {
			oneAtATime, told(begin("a", 5, 5), deliver("a", 5)),
			told(begin("a", 5, 5), end("a", 5), deliver("a", 5)), "outside",
		},
		"a transaction of an ended session": {
			fenced, told(tookEffect{By: "a", Composed: 1, Carried: 1}, sessionEnded{Session: 1}),
			told(sessionEnded{Session: 1}, tookEffect{By: "a", Composed: 1, Carried: 1}), "took effect",
		},
		"a transaction in another session": {
			fenced, told(tookEffect{By: "a", Composed: 2, Carried: 2}),
			told(tookEffect{By: "a", Composed: 1, Carried: 2}), "took effect",
		},
		"a lost update": {
			noLostUpdate, told(saw{By: "a", Partition: p, Zxid: 3}, commit(9, 3)),
			told(saw{By: "a", Partition: p, Zxid: 2}, commit(9, 3)), "does not know",
		},
		"a message skipped": {
			acknowledged, after(deliver("a", 5), deliver("a", 7), commit(8, 1)), after(deliver("a", 7), commit(8, 1)), "at 5",
		},
		"a message before a seek does not count": {
			acknowledged, after(append(both, deliver("a", 5), commit(7, 3))...), after(append(both, commit(7, 3))...), "at 5",
		},
		"a message out of order": {
			ordered, after(lane("a"), begin("a", 5, 7), deliver("a", 5), deliver("a", 7)),
			after(lane("a"), begin("a", 5, 7), deliver("a", 7), deliver("a", 5)), "after 7",
		},
		"a message left out": {
			ordered, after(lane("a"), begin("a", 5, 5), end("a", 5, 5), begin("a", 7, 7)),
			after(lane("a"), begin("a", 7, 7)), "before 5",
		},
		"a message that is done": {
			ordered, after(lane("a"), begin("a", 5, 5), end("a", 5), begin("a", 5, 5)),
			after(lane("a"), begin("a", 5, 5), end("a", 5, 5), begin("a", 5, 5)), "which is done",
		},
		"delivered twice": {once, told(deliver("a", 5), deliver("a", 7)), told(deliver("a", 5), deliver("b", 5)), "was by a"},
		"no owner": {
			recovered, told(able, without, fault{What: "x"}, ownership{Partition: p, Owned: true}),
			told(able, without, fault{What: "x"}, idle, idle, settled{}), "no owner",
		},
		"no rest": {settledInTheEnd, told(settled{Everything: true}), told(settled{Why: "because"}), "because"},
	} {
		t.Run(name, func(t *testing.T) {
			calm := profile{calm: true}
			if err := test.kept(test.good, calm); err != nil {
				t.Errorf("a good history: %v", err)
			}
			if err := test.kept(test.broken, calm); err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("a broken history: %v, want %q", err, test.want)
			}
		})
	}
}
