// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package client_test

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/samsa-dev/samsa/internal/embedded/kafka07"
	"github.com/samsa-dev/samsa/internal/embedded/world"
	"github.com/samsa-dev/samsa/pkg/client"
	"github.com/samsa-dev/samsa/pkg/kafka"
)

var _ = Describe("Publishing to Kafka 0.7", func() {
	for _, compression := range []kafka.Compression{kafka.Uncompressed, kafka.Gzip, kafka.Snappy} {
		It("puts the messages of one call on one partition, in order, compressed: "+compression.String(),
			func(ctx SpecContext) {
				const calls, each = 20, 7
				w := start07(ctx, map[string]int32{"orders": 4})
				topic := open07(ctx, w, client.Config{Compression: compression}).Topic("orders")
				for call := range calls {
					Expect(topic.Publish(ctx, numbered(fmt.Sprint(call), each)...)).To(Succeed())
				}
				values := held(w, "orders")
				Expect(all(values)).To(HaveLen(calls * each))
				for name, list := range values {
					for i, value := range list {
						Expect(value).To(HaveSuffix(fmt.Sprintf(" %d", i%each)), "%d of %s", i, name)
						Expect(strings.Fields(value)[0]).To(Equal(strings.Fields(list[i-i%each])[0]), "%d of %s", i, name)
					}
				}
			})
	}

	DescribeTable("refuses what no broker can store at the first partition",
		func(ctx SpecContext, message kafka.Message, reason string) {
			cluster := open07(ctx, start07(ctx, map[string]int32{"orders": 4}), client.Config{})
			_, err := cluster.Topic("orders").PublishMessages(ctx, []kafka.Message{message})
			Expect(err).To(MatchError(kafka.ErrUnfit))
			Expect(strings.Count(err.Error(), reason)).To(Equal(1), "once: %v", err)
		},
		Entry("headers", kafka.Message{Value: []byte("v"), Headers: []kafka.Header{{Key: "k"}}}, "has headers"),
		Entry("no value", kafka.Message{}, "has no value"),
	)

	It("makes a topic that nobody has, on every broker", func(ctx SpecContext) {
		w := start07With(ctx, world.Config{Brokers: 3, Broker07: kafka07.Config{Partitions: 2}})
		topic := open(ctx, w).Topic("orders")
		_, err := topic.Partitions(ctx)
		Expect(err).To(MatchError(client.ErrNoTopic))
		publish(ctx, topic, 60)
		Expect(all(held(w, "orders"))).To(HaveLen(60))
		Expect(brokersOf(held(w, "orders"))).To(Equal([]string{"0", "1", "2"}))
		Eventually(func() ([]kafka.Partition, error) { return topic.Partitions(ctx) }).Should(HaveLen(6))
	})

	It("takes partitions in turn, also those of brokers that have yet to hear of the topic", func(ctx SpecContext) {
		w := start07With(ctx, world.Config{Brokers: 3})
		declare(w, "orders", 2, 1) // and nothing on broker 2
		publisher := open(ctx, w).Topic("orders").Publisher(client.RoundRobin())
		var order []string
		for i := range 4 {
			published, err := publisher.PublishMessages(ctx, []kafka.Message{{Value: fmt.Append(nil, i)}})
			Expect(err).NotTo(HaveOccurred())
			order = append(order, published.Partition.ID)
		}
		Expect(order).To(Equal([]string{"0-0", "0-1", "1-0", "2-0"}))
	})

	It("sends a key where Kafka's own producer sent it", func(ctx SpecContext) {
		recorded := struct {
			Keyed []struct {
				Key string   `json:"key"`
				Got []string `json:"got"`
			} `json:"keyed"`
		}{}
		file, err := os.ReadFile("testdata/kafka07/producer_keys.json")
		Expect(err).NotTo(HaveOccurred())
		Expect(json.Unmarshal(file, &recorded)).To(Succeed())
		w := start07With(ctx, world.Config{Brokers: 3})
		declare(w, "events", 2, 3) // as it was then; that broker 2 has none makes no difference
		publisher := open(ctx, w).Topic("events").Publisher(client.ByKey())
		for _, want := range recorded.Keyed {
			published, err := publisher.PublishMessages(ctx, []kafka.Message{
				{Key: []byte(want.Key), Value: []byte("first of " + want.Key)},
				{Key: []byte(want.Key), Value: []byte("second of " + want.Key)},
			})
			Expect(err).NotTo(HaveOccurred())
			Expect([]string{published.Partition.ID}).To(Equal(want.Got))
			Expect(held(w, "events")[published.Partition.ID]).To(ContainElements("first of "+want.Key, "second of "+want.Key))
		}
	})

	It("never sends a key elsewhere, but everything else", func(ctx SpecContext) {
		w := start07(ctx, nil)
		declare(w, "events", 2, 3)
		faults(w, 1).Refuse(true)
		topic := open(ctx, w).Topic("events")
		keyed := topic.Publisher(client.ByKey())
		_, err := keyed.PublishMessages(ctx, []kafka.Message{{Key: []byte("alpha"), Value: []byte("lost")}}) // to 1-1
		Expect(err).To(MatchError(ContainSubstring("events/1-1")))
		_, err = keyed.PublishMessages(ctx, []kafka.Message{{Key: []byte("k1"), Value: []byte("kept")}}) // to 0-1
		Expect(err).NotTo(HaveOccurred())
		Expect(keyed.Publish(ctx, []byte("without a key"))).To(Succeed())
		publish(ctx, topic, 20)
		Expect(all(held(w, "events"))).To(HaveLen(22))
		Expect(brokersOf(held(w, "events"))).To(Equal([]string{"0"}))
		_, err = keyed.PublishMessages(ctx, []kafka.Message{{Key: []byte("a")}, {Key: []byte("b")}})
		Expect(err).To(MatchError(ContainSubstring("different keys")))
	})

	It("goes on to another broker when one dies before it answers", func(ctx SpecContext) {
		for _, direction := range []kafka07.Direction{kafka07.In, kafka07.Out} {
			w := start07(ctx, map[string]int32{"orders": 8})
			topic := open(ctx, w).Topic("orders")
			died := faults(w, 0).DieAfter(direction, 100)
			for i := 0; w.Kafka07.Broker(0).Running(); i++ {
				Expect(topic.Publish(ctx, fmt.Appendf(nil, "message %d", i))).To(Succeed())
			}
			Eventually(died).Should(BeClosed())
			publish(ctx, topic, 20) // 20 more, while it is still registered
			kept := all(held(w, "orders"))
			for i := range 20 {
				Expect(kept).To(ContainElement(fmt.Sprintf("message %d", i)))
			}
		}
	})

	It("finds a broker that comes while all others fail", func(ctx SpecContext) {
		w := start07(ctx, map[string]int32{"orders": 2})
		cluster := open(ctx, w)
		Expect(w.Kafka07.StopBroker(1)).To(Succeed())
		Eventually(cluster.Brokers).Should(HaveLen(1))
		faults(w, 0).Refuse(true)
		err := cluster.Topic("orders").Publish(ctx, []byte("too early"))
		Expect(err).To(MatchError(And(ContainSubstring("orders/0-0"), Not(ContainSubstring("orders/1-0")))))
		published := make(chan error, 1)
		go func() { published <- cluster.Topic("orders").Publish(ctx, []byte("in time")) }()
		Expect(w.Kafka07.StartBroker(ctx, 1)).To(Succeed())
		Eventually(published).Should(Receive(BeNil()))
		Expect(held(w, "orders")).To(Equal(map[string][]string{"1-0": {"in time"}}))
	})

	It("survives that its only broker was restarted", func(ctx SpecContext) {
		w := start07With(ctx, world.Config{Topics: map[string]int32{"orders": 1}})
		cluster := open(ctx, w)
		for range 3 {
			publish(ctx, cluster.Topic("orders"), 1)
			Expect(w.Kafka07.StopBroker(0)).To(Succeed())
			Expect(w.Kafka07.StartBroker(ctx, 0)).To(Succeed())
			Eventually(cluster.Brokers).Should(HaveLen(1))
		}
		Expect(all(held(w, "orders"))).To(HaveLen(3))
	})

	It("refuses what brokers would drop without a word, and tries it nowhere else", func(ctx SpecContext) {
		const limit = 4096
		w := start07With(ctx, world.Config{
			Brokers: 2, Topics: map[string]int32{"orders": 2}, Broker07: kafka07.Config{MaxMessageSize: limit},
		})
		plain := open07(ctx, w, client.Config{MaxMessageBytes: limit}).Topic("orders")
		err := plain.Publish(ctx, []byte("small"), make([]byte, limit+1))
		Expect(err).To(MatchError(kafka.ErrTooLarge))
		Expect(err).NotTo(MatchError(ContainSubstring("no partition took")))
		Expect(held(w, "orders")).To(BeEmpty())
		Expect(plain.Publish(ctx, make([]byte, limit))).To(Succeed())
		Expect(all(held(w, "orders"))).To(HaveLen(1))

		zipped := open07(ctx, w, client.Config{MaxMessageBytes: limit, Compression: kafka.Gzip}).Topic("orders")
		Expect(zipped.Publish(ctx, make([]byte, 10*limit))).To(Succeed()) // what counts is how large it is compressed
		Expect(all(held(w, "orders"))).To(HaveLen(2))
	})

	It("has nowhere to go without brokers, and says so when it is asked to wait no longer", func(ctx SpecContext) {
		w := start07(ctx, map[string]int32{"orders": 2})
		cluster := open(ctx, w)
		publish(ctx, cluster.Topic("orders"), 1)
		Expect(w.Kafka07.StopBroker(0)).To(Succeed())
		Expect(w.Kafka07.StopBroker(1)).To(Succeed())
		Eventually(cluster.Brokers).Should(BeEmpty())
		hasty, cancel := context.WithTimeout(ctx, 100*time.Millisecond)
		defer cancel()
		Expect(cluster.Topic("orders").Publish(hasty, []byte("x"))).To(MatchError(client.ErrNoBrokers))
		published := make(chan error, 1)
		go func() { published <- cluster.Topic("orders").Publish(ctx, []byte("patient")) }()
		Expect(w.Kafka07.StartBroker(ctx, 1)).To(Succeed())
		Eventually(published).Should(Receive(BeNil()))
		Expect(slices.Contains(all(held(w, "orders")), "patient")).To(BeTrue())
	})

	It("refuses names that are no topic's", func(ctx SpecContext) {
		cluster := open(ctx, start07(ctx, nil))
		Expect(cluster.Topic("a/b").Publish(ctx, []byte("x"))).To(MatchError(ContainSubstring("is no topic's name")))
		Expect(cluster.Topic("").Publish(ctx, []byte("x"))).To(MatchError(ContainSubstring("is no topic's name")))
	})
})
