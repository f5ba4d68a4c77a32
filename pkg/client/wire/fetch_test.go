// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package wire_test

import (
	"context"
	"math/rand/v2"
	"strconv"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/samsa-dev/samsa/pkg/client/wire"
	"github.com/samsa-dev/samsa/pkg/kafka"
)

var _ = Describe("Fetching", func() {
	var w *world

	BeforeEach(func(ctx SpecContext) { w = newWorld(ctx) })

	It("gives messages as they were written", func(ctx SpecContext) {
		when := time.UnixMilli(1_700_000_000_123)
		headers := []kafka.Header{{Key: "a", Value: []byte("1")}, {Key: "a"}, {Key: "", Value: []byte{}}}
		_, err := w.transport.Append(ctx, first, []kafka.Message{
			{Key: []byte("k"), Value: []byte("v"), Headers: headers, Timestamp: when},
			{Key: []byte{}, Value: nil},
		})
		Expect(err).NotTo(HaveOccurred())
		w.transport.Add(map[kafka.Partition]int64{first: 0})
		var got []kafka.Message
		Eventually(func() []kafka.Message {
			for _, fetch := range w.transport.Poll(ctx) {
				Expect(fetch.Err).NotTo(HaveOccurred())
				Expect(fetch.End).To(BeEquivalentTo(2))
				for i := range fetch.Batch.Len() {
					Expect(fetch.Batch.Next(i)).To(Equal(fetch.Batch.Message(i).Next))
					got = append(got, fetch.Batch.Message(i))
				}
				Expect(fetch.Batch.Bytes()).To(Equal(1 + 1 + 3 + 0))
			}
			return got
		}).Should(HaveLen(2))
		Expect(got[0].ID()).To(Equal("orders/0/0"))
		Expect(got[0].Next).To(BeEquivalentTo(1))
		Expect(got[0].Timestamp).To(BeTemporally("==", when))
		Expect(got[0].Headers).To(HaveLen(3))
		Expect(got[0].Headers[0]).To(Equal(headers[0]))
		Expect(got[0].Headers[1].Value).To(BeNil())
		Expect(got[1].Key).To(And(BeEmpty(), Not(BeNil())), "an empty key is a key")
		Expect(got[1].Value).To(BeNil(), "a tombstone has no value")
	})

	It("brings partitions that were added and no others, from their positions on", func(ctx SpecContext) {
		for number := range 3 {
			w.fill(ctx, at("orders", number), 0, 10)
		}
		positions := map[kafka.Partition]int64{first: 3, second: 10}
		w.transport.Add(positions)
		Expect(positions).To(Equal(map[kafka.Partition]int64{first: 3, second: 10}), "the caller's map is changed")
		w.reader.until(ctx, func(g Gomega) { g.Expect(w.reader.positions[first]).To(Equal(count(3, 10))) })
		w.fill(ctx, second, 10, 12)
		w.fill(ctx, at("orders", 2), 10, 12)
		w.reader.until(ctx, func(g Gomega) { g.Expect(w.reader.positions[second]).To(Equal(count(10, 12))) })
		w.reader.quiet(ctx, func(g Gomega) {
			g.Expect(w.reader.positions).To(HaveLen(2))
			g.Expect(w.reader.errs).To(BeEmpty())
		})
		Expect(w.reader.ends).To(HaveKeyWithValue(second, int64(12)))
	})

	It("tells where messages go on behind the markers of transactions, and of what they aborted", func(ctx SpecContext) {
		client, err := kgo.NewClient(kgo.SeedBrokers(w.Addrs()...), kgo.TransactionalID("orders"),
			kgo.RecordPartitioner(kgo.ManualPartitioner()))
		Expect(err).NotTo(HaveOccurred())
		DeferCleanup(client.Close)
		w.transport.Add(map[kafka.Partition]int64{first: 0})
		for i, end := range []kgo.TransactionEndTry{kgo.TryCommit, kgo.TryAbort, kgo.TryCommit, kgo.TryAbort} {
			Expect(client.BeginTransaction()).To(Succeed())
			Expect(client.ProduceSync(ctx, &kgo.Record{Topic: "orders", Value: []byte("x")}).FirstErr()).To(Succeed())
			Expect(client.EndTransaction(ctx, end)).To(Succeed())
			var messages []int64
			for skip := int64(0); skip < int64(2*i+2); {
				for _, fetch := range w.transport.Poll(ctx) {
					Expect(fetch.Err).NotTo(HaveOccurred())
					for m := range fetch.Batch.Len() {
						messages = append(messages, fetch.Batch.Message(m).Offset)
					}
					skip = max(skip, fetch.Skip)
				}
			}
			if end == kgo.TryCommit {
				Expect(messages).To(Equal([]int64{int64(2 * i)}))
			} else {
				Expect(messages).To(BeEmpty())
			}
		}
	})

	It("brings nothing of a removed partition, and begins anew where it is added", func(ctx SpecContext) {
		w.fill(ctx, first, 0, 10)
		w.transport.Add(map[kafka.Partition]int64{first: 0})
		w.reader.until(ctx, func(g Gomega) { g.Expect(w.reader.positions[first]).To(HaveLen(10)) })
		w.transport.Remove([]kafka.Partition{first, second})
		w.fill(ctx, first, 10, 20)
		w.reader.quiet(ctx, func(g Gomega) { g.Expect(w.reader.positions[first]).To(HaveLen(10)) })
		w.transport.Add(map[kafka.Partition]int64{first: 5})
		w.reader.until(ctx, func(g Gomega) { g.Expect(w.reader.positions[first][10:]).To(Equal(count(5, 20))) })
	})

	It("moves a partition that is added again", func(ctx SpecContext) {
		w.fill(ctx, first, 0, 10)
		w.transport.Add(map[kafka.Partition]int64{first: 0})
		w.reader.until(ctx, func(g Gomega) { g.Expect(w.reader.positions[first]).To(HaveLen(10)) })
		w.transport.Add(map[kafka.Partition]int64{first: 8, second: 0})
		w.reader.until(ctx, func(g Gomega) { g.Expect(w.reader.positions[first][10:]).To(Equal(count(8, 10))) })
	})

	It("never gives a stale or a foreign batch while partitions come and go under load", func(ctx SpecContext) {
		const messages = 2000
		for number := range 3 {
			w.fill(ctx, at("orders", number), 0, messages)
		}
		random := rand.New(rand.NewPCG(1, uint64(GinkgoRandomSeed()))) //nolint:gosec // a seed that replays
		expected := make(map[kafka.Partition]int64)
		seen := 0
		for range 300 {
			partition := at("orders", random.IntN(3))
			if _, added := expected[partition]; added {
				w.transport.Remove([]kafka.Partition{partition})
				delete(expected, partition)
			}
			if random.IntN(3) > 0 {
				position := random.Int64N(messages)
				w.transport.Add(map[kafka.Partition]int64{partition: position})
				expected[partition] = position
			}
			polling, cancel := context.WithTimeout(ctx, time.Duration(random.IntN(15))*time.Millisecond)
			for _, fetch := range w.transport.Poll(polling) {
				Expect(fetch.Err).NotTo(HaveOccurred())
				Expect(expected).To(HaveKey(fetch.Partition))
				for i := range fetch.Batch.Len() {
					message := fetch.Batch.Message(i)
					Expect(message.Offset).To(Equal(expected[fetch.Partition]))
					Expect(string(message.Value)).To(Equal(strconv.FormatInt(message.Offset, 10)))
					expected[fetch.Partition]++
					seen++
				}
			}
			cancel()
		}
		Expect(seen).To(BeNumerically(">", messages), "hardly anything was fetched: the spec proves nothing")
	}, NodeTimeout(time.Minute))

	It("brings nothing while paused and all of it after", func(ctx SpecContext) {
		w.fill(ctx, first, 0, 5)
		w.transport.Add(map[kafka.Partition]int64{first: 0, second: 0})
		w.transport.Pause([]kafka.Partition{first, at("nobody", 1)})
		w.fill(ctx, second, 0, 5)
		w.reader.until(ctx, func(g Gomega) { g.Expect(w.reader.positions[second]).To(HaveLen(5)) })
		w.reader.quiet(ctx, func(g Gomega) { g.Expect(w.reader.positions[first]).To(BeEmpty()) })
		w.transport.Resume([]kafka.Partition{first, at("nobody", 1)})
		w.reader.until(ctx, func(g Gomega) { g.Expect(w.reader.positions[first]).To(Equal(count(0, 5))) })
	})

	It("forgets a pause with the partition, but not with its position", func(ctx SpecContext) {
		w.fill(ctx, first, 0, 5)
		w.transport.Add(map[kafka.Partition]int64{first: 0})
		w.transport.Pause([]kafka.Partition{first})
		w.transport.Add(map[kafka.Partition]int64{first: 2})
		w.reader.quiet(ctx, func(g Gomega) { g.Expect(w.reader.positions[first]).To(BeEmpty()) })
		w.transport.Remove([]kafka.Partition{first})
		w.transport.Add(map[kafka.Partition]int64{first: 3})
		w.reader.until(ctx, func(g Gomega) { g.Expect(w.reader.positions[first]).To(Equal(count(3, 5))) })
	})

	It("returns from a poll when its context ends, and loses nothing by it", func(ctx SpecContext) {
		w.fill(ctx, first, 0, 50)
		w.transport.Add(map[kafka.Partition]int64{first: 0})
		ended, cancel := context.WithCancel(ctx)
		cancel()
		for range 50 {
			Expect(w.transport.Poll(ended)).To(BeEmpty())
			polling, end := context.WithTimeout(ctx, 100*time.Microsecond)
			for _, fetch := range w.transport.Poll(polling) {
				for i := range fetch.Batch.Len() {
					w.reader.positions[first] = append(w.reader.positions[first], fetch.Batch.Message(i).Offset)
				}
			}
			end()
		}
		w.reader.until(ctx, func(g Gomega) { g.Expect(w.reader.positions[first]).To(Equal(count(0, 50))) })
		begin := time.Now()
		polling, end := context.WithTimeout(ctx, 30*time.Millisecond)
		defer end()
		Expect(w.transport.Poll(polling)).To(BeEmpty())
		Expect(time.Since(begin)).To(BeNumerically("<", time.Second))
	})

	It("reads on where a leader moved to", func(ctx SpecContext) {
		w.fill(ctx, first, 0, 10)
		w.transport.Add(map[kafka.Partition]int64{first: 0})
		w.reader.until(ctx, func(g Gomega) { g.Expect(w.reader.positions[first]).To(HaveLen(10)) })
		for i := range 3 {
			_, other := w.leader(first)
			Expect(w.MoveLeader(ctx, "orders", 0, other)).To(Succeed())
			w.fill(ctx, first, 10+i, 11+i)
			w.reader.until(ctx, func(g Gomega) { g.Expect(w.reader.positions[first]).To(Equal(count(0, int64(11+i)))) })
		}
		Expect(w.reader.stops).To(BeEmpty())
	})

	It("waits for a topic that appears later, and for a partition", func(ctx SpecContext) {
		missing, grown := at("audit", 0), at("orders", 3)
		w.transport.Add(map[kafka.Partition]int64{missing: 0, grown: 0, first: 0})
		w.reader.until(ctx, func(g Gomega) {
			g.Expect(w.reader.errs[missing]).To(ConsistOf(MatchError(ContainSubstring("UNKNOWN_TOPIC_OR_PARTITION"))))
			g.Expect(w.reader.errs[grown]).To(ConsistOf(MatchError(ContainSubstring("UNKNOWN_TOPIC_OR_PARTITION"))))
		})
		Expect(w.CreateTopic(ctx, "audit", 1)).To(Succeed())
		Expect(w.Grow(ctx, "orders", 4)).To(Succeed())
		w.reader.until(ctx, func(g Gomega) {
			g.Expect(w.reader.healed[missing]).To(BeNumerically(">", 0))
			g.Expect(w.reader.healed[grown]).To(BeNumerically(">", 0))
		})
		w.fill(ctx, missing, 0, 3)
		w.fill(ctx, grown, 0, 3)
		w.reader.until(ctx, func(g Gomega) {
			g.Expect(w.reader.positions[missing]).To(Equal(count(0, 3)))
			g.Expect(w.reader.positions[grown]).To(Equal(count(0, 3)))
		})
		Expect(w.reader.errs[missing]).To(HaveLen(1))
	}, NodeTimeout(30*time.Second))

	It("creates no topics", func(ctx SpecContext) {
		auto := newWorld(ctx, kfake.AllowAutoTopicCreation())
		auto.transport.Add(map[kafka.Partition]int64{at("audit", 0): 0})
		auto.reader.until(ctx, func(g Gomega) { g.Expect(auto.reader.errs[at("audit", 0)]).NotTo(BeEmpty()) })
		_, err := auto.transport.Append(ctx, at("audit", 0), []kafka.Message{{}})
		Expect(err).To(HaveOccurred())
		Expect(auto.Fake().TopicInfo("audit")).To(BeNil())
	})

	It("stops a partition whose id is no number of Kafka's", func(ctx SpecContext) {
		for _, id := range []string{"1-3", "", "01", "-1", "2147483648"} {
			partition := kafka.Partition{Topic: "orders", ID: id}
			w.transport.Add(map[kafka.Partition]int64{partition: 0})
			w.reader.until(ctx, func(g Gomega) {
				g.Expect(w.reader.errs[partition]).To(ConsistOf(MatchError(ContainSubstring("is not a number"))))
				g.Expect(w.reader.stops[partition]).To(Equal(1))
			})
		}
		w.transport.Remove([]kafka.Partition{{Topic: "orders", ID: "01"}})
	})

	It("costs no allocation per message", func(ctx SpecContext) {
		w.fill(ctx, first, 0, 100)
		w.transport.Add(map[kafka.Partition]int64{first: 0})
		var batch kafka.Batch
		Eventually(func() int {
			for _, fetch := range w.transport.Poll(ctx) {
				batch = fetch.Batch
			}
			return batch.Len()
		}).Should(BeNumerically(">", 10))
		var total int64
		Expect(testingAllocs(func() {
			for i := range batch.Len() {
				message := batch.Message(i)
				total += message.Next + batch.Next(i) + int64(batch.Size(i)+len(message.Value))
			}
		})).To(BeZero())
		Expect(total).NotTo(BeZero())
	})

	It("ends a poll when the transport is closed", func(ctx SpecContext) {
		w.transport.Add(map[kafka.Partition]int64{first: 0})
		done := make(chan struct{})
		go func() {
			defer close(done)
			w.transport.Poll(ctx)
		}()
		Consistently(done, 50*time.Millisecond).ShouldNot(BeClosed())
		w.transport.Close()
		Eventually(done).Should(BeClosed())
		w.transport.Close()
	})
})

var _ = Describe("Addresses", func() {
	It("finds a cluster through the addresses it was given last", func(ctx SpecContext) {
		w := newWorld(ctx)
		transport, err := wire.Open(wire.Config{Brokers: []string{"127.0.0.1:1"}})
		Expect(err).NotTo(HaveOccurred())
		DeferCleanup(transport.Close)
		reader := newReader(transport)
		Expect(transport.Ping(ctx)).To(MatchError(And(
			ContainSubstring("no broker answers"), ContainSubstring("127.0.0.1:1"))))
		transport.Add(map[kafka.Partition]int64{at("orders", 0): 0})
		reader.until(ctx, func(g Gomega) {
			g.Expect(reader.errs[at("orders", 0)]).To(ContainElement(MatchError(ContainSubstring("connection refused"))))
		})
		Expect(transport.SetBrokers([]string{"host:port"})).NotTo(Succeed())
		Expect(transport.SetBrokers(nil)).To(Succeed(), "no addresses are no news")
		Expect(transport.SetBrokers(w.Addrs())).To(Succeed())
		Expect(transport.Ping(ctx)).To(Succeed())
		w.fill(ctx, at("orders", 0), 0, 3)
		reader.until(ctx, func(g Gomega) { g.Expect(reader.positions[at("orders", 0)]).To(Equal(count(0, 3))) })
	}, NodeTimeout(30*time.Second))

	It("needs one to begin with", func() {
		_, err := wire.Open(wire.Config{})
		Expect(err).To(MatchError(ContainSubstring("at least one address")))
		_, err = wire.Open(wire.Config{Brokers: []string{"host:port"}})
		Expect(err).To(HaveOccurred())
	})

	It("answers a ping while one broker hangs", func(ctx SpecContext) {
		w := newWorld(ctx)
		Expect(w.transport.Ping(ctx)).To(Succeed())
		Expect(w.FreezeBroker(0)).To(Succeed())
		begin := time.Now()
		Expect(w.transport.Ping(ctx)).To(Succeed())
		Expect(time.Since(begin)).To(BeNumerically("<", time.Second))
		Expect(w.ThawBroker(0)).To(Succeed())
	})
})
