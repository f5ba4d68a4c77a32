// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package gateway_test

import (
	"context"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/samsa-dev/samsa/pkg/gateway"
	"github.com/samsa-dev/samsa/pkg/gateway/window"
	"github.com/samsa-dev/samsa/pkg/kafka"
	"github.com/samsa-dev/samsa/pkg/sink"
	"github.com/samsa-dev/samsa/pkg/sink/httpsink"
	"github.com/samsa-dev/samsa/pkg/sink/sinktest"
)

var _ = Describe("A ConsumerGroup's messages", func() {
	var (
		from    kafka.Partition
		b       *brokers
		deliver func(ctx context.Context, messages kafka.Messages) []sink.Result
	)
	BeforeEach(func() {
		from = kafka.Partition{Topic: "incoming", ID: "3"}
		b = &brokers{}
		_, url := serve(gateway.Config{Producer: b, Window: window.New(window.Config{Length: time.Minute})})
		to, err := httpsink.New(httpsink.Config{URL: url, KeyPrefix: "main/billing/"})
		Expect(err).NotTo(HaveOccurred())
		DeferCleanup(to.Close)
		deliver = func(ctx context.Context, messages kafka.Messages) []sink.Result {
			results := make([]sink.Result, len(messages))
			to.Deliver(ctx, sink.Claim{Group: "billing", Token: 7}, kafka.NewBatch(from, messages), results)
			return results
		}
	})

	It("are what they were, wherever they go", func(ctx SpecContext) {
		messages := sinktest.Messages(from, 100)
		for i := range messages {
			if messages[i].Timestamp.UnixMilli() < 0 { // which Kafka has for none alone
				messages[i].Timestamp = time.Time{}
			}
		}
		Expect(deliver(ctx, messages)).To(HaveEach(sink.Result{Outcome: sink.Done}))
		written := b.written()
		Expect(written).To(HaveLen(len(messages)))
		for i, got := range written {
			Expect(got.Partition).To(Equal(kafka.Partition{Topic: topic}), "its partition is for the partitioner")
			Expect(got.Headers).To(HaveLen(len(messages[i].Headers)+1), "and the key that it was sent with")
			got.Partition, got.Offset, got.Index = messages[i].Partition, messages[i].Offset, messages[i].Index
			got.Headers = got.Headers[:len(messages[i].Headers)]
			Expect(sinktest.Difference(got, messages[i])).To(BeEmpty())
		}
	})

	It("are not written twice, whoever delivers them again", func(ctx SpecContext) {
		messages := sinktest.Messages(from, 10)[:3]
		Expect(deliver(ctx, messages)).To(HaveEach(sink.Result{Outcome: sink.Done}))
		Expect(deliver(ctx, messages)).To(HaveEach(sink.Result{Outcome: sink.Done}))
		Expect(b.written()).To(HaveLen(3))
	})

	It("do not bring keys along that they were written with elsewhere", func(ctx SpecContext) {
		id := window.Identify("", "somebody", "a key", []byte("something"))
		foreign := kafka.Header{Key: window.HeaderName, Value: []byte(id.Header(time.Now()))}
		own := kafka.Header{Key: "trace", Value: []byte("1")}
		Expect(deliver(ctx, kafka.Messages{{Partition: from, Headers: []kafka.Header{foreign, own}}})).To(
			HaveEach(sink.Result{Outcome: sink.Done}))
		Expect(b.written()).To(ConsistOf(HaveField("Headers", And(HaveLen(2), HaveExactElements(Equal(own), And(
			HaveField("Key", window.HeaderName), HaveField("Value", Not(Equal(foreign.Value)))))))))
	})

	It("cannot say that somebody else used a key", func(ctx SpecContext) {
		plain := &brokers{}
		_, url := serve(gateway.Config{Producer: plain})
		forged := window.Identify("", "victim", "a key").Header(time.Now())
		a := post(ctx, url, "/", "x", "Samsa-Header", window.HeaderName+"="+forged+", trace=1")
		Expect(a.status).To(Equal(201), a.body)
		a = post(ctx, url, "/", `{"value": "x", "headers": [{"key": "samsa-idempotency-key", "value": "`+forged+`"}]}`,
			contentType, typeLines)
		Expect(a.status).To(Equal(200), a.body)
		Expect(plain.written()).To(HaveExactElements(
			HaveField("Headers", ConsistOf(HaveField("Key", "trace"))), HaveField("Headers", BeEmpty())))
	})
})
