// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package wire07

import (
	"fmt"
	"unsafe"

	"github.com/samsa-dev/samsa/pkg/kafka"
	"github.com/samsa-dev/samsa/pkg/protocol"
)

// overhead is what stands before the payload of a message.
func overhead(message []byte) int {
	if message[protocol.SizeBytes] == 0 {
		return protocol.OverheadMagic0
	}
	return protocol.Overhead
}

const (
	// innerBytes is what a message out of a wrapper takes besides its payload.
	innerBytes = int(unsafe.Sizeof(inner{}))
	// maxInflated is how much of one set is inflated at a time, but for the wrapper that exceeds it: as much as is fetched
	// at a time. What follows is fetched anew. So small wrappers that inflate a thousandfold do not fill the memory.
	maxInflated = maxAnswer
)

// decoder checks and decodes sets. It is for one goroutine.
type decoder struct {
	iterator protocol.Iterator
	// home is where sets go that somebody released.
	home *buffers
}

// decode fills in what is in a part's set: up to the first that is corrupt, and never part of a wrapper.
func (d *decoder) decode(p *part) {
	d.iterator.Reset(p.set, p.from)
	var run kafka.Records
	if p.wrapped {
		run = d.unwrap(p)
	} else {
		run = d.walk(p)
		p.keeps = run.Len() > 0
		p.bytes = len(p.set)
	}
	if run.Len() > 0 {
		p.batch = kafka.NewBatch(p.partition, run)
	}
	if err := d.iterator.Err(); err != nil {
		p.err = fmt.Errorf("%s: corrupt at position %d: %w", p.partition, p.end, err)
	}
	d.iterator.Reset(nil, 0)
}

// walk decodes a set without wrappers.
func (d *decoder) walk(p *part) *records {
	it := &d.iterator
	ends := make([]int32, 0, p.messages)
	for it.Next() {
		ends = append(ends, int32(it.Position()-p.from)) //nolint:gosec // inside the set, whose size is an int32
	}
	p.end = it.Position()
	return &records{partition: p.partition, start: p.from, set: p.set, ends: ends, home: d.home}
}

// unwrap decodes a set with wrappers.
func (d *decoder) unwrap(p *part) *unwrapped {
	it := &d.iterator
	run := &unwrapped{partition: p.partition}
	whole := 0 // messages up to where reading can go on
	p.bytes = 0
	for p.bytes <= maxInflated && it.Next() {
		m := it.Message()
		run.list = append(run.list, inner{payload: m.Payload, offset: m.Offset, next: m.Next, index: m.Index})
		p.bytes += innerBytes + len(m.Payload)
		for m.Next == m.Offset && it.Next() {
			run.list = append(run.list, inner{payload: m.Payload, offset: m.Offset, next: m.Next, index: m.Index})
			p.bytes += innerBytes + len(m.Payload)
		}
		if m.Next > m.Offset {
			whole = len(run.list)
			// What is no slice of the set may look so, but not the other way round.
			p.keeps = p.keeps || m.Next-m.Offset <= int64(protocol.Overhead+len(m.Payload))
		}
	}
	p.end = it.Position()
	clear(run.list[whole:])
	run.list = run.list[:whole]
	return run
}

// release lets go of everything.
func (p *part) release() { *p = part{} }
