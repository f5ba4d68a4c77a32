// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package protocol_test

import (
	"fmt"
	"hash/crc32"
	"testing"
	"time"

	"github.com/samsa-dev/samsa/pkg/protocol"
)

const (
	// fetchedSet is how much is walked over at once: Kafka's consumer asks for 1 MiB.
	fetchedSet = 1 << 20
	// producedMessages is how many are made into a set at once: Kafka's asynchronous producer sends 200.
	producedMessages = 200
)

var benchmarkSizes = []int{100, 1 << 10}

func benchmarkPayloads(size, upTo int) (set []byte, payloads [][]byte) {
	payload := make([]byte, size)
	for i := range payload {
		payload[i] = byte(i)
	}
	for len(set)+size+protocol.Overhead <= upTo {
		set = protocol.AppendMessage(set, payload)
	}
	for at := 0; at < len(set); at += size + protocol.Overhead {
		payloads = append(payloads, set[at+protocol.Overhead:at+protocol.Overhead+size])
	}
	return set, payloads
}

// race alternates two ways of doing the same and reports how fast the first is compared with the second: 1 is as
// fast. Of each the fastest round counts, since on a machine with other work the others measure that work.
func race(b *testing.B, bytes int, first, second func()) {
	b.Helper()
	b.ReportAllocs()
	mine, theirs := time.Hour, time.Hour
	for b.Loop() {
		start := time.Now()
		first()
		middle := time.Now()
		second()
		mine, theirs = min(mine, middle.Sub(start)), min(theirs, time.Since(middle))
	}
	b.ReportMetric(float64(theirs)/float64(mine), "ratio")
	b.ReportMetric(float64(bytes)/mine.Seconds()/1e6, "MB/s")
}

// BenchmarkDecode compares walking over a set with computing the checksums alone.
func BenchmarkDecode(b *testing.B) {
	for _, size := range benchmarkSizes {
		b.Run(fmt.Sprintf("payload=%d", size), func(b *testing.B) {
			set, payloads := benchmarkPayloads(size, fetchedSet)
			var it protocol.Iterator
			race(b, len(set), func() {
				bytes := 0
				it.Reset(set, 0)
				for it.Next() {
					bytes += len(it.Message().Payload)
				}
				if bytes != size*len(payloads) || it.Err() != nil {
					b.Fatal(bytes, it.Err())
				}
			}, func() { checksums(b, payloads) })
		})
	}
}

// BenchmarkEncode compares making a set with computing the checksums alone: of all messages at once, as publishing
// does, and one by one.
func BenchmarkEncode(b *testing.B) {
	oneByOne := func(dst []byte, payloads [][]byte) []byte {
		for _, payload := range payloads {
			dst = protocol.AppendMessage(dst, payload)
		}
		return dst
	}
	for _, way := range []struct {
		name   string
		encode func(dst []byte, payloads [][]byte) []byte
	}{{"at once", protocol.AppendMessages}, {"one by one", oneByOne}} {
		for _, size := range benchmarkSizes {
			b.Run(fmt.Sprintf("%s/payload=%d", way.name, size), func(b *testing.B) {
				set, payloads := benchmarkPayloads(size, producedMessages*(size+protocol.Overhead))
				made := make([]byte, 0, len(set))
				race(b, len(set), func() {
					if made = way.encode(made[:0], payloads); len(made) != len(set) {
						b.Fatal(len(made))
					}
				}, func() { checksums(b, payloads) })
			})
		}
	}
}

func checksums(b *testing.B, payloads [][]byte) {
	b.Helper()
	sum := uint32(0)
	for _, payload := range payloads {
		sum |= crc32.ChecksumIEEE(payload)
	}
	if sum == 0 {
		b.Fatal("no sum")
	}
}

// BenchmarkWrappers decompresses and walks; the throughput is that of the messages.
func BenchmarkWrappers(b *testing.B) {
	plain, payloads := benchmarkPayloads(1<<10, fetchedSet)
	for _, codec := range []protocol.Codec{protocol.Gzip, protocol.Snappy} {
		set := wrap(b, codec, plain)
		b.Run("inflate/"+codec.String(), func(b *testing.B) {
			b.SetBytes(int64(len(plain)))
			b.ReportAllocs()
			var it protocol.Iterator
			for b.Loop() {
				count := 0
				for it.Reset(set, 0); it.Next(); {
					count++
				}
				if count != len(payloads) {
					b.Fatal(count, it.Err())
				}
			}
		})
		b.Run("deflate/"+codec.String(), func(b *testing.B) {
			b.SetBytes(int64(len(plain)))
			b.ReportAllocs()
			var (
				compressor protocol.Compressor
				made       []byte
				err        error
			)
			for b.Loop() {
				if made, err = compressor.AppendWrapper(made[:0], codec, plain); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
