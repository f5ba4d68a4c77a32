// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package truth

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"strconv"
	"strings"
	"sync"
	"time"
)

// ends07 asks brokers of Kafka 0.7, each on a connection of its own, which lasts. The one request that it takes is
// written out here: the product's codec may be wrong.
type ends07 struct {
	// address is where a broker is by its registration; empty if it has none.
	address func(broker string) string

	// mu protects conns, which are by broker and address: one that is elsewhere now gets another.
	mu    sync.Mutex
	conns map[string]net.Conn
}

func newEnds07(address func(broker string) string) *ends07 {
	return &ends07{address: address, conns: map[string]net.Conn{}}
}

func (e *ends07) close() {
	e.mu.Lock()
	defer e.mu.Unlock()
	for key, conn := range e.conns {
		_ = conn.Close()
		delete(e.conns, key)
	}
}

// read asks all brokers at once. One that does not answer makes no error: nobody knows its ends.
func (e *ends07) read(ctx context.Context, topic string, partitions []string) (map[string]int64, error) {
	byBroker := map[string][]string{}
	for _, name := range partitions {
		broker, _, _ := strings.Cut(name, "-")
		byBroker[broker] = append(byBroker[broker], name)
	}
	var asking sync.WaitGroup
	var mu sync.Mutex // protects found
	found := map[string]int64{}
	for broker, names := range byBroker {
		asking.Go(func() {
			list, err := e.ask(ctx, broker, topic, names)
			if err != nil {
				return
			}
			mu.Lock()
			defer mu.Unlock()
			for i, name := range names {
				found[name] = list[i]
			}
		})
	}
	asking.Wait()
	return found, nil
}

// ask sends a broker all requests before it reads the first answer.
func (e *ends07) ask(ctx context.Context, broker, topic string, names []string) (list []int64, err error) {
	conn, key, err := e.connect(ctx, broker)
	if err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			_ = conn.Close()
		} else {
			e.keep(key, conn)
		}
	}()
	if err := conn.SetDeadline(time.Now().Add(patience)); err != nil {
		return nil, err
	}
	var requests []byte
	for _, name := range names {
		_, number, _ := strings.Cut(name, "-")
		partition, err := strconv.ParseUint(number, 10, 31)
		if err != nil {
			return nil, fmt.Errorf("partition %s: %w", name, err)
		}
		requests = appendEndRequest(requests, topic, uint32(partition))
	}
	if _, err := conn.Write(requests); err != nil {
		return nil, err
	}
	for range names {
		end, err := readEnd(conn)
		if err != nil {
			return nil, err
		}
		list = append(list, end)
	}
	return list, nil
}

// connect takes a broker's connection out of those that there are, or makes one.
func (e *ends07) connect(ctx context.Context, broker string) (conn net.Conn, key string, err error) {
	address := e.address(broker)
	if address == "" {
		return nil, "", fmt.Errorf("broker %s is not registered", broker)
	}
	key = broker + " " + address
	e.mu.Lock()
	conn = e.conns[key]
	delete(e.conns, key)
	e.mu.Unlock()
	if conn != nil {
		return conn, key, nil
	}
	conn, err = (&net.Dialer{Timeout: patience}).DialContext(ctx, "tcp", address)
	return conn, key, err
}

func (e *ends07) keep(key string, conn net.Conn) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.conns[key] = conn
}

const (
	apiOffsets = 4
	// latest is the time that stands for the end of the log.
	latest = ^uint64(0)
	// answerBytes is the only answer there is: code 0, one position.
	answerBytes = 2 + 4 + 8
)

// appendEndRequest is OFFSETS: size, api, topic with its length, partition, time, how many positions.
func appendEndRequest(dst []byte, topic string, partition uint32) []byte {
	size := 2 + 2 + len(topic) + 4 + 8 + 4
	dst = binary.BigEndian.AppendUint32(dst, uint32(size)) //nolint:gosec // names of topics are short
	dst = binary.BigEndian.AppendUint16(dst, apiOffsets)
	dst = binary.BigEndian.AppendUint16(dst, uint16(len(topic))) //nolint:gosec // names of topics are short
	dst = append(dst, topic...)
	dst = binary.BigEndian.AppendUint32(dst, partition)
	dst = binary.BigEndian.AppendUint64(dst, latest)
	return binary.BigEndian.AppendUint32(dst, 1)
}

// readEnd reads an answer: size, code, the number of positions, positions.
func readEnd(from io.Reader) (int64, error) {
	var answer [4 + answerBytes]byte
	if _, err := io.ReadFull(from, answer[:]); err != nil {
		return 0, err
	}
	if binary.BigEndian.Uint32(answer[:]) != answerBytes || binary.BigEndian.Uint16(answer[4:]) != 0 ||
		binary.BigEndian.Uint32(answer[6:]) != 1 {
		return 0, errors.New("not the answer that was asked for")
	}
	return int64(binary.BigEndian.Uint64(answer[10:])), nil //nolint:gosec // the wire's two's complement
}
