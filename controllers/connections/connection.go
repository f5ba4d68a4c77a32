// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package connections

import (
	"context"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/types"

	"github.com/samsa-dev/samsa/pkg/client"
)

// patience is how long a connection that is not wanted any more waits for those who use it: a reading of a group is
// bounded by 10 s, so it is over by then, and whoever never lets go cannot hold up the end of the process.
const patience = 15 * time.Second

// firstTry is when a connection counts as tried, whatever became of it: one is made within milliseconds, or refused.
const firstTry = 3 * time.Second

// connection is one cluster's, from Connect to Close. The fields without a word are set once.
type connection struct {
	cache    *Cache
	key      types.NamespacedName
	settings Settings
	cancel   context.CancelFunc
	// idle is closed when it is retired and nobody uses it.
	idle chan struct{}

	// What follows is protected by the cache's mu.
	cluster *client.Cluster
	failure error // why there is no cluster and never will be
	tried   bool  // its state has changed since it was opened
	topics  int   // their number, once counted
	counted bool
	users   int
	retired bool
}

// run opens the connection, keeps it until ctx ends, and closes it.
func (h *connection) run(ctx context.Context) {
	logger := h.cache.logger.With("kafkaCluster", h.key.String())
	cluster, err := h.settings.connect(logger) //nolint:contextcheck // it lives until it is closed below
	h.publish(cluster, err)
	if err != nil {
		<-ctx.Done() // other settings bring another connection
		return
	}
	var following sync.WaitGroup
	following.Go(func() { h.follow(ctx, cluster) })
	following.Go(func() { h.count(ctx, cluster) })
	following.Wait()
	h.drain()
	if err := cluster.Close(); err != nil {
		logger.Warn("Connection did not close in order", "reason", err)
	}
}

func (h *connection) publish(cluster *client.Cluster, failure error) {
	h.cache.mu.Lock()
	h.cluster, h.failure = cluster, failure
	h.cache.mu.Unlock()
	h.cache.bell.Ring(h.key)
}

// follow wakes the listeners at each change of state.
func (h *connection) follow(ctx context.Context, cluster *client.Cluster) {
	// The first change may have come before anybody listened, and there need not be another.
	enough := time.NewTimer(firstTry)
	defer enough.Stop()
	for {
		changed := cluster.Changed() // before anybody looks, or a change in between is missed
		h.cache.bell.Ring(h.key)
		select {
		case <-ctx.Done():
			return
		case <-changed:
		case <-enough.C:
		}
		h.cache.mu.Lock()
		h.tried = true
		h.cache.mu.Unlock()
	}
}

// drain waits for those who use the connection, within bounds.
func (h *connection) drain() {
	timer := time.NewTimer(patience)
	defer timer.Stop()
	select {
	case <-h.idle:
	case <-timer.C:
		h.cache.logger.Warn("Closing a connection that is in use", "kafkaCluster", h.key.String())
	}
}

// letGo closes idle when that is true. The caller holds the cache's mu.
func (h *connection) letGo() {
	if h.retired && h.users == 0 {
		close(h.idle)
	}
}

// answers tells that a cluster can be asked: its ZooKeeper answers, or whatever else it is known by.
func answers(cluster *client.Cluster) bool {
	state := cluster.State()
	return state.Connected || state.Err == nil
}
