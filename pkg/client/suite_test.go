// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package client_test

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"sync"
	"testing"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"go.uber.org/goleak"

	"github.com/samsa-dev/samsa/internal/embedded/world"
	"github.com/samsa-dev/samsa/pkg/client"
	"github.com/samsa-dev/samsa/pkg/client/group"
	"github.com/samsa-dev/samsa/pkg/kafka"
)

// sessionTimeout is six ticks of the worlds' ZooKeeper, twice what a sound lease needs.
const (
	tick           = 200 * time.Millisecond
	sessionTimeout = 6 * tick
)

func TestClient(t *testing.T) {
	defer goleak.VerifyNone(t, goleak.IgnoreCurrent(), goleak.IgnoreAnyFunction(
		"github.com/onsi/ginkgo/v2/internal/interrupt_handler.(*InterruptHandler).registerForInterrupts.func2"))
	RegisterFailHandler(Fail)
	SetDefaultEventuallyTimeout(20 * time.Second)
	SetDefaultEventuallyPollingInterval(20 * time.Millisecond)
	RunSpecs(t, "Client")
}

func logger() *slog.Logger {
	if os.Getenv("SAMSA_TEST_LOG") == "" {
		return slog.New(slog.DiscardHandler)
	}
	return slog.New(slog.NewTextHandler(GinkgoWriter, &slog.HandlerOptions{Level: slog.LevelDebug}))
}

// start runs a world that ends with the spec.
func start(ctx context.Context, topics map[string]int32) *world.World {
	GinkgoHelper()
	w, err := world.Start(ctx, world.Config{Tick: tick, Brokers: 2, Topics: topics})
	Expect(err).NotTo(HaveOccurred())
	DeferCleanup(w.Close)
	return w
}

// open follows the world's cluster until the spec ends.
func open(ctx context.Context, w *world.World) *client.Cluster {
	GinkgoHelper()
	cluster, err := client.Open(ctx, client.Config{
		ZooKeeper: w.Connect(), SessionTimeout: sessionTimeout, Logger: logger(),
	})
	Expect(err).NotTo(HaveOccurred())
	DeferCleanup(cluster.Close)
	return cluster
}

// book is what the members of a group received, by message id.
type book struct {
	mu       sync.Mutex
	received map[string]int
	values   map[string]int
	last     map[kafka.Partition]place
	disorder []string
}

// place is where a message stands in its partition.
type place struct {
	offset int64
	index  int32
}

func newBook() *book {
	return &book{received: map[string]int{}, values: map[string]int{}, last: map[kafka.Partition]place{}}
}

func (b *book) write(m kafka.Message) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.received[m.ID()]++; b.received[m.ID()] > 1 {
		return
	}
	b.values[string(m.Value)]++
	last, ok := b.last[m.Partition]
	if ok && (m.Offset < last.offset || m.Offset == last.offset && m.Index <= last.index) {
		b.disorder = append(b.disorder, m.ID())
	}
	b.last[m.Partition] = place{m.Offset, m.Index}
}

// missing are those of n messages of publish that never came.
func (b *book) missing(n int) (missing []int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for i := range n {
		if b.values[fmt.Sprintf("message %d", i)] == 0 {
			missing = append(missing, i)
		}
	}
	return missing
}

func (b *book) distinct() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return len(b.received)
}

func (b *book) twice() []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	var twice []string
	for id, n := range b.received {
		if n > 1 {
			twice = append(twice, id)
		}
	}
	return twice
}

func (b *book) outOfOrder() []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.disorder
}

// member is a consumer of a group that writes what it gets into a book.
type member struct {
	*client.Consumer
	cancel context.CancelFunc
	done   chan struct{}
}

// join runs a member until leave, at the latest until the spec ends.
func join(cluster *client.Cluster, name string, config client.ConsumerConfig, into *book) *member {
	GinkgoHelper()
	config.Name = name
	config.CommitInterval = 100 * time.Millisecond
	consumer, err := cluster.Consumer(config)
	Expect(err).NotTo(HaveOccurred())
	ctx, cancel := context.WithCancel(context.Background()) //nolint:forbidigo // ends with the spec, in order
	m := &member{Consumer: consumer, cancel: cancel, done: make(chan struct{})}
	go func() {
		defer close(m.done)
		for message, err := range consumer.Messages(ctx) {
			if err == nil {
				into.write(message)
			}
		}
	}()
	DeferCleanup(m.leave)
	return m
}

func (m *member) leave() {
	m.cancel()
	<-m.done
}

func (m *member) running() int { return m.runningOf("") }

// runningOf counts the partitions of a topic that are being delivered; of all topics if it is empty.
func (m *member) runningOf(topic string) int {
	n := 0
	for _, claim := range m.Status().Claims {
		if claim.State == group.Running && (topic == "" || claim.Partition.Topic == topic) {
			n++
		}
	}
	return n
}

// problems are the paths of nodes that could not be understood.
func (m *member) problems() (paths []string) {
	for _, problem := range m.Status().Problems {
		paths = append(paths, problem.Path)
	}
	return paths
}

// publish writes n messages, spread over the topic.
func publish(ctx context.Context, topic *client.Topic, n int) {
	GinkgoHelper()
	for i := range n {
		Expect(topic.Publish(ctx, fmt.Appendf(nil, "message %d", i))).To(Succeed())
	}
}
