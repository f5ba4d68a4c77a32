// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package wire_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"
	"github.com/twmb/franz-go/pkg/kversion"

	"github.com/samsa-dev/samsa/pkg/kafka"
)

// one message, for specs that do not care which.
var one = []kafka.Message{{Value: []byte("one")}}

// refused reports whether an error promises that nothing was written.
func refused(err error) bool {
	_, ok := errors.AsType[*kafka.Refused](err)
	return ok
}

var _ = Describe("Appending", func() {
	var w *world

	// end is where a partition's log ends.
	end := func(ctx context.Context, partition kafka.Partition) int64 {
		GinkgoHelper()
		positions, err := w.transport.Positions(ctx, []kafka.Partition{partition}, kafka.Latest())
		Expect(err).NotTo(HaveOccurred())
		return positions[partition]
	}
	BeforeEach(func(ctx SpecContext) { w = newWorld(ctx) })

	It("tells where the first message is", func(ctx SpecContext) {
		for i := range int64(3) {
			position, err := w.transport.Append(ctx, first, make([]kafka.Message, 4))
			Expect(err).NotTo(HaveOccurred())
			Expect(position).To(Equal(4 * i))
		}
	})

	It("keeps the messages of one call together and in order, whoever else appends", func(ctx SpecContext) {
		const writers, calls, messages = 8, 20, 25
		starts := make([][]int64, writers)
		var writing sync.WaitGroup
		for writer := range writers {
			writing.Go(func() {
				defer GinkgoRecover()
				for call := range calls {
					list := make([]kafka.Message, messages)
					for i := range list {
						list[i].Value = fmt.Appendf(nil, "%d/%d/%d", writer, call, i)
					}
					start, err := w.transport.Append(ctx, at("orders", writer%2), list)
					Expect(err).NotTo(HaveOccurred())
					starts[writer] = append(starts[writer], start)
				}
			})
		}
		writing.Wait()
		w.transport.Add(map[kafka.Partition]int64{first: 0, second: 0})
		total := writers * calls * messages / 2
		w.reader.until(ctx, func(g Gomega) {
			g.Expect(w.reader.values[first]).To(HaveLen(total))
			g.Expect(w.reader.values[second]).To(HaveLen(total))
		})
		for writer := range writers {
			log := w.reader.values[at("orders", writer%2)]
			for call, start := range starts[writer] {
				for i := range int64(messages) {
					Expect(log[start+i]).To(Equal(fmt.Sprintf("%d/%d/%d", writer, call, i)))
				}
			}
		}
	})

	It("writes what is old by its timestamp", func(ctx SpecContext) {
		_, err := w.transport.Append(ctx, first, []kafka.Message{{Timestamp: time.UnixMilli(1)}})
		Expect(err).NotTo(HaveOccurred())
	})

	DescribeTable("promises that nothing was written where it is certain",
		func(ctx SpecContext, partition kafka.Partition, messages []kafka.Message, fault *kerr.Error, text string) {
			if fault != nil {
				w.Fake().Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.Produce}, Err: fault, Count: -1})
			}
			_, err := w.transport.Append(ctx, partition, messages)
			Expect(err).To(MatchError(ContainSubstring(text)))
			Expect(refused(err)).To(BeTrue(), "%v", err)
			Expect(end(ctx, first)).To(BeZero())
		},
		Entry("no such topic", kafka.Partition{Topic: "nobody", ID: "0"}, one, nil, "UNKNOWN_TOPIC_OR_PARTITION"),
		Entry("no such partition", kafka.Partition{Topic: "orders", ID: "7"}, one, nil, "orders/7"),
		Entry("no number", kafka.Partition{Topic: "orders", ID: "1-0"}, one, nil, "is not a number"),
		Entry("no messages", kafka.Partition{Topic: "orders", ID: "0"}, nil, nil, "no messages"),
		Entry("too large for a batch", kafka.Partition{Topic: "orders", ID: "0"},
			[]kafka.Message{{Value: []byte(strings.Repeat("x", 2<<20))}}, nil, "MESSAGE_TOO_LARGE"),
		Entry("too large for the topic", kafka.Partition{Topic: "orders", ID: "0"}, one, kerr.MessageTooLarge,
			"MESSAGE_TOO_LARGE"),
		Entry("no rights", kafka.Partition{Topic: "orders", ID: "0"}, one, kerr.TopicAuthorizationFailed,
			"TOPIC_AUTHORIZATION_FAILED"),
	)

	It("promises it of a call whose context had ended", func(ctx SpecContext) {
		ended, cancel := context.WithCancel(ctx)
		cancel()
		_, err := w.transport.Append(ended, first, one)
		Expect(err).To(MatchError(context.Canceled))
		Expect(refused(err)).To(BeTrue())
		Expect(end(ctx, first)).To(BeZero())
	})

	It("promises nothing where an answer is lost", func(ctx SpecContext) {
		leader, _ := w.leader(first)
		w.fill(ctx, first, 0, 1)
		Expect(w.FreezeBroker(leader)).To(Succeed())
		short, cancel := context.WithTimeout(ctx, 100*time.Millisecond)
		defer cancel()
		_, err := w.transport.Append(short, first, one)
		Expect(err).To(MatchError(context.DeadlineExceeded))
		Expect(refused(err)).To(BeFalse())
		Expect(w.ThawBroker(leader)).To(Succeed())
		Eventually(func() int64 { return end(ctx, first) }).Should(BeEquivalentTo(2), "it was written after all")
	})

	It("promises nothing where some of the messages were written", func(ctx SpecContext) {
		_, err := w.transport.Append(ctx, first, []kafka.Message{
			{Value: []byte("small")}, {Value: []byte(strings.Repeat("x", 2<<20))},
		})
		Expect(err).To(MatchError(ContainSubstring("MESSAGE_TOO_LARGE")))
		Expect(refused(err)).To(BeFalse())
		Expect(end(ctx, first)).To(BeEquivalentTo(1))
	})

	It("writes once what has to be repeated", func(ctx SpecContext) {
		// Answered so after the batch was written.
		w.Fake().Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.Produce}, Err: kerr.NotEnoughReplicasAfterAppend, Count: 2})
		position, err := w.transport.Append(ctx, first, one)
		Expect(err).NotTo(HaveOccurred())
		Expect(position).To(BeZero())
		Expect(end(ctx, first)).To(BeEquivalentTo(1))
	})

	It("waits for a leader that moves, and for a broker that starts again", func(ctx SpecContext) {
		w.fill(ctx, first, 0, 1)
		leader, other := w.leader(first)
		Expect(w.MoveLeader(ctx, "orders", 0, other)).To(Succeed())
		w.fill(ctx, first, 1, 2)
		Expect(w.StopBroker(other)).To(Succeed())
		done := make(chan error, 1)
		go func() {
			_, err := w.transport.Append(ctx, first, one)
			done <- err
		}()
		Consistently(done, 300*time.Millisecond).ShouldNot(Receive())
		Expect(w.StartBroker(ctx, other)).To(Succeed())
		Eventually(done).Should(Receive(BeNil()))
		Expect(end(ctx, first)).To(BeEquivalentTo(3))
		Expect(leader).NotTo(Equal(other))
	}, NodeTimeout(30*time.Second))

	It("works with brokers that know no sequence numbers", func(ctx SpecContext) {
		w = newWorld(ctx, kfake.MaxVersions(kversion.V0_11_0()))
		w.fill(ctx, first, 0, 3)
		w.transport.Add(map[kafka.Partition]int64{first: 1})
		w.reader.until(ctx, func(g Gomega) { g.Expect(w.reader.positions[first]).To(Equal(count(1, 3))) })
	})

	It("is refused by a closed transport", func(ctx SpecContext) {
		w.transport.Close()
		_, err := w.transport.Append(ctx, first, one)
		Expect(refused(err)).To(BeTrue())
	})
})

var _ = Describe("Positions", func() {
	var w *world

	BeforeEach(func(ctx SpecContext) {
		w = newWorld(ctx)
		for i := range 10 {
			_, err := w.transport.Append(ctx, first, []kafka.Message{{Timestamp: time.UnixMilli(int64(1000 * i))}})
			Expect(err).NotTo(HaveOccurred())
		}
		Expect(w.Fake().DeleteRecords("orders", 0, 2)).To(Succeed())
	})

	DescribeTable("of places",
		func(ctx SpecContext, place kafka.Place, inFirst, inEmpty int) {
			positions, err := w.transport.Positions(ctx, []kafka.Partition{first, second}, place)
			Expect(err).NotTo(HaveOccurred())
			Expect(positions).To(Equal(map[kafka.Partition]int64{first: int64(inFirst), second: int64(inEmpty)}))
		},
		Entry("the start", kafka.Earliest(), 2, 0),
		Entry("the end", kafka.Latest(), 10, 0),
		Entry("a time", kafka.Since(time.UnixMilli(4500)), 5, 0),
		Entry("a time to the millisecond", kafka.Since(time.UnixMilli(5000)), 5, 0),
		Entry("a time before everything", kafka.Since(time.UnixMilli(-5)), 2, 0),
		Entry("a time after everything", kafka.Since(time.UnixMilli(1e9)), 10, 0),
	)

	It("gives those it can and names the others", func(ctx SpecContext) {
		w.Fake().Fault(kfake.Fault{
			Keys: []kmsg.Key{kmsg.ListOffsets}, Partitions: []int32{1}, Err: kerr.TopicAuthorizationFailed, Count: -1,
		})
		positions, err := w.transport.Positions(ctx, []kafka.Partition{
			first, second, at("orders", 7), at("nobody", 0), {Topic: "orders", ID: "1-3"},
		}, kafka.Latest())
		Expect(positions).To(Equal(map[kafka.Partition]int64{first: 10}))
		Expect(err).To(MatchError(And(
			ContainSubstring("orders/1: TOPIC_AUTHORIZATION_FAILED"),
			ContainSubstring("nobody/0, orders/7: UNKNOWN_TOPIC_OR_PARTITION"),
			ContainSubstring("orders/1-3"))))
	})

	It("gives those of the brokers that answer, at once where the other is gone", func(ctx SpecContext) {
		leader := w.apart(ctx)
		both := []kafka.Partition{first, second}
		_, err := w.transport.Positions(ctx, both, kafka.Latest())
		Expect(err).NotTo(HaveOccurred())
		Expect(w.StopBroker(leader)).To(Succeed())
		begin := time.Now()
		positions, err := w.transport.Positions(ctx, both, kafka.Latest())
		Expect(time.Since(begin)).To(BeNumerically("<", 2*time.Second))
		Expect(positions).To(HaveKeyWithValue(first, int64(10)))
		Expect(positions).NotTo(HaveKey(second))
		Expect(err).To(MatchError(ContainSubstring("orders/1: ")))
		Expect(w.StartBroker(ctx, leader)).To(Succeed())
		Eventually(func() (map[kafka.Partition]int64, error) {
			return w.transport.Positions(ctx, both, kafka.Latest())
		}).Should(HaveLen(2))
	})

	It("gives those of the brokers that answer, with its context where the other hangs", func(ctx SpecContext) {
		leader := w.apart(ctx)
		both := []kafka.Partition{first, second}
		Expect(w.FreezeBroker(leader)).To(Succeed())
		for range 4 { // whichever broker is asked first who leads
			short, cancel := context.WithTimeout(ctx, 800*time.Millisecond)
			positions, err := w.transport.Positions(short, both, kafka.Latest())
			cancel()
			Expect(positions).To(HaveKeyWithValue(first, int64(10)))
			Expect(err).To(MatchError(And(ContainSubstring("orders/1: "), Not(ContainSubstring("orders/0")))))
		}
		Expect(w.ThawBroker(leader)).To(Succeed())
	})

	It("follows a leader that moves", func(ctx SpecContext) {
		_, err := w.transport.Positions(ctx, []kafka.Partition{first}, kafka.Latest())
		Expect(err).NotTo(HaveOccurred())
		_, other := w.leader(first)
		Expect(w.MoveLeader(ctx, "orders", 0, other)).To(Succeed())
		Expect(w.transport.Positions(ctx, []kafka.Partition{first}, kafka.Latest())).To(HaveKeyWithValue(first, int64(10)))
	})

	It("ends with its context while nobody answers", func(ctx SpecContext) {
		for id := range int32(3) {
			Expect(w.FreezeBroker(id)).To(Succeed())
		}
		begin := time.Now()
		short, cancel := context.WithTimeout(ctx, 100*time.Millisecond)
		defer cancel()
		positions, err := w.transport.Positions(short, []kafka.Partition{first}, kafka.Latest())
		Expect(positions).To(BeEmpty())
		Expect(err).To(MatchError(ContainSubstring("orders/0")))
		Expect(w.transport.Ping(short)).To(MatchError(context.DeadlineExceeded))
		Expect(time.Since(begin)).To(BeNumerically("<", 2*time.Second))
		for id := range int32(3) {
			Expect(w.ThawBroker(id)).To(Succeed())
		}
	})

	It("asks for nothing where nothing is wanted", func(ctx SpecContext) {
		positions, err := w.transport.Positions(ctx, nil, kafka.Earliest())
		Expect(err).NotTo(HaveOccurred())
		Expect(positions).To(BeEmpty())
	})
})
