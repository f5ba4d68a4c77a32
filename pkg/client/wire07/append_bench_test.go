// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package wire07_test

import (
	"fmt"
	"io"
	"net"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/samsa-dev/samsa/internal/embedded/kafka07"
	"github.com/samsa-dev/samsa/pkg/client/wire07"
	"github.com/samsa-dev/samsa/pkg/kafka"
	"github.com/samsa-dev/samsa/pkg/protocol"
)

const (
	// appendedMessages is how many go into one Append: Kafka's asynchronous producer sends 200.
	appendedMessages = 200
	// appendedBatches is how many batches are raced at a time: some ms.
	appendedBatches = 96
)

// BenchmarkAppend compares acknowledged publishing of batches with a bare loop that writes the same requests to a
// connection without asking anything (but once, at the end, so that the broker has done the same work): 1 is as fast.
// The two take turns, and of each the median round counts: on a machine with other work the fastest one is that in
// which client and broker both happened to have a core, which is luck; best-ratio is of those.
//
// A publisher that is alone waits for a round trip (30 us on loopback) with each batch. For 200 KiB that is little
// beside sending them; for 20 KiB it is as much as all the rest, and no way of asking makes it less: with 100 bytes one
// publisher comes to 0.4 to 0.5, and several, whose round trips overlap, to what one with 1 KiB does.
func BenchmarkAppend(b *testing.B) {
	for _, size := range []int{100, 1 << 10} {
		for _, publishers := range []int{1, 2, 4, 8} {
			b.Run(fmt.Sprintf("payload=%d/publishers=%d", size, publishers), func(b *testing.B) {
				benchmarkAppend(b, size, publishers)
			})
		}
	}
}

func benchmarkAppend(b *testing.B, size, publishers int) {
	broker, err := kafka07.Start(b.Context(), kafka07.Config{ID: 1, SegmentSize: 8 << 20, RetentionBytes: 8 << 20})
	if err != nil {
		b.Fatal(err)
	}
	defer broker.Close()
	transport, err := wire07.Open(wire07.Config{Brokers: map[string]string{"1": broker.Addr()}})
	if err != nil {
		b.Fatal(err)
	}
	defer transport.Close()
	conn, err := new(net.Dialer).DialContext(b.Context(), "tcp", broker.Addr())
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = conn.Close() }()

	messages, payloads := make([]kafka.Message, appendedMessages), make([][]byte, appendedMessages)
	for i := range messages {
		payloads[i] = make([]byte, size)
		messages[i].Value = payloads[i]
	}
	var mine, theirs []time.Duration
	for b.Loop() {
		start := time.Now()
		publishAcknowledged(b, transport, messages, publishers)
		middle := time.Now()
		publishBare(b, conn, payloads)
		mine, theirs = append(mine, middle.Sub(start)), append(theirs, time.Since(middle))
		if err := broker.Clean(); err != nil {
			b.Fatal(err)
		}
	}
	bytes := float64(size * appendedMessages * appendedBatches)
	b.ReportMetric(float64(middle(theirs))/float64(middle(mine)), "ratio")
	b.ReportMetric(float64(slices.Min(theirs))/float64(slices.Min(mine)), "best-ratio")
	b.ReportMetric(bytes/middle(mine).Seconds()/1e6, "MB/s")
}

// middle is the median.
func middle(rounds []time.Duration) time.Duration {
	slices.Sort(rounds)
	return rounds[len(rounds)/2]
}

// publishAcknowledged appends the batches by several goroutines, each of which waits for one before it sends the next.
func publishAcknowledged(b *testing.B, transport *wire07.Transport, messages []kafka.Message, publishers int) {
	b.Helper()
	var publishing sync.WaitGroup
	for range publishers {
		publishing.Go(func() {
			for range appendedBatches / publishers {
				if _, err := transport.Append(b.Context(), on(1, 0), messages); err != nil {
					b.Error(err)
				}
			}
		})
	}
	publishing.Wait()
}

// publishBare writes the batches one after the other, and waits for the answer to a question behind the last.
func publishBare(b *testing.B, conn net.Conn, payloads [][]byte) {
	b.Helper()
	var request []byte
	for range appendedBatches {
		request = protocol.AppendProduceHead(request[:0], "orders", 0, protocol.SetSize(payloads))
		request = protocol.AppendMessages(request, payloads)
		if _, err := conn.Write(request); err != nil {
			b.Fatal(err)
		}
	}
	question := protocol.OffsetsRequest{Topic: "orders", Time: protocol.EarliestTime, MaxOffsets: 1}
	if _, err := conn.Write(question.AppendTo(nil)); err != nil {
		b.Fatal(err)
	}
	answer := make([]byte, protocol.SizeBytes+2+4+8)
	if _, err := io.ReadFull(conn, answer); err != nil {
		b.Fatal(err)
	}
}
