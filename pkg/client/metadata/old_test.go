// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package metadata_test

import (
	"context"
	"encoding/binary"
	"io"
	"net"
	"strconv"
	"sync"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/samsa-dev/samsa/pkg/client/wire"
)

// oldBroker answers as brokers did that cannot say what they understand: what they do not know, 0.8 hangs up on, and
// 0.9 says nothing to.
type oldBroker struct {
	listener net.Listener
	release  wire.Release
	serving  sync.WaitGroup

	mu    sync.Mutex // guards conns
	conns []net.Conn
}

func startOld(ctx context.Context, release wire.Release) string {
	GinkgoHelper()
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
	Expect(err).NotTo(HaveOccurred())
	b := &oldBroker{listener: listener, release: release}
	b.serving.Go(b.accept)
	DeferCleanup(b.close)
	return listener.Addr().String()
}

func (b *oldBroker) close() {
	_ = b.listener.Close()
	b.mu.Lock()
	for _, conn := range b.conns {
		_ = conn.Close()
	}
	b.mu.Unlock()
	b.serving.Wait()
}

func (b *oldBroker) accept() {
	for {
		conn, err := b.listener.Accept()
		if err != nil {
			return
		}
		b.mu.Lock()
		b.conns = append(b.conns, conn)
		b.mu.Unlock()
		b.serving.Go(func() { b.serve(conn) })
	}
}

// serve reads requests: a length, then key, version and a number to answer with.
func (b *oldBroker) serve(conn net.Conn) {
	defer conn.Close()
	for {
		var length uint32
		if binary.Read(conn, binary.BigEndian, &length) != nil || length < 8 || length > 1<<16 {
			return
		}
		request := make([]byte, length)
		if _, err := io.ReadFull(conn, request); err != nil {
			return
		}
		answer := b.answer(kmsg.Key(binary.BigEndian.Uint16(request)))
		switch {
		case answer != nil:
			body := answer.AppendTo(request[4:8:8])
			if binary.Write(conn, binary.BigEndian, uint32(len(body))) != nil { //nolint:gosec // some bytes
				return
			}
			_, _ = conn.Write(body)
		case b.release == wire.Kafka08:
			return
		}
	}
}

func (b *oldBroker) answer(key kmsg.Key) kmsg.Response {
	switch {
	case key == kmsg.Metadata:
		return b.metadata()
	case key == kmsg.ListGroups && b.release == wire.Kafka09:
		return kmsg.NewPtrListGroupsResponse()
	}
	return nil
}

// metadata tells of all topics, as it did when none was named.
func (b *oldBroker) metadata() kmsg.Response {
	answer := kmsg.NewPtrMetadataResponse()
	answer.Version = 0
	broker := kmsg.NewMetadataResponseBroker()
	host, port, _ := net.SplitHostPort(b.listener.Addr().String())
	number, _ := strconv.ParseInt(port, 10, 32)
	broker.NodeID, broker.Host, broker.Port = 7, host, int32(number)
	answer.Brokers = []kmsg.MetadataResponseBroker{broker}
	for _, name := range []string{"audit", "orders"} {
		topic := kmsg.NewMetadataResponseTopic()
		topic.Topic = &name
		topic.Partitions = []kmsg.MetadataResponseTopicPartition{{Partition: 0}, {Partition: 1}}
		answer.Topics = append(answer.Topics, topic)
	}
	return answer
}
