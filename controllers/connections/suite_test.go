// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package connections_test

import (
	"context"
	"log/slog"
	"testing"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"go.uber.org/goleak"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/util/workqueue"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/samsa-dev/samsa/controllers/connections"
	"github.com/samsa-dev/samsa/internal/embedded/world"
)

func TestConnections(t *testing.T) {
	defer goleak.VerifyNone(t, goleak.IgnoreCurrent(), goleak.IgnoreAnyFunction(
		"github.com/onsi/ginkgo/v2/internal/interrupt_handler.(*InterruptHandler).registerForInterrupts.func2"))
	RegisterFailHandler(Fail)
	SetDefaultEventuallyTimeout(10 * time.Second)
	SetDefaultEventuallyPollingInterval(20 * time.Millisecond)
	EnforceDefaultTimeoutsWhenUsingContexts()
	RunSpecs(t, "Connections")
}

// startWorld runs a ZooKeeper and a Kafka until the spec ends.
func startWorld(ctx context.Context, topics map[string]int32) *world.World {
	GinkgoHelper()
	w, err := world.Start(ctx, world.Config{Tick: 200 * time.Millisecond, Topics: topics})
	Expect(err).NotTo(HaveOccurred())
	DeferCleanup(w.Close)
	return w
}

// running is a cache that runs until the spec ends, and the queue of a controller that listens to it.
type running struct {
	*connections.Cache
	queue workqueue.TypedRateLimitingInterface[reconcile.Request]
	stop  func()
}

func startCache(ctx context.Context) *running {
	GinkgoHelper()
	r := &running{
		Cache: connections.New(slog.New(slog.DiscardHandler)),
		queue: workqueue.NewTypedRateLimitingQueue(workqueue.DefaultTypedControllerRateLimiter[reconcile.Request]()),
	}
	own, cancel := context.WithCancel(context.WithoutCancel(ctx))
	ended := make(chan error, 1)
	Expect(r.Source().Start(own, r.queue)).To(Succeed())
	go func() {
		ended <- r.Run(own)
		close(ended)
	}()
	r.stop = func() {
		cancel()
		Expect(<-ended).To(Succeed())
		r.queue.ShutDown()
	}
	DeferCleanup(r.stop)
	return r
}

// woken is how many keys wait to be reconciled; it takes them.
func (r *running) woken() (keys []types.NamespacedName) {
	for r.queue.Len() > 0 {
		request, _ := r.queue.Get()
		r.queue.Done(request)
		keys = append(keys, request.NamespacedName)
	}
	return keys
}
