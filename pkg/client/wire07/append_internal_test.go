// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package wire07

import (
	"net"
	"slices"
	"testing"

	"github.com/samsa-dev/samsa/pkg/kafka"
	"github.com/samsa-dev/samsa/pkg/protocol"
)

// Appends of these sizes that are queued together: which of them have a question behind them.
func TestSmallAppendsShareAnAnswer(t *testing.T) {
	for _, test := range []struct {
		name  string
		sizes []int
		asked []bool
	}{
		{"one", []int{10}, []bool{true}},
		{"small", []int{10, 20, 30}, []bool{false, false, true}},
		{"large", []int{100_000, 100_000}, []bool{true, true}},
		{"small before large", []int{10, 20, 100_000, 30}, []bool{false, true, true, true}},
		{"more than share one", []int{30_000, 30_000, 30_000, 10, 30_000}, []bool{false, true, false, false, true}},
	} {
		t.Run(test.name, func(t *testing.T) {
			here, there := net.Pipe()
			defer func() { _, _ = here.Close(), there.Close() }()
			conn := &connection{socket: here}
			p := newPipe(t.Context(), Config{}, "1", "")
			defer p.end(nil)
			for _, size := range test.sizes {
				p.add(writeOf(t, size))
			}
			batch := p.take(conn)
			for i, w := range batch {
				if w.asked != test.asked[i] {
					t.Errorf("Append %d is asked for: %v, want %v", i, w.asked, test.asked[i])
				}
				if want := lastAPI(w.encoder.requests[:w.size]); (want == protocol.APIOffsets) != w.asked {
					t.Errorf("Append %d ends with %s", i, want)
				}
			}
			for i, asked := range test.asked {
				if !asked {
					continue
				}
				if err := p.answered(conn); err != nil {
					t.Fatal(err)
				}
				for j, w := range batch {
					if w.finished != (j <= i) {
						t.Errorf("after the answer for Append %d, Append %d is finished: %v", i, j, w.finished)
					}
				}
			}
			if err := p.answered(conn); err == nil {
				t.Error("an answer too many is taken for one")
			}
		})
	}
}

func writeOf(t *testing.T, size int) *write {
	t.Helper()
	e := new(encoder)
	if err := e.encode("orders", 0, []kafka.Message{{Value: make([]byte, size)}}, Config{}); err != nil {
		t.Fatal(err)
	}
	return newWrite(e, func() {})
}

// lastAPI is what the last of some frames asks for.
func lastAPI(frames []byte) protocol.API {
	var api protocol.API
	for rest := slices.Clone(frames); len(rest) > 0; {
		size, err := protocol.FrameSize(rest, len(rest))
		if err != nil {
			return -1
		}
		api = protocol.API(rest[5])
		rest = rest[protocol.SizeBytes+size:]
	}
	return api
}
