// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package protocol_test

import (
	"bytes"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/samsa-dev/samsa/pkg/protocol"
)

// randomPayloads are of all lengths up to a bit more than the largest step of a checksum.
func randomPayloads(random *rand.Rand, count int) [][]byte {
	list := make([][]byte, count)
	for i := range list {
		list[i] = make([]byte, random.IntN(1200))
		for j := range list[i] {
			list[i][j] = byte(random.Uint32())
		}
	}
	return list
}

func TestMessagesAtOnceAreThoseOneByOne(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for _, count := range []int{0, 1, 2, 15, 16, 17, 31, 32, 33, 200} {
		payloads := randomPayloads(random, count)
		want := []byte("before")
		for _, payload := range payloads {
			want = protocol.AppendMessage(want, payload)
		}
		got := protocol.AppendMessages([]byte("before"), payloads)
		if !bytes.Equal(got, want) {
			t.Errorf("%d messages: not the same bytes", count)
		}
		if size := protocol.SetSize(payloads); size != len(want)-len("before") {
			t.Errorf("%d messages: the size is said to be %d, and is %d", count, size, len(want)-len("before"))
		}
	}
}

func TestMessagesAtOnceGrowOnce(t *testing.T) {
	payloads := randomPayloads(rand.New(rand.NewPCG(3, 4)), 100)
	size := protocol.SetSize(payloads)
	// Under the race detector growing takes more than one allocation.
	once := testing.AllocsPerRun(100, func() { kept = slices.Grow([]byte(nil), size) })
	if n := testing.AllocsPerRun(100, func() { kept = protocol.AppendMessages(nil, payloads) }); n > once {
		t.Errorf("%v allocations, want %v", n, once)
	}
	room := make([]byte, 0, size)
	if n := testing.AllocsPerRun(100, func() { kept = protocol.AppendMessages(room, payloads) }); n > 0 {
		t.Errorf("%v allocations where there is room", n)
	}
}

// kept keeps the compiler from leaving out what nobody looks at.
var kept []byte

func TestProduceInPieces(t *testing.T) {
	set := protocol.AppendMessages(nil, [][]byte{[]byte("a"), nil, []byte("bc")})
	want := (&protocol.ProduceRequest{Topic: "orders", Partition: 3, Set: set}).AppendTo([]byte("before"))
	head := protocol.AppendProduceHead([]byte("before"), "orders", 3, len(set))
	if got := len(head) - len("before"); got != protocol.ProduceHeadSize("orders") {
		t.Errorf("the head has %d bytes, and is said to have %d", got, protocol.ProduceHeadSize("orders"))
	}
	if got := bytes.Join([][]byte{head, set}, nil); !bytes.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	frame := want[len("before"):]
	if size, err := protocol.FrameSize(frame, 100); err != nil || size != len(frame)-protocol.SizeBytes {
		t.Errorf("the frame says %d bytes, %v, and has %d", size, err, len(frame)-protocol.SizeBytes)
	}
}
