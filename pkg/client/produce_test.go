// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package client_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/samsa-dev/samsa/internal/embedded/world"
	"github.com/samsa-dev/samsa/pkg/client"
	"github.com/samsa-dev/samsa/pkg/kafka"
)

var _ = Describe("A producer", func() {
	It("tells where a message went, and leaves nothing of it out", func(ctx SpecContext) {
		w := start(ctx, map[string]int32{"orders": 4})
		for _, compression := range []kafka.Compression{kafka.Uncompressed, kafka.Gzip, kafka.Snappy} {
			producer := producing(open(ctx, w), "orders", client.ProducerConfig{Compression: compression})
			at := time.UnixMilli(1_700_000_000_123)
			before := w.Brokers().End(kafka.Partition{Topic: "orders", ID: "2"})
			for i := range 3 {
				produced, err := produced(ctx, producer, kafka.Message{
					Partition: kafka.Partition{ID: "2"}, Key: []byte("k"), Value: bytes.Repeat([]byte("v"), 1000),
					Headers: []kafka.Header{{Key: "a", Value: []byte("b")}, {Key: "a"}}, Timestamp: at,
				})
				Expect(err).NotTo(HaveOccurred())
				Expect(produced.Took).To(BeNumerically(">", 0))
				Expect(produced).To(Equal(client.Produced{
					Partition: kafka.Partition{Topic: "orders", ID: "2"}, Offset: before + int64(i), Timestamp: at, Held: true,
					Took: produced.Took,
				}))
			}
			m := read(ctx, w, kafka.Partition{Topic: "orders", ID: "2"}, before)
			Expect(m.Key).To(BeEquivalentTo("k"))
			Expect(m.Value).To(HaveLen(1000))
			Expect(m.Headers).To(HaveLen(2))
			Expect(m.Headers[1].Value).To(BeNil())
			Expect(m.Timestamp).To(BeTemporally("==", at))
		}
	})

	It("puts what has a key where Kafka's own producer does, and keeps nothing else from going anywhere",
		func(ctx SpecContext) {
			w := start(ctx, map[string]int32{"orders": 4})
			producer := producing(open(ctx, w), "orders", client.ProducerConfig{Partitioner: client.ByKey()})
			first, err := produced(ctx, producer, kafka.Message{Key: []byte("foobar"), Value: []byte("x")})
			Expect(err).NotTo(HaveOccurred())
			Expect(first.Partition.ID).To(Equal(fmt.Sprint((-790332482 & 0x7fffffff) % 4))) // from Kafka's own UtilsTest
			turns := producing(open(ctx, w), "orders", client.ProducerConfig{Partitioner: client.RoundRobin()})
			used := map[string]bool{}
			for range 8 {
				produced, err := produced(ctx, turns, kafka.Message{Value: []byte("x")})
				Expect(err).NotTo(HaveOccurred())
				used[produced.Partition.ID] = true
			}
			Expect(used).To(HaveLen(4))
		})

	It("tells each outcome to who observes, and then to who produced", func(ctx SpecContext) {
		w := start(ctx, map[string]int32{"orders": 1})
		type word struct {
			Who string
			Err error
		}
		words := make(chan word, 4)
		producer := producing(open(ctx, w), "orders", client.ProducerConfig{
			MaxBuffered: 1 << 10,
			Observe:     func(_ client.Produced, err error) { words <- word{"who observes", err} },
		})
		for size, outcome := range map[int]OmegaMatcher{1: Succeed(), 1 << 10: MatchError(kafka.ErrTooLarge)} {
			producer.Produce(ctx, kafka.Message{Value: make([]byte, size)}, func(_ client.Produced, err error) {
				words <- word{"who produced", err}
			})
			for _, who := range []string{"who observes", "who produced"} {
				Eventually(ctx, words).Should(Receive(And(HaveField("Who", who), HaveField("Err", outcome))))
			}
		}
	})

	It("says whether a broker holds it", func(ctx SpecContext) {
		w := start(ctx, map[string]int32{"orders": 1})
		cluster := open(ctx, w)
		for acks, held := range map[client.Acks]bool{client.AcksAll: true, client.AcksLeader: true, client.AcksNone: false} {
			end := w.Brokers().End(kafka.Partition{Topic: "orders", ID: "0"})
			produced, err := produced(ctx, producing(cluster, "orders", client.ProducerConfig{Acks: acks}),
				kafka.Message{Value: []byte("x")})
			Expect(err).NotTo(HaveOccurred(), acks.String())
			Expect(produced.Held).To(Equal(held), acks.String())
			Expect(produced.Offset).To(BeNumerically("==", map[bool]int{true: int(end), false: -1}[held]), acks.String())
			Eventually(w.Brokers().End).WithArguments(kafka.Partition{Topic: "orders", ID: "0"}).Should(Equal(end + 1))
		}
	})

	It("refuses what cannot be written, and says why", func(ctx SpecContext) {
		w := start(ctx, map[string]int32{"orders": 2})
		cluster := open(ctx, w)
		producer := producing(cluster, "orders", client.ProducerConfig{})
		_, err := produced(ctx, producer, kafka.Message{Value: make([]byte, 1_000_012)})
		Expect(err).To(beRefused(kafka.ErrTooLarge))
		Expect(err).To(beRefused(kafka.ErrUnfit))
		_, err = produced(ctx, producer, kafka.Message{Partition: kafka.Partition{ID: "2"}, Value: []byte("x")})
		Expect(err).To(beRefused(kafka.ErrNoPartition))
		_, err = produced(ctx, producing(cluster, "nowhere", client.ProducerConfig{}), kafka.Message{Value: []byte("x")})
		Expect(err).To(beRefused(kafka.ErrNoTopic))
		Expect(err).To(beRefused(client.ErrNoTopic))
		_, err = produced(ctx, producing(cluster, "a//b", client.ProducerConfig{}), kafka.Message{Value: []byte("x")})
		Expect(err).To(beRefused(kafka.ErrNoTopic))
		cancelled, cancel := context.WithCancel(ctx)
		cancel()
		_, err = produced(cancelled, producer, kafka.Message{Value: []byte("x")})
		Expect(err).To(beRefused(context.Canceled))
	})

	It("blames nobody for another's message that the brokers do not take", func(ctx SpecContext) {
		w := start(ctx, map[string]int32{"orders": 1})
		Expect(w.Kafka.Fake().CreateTopic("small", 1, map[string]string{"max.message.bytes": "20000"})).To(Succeed())
		producer := producing(open(ctx, w), "small", client.ProducerConfig{Linger: 200 * time.Millisecond})
		var outcomes []<-chan ended
		for i := range 50 {
			size := 100
			if i == 17 {
				size = 30_000
			}
			outcomes = append(outcomes, produce(ctx, producer, kafka.Message{Value: make([]byte, size)}))
		}
		for i, outcome := range outcomes {
			var end ended
			Eventually(outcome).Should(Receive(&end))
			if i == 17 {
				Expect(end.Err).To(beRefused(kafka.ErrTooLarge))
				continue
			}
			Expect(end.Err).NotTo(HaveOccurred(), "message %d", i)
		}
		Expect(w.Brokers().End(kafka.Partition{Topic: "small", ID: "0"})).To(BeEquivalentTo(49))
	})

	It("says so if it must not write", func(ctx SpecContext) {
		w := start(ctx, map[string]int32{"orders": 1})
		w.Kafka.Fake().ControlKey(kmsg.Produce.Int16(), func(request kmsg.Request) (kmsg.Response, error, bool) {
			w.Kafka.Fake().KeepControl()
			return refuseAll(request.(*kmsg.ProduceRequest), kerr.TopicAuthorizationFailed), nil, true
		})
		_, err := produced(ctx, producing(open(ctx, w), "orders", client.ProducerConfig{}), kafka.Message{Value: []byte("x")})
		Expect(err).To(beRefused(kafka.ErrDenied))
	})

	It("holds no more than it may, and refuses the rest at once", func(ctx SpecContext) {
		w := start(ctx, map[string]int32{"orders": 1})
		producer := producing(open(ctx, w), "orders", client.ProducerConfig{MaxBuffered: 10_000, Timeout: 2 * time.Second})
		for id := range w.Brokers().Addrs() {
			Expect(w.Brokers().FreezeBroker(int32(id))).To(Succeed()) //nolint:gosec // a handful
		}
		var held []<-chan ended
		for range 5 {
			held = append(held, produce(ctx, producer, kafka.Message{Value: make([]byte, 1500)}))
		}
		Expect(producer.Buffered()).To(And(BeNumerically(">", 5*1500), BeNumerically("<=", 10_000)))
		outcome := produce(ctx, producer, kafka.Message{Value: make([]byte, 1500)})
		var end ended
		Expect(outcome).To(Receive(&end)) // without waiting
		Expect(end.Err).To(beRefused(kafka.ErrBusy))
		_, err := produced(ctx, producer, kafka.Message{Value: make([]byte, 10_000)})
		Expect(err).To(beRefused(kafka.ErrTooLarge))
		for _, outcome := range held {
			Eventually(outcome).Should(Receive(&end))
			Expect(end.Err).To(HaveOccurred())
		}
		Expect(producer.Buffered()).To(BeZero())
		for id := range w.Brokers().Addrs() {
			Expect(w.Brokers().ThawBroker(int32(id))).To(Succeed()) //nolint:gosec // a handful
		}
	})

	It("goes on with what is free to while a broker is away, and keeps a key's messages waiting", func(ctx SpecContext) {
		w := start(ctx, map[string]int32{"orders": 2})
		spread(ctx, w, "orders", 2)
		cluster := open(ctx, w)
		producer := producing(cluster, "orders",
			client.ProducerConfig{Partitioner: client.ByKey(), Timeout: 2 * time.Second})
		moving := producing(cluster, "orders",
			client.ProducerConfig{Partitioner: client.ByKey(), KeyedMoves: true, Timeout: time.Second})
		key := []byte("k")
		home, err := produced(ctx, producer, kafka.Message{Key: key, Value: []byte("x")})
		Expect(err).NotTo(HaveOccurred())
		leader := leaderOf(w, "orders", home.Partition.ID)
		Expect(w.Brokers().StopBroker(leader)).To(Succeed())
		// What leaves before anybody notices may or may not have been written, for all that the producer knows.
		_, err = produced(ctx, producer, kafka.Message{Partition: home.Partition, Value: []byte("first")})
		Expect(err).To(HaveOccurred())
		waits := produce(ctx, producer, kafka.Message{Key: key, Value: []byte("keyed")})
		for range 20 {
			free, err := produced(ctx, producer, kafka.Message{Value: []byte("free")})
			Expect(err).NotTo(HaveOccurred())
			Expect(free.Partition).NotTo(Equal(home.Partition))
		}
		_, err = produced(ctx, moving, kafka.Message{Partition: home.Partition, Value: []byte("first")})
		Expect(err).To(HaveOccurred())
		moved, err := produced(ctx, moving, kafka.Message{Key: key, Value: []byte("moved")})
		Expect(err).NotTo(HaveOccurred())
		Expect(moved.Partition).NotTo(Equal(home.Partition))
		var end ended
		Eventually(waits).Should(Receive(&end))
		Expect(end.Err).To(beRefused(kafka.ErrUnavailable))
		Expect(w.Brokers().StartBroker(ctx, leader)).To(Succeed())
		Eventually(func() error {
			_, err := produced(ctx, producer, kafka.Message{Key: key, Value: []byte("again")})
			return err
		}).Should(Succeed())
		Expect(contents(ctx, w, "orders")).NotTo(HaveKey("keyed"))
	})

	It("has an outcome for everything before it is closed", func(ctx SpecContext) {
		w := start(ctx, map[string]int32{"orders": 3})
		producer, err := open(ctx, w).Topic("orders").Producer(client.ProducerConfig{Linger: time.Second})
		Expect(err).NotTo(HaveOccurred())
		var outcomes []<-chan ended
		for range 1000 {
			outcomes = append(outcomes, produce(ctx, producer, kafka.Message{Value: []byte("x")}))
		}
		Expect(producer.Flush(ctx)).To(Succeed())
		for _, outcome := range outcomes {
			Expect(outcome).To(Receive(HaveField("Err", BeNil())))
		}
		last := produce(ctx, producer, kafka.Message{Value: []byte("x")})
		producer.Close()
		Expect(last).To(Receive(HaveField("Err", BeNil())))
		_, err = produced(ctx, producer, kafka.Message{Value: []byte("x")})
		Expect(err).To(BeAssignableToTypeOf(&kafka.Refused{}))
	})

	It("writes once what it says it wrote, and never what it refused, whatever becomes of the brokers",
		func(ctx SpecContext) {
			w, err := world.Start(ctx, world.Config{Tick: tick, Brokers: 3, Topics: map[string]int32{"orders": 6}})
			Expect(err).NotTo(HaveOccurred())
			DeferCleanup(w.Close)
			producer := producing(open(ctx, w), "orders",
				client.ProducerConfig{Partitioner: client.ByKey(), Timeout: 3 * time.Second})
			book := newLedger()
			working, stop := context.WithCancel(ctx)
			var workers sync.WaitGroup
			for i := range 24 {
				var key []byte
				if i%2 == 0 {
					key = fmt.Appendf(nil, "key %d", i)
				}
				workers.Go(func() { book.work(working, producer, fmt.Sprint(i), key) })
			}
			torment(ctx, w, book)
			stop()
			workers.Wait()
			book.check(contents(ctx, w, "orders"), 1)
		}, SpecTimeout(2*time.Minute))
})

// torment stops, freezes and brings back brokers, and moves partitions, while a ledger fills.
func torment(ctx context.Context, w *world.World, book *ledger) {
	GinkgoHelper()
	seed := uint64(GinkgoRandomSeed()) //nolint:gosec // any will do
	random := rand.New(rand.NewPCG(seed, 1))
	progress := func(n int64) {
		GinkgoHelper()
		until := book.wins.Load() + n
		Eventually(book.wins.Load).Should(BeNumerically(">=", until))
	}
	progress(200)
	for round := range 12 {
		spread(ctx, w, "orders", 3)
		victim := random.Int32N(3)
		frozen := round%2 == 1
		if frozen {
			Expect(w.Brokers().FreezeBroker(victim)).To(Succeed())
		} else {
			Expect(w.Brokers().StopBroker(victim)).To(Succeed())
		}
		progress(100)
		if random.IntN(2) == 0 { // another broker takes over
			for partition := range int32(6) {
				if leaderOf(w, "orders", fmt.Sprint(partition)) == victim {
					Expect(w.Kafka.MoveLeader(ctx, "orders", partition, (victim+1)%3)).To(Succeed())
				}
			}
			progress(100)
		}
		if frozen {
			Expect(w.Brokers().ThawBroker(victim)).To(Succeed())
		} else {
			Expect(w.Brokers().StartBroker(ctx, victim)).To(Succeed())
		}
		progress(50)
	}
	for id := range int32(3) { // none is left for longer than a message has
		Expect(w.Brokers().StopBroker(id)).To(Succeed())
	}
	Eventually(func() bool {
		book.mu.Lock()
		defer book.mu.Unlock()
		for _, err := range book.refused {
			if errors.Is(err, kafka.ErrUnavailable) {
				return true
			}
		}
		return false
	}).Should(BeTrue())
	for id := range int32(3) {
		Expect(w.Brokers().StartBroker(ctx, id)).To(Succeed())
	}
	progress(200)
}

// spread gives each broker as many partitions to lead.
func spread(ctx context.Context, w *world.World, topic string, brokers int32) {
	GinkgoHelper()
	for number := range w.Brokers().Partitions(topic) {
		partition := int32(number) //nolint:gosec // a handful
		Expect(w.Kafka.MoveLeader(ctx, topic, partition, partition%brokers)).To(Succeed())
	}
}

// refuseAll answers a request with one error for every partition.
func refuseAll(request *kmsg.ProduceRequest, code *kerr.Error) *kmsg.ProduceResponse {
	response := request.ResponseKind().(*kmsg.ProduceResponse)
	for _, asked := range request.Topics {
		topic := kmsg.NewProduceResponseTopic()
		topic.Topic, topic.TopicID = asked.Topic, asked.TopicID
		for _, one := range asked.Partitions {
			partition := kmsg.NewProduceResponseTopicPartition()
			partition.Partition, partition.ErrorCode = one.Partition, code.Code
			topic.Partitions = append(topic.Partitions, partition)
		}
		response.Topics = append(response.Topics, topic)
	}
	return response
}

func leaderOf(w *world.World, topic, partition string) int32 {
	for _, info := range w.Kafka.Fake().PartitionInfos(topic) {
		if fmt.Sprint(info.Partition) == partition {
			return info.Leader
		}
	}
	return -1
}

// read gives the message at a position.
func read(ctx context.Context, w *world.World, at kafka.Partition, position int64) kafka.Message {
	GinkgoHelper()
	transport, err := open(ctx, w).Transport(ctx)
	Expect(err).NotTo(HaveOccurred())
	defer transport.Close()
	transport.Add(map[kafka.Partition]int64{at: position})
	for {
		for _, fetch := range transport.Poll(ctx) {
			if fetch.Batch.Len() > 0 {
				return fetch.Batch.Message(0)
			}
		}
		Expect(ctx.Err()).NotTo(HaveOccurred())
	}
}
