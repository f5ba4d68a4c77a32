// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package wire

import (
	"encoding/binary"
	"io"
	"net"
	"slices"
	"sync"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"
)

const (
	// A request begins with its size (4), API key (2), version (2) and number (4); an answer with its size and number.
	requestHead = 4 + 2 + 2 + 4
	answerHead  = 4 + 4
	numberBytes = 4
	// maxMetadata bounds an answer that is held here as a whole: 10,000 partitions of three replicas take 0.5 MiB. A
	// larger one passes as it is.
	maxMetadata = 16 << 20
)

// replicaConn is a connection to a broker before Kafka 0.10. As long as one of a partition's replicas is dead, these
// answer REPLICA_NOT_AVAILABLE for it beside the leader that it has (KIP-4 calls it a warning, and later versions of
// the answer leave it out), and franz-go takes what is an error nowhere else for a reason not to fetch. So it is taken
// out of the answers to what asks for metadata. Reading and writing may be concurrent, each has one caller at a time.
type replicaConn struct {
	net.Conn

	mu    sync.Mutex // guards asked
	asked map[int32]struct{}

	// left is how much of an answer passes as it is, ready what was read and not handed on.
	left  int
	ready []byte
}

// heed wraps the connections that need it.
func (r Release) heed(conn net.Conn) net.Conn {
	if r == Negotiated {
		return conn
	}
	return &replicaConn{Conn: conn, asked: map[int32]struct{}{}}
}

// Write implements net.Conn. franz-go writes each request by itself.
func (c *replicaConn) Write(request []byte) (int, error) {
	if len(request) >= requestHead && binary.BigEndian.Uint32(request[4:]) == uint32(kmsg.Metadata)<<16 {
		c.mu.Lock()
		c.asked[number(request[8:])] = struct{}{}
		c.mu.Unlock()
	}
	return c.Conn.Write(request)
}

// Read implements net.Conn.
func (c *replicaConn) Read(into []byte) (int, error) {
	if len(into) == 0 {
		return 0, nil
	}
	if len(c.ready) == 0 && c.left == 0 {
		if err := c.next(); err != nil {
			return 0, err
		}
	}
	if len(c.ready) > 0 {
		n := copy(into, c.ready)
		c.ready = c.ready[n:]
		return n, nil
	}
	n, err := c.Conn.Read(into[:min(len(into), c.left)])
	c.left -= n
	return n, err
}

// next reads where an answer begins and, of metadata, all of it.
func (c *replicaConn) next() error {
	var head [answerHead]byte
	if _, err := io.ReadFull(c.Conn, head[:]); err != nil {
		return err
	}
	c.ready = head[:]
	size := number(head[:]) - numberBytes
	if size < 0 { // franz-go says what is wrong with it
		return nil
	}
	if !c.isMetadata(number(head[4:])) || size > maxMetadata {
		c.left = int(size)
		return nil
	}
	body, err := io.ReadAll(io.LimitReader(c.Conn, int64(size)))
	if err == nil && len(body) < int(size) {
		err = io.ErrUnexpectedEOF
	}
	if err != nil {
		return err
	}
	c.ready = slices.Concat(head[:], withoutWarnings(body))
	return nil
}

func (c *replicaConn) isMetadata(answer int32) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	_, asked := c.asked[answer]
	delete(c.asked, answer)
	return asked
}

// withoutWarnings takes out of metadata what is said of dead replicas. Its size stays the same.
func withoutWarnings(body []byte) []byte {
	var answer kmsg.MetadataResponse
	if err := answer.ReadFrom(body); err != nil {
		return body
	}
	for i := range answer.Topics {
		for j := range answer.Topics[i].Partitions {
			p := &answer.Topics[i].Partitions[j]
			if p.ErrorCode == kerr.ReplicaNotAvailable.Code && p.Leader >= 0 {
				p.ErrorCode = 0
			}
		}
	}
	if clean := answer.AppendTo(nil); len(clean) == len(body) {
		return clean
	}
	return body
}

func number(b []byte) int32 {
	return int32(binary.BigEndian.Uint32(b)) //nolint:gosec // the wire's two's complement
}
