// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package gateway_test

import (
	"context"
	"fmt"
	"sync"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/samsa-dev/samsa/internal/embedded/world"
	"github.com/samsa-dev/samsa/pkg/client"
	"github.com/samsa-dev/samsa/pkg/gateway"
	"github.com/samsa-dev/samsa/pkg/kafka"
)

// publishing is a gateway in front of an embedded Kafka of two brokers.
type publishing struct {
	world   *world.World
	cluster *client.Cluster
	url     string
}

func startPublishing(ctx context.Context, era world.Era, produce client.ProducerConfig) publishing {
	GinkgoHelper()
	w, err := world.Start(ctx, world.Config{
		Era: era, Tick: 200 * time.Millisecond, Brokers: 2, Topics: map[string]int32{topic: 4},
	})
	Expect(err).NotTo(HaveOccurred())
	DeferCleanup(w.Close)
	cluster, err := client.Open(ctx, client.Config{ZooKeeper: w.Connect()})
	Expect(err).NotTo(HaveOccurred())
	DeferCleanup(cluster.Close)
	producer, err := cluster.Topic(topic).Producer(produce)
	Expect(err).NotTo(HaveOccurred())
	DeferCleanup(producer.Close)
	_, url := serve(gateway.Config{
		Producer: producer, NoHeaders: era == world.Era07, Window: newWindow(), RequestTimeout: produce.Timeout + time.Second,
	})
	return publishing{w, cluster, url}
}

// read gives n messages of the topic, by value.
func (p publishing) read(ctx context.Context, n int) map[string]kafka.Message {
	GinkgoHelper()
	consumer, err := p.cluster.Topic(topic).Subscribe(ctx, "readers")
	Expect(err).NotTo(HaveOccurred())
	found := map[string]kafka.Message{}
	for message, err := range consumer.Messages(ctx) {
		Expect(err).NotTo(HaveOccurred())
		if found[string(message.Value)] = message; len(found) == n {
			break
		}
	}
	return found
}

var _ = Describe("With Kafka", func() {
	const timeout = 5 * time.Second

	It("each answer says where the message is", func(ctx SpecContext) {
		p := startPublishing(ctx, world.Modern, client.ProducerConfig{Timeout: timeout})
		answers := map[string]object{}
		a := post(ctx, p.url, "/", "single", "Samsa-Key", "k", "Samsa-Timestamp", "1700000000000", "Samsa-Header-H", "v",
			"Samsa-Partition", "3", "Idempotency-Key", "key")
		Expect(a.status).To(Equal(201))
		answers["single"] = decode(a.body)
		Expect(post(ctx, p.url, "/", "single", "Samsa-Key", "k", "Samsa-Timestamp", "1700000000000", "Samsa-Header-H", "v",
			"Samsa-Partition", "3", "Idempotency-Key", "key").body).To(Equal(a.body))
		a = post(ctx, p.url, "/topics/orders/partitions/2", `{"records":[{"value":"record"}]}`, contentType, typeText)
		Expect(a.status).To(Equal(200))
		var values []string
		for i := range 500 {
			values = append(values, fmt.Sprint("frame ", i))
		}
		a = post(ctx, p.url, "/", frames(values...), contentType, typeFrames)
		for i, line := range lines(a) {
			Expect(line).To(HaveKeyWithValue("status", 201.0))
			answers[values[i]] = line
		}
		found := p.read(ctx, 502)
		Expect(found).To(HaveKey("record"))
		for value, answer := range answers {
			Expect(found).To(HaveKey(value))
			m := found[value]
			Expect([]any{answer["partition"], answer["offset"]}).To(Equal([]any{m.Partition.ID, float64(m.Offset)}))
			Expect(answer["timestamp"]).To(Equal(m.Timestamp.UTC().Format("2006-01-02T15:04:05.000Z")))
		}
		single := found["single"]
		Expect(single).To(And(HaveField("Key", []byte("k")), HaveField("Partition.ID", "3"),
			HaveField("Headers", HaveLen(2)), HaveField("Headers", ContainElement(kafka.Header{Key: "h", Value: []byte("v")}))))
	})

	It("what is not there is not found", func(ctx SpecContext) {
		p := startPublishing(ctx, world.Modern, client.ProducerConfig{Timeout: timeout})
		Expect(post(ctx, p.url, "/", "x", "Samsa-Partition", "9").status).To(Equal(404))
		a := post(ctx, p.url, "/topics/orders", `{"records":[{"value":1,"partition":9},{"value":2}]}`, contentType, typeJSON)
		Expect(a.status).To(Equal(207))
	})

	It("a message that brokers cannot tell of is accepted", func(ctx SpecContext) {
		p := startPublishing(ctx, world.Modern, client.ProducerConfig{Timeout: timeout, Acks: client.AcksNone})
		a := post(ctx, p.url, "/", "x")
		Expect(a.status).To(Equal(202))
		Expect(decode(a.body)).To(HaveKeyWithValue("offset", BeNil()))
		p.read(ctx, 1)
	})

	It("Kafka 0.7 has messages without positions, and without headers", func(ctx SpecContext) {
		p := startPublishing(ctx, world.Era07, client.ProducerConfig{Timeout: timeout})
		a := post(ctx, p.url, "/", "x", "Samsa-Partition", "1-0", "Idempotency-Key", "k")
		Expect(a.status).To(Equal(201))
		Expect(decode(a.body)).To(And(HaveKeyWithValue("partition", "1-0"), HaveKeyWithValue("offset", BeNil())))
		Expect(post(ctx, p.url, "/", "", "Samsa-Tombstone", "true").status).To(Equal(422))
		Expect(post(ctx, p.url, "/", "{}", "Ce-Specversion", "1.0", "Ce-Id", "1", "Ce-Source", "s", "Ce-Type", "t").status).
			To(Equal(201))
		Expect(p.read(ctx, 2)["x"].Partition.ID).To(Equal("1-0"))
	})

	It("goes on while one broker takes writes, and says when none does", func(ctx SpecContext) {
		p := startPublishing(ctx, world.Modern, client.ProducerConfig{Timeout: 2 * time.Second})
		for partition := range int32(4) { // or one broker may lead all of them
			Expect(p.world.Kafka.MoveLeader(ctx, topic, partition, partition%2)).To(Succeed())
		}
		Expect(post(ctx, p.url, "/", "before").status).To(Equal(201))
		Expect(p.world.Kafka.FreezeBroker(0)).To(Succeed())
		Eventually(func() int { return post(ctx, p.url, "/", "one").status }).Should(Equal(201))
		Expect(p.world.Kafka.FreezeBroker(1)).To(Succeed())
		var group sync.WaitGroup
		for i := range 20 {
			group.Go(func() {
				defer GinkgoRecover()
				began := time.Now()
				a := post(ctx, p.url, "/", fmt.Sprint("none ", i))
				Expect(a.status).To(Or(Equal(503), Equal(504)), a.body)
				Expect(time.Since(began)).To(BeNumerically("<", 4*time.Second))
			})
		}
		group.Wait()
	})
})
