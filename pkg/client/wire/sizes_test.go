// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package wire_test

import (
	"context"
	"net"
	"sync/atomic"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/samsa-dev/samsa/pkg/client/wire"
	"github.com/samsa-dev/samsa/pkg/kafka"
)

// counted counts what is written to a connection.
type counted struct {
	net.Conn
	written *atomic.Int64
}

func (c counted) Write(from []byte) (int, error) {
	c.written.Add(int64(len(from)))
	return c.Conn.Write(from)
}

var _ = Describe("What is appended", func() {
	var w *world
	BeforeEach(func(ctx SpecContext) { w = newWorld(ctx) })

	// opened is a transport of another configuration, and counts what it writes.
	opened := func(config wire.Config) (*wire.Transport, *atomic.Int64) {
		GinkgoHelper()
		written := new(atomic.Int64)
		config.Brokers, config.FetchMaxWait = w.Addrs(), 50*time.Millisecond
		config.Dial = func(ctx context.Context, network, address string) (net.Conn, error) {
			conn, err := new(net.Dialer).DialContext(ctx, network, address)
			return counted{conn, written}, err
		}
		transport, err := wire.Open(config)
		Expect(err).NotTo(HaveOccurred())
		DeferCleanup(transport.Close)
		return transport, written
	}

	DescribeTable("is compressed as configured", func(ctx SpecContext, compression kafka.Compression, compressed bool) {
		const size = 100_000
		transport, written := opened(wire.Config{Compression: compression})
		_, err := transport.Append(ctx, first, []kafka.Message{{Value: make([]byte, size)}})
		Expect(err).NotTo(HaveOccurred())
		if compressed {
			Expect(written.Load()).To(BeNumerically("<", size))
		} else {
			Expect(written.Load()).To(BeNumerically(">", size))
		}
		w.transport.Add(map[kafka.Partition]int64{first: 0})
		w.reader.until(ctx, func(g Gomega) { g.Expect(w.reader.values[first]).To(ConsistOf(HaveLen(size))) })
	},
		Entry("not", kafka.Uncompressed, false),
		Entry("with gzip", kafka.Gzip, true),
		Entry("with snappy", kafka.Snappy, true),
	)

	It("is refused where it is larger than configured, and nothing is written", func(ctx SpecContext) {
		transport, _ := opened(wire.Config{MaxMessageBytes: 2000})
		_, err := transport.Append(ctx, first, []kafka.Message{{Value: make([]byte, 2001)}})
		Expect(err).To(MatchError(kafka.ErrTooLarge))
		Expect(refused(err)).To(BeTrue())
		_, err = transport.Append(ctx, first, []kafka.Message{{Value: make([]byte, 1900)}})
		Expect(err).NotTo(HaveOccurred())
	})

	It("may be larger than the default where brokers take more", func(ctx SpecContext) {
		large := []kafka.Message{{Value: make([]byte, wire.DefaultMaxMessageBytes)}} // brokers take 1 MiB and a little
		transport, _ := opened(wire.Config{})
		_, err := transport.Append(ctx, first, large)
		Expect(err).To(MatchError(kafka.ErrTooLarge))
		transport, written := opened(wire.Config{MaxMessageBytes: 80 << 20})
		_, err = transport.Append(ctx, first, large)
		Expect(err).NotTo(HaveOccurred())
		_, err = transport.Append(ctx, first, []kafka.Message{{Value: make([]byte, 70<<20)}})
		Expect(err).To(MatchError(kafka.ErrTooLarge)) // says the broker
		Expect(written.Load()).To(BeNumerically(">", 70<<20))
	})
})
