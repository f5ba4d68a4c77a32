// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package sim

import (
	"github.com/samsa-dev/samsa/pkg/kafka"
	"github.com/samsa-dev/samsa/pkg/sink"
)

const done = sink.Done

// ledger is what a partition's messages came to.
type ledger struct {
	first    int64
	latest   bool
	messages []entered
	// floor is from where on messages count, counted up to where all were seen to be acknowledged.
	floor   int64
	counted int
}

type entered struct {
	offset, next int64
	done         bool
}

// find gives the index of the first message at or after an offset.
func (l *ledger) find(offset int64) int {
	i := len(l.messages)
	for i > 0 && l.messages[i-1].offset >= offset {
		i--
	}
	return i
}

// acknowledged: no message below a committed position is without the sink's acknowledgement, from where the group
// begins. Where it begins is decided at its birth: at the position made then, in no case behind what was appended
// afterwards; partitions that come later begin at their first message. A position that an operator writes begins the
// count anew: what follows it is to be delivered again.
func acknowledged(history History, p profile) error {
	ledgers := map[kafka.Partition]*ledger{}
	var ends map[kafka.Partition]int64
	for _, entry := range history {
		switch what := entry.What.(type) {
		case partitionBorn:
			ledgers[what.Partition] = &ledger{first: what.First, latest: p.start.IsLatest()}
		case appended:
			l := ledgers[what.Partition]
			l.messages = append(l.messages, entered{offset: what.Offset, next: what.Next})
		case positionMade:
			ledgers[what.Partition].begin(what, ends)
		case groupBegan:
			ends = what.Ends
		case sought:
			if !what.Malformed {
				ledgers[what.Partition].seek(what.Position)
			}
		case delivered:
			l := ledgers[what.Partition]
			if i := l.find(what.Offset); what.Outcome == done && i < len(l.messages) {
				l.messages[i].done = true
			}
		case positionWritten:
			if missing := ledgers[what.Partition].commit(what.Position); missing >= 0 {
				return broken(entry, "%s commits %s at %d, and the message at %d is not acknowledged", what.By, what.Partition,
					what.Position, missing)
			}
		}
	}
	return nil
}

// begin decides from where on messages count. ends are those of the logs at the group's birth, nil before it.
func (l *ledger) begin(made positionMade, ends map[kafka.Partition]int64) {
	end, old := ends[made.Partition]
	switch {
	case made.By == migration, l.latest && ends == nil:
		l.floor = made.Position
	case l.latest && old:
		l.floor = min(made.Position, end)
	default:
		l.floor = l.first
	}
	l.counted = l.find(l.floor)
}

func (l *ledger) seek(position int64) {
	l.floor, l.counted = position, l.find(position)
	for i := l.counted; i < len(l.messages); i++ {
		l.messages[i].done = false
	}
}

// commit gives the offset of the first message below a position that is not acknowledged, -1 for none.
func (l *ledger) commit(position int64) int64 {
	for ; l.counted < len(l.messages) && l.messages[l.counted].offset < position; l.counted++ {
		if m := l.messages[l.counted]; !m.done {
			return m.offset
		}
	}
	return -1
}

// ordered: each attempt of a claim begins with the first message that is not acknowledged under it, and leaves none
// out. So messages go in the order of their offsets, but for retries, and for what a careless sink took behind one that
// it refused.
func ordered(history History, _ profile) error {
	type claim struct {
		by   string
		lane int64
	}
	type progress struct {
		position int64
		acked    map[int64]bool
		last     int64
	}
	logs := map[kafka.Partition][]int64{}
	claims := map[claim]*progress{}
	for _, entry := range history {
		switch what := entry.What.(type) {
		case appended:
			logs[what.Partition] = append(logs[what.Partition], what.Offset)
		case laneStarted:
			claims[claim{what.By, what.Lane}] = &progress{position: what.Position, acked: map[int64]bool{}}
		case attemptBegan:
			c := claims[claim{what.By, what.Lane}]
			c.last = -1
			for _, offset := range logs[what.Partition] {
				switch {
				case offset < c.position || offset > what.Last:
				case offset < what.First && !c.acked[offset]:
					return broken(entry, "lane %d of %s tries %s/%d before %d", what.Lane, what.By, what.Partition, what.First, offset)
				case offset >= what.First && c.acked[offset]:
					return broken(entry, "lane %d of %s tries %s/%d, which is done", what.Lane, what.By, what.Partition, offset)
				}
			}
		case delivered:
			c := claims[claim{what.By, what.Lane}]
			if what.Offset <= c.last {
				return broken(entry, "lane %d of %s delivers %s/%d after %d", what.Lane, what.By, what.Partition,
					what.Offset, c.last)
			}
			c.last = what.Offset
		case attemptEnded:
			for _, offset := range what.Acked {
				claims[claim{what.By, what.Lane}].acked[offset] = true
			}
		}
	}
	return nil
}
