// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package wire_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"github.com/twmb/franz-go/pkg/kfake"
	"go.uber.org/goleak"

	embedkafka "github.com/samsa-dev/samsa/internal/embedded/kafka"
	"github.com/samsa-dev/samsa/pkg/client/wire"
	"github.com/samsa-dev/samsa/pkg/kafka"
)

func TestWire(t *testing.T) {
	leaks := []goleak.Option{
		goleak.IgnoreCurrent(),
		// Ginkgo's own, which it leaves behind.
		goleak.IgnoreAnyFunction(
			"github.com/onsi/ginkgo/v2/internal/interrupt_handler.(*InterruptHandler).registerForInterrupts.func2"),
	}
	RegisterFailHandler(Fail)
	SetDefaultEventuallyTimeout(15 * time.Second)
	SetDefaultEventuallyPollingInterval(time.Millisecond)
	EnforceDefaultTimeoutsWhenUsingContexts()
	RunSpecs(t, "Transport over franz-go")
	goleak.VerifyNone(t, leaks...)
}

// The partitions that most specs are about.
var (
	first  = at("orders", 0)
	second = at("orders", 1)
)

// world is a cluster and a transport to it.
type world struct {
	*embedkafka.Cluster
	transport *wire.Transport
	reader    *reader
}

// newWorld starts a cluster of three brokers with a topic of three partitions.
func newWorld(ctx context.Context, options ...kfake.Opt) *world {
	GinkgoHelper()
	cluster, err := embedkafka.Start(ctx, embedkafka.Config{
		Brokers: 3, Topics: map[string]int32{"orders": 3}, Options: options,
	})
	Expect(err).NotTo(HaveOccurred())
	DeferCleanup(cluster.Close)
	transport, err := wire.Open(wire.Config{Brokers: cluster.Addrs(), FetchMaxWait: 50 * time.Millisecond})
	Expect(err).NotTo(HaveOccurred())
	DeferCleanup(transport.Close)
	return &world{Cluster: cluster, transport: transport, reader: newReader(transport)}
}

// fill appends messages "from" to "to"-1 to a partition, each with its number as its value.
func (w *world) fill(ctx context.Context, partition kafka.Partition, from, to int) {
	GinkgoHelper()
	messages := make([]kafka.Message, 0, to-from)
	for i := from; i < to; i++ {
		messages = append(messages, kafka.Message{Value: fmt.Append(nil, i)})
	}
	_, err := w.transport.Append(ctx, partition, messages)
	Expect(err).NotTo(HaveOccurred())
}

// leader gives a partition's leader, and another broker.
func (w *world) leader(partition kafka.Partition) (leader, other int32) {
	var number int32
	_, err := fmt.Sscan(partition.ID, &number)
	Expect(err).NotTo(HaveOccurred())
	leader = w.Fake().LeaderFor(partition.Topic, number)
	return leader, (leader + 1) % 3
}

// apart gives the first two partitions different leaders, and tells that of the second.
func (w *world) apart(ctx context.Context) int32 {
	GinkgoHelper()
	_, other := w.leader(first)
	Expect(w.MoveLeader(ctx, second.Topic, 1, other)).To(Succeed())
	return other
}

// reader polls a transport and keeps what comes, as text: positions of messages, errors, stops.
type reader struct {
	transport kafka.Transport
	positions map[kafka.Partition][]int64
	values    map[kafka.Partition][]string
	ends      map[kafka.Partition]int64
	errs      map[kafka.Partition][]error
	stops     map[kafka.Partition]int
	healed    map[kafka.Partition]int
}

func newReader(transport kafka.Transport) *reader {
	return &reader{
		transport: transport,
		positions: make(map[kafka.Partition][]int64),
		values:    make(map[kafka.Partition][]string),
		ends:      make(map[kafka.Partition]int64),
		errs:      make(map[kafka.Partition][]error),
		stops:     make(map[kafka.Partition]int),
		healed:    make(map[kafka.Partition]int),
	}
}

// poll takes what comes within a moment.
func (r *reader) poll(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, 20*time.Millisecond)
	defer cancel()
	for _, fetch := range r.transport.Poll(ctx) {
		partition := fetch.Partition
		for i := range fetch.Batch.Len() {
			message := fetch.Batch.Message(i)
			r.positions[partition] = append(r.positions[partition], message.Offset)
			r.values[partition] = append(r.values[partition], string(message.Value))
		}
		if fetch.End >= 0 {
			r.ends[partition] = fetch.End
		}
		if fetch.Err != nil {
			r.errs[partition] = append(r.errs[partition], fetch.Err)
		} else if fetch.Batch.Len() == 0 {
			r.healed[partition]++
		}
		if fetch.Stopped {
			r.stops[partition]++
		}
	}
}

// until polls until something holds.
func (r *reader) until(ctx context.Context, holds func(g Gomega)) {
	GinkgoHelper()
	Eventually(func(g Gomega) {
		r.poll(ctx)
		holds(g)
	}).WithContext(ctx).Should(Succeed())
}

// quiet polls for a while, during which something must hold.
func (r *reader) quiet(ctx context.Context, holds func(g Gomega)) {
	GinkgoHelper()
	Consistently(func(g Gomega) {
		r.poll(ctx)
		holds(g)
	}, 500*time.Millisecond).WithContext(ctx).Should(Succeed())
}

// count gives the positions from "from" to "to"-1.
func count(from, to int64) []int64 {
	positions := make([]int64, 0, to-from)
	for i := from; i < to; i++ {
		positions = append(positions, i)
	}
	return positions
}

func at(topic string, number int) kafka.Partition {
	return kafka.Partition{Topic: topic, ID: fmt.Sprint(number)}
}
