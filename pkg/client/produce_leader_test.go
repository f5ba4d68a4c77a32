// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package client_test

import (
	"slices"
	"sync"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/samsa-dev/samsa/pkg/client"
	"github.com/samsa-dev/samsa/pkg/kafka"
)

// A leader that has written a batch to its own log, and ceases to be the leader while it waits for replicas, tells that
// it is not the leader, as one that never was; but with the offset. The next one may have the batch.
var _ = Describe("A producer whose batch a leader wrote that then lost the partition", func() {
	It("repeats that batch as it was, whatever has come meanwhile", func(ctx SpecContext) {
		w := start(ctx, map[string]int32{"orders": 1})
		producer := producing(open(ctx, w), "orders", client.ProducerConfig{Timeout: 5 * time.Second})
		var mu sync.Mutex
		var sent [][]byte
		var second <-chan ended
		w.Kafka.Fake().ControlKey(kmsg.Produce.Int16(), func(request kmsg.Request) (kmsg.Response, error, bool) {
			w.Kafka.Fake().KeepControl()
			mu.Lock()
			defer mu.Unlock()
			produce := request.(*kmsg.ProduceRequest) //nolint:forcetypeassert // it is asked for
			sent = append(sent, slices.Clone(produce.Topics[0].Partitions[0].Records))
			if len(sent) > 1 {
				return nil, nil, false
			}
			second = handOver(producer, "second")
			answer := refuseAll(produce, kerr.NotLeaderForPartition)
			answer.Topics[0].Partitions[0].BaseOffset = 7
			return answer, nil, true
		})
		_, err := produced(ctx, producer, kafka.Message{Value: []byte("first")})
		Expect(err).NotTo(HaveOccurred())
		mu.Lock()
		after := second
		mu.Unlock()
		Eventually(ctx, after).Should(Receive(HaveField("Err", BeNil())))
		mu.Lock()
		defer mu.Unlock()
		Expect(len(sent)).To(BeNumerically(">=", 3))
		Expect(sent[1]).To(Equal(sent[0]), "another batch has the numbers of one that may have been written")
	})

	It("takes apart, and moves, one that no leader wrote", func(ctx SpecContext) {
		w := start(ctx, map[string]int32{"orders": 1})
		producer := producing(open(ctx, w), "orders", client.ProducerConfig{Timeout: 5 * time.Second})
		var mu sync.Mutex
		var sent int
		var second <-chan ended
		w.Kafka.Fake().ControlKey(kmsg.Produce.Int16(), func(request kmsg.Request) (kmsg.Response, error, bool) {
			w.Kafka.Fake().KeepControl()
			mu.Lock()
			defer mu.Unlock()
			if sent++; sent > 1 {
				return nil, nil, false
			}
			second = handOver(producer, "second")
			answer := refuseAll(request.(*kmsg.ProduceRequest), kerr.NotLeaderForPartition)
			answer.Topics[0].Partitions[0].BaseOffset = -1
			return answer, nil, true
		})
		_, err := produced(ctx, producer, kafka.Message{Value: []byte("first")})
		Expect(err).NotTo(HaveOccurred())
		mu.Lock()
		after := second
		mu.Unlock()
		Eventually(ctx, after).Should(Receive(HaveField("Err", BeNil())))
		mu.Lock()
		defer mu.Unlock()
		Expect(sent).To(Equal(2), "both in one batch")
	})
})

// handOver is produce for where there is no context.
func handOver(producer *client.Producer, value string) <-chan ended {
	return produce(GinkgoT().Context(), producer, kafka.Message{Value: []byte(value)})
}
