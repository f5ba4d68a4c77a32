// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package wire

import (
	"bytes"
	"encoding/binary"
	"hash/crc32"
	"slices"

	"github.com/twmb/franz-go/pkg/kbin"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/samsa-dev/samsa/pkg/client/dispatch"
	"github.com/samsa-dev/samsa/pkg/kafka"
)

// Where the fields of a record batch are that are known last, and where its records begin.
const (
	lengthAt     = 8
	checksumAt   = 17
	attributesAt = 21
	recordsAt    = 61
	// maxRecordHead is the most that a record takes besides its bytes and headers: length (5), attributes (1), timestamp
	// (10), offset (5), and the lengths of key (5), value (5) and headers (5).
	maxRecordHead = 36
	// maxHeaderHead is that of a header: the lengths of its key and value.
	maxHeaderHead = 10
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// MessageBytes is how many bytes a message takes where it is written alone, uncompressed.
func MessageBytes(m *kafka.Message) int {
	length := recordLength(m, 0, 0)
	return recordsAt + kbin.VarintLen(int32(length)) + length //nolint:gosec // nobody has 2 GiB
}

// batchSize is the most that a message takes as a batch of its own, uncompressed.
func batchSize(m *kafka.Message) int {
	size := recordsAt + maxRecordHead + len(m.Key) + len(m.Value)
	for i := range m.Headers {
		size += maxHeaderHead + len(m.Headers[i].Key) + len(m.Headers[i].Value)
	}
	return size
}

// appendBatch appends messages as a record batch, of a producer's sequence or, with id -1, of none.
func appendBatch(dst []byte, items []*dispatch.Item, s sequence, compressor kgo.Compressor) []byte {
	begin := len(dst)
	first := items[0].Message.Timestamp.UnixMilli()
	last := first
	for _, item := range items {
		last = max(last, item.Message.Timestamp.UnixMilli())
	}
	dst = kbin.AppendInt64(dst, 0)                   // first offset
	dst = kbin.AppendInt32(dst, 0)                   // length, later
	dst = kbin.AppendInt32(dst, -1)                  // leader's epoch: the broker's to fill in
	dst = kbin.AppendInt8(dst, 2)                    // format
	dst = kbin.AppendInt32(dst, 0)                   // checksum, later
	dst = kbin.AppendInt16(dst, 0)                   // attributes, later
	dst = kbin.AppendInt32(dst, int32(len(items)-1)) //nolint:gosec // a batch's
	dst = kbin.AppendInt64(dst, first)
	dst = kbin.AppendInt64(dst, last)
	dst = kbin.AppendInt64(dst, s.id)
	dst = kbin.AppendInt16(dst, s.epoch)
	dst = kbin.AppendInt32(dst, s.next)
	dst = kbin.AppendInt32(dst, int32(len(items))) //nolint:gosec // a batch's
	for i, item := range items {
		dst = appendRecord(dst, &item.Message, i, first)
	}
	dst = compressRecords(dst, begin, compressor)
	batch := dst[begin:]
	binary.BigEndian.PutUint32(batch[lengthAt:], uint32(len(batch)-lengthAt-4)) //nolint:gosec // fits
	binary.BigEndian.PutUint32(batch[checksumAt:], crc32.Checksum(batch[attributesAt:], castagnoli))
	return dst
}

// compressRecords compresses the records of the batch at begin, if that makes them smaller.
func compressRecords(dst []byte, begin int, compressor kgo.Compressor) []byte {
	if compressor == nil {
		return dst
	}
	records := dst[begin+recordsAt:]
	compressed, codec := compressor.Compress(new(bytes.Buffer), records)
	if compressed == nil || len(compressed) >= len(records) {
		return dst
	}
	binary.BigEndian.PutUint16(dst[begin+attributesAt:], uint16(codec)) //nolint:gosec // three bits
	return append(dst[:begin+recordsAt], compressed...)
}

// recordLength is what a record's length says: all behind that.
func recordLength(m *kafka.Message, at int, since int64) int {
	length := 1 + kbin.VarlongLen(since) + kbin.VarintLen(int32(at)) + //nolint:gosec // a batch's
		bytesLen(m.Key) + bytesLen(m.Value) + kbin.VarintLen(int32(len(m.Headers))) //nolint:gosec // below a batch's size
	for i := range m.Headers {
		name := len(m.Headers[i].Key)
		length += kbin.VarintLen(int32(name)) + name + bytesLen(m.Headers[i].Value) //nolint:gosec // as above
	}
	return length
}

func appendRecord(dst []byte, m *kafka.Message, at int, first int64) []byte {
	since := m.Timestamp.UnixMilli() - first
	length := recordLength(m, at, since)
	dst = slices.Grow(dst, length+binary.MaxVarintLen32)
	dst = kbin.AppendVarint(dst, int32(length)) //nolint:gosec // as above
	dst = append(dst, 0)                        // attributes: there are none
	dst = kbin.AppendVarlong(dst, since)
	dst = kbin.AppendVarint(dst, int32(at)) //nolint:gosec // as above
	dst = kbin.AppendVarintBytes(dst, m.Key)
	dst = kbin.AppendVarintBytes(dst, m.Value)
	dst = kbin.AppendVarint(dst, int32(len(m.Headers))) //nolint:gosec // as above
	for i := range m.Headers {
		dst = kbin.AppendVarintString(dst, m.Headers[i].Key)
		dst = kbin.AppendVarintBytes(dst, m.Headers[i].Value)
	}
	return dst
}

func bytesLen(b []byte) int {
	if b == nil {
		return 1 // -1
	}
	return kbin.VarintLen(int32(len(b))) + len(b) //nolint:gosec // below a batch's size
}
