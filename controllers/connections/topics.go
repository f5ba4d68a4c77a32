// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package connections

import (
	"context"
	"math/rand/v2"
	"time"

	"k8s.io/apimachinery/pkg/types"

	"github.com/samsa-dev/samsa/pkg/client"
)

const (
	// countEvery is how old the number of topics may be: who makes one sees it within the 10 s in which everything else
	// shows. It is one read of some kilobytes.
	countEvery = 8 * time.Second
	// countRetry is the wait after a reading that failed: well within the 10 s that everything heals in.
	countRetry = time.Second
	// countTimeout bounds one reading, which takes milliseconds: three that fail, with the waits, are over within 10 s.
	countTimeout = 2 * time.Second
)

// Topics is the number of the cluster's topics as of some seconds ago; false before the first count.
func (c *Cache) Topics(key types.NamespacedName) (int, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if held := c.current(key); held != nil {
		return held.topics, held.counted
	}
	return 0, false
}

// count counts the topics every now and then, and as soon as the cluster is connected.
func (h *connection) count(ctx context.Context, cluster *client.Cluster) {
	for ctx.Err() == nil {
		changed := cluster.Changed()
		if !answers(cluster) {
			select {
			case <-ctx.Done():
			case <-changed:
			}
			continue
		}
		wait := countEvery - rand.N(countEvery/10) //nolint:gosec // so that clusters do not all count at once
		if !h.recount(ctx, cluster) {
			wait = countRetry
		}
		timer := time.NewTimer(wait)
		select {
		case <-ctx.Done():
		case <-timer.C:
		}
		timer.Stop()
	}
}

// recount wakes the listeners if the number is another one.
func (h *connection) recount(ctx context.Context, cluster *client.Cluster) bool {
	ctx, cancel := context.WithTimeout(ctx, countTimeout)
	defer cancel()
	topics, err := cluster.Topics(ctx)
	if err != nil {
		return false // its state says why
	}
	h.cache.mu.Lock()
	same := h.counted && h.topics == len(topics)
	h.topics, h.counted = len(topics), true
	h.cache.mu.Unlock()
	if !same {
		h.cache.bell.Ring(h.key)
	}
	return true
}
