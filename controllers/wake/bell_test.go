// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package wake

import (
	"context"
	"testing"
	"testing/synctest"

	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/util/workqueue"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"
)

func newQueue(t *testing.T) queue {
	t.Helper()
	q := workqueue.NewTypedRateLimitingQueue(workqueue.DefaultTypedControllerRateLimiter[reconcile.Request]())
	t.Cleanup(q.ShutDown)
	return q
}

func TestRingsForAllListenersOnce(t *testing.T) {
	var bell Bell
	a, b := types.NamespacedName{Namespace: "n", Name: "a"}, types.NamespacedName{Namespace: "n", Name: "b"}
	bell.Ring(a) // nobody listens
	one, two := newQueue(t), newQueue(t)
	for _, q := range []queue{one, two} {
		if err := bell.Source().Start(t.Context(), q); err != nil {
			t.Fatal(err)
		}
	}
	for range 1000 { // more than any channel would hold
		bell.Ring(a)
	}
	bell.Ring(b)
	for _, q := range []queue{one, two} {
		if q.Len() != 2 {
			t.Errorf("%d keys are queued, want 2", q.Len())
		}
		if first, _ := q.Get(); first.NamespacedName != a {
			t.Errorf("first is %v", first)
		}
	}
}

func TestForgetsAListenerThatEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var bell Bell
		ctx, cancel := context.WithCancel(t.Context())
		q := newQueue(t)
		if err := bell.Source().Start(ctx, q); err != nil {
			t.Fatal(err)
		}
		cancel()
		synctest.Wait()
		bell.Ring(types.NamespacedName{Name: "a"})
		if q.Len() != 0 {
			t.Error("it was rung for")
		}
	})
}
