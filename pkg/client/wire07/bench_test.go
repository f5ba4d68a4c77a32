// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package wire07_test

import (
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"testing"
	"time"

	"github.com/samsa-dev/samsa/internal/embedded/kafka07"
	"github.com/samsa-dev/samsa/pkg/client/wire07"
	"github.com/samsa-dev/samsa/pkg/kafka"
	"github.com/samsa-dev/samsa/pkg/protocol"
)

const (
	// benchmarkLog is how much is fetched in one round: 16 answers.
	benchmarkLog = 16 << 20
	fetchSize    = 1 << 20
)

// BenchmarkFetch compares fetching and decoding with a bare loop that sends the same fetches and only reads their
// answers, into one buffer. Both are at the same broker, and take turns; of each the fastest round counts, since on a
// machine with other work the others measure that work. What comes out is looked at in one of three ways: the size of
// each message alone, with the batch released after that or left to the garbage collector, or each as a kafka.Message,
// whose making and copying is the consumer's own cost, and released.
func BenchmarkFetch(b *testing.B) {
	looks := []struct {
		name string
		look func(kafka.Batch) int
	}{
		{"released", func(batch kafka.Batch) int { defer batch.Release(); return batch.Bytes() }},
		{"kept", kafka.Batch.Bytes},
		{"messages", func(batch kafka.Batch) int { defer batch.Release(); return valueBytes(batch) }},
	}
	for _, size := range []int{1 << 10, 100} {
		for _, l := range looks {
			b.Run(fmt.Sprintf("payload=%d/%s", size, l.name), func(b *testing.B) { benchmarkFetch(b, size, l.look) })
		}
	}
}

func benchmarkFetch(b *testing.B, size int, look func(kafka.Batch) int) {
	b.Helper()
	broker, messages := benchmarkBroker(b, size)
	transport, err := wire07.Open(wire07.Config{Brokers: map[string]string{"0": broker.Addr()}})
	if err != nil {
		b.Fatal(err)
	}
	defer transport.Close()
	bare := newBareLoop(b, broker.Addr(), size+protocol.Overhead)
	mine, theirs := time.Hour, time.Hour
	b.ReportAllocs()
	for b.Loop() {
		start := time.Now()
		fetchAll(b, transport, messages, messages*size, look)
		middle := time.Now()
		bare.run(b, messages)
		mine, theirs = min(mine, middle.Sub(start)), min(theirs, time.Since(middle))
	}
	b.ReportMetric(float64(theirs)/float64(mine), "ratio")
	b.ReportMetric(benchmarkLog/mine.Seconds()/1e6, "MB/s")
	b.ReportMetric(benchmarkLog/theirs.Seconds()/1e6, "bare-MB/s")
}

// valueBytes makes each message of a batch.
func valueBytes(batch kafka.Batch) (bytes int) {
	for i := range batch.Len() {
		message := batch.Message(i)
		bytes += len(message.Value)
	}
	return bytes
}

// fetchAll fetches a log from its start to its end.
func fetchAll(
	b *testing.B, transport *wire07.Transport, messages, bytes int, look func(kafka.Batch) int,
) {
	b.Helper()
	transport.Add(map[kafka.Partition]int64{benchmarked: 0})
	for messages > 0 {
		for _, fetch := range transport.Poll(b.Context()) {
			if fetch.Err != nil {
				b.Fatal(fetch.Err)
			}
			bytes -= look(fetch.Batch)
			messages -= fetch.Batch.Len()
		}
	}
	if messages != 0 || bytes != 0 {
		b.Fatal(messages, bytes)
	}
}

var benchmarked = kafka.Partition{Topic: "t", ID: "0-0"}

// benchmarkBroker starts a broker with a log of messages of one size, and says how many they are.
func benchmarkBroker(b *testing.B, size int) (*kafka07.Broker, int) {
	b.Helper()
	broker, err := kafka07.Start(b.Context(), kafka07.Config{FlushMessages: 1})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(broker.Close)
	conn := newBareLoop(b, broker.Addr(), 0)
	payload := make([]byte, size)
	for i := range payload {
		payload[i] = byte(i)
	}
	var set []byte
	inSet := 0
	for ; len(set) < fetchSize; inSet++ {
		set = protocol.AppendMessage(set, payload)
	}
	messages := 0
	for written := 0; written < benchmarkLog; written += len(set) {
		conn.send(b, &protocol.ProduceRequest{Topic: "t", Set: set})
		messages += inSet
	}
	conn.send(b, &protocol.OffsetsRequest{Topic: "t", Time: protocol.LatestTime, MaxOffsets: 1})
	conn.receive(b)
	return broker, messages
}

// bareLoop is a connection that reads into one buffer.
type bareLoop struct {
	conn    net.Conn
	message int // the size of each, in the set
	frame   []byte
	buffer  []byte
}

func newBareLoop(b *testing.B, address string, message int) *bareLoop {
	b.Helper()
	conn, err := new(net.Dialer).DialContext(context.WithoutCancel(b.Context()), "tcp", address)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = conn.Close() })
	return &bareLoop{conn: conn, message: message, buffer: make([]byte, 2*fetchSize)}
}

// run fetches all messages, whose size it knows.
func (l *bareLoop) run(b *testing.B, messages int) {
	b.Helper()
	position := 0
	for messages > 0 {
		l.send(b, &protocol.FetchRequest{Topic: "t", Offset: int64(position), MaxSize: fetchSize})
		came := (len(l.receive(b)) - 2) / l.message
		position += came * l.message
		messages -= came
	}
}

func (l *bareLoop) send(b *testing.B, request protocol.Request) {
	b.Helper()
	l.frame = request.AppendTo(l.frame[:0])
	if _, err := l.conn.Write(l.frame); err != nil {
		b.Fatal(err)
	}
}

func (l *bareLoop) receive(b *testing.B) []byte {
	b.Helper()
	if _, err := io.ReadFull(l.conn, l.buffer[:4]); err != nil {
		b.Fatal(err)
	}
	body := l.buffer[:binary.BigEndian.Uint32(l.buffer)]
	if _, err := io.ReadFull(l.conn, body); err != nil {
		b.Fatal(err)
	}
	return body
}
