// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package wire_test

import (
	"context"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/samsa-dev/samsa/pkg/client/wire"
	"github.com/samsa-dev/samsa/pkg/kafka"
)

var _ = Describe("A position outside the log", func() {
	var w *world

	// outside waits for the error, and checks that nothing comes after it.
	outside := func(ctx context.Context, position, earliest, latest int64) *kafka.OutOfRange {
		GinkgoHelper()
		w.reader.until(ctx, func(g Gomega) { g.Expect(w.reader.errs[first]).To(HaveLen(1)) })
		var found *kafka.OutOfRange
		Expect(errors.As(w.reader.errs[first][0], &found)).To(BeTrue(), w.reader.errs[first][0].Error())
		Expect(*found).To(Equal(kafka.OutOfRange{
			Partition: first, Position: position, Earliest: earliest, Latest: latest,
		}))
		w.reader.quiet(ctx, func(g Gomega) {
			g.Expect(w.reader.errs[first]).To(HaveLen(1))
			g.Expect(w.reader.stops[first]).To(Equal(1))
		})
		return found
	}
	// resumes reads from a position on.
	resumes := func(ctx context.Context, from, to int64) {
		GinkgoHelper()
		delete(w.reader.positions, first)
		w.transport.Remove([]kafka.Partition{first})
		w.transport.Add(map[kafka.Partition]int64{first: from})
		w.reader.until(ctx, func(g Gomega) { g.Expect(w.reader.positions[first]).To(Equal(count(from, to))) })
	}

	BeforeEach(func(ctx SpecContext) {
		w = newWorld(ctx)
		w.fill(ctx, first, 0, 10)
	})

	It("is told where it lies below the start", func(ctx SpecContext) {
		Expect(w.Fake().DeleteRecords("orders", 0, 6)).To(Succeed())
		w.transport.Add(map[kafka.Partition]int64{first: 2})
		Expect(outside(ctx, 2, 6, 10).Truncated()).To(BeFalse())
		resumes(ctx, 6, 10)
	})

	It("is told where retention overtakes the reader", func(ctx SpecContext) {
		w.transport.Add(map[kafka.Partition]int64{first: 0})
		w.reader.until(ctx, func(g Gomega) { g.Expect(w.reader.positions[first]).To(HaveLen(10)) })
		// The next fetch is held back until retention has been there, or it could bring what is to be gone.
		held, done := make(chan struct{}, 1), make(chan struct{})
		w.Fake().ControlKey(kmsg.Fetch.Int16(), func(kmsg.Request) (kmsg.Response, error, bool) {
			w.Fake().SleepControl(func() {
				select {
				case held <- struct{}{}:
				default: // it is asked again once it has slept
				}
				<-done
			})
			return nil, nil, false
		})
		Eventually(ctx, held).Should(Receive())
		w.fill(ctx, first, 10, 20)
		Expect(w.Fake().DeleteRecords("orders", 0, 15)).To(Succeed())
		close(done)
		Expect(outside(ctx, 10, 15, 20).Truncated()).To(BeFalse())
		Expect(w.reader.positions[first]).To(HaveLen(10))
	})

	It("is told where it lies beyond the end", func(ctx SpecContext) {
		w.transport.Add(map[kafka.Partition]int64{first: 11})
		Expect(outside(ctx, 11, 0, 10).Truncated()).To(BeTrue())
		resumes(ctx, 0, 10)
	})

	It("is told where it is negative, which franz-go takes for a word", func(ctx SpecContext) {
		w.transport.Add(map[kafka.Partition]int64{first: -1})
		Expect(outside(ctx, -1, 0, 10).Truncated()).To(BeFalse())
	})

	It("is told of a topic that franz-go knows nothing about yet, where it would clamp", func(ctx SpecContext) {
		late := at("late", 0)
		w.transport.Add(map[kafka.Partition]int64{late: 7})
		w.reader.until(ctx, func(g Gomega) { g.Expect(w.reader.errs[late]).NotTo(BeEmpty()) })
		Expect(w.CreateTopic(ctx, "late", 1)).To(Succeed())
		w.reader.until(ctx, func(g Gomega) {
			g.Expect(w.reader.errs[late]).To(ContainElement(
				MatchError(ContainSubstring("position 7 is outside the log, which holds 0 to 0"))))
			g.Expect(w.reader.stops[late]).To(Equal(1))
		})
	})

	It("is no such position at the very end", func(ctx SpecContext) {
		w.transport.Add(map[kafka.Partition]int64{first: 10})
		w.reader.quiet(ctx, func(g Gomega) { g.Expect(w.reader.errs).To(BeEmpty()) })
		w.fill(ctx, first, 10, 12)
		w.reader.until(ctx, func(g Gomega) { g.Expect(w.reader.positions[first]).To(Equal(count(10, 12))) })
	})

	It("is asked for until somebody knows the bounds", func(ctx SpecContext) {
		fault := w.Fake().Fault(kfake.Fault{
			Keys: []kmsg.Key{kmsg.ListOffsets}, Err: kerr.TopicAuthorizationFailed, Count: -1,
		})
		w.transport.Add(map[kafka.Partition]int64{first: 11})
		w.reader.until(ctx, func(g Gomega) {
			g.Expect(w.reader.errs[first]).To(ConsistOf(
				MatchError(ContainSubstring("TOPIC_AUTHORIZATION_FAILED"))))
		})
		Expect(w.reader.stops).To(BeEmpty())
		fault.Remove()
		w.reader.until(ctx, func(g Gomega) { g.Expect(w.reader.stops[first]).To(Equal(1)) })
	})

	It("is believed only if the log's bounds say so too", func(ctx SpecContext) {
		w.Fake().Fault(kfake.Fault{
			Keys: []kmsg.Key{kmsg.Fetch}, Topic: "orders", Err: kerr.OffsetOutOfRange, Count: 2,
		})
		w.transport.Add(map[kafka.Partition]int64{first: 4})
		w.reader.until(ctx, func(g Gomega) { g.Expect(w.reader.positions[first]).To(Equal(count(4, 10))) })
		Expect(w.reader.stops).To(BeEmpty())
	})

	It("is what a truncated log leaves, however far the log has grown since", func(ctx SpecContext) {
		w.transport.Add(map[kafka.Partition]int64{first: 0})
		w.reader.until(ctx, func(g Gomega) { g.Expect(w.reader.positions[first]).To(HaveLen(10)) })
		// The new leader never saw messages 7 to 9 of the epoch we read in.
		w.Fake().KeepControl()
		w.Fake().ControlKey(kmsg.OffsetForLeaderEpoch.Int16(), func(kmsg.Request) (kmsg.Response, error, bool) {
			w.Fake().KeepControl()
			answer := kmsg.NewPtrOffsetForLeaderEpochResponse()
			answer.Version = 4
			topic := kmsg.NewOffsetForLeaderEpochResponseTopic()
			topic.Topic = "orders"
			p := kmsg.NewOffsetForLeaderEpochResponseTopicPartition()
			p.Partition, p.EndOffset, p.LeaderEpoch = 0, 7, 0
			topic.Partitions = append(topic.Partitions, p)
			answer.Topics = append(answer.Topics, topic)
			return answer, nil, true
		})
		_, other := w.leader(first)
		Expect(w.MoveLeader(ctx, "orders", 0, other)).To(Succeed())
		w.fill(ctx, first, 10, 20)
		Expect(outside(ctx, 10, 0, 7).Truncated()).To(BeTrue())
		Expect(w.reader.positions[first]).To(Equal(count(0, 10)))
	}, NodeTimeout(30*time.Second))
})

var _ = Describe("A topic made again", func() {
	It("stops its partitions, which go on once they are added again", func(ctx SpecContext) {
		w := newWorld(ctx)
		other := at("audit", 0)
		Expect(w.CreateTopic(ctx, "audit", 1)).To(Succeed())
		positions := make(map[kafka.Partition]int64)
		for number := range 3 {
			w.fill(ctx, at("orders", number), 0, 5)
			positions[at("orders", number)] = 0
		}
		positions[other] = 0
		w.transport.Add(positions)
		w.reader.until(ctx, func(g Gomega) {
			for number := range 3 {
				g.Expect(w.reader.positions[at("orders", number)]).To(HaveLen(5))
			}
		})
		Expect(w.DeleteTopic(ctx, "orders")).To(Succeed())
		Expect(w.CreateTopic(ctx, "orders", 3)).To(Succeed())
		w.reader.until(ctx, func(g Gomega) {
			for number := range 3 {
				g.Expect(w.reader.stops[at("orders", number)]).To(Equal(1))
				g.Expect(w.reader.errs[at("orders", number)]).To(ContainElement(
					MatchError(kafka.ErrReplaced)))
			}
		})
		// One by one, as an owner that treats each alone would.
		fresh, err := wire.Open(wire.Config{Brokers: w.Addrs()})
		Expect(err).NotTo(HaveOccurred())
		DeferCleanup(fresh.Close)
		for number := range 3 {
			partition := at("orders", number)
			_, err := fresh.Append(ctx, partition, []kafka.Message{{Value: []byte("new")}})
			Expect(err).NotTo(HaveOccurred())
			w.transport.Remove([]kafka.Partition{partition})
			w.transport.Add(map[kafka.Partition]int64{partition: 0})
			w.reader.until(ctx, func(g Gomega) { g.Expect(w.reader.values[partition]).To(ContainElement("new")) })
		}
		_, err = fresh.Append(ctx, other, []kafka.Message{{}})
		Expect(err).NotTo(HaveOccurred())
		w.reader.until(ctx, func(g Gomega) { g.Expect(w.reader.positions[other]).To(HaveLen(1)) })
		Expect(w.reader.stops).NotTo(HaveKey(other))
	}, NodeTimeout(40*time.Second))
})

var _ = Describe("Trouble that passes", func() {
	var w *world

	BeforeEach(func(ctx SpecContext) {
		w = newWorld(ctx)
		w.fill(ctx, first, 0, 5)
	})

	It("is told once while a broker is down, and is over when it is back", func(ctx SpecContext) {
		w.transport.Add(map[kafka.Partition]int64{first: 0})
		w.reader.until(ctx, func(g Gomega) { g.Expect(w.reader.positions[first]).To(HaveLen(5)) })
		leader, _ := w.leader(first)
		quiet := w.reader.healed[first]
		Expect(w.StopBroker(leader)).To(Succeed())
		w.reader.until(ctx, func(g Gomega) {
			g.Expect(w.reader.errs[first]).To(ContainElement(MatchError(ContainSubstring("connection refused"))))
		})
		told := len(w.reader.errs[first])
		w.reader.quiet(ctx, func(g Gomega) { g.Expect(w.reader.errs[first]).To(HaveLen(told)) })
		Expect(w.StartBroker(ctx, leader)).To(Succeed())
		w.reader.until(ctx, func(g Gomega) { g.Expect(w.reader.healed[first]).To(BeNumerically(">", quiet)) })
		w.fill(ctx, first, 5, 8)
		w.reader.until(ctx, func(g Gomega) { g.Expect(w.reader.positions[first]).To(Equal(count(0, 8))) })
		Expect(w.reader.stops).To(BeEmpty())
	}, NodeTimeout(30*time.Second))

	It("goes on when all brokers were down", func(ctx SpecContext) {
		w.transport.Add(map[kafka.Partition]int64{first: 0})
		w.reader.until(ctx, func(g Gomega) { g.Expect(w.reader.positions[first]).To(HaveLen(5)) })
		for id := range int32(3) {
			Expect(w.StopBroker(id)).To(Succeed())
		}
		w.reader.until(ctx, func(g Gomega) { g.Expect(w.reader.errs[first]).NotTo(BeEmpty()) })
		Expect(w.transport.Ping(ctx)).NotTo(Succeed())
		for id := range int32(3) {
			Expect(w.StartBroker(ctx, id)).To(Succeed())
		}
		w.fill(ctx, first, 5, 8)
		w.reader.until(ctx, func(g Gomega) { g.Expect(w.reader.positions[first]).To(Equal(count(0, 8))) })
	}, NodeTimeout(30*time.Second))

	It("is told while a broker hangs", func(ctx SpecContext) {
		w.transport.Add(map[kafka.Partition]int64{first: 0})
		w.reader.until(ctx, func(g Gomega) { g.Expect(w.reader.positions[first]).To(HaveLen(5)) })
		leader, _ := w.leader(first)
		Expect(w.FreezeBroker(leader)).To(Succeed())
		w.reader.until(ctx, func(g Gomega) { g.Expect(w.reader.errs[first]).NotTo(BeEmpty()) })
		Expect(w.ThawBroker(leader)).To(Succeed())
		w.fill(ctx, first, 5, 8)
		w.reader.until(ctx, func(g Gomega) { g.Expect(w.reader.positions[first]).To(Equal(count(0, 8))) })
	}, NodeTimeout(40*time.Second))

	DescribeTable("answers of brokers",
		func(ctx SpecContext, answer *kerr.Error) {
			// The fault is there from the start, so that no message slips through before it.
			fault := w.Fake().Fault(kfake.Fault{
				Keys: []kmsg.Key{kmsg.Fetch}, Topic: "orders", Partitions: []int32{0}, Err: answer, Count: -1,
			})
			w.fill(ctx, at("orders", 1), 0, 5)
			w.transport.Add(map[kafka.Partition]int64{first: 0, at("orders", 1): 0})
			w.reader.until(ctx, func(g Gomega) {
				g.Expect(w.reader.errs[first]).To(ConsistOf(MatchError(ContainSubstring(answer.Message))))
				g.Expect(w.reader.positions[at("orders", 1)]).To(HaveLen(5))
			})
			hits := fault.Hits()
			w.reader.quiet(ctx, func(g Gomega) { g.Expect(w.reader.errs[first]).To(HaveLen(1)) })
			Expect(fault.Hits()-hits).To(BeNumerically("<", 10), "half a second of a storm")
			fault.Remove()
			w.reader.until(ctx, func(g Gomega) { g.Expect(w.reader.positions[first]).To(Equal(count(0, 5))) })
			Expect(w.reader.stops).To(BeEmpty())
		},
		Entry("no rights", kerr.TopicAuthorizationFailed),
		Entry("an unknown error", kerr.UnknownServerError),
		Entry("another leader, for good", kerr.NotLeaderForPartition),
		Entry("a broken disk", kerr.KafkaStorageError),
		Entry("no such topic", kerr.UnknownTopicOrPartition),
	)

	It("is over without a message", func(ctx SpecContext) {
		fault := w.Fake().Fault(kfake.Fault{
			Keys: []kmsg.Key{kmsg.Fetch}, Topic: "orders", Err: kerr.TopicAuthorizationFailed, Count: -1,
		})
		w.transport.Add(map[kafka.Partition]int64{first: 5})
		w.reader.until(ctx, func(g Gomega) { g.Expect(w.reader.errs[first]).To(HaveLen(1)) })
		Expect(w.reader.healed[first]).To(BeZero())
		fault.Remove()
		w.reader.until(ctx, func(g Gomega) { g.Expect(w.reader.healed[first]).To(Equal(1)) })
	})

	It("is not told where it passes at once", func(ctx SpecContext) {
		w.Fake().Fault(kfake.Fault{
			Keys: []kmsg.Key{kmsg.Fetch}, Topic: "orders", Err: kerr.NotLeaderForPartition, Count: 2,
		})
		w.transport.Add(map[kafka.Partition]int64{first: 0})
		w.reader.until(ctx, func(g Gomega) { g.Expect(w.reader.positions[first]).To(HaveLen(5)) })
		Expect(w.reader.errs).To(BeEmpty())
	})
})

var _ = Describe("An answer that cannot be read", func() {
	// served answers the fetches of orders/0 with a batch of message 0, spoiled.
	served := func(ctx context.Context, spoil func(batch []byte) []byte) *world {
		w := newWorld(ctx)
		w.fill(ctx, first, 0, 3)
		w.Fake().ControlKey(kmsg.Fetch.Int16(), func(request kmsg.Request) (kmsg.Response, error, bool) {
			w.Fake().KeepControl()
			fetch, _ := request.(*kmsg.FetchRequest)
			if len(fetch.Topics) == 0 || len(fetch.Topics[0].Partitions) == 0 {
				return nil, nil, false
			}
			answer := kmsg.NewPtrFetchResponse()
			answer.Version = fetch.Version
			topic := kmsg.NewFetchResponseTopic()
			topic.Topic, topic.TopicID = fetch.Topics[0].Topic, fetch.Topics[0].TopicID
			p := kmsg.NewFetchResponseTopicPartition()
			p.Partition, p.HighWatermark = fetch.Topics[0].Partitions[0].Partition, 3
			p.RecordBatches = spoil(batchOf(fetch.Topics[0].Partitions[0].FetchOffset, "value"))
			topic.Partitions = append(topic.Partitions, p)
			answer.Topics = append(answer.Topics, topic)
			return answer, nil, true
		})
		return w
	}

	DescribeTable("stops the partition, and nothing is skipped",
		func(ctx SpecContext, spoil func(batch []byte) []byte) {
			w := served(ctx, spoil)
			w.transport.Add(map[kafka.Partition]int64{first: 0})
			w.reader.until(ctx, func(g Gomega) {
				g.Expect(w.reader.errs[first]).To(ConsistOf(
					MatchError(ContainSubstring("orders/0: unreadable at position 0"))))
				g.Expect(w.reader.stops[first]).To(Equal(1))
			})
			w.reader.quiet(ctx, func(g Gomega) { g.Expect(w.reader.positions).To(BeEmpty()) })
			w.Fake().DropControl()
		},
		Entry("a checksum that is wrong", func(batch []byte) []byte {
			batch[len(batch)-1] ^= 1
			return batch
		}),
		Entry("a format from the future, which franz-go skips", func(batch []byte) []byte {
			batch[16] = 7
			return batch
		}),
		Entry("a count of messages that is negative", func(batch []byte) []byte {
			binary.BigEndian.PutUint32(batch[57:], 1<<31)
			return sealed(batch)
		}),
		Entry("compressed bytes that are none", func(batch []byte) []byte {
			batch[22] |= 4 // zstd
			return sealed(batch)
		}),
	)

	It("does not stop on a batch that is as it should be", func(ctx SpecContext) {
		w := served(ctx, sealed)
		w.transport.Add(map[kafka.Partition]int64{first: 0})
		w.reader.until(ctx, func(g Gomega) { g.Expect(len(w.reader.positions[first])).To(BeNumerically(">", 3)) })
		Expect(w.reader.errs).To(BeEmpty())
	})
})

// batchOf is a record batch of one message, as brokers store them (magic 2).
func batchOf(offset int64, value string) []byte {
	record := kmsg.NewRecord()
	record.Value = []byte(value)
	record.Length = int32(len(record.AppendTo(nil)) - 1)
	batch := kmsg.NewRecordBatch()
	batch.FirstOffset, batch.Magic, batch.NumRecords = offset, 2, 1
	batch.ProducerID, batch.ProducerEpoch, batch.FirstSequence = -1, -1, -1
	batch.Records = record.AppendTo(nil)
	return sealed(batch.AppendTo(nil))
}

// sealed sets a batch's length and checksum.
func sealed(batch []byte) []byte {
	binary.BigEndian.PutUint32(batch[8:], uint32(len(batch)-12))
	binary.BigEndian.PutUint32(batch[17:], crc32.Checksum(batch[21:], crc32.MakeTable(crc32.Castagnoli)))
	return batch
}
