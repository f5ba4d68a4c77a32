// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package protocol_test

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/samsa-dev/samsa/pkg/protocol"
)

// addRecordings seeds with every file below the given directories of the recordings, as it is and without its size.
func addRecordings(f *testing.F, add func(data []byte), directories ...string) {
	f.Helper()
	for _, directory := range directories {
		err := filepath.WalkDir(filepath.Join("testdata", directory), func(path string, entry os.DirEntry, err error) error {
			if err != nil || entry.IsDir() || strings.HasSuffix(path, ".json") {
				return err
			}
			data, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			add(data)
			if len(data) >= protocol.SizeBytes {
				add(data[protocol.SizeBytes:])
			}
			return nil
		})
		if err != nil {
			f.Fatal(err)
		}
	}
}

// The structures of a decoded frame take up to six times what the frame does: a part of a MULTIFETCH response takes 6
// bytes on the wire and 32 in memory, which append may overshoot; besides errors with their texts.
func maxDecoded(input []byte) uint64 { return 16*uint64(len(input)) + 4<<10 }

// A walk takes what all wrappers inflate to, with what was outgrown on the way, and what gzip works with: 64 KiB. Each
// level of each wrapper, of which an input of n bytes has at most n/10, can at worst reach the limit once.
func maxTaken(set []byte) uint64 {
	wrappers := uint64(len(set)/protocol.Overhead + 1)
	return 64<<10 + 16*uint64(len(set)) + 2*limit*wrappers
}

func FuzzDecodeRequest(f *testing.F) {
	addRecordings(f, func(data []byte) { f.Add(data) }, "wire", "enc")
	for _, frame := range hostileFrames() {
		f.Add(frame)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		var (
			request protocol.Request
			err     error
		)
		expectMemory(t, maxDecoded(data), func() { request, err = protocol.DecodeRequest(data) })
		if err != nil {
			if request != nil || err.Error() == "" {
				t.Errorf("got %v and %v", request, err)
			}
			return
		}
		// Bytes behind the last field are left alone.
		again := request.AppendTo(nil)[protocol.SizeBytes:]
		if !bytes.HasPrefix(data, again) {
			t.Errorf("encoded again:\n%x\nwas\n%x", again, data)
		}
	})
}

func fuzzResponse(f *testing.F, decoded func() response) {
	f.Helper()
	addRecordings(f, func(data []byte) { f.Add(data) }, "wire")
	for _, seed := range []string{
		"\x00\x00\x40\x00\x00\x00", "\x00\x00\xff\xff\xff\xff", "\x00\x00\x00\x00\x00\x01\x00", "\x00\x01", "",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		got := decoded()
		var err error
		expectMemory(t, maxDecoded(data), func() { err = got.Decode(data) })
		if err != nil {
			return
		}
		again := got.AppendTo(nil)[protocol.SizeBytes:]
		// An OFFSETS response that ends behind its error code gets its count.
		if !bytes.Equal(again, data) && (len(data) != 2 || !bytes.HasPrefix(again, data)) {
			t.Errorf("encoded again:\n%x\nwas\n%x", again, data)
		}
	})
}

func FuzzDecodeFetchResponse(f *testing.F) {
	fuzzResponse(f, func() response { return new(protocol.FetchResponse) })
}

func FuzzDecodeMultiFetchResponse(f *testing.F) {
	fuzzResponse(f, func() response { return new(protocol.MultiFetchResponse) })
}

func FuzzDecodeOffsetsResponse(f *testing.F) {
	fuzzResponse(f, func() response { return new(protocol.OffsetsResponse) })
}

func FuzzFrameSize(f *testing.F) {
	f.Add([]byte{0, 0, 0, 1}, 100)
	f.Add([]byte{0x40, 0, 0, 0}, 100)
	f.Add([]byte{0xff}, -1)
	f.Fuzz(func(t *testing.T, head []byte, limit int) {
		size, err := protocol.FrameSize(head, limit)
		if err == nil && (size < 1 || size > limit) {
			t.Errorf("%d is not between 1 and %d", size, limit)
		}
	})
}

// FuzzIterator walks over anything, in all ways, and holds every walk against what must always be so.
func FuzzIterator(f *testing.F) {
	addRecordings(f, func(data []byte) { f.Add(data, int64(0)) }, "log", "enc", "wire")
	for _, c := range hostileSets() {
		if len(c.set) < limit { // Longer seeds only slow the fuzzer down.
			f.Add(c.set, int64(1))
		}
	}
	f.Add(nested(10), int64(1<<40))
	f.Fuzz(func(t *testing.T, set []byte, start int64) {
		if start < 0 || start > 1<<60 {
			start = 1
		}
		for _, it := range []protocol.Iterator{{}, {Strict: true}, {Shallow: true}} {
			it.InflateLimit = limit
			expectMemory(t, maxTaken(set), func() {
				it.Reset(set, start)
				checkWalk(t, &it, start, len(set))
			})
		}
	})
}

func checkWalk(t *testing.T, it *protocol.Iterator, start int64, size int) {
	t.Helper()
	position := start
	index := int32(-1) // of the message before, inside the same wrapper
	for it.Next() {
		m := it.Message()
		inside := index >= 0
		switch {
		case m.Offset != position:
			t.Fatalf("message at %d, expected at %d", m.Offset, position)
		case m.Next < m.Offset || m.Next != it.Position():
			t.Fatalf("message at %d leads to %d, position %d", m.Offset, m.Next, it.Position())
		case inside && m.Index != index+1 || !inside && m.Index != 0:
			t.Fatalf("index %d behind %d", m.Index, index)
		case it.Shallow && m.Next == m.Offset:
			t.Fatal("inside a wrapper")
		}
		index = m.Index
		if m.Next != m.Offset {
			index = -1
		}
		if position = m.Next; position > start+int64(size) {
			t.Fatalf("position %d is behind the set", position)
		}
	}
	if it.Next() {
		t.Fatal("went on after the end")
	}
	if it.Position() < position || it.Err() == nil && index >= 0 {
		t.Fatalf("ended at %d, index %d", it.Position(), index)
	}
	if it.Err() != nil && it.Err().Error() == "" {
		t.Fatal("an error without a text")
	}
}

// FuzzWrapper: what is wrapped comes out again, whatever it is.
func FuzzWrapper(f *testing.F) {
	f.Add([]byte("alpha"), []byte(""), true)
	f.Add(bytes.Repeat([]byte("0123456789abcdef"), 6400), []byte("x"), false)
	f.Fuzz(func(t *testing.T, first, second []byte, zip bool) {
		codec := protocol.Snappy
		if zip {
			codec = protocol.Gzip
		}
		set := wrap(t, codec, protocol.AppendMessageMagic0(protocol.AppendMessage(nil, first), second))
		list, err := deep(set, 3)
		if err != nil {
			t.Fatal(err)
		}
		compare(t, list, []message{{3, 3, 0, string(first)}, {3, 3 + int64(len(set)), 1, string(second)}})
	})
}
