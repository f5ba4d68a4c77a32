// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package wire07_test

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/samsa-dev/samsa/internal/embedded/kafka07"
	"github.com/samsa-dev/samsa/pkg/client/wire07"
	"github.com/samsa-dev/samsa/pkg/kafka"
	"github.com/samsa-dev/samsa/pkg/protocol"
)

// model is what must come of one partition: its log, and where in it the reader is.
type model struct {
	messages []kafka.Message
	// starts maps positions to the first message there.
	starts        map[int64]int
	end           int64
	added, paused bool
	next          int
}

// wrote takes note of a set that now ends at "end".
func (m *model) wrote(partition kafka.Partition, set []byte, end int64) {
	GinkgoHelper()
	var it protocol.Iterator
	it.Reset(set, end-int64(len(set)))
	for it.Next() {
		message := it.Message()
		if message.Index == 0 {
			m.starts[message.Offset] = len(m.messages)
		}
		m.messages = append(m.messages, kafka.Message{
			Partition: partition, Offset: message.Offset, Index: message.Index, Next: message.Next, Value: message.Payload,
		})
	}
	Expect(it.Err()).NotTo(HaveOccurred())
	m.end = end
	m.starts[end] = len(m.messages)
}

// got checks a batch against the log.
func (m *model) got(fetch kafka.Fetch) {
	GinkgoHelper()
	Expect(fetch.Stopped).To(BeFalse(), "%v", fetch.Err)
	Expect(m.added).To(BeTrue(), "%s was removed", fetch.Partition)
	Expect(m.paused && fetch.Batch.Len() > 0).To(BeFalse(), "%s is paused", fetch.Partition)
	Expect(fetch.End).To(BeNumerically("<=", m.end))
	for i := range fetch.Batch.Len() {
		Expect(m.next).To(BeNumerically("<", len(m.messages)))
		message, want := fetch.Batch.Message(i), m.messages[m.next]
		if message.Offset != want.Offset || message.Index != want.Index || message.Next != want.Next ||
			!bytes.Equal(message.Value, want.Value) {
			Fail(fmt.Sprintf("got %s of %d bytes, next %d; want %s of %d bytes, next %d",
				message.ID(), len(message.Value), message.Next, want.ID(), len(want.Value), want.Next))
		}
		m.next++
	}
}

// play is one run of random operations.
type play struct {
	*world
	random *rand.Rand
	models map[kafka.Partition]*model
	list   []kafka.Partition
	errs   int
}

func (p *play) randomSet() []byte {
	var set []byte
	for range 1 + p.random.IntN(30) {
		size := p.random.IntN(40)
		if p.random.IntN(20) == 0 {
			size = p.random.IntN(5000)
		}
		payload := make([]byte, size)
		for i := range payload {
			payload[i] = byte(p.random.Uint32())
		}
		switch p.random.IntN(10) {
		case 0:
			set = protocol.AppendMessageMagic0(set, payload)
		case 1:
			set = append(set, wrap(protocol.Gzip, protocol.AppendMessage(nil, payload))...)
		default:
			set = protocol.AppendMessage(set, payload)
		}
	}
	switch p.random.IntN(6) {
	case 0:
		return wrap(protocol.Gzip, set)
	case 1:
		return wrap(protocol.Snappy, set)
	default:
		return set
	}
}

func (p *play) step(ctx context.Context) {
	partition := p.list[p.random.IntN(len(p.list))]
	m := p.models[partition]
	switch p.random.IntN(9) {
	case 0:
		p.transport.Remove([]kafka.Partition{partition})
		m.added, m.paused = false, false
	case 1, 2:
		p.add(partition)
	case 3:
		p.transport.Pause([]kafka.Partition{partition})
		m.paused = m.added
	case 4:
		p.transport.Resume([]kafka.Partition{partition})
		m.paused = false
	case 5:
		set := p.randomSet()
		m.wrote(partition, set, p.fill(ctx, partition, set))
	default:
		p.poll(ctx, time.Duration(p.random.IntN(8))*time.Millisecond)
	}
}

// add begins at the start of some message, or at the end.
func (p *play) add(partition kafka.Partition) {
	m := p.models[partition]
	position := m.end
	if len(m.messages) > 0 && p.random.IntN(4) > 0 {
		position = m.messages[p.random.IntN(len(m.messages))].Offset
	}
	p.transport.Add(map[kafka.Partition]int64{partition: position})
	m.added, m.next = true, m.starts[position]
}

func (p *play) poll(ctx context.Context, wait time.Duration) {
	GinkgoHelper()
	ctx, cancel := context.WithTimeout(ctx, wait)
	defer cancel()
	for _, fetch := range p.transport.Poll(ctx) {
		p.models[fetch.Partition].got(fetch)
		if fetch.Err != nil {
			p.errs++
		}
	}
}

// drain reads everything to its end.
func (p *play) drain(ctx context.Context) {
	GinkgoHelper()
	for _, partition := range p.list {
		if !p.models[partition].added {
			p.add(partition)
		}
		p.models[partition].paused = false
	}
	p.transport.Resume(p.list)
	Eventually(func() int {
		p.poll(ctx, 20*time.Millisecond)
		left := 0
		for _, m := range p.models {
			left += len(m.messages) - m.next
		}
		return left
	}).WithContext(ctx).Should(BeZero())
	p.poll(ctx, 20*time.Millisecond) // anything that comes now comes twice
}

var _ = Describe("Whatever is added, removed, paused and moved", func() {
	for i, size := range []int{1, 50, 1000, 1 << 20} {
		for _, cuts := range []bool{false, true} {
			It(fmt.Sprintf("comes once and in order, fetched by %d bytes, connections cut: %t", size, cuts),
				func(ctx SpecContext) {
					seed := uint64(GinkgoRandomSeed()) //nolint:gosec // any number will do
					p := &play{
						world: newWorld(ctx, kafka07.Config{SegmentSize: 20_000}, wire07.Config{
							MaxMessageBytes: 200_000, FetchMaxPartitionBytes: size,
						}),
						random: rand.New(rand.NewPCG(seed, uint64(i))), //nolint:gosec // a seed that replays
						models: map[kafka.Partition]*model{},
						list:   []kafka.Partition{first, second, third, at(2, 1)},
					}
					for _, partition := range p.list {
						p.models[partition] = &model{starts: map[int64]int{0: 0}}
					}
					for step := range 400 {
						p.step(ctx)
						if cuts && step%40 == 39 {
							p.brokers["1"].Faults().CutAfter(kafka07.Out, p.random.IntN(3000))
							p.poll(ctx, 30*time.Millisecond)
							p.brokers["1"].Faults().Clear()
						}
					}
					p.drain(ctx)
					if !cuts {
						Expect(p.errs).To(BeZero())
					}
				}, NodeTimeout(time.Minute))
		}
	}
})
