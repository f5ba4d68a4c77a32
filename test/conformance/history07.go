// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

//go:build linux || darwin

package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/twmb/franz-go/pkg/kgo"
)

// retention07 is retention where positions are bytes, and whole segments go.
func retention07(ctx context.Context, b *bench) error {
	topic, err := b.newTopic(ctx)
	if err != nil {
		return err
	}
	first := values(topic, 0, 0, 10)
	if err := b.write(ctx, first); err != nil {
		return err
	}
	if _, err := b.consume(ctx, topic, b.name, len(first)); err != nil {
		return err
	}
	// Two segments more than are kept.
	large := bytes.Repeat([]byte("x"), 1000)
	for written := 0; written < kept07+2*segment07; {
		var records []*kgo.Record
		for i := range 10 {
			record := &kgo.Record{Topic: topic, Value: fmt.Appendf(slices.Clone(large), "%d", written+i)}
			records, written = append(records, record), written+int(b.servers.span(record.Value))
		}
		if err := b.write(ctx, records); err != nil {
			return err
		}
	}
	servers, ok := b.servers.(*embeddedServers07)
	if !ok {
		return errors.New("there is no real Kafka 0.7")
	}
	if err := servers.world.Kafka07.Broker(0).Clean(); err != nil {
		return err
	}
	left, err := b.readAll(ctx, topic, 1)
	if err != nil {
		return err
	}
	committed := b.spans(first)
	if left[0].Offset <= committed {
		return fmt.Errorf("the broker still has messages from %d on", left[0].Offset)
	}
	return b.goesOn07(ctx, topic, committed, left)
}

// goesOn07 has the group, which has committed a position that is gone, consume what is left.
func (b *bench) goesOn07(ctx context.Context, topic string, committed int64, left []*kgo.Record) error {
	start, end := left[0].Offset, left[0].Offset+b.spans(left)
	rows, err := b.client.offsets(ctx, topic, b.name)
	if err != nil {
		return err
	}
	row := rows[b.servers.partition(topic, 0)]
	for _, one := range []struct {
		what string
		said *int64
		want int64
	}{
		{"position", row.Committed, committed}, {"start of the log", row.Earliest, start}, {"end of the log", row.End, end},
		{"lag", row.Lag, end - start},
	} {
		if one.said == nil || *one.said != one.want {
			return fmt.Errorf("%s is %d, and the client says %s", one.what, one.want, show(one.said))
		}
	}
	m, err := b.client.subscribe(ctx, topic, b.name)
	if err != nil {
		return err
	}
	err = m.await(ctx, "the last message", func(all []message) bool { return len(all) >= len(left) })
	if err := errors.Join(err, m.stop(ctx)); err != nil {
		return err
	}
	if said := m.said(); !strings.Contains(said, "retention") && !strings.Contains(said, "lost") {
		b.note("nothing is said of what retention removed")
	}
	return b.compare(left, m.all())
}
