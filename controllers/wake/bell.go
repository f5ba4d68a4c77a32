// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

// Package wake lets something that is not a Kubernetes object wake reconcilers.
package wake

import (
	"context"
	"sync"

	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/util/workqueue"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"
	"sigs.k8s.io/controller-runtime/pkg/source"
)

// Bell wakes the reconcilers that listen to it. The zero value is ready; it may be rung from many goroutines.
//
// It has no channel of its own that could be full: what it rings for goes into the controllers' queues, which hold each
// key once and never block.
type Bell struct {
	// mu protects listeners.
	mu        sync.Mutex
	listeners map[queue]struct{}
}

type queue = workqueue.TypedRateLimitingInterface[reconcile.Request]

// Ring asks every listener to reconcile key soon. Nobody listens before the controllers have started, and nobody has
// to: they begin with every object there is.
func (b *Bell) Ring(key types.NamespacedName) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for listener := range b.listeners {
		listener.Add(reconcile.Request{NamespacedName: key})
	}
}

// Source makes a controller a listener, for as long as it runs. It may be called for several controllers.
func (b *Bell) Source() source.Source {
	return source.Func(func(ctx context.Context, listener queue) error {
		b.mu.Lock()
		defer b.mu.Unlock()
		if b.listeners == nil {
			b.listeners = map[queue]struct{}{}
		}
		b.listeners[listener] = struct{}{}
		context.AfterFunc(ctx, func() {
			b.mu.Lock()
			defer b.mu.Unlock()
			delete(b.listeners, listener)
		})
		return nil
	})
}
