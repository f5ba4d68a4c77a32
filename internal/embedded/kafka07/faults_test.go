// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package kafka07_test

import (
	"net"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/samsa-dev/samsa/internal/embedded/kafka07"
	"github.com/samsa-dev/samsa/pkg/protocol"
)

func latest() *protocol.OffsetsRequest {
	return &protocol.OffsetsRequest{Topic: "t", Time: protocol.LatestTime, MaxOffsets: 1}
}

var _ = Describe("Faults", func() {
	It("refuse connections", func(ctx SpecContext) {
		broker := start(ctx, kafka07.Config{})
		open := dial(ctx, broker)
		Expect(open.end("t")).To(Equal([]int64{0}))
		broker.Faults().Refuse(true)
		refused, err := new(net.Dialer).DialContext(ctx, "tcp", broker.Addr())
		if err == nil {
			client{refused}.expectEnd()
			_ = refused.Close()
		}
		Expect(open.end("t")).To(Equal([]int64{0}))
		broker.Faults().Clear()
		Expect(dial(ctx, broker).end("t")).To(Equal([]int64{0}))
	})

	It("stall and resume", func(ctx SpecContext) {
		broker := start(ctx, kafka07.Config{FlushMessages: 1})
		broker.Faults().Stall()
		conn := dial(ctx, broker)
		conn.send(produce("t", "good"), latest())
		Consistently(broker.Topics, 50*time.Millisecond).Should(BeEmpty())
		broker.Faults().Resume()
		Expect(conn.body()).To(HaveLen(14))
		Expect(*size(broker, "t-0")).To(Equal(14))

		broker.Faults().Stall()
		conn.send(produce("t", "good"))
		broker.Close() // It does not wait for what is stalled.
		conn.expectEnd()
	})

	It("answer late, by the broker's clock, what is executed at once", func(ctx SpecContext) {
		clock := frozen()
		broker := start(ctx, kafka07.Config{FlushMessages: 1, Clock: clock})
		broker.Faults().AnswerLate(5 * time.Second)
		conn := dial(ctx, broker)
		conn.send(produce("t", "good"), latest())
		answered := make(chan []byte, 1)
		go func() {
			defer GinkgoRecover()
			body, err := conn.body()
			Expect(err).NotTo(HaveOccurred())
			answered <- body
		}()
		Eventually(func() *int { return size(broker, "t-0") }).Should(HaveValue(Equal(14)))
		Consistently(answered, 50*time.Millisecond).ShouldNot(Receive())
		Eventually(func() chan []byte { clock.Advance(5 * time.Second); return answered }).Should(Receive(HaveLen(14)))
		broker.Faults().AnswerLate(0)
		Expect(conn.end("t")).To(Equal([]int64{14}))
	})

	It("cut the connection on which a byte passes, and leave the others", func(ctx SpecContext) {
		broker := start(ctx, kafka07.Config{FlushMessages: 1})
		other := dial(ctx, broker)
		Expect(other.end("t")).To(Equal([]int64{0}))
		cut := broker.Faults().CutAfter(kafka07.Out, 10)
		conn := dial(ctx, broker)
		conn.send(produce("t", "good"), latest())
		Eventually(cut).Should(BeClosed())
		conn.expectEnd()
		Expect(other.end("t")).To(Equal([]int64{14}))

		cut = broker.Faults().CutAfter(kafka07.In, 20)
		conn = dial(ctx, broker)
		conn.send(produce("t", "good"))
		Eventually(cut).Should(BeClosed())
		conn.expectEnd()
		Expect(other.end("t")).To(Equal([]int64{14}), "half a request is none")
	})

	It("kill the broker behind a byte; it comes back where it was, with what it had", func(ctx SpecContext) {
		broker := start(ctx, kafka07.Config{FlushMessages: 1000})
		addr := broker.Addr()
		other := dial(ctx, broker)
		Expect(other.end("t")).To(Equal([]int64{0}))
		died := broker.Faults().DieAfter(kafka07.Out, 0)
		conn := dial(ctx, broker)
		conn.send(produce("t", "good"), latest())
		Eventually(died).Should(BeClosed())
		conn.expectEnd()
		other.expectEnd()
		Expect(broker.Running()).To(BeFalse())
		_, err := new(net.Dialer).DialContext(ctx, "tcp", addr)
		Expect(err).To(HaveOccurred())

		Expect(broker.Restart(ctx)).To(Succeed())
		Expect(broker.Running()).To(BeTrue())
		Expect(broker.Addr()).To(Equal(addr))
		Expect(dial(ctx, broker).end("t")).To(Equal([]int64{14}))
		Expect(broker.Restart(ctx)).To(Succeed(), "of a running broker does nothing")
	})
})

var _ = Describe("A broker", func() {
	It("stops, starts, is killed, starts, and is closed for good", func(ctx SpecContext) {
		broker := start(ctx, kafka07.Config{FlushMessages: 1000})
		conn := dial(ctx, broker)
		conn.send(produce("t", "good"))
		Expect(conn.end("t")).To(Equal([]int64{0}))
		broker.Stop()
		broker.Stop()
		conn.expectEnd()
		Expect(broker.Running()).To(BeFalse())
		Expect(broker.Restart(ctx)).To(Succeed())
		conn = dial(ctx, broker)
		Expect(conn.end("t")).To(Equal([]int64{14}), "a clean stop flushes")
		broker.Kill()
		conn.expectEnd()
		Expect(broker.Restart(ctx)).To(Succeed())
		Expect(dial(ctx, broker).payloads("t", 0)).To(Equal([]string{"good"}))
		broker.Close()
		broker.Close()
		Expect(broker.Restart(ctx)).To(MatchError(ContainSubstring("closed")))
	})

	It("says what is wrong with its configuration", func(ctx SpecContext) {
		_, err := kafka07.Start(ctx, kafka07.Config{Partitions: -1})
		Expect(err).To(MatchError(ContainSubstring("negative")))
		_, err = kafka07.Start(ctx, kafka07.Config{TopicPartitions: map[string]int32{"t": 0}})
		Expect(err).To(MatchError(ContainSubstring("topic t has 0 partitions")))
		dir := GinkgoT().TempDir()
		writeFile([]byte("x"), dir, "notes.txt")
		_, err = kafka07.Start(ctx, kafka07.Config{Dir: dir})
		Expect(err).To(MatchError(ContainSubstring("notes.txt is not topic-partition")))
	})
})
