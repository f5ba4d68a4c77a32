// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package protocol_test

import (
	"bytes"
	"strings"
	"testing"

	"github.com/samsa-dev/samsa/pkg/protocol"
)

var three = []string{"alpha", "bravo-bravo", "charlie charlie charlie"}

// What Kafka's encoders made of known inputs is what ours make of them.
func TestEncodersAgainstKafkas(t *testing.T) {
	var plain []byte
	for _, payload := range three {
		plain = protocol.AppendMessage(plain, []byte(payload))
	}
	gzipped, snapped := recording(t, "enc", "set_gzip.bin"), recording(t, "enc", "set_snappy.bin")
	const mebibyte = 1 << 20
	for name, got := range map[string][]byte{
		"set_none.bin":          plain,
		"set_empty_none.bin":    nil,
		"set_empty_payload.bin": protocol.AppendMessage(nil, nil),
		"message_single.bin":    protocol.AppendMessage(nil, []byte("alpha"))[protocol.SizeBytes:],
		"req_produce_none.bin":  (&protocol.ProduceRequest{Topic: "t-none", Set: plain}).AppendTo(nil),
		"req_produce_random.bin": (&protocol.ProduceRequest{
			Topic: "t-random", Partition: protocol.AnyPartition, Set: plain,
		}).AppendTo(nil),
		"req_produce_gzip.bin":   (&protocol.ProduceRequest{Topic: "t-gzip", Set: gzipped}).AppendTo(nil),
		"req_produce_snappy.bin": (&protocol.ProduceRequest{Topic: "t-snappy", Set: snapped}).AppendTo(nil),
		"req_multiproduce.bin": (&protocol.MultiProduceRequest{Produces: []protocol.ProduceRequest{
			{Topic: "t-multi-a", Set: plain},
			{Topic: "t-multi-b", Partition: 1, Set: gzipped},
		}}).AppendTo(nil),
		"req_fetch.bin": (&protocol.FetchRequest{Topic: "t-none", MaxSize: mebibyte}).AppendTo(nil),
		"req_multifetch.bin": (&protocol.MultiFetchRequest{Fetches: []protocol.FetchRequest{
			{Topic: "t-none", MaxSize: mebibyte},
			{Topic: "t-gzip", MaxSize: mebibyte},
		}}).AppendTo(nil),
		"req_offsets_latest.bin": (&protocol.OffsetsRequest{
			Topic: "t-none", Time: protocol.LatestTime, MaxOffsets: 1,
		}).AppendTo(nil),
		"req_offsets_earliest.bin": (&protocol.OffsetsRequest{
			Topic: "t-none", Time: protocol.EarliestTime, MaxOffsets: 1,
		}).AppendTo(nil),
	} {
		if want := recording(t, "enc", name); !bytes.Equal(got, want) {
			t.Errorf("%s: got\n%x\nwant\n%x", name, got, want)
		}
	}
}

// Two compressors need not agree on the bytes: what Kafka's made is read, and what ours make of that is read again.
func TestWrappersOfKafkas(t *testing.T) {
	large := []string{strings.Repeat("0123456789abcdef", 6400)}
	for name, want := range map[string]struct {
		codec    protocol.Codec
		payloads []string
	}{
		"set_gzip.bin":              {protocol.Gzip, three},
		"set_snappy.bin":            {protocol.Snappy, three},
		"set_gzip_big.bin":          {protocol.Gzip, large},
		"set_snappy_multiblock.bin": {protocol.Snappy, large},
	} {
		t.Run(name, func(t *testing.T) {
			theirs := recording(t, "enc", name)
			checkWrapper(t, theirs, want.codec, want.payloads)
			var inner []byte
			for _, payload := range want.payloads {
				inner = protocol.AppendMessage(inner, []byte(payload))
			}
			var compressor protocol.Compressor
			for range 2 { // the second time with what is left of the first
				ours, err := compressor.AppendWrapper([]byte("before"), want.codec, inner)
				if err != nil {
					t.Fatal(err)
				}
				checkWrapper(t, ours[len("before"):], want.codec, want.payloads)
				if len(ours) > 2*len(theirs) {
					t.Errorf("%d bytes, Kafka's has %d", len(ours), len(theirs))
				}
			}
		})
	}
}

func checkWrapper(t *testing.T, set []byte, codec protocol.Codec, want []string) {
	t.Helper()
	it := protocol.Iterator{Shallow: true}
	it.Reset(set, 0)
	if !it.Next() {
		t.Fatal("no wrapper", it.Err())
	}
	m := it.Message()
	if m.Codec() != codec || m.Next != int64(len(set)) || it.Next() {
		t.Errorf("got %v up to %d, want %v up to %d", m.Codec(), m.Next, codec, len(set))
	}
	list, err := deep(set, 0)
	if err != nil {
		t.Fatal(err)
	}
	if got := payloads(list); strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("got %.200q", got)
	}
}

func TestNothingIsWrappedIntoNothing(t *testing.T) {
	var compressor protocol.Compressor
	got, err := compressor.AppendWrapper(nil, protocol.Gzip, nil)
	if err != nil || !bytes.Equal(got, recording(t, "enc", "set_empty_gzip.bin")) {
		t.Errorf("got %x, %v", got, err)
	}
	if _, err := compressor.AppendWrapper(nil, protocol.Uncompressed, []byte("x")); err == nil {
		t.Error("wrapped without a codec")
	}
}

func TestMagic0AsRecorded(t *testing.T) {
	var set []byte
	set = protocol.AppendMessageMagic0(set, []byte(three[0]))
	set = protocol.AppendMessageMagic0(set, []byte(three[1]))
	set = protocol.AppendMessage(set, []byte(three[2]))
	set = protocol.AppendMessageMagic0(set, []byte(three[0]))
	if want := segment(t, "t-magic0-0"); !bytes.Equal(set, want) {
		t.Errorf("got\n%x\nwant\n%x", set, want)
	}
}

func TestAttributesAsRecorded(t *testing.T) {
	got := protocol.AppendMessageAttributes(nil, 0x84, []byte("alpha"))
	if want := segment(t, "t-attr-0"); !bytes.Equal(got, want) {
		t.Errorf("got %x, want %x", got, want)
	}
}
