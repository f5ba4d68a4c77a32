// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package world

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"net"
	"strconv"
	"strings"
	"time"

	"github.com/samsa-dev/samsa/internal/embedded/kafka07"
	"github.com/samsa-dev/samsa/pkg/kafka"
	"github.com/samsa-dev/samsa/pkg/protocol"
)

const (
	// produceWithin is what a broker of this machine may take to store and answer.
	produceWithin = 5 * time.Second
	// mostAnswer is more than an answer with one position takes.
	mostAnswer = 1 << 10
)

// producer07 is for Kafka 0.7. Brokers do not say where they put messages, so it looks into their logs.
type producer07 struct {
	cluster *kafka07.Cluster
	conns   map[string]net.Conn // by address
	// behind is the position behind what is known of a partition.
	behind map[kafka.Partition]int64
}

func newProducer07(cluster *kafka07.Cluster) *producer07 {
	return &producer07{cluster: cluster, conns: map[string]net.Conn{}, behind: map[kafka.Partition]int64{}}
}

// Produce implements Producer.
func (p *producer07) Produce(ctx context.Context, partition kafka.Partition, values ...[]byte) ([]int64, error) {
	known := len(p.conns)
	err := p.write(ctx, partition, values)
	stored, failure := p.cluster.Stored(partition, p.behind[partition])
	if err != nil && len(p.conns) < known && len(stored) == 0 {
		// That connection had died with an earlier life of the broker; nothing was stored.
		err = p.write(ctx, partition, values)
		stored, failure = p.cluster.Stored(partition, p.behind[partition])
	}
	if err := cmp.Or(err, failure); err != nil {
		return nil, fmt.Errorf("produce to %s: %w", partition, err)
	}
	if len(stored) < len(values) {
		return nil, fmt.Errorf("produce to %s: the broker stored %d of %d messages", partition, len(stored), len(values))
	}
	positions := make([]int64, len(values))
	for i, m := range stored[len(stored)-len(values):] {
		positions[i], p.behind[partition] = m.Offset, m.Next
	}
	return positions, nil
}

// write sends a PRODUCE and, because that is never answered, an OFFSETS behind it on the same connection.
func (p *producer07) write(ctx context.Context, partition kafka.Partition, values [][]byte) error {
	broker, number, ok := strings.Cut(partition.ID, "-")
	id, err := strconv.ParseInt(broker, 10, 32)
	n, failure := strconv.ParseInt(number, 10, 32)
	if !ok || err != nil || failure != nil || id < 0 || int(id) >= len(p.cluster.Addrs()) {
		return fmt.Errorf("%s is no partition's name", partition.ID)
	}
	var set []byte
	for _, value := range values {
		set = protocol.AppendMessage(set, value)
	}
	request := (&protocol.ProduceRequest{Topic: partition.Topic, Partition: int32(n), Set: set}).AppendTo(nil)
	request = (&protocol.OffsetsRequest{
		Topic: partition.Topic, Partition: int32(n), Time: protocol.EarliestTime, MaxOffsets: 1,
	}).AppendTo(request)
	return p.ask(ctx, p.cluster.Addrs()[id], request)
}

// ask sends requests, waits for one answer and ignores what it says.
func (p *producer07) ask(ctx context.Context, address string, requests []byte) (err error) {
	conn := p.conns[address]
	if conn == nil {
		if conn, err = new(net.Dialer).DialContext(ctx, "tcp", address); err != nil {
			return err
		}
		p.conns[address] = conn
	}
	defer func() {
		if err != nil {
			_ = conn.Close()
			delete(p.conns, address)
		}
	}()
	if err := conn.SetDeadline(time.Now().Add(produceWithin)); err != nil {
		return err
	}
	if _, err := conn.Write(requests); err != nil {
		return err
	}
	head := make([]byte, protocol.SizeBytes)
	if _, err := io.ReadFull(conn, head); err != nil {
		return err
	}
	size, err := protocol.FrameSize(head, mostAnswer)
	if err != nil {
		return err
	}
	_, err = io.CopyN(io.Discard, conn, int64(size))
	return err
}

// Close implements Producer.
func (p *producer07) Close() {
	for _, conn := range p.conns {
		_ = conn.Close()
	}
}
