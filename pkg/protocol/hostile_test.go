// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package protocol_test

import (
	"bytes"
	"compress/gzip"
	"encoding/binary"
	"errors"
	"math"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/samsa-dev/samsa/pkg/protocol"
)

// gzipOf wraps with the standard library's gzip, which, unlike ours, wraps nothing at all as well.
func gzipOf(set []byte) []byte {
	var out bytes.Buffer
	w := gzip.NewWriter(&out)
	_, _ = w.Write(set)
	_ = w.Close()
	return protocol.AppendMessageAttributes(nil, uint8(protocol.Gzip), out.Bytes())
}

// nested is an empty message inside depth wrappers.
func nested(depth int) []byte {
	set := protocol.AppendMessage(nil, []byte("core"))
	for range depth {
		set = gzipOf(set)
	}
	return set
}

func uvarint(n uint64) []byte { return binary.AppendUvarint(nil, n) }

func snappyMessage(payload []byte) []byte {
	return protocol.AppendMessageAttributes(nil, uint8(protocol.Snappy), payload)
}

func xerial(blocks ...[]byte) []byte {
	stream := []byte("\x82SNAPPY\x00\x00\x00\x00\x01\x00\x00\x00\x01")
	for _, block := range blocks {
		stream = binary.BigEndian.AppendUint32(stream, uint32(len(block)))
		stream = append(stream, block...)
	}
	return stream
}

type hostileSet struct {
	set   []byte
	kind  error
	field string
	index int
}

// hostileSets are what a broken or malicious peer may send; each is an error behind the message "alpha".
func hostileSets() map[string]hostileSet {
	plain := protocol.AppendMessage(nil, []byte("x"))
	corrupt := slices.Clone(plain)
	corrupt[len(corrupt)-1]++
	codec3 := protocol.AppendMessageAttributes(nil, 3, nil)
	gzipMessage := func(payload []byte) []byte {
		return protocol.AppendMessageAttributes(nil, uint8(protocol.Gzip), payload)
	}
	rawGzip := gzipOf(plain)[protocol.Overhead:]
	noTrailer := rawGzip[:len(rawGzip)-8]
	return map[string]hostileSet{
		"negative length":         {[]byte{0xff, 0xff, 0xff, 0xff, 1, 0}, protocol.ErrLength, "length", -1},
		"most negative length":    {[]byte{0x80, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0}, protocol.ErrLength, "length", -1},
		"no length":               {[]byte{0, 0, 0, 0}, protocol.ErrLength, "length", -1},
		"no checksum, magic 0":    {[]byte{0, 0, 0, 4, 0, 0, 0, 0}, protocol.ErrLength, "length", -1},
		"no checksum, magic 1":    {[]byte{0, 0, 0, 5, 1, 0, 0, 0, 0}, protocol.ErrLength, "length", -1},
		"only a magic":            {[]byte{0, 0, 0, 1, 1}, protocol.ErrLength, "length", -1},
		"magic 2":                 {[]byte{0, 0, 0, 6, 2, 0, 0, 0, 0, 0}, protocol.ErrMagic, "magic", -1},
		"checksum":                {corrupt, protocol.ErrChecksum, "checksum", -1},
		"checksum, magic 0":       {[]byte{0, 0, 0, 6, 0, 1, 2, 3, 4, 5}, protocol.ErrChecksum, "checksum", -1},
		"codec 3":                 {codec3, protocol.ErrCodec, "attributes", -1},
		"checksum inside":         {gzipOf(slices.Concat(plain, plain, corrupt)), protocol.ErrChecksum, "checksum", 2},
		"magic inside":            {gzipOf([]byte{0, 0, 0, 6, 2, 0, 0, 0, 0, 0}), protocol.ErrMagic, "magic", 0},
		"negative inside":         {gzipOf([]byte{0xff, 0xff, 0xff, 0xff}), protocol.ErrLength, "length", 0},
		"incomplete inside":       {gzipOf(plain[:8]), protocol.ErrIncomplete, "length", 0},
		"incomplete, 1 GB inside": {gzipOf([]byte{0x40, 0, 0, 0}), protocol.ErrIncomplete, "length", 0},
		"codec 3 inside":          {gzipOf(codec3), protocol.ErrCodec, "attributes", 0},
		"gzip of nothing": {
			gzipMessage(nil), protocol.ErrCompressed, "payload", -1,
		},
		"no gzip": {
			gzipMessage([]byte("no gzip at all, but long")),
			protocol.ErrCompressed, "payload", -1,
		},
		"gzip cut off": {
			gzipMessage(noTrailer[:len(noTrailer)-1]),
			protocol.ErrCompressed, "payload", -1,
		},
		"gzip checksum": {
			gzipMessage(slices.Concat(noTrailer, make([]byte, 8))),
			protocol.ErrCompressed, "payload", -1,
		},
		"ten deep":                {nested(10), protocol.ErrDepth, "wrapper", 0},
		"bomb":                    {gzipOf(make([]byte, limit+1)), protocol.ErrInflate, "payload", -1},
		"bomb inside":             {gzipOf(gzipOf(make([]byte, limit))), protocol.ErrInflate, "payload", 0},
		"snappy of nothing":       {snappyMessage(nil), protocol.ErrCompressed, "payload", -1},
		"snappy, 1 GB in 5 bytes": {snappyMessage(uvarint(1 << 30)), protocol.ErrCompressed, "payload", -1},
		"snappy, 16 EB":           {snappyMessage(uvarint(math.MaxUint64)), protocol.ErrCompressed, "payload", -1},
		"snappy, 1 GB in 20 bytes": {
			snappyMessage(append(uvarint(1<<30), make([]byte, 15)...)), protocol.ErrCompressed, "payload", -1,
		},
		"snappy beyond the limit": {
			snappyMessage(append(uvarint(limit+1), make([]byte, limit/10)...)), protocol.ErrInflate, "payload", -1,
		},
		"xerial, 1 GB in 5 bytes": {
			snappyMessage(xerial(uvarint(1 << 30))), protocol.ErrCompressed, "payload", -1,
		},
		"xerial, negative block": {
			snappyMessage(append(xerial(), 0xff, 0xff, 0xff, 0xff)), protocol.ErrCompressed, "payload", -1,
		},
		"xerial, 1 GB block": {
			snappyMessage(append(xerial(), 0x40, 0, 0, 0, 1)), protocol.ErrCompressed, "payload", -1,
		},
		"xerial, version 0": {
			snappyMessage([]byte("\x82SNAPPY\x00\x00\x00\x00\x00\x00\x00\x00\x00")), protocol.ErrCompressed, "payload", -1,
		},
	}
}

// limit is small in these tests, so that one notices what goes beyond it.
const limit = 1 << 16

func TestHostileSets(t *testing.T) {
	front := protocol.AppendMessage(nil, []byte("alpha"))
	for name, c := range hostileSets() {
		t.Run(name, func(t *testing.T) {
			it := protocol.Iterator{InflateLimit: limit}
			it.Reset(slices.Concat(front, c.set), 100)
			list, err := walk(&it)
			var format *protocol.FormatError
			if !errors.As(err, &format) || !errors.Is(err, c.kind) {
				t.Fatalf("got %v, want %v", err, c.kind)
			}
			if format.At != 115 || format.Index != c.index || format.Field != c.field {
				t.Errorf("at %d, field %s, index %d: %v", format.At, format.Field, format.Index, err)
			}
			if it.Position() != 115 || it.Next() || !errors.Is(it.Err(), c.kind) {
				t.Errorf("went on to %d: %v", it.Position(), it.Err())
			}
			// What was good is handed out, and leads no further than to the broken one.
			if want := 1 + max(c.index, 0); len(list) != want || list[len(list)-1].Next != 115 {
				t.Errorf("got %v, want %d messages", list, want)
			}
		})
	}
}

func TestAsDeepAsAllowed(t *testing.T) {
	list, err := deep(nested(protocol.MaxDepth), 0)
	if err != nil || len(list) != 1 || list[0].Payload != "core" {
		t.Errorf("got %v, %v", list, err)
	}
	if _, err := deep(nested(protocol.MaxDepth+1), 0); !errors.Is(err, protocol.ErrDepth) {
		t.Errorf("got %v", err)
	}
}

func TestAsLargeAsAllowed(t *testing.T) {
	set := protocol.AppendMessage(nil, make([]byte, limit-protocol.Overhead))
	for _, codec := range []protocol.Codec{protocol.Gzip, protocol.Snappy} {
		it := protocol.Iterator{InflateLimit: limit}
		it.Reset(wrap(t, codec, set), 0)
		if list, err := walk(&it); err != nil || len(list) != 1 {
			t.Errorf("%v: %d messages, %v", codec, len(list), err)
		}
	}
}

// snappy-java lets streams follow one another, and Java's gzip both that and anything else behind a member.
func TestStreamsOneBehindTheOther(t *testing.T) {
	plain := segment(t, "t-none-0")
	payload := func(codec protocol.Codec, set []byte) []byte { return wrap(t, codec, set)[protocol.Overhead:] }
	for name, set := range map[string][]byte{
		"xerial": snappyMessage(slices.Concat(payload(protocol.Snappy, plain[:15]), payload(protocol.Snappy, plain[15:]))),
		"xerial, with a few bytes behind": snappyMessage(
			append(payload(protocol.Snappy, plain), 0, 0, 1)),
		"gzip": protocol.AppendMessageAttributes(nil, uint8(protocol.Gzip),
			slices.Concat(payload(protocol.Gzip, plain[:20]), payload(protocol.Gzip, plain[20:]))),
		"gzip, with something behind": protocol.AppendMessageAttributes(nil, uint8(protocol.Gzip),
			append(payload(protocol.Gzip, plain), strings.Repeat("no gzip ", 5)...)),
	} {
		list, err := deep(set, 0)
		if got := payloads(list); err != nil || !slices.Equal(got, three) {
			t.Errorf("%s: got %q, %v", name, got, err)
		}
	}
}

// hostileFrames are what stands behind the size of a frame.
func hostileFrames() map[string][]byte {
	topic := []byte{0, 1, 't'}
	return map[string][]byte{
		"nothing":                         {},
		"half an api":                     {0},
		"api 5":                           {0, 5},
		"negative api":                    {0xff, 0xff},
		"PRODUCE, negative topic":         {0, 0, 0xff, 0xff, 0, 0, 0, 0, 0, 0, 0, 0},
		"PRODUCE, topic of 32767":         {0, 0, 0x7f, 0xff, 'a'},
		"PRODUCE, negative set":           slices.Concat([]byte{0, 0}, topic, []byte{0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff}),
		"PRODUCE, set of 1 GB":            slices.Concat([]byte{0, 0}, topic, []byte{0, 0, 0, 0, 0x40, 0, 0, 0, 1, 2, 3}),
		"FETCH, short":                    slices.Concat([]byte{0, 1}, topic, []byte{0, 0, 0, 0, 0, 0}),
		"MULTIFETCH, negative count":      {0, 2, 0xff, 0xff},
		"MULTIFETCH of 32767":             {0, 2, 0x7f, 0xff, 0, 0},
		"MULTIPRODUCE, negative count":    {0, 3, 0x80, 0},
		"MULTIPRODUCE of 32767":           slices.Concat([]byte{0, 3, 0x7f, 0xff}, make([]byte, 100)),
		"MULTIPRODUCE, second incomplete": slices.Concat([]byte{0, 3, 0, 2}, topic, make([]byte, 16)),
		"OFFSETS, short":                  slices.Concat([]byte{0, 4}, topic, make([]byte, 15)),
	}
}

func TestHostileRequests(t *testing.T) {
	for name, frame := range hostileFrames() {
		request, err := protocol.DecodeRequest(frame)
		var format *protocol.FormatError
		if !errors.As(err, &format) || request != nil {
			t.Errorf("%s: got %v, %v", name, request, err)
			continue
		}
		if format.At < 0 || format.At > int64(len(frame)) || format.Field == "" {
			t.Errorf("%s: at %d of %d, field %q", name, format.At, len(frame), format.Field)
		}
	}
}

func TestHostileResponses(t *testing.T) {
	fetch := func() response { return new(protocol.FetchResponse) }
	multi := func() response { return new(protocol.MultiFetchResponse) }
	offsets := func() response { return new(protocol.OffsetsResponse) }
	for name, c := range map[string]struct {
		into  func() response
		body  string
		kind  error
		field string
		at    int64
		index int
	}{
		"FETCH, empty":            {fetch, "", protocol.ErrShort, "error code", 0, -1},
		"MULTIFETCH, half a size": {multi, "\x00\x00\x00\x00", protocol.ErrShort, "part's size", 2, 0},
		"MULTIFETCH, size 1":      {multi, "\x00\x00\x00\x00\x00\x01\x00", protocol.ErrLength, "part's size", 2, 0},
		"MULTIFETCH, negative":    {multi, "\x00\x00\xff\xff\xff\xff", protocol.ErrLength, "part's size", 2, 0},
		"MULTIFETCH, 1 GB": {
			multi, "\x00\x00\x00\x00\x00\x02\x00\x00\x40\x00\x00\x00\x00\x00", protocol.ErrShort, "part", 12, 1,
		},
		"OFFSETS, no count":          {offsets, "\x00\x00", protocol.ErrShort, "count", 2, -1},
		"OFFSETS, negative count":    {offsets, "\x00\x00\xff\xff\xff\xff", protocol.ErrLength, "count", 2, -1},
		"OFFSETS, a billion":         {offsets, "\x00\x00\x40\x00\x00\x00offset78", protocol.ErrLength, "count", 2, -1},
		"OFFSETS, something behind":  {offsets, "\x00\x00\x00\x00\x00\x00\x09", protocol.ErrTrailing, "end", 6, -1},
		"OFFSETS, half an offset":    {offsets, "\x00\x00\x00\x00\x00\x01half", protocol.ErrLength, "count", 2, -1},
		"OFFSETS, half an errorcode": {offsets, "\x00", protocol.ErrShort, "error code", 0, -1},
	} {
		err := c.into().Decode([]byte(c.body))
		var format *protocol.FormatError
		if !errors.As(err, &format) || !errors.Is(err, c.kind) {
			t.Errorf("%s: got %v, want %v", name, err, c.kind)
			continue
		}
		if format.Field != c.field || format.At != c.at || format.Index != c.index {
			t.Errorf("%s: %v, want %q at %d (%d)", name, err, c.field, c.at, c.index)
		}
	}
}

func TestFrameSizes(t *testing.T) {
	for head, want := range map[string]bool{
		"\x00\x00\x00\x01": true, "\x00\x00\x00\x64": true, "\x00\x00\x00\x65": false,
		"\x00\x00\x00\x00": false, "\xff\xff\xff\xff": false, "\x7f\xff\xff\xff": false, "\x00\x00\x00": false,
	} {
		if _, err := protocol.FrameSize([]byte(head), 100); (err == nil) != want {
			t.Errorf("%x: %v", head, err)
		}
	}
}

// A topic's name is checked as Kafka checks it; broken UTF-8 becomes U+FFFD in Java as here, and is refused.
func TestTopics(t *testing.T) {
	const twoUnits = "\U0001F600"
	for _, name := range []string{
		"t", "a.b_c-d", "...", "größe", strings.Repeat("x", 255), strings.Repeat(twoUnits, 127),
	} {
		if err := protocol.CheckTopic(name); err != nil {
			t.Error(err)
		}
	}
	for _, name := range []string{
		"", ".", "..", "a/b", "\x00", "a\x1f", "a\x7f", "a\u0090", "\ufffd", "\uf000", "a\xff", strings.Repeat("x", 256),
		strings.Repeat(twoUnits, 128),
	} {
		if err := protocol.CheckTopic(name); err == nil {
			t.Errorf("%q passed", name)
		}
	}
}

func TestErrorsSayWhatAndWhere(t *testing.T) {
	_, err := deep(slices.Concat(segment(t, "t-attr-0"), hostileSets()["checksum inside"].set), 1000)
	const want = "message set: checksum at 1015 (number 2 in it): checksum mismatch: " +
		"8cdc1683 was sent, the payload's is fbdb2615"
	if err == nil || err.Error() != want {
		t.Errorf("got %v\nwant %s", err, want)
	}
}

// expectMemory holds what run takes, garbage included, against a bound. The fuzzer takes memory of its own at the same
// time, so what is too much must be too much each time.
func expectMemory(t *testing.T, bound uint64, run func()) {
	t.Helper()
	const tries = 5
	least := uint64(math.MaxUint64)
	for range tries {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		run()
		runtime.ReadMemStats(&after)
		if least = min(least, after.TotalAlloc-before.TotalAlloc); least <= bound {
			return
		}
	}
	t.Errorf("%d bytes of memory taken, at most %d expected", least, bound)
}

func TestHostileSetsTakeNoMemory(t *testing.T) {
	for name, c := range hostileSets() {
		t.Run(name, func(t *testing.T) {
			expectMemory(t, maxTaken(c.set), func() {
				it := protocol.Iterator{InflateLimit: limit}
				it.Reset(c.set, 0)
				_, _ = walk(&it)
			})
		})
	}
}
