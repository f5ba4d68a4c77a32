// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package pump_test

import (
	"bytes"
	"context"
	"strconv"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/samsa-dev/samsa/internal/embedded/kafka07"
	"github.com/samsa-dev/samsa/internal/embedded/world"
	"github.com/samsa-dev/samsa/pkg/kafka"
	"github.com/samsa-dev/samsa/pkg/pump"
)

var _ = Describe("A partition of Kafka 0.7", func() {
	var (
		w        *world.World
		producer world.Producer
	)
	BeforeEach(func(ctx SpecContext) {
		var err error
		w, err = world.Start(ctx, world.Config{
			Era: world.Era07, Tick: tick, Topics: map[string]int32{"orders": 1},
			Broker07: kafka07.Config{MaxMessageSize: 4 << 20},
		})
		Expect(err).NotTo(HaveOccurred())
		DeferCleanup(w.Close)
		producer, err = w.Producer()
		Expect(err).NotTo(HaveOccurred())
		DeferCleanup(producer.Close)
	})
	produce := func(ctx context.Context, values ...[]byte) []int64 {
		GinkgoHelper()
		positions, err := producer.Produce(ctx, kafka.Partition{Topic: "orders", ID: "0-0"}, values...)
		Expect(err).NotTo(HaveOccurred())
		return positions
	}
	// stands expects it to be blocked, and to stay so while it is asked for again and again.
	stands := func(m *worker, words string) {
		GinkgoHelper()
		Eventually(m.blocked).Should(ConsistOf("0-0"))
		first, _ := m.lane("0-0")
		Expect(first.Err).To(MatchError(ContainSubstring(words)))
		Consistently(func() time.Time {
			now, _ := m.lane("0-0")
			if !now.Blocked {
				return time.Time{}
			}
			return now.Since
		}).WithTimeout(5 * time.Second).WithPolling(20 * time.Millisecond).Should(Equal(first.Since))
	}

	It("stands at a message that is larger than may be", func(ctx SpecContext) {
		to := newScript()
		m := work(open(ctx, w), "a", pump.Config{Sink: to})
		produce(ctx, []byte("one"), bytes.Repeat([]byte("x"), 2<<20), []byte("three"))
		stands(m, "maxMessageBytes")
		Expect(to.distinct()).To(Equal(1), "what is before it is delivered")
	})

	It("stands where no message begins, until somebody sets another position", func(ctx SpecContext) {
		to := newScript()
		positions := produce(ctx, []byte("one"), []byte("two"), []byte("three"))
		m := work(open(ctx, w), "a", pump.Config{Sink: to})
		Eventually(to.distinct).Should(Equal(3))
		m.leave()
		set(w, "0-0", "3")
		again := newScript()
		m = work(open(ctx, w), "b", pump.Config{Sink: again})
		stands(m, "0-0")
		Expect(again.distinct()).To(BeZero())
		set(w, "0-0", strconv.FormatInt(positions[1], 10))
		Eventually(again.distinct).Should(Equal(2))
		Eventually(m.blocked).Should(BeEmpty())
	}, NodeTimeout(time.Minute))
})
