// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package wire07

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"net"
	"testing"
	"time"

	"github.com/samsa-dev/samsa/pkg/kafka"
	"github.com/samsa-dev/samsa/pkg/protocol"
)

// deaf is a socket without deadlines.
type deaf struct{ net.Conn }

func (deaf) SetReadDeadline(time.Time) error { return nil }

// fuzzedAsk is how much of each of two partitions the fuzzed answer may bring.
const fuzzedAsk = 1 << 12

func readFuzzed(t *testing.T, answer []byte) (*request, error) {
	t.Helper()
	conn := &connection{
		ctx: t.Context(), socket: deaf{}, in: bufio.NewReaderSize(bytes.NewReader(answer), readAhead), peer: "broker 1",
	}
	q := new(request)
	for _, id := range []string{"1-0", "1-1"} {
		q.fetch(&cursor{partition: kafka.Partition{Topic: "t", ID: id}, next: 100}, fuzzedAsk)
	}
	q.ask(q.parts[0].cursor, protocol.LatestTime)
	err := q.read(conn, &buffers{blocks: new(blocks)})
	return q, err
}

// FuzzAnswer reads hostile answers to a MULTIFETCH of two partitions and one OFFSETS, and decodes what they hold.
func FuzzAnswer(f *testing.F) {
	for _, sets := range fuzzSeeds() {
		answer := protocol.MultiFetchResponse{Parts: []protocol.FetchResponse{{Set: sets[0]}, {Set: sets[1]}}}
		frame := (&protocol.OffsetsResponse{Offsets: []int64{12345}}).AppendTo(answer.AppendTo(nil))
		f.Add(frame)
		f.Add(frame[:len(frame)/2])
	}
	f.Add(binary.BigEndian.AppendUint32(nil, 1<<30))
	f.Add((&protocol.MultiFetchResponse{Code: protocol.Unknown}).AppendTo(nil))
	f.Add([]byte("HTTP/1.1 400 Bad Request\r\n\r\n"))
	f.Fuzz(func(t *testing.T, answer []byte) {
		q, err := readFuzzed(t, answer)
		if err != nil {
			return
		}
		d := decoder{iterator: protocol.Iterator{InflateLimit: 1 << 16}, home: new(buffers)}
		for i := range q.parts {
			checkDecoded(t, &d, &q.parts[i])
		}
	})
}

// checkDecoded decodes a part and checks that what came out hangs together.
func checkDecoded(t *testing.T, d *decoder, p *part) {
	t.Helper()
	p.outline = trace(p.set)
	if p.size > len(p.set) || p.messages > len(p.set)/protocol.OverheadMagic0 {
		t.Fatalf("%+v of %d bytes", p.outline, len(p.set))
	}
	d.decode(p)
	end := p.from + int64(p.size)
	switch {
	case p.end < p.from || p.end > end:
		t.Fatalf("decoded up to %d of %d to %d", p.end, p.from, end)
	case p.err == nil && p.end != end && p.bytes <= maxInflated:
		t.Fatalf("ends at %d of %d without an error", p.end, end)
	case p.err == nil && p.broken:
		t.Fatal("broken, and no error")
	}
	at, index, size := p.from, int32(0), 0
	for i := range p.batch.Len() {
		m := p.batch.Message(i)
		inWrapper := m.Offset == at && m.Index == index
		if m.Offset < at || m.Offset == at && !inWrapper || m.Next < m.Offset || m.Next > p.end {
			t.Fatalf("message %d at %d.%d, next %d; the last ended at %d", i, m.Offset, m.Index, m.Next, at)
		}
		at, index = m.Next, 0
		if m.Next == m.Offset {
			index = m.Index + 1
		}
		size += len(m.Value)
		if p.batch.Next(i) != m.Next || p.batch.Size(i) != len(m.Value) || m.Value == nil {
			t.Fatalf("message %d does not agree with itself", i)
		}
	}
	if n := p.batch.Len(); size > p.bytes || n > 0 && p.batch.Next(n-1) > p.end {
		t.Fatalf("%d bytes of messages weigh %d", size, p.bytes)
	}
}

func fuzzSeeds() [][2][]byte {
	var compressor protocol.Compressor
	wrap := func(codec protocol.Codec, set []byte) []byte {
		wrapper, err := compressor.AppendWrapper(nil, codec, set)
		if err != nil {
			panic(err)
		}
		return wrapper
	}
	plain := protocol.AppendMessageMagic0(protocol.AppendMessage(nil, []byte("one")), []byte("two"))
	plain = protocol.AppendMessage(plain, nil)
	gzip, snappy := wrap(protocol.Gzip, plain), wrap(protocol.Snappy, plain)
	nested := plain
	for range 10 {
		nested = wrap(protocol.Gzip, nested)
	}
	bomb := wrap(protocol.Gzip, protocol.AppendMessage(nil, make([]byte, 1<<18)))
	negative := binary.BigEndian.AppendUint32(nil, 1<<32-7)
	huge := append(binary.BigEndian.AppendUint32(nil, 1<<30), 1, 0, 0)
	return [][2][]byte{
		{plain, nil}, {gzip, snappy}, {nested, bomb}, {append(plain, gzip...), append(snappy, plain...)},
		{negative, huge}, {append(plain, negative...), append(gzip, huge...)}, {plain[:len(plain)-1], plain[:3]},
	}
}
