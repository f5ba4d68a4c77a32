// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package cli_test

import (
	"context"
	"fmt"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
)

// client is one of Kafka's that is not samsa's.
func (t *target) client(options ...kgo.Opt) *kgo.Client {
	GinkgoHelper()
	client, err := kgo.NewClient(append([]kgo.Opt{
		kgo.SeedBrokers(t.Brokers().Addrs()...), kgo.RecordPartitioner(kgo.ManualPartitioner()), kgo.ProducerLinger(0),
	}, options...)...)
	Expect(err).NotTo(HaveOccurred())
	DeferCleanup(client.Close)
	return client
}

var _ = Describe("A log with a history", func() {
	inWays(laterKafka, "messages of aborted transactions do not come", func(ctx SpecContext, t *target) {
		client := t.client(kgo.TransactionalID("orders"))
		for i := range 4 {
			Expect(client.BeginTransaction()).To(Succeed())
			value := fmt.Appendf(nil, "%d", i)
			Expect(client.ProduceSync(ctx, &kgo.Record{Topic: "orders", Value: value}).FirstErr()).To(Succeed())
			Expect(client.EndTransaction(ctx, kgo.TransactionEndTry(i%2 == 1))).To(Succeed())
		}
		rows := t.objects(ctx, "subscribe", "orders", "--group", "billing", "--count", "2")
		Expect(field(rows, "value")).To(Equal([]any{"1", "3"}))
		rows = t.objects(ctx, "subscribe", "orders", "--from", "earliest", "--count", "2")
		Expect(field(rows, "value")).To(Equal([]any{"1", "3"}))
	})

	inWays(laterKafka, "what transactions leave at the end is no lag", func(ctx SpecContext, t *target) {
		client := t.client(kgo.TransactionalID("orders"))
		transact := func(end kgo.TransactionEndTry) {
			Expect(client.BeginTransaction()).To(Succeed())
			Expect(client.ProduceSync(ctx, &kgo.Record{Topic: "orders", Value: []byte("one")}).FirstErr()).To(Succeed())
			Expect(client.EndTransaction(ctx, end)).To(Succeed())
		}
		lag := func(g Gomega) float64 {
			r := t.run(ctx, "", "offsets", "orders", "--group", "billing", "-o", "json")
			g.Expect(r.failure).NotTo(HaveOccurred())
			return sum(objects(r.out.String()), "lag")
		}
		transact(kgo.TryCommit)
		t.must(ctx, "", "subscribe", "orders", "--group", "billing", "--count", "1")
		subscribing, end := context.WithCancel(ctx)
		member := make(chan result, 1)
		go func() { member <- t.run(subscribing, "", "subscribe", "orders", "--group", "billing", "-o", "json") }()
		By("a marker that comes alone, and messages that were aborted")
		transact(kgo.TryAbort)
		Eventually(lag).Should(BeZero())
		end()
		r := <-member
		Expect(r.failure).NotTo(HaveOccurred())
		Expect(r.out.String()).To(BeEmpty())
		transact(kgo.TryCommit)
		Expect(lag(Default)).To(BeEquivalentTo(2), "a message, and the marker behind it")
	})

	inWays(laterKafka, "a group whose position retention removed goes on behind it", func(ctx SpecContext, t *target) {
		client := t.client()
		write := func(from, to int) {
			for i := from; i < to; i++ {
				value := fmt.Appendf(nil, "%d", i)
				Expect(client.ProduceSync(ctx, &kgo.Record{Topic: "orders", Value: value}).FirstErr()).To(Succeed())
			}
		}
		write(0, 3)
		t.must(ctx, "", "subscribe", "orders", "--group", "billing", "--count", "3")
		write(3, 8)
		removed := kadm.Offsets{}
		removed.Add(kadm.Offset{Topic: "orders", Partition: 0, At: 6})
		answer, err := kadm.NewClient(client).DeleteRecords(ctx, removed)
		Expect(err).NotTo(HaveOccurred())
		Expect(answer.Error()).NotTo(HaveOccurred())
		again := t.run(ctx, "", "subscribe", "orders", "--group", "billing", "--count", "2", "-o", "json")
		Expect(again.failure).NotTo(HaveOccurred())
		Expect(field(objects(again.out.String()), "value")).To(Equal([]any{"6", "7"}))
		Expect(again.err.String()).To(And(ContainSubstring("orders/0"), ContainSubstring("3")), "it is said")
	})
})
