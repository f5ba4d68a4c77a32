// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package client_test

import (
	"context"
	"fmt"
	"sync"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/samsa-dev/samsa/internal/embedded/world"
	"github.com/samsa-dev/samsa/pkg/client"
	"github.com/samsa-dev/samsa/pkg/kafka"
)

// held07 are the partitions in which each value is.
func held07(w *world.World, topic string) map[string][]string {
	GinkgoHelper()
	where := map[string][]string{}
	for partition, values := range held(w, topic) {
		for _, value := range values {
			where[value] = append(where[value], partition)
		}
	}
	return where
}

var _ = Describe("A producer for Kafka 0.7", func() {
	It("tells which broker has a message, and not where", func(ctx SpecContext) {
		w := start07(ctx, map[string]int32{"orders": 4})
		producer := producing(open07(ctx, w, client.Config{}), "orders", client.ProducerConfig{Compression: kafka.Gzip})
		at := kafka.Partition{ID: "1-1"}
		written, err := produced(ctx, producer, kafka.Message{Partition: at, Value: []byte("x")})
		Expect(err).NotTo(HaveOccurred())
		Expect(written.Partition).To(Equal(kafka.Partition{Topic: "orders", ID: "1-1"}))
		Expect(written.Offset).To(BeEquivalentTo(-1))
		Expect(written.Held).To(BeTrue())
		Expect(held(w, "orders")).To(HaveKeyWithValue("1-1", []string{"x"}))
	})

	It("writes to a topic that is not there yet", func(ctx SpecContext) {
		w := start07(ctx, nil)
		producer := producing(open07(ctx, w, client.Config{}), "new", client.ProducerConfig{})
		_, err := produced(ctx, producer, kafka.Message{Value: []byte("x")})
		Expect(err).NotTo(HaveOccurred())
		Expect(all(held(w, "new"))).To(ConsistOf("x"))
	})

	It("refuses what such a Kafka cannot store, and nothing beside it", func(ctx SpecContext) {
		w := start07(ctx, map[string]int32{"orders": 2})
		producer := producing(open07(ctx, w, client.Config{}), "orders",
			client.ProducerConfig{Linger: 100 * time.Millisecond})
		at := kafka.Partition{ID: "0-0"}
		before := produce(ctx, producer, kafka.Message{Partition: at, Value: []byte("before")})
		unfit := produce(ctx, producer, kafka.Message{
			Partition: at, Value: []byte("x"), Headers: []kafka.Header{{Key: "a", Value: []byte("b")}},
		})
		after := produce(ctx, producer, kafka.Message{Partition: at, Value: []byte("after")})
		var end ended
		Eventually(unfit).Should(Receive(&end))
		Expect(end.Err).To(beRefused(kafka.ErrUnfit))
		Eventually(before).Should(Receive(HaveField("Err", BeNil())))
		Eventually(after).Should(Receive(HaveField("Err", BeNil())))
		_, err := produced(ctx, producer, kafka.Message{Partition: kafka.Partition{ID: "7-0"}, Value: []byte("x")})
		Expect(err).To(beRefused(kafka.ErrNoPartition))
	})

	It("writes what it says it wrote, and never what it refused, whichever broker dies", func(ctx SpecContext) {
		w := start07With(ctx, world.Config{Brokers: 3, Topics: map[string]int32{"orders": 6}})
		producer := producing(open07(ctx, w, client.Config{}), "orders", client.ProducerConfig{Timeout: 3 * time.Second})
		book := newLedger()
		working, stop := context.WithCancel(ctx)
		var workers sync.WaitGroup
		for i := range 16 {
			workers.Go(func() { book.work(working, producer, fmt.Sprint(i), nil) })
		}
		progress := func() {
			GinkgoHelper()
			until := book.wins.Load() + 100
			Eventually(book.wins.Load).Should(BeNumerically(">=", until))
		}
		for round := range int32(6) {
			progress()
			Expect(w.Kafka07.KillBroker(round % 3)).To(Succeed())
			progress()
			Expect(w.Kafka07.StartBroker(ctx, round%3)).To(Succeed())
		}
		for id := range int32(3) {
			Expect(w.Kafka07.StopBroker(id)).To(Succeed())
		}
		Eventually(func() int { book.mu.Lock(); defer book.mu.Unlock(); return len(book.refused) }).
			Should(BeNumerically(">", 0))
		for id := range int32(3) {
			Expect(w.Kafka07.StartBroker(ctx, id)).To(Succeed())
		}
		progress()
		stop()
		workers.Wait()
		book.check(held07(w, "orders"), 1)
	}, SpecTimeout(2*time.Minute))
})
