// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package connections

import (
	"context"
	"log/slog"
	"sync"

	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/source"

	"github.com/samsa-dev/samsa/controllers/wake"
	"github.com/samsa-dev/samsa/pkg/client"
)

// Cache keeps a connection to each cluster that is wanted, by the name of its KafkaCluster. Its methods may be called
// concurrently, before Run, too; connections exist only while Run runs.
type Cache struct {
	logger *slog.Logger
	bell   wake.Bell
	// unsettled asks Run to make what is there what is wanted.
	unsettled chan struct{}

	// mu protects what follows, and the fields of connections that say so.
	mu     sync.Mutex
	wanted map[types.NamespacedName]Settings
	there  map[types.NamespacedName]*connection
	opened int
}

// New makes a cache without connections. The logger is told of the clusters' changes of state.
func New(logger *slog.Logger) *Cache {
	return &Cache{
		logger:    logger,
		unsettled: make(chan struct{}, 1),
		wanted:    map[types.NamespacedName]Settings{},
		there:     map[types.NamespacedName]*connection{},
	}
}

// Run keeps the connections until ctx ends, and returns nil once all are closed.
func (c *Cache) Run(ctx context.Context) error {
	var running sync.WaitGroup
	defer running.Wait()
	defer c.retireAll()
	for {
		c.settle(ctx, &running)
		select {
		case <-ctx.Done():
			return nil
		case <-c.unsettled:
		}
	}
}

// Start implements controller-runtime's manager.Runnable, as Run.
func (c *Cache) Start(ctx context.Context) error { return c.Run(ctx) }

// Ensure wants a connection with these settings; one with other settings is replaced. It returns at once: Get gives the
// connection as soon as there is one.
func (c *Cache) Ensure(key types.NamespacedName, settings Settings) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if known, ok := c.wanted[key]; ok && known == settings {
		return
	}
	c.wanted[key] = settings
	c.unsettle()
}

// Release wants no connection any more. It is closed once those who acquired it have released it.
func (c *Cache) Release(key types.NamespacedName) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if _, ok := c.wanted[key]; ok {
		delete(c.wanted, key)
		c.unsettle()
	}
}

// Get gives the connection with the settings last ensured, connected or not: ask its State. It is for questions that do
// not block, since the connection may be closed any time; see Acquire.
func (c *Cache) Get(key types.NamespacedName) (*client.Cluster, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if held := c.current(key); held != nil {
		return held.cluster, true
	}
	return nil, false
}

// Acquire is Get for calls that take their time: the connection is not closed before release has been called, which may
// be done more than once. Whoever holds one for longer than a call's time is not waited for.
func (c *Cache) Acquire(key types.NamespacedName) (cluster *client.Cluster, release func(), ok bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	held := c.current(key)
	if held == nil {
		return nil, nil, false
	}
	held.users++
	return held.cluster, sync.OnceFunc(func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		held.users--
		held.letGo()
	}), true
}

// Failure says why there can be no connection with the settings last ensured; nil while there is, or may soon be, one.
func (c *Cache) Failure(key types.NamespacedName) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if held, ok := c.there[key]; ok && held.settings == c.wanted[key] {
		return held.failure
	}
	return nil
}

// Tried tells whether the first attempt to connect has come to any end, good or bad.
func (c *Cache) Tried(key types.NamespacedName) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	held := c.current(key)
	return held != nil && held.tried
}

// Source wakes a controller whenever something about the connection of a KafkaCluster changes: the request is the
// KafkaCluster's.
func (c *Cache) Source() source.Source { return c.bell.Source() }

// current is the connection that is there and wanted. The caller holds mu.
func (c *Cache) current(key types.NamespacedName) *connection {
	held, ok := c.there[key]
	if settings, wanted := c.wanted[key]; !ok || !wanted || held.settings != settings || held.cluster == nil {
		return nil
	}
	return held
}

// unsettle wakes Run. The caller holds mu.
func (c *Cache) unsettle() {
	select {
	case c.unsettled <- struct{}{}:
	default:
	}
}

// settle retires what is not wanted and opens what is.
func (c *Cache) settle(ctx context.Context, running *sync.WaitGroup) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for key, held := range c.there {
		if settings, ok := c.wanted[key]; !ok || settings != held.settings {
			c.retire(key, held)
		}
	}
	for key, settings := range c.wanted {
		if _, ok := c.there[key]; ok {
			continue
		}
		own, cancel := context.WithCancel(ctx)
		held := &connection{cache: c, key: key, settings: settings, cancel: cancel, idle: make(chan struct{})}
		c.there[key] = held
		c.opened++
		running.Go(func() { held.run(own) })
	}
}

func (c *Cache) retireAll() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for key, held := range c.there {
		c.retire(key, held)
	}
}

// retire takes a connection out and lets it end. The caller holds mu.
func (c *Cache) retire(key types.NamespacedName, held *connection) {
	delete(c.there, key)
	held.retired = true
	held.letGo()
	held.cancel()
}
