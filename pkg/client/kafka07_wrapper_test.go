// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package client_test

import (
	"context"
	"fmt"
	"strconv"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/samsa-dev/samsa/pkg/client"
	"github.com/samsa-dev/samsa/pkg/kafka"
)

var _ = Describe("Compressed messages of Kafka 0.7", func() {
	// consume takes so many messages and leaves the loop at the last one, which is thereby not acknowledged.
	consume := func(ctx SpecContext, cluster *client.Cluster, count int) (messages []kafka.Message) {
		GinkgoHelper()
		consumer, err := cluster.Topic("orders").Subscribe(ctx, "billing")
		Expect(err).NotTo(HaveOccurred())
		for message, err := range consumer.Messages(ctx) {
			Expect(err).NotTo(HaveOccurred())
			if messages = append(messages, message); len(messages) == count {
				break
			}
		}
		return messages
	}
	ids := func(messages []kafka.Message) (ids []string) {
		for _, m := range messages {
			ids = append(ids, m.ID())
		}
		return ids
	}

	for _, compression := range []kafka.Compression{kafka.Gzip, kafka.Snappy} {
		It("are acknowledged together, and told apart by their index: "+compression.String(), func(ctx SpecContext) {
			w := start07(ctx, nil)
			declare(w, "orders", 1)
			cluster := open07(ctx, w, client.Config{Compression: compression})
			publisher := cluster.Topic("orders").Publisher(client.ByKey())
			key := []byte("k")
			var sizes []int64 // where each wrapper ends
			for _, prefix := range []string{"first", "second"} {
				var wrapper []kafka.Message
				for _, value := range numbered(prefix, 4) {
					wrapper = append(wrapper, kafka.Message{Key: key, Value: value})
				}
				_, err := publisher.PublishMessages(ctx, wrapper)
				Expect(err).NotTo(HaveOccurred())
				sizes = append(sizes, w.Kafka07.End(kafka.Partition{Topic: "orders", ID: "0-0"}))
			}
			first, second := "orders/0-0/0", "orders/0-0/"+strconv.FormatInt(sizes[0], 10)

			Expect(ids(consume(ctx, cluster, 3))).To(Equal([]string{first, first + ".1", first + ".2"}))
			Expect(committed(w, "billing", "orders")).To(Equal(map[string]string{"0-0": "0"}))

			again := consume(ctx, cluster, 7) // the whole wrapper comes again, and half of the next one
			Expect(ids(again)).To(Equal([]string{
				first, first + ".1", first + ".2", first + ".3", second, second + ".1", second + ".2",
			}))
			Expect(again[0].Value).To(Equal([]byte("first 0")))
			Expect(committed(w, "billing", "orders")).To(Equal(map[string]string{"0-0": strconv.FormatInt(sizes[0], 10)}))

			rest := consume(ctx, cluster, 4)
			Expect(ids(rest)).To(Equal([]string{second, second + ".1", second + ".2", second + ".3"}))
			Expect(rest[3].Next).To(Equal(sizes[1]))
		})
	}

	It("are not delivered twice when a member leaves in the midst of them", func(ctx SpecContext) {
		const wrappers, each = 3, 10
		w := start07(ctx, nil)
		declare(w, "orders", 1)
		cluster := open07(ctx, w, client.Config{Compression: kafka.Gzip})
		publisher := cluster.Topic("orders").Publisher(client.ByKey())
		for wrapper := range wrappers {
			messages := make([]kafka.Message, each)
			for i := range messages {
				messages[i] = kafka.Message{Key: []byte("k"), Value: fmt.Appendf(nil, "message %d", wrapper*each+i)}
			}
			_, err := publisher.PublishMessages(ctx, messages)
			Expect(err).NotTo(HaveOccurred())
		}
		received := newBook()
		consumer, err := cluster.Topic("orders").Subscribe(ctx, "billing")
		Expect(err).NotTo(HaveOccurred())
		staying, leave := context.WithCancel(ctx)
		defer leave()
		for message, err := range consumer.Messages(staying) {
			Expect(err).NotTo(HaveOccurred())
			if received.write(message); received.distinct() == 3 {
				leave()
			}
		}
		Expect(received.distinct() % each).To(BeZero())
		join(cluster, "b", client.ConsumerConfig{Group: "billing", Topics: []string{"orders"}}, received)
		Eventually(received.distinct).Should(Equal(wrappers * each))
		Expect(received.missing(wrappers * each)).To(BeEmpty())
		Expect(received.twice()).To(BeEmpty())
		Expect(received.outOfOrder()).To(BeEmpty())
	})
})
