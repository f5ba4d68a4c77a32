// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package wire07

import (
	"testing"

	"github.com/samsa-dev/samsa/pkg/kafka"
	"github.com/samsa-dev/samsa/pkg/protocol"
)

func TestTraceStopsWhereNoMessageStands(t *testing.T) {
	one := protocol.AppendMessage(nil, []byte("one"))
	old := protocol.AppendMessageMagic0(nil, nil)
	flagged := func(attributes uint8) []byte { return protocol.AppendMessageAttributes(nil, attributes, nil) }
	for name, test := range map[string]struct {
		set  []byte
		want outline
	}{
		"nothing":      {nil, outline{}},
		"three bytes":  {[]byte{0, 0, 0}, outline{}},
		"one":          {one, outline{messages: 1, size: 13, largest: 13}},
		"two":          {append(one[:13:13], old...), outline{messages: 2, size: 22, largest: 13}},
		"cut":          {append(one[:13:13], one[:12]...), outline{messages: 1, size: 13, largest: 13, missing: 13}},
		"cut length":   {append(one[:13:13], 0, 0), outline{messages: 1, size: 13, largest: 13}},
		"negative":     {append(one[:13:13], 255, 0, 0, 0), outline{messages: 1, size: 13, largest: 13, broken: true}},
		"short":        {[]byte{0, 0, 0, 4, 0, 0, 0, 0}, outline{broken: true}},
		"short, cut":   {[]byte{0, 0, 0, 4, 0, 0, 0}, outline{missing: 8}},
		"a wrapper":    {flagged(2), outline{messages: 1, size: 10, largest: 10, wrapped: true}},
		"other flags":  {flagged(4), outline{messages: 1, size: 10, largest: 10}},
		"a half-giant": {append([]byte{0x7f, 255, 255, 255}, 1, 0), outline{missing: 1<<31 + 3}},
	} {
		if got := trace(test.set); got != test.want {
			t.Errorf("%s: got %+v, want %+v", name, got, test.want)
		}
	}
}

func TestMessagesOfASetCostNothing(t *testing.T) {
	p := part{partition: kafka.Partition{Topic: "t", ID: "1-0"}}
	for range 1000 {
		p.set = protocol.AppendMessage(p.set, []byte("payload"))
	}
	p.outline = trace(p.set)
	d := decoder{home: new(buffers)}
	d.decode(&p)
	if p.batch.Len() != 1000 {
		t.Fatal(p.batch.Len())
	}
	bytes := 0
	allocations := testing.AllocsPerRun(10, func() {
		for i := range p.batch.Len() {
			bytes += len(p.batch.Message(i).Value)
		}
	})
	if allocations != 0 || bytes == 0 {
		t.Errorf("%v allocations for %d bytes", allocations, bytes)
	}
	// The ends of the messages, the run, and its batch.
	if allocations := testing.AllocsPerRun(10, func() { d.decode(&p) }); allocations > 3 {
		t.Errorf("decoding 1000 messages takes %v allocations", allocations)
	}
}
