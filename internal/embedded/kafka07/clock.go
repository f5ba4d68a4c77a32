// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package kafka07

import (
	"time"

	"github.com/samsa-dev/samsa/internal/embedded/zookeeper"
)

// Clock is the time a broker lives by: flushes, retention, times of segments, late answers. It is the embedded
// ZooKeeper's, so that a test moves both at once.
type Clock = zookeeper.Clock

// every calls do each interval until done is closed.
func every(clock Clock, interval time.Duration, done <-chan struct{}, do func()) {
	for next := clock.Now().Add(interval); ; next = next.Add(interval) {
		reached, stop := clock.At(next)
		select {
		case <-reached:
			do()
		case <-done:
			stop()
			return
		}
	}
}
