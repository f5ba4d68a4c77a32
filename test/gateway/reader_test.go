// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

//go:build linux || darwin

package gateway_test

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"strconv"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
)

// record is what a topic has.
type record struct {
	topic, partition string
	offset           int64
	// timestamp is zero, and key and headers are none, in Kafka 0.7.
	timestamp  time.Time
	key, value string
	headers    []kgo.RecordHeader
}

// reader reads topics, each record once.
type reader interface {
	// read gives what came since, up to what was there when it was called.
	read(ctx context.Context) ([]record, error)
	close()
}

// modern reads from Kafka since 0.8.
type modern struct {
	client *kgo.Client
	topics []string
	next   map[string]map[int32]int64
}

func newModern(brokers []string, topics map[string]int32) (*modern, error) {
	from := map[string]map[int32]kgo.Offset{}
	m := &modern{next: map[string]map[int32]int64{}}
	for topic, partitions := range topics {
		from[topic], m.next[topic] = map[int32]kgo.Offset{}, map[int32]int64{}
		m.topics = append(m.topics, topic)
		for partition := range partitions {
			from[topic][partition] = kgo.NewOffset().AtStart()
		}
	}
	var err error
	m.client, err = kgo.NewClient(kgo.SeedBrokers(brokers...), kgo.ConsumePartitions(from),
		kgo.MetadataMinAge(100*time.Millisecond), kgo.FetchMaxWait(250*time.Millisecond))
	return m, err
}

func (m *modern) close() { m.client.Close() }

func (m *modern) read(ctx context.Context) (records []record, err error) {
	ends, err := kadm.NewClient(m.client).ListEndOffsets(ctx, m.topics...)
	if err == nil {
		err = ends.Error()
	}
	if err != nil {
		return nil, fmt.Errorf("ends: %w", err)
	}
	for m.behind(ends) {
		fetches := m.client.PollFetches(ctx)
		if err := ctx.Err(); err != nil {
			return records, err
		}
		fetches.EachRecord(func(r *kgo.Record) {
			m.next[r.Topic][r.Partition] = r.Offset + 1
			records = append(records, record{
				topic: r.Topic, partition: strconv.Itoa(int(r.Partition)), offset: r.Offset, timestamp: r.Timestamp,
				key: string(r.Key), value: string(r.Value), headers: r.Headers,
			})
		})
	}
	return records, nil
}

func (m *modern) behind(ends kadm.ListedOffsets) (behind bool) {
	ends.Each(func(end kadm.ListedOffset) {
		behind = behind || m.next[end.Topic][end.Partition] < end.Offset
	})
	return behind
}

// ancient reads from Kafka 0.7, by requests made by hand.
type ancient struct {
	topic string
	// brokers are the addresses by the first number of a partition's name.
	brokers []string
	next    map[string]int64
}

func newAncient(brokers []string, topic string, partitions []string) *ancient {
	a := &ancient{topic: topic, brokers: brokers, next: map[string]int64{}}
	for _, partition := range partitions {
		a.next[partition] = 0
	}
	return a
}

func (*ancient) close() {}

func (a *ancient) read(ctx context.Context) (records []record, err error) {
	for partition := range a.next {
		for {
			set, err := a.fetch(ctx, partition)
			if err != nil {
				return nil, fmt.Errorf("fetch %s: %w", partition, err)
			}
			if len(set) == 0 {
				break
			}
			found, err := a.cut(partition, set)
			if err != nil {
				return nil, err
			}
			records = append(records, found...)
		}
	}
	return records, nil
}

// fetch asks a broker for what follows.
func (a *ancient) fetch(ctx context.Context, partition string) ([]byte, error) {
	broker, number, _ := strings.Cut(partition, "-")
	id, err := strconv.Atoi(broker)
	if err != nil {
		return nil, err
	}
	n, err := strconv.ParseUint(number, 10, 32)
	if err != nil {
		return nil, err
	}
	conn, err := new(net.Dialer).DialContext(ctx, "tcp", a.brokers[id])
	if err != nil {
		return nil, err
	}
	defer conn.Close()
	if err := conn.SetDeadline(time.Now().Add(10 * time.Second)); err != nil {
		return nil, err
	}
	const fetch, most = 1, 1 << 20
	body := binary.BigEndian.AppendUint16(nil, fetch)
	body = binary.BigEndian.AppendUint16(body, uint16(len(a.topic)))
	body = append(body, a.topic...)
	body = binary.BigEndian.AppendUint32(body, uint32(n))
	body = binary.BigEndian.AppendUint64(body, uint64(a.next[partition]))
	body = binary.BigEndian.AppendUint32(body, most)
	if _, err := conn.Write(append(binary.BigEndian.AppendUint32(nil, uint32(len(body))), body...)); err != nil {
		return nil, err
	}
	head := make([]byte, 6)
	if _, err := io.ReadFull(conn, head); err != nil {
		return nil, err
	}
	if code := int16(binary.BigEndian.Uint16(head[4:])); code != 0 {
		return nil, fmt.Errorf("error %d", code)
	}
	set := make([]byte, binary.BigEndian.Uint32(head)-2)
	_, err = io.ReadFull(conn, set)
	return set, err
}

// cut cuts a set into messages: length, magic, attributes if that is 1, checksum, value.
func (a *ancient) cut(partition string, set []byte) (records []record, err error) {
	for len(set) >= 4 {
		length := int(binary.BigEndian.Uint32(set))
		if len(set) < 4+length {
			break // the rest comes with the next
		}
		message := set[4 : 4+length]
		head := 1 + 4
		if message[0] == 1 {
			if head++; message[1] != 0 {
				return nil, errors.New("compressed")
			}
		}
		records = append(records, record{
			topic: a.topic, partition: partition, offset: a.next[partition], value: string(message[head:]),
		})
		a.next[partition] += int64(4 + length)
		set = set[4+length:]
	}
	return records, nil
}
