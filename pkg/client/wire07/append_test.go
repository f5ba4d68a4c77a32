// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package wire07_test

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/samsa-dev/samsa/internal/embedded/kafka07"
	"github.com/samsa-dev/samsa/pkg/client/wire07"
	"github.com/samsa-dev/samsa/pkg/kafka"
)

// noise cannot be compressed.
func noise(size int) []byte {
	random := rand.NewChaCha8([32]byte{7})
	made := make([]byte, size)
	_, _ = random.Read(made)
	return made
}

var _ = Describe("Append", func() {
	DescribeTable("stores messages in their order, on the partition that is named",
		func(ctx SpecContext, compression kafka.Compression, outer int) {
			broker := startBroker(ctx, kafka07.Config{ID: 1, Partitions: 3})
			transport := openTransport(broker.Addr(), wire07.Config{Compression: compression})
			position, err := transport.Append(ctx, on(1, 2), values("a", "", "b", strings.Repeat("c", 999)))
			Expect(err).NotTo(HaveOccurred())
			Expect(position).To(Equal(int64(-1)), "which nobody knows")
			Expect(stored(broker, 2)).To(Equal([]string{"a", "", "b", strings.Repeat("c", 999)}))
			Expect(sizes(broker, 2)).To(HaveLen(outer))

			_, err = transport.Append(ctx, on(1, 2), values("d"))
			Expect(err).NotTo(HaveOccurred())
			Expect(stored(broker, 2)).To(HaveLen(5))
			Expect(stored(broker, 0)).To(BeEmpty())
		},
		Entry("as they are", kafka.Uncompressed, 4),
		Entry("in one wrapper of gzip", kafka.Gzip, 1),
		Entry("in one wrapper of snappy", kafka.Snappy, 1),
	)

	DescribeTable("refuses what a broker would not store, and sends nothing",
		func(ctx SpecContext, config wire07.Config, to kafka.Partition, messages []kafka.Message, reason string) {
			broker := startBroker(ctx, kafka07.Config{ID: 1})
			watched := new(tap)
			config.Dial = watched.dial
			config.MaxMessageBytes = 1000
			transport := openTransport(broker.Addr(), config)
			_, err := transport.Append(ctx, to, messages)
			Expect(err).To(beRefused())
			Expect(err).To(MatchError(ContainSubstring(reason)))
			Expect(watched.dials.Load()).To(BeZero())
		},
		Entry("a partition of later Kafka", wire07.Config{}, kafka.Partition{Topic: "orders", ID: "3"}, values("a"), "<broker>-<number>"),
		Entry("a negative partition", wire07.Config{}, kafka.Partition{Topic: "orders", ID: "1--1"}, values("a"), "<broker>-<number>"),
		Entry("an illegal topic", wire07.Config{}, kafka.Partition{Topic: "a/b", ID: "1-0"}, values("a"), "U+002F"),
		Entry("a broker that nobody knows", wire07.Config{}, on(2, 0), values("a"), "broker 2"),
		Entry("no messages", wire07.Config{}, on(1, 0), nil, "no messages"),
		Entry("a tombstone", wire07.Config{}, on(1, 0), []kafka.Message{{Value: []byte("a")}, {Key: []byte("k")}},
			"message 1 has no value"),
		Entry("headers", wire07.Config{}, on(1, 0),
			[]kafka.Message{{Value: []byte("a"), Headers: []kafka.Header{{Key: "h"}}}}, "message 0 has headers"),
		Entry("a message that is too large", wire07.Config{}, on(1, 0), values("a", strings.Repeat("x", 1001)),
			"message 1 has 1001 bytes, maxMessageBytes is 1000"),
		Entry("a message that is too large as a wrapper", wire07.Config{Compression: kafka.Gzip}, on(1, 0),
			[]kafka.Message{{Value: noise(1001)}}, "as a gzip wrapper, maxMessageBytes is 1000"),
		Entry("a message that no consumer would inflate", wire07.Config{Compression: kafka.Snappy}, on(1, 0),
			[]kafka.Message{{Value: make([]byte, 64<<20)}}, "what consumers inflate"),
	)

	It("stores a message of exactly the limit", func(ctx SpecContext) {
		broker := startBroker(ctx, kafka07.Config{ID: 1, MaxMessageSize: 1000})
		transport := openTransport(broker.Addr(), wire07.Config{MaxMessageBytes: 1000})
		_, err := transport.Append(ctx, on(1, 0), values(strings.Repeat("x", 1000)))
		Expect(err).NotTo(HaveOccurred())
		Expect(sizes(broker, 0)).To(Equal([]int{1000}))
	})

	It("refuses a message that no request of a broker holds", func(ctx SpecContext) {
		broker := startBroker(ctx, kafka07.Config{ID: 1})
		transport := openTransport(broker.Addr(), wire07.Config{MaxMessageBytes: 200 << 20})
		_, err := transport.Append(ctx, on(1, 0), []kafka.Message{{Value: make([]byte, 100<<20)}})
		Expect(err).To(beRefused())
		Expect(err).To(MatchError(ContainSubstring("request")))
	})

	It("sends more than a broker takes at once as several requests, in order", func(ctx SpecContext) {
		broker := startBroker(ctx, kafka07.Config{ID: 1, MaxRequestSize: 9 << 20})
		transport := openTransport(broker.Addr(), wire07.Config{})
		messages := make([]kafka.Message, 12)
		want := make([]string, len(messages))
		for i := range messages {
			messages[i].Value = bytes.Repeat([]byte{byte(i)}, 900_000+i)
			want[i] = string(messages[i].Value)
		}
		_, err := transport.Append(ctx, on(1, 0), messages)
		Expect(err).NotTo(HaveOccurred())
		Expect(stored(broker, 0)).To(Equal(want))
	})

	It("makes several wrappers where one would be too large", func(ctx SpecContext) {
		broker := startBroker(ctx, kafka07.Config{ID: 1, MaxMessageSize: 1000})
		transport := openTransport(broker.Addr(), wire07.Config{MaxMessageBytes: 1000, Compression: kafka.Gzip})
		messages := make([]kafka.Message, 10)
		var want []string
		for i := range messages {
			messages[i].Value = fmt.Append(noise(300), i)
			want = append(want, string(messages[i].Value))
		}
		// All are alike, so that one wrapper holds them.
		_, err := transport.Append(ctx, on(1, 0), messages)
		Expect(err).NotTo(HaveOccurred())
		Expect(stored(broker, 0)).To(Equal(want))
		Expect(sizes(broker, 0)).To(HaveLen(1))

		// None is like another.
		all := noise(3000)
		for i := range messages {
			messages[i].Value = all[300*i : 300*(i+1)]
			want = append(want, string(messages[i].Value))
		}
		_, err = transport.Append(ctx, on(1, 0), messages)
		Expect(err).NotTo(HaveOccurred())
		Expect(stored(broker, 0)).To(Equal(want))
		Expect(sizes(broker, 0)).To(HaveLen(5), "the one, and 2, 3, 2 and 3 in each")
		Expect(sizes(broker, 0)).To(HaveEach(BeNumerically("<=", 1000)))
	})

	It("refuses once its context has ended, or the transport is closed", func(ctx SpecContext) {
		broker := startBroker(ctx, kafka07.Config{ID: 1})
		transport := openTransport(broker.Addr(), wire07.Config{})
		ended, end := context.WithCancel(ctx)
		end()
		_, err := transport.Append(ended, on(1, 0), values("a"))
		Expect(err).To(beRefused())
		Expect(err).To(MatchError(context.Canceled))
		transport.Close()
		_, err = transport.Append(ctx, on(1, 0), values("a"))
		Expect(err).To(beRefused())
		Expect(err).To(MatchError(ContainSubstring("closed")))
		Expect(stored(broker, 0)).To(BeEmpty())
	})

	It("goes where a broker is registered now", func(ctx SpecContext) {
		before := startBroker(ctx, kafka07.Config{ID: 1})
		after := startBroker(ctx, kafka07.Config{ID: 1})
		transport := openTransport(before.Addr(), wire07.Config{})
		_, err := transport.Append(ctx, on(1, 0), values("a"))
		Expect(err).NotTo(HaveOccurred())
		Expect(transport.SetBrokers(map[string]string{"1": after.Addr()})).To(Succeed())
		_, err = transport.Append(ctx, on(1, 0), values("b"))
		Expect(err).NotTo(HaveOccurred())
		Expect(stored(before, 0)).To(Equal([]string{"a"}))
		Expect(stored(after, 0)).To(Equal([]string{"b"}))
	})
})
