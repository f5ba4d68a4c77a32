// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package pump_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"go.uber.org/goleak"

	"github.com/samsa-dev/samsa/internal/embedded/world"
	"github.com/samsa-dev/samsa/pkg/client"
	"github.com/samsa-dev/samsa/pkg/kafka"
	"github.com/samsa-dev/samsa/pkg/pump"
	"github.com/samsa-dev/samsa/pkg/sink"
)

const tick = 200 * time.Millisecond

func TestPump(t *testing.T) {
	defer goleak.VerifyNone(t, goleak.IgnoreCurrent(), goleak.IgnoreAnyFunction(
		"github.com/onsi/ginkgo/v2/internal/interrupt_handler.(*InterruptHandler).registerForInterrupts.func2"))
	RegisterFailHandler(Fail)
	SetDefaultEventuallyTimeout(20 * time.Second)
	SetDefaultEventuallyPollingInterval(20 * time.Millisecond)
	SetDefaultConsistentlyDuration(300 * time.Millisecond)
	RunSpecs(t, "Pump")
}

var errSink = errors.New("the sink says no")

// script is a sink that does what the spec says: answer decides on each message, Done if it is nil.
type script struct {
	limits sink.Limits

	mu        sync.Mutex
	answer    func(ctx context.Context, m kafka.Message) sink.Result
	delivered map[string]int
	order     map[kafka.Partition][]int64
	largest   int
}

func newScript() *script {
	return &script{delivered: map[string]int{}, order: map[kafka.Partition][]int64{}}
}

// answers replaces what the sink does from now on.
func (s *script) answers(answer func(ctx context.Context, m kafka.Message) sink.Result) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.answer = answer
}

func (s *script) Deliver(ctx context.Context, _ sink.Claim, batch kafka.Batch, results []sink.Result) {
	s.mu.Lock()
	s.largest = max(s.largest, batch.Len())
	s.mu.Unlock()
	for i := range batch.Len() {
		results[i] = s.one(ctx, batch.Message(i))
		if results[i].Outcome != sink.Done {
			return
		}
	}
}

func (s *script) one(ctx context.Context, m kafka.Message) sink.Result {
	s.mu.Lock()
	answer := s.answer
	s.mu.Unlock()
	result := sink.Result{Outcome: sink.Done}
	if answer != nil {
		result = answer(ctx, m)
	}
	if result.Outcome == sink.Done {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.delivered[m.ID()]++
		s.order[m.Partition] = append(s.order[m.Partition], m.Offset)
	}
	return result
}

func (s *script) Limits() sink.Limits { return s.limits }
func (s *script) Close() error        { return nil }

func (s *script) distinct() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.delivered)
}

// faults lists messages delivered twice, and partitions delivered out of order.
func (s *script) faults() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var faults []string
	for id, times := range s.delivered {
		if times > 1 {
			faults = append(faults, fmt.Sprintf("%s came %d times", id, times))
		}
	}
	for partition, offsets := range s.order {
		for i := 1; i < len(offsets); i++ {
			if offsets[i] <= offsets[i-1] {
				faults = append(faults, fmt.Sprintf("%s: %d after %d", partition, offsets[i], offsets[i-1]))
			}
		}
	}
	return faults
}

// refuse answers every message of a partition with Retry, or any message if the partition is the zero one.
func refuse(partition kafka.Partition) func(context.Context, kafka.Message) sink.Result {
	return func(_ context.Context, m kafka.Message) sink.Result {
		if partition == (kafka.Partition{}) || m.Partition == partition {
			return sink.Result{Outcome: sink.Retry, Err: errSink}
		}
		return sink.Result{Outcome: sink.Done}
	}
}

// worker is a pump at work as a member of the group "billing".
type worker struct {
	*pump.Pump
	consumer *client.Consumer
	cancel   context.CancelFunc
	done     chan struct{}
}

func start(ctx context.Context, partitions int32) (*world.World, *client.Cluster) {
	GinkgoHelper()
	w, err := world.Start(ctx, world.Config{Tick: tick, Topics: map[string]int32{"orders": partitions}})
	Expect(err).NotTo(HaveOccurred())
	DeferCleanup(w.Close)
	return w, open(ctx, w)
}

func open(ctx context.Context, w *world.World) *client.Cluster {
	GinkgoHelper()
	cluster, err := client.Open(ctx, client.Config{ZooKeeper: w.Connect(), SessionTimeout: 6 * tick})
	Expect(err).NotTo(HaveOccurred())
	DeferCleanup(cluster.Close)
	return cluster
}

// work runs a pump until leave, at the latest until the spec ends.
func work(cluster *client.Cluster, name string, config pump.Config) *worker {
	GinkgoHelper()
	if config.InitialBackoff == 0 {
		config.InitialBackoff, config.MaxBackoff = 5*time.Millisecond, 20*time.Millisecond
	}
	consumer, err := cluster.Consumer(client.ConsumerConfig{
		Group: "billing", Topics: []string{"orders"}, Name: name,
		CommitInterval: 50 * time.Millisecond, DrainTimeout: time.Second,
	})
	Expect(err).NotTo(HaveOccurred())
	ctx, cancel := context.WithCancel(context.Background()) //nolint:forbidigo // ends with the spec, in order
	w := &worker{Pump: pump.New(config), consumer: consumer, cancel: cancel, done: make(chan struct{})}
	go func() {
		defer close(w.done)
		_ = consumer.Run(ctx, w.Pump)
		w.Wait()
	}()
	DeferCleanup(w.leave)
	return w
}

func (w *worker) leave() {
	w.cancel()
	<-w.done
}

// lane is the status of one partition's lane; ok only while the worker owns it.
func (w *worker) lane(partition string) (pump.LaneStatus, bool) {
	for _, lane := range w.Status() {
		if lane.Partition.ID == partition {
			return lane, true
		}
	}
	return pump.LaneStatus{}, false
}

// states are those of the claims.
func (w *worker) states() (states []string) {
	for _, claim := range w.consumer.Status().Claims {
		states = append(states, string(claim.State))
	}
	return states
}

func (w *worker) blocked() (blocked []string) {
	for _, lane := range w.Status() {
		if lane.Blocked {
			blocked = append(blocked, lane.Partition.ID)
		}
	}
	return blocked
}

// committed is what the group has committed of a partition, -1 if nothing.
func committed(w *world.World, partition string) string {
	node, ok := w.ZooKeeper.Get(w.Path("/consumers/billing/offsets/orders/" + partition))
	if !ok {
		return ""
	}
	return string(node.Data)
}

// publish writes n messages to one partition.
func publish(ctx context.Context, cluster *client.Cluster, n int) {
	GinkgoHelper()
	for i := range n {
		Expect(cluster.Topic("orders").Publish(ctx, fmt.Appendf(nil, "message %d", i))).To(Succeed())
	}
}

func number(text string) int {
	n, _ := strconv.Atoi(text)
	return n
}

func keys(of map[string]int) []string { return slices.Sorted(maps.Keys(of)) }
