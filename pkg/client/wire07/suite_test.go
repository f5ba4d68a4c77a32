// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package wire07_test

import (
	"context"
	"fmt"
	"io"
	"net"
	"slices"
	"strings"
	"testing"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"go.uber.org/goleak"

	"github.com/samsa-dev/samsa/internal/embedded/kafka07"
	"github.com/samsa-dev/samsa/pkg/client/wire07"
	"github.com/samsa-dev/samsa/pkg/kafka"
	"github.com/samsa-dev/samsa/pkg/protocol"
)

func TestWire07(t *testing.T) {
	leaks := []goleak.Option{
		goleak.IgnoreCurrent(),
		// Ginkgo's own, which it leaves behind.
		goleak.IgnoreAnyFunction(
			"github.com/onsi/ginkgo/v2/internal/interrupt_handler.(*InterruptHandler).registerForInterrupts.func2"),
	}
	RegisterFailHandler(Fail)
	SetDefaultEventuallyTimeout(15 * time.Second)
	SetDefaultEventuallyPollingInterval(time.Millisecond)
	EnforceDefaultTimeoutsWhenUsingContexts()
	RunSpecs(t, "Transport for Kafka 0.7")
	goleak.VerifyNone(t, leaks...)
}

// The partitions that most specs are about: two of one broker, and one of another.
var (
	first  = at(1, 0)
	second = at(1, 1)
	third  = at(2, 0)
)

func at(broker, number int) kafka.Partition {
	return kafka.Partition{Topic: "orders", ID: fmt.Sprintf("%d-%d", broker, number)}
}

// world is two brokers, 1 and 2, with two partitions of a topic each, and a transport to them.
type world struct {
	brokers   map[string]*kafka07.Broker
	transport *wire07.Transport
	reader    *reader
}

// newWorld starts brokers whose messages are visible at once, unless broker says otherwise.
func newWorld(ctx context.Context, broker kafka07.Config, config wire07.Config) *world {
	GinkgoHelper()
	w := &world{brokers: map[string]*kafka07.Broker{}}
	broker.Partitions = 2
	if broker.FlushMessages == 0 {
		broker.FlushMessages = 1
	}
	for id := range int32(2) {
		broker.ID = id + 1
		started, err := kafka07.Start(ctx, broker)
		Expect(err).NotTo(HaveOccurred())
		DeferCleanup(started.Close)
		w.brokers[fmt.Sprint(broker.ID)] = started
	}
	if config.Brokers == nil {
		config.Brokers = w.live()
	}
	transport, err := wire07.Open(config)
	Expect(err).NotTo(HaveOccurred())
	DeferCleanup(transport.Close)
	w.transport, w.reader = transport, newReader(transport)
	return w
}

func (w *world) live() map[string]string {
	live := make(map[string]string)
	for id, broker := range w.brokers {
		live[id] = broker.Addr()
	}
	return live
}

// fill writes a set to a partition, and gives the position behind it as far as the broker shows it.
func (w *world) fill(ctx context.Context, partition kafka.Partition, set []byte) int64 {
	GinkgoHelper()
	id, digits, _ := strings.Cut(partition.ID, "-")
	var number int32
	_, err := fmt.Sscan(digits, &number)
	Expect(err).NotTo(HaveOccurred())
	conn, err := new(net.Dialer).DialContext(ctx, "tcp", w.brokers[id].Addr())
	Expect(err).NotTo(HaveOccurred())
	defer func() { _ = conn.Close() }()
	frames := (&protocol.ProduceRequest{Topic: partition.Topic, Partition: number, Set: set}).AppendTo(nil)
	frames = (&protocol.OffsetsRequest{
		Topic: partition.Topic, Partition: number, Time: protocol.LatestTime, MaxOffsets: 1,
	}).AppendTo(frames)
	_, err = conn.Write(frames)
	Expect(err).NotTo(HaveOccurred())
	answer := make([]byte, 4+2+4+8)
	_, err = io.ReadFull(conn, answer)
	Expect(err).NotTo(HaveOccurred(), "the broker refused the set")
	var offsets protocol.OffsetsResponse
	Expect(offsets.Decode(answer[4:])).To(Succeed())
	return offsets.Offsets[0]
}

// numbers is a set of messages "from" to "to"-1, each with its number as its payload.
func numbers(from, to int) []byte {
	var set []byte
	for i := from; i < to; i++ {
		set = protocol.AppendMessage(set, fmt.Append(nil, i))
	}
	return set
}

// wrap makes one wrapper of a set.
func wrap(codec protocol.Codec, set []byte) []byte {
	GinkgoHelper()
	wrapper, err := new(protocol.Compressor).AppendWrapper(nil, codec, set)
	Expect(err).NotTo(HaveOccurred())
	return wrapper
}

// words is what numbers puts into messages.
func words(from, to int) []string {
	list := make([]string, 0, to-from)
	for i := from; i < to; i++ {
		list = append(list, fmt.Sprint(i))
	}
	return list
}

// reader polls a transport and keeps what comes.
type reader struct {
	transport kafka.Transport
	messages  map[kafka.Partition][]kafka.Message
	ends      map[kafka.Partition]int64
	errs      map[kafka.Partition][]error
	stops     map[kafka.Partition]int
	failing   map[kafka.Partition]bool
}

func newReader(transport kafka.Transport) *reader {
	return &reader{
		transport: transport,
		messages:  make(map[kafka.Partition][]kafka.Message),
		ends:      make(map[kafka.Partition]int64),
		errs:      make(map[kafka.Partition][]error),
		stops:     make(map[kafka.Partition]int),
		failing:   make(map[kafka.Partition]bool),
	}
}

// poll takes what comes within a moment.
func (r *reader) poll(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, 20*time.Millisecond)
	defer cancel()
	for _, fetch := range r.transport.Poll(ctx) {
		partition := fetch.Partition
		for i := range fetch.Batch.Len() {
			message := fetch.Batch.Message(i)
			Expect(message.Partition).To(Equal(partition))
			Expect(fetch.Batch.Next(i)).To(Equal(message.Next))
			Expect(fetch.Batch.Size(i)).To(Equal(len(message.Value)))
			r.messages[partition] = append(r.messages[partition], message)
		}
		if fetch.End >= 0 {
			r.ends[partition] = fetch.End
		}
		r.failing[partition] = fetch.Err != nil
		if fetch.Err != nil {
			r.errs[partition] = append(r.errs[partition], fetch.Err)
		}
		if fetch.Stopped {
			r.stops[partition]++
		}
	}
}

// values are those of all messages of a partition so far.
func (r *reader) values(partition kafka.Partition) []string {
	list := []string{}
	for _, message := range r.messages[partition] {
		list = append(list, string(message.Value))
	}
	return list
}

// err is a partition's last error.
func (r *reader) err(partition kafka.Partition) error {
	if list := r.errs[partition]; len(list) > 0 {
		return list[len(list)-1]
	}
	return nil
}

// until polls until something holds.
func (r *reader) until(ctx context.Context, holds func(g Gomega)) {
	GinkgoHelper()
	Eventually(func(g Gomega) {
		r.poll(ctx)
		holds(g)
	}).WithContext(ctx).Should(Succeed())
}

// untilValues polls until exactly these messages have come.
func (r *reader) untilValues(ctx context.Context, partition kafka.Partition, values ...[]string) {
	GinkgoHelper()
	want := slices.Concat(values...)
	r.until(ctx, func(g Gomega) { g.Expect(len(r.messages[partition])).To(BeNumerically(">=", len(want))) })
	Expect(r.values(partition)).To(Equal(want))
}

// quiet polls for a while, during which something must hold.
func (r *reader) quiet(ctx context.Context, holds func(g Gomega)) {
	GinkgoHelper()
	Consistently(func(g Gomega) {
		r.poll(ctx)
		holds(g)
	}, 500*time.Millisecond).WithContext(ctx).Should(Succeed())
}

// kept is what the transport keeps for Poll, in bytes.
func (w *world) kept() int { return w.transport.Kept() }

// corrupt changes one byte of partition 0's log, behind the broker's back.
func (w *world) corrupt(broker, topic string, at int) {
	GinkgoHelper()
	segments := w.brokers[broker].Segments(topic, 0)
	Expect(segments).To(HaveLen(1))
	segments[0].Data[at]++
}
