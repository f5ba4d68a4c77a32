// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package sim

import (
	"time"

	"github.com/samsa-dev/samsa/pkg/kafka"
)

// oneAtATime: no two claims deliver one partition at the same time, as far as their leases reach.
func oneAtATime(history History, _ profile) error {
	type holder struct {
		by      string
		lane    int64
		attempt int
	}
	delivering := map[kafka.Partition]holder{}
	for _, entry := range history {
		switch what := entry.What.(type) {
		case attemptBegan:
			if other, busy := delivering[what.Partition]; busy {
				return broken(entry, "%s delivers %s with lane %d while lane %d of %s does", what.By, what.Partition, what.Lane,
					other.lane, other.by)
			}
			delivering[what.Partition] = holder{what.By, what.Lane, what.Attempt}
		case attemptEnded:
			if delivering[what.Partition].attempt == what.Attempt {
				delete(delivering, what.Partition)
			}
		case delivered:
			if delivering[what.Partition].attempt != what.Attempt {
				return broken(entry, "%s delivers %s/%d outside of any attempt", what.By, what.Partition, what.Offset)
			}
		}
	}
	return nil
}

// fenced: no transaction of an ended session takes effect.
func fenced(history History, _ profile) error {
	ended := map[int64]bool{}
	for _, entry := range history {
		switch what := entry.What.(type) {
		case sessionEnded:
			ended[what.Session] = true
		case tookEffect:
			if ended[what.Composed] || what.Composed != what.Carried {
				return broken(entry, "a transaction that %s composed in session %x took effect in session %x", what.By,
					what.Composed, what.Carried)
			}
		}
	}
	return nil
}

// noLostUpdate: a position is written only over one that the writer knows.
func noLostUpdate(history History, _ profile) error {
	type known struct {
		by        string
		partition kafka.Partition
		zxid      int64
	}
	seen := map[known]bool{}
	for _, entry := range history {
		switch what := entry.What.(type) {
		case saw:
			seen[known{what.By, what.Partition, what.Zxid}] = true
		case positionWritten:
			if !seen[known{what.By, what.Partition, what.Over}] {
				return broken(entry, "%s writes position %d of %s over one that it does not know", what.By, what.Position,
					what.Partition)
			}
		}
	}
	return nil
}

// once: with planned changes alone, nothing reaches a sink twice.
func once(history History, p profile) error {
	if !p.calm {
		return nil
	}
	type message struct {
		partition kafka.Partition
		offset    int64
	}
	by := map[message]string{}
	for _, entry := range history {
		what, ok := entry.What.(delivered)
		if !ok || what.Outcome != done {
			continue
		}
		m := message{what.Partition, what.Offset}
		if before := by[m]; before != "" {
			return broken(entry, "%s/%d is delivered by %s, and was by %s", what.Partition, what.Offset, what.By, before)
		}
		by[m] = what.By
	}
	return nil
}

// recovered: a partition has an owner again within the bound, counted from when it lost the last one, or from the last
// fault after that: while something is broken nothing is promised. Nor is it while no process could take it.
func recovered(history History, p profile) error {
	orphans := map[kafka.Partition]time.Duration{}
	capable := map[string]bool{}
	bound := p.recovery() + 2*monitorInterval
	var faultAt time.Duration
	late := func(entry Entry, partition kafka.Partition) error {
		since, orphan := orphans[partition]
		if wait := entry.At - max(since, faultAt); orphan && len(capable) > 0 && wait > bound {
			return broken(entry, "%s has no owner for %.3f s, more than %.3f s", partition, wait.Seconds(), bound.Seconds())
		}
		return nil
	}
	for _, entry := range history {
		if what, ok := entry.What.(ownership); ok {
			if err := late(entry, what.Partition); err != nil {
				return err
			}
			delete(orphans, what.Partition)
			if !what.Owned {
				orphans[what.Partition] = entry.At
			}
			continue
		}
		what, changes := entry.What.(capability)
		_, faulty := entry.What.(fault)
		if _, ends := entry.What.(settled); !changes && !faulty && !ends {
			continue
		}
		for _, partition := range partitionsOf(orphans) {
			if err := late(entry, partition); err != nil {
				return err
			}
		}
		if faulty || len(capable) == 0 {
			faultAt = entry.At
		}
		if changes && what.Has {
			capable[what.By] = true
		} else if changes {
			delete(capable, what.By)
		}
	}
	return nil
}
