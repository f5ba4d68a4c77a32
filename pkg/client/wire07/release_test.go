// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package wire07

import (
	"bytes"
	"sync"
	"testing"

	"github.com/samsa-dev/samsa/pkg/kafka"
	"github.com/samsa-dev/samsa/pkg/protocol"
)

// TestRelease: the memory of a run is used again once it was released, and only once however often that is said; that
// of a run which somebody holds is not.
func TestRelease(t *testing.T) {
	t.Parallel()
	home := &buffers{blocks: new(blocks)}
	held, released := decoded(t, home, "held"), decoded(t, home, "released")
	var releasing sync.WaitGroup
	for range 4 {
		releasing.Go(released.Slice(1, 2).Release)
	}
	releasing.Wait()

	again, fresh := decoded(t, home, "again"), decoded(t, home, "fresh")
	if got := released.Message(0).Value; !bytes.Equal(got, again.Message(0).Value) {
		t.Errorf("what was released reads %q: its memory was not used again", got)
	}
	for name, batch := range map[string]kafka.Batch{"held": held, "again": again, "fresh": fresh} {
		if got, want := batch.Message(1).Value, longAs(name); !bytes.Equal(got, want) {
			t.Errorf("%s was overwritten: %q", name, got)
		}
	}
}

// TestReleaseOfOtherSizes: buffers that do not fit any more are not in the way of those that do.
func TestReleaseOfOtherSizes(t *testing.T) {
	t.Parallel()
	b := &buffers{blocks: new(blocks)}
	for range maxFreeBuffers {
		b.put(make([]byte, 100))
	}
	large := make([]byte, 1000)
	b.put(large)
	if got := b.get(1000); &got[0] != &large[0] {
		t.Error("the memory that was put back last was not used again")
	}
	if len(b.free) != maxFreeBuffers-1 {
		t.Errorf("%d buffers are left", len(b.free))
	}
}

// TestReleaseNothing: batches without memory that can be used again.
func TestReleaseNothing(t *testing.T) {
	t.Parallel()
	kafka.Batch{}.Release()
	kafka.NewBatch(kafka.Partition{}, kafka.Messages{{Value: []byte("x")}}).Release()
}

// decoded is a run of two messages, read into a buffer of home.
func decoded(t *testing.T, home *buffers, payload string) kafka.Batch {
	t.Helper()
	set := protocol.AppendMessages(nil, [][]byte{longAs(payload), longAs(payload)})
	p := &part{set: home.get(len(set))}
	copy(p.set, set)
	p.outline = trace(p.set)
	d := decoder{home: home}
	d.decode(p)
	if p.err != nil || p.batch.Len() != 2 {
		t.Fatal(p.err, p.batch.Len())
	}
	return p.batch
}

// longAs makes payloads of one size.
func longAs(name string) []byte { return append(bytes.Repeat([]byte("."), 100-len(name)), name...) }
