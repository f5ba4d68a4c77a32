// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package wire07

import (
	"testing"

	"github.com/samsa-dev/samsa/pkg/kafka"
)

// What is kept of a paused partition does not count for its broker any more: the loop has to hear of it, or partitions
// that waited for room would wait until something else wakes it.
func TestPausingMakesRoomForOthers(t *testing.T) {
	partition := kafka.Partition{Topic: "orders", ID: "1-0"}
	f := newFetcher(&Transport{life: t.Context()})
	l := newLoop(f, "1")
	c := &cursor{partition: partition, loop: l}
	f.cursors[partition] = c
	c.weigh(maxBuffered)
	f.Pause([]kafka.Partition{partition})
	if l.buffered != 0 {
		t.Errorf("%d bytes count still", l.buffered)
	}
	select {
	case <-l.wake:
	default:
		t.Error("the loop was not told")
	}
}
